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
  const { algorithm } = certificate.signatureAlgorithm;
  const info = issuer.publicKeyInfo;
  if (algorithm === undefined || algorithm.keyType !== info.type) return false;
  try {
    const key: VerifyKeyObjectInput = { key: issuer.publicKey };
    if (algorithm.padding === 'pkcs1') key.padding = constants.RSA_PKCS1_PADDING;
    if (algorithm.padding === 'pss') {
      key.padding = constants.RSA_PKCS1_PSS_PADDING;
      key.saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
    }
    const { tbs, signature } = certificate;
    const isFast = info.type === 'ed25519' || (info.type === 'ec' && info.curve === 'P-256');
    if (isFast || (info.type === 'rsa' && info.modulusBits <= maxInlineRsaBits)) {
      return verify(algorithm.digest, tbs, key, signature);
    }
    return new Promise((resolve) => {
      verify(algorithm.digest, tbs, key, signature, (error, verified) => resolve(error === null && verified));
    });
  } catch {
    return false;
  }
}
