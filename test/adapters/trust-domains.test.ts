import { createServer, type Server } from 'node:http';
import {
  type Authenticator,
  cloudFront,
  createTrustDomains,
  type OutcomeEvent,
  sharedSecret,
  type TrustDomains,
  TrustStore,
} from '@peercert/core';
import { clientCertificate as forExpress, clientIdentityOf as inExpress } from '@peercert/express';
import { clientCertificate as forFastify, clientIdentityOf as inFastify } from '@peercert/fastify';
import { clientCertificate as forKoa, clientIdentityOf as inKoa } from '@peercert/koa';
import { cloudFrontHeaders, createAuthority, TEST_TIME, type TestCertificate } from '@peercert/testkit';
import { Router } from '@koa/router';
import express from 'express';
import createFastify, { type FastifyPluginAsync, type FastifyRequest } from 'fastify';
import Koa from 'koa';
import { createExpressDomains } from '../../examples/trust-domains-express';
import { createFastifyDomains } from '../../examples/trust-domains-fastify';
import { createKoaDomains } from '../../examples/trust-domains-koa';
import type { TrustDomainsOptions } from '../../examples/trust-domains-options';
import { edgeSecret, secretLine } from '../support/requests';
import { type Answer, closeServers, httpOptions, listen, originOptions, problem, send } from '../support/servers';

// The examples read the real clock.
const validity = { notBefore: new Date(Date.now() - 3_600_000), notAfter: new Date(Date.now() + 3_600_000) };
const partnersRoot = createAuthority({ subject: 'CN=Partners', ...validity });
const internalRoot = createAuthority({ subject: 'CN=Internal', ...validity });
const partner = partnersRoot.issue({ uris: ['urn:partner'], ...validity });
const employee = internalRoot.issue({ uris: ['urn:employee'], ...validity });
/** Below an intermediate with a key that is verified off the event loop. */
const slowPartner = partnersRoot
  .issueIntermediate({ keyAlgorithm: 'p384', ...validity })
  .issue({ uris: ['urn:slow'], ...validity });

const trust = { partners: TrustStore.fromDer([partnersRoot.der]), internal: TrustStore.fromDer([internalRoot.der]) };
const channel = sharedSecret({ header: 'X-Edge-Secret', secrets: [edgeSecret] });
const exampleOptions: TrustDomainsOptions = {
  tls: { cert: originOptions.cert, key: originOptions.key },
  channel,
  ...trust,
};

const rejected = { status: 403, body: problem(403, 'certificate_rejected') };
const required = { status: 403, body: problem(403, 'certificate_required') };
const accepted = (uri: string) => ({ status: 200, body: { uri } });

afterEach(closeServers);

const examples: readonly (readonly [string, () => Promise<Server>])[] = [
  ['Express', async () => createExpressDomains(exampleOptions)],
  ['Koa', async () => createKoaDomains(exampleOptions)],
  [
    'Fastify',
    async () => {
      const app = createFastifyDomains(exampleOptions);
      await app.ready();
      return app.server;
    },
  ],
];

