import { createServer, type Server } from 'node:https';
import {
  clientCertificate,
  clientIdentityOf,
  cloudFront,
  createTrustDomains,
  originServerOptions,
  requireChannel,
} from '@peercert/express';
import express from 'express';
import { domainOfHost, type TrustDomainsOptions } from './trust-domains-options';

/**
 * One Express origin, several trust domains: `/partners` for clients of the partners' CA, `/internal` for clients of the
 * company's own, `/account` for those of the host that is asked, `/public` for whoever comes through CloudFront.
 */
export function createExpressDomains({ tls, partners, internal, channel }: TrustDomainsOptions): Server {
  const domains = createTrustDomains({ trust: { partners, internal }, source: cloudFront({ channel }) });
  const app = express();

  app.use('/partners', clientCertificate(domains.authenticator('partners')));
  app.use('/internal', clientCertificate(domains.authenticator('internal')));
  app.use('/account', clientCertificate(domains.choose(({ headers }) => domainOfHost.get(headers.host))));
  app.use('/public', requireChannel(channel));

  app.get(['/partners/me', '/internal/me', '/account/me'], (request, response) => {
    response.json({ uri: clientIdentityOf(request).uris[0] });
  });
  app.get('/public/hello', (_request, response) => {
    response.json({ hello: 'anyone' });
  });

  return createServer({ ...tls, ...originServerOptions() }, app);
}
