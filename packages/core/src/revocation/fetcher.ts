import { LRUCache } from 'lru-cache';
import { type BreakerHealth, CircuitBreaker, type Diagnosis } from './circuit-breaker';
import { type FetchResult, readAnswer } from './fetch-answer';
import { FetchAttempt } from './fetch-attempt';
import { FetchError, type FetchFailure, systemCode } from './fetch-error';
import { GuardedFetch, type GuardedFetchSettings } from './guarded-fetch';
import { type FetchFunction, type NetworkOptions, resolveNetworkOptions } from './network-options';
import { RequestSlots } from './request-slots';
import { checkRevocationUrl, hostOf } from './revocation-url';

/** A question to a host. */
export interface FetchRequest {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  /** Names in lower case. Content codings are not the caller's to choose. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
  /** Most octets of the answer's body. */
  readonly maxOctets: number;
  /** Media types that will do, in lower case. An answer without a type passes. Default: every type. */
  readonly contentTypes?: readonly string[];
  /**
   * When the last try of the whole question must be over, on the clock of {@link Fetcher.deadline}. Default: this is the
   * first try, and its deadline.
   */
  readonly deadline?: number;
  /** Ends this request; it rejects with the signal's reason. Without one a caller that goes away ends nothing. */
  readonly signal?: AbortSignal;
}

/** What is known of one host. Plain data. */
export interface HostHealth extends BreakerHealth {
  /** Scheme, host and port, e.g. `http://ocsp.example.com`. */
  readonly origin: string;
}

/** What tests put in place of clock, chance and network. */
export interface FetcherSettings extends GuardedFetchSettings {
  /** Monotonic, in milliseconds. */
  readonly clock?: () => number;
  /** From 0 to 1. */
  readonly random?: () => number;
}

interface Target {
  readonly url: URL;
  readonly breaker: CircuitBreaker;
}

/** Most hosts whose failures are remembered; the one not asked for longest is forgotten first. */
const maxHosts = 1_000;

/** The host itself failed. Other failures are an answer of a host that is well, or not about the host. */
const unwell: ReadonlySet<FetchFailure> = new Set(['dns', 'connect', 'tls', 'timeout', 'reset', 'not-http', 'failed']);
const answered: ReadonlySet<FetchFailure> = new Set(['redirect', 'content-type', 'too-large']);

/**
 * Fetches revocation data. URLs come out of certificates, so each may be an attempt to make this server send requests where
 * its author cannot: see {@link checkRevocationUrl}, {@link HostRules} and {@link GuardedFetch} for what is refused. Slow
 * and failing hosts cost a bounded number of connections: see {@link RequestSlots} and {@link CircuitBreaker}.
 *
 * To be called for URLs of certificates with a verified path only.
 */
export class Fetcher {
  readonly #options: ReturnType<typeof resolveNetworkOptions>;
  readonly #clock: () => number;
  readonly #random: () => number;
  readonly #guarded: GuardedFetch;
  readonly #fetch: FetchFunction;
  readonly #slots: RequestSlots;
  readonly #breakers = new LRUCache<string, CircuitBreaker>({ max: maxHosts });
  readonly #underWay = new Map<FetchAttempt, Promise<unknown>>();
  #isClosed = false;

  /** @throws {TypeError} for options that are unknown or of the wrong kind; {@link RangeError} for numbers out of bounds. */
  constructor(options: NetworkOptions = {}, settings: FetcherSettings = {}) {
    this.#options = resolveNetworkOptions(options);
    this.#clock = settings.clock ?? (() => performance.now());
    this.#random = settings.random ?? Math.random;
    this.#guarded = new GuardedFetch(this.#options.hosts, settings);
    this.#fetch = this.#options.fetch ?? this.#guarded.fetch;
    this.#slots = new RequestSlots(this.#options);
  }

  /** When the last try of a question asked now must be over. */
  deadline(): number {
    return this.#clock() + this.#options.totalTimeoutMs;
  }

