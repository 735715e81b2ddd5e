import { checkNesting, contextTag, DerError, type DerReader, maxNestingOfOpaqueValues, Tag } from './der';
import { dottedOid } from './oid';

/** policyMappings (RFC 5280 section 4.2.1.5): the issuer takes `subjectDomain` for its own `issuerDomain`. Dotted OIDs. */
export interface PolicyMapping {
  readonly issuerDomain: string;
  readonly subjectDomain: string;
}

/** policyConstraints (RFC 5280 section 4.2.1.11), in certificates that may follow. */
export interface PolicyConstraints {
  readonly requireExplicitPolicy: number | undefined;
  readonly inhibitPolicyMapping: number | undefined;
}

/**
 * Decodes certificatePolicies (RFC 5280 section 4.2.1.4) to dotted OIDs. Each policy stands once. Qualifiers are passed
 * over: they are words for people.
 */
export function decodeCertificatePolicies(reader: DerReader): readonly string[] {
  const sequence = reader.enter(Tag.sequence, 'certificatePolicies');
  if (sequence.atEnd) throw new DerError('certificatePolicies are empty', sequence.end);
  const policies = new Set<string>();
  while (!sequence.atEnd) {
    const at = sequence.end;
    const information = sequence.enter(Tag.sequence, 'certificatePolicies');
    const policy = dottedOid(information.oid('certificatePolicies: policy'));
    if (policies.has(policy)) throw new DerError('certificatePolicies repeat a policy', at);
    policies.add(policy);
    if (information.nextTag === Tag.sequence) {
      information.read();
      checkNesting(information.bytes, information.range, maxNestingOfOpaqueValues);
    }
    information.finish('certificatePolicies: policy');
  }
  return [...policies];
}

/** Decodes policyMappings (RFC 5280 section 4.2.1.5): at least one. */
export function decodePolicyMappings(reader: DerReader): readonly PolicyMapping[] {
  const sequence = reader.enter(Tag.sequence, 'policyMappings');
  if (sequence.atEnd) throw new DerError('policyMappings are empty', sequence.end);
  const mappings: PolicyMapping[] = [];
  while (!sequence.atEnd) {
    const mapping = sequence.enter(Tag.sequence, 'policyMappings');
    const issuerDomain = dottedOid(mapping.oid('policyMappings: issuerDomainPolicy'));
    const subjectDomain = dottedOid(mapping.oid('policyMappings: subjectDomainPolicy'));
    mapping.finish('policyMappings');
    mappings.push({ issuerDomain, subjectDomain });
  }
  return mappings;
}

/** Decodes policyConstraints (RFC 5280 section 4.2.1.11): at least one of the two. */
export function decodePolicyConstraints(reader: DerReader): PolicyConstraints {
  const sequence = reader.enter(Tag.sequence, 'policyConstraints');
  if (sequence.atEnd) throw new DerError('policyConstraints are empty', sequence.end);
  const skipCerts = (number: number): number | undefined => {
    const tag = contextTag(number, 'primitive');
    return sequence.nextTag === tag ? sequence.smallInteger('policyConstraints', tag) : undefined;
  };
  const constraints = { requireExplicitPolicy: skipCerts(0), inhibitPolicyMapping: skipCerts(1) };
  sequence.finish('policyConstraints');
  return constraints;
}
