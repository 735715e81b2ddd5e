import type { ClientCertificateError } from './errors';

/** The four things a client is told. Everything finer is for the operator. */
export type PublicCode = 'malformed' | 'certificate_required' | 'certificate_rejected' | 'unavailable';

/** An HTTP response that refuses a request: `application/problem+json` (RFC 9457), never cached, no certificate data. */
export interface Refusal {
  readonly status: 400 | 403 | 500;
  readonly code: PublicCode;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const titles: { readonly [Code in PublicCode]: string } = {
  malformed: 'The client certificate of this request is malformed.',
  certificate_required: 'A client certificate is required.',
  certificate_rejected: 'The client certificate is not accepted.',
  unavailable: 'The client certificate could not be checked.',
};

/**
 * The response to a refusal. RFC 9440 section 2.4 names 403; 401 would promise an authentication scheme, and there is none.
 *
 * An untrusted channel reads like a missing certificate, so that nobody learns whether a header was seen.
 */
export function refusalOf(error: ClientCertificateError): Refusal {
  const { status } = error;
  const code = publicCodeOf(error);
  return {
    status,
    code,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
    body: JSON.stringify({ status, title: titles[code], code }),
  };
}

function publicCodeOf({ code, status }: ClientCertificateError): PublicCode {
  if (status === 500) return 'unavailable';
  if (status === 400) return 'malformed';
  const isMissing = code === 'ERR_CERTIFICATE_REQUIRED' || code === 'ERR_CHANNEL_UNTRUSTED';
  return isMissing ? 'certificate_required' : 'certificate_rejected';
}
