import { ClientCertificateError, type ErrorCode, type ErrorDetails } from '@peercert/core';
import { errorsBySpecificity, isRefusal, mostSpecific } from '../../../packages/core/src/errors';

const time = new Date('2026-06-01T12:00:00Z');
const other = new Date('2027-06-01T12:00:00Z');

/** Two sets of details for each code: the compiler misses a code that is not here. */
const samples: { readonly [Code in ErrorCode]: readonly [ErrorDetails[Code], ErrorDetails[Code]] } = {
  ERR_CHANNEL_UNTRUSTED: [
    { proof: 'secretHeader', reason: 'secret-wrong' },
    { proof: 'tls', reason: 'not-tls' },
  ],
  ERR_HEADER_MALFORMED: [
    { header: 'client-cert', reason: 'a' },
    { header: 'client-cert-chain', reason: 'b' },
  ],
  ERR_HEADER_REPEATED: [
    { header: 'client-cert', count: 2 },
    { header: 'client-cert', count: 3 },
  ],
  ERR_HEADER_AMBIGUOUS: [
    { header: 'client-cert', lookAlike: 'client_cert' },
    { header: 'client-cert', lookAlike: 'Client.Cert' },
  ],
  ERR_HEADER_HOP_BY_HOP: [{ header: 'client-cert' }, { header: 'client-cert-chain' }],
  ERR_HEADER_UNEXPECTED: [{ header: 'x-forwarded-client-cert' }, { header: 'ssl-client-cert' }],
  ERR_HEADER_TOO_LARGE: [
    { header: 'client-cert', bytes: 2, maximum: 1 },
    { header: 'client-cert', bytes: 3, maximum: 1 },
  ],
  ERR_HEADER_COUNT_EXCEEDED: [
    { count: 1_000, maximum: 1_000 },
    { count: 2_000, maximum: 1_000 },
  ],
  ERR_HEADER_CHAIN_WITHOUT_CERTIFICATE: [{ header: 'client-cert-chain' }, { header: 'other' }],
  ERR_CHAIN_TOO_LONG: [
    { count: 5, maximum: 4 },
    { count: 6, maximum: 4 },
  ],
  ERR_CERTIFICATE_REQUIRED: [{ source: 'cloudfront' }, { source: 'tls' }],
  ERR_CERTIFICATE_MALFORMED: [
    { position: 0, reason: 'a', offset: 1 },
    { position: 1, reason: 'b', offset: 2 },
  ],
  ERR_CERTIFICATE_VERSION_UNSUPPORTED: [
    { depth: 0, version: 1 },
    { depth: 1, version: 2 },
  ],
  ERR_CERTIFICATE_NOT_YET_VALID: [
    { depth: 0, time, notBefore: other },
    { depth: 1, time, notBefore: other },
  ],
  ERR_CERTIFICATE_EXPIRED: [
    { depth: 0, time: other, notAfter: time },
    { depth: 1, time: other, notAfter: time },
  ],
  ERR_CERTIFICATE_CRITICAL_EXTENSION_UNSUPPORTED: [
    { depth: 0, oid: '1.2.3' },
    { depth: 1, oid: '1.2.4' },
  ],
  ERR_CERTIFICATE_CONSTRAINT_UNSUPPORTED: [
    { depth: 0, oid: '2.5.29.30' },
    { depth: 1, oid: '2.5.29.32' },
  ],
  ERR_CERTIFICATE_KEY_NOT_PERMITTED: [
    { depth: 0, key: 'a' },
    { depth: 1, key: 'b' },
  ],
  ERR_CERTIFICATE_ALGORITHM_NOT_PERMITTED: [
    { depth: 0, algorithm: '1.2.3' },
    { depth: 1, algorithm: '1.2.4' },
  ],
  ERR_CERTIFICATE_IS_CA: [{ depth: 0 }, { depth: 1 }],
  ERR_CERTIFICATE_USAGE_NOT_PERMITTED: [
    { depth: 0, extension: 'keyUsage', required: 'digitalSignature' },
    { depth: 1, extension: 'extKeyUsage', required: 'clientAuth' },
  ],
  ERR_PATH_ISSUER_UNKNOWN: [
    { depth: 1, issuer: 'CN=a' },
    { depth: 2, issuer: 'CN=b' },
  ],
  ERR_PATH_ISSUER_NOT_CA: [
    { depth: 1, subject: 'CN=a' },
    { depth: 2, subject: 'CN=b' },
  ],
  ERR_PATH_ISSUER_NOT_CERT_SIGNER: [
    { depth: 1, subject: 'CN=a' },
    { depth: 2, subject: 'CN=b' },
  ],
  ERR_PATH_LENGTH_EXCEEDED: [
    { depth: 2, pathLenConstraint: 0 },
    { depth: 3, pathLenConstraint: 1 },
  ],
  ERR_PATH_TOO_LONG: [{ maximum: 8 }, { maximum: 0 }],
  ERR_PATH_SIGNATURE_INVALID: [
    { depth: 0, issuer: 'CN=a' },
    { depth: 1, issuer: 'CN=b' },
  ],
  ERR_PATH_BUDGET_EXCEEDED: [
    { limit: 'signatures', maximum: 100 },
    { limit: 'candidates', maximum: 5_000 },
  ],
  ERR_IDENTITY_MISSING: [{ certificateSha256: 'a' }, { certificateSha256: 'b' }],
  ERR_INTERNAL: [{}, {}],
};

