import { EventEmitter } from 'node:events';
import fs, { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  type ReloadingTrustStore,
  type TrustEvent,
  TrustStore,
  watchTrustStore,
  type WatchTrustStoreOptions,
} from '@peercert/core';
import { createAuthority, TEST_TIME } from '@peercert/testkit';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

// A store that lost anchors is read again after a second.
jest.setTimeout(20_000);

const day = 86_400_000;
const later = { notAfter: new Date(TEST_TIME.getTime() + 3_000 * day) };
const authorities = Array.from({ length: 10 }, (_, index) =>
  createAuthority({ ...later, subject: `CN=Authority ${index}` }),
);
const [one, two, three] = authorities as [(typeof authorities)[0], (typeof authorities)[0], (typeof authorities)[0]];
const pemOf = (given: readonly { readonly pem: string }[]): string => given.map(({ pem }) => pem).join('');
const digestOf = ({ der }: { readonly der: Buffer }): string =>
  TrustStore.fromDer([der]).inspect().anchors[0]?.sha256 ?? '';

let folder = '';
let file = '';
const stores: ReloadingTrustStore[] = [];
let events: TrustEvent[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'peercert-watch-'));
  file = join(folder, 'ca.pem');
  events = [];
  // Watches that tell nothing, so that nothing comes in between.
  const silent = Object.assign(new EventEmitter(), { close: () => {} });
  jest.spyOn(fs, 'watch').mockReturnValue(silent as unknown as fs.FSWatcher);
});
afterEach(async () => {
  jest.restoreAllMocks();
  jest.useRealTimers();
  await Promise.all(stores.splice(0).map((store) => store.close()));
  rmSync(folder, { recursive: true });
});

const write = (...given: readonly { readonly pem: string }[]): void => writeFileSync(file, pemOf(given));

/** Watches `file`, or what else is asked for; finds changes by `reload()` alone. */
function watch(options: Partial<WatchTrustStoreOptions> = {}): ReloadingTrustStore {
  const store = watchTrustStore({
    anchors: file,
    pollSeconds: 86_400,
    clock: () => TEST_TIME.getTime(),
    onEvent: (event) => events.push(event),
    ...options,
  });
  stores.push(store);
  return store;
}

