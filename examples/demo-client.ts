import { once } from 'node:events';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import type { Credentials } from './pki';

/** A response in brief. */
export interface Answer {
  /** 0 when there was no response at all. */
  readonly status: number;
  /** The URI of whom the origin identified, or `anonymous`; for a refusal its public code; else what is wrong instead. */
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

/** One GET over a TLS connection of its own, new and never resumed; the server's certificate is verified. */
export async function call({ port, path, serverAnchor, credentials, headers = {} }: Call): Promise<Answer> {
  try {
    const address = { host: '127.0.0.1', port, servername: 'localhost', path };
    const outgoing = request({ ...address, ...credentials, ca: serverAnchor, headers, agent: false });
    outgoing.setTimeout(10_000, () => outgoing.destroy(new Error('no answer within 10 seconds')));
    outgoing.end();
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    return { status: response.statusCode ?? 0, code: codeOf(response, await text(response)) };
  } catch (error) {
    return { status: 0, code: error instanceof Error ? error.message : String(error) };
  }
}

function codeOf({ statusCode, headers }: IncomingMessage, json: string): string {
  const body = parseObject(json);
  if (statusCode === 200) return body['anonymous'] === true ? 'anonymous' : String(body['uri']);
  const code = String(body['code']);
  if (headers['content-type']?.split(';')[0] !== 'application/problem+json') return `${code}, not as problem+json`;
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
