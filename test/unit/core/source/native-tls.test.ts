import { once } from 'node:events';
import https from 'node:https';
import type { TLSSocket } from 'node:tls';
import {
  type AuthenticatorOptions,
  type CertificateRequest,
  createAuthenticator,
  encodeClientCert,
  nativeTls,
  TrustStore,
} from '@peercert/core';
import { createAuthority, daysFromTestTime, TEST_TIME } from '@peercert/testkit';
import { callerOf, requestOf } from '../../../support/requests';
import {
  ask,
  closeTlsOrigins,
  presenting,
  startTlsOrigin,
  type TlsOrigin,
  trusting,
} from '../../../support/tls-origin';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const root = createAuthority();
const intermediate = root.issueIntermediate();
const uris = ['urn:device:1'];
const client = intermediate.issue({ uris });
const direct = root.issue({ uris: ['urn:direct:1'] });
const other = root.issue({ uris: ['urn:direct:2'] });

const judge = (options: Partial<AuthenticatorOptions> = {}) =>
  createAuthenticator({
    trust: TrustStore.fromDer([root.der]),
    source: nativeTls(),
    clock: () => TEST_TIME.getTime(),
    ...options,
  });

/** An origin that answers with whom a request comes from, or the refusal's code and details. */
async function startOrigin(
  authenticator = judge(),
  options: https.ServerOptions = {},
  onRequest?: (request: CertificateRequest) => unknown,
): Promise<TlsOrigin> {
  return startTlsOrigin(async (request) => {
    onRequest?.(request);
    const outcome = await authenticator.authenticate(request);
    if (outcome.status === 'rejected') return { code: outcome.error.code, details: outcome.error.details };
    return outcome.status === 'authenticated' ? outcome.identity.uris : outcome.status;
  }, options);
}

/** A TLS session of a client, with a ticket to resume it by. */
async function sessionOf(origin: TlsOrigin, options: https.RequestOptions = {}): Promise<Buffer> {
  const outgoing = https.request({ host: '127.0.0.1', port: origin.port, agent: false, ...trusting, ...options });
  outgoing.end();
  const [socket] = (await once(outgoing, 'socket')) as [TLSSocket];
  const [[session], [response]] = (await Promise.all([once(socket, 'session'), once(outgoing, 'response')])) as [
    [Buffer],
    [NodeJS.ReadableStream],
  ];
  response.resume();
  await once(socket, 'close');
  return session;
}

const required = { code: 'ERR_CERTIFICATE_REQUIRED', details: {} };
const unknown = (depth: number, issuer: { readonly der: Buffer } & object): object => ({
  code: 'ERR_PATH_ISSUER_UNKNOWN',
  details: { depth, issuer: nameOf(issuer) },
});
const nameOf = ({ der }: { readonly der: Buffer }): string => {
  return TrustStore.fromDer([der]).anchors[0]?.subject.toString() ?? '';
};

const ticketsOn: https.ServerOptions = { secureOptions: 0 };

afterEach(closeTlsOrigins);

