import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  crlDistributionPoints,
  type CrlDistributionPointsOptions,
  crlUrls,
  type CrlUrlsOptions,
  type FetchFunction,
  type FetchResponse,
  type RevocationMethod,
} from '@peercert/core';
import {
  createAuthority,
  daysFromTestTime,
  der,
  TEST_TIME,
  type TestAuthority,
  type TestCertificate,
} from '@peercert/testkit';
import { questionAbout, respond } from '../../../support/online-revocation';

const url = 'http://crl.test/ca.crl';
const root = createAuthority({ subject: 'CN=Root' });
const client = root.issue({ crlDistributionPoints: [url] });
const time = TEST_TIME.getTime();
const revokedAt = daysFromTestTime(-2);
const revoking = (certificate: TestCertificate): Buffer => {
  return root.crl({ revoked: [{ certificate, revocationDate: revokedAt, reason: 'superseded' }] });
};

const good = {
  status: 'good',
  source: url,
  asOf: daysFromTestTime(-1).getTime(),
  until: daysFromTestTime(7).getTime(),
};
const revoked = { ...good, status: 'revoked', revokedAt: revokedAt.getTime(), reason: 'superseded' };
const down = { status: 'unknown', cause: 'unreachable', detail: 'The fetch function failed.' };

const methods: RevocationMethod[] = [];
afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all(methods.splice(0).map((method) => method.close()));
});

type Answers = Readonly<Record<string, Buffer | FetchResponse | Promise<FetchResponse>>>;
const never = new Promise<never>(() => {});

/** A network of URLs and what is there; nothing else answers. */
function network(answers: Answers): jest.MockedFunction<FetchFunction> {
  return jest.fn<ReturnType<FetchFunction>, Parameters<FetchFunction>>(async (asked) => {
    const answer = answers[asked];
    if (answer === undefined) throw new Error('down');
    return Buffer.isBuffer(answer) ? respond(answer) : answer;
  });
}

function byCertificates(fetch: FetchFunction, options: CrlDistributionPointsOptions = {}): RevocationMethod {
  const method = crlDistributionPoints({ clock: () => time, ...options, network: { fetch, ...options.network } });
  methods.push(method);
  return method;
}

function byOperator(
  urls: readonly string[],
  fetch: FetchFunction,
  options: Partial<CrlUrlsOptions> = {},
): RevocationMethod {
  const method = crlUrls({ urls, clock: () => time, network: { fetch }, ...options });
  methods.push(method);
  return method;
}

const ask = async (
  method: RevocationMethod,
  about: TestCertificate = client,
  issuer: TestAuthority = root,
): Promise<unknown> => method.ask(questionAbout(about, issuer));

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await nextTurn();
};
const asked = (fetch: jest.MockedFunction<FetchFunction>): readonly string[] => fetch.mock.calls.map(([one]) => one);

