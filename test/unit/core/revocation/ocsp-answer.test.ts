import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, daysFromTestTime, der, type OcspResponseFields, TEST_TIME } from '@peercert/testkit';
import {
  checkOcspResponse,
  type CheckOcspResponseInput,
  type OcspAnswer,
} from '../../../../packages/core/src/revocation/ocsp-answer';
import { Certificate } from '../../../../packages/core/src/x509/certificate';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const root = createAuthority({ subject: 'CN=Root' });
const client = root.issue();
const delegate = root.issue({
  subject: 'CN=Responder',
  extKeyUsage: ['OCSPSigning'],
  extensions: [{ oid: '1.3.6.1.5.5.7.48.1.5', value: der.null() }],
});
const revokedAt = daysFromTestTime(-2);

const input = (fields: OcspResponseFields = {}): CheckOcspResponseInput => ({
  certificate: client.der,
  issuer: root.der,
  response: root.ocspResponse({ certificate: client, ...fields }),
  time: TEST_TIME,
});
const check = (fields: OcspResponseFields, options: Partial<CheckOcspResponseInput> = {}): Promise<OcspAnswer> =>
  checkOcspResponse({ ...input(fields), ...options });

const evidence = {
  thisUpdate: daysFromTestTime(-1 / 24),
  until: daysFromTestTime(1),
  producedAt: TEST_TIME,
  responder: new Certificate(root.der).sha256,
};

describe('checkOcspResponse', () => {
  it('says that a certificate is good, and what that rests on', async () => {
    expect(await check({})).toEqual({ status: 'good', ...evidence });
  });

  it('says that a certificate is revoked, since when and why', async () => {
    const status = { revokedAt, reason: 'superseded' } as const;
    expect(await check({ status })).toEqual({ status: 'revoked', revokedAt, reason: 'superseded', ...evidence });
  });

  it('says why it cannot say', async () => {
    expect(await check({ status: 'unknown' })).toEqual({ status: 'unknown', cause: 'status-unknown' });
    expect(await check({ responseStatus: 'tryLater' })).toEqual({
      status: 'unknown',
      cause: 'responder-error',
      detail: 'tryLater',
    });
    expect(await checkOcspResponse({ ...input(), response: Buffer.alloc(0) })).toEqual({
      status: 'unknown',
      cause: 'malformed',
      detail: 'OCSPResponse expected (octet 0)',
    });
  });

  it('takes any Uint8Array, and leaves it as it is', async () => {
    const { certificate, issuer, response } = input();
    const [one, two, three] = [certificate, issuer, response].map((octets) => new Uint8Array(octets));
    const answer = await checkOcspResponse({
      certificate: one as Uint8Array,
      issuer: two as Uint8Array,
      response: three as Uint8Array,
      time: TEST_TIME,
    });
    expect(answer.status).toBe('good');
    expect([one, two, three]).toEqual([certificate, issuer, response].map((octets) => new Uint8Array(octets)));
  });

  it('judges what it was given, though the caller writes over it meanwhile', async () => {
    const response = root.ocspResponse({ certificate: client, status: { revokedAt } });
    const answer = checkOcspResponse({ ...input(), response });
    response.fill(0);
    expect((await answer).status).toBe('revoked');
  });

  it("takes a delegate's certificate from the caller", async () => {
    const fields = { delegate, certificates: [] };
    expect((await check(fields)).status).toBe('unknown');
    const answer = await check(fields, { certificates: [client.der, delegate.der] });
    expect(answer).toEqual({ status: 'good', ...evidence, responder: new Certificate(delegate.der).sha256 });
  });

  it('OC-05: lets an answer without nextUpdate be an hour old, unless told otherwise', async () => {
    const old = (seconds: number): OcspResponseFields => ({
      thisUpdate: new Date(TEST_TIME.getTime() - seconds * 1000),
      nextUpdate: 'absent',
    });
    expect((await check(old(3_600))).status).toBe('good');
    expect(await check(old(3_601))).toEqual({ status: 'unknown', cause: 'stale' });
    expect((await check(old(60), { maxAgeSeconds: 60 })).status).toBe('good');
    expect(await check(old(61), { maxAgeSeconds: 60 })).toEqual({ status: 'unknown', cause: 'stale' });
  });

  it('judges now unless told otherwise', async () => {
    const { time: _, ...now } = input({ thisUpdate: new Date(Date.now() - 60_000), nextUpdate: 'absent' });
    expect((await checkOcspResponse(now)).status).toBe('good');
    const { time: __, ...past } = input({ thisUpdate: new Date(0), nextUpdate: new Date(1_000) });
    expect(await checkOcspResponse(past)).toEqual({ status: 'unknown', cause: 'stale' });
  });

  it('accepts SHA-1, and delegates that cannot be checked, only where told to', async () => {
    const unchecked = root.issue({ subject: 'CN=Responder', extKeyUsage: ['OCSPSigning'] });
    const fields = { delegate: unchecked, signatureAlgorithm: 'ecdsa-sha1' } as const;
    expect(await check(fields)).toMatchObject({ cause: 'algorithm-not-permitted' });
    expect(await check(fields, { legacyAlgorithms: 'accept' })).toMatchObject({ cause: 'responder-not-authorized' });
    const options = { legacyAlgorithms: 'accept', delegateWithoutNocheck: 'accept' } as const;
    expect((await check(fields, options)).status).toBe('good');
  });

  it.each<[string, Partial<CheckOcspResponseInput>, number]>([
    ['the certificate', { certificate: Buffer.from('x') }, 0],
    ['the issuer', { issuer: Buffer.from('x') }, 1],
    ["a candidate for the responder's", { certificates: [delegate.der, Buffer.from('x')] }, 3],
  ])('rejects when %s is malformed', async (_, options, position) => {
    await expect(check({}, options)).toRejectWith('ERR_CERTIFICATE_MALFORMED', {
      position,
      reason: 'Certificate expected',
      offset: 0,
    });
  });

  it.each<[string, object, Error]>([
    [
      'certificate',
      { certificate: client.pem },
      new TypeError('certificate must be a Uint8Array; it received a string.'),
    ],
    ['issuer', { issuer: undefined }, new TypeError('issuer must be a Uint8Array; it received undefined.')],
    ['response', { response: null }, new TypeError('response must be a Uint8Array; it received null.')],
    [
      'certificates',
      { certificates: client.der },
      new TypeError('certificates must be an array; it received an object.'),
    ],
    [
      'one of certificates',
      { certificates: [delegate.der, 'x'] },
      new TypeError('certificates[1] must be a Uint8Array; it received a string.'),
    ],
    ['time', { time: Date.now() }, new TypeError('time must be a valid Date.')],
    ['time that is none', { time: new Date(Number.NaN) }, new TypeError('time must be a valid Date.')],
    [
      'maxAgeSeconds of 0',
      { maxAgeSeconds: 0 },
      new RangeError('maxAgeSeconds must be an integer from 1 to 604800; it received 0.'),
    ],
    [
      'maxAgeSeconds of more than a week',
      { maxAgeSeconds: 604_801 },
      new RangeError('maxAgeSeconds must be an integer from 1 to 604800; it received 604801.'),
    ],
    ['legacyAlgorithms', { legacyAlgorithms: true }, new TypeError("legacyAlgorithms must be 'reject' or 'accept'.")],
    [
      'delegateWithoutNocheck',
      { delegateWithoutNocheck: 'ignore' },
      new TypeError("delegateWithoutNocheck must be 'reject' or 'accept'."),
    ],
    [
      'an option that does not exist',
      { maxage: 5 },
      new TypeError(
        'checkOcspResponse received an unknown option, `maxage`. It knows certificate, issuer, response, certificates, ' +
          'time, maxAgeSeconds, legacyAlgorithms, delegateWithoutNocheck.',
      ),
    ],
  ])('rejects %s of the wrong kind', async (_, options, error) => {
    await expect(check({}, options)).rejects.toThrow(error);
  });
});

