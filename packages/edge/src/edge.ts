import { constants } from 'node:crypto';
import { createServer as createHttp1Server, type ServerResponse } from 'node:http';
import { type IncomingHttpHeaders, performServerHandshake, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { FieldLine } from './client-cert-fields';
import { createForwarder, headTooLarge, maxHeaderBytes } from './forward';
import { http1Exchange } from './http1-exchange';
import { http2Exchange } from './http2-exchange';
import { resolveOptions, type EdgeOptions } from './options';
import { admitViewer } from './viewer-certificate';

/** Where an edge listens. */
export interface EdgeAddress {
  /** The port chosen, where none was given. */
  readonly port: number;
  /** Address or name as passed to `listen`. */
  readonly host: string;
  /** Both as a URL without a path, e.g. `https://127.0.0.1:8443`. */
  readonly url: string;
}

/** A TLS reverse proxy that treats viewers and the origin as CloudFront does with viewer mTLS. */
export interface Edge {
  /**
   * Starts to accept viewers. An edge listens once in its life.
   *
   * @param port - Default 0: a free one.
   * @param host - Default `127.0.0.1`.
   * @throws Rejects with the error of `node:net` when the address cannot be used, and with an Error when this edge
   *   has listened before or was closed.
   */
  listen(port?: number, host?: string): Promise<EdgeAddress>;
  /** Stops: closes every connection to viewers and to the origin, cutting requests in progress. Can be repeated. */
  close(): Promise<void>;
}

/** A viewer that speaks HTTP/1.1, by its TLS connection: the certificate of the handshake holds as long as that. */
interface Http1Viewer {
  readonly certificate: readonly FieldLine[];
  /** Responses that are not complete. */
  readonly responses: Set<ServerResponse>;
}

/** Field lines of a request over HTTP/2, which may be as many as fit into the length that is allowed. */
const maxHeaderListPairs = 65_536;
/** Above the limit that is answered with 494: beyond this one, node:http2 ends the session. */
const maxHeaderListSize = 4 * maxHeaderBytes;

/**
 * Makes an edge: a stand-in for a CloudFront distribution with viewer mTLS, for development and tests. It listens when told
 * to.
 *
 * Viewers speak HTTP/2 or HTTP/1.1. In passthrough mode, the default, they may present any certificate or none: the TLS
 * handshake proves that they hold the private key and nothing more. What they present reaches the origin as `Client-Cert`
 * and `Client-Cert-Chain` (RFC 9440).
 *
 * WARNING: in passthrough mode validates no client certificate; that is the origin's task. Not built to face the internet.
 *
 * @throws TypeError or RangeError for options that cannot work, saying what was received and what to pass.
 */
export function createEdge(options: EdgeOptions): Edge {
  const settings = resolveOptions(options);
  const forwarder = createForwarder(settings);
  const http1Viewers = new WeakMap<Socket, Http1Viewer>();
  const sockets = new Set<Socket>();

  const http1 = createHttp1Server({ maxHeaderSize: maxHeaderBytes }, (request, response) => {
    const viewer = http1Viewers.get(request.socket);
    // Unknown is not the same as no certificate.
    if (viewer === undefined) {
      request.socket.destroy();
      return;
    }
    viewer.responses.add(response);
    response.once('close', () => viewer.responses.delete(response));
    forwarder.forward(http1Exchange(request, response), viewer.certificate);
  });
  // Node would silently drop lines beyond a count; the size is bounded already.
  http1.maxHeadersCount = 0;
  http1.on('clientError', (error, socket) => refuseHttp1(error, socket as Socket, http1Viewers.get(socket as Socket)));

  function serveHttp2(socket: TLSSocket, certificate: readonly FieldLine[]): void {
    const { remoteAddress = '' } = socket;
    const session = performServerHandshake(socket, { maxHeaderListPairs, settings: { maxHeaderListSize } });
    // An error without a listener would end the process, of the session as of its streams.
    session.on('error', () => {});
    session.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _: number, rawHeaders: string[]) => {
      stream.on('error', () => {});
      const exchange = http2Exchange(stream, headers, rawHeaders, remoteAddress);
      // Answered before it began: the viewer has cancelled it.
      if (!exchange.isAnswered) forwarder.forward(exchange, certificate);
    });
  }

  const server = createTlsServer({
    ...settings.tls,
    ALPNProtocols: ['h2', 'http/1.1'],
    requestCert: true,
    rejectUnauthorized: false,
    // Empty and not absent: absent means the public roots. With no anchor nothing is verified here, and what the viewer
    // presented can be read as presented.
    ca: [],
    // A resumed session would carry the first certificate only; after renegotiation there could be another one.
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  });

  server.on('secureConnection', (socket: TLSSocket) => {
    // An error without a listener would end the process.
    socket.on('error', () => socket.destroy());
    const serve = (certificate: readonly FieldLine[] | undefined): void => {
      if (certificate === undefined || socket.destroyed) {
        socket.destroy();
      } else if (socket.alpnProtocol === 'h2') {
        serveHttp2(socket, certificate);
      } else {
        http1Viewers.set(socket, { certificate, responses: new Set() });
        http1.emit('connection', socket);
      }
    };
    try {
      const admitted = admitViewer(socket, settings);
      if (admitted instanceof Promise) void admitted.then(serve).catch(() => socket.destroy());
      else serve(admitted);
    } catch {
      // A certificate that cannot be written down ends its own connection and not the process.
      socket.destroy();
    }
  });

  // All of them, since a connection that is still in its TLS handshake is known to nobody else.
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });

  let state: 'new' | 'listening' | 'closed' = 'new';
  return {
    async listen(port = 0, host = '127.0.0.1') {
      if (state !== 'new') throw new Error('An edge listens once: make another with createEdge');
      state = 'listening';
      await new Promise<void>((resolve, reject) => {
        // Stays for good: an error of a listening server (no free file descriptors, say) ends no process.
        server.on('error', reject);
        server.once('close', () => reject(new Error('This edge was closed before it listened')));
        server.listen(port, host, resolve);
      });
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : port;
      return { port: bound, host, url: `https://${host.includes(':') ? `[${host}]` : host}:${bound}` };
    },
    async close() {
      state = 'closed';
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      forwarder.close();
      await closed;
    },
  };
}

/** Answers what is no HTTP/1.1 request, or a head that is too large, and closes the connection. */
function refuseHttp1(error: NodeJS.ErrnoException, socket: Socket, viewer: Http1Viewer | undefined): void {
  // In the middle of a response there is no place for another one.
  const isInResponse = [...(viewer?.responses ?? [])].some(({ headersSent }) => headersSent);
  if (!socket.writable || isInResponse) {
    socket.destroy();
    return;
  }
  const isTooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const { status, reason, body } = isTooLarge ? headTooLarge : { status: 400, reason: 'Bad Request', body: '' };
  const fields = `Content-Type: text/plain\r\nContent-Length: ${body.length}\r\nConnection: close`;
  socket.end(`HTTP/1.1 ${status} ${reason}\r\n${fields}\r\n\r\n${body}`, () => socket.destroy());
}
