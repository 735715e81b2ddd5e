import crypto from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import {
  admitRequest,
  type Authenticator,
  type CertificateRequest,
  type ClientIdentity,
  clientIdentityOf,
  cloudFront,
  createTrustDomains,
  originMtls,
  type OutcomeEvent,
  type TrustDomainOptions,
  TrustStore,
} from '@peercert/core';
import { cloudFrontHeaders, createAuthority, TEST_TIME, type TestCertificate } from '@peercert/testkit';
import { admitted, callerOf, countingDecodes, edgeChannel, fromEdge, requestOf } from '../../support/requests';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../support/refusals';

const partnersRoot = createAuthority({ subject: 'CN=Partners' });
const internalRoot = createAuthority({ subject: 'CN=Internal' });
const partner = partnersRoot.issue({ uris: ['urn:partner'] });
const employee = internalRoot.issue({ uris: ['urn:employee'] });

const of = (client: TestCertificate): CertificateRequest => fromEdge(...cloudFrontHeaders(client).flat());
const storeOf = (...anchors: readonly TestCertificate[]): TrustStore =>
  TrustStore.fromDer(anchors.map(({ der }) => der));
const stores = { partners: storeOf(partnersRoot), internal: storeOf(internalRoot) };
const common = { source: cloudFront({ channel: edgeChannel }), clock: () => TEST_TIME.getTime() };

const domainsOf = (options: Partial<Omit<TrustDomainOptions<'partners' | 'internal'>, 'trust'>> = {}) =>
  createTrustDomains({ trust: stores, ...common, ...options });

/** The caller, or the code of the refusal. */
async function answerOf(authenticator: Authenticator, request: CertificateRequest): Promise<string> {
  const outcome = await authenticator.authenticate(request);
  if (outcome.status === 'rejected') return outcome.error.code;
  return outcome.status === 'authenticated' ? String(outcome.identity.uris) : outcome.status;
}

const unknownIssuer = 'ERR_PATH_ISSUER_UNKNOWN';

describe('an authenticator of a trust domain', () => {
  it('accepts what its own store vouches for, and takes what another vouches for for a stranger', async () => {
    const domains = domainsOf();
    await expect(callerOf(domains.authenticator('partners'), of(partner))).resolves.toEqual(['urn:partner']);
    await expect(callerOf(domains.authenticator('internal'), of(employee))).resolves.toEqual(['urn:employee']);
    await expect(callerOf(domains.authenticator('partners'), of(employee))).toRejectWith(unknownIssuer, {
      depth: 1,
      issuer: 'CN=Internal',
    });
    await expect(callerOf(domains.authenticator('internal'), of(partner))).toRejectWith(unknownIssuer, {
      depth: 1,
      issuer: 'CN=Partners',
    });
  });

  it('is the same each time it is asked for', () => {
    const domains = domainsOf();
    expect(domains.authenticator('partners')).toBe(domains.authenticator('partners'));
    expect(domains.authenticator('partners')).not.toBe(domains.authenticator('internal'));
  });

  it.each(['', 'Partners', 'public', '__proto__', 'constructor', 'toString'])('is none of the name %j', (name) => {
    expect(() => domainsOf().authenticator(name as never)).toThrow(
      new TypeError('There is no such trust domain; there are partners, internal.'),
    );
  });

  it('judges by the options that hold for every domain, over a channel that is proven', async () => {
    const domains = domainsOf({ presence: 'optional' });
    for (const name of ['partners', 'internal'] as const) {
      const authenticator = domains.authenticator(name);
      expect(authenticator.consumedHeaders).toContain('x-edge-secret');
      await expect(callerOf(authenticator, fromEdge())).resolves.toEqual(['anonymous']);
      await expect(callerOf(authenticator, requestOf(cloudFrontHeaders(partner).flat()))).rejects.toMatchObject({
        code: 'ERR_CHANNEL_UNTRUSTED',
      });
    }
  });

  it('follows the provider of its own store alone', async () => {
    const provider = { current: stores.partners, close: async () => {} };
    const domains = createTrustDomains({ ...common, trust: { partners: provider, internal: stores.internal } });
    const [partners, internal] = [domains.authenticator('partners'), domains.authenticator('internal')];
    const answers = async () => [await answerOf(partners, of(partner)), await answerOf(internal, of(employee))];
    await expect(answers()).resolves.toEqual(['urn:partner', 'urn:employee']);
    provider.current = storeOf(createAuthority());
    await expect(answers()).resolves.toEqual([unknownIssuer, 'urn:employee']);
  });
});

