import type { Latency } from './latency';
import type { PolicyRun } from './run-policy';

/** What came of one policy. */
export interface PolicyReport extends PolicyRun {
  readonly requests: number;
  /** What was sent in a second, all in all. */
  readonly ratePerSecond: number;
  /** Answers that were right at no time of their request. */
  readonly wrong: number;
  /** The first of them. */
  readonly examples: readonly string[];
  readonly unanswered: number;
  /** Requests to the responder while it was alive: one for each client, at the most. */
  readonly attemptsAlive: number;
  /** Verdicts that ended while it was dead, and were reached again from the answers that were kept. */
  readonly rejudgedDead: number;
  readonly breaker: {
    /** At the end of each death: new clients come, and the responder is not asked. */
    readonly isOpen: readonly boolean[];
    readonly attemptsToOpen: number;
    /** Later attempts. */
    readonly probes: number;
    /** Between two of them, or from the opening to the first; null where there was none. */
    readonly shortestIntervalSeconds: number | null;
  };
  /** What the origin says of itself while the responder lives, and at the end of each death. */
  readonly health: { readonly normal: 'ok' | 'degraded'; readonly dead: readonly ('ok' | 'degraded')[] };
  /** How long answers to warm clients took, as the client sees it. */
  readonly cached: { readonly normal: Latency; readonly dead: Latency };
  /** The same of a server beside it that judges nobody. */
  readonly machine: { readonly normal: Latency; readonly dead: Latency };
  /** Milliseconds from one turn of the origin's event loop to the next, of which one is the monitor's own. */
  readonly eventLoopP99Ms: { readonly normal: number; readonly dead: number };
}

/** p99 of cached verdicts with a dead responder, by that with one that is alive: see {@link judgedRatioOf}. */
const maxRatio = 1.2;
/** Five failures open the breaker; three others may be under way with the fifth. */
const maxAttemptsToOpen = 8;
/** The first pause is 30 seconds, give or take a fifth. */
const minIntervalSeconds = 24;

/** How much longer a cached verdict takes while the responder is dead. */
export function ratioOf({ cached: { normal, dead } }: PolicyReport): number {
  return dead.p99Ms / normal.p99Ms;
}

/** How much slower the machine itself became, by a server that has nothing to do with the responder; 1 at least. */
export function slowdownOf({ machine: { normal, dead } }: PolicyReport): number {
  return Math.max(1, dead.p99Ms / normal.p99Ms);
}

/**
 * How much longer it takes because of the responder. Two figures from which the rest of the machine is taken off, each in
 * another way, and the smaller one: the ratio by what has slowed down the other server in that time; the ratio of the
 * windows in which the machine did least. An origin that waits for its responder waits in all of them.
 */
export function judgedRatioOf(report: PolicyReport): number {
  const { normal, dead } = report.cached;
  return Math.min(ratioOf(report) / slowdownOf(report), dead.quietP99Ms / normal.quietP99Ms);
}

/** What is not as it should be, in words. */
export function faultsOf(report: PolicyReport): readonly string[] {
  const { wrong, examples, unanswered, breaker, health } = report;
  const { isOpen, attemptsToOpen, shortestIntervalSeconds } = breaker;
  const faults: string[] = [];
  if (wrong > 0) faults.push(`${wrong} wrong verdicts, such as ${examples.join(', ')}`);
  if (unanswered > 0) faults.push(`${unanswered} requests without an answer`);
  if (!isOpen.every(Boolean)) faults.push('the breaker is not open');
  if (health.normal !== 'ok' || health.dead.includes('ok')) {
    faults.push(`health is ${health.normal} while the responder lives, and then ${health.dead.join(', ')}`);
  }
  if (attemptsToOpen > maxAttemptsToOpen) faults.push(`the breaker opened after ${attemptsToOpen} attempts`);
  if (shortestIntervalSeconds !== null && shortestIntervalSeconds < minIntervalSeconds) {
    faults.push(`a probe came after ${shortestIntervalSeconds.toFixed(1)} seconds`);
  }
  const ratio = judgedRatioOf(report);
  // Not a number where there was nothing to measure.
  if (!(ratio <= maxRatio)) faults.push(`cached verdicts take ${ratio.toFixed(2)} times as long`);
  return faults;
}

/** The report for people. */
export function describeReport(report: PolicyReport): string {
  const { policy, deaths, seconds, requests, ratePerSecond, breaker, cached, machine, eventLoopP99Ms } = report;
  const { isOpen, attemptsToOpen, probes, shortestIntervalSeconds } = breaker;
  const latency = ({ p50Ms, p99Ms, quietP99Ms }: Latency): string =>
    `p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms, in quiet windows ${quietP99Ms.toFixed(2)} ms`;
  const interval = shortestIntervalSeconds === null ? '' : `, ${shortestIntervalSeconds.toFixed(1)} s apart or more`;
  return [
    `unknown: ${policy}; ${seconds} seconds, responder alive, then ${deaths.join(', then ')}`,
    `  requests          ${requests}, ${ratePerSecond.toFixed(1)} a second`,
    `  wrong verdicts    ${report.wrong}, requests without an answer ${report.unanswered}`,
    `  responder asked   ${report.attemptsAlive} times while alive`,
    `  judged again      ${report.rejudgedDead} times from kept answers while dead`,
    `  breaker           ${isOpen.every(Boolean) ? 'open' : 'NOT OPEN'} after ${attemptsToOpen} attempts, ${probes} probes${interval}`,
    `  cached, alive     ${latency(cached.normal)}`,
    `  cached, dead      ${latency(cached.dead)}`,
    `  ratio of p99      ${judgedRatioOf(report).toFixed(2)}; ${ratioOf(report).toFixed(2)} with all that the machine did`,
    `  other server      ${latency(machine.normal)} alive; ${latency(machine.dead)} dead; slower by ${slowdownOf(report).toFixed(2)}`,
    `  event loop p99    ${eventLoopP99Ms.normal.toFixed(2)} ms alive, ${eventLoopP99Ms.dead.toFixed(2)} ms dead`,
    ...faultsOf(report).map((fault) => `  FAULT: ${fault}`),
  ].join('\n');
}
