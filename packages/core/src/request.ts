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
const receivedLines = new WeakMap<object, readonly string[]>();

/** The header lines as they arrived: name, value, name, value. Also after {@link hideHeaders}. */
export function receivedHeaders(request: CertificateRequest): readonly string[] {
  return receivedLines.get(request) ?? request.rawHeaders;
}

/** Names remembered at most. Senders choose them: when there are more, all are forgotten. */
const maxRememberedNames = 1_000;

/** Which header names are hidden from handlers. Remembers each spelling it was asked about. */
export class HiddenNames {
  readonly #isHidden: (name: string) => boolean;
  readonly #known = new Map<string, string | undefined>();

  /** @param isHidden - Given a lower-case name. */
  constructor(isHidden: (name: string) => boolean) {
    this.#isHidden = isHidden;
  }

  /** The name in lower case if it is hidden, otherwise undefined. */
  find(received: string): string | undefined {
    const known = this.#known.get(received);
    if (known !== undefined || this.#known.has(received)) return known;
    const name = received.toLowerCase();
    const hidden = this.#isHidden(name) ? name : undefined;
    if (this.#known.size >= maxRememberedNames) this.#known.clear();
    this.#known.set(received, hidden);
    return hidden;
  }
}

/**
 * Takes headers away from whoever handles the request later: from `headers`, `headersDistinct` and `rawHeaders`. What
 * arrived is kept aside for {@link receivedHeaders}, so that a second mount sees what the first one saw.
 */
export function hideHeaders(
  request: CertificateRequest & Partial<Pick<IncomingMessage, 'headers'>>,
  names: HiddenNames,
): void {
  const { rawHeaders } = request;
  const hidden: string[] = [];
  let headers: IncomingMessage['headers'] | undefined;
  let kept = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const received = rawHeaders[at] as string;
    const name = names.find(received);
    if (name !== undefined) {
      if (hidden.length === 0) {
        // First of all: Node makes `headers` from rawHeaders when first asked, and expects the list to have kept its length.
        ({ headers } = request);
        keepAside(request);
      }
      hidden.push(name);
      continue;
    }
    if (kept < at) {
      // In place, because under HTTP/2 the list cannot be replaced.
      rawHeaders[kept] = received;
      rawHeaders[kept + 1] = rawHeaders[at + 1] as string;
    }
    kept += 2;
  }
  if (hidden.length === 0) return;
  rawHeaders.length = kept;
  // From the last to the first: an object stays fast as long as what was added last goes first.
  if (headers !== undefined) for (const name of hidden.toReversed()) Reflect.deleteProperty(headers, name);
  if ('headersDistinct' in request) Object.defineProperty(request, 'headersDistinct', headersDistinct);
}

function keepAside(request: CertificateRequest): void {
  if (!receivedLines.has(request)) receivedLines.set(request, request.rawHeaders.slice());
}

/** Node's own would look for the headers that are gone. */
const headersDistinct: PropertyDescriptor & ThisType<CertificateRequest> = {
  configurable: true,
  enumerable: true,
  get() {
    return distinct(this.rawHeaders);
  },
};

function distinct(rawHeaders: readonly string[]): Record<string, string[]> {
  const headers = Object.create(null) as Record<string, string[]>;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    (headers[(rawHeaders[at] as string).toLowerCase()] ??= []).push(rawHeaders[at + 1] as string);
  }
  return headers;
}
