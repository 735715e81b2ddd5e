import { once } from 'node:events';
import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { Http2SecureServer, Http2Server, ServerHttp2Session } from 'node:http2';
import https from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { originServerOptions } from '@peercert/core';
import { createAuthority } from '@peercert/testkit';
import { trusting } from './tls-origin';

const serverCertificate = createAuthority().issue({ extKeyUsage: ['serverAuth'], dnsNames: ['localhost'] });
const cleanUp: (() => Promise<void>)[] = [];

/** Options of a plaintext origin that takes what CloudFront sends. */
export const httpOptions = { maxHeaderSize: 65_536 } as const;

/** Options of an HTTPS or HTTP/2 origin: `originServerOptions()`, and a certificate of its own. */
export const originOptions = {
  key: serverCertificate.privateKeyPem,
  cert: serverCertificate.pem,
  ...originServerOptions(),
} as const;

/** Lets a server listen on a free port of this machine. */
export async function listen(server: http.Server | https.Server | Http2Server | Http2SecureServer): Promise<number> {
  const sessions = new Set<ServerHttp2Session>();
  (server as Server).on('session', (session: ServerHttp2Session) => sessions.add(session));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUp.push(async () => {
    const closed = once(server, 'close');
    server.close();
    for (const session of sessions) session.destroy();
    if ('closeAllConnections' in server) server.closeAllConnections();
    await closed;
  });
  return (server.address() as AddressInfo).port;
}

/** Closes the servers that {@link listen} has started. For `afterEach`. */
export async function closeServers(): Promise<void> {
  await Promise.all(cleanUp.splice(0).map((close) => close()));
}

/** A response in short: JSON bodies are read. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** Sends one request as it is, and reads the response. On a connection of its own unless `agent` says otherwise. */
export async function send(port: number, options: http.RequestOptions | https.RequestOptions = {}): Promise<Answer> {
  const { request } = options.protocol === 'https:' ? https : http;
  const outgoing = request({ host: '127.0.0.1', port, agent: false, ...trusting, ...options });
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  const body = await text(response);
  const isJson = /^application\/(?:problem\+)?json/.test(response.headers['content-type'] ?? '') && body !== '';
  return { status: response.statusCode as number, headers: response.headers, body: isJson ? JSON.parse(body) : body };
}

/** The body of a refusal. */
export function problem(status: number, code: string): object {
  return { status, code, title: expect.any(String) };
}
