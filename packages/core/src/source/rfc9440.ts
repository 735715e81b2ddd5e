import { ClientCertificateError } from '../errors';
import { maxCertificateOctets } from '../x509/certificate';
import {
  checkLength,
  malformedField,
  maxChainCertificates,
  maxChainLength as maxClientCertChainLength,
  tooManyCertificates,
} from './limits';
import { parseByteSequenceItem, parseByteSequenceList } from './structured-field';

/** Longest `Client-Cert` value in characters: the largest certificate in base64, and room for delimiters and parameters. */
const maxClientCertLength = Math.ceil((maxCertificateOctets * 4) / 3) + 256;

/** Names of the two fields, and what a source asks of them that RFC 9440 does not. */
export interface ClientCertFields {
  /** Lower-case name of the field with the end-entity certificate. */
  readonly clientCert: string;
  /** Lower-case name of the field with the chain. */
  readonly clientCertChain: string;
  /** Longest end-entity certificate in characters. */
  readonly maxClientCertLength: number;
  /** Longest chain in characters, over all its lines. */
  readonly maxChainLength: number;
  /** Most certificates in the chain. */
  readonly maxChainCertificates: number;
}

/** As RFC 9440 names them, with the limits of the parsers below. */
export const clientCertFields: ClientCertFields = {
  clientCert: 'client-cert',
  clientCertChain: 'client-cert-chain',
  maxClientCertLength,
  maxChainLength: maxClientCertChainLength,
  maxChainCertificates,
};

/**
 * Parses `Client-Cert` (RFC 9440 section 2.2): one Byte Sequence, in one field line. Bytes only: whether they are a
 * certificate is for others to say.
 *
 * @param fieldLines - The value of each `Client-Cert` line of the request.
 * @throws {ClientCertificateError} `ERR_HEADER_REPEATED` for more than one line; `ERR_HEADER_TOO_LARGE` before anything
 *   is decoded; `ERR_HEADER_MALFORMED` for no line, anything but one Byte Sequence, or an empty one.
 */
export function parseClientCert(fieldLines: readonly string[]): Uint8Array {
  return parseClientCertField(fieldLines, clientCertFields);
}

/**
 * Parses `Client-Cert-Chain` (RFC 9440 section 2.3): a List of Byte Sequences over any number of field lines, in order.
 * No line, or an empty one, is an empty chain.
 *
 * @param fieldLines - The value of each `Client-Cert-Chain` line of the request.
 * @throws {ClientCertificateError} `ERR_HEADER_TOO_LARGE` or, for more than ten certificates, `ERR_CHAIN_TOO_LONG` before
 *   anything is decoded; `ERR_HEADER_MALFORMED` for anything but a List of Byte Sequences, or an empty one among them.
 */
export function parseClientCertChain(fieldLines: readonly string[]): readonly Uint8Array[] {
  return parseClientCertChainField(fieldLines, clientCertFields);
}

/** {@link parseClientCert}, for a field of another name or with other limits. */
export function parseClientCertField(
  fieldLines: readonly string[],
  { clientCert: header, maxClientCertLength: maximum }: ClientCertFields,
): Uint8Array {
  const [line, ...others] = fieldLines;
  if (others.length > 0) {
    throw new ClientCertificateError('ERR_HEADER_REPEATED', { header, count: fieldLines.length });
  }
  if (line === undefined) throw new ClientCertificateError('ERR_HEADER_MALFORMED', { header, reason: 'there is none' });
  checkLength(header, line.length, maximum);
  const malformed = malformedField(header);
  return requireBytes(parseByteSequenceItem(line, malformed), malformed);
}

/** {@link parseClientCertChain}, for a field of another name or with other limits. */
export function parseClientCertChainField(
  fieldLines: readonly string[],
  { clientCertChain: header, maxChainLength, maxChainCertificates: maximum }: ClientCertFields,
): readonly Uint8Array[] {
  const length = fieldLines.reduce((sum, line) => sum + line.length, 0);
  checkLength(header, length, maxChainLength);
  const malformed = malformedField(header);
  const members = parseByteSequenceList(fieldLines, maximum, tooManyCertificates(maximum), malformed);
  return members.map((bytes) => requireBytes(bytes, malformed));
}

/**
 * Writes one certificate as a `Client-Cert` field value: a Structured Fields Byte Sequence of its DER encoding
 * (RFC 9440 section 2.2, RFC 9651 section 4.1.8).
 *
 * @param certificate - DER encoding of the certificate. Not decoded here.
 */
export function encodeClientCert(certificate: Uint8Array): string {
  return `:${Buffer.from(certificate.buffer, certificate.byteOffset, certificate.byteLength).toString('base64')}:`;
}

/**
 * Writes certificates as a `Client-Cert-Chain` field value: a List of Byte Sequences, in the order the client presented
 * them in TLS, without the end-entity certificate (RFC 9440 section 2.3).
 *
 * @param certificates - DER encodings. An empty list gives an empty string: send no field then.
 */
export function encodeClientCertChain(certificates: readonly Uint8Array[]): string {
  return certificates.map(encodeClientCert).join(', ');
}

function requireBytes(bytes: Buffer, malformed: (reason: string) => Error): Buffer {
  if (bytes.length === 0) throw malformed('a byte sequence is empty');
  return bytes;
}
