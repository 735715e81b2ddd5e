import { type Failure, failureMs } from './failed-fetch';
import type { RevocationAnswer } from './revocation-method';

type Known = Exclude<RevocationAnswer, { readonly status: 'unknown' }>;

/**
 * What is known of one certificate by asking about it: the answer that counts, why there was none the last time, and when
 * to ask again. Times in milliseconds since the Unix epoch.
 */
export class KnownStatus {
  #answer: Known | undefined;
  #failure: Failure | undefined;
  readonly #refreshMs: number;
  /** When half of the answer's time is over, or the longest time to go without asking. */
  #refreshFrom = Infinity;
  /** On the monotonic clock: nobody is asked before. */
  #pausedUntil = -Infinity;
  /** The question that is under way. */
  asking: Promise<RevocationAnswer> | undefined;

  /** @param refreshMs - Longest time to go without asking, where somebody wants to know. */
  constructor(refreshMs = Infinity) {
    this.#refreshMs = refreshMs;
  }

  /** What is to be said without asking anybody. Undefined: somebody must be asked. */
  at(time: number): RevocationAnswer | undefined {
    if (this.#answer !== undefined && time <= this.#answer.until) return this.#answer;
    if (!this.#isPaused) return undefined;
    // NOTE: what was revoked stays so when its answer's time is over and nobody says anything newer.
    return this.#answer?.status === 'revoked' ? this.#answer : this.#failure;
  }

  /** Whether to ask again though an answer is known. */
  isDueAt(time: number): boolean {
    return time >= this.#refreshFrom && !this.#isPaused;
  }

  /**
   * Keeps what was found at some time.
   *
   * @returns whether something else was said before that counted as an answer: somebody was revoked, or is no longer.
   */
  keep(found: RevocationAnswer, time: number): boolean {
    const before = this.#answer;
    if (found.status === 'unknown') {
      this.#failure = found;
      this.#pause();
      return false;
    }
    if (before !== undefined && isPlayedBack(found, before, time)) {
      this.#pause();
      return false;
    }
    // Who did not know may have let somebody in.
    const said = before?.status ?? (this.#failure === undefined ? undefined : 'unknown');
    this.#answer = found;
    this.#failure = undefined;
    // Halves of what is left grow ever shorter.
    this.#refreshFrom = time + Math.max(Math.min((found.until - time) / 2, this.#refreshMs), failureMs);
    return found.status === 'good' ? said === 'revoked' : said === 'good' || said === 'unknown';
  }

  /** The answer in force right after something was found: that, or what outweighs it. */
  after(found: RevocationAnswer, time: number): RevocationAnswer {
    if (this.#answer === undefined) return found;
    return this.#answer.status === 'revoked' || time <= this.#answer.until ? this.#answer : found;
  }

  get #isPaused(): boolean {
    return performance.now() < this.#pausedUntil;
  }

  #pause(): void {
    this.#pausedUntil = performance.now() + failureMs;
  }
}

/**
 * Whether an answer is older than the one that counts: whoever plays it back could undo a revocation. Of two from the same
 * second, which is as fine as they tell, the one that revokes counts.
 */
function isPlayedBack(found: Known, before: Known, time: number): boolean {
  if (before.status === 'good') return time <= before.until && found.asOf < before.asOf;
  return found.asOf < before.asOf || (found.asOf === before.asOf && found.status === 'good');
}