describe('a trust store from files', () => {
  it('is the first generation, of what is in the files when it is made', () => {
    write(one, two);
    const store = watch();
    expect(store.current).toBeInstanceOf(TrustStore);
    expect(store.current.size).toBe(2);
    expect(store.current.generation).toBe(1);
    expect(store.current.sha256).toBe(TrustStore.fromDer([one.der, two.der]).sha256);
    expect(store.health).toEqual({
      status: 'ok',
      generation: 1,
      loadedAt: TEST_TIME,
      confirmedAt: TEST_TIME,
      refusals: 0,
      sha256: store.current.sha256,
      noticedBy: 'events',
    });
  });

  it('is made of paths, URLs, folders, DER, and files whose anchors are held to something', () => {
    write(one);
    const der = join(folder, 'two.der');
    writeFileSync(der, two.der);
    const inFolder = join(folder, 'folder');
    mkdirSync(inFolder);
    writeFileSync(join(inFolder, 'three.pem'), three.pem);
    const { current } = watch({
      anchors: [pathToFileURL(file), inFolder, { paths: [der], constraints: { maxPathLength: 1 } }],
      intermediates: file,
      pinnedEndEntities: der,
    });
    expect(
      current.anchors.map((anchor) => current.constraintsOn(anchor).map(({ maxPathLength }) => maxPathLength)),
    ).toEqual([[], [], [1]]);
    expect(current.anchors.map(({ der: bytes }) => bytes)).toEqual([one.der, three.der, two.der]);
    expect(current.intermediates.map(({ der: bytes }) => bytes)).toEqual([one.der]);
    expect(current.pinnedEndEntities.map(({ der: bytes }) => bytes)).toEqual([two.der]);
  });

  it('keeps to the files it was given, whatever becomes of the working directory', async () => {
    write(one);
    const before = process.cwd();
    process.chdir(folder);
    const store = watch({ anchors: 'ca.pem' });
    process.chdir(before);
    write(one, two);
    expect(await store.reload()).toBe(true);
  });

  it('is replaced as a whole: the generation before does not change, certificates that stay are the same objects', async () => {
    write(one, two);
    const store = watch();
    const { current: first } = store;
    write(one, two, three);
    expect(await store.reload()).toBe(true);
    const { current: second } = store;
    expect(second).not.toBe(first);
    expect([first.size, first.generation, second.size, second.generation]).toEqual([2, 1, 3, 2]);
    expect(second.anchors[0]).toBe(first.anchors[0]);
    expect(second.anchors[1]).toBe(first.anchors[1]);
    expect(second.use).toBe(first.use);
    expect(second.anchors[0]?.publicKey).toBe(first.anchors[0]?.publicKey);
  });

  it('is not replaced by the same bytes, nor by the same certificates with other comments', async () => {
    write(one, two);
    const store = watch({ intermediates: file });
    const { current } = store;
    expect(await store.reload()).toBe(false);
    writeFileSync(file, `# generated at noon\n${one.pem}# and\n${two.pem}`);
    expect(await store.reload()).toBe(false);
    expect(store.current).toBe(current);
    expect(events).toEqual([]);
  });

  it('is replaced when only an intermediate or what an anchor is held to differs', async () => {
    const other = join(folder, 'other.pem');
    mkdirSync(join(folder, 'held'));
    write(one);
    writeFileSync(other, two.pem);
    const store = watch({
      anchors: [file, { paths: join(folder, 'held'), constraints: { maxPathLength: 0 } }],
      intermediates: other,
    });
    expect(store.current.intermediates).toHaveLength(1);
    writeFileSync(other, two.pem + three.pem);
    expect(await store.reload()).toBe(true);
    writeFileSync(join(folder, 'held/one.pem'), one.pem);
    expect(await store.reload()).toBe(true);
    const { current } = store;
    // Once for being held to nothing, and once for what it is held to now.
    expect(current.constraintsOn(current.anchors[0] as never)).toHaveLength(2);
  });

  it('tells whole events: what came, what went, which store, which generation', async () => {
    write(one, two);
    const store = watch({ name: 'partners' });
    write(one, three);
    await store.reload();
    expect(events).toEqual([
      {
        'event.name': 'clientcert.trust.replaced',
        'clientcert.trust.store': 'partners',
        'clientcert.trust.generation': 2,
        'clientcert.trust.anchors': 2,
        'clientcert.trust.sha256': TrustStore.fromDer([one.der, three.der]).sha256,
        'clientcert.trust.added': [digestOf(three)],
        'clientcert.trust.removed': [digestOf(two)],
      },
    ]);
    expect(Object.isFrozen(events[0]?.['clientcert.trust.added'])).toBe(true);
    expect(Object.isFrozen(events[0]?.['clientcert.trust.removed'])).toBe(true);
  });

  it('F1: refuses what is no store, once for each reason, and recovers', async () => {
    write(one, two);
    const store = watch();
    const { sha256 } = store.current;
    const about = {
      'clientcert.trust.store': 'trust',
      'clientcert.trust.generation': 1,
      'clientcert.trust.anchors': 2,
      'clientcert.trust.sha256': sha256,
    };
    writeFileSync(file, '');
    expect([await store.reload(), await store.reload()]).toEqual([false, false]);
    expect(store.health).toMatchObject({ status: 'degraded', generation: 1, refusals: 2 });
    expect(store.health.error).toMatchObject({
      code: 'ERR_TRUST_STORE_EMPTY',
      details: { found: 'an empty file', file },
    });
    write(one, two);
    expect(await store.reload()).toBe(false);
    expect(store.health).toMatchObject({ status: 'ok', generation: 1, refusals: 2 });
    expect(store.health).not.toHaveProperty('error');
    expect(events).toEqual([
      {
        'event.name': 'clientcert.trust.refused',
        ...about,
        'error.type': 'ERR_TRUST_STORE_EMPTY',
        'error.message': `The trust store holds no certificate: found an empty file (${file}).`,
      },
      { 'event.name': 'clientcert.trust.recovered', ...about },
    ]);
  });

  it('is looked into by its own clock', () => {
    write(one);
    const store = watch();
    expect(store.inspect().time).toEqual(TEST_TIME);
    expect(store.inspect({ time: new Date(0) }).time).toEqual(new Date(0));
    expect(() => store.inspect({ tiem: new Date(0) } as never)).toThrow(TypeError);
  });
});

