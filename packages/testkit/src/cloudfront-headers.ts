import { hash, X509Certificate } from 'node:crypto';
import type { CloudFrontHelpers, PemCertFormatInfo } from '@peercert/core';
import { instant } from './alb-headers';
import {
  base64,
  chainOf,
  escape,
  type HeaderLines,
  type HeaderOptions,
  pem,
  type PresentedCertificate,
} from './presented';
import { rfc9440Headers } from './rfc9440-headers';

const MAX_CERTIFICATES = 4;
const prefix = 'CloudFront-Viewer-Cert-';

/** What {@link cloudFrontHeaders} takes. */
export interface CloudFrontHeaderOptions extends HeaderOptions {
  /** The distribution's mode of viewer mTLS. Default `'passthrough'`. */
  readonly mode?: 'passthrough' | 'required' | 'optional';
  /** What a CloudFront Function gives to `cf.mtls`, as `cloudFront` takes it. Default nothing. */
  readonly helpers?: CloudFrontHelpers;
}

/**
 * Writes certificates as CloudFront's viewer mTLS passes them to the origin. In passthrough mode `Client-Cert` with the
 * end-entity certificate, and `Client-Cert-Chain` with the rest as presented, absent when there is no rest; in the other
 * modes `CloudFront-Viewer-Cert-Pem` and what CloudFront says of the certificate. With `helpers`, under the names and in the
 * formats the function makes, beside `CloudFront-Viewer-Cert-Present`.
 *
 * @param certificate - A certificate of this package, or its DER and the chain presented with it.
 * @param options.chain - DER certificates presented after the end-entity certificate. Default: `certificate.chain`.
 * @returns Name and value pairs: `.flat()` for rawHeaders, `Object.fromEntries` for an object.
 * @throws RangeError if there are more than 4 certificates in all: CloudFront does not let such a client in.
 */
export function cloudFrontHeaders(
  certificate: PresentedCertificate,
  options: CloudFrontHeaderOptions = {},
): HeaderLines {
  const { mode = 'passthrough', helpers } = options;
  const chain = chainOf(certificate, options);
  if (chain.length >= MAX_CERTIFICATES)
    throw new RangeError(`${chain.length + 1} certificates; CloudFront takes ${MAX_CERTIFICATES} at most`);
  const headers =
    mode === 'passthrough' ? rfc9440Headers({ der: certificate.der, chain }) : viewerCertHeaders(certificate.der);
  if (helpers === undefined) return headers;
  const present: HeaderLines = mode === 'passthrough' ? [[`${prefix}Present`, '1']] : [];
  return throughFunction([...headers, ...present], certificate.der, chain, helpers);
}

function viewerCertHeaders(der: Uint8Array): HeaderLines {
  const { serialNumber, validFrom, validTo } = new X509Certificate(der);
  const octets = serialNumber.toLowerCase().match(/../g) ?? [serialNumber];
  return [
    [`${prefix}Present`, '1'],
    [`${prefix}Pem`, escape(pem(der))],
    [`${prefix}Sha256`, hash('sha256', der, 'hex')],
    [`${prefix}Serial-Number`, octets.join(':')],
    [`${prefix}Validity`, `NotBefore=${instant(validFrom)};NotAfter=${instant(validTo)}`],
  ];
}

function throughFunction(
  headers: HeaderLines,
  der: Uint8Array,
  chain: readonly Uint8Array[],
  { renameClientCertHeaders = {}, renamePemHeaders = {}, combinePemHeaders }: CloudFrontHelpers,
): HeaderLines {
  const renamed = lowerCaseKeys(renameClientCertHeaders);
  const rewritten = lowerCaseKeys(renamePemHeaders);
  const written = headers.map(([name, value]): [string, string] => {
    const original = name.toLowerCase();
    const target = rewritten.get(original);
    if (target === undefined) return [renamed.get(original) ?? name, value];
    const certificates = original === 'client-cert-chain' ? chain : [der];
    const isPem = original.endsWith('-pem');
    return [target.newHeaderName, writeFormat(certificates, target.pemCertFormatInfo ?? {}, isPem)];
  });
  if (combinePemHeaders === undefined) return written;
  const { newHeaderName, pemCertFormatInfo = {} } = combinePemHeaders;
  const rest = written.filter(([name]) => !name.toLowerCase().startsWith('client-cert'));
  return [[newHeaderName, writeFormat([der, ...chain], pemCertFormatInfo, false)], ...rest];
}

function lowerCaseKeys<Value>(record: Readonly<Record<string, Value>>): ReadonlyMap<string, Value> {
  return new Map(Object.entries(record).map(([name, value]) => [name.toLowerCase(), value]));
}

/** Line breaks cannot stand in a header: a value that has some is percent-encoded. */
function writeFormat(certificates: readonly Uint8Array[], format: PemCertFormatInfo, isPem: boolean): string {
  const { certHeader = isPem ? '-----BEGIN CERTIFICATE-----' : ':', certEndMarker = '' } = format;
  const { certFooter = isPem ? '-----END CERTIFICATE-----' : ':', keepNewlinesInCertData = isPem } = format;
  const written = certificates.map((der) => {
    const text = base64(der);
    const lines = (text.match(/.{1,64}/g) ?? []).join('\n');
    const body = keepNewlinesInCertData ? `\n${lines}\n` : text;
    return `${certHeader}${body}${certFooter}${certEndMarker}`;
  });
  const value = written.join(certEndMarker === '' && certificates.length > 1 ? ', ' : '');
  return value.includes('\n') ? escape(value) : value;
}
