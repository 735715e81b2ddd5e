import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs, {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import promises from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import {
  cloudFront,
  keepTlsCurrent,
  type LoadContext,
  loadTrustStore,
  type ReloadingTrustStore,
  type TrustEvent,
  TrustStore,
  watchTrustStore,
  type WatchTrustStoreOptions,
} from '@peercert/core';
import { cloudFrontHeaders, createAuthority, TEST_TIME } from '@peercert/testkit';
import { behindEdge, callerOf, countingDecodes, edgeChannel, fromEdge } from '../support/requests';
import { until } from '../support/until';

// Stores are reloaded in seconds: changes settle, a store that lost anchors is read twice, and some look every two seconds.
jest.setTimeout(60_000);

const later = { notAfter: new Date(TEST_TIME.getTime() + 3_000 * 86_400_000) };
const [one, two, three, four] = ['One', 'Two', 'Three', 'Four'].map((name) =>
  createAuthority({ ...later, subject: `CN=${name}` }),
) as [Authority, Authority, Authority, Authority];
type Authority = ReturnType<typeof createAuthority>;

const pemOf = (...given: readonly Authority[]): string => given.map(({ pem }) => pem).join('');
const digestOf = (...given: readonly Authority[]): string => TrustStore.fromDer(given.map(({ der }) => der)).sha256;

let folder = '';
let file = '';
let events: TrustEvent[] = [];
const stores: ReloadingTrustStore[] = [];
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'peercert-reload-'));
  file = join(folder, 'ca.pem');
  events = [];
});
afterEach(async () => {
  jest.restoreAllMocks();
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(stores.splice(0).map((store) => store.close()));
  rmSync(folder, { recursive: true });
});

function watch(options: Partial<WatchTrustStoreOptions> = {}): ReloadingTrustStore {
  const store = watchTrustStore({
    anchors: file,
    clock: () => TEST_TIME.getTime(),
    onEvent: (event) => events.push(event),
    ...options,
  });
  stores.push(store);
  return store;
}

/** Makes `fs.watch` fail, as where no watches are left. */
function withoutWatches(): jest.SpyInstance {
  return jest.spyOn(fs, 'watch').mockImplementation(() => {
    throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
  });
}

const eventNames = (): readonly string[] => events.map((event) => event['event.name'].replace('clientcert.trust.', ''));
const isIn =
  (store: ReloadingTrustStore, ...given: readonly Authority[]) =>
  (): boolean =>
    store.current.sha256 === digestOf(...given);

describe('F1: a file that is truncated', () => {
  it('leaves the last good store, degrades health, and tells once; the same contents again are a recovery', async () => {
    writeFileSync(file, pemOf(one, two));
    const store = watch({ pollSeconds: 1 });
    const { current } = store;
    writeFileSync(file, '');
    await until(() => store.health.refusals >= 1);
    writeFileSync(file, '');
    await until(() => store.health.refusals >= 2);
    expect(store.current).toBe(current);
    expect(store.health).toMatchObject({
      status: 'degraded',
      generation: 1,
      error: { code: 'ERR_TRUST_STORE_EMPTY', details: { found: 'an empty file', file } },
    });
    writeFileSync(file, pemOf(one, two));
    await until(() => store.health.status === 'ok');
    expect(store.current).toBe(current);
    expect(eventNames()).toEqual(['refused', 'recovered']);
  });

  it('is replaced by new contents, and TLS never gets an empty list of anchors meanwhile', async () => {
    writeFileSync(file, pemOf(one));
    const store = watch();
    const given: string[][] = [];
    keepTlsCurrent({ setSecureContext: ({ ca }) => given.push(ca as string[]) }, { trust: store, tls: {} });
    writeFileSync(file, '');
    await until(() => store.health.status === 'degraded');
    writeFileSync(file, pemOf(one, two));
    await until(isIn(store, one, two));
    expect(eventNames()).toEqual(['refused', 'replaced']);
    expect(given).toEqual([[one.pem], [one.pem, two.pem]]);
  });
});

