import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MemoryInput } from './memory-child.mjs';
import type { RetainedInput } from './retained-child.mjs';

/** The young generation has one size from start to end: it would grow with the traffic, and pass for what is kept. */
const execArgv = ['--expose-gc', '--min-semi-space-size=16', '--max-semi-space-size=16'];

/** Octets that a process of its own finds out. */
export async function octetsBy(
  ...[name, input]: ['memory-child', MemoryInput] | ['retained-child', RetainedInput]
): Promise<number> {
  const child = fork(fileURLToPath(new URL(`./${name}.mjs`, import.meta.url)), { execArgv, stdio: 'inherit' });
  child.send(input);
  const [[octets]] = (await Promise.all([once(child, 'message'), once(child, 'exit')])) as [[number], unknown];
  return octets;
}

/** Does something with a folder that is gone afterwards. */
export async function inFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'peercert-bench-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
