import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  crlFiles,
  type CrlFilesOptions,
  createRevocation,
  type RevocationEvent,
  type RevocationMethod,
} from '@peercert/core';
import { createAuthority, daysFromTestTime, TEST_TIME, type TestAuthority } from '@peercert/testkit';
import { pemOf } from '../../../support/crls';
import { until } from '../../../support/until';
import { validate } from '../../../support/validate';

const root = createAuthority({ subject: 'CN=Root' });
const other = createAuthority({ subject: 'CN=Other' });
const client = root.issue();
const otherClient = other.issue();
const now = TEST_TIME.getTime();

let folder = '';
let events: RevocationEvent[] = [];
let time = now;
const methods: RevocationMethod[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'peercert-crl-'));
  [events, time] = [[], now];
});
afterEach(async () => {
  await Promise.all(methods.splice(0).map((method) => method.close()));
  rmSync(folder, { recursive: true });
});

const path = (name: string): string => join(folder, name);
/** By renaming it into place, as careful writers do. */
function put(name: string, contents: Uint8Array | string): void {
  writeFileSync(path(`.${name.replace('/', '-')}.new`), contents);
  renameSync(path(`.${name.replace('/', '-')}.new`), path(name));
}

function open(options: Partial<CrlFilesOptions> = {}): RevocationMethod {
  const method = crlFiles({
    paths: folder,
    pollSeconds: 1,
    clock: () => time,
    onEvent: (event) => events.push(event),
    ...options,
  });
  methods.push(method);
  return method;
}

const told = (): readonly (readonly unknown[])[] =>
  events.map((event) => [
    event['event.name'].slice('clientcert.revocation.'.length),
    event['clientcert.revocation.source'].slice(folder.length + 1),
    ...(event['error.message'] === undefined ? [] : [event['error.message']]),
  ]);
const isTold =
  (...expected: readonly unknown[]) =>
  (): boolean =>
    told().some((one) => JSON.stringify(one) === JSON.stringify(expected));

/** `'good'`, or the code of the refusal. */
async function askedOf(
  method: RevocationMethod,
  certificate = client,
  authority: TestAuthority = root,
): Promise<string> {
  const revocation = createRevocation({ methods: [method] });
  return validate(certificate, authority, { revocation, time: new Date(time) }).then(
    ({ revocation: [evidence] = [] }) => evidence?.status ?? 'nobody was asked',
    ({ code, details }: { code: string; details: { cause?: string } }) => details.cause ?? code,
  );
}
const revoking = (crlNumber = 2, authority = root, revoked = authority === root ? client : otherClient): Buffer =>
  authority.crl({ crlNumber, revoked: [revoked] });
const isRevoked = 'ERR_CERTIFICATE_REVOKED';

