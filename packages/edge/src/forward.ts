import { randomBytes } from 'node:crypto';
import { Agent as HttpAgent, request as httpRequest, STATUS_CODES } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https';
import { isIP } from 'node:net';
import { pipeline } from 'node:stream';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import type { FieldLine } from './client-cert-fields';
import type { Content, Exchange } from './exchange';
import type { EdgeSettings } from './options';
import { endToEndFieldLines, originRequestFieldLines, pairFieldLines } from './request-fields';

/** Longest message head, in bytes: CloudFront's quota for a request, and for a response of the origin. */
export const maxHeaderBytes = 32_768;

/** CloudFront's answer to a request head that is longer. */
export const headTooLarge = {
  status: 494,
  reason: 'Request Header Too Large',
  body: 'The request header is too large.\n',
};

/** Forwards requests to the origin over connections that all viewers share. */
export interface Forwarder {
  /**
   * Answers one viewer request. Never throws and never rejects: what fails is answered 400, 403, 494 or 502, or cut.
   *
   * @param certificate - What the origin is told of the viewer's certificate.
   */
  forward(exchange: Exchange, certificate: readonly FieldLine[]): void;
  /** Closes the connections to the origin, those in use too. */
  close(): void;
}

/** Methods that may be sent a second time without a second effect (RFC 9110 section 9.2.2). */
const idempotentMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** Methods whose requests have no length when they have no body; all others announce a length of zero. */
const methodsWithoutContent = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'DELETE']);

export function createForwarder(settings: EdgeSettings): Forwarder {
  const { origin, originTls } = settings;
  const originHostname = origin.hostname.replace(/^\[|\]$/g, '');
  const edgeName = `${randomBytes(16).toString('hex')}.cloudfront.net`;
  const agent = originTls
    ? new HttpsAgent({
        keepAlive: true,
        maxCachedSessions: originTls.maxCachedSessions,
        secureContext: originTls.secureContext,
        // The origin's certificate may match the forwarded Host or the origin's own name; a name set in the options
        // stands alone.
        checkServerIdentity: (name: string, certificate: PeerCertificate) => {
          const mismatch = checkServerIdentity(name, certificate);
          if (mismatch === undefined || originTls.servername !== undefined) return mismatch;
          return checkServerIdentity(originHostname, certificate);
        },
      })
    : new HttpAgent({ keepAlive: true });
  const send = originTls ? httpsRequest : httpRequest;

  /** Turns a viewer request into the request to send, or into the status to refuse it with. */
  function prepare(exchange: Exchange, certificate: readonly FieldLine[]): RequestOptions | 400 | 403 | 494 {
    const { method, content } = exchange;
    if (headBytes(exchange) > maxHeaderBytes) return 494;
    const path = originForm(exchange.target);
    const host = settings.host === 'viewer' ? (exchange.host ?? origin.host) : origin.host;
    if (content === 'unknown' || path === undefined || !URL.canParse(`https://${host}`)) return 400;
    if (method === 'GET' && hasBody(content)) return 403;
    const servername = originTls?.servername ?? new URL(`https://${host}`).hostname.replace(/^\[|\]$/g, '');
    const lines = originRequestFieldLines(exchange.fieldLines, settings, {
      host,
      viewerAddress: exchange.viewerAddress.replace(/^::ffff:/, ''),
      framing: framingOf(content, method),
      certificate,
      edgeName,
    });
    return {
      agent,
      host: originHostname,
      port: origin.port,
      method,
      path,
      headers: lines.flat(),
      maxHeaderSize: maxHeaderBytes,
      // TLS server names are names: an address is verified without being sent.
      servername: isIP(servername) ? '' : servername,
    };
  }

  function forward(exchange: Exchange, certificate: readonly FieldLine[]): void {
    const prepared = prepare(exchange, certificate);
    if (typeof prepared === 'number') {
      answer(exchange, prepared);
      return;
    }

    let current: ClientRequest | undefined;
    const attempt = (isRetry: boolean): void => {
      let answered = false;
      const originRequest = send(prepared);
      current = originRequest;
      // Whether the upload failed or the origin answered without reading it: the rest of it leads nowhere, and unread it
      // would block the viewer's connection.
      const giveUpBody = (): void => void exchange.body.unpipe(originRequest).resume();
      originRequest.maxHeadersCount = 0;
      originRequest.once('response', (originResponse) => {
        answered = true;
        passBack(originResponse, exchange);
      });
      // Never asked for. Without a listener node:http would drop the connection and say nothing.
      originRequest.once('upgrade', (_response, socket) => {
        // Not the request: Node 26 leaves the connection open then.
        socket.destroy();
        answer(exchange, 502, 'unexpected upgrade');
      });
      originRequest.on('error', (error: NodeJS.ErrnoException) => {
        // After the response has begun, its own stream tells of the failure.
        if (answered || exchange.response.destroyed) return;
        if (!isRetry && isStaleConnection(originRequest, error) && isRepeatable(exchange)) attempt(true);
        else answer(exchange, 502, error.code);
      });
      originRequest.once('close', () => {
        giveUpBody();
        if (current === originRequest) forgetViewer();
      });
      originRequest.flushHeaders();
      exchange.body.pipe(originRequest);
    };

    const abort = (): void => void current?.destroy();
    const forgetViewer = exchange.onceAbandoned(abort);
    // An error without a listener would end the process.
    exchange.body.on('error', abort);
    exchange.response.on('error', abort);
    try {
      attempt(false);
    } catch {
      // Where node:http refuses to send what it accepted from a viewer, that ends a request and not the process.
      answer(exchange, 400);
    }
  }

  return { forward, close: () => agent.destroy() };
}