describe('F2: a file that is written slowly', () => {
  it('is taken once, when it is whole: a pause in the middle of a block', async () => {
    writeFileSync(file, pemOf(one));
    const store = watch();
    const bundle = pemOf(one, two, three);
    writeFileSync(file, bundle.slice(0, -200));
    await until(() => store.health.status === 'degraded');
    expect(store.health.error).toMatchObject({ details: { found: 'a CERTIFICATE block without its END', file } });
    appendFileSync(file, bundle.slice(-200));
    await until(isIn(store, one, two, three));
    expect(store.current.generation).toBe(2);
    expect(eventNames()).toEqual(['refused', 'replaced']);
  });

  it('is taken once, when it is whole: pauses between two blocks', async () => {
    writeFileSync(file, pemOf(one, two, three));
    const store = watch();
    const reads = jest.spyOn(promises, 'readFile');
    writeFileSync(file, pemOf(four, one));
    // Read once, found to lack two anchors, and not believed yet.
    await until(() => reads.mock.calls.length === 1);
    await new Promise((done) => setTimeout(done, 300));
    appendFileSync(file, two.pem);
    await until(() => reads.mock.calls.length === 2);
    appendFileSync(file, three.pem);
    await until(isIn(store, one, two, three, four));
    expect(store.current.generation).toBe(2);
    expect(eventNames()).toEqual(['replaced']);
    expect(events[0]?.['clientcert.trust.removed']).toEqual([]);
  });
});

describe('F3: a file that is something else', () => {
  const line = pemOf(one).split('\n').length;
  it.each<[string, string | Buffer, string]>([
    ['a private key', one.privateKeyPem, 'found a PRIVATE KEY block (line 1 of FILE).'],
    ['an anchor and a key', one.pem + one.privateKeyPem, `found a PRIVATE KEY block (line ${line} of FILE).`],
    ['an error page', '<!DOCTYPE html>', 'found markup, such as an error page, where PEM is expected (FILE).'],
    ['garbage', Buffer.from([0xde, 0xad, 0xbe, 0xef]), 'found text without a PEM certificate (FILE).'],
    ['UTF-16', Buffer.from(`\uFEFF${one.pem}`, 'utf16le'), 'found text in UTF-16 where PEM is expected (FILE).'],
    ['PKCS #7', one.pem.replaceAll('CERTIFICATE', 'PKCS7'), 'found a PKCS7 block (line 1 of FILE).'],
    [
      'a trusted certificate of OpenSSL',
      one.pem.replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE'),
      'found a TRUSTED CERTIFICATE block (line 1 of FILE).',
    ],
    ['an END alone', '-----END CERTIFICATE-----', 'found END CERTIFICATE without its BEGIN (line 1 of FILE).'],
  ])('is refused by name: %s', async (_, contents, message) => {
    const path = join(folder, 'more.pem');
    writeFileSync(file, pemOf(one));
    const store = watch({ anchors: folder });
    writeFileSync(path, contents);
    await until(() => store.health.status === 'degraded');
    const expected = expect.stringContaining(message.replace('FILE', path));
    expect(store.health.error?.message).toEqual(expected);
    expect(events).toMatchObject([{ 'error.message': expected }]);
    expect(store.current.size).toBe(1);
  });

  it.each<[string, string | Buffer]>([
    ['DER', two.der],
    ['CRLF and a byte order mark', `\uFEFF${two.pem.replaceAll('\n', '\r\n')}`],
    ['CR', two.pem.replaceAll('\n', '\r')],
    ['text around', `subject: CN=Two\n${two.pem}\nthat is all`],
  ])('is taken for what it is: %s', async (_, contents) => {
    writeFileSync(file, pemOf(one));
    const store = watch({ anchors: folder });
    writeFileSync(join(folder, 'more.pem'), contents);
    await until(isIn(store, one, two));
    expect(eventNames()).toEqual(['replaced']);
  });

  it('is refused by name in a folder: a README', async () => {
    writeFileSync(file, pemOf(one));
    const store = watch({ anchors: folder });
    writeFileSync(join(folder, 'README.md'), '# CAs of our partners\n');
    await until(() => store.health.status === 'degraded');
    expect(store.health.error?.message).toContain(join(folder, 'README.md'));
    rmSync(join(folder, 'README.md'));
    await until(() => store.health.status === 'ok');
    expect(eventNames()).toEqual(['refused', 'recovered']);
  });
});

