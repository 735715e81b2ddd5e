import { KeyUsage } from '../x509/extensions';
import type { Certificate } from '../x509/certificate';
import { DerError } from '../x509/der';
import {
  decodeCrlDistributionPoints,
  type DistributionPoint,
  type DistributionPointName,
} from '../x509/distribution-points';
import { oid } from '../x509/oid';
import { isLegacy } from '../x509/signature-algorithm';
import type { KnownCrl } from './known-crl';
import { moreTelling, type RevocationAnswer, type RevocationQuestion, unknown } from './revocation-method';

/** What is asked of a CRL besides its own word. */
export interface CrlRules {
  /** The oldest a CRL may be, by its thisUpdate; what holds for one without nextUpdate. Undefined: as old as it says. */
  readonly maxAgeSeconds: number | undefined;
  /** How long a CRL counts after its nextUpdate. */
  readonly graceSeconds: number;
}

/** How far ahead the clock of a CRL's issuer may be. */
const clockSkewMs = 300_000;

const crlDistributionPointsOid = oid('2.5.29.31');
const crlNumberOid = oid('2.5.29.20');

/**
 * Judges CRLs over one certificate (RFC 5280 section 6.3.3), those that are complete and direct: each that its issuer signed
 * and that is about it counts. One that lists it is enough to revoke it; to be good it must be missing from one that is
 * current.
 *
 * NOTE: a CRL whose time is over says of no certificate that it is good, but of those it lists that they are revoked: what
 * was revoked stays so, and an old list is better evidence than none.
 *
 * NOTE: where a CRL was followed by a newer one of the same scope, and both are here, the newer one speaks for both.
 *
 * NOTE: of delta CRLs only what they revoke counts: one by itself never makes a certificate good.
 *
 * NOTE: a CRL counts when it is signed by a key of the very path that is validated, under the issuer's name. Separate
 * certificates for signing CRLs are not looked for; see docs/decisions/0016.
 */
export function judgeCrls(
  question: RevocationQuestion,
  crls: readonly KnownCrl[],
  rules: CrlRules,
): RevocationAnswer | Promise<RevocationAnswer> {
  const ofIssuer = crls.filter(({ crl }) => crl.issuerKey === question.certificate.issuerKey);
  // Only of those that might count: a CA may have hundreds of partitions, each with a long list.
  const pending = ofIssuer
    .filter((known) => contentFault(question, known) === undefined)
    .flatMap((known) => authoritiesOf(question).map((authority) => known.isSignedBy(authority)))
    .filter((answer) => answer instanceof Promise);
  if (pending.length > 0) return Promise.all(pending).then(() => judgeCrls(question, crls, rules));
  const judged = ofIssuer.map((known) => ({ known, answer: judgeCrl(question, known, rules) }));
  const current = judged.filter(({ answer }) => answer.status === 'good');
  return judged
    .filter(({ known }) => !current.some((newer) => newer.known.supersedes(known)))
    .map(({ answer }) => answer)
    .reduce(moreTelling, unknown('no-source', 'no CRL of the issuer'));
}

function judgeCrl(question: RevocationQuestion, known: KnownCrl, rules: CrlRules): RevocationAnswer {
  const { crl, source } = known;
  const fault = contentFault(question, known);
  if (fault !== undefined) return unknown('unusable', fault);
  const doubt = signatureFault(question, known);
  if (doubt !== undefined) return unknown('untrusted', doubt);
  const { thisUpdate, nextUpdate } = crl;
  const until = endOf(known, rules);
  const isDelta = crl.extensions.deltaCrlIndicator !== undefined;
  const entry = crl.find(question.certificate.serialNumberOctets);
  if (entry !== undefined && !(isDelta && entry.reason === 'removeFromCRL')) {
    const { revocationDate: revokedAt, reason } = entry;
    return { status: 'revoked', source, asOf: thisUpdate, until: Math.max(until, question.time), revokedAt, reason };
  }
  if (isDelta) return unknown('unusable', 'it is a delta CRL');
  const flaw = question.rules.profile === 'rfc5280' ? profileFault(known) : undefined;
  if (flaw !== undefined) return unknown('unusable', flaw);
  if (crl.hasUnsupportedCriticalEntryExtension) {
    return unknown('unusable', 'an entry of the CRL has a critical extension that is not supported');
  }
  if (scopeOver(question.certificate, known) === 'some-reasons')
    return unknown('unusable', 'the CRL is about some reasons only');
  if (thisUpdate > question.time + clockSkewMs) return unknown('not-current', 'thisUpdate lies in the future');
  if (nextUpdate === undefined && rules.maxAgeSeconds === undefined) {
    return unknown('not-current', 'the CRL has no nextUpdate');
  }
  if (!(question.time <= until)) return unknown('not-current', 'the time of the CRL is over');
  return { status: 'good', source, asOf: thisUpdate, until };
}