function passBack(originResponse: IncomingMessage, exchange: Exchange): void {
  const { statusCode = 502, statusMessage = '', rawHeaders } = originResponse;
  try {
    exchange.respond(statusCode, statusMessage, endToEndFieldLines(pairFieldLines(rawHeaders)));
  } catch {
    originResponse.destroy();
    answer(exchange, 502, 'invalid response');
    return;
  }
  // An error on either side destroys the other: a viewer sees a cut body as cut.
  pipeline(originResponse, exchange.response, () => {});
}

/** Answers in the edge's own name. */
function answer(exchange: Exchange, status: 400 | 403 | 494 | 502, cause?: string): void {
  if (exchange.isAnswered) return;
  const texts = {
    400: 'The edge cannot forward this request.\n',
    403: 'A GET request must not have a body.\n',
    494: headTooLarge.body,
    502: `The origin could not be reached or did not answer${cause === undefined ? '' : ` (${cause})`}.\n`,
  };
  const body = texts[status];
  if (status === 494) exchange.closeAfterResponse();
  exchange.respond(status, STATUS_CODES[status] ?? headTooLarge.reason, [
    ['Content-Type', 'text/plain'],
    ['Content-Length', String(Buffer.byteLength(body))],
  ]);
  exchange.response.end(exchange.method === 'HEAD' ? undefined : body);
  // What nobody reads would block the viewer's connection.
  exchange.body.resume();
}

/** Length of a request head as HTTP/1.1 writes it. */
function headBytes({ method, target, fieldLines }: Exchange): number {
  const lines = [`${method} ${target} HTTP/1.1`, ...fieldLines.map(([name, value]) => `${name}: ${value}`), ''];
  return Buffer.byteLength(lines.join('\r\n'), 'latin1') + 2;
}

/**
 * Frames the body towards the origin, whatever the viewer's field lines say: with a wrong frame on a shared connection, one
 * viewer's body would become another's request.
 */
function framingOf(content: Exclude<Content, 'unknown'>, method: string): FieldLine[] {
  if (content === 'of unknown length') return [['Transfer-Encoding', 'chunked']];
  if (content !== 'none') return [['Content-Length', content.length]];
  return methodsWithoutContent.has(method) ? [] : [['Content-Length', '0']];
}

function hasBody(content: Content): boolean {
  return typeof content === 'object' ? Number(content.length) > 0 : content !== 'none';
}

/** The request target as a path with query. `undefined` for one that cannot be understood. */
function originForm(target: string): string | undefined {
  if (target.startsWith('/') || target === '*') return target;
  if (!URL.canParse(target)) return undefined;
  const { pathname, search } = new URL(target);
  return pathname + search;
}

/** A kept connection that the origin closed while the request was on its way. */
function isStaleConnection(originRequest: ClientRequest, error: NodeJS.ErrnoException): boolean {
  return originRequest.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}

function isRepeatable({ method, content }: Exchange): boolean {
  return idempotentMethods.has(method) && !hasBody(content);
}
