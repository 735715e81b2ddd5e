import { ClientCertificateError, type ErrorCode } from '@peercert/core';
import { errorsBySpecificity } from '../../../packages/core/src/errors';
import { refusalOf } from '../../../packages/core/src/refusal';

const malformed: readonly ErrorCode[] = [
  'ERR_HEADER_MALFORMED',
  'ERR_HEADER_REPEATED',
  'ERR_HEADER_AMBIGUOUS',
  'ERR_HEADER_HOP_BY_HOP',
  'ERR_HEADER_UNEXPECTED',
  'ERR_HEADER_TOO_LARGE',
  'ERR_HEADER_INCONSISTENT',
  'ERR_HEADER_COUNT_EXCEEDED',
  'ERR_HEADER_CHAIN_WITHOUT_CERTIFICATE',
  'ERR_CHAIN_TOO_LONG',
  'ERR_CERTIFICATE_MALFORMED',
];
const missing: readonly ErrorCode[] = [
  'ERR_CERTIFICATE_NOT_FORWARDED',
  'ERR_CERTIFICATE_REQUIRED',
  'ERR_CHANNEL_UNTRUSTED',
  'ERR_POLICY_NO_TRUST_DOMAIN',
];
const rejected: readonly ErrorCode[] = [
  'ERR_CERTIFICATE_DENIED',
  'ERR_CERTIFICATE_REVOKED',
  'ERR_CERTIFICATE_VERSION_UNSUPPORTED',
  'ERR_CERTIFICATE_NOT_YET_VALID',
  'ERR_CERTIFICATE_EXPIRED',
  'ERR_CERTIFICATE_CRITICAL_EXTENSION_UNSUPPORTED',
  'ERR_CERTIFICATE_NAME_NOT_PERMITTED',
  'ERR_CERTIFICATE_KEY_NOT_PERMITTED',
  'ERR_CERTIFICATE_ALGORITHM_NOT_PERMITTED',
  'ERR_CERTIFICATE_IS_CA',
  'ERR_CERTIFICATE_USAGE_NOT_PERMITTED',
  'ERR_PATH_ISSUER_UNKNOWN',
  'ERR_PATH_ISSUER_NOT_CA',
  'ERR_PATH_ISSUER_NOT_CERT_SIGNER',
  'ERR_PATH_LENGTH_EXCEEDED',
  'ERR_PATH_TOO_LONG',
  'ERR_PATH_SIGNATURE_INVALID',
  'ERR_PATH_BUDGET_EXCEEDED',
  'ERR_PATH_POLICY_NOT_SATISFIED',
  'ERR_CERTIFICATE_PROFILE_VIOLATED',
  'ERR_CERTIFICATE_REFUSED_BY_PROXY',
  'ERR_POLICY_NOT_AUTHORIZED',
  'ERR_IDENTITY_MISSING',
];
const failed: readonly ErrorCode[] = [
  'ERR_INTERNAL',
  'ERR_POLICY_FAILED',
  'ERR_POLICY_TIMEOUT',
  'ERR_POLICY_UNAUTHENTICATED',
  'ERR_REVOCATION_UNAVAILABLE',
  'ERR_SERVER_MISCONFIGURED',
];

const secret = 'CN=secret detail';
const errorOf = (code: ErrorCode): ClientCertificateError =>
  new ClientCertificateError(
    code,
    { subject: secret, reason: secret, header: secret },
    {
      cause: new Error(secret),
    },
  );

const headers = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' };

describe('the response to a refusal', () => {
  it('is stated here for every code', () => {
    const stated = [...malformed, ...missing, ...rejected, ...failed];
    expect(stated.toSorted()).toEqual(errorsBySpecificity.toSorted());
  });

  it.each(failed)('is unavailable for %s', (code) => {
    const { status, headers: fields, body } = refusalOf(errorOf(code));
    const passes = ['ERR_POLICY_TIMEOUT', 'ERR_REVOCATION_UNAVAILABLE'].includes(code);
    expect(status).toBe(passes ? 503 : 500);
    expect(fields['retry-after']).toBe(passes ? '5' : undefined);
    expect(JSON.parse(body)).toMatchObject({ status, code: 'unavailable' });
  });

  it.each(malformed)('is 400 malformed for %s', (code) => {
    expect(refusalOf(errorOf(code))).toEqual({
      status: 400,
      code: 'malformed',
      headers,
      body: '{"status":400,"title":"The client certificate of this request is malformed.","code":"malformed"}',
    });
  });

  it.each(missing)('is 403 certificate_required for %s', (code) => {
    expect(refusalOf(errorOf(code))).toEqual({
      status: 403,
      code: 'certificate_required',
      headers,
      body: '{"status":403,"title":"A client certificate is required.","code":"certificate_required"}',
    });
  });

  it.each(rejected)('is 403 certificate_rejected for %s', (code) => {
    expect(refusalOf(errorOf(code))).toEqual({
      status: 403,
      code: 'certificate_rejected',
      headers,
      body: '{"status":403,"title":"The client certificate is not accepted.","code":"certificate_rejected"}',
    });
  });

  it('is 500 unavailable for ERR_INTERNAL', () => {
    expect(refusalOf(errorOf('ERR_INTERNAL'))).toEqual({
      status: 500,
      code: 'unavailable',
      headers,
      body: '{"status":500,"title":"The client certificate could not be checked.","code":"unavailable"}',
    });
  });

  it('CH-01, ID-12: is the same to the byte for an untrusted channel and a missing certificate', () => {
    const responses = [
      new ClientCertificateError('ERR_CERTIFICATE_REQUIRED', {}),
      new ClientCertificateError('ERR_CHANNEL_UNTRUSTED', { proof: 'shared-secret', reason: 'secret-wrong' }),
      new ClientCertificateError('ERR_CHANNEL_UNTRUSTED', { proof: 'origin-mtls', reason: 'certificate-rejected' }),
    ].map((error) => JSON.stringify(refusalOf(error)));
    expect(new Set(responses).size).toBe(1);
  });

  it.each(errorsBySpecificity)('ID-12: tells one of four things for %s, and the status says which', (code) => {
    const { status, code: told, headers: sent, body } = refusalOf(errorOf(code));
    expect(`${status} ${told}`).toMatch(
      /^(400 malformed|403 certificate_required|403 certificate_rejected|50[03] unavailable)$/,
    );
    expect(sent).toMatchObject(headers);
    expect(JSON.parse(body)).toEqual({ status, title: expect.any(String), code: told });
  });

  it('ID-08: holds nothing of the details, the message or the cause', () => {
    for (const code of errorsBySpecificity) {
      const error = errorOf(code);
      const text = JSON.stringify(refusalOf(error));
      expect(text).not.toContain(secret);
      expect(text).not.toContain('ERR_');
    }
  });
});
