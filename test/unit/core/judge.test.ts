import crypto from 'node:crypto';
import {
  ClientCertificateError,
  createRevocation,
  type Presented,
  type RevocationOptions,
  TrustStore,
  type VerdictCacheOptions,
} from '@peercert/core';
import { createAuthority, daysFromTestTime, TEST_TIME, type TestCertificate } from '@peercert/testkit';
import { Judge } from '../../../packages/core/src/judge';
import { resolveRules } from '../../../packages/core/src/path/rules';
import { unknown } from '../../../packages/core/src/revocation/revocation-method';
import type { Verdict } from '../../../packages/core/src/verdict-cache';
import { type FakeMethod, good, methodThat, pending, revoked } from '../../support/revocation-methods';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../support/refusals';

const root = createAuthority({ subject: 'CN=Root' });
const intermediate = root.issueIntermediate({ subject: 'CN=Intermediate' });
const client = intermediate.issue({ uris: ['urn:client'] });
/** Verified off the event loop. */
const slowRoot = createAuthority({ keyAlgorithm: 'p521' });
const slow = slowRoot.issue({ uris: ['urn:slow'] });

const trust = TrustStore.fromDer([root.der, slowRoot.der]);
const elsewhere = TrustStore.fromDer([createAuthority().der]);
const time = TEST_TIME.getTime();

function presenting(
  certificate: TestCertificate,
  chain = certificate.chain,
  key = 'key',
): Presented & { decodeEndEntity: jest.Mock } {
  return { key, decodeChain: () => chain, decodeEndEntity: jest.fn(() => certificate.der) };
}
const judgeOf = (ttlSeconds = 300): Judge =>
  new Judge({
    source: 'cloudfront',
    maxIntermediates: 8,
    policies: {},
    rules: resolveRules({}),
    verdictCache: { ttlSeconds },
  });
const urisOf = (verdict: Verdict | undefined): unknown => verdict?.identity?.uris ?? verdict?.refusal?.code;

let verifications: jest.SpyInstance;
beforeEach(() => {
  verifications = jest.spyOn(crypto, 'verify');
});
afterEach(() => verifications.mockRestore());

