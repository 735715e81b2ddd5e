import { Duplex } from 'node:stream';
import {
  admitRequest,
  allOf,
  type Authenticator,
  type CertificateRequest,
  clientIdentityOf,
  cloudFront,
  createAuthenticator,
  createGuard,
  dangerouslyTrustAnyPeer,
  nativeTls,
  originMtls,
  type Outcome,
  trustedAddresses,
  TrustStore,
} from '@peercert/core';
import { cloudFrontHeaders, createAuthority, TEST_TIME } from '@peercert/testkit';
import { behindEdge, callerOf, edgeChannel, fromEdge, requestOf, secretLine } from '../support/requests';

const root = createAuthority();
const alice = root.issue({ uris: ['urn:alice'] });
const admin = root.issue({ uris: ['urn:admin'] });
const proxies = createAuthority();
const linesOf = ({ der }: { readonly der: Buffer }): readonly string[] => cloudFrontHeaders({ der }).flat();
const ofAlice = (): CertificateRequest => fromEdge(...linesOf(alice));

const mtls = originMtls({ trust: TrustStore.fromDer([proxies.der]), dnsNames: ['edge.example'] });
const authenticators: readonly (readonly [string, Authenticator])[] = [
  ['a secret', behindEdge([root], { presence: 'optional' })],
  ['a secret, with somebody listening', behindEdge([root], { presence: 'optional', onOutcome: () => {} })],
  ['addresses', behindEdge([root], { source: cloudFront({ channel: trustedAddresses(['10.0.0.0/8', 'unix']) }) })],
  ['origin mTLS', behindEdge([root], { source: cloudFront({ channel: mtls }), presence: 'optional' })],
  [
    'a secret and addresses',
    behindEdge([root], { source: cloudFront({ channel: allOf(edgeChannel, trustedAddresses(['10.0.0.0/8'])) }) }),
  ],
  ['native TLS', behindEdge([root], { source: nativeTls(), presence: 'optional' })],
];

const boom = (): never => {
  throw new Error('broken');
};

/** Requests no server of Node makes. None is authenticated, none crashes. */
const impossible: readonly (readonly [string, unknown])[] = [
  ['undefined', undefined],
  ['null', null],
  ['a string', 'GET /'],
  ['an empty object', {}],
  ['a function', () => ofAlice()],
  ['a promise of a request', Promise.resolve(ofAlice())],
  ['no header list', { socket: ofAlice().socket }],
  ['headers that are null', { rawHeaders: null, socket: ofAlice().socket }],
  ['headers that are an object', { rawHeaders: { 'client-cert': 'x' }, socket: ofAlice().socket }],
  ['headers that are numbers', requestOf([1, 2, 3, 4] as never)],
  ['headers with holes', requestOf(Array<string>(6))],
  ['a name without a value', requestOf(['X-Edge-Secret'])],
  ['a value that is a list', requestOf(['X-Edge-Secret', [secretLine[1]] as never])],
  ['no socket', { rawHeaders: ofAlice().rawHeaders }],
  ['a socket that is null', { rawHeaders: ofAlice().rawHeaders, socket: null }],
  ['a socket that is a string', { rawHeaders: ofAlice().rawHeaders, socket: 'tls' }],
  ['a socket that is a stream without addresses', { rawHeaders: linesOf(alice), socket: new Duplex() }],
  ['a socket that throws', { rawHeaders: ofAlice().rawHeaders, socket: new Proxy({}, { get: boom }) }],
  ['a socket that has everything', { rawHeaders: linesOf(alice), socket: new Proxy({}, { get: () => true }) }],
  [
    'a socket that has whatever is asked for, to any depth',
    {
      rawHeaders: linesOf(alice),
      socket: new Proxy(() => {}, { get: (target, _, self) => (target === self ? '' : self) as unknown }),
    },
  ],
  ['a socket that says it is TLS in a word', requestOf(linesOf(alice), { encrypted: 'true', destroyed: false })],
  ['a TLS socket that cannot be asked', requestOf(linesOf(alice), { encrypted: true, destroyed: false })],
  [
    'a TLS socket whose certificate throws',
    requestOf(linesOf(alice), { encrypted: true, destroyed: false, getPeerX509Certificate: boom }),
  ],
  [
    'a TLS socket whose certificate is none',
    requestOf(linesOf(alice), {
      encrypted: true,
      destroyed: false,
      getPeerX509Certificate: () => ({ raw: 'x', issuerCertificate: {} }),
    }),
  ],
  [
    'an address that is an object',
    requestOf(linesOf(alice), { destroyed: false, remoteAddress: { toString: () => '10.0.0.5' } as never }),
  ],
  ['an address that is a list', requestOf(linesOf(alice), { destroyed: false, remoteAddress: ['10.0.0.5'] as never })],
  [
    'an address that is a list of addresses',
    requestOf(linesOf(alice), { destroyed: false, remoteAddress: '10.0.0.5,192.0.2.1' }),
  ],
  ['everything throws', new Proxy({}, { get: boom, has: boom, ownKeys: boom, getOwnPropertyDescriptor: boom })],
];

