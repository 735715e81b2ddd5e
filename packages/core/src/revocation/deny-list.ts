import { type FileContents, type FilePaths, absolutePaths, readFiles, readFilesAtOnce } from '../files';
import { FileWatcher } from '../file-watcher';
import { checkInteger, checkOptions, describe } from '../options';
import { Refresh } from '../refresh';
import { type ReloadHealth, Reloading } from '../reloading';
import { runAtOnce, runInSlices } from '../slices';
import type { Certificate } from '../x509/certificate';
import {
  type DenyListEntry,
  type DenyListEntryKind,
  keyInCertificate,
  keyOf,
  keysInText,
  kindOf,
} from './deny-list-entry';
import { publishRevocationEvent, type RevocationListener } from './revocation-event';

export type { DenyListEntry, DenyListEntryKind } from './deny-list-entry';

/** What {@link createDenyList} takes. All of it counts together. */
export interface DenyListOptions {
  /** Entries to begin with; `add` and `remove` change them. Default none. */
  readonly entries?: readonly DenyListEntry[];
  /**
   * Files in UTF-8 with one entry in a line, watched: `serial NUMBER ISSUER`, `spki-sha256 DIGEST`,
   * `subject-key-identifier ID`, `certificate-sha256 DIGEST`. Empty lines, and lines that begin with `#`, say nothing.
   * Files that had entries and are empty altogether count as damaged: leave a comment to deny nobody. Default none.
   */
  readonly files?: FilePaths;
  /**
   * Asked for entries now and again; `undefined` says that they are what they were. What it answers after ten seconds, when
   * `signal` is aborted, does not count. Default none.
   */
  readonly load?: (context: { readonly signal: AbortSignal }) => Promise<readonly DenyListEntry[] | undefined>;
  /** Seconds between two questions to `load`, give or take a tenth: from 1 to 86,400, default 60. */
  readonly refreshSeconds?: number;
  /** Seconds between two looks at the files, besides those the system asks for: from 1 to 86,400, default 30. */
  readonly pollSeconds?: number;
  /** Told of every event, in the shape also published on the diagnostics channel `peercert:revocation`. Default none. */
  readonly onEvent?: RevocationListener;
}

/** How a deny list is doing. Plain data. */
export interface DenyListHealth {
  /** `'degraded'`: files or `load` have failed, and what they said before counts. */
  readonly status: 'ok' | 'degraded';
  /** Entries in all. */
  readonly entries: number;
  /** What the files, and `load`, say. */
  readonly sources: readonly (ReloadHealth & { readonly source: 'files' | 'load' })[];
}

/** Certificates that are refused, from the next request on. Made by {@link createDenyList}. */
export interface DenyList {
  /**
   * Refuses certificates from the next request on, remembered ones included.
   *
   * @throws {TypeError} for an entry that is none.
   */
  add(entry: DenyListEntry): void;
  /**
   * Takes back an entry that was added or given; those of files and of `load` stay.
   *
   * @returns whether there was one.
   * @throws {TypeError} for an entry that is none.
   */
  remove(entry: DenyListEntry): boolean;
  /** How files and `load` are doing, and how many entries there are. */
  readonly health: DenyListHealth;
  /** Looks at files and asks `load` now; never rejects: `health` says how it went. */
  reload(): Promise<void>;
  /** Stops watching and asking; leaves no timer and no handle. What is denied stays denied. */
  close(): Promise<void>;
  /** @internal Another number after every change. */
  readonly revision: number;
  /** @internal What a certificate is denied by. */
  find(certificate: Certificate): DenyListEntryKind | undefined;
}

const optionNames = ['entries', 'files', 'load', 'refreshSeconds', 'pollSeconds', 'onEvent'];

/** Milliseconds that `load` is waited for. */
const loadTimeoutMs = 10_000;

/** See `createDenyList` in `on-demand`, which loads this. */
export function createDenyList(options: DenyListOptions = {}): DenyList {
  return new CertificateDenyList(options);
}

/** Whether {@link createDenyList} made it. */
export function isDenyList(value: unknown): value is DenyList {
  return value instanceof CertificateDenyList;
}

