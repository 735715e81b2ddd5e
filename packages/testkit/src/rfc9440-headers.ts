import { encodeClientCert, encodeClientCertChain } from '@peercert/core';
import { chainOf, type HeaderLines, type HeaderOptions, type PresentedCertificate } from './presented';

/**
 * Writes certificates as RFC 9440 says: `Client-Cert` with the end-entity certificate, and `Client-Cert-Chain` with the rest
 * as presented, absent when there is no rest.
 */
export function rfc9440Headers(certificate: PresentedCertificate, options: HeaderOptions = {}): HeaderLines {
  const chain = chainOf(certificate, options);
  const headers: HeaderLines = [['Client-Cert', encodeClientCert(certificate.der)]];
  if (chain.length > 0) headers.push(['Client-Cert-Chain', encodeClientCertChain(chain)]);
  return headers;
}
