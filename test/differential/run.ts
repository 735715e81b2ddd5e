// npm run differential -- [--cases N] [--seed N] [--out FOLDER] [--max-findings N] [--json]: changes certificates of
// good chains and compares peercert's verdict with OpenSSL's, and what it reads with what other decoders read. Exits 1
// for a disagreement that expected.json does not explain, with the case in a folder; 2 without OpenSSL.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runDifferential } from './differential';
import { opensslVersion } from './openssl';
import { saveCase } from './save-case';
import { tableOf } from './tally';

const progressEvery = 5_000;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      cases: { type: 'string', default: '2000' },
      seed: { type: 'string', default: '1' },
      out: { type: 'string' },
      'max-findings': { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
    },
  });
  const version = await opensslVersion();
  if (version === undefined) {
    console.error('THERE IS NO openssl ON THE PATH: nothing was compared.');
    return 2;
  }
  console.error(`${version}, Node ${process.version}, seed ${values.seed}`);
  const started = performance.now();
  let reported = 0;
  const { tally, found } = await runDifferential({
    cases: numberOf(values.cases, '--cases'),
    seed: numberOf(values.seed, '--seed'),
    maxFindings: numberOf(values['max-findings'], '--max-findings'),
    onProgress: ({ cases }) => {
      if (cases < reported + progressEvery) return;
      reported = cases;
      console.error(`${cases} cases, ${rate(cases, started)} cases a second`);
    },
  });
  console.log(values.json ? JSON.stringify({ ...tally, findings: found.length }, null, 2) : tableOf(tally));
  console.error(`${rate(tally.cases, started)} cases a second`);
  if (found.length === 0) return 0;
  const folder = values.out === undefined ? mkdtempSync(join(tmpdir(), 'peercert-findings-')) : resolve(values.out);
  for (const [index, judged] of found.entries()) saveCase(join(folder, `finding-${index + 1}`), judged);
  console.error(`FAULT ${found.length} unexplained: see ${folder}`);
  return 1;
}

function numberOf(text: string, option: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new TypeError(`${option} takes a number`);
  return Number(text);
}

function rate(cases: number, started: number): string {
  return ((cases * 1000) / (performance.now() - started)).toFixed(0);
}

void main().then((exitCode) => {
  process.exitCode = exitCode;
});
