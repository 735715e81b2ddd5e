/** What the compiler knows of refusals. Nothing here runs: see options.ts. */
import {
  type AnyClientCertificateError,
  ClientCertificateError,
  type ErrorCode,
  type Refusal,
  TrustStoreError,
} from '@peercert/core';

export function detailsFollowTheCode(error: AnyClientCertificateError): string | number | Date {
  // @ts-expect-error -- nobody knows yet
  console.log(error.details.notAfter);
  switch (error.code) {
    case 'ERR_CERTIFICATE_EXPIRED':
      // @ts-expect-error -- the other end
      console.log(error.details.notBefore);
      return error.details.notAfter;
    case 'ERR_CHANNEL_UNTRUSTED':
      // @ts-expect-error -- no such reason
      console.log(error.details.reason === 'bad-mood');
      return error.details.reason;
    case 'ERR_CERTIFICATE_REQUIRED':
      // @ts-expect-error -- there is no evidence of what is not there
      return error.details.header;
    // @ts-expect-error -- no such code
    case 'ERR_CERTIFICATE_BORING':
      return '';
    default:
      return error.code;
  }
}

export function anErrorIsMadeWithItsEvidence(): readonly ClientCertificateError[] {
  return [
    new ClientCertificateError('ERR_CERTIFICATE_REQUIRED', {}),
    new ClientCertificateError('ERR_PATH_TOO_LONG', { maximum: 8 }, { cause: new Error('why') }),
    // @ts-expect-error -- no evidence
    new ClientCertificateError('ERR_PATH_TOO_LONG', {}),
    // @ts-expect-error -- of something else
    new ClientCertificateError('ERR_PATH_TOO_LONG', { depth: 1 }),
    // @ts-expect-error -- no such code
    new ClientCertificateError('ERR_CERTIFICATE_BORING', {}),
  ];
}

export function anErrorCannotBeChanged(error: ClientCertificateError, refusal: Refusal): void {
  // @ts-expect-error -- readonly
  error.code = 'ERR_INTERNAL';
  // @ts-expect-error -- follows from the code
  error.status = 200;
  // @ts-expect-error -- readonly
  refusal.status = 403;
  // @ts-expect-error -- readonly
  refusal.headers['cache-control'] = 'public';
}

export function aStatusIsNeverASuccess(error: ClientCertificateError): boolean {
  // @ts-expect-error -- 400, 403 or worse
  return error.status === 200;
}

export function everyCodeCanBeListed(): Partial<Record<ErrorCode, string>> {
  // @ts-expect-error -- no such code
  return { ERR_CERTIFICATE_EXPIRED: 'expired', ERR_CERTIFICATE_BORING: '' };
}

export function aStoreSaysWhereItIsWrong(error: unknown): number | undefined {
  if (!(error instanceof TrustStoreError)) return undefined;
  if (error.code !== 'ERR_TRUST_STORE_MALFORMED') return undefined;
  return (error as TrustStoreError<'ERR_TRUST_STORE_MALFORMED'>).details.line;
}
