import { maxPemLength, parsePem } from '../escaped-pem';
import { checkLength, oneCertificate } from './limits';

/**
 * Parses one certificate in PEM of which every line break was replaced by a space, as Apache's mod_headers does.
 *
 * @param header - Lower-case name of the header, for errors.
 * @returns DER, in memory of its own.
 * @throws {ClientCertificateError} `ERR_HEADER_TOO_LARGE` before anything is decoded; `ERR_HEADER_MALFORMED` for anything
 *   else, two certificates and other kinds of blocks included.
 */
export function parseFoldedPem(text: string, header: string): Uint8Array {
  checkLength(header, text.length, maxPemLength);
  return parsePem(text, ' ', oneCertificate(header))[0] as Uint8Array;
}
