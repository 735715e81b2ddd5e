import crypto from 'node:crypto';
import {
  type Authenticator,
  type AuthenticatorOptions,
  type CertificateRequest,
  type ChannelEvidence,
  type ChannelProof,
  type ClientIdentity,
  cloudFront,
  createAuthenticator,
  createDenyList,
  createRevocation,
  encodeClientCert,
  encodeClientCertChain,
  nativeTls,
  type Outcome,
  TrustStore,
} from '@peercert/core';
import {
  cloudFrontHeaders,
  createAuthority,
  daysFromTestTime,
  TEST_TIME,
  type TestCertificate,
} from '@peercert/testkit';
import { unknown } from '../../../packages/core/src/revocation/revocation-method';
import {
  behindEdge,
  callerOf,
  countingDecodes,
  edgeChannel,
  edgeSecret,
  fromEdge,
  requestOf,
  secretLine,
} from '../../support/requests';
import { good, methodThat, revoked, revoking, sha256Of } from '../../support/revocation-methods';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../support/refusals';

const root = createAuthority({ subject: 'CN=Root' });
const intermediate = root.issueIntermediate({ subject: 'CN=Intermediate' });
const client = intermediate.issue({ uris: ['urn:client'] });
const direct = root.issue({ uris: ['urn:direct'] });

const request = (certificate: TestCertificate, chain = certificate.chain): CertificateRequest =>
  fromEdge(...cloudFrontHeaders(certificate, { chain }).flat());
const trustOf = (...anchors: readonly TestCertificate[]): TrustStore =>
  TrustStore.fromDer(anchors.map(({ der }) => der));
const providerOf = (current: TrustStore) => ({ current, close: async () => {} });

async function identityOf(authenticator: Authenticator, of: CertificateRequest): Promise<ClientIdentity | undefined> {
  const outcome = await authenticator.authenticate(of);
  return outcome.status === 'authenticated' ? outcome.identity : undefined;
}

/** A channel proof somebody else wrote. */
function channelOf(prove: () => unknown): ChannelProof {
  const rest = {
    proof: 'shared-secret',
    isSufficient: true,
    readsTlsPeer: false,
    consumedHeaders: [],
    checkTrust() {},
  };
  return { ...rest, prove } as unknown as ChannelProof;
}

/** A promise of another library: all it has is `then`. */
function thenable(then: (resolve: (value: unknown) => void, reject: (error: Error) => void) => void): object {
  // oxlint-disable-next-line unicorn/no-thenable -- exactly that is meant
  return { then };
}

const issuerUnknown = { depth: 1, issuer: 'CN=Intermediate' } as const;

let verifications: jest.SpyInstance;
beforeEach(() => {
  verifications = jest.spyOn(crypto, 'verify');
});
afterEach(() => verifications.mockRestore());

describe('one request', () => {
  it('is authenticated, with the evidence of its channel beside the identity', async () => {
    const outcome = await behindEdge([root]).authenticate(request(client));
    expect(outcome).toMatchObject({
      status: 'authenticated',
      channel: { proof: 'shared-secret', header: 'x-edge-secret', secret: 0 },
    });
    expect((outcome as { identity: ClientIdentity }).identity.uris).toEqual(['urn:client']);
  });

  it.each<['required' | 'optional', unknown]>([
    ['required', 'ERR_CERTIFICATE_REQUIRED'],
    ['optional', 'anonymous'],
  ])('CH-12, CH-23, CH-08: without a certificate, presence %s, is %s', async (presence, expected) => {
    const authenticator = behindEdge([root], { presence });
    const cert = encodeClientCert(direct.der);
    for (const lines of [
      [],
      ['X-SSL-Client-Verify', 'SUCCESS'],
      ['X-SSL-Client-Verify', 'SUCCESS', 'X-SSL-Client-Cert', direct.pem.replaceAll('\n', ' ')],
      ['Client_Cert', cert],
      ['X-Forwarded-Client-Cert', `Cert="${encodeURIComponent(direct.pem)}"`],
      ['__proto__', cert, 'constructor', cert],
    ]) {
      const outcome = await authenticator.authenticate(fromEdge(...lines));
      expect(outcome.status === 'rejected' ? outcome.error.code : outcome.status).toBe(expected);
    }
  });

  it.each<[string, CertificateRequest]>([
    ['no secret', requestOf(cloudFrontHeaders(client).flat())],
    ['a wrong secret', requestOf(['X-Edge-Secret', 'x'.repeat(40), ...cloudFrontHeaders(client).flat()])],
    ['a secret under an alias', requestOf(['X_Edge_Secret', edgeSecret, ...cloudFrontHeaders(client).flat()])],
    [
      'the secret in plaintext from elsewhere',
      requestOf([...secretLine, ...cloudFrontHeaders(client).flat()], { destroyed: false, remoteAddress: '10.0.0.5' }),
    ],
    [
      'a header that would be malformed',
      requestOf(['Client-Cert', 'rubbish', 'Client_Cert', 'x', 'Connection', 'client-cert']),
    ],
    ['1,500 headers', requestOf(Array.from({ length: 3_000 }, () => 'x'))],
  ])('CH-01, CH-02: from an untrusted peer is refused, its header not looked at: %s', async (_, untrusted) => {
    const collect = jest.fn();
    for (const presence of ['required', 'optional'] as const) {
      const source = { ...cloudFront({ channel: edgeChannel }), collect };
      const outcome = await behindEdge([root], { presence, source }).authenticate(untrusted);
      expect(outcome).toMatchObject({ status: 'rejected', error: { code: 'ERR_CHANNEL_UNTRUSTED' } });
    }
    expect(collect).not.toHaveBeenCalled();
    expect(verifications).not.toHaveBeenCalled();
  });

  it('CH-01: from an untrusted peer is at most anonymous, where the options say so', async () => {
    const authenticator = behindEdge([root], { presence: 'optional', untrustedPeer: 'anonymous' });
    for (const forged of [requestOf(cloudFrontHeaders(client).flat()), requestOf(['Client-Cert', 'rubbish'])]) {
      expect(authenticator.authenticate(forged)).toEqual({ status: 'anonymous', channel: { proof: 'none' } });
    }
    expect(verifications).not.toHaveBeenCalled();
    await expect(callerOf(authenticator, fromEdge('Client-Cert', ''))).rejects.toMatchObject({
      code: 'ERR_HEADER_MALFORMED',
    });
    expect(() => behindEdge([root], { untrustedPeer: 'anonymous' })).toThrow(
      new TypeError("untrustedPeer: 'anonymous' needs presence: 'optional'; nobody could be anonymous otherwise."),
    );
  });

  it.each<'required' | 'optional'>(['required', 'optional'])(
    'is refused for a bad certificate, presence %s',
    async (presence) => {
      const stranger = createAuthority({ subject: 'CN=Stranger' }).issue();
      await expect(callerOf(behindEdge([root], { presence }), request(stranger))).toRejectWith(
        'ERR_PATH_ISSUER_UNKNOWN',
        {
          depth: 1,
          issuer: 'CN=Stranger',
        },
      );
      await expect(callerOf(behindEdge([root], { presence }), fromEdge('Client-Cert', ''))).toRejectWith(
        'ERR_HEADER_MALFORMED',
        {
          header: 'client-cert',
          reason: 'a byte sequence does not begin with a colon',
        },
      );
    },
  );

  it('is refused with the position of a certificate that is not one', async () => {
    const rubbish = Buffer.from('not a certificate');
    const details = { reason: expect.any(String) as string, offset: expect.any(Number) as number };
    await expect(callerOf(behindEdge([root]), request({ ...direct, der: rubbish }))).toRejectWith(
      'ERR_CERTIFICATE_MALFORMED',
      { position: 0, ...details },
    );
    await expect(callerOf(behindEdge([root]), request(client, [intermediate.der, rubbish]))).toRejectWith(
      'ERR_CERTIFICATE_MALFORMED',
      { position: 2, ...details },
    );
  });

  it('EN-13: is accepted with the end-entity certificate again in its chain', async () => {
    const again = request(client, [client.der, intermediate.der]);
    await expect(callerOf(behindEdge([root]), again)).resolves.toEqual(['urn:client']);
  });

  it('PA-01: is never that of a certificate further down the list', async () => {
    const admin = createAuthority({ subject: 'CN=admin' });
    await expect(callerOf(behindEdge([root]), request(admin, [client.der, intermediate.der]))).toRejectWith(
      'ERR_CERTIFICATE_IS_CA',
      { depth: 0 },
    );
  });

  it('allows as many intermediates as maxIntermediates says', async () => {
    const options = { maxIntermediates: 0 };
    await expect(callerOf(behindEdge([root], options), request(direct))).resolves.toEqual(['urn:direct']);
    await expect(callerOf(behindEdge([root], options), request(client))).toRejectWith('ERR_PATH_TOO_LONG', {
      maximum: 0,
    });
    await expect(callerOf(behindEdge([root], { maxIntermediates: 1 }), request(client))).resolves.toEqual([
      'urn:client',
    ]);
  });
});

