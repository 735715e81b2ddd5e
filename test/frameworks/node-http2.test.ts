import { once } from 'node:events';
import http2, { type Http2ServerRequest, type Http2ServerResponse, type OutgoingHttpHeaders } from 'node:http2';
import { text } from 'node:stream/consumers';
import {
  admitRequest,
  type Authenticator,
  type AuthenticatorOptions,
  clientIdentityOf,
  cloudFront,
  createAuthenticator,
  encodeClientCert,
  encodeClientCertChain,
  nativeTls,
  originMtls,
  type TrustProvider,
  TrustStore,
} from '@peercert/core';
import { cloudFrontHeaders, createAuthority, type TestCertificate, TEST_TIME } from '@peercert/testkit';
import { connectHttp2, sendOver } from '../support/http2';
import { closeServers, listen, originOptions, problem, send } from '../support/servers';
import { presenting } from '../support/tls-origin';

const root = createAuthority();
const intermediate = root.issueIntermediate();
const [first, second] = [root.issue({ uris: ['urn:device:1'] }), root.issue({ uris: ['urn:device:2'] })];
const edgeAuthority = createAuthority();
const edge = edgeAuthority.issue({ dnsNames: ['edge.example.com'] });

const judge = (options: Partial<AuthenticatorOptions> = {}): Authenticator =>
  createAuthenticator({
    trust: TrustStore.fromDer([root.der]),
    source: nativeTls(),
    clock: () => TEST_TIME.getTime(),
    ...options,
  });
const throughMtls = cloudFront({
  channel: originMtls({ trust: TrustStore.fromDer([edgeAuthority.der]), dnsNames: ['edge.example.com'] }),
});
const headersOf = (certificate: TestCertificate): OutgoingHttpHeaders => {
  return Object.fromEntries(cloudFrontHeaders(certificate).map(([name, value]) => [name.toLowerCase(), value]));
};
const required = { status: 403, body: problem(403, 'certificate_required') };

type Listener = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

/** Answers with who is calling, over what, and with the names of the headers and trailers a handler sees. */
function answering(authenticator: Authenticator): Listener {
  const answer = async (request: Http2ServerRequest, response: Http2ServerResponse): Promise<void> => {
    const { admitted, identity, refusal } = await admitRequest(authenticator, request);
    if (!admitted) return void response.writeHead(refusal.status, refusal.headers).end(refusal.body);
    await text(request);
    response.writeHead(200, { 'content-type': 'application/json' });
    const body = {
      version: request.httpVersion,
      uris: identity?.uris ?? null,
      headers: Object.keys(request.headers),
      rawHeaders: request.rawHeaders.filter((_, index) => index % 2 === 0),
      trailers: Object.keys(request.trailers),
    };
    return void response.end(JSON.stringify(body));
  };
  return (request, response) => void answer(request, response);
}

async function start(listener: Listener, options: http2.SecureServerOptions = {}): Promise<number> {
  return listen(http2.createSecureServer({ ...originOptions, ...options }, listener));
}

afterEach(closeServers);

