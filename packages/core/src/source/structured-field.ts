import { decodeBase64 } from '../x509/base64';

/** The field value does not follow the grammar. `reason` says where and how, in words that quote nothing. */
export class StructuredFieldError extends Error {
  constructor(readonly reason: string) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(reason);
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Makes the error for a value that does not follow the grammar. */
type Malformed = (reason: string) => Error;

const structuredFieldError: Malformed = (reason) => new StructuredFieldError(reason);

/** Bare Items a parameter can have (RFC 9651 section 3.3): recognized, so that they can be passed over. */
const bareItem = new RegExp(
  [
    '-?(?:\\d{1,12}\\.\\d{1,3}|\\d{1,15})(?![\\d.])', // Integer, Decimal
    '"(?:[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]|\\\\["\\\\])*"', // String
    "[A-Za-z*][!#$%&'*+\\-.^_`|~\\w:/]*", // Token
    ':[A-Za-z0-9+/]*={0,2}:', // Byte Sequence
    '\\?[01]', // Boolean
    '@-?\\d{1,15}(?![\\d.])', // Date
    '%"(?:[\\x20\\x21\\x23\\x24\\x26-\\x7e]|%[0-9a-f]{2})*"', // Display String
  ].join('|'),
  'y',
);
const parameterKey = /; *[a-z*][a-z0-9_\-.*]*/y;
const optionalWhiteSpace = /[ \t]*/y;

/**
 * Parses an Item that is a Byte Sequence (RFC 9651 section 4.2). Parameters are checked and passed over: RFC 9440 gives
 * them no meaning.
 *
 * @throws what `malformed` returns for anything else: {@link StructuredFieldError}, unless told otherwise.
 */
export function parseByteSequenceItem(value: string, malformed: Malformed = structuredFieldError): Buffer {
  const text = trimSpaces(value);
  const item = readByteSequence(text, 0, malformed);
  if (item.end !== text.length) throw malformed('something follows the byte sequence');
  return decode(text, item, malformed);
}

/**
 * Parses a List of Byte Sequences (RFC 9651 section 4.2.1), given as the field lines that arrived. No line, or only an
 * empty one, is an empty list.
 *
 * @param maximum - Most members. They are counted before any is decoded.
 * @throws what `malformed` returns for anything else: {@link StructuredFieldError}, unless told otherwise.
 * @throws what `tooMany` returns, given the count at which the limit was passed.
 */
export function parseByteSequenceList(
  fieldLines: readonly string[],
  maximum: number,
  tooMany: (count: number) => Error,
  malformed: Malformed = structuredFieldError,
): readonly Buffer[] {
  const text = trimSpaces(fieldLines.join(', '));
  if (text === '') return [];
  const items: ByteSequence[] = [];
  for (let at = 0; ;) {
    if (items.length === maximum) throw tooMany(maximum + 1);
    const item = readByteSequence(text, at, malformed);
    items.push(item);
    at = skip(optionalWhiteSpace, text, item.end);
    if (at === text.length) break;
    if (text[at] !== ',') throw malformed('list members are not separated by a comma');
    at = skip(optionalWhiteSpace, text, at + 1);
    if (at === text.length) throw malformed('the list ends in a comma');
  }
  return items.map((item) => decode(text, item, malformed));
}

/** Where the base64 stands, and where the item with its parameters ends. */
interface ByteSequence {
  readonly base64Start: number;
  readonly base64End: number;
  readonly end: number;
}

function readByteSequence(text: string, at: number, malformed: Malformed): ByteSequence {
  if (text[at] !== ':') throw malformed('a byte sequence does not begin with a colon');
  const base64End = text.indexOf(':', at + 1);
  if (base64End === -1) throw malformed('a byte sequence does not end with a colon');
  return { base64Start: at + 1, base64End, end: skipParameters(text, base64End + 1, malformed) };
}

function skipParameters(text: string, start: number, malformed: Malformed): number {
  let at = start;
  while (text[at] === ';') {
    const afterKey = skip(parameterKey, text, at);
    if (afterKey === at) throw malformed('a parameter has no key');
    at = afterKey;
    if (text[at] !== '=') continue;
    const afterValue = skip(bareItem, text, at + 1);
    if (afterValue === at + 1) throw malformed('a parameter has no value');
    if (text[at + 1] === '%') checkDisplayString(text.slice(at + 1, afterValue), malformed);
    at = afterValue;
  }
  return at;
}

/** The octets behind the percent signs must be UTF-8 (RFC 9651 section 4.2.10). */
function checkDisplayString(text: string, malformed: Malformed): void {
  try {
    decodeURIComponent(text.slice(2, -1));
  } catch {
    throw malformed('a display string is not UTF-8');
  }
}

function decode(text: string, { base64Start, base64End }: ByteSequence, malformed: Malformed): Buffer {
  const bytes = decodeBase64(text.slice(base64Start, base64End));
  if (bytes === undefined) throw malformed('a byte sequence is not base64');
  return bytes;
}

/** Where a sticky pattern stops matching, or the start where it does not match. */
function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

/** By hand: a pattern anchored at the end is quadratic in a long run of spaces. */
function trimSpaces(text: string): string {
  let start = 0;
  let end = text.length;
  while (text[start] === ' ') start++;
  while (end > start && text[end - 1] === ' ') end--;
  return text.slice(start, end);
}