describe('two anchors of one name', () => {
  const subject = 'CN=Example CA';
  const [a, b] = [createAuthority({ subject }), createAuthority({ subject })];
  const [aliceOfA, aliceOfB] = [a, b].map((root) => root.issue({ subject: 'CN=alice' })) as [
    TestCertificate,
    TestCertificate,
  ];
  const domains = createTrustDomains({ ...common, trust: { a: storeOf(a), b: storeOf(b) } });

  async function identityIn(domain: 'a' | 'b', client: TestCertificate): Promise<ClientIdentity> {
    const outcome = await admitted(domains.authenticator(domain), of(client));
    if (outcome.status !== 'authenticated') throw new TypeError('nobody');
    return outcome.identity;
  }

  it('PA-19: vouch each for its own alice only, whose identities name the anchor', async () => {
    for (const [domain, other, client, anchor] of [
      ['a', 'b', aliceOfA, a],
      ['b', 'a', aliceOfB, b],
    ] as const) {
      const { subject: name, issuer, trustAnchor } = await identityIn(domain, client);
      expect([name, issuer, trustAnchor.subject].map(String)).toEqual(['CN=alice', subject, subject]);
      expect(trustAnchor.certificateSha256).toBe(crypto.hash('sha256', anchor.der, 'hex'));
      await expect(identityIn(other, client)).toRejectWith('ERR_PATH_SIGNATURE_INVALID', { depth: 0, issuer: subject });
    }
    expect(crypto.hash('sha256', a.der, 'hex')).not.toBe(crypto.hash('sha256', b.der, 'hex'));
  });
});

describe('what was found out in one domain', () => {
  it.each([
    ['accepted, then refused', ['partners', 'internal'], ['urn:partner', unknownIssuer]],
    ['refused, then accepted', ['internal', 'partners'], [unknownIssuer, 'urn:partner']],
  ] as const)('CA-04: is not used in another: %s', async (_, order, answers) => {
    const domains = domainsOf();
    const request = of(partner);
    // Twice: reached, then remembered.
    for (const asked of [request, of(partner)]) {
      for (const [at, name] of order.entries()) {
        await expect(answerOf(domains.authenticator(name), asked)).resolves.toBe(answers[at]);
      }
    }
  });

  it('CA-04: is not used in another while both ask at once, with a key that is verified off the event loop', async () => {
    const root = createAuthority({ keyAlgorithm: 'p384' });
    const client = root.issueIntermediate({ keyAlgorithm: 'p384' }).issue({ uris: ['urn:slow'] });
    const trust = { own: storeOf(root), other: storeOf(createAuthority()) };
    for (const order of [
      ['own', 'other'],
      ['other', 'own'],
    ] as const) {
      const domains = createTrustDomains({ ...common, trust });
      const answers = await Promise.all(order.map((name) => answerOf(domains.authenticator(name), of(client))));
      expect(answers).toEqual(order.map((name) => (name === 'own' ? 'urn:slow' : unknownIssuer)));
    }
  });

  it('CA-04: does not outlive a mount inside another: the inner one decides, in both directions', async () => {
    const domains = domainsOf();
    const request = of(partner);
    await expect(admitRequest(domains.authenticator('partners'), request)).resolves.toMatchObject({ admitted: true });
    expect(clientIdentityOf(request).uris).toEqual(['urn:partner']);
    const inner = await admitRequest(domains.authenticator('internal'), request);
    expect(inner).toMatchObject({ admitted: false, error: { code: unknownIssuer } });
    expect(() => clientIdentityOf(request)).toThrow(TypeError);
    await expect(admitRequest(domains.authenticator('partners'), request)).resolves.toMatchObject({ admitted: true });
  });

  it('is a request read once for all of them', async () => {
    const collect = jest.fn(common.source.collect);
    const source = countingDecodes({ ...common.source, collect });
    const domains = domainsOf({ source });
    const [partners, internal] = [domains.authenticator('partners'), domains.authenticator('internal')];
    for (const request of [of(partner), fromEdge()]) {
      collect.mockClear();
      for (const authenticator of [partners, internal, partners]) await authenticator.authenticate(request);
      expect(collect.mock.calls).toEqual([[request]]);
    }
  });

  it('is a request read again where reading it was refused, to the same refusal', async () => {
    const domains = domainsOf();
    const malformed = fromEdge('Client-Cert', 'rubbish');
    for (const name of ['partners', 'internal', 'partners'] as const) {
      await expect(answerOf(domains.authenticator(name), malformed)).resolves.toBe('ERR_HEADER_MALFORMED');
    }
  });

  it('is the signature over an intermediate, which is verified once for all of them', async () => {
    const policy = partnersRoot.issueIntermediate({ subject: 'CN=Policy' });
    const [one, two] = [policy, policy].map((issuer) => issuer.issueIntermediate().issue()) as [
      TestCertificate,
      TestCertificate,
    ];
    const shared = storeOf(partnersRoot);
    const trust = { first: TrustStore.union([shared]), second: TrustStore.union([shared, stores.internal]) };
    const domains = createTrustDomains({ ...common, trust });
    const verify = jest.spyOn(crypto, 'verify');
    const signaturesFor = async (name: 'first' | 'second', client: TestCertificate): Promise<number> => {
      verify.mockClear();
      await admitted(domains.authenticator(name), of(client));
      return verify.mock.calls.length;
    };
    // Policy, issuing, client; then the client alone; then what is new.
    await expect(signaturesFor('first', one)).resolves.toBe(3);
    await expect(signaturesFor('second', one)).resolves.toBe(1);
    await expect(signaturesFor('second', two)).resolves.toBe(2);
    await expect(signaturesFor('first', two)).resolves.toBe(1);
    verify.mockRestore();
  });

  it('CA-04: are intermediates that lead to no anchor of another, however well they are known', async () => {
    const domains = domainsOf();
    const issuing = partnersRoot.issueIntermediate({ subject: 'CN=Issuing' });
    const client = issuing.issue({ uris: ['urn:below'] });
    await expect(answerOf(domains.authenticator('partners'), of(client))).resolves.toBe('urn:below');
    await expect(answerOf(domains.authenticator('internal'), of(client))).resolves.toBe(unknownIssuer);
    // Nor do they complete a path whose client left them out.
    const alone = fromEdge(...cloudFrontHeaders(client, { chain: [] }).flat());
    await expect(answerOf(domains.authenticator('partners'), alone)).resolves.toBe(unknownIssuer);
  });
});

