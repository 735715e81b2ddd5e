import { hash } from 'node:crypto';
import https from 'node:https';
import {
  type CertificateRequest,
  cloudFront,
  createAuthenticator,
  encodeClientCert,
  originMtls,
  type OriginMtlsOptions,
  TrustStore,
} from '@peercert/core';
import {
  createAuthority,
  daysFromTestTime,
  generateKey,
  selfSigned,
  TEST_TIME,
  type TestAuthority,
  type TestCertificate,
} from '@peercert/testkit';
import { callerOf, requestOf } from '../../../support/requests';
import { ask, closeTlsOrigins, presenting, startTlsOrigin } from '../../../support/tls-origin';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const edgeRoot = createAuthority({ subject: 'CN=Edge Root' });
const viewerRoot = createAuthority({ subject: 'CN=Viewer Root' });
const edgeName = 'edge.origin.example.com';
const edge = edgeRoot.issue({ dnsNames: ['other.example.com', edgeName], uris: ['urn:edge:1'] });
const viewer = viewerRoot.issue({ uris: ['urn:viewer:1'] });

const storeOf = (...authorities: readonly TestCertificate[]): TrustStore =>
  TrustStore.fromDer(authorities.map(({ der }) => der));
const edgeTrust = storeOf(edgeRoot);
const viewerTrust = storeOf(viewerRoot);
const byName: OriginMtlsOptions = { trust: edgeTrust, dnsNames: [edgeName] };

const pinOf = ({ key }: TestCertificate): string => {
  const spki = key.publicKey.export({ type: 'spki', format: 'der' });
  return hash('sha256', spki, 'hex');
};

/** A request over TLS whose peer presents these certificates. */
function requestBy(...presented: readonly { readonly der: Buffer }[]): CertificateRequest {
  const first = presented.reduceRight<object | undefined>(
    (issuerCertificate, { der }) => ({ raw: der, issuerCertificate }),
    undefined,
  );
  return requestOf([], { encrypted: true, destroyed: false, getPeerX509Certificate: () => first });
}

async function prove(
  options: OriginMtlsOptions,
  request: CertificateRequest,
  { time = TEST_TIME, clientTrust = viewerTrust } = {},
): Promise<unknown> {
  return originMtls(options).prove(request, { time: time.getTime(), clientTrust });
}

const distrust = (reason: string) => ({ proof: 'origin-mtls', reason }) as never;

afterEach(closeTlsOrigins);

