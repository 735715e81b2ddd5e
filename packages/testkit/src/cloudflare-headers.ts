import { hash } from 'node:crypto';
import { base64, type HeaderLines, type HeaderOptions, type PresentedCertificate } from './presented';
import { rfc9440Headers } from './rfc9440-headers';

/** What {@link cloudflareHeaders} takes. */
export interface CloudflareHeaderOptions extends HeaderOptions {
  /** Default `'rfc9440'`; `'der-base64'` writes the end-entity certificate and its digest. */
  readonly format?: 'rfc9440' | 'der-base64';
}

/** Writes certificates as Cloudflare passes them on. */
export function cloudflareHeaders(
  certificate: PresentedCertificate,
  options: CloudflareHeaderOptions = {},
): HeaderLines {
  if (options.format !== 'der-base64') return rfc9440Headers(certificate, options);
  return [
    ['Cf-Client-Cert-Der-Base64', base64(certificate.der)],
    ['Cf-Client-Cert-Sha256', hash('sha256', certificate.der, 'hex')],
  ];
}
