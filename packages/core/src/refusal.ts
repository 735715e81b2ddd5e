import type { ClientCertificateError, ErrorCode } from './errors';

/** The four things a client is told. Everything finer is for the operator. */
export type PublicCode = 'malformed' | 'certificate_required' | 'certificate_rejected' | 'unavailable';

/** An HTTP response that refuses a request: `application/problem+json` (RFC 9457), never cached, no certificate data. */
export interface Refusal {
  /** HTTP status. */
  readonly status: 400 | 403 | 500 | 503;
  /** What the body says, for programs. */
  readonly code: PublicCode;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body: string;
}

const titles: { readonly [Code in PublicCode]: string } = {
  malformed: 'The client certificate of this request is malformed.',
  certificate_required: 'A client certificate is required.',
  certificate_rejected: 'The client certificate is not accepted.',
  unavailable: 'The client certificate could not be checked.',
};

/** Refusals that read like a missing certificate: nobody learns whether a header was seen, or which domains there are. */
const missing: ReadonlySet<ErrorCode> = new Set([
  'ERR_CERTIFICATE_NOT_FORWARDED',
  'ERR_CERTIFICATE_REQUIRED',
  'ERR_CHANNEL_UNTRUSTED',
  'ERR_POLICY_NO_TRUST_DOMAIN',
]);

const headers = Object.freeze({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' });

/** When a client may ask again after 503. */
const retryAfterSeconds = '5';

/**
 * The response to a refusal. RFC 9440 section 2.4 names 403; 401 would promise an authentication scheme, and there is none.
 */
export function refusalOf(error: ClientCertificateError): Refusal {
  const { status } = error;
  const code = publicCodeOf(error);
  return {
    status,
    code,
    headers: status === 503 ? { ...headers, 'retry-after': retryAfterSeconds } : headers,
    body: JSON.stringify({ status, title: titles[code], code }),
  };
}

function publicCodeOf({ code, status }: ClientCertificateError): PublicCode {
  if (status >= 500) return 'unavailable';
  if (status === 400) return 'malformed';
  return missing.has(code) ? 'certificate_required' : 'certificate_rejected';
}
