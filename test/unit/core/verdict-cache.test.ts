import { ClientCertificateError, TrustStore } from '@peercert/core';
import { createAuthority, TEST_TIME } from '@peercert/testkit';
import type { ClientIdentity } from '../../../packages/core/src/identity';
import { type DatedVerdict, type Verdict, VerdictCache } from '../../../packages/core/src/verdict-cache';

const now = TEST_TIME.getTime();
const trust = TrustStore.fromDer([createAuthority().der]);
const otherTrust = TrustStore.fromDer([createAuthority().der]);

const identity = (name: string): Verdict => ({ identity: { name } as unknown as ClientIdentity });
const refusal: Verdict = {
  refusal: new ClientCertificateError('ERR_PATH_ISSUER_UNKNOWN', { depth: 1, issuer: 'CN=x' }),
};
const dated = (verdict: Verdict, span: Partial<DatedVerdict> = {}): DatedVerdict => ({
  verdict,
  trust,
  validFrom: now,
  validUntil: now + 1_000_000,
  ...span,
});

let monotonic = 1_000;
let clock: jest.SpyInstance;

beforeEach(() => {
  monotonic = 1_000;
  clock = jest.spyOn(performance, 'now').mockImplementation(() => monotonic);
});

afterEach(() => clock.mockRestore());

describe('a verdict that is kept', () => {
  it.each([
    ['an identity', identity('a')],
    ['a refusal', refusal],
  ])('is found again: %s', (_, verdict) => {
    const cache = new VerdictCache({});
    cache.keep('key', dated(verdict));
    expect(cache.find('key', trust, now)).toBe(verdict);
    expect(cache.find('other', trust, now)).toBeUndefined();
  });

  it.each([
    ['an identity', identity('a')],
    ['a refusal', refusal],
  ])('CA-09: holds from its first to its last millisecond, both included: %s', (_, verdict) => {
    const cache = new VerdictCache({});
    cache.keep('key', dated(verdict, { validFrom: now - 5, validUntil: now + 5 }));
    const found = [-6, -5, 0, 5, 6].map((offset) => cache.find('key', trust, now + offset));
    expect(found).toEqual([undefined, verdict, verdict, verdict, undefined]);
  });

  it('CA-08: comes back when the clock comes back into its span', () => {
    const cache = new VerdictCache({});
    const verdict = identity('a');
    cache.keep('key', dated(verdict));
    expect(cache.find('key', trust, now + 315_000_000_000)).toBeUndefined();
    expect(cache.find('key', trust, now - 3_600_000)).toBeUndefined();
    expect(cache.find('key', trust, now)).toBe(verdict);
  });

  it.each([
    ['the default, 300 seconds', {}, 300],
    ['one second', { ttlSeconds: 1 }, 1],
    ['a day', { ttlSeconds: 86_400 }, 86_400],
  ])('CA-08: ends with its time to live on the monotonic clock: %s', (_, options, seconds) => {
    const cache = new VerdictCache(options);
    cache.keep('key', dated(identity('a'), { validUntil: Infinity }));
    monotonic += seconds * 1_000;
    expect(cache.find('key', trust, now)).toBeDefined();
    monotonic += 1;
    expect(cache.find('key', trust, now)).toBeUndefined();
  });

  it('CA-08: does not live longer because the wall clock stands still or goes back', () => {
    const cache = new VerdictCache({ ttlSeconds: 10 });
    cache.keep('key', dated(identity('a'), { validFrom: -Infinity, validUntil: Infinity }));
    monotonic += 10_001;
    for (const time of [now, now - 3_600_000, 0]) expect(cache.find('key', trust, time)).toBeUndefined();
  });

  it('does not live longer for being asked for', () => {
    const cache = new VerdictCache({ ttlSeconds: 10 });
    cache.keep('key', dated(identity('a')));
    for (let second = 0; second < 10; second++) {
      monotonic += 1_000;
      expect(cache.find('key', trust, now)).toBeDefined();
    }
    monotonic += 1;
    expect(cache.find('key', trust, now)).toBeUndefined();
  });

  it.each([Number.NaN, undefined as unknown as number, Infinity, -Infinity])('is not found at the time %p', (time) => {
    const cache = new VerdictCache({});
    cache.keep('key', dated(identity('a')));
    expect(cache.find('key', trust, time)).toBeUndefined();
  });

  it.each([
    ['from', { validFrom: Number.NaN }],
    ['until', { validUntil: Number.NaN }],
  ])('is not found when it is dated %s NaN', (_, span) => {
    const cache = new VerdictCache({});
    cache.keep('key', dated(identity('a'), span));
    expect(cache.find('key', trust, now)).toBeUndefined();
  });

  it('CA-04: is not found under another trust store, even one of the same anchors', () => {
    const cache = new VerdictCache({});
    cache.keep('key', dated(identity('a')));
    const equal = TrustStore.fromDer(trust.anchors.map(({ der }) => der));
    for (const store of [otherTrust, equal, undefined as unknown as TrustStore]) {
      expect(cache.find('key', store, now)).toBeUndefined();
    }
  });

  it.each(['__proto__', 'constructor', ''])('is not confused by the key "%s"', (key) => {
    const cache = new VerdictCache({});
    expect(cache.find(key, trust, now)).toBeUndefined();
    cache.keep(key, dated(refusal));
    expect(cache.find(key, trust, now)).toBe(refusal);
  });
});

describe('two verdicts of one key', () => {
  it('are one: the later, whichever kind it is', () => {
    const cache = new VerdictCache({});
    for (const verdict of [identity('a'), refusal, identity('b'), refusal]) {
      cache.keep('key', dated(verdict));
      expect(cache.find('key', trust, now)).toBe(verdict);
    }
  });

  it('leave nothing of the earlier behind when the later does not hold', () => {
    const cache = new VerdictCache({});
    cache.keep('key', dated(identity('a')));
    cache.keep('key', dated(refusal, { validUntil: now - 1 }));
    expect(cache.find('key', trust, now)).toBeUndefined();
  });
});

describe('the number of verdicts kept', () => {
  it('has the bound it was given for identities, and drops what was not asked for longest', () => {
    const cache = new VerdictCache({ maxEntries: 3 });
    for (const key of ['a', 'b', 'c']) cache.keep(key, dated(identity(key)));
    cache.find('a', trust, now);
    cache.keep('d', dated(identity('d')));
    expect(['a', 'b', 'c', 'd'].filter((key) => cache.find(key, trust, now) !== undefined)).toEqual(['a', 'c', 'd']);
  });

  it('CA-05: has a bound of its own for refusals, which push out no identity', () => {
    const cache = new VerdictCache({ maxEntries: 1 });
    cache.keep('good', dated(identity('good')));
    const keys = Array.from({ length: 100_000 }, (_, index) => `rubbish ${index}`);
    for (const key of keys) cache.keep(key, dated(refusal));
    expect(cache.find('good', trust, now)).toBeDefined();
    expect(keys.filter((key) => cache.find(key, trust, now) !== undefined)).toEqual(keys.slice(-1_000));
  });
});
