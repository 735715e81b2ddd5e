/** Ways to write a certificate into a header that are told apart by how they begin. */
export type Dialect =
  | 'RFC 9440'
  | 'URL-encoded PEM'
  | 'space-folded PEM'
  | 'PEM'
  | 'bare base64 DER'
  | 'URL-encoded base64 DER'
  | 'X-Forwarded-Client-Cert'
  | 'JSON';

/** Characters looked at: whoever writes certificates has written his first signs by then, a percent sign for one. */
const lookedAt = 4_096;

const beginnings: readonly (readonly [Dialect, RegExp])[] = [
  ['RFC 9440', /^[ \t]*:[A-Za-z0-9+/=]/],
  ['URL-encoded PEM', /^-----BEGIN(?:%20|\+)/],
  ['PEM', /^-----BEGIN [A-Z0-9 ]*-----[\t\r\n]/],
  ['space-folded PEM', /^-----BEGIN [A-Z0-9 ]*----- ?/],
  ['X-Forwarded-Client-Cert', /^(?:By|Hash|Cert|Chain|Subject|URI|DNS)=/i],
  // DER of a certificate begins with a SEQUENCE of more than 127 octets: 30 81, 30 82.
  ['URL-encoded base64 DER', /^MI[GI][A-Za-z0-9+/=]*%(?:2[BF]|3D)/i],
  ['bare base64 DER', /^MI[GI][A-Za-z0-9+/=]+(?:,|$)/],
  ['JSON', /^[[{]/],
];

/**
 * The way a value seems to be written, for the operator who has set up one proxy and has another. Never decides anything,
 * and is asked only of a value that was refused.
 */
export function dialectOf(text: string): Dialect | undefined {
  const beginning = text.slice(0, lookedAt);
  return beginnings.find(([, pattern]) => pattern.test(beginning))?.[0];
}
