import type { ExpiryThreshold } from './expiry';

/** Other certificates of a trust store, as evidence. */
export interface OtherCertificates {
  /** SHA-256 of the other certificates, hexadecimal, lower case: the first 16 of them. */
  readonly others: readonly string[];
  /** How many there are: an integer from 1. */
  readonly otherCount: number;
}

/**
 * What can be wrong with a certificate in a trust store, with the evidence. "Accepted" means as `rules` are by default; with
 * `rules.anchor: 'ignore'` an anchor is held to its key and to the operator's constraints alone.
 */
export interface TrustFindingEvidence {
  /** Trust has ended: notAfter, or the operator's `expiry` constraint in its place, is past. Error. */
  expired: { readonly notAfter: Date };
  /** Trust ends within `days`, the tightest of 30, 14, 7, 3 and 1. Warning for 7 days or less, otherwise info. */
  'expires-soon': { readonly days: ExpiryThreshold; readonly notAfter: Date };
  /** notBefore is yet to come. Error. */
  'not-yet-valid': { readonly notBefore: Date };
  /** An anchor or intermediate without cA, or of a version that cannot have it (RFC 5280 section 4.2.1.9). Error. */
  'not-a-ca': object;
  /** An anchor or intermediate with a keyUsage that lacks keyCertSign (RFC 5280 section 4.2.1.3). Error. */
  'no-key-cert-sign': object;
  /** A pinned end-entity certificate with cA or keyCertSign. Error. */
  'is-a-ca': object;
  /** A key that is not permitted: too small, too large, of an unknown kind, or no key at all. Error. */
  'weak-key': { readonly key: string };
  /**
   * Signed with SHA-1, or with an algorithm that is not known. Info on an anchor and a pinned certificate, whose signatures
   * are not verified; error on an intermediate.
   */
  'weak-signature': { readonly algorithm: string };
  /** Others in the same list have this subject and another key: a new key of the same CA, or an impostor. Warning. */
  'duplicate-subject': OtherCertificates;
  /** Others in the same list have this key, whatever their subject: a renewed certificate, most often. Info. */
  'duplicate-key': OtherCertificates;
  /**
   * An extKeyUsage that does not permit clients, in the certificate or in the operator's constraints on it. Error. As in
   * paths, anyExtendedKeyUsage permits them in an anchor or intermediate, and not in a pinned end-entity certificate.
   */
  'excludes-client-auth': { readonly by: 'certificate' | 'constraints' };
  /**
   * Not used for more than `days`, as given in `unusedDays`; `lastUsed` is absent where no use was seen at all. Warning. See
   * {@link InspectOptions.unusedDays}.
   */
  unused: { readonly days: number; readonly lastUsed?: Date };
  /** A critical extension that is not processed (RFC 5280 section 4.2); one finding for each. Error. */
  'unsupported-critical-extension': { readonly oid: string };
}

/** The code of a {@link TrustFinding}. Stable: a code changes its meaning only in a major version. */
export type TrustFindingCode = keyof TrustFindingEvidence;

/**
 * How bad a finding is. `error`: under this certificate nothing can be accepted now. `warning`: somebody should look.
 * `info`: good to know.
 */
export type TrustFindingSeverity = 'error' | 'warning' | 'info';

/** What a certificate is in a trust store. */
export type TrustRole = 'anchor' | 'pinned end entity' | 'intermediate';

/** @internal What is wrong with a certificate, before it is said which and how bad that is. */
export type TrustFlaw = {
  [Code in TrustFindingCode]: { readonly code: Code } & TrustFindingEvidence[Code];
}[TrustFindingCode];

/** Something to know about a certificate of a trust store. Switch on `code` and the evidence narrows with it. */
export type TrustFinding = TrustFlaw & {
  readonly severity: TrustFindingSeverity;
  /** SHA-256 of the certificate it is about, hexadecimal, lower case. */
  readonly sha256: string;
  /** One constant sentence for each code, for people. */
  readonly message: string;
};

const severities: { readonly [Code in TrustFindingCode]: TrustFindingSeverity } = {
  expired: 'error',
  'expires-soon': 'info',
  'not-yet-valid': 'error',
  'not-a-ca': 'error',
  'no-key-cert-sign': 'error',
  'is-a-ca': 'error',
  'weak-key': 'error',
  'weak-signature': 'info',
  'duplicate-subject': 'warning',
  'duplicate-key': 'info',
  'excludes-client-auth': 'error',
  unused: 'warning',
  'unsupported-critical-extension': 'error',
};

const messages: { readonly [Code in TrustFindingCode]: string } = {
  expired: 'Trust in the certificate has ended.',
  'expires-soon': 'Trust in the certificate ends soon.',
  'not-yet-valid': 'The certificate is not valid yet.',
  'not-a-ca': 'The certificate is not a CA, so it vouches for nobody.',
  'no-key-cert-sign': 'The keyUsage of the certificate does not let it issue certificates.',
  'is-a-ca': 'The certificate is pinned as an end-entity certificate but is a CA.',
  'weak-key': 'The key of the certificate is not permitted.',
  'weak-signature': 'The certificate is signed with SHA-1 or an unknown algorithm.',
  'duplicate-subject': 'Other certificates have the same subject and another key.',
  'duplicate-key': 'Other certificates have the same key.',
  'excludes-client-auth': 'The certificate, or a constraint on it, does not permit client authentication.',
  unused: 'The certificate has not been used for a long time.',
  'unsupported-critical-extension': 'The certificate has a critical extension that is not processed.',
};

/** At this many days and less before its end, a certificate should be on somebody's desk. */
const daysOfWarning = 7;

function severityOf(flaw: TrustFlaw, role: TrustRole): TrustFindingSeverity {
  if (flaw.code === 'expires-soon' && flaw.days <= daysOfWarning) return 'warning';
  if (flaw.code === 'weak-signature' && role === 'intermediate') return 'error';
  return severities[flaw.code];
}

/** @internal The finding that a flaw is, in a certificate of this role. */
export function toFinding(flaw: TrustFlaw, sha256: string, role: TrustRole): TrustFinding {
  return { ...flaw, severity: severityOf(flaw, role), sha256, message: messages[flaw.code] };
}

const order: readonly TrustFindingSeverity[] = ['error', 'warning', 'info'];

/** @internal Errors before warnings before information, otherwise as they were. */
export function worstFirst(findings: readonly TrustFinding[]): readonly TrustFinding[] {
  return findings.toSorted((one, other) => order.indexOf(one.severity) - order.indexOf(other.severity));
}