it('F4: a file that loses too many anchors is refused until that is allowed', async () => {
  writeFileSync(file, pemOf(one, two, three));
  const store = watch();
  writeFileSync(file, pemOf(one));
  await until(() => store.health.status === 'degraded');
  expect(store.health.error).toMatchObject({
    code: 'ERR_TRUST_STORE_SHRUNK',
    details: { found: '1 of 3 certificates left', before: 3, after: 1 },
  });
  expect(store.current.size).toBe(3);
  expect(await store.reload({ allowShrink: true })).toBe(true);
  expect(eventNames()).toEqual(['refused', 'replaced']);
});

describe('F5: a volume of Kubernetes', () => {
  /** Swaps the volume as the kubelet does: a new folder, and a symbolic link that is renamed over the old one. */
  function swap(version: number, ...given: readonly Authority[]): void {
    mkdirSync(join(folder, `..v${version}`));
    writeFileSync(join(folder, `..v${version}`, 'ca.pem'), pemOf(...given));
    symlinkSync(`..v${version}`, join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    rmSync(join(folder, `..v${version - 1}`), { recursive: true, force: true });
  }

  it.each<[string, () => string, 'events' | 'polling']>([
    ['a file in it, by events', () => file, 'events'],
    ['the folder, by events', () => folder, 'events'],
    ['a file in it, by looking alone', () => file, 'polling'],
    ['the folder, by looking alone', () => folder, 'polling'],
  ])('is reloaded each time it is swapped: %s', async (_, anchors, noticedBy) => {
    if (noticedBy === 'polling') withoutWatches();
    swap(1, one);
    symlinkSync('..data/ca.pem', file);
    const store = watch({ anchors: anchors(), maxShrink: 0.9, ...(noticedBy === 'polling' && { pollSeconds: 1 }) });
    expect(store.health.noticedBy).toBe(noticedBy);
    for (const [index, given] of [[one, two], [two], [two, three, four]].entries()) {
      swap(index + 2, ...given);
      await until(isIn(store, ...given));
      expect(store.health).toMatchObject({ status: 'ok', generation: index + 2, noticedBy });
    }
    expect(eventNames()).toEqual(['replaced', 'replaced', 'replaced']);
  });
});

describe('F6: a file that is replaced', () => {
  it('by a rename is reloaded, and nothing is refused', async () => {
    writeFileSync(file, pemOf(one));
    const store = watch();
    for (const given of [
      [one, two],
      [one, two, three],
    ]) {
      writeFileSync(join(folder, 'next'), pemOf(...given));
      renameSync(join(folder, 'next'), file);
      await until(isIn(store, ...given));
    }
    expect(eventNames()).toEqual(['replaced', 'replaced']);
  });

  it('after it was missing for a while is reloaded, and the last good store serves meanwhile', async () => {
    writeFileSync(file, pemOf(one));
    const store = watch();
    rmSync(file);
    await until(() => store.health.status === 'degraded');
    expect(store.health.error).toMatchObject({
      code: 'ERR_TRUST_STORE_UNREADABLE',
      details: { found: `no readable file at ${file}` },
      cause: { code: 'ENOENT' },
    });
    expect(store.current.size).toBe(1);
    writeFileSync(file, pemOf(one, two));
    await until(isIn(store, one, two));
    expect(eventNames()).toEqual(['refused', 'replaced']);
  });
});

const core = resolve(__dirname, '../../packages/core');

/** Runs a script beside this process, with `core`, `file` and a few words at hand. What it sends is in `said`. */
function run(
  script: string,
  { shell = '', uid }: { readonly shell?: string; readonly uid?: number } = {},
): { readonly child: ChildProcess; readonly said: unknown[]; readonly ended: Promise<readonly unknown[]> } {
  const path = join(folder, `script-${children.length}.cjs`);
  writeFileSync(
    path,
    `const core = require(${JSON.stringify(core)});
     const fs = require('node:fs');
     const file = ${JSON.stringify(file)};
     const say = (...words) => fs.writeSync(1, JSON.stringify(words.length === 1 ? words[0] : words) + '\\n');
     const until = async (condition) => { while (!condition()) await new Promise((done) => setTimeout(done, 20)); };
     ${script}`,
  );
  const [command, parameters] =
    shell === '' ? [process.execPath, [path]] : ['bash', ['-c', `${shell}; exec "$0" "$1"`, process.execPath, path]];
  const child = spawn(command, parameters, {
    stdio: ['pipe', 'pipe', 'inherit'],
    ...(uid !== undefined && { uid, gid: uid }),
  });
  children.push(child);
  const said: unknown[] = [];
  let rest = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    said.push(...lines.map((line) => JSON.parse(line) as unknown));
  });
  return { child, said, ended: once(child, 'close') };
}

