import {
  type Admission,
  admitRequest,
  allOf,
  anyOf,
  type Authenticator,
  type CertificateRequest,
  type ChannelProof,
  clientIdentityOf,
  cloudFront,
  createChannelGuard,
  createGuard,
  dangerouslyTrustAnyPeer,
  type IdentityPredicate,
  type IdentityRule,
  nativeTls,
  originMtls,
  sharedSecret,
  trustedAddresses,
  TrustStore,
} from '@peercert/core';
import { cloudFrontHeaders, createAuthority, TEST_TIME } from '@peercert/testkit';
import { behindEdge, edgeChannel, fromEdge, requestOf, secretLine } from '../../support/requests';

const root = createAuthority();
const client = root.issue({ uris: ['urn:client'] });
const required = behindEdge([root]);
const optional = behindEdge([root], { presence: 'optional' });
const ofClient = (): CertificateRequest => fromEdge(...cloudFrontHeaders(client).flat());

/** What a guard says of a request that an authenticator saw before, in a word. */
async function guarded(
  rule: IdentityRule | IdentityPredicate | undefined,
  request: CertificateRequest,
  authenticator: Authenticator = required,
): Promise<string> {
  await admitRequest(authenticator, request);
  return wordOf(await createGuard(rule)(request, request));
}

function wordOf({ admitted, error, refusal }: Admission): string {
  return admitted ? 'admitted' : `${refusal.status} ${refusal.code} ${error.code}`;
}

afterEach(() => void jest.useRealTimers());

describe('a guard', () => {
  it('admits an identity that follows its rule, and hands it on', async () => {
    const request = ofClient();
    await admitRequest(required, request);
    const admission = await createGuard({ uri: 'urn:client' })(request, request);
    expect(admission).toEqual({ admitted: true, identity: clientIdentityOf(request) });
  });

  it.each<[string, IdentityRule | IdentityPredicate | undefined, string]>([
    ['every identity without a rule', undefined, 'admitted'],
    ['whom its predicate says true of', ({ uris }) => uris[0] === 'urn:client', 'admitted'],
    ['whom its predicate promises true of', async () => true, 'admitted'],
    ['nobody of another name', { uri: 'urn:other' }, '403 certificate_rejected ERR_POLICY_NOT_AUTHORIZED'],
    [
      'ID-09: nobody when its predicate forgets to answer',
      (() => {}) as never,
      '403 certificate_rejected ERR_POLICY_NOT_AUTHORIZED',
    ],
    [
      'ID-09: nobody when its predicate throws',
      () => {
        throw new Error('broken');
      },
      '500 unavailable ERR_POLICY_FAILED',
    ],
    [
      'ID-09: nobody when its predicate rejects',
      async () => Promise.reject(new Error('x')),
      '500 unavailable ERR_POLICY_FAILED',
    ],
  ])('admits %s', async (_, rule, expected) => {
    await expect(guarded(rule, ofClient())).resolves.toBe(expected);
  });

  it('F25, ID-09: answers 503 with Retry-After when its predicate never answers', async () => {
    const request = ofClient();
    await admitRequest(required, request);
    jest.useFakeTimers();
    const answer = createGuard(async () => new Promise<never>(() => {}))(request, request);
    await jest.advanceTimersByTimeAsync(5_000);
    await expect(answer).resolves.toMatchObject({
      admitted: false,
      refusal: {
        status: 503,
        code: 'unavailable',
        headers: { 'cache-control': 'no-store', 'content-type': 'application/problem+json', 'retry-after': '5' },
      },
      error: { code: 'ERR_POLICY_TIMEOUT', details: { timeoutMs: 5_000 } },
    });
  });

  it('refuses an anonymous request, without asking its predicate', async () => {
    const predicate = jest.fn(() => true);
    const expected = '403 certificate_required ERR_CERTIFICATE_REQUIRED';
    await expect(guarded(undefined, fromEdge(), optional)).resolves.toBe(expected);
    await expect(guarded(predicate, fromEdge(), optional)).resolves.toBe(expected);
    expect(predicate).not.toHaveBeenCalled();
  });

  it('ID-10: refuses with 500 a request that nothing authenticated, without asking its predicate', async () => {
    const predicate = jest.fn(() => true);
    for (const rule of [undefined, predicate, { uri: 'urn:client' }]) {
      const request = ofClient();
      expect(wordOf(await createGuard(rule)(request, request))).toBe('500 unavailable ERR_POLICY_UNAUTHENTICATED');
    }
    expect(predicate).not.toHaveBeenCalled();
  });

  it('ID-10: refuses with 500 a request that was rejected, should an application go on with it', async () => {
    const request = fromEdge('Client-Cert', 'rubbish');
    await admitRequest(optional, request);
    expect(wordOf(await createGuard()(request, request))).toBe('500 unavailable ERR_POLICY_UNAUTHENTICATED');
  });

  it('ID-10: refuses with 500 while the request is still being authenticated', async () => {
    const request = ofClient();
    const admitting = admitRequest({ authenticate: async (asked) => required.authenticate(asked) }, request);
    expect(wordOf(await createGuard()(request, request))).toBe('500 unavailable ERR_POLICY_UNAUTHENTICATED');
    await admitting;
    expect(wordOf(await createGuard()(request, request))).toBe('admitted');
  });

  it('ID-10: judges by the last authenticator that saw the request', async () => {
    const elsewhere = behindEdge([createAuthority()]);
    const request = ofClient();
    await admitRequest(required, request);
    await admitRequest(elsewhere, request);
    expect(wordOf(await createGuard()(request, request))).toBe('500 unavailable ERR_POLICY_UNAUTHENTICATED');
  });

  it('ID-10: is asked for each request, and may be asked twice for one', async () => {
    const predicate = jest.fn(() => true);
    const guard = createGuard(predicate);
    const requests = [ofClient(), ofClient()];
    for (const request of requests) {
      await admitRequest(required, request);
      await guard(request, request);
      await guard(request, request);
    }
    expect(predicate.mock.calls.map(([, request]: unknown[]) => requests.indexOf(request as never))).toEqual([
      0, 0, 1, 1,
    ]);
  });

  it('gives its predicate the request of the framework', async () => {
    const request = ofClient();
    await admitRequest(required, request);
    const context = { path: '/ops' };
    const guard = createGuard<typeof context>((_, { path }) => path === '/ops');
    expect(wordOf(await guard(request, context))).toBe('admitted');
    expect(wordOf(await guard(request, { path: '/' }))).toBe('403 certificate_rejected ERR_POLICY_NOT_AUTHORIZED');
  });

  it('takes no identity from what is written on the request', async () => {
    const request = Object.assign(fromEdge(), { clientIdentity: { uris: ['urn:client'] }, identity: {} });
    await expect(guarded({ uri: 'urn:client' }, request, optional)).resolves.toBe(
      '403 certificate_required ERR_CERTIFICATE_REQUIRED',
    );
  });

  it('judges its rule at construction', () => {
    expect(() => createGuard({})).toThrow(TypeError);
    expect(() => createGuard({ uri: '' })).toThrow(TypeError);
    expect(() => createGuard(true as never)).toThrow(TypeError);
    expect(() => createGuard(null as never)).toThrow(TypeError);
  });
});

