import { constants } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http2 from 'node:http2';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createAuthenticator,
  keepTlsCurrent,
  nativeTls,
  originServerOptions,
  type ReloadingTrustStore,
  TrustStore,
  watchTrustStore,
} from '@peercert/core';
import { createAuthority } from '@peercert/testkit';
import { callerOf } from '../../support/requests';
import { ask, closeTlsOrigins, presenting, startTlsOrigin } from '../../support/tls-origin';

const DAY_MS = 24 * 60 * 60 * 1000;
// Node itself judges in these tests, by the real clock.
const today = { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + DAY_MS) };
const root = createAuthority(today);
const client = root.issue({ ...today, uris: ['urn:device:1'] });
const store = TrustStore.fromDer([root.der]);

afterEach(closeTlsOrigins);

describe('the options of an origin server', () => {
  it('ask for a certificate, leave the judging to us, and give no tickets', () => {
    expect(originServerOptions()).toEqual({
      requestCert: true,
      rejectUnauthorized: false,
      ca: [],
      secureOptions: constants.SSL_OP_NO_TICKET,
      maxHeaderSize: 65_536,
    });
    expect(originServerOptions({})).toEqual(originServerOptions());
  });

  it('let TLS refuse when they are given a store for it', () => {
    expect(originServerOptions({ rejectAtTls: store })).toEqual({
      requestCert: true,
      rejectUnauthorized: true,
      ca: [root.pem],
      secureOptions: constants.SSL_OP_NO_TICKET,
      maxHeaderSize: 65_536,
    });
  });

  it('are new each time, to be changed by whoever asked', () => {
    originServerOptions().ca.push(root.pem);
    expect(originServerOptions().ca).toEqual([]);
    const { ca } = originServerOptions({ rejectAtTls: store });
    ca.length = 0;
    expect(originServerOptions({ rejectAtTls: store }).ca).toHaveLength(1);
  });

  it.each<[string, unknown, string]>([
    ['a string for the store', { rejectAtTls: root.pem }, 'rejectAtTls must be a TrustStore; it received a string.'],
    ['an empty string for the store', { rejectAtTls: '' }, 'rejectAtTls must be a TrustStore; it received a string.'],
    ['null for the store', { rejectAtTls: null }, 'rejectAtTls must be a TrustStore; it received null.'],
    [
      'a provider without a store',
      { rejectAtTls: { current: undefined } },
      'rejectAtTls must be a TrustStore; it received an object.',
    ],
    ['the store itself', store, 'originServerOptions received an unknown option, `size`. It knows rejectAtTls.'],
    ['null', null, 'originServerOptions takes an options object; it received null.'],
  ])('are refused for %s', (_, options, message) => {
    expect(() => originServerOptions(options as never)).toThrow(new TypeError(message));
  });
});

describe('a server with these options', () => {
  it('keeps no root store of its own: Node takes no certificate for authorized', async () => {
    const origin = await startTlsOrigin(({ socket }) => (socket as { authorized?: boolean }).authorized);
    await expect(ask(origin, presenting(client))).resolves.toBe(false);
  });

  it('passes a header of 60,000 characters', async () => {
    const origin = await startTlsOrigin(({ headers }) => headers['x-long']?.length);
    await expect(ask(origin, { headers: { 'X-Long': 'a'.repeat(60_000) } })).resolves.toBe(60_000);
  });

  describe('that reject at TLS', () => {
    const authenticator = createAuthenticator({ trust: store, source: nativeTls() });
    const startOrigin = async () =>
      startTlsOrigin(async (request) => callerOf(authenticator, request), originServerOptions({ rejectAtTls: store }));

    it('accept a client of the store', async () => {
      await expect(ask(await startOrigin(), presenting(client))).resolves.toEqual(['urn:device:1']);
    });

    it.each<[string, https.RequestOptions]>([
      ['nobody', {}],
      ['a stranger', presenting(createAuthority(today).issue(today))],
    ])('refuse %s before HTTP', async (_, options) => {
      await expect(ask(await startOrigin(), options)).rejects.toThrow(/ECONNRESET|socket hang up|alert/);
    });
  });
});

