import { isUtf8 } from 'node:buffer';
import { DerError, DerReader, type Range, Tag } from './der';
import { dottedOid, oid } from './oid';

/** One attribute of a distinguished name (RFC 5280 section 4.1.2.4). Frozen. */
export interface NameAttribute {
  /** Attribute type as a dotted OID, e.g. `2.5.4.3`. */
  readonly type: string;
  /** Short name of the type (`CN`, `O`, `OU`, `C`, `ST`, `L`, ...), undefined for a type RFC 4519 does not name. */
  readonly name: string | undefined;
  /**
   * The text, exactly as the certificate has it: control characters, look-alikes and all. For a value of a type that is
   * not text, `#` and the hexadecimal DER (RFC 4514 section 2.4).
   */
  readonly value: string;
}

/** A relative distinguished name: one attribute, seldom several. Frozen. */
export type RelativeDistinguishedName = readonly NameAttribute[];

/** A distinguished name as the certificate orders it: the most general part (`C`, `O`) comes first. Frozen. */
export interface DistinguishedName {
  /** Its parts, in the order of the certificate. */
  readonly rdns: readonly RelativeDistinguishedName[];
  /** Every value of one attribute type, by short name or dotted OID, in the order of the certificate. */
  values(type: string): readonly string[];
  /** RFC 4514 text: most specific part first, special characters escaped. For people and logs, never to be parsed. */
  toString(): string;
  /** The same as {@link toString}. */
  toJSON(): string;
}

/** Attribute types with a short name: RFC 4514 section 3, RFC 4519, and emailAddress of RFC 2985. */
const shortNames = new Map(
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
  }).map(([name, dotted]) => [oid(dotted), name]),
);

/** More attributes than this in one name are refused. */
const maxAttributes = 50;

/** @param value - Has just read the value, which starts with its tag at `elementStart`. Used again for the next one. */
type AttributeVisitor = (rdn: number, type: string, value: DerReader, elementStart: number) => void;

/**
 * Reads a Name (RFC 5280 section 4.1.2.4), checks the whole of it and returns where it stands, including its own tag
 * and length.
 */
export function readName(reader: DerReader, what: string): Range {
  const start = reader.end;
  visitAttributes(reader.enter(Tag.sequence, what), what);
  return { start, end: reader.end };
}

/** Attributes whose value is hexadecimal DER, to tell them from text that looks the same. */
const notText = new WeakSet<NameAttribute>();

/** Decodes a Name that {@link readName} has read. */
export function decodeName(bytes: Buffer, range: Range): DistinguishedName {
  const rdns: NameAttribute[][] = [];
  visitName(bytes, range, (rdn, type, value, elementStart) => {
    const text = decodeText(value);
    const attribute: NameAttribute = Object.freeze({
      type: dottedOid(type),
      name: shortNames.get(type),
      value: text ?? `#${bytes.toString('hex', elementStart, value.end)}`,
    });
    if (text === undefined) notText.add(attribute);
    (rdns[rdn] ??= []).push(attribute);
  });
  return new DecodedName(rdns);
}

/**
 * A string that is equal for two names exactly when RFC 5280 section 7.1 calls them equal: text is compared without
 * regard to case, string type and insignificant space, a multi-valued RDN without regard to order, anything else by its
 * bytes.
 */
export function nameKey(bytes: Buffer, range: Range): string {
  const isShort = range.end - range.start <= maxRememberedName;
  const name = isShort ? bytes.toString('latin1', range.start, range.end) : '';
  const known = nameKeys.get(name);
  if (known !== undefined) return known;
  const key = foldName(bytes, range);
  if (nameKeys.size >= maxRememberedNames) nameKeys.clear();
  if (isShort) nameKeys.set(name, key);
  return key;
}

/** Keys of names met lately, by the octets of the name: issuers are few, and named by every certificate. */
const nameKeys = new Map<string, string>();

/** When there are more, all are forgotten: whatever is in use comes back at once. */
const maxRememberedNames = 1_000;

/** In octets. Longer names are folded each time, so that what is remembered stays small. */
const maxRememberedName = 512;

