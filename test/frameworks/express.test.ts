import http, { type ServerResponse } from 'node:http';
import { resolve } from 'node:path';
import {
  type AuthenticatorOptions,
  clientCertificate,
  clientIdentityOf,
  cloudFront,
  requireChannel,
  requireClientIdentity,
  sharedSecret,
  TrustStore,
} from '@peercert/express';
import { cloudFrontHeaders, createAuthority, fakeAuthenticator, TEST_TIME } from '@peercert/testkit';
import type { Application, ErrorRequestHandler, RequestHandler } from 'express';
import { closeServers, httpOptions, listen, problem, send } from '../support/servers';
import { expressVersions } from './frameworks';

const root = createAuthority();
const secret = 'correct-horse-battery-staple-0123456789';
const channel = sharedSecret({ header: 'X-Origin-Secret', secrets: [secret] });
const options: AuthenticatorOptions = {
  trust: TrustStore.fromDer([root.der]),
  source: cloudFront({ channel }),
  clock: () => TEST_TIME.getTime(),
};
const deviceHeaders: Record<string, string> = {
  'X-Origin-Secret': secret,
  ...Object.fromEntries(cloudFrontHeaders(root.issue({ uris: ['urn:device:1'] }))),
};

const serve = (app: Application): Promise<number> => listen(http.createServer(httpOptions, app));
const answerCaller: RequestHandler = (req, res) => void res.json(req.clientIdentity?.uris ?? null);
/** Answers with the message of the error, and counts. */
const answerError = (): jest.MockedFunction<ErrorRequestHandler> => {
  return jest.fn((error: Error, _req, res, _next) => void res.status(500).json(error.message));
};
const required = { status: 403, body: problem(403, 'certificate_required') };

afterEach(closeServers);

