import { constants } from 'node:crypto';
import { createServer } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import {
  clientCertFieldLines,
  maxForwardedCertificates,
  readPresentedCertificates,
  type FieldLine,
} from './client-cert-fields';
import { createForwarder, maxHeaderBytes } from './forward';
import { resolveOptions, type EdgeOptions } from './options';

/** Where an edge listens. */
export interface EdgeAddress {
  readonly port: number;
  /** Address or name as passed to `listen`. */
  readonly host: string;
  /** Both as a URL without a path, e.g. `https://127.0.0.1:8443`. */
  readonly url: string;
}

/** A TLS reverse proxy that treats viewers and the origin as CloudFront does with viewer mTLS in passthrough mode. */
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

/**
 * Makes an edge: a stand-in for a CloudFront distribution with viewer mTLS in passthrough mode, for development and
 * tests. It listens when told to.
 *
 * Viewers speak HTTP/1.1 and may present any certificate or none: the TLS handshake proves that they hold the private
 * key and nothing more. What they present reaches the origin as `Client-Cert` and `Client-Cert-Chain` (RFC 9440).
 *
 * WARNING: validates no client certificate; that is the origin's task. Not built to face the internet.
 *
 * @throws TypeError or RangeError for options that cannot work, saying what was received and what to pass.
 */
export function createEdge(options: EdgeOptions): Edge {
  const settings = resolveOptions(options);
  const forwarder = createForwarder(settings);
  /** By TLS connection: a viewer keeps the certificate of its handshake for as long as it is connected. */
  const clientCerts = new WeakMap<Socket, readonly FieldLine[]>();
  const sockets = new Set<Socket>();

  const server = createServer(
    {
      ...settings.tls,
      requestCert: true,
      rejectUnauthorized: false,
      // Empty and not absent: absent means the public roots. With no anchor nothing is verified, and what the viewer
      // presented can be read as presented.
      ca: [],
      // A resumed session would carry the first certificate only; after renegotiation there could be another one.
      secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
      maxHeaderSize: maxHeaderBytes,
    },
    (viewerRequest, viewerResponse) => {
      const clientCert = clientCerts.get(viewerRequest.socket);
      // Unknown is not the same as no certificate.
      if (clientCert === undefined) viewerRequest.socket.destroy();
      else forwarder.forward(viewerRequest, viewerResponse, clientCert);
    },
  );
  // Node would silently drop lines beyond a count; the size is bounded already.
  server.maxHeadersCount = 0;

  // Ahead of the listener of node:https, so that no request of a connection is seen before its certificates.
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    const certificates = readPresentedCertificates(socket, maxForwardedCertificates + 1);
    if (certificates.length > maxForwardedCertificates && settings.chainTooDeep === 'refuse-connection') {
      socket.destroy();
      return;
    }
    clientCerts.set(socket, clientCertFieldLines(certificates.slice(0, maxForwardedCertificates), settings));
  });

  // All of them, since `closeAllConnections` does not know a connection that is still in its TLS handshake.
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
