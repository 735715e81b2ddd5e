import http, { type IncomingMessage } from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import {
  allOf,
  anyOf,
  type Authenticator,
  cloudFront,
  dangerouslyTrustAnyPeer,
  nativeTls,
  originMtls,
  originServerOptions,
  type Source,
  trustedAddresses,
  TrustStore,
} from '@peercert/core';
import { createAuthority } from '@peercert/testkit';
import { inspectServer } from '../../../packages/core/src/server-checks';
import { behindEdge, edgeChannel, requestOf } from '../../support/requests';
import { closeServers, httpOptions, listen, originOptions, send } from '../../support/servers';

const root = createAuthority();
const mtls = originMtls({ trust: TrustStore.fromDer([createAuthority().der]), dnsNames: ['edge.example'] });
const source = cloudFront({ channel: edgeChannel });

let warnings: jest.SpyInstance;
beforeEach(() => {
  warnings = jest.spyOn(process, 'emitWarning').mockImplementation();
});
afterEach(async () => {
  warnings.mockRestore();
  await closeServers();
});

/** A handler that lets an authenticator judge each request. */
const judging = (...authenticators: readonly Authenticator[]) => {
  return async (request: IncomingMessage, response: http.ServerResponse): Promise<void> => {
    for (const authenticator of authenticators) await authenticator.authenticate(request);
    response.end();
  };
};
const warned = (): readonly unknown[] => warnings.mock.calls;
const codes = (): readonly unknown[] => warnings.mock.calls.map(([, { code }]: [string, { code: string }]) => code);
const warning = (code: string, message: string): unknown => [message, { type: 'PeercertWarning', code }];

const headerLimit = (limit: number): unknown =>
  warning(
    'PEERCERT_HEADER_LIMIT',
    `The server takes ${limit} bytes of headers, the proxy sends up to 32768: Node answers 431 to long certificate ` +
      'chains. Create the server with originServerOptions(), or set maxHeaderSize.',
  );
const notRequested = warning(
  'PEERCERT_CERTIFICATES_NOT_REQUESTED',
  'The server does not ask TLS clients for certificates, so none will be shown. Create it with originServerOptions(), ' +
    'or set requestCert.',
);
const insecureParser = warning(
  'PEERCERT_INSECURE_PARSER',
  'The server runs with insecureHTTPParser: requests can be smuggled past what is checked here. Turn it off.',
);
const plaintext = warning(
  'PEERCERT_PLAINTEXT',
  'The secret of the channel arrives over plaintext. It is accepted from this machine only; let the proxy connect with ' +
    'TLS.',
);