describe('spellings of one certificate', () => {
  const canonical = encodeClientCert(direct.der);
  const [unpadded, strayBits] = ((): [string, string] => {
    // A certificate whose length leaves a remainder, so that its last group is padded.
    const padded = root.issue({ uris: ['urn:direct'], subject: 'CN=xx' });
    const base64 = [padded, root.issue({ uris: ['urn:direct'], subject: 'CN=x' }), direct]
      .map(({ der }) => der.toString('base64'))
      .find((text) => text.endsWith('='));
    if (base64 === undefined) return [canonical, canonical];
    const bare = base64.replace(/=+$/, '');
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
    const last = alphabet[alphabet.indexOf(bare.at(-1) ?? '') + 1] ?? '';
    return [`:${bare}:`, `:${bare.slice(0, -1)}${last}${'='.repeat(base64.length - bare.length)}:`];
  })();

  it.each<[string, string]>([
    ['missing padding', unpadded],
    ['stray bits in the last character', strayBits],
    ['spaces around it', `  ${canonical} `],
    ['a parameter', `${canonical};v=1`],
  ])('EN-05: have one verdict: %s', async (_, spelling) => {
    const authenticator = behindEdge([root]);
    await expect(callerOf(authenticator, fromEdge('Client-Cert', spelling))).resolves.toEqual(['urn:direct']);
    await expect(callerOf(authenticator, fromEdge('Client-Cert', canonical))).resolves.toEqual(['urn:direct']);
    const elsewhere = behindEdge([createAuthority()]);
    await expect(callerOf(elsewhere, fromEdge('Client-Cert', spelling))).rejects.toMatchObject({
      code: 'ERR_PATH_ISSUER_UNKNOWN',
    });
  });

  it('EN-11: have one verdict when a chain comes in one line or in three', async () => {
    const authenticator = behindEdge([root]);
    const chain = [root.der, createAuthority().der, intermediate.der];
    const line = 'Client-Cert-Chain';
    const inOne = ['Client-Cert', encodeClientCert(client.der), line, encodeClientCertChain(chain)];
    const inThree = [
      'Client-Cert',
      encodeClientCert(client.der),
      ...chain.flatMap((der) => [line, encodeClientCert(der)]),
    ];
    const [one, three] = [
      await identityOf(authenticator, fromEdge(...inOne)),
      await identityOf(authenticator, fromEdge(...inThree)),
    ];
    expect(one).toBeDefined();
    expect(JSON.stringify(three)).toBe(JSON.stringify(one));
  });

  it('EN-10: have one verdict with no chain and with an empty one', async () => {
    const authenticator = behindEdge([root]);
    const lines = ['Client-Cert', canonical];
    for (const sent of [lines, [...lines, 'Client-Cert-Chain', '']]) {
      await expect(callerOf(authenticator, fromEdge(...sent))).resolves.toEqual(['urn:direct']);
    }
  });
});

