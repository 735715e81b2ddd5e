import {
  ClientCertificateError,
  createDenyList,
  createRevocation,
  ocsp,
  Revocation,
  type RevocationEvidence,
  type RevocationOptions,
  TrustStore,
  validatePath,
  type VerifiedPath,
} from '@peercert/core';
import { createAuthority, daysFromTestTime, selfSigned, TEST_TIME, type TestCertificate } from '@peercert/testkit';
import {
  type RevocationMethod,
  unknown,
  unknownCauses,
} from '../../../../packages/core/src/revocation/revocation-method';
import { good, methodThat, ofRevoked, pending, revoked, revoking, sha256Of } from '../../../support/revocation-methods';
import { validate } from '../../../support/validate';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const root = createAuthority({ subject: 'CN=Root' });
const intermediate = root.issueIntermediate({ subject: 'CN=Intermediate' });
const leaf = intermediate.issue({ subject: 'CN=leaf' });
/** Below the root itself. */
const direct = root.issue({ subject: 'CN=direct' });

const now = TEST_TIME.getTime();
const inADay = daysFromTestTime(1);
const yesterday = daysFromTestTime(-1);

const evidenceOfGood = (certificate: TestCertificate, fields: object = {}): object => ({
  status: 'good',
  certificateSha256: sha256Of(certificate),
  method: 'crl',
  source: 'test',
  asOf: yesterday,
  until: inADay,
  ...fields,
});
const evidenceOfUnknown = (certificate: TestCertificate, cause: string, detail: string): object => ({
  status: 'unknown',
  certificateSha256: sha256Of(certificate),
  cause,
  detail,
});

const judge = async (options: RevocationOptions, certificate = direct): Promise<VerifiedPath> =>
  validate(certificate, root, { revocation: createRevocation(options) });
const evidenceFor = async (
  options: RevocationOptions,
  certificate = direct,
): Promise<readonly RevocationEvidence[] | undefined> => (await judge(options, certificate)).revocation;

const knowsNothing = unknown('no-source', 'no list');
const asOcsp = { name: 'ocsp' } as const;

describe('the certificates that are asked about', () => {
  it('are all of the path but the trust anchor, each with its issuer, its place and the time', async () => {
    const method = methodThat(() => good());
    await judge({ methods: [method] }, leaf);
    expect(method.asked).toEqual(['CN=leaf', 'CN=Intermediate']);
    const issuers = method.questions.map(({ issuer }) => issuer.subject.toString());
    expect(issuers).toEqual(['CN=Intermediate', 'CN=Root']);
    const authorities = method.questions.map((one) => one.authorities.map(({ subject }) => subject.toString()));
    expect(authorities).toEqual([['CN=Intermediate'], ['CN=Root']]);
    expect(method.questions.map(({ depth, time }) => [depth, time])).toEqual([
      [0, now],
      [1, now],
    ]);
  });

  it('are the end-entity certificate alone, where that is the depth', async () => {
    const method = methodThat(() => good());
    const evidence = await evidenceFor({ methods: [method], depth: 'end-entity' }, leaf);
    expect(method.asked).toEqual(['CN=leaf']);
    expect(evidence).toEqual([evidenceOfGood(leaf)]);
  });

  describe('OC-10: with a good end-entity certificate below a revoked intermediate', () => {
    const revocationDate = daysFromTestTime(-2);
    const crls = [
      root.crl({ revoked: [{ certificate: intermediate, revocationDate, reason: 'cACompromise' }] }),
      intermediate.crl(),
    ];

    it('are both by default, and the path is refused', async () => {
      await expect(validate(leaf, root, { revocation: Revocation.fromCrls(crls) })).toRejectWith(
        'ERR_CERTIFICATE_REVOKED',
        { depth: 1, method: 'crl', source: 'crls[0]', revokedAt: revocationDate, reason: 'cACompromise' },
      );
    });

    it('are not both with depth end-entity, and the path is accepted', async () => {
      const revocation = Revocation.fromCrls(crls, { depth: 'end-entity' });
      expect((await validate(leaf, root, { revocation })).revocation).toEqual([
        evidenceOfGood(leaf, { source: 'crls[1]', until: daysFromTestTime(7) }),
      ]);
    });
  });

  it('are none where the end-entity certificate is pinned', async () => {
    const pinned = selfSigned();
    const method = methodThat(() => revoked());
    const path = await validatePath({
      endEntity: pinned.der,
      trust: TrustStore.fromDer([root.der], { pinnedEndEntities: [pinned.der] }),
      time: TEST_TIME,
      revocation: createRevocation({ methods: [method] }),
    });
    expect(method.asked).toEqual([]);
    expect(path.revocation).toBeUndefined();
  });

  it.each<[string, TestCertificate]>([
    ['of a stranger', createAuthority().issue()],
    ['of a look-alike of the issuer', createAuthority({ subject: 'CN=Root' }).issue()],
    ['that has expired', root.issue({ notAfter: daysFromTestTime(-0.5) })],
    ['for another use', root.issue({ extKeyUsage: ['serverAuth'] })],
    [
      'outside name constraints',
      root.issueIntermediate({ nameConstraints: { permitted: { dnsNames: ['a.example'] } } }).issue({
        dnsNames: ['b.example'],
      }),
    ],
  ])('SS-01: are never those of a path that is not good anyway: %s', async (_, certificate) => {
    const method = methodThat(() => good());
    await expect(judge({ methods: [method] }, certificate)).rejects.toBeInstanceOf(ClientCertificateError);
    expect(method.questions).toEqual([]);
  });
});

