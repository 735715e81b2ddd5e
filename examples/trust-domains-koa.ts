import { createServer, type Server } from 'node:https';
import {
  clientCertificate,
  clientIdentityOf,
  cloudFront,
  createTrustDomains,
  originServerOptions,
  requireChannel,
} from '@peercert/koa';
import { Router } from '@koa/router';
import Koa from 'koa';
import { domainOfHost, type TrustDomainsOptions } from './trust-domains-options';

/**
 * One Koa origin, several trust domains: `/partners` for clients of the partners' CA, `/internal` for clients of the
 * company's own, `/account` for those of the host that is asked, `/public` for whoever comes through CloudFront.
 */
export function createKoaDomains({ tls, partners, internal, channel }: TrustDomainsOptions): Server {
  const domains = createTrustDomains({ trust: { partners, internal }, source: cloudFront({ channel }) });
  const accounts = new Router();
  accounts.get('/me', (ctx) => {
    ctx.body = { uri: clientIdentityOf(ctx).uris[0] };
  });
  const open = new Router();
  open.get('/hello', (ctx) => {
    ctx.body = { hello: 'anyone' };
  });

  // Path, certificate and routes in one call: @koa/router leaves out what `use` was given without a path when a client
  // writes the prefix in other letters, `/PARTNERS/me`.
  const site = new Router();
  site.use('/partners', clientCertificate(domains.authenticator('partners')), accounts.routes());
  site.use('/internal', clientCertificate(domains.authenticator('internal')), accounts.routes());
  site.use(
    '/account',
    clientCertificate(domains.choose(({ headers }) => domainOfHost.get(headers.host))),
    accounts.routes(),
  );
  site.use('/public', requireChannel(channel), open.routes());

  const app = new Koa();
  app.use(site.routes());
  const handle = app.callback();
  return createServer({ ...tls, ...originServerOptions() }, (request, response) => void handle(request, response));
}