function foldName(bytes: Buffer, range: Range): string {
  const rdns: string[][] = [];
  visitName(bytes, range, (rdn, type, value, elementStart) => {
    const text = decodeText(value);
    const folded = text === undefined ? bytes.toString('latin1', elementStart, value.end) : foldText(text);
    // Lengths keep the parts apart, whatever they contain.
    (rdns[rdn] ??= []).push(`${type.length}:${type}${text === undefined ? '#' : '='}${folded.length}:${folded}`);
  });
  return rdns.map((attributes) => `${attributes.length};${attributes.toSorted().join('')}`).join('');
}

/**
 * One string for each RDN, equal exactly for equal RDNs in the sense of {@link nameKey}: for comparing the beginning of a
 * name with a subtree. With {@link foldTextFurther}, text is also what only some take for it, see {@link textForAnybody}.
 */
export function rdnKeysOf(name: DistinguishedName, fold = foldText): readonly string[] {
  return name.rdns.map((rdn) => {
    const attributes = rdn.map((attribute) => {
      const text =
        fold === foldTextFurther ? textForAnybody(attribute) : notText.has(attribute) ? undefined : attribute.value;
      const folded = text === undefined ? attribute.value : fold(text);
      return `${attribute.type}${text === undefined ? '#' : '='}${folded.length}:${folded}`;
    });
    return attributes.toSorted().join('');
  });
}

/**
 * The text of a value as some software reads it: also of string types that are shown as DER here. UniversalString is a
 * DirectoryString (RFC 5280 section 4.1.2.4); the others are not, and their octets are taken as they are. Undefined for
 * what is text to nobody.
 */
export function textForAnybody(attribute: NameAttribute): string | undefined {
  if (!notText.has(attribute)) return attribute.value;
  const bytes = Buffer.from(attribute.value.slice(1), 'hex');
  const { tag, start, end } = new DerReader(bytes).readOpaque();
  if (tag === Tag.universalString) {
    const characters = Array.from({ length: (end - start) / 4 }, (_, index) => bytes.readUInt32BE(start + index * 4));
    return characters.map((one) => (one > 0x10_ffff ? '\ufffd' : String.fromCodePoint(one))).join('');
  }
  return otherStrings.has(tag) ? bytes.toString('latin1', start, end) : undefined;
}

/** ObjectDescriptor, VideotexString, GraphicString, GeneralString. */
const otherStrings = new Set([0x07, 0x15, 0x19, 0x1b]);

/** Whether a Name has no attributes at all: `SEQUENCE {}`. */
export function isEmptyName({ start, end }: Range): boolean {
  return end - start === 2;
}

function visitName(bytes: Buffer, { start, end }: Range, visit: AttributeVisitor): void {
  visitAttributes(new DerReader(bytes, start, end).enter(Tag.sequence, 'name'), 'name', visit);
}

function visitAttributes(rdns: DerReader, what: string, visit?: AttributeVisitor): void {
  const set = new DerReader(rdns.bytes);
  const attribute = new DerReader(rdns.bytes);
  const setName = `${what}: RelativeDistinguishedName`;
  const attributeName = `${what}: attribute`;
  const typeName = `${what}: attribute type`;
  let attributes = 0;
  for (let rdn = 0; !rdns.atEnd; rdn++) {
    rdns.enterWith(set, Tag.set, setName);
    if (set.atEnd) throw new DerError(`${what} has an empty RelativeDistinguishedName`, set.end);
    while (!set.atEnd) {
      if (++attributes > maxAttributes) throw new DerError(`${what} has too many attributes`, set.end);
      set.enterWith(attribute, Tag.sequence, attributeName);
      const type = attribute.oid(typeName);
      const elementStart = attribute.end;
      attribute.readOpaque();
      checkText(attribute, what);
      attribute.finish(attributeName);
      visit?.(rdn, type, attribute, elementStart);
    }
  }
}

/**
 * Refuses text that does not decode: two readers could see two names in it. So could they in text in pieces, which DER does
 * not have (X.690 section 10.2) and some readers put together.
 */
