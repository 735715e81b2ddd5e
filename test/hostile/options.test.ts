import {
  cloudFront,
  createAuthenticator,
  createGuard,
  admitRequest,
  originMtls,
  originServerOptions,
  sharedSecret,
  trustedAddresses,
  TrustStore,
  type ValidationRules,
} from '@peercert/core';
import { cloudFrontHeaders, createAuthority, TEST_TIME } from '@peercert/testkit';
import { behindEdge, callerOf, edgeSecret, fromEdge, requestOf } from '../support/requests';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../support/refusals';

const root = createAuthority();
const alice = cloudFrontHeaders(root.issue({ uris: ['urn:alice'] })).flat();
const ca = root.issueIntermediate({ keyUsage: ['digitalSignature', 'keyCertSign'], extKeyUsage: ['clientAuth'] });
const codeOf = async (answer: Promise<unknown>): Promise<unknown> =>
  answer.catch(({ code }: { code?: string }) => code);

describe('options that are changed after they were judged', () => {
  it('change nothing: rules, presence and the rule of who is let in', async () => {
    const options = {
      trust: TrustStore.fromDer([root.der]),
      source: cloudFront({ channel: sharedSecret({ header: 'X-Edge-Secret', secrets: [edgeSecret] }) }),
      clock: () => TEST_TIME.getTime(),
      rules: {} as { -readonly [Rule in keyof ValidationRules]: ValidationRules[Rule] },
      authorize: (): boolean => false,
    };
    const authenticator = createAuthenticator(options);
    options.rules.caAsEndEntity = 'accept';
    options.authorize = () => true;
    Object.assign(options, { presence: 'optional', enforcement: 'report-only', untrustedPeer: 'anonymous' });
    const sent = [cloudFrontHeaders(ca).flat(), alice, []].map((lines) => fromEdge(...lines));
    const answers = await Promise.all(sent.map((request) => codeOf(callerOf(authenticator, request))));
    expect(answers).toEqual(['ERR_CERTIFICATE_IS_CA', 'ERR_POLICY_NOT_AUTHORIZED', 'ERR_CERTIFICATE_REQUIRED']);
    await expect(admitRequest(authenticator, requestOf(alice))).resolves.toMatchObject({ admitted: false });
  });

  it('change nothing: the policies a path must be good for', async () => {
    const policies = { requireExplicitPolicy: true };
    const authenticator = behindEdge([root], { policies });
    policies.requireExplicitPolicy = false;
    await expect(codeOf(callerOf(authenticator, fromEdge(...alice)))).resolves.toBe('ERR_PATH_POLICY_NOT_SATISFIED');
  });

  it('change nothing: secrets, addresses and names of the proxy', () => {
    const context = { time: TEST_TIME.getTime(), clientTrust: undefined };
    const secrets = [edgeSecret];
    const secret = sharedSecret({ header: 'X-Edge-Secret', secrets });
    secrets.push('another-secret-of-enough-characters');
    expect(() => secret.prove(requestOf(['X-Edge-Secret', secrets[1] as string]), context)).toThrowWithCode(
      'ERR_CHANNEL_UNTRUSTED',
      { proof: 'shared-secret', reason: 'secret-wrong' },
    );

    const cidrs = ['10.0.0.0/8'];
    const addresses = trustedAddresses(cidrs);
    cidrs.push('192.0.2.0/24', 'unix');
    expect(() =>
      addresses.prove(requestOf([], { destroyed: false, remoteAddress: '192.0.2.1' }), context),
    ).toThrowWithCode('ERR_CHANNEL_UNTRUSTED', { proof: 'trusted-addresses', reason: 'address-not-trusted' });

    const proxies = createAuthority();
    const other = proxies.issue({ dnsNames: ['other.example'] });
    const dnsNames = ['edge.example'];
    const mtls = originMtls({ trust: TrustStore.fromDer([proxies.der]), dnsNames });
    dnsNames.push('other.example');
    const getPeerX509Certificate = () => ({ raw: other.der, issuerCertificate: undefined });
    const request = requestOf([], { encrypted: true, destroyed: false, getPeerX509Certificate });
    expect(() => mtls.prove(request, context)).toThrowWithCode('ERR_CHANNEL_UNTRUSTED', {
      proof: 'origin-mtls',
      reason: 'name-not-permitted',
    });
  });

  it('change nothing: the bytes of anchors, and the rule of a guard', async () => {
    const bytes = Buffer.from(root.der);
    const trust = TrustStore.fromDer([bytes]);
    bytes.fill(0);
    const channel = sharedSecret({ header: 'X-Edge-Secret', secrets: [edgeSecret] });
    const authenticator = createAuthenticator({
      trust,
      source: cloudFront({ channel }),
      clock: () => TEST_TIME.getTime(),
    });
    const rule = { uri: 'urn:bob' };
    const guard = createGuard(rule);
    rule.uri = 'urn:alice';
    const request = fromEdge(...alice);
    await expect(admitRequest(authenticator, request)).resolves.toMatchObject({ admitted: true });
    await expect(guard(request, request)).resolves.toMatchObject({ admitted: false });
  });
});

describe('ID-03: options while a property of Object.prototype is called like one of them', () => {
  const prototype = Object.prototype as Record<string, unknown>;
  const made = (): void => {
    const channel = sharedSecret({ header: 'X-Edge-Secret', secrets: [edgeSecret] });
    const trust = TrustStore.fromDer([root.der]);
    createAuthenticator({ trust, source: cloudFront({ channel }), rules: {}, policies: {}, verdictCache: {} });
    originMtls({ trust, dnsNames: ['edge.example'] });
    originServerOptions();
    createGuard({ uri: 'urn:alice' });
  };

  it('are taken while there is none', () => {
    expect(made).not.toThrow();
  });

  it.each([
    ['presence', 'optional'],
    ['untrustedPeer', 'anonymous'],
    ['enforcement', 'report-only'],
    ['authorize', () => true],
    ['otherCertificateHeaders', 'ignore'],
    ['anchor', 'ignore'],
    ['caAsEndEntity', 'accept'],
    ['legacyAlgorithms', 'accept'],
    ['ttlSeconds', 86_400],
    ['intermediates', []],
    ['spkiSha256', ['00'.repeat(32)]],
    ['rejectAtTls', {}],
    ['trustDomain', 'example.com'],
  ])('are refused, be it ever so harmless: %s', (name, value) => {
    prototype[name] = value;
    try {
      expect(made).toThrow(`would inherit \`${name}\` from Object.prototype: something has polluted it.`);
    } finally {
      delete prototype[name];
    }
  });
});
