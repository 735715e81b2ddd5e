import { checkOptions } from '../options';
import { parseBase64Der } from './base64-der';
import { forwardedClientCert } from './client-cert';
import { checkCompanions, notForwarded } from './companions';
import { type FieldLines, onlyLine } from './field-lines';
import { createHeaderSource, type ForwardingOptions, forwardingOptionNames } from './header-source';
import { type ClientCertFields, clientCertFields } from './rfc9440';
import type { Forwarded, Source } from './source';

/** What {@link cloudflare} takes. */
export interface CloudflareOptions extends ForwardingOptions {
  /**
   * `'rfc9440'`, the default: `Client-Cert` and `Client-Cert-Chain`, which a transform rule sets from
   * `cf.tls_client_auth.cert_rfc9440` and `cf.tls_client_auth.cert_chain_rfc9440`. `'der-base64'`:
   * `Cf-Client-Cert-Der-Base64`, which certificate forwarding sets.
   */
  readonly format?: 'rfc9440' | 'der-base64';
}

/** Cloudflare takes 128 KB of request headers: what `originServerOptions` lets through. */
const maxHeaderBytes = 65_536;

/**
 * Cloudflare leaves its fields empty for a certificate of more than 10 KiB and a chain of more than 16 KiB. Whether of DER or
 * of text is not said: DER in base64 is the longer.
 */
const fields: ClientCertFields = {
  ...clientCertFields,
  maxClientCertLength: Math.ceil(10_240 / 3) * 4 + 2,
  maxChainLength: Math.ceil(16_384 / 3) * 4 + 64,
};
const derBase64 = 'cf-client-cert-der-base64';
const sha256 = 'cf-client-cert-sha256';

/**
 * Certificates that Cloudflare forwards. In both formats an empty value means that there is none; Cloudflare writes so too
 * for a certificate that is too large for its fields, which is a client without a certificate here. A chain without its
 * certificate is refused.
 *
 * Cloudflare has proven possession of the private key. It fills the fields whatever its own validation found, unless your
 * rule asks for `cert_verified and not cert_revoked`. Your rule must set, or remove, both headers on every request: what a
 * client sends under these names would be read otherwise.
 *
 * Not certain: whether Cloudflare itself forwards `Cf-Client-Cert-Der-Base64` of certificates that it did not verify. Where
 * `Cf-Client-Cert-Sha256` arrives it must be the digest of the certificate.
 *
 * @throws {TypeError} without a sufficient channel proof, and for a format that is neither.
 */
export function cloudflare(options: CloudflareOptions): Source {
  checkOptions('cloudflare', options, [...forwardingOptionNames, 'format']);
  const { format = 'rfc9440' } = options;
  if (format !== 'rfc9440' && format !== 'der-base64') {
    throw new TypeError("format must be 'rfc9440' or 'der-base64'.");
  }
  const common = {
    ...options,
    owner: 'cloudflare',
    name: 'cloudflare',
    maxHeaderBytes,
    proxyProves: 'possession',
  } as const;
  if (format === 'der-base64') {
    return createHeaderSource({
      ...common,
      fields: [derBase64, sha256],
      dialect: 'bare base64 DER',
      read: readDerBase64,
    });
  }
  return createHeaderSource({
    ...common,
    fields: [fields.clientCert, fields.clientCertChain],
    companions: [derBase64, sha256],
    dialect: 'RFC 9440',
    read: ([certificate, chain = []]: FieldLines) =>
      forwardedClientCert(onlyLine(certificate, fields.clientCert) || undefined, chain, fields),
  });
}

function readDerBase64([certificateLines, sha256Lines]: FieldLines): Forwarded | undefined {
  const certificate = onlyLine(certificateLines, derBase64) || undefined;
  const digest = onlyLine(sha256Lines, sha256) || undefined;
  if (certificate === undefined) {
    if (digest !== undefined) throw notForwarded(derBase64);
    return undefined;
  }
  return {
    decodeChain: () => [],
    decodeEndEntity() {
      const endEntity = parseBase64Der(certificate, derBase64);
      checkCompanions(endEntity, { sha256: [sha256, digest] });
      return endEntity;
    },
  };
}
