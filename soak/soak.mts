import { setTimeout } from 'node:timers/promises';
import { createCases } from './cases.mjs';
import { handlesLeft, openHandles } from './handles.mjs';
import { startLoad } from './load.mjs';
import { MemoryWatch } from './memory.mjs';
import type { SoakOptions } from './options.mjs';
import { Oracle } from './oracle.mjs';
import { closeServer, portsOf, startOrigins } from './servers.mjs';
import { loadedStore, ownStore, watchedStore } from './stores.mjs';

/** What a soak comes to. */
export interface SoakResult {
  readonly requests: number;
  /** Stores that took the place of another. */
  readonly swaps: number;
  /** Answers that no store gives that was in use while the request was under way, or about somebody else; missing answers. */
  readonly wrong: number;
  /** Exceptions and rejections that nobody handled. */
  readonly unhandled: number;
  /** Growth of resident memory, after the first minute or the first half of a run of less than two. */
  readonly rssSlopeKbPerMinute: number;
  /** What is still open when everything is closed. */
  readonly handles: number;
}

const swapMs = 200;

/** Has trust stores swapped under load, and closes everything. */
export async function soak({ minutes, lie }: SoakOptions): Promise<SoakResult> {
  const before = openHandles();
  let unhandled = 0;
  const count = (error: unknown): void => {
    unhandled++;
    console.error(error);
  };
  process.on('unhandledRejection', count).on('uncaughtException', count);

  const { roots, edgeRoots, edgeName, cases, server: tls, edge, foreignEdge } = createCases();
  const edges = ownStore(edgeRoots[0], [edgeRoots[1], edgeRoots[2]]);
  const stores = {
    '/watched': watchedStore(roots),
    '/loaded': await loadedStore(roots),
    '/own': ownStore(roots.A, [roots.B, roots.C]),
  };
  const swapping = [...Object.values(stores), edges];
  const oracle = new Oracle([...cases.honest, ...cases.hostile], stores);
  edges.onSwapped(() => oracle.swaps++);
  const trust = Object.fromEntries(Object.entries(stores).map(([path, { provider }]) => [path, provider]));
  const servers = await startOrigins({ trust, edge: { trust: edges.provider, dnsName: edgeName }, tls, lie }, oracle);
  const stopLoad = await startLoad({
    ports: portsOf(servers),
    paths: Object.keys(stores),
    ...cases,
    edge,
    foreignEdge,
  });
  const timer = setInterval(() => {
    for (const store of swapping) store.swap();
  }, swapMs);
  const memory = new MemoryWatch(Math.min(5_000, Math.max(1_000, (minutes * 60_000) / 40)));

  await setTimeout(minutes * 60_000);

  memory.stop();
  const { requests, wrong, unhandled: unhandledByLoad } = await stopLoad();
  clearInterval(timer);
  await Promise.all(servers.map(closeServer));
  for (const store of swapping) await store.close();
  const handles = await handlesLeft(before);
  process.off('unhandledRejection', count).off('uncaughtException', count);
  return {
    requests,
    swaps: oracle.swaps,
    wrong: wrong + oracle.wrong,
    unhandled: unhandled + unhandledByLoad,
    rssSlopeKbPerMinute: Math.round(memory.slopeFrom(Math.min(1, minutes / 2))),
    handles,
  };
}
