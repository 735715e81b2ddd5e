import { createPublicKey, hash, type KeyObject } from 'node:crypto';
import { contextTag, DerError, DerReader, type Range, Tag } from './der';
import { decodeExtensions, type Extensions, noExtensions } from './extensions';
import { decodeName, type DistinguishedName, isEmptyName, nameKey, readName } from './name';
import { isOffCurve, type PublicKeyInfo, readPublicKeyInfo } from './public-key';
import { type AlgorithmIdentifier, readAlgorithmIdentifier } from './signature-algorithm';
import { decodeTime } from './time';

/** A certificate larger than this, in octets of DER, is refused: RFC 9651 asks recipients to read this much. */
export const maxCertificateOctets = 16_384;

/** RFC 5280 section 4.1.2.2: serial numbers are at most 20 octets. */
const maxSerialOctets = 20;

/**
 * An X.509 certificate (RFC 5280 section 4.1), decoded in one pass from strict DER. Everything is read and nothing is
 * judged: whether a certificate is good for something is decided in `path/`.
 *
 * Keeps the bytes it was given and offsets into them; names and keys are made when first asked for.
 */
export class Certificate {
  /** 1, 2 or 3. */
  readonly version: number;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  /** Milliseconds since the Unix epoch; the certificate is valid at this instant. */
  readonly notBefore: number;
  /** Milliseconds since the Unix epoch; the certificate is still valid at this instant. */
  readonly notAfter: number;
  readonly publicKeyInfo: PublicKeyInfo;
  readonly extensions: Extensions;

  /** Where elements start; how long they are is read again where it is asked for. */
  readonly #tbs: number;
  readonly #serialNumber: number;
  readonly #issuer: number;
  readonly #subject: number;
  readonly #spki: number;
  readonly #signature: number;

  #issuerKey: string | undefined;
  #subjectKey: string | undefined;
  #publicKey: KeyObject | undefined;
  #sha256: string | undefined;
  #spkiSha256: string | undefined;
  #isKeyOffCurve: boolean | undefined;