describe('a verdict seen before', () => {
  it('costs no decoding and no signature, and is not a promise', async () => {
    const source = countingDecodes(cloudFront({ channel: edgeChannel }));
    const authenticator = behindEdge([root], { source });
    const first = await identityOf(authenticator, request(client));
    expect([source.decoded(), verifications.mock.calls.length]).toEqual([1, 2]);
    const outcome = authenticator.authenticate(request(client));
    expect(outcome).not.toBeInstanceOf(Promise);
    expect((outcome as { identity: unknown }).identity).toBe(first);
    expect([source.decoded(), verifications.mock.calls.length]).toEqual([1, 2]);
  });

  it('is kept of a refusal, too', async () => {
    const source = countingDecodes(cloudFront({ channel: edgeChannel }));
    const authenticator = behindEdge([root], { source });
    for (let count = 0; count < 3; count++) {
      await expect(callerOf(authenticator, request(client, []))).toRejectWith('ERR_PATH_ISSUER_UNKNOWN', issuerUnknown);
    }
    expect(source.decoded()).toBe(1);
  });

  it('is not kept of what could not be decoded', async () => {
    const source = countingDecodes(cloudFront({ channel: edgeChannel }));
    const authenticator = behindEdge([root], { source });
    for (let count = 0; count < 3; count++) {
      await expect(callerOf(authenticator, fromEdge('Client-Cert', ':AAEC:'))).rejects.toMatchObject({
        code: 'ERR_CERTIFICATE_MALFORMED',
      });
    }
    expect(source.decoded()).toBe(3);
  });

  it.each<[string, CertificateRequest, string]>([
    ['the channel is not proven', requestOf(cloudFrontHeaders(client).flat()), 'ERR_CHANNEL_UNTRUSTED'],
    [
      'Connection names the certificate',
      fromEdge(...cloudFrontHeaders(client).flat(), 'Connection', 'client-cert'),
      'ERR_HEADER_HOP_BY_HOP',
    ],
    [
      'an alias stands beside it',
      fromEdge(...cloudFrontHeaders(client).flat(), 'client_cert', 'x'),
      'ERR_HEADER_AMBIGUOUS',
    ],
    ['it is repeated', fromEdge(...cloudFrontHeaders(client).flat(), 'client-cert', 'x'), 'ERR_HEADER_REPEATED'],
    ['it has no chain', fromEdge(...cloudFrontHeaders(client, { chain: [] }).flat()), 'ERR_PATH_ISSUER_UNKNOWN'],
    [
      'there are too many headers',
      fromEdge(...cloudFrontHeaders(client).flat(), ...Array<string>(2_000).fill('x')),
      'ERR_HEADER_COUNT_EXCEEDED',
    ],
  ])('does not help a request in which %s', async (_, bad, code) => {
    const authenticator = behindEdge([root], { presence: 'optional' });
    await expect(callerOf(authenticator, request(client))).resolves.toEqual(['urn:client']);
    await expect(callerOf(authenticator, bad)).rejects.toMatchObject({ code });
    await expect(callerOf(authenticator, request(client))).resolves.toEqual(['urn:client']);
  });

  it('CH-19: is nobody else’s', async () => {
    const authenticator = behindEdge([root], { presence: 'optional' });
    const other = root.issue({ uris: ['urn:other'] });
    const callers: unknown[] = [];
    for (const sent of [request(client), request(other), fromEdge(), request(client), request(direct), fromEdge()]) {
      callers.push(await callerOf(authenticator, sent));
    }
    expect(callers).toEqual([
      ['urn:client'],
      ['urn:other'],
      ['anonymous'],
      ['urn:client'],
      ['urn:direct'],
      ['anonymous'],
    ]);
  });

  it('ID-06: gives each request an identity no other can change', async () => {
    const authenticator = behindEdge([root]);
    const first = await identityOf(authenticator, request(client));
    expect(() => (first?.uris as string[] | undefined)?.push('urn:admin')).toThrow(TypeError);
    first?.notAfter.setFullYear(1970);
    first?.path[0]?.fill(0);
    const second = await identityOf(authenticator, request(client));
    expect(second?.uris).toEqual(['urn:client']);
    expect(second?.notAfter).toEqual(daysFromTestTime(365));
    expect(Buffer.from(second?.path[0] ?? [])).toEqual(client.der);
  });

  it.each([
    ['the good chain first', true],
    ['the useless chain first', false],
  ])('CA-02: is its own for each chain of one certificate, %s', async (_, goodFirst) => {
    const authenticator = behindEdge([root]);
    const good = async (): Promise<void> => {
      await expect(callerOf(authenticator, request(client))).resolves.toEqual(['urn:client']);
    };
    const useless = async (): Promise<void> => {
      for (const chain of [[], [createAuthority().der], [root.der]]) {
        await expect(callerOf(authenticator, request(client, chain))).toRejectWith(
          'ERR_PATH_ISSUER_UNKNOWN',
          issuerUnknown,
        );
      }
    };
    for (const step of goodFirst ? [good, useless, good] : [useless, good, useless, good]) await step();
  });

  it('CA-03: is not shared by a chain that was moved into the certificate', async () => {
    const authenticator = behindEdge([root]);
    await expect(callerOf(authenticator, request(client))).resolves.toEqual(['urn:client']);
    const glued = `${encodeClientCert(client.der)}${encodeClientCert(intermediate.der)}`;
    await expect(callerOf(authenticator, fromEdge('Client-Cert', glued))).rejects.toMatchObject({
      code: 'ERR_HEADER_MALFORMED',
    });
    const twins = [
      'Client-Cert',
      encodeClientCert(intermediate.der),
      'Client-Cert-Chain',
      encodeClientCert(client.der),
    ];
    await expect(callerOf(authenticator, fromEdge(...twins))).toRejectWith('ERR_CERTIFICATE_IS_CA', { depth: 0 });
  });

  it('CA-03: does not depend on what was asked before, when a digest of CloudFront is there, empty, or wrong', async () => {
    const digest = crypto.hash('sha256', direct.der, 'hex');
    const code = 'ERR_HEADER_INCONSISTENT';
    const sent = (...digests: readonly string[]): CertificateRequest => {
      const lines = digests.flatMap((value) => ['CloudFront-Viewer-Cert-Sha256', value]);
      return fromEdge('Client-Cert', encodeClientCert(direct.der), ...lines);
    };
    for (const before of [[], [sent(), sent(digest)]]) {
      const authenticator = behindEdge([root]);
      for (const known of before) await expect(callerOf(authenticator, known)).resolves.toEqual(['urn:direct']);
      for (const wrong of ['', '0'.repeat(64), digest.slice(1), `=${digest}`]) {
        await expect(callerOf(authenticator, sent(wrong))).rejects.toMatchObject({ code });
      }
    }
  });

  it('CA-04: is reached anew by another authenticator', async () => {
    await expect(callerOf(behindEdge([root]), request(client))).resolves.toEqual(['urn:client']);
    await expect(callerOf(behindEdge([createAuthority()]), request(client))).rejects.toMatchObject({
      code: 'ERR_PATH_ISSUER_UNKNOWN',
    });
    await expect(callerOf(behindEdge([root], { maxIntermediates: 0 }), request(client))).toRejectWith(
      'ERR_PATH_TOO_LONG',
      { maximum: 0 },
    );
  });

  it('CA-04: is reached anew when the provider swaps its store, both ways', async () => {
    const trust = providerOf(trustOf(root));
    const authenticator = createAuthenticator({
      trust,
      source: cloudFront({ channel: edgeChannel }),
      clock: () => TEST_TIME.getTime(),
    });
    await expect(callerOf(authenticator, request(client))).resolves.toEqual(['urn:client']);
    trust.current = trustOf(createAuthority());
    await expect(callerOf(authenticator, request(client))).toRejectWith('ERR_PATH_ISSUER_UNKNOWN', {
      depth: 2,
      issuer: 'CN=Root',
    });
    trust.current = trustOf(root);
    await expect(callerOf(authenticator, request(client))).resolves.toEqual(['urn:client']);
  });

  it('CA-05: survives a stream of different garbage', async () => {
    const source = countingDecodes(cloudFront({ channel: edgeChannel }));
    const authenticator = behindEdge([root], { source });
    await callerOf(authenticator, request(client));
    const stranger = encodeClientCert(createAuthority().issue().der);
    for (let count = 0; count < 5_000; count++) {
      await authenticator.authenticate(fromEdge('Client-Cert', `${stranger};n=${count}`));
      await authenticator.authenticate(
        fromEdge('Client-Cert', `:${Buffer.from(`rubbish ${count}`).toString('base64')}:`),
      );
    }
    const before = source.decoded();
    expect(authenticator.authenticate(request(client))).toMatchObject({ status: 'authenticated' });
    expect(source.decoded()).toBe(before);
  });
});