describe('several methods', () => {
  it('are asked in their order, and the first that knows is believed', async () => {
    const methods = [methodThat(() => knowsNothing), methodThat(() => good({ source: 'second' })), revoking(direct)];
    expect(await evidenceFor({ methods })).toEqual([evidenceOfGood(direct, { source: 'second' })]);
    expect(methods.map(({ asked }) => asked.length)).toEqual([1, 1, 0]);
  });

  it('are asked in their order when they take time', async () => {
    const methods = [methodThat(async () => knowsNothing), methodThat(async () => good()), revoking(direct)];
    expect(await evidenceFor({ methods })).toEqual([evidenceOfGood(direct)]);
    expect(methods.map(({ asked }) => asked.length)).toEqual([1, 1, 0]);
  });

  it.each<[string, (answer: object) => object]>([
    ['at once', (answer) => answer],
    ['later', async (answer) => answer],
  ])('refuse what one of them says is revoked, and ask nobody else: %s', async (_, give) => {
    const last = methodThat(() => good(), asOcsp);
    const methods = [methodThat(() => give(knowsNothing)), methodThat(() => give(revoked())), last];
    await expect(judge({ methods, mustAnswer: ['ocsp'] })).toRejectWith('ERR_CERTIFICATE_REVOKED', {
      depth: 0,
      ...ofRevoked,
    });
    expect(last.asked).toEqual([]);
  });

  it('that do not know say the most telling of what they know', async () => {
    const methods = [unknown('unreachable', 'a'), unknown('not-current', 'b'), unknown('unusable', 'c')].map((answer) =>
      methodThat(() => answer),
    );
    await expect(judge({ methods })).toRejectWith('ERR_REVOCATION_UNAVAILABLE', {
      depth: 0,
      cause: 'not-current',
      detail: 'b',
    });
  });

  it('are asked about each certificate by itself, and the worst counts', async () => {
    const isLeaf = ({ depth }: { depth: number }): boolean => depth === 0;
    const methods = [methodThat((question) => (isLeaf(question) ? knowsNothing : revoked()))];
    await expect(judge({ methods, unknownStatus: 'reject' }, leaf)).toRejectWith('ERR_CERTIFICATE_REVOKED', {
      depth: 1,
      ...ofRevoked,
    });
  });
});

