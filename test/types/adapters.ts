/** What the compiler knows in the handlers of each framework. Nothing here runs: see options.ts. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AuthenticatorOptions, ClientIdentity } from '@peercert/core';
import * as forExpress from '@peercert/express';
import * as forFastify from '@peercert/fastify';
import * as forKoa from '@peercert/koa';
import { fakeAuthenticator } from '@peercert/testkit';
import express from 'express';
import fastify from 'fastify';
import Koa from 'koa';

declare const options: AuthenticatorOptions;

export function inExpress(): void {
  const app = express();
  app.use(forExpress.clientCertificate(options));
  app.use('/shared', forExpress.clientCertificate(fakeAuthenticator()));
  app.use('/admin', forExpress.requireClientIdentity({ uri: 'spiffe://example.com/ops/alice' }));
  app.use(
    '/own',
    forExpress.requireClientIdentity((identity, request) => identity.uris[0] === request.url),
  );
  app.use('/public', forExpress.requireChannel(options.source.channel));
  app.get('/', (request, response) => {
    const identity: ClientIdentity | undefined = request.clientIdentity;
    // @ts-expect-error -- perhaps the client is anonymous
    console.log(request.clientIdentity.uris);
    // @ts-expect-error -- misspelt
    console.log(request.clientIdentiy);
    response.json([identity?.uris, forExpress.clientIdentityOf(request).uris]);
  });
  // @ts-expect-error -- options, or an authenticator
  app.use(forExpress.clientCertificate());
  // @ts-expect-error -- a source alone does not say whom to believe
  app.use(forExpress.clientCertificate(options.source));
  // @ts-expect-error -- an authenticator is not a channel proof
  app.use(forExpress.requireChannel(fakeAuthenticator()));
}

export function inConnect(): void {
  // Middleware typed by what it uses also fits plain node:http.
  createServer((request: IncomingMessage, response) => {
    void forExpress.clientCertificate(options)(request, response, () => response.end());
  });
}

export function inKoa(): void {
  const app = new Koa();
  app.use(forKoa.clientCertificate(options));
  app.use(forKoa.requireClientIdentity((identity, ctx) => identity.uris[0] === ctx.path));
  app.use(forKoa.requireChannel(options.source.channel));
  app.use((ctx) => {
    const identity: ClientIdentity = forKoa.clientIdentityOf(ctx);
    // @ts-expect-error -- Koa's context: the request of node:http is inside
    forKoa.clientIdentityOf(ctx.request.headers);
    ctx.body = identity.uris;
  });
  new Koa<forKoa.ClientCertificateState>().use((ctx) => {
    const identity: ClientIdentity | undefined = ctx.state.clientIdentity;
    // @ts-expect-error -- perhaps the client is anonymous
    console.log(ctx.state.clientIdentity.uris);
    ctx.body = identity?.uris;
  });
  // @ts-expect-error -- options, or an authenticator
  app.use(forKoa.clientCertificate({}));
}

export async function inFastify(): Promise<void> {
  const app = fastify();
  await app.register(forFastify.clientCertificate, options);
  await app.register(forFastify.clientCertificate, fakeAuthenticator());
  // @ts-expect-error -- options, or an authenticator
  await app.register(forFastify.clientCertificate, { presence: 'optional' });
  // @ts-expect-error -- misspelt
  await app.register(forFastify.clientCertificate, { ...options, maxIntermediate: 2 });
  app.get('/', (request) => {
    const identity: ClientIdentity | undefined = request.clientIdentity;
    // @ts-expect-error -- perhaps the client is anonymous
    console.log(request.clientIdentity.uris);
    return [identity?.uris, forFastify.clientIdentityOf(request).uris];
  });
  const onRequest = forFastify.requireClientIdentity((identity, request) => identity.uris[0] === request.url);
  app.get('/own', { onRequest }, async () => 'yours');
  app.get('/public', { onRequest: forFastify.requireChannel(options.source.channel) }, async () => 'public');
  // @ts-expect-error -- a request is not asked for before it is there
  forFastify.clientIdentityOf(app);
}

export async function inTests(): Promise<void> {
  fakeAuthenticator({ uris: ['urn:device:1'] });
  // @ts-expect-error -- uris
  fakeAuthenticator({ uri: 'urn:device:1' });
}