describe('time', () => {
  const notBefore = daysFromTestTime(-1).getTime();
  const notAfter = daysFromTestTime(1).getTime();
  const brief = root.issue({ uris: ['urn:brief'], notBefore: new Date(notBefore), notAfter: new Date(notAfter) });

  function atTime(certificate = brief, options: Partial<AuthenticatorOptions> = {}) {
    let time = TEST_TIME.getTime();
    const authenticator = behindEdge([root], { clock: () => time, ...options });
    return async (at: number, chain = certificate.chain): Promise<unknown> => {
      time = at;
      const outcome = await authenticator.authenticate(request(certificate, chain));
      return outcome.status === 'rejected' ? outcome.error.code : outcome.status;
    };
  }

  const early = 'ERR_CERTIFICATE_NOT_YET_VALID';
  const late = 'ERR_CERTIFICATE_EXPIRED';

  it('CA-09: is judged with both ends of a validity included', async () => {
    const verdicts: unknown[] = [];
    for (const time of [notBefore - 1, notBefore, notAfter, notAfter + 1]) verdicts.push(await atTime()(time));
    expect(verdicts).toEqual([early, 'authenticated', 'authenticated', late]);
  });

  it('CA-01, CA-09: is judged the same when the verdict is cached', async () => {
    const at = atTime();
    expect(await at(notAfter - 5_000)).toBe('authenticated');
    expect(await at(notAfter)).toBe('authenticated');
    expect(await at(notAfter + 1)).toBe(late);
    expect(await at(notAfter)).toBe('authenticated');
    expect(await at(notBefore)).toBe('authenticated');
    expect(await at(notBefore - 1)).toBe(early);
  });

  it.each(['intermediate', 'anchor'])('CA-01: ends a cached verdict when the %s expires', async (which) => {
    const ends = new Date(notAfter);
    const anchor = createAuthority(which === 'anchor' ? { notAfter: ends } : {});
    const issuer = anchor.issueIntermediate(which === 'intermediate' ? { notAfter: ends } : {});
    let time = TEST_TIME.getTime();
    const authenticator = behindEdge([anchor], { clock: () => time });
    const sent = (): CertificateRequest => request(issued);
    const issued = issuer.issue({ uris: ['urn:x'] });
    await expect(callerOf(authenticator, sent())).resolves.toEqual(['urn:x']);
    time = notAfter;
    await expect(callerOf(authenticator, sent())).resolves.toEqual(['urn:x']);
    time++;
    await expect(callerOf(authenticator, sent())).toRejectWith('ERR_CERTIFICATE_EXPIRED', {
      depth: which === 'anchor' ? 2 : 1,
      time: new Date(time),
      notAfter: ends,
    });
  });

  it('CA-08: lets a certificate in as soon as it is valid, though it was refused before', async () => {
    const at = atTime();
    expect(await at(notBefore - 2_000)).toBe(early);
    expect(await at(notBefore - 1)).toBe(early);
    expect(await at(notBefore)).toBe('authenticated');
  });

  it('CA-08: lets a certificate in as soon as its intermediate is valid, though it was refused before', async () => {
    const issuer = root.issueIntermediate({ notBefore: new Date(TEST_TIME.getTime() + 2_000) });
    const at = atTime(issuer.issue());
    expect(await at(TEST_TIME.getTime())).toBe(early);
    expect(await at(TEST_TIME.getTime() + 1_999)).toBe(early);
    expect(await at(TEST_TIME.getTime() + 2_000)).toBe('authenticated');
  });

  it('CA-08: may jump an hour back and ten years forward, and each verdict is that of its time', async () => {
    const at = atTime();
    const now = TEST_TIME.getTime();
    const verdicts: unknown[] = [];
    for (const time of [now, now - 3_600_000, now + 315_576_000_000, now, now - 315_576_000_000, now]) {
      verdicts.push(await at(time));
    }
    expect(verdicts).toEqual(['authenticated', 'authenticated', late, 'authenticated', early, 'authenticated']);
  });

  it('CA-08: does not keep a refusal for a time before it was reached', async () => {
    const at = atTime();
    expect(await at(notAfter + 3_600_000)).toBe(late);
    expect(await at(notAfter)).toBe('authenticated');
  });

  it('CA-08: ends the life of a verdict by the monotonic clock, while the wall clock stands still', async () => {
    let monotonic = 0;
    const performanceNow = jest.spyOn(performance, 'now').mockImplementation(() => monotonic);
    const source = countingDecodes(cloudFront({ channel: edgeChannel }));
    const at = atTime(brief, { source, verdictCache: { ttlSeconds: 2 } });
    const decoded: number[] = [];
    for (monotonic of [0, 2_000, 2_001, 4_001, 4_002]) {
      await at(TEST_TIME.getTime());
      decoded.push(source.decoded());
    }
    performanceNow.mockRestore();
    expect(decoded).toEqual([1, 1, 2, 2, 3]);
  });

  it.each<[string, unknown, string]>([
    ['NaN', Number.NaN, late],
    ['undefined', undefined, late],
    ['Infinity', Infinity, late],
    ['-Infinity', -Infinity, early],
    ['text', 'now', late],
    ['an object', {}, late],
  ])('CA-08: refuses everybody when the clock says %s, known or not', async (_, time, code) => {
    const at = atTime();
    expect(await at(time as number)).toBe(code);
    expect(await at(TEST_TIME.getTime())).toBe('authenticated');
    expect(await at(time as number)).toBe(code);
    expect(await at(TEST_TIME.getTime())).toBe('authenticated');
  });

  it('is asked once for each request', async () => {
    const clock = jest.fn(() => TEST_TIME.getTime());
    const authenticator = behindEdge([root], { clock });
    await authenticator.authenticate(request(client));
    await authenticator.authenticate(request(client));
    expect(clock).toHaveBeenCalledTimes(2);
  });

  it('is Date.now unless somebody says otherwise', async () => {
    const now = jest.spyOn(Date, 'now').mockReturnValue(TEST_TIME.getTime());
    const authenticator = createAuthenticator({ trust: trustOf(root), source: cloudFront({ channel: edgeChannel }) });
    await expect(callerOf(authenticator, request(brief))).resolves.toEqual(['urn:brief']);
    now.mockReturnValue(notAfter + 1);
    await expect(callerOf(authenticator, request(brief))).rejects.toMatchObject({ code: late });
    now.mockRestore();
  });
});

