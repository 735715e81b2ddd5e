import { once } from 'node:events';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TrustStore } from '@peercert/core';
import { createEdge } from '@peercert/edge';
import { createExpressOrigin } from './express-origin';
import { createFastifyOrigin } from './fastify-origin';
import { createKoaOrigin } from './koa-origin';
import { createNativeOrigin } from './native-origin';
import type { DemoPki } from './pki';

/** An origin that is listening, and the edge before it if it has one. */
export interface Column {
  readonly column: 'express' | 'koa' | 'fastify' | 'native';
  /** Where viewers connect: the edge, or the origin itself when there is none. */
  readonly viewerPort: number;
  /** The origin behind the edge, for those who know where it is. */
  readonly originPort?: number;
  close(): Promise<void>;
}

/** Starts the four origins, and an edge before each one that is meant to stand behind CloudFront. */
export async function startColumns(pki: DemoPki): Promise<readonly Column[]> {
  const options = {
    tls: pki.server,
    viewers: TrustStore.fromPem(pki.viewerAnchors),
    edge: TrustStore.fromPem(pki.edgeAnchor),
  };
  const native = createNativeOrigin(options);
  const fastify = createFastifyOrigin(options);
  await fastify.ready();
  return Promise.all([
    behindEdge('express', createExpressOrigin(options), pki),
    behindEdge('koa', createKoaOrigin(options), pki),
    behindEdge('fastify', fastify.server, pki),
    listen(native).then((viewerPort): Column => ({ column: 'native', viewerPort, close: () => close(native) })),
  ]);
}

async function behindEdge(column: Column['column'], origin: Server, pki: DemoPki): Promise<Column> {
  const originPort = await listen(origin);
  const edge = createEdge({
    origin: `https://127.0.0.1:${originPort}`,
    tls: pki.server,
    originTls: { ...pki.edge, ca: pki.serverAnchor, servername: 'localhost' },
  });
  const { port } = await edge.listen();
  const closeBoth = async (): Promise<void> => {
    await edge.close();
    await close(origin);
  };
  return { column, viewerPort: port, originPort, close: closeBoth };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function close(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}
