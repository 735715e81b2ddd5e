import { checkOptions } from '../options';
import { parseBase64Der } from './base64-der';
import { type FieldLines, onlyLine } from './field-lines';
import { createHeaderSource, type ForwardingOptions, forwardingOptionNames, headerName } from './header-source';
import type { Forwarded, Source } from './source';

/** What {@link caddy} takes. */
export interface CaddyOptions extends ForwardingOptions {
  /** The header set to `{http.request.tls.client.certificate_der_base64}`. Default `'x-client-cert'`. */
  readonly header?: string;
}

const placeholder = '{http.request.tls.client.certificate_der_base64}';

/** Caddy takes a megabyte of headers (Go's `net/http`): what `originServerOptions` lets through. */
const maxHeaderBytes = 65_536;

/**
 * Certificates that Caddy forwards with `header_up`: `{http.request.tls.client.certificate_der_base64}`, base64 of the
 * end-entity certificate alone. Intermediates are not forwarded: supply them with the trust store.
 *
 * An empty value means that there is none, and so does the name of the placeholder in braces: Caddy before 2026 writes it
 * where it has no value to put there.
 *
 * Caddy has proven possession of the private key. What else it checked depends on `client_auth`: without a trust pool,
 * nothing.
 *
 * @throws {TypeError} without a sufficient channel proof, and for a name that is not a header name or clashes.
 */
export function caddy(options: CaddyOptions): Source {
  checkOptions('caddy', options, [...forwardingOptionNames, 'header']);
  const header = headerName('header', options.header, 'x-client-cert');
  return createHeaderSource({
    ...options,
    owner: 'caddy',
    name: 'caddy',
    fields: [header],
    maxHeaderBytes,
    proxyProves: 'possession',
    dialect: 'bare base64 DER',
    read([lines]: FieldLines): Forwarded | undefined {
      const certificate = onlyLine(lines, header) ?? '';
      if (certificate === '' || certificate === placeholder) return undefined;
      return { decodeChain: () => [], decodeEndEntity: () => parseBase64Der(certificate, header) };
    },
  });
}
