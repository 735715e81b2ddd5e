import type { Server } from 'node:https';
import { clientCertificate, clientIdentityOf, cloudFront, originMtls, originServerOptions } from '@peercert/fastify';
import { fastify, type FastifyInstance } from 'fastify';
import type { OriginOptions } from './origin-options';

/** A Fastify origin behind CloudFront: `/optional` is open to clients without a certificate, `/` is not. */
export function createFastifyOrigin({ tls, viewers, edge }: OriginOptions): FastifyInstance<Server> {
  const channel = originMtls({ trust: edge, dnsNames: ['cf-e2example.origin.example.com'] });
  const certificates = { trust: viewers, source: cloudFront({ channel }) };
  const app = fastify({ https: { ...tls, ...originServerOptions() } });

  // A plugin of its own for each: what is registered inside covers only the routes inside.
  app.register(async (routes) => {
    await routes.register(clientCertificate, { ...certificates, presence: 'required' });
    routes.get('/', (request, reply) => reply.send({ uri: clientIdentityOf(request).uris[0] }));
  });
  app.register(async (routes) => {
    await routes.register(clientCertificate, { ...certificates, presence: 'optional' });
    routes.get('/optional', ({ clientIdentity }, reply) => {
      return reply.send(clientIdentity === undefined ? { anonymous: true } : { uri: clientIdentity.uris[0] });
    });
  });

  return app;
}
