import type { LookupAddress } from 'node:dns';
import https from 'node:https';
import { createAuthority, type TestCertificate } from '@peercert/testkit';
import { FetchError } from '../../../../packages/core/src/revocation/fetch-error';
import { Fetcher, type FetcherSettings, type FetchRequest } from '../../../../packages/core/src/revocation/fetcher';
import type { NetworkOptions } from '../../../../packages/core/src/revocation/network-options';
import {
  type FaultKind,
  type FaultyServer,
  type FaultyServerOptions,
  startFaultyServer,
} from '../../../support/faulty-server';

const host = 'crl.test';
const loopback: LookupAddress = { address: '127.0.0.1', family: 4 };
const elsewhere: LookupAddress = { address: '8.8.8.8', family: 4 };

// Node's TLS goes by the wall clock.
const day = 86_400_000;
const now = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day) };
const root = createAuthority(now);
const serverCertificate = (dnsName: string, issuer = root): TestCertificate =>
  issuer.issue({ ...now, extKeyUsage: ['serverAuth'], dnsNames: [dnsName] });

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(cleanUp.splice(0).map((close) => close()));
});

async function startServer(options?: FaultyServerOptions): Promise<FaultyServer> {
  const server = await startFaultyServer(options);
  cleanUp.push(() => server.close());
  return server;
}

function createFetcher(options: NetworkOptions, settings: FetcherSettings = {}): Fetcher {
  const fetcher = new Fetcher(options, { rootsPem: root.pem, ...settings });
  cleanUp.push(() => fetcher.close());
  return fetcher;
}

/** For answers that come, on a machine however busy. */
const patient = { timeoutMs: 20_000, totalTimeoutMs: 20_000 } as const;

/** A fetcher that may ask one server of this machine, by the name `crl.test`. */
function fetcherFor(url: string, options: NetworkOptions = {}, settings: FetcherSettings = {}): Fetcher {
  return createFetcher(
    { hosts: [new URL(url).host], dangerouslyAllowPrivateAddressesOf: [host], ...patient, ...options },
    { lookup: async () => [loopback], ...settings },
  );
}

const get = (url: string, more: Partial<FetchRequest> = {}): FetchRequest => {
  return { url, method: 'GET', maxOctets: 1_048_576, ...more };
};

/** What a request fails with, as plain data. */
const failure = async (asking: Promise<unknown>): Promise<unknown> => {
  const error: unknown = await asking.catch((thrown: unknown) => thrown);
  return error instanceof FetchError ? { reason: error.reason, ...error.details } : error;
};

