/**
 * Every refusal peercert can give, with the evidence it carries.
 *
 * The key is the stable public code: it changes only in a major version. In `details`, `depth` is a certificate's place in
 * the path under test (0 is the end-entity certificate, 1 its issuer, and so on up to the trust anchor) and `position` its
 * place among the presented certificates (0 is the end-entity certificate). Names are RFC 4514 strings. Details are for
 * logs: they describe a stranger's input and are never sent to the client.
 */
export interface ErrorDetails {
  /** The peer could not be shown to be the proxy that may speak for clients (RFC 9440 section 4). No certificate header was read. */
  ERR_CHANNEL_UNTRUSTED: { readonly proof: string; readonly reason: ChannelDistrust };

  /**
   * A header field does not follow its grammar, or holds a byte outside visible ASCII. `hint` says what the value looks like
   * where it looks like another proxy's way to write certificates.
   */
  ERR_HEADER_MALFORMED: { readonly header: string; readonly reason: string; readonly hint?: string };
  /** A field that may occur once occurs more often (RFC 9440 section 2.2). */
  ERR_HEADER_REPEATED: { readonly header: string; readonly count: number };
  /** A field stands beside a look-alike that another parser would take for the same field (`Client_Cert`). */
  ERR_HEADER_AMBIGUOUS: { readonly header: string; readonly lookAlike: string };
  /** `Connection` names a field that proves something, so that any hop may have dropped it (RFC 9110 section 7.6.1). */
  ERR_HEADER_HOP_BY_HOP: { readonly header: string };
  /** A certificate header of another proxy's scheme arrived, and the source was told to refuse it. */
  ERR_HEADER_UNEXPECTED: { readonly header: string };
  /** A field is longer than the source can honestly send. Counted before anything is decoded. */
  ERR_HEADER_TOO_LARGE: { readonly header: string; readonly bytes: number; readonly maximum: number };
  /** What the proxy says about the certificate beside it is about another certificate, or about none. */
  ERR_HEADER_INCONSISTENT: { readonly header: string; readonly reason: string };
  /** The request has as many fields as Node keeps, so that some may have been dropped. */
  ERR_HEADER_COUNT_EXCEEDED: { readonly count: number; readonly maximum: number };
  /** A chain came without the certificate it belongs to (RFC 9440 section 2.3). */
  ERR_HEADER_CHAIN_WITHOUT_CERTIFICATE: { readonly header: string };
  /** More certificates were presented than the source allows. Counted before anything is decoded. */
  ERR_CHAIN_TOO_LONG: { readonly count: number; readonly maximum: number };

  /** No certificate was presented where one is required. */
  ERR_CERTIFICATE_REQUIRED: Record<never, never>;
  /** The proxy says that a certificate was presented, and forwards none. Its policy leaves the header out. */
  ERR_CERTIFICATE_NOT_FORWARDED: { readonly header: string };
  /** The proxy forwards the certificate and says that it did not verify: `status` has its words. */
  ERR_CERTIFICATE_REFUSED_BY_PROXY: { readonly header: string; readonly status: string };
  /** A presented certificate is not strict DER, or not a certificate (RFC 5280 section 4.1). `offset` is in bytes. */
  ERR_CERTIFICATE_MALFORMED: { readonly position: number; readonly reason: string; readonly offset: number };
  /** Not X.509 version 3, in a place where extensions decide. */
  ERR_CERTIFICATE_VERSION_UNSUPPORTED: { readonly depth: number; readonly version: number };
  /** RFC 5280 section 6.1.3 (a)(2): the validation time is earlier than notBefore. */
  ERR_CERTIFICATE_NOT_YET_VALID: { readonly depth: number; readonly time: Date; readonly notBefore: Date };
  /** RFC 5280 section 6.1.3 (a)(2): the validation time is later than notAfter. */
  ERR_CERTIFICATE_EXPIRED: { readonly depth: number; readonly time: Date; readonly notAfter: Date };
  /** RFC 5280 section 6.1.4 (o), 6.1.5 (f): a critical extension is not processed here. */
  ERR_CERTIFICATE_CRITICAL_EXTENSION_UNSUPPORTED: { readonly depth: number; readonly oid: string };
  /** RFC 5280 section 6.1.3 (b), (c): a name of this form lies outside what an issuer permits, or in what it excludes. */
  ERR_CERTIFICATE_NAME_NOT_PERMITTED: { readonly depth: number; readonly type: string };
  /** The public key is of a type, size or shape that is not permitted. */
  ERR_CERTIFICATE_KEY_NOT_PERMITTED: { readonly depth: number; readonly key: string };
  /** The certificate's signature was made with an algorithm, or algorithm parameters, that are not permitted. */
  ERR_CERTIFICATE_ALGORITHM_NOT_PERMITTED: { readonly depth: number; readonly algorithm: string };
  /** The certificate breaks a rule of RFC 5280 section 4 that path validation does not need, and `profile` asks for. */
  ERR_CERTIFICATE_PROFILE_VIOLATED: { readonly depth: number; readonly rule: string };
  /** An end-entity certificate says it is a certification authority, or signs certificates. */
  ERR_CERTIFICATE_IS_CA: { readonly depth: number };
  /** keyUsage or extKeyUsage does not allow what the certificate is used for here. */
  ERR_CERTIFICATE_USAGE_NOT_PERMITTED: {
    readonly depth: number;
    readonly extension: 'keyUsage' | 'extKeyUsage';
    readonly required: string;
  };