describe('native TLS over HTTP/2', () => {
  it.each([true, false])(
    'judges every stream of a session by its certificate, with allowHTTP1 %s',
    async (allowHTTP1) => {
      const port = await start(answering(judge()), { allowHTTP1 });
      const session = await connectHttp2(port, presenting(first));
      const answers = await Promise.all([sendOver(session), sendOver(session), sendOver(session)]);
      for (const answer of answers) {
        expect(answer).toMatchObject({ status: 200, body: { version: '2.0', uris: ['urn:device:1'] } });
      }
      expect(await sendOver(await connectHttp2(port, presenting(second)))).toMatchObject({
        body: { uris: ['urn:device:2'] },
      });
      expect(await sendOver(await connectHttp2(port))).toMatchObject(required);
    },
  );

  it('judges HTTP/1.1 on the same port with allowHTTP1', async () => {
    const port = await start(answering(judge()), { allowHTTP1: true });
    expect(await send(port, { protocol: 'https:', ...presenting(first) })).toMatchObject({
      status: 200,
      body: { version: '1.1', uris: ['urn:device:1'] },
    });
    expect(await send(port, { protocol: 'https:' })).toMatchObject(required);
  });

  it('takes the certificates as presented, intermediate and all', async () => {
    const port = await start(answering(judge()));
    const client = intermediate.issue({ uris: ['urn:device:3'] });
    const session = await connectHttp2(port, presenting(client, [intermediate]));
    expect(await sendOver(session)).toMatchObject({ status: 200, body: { uris: ['urn:device:3'] } });
  });

  it('NT-09: does not take a certificate from a header', async () => {
    const port = await start(answering(judge({ presence: 'optional' })));
    const session = await connectHttp2(port);
    expect(await sendOver(session, headersOf(first))).toMatchObject({ status: 200, body: { uris: null } });
  });

  it('NT-02: refuses a stream of a session whose certificate has expired since', async () => {
    let time = TEST_TIME.getTime();
    const port = await start(answering(judge({ clock: () => time })));
    const session = await connectHttp2(port, presenting(first));
    expect((await sendOver(session)).status).toBe(200);
    time += 366 * 86_400_000;
    expect(await sendOver(session)).toMatchObject({ status: 403, body: problem(403, 'certificate_rejected') });
  });

  it('judges a stream of an open session by the trust store of now', async () => {
    let current = TrustStore.fromDer([root.der]);
    const trust: TrustProvider = {
      get current() {
        return current;
      },
      async close() {},
    };
    const port = await start(answering(judge({ trust })));
    const session = await connectHttp2(port, presenting(first));
    expect((await sendOver(session)).status).toBe(200);
    current = TrustStore.fromDer([edgeAuthority.der]);
    expect(await sendOver(session)).toMatchObject({ status: 403, body: problem(403, 'certificate_rejected') });
  });

  it('NT-06: refuses a request whose session is gone before its certificate was read', async () => {
    const admission = new Promise((resolve) => {
      void start((request) => {
        request.stream.session?.destroy();
        resolve(admitRequest(judge({ presence: 'optional' }), request));
      }).then(async (port) => {
        const session = await connectHttp2(port, presenting(first));
        session.request({ ':path': '/' }).on('error', () => {});
      });
    });
    expect(await admission).toMatchObject({
      admitted: false,
      error: { code: 'ERR_CHANNEL_UNTRUSTED', details: { proof: 'native-tls', reason: 'peer-gone' } },
    });
  });

  it('NT-07: answers 500 when the server does not ask TLS clients for certificates', async () => {
    const warned = jest.spyOn(process, 'emitWarning').mockImplementation();
    const port = await start(answering(judge({ presence: 'optional' })), { requestCert: false });
    const session = await connectHttp2(port, presenting(first));
    expect(await sendOver(session)).toMatchObject({ status: 500, body: problem(500, 'unavailable') });
    expect(warned.mock.calls.map(([, options]) => options)).toEqual([
      { type: 'PeercertWarning', code: 'PEERCERT_CERTIFICATES_NOT_REQUESTED' },
    ]);
    warned.mockRestore();
  });
});

