// A process of its own, started by rows/http.mts: three servers of one framework that differ in what stands before the
// handler.
import { hash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { originServerOptions } from '@peercert/core';
import * as onExpress from '@peercert/express';
import * as onFastify from '@peercert/fastify';
import * as onKoa from '@peercert/koa';
import { createAuthority } from '@peercert/testkit';
import express from 'express';
import { fastify } from 'fastify';
import Koa from 'koa';
import { createOrigin } from './inputs.mjs';

/** What the process is told. Certificates in base64. */
export interface HttpInput {
  readonly framework: keyof typeof listeners;
  readonly root: string;
  readonly edgeRoot: string;
}

/** Our middleware, the least that could stand in its place, or nothing. */
export type Variant = 'ours' | 'digest' | 'bare';

/** Where each variant listens. */
export type Ports = Readonly<Record<Variant, number>>;

const variants = ['ours', 'digest', 'bare'] as const;
const answer = { hello: 'device' };
const known = new Map<string, object>();

/** Reads both fields, digests them and looks the digest up. Knows every client after its first request. */
function lookUp({ headers }: IncomingMessage): object {
  const key = hash('sha256', `${String(headers['client-cert'])}${String(headers['client-cert-chain'])}`, 'binary');
  let client = known.get(key);
  if (client === undefined) known.set(key, (client = {}));
  return client;
}

const listeners = {
  express(variant: Variant, origin: ReturnType<typeof createOrigin>): RequestListener {
    const app = express();
    if (variant === 'ours') app.use(onExpress.clientCertificate(origin));
    if (variant === 'digest') {
      app.use((request, response, next) => {
        response.locals['client'] = lookUp(request);
        next();
      });
    }
    app.get('/', (_request, response) => void response.json(answer));
    return app;
  },

  koa(variant: Variant, origin: ReturnType<typeof createOrigin>): RequestListener {
    const app = new Koa();
    if (variant === 'ours') app.use(onKoa.clientCertificate(origin));
    if (variant === 'digest') {
      app.use(async (context, next) => {
        context.state['client'] = lookUp(context.req);
        await next();
      });
    }
    app.use((context) => {
      context.body = answer;
    });
    return app.callback();
  },

  async fastify(variant: Variant, origin: ReturnType<typeof createOrigin>): Promise<RequestListener> {
    const app = fastify();
    if (variant === 'ours') await app.register(onFastify.clientCertificate, origin);
    if (variant === 'digest') {
      app.decorateRequest('client', null);
      app.addHook('onRequest', async (request) => {
        request.setDecorator('client', lookUp(request.raw));
      });
    }
    app.get('/', async () => answer);
    await app.ready();
    return (request, response) => app.routing(request, response);
  },
};

async function listen(listener: RequestListener): Promise<number> {
  const { privateKeyPem, pem } = createAuthority().issue({ extKeyUsage: ['serverAuth'], dnsNames: ['localhost'] });
  const server = createServer({ key: privateKeyPem, cert: pem, ...originServerOptions() }, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const [{ framework, root, edgeRoot }] = (await once(process, 'message')) as [HttpInput];
const origin = createOrigin([Buffer.from(root, 'base64')], { edge: [Buffer.from(edgeRoot, 'base64')] });
const ports: Record<string, number> = {};
for (const variant of variants) ports[variant] = await listen(await listeners[framework](variant, origin));
process.send?.(ports);