describe('requests at the same time', () => {
  // Keys that are verified off the event loop, so that there is a time in between.
  const slow = createAuthority({ subject: 'CN=Slow', keyAlgorithm: 'p384' });
  const device = slow.issue({ uris: ['urn:slow'] });
  const forged = createAuthority({ keyAlgorithm: 'p384', subject: slow.subject }).issue({ uris: ['urn:slow'] });

  const many = (authenticator: Authenticator, of: () => CertificateRequest, count = 20): Promise<Outcome[]> =>
    Promise.all(Array.from({ length: count }, async () => authenticator.authenticate(of())));

  it('CA-06: let one do the work for all', async () => {
    const source = countingDecodes(cloudFront({ channel: edgeChannel }));
    const authenticator = behindEdge([slow], { source });
    const outcomes = await many(authenticator, () => request(device));
    expect(outcomes.map(({ status }) => status)).toEqual(Array(20).fill('authenticated'));
    expect([source.decoded(), verifications.mock.calls.length]).toEqual([1, 1]);
    expect(authenticator.authenticate(request(device))).not.toBeInstanceOf(Promise);
  });

  it('CA-06: are all refused by the work of one', async () => {
    const source = countingDecodes(cloudFront({ channel: edgeChannel }));
    const outcomes = await many(behindEdge([slow], { source }), () => request(forged));
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        error: { code: 'ERR_PATH_SIGNATURE_INVALID', details: { depth: 0, issuer: 'CN=Slow' } },
      });
    }
    expect(source.decoded()).toBe(1);
  });

  it('CA-06: each keep to their own certificate', async () => {
    const authenticator = behindEdge([slow], { presence: 'optional' });
    const other = slow.issue({ uris: ['urn:other'] });
    const callers = await Promise.all(
      [request(device), request(other), fromEdge(), request(device), request(other)].map((sent) =>
        callerOf(authenticator, sent),
      ),
    );
    expect(callers).toEqual([['urn:slow'], ['urn:other'], ['anonymous'], ['urn:slow'], ['urn:other']]);
    await expect(
      Promise.all([callerOf(authenticator, request(forged)), callerOf(authenticator, request(device))]),
    ).rejects.toMatchObject({
      code: 'ERR_PATH_SIGNATURE_INVALID',
    });
  });

  it('CA-06: find their own verdict when the one that works for them fails', async () => {
    const authenticator = behindEdge([slow]);
    // Asked at the very end of the work.
    const performanceNow = jest.spyOn(performance, 'now').mockImplementationOnce(() => {
      throw new Error('out of memory');
    });
    const outcomes = await many(authenticator, () => request(device), 5);
    performanceNow.mockRestore();
    expect(outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.error.code : outcome.status))).toEqual([
      'ERR_INTERNAL',
      ...Array<string>(4).fill('authenticated'),
    ]);
    await expect(callerOf(authenticator, request(device))).resolves.toEqual(['urn:slow']);
  });

  it('CA-06: are each refused when everybody fails, and nothing of it stays', async () => {
    const authenticator = behindEdge([slow]);
    const performanceNow = jest.spyOn(performance, 'now').mockImplementation(() => {
      throw new Error('out of memory');
    });
    const outcomes = await many(authenticator, () => request(device), 5);
    performanceNow.mockRestore();
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        error: { code: 'ERR_INTERNAL', cause: new Error('out of memory') },
      });
    }
    await expect(callerOf(authenticator, request(device))).resolves.toEqual(['urn:slow']);
  });

  it('CA-07, F9: are each judged by the store of their beginning, though it is replaced meanwhile', async () => {
    const elsewhere = trustOf(createAuthority());
    const trust = providerOf(trustOf(slow));
    const authenticator = behindEdge([slow], { trust });
    const verdicts: Promise<unknown>[] = [];
    const ask = (): void =>
      void verdicts.push(callerOf(authenticator, request(device)).catch(({ code }: { code: string }) => code));
    ask();
    ask();
    trust.current = elsewhere;
    ask();
    ask();
    trust.current = trustOf(slow);
    ask();
    trust.current = elsewhere;
    expect(await Promise.all(verdicts)).toEqual([
      ['urn:slow'],
      ['urn:slow'],
      'ERR_PATH_ISSUER_UNKNOWN',
      'ERR_PATH_ISSUER_UNKNOWN',
      ['urn:slow'],
    ]);
    await expect(callerOf(authenticator, request(device))).rejects.toMatchObject({ code: 'ERR_PATH_ISSUER_UNKNOWN' });
  });

  it('CA-07: ask the provider once for each request', async () => {
    const reads: TrustStore[] = [];
    const stores = [trustOf(slow), trustOf(createAuthority())];
    const trust = {
      get current() {
        const store = stores[reads.length % 2] as TrustStore;
        reads.push(store);
        return store;
      },
      close: async () => {},
    };
    const authenticator = behindEdge([slow], { trust });
    reads.length = 0;
    const callers = [];
    for (let count = 0; count < 4; count++) {
      callers.push(await callerOf(authenticator, request(device)).catch(({ code }: { code: string }) => code));
    }
    expect(reads).toHaveLength(4);
    expect(callers).toEqual([['urn:slow'], 'ERR_PATH_ISSUER_UNKNOWN', ['urn:slow'], 'ERR_PATH_ISSUER_UNKNOWN']);
  });

  it('CA-01: follow a verdict only if it holds for them', async () => {
    const notAfter = daysFromTestTime(1);
    const ending = slow.issue({ uris: ['urn:slow'], notAfter });
    const times = [TEST_TIME.getTime(), notAfter.getTime(), notAfter.getTime() + 1];
    const authenticator = behindEdge([slow], { clock: () => times.shift() ?? Number.NaN });
    const [first, second, third] = await many(authenticator, () => request(ending), 3);
    expect([first?.status, second?.status, third?.status]).toEqual(['authenticated', 'authenticated', 'rejected']);
  });
});

