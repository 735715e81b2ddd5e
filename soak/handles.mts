import { setTimeout } from 'node:timers/promises';

/** How many handles are open, by kind. */
export type Handles = ReadonlyMap<string, number>;

/** How long what was closed may take to be gone, in milliseconds. */
const closingMs = 5_000;

/** A handle of libuv, as a diagnostic report has it. */
interface UvHandle {
  readonly type: string;
  readonly is_active: boolean;
  readonly is_referenced: boolean;
}

/** Kinds of handles that are somebody's own. The others are Node's. */
const ownKinds: ReadonlySet<string> = new Set(['fs_event', 'fs_poll', 'pipe', 'process', 'tcp', 'udp']);

/** What keeps the process alive, and what is open without keeping it alive, as watched folders are. */
export function openHandles(): Handles {
  // Made when first asked for, and no handles of ours.
  void [process.stdin, process.stdout, process.stderr];
  const { libuv } = process.report.getReport() as unknown as { readonly libuv: readonly UvHandle[] };
  const unreferenced = libuv.filter((handle) => handle.is_active && !handle.is_referenced && ownKinds.has(handle.type));
  const counts = new Map<string, number>();
  for (const kind of [...process.getActiveResourcesInfo(), ...unreferenced.map(({ type }) => type)]) {
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

/** How many more there are than before, once what was closed has had time to go. */
export async function handlesLeft(before: Handles): Promise<number> {
  const until = performance.now() + closingMs;
  for (;;) {
    const left = [...openHandles()].map(([kind, count]) => ({ kind, more: count - (before.get(kind) ?? 0) }));
    const open = left.filter(({ more }) => more > 0);
    if (open.length === 0) return 0;
    if (performance.now() > until) {
      console.error('still open:', open.map(({ kind, more }) => `${more} ${kind}`).join(', '));
      return open.reduce((sum, { more }) => sum + more, 0);
    }
    await setTimeout(50);
  }
}
