import { once } from 'node:events';
import http from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import {
  admitRequest,
  type Authenticator,
  authenticatorOf,
  ClientCertificateError,
  type ClientIdentity,
  clientIdentityOf,
  createGuard,
  encodeClientCert,
} from '@peercert/core';
import { cloudFrontHeaders, createAuthority, fakeAuthenticator } from '@peercert/testkit';
import { behindEdge, edgeSecret, fromEdge, requestOf } from '../../support/requests';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../support/refusals';

const root = createAuthority();
const client = root.issue({ uris: ['urn:client'] });
const other = root.issue({ uris: ['urn:other'] });
const alice = fakeAuthenticator({ uris: ['urn:alice'] });

/** An authenticator somebody else wrote. */
const authenticatorThat = (authenticate: () => unknown): Authenticator => ({ authenticate }) as Authenticator;
const notAuthenticated = new TypeError(
  'clientIdentityOf: this request was not authenticated. Mount clientCertificate before the handler.',
);

describe('admitting a request', () => {
  it('admits an authenticated one with its identity', async () => {
    const request = fromEdge(...cloudFrontHeaders(client).flat());
    const admission = await admitRequest(behindEdge([root]), request);
    expect(admission).toMatchObject({ admitted: true, identity: { uris: ['urn:client'] } });
    expect(clientIdentityOf(request)).toBe(admission.identity);
  });

  it('admits an anonymous one without an identity', async () => {
    const request = fromEdge();
    const admission = await admitRequest(behindEdge([root], { presence: 'optional' }), request);
    expect(admission).toEqual({ admitted: true, identity: undefined });
    expect(() => clientIdentityOf(request)).toThrowWithCode('ERR_CERTIFICATE_REQUIRED', {});
  });

  it('refuses a rejected one, with the response to it and the error behind it', async () => {
    const request = fromEdge();
    const admission = await admitRequest(behindEdge([root]), request);
    expect(admission).toEqual({
      admitted: false,
      refusal: {
        status: 403,
        code: 'certificate_required',
        headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
        body: '{"status":403,"title":"A client certificate is required.","code":"certificate_required"}',
      },
      error: new ClientCertificateError('ERR_CERTIFICATE_REQUIRED', {}),
    });
    expect(() => clientIdentityOf(request)).toThrow(notAuthenticated);
  });

  it('CH-01: answers an untrusted channel as it answers a missing certificate, to the byte', async () => {
    const authenticator = behindEdge([root]);
    const forged = requestOf(cloudFrontHeaders(client).flat());
    const [untrusted, missing] = [
      await admitRequest(authenticator, forged),
      await admitRequest(authenticator, fromEdge()),
    ];
    expect(untrusted.error?.code).toBe('ERR_CHANNEL_UNTRUSTED');
    expect(JSON.stringify(untrusted.refusal)).toBe(JSON.stringify(missing.refusal));
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    [
      'throws nothing',
      () => {
        throw undefined as unknown as Error;
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('broken');
      },
    ],
    ['answers undefined', () => undefined],
    ['answers a promise of undefined', async () => undefined],
    ['answers null', () => null],
    ['answers true', () => true],
    ['answers a string', () => 'authenticated'],
    ['answers an object without a status', () => ({})],
    ['answers an unknown status', () => ({ status: 'perhaps' })],
    ['answers a status that is an inherited name', () => ({ status: 'constructor' })],
    ['answers a status that only looks right', () => ({ status: ['anonymous'] })],
    ['answers authenticated without an identity', () => ({ status: 'authenticated' })],
    ['answers authenticated with null', () => ({ status: 'authenticated', identity: null })],
    ['answers authenticated with a name', () => ({ status: 'authenticated', identity: 'admin' })],
    ['answers rejected without an error', () => ({ status: 'rejected' })],
    ['answers rejected with another error', () => ({ status: 'rejected', error: new Error('no') })],
    [
      'answers rejected with something like an error',
      () => ({ status: 'rejected', error: { status: 200, code: 'OK' } }),
    ],
  ])('F23: refuses with 500 when the authenticator %s', async (_, authenticate) => {
    const request = fromEdge('Client-Cert', 'x');
    const admission = await admitRequest(authenticatorThat(authenticate), request);
    expect(admission).toMatchObject({
      admitted: false,
      refusal: { status: 500, code: 'unavailable' },
      error: { code: 'ERR_INTERNAL' },
    });
    expect(() => clientIdentityOf(request)).toThrow(notAuthenticated);
    expect(request.rawHeaders).not.toContain('Client-Cert');
  });

  it('F23: keeps what was thrown as the cause, and tells the client nothing of it', async () => {
    const cause = new Error('secret detail');
    const admission = await admitRequest(
      authenticatorThat(() => Promise.reject(cause)),
      fromEdge(),
    );
    expect(admission.error?.cause).toBe(cause);
    expect(JSON.stringify(admission.refusal)).not.toContain('secret detail');
  });

  it('keeps a refusal that was thrown for what it is', async () => {
    const error = new ClientCertificateError('ERR_CERTIFICATE_REQUIRED', {});
    const admission = await admitRequest(
      authenticatorThat(() => {
        throw error;
      }),
      fromEdge(),
    );
    expect(admission).toMatchObject({ admitted: false, refusal: { status: 403 } });
    expect(admission.error).toBe(error);
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a string', 'GET /'],
    ['an object without headers', {}],
    [
      'a proxy that throws',
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('no');
          },
        },
      ),
    ],
  ])('never admits %s', async (_, odd) => {
    const admission = admitRequest(behindEdge([root], { presence: 'optional' }), odd as never).catch(() => ({
      admitted: false,
    }));
    await expect(admission).resolves.toMatchObject({ admitted: false });
  });
});

