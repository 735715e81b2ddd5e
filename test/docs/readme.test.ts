import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { cloudFrontHeaders, createAuthority, type TestCertificate } from '@peercert/testkit';

const root = resolve(__dirname, '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** The code a reader copies, by the heading above it. */
function quickStart(heading: string): string {
  const code = new RegExp(`^### ${heading}\n\n\`\`\`js\n([^]*?)^\`\`\``, 'm').exec(readme)?.[1];
  if (code === undefined) throw new Error(`README.md has no code under ${heading}`);
  return code;
}

// Real connections are judged by the real clock.
const now = Date.now();
const validity = { notBefore: new Date(now - 3_600_000), notAfter: new Date(now + 3_600_000) };
const viewers = createAuthority(validity);
const device = viewers.issue({ ...validity, uris: ['urn:device:1'] });
const edgeAuthority = createAuthority(validity);
const edge = edgeAuthority.issue({ ...validity, dnsNames: ['cf-e2example.origin.example.com'] });
const origin = createAuthority(validity).issue({ ...validity, dnsNames: ['localhost'], extKeyUsage: ['serverAuth'] });

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => void server.close(done));
  return port;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

async function get(port: number, shown: TestCertificate | undefined, fields: [string, string][]): Promise<Answer> {
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

describe.each([
  ['Express', 'forwarded'],
  ['Koa', 'forwarded'],
  ['Fastify', 'forwarded'],
  ['No proxy, no framework', 'native'],
])('the quick start for %s', (heading, kind) => {
  let server: ChildProcess;
  let folder: string;
  let port: number;

  beforeAll(async () => {
    // Inside the repository, so that the imports of the quick start resolve.
    folder = mkdtempSync(join(root, 'node_modules/.quick-start-'));
    mkdirSync(join(folder, 'pki'));
    writeFileSync(join(folder, 'pki/viewers.pem'), viewers.pem);
    writeFileSync(join(folder, 'pki/edge.pem'), edgeAuthority.pem);
    writeFileSync(join(folder, 'pki/origin.pem'), origin.pem);
    writeFileSync(join(folder, 'pki/origin.key'), origin.privateKeyPem);
    port = await freePort();
    writeFileSync(join(folder, 'origin.mjs'), quickStart(heading).replace('8443', String(port)));
    server = spawn(process.execPath, ['origin.mjs'], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    await untilListening(port, server);
  }, 30_000);

  afterAll(async () => {
    const ended = new Promise((done) => void server.once('exit', done));
    server.kill();
    await ended;
    rmSync(folder, { recursive: true });
  });

  it('is about ten lines', () => {
    expect(quickStart(heading).trim().split('\n').length).toBeLessThanOrEqual(14);
  });

  if (kind === 'forwarded') {
    it('names the client that came through CloudFront', async () => {
      expect(await get(port, edge, cloudFrontHeaders(device))).toEqual({ status: 200, body: { device: 'urn:device:1' } });
    });

    it('refuses the same header without the certificate of CloudFront', async () => {
      expect(await get(port, undefined, cloudFrontHeaders(device))).toMatchObject({
        status: 403,
        body: { code: 'certificate_required' },
      });
    });

    it('refuses a viewer that shows its own certificate in place of CloudFront', async () => {
      expect(await get(port, device, cloudFrontHeaders(device))).toMatchObject({ status: 403 });
    });
  } else {
    it('names the client on its own TLS socket', async () => {
      expect(await get(port, device, [])).toEqual({ status: 200, body: { device: 'urn:device:1' } });
    });

    it('refuses a client of another authority', async () => {
      expect(await get(port, edge, [])).toMatchObject({ status: 403, body: { code: 'certificate_rejected' } });
    });
  }

  it('refuses a request without a certificate', async () => {
    expect(await get(port, kind === 'forwarded' ? edge : undefined, [])).toMatchObject({
      status: 403,
      body: { code: 'certificate_required' },
    });
  });
});

describe('README.md', () => {
  it('mentions every workspace package a user installs', () => {
    for (const name of ['express', 'koa', 'fastify', 'core']) expect(readme).toContain(`'@peercert/${name}'`);
  });
});