describe('CRLs in files', () => {
  it('are read when they are asked for', async () => {
    put('root.crl', revoking());
    expect(await askedOf(open({ paths: path('root.crl') }))).toBe(isRevoked);
  });

  it.each<[string, () => CrlFilesOptions['paths']]>([
    ['a folder', () => folder],
    ['a URL', () => pathToFileURL(path('b.pem'))],
    ['a list of both', () => [path('a.crl'), pathToFileURL(path('b.pem'))]],
    ['a list of a folder and a file in it', () => [folder, path('b.pem')]],
  ])('are those of %s', async (_, paths) => {
    put('a.crl', other.crl());
    put('b.pem', `Root\r\n${pemOf(revoking()).replaceAll('\n', '\r\n')}`);
    expect(await askedOf(open({ paths: paths() }))).toBe(isRevoked);
  });

  it('are several in PEM, of any issuers', async () => {
    put('all.pem', `Other\n${pemOf(revoking(2, other))}Root\n${pemOf(revoking())}`);
    const method = open();
    expect(await askedOf(method)).toBe(isRevoked);
    expect(await askedOf(method, otherClient, other)).toBe(isRevoked);
  });

  it('are named in evidence, and in health', async () => {
    put('root.crl', root.crl({ revoked: [{ serialNumber: 1 }, { serialNumber: 2 }] }));
    put('other.crl', other.crl({ nextUpdate: 'absent' }));
    const method = open();
    const revocation = createRevocation({ methods: [method] });
    await expect(validate(client, root, { revocation })).resolves.toMatchObject({
      revocation: [{ status: 'good', method: 'crl', source: path('root.crl') }],
    });
    expect(method.health).toEqual({
      method: 'crl',
      status: 'ok',
      sources: [
        { source: path('other.crl'), status: 'ok', thisUpdate: daysFromTestTime(-1), entries: 0 },
        {
          source: path('root.crl'),
          status: 'ok',
          thisUpdate: daysFromTestTime(-1),
          nextUpdate: daysFromTestTime(7),
          entries: 2,
        },
      ],
    });
  });

  it('keep to the files they were given, whatever becomes of the working directory', async () => {
    put('root.crl', root.crl());
    const before = process.cwd();
    process.chdir(folder);
    const method = open({ paths: 'root.crl' });
    process.chdir(before);
    put('root.crl', revoking());
    await until(isTold('replaced', 'root.crl'));
    expect(await askedOf(method)).toBe(isRevoked);
  });

  it('RV-01: degrade health when their time is over', () => {
    put('root.crl', root.crl({ nextUpdate: TEST_TIME }));
    const method = open();
    expect(method.health.status).toBe('ok');
    time = now + 1;
    expect(method.health).toMatchObject({ status: 'degraded', sources: [{ problem: 'the time of the CRL is over' }] });
  });

  it('RV-01: count for expiredGraceSeconds after nextUpdate, to the millisecond', async () => {
    put('root.crl', root.crl({ nextUpdate: TEST_TIME }));
    const method = open({ expiredGraceSeconds: 60 });
    time = now + 60_000;
    expect([await askedOf(method), method.health.status]).toEqual(['good', 'ok']);
    time = now + 60_001;
    expect([await askedOf(method), method.health.status]).toEqual(['not-current', 'degraded']);
    expect(await askedOf(open())).toBe('not-current');
  });

  it('RV-01: count no longer than maxAgeSeconds, grace or not', async () => {
    put('root.crl', root.crl({ thisUpdate: new Date(now - 60_000), nextUpdate: TEST_TIME }));
    const method = open({ expiredGraceSeconds: 60, maxAgeSeconds: 90 });
    time = now + 30_000;
    expect(await askedOf(method)).toBe('good');
    time = now + 30_001;
    expect(await askedOf(method)).toBe('not-current');
  });
});

