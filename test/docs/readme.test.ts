import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as forExpress from '@peercert/express';
import * as forFastify from '@peercert/fastify';
import * as forKoa from '@peercert/koa';
import { cloudFrontHeaders, createAuthority, type TestCertificate } from '@peercert/testkit';
import express from 'express';
import Fastify from 'fastify';
import Koa from 'koa';
import { codeUnder } from '../support/pages';
import {
  device,
  edge,
  freePort,
  get,
  listeningOn,
  quickStartCode,
  quickStarts,
  runOrigin,
  type RunningOrigin,
  writePki,
} from '../support/quick-start';
import { behindEdge, edgeChannel, secretLine } from '../support/requests';
import { closeServers, httpOptions, listen, send } from '../support/servers';
import { until } from '../support/until';

const root = resolve(__dirname, '../..');
const spkiDer = { format: 'der', type: 'spki' } as const;

describe.each(quickStarts)('the quick start for $heading', ({ heading, kind }) => {
  let server: RunningOrigin;
  let folder: string;
  let port: number;

  beforeAll(async () => {
    // Inside the repository, so that the imports of the quick start resolve.
    folder = mkdtempSync(join(root, 'node_modules/.quick-start-'));
    writePki(folder);
    port = await freePort();
    writeFileSync(join(folder, 'origin.mjs'), listeningOn(port, quickStartCode(heading)));
    server = await runOrigin(folder, 'origin.mjs', port);
  }, 30_000);

  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  it('is about ten lines', () => {
    expect(quickStartCode(heading).trim().split('\n').length).toBeLessThanOrEqual(14);
  });

  if (kind === 'forwarded') {
    it('names the client that came through CloudFront', async () => {
      expect(await get(port, edge, cloudFrontHeaders(device))).toEqual({
        status: 200,
        body: { device: 'urn:device:1' },
      });
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

describe('"Log outcomes with pino"', () => {
  const [code = ''] = codeUnder('README.md', 'Log outcomes with pino', 'js');

  /** The lines that an origin with this code has logged, as soon as there are so many. */
  async function linesOf(server: RunningOrigin, count: number): Promise<readonly Record<string, unknown>[]> {
    for (;;) {
      const lines = server.output().split('\n').slice(0, -1);
      if (lines.length >= count) return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
      await new Promise((retry) => void setTimeout(retry, 20));
    }
  }

  it('logs what the page says, and no name', async () => {
    const folder = mkdtempSync(join(root, 'node_modules/.quick-start-'));
    const port = await freePort();
    writePki(folder);
    writeFileSync(join(folder, 'origin.mjs'), code + listeningOn(port, quickStartCode('Express')));
    const server = await runOrigin(folder, 'origin.mjs', port);
    try {
      // The one that was made to see whether it listens.
      await linesOf(server, 1);
      const fields = cloudFrontHeaders(device);
      await get(port, edge, [...fields, ['X-Amz-Cf-Id', 'request-1'], ['X-SSL-Cert', 'another']]);
      await get(port, edge, fields);
      await get(port, edge, [['Client-Cert', ':AAEC:']]);
      const [untrusted, first, second, malformed, ...others] = await linesOf(server, 4);
      expect(others).toEqual([]);
      const refused = { level: 40, msg: 'client certificate refused', 'event.outcome': 'failure' };
      const checked = { level: 30, msg: 'client certificate checked', 'event.outcome': 'success' };
      expect(untrusted).toMatchObject({ ...refused, 'error.type': 'ERR_CHANNEL_UNTRUSTED' });
      const sha256 = createHash('sha256').update(device.der).digest('hex').toUpperCase();
      expect(first).toMatchObject({
        ...checked,
        'clientcert.channel.proof': 'origin-mtls',
        'clientcert.cache.result': 'miss',
        'clientcert.verification.duration': expect.any(Number),
        'tls.client.hash.sha256': sha256,
        'http.request.id': 'request-1',
        'clientcert.ignored_headers': ['x-ssl-cert'],
      });
      expect(second).toMatchObject({ ...checked, 'clientcert.cache.result': 'hit', 'tls.client.hash.sha256': sha256 });
      expect(malformed).toMatchObject({ ...refused, 'error.type': 'ERR_CERTIFICATE_MALFORMED' });
      expect(server.output()).not.toContain('urn:device:1');
    } finally {
      await server.stop();
      rmSync(folder, { recursive: true });
    }
  }, 30_000);
});

describe('"Who may do what"', () => {
  const [page = ''] = codeUnder('README.md', 'Who may do what', 'js');
  const authority = createAuthority();
  const alice = authority.issue({ uris: ['spiffe://example.com/ops/alice'] });
  const truck = authority.issue({ uris: ['spiffe://devices.example.com/truck/1'] });
  const auditor = authority.issue();
  const auditors = new Set([createHash('sha256').update(auditor.key.publicKey.export(spkiDer)).digest('hex')]);

  let warnings: jest.SpyInstance;
  beforeEach(() => {
    warnings = jest.spyOn(process, 'emitWarning').mockImplementation();
  });
  afterEach(async () => {
    warnings.mockRestore();
    await closeServers();
  });

  /** Runs the line of the page that names a framework, with what it takes for granted. */
  function mount(framework: string, path: string, known: Readonly<Record<string, unknown>>): void {
    const lines = page.split('\n').filter((line) => line.includes(`'${path}'`) && line.includes(framework));
    expect(lines).toHaveLength(1);
    // oxlint-disable-next-line typescript/no-implied-eval -- the page is what is tested
    new Function(...Object.keys(known), lines.join(''))(...Object.values(known));
  }

  /** The status of the answer to each of the three. */
  async function answersTo(port: number, path: string): Promise<readonly number[]> {
    const askAs = async (certificate: typeof alice): Promise<number> => {
      const headers = Object.fromEntries([secretLine, ...cloudFrontHeaders(certificate)]);
      return (await send(port, { path, headers })).status;
    };
    return Promise.all([alice, truck, auditor].map(askAs));
  }

  it('lets one name into a part of an Express application', async () => {
    const app = express().use(forExpress.clientCertificate(behindEdge([authority])));
    mount('Express', '/admin', { app, requireClientIdentity: forExpress.requireClientIdentity });
    app.use((_, response) => void response.end());
    const port = await listen(createServer(app));
    await expect(answersTo(port, '/admin/panel')).resolves.toEqual([200, 403, 403]);
    await expect(answersTo(port, '/')).resolves.toEqual([200, 200, 200]);
  });

  it('lets a trust domain to a route of Express', async () => {
    const app = express().use(forExpress.clientCertificate(behindEdge([authority])));
    const router = express.Router();
    const { requireClientIdentity } = forExpress;
    const handler = (_: unknown, response: ServerResponse): unknown => response.end();
    mount('Express', '/fleet', { router, requireClientIdentity, handler });
    const port = await listen(createServer(app.use(router)));
    await expect(answersTo(port, '/fleet')).resolves.toEqual([403, 200, 403]);
  });

  it('lets a trust domain to a route of Koa', async () => {
    const app = new Koa().use(forKoa.clientCertificate(behindEdge([authority])));
    // What a router does with two middlewares on a path.
    const router = {
      get: (path: string, guard: Koa.Middleware, handler: Koa.Middleware) =>
        app.use(async (ctx, next) => (ctx.path === path ? guard(ctx, async () => void handler(ctx, next)) : next())),
    };
    const { requireClientIdentity } = forKoa;
    mount('Koa', '/fleet', { router, requireClientIdentity, handler: (ctx: Koa.Context) => (ctx.body = 'in') });
    const port = await listen(createServer(app.callback() as RequestListener));
    await expect(answersTo(port, '/fleet')).resolves.toEqual([403, 200, 403]);
  });

  it('lets to a route of Fastify whom a function names', async () => {
    const app = Fastify();
    await app.register(forFastify.clientCertificate, behindEdge([authority]));
    const { requireClientIdentity } = forFastify;
    mount('Fastify', '/audit', { app, requireClientIdentity, auditors, handler: async () => 'in' });
    await app.ready();
    await expect(answersTo(await listen(app.server), '/audit')).resolves.toEqual([403, 403, 200]);
  });
});

describe('"While it serves"', () => {
  const [code = ''] = codeUnder('README.md', 'While it serves', 'js');
  const day = 86_400_000;
  const now = Date.now();
  const validity = { notBefore: new Date(now - day), notAfter: new Date(now + 400 * day) };
  const [viewers, added, unheard] = [
    createAuthority({ ...validity, subject: 'CN=Viewers' }),
    createAuthority({ ...validity, subject: 'CN=Added' }),
    createAuthority({ ...validity, subject: 'CN=Unheard' }),
  ];
  const [alice, bob, carol] = [viewers.issue(validity), viewers.issue(validity), viewers.issue(validity)];
  const crlWith = (revoked: readonly TestCertificate[], crlNumber: number): Buffer =>
    viewers.crl({ thisUpdate: new Date(now - day), nextUpdate: new Date(now + day), revoked, crlNumber });

  interface Declared {
    readonly trust: forExpress.ReloadingTrustStore;
    readonly denyList: forExpress.DenyList;
    readonly revocation: forExpress.Revocation;
  }

  let folder: string;
  let declared: Declared;
  let port: number;
  let warnings: jest.SpyInstance;

  beforeEach(async () => {
    warnings = jest.spyOn(process, 'emitWarning').mockImplementation();
    folder = mkdtempSync(join(tmpdir(), 'peercert-readme-'));
    mkdirSync(join(folder, 'viewers'));
    mkdirSync(join(folder, 'crls'));
    writeFileSync(join(folder, 'viewers/viewers.pem'), viewers.pem);
    writeFileSync(join(folder, 'viewers/unheard.pem'), unheard.pem);
    writeFileSync(join(folder, 'deny-list'), '');
    writeFileSync(join(folder, 'crls/viewers.crl'), crlWith([], 1));
    const app = express();
    const known = { ...forExpress, app, source: forExpress.cloudFront({ channel: edgeChannel }) };
    const body = `${code.replaceAll("'pki/", `'${folder}/`)}\nreturn { trust, denyList, revocation };`;
    // oxlint-disable-next-line typescript/no-implied-eval -- the page is what is tested
    declared = new Function(...Object.keys(known), body)(...Object.values(known)) as Declared;
    app.use((_, response) => void response.end());
    port = await listen(createServer(httpOptions, app));
  });

  afterEach(async () => {
    await closeServers();
    await Promise.all([declared.trust.close(), declared.revocation.close()]);
    rmSync(folder, { recursive: true });
    warnings.mockRestore();
  });

  const statusFor = async (certificate: TestCertificate): Promise<number> => {
    const headers = Object.fromEntries([secretLine, ...cloudFrontHeaders(certificate)]);
    return (await send(port, { headers })).status;
  };

  it('takes a store that is good, and nothing of a bad bundle', async () => {
    const { trust } = declared;
    await expect(statusFor(alice)).resolves.toBe(200);
    await expect(statusFor(added.issue(validity))).resolves.toBe(403);
    writeFileSync(join(folder, 'viewers/added.pem'), added.pem.slice(0, -9));
    await until(() => trust.health.status === 'degraded');
    await expect(statusFor(alice)).resolves.toBe(200);
    await expect(statusFor(added.issue(validity))).resolves.toBe(403);
    writeFileSync(join(folder, 'viewers/added.pem'), added.pem);
    await until(() => trust.health.generation === 2);
    // Trusted, but there is nobody who knows of revocation.
    await expect(statusFor(added.issue(validity))).resolves.toBe(503);
  });

  it('counts deny list and CRL from the next request on', async () => {
    const { denyList, revocation } = declared;
    const statuses = async (): Promise<readonly number[]> => Promise.all([alice, bob, carol].map(statusFor));
    await expect(statuses()).resolves.toEqual([200, 200, 200]);
    const key = createHash('sha256').update(alice.key.publicKey.export(spkiDer)).digest('hex');
    writeFileSync(join(folder, 'deny-list'), `spki-sha256 ${key}\n`);
    await until(() => denyList.health.entries === 1);
    await expect(statuses()).resolves.toEqual([403, 200, 200]);
    const { revision } = revocation;
    writeFileSync(join(folder, 'crls/viewers.crl'), crlWith([bob], 2));
    await until(() => revocation.revision > revision);
    await expect(statuses()).resolves.toEqual([403, 403, 200]);
  });

  it('answers 503 when nobody knows, and never a quiet yes', async () => {
    await expect(statusFor(unheard.issue(validity))).resolves.toBe(503);
  });
});

describe('README.md', () => {
  it.each(quickStarts)('says how to install what the quick start for $heading imports', ({ heading, name }) => {
    const imports = [...quickStartCode(heading).matchAll(/ from '(?!node:)(.+)';$/gm)].map(([, from = '']) => from);
    const installed = imports.toSorted().join(' ');
    expect(installed).toContain(`@peercert/${name}`);
    const [line] = codeUnder('README.md', 'Quick start', 'sh').join('').split('\n');
    expect(line?.split(/ # or |, or |^npm install /)).toContain(installed);
  });

  it('mentions every workspace package a user installs', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    for (const { name } of quickStarts) expect(readme).toContain(`'@peercert/${name}'`);
  });
});