describe('failures that no input should cause', () => {
  it.each<[string, Partial<AuthenticatorOptions>]>([
    [
      'the clock throws',
      {
        clock: () => {
          throw new Error('broken');
        },
      },
    ],
    [
      'the channel throws',
      {
        source: {
          ...cloudFront({ channel: edgeChannel }),
          channel: channelOf(() => {
            throw new Error('broken');
          }),
        },
      },
    ],
    [
      'the channel rejects',
      {
        source: {
          ...cloudFront({ channel: edgeChannel }),
          channel: channelOf(async () => {
            throw new Error('broken');
          }),
        },
      },
    ],
    [
      'the source throws',
      {
        source: {
          ...cloudFront({ channel: edgeChannel }),
          collect: () => {
            throw new Error('broken');
          },
        },
      },
    ],
    [
      'decoding throws',
      {
        source: {
          ...cloudFront({ channel: edgeChannel }),
          collect: () => ({
            key: 'k',
            decodeChain: () => [],
            decodeEndEntity: () => {
              throw new Error('broken');
            },
          }),
        },
      },
    ],
  ])('F23: refuse with 500 and their cause when %s', async (_, options) => {
    for (const presence of ['required', 'optional'] as const) {
      const outcome = await behindEdge([root], { presence, ...options }).authenticate(request(client));
      expect(outcome).toMatchObject({
        status: 'rejected',
        error: { code: 'ERR_INTERNAL', status: 500, cause: new Error('broken') },
      });
    }
  });

  it('F23: refuse when the signature check throws, and when it says something else than true', async () => {
    verifications.mockImplementation(() => {
      throw new Error('broken');
    });
    const details = { depth: 0, issuer: 'CN=Root' };
    await expect(callerOf(behindEdge([root]), request(direct))).toRejectWith('ERR_PATH_SIGNATURE_INVALID', details);
    verifications.mockReturnValue(false);
    await expect(callerOf(behindEdge([root]), request(direct))).toRejectWith('ERR_PATH_SIGNATURE_INVALID', details);
  });

  it('F31: leave nothing behind: a good certificate is good after a bad one', async () => {
    const authenticator = behindEdge([root]);
    const forged = createAuthority({ subject: root.subject }).issue();
    const off = root.issue({ raw: { signatureValue: Buffer.from('0307000102030405ff', 'hex') } });
    for (const bad of [forged, off, { ...direct, der: Buffer.from('3003020100', 'hex') }]) {
      await expect(callerOf(authenticator, request(bad))).rejects.toMatchObject({ name: 'ClientCertificateError' });
      await expect(callerOf(behindEdge([root]), request(direct))).resolves.toEqual(['urn:direct']);
      await expect(callerOf(authenticator, request(direct))).resolves.toEqual(['urn:direct']);
    }
  });

  it.each<[string, () => unknown]>([
    [
      'a promise that rejects',
      async () => {
        throw new Error('no');
      },
    ],
    ["another library's promise that rejects", () => thenable((_, reject) => reject(new Error('no')))],
    ['a promise of nothing', async () => undefined],
    ['nothing', () => undefined],
    ['null', () => null],
    ['true', () => true],
    ['text', () => 'trusted'],
  ])('CH-01: never take a channel for proven that answers with %s', async (_, prove) => {
    const source = { ...cloudFront({ channel: edgeChannel }), channel: channelOf(prove) };
    for (const presence of ['required', 'optional'] as const) {
      const outcome = await behindEdge([root], { presence, source }).authenticate(request(client));
      expect(outcome).toMatchObject({ status: 'rejected', error: { code: 'ERR_INTERNAL' } });
    }
  });

  it('wait for a channel that takes its time, of any library', async () => {
    const evidence: ChannelEvidence = { proof: 'shared-secret', header: 'x', secret: 0 };
    for (const prove of [async () => evidence, () => thenable((resolve) => resolve(evidence))]) {
      const source = { ...cloudFront({ channel: edgeChannel }), channel: channelOf(prove) };
      const outcome = await behindEdge([root], { source }).authenticate(request(client));
      expect(outcome).toMatchObject({ status: 'authenticated', channel: evidence });
    }
  });

  it('refuse when the provider has no store any more', async () => {
    const trust = providerOf(trustOf(root));
    const authenticator = behindEdge([root], { trust });
    await expect(callerOf(authenticator, request(client))).resolves.toEqual(['urn:client']);
    trust.current = undefined as unknown as TrustStore;
    for (const sent of [request(client), request(direct)]) {
      await expect(callerOf(authenticator, sent)).toRejectWith('ERR_INTERNAL', {});
    }
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['a string', 'GET /'],
    ['a symbol', Symbol('request')],
    ['an empty object', {}],
    ['a request without headers', { socket: { encrypted: true, destroyed: false } }],
    ['a request with text for headers', { rawHeaders: 'Client-Cert', socket: { encrypted: true } }],
    ['a request with numbers for headers', { rawHeaders: [1, 2, 3], socket: { encrypted: true } }],
    ['a request with a name and no value', { rawHeaders: [...secretLine, 'Client-Cert'], socket: { encrypted: true } }],
    ['a request with symbols for headers', { rawHeaders: [Symbol('a'), Symbol('b')], socket: { encrypted: true } }],
    ['a web Request', new Request('http://localhost/', { headers: { 'client-cert': 'x' } })],
    [
      'a proxy that throws',
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('no');
          },
        },
      ),
    ],
    ['a proxy that says yes to everything', new Proxy({}, { get: () => true })],
    ['a frozen request', Object.freeze({ rawHeaders: Object.freeze([]), socket: Object.freeze({}) })],
  ])('refuse, without throwing, %s', async (_, odd) => {
    for (const source of [cloudFront({ channel: edgeChannel }), nativeTls()]) {
      const outcome = await behindEdge([root], { source }).authenticate(odd as CertificateRequest);
      expect(outcome.status).toBe('rejected');
    }
  });
});