describe('choosing a domain for each request', () => {
  const at = (path: string, client?: TestCertificate) =>
    Object.assign(client === undefined ? fromEdge() : of(client), { url: path });
  const byPath = ({ url = '' }: IncomingMessage): 'partners' | 'internal' | undefined => {
    if (url.startsWith('/partners/')) return 'partners';
    return url.startsWith('/internal/') ? 'internal' : undefined;
  };

  it('is judged in the domain it belongs to', async () => {
    const authenticator = domainsOf().choose(byPath);
    await expect(answerOf(authenticator, at('/partners/', partner))).resolves.toBe('urn:partner');
    await expect(answerOf(authenticator, at('/internal/', partner))).resolves.toBe(unknownIssuer);
    await expect(answerOf(authenticator, at('/internal/', employee))).resolves.toBe('urn:employee');
    await expect(answerOf(authenticator, at('/partners/', employee))).resolves.toBe(unknownIssuer);
  });

  it('has verdicts in common with the authenticator of the domain', async () => {
    const events: OutcomeEvent[] = [];
    const domains = domainsOf({ onOutcome: (event) => events.push(event) });
    await answerOf(domains.authenticator('partners'), of(partner));
    await answerOf(domains.choose(byPath), at('/partners/', partner));
    expect(events.map((event) => event['clientcert.cache.result'])).toEqual(['miss', 'hit']);
  });

  it('refuses a request that belongs to none, with a certificate or without, and asks nobody else', async () => {
    const collect = jest.fn();
    const authenticator = domainsOf({ presence: 'optional', source: { ...common.source, collect } }).choose(byPath);
    for (const request of [at('/', partner), at('/')]) {
      await expect(admitted(authenticator, request)).toRejectWith('ERR_POLICY_NO_TRUST_DOMAIN', {});
      const admission = await admitRequest(authenticator, request);
      expect(admission.refusal).toMatchObject({ status: 403, code: 'certificate_required' });
    }
    expect(collect).not.toHaveBeenCalled();
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'PARTNERS', 'partners ', '', 'undefined'])(
    'refuses a request of the tenant %j, which is none',
    async (name) => {
      await expect(
        admitted(
          domainsOf().choose(() => name as never),
          of(partner),
        ),
      ).toRejectWith('ERR_POLICY_NO_TRUST_DOMAIN', {});
    },
  );

  it('knows a tenant called __proto__ that does exist', async () => {
    const trust: Record<string, TrustStore> = { ['__proto__']: stores.partners };
    const domains = createTrustDomains({ ...common, trust });
    await expect(
      answerOf(
        domains.choose(() => '__proto__'),
        of(partner),
      ),
    ).resolves.toBe('urn:partner');
    await expect(
      answerOf(
        domains.choose(() => 'constructor'),
        of(partner),
      ),
    ).resolves.toBe('ERR_POLICY_NO_TRUST_DOMAIN');
  });

  const failure = new Error('the list of tenants is gone');
  const notAName = (what: string) =>
    new TypeError(`choose must answer with the name of a domain; it answered with ${what}.`);
  it.each<[string, () => unknown, unknown]>([
    [
      'throws',
      () => {
        throw failure;
      },
      failure,
    ],
    ['answers with a promise', async () => 'partners', notAName('an object')],
    ['answers with a promise that is rejected', async () => Promise.reject(failure), notAName('an object')],
    ['answers with null', () => null, notAName('null')],
    ['answers with false', () => false, notAName('false')],
    ['answers with a store', () => stores.partners, notAName('an object')],
    ['answers with a list of one', () => ['partners'], notAName('an array')],
    ['answers with what reads as a name', () => ({ toString: () => 'partners' }), notAName('an object')],
  ])('ID-09: refuses, with 500, when choose %s', async (_, choose, cause) => {
    const unhandled = jest.fn();
    process.on('unhandledRejection', unhandled);
    const authenticator = domainsOf({ presence: 'optional' }).choose(choose as never);
    const outcome = await authenticator.authenticate(of(partner));
    expect(outcome).toMatchObject({ status: 'rejected', error: { code: 'ERR_POLICY_FAILED', details: {}, cause } });
    const admission = await admitRequest(authenticator, of(partner));
    expect(admission.refusal).toMatchObject({ status: 500, code: 'unavailable' });
    await new Promise((resolve) => void setImmediate(resolve));
    expect(unhandled).not.toHaveBeenCalled();
    process.off('unhandledRejection', unhandled);
  });

  it('hides the headers of the channel and of the source, and enforces, as the domains do', async () => {
    for (const enforcement of ['enforce', 'report-only'] as const) {
      const domains = domainsOf({ enforcement });
      const chosen = domains.choose(byPath);
      expect(chosen.consumedHeaders).toEqual(domains.authenticator('partners').consumedHeaders);
      expect(chosen.enforcement).toBe(enforcement);
    }
    const refused = at('/', partner);
    await admitRequest(domainsOf().choose(byPath), refused);
    expect(refused.rawHeaders).toEqual([]);
  });

  it.each([undefined, null, 'partners', {}])('takes a function, not %j', (choose) => {
    expect(() => domainsOf().choose(choose as never)).toThrow(/^choose takes a function of the request; it received /);
  });
});

