// Lists every hostile input that docs/hostile-inputs.md claims, with the tests that cite it, after running them.
// Exits 1 when a claimed row has no test, or one that did not pass.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const page = readFileSync(join(root, 'docs/hostile-inputs.md'), 'utf8');
const claimed = [...page.matchAll(/^\| ([A-Z]{2}-\d{2}) \|/gm)].map(([, id]) => id);

/** `DR-01`, and every row of `DR-01 to DR-09`. */
function citedIn(title) {
  const cited = new Set(title.match(/\b[A-Z]{2}-\d{2}\b/g));
  for (const [, prefix, first, last] of title.matchAll(/\b([A-Z]{2})-(\d{2}) to \1-(\d{2})\b/g)) {
    for (let row = Number(first); row <= Number(last); row++) cited.add(`${prefix}-${String(row).padStart(2, '0')}`);
  }
  return cited;
}

const folder = mkdtempSync(join(tmpdir(), 'peercert-rows-'));
const report = join(folder, 'jest.json');
const jest = join(root, 'node_modules/jest/bin/jest.js');
spawnSync(process.execPath, [jest, '--json', '--silent', `--outputFile=${report}`], { cwd: root, stdio: 'ignore' });
const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
rmSync(folder, { recursive: true });

/** @type {Map<string, { file: string; fullName: string; status: string }[]>} */
const tests = new Map(claimed.map((id) => [id, []]));
for (const { name: file, assertionResults } of testResults) {
  for (const { fullName, status } of assertionResults) {
    for (const id of citedIn(fullName)) tests.get(id)?.push({ file: relative(root, file), fullName, status });
  }
}

const faults = [];
for (const [id, citing] of tests) {
  if (citing.length === 0) faults.push(`${id} has no test`);
  for (const { fullName, status } of citing) if (status !== 'passed') faults.push(`${id}: ${status}: ${fullName}`);
  const files = [...new Set(citing.map(({ file }) => file))].join(', ');
  console.log(`${id}  ${String(citing.length).padStart(3)} ${citing.length === 1 ? 'test ' : 'tests'}  ${files}`);
  if (process.argv.includes('--titles')) for (const { fullName } of citing) console.log(`         ${fullName}`);
}
if (claimed.length === 0) faults.push('docs/hostile-inputs.md claims no row');
for (const fault of faults) console.error(fault);
console.log(`${tests.size - new Set(faults.map((fault) => fault.slice(0, 5))).size} of ${tests.size} rows tested`);
process.exitCode = faults.length === 0 ? 0 : 1;
