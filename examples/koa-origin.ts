import { createServer, type Server } from 'node:https';
import {
  clientCertificate,
  type ClientCertificateState,
  clientIdentityOf,
  cloudFront,
  originServerOptions,
  requireClientIdentity,
} from '@peercert/koa';
import Koa from 'koa';
import type { OriginOptions } from './origin-options';

/**
 * A Koa origin behind CloudFront: `/optional` is open to clients without a certificate, everything else is not, and
 * `/admin` only to one of them.
 */
export function createKoaOrigin({ tls, viewers, channel, enforcement = 'enforce' }: OriginOptions): Server {
  const certificates = { trust: viewers, source: cloudFront({ channel }), enforcement };
  const required = clientCertificate({ ...certificates, presence: 'required' });
  const optional = clientCertificate({ ...certificates, presence: 'optional' });
  const administrators = requireClientIdentity({ uri: 'urn:example:device:4' });
  const app = new Koa<ClientCertificateState>();

  app.use((ctx, next) => (ctx.path === '/optional' ? optional(ctx, next) : required(ctx, next)));
  app.use((ctx, next) => (ctx.path === '/admin' ? administrators(ctx, next) : next()));
  app.use((ctx) => {
    const { clientIdentity } = ctx.state;
    if (ctx.path === '/' || ctx.path === '/admin') ctx.body = { uri: clientIdentityOf(ctx).uris[0] };
    if (ctx.path === '/optional') {
      ctx.body = clientIdentity === undefined ? { anonymous: true } : { uri: clientIdentity.uris[0] };
    }
  });

  const handle = app.callback();
  return createServer({ ...tls, ...originServerOptions() }, (request, response) => void handle(request, response));
}