describe('F7: a system that does not tell', () => {
  it('has no descriptors left: the files are looked at, and watched as soon as some are free', async () => {
    writeFileSync(file, pemOf(one));
    const { child, said } = run(
      `const hoard = [];
       const { closeSync, openSync, readFileSync } = fs;
       // What watches stores is loaded when it is first called, which takes descriptors too.
       try { core.watchTrustStore({ anchors: file + '.none' }); } catch {}
       try { for (;;) hoard.push(openSync(file)); } catch {}
       // A descriptor to read the file, and none to watch it.
       fs.readFileSync = (path) => {
         closeSync(hoard.pop());
         const bytes = readFileSync(path);
         hoard.push(openSync(file));
         return bytes;
       };
       const store = core.watchTrustStore({ anchors: file, pollSeconds: 1 });
       say(store.health.noticedBy);
       process.stdin.once('data', async () => {
         await until(() => store.health.status === 'degraded');
         say(store.health.error.cause.code, store.current.size);
         for (const descriptor of hoard) closeSync(descriptor);
         await until(() => store.current.size === 2 && store.health.noticedBy === 'events');
         say(store.health.status, store.health.noticedBy);
         process.exit();
       });`,
      { shell: 'ulimit -n 64' },
    );
    await until(() => said.length === 1);
    expect(said).toEqual(['polling']);
    writeFileSync(file, pemOf(one, two));
    child.stdin?.write('go\n');
    await until(() => said.length === 3, 20_000);
    expect(said.slice(1)).toEqual([
      ['EMFILE', 1],
      ['ok', 'events'],
    ]);
  });

  it('has no watches left: the files are looked at', async () => {
    withoutWatches();
    writeFileSync(file, pemOf(one));
    const store = watch();
    expect(store.health.noticedBy).toBe('polling');
    // At once, before anybody has looked.
    writeFileSync(file, pemOf(one, two));
    await until(isIn(store, one, two));
  });

  it('does not let the file be read, then does: EACCES', async () => {
    writeFileSync(file, pemOf(one));
    // Root may read everything, so somebody else has to try.
    const nobody = process.getuid?.() === 0 ? { uid: 65_534 } : {};
    chmodSync(folder, 0o755);
    const { said } = run(
      `const store = core.watchTrustStore({ anchors: file, pollSeconds: 1 });
       say('reading');
       until(() => store.health.status === 'degraded').then(async () => {
         say(store.health.error.cause.code, store.current.size);
         await until(() => store.current.size === 2);
         say(store.health.status);
         process.exit();
       });`,
      nobody,
    );
    await until(() => said.length === 1);
    chmodSync(file, 0);
    await until(() => said.length === 2);
    writeFileSync(join(folder, 'next'), pemOf(one, two));
    renameSync(join(folder, 'next'), file);
    await until(() => said.length === 3);
    expect(said).toEqual(['reading', ['EACCES', 1], 'ok']);
  });

  it('has another folder of that name: the new one is watched', async () => {
    const inner = join(folder, 'inner');
    mkdirSync(inner);
    writeFileSync(join(inner, 'ca.pem'), pemOf(one));
    const store = watch({ anchors: inner });
    renameSync(inner, join(folder, 'old'));
    mkdirSync(inner);
    writeFileSync(join(inner, 'ca.pem'), pemOf(one, two));
    await until(isIn(store, one, two));
    writeFileSync(join(inner, 'ca.pem'), pemOf(one, two, three));
    await until(isIn(store, one, two, three));
    expect(store.health).toMatchObject({ status: 'ok', noticedBy: 'events' });
  });
});

