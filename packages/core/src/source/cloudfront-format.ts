import { decodePercent, type PemRules } from '../escaped-pem';
import { checkOptions, describe } from '../options';
import { decodeBase64 } from '../x509/base64';

/** `pemCertFormatInfo` of a CloudFront Function: how `cf.mtls` writes certificates into a header. */
export interface PemCertFormatInfo {
  /** Stands before each certificate. Default `':'`, for `CloudFront-Viewer-Cert-Pem` `'-----BEGIN CERTIFICATE-----'`. */
  readonly certHeader?: string;
  /** Stands behind each certificate. Default `':'`, for `CloudFront-Viewer-Cert-Pem` `'-----END CERTIFICATE-----'`. */
  readonly certFooter?: string;
  /** Stands behind each `certFooter`. Default nothing. */
  readonly certEndMarker?: string;
  /** Whether line breaks stay in the base64. Default false, for `CloudFront-Viewer-Cert-Pem` true. */
  readonly keepNewlinesInCertData?: boolean;
}

/** A checked format, and how to read it. */
export interface PemFormat {
  readonly certHeader: string;
  readonly certFooter: string;
  /** Without white space around it. */
  readonly certEndMarker: string;
  readonly keepsNewlines: boolean;
}

const optionNames = ['certHeader', 'certFooter', 'certEndMarker', 'keepNewlinesInCertData'];
const base64Only = /^[A-Za-z0-9+/=\s]*$/;
const whiteSpace = /[ \t\r\n]/;

/**
 * Checks a format.
 *
 * @param isPem - Whether it is of `CloudFront-Viewer-Cert-Pem`, which has other defaults.
 * @param holdsMany - Whether the header can hold more than one certificate.
 * @throws {TypeError} for a format that cannot be read back: a footer that could be base64, no end where there are several
 *   certificates, a percent sign.
 */
export function pemFormatOf(option: string, format: unknown, isPem: boolean, holdsMany: boolean): PemFormat {
  checkOptions(option, format, optionNames);
  const { certEndMarker = '', keepNewlinesInCertData = isPem } = format as PemCertFormatInfo;
  const { certHeader = isPem ? '-----BEGIN CERTIFICATE-----' : ':' } = format as PemCertFormatInfo;
  const { certFooter = isPem ? '-----END CERTIFICATE-----' : ':' } = format as PemCertFormatInfo;
  for (const [name, text] of Object.entries({ certHeader, certFooter, certEndMarker })) {
    // oxlint-disable-next-line no-control-regex -- ASCII is meant
    if (typeof text !== 'string' || text.includes('%') || !/^[\x00-\x7f]*$/.test(text)) {
      const received = typeof text === 'string' ? 'one that is neither' : describe(text);
      throw new TypeError(`${option}.${name} must be ASCII text without percent signs; it received ${received}.`);
    }
  }
  if (typeof keepNewlinesInCertData !== 'boolean') {
    throw new TypeError(`${option}.keepNewlinesInCertData must be true or false.`);
  }
  const read = { certHeader, certFooter, certEndMarker: certEndMarker.trim(), keepsNewlines: keepNewlinesInCertData };
  const terminator = certFooter === '' ? read.certEndMarker : certFooter;
  if (terminator === '' ? holdsMany : base64Only.test(terminator)) {
    throw new TypeError(
      `${option}.certFooter must hold a character that base64 has not: nothing else ends a certificate.`,
    );
  }
  return read;
}

/**
 * Parses what a format writes: each certificate between header and footer, then the end marker, a comma and white space,
 * each of which may be missing. A value that holds a percent sign is percent-decoded once before.
 *
 * @returns DER, in order; each in memory of its own. Empty for an empty value.
 * @throws what `rules` make, for anything else.
 */
export function parsePemFormat(text: string, format: PemFormat, rules: PemRules): readonly Buffer[] {
  const { certHeader, certFooter, certEndMarker, keepsNewlines } = format;
  const { maximum, tooMany, malformed } = rules;
  const decoded = decodePercent(text, malformed);
  const terminator = certFooter === '' ? certEndMarker : certFooter;
  const bodies: string[] = [];
  let at = skipWhiteSpace(decoded, 0);
  while (at < decoded.length) {
    if (bodies.length === maximum) throw tooMany(maximum + 1);
    if (!decoded.startsWith(certHeader, at)) throw malformed('a certificate does not begin with certHeader');
    const start = at + certHeader.length;
    const stop = terminator === '' ? decoded.length : decoded.indexOf(terminator, start);
    if (stop === -1) throw malformed('a certificate does not end with certFooter');
    bodies.push(decoded.slice(start, stop));
    at = skipWhiteSpace(decoded, stop + certFooter.length);
    if (certEndMarker !== '' && decoded.startsWith(certEndMarker, at)) {
      at = skipWhiteSpace(decoded, at + certEndMarker.length);
    }
    if (decoded[at] !== ',') continue;
    at = skipWhiteSpace(decoded, at + 1);
    if (at === decoded.length) throw malformed('it ends in a comma');
  }
  return bodies.map((body) => {
    const base64 = keepsNewlines ? withoutNewlines(body) : body;
    const bytes = base64 === undefined ? undefined : decodeBase64(base64);
    if (bytes === undefined || bytes.length === 0) throw malformed('a certificate is not base64');
    return bytes;
  });
}

/** Undefined for an empty line inside. */
function withoutNewlines(body: string): string | undefined {
  return body.includes('\n\n') ? undefined : body.replaceAll('\n', '');
}

function skipWhiteSpace(text: string, start: number): number {
  let at = start;
  while (at < text.length && whiteSpace.test(text[at] as string)) at++;
  return at;
}
