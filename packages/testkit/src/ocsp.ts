import { createHash } from 'node:crypto';
import { AsnConvert } from '@peculiar/asn1-schema';
import { Certificate, SubjectPublicKeyInfo } from '@peculiar/asn1-x509';
import type { Issuer } from './certificate';
import type { RevocationReasonName } from './crl';
import { der } from './der';
import { encodeExtension, type RawExtension } from './extensions';
import type { KeyPair } from './key';
import { algorithmIdentifier, defaultSignatureAlgorithm, signWith, type SignatureAlgorithm } from './signature';
import { daysFromTestTime, TEST_TIME } from './time';

/** OCSPResponseStatus, in RFC 6960's words (section 4.2.1). */
const responseStatuses = {
  successful: 0,
  malformedRequest: 1,
  internalError: 2,
  tryLater: 3,
  sigRequired: 5,
  unauthorized: 6,
} as const;

/** CRLReason, in RFC 5280's words (section 5.3.1). */
const reasonCodes: Readonly<Record<RevocationReasonName, number>> = {
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
};

const hashOids = {
  md5: '1.2.840.113549.2.5',
  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
} as const;

/** What a responder says of a certificate. A reason is a name, or any number; there may be none. */
export type OcspStatus =
  'good' | 'unknown' | { readonly revokedAt: Date; readonly reason?: RevocationReasonName | number };

/** Encodings that replace the fields of a SingleResponse they name, tag included; an empty one omits the field. */
export interface RawOcspSingleFields {
  /** The whole CertID. */
  readonly certID?: Uint8Array;
  /** The whole CHOICE, with its context tag. */
  readonly certStatus?: Uint8Array;
  /** A time. */
  readonly thisUpdate?: Uint8Array;
  /** The whole `[0]`. */
  readonly nextUpdate?: Uint8Array;
  /** The whole `[1]`. Octets after it end the SingleResponse. */
  readonly singleExtensions?: Uint8Array;
}

/** An answer about one certificate. */
export interface OcspSingleFields {
  /** The certificate it is about. Default: none, and then there must be a `serialNumber`. */
  readonly certificate?: { readonly der: Uint8Array };
  /** Octets are the INTEGER's content as it is. Default: the certificate's. */
  readonly serialNumber?: Uint8Array | bigint | number;
  /** Whose name and key the CertID has. Default: the authority's. */
  readonly issuer?: Pick<Issuer, 'subject' | 'key'>;
  /** The digest of the CertID. Default `'sha1'`. */
  readonly hashAlgorithm?: keyof typeof hashOids;
  /** Default `'good'`. */
  readonly status?: OcspStatus;
  /** To the second. Default: an hour before `TEST_TIME`. */
  readonly thisUpdate?: Date;
  /** To the second. Default: a day after `TEST_TIME`. */
  readonly nextUpdate?: Date | 'absent';
  /** Default: none. */
  readonly singleExtensions?: readonly RawExtension[];
  /** Encodings in place of what the fields above would give. Default: none. */
  readonly rawSingle?: RawOcspSingleFields;
}

/** Encodings that replace the fields of a response they name, before it is signed, tag included; an empty one omits the field. */
export interface RawOcspFields {
  /** An ENUMERATED. */
  readonly responseStatus?: Uint8Array;
  /** The whole `[0]` around the signed response. */
  readonly responseBytes?: Uint8Array;
  /** An OBJECT IDENTIFIER. */
  readonly responseType?: Uint8Array;
  /** The whole ResponseData; the next five are then not used. */
  readonly tbsResponseData?: Uint8Array;
  /** The whole `[0]`. */
  readonly version?: Uint8Array;
  /** The whole CHOICE, with its context tag. */
  readonly responderID?: Uint8Array;
  /** A time. */
  readonly producedAt?: Uint8Array;
  /** A SEQUENCE of answers. */
  readonly responses?: Uint8Array;
  /** The whole `[1]`. Octets after it end the ResponseData. */
  readonly responseExtensions?: Uint8Array;
  /** The AlgorithmIdentifier. */
  readonly signatureAlgorithm?: Uint8Array;
  /** The BIT STRING, in place of a signature. */
  readonly signature?: Uint8Array;
  /** The whole `[0]`. Octets after it end the BasicOCSPResponse. */
  readonly certs?: Uint8Array;
}

/**
 * What an OCSP response says. Every field has a default; with a `certificate` they make an ordinary, current answer that it
 * is good, signed by the authority itself.
 */
export interface OcspResponseFields extends OcspSingleFields {
  /** Several answers; what one leaves out, it has from the fields here. Default: one answer, from those fields. */
  readonly responses?: readonly OcspSingleFields[];
  /** Anything but `'successful'`, the default, comes without an answer. */
  readonly responseStatus?: keyof typeof responseStatuses;
  /** Who answers in place of the authority: its key signs, its name is the responderID's, its certificate is enclosed. */
  readonly delegate?: { readonly der: Buffer; readonly subject: Buffer; readonly key: KeyPair };
  /** Enclosed certificates. Default: the delegate's, or none. */
  readonly certificates?: readonly { readonly der: Uint8Array }[];
  /** Default `'key'`. */
  readonly responderId?: 'name' | 'key';
  /** To the second. Default: `TEST_TIME`. */
  readonly producedAt?: Date;
  /** Default: absent. */
  readonly nonce?: Uint8Array;
  /** Written after the nonce, as they are; duplicates are allowed. Default: none. */
  readonly responseExtensions?: readonly RawExtension[];
  /** Whose key signs; the responderID stays the same. Default: the delegate, or the authority. */
  readonly signer?: { readonly key: KeyPair };
  /** Must suit the key. Default: what suits it. */
  readonly signatureAlgorithm?: SignatureAlgorithm;
  /** Encodings in place of what the fields above would give. Default: none. */
  readonly raw?: RawOcspFields;
}

