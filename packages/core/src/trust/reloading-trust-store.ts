import { checkOptions, describe } from '../options';
import { type ReloadHealth, Reloading } from '../reloading';
import { runAtOnce, runInSlices } from '../slices';
import type { Certificate } from '../x509/certificate';
import { ExpiryWatch } from './expiry-watch';
import type { InspectOptions, TrustReport } from './inspection';
import type { ReloadingOptions } from './reloading-options';
import { callListener, publishTrustEvent, type TrustEvent, type TrustListener } from './trust-event';
import type { TrustStore } from './trust-store';
import { TrustStoreError } from './trust-store-error';

/** How a reloading trust store is doing. Plain data. */
export interface TrustHealth extends ReloadHealth {
  /** SHA-256 of the anchors in use, see `TrustStore.sha256`. */
  readonly sha256: string;
  /** How changes are noticed: the system tells, or somebody looks from time to time. */
  readonly noticedBy: 'events' | 'polling' | 'nobody';
}

/** @internal A store and what tells the source of it from the next version. */
export interface LoadedTrust {
  readonly store: TrustStore;
  readonly version: string | TrustStore;
}

/** A store with what the next one is compared by. */
interface Snapshot extends LoadedTrust {
  readonly digests: ReadonlySet<string>;
}

/** @internal Where stores come from, and what tells of new ones. */
export interface TrustOrigin {
  /** The next store; undefined for the same again. */
  readonly load: (current: LoadedTrust, generation: number) => Promise<LoadedTrust | undefined>;
  readonly noticedBy: () => 'events' | 'polling';
  readonly close: () => Promise<void>;
}

/** Milliseconds after which a store that lacks anchors of the last one is read again: it may be half written. */
const shrinkSettleMs = 1_000;

/** So often a store that is another one each time is read, before it is refused. */
const maxReadings = 10;

/**
 * A trust store that is replaced while the origin serves: made by `watchTrustStore` or `loadTrustStore`. `current` is an
 * immutable snapshot; a new one takes its place in one assignment, or is refused, and then the last good one stays.
 */
export class ReloadingTrustStore {
  readonly #name: string;
  readonly #clock: () => number;
  readonly #required: readonly string[];
  readonly #maxShrink: number;
  readonly #onEvent: TrustListener | undefined;
  readonly #origin: TrustOrigin;
  readonly #reloading: Reloading<Snapshot>;
  readonly #listeners = new Set<(store: TrustStore) => unknown>();
  readonly #expiry: ExpiryWatch;
  #mayShrink = false;
  #closed = false;
  #settling: { timer: NodeJS.Timeout; wake: () => void } | undefined;

