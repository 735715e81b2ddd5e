import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import http2 from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { admitRequest } from '@peercert/core';
import { fakeAuthenticator } from '@peercert/testkit';
import { HiddenNames, hideHeaders, receivedHeaders } from '../../../packages/core/src/request';

const isHidden = (name: string): boolean => name === 'client-cert' || name === 'x-edge-secret';

/** Everything a handler can read of a request's headers. */
function headersOf({
  headers,
  headersDistinct,
  rawHeaders,
}: Pick<IncomingMessage, 'headers' | 'headersDistinct' | 'rawHeaders'>) {
  return { headers: { ...headers }, headersDistinct: { ...headersDistinct }, rawHeaders: [...rawHeaders] };
}

/** Sends these header lines to a real server and answers with what its handler makes of the request. */
async function serve<Result>(
  lines: readonly string[],
  handler: (request: IncomingMessage) => Result,
  rest = '',
): Promise<Awaited<Result>> {
  const server = http.createServer();
  const handled = new Promise<Awaited<Result>>((resolve, reject) => {
    server.on('request', (request, response) => {
      request.resume().on('end', () => {
        Promise.resolve(handler(request)).then(resolve, reject);
        response.end();
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const fields = Array.from({ length: lines.length / 2 }, (_, at) => `${lines[2 * at]}: ${lines[2 * at + 1]}\r\n`);
  socket.write(`POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${fields.join('')}\r\n${rest}`);
  await text(socket);
  const result = await handled;
  server.close();
  await once(server, 'close');
  return result;
}

const host = ['Host', 'x', 'Connection', 'close'];

describe('hiding headers of an HTTP/1.1 request', () => {
  it('takes them out of headers, headersDistinct and rawHeaders, and leaves the others as they were', async () => {
    const lines = ['Client-Cert', ':AAEC:', 'Accept', 'a', 'X-Edge-Secret', 's', 'accept', 'b', 'X-Other', '1'];
    const seen = await serve(lines, (request) => {
      hideHeaders(request, new HiddenNames(isHidden));
      return headersOf(request);
    });
    expect(seen).toEqual({
      headers: { host: 'x', connection: 'close', accept: 'a, b', 'x-other': '1' },
      headersDistinct: { host: ['x'], connection: ['close'], accept: ['a', 'b'], 'x-other': ['1'] },
      rawHeaders: [...host, 'Accept', 'a', 'accept', 'b', 'X-Other', '1'],
    });
  });

  it('does so when everything was read before', async () => {
    const seen = await serve(['Client-Cert', ':AAEC:', 'Accept', 'a'], (request) => {
      headersOf(request);
      hideHeaders(request, new HiddenNames(isHidden));
      return headersOf(request);
    });
    expect(seen).toEqual({
      headers: { host: 'x', connection: 'close', accept: 'a' },
      headersDistinct: { host: ['x'], connection: ['close'], accept: ['a'] },
      rawHeaders: [...host, 'Accept', 'a'],
    });
  });

  it('does so to every line of a name, in every letter case', async () => {
    const lines = ['Client-Cert', 'a', 'CLIENT-CERT', 'b', 'X-Other', '1', 'client-cert', 'c'];
    const seen = await serve(lines, (request) => {
      hideHeaders(request, new HiddenNames(isHidden));
      return headersOf(request);
    });
    expect(seen).toEqual({
      headers: { host: 'x', connection: 'close', 'x-other': '1' },
      headersDistinct: { host: ['x'], connection: ['close'], 'x-other': ['1'] },
      rawHeaders: [...host, 'X-Other', '1'],
    });
  });

  it('changes nothing when there is nothing to hide', async () => {
    const [before, after, same] = await serve(['Accept', 'a', 'accept', 'b', 'Set-Cookie', 'c'], (request) => {
      const { rawHeaders, headers } = request;
      const first = headersOf(request);
      hideHeaders(request, new HiddenNames(isHidden));
      return [first, headersOf(request), request.rawHeaders === rawHeaders && request.headers === headers];
    });
    expect(after).toEqual(before);
    expect(same).toBe(true);
  });

  it('keeps what arrived for whoever judges the request later', async () => {
    const lines = ['Client-Cert', ':AAEC:', 'Accept', 'a'];
    const seen = await serve(lines, (request) => {
      const before = receivedHeaders(request);
      hideHeaders(request, new HiddenNames(isHidden));
      const received = [...receivedHeaders(request)];
      hideHeaders(request, new HiddenNames((name) => name === 'accept'));
      return [before === request.rawHeaders, received, [...receivedHeaders(request)], [...request.rawHeaders]];
    });
    expect(seen).toEqual([true, [...host, ...lines], [...host, ...lines], host]);
  });

  it('keeps it of one request and not of another', async () => {
    const received = await serve(['Client-Cert', 'a'], (request) => {
      hideHeaders(request, new HiddenNames(isHidden));
      return receivedHeaders({ rawHeaders: ['X', '1'], socket: request.socket });
    });
    expect(received).toEqual(['X', '1']);
  });

  it('does not keep what a handler adds to rawHeaders later', async () => {
    const received = await serve(['Client-Cert', 'a'], (request) => {
      hideHeaders(request, new HiddenNames(isHidden));
      request.rawHeaders.push('Client-Cert', 'b');
      return receivedHeaders(request);
    });
    expect(received).toEqual([...host, 'Client-Cert', 'a']);
  });

  it('CH-18: survives headers named like members of objects', async () => {
    const lines = ['__proto__', 'x', 'constructor', 'y', 'toString', 'z', 'Client-Cert', 'a'];
    const seen = await serve(lines, (request) => {
      hideHeaders(request, new HiddenNames(isHidden));
      const { headersDistinct } = request;
      return [
        Object.getPrototypeOf(headersDistinct),
        Object.getOwnPropertyNames(headersDistinct).toSorted(),
        Object.getOwnPropertyDescriptor(headersDistinct, '__proto__')?.value,
        request.headers['client-cert'],
        request.rawHeaders.slice(4),
      ];
    });
    expect(seen).toEqual([
      null,
      ['__proto__', 'connection', 'constructor', 'host', 'tostring'],
      ['x'],
      undefined,
      ['__proto__', 'x', 'constructor', 'y', 'toString', 'z'],
    ]);
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });

  it('CH-18: hides __proto__ itself without touching a prototype', async () => {
    const seen = await serve(['__proto__', 'x', 'Accept', 'a'], (request) => {
      const before: unknown = Object.getPrototypeOf(request.headers);
      hideHeaders(request, new HiddenNames((name) => name === '__proto__'));
      return [Object.getPrototypeOf(request.headers) === before, request.rawHeaders];
    });
    expect(seen).toEqual([true, [...host, 'Accept', 'a']]);
  });

  it('CH-16: never sees a Client-Cert in chunked trailers', async () => {
    const trailers = '0\r\nClient-Cert: :AAEC:\r\n\r\n';
    const lines = ['Transfer-Encoding', 'chunked', 'Trailer', 'Client-Cert'];
    const [received, trailer] = await serve(lines, (request) => [receivedHeaders(request), request.trailers], trailers);
    expect(received).toEqual([...host, ...lines]);
    expect(trailer).toEqual({ 'client-cert': ':AAEC:' });
  });
});

describe('hiding headers of an HTTP/2 request', () => {
  it('takes them out of headers and rawHeaders, and keeps what arrived', async () => {
    const server = http2.createServer();
    const seen = new Promise<unknown>((resolve) => {
      server.on('request', (request, response) => {
        hideHeaders(request, new HiddenNames(isHidden));
        response.end();
        resolve([Object.keys(request.headers), request.rawHeaders, receivedHeaders(request)]);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const session = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const stream = session.request({ 'client-cert': [':AAEC:', ':AAED:'], 'x-other': '1', 'x-edge-secret': 's' });
    await once(stream.resume(), 'end');
    const [headers, rawHeaders, received] = (await seen) as [string[], string[], string[]];
    session.close();
    server.close();
    await once(server, 'close');
    expect(headers).toContain('x-other');
    expect(headers.filter(isHidden)).toEqual([]);
    expect(rawHeaders.slice(-2)).toEqual(['x-other', '1']);
    expect(rawHeaders.filter((name) => isHidden(name))).toEqual([]);
    const fields = ['client-cert', ':AAEC:', 'client-cert', ':AAED:', 'x-other', '1', 'x-edge-secret', 's'];
    expect(received.slice(-8)).toEqual(fields);
  });
});

it('ID-07: a request that is passed on carries no certificate header of any scheme', async () => {
  const lines = [
    'Client-Cert',
    'a',
    'client_cert',
    'b',
    'X-Forwarded-Client-Cert',
    'c',
    'X-SSL-Client-Verify',
    'd',
    'X',
    '1',
  ];
  const forwarded = await serve(lines, async (request) => {
    await admitRequest(fakeAuthenticator(), request);
    return headersOf(request);
  });
  expect(forwarded).toEqual({
    headers: { host: 'x', connection: 'close', x: '1' },
    headersDistinct: { host: ['x'], connection: ['close'], x: ['1'] },
    rawHeaders: [...host, 'X', '1'],
  });
});