  /** RFC 5280 section 6.1.3 (a)(3): the issuer has revoked the certificate. `reason` is its word, where it has one. */
  ERR_CERTIFICATE_REVOKED: {
    readonly depth: number;
    readonly method: 'crl' | 'ocsp';
    readonly source: string;
    readonly revokedAt: Date;
    readonly reason: string | undefined;
  };
  /** The certificate is on the operator's own deny list. `by` is what it was found by. */
  ERR_CERTIFICATE_DENIED: { readonly depth: number; readonly by: string };
  /** Nobody could say whether a certificate of the path is revoked, and the policy is to refuse then. */
  ERR_REVOCATION_UNAVAILABLE: { readonly depth: number; readonly cause: string; readonly detail: string };

  /** No trust anchor was reached: some issuer is neither presented, nor an operator intermediate, nor an anchor. */
  ERR_PATH_ISSUER_UNKNOWN: { readonly depth: number; readonly issuer: string };
  /** RFC 5280 section 6.1.4 (k): an issuer without basicConstraints cA. */
  ERR_PATH_ISSUER_NOT_CA: { readonly depth: number; readonly subject: string };
  /** RFC 5280 section 6.1.4 (n): an issuer whose keyUsage lacks keyCertSign. */
  ERR_PATH_ISSUER_NOT_CERT_SIGNER: { readonly depth: number; readonly subject: string };
  /** RFC 5280 section 6.1.4 (l), (m): more intermediates below an issuer than its pathLenConstraint allows. */
  ERR_PATH_LENGTH_EXCEEDED: { readonly depth: number; readonly pathLenConstraint: number };
  /** No path within `maxIntermediates`. */
  ERR_PATH_TOO_LONG: { readonly maximum: number };
  /** RFC 5280 section 6.1.3 (a)(1): the issuer's key did not make this signature. */
  ERR_PATH_SIGNATURE_INVALID: { readonly depth: number; readonly issuer: string };
  /** RFC 5280 section 6.1.3 (f), 6.1.4 (a), 6.1.5 (g): the path is good for no acceptable policy, where it must be for one. */
  ERR_PATH_POLICY_NOT_SATISFIED: { readonly depth: number };
  /** Path building stopped at a limit. The same input will fail again. */
  ERR_PATH_BUDGET_EXCEEDED: {
    readonly limit: 'signatures' | 'candidates' | 'name-comparisons' | 'paths';
    readonly maximum: number;
  };

