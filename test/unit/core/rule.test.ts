import { type ClientIdentity, type IdentityPredicate, type IdentityRule } from '@peercert/core';
import { type CertificateFields, cloudFrontHeaders, createAuthority } from '@peercert/testkit';
import { checkPredicate, predicateOf } from '../../../packages/core/src/rule';
import { admitted, behindEdge, fromEdge } from '../../support/requests';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../support/refusals';

const root = createAuthority({ subject: 'CN=Example CA,O=Example' });

async function identityOf(fields: CertificateFields): Promise<ClientIdentity> {
  const lines = cloudFrontHeaders(root.issue(fields)).flat();
  const outcome = await admitted(behindEdge([root]), fromEdge(...lines));
  if (outcome.status !== 'authenticated') throw new TypeError('nobody was authenticated');
  return outcome.identity;
}

const admits = async (rule: IdentityRule, fields: CertificateFields): Promise<unknown> =>
  predicateOf(rule)(await identityOf(fields), fromEdge());

describe('a rule', () => {
  it.each<[string, IdentityRule, CertificateFields]>([
    ['a URI', { uri: 'urn:device:1' }, { uris: ['urn:device:1'] }],
    ['one of several URIs', { uri: ['urn:other', 'urn:device:1'] }, { uris: ['urn:device:0', 'urn:device:1'] }],
    ['a host name', { dns: 'device-1.example.com' }, { dnsNames: ['device-1.example.com'] }],
    ['a host name in another ASCII case', { dns: 'Device-1.EXAMPLE.com' }, { dnsNames: ['dEVICE-1.example.COM'] }],
    ['a wildcard by its own name', { dns: '*.example.com' }, { dnsNames: ['*.example.com'] }],
    ['an address', { email: 'ops@example.com' }, { emails: ['ops@example.com'] }],
    ['an address with its host in another case', { email: 'ops@EXAMPLE.com' }, { emails: ['ops@example.COM'] }],
    ['the issuer', { issuer: 'O=Example,CN=Example CA' }, {}],
    ['a trust domain', { trustDomain: 'example.com' }, { uris: ['spiffe://example.com/ops/alice'] }],
    ['a trust domain in another case', { trustDomain: 'EXAMPLE.com' }, { uris: ['SPIFFE://Example.COM/ops'] }],
    ['a trust domain whose ID has no path', { trustDomain: 'example.com' }, { uris: ['spiffe://example.com'] }],
    [
      'a trust domain beside other kinds of name',
      { trustDomain: 'a_b.c-1' },
      { uris: ['spiffe://a_b.c-1/'], dnsNames: ['x'] },
    ],
    [
      'two properties that both match',
      { uri: 'urn:device:1', dns: ['x.example', 'y.example'] },
      { uris: ['urn:device:1'], dnsNames: ['y.example'] },
    ],
  ])('admits %s', async (_, rule, fields) => {
    await expect(admits(rule, fields)).resolves.toBe(true);
  });

  it.each<[string, IdentityRule, CertificateFields]>([
    ['a URI that begins with it', { uri: 'urn:device:1' }, { uris: ['urn:device:10'] }],
    ['a URI that it begins with', { uri: 'urn:device:10' }, { uris: ['urn:device:1'] }],
    ['a URI that ends with it', { uri: 'urn:device:1' }, { uris: ['x-urn:device:1'] }],
    ['a URI in another case', { uri: 'urn:device:a' }, { uris: ['urn:device:A'] }],
    ['a URI that another percent-encoding spells', { uri: 'urn:device:a' }, { uris: ['urn:device:%61'] }],
    ['a URI with a slash more', { uri: 'spiffe://example.com/a' }, { uris: ['spiffe://example.com/a/'] }],
    ['a URI with a newline behind', { uri: 'urn:device:1' }, { uris: ['urn:device:1\n'] }],
    ['DR-21: a URI that holds it', { dns: 'admin.example' }, { uris: ['spiffe://a/b, DNS:admin.example'] }],
    ['DR-22: a URI of the same text as a host name', { dns: 'admin.example' }, { uris: ['admin.example'] }],
    ['DR-22: an address of the same text as a host name', { dns: 'admin.example' }, { emails: ['admin.example'] }],
    ['DR-22: a host name of the same text as a URI', { uri: 'admin.example' }, { dnsNames: ['admin.example'] }],
    ['DR-22: an address of the same text as a URI', { uri: 'ops@example.com' }, { emails: ['ops@example.com'] }],
    [
      'DR-22: a host name of the same text as an address',
      { email: 'ops@example.com' },
      { dnsNames: ['ops@example.com'] },
    ],
    ['DR-22: a CN of the same text as a host name', { dns: 'admin.example' }, { subject: 'CN=admin.example' }],
    ['a wildcard for a host it covers', { dns: 'device-1.example.com' }, { dnsNames: ['*.example.com'] }],
    ['a host for the wildcard over it', { dns: '*.example.com' }, { dnsNames: ['device-1.example.com'] }],
    ['a host below it', { dns: 'example.com' }, { dnsNames: ['device-1.example.com'] }],
    ['a host with a dot behind', { dns: 'example.com' }, { dnsNames: ['example.com.'] }],
    ['an address in another case before the @', { email: 'ops@example.com' }, { emails: ['OPS@example.com'] }],
    [
      'an address with its host before another',
      { email: 'ops@example.com' },
      { emails: ['ops@example.com@evil.example'] },
    ],
    ['a host as an address', { email: 'example.com' }, { emails: ['ops@example.com'] }],
    ['an issuer with one RDN less', { issuer: 'CN=Example CA' }, {}],
    ['an issuer in the other order', { issuer: 'CN=Example CA,O=Example' }, {}],
    ['an issuer in another case', { issuer: 'O=example,CN=Example CA' }, {}],
    ['a subject that is the issuer', { issuer: 'CN=client' }, { subject: 'CN=client' }],
    ['another public key', { spkiSha256: '00'.repeat(32) }, {}],
    [
      'one property of two',
      { uri: 'urn:device:1', dns: 'x.example' },
      { uris: ['urn:device:1'], dnsNames: ['y.example'] },
    ],
    ['nobody’s names', { uri: 'urn:device:1' }, {}],
  ])('refuses %s', async (_, rule, fields) => {
    await expect(admits(rule, fields)).resolves.toBe(false);
  });

  it.each<readonly string[]>([
    ['spiffe://example.com.evil/'],
    ['spiffe://evil.example.com/'],
    ['spiffe://example.co/'],
    ['spiffe://example.com:443/'],
    ['spiffe://user@example.com/'],
    ['spiffe://evil@example.com'],
    ['spiffe://example.com?/'],
    ['spiffe://example.com#/'],
    ['spiffe://example.com\\/'],
    ['spiffe://example.com%2f/'],
    ['spiffe://example.com\n/'],
    ['spiffe://example.com '],
    [' spiffe://example.com/'],
    ['spiffe:///example.com/'],
    ['spiffe:/example.com/'],
    ['spiffe://'],
    ['https://example.com/'],
    ['xspiffe://example.com/'],
    ['urn:spiffe://example.com/'],
    ['spiffe://example.com/a', 'spiffe://example.com/b'],
    ['spiffe://example.com/a', 'spiffe://example.com/a'],
    ['spiffe://example.com/a', 'urn:device:1'],
    ['urn:device:1', 'spiffe://example.com/a'],
    [],
  ])('refuses, for the trust domain example.com, the URIs %j %j', async (...uris) => {
    const given = uris.filter((uri) => typeof uri === 'string');
    await expect(admits({ trustDomain: 'example.com' }, { uris: given })).resolves.toBe(false);
  });

  it('admits a public key by its digest, in either case of letters', async () => {
    const identity = await identityOf({});
    const { spkiSha256 } = identity;
    for (const digest of [spkiSha256, spkiSha256.toUpperCase(), ['00'.repeat(32), spkiSha256]]) {
      expect(predicateOf({ spkiSha256: digest })(identity, fromEdge())).toBe(true);
    }
    for (const digest of ['00'.repeat(32), identity.certificateSha256]) {
      expect(predicateOf({ spkiSha256: digest })(identity, fromEdge())).toBe(false);
    }
  });

  it('keeps what it was given when the list it came in changes', async () => {
    const list = ['urn:device:2'];
    const predicate = predicateOf({ uri: list });
    list.push('urn:device:1');
    expect(predicate(await identityOf({ uris: ['urn:device:1'] }), fromEdge())).toBe(false);
  });

  it('reads each property once', () => {
    let reads = 0;
    const rule = {
      get uri() {
        return reads++ === 0 ? 'urn:device:1' : undefined;
      },
    };
    expect(() => predicateOf(rule as IdentityRule)).not.toThrow();
    expect(reads).toBe(1);
  });

  it('is a function as it is', () => {
    const predicate: IdentityPredicate = () => true;
    expect(predicateOf(predicate)).toBe(predicate);
  });
});

