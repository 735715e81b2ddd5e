import { createHash } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  admitRequest,
  allOf,
  type AuthenticatorOptions,
  type CertificateRequest,
  type ClientIdentity,
  cloudFront,
  createDenyList,
  createRevocation,
  nativeTls,
  originMtls,
  outcomeChannelName,
  type OutcomeEvent,
  type RevocationOptions,
  trustedAddresses,
  TrustStore,
} from '@peercert/core';
import { cloudFrontHeaders, createAuthority, daysFromTestTime, type TestCertificate } from '@peercert/testkit';
import { OutcomeReporter } from '../../../packages/core/src/outcome-event';
import { unknown } from '../../../packages/core/src/revocation/revocation-method';
import { behindEdge, countingDecodes, edgeChannel, fromEdge, requestOf, secretLine } from '../../support/requests';
import { good, methodThat, revoking, sha256Of } from '../../support/revocation-methods';

const root = createAuthority({ subject: 'CN=Root,O=Example' });
const client = root.issue({ subject: 'CN=alice,O=Example', uris: ['urn:alice'] });
const stranger = createAuthority({ subject: 'CN=Stranger' }).issue({ subject: 'CN=mallory' });
const linesOf = (certificate: TestCertificate): readonly string[] => cloudFrontHeaders(certificate).flat();
const digestOf = (der: Uint8Array): string => createHash('sha256').update(der).digest('hex').toUpperCase();

/** The events of one request, by an authenticator that nobody asked before. */
async function eventsOf(
  request: CertificateRequest,
  options: Partial<AuthenticatorOptions> = {},
): Promise<readonly OutcomeEvent[]> {
  const events: OutcomeEvent[] = [];
  await behindEdge([root], { onOutcome: (event) => events.push(event), ...options }).authenticate(request);
  return events;
}

const ofEdge = {
  'event.name': 'clientcert.verify',
  'clientcert.enforcement': 'enforce',
  'clientcert.source': 'cloudfront',
  // Of a store that is not reloaded.
  'clientcert.trust.generation': 0,
  'clientcert.verification.duration': expect.any(Number),
} as const;

/** What the events of a stranger's certificate have in common. */
const refusal = { ...ofEdge, 'event.outcome': 'failure', 'clientcert.status': 'rejected' } as const;
const proven = { 'clientcert.channel.proof': 'shared-secret', 'clientcert.channel.secret': 0 } as const;

