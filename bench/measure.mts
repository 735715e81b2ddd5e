import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { measure } from 'mitata';
import type { Figures } from './row.mjs';

/** Something to time: `run` is timed, with an input that `next` has made ready beforehand. */
export interface Task<Input = unknown> {
  readonly next: () => Input;
  readonly run: (input: Input) => unknown;
}

/** An odd number has a middle. */
const rounds = 11;
/** Before anything counts: a server in service runs compiled code. */
const warmUpMs = 800;
const samples = 15;
/** Long beside the clock and short beside the slice of time that the machine gives a process. */
const sampleMs = 4;

/**
 * Times two tasks in turn, in this process.
 *
 * @returns microseconds per call, garbage collection included.
 */
export async function alternate<Ours, Other>(ours: Task<Ours>, other: Task<Other>): Promise<Figures> {
  return alternateRounds(rounds, await timerOf(ours), await timerOf(other));
}

/** Measures two figures in turn, round by round. */
export async function alternateRounds(
  count: number,
  ours: () => Promise<number>,
  other: () => Promise<number>,
): Promise<Figures> {
  const pairs: { ours: number; other: number }[] = [];
  for (let round = 0; round < count; round++) pairs.push({ ours: await ours(), other: await other() });
  return figuresOf(pairs);
}

export function figuresOf(pairs: readonly { readonly ours: number; readonly other: number }[]): Figures {
  return {
    ours: median(pairs.map(({ ours }) => ours)),
    other: median(pairs.map(({ other }) => other)),
    ratio: median(pairs.map(({ ours, other }) => ours / other)),
  };
}

export function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] as number;
}

/** A function that measures one round: microseconds per call. Compiled and calibrated by rounds that do not count. */
export async function timerOf<Input>({ next, run }: Task<Input>): Promise<() => Promise<number>> {
  const time = async (calls: number): Promise<number> => {
    const { avg } = await measure(
      // Mitata makes a sample's inputs before it starts the clock.
      function* () {
        yield { 0: next, bench: (input: Input) => run(input) } as unknown as () => unknown;
      },
      {
        gc: false,
        batch_samples: calls,
        batch_unroll: 1,
        batch_threshold: Infinity,
        warmup_threshold: Infinity,
        min_samples: samples,
        max_samples: samples,
        min_cpu_time: 0,
      },
    );
    return avg / 1000;
  };
  let calls = 1;
  for (const end = performance.now() + warmUpMs; performance.now() < end;) {
    calls = Math.max(1, Math.round((sampleMs * 1000) / (await time(calls))));
  }
  return () => time(calls);
}

/** Milliseconds of the longest time in which the event loop did nothing else. */
export async function longestStall(work: () => Promise<unknown>): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  // The monitor needs turns of the loop to start from, and one to notice the end.
  await setTimeout(10);
  delay.reset();
  await work();
  await setTimeout(10);
  delay.disable();
  return delay.max / 1e6;
}

/** Milliseconds that something takes, once. */
export async function elapsed(work: () => unknown): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