/** Why a CRL says nothing of a certificate, whoever signed it. */
function contentFault(question: RevocationQuestion, known: KnownCrl): string | undefined {
  const fault = unsupportedKind(known);
  if (fault !== undefined) return fault;
  return scopeOver(question.certificate, known) === 'none' ? 'the CRL is about other certificates' : undefined;
}

/** RFC 5280 section 5.2, 6.3.3: a CRL with a critical extension that is not processed counts for nothing. */
function unsupportedKind({ crl: { extensions } }: KnownCrl): string | undefined {
  const [critical] = extensions.unsupportedCritical;
  if (critical !== undefined) return `the CRL has the critical extension ${critical}`;
  if (extensions.issuingDistributionPoint?.indirectCRL === true) return 'it is an indirect CRL';
  return undefined;
}

/** What RFC 5280 section 5.2.1 and 5.2.3 tell CRL issuers to write, and nobody needs who reads a complete CRL. */
function profileFault({ crl: { extensions } }: KnownCrl): string | undefined {
  if (extensions.authorityKeyIdentifier === undefined) return 'the CRL has no authorityKeyIdentifier';
  if (extensions.crlNumber === undefined) return 'the CRL has no cRLNumber';
  if (extensions.critical.includes(crlNumberOid)) return 'the cRLNumber of the CRL is critical';
  return undefined;
}

/** RFC 5280 section 6.3.3 (b)(2), (d): whether the certificate is among those a CRL is about, and for which reasons. */
function scopeOver(certificate: Certificate, { crl }: KnownCrl): 'all-reasons' | 'some-reasons' | 'none' {
  const { issuingDistributionPoint: idp } = crl.extensions;
  if (idp === undefined) return 'all-reasons';
  const isCa = certificate.extensions.basicConstraints?.cA === true;
  if (idp.onlyContainsAttributeCerts || (idp.onlyContainsUserCerts && isCa) || (idp.onlyContainsCACerts && !isCa)) {
    return 'none';
  }
  let isOfSomeReasons = idp.onlySomeReasons !== undefined;
  if (idp.distributionPoint !== undefined) {
    const { distributionPoint: name } = idp;
    const points = distributionPointsOf(certificate).filter((point) => hasSameName(point, name));
    if (points.length === 0) return 'none';
    if (points.every(({ reasons }) => reasons !== undefined)) isOfSomeReasons = true;
  }
  return isOfSomeReasons ? 'some-reasons' : 'all-reasons';
}

function hasSameName({ name, hasCrlIssuer }: DistributionPoint, idp: DistributionPointName): boolean {
  if (name === undefined || hasCrlIssuer) return false;
  return (
    name.uris.some((uri) => idp.uris.includes(uri)) ||
    name.directoryNames.some((directoryName) => idp.directoryNames.includes(directoryName))
  );
}

/** Where a certificate says its CRLs are. None where it does not say, or not in a way that can be read. */
export function distributionPointsOf(certificate: Certificate): readonly DistributionPoint[] {
  const range = certificate.extensionValue(crlDistributionPointsOid);
  if (range === undefined) return [];
  try {
    return decodeCrlDistributionPoints(certificate.der, range);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    return [];
  }
}

/** RFC 5280 section 6.3.3 (f), (g). */
function signatureFault(question: RevocationQuestion, known: KnownCrl): string | undefined {
  const { algorithm, oid: type } = known.crl.signatureAlgorithm;
  if (algorithm === undefined || (isLegacy(algorithm) && question.rules.legacyAlgorithms !== 'accept')) {
    return `the CRL is signed with ${type}`;
  }
  const signers = authoritiesOf(question).filter((authority) => known.isSignedBy(authority) === true);
  return signers.length === 0 ? 'the CRL is not signed by the issuer, or the issuer may not sign CRLs' : undefined;
}

/** RFC 5280 section 4.2.1.3: keyUsage, where present, has cRLSign. */
function authoritiesOf({ authorities }: RevocationQuestion): readonly Certificate[] {
  return authorities.filter(({ extensions: { keyUsage } }) => {
    return keyUsage === undefined || (keyUsage & KeyUsage.cRLSign) !== 0;
  });
}

/** Milliseconds since the Unix epoch. */
export function endOf(
  { crl: { thisUpdate, nextUpdate } }: KnownCrl,
  { maxAgeSeconds, graceSeconds }: CrlRules,
): number {
  const oldest = maxAgeSeconds === undefined ? Infinity : thisUpdate + maxAgeSeconds * 1000;
  return nextUpdate === undefined ? oldest : Math.min(oldest, nextUpdate + graceSeconds * 1000);
}
