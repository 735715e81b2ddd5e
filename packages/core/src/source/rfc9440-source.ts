import { checkInteger, checkOptions } from '../options';
import { forwardedClientCert } from './client-cert';
import { type FieldLines, onlyLine } from './field-lines';
import { createHeaderSource, type ForwardingOptions, forwardingOptionNames } from './header-source';
import { maxChainCertificates as mostChainCertificates } from './limits';
import { clientCertFields } from './rfc9440';
import type { Source } from './source';

/** What {@link rfc9440} takes. */
export interface Rfc9440Options extends ForwardingOptions {
  /** Most certificates in `Client-Cert-Chain`: an integer from 0 to 10, default 10. */
  readonly maxChainCertificates?: number;
}

/** What `originServerOptions` lets through. */
const maxHeaderBytes = 65_536;

/**
 * Certificates that any other proxy forwards as RFC 9440 says: `Client-Cert`, at most once, and `Client-Cert-Chain`. An empty
 * `Client-Cert` is malformed, not absent.
 *
 * The proxy must remove or overwrite both fields on every request (RFC 9440 section 2.4). Taken to have proven possession of
 * the private key and nothing else.
 *
 * @throws {TypeError} without a sufficient channel proof; {@link RangeError} for `maxChainCertificates`.
 */
export function rfc9440(options: Rfc9440Options): Source {
  checkOptions('rfc9440', options, [...forwardingOptionNames, 'maxChainCertificates']);
  const { maxChainCertificates = mostChainCertificates, ...rest } = options;
  checkInteger('maxChainCertificates', maxChainCertificates, 0, mostChainCertificates);
  const fields = { ...clientCertFields, maxChainCertificates };
  return createHeaderSource({
    ...rest,
    owner: 'rfc9440',
    name: 'rfc9440',
    fields: [fields.clientCert, fields.clientCertChain],
    maxHeaderBytes,
    proxyProves: 'possession',
    dialect: 'RFC 9440',
    read: ([certificate, chain = []]: FieldLines) =>
      forwardedClientCert(onlyLine(certificate, fields.clientCert), chain, fields),
  });
}
