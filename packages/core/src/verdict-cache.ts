import { LRUCache } from 'lru-cache';
import type { ClientCertificateError } from './errors';
import type { ClientIdentity } from './identity';
import type { RevocationEvidence } from './path/acceptance';
import type { TrustStore } from './trust/trust-store';

/** What was found out about one set of presented certificates. */
export type Verdict =
  | {
      readonly identity: ClientIdentity;
      /** Undefined where nobody was asked. */
      readonly revocation?: readonly RevocationEvidence[];
      readonly refusal?: never;
    }
  | { readonly refusal: ClientCertificateError; readonly identity?: never };

/** A verdict and the span of time in which it is the verdict anyone would reach. */
export interface DatedVerdict {
  readonly verdict: Verdict;
  /** The store it was reached with. */
  readonly trust: TrustStore;
  /** Milliseconds since the Unix epoch, both included. */
  readonly validFrom: number;
  readonly validUntil: number;
  /** Milliseconds that were left of that when it was reached: a clock that is set back adds none. Default: any number. */
  readonly left?: number;
}

interface Entry extends DatedVerdict {
  /** On the monotonic clock, in milliseconds. */
  readonly staleAfter: number;
}

/** Bounds of the memory for verdicts. */
export interface VerdictCacheOptions {
  /** Identities kept, each in less than two kilobytes: an integer from 1 to 1,000,000, default 10,000. */
  readonly maxEntries?: number;
  /** Longest life of a verdict in seconds: an integer from 1 to 86,400, default 300. Expiry of a certificate ends it sooner. */
  readonly ttlSeconds?: number;
}

/** Refusals kept. Few, and apart from the identities: rubbish evicts only rubbish. */
const maxRefusals = 1_000;

/**
 * Verdicts seen before and still true. Whether time has passed is asked of two clocks: the wall clock, which certificates
 * go by, and the monotonic clock, which no correction sets back.
 */
export class VerdictCache {
  readonly #identities: LRUCache<string, Entry>;
  readonly #refusals = new LRUCache<string, Entry>({ max: maxRefusals });
  readonly #ttlMs: number;

  constructor({ maxEntries = 10_000, ttlSeconds = 300 }: VerdictCacheOptions) {
    this.#identities = new LRUCache({ max: maxEntries });
    this.#ttlMs = ttlSeconds * 1000;
  }

  /** The verdict for a key, if it was reached with this store and holds at this time. */
  find(key: string, trust: TrustStore, time: number): Verdict | undefined {
    const entry = this.#identities.get(key) ?? this.#refusals.get(key);
    if (entry?.trust !== trust) return undefined;
    const holds = entry.validFrom <= time && time <= entry.validUntil && performance.now() <= entry.staleAfter;
    return holds ? entry.verdict : undefined;
  }

  keep(key: string, dated: DatedVerdict): void {
    const { verdict, trust, validFrom, validUntil, left = Infinity } = dated;
    const staleAfter = performance.now() + Math.min(this.#ttlMs, left);
    const entry = { verdict, trust, validFrom, validUntil, staleAfter };
    // One key, one verdict: what was thought before of the same certificates is forgotten.
    if (verdict.refusal !== undefined) {
      this.#identities.delete(key);
      this.#refusals.set(key, entry);
    } else {
      if (this.#refusals.size > 0) this.#refusals.delete(key);
      this.#identities.set(key, entry);
    }
  }

  /** Forgets everything: nothing of it will be asked for again, and it would keep a replaced trust store in memory. */
  clear(): void {
    this.#identities.clear();
    this.#refusals.clear();
  }
}