  /** The path is good but the certificate names nobody: an empty subject and no usable subjectAltName. */
  ERR_IDENTITY_MISSING: { readonly certificateSha256: string };
  /** The identity is good and the rule did not say `true`. */
  ERR_POLICY_NOT_AUTHORIZED: { readonly certificateSha256: string };
  /** The user's own rule threw or rejected. See `cause`. */
  ERR_POLICY_FAILED: Record<never, never>;
  /** The user's own rule did not answer in time. */
  ERR_POLICY_TIMEOUT: { readonly timeoutMs: number };
  /** The request belongs to none of the trust domains: see `createTrustDomains`. */
  ERR_POLICY_NO_TRUST_DOMAIN: Record<never, never>;
  /** A guard ran on a request that nothing had authenticated before. */
  ERR_POLICY_UNAUTHENTICATED: Record<never, never>;
  /** The server cannot show what the source needs to see, so that no answer would be the right one. */
  ERR_SERVER_MISCONFIGURED: { readonly hint: string };
  /** Something failed that no input should make fail. See `cause`. */
  ERR_INTERNAL: Record<never, never>;
}

/** Why a channel is not trusted. */
export type ChannelDistrust =
  | 'peer-gone'
  | 'not-tls'
  | 'certificate-missing'
  | 'certificate-repeated'
  | 'certificate-rejected'
  | 'name-not-permitted'
  | 'key-not-pinned'
  | 'shared-authority'
  | 'address-not-trusted'
  | 'none-holds'
  | 'secret-missing'
  | 'secret-repeated'
  | 'secret-wrong';

/** The code of a refusal. Stable: a code changes its meaning only in a major version. */
export type ErrorCode = keyof ErrorDetails;

const messages: { readonly [Code in ErrorCode]: string } = {
  ERR_CHANNEL_UNTRUSTED: 'The request did not come through a trusted proxy.',
  ERR_HEADER_MALFORMED: 'A certificate header is malformed.',
  ERR_HEADER_REPEATED: 'A header that may occur once is repeated.',
  ERR_HEADER_AMBIGUOUS: 'A certificate header stands beside a look-alike.',
  ERR_HEADER_HOP_BY_HOP: 'The Connection header names a header that must reach the origin.',
  ERR_HEADER_UNEXPECTED: "Another proxy's certificate header is present.",
  ERR_HEADER_TOO_LARGE: 'A certificate header is too large.',
  ERR_HEADER_INCONSISTENT: 'Headers about one certificate contradict each other.',
  ERR_HEADER_COUNT_EXCEEDED: 'The request has too many header fields.',
  ERR_HEADER_CHAIN_WITHOUT_CERTIFICATE: 'A certificate chain came without its certificate.',
  ERR_CHAIN_TOO_LONG: 'Too many certificates were presented.',
  ERR_CERTIFICATE_REQUIRED: 'A client certificate is required.',
  ERR_CERTIFICATE_NOT_FORWARDED: 'A client certificate was presented and not forwarded.',
  ERR_CERTIFICATE_REFUSED_BY_PROXY: 'The proxy says that the client certificate did not verify.',
  ERR_CERTIFICATE_MALFORMED: 'A presented certificate is malformed.',
  ERR_CERTIFICATE_VERSION_UNSUPPORTED: 'A certificate is not version 3.',
  ERR_CERTIFICATE_NOT_YET_VALID: 'A certificate is not yet valid.',
  ERR_CERTIFICATE_EXPIRED: 'A certificate has expired.',
  ERR_CERTIFICATE_CRITICAL_EXTENSION_UNSUPPORTED: 'A certificate has a critical extension that is not supported.',
  ERR_CERTIFICATE_NAME_NOT_PERMITTED: 'A certificate has a name that an issuer does not permit.',
  ERR_CERTIFICATE_KEY_NOT_PERMITTED: 'A certificate has a public key that is not permitted.',
  ERR_CERTIFICATE_ALGORITHM_NOT_PERMITTED: 'A certificate is signed with an algorithm that is not permitted.',
  ERR_CERTIFICATE_PROFILE_VIOLATED: 'A certificate does not follow the profile of RFC 5280.',
  ERR_CERTIFICATE_IS_CA: 'A certification authority certificate was presented as a client certificate.',
  ERR_CERTIFICATE_USAGE_NOT_PERMITTED: 'A certificate may not be used for client authentication.',
  ERR_CERTIFICATE_REVOKED: 'A certificate has been revoked.',
  ERR_CERTIFICATE_DENIED: 'A certificate is on the deny list.',
  ERR_REVOCATION_UNAVAILABLE: 'The revocation status of a certificate cannot be found out.',
  ERR_PATH_ISSUER_UNKNOWN: 'No path leads from the certificate to a trust anchor.',
  ERR_PATH_ISSUER_NOT_CA: 'An issuer is not a certification authority.',
  ERR_PATH_ISSUER_NOT_CERT_SIGNER: 'An issuer may not sign certificates.',
  ERR_PATH_LENGTH_EXCEEDED: 'The path is longer than an issuer allows.',
  ERR_PATH_TOO_LONG: 'The path has too many intermediates.',
  ERR_PATH_SIGNATURE_INVALID: 'A certificate signature is invalid.',
  ERR_PATH_POLICY_NOT_SATISFIED: 'The path is good for no acceptable policy.',
  ERR_PATH_BUDGET_EXCEEDED: 'Path building took too much work.',
  ERR_IDENTITY_MISSING: 'The certificate names nobody.',
  ERR_POLICY_NOT_AUTHORIZED: 'The client is not authorized.',
  ERR_POLICY_FAILED: 'The authorization rule failed.',
  ERR_POLICY_TIMEOUT: 'The authorization rule did not answer in time.',
  ERR_POLICY_NO_TRUST_DOMAIN: 'The request belongs to no trust domain.',
  ERR_POLICY_UNAUTHENTICATED: 'The request was not authenticated before its guard.',
  ERR_SERVER_MISCONFIGURED: 'The server is not set up to see client certificates.',
  ERR_INTERNAL: 'The certificate could not be checked.',
};