describe('CloudFront and origin mTLS over HTTP/2', () => {
  it.each([true, false])(
    'CH-19: gives each stream of one session its own caller, with allowHTTP1 %s',
    async (allowHTTP1) => {
      const authenticator = judge({ source: throughMtls, presence: 'optional' });
      const port = await start(answering(authenticator), { allowHTTP1 });
      const session = await connectHttp2(port, presenting(edge));
      const callers = [headersOf(first), headersOf(second), {}, headersOf(first)];
      const answers = await Promise.all(callers.map(async (headers) => sendOver(session, headers)));
      expect(answers.map(({ body }) => (body as { uris: unknown }).uris)).toEqual([
        ['urn:device:1'],
        ['urn:device:2'],
        null,
        ['urn:device:1'],
      ]);
    },
  );

  it('CH-19: remembers the identity of one stream for that stream only', async () => {
    const authenticator = judge({ source: throughMtls, presence: 'optional' });
    const requests: Http2ServerRequest[] = [];
    const port = await start((request, response) => {
      requests.push(request);
      void admitRequest(authenticator, request).then(() => response.end());
    });
    const session = await connectHttp2(port, presenting(edge));
    for (const headers of [headersOf(first), headersOf(second), {}]) await sendOver(session, headers);
    const [one, two, nobody] = requests as [Http2ServerRequest, Http2ServerRequest, Http2ServerRequest];
    expect([clientIdentityOf(one).uris, clientIdentityOf(two).uris]).toEqual([['urn:device:1'], ['urn:device:2']]);
    expect(() => clientIdentityOf(nobody)).toThrow(expect.objectContaining({ code: 'ERR_CERTIFICATE_REQUIRED' }));
    expect(() => clientIdentityOf(one.stream)).toThrow(TypeError);
  });

  it('CH-01: refuses the header of a session that is not of the edge', async () => {
    const port = await start(answering(judge({ source: throughMtls, presence: 'optional' })));
    expect(await sendOver(await connectHttp2(port), headersOf(first))).toMatchObject(required);
    expect(await sendOver(await connectHttp2(port, presenting(first)), headersOf(first))).toMatchObject(required);
  });

  const chain = encodeClientCertChain([intermediate.der]);
  const client = intermediate.issue({ uris: ['urn:device:3'] });
  const clientCert = encodeClientCert(client.der);
  const otherCert = encodeClientCert(second.der);
  it.each<[string, OutgoingHttpHeaders, number, object]>([
    ['two equal lines', { 'client-cert': [clientCert, clientCert] }, 400, problem(400, 'malformed')],
    ['two different lines', { 'client-cert': [clientCert, otherCert] }, 400, problem(400, 'malformed')],
    ['two values joined in one line', { 'client-cert': `${clientCert}, ${otherCert}` }, 400, problem(400, 'malformed')],
    [
      'two values joined as cookies are',
      { 'client-cert': `${clientCert}; ${otherCert}` },
      400,
      problem(400, 'malformed'),
    ],
    [
      'a look-alike beside it',
      { 'client-cert': clientCert, 'client-cert-chain': chain, client_cert: otherCert },
      400,
      problem(400, 'malformed'),
    ],
    ['a certificate in a cookie', { cookie: [`client-cert=${clientCert}`, 'a=1'] }, 403, required.body],
    [
      'the chain in one line',
      { 'client-cert': clientCert, 'client-cert-chain': chain },
      200,
      { uris: ['urn:device:3'] },
    ],
    [
      'the chain in two lines, one empty',
      { 'client-cert': clientCert, 'client-cert-chain': [chain, ''] },
      400,
      problem(400, 'malformed'),
    ],
    [
      'the chain in two lines, certificates in both',
      { 'client-cert': clientCert, 'client-cert-chain': [encodeClientCertChain([root.der]), chain] },
      200,
      { uris: ['urn:device:3'] },
    ],
  ])('CH-17: judges as over HTTP/1.1: %s', async (_, headers, status, body) => {
    const authenticator = judge({ source: throughMtls });
    const port = await start(answering(authenticator), { allowHTTP1: true });
    const session = await connectHttp2(port, presenting(edge));
    expect(await sendOver(session, headers)).toMatchObject({ status, body });
    const overHttp1 = await send(port, { protocol: 'https:', headers, ...presenting(edge) });
    expect(overHttp1).toMatchObject({ status, body });
  });

  it('CH-10: hides the certificate from headers and rawHeaders, and leaves the rest and the pseudo-headers', async () => {
    const port = await start(answering(judge({ source: throughMtls })));
    const session = await connectHttp2(port, presenting(edge));
    const lookAlikes = { 'x-forwarded-client-cert': 'Hash=00', 'ssl-client-cert': 'x', 'cf-client-cert-sha256': '00' };
    const headers = { ...headersOf(first), ...lookAlikes, 'x-other': '1' };
    const names = [':path', ':method', ':authority', ':scheme', 'x-other'];
    const { body } = await sendOver(session, headers);
    const seen = body as { readonly headers: string[]; readonly rawHeaders: string[] };
    expect(seen.rawHeaders.toSorted()).toEqual(names.toSorted());
    // Node adds `host` for the compatibility API on some versions.
    expect(seen.headers.filter((name) => name !== 'host').toSorted()).toEqual(names.toSorted());
  });

  it('CH-16: ignores a certificate in trailers', async () => {
    const port = await start(answering(judge({ source: throughMtls, presence: 'optional' })));
    const session = await connectHttp2(port, presenting(edge));
    const stream = session.request({ ':path': '/', ':method': 'POST' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(headersOf(first)));
    stream.end('body');
    const body = JSON.parse(await text(stream)) as { readonly uris: unknown; readonly trailers: unknown };
    expect([body.uris, body.trailers]).toEqual([null, ['client-cert']]);
  });

  it('CH-15: refuses a stream with more header lines than Node takes, before any handler', async () => {
    const listener = jest.fn();
    const port = await start(listener);
    const session = await connectHttp2(port, presenting(edge));
    const padding = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`x-${index}`, '1']));
    const stream = session.request({ ':path': '/', ...padding, ...headersOf(first) });
    const [error] = (await once(stream, 'error')) as [Error & { code: string }];
    expect(error.code).toBe('ERR_HTTP2_STREAM_ERROR');
    expect(listener).not.toHaveBeenCalled();
  });

  it('says nothing against a server made with originServerOptions()', async () => {
    const warned = jest.spyOn(process, 'emitWarning').mockImplementation();
    for (const allowHTTP1 of [true, false]) {
      const port = await start(answering(judge({ source: throughMtls })), { allowHTTP1 });
      expect((await sendOver(await connectHttp2(port, presenting(edge)), headersOf(first))).status).toBe(200);
    }
    expect(warned.mock.calls).toEqual([]);
    warned.mockRestore();
  });

  it('takes header fields of 32,000 octets over HTTP/2, and over HTTP/1.1 with maxHeaderSize of the server', async () => {
    const server = http2.createSecureServer(
      { ...originOptions, allowHTTP1: true },
      answering(judge({ source: throughMtls })),
    );
    // Node 20 and 22 do not take it from the options.
    Object.assign(server, { maxHeaderSize: originOptions.maxHeaderSize });
    const port = await listen(server);
    const headers = { ...headersOf(first), 'x-padding': 'x'.repeat(31_000) };
    expect((await sendOver(await connectHttp2(port, presenting(edge)), headers)).status).toBe(200);
    expect((await send(port, { protocol: 'https:', headers, ...presenting(edge) })).status).toBe(200);
  });
});