describe('native TLS', () => {
  it('accepts a client that presents its certificate and intermediate', async () => {
    const origin = await startOrigin();
    await expect(ask(origin, presenting(client, [intermediate]))).resolves.toEqual(uris);
  });

  it.each<https.RequestOptions>([{ minVersion: 'TLSv1.3' }, { maxVersion: 'TLSv1.2' }])(
    'accepts it over %j',
    async (version) => {
      const origin = await startOrigin();
      await expect(ask(origin, { ...presenting(client, [intermediate]), ...version })).resolves.toEqual(uris);
    },
  );

  it.each([
    ['with the root', [intermediate, root]],
    ['the root before the intermediate', [root, intermediate]],
    ['with unrelated certificates around it', [createAuthority(), intermediate, createAuthority()]],
    ['after its own certificate, sent twice', [client, intermediate]],
    ['after a certificate sent twice', [root, root, intermediate]],
  ])('NT-05: accepts an intermediate %s', async (_, chain) => {
    const origin = await startOrigin();
    await expect(ask(origin, presenting(client, chain))).resolves.toEqual(uris);
  });

  it('refuses a client without a certificate where one is required', async () => {
    await expect(ask(await startOrigin())).resolves.toEqual(required);
  });

  it('takes it for anonymous where none is', async () => {
    await expect(ask(await startOrigin(judge({ presence: 'optional' })))).resolves.toBe('anonymous');
  });

  it.each<'required' | 'optional'>(['required', 'optional'])(
    'refuses a certificate of an unknown issuer, presence %s',
    async (presence) => {
      const authority = createAuthority();
      const origin = await startOrigin(judge({ presence }));
      await expect(ask(origin, presenting(authority.issue({ uris })))).resolves.toEqual(unknown(1, authority));
    },
  );

  it('NT-05: refuses only the end-entity certificate', async () => {
    await expect(ask(await startOrigin(), presenting(client))).resolves.toEqual(unknown(1, intermediate));
  });

  it('refuses a client whose chain something else has read before, where Node shows it once', async () => {
    const origin = await startOrigin(judge(), {}, ({ socket }) => (socket as TLSSocket).getPeerX509Certificate());
    // Node 26 shows it as often as it is asked.
    const expected = Number(process.versions.node.split('.')[0]) < 26 ? unknown(1, intermediate) : uris;
    await expect(ask(origin, presenting(client, [intermediate]))).resolves.toEqual(expected);
    const later = await startOrigin(judge(), {}, ({ socket }) => (socket as TLSSocket).getPeerCertificate(true));
    await expect(ask(later, presenting(client, [intermediate]))).resolves.toEqual(uris);
  });

  it('NT-05: accepts only the end-entity certificate when the operator supplies its intermediate', async () => {
    const trust = TrustStore.fromDer([root.der], { intermediates: [intermediate.der] });
    await expect(ask(await startOrigin(judge({ trust })), presenting(client))).resolves.toEqual(uris);
  });

  it('NT-05: refuses the end-entity certificate with the wrong intermediates', async () => {
    const wrong = [root.issueIntermediate(), createAuthority().issueIntermediate()];
    await expect(ask(await startOrigin(), presenting(client, wrong))).resolves.toEqual(unknown(1, intermediate));
  });

  it('NT-05: refuses an intermediate of the right name with the wrong key', async () => {
    const lookAlike = root.issueIntermediate({ subject: intermediate.subject });
    await expect(ask(await startOrigin(), presenting(client, [lookAlike]))).resolves.toEqual({
      code: 'ERR_PATH_SIGNATURE_INVALID',
      details: { depth: 0, issuer: nameOf(intermediate) },
    });
  });

  it('NT-05: accepts ten certificates behind the first', async () => {
    const chain = [intermediate, ...Array.from({ length: 9 }, () => root.issueIntermediate())];
    await expect(ask(await startOrigin(), presenting(client, chain))).resolves.toEqual(uris);
  });

  it.each([11, 29])('NT-05: refuses %d certificates behind the first', async (count) => {
    const chain = [intermediate, ...Array.from({ length: count - 1 }, () => root.issueIntermediate())];
    await expect(ask(await startOrigin(), presenting(client, chain))).resolves.toEqual({
      code: 'ERR_CHAIN_TOO_LONG',
      details: { count: 11, maximum: 10 },
    });
  });

  it('EN-13: refuses thirty copies of one intermediate by their number', async () => {
    const copies = Array<typeof intermediate>(30).fill(intermediate);
    await expect(ask(await startOrigin(), presenting(client, copies))).resolves.toEqual({
      code: 'ERR_CHAIN_TOO_LONG',
      details: { count: 11, maximum: 10 },
    });
  });

  it('refuses a CA certificate presented with its key', async () => {
    await expect(ask(await startOrigin(), presenting(root))).resolves.toEqual({
      code: 'ERR_CERTIFICATE_IS_CA',
      details: { depth: 0 },
    });
  });

  it('refuses the certificate of another client presented as an intermediate', async () => {
    const mine = createAuthority().issue({ uris: ['urn:mine'], extKeyUsage: ['clientAuth'] });
    const answer = await ask(await startOrigin(), presenting(mine, [direct, root]));
    expect(answer).toMatchObject({ code: 'ERR_PATH_ISSUER_UNKNOWN' });
  });
});

