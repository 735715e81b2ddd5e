import { resolve } from 'node:path';
import {
  type FileContents,
  type FilePaths,
  type FileState,
  listFiles,
  listPaths,
  readFilesAtOnce,
  readOneFile,
  UnreadableFileError,
} from '../files';
import { FileWatcher } from '../file-watcher';
import { checkInteger, checkOptions, describe } from '../options';
import { runAtOnce, runInSlices } from '../slices';
import type { TrustStore } from '../trust/trust-store';
import { CrlCollection } from './crl-collection';
import { CrlTextError, decodeCrls } from './crl-text';
import { type CrlRules, endOf, judgeCrls } from './crl-verdict';
import { KnownCrl } from './known-crl';
import { publishRevocationEvent, type RevocationEvent, type RevocationListener } from './revocation-event';
import type {
  RevocationAnswer,
  RevocationHealth,
  RevocationMethod,
  RevocationQuestion,
  RevocationSourceHealth,
} from './revocation-method';

/** How CRLs are judged, wherever they come from. */
export interface CrlOptions {
  /** The oldest a CRL may be, by its thisUpdate, whatever it says; and the only end of one that has no nextUpdate, which counts for nothing otherwise. Default: none. */
  readonly maxAgeSeconds?: number;
  /** How long a CRL still counts after its nextUpdate, for CAs that are late: from 0 to 2,592,000 seconds, default 0. */
  readonly expiredGraceSeconds?: number;
  /** Told of every event, in the shape also published on the diagnostics channel `peercert:revocation`. Default none. */
  readonly onEvent?: RevocationListener;
  /** The time, in milliseconds since the Unix epoch. Default `Date.now`. For tests. */
  readonly clock?: () => number;
}

/** What {@link crlFiles} takes. */
export interface CrlFilesOptions extends CrlOptions {
  /** A file, one CRL in DER or any number in PEM, a folder of such files, or several of both. */
  readonly paths: FilePaths;
  /** Seconds between two looks at the files, besides those the system asks for: from 1 to 86,400, default 30. */
  readonly pollSeconds?: number;
  /**
   * CRLs of issuers that are neither in the trust store nor among the operator's intermediates: most often the wrong file.
   * Default `'reject'`: the origin does not start.
   */
  readonly unknownIssuers?: 'reject' | 'accept';
}

/** Names of {@link CrlOptions}. */
export const crlOptionNames = ['maxAgeSeconds', 'expiredGraceSeconds', 'onEvent', 'clock'];

/** See `crlFiles` in `on-demand`, which loads this. */
export function crlFiles(options: CrlFilesOptions): RevocationMethod {
  return new CrlFiles(options);
}

/** @throws {TypeError} or {@link RangeError} */
export function resolveCrlRules({ maxAgeSeconds, expiredGraceSeconds = 0, onEvent, clock }: CrlOptions): CrlRules {
  if (maxAgeSeconds !== undefined) checkInteger('maxAgeSeconds', maxAgeSeconds, 1, 31_536_000);
  checkInteger('expiredGraceSeconds', expiredGraceSeconds, 0, 2_592_000);
  for (const [name, value] of Object.entries({ onEvent, clock })) {
    if (value !== undefined && typeof value !== 'function') {
      throw new TypeError(`${name} must be a function; it received ${describe(value)}.`);
    }
  }
  return { maxAgeSeconds, graceSeconds: expiredGraceSeconds };
}

/** One file: what it held when it last held something good, and what is wrong with it now. */
interface CrlFile {
  readonly path: string;
  readonly collection: CrlCollection;
  /** What told it from its next version when it was read last. */
  state: string | undefined;
  problem: string | undefined;
}

class CrlFiles implements RevocationMethod {
  readonly name = 'crl';
  readonly #rules: CrlRules;
  readonly #paths: readonly string[];
  readonly #unknownIssuers: 'reject' | 'accept';
  readonly #onEvent: RevocationListener | undefined;
  readonly #clock: () => number;
  readonly #files = new Map<string, CrlFile>();
  readonly #watcher: FileWatcher;
  #byIssuer: ReadonlyMap<string, readonly KnownCrl[]> = new Map();
  #revision = 0;
  /** Paths of which it is not known what files there are, and why. */
  #unlisted: ReadonlyMap<string, string> = new Map();