describe('a rule that is none', () => {
  const all = 'uri, dns, email, spkiSha256, issuer, trustDomain';
  it.each<[string, unknown, string]>([
    ['an empty one', {}, `requireClientIdentity received an empty rule; it knows ${all}.`],
    ['one of undefined values', { uri: undefined }, `requireClientIdentity received an empty rule; it knows ${all}.`],
    ['a list', [{ uri: 'a' }], 'requireClientIdentity takes an options object; it received an array.'],
    ['a string', 'urn:device:1', 'requireClientIdentity takes an options object; it received a string.'],
    ['null', null, 'requireClientIdentity takes an options object; it received null.'],
    ['true', true, 'requireClientIdentity takes an options object; it received true.'],
    [
      'an unknown property',
      { uri: 'a', uris: 'a' },
      `requireClientIdentity received an unknown option, \`uris\`. It knows ${all}.`,
    ],
    [
      'a misspelt property',
      { URI: 'a' },
      'requireClientIdentity received an unknown option, `URI`. Did you mean `uri`?',
    ],
    [
      'a misspelt property',
      { spkisha256: 'a' },
      'requireClientIdentity received an unknown option, `spkisha256`. Did you mean `spkiSha256`?',
    ],
    [
      'ID-03: __proto__ from JSON',
      JSON.parse('{"uri":"a","__proto__":{"uri":"b"}}'),
      `requireClientIdentity received an unknown option, \`__proto__\`. It knows ${all}.`,
    ],
    [
      'ID-03: constructor',
      { constructor: 'a' },
      `requireClientIdentity received an unknown option, \`constructor\`. It knows ${all}.`,
    ],
    ['an empty string', { uri: '' }, 'uri must be a non-empty string, or a list of them; it received a string.'],
    ['an empty list', { dns: [] }, 'dns must be a non-empty string, or a list of them; it received an empty array.'],
    [
      'a list with an empty string',
      { email: ['a', ''] },
      'email must be a non-empty string, or a list of them; it received an array.',
    ],
    ['a list in a list', { uri: [['a']] }, 'uri must be a non-empty string, or a list of them; it received an array.'],
    ['a pattern', { uri: /a/ }, 'uri must be a non-empty string, or a list of them; it received an object.'],
    ['a set', { uri: new Set(['a']) }, 'uri must be a non-empty string, or a list of them; it received an object.'],
    ['a digest too short', { spkiSha256: '00'.repeat(31) }, 'spkiSha256 takes SHA-256 in 64 hexadecimal digits.'],
    [
      'a digest with colons',
      { spkiSha256: ['00'.repeat(32), 'AA:BB'] },
      'spkiSha256 takes SHA-256 in 64 hexadecimal digits.',
    ],
    [
      'a digest with a newline behind',
      { spkiSha256: `${'00'.repeat(32)}\n` },
      'spkiSha256 takes SHA-256 in 64 hexadecimal digits.',
    ],
    [
      'a SPIFFE ID as a trust domain',
      { trustDomain: 'spiffe://example.com' },
      'trustDomain takes a name such as example.com, without spiffe://.',
    ],
    [
      'a pattern as a trust domain',
      { trustDomain: '*.example.com/' },
      'trustDomain takes a name such as example.com, without spiffe://.',
    ],
    ['null', { issuer: null }, 'issuer must be a non-empty string, or a list of them; it received null.'],
    ['true', { trustDomain: true }, 'trustDomain must be a non-empty string, or a list of them; it received true.'],
    ['a String', { uri: Object('a') }, 'uri must be a non-empty string, or a list of them; it received an object.'],
  ])('is a mistake at construction: %s', (_, rule, message) => {
    expect(() => predicateOf(rule as IdentityRule)).toThrow(new TypeError(message));
  });
});