describe('hiding headers from handlers', () => {
  const hidden = [
    'Client-Cert',
    'client-cert-chain',
    'Client_Cert',
    'X-Forwarded-Client-Cert',
    'X-Amzn-Mtls-Clientcert-Leaf',
    'CloudFront-Viewer-Cert-Serial-Number',
    'X-SSL-Client-Verify',
    'x_ssl_client_cert',
  ];

  it.each<[string, Authenticator]>([
    ['admits somebody', alice],
    ['admits nobody in particular', fakeAuthenticator()],
    ['refuses', fakeAuthenticator(new ClientCertificateError('ERR_CERTIFICATE_REQUIRED', {}))],
    [
      'throws',
      authenticatorThat(() => {
        throw new Error('broken');
      }),
    ],
  ])('CH-08, CH-10, ID-07: happens when the authenticator %s', async (_, authenticator) => {
    const request = requestOf(['Accept', '*/*', ...hidden.flatMap((name) => [name, 'x']), 'X-Edge-Secret', 'x']);
    await admitRequest({ ...authenticator, consumedHeaders: ['x-edge-secret'] }, request);
    expect(request.rawHeaders).toEqual(['Accept', '*/*']);
  });

  it('lets a second authenticator judge what arrived', async () => {
    const request = fromEdge(...cloudFrontHeaders(client).flat());
    for (const authenticator of [behindEdge([root]), alice, behindEdge([root])]) {
      await admitRequest(authenticator, request);
      expect(request.rawHeaders).toEqual([]);
    }
    expect(clientIdentityOf(request).uris).toEqual(['urn:client']);
  });
});

