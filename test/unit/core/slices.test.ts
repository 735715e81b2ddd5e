import { runAtOnce, runInSlices } from '../../../packages/core/src/slices';

/** Keeps the thread busy. */
function spin(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

function* work(steps: number, stepMs: number): Generator<void, string, void> {
  for (let step = 0; step < steps; step++) {
    spin(stepMs);
    yield;
  }
  return 'done';
}

/** How often others get a turn until a promise settles. */
async function turnsDuring(promise: Promise<unknown>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const turn = (): void => {
    turns += 1;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  await promise.catch(() => {});
  isOver = true;
  return turns;
}

describe('work in slices', () => {
  it('answers with what the work answers', async () => {
    await expect(runInSlices(work(3, 0))).resolves.toBe('done');
    await expect(runInSlices(work(0, 0))).resolves.toBe('done');
  });

  it('does not begin at once', async () => {
    let hasBegun = false;
    const begin = function* (): Generator<void, void, void> {
      hasBegun = true;
      yield;
    };
    const running = runInSlices(begin());
    await Promise.resolve();
    expect(hasBegun).toBe(false);
    await running;
    expect(hasBegun).toBe(true);
  });

  it('gives others their turn, again and again', async () => {
    // 40 steps of 2 ms: a turn after every third.
    expect(await turnsDuring(runInSlices(work(40, 2)))).toBeGreaterThanOrEqual(10);
  });

  it('keeps others waiting no longer than it must: short work takes one slice', async () => {
    expect(await turnsDuring(runInSlices(work(1_000, 0)))).toBeLessThan(10);
  });

  it('rejects with what the work throws', async () => {
    const failing = function* (): Generator<void, void, void> {
      yield;
      throw new RangeError('broken');
    };
    await expect(runInSlices(failing())).rejects.toThrow(new RangeError('broken'));
  });
});

describe('work at once', () => {
  it('answers with what the work answers, and throws what it throws', () => {
    expect(runAtOnce(work(3, 0))).toBe('done');
    const failing = function* (): Generator<void, void, void> {
      yield;
      throw new RangeError('broken');
    };
    expect(() => runAtOnce(failing())).toThrow(new RangeError('broken'));
  });
});
