import type { CertificatePolicyOptions } from '@peercert/core';
import {
  type CertificateFields,
  createAuthority,
  type KeyPair,
  selfSigned,
  type SignatureAlgorithm,
  type TestAuthority,
  type TestCertificate,
} from '@peercert/testkit';

/** One certificate of a hierarchy: what it says, and who says so. */
export interface Entity {
  readonly name: string;
  /** Undefined for a self-signed certificate. */
  readonly issuer: string | undefined;
  /** Where the certificate goes. An `absent` one issues others and is shown to nobody. */
  readonly place: 'anchor' | 'intermediate' | 'end-entity' | 'absent';
  /** With the key, so that the certificate can be issued again with other fields. */
  readonly fields: CertificateFields & { readonly key: KeyPair };
}

/** Certificates that make paths, issuers before what they issue. */
export interface Hierarchy {
  readonly name: string;
  readonly entities: readonly Entity[];
  /** Policy questions that make a difference here. Default: none is asked. */
  readonly policies?: readonly CertificatePolicyOptions[];
}

export type Minted = ReadonlyMap<string, TestCertificate>;

/** Issues every certificate of a hierarchy. */
export function mint(entities: readonly Entity[]): Minted {
  const minted = new Map<string, TestCertificate>();
  for (const entity of entities) minted.set(entity.name, mintEntity(entity, minted));
  return minted;
}

/**
 * Issues one certificate of a hierarchy again, as `changed` has it.
 *
 * @param below - Whether what it issued is issued again as well: with its new name and key identifier.
 */
export function mintAgain(hierarchy: Hierarchy, minted: Minted, changed: Entity, below: boolean): Minted {
  const result = new Map(minted);
  const renewed = new Set([changed.name]);
  result.set(changed.name, mintEntity(changed, result));
  for (const entity of hierarchy.entities) {
    if (!below || entity.issuer === undefined || !renewed.has(entity.issuer) || renewed.has(entity.name)) continue;
    renewed.add(entity.name);
    result.set(entity.name, mintEntity(entity, result));
  }
  return result;
}

/**
 * Issues one certificate, its issuer being there. Where the issuer has come to another type of key than the signature
 * algorithm wants, that key's own algorithm is taken.
 */
export function mintEntity({ issuer, place, fields: wanted }: Entity, minted: Minted): TestCertificate {
  const isEndEntity = place === 'end-entity';
  const authority = issuer === undefined ? undefined : (minted.get(issuer) as TestAuthority);
  const { signatureAlgorithm, ...others } = wanted;
  const fields = canSign(authority?.key ?? wanted.key, signatureAlgorithm) ? wanted : others;
  if (authority === undefined) return isEndEntity ? selfSigned(fields) : createAuthority(fields);
  return isEndEntity ? authority.issue(fields) : authority.issueIntermediate(fields);
}

function canSign({ privateKey }: KeyPair, algorithm: SignatureAlgorithm | undefined): boolean {
  const type = privateKey.asymmetricKeyType;
  return algorithm === undefined || algorithm.startsWith(type === 'ec' ? 'ecdsa' : String(type));
}

/** The certificates in one place, in the order of the hierarchy. */
export function inPlace({ entities }: Hierarchy, place: Entity['place']): readonly Entity[] {
  return entities.filter((entity) => entity.place === place);
}
