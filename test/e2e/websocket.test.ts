import { once } from 'node:events';
import { type IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect, type ConnectionOptions, type SecureVersion, type TLSSocket } from 'node:tls';
import {
  admitRequest,
  type Authenticator,
  type AuthenticatorOptions,
  cloudFront,
  createAuthenticator,
  nativeTls,
  originMtls,
  TrustStore,
} from '@peercert/core';
import { cloudFrontHeaders, createAuthority, TEST_TIME, type TestCertificate } from '@peercert/testkit';
import { WebSocket, WebSocketServer } from 'ws';
import { type WebSocketTls, webSocketOrigins, withWebSockets } from '../../examples/websocket';
import { codeUnder } from '../support/pages';
import { closeServers, listen, originOptions, problem, send } from '../support/servers';
import { trusting } from '../support/tls-origin';

const root = createAuthority();
const issuing = root.issueIntermediate();
const device = root.issue({ uris: ['urn:device:1'] });
/** Of an intermediate, which the device sends along. */
const remote = issuing.issue({ uris: ['urn:device:2'] });
const stranger = createAuthority().issue({ uris: ['urn:device:1'] });
const edges = createAuthority();
const edge = edges.issue({ dnsNames: ['edge.example.com'] });

const trust = TrustStore.fromDer([root.der]);
const channel = originMtls({ trust: TrustStore.fromDer([edges.der]), dnsNames: ['edge.example.com'] });
const { key, cert } = originOptions;

const judge = (options: Partial<AuthenticatorOptions> = {}): Authenticator =>
  createAuthenticator({ trust, source: nativeTls(), clock: () => TEST_TIME.getTime(), ...options });

const plain = (authenticator: Authenticator, tls: object = {}): Server =>
  withWebSockets(
    createServer({ ...originOptions, ...tls }, (_, response) => response.end()),
    authenticator,
  );

interface Attempt {
  readonly as?: TestCertificate | undefined;
  readonly headers?: readonly (readonly [string, string])[];
  readonly tls?: ConnectionOptions;
}

type Opened = { readonly said: string } | { readonly status: number; readonly type: string; readonly body: unknown };

interface Connection {
  readonly outcome: Opened;
  readonly socket: TLSSocket;
  readonly session: Buffer | undefined;
}

const peers: WebSocket[] = [];

afterEach(async () => {
  for (const peer of peers.splice(0)) peer.terminate();
  await closeServers();
});

/** Opens a WebSocket and waits for what the origin says, or for its refusal. */
async function open(port: number, { as, headers = [], tls = {} }: Attempt = {}): Promise<Connection> {
  const identity = as === undefined ? {} : { cert: as.chainPem, key: as.privateKeyPem };
  const socket = connect({ port, host: '127.0.0.1', ...trusting, ...identity, ...tls });
  let session: Buffer | undefined;
  socket.on('session', (ticket) => (session = ticket));
  const peer = new WebSocket(`wss://localhost:${port}`, {
    headers: Object.fromEntries(headers),
    createConnection: () => socket,
  });
  peers.push(peer);
  const outcome = await new Promise<Opened>((resolve, reject) => {
    peer.on('message', (message: Buffer) => resolve({ said: message.toString() }));
    peer.on('error', reject);
    peer.on('unexpected-response', (_, response: IncomingMessage) => {
      void text(response).then((body) =>
        resolve({
          status: response.statusCode ?? 0,
          type: `${response.headers['content-type']}, ${response.headers['cache-control']}`,
          body: JSON.parse(body),
        }),
      );
    });
  });
  return { outcome, socket, session };
}

const outcomeOf = async (port: number, attempt?: Attempt): Promise<Opened> => (await open(port, attempt)).outcome;
const refusal = (status: number, code: string): Opened => ({
  status,
  type: 'application/problem+json, no-store',
  body: problem(status, code),
});

