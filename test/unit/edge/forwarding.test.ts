import { once } from 'node:events';
import https from 'node:https';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  closeAll,
  lines,
  onlyRequest,
  openRequest,
  presenting,
  readAnswer,
  responseTo,
  send,
  serverAuthority,
  startEdge,
  startOrigin,
  issueServer,
} from './laptop';

afterEach(closeAll);

const chunked = ['Transfer-Encoding', 'chunked'];

describe('a request', () => {
  it.each(['/', '/a/../b//c?d=%20&e', '/%2e/ü?q', '*'])('keeps its method and target: OPTIONS %s', async (path) => {
    const origin = await startOrigin();
    const target = Buffer.from(path).toString('latin1');
    await send(await startEdge(origin.url), { method: 'OPTIONS', path: target });
    expect(onlyRequest(origin)).toMatchObject({ method: 'OPTIONS', url: target, httpVersion: '1.1' });
  });

  it('with a target in absolute form is forwarded in origin form', async () => {
    const origin = await startOrigin();
    await send(await startEdge(origin.url), { path: 'https://elsewhere.example/a?b' });
    expect(onlyRequest(origin).url).toBe('/a?b');
  });

  it('with a target that is neither path nor URL is answered 400', async () => {
    const origin = await startOrigin();
    await expect(send(await startEdge(origin.url), { path: 'a' })).resolves.toMatchObject({ status: 400 });
    expect(origin.requests).toEqual([]);
  });

  it.each([
    ['GET', ['Content-Length', '4'], 403],
    ['GET', chunked, 403],
    ['GET', ['Content-Length', '0'], 200],
    ['HEAD', [], 200],
    ['DELETE', ['Content-Length', '4'], 200],
    ['POST', ['Content-Length', '4'], 200],
  ])('%s with %j is answered %d', async (method, headers, status) => {
    const origin = await startOrigin();
    const body = headers.includes('4') || headers === chunked ? 'body' : '';
    const answer = await send(await startEdge(origin.url), { method, headers, body });
    expect(answer.status).toBe(status);
    expect(origin.requests).toHaveLength(status === 200 ? 1 : 0);
  });

  it('answered 403 for its body leaves the connection of the viewer in use', async () => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url);
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    const large = Buffer.alloc(1_000_000);
    const first = openRequest(edge, { agent, headers: ['Content-Length', String(large.length)] });
    first.end(large);
    await expect(readAnswer(first)).resolves.toMatchObject({ status: 403 });
    const second = openRequest(edge, { agent });
    second.end();
    await expect(readAnswer(second)).resolves.toMatchObject({ status: 200 });
    expect(second.reusedSocket).toBe(true);
    agent.destroy();
  });

  it.each([
    ['POST', [], ['content-length: 0']],
    ['GET', [], []],
    ['DELETE', [], []],
    ['PUT', ['Content-Length', '4'], ['content-length: 4']],
    ['PUT', chunked, ['transfer-encoding: chunked']],
    ['DELETE', chunked, ['transfer-encoding: chunked']],
    ['DELETE', ['Connection', 'content-length, close', 'Content-Length', '4'], ['content-length: 4']],
  ])('%s with %j reaches the origin framed by %j', async (method, headers, framing) => {
    const bodies: Promise<string>[] = [];
    const origin = await startOrigin((request, response) => {
      bodies.push(text(request));
      request.on('end', () => response.end());
    });
    const body = framing.length > 0 && framing[0] !== 'content-length: 0' ? 'body' : '';
    const viewer = openRequest(await startEdge(origin.url), { method, headers });
    // Node's client adds framing of its own to an empty POST.
    viewer.useChunkedEncodingByDefault = false;
    viewer.end(body);
    await readAnswer(viewer);
    expect(
      ['content-length', 'transfer-encoding'].flatMap((name) =>
        lines(onlyRequest(origin), name).map((value) => `${name}: ${value}`),
      ),
    ).toEqual(framing);
    await expect(bodies[0]).resolves.toBe(body);
  });

  it('with a body that looks like a request is one request, however the viewer frames it', async () => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url);
    const body = 'GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const framings = [
      ['Connection', 'content-length', 'Content-Length', String(body.length)],
      ['Connection', 'transfer-encoding', ...chunked],
      ['Content-Length', String(body.length)],
    ];
    for (const headers of framings) await send(edge, { method: 'DELETE', headers, body });
    expect(origin.requests.map(({ url }) => url)).toEqual(['/', '/', '/']);
  });

  it('with a transfer coding besides chunked is answered 400', async () => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url);
    const answer = await send(edge, { method: 'POST', headers: ['Transfer-Encoding', 'gzip, chunked'], body: 'x' });
    expect(answer.status).toBe(400);
    expect(origin.requests).toEqual([]);
  });

  it('for WebSocket is forwarded as an ordinary GET', async () => {
    const origin = await startOrigin();
    const headers = ['Connection', 'Upgrade', 'Upgrade', 'websocket'];
    await expect(send(await startEdge(origin.url), { headers })).resolves.toMatchObject({ status: 200 });
    expect(onlyRequest(origin).headers.upgrade).toBeUndefined();
  });

  it('of almost 32 KiB is forwarded, a longer one answered 431', async () => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url);
    await expect(send(edge, { headers: ['X-Long', 'x'.repeat(32_000)] })).resolves.toMatchObject({ status: 200 });
    await expect(send(edge, { headers: ['X-Long', 'x'.repeat(33_000)] })).resolves.toMatchObject({ status: 431 });
    expect(origin.requests).toHaveLength(1);
  });
});

