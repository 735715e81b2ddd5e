import { isUtf8 } from 'node:buffer';
import { checkOptions, describe } from '../options';
import type { Certificate } from '../x509/certificate';
import { type DistinguishedName, rdnKeysOf } from '../x509/name';
import { parseName, parseOid } from '../x509/name-text';

/**
 * Certificates that are refused whatever else is known of them. All digests and numbers in hexadecimal.
 *
 * By the certificate's own SHA-256 it is a weak word: the signature is part of what is digested, and an ECDSA signature can
 * be changed by anyone into another good one. Deny the key, or issuer and serial number.
 */
export type DenyListEntry =
  /** The certificate with this number by this issuer: a name, or its RFC 4514 text. */
  | { readonly issuer: DistinguishedName | string; readonly serialNumber: string }
  /** Every certificate with this key, by the SHA-256 of its SubjectPublicKeyInfo. */
  | { readonly spkiSha256: string }
  /** Every certificate with this subjectKeyIdentifier, which its issuer has chosen. */
  | { readonly subjectKeyIdentifier: string }
  /** This certificate, as long as nobody changes its signature. */
  | { readonly certificateSha256: string };

/** What a certificate was denied by. */
export type DenyListEntryKind = 'serial' | 'spki-sha256' | 'subject-key-identifier' | 'certificate-sha256';

/** Hexadecimal digits of the longest serial number that certificates are read with. */
const maxSerialDigits = 40;
const maxKeyIdentifierDigits = 128;

/** The kind of an entry, by its key. */
export function kindOf(key: string): DenyListEntryKind {
  return key.slice(0, key.indexOf(' ')) as DenyListEntryKind;
}

/** The key that an entry of this kind must have to deny a certificate; undefined where no entry of it can. */
export function keyInCertificate(certificate: Certificate, kind: DenyListEntryKind): string | undefined {
  const value = valuesIn[kind](certificate);
  return value === undefined ? undefined : `${kind} ${value}`;
}

const valuesIn: { readonly [Kind in DenyListEntryKind]: (certificate: Certificate) => string | undefined } = {
  serial: ({ serialNumber, issuer }) => `${serialNumber} ${issuerKeyOf(issuer)}`,
  'spki-sha256': ({ spkiSha256 }) => spkiSha256,
  'subject-key-identifier': ({ extensions: { subjectKeyIdentifier } }) => {
    return subjectKeyIdentifier && Buffer.from(subjectKeyIdentifier, 'latin1').toString('hex');
  },
  'certificate-sha256': ({ sha256 }) => sha256,
};

/**
 * What an entry is looked up by: its kind, and what of a certificate equals it.
 *
 * @throws {TypeError} for an entry that is none, and for one that no certificate can match.
 */
export function keyOf(entry: unknown): string {
  checkOptions('a deny list entry', entry, [
    'issuer',
    'serialNumber',
    'spkiSha256',
    'subjectKeyIdentifier',
    'certificateSha256',
  ]);
  const given: Readonly<Record<string, unknown>> = { ...(entry as DenyListEntry) };
  switch (Object.keys(given).toSorted().join(' ')) {
    case 'issuer serialNumber':
      return `serial ${serialOf(given['serialNumber'])} ${issuerKeyOf(nameOf(given['issuer']))}`;
    case 'spkiSha256':
      return `spki-sha256 ${digestOf('spkiSha256', given['spkiSha256'])}`;
    case 'certificateSha256':
      return `certificate-sha256 ${digestOf('certificateSha256', given['certificateSha256'])}`;
    case 'subjectKeyIdentifier':
      return `subject-key-identifier ${keyIdentifierOf(given['subjectKeyIdentifier'])}`;
    default:
      throw new TypeError(
        'A deny list entry has issuer and serialNumber, or one of spkiSha256, subjectKeyIdentifier, certificateSha256.',
      );
  }
}

/** As certificates say it: without leading zeros, a minus sign before a negative number. */
function serialOf(value: unknown): string {
  const [, sign = '', digits] = (typeof value === 'string' && /^(-?)0*([0-9a-f]+)$/i.exec(value)) || [];
  if (digits === undefined || digits.length > maxSerialDigits) {
    throw new TypeError(`serialNumber must be up to ${maxSerialDigits} hexadecimal digits.`);
  }
  return digits === '0' ? digits : `${sign}${digits.toLowerCase()}`;
}

