import { LRUCache } from 'lru-cache';
import { Certificate } from '../x509/certificate';
import type { BuiltPath } from './build-path';

/** Intermediates kept. A PKI has a handful; a partner platform some hundreds. */
const maxKnown = 1_000;

/** Octets at the end of a certificate, inside its signature, that tell certificates apart well enough to look them up. */
const keyOctets = 32;

/**
 * Intermediates that have stood in a verified path, decoded, with the signatures already verified over them. Saves the
 * work of doing it again; never supplies a candidate, so a verdict does not depend on what was asked before.
 *
 * Only verified paths are remembered: a stranger's certificates cannot push out honest ones.
 */
export class KnownIntermediates {
  readonly #byEnding = new LRUCache<string, Certificate>({ max: maxKnown });
  readonly #signedBy = new WeakMap<Certificate, WeakSet<Certificate>>();

  /** Decodes a certificate, or finds it decoded. The bytes are kept: they must be the caller's to give away. */
  decode(der: Uint8Array): Certificate {
    const bytes = Buffer.from(der.buffer, der.byteOffset, der.byteLength);
    const known = this.#byEnding.get(endingOf(bytes));
    return known?.der.equals(bytes) === true ? known : new Certificate(bytes);
  }

  /** Whether this very signature was verified before. */
  isSignedBy(certificate: Certificate, issuer: Certificate): boolean {
    return this.#signedBy.get(certificate)?.has(issuer) === true;
  }

  remember({ certificates, anchor }: BuiltPath): void {
    let issuer = anchor;
    for (let depth = certificates.length - 1; depth > 0; depth--) {
      const certificate = this.#keep(certificates[depth] as Certificate);
      const signers = this.#signedBy.get(certificate) ?? new WeakSet();
      this.#signedBy.set(certificate, signers.add(issuer));
      issuer = certificate;
    }
  }

  #keep(certificate: Certificate): Certificate {
    const ending = endingOf(certificate.der);
    const known = this.#byEnding.get(ending);
    if (known?.der.equals(certificate.der) === true) return known;
    this.#byEnding.set(ending, certificate);
    return certificate;
  }
}

function endingOf(der: Buffer): string {
  return der.toString('latin1', Math.max(0, der.length - keyOctets));
}
