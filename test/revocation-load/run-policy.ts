import { setTimeout } from 'node:timers/promises';
import { TEST_TIME } from '@peercert/testkit';
import { type Expected, Timeline } from '../e2e/rotation-load';
import type { Population } from './clients';
import { latencyIn, type Span } from './latency';
import { Load } from './load';
import { type OriginInput, type OriginState, startOrigin } from './origin';
import type { PolicyReport } from './report';
import { type Death, Responder } from './responder';

export interface PolicyRun {
  /** What becomes of a client that nobody knows of. */
  readonly policy: 'reject' | 'accept';
  /** The ways in which the responder is dead, one after the other. */
  readonly deaths: readonly [Death, Death];
  /** A third of them with a responder that is alive, a third for each death. */
  readonly seconds: number;
  readonly requestsPerSecond: number;
}

/** Before anything is measured: code is compiled, connections are open. */
const warmUpShare = 1 / 6;

/** What a run takes, with its warm-up. */
export function durationOf(seconds: number): number {
  return seconds * (1 + warmUpShare);
}

/** Answers about lapsing clients are asked for again when half of their time is over, and hold until nobody asks. */
const marginMs = 15_000;

/**
 * The questions that open the breaker are under way by then: one after the other where the responder refuses; where it
 * hangs, four at a time, each for two seconds.
 */
const openingMs = 5_000;

/** The end of a death, when new clients come as ever: an open breaker lets one probe through at the most. */
const lastMs = 500;

/** Sends requests to an origin with one policy while its responder lives, dies, and is dead in another way. */
export async function runPolicy(run: PolicyRun, population: Population): Promise<PolicyReport> {
  const { policy, deaths, seconds, requestsPerSecond } = run;
  const startedAt = TEST_TIME.getTime();
  const responder = new Responder(population.subjects, startedAt + durationOf(seconds) * 1000 + marginMs);
  await responder.live();
  const input: OriginInput = {
    root: population.root.der.toString('base64'),
    responder: responder.url,
    unknownStatus: policy,
    clockOffset: startedAt - Date.now(),
  };
  const [origin, bare] = await Promise.all([startOrigin(input), startOrigin(input)]);
  const known: Expected = { warm: 200, lapsing: 200, revoked: 403 };
  const timeline = new Timeline({ ...known, cold: 200 });
  const { clients } = population;
  const load = new Load({ requestsPerSecond, originPort: origin.port, barePort: bare.port, clients, timeline });
  const phaseMs = (seconds * 1000) / 3;
  try {
    await load.introduce();
    load.start();
    await setTimeout(phaseMs * 3 * warmUpShare);
    const warmedUp = await origin.takeState();
    const normal = await spanOf(() => setTimeout(phaseMs));
    const alive = await origin.takeState();

    const diedAt = Date.now();
    const states: OriginState[] = [];
    const isOpen: boolean[] = [];
    const dead = await spanOf(async () => {
      for (const death of deaths) {
        await timeline.change({ ...known, cold: policy === 'reject' ? 503 : 200 }, () => responder.die(death));
        await setTimeout(phaseMs);
        const lastFrom = Date.now() - lastMs;
        const state = await origin.takeState();
        isOpen.push(state.attempts.filter((at) => at >= lastFrom).length <= 1);
        states.push(state);
      }
    });
    await load.stop();
    return {
      ...run,
      requests: load.sent,
      ratePerSecond: load.ratePerSecond,
      wrong: load.wrong.length,
      examples: load.wrong.slice(0, 5),
      unanswered: load.unanswered,
      attemptsAlive: warmedUp.attempts.length + alive.attempts.length,
      rejudgedDead: states.reduce((sum, { rejudged }) => sum + rejudged, 0),
      breaker: {
        isOpen,
        ...attemptsOn(states.flatMap(({ attempts }) => attempts).filter((at) => at >= diedAt)),
      },
      health: { normal: alive.health, dead: states.map(({ health }) => health) },
      cached: { normal: latencyIn(normal, load.warm, 20), dead: latencyIn(dead, load.warm, 40) },
      machine: { normal: latencyIn(normal, load.bare, 20), dead: latencyIn(dead, load.bare, 40) },
      eventLoopP99Ms: {
        normal: alive.eventLoopP99Ms,
        dead: Math.max(...states.map(({ eventLoopP99Ms }) => eventLoopP99Ms)),
      },
    };
  } finally {
    await load.stop();
    await Promise.all([origin.stop(), bare.stop()]);
    await responder.close();
  }
}

async function spanOf(work: () => Promise<unknown>): Promise<Span> {
  const from = performance.now();
  await work();
  return { from, until: performance.now() };
}

/** Attempts on a dead responder: those that opened the breaker, and those that probed. */
function attemptsOn(attempts: readonly number[]): Omit<PolicyReport['breaker'], 'isOpen'> {
  const [first = 0] = attempts;
  const opening = attempts.filter((at) => at < first + openingMs);
  const probes = attempts.slice(opening.length);
  // The breaker opened when the last of those that opened it was under way, or later.
  const intervals = probes.map((at, index) => at - ((probes[index - 1] ?? opening.at(-1)) as number));
  return {
    attemptsToOpen: opening.length,
    probes: probes.length,
    shortestIntervalSeconds: intervals.length === 0 ? null : Math.min(...intervals) / 1000,
  };
}
