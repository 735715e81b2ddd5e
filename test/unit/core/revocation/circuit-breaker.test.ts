import { CircuitBreaker } from '../../../../packages/core/src/revocation/circuit-breaker';
import { FetchError } from '../../../../packages/core/src/revocation/fetch-error';

const host = 'crl.example.com';
const refused = new FetchError('breaker-open', { host });
const failure = new FetchError('connect');
const seconds = 1_000;

let now = 0;
let chance = 0.5;
let breaker: CircuitBreaker;

beforeEach(() => {
  now = 0;
  chance = 0.5;
  breaker = new CircuitBreaker(
    () => now,
    () => chance,
  );
});

const diagnose = (error: unknown): 'connect' | 'well' | undefined =>
  error === failure ? 'connect' : error === 'well' ? 'well' : undefined;
const succeed = (): Promise<string> => breaker.run(host, async () => 'data', diagnose);
const endWith = async (reason: unknown): Promise<void> => {
  const work = jest.fn().mockRejectedValue(reason);
  await expect(breaker.run(host, work, diagnose)).rejects.toBe(reason);
};
const fail = async (times: number): Promise<void> => {
  for (let time = 0; time < times; time += 1) await endWith(failure);
};

/** Work that ends when told. */
function pending(): { work: Promise<unknown>; finish: (error?: unknown) => void } {
  let finish: (error?: unknown) => void = () => {};
  const ending = new Promise<string>((resolve, reject) => {
    finish = (error) => (error === undefined ? resolve('data') : reject(error));
  });
  const work = breaker.run(host, () => ending, diagnose).catch((error: unknown) => error);
  return { work, finish };
}

describe('a host that fails', () => {
  it('is asked until it has failed five times in a row, and then not', async () => {
    await fail(4);
    await expect(succeed()).resolves.toBe('data');
    await fail(4);
    expect(breaker.refuses).toBe(false);
    await fail(1);
    expect(breaker.refuses).toBe(true);
    const work = jest.fn();
    await expect(breaker.run(host, work, diagnose)).rejects.toThrow(refused);
    expect(work).not.toHaveBeenCalled();
  });

  it.each([
    ['says that the host is well', 'well'],
    ['is not about the host', 'other'],
  ])('is not blamed for an error that %s', async (_, error) => {
    for (let time = 0; time < 20; time += 1) await endWith(error);
    expect(breaker.health).toEqual({ state: 'closed', failures: 0, forMs: 0 });
  });

  it('has its count kept by an error that is not about it, and ended by one that says it is well', async () => {
    await fail(4);
    await endWith('other');
    expect(breaker.health).toEqual({ state: 'closed', failures: 4, forMs: 0, lastFailure: 'connect' });
    await endWith('well');
    expect(breaker.health).toEqual({ state: 'closed', failures: 0, forMs: 0 });
  });

  it('is left alone for 30 seconds, and then asked once', async () => {
    await fail(5);
    now = 30 * seconds - 1;
    expect(breaker.refuses).toBe(true);
    now = 30 * seconds;
    const probe = pending();
    expect(breaker.health).toEqual({ state: 'half-open', failures: 5, forMs: 30 * seconds, lastFailure: 'connect' });
    await expect(succeed()).rejects.toThrow(refused);
    probe.finish();
    await expect(probe.work).resolves.toBe('data');
    expect(breaker.health).toEqual({ state: 'closed', failures: 0, forMs: 0 });
    await expect(succeed()).resolves.toBe('data');
  });

  it('is left alone twice as long after each probe that fails, up to ten minutes', async () => {
    await fail(5);
    const pauses: number[] = [];
    for (let probe = 0; probe < 8; probe += 1) {
      const from = now;
      while (breaker.refuses) now += seconds;
      pauses.push((now - from) / seconds);
      await fail(1);
    }
    expect(pauses).toEqual([30, 60, 120, 240, 480, 600, 600, 600]);
  });

  it('starts over at 30 seconds once it was well', async () => {
    await fail(5);
    for (const pause of [30, 60]) {
      now += pause * seconds;
      await (pause === 60 ? succeed() : fail(1));
    }
    await fail(5);
    now += 30 * seconds;
    expect(breaker.refuses).toBe(false);
  });

  it.each([
    [0, 24],
    [1, 36],
  ])('is left alone a fifth more or less by chance: %d', async (random, pause) => {
    chance = random;
    await fail(5);
    now = pause * seconds - 1;
    expect(breaker.refuses).toBe(true);
    now += 1;
    expect(breaker.refuses).toBe(false);
  });

  it('is never left alone longer than ten minutes', async () => {
    chance = 1;
    await fail(5);
    for (let probe = 0; probe < 10; probe += 1) {
      now += 600 * seconds;
      expect(breaker.refuses).toBe(false);
      await fail(1);
    }
  });

  it('may be probed by another when the probe was given up', async () => {
    await fail(5);
    now = 30 * seconds;
    await endWith('other');
    expect(breaker.health).toEqual({ state: 'open', failures: 5, forMs: 30 * seconds, lastFailure: 'connect' });
    await expect(succeed()).resolves.toBe('data');
  });

  it('is judged by its probe, not by what was sent before the pause', async () => {
    const [late, lateSuccess] = [pending(), pending()];
    await fail(5);
    lateSuccess.finish();
    await lateSuccess.work;
    expect(breaker.refuses).toBe(true);
    now = 30 * seconds;
    const probe = pending();
    late.finish(failure);
    await late.work;
    expect(breaker.health.state).toBe('half-open');
    probe.finish();
    await probe.work;
    expect(breaker.health).toEqual({ state: 'closed', failures: 0, forMs: 0 });
  });
});

it('F12: a host that is down for an hour under load is asked once in each pause', async () => {
  const asked: number[] = [];
  const ask = async (): Promise<unknown> => {
    asked.push(now / seconds);
    throw failure;
  };
  for (now = 0; now < 3_600 * seconds; now += 100) {
    for (let request = 0; request < 5; request += 1) await breaker.run(host, ask, diagnose).catch(() => {});
  }
  expect(asked).toEqual([0, 0, 0, 0, 0, 30, 90, 210, 450, 930, 1_530, 2_130, 2_730, 3_330]);
});
