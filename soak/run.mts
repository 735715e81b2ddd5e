// npm run soak: stores of every kind are swapped under load, at every framework, and every answer is held against them.
import { parseOptions } from './options.mjs';
import { soak } from './soak.mjs';

const usage = 'npm run soak -- [--minutes 5] [--json] [--lie]';
/** Kilobytes per minute. */
const maxSlope = 1_000;
/** Minutes before which memory says nothing: code is compiled, the heap finds its size. */
const minutesToJudgeMemory = 1;

function readOptions(): ReturnType<typeof parseOptions> {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error(`${error.message}\n${usage}`);
    return process.exit(2);
  }
}

const options = readOptions();
const result = await soak(options);
const { requests, swaps, wrong, unhandled, rssSlopeKbPerMinute, handles } = result;
if (options.json) console.log(JSON.stringify(result));
else {
  console.log(
    `${requests} requests while stores were swapped ${swaps} times: ${wrong} wrong, ${unhandled} unhandled errors`,
  );
  console.log(`resident memory grew by ${rssSlopeKbPerMinute} KB per minute; ${handles} handles were left open`);
}
const judgesMemory = options.minutes >= minutesToJudgeMemory;
if (!judgesMemory) console.error('Too short a run to judge memory by.');
const isGood = wrong === 0 && unhandled === 0 && handles === 0 && (!judgesMemory || rssSlopeKbPerMinute < maxSlope);
process.exitCode = isGood ? 0 : 1;