describe('F8: a storm of writes', () => {
  it('is read a few times, one after the other, in slices; the last version is in use in the end', async () => {
    const many = Array.from({ length: 1_000 }, (_, index) =>
      createAuthority({ ...later, key: one.key, subject: `CN=${index}` }),
    );
    const bundle = join(folder, 'bundle');
    writeFileSync(bundle, pemOf(...many));
    writeFileSync(file, pemOf(...many));
    const store = watch();
    const { readFile } = promises;
    let underWay = 0;
    let most = 0;
    const reads = jest.spyOn(promises, 'readFile').mockImplementation((async (path: string) => {
      most = Math.max(most, ++underWay);
      const bytes = await readFile(path);
      underWay -= 1;
      return bytes;
    }) as typeof readFile);
    // Another process writes: its writes would be stalls of ours.
    const { ended } = run(
      `const pem = fs.readFileSync(${JSON.stringify(bundle)}, 'latin1');
       const started = Date.now();
       let writes = 0;
       const timer = setInterval(() => {
         fs.writeFileSync(file + '.next', '# ' + ++writes + '\\n' + pem);
         fs.renameSync(file + '.next', file);
         if (Date.now() - started < 2_000) return;
         clearInterval(timer);
         fs.writeFileSync(file, pem + ${JSON.stringify(pemOf(two))});
       }, 10);`,
    );
    const stall = longestStall();
    await ended;
    await until(() => store.current.size === 1_001);
    const longest = stall.stop();
    expect(most).toBe(1);
    // Once a second while it lasts, once or twice when it is over.
    expect(reads.mock.calls.length).toBeLessThanOrEqual(8);
    expect(longest).toBeLessThan(50);
    expect(store.current.generation).toBe(2);
    expect(eventNames()).toEqual(['replaced']);
  });
});

