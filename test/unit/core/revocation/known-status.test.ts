import { KnownStatus } from '../../../../packages/core/src/revocation/known-status';
import { type RevocationAnswer, unknown } from '../../../../packages/core/src/revocation/revocation-method';

const source = 'http://ocsp.test/';
const good = (asOf: number, until: number): RevocationAnswer => ({ status: 'good', source, asOf, until });
const revoked = (asOf: number, until: number): RevocationAnswer => {
  return { status: 'revoked', source, asOf, until, revokedAt: 0, reason: undefined };
};
const down = unknown('unreachable', 'down');

let monotonic: number;
beforeEach(() => {
  monotonic = 0;
  jest.spyOn(performance, 'now').mockImplementation(() => monotonic);
});
afterEach(() => jest.restoreAllMocks());

/** What is known once several things were found at a time. */
function knowing(...found: readonly (readonly [RevocationAnswer, number])[]): KnownStatus {
  const known = new KnownStatus();
  for (const [answer, time] of found) known.keep(answer, time);
  return known;
}

describe('an answer', () => {
  it('holds until its end, both included', () => {
    const known = knowing([good(0, 100_000), 0]);
    expect(known.at(100_000)).toEqual(good(0, 100_000));
    expect(known.at(100_001)).toBeUndefined();
  });

  it('is due when half of the time that is left is over', () => {
    const known = knowing([good(0, 100_000), 40_000]);
    expect(known.isDueAt(69_999)).toBe(false);
    expect(known.isDueAt(70_000)).toBe(true);
  });

  it('is due after the longest time to go without asking, though it holds for much longer', () => {
    const known = new KnownStatus(10_000);
    known.keep(good(0, 1_000_000), 5_000);
    expect(known.isDueAt(14_999)).toBe(false);
    expect(known.isDueAt(15_000)).toBe(true);
  });

  it('is never due within five seconds of having been found: the halves of what is left do not go on for ever', () => {
    const known = knowing([good(0, 100_000), 99_000]);
    expect(known.isDueAt(103_999)).toBe(false);
    expect(known.isDueAt(104_000)).toBe(true);
  });

  it('replaces one that is as new or older', () => {
    const known = knowing([good(0, 100_000), 0], [good(0, 200_000), 1], [good(5, 150_000), 2]);
    expect(known.at(2)).toEqual(good(5, 150_000));
  });

  it('OC-06: is not undone by an older one, and who sends that is left alone for five seconds', () => {
    const known = knowing([good(10, 100_000), 0]);
    expect(known.keep(good(9, 200_000), 60_000)).toBe(false);
    expect(known.at(60_000)).toEqual(good(10, 100_000));
    monotonic = 4_999;
    expect(known.isDueAt(60_000)).toBe(false);
    monotonic = 5_000;
    expect(known.isDueAt(60_000)).toBe(true);
  });

  it('that is over gives way to an older one that is not', () => {
    const known = knowing([good(10, 100_000), 0], [good(9, 200_000), 100_001]);
    expect(known.at(100_001)).toEqual(good(9, 200_000));
  });
});

describe('OC-06: a revocation', () => {
  it.each([
    ['an older answer', good(9, 900_000)],
    ['an answer of the same second', good(10, 900_000)],
  ])('is not undone by %s, also when its own time is over', (_, other) => {
    const known = knowing([revoked(10, 100_000), 0]);
    expect(known.keep(other, 50)).toBe(false);
    expect(known.keep(other, 200_000)).toBe(false);
    expect(known.at(200_000)).toEqual(revoked(10, 100_000));
    expect(known.after(other, 200_000)).toEqual(revoked(10, 100_000));
  });

  it('of the same second counts', () => {
    expect(knowing([good(10, 100_000), 0], [revoked(10, 100_000), 0]).at(0)).toEqual(revoked(10, 100_000));
  });

  it('ends with a newer answer: certificates are put on hold', () => {
    expect(knowing([revoked(10, 100_000), 0], [good(11, 100_000), 0]).at(0)).toEqual(good(11, 100_000));
  });

  it('stays when its time is over and nobody answers, but is asked about again every five seconds', () => {
    const known = knowing([revoked(10, 100_000), 0]);
    expect(known.at(100_001)).toBeUndefined();
    known.keep(down, 100_001);
    expect(known.at(100_001)).toEqual(revoked(10, 100_000));
    expect(known.after(down, 100_001)).toEqual(revoked(10, 100_000));
    monotonic = 5_000;
    expect(known.at(100_001)).toBeUndefined();
  });
});

describe('a failure', () => {
  it('is remembered for five seconds on the monotonic clock', () => {
    const known = knowing([down, 0]);
    monotonic = 4_999;
    expect(known.at(0)).toBe(down);
    monotonic = 5_000;
    expect(known.at(0)).toBeUndefined();
  });

  it('does not end an answer that holds', () => {
    const known = knowing([good(0, 100_000), 0], [down, 60_000]);
    expect(known.at(100_000)).toEqual(good(0, 100_000));
    expect(known.after(down, 100_000)).toEqual(good(0, 100_000));
  });

  it('counts from the moment at which the good answer before it is over', () => {
    const known = knowing([good(0, 100_000), 0], [down, 99_999]);
    expect(known.at(100_001)).toBe(down);
    expect(known.after(down, 100_001)).toBe(down);
  });

  it('is forgotten with the next answer', () => {
    const known = knowing([down, 0], [good(0, 100_000), 0]);
    expect(known.at(0)).toEqual(good(0, 100_000));
    expect(known.at(100_001)).toBeUndefined();
  });
});

describe('what was said before is another now', () => {
  it.each<[string, readonly RevocationAnswer[], RevocationAnswer, boolean]>([
    ['good after nothing', [], good(1, 9), false],
    ['good after a failure', [down], good(1, 9), false],
    ['good after good', [good(0, 9)], good(1, 9), false],
    ['revoked after nothing: nobody was told', [], revoked(1, 9), false],
    ['revoked after a failure: somebody may have been let in', [down], revoked(1, 9), true],
    ['revoked after good', [good(0, 9)], revoked(1, 9), true],
    ['revoked after revoked', [revoked(0, 9)], revoked(1, 9), false],
    ['good after revoked', [revoked(0, 9)], good(1, 9), true],
    ['a failure after good', [good(0, 9)], down, false],
  ])('%s', (_, before, found, isAnother) => {
    const known = knowing(...before.map((one) => [one, 0] as const));
    expect(known.keep(found, 0)).toBe(isAnother);
  });
});
