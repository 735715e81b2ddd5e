import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, der, type OcspSingleFields } from '@peercert/testkit';
import { isAbout, ocspGetUrl, ocspRequest } from '../../../../packages/core/src/revocation/ocsp-request';
import { Certificate } from '../../../../packages/core/src/x509/certificate';
import { decodeOcspResponse } from '../../../../packages/core/src/x509/ocsp-response';
import type { CertId } from '../../../../packages/core/src/x509/ocsp-single-response';

const root = createAuthority({ subject: 'CN=Root' });
const client = root.issue({ serialNumber: 0x8001n });
const subject = { certificate: new Certificate(client.der), issuer: new Certificate(root.der) };

function certIdOf(fields: OcspSingleFields): CertId {
  const response = decodeOcspResponse(root.ocspResponse({ certificate: client, ...fields }));
  const single = response.status === 'successful' ? response.basic.responses[0] : undefined;
  if (single === undefined) throw new Error('no answer');
  return single.certId;
}

describe('a CertID', () => {
  it.each(['sha1', 'sha256', 'sha384', 'sha512'] as const)(
    'OC-09: is about its certificate, with %s',
    (hashAlgorithm) => {
      expect(isAbout(certIdOf({ hashAlgorithm }), subject)).toBe(true);
    },
  );

  it('OC-09: is about none with another digest', () => {
    expect(isAbout(certIdOf({ hashAlgorithm: 'md5' }), subject)).toBe(false);
  });

  const other = createAuthority({ subject: 'CN=Other' });
  it.each<[string, OcspSingleFields]>([
    ['another serial number', { serialNumber: 0x8002n }],
    ['RV-09: the same octets as a negative serial number', { serialNumber: Buffer.of(0x80, 0x01) }],
    ["another issuer's name", { issuer: { subject: other.subject, key: root.key } }],
    ["another issuer's key", { issuer: { subject: root.subject, key: other.key } }],
    ['another issuer', { issuer: other }],
  ])('OC-01: is not about it with %s', (_, fields) => {
    expect(isAbout(certIdOf(fields), subject)).toBe(false);
  });
});

describe('an OCSP request', () => {
  const folder = mkdtempSync(join(tmpdir(), 'peercert-ocsp-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  function readByOpenssl(request: Buffer): string {
    const file = join(folder, 'request.der');
    writeFileSync(file, request);
    return execFileSync('openssl', ['ocsp', '-reqin', file, '-req_text'], { encoding: 'utf8' });
  }

  const certIdDer = ({ issuerNameHash, issuerKeyHash, serialNumber }: CertId): Buffer =>
    der.sequence(
      der.sequence(der.oid('1.3.14.3.2.26'), der.null()),
      der.octetString(issuerNameHash),
      der.octetString(issuerKeyHash),
      der.integer(serialNumber),
    );
  const requestDer = (certId: CertId, ...extensions: readonly Buffer[]): Buffer =>
    der.sequence(der.sequence(der.sequence(der.sequence(certIdDer(certId))), ...extensions));

  it('has one CertID, which is about the certificate', () => {
    expect(ocspRequest(subject)).toEqual(requestDer(certIdOf({})));
  });

  it('has the longest of serial numbers and any nonce, in DER', () => {
    const certificate = root.issue({ serialNumber: 2n ** 160n - 1n });
    const certId = certIdOf({ certificate });
    const longest = { ...subject, certificate: new Certificate(certificate.der) };
    for (let length = 1; length <= 128; length++) {
      const nonce = Buffer.alloc(length, length);
      const value = der.octetString(der.octetString(nonce));
      const extension = der.sequence(der.oid('1.3.6.1.5.5.7.48.1.2'), value);
      const expected = requestDer(certId, der.explicit(2, der.sequence(extension)));
      expect(ocspRequest({ ...longest, nonce })).toEqual(expected);
    }
  });

  it('is what OpenSSL reads', () => {
    const { issuerNameHash, issuerKeyHash } = certIdOf({});
    const text = readByOpenssl(ocspRequest(subject));
    expect(text).toContain('Hash Algorithm: sha1');
    expect(text).toContain(`Issuer Name Hash: ${issuerNameHash.toString('hex').toUpperCase()}`);
    expect(text).toContain(`Issuer Key Hash: ${issuerKeyHash.toString('hex').toUpperCase()}`);
    expect(text).toContain('Serial Number: 8001');
    expect(text).not.toContain('Nonce');
  });

  it.each([1, 32, 64, 128])('OC-06: has a nonce of %i octets that OpenSSL reads', (length) => {
    const text = readByOpenssl(ocspRequest({ ...subject, nonce: Buffer.alloc(length, 0xab) }));
    expect(text).toContain('OCSP Nonce');
    expect(text.slice(text.indexOf('OCSP Nonce')).replace(/[\s\\]/g, '')).toContain('AB'.repeat(length));
  });

  it.each([0, 129])('OC-06: has no nonce of %i octets', (length) => {
    expect(() => ocspRequest({ ...subject, nonce: Buffer.alloc(length) })).toThrow(
      new RangeError('nonce must have from 1 to 128 octets.'),
    );
  });
});

describe('the URL of a GET request', () => {
  const request = Buffer.from('fbffbf00', 'hex');

  it.each([
    ['http://ocsp.example', 'http://ocsp.example/%2B%2F%2B%2FAA%3D%3D'],
    ['http://ocsp.example/', 'http://ocsp.example/%2B%2F%2B%2FAA%3D%3D'],
    ['http://ocsp.example/ca/1', 'http://ocsp.example/ca/1/%2B%2F%2B%2FAA%3D%3D'],
  ])('appends the request to the path of %s', (url, expected) => {
    expect(ocspGetUrl(url, request)).toBe(expected);
  });

  it.each(['http://ocsp.example/?ca=1', 'http://ocsp.example/#ca'])('is none for %s', (url) => {
    expect(ocspGetUrl(url, request)).toBeUndefined();
  });

  it('has at most 255 octets', () => {
    const encoded = '%2B%2F%2B%2FAA%3D%3D';
    const url = `http://ocsp.example/${'a'.repeat(255 - encoded.length - 'http://ocsp.example//'.length)}`;
    expect(ocspGetUrl(url, request)).toHaveLength(255);
    expect(ocspGetUrl(`${url}a`, request)).toBeUndefined();
  });

  it('fits for an ordinary request, and not for one with a nonce of 128 octets', () => {
    expect(ocspGetUrl('http://ocsp.example', ocspRequest(subject))).toMatch(/^http:\/\/ocsp\.example\/ME/);
    const nonce = Buffer.alloc(128);
    expect(ocspGetUrl('http://ocsp.example', ocspRequest({ ...subject, nonce }))).toBeUndefined();
  });
});
