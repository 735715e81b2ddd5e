import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAuthority, type TestCertificate } from '@peercert/testkit';

/**
 * The files of a laptop's PKI and what each is for, in the order in which they are listed. PEM, all of them: `x.pem` and
 * `x.key` are a certificate and its private key, `x-ca.pem` is whom to believe.
 */
export const pkiFiles = {
  'client.pem': 'certificate of a client, with its intermediate',
  'client.key': 'its private key',
  'viewers-ca.pem': 'root behind client.pem: whom the origin, or an edge with a trust store, believes',
  'edge-client.pem': 'certificate with which the edge identifies itself to the origin (origin mTLS)',
  'edge-client.key': 'its private key',
  'edge-ca.pem': 'root behind edge-client.pem, and behind nothing else',
  'edge-server.pem': 'certificate of the edge as a server, for localhost',
  'edge-server.key': 'its private key',
  'origin.pem': 'certificate of the origin as a server, for localhost',
  'origin.key': 'its private key',
  'server-ca.pem': 'root behind edge-server.pem and origin.pem',
} as const;

export type PkiFile = keyof typeof pkiFiles;

/** PEM by the name of its file. */
export type Pki = Readonly<Record<PkiFile, string>>;

/** dNSName in edge-client.pem: what the origin knows its distribution by. */
export const edgeDnsName = 'cf-e2example.origin.example.com';

/** URI in client.pem: who the client is. */
export const clientUri = 'urn:example:device:1';

const names = Object.keys(pkiFiles) as PkiFile[];
const minuteMs = 60_000;
const yearMs = 365 * 24 * 60 * minuteMs;

/**
 * Reads the PKI in a folder. Makes folder and PKI, good for a year, where there is nothing of it yet. Never writes over a
 * file; private keys are readable by their owner only.
 *
 * @throws Error for a folder in which some files are missing, and for certificates that have expired.
 */
export function openPki(folder: string): { readonly pki: Pki; readonly isNew: boolean; readonly validUntil: Date } {
  const missing = names.filter((name) => !existsSync(join(folder, name)));
  const isNew = missing.length === names.length;
  if (!isNew && missing.length > 0) {
    throw new Error(`${folder} is half filled, without ${missing.join(', ')}: bring them back, or remove the others`);
  }
  if (isNew) writePki(folder, mintPki());
  const pki = Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')])) as Pki;
  const ends = names
    .filter((name) => !name.endsWith('.key'))
    .map((name) => new Date(new X509Certificate(pki[name]).validTo).getTime());
  const validUntil = new Date(Math.min(...ends));
  if (validUntil.getTime() < Date.now()) {
    throw new Error(`The certificates in ${folder} expired on ${validUntil.toISOString()}: remove it, to get new ones`);
  }
  return { pki, isNew, validUntil };
}

function writePki(folder: string, pki: Pki): void {
  mkdirSync(folder, { recursive: true });
  for (const name of names) {
    writeFileSync(join(folder, name), pki[name], { flag: 'wx', mode: name.endsWith('.key') ? 0o600 : 0o644 });
  }
}

function mintPki(): Pki {
  const now = Date.now();
  // Five minutes back, for a clock elsewhere that is slow.
  const validity = { notBefore: new Date(now - 5 * minuteMs), notAfter: new Date(now + yearMs) };
  const viewerRoot = createAuthority({ subject: 'CN=peercert-edge Viewers', ...validity });
  const issuing = viewerRoot.issueIntermediate({ subject: 'CN=peercert-edge Devices', ...validity });
  const edgeRoot = createAuthority({ subject: 'CN=peercert-edge Edge', ...validity });
  const serverRoot = createAuthority({ subject: 'CN=peercert-edge Servers', ...validity });
  const issueServer = (subject: string): TestCertificate => {
    const reachable = { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1', '::1'] };
    return serverRoot.issue({ subject, ...reachable, extKeyUsage: ['serverAuth'], ...validity });
  };

  const client = issuing.issue({ subject: 'CN=device-1', uris: [clientUri], ...validity });
  const edgeClient = edgeRoot.issue({ subject: 'CN=edge', dnsNames: [edgeDnsName], ...validity });
  const edgeServer = issueServer('CN=edge');
  const origin = issueServer('CN=origin');
  return {
    'client.pem': client.chainPem,
    'client.key': client.privateKeyPem,
    'viewers-ca.pem': viewerRoot.pem,
    'edge-client.pem': edgeClient.pem,
    'edge-client.key': edgeClient.privateKeyPem,
    'edge-ca.pem': edgeRoot.pem,
    'edge-server.pem': edgeServer.pem,
    'edge-server.key': edgeServer.privateKeyPem,
    'origin.pem': origin.pem,
    'origin.key': origin.privateKeyPem,
    'server-ca.pem': serverRoot.pem,
  };
}
