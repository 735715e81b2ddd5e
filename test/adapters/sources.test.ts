import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import {
  admitRequest,
  alb,
  apache,
  type Authenticator,
  type AuthenticatorOptions,
  caddy,
  clientIdentityOf,
  cloudflare,
  cloudFront,
  createAuthenticator,
  envoy,
  haproxy,
  headerSource,
  nativeTls,
  nginx,
  parseBase64Der,
  rfc9440,
  type Source,
  traefik,
  TrustStore,
} from '@peercert/core';
import * as forExpress from '@peercert/express';
import * as forFastify from '@peercert/fastify';
import * as forKoa from '@peercert/koa';
import {
  albHeaders,
  apacheHeaders,
  caddyHeaders,
  cloudflareHeaders,
  cloudFrontHeaders,
  createAuthority,
  envoyHeaders,
  haproxyHeaders,
  nginxHeaders,
  rfc9440Headers,
  TEST_TIME,
  type TestCertificate,
  traefikHeaders,
} from '@peercert/testkit';
import express from 'express';
import createFastify from 'fastify';
import Koa from 'koa';
import { edgeChannel as channel, secretLine } from '../support/requests';
import { type Answer, closeServers, listen, originOptions, problem, send } from '../support/servers';
import { presenting } from '../support/tls-origin';
import { seen, type Seen } from './adapter-contract';

const frameworks: Readonly<Record<string, (authenticator: Authenticator) => Promise<Server>>> = {
  async express(authenticator) {
    const app = express().use(forExpress.clientCertificate(authenticator));
    app.get('/', (req, res) => void res.json(seen(req.clientIdentity, () => clientIdentityOf(req), req)));
    return createServer(originOptions, app);
  },
  async koa(authenticator) {
    const app = new Koa<forKoa.ClientCertificateState>().use(forKoa.clientCertificate(authenticator));
    app.use((ctx) => {
      ctx.body = seen(ctx.state.clientIdentity, () => clientIdentityOf(ctx.req), ctx.req);
    });
    return createServer(originOptions, app.callback() as RequestListener);
  },
  async fastify(authenticator) {
    const app = createFastify({ https: originOptions });
    await app.register(forFastify.clientCertificate, authenticator);
    app.get('/', async ({ clientIdentity, raw }) => seen(clientIdentity, () => clientIdentityOf(raw), raw));
    await app.ready();
    return app.server;
  },
  async 'node:https'(authenticator) {
    return createServer(originOptions, (request, response) => {
      void admitRequest(authenticator, request).then(({ admitted, identity, refusal }) => {
        if (admitted) {
          response.setHeader('content-type', 'application/json');
          response.end(JSON.stringify(seen(identity, () => clientIdentityOf(request), request)));
        } else response.writeHead(refusal.status, refusal.headers).end(refusal.body);
      });
    });
  },
};

type Lines = readonly (readonly [string, string])[];

/** Every source with what its proxy writes, and a value in the words of another proxy. */
const sources: readonly (readonly [string, Source, (certificate: TestCertificate) => Lines, string])[] = [
  ['cloudFront', cloudFront({ channel }), (certificate) => cloudFrontHeaders(certificate), 'MIIB+/=='],
  ...(['required', 'optional'] as const).map(
    (mode) =>
      [
        `cloudFront, ${mode}`,
        cloudFront({ channel, mode }),
        (certificate: TestCertificate) => cloudFrontHeaders(certificate, { mode }),
        ':MIIB:',
      ] as const,
  ),
  ...(['passthrough', 'verify'] as const).map(
    (mode) =>
      [
        `alb, ${mode}`,
        alb({ channel, mode }),
        (certificate: TestCertificate) => albHeaders(certificate, { mode }),
        ':MIIB:',
      ] as const,
  ),
  ['nginx', nginx({ channel }), (certificate) => nginxHeaders(certificate), ':MIIB:'],
  ['haproxy', haproxy({ channel }), (certificate) => haproxyHeaders(certificate), '-----BEGIN%20CERTIFICATE-----'],
  ['apache', apache({ channel }), (certificate) => apacheHeaders(certificate), '-----BEGIN%20CERTIFICATE-----'],
  ['caddy', caddy({ channel }), (certificate) => caddyHeaders(certificate), ':MIIB:'],
  ['traefik', traefik({ channel }), (certificate) => traefikHeaders(certificate), '-----BEGIN%20CERTIFICATE-----'],
  ['envoy', envoy({ channel }), (certificate) => envoyHeaders(certificate), '-----BEGIN%20CERTIFICATE-----'],
  ['cloudflare', cloudflare({ channel }), (certificate) => cloudflareHeaders(certificate), 'MIIB+/=='],
  [
    'cloudflare, der-base64',
    cloudflare({ channel, format: 'der-base64' }),
    (certificate) => cloudflareHeaders(certificate, { format: 'der-base64' }),
    ':MIIB:',
  ],
  ['rfc9440', rfc9440({ channel }), (certificate) => rfc9440Headers(certificate), 'MIIB+/=='],
  [
    'headerSource',
    headerSource({
      name: 'gateway',
      fields: ['x-device-certificate'],
      maxHeaderBytes: 32_768,
      channel,
      read: ([lines]) =>
        lines && { decodeChain: () => [], decodeEndEntity: () => parseBase64Der(lines.join(), 'x-device-certificate') },
    }),
    ({ der }) => [['X-Device-Certificate', der.toString('base64')]],
    ':MIIB:',
  ],
];

