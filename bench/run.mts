// npm run bench: what peercert costs, beside what it is compared with. docs/performance.md says how to add a row.
import { readAccepted } from './accepted.mjs';
import { writeDocumentation } from './documentation.mjs';
import { measureGrowth } from './growth.mjs';
import { parseOptions } from './options.mjs';
import { cellsOf, headings, markOf } from './report.mjs';
import type { Result } from './row.mjs';
import { rows } from './rows/index.mjs';

const usage = 'npm run bench -- [--json] [--only ID[,ID]] [--write]';
const widths = [24, 14, 14, 8, 9];

function readOptions(): ReturnType<typeof parseOptions> {
  try {
    return parseOptions(
      process.argv.slice(2),
      rows.map(({ id }) => id),
    );
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error(`${error.message}\n${usage}`);
    return process.exit(2);
  }
}

function printLine(cells: readonly string[]): void {
  if (!options.json) console.log(cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' '));
}

const options = readOptions();
const accepted = readAccepted();
const results: Result[] = [];
printLine(headings);
for (const row of rows) {
  if (options.only?.includes(row.id) === false) continue;
  const result = { row, ...(await row.measure()) };
  results.push(result);
  printLine(cellsOf(result, accepted));
}
if (options.json) {
  const list = results.map(({ row: { id, target, unit }, ours, other, ratio }) => {
    return { id, ours, other, ratio, target, unit };
  });
  console.log(JSON.stringify(list, null, 2));
}
if (options.write) await writeDocumentation(results, accepted, await measureGrowth());
if (results.some((result) => markOf(result, accepted) === 'MISSED')) process.exitCode = 1;
