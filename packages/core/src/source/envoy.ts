import { hash } from 'node:crypto';
import { ClientCertificateError } from '../errors';
import { maxEscapedPemLength, parseEscapedPem } from '../escaped-pem';
import { checkInteger, checkOptions, describe } from '../options';
import { decodePresented } from '../path/validate-path';
import { inconsistent, notForwarded } from './companions';
import { type FieldLines, onlyLine } from './field-lines';
import { type ForwardedElement, parseForwardedElements } from './forwarded-client-cert';
import { createHeaderSource, type ForwardingOptions, forwardingOptionNames } from './header-source';
import { certificatesOf, checkLength, malformedField, oneCertificate } from './limits';
import type { Forwarded, Source } from './source';

/** What {@link envoy} takes. */
export interface EnvoyOptions extends ForwardingOptions {
  /**
   * Which element of `X-Forwarded-Client-Cert` is the client: `'single'`, the default, refuses a header of more than one,
   * for `SANITIZE_SET`; `'last'` is what the proxy next to the origin appended, for `APPEND_FORWARD`; `{ hop: 1 }` the one
   * before that, and so on: an integer from 0 to 15, 0 being the last.
   */
  readonly element?: 'single' | 'last' | { readonly hop: number };
}

const header = 'x-forwarded-client-cert';

/** Envoy takes 60 KiB of request headers unless `max_request_headers_kb` says otherwise. The same for this one header. */
const maxHeaderBytes = 61_440;
const maxHops = 15;
const malformed = malformedField(header);

/**
 * Certificates that Envoy, or Istio, forwards in `X-Forwarded-Client-Cert` in its text format: `Cert`, and `Chain`, which
 * begins with the same certificate and holds no more than ten. One of the two must be asked for in
 * `set_current_client_cert_details`: `Hash`, `Subject`, `URI` and `DNS` alone are what a proxy says, and nobody's identity.
 * An element with a `Hash` and neither of them is refused; without any of them it means that there is no certificate.
 *
 * `Hash` must be the digest of the certificate. In a header of several elements each is checked so; and because Envoy writes
 * `By`, `URI` and `DNS` without quotes, so that a name made for it could look like another element, `URI` and `DNS` must be
 * exactly the names of the certificate beside them, and an element that ends in one of them must have that certificate.
 *
 * Envoy has proven possession of the private key; it has validated the path where it has a `trusted_ca`. The header must be
 * `SANITIZE_SET` at the first proxy: what a client sends would be read otherwise.
 *
 * Not certain: how Envoy writes a quotation mark in a subject. A value in which one stands behind two backslashes is refused,
 * and so is the JSON format.
 *
 * @throws {TypeError} without a sufficient channel proof, and for another word; {@link RangeError} for a hop.
 */
export function envoy(options: EnvoyOptions): Source {
  checkOptions('envoy', options, [...forwardingOptionNames, 'element']);
  const { element: chosen = 'single' } = options;
  const hop = hopOf(chosen);
  return createHeaderSource({
    ...options,
    owner: 'envoy',
    name: 'envoy',
    fields: [header],
    maxHeaderBytes,
    proxyProves: 'possession',
    dialect: 'X-Forwarded-Client-Cert',
    read([lines]: FieldLines): Forwarded | undefined {
      const text = onlyLine(lines, header);
      if (text === undefined) return undefined;
      checkLength(header, text.length, maxHeaderBytes);
      const elements = parseForwardedElements(text, malformed);
      if (hop === undefined && elements.length > 1) {
        throw new ClientCertificateError('ERR_HEADER_REPEATED', { header, count: elements.length });
      }
      const element = elements.at(-1 - (hop ?? 0));
      if (element === undefined) throw malformed('it has fewer elements than there are hops');
      if (element.cert === undefined && element.chain === undefined) {
        if (element.hash !== undefined) throw notForwarded(header);
        return undefined;
      }
      return {
        decodeChain: () => certificatesIn(element).slice(1),
        decodeEndEntity() {
          if (elements.length > 1) checkElements(elements);
          return certificatesIn(element)[0] as Uint8Array;
        },
      };
    },
  });
}

/** Undefined for a header of exactly one element. */
function hopOf(element: unknown): number | undefined {
  if (element === 'single') return undefined;
  if (element === 'last') return 0;
  if (typeof element !== 'object' || element === null) {
    throw new TypeError(`element must be 'single', 'last' or { hop }; it received ${describe(element)}.`);
  }
  checkOptions('element', element, ['hop']);
  const { hop } = element as { hop?: number };
  checkInteger('element.hop', hop, 0, maxHops);
  return hop;
}

/** The certificates of an element that has one, end-entity certificate first. */
function certificatesIn({ cert, chain, hash: digest }: ForwardedElement): readonly Uint8Array[] {
  const presented = chain === undefined ? [] : parseEscapedPem(chain, certificatesOf(header));
  if (cert !== undefined) checkLength(header, cert.length, maxEscapedPemLength);
  const [certificate] = cert === undefined ? presented : parseEscapedPem(cert, oneCertificate(header));
  if (certificate === undefined) throw malformed('it is empty');
  if (presented[0]?.equals(certificate) === false) throw inconsistent(header, 'Chain does not begin with Cert');
  if (digest !== undefined && digest.toLowerCase() !== hash('sha256', certificate, 'hex')) {
    throw inconsistent(header, 'Hash is not the digest of the certificate');
  }
  return [certificate, ...presented.slice(1)];
}

function checkElements(elements: readonly ForwardedElement[]): void {
  for (const [index, element] of elements.entries()) {
    if (element.cert !== undefined || element.chain !== undefined) checkNames(element);
    else if (element.endsUnquoted && index < elements.length - 1 && !endsInHash(element)) {
      throw malformed('a comma stands behind a value without quotes, and no certificate shows that it ends there');
    }
  }
}

/** A digest cannot hold a comma. */
function endsInHash({ hash: digest, by, uri, dns }: ForwardedElement): boolean {
  return digest !== undefined && by.length + uri.length + dns.length === 0;
}

function checkNames(element: ForwardedElement): void {
  const { subjectAltName = [] } = decodePresented(certificatesIn(element)[0] as Uint8Array, 0).extensions;
  for (const type of ['uri', 'dns'] as const) {
    const stated = element[type];
    if (stated.length === 0) continue;
    const names = subjectAltName.filter((name) => name.type === type).map(({ value }) => value);
    const same = names.length === stated.length && names.every((name, index) => name === stated[index]);
    if (!same) throw inconsistent(header, 'URI or DNS is not what the certificate has');
  }
}
