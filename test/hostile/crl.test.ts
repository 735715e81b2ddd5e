import { mkdirSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  type Authenticator,
  crlFiles,
  type CrlFilesOptions,
  createRevocation,
  type Outcome,
  type Revocation,
  type RevocationEvent,
  type RevocationMethod,
  TrustStore,
} from '@peercert/core';
import {
  cloudFrontHeaders,
  createAuthority,
  type CrlFields,
  daysFromTestTime,
  generateKey,
  TEST_TIME,
  type TestCertificate,
} from '@peercert/testkit';
import { manyEntries, pemOf } from '../support/crls';
import { behindEdge, fromEdge } from '../support/requests';
import { until } from '../support/until';

const root = createAuthority({ subject: 'CN=Root' });
const client = root.issue({ uris: ['urn:client'] });
const stranger = createAuthority({ subject: 'CN=Stranger' });
const now = TEST_TIME.getTime();

let folder = '';
let file = '';
let events: RevocationEvent[] = [];
let time = now;
const opened: Revocation[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'peercert-crl-'));
  file = join(folder, 'root.crl');
  [events, time] = [[], now];
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((revocation) => revocation.close()));
  rmSync(folder, { recursive: true });
});

/** By renaming it into place, as careful writers do. */
function put(contents: Uint8Array | string): void {
  writeFileSync(join(folder, '.new'), contents);
  renameSync(join(folder, '.new'), file);
}

function open(options: Partial<CrlFilesOptions> = {}, unknownStatus: 'reject' | 'accept' = 'reject'): Revocation {
  const onEvent = (event: RevocationEvent): number => events.push(event);
  const files = crlFiles({ paths: file, pollSeconds: 1, clock: () => time, onEvent, ...options });
  const revocation = createRevocation({ methods: [files], unknownStatus });
  opened.push(revocation);
  return revocation;
}

const judging = (revocation: Revocation): Authenticator =>
  behindEdge([root], { revocation, clock: () => time, verdictCache: { ttlSeconds: 86_400 } });

async function ask(authenticator: Authenticator, certificate: TestCertificate = client): Promise<Outcome> {
  return authenticator.authenticate(fromEdge(...cloudFrontHeaders(certificate).flat()));
}
const codeOf = (outcome: Outcome): string => (outcome.status === 'rejected' ? outcome.error.code : outcome.status);
const asked = async (authenticator: Authenticator, certificate?: TestCertificate): Promise<string> =>
  codeOf(await ask(authenticator, certificate));

const told = (): readonly string[] =>
  events.map((event) => {
    const message = event['error.message'];
    return event['event.name'].slice('clientcert.revocation.'.length) + (message === undefined ? '' : `: ${message}`);
  });

const revoking = (fields: CrlFields = {}): Buffer => root.crl({ crlNumber: 5, revoked: [client], ...fields });
const [isRevoked, isUnavailable] = ['ERR_CERTIFICATE_REVOKED', 'ERR_REVOCATION_UNAVAILABLE'];
const older = 'a CRL older than the one in use';

