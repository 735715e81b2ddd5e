import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { type Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { connect, type SecureVersion } from 'node:tls';
import type { TestCertificate } from '@peercert/testkit';
import { type Clients, presenting, proxyName } from './pki';

/** How a client connects. */
export interface Connecting {
  readonly port: number;
  readonly pki: Clients;
  /** Presented in TLS. Default: none. */
  readonly as?: TestCertificate | undefined;
  /** TLS session to resume. */
  readonly session?: Buffer | undefined;
  readonly version?: SecureVersion;
  /** Default: the proxy's. */
  readonly servername?: string;
}

export interface RawAnswer {
  /** In brief: the URI of whom the origin saw, or status and public code of the refusal. */
  readonly answer: string;
  /** The TLS session, to be resumed. */
  readonly session: Buffer | undefined;
  readonly isResumed: boolean;
}

const inHandshake = 'refused in the handshake';
const timeoutMs = 10_000;

/**
 * One GET on a TLS connection of its own, whose header lines are written as they are. The server's certificate is verified.
 *
 * @param lines - Without line breaks behind them.
 * @param body - Stands behind the head. Default none.
 */
export async function sendRaw(connecting: Connecting, lines: readonly string[], body = ''): Promise<RawAnswer> {
  const { port, pki, as, session, version, servername = proxyName } = connecting;
  const socket = connect({
    host: '127.0.0.1',
    port,
    servername,
    ca: pki.servers.pem,
    ...presenting(as),
    ...(session && { session }),
    ...(version && { minVersion: version, maxVersion: version }),
  });
  let latest: Buffer | undefined;
  let received = '';
  socket.on('session', (ticket) => (latest = ticket));
  socket.setTimeout(timeoutMs, () => socket.destroy());
  socket.setEncoding('latin1').on('data', (chunk: string) => (received += chunk));
  const head = [
    'GET / HTTP/1.1',
    `Host: ${servername}`,
    ...lines,
    ...(hasConnection(lines) ? [] : ['Connection: close']),
  ];
  socket.on('secureConnect', () => socket.write(`${head.join('\r\n')}\r\n\r\n${body}`));
  // Nothing that arrives later than the answer is of interest, nor an alert instead of one.
  socket.on('error', () => {});
  let isResumed = false;
  socket.on('secureConnect', () => (isResumed = socket.isSessionReused()));
  await new Promise<void>((closed) => void socket.on('close', () => closed()));
  return { answer: answerIn(received), session: latest, isResumed };
}

function hasConnection(lines: readonly string[]): boolean {
  return lines.some((line) => /^connection:/i.test(line));
}

function answerIn(received: string): string {
  const status = /^HTTP\/1\.1 (\d{3})/.exec(received)?.[1];
  if (status === undefined) return received === '' ? inHandshake : 'no HTTP';
  return answerOf(status, /^content-type: (.*)\r$/im.exec(received)?.[1] ?? '', received);
}

/** A GET by way of an agent, for connections that stay open. */
export async function sendOver(agent: Agent, { port, pki, as }: Connecting, path: string): Promise<string> {
  const tls = { host: '127.0.0.1', port, servername: proxyName, ca: pki.servers.pem, ...presenting(as) };
  const outgoing = request({ ...tls, agent, path, headers: { host: proxyName }, timeout: timeoutMs });
  outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  return answerOf(String(response.statusCode), response.headers['content-type'] ?? '', await text(response));
}

/** A GET over HTTP/2, on a connection of its own. */
export async function sendHttp2(
  { port, pki, as }: Connecting,
  fields: readonly (readonly [name: string, value: string])[],
): Promise<string> {
  const tls = { host: '127.0.0.1', port, servername: proxyName, ca: pki.servers.pem, ...presenting(as) };
  const session = connectHttp2(`https://${proxyName}:${port}`, {
    createConnection: () => connect({ ...tls, ALPNProtocols: ['h2'] }),
  });
  try {
    const failed = once(session, 'close').then(() => Promise.reject(new Error('the connection was closed')));
    session.setTimeout(timeoutMs, () => session.destroy(new Error('no answer in time')));
    const stream = session.request({ ...Object.fromEntries(fields), ':path': '/' });
    const answered = once(stream, 'response') as Promise<[IncomingHttpHeaders & { ':status'?: number }]>;
    const [head] = await Promise.race([answered, failed]);
    return answerOf(String(head[':status']), head['content-type'] ?? '', await text(stream));
  } finally {
    session.destroy();
  }
}

function answerOf(status: string, type: string, body: string): string {
  if (status === '200') return /"uri":"([^"]*)"/.exec(body)?.[1] ?? 'anonymous';
  const code = type.startsWith('application/problem+json') ? /"code":"(\w+)"/.exec(body)?.[1] : undefined;
  return `${status} ${code ?? 'before peercert'}`;
}