describe('a verdict', () => {
  it('is reached at once where signatures verify fast, and recalled from then on', () => {
    const judge = judgeOf();
    const presented = presenting(client);
    expect(judge.recall(presented, trust, time)).toBeUndefined();
    const verdict = judge.reach(presented, trust, time);
    expect(verdict).not.toBeInstanceOf(Promise);
    expect(urisOf(verdict as Verdict)).toEqual(['urn:client']);
    expect(judge.recall(presented, trust, time)).toBe(verdict);
    expect(presented.decodeEndEntity).toHaveBeenCalledTimes(1);
  });

  it('is promised where they do not, and recalled when it is there', async () => {
    const judge = judgeOf();
    const reaching = judge.reach(presenting(slow), trust, time);
    expect(reaching).toBeInstanceOf(Promise);
    expect(judge.recall(presenting(slow), trust, time)).toBeUndefined();
    const verdict = await reaching;
    expect(urisOf(verdict)).toEqual(['urn:slow']);
    expect(judge.recall(presenting(slow), trust, time)).toBe(verdict);
  });

  it('of a refusal is recalled, too', () => {
    const judge = judgeOf();
    const verdict = judge.reach(presenting(client, []), trust, time) as Verdict;
    expect(verdict.refusal).toMatchObject({ code: 'ERR_PATH_ISSUER_UNKNOWN', details: { depth: 1 } });
    expect(judge.recall(presenting(client, []), trust, time)).toBe(verdict);
  });

  it('of a certificate that names nobody is a refusal for as long as its path is good', () => {
    const judge = judgeOf();
    const nobody = root.issue({ subject: '', notAfter: daysFromTestTime(1) });
    const verdict = judge.reach(presenting(nobody), trust, time) as Verdict;
    expect(verdict.refusal?.code).toBe('ERR_IDENTITY_MISSING');
    expect(judge.recall(presenting(nobody), trust, daysFromTestTime(1).getTime())).toBe(verdict);
    expect(judge.recall(presenting(nobody), trust, daysFromTestTime(1).getTime() + 1)).toBeUndefined();
  });

  it.each<[string, TrustStore, number]>([
    ['with another store', elsewhere, time],
    ['with another store of the same anchors', TrustStore.fromDer([root.der, slowRoot.der]), time],
    ['before the path begins', trust, daysFromTestTime(-1).getTime() - 1],
    ['after the path ends', trust, daysFromTestTime(365).getTime() + 1],
    ['at no time', trust, Number.NaN],
  ])('CA-04: is not recalled %s', (_, store, at) => {
    const judge = judgeOf();
    void judge.reach(presenting(client), trust, time);
    expect(judge.recall(presenting(client), store, at)).toBeUndefined();
  });

  it('NT-04: is not recalled after its time to live, on the monotonic clock', () => {
    const now = jest.spyOn(performance, 'now').mockReturnValue(0);
    const judge = judgeOf(10);
    void judge.reach(presenting(client), trust, time);
    now.mockReturnValue(10_000);
    expect(urisOf(judge.recall(presenting(client), trust, time))).toEqual(['urn:client']);
    now.mockReturnValue(10_001);
    expect(judge.recall(presenting(client), trust, time)).toBeUndefined();
    now.mockRestore();
  });

  it('is not kept of what cannot be decoded', () => {
    const judge = judgeOf();
    const rubbish: Presented = {
      key: 'key',
      decodeChain: () => [intermediate.der],
      decodeEndEntity: () => Buffer.of(1),
    };
    for (let count = 0; count < 2; count++) {
      expect(() => judge.reach(rubbish, trust, time)).toThrow(ClientCertificateError);
      expect(judge.recall(rubbish, trust, time)).toBeUndefined();
    }
  });

  it('F23: is not kept of a failure, and the next request finds its own', () => {
    const judge = judgeOf();
    const failing = presenting(client);
    failing.decodeEndEntity.mockImplementationOnce(() => {
      throw new Error('broken');
    });
    expect(() => judge.reach(failing, trust, time)).toThrow('broken');
    expect(judge.recall(failing, trust, time)).toBeUndefined();
    expect(urisOf(judge.reach(failing, trust, time) as Verdict)).toEqual(['urn:client']);
  });

  it('F31: does not depend on the one before it: bad, good, bad, good', () => {
    const judge = judgeOf();
    const forged = createAuthority({ subject: 'CN=Root' }).issue({ uris: ['urn:forged'] });
    const verdicts = [forged, client, forged, client].map((certificate, index) => {
      return urisOf(judge.reach(presenting(certificate, certificate.chain, String(index)), trust, time) as Verdict);
    });
    expect(verdicts).toEqual([
      'ERR_PATH_SIGNATURE_INVALID',
      ['urn:client'],
      'ERR_PATH_SIGNATURE_INVALID',
      ['urn:client'],
    ]);
  });
});

