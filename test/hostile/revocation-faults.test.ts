import {
  admitRequest,
  type Authenticator,
  crlDistributionPoints,
  createRevocation,
  type NetworkOptions,
  ocsp,
  type RevocationMethod,
  type RevocationOptions,
} from '@peercert/core';
import {
  cloudFrontHeaders,
  createAuthority,
  daysFromTestTime,
  type OcspResponseFields,
  TEST_TIME,
  type TestCertificate,
} from '@peercert/testkit';
import { unknownCauses } from '../../packages/core/src/revocation/revocation-method';
import { type FaultKind, type FaultyServer, startFaultyServer } from '../support/faulty-server';
import { admitted, behindEdge, fromEdge } from '../support/requests';

type Cause = (typeof unknownCauses)[number];
/** What a client's issuer serves, what it comes to, and the detail for the operator. */
type Fault = readonly [name: string, cause: Cause, detail: unknown, served: FaultKind | Served];
type Served = (client: TestCertificate) => Buffer;

const root = createAuthority({ subject: 'CN=Root' });
const stranger = createAuthority({ subject: 'CN=Root' });
const plainDelegate = root.issue();
const expiredDelegate = root.issue({
  extKeyUsage: ['OCSPSigning'],
  extensions: [{ oid: '1.3.6.1.5.5.7.48.1.5', value: Buffer.of(5, 0) }],
  notBefore: daysFromTestTime(-9),
  notAfter: daysFromTestTime(-1),
});
const critical = [{ oid: '1.2.3.4', critical: true, value: Buffer.of(5, 0) }];
const clock = (): number => TEST_TIME.getTime();

/** Octets of what is served, by the path it is served at. */
const bodies = new Map<string, Buffer>();
let server: FaultyServer;
/** With a certificate that nobody trusts. */
let untrusted: FaultyServer;
beforeAll(async () => {
  const certificate = createAuthority().issue({ extKeyUsage: ['serverAuth'], dnsNames: ['localhost'] });
  server = await startFaultyServer({ answer: ({ path }) => bodies.get(path.split('/')[2] ?? '') ?? Buffer.alloc(0) });
  untrusted = await startFaultyServer({ certificate });
});
afterAll(() => Promise.all([server.close(), untrusted.close()]));

const timedOut = 'The host did not answer in time.';
const reset = 'The connection ended before the answer did.';
const notHttp = 'The answer is not HTTP.';
const badStatus = 'The HTTP status is not 200.';
const tls = 'The TLS handshake with the host failed.';

/** The same for every method: no answer at all. */
const silences: readonly Fault[] = (
  [
    ['hang-before-headers', timedOut],
    ['hang-after-headers', timedOut],
    ['drip', timedOut],
    ['drip-headers', timedOut],
    ['refused', 'The host could not be connected to.'],
    ['reset-on-connect', reset],
    ['reset', reset],
    ['reset-midway', reset],
    ['close-at-once', reset],
    ['length-too-large', reset],
    ['switching-protocols', reset],
    ['other-protocol', tls],
    ['server-error', badStatus],
    ['unavailable', badStatus],
    ['too-many-requests', badStatus],
    ['not-found', badStatus],
    ['partial-content', badStatus],
    ['not-modified', badStatus],
    ['redirect', 'The answer is a redirect, which is not followed.'],
    ['redirect-temporarily', 'The answer is a redirect, which is not followed.'],
    ['not-http', notHttp],
    ['two-lengths', notHttp],
    ['length-and-chunks', notHttp],
    ['bad-chunk', expect.stringMatching(/^The (?:answer is not HTTP|connection ended)/)],
  ] as const
).map(([kind, detail]) => [kind, 'unreachable', detail, kind]);

const unusable = (kinds: readonly FaultKind[], detail: unknown): readonly Fault[] => {
  return kinds.map((kind) => [kind, 'unusable', detail, kind]);
};
const tooLarge = 'The answer is too large.';
const otherType = 'The answer is of a type or content coding that was not asked for.';

const answer = (fields: Partial<OcspResponseFields>, by = root): Served => {
  return (client) => by.ocspResponse({ certificate: client, ...fields });
};
const malformed = expect.stringMatching(/^malformed: /) as unknown;