describe('F4: a store that loses anchors', () => {
  it.each([
    [10, 5, undefined, true],
    [10, 4, undefined, false],
    [10, 9, 0.1, true],
    [10, 8, 0.1, false],
    // In binary, 0.7 * 10 is less than 7.
    [10, 3, 0.7, true],
    [10, 2, 0.7, false],
    [2, 1, 0, false],
    [10, 1, 0.9, true],
    [10, 1, 1, true],
  ])('from %d to %d with maxShrink %p is taken: %p', async (before, after, maxShrink, isTaken) => {
    write(...authorities.slice(0, before));
    const store = watch({ ...(maxShrink !== undefined && { maxShrink }) });
    write(...authorities.slice(0, after));
    expect(await store.reload()).toBe(isTaken);
    expect(store.current.size).toBe(isTaken ? after : before);
    if (isTaken) return;
    const found = `${after} of ${before} certificates left`;
    expect(store.health.error).toMatchObject({ code: 'ERR_TRUST_STORE_SHRUNK', details: { found, before, after } });
  });

  it('at a fraction that binary numbers only come near is taken exactly there', async () => {
    // 100 * 0.57 is less than 57.
    const many = Array.from({ length: 100 }, (_, index) => createAuthority({ key: one.key, subject: `CN=${index}` }));
    write(...many);
    const store = watch({ maxShrink: 0.57 });
    write(...many.slice(57));
    expect(await store.reload()).toBe(true);
    expect(store.current.size).toBe(43);
  });

  it('is taken once when that is allowed, and not the next time', async () => {
    write(...authorities);
    const store = watch();
    write(one, two, three);
    expect(await store.reload()).toBe(false);
    expect(await store.reload({ allowShrink: false })).toBe(false);
    expect(await store.reload({ allowShrink: true })).toBe(true);
    expect(store.health).toMatchObject({ status: 'ok', generation: 2 });
    write(one);
    expect(await store.reload()).toBe(false);
    expect(store.current.size).toBe(3);
  });

  it('is taken when that is allowed while another reload is under way', async () => {
    write(...authorities);
    const store = watch();
    write(one);
    const underWay = store.reload();
    const allowed = store.reload({ allowShrink: true });
    expect([await underWay, await allowed]).toEqual([false, true]);
    expect(store.current.size).toBe(1);
  });

  it('is not taken because it was allowed for a reload that failed', async () => {
    write(...authorities);
    const store = watch();
    writeFileSync(file, '');
    expect(await store.reload({ allowShrink: true })).toBe(false);
    write(one);
    expect(await store.reload()).toBe(false);
    expect(store.current.size).toBe(10);
  });

  it('is refused for a required anchor, be its digest in upper case', async () => {
    write(one, two);
    const required = digestOf(two);
    const store = watch({ requiredAnchors: [required.toUpperCase()] });
    write(one, three);
    expect(await store.reload({ allowShrink: true })).toBe(false);
    const found = `no certificate with SHA-256 ${required}`;
    expect(store.health.error).toMatchObject({
      code: 'ERR_TRUST_STORE_ANCHOR_MISSING',
      details: { found, sha256: required },
      message: `The trust store lacks a required anchor: found ${found}.`,
    });
    expect(events.map((event) => event['error.type'])).toEqual(['ERR_TRUST_STORE_ANCHOR_MISSING']);
  });

  it('is refused from the start for a required anchor; a pinned certificate is one', () => {
    write(one);
    expect(() => watch({ requiredAnchors: [digestOf(two)] })).toThrowWithCode('ERR_TRUST_STORE_ANCHOR_MISSING', {
      found: `no certificate with SHA-256 ${digestOf(two)}`,
      sha256: digestOf(two),
    });
    const pinned = join(folder, 'pinned.pem');
    writeFileSync(pinned, two.pem);
    expect(() => watch({ requiredAnchors: [digestOf(two)], pinnedEndEntities: pinned })).not.toThrow();
  });

  it('refuses a word in place of true', async () => {
    write(one);
    const store = watch();
    await expect(store.reload({ allowShrink: 'yes' } as never)).rejects.toThrow(
      new TypeError('allowShrink must be true or false; it received a string.'),
    );
    await expect(store.reload({ allowshrink: true } as never)).rejects.toThrow('Did you mean `allowShrink`?');
  });
});