describe('CRLs in files that change', () => {
  it('are taken, and told of', async () => {
    put('root.crl', root.crl());
    const method = open();
    expect(await askedOf(method)).toBe('good');
    put('root.crl', revoking());
    await until(() => events.length > 0);
    expect(await askedOf(method)).toBe(isRevoked);
    expect(events).toEqual([
      {
        'event.name': 'clientcert.revocation.replaced',
        'clientcert.revocation.method': 'crl',
        'clientcert.revocation.source': path('root.crl'),
        'clientcert.revocation.entries': 1,
        'clientcert.crl.this_update': daysFromTestTime(-1).toISOString(),
        'clientcert.crl.next_update': daysFromTestTime(7).toISOString(),
      },
    ]);
  });

  it('are in use when they are told of, and have another revision', async () => {
    put('root.crl', root.crl());
    const seen: unknown[] = [];
    const method = open({ onEvent: () => seen.push(method.revision, method.health.sources[0]?.entries) });
    expect(method.revision).toBe(0);
    put('root.crl', revoking());
    await until(() => seen.length > 0);
    expect(seen).toEqual([1, 1]);
  });

  it('are the same after a touch: nothing is told, and no verdict forgotten', async () => {
    put('root.crl', root.crl());
    put('other.crl', other.crl());
    const method = open();
    put('root.crl', root.crl({ nextUpdate: daysFromTestTime(8) }));
    await until(isTold('replaced', 'root.crl'));
    utimesSync(path('other.crl'), 1, 1);
    put('root.crl', root.crl({ nextUpdate: daysFromTestTime(9) }));
    await until(() => told().length === 2);
    expect([told(), method.revision]).toEqual([
      [
        ['replaced', 'root.crl'],
        ['replaced', 'root.crl'],
      ],
      2,
    ]);
  });

  it('come in a file that is new', async () => {
    put('other.crl', other.crl());
    const method = open();
    expect(await askedOf(method)).toBe('no-source');
    put('root.crl', revoking());
    await until(isTold('replaced', 'root.crl'));
    expect(await askedOf(method)).toBe(isRevoked);
  });

  it('come in a new volume, swapped as Kubernetes does', async () => {
    mkdirSync(path('..1'));
    writeFileSync(path('..1/root.crl'), root.crl());
    symlinkSync('..1', path('..data'));
    symlinkSync('..data/root.crl', path('root.crl'));
    const method = open();
    expect(await askedOf(method)).toBe('good');
    mkdirSync(path('..2'));
    writeFileSync(path('..2/root.crl'), revoking());
    symlinkSync('..2', path('..data_tmp'));
    renameSync(path('..data_tmp'), path('..data'));
    rmSync(path('..1'), { recursive: true });
    await until(isTold('replaced', 'root.crl'));
    expect(await askedOf(method)).toBe(isRevoked);
    expect(told()).toEqual([['replaced', 'root.crl']]);
  });

  it('come in one file while another cannot be read', async () => {
    put('root.crl', root.crl());
    put('other.crl', other.crl());
    const method = open({ paths: [path('other.crl'), path('root.crl')] });
    unlinkSync(path('other.crl'));
    await until(isTold('refused', 'other.crl', 'no file'));
    put('root.crl', revoking());
    await until(isTold('replaced', 'root.crl'));
    expect(await askedOf(method)).toBe(isRevoked);
  });

  it('come in one file of a folder while another leads nowhere', async () => {
    put('root.crl', root.crl());
    const method = open();
    symlinkSync('nowhere', path('a.crl'));
    put('root.crl', revoking());
    await until(isTold('replaced', 'root.crl'));
    expect(await askedOf(method)).toBe(isRevoked);
    const problem = `found no readable file at ${path('a.crl')}`;
    expect(told()).toEqual([
      ['refused', '', problem],
      ['replaced', 'root.crl'],
    ]);
    expect(method.health).toMatchObject({
      status: 'degraded',
      sources: [{ status: 'ok' }, { source: folder, problem }],
    });
    unlinkSync(path('a.crl'));
    await until(isTold('recovered', ''));
    expect(method.health.status).toBe('ok');
    expect(told()).toHaveLength(3);
  });
});

