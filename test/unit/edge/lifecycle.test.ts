import { once } from 'node:events';
import https from 'node:https';
import net from 'node:net';
import { createEdge } from '@peercert/edge';
import {
  closeAll,
  failureOf,
  issueServer,
  openRequest,
  presenting,
  readAnswer,
  responseTo,
  send,
  startEdge,
  startOrigin,
} from './laptop';

afterEach(closeAll);

const options = { origin: 'https://localhost:1', tls: presenting(issueServer()) };

async function connectTcp(port: number): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1').on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

describe('listen', () => {
  it('takes a free port of 127.0.0.1 by default', async () => {
    const edge = createEdge(options);
    const { port, host, url } = await edge.listen();
    expect({ host, url }).toEqual({ host: '127.0.0.1', url: `https://127.0.0.1:${port}` });
    expect(port).toBeGreaterThan(0);
    await edge.close();
  });

  it('writes an IPv6 address in brackets', async () => {
    const edge = createEdge(options);
    const { port, url } = await edge.listen(0, '::1');
    expect(url).toBe(`https://[::1]:${port}`);
    await edge.close();
  });

  it('rejects when the port is taken', async () => {
    const { port } = await startEdge('http://localhost:1');
    const edge = createEdge(options);
    await expect(edge.listen(port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await edge.close();
  });

  it('rejects a port that cannot be', async () => {
    const edge = createEdge(options);
    await expect(edge.listen(65_536)).rejects.toMatchObject({ code: 'ERR_SOCKET_BAD_PORT' });
    await edge.close();
  });

  it('rejects a second time, and after close', async () => {
    const edge = createEdge(options);
    await edge.listen();
    await expect(edge.listen()).rejects.toThrow('An edge listens once');
    await edge.close();
    await expect(edge.listen()).rejects.toThrow('An edge listens once');
  });

  it('rejects when close comes in between', async () => {
    const edge = createEdge(options);
    const failure = failureOf(edge.listen());
    await edge.close();
    await expect(failure).resolves.toMatchObject({ message: 'This edge was closed before it listened' });
  });
});

describe('close', () => {
  it('resolves for an edge that never listened, and a second time', async () => {
    const edge = createEdge(options);
    await edge.close();
    await expect(edge.close()).resolves.toBeUndefined();
  });

  it('ends kept connections, handshakes that never finish and requests in progress', async () => {
    const origin = await startOrigin((request, response) => {
      if (request.url !== '/hang') response.end('ok');
    });
    const started = await startEdge(origin.url);
    const agent = new https.Agent({ keepAlive: true });
    const hanging = openRequest(started, { path: '/hang' });
    const cut = failureOf(responseTo(hanging.end()));
    while (origin.requests.length < 1) await new Promise(setImmediate);
    // Now there is one connection in use and, after this, one kept, to the edge and to the origin.
    await readAnswer(openRequest(started, { agent }).end());
    const silent = await connectTcp(started.port);
    expect(origin.connections).toHaveLength(2);

    const closed = Promise.all([once(silent, 'close'), ...origin.connections.map((socket) => once(socket, 'close'))]);
    await started.edge.close();
    await closed;
    await expect(cut).resolves.toMatchObject({ code: 'ECONNRESET' });
    await expect(connectTcp(started.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    agent.destroy();
  });
});

describe('an edge', () => {
  it.each([
    ['plain HTTP', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'],
    ['nonsense', '\u0016\u0003\u0001\u0002\u0000\u0001nonsense'],
    ['nothing', ''],
  ])('goes on after a connection that speaks %s', async (_, bytes) => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url);
    const socket = await connectTcp(edge.port);
    if (bytes !== '') socket.write(bytes);
    socket.end();
    socket.resume();
    await once(socket, 'close');
    const reset = await connectTcp(edge.port);
    reset.resetAndDestroy();
    await expect(send(edge)).resolves.toMatchObject({ status: 200 });
  });

  it('goes on after a request that is no HTTP', async () => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url);
    await expect(send(edge, { headers: ['Content-Length', '1', 'Content-Length', '2'] })).resolves.toMatchObject({
      status: 400,
    });
    await expect(send(edge)).resolves.toMatchObject({ status: 200 });
  });
});
