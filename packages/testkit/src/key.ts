import { generateKeyPairSync, type KeyObject } from 'node:crypto';

/** A private key and its public key, as `generateKeyPairSync` of node:crypto returns them. */
export interface KeyPair {
  /** Signs what its holder issues. */
  readonly privateKey: KeyObject;
  /** What goes into the certificate. */
  readonly publicKey: KeyObject;
}

/** An RSA key that {@link KeyAlgorithm} has no name for. */
export interface RsaKeyShape {
  /** Length of the modulus, in bits. What OpenSSL makes: 512 at least. */
  readonly rsaBits: number;
  /** An odd number greater than 1. Default 65537. */
  readonly publicExponent?: number;
}

const ecCurves = { p256: 'P-256', p384: 'P-384', p521: 'P-521', secp256k1: 'secp256k1' } as const;
const rsaBits = { rsa1024: 1024, rsa2048: 2048, rsa3072: 3072, rsa4096: 4096 } as const;
const rsaPssBits = { 'rsa-pss2048': 2048, 'rsa-pss3072': 3072 } as const;

/**
 * A key by name. `rsa...` has the public key algorithm rsaEncryption, `rsa-pss...` has id-RSASSA-PSS without parameters.
 * RSA keys are slow to make, from tens of milliseconds for `rsa2048` to seconds for `rsa4096`: make one, pass it as `key`.
 */
export type KeyAlgorithm =
  keyof typeof ecCurves | keyof typeof rsaBits | keyof typeof rsaPssBits | 'ed25519' | 'ed448' | RsaKeyShape;

function has<T extends object>(table: T, key: PropertyKey): key is keyof T {
  return Object.hasOwn(table, key);
}

/**
 * Makes a new key pair; never the same one twice.
 *
 * @param algorithm - Default `'p256'`, the fastest.
 * @throws TypeError if the algorithm has no such name.
 */
export function generateKey(algorithm: KeyAlgorithm = 'p256'): KeyPair {
  if (typeof algorithm === 'object') {
    const { rsaBits: modulusLength, publicExponent = 65537 } = algorithm;
    return generateKeyPairSync('rsa', { modulusLength, publicExponent });
  }
  if (algorithm === 'ed25519') return generateKeyPairSync('ed25519');
  if (algorithm === 'ed448') return generateKeyPairSync('ed448');
  if (has(ecCurves, algorithm)) return generateKeyPairSync('ec', { namedCurve: ecCurves[algorithm] });
  if (has(rsaBits, algorithm)) return generateKeyPairSync('rsa', { modulusLength: rsaBits[algorithm] });
  if (has(rsaPssBits, algorithm)) return generateKeyPairSync('rsa-pss', { modulusLength: rsaPssBits[algorithm] });
  throw new TypeError(`unknown key algorithm: ${String(algorithm)}`);
}
