import { createHash, randomBytes } from 'node:crypto';
import { AsnConvert } from '@peculiar/asn1-schema';
import { SubjectPublicKeyInfo } from '@peculiar/asn1-x509';
import { der } from './der';
import { encodeExtensions, type ExtensionFields } from './extensions';
import { generateKey, type KeyAlgorithm, type KeyPair } from './key';
import { encodeName, type DistinguishedName } from './name';
import { algorithmIdentifier, defaultSignatureAlgorithm, signWith, type SignatureAlgorithm } from './signature';
import { daysFromTestTime } from './time';

/**
 * Encodings that replace the fields they name, before the certificate is signed. Each is the field's whole element, tag
 * included (`version`, the unique identifiers and `extensions` with their context tags); an empty one omits the field.
 */
export interface RawFields {
  /** The whole `[0]`. */
  readonly version?: Uint8Array;
  /** An INTEGER. */
  readonly serialNumber?: Uint8Array;
  /** The AlgorithmIdentifier inside the TBSCertificate. */
  readonly signature?: Uint8Array;
  /** A Name. */
  readonly issuer?: Uint8Array;
  /** A SEQUENCE of two times. */
  readonly validity?: Uint8Array;
  /** A Name. */
  readonly subject?: Uint8Array;
  /** Algorithm and key. The certificate is still signed with the key it would have had. */
  readonly subjectPublicKeyInfo?: Uint8Array;
  /** The whole `[1]`. */
  readonly issuerUniqueID?: Uint8Array;
  /** The whole `[2]`. */
  readonly subjectUniqueID?: Uint8Array;
  /** The whole `[3]`. Octets after it end the TBSCertificate. */
  readonly extensions?: Uint8Array;
  /** The whole TBSCertificate; the fields above are then not used. */
  readonly tbsCertificate?: Uint8Array;
  /** The AlgorithmIdentifier outside the TBSCertificate. */
  readonly signatureAlgorithm?: Uint8Array;
  /** The BIT STRING, in place of a signature. */
  readonly signatureValue?: Uint8Array;
}

/** What a certificate says. Every field has a default that makes an ordinary, valid certificate. */
export interface CertificateFields extends ExtensionFields {
  /** Default: `CN=client` for an end-entity certificate, a name of its own for each authority. */
  readonly subject?: DistinguishedName;
  /** Default: a new key of `keyAlgorithm`. */
  readonly key?: KeyPair;
  /** Not used when `key` is given. Default `'p256'`. */
  readonly keyAlgorithm?: KeyAlgorithm;
  /** Must suit the issuer's key; `raw.signature` and `raw.signatureAlgorithm` name another. Default: what suits it. */
  readonly signatureAlgorithm?: SignatureAlgorithm;
  /** Octets are the INTEGER's content as it is. Default: 16 random octets, positive. */
  readonly serialNumber?: Uint8Array | bigint | number;
  /** To the second. Default: a day before `TEST_TIME`; a year (365 days) before it for an authority. */
  readonly notBefore?: Date;
  /** To the second. Default: 365 days after `TEST_TIME`; 3650 days after it for an authority. */
  readonly notAfter?: Date;
  /** Encodings in place of what the fields above would give. Default: none. */
  readonly raw?: RawFields;
}

/** Who signs: the name, key and key identifier that go into a certificate. */
export interface Issuer {
  readonly subject: Buffer;
  readonly subjectKeyIdentifier: Buffer | undefined;
  readonly key: KeyPair;
}

/** A certificate just made, and what its holder issues with. */
export interface EncodedCertificate extends Issuer {
  readonly der: Buffer;
}

let authorities = 0;

