import { constants, verify, type VerifyKeyObjectInput } from 'node:crypto';
import type { Certificate } from '../x509/certificate';

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
    return verify(algorithm.digest, certificate.tbs, verifyKey(certificate, issuer), certificate.signature);
  } catch {
    return false;
  }
}

async function isSignedByOffLoop(certificate: Certificate, issuer: Certificate): Promise<boolean> {
  const { algorithm } = certificate.signatureAlgorithm;
  if (algorithm?.keyType !== issuer.publicKeyInfo.type) return false;
  return new Promise((resolve) => {
    try {
      const key = verifyKey(certificate, issuer);
      verify(algorithm.digest, certificate.tbs, key, certificate.signature, (error, verified) => {
        resolve(error === null && verified);
      });
    } catch {
      resolve(false);
    }
  });
}

function verifyKey({ signatureAlgorithm: { algorithm } }: Certificate, issuer: Certificate): VerifyKeyObjectInput {
  const key: VerifyKeyObjectInput = { key: issuer.publicKey };
  if (algorithm?.padding === 'pkcs1') key.padding = constants.RSA_PKCS1_PADDING;
  if (algorithm?.padding === 'pss') {
    key.padding = constants.RSA_PKCS1_PSS_PADDING;
    key.saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
  }
  return key;
}
