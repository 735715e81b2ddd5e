import { AsnConvert } from '@peculiar/asn1-schema';
import { Certificate } from '@peculiar/asn1-x509';
import type { Issuer } from './certificate';
import { der } from './der';
import {
  encodeDistributionPoints,
  encodeExtension,
  encodeGeneralNames,
  type GeneralNameFields,
  type RawExtension,
} from './extensions';
import type { KeyPair } from './key';
import { algorithmIdentifier, defaultSignatureAlgorithm, signWith, type SignatureAlgorithm } from './signature';
import { daysFromTestTime } from './time';

/** Numbers of CRLReason, in RFC 5280's words (section 5.3.1). */
const reasonCodes = {
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  certificateHold: 6,
  removeFromCRL: 8,
  privilegeWithdrawn: 9,
  aACompromise: 10,
} as const;

/** Why a certificate is revoked, as RFC 5280 section 5.3.1 names it. */
export type RevocationReasonName = keyof typeof reasonCodes;

/** A certificate by itself, or by its serial number: octets are the INTEGER's content as it is. */
type Revoked =
  { readonly certificate: { readonly der: Uint8Array } } | { readonly serialNumber: Uint8Array | bigint | number };

/** One entry of a CRL. */
export type RevokedEntryFields = Revoked & {
  /** To the second. Default: the CRL's thisUpdate. */
  readonly revocationDate?: Date;
  /** A name, or any number. Default: no reasonCode. */
  readonly reason?: RevocationReasonName | number;
  /** Written after reasonCode, as they are; duplicates are allowed. Default: none. */
  readonly extensions?: readonly RawExtension[];
};

/** The scope of a CRL (RFC 5280 section 5.2.5). Names that are left out leave distributionPoint out. */
export interface IssuingDistributionPointFields extends GeneralNameFields {
  /** Default false, which DER leaves out, and so the other ones. */
  readonly onlyContainsUserCerts?: boolean;
  /** Default false. */
  readonly onlyContainsCACerts?: boolean;
  /** Default false. */
  readonly onlyContainsAttributeCerts?: boolean;
  /** Default false. */
  readonly indirectCRL?: boolean;
  /** The contents of the ReasonFlags: the number of unused bits, and then the bits. Default: absent. */
  readonly onlySomeReasons?: Uint8Array;
  /** Default true. */
  readonly critical?: boolean;
}

/**
 * Encodings that replace the fields they name, before the CRL is signed. Each is the field's whole element, tag included;
 * an empty one omits the field.
 */
export interface RawCrlFields {
  /** An INTEGER. */
  readonly version?: Uint8Array;
  /** The AlgorithmIdentifier inside the TBSCertList. */
  readonly signature?: Uint8Array;
  /** A Name. */
  readonly issuer?: Uint8Array;
  /** A time. */
  readonly thisUpdate?: Uint8Array;
  /** A time. */
  readonly nextUpdate?: Uint8Array;
  /** A SEQUENCE of entries. */
  readonly revokedCertificates?: Uint8Array;
  /** The whole `[0]`. Octets after it end the TBSCertList. */
  readonly crlExtensions?: Uint8Array;
  /** The whole TBSCertList; the fields above are then not used. */
  readonly tbsCertList?: Uint8Array;
  /** The AlgorithmIdentifier outside the TBSCertList. */
  readonly signatureAlgorithm?: Uint8Array;
  /** The BIT STRING, in place of a signature. */
  readonly signatureValue?: Uint8Array;
}

/** What a CRL says. Every field has a default; together they make an ordinary, current CRL without entries. */
export interface CrlFields {
  /** Certificates of this package, or entries. None leave the list out. Default: none. */
  readonly revoked?: readonly ({ readonly der: Uint8Array } | RevokedEntryFields)[];
  /** To the second. Default: a day before `TEST_TIME`. */
  readonly thisUpdate?: Date;
  /** To the second. Default: 7 days after `TEST_TIME`. */
  readonly nextUpdate?: Date | 'absent';
  /** 1 leaves out version, authorityKeyIdentifier and crlNumber; what else is asked for is written. Default 2. */
  readonly version?: 1 | 2;
  /** Default 1. */
  readonly crlNumber?: bigint | number | 'absent';
  /** The keyIdentifier. Default: the authority's subjectKeyIdentifier, and absent when it has none. */
  readonly authorityKeyIdentifier?: Uint8Array | 'absent';
  /** Default: absent. */
  readonly issuingDistributionPoint?: IssuingDistributionPointFields;
  /** Critical. BaseCRLNumber, which makes it a delta CRL. Default: absent. */
  readonly deltaCrlIndicator?: bigint | number;
  /** URIs of delta CRLs, a distribution point for each. Default: absent. */
  readonly freshestCrl?: readonly string[];
  /** Written after all the others, as they are; duplicates are allowed. Default: none. */
  readonly extensions?: readonly RawExtension[];
  /** Whose key signs; the name stays the authority's. Default: the authority. */
  readonly signer?: KeyPair | { readonly key: KeyPair };
  /** Must suit the key. Default: what suits it. */
  readonly signatureAlgorithm?: SignatureAlgorithm;
  /** Encodings in place of what the fields above would give. Default: none. */
  readonly raw?: RawCrlFields;
}

const nothing = Buffer.alloc(0);

/** RFC 5280 section 5.1.2.4: UTCTime through 2049, GeneralizedTime from 2050. */
function encodeTime(time: Date): Buffer {
  const year = time.getUTCFullYear();
  return year >= 1950 && year < 2050 ? der.utcTime(time) : der.generalizedTime(time);
}

/** There may be a million parts: too many for arguments. */
function sequenceOf(parts: readonly Uint8Array[]): Buffer {
  return der.tlv(0x30, Buffer.concat(parts));
}

