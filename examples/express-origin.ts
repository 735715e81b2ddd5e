import { createServer, type Server } from 'node:https';
import { clientCertificate, clientIdentityOf, cloudFront, originMtls, originServerOptions } from '@peercert/express';
import express from 'express';
import type { OriginOptions } from './origin-options';

/** An Express origin behind CloudFront: `/optional` is open to clients without a certificate, everything else is not. */
export function createExpressOrigin({ tls, viewers, edge }: OriginOptions): Server {
  const channel = originMtls({ trust: edge, dnsNames: ['cf-e2example.origin.example.com'] });
  const certificates = { trust: viewers, source: cloudFront({ channel }) };
  const app = express();

  app.use('/optional', clientCertificate({ ...certificates, presence: 'optional' }));
  app.get('/optional', ({ clientIdentity }, response) => {
    response.json(clientIdentity === undefined ? { anonymous: true } : { uri: clientIdentity.uris[0] });
  });

  // Every route from here on.
  app.use(clientCertificate({ ...certificates, presence: 'required' }));
  app.get('/', (request, response) => {
    response.json({ uri: clientIdentityOf(request).uris[0] });
  });

  return createServer({ ...tls, ...originServerOptions() }, app);
}