let warnings: jest.SpyInstance;
beforeEach(() => {
  warnings = jest.spyOn(process, 'emitWarning').mockImplementation();
});
afterEach(() => warnings.mockRestore());

describe.each(authenticators)('an authenticator by %s', (_, authenticator) => {
  it.each(impossible)('does not throw, and lets nobody in, for %s', async (__, request) => {
    const outcome = await authenticator.authenticate(request as CertificateRequest);
    // Anonymous is for a peer that showed what it had to show, and no certificate.
    const proof = outcome.channel?.proof ?? 'none';
    expect(outcome.status === 'rejected' || (outcome.status === 'anonymous' && proof !== 'none')).toBe(true);
  });

  it.each(impossible)('admits nobody with an identity, for %s', async (__, request) => {
    const admission = await admitRequest(authenticator, request as CertificateRequest).catch(() => 'refused' as const);
    if (admission === 'refused') return;
    expect(admission.identity).toBeUndefined();
    const guarded = await createGuard()(request as CertificateRequest, request as CertificateRequest);
    expect(guarded.admitted).toBe(false);
  });
});

describe('a request that changes while it is judged', () => {
  /** A channel that lets others run before it answers. */
  const slowly = (meanwhile: () => void) => ({
    ...dangerouslyTrustAnyPeer(),
    prove: async () => {
      await new Promise(setImmediate);
      meanwhile();
      return { proof: 'any-peer' } as const;
    },
  });

  it('is authenticated by two mounts at once, though the one hides what the other has yet to read', async () => {
    const request = ofAlice();
    const slow = behindEdge([root], { source: cloudFront({ channel: slowly(() => {}) }) });
    const admissions = await Promise.all([admitRequest(slow, request), admitRequest(behindEdge([root]), request)]);
    expect(admissions.map(({ identity }) => identity?.uris)).toEqual([['urn:alice'], ['urn:alice']]);
    expect(request.rawHeaders).toEqual([]);
  });

  it('has the identity of the mount that was the last to answer, or none when that one refused', async () => {
    const request = ofAlice();
    const elsewhere = behindEdge([createAuthority()], { source: cloudFront({ channel: slowly(() => {}) }) });
    const [first, last] = await Promise.all([
      admitRequest(behindEdge([root]), request),
      admitRequest(elsewhere, request),
    ]);
    expect([first.admitted, last.admitted]).toEqual([true, false]);
  });

  it('is judged by what arrived, when its list was cleaned before', async () => {
    const request = ofAlice();
    await admitRequest(behindEdge([root]), request);
    request.rawHeaders.push(...linesOf(admin), ...secretLine);
    await expect(callerOf(behindEdge([root]), request)).resolves.toEqual(['urn:alice']);
  });

  it('cannot be made to show one certificate to the eyes and another to the key', async () => {
    // A list that answers differently each time it is read.
    let reads = 0;
    const lines = [...secretLine, ...linesOf(alice)];
    const other = [...secretLine, ...linesOf(admin)];
    const rawHeaders = new Proxy(lines, {
      get: (target, key) => {
        reads++;
        return Reflect.get(reads % 7 === 0 ? other : target, key) as unknown;
      },
    });
    const authenticator = behindEdge([root]);
    for (let count = 0; count < 50; count++) {
      await authenticator.authenticate({ rawHeaders, socket: ofAlice().socket });
    }
    // Whatever it was taken for: the honest ones after it are who they are.
    await expect(callerOf(authenticator, ofAlice())).resolves.toEqual(['urn:alice']);
    await expect(callerOf(authenticator, fromEdge(...linesOf(admin)))).resolves.toEqual(['urn:admin']);
  });
});

