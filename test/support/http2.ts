import { once } from 'node:events';
import http2, { type ClientHttp2Session, type OutgoingHttpHeaders } from 'node:http2';
import { text } from 'node:stream/consumers';
import type { Answer } from './servers';
import { trusting } from './tls-origin';

/** Opens an HTTP/2 session over TLS. The end of the server, see `closeServers`, ends it. */
export async function connectHttp2(
  port: number,
  options: http2.SecureClientSessionOptions = {},
): Promise<ClientHttp2Session> {
  const session = http2.connect(`https://127.0.0.1:${port}`, { ...trusting, ...options });
  await once(session, 'connect');
  // The server may end it by force.
  session.on('error', () => session.destroy());
  return session;
}

/** Sends one request in a stream of its own, and reads the response. */
export async function sendOver(session: ClientHttp2Session, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
  const stream = session.request({ ':path': '/', ...headers });
  stream.end();
  const [received] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders & { ':status': number }];
  const body = await text(stream);
  const isJson = /^application\/(?:problem\+)?json/.test(received['content-type'] ?? '') && body !== '';
  return { status: received[':status'], headers: received, body: isJson ? JSON.parse(body) : body };
}