describe('a certificate of which nobody knows', () => {
  const silent = methodThat(() => unknown('unreachable', 'no route'));

  it.each<[string, RevocationOptions['unknownStatus']]>([
    ['by default', undefined],
    ['told to', 'reject'],
    ['with a word for other causes', { 'no-source': 'accept', unusable: 'accept', untrusted: 'accept' }],
    ['with that word for its cause', { unreachable: 'reject', 'no-source': 'accept' }],
    ['with no word for its cause', { unreachable: undefined } as never],
    ['with no word at all', {}],
    ['with a word that is inherited', Object.create({ unreachable: 'accept' }) as object],
  ])('is refused %s', async (_, unknownStatus) => {
    const options = { methods: [silent], ...(unknownStatus !== undefined && { unknownStatus }) };
    await expect(judge(options)).toRejectWith('ERR_REVOCATION_UNAVAILABLE', {
      depth: 0,
      cause: 'unreachable',
      detail: 'no route',
    });
  });

  it.each<[string, RevocationOptions['unknownStatus']]>([
    ['told to', 'accept'],
    ['with that word for its cause', { unreachable: 'accept' }],
  ])('is accepted %s, and the evidence says so', async (_, unknownStatus) => {
    const path = await judge({ methods: [silent], ...(unknownStatus !== undefined && { unknownStatus }) });
    expect(path.revocation).toEqual([evidenceOfUnknown(direct, 'unreachable', 'no route')]);
    expect(path.validUntil).toEqual(new Date(now + 60_000));
  });

  it.each(unknownCauses)('has a word for each cause: %s', async (cause) => {
    const methods = [methodThat(() => unknown(cause, 'x'))];
    await expect(evidenceFor({ methods, unknownStatus: { [cause]: 'accept' } })).resolves.toHaveLength(1);
    const others = Object.fromEntries(unknownCauses.filter((one) => one !== cause).map((one) => [one, 'accept']));
    await expect(judge({ methods, unknownStatus: others })).toRejectWith('ERR_REVOCATION_UNAVAILABLE', {
      depth: 0,
      cause,
      detail: 'x',
    });
  });

  it('is refused though another of the path is accepted with its cause', async () => {
    const methods = [methodThat(({ depth }) => unknown(depth === 0 ? 'no-source' : 'untrusted', 'x'))];
    await expect(judge({ methods, unknownStatus: { 'no-source': 'accept' } }, leaf)).toRejectWith(
      'ERR_REVOCATION_UNAVAILABLE',
      { depth: 1, cause: 'untrusted', detail: 'x' },
    );
  });
});

describe('a method that must answer', () => {
  const byCrl = (): RevocationMethod => methodThat(() => good({ source: 'list' }));
  const byOcsp = (answer: () => unknown): RevocationMethod => methodThat(answer, asOcsp);
  const mustAnswer = ['ocsp'] as const;

  it.each<[string, unknown, string, string]>([
    ['does not know', unknown('not-known', 'who?'), 'not-known', 'ocsp must answer: who?'],
    ['does not know, later', Promise.resolve(unknown('not-known', 'who?')), 'not-known', 'ocsp must answer: who?'],
    ['answers with nonsense', 5, 'unusable', 'ocsp must answer: the method gave no answer'],
  ])('refuses what a CRL says is good, whatever unknownStatus is, when it %s', async (_, answer, cause, detail) => {
    for (const methods of [
      [byCrl(), byOcsp(() => answer)],
      [byOcsp(() => answer), byCrl()],
    ]) {
      await expect(judge({ methods, mustAnswer, unknownStatus: 'accept' })).toRejectWith('ERR_REVOCATION_UNAVAILABLE', {
        depth: 0,
        cause,
        detail,
      });
    }
  });

  it('is asked though another knows already, and both have to hold', async () => {
    const soon = now + 5_000;
    for (const methods of [
      [byCrl(), byOcsp(() => good({ source: 'responder', until: soon }))],
      [byOcsp(() => good({ source: 'responder', until: soon })), byCrl()],
    ]) {
      const path = await judge({ methods, mustAnswer });
      const until = new Date(soon);
      expect(path.revocation).toEqual([evidenceOfGood(direct, { method: 'ocsp', source: 'responder', until })]);
      expect(path.validUntil).toEqual(until);
    }
  });

  it('is the first of its name that says good, and no other is asked', async () => {
    const methods = [
      methodThat(() => knowsNothing, asOcsp),
      methodThat(() => good(), asOcsp),
      methodThat(() => good(), asOcsp),
    ];
    await expect(judge({ methods, mustAnswer })).resolves.toBeDefined();
    expect(methods.map(({ asked }) => asked.length)).toEqual([1, 1, 0]);
  });

  it('refuses by what it knows, though a CRL that was asked first says good', async () => {
    const methods = [byCrl(), byOcsp(() => revoked())];
    await expect(judge({ methods, mustAnswer })).toRejectWith('ERR_CERTIFICATE_REVOKED', {
      depth: 0,
      ...ofRevoked,
      method: 'ocsp',
    });
  });

  it('must answer for each certificate of the path', async () => {
    const methods = [methodThat(({ depth }) => (depth === 0 ? good() : knowsNothing), asOcsp), byCrl()];
    await expect(judge({ methods, mustAnswer, unknownStatus: 'accept' }, leaf)).toRejectWith(
      'ERR_REVOCATION_UNAVAILABLE',
      { depth: 1, cause: 'no-source', detail: 'ocsp must answer: no list' },
    );
  });
});