/** Entries as they are looked up. */
type Keys = ReadonlySet<string>;

const noKeys: Keys = new Set();

class CertificateDenyList implements DenyList {
  readonly #own: Set<string>;
  readonly #onEvent: RevocationListener | undefined;
  readonly #closing: (() => Promise<unknown> | void)[] = [];
  #files: Reloading<Keys> | undefined;
  #loaded: Reloading<Keys> | undefined;
  /** Of kinds that no entry has, nothing of a certificate need be made. */
  #kinds: Set<DenyListEntryKind> = new Set();
  #revision = 0;

  constructor(options: DenyListOptions) {
    checkOptions('createDenyList', options, optionNames);
    const { entries = [], files, load, refreshSeconds = 60, pollSeconds = 30, onEvent } = options;
    checkInteger('refreshSeconds', refreshSeconds, 1, 86_400);
    checkInteger('pollSeconds', pollSeconds, 1, 86_400);
    if (!Array.isArray(entries)) throw new TypeError(`entries must be an array; it received ${describe(entries)}.`);
    for (const [name, value] of Object.entries({ load, onEvent })) {
      if (value !== undefined && typeof value !== 'function') {
        throw new TypeError(`${name} must be a function; it received ${describe(value)}.`);
      }
    }
    this.#onEvent = onEvent;
    this.#own = new Set(runAtOnce(keysOf(entries)));
    if (files !== undefined) this.#watch(files, pollSeconds);
    if (load !== undefined) this.#ask(load, refreshSeconds);
    this.#replaced();
  }

  get revision(): number {
    return this.#revision;
  }