describe('the identity of a request', () => {
  it('is not there before it was authenticated', () => {
    expect(() => clientIdentityOf(fromEdge())).toThrow(notAuthenticated);
  });

  it.each([undefined, null, 'request', 1, Symbol('request')])('is not there for %p', (odd) => {
    expect(() => clientIdentityOf(odd as never)).toThrow(TypeError);
  });

  it('is not there while it is being authenticated, again', async () => {
    const request = fromEdge();
    await admitRequest(alice, request);
    let answer: (outcome: unknown) => void = () => {};
    const pending = admitRequest(
      authenticatorThat(() => new Promise((resolve) => (answer = resolve))),
      request,
    );
    expect(() => clientIdentityOf(request)).toThrow(notAuthenticated);
    answer({ status: 'anonymous', channel: { proof: 'native-tls' } });
    await pending;
    expect(() => clientIdentityOf(request)).toThrowWithCode('ERR_CERTIFICATE_REQUIRED', {});
  });

  it.each<[string, Authenticator]>([
    ['refuses it', fakeAuthenticator(new ClientCertificateError('ERR_CERTIFICATE_REQUIRED', {}))],
    [
      'throws',
      authenticatorThat(() => {
        throw new Error('broken');
      }),
    ],
    ['answers rubbish', authenticatorThat(() => undefined)],
  ])('is gone when a second authenticator %s', async (_, second) => {
    const request = fromEdge();
    await admitRequest(alice, request);
    expect(clientIdentityOf(request).uris).toEqual(['urn:alice']);
    await admitRequest(second, request);
    expect(() => clientIdentityOf(request)).toThrow(notAuthenticated);
  });

  it('is not taken from anything written on the request', async () => {
    const identity = { uris: ['urn:admin'] } as unknown as ClientIdentity;
    const request = Object.assign(fromEdge(), { clientIdentity: identity, identity, admitted: true });
    expect(() => clientIdentityOf(request)).toThrow(notAuthenticated);
    await admitRequest(fakeAuthenticator(), request);
    expect(() => clientIdentityOf(request)).toThrowWithCode('ERR_CERTIFICATE_REQUIRED', {});
    await admitRequest(alice, request);
    Object.assign(request, { clientIdentity: identity });
    expect(clientIdentityOf(request).uris).toEqual(['urn:alice']);
  });

  it('is not that of a copy of the request, of an object made from it, or of a proxy over it', async () => {
    const request = fromEdge();
    await admitRequest(alice, request);
    for (const twin of [{ ...request }, Object.create(request) as object, new Proxy(request, {})]) {
      expect(() => clientIdentityOf(twin)).toThrow(notAuthenticated);
      await expect(createGuard()(twin as never, twin as never)).resolves.toMatchObject({ admitted: false });
    }
  });
});

describe('what an adapter takes', () => {
  it('is an authenticator, which stays the same', () => {
    expect(authenticatorOf(alice)).toBe(alice);
    const real = behindEdge([root]);
    expect(authenticatorOf(real)).toBe(real);
  });

  it.each<[string, unknown, string]>([
    ['undefined', undefined, 'createAuthenticator takes an options object; it received undefined.'],
    ['null', null, 'createAuthenticator takes an options object; it received null.'],
    ['a string', 'required', 'createAuthenticator takes an options object; it received a string.'],
    ['options without trust', {}, 'createAuthenticator needs trust, a TrustStore; it received undefined.'],
  ])('is not %s', (_, given, message) => {
    expect(() => authenticatorOf(given as never)).toThrow(new TypeError(message));
  });
});

