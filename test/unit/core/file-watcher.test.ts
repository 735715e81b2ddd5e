import fs, { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { FileWatcher, type FileWatcherOptions } from '../../../packages/core/src/file-watcher';
import { until } from '../../support/until';

let folder = '';
let watcher: FileWatcher | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'peercert-watcher-'));
});
afterEach(async () => {
  jest.restoreAllMocks();
  await watcher?.close();
  watcher = undefined;
  rmSync(folder, { recursive: true });
});

function write(name: string, contents = name): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, contents);
  return path;
}

const hourly = 3_600;

/** Watches paths, and keeps what the first of them holds each time it is told. */
function watch(paths: readonly string[], options: Partial<FileWatcherOptions> = {}): { readonly seen: string[] } {
  const seen: string[] = [];
  const look = async (): Promise<void> => {
    try {
      seen.push(readFileSync(paths[0] as string, 'utf8'));
    } catch {
      seen.push('nothing');
    }
  };
  watcher = new FileWatcher({ paths, onChange: look, pollSeconds: hourly, ...options });
  return { seen };
}

/** Makes `fs.watch` fail, as where no watches are left. */
function withoutWatches(code = 'ENOSPC'): jest.SpyInstance {
  return jest.spyOn(fs, 'watch').mockImplementation(() => {
    throw Object.assign(new Error(code), { code });
  });
}

