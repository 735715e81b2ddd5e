import type { RequestListener } from 'node:http';
import * as forExpress from '@peercert/express';
import * as forFastify from '@peercert/fastify';
import * as forKoa from '@peercert/koa';
import type { Authenticator, AuthenticatorOptions } from '@peercert/core';
import express from 'express';
import express4 from 'express4';
import createFastify from 'fastify';
import Koa from 'koa';
import Koa2 from 'koa2';

/** What every handler answers with: who is calling, and where the framework believes the request is from. */
export interface Seen {
  readonly uris: readonly string[] | null;
  readonly address: string | undefined;
}

/** A version of a framework, as a way to make one kind of application. */
export interface Framework {
  readonly name: string;
  /** An application with this mounted on it, that believes `X-Forwarded-For` and answers every GET with {@link Seen}. */
  application(mounted: Authenticator | AuthenticatorOptions): Promise<RequestListener>;
}

/** Both versions have the types of the newer one here: what is used is the same. */
export const expressVersions: readonly (readonly [string, typeof express])[] = [
  ['Express 4', express4 as unknown as typeof express],
  ['Express 5', express],
];

export const koaVersions: readonly (readonly [string, typeof Koa])[] = [
  ['Koa 2', Koa2 as unknown as typeof Koa],
  ['Koa 3', Koa],
];

export const frameworks: readonly Framework[] = [
  ...expressVersions.map(([name, version]) => ({
    name,
    async application(mounted: Authenticator | AuthenticatorOptions): Promise<RequestListener> {
      const app = version();
      app.set('trust proxy', true);
      app.use(forExpress.clientCertificate(mounted));
      app.use((req, res) => void res.json({ uris: req.clientIdentity?.uris ?? null, address: req.ip }));
      return app;
    },
  })),
  ...koaVersions.map(([name, Version]) => ({
    name,
    async application(mounted: Authenticator | AuthenticatorOptions): Promise<RequestListener> {
      const app = new Version<forKoa.ClientCertificateState>({ proxy: true });
      app.use(forKoa.clientCertificate(mounted));
      app.use((ctx) => {
        ctx.body = { uris: ctx.state.clientIdentity?.uris ?? null, address: ctx.ip };
      });
      return app.callback();
    },
  })),
  {
    name: 'Fastify 5',
    async application(mounted: Authenticator | AuthenticatorOptions): Promise<RequestListener> {
      const app = createFastify({ trustProxy: true });
      await app.register(forFastify.clientCertificate, mounted);
      app.get('/', async ({ clientIdentity, ip }) => ({ uris: clientIdentity?.uris ?? null, address: ip }));
      await app.ready();
      return (request, response) => app.routing(request, response);
    },
  },
];