describe('a short-lived certificate', () => {
  const week = 604_800_000;
  const living = (milliseconds: number): TestCertificate => {
    const notBefore = new Date(now - 1_000);
    return root.issue({ notBefore, notAfter: new Date(notBefore.getTime() + milliseconds) });
  };
  const policy = (shortLivedSeconds?: number): RevocationOptions => ({
    methods: [methodThat(() => revoked())],
    ...(shortLivedSeconds !== undefined && { shortLivedSeconds }),
  });

  it('is not asked about, and the evidence says so', async () => {
    const certificate = living(week);
    const path = await judge(policy(604_800), certificate);
    expect(path.revocation).toEqual([{ status: 'short-lived', certificateSha256: sha256Of(certificate) }]);
    expect(path.validUntil).toEqual(new Date(now - 1_000 + week));
  });

  it('is no longer one when it lives a second longer', async () => {
    await expect(judge(policy(604_800), living(week + 1_000))).toRejectWith('ERR_CERTIFICATE_REVOKED', {
      depth: 0,
      ...ofRevoked,
    });
  });

  it('is none where the policy has no such word, not even when it lives for one second', async () => {
    const instant = root.issue({ notBefore: TEST_TIME, notAfter: TEST_TIME });
    await expect(judge(policy(), instant)).toRejectWith('ERR_CERTIFICATE_REVOKED', { depth: 0, ...ofRevoked });
  });

  it('is never an intermediate', async () => {
    const shortLived = root.issueIntermediate({ notBefore: yesterday, notAfter: inADay });
    const certificate = shortLived.issue({ notBefore: yesterday, notAfter: inADay });
    await expect(judge(policy(604_800), certificate)).toRejectWith('ERR_CERTIFICATE_REVOKED', {
      depth: 1,
      ...ofRevoked,
    });
  });

  it('is denied all the same', async () => {
    const certificate = living(week);
    const denyList = createDenyList({ entries: [{ certificateSha256: sha256Of(certificate) }] });
    await expect(judge({ ...policy(604_800), denyList }, certificate)).toRejectWith('ERR_CERTIFICATE_DENIED', {
      depth: 0,
      by: 'certificate-sha256',
    });
  });
});