describe('a server that is kept current', () => {
  const other = createAuthority(today);
  const [ofRoot, ofOther] = [presenting(client), presenting(other.issue({ ...today, uris: ['urn:device:2'] }))];
  const key = createAuthority().issue({ dnsNames: ['localhost'] });
  const tls = { key: key.privateKeyPem, cert: key.pem };
  const refusal = /ECONNRESET|socket hang up|alert|disconnected before secure/;
  let folder = '';
  let file = '';
  let trust: ReloadingTrustStore;
  let stop: (() => void) | undefined;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'peercert-tls-'));
    file = join(folder, 'ca.pem');
    writeFileSync(file, root.pem);
    trust = watchTrustStore({ anchors: file, maxShrink: 1 });
  });
  afterEach(async () => {
    stop?.();
    await trust.close();
    rmSync(folder, { recursive: true });
  });

  async function replace(pem: string): Promise<void> {
    writeFileSync(file, pem);
    const before = trust.current;
    await trust.reload();
    expect(trust.current).not.toBe(before);
  }

  interface KeptOrigin {
    readonly port: number;
    readonly server: https.Server;
    ask(options: https.RequestOptions): Promise<unknown>;
  }

  const servers: https.Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    }
  });

  async function startKept(): Promise<KeptOrigin> {
    const authenticator = createAuthenticator({ trust, source: nativeTls() });
    const server = https.createServer(
      { ...tls, ...originServerOptions({ rejectAtTls: trust }) },
      (request, response) => {
        callerOf(authenticator, request).then(
          (caller) => response.end(JSON.stringify(caller)),
          ({ code }: { code: string }) => response.end(JSON.stringify(code)),
        );
      },
    );
    servers.push(server);
    stop = keepTlsCurrent(server, { trust, tls });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return { port, server, ask: async (options) => ask({ port, connections: [], resumed: [] }, options) };
  }

  it('lets in whom the new store vouches for, and refuses before HTTP whom only the old one did', async () => {
    const origin = await startKept();
    await expect(origin.ask(ofRoot)).resolves.toEqual(['urn:device:1']);
    await expect(origin.ask(ofOther)).rejects.toThrow(refusal);
    await replace(root.pem + other.pem);
    await expect(origin.ask(ofOther)).resolves.toEqual(['urn:device:2']);
    await expect(origin.ask(ofRoot)).resolves.toEqual(['urn:device:1']);
    await replace(other.pem);
    await expect(origin.ask(ofRoot)).rejects.toThrow(refusal);
    await expect(origin.ask({})).rejects.toThrow(refusal);
    await expect(origin.ask(ofOther)).resolves.toEqual(['urn:device:2']);
  });

  it.each(['', 'garbage', '-----BEGIN CERTIFICATE-----'])(
    'F1: goes by the last good store, never by none, while the file holds %p',
    async (contents) => {
      const origin = await startKept();
      writeFileSync(file, contents);
      expect(await trust.reload()).toBe(false);
      await expect(origin.ask(ofRoot)).resolves.toEqual(['urn:device:1']);
      await expect(origin.ask(ofOther)).rejects.toThrow(refusal);
    },
  );

  it('judges the requests of a connection that stays open by the store of the hour', async () => {
    const origin = await startKept();
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    await expect(origin.ask({ ...ofRoot, agent })).resolves.toEqual(['urn:device:1']);
    await replace(other.pem);
    await expect(origin.ask({ ...ofRoot, agent })).resolves.toMatch(/^ERR_PATH_/);
    agent.destroy();
  });

  it('resumes no session in which another store was asked', async () => {
    const origin = await startKept();
    const sessions = new Map<string, Buffer>();
    origin.server.on('newSession', (id: Buffer, data: Buffer, done: () => void) => {
      sessions.set(id.toString('hex'), data);
      done();
    });
    origin.server.on('resumeSession', (id: Buffer, done: (error: null, data: Buffer | null) => void) => {
      done(null, sessions.get(id.toString('hex')) ?? null);
    });
    const resumed: boolean[] = [];
    origin.server.on('secureConnection', (socket) => resumed.push(socket.isSessionReused()));
    let session: Buffer | undefined;
    const asking = { ...ofRoot, maxVersion: 'TLSv1.2' } as const;
    const first = https.request({
      host: '127.0.0.1',
      port: origin.port,
      agent: false,
      rejectUnauthorized: false,
      ...asking,
    });
    first.on('socket', (socket) => socket.on('session', (given: Buffer) => (session = given)));
    first.end();
    const [response] = (await once(first, 'response')) as [NodeJS.ReadableStream];
    response.resume();
    await once(response, 'end');
    expect(session).toBeInstanceOf(Buffer);
    await origin.ask({ ...asking, session } as https.RequestOptions);
    expect(resumed).toEqual([false, true]);
    await replace(other.pem);
    await expect(origin.ask({ ...asking, session } as https.RequestOptions)).rejects.toThrow(refusal);
  });

  it('speaks HTTP/2 as before', async () => {
    const server = http2.createSecureServer(
      { ...tls, ...originServerOptions({ rejectAtTls: trust }) },
      (_, response) => {
        response.end('in');
      },
    );
    stop = keepTlsCurrent(server, { trust, tls });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await replace(root.pem + other.pem);
    const { port } = server.address() as AddressInfo;
    const session = http2.connect(`https://127.0.0.1:${port}`, { ...ofOther, rejectUnauthorized: false });
    const stream = session.request({ ':path': '/' });
    const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
    expect(headers[':status']).toBe(200);
    session.destroy();
    server.close();
    await once(server, 'close');
  });

  describe('is given', () => {
    const given: unknown[] = [];
    const server = { setSecureContext: (options: unknown) => given.push(options) } as never;
    beforeEach(() => {
      given.length = 0;
    });

    it('the store at once and each new one, with all that belongs to it, until it is stopped', async () => {
      stop = keepTlsCurrent(server, {
        trust,
        tls: { ...tls, minVersion: 'TLSv1.3', secureOptions: constants.SSL_OP_NO_TLSv1 },
      });
      await replace(root.pem + other.pem);
      stop();
      await replace(other.pem);
      const secureOptions = constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_TLSv1;
      const options = { ...tls, minVersion: 'TLSv1.3', secureOptions, sessionIdContext: expect.any(String) };
      expect(given).toEqual([
        { ...options, ca: [root.pem] },
        { ...options, ca: [root.pem, other.pem] },
      ]);
    });

    it('key and certificate as they are by then', async () => {
      let cert = 'first';
      stop = keepTlsCurrent(server, { trust, tls: () => ({ cert }) });
      cert = 'second';
      await replace(root.pem + other.pem);
      expect(given).toMatchObject([{ cert: 'first' }, { cert: 'second' }]);
    });

    it('nothing where the function fails, which is a process warning', async () => {
      const warnings = jest.spyOn(process, 'emitWarning').mockImplementation();
      let fails = false;
      stop = keepTlsCurrent(server, {
        trust,
        tls: () => {
          if (fails) throw new Error('no key');
          return tls;
        },
      });
      fails = true;
      await replace(root.pem + other.pem);
      expect(given).toHaveLength(1);
      expect(warnings.mock.calls[0]?.[0]).toBe('A listener of trust events failed: no key');
      warnings.mockRestore();
    });

    it.each<[string, unknown, unknown, string]>([
      ['no server', undefined, { tls }, 'keepTlsCurrent needs a TLS server; it received undefined.'],
      ['another server', {}, { tls }, 'keepTlsCurrent needs a TLS server; it received an object.'],
      ['no options', server, undefined, 'keepTlsCurrent takes an options object; it received undefined.'],
      ['no tls', server, {}, 'keepTlsCurrent needs tls, what the server was created with, without ca.'],
      [
        'ca',
        server,
        { tls: { ...tls, ca: '' } },
        'keepTlsCurrent needs tls, what the server was created with, without ca.',
      ],
      [
        'a promise',
        server,
        { tls: async () => tls },
        'keepTlsCurrent needs tls, what the server was created with, without ca.',
      ],
      [
        'a store that is not reloaded',
        server,
        { tls, trust: store },
        'keepTlsCurrent needs trust, a store that is reloaded; it received an object.',
      ],
      [
        'a misspelt option',
        server,
        { tls, TLS: tls },
        'keepTlsCurrent received an unknown option, `TLS`. Did you mean `tls`?',
      ],
    ])('nothing for %s', (_, to, options, message) => {
      const all = typeof options === 'object' ? { trust, ...options } : options;
      expect(() => keepTlsCurrent(to as never, all as never)).toThrow(new TypeError(message));
      expect(given).toEqual([]);
    });
  });
});
