import { LRUCache } from 'lru-cache';
import { Certificate } from '../x509/certificate';
import type { BuiltPath } from './build-path';

/** Intermediates kept. A PKI has a handful; a partner platform some hundreds. */
const maxKnown = 1_000;

/** Octets at the end of a certificate, inside its signature, that tell certificates apart well enough to look them up. */
const keyOctets = 32;

/** Characters of chains kept, and of the longest: an honest one has some hundreds for each certificate. */
const maxChainsLength = 4_000_000;
const maxChainLength = 16_000;

/**
 * Intermediates that have stood in a verified path, decoded, with the signatures already verified over them. Saves the
 * work of doing it again; never supplies a candidate, so a verdict does not depend on what was asked before.
 *
 * Only verified paths are remembered: a stranger's certificates cannot push out honest ones.
 */
export class KnownIntermediates {
  readonly #byEnding = new LRUCache<string, Certificate>({ max: maxKnown });
  readonly #chains = new LRUCache<string, readonly Certificate[]>({
    maxSize: maxChainsLength,
    maxEntrySize: maxChainLength,
    sizeCalculation: (_, text) => Math.max(1, text.length),
  });
  /** Keys that a certificate was found to be signed with, by their SHA-256. */
  readonly #signedBy = new WeakMap<Certificate, Set<string>>();

  /** Decodes a certificate, or finds it decoded. The bytes are kept: they must be the caller's to give away. */
  decode(der: Uint8Array): Certificate {
    const bytes = Buffer.from(der.buffer, der.byteOffset, der.byteLength);
    const known = this.#byEnding.get(endingOf(bytes));
    return known?.der.equals(bytes) === true ? known : new Certificate(bytes);
  }

  /** Whether this very signature was verified before. */
  isSignedBy(certificate: Certificate, issuer: Certificate): boolean {
    return this.#signedBy.get(certificate)?.has(issuer.spkiSha256) === true;
  }

  /** The chain written so, decoded, if a path was verified with it before. */
  chainOf(text: string | undefined): readonly Certificate[] | undefined {
    return text === undefined || text.length > maxChainLength ? undefined : this.#chains.get(text);
  }

  /** Remembers a chain that a path was verified with, whether or not the path needed the whole of it. */
  rememberChain(text: string | undefined, chain: readonly Certificate[]): void {
    // Decoded again: the very certificates whose signatures are known, if there are two of the same bytes.
    if (text !== undefined) this.#chains.set(text, Object.freeze(chain.map(({ der }) => this.decode(der))));
  }

  remember({ certificates, anchor }: BuiltPath): void {
    let issuer = anchor;
    for (let depth = certificates.length - 1; depth > 0; depth--) {
      let certificate = certificates[depth] as Certificate;
      if (!this.isSignedBy(certificate, issuer)) {
        certificate = this.#keep(certificate);
        const keys = this.#signedBy.get(certificate) ?? new Set();
        this.#signedBy.set(certificate, keys.add(issuer.spkiSha256));
      }
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
