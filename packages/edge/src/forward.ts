import { randomBytes } from 'node:crypto';
import { Agent as HttpAgent, request as httpRequest, STATUS_CODES, type ClientRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https';
import { isIP } from 'node:net';
import { pipeline } from 'node:stream';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import type { FieldLine } from './client-cert-fields';
import type { EdgeSettings } from './options';
import { endToEndFieldLines, originRequestFieldLines } from './request-fields';

/** Longest message head, in bytes: CloudFront's quota for a request, and for a response of the origin. */
export const maxHeaderBytes = 32_768;

/** Forwards requests to the origin over connections that all viewers share. */
export interface Forwarder {
  /** Answers one viewer request. Never throws and never rejects: what fails is answered 400, 403 or 502, or cut. */
  forward(viewerRequest: IncomingMessage, viewerResponse: ServerResponse, clientCert: readonly FieldLine[]): void;
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
  function prepare(viewerRequest: IncomingMessage, clientCert: readonly FieldLine[]): RequestOptions | 400 | 403 {
    const { method = 'GET', rawHeaders, headers, socket } = viewerRequest;
    const framing = bodyFraming(viewerRequest);
    const path = originForm(viewerRequest.url ?? '');
    const host = settings.host === 'viewer' ? (headers.host ?? origin.host) : origin.host;
    if (framing === undefined || path === undefined || !URL.canParse(`https://${host}`)) return 400;
    if (method === 'GET' && hasBody(framing)) return 403;
    const servername = originTls?.servername ?? new URL(`https://${host}`).hostname.replace(/^\[|\]$/g, '');
    const lines = originRequestFieldLines(rawHeaders, settings, {
      host,
      viewerAddress: (socket.remoteAddress ?? '').replace(/^::ffff:/, ''),
      framing,
      clientCert,
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

  function forward(
    viewerRequest: IncomingMessage,
    viewerResponse: ServerResponse,
    clientCert: readonly FieldLine[],
  ): void {
    const prepared = prepare(viewerRequest, clientCert);
    if (typeof prepared === 'number') {
      answer(viewerResponse, prepared);
      return;
    }

    let current: ClientRequest | undefined;
    const attempt = (isRetry: boolean): void => {
      let answered = false;
      const originRequest = send(prepared);
      current = originRequest;
      // Whether the upload failed or the origin answered without reading it: the rest of it leads nowhere, and unread it
      // would block the viewer's connection.
      const giveUpBody = (): void => void viewerRequest.unpipe(originRequest).resume();
      originRequest.maxHeadersCount = 0;
      originRequest.once('response', (originResponse) => {
        answered = true;
        passBack(originResponse, viewerResponse);
      });
      // Never asked for. Without a listener node:http would drop the connection and say nothing.
      originRequest.once('upgrade', () => {
        originRequest.destroy();
        answer(viewerResponse, 502, 'unexpected upgrade');
      });
      originRequest.on('error', (error: NodeJS.ErrnoException) => {
        // After the response has begun, its own stream tells of the failure.
        if (answered || viewerResponse.destroyed) return;
        if (!isRetry && isStaleConnection(originRequest, error) && isRepeatable(viewerRequest)) attempt(true);
        else answer(viewerResponse, 502, error.code);
      });
      originRequest.once('close', () => {
        giveUpBody();
        if (current === originRequest) viewerRequest.socket.off('close', abort);
      });
      originRequest.flushHeaders();
      viewerRequest.pipe(originRequest);
    };

    const abort = (): void => void current?.destroy();
    // Of the socket: once the response is complete, node:http reports a broken upload neither on request nor response.
    viewerRequest.socket.once('close', abort);
    // An error without a listener would end the process.
    viewerRequest.on('error', abort);
    viewerResponse.on('error', abort);
    try {
      attempt(false);
    } catch {
      // Where node:http refuses to send what it accepted from a viewer, that ends a request and not the process.
      answer(viewerResponse, 400);
    }
  }

  return { forward, close: () => agent.destroy() };
}

function passBack(originResponse: IncomingMessage, viewerResponse: ServerResponse): void {
  const lines = endToEndFieldLines(originResponse.rawHeaders);
  try {
    viewerResponse.writeHead(originResponse.statusCode ?? 502, originResponse.statusMessage ?? '', lines.flat());
  } catch {
    originResponse.destroy();
    answer(viewerResponse, 502, 'invalid response');
    return;
  }
  // The viewer learns of the response now, not with the first byte of its body.
  viewerResponse.flushHeaders();
  // An error on either side destroys the other: a viewer sees a cut body as cut.
  pipeline(originResponse, viewerResponse, () => {});
}

/** Answers in the edge's own name. */
function answer(viewerResponse: ServerResponse, status: 400 | 403 | 502, reason?: string): void {
  if (viewerResponse.headersSent || viewerResponse.destroyed) return;
  const texts = {
    400: 'The edge cannot forward this request.',
    403: 'A GET request must not have a body.',
    502: `The origin could not be reached or did not answer${reason === undefined ? '' : ` (${reason})`}.`,
  };
  const body = `${texts[status]}\n`;
  // With its reason, because a response of the origin that could not be written has left its own behind.
  viewerResponse.writeHead(status, STATUS_CODES[status], {
    'Content-Type': 'text/plain',
    'Content-Length': Buffer.byteLength(body),
  });
  viewerResponse.end(body);
}

/**
 * Decides how the body is framed towards the origin. `undefined` for a transfer coding the edge does not know: with a
 * wrong frame on a shared connection, one viewer's body would become another's request.
 */
function bodyFraming({ headers, method = 'GET' }: IncomingMessage): FieldLine[] | undefined {
  const coding = headers['transfer-encoding'];
  if (coding !== undefined) return coding.toLowerCase() === 'chunked' ? [['Transfer-Encoding', 'chunked']] : undefined;
  const length = headers['content-length'];
  if (length !== undefined) return [['Content-Length', length]];
  return methodsWithoutContent.has(method) ? [] : [['Content-Length', '0']];
}

function hasBody(framing: readonly FieldLine[]): boolean {
  return framing.some(([name, value]) => name === 'Transfer-Encoding' || Number(value) > 0);
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

function isRepeatable(viewerRequest: IncomingMessage): boolean {
  return idempotentMethods.has(viewerRequest.method ?? '') && !hasBody(bodyFraming(viewerRequest) ?? []);
}
