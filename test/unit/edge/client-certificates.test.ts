import { once } from 'node:events';
import tls from 'node:tls';
import { encodeClientCert, encodeClientCertChain } from '@peercert/core';
import { createAuthority, daysFromTestTime, selfSigned } from '@peercert/testkit';
import {
  closeAll,
  failureOf,
  lines,
  onlyRequest,
  presenting,
  responseTo,
  openRequest,
  protocols,
  send,
  serverAuthority,
  startEdge,
  startOrigin,
  toPem,
} from './laptop';

afterEach(closeAll);

const root = createAuthority();
const intermediates = [root.issueIntermediate()];
for (let count = 1; count < 4; count += 1) intermediates.push(intermediates.at(-1)!.issueIntermediate());
const [first, , third, fourth] = intermediates as [typeof root, typeof root, typeof root, typeof root];

describe.each(protocols)('the certificates a viewer presents over $version', ({ send }) => {
  it('reach the origin as Client-Cert and Client-Cert-Chain', async () => {
    const origin = await startOrigin();
    const client = first.issue();
    await send(await startEdge(origin.url), presenting(client));
    expect(lines(onlyRequest(origin), 'client-cert')).toEqual([encodeClientCert(client.der)]);
    expect(lines(onlyRequest(origin), 'client-cert-chain')).toEqual([encodeClientCertChain([first.der])]);
  });

  it('reach the origin as Client-Cert alone when there is one', async () => {
    const origin = await startOrigin();
    const client = root.issue();
    await send(await startEdge(origin.url), presenting(client, []));
    expect(lines(onlyRequest(origin), 'client-cert')).toEqual([encodeClientCert(client.der)]);
    expect(lines(onlyRequest(origin), 'client-cert-chain')).toEqual([]);
  });

  it('leave no field when there is none, and the request is forwarded', async () => {
    const origin = await startOrigin();
    const answer = await send(await startEdge(origin.url));
    expect(answer).toMatchObject({ status: 200, body: 'ok' });
    expect(lines(onlyRequest(origin), 'client-cert')).toEqual([]);
    expect(lines(onlyRequest(origin), 'client-cert-chain')).toEqual([]);
  });

  it('keep the order presented when it is not the order of issuance', async () => {
    const origin = await startOrigin();
    const client = first.issue();
    await send(await startEdge(origin.url), presenting(client, [toPem(root.der), toPem(first.der)]));
    expect(lines(onlyRequest(origin), 'client-cert-chain')).toEqual([encodeClientCertChain([root.der, first.der])]);
  });

  it('are forwarded when they have nothing to do with each other', async () => {
    const origin = await startOrigin();
    const [client, stranger] = [first.issue(), selfSigned()];
    await send(await startEdge(origin.url), presenting(client, [toPem(stranger.der)]));
    expect(lines(onlyRequest(origin), 'client-cert')).toEqual([encodeClientCert(client.der)]);
    expect(lines(onlyRequest(origin), 'client-cert-chain')).toEqual([encodeClientCertChain([stranger.der])]);
  });

  it.each([
    ['expired', () => root.issue({ notBefore: daysFromTestTime(-900), notAfter: daysFromTestTime(-800) })],
    ['not valid yet', () => root.issue({ notBefore: daysFromTestTime(8000), notAfter: daysFromTestTime(9000) })],
    ['self-signed', () => selfSigned()],
    ['for server authentication only', () => root.issue({ extKeyUsage: ['serverAuth'] })],
    ['for an RSA key', () => root.issue({ keyAlgorithm: 'rsa2048' })],
  ])('are forwarded unjudged: %s', async (_, issue) => {
    const origin = await startOrigin();
    const client = issue();
    const answer = await send(await startEdge(origin.url), presenting(client, []));
    expect(answer.status).toBe(200);
    expect(lines(onlyRequest(origin), 'client-cert')).toEqual([encodeClientCert(client.der)]);
  });
});

