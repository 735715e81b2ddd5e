import { base64, chainOf, escape, type HeaderLines, type HeaderOptions, type PresentedCertificate } from './presented';

/** What {@link traefikHeaders} takes. */
export interface TraefikHeaderOptions extends HeaderOptions {
  /** `'escaped-pem'` is how Traefik before 2.9.4 writes: the base64 is URL-encoded. Default `'base64'`. */
  readonly encoding?: 'base64' | 'escaped-pem';
}

/** Writes certificates as Traefik passes them on: base64 of each, with a comma between one and the next. */
export function traefikHeaders(certificate: PresentedCertificate, options: TraefikHeaderOptions = {}): HeaderLines {
  const write = options.encoding === 'escaped-pem' ? (der: Uint8Array): string => escape(base64(der)) : base64;
  const presented = [certificate.der, ...chainOf(certificate, options)];
  return [['X-Forwarded-Tls-Client-Cert', presented.map((der) => write(der)).join(',')]];
}
