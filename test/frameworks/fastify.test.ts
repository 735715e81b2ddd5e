import {
  type AuthenticatorOptions,
  clientCertificate,
  clientIdentityOf,
  cloudFront,
  nativeTls,
  sharedSecret,
  TrustStore,
} from '@peercert/fastify';
import { cloudFrontHeaders, createAuthority, fakeAuthenticator, TEST_TIME } from '@peercert/testkit';
import createFastify, { type FastifyInstance, type RouteHandlerMethod } from 'fastify';
import { closeServers, httpOptions, listen, originOptions, problem, send } from '../support/servers';
import { connectHttp2, sendOver } from '../support/http2';
import { presenting } from '../support/tls-origin';

const root = createAuthority();
const device = root.issue({ uris: ['urn:device:1'] });
const secret = 'correct-horse-battery-staple-0123456789';
const options: AuthenticatorOptions = {
  trust: TrustStore.fromDer([root.der]),
  source: cloudFront({ channel: sharedSecret({ header: 'X-Origin-Secret', secrets: [secret] }) }),
  clock: () => TEST_TIME.getTime(),
};
const deviceHeaders: Record<string, string> = {
  'X-Origin-Secret': secret,
  ...Object.fromEntries(cloudFrontHeaders(device)),
};
const required = { status: 403, body: problem(403, 'certificate_required') };

const create = (): FastifyInstance => createFastify({ http: httpOptions });
const serve = async (app: FastifyInstance): Promise<number> => {
  await app.ready();
  return listen(app.server);
};
const answerCaller: RouteHandlerMethod = async ({ clientIdentity }) => ({ uris: clientIdentity?.uris ?? null });
const caller = { status: 200, body: { uris: ['urn:device:1'] } };
const nobody = { status: 200, body: { uris: null } };

afterEach(closeServers);