describe.each(protocols)('the depth of the chain a viewer presents over $version', ({ send }) => {
  const deepest = third.issue();
  const tooDeep = fourth.issue();

  it('is accepted at four certificates', async () => {
    const origin = await startOrigin();
    await send(await startEdge(origin.url), presenting(deepest));
    expect(deepest.chain).toHaveLength(3);
    expect(lines(onlyRequest(origin), 'client-cert-chain')).toEqual([encodeClientCertChain(deepest.chain)]);
  });

  it('closes the connection without an answer at five certificates', async () => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url);
    expect(tooDeep.chain).toHaveLength(4);
    await expect(failureOf(send(edge, presenting(tooDeep)))).resolves.toHaveProperty('message');
    expect(origin.requests).toEqual([]);
    // The edge goes on.
    await expect(send(edge, presenting(deepest))).resolves.toMatchObject({ status: 200 });
  });

  it('is cut to the first four of five certificates with chainTooDeep "truncate"', async () => {
    const origin = await startOrigin();
    await send(await startEdge(origin.url, { chainTooDeep: 'truncate' }), presenting(tooDeep));
    expect(lines(onlyRequest(origin), 'client-cert')).toEqual([encodeClientCert(tooDeep.der)]);
    expect(lines(onlyRequest(origin), 'client-cert-chain')).toEqual([encodeClientCertChain(tooDeep.chain.slice(0, 3))]);
  });
});

describe('the written form of the chain', () => {
  const client = first.issue();
  const withRoot = presenting(client, [toPem(first.der), toPem(root.der)]);

  it('is one line by default and holds a root that was presented', async () => {
    const origin = await startOrigin();
    await send(await startEdge(origin.url), withRoot);
    expect(lines(onlyRequest(origin), 'client-cert-chain')).toEqual([encodeClientCertChain([first.der, root.der])]);
  });

  it('is a line for each certificate with chainFieldLines "one-per-certificate"', async () => {
    const origin = await startOrigin();
    await send(await startEdge(origin.url, { chainFieldLines: 'one-per-certificate' }), withRoot);
    expect(lines(onlyRequest(origin), 'client-cert-chain')).toEqual([
      encodeClientCert(first.der),
      encodeClientCert(root.der),
    ]);
  });

  it('is without the root with presentedRoot "omit"', async () => {
    const origin = await startOrigin();
    await send(await startEdge(origin.url, { presentedRoot: 'omit' }), withRoot);
    expect(lines(onlyRequest(origin), 'client-cert-chain')).toEqual([encodeClientCertChain([first.der])]);
  });
});

describe.each(protocols)('Client-Cert fields that a viewer sends over $version', ({ send }) => {
  const forged = ['Client-Cert', ':Zm9yZ2Vk:', 'cLIENT-cERT', ':Zm9yZ2Vk:', 'client-cert-chain', ':Zm9yZ2Vk:'];

  it('are removed from a viewer without a certificate', async () => {
    const origin = await startOrigin();
    await send(await startEdge(origin.url), { headers: forged });
    expect(lines(onlyRequest(origin), 'client-cert')).toEqual([]);
    expect(lines(onlyRequest(origin), 'client-cert-chain')).toEqual([]);
  });

  it('give way to the real ones from a viewer with a certificate', async () => {
    const origin = await startOrigin();
    const client = root.issue();
    await send(await startEdge(origin.url), { ...presenting(client, []), headers: forged });
    expect(lines(onlyRequest(origin), 'client-cert')).toEqual([encodeClientCert(client.der)]);
    expect(lines(onlyRequest(origin), 'client-cert-chain')).toEqual([]);
  });

  it('are forwarded as any unknown field under the name Client_Cert', async () => {
    const origin = await startOrigin();
    await send(await startEdge(origin.url), { headers: ['Client_Cert', ':Zm9yZ2Vk:'] });
    expect(lines(onlyRequest(origin), 'client_cert')).toEqual([':Zm9yZ2Vk:']);
    expect(lines(onlyRequest(origin), 'client-cert')).toEqual([]);
  });
});

describe('Client-Cert fields of the edge', () => {
  it('cannot be taken away by naming them in Connection', async () => {
    const origin = await startOrigin();
    const client = first.issue();
    await send(await startEdge(origin.url), {
      ...presenting(client),
      headers: ['Connection', 'keep-alive, Client-Cert', 'Connection', 'client-cert-chain'],
    });
    expect(lines(onlyRequest(origin), 'client-cert')).toEqual([encodeClientCert(client.der)]);
    expect(lines(onlyRequest(origin), 'client-cert-chain')).toEqual([encodeClientCertChain([first.der])]);
  });
});

