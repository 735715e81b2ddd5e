import { type CertificateFields, createAuthority, der } from '@peercert/testkit';
import { decodeOcspUrls, ocspUrlsOf } from '../../../../packages/core/src/x509/access-descriptions';
import { Certificate } from '../../../../packages/core/src/x509/certificate';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const root = createAuthority();
const urlsOf = (fields: CertificateFields): readonly string[] => ocspUrlsOf(new Certificate(root.issue(fields).der));

const uri = (text: string): Buffer => der.implicit(6, Buffer.from(text, 'latin1'));
const description = (method: string, location: Uint8Array): Buffer => der.sequence(der.oid(method), location);
const ocsp = '1.3.6.1.5.5.7.48.1';
const caIssuers = '1.3.6.1.5.5.7.48.2';

const decode = (value: Buffer): readonly string[] => decodeOcspUrls(value, { start: 0, end: value.length });

describe('authorityInfoAccess', () => {
  it('names OCSP responders in their order', () => {
    expect(urlsOf({ ocspUrls: ['http://one.example/', 'http://two.example/ocsp'] })).toEqual([
      'http://one.example/',
      'http://two.example/ocsp',
    ]);
  });

  it('names none where it is absent', () => {
    expect(urlsOf({})).toEqual([]);
  });

  it('names none where it is malformed, though the certificate is read', () => {
    for (const value of [der.null(), der.sequence(), Buffer.from('http://one.example/')]) {
      expect(urlsOf({ extensions: [{ oid: '1.3.6.1.5.5.7.1.1', value }] })).toEqual([]);
    }
  });

  it('has other methods, and locations that are no URI', () => {
    const value = der.sequence(
      description(caIssuers, uri('http://ca.example/ca.crt')),
      description(ocsp, der.explicit(4, root.subject)),
      description(ocsp, uri('http://one.example/')),
      description(caIssuers, der.implicit(2, Buffer.from('ca.example'))),
    );
    expect(decode(value)).toEqual(['http://one.example/']);
  });

  it('SS-03: holds up to 100 descriptions', () => {
    const descriptions = Array.from({ length: 100 }, () => description(ocsp, uri('http://one.example/')));
    expect(decode(der.sequence(...descriptions))).toHaveLength(100);
    const offset = der.sequence(...descriptions).length;
    expect(() => decode(der.sequence(...descriptions, description(ocsp, uri('x'))))).toThrowDerError(
      'authorityInfoAccess has too many descriptions',
      offset,
    );
  });

  it.each<[string, Buffer, string, number]>([
    ['without a description', der.sequence(), 'authorityInfoAccess is empty', 2],
    ['that is no SEQUENCE', der.set(), 'authorityInfoAccess expected', 0],
    [
      'with something behind it',
      Buffer.concat([der.sequence(description(ocsp, uri('x'))), der.null()]),
      'unexpected data after authorityInfoAccess',
      17,
    ],
    [
      'with something behind a location',
      der.sequence(der.sequence(der.oid(ocsp), uri('x'), der.null())),
      'unexpected data after authorityInfoAccess: location',
      17,
    ],
    ['without a location', der.sequence(der.sequence(der.oid(ocsp))), 'element is truncated', 14],
    [
      'DR-14: with NUL in a URI',
      der.sequence(description(ocsp, uri('a\0b'))),
      'authorityInfoAccess holds a URI that is not ASCII text',
      17,
    ],
    [
      'with a URI that is not ASCII',
      der.sequence(description(ocsp, uri('\xe4'))),
      'authorityInfoAccess holds a URI that is not ASCII text',
      16,
    ],
    ['with an empty URI', der.sequence(description(ocsp, uri(''))), 'authorityInfoAccess holds an empty URI', 16],
  ])('is malformed %s', (_, value, reason, offset) => {
    expect(() => decode(value)).toThrowDerError(reason, offset);
  });
});
