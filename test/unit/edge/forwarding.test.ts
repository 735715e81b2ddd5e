import { once } from 'node:events';
import https from 'node:https';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  closeAll,
  connectRaw,
  lines,
  onlyRequest,
  openRequest,
  readAnswer,
  responseTo,
  send,
  sendRaw,
  startEdge,
  startOrigin,
} from './laptop';

afterEach(closeAll);

function pairs(headers: readonly string[]): [string, string][] {
  return headers.flatMap((name, at) => (at % 2 === 0 ? [[name, headers[at + 1] ?? ''] as [string, string]] : []));
}

const chunked = ['Transfer-Encoding', 'chunked'];

describe('a request', () => {
  it.each(['/', '/a/../b//c?d=%20&e', '/%2e/?%C3%BC', '*'])('keeps its method and target: OPTIONS %s', async (path) => {
    const origin = await startOrigin();
    await send(await startEdge(origin.url), { method: 'OPTIONS', path });
    expect(onlyRequest(origin)).toMatchObject({ method: 'OPTIONS', url: path, httpVersion: '1.1' });
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
    const body = framing.length > 0 ? 'body' : '';
    await send(await startEdge(origin.url), { method, headers, body });
    expect(
      ['content-length', 'transfer-encoding'].flatMap((name) =>
        lines(onlyRequest(origin), name).map((value) => `${name}: ${value}`),
      ),
    ).toEqual(framing);
    await expect(bodies[0]).resolves.toBe(body);
  });

  it('POST with neither length nor body reaches the origin with a length of zero', async () => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url);
    await sendRaw(edge, 'POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    expect(lines(onlyRequest(origin), 'content-length')).toEqual(['0']);
    expect(lines(onlyRequest(origin), 'transfer-encoding')).toEqual([]);
  });

  it('in HTTP/1.0 without Host is forwarded as HTTP/1.1 and answered without chunks', async () => {
    const origin = await startOrigin((_, response) => {
      response.write('o');
      response.end('k');
    });
    const edge = await startEdge(origin.url, { host: 'viewer' });
    await expect(sendRaw(edge, 'GET / HTTP/1.0\r\n\r\n')).resolves.toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nok$/);
    expect(onlyRequest(origin)).toMatchObject({ httpVersion: '1.1', headers: { host: `localhost:${origin.port}` } });
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

  it('reaches the origin with its head before the first byte of its body', async () => {
    const origin = await startOrigin((_, response) => response.end('early'));
    const viewer = openRequest(await startEdge(origin.url), { method: 'POST', headers: chunked });
    viewer.flushHeaders();
    await expect(readAnswer(viewer)).resolves.toMatchObject({ body: 'early' });
    viewer.end();
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
});

describe('the length of a request head', () => {
  /** Fields that make a head of exactly so many bytes, on many lines: Node counts them without what stands between. */
  function filling(bytes: number, port: number): string[] {
    const rest = bytes - Buffer.byteLength(`GET / HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`);
    const lines = Math.floor(rest / 100) - 1;
    const last = rest - lines * 100;
    return [...Array.from({ length: lines }, () => ['X-N', 'x'.repeat(93)]).flat(), ...['X-N', 'x'.repeat(last - 7)]];
  }

  it('is accepted at 32,768 bytes', async () => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url);
    await expect(send(edge, { headers: filling(32_768, edge.port) })).resolves.toMatchObject({ status: 200 });
  });

  it.each([32_769, 40_000])('is too much at %d bytes: 494, and the connection is closed', async (bytes) => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url);
    const fields = pairs(filling(bytes, edge.port)).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = `GET / HTTP/1.1\r\nHost: localhost:${edge.port}\r\nConnection: close\r\n${fields.join('')}\r\n`;
    // sendRaw reads until the edge closes the connection.
    await expect(sendRaw(edge, head)).resolves.toMatch(/^HTTP\/1\.1 494 Request Header Too Large\r\n/);
    expect(origin.requests).toEqual([]);
  });

  it('is too much in the target alone: 494', async () => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url);
    await expect(send(edge, { path: `/${'x'.repeat(33_000)}` })).resolves.toMatchObject({ status: 494 });
  });

  it('too much while another response is under way cuts the connection', async () => {
    const origin = await startOrigin((_, response) => response.write('part'));
    const edge = await startEdge(origin.url);
    const socket = connectRaw(edge);
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket, 'data');
    socket.write(`GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'x'.repeat(40_000)}\r\n\r\n`);
    await expect(text(socket)).resolves.not.toContain('HTTP/1.1');
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

  it('with a head of almost 32 KiB and more than a thousand fields passes back whole', async () => {
    const headers = [...Array.from({ length: 1500 }, () => ['X-N', '1']).flat(), 'X-Long', 'x'.repeat(16_000)];
    const origin = await startOrigin((_, response) => response.writeHead(200, headers).end());
    const viewer = openRequest(await startEdge(origin.url), { maxHeaderSize: 65_536 });
    viewer.maxHeadersCount = 0;
    const answer = await readAnswer(viewer.end());
    expect(lines(answer, 'x-n')).toHaveLength(1500);
    expect(lines(answer, 'x-long')).toEqual(['x'.repeat(16_000)]);
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
  let sent = 0;

  /** Counts what is asked of it in `sent`. */
  function source(): Readable {
    sent = 0;
    return new Readable({
      read() {
        sent += 65_536;
        this.push(sent <= size ? Buffer.alloc(65_536) : null);
      },
    });
  }

  /** Resolves to `sent` when it has stopped growing. */
  async function untilStalled(): Promise<number> {
    for (let before = -1; before !== sent;) {
      before = sent;
      await sleep(150);
    }
    return sent;
  }

  it('waits at the viewer while the origin does not read, then arrives whole', async () => {
    let received = 0;
    const origin = await startOrigin((request, response) => void request.on('end', () => response.end()).pause());
    const viewer = openRequest(await startEdge(origin.url), { method: 'POST', headers: chunked });
    source().pipe(viewer);
    await expect(untilStalled()).resolves.toBeLessThan(size);
    onlyRequest(origin).on('data', (chunk: Buffer) => (received += chunk.length));
    onlyRequest(origin).resume();
    await readAnswer(viewer);
    expect(received).toBe(size);
  }, 30_000);

  it('waits at the origin while the viewer does not read, then arrives whole', async () => {
    const origin = await startOrigin((_, response) => void source().pipe(response));
    const response = await responseTo(openRequest(await startEdge(origin.url)).end());
    await expect(untilStalled()).resolves.toBeLessThan(size);
    let received = 0;
    for await (const chunk of response) received += (chunk as Buffer).length;
    expect(received).toBe(size);
  }, 30_000);
});
