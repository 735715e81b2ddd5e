import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { originServerOptions } from '@peercert/core';
import { createAuthority, type TestCertificate } from '@peercert/testkit';

const serverCertificate = createAuthority().issue({ extKeyUsage: ['serverAuth'], dnsNames: ['localhost'] });
const cleanUp: (() => Promise<void>)[] = [];

/** Closes what {@link startTlsOrigin} has started. For `afterEach`. */
export async function closeTlsOrigins(): Promise<void> {
  await Promise.all(cleanUp.splice(0).map((close) => close()));
}

export interface TlsOrigin {
  readonly port: number;
  /** The connections accepted, in order. */
  readonly connections: readonly TLSSocket[];
  /** Of each connection, whether it resumed a TLS session. */
  readonly resumed: readonly boolean[];
}

/**
 * Starts an origin on a free port with `originServerOptions()`, which `options` may override. It answers with what the
 * handler makes of the request, as JSON.
 */
export async function startTlsOrigin(
  handler: (request: IncomingMessage) => unknown,
  options: https.ServerOptions = {},
): Promise<TlsOrigin> {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    response.end(JSON.stringify(await handler(request)));
  };
  const server = https.createServer(
    { key: serverCertificate.privateKeyPem, cert: serverCertificate.pem, ...originServerOptions(), ...options },
    (request, response) => void answer(request, response),
  );
  const connections: TLSSocket[] = [];
  const resumed: boolean[] = [];
  server.on('secureConnection', (socket) => {
    connections.push(socket);
    resumed.push(socket.isSessionReused());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  });
  return { port: (server.address() as AddressInfo).port, connections, resumed };
}

/** `key` and `cert` of a TLS client that presents a certificate and whatever chain follows. */
export function presenting(
  certificate: TestCertificate,
  chain: readonly { readonly pem: string }[] = [],
): { key: string; cert: string } {
  return { key: certificate.privateKeyPem, cert: [certificate, ...chain].map(({ pem }) => pem).join('') };
}

/** `https.RequestOptions`, with the TLS session to resume that its types leave out. */
export type AskOptions = https.RequestOptions & { readonly session?: Buffer };

/** Sends one request, on a connection of its own unless `agent` says otherwise, and reads the answer. */
export async function ask(origin: TlsOrigin, options: AskOptions = {}): Promise<unknown> {
  const outgoing = https.request({ host: '127.0.0.1', port: origin.port, agent: false, ...trusting, ...options });
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  return JSON.parse(await text(response));
}

// The server under test judges the client. The server's own certificate is valid at TEST_TIME, not today.
export const trusting = { rejectUnauthorized: false } as const;