/** The longest turn of the event loop, in milliseconds of processor time: what other processes take does not count. */
function longestStall(): { stop(): number } {
  let longest = 0;
  let isOver = false;
  let last = process.cpuUsage();
  let lastTime = performance.now();
  const turn = (): void => {
    const now = process.cpuUsage();
    const time = performance.now();
    const used = (now.user - last.user + now.system - last.system) / 1_000;
    longest = Math.max(longest, Math.min(used, time - lastTime));
    [last, lastTime] = [now, time];
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  return {
    stop: () => {
      isOver = true;
      return longest;
    },
  };
}

describe('F9: requests while a store is replaced', () => {
  const slow = createAuthority({ ...later, subject: 'CN=Slow', keyAlgorithm: 'p384' });
  const client = slow.issue({ uris: ['urn:slow'] });
  const quick = one.issue({ uris: ['urn:quick'] });
  const request = (certificate = client) => fromEdge(...cloudFrontHeaders(certificate).flat());
  const codeOf = async (answer: Promise<unknown>): Promise<unknown> =>
    answer.catch(({ code }: { code?: string }) => code);

  async function replace(store: ReloadingTrustStore, ...given: readonly Authority[]): Promise<void> {
    writeFileSync(file, pemOf(...given));
    await until(isIn(store, ...given));
  }

  it('end with the store they began with, which those that come later do not', async () => {
    writeFileSync(file, pemOf(slow, one));
    const store = watch();
    let release: (() => void) | undefined;
    const authenticator = behindEdge([one], {
      trust: store,
      authorize: async () => {
        await new Promise<void>((done) => (release = done));
        return true;
      },
    });
    const begun = callerOf(authenticator, request());
    await until(() => release !== undefined);
    await replace(store, one);
    await expect(codeOf(callerOf(authenticator, request()))).resolves.toBe('ERR_PATH_ISSUER_UNKNOWN');
    release?.();
    await expect(begun).resolves.toEqual(['urn:slow']);
    await expect(codeOf(callerOf(authenticator, request()))).resolves.toBe('ERR_PATH_ISSUER_UNKNOWN');
  });

  it('that are under way during the swap itself end with the old store, and are not remembered', async () => {
    const trust = { current: TrustStore.fromDer([slow.der]), close: async (): Promise<void> => {} };
    const authenticator = behindEdge([one], { trust });
    const begun = authenticator.authenticate(request());
    expect(begun).toBeInstanceOf(Promise);
    trust.current = TrustStore.fromDer([one.der]);
    const after = codeOf(callerOf(authenticator, request()));
    await expect(begun).resolves.toMatchObject({ status: 'authenticated' });
    await expect(after).resolves.toBe('ERR_PATH_ISSUER_UNKNOWN');
    await expect(codeOf(callerOf(authenticator, request()))).resolves.toBe('ERR_PATH_ISSUER_UNKNOWN');
  });

  it('are judged anew in both directions: the CA removed, and put back', async () => {
    writeFileSync(file, pemOf(one, slow));
    const store = watch({ maxShrink: 0.9 });
    const source = countingDecodes(cloudFront({ channel: edgeChannel }));
    const authenticator = behindEdge([one], { trust: store, source });
    const ask = async (): Promise<unknown> => codeOf(callerOf(authenticator, request(quick)));
    expect([await ask(), await ask(), source.decoded()]).toEqual([['urn:quick'], ['urn:quick'], 1]);
    await replace(store, slow);
    expect([await ask(), await ask(), source.decoded()]).toEqual([
      'ERR_PATH_ISSUER_UNKNOWN',
      'ERR_PATH_ISSUER_UNKNOWN',
      2,
    ]);
    await replace(store, slow, one);
    expect([await ask(), await ask(), source.decoded()]).toEqual([['urn:quick'], ['urn:quick'], 3]);
  });
});

describe('F10: an origin without a good store', () => {
  const never = 'new Promise(() => {})';
  it.each<[string, string, string]>([
    ['a missing file', 'core.watchTrustStore({ anchors: file })', 'ERR_TRUST_STORE_UNREADABLE'],
    ['an empty file', "fs.writeFileSync(file, ''); core.watchTrustStore({ anchors: file })", 'ERR_TRUST_STORE_EMPTY'],
    ['garbage', "fs.writeFileSync(file, 'x'); core.watchTrustStore({ anchors: file })", 'ERR_TRUST_STORE_EMPTY'],
    [
      'a missing anchor',
      "fs.writeFileSync(file, pem); core.watchTrustStore({ anchors: file, requiredAnchors: ['0'.repeat(64)] })",
      'ERR_TRUST_STORE_ANCHOR_MISSING',
    ],
    [
      'a function that rejects',
      "await core.loadTrustStore({ load: async () => { throw new Error('no') } })",
      'ERR_TRUST_STORE_NOT_LOADED',
    ],
    [
      'a function that never answers',
      `await core.loadTrustStore({ load: async () => ${never}, timeoutMs: 200 })`,
      'ERR_TRUST_STORE_NOT_LOADED',
    ],
  ])('does not start, says why, and ends by itself: %s', async (_, make, code) => {
    const { said, ended } = run(
      `const pem = ${JSON.stringify(one.pem)};
       (async () => { ${make} })().then(() => say('started'), (error) => {
         say(error.code, process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout' || kind === 'FSEventWrap'));
         process.exitCode = 3;
       });`,
    );
    await expect(ended).resolves.toEqual([3, null]);
    expect(said).toEqual([[code, []]]);
  });
});

it('F20: two processes with one folder come to the same store, each by itself', async () => {
  writeFileSync(file, pemOf(one));
  const script = `const store = core.watchTrustStore({ anchors: file, onEvent: () => tell() });
    const tell = () => say(store.health.generation, store.health.sha256);
    tell();
    process.stdin.resume();`;
  const first = run(script);
  await until(() => first.said.length === 1);
  writeFileSync(file, pemOf(one, two));
  await until(() => first.said.some((said) => (said as unknown[])[0] === 2));
  // A process that starts later counts from 1.
  const second = run(script);
  await until(() => second.said.length > 0);
  writeFileSync(file, pemOf(one, two, three));
  const sha256 = digestOf(one, two, three);
  const last = (said: readonly unknown[]): unknown => said.find((words) => (words as unknown[])[1] === sha256);
  await until(() => last(first.said) !== undefined && last(second.said) !== undefined);
  expect(last(first.said)).toEqual([3, sha256]);
  expect(last(second.said)).toEqual([2, sha256]);
});

describe('F28: an origin that is shut down', () => {
  const make = {
    watch: 'core.watchTrustStore({ anchors: file })',
    load: 'await core.loadTrustStore({ load: async () => fs.readFileSync(file), refreshSeconds: 1 })',
  };

  it.each(Object.entries(make))('ends by itself with its stores closed, or open: %s', async (_, store) => {
    writeFileSync(file, pemOf(one));
    const { said, ended } = run(
      `(async () => {
         const before = process.getActiveResourcesInfo();
         const [closed, open] = [${store}, ${store}];
         const reloading = closed.reload();
         await closed.close();
         await reloading;
         say(before, process.getActiveResourcesInfo());
       })();`,
    );
    await expect(ended).resolves.toEqual([0, null]);
    const [before, after] = said[0] as [readonly string[], readonly string[]];
    const lasting = (kinds: readonly string[]) =>
      kinds.filter((kind) => !/Immediate|Promise|CloseReq|FSReq/.test(kind));
    expect(lasting(after)).toEqual(lasting(before));
  });

  it('ends by itself with its server closed, while it has connections that are kept alive', async () => {
    writeFileSync(file, pemOf(one));
    const { child, said, ended } = run(
      `const http = require('node:http');
       const trust = core.watchTrustStore({ anchors: file });
       const channel = core.sharedSecret({ header: 'X-Edge-Secret', secrets: ['x'.repeat(40)] });
       const authenticator = core.createAuthenticator({ trust, source: core.cloudFront({ channel }) });
       const server = http.createServer(async (request, response) => {
         response.end((await authenticator.authenticate(request)).status);
       });
       server.keepAliveTimeout = 60_000;
       server.listen(0, '127.0.0.1', () => say(server.address().port));
       process.stdin.once('data', async () => {
         process.stdin.destroy();
         server.close();
         server.closeIdleConnections();
         await trust.close();
       });`,
    );
    await until(() => said.length === 1);
    const agent = new http.Agent({ keepAlive: true });
    const outgoing = http.get({ host: '127.0.0.1', port: said[0] as number, agent });
    const [response] = (await once(outgoing, 'response')) as [http.IncomingMessage];
    expect(await text(response)).toBe('rejected');
    const started = performance.now();
    child.stdin?.write('close\n');
    await expect(ended).resolves.toEqual([0, null]);
    expect(performance.now() - started).toBeLessThan(5_000);
    agent.destroy();
  });
});

describe('F29: two of everything', () => {
  it('two stores on one folder do not disturb each other', async () => {
    writeFileSync(file, pemOf(one));
    const [first, second] = [watch({ name: 'first' }), watch({ name: 'second', maxShrink: 0 })];
    writeFileSync(file, pemOf(one, two));
    await until(() => first.current.size === 2 && second.current.size === 2);
    writeFileSync(file, pemOf(one));
    await until(() => first.current.size === 1 && second.health.status === 'degraded');
    await first.close();
    writeFileSync(file, pemOf(one, two, three));
    await until(isIn(second, one, two, three));
    expect(first.current).toMatchObject({ size: 1, generation: 3 });
    expect(second.current.generation).toBe(3);
    expect(first.current.anchors[0]).not.toBe(second.current.anchors[0]);
  });

  it('two copies of the module do not disturb each other, and tell on the same channel', async () => {
    writeFileSync(file, pemOf(one));
    let copy: typeof import('@peercert/core') | undefined;
    await jest.isolateModulesAsync(async () => {
      copy = await import('@peercert/core');
    });
    expect(copy?.TrustStore).not.toBe(TrustStore);
    const first = watch();
    const second = copy?.watchTrustStore({ anchors: file }) as ReloadingTrustStore;
    stores.push(second);
    writeFileSync(file, pemOf(one, two));
    await until(() => first.current.size === 2 && second.current.size === 2);
    await first.close();
    writeFileSync(file, pemOf(one, two, three));
    await until(() => second.current.size === 3);
    expect([first.current.generation, second.current.generation]).toEqual([2, 3]);
  });
});

describe('a store behind a server that misbehaves', () => {
  let respond: (request: http.IncomingMessage, response: http.ServerResponse) => void = () => {};
  let server: http.Server;
  let url = '';
  const etags: (string | undefined)[] = [];

  beforeEach(async () => {
    etags.length = 0;
    respond = (_, response) => void response.writeHead(200, { etag: '"1"' }).end(pemOf(one));
    server = http.createServer((request, response) => {
      etags.push(request.headers['if-none-match']);
      respond(request, response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterEach(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });

  /** What an operator writes: whatever comes with 200 is the bundle, 304 is no change, all else an error. */
  function bundleLoader(): ({ signal }: LoadContext) => Promise<string | undefined> {
    let etag = '';
    return async ({ signal }) => {
      const response = await fetch(url, { signal, headers: etag === '' ? {} : { 'if-none-match': etag } });
      if (response.status === 304) return undefined;
      if (!response.ok) throw new Error(`status ${response.status}`);
      etag = response.headers.get('etag') ?? '';
      return response.text();
    };
  }

  async function load(timeoutMs = 500): Promise<ReloadingTrustStore> {
    const store = await loadTrustStore({
      load: bundleLoader(),
      timeoutMs,
      clock: () => TEST_TIME.getTime(),
      onEvent: (event) => events.push(event),
    });
    stores.push(store);
    return store;
  }

  it('is unchanged with 304, also where what was refused has not changed', async () => {
    const store = await load();
    respond = (_, response) => void response.writeHead(304).end();
    expect(await store.reload()).toBe(false);
    expect(etags).toEqual([undefined, '"1"']);
    expect(store.health.status).toBe('ok');
    respond = (_, response) => void response.writeHead(200, { etag: '"2"' }).end('<html>Sign in</html>');
    await store.reload();
    expect(store.health).toMatchObject({ status: 'degraded', error: { code: 'ERR_TRUST_STORE_EMPTY' } });
    respond = (_, response) => void response.writeHead(304).end();
    await store.reload();
    expect(etags.at(-1)).toBe('"2"');
    expect(store.health).toMatchObject({ status: 'degraded', refusals: 2 });
    respond = (_, response) => void response.writeHead(200, { etag: '"3"' }).end(pemOf(one, two));
    expect(await store.reload()).toBe(true);
    expect(eventNames()).toEqual(['refused', 'replaced']);
  });

  it.each<[string, typeof respond, string, string]>([
    ['500', (_, response) => void response.writeHead(500).end(pemOf(two)), 'ERR_TRUST_STORE_NOT_LOADED', 'an error'],
    [
      'half a bundle',
      (_, response) => void response.end(pemOf(one, two).slice(0, -90)),
      'ERR_TRUST_STORE_MALFORMED',
      'a CERTIFICATE block without its END',
    ],
    [
      'a page with 200',
      (_, response) => void response.end('<html>Sign in</html>'),
      'ERR_TRUST_STORE_EMPTY',
      'markup, such as an error page, where PEM is expected',
    ],
    ['nothing', (_, response) => void response.end(), 'ERR_TRUST_STORE_EMPTY', 'an empty file'],
    ['a reset', (request) => void request.socket.destroy(), 'ERR_TRUST_STORE_NOT_LOADED', 'an error'],
    [
      'a body that stops in the middle',
      (_, response) => {
        response.writeHead(200, { 'content-length': 10_000 });
        response.write(pemOf(two), () => response.destroy());
      },
      'ERR_TRUST_STORE_NOT_LOADED',
      'an error',
    ],
  ])('keeps the last good one: %s', async (_, misbehave, code, found) => {
    const store = await load();
    respond = misbehave;
    expect(await store.reload()).toBe(false);
    expect(store.current.size).toBe(1);
    expect(store.health).toMatchObject({ status: 'degraded', error: { code, details: { found } } });
  });

  it('keeps the last good one when the server hangs, and hangs up itself', async () => {
    const store = await load(200);
    let isClosed = false;
    respond = (_, response) => void response.on('close', () => (isClosed = true));
    expect(await store.reload()).toBe(false);
    expect(store.health).toMatchObject({ status: 'degraded', error: { details: { found: 'no answer in time' } } });
    await until(() => isClosed);
  });

  it('hangs up when the store is closed', async () => {
    const store = await load(600_000);
    let state: 'asked' | 'closed' | undefined;
    respond = (_, response) => {
      state = 'asked';
      response.on('close', () => (state = 'closed'));
    };
    const reloading = store.reload();
    await until(() => state === 'asked');
    await store.close();
    expect(await reloading).toBe(false);
    await until(() => state === 'closed');
  });
});