describe('the chain of a verified path', () => {
  const text = ':chain:';
  const written = (certificate: TestCertificate, chainText = text): Presented & { decodeChain: jest.Mock } => {
    const { chain, der } = certificate;
    return { key: String(++keys), chainText, decodeChain: jest.fn(() => chain), decodeEndEntity: () => der };
  };
  let keys = 0;
  const decodes = (presented: { decodeChain: jest.Mock }): number => presented.decodeChain.mock.calls.length;
  const verdictOver = (judge: Judge, presented: Presented, store = trust, at = time): unknown => {
    return urisOf(judge.reach(presented, store, at) as Verdict);
  };

  it('is decoded once for all who write it the same', () => {
    const judge = judgeOf();
    const asked = [written(client), written(intermediate.issue({ uris: ['urn:other'] })), written(client, `${text} `)];
    expect(asked.map((presented) => verdictOver(judge, presented))).toEqual([
      ['urn:client'],
      ['urn:other'],
      ['urn:client'],
    ]);
    expect(asked.map(decodes)).toEqual([1, 0, 1]);
  });

  it('decides nothing: the certificates before it are judged as ever', () => {
    const judge = judgeOf();
    expect(verdictOver(judge, written(client))).toEqual(['urn:client']);
    const forged = createAuthority({ subject: 'CN=Intermediate' }).issue();
    expect(verdictOver(judge, written(forged))).toBe('ERR_PATH_SIGNATURE_INVALID');
    expect(verdictOver(judge, written(client), elsewhere)).toBe('ERR_PATH_ISSUER_UNKNOWN');
    expect(verdictOver(judge, written(client), trust, daysFromTestTime(366).getTime())).toBe('ERR_CERTIFICATE_EXPIRED');
  });

  it('is not remembered of a refusal, nor when it is longer than an honest one', () => {
    const judge = judgeOf();
    for (const [certificate, chainText] of [
      [createAuthority().issueIntermediate().issue(), text],
      [client, 'x'.repeat(16_001)],
    ] as const) {
      const asked = [written(certificate, chainText), written(certificate, chainText)];
      for (const presented of asked) verdictOver(judge, presented);
      expect(asked.map(decodes)).toEqual([1, 1]);
    }
    const longest = [written(client, 'x'.repeat(16_000)), written(client, 'x'.repeat(16_000))];
    for (const presented of longest) verdictOver(judge, presented);
    expect(longest.map(decodes)).toEqual([1, 0]);
  });

  it('spares no signature that was not verified before', () => {
    const judge = judgeOf();
    verdictOver(judge, written(client));
    expect(verifications).toHaveBeenCalledTimes(2);
    verdictOver(judge, written(client));
    expect(verifications).toHaveBeenCalledTimes(3);
    const renewed = TrustStore.fromDer([createAuthority({ subject: root.subject, key: root.key }).der]);
    verdictOver(judge, written(client), renewed);
    expect(verifications).toHaveBeenCalledTimes(4);
    verdictOver(judge, written(client), TrustStore.fromDer([createAuthority({ subject: root.subject }).der]));
    expect(verifications).toHaveBeenCalledTimes(5);
  });
});

describe('a question that is being answered', () => {
  it('CA-06: is answered once for all who ask', async () => {
    const judge = judgeOf();
    const asked = [presenting(slow), presenting(slow), presenting(slow)];
    const verdicts = await Promise.all(asked.map(async (presented) => judge.reach(presented, trust, time)));
    expect(verdicts.map(urisOf)).toEqual([['urn:slow'], ['urn:slow'], ['urn:slow']]);
    expect(asked.map((presented) => presented.decodeEndEntity.mock.calls.length)).toEqual([1, 0, 0]);
  });

  it('CA-07: is another question with another store', async () => {
    const judge = judgeOf();
    const [good, bad] = await Promise.all([
      judge.reach(presenting(slow), trust, time),
      judge.reach(presenting(slow), elsewhere, time),
    ]);
    expect([urisOf(good), urisOf(bad)]).toEqual([['urn:slow'], 'ERR_PATH_ISSUER_UNKNOWN']);
  });

  it('CA-01: does not give its answer to one who asks at another time', async () => {
    const judge = judgeOf();
    const after = daysFromTestTime(366).getTime();
    const [good, late] = await Promise.all([
      judge.reach(presenting(slow), trust, time),
      judge.reach(presenting(slow), trust, after),
    ]);
    expect([urisOf(good), urisOf(late)]).toEqual([['urn:slow'], 'ERR_CERTIFICATE_EXPIRED']);
  });

  it('CA-06: leaves nothing behind when it fails', async () => {
    const judge = judgeOf();
    // Asked at the very end of the work.
    const now = jest.spyOn(performance, 'now').mockImplementationOnce(() => {
      throw new Error('broken');
    });
    await expect(judge.reach(presenting(slow), trust, time)).rejects.toThrow('broken');
    now.mockRestore();
    expect(urisOf(await judge.reach(presenting(slow), trust, time))).toEqual(['urn:slow']);
  });
});

