import { type FSWatcher, readlinkSync, statSync, watch } from 'node:fs';
import { dirname, join, parse, resolve, sep } from 'node:path';
import { listFiles } from './files';

export interface FileWatcherOptions {
  /** Files and folders. */
  readonly paths: readonly string[];
  /**
   * Told that something may have changed; told again only when this is done. Answers `false` where the files could not be
   * read, and is then told again after the next look, as it is when it throws. The first look tells in any case.
   */
  readonly onChange: () => Promise<unknown>;
  /** Seconds between two looks at the files themselves, whatever the system tells. */
  readonly pollSeconds: number;
}

/** Milliseconds without an event after which a change counts as done, and the longest to wait for that. */
const settleMs = 100;
const maxSettleMs = 1_000;

/** Seconds between two looks where the system tells nothing. */
const fallbackPollSeconds = 2;

/**
 * Watches files and folders by way of the folders they lie in, so that a file may be replaced by another, as editors and
 * Kubernetes do. Looks at the files from time to time as well: network file systems tell nothing, and a system runs out of
 * watches. Keeps no process alive.
 */
export class FileWatcher {
  readonly #options: FileWatcherOptions;
  #watchers: readonly FSWatcher[] = [];
  #isComplete = true;
  #closed = false;
  #firstEvent: number | undefined;
  #settling: NodeJS.Timeout | undefined;
  #polling: NodeJS.Timeout | undefined;
  /** The files as they were before they were last told of. */
  #seen: string | undefined;
  #isRead = true;
  #mustTell = false;
  #telling: Promise<void> | undefined;

  constructor(options: FileWatcherOptions) {
    this.#options = options;
    this.#watchFolders();
    this.#pollLater();
  }

  /** `'polling'` where the system does not tell of every change, and the files are looked at every two seconds instead. */
  get mode(): 'events' | 'polling' {
    return this.#isComplete ? 'events' : 'polling';
  }

  /** Stops. What was under way is done when this is. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#settling);
    clearTimeout(this.#polling);
    this.#unwatch();
    await this.#telling;
  }

  #unwatch(): void {
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
  }

  /**
   * Always anew: a folder that was replaced by another has its name, and maybe its number in the file system. Whoever calls
   * this looks at the files afterwards, so that nothing is lost with the old watches.
   */
  #watchFolders(): void {
    if (this.#closed) return;
    const wasComplete = this.#isComplete;
    this.#unwatch();
    this.#isComplete = true;
    this.#watchers = [...foldersOf(this.#options.paths)].flatMap((folder) => this.#watchFolder(folder) ?? []);
    if (this.#isComplete !== wasComplete) this.#pollLater();
  }

  #watchFolder(folder: string): FSWatcher | undefined {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#settle());
      return watcher.on('error', () => {
        watcher.close();
        this.#isComplete = false;
        this.#pollLater();
      });
    } catch {
      // No watches left, no permission, no folder: the files are looked at more often instead.
      this.#isComplete = false;
      return undefined;
    }
  }

  /** Waits until nothing has happened for a while, but not for ever. */
  #settle(): void {
    if (this.#closed) return;
    const now = performance.now();
    this.#firstEvent ??= now;
    clearTimeout(this.#settling);
    const wait = Math.max(0, Math.min(settleMs, this.#firstEvent + maxSettleMs - now));
    this.#settling = setTimeout(() => {
      this.#firstEvent = undefined;
      void this.#tell();
    }, wait).unref();
  }

  #pollLater(): void {
    clearTimeout(this.#polling);
    if (this.#closed) return;
    const { pollSeconds } = this.#options;
    const seconds = this.#isComplete ? pollSeconds : Math.min(pollSeconds, fallbackPollSeconds);
    this.#polling = setTimeout(() => void this.#poll(), seconds * 1000).unref();
  }

  async #poll(): Promise<void> {
    // First: a folder that was missing, or is another one now, is watched from here on.
    this.#watchFolders();
    const state = await stateOf(this.#options.paths);
    if (state !== this.#seen || !this.#isRead) await this.#tell();
    this.#pollLater();
  }

  /** Tells, or once more when the telling under way is done. */
  async #tell(): Promise<void> {
    if (this.#closed) return;
    this.#mustTell = true;
    this.#telling ??= this.#tellAll();
    await this.#telling;
  }

  async #tellAll(): Promise<void> {
    while (this.#mustTell && !this.#closed) {
      this.#mustTell = false;
      this.#watchFolders();
      // Before they are read: what is written meanwhile shows in the next look.
      this.#seen = await stateOf(this.#options.paths);
      this.#isRead = await this.#tellOnce();
    }
    this.#telling = undefined;
  }

  async #tellOnce(): Promise<boolean> {
    try {
      return (await this.#options.onChange()) !== false;
    } catch {
      // Its own matter: whoever is told of a change says itself what becomes of it.
      return false;
    }
  }
}

/** Every file with what tells it from its next version; of what cannot be read, why. */
async function stateOf(paths: readonly string[]): Promise<string> {
  try {
    const files = await listFiles(paths);
    return files.map(({ state }) => state).join('\n');
  } catch (error) {
    return String(error);
  }
}

/** Folders in which a change shows. */
function foldersOf(paths: readonly string[]): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const path of paths) addFolders(folders, path, maxSymbolicLinks);
  return folders;
}

/** As many as Linux follows. */
const maxSymbolicLinks = 40;

/** Adds the folder a path leads to, if it is one, that in which it lies, and that of each symbolic link on the way. */
function addFolders(folders: Set<string>, path: string, linksLeft: number): void {
  const { root } = parse(resolve(path));
  const names = resolve(path).slice(root.length).split(sep);
  let walked = root;
  for (const [index, name] of names.entries()) {
    const target = linkTarget(join(walked, name));
    if (target !== undefined && linksLeft > 0) {
      folders.add(walked);
      addFolders(folders, resolve(walked, target, ...names.slice(index + 1)), linksLeft - 1);
      return;
    }
    walked = join(walked, name);
  }
  folders.add(dirname(walked));
  if (isFolder(walked)) folders.add(walked);
}

/** What a symbolic link says; undefined for anything else. */
function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    // Not there now: the folder in which it lies tells when it comes.
    return false;
  }
}