describe('origin mTLS', () => {
  it('accepts the certificate of the proxy, and says which it was', async () => {
    const evidence = await prove(byName, requestBy(edge));
    expect(evidence).toEqual({
      proof: 'origin-mtls',
      certificateSha256: hash('sha256', edge.der, 'hex'),
      spkiSha256: pinOf(edge),
    });
    expect(Object.isFrozen(evidence)).toBe(true);
  });

  it('accepts it through an intermediate it presents, whatever order it presents them in', async () => {
    const intermediate = edgeRoot.issueIntermediate();
    const certificate = intermediate.issue({ dnsNames: [edgeName] });
    for (const chain of [[intermediate], [intermediate, edgeRoot], [edgeRoot, intermediate]]) {
      await expect(prove(byName, requestBy(certificate, ...chain))).resolves.toMatchObject({ proof: 'origin-mtls' });
    }
  });

  it('accepts it through an intermediate the operator supplies', async () => {
    const intermediate = edgeRoot.issueIntermediate();
    const trust = TrustStore.fromDer([edgeRoot.der], { intermediates: [intermediate.der] });
    const request = requestBy(intermediate.issue({ dnsNames: [edgeName] }));
    await expect(prove({ ...byName, trust }, request)).resolves.toMatchObject({ proof: 'origin-mtls' });
  });

  it.each<[string, Partial<OriginMtlsOptions>]>([
    ['another letter case in the options', { dnsNames: ['EDGE.Origin.Example.COM'] }],
    ['several names, of which it has one', { dnsNames: ['a.example', edgeName, 'b.example'] }],
    ['a URI', { dnsNames: undefined as never, uris: ['urn:edge:1'] }],
    ['its key', { dnsNames: undefined as never, spkiSha256: [pinOf(edge)] }],
    ['its key in upper case', { dnsNames: undefined as never, spkiSha256: [pinOf(edge).toUpperCase()] }],
    ['one of two keys', { dnsNames: undefined as never, spkiSha256: ['0'.repeat(64), pinOf(edge)] }],
    ['a name, a URI and a key', { uris: ['urn:edge:1'], spkiSha256: [pinOf(edge)] }],
  ])('accepts it by %s', async (_, options) => {
    await expect(prove({ ...byName, ...options }, requestBy(edge))).resolves.toMatchObject({ proof: 'origin-mtls' });
  });

  it('accepts another letter case in the certificate', async () => {
    const certificate = edgeRoot.issue({ dnsNames: [edgeName.toUpperCase()] });
    await expect(prove(byName, requestBy(certificate))).resolves.toMatchObject({ proof: 'origin-mtls' });
  });

  it.each<[string, Parameters<TestAuthority['issue']>[0]]>([
    ['another name', { dnsNames: ['evil.example.com'] }],
    ['no name', {}],
    ['the name only as CN', { subject: `CN=${edgeName}` }],
    ['a wildcard over the name', { dnsNames: ['*.origin.example.com'] }],
    ['the name with a dot behind it', { dnsNames: [`${edgeName}.`] }],
    ['a name that begins with it', { dnsNames: [`${edgeName}.evil.com`] }],
    ['a name that ends with it', { dnsNames: [`evil-${edgeName}`] }],
    ['the name with a space', { dnsNames: [`${edgeName} `] }],
    ['the name as a URI', { uris: [edgeName] }],
    ['the name as an e-mail address', { emails: [edgeName] }],
    ['both names in one', { dnsNames: [`${edgeName},other.example.com`] }],
  ])('refuses a certificate with %s', async (_, fields) => {
    await expect(prove(byName, requestBy(edgeRoot.issue(fields)))).toRejectWith(
      'ERR_CHANNEL_UNTRUSTED',
      distrust('name-not-permitted'),
    );
  });

  it('refuses a certificate for a name that a wildcard in the options would cover', async () => {
    const options = { trust: edgeTrust, dnsNames: ['*.origin.example.com'] };
    await expect(prove(options, requestBy(edge))).toRejectWith('ERR_CHANNEL_UNTRUSTED', distrust('name-not-permitted'));
  });

  it.each(['urn:EDGE:1', 'urn:edge:1/', 'urn:edge:', 'URN:edge:1'])(
    'refuses another spelling of the URI: %s',
    async (uri) => {
      const options = { trust: edgeTrust, uris: [uri] };
      await expect(prove(options, requestBy(edge))).toRejectWith(
        'ERR_CHANNEL_UNTRUSTED',
        distrust('name-not-permitted'),
      );
    },
  );

  it.each<[string, Partial<OriginMtlsOptions>, string]>([
    ['the name and not the URI', { uris: ['urn:edge:2'] }, 'name-not-permitted'],
    ['the URI and not the name', { dnsNames: ['a.example'], uris: ['urn:edge:1'] }, 'name-not-permitted'],
    ['the name and not the key', { spkiSha256: [pinOf(viewer)] }, 'key-not-pinned'],
    ['the key and not the name', { dnsNames: ['a.example'], spkiSha256: [pinOf(edge)] }, 'name-not-permitted'],
    ['the key of its issuer', { spkiSha256: [pinOf(edgeRoot)] }, 'key-not-pinned'],
  ])('refuses a certificate that has %s', async (_, options, reason) => {
    await expect(prove({ ...byName, ...options }, requestBy(edge))).toRejectWith(
      'ERR_CHANNEL_UNTRUSTED',
      distrust(reason),
    );
  });

  it.each<[string, readonly { readonly der: Buffer }[], string, string | undefined]>([
    ['no certificate', [], 'certificate-missing', undefined],
    ["a viewer's certificate", [viewer], 'certificate-rejected', 'ERR_PATH_ISSUER_UNKNOWN'],
    [
      "a viewer's certificate with the proxy's name, from the viewers' CA",
      [viewerRoot.issue({ dnsNames: [edgeName] }), viewerRoot],
      'certificate-rejected',
      'ERR_PATH_ISSUER_UNKNOWN',
    ],
    [
      "a viewer's certificate before the proxy's own",
      [viewerRoot.issue({ dnsNames: [edgeName] }), edge, edgeRoot],
      'certificate-rejected',
      'ERR_PATH_ISSUER_UNKNOWN',
    ],
    [
      'a certificate for servers only',
      [edgeRoot.issue({ dnsNames: [edgeName], extKeyUsage: ['serverAuth'] })],
      'certificate-rejected',
      'ERR_CERTIFICATE_USAGE_NOT_PERMITTED',
    ],
    [
      'a certificate that has expired',
      [edgeRoot.issue({ dnsNames: [edgeName], notAfter: daysFromTestTime(-0.5) })],
      'certificate-rejected',
      'ERR_CERTIFICATE_EXPIRED',
    ],
    [
      'a certificate that is not yet valid',
      [edgeRoot.issue({ dnsNames: [edgeName], notBefore: daysFromTestTime(1) })],
      'certificate-rejected',
      'ERR_CERTIFICATE_NOT_YET_VALID',
    ],
    [
      'a certificate of a look-alike CA',
      [createAuthority({ subject: edgeRoot.subject }).issue({ dnsNames: [edgeName] })],
      'certificate-rejected',
      'ERR_PATH_SIGNATURE_INVALID',
    ],
    ['the CA itself', [edgeRoot], 'certificate-rejected', 'ERR_CERTIFICATE_IS_CA'],
    ['rubbish', [{ der: Buffer.from('rubbish') }], 'certificate-rejected', 'ERR_CERTIFICATE_MALFORMED'],
    [
      'rubbish behind a good certificate',
      [edge, { der: Buffer.from('rubbish') }],
      'certificate-rejected',
      'ERR_CERTIFICATE_MALFORMED',
    ],
  ])('refuses a peer with %s', async (_, presented, reason, cause) => {
    const proof = prove(byName, requestBy(...presented));
    await expect(proof).toRejectWith('ERR_CHANNEL_UNTRUSTED', distrust(reason));
    const error: unknown = await proof.catch((thrown: unknown) => thrown);
    expect((error as { cause?: { code?: unknown } }).cause?.code).toBe(cause);
  });

  it.each<[string, Parameters<typeof requestOf>[1], string]>([
    ['a plaintext connection, also from loopback', { destroyed: false, remoteAddress: '127.0.0.1' }, 'not-tls'],
    ['a connection that is gone', { encrypted: true, destroyed: true }, 'peer-gone'],
  ])('refuses %s', async (_, socket, reason) => {
    await expect(prove(byName, requestOf([], socket))).toRejectWith('ERR_CHANNEL_UNTRUSTED', distrust(reason));
  });

  it('verifies slow keys off the event loop, with the same answers', async () => {
    const slow = createAuthority({ keyAlgorithm: 'p384' });
    const good = slow.issue({ dnsNames: [edgeName] });
    const options = { trust: storeOf(slow), dnsNames: [edgeName] };
    const pending = originMtls(options).prove(requestBy(good), { time: TEST_TIME.getTime(), clientTrust: viewerTrust });
    expect(pending).toBeInstanceOf(Promise);
    await expect(pending).resolves.toMatchObject({ proof: 'origin-mtls' });
    await expect(prove({ ...options, dnsNames: ['a.example'] }, requestBy(good))).toRejectWith(
      'ERR_CHANNEL_UNTRUSTED',
      distrust('name-not-permitted'),
    );
    const forged = createAuthority({ keyAlgorithm: 'p384', subject: slow.subject }).issue({ dnsNames: [edgeName] });
    await expect(prove(options, requestBy(forged))).toRejectWith(
      'ERR_CHANNEL_UNTRUSTED',
      distrust('certificate-rejected'),
    );
  });
});

