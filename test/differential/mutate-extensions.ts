import { der } from '@peercert/testkit';
import type { Random } from './random';
import { encodeTree, parseTree, type TreeNode } from './tree';

type ListMutation = (random: Random, list: TreeNode[]) => TreeNode[];

/** Changes the list of extensions of a TBSCertificate. Without extensions nothing changes. */
export function mutateExtensions(random: Random, tbs: Buffer): { bytes: Buffer; log: string } {
  const tree = parseTree(tbs);
  const list = tree.children?.find(({ tag }) => tag === 0xa3)?.children?.[0];
  const [name, mutation] = random.pick(Object.entries(mutations));
  if (list?.children !== undefined) list.children = mutation(random, list.children);
  return { bytes: encodeTree(tree), log: `extensions ${name}` };
}

const mutations: Readonly<Record<string, ListMutation>> = {
  reordered: (random, list) => random.shuffled(list),
  'one repeated': (random, list) => [...list, random.pick(list)],
  'one dropped': (random, list) => {
    const dropped = random.pick(list);
    return list.filter((extension) => extension !== dropped);
  },
  'one of criticality': (random, list) => {
    const changed = random.pick(list);
    const critical = random.pick([[], [der.boolean(true)], [der.boolean(false)], [der.boolean(1)]]).map(parseTree);
    const parts = changed.children ?? [];
    changed.children = [...parts.slice(0, 1), ...critical, ...parts.slice(-1)];
    return list;
  },
  'values exchanged': (random, list) => {
    const [one, other] = [random.pick(list), random.pick(list)];
    const [type, otherType] = [one.children?.[0], other.children?.[0]];
    if (one.children !== undefined && otherType !== undefined) one.children[0] = otherType;
    if (other.children !== undefined && type !== undefined) other.children[0] = type;
    return list;
  },
  'a value emptied': (random, list) => {
    const value = random.pick(list).children?.at(-1);
    if (value !== undefined) value.children = [];
    return list;
  },
};
