import { checkNesting, contextTag, DerError, type DerReader, maxNestingOfOpaqueValues, Tag } from './der';
import { decodeName, type DistinguishedName, readName } from './name';
import { dottedOid } from './oid';

/**
 * One name of a subjectAltName (RFC 5280 section 4.2.1.6), typed, exactly as the certificate has it. A value of one type
 * is never comparable with a value of another. Frozen.
 */
export type GeneralName =
  | { readonly type: 'uri'; readonly value: string }
  | { readonly type: 'dns'; readonly value: string }
  | { readonly type: 'email'; readonly value: string }
  /** Canonical text: `192.0.2.1`, `2001:db8::1`. */
  | { readonly type: 'ip'; readonly value: string }
  | { readonly type: 'directory'; readonly value: DistinguishedName }
  /** `value` is a dotted OID. */
  | { readonly type: 'registeredId'; readonly value: string }
  /** `oid` is the dotted OID of the form, `value` the hexadecimal DER inside it. */
  | { readonly type: 'other'; readonly oid: string; readonly value: string }
  /** x400Address or ediPartyName: `value` is the hexadecimal contents. */
  | { readonly type: 'x400' | 'ediParty'; readonly value: string };

/** More names than this in one extension are refused. Public web sites have some two hundred, clients a handful. */
const maxNames = 500;

/**
 * Decodes GeneralNames: `SEQUENCE SIZE (1..MAX) OF GeneralName`.
 *
 * dNSName, rfc822Name and URI must be IA5String (ASCII) without NUL and not empty; iPAddress must be 4 or 16 octets.
 */
export function decodeGeneralNames(reader: DerReader, what: string): readonly GeneralName[] {
  const sequence = reader.enter(Tag.sequence, what);
  if (sequence.atEnd) throw new DerError(`${what} is empty`, sequence.end);
  const names: GeneralName[] = [];
  while (!sequence.atEnd) {
    if (names.length === maxNames) throw new DerError(`${what} has too many names`, sequence.end);
    names.push(Object.freeze(decodeGeneralName(sequence, what)));
  }
  return Object.freeze(names.slice());
}

function decodeGeneralName(reader: DerReader, what: string): GeneralName {
  switch (reader.nextTag) {
    case contextTag(0, 'constructed'): {
      const other = reader.enter(reader.nextTag, what);
      const type = other.oid(`${what}: otherName type`);
      const value = other.enter(contextTag(0, 'constructed'), `${what}: otherName value`);
      other.finish(`${what}: otherName`);
      checkNesting(reader.bytes, { start: value.start, end: value.limit }, maxNestingOfOpaqueValues);
      return { type: 'other', oid: dottedOid(type), value: reader.bytes.toString('hex', value.start, value.limit) };
    }
    case contextTag(1, 'primitive'):
      return { type: 'email', value: ia5Text(reader.read(), what) };
    case contextTag(2, 'primitive'):
      return { type: 'dns', value: ia5Text(reader.read(), what) };
    case contextTag(3, 'constructed'):
    case contextTag(5, 'constructed'): {
      const type = reader.nextTag === contextTag(3, 'constructed') ? 'x400' : 'ediParty';
      reader.readOpaque();
      return { type, value: reader.bytes.toString('hex', reader.start, reader.end) };
    }
    case contextTag(4, 'constructed'): {
      // directoryName is a CHOICE, so its tag is explicit.
      const directory = reader.enter(reader.nextTag, what);
      const range = readName(directory, what);
      directory.finish(what);
      return { type: 'directory', value: decodeName(reader.bytes, range) };
    }
    case contextTag(6, 'primitive'):
      return { type: 'uri', value: ia5Text(reader.read(), what) };
    case contextTag(7, 'primitive'):
      return { type: 'ip', value: ipText(reader.read(), what) };
    case contextTag(8, 'primitive'):
      return { type: 'registeredId', value: dottedOid(reader.oid(what, contextTag(8, 'primitive'))) };
    default:
      throw new DerError(`${what} holds an unknown form of name`, reader.end);
  }
}

function ia5Text({ bytes, start, end }: DerReader, what: string): string {
  if (start === end) throw new DerError(`${what} holds an empty name`, start);
  for (let at = start; at < end; at++) {
    const octet = bytes[at] as number;
    if (octet === 0 || octet >= 0x80) throw new DerError(`${what} holds a name that is not ASCII text`, at);
  }
  return bytes.toString('latin1', start, end);
}

function ipText({ bytes, start, end }: DerReader, what: string): string {
  const octets = [...bytes.subarray(start, end)];
  if (octets.length !== 4 && octets.length !== 16) {
    throw new DerError(`${what} holds an address of neither 4 nor 16 octets`, start);
  }
  return textOfAddress(octets);
}

/** Canonical text of an address in 4 or 16 octets. */
export function textOfAddress(octets: readonly number[]): string {
  return octets.length === 4 ? octets.join('.') : ipv6Text(octets);
}

/** Octets of an address: version 4, or version 6 in groups only. Does not check its input. */
export function octetsOfAddress(text: string): readonly number[] {
  if (!text.includes(':')) return text.split('.').map(Number);
  const [head = '', tail] = text.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => '0');
  return [...front, ...zeros, ...back].flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

/** RFC 5952: lower case, no leading zeros, the first longest run of two or more zero groups shortened. */
function ipv6Text(octets: readonly number[]): string {
  const groups = Array.from({ length: 8 }, (_, index) => {
    return (((octets[index * 2] as number) << 8) | (octets[index * 2 + 1] as number)).toString(16);
  });
  let runStart = -1;
  let runLength = 1;
  for (let from = 0; from < 8; from++) {
    let to = from;
    while (groups[to] === '0') to++;
    if (to - from > runLength) {
      runStart = from;
      runLength = to - from;
    }
  }
  if (runStart === -1) return groups.join(':');
  return `${groups.slice(0, runStart).join(':')}::${groups.slice(runStart + runLength).join(':')}`;
}
