import { type Entity, type Hierarchy, type Minted, mintEntity } from './hierarchy';
import { mutateBytes } from './mutate-bytes';
import { mutateExtensions } from './mutate-extensions';
import { mutateFields } from './mutate-fields';
import { mutateTree } from './mutate-tree';
import type { Random } from './random';
import { encodeTree, parseTree } from './tree';

export interface MutatedEntity {
  /** Issued with what was changed; what it issues in turn has its new name. */
  readonly entity: Entity;
  /** The certificate: not always what issuing `entity` gives. */
  readonly der: Buffer;
  readonly log: readonly string[];
}

/** Changes one certificate of a hierarchy: its fields, its structure before it is signed, or its bytes. */
export function mutateCertificate(random: Random, entity: Entity, hierarchy: Hierarchy, minted: Minted): MutatedEntity {
  const log: string[] = [];
  let changed = entity;
  const fieldChanges = random.pick([0, 1, 1, 1, 2]);
  for (let count = 0; count < fieldChanges; count++) {
    const mutated = mutateFields(random, changed, hierarchy);
    changed = mutated.entity;
    log.push(mutated.log);
  }
  let { der } = mintEntity(changed, minted);
  const tbs = tbsOf(der);
  if (tbs !== undefined && (fieldChanges === 0 || random.chance(0.1))) {
    const mutation = random.pick([mutateTree, mutateTree, mutateExtensions, mutateExtensions, mutateBytes]);
    const mutated = mutation(random, tbs);
    log.push(`signed ${mutated.log}`);
    const raw = { ...changed.fields.raw, tbsCertificate: mutated.bytes };
    ({ der } = mintEntity({ ...changed, fields: { ...changed.fields, raw } }, minted));
  }
  if (random.chance(0.12)) {
    const mutated = random.chance(0.5) ? mutateBytes(random, der) : mutateTree(random, der);
    log.push(mutated.log);
    der = mutated.bytes;
  }
  return { entity: changed, der, log: log.map((line) => `${entity.name}: ${line}`) };
}

/** Undefined where what was changed before leaves no DER. */
function tbsOf(der: Buffer): Buffer | undefined {
  const [tbs] = parseTree(der).children ?? [];
  return tbs === undefined ? undefined : encodeTree(tbs);
}