describe('RV-07: a CRL that was in use before', () => {
  it.each<[string, CrlFields]>([
    ['of a lower number', { crlNumber: 4 }],
    ['of a lower number, and a later time', { crlNumber: 4, thisUpdate: daysFromTestTime(-0.5) }],
    ['of the same number, and an earlier time', { crlNumber: 5, thisUpdate: daysFromTestTime(-2) }],
    ['without a number, and of an earlier time', { crlNumber: 'absent', thisUpdate: daysFromTestTime(-2) }],
  ])('is refused, and the newer one kept: %s', async (_, fields) => {
    put(revoking());
    const revocation = open();
    const authenticator = judging(revocation);
    expect(await asked(authenticator)).toBe(isRevoked);
    put(root.crl(fields));
    await until(() => events.length > 0);
    expect(told()).toEqual([`refused: ${older}`]);
    expect(await asked(authenticator)).toBe(isRevoked);
    expect(revocation.health).toEqual({
      status: 'degraded',
      methods: [
        {
          method: 'crl',
          status: 'degraded',
          sources: [
            {
              source: file,
              status: 'degraded',
              problem: older,
              thisUpdate: daysFromTestTime(-1),
              nextUpdate: daysFromTestTime(7),
              entries: 1,
            },
          ],
        },
      ],
    });
    put(root.crl({ crlNumber: 6 }));
    await until(() => events.length === 3);
    expect(told().slice(1)).toEqual(['replaced', 'recovered']);
    expect([await asked(authenticator), revocation.health.status]).toEqual(['authenticated', 'ok']);
  });

  it('is refused before anybody has asked, and without an authenticator', async () => {
    put(revoking());
    const revocation = open({ unknownIssuers: 'accept' });
    put(root.crl({ crlNumber: 4 }));
    await until(() => events.length > 0);
    expect(told()).toEqual([`refused: ${older}`]);
    expect(await asked(judging(revocation))).toBe(isRevoked);
  });

  it('is refused within the grace and after the time of the newer one', async () => {
    put(revoking());
    const authenticator = judging(open({ expiredGraceSeconds: 60 }, 'accept'));
    for (const later of [1_000, 61_000]) {
      time = daysFromTestTime(7).getTime() + later;
      put(root.crl({ crlNumber: 4, thisUpdate: new Date(now - 2 * 86_400_000 + later) }));
      await until(() => events.length > 0);
      expect(await asked(authenticator)).toBe(isRevoked);
    }
    expect(told()).toEqual([`refused: ${older}`]);
  });

  it('is not what has the same number and a later time', async () => {
    put(root.crl({ crlNumber: 5 }));
    const authenticator = judging(open());
    put(revoking({ thisUpdate: daysFromTestTime(-0.5) }));
    await until(() => events.length > 0);
    expect(told()).toEqual(['replaced']);
    expect(await asked(authenticator)).toBe(isRevoked);
  });
});

describe('F14, RV-10: a file that is no CRL any more', () => {
  const page = 'found markup, such as an error page, where a CRL is expected';
  const good = revoking();
  it.each<[string, () => void, string]>([
    ['a page', () => put('<!DOCTYPE html><title>Sign in</title>'), page],
    ['gzip', () => put(gzipSync(root.crl())), 'found gzip where a CRL is expected'],
    ['nothing', () => put(''), 'found an empty file'],
    ['nothing, in place', () => truncateSync(file), 'found an empty file'],
    ['garbage', () => put(Buffer.alloc(4_096, 0xa5)), 'found no CRL'],
    [
      'half of it',
      () => put(good.subarray(0, good.length / 2)),
      'found a CRL that is not strict DER: element is longer than what holds it at octet 0',
    ],
    ['half of it in PEM', () => put(pemOf(good).slice(0, 120)), 'found an X509 CRL block without its END'],
    ['the certificate', () => put(root.pem), 'found a CERTIFICATE block'],
    [
      '65 MB of DER',
      () => put(Buffer.concat([Buffer.of(0x30, 0x84, 0x03, 0xdf, 0xd2, 0x40), Buffer.alloc(65_000_000)])),
      'found a CRL that is not strict DER: tbsCertList expected at octet 6',
    ],
    [
      'more than 64 MiB of DER',
      () => put(Buffer.concat([Buffer.of(0x30, 0x84, 0x04, 0, 0, 0), Buffer.alloc(64 * 1024 * 1024)])),
      'found a CRL that is not strict DER: CRL is too large at octet 0',
    ],
    ['65 MB of blanks', () => put(Buffer.alloc(65_000_000, ' ')), 'found no CRL'],
    [
      'more than 128 MiB',
      () => {
        put('');
        truncateSync(file, 128 * 1024 * 1024 + 1);
      },
      `found a file of ${128 * 1024 * 1024 + 1} octets at `,
    ],
    [
      'a folder',
      () => {
        rmSync(file);
        mkdirSync(file);
      },
      'no file',
    ],
    ['no file', () => rmSync(file), 'no file'],
  ])('keeps the last good one in use: %s', async (name, spoil, problem) => {
    put(good);
    const revocation = open();
    const authenticator = judging(revocation);
    spoil();
    const expected = problem.endsWith(' at ') ? problem + file : problem;
    await until(() => told().some((one) => one === `refused: ${expected}`));
    expect(await asked(authenticator)).toBe(isRevoked);
    expect(revocation.health).toMatchObject({
      status: 'degraded',
      methods: [{ sources: [{ source: file, status: 'degraded', problem: expected, entries: 1 }] }],
    });
    if (name === 'a folder') rmSync(file, { recursive: true });
    put(root.crl({ crlNumber: 6 }));
    await until(() => told().includes('recovered'));
    expect([await asked(authenticator), revocation.health.status]).toEqual(['authenticated', 'ok']);
  });

  it('recovers with the very CRL it had before', async () => {
    put(good);
    const revocation = open();
    put('');
    await until(() => events.length === 1);
    put(good);
    await until(() => events.length === 2);
    expect(told()).toEqual(['refused: found an empty file', 'recovered']);
    expect(revocation.health.status).toBe('ok');
  });

  it('is told of once for each reason', async () => {
    put(good);
    open();
    for (const [contents, count] of [
      ['', 1],
      ['', 1],
      ['<html>', 2],
      ['<p>', 2],
      ['', 3],
    ] as const) {
      put(contents);
      await until(() => events.length === count);
    }
    put(good);
    await until(() => told().includes('recovered'));
    const empty = 'refused: found an empty file';
    expect(told()).toEqual([empty, `refused: ${page}`, empty, 'recovered']);
  });

  it('is a CRL that somebody else signed: it changes nothing, whatever number it has, nor what comes after it', async () => {
    put(good);
    const revocation = open();
    const authenticator = judging(revocation);
    put(root.crl({ crlNumber: 2n ** 150n, signer: generateKey(), nextUpdate: new Date('9999-01-01') }));
    await until(() => events.length > 0);
    expect(told()).toEqual(['refused: a CRL that is not signed by who signed the one before']);
    expect([await asked(authenticator), revocation.health.status]).toEqual([isRevoked, 'degraded']);
    put(root.crl({ crlNumber: 6 }));
    await until(() => events.length === 3);
    expect([await asked(authenticator), revocation.health.status]).toEqual(['authenticated', 'ok']);
  });

  it('is a CRL of another CA: that of its own stays in use', async () => {
    put(good);
    const authenticator = judging(open());
    put(stranger.crl());
    await until(() => told().some((one) => one.startsWith('refused')));
    expect(told()).toEqual(['replaced', 'refused: no longer every CRL that was there']);
    expect(await asked(authenticator)).toBe(isRevoked);
  });
});