  constructor(options: CrlFilesOptions) {
    checkOptions('crlFiles', options, ['paths', 'pollSeconds', 'unknownIssuers', ...crlOptionNames]);
    const { pollSeconds = 30, unknownIssuers = 'reject', onEvent, clock = Date.now } = options;
    checkInteger('pollSeconds', pollSeconds, 1, 86_400);
    if (unknownIssuers !== 'reject' && unknownIssuers !== 'accept') {
      throw new TypeError("unknownIssuers must be 'reject' or 'accept'.");
    }
    this.#rules = resolveCrlRules(options);
    this.#paths = listPaths('crlFiles', options.paths).map((path) => resolve(path));
    if (this.#paths.length === 0) throw new TypeError('crlFiles needs paths; it received none.');
    this.#unknownIssuers = unknownIssuers;
    this.#onEvent = onEvent;
    this.#clock = clock;
    for (const each of this.#paths) {
      for (const { path, bytes } of readAtOnce(each)) {
        this.#files.set(path, { ...newFile(path), collection: new CrlCollection(runDecode(path, bytes)) });
      }
    }
    this.#index();
    this.#watcher = new FileWatcher({ paths: this.#paths, pollSeconds, onChange: async () => this.#reload() });
  }

  get revision(): number {
    return this.#revision;
  }

  get health(): RevocationHealth {
    const sources = [...this.#files.values()].map((file) => this.#healthOf(file));
    for (const [source, problem] of this.#unlisted) sources.push({ source, status: 'degraded', problem });
    const isOk = sources.every(({ status }) => status === 'ok');
    return { method: this.name, status: isOk ? 'ok' : 'degraded', sources };
  }

  checkTrust(trust: TrustStore): void {
    const issuers = [...trust.anchors, ...trust.intermediates];
    for (const known of this.#crls()) {
      const { crl, source } = known;
      const named = issuers.filter(({ subjectKey }) => subjectKey === crl.issuerKey);
      if (named.length === 0 && this.#unknownIssuers === 'reject') {
        throw new TypeError(
          `crlFiles: ${source} has a CRL of an issuer that is not in the trust store. If clients send the certificate of ` +
            'that issuer, put it among the intermediates of the store.',
        );
      }
      if (named.length > 0 && !named.some((issuer) => known.isSignedByAtOnce(issuer))) {
        throw new TypeError(`crlFiles: ${source} has a CRL that its issuer in the trust store did not sign.`);
      }
    }
  }

  ask(question: RevocationQuestion): RevocationAnswer | Promise<RevocationAnswer> {
    return judgeCrls(question, this.#byIssuer.get(question.certificate.issuerKey) ?? [], this.#rules);
  }

  async close(): Promise<void> {
    await this.#watcher.close();
  }

  /** @returns whether all that was there could be read: otherwise the watcher tells again after its next look. */
  async #reload(): Promise<boolean> {
    const states = await this.#list();
    let isRead = this.#unlisted.size === 0;
    for (const state of states.values()) if (!(await this.#reloadFile(state))) isRead = false;
    for (const file of this.#files.values()) {
      if (states.has(file.path)) continue;
      if (await this.#isOver(file, states)) this.#drop(file);
      else {
        // Whatever comes back is read, even if it is just as it was.
        file.state = undefined;
        this.#note(file, 'no file');
        isRead = false;
      }
    }
    return isRead;
  }

  /** The files that are there. Each path by itself: one that is missing must not keep others from being taken. */
  async #list(): Promise<ReadonlyMap<string, FileState>> {
    const states = new Map<string, FileState>();
    const unlisted = new Map<string, string>();
    for (const path of this.#paths) {
      try {
        for (const file of await listFiles([path])) states.set(file.path, file);
      } catch (error) {
        if (!this.#files.has(path)) unlisted.set(path, messageOf(error));
      }
    }
    // A folder with something unreadable in it cannot be listed, but the files known from it may be there.
    for (const path of this.#files.keys()) {
      if (states.has(path)) continue;
      const [file] = await listFiles([path]).catch(() => []);
      if (file?.path === path) states.set(path, file);
    }
    this.#noteUnlisted(unlisted);
    return states;
  }

  #noteUnlisted(unlisted: ReadonlyMap<string, string>): void {
    const before = this.#unlisted;
    this.#unlisted = unlisted;
    for (const [path, problem] of unlisted) if (before.get(path) !== problem) this.#tell('refused', path, problem);
    for (const path of before.keys()) if (!unlisted.has(path)) this.#tell('recovered', path);
  }

  async #reloadFile({ path, state }: FileState): Promise<boolean> {
    const file = this.#files.get(path) ?? newFile(path);
    if (file.state === state) return true;
    this.#files.set(path, file);
    try {
      const bytes = await readOneFile(path);
      // What is wrong with its contents stays wrong until it changes.
      file.state = state;
      const crls = await runInSlices(decodeCrls(bytes));
      const found = crls.map((crl) => new KnownCrl(crl, path));
      const before = file.collection.crls;
      const problem = await file.collection.replace(found, this.#clock() - this.#rules.graceSeconds * 1000);
      this.#use(file.collection.crls, before);
      this.#note(file, problem);
    } catch (error) {
      this.#note(file, messageOf(error));
      return !(error instanceof UnreadableFileError);
    }
    return true;
  }

  /** In use first, and then told of. */
  #use(crls: readonly KnownCrl[], before: readonly KnownCrl[]): void {
    if (crls.length === before.length && crls.every((known) => before.includes(known))) return;
    this.#index();
    this.#revision += 1;
    const isNew = (known: KnownCrl): boolean => !before.includes(known) && !known.isDoubtful;
    for (const known of crls.filter(isNew)) this.#tellOfReplacement(known);
  }

  /** Whether a file that is gone from its folder held nothing that still counts, or is in another file by now. */
  async #isOver({ path, collection }: CrlFile, states: ReadonlyMap<string, FileState>): Promise<boolean> {
    if (this.#unlisted.size > 0 || this.#paths.includes(path)) return false;
    const others = [...this.#files.values()]
      .filter((file) => states.has(file.path))
      .flatMap((file) => file.collection.crls);
    for (const known of collection.crls) {
      if (endOf(known, this.#rules) >= this.#clock() && !(await isFollowed(known, others))) return false;
    }
    return true;
  }

  #drop(file: CrlFile): void {
    this.#files.delete(file.path);
    this.#use([], file.collection.crls);
    if (file.problem !== undefined) this.#tell('recovered', file.path);
  }

  #note(file: CrlFile, problem: string | undefined): void {
    if (file.problem === problem) return;
    file.problem = problem;
    if (problem === undefined) this.#tell('recovered', file.path);
    else this.#tell('refused', file.path, problem);
  }

  #healthOf({ path, collection: { crls }, problem }: CrlFile): RevocationSourceHealth {
    const [newest] = crls;
    const isOver = newest !== undefined && endOf(newest, this.#rules) < this.#clock();
    const wrong = problem ?? (isOver ? 'the time of the CRL is over' : undefined);
    return {
      source: path,
      status: wrong === undefined ? 'ok' : 'degraded',
      ...(wrong !== undefined && { problem: wrong }),
      ...(newest !== undefined && {
        thisUpdate: new Date(newest.crl.thisUpdate),
        ...(newest.crl.nextUpdate !== undefined && { nextUpdate: new Date(newest.crl.nextUpdate) }),
        entries: newest.crl.entryCount,
      }),
    };
  }

  #tellOfReplacement({ crl, source }: KnownCrl): void {
    this.#tell('replaced', source, undefined, {
      'clientcert.revocation.entries': crl.entryCount,
      'clientcert.crl.this_update': new Date(crl.thisUpdate).toISOString(),
      ...(crl.nextUpdate !== undefined && { 'clientcert.crl.next_update': new Date(crl.nextUpdate).toISOString() }),
    });
  }

  #tell(
    what: 'replaced' | 'refused' | 'recovered',
    source: string,
    problem?: string,
    about: Partial<RevocationEvent> = {},
  ): void {
    const event: RevocationEvent = {
      'event.name': `clientcert.revocation.${what}`,
      'clientcert.revocation.method': 'crl',
      'clientcert.revocation.source': source,
      ...(problem !== undefined && { 'error.message': problem }),
      ...about,
    };
    publishRevocationEvent(event, this.#onEvent);
  }

  #crls(): readonly KnownCrl[] {
    return [...this.#files.values()].flatMap(({ collection }) => collection.crls);
  }

  #index(): void {
    const byIssuer = new Map<string, KnownCrl[]>();
    for (const known of this.#crls()) {
      const same = byIssuer.get(known.crl.issuerKey);
      if (same === undefined) byIssuer.set(known.crl.issuerKey, [known]);
      else same.push(known);
    }
    this.#byIssuer = byIssuer;
  }
}

function readAtOnce(path: string): readonly FileContents[] {
  let files: readonly FileContents[];
  try {
    files = readFilesAtOnce([path]);
  } catch (error) {
    throw new TypeError(`crlFiles: ${messageOf(error)}.`, { cause: error });
  }
  if (files.length === 0) throw new TypeError(`crlFiles: found no file in ${path}.`);
  return files;
}

function newFile(path: string): CrlFile {
  return { path, collection: new CrlCollection([]), state: undefined, problem: undefined };
}

function runDecode(path: string, bytes: Buffer): readonly KnownCrl[] {
  try {
    return runAtOnce(decodeCrls(bytes)).map((crl) => new KnownCrl(crl, path));
  } catch (error) {
    if (!(error instanceof CrlTextError)) throw error;
    throw new TypeError(`crlFiles: ${path}: ${error.message}.`, { cause: error });
  }
}

/** Whether one of others is the same, or was issued later by the same key. */
async function isFollowed(known: KnownCrl, others: readonly KnownCrl[]): Promise<boolean> {
  for (const other of others) {
    if (other.isSameAs(known)) return true;
    if (other.scope !== known.scope || known.signer === undefined || known.isNewerThan(other)) continue;
    if (await other.isSignedBy(known.signer)) return true;
  }
  return false;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : describe(error);
}
