import { escape, type HeaderLines, pem, type PresentedCertificate } from './presented';

/** What {@link nginxHeaders} takes. */
export interface NginxHeaderOptions {
  /** Name of the header set to `$ssl_client_escaped_cert`. Default `'ssl-client-cert'`. */
  readonly header?: string;
  /** Name of the header set to `$ssl_client_verify`. Default `'ssl-client-verify'`. */
  readonly verifyHeader?: string;
  /** What nginx says of its own verification. Default `'SUCCESS'`. */
  readonly verify?: string;
}

/**
 * Writes a certificate as nginx and ingress-nginx pass it on: URL-encoded PEM of the end-entity certificate, and the result
 * of nginx's own verification.
 */
export function nginxHeaders(
  certificate: Pick<PresentedCertificate, 'der'>,
  options: NginxHeaderOptions = {},
): HeaderLines {
  const { header = 'ssl-client-cert', verifyHeader = 'ssl-client-verify', verify = 'SUCCESS' } = options;
  return [
    [header, escape(pem(certificate.der))],
    [verifyHeader, verify],
  ];
}
