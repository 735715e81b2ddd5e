import { ClientCertificateError } from '../errors';
import type { ResolvedConstraints } from '../trust/anchor-constraints';
import type { Certificate } from '../x509/certificate';
import { KeyUsage } from '../x509/extensions';
import { oid } from '../x509/oid';
import { describeForbiddenKey } from '../x509/public-key';
import { isLegacy } from '../x509/signature-algorithm';
import type { ResolvedRules, ValidationRules } from './rules';

/** What the end-entity certificate must be good for: an extKeyUsage purpose, or none in particular. */
export type RequiredUsage = 'clientAuth' | 'serverAuth' | 'not-checked';

/** In milliseconds since the Unix epoch, both included: a certificate's own, or what counts in its place. */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

const purposeOids = { clientAuth: oid('1.3.6.1.5.5.7.3.2'), serverAuth: oid('1.3.6.1.5.5.7.3.1') } as const;
const anyExtendedKeyUsage = oid('2.5.29.37.0');

/** RFC 5280 section 4.1.2.1: only version 3 has the extensions that decide here. */
export function checkVersion(certificate: Certificate, depth: number): void {
  if (certificate.version !== 3) {
    throw new ClientCertificateError('ERR_CERTIFICATE_VERSION_UNSUPPORTED', { depth, version: certificate.version });
  }
}

/** RFC 5280 section 6.1.3 (a)(2), 4.1.2.5: valid from notBefore to notAfter, both included. */
export function checkValidity({ notBefore, notAfter }: Validity, depth: number, time: number): void {
  if (time < notBefore) {
    throw new ClientCertificateError('ERR_CERTIFICATE_NOT_YET_VALID', {
      depth,
      time: new Date(time),
      notBefore: new Date(notBefore),
    });
  }
  if (!(time <= notAfter)) {
    throw new ClientCertificateError('ERR_CERTIFICATE_EXPIRED', {
      depth,
      time: new Date(time),
      notAfter: new Date(notAfter),
    });
  }
}

/**
 * When a trust anchor counts: as its certificate says, unless the rules ignore that, and as the operator says in place of
 * its notAfter. Where the operator says several things, until the first of them ends.
 */
export function validityOfAnchor(
  anchor: Certificate,
  constraints: readonly ResolvedConstraints[],
  rules: Pick<ResolvedRules, 'anchor'>,
): Validity {
  const own = rules.anchor === 'ignore' ? always : anchor;
  if (constraints.length === 0) return own;
  const ends = constraints.map(({ notAfter = own.notAfter }) => notAfter);
  return { notBefore: own.notBefore, notAfter: Math.min(...ends) };
}

const always: Validity = { notBefore: -Infinity, notAfter: Infinity };

/**
 * The key is one this package permits: see {@link describeForbiddenKey}. Judged before any use of the key, so that an
 * oversized one costs nothing. For the point see {@link checkKeyOnCurve}.
 */
export function checkKey(certificate: Certificate, depth: number, { legacyAlgorithms }: ValidationRules = {}): void {
  const key = describeForbiddenKey(certificate.publicKeyInfo, legacyAlgorithms === 'accept');
  if (key !== undefined) throw new ClientCertificateError('ERR_CERTIFICATE_KEY_NOT_PERMITTED', { depth, key });
}

/** An EC key is a point on its curve. Apart from {@link checkKey}, because it takes arithmetic. */
export function checkKeyOnCurve(certificate: Certificate, depth: number): void {
  if (certificate.isKeyOffCurve && certificate.publicKeyInfo.type === 'ec') {
    const key = `${certificate.publicKeyInfo.curve} key off its curve`;
    throw new ClientCertificateError('ERR_CERTIFICATE_KEY_NOT_PERMITTED', { depth, key });
  }
}

/** The algorithm the certificate is signed with, parameters included, is one this package permits. */
export function checkSignatureAlgorithm(
  certificate: Certificate,
  depth: number,
  { legacyAlgorithms }: ValidationRules = {},
): void {
  const { algorithm, oid: type } = certificate.signatureAlgorithm;
  if (algorithm === undefined || (isLegacy(algorithm) && legacyAlgorithms !== 'accept')) {
    throw new ClientCertificateError('ERR_CERTIFICATE_ALGORITHM_NOT_PERMITTED', { depth, algorithm: type });
  }
}

/** RFC 5280 section 4.2, 6.1.4 (o), 6.1.5 (f): every critical extension is one this package processes. */
export function checkCriticalExtensions(certificate: Certificate, depth: number): void {
  const [unsupported] = certificate.extensions.unsupportedCritical;
  if (unsupported !== undefined) {
    throw new ClientCertificateError('ERR_CERTIFICATE_CRITICAL_EXTENSION_UNSUPPORTED', { depth, oid: unsupported });
  }
}

/**
 * A client certificate is not a CA: no cA, and no keyCertSign (RFC 5280 section 4.2.1.3 ties the two).
 *
 * NOTE: stricter than section 6, which does not look. A CA key that also answers TLS handshakes is a mistake, and one
 * that is stolen should not be able to log in as well.
 */
