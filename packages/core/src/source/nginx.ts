import { checkOptions } from '../options';
import { maxEscapedPemLength, parseEscapedPem } from '../escaped-pem';
import { type FieldLines, onlyLine } from './field-lines';
import { createHeaderSource, type ForwardingOptions, forwardingOptionNames, headerName } from './header-source';
import { checkLength, oneCertificate } from './limits';
import type { Forwarded, Source } from './source';
import { checkVerifyStatus } from './verify-status';

/** What {@link nginx} takes. */
export interface NginxOptions extends ForwardingOptions {
  /** The header set to `$ssl_client_escaped_cert`. Default `'ssl-client-cert'`, as ingress-nginx has it. */
  readonly header?: string;
  /** The header set to `$ssl_client_verify`. Default `'ssl-client-verify'`, as ingress-nginx has it. */
  readonly verifyHeader?: string;
}

/** Client and certificate together: four `large_client_header_buffers` of 8 KiB, and as much again of what nginx sets. */
const maxHeaderBytes = 65_536;

/**
 * Certificates that nginx, or ingress-nginx, forwards with `proxy_set_header`: `$ssl_client_escaped_cert`, URL-encoded PEM of
 * the end-entity certificate alone, no longer than the largest certificate takes. Intermediates are not forwarded: supply
 * them with the trust store.
 *
 * An empty value means that there is none, because nginx leaves out a header whose value is empty. What `$ssl_client_verify`
 * says can only refuse: `FAILED` beside a certificate, `NONE` beside one, `SUCCESS` without one; a header that does not
 * arrive says nothing. The older `$ssl_client_cert`, folded with tabs, is not read.
 *
 * nginx has proven possession of the private key. What else it checked depends on `ssl_verify_client`: with
 * `optional_no_ca`, nothing.
 *
 * @throws {TypeError} without a sufficient channel proof, and for names that are not header names or clash.
 */
export function nginx(options: NginxOptions): Source {
  checkOptions('nginx', options, [...forwardingOptionNames, 'header', 'verifyHeader']);
  const header = headerName('header', options.header, 'ssl-client-cert');
  const verifyHeader = headerName('verifyHeader', options.verifyHeader, 'ssl-client-verify');
  return createHeaderSource({
    ...options,
    owner: 'nginx',
    name: 'nginx',
    fields: [header, verifyHeader],
    companions: ['ssl-client-subject-dn', 'ssl-client-issuer-dn'],
    maxHeaderBytes,
    proxyProves: 'possession',
    dialect: 'URL-encoded PEM',
    read([certificateLines, verifyLines]: FieldLines): Forwarded | undefined {
      // nginx: an empty value is a header that is not sent.
      const certificate = onlyLine(certificateLines, header) || undefined;
      const status = onlyLine(verifyLines, verifyHeader) || undefined;
      checkVerifyStatus(status, verifyHeader, ['SUCCESS'], certificate !== undefined, header);
      if (certificate === undefined) return undefined;
      return {
        decodeChain: () => [],
        decodeEndEntity() {
          checkLength(header, certificate.length, maxEscapedPemLength);
          return parseEscapedPem(certificate, oneCertificate(header))[0] as Uint8Array;
        },
      };
    },
  });
}