describe('a method that takes long', () => {
  const never = (): Promise<never> => new Promise(() => {});
  const late = { depth: 0, cause: 'unreachable', detail: 'no answer in time' };

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] });
  });
  afterEach(() => {
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  /** How it ends, and that it has not before its time. */
  async function judgeWithin(ms: number, options: RevocationOptions, certificate = direct): Promise<VerifiedPath> {
    let hasEnded = false;
    const judging = judge(options, certificate).finally(() => (hasEnded = true));
    judging.catch(() => {});
    await jest.advanceTimersByTimeAsync(ms - 1);
    expect(hasEnded).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    expect(hasEnded).toBe(true);
    return judging;
  }

  it.each<[string, number, Partial<RevocationOptions>]>([
    ['three seconds', 3_000, {}],
    ['what it was told', 50, { timeoutMs: 50 }],
  ])('is waited for no longer than %s', async (_, ms, options) => {
    await expect(judgeWithin(ms, { methods: [methodThat(never)], ...options })).toRejectWith(
      'ERR_REVOCATION_UNAVAILABLE',
      late,
    );
  });

  it('is waited for no longer, however many certificates and methods there are', async () => {
    const methods = [methodThat(never), methodThat(never, asOcsp), methodThat(never)];
    await expect(judgeWithin(50, { methods, timeoutMs: 50 }, leaf)).toRejectWith('ERR_REVOCATION_UNAVAILABLE', late);
    expect(methods.map(({ asked }) => asked.length)).toEqual([2, 2, 2]);
  });

  it('is followed by those behind it, which say what they have at hand', async () => {
    const methods = [methodThat(never, asOcsp), revoking(direct)];
    await expect(judgeWithin(50, { methods, timeoutMs: 50, unknownStatus: 'accept' })).toRejectWith(
      'ERR_CERTIFICATE_REVOKED',
      { depth: 0, ...ofRevoked },
    );
    const path = await judgeWithin(50, { methods: [methodThat(never, asOcsp), revoking()], timeoutMs: 50 });
    expect(path.revocation).toEqual([evidenceOfGood(direct)]);
  });

  it.each<[string, () => unknown]>([
    ['that says good', () => good()],
    ['that knows nothing', () => knowsNothing],
    ['that takes as long', never],
  ])('refuses when it must answer, whatever unknownStatus is, behind a method %s', async (_, answer) => {
    for (const methods of [
      [methodThat(answer), methodThat(never, asOcsp)],
      [methodThat(never, asOcsp), methodThat(answer)],
    ]) {
      await expect(
        judgeWithin(50, { methods, mustAnswer: ['ocsp'], unknownStatus: 'accept', timeoutMs: 50 }),
      ).toRejectWith('ERR_REVOCATION_UNAVAILABLE', { ...late, detail: 'ocsp must answer: no answer in time' });
    }
  });

  it('may accept as the policy says', async () => {
    const path = await judgeWithin(50, { methods: [methodThat(never)], timeoutMs: 50, unknownStatus: 'accept' });
    expect(path.revocation).toEqual([evidenceOfUnknown(direct, 'unreachable', 'no answer in time')]);
  });

  it.each<[string, () => unknown]>([
    ['an answer', () => good()],
    ['nonsense', () => undefined],
    ['a failure', async () => Promise.reject(new Error('late'))],
  ])('does no harm when it comes with %s later, and asks nobody else then', async (_, given) => {
    const unhandled = jest.fn();
    process.on('unhandledRejection', unhandled);
    const { answer, give } = pending();
    const next = methodThat(never);
    const methods = [methodThat(() => answer), next];
    await expect(judgeWithin(50, { methods, timeoutMs: 50 })).toRejectWith('ERR_REVOCATION_UNAVAILABLE', late);
    give(given());
    await new Promise(setImmediate);
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
    expect(next.asked).toHaveLength(1);
  });

  it('leaves no timer when it answers in time', async () => {
    const { answer, give } = pending();
    const judging = judge({ methods: [methodThat(() => answer)] });
    await jest.advanceTimersByTimeAsync(2_999);
    give(good());
    await expect(judging).resolves.toBeDefined();
  });
});

