import { X509Certificate } from 'node:crypto';
import { chainOf, escape, type HeaderLines, type HeaderOptions, pem, type PresentedCertificate } from './presented';

/** What {@link albHeaders} takes. */
export interface AlbHeaderOptions extends HeaderOptions {
  /** Mode of the listener. Default `'passthrough'`. */
  readonly mode?: 'passthrough' | 'verify';
}

const prefix = 'X-Amzn-Mtls-Clientcert';

/**
 * Writes certificates as an Application Load Balancer passes them on: in passthrough mode all of them in one header, in
 * verify mode the end-entity certificate, its serial number and its validity. URL-encoded PEM, with `+`, `/` and `=` as they
 * are.
 */
export function albHeaders(certificate: PresentedCertificate, options: AlbHeaderOptions = {}): HeaderLines {
  const presented = [certificate.der, ...chainOf(certificate, options)];
  if (options.mode !== 'verify') return [[prefix, presented.map((der) => escapeLess(pem(der))).join('')]];
  const { serialNumber, validFrom, validTo } = new X509Certificate(certificate.der);
  return [
    [`${prefix}-Leaf`, escapeLess(pem(certificate.der))],
    [`${prefix}-Serial-Number`, serialNumber],
    [`${prefix}-Validity`, `NotBefore=${instant(validFrom)};NotAfter=${instant(validTo)}`],
  ];
}

function escapeLess(text: string): string {
  return escape(text).replaceAll('%2B', '+').replaceAll('%2F', '/').replaceAll('%3D', '=');
}

/** `2026-01-01T00:00:00Z` */
export function instant(date: string): string {
  return new Date(date).toISOString().replace('.000Z', 'Z');
}