describe('two judges', () => {
  it('F29: share nothing', () => {
    const [one, other] = [judgeOf(), judgeOf()];
    void one.reach(presenting(client), trust, time);
    expect(other.recall(presenting(client), trust, time)).toBeUndefined();
    void other.reach(presenting(client), elsewhere, time);
    expect(urisOf(one.recall(presenting(client), trust, time))).toEqual(['urn:client']);
    expect(urisOf(other.recall(presenting(client), elsewhere, time))).toBe('ERR_PATH_ISSUER_UNKNOWN');
  });

  it('name their own source in identities', () => {
    const native = new Judge({
      source: 'native-tls',
      maxIntermediates: 8,
      policies: {},
      rules: resolveRules({}),
      verdictCache: {},
    });
    const verdict = native.reach(presenting(client), trust, time) as Verdict;
    expect(verdict.identity?.source).toBe('native-tls');
  });
});

describe('a judge with a policy of revocation', () => {
  const second = 1_000;

  const judgeWith = (options: RevocationOptions, verdictCache: VerdictCacheOptions = {}): Judge =>
    new Judge({
      source: 'cloudfront',
      maxIntermediates: 8,
      policies: {},
      rules: resolveRules({}),
      verdictCache,
      revocation: createRevocation(options),
    });
  const codeOf = (verdict: Verdict | undefined): unknown => verdict?.refusal?.code;
  const asked = presenting(client);
  /** What is asked, with its answer by hand. */
  const waiting = (): FakeMethod & { readonly give: (index: number, answer: unknown) => void } => {
    const answers: ReturnType<typeof pending>[] = [];
    const method = methodThat(async ({ depth }) => {
      if (depth > 0) return good();
      const answer = pending();
      answers.push(answer);
      return answer.answer;
    });
    return Object.assign(method, { give: (index: number, answer: unknown) => answers[index]?.give(answer) });
  };
  const turn = async (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

  it('remembers what is good until the first of what proves it ends', () => {
    const method = methodThat(({ depth }) => good({ until: time + (depth === 0 ? 20 : 10) * second }));
    const judge = judgeWith({ methods: [method] });
    const verdict = judge.reach(asked, trust, time) as Verdict;
    expect(verdict).toHaveProperty('revocation.length', 2);
    expect(judge.recall(asked, trust, time + 10 * second)).toBe(verdict);
    expect(judge.recall(asked, trust, time + 10 * second + 1)).toBeUndefined();
  });

  it('remembers who was accepted without being known for a minute', () => {
    const methods = [methodThat(() => unknown('unreachable', 'no route'))];
    const judge = judgeWith({ methods, unknownStatus: 'accept' });
    const verdict = judge.reach(asked, trust, time) as Verdict;
    expect(urisOf(verdict)).toEqual(['urn:client']);
    expect(judge.recall(asked, trust, time + 60 * second)).toBe(verdict);
    expect(judge.recall(asked, trust, time + 60 * second + 1)).toBeUndefined();
  });

  it('CA-08: remembers so no longer when the clock is set back, or stands still', () => {
    const now = jest.spyOn(performance, 'now').mockReturnValue(0);
    const methods = [methodThat(() => unknown('unreachable', 'no route'))];
    const judge = judgeWith({ methods, unknownStatus: 'accept' });
    void judge.reach(asked, trust, time);
    now.mockReturnValue(60 * second);
    expect(judge.recall(asked, trust, time)).toBeDefined();
    now.mockReturnValue(60 * second + 1);
    expect(judge.recall(asked, trust, time)).toBeUndefined();
    now.mockRestore();
  });

  it('never remembers that nobody could say, and asks again', () => {
    const method = methodThat(() => unknown('unreachable', 'no route'));
    const judge = judgeWith({ methods: [method] });
    for (let count = 1; count <= 3; count++) {
      expect(codeOf(judge.reach(asked, trust, time) as Verdict)).toBe('ERR_REVOCATION_UNAVAILABLE');
      expect(judge.recall(asked, trust, time)).toBeUndefined();
      expect(method.asked).toHaveLength(2 * count);
    }
  });

  it('remembers who was revoked for as long as that is known', () => {
    const judge = judgeWith({ methods: [methodThat(() => revoked({ until: time + 10 * second }))] });
    const verdict = judge.reach(asked, trust, time) as Verdict;
    expect(codeOf(verdict)).toBe('ERR_CERTIFICATE_REVOKED');
    expect(judge.recall(asked, trust, time + 10 * second - 1)).toBe(verdict);
    expect(judge.recall(asked, trust, time + 10 * second)).toBeUndefined();
  });

  it.each<[string, unknown]>([
    ['who is good', good()],
    ['who was revoked', revoked()],
  ])('forgets %s when something else is known', (_, answer) => {
    const method = methodThat(() => answer);
    const judge = judgeWith({ methods: [method] });
    void judge.reach(asked, trust, time);
    expect(judge.recall(asked, trust, time)).toBeDefined();
    method.revision += 1;
    expect(judge.recall(asked, trust, time)).toBeUndefined();
    void judge.reach(asked, trust, time);
    expect(judge.recall(asked, trust, time)).toBeDefined();
  });

  it('CA-07: gives a verdict that was under way when something else came to be known, and does not remember it', async () => {
    const method = waiting();
    const judge = judgeWith({ methods: [method] });
    const reaching = judge.reach(asked, trust, time);
    method.revision += 1;
    // Another request finds that something else is known, and has everything forgotten, before this one is done.
    expect(judge.recall(presenting(client, client.chain, 'other'), trust, time)).toBeUndefined();
    method.give(0, good());
    expect(urisOf(await reaching)).toEqual(['urn:client']);
    expect(judge.recall(asked, trust, time)).toBeUndefined();
  });

  it('CA-07: lets nobody inherit such a verdict', async () => {
    const method = waiting();
    const judge = judgeWith({ methods: [method] });
    const [leading, following] = [judge.reach(asked, trust, time), judge.reach(asked, trust, time)];
    method.revision += 1;
    method.give(0, good());
    expect(urisOf(await leading)).toEqual(['urn:client']);
    await turn();
    method.give(1, revoked());
    expect(codeOf(await following)).toBe('ERR_CERTIFICATE_REVOKED');
  });

  it('F13: asks once for all who wait for the same, whatever comes of it', async () => {
    for (const [answer, expected] of [
      [good(), undefined],
      [revoked(), 'ERR_CERTIFICATE_REVOKED'],
      [unknown('unreachable', 'no route'), 'ERR_REVOCATION_UNAVAILABLE'],
    ] as const) {
      verifications.mockClear();
      const method = waiting();
      const judge = judgeWith({ methods: [method] });
      const reaching = Array.from({ length: 1_000 }, async () => judge.reach(asked, trust, time));
      await turn();
      method.give(0, answer);
      expect(new Set((await Promise.all(reaching)).map(codeOf))).toEqual(new Set([expected]));
      expect(method.asked).toEqual(['CN=client', 'CN=Intermediate']);
      expect(verifications).toHaveBeenCalledTimes(2);
    }
  });

  it('asks anew for those who waited when something came to be known meanwhile', async () => {
    const method = waiting();
    const judge = judgeWith({ methods: [method] });
    const [leading, following] = [judge.reach(asked, trust, time), judge.reach(asked, trust, time)];
    method.revision += 1;
    method.give(0, unknown('unreachable', 'no route'));
    expect(codeOf(await leading)).toBe('ERR_REVOCATION_UNAVAILABLE');
    await turn();
    method.give(1, good());
    expect(urisOf(await following)).toEqual(['urn:client']);
  });

  it('has no evidence without a policy', () => {
    const verdict = judgeOf().reach(asked, trust, time) as Verdict;
    expect('revocation' in verdict).toBe(false);
  });
});
