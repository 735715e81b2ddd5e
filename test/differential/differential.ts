import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Group } from './case';
import { makeGroups } from './cases';
import { compareGroup, type Judge, type Judged } from './compare';
import type { Hierarchy } from './hierarchy';
import { Random } from './random';
import { seedHierarchies } from './seeds';
import { count, newTally, type Tally } from './tally';

export interface RunOptions {
  readonly cases: number;
  readonly seed: number;
  /** Default: all, minted anew. */
  readonly hierarchies?: readonly Hierarchy[];
  /** Stands in for peercert. */
  readonly judge?: Judge;
  /** Findings after which a run stops. Default 1. */
  readonly maxFindings?: number;
  readonly onProgress?: (tally: Tally) => void;
}

export interface RunResult {
  readonly tally: Tally;
  /** Cases with findings. */
  readonly found: readonly Judged[];
}

/** Groups judged at once: OpenSSL's processes run beside this one. */
const concurrency = 3;

/** Makes cases, has them judged by everybody, and compares, until there are enough or something was found. */
export async function runDifferential(options: RunOptions): Promise<RunResult> {
  const { cases, seed, hierarchies = seedHierarchies(), judge, maxFindings = 1, onProgress } = options;
  const folder = mkdtempSync(join(tmpdir(), 'peercert-differential-'));
  const groups = makeGroups(new Random(seed), hierarchies);
  const tally = newTally();
  const found: Judged[] = [];
  let made = 0;
  const next = (): Group | undefined => {
    if (made >= cases || found.length >= maxFindings) return undefined;
    const { setting, cases: all } = groups.next().value;
    const wanted = all.slice(0, cases - made);
    made += wanted.length;
    return { setting, cases: wanted };
  };
  const work = async (_: unknown, worker: number): Promise<void> => {
    const place = join(folder, String(worker));
    mkdirSync(place);
    for (let group = next(); group !== undefined; group = next()) {
      for (const judged of await compareGroup(group, place, judge)) {
        count(tally, judged);
        if (judged.findings.length > 0) found.push(judged);
      }
      onProgress?.(tally);
    }
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, work));
    return { tally, found };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
