import { lowerCaseAscii } from './ascii';
import { contextTag, DerError, type DerReader, Tag } from './der';
import { decodeName, foldTextFurther, rdnKeysOf, readName } from './name';

/** One subtree of a nameConstraints extension (RFC 5280 section 4.2.1.10), in the form names are compared with. */
export type Subtree =
  /** Lower case; `''` is every name. */
  | { readonly type: 'dns'; readonly value: string }
  /** A mailbox, a host, or `.domain` for the hosts below it. */
  | { readonly type: 'email'; readonly value: string }
  /** A host, or `.domain` for the hosts below it; lower case. */
  | { readonly type: 'uri'; readonly value: string }
  | { readonly type: 'ip'; readonly address: Buffer; readonly mask: Buffer }
  /** One key for each RDN, see `rdnKeysOf`; of excluded names, folded further. */
  | { readonly type: 'directory'; readonly rdns: readonly string[] }
  /** A form of name that cannot be compared: every name of this form breaks it. */
  | { readonly type: 'x400' | 'ediParty' | 'registeredId' | 'other' };

export interface NameConstraints {
  readonly permitted: readonly Subtree[];
  readonly excluded: readonly Subtree[];
}

/** More subtrees than this in one list are refused; the largest published ones have some hundreds. */
export const maxSubtrees = 4_096;

/**
 * Decodes NameConstraints. An extension without any subtree is read: it has no effect (CAs must not write it).
 *
 * Refuses subtrees no name could be compared with as they are meant: a minimum or maximum, addresses without a contiguous
 * mask, host names with characters no host name has.
 */
export function decodeNameConstraints(reader: DerReader): NameConstraints {
  const sequence = reader.enter(Tag.sequence, 'nameConstraints');
  const permitted = decodeSubtrees(sequence, 'permitted');
  const excluded = decodeSubtrees(sequence, 'excluded');
  sequence.finish('nameConstraints');
  return { permitted, excluded };
}

function decodeSubtrees(sequence: DerReader, which: 'permitted' | 'excluded'): readonly Subtree[] {
  const tag = contextTag(which === 'permitted' ? 0 : 1, 'constructed');
  if (sequence.nextTag !== tag) return [];
  const list = sequence.enter(tag, 'nameConstraints');
  const subtrees: Subtree[] = [];
  while (!list.atEnd) {
    if (subtrees.length === maxSubtrees) throw new DerError('nameConstraints have too many subtrees', list.end);
    const subtree = list.enter(Tag.sequence, 'nameConstraints: subtree');
    subtrees.push(decodeBase(subtree, which));
    // minimum must be 0, which DER leaves out, and maximum absent (RFC 5280 section 4.2.1.10).
    subtree.finish('nameConstraints: subtree');
  }
  return subtrees;
}

function decodeBase(reader: DerReader, which: 'permitted' | 'excluded'): Subtree {
  switch (reader.nextTag) {
    case contextTag(0, 'constructed'):
      reader.readOpaque();
      return { type: 'other' };
    case contextTag(1, 'primitive'):
      return { type: 'email', value: emailText(reader.read()) };
    case contextTag(2, 'primitive'):
      return { type: 'dns', value: hostText(reader.read(), 'dNSName') };
    case contextTag(3, 'constructed'):
      reader.readOpaque();
      return { type: 'x400' };
    case contextTag(4, 'constructed'): {
      const directory = reader.enter(reader.nextTag, 'nameConstraints: directoryName');
      const range = readName(directory, 'nameConstraints: directoryName');
      directory.finish('nameConstraints: directoryName');
      const name = decodeName(reader.bytes, range);
      const rdns = which === 'permitted' ? rdnKeysOf(name) : rdnKeysOf(name, foldTextFurther);
      return { type: 'directory', rdns };
    }
    case contextTag(5, 'constructed'):
      reader.readOpaque();
      return { type: 'ediParty' };
    case contextTag(6, 'primitive'):
      return { type: 'uri', value: hostText(reader.read(), 'URI') };
    case contextTag(7, 'primitive'):
      return ipSubtree(reader.read());
    case contextTag(8, 'primitive'):
      reader.read();
      return { type: 'registeredId' };
    default:
      throw new DerError('nameConstraints hold an unknown form of name', reader.end);
  }
}

/** Labels of letters, digits, hyphens and underscores, with or without a leading period; or nothing. */
const hostPattern = /^(?:\.?[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*)?$/;

/** The host of a subtree as names are compared with it, undefined for what is none. */
export function foldHost(text: string): string | undefined {
  // Nothing but ASCII is folded: no other letter becomes one of a host name.
  const host = lowerCaseAscii(text);
  return hostPattern.test(host) ? host : undefined;
}

function hostText({ bytes, start, end }: DerReader, what: string): string {
  const host = foldHost(bytes.toString('latin1', start, end));
  if (host === undefined) throw new DerError(`nameConstraints: ${what} is not a host name`, start);
  return host;
}

/** A local part without quotes (RFC 5321 section 4.1.2): a quoted one may spell the same mailbox in many ways. */
export const localPartPattern = /^[\w.!#$%&'*+/=?^`{|}~-]+$/;

/**
 * The mailbox or host of a subtree as names are compared with it, undefined for what is neither. A mailbox keeps its local
 * part as it is; a host is folded.
 */
export function foldMailbox(text: string): string | undefined {
  const at = text.lastIndexOf('@');
  const host = foldHost(text.slice(at + 1));
  if (host === undefined || at === -1) return host;
  const isMailbox = localPartPattern.test(text.slice(0, at)) && host !== '' && !host.startsWith('.');
  return isMailbox ? text.slice(0, at + 1) + host : undefined;
}

function emailText({ bytes, start, end }: DerReader): string {
  const text = foldMailbox(bytes.toString('latin1', start, end));
  if (text === undefined) throw new DerError('nameConstraints: rfc822Name is not a mailbox or a host name', start);
  return text;
}

function ipSubtree({ bytes, start, end }: DerReader): Subtree {
  const octets = end - start;
  if (octets !== 8 && octets !== 32)
    throw new DerError('nameConstraints: iPAddress is not an address and a mask', start);
  const middle = start + octets / 2;
  const mask = bytes.subarray(middle, end);
  const bits = [...mask].map((octet) => octet.toString(2).padStart(8, '0')).join('');
  if (!/^1*0*$/.test(bits)) throw new DerError('nameConstraints: iPAddress mask is not contiguous', middle);
  return { type: 'ip', address: bytes.subarray(start, middle), mask };
}
