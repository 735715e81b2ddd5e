import { decodePercent } from '../escaped-pem';
import { checkOptions } from '../options';
import { parseBase64DerList } from './base64-der';
import { type FieldLines, onlyLine } from './field-lines';
import { createHeaderSource, type ForwardingOptions, forwardingOptionNames } from './header-source';
import { checkLength, malformedField, maxChainLength } from './limits';
import type { Forwarded, Source } from './source';

/** What {@link traefik} takes. */
export interface TraefikOptions extends ForwardingOptions {
  /**
   * How `X-Forwarded-Tls-Client-Cert` is written. `'base64'`, the default, is Traefik 2.9.4 and later: base64, with a comma
   * between certificates. `'escaped-pem'` is Traefik before that: the same with `+`, `/` and `=` URL-encoded, which its
   * documentation called the escaped PEM, though BEGIN, END and line breaks are gone. Which one it is is never guessed.
   */
  readonly encoding?: 'base64' | 'escaped-pem';
}

const header = 'x-forwarded-tls-client-cert';

/** Traefik takes a megabyte of headers (Go's `net/http`): what `originServerOptions` lets through. */
const maxHeaderBytes = 65_536;

/**
 * Certificates that Traefik's middleware PassTLSClientCert forwards with `pem: true`: all that the client presented, the
 * end-entity certificate first, no more than ten. `X-Forwarded-Tls-Client-Cert-Info` is never read: its values are not
 * escaped, so that one can pass for another.
 *
 * Traefik has proven possession of the private key. What else it checked depends on `clientAuthType`: with
 * `RequestClientCert` and `RequireAnyClientCert`, nothing.
 *
 * WARNING: for a client without a certificate the middleware leaves the header as it is. Traefik removes the client's own
 * only from addresses it does not trust: set neither `forwardedHeaders.insecure` nor `trustedIPs` that clients have.
 *
 * @throws {TypeError} without a sufficient channel proof, and for an encoding that is neither.
 */
export function traefik(options: TraefikOptions): Source {
  checkOptions('traefik', options, [...forwardingOptionNames, 'encoding']);
  const { encoding = 'base64' } = options;
  if (encoding !== 'base64' && encoding !== 'escaped-pem') {
    throw new TypeError("encoding must be 'base64' or 'escaped-pem'.");
  }
  const parse = encoding === 'base64' ? parseList : parseEscapedList;
  return createHeaderSource({
    ...options,
    owner: 'traefik',
    name: 'traefik',
    fields: [header],
    companions: ['x-forwarded-tls-client-cert-info'],
    maxHeaderBytes,
    proxyProves: 'possession',
    dialect: encoding === 'base64' ? 'bare base64 DER' : 'URL-encoded base64 DER',
    read([lines]: FieldLines): Forwarded | undefined {
      const text = onlyLine(lines, header);
      if (text === undefined) return undefined;
      return { decodeChain: () => parse(text).slice(1), decodeEndEntity: () => parse(text)[0] as Uint8Array };
    },
  });
}

function parseList(text: string): readonly Uint8Array[] {
  return parseBase64DerList(text, header);
}

function parseEscapedList(text: string): readonly Uint8Array[] {
  checkLength(header, text.length, maxChainLength);
  const malformed = malformedField(header);
  // Go's url.QueryEscape leaves neither as it is. Base64 that is not escaped is the other encoding.
  if (/[+/=]/.test(text)) throw malformed('it is not URL-encoded');
  // An escaped comma is no separator, and in no base64.
  if (/%2c/i.test(text)) throw malformed('it is not base64');
  return parseBase64DerList(decodePercent(text, malformed), header);
}
