// A process of its own, started by origin.ts: an Express origin behind CloudFront that asks an OCSP responder.
import { subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import {
  type AuthenticatorOptions,
  cloudFront,
  createRevocation,
  ocsp,
  type OutcomeEvent,
  type Revocation,
  TrustStore,
} from '@peercert/core';
import { clientCertificate, clientIdentityOf } from '@peercert/express';
import express from 'express';
import { edgeChannel } from '../support/requests';
import { httpOptions } from '../support/servers';
import type { OriginInput, OriginState } from './origin';

const delay = monitorEventLoopDelay({ resolution: 1 });
/** Every request that is sent by whatever means Node has, as it is sent. */
const attempts: number[] = [];
subscribe('http.client.request.start', () => void attempts.push(Date.now()));

let rejudged = 0;

function countRejudged(event: OutcomeEvent): void {
  if (event['clientcert.cache.result'] === 'miss') rejudged++;
}

function createApp({ root, responder, unknownStatus, clockOffset }: OriginInput): {
  readonly app: express.Express;
  readonly revocation: Revocation;
} {
  const clock = (): number => Date.now() + clockOffset;
  const revocation = createRevocation({ methods: [ocsp({ responders: [responder], clock })], unknownStatus });
  const options: AuthenticatorOptions = {
    trust: TrustStore.fromDer([Buffer.from(root, 'base64')]),
    source: cloudFront({ channel: edgeChannel }),
    revocation,
    clock,
  };
  const app = express();
  app.use('/lasting', clientCertificate({ ...options, verdictCache: { ttlSeconds: 3_600 } }));
  app.use('/lapsing', clientCertificate({ ...options, verdictCache: { ttlSeconds: 1 }, onOutcome: countRejudged }));
  app.get('/bare', (_, response) => void response.json({}));
  app.use((request, response) => void response.json({ uri: clientIdentityOf(request).uris[0] }));
  return { app, revocation };
}

/** What has happened since the last time somebody asked. */
function takeState({ health }: Revocation): OriginState {
  const state = {
    eventLoopP99Ms: delay.percentile(99) / 1e6,
    attempts: attempts.splice(0),
    rejudged,
    health: health.status,
  };
  delay.reset();
  rejudged = 0;
  return state;
}

async function main(): Promise<void> {
  const [input] = (await once(process, 'message')) as [OriginInput];
  const { app, revocation } = createApp(input);
  // Connections are the load's to close.
  const server = http.createServer({ ...httpOptions, keepAliveTimeout: 600_000 }, app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  delay.enable();
  process.on('message', () => process.send?.(takeState(revocation)));
  process.send?.((server.address() as AddressInfo).port);
}

void main();