describe('origin mTLS on one connection', () => {
  const expiring = edgeRoot.issue({ dnsNames: [edgeName], notAfter: daysFromTestTime(1) });

  it('is proven once, and again when the certificate has expired', async () => {
    const proof = originMtls(byName);
    const request = requestBy(expiring);
    const at = async (time: number): Promise<unknown> => proof.prove(request, { time, clientTrust: viewerTrust });
    const first = await at(TEST_TIME.getTime());
    const notAfter = daysFromTestTime(1).getTime();
    expect(await at(notAfter)).toBe(first);
    for (const time of [notAfter + 1, Number.NaN, Infinity, -Infinity, daysFromTestTime(-400).getTime()]) {
      await expect(at(time)).toRejectWith('ERR_CHANNEL_UNTRUSTED', distrust('certificate-rejected'));
    }
    expect(await at(TEST_TIME.getTime())).toEqual(first);
  });

  it("is judged by the provider's store of now", async () => {
    const provider = { current: edgeTrust, close: async () => {} };
    const proof = originMtls({ ...byName, trust: provider });
    const request = requestBy(edge);
    const now = async (): Promise<unknown> =>
      proof.prove(request, { time: TEST_TIME.getTime(), clientTrust: viewerTrust });
    const first = await now();
    provider.current = storeOf(createAuthority());
    await expect(now()).toRejectWith('ERR_CHANNEL_UNTRUSTED', distrust('certificate-rejected'));
    provider.current = storeOf(edgeRoot);
    expect(await now()).toEqual(first);
  });

  it('uses one store for one request, though the provider has another each time it is asked', async () => {
    const shared = storeOf(viewerRoot);
    const stores = [edgeTrust, shared, shared];
    const provider = {
      get current() {
        return stores.shift() ?? shared;
      },
      close: async () => {},
    };
    const options = { trust: provider, dnsNames: [edgeName] };
    const impostor = requestBy(viewerRoot.issue({ dnsNames: [edgeName] }));
    for (let count = 0; count < 3; count++) {
      stores.splice(0, Infinity, edgeTrust, edgeTrust, shared);
      await expect(prove(options, impostor)).rejects.toMatchObject({ code: 'ERR_CHANNEL_UNTRUSTED' });
      stores.splice(0, Infinity, edgeTrust, shared);
      await expect(prove(options, impostor)).rejects.toMatchObject({ code: 'ERR_CHANNEL_UNTRUSTED' });
    }
  });
});

