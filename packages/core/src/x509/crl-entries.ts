import { randomFillSync } from 'node:crypto';
import { visitExtensions } from './crl-extensions';
import { DerError, DerReader, type Range, Tag } from './der';
import { oid } from './oid';
import { decodeTime } from './time';

/** CRLReason (RFC 5280 section 5.3.1) by its number. There is no 7. */
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
] as const;

/** Why a certificate was revoked, in RFC 5280's words (section 5.3.1). */
export type RevocationReason = NonNullable<(typeof reasons)[number]>;

/** What a CRL says of one certificate. */
export interface RevokedEntry {
  /** Milliseconds since the Unix epoch. */
  readonly revocationDate: number;
  /** Undefined when the CRL does not say. `removeFromCRL` is no revocation: a delta CRL takes an earlier entry back. */
  readonly reason: RevocationReason | undefined;
}

/** RFC 5280 section 4.1.2.2: serial numbers are at most 20 octets, and one of zero before a set top bit. */
const maxSerialOctets = 20;
const maxSerialContents = maxSerialOctets + 1;

/** An entry larger than this, in octets, is refused. Honest ones have some 40, a few hundred in an indirect CRL. */
const maxEntryOctets = 16_384;

/** So many octets of entries are decoded between one pause and the next: a fraction of a millisecond. */
const octetsBetweenPauses = 16_384;

const reasonCodeOid = oid('2.5.29.21');
const invalidityDateOid = oid('2.5.29.24');
const certificateIssuerOid = oid('2.5.29.29');

/**
 * The entries of a CRL (revokedCertificates, RFC 5280 section 5.1.2.6), to be found by serial number.
 *
 * A million of them must fit in little: they stay in the DER, and the index is one hash table of offsets into it, 8 octets
 * for an entry, of which the smallest has 20. Every entry is decoded once in full, so that finding one cannot fail.
 */
export class CrlEntries {
  /** Entries in the list, repeated ones included. */
  readonly count: number;
  readonly #bytes: Buffer;
  readonly #version: number;
  /** Open addressing, linear probing, half full: where entries start, and 0 in a slot that is free. */
  readonly #slots: Uint32Array;
  #hasUnsupportedCriticalExtension = false;

  private constructor(bytes: Buffer, version: number, count: number) {
    this.count = count;
    this.#bytes = bytes;
    this.#version = version;
    this.#slots = new Uint32Array(2 * count + 1);
  }

  /**
   * Decodes entries, and pauses again and again.
   *
   * @param range - The contents of revokedCertificates.
   * @param version - Of the CRL. Entries have extensions in version 2 only.
   * @throws {DerError}
   */
  static *decode(bytes: Buffer, range: Range, version: number): Generator<void, CrlEntries> {
    const entries = new CrlEntries(bytes, version, yield* countEntries(bytes, range));
    const list = new DerReader(bytes, range.start, range.end);
    let pauseAt = range.start;
    while (!list.atEnd) {
      if (list.end >= pauseAt) {
        yield;
        pauseAt = list.end + octetsBetweenPauses;
      }
      entries.#addNext(list);
    }
    return entries;
  }

  /**
   * Whether there is an entry with a critical extension that is not processed, or with a certificateIssuer, critical or not:
   * that entry, and those behind it, are about certificates of somebody else.
   */
  get hasUnsupportedCriticalExtension(): boolean {
    return this.#hasUnsupportedCriticalExtension;
  }

