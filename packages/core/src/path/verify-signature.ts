import { constants, createVerify, type KeyObject, verify, type VerifyKeyObjectInput } from 'node:crypto';
import { runInSlices } from '../slices';
import type { Certificate } from '../x509/certificate';
import type { AlgorithmIdentifier, SignatureAlgorithm } from '../x509/signature-algorithm';

/** RSA keys up to this size verify fast enough to do so without leaving the event loop. */
const maxInlineRsaBits = 4096;

/** What an issuer signs: a certificate, a CRL, an OCSP response. */
export interface Signed {
  /** What the signature covers. */
  readonly tbs: Buffer;
  readonly signature: Buffer;
  readonly signatureAlgorithm: AlgorithmIdentifier;
}

/**
 * Verifies one signature with its issuer's key, by `node:crypto`. Inline for keys that verify in about a
 * tenth of a millisecond (P-256, Ed25519, RSA up to 4096 bits); on the thread pool for the slow ones (P-384, P-521,
 * larger RSA), so that a burst of them does not stall the event loop.
 *
 * False also where algorithm and key do not belong together, or OpenSSL does not take the key.
 */
export function verifySignature(signed: Signed, issuer: Certificate): boolean | Promise<boolean> {
  const { publicKeyInfo: info } = issuer;
  const isFast =
    info.type === 'ed25519' ||
    (info.type === 'ec' && info.curve === 'P-256') ||
    (info.type === 'rsa' && info.modulusBits <= maxInlineRsaBits);
  return isFast ? isSignedBy(signed, issuer) : isSignedByOffLoop(signed, issuer);
}

/** So many octets are digested without leaving the event loop: some 2 milliseconds' worth. */
const inlineOctets = 1_048_576;

/** The same for what may be large, such as a CRL of a million entries: digests it in slices. */
export function verifyInSlices(signed: Signed, issuer: Certificate): boolean | Promise<boolean> {
  const { algorithm } = signed.signatureAlgorithm;
  if (signed.tbs.length <= inlineOctets) return verifySignature(signed, issuer);
  // Ed25519 digests for itself, all of it at once.
  if (algorithm === undefined || algorithm.digest === null) return isSignedByOffLoop(signed, issuer);
  if (algorithm.keyType !== issuer.publicKeyInfo.type) return false;
  return runInSlices(digestAndVerify(signed, algorithm.digest, algorithm, issuer));
}

function* digestAndVerify(
  { tbs, signature }: Signed,
  digest: string,
  algorithm: SignatureAlgorithm,
  issuer: Certificate,
): Generator<void, boolean, void> {
  try {
    const verifier = createVerify(digest);
    for (let at = 0; at < tbs.length; at += inlineOctets) {
      verifier.update(tbs.subarray(at, at + inlineOctets));
      yield;
    }
    return verifier.verify(verifyKey(algorithm, issuer), signature);
  } catch {
    return false;
  }
}

/** The same, inline for every key: for construction, where nothing waits. */
export function isSignedBy(signed: Signed, issuer: Certificate): boolean {
  const { algorithm } = signed.signatureAlgorithm;
  if (algorithm?.keyType !== issuer.publicKeyInfo.type) return false;
  try {
    return verify(algorithm.digest, signed.tbs, verifyKey(algorithm, issuer), signed.signature);
  } catch {
    return false;
  }
}

async function isSignedByOffLoop(signed: Signed, issuer: Certificate): Promise<boolean> {
  const { algorithm } = signed.signatureAlgorithm;
  if (algorithm?.keyType !== issuer.publicKeyInfo.type) return false;
  return new Promise((resolve) => {
    try {
      const key = verifyKey(algorithm, issuer);
      verify(algorithm.digest, signed.tbs, key, signed.signature, (error, verified) => {
        resolve(error === null && verified);
      });
    } catch {
      resolve(false);
    }
  });
}

/** The key by itself wherever it says all: taking an object apart costs Node a tenth of a verification. */
function verifyKey({ padding }: SignatureAlgorithm, { publicKey }: Certificate): KeyObject | VerifyKeyObjectInput {
  // For RSA keys, PKCS#1 v1.5 is what Node does unless told otherwise.
  if (padding !== 'pss') return publicKey;
  const { RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_DIGEST } = constants;
  return { key: publicKey, padding: RSA_PKCS1_PSS_PADDING, saltLength: RSA_PSS_SALTLEN_DIGEST };
}
