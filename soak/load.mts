import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LoadInput, LoadResult } from './load-child.mjs';

/** Starts to send requests. What it answers with stops that, and says what came of it when the process of the load is gone. */
export async function startLoad(input: LoadInput): Promise<() => Promise<LoadResult>> {
  // Beside this file, as TypeScript or built from it.
  const child = fork(fileURLToPath(import.meta.url).replace(/load(\.m[jt]s)$/, 'load-child$1'), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  await once(child, 'message');
  child.send(input);
  return async () => {
    const [answered, gone] = [once(child, 'message'), once(child, 'exit')];
    child.send('stop');
    const [result] = (await Promise.race([answered, gone])) as [LoadResult | number | null];
    if (result === null || typeof result === 'number') throw new Error('The load ended before it was told to.');
    await gone;
    return result;
  };
}