describe('constructing an authenticator', () => {
  const valid: AuthenticatorOptions = { trust: trustOf(root), source: cloudFront({ channel: edgeChannel }) };
  const needsTrust = 'createAuthenticator needs trust, a TrustStore; it received ';
  const needsSource = 'createAuthenticator needs source, cloudFront({ channel }) or nativeTls(); it received ';

  it.each<[string, unknown, Error]>([
    ['nothing', undefined, new TypeError('createAuthenticator takes an options object; it received undefined.')],
    ['null', null, new TypeError('createAuthenticator takes an options object; it received null.')],
    ['no trust', { ...valid, trust: undefined }, new TypeError(`${needsTrust}undefined.`)],
    ['PEM for trust', { ...valid, trust: root.pem }, new TypeError(`${needsTrust}a string.`)],
    ['null for trust', { ...valid, trust: null }, new TypeError(`${needsTrust}null.`)],
    ['an empty provider', { ...valid, trust: { current: undefined } }, new TypeError(`${needsTrust}an object.`)],
    ['something like a store', { ...valid, trust: { anchors: [], size: 1 } }, new TypeError(`${needsTrust}an object.`)],
    ['no source', { ...valid, source: undefined }, new TypeError(`${needsSource}undefined.`)],
    ['a factory in place of a source', { ...valid, source: nativeTls }, new TypeError(`${needsSource}a function.`)],
    [
      'an unknown presence',
      { ...valid, presence: 'maybe' },
      new TypeError("presence must be 'required' or 'optional'."),
    ],
    [
      'a boolean for presence',
      { ...valid, presence: false },
      new TypeError("presence must be 'required' or 'optional'."),
    ],
    ['null for presence', { ...valid, presence: null }, new TypeError("presence must be 'required' or 'optional'.")],
    [
      'too many intermediates',
      { ...valid, maxIntermediates: 21 },
      new RangeError('maxIntermediates must be an integer from 0 to 20; it received 21.'),
    ],
    [
      'half an intermediate',
      { ...valid, maxIntermediates: 0.5 },
      new RangeError('maxIntermediates must be an integer from 0 to 20; it received 0.5.'),
    ],
    [
      'a cache of nothing',
      { ...valid, verdictCache: { maxEntries: 0 } },
      new RangeError('verdictCache.maxEntries must be an integer from 1 to 1000000; it received 0.'),
    ],
    [
      'a cache without end',
      { ...valid, verdictCache: { maxEntries: Infinity } },
      new RangeError('verdictCache.maxEntries must be an integer from 1 to 1000000; it received Infinity.'),
    ],
    [
      'a life of no time',
      { ...valid, verdictCache: { ttlSeconds: 0 } },
      new RangeError('verdictCache.ttlSeconds must be an integer from 1 to 86400; it received 0.'),
    ],
    [
      'a life of two days',
      { ...valid, verdictCache: { ttlSeconds: 172_800 } },
      new RangeError('verdictCache.ttlSeconds must be an integer from 1 to 86400; it received 172800.'),
    ],
    [
      'a misspelt option of the cache',
      { ...valid, verdictCache: { ttlseconds: 1 } },
      new TypeError('verdictCache received an unknown option, `ttlseconds`. Did you mean `ttlSeconds`?'),
    ],
    [
      'false for the cache',
      { ...valid, verdictCache: false },
      new TypeError('verdictCache takes an options object; it received false.'),
    ],
    [
      'a date for the clock',
      { ...valid, clock: TEST_TIME },
      new TypeError('clock must be a function; it received an object.'),
    ],
  ])('rejects %s', (_, options, error) => {
    const create = (): unknown => createAuthenticator(options as never);
    expect(create).toThrow(error);
    expect(create).toThrow(error.constructor as never);
  });

  it('accepts bounds on both sides', () => {
    for (const options of [
      { maxIntermediates: 0, verdictCache: { maxEntries: 1, ttlSeconds: 1 } },
      { maxIntermediates: 20, verdictCache: { maxEntries: 1_000_000, ttlSeconds: 86_400 } },
      { presence: undefined, maxIntermediates: undefined, verdictCache: undefined, clock: undefined },
    ]) {
      expect(() => createAuthenticator({ ...valid, ...options } as AuthenticatorOptions)).not.toThrow();
    }
  });

  it('asks the channel whether a client could satisfy it', () => {
    const channel = {
      ...channelOf(() => undefined),
      checkTrust: jest.fn(() => {
        throw new TypeError('a client could');
      }),
    };
    const source = { ...valid.source, channel };
    expect(() => createAuthenticator({ ...valid, source })).toThrow(new TypeError('a client could'));
    expect(channel.checkTrust).toHaveBeenCalledWith(valid.trust);
  });

  it('says which headers handlers must not see', () => {
    expect(createAuthenticator(valid).consumedHeaders).toContain('x-edge-secret');
    expect(createAuthenticator({ ...valid, source: nativeTls() }).consumedHeaders).not.toContain('x-edge-secret');
  });
});