  get health(): DenyListHealth {
    const sources = [
      ...(this.#files === undefined ? [] : [{ source: 'files' as const, ...this.#files.health }]),
      ...(this.#loaded === undefined ? [] : [{ source: 'load' as const, ...this.#loaded.health }]),
    ];
    const isOk = sources.every(({ status }) => status === 'ok');
    return { status: isOk ? 'ok' : 'degraded', entries: this.#count(), sources };
  }

  add(entry: DenyListEntry): void {
    const key = keyOf(entry);
    if (this.#own.has(key)) return;
    this.#own.add(key);
    this.#kinds.add(kindOf(key));
    this.#revision += 1;
  }

  remove(entry: DenyListEntry): boolean {
    const was = this.#own.delete(keyOf(entry));
    if (was) this.#revision += 1;
    return was;
  }

  find(certificate: Certificate): DenyListEntryKind | undefined {
    for (const kind of this.#kinds) {
      const key = keyInCertificate(certificate, kind);
      if (key !== undefined && this.#all().some((keys) => keys.has(key))) return kind;
    }
    return undefined;
  }

  async reload(): Promise<void> {
    await Promise.all([this.#files?.reload(), this.#loaded?.reload()]);
  }

  async close(): Promise<void> {
    // Before anything is stopped: what is stopped has not failed.
    const closed = [this.#files?.close(), this.#loaded?.close()];
    await Promise.all([...this.#closing.map((close) => close()), ...closed]);
  }

  #watch(files: FilePaths, pollSeconds: number): void {
    const paths = absolutePaths('createDenyList', files);
    if (paths.length === 0) throw new TypeError('createDenyList takes paths of files and folders; it received none.');
    const first = runAtOnce(keysOfFiles(readNow(paths)));
    const reloading = this.#reloading('files', first, async (current) => {
      const contents = await readFiles(paths);
      // A full disk and a shell that redirects leave such a file.
      if (current.size > 0 && contents.every(({ bytes }) => bytes.length === 0)) {
        throw new TypeError(`The deny list ${paths.join(', ')} is empty. To deny nobody, leave a comment.`);
      }
      return runInSlices(keysOfFiles(contents));
    });
    const onChange = async (): Promise<boolean> => {
      await reloading.reload();
      return reloading.health.status === 'ok';
    };
    const watcher = new FileWatcher({ paths, pollSeconds, onChange });
    this.#files = reloading;
    this.#closing.push(async () => watcher.close());
  }

  #ask(load: NonNullable<DenyListOptions['load']>, refreshSeconds: number): void {
    let asking: AbortController | undefined;
    let isFirst = true;
    const reloading = this.#reloading('load', noKeys, async () => {
      const current = new AbortController();
      asking = current;
      const timer = setTimeout(() => current.abort(), loadTimeoutMs);
      // A process that awaits its first entries must not end for want of anything to do.
      if (!isFirst) timer.unref();
      try {
        const answer = await answerUntil(current, load);
        if (answer === undefined) return undefined;
        if (Array.isArray(answer)) return await runInSlices(keysOf(answer));
        throw new TypeError(`load must answer with entries; it answered ${describe(answer)}.`);
      } finally {
        clearTimeout(timer);
        asking = undefined;
        isFirst = false;
      }
    });
    const refresh = new Refresh(refreshSeconds, async () => {
      await reloading.reload();
      return reloading.health.status === 'ok';
    });
    refresh.now();
    this.#loaded = reloading;
    this.#closing.push(() => {
      refresh.close();
      asking?.abort();
    });
  }

  #all(): readonly Keys[] {
    return [this.#own, this.#files?.current ?? noKeys, this.#loaded?.current ?? noKeys];
  }

  #count(): number {
    const [own = noKeys, files = noKeys, loaded = noKeys] = this.#all();
    let count = own.size;
    for (const key of files) if (!own.has(key)) count += 1;
    for (const key of loaded) if (!own.has(key) && !files.has(key)) count += 1;
    return count;
  }

  #replaced(): void {
    const kinds = new Set<DenyListEntryKind>();
    for (const keys of this.#all()) for (const key of keys) kinds.add(kindOf(key));
    this.#kinds = kinds;
    this.#revision += 1;
  }

  #reloading(
    source: 'files' | 'load',
    first: Keys,
    read: (current: Keys) => Promise<Keys | undefined>,
  ): Reloading<Keys> {
    const tell = (what: 'replaced' | 'refused' | 'recovered', problem?: string): void => {
      const event = {
        'event.name': `clientcert.revocation.${what}`,
        'clientcert.revocation.method': 'deny-list',
        'clientcert.revocation.source': source,
        'clientcert.revocation.entries': this.#count(),
        ...(problem !== undefined && { 'error.message': problem }),
      } as const;
      publishRevocationEvent(event, this.#onEvent);
    };
    return new Reloading<Keys>({
      first,
      load: async (current) => {
        const keys = await read(current);
        return keys !== undefined && isSameSet(keys, current) ? undefined : keys;
      },
      onReplaced: () => {
        this.#replaced();
        tell('replaced');
      },
      onRefused: ({ message }) => tell('refused', message),
      onRecovered: () => tell('recovered'),
      clock: Date.now,
    });
  }
}

function isSameSet(one: Keys, other: Keys): boolean {
  if (one.size !== other.size) return false;
  for (const key of one) if (!other.has(key)) return false;
  return true;
}

/** @throws {TypeError} that names the file. */
function readNow(paths: readonly string[]): readonly FileContents[] {
  try {
    return readFilesAtOnce(paths);
  } catch (error) {
    throw new TypeError(`createDenyList: ${(error as Error).message}.`, { cause: error });
  }
}

function* keysOf(entries: readonly unknown[]): Generator<void, Keys, void> {
  const keys = new Set<string>();
  for (const entry of entries) {
    keys.add(keyOf(entry));
    yield;
  }
  return keys;
}

function* keysOfFiles(files: readonly FileContents[]): Generator<void, Keys, void> {
  const keys = new Set<string>();
  for (const { path, bytes } of files) for (const key of yield* keysInText(path, bytes)) keys.add(key);
  return keys;
}

/** What a function answers; rejects when it has not when the signal is aborted. */
async function answerUntil(
  { signal }: AbortController,
  ask: (context: { readonly signal: AbortSignal }) => Promise<unknown>,
): Promise<unknown> {
  const stopped = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('load did not answer in time')), { once: true });
  });
  return Promise.race([ask({ signal }), stopped]);
}