const nothing = Buffer.alloc(0);

function enumerated(value: number): Buffer {
  return der.tlv(0x0a, der.integer(value).subarray(2));
}

function keyBits({ publicKey }: KeyPair): Buffer {
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return Buffer.from(AsnConvert.parse(spki, SubjectPublicKeyInfo).subjectPublicKey);
}

function serialNumberOf({ certificate, serialNumber }: OcspSingleFields): Uint8Array | bigint | number {
  if (serialNumber !== undefined) return serialNumber;
  if (certificate === undefined) throw new TypeError('an answer needs a certificate or a serialNumber');
  return new Uint8Array(AsnConvert.parse(certificate.der, Certificate).tbsCertificate.serialNumber);
}

function encodeCertId(fields: OcspSingleFields, authority: Issuer): Buffer {
  const { issuer = authority, hashAlgorithm = 'sha1' } = fields;
  const digest = (octets: Uint8Array): Buffer => der.octetString(createHash(hashAlgorithm).update(octets).digest());
  return der.sequence(
    der.sequence(der.oid(hashOids[hashAlgorithm]), der.null()),
    digest(issuer.subject),
    digest(keyBits(issuer.key)),
    der.integer(serialNumberOf(fields)),
  );
}

function encodeStatus(status: OcspStatus): Buffer {
  if (status === 'good') return der.implicit(0, nothing);
  if (status === 'unknown') return der.implicit(2, nothing);
  const { revokedAt, reason } = status;
  const code = typeof reason === 'string' ? reasonCodes[reason] : reason;
  return der.explicit(
    1,
    der.generalizedTime(revokedAt),
    code === undefined ? nothing : der.explicit(0, enumerated(code)),
  );
}

function encodeExtensions(list: readonly RawExtension[]): Buffer {
  return list.length === 0 ? nothing : der.explicit(1, der.sequence(...list.map(encodeExtension)));
}

function encodeSingle(fields: OcspSingleFields, authority: Issuer): Buffer {
  const { status = 'good', thisUpdate = daysFromTestTime(-1 / 24), nextUpdate = daysFromTestTime(1) } = fields;
  const { singleExtensions = [], rawSingle = {} } = fields;
  return der.sequence(
    rawSingle.certID ?? encodeCertId(fields, authority),
    rawSingle.certStatus ?? encodeStatus(status),
    rawSingle.thisUpdate ?? der.generalizedTime(thisUpdate),
    rawSingle.nextUpdate ?? (nextUpdate === 'absent' ? nothing : der.explicit(0, der.generalizedTime(nextUpdate))),
    rawSingle.singleExtensions ?? encodeExtensions(singleExtensions),
  );
}

function encodeResponderId(
  { responderId = 'key' }: OcspResponseFields,
  responder: Pick<Issuer, 'subject' | 'key'>,
): Buffer {
  if (responderId === 'name') return der.explicit(1, responder.subject);
  return der.explicit(2, der.octetString(createHash('sha1').update(keyBits(responder.key)).digest()));
}

function encodeResponseData(fields: OcspResponseFields, authority: Issuer): Uint8Array {
  const { responses = [{}], producedAt = TEST_TIME, nonce, responseExtensions = [], raw = {} } = fields;
  const nonceExtension = nonce ? [{ oid: '1.3.6.1.5.5.7.48.1.2', value: der.octetString(nonce) }] : [];
  return (
    raw.tbsResponseData ??
    der.sequence(
      raw.version ?? nothing,
      raw.responderID ?? encodeResponderId(fields, fields.delegate ?? authority),
      raw.producedAt ?? der.generalizedTime(producedAt),
      raw.responses ?? der.sequence(...responses.map((single) => encodeSingle({ ...fields, ...single }, authority))),
      raw.responseExtensions ?? encodeExtensions([...nonceExtension, ...responseExtensions]),
    )
  );
}

function encodeBasicResponse(fields: OcspResponseFields, authority: Issuer): Buffer {
  const { delegate, raw = {} } = fields;
  const { certificates = delegate ? [delegate] : [] } = fields;
  const { privateKey } = (fields.signer ?? delegate ?? authority).key;
  const signatureAlgorithm = fields.signatureAlgorithm ?? defaultSignatureAlgorithm(privateKey);
  const tbsResponseData = encodeResponseData(fields, authority);
  const certs = der.explicit(0, der.sequence(...certificates.map((certificate) => certificate.der)));
  return der.sequence(
    tbsResponseData,
    raw.signatureAlgorithm ?? algorithmIdentifier(signatureAlgorithm),
    raw.signature ?? der.bitString(signWith(signatureAlgorithm, tbsResponseData, privateKey)),
    raw.certs ?? (certificates.length === 0 ? nothing : certs),
  );
}

/**
 * Encodes and signs an OCSP response.
 *
 * @param authority - Whose certificates it is about.
 * @throws TypeError if the signature algorithm does not suit the key, or an answer says not what it is about.
 */
export function encodeOcspResponse(fields: OcspResponseFields, authority: Issuer): Buffer {
  const { responseStatus = 'successful', raw = {} } = fields;
  const status = raw.responseStatus ?? enumerated(responseStatuses[responseStatus]);
  if (raw.responseBytes) return der.sequence(status, raw.responseBytes);
  if (responseStatus !== 'successful') return der.sequence(status);
  const responseType = raw.responseType ?? der.oid('1.3.6.1.5.5.7.48.1.1');
  const response = der.octetString(encodeBasicResponse(fields, authority));
  return der.sequence(status, der.explicit(0, der.sequence(responseType, response)));
}
