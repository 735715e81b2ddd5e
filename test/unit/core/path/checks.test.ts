import { ClientCertificateError } from '@peercert/core';
import {
  algorithmIdentifier,
  type CertificateFields,
  createAuthority,
  der,
  type ExtKeyUsageName,
  type KeyUsageName,
  TEST_TIME,
} from '@peercert/testkit';
import * as check from '../../../../packages/core/src/path/checks';
import { Certificate } from '../../../../packages/core/src/x509/certificate';
import { rsaSpki } from '../../../support/encodings';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const root = createAuthority({ subject: 'CN=Root' });
const none = Buffer.alloc(0);

const endEntity = (fields: CertificateFields = {}): Certificate => new Certificate(root.issue(fields).der);
const authority = (fields: CertificateFields = {}): Certificate =>
  new Certificate(root.issueIntermediate({ subject: 'CN=Intermediate', ...fields }).der);

describe('checkVersion', () => {
  it('accepts version 3', () => {
    expect(() => check.checkVersion(endEntity(), 0)).not.toThrow();
  });

  it.each([
    ['1', none, 1],
    ['2', der.explicit(0, der.integer(1)), 2],
  ])('DR-06: rejects version %s', (_, encoded, version) => {
    const certificate = endEntity({ raw: { version: encoded, extensions: none } });
    expect(() => check.checkVersion(certificate, 3)).toThrowWithCode('ERR_CERTIFICATE_VERSION_UNSUPPORTED', {
      depth: 3,
      version,
    });
  });
});

describe('checkValidity', () => {
  const notBefore = new Date('2026-05-01T00:00:00Z');
  const notAfter = new Date('2026-07-01T00:00:00Z');
  const certificate = endEntity({ notBefore, notAfter });

  it.each([
    ['notBefore exactly', notBefore.getTime()],
    ['a time between', TEST_TIME.getTime()],
    ['notAfter exactly', notAfter.getTime()],
  ])('CA-09: accepts %s', (_, time) => {
    expect(() => check.checkValidity(certificate, 0, time)).not.toThrow();
  });

  it.each([1, 1_000])('CA-09: rejects a time %i ms before notBefore', (early) => {
    const time = new Date(notBefore.getTime() - early);
    expect(() => check.checkValidity(certificate, 1, time.getTime())).toThrowWithCode('ERR_CERTIFICATE_NOT_YET_VALID', {
      depth: 1,
      time,
      notBefore,
    });
  });

  it.each([1, 1_000])('CA-09: rejects a time %i ms after notAfter', (late) => {
    const time = new Date(notAfter.getTime() + late);
    expect(() => check.checkValidity(certificate, 1, time.getTime())).toThrowWithCode('ERR_CERTIFICATE_EXPIRED', {
      depth: 1,
      time,
      notAfter,
    });
  });

  it('CA-09: accepts the one instant of a certificate whose notBefore is its notAfter', () => {
    const instant = endEntity({ notBefore, notAfter: notBefore });
    expect(() => check.checkValidity(instant, 0, notBefore.getTime())).not.toThrow();
  });

  it('rejects every time for a certificate whose notAfter is before its notBefore', () => {
    const never = endEntity({ notBefore: notAfter, notAfter: notBefore });
    for (const time of [notBefore, TEST_TIME, notAfter]) {
      expect(() => check.checkValidity(never, 0, time.getTime())).toThrow(ClientCertificateError);
    }
  });

  it('DR-13: rejects a time that is not a number', () => {
    expect(() => check.checkValidity(certificate, 0, Number.NaN)).toThrow(ClientCertificateError);
  });

  it('DR-13: accepts the end of the year 9999, and until then', () => {
    const forever = endEntity({ notAfter: new Date('9999-12-31T23:59:59Z') });
    expect(() => check.checkValidity(forever, 0, Date.parse('9999-12-31T23:59:59Z'))).not.toThrow();
  });
});

