import { decodeBase64 } from './x509/base64';
import { maxCertificateOctets } from './x509/certificate';

/** Longest base64 of one certificate in characters, with padding. */
export const maxBase64Length = Math.ceil(maxCertificateOctets / 3) * 4;

/** Longest PEM of one certificate in characters: a line break for every 64 characters, BEGIN and END. */
export const maxPemLength = maxBase64Length + Math.ceil(maxBase64Length / 64) + 64;

/**
 * Longest URL-encoded PEM of one certificate in characters. Every line break is three; so is every `+`, `/` and `=`, some
 * three in a hundred characters of base64. Half as much again as the PEM is room for both.
 */
export const maxEscapedPemLength = Math.ceil(maxPemLength * 1.5);

/** Makes the error for a value that does not follow the grammar. `reason` quotes nothing of it. */
export type Malformed = (reason: string) => Error;

/** How many certificates a value may hold, and the errors for one that is wrong. */
export interface PemRules {
  /** Most certificates. They are counted before any is decoded. */
  readonly maximum: number;
  /** Makes the error for more, given the count at which the limit was passed. */
  readonly tooMany: (count: number) => Error;
  readonly malformed: Malformed;
}

const begin = '-----BEGIN CERTIFICATE-----';
const end = '-----END CERTIFICATE-----';
const anyBegin = '-----BEGIN';

/** What URL encoding leaves as it is, and the three characters of base64 that some proxies leave as well. */
const unescaped = /^[A-Za-z0-9\-._~+/=%]*$/;

/**
 * Parses URL-encoded PEM: one or more `CERTIFICATE` blocks and nothing else, each character as it is or as `%` and two
 * hexadecimal digits. `+` is a plus sign: this is no HTML form.
 *
 * @returns DER, in order; each in memory of its own.
 * @throws what `rules` make, for anything else.
 */
export function parseEscapedPem(text: string, rules: PemRules): readonly Buffer[] {
  if (!unescaped.test(text)) throw rules.malformed('it holds a character that URL encoding escapes');
  return parsePem(decodePercent(text, rules.malformed), '\n', rules);
}

/**
 * Replaces every `%` and two hexadecimal digits by the ASCII character they stand for, once.
 *
 * @throws what `malformed` makes, for a `%` without its digits, for octets above 127, and for an escaped percent sign: no
 *   way to write a certificate has one, so it was escaped twice.
 */
export function decodePercent(text: string, malformed: Malformed): string {
  if (!text.includes('%')) return text;
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) throw malformed('a percent sign is not followed by two hexadecimal digits');
  if (/%[89A-Fa-f]/.test(text)) throw malformed('it escapes an octet above 127');
  if (text.includes('%25')) throw malformed('it was escaped twice');
  return decodeURIComponent(text);
}

/**
 * Parses PEM (RFC 7468) at its strictest: `CERTIFICATE` blocks, one behind the other, base64 in lines of any length, one
 * line break where there is one. No other kind of block, no text around them, no blank line.
 *
 * @param lineBreak - What stands where a line ends: a line feed, or what a proxy writes in its place.
 * @returns DER, in order; each in memory of its own.
 * @throws what `rules` make, for anything else.
 */
export function parsePem(text: string, lineBreak: '\n' | ' ', rules: PemRules): readonly Buffer[] {
  const { maximum, tooMany, malformed } = rules;
  const bodies: string[] = [];
  for (let at = 0; at < text.length;) {
    if (!text.startsWith(begin, at)) throw malformed(whatStandsAt(text, at));
    if (bodies.length === maximum) throw tooMany(maximum + 1);
    const start = at + begin.length;
    const stop = text.indexOf(end, start);
    if (stop === -1) throw malformed('a certificate has no END');
    bodies.push(text.slice(start, stop));
    at = stop + end.length;
    if (at === text.length) break;
    if (text[at] !== lineBreak) throw malformed('an END is not alone in its line');
    at++;
  }
  if (bodies.length === 0) throw malformed('it is empty');
  return bodies.map((body) => decodeBody(body, lineBreak, malformed));
}

function whatStandsAt(text: string, at: number): string {
  if (text.startsWith(anyBegin, at)) return 'a block is not a CERTIFICATE';
  return at === 0 ? 'it does not begin with BEGIN CERTIFICATE' : 'something stands between or behind the certificates';
}

function decodeBody(body: string, lineBreak: '\n' | ' ', malformed: Malformed): Buffer {
  if (!body.startsWith(lineBreak) || !body.endsWith(lineBreak))
    throw malformed('a BEGIN or END is not alone in its line');
  if (body.includes(lineBreak + lineBreak)) throw malformed('a certificate has an empty line');
  const bytes = decodeBase64(body.replaceAll(lineBreak, ''));
  if (bytes === undefined || bytes.length === 0) throw malformed('a certificate is not base64');
  return bytes;
}