describe('a resumed TLS session', () => {
  it.each<[string, https.RequestOptions]>([
    ['TLS 1.3', { minVersion: 'TLSv1.3' }],
    ['TLS 1.2', { maxVersion: 'TLSv1.2' }],
  ])('NT-01: without a certificate is refused, whatever Node says: %s', async (_, version) => {
    const origin = await startOrigin(judge(), ticketsOn);
    const session = await sessionOf(origin, version);
    await expect(ask(origin, { ...version, session })).resolves.toEqual(required);
    expect(origin.resumed).toEqual([false, true]);
  });

  it('NT-01: without a certificate is refused when Node says that it is authorized, as some versions do', async () => {
    const origin = await startOrigin(judge(), ticketsOn, ({ socket }) => {
      Object.assign(socket, { authorized: true, authorizationError: null });
    });
    const session = await sessionOf(origin);
    await expect(ask(origin, { session })).resolves.toEqual(required);
    expect(origin.connections.map(({ authorized }) => authorized)).toEqual([true, true]);
  });

  it.each<[string, https.RequestOptions]>([
    ['TLS 1.3', { minVersion: 'TLSv1.3' }],
    ['TLS 1.2', { maxVersion: 'TLSv1.2' }],
  ])('NT-02: is refused once its certificate has expired: %s', async (_, version) => {
    let time = TEST_TIME;
    const notAfter = daysFromTestTime(1);
    const expiring = root.issue({ uris, notAfter });
    const origin = await startOrigin(judge({ clock: () => time.getTime() }), ticketsOn);
    const session = await sessionOf(origin, { ...version, ...presenting(expiring) });
    time = notAfter;
    const resume = { ...version, ...presenting(expiring), session };
    await expect(ask(origin, resume)).resolves.toEqual(uris);
    time = new Date(notAfter.getTime() + 1);
    await expect(ask(origin, resume)).resolves.toEqual({
      code: 'ERR_CERTIFICATE_EXPIRED',
      details: { depth: 0, time: time.toISOString(), notAfter: notAfter.toISOString() },
    });
    expect(origin.resumed).toEqual([false, true, true]);
  });

  it('NT-02: judges by the trust store of today', async () => {
    const provider = { current: TrustStore.fromDer([root.der]), close: async () => {} };
    const origin = await startOrigin(judge({ trust: provider }), ticketsOn);
    const session = await sessionOf(origin, presenting(direct));
    provider.current = TrustStore.fromDer([createAuthority().der]);
    await expect(ask(origin, { ...presenting(direct), session })).resolves.toEqual(unknown(1, root));
  });

  it('loses the intermediate, and is refused rather than believed', async () => {
    const origin = await startOrigin(judge(), ticketsOn);
    const session = await sessionOf(origin, presenting(client, [intermediate]));
    const answer = await ask(origin, { ...presenting(client, [intermediate]), session });
    expect(answer).toEqual(unknown(1, intermediate));
  });

  it.each<[string, https.RequestOptions]>([
    ['TLS 1.3', { minVersion: 'TLSv1.3' }],
    ['TLS 1.2', { maxVersion: 'TLSv1.2' }],
  ])('does not come about with originServerOptions(): %s', async (_, version) => {
    const origin = await startOrigin();
    const agent = new https.Agent({ maxCachedSessions: 10 });
    for (let count = 0; count < 3; count++) {
      const options = { ...presenting(client, [intermediate]), ...version, agent };
      await expect(ask(origin, options)).resolves.toEqual(uris);
    }
    agent.destroy();
    expect(origin.resumed).toEqual([false, false, false]);
  });
});

describe('requests of one connection', () => {
  const keptAlive = async (work: (agent: https.Agent) => Promise<void>): Promise<void> => {
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    await work(agent);
    agent.destroy();
  };

  it('NT-02: are refused from the millisecond on in which the certificate has expired', async () => {
    let time = TEST_TIME.getTime();
    const notAfter = daysFromTestTime(1);
    const expiring = root.issue({ uris, notAfter });
    const origin = await startOrigin(judge({ clock: () => time }));
    await keptAlive(async (agent) => {
      const options = { ...presenting(expiring), agent };
      await expect(ask(origin, options)).resolves.toEqual(uris);
      time = notAfter.getTime();
      await expect(ask(origin, options)).resolves.toEqual(uris);
      time++;
      await expect(ask(origin, options)).resolves.toEqual({
        code: 'ERR_CERTIFICATE_EXPIRED',
        details: { depth: 0, time: new Date(time).toISOString(), notAfter: notAfter.toISOString() },
      });
    });
    expect(origin.connections).toHaveLength(1);
  });

  it('read the certificates once, and keep their order', async () => {
    const getters: jest.SpyInstance[] = [];
    const origin = await startOrigin(judge(), {}, ({ socket }) => {
      getters.push(jest.spyOn(socket as TLSSocket, 'getPeerX509Certificate'));
    });
    await keptAlive(async (agent) => {
      for (let count = 0; count < 3; count++) {
        await expect(ask(origin, { ...presenting(client, [intermediate]), agent })).resolves.toEqual(uris);
      }
    });
    expect(origin.connections).toHaveLength(1);
    expect(getters[0]).toHaveBeenCalledTimes(1);
  });

  it('CH-19: are never those of another connection', async () => {
    const origin = await startOrigin(judge({ presence: 'optional' }));
    const agents = [direct, other, undefined].map((certificate) => {
      return new https.Agent({ keepAlive: true, maxSockets: 1, ...(certificate && presenting(certificate)) });
    });
    for (let round = 0; round < 3; round++) {
      const answers = await Promise.all(agents.map((agent) => ask(origin, { agent })));
      expect(answers).toEqual([['urn:direct:1'], ['urn:direct:2'], 'anonymous']);
    }
    for (const agent of agents) agent.destroy();
    expect(origin.connections).toHaveLength(3);
  });
});