describe.each([
  ['http', undefined],
  ['https', serverCertificate(host)],
])('over %s', (scheme, certificate) => {
  const start = (options: FaultyServerOptions = {}): Promise<FaultyServer> =>
    startServer(certificate === undefined ? options : { certificate, ...options });

  it('a good answer is fetched', async () => {
    const answer = Buffer.from('revocation data');
    const headers = { etag: '"1"', 'cache-control': 'max-age=60' };
    const server = await start({ answer, headers, contentType: 'application/pkix-crl' });
    const url = server.url('good', host);
    const result = await fetcherFor(url).fetch(get(url, { contentTypes: ['application/pkix-crl'] }));
    expect(result).toEqual({ body: answer, notModified: false, etag: '"1"', maxAgeSeconds: 60 });
    expect(server.questions).toEqual([
      {
        method: 'GET',
        path: '/good',
        headers: {
          host: `crl.test:${server.port}`,
          'user-agent': 'peercert',
          'accept-encoding': 'identity',
          connection: 'close',
        },
        body: Buffer.alloc(0),
      },
    ]);
  });

  it('a question is sent as it is', async () => {
    const server = await start({ answer: ({ body }) => Buffer.concat([Buffer.from('re: '), body]) });
    const url = `${server.url('good', host)}/a%2Fb?c=d`;
    const headers = { 'content-type': 'application/ocsp-request', 'accept-encoding': 'gzip', host: 'other.test' };
    const request = get(url, { method: 'POST', headers, body: Buffer.from('question') });
    await expect(fetcherFor(url).fetch(request)).resolves.toEqual({
      body: Buffer.from('re: question'),
      notModified: false,
    });
    expect(server.questions).toMatchObject([
      {
        method: 'POST',
        path: '/good/a%2Fb?c=d',
        headers: {
          host: `crl.test:${server.port}`,
          'content-type': 'application/ocsp-request',
          'content-length': '8',
          'accept-encoding': 'identity',
        },
      },
    ]);
  });

  it('304 is an answer to a question that names a version', async () => {
    const server = await start();
    const url = server.url('not-modified', host);
    const fetcher = fetcherFor(url);
    const headers = { 'if-none-match': '"1"' };
    await expect(fetcher.fetch(get(url, { headers }))).resolves.toEqual({ body: Buffer.alloc(0), notModified: true });
    await expect(failure(fetcher.fetch(get(url)))).resolves.toEqual({ reason: 'status', host, status: 304 });
  });

  it.each<[FaultKind, object]>([
    ['refused', { reason: 'connect', code: 'ECONNREFUSED' }],
    ['reset-on-connect', { reason: 'reset', code: 'ECONNRESET' }],
    ['reset', { reason: 'reset', code: 'ECONNRESET' }],
    ['reset-midway', { reason: 'reset', code: 'ECONNRESET' }],
    ['close-at-once', { reason: 'reset', code: 'ECONNRESET' }],
    ['switching-protocols', { reason: 'reset' }],
    ['server-error', { reason: 'status', status: 500 }],
    ['unavailable', { reason: 'status', status: 503 }],
    ['too-many-requests', { reason: 'status', status: 429 }],
    ['not-found', { reason: 'status', status: 404 }],
    ['partial-content', { reason: 'status', status: 206 }],
    ['hang-before-headers', { reason: 'timeout' }],
    ['hang-after-headers', { reason: 'timeout' }],
    ['drip', { reason: 'timeout' }],
    ['drip-headers', { reason: 'timeout' }],
    ['large', { reason: 'too-large' }],
    ['large-announced', { reason: 'too-large' }],
    ['endless', { reason: 'too-large' }],
    ['large-headers', { reason: 'too-large', code: 'HPE_HEADER_OVERFLOW' }],
    ['length-too-large', { reason: 'reset', code: 'ECONNRESET' }],
    ['two-lengths', { reason: 'not-http', code: 'HPE_UNEXPECTED_CONTENT_LENGTH' }],
    ['length-and-chunks', { reason: 'not-http', code: expect.stringMatching(/^HPE_/) }],
    ['bad-chunk', { reason: expect.stringMatching(/^(?:reset|not-http)$/), code: expect.any(String) }],
    ['not-http', { reason: 'not-http', code: 'HPE_INVALID_CONSTANT' }],
    ['gzip', { reason: 'content-type' }],
    ['html', { reason: 'content-type' }],
  ])('F11: fails, and lets go of the connection: %s', async (kind, expected) => {
    const server = await start();
    const url = server.url(kind, host);
    const request = get(url, { contentTypes: ['application/octet-stream'] });
    const options = 'reason' in expected && expected.reason === 'timeout' ? { timeoutMs: 150 } : {};
    await expect(failure(fetcherFor(url, options).fetch(request))).resolves.toEqual({ host, ...expected });
    await server.idle();
  });

  it.each<[FaultKind, string]>([
    ['empty', ''],
    ['no-type', 'answer'],
    ['length-too-small', 'half'],
  ])('what else is odd about an answer is for its reader to find: %s', async (kind, body) => {
    const server = await start();
    const url = server.url(kind, host);
    const result = await fetcherFor(url).fetch(get(url, { contentTypes: ['application/octet-stream'] }));
    expect(result).toEqual({ body: Buffer.from(body), notModified: false });
  });

  it.each<FaultKind>(['redirect', 'redirect-temporarily'])('SS-02: a redirect is not followed: %s', async (kind) => {
    const server = await start();
    const url = server.url(kind, host);
    await expect(failure(fetcherFor(url).fetch(get(url)))).resolves.toMatchObject({ reason: 'redirect', host });
    expect(server.requests).toBe(1);
  });

  it(`${scheme} is not taken for the other protocol`, async () => {
    const server = await start();
    const url = server.url('other-protocol', host);
    const reason = certificate === undefined ? 'tls' : 'reset';
    await expect(failure(fetcherFor(url).fetch(get(url)))).resolves.toMatchObject({ reason, host });
  });

  it('close() ends what is under way, and its connections', async () => {
    const server = await start();
    const urls = (['hang-before-headers', 'hang-after-headers', 'drip'] as const).map((kind) => server.url(kind, host));
    const fetcher = fetcherFor(server.url('good', host), { maxConcurrentPerHost: 3 });
    const asking = [...urls, ...urls].map((url) => failure(fetcher.fetch(get(url))));
    while (server.requests < 3) await new Promise(setImmediate);
    await fetcher.close();
    await expect(Promise.all(asking)).resolves.toEqual(asking.map(() => ({ reason: 'closed' })));
    await server.idle();
    expect(server.requests).toBe(3);
    await expect(failure(fetcher.fetch(get(server.url('good', host))))).resolves.toEqual({ reason: 'closed' });
    await fetcher.close();
  });
});

