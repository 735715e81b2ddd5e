/** Why revocation data was not fetched. */
export type FetchFailure =
  /** The URL is not one that may be asked at all: scheme, user information, characters, length. */
  | 'url-not-permitted'
  /** The host, or its port, is not one that may be asked. */
  | 'host-not-permitted'
  /** The host has an address that nobody on the internet has. */
  | 'address-not-permitted'
  /** The host's name did not resolve. */
  | 'dns'
  /** No connection. */
  | 'connect'
  /** No TLS session, or one with a server that is not the host. */
  | 'tls'
  /** No whole answer in time. */
  | 'timeout'
  /** The connection ended before the answer did. */
  | 'reset'
  /** What came back is not HTTP. */
  | 'not-http'
  /** An HTTP status other than 200. */
  | 'status'
  /** The answer points elsewhere, and redirects are not followed. */
  | 'redirect'
  /** The answer is of a type, or in a content coding, that was not asked for. */
  | 'content-type'
  /** The answer is larger than was asked for. */
  | 'too-large'
  /** The host failed so often that it is not asked for a while. */
  | 'breaker-open'
  /** Too many requests are waiting already. */
  | 'busy'
  /** The fetcher was closed. */
  | 'closed'
  /** The operator's own fetch function failed. */
  | 'failed';

const messages: { readonly [Reason in FetchFailure]: string } = {
  'url-not-permitted': 'The URL may not be asked for revocation data.',
  'host-not-permitted': 'The host may not be asked for revocation data.',
  'address-not-permitted': 'The host has an address that may not be asked for revocation data.',
  dns: 'The host name did not resolve.',
  connect: 'The host could not be connected to.',
  tls: 'The TLS handshake with the host failed.',
  timeout: 'The host did not answer in time.',
  reset: 'The connection ended before the answer did.',
  'not-http': 'The answer is not HTTP.',
  status: 'The HTTP status is not 200.',
  redirect: 'The answer is a redirect, which is not followed.',
  'content-type': 'The answer is of a type or content coding that was not asked for.',
  'too-large': 'The answer is too large.',
  'breaker-open': 'The host failed repeatedly and is not asked for a while.',
  busy: 'Too many requests for revocation data are waiting.',
  closed: 'The fetcher was closed.',
  failed: 'The fetch function failed.',
};

/** The evidence, for logs: nothing but names, a status and a code. */
export interface FetchErrorDetails {
  /** Host name or address. Absent when the URL was refused as text. */
  readonly host?: string;
  /** The HTTP status, with `'status'` and `'redirect'`. */
  readonly status?: number;
  /** What the system calls the failure, e.g. `ECONNREFUSED`. */
  readonly code?: string;
}

/**
 * Revocation data that was not fetched. `message` is one constant sentence per reason and holds no URL.
 *
 * Carries neither a stack trace, which would cost more than the refusal, nor the error behind it: errors of TLS hold whole
 * certificates.
 */
export class FetchError extends Error {
  static {
    this.prototype.name = 'FetchError';
  }

  constructor(
    readonly reason: FetchFailure,
    readonly details: FetchErrorDetails = {},
  ) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(messages[reason]);
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** The code of a system error, or of the error right behind it: fetch functions wrap what failed. */
export function systemCode(error: unknown): { readonly code?: string } {
  const { code, cause } = Object(error) as { code?: unknown; cause?: unknown };
  const found = code ?? (Object(cause) as { code?: unknown }).code;
  return typeof found === 'string' && /^[A-Z0-9_]{1,64}$/.test(found) ? { code: found } : {};
}