describe('a watcher that the system tells', () => {
  it.each<[string, (path: string) => void]>([
    ['rewritten', (path) => writeFileSync(path, 'new')],
    [
      'F6: replaced by a rename',
      (path) => {
        write('temporary', 'new');
        renameSync(join(folder, 'temporary'), path);
      },
    ],
    [
      'F6: deleted and created again',
      (path) => {
        rmSync(path);
        writeFileSync(path, 'new');
      },
    ],
  ])('tells of a file that is %s', async (_, change) => {
    const path = write('file', 'old');
    const { seen } = watch([path]);
    expect(watcher?.mode).toBe('events');
    change(path);
    await until(() => seen.at(-1) === 'new');
  });

  it('F6: tells of a file that goes, and of one that comes', async () => {
    const path = write('file', 'old');
    const { seen } = watch([path]);
    rmSync(path);
    await until(() => seen.at(-1) === 'nothing');
    writeFileSync(path, 'new');
    await until(() => seen.at(-1) === 'new');
    expect(watcher?.mode).toBe('events');
  });

  it('tells of a file that comes into a folder', async () => {
    const path = join(folder, 'later');
    const { seen } = watch([path, folder]);
    writeFileSync(path, 'new');
    await until(() => seen.at(-1) === 'new');
  });

  it('F7: tells of a folder that was replaced by another of its name, and goes on telling', async () => {
    const path = write('inner/file', 'old');
    const { seen } = watch([path]);
    for (const round of ['1', '2', '3']) {
      renameSync(dirname(path), join(folder, `old-${round}`));
      write('inner/file', `replaced ${round}`);
      await until(() => seen.at(-1) === `replaced ${round}`);
      writeFileSync(path, `rewritten ${round}`);
      await until(() => seen.at(-1) === `rewritten ${round}`);
    }
    expect(watcher?.mode).toBe('events');
  });

  it('F7: tells of a folder that was deleted and made again, which may have the same number', async () => {
    const path = write('inner/file', 'old');
    const { seen } = watch([path]);
    for (const round of ['1', '2', '3']) {
      rmSync(dirname(path), { recursive: true });
      write('inner/file', `replaced ${round}`);
      await until(() => seen.at(-1) === `replaced ${round}`);
      writeFileSync(path, `rewritten ${round}`);
      await until(() => seen.at(-1) === `rewritten ${round}`);
    }
  });

  it('F5: tells of a symbolic link that leads elsewhere, wherever on the way it is', async () => {
    write('releases/1/ca/file', 'one');
    write('releases/2/ca/file', 'two');
    symlinkSync('releases/1', join(folder, 'current'));
    mkdirSync(join(folder, 'app'));
    symlinkSync('../current/ca/file', join(folder, 'app/file'));
    const { seen } = watch([join(folder, 'app/file')]);
    symlinkSync('releases/2', join(folder, 'next'));
    renameSync(join(folder, 'next'), join(folder, 'current'));
    await until(() => seen.at(-1) === 'two');
    write('releases/2/ca/file', 'two, rewritten');
    await until(() => seen.at(-1) === 'two, rewritten');
  });

  it('does not follow symbolic links in a circle for ever', async () => {
    symlinkSync('b', join(folder, 'a'));
    symlinkSync('a', join(folder, 'b'));
    const { seen } = watch([join(folder, 'a')]);
    rmSync(join(folder, 'b'));
    write('b', 'new');
    await until(() => seen.at(-1) === 'new');
  });

  it('F8: waits until nothing happens for 100 ms, but no longer than a second', async () => {
    const path = write('file', '0');
    const { seen } = watch([path]);
    const started = performance.now();
    let writes = 0;
    while (performance.now() - started < 1_800) {
      writeFileSync(path, String(++writes));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await until(() => seen.at(-1) === String(writes));
    // Once a second while it lasts, and once when it is over.
    expect(seen.length).toBeGreaterThanOrEqual(2);
    expect(seen.length).toBeLessThanOrEqual(4);
  });

  it('F8: tells once more, and not more often, of all that changes while it is telling', async () => {
    const path = write('file', 'old');
    const releases: (() => void)[] = [];
    watch([path], { onChange: async () => new Promise<void>((resolve) => releases.push(resolve)) });
    writeFileSync(path, 'new');
    await until(() => releases.length === 1);
    const started = performance.now();
    // Several settled changes, each of which would tell.
    while (performance.now() - started < 2_500) {
      writeFileSync(path, String(performance.now()));
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    expect(releases).toHaveLength(1);
    releases[0]?.();
    await until(() => releases.length === 2);
    releases[1]?.();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(releases).toHaveLength(2);
  });
});

describe('a watcher that looks for itself', () => {
  it('F7: looks every two seconds where no watch can be had, whatever it was told', async () => {
    withoutWatches();
    const path = write('file', 'old');
    const { seen } = watch([path]);
    expect(watcher?.mode).toBe('polling');
    writeFileSync(path, 'new');
    await until(() => seen.at(-1) === 'new');
  });

  it('F7: sees what changed before its first look', async () => {
    withoutWatches('EMFILE');
    const path = write('file', 'old');
    const { seen } = watch([path], { pollSeconds: 1 });
    // At once: nobody has looked at the file yet.
    writeFileSync(path, 'new');
    await until(() => seen.includes('new'), 1_900);
    const told = seen.length;
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    // Nothing has changed since.
    expect(seen).toHaveLength(told);
  });

  it('F7: goes back to watches as soon as they can be had', async () => {
    const withoutAny = withoutWatches();
    const path = write('file', 'old');
    const { seen } = watch([path], { pollSeconds: 1 });
    expect(watcher?.mode).toBe('polling');
    withoutAny.mockRestore();
    await until(() => watcher?.mode === 'events');
    writeFileSync(path, 'new');
    // Sooner than the next look.
    await until(() => seen.at(-1) === 'new', 800);
  });

  it('F7: takes up where a watch fails later on', async () => {
    const watchers: fs.FSWatcher[] = [];
    const { watch: realWatch } = fs;
    jest.spyOn(fs, 'watch').mockImplementation(((...given: Parameters<typeof realWatch>) => {
      watchers.push(realWatch(...given));
      return watchers.at(-1);
    }) as typeof realWatch);
    const path = write('file', 'old');
    const { seen } = watch([path]);
    const fake = withoutWatches();
    watchers[0]?.emit('error', new Error('EPERM'));
    expect(watcher?.mode).toBe('polling');
    writeFileSync(path, 'new');
    await until(() => seen.at(-1) === 'new');
    fake.mockRestore();
    await until(() => watcher?.mode === 'events');
  });

  it('F7: looks more often when the folder it watched is gone', async () => {
    const path = write('inner/file', 'old');
    const { seen } = watch([path]);
    rmSync(dirname(path), { recursive: true });
    await until(() => seen.at(-1) === 'nothing' && watcher?.mode === 'polling');
    write('inner/file', 'new');
    await until(() => seen.at(-1) === 'new');
    await until(() => watcher?.mode === 'events');
  });

  it.each<[string, () => Promise<boolean>]>([
    ['answers false', () => Promise.resolve(false)],
    ['throws', () => Promise.reject(new Error('EMFILE'))],
  ])('tells again of what did not change when whoever is told %s', async (_, onChange) => {
    withoutWatches();
    let told = 0;
    const path = write('file');
    watch([path], {
      pollSeconds: 1,
      onChange: async () => {
        told += 1;
        return told < 3 ? onChange() : true;
      },
    });
    await until(() => told === 3);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(told).toBe(3);
  });
});

describe('a watcher that is closed', () => {
  it('tells nothing more', async () => {
    const path = write('file', 'old');
    const { seen } = watch([path], { pollSeconds: 1 });
    writeFileSync(path, 'new');
    await watcher?.close();
    writeFileSync(path, 'newer');
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    expect(seen).toEqual([]);
  });

  it('is closed only when what was under way is done', async () => {
    const path = write('file', 'old');
    let release: (() => void) | undefined;
    watch([path], { onChange: async () => new Promise<void>((resolve) => (release = resolve)) });
    writeFileSync(path, 'new');
    await until(() => release !== undefined);
    let isClosed = false;
    const closing = watcher?.close().then(() => (isClosed = true));
    await new Promise(setImmediate);
    expect(isClosed).toBe(false);
    release?.();
    await closing;
  });

  it('F28: leaves nothing that keeps a process, and neither does one that is open', async () => {
    const before = process.getActiveResourcesInfo().filter((kind) => kind !== 'Immediate');
    const path = write('file', 'old');
    watch([path]);
    expect(process.getActiveResourcesInfo()).toEqual(before);
    await watcher?.close();
    expect(process.getActiveResourcesInfo()).toEqual(before);
  });
});