describe('Fastify, registered on the application', () => {
  it.each(['/', '//', '/admin', '/ADMIN', '/%61dmin', '//admin', '/x/../admin', '/%2e%2e/admin', '/nowhere'])(
    'ID-11: covers %s, spelled as it is and whether or not there is a route',
    async (path) => {
      const app = create();
      await app.register(clientCertificate, options);
      app.get('/admin', answerCaller);
      expect(await send(await serve(app), { path })).toMatchObject(required);
    },
  );

  it.each(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD'])(
    'ID-10: refuses %s without a certificate',
    async (method) => {
      const handler = jest.fn(answerCaller);
      const app = create();
      await app.register(clientCertificate, options);
      app.route({ method: ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD'], url: '/', handler });
      const { status, headers } = await send(await serve(app), { method });
      expect([status, headers['content-type']]).toEqual([403, 'application/problem+json; charset=utf-8']);
      expect(handler).not.toHaveBeenCalled();
    },
  );

  it('ID-10: answers HEAD of a caller by the GET route', async () => {
    const app = create();
    await app.register(clientCertificate, options);
    app.get('/', answerCaller);
    const port = await serve(app);
    expect((await send(port, { method: 'HEAD', headers: deviceHeaders })).status).toBe(200);
    expect((await send(port, { method: 'HEAD' })).status).toBe(403);
  });

  it('ID-10: covers what was registered before it, on the application and in plugins', async () => {
    const app = create();
    app.get('/', answerCaller);
    await app.register(async (before) => {
      before.get('/plugin', answerCaller);
    });
    await app.register(clientCertificate, options);
    const port = await serve(app);
    for (const path of ['/', '/plugin']) {
      expect(await send(port, { path })).toMatchObject(required);
      expect(await send(port, { path, headers: deviceHeaders })).toMatchObject(caller);
    }
  });

  it('ID-10: does not cover the hooks registered before it, which have no identity and cannot ask for one', async () => {
    const [before, after] = [jest.fn(), jest.fn()];
    const app = create();
    app.addHook('onRequest', async (request) => {
      before(request.clientIdentity);
      expect(() => clientIdentityOf(request)).toThrow(TypeError);
    });
    await app.register(clientCertificate, options);
    app.addHook('onRequest', async (request) => after(clientIdentityOf(request).uris));
    app.get('/', answerCaller);
    const port = await serve(app);
    expect(await send(port)).toMatchObject(required);
    expect(await send(port, { headers: deviceHeaders })).toMatchObject(caller);
    expect([before.mock.calls, after.mock.calls]).toEqual([[[undefined], [undefined]], [[['urn:device:1']]]]);
  });

  it('refuses before the body is read', async () => {
    const parse = jest.fn(async () => ({}));
    const app = create();
    app.addContentTypeParser('application/x-test', parse);
    await app.register(clientCertificate, options);
    app.post('/', answerCaller);
    const headers = { 'Content-Type': 'application/x-test', 'Content-Length': '0' };
    expect(await send(await serve(app), { method: 'POST', headers })).toMatchObject(required);
    expect(parse).not.toHaveBeenCalled();
  });

  it('hides the certificate and the secret from request.headers, too', async () => {
    const app = create();
    await app.register(clientCertificate, options);
    app.get('/', async ({ headers }) => Object.keys(headers));
    const { body } = await send(await serve(app), { headers: deviceHeaders });
    expect(body).toEqual(['host', 'connection']);
  });
});

describe('Fastify, registered in a plugin', () => {
  it('covers that plugin and what is inside, and no sibling', async () => {
    const app = create();
    await app.register(
      async (covered) => {
        await covered.register(clientCertificate, options);
        covered.get('/', answerCaller);
        await covered.register(
          async (inside) => {
            inside.get('/', answerCaller);
          },
          { prefix: '/inside' },
        );
      },
      { prefix: '/covered' },
    );
    await app.register(
      async (sibling) => {
        sibling.get('/', answerCaller);
      },
      { prefix: '/sibling' },
    );
    app.get('/', answerCaller);
    const port = await serve(app);
    for (const path of ['/covered', '/covered/', '/covered/inside', '/cover%65d']) {
      expect(await send(port, { path })).toMatchObject(required);
      expect(await send(port, { path, headers: deviceHeaders })).toMatchObject(caller);
    }
    for (const path of ['/', '/sibling']) {
      expect(await send(port, { path, headers: deviceHeaders })).toMatchObject(nobody);
    }
  });

  it.each(['//covered', '/COVERED', '/x/../covered', '/covered/nowhere'])(
    'ID-11: leaves %s, where the plugin has no route, to the application around it',
    async (path) => {
      const app = create();
      const handler = jest.fn(answerCaller);
      await app.register(async (covered) => {
        await covered.register(clientCertificate, options);
        covered.get('/covered', handler);
      });
      expect((await send(await serve(app), { path })).status).toBe(404);
      expect(handler).not.toHaveBeenCalled();
    },
  );

  it.each([
    ['duplicate slashes', { ignoreDuplicateSlashes: true }, '//covered'],
    ['letter case', { caseSensitive: false }, '/COVERED'],
    ['a trailing slash', { ignoreTrailingSlash: true }, '/covered/'],
  ])('ID-11: covers every spelling of its route where the router does not mind %s', async (_, routerOptions, path) => {
    const app = createFastify({ http: httpOptions, routerOptions });
    await app.register(async (covered) => {
      await covered.register(clientCertificate, options);
      covered.get('/covered', answerCaller);
    });
    const port = await serve(app);
    expect(await send(port, { path })).toMatchObject(required);
    expect(await send(port, { path, headers: deviceHeaders })).toMatchObject(caller);
  });

  it('judges with the authenticator of each of two siblings', async () => {
    const app = create();
    const mounts = { '/one': options, '/two': fakeAuthenticator({ uris: ['urn:fake'] }) };
    for (const [prefix, mounted] of Object.entries(mounts)) {
      await app.register(
        async (sibling) => {
          await sibling.register(clientCertificate, mounted);
          sibling.get('/', answerCaller);
        },
        { prefix },
      );
    }
    const port = await serve(app);
    expect(await send(port, { path: '/one' })).toMatchObject(required);
    expect(await send(port, { path: '/one', headers: deviceHeaders })).toMatchObject(caller);
    expect(await send(port, { path: '/two' })).toMatchObject({ status: 200, body: { uris: ['urn:fake'] } });
  });

  it('judges with another authenticator in a child after that of the application, and needs both', async () => {
    const app = create();
    await app.register(clientCertificate, { ...options, presence: 'optional' });
    app.get('/', answerCaller);
    await app.register(
      async (child) => {
        await child.register(clientCertificate, options);
        child.get('/', answerCaller);
      },
      { prefix: '/child' },
    );
    await app.register(
      async (child) => {
        await child.register(clientCertificate, fakeAuthenticator({ uris: ['urn:fake'] }));
        child.get('/', answerCaller);
      },
      { prefix: '/fake' },
    );
    const port = await serve(app);
    const headers = { 'X-Origin-Secret': secret };
    expect(await send(port, { headers })).toMatchObject(nobody);
    expect(await send(port, { path: '/child', headers })).toMatchObject(required);
    expect(await send(port, { path: '/child', headers: deviceHeaders })).toMatchObject(caller);
    expect(await send(port, { path: '/fake' })).toMatchObject(required);
    expect(await send(port, { path: '/fake', headers })).toMatchObject({ body: { uris: ['urn:fake'] } });
  });
});

describe('Fastify, when something goes wrong', () => {
  it('hands an exception in a handler to the error handler, once', async () => {
    const handleError = jest.fn();
    const app = create();
    await app.register(clientCertificate, options);
    app.get('/', async () => {
      throw new Error('thrown');
    });
    app.setErrorHandler(async (error, _request, reply) => {
      handleError(error);
      return reply.code(500).send({});
    });
    const port = await serve(app);
    expect((await send(port, { headers: deviceHeaders })).status).toBe(500);
    expect(handleError.mock.calls).toEqual([[new Error('thrown')]]);
    expect(await send(port)).toMatchObject(required);
    expect(handleError).toHaveBeenCalledTimes(1);
  });

  it('leaves a response alone that is already over', async () => {
    const handler = jest.fn(answerCaller);
    const app = create();
    app.addHook('onRequest', (_request, reply, done) => {
      reply.raw.writeHead(503).end();
      done();
    });
    await app.register(clientCertificate, options);
    app.get('/', handler);
    expect((await send(await serve(app))).status).toBe(503);
    expect(handler).not.toHaveBeenCalled();
  });
});

describe('Fastify over HTTP/2', () => {
  it('has the identity of the TLS peer in every stream, and refuses the session without a certificate', async () => {
    const app = createFastify({ http2: true, https: { ...originOptions, allowHTTP1: true } });
    await app.register(clientCertificate, { ...options, source: nativeTls() });
    app.get('/', async ({ clientIdentity, raw }) => [raw.httpVersion, clientIdentity?.uris]);
    await app.ready();
    const port = await listen(app.server);
    const session = await connectHttp2(port, presenting(device));
    const answers = await Promise.all([sendOver(session), sendOver(session)]);
    expect(answers.map(({ body }) => body)).toEqual([
      ['2.0', ['urn:device:1']],
      ['2.0', ['urn:device:1']],
    ]);
    expect(await sendOver(await connectHttp2(port))).toMatchObject(required);
    expect(await send(port, { protocol: 'https:', ...presenting(device) })).toMatchObject({
      body: ['1.1', ['urn:device:1']],
    });
  });
});