describe('checkKey', () => {
  const withKey = (subjectPublicKeyInfo: Buffer): Certificate => endEntity({ raw: { subjectPublicKeyInfo } });

  it.each(['p256', 'p384', 'p521', 'ed25519'] as const)('accepts %s', (keyAlgorithm) => {
    expect(() => check.checkKey(endEntity({ keyAlgorithm }), 0)).not.toThrow();
  });

  it.each([2048, 2049, 3072, 4096, 8192])('DR-26: accepts RSA of %i bits', (bits) => {
    expect(() => check.checkKey(withKey(rsaSpki(bits)), 0)).not.toThrow();
  });

  it.each([512, 1024, 2047, 8193, 16_384, 32_768])('DR-26: rejects RSA of %i bits', (bits) => {
    expect(() => check.checkKey(withKey(rsaSpki(bits)), 2)).toThrowWithCode('ERR_CERTIFICATE_KEY_NOT_PERMITTED', {
      depth: 2,
      key: `RSA of ${bits} bits, exponent 65537`,
    });
  });

  it.each([65_537, 65_539, 2 ** 31 + 1, 2 ** 32 - 1])('DR-27: accepts the RSA exponent %i', (exponent) => {
    expect(() => check.checkKey(withKey(rsaSpki(2048, exponent)), 0)).not.toThrow();
  });

  it.each<[string, bigint | number, string]>([
    ['1', 1, '1'],
    ['3', 3, '3'],
    ['17', 17, '17'],
    ['65535, the odd number below 65537', 65_535, '65535'],
    ['65536', 65_536, '65536'],
    ['65538, which is even', 65_538, '65538'],
    ['2^32 - 2, which is even', 2 ** 32 - 2, '4294967294'],
    ['2^32', 2 ** 32, 'over 32 bits'],
    ['2^32 + 1', 2 ** 32 + 1, 'over 32 bits'],
    ['a number of 3072 bits', 2n ** 3071n + 1n, 'over 32 bits'],
    ['0', 0, '0'],
    ['-65537', -65_537, '0'],
  ])('DR-27: rejects the RSA exponent %s', (_, exponent, shown) => {
    expect(() => check.checkKey(withKey(rsaSpki(2048, exponent)), 0)).toThrowWithCode(
      'ERR_CERTIFICATE_KEY_NOT_PERMITTED',
      { depth: 0, key: `RSA of 2048 bits, exponent ${shown}` },
    );
  });

  it.each<[string, Certificate, string]>([
    [
      'DR-23: rejects a key of an unknown algorithm',
      withKey(der.sequence(der.sequence(der.oid('1.2.3.4')), der.bitString(none))),
      'algorithm 1.2.3.4',
    ],
    ['rejects secp256k1', endEntity({ keyAlgorithm: 'secp256k1' }), 'curve 1.3.132.0.10'],
    ['rejects Ed448', endEntity({ keyAlgorithm: 'ed448' }), 'algorithm 1.3.101.113'],
  ])('%s', (_, certificate, key) => {
    expect(() => check.checkKey(certificate, 1)).toThrowWithCode('ERR_CERTIFICATE_KEY_NOT_PERMITTED', {
      depth: 1,
      key,
    });
  });
});

describe('checkSignatureAlgorithm', () => {
  it('accepts an algorithm that is permitted', () => {
    expect(() => check.checkSignatureAlgorithm(endEntity(), 0)).not.toThrow();
  });

  it.each<[string, Buffer, string]>([
    ['DR-28: rejects MD5', algorithmIdentifier('rsa-md5'), '1.2.840.113549.1.1.4'],
    ['DR-28: rejects SHA-1 with RSA', algorithmIdentifier('rsa-sha1'), '1.2.840.113549.1.1.5'],
    ['DR-28: rejects SHA-1 with ECDSA', algorithmIdentifier('ecdsa-sha1'), '1.2.840.10045.4.1'],
    [
      'DR-29: rejects ECDSA with an OCTET STRING',
      der.sequence(der.oid('1.2.840.10045.4.3.2'), der.octetString(none)),
      '1.2.840.10045.4.3.2',
    ],
    [
      'DR-29: rejects RSA-PSS with the defaults',
      der.sequence(der.oid('1.2.840.113549.1.1.10'), der.sequence()),
      '1.2.840.113549.1.1.10',
    ],
  ])('%s', (_, identifier, algorithm) => {
    const certificate = endEntity({ raw: { signature: identifier, signatureAlgorithm: identifier } });
    expect(() => check.checkSignatureAlgorithm(certificate, 1)).toThrowWithCode(
      'ERR_CERTIFICATE_ALGORITHM_NOT_PERMITTED',
      { depth: 1, algorithm },
    );
  });
});

describe('checkCriticalExtensions', () => {
  it('accepts extensions that are processed, critical or not, and others that are not critical', () => {
    const certificate = endEntity({
      dnsNames: ['a'],
      subjectAltNameCritical: true,
      extensions: [{ oid: '1.2.3.4', value: none }],
    });
    expect(() => check.checkCriticalExtensions(certificate, 0)).not.toThrow();
  });

  it('PA-07: rejects a critical extension that is not processed, and names the first', () => {
    const certificate = endEntity({
      extensions: [
        { oid: '1.2.3.4', value: none },
        { oid: '1.2.3.5', value: none, critical: true },
        { oid: '1.2.3.6', value: none, critical: true },
      ],
    });
    expect(() => check.checkCriticalExtensions(certificate, 2)).toThrowWithCode(
      'ERR_CERTIFICATE_CRITICAL_EXTENSION_UNSUPPORTED',
      { depth: 2, oid: '1.2.3.5' },
    );
  });
});