describe('requests as they come over the wire', () => {
  // About the server of these tests, which is as bad as it has to be.
  let warnings: jest.SpyInstance;
  beforeEach(() => {
    warnings = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
  });
  afterEach(() => warnings.mockRestore());

  const authenticator = behindEdge([root]);
  const lenient = behindEdge([root], { presence: 'optional' });
  const cert = encodeClientCert(client.der);
  const secret = `X-Edge-Secret: ${edgeSecret}`;

  /** Sends requests to a real server on one connection and reads the status and body of each answer. */
  async function send(
    judge: Authenticator,
    requests: readonly string[],
    options: http.ServerOptions = {},
  ): Promise<string[]> {
    const server = http.createServer(options, (request, response) => {
      // Trailers arrive with the body.
      request.resume().on('end', () => {
        void admitRequest(judge, request).then((admission) => {
          const { status = 200, code } = admission.refusal ?? {};
          const body = admission.admitted ? (admission.identity?.uris.join() ?? 'anonymous') : code;
          return response.writeHead(status, { 'content-length': Buffer.byteLength(body ?? '') }).end(body);
        });
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.end(requests.join(''), 'latin1');
    const received = await text(socket);
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
    const answers = received.split(/(?=HTTP\/1\.1 )/).map((answer) => {
      const [head = '', body = ''] = answer.split('\r\n\r\n');
      return `${head.slice(9, 12)} ${body}`.trim();
    });
    return answers;
  }

  const get = (...lines: readonly string[]): string =>
    `GET / HTTP/1.1\r\nHost: x\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;

  it.each<[string, readonly string[], string]>([
    ['an honest request', [secret, `Client-Cert: ${cert}`], '200 urn:client'],
    ['CH-01: a certificate without the secret', [`Client-Cert: ${cert}`], '403 certificate_required'],
    ['CH-06: two lines', [secret, `Client-Cert: ${cert}`, `client-cert: ${cert}`], '400 malformed'],
    [
      'CH-06: two lines that differ',
      [secret, `Client-Cert: ${cert}`, `Client-Cert: ${encodeClientCert(other.der)}`],
      '400 malformed',
    ],
    ['CH-07: a list in one line', [secret, `Client-Cert: ${cert}, ${cert}`], '400 malformed'],
    ['CH-08: an alias', [secret, `Client_Cert: ${cert}`], '403 certificate_required'],
    ['CH-09: an alias beside it', [secret, `Client-Cert: ${cert}`, `Client_Cert: ${cert}`], '400 malformed'],
    [
      'CH-11: Connection naming it',
      [secret, `Client-Cert: ${cert}`, 'Connection: keep-alive, Client-Cert'],
      '400 malformed',
    ],
    [
      'CH-11: Connection naming the secret',
      [secret, `Client-Cert: ${cert}`, 'connection: x-edge-secret'],
      '400 malformed',
    ],
    ['CH-12: neither certificate nor alias', [secret], '403 certificate_required'],
    ['CH-13: a chain alone', [secret, `Client-Cert-Chain: ${cert}`], '400 malformed'],
    [
      'CH-18: names that are members of objects',
      [secret, '__proto__: x', 'constructor: x', `Client-Cert: ${cert}`],
      '200 urn:client',
    ],
    ['CH-23: only a status', [secret, 'X-SSL-Client-Verify: SUCCESS'], '403 certificate_required'],
    ['CH-27: the secret twice', [secret, secret, `Client-Cert: ${cert}`], '403 certificate_required'],
    ['EN-07: an empty value', [secret, 'Client-Cert:'], '400 malformed'],
    ['EN-07: only spaces', [secret, 'Client-Cert:     '], '400 malformed'],
    ['EN-08: octets above ASCII', [secret, 'Client-Cert: :AA\u00E9\u0080\u00FFC:'], '400 malformed'],
    ['EN-08: octets above ASCII around it', [secret, `Client-Cert: \u00A0${cert}\u00A0`], '400 malformed'],
    ['EN-02: a parameter', [secret, `Client-Cert: ${cert};p=1`], '200 urn:client'],
    ['tabs and spaces around it', [secret, `Client-Cert: \t ${cert} \t`], '200 urn:client'],
    [
      'a stranger',
      [secret, `Client-Cert: ${encodeClientCert(createAuthority().issue().der)}`],
      '403 certificate_rejected',
    ],
  ])('are judged as they are: %s', async (_, lines, expected) => {
    await expect(send(authenticator, [get(...lines)])).resolves.toEqual([expected]);
  });

  it.each<[string, string]>([
    ['a space before the colon', `Client-Cert : ${cert}`],
    ['a folded line', `Client-Cert:\r\n ${cert}`],
    ['NUL in the value', `Client-Cert: ${cert}\0`],
    ['a bare carriage return', `X: 1\rClient-Cert: ${cert}`],
    ['an empty name', ': x'],
  ])('CH-20: are refused by Node before us: %s', async (_, line) => {
    await expect(send(lenient, [get(secret, line)])).resolves.toEqual(['400']);
  });

  // Above the limit newer versions of Node answer 431 themselves; older ones pass on what they have not cut off.
  it.each([
    [1_000, [['400 malformed']]],
    [1_001, [['400 malformed'], ['431']]],
    [1_500, [['400 malformed'], ['431']]],
  ])(
    'CH-15: are refused with %d headers, the certificate last, though presence is optional',
    async (count, answers) => {
      const padding = Array.from({ length: count - 3 }, () => 'X: 1');
      const answer = await send(lenient, [get(secret, ...padding, `Client-Cert: ${cert}`)], { maxHeaderSize: 65_536 });
      expect(answers).toContainEqual(answer);
    },
  );

  it('CH-15: are judged with 999 headers, the certificate last', async () => {
    const padding = Array.from({ length: 996 }, () => 'X: 1');
    const answer = await send(lenient, [get(secret, ...padding, `Client-Cert: ${cert}`)], { maxHeaderSize: 65_536 });
    expect(answer).toEqual(['200 urn:client']);
  });

  it('CH-15: never pass for anonymous when the secret comes first and the certificate is cut off', async () => {
    const padding = Array.from({ length: 2_500 }, () => 'X: 1');
    const answer = await send(lenient, [get(secret, ...padding, `Client-Cert: ${cert}`)], { maxHeaderSize: 65_536 });
    expect([['400 malformed'], ['431']]).toContainEqual(answer);
  });

  it('CH-16: are not authenticated by a trailer', async () => {
    const lines = [`POST / HTTP/1.1`, 'Host: x', secret, 'Transfer-Encoding: chunked', 'Trailer: Client-Cert'];
    const request = `${lines.join('\r\n')}\r\n\r\n0\r\nClient-Cert: ${cert}\r\n\r\n`;
    await expect(send(authenticator, [request])).resolves.toEqual(['403 certificate_required']);
    await expect(send(lenient, [request])).resolves.toEqual(['200 anonymous']);
  });

  it('CH-16: are not trusted for a secret in a trailer', async () => {
    const lines = [`POST / HTTP/1.1`, 'Host: x', `Client-Cert: ${cert}`, 'Transfer-Encoding: chunked'];
    const request = `${lines.join('\r\n')}\r\n\r\n0\r\n${secret}\r\n\r\n`;
    await expect(send(lenient, [request])).resolves.toEqual(['403 certificate_required']);
  });

  it('CH-19, F27: are each their own on one connection, also after a refusal', async () => {
    const requests = [
      get(secret, `Client-Cert: ${cert}`),
      get(secret, `Client-Cert: ${encodeClientCert(other.der)}`),
      get(secret),
      get(secret, 'Client-Cert: rubbish'),
      get(`Client-Cert: ${cert}`),
      get(secret, `Client-Cert: ${cert}`),
    ];
    await expect(send(authenticator, requests)).resolves.toEqual([
      '200 urn:client',
      '200 urn:other',
      '403 certificate_required',
      '400 malformed',
      '403 certificate_required',
      '200 urn:client',
    ]);
    await expect(send(lenient, requests.slice(0, 3))).resolves.toEqual([
      '200 urn:client',
      '200 urn:other',
      '200 anonymous',
    ]);
  });

  it('EN-09: are judged with a header of 15 kilobytes, and refused by Node with one of 17', async () => {
    const padded = (kilobytes: number): string => {
      const value = `${cert};p="${'x'.repeat(kilobytes * 1_024 - cert.length - 200)}"`;
      return get(secret, `Client-Cert: ${value}`);
    };
    await expect(send(authenticator, [padded(15)])).resolves.toEqual(['200 urn:client']);
    await expect(send(authenticator, [padded(17)])).resolves.toEqual(['431']);
  });
});
