import { checkNesting, contextTag, DerError, DerReader, maxNestingOfOpaqueValues, Tag } from './der';
import { decodeGeneralNames, type GeneralName } from './general-names';
import { decodeNameConstraints, type NameConstraints } from './name-constraints';
import { dottedOid, oid } from './oid';
import {
  decodeCertificatePolicies,
  decodePolicyConstraints,
  decodePolicyMappings,
  type PolicyConstraints,
  type PolicyMapping,
} from './policies';

/** basicConstraints (RFC 5280 section 4.2.1.9). */
export interface BasicConstraints {
  readonly cA: boolean;
  readonly pathLenConstraint: number | undefined;
}

/** Bits of keyUsage (RFC 5280 section 4.2.1.3) that decide here. */
export const KeyUsage = { digitalSignature: 1 << 0, keyCertSign: 1 << 5, cRLSign: 1 << 6 } as const;

/** The extensions of one certificate, decoded. What is absent is undefined. */
export interface Extensions {
  basicConstraints: BasicConstraints | undefined;
  /** Set of {@link KeyUsage} bits. */
  keyUsage: number | undefined;
  /** The purposes, as latin1 OID contents. */
  extKeyUsage: readonly string[] | undefined;
  subjectAltName: readonly GeneralName[] | undefined;
  subjectAltNameIsCritical: boolean;
  /** keyIdentifier of authorityKeyIdentifier, as latin1. */
  authorityKeyIdentifier: string | undefined;
  /** As latin1. */
  subjectKeyIdentifier: string | undefined;
  nameConstraints: NameConstraints | undefined;
  /** Dotted OIDs. */
  certificatePolicies: readonly string[] | undefined;
  policyMappings: readonly PolicyMapping[] | undefined;
  policyConstraints: PolicyConstraints | undefined;
  /** Certificates that may follow before anyPolicy counts for nothing. */
  inhibitAnyPolicy: number | undefined;
  /** Whether authorityInfoAccess is there and is not what RFC 5280 section 4.2.2.1 says. Nothing else is read of it. */
  authorityInfoAccessIsMalformed: boolean;
  /** Types of critical extensions, as latin1 OID contents. */
  critical: readonly string[];
  /** Dotted OIDs of critical extensions that are not processed. */
  unsupportedCritical: readonly string[];
}

/** More extensions than this in one certificate are refused. */
const maxExtensions = 64;

const basicConstraintsOid = oid('2.5.29.19');
const keyUsageOid = oid('2.5.29.15');
const extKeyUsageOid = oid('2.5.29.37');
const subjectAltNameOid = oid('2.5.29.17');
const authorityKeyIdentifierOid = oid('2.5.29.35');
const subjectKeyIdentifierOid = oid('2.5.29.14');

/** Types a profile asks to be critical, or not to be. As latin1 OID contents. */
export const extensionTypes = {
  basicConstraints: oid('2.5.29.19'),
  subjectAltName: oid('2.5.29.17'),
  nameConstraints: oid('2.5.29.30'),
  policyConstraints: oid('2.5.29.36'),
  inhibitAnyPolicy: oid('2.5.29.54'),
  authorityKeyIdentifier: oid('2.5.29.35'),
  subjectKeyIdentifier: oid('2.5.29.14'),
  authorityInfoAccess: oid('1.3.6.1.5.5.7.1.1'),
} as const;

const authorityInfoAccessOid = extensionTypes.authorityInfoAccess;
const nameConstraintsOid = oid('2.5.29.30');
const certificatePoliciesOid = oid('2.5.29.32');
const policyMappingsOid = oid('2.5.29.33');
const policyConstraintsOid = oid('2.5.29.36');
const inhibitAnyPolicyOid = oid('2.5.29.54');

const none: readonly string[] = Object.freeze([]);

export function noExtensions(): Extensions {
  return {
    basicConstraints: undefined,
    keyUsage: undefined,
    extKeyUsage: undefined,
    subjectAltName: undefined,
    subjectAltNameIsCritical: false,
    authorityKeyIdentifier: undefined,
    subjectKeyIdentifier: undefined,
    nameConstraints: undefined,
    certificatePolicies: undefined,
    policyMappings: undefined,
    policyConstraints: undefined,
    inhibitAnyPolicy: undefined,
    authorityInfoAccessIsMalformed: false,
    critical: none,
    unsupportedCritical: none,
  };
}

/**
 * Decodes Extensions (RFC 5280 section 4.1.2.9): at least one, each type once, every known value strictly.
 *
 * @param unread - Latin1 OID contents of known types that are read like unknown ones.
 */
export function decodeExtensions(reader: DerReader, unread: readonly string[] = none): Extensions {
  const list = reader.enter(Tag.sequence, 'extensions');
  if (list.atEnd) throw new DerError('extensions are empty', list.end);
  const extensions = noExtensions();
  const seen: string[] = [];
  const criticalTypes: string[] = [];
  const extension = new DerReader(list.bytes);
  const value = new DerReader(list.bytes);
  while (!list.atEnd) {
    if (seen.length === maxExtensions) throw new DerError('too many extensions', list.end);
    list.enterWith(extension, Tag.sequence, 'extension');
    const at = extension.end;
    const type = extension.oid('extension type');
    if (seen.includes(type)) throw new DerError('extension is repeated', at);
    seen.push(type);
    let critical = false;
    if (extension.nextTag === Tag.boolean) {
      critical = extension.boolean('critical');
      if (!critical) throw new DerError('critical encodes its default', extension.start);
      criticalTypes.push(type);
    }
    extension.enterWith(value, Tag.octetString, 'extension value');
    if (unread !== none && unread.includes(type)) passOver(extensions, type, critical, value);
    else decodeExtension(extensions, type, critical, value);
    extension.finish('extension');
  }
  // A copy has no room to grow: certificates are kept by the thousand.
  if (criticalTypes.length > 0) extensions.critical = criticalTypes.slice();
  return extensions;
}

