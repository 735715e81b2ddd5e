import { contextTag, Tag } from '../../packages/core/src/x509/der';
import type { Certificate } from '../../packages/core/src/x509/certificate';
import { oid } from '../../packages/core/src/x509/oid';
import { nodesOf, parseTree, type TreeNode } from './tree';

type Attribute = readonly [type: string, value: TreeNode];

/** The Extension with a type. */
export function extensionOf(certificate: Certificate, type: string): TreeNode | undefined {
  const contents = oid(type);
  return extensionsOf(certificate).find(({ children }) => typeOf(children?.[0]) === contents);
}

/** The OCTET STRING of an extension; its only child is the value. */
export function valueOf(certificate: Certificate, type: string): TreeNode | undefined {
  return extensionOf(certificate, type)?.children?.at(-1);
}

/** Types of the extensions, as {@link oid} writes them. */
export function extensionTypesOf(certificate: Certificate): readonly string[] {
  return extensionsOf(certificate).map(({ children }) => typeOf(children?.[0]));
}

function extensionsOf(certificate: Certificate): readonly TreeNode[] {
  const [tbs] = parseTree(certificate.der).children ?? [];
  return tbs?.children?.find(({ tag }) => tag === contextTag(3, 'constructed'))?.children?.[0]?.children ?? [];
}

/** Purposes of extKeyUsage, as {@link oid} writes them. */
export function purposesOf(certificate: Certificate): readonly string[] {
  return (valueOf(certificate, '2.5.29.37')?.children?.[0]?.children ?? []).map(typeOf);
}

/** Types and values of all attributes of all names: subject, issuer, and those in extensions. */
function attributesOf(certificate: Certificate): readonly Attribute[] {
  return attributesIn(parseTree(certificate.der));
}

/** Types and values of the attributes of the subject. */
export function subjectAttributesOf(certificate: Certificate): readonly Attribute[] {
  const parts = parseTree(certificate.der).children?.[0]?.children ?? [];
  // Without a version every field stands one place earlier.
  const subject = parts[parts[0]?.tag === contextTag(0, 'constructed') ? 5 : 4];
  return subject === undefined ? [] : attributesIn(subject);
}

/** Types and values of the attributes of directory names in the subjectAltName. */
export function alternativeAttributesOf(certificate: Certificate): readonly Attribute[] {
  const value = valueOf(certificate, '2.5.29.17');
  return value === undefined ? [] : attributesIn(value);
}

function attributesIn(tree: TreeNode): readonly Attribute[] {
  return [...nodesOf(tree)].flatMap(({ node, parent }) => {
    const [type, value] = node.children ?? [];
    return parent?.tag === Tag.set && value !== undefined ? [[typeOf(type), value] as const] : [];
  });
}

/** Whether some name has a value of one of these string types. */
export function hasStringType(certificate: Certificate, ...tags: readonly number[]): boolean {
  return attributesOf(certificate).some(([, { tag }]) => tags.includes(tag));
}

function typeOf(node: TreeNode | undefined): string {
  return node?.content.toString('latin1') ?? '';
}
