import { decodeBase64 } from '../x509/base64';
import { Crl } from '../x509/crl';
import { DerError } from '../x509/der';

/** Something that should be a CRL and is none. `found` says what it is, for the operator. */
export class CrlTextError extends Error {
  constructor(readonly found: string) {
    super(`found ${found}`);
  }
}

const begin = '-----BEGIN X509 CRL-----';
const end = '-----END X509 CRL-----';
const hyphens = '-----';

/** So many characters are searched, or decoded, between one pause and the next: a multiple of 4. */
const sliceLength = 131_072;

/** More CRLs than this in one file are refused. */
const maxCrls = 1_000;

/**
 * The CRLs in a file or an answer: one in DER, or any number in PEM (RFC 7468 section 6), with text between them. Pauses
 * again and again: a CRL may have a million entries. Keeps the bytes of DER.
 *
 * @throws {CrlTextError} for anything else, any other PEM block, and a CRL that is not strict DER.
 */
export function* decodeCrls(bytes: Buffer): Generator<void, readonly Crl[], void> {
  if (bytes[0] === 0x30 && (bytes[1] ?? 0) >= 0x80) return [yield* decodeCrl(bytes)];
  const crls: Crl[] = [];
  let at = 0;
  for (let start = yield* findHyphens(bytes, at); start !== -1; start = yield* findHyphens(bytes, at)) {
    if (crls.length === maxCrls) throw new CrlTextError(`more than ${maxCrls} CRLs`);
    const contents = start + begin.length;
    if (bytes.toString('latin1', start, contents) !== begin) throw new CrlTextError(describeBlock(bytes, start));
    const stop = yield* findHyphens(bytes, contents);
    if (stop === -1) throw new CrlTextError('an X509 CRL block without its END');
    at = stop + end.length;
    if (bytes.toString('latin1', stop, at) !== end) throw new CrlTextError('an X509 CRL block without its END');
    crls.push(yield* decodeCrl(yield* decodeBlock(bytes, contents, stop)));
  }
  if (crls.length === 0) throw new CrlTextError(describeText(bytes));
  return crls;
}

function* decodeCrl(der: Buffer): Generator<void, Crl, void> {
  try {
    return yield* Crl.decodeStepwise(der);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw new CrlTextError(`a CRL that is not strict DER: ${error.reason} at octet ${error.offset}`);
  }
}

function* decodeBlock(bytes: Buffer, start: number, stop: number): Generator<void, Buffer, void> {
  const parts: Buffer[] = [];
  let rest = '';
  for (let at = start; at < stop; at += sliceLength) {
    rest += bytes.toString('latin1', at, Math.min(at + sliceLength, stop)).replace(/[ \t\r\n]+/g, '');
    // Whole groups of four. The last, which may have padding, waits until it is known to be the last.
    const isLast = at + sliceLength >= stop;
    const whole = isLast ? rest.length : Math.max(0, rest.length - (rest.length % 4) - 4);
    const part = decodeBase64(rest.slice(0, whole));
    if (part === undefined || (!isLast && part.length * 4 !== whole * 3)) {
      throw new CrlTextError('an X509 CRL block that is not base64');
    }
    parts.push(part);
    rest = rest.slice(whole);
    yield;
  }
  return yield* join(parts);
}

/** Memory that is used for the first time takes its time, too. */
function* join(parts: readonly Buffer[]): Generator<void, Buffer, void> {
  const whole = Buffer.allocUnsafeSlow(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    at += part.copy(whole, at);
    yield;
  }
  return whole;
}

/** Where the next line of a PEM block begins that is none of base64, or -1. Searched in slices, whatever the text is. */
function* findHyphens(bytes: Buffer, from: number): Generator<void, number, void> {
  for (let at = from; at < bytes.length; at += sliceLength) {
    const found = bytes.subarray(at, at + sliceLength + hyphens.length - 1).indexOf(hyphens);
    if (found !== -1) return at + found;
    yield;
  }
  return -1;
}

function describeBlock(bytes: Buffer, start: number): string {
  const label = /^-----(BEGIN|END) ([A-Z0-9 ]{1,40})-----/.exec(bytes.toString('latin1', start, start + 64));
  if (label === null) return 'a line of five hyphens that begins no X509 CRL block';
  return label[1] === 'END' ? `END ${label[2]} without its BEGIN` : `a ${label[2]} block`;
}

function describeText(bytes: Buffer): string {
  if (bytes.length === 0) return 'an empty file';
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'gzip where a CRL is expected';
  const text = bytes.toString('latin1', 0, 1_024).trimStart();
  return text.startsWith('<') ? 'markup, such as an error page, where a CRL is expected' : 'no CRL';
}