/** reasonCode extensions by their number: the same few for any number of entries. */
const encodedReasons = new Map<number, Buffer>();

function encodeReason(reason: RevocationReasonName | number): Buffer {
  const code = typeof reason === 'number' ? reason : reasonCodes[reason];
  const known = encodedReasons.get(code);
  if (known) return known;
  const encoded = encodeExtension({ oid: '2.5.29.21', value: der.tlv(0x0a, der.integer(code).subarray(2)) });
  encodedReasons.set(code, encoded);
  return encoded;
}

function serialNumberOf(certificate: { readonly der: Uint8Array }): Uint8Array {
  return new Uint8Array(AsnConvert.parse(certificate.der, Certificate).tbsCertificate.serialNumber);
}

function encodeEntry(revoked: RevokedEntryFields, thisUpdate: Buffer): Buffer {
  const { revocationDate, reason, extensions = [] } = revoked;
  const serialNumber = 'certificate' in revoked ? serialNumberOf(revoked.certificate) : revoked.serialNumber;
  const parts = [der.integer(serialNumber), revocationDate ? encodeTime(revocationDate) : thisUpdate];
  const encodedExtensions = extensions.map(encodeExtension);
  if (reason !== undefined) encodedExtensions.unshift(encodeReason(reason));
  if (encodedExtensions.length > 0) parts.push(sequenceOf(encodedExtensions));
  return sequenceOf(parts);
}

function encodeEntries(revoked: NonNullable<CrlFields['revoked']>, thisUpdate: Date): Buffer {
  if (revoked.length === 0) return nothing;
  const time = encodeTime(thisUpdate);
  return sequenceOf(revoked.map((entry) => encodeEntry('der' in entry ? { certificate: entry } : entry, time)));
}

function encodeIssuingDistributionPoint(fields: IssuingDistributionPointFields): RawExtension {
  const { onlySomeReasons, critical = true } = fields;
  const names = encodeGeneralNames(fields);
  const flag = (tagNumber: number, value = false): Buffer =>
    value ? der.implicit(tagNumber, Buffer.of(0xff)) : nothing;
  const value = der.sequence(
    names.length > 0 ? der.explicit(0, der.explicit(0, ...names)) : nothing,
    flag(1, fields.onlyContainsUserCerts),
    flag(2, fields.onlyContainsCACerts),
    onlySomeReasons ? der.implicit(3, onlySomeReasons) : nothing,
    flag(4, fields.indirectCRL),
    flag(5, fields.onlyContainsAttributeCerts),
  );
  return { oid: '2.5.29.28', critical, value };
}

function listExtensions(fields: CrlFields, issuer: Issuer): RawExtension[] {
  const list: RawExtension[] = [];
  const isVersion1 = fields.version === 1;
  const { issuingDistributionPoint, deltaCrlIndicator, freshestCrl } = fields;
  const authorityKeyIdentifier =
    fields.authorityKeyIdentifier ?? (isVersion1 ? 'absent' : (issuer.subjectKeyIdentifier ?? 'absent'));
  const crlNumber = fields.crlNumber ?? (isVersion1 ? 'absent' : 1);

  if (authorityKeyIdentifier !== 'absent')
    list.push({ oid: '2.5.29.35', value: der.sequence(der.implicit(0, authorityKeyIdentifier)) });
  if (crlNumber !== 'absent') list.push({ oid: '2.5.29.20', value: der.integer(crlNumber) });
  if (deltaCrlIndicator !== undefined)
    list.push({ oid: '2.5.29.27', critical: true, value: der.integer(deltaCrlIndicator) });
  if (issuingDistributionPoint) list.push(encodeIssuingDistributionPoint(issuingDistributionPoint));
  if (freshestCrl) list.push({ oid: '2.5.29.46', value: encodeDistributionPoints(freshestCrl) });
  return [...list, ...(fields.extensions ?? [])];
}

function encodeCrlExtensions(list: readonly RawExtension[]): Buffer {
  return list.length === 0 ? nothing : der.explicit(0, sequenceOf(list.map(encodeExtension)));
}

/**
 * Encodes and signs a CRL. A million entries take seconds.
 *
 * @param issuer - Whose CRL it is.
 * @throws TypeError if the signature algorithm does not suit the key.
 */
export function encodeCrl(fields: CrlFields, issuer: Issuer): Buffer {
  const { revoked = [], thisUpdate = daysFromTestTime(-1), nextUpdate = daysFromTestTime(7), raw = {} } = fields;
  const signer = fields.signer ?? issuer.key;
  const { privateKey } = 'key' in signer ? signer.key : signer;
  const signatureAlgorithm = fields.signatureAlgorithm ?? defaultSignatureAlgorithm(privateKey);
  const identifier = algorithmIdentifier(signatureAlgorithm);
  const tbsCertList =
    raw.tbsCertList ??
    der.sequence(
      raw.version ?? (fields.version === 1 ? nothing : der.integer(1)),
      raw.signature ?? identifier,
      raw.issuer ?? issuer.subject,
      raw.thisUpdate ?? encodeTime(thisUpdate),
      raw.nextUpdate ?? (nextUpdate === 'absent' ? nothing : encodeTime(nextUpdate)),
      raw.revokedCertificates ?? encodeEntries(revoked, thisUpdate),
      raw.crlExtensions ?? encodeCrlExtensions(listExtensions(fields, issuer)),
    );
  return der.sequence(
    tbsCertList,
    raw.signatureAlgorithm ?? identifier,
    raw.signatureValue ?? der.bitString(signWith(signatureAlgorithm, tbsCertList, privateKey)),
  );
}
