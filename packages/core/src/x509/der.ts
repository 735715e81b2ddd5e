import { mixOctet, oidContents } from './oid';

/** DER tags this package reads (X.690 section 8). Context-specific tags are built with {@link contextTag}. */
export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  numericString: 0x12,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  visibleString: 0x1a,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The tag byte of `[number]`, constructed (explicit tagging, or an implicit SEQUENCE) or primitive. */
export function contextTag(number: number, form: 'constructed' | 'primitive'): number {
  return (form === 'constructed' ? 0xa0 : 0x80) | number;
}

/** Bytes `start` (inclusive) to `end` (exclusive) of the buffer a structure was read from. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** The input is not the DER this reader accepts. `offset` counts bytes from the start of the buffer. */
export class DerError extends Error {
  constructor(
    readonly reason: string,
    readonly offset: number,
  ) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(reason);
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** An OBJECT IDENTIFIER longer than this is refused; the longest in use are about 20 octets. */
const maxOidOctets = 64;

/**
 * A cursor over strict DER (X.690 section 10): definite lengths in the fewest octets, one-octet tags, nothing read past
 * the end of the enclosing element. Reads forward once and copies nothing; {@link read} leaves the element it read in
 * `tag`, `start` and `end`.
 *
 * Every method throws {@link DerError} on anything else.
 */
export class DerReader {
  /** Tag byte of the element read last. */
  tag = 0;
  /** First byte of the contents of the element read last. */
  start: number;
  /** One past the last byte of the element read last; the next element starts here. */
  end: number;

  constructor(
    readonly bytes: Buffer,
    start = 0,
    public limit: number = bytes.length,
  ) {
    this.start = start;
    this.end = start;
  }

  get atEnd(): boolean {
    return this.end === this.limit;
  }

  /** The tag of the next element, or -1 at the end. */
  get nextTag(): number {
    return this.end < this.limit ? this.byte(this.end) : -1;
  }

  /** Reads the next element, whatever its tag. */
  read(): this {
    const tagAt = this.end;
    if (tagAt + 2 > this.limit) throw new DerError('element is truncated', tagAt);
    const tag = this.byte(tagAt);
    if ((tag & 0x1f) === 0x1f) throw new DerError('multi-octet tag', tagAt);
    let length = this.byte(tagAt + 1);
    let start = tagAt + 2;
    if (length >= 0x80) {
      const octets = length & 0x7f;
      if (octets === 0) throw new DerError('indefinite length', tagAt + 1);
      if (octets > 4) throw new DerError('length is too large', tagAt + 1);
      if (start + octets > this.limit) throw new DerError('element is truncated', tagAt);
      length = 0;
      for (const stop = start + octets; start < stop; start++) length = length * 0x100 + this.byte(start);
      if (length < 0x80 || length < 2 ** (8 * (octets - 1))) throw new DerError('length is not minimal', tagAt + 1);
    }
    if (length > this.limit - start) throw new DerError('element is longer than what holds it', tagAt);
    this.tag = tag;
    this.start = start;
    this.end = start + length;
    return this;
  }

  /** Reads the next element, whatever its tag, which nobody here interprets: see {@link checkNesting}. */
  readOpaque(): this {
    const at = this.end;
    this.read();
    if (isImpossible(this.tag)) throw new DerError('tag that no value has', at);
    if ((this.tag & 0x20) !== 0) checkNesting(this.bytes, this.range, maxNestingOfOpaqueValues);
    return this;
  }

  /** Reads the next element and requires its tag. */
  expect(tag: number, what: string): this {
    const at = this.end;
    if (this.nextTag !== tag) throw new DerError(`${what} expected`, at);
    return this.read();
  }

  /** Reads the next constructed element and returns a reader over its contents. */
  enter(tag: number, what: string): DerReader {
    this.expect(tag, what);
    return new DerReader(this.bytes, this.start, this.end);
  }

  /**
   * The same with a reader of the same bytes that is at hand, for elements of which there are many.
   *
   * @returns the reader, over the contents.
   */
  enterWith(reader: DerReader, tag: number, what: string): DerReader {
    this.expect(tag, what);
    reader.start = this.start;
    reader.end = this.start;
    reader.limit = this.end;
    return reader;
  }

  /** Requires that nothing follows. */
  finish(what: string): void {
    if (!this.atEnd) throw new DerError(`unexpected data after ${what}`, this.end);
  }

  /** The contents of the element read last. */
  get range(): Range {
    return { start: this.start, end: this.end };
  }

  /** BOOLEAN: 0x00 or 0xFF (X.690 section 11.1). */
  boolean(what: string): boolean {
    this.expect(Tag.boolean, what);
    const value = this.end - this.start === 1 ? this.byte(this.start) : -1;
    if (value !== 0x00 && value !== 0xff) throw new DerError(`${what} is not a DER BOOLEAN`, this.start);
    return value === 0xff;
  }

  /** INTEGER in the fewest octets; leaves the two's complement contents in `start` and `end`. */
  integer(what: string, tag: number = Tag.integer): this {
    this.expect(tag, what);
    const length = this.end - this.start;
    if (length === 0) throw new DerError(`${what} is empty`, this.start);
    const first = this.byte(this.start);
    if (length > 1) {
      const second = this.byte(this.start + 1);
      if ((first === 0x00 && second < 0x80) || (first === 0xff && second >= 0x80)) {
        throw new DerError(`${what} is not minimal`, this.start);
      }
    }
    return this;
  }

