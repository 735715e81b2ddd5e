import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import https from 'node:https';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  closeAll,
  onlyRequest,
  openRequest,
  readAnswer,
  responseTo,
  send,
  startEdge,
  startOrigin,
  startTcpOrigin,
} from './laptop';

afterEach(closeAll);

const chunked = ['Transfer-Encoding', 'chunked'];

describe('an origin that fails', () => {
  it('by not listening gives 502 with the reason', async () => {
    const origin = await startOrigin();
    await origin.close();
    const answer = await send(await startEdge(origin.url), { method: 'POST', headers: chunked, body: 'body' });
    expect(answer).toMatchObject({ status: 502, body: expect.stringContaining('ECONNREFUSED') });
  });

  it('by closing before it answers gives 502, and the edge goes on', async () => {
    const origin = await startOrigin((request) => request.socket.destroy());
    const edge = await startEdge(origin.url);
    await expect(send(edge)).resolves.toMatchObject({ status: 502, body: expect.stringContaining('ECONNRESET') });
    await expect(send(edge)).resolves.toMatchObject({ status: 502 });
    expect(origin.requests).toHaveLength(2);
  });

  it('in the middle of an upload gives 502 and leaves the connection of the viewer in use', async () => {
    const origin = await startOrigin((request, response) => {
      if (request.method === 'POST') request.once('data', () => request.socket.destroy());
      else response.end('ok');
    });
    const edge = await startEdge(origin.url);
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    const large = Buffer.alloc(20_000_000);
    const first = openRequest(edge, { agent, method: 'POST', headers: ['Content-Length', String(large.length)] });
    first.end(large);
    await expect(readAnswer(first)).resolves.toMatchObject({ status: 502 });
    await expect(readAnswer(openRequest(edge, { agent }).end())).resolves.toMatchObject({ status: 200 });
    agent.destroy();
  });

  it.each([[[]], [['Content-Length', '100']]])('in the middle of a body with %j cuts the response', async (headers) => {
    const origin = await startOrigin((request, response) => {
      response.writeHead(200, headers).write('part');
      setTimeout(() => request.socket.destroy(), 50);
    });
    const response = await responseTo(openRequest(await startEdge(origin.url)).end());
    expect(response.statusCode).toBe(200);
    await expect(text(response)).rejects.toThrow('aborted');
  });

  it.each([
    'nonsense\r\n\r\n',
    'HTTP/1.1 099 Low\r\n\r\n',
    'HTTP/1.1 200 O\u0001K\r\nContent-Length: 9\r\n\r\n',
    'HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
  ])('by answering %j gives 502, and its connection is closed', async (bytes) => {
    let closed: Promise<unknown> | undefined;
    const url = await startTcpOrigin((socket) => {
      closed = once(socket, 'close');
      socket.once('data', () => socket.write(bytes));
    });
    const edge = await startEdge(url);
    // The viewer stays connected, so that it is not its going away that closes the other connection.
    const agent = new https.Agent({ keepAlive: true });
    const answer = await send(edge, { agent, method: 'POST', headers: ['Content-Length', '4'], body: 'body' });
    expect(answer.status).toBe(502);
    await closed;
    agent.destroy();
  });
});

describe('a viewer that stays', () => {
  it('leaves no listener of a request on its connection', async () => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url);
    const listeners: number[] = [];
    const count = (message: unknown): void => {
      const { socket } = message as { socket: Socket };
      if (socket.localPort === edge.port) listeners.push(socket.listenerCount('close'));
    };
    subscribe('http.server.request.start', count);
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    for (let requests = 0; requests < 3; requests += 1) await readAnswer(openRequest(edge, { agent }).end());
    unsubscribe('http.server.request.start', count);
    agent.destroy();
    expect(listeners).toHaveLength(3);
    expect(new Set(listeners).size).toBe(1);
  });
});

describe('a viewer that goes away', () => {
  it('while it waits aborts the request at the origin, which is not repeated', async () => {
    const aborted: (string | undefined)[] = [];
    const origin = await startOrigin((request, response) => {
      if (request.url === '/') response.end('ok');
      else response.once('close', () => aborted.push(request.url));
    });
    const edge = await startEdge(origin.url);
    // A kept connection is used, where a request might be repeated.
    await send(edge);
    const viewer = openRequest(edge, { path: '/hang' }).on('error', () => {});
    viewer.end();
    while (origin.requests.length < 2) await sleep(5);
    viewer.destroy();
    while (aborted.length === 0) await sleep(5);
    await send(edge);
    expect(origin.requests.map(({ url }) => url)).toEqual(['/', '/hang', '/']);
  });

  it('during its upload, after the whole response, aborts the request at the origin', async () => {
    const origin = await startOrigin((request, response) => {
      request.resume();
      response.end('early');
    });
    const viewer = openRequest(await startEdge(origin.url), { method: 'POST', headers: chunked }).on('error', () => {});
    viewer.write('part');
    await expect(readAnswer(viewer)).resolves.toMatchObject({ body: 'early' });
    const { socket, complete } = onlyRequest(origin);
    expect({ complete, destroyed: socket.destroyed }).toEqual({ complete: false, destroyed: false });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    viewer.destroy();
    await closed;
  });

  it('during its upload aborts the request at the origin', async () => {
    let ended: unknown;
    const origin = await startOrigin((request) => {
      request.once('data', () => viewer.destroy());
      ended = text(request).then(
        () => 'complete',
        (error: Error) => error.message,
      );
    });
    const viewer = openRequest(await startEdge(origin.url), { method: 'POST', headers: chunked }).on('error', () => {});
    viewer.write('part');
    await new Promise((resolve) => viewer.once('close', resolve));
    await expect(ended).resolves.toBe('aborted');
  });

  it('during the response aborts it at the origin', async () => {
    const finished: boolean[] = [];
    const origin = await startOrigin((_, response) => {
      response.once('close', () => finished.push(response.writableFinished));
      response.write('part');
    });
    const viewer = openRequest(await startEdge(origin.url)).on('error', () => {});
    const response = await responseTo(viewer.end());
    response.on('error', () => {}).destroy();
    while (finished.length === 0) await sleep(5);
    expect(finished).toEqual([false]);
  });
});

