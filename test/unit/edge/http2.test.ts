import { once } from 'node:events';
import { type ClientHttp2Stream, type OutgoingHttpHeaders, sensitiveHeaders } from 'node:http2';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { encodeClientCert } from '@peercert/core';
import type { EdgeAddress } from '@peercert/edge';
import { createAuthority } from '@peercert/testkit';
import {
  closeAll,
  connectRaw,
  failureOf,
  lines,
  onlyRequest,
  openHttp2,
  presenting,
  readHttp2Answer,
  sendHttp2,
  startEdge,
  startOrigin,
  startTcpOrigin,
  type ViewerAnswer,
} from './laptop';

afterEach(closeAll);

async function request(edge: EdgeAddress, head: OutgoingHttpHeaders): Promise<ViewerAnswer> {
  return readHttp2Answer(openHttp2(edge).request(head).end());
}

describe('a request over HTTP/2', () => {
  it.each(['/', '/a/../b//c?d=%20&e', '*'])('keeps its method and target, in HTTP/1.1: OPTIONS %s', async (path) => {
    const origin = await startOrigin();
    await sendHttp2(await startEdge(origin.url), { method: 'OPTIONS', path });
    expect(onlyRequest(origin)).toMatchObject({ method: 'OPTIONS', url: path, httpVersion: '1.1' });
  });

  it('has the host of the origin in Host', async () => {
    const origin = await startOrigin();
    await sendHttp2(await startEdge(origin.url), { headers: ['host', 'other.example'] });
    expect(lines(onlyRequest(origin), 'host')).toEqual([`localhost:${origin.port}`]);
  });

  it('has its :authority in Host with host "viewer", whatever it has in host', async () => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url, { host: 'viewer' });
    await sendHttp2(edge, { hostLine: 'viewer.example', headers: ['host', 'other.example'] });
    expect(lines(onlyRequest(origin), 'host')).toEqual(['viewer.example']);
  });

  it('keeps its fields and loses those in front', async () => {
    const origin = await startOrigin();
    const headers = ['x-b', '1', 'x-a', '2', 'x-b', '3', 'te', 'trailers', 'user-agent', 'viewer/2'];
    await sendHttp2(await startEdge(origin.url), { headers });
    expect(lines(onlyRequest(origin), 'x-b')).toEqual(['1', '3']);
    expect(lines(onlyRequest(origin), 'x-a')).toEqual(['2']);
    expect(lines(onlyRequest(origin), 'te')).toEqual([]);
    expect(lines(onlyRequest(origin), 'user-agent')).toEqual(['viewer/2']);
    expect(lines(onlyRequest(origin), 'x-forwarded-for')).toEqual(['127.0.0.1']);
    expect(onlyRequest(origin).rawHeaders.filter((name) => name.startsWith(':'))).toEqual([]);
  });

  it('loses what CloudFront takes away, and gets what it adds', async () => {
    const origin = await startOrigin();
    const headers = ['x-edge-location', 'FRA', 'x-forwarded-proto', 'http', 'x-origin-secret', 'guess'];
    await sendHttp2(await startEdge(origin.url, { originHeaders: { 'X-Origin-Secret': 'secret' } }), { headers });
    expect(lines(onlyRequest(origin), 'x-edge-location')).toEqual([]);
    expect(lines(onlyRequest(origin), 'x-forwarded-proto')).toEqual([]);
    expect(lines(onlyRequest(origin), 'x-origin-secret')).toEqual(['secret']);
    expect(lines(onlyRequest(origin), 'x-amz-cf-id')).toHaveLength(1);
  });

  it('has its cookies put together in one line', async () => {
    const origin = await startOrigin();
    await sendHttp2(await startEdge(origin.url), { headers: ['cookie', 'a=1', 'x-a', '2', 'cookie', 'b=2'] });
    expect(lines(onlyRequest(origin), 'cookie')).toEqual(['a=1; b=2']);
  });

  it('has more than a thousand fields forwarded, and Client-Cert behind them', async () => {
    const origin = await startOrigin();
    const headers = Array.from({ length: 1500 }, () => ['x-n', '1']).flat();
    await sendHttp2(await startEdge(origin.url), { ...presenting(createAuthority().issue(), []), headers });
    expect(lines(onlyRequest(origin), 'x-n')).toHaveLength(1500);
    expect(lines(onlyRequest(origin), 'client-cert')).toHaveLength(1);
  });

  it.each([
    ['GET', undefined, [], 200, []],
    ['GET', 'body', [], 403, []],
    ['GET', 'body', ['content-length', '4'], 403, []],
    ['DELETE', undefined, [], 200, []],
    ['POST', undefined, [], 200, ['content-length: 0']],
    ['POST', 'body', [], 200, ['transfer-encoding: chunked']],
    ['PUT', 'body', ['content-length', '4'], 200, ['content-length: 4']],
  ])('%s with the body %j and %j is answered %d, framed by %j', async (method, body, headers, status, framing) => {
    const bodies: Promise<string>[] = [];
    const origin = await startOrigin((request, response) => {
      bodies.push(text(request));
      request.on('end', () => response.end());
    });
    const answer = await sendHttp2(await startEdge(origin.url), { method, headers, ...(body && { body }) });
    expect(answer.status).toBe(status);
    expect(
      origin.requests.flatMap((request) =>
        ['content-length', 'transfer-encoding'].flatMap((name) =>
          lines(request, name).map((value) => `${name}: ${value}`),
        ),
      ),
    ).toEqual(framing);
    expect(await Promise.all(bodies)).toEqual(status === 200 ? [body ?? ''] : []);
  });

  it('with trailers loses them', async () => {
    const origin = await startOrigin((request, response) => {
      request.resume().on('end', () => response.end(JSON.stringify(request.rawTrailers)));
    });
    const session = openHttp2(await startEdge(origin.url));
    const stream = session.request({ ':method': 'POST' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'client-cert': ':Zm9yZ2Vk:' }));
    stream.end('body');
    await expect(readHttp2Answer(stream)).resolves.toMatchObject({ status: 200, body: '[]' });
  });

  it('that waits for 100 is told to go on', async () => {
    const origin = await startOrigin();
    const session = openHttp2(await startEdge(origin.url));
    const stream = session.request({ ':method': 'POST', expect: '100-continue' });
    await once(stream, 'continue');
    stream.end('body');
    await expect(readHttp2Answer(stream)).resolves.toMatchObject({ status: 200 });
    expect(lines(onlyRequest(origin), 'expect')).toEqual([]);
  });

  it.each([
    ['a target that is no path', { ':path': 'a' }],
    ['a space in its target', { ':path': '/a b' }],
    ['a space in its method', { ':method': 'GET /' }],
    ['a transfer coding', { 'transfer-encoding': 'chunked', [sensitiveHeaders]: [] }],
  ])('with %s is reset', async (_, head) => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url);
    await expect(failureOf(request(edge, head))).resolves.toHaveProperty('code');
    expect(origin.requests).toEqual([]);
    await expect(sendHttp2(edge)).resolves.toMatchObject({ status: 200 });
  });

  it('for CONNECT is answered 400', async () => {
    const origin = await startOrigin();
    const answer = request(await startEdge(origin.url), { ':method': 'CONNECT', ':authority': 'localhost:1' });
    await expect(answer).resolves.toMatchObject({ status: 400 });
    expect(origin.requests).toEqual([]);
  });
});

