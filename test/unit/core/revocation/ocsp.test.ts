import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type FetchFunction,
  ocsp,
  type OcspOptions,
  type RevocationEvent,
  type RevocationMethod,
} from '@peercert/core';
import {
  createAuthority,
  daysFromTestTime,
  der,
  type OcspResponseFields,
  TEST_TIME,
  type TestAuthority,
  type TestCertificate,
} from '@peercert/testkit';
import { FetchError } from '../../../../packages/core/src/revocation/fetch-error';
import { heldFetch, questionAbout, respond } from '../../../support/online-revocation';
import { until } from '../../../support/until';

const url = 'http://ocsp.test/';
const root = createAuthority({ subject: 'CN=Root' });
const client = root.issue({ ocspUrls: [url] });
const start = TEST_TIME.getTime();
const hour = 3_600_000;
const at = (ms: number): Date => new Date(start + ms);

/** What a current answer about `client` says; half of its time is over in an hour. */
const answer = (fields: Partial<OcspResponseFields> = {}): Buffer =>
  root.ocspResponse({ certificate: client, thisUpdate: TEST_TIME, nextUpdate: at(2 * hour), ...fields });
const revokedAt = daysFromTestTime(-1);
const revocation = { status: { revokedAt, reason: 'keyCompromise' } } as const;

const good = { status: 'good', source: url, asOf: start, until: start + 2 * hour };
const revoked = { ...good, status: 'revoked', revokedAt: revokedAt.getTime(), reason: 'keyCompromise' };
const down = { status: 'unknown', cause: 'unreachable', detail: 'The fetch function failed.' };

let monotonic: number;
let time: number;
const methods: RevocationMethod[] = [];
beforeEach(() => {
  monotonic = 0;
  time = start;
  jest.spyOn(performance, 'now').mockImplementation(() => monotonic);
});
afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all(methods.splice(0).map((method) => method.close()));
});

type FetchMock = jest.MockedFunction<FetchFunction>;
const fetchOf = (...bodies: readonly (Buffer | Error)[]): FetchMock => {
  const left = [...bodies];
  return jest.fn<ReturnType<FetchFunction>, Parameters<FetchFunction>>(async () => {
    const body = left.length > 1 ? left.shift() : left[0];
    if (!Buffer.isBuffer(body)) throw body ?? new Error('down');
    return respond(body);
  });
};

function create(fetch: FetchFunction, options: OcspOptions = {}): RevocationMethod {
  const method = ocsp({ clock: () => time, ...options, network: { fetch, ...options.network } });
  methods.push(method);
  return method;
}

/** What is said about a certificate now. */
const ask = async (
  method: RevocationMethod,
  about: TestCertificate = client,
  issuer: TestAuthority = root,
): Promise<unknown> => method.ask(questionAbout(about, issuer, { time }));