describe('a CRL where the certificate says', () => {
  it.each([
    ['good', root.crl(), good],
    ['revoked', revoking(client), revoked],
    ['good by a CRL in PEM', Buffer.from(pemOf(root.crl())), good],
  ])('is fetched, and known at once from then on: %s', async (_, body, expected) => {
    const fetch = network({ [url]: body });
    const method = byCertificates(fetch);
    await expect(ask(method)).resolves.toEqual(expected);
    expect(method.ask(questionAbout(client, root))).toEqual(expected);
    expect(fetch.mock.calls).toEqual([
      [
        url,
        {
          method: 'GET',
          headers: { 'user-agent': 'peercert', accept: 'application/pkix-crl', 'accept-encoding': 'identity' },
          redirect: 'error',
          signal: expect.any(AbortSignal),
        },
      ],
    ]);
  });

  it('F13: is fetched once, however many wait for it', async () => {
    const fetch = network({ [url]: root.crl() });
    const method = byCertificates(fetch);
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => ask(method)));
    expect(answers.every((answer) => (answer as { status: string }).status === 'good')).toBe(true);
    expect(fetch).toHaveBeenCalledTimes(1);
  });

  it.each<[string, Buffer, object]>([
    ['markup', Buffer.from('<h1>Sign in</h1>'), { cause: 'unusable', detail: expect.stringContaining('markup') }],
    ['nothing', Buffer.alloc(0), { cause: 'unusable', detail: 'found an empty file' }],
    ['half a CRL', root.crl().subarray(0, 200), { cause: 'unusable', detail: expect.stringContaining('strict DER') }],
    ['the CRL of another issuer', createAuthority().crl(), { cause: 'no-source', detail: 'no CRL of the issuer' }],
    ['the CRL of a look-alike', createAuthority({ subject: 'CN=Root' }).crl(), { cause: 'untrusted' }],
    ['a CRL whose time is over', root.crl({ nextUpdate: daysFromTestTime(-0.5) }), { cause: 'not-current' }],
    ['a CRL ahead of its time', root.crl({ thisUpdate: daysFromTestTime(1) }), { cause: 'not-current' }],
    ['a CRL without nextUpdate', root.crl({ nextUpdate: 'absent' }), { cause: 'not-current' }],
    ['a delta CRL', root.crl({ deltaCrlIndicator: 1 }), { cause: 'unusable' }],
    [
      'the CRL of another partition',
      root.crl({ issuingDistributionPoint: { uris: ['http://crl.test/2.crl'] } }),
      { cause: 'unusable' },
    ],
  ])('OC-08: says nothing where it is %s', async (_, body, expected) => {
    await expect(ask(byCertificates(network({ [url]: body })))).resolves.toMatchObject({
      status: 'unknown',
      ...expected,
    });
  });

  it('is one of a hundred at most: each takes more memory than it has octets', async () => {
    const pem = pemOf(root.crl());
    await expect(ask(byCertificates(network({ [url]: Buffer.from(pem.repeat(100)) })))).resolves.toEqual(good);
    await expect(ask(byCertificates(network({ [url]: Buffer.from(pem.repeat(101)) })))).resolves.toEqual({
      status: 'unknown',
      cause: 'unusable',
      detail: 'found more than 100 CRLs',
    });
  });

  it('SS-03: is looked for at two URLs, the first that may be asked', async () => {
    const fetch = network({});
    const urls = [
      'ldap://crl.test/',
      'file:///etc/passwd',
      'http://u:p@crl.test/',
      `http://crl.test/${'x'.repeat(10_240)}`,
      ...Array.from({ length: 200 }, (_, index) => `http://crl.test/${index}`),
    ];
    await expect(ask(byCertificates(fetch), root.issue({ crlDistributionPoints: urls }))).resolves.toEqual(down);
    expect(asked(fetch)).toEqual(['http://crl.test/0', 'http://crl.test/1']);
  });

  it.each<[string, object]>([
    ['names none', {}],
    ['names none that may be asked', { crlDistributionPoints: ['ldap://crl.test/', 'http://u:p@crl.test/'] }],
    ['names responders only', { ocspUrls: [url] }],
  ])('is looked for nowhere, where the certificate %s: that is known at once', (_, fields) => {
    const fetch = network({ [url]: root.crl() });
    expect(byCertificates(fetch).ask(questionAbout(root.issue(fields), root))).toEqual({
      status: 'unknown',
      cause: 'no-source',
      detail: 'the certificate names no CRL that may be fetched',
    });
    expect(fetch).not.toHaveBeenCalled();
  });

  it('is not looked for where another authority signs it', () => {
    const point = der.sequence(
      der.explicit(0, der.explicit(0, der.implicit(6, Buffer.from(url)))),
      der.explicit(2, der.explicit(4, root.subject)),
    );
    const about = root.issue({ extensions: [{ oid: '2.5.29.31', value: der.sequence(point) }] });
    const fetch = network({ [url]: root.crl() });
    expect(byCertificates(fetch).ask(questionAbout(about, root))).toMatchObject({ cause: 'no-source' });
    expect(fetch).not.toHaveBeenCalled();
  });

  it('is not looked for at a host that the operator has not named, and that is not degraded', async () => {
    const fetch = network({ [url]: root.crl() });
    const onEvent = jest.fn();
    const method = byCertificates(fetch, { network: { hosts: ['other.test'] }, onEvent });
    await expect(ask(method)).resolves.toEqual({
      status: 'unknown',
      cause: 'no-source',
      detail: 'The host may not be asked for revocation data.',
    });
    expect(fetch).not.toHaveBeenCalled();
    expect(onEvent).not.toHaveBeenCalled();
    expect(method.health).toEqual({ method: 'crl', status: 'ok', sources: [{ source: url, status: 'ok' }] });
  });
});

