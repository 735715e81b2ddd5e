import { createServer, type Server } from 'node:https';
import {
  clientCertificate,
  clientIdentityOf,
  cloudFront,
  originServerOptions,
  requireClientIdentity,
} from '@peercert/express';
import express from 'express';
import type { OriginOptions } from './origin-options';

/**
 * An Express origin behind CloudFront: `/optional` is open to clients without a certificate, everything else is not, and
 * `/admin` only to one of them.
 */
export function createExpressOrigin({ tls, viewers, channel, enforcement = 'enforce' }: OriginOptions): Server {
  const certificates = { trust: viewers, source: cloudFront({ channel }), enforcement };
  const app = express();

  app.use('/optional', clientCertificate({ ...certificates, presence: 'optional' }));
  app.get('/optional', ({ clientIdentity }, response) => {
    response.json(clientIdentity === undefined ? { anonymous: true } : { uri: clientIdentity.uris[0] });
  });

  // Every route from here on.
  app.use(clientCertificate({ ...certificates, presence: 'required' }));
  app.use('/admin', requireClientIdentity({ uri: 'urn:example:device:4' }));
  app.get(['/', '/admin'], (request, response) => {
    response.json({ uri: clientIdentityOf(request).uris[0] });
  });

  return createServer({ ...tls, ...originServerOptions() }, app);
}
