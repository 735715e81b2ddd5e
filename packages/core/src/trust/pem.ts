import { decodeBase64 } from '../x509/base64';
import { maxCertificateOctets } from '../x509/certificate';
import { TrustStoreError } from './trust-store-error';

const lineEnd = /\r\n|\n|\r/g;
/** A label is printable and short, so that it may be quoted. */
const begin = /^-----BEGIN ([ -,.-~]{0,64})-----$/;
const end = /^-----END ([ -,.-~]{0,64})-----$/;

/** Base64 of twice the largest certificate: what is longer is not even decoded. */
const maxBlockLength = 2 * Math.ceil(maxCertificateOctets / 3) * 4;

/** Lines between certificates after which others get a turn. */
const linesInOneGo = 1_000;

/**
 * Parses a bundle of PEM certificates (RFC 7468): every `CERTIFICATE` block in order, as DER. One at a time: a bundle may
 * hold thousands. Yields `undefined` now and then where a long text has none.
 *
 * CRLF, blank lines and text between blocks are allowed. Any other kind of block is refused by name:
 * a bundle that holds a private key, or half a certificate, is not the file somebody meant.
 *
 * @throws {TrustStoreError} saying what was found and in which line.
 */
export function* parsePemCertificates(text: string): Generator<Buffer | undefined, void, void> {
  let block: { line: number; base64: string } | undefined;
  let line = 0;
  for (const content of linesOf(text)) {
    line += 1;
    if (line % linesInOneGo === 0) yield undefined;
    const opened = begin.exec(content)?.[1];
    const closed = end.exec(content)?.[1];
    if (opened !== undefined) {
      if (block !== undefined) throw truncated(block.line);
      checkLabel(opened, line);
      block = { line, base64: '' };
    } else if (closed !== undefined) {
      if (block === undefined || closed !== 'CERTIFICATE') {
        throw new TrustStoreError('ERR_TRUST_STORE_MALFORMED', { found: `END ${closed} without its BEGIN`, line });
      }
      const der = decodeBlock(block);
      block = undefined;
      yield der;
    } else if (content.includes('-----BEGIN') || content.includes('-----END')) {
      throw new TrustStoreError('ERR_TRUST_STORE_MALFORMED', {
        found: 'a BEGIN or END that is not alone in its line',
        line,
      });
    } else if (block !== undefined) {
      block.base64 += content;
      if (block.base64.length > maxBlockLength) {
        throw new TrustStoreError('ERR_TRUST_STORE_MALFORMED', {
          found: 'a CERTIFICATE block that is too large',
          line: block.line,
        });
      }
    }
  }
  if (block !== undefined) throw truncated(block.line);
}

/** The lines, trimmed, one at a time. */
function* linesOf(text: string): Generator<string, void, void> {
  let start = 0;
  for (const match of text.matchAll(lineEnd)) {
    yield text.slice(start, match.index).trim();
    start = match.index + match[0].length;
  }
  yield text.slice(start).trim();
}

function checkLabel(label: string, line: number): void {
  if (label === 'CERTIFICATE') return;
  const isKey = label.endsWith('PRIVATE KEY');
  throw new TrustStoreError(isKey ? 'ERR_TRUST_STORE_PRIVATE_KEY' : 'ERR_TRUST_STORE_MALFORMED', {
    found: `a ${label} block`,
    line,
  });
}

function decodeBlock({ line, base64 }: { line: number; base64: string }): Buffer {
  const der = decodeBase64(base64);
  if (der === undefined || der.length === 0) {
    throw new TrustStoreError('ERR_TRUST_STORE_MALFORMED', { found: 'a CERTIFICATE block that is not base64', line });
  }
  return der;
}

function truncated(line: number): TrustStoreError {
  return new TrustStoreError('ERR_TRUST_STORE_MALFORMED', { found: 'a CERTIFICATE block without its END', line });
}