describe('a method that misbehaves', () => {
  const fail = (): never => {
    throw new Error('broken');
  };
  const thenable = (then: (...callbacks: ((value: unknown) => void)[]) => void): object => ({
    // oxlint-disable-next-line unicorn/no-thenable -- the trick under test
    then,
  });
  const getter = Object.defineProperty({}, 'status', { enumerable: true, get: fail });
  const failed = 'the method failed';
  const none = 'the method gave no answer';

  it.each<[string, () => unknown, string]>([
    ['throws', fail, failed],
    ['rejects', async () => Promise.reject(new Error('broken')), failed],
    ['rejects with no error', async () => Promise.reject(Object.create(null)), failed],
    ['throws when its answer is read', () => getter, failed],
    ['throws when its answer is read, later', async () => getter, failed],
    ['answers with a thenable that throws', () => thenable(fail), failed],
    ['answers with a thenable that rejects', () => thenable((_, reject) => reject?.(5)), failed],
    ['answers with a thenable of junk', () => thenable((resolve) => resolve?.('good')), none],
    ['answers with undefined', () => undefined, none],
    ['answers with null', () => null, none],
    ['answers with true', () => true, none],
    ['answers with a word', () => 'good', none],
    ['answers with a word, later', async () => 'good', none],
    ['answers with nothing, later', async () => {}, none],
    ['answers with an empty object', () => ({}), none],
    ['answers with a list', () => [good()], none],
    ['answers in another case', () => ({ ...good(), status: 'GOOD' }), none],
    ['answers with a list of words', () => ({ ...good(), status: ['good'] }), none],
    ['answers by inheritance', () => Object.create(good()) as object, none],
    ['answers with a status alone', () => ({ status: 'good' }), none],
    ['answers with no source', () => good({ source: undefined as never }), none],
    ['answers with no end', () => good({ until: undefined as never }), none],
    ['answers with an end that is no number', () => good({ until: Number.NaN }), none],
    ['answers with a date', () => good({ until: inADay as never }), none],
    ['answers for ever', () => good({ until: Infinity }), none],
    ['answers with no beginning', () => good({ asOf: undefined as never }), none],
    ['does not know, for no known reason', () => ({ status: 'unknown', cause: 'bored', detail: '' }), none],
  ])('has not said that a certificate is good when it %s', async (_, answer, detail) => {
    const details = { cause: 'unusable', detail } as const;
    const method = methodThat(answer);
    await expect(judge({ methods: [method] })).toRejectWith('ERR_REVOCATION_UNAVAILABLE', { depth: 0, ...details });
    const accepted = await evidenceFor({ methods: [method], unknownStatus: 'accept' });
    expect(accepted).toEqual([evidenceOfUnknown(direct, 'unusable', detail)]);
    // It has not kept anybody else from being asked either.
    await expect(judge({ methods: [method, revoking(direct)] })).toRejectWith('ERR_CERTIFICATE_REVOKED', {
      depth: 0,
      ...ofRevoked,
    });
  });

  it('is believed until its time is over, and not from then on', async () => {
    const until = (milliseconds: number): RevocationOptions => ({
      methods: [methodThat(() => good({ until: now + milliseconds }))],
    });
    expect((await judge(until(0))).validUntil).toEqual(TEST_TIME);
    await expect(judge(until(-1))).toRejectWith('ERR_REVOCATION_UNAVAILABLE', {
      depth: 0,
      cause: 'not-current',
      detail: 'the time of the answer is over',
    });
  });

  it('is believed that a certificate is revoked, however little else it says', async () => {
    await expect(judge({ methods: [methodThat(() => ({ status: 'revoked' }))] })).rejects.toMatchObject({
      code: 'ERR_CERTIFICATE_REVOKED',
      details: { depth: 0, method: 'crl', source: undefined, reason: undefined },
    });
  });

  it('may answer with any thenable', async () => {
    const methods = [methodThat(() => thenable((resolve) => resolve?.(good())))];
    expect(await evidenceFor({ methods })).toEqual([evidenceOfGood(direct)]);
  });
});

describe('the evidence', () => {
  it('is of each certificate, in the order of the path', async () => {
    const mixed = methodThat(({ depth }) => (depth === 0 ? knowsNothing : good()));
    expect(await evidenceFor({ methods: [mixed], unknownStatus: 'accept' }, leaf)).toEqual([
      evidenceOfUnknown(leaf, 'no-source', 'no list'),
      evidenceOfGood(intermediate),
    ]);
  });

  it('names the CRL, and its dates', async () => {
    const [thisUpdate, nextUpdate] = [daysFromTestTime(-2), daysFromTestTime(3)];
    const revocation = Revocation.fromCrls([root.crl({ thisUpdate, nextUpdate })]);
    const path = await validate(direct, root, { revocation });
    expect(path.revocation).toEqual([
      evidenceOfGood(direct, { source: 'crls[0]', asOf: thisUpdate, until: nextUpdate }),
    ]);
    expect(path.validUntil).toEqual(nextUpdate);
  });

  it('names the responder, and the dates of its answer', async () => {
    const url = 'http://responder.example/';
    const certificate = root.issue({ ocspUrls: [url] });
    const [thisUpdate, nextUpdate] = [daysFromTestTime(-0.5), daysFromTestTime(0.5)];
    const body = root.ocspResponse({ certificate, thisUpdate, nextUpdate });
    const fetch = async (): Promise<Response> => {
      return new Response(Uint8Array.from(body), { headers: { 'content-type': 'application/ocsp-response' } });
    };
    const method = ocsp({ clock: () => now, network: { fetch } });
    const path = await judge({ methods: [method] }, certificate);
    expect(path.revocation).toEqual([
      evidenceOfGood(certificate, { method: 'ocsp', source: url, asOf: thisUpdate, until: nextUpdate }),
    ]);
    expect(path.validUntil).toEqual(nextUpdate);
    await method.close();
  });

  it('holds no longer than what ends first', async () => {
    const methods = [methodThat(({ depth }) => good({ until: now + (depth === 0 ? 9_000 : 4_000) }))];
    expect((await judge({ methods }, leaf)).validUntil).toEqual(new Date(now + 4_000));
  });

  it('is frozen', async () => {
    const evidence = await evidenceFor({ methods: [revoking()] }, leaf);
    expect([evidence, ...(evidence ?? [])].every((one) => Object.isFrozen(one))).toBe(true);
  });

  it('is absent without revocation, and where nobody is asked', async () => {
    expect((await validate(direct, root)).revocation).toBeUndefined();
    expect(await evidenceFor({ denyList: createDenyList() })).toBeUndefined();
  });
});

