import { once } from 'node:events';
import http, { type IncomingMessage, type RequestListener, ServerResponse } from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import tls from 'node:tls';
import {
  admitRequest,
  type Authenticator,
  type AuthenticatorOptions,
  cloudFront,
  createAuthenticator,
  nativeTls,
  sharedSecret,
  type TrustProvider,
  TrustStore,
} from '@peercert/core';
import { cloudFrontHeaders, createAuthority, type TestCertificate, TEST_TIME } from '@peercert/testkit';
import { closeServers, httpOptions, listen, originOptions, problem, send } from '../support/servers';
import { presenting, trusting } from '../support/tls-origin';

const root = createAuthority();
const [first, second] = [root.issue({ uris: ['urn:device:1'] }), root.issue({ uris: ['urn:device:2'] })];
const secret = 'correct-horse-battery-staple-0123456789';

const judge = (options: Partial<AuthenticatorOptions> = {}): Authenticator =>
  createAuthenticator({
    trust: TrustStore.fromDer([root.der]),
    source: cloudFront({ channel: sharedSecret({ header: 'X-Origin-Secret', secrets: [secret] }) }),
    clock: () => TEST_TIME.getTime(),
    ...options,
  });
const throughEdge = (certificate?: TestCertificate): string[] => {
  const lines: (readonly [string, string])[] = certificate === undefined ? [] : cloudFrontHeaders(certificate);
  return [`X-Origin-Secret: ${secret}`, ...lines.map(([name, value]) => `${name}: ${value}`)];
};

/** Answers with who is calling, and with the trailers once the body is there. */
function answering(authenticator: Authenticator): RequestListener {
  const answer: (...parameters: Parameters<RequestListener>) => Promise<void> = async (request, response) => {
    const { admitted, identity, refusal } = await admitRequest(authenticator, request);
    if (!admitted) return void response.writeHead(refusal.status, refusal.headers).end(refusal.body);
    await text(request);
    response.writeHead(200, { 'content-type': 'application/json' });
    return void response.end(JSON.stringify({ uris: identity?.uris ?? null, trailers: Object.keys(request.trailers) }));
  };
  return (request, response) => void answer(request, response);
}

/** Writes this text to a connection and reads until the server closes it. */
async function exchange(port: number, ...lines: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(lines.join('\r\n'));
  return text(socket);
}
const statusAndBody = (received: string): readonly [number, unknown] => {
  const body = received.slice(received.indexOf('\r\n\r\n')).match(/\{.*\}/)?.[0] ?? 'null';
  return [Number(received.split(' ')[1]), JSON.parse(body)];
};

afterEach(closeServers);

describe('an http server with core alone', () => {
  it.each<[string, string[], number, object]>([
    ['admits a caller', throughEdge(first), 200, { uris: ['urn:device:1'], trailers: [] }],
    ['CH-12: refuses a request without a certificate', throughEdge(), 403, problem(403, 'certificate_required')],
    [
      'CH-06: refuses a certificate that comes twice, though the server joins duplicate headers',
      [...throughEdge(first), ...throughEdge(first).slice(1)],
      400,
      problem(400, 'malformed'),
    ],
  ])('%s', async (_, fields, status, body) => {
    const server = http.createServer({ ...httpOptions, joinDuplicateHeaders: true }, answering(judge()));
    const head = ['GET / HTTP/1.1', 'Host: x', 'Connection: close', ...fields, '', ''];
    expect(statusAndBody(await exchange(await listen(server), ...head))).toEqual([status, body]);
  });

  describe('CH-16: a certificate in chunked trailers', () => {
    const chunked = (fields: readonly string[]): string[] => {
      const head = ['POST / HTTP/1.1', 'Host: x', 'Connection: close', 'Transfer-Encoding: chunked', ...fields];
      return [...head, 'Trailer: Client-Cert', '', '4', 'body', '0', ...throughEdge(first), '', ''];
    };
    const trailers = ['x-origin-secret', 'client-cert'];

    it.each<[string, string[], Authenticator, number, object]>([
      ['is no certificate where one is required', throughEdge(), judge(), 403, problem(403, 'certificate_required')],
      ['leaves the caller anonymous', throughEdge(), judge({ presence: 'optional' }), 200, { uris: null, trailers }],
      ['is not that of a caller with another', throughEdge(second), judge(), 200, { uris: ['urn:device:2'], trailers }],
      [
        'is no proof of the channel, with the secret beside it',
        throughEdge(second).slice(1),
        judge({ presence: 'optional' }),
        403,
        problem(403, 'certificate_required'),
      ],
    ])('%s', async (_, fields, authenticator, status, body) => {
      const port = await listen(http.createServer(httpOptions, answering(authenticator)));
      expect(statusAndBody(await exchange(port, ...chunked(fields)))).toEqual([status, body]);
    });
  });

  it('CH-19: keeps pipelined requests of A, nobody and B apart', async () => {
    const port = await listen(http.createServer(httpOptions, answering(judge({ presence: 'optional' }))));
    const pipelined = [throughEdge(first), throughEdge(), [...throughEdge(second), 'Connection: close']];
    const received = await exchange(
      port,
      ...pipelined.map((fields) => `GET / HTTP/1.1\r\nHost: x\r\n${fields.join('\r\n')}\r\n`),
      '',
    );
    const bodies = received.match(/\{.*?\}/g)?.map((body) => (JSON.parse(body) as { uris: unknown }).uris);
    expect(bodies).toEqual([['urn:device:1'], null, ['urn:device:2']]);
  });
});

