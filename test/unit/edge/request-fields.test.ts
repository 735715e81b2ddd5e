import { createEdge } from '@peercert/edge';
import { createAuthority } from '@peercert/testkit';
import {
  closeAll,
  issueServer,
  lines,
  onlyRequest,
  presenting,
  send,
  serverAuthority,
  startEdge,
  startOrigin,
} from './laptop';

afterEach(closeAll);

describe('header fields towards the origin', () => {
  it('keep the letter case, order and repetition in which the viewer sent them', async () => {
    const origin = await startOrigin();
    const headers = ['X-b', '1', 'x-A', '2', 'X-B', '3', 'Cookie', 'a=1', 'Cookie', 'b=2', 'X-a', '4'];
    await send(await startEdge(origin.url), { headers });
    const { rawHeaders } = onlyRequest(origin);
    const start = rawHeaders.indexOf('X-b');
    expect(rawHeaders.slice(start, start + headers.length)).toEqual(headers);
  });

  it('lose what is about the viewer connection only', async () => {
    const origin = await startOrigin();
    const named = ['Connection', 'X-Session, x-other', 'X-Session', '1', 'X-OTHER', '2', 'X-Kept', '3'];
    const known = ['Keep-Alive', '4', 'Proxy-Authorization', '5', 'Proxy-Connection', '6', 'TE', 'trailers'];
    const more = ['Trailer', 'X-T', 'Upgrade', 'h2c', 'Transfer-Encoding', 'chunked'];
    await send(await startEdge(origin.url), { method: 'POST', headers: [...named, ...known, ...more] });
    const names = ['x-session', 'x-other', 'keep-alive', 'proxy-authorization', 'proxy-connection', 'te', 'trailer'];
    for (const name of [...names, 'upgrade']) expect(lines(onlyRequest(origin), name)).toEqual([]);
    expect(lines(onlyRequest(origin), 'x-kept')).toEqual(['3']);
    expect(lines(onlyRequest(origin), 'connection')).toEqual(['Keep-Alive']);
  });

  it('lose X-Forwarded-Proto, X-Real-IP, X-Edge-* and Expect', async () => {
    const origin = await startOrigin();
    const headers = ['X-Forwarded-Proto', 'http', 'x-real-ip', '1', 'X-Edge-Location', 'FRA', 'Expect', '100-continue'];
    await send(await startEdge(origin.url), {
      method: 'POST',
      headers: [...headers, 'Content-Length', '2'],
      body: 'hi',
    });
    for (const name of ['x-forwarded-proto', 'x-real-ip', 'x-edge-location', 'expect']) {
      expect(lines(onlyRequest(origin), name)).toEqual([]);
    }
  });

  it('all reach the origin when they are more than a thousand, and so does Client-Cert behind them', async () => {
    const origin = await startOrigin();
    const headers = Array.from({ length: 2000 }, () => ['X-N', '1']).flat();
    await send(await startEdge(origin.url), { ...presenting(createAuthority().issue(), []), headers });
    expect(lines(onlyRequest(origin), 'x-n')).toHaveLength(2000);
    expect(lines(onlyRequest(origin), 'client-cert')).toHaveLength(1);
  });

  it('have the host of the origin in Host', async () => {
    const origin = await startOrigin();
    await send(await startEdge(origin.url));
    expect(lines(onlyRequest(origin), 'host')).toEqual([`localhost:${origin.port}`]);
  });

  it('have the host of the viewer in Host with host "viewer"', async () => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url, { host: 'viewer' });
    await send(edge);
    expect(lines(onlyRequest(origin), 'host')).toEqual([`localhost:${edge.port}`]);
  });

  it('have the User-Agent of the viewer', async () => {
    const origin = await startOrigin();
    await send(await startEdge(origin.url), { headers: ['User-Agent', 'viewer/1'] });
    expect(lines(onlyRequest(origin), 'user-agent')).toEqual(['viewer/1']);
  });

  it.each([[['User-Agent', 'viewer/1']], [[]]])(
    'have User-Agent "Amazon CloudFront" with userAgent "replace", from a viewer that sends %j',
    async (headers) => {
      const origin = await startOrigin();
      await send(await startEdge(origin.url, { userAgent: 'replace' }), { headers });
      expect(lines(onlyRequest(origin), 'user-agent')).toEqual(['Amazon CloudFront']);
    },
  );

  it('have the address of the viewer in X-Forwarded-For', async () => {
    const origin = await startOrigin();
    await send(await startEdge(origin.url));
    expect(lines(onlyRequest(origin), 'x-forwarded-for')).toEqual(['127.0.0.1']);
  });

  it('have an IPv4 address in X-Forwarded-For from an edge that listens on IPv6 and IPv4', async () => {
    const origin = await startOrigin();
    const edge = createEdge({
      origin: origin.url,
      tls: presenting(issueServer()),
      originTls: { ca: serverAuthority.pem },
    });
    const { port, url } = await edge.listen(0, '::');
    await send({ port, url, host: '127.0.0.1' });
    await edge.close();
    expect(lines(onlyRequest(origin), 'x-forwarded-for')).toEqual(['127.0.0.1']);
  });

  it('have the address of the viewer behind all that the viewer wrote into X-Forwarded-For', async () => {
    const origin = await startOrigin();
    const headers = ['X-Forwarded-For', '192.0.2.4,192.0.2.3', 'x-forwarded-for', '192.0.2.2'];
    await send(await startEdge(origin.url), { headers });
    expect(lines(onlyRequest(origin), 'x-forwarded-for')).toEqual(['192.0.2.4,192.0.2.3,192.0.2.2,127.0.0.1']);
  });

  it('have one fresh X-Amz-Cf-Id for each request, whatever the viewer sent', async () => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url);
    const answers = Array.from({ length: 5 }, () => send(edge, { headers: ['X-Amz-Cf-Id', 'forged'] }));
    await Promise.all(answers);
    const ids = origin.requests.flatMap((request) => lines(request, 'x-amz-cf-id'));
    expect(ids).toHaveLength(5);
    expect(new Set(ids).size).toBe(5);
    for (const id of ids) expect(id).toMatch(/^[\w-]{54}==$/);
  });

  it('have Via of the edge behind that of the viewer', async () => {
    const origin = await startOrigin();
    await send(await startEdge(origin.url), { headers: ['Via', '1.1 before'] });
    expect(lines(onlyRequest(origin), 'via')).toEqual([
      '1.1 before',
      expect.stringMatching(/^1\.1 [0-9a-f]{32}\.cloudfront\.net \(CloudFront\)$/),
    ]);
  });

  it.each(['bad host', 'a b:1', ''])('are not sent for the Host %j with host "viewer": 400', async (host) => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url, { host: 'viewer' });
    const answer = await send(edge, { hostLine: host });
    expect(answer.status).toBe(400);
    expect(origin.requests).toEqual([]);
  });
});