describe('a policy', () => {
  it('has the revisions of all it goes by', () => {
    const denyList = createDenyList();
    const method = methodThat(() => good());
    const revocation = createRevocation({ methods: [method], denyList });
    const before = revocation.revision;
    denyList.add({ spkiSha256: '0'.repeat(64) });
    expect(revocation.revision).toBe(before + 1);
    method.revision += 2;
    expect(revocation.revision).toBe(before + 3);
  });

  it('is as well as the worst of what it goes by', () => {
    const healthOf = (status: 'ok' | 'degraded'): RevocationMethod['health'] => ({
      method: 'crl',
      status,
      sources: [],
    });
    const methods = (['ok', 'degraded'] as const).map((status) =>
      methodThat(() => good(), { health: healthOf(status) }),
    );
    const denyList = createDenyList();
    const ofDenyList = { status: 'ok', entries: 0, sources: [] };
    expect(createRevocation({ methods: methods.slice(0, 1), denyList }).health).toEqual({
      status: 'ok',
      methods: [healthOf('ok')],
      denyList: ofDenyList,
    });
    expect(createRevocation({ methods }).health).toEqual({
      status: 'degraded',
      methods: [healthOf('ok'), healthOf('degraded')],
    });
  });

  it('closes all it goes by', async () => {
    const close = jest.fn(async () => {});
    await createRevocation({
      methods: [methodThat(() => good(), { close }), methodThat(() => good(), { close })],
    }).close();
    expect(close).toHaveBeenCalledTimes(2);
  });

  it('does not change with its options', async () => {
    const unknownStatus: { 'no-source': 'accept' | 'reject' } = { 'no-source': 'reject' };
    const options = { methods: [methodThat(() => knowsNothing)], unknownStatus, mustAnswer: [] as 'crl'[] };
    const revocation = createRevocation(options);
    unknownStatus['no-source'] = 'accept';
    options.methods.unshift(revoking());
    await expect(validate(direct, root, { revocation })).toRejectWith('ERR_REVOCATION_UNAVAILABLE', {
      depth: 0,
      cause: 'no-source',
      detail: 'no list',
    });
  });
});

