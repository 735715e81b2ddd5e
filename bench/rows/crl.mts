// oxlint-disable-next-line import/no-unassigned-import -- a polyfill that @peculiar/x509 does not load without
import 'reflect-metadata';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { X509Crl } from '@peculiar/x509';
import { inFolder, octetsBy } from '../children.mjs';
import { Certificate, Crl, verifyInSlices } from '../core.mjs';
import { crlIssuer, crlWith } from '../crls.mjs';
import { alternateRounds, elapsed, longestStall, type Task, timerOf } from '../measure.mjs';
import type { Row } from '../row.mjs';
import { rotate } from '../tasks.mjs';

const sizes = [
  { name: '1k', count: 1_000, rounds: 25 },
  { name: '100k', count: 100_000, rounds: 9 },
  { name: '1m', count: 1_000_000, rounds: 3 },
] as const;
const million = 1_000_000;
/** Of the CRL that a process loads again and again before its memory is measured. */
const warmUpEntries = 10_000;

/** What a look-up may take, in microseconds, and a block of the event loop, in milliseconds. */
const [mostForFind, mostForBlock] = [2, 50] as const;
const findRounds = 9;
const blockRounds = 5;

export async function decode(der: Buffer, count: number): Promise<Crl> {
  const crl = await Crl.decodeInSlices(der);
  if (crl.entryCount !== count) throw new Error(`the benchmark expects ${count} entries`);
  return crl;
}

/** As a server in service decodes: with compiled code. */
async function warmUp(): Promise<void> {
  const { count, rounds } = sizes[0];
  for (let round = 0; round < rounds * 4; round++) await decode(crlWith(count).der, count);
}

/** Looks for serial numbers of which every other one is in the list. */
export function findTask(crl: Crl, questions: readonly Buffer[]): Task<() => boolean> {
  const isListed = questions.map((serial, index) => ({ serial, listed: index % 2 === 0 }));
  return {
    next: rotate(
      isListed.map(
        ({ serial, listed }) =>
          () =>
            (crl.find(serial) !== undefined) === listed,
      ),
    ),
    run(isRight) {
      if (!isRight()) throw new Error('the benchmark expects every other serial number to be listed');
    },
  };
}

const parse: readonly Row[] = sizes.map(({ name, count, rounds }) => ({
  id: `crl.parse.${name}`,
  what: `Crl.decodeInSlices, ${count.toLocaleString('en-US')} entries`,
  other: 'openssl crl -inform DER -noout, the start of its process included',
  target: null,
  better: 'lower',
  unit: 'ms',
  measure: () =>
    inFolder(async (folder) => {
      const { der } = crlWith(count);
      const path = join(folder, 'list.crl');
      writeFileSync(path, der);
      await warmUp();
      return alternateRounds(
        rounds,
        () => elapsed(() => decode(der, count)),
        () => elapsed(() => execFileSync('openssl', ['crl', '-inform', 'DER', '-noout', '-in', path])),
      );
    }),
}));

const peer: Row = {
  id: 'crl.parse.1k.peculiar-x509',
  what: 'Crl.decodeInSlices, 1,000 entries',
  other: 'X509Crl of @peculiar/x509 and its entries; it refuses a CRL of 100,000',
  target: null,
  better: 'lower',
  unit: 'ms',
  async measure() {
    const [{ count, rounds }, { count: refused }] = sizes;
    const { der } = crlWith(count);
    const readAll = (octets: Buffer): number => new X509Crl(octets).entries.length;
    if (!throws(() => readAll(crlWith(refused).der)))
      throw new Error('@peculiar/x509 does not refuse large CRLs any more');
    const other = (): Promise<number> =>
      elapsed(() => {
        if (readAll(der) !== count) throw new Error(`the benchmark expects ${count} entries of @peculiar/x509`);
      });
    await warmUp();
    for (let round = 0; round < rounds; round++) await other();
    return alternateRounds(rounds, () => elapsed(() => decode(der, count)), other);
  },
};

function throws(work: () => unknown): boolean {
  try {
    work();
    return false;
  } catch {
    return true;
  }
}

const block: Row = {
  id: 'crl.block.1m',
  what: 'longest event-loop stall while a CRL of 1,000,000 entries is decoded and its P-256 signature verified',
  other: `${mostForBlock} ms, which is what it may take`,
  target: 1,
  better: 'lower',
  unit: 'ms',
  async measure() {
    const { der } = crlWith(million);
    const issuer = Certificate.copyOf(crlIssuer.der);
    const judge = async (): Promise<void> => {
      const crl = await decode(der, million);
      if (!(await verifyInSlices(crl, issuer))) throw new Error('the benchmark expects a good signature');
    };
    await warmUp();
    return alternateRounds(
      blockRounds,
      () => longestStall(judge),
      async () => mostForBlock,
    );
  },
};

const memory: Row = {
  id: 'crl.memory.1m',
  what: 'memory in use for a CRL of 1,000,000 entries, by crlFiles',
  other: 'its DER',
  target: 2,
  better: 'lower',
  unit: 'MB',
  measure: () =>
    inFolder(async (folder) => {
      const [path, warmUpPath] = [join(folder, 'list.crl'), join(folder, 'short.crl')];
      const { der } = crlWith(million);
      writeFileSync(path, der);
      writeFileSync(warmUpPath, crlWith(warmUpEntries).der);
      const ours = await octetsBy('retained-child', { kind: 'crl', path, warmUpPath });
      return { ours: ours / 1e6, other: der.length / 1e6, ratio: ours / der.length };
    }),
};

const find: readonly Row[] = sizes.map(({ name, count }) => ({
  id: `crl.find.${name}`,
  what: `look-up of a serial number among ${count.toLocaleString('en-US')} entries, hits and misses in turn`,
  other: `${mostForFind} µs, which is what it may take`,
  target: 1,
  better: 'lower',
  unit: 'µs',
  async measure() {
    const { der, questions } = crlWith(count);
    const time = await timerOf(findTask(await decode(der, count), questions));
    return alternateRounds(findRounds, time, async () => mostForFind);
  },
}));

export const crl: readonly Row[] = [...parse, peer, block, memory, ...find];
