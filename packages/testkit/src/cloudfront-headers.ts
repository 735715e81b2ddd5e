import { encodeClientCert, encodeClientCertChain } from '@peercert/core';

const MAX_CERTIFICATES = 4;

/**
 * Writes certificates as CloudFront's viewer mTLS passes them to the origin: `Client-Cert` with the end-entity
 * certificate, and `Client-Cert-Chain` with the rest as presented, absent when there is no rest.
 *
 * @param certificate - A certificate of this package, or its DER and the chain presented with it.
 * @param options.chain - DER certificates presented after the end-entity certificate. Default: `certificate.chain`.
 * @returns Name and value pairs: `.flat()` for rawHeaders, `Object.fromEntries` for an object.
 * @throws RangeError if there are more than 4 certificates in all: CloudFront does not let such a client in.
 */
export function cloudFrontHeaders(
  certificate: { readonly der: Uint8Array; readonly chain?: readonly Uint8Array[] },
  options: { readonly chain?: readonly Uint8Array[] } = {},
): [name: string, value: string][] {
  const chain = options.chain ?? certificate.chain ?? [];
  if (chain.length >= MAX_CERTIFICATES)
    throw new RangeError(`${chain.length + 1} certificates; CloudFront takes ${MAX_CERTIFICATES} at most`);
  const headers: [string, string][] = [['Client-Cert', encodeClientCert(certificate.der)]];
  if (chain.length > 0) headers.push(['Client-Cert-Chain', encodeClientCertChain(chain)]);
  return headers;
}
