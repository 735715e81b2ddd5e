import { Agent, get as httpGet, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type Authenticator,
  type AuthenticatorOptions,
  type ClientIdentity,
  ClientCertificateError,
  type ChannelProof,
  cloudFront,
  createAuthenticator,
  type IdentityRule,
  sharedSecret,
  TrustStore,
} from '@peercert/core';
import { cloudFrontHeaders, createAuthority, fakeAuthenticator, TEST_TIME } from '@peercert/testkit';
import request from 'supertest';

/** What a handler behind an adapter saw, sent back as the response. */
export interface Seen {
  readonly property: readonly string[] | null;
  readonly clientIdentityOf: readonly string[] | string;
  readonly headers: readonly string[];
  readonly headersDistinct: readonly string[];
  readonly rawHeaders: readonly string[];
}

/** Something to mount: an authenticator or its options, a guard's rule, or a channel to require. */
export type Mount =
  | Authenticator
  | AuthenticatorOptions
  | { readonly guard: IdentityRule | (() => boolean) | undefined }
  | { readonly channel: ChannelProof };

/** One application per framework, all alike. */
export interface AdapterUnderTest {
  readonly framework: string;
  /** Mounts each given thing in order on `/`, then a handler that answers with {@link Seen}. */
  readonly serve: (...mounts: readonly Mount[]) => Promise<Server>;
  /** A handler that calls `clientIdentityOf` with nothing mounted before it. */
  readonly serveUnmounted: () => Promise<Server>;
}

export function seen(
  property: ClientIdentity | undefined,
  clientIdentityOf: () => ClientIdentity,
  message: { readonly headers: object; readonly headersDistinct: object; readonly rawHeaders: readonly string[] },
): Seen {
  return {
    property: property?.uris ?? null,
    clientIdentityOf: uriOrError(clientIdentityOf),
    headers: Object.keys(message.headers),
    headersDistinct: Object.keys(message.headersDistinct),
    rawHeaders: message.rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase()),
  };
}

function uriOrError(clientIdentityOf: () => ClientIdentity): readonly string[] | string {
  try {
    return clientIdentityOf().uris;
  } catch (error) {
    return error instanceof ClientCertificateError ? error.code : (error as Error).name;
  }
}

const root = createAuthority();
const device = root.issue({ uris: ['urn:device:1'] });
const stranger = createAuthority().issue({ uris: ['urn:device:1'] });
const secret = 'correct-horse-battery-staple-0123456789';
const options: AuthenticatorOptions = {
  trust: TrustStore.fromDer([root.der]),
  source: cloudFront({ channel: sharedSecret({ header: 'X-Origin-Secret', secrets: [secret] }) }),
  clock: () => TEST_TIME.getTime(),
};
const throughEdge: readonly [string, string][] = [['X-Origin-Secret', secret]];

/**
 * What every adapter promises, stated once and held by each framework.
 */
