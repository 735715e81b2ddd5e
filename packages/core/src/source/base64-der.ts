import { type Malformed, maxBase64Length } from '../escaped-pem';
import { decodeBase64 } from '../x509/base64';
import { DerError, DerReader, Tag } from '../x509/der';
import { certificatesOf, checkLength, malformedField, maxChainLength } from './limits';

/**
 * Parses one certificate in base64 (RFC 4648 section 4) and nothing else.
 *
 * @param header - Lower-case name of the header, for errors.
 * @returns DER, in memory of its own. Whether it is a certificate is for others to say.
 * @throws {ClientCertificateError} `ERR_HEADER_TOO_LARGE` for more than the largest certificate, 16,384 octets, takes;
 *   `ERR_HEADER_MALFORMED` for anything but base64, and for an empty value.
 */
export function parseBase64Der(text: string, header: string): Uint8Array {
  checkLength(header, text.length, maxBase64Length);
  return decode(text, malformedField(header));
}

/**
 * Parses certificates in base64, with a comma between one and the next.
 *
 * @throws {ClientCertificateError} `ERR_HEADER_TOO_LARGE`, or `ERR_CHAIN_TOO_LONG` for more than ten, before anything is
 *   decoded; `ERR_HEADER_MALFORMED` for anything but base64 and commas, and for an empty certificate.
 */
export function parseBase64DerList(text: string, header: string): readonly Uint8Array[] {
  checkLength(header, text.length, maxChainLength);
  const { maximum, tooMany, malformed } = certificatesOf(header);
  const members = text.split(',', maximum + 1);
  if (members.length > maximum) throw tooMany(members.length);
  return members.map((member) => decode(member, malformed));
}

/**
 * Parses base64 of certificates in DER, one directly behind the other: HAProxy's `ssl_c_chain_der`.
 *
 * @throws {ClientCertificateError} `ERR_HEADER_TOO_LARGE` before anything is decoded; `ERR_CHAIN_TOO_LONG` for more than
 *   ten, before any is; `ERR_HEADER_MALFORMED` for anything but base64 of SEQUENCEs.
 */
export function parseConcatenatedDer(text: string, header: string): readonly Uint8Array[] {
  checkLength(header, text.length, maxChainLength);
  const { maximum, tooMany, malformed } = certificatesOf(header);
  const reader = new DerReader(decode(text, malformed));
  const certificates: Uint8Array[] = [];
  while (!reader.atEnd) {
    const start = reader.end;
    skipSequence(reader, malformed);
    if (certificates.length === maximum) throw tooMany(maximum + 1);
    // A copy: what is kept of one must not keep all of them.
    certificates.push(Uint8Array.from(reader.bytes.subarray(start, reader.end)));
  }
  return certificates;
}

function skipSequence(reader: DerReader, malformed: Malformed): void {
  try {
    reader.expect(Tag.sequence, 'Certificate');
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw malformed('it is not DER of certificates');
  }
}

function decode(text: string, malformed: Malformed): Buffer {
  const bytes = decodeBase64(text);
  if (bytes === undefined) throw malformed('it is not base64');
  if (bytes.length === 0) throw malformed('a certificate is empty');
  return bytes;
}
