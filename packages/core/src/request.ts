import type { IncomingMessage } from 'node:http';

/** What peercert reads of a request: Node's own object, of HTTP/1.1 or of the HTTP/2 compatibility API. */
export type CertificateRequest = Pick<IncomingMessage, 'rawHeaders' | 'socket'>;

/** Whether the connection is TLS. */
export function isEncrypted(socket: object): boolean {
  return (socket as { encrypted?: unknown }).encrypted === true;
}

/** Whether the request came over HTTP/2. Never so for another one that inherits a word from a polluted Object.prototype. */
export function isHttp2(request: object): boolean {
  return (request as { httpVersionMajor?: unknown }).httpVersionMajor === 2;
}

/** False when the request's server is known and set not to ask TLS clients for certificates. */
export function asksForCertificates({ socket }: CertificateRequest): boolean {
  return (socket as { server?: { requestCert?: unknown } }).server?.requestCert !== false;
}

/** Header lines as they arrived, of requests whose own lists were cleaned by {@link hideHeaders}. */
const received = new WeakMap<object, readonly string[]>();

/** The header lines as they arrived: name, value, name, value. Also after {@link hideHeaders}. */
export function receivedHeaders(request: CertificateRequest): readonly string[] {
  return received.get(request) ?? request.rawHeaders;
}

/**
 * Takes headers away from whoever handles the request later: from `headers`, `headersDistinct` and `rawHeaders`. What
 * arrived is kept aside for {@link receivedHeaders}, so that a second mount sees what the first one saw.
 *
 * @param isHidden - Given a lower-case name.
 */
export function hideHeaders(
  request: CertificateRequest & Partial<Pick<IncomingMessage, 'headers'>>,
  isHidden: (name: string) => boolean,
): void {
  const { rawHeaders } = request;
  const hidden = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] as string).toLowerCase();
    if (isHidden(name)) hidden.add(name);
  }
  if (hidden.size === 0) return;
  if (!received.has(request)) received.set(request, rawHeaders.slice());

  // First `headers`: Node makes them from rawHeaders when first asked, and expects the list to have kept its length.
  const { headers } = request;
  if (headers !== undefined) for (const name of hidden) Reflect.deleteProperty(headers, name);

  // In place, because under HTTP/2 the list cannot be replaced.
  let kept = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (hidden.has((rawHeaders[at] as string).toLowerCase())) continue;
    rawHeaders[kept++] = rawHeaders[at] as string;
    rawHeaders[kept++] = rawHeaders[at + 1] as string;
  }
  rawHeaders.length = kept;

  if ('headersDistinct' in request) {
    Object.defineProperty(request, 'headersDistinct', {
      configurable: true,
      enumerable: true,
      get: () => distinct(rawHeaders),
    });
  }
}

function distinct(rawHeaders: readonly string[]): Record<string, string[]> {
  const headers = Object.create(null) as Record<string, string[]>;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    (headers[(rawHeaders[at] as string).toLowerCase()] ??= []).push(rawHeaders[at + 1] as string);
  }
  return headers;
}