describe('the certificate of an https server', () => {
  it.each([
    ['of an unknown authority', serverCertificate(host, createAuthority(now)), /^UNABLE_TO_VERIFY|^SELF_SIGNED/],
    ['for another name', serverCertificate('other.test'), /^ERR_TLS_CERT_ALTNAME_INVALID$/],
    [
      'that has expired',
      root.issue({ extKeyUsage: ['serverAuth'], dnsNames: [host], notBefore: new Date(0), notAfter: new Date(day) }),
      /^CERT_HAS_EXPIRED$/,
    ],
  ])('is refused: one %s', async (_, certificate, code) => {
    const server = await startServer({ certificate });
    const url = server.url('good', host);
    const expected = { reason: 'tls', host, code: expect.stringMatching(code) };
    await expect(failure(fetcherFor(url).fetch(get(url)))).resolves.toEqual(expected);
    expect(server.requests).toBe(0);
  });

  it("is verified against Node's roots unless a test says otherwise, and whatever the environment says", async () => {
    const server = await startServer({ certificate: serverCertificate(host) });
    const url = server.url('good', host);
    const request = jest.spyOn(https, 'request');
    await expect(failure(fetcherFor(url, {}, { rootsPem: undefined }).fetch(get(url)))).resolves.toMatchObject({
      reason: 'tls',
      host,
    });
    const [{ agent }] = request.mock.calls[0] as unknown as [{ agent: https.Agent }];
    request.mockRestore();
    expect(agent.options).toMatchObject({ rejectUnauthorized: true });
    expect(agent.options).not.toHaveProperty('ca');
  });
});

