import type { Server } from 'node:https';
import {
  type Authenticator,
  clientCertificate,
  clientIdentityOf,
  cloudFront,
  createTrustDomains,
  originServerOptions,
  requireChannel,
} from '@peercert/fastify';
import { fastify, type FastifyInstance } from 'fastify';
import { domainOfHost, type TrustDomainsOptions } from './trust-domains-options';

/**
 * One Fastify origin, several trust domains: `/partners` for clients of the partners' CA, `/internal` for clients of the
 * company's own, `/account` for those of the host that is asked, `/public` for whoever comes through CloudFront.
 */
export function createFastifyDomains(options: TrustDomainsOptions): FastifyInstance<Server> {
  const { tls, partners, internal, channel } = options;
  const domains = createTrustDomains({ trust: { partners, internal }, source: cloudFront({ channel }) });
  const app = fastify({ https: { ...tls, ...originServerOptions() } });

  // A plugin of its own for each: what is registered inside covers only the routes inside.
  const routesFor = (prefix: string, authenticator: Authenticator): void => {
    app.register(
      async (routes) => {
        await routes.register(clientCertificate, authenticator);
        routes.get('/me', (request, reply) => reply.send({ uri: clientIdentityOf(request).uris[0] }));
      },
      { prefix },
    );
  };
  routesFor('/partners', domains.authenticator('partners'));
  routesFor('/internal', domains.authenticator('internal'));
  routesFor(
    '/account',
    domains.choose(({ headers }) => domainOfHost.get(headers.host)),
  );
  app.get('/public/hello', { onRequest: requireChannel(channel) }, (_request, reply) =>
    reply.send({ hello: 'anyone' }),
  );

  return app;
}