describe('what is told of outcomes in several domains', () => {
  it('names domain and generation, also of a request that belongs to none', async () => {
    const root = createAuthority();
    const events: OutcomeEvent[] = [];
    const domains = domainsOf({ onOutcome: (event) => events.push(event) });
    await answerOf(domains.authenticator('partners'), of(partner));
    await answerOf(domains.authenticator('internal'), of(root.issue()));
    await answerOf(
      domains.choose(() => 'internal'),
      fromEdge(),
    );
    await answerOf(
      domains.choose(() => undefined),
      of(partner),
    );
    await answerOf(
      domains.choose(() => null as never),
      of(partner),
    );
    const told = events.map((event) => [
      event['clientcert.trust.domain'],
      event['clientcert.trust.generation'],
      event['clientcert.status'],
      event['error.type'],
    ]);
    expect(told).toEqual([
      ['partners', 0, 'authenticated', undefined],
      ['internal', 0, 'rejected', unknownIssuer],
      ['internal', 0, 'rejected', 'ERR_CERTIFICATE_REQUIRED'],
      [undefined, undefined, 'rejected', 'ERR_POLICY_NO_TRUST_DOMAIN'],
      [undefined, undefined, 'rejected', 'ERR_POLICY_FAILED'],
    ]);
    expect(events[3]).toEqual({
      'event.name': 'clientcert.verify',
      'event.outcome': 'failure',
      'clientcert.status': 'rejected',
      'clientcert.enforcement': 'enforce',
      'clientcert.source': 'cloudfront',
      'clientcert.cache.result': 'none',
      'clientcert.verification.duration': expect.any(Number),
      'error.type': 'ERR_POLICY_NO_TRUST_DOMAIN',
    });
  });

  it('has the generation of the domain that was asked', async () => {
    const events: OutcomeEvent[] = [];
    const third = TrustStore.assemble(stores.partners.parts, 3, stores.partners.use);
    const trust = { partners: { current: third, close: async () => {} }, internal: stores.internal };
    const domains = createTrustDomains({ ...common, trust, onOutcome: (event) => events.push(event) });
    await answerOf(domains.authenticator('partners'), of(partner));
    await answerOf(domains.authenticator('internal'), of(partner));
    expect(events.map((event) => event['clientcert.trust.generation'])).toEqual([3, 0]);
  });
});

