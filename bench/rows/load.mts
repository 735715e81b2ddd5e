import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { sep } from 'node:path';
import { alternateRounds } from '../measure.mjs';
import type { Row } from '../row.mjs';

const rounds = 15;
const resolvePath = createRequire(import.meta.url).resolve;

/** Milliseconds until a fresh process has loaded modules. */
async function loadTime(...modules: readonly string[]): Promise<number> {
  const paths = modules.map((name) => resolvePath(name));
  const script = `const started = performance.now();
    for (const path of ${JSON.stringify(paths)}) require(path);
    console.log(performance.now() - started);`;
  return Number(execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' }));
}

export const load: readonly Row[] = [
  {
    id: 'load.core',
    what: 'time to load @peercert/core in a fresh process',
    other: 'time to load @peculiar/x509',
    target: 0.5,
    better: 'lower',
    unit: 'ms',
    measure() {
      if (!resolvePath('@peercert/core').includes(`${sep}dist${sep}`)) throw new Error('core is not loaded as built');
      // @peculiar/x509 does not load without the polyfill.
      return alternateRounds(
        rounds,
        () => loadTime('@peercert/core'),
        () => loadTime('reflect-metadata', '@peculiar/x509'),
      );
    },
  },
];