describe('no connection is made', () => {
  it.each<[string, (port: number) => string, string]>([
    ['with file', () => 'file:///etc/passwd', 'url-not-permitted'],
    ['with ldap', (port) => `ldap://127.0.0.1:${port}/cn=ca`, 'url-not-permitted'],
    ['with gopher', (port) => `gopher://127.0.0.1:${port}/_INFO`, 'url-not-permitted'],
    ['with user information', (port) => `http://a:b@127.0.0.1:${port}/`, 'url-not-permitted'],
    ['to a port nobody named', (port) => `http://crl.test:${port}/`, 'host-not-permitted'],
    ['to an address at a port nobody named', (port) => `http://127.0.0.1:${port}/`, 'host-not-permitted'],
    ['to the metadata service', () => 'http://169.254.169.254/latest/meta-data/', 'address-not-permitted'],
    ['to the metadata service in decimal', () => 'http://2852039166/', 'address-not-permitted'],
    ['to the metadata service, mapped', () => 'http://[::ffff:169.254.169.254]/', 'address-not-permitted'],
    ['to the metadata service over IPv6', () => 'http://[fd00:ec2::254]/', 'address-not-permitted'],
    ['to loopback', () => 'https://127.1/', 'address-not-permitted'],
  ])('SS-01: %s', async (_, url, reason) => {
    const server = await startServer();
    const lookup = jest.fn(async () => [loopback]);
    const error = await failure(createFetcher({}, { lookup }).fetch(get(url(server.port))));
    expect(error).toMatchObject({ reason });
    expect(lookup).not.toHaveBeenCalled();
    expect(server.connections).toBe(0);
  });

  it.each<[string, readonly LookupAddress[]]>([
    ['loopback', [loopback]],
    ['a public address and then loopback', [elsewhere, loopback]],
    ['loopback and then a public address', [loopback, elsewhere]],
    ['loopback mapped into IPv6', [{ address: '::ffff:127.0.0.1', family: 6 }]],
    ['something that is no address', [{ address: 'localhost', family: 4 }]],
  ])('F30: to a name that resolves to %s', async (_, addresses) => {
    const server = await startServer();
    const url = server.url('good', host);
    const fetcher = createFetcher({ hosts: [`crl.test:${server.port}`] }, { lookup: async () => addresses });
    await expect(failure(fetcher.fetch(get(url)))).resolves.toEqual({ reason: 'address-not-permitted', host });
    expect(server.connections).toBe(0);
  });

  it.each<[string, () => Promise<readonly LookupAddress[]>, object]>([
    [
      'does not exist',
      () => Promise.reject(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' })),
      { reason: 'dns', code: 'ENOTFOUND' },
    ],
    ['has no address', async () => [], { reason: 'dns' }],
    ['resolves too slowly', () => new Promise(() => {}), { reason: 'timeout' }],
  ])('F30: to a name that %s', async (_, lookup, expected) => {
    const url = 'http://crl.test/';
    const fetcher = createFetcher({ timeoutMs: 100 }, { lookup });
    await expect(failure(fetcher.fetch(get(url)))).resolves.toEqual({ host, ...expected });
  });

  it("F30: to this machine by the system's own resolver", async () => {
    const server = await startServer();
    const url = server.url('good', 'localhost');
    const fetcher = createFetcher({ hosts: [`localhost:${server.port}`] });
    await expect(failure(fetcher.fetch(get(url)))).resolves.toEqual({
      reason: 'address-not-permitted',
      host: 'localhost',
    });
    expect(server.connections).toBe(0);
    const allowed = { hosts: [`localhost:${server.port}`], dangerouslyAllowPrivateAddressesOf: ['localhost'] };
    await expect(createFetcher(allowed).fetch(get(url))).resolves.toMatchObject({ body: Buffer.from('answer') });
  });
});

describe('a name is resolved', () => {
  it('SS-02: once, and the connection goes to the address that was judged', async () => {
    const server = await startServer();
    const url = server.url('good', host);
    const answers = [[loopback], [{ address: '127.0.0.2', family: 4 }]];
    const lookup = jest.fn(async () => answers.shift() ?? []);
    await expect(fetcherFor(url, {}, { lookup }).fetch(get(url))).resolves.toMatchObject({
      body: Buffer.from('answer'),
    });
    expect(lookup.mock.calls).toEqual([[host]]);
  });

  it('anew for each request', async () => {
    const server = await startServer();
    const url = server.url('good', host);
    const answers = [[loopback], []];
    const fetcher = fetcherFor(url, {}, { lookup: async () => answers.shift() ?? [] });
    await fetcher.fetch(get(url));
    await expect(failure(fetcher.fetch(get(url)))).resolves.toEqual({ reason: 'dns', host });
  });

  it('SS-05: once for all who ask meanwhile, and no more than twenty at a time', async () => {
    const lookup = jest.fn(() => new Promise<never>(() => {}));
    const fetcher = createFetcher({ timeoutMs: 100, maxConcurrent: 100 }, { lookup });
    const urls = Array.from({ length: 21 }, (_, index) => `http://crl${index}.test/`);
    const reasons = await Promise.all([...urls, ...urls].map((url) => failure(fetcher.fetch(get(url)))));
    expect(reasons.filter((error) => (error as FetchError).reason === 'busy')).toHaveLength(2);
    expect(reasons.filter((error) => (error as FetchError).reason === 'timeout')).toHaveLength(40);
    expect(lookup).toHaveBeenCalledTimes(20);
  });
});
