import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TrustStore } from '@peercert/core';
import { inFolder, octetsBy } from '../children.mjs';
import { once } from '../inputs.mjs';
import { alternateRounds, elapsed } from '../measure.mjs';
import type { Row } from '../row.mjs';
import { tenThousandAnchors } from './anchors.mjs';

const count = 10_000;
const rounds = 5;
const warmUps = 100;

/** PEM of each, as bundles have it. */
const blocks = once(() => tenThousandAnchors().map((der) => new X509Certificate(der).toString()));

export const trust: readonly Row[] = [
  {
    id: 'trust.load.10000',
    what: 'TrustStore.fromFile of a PEM bundle of 10,000 anchors',
    other: 'new X509Certificate of node:crypto for each of its blocks',
    target: null,
    better: 'lower',
    unit: 'ms',
    measure: () =>
      inFolder(async (folder) => {
        const path = join(folder, 'anchors.pem');
        writeFileSync(path, blocks().join(''));
        const ours = (): Promise<number> =>
          elapsed(() => {
            if (TrustStore.fromFile(path).size !== count) throw new Error(`the benchmark expects ${count} anchors`);
          });
        const other = (): Promise<number> => elapsed(() => blocks().map((block) => new X509Certificate(block)));
        return alternateRounds(rounds, ours, other);
      }),
  },
  {
    id: 'trust.memory.10000',
    what: 'memory in use for each anchor of a PEM bundle of 10,000, by TrustStore.fromFile',
    other: 'one byte',
    target: null,
    better: 'lower',
    unit: 'B',
    measure: () =>
      inFolder(async (folder) => {
        const [path, warmUpPath] = [join(folder, 'anchors.pem'), join(folder, 'few.pem')];
        writeFileSync(path, blocks().join(''));
        writeFileSync(warmUpPath, blocks().slice(0, warmUps).join(''));
        const ours = (await octetsBy('retained-child', { kind: 'trust', path, warmUpPath })) / count;
        return { ours, other: 1, ratio: ours };
      }),
  },
];
