import http from 'node:http';
import {
  type AuthenticatorOptions,
  clientCertificate,
  type ClientCertificateState,
  clientIdentityOf,
  cloudFront,
  requireClientIdentity,
  sharedSecret,
  TrustStore,
} from '@peercert/koa';
import { cloudFrontHeaders, createAuthority, fakeAuthenticator, TEST_TIME } from '@peercert/testkit';
import type Application from 'koa';
import type { Middleware } from 'koa';
import { closeServers, httpOptions, listen, problem, send } from '../support/servers';
import { koaVersions } from './frameworks';

const root = createAuthority();
const secret = 'correct-horse-battery-staple-0123456789';
const options: AuthenticatorOptions = {
  trust: TrustStore.fromDer([root.der]),
  source: cloudFront({ channel: sharedSecret({ header: 'X-Origin-Secret', secrets: [secret] }) }),
  clock: () => TEST_TIME.getTime(),
};
const deviceHeaders: Record<string, string> = {
  'X-Origin-Secret': secret,
  ...Object.fromEntries(cloudFrontHeaders(root.issue({ uris: ['urn:device:1'] }))),
};

type KoaApplication = Application<ClientCertificateState>;
type KoaMiddleware = Middleware<ClientCertificateState>;

const serve = (app: KoaApplication): Promise<number> => listen(http.createServer(httpOptions, app.callback()));
const answerCaller: KoaMiddleware = (ctx) => {
  ctx.body = JSON.stringify(ctx.state.clientIdentity?.uris ?? null);
  ctx.type = 'json';
};
const required = { status: 403, body: problem(403, 'certificate_required') };

afterEach(closeServers);

describe.each(koaVersions)('%s', (_, Koa) => {
  const create = (): KoaApplication => {
    const app = new Koa<ClientCertificateState>();
    app.silent = true;
    return app;
  };

  describe('mounted on the application', () => {
    it.each(['/', '//', '/ADMIN', '/%61dmin', '/x/../admin', '/%2e%2e/admin', '/nowhere'])(
      'ID-11: covers %s, spelled as it is',
      async (path) => {
        expect(await send(await serve(create().use(clientCertificate(options))), { path })).toMatchObject(required);
      },
    );

    it.each(['GET', 'POST', 'DELETE', 'OPTIONS', 'PROPFIND'])(
      'ID-10: refuses %s without a certificate',
      async (method) => {
        const handler = jest.fn(answerCaller);
        const port = await serve(create().use(clientCertificate(options)).use(handler));
        expect(await send(port, { method })).toMatchObject(required);
        expect(handler).not.toHaveBeenCalled();
      },
    );

    it('ID-10: refuses HEAD without a certificate and without a body', async () => {
      const port = await serve(create().use(clientCertificate(options)).use(answerCaller));
      const { status, headers, body } = await send(port, { method: 'HEAD' });
      expect([status, headers['content-type'], body]).toEqual([403, 'application/problem+json', '']);
      expect((await send(port, { method: 'HEAD', headers: deviceHeaders })).status).toBe(200);
    });

    it('ID-10: does not cover middleware that answers before it, which has no identity and cannot ask for one', async () => {
      const early: KoaMiddleware = async (ctx, next) => {
        if (ctx.path === '/property') return answerCaller(ctx, next);
        if (ctx.path === '/function') ctx.body = clientIdentityOf(ctx).uris;
        return ctx.path === '/guarded' ? requireClientIdentity()(ctx, next) : next();
      };
      const port = await serve(create().use(early).use(clientCertificate(options)).use(answerCaller));
      expect(await send(port, { path: '/property', headers: deviceHeaders })).toMatchObject({
        status: 200,
        body: null,
      });
      expect((await send(port, { path: '/function', headers: deviceHeaders })).status).toBe(500);
      expect(await send(port, { path: '/guarded', headers: deviceHeaders })).toMatchObject({
        status: 500,
        body: problem(500, 'unavailable'),
      });
      expect(await send(port, { path: '/', headers: deviceHeaders })).toMatchObject({ body: ['urn:device:1'] });
    });

    it('ID-10: lets middleware around it see what became of a refused request, and change nothing', async () => {
      const statuses: number[] = [];
      const around: KoaMiddleware = async (ctx, next) => {
        await next();
        statuses.push(ctx.status);
      };
      const port = await serve(create().use(around).use(clientCertificate(options)).use(answerCaller));
      expect(await send(port)).toMatchObject(required);
      expect((await send(port, { headers: deviceHeaders })).status).toBe(200);
      expect(statuses).toEqual([403, 200]);
    });

    it('calls the next handler once', async () => {
      const next = jest.fn<Promise<unknown>, Parameters<KoaMiddleware>>(async (_ctx, goOn) => goOn());
      const app = create().use(clientCertificate(options)).use(next).use(requireClientIdentity()).use(next);
      expect((await send(await serve(app.use(answerCaller)), { headers: deviceHeaders })).status).toBe(200);
      expect(next).toHaveBeenCalledTimes(2);
    });
  });

  describe('mounted by hand on paths that begin with /admin', () => {
    const scoped = (mounted: KoaMiddleware): KoaMiddleware => {
      return async (ctx, next) => (ctx.path.startsWith('/admin') ? mounted(ctx, next) : next());
    };

    it.each(['/admin', '/admin/', '/admin/keys', '/administrator', '/admin?x'])('ID-11: covers %s', async (path) => {
      const port = await serve(
        create()
          .use(scoped(clientCertificate(options)))
          .use(answerCaller),
      );
      expect(await send(port, { path })).toMatchObject(required);
    });

    it.each(['//admin', '/%61dmin', '/ADMIN', '/x/../admin', '/%2e/admin'])(
      'ID-11: does not cover %s, which Koa takes for another path',
      async (path) => {
        const port = await serve(
          create()
            .use(scoped(clientCertificate(options)))
            .use(answerCaller),
        );
        expect(await send(port, { path })).toMatchObject({ status: 200, body: null });
      },
    );

    it('judges again for itself, and finds the certificate though the mount around it has hidden it', async () => {
      const app = create()
        .use(clientCertificate(fakeAuthenticator()))
        .use(scoped(clientCertificate(options)));
      const port = await serve(app.use(answerCaller));
      expect(await send(port, { path: '/admin' })).toMatchObject(required);
      expect(await send(port, { path: '/admin', headers: deviceHeaders })).toMatchObject({ body: ['urn:device:1'] });
      expect(await send(port, { path: '/', headers: deviceHeaders })).toMatchObject({ status: 200, body: null });
    });
  });

  describe('what goes wrong', () => {
    it('an exception in a handler behind it reaches the application, once', async () => {
      const onError = jest.fn();
      const app = create()
        .use(clientCertificate(options))
        .use(() => {
          throw new Error('thrown');
        });
      app.on('error', onError);
      expect((await send(await serve(app), { headers: deviceHeaders })).status).toBe(500);
      expect(onError.mock.calls.map(([error]) => error)).toEqual([new Error('thrown')]);
    });

    it('a response that is already over is left alone', async () => {
      const onError = jest.fn();
      const early: KoaMiddleware = async (ctx, next) => {
        ctx.res.writeHead(503).end();
        await next();
      };
      const app = create().use(early).use(clientCertificate(options));
      app.on('error', onError);
      expect((await send(await serve(app))).status).toBe(503);
      expect(onError).not.toHaveBeenCalled();
    });
  });
});
