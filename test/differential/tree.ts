import { der, type LengthForm } from '@peercert/testkit';

/** An element of DER that can be changed and encoded again. */
export interface TreeNode {
  tag: number;
  /** Octets before the children: the count of unused bits of a BIT STRING that holds DER. */
  head: Buffer;
  /** Undefined for an element that holds no others; `content` is what it holds. */
  children: TreeNode[] | undefined;
  content: Buffer;
  form: LengthForm;
  /** Octets after the element, inside whatever holds it. */
  tail: Buffer;
}

/** Reads DER, also inside of OCTET STRING and BIT STRING. */
export function parseTree(bytes: Buffer): TreeNode {
  const [node, ...others] = parseAll(bytes);
  if (node === undefined || others.length > 0) throw new TypeError('not one element of DER');
  return node;
}

export function encodeTree(node: TreeNode): Buffer {
  const { tag, head, children, content, form, tail } = node;
  const contents = children === undefined ? content : Buffer.concat([head, ...children.map(encodeTree)]);
  return Buffer.concat([der.tlv(tag, contents, form), tail]);
}

/** Every element, with what holds it. */
export function* nodesOf(
  node: TreeNode,
  parent?: TreeNode,
): Generator<{ node: TreeNode; parent: TreeNode | undefined }> {
  yield { node, parent };
  for (const child of node.children ?? []) yield* nodesOf(child, node);
}

const empty = Buffer.alloc(0);

function parseAll(bytes: Buffer): TreeNode[] {
  const nodes: TreeNode[] = [];
  for (let at = 0; at < bytes.length;) {
    if (at + 2 > bytes.length) throw new RangeError('not DER');
    const tag = bytes.readUInt8(at);
    const first = bytes.readUInt8(at + 1);
    const lengthOctets = first < 0x80 ? 0 : first & 0x7f;
    if (lengthOctets > 3 || first === 0x80 || tag === 0) throw new RangeError('not DER');
    const start = at + 2 + lengthOctets;
    if (start > bytes.length) throw new RangeError('not DER');
    const end = start + (lengthOctets === 0 ? first : bytes.readUIntBE(at + 2, lengthOctets));
    if (end > bytes.length) throw new RangeError('not DER');
    nodes.push(parseContents(tag, bytes.subarray(start, end)));
    at = end;
  }
  return nodes;
}

function parseContents(tag: number, content: Buffer): TreeNode {
  const node: TreeNode = { tag, head: empty, children: undefined, content, form: {}, tail: empty };
  if ((tag & 0x20) !== 0 || tag === 0x04) node.children = parseInside(content);
  if (tag === 0x03 && content[0] === 0 && content[1] === 0x30) {
    node.head = content.subarray(0, 1);
    node.children = parseInside(content.subarray(1));
  }
  return node;
}

function parseInside(content: Buffer): TreeNode[] | undefined {
  if (content.length === 0) return undefined;
  try {
    return parseAll(content);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