  /** A non-negative INTEGER of at most four octets of value. */
  smallInteger(what: string, tag: number = Tag.integer): number {
    this.integer(what, tag);
    if (this.byte(this.start) >= 0x80) throw new DerError(`${what} is negative`, this.start);
    // One octet more: the zero before a set top bit.
    if (this.end - this.start > (this.byte(this.start) === 0 ? 5 : 4))
      throw new DerError(`${what} is too large`, this.start);
    let value = 0;
    for (let at = this.start; at < this.end; at++) value = value * 0x100 + this.byte(at);
    return value;
  }

  /** OBJECT IDENTIFIER, as the latin1 string of its contents: the cheap form in which OIDs are compared. */
  oid(what: string, tag: number = Tag.oid): string {
    this.expect(tag, what);
    const { start, end } = this;
    if (start === end || this.byte(end - 1) >= 0x80) throw new DerError(`${what} is not an OID`, start);
    if (end - start > maxOidOctets) throw new DerError(`${what} is too long`, start);
    let mixed = 0;
    for (let at = start, first = true; at < end; at++) {
      const octet = this.byte(at);
      if (first && octet === 0x80) throw new DerError(`${what} is not minimal`, at);
      first = octet < 0x80;
      mixed = mixOctet(mixed, octet);
    }
    return oidContents(this.bytes, start, end, mixed);
  }

  /** BIT STRING of any number of bits; leaves the bits in `start` and `end`. Unused ones are zero (X.690 section 11.2.1). */
  bitString(what: string, tag: number = Tag.bitString): this {
    this.expect(tag, what);
    if (this.start === this.end) throw new DerError(`${what} is empty`, this.start);
    const unused = this.byte(this.start);
    const last = this.end - this.start === 1 ? undefined : this.byte(this.end - 1);
    if (unused > 7 || (last === undefined ? unused !== 0 : (last & ((1 << unused) - 1)) !== 0)) {
      throw new DerError(`${what} has wrong unused bits`, this.start);
    }
    this.start += 1;
    return this;
  }

  /** BIT STRING of whole octets; leaves the bits in `start` and `end`. */
  wholeBitString(what: string): this {
    this.expect(Tag.bitString, what);
    if (this.start === this.end) throw new DerError(`${what} is empty`, this.start);
    if (this.byte(this.start) !== 0) throw new DerError(`${what} has unused bits`, this.start);
    this.start += 1;
    return this;
  }

  /** BIT STRING used as a set of named bits (X.690 section 11.2.2): bit 0 of the result is the first named bit. */
  namedBits(what: string, tag: number = Tag.bitString): number {
    this.expect(tag, what);
    const octets = this.end - this.start - 1;
    if (octets < 0 || octets > 4) throw new DerError(`${what} is not a set of named bits`, this.start);
    const unused = this.byte(this.start);
    if (octets === 0) {
      if (unused !== 0) throw new DerError(`${what} is not a set of named bits`, this.start);
      return 0;
    }
    const last = this.byte(this.end - 1);
    // DER drops trailing zero bits, so the last bit in use is a one and every bit behind it a zero.
    if (unused > 7 || (last & ((1 << unused) - 1)) !== 0 || (last & (1 << unused)) === 0) {
      throw new DerError(`${what} is not a set of named bits`, this.start);
    }
    let bits = 0;
    for (let bit = 0; bit < octets * 8; bit++) {
      if ((this.byte(this.start + 1 + (bit >> 3)) & (0x80 >> (bit & 7))) !== 0) bits |= 1 << bit;
    }
    return bits;
  }

  private byte(at: number): number {
    // Within bounds by construction: every caller has compared `at` with `limit`.
    return this.bytes[at] as number;
  }
}

/** A SEQUENCE or SET that is said to hold no elements, or end-of-contents octets: no value has these tags. */
function isImpossible(tag: number): boolean {
  return tag === 0x00 || tag === 0x20 || tag === 0x10 || tag === 0x11;
}

/** How deep elements may nest in a value that is not interpreted. Honest extensions stay below ten. */
export const maxNestingOfOpaqueValues = 32;

/**
 * Requires that contents nobody here interprets nest at most `maximum` elements deep.
 *
 * Iterative, so that hostile nesting cannot exhaust the stack. Contents that are not DER at all are left alone: some
 * private extensions hold plain text.
 */
export function checkNesting(bytes: Buffer, { start, end }: Range, maximum: number): void {
  const ends: number[] = [];
  let at = start;
  while (at < end) {
    while (ends.length > 0 && at >= (ends.at(-1) as number)) ends.pop();
    const reader = new DerReader(bytes, at, ends.at(-1) ?? end);
    try {
      reader.read();
    } catch {
      return;
    }
    if ((reader.tag & 0x20) === 0) {
      at = reader.end;
      continue;
    }
    if (ends.length >= maximum) throw new DerError('nested too deeply', at);
    ends.push(reader.end);
    at = reader.start;
  }
}