describe('constructing trust domains', () => {
  const needed = 'createTrustDomains needs trust, a store for each domain by its name; it received';
  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'createTrustDomains takes an options object; it received undefined.'],
    ['no trust', common, `${needed} undefined.`],
    ['no domain', { ...common, trust: {} }, `${needed} an object.`],
    ['a store by itself', { ...common, trust: stores.partners }, `${needed} a store without a name.`],
    [
      'a provider by itself',
      { ...common, trust: { current: stores.partners, close: async () => {} } },
      `${needed} a store without a name.`,
    ],
    ['a list of stores', { ...common, trust: [stores.partners] }, `${needed} an array.`],
    ['a map of stores', { ...common, trust: new Map([['partners', stores.partners]]) }, `${needed} an object.`],
    [
      'PEM for a store',
      { ...common, trust: { ...stores, public: partnersRoot.pem } },
      'createTrustDomains needs a TrustStore for each domain; for public it received a string.',
    ],
    [
      'no store for a domain',
      { ...common, trust: { ...stores, public: undefined } },
      'createTrustDomains needs a TrustStore for each domain; for public it received undefined.',
    ],
    [
      'no source',
      { trust: stores },
      'createAuthenticator needs source, cloudFront({ channel }) or nativeTls(); it received undefined.',
    ],
    [
      'a word that does not exist',
      { ...common, trust: stores, presence: 'perhaps' },
      "presence must be 'required' or 'optional'.",
    ],
  ])('rejects %s', (_, options, message) => {
    expect(() => createTrustDomains(options as never)).toThrow(new TypeError(message));
  });

  it('rejects a misspelt option', () => {
    const misspelt = { ...common, trust: stores, Presence: 'optional' };
    expect(() => createTrustDomains(misspelt)).toThrow(
      new TypeError('createTrustDomains received an unknown option, `Presence`. Did you mean `presence`?'),
    );
  });

  it('rejects a number out of bounds', () => {
    expect(() => domainsOf({ verdictCache: { maxEntries: 0 } })).toThrow(RangeError);
  });

  it('does not change when the options it was given do', async () => {
    const options = { ...common, trust: { ...stores }, presence: 'required' as 'required' | 'optional' };
    const domains = createTrustDomains(options);
    options.presence = 'optional';
    options.trust.internal = stores.partners;
    await expect(answerOf(domains.authenticator('internal'), fromEdge())).resolves.toBe('ERR_CERTIFICATE_REQUIRED');
    await expect(answerOf(domains.authenticator('internal'), of(partner))).resolves.toBe(unknownIssuer);
  });

  it("rejects a proxy's issuer that also stands in the store of one domain", () => {
    const edge = createAuthority({ subject: 'CN=Edge' });
    const behind = (trust: Readonly<Record<string, TrustStore>>) =>
      createTrustDomains({
        ...common,
        source: cloudFront({ channel: originMtls({ trust: storeOf(edge), dnsNames: ['edge.example'] }) }),
        trust,
      });
    expect(() => behind(stores)).not.toThrow();
    for (const name of ['partners', 'internal', 'public']) {
      expect(() => behind({ ...stores, [name]: storeOf(edge, createAuthority()) })).toThrow(
        /^originMtls trusts CN=Edge, /,
      );
    }
  });
});
