import { mintPopulation } from './clients';
import { coldClientsIn, standing } from './load';
import type { PolicyReport } from './report';
import { durationOf, type PolicyRun, runPolicy } from './run-policy';

/** Both policies, each with the responder's deaths in another order: whether it hangs or refuses, it may do so first. */
export function runsOf(seconds: number): readonly PolicyRun[] {
  const common = { seconds, requestsPerSecond: 500 };
  return [
    { ...common, policy: 'reject', deaths: ['refusing', 'hanging'] },
    { ...common, policy: 'accept', deaths: ['hanging', 'refusing'] },
  ];
}

/** Time that is in no phase: deaths, and answers that are waited for. */
const spareSeconds = 10;

/** One run after the other. They share nothing but certificates: each has an origin of its own. */
export async function* runPolicies(runs: readonly PolicyRun[]): AsyncGenerator<PolicyReport> {
  const cold = runs.map(({ seconds, requestsPerSecond }) =>
    coldClientsIn(durationOf(seconds) + spareSeconds, requestsPerSecond),
  );
  const population = mintPopulation({ ...standing, cold: Math.max(...cold) });
  for (const run of runs) yield await runPolicy(run, population);
}