describe('asking a predicate', () => {
  const identity = identityOf({ uris: ['urn:device:1'] });
  const ask = async (predicate: () => unknown): Promise<void> =>
    checkPredicate(predicate as IdentityPredicate, await identity, fromEdge());

  afterEach(() => void jest.useRealTimers());

  it.each<[string, () => unknown]>([
    ['true', () => true],
    ['a promise of true', async () => true],
    ['a promise of a promise of true', async () => Promise.resolve(true)],
    // oxlint-disable-next-line unicorn/no-thenable -- promises of other libraries are thenables
    ['a thenable that resolves with true', () => ({ then: (resolve: (answer: unknown) => void) => resolve(true) })],
  ])('lets in for %s', async (_, predicate) => {
    await expect(ask(predicate)).resolves.toBeUndefined();
  });

  const truthy: readonly unknown[] = [undefined, null, false, 0, 1, 1n, 'true', '', {}, [], [true], { ok: true }, NaN];
  it.each(truthy)('ID-09: refuses for %p, and for a promise of it', async (answer) => {
    const details = { certificateSha256: (await identity).certificateSha256 };
    await expect(ask(() => answer)).toRejectWith('ERR_POLICY_NOT_AUTHORIZED', details);
    await expect(ask(async () => answer)).toRejectWith('ERR_POLICY_NOT_AUTHORIZED', details);
  });

  it.each<[string, () => unknown]>([
    ['a Boolean', () => Object(true)],
    ['a function that returns true', () => () => true],
    ['a Proxy', () => new Proxy({}, { get: (_, key) => (key === 'then' ? undefined : true) })],
    ['an object that turns into true', () => ({ valueOf: () => true, [Symbol.toPrimitive]: () => true })],
    // oxlint-disable-next-line unicorn/no-thenable -- the trick under test
    [
      'a thenable that first says false',
      // oxlint-disable-next-line unicorn/no-thenable -- the trick under test
      () => ({ then: (say: (answer: unknown) => void) => [false, true].forEach(say) }),
    ],
    // oxlint-disable-next-line unicorn/no-thenable -- the trick under test
    ['an object whose then is true', () => ({ then: true })],
  ])('ID-09: refuses for %s', async (_, predicate) => {
    await expect(ask(predicate)).toRejectWith('ERR_POLICY_NOT_AUTHORIZED', {
      certificateSha256: (await identity).certificateSha256,
    });
  });

  const broken = new Error('broken');
  const failing: readonly (readonly [string, () => unknown])[] = [
    [
      'throws',
      () => {
        throw broken;
      },
    ],
    ['rejects', () => Promise.reject(broken)],
    [
      'has a then that throws when it is read',
      () =>
        // oxlint-disable-next-line unicorn/no-thenable -- the trick under test
        Object.defineProperty({}, 'then', {
          get() {
            throw broken;
          },
        }),
    ],
    [
      'has a then that throws when it is called',
      () => ({
        // oxlint-disable-next-line unicorn/no-thenable -- the trick under test
        then() {
          throw broken;
        },
      }),
    ],
    // oxlint-disable-next-line unicorn/no-thenable -- the trick under test
    ['has a then that rejects', () => ({ then: (_: unknown, reject: (error: Error) => void) => reject(broken) })],
  ];
  it.each(failing)('ID-09: refuses with the cause when it %s', async (_, predicate) => {
    await expect(ask(predicate)).toRejectWith('ERR_POLICY_FAILED', {});
    await expect(ask(predicate)).rejects.toHaveProperty('cause', broken);
  });

  it.each([undefined, null, 'text', true])('ID-09: refuses when it throws %p, which is no error', async (thrown) => {
    await expect(
      ask(() => {
        throw thrown;
      }),
    ).toRejectWith('ERR_POLICY_FAILED', {});
  });

  it.each<[string, () => unknown]>([
    ['never answers', () => new Promise(() => {})],
    // oxlint-disable-next-line unicorn/no-thenable -- the trick under test
    ['has a then that does nothing', () => ({ then() {} })],
    ['answers true a millisecond late', () => new Promise((resolve) => setTimeout(() => resolve(true), 5_001))],
    ['fails a millisecond late', () => new Promise((_, reject) => setTimeout(() => reject(broken), 5_001))],
  ])('ID-09: refuses after five seconds when it %s', async (_, predicate) => {
    await identity;
    jest.useFakeTimers();
    const refused = expect(ask(predicate)).toRejectWith('ERR_POLICY_TIMEOUT', { timeoutMs: 5_000 });
    await jest.advanceTimersByTimeAsync(10_000);
    await refused;
  });

  it('ID-09: lets in what answers true just in time', async () => {
    await identity;
    jest.useFakeTimers();
    const answer = ask(async () => new Promise((resolve) => setTimeout(() => resolve(true), 4_999)));
    await jest.advanceTimersByTimeAsync(5_000);
    await expect(answer).resolves.toBeUndefined();
  });

  it.each([() => true, () => false, () => Promise.reject(broken), failing[0]?.[1] as () => unknown])(
    'leaves no timer behind',
    async (predicate) => {
      await identity;
      jest.useFakeTimers();
      await ask(predicate).catch(() => {});
      expect(jest.getTimerCount()).toBe(0);
    },
  );
});