describe('options of a policy', () => {
  const methods = [revoking()];
  const isRefused = (options: unknown, type: typeof TypeError | typeof RangeError, message: string): void => {
    const make = (): unknown => createRevocation(options as RevocationOptions);
    expect(make).toThrow(type);
    expect(make).toThrow(message);
  };

  it.each<[string, object]>([
    ['a deny list alone', { denyList: createDenyList() }],
    ['the least', { methods, timeoutMs: 1, shortLivedSeconds: 1 }],
    ['the most', { methods, timeoutMs: 60_000, shortLivedSeconds: 7_776_000 }],
    ['a method that must answer', { methods, mustAnswer: ['crl'] }],
  ])('are good: %s', (_, options) => {
    expect(() => createRevocation(options)).not.toThrow();
  });

  it.each<[string, unknown, string]>([
    ['none', undefined, 'createRevocation takes an options object; it received undefined.'],
    ['empty', {}, 'createRevocation needs methods or a denyList: nothing would ever be revoked otherwise.'],
    ['no method', { methods: [] }, 'createRevocation needs methods or a denyList'],
    ['misspelt', { methods, unknownstatus: 'accept' }, 'Did you mean `unknownStatus`?'],
    ['a method that is in no list', { methods: methods[0] }, 'methods takes a list of crlFiles(...)'],
    ['a method that is none', { methods: [{}] }, 'methods takes a list of crlFiles(...)'],
    ['a method that is not called', { methods: [ocsp] }, 'methods takes a list of crlFiles(...)'],
    ['a method that is missing', { methods: [undefined] }, 'methods takes a list of crlFiles(...)'],
    // oxlint-disable-next-line no-sparse-arrays -- the trick under test
    ['a gap among the methods', { methods: [, ...methods] }, 'methods takes a list of crlFiles(...)'],
    ['a method of another name', { methods: [{ ...methods[0], name: 'gut' }] }, 'methods takes a list of crlFiles'],
    ['a method without revision', { methods: [{ ...methods[0], revision: undefined }] }, 'methods takes a list of'],
    [
      'entries in place of a deny list',
      { denyList: [{ spkiSha256: '0'.repeat(64) }] },
      'denyList takes what createDenyList makes; it received an array.',
    ],
    [
      'a look-alike of a deny list',
      { denyList: { find: () => undefined, revision: 0 } },
      'denyList takes what createDenyList makes; it received an object.',
    ],
    ['null in place of a deny list', { methods, denyList: null }, 'it received null.'],
    ['another depth', { methods, depth: 'all' }, "depth must be 'path' or 'end-entity'."],
    ['a depth of null', { methods, depth: null }, "depth must be 'path' or 'end-entity'."],
    [
      'another word for what is unknown',
      { methods, unknownStatus: 'good' },
      "unknownStatus must be 'reject', 'accept'",
    ],
    ['true for what is unknown', { methods, unknownStatus: true }, "unknownStatus must be 'reject', 'accept'"],
    [
      'null for what is unknown',
      { methods, unknownStatus: null },
      'unknownStatus takes an options object; it received null.',
    ],
    ['a list for what is unknown', { methods, unknownStatus: ['accept'] }, 'unknownStatus takes an options object'],
    [
      'an unknown cause',
      { methods, unknownStatus: { unreached: 'accept' } },
      'unknownStatus received an unknown option',
    ],
    [
      'another word for a cause',
      { methods, unknownStatus: { unreachable: 'ACCEPT' } },
      "unknownStatus.unreachable must be 'reject' or 'accept'.",
    ],
    [
      'a method that must answer and is not there',
      { methods, mustAnswer: ['ocsp'] },
      'mustAnswer names a method that is not among the methods.',
    ],
    ['undefined that must answer', { methods, mustAnswer: [undefined] }, 'mustAnswer names a method that is not among'],
    // oxlint-disable-next-line no-sparse-arrays -- the trick under test
    ['a gap that must answer', { methods, mustAnswer: [,] }, 'mustAnswer names a method that is not among'],
    ['a word that must answer', { methods, mustAnswer: 'crl' }, 'mustAnswer must be an array; it received a string.'],
  ])('are refused: %s', (_, options, message) => {
    isRefused(options, TypeError, message);
  });

  it.each<[string, unknown]>([
    ['timeoutMs', 0],
    ['timeoutMs', 60_001],
    ['timeoutMs', 1.5],
    ['timeoutMs', null],
    ['timeoutMs', '3000'],
    ['shortLivedSeconds', 0],
    ['shortLivedSeconds', 7_776_001],
    ['shortLivedSeconds', Number.NaN],
    ['shortLivedSeconds', Infinity],
  ])('are refused: %s of %p', (name, value) => {
    isRefused({ methods, [name]: value }, RangeError, `${name} must be an integer from 1 to `);
  });

  it.each([
    ['unknownStatus', 'accept', {}],
    ['depth', 'end-entity', {}],
    ['shortLivedSeconds', 7_776_000, {}],
    ['unreachable', 'accept', { unknownStatus: {} }],
  ])('ID-03: are refused while Object.prototype has %s', (name, value, options) => {
    const prototype = Object.prototype as Record<string, unknown>;
    prototype[name] = value;
    try {
      isRefused({ methods, ...options }, TypeError, `would inherit \`${name}\` from Object.prototype`);
    } finally {
      delete prototype[name];
    }
  });

  it('of fromCrls are its own', () => {
    expect(() => Revocation.fromCrls([], { timeoutMs: 5 } as never)).toThrow(
      'Revocation.fromCrls received an unknown option',
    );
    expect(() => Revocation.fromCrls([], { depth: 'all' } as never)).toThrow("depth must be 'path' or 'end-entity'.");
    expect(() => Revocation.fromCrls([], { maxAgeSeconds: 0 })).toThrow(RangeError);
    expect(() => Revocation.fromCrls('crl' as never)).toThrow('crls must be an array; it received a string.');
  });

  it('of validatePath take nothing else for a policy', async () => {
    for (const revocation of [null, {}, 'accept', revoking()]) {
      await expect(validate(direct, root, { revocation: revocation as never })).rejects.toThrow(
        'revocation takes what createRevocation makes',
      );
    }
  });
});