  /** @internal */
  constructor(first: LoadedTrust, options: ReloadingOptions, makeOrigin: (store: ReloadingTrustStore) => TrustOrigin) {
    this.#name = options.name ?? 'trust';
    this.#clock = options.clock ?? Date.now;
    this.#required = (options.requiredAnchors ?? []).map((sha256) => sha256.toLowerCase());
    this.#maxShrink = options.maxShrink ?? 0.5;
    this.#onEvent = options.onEvent;
    const snapshot = runAtOnce(snapshotOf(first));
    this.#checkRequired(snapshot);
    this.#reloading = new Reloading({
      first: snapshot,
      load: (current, generation) => this.#load(current, generation),
      onReplaced: (next, previous) => this.#onReplaced(next, previous),
      onRefused: (error) => {
        this.#publish('refused', { 'error.type': codeOf(error), 'error.message': error.message });
      },
      onRecovered: () => this.#publish('recovered', {}),
      clock: this.#clock,
    });
    this.#origin = makeOrigin(this);
    this.#expiry = new ExpiryWatch({
      store: () => this.current,
      clock: this.#clock,
      tell: (anchor, ends, days) => {
        this.#publish(days === undefined ? 'anchor_expired' : 'anchor_expiring', {
          'clientcert.anchor.sha256': anchor.sha256,
          'clientcert.anchor.not_after': ends.toISOString(),
          ...(days !== undefined && { 'clientcert.anchor.days_left': days }),
        });
      },
    });
    this.#countUse();
  }

  /** The store in use now. Whoever judges takes it once, and keeps to it until the judgement is made. */
  get current(): TrustStore {
    return this.#reloading.current.store;
  }

  /** Whether the newest store is in use; if not, why. */
  get health(): TrustHealth {
    const noticedBy = this.#closed ? 'nobody' : this.#origin.noticedBy();
    return { ...this.#reloading.health, sha256: this.current.sha256, noticedBy };
  }

  /**
   * What is in the store in use, and what is wrong with it: see `TrustStore.inspect`.
   *
   * @throws {TypeError} for options that are unknown or of the wrong kind.
   */
  inspect(options: InspectOptions = {}): TrustReport {
    return this.current.inspect({ time: new Date(this.#clock()), ...options });
  }

  /**
   * Looks now, for instance when told to by a signal; never rejects: `health` says what came of it.
   *
   * A store that lacks anchors of the last one is in use only after a second reading, a second later.
   *
   * @param options.allowShrink - Takes a store this once however many anchors it has lost. Default false.
   * @returns whether another store is in use now.
   * @throws {TypeError} for options that are unknown or of the wrong kind.
   */
  async reload(options: { readonly allowShrink?: boolean } = {}): Promise<boolean> {
    checkOptions('reload', options, ['allowShrink']);
    const { allowShrink = false } = options;
    if (typeof allowShrink !== 'boolean') {
      throw new TypeError(`allowShrink must be true or false; it received ${describe(allowShrink)}.`);
    }
    // For the next reading to begin: one under way may have begun before whatever is to be allowed.
    this.#mayShrink ||= allowShrink;
    return this.#reloading.reload();
  }

  /**
   * Calls a function with each new store, after it is in use, until the function that is returned is called. What it throws
   * is a process warning.
   *
   * @throws {TypeError} for anything but a function.
   */
  subscribe(listener: (store: TrustStore) => unknown): () => void {
    if (typeof listener !== 'function') {
      throw new TypeError(`subscribe takes a function; it received ${describe(listener)}.`);
    }
    // A function of its own, so that two who subscribe the same one do not end each other.
    const own = (store: TrustStore): unknown => listener(store);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Stops looking and watching; leaves no timer and no handle. The store stays in use as it is. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#expiry.close();
    this.#wake();
    this.#listeners.clear();
    await Promise.all([this.#origin.close(), this.#reloading.close()]);
  }

  async #load(current: Snapshot, generation: number): Promise<Snapshot | undefined> {
    const mayShrink = this.#mayShrink;
    this.#mayShrink = false;
    const next = await this.#loadSettled(current, generation);
    if (next === undefined) return undefined;
    this.#checkRequired(next);
    if (!mayShrink) this.#checkShrink(current.store.size, next.store.size);
    return isSame(current.store, next.store) ? undefined : next;
  }

  /** A writer that pauses between two certificates looks like a store that lost some. Two readings in a row have to agree. */
  async #loadSettled(current: Snapshot, generation: number): Promise<Snapshot | undefined> {
    let next = await this.#loadNext(current, generation);
    for (let readings = 2; next !== undefined && missingIn(next, current).length > 0; readings++) {
      if (readings > maxReadings) {
        throw new TrustStoreError('ERR_TRUST_STORE_NOT_LOADED', { found: 'another store at each look' });
      }
      const { sha256 } = next.store;
      await this.#settle();
      if (this.#closed) return undefined;
      next = await this.#loadNext(current, generation);
      if (next?.store.sha256 === sha256) break;
    }
    return next;
  }

  async #loadNext(current: Snapshot, generation: number): Promise<Snapshot | undefined> {
    const loaded = await this.#origin.load(current, generation);
    return loaded === undefined ? undefined : runInSlices(snapshotOf(loaded));
  }

  #checkRequired({ digests }: Snapshot): void {
    const sha256 = this.#required.find((digest) => !digests.has(digest));
    if (sha256 !== undefined) {
      const found = `no certificate with SHA-256 ${sha256}`;
      throw new TrustStoreError('ERR_TRUST_STORE_ANCHOR_MISSING', { found, sha256 });
    }
  }

  #checkShrink(before: number, after: number): void {
    if ((before - after) / before > this.#maxShrink) {
      const found = `${after} of ${before} certificates left`;
      throw new TrustStoreError('ERR_TRUST_STORE_SHRUNK', { found, before, after });
    }
  }

  async #settle(): Promise<void> {
    if (this.#closed) return;
    await new Promise<void>((resolve) => {
      this.#settling = { timer: setTimeout(resolve, shrinkSettleMs).unref(), wake: resolve };
    });
    this.#settling = undefined;
  }

  #wake(): void {
    clearTimeout(this.#settling?.timer);
    this.#settling?.wake();
  }

  #onReplaced(next: Snapshot, previous: Snapshot): void {
    for (const listener of this.#listeners) callListener(listener, next.store);
    this.#publish('replaced', {
      'clientcert.trust.added': Object.freeze(missingIn(previous, next)),
      'clientcert.trust.removed': Object.freeze(missingIn(next, previous)),
    });
    this.#countUse();
    this.#expiry.look();
  }

  #countUse(): void {
    const { current } = this;
    current.use.watch([...current.anchors, ...current.pinnedEndEntities], this.#clock());
  }

  #publish(
    what: 'replaced' | 'refused' | 'recovered' | 'anchor_expiring' | 'anchor_expired',
    about: Partial<TrustEvent>,
  ): void {
    const { current } = this;
    const event: TrustEvent = {
      'event.name': `clientcert.trust.${what}`,
      'clientcert.trust.store': this.#name,
      'clientcert.trust.generation': this.#reloading.health.generation,
      'clientcert.trust.anchors': current.size,
      'clientcert.trust.sha256': current.sha256,
      ...about,
    };
    publishTrustEvent(event, this.#onEvent);
  }
}