describe('a kept connection that the origin has closed in the meantime', () => {
  /** Cuts the second request of its first connection and answers all others. */
  async function startForgetfulOrigin() {
    const received: string[] = [];
    const url = await startTcpOrigin((socket) => {
      const isFirst = received.length === 0;
      let count = 0;
      socket.on('data', (bytes) => {
        received.push(String(bytes).split(' ')[0] ?? '');
        count += 1;
        if (isFirst && count === 2) socket.destroy();
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    return { received, url };
  }

  it.each(['GET', 'HEAD', 'PUT', 'DELETE'])('is replaced without the viewer noticing for %s', async (method) => {
    const { received, url } = await startForgetfulOrigin();
    const edge = await startEdge(url);
    await send(edge);
    const headers = method === 'PUT' ? ['Content-Length', '0'] : [];
    await expect(send(edge, { method, headers })).resolves.toMatchObject({ status: 200 });
    expect(received).toEqual(['GET', method, method]);
  });

  it.each([
    ['POST', ['Content-Length', '0']],
    ['PUT', ['Content-Length', '4']],
  ])('gives 502 for %s with %j, which might have had its effect', async (method, headers) => {
    const { received, url } = await startForgetfulOrigin();
    const edge = await startEdge(url);
    await send(edge);
    const body = headers.includes('4') ? 'body' : '';
    await expect(send(edge, { method, headers, body })).resolves.toMatchObject({ status: 502 });
    expect(received).toEqual(['GET', method]);
  });

  it('is replaced once and not twice, though there are more of the kind', async () => {
    const received: string[] = [];
    const sockets: Socket[] = [];
    const url = await startTcpOrigin((socket) => {
      socket.once('data', () => {
        sockets.push(socket);
        // Answered together, so that each request has opened a connection of its own.
        if (sockets.length === 3) for (const one of sockets) one.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
        socket.on('data', (bytes) => {
          received.push(String(bytes).split(' ')[0] ?? '');
          socket.destroy();
        });
      });
    });
    const edge = await startEdge(url);
    await Promise.all([send(edge), send(edge), send(edge)]);
    await expect(send(edge)).resolves.toMatchObject({ status: 502 });
    expect(received).toEqual(['GET', 'GET']);
  });

  it('is replaced by one that closes when the viewer goes away', async () => {
    const closed: number[] = [];
    const received: number[] = [];
    let connections = 0;
    const url = await startTcpOrigin((socket) => {
      connections += 1;
      const connection = connections;
      socket.once('close', () => closed.push(connection));
      socket.on('data', () => {
        received.push(connection);
        if (received.length === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        else if (connection === 1) socket.destroy();
      });
    });
    const edge = await startEdge(url);
    await send(edge);
    const viewer = openRequest(edge).on('error', () => {});
    viewer.end();
    while (received.length < 3) await sleep(5);
    expect({ received, closed }).toEqual({ received: [1, 1, 2], closed: [1] });
    viewer.destroy();
    while (closed.length < 2) await sleep(5);
    expect(closed).toEqual([1, 2]);
  });

  it('is not replaced when the response has begun', async () => {
    const received: string[] = [];
    let connections = 0;
    const url = await startTcpOrigin((socket) => {
      connections += 1;
      socket.on('data', (bytes) => {
        received.push(String(bytes).split(' ')[1] ?? '');
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbo');
        if (received.length === 1) socket.write('dy');
        else setTimeout(() => socket.resetAndDestroy(), 50);
      });
    });
    const edge = await startEdge(url);
    await send(edge, { path: '/1' });
    await expect(send(edge, { path: '/2' })).rejects.toMatchObject({ message: 'aborted' });
    await expect(send(edge, { path: '/3' })).rejects.toMatchObject({ message: 'aborted' });
    expect(received).toEqual(['/1', '/2', '/3']);
    expect(connections).toBe(2);
  });
});
