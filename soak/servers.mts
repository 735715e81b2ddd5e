import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import {
  admitRequest,
  type Authenticator,
  ClientCertificateError,
  clientIdentityOf,
  cloudFront,
  createTrustDomains,
  originMtls,
  originServerOptions,
  type TrustProvider,
} from '@peercert/core';
import * as onExpress from '@peercert/express';
import * as onFastify from '@peercert/fastify';
import * as onKoa from '@peercert/koa';
import { Router } from '@koa/router';
import { fakeAuthenticator, TEST_TIME } from '@peercert/testkit';
import express from 'express';
import { fastify } from 'fastify';
import Koa from 'koa';
import type { Credentials } from './cases.mjs';
import type { Oracle } from './oracle.mjs';

/** The authenticator of each path. */
type Mounts = Readonly<Record<string, Authenticator>>;

const listeners: readonly ((mounts: Mounts) => RequestListener | Promise<RequestListener>)[] = [
  function onNode(mounts) {
    return async (request, response) => {
      const admission = await admitRequest(mounts[request.url ?? ''] as Authenticator, request);
      if (admission.admitted) return response.end(JSON.stringify({ uri: admission.identity?.uris[0] }));
      const { status, headers, body } = admission.refusal;
      return response.writeHead(status, headers).end(body);
    };
  },

  function inExpress(mounts) {
    const app = express();
    for (const [path, authenticator] of Object.entries(mounts)) {
      app.use(path, onExpress.clientCertificate(authenticator));
      app.get(path, (request, response) => void response.json({ uri: clientIdentityOf(request).uris[0] }));
    }
    return app;
  },

  function inKoa(mounts) {
    const router = new Router();
    for (const [path, authenticator] of Object.entries(mounts)) {
      router.get(path, onKoa.clientCertificate(authenticator), (ctx) => {
        ctx.body = { uri: onKoa.clientIdentityOf(ctx).uris[0] };
      });
    }
    return new Koa().use(router.routes()).callback();
  },

  async function inFastify(mounts) {
    const app = fastify();
    for (const [path, authenticator] of Object.entries(mounts)) {
      await app.register(
        async (routes) => {
          await routes.register(onFastify.clientCertificate, authenticator);
          routes.get('', async (request) => ({ uri: onFastify.clientIdentityOf(request).uris[0] }));
        },
        { prefix: path },
      );
    }
    await app.ready();
    return (request, response) => app.routing(request, response);
  },
];

export interface OriginsOptions {
  /** The trust domain of each path. */
  readonly trust: Readonly<Record<string, TrustProvider>>;
  readonly edge: { readonly trust: TrustProvider; readonly dnsName: string };
  readonly tls: Credentials;
  readonly lie: boolean;
}

/** One origin for each framework, which the oracle watches. Each has trust domains of its own over the same stores. */
export async function startOrigins(
  { trust, edge, tls, lie }: OriginsOptions,
  oracle: Oracle,
): Promise<readonly Server[]> {
  return Promise.all(
    listeners.map(async (listenerOf) => {
      const channel = originMtls({ trust: edge.trust, dnsNames: [edge.dnsName] });
      const source = cloudFront({ channel });
      const domains = createTrustDomains({ trust, source, clock: () => TEST_TIME.getTime() });
      const mounts = Object.keys(trust).map((path) => {
        const authenticator = domains.authenticator(path);
        return [path, lie ? lying(authenticator) : authenticator] as const;
      });
      const listener = await listenerOf(Object.fromEntries(mounts));
      const server = createServer({ ...tls, ...originServerOptions() }, (request, response) => {
        oracle.watch(request, response);
        listener(request, response);
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
}

export function portsOf(servers: readonly Server[]): readonly number[] {
  return servers.map((server) => (server.address() as AddressInfo).port);
}

export async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

/** Lets somebody in as somebody else, and keeps somebody out, now and then. */
function lying(authenticator: Authenticator): Authenticator {
  const somebody = fakeAuthenticator({ uris: ['urn:soak:somebody'] });
  const nobody = fakeAuthenticator(new ClientCertificateError('ERR_INTERNAL', {}));
  let count = 0;
  return {
    authenticate(request) {
      count++;
      if (count % 10 === 0) return somebody.authenticate(request);
      return count % 10 === 5 ? nobody.authenticate(request) : authenticator.authenticate(request);
    },
  };
}
