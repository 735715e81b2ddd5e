import { createServer, type Server } from 'node:https';
import {
  clientCertificate,
  type ClientCertificateState,
  clientIdentityOf,
  cloudFront,
  originMtls,
  originServerOptions,
} from '@peercert/koa';
import Koa from 'koa';
import type { OriginOptions } from './origin-options';

/** A Koa origin behind CloudFront: `/optional` is open to clients without a certificate, everything else is not. */
export function createKoaOrigin({ tls, viewers, edge }: OriginOptions): Server {
  const channel = originMtls({ trust: edge, dnsNames: ['cf-e2example.origin.example.com'] });
  const certificates = { trust: viewers, source: cloudFront({ channel }) };
  const required = clientCertificate({ ...certificates, presence: 'required' });
  const optional = clientCertificate({ ...certificates, presence: 'optional' });
  const app = new Koa<ClientCertificateState>();

  app.use((ctx, next) => (ctx.path === '/optional' ? optional(ctx, next) : required(ctx, next)));
  app.use((ctx) => {
    const { clientIdentity } = ctx.state;
    if (ctx.path === '/') ctx.body = { uri: clientIdentityOf(ctx).uris[0] };
    if (ctx.path === '/optional') {
      ctx.body = clientIdentity === undefined ? { anonymous: true } : { uri: clientIdentity.uris[0] };
    }
  });

  const handle = app.callback();
  return createServer({ ...tls, ...originServerOptions() }, (request, response) => void handle(request, response));
}
