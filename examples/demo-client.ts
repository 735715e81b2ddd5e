import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import type { Credentials } from './pki';

/** A response in brief. */
export interface Answer {
  /** 0 when there was no response at all. */
  readonly status: number;
  /**
   * The URI of whom the origin identified, or `anonymous`; for a refusal its public code, or `not by peercert` where there
   * is none; else what is wrong instead.
   */
  readonly code: string;
}

export interface Call {
  readonly port: number;
  readonly path: string;
  /** PEM of what vouches for the server. */
  readonly serverAnchor: string;
  /** Presented in TLS. Default: no certificate. */
  readonly credentials?: Credentials | undefined;
  readonly headers?: OutgoingHttpHeaders | undefined;
}

/** One GET; the server's certificate is verified. */
export type Caller = (call: Call) => Promise<Answer>;

const host = '127.0.0.1';
const servername = 'localhost';
const timeoutMs = 10_000;

/** Over HTTP/1.1 and a TLS connection of its own, new and never resumed. */
export const call: Caller = async (options) => callOver(false, options);

async function callOver(
  agent: Agent | false,
  { port, path, serverAnchor, credentials, headers = {} }: Call,
): Promise<Answer> {
  try {
    const address = { host, port, servername, path };
    const outgoing = request({ ...address, ...credentials, ca: serverAnchor, headers, agent });
    outgoing.setTimeout(timeoutMs, () => outgoing.destroy(new Error('no answer within 10 seconds')));
    outgoing.end();
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    return answerOf(response.statusCode, response.headers, await text(response));
  } catch (error) {
    return noAnswer(error);
  }
}

/**
 * Over HTTP/1.1 and a TLS connection that has carried a request without headers before. A large head that comes with the
 * handshake is the one case in which Node closes the connection before its 431 is out.
 */
export const callSecond: Caller = async (options) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    await callOver(agent, { ...options, headers: {} });
    return await callOver(agent, options);
  } finally {
    agent.destroy();
  }
};

/** Over HTTP/2 and a TLS connection of its own, new and never resumed. */
export const callHttp2: Caller = async ({ port, path, serverAnchor, credentials, headers = {} }) => {
  const tls = { host, port, servername, ca: serverAnchor, ...credentials, ALPNProtocols: ['h2'] };
  const session = connectHttp2(`https://${servername}:${port}`, { createConnection: () => connectTls(tls) });
  try {
    const failure = once(session, 'close').then(() => Promise.reject(new Error('the connection was closed')));
    session.setTimeout(timeoutMs, () => session.destroy(new Error('no answer within 10 seconds')));
    const stream = session.request({ ...headers, ':path': path });
    const response = once(stream, 'response') as Promise<[IncomingHttpHeaders & { ':status'?: number }]>;
    const [head] = await Promise.race([response, failure]);
    return answerOf(head[':status'], head, await text(stream));
  } catch (error) {
    return noAnswer(error);
  } finally {
    session.destroy();
  }
};

/**
 * Several viewers in turn, and then all of them again, each on a connection that it keeps.
 *
 * @returns 200 and the last part of each one's URI, when both its calls gave the same; else what the first deviation was.
 */
export async function callInTurn(
  viewers: readonly (Credentials | undefined)[],
  options: Omit<Call, 'credentials'>,
): Promise<Answer> {
  const agents = viewers.map(() => new Agent({ keepAlive: true, maxSockets: 1 }));
  const rounds: string[][] = [[], []];
  try {
    for (const round of rounds) {
      for (const [index, credentials] of viewers.entries()) {
        const answer = await callOver(agents[index] ?? false, { ...options, credentials });
        if (answer.status !== 200) return answer;
        round.push(answer.code.split(':').at(-1) ?? '');
      }
    }
  } finally {
    for (const agent of agents) agent.destroy();
  }
  const [first, second] = rounds.map((round) => round.join(', '));
  return { status: 200, code: first === second ? String(first) : `${first}, then ${second}` };
}

function answerOf(status = 0, headers: IncomingHttpHeaders, body: string): Answer {
  return { status, code: codeOf(status, headers, parseObject(body)) };
}

function noAnswer(error: unknown): Answer {
  return { status: 0, code: error instanceof Error ? error.message : String(error) };
}

function codeOf(status: number, headers: IncomingHttpHeaders, body: Record<string, unknown>): string {
  if (status === 200) return body['anonymous'] === true ? 'anonymous' : String(body['uri']);
  const code = body['code'];
  const isProblem = headers['content-type']?.split(';')[0] === 'application/problem+json';
  if (typeof code !== 'string') return 'not by peercert';
  if (!isProblem) return `${code}, not as problem+json`;
  if (headers['cache-control'] !== 'no-store') return `${code}, without no-store`;
  return code;
}

function parseObject(json: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
