import type { ClientCertificateError } from '../errors';
import type { Certificate } from '../x509/certificate';
import type { ResolvedRules } from './rules';

/** Why nobody could say whether a certificate is revoked. */
export type UnknownCause =
  /** There is nobody to ask: no CRL of its issuer, no responder, no URL that may be asked. */
  | 'no-source'
  /** Whoever was to be asked did not answer, or not in time. */
  | 'unreachable'
  /** It cannot be read, or is of a kind that is not supported, or is about other certificates. */
  | 'unusable'
  /** It is not signed by whoever may say so. */
  | 'untrusted'
  /** What is known is not from now: its time is over, or has not come. */
  | 'not-current'
  /** The issuer's responder does not know the certificate. */
  | 'not-known';

/** What proved one certificate of a path not revoked, or that nothing did and it was accepted all the same. Plain data. */
export type RevocationEvidence =
  | {
      readonly status: 'good';
      /** SHA-256 of the certificate, hexadecimal, lower case. */
      readonly certificateSha256: string;
      readonly method: 'crl' | 'ocsp';
      /** The file or URL it is known from. */
      readonly source: string;
      /** As of when: thisUpdate. */
      readonly asOf: Date;
      /** Until when, unless something newer is found. */
      readonly until: Date;
    }
  | {
      readonly status: 'unknown';
      readonly certificateSha256: string;
      readonly cause: UnknownCause;
      /** What exactly, for the operator. */
      readonly detail: string;
    }
  /** Not asked about, because it lives no longer than `shortLivedSeconds`. */
  | { readonly status: 'short-lived'; readonly certificateSha256: string };

/** A path to be accepted or not: end-entity certificate first, and the trust anchor that issued the last. */
export interface AcceptablePath {
  readonly certificates: readonly Certificate[];
  readonly anchor: Certificate;
}

/** Whether a path is accepted, and until when, in milliseconds since the Unix epoch, that is the answer. */
export type Acceptance =
  | { readonly refusal: ClientCertificateError; readonly until: number }
  | { readonly refusal?: undefined; readonly evidence: readonly RevocationEvidence[]; readonly until: number };

/**
 * Judges paths that are good in every other way; a path it refuses gives way to the next candidate. A `Revocation` is one.
 */
export interface PathAcceptor {
  /** @internal Never throws and never rejects. */
  accept(path: AcceptablePath, time: number, rules: ResolvedRules): Acceptance | Promise<Acceptance>;
}
