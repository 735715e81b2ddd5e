import { constants, sign, type KeyObject } from 'node:crypto';
import { der } from './der';

type Hash = 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512';
type Scheme = 'ecdsa' | 'rsa' | 'rsa-pss' | 'ed25519' | 'ed448';

interface SchemeAndHash {
  readonly scheme: Scheme;
  readonly oid: string;
  readonly hash?: Hash;
}

const RSASSA_PSS = '1.2.840.113549.1.1.10';
const MGF1 = '1.2.840.113549.1.1.8';

const hashes: Readonly<Record<Hash, { readonly oid: string; readonly octets: number }>> = {
  md5: { oid: '1.2.840.113549.2.5', octets: 16 },
  sha1: { oid: '1.3.14.3.2.26', octets: 20 },
  sha256: { oid: '2.16.840.1.101.3.4.2.1', octets: 32 },
  sha384: { oid: '2.16.840.1.101.3.4.2.2', octets: 48 },
  sha512: { oid: '2.16.840.1.101.3.4.2.3', octets: 64 },
};

const algorithms = {
  'ecdsa-sha1': { scheme: 'ecdsa', oid: '1.2.840.10045.4.1', hash: 'sha1' },
  'ecdsa-sha256': { scheme: 'ecdsa', oid: '1.2.840.10045.4.3.2', hash: 'sha256' },
  'ecdsa-sha384': { scheme: 'ecdsa', oid: '1.2.840.10045.4.3.3', hash: 'sha384' },
  'ecdsa-sha512': { scheme: 'ecdsa', oid: '1.2.840.10045.4.3.4', hash: 'sha512' },
  'rsa-md5': { scheme: 'rsa', oid: '1.2.840.113549.1.1.4', hash: 'md5' },
  'rsa-sha1': { scheme: 'rsa', oid: '1.2.840.113549.1.1.5', hash: 'sha1' },
  'rsa-sha256': { scheme: 'rsa', oid: '1.2.840.113549.1.1.11', hash: 'sha256' },
  'rsa-sha384': { scheme: 'rsa', oid: '1.2.840.113549.1.1.12', hash: 'sha384' },
  'rsa-sha512': { scheme: 'rsa', oid: '1.2.840.113549.1.1.13', hash: 'sha512' },
  'rsa-pss-sha256': { scheme: 'rsa-pss', oid: RSASSA_PSS, hash: 'sha256' },
  'rsa-pss-sha384': { scheme: 'rsa-pss', oid: RSASSA_PSS, hash: 'sha384' },
  'rsa-pss-sha512': { scheme: 'rsa-pss', oid: RSASSA_PSS, hash: 'sha512' },
  ed25519: { scheme: 'ed25519', oid: '1.3.101.112' },
  ed448: { scheme: 'ed448', oid: '1.3.101.113' },
} as const satisfies Record<string, SchemeAndHash>;

/** How a certificate is signed. `rsa-...` is PKCS #1 v1.5; `rsa-pss-...` has MGF1 with the same hash and a salt as long as it. */
export type SignatureAlgorithm = keyof typeof algorithms;

/** The key types, in node:crypto's words, that a scheme can sign with. */
const keyTypes: Readonly<Record<Scheme, readonly string[]>> = {
  ecdsa: ['ec'],
  rsa: ['rsa'],
  'rsa-pss': ['rsa', 'rsa-pss'],
  ed25519: ['ed25519'],
  ed448: ['ed448'],
};

function pssParameters(hash: Hash): Buffer {
  const hashAlgorithm = der.sequence(der.oid(hashes[hash].oid), der.null());
  return der.sequence(
    der.explicit(0, hashAlgorithm),
    der.explicit(1, der.sequence(der.oid(MGF1), hashAlgorithm)),
    der.explicit(2, der.integer(hashes[hash].octets)),
  );
}

/** The DER AlgorithmIdentifier of a signature: parameters NULL for PKCS #1 v1.5, absent for ECDSA and EdDSA. */
export function algorithmIdentifier(algorithm: SignatureAlgorithm): Buffer {
  const { scheme, oid, hash }: SchemeAndHash = algorithms[algorithm];
  if (scheme === 'rsa') return der.sequence(der.oid(oid), der.null());
  if (scheme === 'rsa-pss' && hash) return der.sequence(der.oid(oid), pssParameters(hash));
  return der.sequence(der.oid(oid));
}

/**
 * The algorithm a certificate is signed with when none is named: SHA-256, or the hash that fits the curve.
 *
 * @throws TypeError if the key cannot sign a certificate.
 */
export function defaultSignatureAlgorithm(privateKey: KeyObject): SignatureAlgorithm {
  switch (privateKey.asymmetricKeyType) {
    case 'ec': {
      const curve = privateKey.asymmetricKeyDetails?.namedCurve;
      return curve === 'secp521r1' ? 'ecdsa-sha512' : curve === 'secp384r1' ? 'ecdsa-sha384' : 'ecdsa-sha256';
    }
    case 'rsa':
      return 'rsa-sha256';
    case 'rsa-pss':
      return 'rsa-pss-sha256';
    case 'ed25519':
    case 'ed448':
      return privateKey.asymmetricKeyType;
    default:
      throw new TypeError(`a key of type ${privateKey.asymmetricKeyType} cannot sign a certificate`);
  }
}

/**
 * Signs octets, usually an encoded TBSCertificate.
 *
 * @returns The signature, without the BIT STRING around it.
 * @throws TypeError if the key is of another type than the algorithm's.
 */
export function signWith(algorithm: SignatureAlgorithm, data: Uint8Array, key: KeyObject): Buffer {
  const { scheme, hash }: SchemeAndHash = algorithms[algorithm];
  if (!keyTypes[scheme].includes(key.asymmetricKeyType ?? ''))
    throw new TypeError(`a key of type ${key.asymmetricKeyType} cannot sign with ${algorithm}`);
  if (scheme === 'rsa-pss' && hash)
    return sign(hash, data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: hashes[hash].octets });
  return sign(hash, data, scheme === 'ecdsa' ? { key, dsaEncoding: 'der' } : key);
}