describe('the TLS session of a viewer', () => {
  const connect = async (port: number, options: tls.ConnectionOptions): Promise<tls.TLSSocket> => {
    const socket = tls.connect({
      port,
      host: '127.0.0.1',
      servername: 'localhost',
      ca: serverAuthority.pem,
      ...options,
    });
    await once(socket, 'secureConnect');
    return socket;
  };

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('is not resumed (%s)', async (version) => {
    const origin = await startOrigin();
    const { port } = await startEdge(origin.url);
    const options = { ...presenting(root.issue(), []), minVersion: version, maxVersion: version };
    const socket = await connect(port, options);
    const sessions: Buffer[] = [];
    socket.on('session', (session: Buffer) => sessions.push(session));
    // A whole exchange, so that tickets, which TLS 1.3 sends after the handshake, would have arrived.
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
    for (const session of [...sessions, socket.getSession()].filter((one) => one !== undefined)) {
      const again = await connect(port, { ...options, session });
      expect(again.isSessionReused()).toBe(false);
      again.destroy();
    }
    expect(origin.requests).toHaveLength(1);
  });

  it('is not renegotiated, so that its certificate stays', async () => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url);
    const socket = await connect(edge.port, { maxVersion: 'TLSv1.2' });
    let renegotiated = false;
    socket.on('error', () => {});
    socket.renegotiate({}, (error) => {
      renegotiated = error === null;
    });
    await new Promise((resolve) => socket.once('close', resolve));
    expect(renegotiated).toBe(false);
    await expect(send(edge)).resolves.toMatchObject({ status: 200 });
  });

  it('serves all requests of a connection with the certificate of its handshake', async () => {
    const origin = await startOrigin();
    const client = root.issue();
    const { port } = await startEdge(origin.url);
    const socket = await connect(port, presenting(client, []));
    socket.write(
      'GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\nGET /2 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    );
    socket.resume();
    await once(socket, 'close');
    const clientCert = [encodeClientCert(client.der)];
    // Both requests were sent at once, so they reach the origin in any order.
    const seen = origin.requests.map((request) => ({ url: request.url, clientCert: lines(request, 'client-cert') }));
    expect(seen).toHaveLength(2);
    expect(seen).toContainEqual({ url: '/1', clientCert });
    expect(seen).toContainEqual({ url: '/2', clientCert });
  });

  it.each([
    [['h2', 'http/1.1'], 'h2'],
    [['http/1.1', 'h2'], 'h2'],
    [['http/1.1'], 'http/1.1'],
    [undefined, false],
  ])('of a viewer that offers %j has the protocol %j', async (ALPNProtocols, protocol) => {
    const origin = await startOrigin();
    const { port } = await startEdge(origin.url);
    const socket = await connect(port, ALPNProtocols === undefined ? {} : { ALPNProtocols });
    expect(socket.alpnProtocol).toBe(protocol);
    socket.destroy();
  });
});

describe('a second viewer', () => {
  it('gets its own certificate forwarded while the first is still being served', async () => {
    const origin = await startOrigin((request, response) => {
      if (request.url !== '/slow') response.end('ok');
    });
    const [one, two] = [root.issue(), root.issue()];
    const edge = await startEdge(origin.url);
    const slow = openRequest(edge, { ...presenting(one, []), path: '/slow' });
    slow.end();
    const cut = failureOf(responseTo(slow));
    await send(edge, presenting(two, []));
    slow.destroy();
    await expect(cut).resolves.toMatchObject({ code: 'ECONNRESET' });
    const seen = origin.requests.map((request) => ({ url: request.url, clientCert: lines(request, 'client-cert') }));
    expect(seen).toHaveLength(2);
    expect(seen).toContainEqual({ url: '/slow', clientCert: [encodeClientCert(one.der)] });
    expect(seen).toContainEqual({ url: '/', clientCert: [encodeClientCert(two.der)] });
  });
});