/** Asks for all that the swap and its event need, while nobody waits. */
function* snapshotOf({ store, version }: LoadedTrust): Generator<void, Snapshot, void> {
  const digests = new Set([...store.anchors, ...store.pinnedEndEntities].map(({ sha256 }) => sha256));
  yield;
  store.sha256.charCodeAt(0);
  yield;
  return { store, version, digests };
}

/** SHA-256 of what the other has and this one has not. */
function missingIn({ digests }: Snapshot, other: Snapshot): readonly string[] {
  return [...other.digests].filter((sha256) => !digests.has(sha256));
}

/** Whether two stores are the same for whoever judges by them, as a bundle is that was written anew with another comment. */
function isSame(one: TrustStore, other: TrustStore): boolean {
  const [anchors, otherAnchors] = [one.anchors, other.anchors];
  return (
    isSameList(anchors, otherAnchors, isSameCertificate) &&
    anchors.every((anchor, index) => {
      return isSameList(one.constraintsOn(anchor), other.constraintsOn(otherAnchors[index] as Certificate), Object.is);
    }) &&
    isSameList(one.intermediates, other.intermediates, isSameCertificate) &&
    isSameList(one.pinnedEndEntities, other.pinnedEndEntities, isSameCertificate)
  );
}

function isSameList<Element>(
  one: readonly Element[],
  other: readonly Element[],
  isSameElement: (one: Element, other: Element) => boolean,
): boolean {
  return one.length === other.length && one.every((element, index) => isSameElement(element, other[index] as Element));
}

function isSameCertificate(one: Certificate, other: Certificate): boolean {
  return one === other || one.der.equals(other.der);
}

function codeOf(error: Error): string {
  return error instanceof TrustStoreError ? error.code : 'ERR_TRUST_STORE_NOT_LOADED';
}
