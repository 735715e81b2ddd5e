import { encodeCertificate, type CertificateFields, type EncodedCertificate } from './certificate';
import { encodeCrl, type CrlFields } from './crl';
import type { KeyPair } from './key';
import { encodeOcspResponse, type OcspResponseFields } from './ocsp';

/** A certificate with its private key and the way up to its trust anchor. */
export interface TestCertificate {
  /** The certificate in DER. */
  readonly der: Buffer;
  /** The certificate in PEM, without its chain. */
  readonly pem: string;
  /** Its key pair. */
  readonly key: KeyPair;
  /** The private key in PKCS #8. */
  readonly privateKeyPem: string;
  /** DER of the subject, for another certificate with the same name. */
  readonly subject: Buffer;
  /** `undefined` when the extension is absent. */
  readonly subjectKeyIdentifier: Buffer | undefined;
  /** DER of the intermediates, from this certificate's issuer up, without the self-signed root. */
  readonly chain: readonly Buffer[];
  /** The same with the root. Empty for a self-signed certificate. */
  readonly chainWithRoot: readonly Buffer[];
  /** PEM of this certificate and then `chain`, as `cert` of `tls.connect` wants it. */
  readonly chainPem: string;
}

/** A certificate that issues others. Nothing stops one whose extensions say that it may not. */
export interface TestAuthority extends TestCertificate {
  /** Issues an end-entity certificate, for client authentication unless `fields` say otherwise. */
  issue(fields?: CertificateFields): TestCertificate;
  /** Issues a certificate for an authority below this one. */
  issueIntermediate(fields?: CertificateFields): TestAuthority;
  /** Issues another certificate for the name, key and key identifier of `other`. What that one issues has this path. */
  crossSign(other: TestAuthority, fields?: CertificateFields): TestAuthority;
  /** Makes a CRL of this authority, in DER. */
  crl(fields?: CrlFields): Buffer;
  /** Makes an OCSP response about certificates of this authority, in DER. */
  ocspResponse(fields: OcspResponseFields): Buffer;
}

function encodePem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

type Path = Pick<TestCertificate, 'chain' | 'chainWithRoot'>;

function toCertificate(encoded: EncodedCertificate, path: Path): TestCertificate {
  const pem = encodePem(encoded.der);
  return {
    ...encoded,
    ...path,
    pem,
    privateKeyPem: encoded.key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    chainPem: [pem, ...path.chain.map(encodePem)].join(''),
  };
}

function toAuthority(encoded: EncodedCertificate, path: Path, isRoot: boolean): TestAuthority {
  const below: Path = {
    chain: isRoot ? [] : [encoded.der, ...path.chain],
    chainWithRoot: [encoded.der, ...path.chainWithRoot],
  };
  const issueIntermediate = (fields: CertificateFields = {}): TestAuthority =>
    toAuthority(encodeCertificate(fields, 'authority', encoded), below, false);
  return {
    ...toCertificate(encoded, path),
    issue: (fields = {}) => toCertificate(encodeCertificate(fields, 'end-entity', encoded), below),
    issueIntermediate,
    crossSign: (other, fields) =>
      issueIntermediate({
        subject: other.subject,
        key: other.key,
        subjectKeyIdentifier: other.subjectKeyIdentifier ?? 'absent',
        ...fields,
      }),
    crl: (fields = {}) => encodeCrl(fields, encoded),
    ocspResponse: (fields) => encodeOcspResponse(fields, encoded),
  };
}

const noPath: Path = { chain: [], chainWithRoot: [] };

/**
 * Makes a self-signed root authority, to be a trust anchor. With the `subject` of another authority and a key of its own,
 * it is a look-alike of that one.
 *
 * @throws TypeError if `signatureAlgorithm` does not suit the key.
 */
export function createAuthority(fields: CertificateFields = {}): TestAuthority {
  return toAuthority(encodeCertificate(fields, 'authority', undefined), noPath, true);
}

/**
 * Makes a self-signed end-entity certificate: no authority stands behind it.
 *
 * @throws TypeError if `signatureAlgorithm` does not suit the key.
 */
export function selfSigned(fields: CertificateFields = {}): TestCertificate {
  return toCertificate(encodeCertificate(fields, 'end-entity', undefined), noPath);
}
