// A process of its own, started by rows/crl.mts and rows/trust.mts: what a file adds to the memory in use when it was
// loaded, and stays.
import { once } from 'node:events';
import { crlFiles, TrustStore } from '@peercert/core';
import { settledMemory } from './settled-memory.mjs';

/** What the process is told. */
export interface RetainedInput {
  readonly kind: keyof typeof loaders;
  readonly path: string;
  /** A small file of the same kind, loaded a few times first and not counted: code is compiled. */
  readonly warmUpPath: string;
}

const loaders = {
  crl: (path: string): { close?(): Promise<void> } => crlFiles({ paths: path }),
  trust: (path: string): object => TrustStore.fromFile(path),
};

const warmUps = 10;

/** The heap and what lies beside it. Resident memory says less: of what is new, part fits where something else was before. */
async function octetsInUse(): Promise<number> {
  const { heapUsed, external } = await settledMemory();
  return heapUsed + external;
}

const [{ kind, path, warmUpPath }] = (await once(process, 'message')) as [RetainedInput];
const load: (path: string) => { close?(): Promise<void> } = loaders[kind];
for (let warmUp = 0; warmUp < warmUps; warmUp++) await load(warmUpPath).close?.();
const before = await octetsInUse();
const loaded = load(path);
process.send?.((await octetsInUse()) - before);
process.disconnect();
// What is still in use is not collected before it is measured.
await loaded.close?.();