describe('a channel guard', () => {
  const trusting = (answer: () => unknown): ChannelProof => ({ ...dangerouslyTrustAnyPeer(), prove: answer }) as never;
  const asked = async (channel: ChannelProof, request: CertificateRequest): Promise<string> =>
    wordOf(await createChannelGuard(channel)(request, undefined));

  it('admits a request over the channel, with or without a certificate, as nobody', async () => {
    for (const request of [fromEdge(), ofClient(), fromEdge('Client-Cert', 'rubbish')]) {
      await expect(createChannelGuard(edgeChannel)(request, undefined)).resolves.toEqual({
        admitted: true,
        identity: undefined,
      });
    }
  });

  it('hides from handlers what proves the channel, and certificates nobody looked at', async () => {
    const request = fromEdge(...cloudFrontHeaders(client).flat(), 'client_cert', 'x', 'X-Other', 'kept');
    await createChannelGuard(edgeChannel)(request, undefined);
    expect(request.rawHeaders).toEqual(['X-Other', 'kept']);
  });

  it('leaves the headers of a refused request alone', async () => {
    const request = requestOf(['X-Edge-Secret', 'wrong']);
    await createChannelGuard(edgeChannel)(request, undefined);
    expect(request.rawHeaders).toEqual(['X-Edge-Secret', 'wrong']);
  });

  it('judges a request that an authenticator has cleaned', async () => {
    const request = ofClient();
    await admitRequest(required, request);
    await expect(asked(edgeChannel, request)).resolves.toBe('admitted');
    expect(clientIdentityOf(request).uris).toEqual(['urn:client']);
  });

  it('does not make a request authenticated, nor anonymous', async () => {
    const request = ofClient();
    await createChannelGuard(edgeChannel)(request, undefined);
    expect(wordOf(await createGuard()(request, request))).toBe('500 unavailable ERR_POLICY_UNAUTHENTICATED');
  });

  it.each<[string, ChannelProof, CertificateRequest, string]>([
    ['no secret', edgeChannel, requestOf([]), '403 certificate_required ERR_CHANNEL_UNTRUSTED'],
    [
      'CH-02: the address alone of two proofs',
      allOf(trustedAddresses(['10.0.0.0/8']), edgeChannel),
      requestOf([], { encrypted: true, destroyed: false, remoteAddress: '10.0.0.5' }),
      '403 certificate_required ERR_CHANNEL_UNTRUSTED',
    ],
    [
      'CH-05: no socket',
      edgeChannel,
      { rawHeaders: [...secretLine], socket: undefined as never },
      '403 certificate_required ERR_CHANNEL_UNTRUSTED',
    ],
    [
      'a proof that throws something else',
      trusting(() => {
        throw new Error('broken');
      }),
      requestOf([]),
      '500 unavailable ERR_INTERNAL',
    ],
    [
      'a proof that rejects',
      trusting(() => Promise.reject(new Error('broken'))),
      requestOf([]),
      '500 unavailable ERR_INTERNAL',
    ],
    ['a proof that answers false', trusting(() => false), requestOf([]), '500 unavailable ERR_INTERNAL'],
    ['a proof that promises false', trusting(async () => false), requestOf([]), '500 unavailable ERR_INTERNAL'],
    ['a proof that answers true', trusting(() => true), requestOf([]), '500 unavailable ERR_INTERNAL'],
    ['a proof that forgets to answer', trusting(() => {}), requestOf([]), '500 unavailable ERR_INTERNAL'],
    [
      'all of a proof and one that answers false',
      allOf(
        edgeChannel,
        trusting(() => false),
      ),
      fromEdge(),
      '500 unavailable ERR_INTERNAL',
    ],
    [
      'any of a proof that answers false and one',
      anyOf(
        trusting(() => false),
        edgeChannel,
      ),
      requestOf([]),
      '500 unavailable ERR_INTERNAL',
    ],
  ])('refuses for %s', async (_, channel, request, expected) => {
    await expect(asked(channel, request)).resolves.toBe(expected);
  });

  it('proves origin mTLS at the time of its clock', async () => {
    const proxies = createAuthority();
    const proxy = proxies.issue({ dnsNames: ['edge.example'] });
    const channel = originMtls({ trust: TrustStore.fromDer([proxies.der]), dnsNames: ['edge.example'] });
    const overTls = (): CertificateRequest =>
      requestOf([], {
        encrypted: true,
        destroyed: false,
        getPeerX509Certificate: () => ({ raw: proxy.der, issuerCertificate: undefined }),
      });
    const at = async (time: number): Promise<string> =>
      wordOf(await createChannelGuard(channel, () => time)(overTls(), undefined));
    await expect(at(TEST_TIME.getTime())).resolves.toBe('admitted');
    await expect(at(0)).resolves.toBe('403 certificate_required ERR_CHANNEL_UNTRUSTED');
    await expect(at(Number.NaN)).resolves.toBe('403 certificate_required ERR_CHANNEL_UNTRUSTED');
  });
});

