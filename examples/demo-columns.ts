import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { originMtls, sharedSecret, TrustStore } from '@peercert/core';
import { createEdge, type EdgeOptions } from '@peercert/edge';
import { createExpressOrigin } from './express-origin';
import { createFastifyOrigin } from './fastify-origin';
import { createKoaOrigin } from './koa-origin';
import { createNativeOrigin } from './native-origin';
import type { OriginOptions } from './origin-options';
import type { DemoPki } from './pki';

/** A way to an origin. Every way but the second leads through an edge of its own, where there are edges. */
export type Way =
  | 'the edge'
  | 'straight at the origin'
  | 'an edge of another CA'
  | 'an edge with another name'
  | 'an edge with a wrong secret'
  | 'an edge with the old secret, while both are live'
  | 'an edge with the old secret, after it was removed'
  | 'an edge in required mode'
  | 'an edge in required mode that says so'
  | 'an edge in optional mode'
  | 'the edge, to an origin that only reports'
  | 'the edge, to an origin that nobody else calls';

/** An open way: where to connect, and how many connections have reached the origin that it leads to. */
export interface Door {
  readonly port: number;
  readonly originConnections: () => number;
}

/** Origins of one framework that are listening, and the edges before them. */
export interface Column {
  readonly column: 'express' | 'koa' | 'fastify' | 'native';
  readonly doors: { readonly [way in Way]?: Door };
  close(): Promise<void>;
}

/** Starts the origins, and the edges before those that are meant to stand behind CloudFront. */
export async function startColumns(pki: DemoPki): Promise<readonly Column[]> {
  return Promise.all([
    behindEdges('express', async (options) => createExpressOrigin(options), pki),
    behindEdges('koa', async (options) => createKoaOrigin(options), pki),
    behindEdges('fastify', createReadyFastifyOrigin, pki),
    withoutEdges('native', async (options) => createNativeOrigin(options), pki),
  ]);
}

async function createReadyFastifyOrigin(options: OriginOptions): Promise<Server> {
  const app = createFastifyOrigin(options);
  await app.ready();
  return app.server;
}

type CreateOrigin<Options> = (options: Options) => Promise<Server>;

async function behindEdges(
  column: Column['column'],
  create: CreateOrigin<OriginOptions>,
  pki: DemoPki,
): Promise<Column> {
  const [oldSecret, newSecret, wrongSecret] = [randomSecret(), randomSecret(), randomSecret()];
  const viewers = TrustStore.fromPem(pki.viewerAnchors);
  const mtls = originMtls({ trust: TrustStore.fromPem(pki.edgeAnchor), dnsNames: pki.edgeDnsNames });
  const started: (() => Promise<void>)[] = [];

  const originWith = async (options: Omit<OriginOptions, 'tls' | 'viewers'>): Promise<Door> => {
    return open(await create({ tls: pki.server, viewers, ...options }), started);
  };
  const secretOrigin = async (...secrets: string[]): Promise<Door> => {
    return originWith({ channel: sharedSecret({ header: secretHeader, secrets }) });
  };
  const origin = await originWith({ channel: mtls });
  const rotating = await secretOrigin(newSecret, oldSecret);
  const rotated = await secretOrigin(newSecret);
  const reporting = await originWith({ channel: mtls, enforcement: 'report-only' });
  const quiet = await originWith({ channel: mtls });

  const edgeTo = async (
    { port: originPort, originConnections }: Door,
    shown: Partial<DemoPki['edge']>,
    options: Partial<EdgeOptions> = {},
  ): Promise<Door> => {
    const edge = createEdge({
      origin: `https://127.0.0.1:${originPort}`,
      tls: pki.server,
      originTls: { ...shown, ca: pki.serverAnchor, servername: 'localhost' },
      ...options,
    });
    const { port } = await edge.listen();
    started.push(() => edge.close());
    return { port, originConnections };
  };
  const secret = (value: string): Partial<EdgeOptions> => ({ originHeaders: { [secretHeader]: value } });
  const required = { mode: 'required', trust: viewers, viewerCertHeaders: [] } as const;

  return {
    column,
    doors: {
      'the edge': await edgeTo(origin, pki.edge),
      'straight at the origin': origin,
      'an edge of another CA': await edgeTo(origin, pki.foreignEdge),
      'an edge with another name': await edgeTo(origin, pki.misnamedEdge),
      'an edge with a wrong secret': await edgeTo(rotating, {}, secret(wrongSecret)),
      'an edge with the old secret, while both are live': await edgeTo(rotating, {}, secret(oldSecret)),
      'an edge with the old secret, after it was removed': await edgeTo(rotated, {}, secret(oldSecret)),
      'an edge in required mode': await edgeTo(origin, pki.edge, required),
      'an edge in required mode that says so': await edgeTo(origin, pki.edge, {
        ...required,
        viewerCertHeaders: ['CloudFront-Viewer-Cert-Present'],
      }),
      'an edge in optional mode': await edgeTo(origin, pki.edge, { mode: 'optional', trust: viewers }),
      'the edge, to an origin that only reports': await edgeTo(reporting, pki.edge),
      'the edge, to an origin that nobody else calls': await edgeTo(quiet, pki.edge),
    },
    close: () => closeAll(started),
  };
}

async function withoutEdges(
  column: Column['column'],
  create: CreateOrigin<Omit<OriginOptions, 'channel'>>,
  pki: DemoPki,
): Promise<Column> {
  const started: (() => Promise<void>)[] = [];
  const options = { tls: pki.server, viewers: TrustStore.fromPem(pki.viewerAnchors) };
  return {
    column,
    doors: {
      'the edge': await open(await create(options), started),
      'the edge, to an origin that only reports': await open(
        await create({ ...options, enforcement: 'report-only' }),
        started,
      ),
    },
    close: () => closeAll(started),
  };
}

const secretHeader = 'X-Origin-Secret';

function randomSecret(): string {
  return randomBytes(32).toString('base64');
}

async function open(server: Server, started: (() => Promise<void>)[]): Promise<Door> {
  let connections = 0;
  server.on('secureConnection', () => (connections += 1));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  started.push(() => close(server));
  return { port: (server.address() as AddressInfo).port, originConnections: () => connections };
}

/** In reverse: edges before the origins behind them. */
async function closeAll(started: readonly (() => Promise<void>)[]): Promise<void> {
  for (const closeOne of started.toReversed()) await closeOne();
}

async function close(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}