describe('F36, RV-11: an origin with CRLs that are of no use', () => {
  const opening = (options: Partial<CrlFilesOptions> = {}): string => {
    try {
      judging(open(options));
      return 'started';
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      return error.message.replaceAll(folder, '');
    }
  };

  it.each<[string, () => void, string]>([
    ['no file', () => {}, 'crlFiles: found no readable file at /root.crl.'],
    ['an empty file', () => put(''), 'crlFiles: /root.crl: found an empty file.'],
    ['garbage', () => put('garbage'), 'crlFiles: /root.crl: found no CRL.'],
    [
      'a page',
      () => put('<html>'),
      'crlFiles: /root.crl: found markup, such as an error page, where a CRL is expected.',
    ],
    ['a folder without files', () => mkdirSync(file), 'crlFiles: found no file in /root.crl.'],
    [
      'a folder of nothing that counts',
      () => {
        mkdirSync(join(file, 'folder'), { recursive: true });
        writeFileSync(join(file, '.hidden'), root.crl());
      },
      'crlFiles: found no file in /root.crl.',
    ],
    [
      'a CRL of an unknown issuer',
      () => put(stranger.crl()),
      'crlFiles: /root.crl has a CRL of an issuer that is not in the trust store. If clients send the certificate of ' +
        'that issuer, put it among the intermediates of the store.',
    ],
    [
      'a CRL that its issuer did not sign',
      () => put(createAuthority({ subject: 'CN=Root' }).crl()),
      'crlFiles: /root.crl has a CRL that its issuer in the trust store did not sign.',
    ],
    [
      'one such CRL among others',
      () => put(pemOf(root.crl(), root.crl({ signer: generateKey() }))),
      'crlFiles: /root.crl has a CRL that its issuer in the trust store did not sign.',
    ],
  ])('does not start: %s', (_, prepare, message) => {
    prepare();
    expect(opening()).toBe(message);
  });

  it('does not start with one folder without files beside one with', () => {
    put(root.crl());
    mkdirSync(join(folder, 'empty'));
    expect(opening({ paths: [file, join(folder, 'empty')] })).toBe('crlFiles: found no file in /empty.');
  });

  it('starts when the issuer is among the intermediates of the store, and when unknown issuers are accepted', async () => {
    const issuing = root.issueIntermediate();
    put(pemOf(issuing.crl(), root.crl()));
    expect(opening()).toContain('an issuer that is not in the trust store');
    const trust = TrustStore.fromDer([root.der], { intermediates: [issuing.der] });
    expect(() => behindEdge(trust, { revocation: open() })).not.toThrow();
    const authenticator = judging(open({ unknownIssuers: 'accept' }));
    expect(await asked(authenticator, issuing.issue({ uris: ['urn:below'] }))).toBe('authenticated');
    put(stranger.crl());
    expect(opening({ unknownIssuers: 'accept' })).toBe('started');
  });

  it('does not start with what an issuer in the store did not sign, though unknown issuers are accepted', () => {
    put(root.crl({ signer: generateKey() }));
    expect(opening({ unknownIssuers: 'accept' })).toContain('did not sign');
  });

  it('starts with a CRL of each key of a CA that has two', () => {
    const renewed = createAuthority({ subject: 'CN=Root' });
    put(pemOf(root.crl(), renewed.crl()));
    expect(() => behindEdge([root, renewed], { revocation: open() })).not.toThrow();
  });
});