describe('a response', () => {
  it('passes back with status, reason, repeated fields and letter case', async () => {
    const headers = ['X-B', '1', 'Set-Cookie', 'a=1', 'x-b', '2', 'Set-Cookie', 'b=2', 'Content-Length', '4'];
    const origin = await startOrigin((_, response) => response.writeHead(418, 'Short and stout', headers).end('body'));
    const response = await responseTo(openRequest(await startEdge(origin.url)).end());
    expect(response).toMatchObject({ statusCode: 418, statusMessage: 'Short and stout' });
    expect(response.rawHeaders.slice(0, headers.length)).toEqual(headers);
    await expect(text(response)).resolves.toBe('body');
  });

  it('loses what is about the origin connection only', async () => {
    const headers = [
      'Connection',
      'x-hop, keep-alive',
      'X-Hop',
      '1',
      'Keep-Alive',
      'timeout=99',
      'Proxy-Connection',
      '2',
    ];
    const origin = await startOrigin((_, response) => response.writeHead(200, [...headers, 'X-Kept', '3']).end());
    const answer = await send(await startEdge(origin.url));
    expect(answer.headers).toMatchObject({ 'x-kept': '3' });
    expect(answer.headers).not.toHaveProperty('x-hop');
    expect(answer.headers).not.toHaveProperty('proxy-connection');
    expect(answer.headers['keep-alive']).not.toBe('timeout=99');
  });

  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ])('without a body passes back: %s, %d', async (method, status) => {
    const origin = await startOrigin((_, response) => {
      response.writeHead(status, status === 204 ? {} : { 'Content-Length': '1000' }).end();
    });
    const answer = await send(await startEdge(origin.url), { method });
    expect(answer).toMatchObject({ status, body: '' });
    expect(lines(answer, 'content-length')).toEqual(status === 204 ? [] : ['1000']);
  });

  it('reaches the viewer before the request body is complete, in pieces, both ways', async () => {
    const origin = await startOrigin((request, response) => void request.pipe(response));
    const viewer = openRequest(await startEdge(origin.url), { method: 'POST', headers: chunked });
    viewer.write('first');
    const response = await responseTo(viewer);
    await expect(once(response, 'data').then(String)).resolves.toBe('first');
    viewer.end('last');
    await expect(text(response)).resolves.toBe('last');
  });

  it('reaches the viewer with its head before the first byte of its body', async () => {
    const origin = await startOrigin((_, response) => response.writeHead(200).flushHeaders());
    const viewer = openRequest(await startEdge(origin.url));
    await expect(responseTo(viewer.end())).resolves.toMatchObject({ statusCode: 200 });
    viewer.destroy();
  });

  it('given before the body was read leaves the connection of the viewer in use', async () => {
    const origin = await startOrigin((_, response) => response.writeHead(413, { Connection: 'close' }).end());
    const edge = await startEdge(origin.url);
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    const large = Buffer.alloc(20_000_000);
    const first = openRequest(edge, { agent, method: 'POST', headers: ['Content-Length', String(large.length)] });
    first.end(large);
    await expect(readAnswer(first)).resolves.toMatchObject({ status: 413 });
    await expect(readAnswer(openRequest(edge, { agent }).end())).resolves.toMatchObject({ status: 413 });
    agent.destroy();
  });
});

