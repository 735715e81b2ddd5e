import { DerError, DerReader, Tag } from './der';
import { decodeName, type DistinguishedName, readName } from './name';

/** Attribute types that can be written by name, which are those that names are shown with; in lower case. */
const attributeTypes: ReadonlyMap<string, string> = new Map(
  Object.entries({
    CN: '2.5.4.3',
    SN: '2.5.4.4',
    serialNumber: '2.5.4.5',
    C: '2.5.4.6',
    L: '2.5.4.7',
    ST: '2.5.4.8',
    STREET: '2.5.4.9',
    O: '2.5.4.10',
    OU: '2.5.4.11',
    title: '2.5.4.12',
    name: '2.5.4.41',
    GN: '2.5.4.42',
    initials: '2.5.4.43',
    generationQualifier: '2.5.4.44',
    dnQualifier: '2.5.4.46',
    pseudonym: '2.5.4.65',
    UID: '0.9.2342.19200300.100.1.1',
    DC: '0.9.2342.19200300.100.1.25',
    emailAddress: '1.2.840.113549.1.9.1',
  }).map(([name, dotted]) => [name.toLowerCase(), dotted]),
);

/** RFC 4514 section 3: `pair`. */
const pair = String.raw`\\(?:[\\"+,;<>=# ]|[\da-fA-F]{2})`;
/** What stands for itself, at the beginning, in the middle and at the end of a value. */
const leading = String.raw`[^\0"+,;<>\\ #]`;
const inner = String.raw`[^\0"+,;<>\\]`;
const trailing = String.raw`[^\0"+,;<>\\ ]`;
const string = `(?:(?:${leading}|${pair})(?:(?:${inner}|${pair})*(?:${trailing}|${pair}))?)?`;

/** One attribute of a name and what ends it: a comma, a plus sign, or the end of the text. */
const attributePattern = new RegExp(
  String.raw`(?<type>[a-z][a-z\d-]*|\d+(?:\.\d+)+)=(?:#(?<hex>(?:[\da-f]{2})+)|(?<text>${string}))(?<end>[,+]|$)`,
  'iy',
);

/**
 * Parses the text of a distinguished name (RFC 4514), most specific part first: `CN=alice,O=Partner\, Inc.,C=NL`. The empty
 * text is the empty name.
 *
 * Strictly: no space around `,`, `+` and `=`, no quotation marks, and attribute types are those that names are shown with, or
 * dotted OIDs. Values are UTF8String, which is equal to the same text in any other type; `#` and hexadecimal DER is taken
 * as it is.
 *
 * @param what - What to call the text in messages.
 * @throws {TypeError} saying where the text stops being a name, or what is wrong with a value.
 */
export function parseName(text: string, what: string): DistinguishedName {
  const rdns: Buffer[][] = [[]];
  // An unpaired surrogate is no character, and would become another one.
  if (/\p{Surrogate}/u.test(text)) throw new TypeError(`${what} is not Unicode text.`);
  for (let at = 0, isOpen = text !== ''; isOpen;) {
    attributePattern.lastIndex = at;
    const match = attributePattern.exec(text);
    if (match === null) {
      throw new TypeError(
        `${what} is not the text of a name (RFC 4514) from character ${at + 1} on. Write it like \`O=Partner,C=NL\`: no ` +
          'spaces between the parts, a backslash before each of " + , ; < > \\ in a value.',
      );
    }
    const { type = '', hex, text: value = '', end } = match.groups as Partial<Record<string, string>>;
    const element = hex === undefined ? encode(Tag.utf8String, octetsOf(value)) : Buffer.from(hex, 'hex');
    (rdns[0] as Buffer[]).push(encode(Tag.sequence, encode(Tag.oid, typeOf(type, what)), element));
    // Text begins with what DER has last.
    if (end === ',') rdns.unshift([]);
    at = attributePattern.lastIndex;
    isOpen = end !== '';
  }
  const sets = text === '' ? [] : rdns.map((attributes) => encode(Tag.set, ...attributes));
  return decode(encode(Tag.sequence, ...sets), what);
}

/** Reads the name as if a certificate had it, so that it is held to the same. */
function decode(name: Buffer, what: string): DistinguishedName {
  try {
    return decodeName(name, readName(new DerReader(name), 'it'));
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw new TypeError(`${what} is not a name a certificate can have: ${error.reason}.`, { cause: error });
  }
}

function typeOf(type: string, what: string): Buffer {
  const contents = parseOid(attributeTypes.get(type.toLowerCase()) ?? type);
  if (contents === undefined) {
    throw new TypeError(`${what} has an attribute of an unknown type, \`${type}\`. Write the type as a dotted OID.`);
  }
  return Buffer.from(contents, 'latin1');
}

/** The octets of a value: UTF-8, in which an escaped character may be spelt octet by octet. */
function octetsOf(value: string): Buffer {
  const parts = value.matchAll(/\\([\da-f]{2})|\\(.)|[^\\]+/gi);
  return Buffer.concat(
    Array.from(parts, ([plain, octet, character]) => {
      return octet === undefined ? Buffer.from(character ?? plain) : Buffer.from(octet, 'hex');
    }),
  );
}

/** More octets than this no OID in a certificate has, see {@link DerReader.oid}. */
const maxOidOctets = 64;

/**
 * DER contents of a dotted OID, as a latin1 string (RFC 4514 section 3: `numericoid`). Exact for arcs of any size. Undefined
 * for what is none, and for one longer than certificates may have.
 */
export function parseOid(dotted: string): string | undefined {
  if (dotted.length > maxOidOctets * 3 || !/^[0-2](?:\.(?:0|[1-9]\d*))+$/.test(dotted)) return undefined;
  const [root = 0n, second = 0n, ...rest] = dotted.split('.').map(BigInt);
  if (root < 2n && second >= 40n) return undefined;
  const contents = [root * 40n + second, ...rest].map(base128).join('');
  return contents.length > maxOidOctets ? undefined : contents;
}

/** X.690 section 8.19.2. */
function base128(arc: bigint): string {
  let octets = String.fromCharCode(Number(arc & 0x7fn));
  for (let high = arc >> 7n; high > 0n; high >>= 7n) octets = String.fromCharCode(Number(high & 0x7fn) | 0x80) + octets;
  return octets;
}

/** One element in DER (X.690 section 8.1.3). */
function encode(tag: number, ...contents: readonly Buffer[]): Buffer {
  const body = Buffer.concat(contents);
  if (body.length < 0x80) return Buffer.concat([Buffer.of(tag, body.length), body]);
  const hex = body.length.toString(16);
  const length = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  return Buffer.concat([Buffer.of(tag, 0x80 | length.length), length, body]);
}
