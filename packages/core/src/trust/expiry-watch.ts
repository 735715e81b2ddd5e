import type { Certificate } from '../x509/certificate';
import { expiryThresholdOf, type ExpiryThreshold, trustEndsAt } from './expiry';
import type { TrustStore } from './trust-store';

/** Milliseconds between two looks. */
const lookMs = 3_600_000;

export interface ExpiryWatchOptions {
  readonly store: () => TrustStore;
  /**
   * Told of each threshold once, and of the end once.
   *
   * @param days - The threshold; undefined when the time has passed.
   */
  readonly tell: (anchor: Certificate, ends: Date, days: ExpiryThreshold | undefined) => void;
  /** Milliseconds since the Unix epoch. */
  readonly clock: () => number;
}

/** Looks from time to time at when trust in the anchors of a store ends. Keeps no process alive. */
export class ExpiryWatch {
  readonly #options: ExpiryWatchOptions;
  readonly #timer: NodeJS.Timeout;
  /** Thresholds told of, for each anchor by its SHA-256. */
  #told: ReadonlyMap<string, Set<ExpiryThreshold | undefined>> = new Map();
  #closed = false;

  constructor(options: ExpiryWatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.look(), lookMs).unref();
    // Whoever makes the store gets to listen first.
    queueMicrotask(() => this.look());
  }

  /** Looks now. Of several thresholds that have passed meanwhile, the last is told of. */
  look(): void {
    if (this.#closed) return;
    const { store: current, tell, clock } = this.#options;
    const store = current();
    const time = clock();
    const told = new Map<string, Set<ExpiryThreshold | undefined>>();
    for (const anchor of [...store.anchors, ...store.pinnedEndEntities]) {
      const ends = trustEndsAt(store, anchor);
      const days = expiryThresholdOf(ends, time);
      if (days === undefined && time <= ends) continue;
      const ofAnchor = this.#told.get(anchor.sha256) ?? new Set();
      told.set(anchor.sha256, ofAnchor);
      if (ofAnchor.has(days)) continue;
      ofAnchor.add(days);
      tell(anchor, new Date(ends), days);
    }
    // Of anchors that are gone, or far from their end again, nothing need be kept.
    this.#told = told;
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
  }
}