const ocspFaults: readonly Fault[] = [
  ...silences,
  ...unusable(['large', 'large-announced', 'endless', 'large-headers'], tooLarge),
  ...unusable(['gzip'], otherType),
  ...unusable(['html', 'empty', 'length-too-small'], malformed),
  ['garbage DER', 'unusable', malformed, () => Buffer.from('30820100ff', 'hex')],
  ['half an answer', 'unusable', malformed, (client) => answer({})(client).subarray(0, 100)],
  ['octets after the answer', 'unusable', malformed, (client) => Buffer.concat([answer({})(client), Buffer.alloc(1)])],
  ['tryLater', 'unreachable', 'responder-error: tryLater', answer({ responseStatus: 'tryLater' })],
  ['unauthorized', 'unreachable', 'responder-error: unauthorized', answer({ responseStatus: 'unauthorized' })],
  ['internalError', 'unreachable', 'responder-error: internalError', answer({ responseStatus: 'internalError' })],
  [
    'malformedRequest',
    'unreachable',
    'responder-error: malformedRequest',
    answer({ responseStatus: 'malformedRequest' }),
  ],
  ['sigRequired', 'unreachable', 'responder-error: sigRequired', answer({ responseStatus: 'sigRequired' })],
  ['a wrong signature', 'untrusted', expect.stringMatching(/^signature-invalid/), answer({ signer: stranger })],
  ['an answer of a look-alike', 'untrusted', expect.any(String), answer({ issuer: root }, stranger)],
  ['an answer of any certificate', 'untrusted', expect.any(String), answer({ delegate: plainDelegate })],
  ['an answer of an expired delegate', 'untrusted', expect.any(String), answer({ delegate: expiredDelegate })],
  ['a critical extension', 'unusable', 'critical-extension: 1.2.3.4', answer({ responseExtensions: critical })],
  ['a stale answer', 'not-current', 'stale', answer({ nextUpdate: daysFromTestTime(-0.01) })],
  ['an answer from the future', 'not-current', 'not-yet-valid', answer({ thisUpdate: daysFromTestTime(0.5) })],
  ['another serial number', 'not-known', 'not-answered', answer({ serialNumber: 1 })],
  ['another issuer', 'not-known', 'not-answered', answer({ issuer: stranger })],
  ['unknown', 'not-known', 'status-unknown', answer({ status: 'unknown' })],
  ['a CRL', 'unusable', malformed, () => root.crl()],
];

const crl = (fields: Parameters<typeof root.crl>[0], by = root): Served => {
  return () => by.crl(fields);
};
const noCrl = expect.stringMatching(/^found /) as unknown;

const crlFaults: readonly Fault[] = [
  ...silences,
  ['large-announced', 'unreachable', timedOut, 'large-announced'],
  ...unusable(['endless', 'large-headers'], tooLarge),
  ...unusable(['gzip'], otherType),
  ...unusable(['large', 'html', 'empty', 'length-too-small'], noCrl),
  ['garbage DER', 'unusable', noCrl, () => Buffer.from('30820100ff', 'hex')],
  ['half a CRL', 'unusable', noCrl, () => root.crl().subarray(0, 100)],
  ['octets after the CRL', 'unusable', noCrl, () => Buffer.concat([root.crl(), Buffer.alloc(1)])],
  ['half a PEM block', 'unusable', noCrl, () => Buffer.from('-----BEGIN X509 CRL-----\nMIIB')],
  ['a certificate', 'unusable', noCrl, () => Buffer.from(root.pem)],
  ['a wrong signature', 'untrusted', expect.any(String), crl({ signer: stranger })],
  ['the CRL of a look-alike', 'untrusted', expect.any(String), crl({}, stranger)],
  ['the CRL of another issuer', 'no-source', 'no CRL of the issuer', crl({}, createAuthority())],
  ['a CRL whose time is over', 'not-current', expect.any(String), crl({ nextUpdate: daysFromTestTime(-0.01) })],
  ['a CRL from the future', 'not-current', expect.any(String), crl({ thisUpdate: daysFromTestTime(0.5) })],
  ['a CRL without nextUpdate', 'not-current', expect.any(String), crl({ nextUpdate: 'absent' })],
  ['a delta CRL', 'unusable', expect.any(String), crl({ deltaCrlIndicator: 1 })],
  ['an indirect CRL', 'unusable', expect.any(String), crl({ issuingDistributionPoint: { indirectCRL: true } })],
  [
    'a CRL of authorities',
    'unusable',
    expect.any(String),
    crl({ issuingDistributionPoint: { onlyContainsCACerts: true } }),
  ],
  [
    'another partition',
    'unusable',
    expect.any(String),
    crl({ issuingDistributionPoint: { uris: ['http://a.test/'] } }),
  ],
  ['a critical extension', 'unusable', expect.any(String), crl({ extensions: critical })],
  ['an OCSP response', 'unusable', noCrl, (client) => answer({})(client)],
];

const never: ReadonlySet<FaultKind> = new Set([
  'hang-before-headers',
  'hang-after-headers',
  'large-announced',
  'drip',
  'drip-headers',
]);

interface Kind {
  readonly make: (network: NetworkOptions) => RevocationMethod;
  readonly naming: (url: string) => object;
  readonly faults: readonly Fault[];
}
const kinds: readonly (readonly [string, Kind])[] = [
  [
    'ocsp()',
    { make: (network) => ocsp({ network, clock }), naming: (url) => ({ ocspUrls: [url] }), faults: ocspFaults },
  ],
  [
    'crlDistributionPoints()',
    {
      make: (network) => crlDistributionPoints({ network, clock }),
      naming: (url) => ({ crlDistributionPoints: [url] }),
      faults: crlFaults,
    },
  ],
];

