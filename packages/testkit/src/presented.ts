/** A certificate of this package, or its DER and the chain presented with it. */
export interface PresentedCertificate {
  /** The end-entity certificate in DER. */
  readonly der: Uint8Array;
  /** DER of the certificates presented after it. */
  readonly chain?: readonly Uint8Array[];
}

/** What every encoder of headers takes. */
export interface HeaderOptions {
  /** DER certificates presented after the end-entity certificate. Default: `certificate.chain`. */
  readonly chain?: readonly Uint8Array[];
}

/** Name and value pairs: `.flat()` for rawHeaders, `Object.fromEntries` for an object. */
export type HeaderLines = [name: string, value: string][];

export function chainOf(certificate: PresentedCertificate, options: HeaderOptions): readonly Uint8Array[] {
  return options.chain ?? certificate.chain ?? [];
}

export function base64(der: Uint8Array): string {
  return Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString('base64');
}

/** PEM with a line break behind every 64 characters, and at the end. */
export function pem(der: Uint8Array, lineBreak = '\n'): string {
  const lines = base64(der).match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join(lineBreak);
}

/** Percent-encoding of everything but letters, digits and `-._~`. */
export function escape(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16)}`);
}