// Unhandled rejections fail the test they happen in: jest sees to it.
describe.each(expressVersions)('%s', (_, express) => {
  describe('mounted on the application', () => {
    it.each(['/', '//', '/ADMIN', '/%61dmin', '//admin', '/x/../admin', '/%2e%2e/admin', '/admin?x=1', '/nowhere'])(
      'ID-11: covers %s, spelled as it is and whether or not there is a route',
      async (path) => {
        const app = express();
        app.use(clientCertificate(options));
        app.get('/admin', answerCaller);
        expect(await send(await serve(app), { path })).toMatchObject(required);
      },
    );

    it.each(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND'])(
      'ID-10: refuses %s without a certificate',
      async (method) => {
        const handler = jest.fn(answerCaller);
        const app = express();
        app.use(clientCertificate(options));
        app.all('/', handler);
        expect(await send(await serve(app), { method })).toMatchObject(required);
        expect(handler).not.toHaveBeenCalled();
      },
    );

    it('ID-10: refuses OPTIONS * without a certificate', async () => {
      const app = express();
      app.use(clientCertificate(options));
      expect(await send(await serve(app), { method: 'OPTIONS', path: '*' })).toMatchObject(required);
    });

    it('ID-10: refuses HEAD without a certificate and without a body', async () => {
      const handler = jest.fn(answerCaller);
      const app = express();
      app.use(clientCertificate(options));
      app.get('/', handler);
      const { status, headers, body } = await send(await serve(app), { method: 'HEAD' });
      expect([status, headers['content-type'], body]).toEqual([403, 'application/problem+json', '']);
      expect(handler).not.toHaveBeenCalled();
    });

    it('ID-10: answers HEAD and OPTIONS of a caller by the routes there are', async () => {
      const app = express();
      app.use(clientCertificate(options));
      app.get('/', answerCaller);
      const port = await serve(app);
      expect((await send(port, { method: 'HEAD', headers: deviceHeaders })).status).toBe(200);
      const { status, headers } = await send(port, { method: 'OPTIONS', headers: deviceHeaders });
      expect([status, headers['allow']?.replaceAll(' ', '')]).toEqual([200, 'GET,HEAD']);
    });

    it('ID-10: does not cover a route registered before it, which has no identity and cannot ask for one', async () => {
      const app = express();
      app.set('env', 'test');
      app.get('/property', answerCaller);
      app.get('/function', (req, res) => void res.json(clientIdentityOf(req).uris));
      app.get('/guarded', requireClientIdentity(), answerCaller);
      app.use(clientCertificate(options));
      const port = await serve(app);
      expect(await send(port, { path: '/property', headers: deviceHeaders })).toMatchObject({
        status: 200,
        body: null,
      });
      expect((await send(port, { path: '/function', headers: deviceHeaders })).status).toBe(500);
      expect(await send(port, { path: '/guarded', headers: deviceHeaders })).toMatchObject({
        status: 500,
        body: problem(500, 'unavailable'),
      });
    });

    it('ID-10: judges a request to upgrade that nothing listens for as any other', async () => {
      const app = express();
      app.use(clientCertificate(options));
      app.get('/', answerCaller);
      const upgrade = { Connection: 'Upgrade', Upgrade: 'websocket' };
      const port = await serve(app);
      expect(await send(port, { headers: upgrade })).toMatchObject(required);
      expect(await send(port, { headers: { ...upgrade, ...deviceHeaders } })).toMatchObject({
        status: 200,
        body: ['urn:device:1'],
      });
    });

    it('calls the next handler once', async () => {
      const next = jest.fn<void, Parameters<RequestHandler>>((_req, _res, goOn) => goOn());
      const app = express();
      app.use(clientCertificate(options), next, requireClientIdentity(), next);
      app.get('/', answerCaller);
      expect((await send(await serve(app), { headers: deviceHeaders })).status).toBe(200);
      expect(next).toHaveBeenCalledTimes(2);
    });

    it.each(['/', '//', '/%61dmin'])('is passed by the caller at %s, to a handler of everything', async (path) => {
      const app = express();
      app.use(clientCertificate(options));
      app.use(answerCaller);
      expect(await send(await serve(app), { path, headers: deviceHeaders })).toMatchObject({
        status: 200,
        body: ['urn:device:1'],
      });
    });
  });

  describe('mounted on /admin', () => {
    it.each(['/admin', '/admin/', '/admin/keys', '/ADMIN/keys', '/Admin', '/admin/../x', '/admin//keys', '/admin?x'])(
      'ID-11: covers %s',
      async (path) => {
        const app = express();
        app.use('/admin', clientCertificate(options));
        app.use(answerCaller);
        expect(await send(await serve(app), { path })).toMatchObject(required);
      },
    );

    it.each(['//admin', '/%61dmin', '/x/../admin', '/./admin', '/%2e/admin', '/administrator', '/admin;x', '/admin.'])(
      'ID-11: does not cover %s, which Express takes for another path',
      async (path) => {
        const app = express();
        app.use('/admin', clientCertificate(options));
        app.get('/admin', (_req, res) => void res.json('behind the mount'));
        app.use(answerCaller);
        expect(await send(await serve(app), { path })).toMatchObject({ status: 200, body: null });
      },
    );

    it('ID-11: covers /admin only as it is written where the application tells letter cases apart', async () => {
      const app = express();
      app.enable('case sensitive routing');
      app.use('/admin', clientCertificate(options));
      app.use(answerCaller);
      const port = await serve(app);
      expect(await send(port, { path: '/admin' })).toMatchObject(required);
      expect(await send(port, { path: '/ADMIN' })).toMatchObject({ status: 200, body: null });
    });

    it('ID-11: does not keep static files from whoever spells their folder otherwise; on the application it does', async () => {
      const files = express.static(resolve(__dirname, '..'));
      const [scoped, whole] = [express(), express()];
      scoped.use('/frameworks', clientCertificate(options));
      whole.use(clientCertificate(options));
      const ports = [await serve(scoped.use(files)), await serve(whole.use(files))];
      const statuses = async (path: string): Promise<readonly number[]> => {
        return Promise.all(ports.map(async (port) => (await send(port, { path })).status));
      };
      expect(await statuses('/frameworks/frameworks.ts')).toEqual([403, 403]);
      expect(await statuses('//frameworks/frameworks.ts')).toEqual([200, 403]);
      expect(await statuses('/%66rameworks/frameworks.ts')).toEqual([200, 403]);
    });
  });

  describe('routers and applications inside', () => {
    it('have the identity of a mount on the application around them', async () => {
      const [app, subApp, router, inner] = [express(), express(), express.Router(), express.Router()];
      const answerBoth: RequestHandler = (req, res) => {
        res.json([req.clientIdentity?.uris, clientIdentityOf(req).uris]);
      };
      app.use(clientCertificate(options));
      app.use('/sub', subApp.get('/', answerBoth));
      app.use('/router', router.use('/inner', inner.get('/', answerBoth)));
      const port = await serve(app);
      for (const path of ['/sub', '/sub/', '/router/inner', '//sub']) {
        expect(await send(port, { path })).toMatchObject(required);
      }
      for (const path of ['/sub', '/router/inner']) {
        expect(await send(port, { path, headers: deviceHeaders })).toMatchObject({
          status: 200,
          body: [['urn:device:1'], ['urn:device:1']],
        });
      }
    });

    it('cover themselves only', async () => {
      const [app, subApp, router] = [express(), express(), express.Router()];
      app.use('/sub', subApp.use(clientCertificate(options)).get('/', answerCaller));
      app.use('/router', router.use(clientCertificate(options)).get('/', answerCaller));
      app.use(answerCaller);
      const port = await serve(app);
      for (const path of ['/sub', '/sub/nowhere', '/router', '/router/nowhere']) {
        expect(await send(port, { path })).toMatchObject(required);
      }
      for (const path of ['/', '/other']) expect(await send(port, { path })).toMatchObject({ status: 200, body: null });
    });

    it('judge again for themselves, and cannot let in whom the application refuses', async () => {
      const [app, subApp] = [express(), express()];
      app.use(clientCertificate(options));
      app.use('/sub', subApp.use(clientCertificate(fakeAuthenticator({ uris: ['urn:fake'] }))).use(answerCaller));
      const port = await serve(app);
      expect(await send(port, { path: '/sub' })).toMatchObject(required);
      expect(await send(port, { path: '/sub', headers: deviceHeaders })).toMatchObject({ body: ['urn:fake'] });
    });

    it('find the certificate though the mount around them has hidden it', async () => {
      const [app, router] = [express(), express.Router()];
      app.use(clientCertificate(fakeAuthenticator()));
      app.use('/device', router.use(clientCertificate(options)).get('/', answerCaller));
      const port = await serve(app);
      expect(await send(port, { path: '/device' })).toMatchObject(required);
      expect(await send(port, { path: '/device', headers: deviceHeaders })).toMatchObject({ body: ['urn:device:1'] });
    });

    it('ID-10: load no parameter for a refused request', async () => {
      const load = jest.fn<void, Parameters<Parameters<Application['param']>[1]>>((_req, _res, next) => next());
      const [app, router] = [express(), express.Router()];
      app.use(clientCertificate(options));
      router.param('id', load);
      app.use('/things', router.get('/:id', answerCaller));
      const port = await serve(app);
      expect(await send(port, { path: '/things/1' })).toMatchObject(required);
      expect(load).not.toHaveBeenCalled();
      expect((await send(port, { path: '/things/1', headers: deviceHeaders })).status).toBe(200);
      expect(load).toHaveBeenCalledTimes(1);
    });

    it('ID-10: load a parameter that stands in the path of the mount itself before it judges', async () => {
      const load = jest.fn<void, Parameters<Parameters<Application['param']>[1]>>((_req, _res, next) => next());
      const app = express();
      app.param('tenant', load);
      app.use('/:tenant', clientCertificate(options));
      expect(await send(await serve(app), { path: '/one' })).toMatchObject(required);
      expect(load).toHaveBeenCalledTimes(1);
    });
  });

  describe('what goes wrong', () => {
    const failures: readonly [string, RequestHandler][] = [
      [
        'an exception in a handler behind it',
        () => {
          throw new Error('thrown');
        },
      ],
      ['an error passed to next behind it', (_req, _res, next) => next(new Error('thrown'))],
    ];
    it.each(failures)('%s reaches the error handler, once', async (__, handler) => {
      const handleError = answerError();
      const app = express();
      app.use(clientCertificate(options), requireClientIdentity());
      app.get('/', handler);
      app.use(handleError);
      expect(await send(await serve(app), { headers: deviceHeaders })).toMatchObject({ status: 500, body: 'thrown' });
      expect(handleError).toHaveBeenCalledTimes(1);
    });

    it('a refusal reaches neither the handler nor the error handler', async () => {
      const handler = jest.fn(answerCaller);
      const handleError = answerError();
      const app = express();
      app.use(clientCertificate(options));
      app.get('/', handler);
      app.use(handleError);
      expect(await send(await serve(app))).toMatchObject(required);
      expect([handler.mock.calls, handleError.mock.calls]).toEqual([[], []]);
    });

    // Express 4 does not look at the promise: a rejection would end the process.
    const middlewares: readonly [string, RequestHandler][] = [
      ['clientCertificate', clientCertificate(options)],
      ['requireClientIdentity', requireClientIdentity()],
      ['requireChannel', requireChannel(channel)],
    ];
    describe.each(middlewares)('in %s', (__, middleware) => {
      /** An application in which something writes to the response before the middleware refuses the request. */
      async function refuseAfter(write: (response: ServerResponse) => void): Promise<{
        readonly settled: () => unknown;
        readonly handleError: ReturnType<typeof answerError>;
        readonly port: number;
      }> {
        let settled: unknown;
        const handleError = answerError().mockImplementation((_error, _req, res, _next) => void res.end());
        const app = express();
        app.use((_req, res, next) => {
          write(res);
          next();
        });
        app.use((req, res, next) => {
          settled = middleware(req, res, next);
        });
        app.use(handleError);
        return { settled: () => settled, handleError, port: await serve(app) };
      }

      it('a response that is already over is left alone', async () => {
        const { settled, handleError, port } = await refuseAfter((res) => void res.writeHead(503).end());
        expect((await send(port)).status).toBe(503);
        expect(await settled()).toBeUndefined();
        expect(handleError).not.toHaveBeenCalled();
      });

      it('a response that has begun is an error for the error handler', async () => {
        const { settled, handleError, port } = await refuseAfter((res) => void res.writeHead(200).write('begun'));
        expect(await send(port)).toMatchObject({ status: 200, body: 'begun' });
        expect(await settled()).toBeUndefined();
        expect(handleError.mock.calls.map(([error]) => error)).toEqual([
          expect.objectContaining({ code: 'ERR_HTTP_HEADERS_SENT' }),
        ]);
      });
    });
  });
});
