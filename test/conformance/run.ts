// npm run conformance -- FOLDER: holds peercert to public suites that live outside this repository. Prints for each suite
// how many cases agree and each one that does not; exits 1 when one does not.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runRfc9440 } from './rfc9440';
import { runStructuredFields } from './structured-fields';

/** One case of a suite: what the suite expects and what peercert did. */
export interface CaseResult {
  readonly id: string;
  readonly expected: 'accept' | 'reject';
  readonly actual: 'accept' | 'reject';
  /** Where both accept: whether the result is the same. */
  readonly sameResult?: boolean;
}

const suites: Readonly<Record<string, (folder: string) => Promise<readonly CaseResult[]>>> = {
  'structured-fields': runStructuredFields,
  rfc9440: runRfc9440,
};

async function main(folder: string | undefined): Promise<number> {
  if (folder === undefined || !existsSync(folder)) {
    console.error('usage: npm run conformance -- FOLDER, a folder with the suites structured-fields/ and rfc9440/');
    return 2;
  }
  let divergences = 0;
  for (const [name, run] of Object.entries(suites)) {
    const suiteFolder = join(resolve(folder), name);
    if (!existsSync(suiteFolder)) {
      console.error(`${name}: not in ${folder}`);
      divergences++;
      continue;
    }
    const results = await run(suiteFolder);
    const wrong = results.filter(({ expected, actual, sameResult }) => expected !== actual || sameResult === false);
    const falseAccepts = wrong.filter(({ actual, sameResult }) => actual === 'accept' && sameResult !== false);
    const falseRejects = wrong.filter(({ actual }) => actual === 'reject');
    console.log(
      `${name}: ${results.length} cases, ${results.length - wrong.length} agree, ` +
        `${falseAccepts.length} false accepts, ${falseRejects.length} false rejects`,
    );
    for (const { id, expected, actual } of wrong) console.log(`  ${id}: expected ${expected}, got ${actual}`);
    divergences += wrong.length;
    if (results.length === 0) divergences++;
  }
  return divergences === 0 ? 0 : 1;
}

void main(process.argv[2]).then((exitCode) => {
  process.exitCode = exitCode;
});