describe('checkIsNotCa', () => {
  it.each<[string, CertificateFields]>([
    ['DR-35: accepts a certificate with no basicConstraints', {}],
    ['DR-35: accepts a certificate with basicConstraints without cA', { basicConstraints: { ca: false } }],
    [
      'PA-05, DR-35: accepts a certificate with pathLenConstraint without cA',
      { basicConstraints: { ca: false, pathLenConstraint: 0 } },
    ],
    ['DR-35: accepts a certificate with no keyUsage', { keyUsage: 'absent' }],
    [
      'DR-35: accepts a certificate with every keyUsage but keyCertSign',
      {
        keyUsage: [
          'digitalSignature',
          'nonRepudiation',
          'keyEncipherment',
          'dataEncipherment',
          'keyAgreement',
          'cRLSign',
          'encipherOnly',
          'decipherOnly',
        ],
      },
    ],
  ])('%s', (_, fields) => {
    expect(() => check.checkIsNotCa(endEntity(fields), 0)).not.toThrow();
  });

  it.each<[string, CertificateFields]>([
    ['cA', { basicConstraints: { ca: true } }],
    ['cA and no keyUsage', { basicConstraints: { ca: true }, keyUsage: 'absent' }],
    ['keyCertSign without cA', { keyUsage: ['digitalSignature', 'keyCertSign'] }],
  ])('DR-35: rejects a certificate with %s', (_, fields) => {
    expect(() => check.checkIsNotCa(endEntity(fields), 0)).toThrowWithCode('ERR_CERTIFICATE_IS_CA', { depth: 0 });
  });
});

describe('checkDigitalSignature', () => {
  it.each<[string, readonly KeyUsageName[] | 'absent']>([
    ['digitalSignature', ['digitalSignature']],
    ['digitalSignature among others', ['digitalSignature', 'keyEncipherment']],
    ['no keyUsage', 'absent'],
  ])('DR-35: accepts a certificate with %s', (_, keyUsage) => {
    expect(() => check.checkDigitalSignature(endEntity({ keyUsage }), 0)).not.toThrow();
  });

  it.each<[string, readonly KeyUsageName[]]>([
    ['keyEncipherment alone', ['keyEncipherment']],
    ['keyAgreement alone', ['keyAgreement']],
    ['nonRepudiation alone', ['nonRepudiation']],
    ['keyUsage without a bit', []],
  ])('DR-35: rejects a certificate with %s', (_, keyUsage) => {
    expect(() => check.checkDigitalSignature(endEntity({ keyUsage }), 0)).toThrowWithCode(
      'ERR_CERTIFICATE_USAGE_NOT_PERMITTED',
      { depth: 0, extension: 'keyUsage', required: 'digitalSignature' },
    );
  });
});

