import { isSignedBy, verifyInSlices } from '../path/verify-signature';
import type { Certificate } from '../x509/certificate';
import type { Crl } from '../x509/crl';

/** A CRL, where it is from, and whose signature it was found to have. */
export class KnownCrl {
  /** By the key that was tried. */
  readonly #answers = new Map<string, boolean | Promise<boolean>>();
  #signer: Certificate | undefined;
  #scope: string | undefined;

  constructor(
    readonly crl: Crl,
    /** The file or URL. */
    readonly source: string,
  ) {}

  /** Who signed it, where that has been found out. */
  get signer(): Certificate | undefined {
    return this.#signer;
  }

  /** Whether somebody was asked who might have signed it, and nobody has. */
  get isDoubtful(): boolean {
    return this.#answers.size > 0 && [...this.#answers.values()].every((answer) => answer === false);
  }

  /** Whether a key signed it. Found out once for each key: a promise until then. */
  isSignedBy(authority: Certificate): boolean | Promise<boolean> {
    const known = this.#answers.get(authority.spkiSha256);
    if (known !== undefined) return known;
    const answer = verifyInSlices(this.crl, authority);
    if (!(answer instanceof Promise)) return this.#conclude(authority, answer);
    const concluded = answer.then((verified) => this.#conclude(authority, verified));
    this.#answers.set(authority.spkiSha256, concluded);
    return concluded;
  }

  /** The same at once, for construction, where nothing waits. */
  isSignedByAtOnce(authority: Certificate): boolean {
    const known = this.#answers.get(authority.spkiSha256);
    return typeof known === 'boolean' ? known : this.#conclude(authority, isSignedBy(this.crl, authority));
  }

  /** Waits for whatever is being found out about its signature. */
  async settle(): Promise<void> {
    await Promise.all([...this.#answers.values()].filter((answer) => answer instanceof Promise));
  }

  /**
   * Equal for CRLs of which the newer one replaces the older: of one issuer, one key as far as they name it, one kind, and
   * about the same certificates. Two keys of one name have numbers of their own.
   */
  get scope(): string {
    return (this.#scope ??= JSON.stringify([this.#isDelta, ...scopeOf(this.crl)]));
  }

  get #isDelta(): boolean {
    return this.crl.extensions.deltaCrlIndicator !== undefined;
  }

  /** Whether it was issued after another of the same scope: by number where both have one, otherwise by time. */
  isNewerThan({ crl: other }: KnownCrl): boolean {
    const { crlNumber: mine } = this.crl.extensions;
    const { crlNumber: theirs } = other.extensions;
    if (mine !== undefined && theirs !== undefined && mine !== theirs) return mine > theirs;
    return this.crl.thisUpdate > other.thisUpdate;
  }

  /** Whether the same key signed both, as far as is known. */
  hasSignerOf({ signer }: KnownCrl): boolean {
    return signer !== undefined && this.#signer?.spkiSha256 === signer.spkiSha256;
  }

  /**
   * Whether it says all that another says, and later: RFC 5280 section 5.2.3, and 5.2.4 (c) for a delta CRL. Only of CRLs
   * of which it is known that one key signed them.
   */
  supersedes(other: KnownCrl): boolean {
    const isAboutTheSame = this.scope === other.scope || (!this.#isDelta && this.scope === completeScopeOf(other));
    return isAboutTheSame && this.hasSignerOf(other) && this.isNewerThan(other);
  }

  isSameAs({ crl: other }: KnownCrl): boolean {
    return this.crl === other || this.crl.der.equals(other.der);
  }

  #conclude(authority: Certificate, verified: boolean): boolean {
    this.#answers.set(authority.spkiSha256, verified);
    if (verified) this.#signer = authority;
    return verified;
  }
}

/** The scope that a complete CRL has which a delta CRL says the changes to. */
function completeScopeOf({ crl }: KnownCrl): string {
  return JSON.stringify([false, ...scopeOf(crl)]);
}

function scopeOf({ issuerKey, extensions }: Crl): readonly unknown[] {
  const { issuingDistributionPoint: idp, authorityKeyIdentifier } = extensions;
  const scope = [
    issuerKey,
    authorityKeyIdentifier,
    idp?.distributionPoint?.uris,
    idp?.distributionPoint?.directoryNames,
    idp?.onlyContainsUserCerts,
    idp?.onlyContainsCACerts,
    idp?.onlyContainsAttributeCerts,
    idp?.indirectCRL,
    idp?.onlySomeReasons,
  ];
  return scope.map((part) => part ?? null);
}