describe('a large body', () => {
  const size = 64 * 1024 * 1024;

  it('waits at the viewer while the origin does not read, then arrives whole', async () => {
    let received = 0;
    const origin = await startOrigin((request, response) => {
      setTimeout(() => request.on('data', (chunk: Buffer) => (received += chunk.length)), 500);
      request.on('end', () => response.end());
    });
    const edge = await startEdge(origin.url);
    const viewer = openRequest(edge, { method: 'POST', headers: ['Content-Length', String(size)] });
    viewer.end(Buffer.alloc(size));
    const answered = readAnswer(viewer);
    await sleep(400);
    expect(viewer.writableFinished).toBe(false);
    expect(viewer.socket?.bytesWritten).toBeGreaterThan(0);
    await answered;
    expect(received).toBe(size);
  });

  it('waits at the origin while the viewer does not read, then arrives whole', async () => {
    let waits = false;
    const origin = await startOrigin((_, response) => {
      response.end(Buffer.alloc(size));
      setTimeout(() => (waits = !response.writableFinished), 300);
    });
    const response = await responseTo(openRequest(await startEdge(origin.url)).end());
    await sleep(400);
    expect(waits).toBe(true);
    let received = 0;
    for await (const chunk of response) received += (chunk as Buffer).length;
    expect(received).toBe(size);
  });
});

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
    'HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
  ])('by answering %j gives 502', async (bytes) => {
    const server = net.createServer((socket) => socket.on('error', () => {}).once('data', () => socket.end(bytes)));
    const edge = await startEdge(`http://localhost:${await listenLocally(server)}`);
    await expect(send(edge)).resolves.toMatchObject({ status: 502 });
    server.close();
  });
});

describe('a viewer that goes away', () => {
  it('while it waits aborts the request at the origin', async () => {
    let aborted = (): void => {};
    const seen = new Promise<void>((resolve) => (aborted = resolve));
    const origin = await startOrigin((_, response) => {
      response.once('close', aborted);
      viewer.destroy();
    });
    const viewer = openRequest(await startEdge(origin.url)).on('error', () => {});
    viewer.end();
    await seen;
    expect(onlyRequest(origin)).toBeDefined();
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
  /** Answers the first request of the first connection. Cuts the second there, and everything after when told to. */
  async function startForgetfulOrigin(later: 'answer' | 'cut') {
    const received: string[] = [];
    const server = net.createServer((socket) => {
      const isFirst = received.length === 0;
      let count = 0;
      socket.on('error', () => {});
      socket.on('data', (bytes) => {
        received.push(String(bytes).split(' ')[0] ?? '');
        count += 1;
        if (isFirst ? count === 1 : later === 'answer') socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        else socket.destroy();
      });
    });
    return { server, received, url: `http://localhost:${await listenLocally(server)}` };
  }

  it.each(['GET', 'HEAD', 'PUT', 'DELETE'])('is replaced without the viewer noticing for %s', async (method) => {
    const { server, received, url } = await startForgetfulOrigin('answer');
    const edge = await startEdge(url);
    await send(edge);
    await expect(send(edge, { method })).resolves.toMatchObject({ status: 200 });
    expect(received).toEqual(['GET', method, method]);
    await edge.edge.close();
    server.close();
  });

  it.each([
    ['POST', []],
    ['PUT', ['Content-Length', '4']],
  ])('gives 502 for %s with %j, which might have had its effect', async (method, headers) => {
    const { server, received, url } = await startForgetfulOrigin('answer');
    const edge = await startEdge(url);
    await send(edge);
    const body = headers.length > 0 ? 'body' : '';
    await expect(send(edge, { method, headers, body })).resolves.toMatchObject({ status: 502 });
    expect(received).toEqual(['GET', method]);
    await edge.edge.close();
    server.close();
  });

  it('is replaced once and not twice', async () => {
    const { server, received, url } = await startForgetfulOrigin('cut');
    const edge = await startEdge(url);
    await send(edge);
    await expect(send(edge)).resolves.toMatchObject({ status: 502 });
    expect(received).toEqual(['GET', 'GET', 'GET']);
    server.close();
  });
});

async function listenLocally(server: net.Server): Promise<number> {
  server.listen(0, 'localhost');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('a server listens on a port');
  return address.port;
}
