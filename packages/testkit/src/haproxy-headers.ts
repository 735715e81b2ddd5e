import { base64, chainOf, type HeaderLines, type HeaderOptions, type PresentedCertificate } from './presented';

/**
 * Writes certificates as HAProxy passes them on: base64 of the end-entity certificate, base64 of the chain in one piece,
 * absent where there is none, `1` for a certificate that was used and `0` for no error.
 */
export function haproxyHeaders(certificate: PresentedCertificate, options: HeaderOptions = {}): HeaderLines {
  const chain = chainOf(certificate, options);
  const headers: HeaderLines = [['X-SSL-Client-Cert', base64(certificate.der)]];
  if (chain.length > 0) headers.push(['X-SSL-Client-Chain', Buffer.concat(chain).toString('base64')]);
  headers.push(['X-SSL-Client-Used', '1'], ['X-SSL-Client-Verify', '0']);
  return headers;
}