export function describeAdapter({ framework, serve, serveUnmounted }: AdapterUnderTest): void {
  describe(`@peercert/${framework}`, () => {
    const servers: Server[] = [];

    async function get(server: Promise<Server>, ...fields: readonly [string, string][]): Promise<request.Response> {
      const listening = await server;
      servers.push(listening);
      const test = request(listening).get('/');
      for (const [name, value] of fields) void test.set(name, value);
      return test;
    }

    afterEach(async () => {
      await Promise.all(
        servers.splice(0).map(async (server) => new Promise<void>((resolve) => void server.close(() => resolve()))),
      );
    });

    it('passes a request on with the identity of its certificate', async () => {
      const response = await get(serve(options), ...throughEdge, ...cloudFrontHeaders(device));
      expect(response.status).toBe(200);
      expect(response.body).toMatchObject({ property: ['urn:device:1'], clientIdentityOf: ['urn:device:1'] });
    });

    it('takes an authenticator as well as the options to make one', async () => {
      const response = await get(serve(createAuthenticator(options)), ...throughEdge, ...cloudFrontHeaders(device));
      expect(response.body).toMatchObject({ property: ['urn:device:1'] });
    });

    it('judges options when it is mounted', async () => {
      const mounting = serve({ ...options, presense: 'optional' } as never);
      await expect(mounting).rejects.toThrow(/^createAuthenticator received an unknown option, `presense`\./);
    });

    it('passes an anonymous request on without an identity when presence is optional', async () => {
      const response = await get(serve({ ...options, presence: 'optional' }), ...throughEdge);
      expect(response.status).toBe(200);
      expect(response.body).toMatchObject({ property: null, clientIdentityOf: 'ERR_CERTIFICATE_REQUIRED' });
    });

    const refusals: readonly [string, AuthenticatorOptions, readonly [string, string][], number, string][] = [
      ['CH-12: no certificate, required', options, throughEdge, 403, 'certificate_required'],
      [
        'CH-01: a genuine certificate without the proof of the channel',
        options,
        cloudFrontHeaders(device),
        403,
        'certificate_required',
      ],
      [
        'CH-01: the same where presence is optional',
        { ...options, presence: 'optional' },
        cloudFrontHeaders(device),
        403,
        'certificate_required',
      ],
      [
        'a certificate of an unknown issuer',
        options,
        [...throughEdge, ...cloudFrontHeaders(stranger)],
        403,
        'certificate_rejected',
      ],
      [
        'a certificate of an unknown issuer where presence is optional',
        { ...options, presence: 'optional' },
        [...throughEdge, ...cloudFrontHeaders(stranger)],
        403,
        'certificate_rejected',
      ],
      ['a malformed header', options, [...throughEdge, ['Client-Cert', 'AAAA']], 400, 'malformed'],
    ];
    it.each(refusals)('answers %s', async (_, mounted, fields, status, code) => {
      const response = await get(serve(mounted), ...fields);
      expect(response.status).toBe(status);
      expect(response.headers['content-type']).toMatch(/^application\/problem\+json(;|$)/);
      expect(response.headers['cache-control']).toBe('no-store');
      expect(JSON.parse(response.text)).toEqual({ status, code, title: expect.any(String) });
    });

    it('answers 500 and calls no handler when the authenticator throws', async () => {
      const broken: Authenticator = {
        authenticate() {
          throw new Error('secret detail');
        },
      };
      const response = await get(serve(broken));
      expect(response.status).toBe(500);
      expect(response.text).not.toContain('secret detail');
      expect(JSON.parse(response.text)).toMatchObject({ code: 'unavailable' });
    });

    it('answers 500 and calls no handler when the authenticator gives an outcome nobody knows', async () => {
      const odd: Authenticator = { authenticate: () => ({ status: 'perhaps' }) as never };
      expect((await get(serve(odd))).status).toBe(500);
    });

    it('serves a fake authenticator, for applications that test themselves', async () => {
      const response = await get(serve(fakeAuthenticator({ uris: ['spiffe://example.com/alice'] })));
      expect(response.body).toMatchObject({ property: ['spiffe://example.com/alice'] });
    });

    it('CH-08, CH-10, ID-07: hides certificates, look-alikes and the secret from handlers', async () => {
      const hidden: readonly [string, string][] = [
        ['X-Forwarded-Client-Cert', 'Hash=00'],
        ['X-Amzn-Mtls-Clientcert', 'x'],
        ['X-Forwarded-Tls-Client-Cert', 'x'],
        ['ssl-client-cert', 'x'],
        ['CloudFront-Viewer-Cert-Subject', 'CN=admin'],
      ];
      const kept: readonly [string, string][] = [['X-Other', 'kept']];
      const fields = [...throughEdge, ...cloudFrontHeaders(device), ...hidden, ...kept];
      const response = await get(serve(options), ...fields);
      const { headers, headersDistinct, rawHeaders } = response.body as Seen;
      for (const names of [headers, headersDistinct, rawHeaders]) {
        expect(names).toContain('x-other');
        expect(names).toContain('host');
        for (const [name] of [...throughEdge, ...cloudFrontHeaders(device), ...hidden]) {
          expect(names).not.toContain(name.toLowerCase());
        }
      }
    });

    it('lets a second mount judge the same request for itself', async () => {
      const response = await get(serve(options, options), ...throughEdge, ...cloudFrontHeaders(device));
      expect(response.body).toMatchObject({ property: ['urn:device:1'], clientIdentityOf: ['urn:device:1'] });
    });

    it('refuses at a second mount that does not trust the issuer', async () => {
      const elsewhere = { ...options, trust: TrustStore.fromDer([createAuthority().der]) };
      const response = await get(serve(options, elsewhere), ...throughEdge, ...cloudFrontHeaders(device));
      expect(response.status).toBe(403);
    });

    it('makes a request anonymous again that a second mount finds anonymous', async () => {
      const response = await get(serve(fakeAuthenticator({ uris: ['urn:first'] }), fakeAuthenticator()));
      expect(response.body).toMatchObject({ property: null, clientIdentityOf: 'ERR_CERTIFICATE_REQUIRED' });
    });

    it('answers 500 when clientIdentityOf is called on a request nobody authenticated', async () => {
      expect((await get(serveUnmounted())).status).toBe(500);
    });

    const ofDevice = [...throughEdge, ...cloudFrontHeaders(device)];
    const guards: readonly [string, readonly Mount[], readonly [string, string][], number, string | undefined][] = [
      ['lets a named identity in', [options, { guard: { uri: 'urn:device:1' } }], ofDevice, 200, undefined],
      ['lets every identity in without a rule', [options, { guard: undefined }], ofDevice, 200, undefined],
      [
        'refuses a good identity of another name',
        [options, { guard: { uri: 'urn:device:2' } }],
        ofDevice,
        403,
        'certificate_rejected',
      ],
      [
        'refuses an anonymous request',
        [{ ...options, presence: 'optional' }, { guard: undefined }],
        throughEdge,
        403,
        'certificate_required',
      ],
      ['refuses, with 500, a request nothing authenticated', [{ guard: undefined }], ofDevice, 500, 'unavailable'],
      [
        'ID-09: refuses, with 500, when its rule throws',
        [
          options,
          {
            guard: () => {
              throw new Error('secret detail');
            },
          },
        ],
        ofDevice,
        500,
        'unavailable',
      ],
      [
        'ID-09: refuses when its rule answers something that is only like true',
        [options, { guard: () => 1 as never }],
        ofDevice,
        403,
        'certificate_rejected',
      ],
      [
        'refuses in report-only mode, where nobody has an identity',
        [{ ...options, enforcement: 'report-only' }, { guard: undefined }],
        ofDevice,
        403,
        'certificate_required',
      ],
    ];
    it.each(guards)('a guard %s', async (_, mounts, fields, status, code) => {
      const response = await get(serve(...mounts), ...fields);
      expect([response.status, JSON.parse(response.text).code]).toEqual([status, code]);
      expect(response.text).not.toContain('secret detail');
    });

    it('passes every request on in report-only mode, without an identity and with its headers', async () => {
      const response = await get(serve({ ...options, enforcement: 'report-only' }), ...ofDevice);
      expect(response.status).toBe(200);
      expect(response.body).toMatchObject({ property: null, clientIdentityOf: 'ERR_CERTIFICATE_REQUIRED' });
      expect((response.body as Seen).rawHeaders).toContain('client-cert');
      expect((await get(serve({ ...options, enforcement: 'report-only' }))).status).toBe(200);
    });

    it('requires a channel without requiring a certificate', async () => {
      const channel = sharedSecret({ header: 'X-Origin-Secret', secrets: [secret] });
      const response = await get(serve({ channel }), ...throughEdge);
      expect(response.status).toBe(200);
      expect((response.body as Seen).rawHeaders).not.toContain('x-origin-secret');
      const refused = await get(serve({ channel }));
      expect([refused.status, JSON.parse(refused.text)]).toMatchObject([403, { code: 'certificate_required' }]);
    });

    it('CH-19: gives each request of one connection its own identity, and none to the one without', async () => {
      const other = root.issue({ uris: ['urn:device:2'] });
      const server = await serve({ ...options, presence: 'optional' });
      servers.push(server);
      let connections = 0;
      server.on('connection', () => connections++);
      await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const properties: unknown[] = [];
      for (const fields of [cloudFrontHeaders(device), cloudFrontHeaders(other), []]) {
        const body = await getOver(agent, server, [...throughEdge, ...fields]);
        properties.push((JSON.parse(body) as Seen).property);
      }
      agent.destroy();
      expect(connections).toBe(1);
      expect(properties).toEqual([['urn:device:1'], ['urn:device:2'], null]);
    });
  });
}

async function getOver(agent: Agent, server: Server, fields: readonly [string, string][]): Promise<string> {
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const outgoing = httpGet({ host: '127.0.0.1', port, agent, headers: Object.fromEntries(fields) }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve(body));
    });
    outgoing.on('error', reject);
  });
}
