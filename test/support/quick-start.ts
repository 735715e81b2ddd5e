import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { cloudFrontHeaders, createAuthority, type TestCertificate } from '@peercert/testkit';
import { codeUnder } from './pages';

/** The quick starts of README.md: the heading, the package a reader installs, and whom the origin talks to. */
export const quickStarts = [
  { heading: 'Express', name: 'express', kind: 'forwarded' },
  { heading: 'Koa', name: 'koa', kind: 'forwarded' },
  { heading: 'Fastify', name: 'fastify', kind: 'forwarded' },
  { heading: 'No proxy, no framework', name: 'core', kind: 'native' },
] as const;

export type QuickStart = (typeof quickStarts)[number];

/** The code a reader copies, by the heading above it. */
export function quickStartCode(heading: string): string {
  return codeUnder('README.md', heading, 'js').join('\n');
}

// Real connections are judged by the real clock.
const now = Date.now();
const validity = { notBefore: new Date(now - 3_600_000), notAfter: new Date(now + 3_600_000) };
const viewers = createAuthority(validity);
const edgeAuthority = createAuthority(validity);
const origin = createAuthority(validity).issue({ ...validity, dnsNames: ['localhost'], extKeyUsage: ['serverAuth'] });

/** A client every quick start knows. */
export const device = viewers.issue({ ...validity, uris: ['urn:device:1'] });
/** CloudFront, to the quick starts behind it; a stranger to the others. */
export const edge = edgeAuthority.issue({ ...validity, dnsNames: ['cf-e2example.origin.example.com'] });

/** Writes the files a quick start reads. */
export function writePki(folder: string): void {
  mkdirSync(join(folder, 'pki'), { recursive: true });
  writeFileSync(join(folder, 'pki/viewers-ca.pem'), viewers.pem);
  writeFileSync(join(folder, 'pki/edge-ca.pem'), edgeAuthority.pem);
  writeFileSync(join(folder, 'pki/origin.pem'), origin.pem);
  writeFileSync(join(folder, 'pki/origin.key'), origin.privateKeyPem);
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The same code, listening elsewhere: the port is all that is ever changed in it. */
export function listeningOn(port: number, code: string): string {
  return code.replace('8443', String(port));
}

export interface RunningOrigin {
  readonly port: number;
  /** What it has printed so far. */
  output(): string;
  stop(): Promise<void>;
}

/** Runs a file of JavaScript that listens on a port, in a folder with the files of {@link writePki}. */
export async function runOrigin(folder: string, file: string, port: number): Promise<RunningOrigin> {
  const server = spawn(process.execPath, [file], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  server.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await untilListening(port, server);
  return {
    port,
    output: () => output,
    async stop() {
      if (server.exitCode !== null || server.signalCode !== null) return;
      const ended = once(server, 'exit');
      server.kill();
      await ended;
    },
  };
}

async function untilListening(port: number, server: ChildProcess): Promise<void> {
  let output = '';
  server.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  for (;;) {
    if (server.exitCode !== null) throw new Error(`the quick start ended: ${output}`);
    try {
      await get(port, undefined, []);
      return;
    } catch {
      await new Promise((retry) => void setTimeout(retry, 50));
    }
  }
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** One request on a connection of its own. */
export async function get(
  port: number,
  shown: TestCertificate | undefined,
  fields: readonly (readonly [string, string])[],
): Promise<Answer> {
  const tls = shown === undefined ? {} : { cert: shown.chainPem, key: shown.privateKeyPem };
  return new Promise((answered, failed) => {
    const options = { host: '127.0.0.1', port, agent: false, rejectUnauthorized: false, ...tls };
    const outgoing = request({ ...options, headers: Object.fromEntries(fields) }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => answered({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
    });
    outgoing.on('error', failed).end();
  });
}

/** What a quick start answers to the client it is there for, and to the same client without proof. */
export async function answersOf(kind: QuickStart['kind'], port: number): Promise<{ known: Answer; unproven: Answer }> {
  const fields = kind === 'forwarded' ? cloudFrontHeaders(device) : [];
  return {
    known: await get(port, kind === 'forwarded' ? edge : device, fields),
    unproven: await get(port, undefined, fields),
  };
}
