import { setImmediate } from 'node:timers/promises';
import { CrlEntries, type RevokedEntry } from './crl-entries';
import { type CrlExtensions, decodeCrlExtensions, noCrlExtensions } from './crl-extensions';
import { contextTag, DerError, DerReader, type Range, Tag } from './der';
import { decodeName, type DistinguishedName, isEmptyName, nameKey, readName } from './name';
import { type AlgorithmIdentifier, readAlgorithmIdentifier } from './signature-algorithm';
import { decodeTime } from './time';

/** A CRL larger than this, in octets of DER, is refused: 64 MiB, which is some two million entries. */
export const maxCrlOctets = 64 * 1024 * 1024;

/** An issuer or an AlgorithmIdentifier larger than this, in octets, is refused: no certificate has a larger one. */
const maxFieldOctets = 16_384;

/** crlExtensions larger than this, in octets, are refused. */
const maxExtensionsOctets = 65_536;

/** Milliseconds. */
const defaultSliceMs = 8;

/** Everything but the entries, and where it stands. */
interface CrlFields {
  readonly version: number;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly thisUpdate: number;
  readonly nextUpdate: number | undefined;
  readonly extensions: CrlExtensions;
  readonly tbs: Range;
  readonly issuer: Range;
  readonly signature: Range;
}

/**
 * A certificate revocation list (RFC 5280 section 5.1), decoded from strict DER. Everything is read and nothing is judged:
 * not who signed it, nor whether it is current, nor what it is about.
 *
 * Keeps the bytes it was given, which must be the caller's to give away and must not change, and an index of 8 octets for
 * each entry. One with a million entries takes some 35 MB, and 8 MB more.
 */
export class Crl {
  readonly der: Buffer;
  /** 1 or 2. */
  readonly version: number;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  /** Milliseconds since the Unix epoch. */
  readonly thisUpdate: number;
  /** Milliseconds since the Unix epoch. Undefined where the CRL does not say. */
  readonly nextUpdate: number | undefined;
  readonly extensions: CrlExtensions;

  readonly #tbs: Range;
  readonly #issuer: Range;
  readonly #signature: Range;
  readonly #entries: CrlEntries;
  #issuerKey: string | undefined;

  private constructor(der: Buffer, fields: CrlFields, entries: CrlEntries) {
    this.der = der;
    this.version = fields.version;
    this.signatureAlgorithm = fields.signatureAlgorithm;
    this.thisUpdate = fields.thisUpdate;
    this.nextUpdate = fields.nextUpdate;
    this.extensions = fields.extensions;
    this.#tbs = fields.tbs;
    this.#issuer = fields.issuer;
    this.#signature = fields.signature;
    this.#entries = entries;
  }

  /**
   * Decodes at once. A million entries take the better part of a second.
   *
   * @throws {DerError}
   */
  static decode(this: void, der: Buffer): Crl {
    const steps = Crl.decodeStepwise(der);
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    return step.value;
  }

  /**
   * Decodes in slices, and gives the event loop back between them: for CRLs of any size.
   *
   * @param options.sliceMs - How long a slice takes, in milliseconds. Default 8.
   * @throws {DerError} as a rejection.
   */
  static async decodeInSlices(this: void, der: Buffer, options: { readonly sliceMs?: number } = {}): Promise<Crl> {
    const { sliceMs = defaultSliceMs } = options;
    const steps = Crl.decodeStepwise(der);
    let sliceEnd = performance.now() + sliceMs;
    let step = steps.next();
    while (step.done !== true) {
      if (performance.now() >= sliceEnd) {
        await setImmediate();
        sliceEnd = performance.now() + sliceMs;
      }
      step = steps.next();
    }
    return step.value;
  }

  /**
   * Decodes in steps of a fraction of a millisecond, and pauses between them: for who takes care of the event loop.
   *
   * @throws {DerError}
   */
  static *decodeStepwise(this: void, der: Buffer): Generator<void, Crl, void> {
    if (der.length > maxCrlOctets) throw new DerError('CRL is too large', 0);
    const whole = new DerReader(der);
    const list = whole.enter(Tag.sequence, 'CertificateList');
    whole.finish('CertificateList');
    const tbsStart = list.end;
    const tbs = list.enter(Tag.sequence, 'tbsCertList');
    const tbsEnd = list.end;

    const version = readVersion(tbs);
    const inner = readAlgorithm(tbs, 'signature');
    const issuer = readIssuer(tbs);
    const thisUpdate = decodeTime(tbs, 'thisUpdate');
    const nextUpdate = hasTime(tbs) ? decodeTime(tbs, 'nextUpdate') : undefined;
    const entries = yield* CrlEntries.decode(der, readEntriesRange(tbs), version);
    const extensions = readExtensions(tbs, version);
    tbs.finish('tbsCertList');

    const outer = readAlgorithm(list, 'signatureAlgorithm');
    if (der.compare(der, inner.start, inner.end, outer.start, outer.end) !== 0) {
      throw new DerError('signature and signatureAlgorithm differ', outer.start);
    }
    const signature = list.wholeBitString('signatureValue').range;
    list.finish('signatureValue');
    const { algorithm: signatureAlgorithm } = inner;
    const fields: CrlFields = {
      version,
      signatureAlgorithm,
      thisUpdate,
      nextUpdate,
      extensions,
      tbs: { start: tbsStart, end: tbsEnd },
      issuer,
      signature,
    };
    return new Crl(der, fields, entries);
  }