describe.each(Object.entries(webSocketOrigins))('examples/websocket.ts, on %s', (_, create) => {
  const start = async (authenticator: Authenticator): Promise<number> => {
    const tls: WebSocketTls = { key, cert };
    return listen(await create(tls, authenticator));
  };

  it('identifies a client on its own TLS socket, and refuses others', async () => {
    const port = await start(judge());
    await expect(outcomeOf(port, { as: device })).resolves.toEqual({ said: 'urn:device:1' });
    await expect(outcomeOf(port, { as: remote })).resolves.toEqual({ said: 'urn:device:2' });
    await expect(outcomeOf(port)).resolves.toEqual(refusal(403, 'certificate_required'));
    await expect(outcomeOf(port, { as: stranger })).resolves.toEqual(refusal(403, 'certificate_rejected'));
  });

  it('NT-09: identifies the viewer and not CloudFront, and refuses others', async () => {
    const port = await start(judge({ source: cloudFront({ channel }) }));
    const headers = cloudFrontHeaders(remote);
    await expect(outcomeOf(port, { as: edge, headers })).resolves.toEqual({ said: 'urn:device:2' });
    await expect(outcomeOf(port, { as: edge })).resolves.toEqual(refusal(403, 'certificate_required'));
    await expect(outcomeOf(port, { headers })).resolves.toEqual(refusal(403, 'certificate_required'));
    await expect(outcomeOf(port, { as: device, headers })).resolves.toEqual(refusal(403, 'certificate_required'));
    const others = { as: edge, headers: cloudFrontHeaders(stranger) };
    await expect(outcomeOf(port, others)).resolves.toEqual(refusal(403, 'certificate_rejected'));
    const malformed = { as: edge, headers: [['Client-Cert', 'AAAA']] } as const;
    await expect(outcomeOf(port, malformed)).resolves.toEqual(refusal(400, 'malformed'));
  });

  it('NT-09: passes over headers where clients present certificates themselves', async () => {
    const port = await start(judge());
    const headers = cloudFrontHeaders(device);
    await expect(outcomeOf(port, { headers })).resolves.toEqual(refusal(403, 'certificate_required'));
    await expect(outcomeOf(port, { as: remote, headers })).resolves.toEqual({ said: 'urn:device:2' });
  });

  it('lets the anonymous in where they may', async () => {
    const port = await start(judge({ presence: 'optional' }));
    await expect(outcomeOf(port)).resolves.toEqual({ said: 'anonymous' });
    await expect(outcomeOf(port, { as: stranger })).resolves.toEqual(refusal(403, 'certificate_rejected'));
  });

  it('answers requests with the same authenticator', async () => {
    const port = await start(judge());
    const identity = { cert: device.chainPem, key: device.privateKeyPem };
    const answer = await send(port, { protocol: 'https:', ...identity });
    expect(answer).toMatchObject({ status: 200, body: { uri: 'urn:device:1' } });
    await expect(send(port, { protocol: 'https:' })).resolves.toMatchObject({ status: 403 });
  });
});

describe('examples/websocket.ts', () => {
  it('closes a WebSocket when the certificate ends', async () => {
    const now = Date.now();
    const validity = { notBefore: new Date(now - 60_000), notAfter: new Date(now + 2_000) };
    const lasting = { notBefore: new Date(now - 60_000), notAfter: new Date(now + 60_000) };
    const authority = createAuthority(lasting);
    const port = await listen(plain(judge({ trust: TrustStore.fromDer([authority.der]), clock: Date.now })));
    await expect(outcomeOf(port, { as: authority.issue({ uris: ['urn:brief'], ...validity }) })).resolves.toEqual({
      said: 'urn:brief',
    });
    const [code] = (await once(peers.at(-1) as WebSocket, 'close')) as [number];
    expect(code).toBe(1008);
  }, 10_000);
});

