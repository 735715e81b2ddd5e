import { createHash } from 'node:crypto';
import { absolutePaths, type FileContents, type FilePaths, readFiles } from '../files';
import { FileWatcher } from '../file-watcher';
import { checkOptions } from '../options';
import { runAtOnce, runInSlices } from '../slices';
import type { Certificate } from '../x509/certificate';
import { type AnchorConstraints, type ResolvedConstraints, resolveConstraints } from './anchor-constraints';
import { AnchorUse } from './anchor-use';
import { asUnreadable, certificatesOf, readTrustFiles, reuseCertificates } from './bundle';
import { checkReloadingOptions, checkSeconds, type ReloadingOptions, reloadingOptionNames } from './reloading-options';
import { type LoadedTrust, ReloadingTrustStore } from './reloading-trust-store';
import { TrustStore, type TrustStoreParts } from './trust-store';
import { TrustStoreError } from './trust-store-error';

/** Files of anchors that are held to something of their own. */
export interface AnchorFiles {
  /** A file, a folder, or several of both. */
  readonly paths: FilePaths;
  /** What every anchor in these files is held to. */
  readonly constraints: AnchorConstraints;
}

/** What {@link watchTrustStore} takes. */
export interface WatchTrustStoreOptions extends ReloadingOptions {
  /**
   * Files of anchors: a file of PEM, or one certificate in DER, a folder, or several of both, each by itself or with what
   * its anchors are held to. Of a folder every file counts but those whose names begin with a dot or end with `~`.
   */
  readonly anchors: FilePaths | AnchorFiles | readonly (string | URL | AnchorFiles)[];
  /** Files of intermediates of the operator, which complete paths and are not trusted. Default none. */
  readonly intermediates?: FilePaths;
  /** Files of end-entity certificates that are trusted as they are, without a path. Default none. */
  readonly pinnedEndEntities?: FilePaths;
  /** Seconds between two looks at the files, besides those the system asks for: from 1 to 86,400, default 30. */
  readonly pollSeconds?: number;
}

const optionNames = ['anchors', 'intermediates', 'pinnedEndEntities', 'pollSeconds', ...reloadingOptionNames];

/** See `watchTrustStore` in `on-demand`, which loads this. */
export function watchTrustStore(options: WatchTrustStoreOptions): ReloadingTrustStore {
  checkOptions('watchTrustStore', options, optionNames);
  checkReloadingOptions(options);
  const { pollSeconds = 30 } = options;
  checkSeconds('pollSeconds', pollSeconds);
  const groups = groupsOf(options);
  const use = new AnchorUse();
  const read = groups.map((group) => ({ group, files: readTrustFiles(group.paths) }));
  const version = runAtOnce(versionOf(read));
  const store = runAtOnce(assemble(read, undefined, 1, use));
  return new ReloadingTrustStore({ store, version }, options, (reloading) => {
    const watcher = new FileWatcher({
      paths: groups.flatMap(({ paths }) => paths),
      pollSeconds,
      onChange: async () => {
        await reloading.reload();
        return wasRead(reloading.health.error);
      },
    });
    return {
      load: async (current, generation) => load(groups, current, generation, use),
      noticedBy: () => watcher.mode,
      close: async () => watcher.close(),
    };
  });
}

/** Whether what was found was judged. Files that could not be read may be readable without having changed. */
function wasRead(error: Error | undefined): boolean {
  return error === undefined || (error instanceof TrustStoreError && error.code !== 'ERR_TRUST_STORE_UNREADABLE');
}

async function load(
  groups: readonly Group[],
  current: LoadedTrust,
  generation: number,
  use: AnchorUse,
): Promise<LoadedTrust | undefined> {
  const read: ReadGroup[] = [];
  for (const group of groups) read.push({ group, files: await readTrustFilesLater(group.paths) });
  const version = await runInSlices(versionOf(read));
  if (version === current.version) return undefined;
  return { store: await runInSlices(assemble(read, current.store, generation, use)), version };
}

/** Files that are read and used alike. */
interface Group {
  readonly role: 'anchors' | 'intermediates' | 'pinnedEndEntities';
  readonly paths: readonly string[];
  readonly constraints: ResolvedConstraints | undefined;
}

interface ReadGroup {
  readonly group: Group;
  readonly files: readonly FileContents[];
}

interface DecodedGroup {
  readonly group: Group;
  readonly certificates: readonly Certificate[];
}

function groupsOf({ anchors, intermediates, pinnedEndEntities }: WatchTrustStoreOptions): readonly Group[] {
  const owner = 'watchTrustStore';
  // Absolute, whatever the process does to its working directory later.
  const absolute = (paths: unknown): readonly string[] => absolutePaths(owner, paths);
  const given: readonly unknown[] = Array.isArray(anchors) ? anchors : [anchors];
  const groups: Group[] = given.map((one) => {
    if (typeof one !== 'object' || one === null || one instanceof URL) {
      return { role: 'anchors', paths: absolute(one), constraints: undefined };
    }
    checkOptions('anchors', one, ['paths', 'constraints']);
    const { paths, constraints } = one as AnchorFiles;
    return { role: 'anchors', paths: absolute(paths), constraints: resolveConstraints(constraints) };
  });
  if (intermediates !== undefined) {
    groups.push({ role: 'intermediates', paths: absolute(intermediates), constraints: undefined });
  }
  if (pinnedEndEntities !== undefined) {
    groups.push({ role: 'pinnedEndEntities', paths: absolute(pinnedEndEntities), constraints: undefined });
  }
  if (groups.every(({ paths }) => paths.length === 0))
    throw new TypeError('watchTrustStore needs anchors, paths of files.');
  return groups;
}

async function readTrustFilesLater(paths: readonly string[]): Promise<readonly FileContents[]> {
  try {
    return await readFiles(paths);
  } catch (error) {
    throw asUnreadable(error);
  }
}

function* assemble(
  read: readonly ReadGroup[],
  inUse: TrustStore | undefined,
  generation: number,
  use: AnchorUse,
): Generator<void, TrustStore, void> {
  const decoded: DecodedGroup[] = [];
  for (const { group, files } of read) {
    for (const file of files) {
      decoded.push({ group, certificates: yield* reuseCertificates(yield* certificatesOf(file), inUse) });
    }
  }
  const parts = partsOf(decoded);
  yield;
  return TrustStore.assemble(parts, generation, use);
}

function partsOf(groups: readonly DecodedGroup[]): TrustStoreParts {
  const of = (role: Group['role']): readonly DecodedGroup[] => groups.filter(({ group }) => group.role === role);
  return {
    anchors: of('anchors').flatMap(({ group: { constraints }, certificates }) => {
      return certificates.map((certificate) => ({ certificate, constraints }));
    }),
    intermediates: of('intermediates').flatMap(({ certificates }) => certificates),
    pinnedEndEntities: of('pinnedEndEntities').flatMap(({ certificates }) => certificates),
  };
}

/** A digest over everything that was read, names of files included. Yields now and then. */
function* versionOf(groups: readonly ReadGroup[]): Generator<void, string, void> {
  const digest = createHash('sha256');
  for (const { group, files } of groups) {
    for (const { path, bytes } of files) {
      digest.update(`${group.role}:${path}:${bytes.length}:`);
      for (let at = 0; at < bytes.length; at += octetsInOneGo) {
        digest.update(bytes.subarray(at, at + octetsInOneGo));
        yield;
      }
    }
  }
  return digest.digest('hex');
}

/** Octets that are digested in less than a millisecond, more or less. */
const octetsInOneGo = 1_048_576;