describe('a policy of revocation', () => {
  const authority = createAuthority({ subject: 'CN=Root' });
  const caller = authority.issue({ uris: ['urn:caller'] });
  const ask = (authenticator: Authenticator): Promise<Outcome> =>
    Promise.resolve(authenticator.authenticate(fromEdge(...cloudFrontHeaders(caller).flat())));

  it('leaves its evidence with the outcome, also of a verdict that is remembered', async () => {
    const authenticator = behindEdge([authority], { revocation: createRevocation({ methods: [revoking()] }) });
    for (let count = 0; count < 2; count++) {
      expect(await ask(authenticator)).toMatchObject({
        status: 'authenticated',
        revocation: [
          {
            status: 'good',
            certificateSha256: sha256Of(caller),
            method: 'crl',
            source: 'test',
            asOf: daysFromTestTime(-1),
            until: daysFromTestTime(1),
          },
        ],
      });
    }
  });

  it.each<[string, Partial<AuthenticatorOptions>]>([
    ['there is none', {}],
    ['there is a deny list alone', { revocation: createRevocation({ denyList: createDenyList() }) }],
  ])('leaves no property where %s', async (_, options) => {
    const outcome = await ask(behindEdge([authority], options));
    expect(Object.keys(outcome).toSorted()).toEqual(['channel', 'identity', 'status']);
  });

  it.each<[string, unknown, string, 403 | 503]>([
    ['who is revoked', revoked(), 'ERR_CERTIFICATE_REVOKED', 403],
    ['of whom nobody knows', unknown('unreachable', 'no route'), 'ERR_REVOCATION_UNAVAILABLE', 503],
  ])('refuses with its own status %s', async (_, answer, code, status) => {
    const methods = [methodThat(async () => answer)];
    const outcome = await ask(behindEdge([authority], { revocation: createRevocation({ methods }) }));
    expect(outcome).toMatchObject({ status: 'rejected', error: { code, status } });
  });

  it('ends with the wall clock what it accepted without knowing, after a minute', async () => {
    let now = TEST_TIME.getTime();
    const method = methodThat(() => unknown('unreachable', 'no route'));
    const revocation = createRevocation({ methods: [method], unknownStatus: 'accept' });
    const authenticator = behindEdge([authority], { revocation, clock: () => now });
    const asked = [];
    for (const step of [0, 60_000, 1, 60_000, 1]) {
      now += step;
      await ask(authenticator);
      asked.push(method.asked.length);
    }
    expect(asked).toEqual([1, 1, 2, 2, 3]);
  });

  it('judges the trust store with its methods, once', () => {
    const trust = TrustStore.fromDer([authority.der]);
    const checkTrust = jest.fn();
    behindEdge(trust, { revocation: createRevocation({ methods: [methodThat(() => good(), { checkTrust })] }) });
    expect(checkTrust.mock.calls).toEqual([[trust]]);
    checkTrust.mockImplementation(() => {
      throw new TypeError('the wrong CRL');
    });
    const revocation = createRevocation({ methods: [methodThat(() => good(), { checkTrust })] });
    expect(() => behindEdge(trust, { revocation })).toThrow('the wrong CRL');
  });

  it.each([null, {}, 'accept', { accept: () => ({ evidence: [], until: Infinity }) }, createDenyList()])(
    'is nothing else: %p',
    (revocation) => {
      expect(() => behindEdge([authority], { revocation: revocation as never })).toThrow(
        'revocation takes what createRevocation makes; it received',
      );
    },
  );
});
