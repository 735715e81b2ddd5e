import type { Server } from 'node:https';
import {
  clientCertificate,
  clientIdentityOf,
  cloudFront,
  originServerOptions,
  requireClientIdentity,
} from '@peercert/fastify';
import { fastify, type FastifyInstance } from 'fastify';
import type { OriginOptions } from './origin-options';

/**
 * A Fastify origin behind CloudFront: `/optional` is open to clients without a certificate, `/` is not, and `/admin` only
 * to one of them.
 */
export function createFastifyOrigin(options: OriginOptions): FastifyInstance<Server> {
  const { tls, viewers, channel, enforcement = 'enforce' } = options;
  const certificates = { trust: viewers, source: cloudFront({ channel }), enforcement };
  const administrators = requireClientIdentity({ uri: 'urn:example:device:4' });
  const app = fastify({ https: { ...tls, ...originServerOptions() } });

  // A plugin of its own for each: what is registered inside covers only the routes inside.
  app.register(async (routes) => {
    await routes.register(clientCertificate, { ...certificates, presence: 'required' });
    routes.get('/', (request, reply) => reply.send({ uri: clientIdentityOf(request).uris[0] }));
    routes.get('/admin', { onRequest: administrators }, (request, reply) => {
      return reply.send({ uri: clientIdentityOf(request).uris[0] });
    });
  });
  app.register(async (routes) => {
    await routes.register(clientCertificate, { ...certificates, presence: 'optional' });
    routes.get('/optional', ({ clientIdentity }, reply) => {
      return reply.send(clientIdentity === undefined ? { anonymous: true } : { uri: clientIdentity.uris[0] });
    });
  });

  return app;
}