describe('an https server with core alone', () => {
  it.each<https.RequestOptions>([{ maxVersion: 'TLSv1.2' }, { minVersion: 'TLSv1.3' }])(
    'admits the client whose certificate the handshake showed, and refuses the one without: %j',
    async (version) => {
      const server = https.createServer(originOptions, answering(judge({ source: nativeTls() })));
      const port = await listen(server);
      expect(await send(port, { protocol: 'https:', ...version, ...presenting(first) })).toMatchObject({
        status: 200,
        body: { uris: ['urn:device:1'] },
      });
      expect(await send(port, { protocol: 'https:', ...version })).toMatchObject({
        status: 403,
        body: problem(403, 'certificate_required'),
      });
    },
  );

  it.each<https.RequestOptions>([{ maxVersion: 'TLSv1.2' }, { minVersion: 'TLSv1.3' }])(
    'NT-03: refuses a client that resumes a session from before its issuer left the store: %j',
    async (version) => {
      let current = TrustStore.fromDer([root.der]);
      const trust: TrustProvider = {
        get current() {
          return current;
        },
        async close() {},
      };
      const options = { ...originOptions, secureOptions: 0 };
      const server = https.createServer(options, answering(judge({ source: nativeTls(), trust })));
      const resumed: boolean[] = [];
      server.on('secureConnection', (socket) => resumed.push(socket.isSessionReused()));
      const port = await listen(server);
      // Keeps no connection, but the session.
      const agent = new https.Agent({ ...presenting(first) });
      const ask = async (): Promise<number> => (await send(port, { protocol: 'https:', agent, ...version })).status;
      const before = [await ask(), await ask()];
      current = TrustStore.fromDer([createAuthority().der]);
      const after = await ask();
      server.setSecureContext(options);
      expect([...before, after, await ask()]).toEqual([200, 200, 403, 403]);
      expect(resumed.slice(0, 3)).toEqual([false, true, true]);
      agent.destroy();
    },
  );
});

describe('ID-10: a request to upgrade', () => {
  /** Upgrades who is admitted, and answers the others as an adapter would. */
  async function upgrade(authenticator: Authenticator, request: IncomingMessage, socket: Socket): Promise<void> {
    const { admitted, identity, refusal } = await admitRequest(authenticator, request);
    if (admitted) {
      socket.end(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: test\r\nConnection: Upgrade\r\n\r\n${identity?.uris[0]}`,
      );
      return;
    }
    const response = new ServerResponse(request);
    response.assignSocket(socket);
    response.shouldKeepAlive = false;
    response.writeHead(refusal.status, refusal.headers).end(refusal.body, () => socket.end());
  }

  /** Sends a request to upgrade and reads until the server closes the connection. */
  async function askToUpgrade(socket: Socket, fields: readonly string[]): Promise<string> {
    socket.write(['GET / HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: test', ...fields, '', ''].join('\r\n'));
    return text(socket);
  }
  async function secureSocket(port: number, options: tls.ConnectionOptions): Promise<Socket> {
    const socket = tls.connect({ host: '127.0.0.1', port, ALPNProtocols: ['http/1.1'], ...trusting, ...options });
    await once(socket, 'secureConnect');
    return socket;
  }

  const forwarded = judge();
  const native = judge({ source: nativeTls() });
  const servers: readonly [
    string,
    Authenticator,
    () => http.Server | http2.Http2SecureServer,
    (port: number, certificate?: TestCertificate) => Promise<string>,
  ][] = [
    [
      'an http server',
      forwarded,
      () => http.createServer(httpOptions),
      async (port, certificate) => askToUpgrade(connect(port, '127.0.0.1'), throughEdge(certificate)),
    ],
    [
      'an https server',
      native,
      () => https.createServer(originOptions),
      async (port, certificate) =>
        askToUpgrade(await secureSocket(port, certificate === undefined ? {} : presenting(certificate)), []),
    ],
    [
      'an HTTP/2 server that takes HTTP/1.1',
      native,
      () => http2.createSecureServer({ ...originOptions, allowHTTP1: true }),
      async (port, certificate) =>
        askToUpgrade(await secureSocket(port, certificate === undefined ? {} : presenting(certificate)), []),
    ],
  ];

  describe.each(servers)('to %s', (_, authenticator, createServer, ask) => {
    async function start(): Promise<{ readonly port: number; readonly handler: jest.Mock }> {
      const handler = jest.fn();
      const server = createServer() as http.Server;
      server.on('request', handler);
      server.on('upgrade', (request, socket) => void upgrade(authenticator, request, socket as Socket));
      return { port: await listen(server), handler };
    }

    it('is accepted for the caller of its certificate', async () => {
      const { port, handler } = await start();
      expect(await ask(port, first)).toMatch(/^HTTP\/1\.1 101 .*\r\n\r\nurn:device:1$/s);
      expect(handler).not.toHaveBeenCalled();
    });

    it('is refused without a certificate', async () => {
      const { port, handler } = await start();
      const received = await ask(port);
      expect(statusAndBody(received)).toEqual([403, problem(403, 'certificate_required')]);
      expect(received).toContain('application/problem+json');
      expect(handler).not.toHaveBeenCalled();
    });
  });

  it('reaches no handler of requests once something listens for upgrades', async () => {
    const handler = jest.fn(answering(forwarded));
    const server = http.createServer(httpOptions, handler);
    server.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\nunjudged'));
    const received = await askToUpgrade(connect(await listen(server), '127.0.0.1'), []);
    expect(received).toContain('unjudged');
    expect(handler).not.toHaveBeenCalled();
  });
});
