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
