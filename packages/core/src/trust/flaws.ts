import { KeyUsage } from '../x509/extensions';
import { oid } from '../x509/oid';
import { describeForbiddenKey, type PublicKeyInfo } from '../x509/public-key';
import { type AlgorithmIdentifier, isLegacy } from '../x509/signature-algorithm';
import type { DigestedCertificate, Duplicates } from './duplicates';
import { expiryThresholdOf, millisecondsPerDay, trustEndsAt } from './expiry';
import type { TrustFlaw, TrustRole } from './trust-finding';
import type { TrustStore } from './trust-store';

/** What all certificates of a store are judged by. */
export interface Inspection {
  readonly store: TrustStore;
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  readonly unusedDays: number | undefined;
}

/** One certificate in its role, and those beside it. */
export interface InspectedCertificate extends DigestedCertificate {
  readonly role: TrustRole;
  readonly duplicates: Duplicates;
}

const clientAuth = oid('1.3.6.1.5.5.7.3.2');
const anyExtendedKeyUsage = oid('2.5.29.37.0');

/** Everything that is wrong with a certificate of a trust store. */
export function* flawsOf(inspection: Inspection, inspected: InspectedCertificate): Generator<TrustFlaw> {
  yield* flawsOfTime(inspection, inspected);
  yield* flawsOfPurpose(inspection, inspected);
  yield* flawsOfAlgorithms(inspected);
  yield* flawsOfCompany(inspected);
  yield* flawsOfUse(inspection, inspected);
}

function* flawsOfTime({ store, time }: Inspection, { certificate }: InspectedCertificate): Generator<TrustFlaw> {
  const end = trustEndsAt(store, certificate);
  if (time < certificate.notBefore) yield { code: 'not-yet-valid', notBefore: new Date(certificate.notBefore) };
  if (time > end) yield { code: 'expired', notAfter: new Date(end) };
  const days = expiryThresholdOf(end, time);
  if (days !== undefined) yield { code: 'expires-soon', days, notAfter: new Date(end) };
}

/** What the rules of `path/checks` refuse for what a certificate may be used for. */
function* flawsOfPurpose({ store }: Inspection, { certificate, role }: InspectedCertificate): Generator<TrustFlaw> {
  const { basicConstraints, keyUsage, extKeyUsage, unsupportedCritical } = certificate.extensions;
  const isCa = basicConstraints?.cA === true;
  const mayIssue = keyUsage === undefined || (keyUsage & KeyUsage.keyCertSign) !== 0;
  if (role === 'pinned end entity') {
    if (isCa || (keyUsage !== undefined && mayIssue)) yield { code: 'is-a-ca' };
  } else {
    if (!isCa) yield { code: 'not-a-ca' };
    if (!mayIssue) yield { code: 'no-key-cert-sign' };
  }
  const purposes = role === 'pinned end entity' ? [clientAuth] : [clientAuth, anyExtendedKeyUsage];
  if (excludes(extKeyUsage, purposes)) yield { code: 'excludes-client-auth', by: 'certificate' };
  if (store.constraintsOn(certificate).some((constraints) => excludes(constraints.extKeyUsage, purposes))) {
    yield { code: 'excludes-client-auth', by: 'constraints' };
  }
  for (const type of unsupportedCritical) yield { code: 'unsupported-critical-extension', oid: type };
}

function* flawsOfAlgorithms({ certificate }: InspectedCertificate): Generator<TrustFlaw> {
  const { publicKeyInfo, signatureAlgorithm } = certificate;
  const key = describeForbiddenKey(publicKeyInfo, false);
  if (key !== undefined) yield { code: 'weak-key', key };
  else if (certificate.isKeyOffCurve) yield { code: 'weak-key', key: `${keyText(publicKeyInfo)} key off its curve` };
  const { algorithm } = signatureAlgorithm;
  if (algorithm === undefined || isLegacy(algorithm)) {
    yield { code: 'weak-signature', algorithm: algorithmText(signatureAlgorithm) };
  }
}

/** What shows only beside the other certificates of the list. */
function* flawsOfCompany(inspected: InspectedCertificate): Generator<TrustFlaw> {
  const sameName = inspected.duplicates.ofNameAlone(inspected);
  const sameKey = inspected.duplicates.ofKey(inspected);
  if (sameName !== undefined) yield { code: 'duplicate-subject', ...sameName };
  if (sameKey !== undefined) yield { code: 'duplicate-key', ...sameKey };
}

function* flawsOfUse(inspection: Inspection, inspected: InspectedCertificate): Generator<TrustFlaw> {
  const { store, time, unusedDays: days } = inspection;
  const since = store.use.since(inspected.certificate);
  if (days === undefined || since === undefined || inspected.role === 'intermediate') return;
  const lastUsed = lastUse(inspection, inspected);
  if (time - since < days * millisecondsPerDay) return;
  if (lastUsed === undefined) yield { code: 'unused', days };
  else if (time - lastUsed > days * millisecondsPerDay) yield { code: 'unused', days, lastUsed: new Date(lastUsed) };
}

/** Milliseconds since the Unix epoch. An intermediate is never at the end of a path, though an anchor may have its key. */
export function lastUse({ store }: Inspection, { certificate, role }: InspectedCertificate): number | undefined {
  return role === 'intermediate' ? undefined : store.use.lastUsed(certificate);
}

function excludes(extKeyUsage: readonly string[] | undefined, purposes: readonly string[]): boolean {
  return extKeyUsage !== undefined && !purposes.some((purpose) => extKeyUsage.includes(purpose));
}

/** A key in few words, for people. */
export function keyText(key: PublicKeyInfo): string {
  if (key.type === 'rsa') return `RSA ${key.modulusBits}`;
  if (key.type === 'ec') return key.curve;
  return key.type === 'ed25519' ? 'Ed25519' : key.description;
}

/** An algorithm by its name, or by its OID where it is not known. */
export function algorithmText({ algorithm, oid: type }: AlgorithmIdentifier): string {
  return algorithm?.name ?? type;
}