/** Lets what goes on in the background come to its end. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await nextTurn();
};

describe('a responder is asked', () => {
  it('by GET, for the certificate alone', async () => {
    const fetch = fetchOf(answer());
    await expect(ask(create(fetch))).resolves.toEqual(good);
    const [[asked, init]] = fetch.mock.calls as [Parameters<FetchFunction>];
    expect(asked).toMatch(/^http:\/\/ocsp\.test\/[A-Za-z0-9%]{80,200}$/);
    expect(init).toEqual({
      method: 'GET',
      headers: { 'user-agent': 'peercert', accept: 'application/ocsp-response', 'accept-encoding': 'identity' },
      redirect: 'error',
      signal: expect.any(AbortSignal),
    });
  });

  it.each([
    ['has a query', `${url}?ca=1`],
    ['is long', `${url}${'x'.repeat(200)}`],
  ])('by POST, where its URL %s', async (_, ocspUrl) => {
    const about = root.issue({ ocspUrls: [ocspUrl] });
    const fetch = fetchOf(answer({ certificate: about }));
    await expect(ask(create(fetch), about)).resolves.toEqual({ ...good, source: ocspUrl });
    expect(fetch.mock.calls).toEqual([
      [
        ocspUrl,
        {
          method: 'POST',
          headers: {
            'user-agent': 'peercert',
            accept: 'application/ocsp-response',
            'content-type': 'application/ocsp-request',
            'accept-encoding': 'identity',
          },
          body: expect.any(Uint8Array),
          redirect: 'error',
          signal: expect.any(AbortSignal),
        },
      ],
    ]);
  });

  it('that the certificate names, two at most, until one knows', async () => {
    const urls = ['http://a.test/', 'http://b.test/', 'http://c.test/'];
    const about = root.issue({ ocspUrls: ['ldap://x.test/', ...urls] });
    const fetch = fetchOf(new Error('down'));
    await expect(ask(create(fetch), about)).resolves.toEqual(down);
    expect(fetch.mock.calls.map(([asked]) => new URL(asked).host)).toEqual(['a.test', 'b.test']);
    const second = fetchOf(root.ocspResponse({ responseStatus: 'tryLater' }), answer({ certificate: about }));
    await expect(ask(create(second), about)).resolves.toEqual({ ...good, source: urls[1] });
    const first = fetchOf(answer({ certificate: about, ...revocation }));
    await expect(ask(create(first), about)).resolves.toEqual({ ...revoked, source: urls[0] });
    expect(first).toHaveBeenCalledTimes(1);
  });

  it('and of two that do not know, the more telling one says why', async () => {
    const about = root.issue({ ocspUrls: ['http://a.test/', 'http://b.test/'] });
    const forged = answer({ certificate: about, signer: createAuthority() });
    const untrusted = { status: 'unknown', cause: 'untrusted', detail: 'signature-invalid: not signed by the issuer' };
    await expect(ask(create(fetchOf(forged, new Error('down'))), about)).resolves.toEqual(untrusted);
    await expect(ask(create(fetchOf(new Error('down'), forged)), about)).resolves.toEqual(untrusted);
  });

  it('that the operator names, in place of those that certificates name', async () => {
    const responders = ['http://10.0.0.1:8080/ocsp'];
    const fetch = fetchOf(answer());
    const method = create(fetch, { responders });
    responders[0] = 'http://elsewhere.test/';
    await expect(ask(method)).resolves.toEqual({ ...good, source: 'http://10.0.0.1:8080/ocsp' });
    expect(fetch.mock.calls[0]?.[0]).toMatch(/^http:\/\/10\.0\.0\.1:8080\/ocsp\//);
    const unnamed = root.issue();
    await expect(ask(create(fetchOf(answer({ certificate: unnamed })), { responders }), unnamed)).resolves.toEqual({
      ...good,
      source: 'http://elsewhere.test/',
    });
  });

  it.each([
    ['names no responder', {}],
    ['names none that may be asked', { ocspUrls: ['ldap://ocsp.test/', 'http://u:p@ocsp.test/', 'file:///x'] }],
    ['names other things only', { crlDistributionPoints: [url] }],
  ])('or nobody is, where the certificate %s: that is known at once', (_, fields) => {
    const fetch = fetchOf(answer());
    expect(create(fetch).ask(questionAbout(root.issue(fields), root))).toEqual({
      status: 'unknown',
      cause: 'no-source',
      detail: 'the certificate names no responder that may be asked',
    });
    expect(fetch).not.toHaveBeenCalled();
  });

  it('or nobody is, where the operator has not named the host', async () => {
    const fetch = fetchOf(answer());
    await expect(ask(create(fetch, { network: { hosts: ['other.test'] } }))).resolves.toEqual({
      status: 'unknown',
      cause: 'no-source',
      detail: 'The host may not be asked for revocation data.',
    });
    expect(fetch).not.toHaveBeenCalled();
  });
});

describe('what an answer means', () => {
  const stranger = createAuthority({ subject: 'CN=Root' });
  it.each<[string, Buffer, object]>([
    ['good', answer(), good],
    ['revoked', answer(revocation), revoked],
    ['revoked without a reason', answer({ status: { revokedAt } }), { ...revoked, reason: undefined }],
    ['unknown', answer({ status: 'unknown' }), { cause: 'not-known', detail: 'status-unknown' }],
    ['tryLater', answer({ responseStatus: 'tryLater' }), { cause: 'unreachable', detail: 'responder-error: tryLater' }],
    [
      'unauthorized',
      answer({ responseStatus: 'unauthorized' }),
      { cause: 'unreachable', detail: 'responder-error: unauthorized' },
    ],
    ['about another certificate', answer({ serialNumber: 1 }), { cause: 'not-known', detail: 'not-answered' }],
    ['over', answer({ nextUpdate: at(-1_000) }), { cause: 'not-current', detail: 'stale' }],
    ['ahead of its time', answer({ thisUpdate: at(hour) }), { cause: 'not-current', detail: 'not-yet-valid' }],
    [
      'of a look-alike of the issuer',
      stranger.ocspResponse({ certificate: client, responderId: 'name' }),
      { cause: 'untrusted', detail: 'signature-invalid: not signed by the issuer' },
    ],
    [
      'of a delegate of nobody',
      answer({ delegate: root.issue() }),
      { cause: 'untrusted', detail: 'responder-not-authorized: extKeyUsage without OCSPSigning' },
    ],
    ['nothing', Buffer.alloc(0), { cause: 'unusable', detail: expect.stringMatching(/^malformed: /) }],
    ['markup', Buffer.from('<h1>Sign in</h1>'), { cause: 'unusable', detail: expect.stringMatching(/^malformed: /) }],
  ])('OC-08: %s', async (_, body, expected) => {
    await expect(ask(create(fetchOf(body)))).resolves.toEqual(
      'status' in expected ? expected : { status: 'unknown', ...expected },
    );
  });

  it('a delegate without id-pkix-ocsp-nocheck counts only where the operator says so', async () => {
    const delegate = root.issue({ extKeyUsage: ['OCSPSigning'] });
    const body = answer({ delegate });
    await expect(ask(create(fetchOf(body)))).resolves.toMatchObject({ cause: 'untrusted' });
    await expect(ask(create(fetchOf(body), { delegateWithoutNocheck: 'accept' }))).resolves.toEqual(good);
  });

  it('an answer without nextUpdate holds for maxAgeSeconds', async () => {
    const body = answer({ nextUpdate: 'absent' });
    await expect(ask(create(fetchOf(body)))).resolves.toEqual({ ...good, until: start + hour });
    await expect(ask(create(fetchOf(body), { maxAgeSeconds: 60 }))).resolves.toEqual({
      ...good,
      until: start + 60_000,
    });
  });
});

describe('OC-06: a nonce', () => {
  const nonceOf = (body: Uint8Array | undefined): Buffer => Buffer.from(body ?? []).subarray(-32);

  it('is sent by POST, another one each time, and is to come back', async () => {
    const nonces: Buffer[] = [];
    const fetch = jest.fn<ReturnType<FetchFunction>, Parameters<FetchFunction>>(async (_, { body }) => {
      nonces.push(nonceOf(body));
      return respond(answer({ nonce: nonceOf(body) }));
    });
    const method = create(fetch, { nonce: 'request' });
    await expect(ask(method)).resolves.toEqual(good);
    time += hour;
    await ask(method);
    await settle();
    expect(nonces).toHaveLength(2);
    expect(nonces[0]).not.toEqual(nonces[1]);
    expect(fetch.mock.calls.map(([asked, { method: verb }]) => [asked, verb])).toEqual([
      [url, 'POST'],
      [url, 'POST'],
    ]);
  });

  it('of another request is refused, and so is the answer it came with', async () => {
    const fetch = fetchOf(answer({ nonce: Buffer.alloc(32, 1) }));
    await expect(ask(create(fetch, { nonce: 'request' }))).resolves.toEqual({
      status: 'unknown',
      cause: 'untrusted',
      detail: 'nonce-mismatch',
    });
    await expect(ask(create(fetch))).resolves.toEqual(good);
  });

  it('may be missing: responders sign in advance', async () => {
    await expect(ask(create(fetchOf(answer()), { nonce: 'request' }))).resolves.toEqual(good);
  });
});

describe('an answer is kept', () => {
  it('until its nextUpdate, which is included, and is then asked for anew', async () => {
    const fetch = fetchOf(answer(), new Error('down'));
    const method = create(fetch);
    await ask(method);
    time = start + hour - 1;
    expect(method.ask(questionAbout(client, root, { time }))).toEqual(good);
    expect(fetch).toHaveBeenCalledTimes(1);
    time = start + 2 * hour;
    expect(method.ask(questionAbout(client, root, { time }))).toEqual(good);
    await settle();
    monotonic = 5_000;
    time += 1;
    await expect(ask(method)).resolves.toEqual(down);
  });

  it('and fetched in the background from half of its time on, while it is said', async () => {
    const { fetch, answer: reply } = heldFetch();
    const method = create(fetch, { refreshSeconds: 86_400 });
    const first = ask(method);
    await settle();
    reply(answer());
    await expect(first).resolves.toEqual(good);
    time = start + hour;
    for (let times = 0; times < 100; times += 1)
      expect(method.ask(questionAbout(client, root, { time }))).toEqual(good);
    await settle();
    expect(fetch).toHaveBeenCalledTimes(2);
    reply(answer({ thisUpdate: at(hour), nextUpdate: at(5 * hour) }));
    await settle();
    expect(method.ask(questionAbout(client, root, { time }))).toEqual({
      ...good,
      asOf: start + hour,
      until: start + 5 * hour,
    });
    time = start + 3 * hour - 1;
    await ask(method);
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it('F14: while nobody answers, until it is over, and not a moment longer', async () => {
    const fetch = fetchOf(answer(), new Error('down'));
    const method = create(fetch);
    await ask(method);
    time = start + 2 * hour;
    await expect(ask(method)).resolves.toEqual(good);
    await settle();
    expect(fetch).toHaveBeenCalledTimes(2);
    // The failure is remembered now; the answer that is over must not be.
    time += 1;
    await expect(ask(method)).resolves.toEqual(down);
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it('F14: that revokes, for ever', async () => {
    const method = create(fetchOf(answer(revocation), new Error('down')));
    await expect(ask(method)).resolves.toEqual(revoked);
    time = start + 1_000 * hour;
    await expect(ask(method)).resolves.toEqual(revoked);
    await expect(ask(method)).resolves.toEqual(revoked);
  });

  it('not for a time that it does not hold in: who asks may have another clock', async () => {
    const method = create(fetchOf(answer()));
    const question = questionAbout(client, root, { time: start + 2 * hour + 1 });
    const notCurrent = { status: 'unknown', cause: 'not-current', detail: 'the time of the answer is over' };
    expect(await method.ask(question)).toEqual(notCurrent);
    expect(await method.ask(question)).toEqual(notCurrent);
    await expect(ask(method)).resolves.toEqual(good);
  });

  it('for no more certificates than maxEntries says', async () => {
    const other = root.issue({ ocspUrls: [url] });
    const both = answer({ responses: [{ certificate: client }, { certificate: other }] });
    const fetch = fetchOf(both);
    const method = create(fetch, { maxEntries: 1 });
    await ask(method);
    await ask(method);
    expect(fetch).toHaveBeenCalledTimes(1);
    await ask(method, other);
    await ask(method);
    expect(fetch).toHaveBeenCalledTimes(3);
  });
});

describe('a question', () => {
  it('F13: is asked once, however many wait for the answer', async () => {
    const { fetch, answer: reply } = heldFetch();
    const method = create(fetch);
    const asking = Array.from({ length: 1_000 }, () => ask(method));
    await settle();
    reply(answer());
    await expect(Promise.all(asking)).resolves.toEqual(Array.from({ length: 1_000 }, () => good));
    expect(fetch).toHaveBeenCalledTimes(1);
  });

  it('F12: that failed is not asked again for five seconds, and its failure is known at once', async () => {
    const fetch = fetchOf(new Error('down'), answer());
    const method = create(fetch);
    await expect(ask(method)).resolves.toEqual(down);
    monotonic = 4_999;
    expect(method.ask(questionAbout(client, root))).toEqual(down);
    monotonic = 5_000;
    await expect(ask(method)).resolves.toEqual(good);
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it('F12: is not asked while its responder is left alone', async () => {
    const fetch = fetchOf(new Error('down'));
    const method = create(fetch);
    for (let times = 0; times < 20; times += 1, monotonic += 5_000) {
      await expect(ask(method)).resolves.toMatchObject({ cause: 'unreachable' });
    }
    // Five, and one probe in each pause: from 24 to 36 seconds, then twice as long.
    expect(fetch.mock.calls.length).toBeGreaterThanOrEqual(6);
    expect(fetch.mock.calls.length).toBeLessThanOrEqual(7);
  });

  it('OC-06: whose answer is an old one played back is not asked again at once', async () => {
    const old = answer({ thisUpdate: at(-hour) });
    const fetch = fetchOf(answer(revocation), old);
    const method = create(fetch);
    await ask(method);
    time = start + 1.5 * hour;
    for (let times = 0; times < 10; times += 1) {
      await expect(ask(method)).resolves.toEqual(revoked);
      await settle();
    }
    expect(fetch).toHaveBeenCalledTimes(2);
  });
});

describe('verdicts reached before are worth nothing any more', () => {
  const later = { thisUpdate: at(hour), nextUpdate: at(3 * hour) };
  it.each<[string, Buffer | Error, Buffer | Error, boolean]>([
    ['when a good certificate is revoked', answer(), answer({ ...later, ...revocation }), true],
    ['when a revoked certificate is good again', answer(revocation), answer(later), true],
    ['but not when it is still good', answer(), answer(later), false],
    ['but not when it is still revoked', answer(revocation), answer({ ...later, ...revocation }), false],
    ['but not when nobody answers', answer(), new Error('down'), false],
    ['but not by an old answer', answer(revocation), answer({ thisUpdate: at(-hour) }), false],
    ['when one is revoked that nobody knew of', new Error('down'), answer(revocation), true],
    ['but not when one is good that nobody knew of', new Error('down'), answer(), false],
  ])('%s', async (_, first, second, isAnother) => {
    const method = create(fetchOf(first, second));
    await ask(method);
    const { revision } = method;
    time = start + hour;
    monotonic = 5_000;
    await ask(method);
    await settle();
    expect(method.revision !== revision).toBe(isAnother);
  });

  it('and not by first answers', async () => {
    const method = create(fetchOf(answer(revocation)));
    const { revision } = method;
    await ask(method);
    expect(method.revision).toBe(revision);
  });
});

describe('an answer for one issuer', () => {
  const serialNumber = 4_711;
  const key = root.key;
  const mine = root.issue({ serialNumber, ocspUrls: [url] });

  it.each([
    ['with the same name and another key', createAuthority({ subject: 'CN=Root' })],
    ['with the same key and another name', createAuthority({ subject: 'CN=Other', key })],
  ])('is not used for another one %s', async (_, other) => {
    const theirs = other.issue({ serialNumber, ocspUrls: [url] });
    const fetch = fetchOf(root.ocspResponse({ certificate: mine }));
    const method = create(fetch);
    await expect(ask(method, mine)).resolves.toMatchObject({ status: 'good' });
    await expect(ask(method, theirs, other)).resolves.toMatchObject({ status: 'unknown' });
    expect(fetch).toHaveBeenCalledTimes(2);
    await expect(ask(method, mine)).resolves.toMatchObject({ status: 'good' });
  });

  it('is not used for another serial number, though the octets of both run into what follows', async () => {
    const fetch = fetchOf(root.ocspResponse({ certificate: mine }));
    const method = create(fetch);
    await ask(method, mine);
    for (const other of [4_711n << 8n, 0x12, 0x67]) {
      const about = root.issue({ serialNumber: other, ocspUrls: [url] });
      await expect(ask(method, about)).resolves.toMatchObject({ cause: 'not-known' });
    }
  });

  it('DR-31: is used for every twin, and every certificate of the issuer by that name and key', async () => {
    const renewed = createAuthority({ subject: 'CN=Root', key, notAfter: daysFromTestTime(9_999) });
    const twin = renewed.issue({ serialNumber, ocspUrls: ['http://elsewhere.test/'] });
    const fetch = fetchOf(root.ocspResponse({ certificate: mine, status: { revokedAt } }));
    const method = create(fetch);
    await ask(method, mine);
    await expect(ask(method, twin, renewed)).resolves.toMatchObject({ status: 'revoked' });
    expect(fetch).toHaveBeenCalledTimes(1);
  });

  it('that one policy takes is not taken by a stricter one that shares the method', async () => {
    const old = createAuthority({ keyAlgorithm: 'rsa2048' });
    const about = old.issue({ ocspUrls: [url] });
    const method = create(fetchOf(old.ocspResponse({ certificate: about, signatureAlgorithm: 'rsa-sha1' })));
    const under = (legacyAlgorithms: 'accept' | 'reject'): unknown => {
      return method.ask(questionAbout(about, old, { rules: { legacyAlgorithms, profile: 'path-validation' } }));
    };
    expect(await under('accept')).toMatchObject({ status: 'good' });
    expect(await under('reject')).toMatchObject({ status: 'unknown', cause: 'untrusted' });
    expect(await under('accept')).toMatchObject({ status: 'good' });
  });
});

describe('health and events', () => {
  it('tell once what is wrong with a responder, and that it is well again', async () => {
    const events: RevocationEvent[] = [];
    const later = { thisUpdate: at(1_000) };
    const fetch = fetchOf(new Error('down'), new Error('down'), Buffer.from('x'), answer(later));
    const method = create(fetch, { onEvent: (event) => events.push(event) });
    expect(method.health).toEqual({ method: 'ocsp', status: 'ok', sources: [] });
    const about = { 'clientcert.revocation.method': 'ocsp', 'clientcert.revocation.source': url };
    const refused = { ...about, 'event.name': 'clientcert.revocation.refused' };
    const problems = ['The fetch function failed.', expect.stringMatching(/^malformed: /)];
    for (const [index, problem] of [problems[0], problems[0], problems[1]].entries()) {
      monotonic = index * 5_000;
      await ask(method);
      expect(method.health).toEqual({
        method: 'ocsp',
        status: 'degraded',
        sources: [{ source: url, status: 'degraded', problem }],
      });
    }
    monotonic = 15_000;
    await ask(method);
    expect(method.health).toEqual({ method: 'ocsp', status: 'ok', sources: [] });
    expect(events).toEqual([
      { ...refused, 'error.message': problems[0] },
      { ...refused, 'error.message': problems[1] },
      { ...about, 'event.name': 'clientcert.revocation.recovered' },
    ]);
  });

  it.each<[string, FetchFunction, OcspOptions]>([
    ['that does not know a certificate', fetchOf(answer({ status: 'unknown' })), {}],
    ['that may not be asked', fetchOf(), { network: { hosts: ['other.test'] } }],
    ['that too many wait for', () => Promise.reject(new FetchError('busy')), {}],
    ['that is left alone', () => Promise.reject(new FetchError('breaker-open')), {}],
  ])('have nothing to say of a responder %s', async (_, fetch, options) => {
    const onEvent = jest.fn();
    const method = create(fetch, { ...options, onEvent });
    await ask(method);
    expect(method.health).toEqual({ method: 'ocsp', status: 'ok', sources: [] });
    expect(onEvent).not.toHaveBeenCalled();
  });
});

describe('close', () => {
  it('ends what is under way: it is not known then, which nobody is told of', async () => {
    const { fetch } = heldFetch();
    const onEvent = jest.fn();
    const method = create(fetch, { onEvent });
    const asking = ask(method);
    await until(() => fetch.mock.calls.length === 1);
    await method.close();
    await expect(asking).resolves.toEqual({
      status: 'unknown',
      cause: 'unreachable',
      detail: 'The fetcher was closed.',
    });
    expect(onEvent).not.toHaveBeenCalled();
    expect(method.health.status).toBe('ok');
  });

  it('ends a refresh in the background, which nobody hears of', async () => {
    const { fetch, answer: reply } = heldFetch();
    const method = create(fetch);
    const first = ask(method);
    await settle();
    reply(answer());
    await first;
    time = start + hour;
    expect(method.ask(questionAbout(client, root, { time }))).toEqual(good);
    await settle();
    await method.close();
    await settle();
    expect(method.ask(questionAbout(client, root, { time }))).toEqual(good);
  });

  it('leaves what is known, and everybody else unreachable: a policy for certificates without a source is none for them', async () => {
    const other = root.issue({ ocspUrls: [url] });
    const method = create(fetchOf(answer()));
    await ask(method);
    await method.close();
    await method.close();
    await expect(ask(method)).resolves.toEqual(good);
    await expect(ask(method, other)).resolves.toMatchObject({ status: 'unknown', cause: 'unreachable' });
  });
});

describe('options', () => {
  it.each<[string, unknown, string]>([
    ['none', null, 'ocsp takes an options object; it received null.'],
    ['an unknown name', { responder: url }, 'ocsp received an unknown option, `responder`.'],
    ['a letter in another case', { maxentries: 1 }, 'Did you mean `maxEntries`?'],
    ['no responder', { responders: [] }, 'responders takes one or two URLs; it received an empty array.'],
    ['three responders', { responders: [url, `${url}b`, `${url}c`] }, 'responders takes one or two URLs'],
    ['a responder that is no list', { responders: url }, 'responders takes one or two URLs; it received a string.'],
    ['a responder that is no text', { responders: [new URL(url)] }, 'responders takes one or two URLs'],
    ['a responder that may not be asked', { responders: ['ldap://a.test/'] }, 'URLs must be http or https'],
    ['a responder with a password', { responders: ['http://u:p@a.test/'] }, 'without user information'],
    ['no network', { network: null }, 'network takes an options object; it received null.'],
    ['a network that is none', { network: 5 }, 'network takes an options object; it received 5.'],
    ['an unknown name of the network', { network: { timeout: 1 } }, 'network received an unknown option, `timeout`.'],
    ['no time', { network: { timeoutMs: 99 } }, 'timeoutMs must be an integer from 100 to 30000'],
    ['an odd nonce', { nonce: true }, "nonce must be 'omit' or 'request'."],
    ['an odd word', { delegateWithoutNocheck: 'yes' }, "delegateWithoutNocheck must be 'reject' or 'accept'."],
    ['no time for an answer', { maxAgeSeconds: 0 }, 'maxAgeSeconds must be an integer from 1 to 604800'],
    ['too much time for an answer', { maxAgeSeconds: 604_801 }, 'maxAgeSeconds must be an integer from 1 to 604800'],
    ['no time to go', { refreshSeconds: 59 }, 'refreshSeconds must be an integer from 60 to 86400'],
    ['no entry', { maxEntries: 0 }, 'maxEntries must be an integer from 1 to 1000000'],
    ['too many entries', { maxEntries: 1_000_001 }, 'maxEntries must be an integer from 1 to 1000000'],
    ['no clock', { clock: 5 }, 'clock must be a function; it received 5.'],
    ['no listener', { onEvent: {} }, 'onEvent must be a function; it received an object.'],
  ])('are judged at construction: %s', (_, options, message) => {
    expect(() => ocsp(options as OcspOptions)).toThrow(message);
  });

  it.each<OcspOptions>([
    {},
    { responders: [url, 'https://10.0.0.1:8443/ocsp'], network: { timeoutMs: 100 } },
    { maxAgeSeconds: 1, maxEntries: 1, nonce: 'request' },
    { maxAgeSeconds: 604_800, maxEntries: 1_000_000, nonce: 'omit' },
  ])('that are good make a method: %j', async (options) => {
    const method = ocsp(options);
    expect(method.name).toBe('ocsp');
    await method.close();
  });

  it('have been read when it is made', async () => {
    const options: { nonce: 'omit' | 'request' } = { nonce: 'omit' };
    const fetch = fetchOf(answer());
    const network = { fetch };
    const method = ocsp({ ...options, network, clock: () => time });
    methods.push(method);
    options.nonce = 'request';
    network.fetch = fetchOf(Buffer.from('x'));
    await expect(ask(method)).resolves.toEqual(good);
  });
});

it('SS-04: where the issuer of a certificate is to be had is nothing anybody asks', () => {
  const caIssuers = der.sequence(
    der.sequence(der.oid('1.3.6.1.5.5.7.48.2'), der.implicit(6, Buffer.from('http://ca.test/ca.cer'))),
  );
  const about = root.issue({ extensions: [{ oid: '1.3.6.1.5.5.7.1.1', value: caIssuers }] });
  const fetch = fetchOf(answer());
  expect(create(fetch).ask(questionAbout(about, root))).toMatchObject({ cause: 'no-source' });
  expect(fetch).not.toHaveBeenCalled();
});
