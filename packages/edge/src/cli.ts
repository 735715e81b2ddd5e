#!/usr/bin/env node
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createEdge } from './edge';
import type { EdgeOptions } from './options';
import { clientUri, edgeDnsName, openPki, type Pki, type PkiFile, pkiFiles } from './pki';

const help = `CloudFront viewer mTLS on this machine, in front of an origin of yours.

  peercert-edge --origin https://localhost:8443

  --origin URL                where the origin listens, https: or http:
  --port PORT                 where the edge listens, on 127.0.0.1; default 8444
  --pki FOLDER                certificates and keys, made on first use; default ./pki
  --mode MODE                 passthrough (default), required or optional; the last two believe viewers-ca.pem
  --origin-header 'NAME: VALUE'
                              origin custom header, e.g. a secret; may be given several times
  --chain-field-lines FORM    Client-Cert-Chain as one line, or as one-per-certificate; default one
  --help                      this text
`;

const flags = {
  origin: { type: 'string' },
  port: { type: 'string', default: '8444' },
  pki: { type: 'string', default: './pki' },
  mode: { type: 'string', default: 'passthrough' },
  'origin-header': { type: 'string', multiple: true },
  'chain-field-lines': { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: flags });
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  const { origin, pki: folder, mode } = values;
  if (origin === undefined) throw new TypeError('--origin is missing, e.g. --origin https://localhost:8443');
  const port = portOf(values.port);
  const originHeaders = headersOf(values['origin-header'] ?? []);
  const { pki, isNew, validUntil } = openPki(folder);
  if (isNew) {
    process.stdout.write(`Made in ${folder}, good until ${validUntil.toISOString().slice(0, 10)}:\n\n${listFiles()}\n`);
  }
  const chainFieldLines = values['chain-field-lines'];
  // Words are judged by createEdge, whose messages name the option alike.
  const edge = createEdge({
    origin,
    tls: { cert: pki['edge-server.pem'], key: pki['edge-server.key'] },
    ...(/^https:/i.test(origin) && { originTls: originTlsOf(pki) }),
    originHeaders,
    mode: mode as NonNullable<EdgeOptions['mode']>,
    ...(mode !== 'passthrough' && { trust: pki['viewers-ca.pem'] }),
    ...(chainFieldLines !== undefined && { chainFieldLines: chainFieldLines as 'one' }),
  });
  const { port: listening } = await edge.listen(port);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void edge.close());
  process.stdout.write(instructions({ origin, folder, mode, port: listening }));
}

function originTlsOf(pki: Pki): NonNullable<EdgeOptions['originTls']> {
  return { ca: pki['server-ca.pem'], cert: pki['edge-client.pem'], key: pki['edge-client.key'] };
}

function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new TypeError(`--port is a number up to 65535, received ${text}`);
  return port;
}

function headersOf(lines: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim();
    if (colon < 1) throw new TypeError(`--origin-header is 'NAME: VALUE', received ${line}`);
    if (Object.hasOwn(headers, name)) throw new TypeError(`--origin-header ${name} is there twice`);
    headers[name] = line.slice(colon + 1).trim();
  }
  return headers;
}

function listFiles(): string {
  return Object.entries(pkiFiles)
    .map(([name, purpose]) => `  ${name.padEnd(16)} ${purpose}\n`)
    .join('');
}

interface Running {
  readonly origin: string;
  readonly folder: string;
  readonly mode: string;
  readonly port: number;
}

function instructions({ origin, folder, mode, port }: Running): string {
  const path = (name: PkiFile): string => join(folder, name);
  return `The origin at ${origin} needs

  clientCertificate  trust: TrustStore.fromFile('${path('viewers-ca.pem')}')
  originMtls         trust: TrustStore.fromFile('${path('edge-ca.pem')}'), dnsNames: ['${edgeDnsName}']
  createServer       cert: ${path('origin.pem')}, key: ${path('origin.key')}

The edge listens, in ${mode} mode. This is ${clientUri}:

  curl --cacert ${path('server-ca.pem')} --cert ${path('client.pem')} --key ${path('client.key')} https://localhost:${port}/

Ctrl-C ends it.
`;
}

main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`peercert-edge: ${message.replaceAll(/\s+/g, ' ')}\n`);
  process.exitCode = 2;
});
