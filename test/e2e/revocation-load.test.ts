import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { type Latency, latencyIn, quantile, type Sample } from '../revocation-load/latency';
import { describeReport, faultsOf, type PolicyReport } from '../revocation-load/report';
import { runPolicies } from '../revocation-load/revocation-load';

const root = resolve(__dirname, '../..');

/** What must be true of a run however busy the machine is. */
function withoutSpeed(faults: readonly string[]): readonly string[] {
  return faults.filter((fault) => !fault.startsWith('cached verdicts take'));
}

/** A responder that hangs first would be given up after three seconds: that is for `npm run test:revocation-load`. */
const quickly = { seconds: 6, requestsPerSecond: 250, deaths: ['refusing', 'hanging'] } as const;

describe('an origin at 250 requests a second whose OCSP responder dies', () => {
  const reports: PolicyReport[] = [];

  beforeAll(async () => {
    const runs = [
      { ...quickly, policy: 'reject' },
      { ...quickly, policy: 'accept' },
    ] as const;
    for await (const report of runPolicies(runs)) reports.push(report);
  }, 120_000);

  it.each([
    ['reject', 0],
    ['accept', 1],
  ] as const)('answers nobody wrongly and leaves the responder alone, with unknownStatus: %s', (policy, at) => {
    const report = reports[at] as PolicyReport;
    expect(withoutSpeed(faultsOf(report))).toEqual([]);
    expect(report).toMatchObject({
      policy,
      wrong: 0,
      unanswered: 0,
      breaker: { isOpen: [true, true], probes: 0, shortestIntervalSeconds: null },
      health: { normal: 'ok', dead: ['degraded', 'degraded'] },
    });
    expect(report.requests).toBeGreaterThan(1_500);
    expect(report.breaker.attemptsToOpen).toBeGreaterThan(0);
    // For every client that was asked for before the death, and the intermediate.
    expect(report.attemptsAlive).toBeGreaterThan(240);
    // Each lapsing and each revoked client, once at least.
    expect(report.rejudgedDead).toBeGreaterThanOrEqual(30);
    expect(report.cached.dead.p99Ms).toBeGreaterThan(0);
  });
});

const latency = (p99Ms: number, quietP99Ms: number): Latency => ({ p50Ms: 0.5, p99Ms, quietP99Ms });

const good: PolicyReport = {
  policy: 'reject',
  deaths: ['refusing', 'hanging'],
  seconds: 60,
  requestsPerSecond: 500,
  requests: 35_000,
  ratePerSecond: 500,
  wrong: 0,
  examples: [],
  unanswered: 0,
  attemptsAlive: 900,
  rejudgedDead: 1_000,
  breaker: { isOpen: [true, true], attemptsToOpen: 8, probes: 1, shortestIntervalSeconds: 24 },
  health: { normal: 'ok', dead: ['degraded', 'degraded'] },
  cached: { normal: latency(1, 1), dead: latency(1.2, 1.2) },
  machine: { normal: latency(2, 2), dead: latency(1, 1) },
  eventLoopP99Ms: { normal: 2, dead: 2 },
};

const cachedIn = (p99Ms: number, quietP99Ms = p99Ms): PolicyReport['cached'] => {
  return { ...good.cached, dead: latency(p99Ms, quietP99Ms) };
};
const breakerWith = (changed: Partial<PolicyReport['breaker']>): Partial<PolicyReport> => {
  return { breaker: { ...good.breaker, ...changed } };
};
const slowMachine: PolicyReport['machine'] = { ...good.machine, dead: latency(4, 4) };

describe('a fault of a run', () => {
  it.each<[string, Partial<PolicyReport>, readonly string[]]>([
    ['is in none that is just good enough', {}, []],
    [
      'is a wrong verdict',
      { wrong: 2, examples: ['200 for urn:cold:1'] },
      ['2 wrong verdicts, such as 200 for urn:cold:1'],
    ],
    ['is a request without an answer', { unanswered: 1 }, ['1 requests without an answer']],
    ['is a breaker that is not open', breakerWith({ isOpen: [true, false] }), ['the breaker is not open']],
    ['is a breaker that opens late', breakerWith({ attemptsToOpen: 9 }), ['the breaker opened after 9 attempts']],
    [
      'is a probe that comes early',
      breakerWith({ shortestIntervalSeconds: 23.9 }),
      ['a probe came after 23.9 seconds'],
    ],
    ['is no probe that does not come', breakerWith({ probes: 0, shortestIntervalSeconds: null }), []],
    [
      'is a death that nobody is told of',
      { health: { normal: 'ok', dead: ['ok', 'degraded'] } },
      ['health is ok while the responder lives, and then ok, degraded'],
    ],
    ['is a cached verdict that takes longer', { cached: cachedIn(1.21) }, ['cached verdicts take 1.21 times as long']],
    ['is none where the whole machine became slower', { cached: cachedIn(2.4), machine: slowMachine }, []],
    [
      'is what takes longer still',
      { cached: cachedIn(2.6), machine: slowMachine },
      ['cached verdicts take 1.30 times as long'],
    ],
    ['is none where quiet windows are as they were', { cached: cachedIn(2.6, 1.2) }, []],
    ['is a run in which nothing was measured', { cached: cachedIn(NaN) }, ['cached verdicts take NaN times as long']],
  ])('%s', (_, changed, faults) => {
    const report = { ...good, ...changed };
    expect(faultsOf(report)).toEqual(faults);
    expect(describeReport(report).match(/FAULT/g)?.length ?? 0).toBe(faults.length);
  });
});

describe('how long answers take', () => {
  const asked = (count: number, at: number, ms: number): readonly Sample[] =>
    Array.from({ length: count }, () => ({ at, ms }));

  it('is the median of the windows: one that the machine spoils does not count', () => {
    const samples = [...asked(100, 0, 1), ...asked(100, 10, 50), ...asked(98, 20, 1), ...asked(2, 29, 3)];
    expect(latencyIn({ from: 0, until: 30 }, samples, 3)).toEqual({ p50Ms: 1, p99Ms: 3, quietP99Ms: 1 });
  });

  it('leaves out what was asked before or after', () => {
    const samples = [...asked(10, -1, 9), ...asked(10, 0, 1), ...asked(10, 10, 9)];
    expect(latencyIn({ from: 0, until: 10 }, samples, 1)).toEqual({ p50Ms: 1, p99Ms: 1, quietP99Ms: 1 });
  });

  it.each([
    [[3, 1, 2], 0.5, 2],
    [[4, 1, 2, 3], 0.5, 2],
    [[3, 1, 2], 0.99, 3],
    [[7], 0.5, 7],
    [[], 0.5, NaN],
  ])('%j: the value at %d is %d', (values, share, value) => {
    expect(quantile(values, share)).toBe(value);
  });
});

describe('npm run test:revocation-load', () => {
  it.each([
    [['--seconds', '11'], '--seconds takes a number from 12 to 600.'],
    [['--seconds', '601'], '--seconds takes a number from 12 to 600.'],
    [['--seconds', 'ten'], '--seconds takes a number from 12 to 600.'],
    [['--minutes', '1'], "Unknown option '--minutes'"],
  ])(
    'exits with 2 for %j',
    (args, message) => {
      const onSources = ['--import', 'tsx', '--conditions=@peercert/source'];
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [...onSources, 'test/revocation-load/run.ts', ...args],
        { cwd: root, encoding: 'utf8' },
      );
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
      expect(stderr).toContain(message);
      expect(stderr).toContain('npm run test:revocation-load -- [--seconds 60] [--json]');
    },
    30_000,
  );
});