describe('of two URLs', () => {
  const [first, second] = ['http://a.test/ca.crl', 'http://b.test/ca.crl'] as const;
  const about = root.issue({ crlDistributionPoints: [first, second] });

  it.each([
    [first, { [first]: root.crl(), [second]: never }],
    [second, { [first]: never, [second]: root.crl() }],
  ])('one that answers is enough, whatever the other one does: %s', async (source, answers) => {
    const method = byCertificates(network(answers));
    await expect(ask(method, about)).resolves.toEqual({ ...good, source });
    expect(method.ask(questionAbout(about, root))).toEqual({ ...good, source });
  });

  it('one that fails costs nobody anything who is answered by the other one', async () => {
    let monotonic = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => monotonic);
    const fetch = network({ [first]: root.crl() });
    const method = byCertificates(fetch);
    await ask(method, about);
    await settle();
    for (monotonic = 10_000; monotonic < 100_000; monotonic += 10_000) {
      expect(method.ask(questionAbout(about, root))).toEqual({ ...good, source: first });
      await settle();
    }
    expect(asked(fetch)).toEqual([first, second]);
  });

  it('one that was never looked at is looked at in the background, and counts', async () => {
    const fetch = network({ [first]: root.crl(), [second]: revoking(about) });
    const method = byCertificates(fetch);
    await ask(method, root.issue({ crlDistributionPoints: [first] }));
    const { revision } = method;
    expect(method.ask(questionAbout(about, root))).toEqual({ ...good, source: first });
    await settle();
    expect(method.revision).not.toBe(revision);
    expect(method.ask(questionAbout(about, root))).toMatchObject({ status: 'revoked', source: second });
  });

  it('the more telling one tells why nothing is known', async () => {
    const fetch = network({ [first]: Buffer.from('x'), [second]: root.crl({ deltaCrlIndicator: 1 }) });
    await expect(ask(byCertificates(fetch), about)).resolves.toEqual({
      status: 'unknown',
      cause: 'unusable',
      detail: 'it is a delta CRL',
    });
  });
});

describe('a forged CRL', () => {
  it('is fetched again after a minute, with nothing that its forger could have said, and gives way', async () => {
    let monotonic = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => monotonic);
    const lookAlike = createAuthority({ subject: 'CN=Root' });
    const forged = lookAlike.crl({ thisUpdate: TEST_TIME, nextUpdate: daysFromTestTime(9_999), crlNumber: 999 });
    const bodies = [forged, root.crl()];
    const fetch = jest.fn<ReturnType<FetchFunction>, Parameters<FetchFunction>>(async () =>
      respond(bodies.shift() ?? Buffer.alloc(0), { etag: '"1"' }),
    );
    const method = byCertificates(fetch);
    for (monotonic of [0, 1, 59_999]) await expect(ask(method)).resolves.toMatchObject({ cause: 'untrusted' });
    expect(fetch).toHaveBeenCalledTimes(1);
    monotonic = 60_000;
    await expect(ask(method)).resolves.toEqual(good);
    expect(fetch.mock.calls.map(([, { headers }]) => headers['if-none-match'])).toEqual([undefined, undefined]);
    expect(method.ask(questionAbout(client, root))).toEqual(good);
  });
});

