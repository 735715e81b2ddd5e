import type { Random } from './random';
import { encodeTree, nodesOf, parseTree, type TreeNode } from './tree';
import { fourOctetsEach } from './values';

type TreeMutation = (random: Random, node: TreeNode, parent: TreeNode | undefined, all: readonly TreeNode[]) => void;

/** Changes the structure of DER in one place. */
export function mutateTree(random: Random, bytes: Buffer): { bytes: Buffer; log: string } {
  const tree = parseTree(bytes);
  const all = [...nodesOf(tree)];
  const { node, parent } = random.pick(all);
  const [name, mutation] = random.pick(Object.entries(mutations));
  const log = `tree ${name} in ${node.tag.toString(16)}`;
  mutation(
    random,
    node,
    parent,
    all.map((one) => one.node),
  );
  return { bytes: encodeTree(tree), log };
}

const strings = [0x0c, 0x12, 0x13, 0x14, 0x16, 0x1a, 0x1c, 0x1e];
const tags = [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x13, 0x17, 0x18, 0x30, 0x31, 0x80, 0x81, 0x82, 0xa0, 0xa3];

const mutations: Readonly<Record<string, TreeMutation>> = {
  delete: (_, node, parent) => siblings(parent, node, () => []),
  duplicate: (_, node, parent) => siblings(parent, node, () => [node, copyOf(node)]),
  swap: (random, _, parent) => {
    if (parent?.children !== undefined) parent.children = random.shuffled(parent.children);
  },
  'foreign element': (random, node, parent, all) => siblings(parent, node, () => [node, copyOf(random.pick(all))]),
  replace: (random, node, parent, all) => {
    const alike = all.filter(({ tag }) => tag === node.tag);
    siblings(parent, node, () => [copyOf(random.pick(alike))]);
  },
  tag: (random, node) => {
    node.tag = strings.includes(node.tag) ? random.pick(strings) : random.pick(tags);
  },
  'string type': (random, node) => {
    if (![0x0c, 0x13, 0x16].includes(node.tag)) return;
    const text = node.content.toString('utf8');
    node.tag = random.pick([0x1c, 0x1e]);
    setContent(node, node.tag === 0x1c ? fourOctetsEach(text) : Buffer.from(text, 'utf16le').swap16());
  },
  'in pieces': (_, node) => {
    const whole = copyOf(node);
    node.tag |= 0x20;
    node.children = [whole];
    node.head = Buffer.alloc(0);
  },
  'tag bit': (random, node) => {
    node.tag ^= 1 << random.below(8);
    if (node.tag === 0) node.tag = 0x20;
  },
  empty: (_, node) => setContent(node, Buffer.alloc(0)),
  'long length': (random, node) => {
    node.form = { lengthOctets: 3 + random.below(3) };
  },
  indefinite: (_, node) => {
    node.form = { indefinite: true };
  },
  'wrong length': (random, node) => {
    const length = encodeTree({ ...node, form: {}, tail: Buffer.alloc(0) }).length - 2;
    node.form = { declaredLength: Math.max(0, length + random.pick([-2, -1, 1, 2, 100])) };
  },
  tail: (random, node) => {
    node.tail = random.pick([Buffer.of(0), Buffer.of(0, 0), Buffer.of(5, 0), random.bytes(3)]);
  },
  'content bit': (random, node) => {
    const content = contentOf(node);
    if (content.length === 0) return;
    const at = random.below(content.length);
    content[at] = content.readUInt8(at) ^ (1 << random.below(8));
    setContent(node, content);
  },
  'content cut': (random, node) => {
    const content = contentOf(node);
    setContent(node, content.subarray(0, random.below(content.length + 1)));
  },
  'content longer': (random, node) => setContent(node, Buffer.concat([contentOf(node), random.bytes(1)])),
  'leading zero': (_, node) => setContent(node, Buffer.concat([Buffer.of(0), contentOf(node)])),
  'true as 1': (_, node, __, all) => {
    for (const one of [...all.filter(({ tag }) => tag === 0x01), node].slice(0, 1)) setContent(one, Buffer.of(1));
  },
  false: (_, node, __, all) => {
    for (const one of [...all.filter(({ tag }) => tag === 0x01), node].slice(0, 1)) setContent(one, Buffer.of(0));
  },
};

function siblings(parent: TreeNode | undefined, node: TreeNode, replacement: () => TreeNode[]): void {
  if (parent?.children === undefined) return;
  parent.children.splice(parent.children.indexOf(node), 1, ...replacement());
}

/** So that no element comes to hold itself. */
function copyOf(node: TreeNode): TreeNode {
  return parseTree(encodeTree(node));
}

function contentOf({ children, head, content }: TreeNode): Buffer {
  return Buffer.from(children === undefined ? content : Buffer.concat([head, ...children.map(encodeTree)]));
}

function setContent(node: TreeNode, content: Buffer): void {
  node.children = undefined;
  node.content = content;
}
