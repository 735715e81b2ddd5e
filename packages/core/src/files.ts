import { readdirSync, readFileSync, type Stats, statSync, promises } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe } from './options';

/** A file, a folder, or several of both. Of a folder every file counts, but see {@link isPassedOver}. */
export type FilePaths = string | URL | readonly (string | URL)[];

/** One file as it was read. */
export interface FileContents {
  readonly path: string;
  readonly bytes: Buffer;
}

/** A larger file is not read: 128 MiB, a CRL of a million entries in PEM and as much again. */
export const maxFileOctets = 128 * 1024 * 1024;

/** A file or folder that cannot be read; `found` says which, for the operator. See `cause`. */
export class UnreadableFileError extends Error {
  constructor(
    readonly found: string,
    options?: ErrorOptions,
  ) {
    super(`found ${found}`, options);
  }
}

/**
 * The paths in a list, whatever was given.
 *
 * @throws {TypeError} for anything else, and for an empty path.
 */
export function listPaths(owner: string, paths: unknown): readonly string[] {
  return (Array.isArray(paths) ? (paths as readonly unknown[]) : [paths]).map((path) => {
    if (path instanceof URL) return fileURLToPath(path);
    if (typeof path === 'string' && path !== '') return path;
    const received = path === '' ? 'an empty string' : describe(path);
    throw new TypeError(`${owner} takes paths of files and folders; it received ${received}.`);
  });
}

/** The same as {@link listPaths}, made absolute: the process may go to another folder, and these stay where they are. */
export function absolutePaths(owner: string, paths: unknown): readonly string[] {
  return listPaths(owner, paths).map((path) => resolve(path));
}

/**
 * Reads files and the files of folders, in the order of the list and then of their names.
 *
 * @throws {UnreadableFileError} naming the file.
 */
export function readFilesAtOnce(paths: readonly string[]): readonly FileContents[] {
  return paths.flatMap((path) => {
    const stats = naming(path, () => statSync(path));
    if (!stats.isDirectory()) return [readOneAtOnce(path, stats)];
    return naming(path, () => namesThatCount(readdirSync(path))).flatMap((name) => {
      const file = join(path, name);
      const inFolder = naming(file, () => statSync(file));
      return inFolder.isFile() ? [readOneAtOnce(file, inFolder)] : [];
    });
  });
}

/** The same without keeping the event loop. */
export async function readFiles(paths: readonly string[]): Promise<readonly FileContents[]> {
  const contents: FileContents[] = [];
  // One after the other: the next one waits rather than two large files being in memory at once.
  for (const { path } of await listFiles(paths)) contents.push({ path, bytes: await readOneFile(path) });
  return contents;
}

/**
 * Reads one file.
 *
 * @throws {UnreadableFileError}
 */
export async function readOneFile(path: string): Promise<Buffer> {
  checkReadable(path, await promises.stat(path).catch((error: unknown) => fail(path, error)));
  return promises.readFile(path).catch((error: unknown) => fail(path, error));
}

/** What tells a file from its next version, without reading it. */
export interface FileState {
  readonly path: string;
  readonly size: number;
  readonly state: string;
}

/**
 * The files that count now. Symbolic links are followed.
 *
 * @throws {UnreadableFileError} naming the file.
 */
export async function listFiles(paths: readonly string[]): Promise<readonly FileState[]> {
  const files: FileState[] = [];
  for (const path of paths) {
    const stats = await promises.stat(path).catch((error: unknown) => fail(path, error));
    if (!stats.isDirectory()) files.push(stateOf(path, stats));
    else for (const file of await listFolder(path)) files.push(file);
  }
  return files;
}

async function listFolder(folder: string): Promise<readonly FileState[]> {
  const names = await promises.readdir(folder).catch((error: unknown) => fail(folder, error));
  const files: FileState[] = [];
  for (const name of namesThatCount(names)) {
    const path = join(folder, name);
    const stats = await promises.stat(path).catch((error: unknown) => fail(path, error));
    if (stats.isFile()) files.push(stateOf(path, stats));
  }
  return files;
}

function stateOf(path: string, { size, mtimeMs, ctimeMs, ino }: Stats): FileState {
  return { path, size, state: `${path}:${size}:${mtimeMs}:${ctimeMs}:${ino}` };
}

function namesThatCount(names: readonly string[]): readonly string[] {
  return names.filter((name) => !isPassedOver(name)).toSorted();
}

/** Hidden files, among them those by which Kubernetes swaps a volume, and backups of editors. */
function isPassedOver(name: string): boolean {
  return name.startsWith('.') || name.endsWith('~');
}

function readOneAtOnce(path: string, stats: Stats): FileContents {
  checkReadable(path, stats);
  return { path, bytes: naming(path, () => readFileSync(path)) };
}

/** A pipe or a device may have no end, or no beginning. */
function checkReadable(path: string, stats: Stats): void {
  if (!stats.isFile()) throw new UnreadableFileError(`something that is no regular file at ${path}`);
  if (stats.size > maxFileOctets) throw new UnreadableFileError(`a file of ${stats.size} octets at ${path}`);
}

function naming<Result>(path: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    return fail(path, error);
  }
}

function fail(path: string, error: unknown): never {
  throw new UnreadableFileError(`no readable file at ${path}`, { cause: error });
}