describe('the event of an outcome', () => {
  it('of an authenticated request has exactly these attributes', async () => {
    await expect(eventsOf(fromEdge(...linesOf(client)))).resolves.toEqual([
      {
        ...ofEdge,
        ...proven,
        'event.outcome': 'success',
        'clientcert.status': 'authenticated',
        'clientcert.cache.result': 'miss',
        'tls.client.hash.sha256': digestOf(client.der),
      },
    ]);
  });

  it('of an anonymous request has exactly these attributes', async () => {
    await expect(eventsOf(fromEdge(), { presence: 'optional' })).resolves.toEqual([
      {
        ...ofEdge,
        ...proven,
        'event.outcome': 'unknown',
        'clientcert.status': 'anonymous',
        'clientcert.cache.result': 'none',
      },
    ]);
  });

  it.each<[string, CertificateRequest, object]>([
    [
      'over an untrusted channel',
      requestOf(linesOf(client)),
      {
        'clientcert.cache.result': 'none',
        'error.type': 'ERR_CHANNEL_UNTRUSTED',
        'clientcert.reason': 'secret-missing',
      },
    ],
    [
      'without a certificate',
      fromEdge(),
      { ...proven, 'clientcert.cache.result': 'none', 'error.type': 'ERR_CERTIFICATE_REQUIRED' },
    ],
    [
      'with a header that cannot be collected',
      fromEdge(...linesOf(client), ...linesOf(client)),
      { ...proven, 'clientcert.cache.result': 'none', 'error.type': 'ERR_HEADER_REPEATED' },
    ],
    [
      'with a header that cannot be decoded',
      fromEdge('Client-Cert', 'AAAA'),
      {
        ...proven,
        'clientcert.cache.result': 'miss',
        'error.type': 'ERR_HEADER_MALFORMED',
        'clientcert.reason': 'a byte sequence does not begin with a colon',
      },
    ],
    [
      'with something that is no certificate',
      fromEdge('Client-Cert', ':AAEC:'),
      {
        ...proven,
        'clientcert.cache.result': 'miss',
        'error.type': 'ERR_CERTIFICATE_MALFORMED',
        'clientcert.reason': 'Certificate expected',
        'tls.client.hash.sha256': digestOf(Buffer.of(0, 1, 2)),
      },
    ],
    [
      'with the certificate of a stranger',
      fromEdge(...linesOf(stranger)),
      {
        ...proven,
        'clientcert.cache.result': 'miss',
        'error.type': 'ERR_PATH_ISSUER_UNKNOWN',
        'tls.client.hash.sha256': digestOf(stranger.der),
      },
    ],
  ])('of a request %s has exactly these attributes', async (_, request, attributes) => {
    await expect(eventsOf(request)).resolves.toEqual([{ ...refusal, ...attributes }]);
  });

  it('of a request its rule refuses has the digest and the code', async () => {
    await expect(eventsOf(fromEdge(...linesOf(client)), { authorize: () => false })).resolves.toEqual([
      {
        ...refusal,
        ...proven,
        'clientcert.cache.result': 'miss',
        'error.type': 'ERR_POLICY_NOT_AUTHORIZED',
        'tls.client.hash.sha256': digestOf(client.der),
      },
    ]);
  });

  it('of a failure here has the code and not the cause', async () => {
    const clock = () => {
      throw new Error('a secret of the database');
    };
    const events = await eventsOf(fromEdge(...linesOf(client)), { clock });
    expect(events).toEqual([{ ...refusal, 'clientcert.cache.result': 'none', 'error.type': 'ERR_INTERNAL' }]);
  });

  it('tells one certificate of the proxy from the next', async () => {
    const edge = createAuthority({ subject: 'CN=Edge CA' });
    const proxy = edge.issue({ dnsNames: ['edge.example.com'] });
    const trust = TrustStore.fromDer([edge.der]);
    const channel = originMtls({ trust, dnsNames: ['edge.example.com'] });
    const getPeerX509Certificate = () => ({ raw: proxy.der, issuerCertificate: undefined });
    const socket = { encrypted: true, destroyed: false, getPeerX509Certificate };
    const [event] = await eventsOf(requestOf(linesOf(client), socket), { source: cloudFront({ channel }) });
    expect(event).toMatchObject({
      'event.outcome': 'success',
      'clientcert.channel.proof': 'origin-mtls',
      'clientcert.channel.hash.sha256': digestOf(proxy.der),
    });
    expect(event).not.toHaveProperty(['clientcert.channel.secret']);
  });

  it('names the proof that held, and the source', async () => {
    const channel = allOf(trustedAddresses(['10.0.0.0/8']), edgeChannel);
    const socket = { encrypted: true, destroyed: false, remoteAddress: '10.0.0.5' };
    const [both] = await eventsOf(requestOf([...secretLine, ...linesOf(client)], socket), {
      source: cloudFront({ channel }),
    });
    expect(both).toMatchObject({ 'event.outcome': 'success', 'clientcert.channel.proof': 'all-of' });
    expect(both).toMatchObject({ 'clientcert.channel.secret': 0 });
    expect(both).not.toHaveProperty(['clientcert.channel.hash.sha256']);
    const getPeerX509Certificate = () => ({ raw: client.der, issuerCertificate: undefined });
    const overTls = requestOf([], { encrypted: true, destroyed: false, getPeerX509Certificate });
    const [native] = await eventsOf(overTls, { source: nativeTls() });
    expect(native).toMatchObject({
      'event.outcome': 'success',
      'clientcert.channel.proof': 'native-tls',
      'clientcert.source': 'native-tls',
    });
  });

  it.each(['miss', 'hit'])('says whether the verdict was known: %s', async (result) => {
    const events: OutcomeEvent[] = [];
    const authenticator = behindEdge([root], { onOutcome: (event) => events.push(event) });
    for (const certificate of [client, stranger]) {
      await authenticator.authenticate(fromEdge(...linesOf(certificate)));
      if (result === 'hit') await authenticator.authenticate(fromEdge(...linesOf(certificate)));
    }
    const last = result === 'hit' ? [events[1], events[3]] : events;
    expect(last.map((event) => event?.['clientcert.cache.result'])).toEqual([result, result]);
    expect(last.map((event) => event?.['tls.client.hash.sha256'])).toEqual(
      [client, stranger].map(({ der }) => digestOf(der)),
    );
  });

  it('says how long it took, in seconds of the monotonic clock', async () => {
    const now = jest.spyOn(performance, 'now').mockReturnValueOnce(1_000).mockReturnValue(1_250);
    const [event] = await eventsOf(fromEdge());
    now.mockRestore();
    expect(event?.['clientcert.verification.duration']).toBe(0.25);
  });

  it('cannot be changed by whoever hears it first', async () => {
    const [event] = await eventsOf(fromEdge('X-Forwarded-Client-Cert', 'x'));
    expect(Object.isFrozen(event)).toBe(true);
    expect(Object.isFrozen(event?.['clientcert.ignored_headers'])).toBe(true);
  });
});

