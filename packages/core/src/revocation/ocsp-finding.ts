import { Certificate } from '../x509/certificate';
import type { RevocationReason } from '../x509/crl-entries';
import { DerError } from '../x509/der';
import { type BasicOcspResponse, decodeOcspResponse, type OcspErrorStatus } from '../x509/ocsp-response';
import type { SingleResponse } from '../x509/ocsp-single-response';
import { isAbout, type OcspSubject } from './ocsp-request';
import { findSigner, type SignerQuery } from './ocsp-signer';

/** Why a response says neither that a certificate is good nor that it is revoked. */
export type OcspUnknownCause =
  /** It is not an OCSP response in strict DER. */
  | 'malformed'
  /** The responder does not answer, and says why. */
  | 'responder-error'
  /** Nobody signed it who may answer for the issuer. */
  | 'responder-not-authorized'
  /** The delegate that signed it is not valid at this time. */
  | 'responder-expired'
  /** A signature algorithm or key is not permitted. */
  | 'algorithm-not-permitted'
  /** Its signature does not verify. */
  | 'signature-invalid'
  /** It is the answer to another request. */
  | 'nonce-mismatch'
  /** It has no word about this certificate. */
  | 'not-answered'
  /** It has a critical extension that is not processed here. */
  | 'critical-extension'
  /** Its thisUpdate lies in the future. */
  | 'not-yet-valid'
  /** Its time is over. */
  | 'stale'
  /** The responder does not know the certificate. */
  | 'status-unknown';

/** What an answer rests on. Times in milliseconds since the Unix epoch. */
interface Evidence {
  readonly thisUpdate: number;
  /** When the answer ends to hold: nextUpdate, or so many seconds after thisUpdate where there is none. */
  readonly until: number;
  readonly producedAt: number;
  /** SHA-256 of the certificate that signed, hexadecimal. */
  readonly responder: string;
}

interface Unknown {
  readonly status: 'unknown';
  readonly cause: OcspUnknownCause;
  /** More about the cause, for people; the responder's word for `'responder-error'`. */
  readonly detail?: string;
}

/** What an OCSP response says about one certificate, once everything about it was judged. */
export type OcspFinding =
  | ({ readonly status: 'good' } & Evidence)
  | ({
      readonly status: 'revoked';
      readonly revokedAt: number;
      readonly reason: RevocationReason | undefined;
    } & Evidence)
  | Unknown;

/** A response, and what it is asked for. */
export interface OcspQuestion extends OcspSubject, SignerQuery {
  readonly response: Buffer;
  /** How long an answer without nextUpdate holds after its thisUpdate. */
  readonly maxAgeSeconds: number;
  /** How far ahead the responder's clock may be. Default 300. */
  readonly clockSkewSeconds?: number;
  /** The nonce of the request, if it had one. */
  readonly nonce?: Buffer;
}

const defaultClockSkewSeconds = 300;

/**
 * Judges an OCSP response (RFC 6960 section 3.2): who signed it and may they, does it answer this question, is it current.
 * Never good unless all of that holds, and never an exception for what a responder sends.
 *
 * First who, then what: except for the responder's own errors, which nobody signs, what a response says is looked at only
 * when it is known to be said by somebody who may.
 *
 * NOTE: producedAt is evidence and not judged: it says when the response was signed, not for when it is true, and responders
 * that sign in advance or for later have it on either side of the present.
 */
export async function judgeOcspResponse(question: OcspQuestion): Promise<OcspFinding> {
  const response = decodeOr(question.response);
  if (response.status === 'unknown') return response;
  if (response.status !== 'successful') return unknown('responder-error', response.status);
  const { basic } = response;
  // What holds for another certificate's issuer says nothing of this one.
  if (question.certificate.issuerKey !== question.issuer.subjectKey) {
    return unknown('not-answered', 'the issuer did not issue the certificate');
  }
  const signer = await findSigner(basic, question);
  if (!(signer instanceof Certificate)) return unknown(signer.cause, signer.detail);
  const [critical] = basic.unsupportedCritical;
  if (critical !== undefined) return unknown('critical-extension', critical);
  if (!isSameNonce(question.nonce, basic.nonce)) return unknown('nonce-mismatch');
  const findings = basic.responses
    .filter(({ certId }) => isAbout(certId, question))
    .map((single) => judgeSingle(single, question, { producedAt: basic.producedAt, responder: signer.sha256 }));
  return findings.toSorted(worstFirst)[0] ?? unknown('not-answered');
}

type Decoded =
  { readonly status: 'successful'; readonly basic: BasicOcspResponse } | { readonly status: OcspErrorStatus } | Unknown;

function decodeOr(response: Buffer): Decoded {
  try {
    return decodeOcspResponse(response);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    return unknown('malformed', `${error.reason} (octet ${error.offset})`);
  }
}

function unknown(cause: OcspUnknownCause, detail?: string): Unknown {
  return detail === undefined ? { status: 'unknown', cause } : { status: 'unknown', cause, detail };
}

/**
 * NOTE: a response without the nonce that was asked for is taken. Responders that sign in advance, as RFC 5019 section 4
 * recommends, cannot have it; what remains against replay is the end of the answer's time.
 */
function isSameNonce(asked: Buffer | undefined, answered: Buffer | undefined): boolean {
  return asked === undefined || answered === undefined || asked.equals(answered);
}

/** RFC 6960 section 3.2 (5), (6), section 4.2.2.1: one answer, and whether it is current. Both ends of its time included. */
function judgeSingle(
  { status, thisUpdate, nextUpdate, unsupportedCritical }: SingleResponse,
  { time, maxAgeSeconds, clockSkewSeconds = defaultClockSkewSeconds }: OcspQuestion,
  about: Pick<Evidence, 'producedAt' | 'responder'>,
): OcspFinding {
  const [critical] = unsupportedCritical;
  if (critical !== undefined) return unknown('critical-extension', critical);
  if (thisUpdate > time + clockSkewSeconds * 1000) return unknown('not-yet-valid');
  const until = nextUpdate ?? thisUpdate + maxAgeSeconds * 1000;
  // NOTE: without tolerance, unlike thisUpdate: an old answer is what somebody who hides a revocation has to offer.
  if (!(time <= until) || until < thisUpdate) return unknown('stale');
  if (status.type === 'unknown') return unknown('status-unknown');
  const evidence: Evidence = { thisUpdate, until, ...about };
  if (status.type === 'good') return { status: 'good', ...evidence };
  return { status: 'revoked', revokedAt: status.revokedAt, reason: status.reason, ...evidence };
}

const worst: readonly OcspFinding['status'][] = ['revoked', 'unknown', 'good'];

/** Of answers that differ, the worst; of those that agree, the one that ends first. */
function worstFirst(one: OcspFinding, other: OcspFinding): number {
  const rank = worst.indexOf(one.status) - worst.indexOf(other.status);
  if (rank !== 0 || one.status === 'unknown' || other.status === 'unknown') return rank;
  return one.until - other.until;
}
