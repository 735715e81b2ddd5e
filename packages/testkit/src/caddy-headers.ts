import { base64, type HeaderLines, type PresentedCertificate } from './presented';

/** Writes a certificate as Caddy's `header_up` passes it on: base64 of the end-entity certificate. */
export function caddyHeaders(certificate: Pick<PresentedCertificate, 'der'>): HeaderLines {
  return [['X-Client-Cert', base64(certificate.der)]];
}
