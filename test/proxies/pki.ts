import { generateKeyPair } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createAuthority, selfSigned, type TestCertificate } from '@peercert/testkit';

/** The name under which clients know the proxy, in every recipe. */
export const proxyName = 'api.example.com';

/** Clients of the proxies, all new. Real connections are judged by the real clock. */
export async function mintClients() {
  const now = Date.now();
  const validity = { notBefore: new Date(now - 3_600_000), notAfter: new Date(now + 3_600_000) };
  const expired = { notBefore: new Date(now - 3_600_000), notAfter: new Date(now - 60_000) };
  const longKey = await promisify(generateKeyPair)('rsa', { modulusLength: 4096 });

  const servers = createAuthority({ subject: 'CN=Servers', ...validity });
  const proxies = createAuthority({ subject: 'CN=Proxies', ...validity });
  const root = createAuthority({ subject: 'CN=Clients', ...validity });
  const issuing = root.issueIntermediate({ subject: 'CN=Devices', ...validity });
  const regional = root.issueIntermediate({ subject: 'CN=Devices North', ...validity });
  const lookAlike = createAuthority({ subject: 'CN=Clients', ...validity }).issueIntermediate({
    subject: 'CN=Devices',
    ...validity,
  });
  const alice = { uris: ['urn:alice'], ...validity };
  const server = { extKeyUsage: ['serverAuth'], ...validity } as const;

  return {
    servers,
    proxies,
    root,
    issuing,
    server: servers.issue({ ...server, dnsNames: [proxyName] }),
    origin: servers.issue({ ...server, dnsNames: ['localhost'] }),
    /** What each proxy shows the origin: the name of its recipe, and of another that the origin does not know. */
    proxy: proxies.issue({ dnsNames: ['proxy.example.com'], ...validity }),
    alice: issuing.issue(alice),
    bob: issuing.issue({ uris: ['urn:bob'], ...validity }),
    /** Of an intermediate that nobody but the client has. */
    carol: regional.issue({ uris: ['urn:carol'], ...validity }),
    /** The first of its names is the one that counts; the others make it long. */
    long: issuing.issue({
      key: longKey,
      uris: ['urn:long', ...Array.from({ length: 340 }, (_, index) => `urn:long:${index}:${'x'.repeat(24)}`)],
      ...validity,
    }),
    selfSigned: selfSigned(alice),
    stranger: lookAlike.issue(alice),
    expired: issuing.issue({ ...alice, ...expired }),
  };
}

export type Clients = Awaited<ReturnType<typeof mintClients>>;

/** Writes the files that the recipes name: for the proxy, and in `pki` for the origin. */
export function writeFiles(folder: string, pki: Clients): void {
  const { servers, proxies, root, issuing } = pki;
  const files: Readonly<Record<string, string>> = {
    'server.pem': pki.server.chainPem,
    'server.key': pki.server.privateKeyPem,
    'server-and-key.pem': pki.server.chainPem + pki.server.privateKeyPem,
    'proxy.pem': pki.proxy.chainPem,
    'proxy.key': pki.proxy.privateKeyPem,
    'proxy-and-key.pem': pki.proxy.chainPem + pki.proxy.privateKeyPem,
    'origin-ca.pem': servers.pem,
    'clients-ca.pem': root.pem,
    'pki/clients-ca.pem': root.pem,
    'pki/clients-intermediates.pem': issuing.pem,
    'pki/proxy-ca.pem': proxies.pem,
    'pki/origin.pem': pki.origin.chainPem,
    'pki/origin.key': pki.origin.privateKeyPem,
  };
  mkdirSync(join(folder, 'pki'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 });
}

/** `cert` and `key` of a TLS client that presents a certificate and the intermediates above it. */
export function presenting(certificate: TestCertificate | undefined): { cert?: string; key?: string } {
  if (certificate === undefined) return {};
  return { cert: certificate.chainPem, key: certificate.privateKeyPem };
}