describe('a verdict that is remembered', () => {
  it('is refused with the next request after a change was taken, and good again after the next', async () => {
    put(root.crl());
    const authenticator = judging(open());
    expect([await asked(authenticator), await asked(authenticator)]).toEqual(['authenticated', 'authenticated']);
    put(revoking());
    await until(() => events.length === 1);
    expect(await asked(authenticator)).toBe(isRevoked);
    put(root.crl({ crlNumber: 6 }));
    await until(() => events.length === 2);
    expect(await asked(authenticator)).toBe('authenticated');
  });

  it('RV-01: ends with nextUpdate', async () => {
    put(root.crl({ nextUpdate: daysFromTestTime(1) }));
    for (const unknownStatus of ['reject', 'accept'] as const) {
      time = now;
      const authenticator = judging(open({}, unknownStatus));
      expect(await asked(authenticator)).toBe('authenticated');
      time = daysFromTestTime(1).getTime();
      expect(await ask(authenticator)).toMatchObject({ status: 'authenticated', revocation: [{ status: 'good' }] });
      time += 1;
      expect(await ask(authenticator)).toMatchObject(
        unknownStatus === 'reject'
          ? { error: { code: isUnavailable, status: 503, details: { cause: 'not-current' } } }
          : { status: 'authenticated', revocation: [{ status: 'unknown', cause: 'not-current' }] },
      );
    }
  });

  it('is not one that was under way when the CRL changed', async () => {
    put(root.crl());
    const files = crlFiles({ paths: file, clock: () => time, onEvent: (event) => events.push(event) });
    let release: (() => void) | undefined;
    /** Says that everybody is good, but the first time only when it is let. */
    const responder: RevocationMethod = {
      name: 'ocsp',
      revision: 0,
      health: { method: 'ocsp', status: 'ok', sources: [] },
      checkTrust: () => {},
      ask: async () => {
        if (release === undefined) await new Promise<void>((resolve) => (release = resolve));
        return { status: 'good', source: 'responder', asOf: now, until: now + 60_000 };
      },
      close: async () => {},
    };
    const revocation = createRevocation({ methods: [files, responder], mustAnswer: ['ocsp'] });
    opened.push(revocation);
    const authenticator = judging(revocation);
    const begun = asked(authenticator);
    await until(() => release !== undefined);
    put(revoking());
    await until(() => events.length > 0);
    release?.();
    expect(await begun).toBe('authenticated');
    expect(await asked(authenticator)).toBe(isRevoked);
  });
});

describe('a CRL of 200,000 entries', () => {
  const large = (crlNumber: number): Buffer => {
    return root.crl({ crlNumber, raw: { revokedCertificates: manyEntries(200_000) } });
  };

  it.each<[string, (crl: Buffer) => Uint8Array | string]>([
    ['DER', (crl) => crl],
    ['PEM', (crl) => pemOf(crl)],
  ])('RV-10: is taken anew without keeping the event loop: %s', async (_, write) => {
    put(write(large(1)));
    const authenticator = judging(open());
    expect(await asked(authenticator)).toBe('authenticated');
    put(write(large(2)));
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    await until(() => events.length > 0);
    delay.disable();
    expect(told()).toEqual(['replaced']);
    expect(events[0]).toMatchObject({ 'clientcert.revocation.entries': 200_000 });
    expect(delay.max / 1e6).toBeLessThan(100);
    expect(await asked(authenticator)).toBe('authenticated');
  });
});