describe('origin custom headers', () => {
  const originHeaders = { 'X-Origin-Secret': 'secret', 'X-Forwarded-For': 'hidden' };

  it('are added', async () => {
    const origin = await startOrigin();
    await send(await startEdge(origin.url, { originHeaders }));
    expect(lines(onlyRequest(origin), 'x-origin-secret')).toEqual(['secret']);
  });

  it('overwrite every line of the viewer with the same name in any letter case', async () => {
    const origin = await startOrigin();
    const headers = ['x-origin-secret', 'guess', 'X-ORIGIN-SECRET', 'guess'];
    await send(await startEdge(origin.url, { originHeaders }), { headers });
    expect(lines(onlyRequest(origin), 'x-origin-secret')).toEqual(['secret']);
  });

  it('overwrite what the edge would add itself', async () => {
    const origin = await startOrigin();
    await send(await startEdge(origin.url, { originHeaders }));
    expect(lines(onlyRequest(origin), 'x-forwarded-for')).toEqual(['hidden']);
  });

  it('cannot be taken away by naming them in Connection, nor can what the edge adds', async () => {
    const origin = await startOrigin();
    const connection = 'x-origin-secret, X-Amz-Cf-Id, Via, Host, Client-Cert, content-length, transfer-encoding, close';
    await send(await startEdge(origin.url, { originHeaders }), {
      ...presenting(createAuthority().issue(), []),
      method: 'POST',
      headers: ['Connection', connection, 'Content-Length', '4'],
      body: 'body',
    });
    for (const name of ['x-origin-secret', 'x-amz-cf-id', 'via', 'host', 'client-cert', 'content-length']) {
      expect(lines(onlyRequest(origin), name)).toHaveLength(1);
    }
  });
});
