import { checkInteger, checkOptions, describe } from '../options';
import { decodePresented } from '../path/validate-path';
import type { RevocationReason } from '../x509/crl-entries';
import { judgeOcspResponse, type OcspFinding, type OcspUnknownCause } from './ocsp-finding';
import type { ResponderRules } from './ocsp-signer';

/** What {@link checkOcspResponse} takes. */
export interface CheckOcspResponseInput extends ResponderRules {
  /** DER of the certificate in question. */
  readonly certificate: Uint8Array;
  /** DER of its issuer's certificate. It is believed: take it from a validated path. */
  readonly issuer: Uint8Array;
  /** DER of the OCSPResponse, at most 65,536 octets. */
  readonly response: Uint8Array;
  /** DER of certificates that may be the responder's, beside those in the response. Default none. */
  readonly certificates?: readonly Uint8Array[];
  /** The instant to judge at. Default now. */
  readonly time?: Date;
  /**
   * How long an answer without nextUpdate holds after its thisUpdate: an integer from 1 to 604,800, default 3,600. Responders
   * without nextUpdate say that they always know more (RFC 6960 section 4.2.2.1); an answer of theirs that is older than an
   * hour has been kept by somebody.
   */
  readonly maxAgeSeconds?: number;
}

/** What an answer rests on, see {@link OcspAnswer}. */
export interface OcspEvidence {
  /** The latest time at which the status is known to be right. */
  readonly thisUpdate: Date;
  /** When the answer ends to hold: nextUpdate, or `maxAgeSeconds` after thisUpdate where there is none. */
  readonly until: Date;
  /** When the response was signed. */
  readonly producedAt: Date;
  /** SHA-256 of the certificate that signed, hexadecimal, lower case: the issuer's or a delegate's. */
  readonly responder: string;
}

/** What {@link checkOcspResponse} finds. */
export type OcspAnswer =
  | ({ readonly status: 'good' } & OcspEvidence)
  | ({
      readonly status: 'revoked';
      readonly revokedAt: Date;
      /** Undefined where the responder does not say. */
      readonly reason: RevocationReason | undefined;
    } & OcspEvidence)
  | {
      readonly status: 'unknown';
      /** The one thing that is wrong, of several the most telling. */
      readonly cause: OcspUnknownCause;
      /** More about the cause, for people; the responder's word for `'responder-error'`. */
      readonly detail?: string;
    };

const inputNames = [
  'certificate',
  'issuer',
  'response',
  'certificates',
  'time',
  'maxAgeSeconds',
  'legacyAlgorithms',
  'delegateWithoutNocheck',
];
const defaultMaxAgeSeconds = 3_600;
const maxMaxAgeSeconds = 604_800;

/** See `checkOcspResponse` in `on-demand`, which loads this. */
export async function checkOcspResponse(input: CheckOcspResponseInput): Promise<OcspAnswer> {
  checkOptions('checkOcspResponse', input, inputNames);
  const { certificate, issuer, response, certificates = [], time = new Date() } = input;
  const { maxAgeSeconds = defaultMaxAgeSeconds } = input;
  const { legacyAlgorithms = 'reject', delegateWithoutNocheck = 'reject' } = input;
  checkOctets('certificate', certificate);
  checkOctets('issuer', issuer);
  checkOctets('response', response);
  if (!Array.isArray(certificates)) {
    throw new TypeError(`certificates must be an array; it received ${describe(certificates)}.`);
  }
  for (const [index, der] of certificates.entries()) checkOctets(`certificates[${index}]`, der);
  if (!(time instanceof Date) || Number.isNaN(time.getTime())) throw new TypeError('time must be a valid Date.');
  checkInteger('maxAgeSeconds', maxAgeSeconds, 1, maxMaxAgeSeconds);
  checkWord('legacyAlgorithms', legacyAlgorithms);
  checkWord('delegateWithoutNocheck', delegateWithoutNocheck);
  const finding = await judgeOcspResponse({
    certificate: decodePresented(certificate, 0),
    issuer: decodePresented(issuer, 1),
    certificates: certificates.map((der, index) => decodePresented(der, index + 2)),
    response: Buffer.from(response),
    time: time.getTime(),
    maxAgeSeconds,
    legacyAlgorithms,
    delegateWithoutNocheck,
  });
  return toAnswer(finding);
}

function checkOctets(name: string, value: unknown): void {
  if (value instanceof Uint8Array) return;
  throw new TypeError(`${name} must be a Uint8Array; it received ${describe(value)}.`);
}

function checkWord(name: string, value: unknown): void {
  if (value !== 'reject' && value !== 'accept') throw new TypeError(`${name} must be 'reject' or 'accept'.`);
}

function toAnswer(finding: OcspFinding): OcspAnswer {
  if (finding.status === 'unknown') return finding;
  const evidence: OcspEvidence = {
    thisUpdate: new Date(finding.thisUpdate),
    until: new Date(finding.until),
    producedAt: new Date(finding.producedAt),
    responder: finding.responder,
  };
  if (finding.status === 'good') return { status: 'good', ...evidence };
  return { status: 'revoked', revokedAt: new Date(finding.revokedAt), reason: finding.reason, ...evidence };
}
