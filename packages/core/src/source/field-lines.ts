import { ClientCertificateError } from '../errors';
import { type CertificateRequest, receivedHeaders } from '../request';

/**
 * Headers in which the proxies of this world forward a client certificate or what they think of it. Only the configured
 * source reads its own; handlers see none of them.
 */
const certificateHeaders: ReadonlySet<string> = new Set([
  'client-cert',
  'client-cert-chain',
  'cf-client-cert-der-base64',
  'cf-client-cert-sha256',
  'client-to-edge',
  'ssl-client-cert',
  'ssl-client-verify',
  'ssl-client-subject-dn',
  'ssl-client-issuer-dn',
  'x-amzn-mtls-clientcert',
  'x-amzn-mtls-clientcert-issuer',
  'x-amzn-mtls-clientcert-leaf',
  'x-amzn-mtls-clientcert-serial-number',
  'x-amzn-mtls-clientcert-subject',
  'x-amzn-mtls-clientcert-validity',
  'x-arr-clientcert',
  'x-client-cert',
  'x-client-cert-chain',
  'x-client-cert-chain-verified',
  'x-client-cert-leaf',
  'x-client-cert-present',
  'x-forwarded-client-cert',
  'x-forwarded-tls-client-cert',
  'x-forwarded-tls-client-cert-info',
  'x-ssl-cert',
  'x-ssl-client-cert',
  'x-ssl-client-chain',
  'x-ssl-client-dn',
  'x-ssl-client-used',
  'x-ssl-client-verify',
]);

/** CloudFront's own words about the viewer's certificate: `CloudFront-Viewer-Cert-Present`, `-Sha256` and so on. */
const cloudFrontPrefix = 'cloudfront-viewer-cert-';

/** All of them. */
export const cloudFrontHeaders: readonly string[] = [
  'cloudfront-viewer-cert-issuer',
  'cloudfront-viewer-cert-pem',
  'cloudfront-viewer-cert-present',
  'cloudfront-viewer-cert-serial-number',
  'cloudfront-viewer-cert-sha256',
  'cloudfront-viewer-cert-subject',
  'cloudfront-viewer-cert-validity',
];

/** Header fields Node keeps by default when `server.maxHeadersCount` is not set; the rest it drops in silence. */
const defaultMaxHeadersCount = 1_000;

/**
 * Whether a header carries, or looks as if it carried, a client certificate. `Client_Cert` does: some parsers take
 * underscore and hyphen for the same.
 *
 * @param name - In lower case.
 */
export function isCertificateHeader(name: string): boolean {
  const canonical = name.replaceAll('_', '-');
  return certificateHeaders.has(canonical) || canonical.startsWith(cloudFrontPrefix);
}

export interface FieldCollectorOptions {
  /** Lower-case names of the source's own fields. */
  readonly fields: readonly string[];
  /** Lower-case names, beside the fields, that `Connection` may not name. */
  readonly guarded: readonly string[];
  /** Lower-case names of certificate headers that the source's own proxy writes and nobody reads. */
  readonly companions: readonly string[];
  /** What to do with certificate headers of other schemes: pass over them, or refuse the request. */
  readonly otherCertificateHeaders: 'ignore' | 'reject';
}

/** The field lines of one request, in the order of the source's fields; undefined for a field that did not arrive. */
export type FieldLines = readonly (readonly string[] | undefined)[];

/**
 * Makes a function that collects a source's own field lines from a request and refuses what would let two readers see two
 * requests: look-alike names beside real ones, a `Connection` that names a field which proves something, and a header
 * list so long that Node may have cut it.
 */
export function createFieldCollector({
  fields,
  guarded,
  companions,
  otherCertificateHeaders,
}: FieldCollectorOptions): (request: CertificateRequest) => FieldLines {
  const own = new Map(fields.map((name, index) => [name, index]));
  const unnameable = new Set([...fields, ...guarded]);
  const unexpected = new Set(otherCertificateHeaders === 'reject' ? [...certificateHeaders, ...cloudFrontHeaders] : []);
  for (const name of [...guarded, ...companions]) unexpected.delete(name);
  // Lengths of names worth a closer look: most headers are dismissed by one array access.
  const interesting: boolean[] = [];
  for (const name of [...fields, ...unexpected, 'connection']) interesting[name.length] = true;

  return function collectFieldLines(request) {
    const lines = receivedHeaders(request);
    checkCount(request, lines.length / 2);
    const collected: (string[] | undefined)[] = fields.map(() => undefined);
    let lookAlike: string | undefined;
    for (let at = 0; at < lines.length; at += 2) {
      const received = lines[at] as string;
      if (interesting[received.length] !== true) continue;
      const name = received.toLowerCase();
      const value = lines[at + 1] as string;
      const index = own.get(name);
      if (index !== undefined) {
        const values = collected[index];
        if (values === undefined) collected[index] = [value];
        else values.push(value);
      } else if (name === 'connection') checkConnection(value, unnameable);
      else if (name.includes('_') && own.has(name.replaceAll('_', '-'))) lookAlike = name;
      else if (unexpected.size > 0 && unexpected.has(name.replaceAll('_', '-'))) {
        throw new ClientCertificateError('ERR_HEADER_UNEXPECTED', { header: name });
      }
    }
    // A look-alike alone is a stranger's header and passed over; beside a real field somebody may read the wrong one.
    if (lookAlike !== undefined) {
      const header = fields.find((_, index) => collected[index] !== undefined);
      if (header !== undefined) throw new ClientCertificateError('ERR_HEADER_AMBIGUOUS', { header, lookAlike });
    }
    return collected;
  };
}

/**
 * The value of a field that may occur once, for `read` of a `headerSource`.
 *
 * @param values - The lines that arrived; undefined for none.
 * @param header - Lower-case name of the field, for the error.
 * @returns undefined where none arrived.
 * @throws {ClientCertificateError} `ERR_HEADER_REPEATED`
 */
export function onlyLine(values: readonly string[] | undefined, header: string): string | undefined {
  if (values === undefined) return undefined;
  if (values.length > 1) throw new ClientCertificateError('ERR_HEADER_REPEATED', { header, count: values.length });
  return values[0];
}

function checkConnection(value: string, unnameable: ReadonlySet<string>): void {
  // What CloudFront sends, and nearly everybody else: for a secret header of that name it is a name all the same.
  if (value === 'Keep-Alive' && !unnameable.has('keep-alive')) return;
  for (const option of value.toLowerCase().split(',')) {
    const header = option.trim().replaceAll('_', '-');
    if (unnameable.has(header)) throw new ClientCertificateError('ERR_HEADER_HOP_BY_HOP', { header });
  }
}

function checkCount(request: CertificateRequest, count: number): void {
  const { server } = request.socket as { server?: { maxHeadersCount?: number | null } };
  // 0 means no limit in Node.
  const maximum = server?.maxHeadersCount ?? defaultMaxHeadersCount;
  if (maximum !== 0 && count >= maximum) {
    throw new ClientCertificateError('ERR_HEADER_COUNT_EXCEEDED', { count, maximum });
  }
}
