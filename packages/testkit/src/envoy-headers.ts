import { hash, X509Certificate } from 'node:crypto';
import { chainOf, escape, type HeaderLines, type HeaderOptions, pem, type PresentedCertificate } from './presented';

/** What {@link envoyHeaders} takes. */
export interface EnvoyHeaderOptions extends HeaderOptions {
  /** URI of Envoy's own certificate. Default `'spiffe://mesh.example/ingress'`. */
  readonly by?: string;
  /** Which of them is asked for in `set_current_client_cert_details`. Default both, the chain where there is one. */
  readonly details?: readonly ('cert' | 'chain')[];
  /** What an earlier proxy wrote into the header, to which this one appends (`APPEND_FORWARD`). Default nothing. */
  readonly appendTo?: string;
}

/**
 * Writes certificates as Envoy passes them on, in the text format of `X-Forwarded-Client-Cert`: one element with `By`,
 * `Hash`, `Cert`, `Chain`, `Subject`, and `URI` and `DNS`, which stand without quotes whatever is in them, as Envoy has it.
 */
export function envoyHeaders(certificate: PresentedCertificate, options: EnvoyHeaderOptions = {}): HeaderLines {
  const { by = 'spiffe://mesh.example/ingress', appendTo } = options;
  const chain = chainOf(certificate, options);
  const details = options.details ?? (chain.length > 0 ? ['cert', 'chain'] : ['cert']);
  const pairs = [`By=${by}`, `Hash=${hash('sha256', certificate.der, 'hex')}`];
  if (details.includes('cert')) pairs.push(`Cert="${escape(pem(certificate.der))}"`);
  if (details.includes('chain')) {
    pairs.push(`Chain="${escape([certificate.der, ...chain].map((der) => pem(der)).join(''))}"`);
  }
  pairs.push(`Subject="${subjectOf(certificate.der)}"`, ...namesOf(certificate.der));
  const element = pairs.join(';');
  return [['X-Forwarded-Client-Cert', appendTo === undefined ? element : `${appendTo},${element}`]];
}

/** RFC 2253: the last attribute first. Quotation marks get a backslash. */
function subjectOf(der: Uint8Array): string {
  // Undefined, whatever the types say, for an empty subject.
  const subject = new X509Certificate(der).subject as string | undefined;
  return (subject ?? '')
    .split('\n')
    .toReversed()
    .join(',')
    .replaceAll('"', String.raw`\"`);
}

/** URIs, then host names, as their certificate has them. */
function namesOf(der: Uint8Array): string[] {
  const text = new X509Certificate(der).subjectAltName;
  const names = text === undefined ? [] : text.split(', ');
  const uris = names.filter((name) => name.startsWith('URI:')).map((name) => `URI=${name.slice(4)}`);
  const hosts = names.filter((name) => name.startsWith('DNS:')).map((name) => `DNS=${name.slice(4)}`);
  return [...uris, ...hosts];
}