export function checkIsNotCa(certificate: Certificate, depth: number, { caAsEndEntity }: ValidationRules = {}): void {
  if (caAsEndEntity === 'accept') return;
  const { basicConstraints, keyUsage = 0 } = certificate.extensions;
  if (basicConstraints?.cA === true || (keyUsage & KeyUsage.keyCertSign) !== 0) {
    throw new ClientCertificateError('ERR_CERTIFICATE_IS_CA', { depth });
  }
}

/** RFC 5280 section 4.2.1.3, RFC 8446 section 4.4.2.4: a TLS client signs with its key. Absent keyUsage permits. */
export function checkDigitalSignature(certificate: Certificate, depth: number): void {
  const { keyUsage } = certificate.extensions;
  if (keyUsage !== undefined && (keyUsage & KeyUsage.digitalSignature) === 0) {
    throw new ClientCertificateError('ERR_CERTIFICATE_USAGE_NOT_PERMITTED', {
      depth,
      extension: 'keyUsage',
      required: 'digitalSignature',
    });
  }
}

/**
 * RFC 5280 section 4.2.1.12: extKeyUsage, where present, names the purpose. Applied to every certificate of the path, so
 * that a CA that may not issue for a purpose cannot.
 *
 * NOTE: anyExtendedKeyUsage permits an issuer but not an end-entity certificate: a certificate made for anything was not
 * made for this (NIST SP 800-52 forbids it in clients).
 */
export function checkExtKeyUsage(
  certificate: Certificate,
  depth: number,
  required: RequiredUsage,
  { absentExtKeyUsage, anyExtKeyUsage }: ValidationRules = {},
): void {
  const { extKeyUsage } = certificate.extensions;
  if (required === 'not-checked') return;
  if (extKeyUsage === undefined && (depth > 0 || absentExtKeyUsage !== 'reject')) return;
  if (extKeyUsage?.includes(purposeOids[required])) return;
  if ((depth > 0 || anyExtKeyUsage === 'accept') && extKeyUsage?.includes(anyExtendedKeyUsage)) return;
  throw new ClientCertificateError('ERR_CERTIFICATE_USAGE_NOT_PERMITTED', {
    depth,
    extension: 'extKeyUsage',
    required,
  });
}

/**
 * RFC 5280 section 6.1.4 (k), (n): the certificate may issue others. keyUsage, where present, has keyCertSign.
 *
 * NOTE: also applied to the trust anchor, which section 6.2 leaves to the relying party: a certificate that says it is
 * not a CA does not become one by being trusted.
 */
export function checkIssuer(issuer: Certificate, depth: number): void {
  const { basicConstraints, keyUsage } = issuer.extensions;
  if (basicConstraints?.cA !== true) {
    throw new ClientCertificateError('ERR_PATH_ISSUER_NOT_CA', { depth, subject: issuer.subject.toString() });
  }
  if (keyUsage !== undefined && (keyUsage & KeyUsage.keyCertSign) === 0) {
    throw new ClientCertificateError('ERR_PATH_ISSUER_NOT_CERT_SIGNER', { depth, subject: issuer.subject.toString() });
  }
}

/**
 * RFC 5280 section 6.1.4 (l), (m): no more intermediates below an issuer than its pathLenConstraint.
 *
 * @param below - Intermediates between `issuer` and the end-entity certificate that are not self-issued.
 */
export function checkPathLength(issuer: Certificate, depth: number, below: number): void {
  const pathLenConstraint = issuer.extensions.basicConstraints?.pathLenConstraint;
  if (pathLenConstraint !== undefined && below > pathLenConstraint) {
    throw new ClientCertificateError('ERR_PATH_LENGTH_EXCEEDED', { depth, pathLenConstraint });
  }
}

/**
 * What the operator holds a trust anchor to (RFC 5280 section 6.2, RFC 5937): path length and purposes, by the same rules as
 * if its certificate said so. Names are checked over the whole path, and for when it ends see {@link validityOfAnchor}.
 *
 * @param below - Intermediates between the anchor and the end-entity certificate that are not self-issued.
 */
export function checkAnchorConstraints(
  { maxPathLength, extKeyUsage }: ResolvedConstraints,
  depth: number,
  below: number,
  required: RequiredUsage,
): void {
  if (maxPathLength !== undefined && below > maxPathLength) {
    throw new ClientCertificateError('ERR_PATH_LENGTH_EXCEEDED', { depth, pathLenConstraint: maxPathLength });
  }
  if (extKeyUsage === undefined || required === 'not-checked') return;
  if (!extKeyUsage.includes(purposeOids[required]) && !extKeyUsage.includes(anyExtendedKeyUsage)) {
    const extension = 'extKeyUsage';
    throw new ClientCertificateError('ERR_CERTIFICATE_USAGE_NOT_PERMITTED', { depth, extension, required });
  }
}
