import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createAuthority,
  daysFromTestTime,
  der,
  type OcspResponseFields,
  type OcspSingleFields,
  type RawOcspFields,
  type RawOcspSingleFields,
  TEST_TIME,
} from '@peercert/testkit';

const root = createAuthority({ subject: 'CN=Root,O=Example' });
const client = root.issue({ serialNumber: 0xabcd });
const delegate = root.issue({ subject: 'CN=Responder', extKeyUsage: ['OCSPSigning'] });

const folder = mkdtempSync(join(tmpdir(), 'peercert-ocsp-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What OpenSSL prints of a response, without the white space at both ends of each line. */
function openssl(fields: OcspResponseFields): string[] {
  const file = join(folder, 'response.der');
  writeFileSync(file, root.ocspResponse(fields));
  const text = execFileSync('openssl', ['ocsp', '-respin', file, '-resp_text', '-noverify'], { encoding: 'utf8' });
  return text.split('\n').map((line) => line.trim());
}

const digest = (algorithm: string, octets: Uint8Array): string =>
  createHash(algorithm).update(octets).digest('hex').toUpperCase();
/** The key identifiers of this package are what RFC 6960 calls key hashes. */
const keyHash = (certificate: { readonly subjectKeyIdentifier: Buffer | undefined }): string | undefined =>
  certificate.subjectKeyIdentifier?.toString('hex').toUpperCase();

describe('a minted OCSP response', () => {
  it('says that a certificate is good, around TEST_TIME, signed by the authority', () => {
    const lines = openssl({ certificate: client });
    expect(lines).toEqual(
      expect.arrayContaining([
        'OCSP Response Status: successful (0x0)',
        'Response Type: Basic OCSP Response',
        'Version: 1 (0x0)',
        `Responder Id: ${keyHash(root)}`,
        'Produced At: Jun  1 12:00:00 2026 GMT',
        'Hash Algorithm: sha1',
        `Issuer Name Hash: ${digest('sha1', root.subject)}`,
        `Issuer Key Hash: ${keyHash(root)}`,
        'Serial Number: ABCD',
        'Cert Status: good',
        'This Update: Jun  1 11:00:00 2026 GMT',
        'Next Update: Jun  2 12:00:00 2026 GMT',
        'Signature Algorithm: ecdsa-with-SHA256',
      ]),
    );
    expect(lines).not.toContain('Certificate:');
  });

  it('says what its fields say', () => {
    const lines = openssl({
      certificate: client,
      serialNumber: 7,
      status: { revokedAt: daysFromTestTime(-1), reason: 'keyCompromise' },
      thisUpdate: TEST_TIME,
      nextUpdate: 'absent',
      producedAt: daysFromTestTime(2),
      responderId: 'name',
      hashAlgorithm: 'sha256',
      nonce: Buffer.of(1, 2, 3),
      responseExtensions: [{ oid: '1.2.3', critical: true, value: der.null() }],
    });
    expect(lines).toEqual(
      expect.arrayContaining([
        'Responder Id: CN = Root, O = Example',
        'Produced At: Jun  3 12:00:00 2026 GMT',
        'Hash Algorithm: sha256',
        `Issuer Name Hash: ${digest('sha256', root.subject)}`,
        'Serial Number: 07',
        'Cert Status: revoked',
        'Revocation Time: May 31 12:00:00 2026 GMT',
        'Revocation Reason: keyCompromise (0x1)',
        'This Update: Jun  1 12:00:00 2026 GMT',
        'OCSP Nonce:',
        '0403010203',
        '1.2.3: critical',
      ]),
    );
    expect(lines.some((line) => line.startsWith('Next Update'))).toBe(false);
  });

  it('has several answers, each with what it leaves out from the response', () => {
    const lines = openssl({
      certificate: client,
      nextUpdate: 'absent',
      responses: [{}, { serialNumber: 8, status: 'unknown' }, { status: { revokedAt: TEST_TIME, reason: 6 } }],
    });
    expect(lines.filter((line) => /^(Serial|Cert Status)/.test(line))).toEqual([
      'Serial Number: ABCD',
      'Cert Status: good',
      'Serial Number: 08',
      'Cert Status: unknown',
      'Serial Number: ABCD',
      'Cert Status: revoked',
    ]);
    expect(lines).toContain('Revocation Reason: certificateHold (0x6)');
    expect(lines.some((line) => line.startsWith('Next Update'))).toBe(false);
  });

  it('is signed by a delegate, who is named and enclosed', () => {
    const lines = openssl({ certificate: client, delegate });
    expect(lines).toContain(`Responder Id: ${keyHash(delegate)}`);
    expect(lines).toContain('Subject: CN=Responder');
    expect(openssl({ certificate: client, delegate, responderId: 'name' })).toContain('Responder Id: CN = Responder');
    expect(openssl({ certificate: client, delegate, certificates: [] })).not.toContain('Certificate:');
  });

  it("is about another authority's certificate when it is told so", () => {
    const other = createAuthority();
    const lines = openssl({ certificate: client, issuer: other });
    expect(lines).toContain(`Issuer Name Hash: ${digest('sha1', other.subject)}`);
    expect(lines).toContain(`Issuer Key Hash: ${keyHash(other)}`);
  });

  it.each([
    ['malformedRequest', 1],
    ['internalError', 2],
    ['tryLater', 3],
    ['sigRequired', 5],
    ['unauthorized', 6],
  ] as const)('is the error %s, with nothing else', (responseStatus, number) => {
    expect(root.ocspResponse({ responseStatus })).toEqual(der.sequence(der.tlv(0x0a, Buffer.of(number))));
  });

  it('wants to know what it is about', () => {
    expect(() => root.ocspResponse({})).toThrow(new TypeError('an answer needs a certificate or a serialNumber'));
  });

  it('wants a signature algorithm that suits the key', () => {
    expect(() => root.ocspResponse({ certificate: client, signatureAlgorithm: 'ed25519' })).toThrow(TypeError);
    const lines = openssl({ certificate: client, signatureAlgorithm: 'ecdsa-sha384' });
    expect(lines).toContain('Signature Algorithm: ecdsa-with-SHA384');
  });
});

describe('what a response cannot honestly say', () => {
  const mark = der.octetString(Buffer.from('a mark'));

  it.each<keyof RawOcspFields>([
    'responseStatus',
    'responseBytes',
    'responseType',
    'tbsResponseData',
    'version',
    'responderID',
    'producedAt',
    'responses',
    'responseExtensions',
    'signatureAlgorithm',
    'signature',
    'certs',
  ])('is written in place of %s', (field) => {
    expect(root.ocspResponse({ certificate: client, raw: { [field]: mark } }).includes(mark)).toBe(true);
  });

  it.each<keyof RawOcspSingleFields>(['certID', 'certStatus', 'thisUpdate', 'nextUpdate', 'singleExtensions'])(
    'is written in place of %s of an answer',
    (field) => {
      const single: OcspSingleFields = { rawSingle: { [field]: mark } };
      expect(root.ocspResponse({ certificate: client, responses: [single] }).includes(mark)).toBe(true);
    },
  );

  it('is left out where the encoding is empty', () => {
    const whole = root.ocspResponse({ certificate: client, raw: { signature: mark } });
    const without = root.ocspResponse({ certificate: client, raw: { signature: mark, producedAt: Buffer.alloc(0) } });
    expect(whole.length - without.length).toBe(der.generalizedTime(TEST_TIME).length);
  });
});