describe.each(kinds)('%s', (_, { make, naming, faults }) => {
  async function withFault(
    url: string,
    served: FaultKind | Served,
    work: (method: RevocationMethod, client: TestCertificate) => Promise<void>,
  ): Promise<void> {
    const timeoutMs = typeof served === 'string' && never.has(served) ? 100 : 10_000;
    const hosts = { hosts: [new URL(url).host], dangerouslyAllowPrivateAddressesOf: ['127.0.0.1'] };
    const method = make({ ...hosts, timeoutMs, totalTimeoutMs: timeoutMs });
    try {
      await work(method, root.issue(naming(url)));
    } finally {
      await method.close();
    }
  }

  const judge = (method: RevocationMethod, unknownStatus: RevocationOptions['unknownStatus']): Authenticator => {
    const policy = unknownStatus === undefined ? {} : { unknownStatus };
    return behindEdge([root], { revocation: createRevocation({ methods: [method], timeoutMs: 30_000, ...policy }) });
  };

  async function expectUnknown(
    method: RevocationMethod,
    client: TestCertificate,
    { cause, detail }: { cause: Cause; detail: unknown },
  ): Promise<void> {
    const request = fromEdge(...cloudFrontHeaders(client).flat());
    const asked = jest.spyOn(method, 'ask');
    const others = Object.fromEntries(unknownCauses.filter((one) => one !== cause).map((one) => [one, 'accept']));
    for (const unknownStatus of [undefined, 'reject', others] as const) {
      const authenticator = judge(method, unknownStatus);
      asked.mockClear();
      for (const time of [1, 2]) {
        await expect(admitRequest(authenticator, request)).resolves.toMatchObject({
          admitted: false,
          error: { code: 'ERR_REVOCATION_UNAVAILABLE', details: { depth: 0, cause, detail } },
          refusal: { status: 503, code: 'unavailable', headers: { 'retry-after': '5', 'cache-control': 'no-store' } },
        });
        // Never remembered as a verdict.
        expect(asked).toHaveBeenCalledTimes(time);
      }
    }
    for (const unknownStatus of ['accept', { [cause]: 'accept' }] as const) {
      const authenticator = judge(method, unknownStatus);
      asked.mockClear();
      for (let time = 1; time <= 2; time += 1) {
        await expect(admitted(authenticator, request)).resolves.toMatchObject({
          status: 'authenticated',
          revocation: [{ status: 'unknown', certificateSha256: expect.any(String), cause, detail }],
        });
        expect(asked).toHaveBeenCalledTimes(1);
      }
    }
  }

  it.each(faults)(
    'OC-08: %s is refused as %s, or accepted where the policy says so',
    async (name, cause, detail, served) => {
      const before = server.requests;
      const id = encodeURIComponent(name);
      const url = typeof served === 'string' ? server.url(served) : `${server.url('good')}/${id}`;
      await withFault(url, served, async (method, client) => {
        if (typeof served !== 'string') bodies.set(id, served(client));
        await expectUnknown(method, client, { cause, detail });
      });
      // Five policies and ten requests later.
      expect(server.requests - before).toBeLessThanOrEqual(1);
      await server.idle();
    },
  );

  it('OC-08: a responder with a certificate that nobody trusts is refused', async () => {
    const url = untrusted.url('good');
    await withFault(url, 'good', (method, client) =>
      expectUnknown(method, client, { cause: 'unreachable', detail: tls }),
    );
    expect(untrusted.requests).toBe(0);
  });

  it('OC-08: what was refused is admitted when the fault is over', async () => {
    // Whole milliseconds, which add up exactly.
    let monotonic = Math.ceil(performance.now());
    const now = jest.spyOn(performance, 'now').mockImplementation(() => monotonic);
    try {
      await withFault(
        `${server.url('good')}/over`,
        () => Buffer.alloc(0),
        async (method, client) => {
          bodies.set('over', Buffer.alloc(0));
          const authenticator = judge(method, 'reject');
          const request = fromEdge(...cloudFrontHeaders(client).flat());
          await expect(admitRequest(authenticator, request)).resolves.toMatchObject({ refusal: { status: 503 } });
          const isOcsp = method.name === 'ocsp';
          bodies.set('over', isOcsp ? root.ocspResponse({ certificate: client }) : root.crl());
          monotonic += 4_999;
          await expect(admitRequest(authenticator, request)).resolves.toMatchObject({ refusal: { status: 503 } });
          monotonic += 1;
          await expect(admitted(authenticator, request)).resolves.toMatchObject({
            revocation: [{ status: 'good', method: method.name }],
          });
        },
      );
    } finally {
      now.mockRestore();
    }
  });
});
