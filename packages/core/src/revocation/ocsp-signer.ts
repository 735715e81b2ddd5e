import { ClientCertificateError } from '../errors';
import * as check from '../path/checks';
import type { ValidationRules } from '../path/rules';
import { verifySignature } from '../path/verify-signature';
import { decodeOcspUrls } from '../x509/access-descriptions';
import { Certificate } from '../x509/certificate';
import { DerError } from '../x509/der';
import { extensionTypes } from '../x509/extensions';
import type { BasicOcspResponse, ResponderId } from '../x509/ocsp-response';
import { oid } from '../x509/oid';
import { isLegacy } from '../x509/signature-algorithm';
import { keyHashOf } from './ocsp-request';

/** Who may answer for an issuer, and by when. */
export interface ResponderRules extends Pick<ValidationRules, 'legacyAlgorithms'> {
  /**
   * A delegate's certificate without id-pkix-ocsp-nocheck. `'accept'` takes one that names neither CRL nor responder to ask
   * about it, where RFC 6960 section 4.2.2.2.1 leaves it to the relying party. One that does name a way is refused all the
   * same: it wants checking, and nothing here checks it. Default `'reject'`.
   */
  readonly delegateWithoutNocheck?: 'reject' | 'accept';
}

/** What a signer is looked for with. */
export interface SignerQuery extends ResponderRules {
  /** The issuer of the certificate in question. It is believed: whether it should be is what path validation says. */
  readonly issuer: Certificate;
  /** Candidate delegates, beside those in the response. */
  readonly certificates?: readonly Certificate[];
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
}

/** What can be wrong with who signed, the most telling last. */
const faults = [
  'responder-not-authorized',
  'responder-expired',
  'algorithm-not-permitted',
  'signature-invalid',
] as const;

/** Why a response counts for nothing. */
export interface SignerFault {
  readonly cause: (typeof faults)[number];
  readonly detail: string;
}

const ocspSigningOid = oid('1.3.6.1.5.5.7.3.9');
const nocheckOid = oid('1.3.6.1.5.5.7.48.1.5');
const nocheckDotted = '1.3.6.1.5.5.7.48.1.5';
const crlDistributionPointsOid = oid('2.5.29.31');

/**
 * Finds who signed a response and may: the issuer itself, or a delegate of its (RFC 6960 section 4.2.2.2, criteria 2 and 3).
 *
 * NOTE: a responder that the relying party trusts by itself (criterion 1) is not supported: who may answer for an issuer is
 * that issuer's word alone.
 *
 * NOTE: the issuer's keyUsage need not have digitalSignature. RFC 6960 does not ask for it, and CAs that answer for
 * themselves go without.
 *
 * @returns the signer's certificate.
 */
export async function findSigner(basic: BasicOcspResponse, query: SignerQuery): Promise<Certificate | SignerFault> {
  const { issuer, certificates = [] } = query;
  const { algorithm, oid: type } = basic.signatureAlgorithm;
  if (algorithm === undefined || (isLegacy(algorithm) && query.legacyAlgorithms !== 'accept')) {
    return { cause: 'algorithm-not-permitted', detail: `signature algorithm ${type}` };
  }
  if (!isKeyPermitted(issuer, query)) return { cause: 'algorithm-not-permitted', detail: "the issuer's key" };

  let worst: SignerFault = { cause: 'responder-not-authorized', detail: 'no certificate fits the responderID' };
  const note = (cause: SignerFault['cause'], detail: string): void => {
    if (faults.indexOf(cause) >= faults.indexOf(worst.cause)) worst = { cause, detail };
  };
  if (isNamedBy(basic.responderId, issuer)) {
    if (await verifySignature(basic, issuer)) return issuer;
    note('signature-invalid', 'not signed by the issuer');
  }
  for (const delegate of [...decodable(basic.certificates), ...certificates]) {
    if (!isNamedBy(basic.responderId, delegate)) continue;
    const fault = faultOf(delegate, query);
    if (fault !== undefined) note(fault.cause, fault.detail);
    else if (!(await verifySignature(delegate, issuer))) note('responder-not-authorized', 'not signed by the issuer');
    else if (await verifySignature(basic, delegate)) return delegate;
    else note('signature-invalid', 'not signed by the delegate');
  }
  return worst;
}

