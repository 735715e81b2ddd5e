import { ClientCertificateError } from '../errors';
import { type ClientCertFields, parseClientCertChainField, parseClientCertField } from './rfc9440';
import type { Forwarded } from './source';

/**
 * What the two fields of RFC 9440 carry, not decoded.
 *
 * @param certificate - The line of `Client-Cert`; undefined where none arrived.
 * @param chain - The lines of `Client-Cert-Chain`.
 * @returns undefined without a certificate.
 * @throws {ClientCertificateError} `ERR_HEADER_CHAIN_WITHOUT_CERTIFICATE` (RFC 9440 section 2.3)
 */
export function forwardedClientCert(
  certificate: string | undefined,
  chain: readonly string[],
  fields: ClientCertFields,
): Forwarded | undefined {
  if (certificate === undefined) {
    // An empty List is the same as no field (RFC 9651 section 3.1).
    if (chain.every((line) => line.trim() === '')) return undefined;
    throw new ClientCertificateError('ERR_HEADER_CHAIN_WITHOUT_CERTIFICATE', { header: fields.clientCertChain });
  }
  return {
    // Several lines of a List mean the same as one (RFC 9651 section 4.2).
    chainText: chain.length === 1 ? chain[0] : chain.join(', '),
    decodeChain: () => parseClientCertChainField(chain, fields),
    decodeEndEntity: () => parseClientCertField([certificate], fields),
  };
}
