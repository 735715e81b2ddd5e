import type { Random } from './random';

const mutations: Readonly<Record<string, (random: Random, bytes: Buffer, at: number) => Buffer>> = {
  flip: (random, bytes, at) => {
    const copy = Buffer.from(bytes);
    copy[at] = copy.readUInt8(at) ^ (1 << random.below(8));
    return copy;
  },
  overwrite: (random, bytes, at) => {
    const copy = Buffer.from(bytes);
    copy[at] = random.pick([0x00, 0x7f, 0x80, 0xff, random.below(256)]);
    return copy;
  },
  insert: (random, bytes, at) => splice(bytes, at, 0, random.bytes(1 + random.below(3))),
  delete: (random, bytes, at) => splice(bytes, at, 1 + random.below(3), Buffer.alloc(0)),
  duplicate: (random, bytes, at) => splice(bytes, at, 0, bytes.subarray(at, at + 1 + random.below(16))),
  truncate: (_, bytes, at) => bytes.subarray(0, at),
  append: (random, bytes) => Buffer.concat([bytes, random.bytes(1 + random.below(4))]),
};

/** Changes bytes in one place, whatever they mean. */
export function mutateBytes(random: Random, bytes: Buffer): { bytes: Buffer; log: string } {
  const [name, mutation] = random.pick(Object.entries(mutations));
  const at = random.below(bytes.length);
  return { bytes: Buffer.from(mutation(random, bytes, at)), log: `bytes ${name} at ${at}` };
}

function splice(bytes: Buffer, at: number, count: number, inserted: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + count)]);
}