function isNamedBy(responderId: ResponderId, certificate: Certificate): boolean {
  if ('nameKey' in responderId) return responderId.nameKey === certificate.subjectKey;
  return responderId.keyHash === keyHashOf(certificate).toString('latin1');
}

/** What a responder is called elsewhere is no matter: ResponderID has the subject. CAs have signed empty lists of names. */
const unread = [extensionTypes.subjectAltName];

/** No signature covers the list: what cannot be decoded is no candidate, and spoils nothing. */
function decodable(certificates: readonly Buffer[]): readonly Certificate[] {
  return certificates.flatMap((der) => {
    try {
      return [new Certificate(der, unread)];
    } catch (error) {
      if (error instanceof DerError) return [];
      throw error;
    }
  });
}

/**
 * What a delegate's certificate lacks (RFC 6960 section 4.2.2.2), apart from its signature. It must be issued by the issuer
 * directly, for OCSPSigning by name: anyExtendedKeyUsage does not make a responder.
 */
function faultOf(delegate: Certificate, query: SignerQuery): SignerFault | undefined {
  const { extKeyUsage, unsupportedCritical } = delegate.extensions;
  const unauthorized = (detail: string): SignerFault => ({ cause: 'responder-not-authorized', detail });
  if (delegate.issuerKey !== query.issuer.subjectKey) return unauthorized('not issued by the issuer');
  if (extKeyUsage?.includes(ocspSigningOid) !== true) return unauthorized('extKeyUsage without OCSPSigning');
  if (!holds(() => check.checkDigitalSignature(delegate, 0))) return unauthorized('keyUsage without digitalSignature');
  const unsupported = unsupportedCritical.find((type) => type !== nocheckDotted);
  if (unsupported !== undefined) return unauthorized(`critical extension ${unsupported}`);
  if (!mayGoUnchecked(delegate, query)) return unauthorized('revocation of the delegate is not checked');
  if (!holds(() => check.checkValidity(delegate, 0, query.time))) {
    return { cause: 'responder-expired', detail: 'the delegate is not valid at this time' };
  }
  if (!isKeyPermitted(delegate, query)) return { cause: 'algorithm-not-permitted', detail: "the delegate's key" };
  if (!holds(() => check.checkSignatureAlgorithm(delegate, 0, query))) {
    return { cause: 'algorithm-not-permitted', detail: `delegate signed with ${delegate.signatureAlgorithm.oid}` };
  }
  return undefined;
}

/**
 * RFC 6960 section 4.2.2.2.1: id-pkix-ocsp-nocheck says that the delegate is good for as long as it is valid; otherwise the
 * certificate names a way to check it; or neither, and the relying party decides.
 *
 * NOTE: revocation of delegates is not checked, so that those which name a way to check it are refused. OpenSSL does not
 * check it either, unless told to, and accepts.
 */
function mayGoUnchecked(delegate: Certificate, { delegateWithoutNocheck = 'reject' }: ResponderRules): boolean {
  if (delegate.extensionValue(nocheckOid) !== undefined) return true;
  return delegateWithoutNocheck === 'accept' && !namesWayToCheck(delegate);
}

/** cRLDistributionPoints, or an authorityInfoAccess that names a responder, or that nobody can say what it names. */
function namesWayToCheck(delegate: Certificate): boolean {
  if (delegate.extensionValue(crlDistributionPointsOid) !== undefined) return true;
  const range = delegate.extensionValue(extensionTypes.authorityInfoAccess);
  if (range === undefined) return false;
  try {
    return decodeOcspUrls(delegate.der, range).length > 0;
  } catch (error) {
    if (error instanceof DerError) return true;
    throw error;
  }
}

function isKeyPermitted(certificate: Certificate, rules: ValidationRules): boolean {
  return holds(() => {
    check.checkKey(certificate, 0, rules);
    check.checkKeyOnCurve(certificate, 0);
  });
}

/** Whether a check passes. */
function holds(checkRule: () => void): boolean {
  try {
    checkRule();
    return true;
  } catch (error) {
    if (error instanceof ClientCertificateError) return false;
    throw error;
  }
}