describe('a channel that proves too little by itself', () => {
  const cdn = trustedAddresses(['130.176.0.0/16']);
  const weak: readonly (readonly [string, ChannelProof])[] = [
    ['the addresses of a CDN', cdn],
    ['every IPv4 address', trustedAddresses(['0.0.0.0/0'])],
    ['every IPv6 address', trustedAddresses(['::/0'])],
    ['a network a little wider than a private one', trustedAddresses(['10.0.0.0/7'])],
    ['a private network in its mapped spelling', trustedAddresses(['::ffff:10.0.0.0/104'])],
    ['a private and a public network', trustedAddresses(['10.0.0.0/8', '8.8.8.0/24'])],
    ['all of two public ones', allOf(cdn, cdn)],
    ['any of a public one and a secret', anyOf(cdn, edgeChannel)],
    ['TLS, of whomever', nativeTls().channel],
    ['any of TLS and a secret', anyOf(nativeTls().channel, edgeChannel)],
  ];

  it.each(weak)('CH-02: is refused by cloudFront and by a guard: %s', (_, channel) => {
    expect(() => cloudFront({ channel })).toThrow(/^cloudFront needs a channel proof of your own distribution\./);
    expect(() => createChannelGuard(channel)).toThrow(
      new TypeError(
        'requireChannel needs a channel proof such as originMtls(...); it received one that proves too little by itself.',
      ),
    );
  });

  it.each(weak)('CH-02: is taken beside one that proves enough: %s', (_, channel) => {
    const both = allOf(channel, edgeChannel);
    expect(() => cloudFront({ channel: both })).not.toThrow();
    expect(() => createChannelGuard(both)).not.toThrow();
  });

  it.each<[string, ChannelProof]>([
    ['loopback', trustedAddresses(['127.0.0.1', '::1'])],
    ['a private network', trustedAddresses(['10.1.0.0/16'])],
    ['unix', trustedAddresses(['unix'])],
    ['any of two secrets', anyOf(edgeChannel, sharedSecret({ header: 'X-B', secrets: ['b'.repeat(32)] }))],
  ])('is not: %s', (_, channel) => {
    expect(() => cloudFront({ channel })).not.toThrow();
    expect(() => createChannelGuard(channel)).not.toThrow();
  });

  it.each<[unknown, string]>([
    [undefined, 'undefined'],
    [null, 'null'],
    [{}, 'an object'],
    ['originMtls', 'a string'],
    [() => true, 'a function'],
  ])('is not something else: %p', (channel, described) => {
    expect(() => createChannelGuard(channel as never)).toThrow(
      new TypeError(`requireChannel needs a channel proof such as originMtls(...); it received ${described}.`),
    );
  });
});