describe('a partitioned CRL', () => {
  const partition = (number: number): string => `http://crl.test/${number}.crl`;
  const of = (number: number, fields: object = {}): Buffer => {
    return root.crl({ issuingDistributionPoint: { uris: [partition(number)] }, ...fields });
  };
  const [one, two] = [1, 2].map((number) => root.issue({ crlDistributionPoints: [partition(number)] })) as [
    TestCertificate,
    TestCertificate,
  ];

  it('is what it is in each of its parts: a certificate is judged by its own', async () => {
    const fetch = network({ [partition(1)]: of(1, { revoked: [one] }), [partition(2)]: of(2, { revoked: [two] }) });
    const method = byCertificates(fetch);
    await expect(ask(method, one)).resolves.toMatchObject({ status: 'revoked', source: partition(1) });
    await expect(ask(method, two)).resolves.toMatchObject({ status: 'revoked', source: partition(2) });
    await expect(ask(method, root.issue({ crlDistributionPoints: [partition(1)] }))).resolves.toMatchObject({
      status: 'good',
      source: partition(1),
    });
    expect(asked(fetch)).toEqual([partition(1), partition(2)]);
  });

  it('does not make a certificate good by a part that is not its own', async () => {
    const fetch = network({ [partition(1)]: of(2), [partition(2)]: of(2) });
    const method = byCertificates(fetch);
    await expect(ask(method, two)).resolves.toMatchObject({ status: 'good' });
    await expect(ask(method, one)).resolves.toMatchObject({ status: 'unknown', cause: 'unusable' });
  });

  it('without a scope in its parts does not make a certificate good by a part that was fetched for another', async () => {
    const fetch = network({ [partition(1)]: root.crl() });
    const method = byCertificates(fetch);
    await expect(ask(method, one)).resolves.toMatchObject({ status: 'good' });
    await expect(ask(method, two)).resolves.toEqual(down);
  });
});