describe('F29: two authenticators over one request', () => {
  const strict = behindEdge([root]);
  const elsewhere = behindEdge([createAuthority()]);

  it('share no verdict, in either order', async () => {
    for (const order of [
      [strict, elsewhere],
      [elsewhere, strict],
    ]) {
      const request = ofAlice();
      const answers: unknown[] = [];
      for (let round = 0; round < 2; round++) {
        for (const authenticator of order) answers.push((await authenticator.authenticate(request)).status);
      }
      const expected = order[0] === strict ? ['authenticated', 'rejected'] : ['rejected', 'authenticated'];
      expect(answers).toEqual([...expected, ...expected]);
    }
  });

  it('of different sources take only what is theirs', async () => {
    const source = nativeTls();
    const native = createAuthenticator({
      trust: TrustStore.fromDer([root.der]),
      source,
      clock: () => TEST_TIME.getTime(),
    });
    const getPeerX509Certificate = () => ({ raw: alice.der, issuerCertificate: undefined });
    const request = requestOf([...secretLine, ...linesOf(admin)], {
      encrypted: true,
      destroyed: false,
      getPeerX509Certificate,
    });
    for (let round = 0; round < 2; round++) {
      await expect(callerOf(native, request)).resolves.toEqual(['urn:alice']);
      await expect(callerOf(strict, request)).resolves.toEqual(['urn:admin']);
    }
    await admitRequest(native, request);
    expect(clientIdentityOf(request).source).toBe('native-tls');
    await admitRequest(strict, request);
    expect(clientIdentityOf(request).source).toBe('cloudfront');
  });

  it('keep their channels apart: a proxy proven to one is not proven to the other', async () => {
    const proxy = proxies.issue({ dnsNames: ['edge.example'] });
    const channelFor = (name: string) =>
      cloudFront({ channel: originMtls({ trust: TrustStore.fromDer([proxies.der]), dnsNames: [name] }) });
    const [ours, theirs] = ['edge.example', 'other.example'].map((name) =>
      behindEdge([root], { source: channelFor(name) }),
    );
    const getPeerX509Certificate = () => ({ raw: proxy.der, issuerCertificate: undefined });
    const request = requestOf(linesOf(alice), { encrypted: true, destroyed: false, getPeerX509Certificate });
    const answers: unknown[] = [];
    for (const authenticator of [ours, theirs, ours, theirs]) {
      const outcome = (await authenticator?.authenticate(request)) as Outcome;
      answers.push(outcome.status === 'rejected' ? outcome.error.details : outcome.status);
    }
    const refused = { proof: 'origin-mtls', reason: 'name-not-permitted' };
    expect(answers).toEqual(['authenticated', refused, 'authenticated', refused]);
  });

  it('keep the identities of requests apart that share a socket and every header', async () => {
    const [one, other] = [ofAlice(), ofAlice()];
    Object.assign(other, { socket: one.socket });
    await admitRequest(strict, one);
    expect(clientIdentityOf(one).uris).toEqual(['urn:alice']);
    expect(() => clientIdentityOf(other)).toThrow(TypeError);
  });
});