function defaultsFor(role: 'authority' | 'end-entity') {
  if (role === 'end-entity')
    return {
      subject: 'CN=client',
      notBefore: daysFromTestTime(-1),
      notAfter: daysFromTestTime(365),
      basicConstraints: 'absent',
      keyUsage: ['digitalSignature'],
      extKeyUsage: ['clientAuth'],
    } as const;
  authorities += 1;
  return {
    subject: `CN=Test CA ${authorities}`,
    notBefore: daysFromTestTime(-365),
    notAfter: daysFromTestTime(3650),
    basicConstraints: { ca: true },
    keyUsage: ['keyCertSign', 'cRLSign'],
    extKeyUsage: 'absent',
  } as const;
}

function randomSerialNumber(): Buffer {
  const octets = randomBytes(16);
  octets[0] = (octets.readUInt8(0) & 0x3f) | 0x40;
  return octets;
}

/** RFC 5280 section 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 (and before 1950, which UTCTime cannot say). */
function encodeTime(time: Date): Buffer {
  const year = time.getUTCFullYear();
  return year >= 1950 && year < 2050 ? der.utcTime(time) : der.generalizedTime(time);
}

function keyIdentifier(spki: Buffer): Buffer {
  const { subjectPublicKey } = AsnConvert.parse(spki, SubjectPublicKeyInfo);
  return createHash('sha1').update(Buffer.from(subjectPublicKey)).digest();
}

/**
 * Encodes and signs a certificate.
 *
 * @param role - Whose defaults apply.
 * @param issuer - Who signs; `undefined` for a self-signed certificate.
 * @throws TypeError if the signature algorithm does not suit the issuer's key.
 */
export function encodeCertificate(
  fields: CertificateFields,
  role: 'authority' | 'end-entity',
  issuer: Issuer | undefined,
): EncodedCertificate {
  const merged = { ...defaultsFor(role), ...fields };
  const raw = fields.raw ?? {};
  const key = fields.key ?? generateKey(fields.keyAlgorithm);
  const spki = key.publicKey.export({ type: 'spki', format: 'der' });
  const subject = raw.subject?.length ? Buffer.from(raw.subject) : encodeName(merged.subject);

  const subjectKeyIdentifier = fields.subjectKeyIdentifier ?? keyIdentifier(spki);
  const ownIdentifier = subjectKeyIdentifier === 'absent' ? undefined : Buffer.from(subjectKeyIdentifier);
  const signer: Issuer = issuer ?? { subject, key, subjectKeyIdentifier: ownIdentifier };

  const signatureAlgorithm = fields.signatureAlgorithm ?? defaultSignatureAlgorithm(signer.key.privateKey);
  const identifier = algorithmIdentifier(signatureAlgorithm);
  const extensions = encodeExtensions({
    ...merged,
    subjectKeyIdentifier,
    authorityKeyIdentifier: fields.authorityKeyIdentifier ?? signer.subjectKeyIdentifier ?? 'absent',
    subjectAltNameCritical: fields.subjectAltNameCritical ?? subject.equals(der.sequence()),
  });
  const tbsCertificate =
    raw.tbsCertificate ??
    der.sequence(
      raw.version ?? der.explicit(0, der.integer(2)),
      raw.serialNumber ?? der.integer(fields.serialNumber ?? randomSerialNumber()),
      raw.signature ?? identifier,
      raw.issuer ?? signer.subject,
      raw.validity ?? der.sequence(encodeTime(merged.notBefore), encodeTime(merged.notAfter)),
      raw.subject ?? subject,
      raw.subjectPublicKeyInfo ?? spki,
      raw.issuerUniqueID ?? Buffer.alloc(0),
      raw.subjectUniqueID ?? Buffer.alloc(0),
      raw.extensions ?? extensions,
    );
  const encoded = der.sequence(
    tbsCertificate,
    raw.signatureAlgorithm ?? identifier,
    raw.signatureValue ?? der.bitString(signWith(signatureAlgorithm, tbsCertificate, signer.key.privateKey)),
  );
  return { der: encoded, subject, subjectKeyIdentifier: ownIdentifier, key };
}
