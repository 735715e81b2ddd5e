import { der, type DistinguishedName, type GeneralNameFields } from '@peercert/testkit';
import type { Random } from './random';

/** Values that meet, or just miss, one another: names and the constraints on them. */
const names = {
  dnsNames: words(`
    example.com a.example.com b.a.example.com xample.com EXAMPLE.com *.example.com a.b *.a.example.com example.com.
    .example.com a_b.example.com -a.example.com a..example.com localhost xn--bcher-kva.example.com a*.example.com
    * *.com example.org 192.0.2.1`),
  uris: words(`
    https://example.com/ https://a.example.com:8443/x urn:example:device:1 spiffe://example.com/w
    https://user@example.com/ https://192.0.2.1/ https://[2001:db8::1]/ https://EXAMPLE.COM x https://example.com
    https:///x https://example.com.example.org/ HTTPS://example.com?x //a https://a@b@example.com/
    https://example.com#@example.org https://example.com:x/ http:example.com https://example.org\\@example.com/
    https://example.com./ https://example.org/@example.com/`),
  emails: words(`
    a@example.com A@example.com a@EXAMPLE.com a@a.example.com "a+b"@example.com a@b@example.com example.com a@
    @example.com "@"@example.com a@example.com. a@example.org a@.example.com`),
  ipAddresses: ['192.0.2.1', '192.0.3.1', '198.51.100.1', '2001:db8::1', '2001:db9::1', '::ffff:192.0.2.1'],
  directoryNames: ['O=Example', 'O=Example,CN=x', 'O=EXAMPLE,OU=a  b', 'C=DE,O=Example', 'O=Other', 'O=Example Ltd'],
} satisfies GeneralNameFields;

const constraints = {
  dnsNames: ['example.com', '.example.com', 'a.example.com', 'EXAMPLE.COM', 'com', 'example.org', '', '.com', 'b'],
  uris: ['example.com', '.example.com', 'a.example.com', 'Example.com', 'example.org', '.com', ''],
  emails: ['example.com', '.example.com', 'a@example.com', 'A@EXAMPLE.com', 'example.org', ''],
  ipAddresses: ['192.0.2.0/24', '0.0.0.0/0', '192.0.2.1/32', '198.51.0.0/16', '2001:db8::/32', '::/0'],
  directoryNames: ['O=Example', 'O=example', 'O=Example,CN=x', 'C=DE', 'O=Other', ''],
} satisfies GeneralNameFields;

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}

function someOf(pool: GeneralNameFields, random: Random, probability: number): GeneralNameFields {
  const entries = Object.entries(pool) as [keyof GeneralNameFields, readonly DistinguishedName[]][];
  const chosen = random.some(entries, probability).map(([form, values]) => {
    return [form, Array.from({ length: 1 + random.below(2) }, () => random.pick(values))];
  });
  return Object.fromEntries(chosen) as GeneralNameFields;
}

export function someNames(random: Random): GeneralNameFields {
  return { ...noNames, ...someOf(names, random, 0.4) };
}

/** Subtrees of some forms. */
export function someSubtrees(random: Random): GeneralNameFields {
  return someOf(constraints, random, 0.35);
}

/** To take the names of another form away. */
export const noNames: GeneralNameFields = { uris: [], dnsNames: [], emails: [], ipAddresses: [], directoryNames: [] };

export const policies = ['1.3.6.1.4.1.99999.1', '1.3.6.1.4.1.99999.2', '1.3.6.1.4.1.99999.3', '2.5.29.32.0'] as const;

/** DER of policyMappings. */
export function policyMappings(...mappings: readonly (readonly [issuer: string, subject: string])[]): Buffer {
  return der.sequence(...mappings.map(([issuer, subject]) => der.sequence(der.oid(issuer), der.oid(subject))));
}

const unicode = ['B\u00fccher', 'Bu\u0308cher', 'B\u00dcCHER', 'STRASSE', 'stra\u00dfe', '\u212a', 'K', 'k', '\u0130'];
const texts = ['Example', 'EXAMPLE', ' Example', 'Example ', 'Exam ple', 'Exam  ple', 'a.example.com', '', ...unicode];
const stringTypes = ['utf8String', 'printableString', 'teletexString', 'ia5String', 'bmpString'] as const;

/** Contents of a UniversalString. */
export function fourOctetsEach(text: string): Buffer {
  const characters = Array.from(text, (one) => one.codePointAt(0) ?? 0);
  const octets = Buffer.alloc(characters.length * 4);
  for (const [index, one] of characters.entries()) octets.writeUInt32BE(one, index * 4);
  return octets;
}

/** A name of some attributes, each in some string type. */
export function someName(random: Random): DistinguishedName {
  const types = ['O', 'OU', 'CN', 'C', 'emailAddress', 'DC', 'serialNumber', '1.2.3.4'];
  return Array.from({ length: 1 + random.below(3) }, () => {
    const count = random.chance(0.15) ? 2 : 1;
    return Array.from({ length: count }, () => {
      const [type, text] = [random.pick(types), random.pick(texts)];
      return random.chance(0.1)
        ? { type, value: der.tlv(0x1c, fourOctetsEach(text)) }
        : { type, value: text, as: random.pick(stringTypes) };
    });
  });
}

/** The text of a subject, written in other ways that RFC 5280 section 7.1 may or may not call the same name. */
export function respelt(random: Random, organization: string, commonName: string): DistinguishedName {
  const change = random.pick<(text: string) => string>([
    (text) => text,
    (text) => text.toUpperCase(),
    (text) => ` ${text}  `,
    (text) => text.replace(' ', '  '),
    (text) => text.replace('K', '\u212a'),
    (text) => text.replaceAll('s', '\u017f'),
    (text) => `${text}.`,
    (text) => text.replace(' ', '\t'),
    (text) => text.replace(' ', '\u00a0'),
  ]);
  const as = random.pick(stringTypes);
  const attributes = [
    { type: 'O', value: change(organization), as },
    { type: 'CN', value: change(commonName), as: random.pick(stringTypes) },
  ];
  return random.chance(0.1) ? attributes.toReversed() : random.chance(0.1) ? [attributes] : attributes;
}
