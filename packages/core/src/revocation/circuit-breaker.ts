import { FetchError, type FetchFailure } from './fetch-error';

/** What a {@link CircuitBreaker} knows of its host. Plain data. */
export interface BreakerHealth {
  /** `open`: the host is not asked. `half-open`: one request finds out whether it is well again. */
  readonly state: 'closed' | 'open' | 'half-open';
  /** Failures in a row, up to now. */
  readonly failures: number;
  /** Milliseconds since the breaker last opened or closed, or was made. */
  readonly forMs: number;
  /** Why the last request failed. Absent when none has, or a later one succeeded. */
  readonly lastFailure?: FetchFailure;
}

/** Failures in a row after which a host is not asked. */
const maxFailures = 5;
const firstPauseMs = 30_000;
const longestPauseMs = 600_000;
/** A pause is this part longer or shorter, so that many origins do not probe a host together. */
const jitter = 0.2;

/** Whether an error says that the host is not well. `undefined`: it says nothing of the host. */
export type Diagnosis = (error: unknown) => FetchFailure | 'well' | undefined;

/**
 * Keeps requests from a host that fails. After five failures in a row it is left alone for about 30 seconds; then exactly
 * one request probes it. Each probe that fails doubles the pause, up to 10 minutes; one that succeeds ends it.
 */
export class CircuitBreaker {
  readonly #clock: () => number;
  readonly #random: () => number;
  #failures = 0;
  #lastFailure: FetchFailure | undefined;
  /** Pauses in a row. The breaker is open when there is one. */
  #pauses = 0;
  #pausedUntil = 0;
  #isProbing = false;
  #since: number;
  /** Counts openings and closings: what was sent before one says nothing after it. */
  #era = 0;

  /**
   * @param clock - Monotonic, in milliseconds.
   * @param random - From 0 to 1.
   */
  constructor(clock: () => number = () => performance.now(), random: () => number = Math.random) {
    this.#clock = clock;
    this.#random = random;
    this.#since = clock();
  }

  /** Whether a request would be refused now. */
  get refuses(): boolean {
    return this.#pauses > 0 && (this.#isProbing || this.#clock() < this.#pausedUntil);
  }

  get health(): BreakerHealth {
    const last = this.#lastFailure === undefined ? {} : { lastFailure: this.#lastFailure };
    const state = this.#pauses === 0 ? 'closed' : this.#isProbing ? 'half-open' : 'open';
    return { state, failures: this.#failures, forMs: this.#clock() - this.#since, ...last };
  }

  /**
   * Does one request's work, and learns from how it ends.
   *
   * @throws {FetchError} `'breaker-open'`, without doing the work; whatever the work throws.
   */
  async run<Result>(host: string, work: () => Promise<Result>, diagnose: Diagnosis): Promise<Result> {
    if (this.refuses) throw new FetchError('breaker-open', { host });
    const era = this.#era;
    if (this.#pauses > 0) this.#isProbing = true;
    try {
      const result = await work();
      this.#learn(era, 'well');
      return result;
    } catch (error) {
      this.#learn(era, diagnose(error));
      throw error;
    }
  }

  #learn(era: number, diagnosis: ReturnType<Diagnosis>): void {
    if (era !== this.#era) return;
    this.#isProbing = false;
    if (diagnosis === undefined) return;
    if (diagnosis === 'well') {
      this.#close();
      return;
    }
    this.#failures += 1;
    this.#lastFailure = diagnosis;
    if (this.#pauses > 0 || this.#failures >= maxFailures) this.#open();
  }

  #open(): void {
    const pause = Math.min(firstPauseMs * 2 ** this.#pauses, longestPauseMs);
    const jittered = Math.round(pause * (1 - jitter + 2 * jitter * this.#random()));
    this.#pauses += 1;
    this.#turn(Math.min(jittered, longestPauseMs));
  }

  #close(): void {
    this.#failures = 0;
    this.#lastFailure = undefined;
    if (this.#pauses === 0) return;
    this.#pauses = 0;
    this.#turn(0);
  }

  #turn(pauseMs: number): void {
    this.#era += 1;
    this.#since = this.#clock();
    this.#pausedUntil = this.#since + pauseMs;
  }
}