describe('with the first request to a server', () => {
  it('nothing is said of one made with originServerOptions()', async () => {
    for (const judged of [source, cloudFront({ channel: mtls }), nativeTls()]) {
      const port = await listen(https.createServer(originOptions, judging(behindEdge([root], { source: judged }))));
      await send(port, { protocol: 'https:' });
    }
    expect(warned()).toEqual([]);
  });

  it('the header limit is named that a long chain would exceed', async () => {
    const { maxHeaderSize: _, ...options } = originOptions;
    for (const maxHeaderSize of [undefined, 32_767, 32_768]) {
      const server = https.createServer(maxHeaderSize === undefined ? options : { ...options, maxHeaderSize });
      server.on('request', judging(behindEdge([root])));
      await send(await listen(server), { protocol: 'https:' });
    }
    expect(warned()).toEqual([headerLimit(16_384), headerLimit(32_767)]);
  });

  it('no header limit is named where certificates come in TLS', async () => {
    const { maxHeaderSize: _, ...options } = originOptions;
    const authenticator = behindEdge([root], { source: nativeTls() });
    await send(await listen(https.createServer(options, judging(authenticator))), { protocol: 'https:' });
    expect(warned()).toEqual([]);
  });

  it.each<[string, Source]>([
    ['native TLS', nativeTls()],
    ['origin mTLS', cloudFront({ channel: mtls })],
    ['origin mTLS and a secret', cloudFront({ channel: allOf(edgeChannel, mtls) })],
    ['origin mTLS or a secret', cloudFront({ channel: anyOf(edgeChannel, mtls) })],
  ])('NT-07: it is said that nobody is asked for a certificate, which %s needs', async (_, judged) => {
    const server = https.createServer({ ...originOptions, requestCert: false });
    server.on('request', judging(behindEdge([root], { source: judged })));
    await send(await listen(server), { protocol: 'https:' });
    expect(warned()).toEqual([notRequested]);
  });

  it('nothing is said of certificates where nobody reads them', async () => {
    const server = https.createServer({ ...originOptions, requestCert: false }, judging(behindEdge([root])));
    await send(await listen(server), { protocol: 'https:' });
    expect(warned()).toEqual([]);
  });

  it('CH-20: the lenient parser is named, whatever the source', async () => {
    for (const judged of [source, nativeTls()]) {
      const server = https.createServer({ ...originOptions, insecureHTTPParser: true });
      server.on('request', judging(behindEdge([root], { source: judged })));
      await send(await listen(server), { protocol: 'https:' });
    }
    expect(warned()).toEqual([insecureParser, insecureParser]);
  });

  it('a secret over plaintext is named, and addresses over plaintext are not', async () => {
    const byAddress = cloudFront({ channel: trustedAddresses(['127.0.0.1']) });
    for (const judged of [source, byAddress]) {
      await send(await listen(http.createServer(httpOptions, judging(behindEdge([root], { source: judged })))));
    }
    expect(warned()).toEqual([plaintext]);
  });

  it('everything is named that there is to change', async () => {
    const server = http.createServer({ insecureHTTPParser: true }, judging(behindEdge([root])));
    await send(await listen(server));
    expect(warned()).toEqual([headerLimit(16_384), insecureParser, plaintext]);
  });

  it('nothing is said of an HTTP/2 server made with originServerOptions()', async () => {
    const server = http2.createSecureServer({ ...originOptions, allowHTTP1: true });
    server.on('request', judging(behindEdge([root])) as never);
    const port = await listen(server);
    const session = http2.connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
    await new Promise((resolve) => void session.request().resume().on('end', resolve));
    session.close();
    expect(warned()).toEqual([]);
  });
});

describe('a hint', () => {
  it('is given once for each server, and for each authenticator', async () => {
    const [one, other] = [behindEdge([root]), behindEdge([root])];
    for (let servers = 0; servers < 2; servers++) {
      const port = await listen(http.createServer(httpOptions, judging(one, one)));
      for (let count = 0; count < 3; count++) await send(port);
    }
    expect(codes()).toEqual(['PEERCERT_PLAINTEXT', 'PEERCERT_PLAINTEXT']);
    await send(await listen(http.createServer(httpOptions, judging(one, other))));
    expect(codes()).toHaveLength(4);
  });

  it('changes no verdict', async () => {
    const outcomes: unknown[] = [];
    const server = http.createServer({ insecureHTTPParser: true }, (request, response) => {
      outcomes.push(behindEdge([root], { presence: 'optional' }).authenticate(request));
      response.end();
    });
    await send(await listen(server), { headers: { 'X-Edge-Secret': 'wrong' } });
    expect(outcomes).toMatchObject([{ status: 'rejected', error: { code: 'ERR_CHANNEL_UNTRUSTED' } }]);
  });

  it('is not given for a server that cannot be seen', () => {
    const odd: readonly unknown[] = [{}, { server: undefined }, { remoteAddress: '::1' }];
    for (const socket of odd) {
      expect(inspectServer(requestOf([], socket as object), source)).toEqual([]);
      void behindEdge([root]).authenticate(requestOf([], socket as object));
    }
    void behindEdge([root]).authenticate({ rawHeaders: [], socket: undefined as never });
    expect(warned()).toEqual([]);
  });

  it('takes a server that says nothing for one with the defaults of Node', () => {
    const hints = inspectServer(requestOf([], { encrypted: true, server: {} }), cloudFront({ channel: mtls }));
    expect(hints.map(({ code }) => code)).toEqual(['PEERCERT_HEADER_LIMIT']);
    const any = cloudFront({ channel: dangerouslyTrustAnyPeer() });
    expect(inspectServer(requestOf([], { server: { ...originServerOptions() } as never }), any)).toEqual([]);
  });
});
