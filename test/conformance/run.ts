// npm run conformance -- FOLDER: holds peercert to public suites that live outside this repository. Prints for each suite
// and tier how many cases agree, then each divergence with its reason from divergences.json. Exits 1 for a divergence that
// is not listed, a listed one that agrees after all, a false accept, or a case that takes longer than two seconds.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { CaseResult } from './case-result';
import { runLimbo } from './limbo';
import { runOpensslOcsp } from './openssl-ocsp';
import { runPkits } from './pkits';
import { runRfc9440 } from './rfc9440';
import { runStructuredFields } from './structured-fields';

interface Divergence {
  readonly suite: string;
  readonly id: string;
  readonly reason: string;
}

const suites: Readonly<Record<string, (folder: string) => Promise<readonly CaseResult[]>>> = {
  limbo: runLimbo,
  pkits: runPkits,
  'openssl-ocsp': runOpensslOcsp,
  'structured-fields': runStructuredFields,
  rfc9440: runRfc9440,
};

const maxDurationMs = 2_000;

function isWrong({ expected, actual, sameResult }: CaseResult): boolean {
  return expected !== actual || sameResult === false;
}

function isFalseAccept({ expected, actual }: CaseResult): boolean {
  return expected === 'reject' && actual === 'accept';
}

function printTiers(suite: string, results: readonly CaseResult[]): void {
  for (const tier of new Set(results.map((result) => result.tier))) {
    const cases = results.filter((result) => result.tier === tier);
    const claimed = cases.filter(({ notClaimed }) => notClaimed === undefined);
    const wrong = claimed.filter(isWrong);
    const falseAccepts = wrong.filter(isFalseAccept).length;
    const slow = claimed.filter(({ duration }) => duration > maxDurationMs).length;
    const slowest = Math.max(0, ...claimed.map(({ duration }) => duration)).toFixed(0);
    console.log(
      `${suite.padEnd(18)}${tier.padEnd(14)}${String(claimed.length).padStart(4)} cases` +
        `${String(claimed.length - wrong.length).padStart(5)} agree${String(falseAccepts).padStart(4)} false accepts` +
        `${String(wrong.length - falseAccepts).padStart(4)} false rejects${String(slow).padStart(3)} over time` +
        `  slowest ${slowest} ms  ${cases.length - claimed.length} not claimed`,
    );
  }
}

async function main(folder: string | undefined): Promise<number> {
  if (folder === undefined || !existsSync(folder)) {
    console.error(`usage: npm run conformance -- FOLDER, a folder with the suites ${Object.keys(suites).join(', ')}`);
    return 2;
  }
  const listed = JSON.parse(readFileSync(join(__dirname, 'divergences.json'), 'utf8')) as Divergence[];
  const faults: string[] = [];
  const explained: string[] = [];
  for (const [suite, run] of Object.entries(suites)) {
    const suiteFolder = join(resolve(folder), suite);
    if (!existsSync(suiteFolder)) {
      faults.push(`${suite}: not in ${folder}`);
      continue;
    }
    const results = await run(suiteFolder);
    if (results.length === 0) faults.push(`${suite}: no case`);
    printTiers(suite, results);
    for (const result of results.filter(({ notClaimed }) => notClaimed === undefined)) {
      const { id, tier, expected, actual, code, duration } = result;
      const divergence = listed.find((one) => one.suite === suite && one.id === id);
      const what = `${suite} ${tier} ${id}: expected ${expected}, got ${actual}${code === undefined ? '' : ` (${code})`}`;
      if (duration > maxDurationMs) faults.push(`${what}: took ${duration.toFixed(0)} ms`);
      if (!isWrong(result)) {
        if (divergence !== undefined) faults.push(`${what}: listed as a divergence, and agrees`);
      } else if (divergence === undefined || (isFalseAccept(result) && tier === 'core')) faults.push(what);
      else explained.push(`${what}: ${divergence.reason}`);
    }
  }
  for (const line of explained) console.log(`divergence: ${line}`);
  for (const fault of faults) console.error(`FAULT ${fault}`);
  console.log(faults.length === 0 ? 'as expected' : `${faults.length} faults`);
  return faults.length === 0 ? 0 : 1;
}

void main(process.argv[2]).then((exitCode) => {
  process.exitCode = exitCode;
});