describe('an authority shared with the clients', () => {
  const context = (clientTrust: TrustStore) => ({ time: TEST_TIME.getTime(), clientTrust });
  const refusal = (subject: string): TypeError =>
    new TypeError(
      `originMtls trusts ${subject}, which also stands behind the client certificates: a client could pass for the ` +
        'proxy. Issue the certificate of the proxy from a CA of its own, or pin its key with spkiSha256.',
    );

  const viewersUnderEdge = edgeRoot.issueIntermediate({ subject: 'CN=Viewers under Edge' });
  const deeper = viewersUnderEdge.issueIntermediate({ subject: 'CN=Deeper' });
  const sameKey = createAuthority({ subject: 'CN=Same Key', key: edgeRoot.key });
  const withIntermediates = (anchor: TestAuthority, ...intermediates: readonly TestAuthority[]): TrustStore =>
    TrustStore.fromDer([anchor.der], { intermediates: intermediates.map(({ der }) => der) });

  const pinning = (anchor: TestCertificate, ...pins: readonly TestCertificate[]): TrustStore =>
    TrustStore.fromDer([anchor.der], { pinnedEndEntities: pins.map(({ der }) => der) });
  const viewerOf = (key: TestCertificate['key']): TestCertificate => selfSigned({ subject: 'CN=Pinned Viewer', key });

  const shared: readonly [string, TrustStore, TrustStore][] = [
    ['the same store', edgeTrust, edgeTrust],
    ['the same anchor', edgeTrust, storeOf(edgeRoot)],
    ['the same anchor among others', storeOf(createAuthority(), edgeRoot), storeOf(viewerRoot, edgeRoot)],
    ['the same key under another name', edgeTrust, storeOf(sameKey)],
    ['a client anchor the edge anchor issued', edgeTrust, storeOf(viewersUnderEdge)],
    ['a client intermediate the edge anchor issued', edgeTrust, withIntermediates(viewerRoot, viewersUnderEdge)],
    ["a client intermediate that is the edge anchor's", edgeTrust, withIntermediates(viewerRoot, sameKey)],
    ['a client anchor the edge anchor cross-signed', edgeTrust, storeOf(edgeRoot.crossSign(viewerRoot))],
    [
      "a client anchor issued by one of the edge operator's intermediates",
      withIntermediates(edgeRoot, viewersUnderEdge),
      storeOf(deeper),
    ],
    [
      "a client anchor that one of the edge operator's intermediates cross-signs",
      withIntermediates(edgeRoot, edgeRoot.crossSign(viewerRoot)),
      viewerTrust,
    ],
    [
      'a client anchor issued by a client intermediate the edge anchor issued',
      edgeTrust,
      withIntermediates(deeper, viewersUnderEdge),
    ],
    ['PA-21: a pinned client with the key of the edge anchor', edgeTrust, pinning(viewerRoot, viewerOf(edgeRoot.key))],
    [
      "PA-21: a pinned client with the key of one of the edge operator's intermediates",
      withIntermediates(edgeRoot, viewersUnderEdge),
      pinning(viewerRoot, viewerOf(viewersUnderEdge.key)),
    ],
    ['PA-21: a pinned client the edge anchor issued', edgeTrust, pinning(viewerRoot, edgeRoot.issue())],
    [
      'PA-21: a pinned client, and no client anchor at all',
      edgeTrust,
      TrustStore.fromDer([], { pinnedEndEntities: [edgeRoot.issue().der] }),
    ],
  ];

  it.each(shared)('is refused at construction: %s', (_, trust, clientTrust) => {
    const channel = originMtls({ trust, dnsNames: [edgeName] });
    const create = (): unknown => createAuthenticator({ trust: clientTrust, source: cloudFront({ channel }) });
    expect(create).toThrow(refusal('CN=Edge Root'));
  });

  it.each(shared)('is refused of a request: %s', async (_, trust, clientTrust) => {
    const options = { trust, dnsNames: [edgeName] };
    await expect(prove(options, requestBy(edge), { clientTrust })).toRejectWith(
      'ERR_CHANNEL_UNTRUSTED',
      distrust('shared-authority'),
    );
  });

  it.each(shared)('is permitted when the key is pinned: %s', async (_, trust, clientTrust) => {
    const channel = originMtls({ trust, spkiSha256: [pinOf(edge)] });
    expect(() => channel.checkTrust(clientTrust)).not.toThrow();
    expect(channel.prove(requestBy(edge), context(clientTrust))).toMatchObject({ proof: 'origin-mtls' });
    const impostor = edgeRoot.issue({ dnsNames: [edgeName] });
    await expect(prove({ trust, spkiSha256: [pinOf(edge)] }, requestBy(impostor), { clientTrust })).toRejectWith(
      'ERR_CHANNEL_UNTRUSTED',
      distrust('key-not-pinned'),
    );
  });

  it.each<[string, TrustStore, TrustStore]>([
    ['two roots', edgeTrust, viewerTrust],
    ['two roots of one name', edgeTrust, storeOf(createAuthority({ subject: edgeRoot.subject }))],
    ["the edge anchor issued by the clients' anchor", storeOf(viewerRoot.issueIntermediate()), viewerTrust],
    ['two intermediates of one root', storeOf(edgeRoot.issueIntermediate()), storeOf(edgeRoot.issueIntermediate())],
    [
      'a client anchor that says the edge anchor issued it, signed by another key',
      edgeTrust,
      storeOf(createAuthority({ subject: edgeRoot.subject }).issueIntermediate()),
    ],
    [
      "an unrelated intermediate of the edge operator with a client anchor's key",
      withIntermediates(edgeRoot, createAuthority().crossSign(viewerRoot)),
      viewerTrust,
    ],
    ['PA-21: a pinned client of another key', edgeTrust, pinning(viewerRoot, viewer)],
    [
      'PA-21: a pinned client that says the edge anchor issued it, signed by another key',
      edgeTrust,
      pinning(viewerRoot, createAuthority({ subject: edgeRoot.subject }).issue()),
    ],
    // By its bytes: the clients' CA can issue its names to anybody, and not this certificate.
    [
      "PA-21: a pinned edge that the clients' anchor issued",
      pinning(createAuthority(), viewerRoot.issue()),
      viewerTrust,
    ],
    ['PA-21: a pinned edge beside pinned clients', pinning(edgeRoot, edge), pinning(viewerRoot, viewer)],
    [
      "PA-21: a pinned edge that is a CA and issued the clients' anchor, for which it does not vouch",
      pinning(edgeRoot, viewerRoot),
      storeOf(viewerRoot.issueIntermediate()),
    ],
  ])('is not seen in %s', (_, trust, clientTrust) => {
    const channel = originMtls({ trust, dnsNames: [edgeName] });
    expect(() => channel.checkTrust(clientTrust)).not.toThrow();
  });

  describe('PA-21: of a pinned edge', () => {
    const pinnedEdge = viewerRoot.issue({ subject: 'CN=Pinned Edge', dnsNames: [edgeName] });
    const trust = TrustStore.fromDer([], { pinnedEndEntities: [pinnedEdge.der] });
    const withKey = { key: pinnedEdge.key };

    it.each<[string, TrustStore]>([
      ['a client pinned with the same certificate', pinning(viewerRoot, pinnedEdge)],
      ['a client pinned with its key', pinning(viewerRoot, selfSigned(withKey))],
      ['a client anchor with its key', storeOf(viewerRoot, createAuthority(withKey))],
      ['a client intermediate with its key', withIntermediates(viewerRoot, viewerRoot.issueIntermediate(withKey))],
    ])('is %s', async (_, clientTrust) => {
      const options = { trust, dnsNames: [edgeName] };
      expect(() => originMtls(options).checkTrust(clientTrust)).toThrow(refusal('CN=Pinned Edge'));
      await expect(prove(options, requestBy(pinnedEdge), { clientTrust })).toRejectWith(
        'ERR_CHANNEL_UNTRUSTED',
        distrust('shared-authority'),
      );
    });

    it("is not the clients' anchor that issued it: of its certificates only the pinned one passes for the proxy", async () => {
      const options = { trust, dnsNames: [edgeName] };
      await expect(prove(options, requestBy(pinnedEdge))).resolves.toMatchObject({ proof: 'origin-mtls' });
      const impostors = [
        viewerRoot.issue({ subject: 'CN=Pinned Edge', dnsNames: [edgeName] }),
        viewerRoot.issue({ subject: 'CN=Pinned Edge', dnsNames: [edgeName], key: pinnedEdge.key }),
      ];
      for (const impostor of impostors) {
        await expect(prove(options, requestBy(impostor))).toRejectWith(
          'ERR_CHANNEL_UNTRUSTED',
          distrust('certificate-rejected'),
        );
      }
    });

    it('is named by its digest where it has no subject', () => {
      const unnamed = viewerRoot.issue({ subject: '', dnsNames: [edgeName] });
      const pins = TrustStore.fromDer([], { pinnedEndEntities: [unnamed.der] });
      const name = `the certificate with the SHA-256 ${hash('sha256', unnamed.der, 'hex')}`;
      expect(() => originMtls({ trust: pins, dnsNames: [edgeName] }).checkTrust(pins)).toThrow(refusal(name));
    });
  });

  it('ends when CAs have cross-signed each other', () => {
    const a = createAuthority();
    const b = createAuthority();
    const trust = withIntermediates(edgeRoot, edgeRoot.crossSign(a), a.crossSign(b), b.crossSign(a));
    expect(() => originMtls({ trust, dnsNames: [edgeName] }).checkTrust(viewerTrust)).not.toThrow();
    expect(() => originMtls({ trust, dnsNames: [edgeName] }).checkTrust(storeOf(b))).toThrow(refusal('CN=Edge Root'));
  });

  it.each<[string, 'edge' | 'client']>([
    ['the edge store', 'edge'],
    ["the clients' store", 'client'],
  ])('is found when a provider swaps %s, and forgotten when it swaps it back', async (_, which) => {
    const edgeProvider = { current: edgeTrust, close: async () => {} };
    const clientProvider = { current: viewerTrust, close: async () => {} };
    const channel = originMtls({ trust: edgeProvider, dnsNames: [edgeName] });
    const authenticator = createAuthenticator({
      trust: clientProvider,
      source: cloudFront({ channel }),
      clock: () => TEST_TIME.getTime(),
    });
    const request = (): CertificateRequest => {
      return { ...requestBy(edge), rawHeaders: ['Client-Cert', encodeClientCert(viewer.der)] };
    };
    await expect(callerOf(authenticator, request())).resolves.toEqual(['urn:viewer:1']);
    const both = storeOf(edgeRoot, viewerRoot);
    if (which === 'edge') edgeProvider.current = both;
    else clientProvider.current = both;
    for (let count = 0; count < 2; count++) {
      await expect(callerOf(authenticator, request())).toRejectWith(
        'ERR_CHANNEL_UNTRUSTED',
        distrust('shared-authority'),
      );
    }
    edgeProvider.current = edgeTrust;
    clientProvider.current = viewerTrust;
    await expect(callerOf(authenticator, request())).resolves.toEqual(['urn:viewer:1']);
  });
});