describe('names of people in events', () => {
  const names = ['tls.client.subject', 'tls.client.issuer'] as const;

  it.each<AuthenticatorOptions['eventNames']>(['omit', undefined])(
    'are left out unless asked for: %s',
    async (word) => {
      const options = word === undefined ? {} : { eventNames: word };
      for (const certificate of [client, stranger]) {
        const [event] = await eventsOf(fromEdge(...linesOf(certificate)), options);
        expect(Object.keys(event ?? {})).not.toEqual(expect.arrayContaining([expect.stringMatching(/subject|issuer/)]));
        expect(JSON.stringify(event)).not.toMatch(/alice|mallory|Stranger|Example/);
      }
    },
  );

  it('are there when asked for', async () => {
    const [event] = await eventsOf(fromEdge(...linesOf(client)), { eventNames: 'include' });
    expect(names.map((name) => event?.[name])).toEqual(['O=Example,CN=alice', 'O=Example,CN=Root']);
  });

  it('are never those of a stranger', async () => {
    const [event] = await eventsOf(fromEdge(...linesOf(stranger)), { eventNames: 'include' });
    expect(names.map((name) => event?.[name])).toEqual([undefined, undefined]);
    expect(JSON.stringify(event)).not.toMatch(/mallory|Stranger/);
  });

  it('ID-01, ID-02: are one line without control or invisible characters', async () => {
    const hostile = 'x\r\n2026-01-01 INFO user=admin\u001b[2J\u202eevil\u200b\u2028';
    const certificate = root.issue({ subject: [{ type: 'CN', value: hostile }] });
    const [event] = await eventsOf(fromEdge(...linesOf(certificate)), { eventNames: 'include' });
    expect(event?.['tls.client.subject']).toBe(
      'CN=x\\0d\\0a2026-01-01 INFO user=admin\\1b[2J\\e2\\80\\aeevil\\e2\\80\\8b\\e2\\80\\a8',
    );
    expect(Object.values(event ?? {}).join(' ')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  });
});

describe('the request id in events', () => {
  const idOf = async (...lines: readonly string[]): Promise<unknown> => {
    const [event] = await eventsOf(fromEdge(...lines));
    return event?.['http.request.id'];
  };

  it.each([
    ['X-Amz-Cf-Id', 'zbzvnVOQyZGbAFQ-I9Z_8Jq1KmWkGOLjHLSKBhL0qLvIyqJSzUs3dg=='],
    ['x-amz-cf-id', 'a'],
  ])('is that of CloudFront: %s: %s', async (name, id) => {
    await expect(idOf(name, id)).resolves.toBe(id);
  });

  it.each([
    ['a line break', 'a\r\nevent.outcome: success'],
    ['a newline behind', 'a\n'],
    ['NUL', 'a\u0000'],
    ['an escape', '\u001b[2J'],
    ['a space', 'a b'],
    ['a quote', 'a"b'],
    ['two ids', 'a, b'],
    ['a letter of another alphabet', 'caf\u00e9'],
    ['a look-alike', '\u0430'],
    ['nothing', ''],
  ])('ID-01: is left out when it holds %s', async (_, id) => {
    await expect(idOf('X-Amz-Cf-Id', id)).resolves.toBeUndefined();
  });

  it('is cut at 128 characters', async () => {
    await expect(idOf('X-Amz-Cf-Id', 'a'.repeat(10_240))).resolves.toBe('a'.repeat(128));
    await expect(idOf('X-Amz-Cf-Id', `${'a'.repeat(10_240)}\n`)).resolves.toBeUndefined();
  });

  it('is the first of two, and not of a header that has the name for its value', async () => {
    await expect(idOf('X-Amz-Cf-Id', 'first', 'X-Amz-Cf-Id', 'second')).resolves.toBe('first');
    await expect(idOf('X-Other', 'x-amz-cf-id', 'evil', 'x')).resolves.toBeUndefined();
  });
});

describe('headers that were passed over, in events', () => {
  const ignored = async (...lines: readonly string[]): Promise<unknown> => {
    const [event] = await eventsOf(fromEdge(...lines), { presence: 'optional' });
    return event?.['clientcert.ignored_headers'];
  };

  it('CH-08, CH-10: are listed once each, in lower case, without their values', async () => {
    const lines = [
      ['X-Forwarded-Client-Cert', 'By=evil'],
      ['x-forwarded-client-cert', 'By=evil'],
      ['Client_Cert', ':AAEC:'],
      ['SSL-Client-Verify', 'SUCCESS'],
      ['CloudFront-Viewer-Cert-Subject', 'CN=admin'],
      ['X-Other', 'x-ssl-cert'],
    ].flat();
    await expect(ignored(...lines)).resolves.toEqual([
      'x-forwarded-client-cert',
      'client_cert',
      'ssl-client-verify',
      'cloudfront-viewer-cert-subject',
    ]);
  });

  it('are not those the source reads, and absent when there are none', async () => {
    await expect(ignored(...linesOf(client), 'CloudFront-Viewer-Cert-Present', '1')).resolves.toBeUndefined();
  });

  it('are all of them with native TLS', async () => {
    const getPeerX509Certificate = () => ({ raw: client.der, issuerCertificate: undefined });
    const request = requestOf(['Client-Cert', 'x'], { encrypted: true, destroyed: false, getPeerX509Certificate });
    const [event] = await eventsOf(request, { source: nativeTls() });
    expect(event?.['clientcert.ignored_headers']).toEqual(['client-cert']);
  });

  it('are found in what arrived, not in what an earlier mount left', async () => {
    const request = fromEdge('X-Forwarded-Client-Cert', 'x');
    await admitRequest(behindEdge([root], { presence: 'optional' }), request);
    const [event] = await eventsOf(request, { presence: 'optional' });
    expect(event?.['clientcert.ignored_headers']).toEqual(['x-forwarded-client-cert']);
  });
});

describe('who hears of outcomes', () => {
  it('nobody: no event is made, no clock is read and nothing is decoded again', async () => {
    const report = jest.spyOn(OutcomeReporter.prototype, 'report');
    const source = countingDecodes(cloudFront({ channel: edgeChannel }));
    const authenticator = behindEdge([root], { source });
    await authenticator.authenticate(fromEdge(...linesOf(stranger)));
    const now = jest.spyOn(performance, 'now');
    await authenticator.authenticate(fromEdge());
    expect([report.mock.calls.length, now.mock.calls.length, source.decoded()]).toEqual([0, 0, 1]);
    now.mockRestore();
    report.mockRestore();
  });

  it('whoever subscribes to the diagnostics channel, from then on and until then', async () => {
    const authenticator = behindEdge([root]);
    const heard: unknown[] = [];
    const listener = (event: unknown): unknown => heard.push(event);
    await authenticator.authenticate(fromEdge(...linesOf(client)));
    subscribe(outcomeChannelName, listener);
    await authenticator.authenticate(fromEdge(...linesOf(client)));
    unsubscribe(outcomeChannelName, listener);
    await authenticator.authenticate(fromEdge(...linesOf(client)));
    expect(outcomeChannelName).toBe('peercert:outcome');
    expect(heard).toMatchObject([{ 'event.outcome': 'success', 'clientcert.cache.result': 'hit' }]);
  });

  it('the listener and the channel, the same event', async () => {
    const heard: unknown[] = [];
    const listener = (event: unknown): unknown => heard.push(event);
    subscribe(outcomeChannelName, listener);
    const told = await eventsOf(fromEdge());
    unsubscribe(outcomeChannelName, listener);
    expect(heard).toHaveLength(1);
    expect(heard[0]).toBe(told[0]);
  });

  it('the listener of this authenticator, not that of another', async () => {
    const other = jest.fn();
    behindEdge([root], { onOutcome: other });
    await expect(eventsOf(fromEdge())).resolves.toHaveLength(1);
    expect(other).not.toHaveBeenCalled();
  });

  it('the listener, once for each request and after its outcome, whether that took time or not', async () => {
    const events: OutcomeEvent[] = [];
    const asked: string[] = [];
    const authorize = async ({ uris }: ClientIdentity): Promise<boolean> => {
      asked.push(`${String(uris[0])} after ${events.length}`);
      return true;
    };
    const authenticator = behindEdge([root], { authorize, onOutcome: (event) => events.push(event) });
    for (let count = 0; count < 3; count++) await authenticator.authenticate(fromEdge(...linesOf(client)));
    expect(asked).toEqual(['urn:alice after 0', 'urn:alice after 1', 'urn:alice after 2']);
    expect(events).toHaveLength(3);
  });
});

describe('F24: a listener that fails', () => {
  const failing: readonly (readonly [string, () => unknown])[] = [
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    [
      'throws nothing',
      () => {
        throw undefined;
      },
    ],
    [
      'throws something that is no text',
      () => {
        throw Object.create(null);
      },
    ],
    ['rejects', async () => Promise.reject(new Error('broken'))],
    ['rejects with something that is no text', async () => Promise.reject(Object.create(null))],
    ['never answers', async () => new Promise(() => {})],
    // oxlint-disable-next-line unicorn/no-thenable -- the trick under test
    ['answers with something odd', () => ({ then: 'no function' })],
  ];

  let warnings: jest.SpyInstance;
  const unhandled = jest.fn();
  beforeEach(() => {
    warnings = jest.spyOn(process, 'emitWarning').mockImplementation();
    process.on('unhandledRejection', unhandled);
  });
  afterEach(() => {
    warnings.mockRestore();
    process.off('unhandledRejection', unhandled);
  });

  it.each(failing)('changes no outcome when it %s', async (_, onOutcome) => {
    const authenticator = behindEdge([root], { onOutcome });
    for (let count = 0; count < 2; count++) {
      expect(await authenticator.authenticate(fromEdge(...linesOf(client)))).toMatchObject({ status: 'authenticated' });
      expect(await authenticator.authenticate(fromEdge())).toMatchObject({
        error: { code: 'ERR_CERTIFICATE_REQUIRED' },
      });
    }
    await new Promise(setImmediate);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it('is warned of once in the life of the process, without what it was told', async () => {
    await jest.isolateModulesAsync(async () => {
      const core = jest.requireActual<typeof import('@peercert/core')>('@peercert/core');
      const authenticator = core.createAuthenticator({
        trust: core.TrustStore.fromDer([root.der]),
        source: core.nativeTls(),
        onOutcome: failing[0]?.[1] as () => unknown,
      });
      for (let count = 0; count < 3; count++) await authenticator.authenticate(requestOf([], { destroyed: false }));
    });
    expect(warnings.mock.calls).toEqual([
      ['A listener of outcomes failed: broken', { type: 'PeercertWarning', code: 'PEERCERT_LISTENER' }],
    ]);
  });

  it('does not keep the diagnostics channel from hearing', async () => {
    const heard = jest.fn();
    subscribe(outcomeChannelName, heard);
    await eventsOf(fromEdge(), { onOutcome: failing[0]?.[1] as () => unknown });
    unsubscribe(outcomeChannelName, heard);
    expect(heard).toHaveBeenCalledTimes(1);
  });
});

describe('the status of revocation in events', () => {
  const issuing = root.issueIntermediate();
  const day = { notBefore: daysFromTestTime(-0.5), notAfter: daysFromTestTime(0.5) };
  const bob = issuing.issue({ uris: ['urn:bob'], ...day });
  const silent = methodThat(() => unknown('unreachable', 'no route'));
  const silentAbove = methodThat(({ depth }) => (depth === 0 ? good() : unknown('unreachable', 'no route')));
  const denyList = createDenyList({ entries: [{ certificateSha256: sha256Of(bob) }] });

  it.each<[string, string | undefined, RevocationOptions, string | undefined]>([
    ['all are known to be good', 'good', { methods: [revoking()] }, undefined],
    ['one is short-lived', 'short-lived', { methods: [revoking()], shortLivedSeconds: 86_400 }, undefined],
    ['nobody knows and it is accepted', 'unknown', { methods: [silent], unknownStatus: 'accept' }, undefined],
    ['nobody knows of one', 'unknown', { methods: [silentAbove], unknownStatus: 'accept' }, undefined],
    [
      'nobody knows of one, and one is short-lived',
      'unknown',
      { methods: [silentAbove], unknownStatus: 'accept', shortLivedSeconds: 86_400 },
      undefined,
    ],
    ['nobody knows and it is refused', 'unknown', { methods: [silent] }, 'ERR_REVOCATION_UNAVAILABLE'],
    ['it is revoked', 'revoked', { methods: [revoking(bob)] }, 'ERR_CERTIFICATE_REVOKED'],
    ['its issuer is revoked', 'revoked', { methods: [revoking(issuing)] }, 'ERR_CERTIFICATE_REVOKED'],
    ['it is denied', 'denied', { denyList, methods: [revoking(bob)] }, 'ERR_CERTIFICATE_DENIED'],
    ['nobody is asked', undefined, { denyList: createDenyList() }, undefined],
  ])('is the worst of the path when %s: %s', async (_, status, options, code) => {
    const [event] = await eventsOf(fromEdge(...linesOf(bob)), { revocation: createRevocation(options) });
    expect([event?.['clientcert.revocation.status'], event?.['error.type']]).toEqual([status, code]);
  });

  it('stands beside all other attributes, and beside the reason of the issuer', async () => {
    const options = { revocation: createRevocation({ methods: [revoking(bob)] }) };
    await expect(eventsOf(fromEdge(...linesOf(bob)), options)).resolves.toEqual([
      {
        ...refusal,
        ...proven,
        'clientcert.cache.result': 'miss',
        'clientcert.reason': 'keyCompromise',
        'clientcert.revocation.status': 'revoked',
        'error.type': 'ERR_CERTIFICATE_REVOKED',
        'tls.client.hash.sha256': digestOf(bob.der),
      },
    ]);
  });

  it.each<[string, CertificateRequest, Partial<AuthenticatorOptions>]>([
    ['without a policy', fromEdge(...linesOf(bob)), {}],
    ['of a stranger', fromEdge(...linesOf(stranger)), { revocation: createRevocation({ methods: [revoking()] }) }],
    ['of nobody', fromEdge(), { presence: 'optional', revocation: createRevocation({ methods: [revoking()] }) }],
    [
      'of somebody whom the rule refuses',
      fromEdge(...linesOf(bob)),
      { authorize: () => false, revocation: createRevocation({ methods: [revoking()] }) },
    ],
  ])('is absent %s', async (_, request, options) => {
    const [event] = await eventsOf(request, options);
    expect(event).toBeDefined();
    expect(event).not.toHaveProperty(['clientcert.revocation.status']);
  });
});
