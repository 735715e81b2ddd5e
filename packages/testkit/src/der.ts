/** How to write a length that DER would not. All are for hostile input; without them the length is DER's. */
export interface LengthForm {
  /** Long form with this many octets after the first, 1 to 126, even where fewer would do. Default: as few as possible. */
  readonly lengthOctets?: number;
  /** Indefinite length (`80`), with end-of-contents octets after the content. Default false. */
  readonly indefinite?: boolean;
  /** Length to declare, in octets, whatever the content's is. Default: the content's. */
  readonly declaredLength?: number;
}

function bigEndian(value: number): number[] {
  const octets = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return octets;
}

function encodeLength(length: number, lengthOctets?: number): Buffer {
  if (lengthOctets === undefined && length < 0x80) return Buffer.of(length);
  const minimal = bigEndian(length);
  const count = lengthOctets ?? minimal.length;
  if (!Number.isInteger(count) || count < Math.max(1, minimal.length) || count > 126)
    throw new RangeError(`a length of ${length} does not fit in lengthOctets ${count}`);
  return Buffer.from([0x80 | count, ...Buffer.alloc(count - minimal.length), ...minimal]);
}

/** Any element. `tag` holds the identifier octets as a number: 0x30, 0xa3, or 0x7f21 for a tag of several octets. */
function tlv(tag: number, content: Uint8Array, form: LengthForm = {}): Buffer {
  const identifier = Buffer.from(tag === 0 ? [0] : bigEndian(tag));
  if (form.indefinite) return Buffer.concat([identifier, Buffer.of(0x80), content, Buffer.of(0, 0)]);
  return Buffer.concat([identifier, encodeLength(form.declaredLength ?? content.length, form.lengthOctets), content]);
}

function integerOctets(value: bigint): Buffer {
  let bits = 8;
  while (BigInt.asIntN(bits, value) !== value) bits += 8;
  return Buffer.from(
    BigInt.asUintN(bits, value)
      .toString(16)
      .padStart(bits / 4, '0'),
    'hex',
  );
}

/** INTEGER: minimal two's complement for a number, which must be a safe integer; octets are the content as they are. */
function integer(value: bigint | number | Uint8Array): Buffer {
  if (typeof value === 'number' && !Number.isSafeInteger(value))
    throw new RangeError('not a safe integer; use a bigint');
  return tlv(0x02, value instanceof Uint8Array ? value : integerOctets(BigInt(value)));
}

function base128(value: bigint): number[] {
  const octets = [Number(value & 0x7fn)];
  for (let rest = value >> 7n; rest > 0n; rest >>= 7n) octets.unshift(Number(rest & 0x7fn) | 0x80);
  return octets;
}

/** OBJECT IDENTIFIER from dotted decimal. Throws TypeError for fewer than two arcs or an arc that is not a number. */
function oid(dotted: string): Buffer {
  if (!/^[0-2](\.\d+)+$/.test(dotted)) throw new TypeError(`not an object identifier: ${dotted}`);
  const [first = 0n, second = 0n, ...rest] = dotted.split('.').map(BigInt);
  return tlv(0x06, Buffer.from([first * 40n + second, ...rest].flatMap(base128)));
}

function timeText(time: Date | string, from: number): string {
  if (typeof time === 'string') return time;
  return `${time.toISOString().slice(from, 19).replace(/[-T:]/g, '')}Z`;
}

function utf16BigEndian(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16();
}

/**
 * An encoder for ASN.1 elements: each member returns one whole element (identifier, length, content). DER for ordinary
 * arguments, and able to write what DER forbids, for tests of hostile input. Nothing is checked beyond what is said.
 */
export const der = {
  /** Any element: identifier octets as a number, content, and a length that {@link LengthForm} may spoil. */
  tlv,
  /** INTEGER: minimal for a number, which must be a safe integer; octets are the content as they are. */
  integer,
  /** OBJECT IDENTIFIER from dotted decimal. */
  oid,
  /** SEQUENCE of elements already encoded. */
  sequence: (...parts: readonly Uint8Array[]): Buffer => tlv(0x30, Buffer.concat(parts)),
  /** SET of elements already encoded, in the order given; DER wants a SET OF sorted by encoding. */
  set: (...parts: readonly Uint8Array[]): Buffer => tlv(0x31, Buffer.concat(parts)),
  /** BOOLEAN. A number is written as the one content octet: 1 is BER's TRUE and not DER's. */
  boolean: (value: boolean | number): Buffer =>
    tlv(0x01, Buffer.of(typeof value === 'number' ? value : value ? 0xff : 0)),
  /** OCTET STRING. */
  octetString: (bytes: Uint8Array): Buffer => tlv(0x04, bytes),
  /** BIT STRING. `unusedBits` is the first content octet, 0 by default. */
  bitString: (bytes: Uint8Array, unusedBits = 0): Buffer => tlv(0x03, Buffer.concat([Buffer.of(unusedBits), bytes])),
  /** NULL. */
  null: (): Buffer => tlv(0x05, Buffer.alloc(0)),
  /** UTF8String. */
  utf8String: (text: string): Buffer => tlv(0x0c, Buffer.from(text, 'utf8')),
  /** PrintableString. Characters outside its set are written in UTF-8 all the same. */
  printableString: (text: string): Buffer => tlv(0x13, Buffer.from(text, 'utf8')),
  /** TeletexString (T61String), in Latin-1, as everyone reads it. */
  teletexString: (text: string): Buffer => tlv(0x14, Buffer.from(text, 'latin1')),
  /** IA5String. Characters outside ASCII are written in UTF-8 all the same. */
  ia5String: (text: string): Buffer => tlv(0x16, Buffer.from(text, 'utf8')),
  /** BMPString: UTF-16, big-endian; surrogate pairs are written as they are. */
  bmpString: (text: string): Buffer => tlv(0x1e, utf16BigEndian(text)),
  /** UTCTime. A string is the content as it is; a Date loses its century, so 1950 to 2049 is the range that reads back. */
  utcTime: (time: Date | string): Buffer => tlv(0x17, Buffer.from(timeText(time, 2), 'latin1')),
  /** GeneralizedTime. A string is the content as it is; a Date is written to the second, years 0 to 9999. */
  generalizedTime: (time: Date | string): Buffer => tlv(0x18, Buffer.from(timeText(time, 0), 'latin1')),
  /** `[tagNumber]` constructed, around whole elements. `tagNumber` is 0 to 30. */
  explicit: (tagNumber: number, ...parts: readonly Uint8Array[]): Buffer => tlv(0xa0 | tagNumber, Buffer.concat(parts)),
  /** `[tagNumber]` primitive, with content octets. `tagNumber` is 0 to 30. */
  implicit: (tagNumber: number, bytes: Uint8Array): Buffer => tlv(0x80 | tagNumber, bytes),
} as const;