describe('a TLS session that is resumed for a WebSocket', () => {
  const versions: readonly SecureVersion[] = ['TLSv1.2', 'TLSv1.3'];
  /** What `originServerOptions()` would have prevented. */
  const resuming = { secureOptions: 0 };

  async function twice(port: number, version: SecureVersion, as?: TestCertificate): Promise<readonly Opened[]> {
    const tls = { minVersion: version, maxVersion: version };
    const first = await open(port, { as, tls });
    const second = await open(port, { as, tls: { ...tls, ...(first.session && { session: first.session }) } });
    expect(second.socket.isSessionReused()).toBe(true);
    return [first.outcome, second.outcome];
  }

  it.each(versions)('NT-01: is nobody without a certificate, whatever Node says of it: %s', async (version) => {
    const port = await listen(plain(judge(), resuming));
    const required = refusal(403, 'certificate_required');
    await expect(twice(port, version)).resolves.toEqual([required, required]);
  });

  it.each(versions)('is the same client with one: %s', async (version) => {
    const port = await listen(plain(judge(), resuming));
    const said = { said: 'urn:device:1' };
    await expect(twice(port, version, device)).resolves.toEqual([said, said]);
  });

  it.each(versions)('NT-05: has lost the chain, and needs the intermediates of the operator: %s', async (version) => {
    const said = { said: 'urn:device:2' };
    const without = await listen(plain(judge(), resuming));
    await expect(twice(without, version, remote)).resolves.toEqual([said, refusal(403, 'certificate_rejected')]);
    const supplied = TrustStore.fromDer([root.der], { intermediates: [issuing.der] });
    const port = await listen(plain(judge({ trust: supplied }), resuming));
    await expect(twice(port, version, remote)).resolves.toEqual([said, said]);
  });

  it.each(versions)('is not resumed with originServerOptions(): %s', async (version) => {
    const port = await listen(plain(judge()));
    const tls = { minVersion: version, maxVersion: version };
    const first = await open(port, { as: remote, tls });
    const second = await open(port, { as: remote, tls: { ...tls, ...(first.session && { session: first.session }) } });
    expect([second.outcome, second.socket.isSessionReused()]).toEqual([{ said: 'urn:device:2' }, false]);
  });
});

const upgrade = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
];

/** Status of the answer to a GET, and then to an upgrade on the same connection. */
async function onOneConnection(port: number, between: () => void): Promise<readonly (string | undefined)[]> {
  const identity = { cert: device.chainPem, key: device.privateKeyPem };
  const socket = connect({ port, host: '127.0.0.1', ...trusting, ...identity });
  await once(socket, 'secureConnect');
  const answer = async (head: readonly string[]): Promise<string | undefined> => {
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
    const [received] = (await once(socket, 'data')) as [Buffer];
    return /^HTTP\/1\.1 (\d+)/.exec(received.toString())?.[1];
  };
  try {
    const first = await answer(['GET / HTTP/1.1', 'Host: x']);
    between();
    return [first, await answer(['GET / HTTP/1.1', 'Host: x', ...upgrade])];
  } finally {
    socket.destroy();
  }
}

describe('an upgrade on a connection that carried requests before', () => {
  it('is the same client', async () => {
    const port = await listen(plain(judge()));
    await expect(onOneConnection(port, () => {})).resolves.toEqual(['200', '101']);
  });

  it('NT-02: is refused when the certificate has expired meanwhile', async () => {
    let time = TEST_TIME.getTime();
    const port = await listen(plain(judge({ clock: () => time })));
    const later = (): void => void (time += 366 * 24 * 3_600_000);
    await expect(onOneConnection(port, later)).resolves.toEqual(['200', '403']);
  });

  it('NT-03: is judged by the trust store of the moment', async () => {
    const current = { current: trust, close: async () => {} };
    const port = await listen(plain(judge({ trust: current })));
    const replaced = (): void => void (current.current = TrustStore.fromDer([createAuthority().der]));
    await expect(onOneConnection(port, replaced)).resolves.toEqual(['200', '403']);
  });
});