/**
 * Every code, from the least telling to the most telling. When several candidate paths fail, the refusal that stands
 * furthest to the right here is the one reported.
 */
export const errorsBySpecificity: readonly ErrorCode[] = [
  'ERR_PATH_ISSUER_UNKNOWN',
  'ERR_PATH_TOO_LONG',
  'ERR_PATH_SIGNATURE_INVALID',
  'ERR_CERTIFICATE_VERSION_UNSUPPORTED',
  'ERR_PATH_ISSUER_NOT_CA',
  'ERR_PATH_ISSUER_NOT_CERT_SIGNER',
  'ERR_CERTIFICATE_KEY_NOT_PERMITTED',
  'ERR_CERTIFICATE_ALGORITHM_NOT_PERMITTED',
  'ERR_CERTIFICATE_CRITICAL_EXTENSION_UNSUPPORTED',
  'ERR_CERTIFICATE_PROFILE_VIOLATED',
  'ERR_CERTIFICATE_USAGE_NOT_PERMITTED',
  'ERR_PATH_LENGTH_EXCEEDED',
  'ERR_PATH_POLICY_NOT_SATISFIED',
  'ERR_CERTIFICATE_NAME_NOT_PERMITTED',
  'ERR_CERTIFICATE_NOT_YET_VALID',
  'ERR_CERTIFICATE_EXPIRED',
  'ERR_CERTIFICATE_IS_CA',
  'ERR_REVOCATION_UNAVAILABLE',
  'ERR_CERTIFICATE_REVOKED',
  'ERR_CERTIFICATE_DENIED',
  'ERR_IDENTITY_MISSING',
  'ERR_PATH_BUDGET_EXCEEDED',
  'ERR_CERTIFICATE_REQUIRED',
  'ERR_CERTIFICATE_NOT_FORWARDED',
  'ERR_CERTIFICATE_REFUSED_BY_PROXY',
  'ERR_CERTIFICATE_MALFORMED',
  'ERR_CHAIN_TOO_LONG',
  'ERR_HEADER_CHAIN_WITHOUT_CERTIFICATE',
  'ERR_HEADER_MALFORMED',
  'ERR_HEADER_TOO_LARGE',
  'ERR_HEADER_INCONSISTENT',
  'ERR_HEADER_REPEATED',
  'ERR_HEADER_UNEXPECTED',
  'ERR_HEADER_AMBIGUOUS',
  'ERR_HEADER_HOP_BY_HOP',
  'ERR_HEADER_COUNT_EXCEEDED',
  'ERR_CHANNEL_UNTRUSTED',
  'ERR_POLICY_NOT_AUTHORIZED',
  'ERR_POLICY_NO_TRUST_DOMAIN',
  'ERR_POLICY_UNAUTHENTICATED',
  'ERR_POLICY_TIMEOUT',
  'ERR_POLICY_FAILED',
  'ERR_SERVER_MISCONFIGURED',
  'ERR_INTERNAL',
];