describe('CRLs at URLs of the operator', () => {
  const [first, second] = ['http://10.0.0.1:8080/a.crl', 'https://crl.internal/b.crl'] as const;
  const other = createAuthority();
  const unnamed = root.issue();

  it('are fetched before anybody asks, and known at once then', async () => {
    const fetch = network({ [first]: root.crl({ revoked: [unnamed] }), [second]: other.crl() });
    const method = byOperator([first, second], fetch);
    await settle();
    expect(asked(fetch)).toEqual([first, second]);
    expect(await ask(method, unnamed)).toMatchObject({ status: 'revoked', source: first });
    expect(method.ask(questionAbout(root.issue(), root))).toEqual({ ...good, source: first });
    expect(method.ask(questionAbout(client, root))).toEqual({ ...good, source: first });
    expect(asked(fetch)).toEqual([first, second]);
    expect(method.health).toMatchObject({
      method: 'crl',
      status: 'ok',
      sources: [
        { source: second, status: 'ok', entries: 0 },
        { source: first, status: 'ok', entries: 1 },
      ],
    });
  });

  it('are waited for by who asks while they are fetched, and one that hangs by nobody who need not', async () => {
    const fetch = network({ [first]: root.crl(), [second]: never });
    await expect(ask(byOperator([first, second], fetch), unnamed)).resolves.toEqual({ ...good, source: first });
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it('are as they were when the method was made', async () => {
    const urls: string[] = [first, first];
    const fetch = network({ [first]: root.crl() });
    const method = byOperator(urls, fetch);
    urls[0] = second;
    await expect(ask(method, unnamed)).resolves.toEqual({ ...good, source: first });
    expect(asked(fetch)).toEqual([first]);
  });

  it('count for a certificate of an issuer without one as no source', async () => {
    const method = byOperator([first], network({ [first]: root.crl() }));
    await expect(ask(method, other.issue(), other)).resolves.toEqual({
      status: 'unknown',
      cause: 'no-source',
      detail: 'no CRL of the issuer',
    });
  });

  it('that cannot be fetched are unreachable, not missing', async () => {
    await expect(ask(byOperator([first], network({})), unnamed)).resolves.toEqual(down);
  });
});

describe('close', () => {
  it('ends what is under way: it is not known then, which nobody is told of', async () => {
    const fetch = network({ [url]: never });
    const onEvent = jest.fn();
    const method = byCertificates(fetch, { onEvent });
    const asking = ask(method);
    await settle();
    await method.close();
    const closed = { status: 'unknown', cause: 'unreachable', detail: 'The fetcher was closed.' };
    await expect(asking).resolves.toEqual(closed);
    await expect(ask(method)).resolves.toEqual(closed);
    expect(onEvent).not.toHaveBeenCalled();
  });

  it('leaves what is known, and everything else unreachable', async () => {
    const method = byCertificates(network({ [url]: root.crl() }));
    await ask(method);
    await method.close();
    await method.close();
    expect(method.ask(questionAbout(client, root))).toEqual(good);
    const elsewhere = root.issue({ crlDistributionPoints: ['http://other.test/'] });
    await expect(ask(method, elsewhere)).resolves.toMatchObject({ cause: 'unreachable' });
  });
});

describe('options', () => {
  const judged: readonly (readonly [string, object, string])[] = [
    ['an unknown name', { refresh: 1 }, 'received an unknown option, `refresh`.'],
    ['looking too often', { refreshSeconds: 59 }, 'refreshSeconds must be an integer from 60 to 86400'],
    ['looking too seldom', { refreshSeconds: 86_401 }, 'refreshSeconds must be an integer from 60 to 86400'],
    ['no age', { maxAgeSeconds: 0 }, 'maxAgeSeconds must be an integer from 1'],
    ['no clock', { clock: 1 }, 'clock must be a function'],
    ['no listener', { onEvent: 'log' }, 'onEvent must be a function'],
    ['no network', { network: null }, 'network takes an options object; it received null.'],
    ['a network that is none', { network: 5 }, 'network takes an options object; it received 5.'],
    ['an unknown name of the network', { network: { proxy: '' } }, 'network received an unknown option, `proxy`.'],
  ];

  it.each(judged)('of both are judged at construction: %s', (_, options, message) => {
    expect(() => crlDistributionPoints(options)).toThrow(message);
    expect(() => crlUrls({ urls: [url], ...options })).toThrow(message);
  });

  it.each<[string, object, string]>([
    ['none', [], 'crlUrls takes an options object; it received an empty array.'],
    ['no list', { urls: url }, 'crlUrls needs urls, a list of http or https URLs; it received a string.'],
    ['an empty list', { urls: [] }, 'crlUrls needs urls, a list of http or https URLs; it received an empty array.'],
    ['something else', { urls: [new URL(url)] }, 'crlUrls needs urls'],
    ['no URL', { urls: ['crl.test/ca.crl'] }, 'URLs must be http or https'],
    ['another scheme', { urls: [url, 'ldap://crl.test/'] }, 'URLs must be http or https'],
    [
      'too many',
      { urls: Array.from({ length: 101 }, (_, index) => `${url}${index}`) },
      'crlUrls takes from 1 to 100 urls; it received 101.',
    ],
    ['other hosts', { urls: [url], network: { hosts: ['a.test'] } }, 'network names no others'],
    [
      'private hosts',
      { urls: [url], network: { dangerouslyAllowPrivateAddressesOf: ['a.test'] } },
      'network names no others',
    ],
  ])('of crlUrls are judged at construction: %s', (_, options, message) => {
    expect(() => crlUrls(options as CrlUrlsOptions)).toThrow(message);
  });

  it('that are good make a method', async () => {
    const fetch = network({});
    const urls = Array.from({ length: 100 }, (_, index) => `${url}${index}`);
    for (const refreshSeconds of [60, 86_400]) {
      expect(byCertificates(fetch, { refreshSeconds }).name).toBe('crl');
      expect(byOperator(urls, fetch, { refreshSeconds }).name).toBe('crl');
    }
  });
});

function pemOf(octets: Buffer): string {
  const lines = octets.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN X509 CRL-----', ...lines, '-----END X509 CRL-----', ''].join('\n');
}
