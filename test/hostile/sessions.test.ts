import crypto from 'node:crypto';
import { once } from 'node:events';
import http2 from 'node:http2';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import {
  type Authenticator,
  type AuthenticatorOptions,
  cloudFront,
  createAuthenticator,
  nativeTls,
  originMtls,
  TrustStore,
} from '@peercert/core';
import { createAuthority, TEST_TIME } from '@peercert/testkit';
import { originOptions } from '../support/servers';
import { ask, closeTlsOrigins, presenting, startTlsOrigin, type TlsOrigin, trusting } from '../support/tls-origin';

const root = createAuthority({ subject: 'CN=Root' });
const alice = root.issue({ uris: ['urn:alice'] });
const bob = root.issue({ uris: ['urn:bob'] });
const elsewhere = TrustStore.fromDer([createAuthority().der]);
const unknownIssuer = 'ERR_PATH_ISSUER_UNKNOWN';

const judge = (options: Partial<AuthenticatorOptions> = {}): Authenticator =>
  createAuthenticator({
    trust: TrustStore.fromDer([root.der]),
    source: nativeTls(),
    clock: () => TEST_TIME.getTime(),
    ...options,
  });

/** An origin that answers with whom a request comes from, or the code of the refusal. */
const startOrigin = (authenticator: Authenticator, options: https.ServerOptions = {}): Promise<TlsOrigin> =>
  startTlsOrigin(async (request) => {
    const outcome = await authenticator.authenticate(request);
    if (outcome.status === 'rejected') return outcome.error.code;
    return outcome.status === 'authenticated' ? outcome.identity.uris[0] : 'anonymous';
  }, options);

async function onOneConnection(work: (agent: https.Agent) => Promise<void>): Promise<void> {
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
  try {
    await work(agent);
  } finally {
    agent.destroy();
  }
}

afterEach(closeTlsOrigins);

describe('NT-03: a trust store that is replaced', () => {
  const versions: readonly (readonly [string, https.RequestOptions])[] = [
    ['TLS 1.3', { minVersion: 'TLSv1.3' }],
    ['TLS 1.2', { maxVersion: 'TLSv1.2' }],
  ];

  it.each(versions)(
    'is what the next request on an open connection is judged by, both ways: %s',
    async (_, version) => {
      const trusted = TrustStore.fromDer([root.der]);
      const trust = { current: trusted, close: async () => {} };
      const origin = await startOrigin(judge({ trust }));
      await onOneConnection(async (agent) => {
        const options = { ...version, ...presenting(alice), agent };
        const answers: unknown[] = [];
        for (const current of [trusted, elsewhere, trusted, TrustStore.fromDer([root.der]), elsewhere]) {
          trust.current = current;
          answers.push(await ask(origin, options));
        }
        expect(answers).toEqual(['urn:alice', unknownIssuer, 'urn:alice', 'urn:alice', unknownIssuer]);
      });
      expect(origin.connections).toHaveLength(1);
    },
  );

  it.each(versions)('is what a resumed session is judged by: %s', async (_, version) => {
    const trust = { current: TrustStore.fromDer([root.der]), close: async () => {} };
    const origin = await startOrigin(judge({ trust }), { secureOptions: 0 });
    const options = { ...version, ...presenting(alice) };
    const outgoing = https.request({ host: '127.0.0.1', port: origin.port, agent: false, ...trusting, ...options });
    outgoing.end();
    const [socket] = (await once(outgoing, 'socket')) as [TLSSocket];
    const [[session], [response]] = (await Promise.all([once(socket, 'session'), once(outgoing, 'response')])) as [
      [Buffer],
      [NodeJS.ReadableStream],
    ];
    response.resume();
    await once(socket, 'close');
    await expect(ask(origin, { ...options, session })).resolves.toBe('urn:alice');
    trust.current = elsewhere;
    await expect(ask(origin, { ...options, session })).resolves.toBe(unknownIssuer);
    expect(origin.resumed).toEqual([false, true, true]);
  });

  it('is what the proxy of an open connection is judged by', async () => {
    const proxies = createAuthority();
    const proxy = proxies.issue({ dnsNames: ['edge.example'] });
    const trust = { current: TrustStore.fromDer([proxies.der]), close: async () => {} };
    const source = cloudFront({ channel: originMtls({ trust, dnsNames: ['edge.example'] }) });
    const origin = await startOrigin(judge({ source, presence: 'optional' }));
    await onOneConnection(async (agent) => {
      const options = { ...presenting(proxy), agent };
      await expect(ask(origin, options)).resolves.toBe('anonymous');
      trust.current = elsewhere;
      await expect(ask(origin, options)).resolves.toBe('ERR_CHANNEL_UNTRUSTED');
      // The clients' own store: a client could now pass for the proxy.
      trust.current = TrustStore.fromDer([proxies.der, root.der]);
      await expect(ask(origin, options)).resolves.toBe('ERR_CHANNEL_UNTRUSTED');
      trust.current = TrustStore.fromDer([proxies.der]);
      await expect(ask(origin, options)).resolves.toBe('anonymous');
    });
    expect(origin.connections).toHaveLength(1);
  });
});

