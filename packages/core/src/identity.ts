import { ClientCertificateError } from './errors';
import type { VerifiedPath } from './path/validate-path';
import type { Source } from './source/source';
import { Certificate } from './x509/certificate';
import type { GeneralName } from './x509/general-names';
import type { DistinguishedName } from './x509/name';

/**
 * Who is calling: the end-entity certificate of a verified path. Frozen all through; what cannot be frozen (dates, bytes)
 * is a fresh copy each time.
 *
 * Values are exactly the certificate's own, typed: no string here needs to be taken apart. They may hold any character a
 * CA was willing to sign.
 */
export interface ClientIdentity {
  /** May be empty, where the subjectAltName names the client. */
  readonly subject: DistinguishedName;
  /** The subject of the certificate that signed this one, which may be an intermediate. */
  readonly issuer: DistinguishedName;
  /** Every name of the subjectAltName, in order. */
  readonly subjectAltName: readonly GeneralName[];
  /** The URIs among them, e.g. a SPIFFE ID. */
  readonly uris: readonly string[];
  /** The dNSNames among them. A wildcard is a name like any other. */
  readonly dnsNames: readonly string[];
  /** The rfc822Names among them. */
  readonly emails: readonly string[];
  /** Hexadecimal, lower case, without leading zeros. Unique only together with the issuer. */
  readonly serialNumber: string;
  /** The first second of the certificate's validity. */
  readonly notBefore: Date;
  /** The last second of the certificate's validity. */
  readonly notAfter: Date;
  /**
   * SHA-256 of the certificate, hexadecimal, lower case. Tells versions of a certificate apart; do not block by it, because
   * an ECDSA signature, and with it this value, can be changed by anyone without the certificate becoming invalid.
   */
  readonly certificateSha256: string;
  /** SHA-256 of the SubjectPublicKeyInfo, hexadecimal, lower case: names the key. */
  readonly spkiSha256: string;
  /** Which of the trust store's anchors vouches for the certificate; of a pinned end-entity certificate, itself. */
  readonly trustAnchor: TrustAnchorIdentity;
  /** Which source the certificate came from. */
  readonly source: Source['name'];
  /** The verified path in DER: end-entity certificate first, trust anchor last; a pinned end-entity certificate alone. */
  readonly path: readonly Uint8Array[];
}

/** The anchor a path ends at. Two anchors of one name are told apart by their keys. Frozen. */
export interface TrustAnchorIdentity {
  /** The anchor's name. */
  readonly subject: DistinguishedName;
  /** SHA-256 of the anchor's certificate, hexadecimal, lower case. */
  readonly certificateSha256: string;
  /** SHA-256 of the anchor's SubjectPublicKeyInfo, hexadecimal, lower case. */
  readonly spkiSha256: string;
}

/**
 * The identity a verified path gives.
 *
 * @throws {ClientCertificateError} `ERR_IDENTITY_MISSING` when the certificate names nobody: its subject is empty and it
 *   has no subjectAltName, or not the critical one RFC 5280 section 4.2.1.6 then asks for.
 */
export function createIdentity(path: VerifiedPath, source: Source['name']): ClientIdentity {
  const { endEntity } = path;
  if (endEntity.hasEmptySubject && !endEntity.extensions.subjectAltNameIsCritical) {
    throw new ClientCertificateError('ERR_IDENTITY_MISSING', { certificateSha256: endEntity.sha256 });
  }
  return new CertificateIdentity(path, source);
}

const noNames: readonly GeneralName[] = Object.freeze([]);

/**
 * Decodes each part when it is first asked for, and keeps it: most handlers want one URI. Identities are kept by the
 * thousand, so this one keeps the certificate as text, which costs a third of the certificate decoded.
 */
class CertificateIdentity implements ClientIdentity {
  static {
    Object.freeze(this.prototype);
  }

  /** DER of the end-entity certificate, one octet in each latin1 character. */
  readonly #der: string;
  readonly #issuers: readonly Certificate[];
  readonly #source: Source['name'];
  readonly #subjectAltName: readonly GeneralName[];

  /** For whoever asks for several parts at once. */
  #decoded: WeakRef<Certificate> | undefined;
  #subject: DistinguishedName | undefined;
  #issuer: DistinguishedName | undefined;
  #uris: readonly string[] | undefined;
  #dnsNames: readonly string[] | undefined;
  #emails: readonly string[] | undefined;
  #serialNumber: string | undefined;
  #certificateSha256: string | undefined;
  #spkiSha256: string | undefined;
  #trustAnchor: TrustAnchorIdentity | undefined;

  constructor({ endEntity, issuers }: VerifiedPath, source: Source['name']) {
    this.#der = endEntity.der.toString('latin1');
    this.#issuers = issuers;
    this.#source = source;
    this.#subjectAltName = endEntity.extensions.subjectAltName ?? noNames;
    Object.freeze(this);
  }

  get subject(): DistinguishedName {
    return (this.#subject ??= this.#certificate.subject);
  }

  get issuer(): DistinguishedName {
    return (this.#issuer ??= this.#certificate.issuer);
  }

  get subjectAltName(): readonly GeneralName[] {
    return this.#subjectAltName;
  }

  get uris(): readonly string[] {
    return (this.#uris ??= this.#namesOf('uri'));
  }

  get dnsNames(): readonly string[] {
    return (this.#dnsNames ??= this.#namesOf('dns'));
  }

  get emails(): readonly string[] {
    return (this.#emails ??= this.#namesOf('email'));
  }

  get serialNumber(): string {
    return (this.#serialNumber ??= this.#certificate.serialNumber);
  }

  get notBefore(): Date {
    return new Date(this.#certificate.notBefore);
  }

  get notAfter(): Date {
    return new Date(this.#certificate.notAfter);
  }

  get certificateSha256(): string {
    return (this.#certificateSha256 ??= this.#certificate.sha256);
  }

  get spkiSha256(): string {
    return (this.#spkiSha256 ??= this.#certificate.spkiSha256);
  }

  get trustAnchor(): TrustAnchorIdentity {
    return (this.#trustAnchor ??= anchorIdentity(this.#issuers.at(-1) ?? this.#certificate));
  }

  get source(): Source['name'] {
    return this.#source;
  }

  get path(): readonly Uint8Array[] {
    const issuers = this.#issuers.map(({ der }) => Uint8Array.from(der));
    return Object.freeze([Uint8Array.from(this.#certificate.der), ...issuers]);
  }

  /** Plain data for logs: names as RFC 4514 text, dates as ISO 8601, without the path. */
  toJSON(): Record<string, unknown> {
    const { subject, issuer, subjectAltName, serialNumber, notBefore, notAfter } = this;
    const { certificateSha256, spkiSha256, trustAnchor, source } = this;
    return {
      subject,
      issuer,
      subjectAltName,
      serialNumber,
      notBefore,
      notAfter,
      certificateSha256,
      spkiSha256,
      trustAnchor,
      source,
    };
  }

  get #certificate(): Certificate {
    let certificate = this.#decoded?.deref();
    if (certificate === undefined) {
      certificate = new Certificate(Buffer.from(this.#der, 'latin1'));
      this.#decoded = new WeakRef(certificate);
    }
    return certificate;
  }

  #namesOf(type: 'uri' | 'dns' | 'email'): readonly string[] {
    return Object.freeze(this.subjectAltName.flatMap((name) => (name.type === type ? [name.value] : [])));
  }
}

function anchorIdentity({ subject, sha256, spkiSha256 }: Certificate): TrustAnchorIdentity {
  return Object.freeze({ subject, certificateSha256: sha256, spkiSha256 });
}