describe('origin mTLS over real connections', () => {
  async function startOrigin(clock: () => number, options = byName) {
    const authenticator = createAuthenticator({
      trust: viewerTrust,
      source: cloudFront({ channel: originMtls(options) }),
      clock,
    });
    return startTlsOrigin(async (request) => {
      const outcome = await authenticator.authenticate(request);
      if (outcome.status === 'rejected') return { code: outcome.error.code, details: outcome.error.details };
      return outcome.status === 'authenticated' ? [outcome.channel.proof, ...outcome.identity.uris] : outcome.status;
    });
  }
  const at = (): number => TEST_TIME.getTime();
  const headers = { 'Client-Cert': encodeClientCert(viewer.der) };
  const refused = (reason: string): object => ({
    code: 'ERR_CHANNEL_UNTRUSTED',
    details: { proof: 'origin-mtls', reason },
  });

  it('accepts the viewer behind the proxy', async () => {
    const answer = await ask(await startOrigin(at), { ...presenting(edge), headers });
    expect(answer).toEqual(['origin-mtls', 'urn:viewer:1']);
  });

  it("NT-09: never takes the proxy's own certificate for the caller's", async () => {
    await expect(ask(await startOrigin(at), presenting(edge))).resolves.toEqual({
      code: 'ERR_CERTIFICATE_REQUIRED',
      details: {},
    });
  });

  it.each<[string, https.RequestOptions, string]>([
    ['CH-01: nobody', {}, 'certificate-missing'],
    ['CH-01: the viewer itself', presenting(viewer), 'certificate-rejected'],
    [
      'CH-02: another customer of the CA',
      presenting(edgeRoot.issue({ dnsNames: ['a.example'] })),
      'name-not-permitted',
    ],
    [
      'a server of the same CA',
      presenting(edgeRoot.issue({ dnsNames: [edgeName], extKeyUsage: ['serverAuth'] })),
      'certificate-rejected',
    ],
  ])('refuses %s', async (_, client, reason) => {
    await expect(ask(await startOrigin(at), { ...client, headers })).resolves.toEqual(refused(reason));
  });

  it('refuses the proxy from the request on before which its certificate expired', async () => {
    let time = at();
    const expiring = edgeRoot.issue({ dnsNames: [edgeName], notAfter: daysFromTestTime(1) });
    const origin = await startOrigin(() => time);
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    const options = { ...presenting(expiring), headers, agent };
    await expect(ask(origin, options)).resolves.toEqual(['origin-mtls', 'urn:viewer:1']);
    time = daysFromTestTime(1).getTime() + 1;
    await expect(ask(origin, options)).resolves.toEqual(refused('certificate-rejected'));
    agent.destroy();
    expect(origin.connections).toHaveLength(1);
  });

  it('CH-19: carries callers A, B and nobody over one connection without mixing them', async () => {
    const second = viewerRoot.issue({ uris: ['urn:viewer:2'] });
    const origin = await startOrigin(at);
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    const answers: unknown[] = [];
    for (const certificate of [viewer, second, undefined, viewer]) {
      const sent = certificate === undefined ? {} : { 'Client-Cert': encodeClientCert(certificate.der) };
      answers.push(await ask(origin, { ...presenting(edge), headers: sent, agent }));
    }
    agent.destroy();
    expect(origin.connections).toHaveLength(1);
    expect(answers).toEqual([
      ['origin-mtls', 'urn:viewer:1'],
      ['origin-mtls', 'urn:viewer:2'],
      { code: 'ERR_CERTIFICATE_REQUIRED', details: {} },
      ['origin-mtls', 'urn:viewer:1'],
    ]);
  });
});