const root = createAuthority();
const issuing = root.issueIntermediate();
const device = issuing.issue({ uris: ['urn:device:1'] });
const stranger = createAuthority().issue({ uris: ['urn:device:1'] });
const trust = TrustStore.fromDer([root.der], { intermediates: [issuing.der] });

afterEach(closeServers);

describe.each(Object.entries(frameworks))('on %s', (_, serve) => {
  const start = async (source: Source, options: Partial<AuthenticatorOptions> = {}): Promise<number> => {
    const clock = (): number => TEST_TIME.getTime();
    return listen(await serve(createAuthenticator({ trust, source, clock, ...options })));
  };
  const ask = async (port: number, lines: Lines, as?: TestCertificate): Promise<Answer> =>
    send(port, { protocol: 'https:', headers: Object.fromEntries(lines), ...(as && presenting(as)) });
  const anonymous = { property: null, clientIdentityOf: 'ERR_CERTIFICATE_REQUIRED' };
  const identified = { property: ['urn:device:1'], clientIdentityOf: ['urn:device:1'] };

  describe.each(sources)('%s', (__, source, headersOf, foreign) => {
    const headers = [secretLine, ...headersOf(device)];

    it('ID-07: identifies the client, and hides its certificate and the secret from handlers', async () => {
      const { status, body } = await ask(await start(source), [...headers, ['X-Other', 'kept']]);
      expect([status, body]).toMatchObject([200, identified]);
      const { headers: names, headersDistinct, rawHeaders } = body as Seen;
      for (const list of [names, headersDistinct, rawHeaders]) {
        expect(list).toContain('x-other');
        const hidden = new Set([...source.fields, ...headers.map(([name]) => name.toLowerCase())]);
        expect(list.filter((name) => hidden.has(name))).toEqual([]);
      }
    });

    it('CH-12: requires a certificate, unless it is optional', async () => {
      const required = { status: 403, body: problem(403, 'certificate_required') };
      expect(await ask(await start(source), [secretLine])).toMatchObject(required);
      const port = await start(source, { presence: 'optional' });
      expect(await ask(port, [secretLine])).toMatchObject({ status: 200, body: anonymous });
    });

    it('CH-01: refuses the same certificate without the proof of the channel', async () => {
      const required = { status: 403, body: problem(403, 'certificate_required') };
      expect(await ask(await start(source), headersOf(device))).toMatchObject(required);
    });

    it('refuses a certificate of an unknown issuer', async () => {
      const rejected = { status: 403, body: problem(403, 'certificate_rejected') };
      expect(await ask(await start(source), [secretLine, ...headersOf(stranger)])).toMatchObject(rejected);
    });

    it("answers another proxy's words with 400, and tells the client nothing of what they look like", async () => {
      const outcomes: unknown[] = [];
      const port = await start(source, { onOutcome: (event) => void outcomes.push(event['error.type']) });
      const { status, body } = await ask(port, [secretLine, [source.fields[0] as string, foreign]]);
      expect([status, body]).toEqual([400, problem(400, 'malformed')]);
      expect(JSON.stringify(body)).not.toMatch(/looks like|reads|base64|PEM/);
      expect(outcomes).toEqual(['ERR_HEADER_MALFORMED']);
    });
  });

  it('nativeTls: identifies the client that presents its certificate itself, and no header', async () => {
    const port = await start(nativeTls());
    expect(await ask(port, cloudFrontHeaders(stranger), device)).toMatchObject({ status: 200, body: identified });
    const required = { status: 403, body: problem(403, 'certificate_required') };
    expect(await ask(port, cloudFrontHeaders(device))).toMatchObject(required);
    expect(await ask(port, [], stranger)).toMatchObject({ status: 403, body: problem(403, 'certificate_rejected') });
    const optional = await start(nativeTls(), { presence: 'optional' });
    expect(await ask(optional, [])).toMatchObject({ status: 200, body: anonymous });
  });
});