function checkText({ bytes, tag, start, end }: DerReader, what: string): void {
  const length = end - start;
  if (isInPieces(tag)) throw new DerError(`${what} holds a value in pieces`, start);
  if (tag === Tag.utf8String && !isAscii(bytes, start, end) && !isUtf8(bytes.subarray(start, end))) {
    throw new DerError(`${what} holds invalid UTF-8`, start);
  }
  if (tag === Tag.numericString && !isNumeric(bytes, start, end)) {
    throw new DerError(`${what} holds a NumericString of other characters`, start);
  }
  if (tag === Tag.bmpString && length % 2 !== 0) throw new DerError(`${what} holds an odd BMPString`, start);
  if (tag === Tag.universalString && length % 4 !== 0)
    throw new DerError(`${what} holds an odd UniversalString`, start);
}

/** Digits and spaces (X.680 section 41.2). */
function isNumeric(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const octet = bytes[at] as number;
    if (octet !== 0x20 && (octet < 0x30 || octet > 0x39)) return false;
  }
  return true;
}

function isAscii(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if ((bytes[at] as number) >= 0x80) return false;
  return true;
}

/** Universal, constructed, and neither EXTERNAL, EMBEDDED PDV, SEQUENCE, SET nor CHARACTER STRING, which always are. */
function isInPieces(tag: number): boolean {
  return tag > 0x20 && tag < 0x40 && ![0x28, 0x2b, Tag.sequence, Tag.set, 0x3d].includes(tag);
}

function decodeText({ bytes, tag, start, end }: DerReader): string | undefined {
  switch (tag) {
    case Tag.utf8String:
      return bytes.toString('utf8', start, end);
    case Tag.printableString:
    case Tag.ia5String:
    case Tag.numericString:
    case Tag.visibleString:
    case Tag.teletexString:
      // NOTE: T.61 is read as Latin-1, as every implementation does; RFC 5280 appendix B calls its use historical.
      return bytes.toString('latin1', start, end);
    case Tag.bmpString:
      return Buffer.from(bytes.subarray(start, end)).swap16().toString('utf16le');
    default:
      return undefined;
  }
}

/** RFC 5280 section 7.1 by way of RFC 4518: compatibility normalization, case folding, insignificant space. */
function foldText(text: string): string {
  // oxlint-disable-next-line no-control-regex -- exactly the ASCII range is meant
  const normal = /^[\x00-\x7f]*$/.test(text) ? text : text.normalize('NFKC');
  return normal.toLowerCase().replace(/\s+/g, ' ').trim();
}

/** What RFC 4518 section 2.2 maps to nothing: soft hyphens, zero-width characters, controls that are not space. */
const ignoredCharacters = /[\p{Cf}\p{Variation_Selector}\u034f\u1806\ufffc]|(?![\s\x85])\p{Cc}/gu;

/**
 * Like {@link nameKey}, and further: characters that are not seen count for nothing, and case is folded in full, as in
 * German (sharp s is `ss`). For names that must not be: whatever anybody could take for an excluded name is one.
 */
export function foldTextFurther(text: string): string {
  const seen = text.normalize('NFKC').replace(ignoredCharacters, '');
  return foldText(seen.toUpperCase().toLowerCase().replaceAll('\u03c2', '\u03c3'));
}

class DecodedName implements DistinguishedName {
  readonly rdns: readonly RelativeDistinguishedName[];

  constructor(rdns: readonly NameAttribute[][]) {
    this.rdns = Object.freeze(rdns.map((rdn) => Object.freeze(rdn)));
    Object.freeze(this);
  }

  values(type: string): readonly string[] {
    return this.rdns.flat().flatMap((attribute) => {
      return attribute.name === type || attribute.type === type ? [attribute.value] : [];
    });
  }

  toString(): string {
    return this.rdns
      .toReversed()
      .map((rdn) => rdn.map(attributeText).join('+'))
      .join(',');
  }

  toJSON(): string {
    return this.toString();
  }
}

function attributeText(attribute: NameAttribute): string {
  const { type, name = type, value } = attribute;
  return `${name}=${notText.has(attribute) ? value : escapeText(value)}`;
}

/** Text in which nothing needs to be escaped. */
const plainText = /^[\w.:-](?:[\w.: -]*[\w.:-])?$/;

/** RFC 4514 section 2.4; control characters are escaped as well, so that one name is one line in a log. */
function escapeText(value: string): string {
  if (plainText.test(value)) return value;
  return value
    .replace(/["+,;<>\\]/g, '\\$&')
    .replace(/^[ #]| $/g, '\\$&')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
      return Buffer.from(character).toString('hex').replace(/../g, '\\$&');
    });
}