  /**
   * Asks once.
   *
   * @throws {FetchError}
   */
  async fetch(request: FetchRequest): Promise<FetchResult> {
    const target = this.#admit(request.url);
    const attempt = new FetchAttempt(request.signal);
    const work = this.#ask(request, target, attempt);
    this.#underWay.set(attempt, work);
    try {
      return await work;
    } finally {
      attempt.end();
      this.#underWay.delete(attempt);
    }
  }

  /** What is known of each host asked, the one asked last first. */
  health(): readonly HostHealth[] {
    return [...this.#breakers.entries()].map(([origin, breaker]) => Object.assign({ origin }, breaker.health));
  }

  /**
   * Ends every request under way, which rejects with `'closed'`, as does every later one. Resolves when no connection is
   * left.
   *
   * NOTE: a name that is being resolved cannot be called off; the system's resolver gives up by itself.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    const underWay = [...this.#underWay];
    for (const [attempt] of underWay) attempt.stop(new FetchError('closed'));
    await Promise.allSettled(underWay.map(([, work]) => work));
    this.#guarded.close();
  }

  /** What can be refused at once, for next to nothing. */
  #admit(text: string): Target {
    if (this.#isClosed) throw new FetchError('closed');
    const url = checkRevocationUrl(text);
    this.#options.hosts.check(url);
    const breaker = this.#breakerOf(url.origin);
    // Asked before the wait, so that a host that is down fills no queue, and again after it.
    if (breaker.refuses) throw new FetchError('breaker-open', { host: hostOf(url) });
    return { url, breaker };
  }

  async #ask(request: FetchRequest, { url, breaker }: Target, attempt: FetchAttempt): Promise<FetchResult> {
    const host = hostOf(url);
    const deadline = request.deadline ?? this.deadline();
    const expireIn = (ms: number): void => attempt.expireIn(ms, () => new FetchError('timeout', { host }));
    expireIn(deadline - this.#clock());
    const release = await this.#slots.take(url.origin, attempt.signal);
    try {
      const granted = Math.min(this.#options.timeoutMs, deadline - this.#clock());
      expireIn(granted);
      const exchange = (): Promise<FetchResult> => attempt.race(this.#exchange(url, request, attempt.signal));
      return await breaker.run(host, exchange, this.#diagnosis(granted));
    } finally {
      release();
    }
  }

  async #exchange(url: URL, request: FetchRequest, signal: AbortSignal): Promise<FetchResult> {
    const { method, headers = {}, body, maxOctets, contentTypes } = request;
    const host = hostOf(url);
    const isConditional = 'if-none-match' in headers || 'if-modified-since' in headers;
    try {
      signal.throwIfAborted();
      const response = await this.#fetch(url.href, {
        method,
        headers: { 'user-agent': 'peercert', ...headers, 'accept-encoding': 'identity' },
        ...(body === undefined ? {} : { body }),
        redirect: 'error',
        signal,
      });
      return await readAnswer(response, { maxOctets, contentTypes, isConditional }, host);
    } catch (error) {
      throw error instanceof FetchError ? error : new FetchError('failed', { host, ...systemCode(error) });
    }
  }

  /** A host that was given less than half of its time, because others took it, is not blamed for having been slow. */
  #diagnosis(grantedMs: number): Diagnosis {
    const { timeoutMs, totalTimeoutMs } = this.#options;
    const isFair = grantedMs >= Math.min(timeoutMs, totalTimeoutMs) / 2;
    return (error) => {
      if (!(error instanceof FetchError)) return undefined;
      const { reason, details } = error;
      if (reason === 'status') return isHostFailure(details.status) ? reason : 'well';
      if (answered.has(reason)) return 'well';
      return unwell.has(reason) && (reason !== 'timeout' || isFair) ? reason : undefined;
    };
  }

  #breakerOf(origin: string): CircuitBreaker {
    let breaker = this.#breakers.get(origin);
    if (breaker === undefined) {
      breaker = new CircuitBreaker(this.#clock, this.#random);
      this.#breakers.set(origin, breaker);
    }
    return breaker;
  }
}

/** 404 is the answer of a host that is well and does not have the one thing; many authorities share hosts. */
function isHostFailure(status = 0): boolean {
  return status >= 500 || status === 429;
}
