import { setTimeout } from 'node:timers/promises';

/** Memory when all that can be given back is given back. Needs --expose-gc. */
export async function settledMemory(): Promise<NodeJS.MemoryUsage> {
  for (let turn = 0; turn < 5; turn++) {
    (globalThis as unknown as { gc: () => void }).gc();
    await setTimeout(50);
  }
  return process.memoryUsage();
}