it('NT-04: the verdict over a connection that stays open is reached anew when its time to live is over', async () => {
  const verifications = jest.spyOn(crypto, 'verify');
  const now = jest.spyOn(performance, 'now').mockReturnValue(0);
  const origin = await startOrigin(judge({ verdictCache: { ttlSeconds: 60 } }));
  const reached: number[] = [];
  await onOneConnection(async (agent) => {
    for (const milliseconds of [0, 1, 60_000, 60_001, 60_002, 120_001, 120_002]) {
      now.mockReturnValue(milliseconds);
      await expect(ask(origin, { ...presenting(alice), agent })).resolves.toBe('urn:alice');
      reached.push(verifications.mock.calls.length);
    }
  });
  now.mockRestore();
  verifications.mockRestore();
  expect(origin.connections).toHaveLength(1);
  expect(reached).toEqual([1, 1, 1, 2, 2, 2, 3]);
});

it('NT-08: each handshake is asked for its certificate once, in the way that does not leak, and never for its verdict', async () => {
  const asked: string[] = [];
  const authenticator = judge({ presence: 'optional' });
  const watched = new WeakSet<object>();
  const origin = await startTlsOrigin(async (request) => {
    const socket = request.socket as TLSSocket;
    if (!watched.has(socket)) {
      watched.add(socket);
      for (const name of ['getPeerCertificate', 'getPeerX509Certificate', 'getSession', 'renegotiate'] as const) {
        const method = socket[name] as (...given: unknown[]) => unknown;
        Object.assign(socket, {
          [name]: (...given: unknown[]) => {
            asked.push(name);
            return method.apply(socket, given);
          },
        });
      }
      for (const name of ['authorized', 'authorizationError']) {
        Object.defineProperty(socket, name, { configurable: true, get: () => asked.push(name) });
      }
    }
    const outcome = await authenticator.authenticate(request);
    return outcome.status === 'authenticated' ? outcome.identity.uris[0] : outcome.status;
  });
  const callers = [alice, bob, undefined];
  for (let handshakes = 0; handshakes < 30; handshakes++) {
    const caller = callers[handshakes % 3];
    await onOneConnection(async (agent) => {
      for (let requests = 0; requests < 2; requests++) {
        const answer = await ask(origin, { ...(caller && presenting(caller)), agent });
        expect(answer).toBe(caller === undefined ? 'anonymous' : caller === alice ? 'urn:alice' : 'urn:bob');
      }
    });
  }
  expect(origin.connections).toHaveLength(30);
  expect(asked).toEqual(Array(30).fill('getPeerX509Certificate'));
});

describe('NT-07: a server that does not ask for certificates', () => {
  it.each<AuthenticatorOptions['presence']>(['required', 'optional'])(
    'is a mistake of the operator for every request, and nobody is anonymous: presence %s',
    async (presence) => {
      const warnings = jest.spyOn(process, 'emitWarning').mockImplementation();
      const options = presence === undefined ? {} : { presence };
      const origin = await startOrigin(judge(options), { requestCert: false });
      for (let count = 0; count < 2; count++) {
        await expect(ask(origin, presenting(alice))).resolves.toBe('ERR_SERVER_MISCONFIGURED');
      }
      expect(warnings).toHaveBeenCalledTimes(1);
      warnings.mockRestore();
    },
  );

  it('is not an untrusted peer either, where that would be anonymous', async () => {
    const warnings = jest.spyOn(process, 'emitWarning').mockImplementation();
    const authenticator = judge({ presence: 'optional', untrustedPeer: 'anonymous' });
    const origin = await startOrigin(authenticator, { requestCert: false });
    await expect(ask(origin)).resolves.toBe('ERR_SERVER_MISCONFIGURED');
    warnings.mockRestore();
  });
});

describe('a client that renegotiates', () => {
  it('stays whom it was when its connection began', async () => {
    const origin = await startOrigin(judge({ presence: 'optional' }));
    const socket = connect({
      host: '127.0.0.1',
      port: origin.port,
      maxVersion: 'TLSv1.2',
      ...trusting,
      ...presenting(alice),
    });
    await once(socket, 'secureConnect');
    const answers = (async () => {
      let received = '';
      for await (const chunk of socket.setEncoding('latin1') as AsyncIterable<string>) received += chunk;
      return received.match(/urn:\w+|anonymous|ERR_\w+/g);
    })();
    const get = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
    socket.write(get);
    await new Promise<void>((resolve) => void socket.renegotiate({ rejectUnauthorized: false }, () => resolve()));
    socket.write(get.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    await expect(answers).resolves.toEqual(['urn:alice', 'urn:alice']);
  });
});

describe('HTTP/2 sessions side by side', () => {
  it('CH-19: keep their own callers however their streams are mixed', async () => {
    const authenticator = judge({ presence: 'optional' });
    const server = http2.createSecureServer(originOptions);
    server.on('request', (request, response) => {
      void Promise.resolve(authenticator.authenticate(request as never)).then((outcome) =>
        response.end(outcome.status === 'authenticated' ? outcome.identity.uris.join() : outcome.status),
      );
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const callers = [presenting(alice), presenting(bob), {}];
    const sessions = callers.map((caller) => http2.connect(url, { ...trusting, ...caller }));
    const answers = Array.from({ length: 30 }, async (_, index) => {
      const stream = sessions[index % 3]?.request();
      let body = '';
      for await (const chunk of stream as AsyncIterable<Buffer>) body += String(chunk);
      return body;
    });
    const expected = Array.from({ length: 30 }, (_, index) => ['urn:alice', 'urn:bob', 'anonymous'][index % 3]);
    expect(await Promise.all(answers)).toEqual(expected);
    const closed = once(server, 'close');
    for (const session of sessions) session.close();
    server.close();
    await closed;
  });
});
