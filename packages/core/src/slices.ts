import { setImmediate as nextTurn } from 'node:timers/promises';

/** Time, in milliseconds, after which work in slices gives the event loop to others, when it next can. */
const sliceMs = 5;

/**
 * Runs work that yields now and then, giving the event loop back whenever it has kept it for some milliseconds. Begins in a
 * turn of its own, whatever was done in this one.
 *
 * @param work - Yields often: what lies between two yields is not interrupted.
 */
export async function runInSlices<Result>(work: Generator<void, Result, void>): Promise<Result> {
  await nextTurn();
  let started = performance.now();
  let step = work.next();
  while (step.done !== true) {
    if (performance.now() - started >= sliceMs) {
      await nextTurn();
      started = performance.now();
    }
    step = work.next();
  }
  return step.value;
}

/** The same at once, for construction, where nothing waits. */
export function runAtOnce<Result>(work: Generator<void, Result, void>): Result {
  let step = work.next();
  while (step.done !== true) step = work.next();
  return step.value;
}
