import { type HeaderLines, pem, type PresentedCertificate } from './presented';

/**
 * Writes a certificate as Apache's mod_headers passes it on: PEM of the end-entity certificate with spaces for line breaks,
 * and the result of Apache's own verification.
 *
 * @param options.verify - What Apache says of its own verification. Default `'SUCCESS'`.
 */
export function apacheHeaders(
  certificate: Pick<PresentedCertificate, 'der'>,
  options: { readonly verify?: string } = {},
): HeaderLines {
  return [
    // The last space goes with the line: white space around a value is not part of it.
    ['X-SSL-Client-Cert', pem(certificate.der, ' ').trimEnd()],
    ['X-SSL-Client-Verify', options.verify ?? 'SUCCESS'],
  ];
}
