import { type IncomingMessage, type RequestListener, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Duplex } from 'node:stream';
import { admitRequest, type Authenticator, type ClientIdentity, originServerOptions } from '@peercert/core';
import { clientCertificate as forExpress } from '@peercert/express';
import { clientCertificate as forFastify } from '@peercert/fastify';
import { clientCertificate as forKoa, type ClientCertificateState } from '@peercert/koa';
import express from 'express';
import { fastify } from 'fastify';
import Koa from 'koa';
import { type WebSocket, WebSocketServer } from 'ws';

/** Key and certificate of the origin, PEM. Options after `originServerOptions()` override it. */
export type WebSocketTls = { readonly cert: string; readonly key: string } & Readonly<Record<string, unknown>>;

/** HTTP by a framework and WebSockets beside it, all behind one authenticator. */
export const webSocketOrigins = {
  express(tls: WebSocketTls, authenticator: Authenticator): Server {
    const app = express().use(forExpress(authenticator));
    app.get('/', ({ clientIdentity }, response) => void response.json({ uri: nameOf(clientIdentity) }));
    return withWebSockets(createServer({ ...originServerOptions(), ...tls }, app), authenticator);
  },

  koa(tls: WebSocketTls, authenticator: Authenticator): Server {
    const app = new Koa<ClientCertificateState>().use(forKoa(authenticator));
    app.use((ctx) => {
      ctx.body = { uri: nameOf(ctx.state.clientIdentity) };
    });
    const handle = app.callback() as RequestListener;
    return withWebSockets(createServer({ ...originServerOptions(), ...tls }, handle), authenticator);
  },

  async fastify(tls: WebSocketTls, authenticator: Authenticator): Promise<Server> {
    const app = fastify({ https: { ...originServerOptions(), ...tls } });
    await app.register(forFastify, authenticator);
    app.get('/', ({ clientIdentity }, reply) => reply.send({ uri: nameOf(clientIdentity) }));
    await app.ready();
    return withWebSockets(app.server, authenticator);
  },
};

/** For the judgement, and for the client to take its refusal: Node's own limits end with the upgrade. */
const patienceMs = 10_000;

/** Answers every WebSocket with whom it belongs to, and refuses those that a request would be refused. */
export function withWebSockets<HttpsServer extends Server>(
  server: HttpsServer,
  authenticator: Authenticator,
): HttpsServer {
  const sockets = new WebSocketServer({ noServer: true });

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    // A client may reset the connection while its certificate is judged.
    socket.on('error', () => socket.destroy());
    (socket as IncomingMessage['socket']).setTimeout(patienceMs, () => socket.destroy());
    const admission = await admitRequest(authenticator, request);
    if (!admission.admitted) return refuse(request, socket as IncomingMessage['socket'], admission.refusal);
    return sockets.handleUpgrade(request, socket, head, (peer) => serve(peer, admission.identity));
  }

  return server.on(
    'upgrade',
    (request: IncomingMessage, socket: Duplex, head: Buffer) => void upgrade(request, socket, head),
  );
}

type Refusal = Extract<Awaited<ReturnType<typeof admitRequest>>, { readonly admitted: false }>['refusal'];

/** The response a request would have got. Node has left the socket to whoever handles the upgrade. */
function refuse(request: IncomingMessage, socket: IncomingMessage['socket'], { status, headers, body }: Refusal): void {
  const response = new ServerResponse(request);
  response.assignSocket(socket);
  response.writeHead(status, { ...headers, connection: 'close' });
  response.end(body, () => socket.destroySoon());
}

function serve(peer: WebSocket, identity: ClientIdentity | undefined): void {
  // For frames that are none; ws closes the connection itself.
  peer.on('error', () => {});
  if (identity !== undefined) closeAt(peer, identity.notAfter);
  peer.send(nameOf(identity));
}

const dayMs = 24 * 60 * 60 * 1000;

/** A certificate is judged when the socket opens: nobody looks at it again, so its end must be the socket's. */
function closeAt(peer: WebSocket, end: Date): void {
  let timer: NodeJS.Timeout | undefined;
  const check = (): void => {
    const leftMs = end.getTime() - Date.now();
    if (leftMs <= 0) peer.close(1008, 'certificate expired');
    // A timer of more than 24 days would fire at once.
    else timer = setTimeout(check, Math.min(leftMs, dayMs));
  };
  check();
  peer.on('close', () => clearTimeout(timer));
}

function nameOf(identity: ClientIdentity | undefined): string {
  return identity?.uris[0] ?? 'anonymous';
}