describe('F2: a store that lacks anchors of the one before', () => {
  it('is read a second time, and again until two readings agree', async () => {
    write(one, two, three);
    const store = watch();
    write(authorities[4] as never, authorities[5] as never, one);
    const reloading = store.reload();
    const grow = [
      setTimeout(() => write(authorities[4] as never, authorities[5] as never, one, two), 500),
      setTimeout(() => write(authorities[4] as never, authorities[5] as never, one, two, three), 1_600),
    ];
    expect(await reloading).toBe(true);
    for (const timer of grow) clearTimeout(timer);
    // Never a store in between, though the first and the second would have been large enough.
    expect(store.current).toMatchObject({ size: 5, generation: 2 });
    expect(events.map((event) => event['clientcert.trust.removed'])).toEqual([[]]);
  });

  it('is not waited for once closed', async () => {
    write(one, two);
    const store = watch();
    write(one);
    const reloading = store.reload();
    await new Promise((resolve) => setTimeout(resolve, 200));
    const started = performance.now();
    await store.close();
    expect(await reloading).toBe(false);
    expect(performance.now() - started).toBeLessThan(700);
    expect(store.current.size).toBe(2);
  });
});

describe('who subscribes to a store', () => {
  it('gets each new one, after it is in use, until they stop', async () => {
    write(one);
    const store = watch();
    const got: unknown[] = [];
    const listener = (next: TrustStore): void => void got.push([next.generation, next === store.current]);
    const [stop, stopOther] = [store.subscribe(listener), store.subscribe(listener)];
    write(one, two);
    await store.reload();
    stop();
    stop();
    write(one, two, three);
    await store.reload();
    stopOther();
    write(...authorities);
    await store.reload();
    expect(got).toEqual([
      [2, true],
      [2, true],
      [3, true],
    ]);
  });

  it('is a process warning when it fails, and the others are told', async () => {
    const warnings = jest.spyOn(process, 'emitWarning').mockImplementation();
    write(one);
    const store = watch();
    const got: number[] = [];
    store.subscribe(() => {
      throw new Error('at once');
    });
    store.subscribe(() => Promise.reject(new Error('later')));
    store.subscribe(({ generation }) => got.push(generation));
    write(one, two);
    expect(await store.reload()).toBe(true);
    expect(got).toEqual([2]);
    expect(store.health).toMatchObject({ status: 'ok', generation: 2 });
    const details = warnings.mock.calls.map(([message]) => message as string);
    warnings.mockRestore();
    expect(details).toEqual(['A listener of trust events failed: at once', 'A listener of trust events failed: later']);
  });

  it('must be a function', () => {
    write(one);
    expect(() => watch().subscribe({} as never)).toThrow(
      new TypeError('subscribe takes a function; it received an object.'),
    );
  });

  it('is not called once the store is closed, which stays as it is', async () => {
    write(one);
    const store = watch();
    const got: unknown[] = [];
    store.subscribe((next) => got.push(next));
    await store.close();
    await store.close();
    write(one, two);
    expect(await store.reload()).toBe(false);
    expect(got).toEqual([]);
    expect(store.current.size).toBe(1);
    expect(store.health).toMatchObject({ status: 'ok', noticedBy: 'nobody' });
  });
});