function decodeExtension(extensions: Extensions, type: string, critical: boolean, value: DerReader): void {
  switch (type) {
    case basicConstraintsOid:
      extensions.basicConstraints = decodeBasicConstraints(value);
      break;
    case keyUsageOid:
      extensions.keyUsage = value.namedBits('keyUsage');
      break;
    case extKeyUsageOid:
      extensions.extKeyUsage = decodeExtKeyUsage(value);
      break;
    case subjectAltNameOid:
      extensions.subjectAltName = decodeGeneralNames(value, 'subjectAltName');
      extensions.subjectAltNameIsCritical = critical;
      break;
    case authorityKeyIdentifierOid:
      extensions.authorityKeyIdentifier = decodeAuthorityKeyIdentifier(value);
      break;
    case subjectKeyIdentifierOid:
      value.expect(Tag.octetString, 'subjectKeyIdentifier');
      extensions.subjectKeyIdentifier = value.bytes.toString('latin1', value.start, value.end);
      break;
    case nameConstraintsOid:
      extensions.nameConstraints = decodeNameConstraints(value);
      break;
    case certificatePoliciesOid:
      extensions.certificatePolicies = decodeCertificatePolicies(value);
      break;
    case policyMappingsOid:
      extensions.policyMappings = decodePolicyMappings(value);
      break;
    case policyConstraintsOid:
      extensions.policyConstraints = decodePolicyConstraints(value);
      break;
    case inhibitAnyPolicyOid:
      extensions.inhibitAnyPolicy = value.smallInteger('inhibitAnyPolicy');
      break;
    default:
      if (type === authorityInfoAccessOid) extensions.authorityInfoAccessIsMalformed = !isAccessSyntax(value);
      passOver(extensions, type, critical, value);
      return;
  }
  value.finish('extension value');
}

function passOver(extensions: Extensions, type: string, critical: boolean, value: DerReader): void {
  if (critical) extensions.unsupportedCritical = extensions.unsupportedCritical.concat(dottedOid(type));
  checkNesting(value.bytes, { start: value.start, end: value.limit }, maxNestingOfOpaqueValues);
}

/** AuthorityInfoAccessSyntax: `SEQUENCE SIZE (1..MAX) OF SEQUENCE { OID, GeneralName }`. */
function isAccessSyntax({ bytes, start, limit }: DerReader): boolean {
  try {
    const value = new DerReader(bytes, start, limit);
    const list = value.enter(Tag.sequence, 'authorityInfoAccess');
    value.finish('authorityInfoAccess');
    if (list.atEnd) return false;
    while (!list.atEnd) {
      const description = list.enter(Tag.sequence, 'authorityInfoAccess');
      description.oid('authorityInfoAccess: method');
      description.readOpaque().finish('authorityInfoAccess');
    }
    return true;
  } catch (error) {
    if (error instanceof DerError) return false;
    throw error;
  }
}

function decodeBasicConstraints(value: DerReader): BasicConstraints {
  const sequence = value.enter(Tag.sequence, 'basicConstraints');
  let cA = false;
  if (sequence.nextTag === Tag.boolean) {
    cA = sequence.boolean('cA');
    if (!cA) throw new DerError('cA encodes its default', sequence.start);
  }
  // NOTE: pathLenConstraint without cA is read and has no effect; RFC 5280 section 4.2.1.9 forbids CAs to write it.
  const pathLenConstraint = sequence.atEnd ? undefined : sequence.smallInteger('pathLenConstraint');
  sequence.finish('basicConstraints');
  return { cA, pathLenConstraint };
}

/** An empty list is read: it permits nothing, and that is how it is then judged. */
function decodeExtKeyUsage(value: DerReader): readonly string[] {
  const sequence = value.enter(Tag.sequence, 'extKeyUsage');
  const purposes: string[] = [];
  while (!sequence.atEnd) purposes.push(sequence.oid('extKeyUsage purpose'));
  return purposes.slice();
}

/** Only keyIdentifier is used; authorityCertIssuer and authorityCertSerialNumber are passed over. */
export function decodeAuthorityKeyIdentifier(value: DerReader): string | undefined {
  const sequence = value.enter(Tag.sequence, 'authorityKeyIdentifier');
  let keyIdentifier: string | undefined;
  if (sequence.nextTag === contextTag(0, 'primitive')) {
    sequence.read();
    keyIdentifier = sequence.bytes.toString('latin1', sequence.start, sequence.end);
  }
  if (sequence.nextTag === contextTag(1, 'constructed')) sequence.readOpaque();
  if (sequence.nextTag === contextTag(2, 'primitive')) {
    sequence.integer('authorityCertSerialNumber', contextTag(2, 'primitive'));
  }
  sequence.finish('authorityKeyIdentifier');
  return keyIdentifier;
}