describe.each(examples)('the example of trust domains in %s', (_, start) => {
  let port: number;
  beforeEach(async () => {
    port = await listen(await start());
  });

  const answer = async (
    path: string,
    client?: TestCertificate,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> => {
    const lines = [secretLine, ...(client === undefined ? [] : cloudFrontHeaders(client))];
    return send(port, { protocol: 'https:', path, headers: { ...Object.fromEntries(lines), ...headers } });
  };

  it('accepts on each path whom that path trusts', async () => {
    expect(await answer('/partners/me', partner)).toMatchObject(accepted('urn:partner'));
    expect(await answer('/partners/me', slowPartner)).toMatchObject(accepted('urn:slow'));
    expect(await answer('/internal/me', employee)).toMatchObject(accepted('urn:employee'));
  });

  it('CA-04: refuses on each path whom only another path trusts, before and after that one was asked', async () => {
    for (const client of [partner, slowPartner]) {
      expect(await answer('/internal/me', client)).toMatchObject(rejected);
      expect(await answer('/partners/me', client)).toMatchObject({ status: 200 });
      expect(await answer('/internal/me', client)).toMatchObject(rejected);
    }
    expect(await answer('/partners/me', employee)).toMatchObject(rejected);
    expect(await answer('/internal/me', employee)).toMatchObject(accepted('urn:employee'));
    expect(await answer('/partners/me', employee)).toMatchObject(rejected);
  });

  it('requires a certificate in the domains, and none on the public path', async () => {
    for (const path of ['/partners/me', '/internal/me']) expect(await answer(path)).toMatchObject(required);
    const hello = { status: 200, body: { hello: 'anyone' } };
    expect(await answer('/public/hello')).toMatchObject(hello);
    expect(await answer('/public/hello', createAuthority().issue())).toMatchObject(hello);
  });

  it('CH-01: lets nobody in past the proxy, on any path', async () => {
    const wrong = { 'X-Edge-Secret': 'another-secret-of-somebody-else-entirely', Host: 'partners.example.com' };
    for (const path of ['/partners/me', '/internal/me', '/account/me', '/public/hello']) {
      expect(await answer(path, partner, wrong)).toMatchObject(required);
    }
  });

  it('chooses by host where one path is for all', async () => {
    const at = async (host: string, client?: TestCertificate) => answer('/account/me', client, { Host: host });
    expect(await at('partners.example.com', partner)).toMatchObject(accepted('urn:partner'));
    expect(await at('partners.example.com', employee)).toMatchObject(rejected);
    expect(await at('intranet.example.com', employee)).toMatchObject(accepted('urn:employee'));
    expect(await at('intranet.example.com', partner)).toMatchObject(rejected);
    expect(await at('intranet.example.com')).toMatchObject(required);
  });

  it.each(['other.example.com', '__proto__', 'constructor', 'partners'])(
    'refuses everybody at the host %s',
    async (host) => {
      for (const client of [partner, employee, undefined]) {
        expect(await answer('/account/me', client, { Host: host })).toMatchObject(required);
      }
    },
  );

  it('is not gone around by another spelling of a path', async () => {
    const spellings = [
      '/INTERNAL/me',
      '/Internal/ME',
      '//internal/me',
      '/internal//me',
      '/internal/me/',
      '/internal/./me',
      '/partners/../internal/me',
      '/partners/%2e%2e/internal/me',
      '/public/..%2finternal/me',
      '/%69nternal/me',
      '/internal%2fme',
      '/internal;/me',
      '/internal/me?/partners/me',
      '/internal/me#/partners/me',
      '/internal/me%00',
      '/internal\\me',
    ];
    for (const path of spellings) {
      for (const client of [partner, undefined]) {
        const { status } = await answer(path, client);
        expect([path, [400, 403, 404].includes(status)]).toEqual([path, true]);
      }
    }
    for (const path of ['/PUBLIC/hello', '/Public/HELLO', '//public/hello', '/public/hello/']) {
      const { status } = await answer(path, partner, { 'X-Edge-Secret': '' });
      expect([path, [403, 404].includes(status)]).toEqual([path, true]);
    }
  });
});

type Domains = TrustDomains<'partners' | 'internal'>;

/** `/partners` with `/partners/both` inside it, which the other domain judges too; `handled` is what reached a handler. */
type Nesting = (domains: Domains, handled: string[]) => Promise<Server>;

const nestings: readonly (readonly [string, Nesting])[] = [
  [
    'Express',
    async (domains, handled) => {
      const answerWith: express.RequestHandler = (request, response) => {
        handled.push(request.originalUrl);
        response.json({ uri: inExpress(request).uris[0] });
      };
      const both = express
        .Router()
        .use(forExpress(domains.authenticator('internal')))
        .get('/me', answerWith);
      const partners = express
        .Router()
        .use(forExpress(domains.authenticator('partners')))
        .use('/both', both)
        .get('/me', answerWith);
      return createServer(httpOptions, express().use('/partners', partners));
    },
  ],
  [
    'Koa',
    async (domains, handled) => {
      const me = new Router();
      me.get('/me', (ctx) => {
        handled.push(ctx.originalUrl);
        ctx.body = { uri: inKoa(ctx).uris[0] };
      });
      const partners = new Router();
      partners.use('/both', forKoa(domains.authenticator('internal')), me.routes());
      partners.use(me.routes());
      const site = new Router();
      site.use('/partners', forKoa(domains.authenticator('partners')), partners.routes());
      const handle = new Koa().use(site.routes()).callback();
      return createServer(httpOptions, (request, response) => void handle(request, response));
    },
  ],
  [
    'Fastify',
    async (domains, handled) => {
      const app = createFastify({ http: httpOptions });
      const answerWith = async (request: FastifyRequest): Promise<object> => {
        handled.push(request.url);
        return { uri: inFastify(request).uris[0] };
      };
      const both: FastifyPluginAsync = async (routes) => {
        await routes.register(forFastify, domains.authenticator('internal'));
        routes.get('/me', answerWith);
      };
      const partners: FastifyPluginAsync = async (routes) => {
        await routes.register(forFastify, domains.authenticator('partners'));
        routes.register(both, { prefix: '/both' });
        routes.get('/me', answerWith);
      };
      await app.register(partners, { prefix: '/partners' }).ready();
      return app.server;
    },
  ],
];

describe.each(nestings)('a domain inside another in %s', (_, start) => {
  const oldRoot = createAuthority();
  const joint = createAuthority();
  const clientOf = (root: typeof joint, uri: string): TestCertificate => root.issue({ uris: [uri] });
  const [outer, inner, ofBoth] = [
    clientOf(oldRoot, 'urn:outer'),
    clientOf(createAuthority(), 'urn:stranger'),
    clientOf(joint, 'urn:both'),
  ];
  const jointStore = TrustStore.fromDer([joint.der]);
  const handled: string[] = [];
  const events: OutcomeEvent[] = [];
  let port: number;

  beforeEach(async () => {
    handled.length = 0;
    events.length = 0;
    const domains = createTrustDomains({
      trust: { partners: TrustStore.union([jointStore, TrustStore.fromDer([oldRoot.der])]), internal: jointStore },
      source: cloudFront({ channel }),
      clock: () => TEST_TIME.getTime(),
      onOutcome: (event) => events.push(event),
    });
    port = await listen(await start(domains, handled));
  });

  const answer = async (path: string, client: TestCertificate): Promise<Answer> => {
    return send(port, { path, headers: Object.fromEntries([secretLine, ...cloudFrontHeaders(client)]) });
  };
  const asked = (): unknown[] => events.map((event) => [event['clientcert.trust.domain'], event['clientcert.status']]);

  it('CA-04: refuses whom the outer one has admitted and the inner one does not know, who reaches no handler', async () => {
    // Twice: reached, then remembered.
    for (const count of [1, 2]) {
      expect(await answer('/partners/me', outer)).toMatchObject(accepted('urn:outer'));
      expect(await answer('/partners/both/me', outer)).toMatchObject(rejected);
      expect(handled).toHaveLength(count);
    }
    expect(asked().slice(1, 3)).toEqual([
      ['partners', 'authenticated'],
      ['internal', 'rejected'],
    ]);
  });

  it('admits whom both know, as the inner one knows it', async () => {
    expect(await answer('/partners/both/me', ofBoth)).toMatchObject(accepted('urn:both'));
    expect(asked()).toEqual([
      ['partners', 'authenticated'],
      ['internal', 'authenticated'],
    ]);
  });

  it('CA-04: refuses at the outer one whom it does not know, and asks the inner one nothing', async () => {
    expect(await answer('/partners/both/me', inner)).toMatchObject(rejected);
    expect(asked()).toEqual([['partners', 'rejected']]);
    expect(handled).toEqual([]);
  });

  it.each([
    '/PARTNERS/both/me',
    '/partners/BOTH/me',
    '/Partners/Both/Me',
    '/partners//both/me',
    '/partners/./both/me',
    '/partners/both/me/',
  ])('CA-04: lets nobody else in at another spelling: %s', async (path) => {
    for (const client of [outer, inner]) expect((await answer(path, client)).status).not.toBe(200);
    expect(handled).toEqual([]);
  });
});

describe('siblings in Fastify', () => {
  it('have a decorator each, and a hook each, whichever is registered first and however often', async () => {
    const domains = createTrustDomains({ trust, source: cloudFront({ channel }) });
    for (const order of [
      ['partners', 'internal'],
      ['internal', 'partners', 'internal'],
    ] as const) {
      const app = createFastify({ http: httpOptions });
      for (const [at, name] of order.entries()) {
        const scope: FastifyPluginAsync = async (routes) => {
          const authenticator: Authenticator = domains.authenticator(name);
          await routes.register(forFastify, authenticator);
          await routes.register(forFastify, authenticator);
          routes.get('/me', async (request) => ({ uri: inFastify(request).uris[0] }));
        };
        app.register(scope, { prefix: `/${at}` });
      }
      app.get('/', async (request) => ({ identity: request.clientIdentity ?? 'none' }));
      await app.ready();
      const port = await listen(app.server);
      for (const [at, name] of order.entries()) {
        for (const [domain, client] of [
          ['partners', partner],
          ['internal', employee],
        ] as const) {
          const headers = Object.fromEntries([secretLine, ...cloudFrontHeaders(client)]);
          const expected = domain === name ? { status: 200 } : rejected;
          expect(await send(port, { path: `/${at}/me`, headers })).toMatchObject(expected);
          expect(await send(port, { path: '/', headers })).toMatchObject({ status: 200, body: { identity: 'none' } });
        }
      }
    }
  });
});