/** Refusals of the request's form; the rest refuse what it says. */
const malformed: ReadonlySet<ErrorCode> = new Set([
  'ERR_CERTIFICATE_MALFORMED',
  'ERR_CHAIN_TOO_LONG',
  'ERR_HEADER_AMBIGUOUS',
  'ERR_HEADER_CHAIN_WITHOUT_CERTIFICATE',
  'ERR_HEADER_COUNT_EXCEEDED',
  'ERR_HEADER_HOP_BY_HOP',
  'ERR_HEADER_INCONSISTENT',
  'ERR_HEADER_MALFORMED',
  'ERR_HEADER_REPEATED',
  'ERR_HEADER_TOO_LARGE',
  'ERR_HEADER_UNEXPECTED',
]);

/** Failures on this side of the connection. */
const failures: ReadonlySet<ErrorCode> = new Set([
  'ERR_INTERNAL',
  'ERR_POLICY_FAILED',
  'ERR_POLICY_UNAUTHENTICATED',
  'ERR_SERVER_MISCONFIGURED',
]);

const specificity = new Map(errorsBySpecificity.map((code, rank) => [code, rank]));

/**
 * A refusal. `code` is API; `message` is one constant sentence per code and safe to show; `details` is the evidence,
 * for logs; `cause` is the error behind it, where there is one.
 *
 * Carries no stack trace: a refusal describes a request, not a place in the code, and capturing a stack would cost more
 * than refusing.
 */
export class ClientCertificateError<Code extends ErrorCode = ErrorCode> extends Error {
  static {
    this.prototype.name = 'ClientCertificateError';
  }

  /** What is wrong, for programs. */
  readonly code: Code;
  /** The evidence, for logs. Holds what a stranger sent; never for the client. */
  readonly details: ErrorDetails[Code];

  /** HTTP status to answer with: 400 malformed, 403 missing or refused, 500 a failure here, 503 no answer in time. */
  get status(): 400 | 403 | 500 | 503 {
    if (this.code === 'ERR_POLICY_TIMEOUT' || this.code === 'ERR_REVOCATION_UNAVAILABLE') return 503;
    if (failures.has(this.code)) return 500;
    return malformed.has(this.code) ? 400 : 403;
  }

  /** The same, by the name Fastify reads. */
  get statusCode(): 400 | 403 | 500 | 503 {
    return this.status;
  }

  constructor(code: Code, details: ErrorDetails[Code], options?: ErrorOptions) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(messages[code], options);
    Error.stackTraceLimit = stackTraceLimit;
    this.code = code;
    this.details = details;
  }
}

/** Switch on `code` and `details` narrows with it. */
export type AnyClientCertificateError = { [Code in ErrorCode]: ClientCertificateError<Code> }[ErrorCode];

/** Whether an error is a refusal with this code. */
export function isRefusal<Code extends ErrorCode>(error: unknown, code: Code): error is ClientCertificateError<Code> {
  return error instanceof ClientCertificateError && error.code === code;
}

/** The more telling of two refusals, see {@link errorsBySpecificity}; the first where they tell as much. */
export function mostSpecific(
  first: ClientCertificateError | undefined,
  second: ClientCertificateError,
): ClientCertificateError {
  if (first === undefined) return second;
  return (specificity.get(second.code) ?? 0) > (specificity.get(first.code) ?? 0) ? second : first;
}
