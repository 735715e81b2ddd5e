import type { RevocationReason } from './crl-entries';
import { visitExtensions } from './crl-extensions';
import { contextTag, DerError, type DerReader, Tag } from './der';
import { dottedOid } from './oid';
import { decodeTime } from './time';

/** CRLReason (RFC 5280 section 5.3.1), by number. 7 is not used. */
const reasons = [
  'unspecified',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  undefined,
  'removeFromCRL',
  'privilegeWithdrawn',
  'aACompromise',
] as const satisfies readonly (RevocationReason | undefined)[];

/** CertID (RFC 6960 section 4.1.1): the certificate asked about. */
export interface CertId {
  /** Latin1 OID contents. */
  readonly hashAlgorithm: string;
  readonly issuerNameHash: Buffer;
  readonly issuerKeyHash: Buffer;
  /** Contents of the INTEGER: two's complement in the fewest octets. */
  readonly serialNumber: Buffer;
}

/** CertStatus (RFC 6960 section 4.2.1). */
export type CertStatus =
  | { readonly type: 'good' }
  | { readonly type: 'unknown' }
  /** `revokedAt`: milliseconds since the Unix epoch. */
  | { readonly type: 'revoked'; readonly revokedAt: number; readonly reason: RevocationReason | undefined };

/** SingleResponse (RFC 6960 section 4.2.1): the answer about one certificate. Times in milliseconds since the Unix epoch. */
export interface SingleResponse {
  readonly certId: CertId;
  readonly status: CertStatus;
  readonly thisUpdate: number;
  readonly nextUpdate: number | undefined;
  /** Dotted OIDs of critical singleExtensions. None is processed. */
  readonly unsupportedCritical: readonly string[];
}

/** Reads one SingleResponse of a list. */
export function readSingleResponse(list: DerReader): SingleResponse {
  const single = list.enter(Tag.sequence, 'SingleResponse');
  const certId = readCertId(single);
  const status = readCertStatus(single);
  const thisUpdate = readGeneralizedTime(single, 'thisUpdate');
  let nextUpdate: number | undefined;
  if (single.nextTag === contextTag(0, 'constructed')) {
    const explicit = single.enter(single.nextTag, 'nextUpdate');
    nextUpdate = readGeneralizedTime(explicit, 'nextUpdate');
    explicit.finish('nextUpdate');
  }
  const unsupportedCritical = readExtensions(single, 'singleExtensions');
  single.finish('singleExtensions');
  return { certId, status, thisUpdate, nextUpdate, unsupportedCritical };
}

function readCertId(single: DerReader): CertId {
  const { bytes } = single;
  const certId = single.enter(Tag.sequence, 'CertID');
  const algorithm = certId.enter(Tag.sequence, 'hashAlgorithm');
  const hashAlgorithm = algorithm.oid('hashAlgorithm');
  // Parameters say nothing: SHA-1 and SHA-2 have NULL or none.
  if (!algorithm.atEnd) algorithm.readOpaque().finish('hashAlgorithm');
  const contents = ({ start, end }: DerReader): Buffer => bytes.subarray(start, end);
  const issuerNameHash = contents(certId.expect(Tag.octetString, 'issuerNameHash'));
  const issuerKeyHash = contents(certId.expect(Tag.octetString, 'issuerKeyHash'));
  const serialNumber = contents(certId.integer('serialNumber'));
  certId.finish('CertID');
  return { hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber };
}

function readCertStatus(single: DerReader): CertStatus {
  if (single.nextTag === contextTag(1, 'constructed')) {
    const revoked = single.enter(single.nextTag, 'RevokedInfo');
    const revokedAt = readGeneralizedTime(revoked, 'revocationTime');
    let reason: RevocationReason | undefined;
    if (revoked.nextTag === contextTag(0, 'constructed')) {
      const explicit = revoked.enter(revoked.nextTag, 'revocationReason');
      reason = readEnumerated(explicit, 'revocationReason', reasons);
      explicit.finish('revocationReason');
    }
    revoked.finish('RevokedInfo');
    return { type: 'revoked', revokedAt, reason };
  }
  const type = single.nextTag === contextTag(0, 'primitive') ? 'good' : 'unknown';
  single.expect(contextTag(type === 'good' ? 0 : 2, 'primitive'), 'certStatus');
  if (single.start !== single.end) throw new DerError('certStatus is not NULL', single.start);
  return { type };
}

/**
 * Reads optional `[1] EXPLICIT Extensions`.
 *
 * @param decode - Reads the value of a type it knows, and says whether it does. Default: knows none.
 * @returns dotted OIDs of the critical ones that it does not know.
 */
export function readExtensions(
  reader: DerReader,
  what: string,
  decode: (type: string, value: DerReader) => boolean = () => false,
): readonly string[] {
  if (reader.nextTag !== contextTag(1, 'constructed')) return [];
  const explicit = reader.enter(reader.nextTag, what);
  const unsupportedCritical: string[] = [];
  visitExtensions(explicit, (type, critical, value) => {
    const isKnown = decode(type, value);
    if (critical && !isKnown) unsupportedCritical.push(dottedOid(type));
    return isKnown;
  });
  explicit.finish(what);
  return unsupportedCritical;
}

/** A time that is a GeneralizedTime, and of full seconds in UTC (RFC 6960 section 4.2.2.1). */
export function readGeneralizedTime(reader: DerReader, what: string): number {
  if (reader.nextTag !== Tag.generalizedTime) throw new DerError(`${what} is not a GeneralizedTime`, reader.end);
  return decodeTime(reader, what);
}

/** An ENUMERATED whose number has a word. */
export function readEnumerated<Word extends string>(
  reader: DerReader,
  what: string,
  words: readonly (Word | undefined)[],
): Word {
  const word = words[reader.smallInteger(what, Tag.enumerated)];
  if (word === undefined) throw new DerError(`${what} is not known`, reader.start);
  return word;
}
