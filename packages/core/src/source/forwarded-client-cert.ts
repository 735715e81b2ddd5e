import type { Malformed } from '../escaped-pem';

/** One element of `X-Forwarded-Client-Cert`: what one proxy wrote about its client. Texts as they stand, not decoded. */
export interface ForwardedElement {
  /** SHA-256 of the certificate, hexadecimal. */
  hash?: string;
  /** URL-encoded PEM of the end-entity certificate. */
  cert?: string;
  /** URL-encoded PEM of all certificates, end-entity certificate included. */
  chain?: string;
  subject?: string;
  readonly by: string[];
  readonly uri: string[];
  readonly dns: string[];
  /** Whether its last value stands without quotes, so that a comma behind it might belong to it. */
  endsUnquoted: boolean;
}

type RepeatableKey = 'by' | 'uri' | 'dns';
type SingleKey = 'hash' | 'cert' | 'chain' | 'subject';
const repeatableKeys: ReadonlySet<string> = new Set(['by', 'uri', 'dns']);
const singleKeys: ReadonlySet<string> = new Set(['hash', 'cert', 'chain', 'subject']);

/** Keys whose values Envoy always quotes. */
const quotedKeys: ReadonlySet<string> = new Set(['cert', 'chain', 'subject']);
const longestKey = 'subject'.length;

/**
 * Parses `X-Forwarded-Client-Cert` in Envoy's text format: elements separated by commas, of pairs separated by semicolons,
 * `key=value` or `key="value"` with `\"` for a quotation mark. Keys are compared without letter case; `By`, `URI` and `DNS`
 * may occur more than once in an element, the others may not.
 *
 * Envoy writes `By`, `URI` and `DNS` without quotes whatever is in them. Where what follows a comma or semicolon is not a
 * pair with a known key, the value was ambiguous and the whole is refused; where it is, see {@link ForwardedElement.endsUnquoted}.
 *
 * Passes over the text once and decodes nothing.
 *
 * @throws what `malformed` makes, for anything else, and for a quotation mark behind two backslashes, of which nobody says
 *   whether it ends the value.
 */
export function parseForwardedElements(text: string, malformed: Malformed): readonly ForwardedElement[] {
  const elements: ForwardedElement[] = [];
  let element: ForwardedElement | undefined;
  for (let at = 0; ;) {
    if (element === undefined) {
      element = { by: [], uri: [], dns: [], endsUnquoted: false };
      elements.push(element);
    }
    const key = readKey(text, at, malformed);
    at += key.length + 1;
    const isQuoted = text[at] === '"';
    const stop = isQuoted ? endOfQuoted(text, at + 1, malformed) : endOfUnquoted(text, at);
    const value = isQuoted ? text.slice(at + 1, stop) : text.slice(at, stop);
    addPair(element, key.toLowerCase(), value, isQuoted, malformed);
    at = isQuoted ? stop + 1 : stop;
    if (at === text.length) return elements;
    const separator = text[at++];
    if (separator === ',') {
      element = undefined;
      while (text[at] === ' ') at++;
    } else if (separator !== ';') throw malformed('something follows a quoted value');
  }
}

function readKey(text: string, at: number, malformed: Malformed): string {
  const equals = text.slice(at, at + longestKey + 1).indexOf('=');
  const key = equals === -1 ? '' : text.slice(at, at + equals);
  const known = key.toLowerCase();
  if (!repeatableKeys.has(known) && !singleKeys.has(known)) {
    throw malformed('a pair does not begin with a known key, or a value holds a comma or semicolon without quotes');
  }
  return key;
}

function endOfQuoted(text: string, start: number, malformed: Malformed): number {
  for (let from = start; ;) {
    const at = text.indexOf('"', from);
    if (at === -1) throw malformed('a quoted value does not end');
    let backslashes = 0;
    while (text[at - 1 - backslashes] === '\\' && at - 1 - backslashes >= start) backslashes++;
    if (backslashes === 0) return at;
    if (backslashes % 2 === 0) throw malformed('a quotation mark stands behind two backslashes');
    from = at + 1;
  }
}

function endOfUnquoted(text: string, start: number): number {
  let at = start;
  while (at < text.length && text[at] !== ',' && text[at] !== ';') at++;
  return at;
}

function addPair(element: ForwardedElement, key: string, value: string, isQuoted: boolean, malformed: Malformed): void {
  if (!isQuoted && (quotedKeys.has(key) || value.includes('"'))) throw malformed('a value is not quoted');
  element.endsUnquoted = !isQuoted;
  if (repeatableKeys.has(key)) {
    element[key as RepeatableKey].push(value);
  } else if (element[key as SingleKey] === undefined) {
    element[key as SingleKey] = value;
  } else throw malformed('a key is repeated');
}
