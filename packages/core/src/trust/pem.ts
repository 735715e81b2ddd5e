import { decodeBase64 } from '../x509/base64';
import { TrustStoreError } from './trust-store-error';

const begin = /^-----BEGIN ([^-]*)-----$/;
const end = /^-----END ([^-]*)-----$/;

/**
 * Parses a bundle of PEM certificates (RFC 7468): every `CERTIFICATE` block in order, as DER.
 *
 * A byte order mark, CRLF, blank lines and text between blocks are allowed. Any other kind of block is refused by name:
 * a bundle that holds a private key, or half a certificate, is not the file somebody meant.
 *
 * @throws {TrustStoreError} saying what was found and in which line.
 */
export function parsePemCertificates(text: string): readonly Buffer[] {
  const certificates: Buffer[] = [];
  let block: { line: number; base64: string } | undefined;
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  for (const [index, untrimmed] of lines.entries()) {
    const line = index + 1;
    const content = untrimmed.trim();
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
      certificates.push(decodeBlock(block));
      block = undefined;
    } else if (content.includes('-----BEGIN') || content.includes('-----END')) {
      throw new TrustStoreError('ERR_TRUST_STORE_MALFORMED', {
        found: 'a BEGIN or END that is not alone in its line',
        line,
      });
    } else if (block !== undefined) {
      block.base64 += content;
    }
  }
  if (block !== undefined) throw truncated(block.line);
  return certificates;
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
