import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  createAuthenticator,
  createRevocation,
  nativeTls,
  ocsp,
  type RevocationMethod,
  TrustStore,
} from '@peercert/core';
import { clientCertificate } from '@peercert/express';
import { createAuthority, type RawExtension, type TestCertificate } from '@peercert/testkit';
import express from 'express';
import { closeServers, listen, originOptions, problem, send, type Answer } from '../support/servers';
import { presenting } from '../support/tls-origin';
import { until } from '../support/until';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl) process.emitWarning('openssl is not installed: answers of its OCSP responder are NOT tested.');

// A real responder goes by the real clock.
const day = 86_400_000;
const now = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day) };
const root = createAuthority({ ...now, subject: 'CN=Root' });
const nocheck: RawExtension = { oid: '1.3.6.1.5.5.7.48.1.5', value: Buffer.of(5, 0) };
const delegate = root.issue({
  ...now,
  subject: 'CN=Responder',
  extKeyUsage: ['OCSPSigning'],
  extensions: [nocheck],
});
const serverAuth = root.issue({ ...now, subject: 'CN=Server' });

const run = promisify(execFile);
let folder: string;
const responders: ChildProcess[] = [];
const methods: RevocationMethod[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'peercert-ocsp-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A CA as `openssl ca` runs it: what it says of certificates is in its index. */
beforeEach(() => {
  write('ca.pem', root.pem);
  write('ca.key', root.privateKeyPem);
  write('index.txt', '');
  write('index.txt.attr', 'unique_subject = no\n');
  const ca = ['database = index.txt', 'certificate = ca.pem', 'private_key = ca.key', 'default_md = sha256'];
  write('ca.cnf', ['[ca]', 'default_ca = own', '[own]', 'new_certs_dir = .', ...ca, ''].join('\n'));
});

afterEach(async () => {
  await Promise.all(methods.splice(0).map((method) => method.close()));
  await closeServers();
  await stopResponders();
});

async function stopResponders(): Promise<void> {
  for (const responder of responders.splice(0)) {
    const ended = once(responder, 'exit');
    responder.kill('SIGKILL');
    await ended;
  }
}

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text, { mode: 0o600 });
}

/** The responder looks at the index before it waits for a request, not after: an empty one makes it look again. */
async function tellCa(url: string, ...args: readonly string[]): Promise<void> {
  await run('openssl', ['ca', '-config', 'ca.cnf', ...args], { cwd: folder });
  await fetch(url).then((response) => response.arrayBuffer());
}

/** Starts `openssl ocsp` on a free port. Its answers hold for two seconds, since it gives them no nextUpdate. */
async function startResponder(signer: TestCertificate, ...args: readonly string[]): Promise<string> {
  write('signer.pem', signer.pem);
  write('signer.key', signer.privateKeyPem);
  const files = ['-index', 'index.txt', '-CA', 'ca.pem', '-rsigner', 'signer.pem', '-rkey', 'signer.key'];
  const responder = spawn('openssl', ['ocsp', ...files, '-port', '0', '-ignore_err', ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  responders.push(responder);
  let said = '';
  responder.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const portOf = (): string | undefined => /ACCEPT .*:(\d+) /.exec(said)?.[1];
  await until(() => portOf() !== undefined);
  return `http://127.0.0.1:${portOf()}/`;
}

/** An https origin with Express that asks the responder which certificates name. */
async function startOrigin(url: string, options: Parameters<typeof ocsp>[0] = {}): Promise<number> {
  const network = {
    hosts: [new URL(url).host],
    dangerouslyAllowPrivateAddressesOf: ['127.0.0.1'],
    timeoutMs: 10_000,
    totalTimeoutMs: 10_000,
  };
  const method = ocsp({ network, maxAgeSeconds: 2, ...options });
  methods.push(method);
  const authenticator = createAuthenticator({
    trust: TrustStore.fromDer([root.der]),
    source: nativeTls(),
    revocation: createRevocation({ methods: [method], timeoutMs: 10_000 }),
  });
  const app = express();
  app.use(clientCertificate(authenticator), (request, response) => {
    response.json(request.clientIdentity?.uris);
  });
  return listen(https.createServer(originOptions, app));
}

async function issue(url: string): Promise<TestCertificate> {
  const client = root.issue({ ...now, uris: ['urn:alice'], ocspUrls: [url] });
  write('client.pem', client.pem);
  await tellCa(url, '-valid', 'client.pem');
  return client;
}

const call = (port: number, client: TestCertificate): Promise<Answer> =>
  send(port, { protocol: 'https:', ...presenting(client) });

const describeWithOpenssl = hasOpenssl ? describe : describe.skip;

describeWithOpenssl.each<[string, TestCertificate, readonly string[]]>([
  ['signed by the issuer itself', root, []],
  ['signed by the issuer itself, named by its key', root, ['-resp_key_id', '-resp_no_certs']],
  ['signed by a delegate of the issuer', delegate, []],
  ['signed by a delegate of the issuer, named by its key', delegate, ['-resp_key_id']],
  ['with nextUpdate', root, ['-nmin', '5']],
])("answers of openssl's responder, %s", (_, signer, args) => {
  it('let a good certificate in, and no other', async () => {
    const url = await startResponder(signer, ...args);
    const port = await startOrigin(url);
    await expect(call(port, await issue(url))).resolves.toMatchObject({ status: 200, body: ['urn:alice'] });
    const revoked = await issue(url);
    await tellCa(url, '-revoke', 'client.pem', '-crl_reason', 'keyCompromise');
    await expect(call(port, revoked)).resolves.toMatchObject({
      status: 403,
      body: problem(403, 'certificate_rejected'),
    });
    const unknown = root.issue({ ...now, ocspUrls: [url] });
    await expect(call(port, unknown)).resolves.toMatchObject({
      status: 503,
      headers: { 'retry-after': '5', 'cache-control': 'no-store' },
      body: problem(503, 'unavailable'),
    });
  }, 30_000);
});

describeWithOpenssl("openssl's responder", () => {
  it('is asked again: a certificate that is revoked is refused soon, and stays so when the responder is gone', async () => {
    const url = await startResponder(root);
    const port = await startOrigin(url);
    const client = await issue(url);
    await expect(call(port, client)).resolves.toMatchObject({ status: 200 });
    await tellCa(url, '-revoke', 'client.pem');
    await until(async () => (await call(port, client)).status === 403, 20_000);
    await stopResponders();
    for (let times = 0; times < 3; times += 1) {
      await expect(call(port, client)).resolves.toMatchObject({ status: 403 });
    }
    await expect(call(port, root.issue({ ...now, ocspUrls: [url] }))).resolves.toMatchObject({ status: 503 });
  }, 60_000);

  it('may be asked with a nonce', async () => {
    const url = await startResponder(root);
    const port = await startOrigin(url, { nonce: 'request' });
    await expect(call(port, await issue(url))).resolves.toMatchObject({ status: 200 });
  }, 30_000);

  it('is not believed where it signs with a certificate of the issuer that is for something else', async () => {
    const url = await startResponder(serverAuth);
    const port = await startOrigin(url);
    await expect(call(port, await issue(url))).resolves.toMatchObject({ status: 503 });
  }, 30_000);
});
