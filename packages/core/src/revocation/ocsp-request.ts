import { hash } from 'node:crypto';
import type { Certificate } from '../x509/certificate';
import { contextTag, Tag } from '../x509/der';
import { oid } from '../x509/oid';
import { maxNonceOctets } from '../x509/ocsp-response';
import type { CertId } from '../x509/ocsp-single-response';

/** Digests a CertID may be made with, in the words of `node:crypto`, by the latin1 contents of their OIDs. */
const hashAlgorithms = new Map([
  [oid('1.3.14.3.2.26'), 'sha1'],
  [oid('2.16.840.1.101.3.4.2.1'), 'sha256'],
  [oid('2.16.840.1.101.3.4.2.2'), 'sha384'],
  [oid('2.16.840.1.101.3.4.2.3'), 'sha512'],
]);

const sha1Oid = oid('1.3.14.3.2.26');
const nonceOid = oid('1.3.6.1.5.5.7.48.1.2');

/** Whom an OCSP request or response is about: a certificate and the one that issued it. */
export interface OcspSubject {
  readonly certificate: Certificate;
  readonly issuer: Certificate;
}

/** The digest of a certificate's key, as CertID has it, and with SHA-1 also ResponderID. */
export function keyHashOf(certificate: Certificate, algorithm = 'sha1'): Buffer {
  return hash(algorithm, certificate.publicKeyBits, 'buffer');
}

/** The digest of an issuer's name in a CertID (RFC 6960 section 4.1.1): of the issuer field of the certificate in question. */
function nameHashOf(certificate: Certificate, algorithm: string): Buffer {
  return hash(algorithm, certificate.issuerDer, 'buffer');
}

/** Whether a CertID (RFC 6960 section 4.1.1) means the certificate. One made with a digest that is not known means none. */
export function isAbout(certId: CertId, { certificate, issuer }: OcspSubject): boolean {
  const algorithm = hashAlgorithms.get(certId.hashAlgorithm);
  return (
    algorithm !== undefined &&
    // Both in the fewest octets, so that equal integers are equal octets.
    certId.serialNumber.equals(certificate.serialNumberOctets) &&
    certId.issuerNameHash.equals(nameHashOf(certificate, algorithm)) &&
    certId.issuerKeyHash.equals(keyHashOf(issuer, algorithm))
  );
}

/**
 * Encodes an OCSPRequest (RFC 6960 section 4.1.1) for one certificate, unsigned, as the lightweight profile has it: one
 * CertID, with SHA-1 (RFC 5019 section 2.1.1), which every responder knows. No security rests on that digest: it is a
 * name for an issuer that the answer's signature then has to come from.
 *
 * @param nonce - For an answer that is made for this request: 1 to 128 octets, 32 at best (RFC 9654 section 2.1). Without
 * one, an answer may come from a cache.
 * @throws {RangeError} for a nonce of another length.
 */
export function ocspRequest({ certificate, issuer, nonce }: OcspSubject & { readonly nonce?: Buffer }): Buffer {
  const certId = element(
    Tag.sequence,
    element(Tag.sequence, element(Tag.oid, Buffer.from(sha1Oid, 'latin1')), element(Tag.null)),
    element(Tag.octetString, nameHashOf(certificate, 'sha1')),
    element(Tag.octetString, keyHashOf(issuer)),
    element(Tag.integer, certificate.serialNumberOctets),
  );
  const requestList = element(Tag.sequence, element(Tag.sequence, certId));
  const extensions = nonce === undefined ? [] : [requestExtensions(nonce)];
  return element(Tag.sequence, element(Tag.sequence, requestList, ...extensions));
}

function requestExtensions(nonce: Buffer): Buffer {
  if (nonce.length < 1 || nonce.length > maxNonceOctets) {
    throw new RangeError(`nonce must have from 1 to ${maxNonceOctets} octets.`);
  }
  const value = element(Tag.octetString, element(Tag.octetString, nonce));
  const extension = element(Tag.sequence, element(Tag.oid, Buffer.from(nonceOid, 'latin1')), value);
  return element(contextTag(2, 'constructed'), element(Tag.sequence, extension));
}

/** One element in DER. The largest request, with 128 octets of nonce, has 244: no length takes more than one octet. */
function element(tag: number, ...contents: readonly Buffer[]): Buffer {
  const body = Buffer.concat(contents);
  const length = body.length < 0x80 ? [body.length] : [0x81, body.length];
  return Buffer.concat([Buffer.of(tag, ...length), body]);
}

/** RFC 5019 section 5: a longer URL is not to be asked by GET. */
const maxGetUrlOctets = 255;

/**
 * The URL that asks a request by GET, which caches understand (RFC 6960 appendix A.1, RFC 5019 section 5): its base64,
 * percent-encoded, as the last part of the path. Undefined where the whole is longer than 255 octets, or the responder's
 * URL has a query or a fragment: then POST is the way.
 */
export function ocspGetUrl(url: string, request: Buffer): string | undefined {
  if (/[?#]/.test(url)) return undefined;
  const whole = `${url}${url.endsWith('/') ? '' : '/'}${encodeURIComponent(request.toString('base64'))}`;
  return whole.length <= maxGetUrlOctets ? whole : undefined;
}