describe('OpenSSL', () => {
  const folder = mkdtempSync(join(tmpdir(), 'peercert-ocsp-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  function statusByOpenssl(response: Buffer): string {
    const file = (name: string, content: string | Buffer): string => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    const rootFile = file('root.pem', root.pem);
    const clientFile = file('client.pem', client.pem);
    // Verified at the time of the tests; the times of the answer it compares with its own clock, and only warns.
    const time = ['-attime', String(TEST_TIME.getTime() / 1000)];
    const trust = ['-CAfile', rootFile, '-issuer', rootFile, '-cert', clientFile];
    const text = execFileSync('openssl', ['ocsp', '-respin', file('r.der', response), ...trust, ...time, '-no_nonce'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return /^(?:.*: )?(good|revoked|unknown)$/m.exec(text)?.[1] ?? text;
  }

  it.each<[string, OcspResponseFields, string]>([
    ['good', {}, 'good'],
    ['good by a delegate', { delegate }, 'good'],
    ['revoked', { status: { revokedAt, reason: 'keyCompromise' } }, 'revoked'],
    ['unknown', { status: 'unknown' }, 'unknown'],
  ])('finds the same in a response that says %s', async (_, fields, expected) => {
    const response = root.ocspResponse({ certificate: client, ...fields });
    expect(statusByOpenssl(response)).toBe(expected);
    expect((await checkOcspResponse({ ...input(), response })).status).toBe(expected);
  });

  it('takes a response that another key has signed for none, as is done here', async () => {
    const response = root.ocspResponse({ certificate: client, signer: delegate });
    expect(() => statusByOpenssl(response)).toThrow('Command failed');
    expect((await checkOcspResponse({ ...input(), response })).status).toBe('unknown');
  });
});