  /**
   * The entry of a certificate. Where a serial number stands more than once, the first entry that revokes it.
   *
   * @param serial - The contents of the certificate's serialNumber: two's complement. Superfluous octets count for nothing.
   */
  find(serial: Buffer): RevokedEntry | undefined {
    const start = startOfInteger(serial);
    if (start === serial.length || serial.length - start > maxSerialContents) return undefined;
    const at = this.#slots[this.#slotOf(serial, start, serial.length)] as number;
    if (at === 0) return undefined;
    const { revocationDate, reason } = readEntry(new DerReader(this.#bytes, at), this.#version);
    return { revocationDate, reason };
  }

  #addNext(list: DerReader): void {
    const at = list.end;
    const entry = readEntry(list, this.#version);
    this.#hasUnsupportedCriticalExtension ||= entry.hasUnsupportedCriticalExtension;
    const slot = this.#slotOf(this.#bytes, entry.serialStart, entry.serialEnd);
    const known = this.#slots[slot] as number;
    if (known === 0 || (entry.reason !== 'removeFromCRL' && this.#isRemoval(known))) this.#slots[slot] = at;
  }

  #isRemoval(at: number): boolean {
    return readEntry(new DerReader(this.#bytes, at), this.#version).reason === 'removeFromCRL';
  }

  /** The slot that holds the entry with this serial number, or else the free one where it belongs. */
  #slotOf(bytes: Buffer, start: number, end: number): number {
    const slots = this.#slots;
    let slot = Math.floor((hashOf(bytes, start, end) / 2 ** 32) * slots.length);
    for (let at = slots[slot] as number; at !== 0; at = slots[slot] as number) {
      if (this.#hasSerial(at, bytes, start, end)) break;
      slot = slot + 1 === slots.length ? 0 : slot + 1;
    }
    return slot;
  }

  /** Whether the serial number of the entry at `at` is these octets. Both are DER, so one number has one form. */
  #hasSerial(at: number, bytes: Buffer, start: number, end: number): boolean {
    const entries = this.#bytes;
    const length = entries[at + 1] as number;
    // Behind the header of the entry, which may have a long length, stands that of the INTEGER.
    const integer = at + 2 + (length >= 0x80 ? length & 0x7f : 0);
    if (entries[integer + 1] !== end - start) return false;
    for (let one = integer + 2, other = start; other < end; one++, other++) {
      if (entries[one] !== bytes[other]) return false;
    }
    return true;
  }
}

/** How many entries there are, none of them too large to be decoded without a pause. */
function* countEntries(bytes: Buffer, { start, end }: Range): Generator<void, number> {
  const list = new DerReader(bytes, start, end);
  let count = 0;
  let pauseAt = start;
  while (!list.atEnd) {
    const at = list.end;
    if (at >= pauseAt) {
      yield;
      pauseAt = at + octetsBetweenPauses;
    }
    if (list.read().end - at > maxEntryOctets) throw new DerError('CRL entry is too large', at);
    count += 1;
  }
  return count;
}

interface DecodedEntry extends RevokedEntry {
  readonly serialStart: number;
  readonly serialEnd: number;
  readonly hasUnsupportedCriticalExtension: boolean;
}

function readEntry(list: DerReader, version: number): DecodedEntry {
  const entry = list.enter(Tag.sequence, 'CRL entry');
  const { start: serialStart, end: serialEnd } = entry.integer('userCertificate');
  if (serialEnd - serialStart > maxSerialOctets + (entry.bytes[serialStart] === 0 ? 1 : 0)) {
    throw new DerError('userCertificate is too long', serialStart);
  }
  const revocationDate = decodeTime(entry, 'revocationDate');
  let reason: RevocationReason | undefined;
  let hasUnsupportedCriticalExtension = false;
  if (!entry.atEnd) {
    if (version !== 2) throw new DerError('extensions in a CRL that is not version 2', entry.end);
    visitExtensions(entry, (type, critical, value) => {
      if (type === reasonCodeOid) reason = decodeReason(value);
      else if (type === invalidityDateOid) decodeInvalidityDate(value);
      else {
        hasUnsupportedCriticalExtension ||= critical || type === certificateIssuerOid;
        return false;
      }
      return true;
    });
    entry.finish('CRL entry');
  }
  return { serialStart, serialEnd, revocationDate, reason, hasUnsupportedCriticalExtension };
}

/** Decodes CRLReason (RFC 5280 section 5.3.1). */
export function decodeReason(reader: DerReader): RevocationReason {
  const { bytes, start, end } = reader.expect(Tag.enumerated, 'CRLReason');
  const reason = end - start === 1 ? reasons[bytes[start] as number] : undefined;
  if (reason === undefined) throw new DerError('CRLReason is unknown', start);
  return reason;
}

/** invalidityDate (RFC 5280 section 5.3.2) is checked and not kept: a revoked certificate is revoked. */
function decodeInvalidityDate(value: DerReader): void {
  if (value.nextTag !== Tag.generalizedTime) throw new DerError('invalidityDate expected', value.end);
  decodeTime(value, 'invalidityDate');
}

/** Where an integer starts behind octets it does not need: zeros before a positive one, 0xff before a negative one. */
function startOfInteger(octets: Buffer): number {
  let start = 0;
  while (start + 1 < octets.length) {
    const sign = (octets[start + 1] as number) >= 0x80 ? 0xff : 0x00;
    if (octets[start] !== sign) break;
    start += 1;
  }
  return start;
}

/**
 * A random number for every octet at every place of a serial number, other ones in every process. Exclusive or of those that
 * a serial number has is its hash (simple tabulation): then probing takes few steps whatever serial numbers somebody
 * chooses, see Patrascu and Thorup, The Power of Simple Tabulation Hashing.
 */
const randomNumbers = randomFillSync(new Uint32Array(maxSerialContents * 256));

function hashOf(bytes: Buffer, start: number, end: number): number {
  let hash = 0;
  for (let at = start, row = 0; at < end; at++, row += 256) {
    hash ^= randomNumbers[row + (bytes[at] as number)] as number;
  }
  return hash >>> 0;
}
