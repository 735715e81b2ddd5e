import { hash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { checkInteger, checkOptions, describe } from '../options';
import { Refresh } from '../refresh';
import { runInSlices } from '../slices';
import type { Certificate } from '../x509/certificate';
import { type AnchorConstraints, type ResolvedConstraints, resolveConstraints } from './anchor-constraints';
import { AnchorUse } from './anchor-use';
import { certificatesOf, reuseCertificates } from './bundle';
import { checkReloadingOptions, checkSeconds, type ReloadingOptions, reloadingOptionNames } from './reloading-options';
import { type LoadedTrust, ReloadingTrustStore } from './reloading-trust-store';
import { TrustStore, type TrustStoreParts } from './trust-store';
import { TrustStoreError } from './trust-store-error';

/** What a function that loads anchors is told. */
export interface LoadContext {
  /** Aborted when the answer comes too late to count, and when the store is closed before it comes. */
  readonly signal: AbortSignal;
  /** The store in use; undefined the first time. */
  readonly current: TrustStore | undefined;
}

/**
 * Loads anchors from wherever they are: PEM, one certificate in DER, or a store made of them. `undefined` says that nothing
 * has changed since its last answer, also where that was refused; the first answer cannot be that. `context.current` says
 * that the store in use is right.
 */
export type TrustLoader = (context: LoadContext) => Promise<string | Uint8Array | TrustStore | undefined>;

/** What {@link loadTrustStore} takes. */
export interface LoadTrustStoreOptions extends ReloadingOptions {
  /** Asked now, and again from time to time; never twice at once, unless it goes on after its signal was aborted. */
  readonly load: TrustLoader;
  /** What every anchor is held to, unless `load` answers with a store, which says so itself. */
  readonly constraints?: AnchorConstraints;
  /** Seconds between an answer and the next question, give or take a tenth: from 1 to 86,400, default 300. */
  readonly refreshSeconds?: number;
  /** Milliseconds after which an answer no longer counts: from 1 to 600,000, default 10,000. */
  readonly timeoutMs?: number;
}

const optionNames = ['load', 'constraints', 'refreshSeconds', 'timeoutMs', ...reloadingOptionNames];

/** See `loadTrustStore` in `on-demand`, which loads this. */
export async function loadTrustStore(options: LoadTrustStoreOptions): Promise<ReloadingTrustStore> {
  checkOptions('loadTrustStore', options, optionNames);
  checkReloadingOptions(options);
  const { refreshSeconds = 300, timeoutMs = 10_000 } = options;
  if (typeof options.load !== 'function') {
    throw new TypeError(`loadTrustStore needs load, a function; it received ${describe(options.load)}.`);
  }
  checkSeconds('refreshSeconds', refreshSeconds);
  checkInteger('timeoutMs', timeoutMs, 1, 600_000);
  const source = new LoadedSource(options, timeoutMs);
  const first = await source.load(undefined, 1);
  if (first === undefined) {
    throw new TrustStoreError('ERR_TRUST_STORE_NOT_LOADED', { found: 'no answer the first time' });
  }
  return new ReloadingTrustStore(first, options, (reloading) => {
    const refresh = new Refresh(refreshSeconds, async () => {
      await reloading.reload();
      return reloading.health.status === 'ok';
    });
    return {
      load: async (current, generation) => source.load(current, generation),
      noticedBy: () => 'polling',
      close: async () => {
        refresh.close();
        source.close();
      },
    };
  });
}

type Answer = Uint8Array | TrustStore;

/** The user's function, with an end to its patience. */
class LoadedSource {
  readonly #load: TrustLoader;
  readonly #constraints: ResolvedConstraints | undefined;
  readonly #timeoutMs: number;
  readonly #use = new AnchorUse();
  #asking: AbortController | undefined;
  /** What `undefined` refers to. */
  #lastAnswer: Answer | undefined;

  constructor({ load, constraints }: LoadTrustStoreOptions, timeoutMs: number) {
    this.#load = load;
    this.#constraints = constraints === undefined ? undefined : resolveConstraints(constraints);
    this.#timeoutMs = timeoutMs;
  }

  async load(current: LoadedTrust | undefined, generation: number): Promise<LoadedTrust | undefined> {
    const answer = checkAnswer(await this.#ask(current?.store)) ?? this.#lastAnswer;
    this.#lastAnswer = answer === current?.store ? undefined : answer;
    if (this.#lastAnswer === undefined) return undefined;
    const version = versionOf(this.#lastAnswer);
    if (version === current?.version) return undefined;
    const parts = await runInSlices(this.#partsOf(this.#lastAnswer, current?.store));
    await nextTurn();
    return { store: TrustStore.assemble(parts, generation, this.#use), version };
  }

  close(): void {
    this.#asking?.abort();
  }

  async #ask(current: TrustStore | undefined): Promise<unknown> {
    const asking = new AbortController();
    this.#asking = asking;
    const timer = setTimeout(() => asking.abort(), this.#timeoutMs);
    // A process that has yet to start must not end for want of anything to do before it is told why it cannot start.
    if (current !== undefined) timer.unref();
    try {
      return await Promise.race([this.#call(asking.signal, current), aborted(asking.signal)]);
    } catch (cause) {
      if (cause instanceof TrustStoreError) throw cause;
      const found = asking.signal.aborted ? 'no answer in time' : 'an error';
      throw new TrustStoreError('ERR_TRUST_STORE_NOT_LOADED', { found }, { cause });
    } finally {
      clearTimeout(timer);
      this.#asking = undefined;
    }
  }

  /** Rejects, where the function itself may throw. */
  async #call(signal: AbortSignal, current: TrustStore | undefined): Promise<unknown> {
    return this.#load({ signal, current });
  }

  *#partsOf(answer: Answer, inUse: TrustStore | undefined): Generator<void, TrustStoreParts, void> {
    const reuse = (certificates: readonly Certificate[]): ReturnType<typeof reuseCertificates> =>
      reuseCertificates(certificates, inUse);
    if (!(answer instanceof TrustStore)) {
      const decoded = yield* reuse(yield* certificatesOf({ bytes: answer }));
      const anchors = decoded.map((certificate) => ({ certificate, constraints: this.#constraints }));
      return { anchors, intermediates: [], pinnedEndEntities: [] };
    }
    const { anchors, intermediates, pinnedEndEntities } = answer.parts;
    const reused = yield* reuse(anchors.map(({ certificate }) => certificate));
    return {
      anchors: anchors.map(({ constraints }, index) => ({ certificate: reused[index] as Certificate, constraints })),
      intermediates: yield* reuse(intermediates),
      pinnedEndEntities: yield* reuse(pinnedEndEntities),
    };
  }
}

/** @returns a copy of bytes, which are the caller's to change. */
function checkAnswer(answer: unknown): Answer | undefined {
  if (answer === undefined || answer instanceof TrustStore) return answer;
  if (typeof answer === 'string' || answer instanceof Uint8Array) return Buffer.from(answer);
  const found = `${describe(answer)} where PEM, DER or a TrustStore is expected`;
  throw new TrustStoreError('ERR_TRUST_STORE_NOT_LOADED', { found });
}

function versionOf(answer: Answer): LoadedTrust['version'] {
  return answer instanceof TrustStore ? answer : hash('sha256', answer, 'hex');
}

async function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