describe('NT-09: certificates in the handshake and in a header', () => {
  const header = { 'Client-Cert': encodeClientCert(other.der) };

  it('authenticates the one of the handshake', async () => {
    const origin = await startOrigin();
    await expect(ask(origin, { ...presenting(direct), headers: header })).resolves.toEqual(['urn:direct:1']);
  });

  it('takes nobody from the header when the handshake has none', async () => {
    await expect(ask(await startOrigin(), { headers: header })).resolves.toEqual(required);
    const origin = await startOrigin(judge({ presence: 'optional' }));
    await expect(ask(origin, { headers: header })).resolves.toBe('anonymous');
  });
});

describe('NT-07: a server that does not ask for certificates', () => {
  it.each<'required' | 'optional'>(['required', 'optional'])('is answered for, presence %s', async (presence) => {
    const warnings = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const origin = await startOrigin(judge({ presence }), { requestCert: false });
    await expect(ask(origin, presenting(direct))).resolves.toEqual({
      code: 'ERR_SERVER_MISCONFIGURED',
      details: { hint: 'The server does not ask clients for certificates: create it with originServerOptions().' },
    });
    expect(warnings.mock.calls).toEqual([
      [expect.any(String), { type: 'PeercertWarning', code: 'PEERCERT_CERTIFICATES_NOT_REQUESTED' }],
    ]);
    warnings.mockRestore();
  });
});

describe('a connection that is not there', () => {
  it('NT-06: refuses a request whose socket is destroyed before its certificate was read', async () => {
    const seen: unknown[] = [];
    const authenticator = judge({ presence: 'optional' });
    const origin = await startTlsOrigin(async (request) => {
      const getter = jest.spyOn(request.socket as TLSSocket, 'getPeerX509Certificate');
      request.socket.destroy();
      await expect(callerOf(authenticator, request)).toRejectWith('ERR_CHANNEL_UNTRUSTED', {
        proof: 'native-tls',
        reason: 'peer-gone',
      });
      seen.push(getter.mock.calls.length);
    });
    await expect(ask(origin, presenting(direct))).rejects.toThrow('socket hang up');
    expect(seen).toEqual([0]);
  });

  it('NT-06: keeps the verdict of a request whose socket is destroyed after its certificate was read', async () => {
    const seen: unknown[] = [];
    const authenticator = judge();
    const origin = await startTlsOrigin(async (request) => {
      await callerOf(authenticator, request);
      request.socket.destroy();
      seen.push(await callerOf(authenticator, request));
    });
    await expect(ask(origin, presenting(direct))).rejects.toThrow('socket hang up');
    expect(seen).toEqual([['urn:direct:1']]);
  });

  it.each<[string, Parameters<typeof requestOf>[1], 'not-tls' | 'peer-gone']>([
    ['plaintext', { destroyed: false, remoteAddress: '127.0.0.1' }, 'not-tls'],
    ['closed plaintext', { destroyed: true }, 'peer-gone'],
    ['closed TLS', { encrypted: true, destroyed: true }, 'peer-gone'],
  ])('refuses a request over %s, whether a certificate is required or not', async (_, socket, reason) => {
    for (const presence of ['required', 'optional'] as const) {
      await expect(callerOf(judge({ presence }), requestOf([], socket))).toRejectWith('ERR_CHANNEL_UNTRUSTED', {
        proof: 'native-tls',
        reason,
      });
    }
  });
});

describe('constructing the native source', () => {
  it('is named, frozen, and takes no options', () => {
    expect(nativeTls()).toMatchObject({ name: 'native-tls', channel: { proof: 'native-tls', consumedHeaders: [] } });
    expect(Object.isFrozen(nativeTls())).toBe(true);
    expect(() => nativeTls({ trust: root } as never)).toThrow(
      new TypeError('nativeTls received an unknown option, `trust`. It takes none.'),
    );
    expect(() => nativeTls(null as never)).toThrow(
      new TypeError('nativeTls takes an options object; it received null.'),
    );
  });
});