function keyIdentifierOf(value: unknown): string {
  if (typeof value === 'string' && value.length <= maxKeyIdentifierDigits && /^(?:[0-9a-f]{2})+$/i.test(value)) {
    return value.toLowerCase();
  }
  throw new TypeError(`subjectKeyIdentifier must be octets in up to ${maxKeyIdentifierDigits} hexadecimal digits.`);
}

function digestOf(name: string, value: unknown): string {
  if (typeof value === 'string' && /^[0-9a-f]{64}$/i.test(value)) return value.toLowerCase();
  throw new TypeError(`${name} must be 64 hexadecimal digits.`);
}

function nameOf(issuer: unknown): DistinguishedName {
  const name = typeof issuer === 'string' ? parseName(issuer, 'issuer') : issuer;
  if (isName(name)) return name;
  throw new TypeError(`issuer must be a distinguished name, or its RFC 4514 text; it received ${describe(issuer)}.`);
}

/** Whether it has what is compared of a name. The empty name is that of no issuer. */
function isName(value: unknown): value is DistinguishedName {
  const { rdns } = (value ?? {}) as { readonly rdns?: unknown };
  return isFullArray(rdns) && rdns.every((rdn) => isFullArray(rdn) && rdn.every(isAttribute));
}

function isFullArray(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length > 0;
}

function isAttribute(value: unknown): boolean {
  const { type, value: text } = (value ?? {}) as { readonly type?: unknown; readonly value?: unknown };
  return typeof type === 'string' && parseOid(type) !== undefined && typeof text === 'string';
}

/** Equal for equal names in the sense of RFC 5280 section 7.1. */
function issuerKeyOf(issuer: DistinguishedName): string {
  return JSON.stringify(rdnKeysOf(issuer));
}

const entryOf: Readonly<Record<string, (value: string) => DenyListEntry>> = {
  'spki-sha256': (spkiSha256) => ({ spkiSha256 }),
  'subject-key-identifier': (subjectKeyIdentifier) => ({ subjectKeyIdentifier }),
  'certificate-sha256': (certificateSha256) => ({ certificateSha256 }),
  serial: (value) => {
    const { first: serialNumber, rest: issuer } = splitAtSpace(value);
    // In a name it would be text, and the entry would never match.
    if (/\s#/.test(issuer)) throw new TypeError('a comment needs a line of its own; write \\# in a name');
    return { serialNumber, issuer };
  },
};

/**
 * The keys of the entries in a text. Yields after each line.
 *
 * @throws {TypeError} that names the file and the line.
 */
export function* keysInText(path: string, bytes: Buffer): Generator<void, readonly string[], void> {
  // What is no character would become another one, and the entry would never match.
  if (!isUtf8(bytes)) throw new TypeError(`The deny list ${path} is not text in UTF-8.`);
  const keys: string[] = [];
  for (const [index, untrimmed] of bytes
    .toString('utf8')
    .split(/\r\n|\n|\r/)
    .entries()) {
    yield;
    // Takes a byte order mark away, too.
    const line = untrimmed.trim();
    if (line !== '' && !line.startsWith('#')) keys.push(keyInLine(line, path, index + 1));
  }
  return keys;
}

function keyInLine(line: string, path: string, number: number): string {
  try {
    const { first: word, rest } = splitAtSpace(line);
    const make = Object.hasOwn(entryOf, word) ? entryOf[word] : undefined;
    if (make === undefined) throw new TypeError('it begins with no known word');
    return keyOf(make(rest));
  } catch (error) {
    const problem = error instanceof Error ? error.message : describe(error);
    throw new TypeError(`The deny list ${path} has no entry in line ${number}: ${problem}`, { cause: error });
  }
}

function splitAtSpace(text: string): { readonly first: string; readonly rest: string } {
  const [first = ''] = /^\S+/.exec(text) ?? [];
  return { first, rest: text.slice(first.length).trimStart() };
}