  /**
   * @param unread - Latin1 OID contents of extensions nobody will ask for, which are read like unknown ones: a critical one is
   * unsupported.
   * @throws {DerError}
   */
  constructor(
    readonly der: Buffer,
    unread?: readonly string[],
  ) {
    const whole = new DerReader(der);
    if (der.length > maxCertificateOctets) throw new DerError('certificate is too large', 0);
    const certificate = whole.enter(Tag.sequence, 'Certificate');
    whole.finish('Certificate');

    this.#tbs = certificate.end;
    const tbs = certificate.enter(Tag.sequence, 'tbsCertificate');
    this.version = readVersion(tbs);
    this.#serialNumber = tbs.end;
    tbs.integer('serialNumber');
    // One octet more: the zero before a set top bit.
    if (tbs.end - tbs.start > maxSerialOctets + (der[tbs.start] === 0 ? 1 : 0)) {
      throw new DerError('serialNumber is too long', tbs.start);
    }
    const innerAlgorithmStart = tbs.end;
    this.signatureAlgorithm = readAlgorithmIdentifier(tbs, 'signature');
    this.#issuer = tbs.end;
    readName(tbs, 'issuer');
    if (isEmptyName(this.#rangeOf(this.#issuer))) throw new DerError('issuer is empty', this.#issuer);
    const validity = tbs.enter(Tag.sequence, 'validity');
    this.notBefore = decodeTime(validity, 'notBefore');
    this.notAfter = decodeTime(validity, 'notAfter');
    validity.finish('validity');
    this.#subject = tbs.end;
    readName(tbs, 'subject');
    this.#spki = tbs.end;
    this.publicKeyInfo = readPublicKeyInfo(tbs);
    this.extensions = readOptionalFields(tbs, this.version, unread);

    const outerAlgorithmStart = certificate.end;
    certificate.expect(Tag.sequence, 'signatureAlgorithm');
    if (der.compare(der, innerAlgorithmStart, this.#issuer, outerAlgorithmStart, certificate.end) !== 0) {
      throw new DerError('signature and signatureAlgorithm differ', outerAlgorithmStart);
    }
    this.#signature = certificate.end;
    certificate.wholeBitString('signatureValue');
    certificate.finish('signatureValue');
  }

  /**
   * Decodes the bytes where they are, and keeps them: they must be the caller's to give away.
   *
   * @throws {DerError}
   */
  static over(this: void, der: Uint8Array): Certificate {
    return new Certificate(Buffer.isBuffer(der) ? der : Buffer.from(der.buffer, der.byteOffset, der.byteLength));
  }

  /**
   * Decodes a copy of the bytes, in memory of its own: what is kept for long must not hold on to a caller's buffer, nor
   * to the pool Node cuts small buffers from.
   *
   * @throws {DerError}
   */
  static copyOf(der: Uint8Array): Certificate {
    const copy = Buffer.alloc(der.length);
    copy.set(der);
    return new Certificate(copy);
  }

  /** What the signature covers. */
  get tbs(): Buffer {
    return this.#elementAt(this.#tbs);
  }

  get signature(): Buffer {
    const { start, end } = new DerReader(this.der, this.#signature).wholeBitString('signatureValue');
    return this.der.subarray(start, end);
  }

  /** Hexadecimal, lower case, without leading zeros; a minus sign before a negative number. */
  get serialNumber(): string {
    const { start, end } = new DerReader(this.der, this.#serialNumber).read();
    const value = BigInt.asIntN((end - start) * 8, BigInt(`0x${this.der.toString('hex', start, end)}`));
    return value.toString(16);
  }

  /** Contents of the serialNumber INTEGER: two's complement in the fewest octets. */
  get serialNumberOctets(): Buffer {
    return this.#contentsAt(this.#serialNumber);
  }

  get subject(): DistinguishedName {
    return decodeName(this.der, this.#rangeOf(this.#subject));
  }

  get issuer(): DistinguishedName {
    return decodeName(this.der, this.#rangeOf(this.#issuer));
  }

  /** The issuer's whole element. */
  get issuerDer(): Buffer {
    return this.#elementAt(this.#issuer);
  }

  get hasEmptySubject(): boolean {
    return isEmptyName(this.#rangeOf(this.#subject));
  }

  /** Equal for equal names in the sense of RFC 5280 section 7.1, see {@link nameKey}. */
  get subjectKey(): string {
    return (this.#subjectKey ??= nameKey(this.der, this.#rangeOf(this.#subject)));
  }

  get issuerKey(): string {
    return (this.#issuerKey ??= nameKey(this.der, this.#rangeOf(this.#issuer)));
  }

  /** RFC 5280 section 6.1: subject and issuer are the same name. Says nothing of who signed. */
  get isSelfIssued(): boolean {
    return this.subjectKey === this.issuerKey;
  }

  /** SHA-256 of the DER, hexadecimal, lower case. */
  get sha256(): string {
    return (this.#sha256 ??= hash('sha256', this.der, 'hex'));
  }

  /** SHA-256 of the SubjectPublicKeyInfo, hexadecimal, lower case. */
  get spkiSha256(): string {
    return (this.#spkiSha256 ??= hash('sha256', this.#elementAt(this.#spki), 'hex'));
  }

  /** The bits of subjectPublicKey, which key identifiers are digests of (RFC 5280 section 4.2.1.2, RFC 6960 section 4.1.1). */
  get publicKeyBits(): Buffer {
    const spki = new DerReader(this.der, this.#spki).enter(Tag.sequence, 'subjectPublicKeyInfo');
    spki.expect(Tag.sequence, 'algorithm');
    const { start, end } = spki.bitString('subjectPublicKey');
    return this.der.subarray(start, end);
  }

  /**
   * Where the value of an extension stands: the contents of its extnValue. For extensions that are of use only when
   * something else is asked for. Found anew each time.
   *
   * @param type - Latin1 OID contents.
   */
  extensionValue(type: string): Range | undefined {
    const tbs = new DerReader(this.der, this.#spki, this.#rangeOf(this.#tbs).end);
    while (!tbs.atEnd && tbs.nextTag !== contextTag(3, 'constructed')) tbs.read();
    if (tbs.atEnd) return undefined;
    const list = tbs.enter(tbs.nextTag, 'extensions').enter(Tag.sequence, 'extensions');
    while (!list.atEnd) {
      const extension = list.enter(Tag.sequence, 'extension');
      if (extension.oid('extension type') !== type) continue;
      if (extension.nextTag === Tag.boolean) extension.read();
      return extension.expect(Tag.octetString, 'extension value').range;
    }
    return undefined;
  }

  /**
   * The public key, imported once.
   *
   * @throws if OpenSSL does not take the key.
   */
  get publicKey(): KeyObject {
    return (this.#publicKey ??= createPublicKey({ key: this.#elementAt(this.#spki), format: 'der', type: 'spki' }));
  }

  /** Whether the public key is an EC key that is no point of its curve. Found out once. */
  get isKeyOffCurve(): boolean {
    const { publicKeyInfo: key } = this;
    return (this.#isKeyOffCurve ??= key.type === 'ec' && isOffCurve(this.#elementAt(this.#spki), key.curve));
  }

  hasSameKeyAs(other: Certificate): boolean {
    const mine = this.#rangeOf(this.#spki);
    const theirs = other.#rangeOf(other.#spki);
    return this.der.compare(other.der, theirs.start, theirs.end, mine.start, mine.end) === 0;
  }

  #rangeOf(start: number): Range {
    return { start, end: new DerReader(this.der, start).read().end };
  }

  #contentsAt(at: number): Buffer {
    const { start, end } = new DerReader(this.der, at).read();
    return this.der.subarray(start, end);
  }

  #elementAt(start: number): Buffer {
    return this.der.subarray(start, this.#rangeOf(start).end);
  }
}

function readVersion(tbs: DerReader): number {
  if (tbs.nextTag !== contextTag(0, 'constructed')) return 1;
  const explicit = tbs.enter(contextTag(0, 'constructed'), 'version');
  const version = explicit.smallInteger('version');
  explicit.finish('version');
  // DER leaves out the default, version 1, which is encoded as 0.
  if (version !== 1 && version !== 2) throw new DerError('version is not 1, 2 or 3', explicit.start);
  return version + 1;
}

/** issuerUniqueID, subjectUniqueID and extensions. Unique identifiers are passed over, as RFC 5280 4.1.2.8 allows. */
function readOptionalFields(tbs: DerReader, version: number, unread?: readonly string[]): Extensions {
  for (const number of [1, 2]) {
    if (tbs.nextTag !== contextTag(number, 'primitive')) continue;
    if (version === 1) throw new DerError('unique identifier in a version 1 certificate', tbs.end);
    tbs.bitString('unique identifier', contextTag(number, 'primitive'));
  }
  if (tbs.atEnd) return noExtensions();
  if (version !== 3) throw new DerError('extensions in a certificate that is not version 3', tbs.end);
  const explicit = tbs.enter(contextTag(3, 'constructed'), 'extensions');
  const extensions = decodeExtensions(explicit, unread);
  explicit.finish('extensions');
  tbs.finish('extensions');
  return extensions;
}