describe('the end of an anchor', () => {
  const hour = 3_600_000;
  const ends = TEST_TIME.getTime() + 40 * day;
  const ending = createAuthority({ subject: 'CN=Ending', notAfter: new Date(ends) });

  it('is told of at 30, 14, 7, 3 and 1 days and when it is past, each once', () => {
    jest.useFakeTimers();
    let time = TEST_TIME.getTime();
    writeFileSync(file, ending.pem + one.pem);
    const store = watch({ clock: () => time });
    const told: unknown[] = [];
    for (; time <= ends + 2 * day; time += hour) {
      jest.advanceTimersByTime(hour);
      for (const event of events.splice(0)) told.push([(ends - time) / day, event]);
    }
    const about = {
      'clientcert.trust.store': 'trust',
      'clientcert.trust.generation': 1,
      'clientcert.trust.anchors': 2,
      'clientcert.trust.sha256': store.current.sha256,
      'clientcert.anchor.sha256': digestOf(ending),
      'clientcert.anchor.not_after': new Date(ends).toISOString(),
    };
    expect(told).toEqual([
      ...[30, 14, 7, 3, 1].map((days) => [
        days,
        { 'event.name': 'clientcert.trust.anchor_expiring', ...about, 'clientcert.anchor.days_left': days },
      ]),
      [-1 / 24, { 'event.name': 'clientcert.trust.anchor_expired', ...about }],
    ]);
  });

  it('is told of right after the start, by the tightest of several', async () => {
    writeFileSync(file, ending.pem);
    watch({ clock: () => ends - 5 * day });
    await Promise.resolve();
    expect(events.map((event) => event['clientcert.anchor.days_left'])).toEqual([7]);
  });

  it('is told of with the store that brings the anchor, after that is in use; not again with the next', async () => {
    write(one);
    const store = watch({ clock: () => ends + 1 });
    writeFileSync(file, one.pem + ending.pem);
    await store.reload();
    writeFileSync(file, one.pem + two.pem + ending.pem);
    await store.reload();
    expect(events.map((event) => [event['event.name'], event['clientcert.trust.generation']])).toEqual([
      ['clientcert.trust.replaced', 2],
      ['clientcert.trust.anchor_expired', 2],
      ['clientcert.trust.replaced', 3],
    ]);
  });

  it('is told of again when the anchor was away', async () => {
    writeFileSync(file, one.pem + ending.pem);
    const store = watch({ clock: () => ends + 1 });
    await Promise.resolve();
    write(one);
    await store.reload();
    writeFileSync(file, one.pem + ending.pem);
    await store.reload();
    expect(events.map((event) => event['event.name'].replace('clientcert.trust.', ''))).toEqual([
      'anchor_expired',
      'replaced',
      'replaced',
      'anchor_expired',
    ]);
  });

  it('is what the operator says', async () => {
    writeFileSync(file, ending.pem);
    const until = new Date(ends - 10 * day);
    watch({ anchors: { paths: file, constraints: { expiry: until } }, clock: () => until.getTime() + 1 });
    watch({ anchors: { paths: file, constraints: { expiry: 'ignore' } }, clock: () => ends + day });
    await Promise.resolve();
    expect(events.map((event) => [event['event.name'], event['clientcert.anchor.not_after']])).toEqual([
      ['clientcert.trust.anchor_expired', until.toISOString()],
    ]);
  });

  it('is told of no more once the store is closed', async () => {
    jest.useFakeTimers();
    let time = TEST_TIME.getTime();
    writeFileSync(file, ending.pem);
    const store = watch({ clock: () => time });
    await store.close();
    time = ends + 1;
    jest.advanceTimersByTime(3 * hour);
    expect(events).toEqual([]);
  });
});

