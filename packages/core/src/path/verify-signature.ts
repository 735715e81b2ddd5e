import { constants, type KeyObject, verify, type VerifyKeyObjectInput } from 'node:crypto';
import type { Certificate } from '../x509/certificate';
import type { SignatureAlgorithm } from '../x509/signature-algorithm';

/** RSA keys up to this size verify fast enough to do so without leaving the event loop. */
const maxInlineRsaBits = 4096;

/**
 * Verifies one certificate's signature with its issuer's key, by `node:crypto`. Inline for keys that verify in about a
 * tenth of a millisecond (P-256, Ed25519, RSA up to 4096 bits); on the thread pool for the slow ones (P-384, P-521,
 * larger RSA), so that a burst of them does not stall the event loop.
 *
 * False also where algorithm and key do not belong together, or OpenSSL does not take the key.
 */
export function verifySignature(certificate: Certificate, issuer: Certificate): boolean | Promise<boolean> {
  const { publicKeyInfo: info } = issuer;
  const isFast =
    info.type === 'ed25519' ||
    (info.type === 'ec' && info.curve === 'P-256') ||
    (info.type === 'rsa' && info.modulusBits <= maxInlineRsaBits);
  return isFast ? isSignedBy(certificate, issuer) : isSignedByOffLoop(certificate, issuer);
}

/** The same, inline for every key: for construction, where nothing waits. */
export function isSignedBy(certificate: Certificate, issuer: Certificate): boolean {
  const { algorithm } = certificate.signatureAlgorithm;
  if (algorithm?.keyType !== issuer.publicKeyInfo.type) return false;
  try {
    return verify(algorithm.digest, certificate.tbs, verifyKey(algorithm, issuer), certificate.signature);
  } catch {
    return false;
  }
}

async function isSignedByOffLoop(certificate: Certificate, issuer: Certificate): Promise<boolean> {
  const { algorithm } = certificate.signatureAlgorithm;
  if (algorithm?.keyType !== issuer.publicKeyInfo.type) return false;
  return new Promise((resolve) => {
    try {
      const key = verifyKey(algorithm, issuer);
      verify(algorithm.digest, certificate.tbs, key, certificate.signature, (error, verified) => {
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
