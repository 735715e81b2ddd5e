import { execFileSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  type FileContents,
  listFiles,
  listPaths,
  maxFileOctets,
  readFiles,
  readFilesAtOnce,
  UnreadableFileError,
} from '../../../packages/core/src/files';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'peercert-files-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, contents = name): string {
  const path = join(folder, name);
  writeFileSync(path, contents);
  return path;
}

const inShort = (files: readonly FileContents[]): readonly string[] =>
  files.map(({ path, bytes }) => `${path}: ${bytes.toString()}`);

/** Both ways to read, which must not differ. */
const ways: readonly (readonly [string, (paths: readonly string[]) => Promise<readonly FileContents[]>])[] = [
  ['at once', async (paths) => readFilesAtOnce(paths)],
  ['without keeping the event loop', readFiles],
];

describe('a list of paths', () => {
  it('is made of a path, a URL, or several', () => {
    expect(listPaths('x', 'a')).toEqual(['a']);
    expect(listPaths('x', pathToFileURL('/a b'))).toEqual(['/a b']);
    expect(listPaths('x', ['a', pathToFileURL('/b')])).toEqual(['a', '/b']);
    expect(listPaths('x', [])).toEqual([]);
  });

  it.each([
    ['', 'an empty string'],
    [undefined, 'undefined'],
    [null, 'null'],
    [7, '7'],
    [{ path: 'a' }, 'an object'],
    [['a', ''], 'an empty string'],
    [[['a']], 'an array'],
  ])('is not made of %p', (paths, received) => {
    expect(() => listPaths('someFunction', paths)).toThrow(
      new TypeError(`someFunction takes paths of files and folders; it received ${received}.`),
    );
  });

  it('is not made of a URL of anything but a file', () => {
    expect(() => listPaths('x', new URL('https://ca.example/ca.pem'))).toThrow('The URL must be of scheme file');
  });
});

describe.each(ways)('reading files %s', (_, read) => {
  it('goes by the order of the list, and of names in a folder', async () => {
    mkdirSync(join(folder, 'folder'));
    const paths = [write('z'), write('folder/b'), write('folder/a'), write('folder/B')];
    const [z, b, a, large] = paths as [string, string, string, string];
    expect(inShort(await read([z, join(folder, 'folder')]))).toEqual([
      `${z}: z`,
      `${large}: folder/B`,
      `${a}: folder/a`,
      `${b}: folder/b`,
    ]);
  });

  it('passes over hidden files, backups, folders and pipes in a folder, and follows symbolic links', async () => {
    write('.hidden');
    write('backup~');
    mkdirSync(join(folder, 'inner'));
    write('inner/file');
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    symlinkSync('inner/file', join(folder, 'link'));
    expect(inShort(await read([folder]))).toEqual([`${join(folder, 'link')}: inner/file`]);
  });

  it('reads nothing where there is nothing', async () => {
    await expect(read([])).resolves.toEqual([]);
    await expect(read([folder])).resolves.toEqual([]);
  });

  it.each<[string, () => string, string]>([
    ['a missing file', () => join(folder, 'missing'), 'ENOENT'],
    ['a file in a file', () => join(write('file'), 'in it'), 'ENOTDIR'],
    ['a path with NUL', () => join(folder, 'a\0b'), 'ERR_INVALID_ARG_VALUE'],
  ])('names %s, and why', async (_what, make, code) => {
    const path = make();
    const error = await read([path]).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnreadableFileError);
    expect(error).toMatchObject({ found: `no readable file at ${path}`, cause: { code } });
  });

  it('names the broken link in a folder, not the folder', async () => {
    write('good');
    symlinkSync('nowhere', join(folder, 'broken'));
    const error = await read([folder]).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ found: `no readable file at ${join(folder, 'broken')}`, cause: { code: 'ENOENT' } });
  });

  it('does not wait at a pipe, nor read a device without end', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    for (const path of [pipe, '/dev/zero']) {
      await expect(read([path])).rejects.toThrow(`found something that is no regular file at ${path}`);
    }
  });

  it('reads no file of more than 128 MiB', async () => {
    const path = write('large');
    truncateSync(path, maxFileOctets + 1);
    await expect(read([path])).rejects.toThrow(`found a file of ${maxFileOctets + 1} octets at ${path}`);
  });
});

describe('the state of files', () => {
  const stateOf = async (path: string): Promise<string> => JSON.stringify(await listFiles([path]));

  it.each<[string, (path: string) => void]>([
    ['other contents of another size', (path) => writeFileSync(path, 'longer')],
    ['another time', (path) => utimesSync(path, 1, 1)],
    [
      'another file of that name, even of the same size and time',
      (path) => {
        utimesSync(write('other', 'same'), 1, 1);
        renameSync(join(folder, 'other'), path);
      },
    ],
    ['another link', (path) => linkSync(path, `${path} too`)],
  ])('changes with %s', async (_, change) => {
    const path = write('file', 'same');
    utimesSync(path, 1, 1);
    const before = await stateOf(path);
    expect(await stateOf(path)).toBe(before);
    change(path);
    expect(await stateOf(path)).not.toBe(before);
  });

  it('of a folder changes with a file that comes or goes, and not with one that does not count', async () => {
    write('a');
    const before = await stateOf(folder);
    write('.b');
    expect(await stateOf(folder)).toBe(before);
    const added = write('b');
    expect(await stateOf(folder)).not.toBe(before);
    rmSync(added);
    expect(await stateOf(folder)).toBe(before);
  });
});