describe('a CRL whose file is gone', () => {
  it('counts, and degrades health, until its time is over', async () => {
    put('root.crl', root.crl({ nextUpdate: daysFromTestTime(1), revoked: [client] }));
    put('other.crl', other.crl());
    const method = open();
    unlinkSync(path('root.crl'));
    await until(isTold('refused', 'root.crl', 'no file'));
    expect(await askedOf(method)).toBe(isRevoked);
    expect(method.health).toMatchObject({
      status: 'degraded',
      sources: [{ status: 'ok' }, { source: path('root.crl'), status: 'degraded', problem: 'no file', entries: 1 }],
    });
    time = daysFromTestTime(1).getTime() + 1;
    await until(isTold('recovered', 'root.crl'));
    expect(method.health).toMatchObject({ status: 'ok', sources: [{ source: path('other.crl') }] });
    expect(await askedOf(method)).toBe('no-source');
  });

  it('counts on where the file was asked for by name', async () => {
    put('root.crl', root.crl({ nextUpdate: daysFromTestTime(1), revoked: [client] }));
    put('other.crl', other.crl());
    const method = open({ paths: [path('root.crl'), path('other.crl')] });
    unlinkSync(path('root.crl'));
    await until(isTold('refused', 'root.crl', 'no file'));
    time = daysFromTestTime(2).getTime();
    // With the second change the first one is done with.
    for (const crlNumber of [2, 3]) {
      const { length } = events;
      put('other.crl', other.crl({ crlNumber }));
      await until(() => events.length > length);
    }
    expect(await askedOf(method)).toBe(isRevoked);
    expect(method.health).toMatchObject({ status: 'degraded', sources: [{ problem: 'no file' }, { status: 'ok' }] });
    put('root.crl', root.crl({ crlNumber: 2, nextUpdate: daysFromTestTime(3) }));
    await until(isTold('recovered', 'root.crl'));
    expect(await askedOf(method)).toBe('good');
  });

  it('is read again when it comes back just as it was', async () => {
    mkdirSync(path('volume'));
    put('volume/root.crl', root.crl());
    const method = open({ paths: path('volume') });
    renameSync(path('volume'), path('away'));
    await until(isTold('refused', 'volume/root.crl', 'no file'));
    expect(method.health.status).toBe('degraded');
    renameSync(path('away'), path('volume'));
    await until(() => method.health.status === 'ok');
    expect(told().filter(([what]) => what === 'recovered')).toHaveLength(2);
    expect(await askedOf(method)).toBe('good');
  });

  it('is the same under another name', async () => {
    put('1.crl', root.crl());
    const method = open();
    renameSync(path('1.crl'), path('2.crl'));
    await until(() => method.health.sources[0]?.source === path('2.crl') && method.health.sources.length === 1);
    expect(method.health.status).toBe('ok');
    expect(told()).toEqual([['replaced', '2.crl']]);
  });

  it('is followed by a newer one under another name, and not by an older one', async () => {
    put('2.crl', root.crl({ crlNumber: 2, revoked: [client] }));
    const method = open();
    expect(await askedOf(method)).toBe(isRevoked);
    put('1.crl', root.crl({ crlNumber: 1 }));
    unlinkSync(path('2.crl'));
    await until(isTold('refused', '2.crl', 'no file'));
    expect(await askedOf(method)).toBe(isRevoked);
    put('3.crl', root.crl({ crlNumber: 3, revoked: [client] }));
    await until(isTold('recovered', '2.crl'));
    expect(method.health.sources.map(({ source }) => source)).toEqual([path('1.crl'), path('3.crl')]);
    expect(await askedOf(method)).toBe(isRevoked);
  });
});

describe('the options of crlFiles', () => {
  const refused =
    (options: object): (() => unknown) =>
    () =>
      open(options);
  beforeEach(() => put('root.crl', root.crl()));

  it.each<[string, object, string | RegExp]>([
    ['unknown', { path: 'x' }, /^crlFiles received an unknown option, `path`/],
    ['no path', { paths: '' }, 'crlFiles takes paths of files and folders; it received an empty string.'],
    ['no paths', { paths: [] }, 'crlFiles needs paths; it received none.'],
    ['no word', { unknownIssuers: true }, "unknownIssuers must be 'reject' or 'accept'."],
    ['too often', { pollSeconds: 0 }, 'pollSeconds must be an integer from 1 to 86400; it received 0.'],
    ['too seldom', { pollSeconds: 86_401 }, /^pollSeconds must be/],
    ['no age', { maxAgeSeconds: 0 }, 'maxAgeSeconds must be an integer from 1 to 31536000; it received 0.'],
    [
      'no grace',
      { expiredGraceSeconds: -1 },
      'expiredGraceSeconds must be an integer from 0 to 2592000; it received -1.',
    ],
    ['too much grace', { expiredGraceSeconds: 2_592_001 }, /^expiredGraceSeconds must be/],
    ['no listener', { onEvent: 'x' }, 'onEvent must be a function; it received a string.'],
    ['no clock', { clock: 1 }, 'clock must be a function; it received 1.'],
  ])('are judged: %s', (_, options, message) => {
    expect(refused(options)).toThrow(message);
  });

  it('are taken at their bounds', () => {
    expect(refused({ pollSeconds: 1, maxAgeSeconds: 1, expiredGraceSeconds: 0 })).not.toThrow();
    const most = { pollSeconds: 86_400, maxAgeSeconds: 31_536_000, expiredGraceSeconds: 2_592_000 };
    expect(refused(most)).not.toThrow();
  });
});