describe('options of a store from files', () => {
  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'watchTrustStore takes an options object; it received undefined.'],
    ['a path', '/etc/ca.pem', 'watchTrustStore takes an options object; it received a string.'],
    ['no anchors', {}, 'watchTrustStore takes paths of files and folders; it received undefined.'],
    ['an empty list', { anchors: [] }, 'watchTrustStore needs anchors, paths of files.'],
    [
      'an empty path',
      { anchors: '' },
      'watchTrustStore takes paths of files and folders; it received an empty string.',
    ],
    ['a number', { anchors: [1] }, 'watchTrustStore takes paths of files and folders; it received 1.'],
    ['a list in a list', { anchors: [['a']] }, 'anchors takes an options object; it received an array.'],
    [
      'files without constraints',
      { anchors: { paths: 'a' } },
      'constraints takes an options object; it received undefined.',
    ],
    [
      'files with a misspelt word',
      { anchors: { path: 'a' } },
      'anchors received an unknown option, `path`. It knows paths, constraints.',
    ],
    [
      'files without a path',
      { anchors: { constraints: {} } },
      'watchTrustStore takes paths of files and folders; it received undefined.',
    ],
    [
      'a misspelt option',
      { anchors: 'a', pollseconds: 1 },
      'watchTrustStore received an unknown option, `pollseconds`. Did you mean `pollSeconds`?',
    ],
    [
      'intermediates of no kind',
      { anchors: 'a', intermediates: 1 },
      'watchTrustStore takes paths of files and folders; it received 1.',
    ],
    [
      'pins of no kind',
      { anchors: 'a', pinnedEndEntities: null },
      'watchTrustStore takes paths of files and folders; it received null.',
    ],
    ['a name of no kind', { anchors: 'a', name: 1 }, 'name must be a string.'],
    [
      'a digest of no kind',
      { anchors: 'a', requiredAnchors: 'ab' },
      'requiredAnchors takes SHA-256 digests of 64 hexadecimal digits.',
    ],
    [
      'a digest of 63 digits',
      { anchors: 'a', requiredAnchors: ['a'.repeat(63)] },
      'requiredAnchors takes SHA-256 digests of 64 hexadecimal digits.',
    ],
    [
      'a digest with colons',
      { anchors: 'a', requiredAnchors: ['aa:'.repeat(32)] },
      'requiredAnchors takes SHA-256 digests of 64 hexadecimal digits.',
    ],
    ['a listener of no kind', { anchors: 'a', onEvent: {} }, 'onEvent must be a function; it received an object.'],
    ['a clock of no kind', { anchors: 'a', clock: 1 }, 'clock must be a function; it received 1.'],
  ])('are refused: %s', (_, options, message) => {
    expect(() => watchTrustStore(options as never)).toThrow(new TypeError(message));
  });

  it.each([0, 1.5, 86_401, '30', NaN])('are refused: pollSeconds %p', (pollSeconds) => {
    const received = typeof pollSeconds === 'string' ? 'a string' : String(pollSeconds);
    expect(() => watchTrustStore({ anchors: 'a', pollSeconds } as never)).toThrow(
      new RangeError(`pollSeconds must be an integer from 1 to 86400; it received ${received}.`),
    );
  });

  it.each([-0.1, 1.1, NaN, '0.5'])('are refused: maxShrink %p', (maxShrink) => {
    const received = typeof maxShrink === 'string' ? 'a string' : String(maxShrink);
    expect(() => watchTrustStore({ anchors: 'a', maxShrink } as never)).toThrow(
      new RangeError(`maxShrink must be from 0 to 1; it received ${received}.`),
    );
  });

  it('change nothing when they are changed later', async () => {
    write(one, two);
    const requiredAnchors = [digestOf(two)];
    const anchors = [file];
    const options = { anchors, requiredAnchors, maxShrink: 0, pollSeconds: 86_400 };
    const store = watchTrustStore(options);
    stores.push(store);
    requiredAnchors.length = 0;
    anchors.length = 0;
    options.maxShrink = 1;
    write(one);
    expect(await store.reload()).toBe(false);
    expect(store.health.error).toMatchObject({ code: 'ERR_TRUST_STORE_ANCHOR_MISSING' });
    write(two);
    expect(await store.reload()).toBe(false);
    expect(store.health.error).toMatchObject({ code: 'ERR_TRUST_STORE_SHRUNK' });
  });

  it.each([
    'maxShrink',
    'requiredAnchors',
    'pinnedEndEntities',
    'intermediates',
    'pollSeconds',
    'constraints',
    'allowShrink',
  ])('ID-03: are refused while Object.prototype has a property like one of them: %s', async (name) => {
    write(one);
    const store = watch();
    const prototype = Object.prototype as Record<string, unknown>;
    prototype[name] = true;
    try {
      const make = async (): Promise<unknown> =>
        name === 'allowShrink' ? store.reload({}) : watch({ anchors: { paths: file, constraints: {} } });
      await expect(make()).rejects.toThrow(
        `would inherit \`${name}\` from Object.prototype: something has polluted it.`,
      );
    } finally {
      delete prototype[name];
    }
  });
});