describe('the length of a request head over HTTP/2', () => {
  it('is accepted at almost 32 KiB', async () => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url);
    const headers = ['x-long', 'x'.repeat(32_600)];
    await expect(sendHttp2(edge, { headers })).resolves.toMatchObject({ status: 200 });
  });

  it.each([2, 5])('is too much with %d fields of 20,000: 494, and the connection is closed', async (count) => {
    const origin = await startOrigin();
    const session = openHttp2(await startEdge(origin.url));
    const closed = once(session, 'close');
    const answer = await readHttp2Answer(session.request(longFields(count, 20_000)));
    expect(answer.status).toBe(494);
    await closed;
    expect(origin.requests).toEqual([]);
  });

  it.each([
    [10, 20_000],
    [1, 80_000],
  ])('is too much for an answer with %d fields of %d, and the edge goes on', async (count, length) => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url);
    await expect(failureOf(request(edge, longFields(count, length)))).resolves.toHaveProperty('message');
    expect(origin.requests).toEqual([]);
    await expect(sendHttp2(edge)).resolves.toMatchObject({ status: 200 });
  });
});

function longFields(count: number, length: number): OutgoingHttpHeaders {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-${index}`, 'x'.repeat(length)]));
}

describe('a response over HTTP/2', () => {
  it('passes back with status and repeated fields', async () => {
    const headers = ['X-B', '1', 'Set-Cookie', 'a=1', 'x-b', '2', 'Set-Cookie', 'b=2', 'Content-Length', '4'];
    const origin = await startOrigin((_, response) => response.writeHead(418, 'Short and stout', headers).end('body'));
    const answer = await sendHttp2(await startEdge(origin.url));
    expect(answer).toMatchObject({ status: 418, body: 'body' });
    expect(lines(answer, 'x-b')).toEqual(['1', '2']);
    expect(lines(answer, 'set-cookie')).toEqual(['a=1', 'b=2']);
    expect(lines(answer, 'content-length')).toEqual(['4']);
  });

  it('loses what is about the origin connection only', async () => {
    const headers = ['Connection', 'x-hop, keep-alive', 'X-Hop', '1', 'Keep-Alive', 'timeout=99', 'X-Kept', '3'];
    const origin = await startOrigin((_, response) => {
      response.writeHead(200, headers);
      response.write('o');
      response.end('k');
    });
    const answer = await sendHttp2(await startEdge(origin.url));
    expect(answer).toMatchObject({ body: 'ok', headers: { 'x-kept': '3' } });
    for (const name of ['connection', 'x-hop', 'keep-alive', 'transfer-encoding']) {
      expect(lines(answer, name)).toEqual([]);
    }
  });

  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ])('without a body passes back: %s, %d', async (method, status) => {
    const origin = await startOrigin((_, response) => {
      response.writeHead(status, status === 204 ? {} : { 'Content-Length': '1000' }).end();
    });
    const answer = await sendHttp2(await startEdge(origin.url), { method });
    expect(answer).toMatchObject({ status, body: '' });
    expect(lines(answer, 'content-length')).toEqual(status === 204 ? [] : ['1000']);
  });

  it('reaches the viewer before the request body is complete, in pieces, both ways', async () => {
    const origin = await startOrigin((request, response) => void request.pipe(response));
    const stream = openHttp2(await startEdge(origin.url)).request({ ':method': 'POST' });
    stream.write('first');
    await expect(once(stream, 'data').then(String)).resolves.toBe('first');
    stream.end('last');
    await expect(text(stream)).resolves.toBe('last');
  });

  it('of 20 MB arrives whole, and so does the request that it echoes', async () => {
    const origin = await startOrigin((request, response) => void request.pipe(response));
    const stream = openHttp2(await startEdge(origin.url)).request({ ':method': 'POST' });
    Readable.from(Array.from({ length: 320 }, (_, index) => Buffer.alloc(65_536, index))).pipe(stream);
    const echoed = await buffer(stream);
    expect(echoed).toHaveLength(320 * 65_536);
    expect(echoed.at(-1)).toBe(319 % 256);
  });

  it('given before the body was read leaves the session in use', async () => {
    const origin = await startOrigin((_, response) => response.writeHead(413, { Connection: 'close' }).end());
    const session = openHttp2(await startEdge(origin.url));
    for (let requests = 0; requests < 2; requests += 1) {
      const stream = session.request({ ':method': 'POST' });
      stream.on('error', () => {}).end(Buffer.alloc(1_000_000));
      await expect(readHttp2Answer(stream)).resolves.toMatchObject({ status: 413 });
    }
    expect(origin.requests).toHaveLength(2);
  });

  it('that breaks off is reset', async () => {
    const origin = await startOrigin((request, response) => {
      response.write('part');
      setImmediate(() => request.socket.destroy());
    });
    const stream = openHttp2(await startEdge(origin.url)).request();
    const failure = failureOf(text(stream));
    await expect(failure).resolves.toMatchObject({ code: 'ERR_HTTP2_STREAM_ERROR' });
  });

  it.each([
    ['nothing', ''],
    ['nonsense', 'nonsense\r\n\r\n'],
    ['a status that does not exist', 'HTTP/1.1 099 Low\r\n\r\n'],
    ['an upgrade', 'HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'],
  ])('that is %s becomes 502', async (_, bytes) => {
    const url = await startTcpOrigin((socket) => void socket.once('data', () => socket.end(bytes)));
    await expect(sendHttp2(await startEdge(url))).resolves.toMatchObject({ status: 502 });
  });
});

describe('an HTTP/2 session', () => {
  it('has the certificate of its handshake in all its requests, which run side by side', async () => {
    const client = createAuthority().issue();
    const waiting: (() => void)[] = [];
    const origin = await startOrigin((_, response) => {
      waiting.push(() => response.end('ok'));
      if (waiting.length === 3) for (const answer of waiting) answer();
    });
    const session = openHttp2(await startEdge(origin.url), presenting(client, []));
    const answers = ['/1', '/2', '/3'].map((path) => readHttp2Answer(session.request({ ':path': path })));
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200]);
    const expected = [encodeClientCert(client.der)];
    expect(origin.requests.map((request) => lines(request, 'client-cert'))).toEqual([expected, expected, expected]);
  });

  it('goes on after a request that its viewer cancelled, which is aborted at the origin', async () => {
    const aborted: Promise<unknown>[] = [];
    let cancel: ClientHttp2Stream | undefined;
    const origin = await startOrigin((request, response) => {
      if (request.url !== '/hang') {
        response.end('ok');
        return;
      }
      aborted.push(once(response, 'close'));
      cancel?.close(8);
    });
    const session = openHttp2(await startEdge(origin.url));
    cancel = session.request({ ':path': '/hang' });
    cancel.on('error', () => {});
    await once(cancel, 'close');
    await expect(readHttp2Answer(session.request())).resolves.toMatchObject({ status: 200 });
    expect(aborted).toHaveLength(1);
    await Promise.all(aborted);
  });

  it('whose requests are cancelled at any moment, with any code, leaves the edge going on', async () => {
    const origin = await startOrigin((incoming, response) => {
      if (incoming.url === '/cut') incoming.socket.destroy();
      else response.end('ok');
    });
    const edge = await startEdge(origin.url);
    const session = openHttp2(edge);
    const closed: Promise<unknown>[] = [];
    for (const path of ['/', '/cut']) {
      for (const method of ['GET', 'POST']) {
        for (const code of [0, 1, 2, 8]) {
          for (const ticks of [0, 1, 2, 5, 10, 20]) {
            const stream = session.request({ ':method': method, ':path': path, expect: '100-continue' });
            stream
              .on('error', () => {})
              .resume()
              .write('part');
            closed.push(new Promise((resolve) => stream.once('close', resolve)));
            for (let tick = 0; tick < ticks; tick += 1) await new Promise(setImmediate);
            stream.close(code);
          }
        }
      }
    }
    await Promise.all(closed);
    await expect(readHttp2Answer(session.request())).resolves.toMatchObject({ status: 200 });
    session.destroy(undefined, 2);
    await expect(sendHttp2(edge)).resolves.toMatchObject({ status: 200 });
  });

  it('that ends during an upload aborts the request at the origin, which does not take it for complete', async () => {
    const uploads: Promise<unknown>[] = [];
    const origin = await startOrigin((incoming) => {
      incoming.once('data', () => session.destroy());
      uploads.push(failureOf(text(incoming)));
    });
    const session = openHttp2(await startEdge(origin.url));
    const stream = session.request({ ':method': 'POST' });
    stream
      .on('error', () => {})
      .resume()
      .write('part');
    await once(session, 'close');
    await expect(uploads[0]).resolves.toMatchObject({ message: 'aborted' });
  });

  it('that ends during an upload, after the whole response, aborts the request at the origin', async () => {
    const origin = await startOrigin((request, response) => {
      request.resume();
      response.end('early');
    });
    const session = openHttp2(await startEdge(origin.url));
    const stream = session.request({ ':method': 'POST' });
    stream.on('error', () => {});
    stream.write('part');
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
    expect(headers[':status']).toBe(200);
    const { socket } = onlyRequest(origin);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    session.destroy();
    await closed;
  });

  it('leaves one connection to the origin in use by all', async () => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url);
    for (let requests = 0; requests < 3; requests += 1) await sendHttp2(edge, { method: 'POST', body: 'body' });
    expect(origin.connections).toHaveLength(1);
  });

  it('is ended by close, in the middle of a request', async () => {
    const { edge, ...address } = await startEdge((await startOrigin(() => void edge.close())).url);
    const session = openHttp2(address);
    const closed = once(session, 'close');
    const stream = session.request();
    stream.on('error', () => {});
    await closed;
  });

  it('that never becomes one is closed, and the edge goes on', async () => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url);
    const socket = connectRaw(edge, { ALPNProtocols: ['h2'] });
    socket.resume().write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket, 'close');
    await expect(sendHttp2(edge)).resolves.toMatchObject({ status: 200 });
    expect(origin.requests).toHaveLength(1);
  });
});