const codes = Object.keys(samples) as ErrorCode[];
const refusal = (code: ErrorCode, sample: 0 | 1 = 0): ClientCertificateError =>
  new ClientCertificateError(code, samples[code][sample]);

describe('every code of a refusal', () => {
  it('has a place in the order of specificity, once', () => {
    expect(errorsBySpecificity.toSorted()).toEqual(codes.toSorted());
  });

  it('has a message of its own', () => {
    expect(new Set(codes.map((code) => refusal(code).message)).size).toBe(codes.length);
  });

  it.each(codes)('%s has a constant message: one sentence, which quotes no detail', (code) => {
    const { message } = refusal(code);
    expect(message).toMatch(/^[A-Z][^.]+\.$/);
    expect(refusal(code, 1).message).toBe(message);
  });
});

describe('a refusal', () => {
  const cause = new TypeError('behind it');
  const error = new ClientCertificateError('ERR_CERTIFICATE_IS_CA', { depth: 0 }, { cause });

  it('is an Error with code, details, cause and name', () => {
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ code: 'ERR_CERTIFICATE_IS_CA', details: { depth: 0 }, cause });
    expect(error.name).toBe('ClientCertificateError');
    expect(Object.keys(error).toSorted()).toEqual(['code', 'details']);
  });

  it('has no cause where none was given', () => {
    expect('cause' in refusal('ERR_INTERNAL')).toBe(false);
  });

  it('carries no stack trace', () => {
    expect(String(error.stack)).not.toContain('\n');
  });

  it('leaves the stack traces of other errors as they were', () => {
    const { stackTraceLimit } = Error;
    refusal('ERR_INTERNAL');
    expect(Error.stackTraceLimit).toBe(stackTraceLimit);
    expect(new Error('another').stack).toContain('\n');
  });
});

describe('isRefusal', () => {
  it.each<[string, unknown, boolean]>([
    ['a refusal with the code', refusal('ERR_CERTIFICATE_IS_CA'), true],
    ['a refusal with another code', refusal('ERR_INTERNAL'), false],
    ['another error with the code', Object.assign(new Error('x'), { code: 'ERR_CERTIFICATE_IS_CA' }), false],
    ['an object with the code', { code: 'ERR_CERTIFICATE_IS_CA', details: {} }, false],
    ['undefined', undefined, false],
    ['null', null, false],
  ])('knows %s', (_, error, expected) => {
    expect(isRefusal(error, 'ERR_CERTIFICATE_IS_CA')).toBe(expected);
  });
});

describe('mostSpecific', () => {
  const least = refusal('ERR_PATH_ISSUER_UNKNOWN');
  const most = refusal('ERR_CERTIFICATE_EXPIRED');

  it('gives the only one', () => {
    expect(mostSpecific(undefined, least)).toBe(least);
  });

  it('gives the more specific of two, in either order', () => {
    expect(mostSpecific(least, most)).toBe(most);
    expect(mostSpecific(most, least)).toBe(most);
  });

  it('gives the first of two with one code', () => {
    const second = refusal('ERR_PATH_ISSUER_UNKNOWN', 1);
    expect(mostSpecific(least, second)).toBe(least);
  });

  it('orders every pair of codes as the list does', () => {
    for (const [rank, code] of errorsBySpecificity.entries()) {
      for (const lesser of errorsBySpecificity.slice(0, rank)) {
        expect(mostSpecific(refusal(lesser), refusal(code)).code).toBe(code);
        expect(mostSpecific(refusal(code), refusal(lesser)).code).toBe(code);
      }
    }
  });
});