  /** What the signature covers. */
  get tbs(): Buffer {
    return this.der.subarray(this.#tbs.start, this.#tbs.end);
  }

  get signature(): Buffer {
    return this.der.subarray(this.#signature.start, this.#signature.end);
  }

  get issuer(): DistinguishedName {
    return decodeName(this.der, this.#issuer);
  }

  /** Equal for equal names in the sense of RFC 5280 section 7.1, see {@link nameKey}. */
  get issuerKey(): string {
    return (this.#issuerKey ??= nameKey(this.der, this.#issuer));
  }

  /** Entries in the list, repeated ones included. */
  get entryCount(): number {
    return this.#entries.count;
  }

  /**
   * Whether there is an entry with a critical extension other than reasonCode and invalidityDate, or with a certificateIssuer,
   * critical or not. RFC 5280 section 5.3: the status of no certificate must be taken from such a CRL.
   */
  get hasUnsupportedCriticalEntryExtension(): boolean {
    return this.#entries.hasUnsupportedCriticalExtension;
  }

  /**
   * The entry of a certificate. Where a serial number stands more than once, the first entry that revokes it.
   *
   * @param serial - The contents of the certificate's serialNumber: two's complement. Superfluous octets count for nothing.
   */
  find(serial: Buffer): RevokedEntry | undefined {
    return this.#entries.find(serial);
  }
}

/** RFC 5280 section 5.1.2.1: absent in version 1, and 1 in version 2. */
function readVersion(tbs: DerReader): number {
  if (tbs.nextTag !== Tag.integer) return 1;
  if (tbs.smallInteger('version') !== 1) throw new DerError('version is not 1 or 2', tbs.start);
  return 2;
}

function readAlgorithm(reader: DerReader, what: string): Range & { readonly algorithm: AlgorithmIdentifier } {
  const start = reader.end;
  checkSize(reader, maxFieldOctets, what);
  const algorithm = readAlgorithmIdentifier(reader, what);
  return { algorithm, start, end: reader.end };
}

function readIssuer(tbs: DerReader): Range {
  checkSize(tbs, maxFieldOctets, 'issuer');
  const issuer = readName(tbs, 'issuer');
  if (isEmptyName(issuer)) throw new DerError('issuer is empty', issuer.start);
  return issuer;
}

/** NOTE: nextUpdate may be absent. RFC 5280 section 5.1.2.5 requires it, and leaves open what to do with a CRL without. */
function hasTime({ nextTag }: DerReader): boolean {
  return nextTag === Tag.utcTime || nextTag === Tag.generalizedTime;
}

/**
 * The contents of revokedCertificates.
 *
 * NOTE: an empty list is read as none. RFC 5280 section 5.1.2.6 wants the field absent when there are no entries; some CAs
 * write it all the same, and OpenSSL reads it.
 */
function readEntriesRange(tbs: DerReader): Range {
  if (tbs.nextTag !== Tag.sequence) return { start: tbs.end, end: tbs.end };
  return tbs.read().range;
}

function readExtensions(tbs: DerReader, version: number): CrlExtensions {
  if (tbs.nextTag !== contextTag(0, 'constructed')) return noCrlExtensions();
  if (version !== 2) throw new DerError('extensions in a CRL that is not version 2', tbs.end);
  checkSize(tbs, maxExtensionsOctets, 'crlExtensions');
  const explicit = tbs.enter(contextTag(0, 'constructed'), 'crlExtensions');
  const extensions = decodeCrlExtensions(explicit);
  explicit.finish('crlExtensions');
  return extensions;
}

/** Bounds the work that cannot be interrupted. */
function checkSize({ bytes, end: at, limit }: DerReader, maximum: number, what: string): void {
  const { end } = new DerReader(bytes, at, limit).read();
  if (end - at > maximum) throw new DerError(`${what} is too large`, at);
}