describe('checkExtKeyUsage', () => {
  type Purposes = readonly (ExtKeyUsageName | (string & {}))[] | 'absent';
  it.each<[string, Purposes, number, check.RequiredUsage]>([
    ['DR-33: accepts extKeyUsage absent, in an end-entity certificate', 'absent', 0, 'clientAuth'],
    ['accepts extKeyUsage absent, in an issuer', 'absent', 1, 'clientAuth'],
    ['accepts extKeyUsage clientAuth', ['clientAuth'], 0, 'clientAuth'],
    [
      'accepts extKeyUsage clientAuth among others',
      ['serverAuth', 'anyExtendedKeyUsage', 'clientAuth'],
      0,
      'clientAuth',
    ],
    ['accepts extKeyUsage clientAuth, in an issuer', ['clientAuth'], 1, 'clientAuth'],
    ['DR-33: accepts extKeyUsage anyExtendedKeyUsage, in an issuer', ['anyExtendedKeyUsage'], 1, 'clientAuth'],
    ['accepts extKeyUsage serverAuth where that is required', ['serverAuth'], 0, 'serverAuth'],
    ['DR-32: accepts extKeyUsage an empty list where no purpose is checked', [], 0, 'not-checked'],
    ['accepts extKeyUsage emailProtection where no purpose is checked', ['emailProtection'], 1, 'not-checked'],
  ])('%s', (_, extKeyUsage, depth, required) => {
    expect(() => check.checkExtKeyUsage(endEntity({ extKeyUsage }), depth, required)).not.toThrow();
  });

  it.each<[string, Purposes, number, 'clientAuth' | 'serverAuth']>([
    ['DR-32: rejects extKeyUsage serverAuth', ['serverAuth'], 0, 'clientAuth'],
    ['DR-32: rejects extKeyUsage emailProtection', ['emailProtection'], 0, 'clientAuth'],
    ['DR-32: rejects extKeyUsage an empty list', [], 0, 'clientAuth'],
    [
      'DR-33: rejects extKeyUsage anyExtendedKeyUsage, in an end-entity certificate',
      ['anyExtendedKeyUsage'],
      0,
      'clientAuth',
    ],
    ['DR-34: rejects extKeyUsage serverAuth, in an issuer', ['serverAuth'], 1, 'clientAuth'],
    ['DR-34: rejects extKeyUsage an empty list, in an issuer', [], 1, 'clientAuth'],
    ['rejects extKeyUsage clientAuth where serverAuth is required', ['clientAuth'], 0, 'serverAuth'],
    [
      'DR-10: rejects extKeyUsage an alias of clientAuth 2^32 above it',
      ['1.3.6.1.5.5.7.3.4294967298'],
      0,
      'clientAuth',
    ],
    ['rejects extKeyUsage a purpose below clientAuth', ['1.3.6.1.5.5.7.3.2.1'], 0, 'clientAuth'],
  ])('%s', (_, extKeyUsage, depth, required) => {
    expect(() => check.checkExtKeyUsage(endEntity({ extKeyUsage }), depth, required)).toThrowWithCode(
      'ERR_CERTIFICATE_USAGE_NOT_PERMITTED',
      { depth, extension: 'extKeyUsage', required },
    );
  });
});

describe('checkIssuer', () => {
  it.each<[string, CertificateFields]>([
    ['cA and keyCertSign', {}],
    ['cA and no keyUsage', { keyUsage: 'absent' }],
  ])('accepts an issuer with %s', (_, fields) => {
    expect(() => check.checkIssuer(authority(fields), 1)).not.toThrow();
  });

  it.each<[string, CertificateFields]>([
    [
      'PA-03: rejects an issuer with neither basicConstraints nor keyUsage',
      { basicConstraints: 'absent', keyUsage: 'absent' },
    ],
    ['PA-03: rejects an issuer with no basicConstraints', { basicConstraints: 'absent' }],
    ['PA-04: rejects an issuer with basicConstraints without cA', { basicConstraints: { ca: false } }],
    [
      'PA-04: rejects an issuer with pathLenConstraint without cA',
      { basicConstraints: { ca: false, pathLenConstraint: 3 } },
    ],
  ])('%s', (_, fields) => {
    expect(() => check.checkIssuer(authority(fields), 1)).toThrowWithCode('ERR_PATH_ISSUER_NOT_CA', {
      depth: 1,
      subject: 'CN=Intermediate',
    });
  });

  it.each<[string, readonly KeyUsageName[]]>([
    ['cRLSign alone', ['cRLSign']],
    ['digitalSignature alone', ['digitalSignature']],
    ['keyUsage without a bit', []],
  ])('PA-06: rejects an issuer with %s', (_, keyUsage) => {
    expect(() => check.checkIssuer(authority({ keyUsage }), 2)).toThrowWithCode('ERR_PATH_ISSUER_NOT_CERT_SIGNER', {
      depth: 2,
      subject: 'CN=Intermediate',
    });
  });
});

describe('checkPathLength', () => {
  const limited = (pathLenConstraint: number): Certificate =>
    authority({ basicConstraints: { ca: true, pathLenConstraint } });

  it.each([0, 1, 7])('PA-05: accepts exactly as many intermediates as pathLenConstraint %i allows', (maximum) => {
    expect(() => check.checkPathLength(limited(maximum), 1, maximum)).not.toThrow();
  });

  it.each([0, 1, 7])('PA-05: rejects one more than pathLenConstraint %i allows', (maximum) => {
    expect(() => check.checkPathLength(limited(maximum), 4, maximum + 1)).toThrowWithCode('ERR_PATH_LENGTH_EXCEEDED', {
      depth: 4,
      pathLenConstraint: maximum,
    });
  });

  it('PA-05: accepts any number where there is no pathLenConstraint', () => {
    expect(() => check.checkPathLength(authority(), 9, 100)).not.toThrow();
  });
});