describe('constructing origin mTLS', () => {
  const trust = edgeTrust;
  const needsTrust = "originMtls needs trust, a TrustStore of the proxy's issuers; it received ";
  const needsNames =
    'originMtls needs dnsNames, uris or spkiSha256: every certificate of the CA would pass for the proxy otherwise.';
  const list = (option: string, received: string): string =>
    `${option} must be a non-empty array of non-empty strings; it received ${received}.`;

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'originMtls takes an options object; it received undefined.'],
    [
      'a trust store in place of options',
      trust,
      'originMtls received an unknown option, `size`. It knows trust, dnsNames, uris, spkiSha256.',
    ],
    ['no trust', { dnsNames: [edgeName] }, `${needsTrust}undefined.`],
    ['PEM for trust', { trust: edgeRoot.pem, dnsNames: [edgeName] }, `${needsTrust}a string.`],
    ['null for trust', { trust: null, dnsNames: [edgeName] }, `${needsTrust}null.`],
    ['a provider without a store', { trust: { current: undefined }, dnsNames: [edgeName] }, `${needsTrust}an object.`],
    ['no names and no pins', { trust }, needsNames],
    ['names that are undefined', { trust, dnsNames: undefined, uris: undefined, spkiSha256: undefined }, needsNames],
    ['an empty list of names', { trust, dnsNames: [] }, list('dnsNames', 'an empty array')],
    ['an empty list of URIs', { trust, uris: [] }, list('uris', 'an empty array')],
    ['an empty list of pins', { trust, spkiSha256: [] }, list('spkiSha256', 'an empty array')],
    ['an empty list beside a good one', { trust, dnsNames: [edgeName], uris: [] }, list('uris', 'an empty array')],
    ['null for a list', { trust, dnsNames: null }, list('dnsNames', 'null')],
    ['a string for a list', { trust, dnsNames: edgeName }, list('dnsNames', 'a string')],
    ['an empty name', { trust, dnsNames: [''] }, list('dnsNames', 'an array')],
    ['a pattern for a name', { trust, dnsNames: [/edge/] }, list('dnsNames', 'an array')],
    [
      'a pin with colons',
      { trust, spkiSha256: [`${'AA:'.repeat(31)}AA`] },
      'spkiSha256 takes SHA-256 in 64 hexadecimal digits.',
    ],
    [
      'a pin in base64',
      { trust, spkiSha256: [generateKeyPin()] },
      'spkiSha256 takes SHA-256 in 64 hexadecimal digits.',
    ],
    [
      'a pin with a newline',
      { trust, spkiSha256: [`${'a'.repeat(64)}\n`] },
      'spkiSha256 takes SHA-256 in 64 hexadecimal digits.',
    ],
    [
      'a misspelt option',
      { trust, dnsnames: [edgeName] },
      'originMtls received an unknown option, `dnsnames`. Did you mean `dnsNames`?',
    ],
  ])('rejects %s', (_, options, message) => {
    expect(() => originMtls(options as never)).toThrow(new TypeError(message));
  });

  it('accepts a provider', () => {
    const provider = { current: trust, close: async () => {} };
    expect(originMtls({ trust: provider, dnsNames: [edgeName] })).toMatchObject({
      proof: 'origin-mtls',
      consumedHeaders: [],
    });
  });

  it('does not change when the arrays it was given do', async () => {
    const dnsNames = [edgeName];
    const proof = originMtls({ trust, dnsNames });
    dnsNames[0] = 'a.example';
    const context = { time: TEST_TIME.getTime(), clientTrust: viewerTrust };
    expect(await proof.prove(requestBy(edge), context)).toMatchObject({ proof: 'origin-mtls' });
  });
});

function generateKeyPin(): string {
  return hash('sha256', generateKey().publicKey.export({ type: 'spki', format: 'der' }), 'base64');
}