describe('a WebSocket at a server of mistakes and accidents', () => {
  it('NT-05: is refused without the intermediate it needs', async () => {
    const port = await listen(plain(judge()));
    const tls = { cert: remote.pem, key: remote.privateKeyPem };
    await expect(outcomeOf(port, { tls })).resolves.toEqual(refusal(403, 'certificate_rejected'));
  });

  it('NT-07: is nobody where the server does not ask for certificates, and is told so', async () => {
    const warnings = jest.spyOn(process, 'emitWarning').mockImplementation();
    const port = await listen(plain(judge({ presence: 'optional' }), { requestCert: false }));
    await expect(outcomeOf(port, { as: device })).resolves.toEqual(refusal(500, 'unavailable'));
    warnings.mockRestore();
  });

  it.each([
    ['a client that is known', device],
    ['a stranger', stranger],
  ])('NT-06: may be gone before it is judged, and harms nobody: %s', async (_, as) => {
    let gone = Promise.resolve();
    const inner = judge();
    const server = plain({ authenticate: async (request) => gone.then(() => inner.authenticate(request)) });
    const accepted: TLSSocket[] = [];
    server.on('secureConnection', (connection) => void accepted.push(connection));
    const port = await listen(server);
    // Between the two, because a TLS socket cannot be reset.
    const onward = connectTcp({ port, host: '127.0.0.1' });
    const relay = createTcpServer(
      (client) =>
        void client
          .on('error', () => {})
          .pipe(onward)
          .pipe(client),
    );
    await once(relay.listen(0, '127.0.0.1'), 'listening');
    const credentials = { cert: as.chainPem, key: as.privateKeyPem };
    const socket = connect({ port: (relay.address() as AddressInfo).port, ...trusting, ...credentials });
    socket.on('error', () => {});
    await once(socket, 'secureConnect');
    gone = once(server, 'upgrade').then(async () => {
      const closed = once(onward, 'close');
      onward.resetAndDestroy();
      await closed;
    });
    socket.write(`GET / HTTP/1.1\r\nHost: x\r\n${upgrade.join('\r\n')}\r\n\r\n`);
    await gone;
    socket.destroy();
    relay.close();
    await expect(outcomeOf(port, { as: device })).resolves.toEqual({ said: 'urn:device:1' });
    // Node may not notice a reset for a while.
    for (const connection of accepted) connection.destroy();
  });
});

describe('the recipe "WebSocket" of docs/proxies.md', () => {
  const [recipe = ''] = codeUnder('docs/proxies.md', 'WebSocket', 'js');
  const run = async (): Promise<number> => {
    const server = createServer(originOptions);
    const known = { ServerResponse, admitRequest, WebSocketServer, server, authenticator: judge() };
    // oxlint-disable-next-line typescript/no-implied-eval -- the page is what is tested
    new Function(...Object.keys(known), recipe.replaceAll(/^import .*;$/gm, ''))(...Object.values(known));
    return listen(server);
  };

  it('names a client, and refuses others with the response of a request', async () => {
    const port = await run();
    await expect(outcomeOf(port, { as: device })).resolves.toEqual({ said: 'hello urn:device:1' });
    await expect(outcomeOf(port)).resolves.toEqual(refusal(403, 'certificate_required'));
    await expect(outcomeOf(port, { as: stranger })).resolves.toEqual(refusal(403, 'certificate_rejected'));
  });

  it('survives a broken frame', async () => {
    const port = await run();
    const { socket } = await open(port, { as: device });
    peers.at(-1)?.on('error', () => {});
    const closed = once(socket, 'close');
    // Reserved bits, not masked.
    socket.write(Buffer.from([0xff, 0x00, 0xff, 0x00]));
    await closed;
    await expect(outcomeOf(port, { as: device })).resolves.toEqual({ said: 'hello urn:device:1' });
  });

  it('imports what it uses', () => {
    const imported = [...recipe.matchAll(/^import \{ (.*) \} from '(.*)';$/gm)].map(([, names, from]) => [names, from]);
    expect(imported).toEqual([
      ['ServerResponse', 'node:http'],
      ['admitRequest', '@peercert/core'],
      ['WebSocketServer', 'ws'],
    ]);
  });
});
