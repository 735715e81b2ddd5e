import { ClientCertificateError, isRefusal, mostSpecific } from '../errors';
import type { TrustStore } from '../trust/trust-store';
import type { Certificate } from '../x509/certificate';
import type { Acceptance, PathAcceptor } from './acceptance';
import * as check from './checks';
import type { RequiredUsage } from './checks';
import type { KnownIntermediates } from './known-intermediates';
import { NameConstraintChecker } from './name-constraints';
import { type CertificatePolicyOptions, processPolicies } from './policies';
import { checkProfile } from './profile';
import type { ResolvedRules } from './rules';

/** What a path is built from. */
export interface PathQuery {
  readonly endEntity: Certificate;
  /** Candidate issuers that came with the end-entity certificate: unordered, unverified, perhaps unrelated. */
  readonly presented: readonly Certificate[];
  readonly trust: TrustStore;
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  readonly requiredUsage: RequiredUsage;
  /** Most intermediates between end-entity certificate and trust anchor, self-issued ones included. */
  readonly maxIntermediates: number;
  readonly policies: CertificatePolicyOptions;
  readonly rules: ResolvedRules;
  /** Signatures that need not be asked about again. They count all the same: a search ends where it would without. */
  readonly known?: KnownIntermediates;
  /** Whom a path that is good in every other way is put before. Default: nobody. */
  readonly acceptor?: PathAcceptor | undefined;
}

/** A signature somebody has to verify before the search goes on. */
export interface SignatureQuestion {
  readonly certificate: Certificate;
  readonly issuer: Certificate;
}

/** What a search asks while it goes on, and wants answered with a boolean, or with an {@link Acceptance}. */
export type SearchQuestion = SignatureQuestion | { readonly path: BuiltPath };

type Search<Result> = Generator<SearchQuestion, Result, boolean | Acceptance>;

/**
 * Certificates in path order, end-entity first, and the trust anchor that issued the last. Of a pinned end-entity certificate,
 * that certificate alone, which is its own anchor.
 */
export interface BuiltPath {
  readonly certificates: readonly [Certificate, ...Certificate[]];
  readonly anchor: Certificate;
  /** Policies the path is good for, see {@link processPolicies}. */
  readonly policies: readonly string[];
  /** What the acceptor says of it, where there is one. */
  readonly acceptance?: Acceptance & { readonly refusal?: undefined };
}

/**
 * Signature checks in one search. The figure is rustls-webpki's, which took it from the remedy for Go's CVE-2018-16875:
 * an honest path of ten certificates needs ten.
 */
export const maxSignatures = 100;

/** Issuers tried in one search. An honest path tries one for each certificate; cross-signed CAs a few. */
export const maxCandidates = 1_000;

/** Paths put before the acceptor in one search: each may cost it a question to somebody else. An honest search has one. */
export const maxPaths = 20;

/** How a search ended. */
export type PathVerdict =
  | { readonly path: BuiltPath }
  | {
      readonly refusal: ClientCertificateError;
      /** Milliseconds since the Unix epoch: from then on a certificate that was not yet valid may make a path good. */
      readonly holdsUntil: number;
    };

/**
 * Builds a certification path (RFC 4158) and validates it (RFC 5280 section 6.1) on the way: depth first from the
 * end-entity certificate, anchors before intermediates, issuers with the right key identifier before others, backing out
 * of every dead end. The refusal is the most telling one over all candidate paths.
 *
 * Rules that need no key come first, and signatures last: only when names lead all the way to an anchor are they
 * verified, from the anchor down, so that a certificate of an unknown issuer costs no public-key operation and no key is
 * used before a trusted one has vouched for it.
 *
 * A generator: it yields each question and wants its answer, so that the same search runs inline or off the event loop.
 */
export function* buildPath(query: PathQuery): Search<PathVerdict> {
  const search = new PathSearch(query);
  const isPinned = query.trust.isPinned(query.endEntity);
  try {
    checkEndEntity(query, isPinned);
    if (isPinned) {
      const path = yield* search.pinned();
      if (path !== undefined) return { path };
      check.checkSignatureAlgorithm(query.endEntity, 0, query.rules);
    }
    const path = yield* search.extend([query.endEntity], 0);
    if (path !== undefined) return { path };
  } catch (error) {
    if (!(error instanceof ClientCertificateError)) throw error;
    search.note(error);
  }
  return search.refused();
}

function checkEndEntity({ endEntity, time, requiredUsage, rules }: PathQuery, isPinned: boolean): void {
  check.checkVersion(endEntity, 0);
  check.checkValidity(endEntity, 0, time);
  // How a pinned certificate is signed says nothing: it is trusted, not verified.
  if (!isPinned) check.checkSignatureAlgorithm(endEntity, 0, rules);
  check.checkKey(endEntity, 0, rules);
  check.checkCriticalExtensions(endEntity, 0);
  check.checkIsNotCa(endEntity, 0, rules);
  check.checkDigitalSignature(endEntity, 0);
  check.checkExtKeyUsage(endEntity, 0, requiredUsage, rules);
  if (rules.profile === 'rfc5280') checkProfile(endEntity, 0, 'end-entity');
}

type PathSoFar = readonly [Certificate, ...Certificate[]];

class PathSearch {
  readonly #query: PathQuery;
  readonly #presented = new Map<string, Certificate[]>();
  readonly #answers: (SignatureQuestion & { readonly answer: boolean })[] = [];
  readonly #names = new NameConstraintChecker();
  #candidates = 0;
  #paths = 0;
  #refusal: ClientCertificateError | undefined;
  #holdsUntil = Infinity;

  constructor(query: PathQuery) {
    this.#query = query;
    for (const certificate of query.presented) {
      const same = this.#presented.get(certificate.subjectKey);
      if (same === undefined) this.#presented.set(certificate.subjectKey, [certificate]);
      else same.push(certificate);
    }
  }

  refused(): PathVerdict {
    const refusal = this.#refusal ?? issuerUnknown([this.#query.endEntity]);
    return { refusal, holdsUntil: this.#holdsUntil };
  }

  note(refusal: ClientCertificateError): void {
    this.#refusal = mostSpecific(this.#refusal, refusal);
    if (isRefusal(refusal, 'ERR_CERTIFICATE_NOT_YET_VALID')) {
      this.#holdsUntil = Math.min(this.#holdsUntil, refusal.details.notBefore.getTime());
    }
  }

  /** The path of a pinned end-entity certificate, which needs nobody to vouch for it, or undefined and notes why not. */
  *pinned(): Search<BuiltPath | undefined> {
    const { endEntity, policies } = this.#query;
    try {
      check.checkKeyOnCurve(endEntity, 0);
      const path = {
        certificates: [endEntity],
        anchor: endEntity,
        policies: processPolicies([endEntity], policies),
      } as const;
      return yield* this.#accept(path);
    } catch (error) {
      if (!(error instanceof ClientCertificateError)) throw error;
      this.note(error);
      return undefined;
    }
  }

  /**
   * Completes a path from here to an anchor, or notes why not.
   *
   * @param below - Intermediates in the path that are not self-issued.
   */
  *extend(path: PathSoFar, below: number): Search<BuiltPath | undefined> {
    const { trust, maxIntermediates } = this.#query;
    const last = path.at(-1) as Certificate;
    const { issuerKey } = last;
    const depth = path.length;
    const anchors = likeliestFirst(last, trust.anchorsNamed(issuerKey));
    for (const anchor of anchors) {
      if (!this.#admits(anchor, depth, below, 'anchor')) continue;
      if (!this.#admitsKeys(path, anchor) || !(yield* this.#verify(path, anchor))) continue;
      const policies = this.#process(path, anchor);
      if (policies === undefined) continue;
      const accepted = yield* this.#accept({ certificates: fitting(path), anchor, policies });
      if (accepted !== undefined) return accepted;
    }
    const issuers = likeliestFirst(last, [
      ...(this.#presented.get(issuerKey) ?? []),
      ...trust.intermediatesNamed(issuerKey),
    ]);
    // An issuer that is in the path already leads nowhere new: a self-signed root, for one.
    let isDeadEnd = anchors.length === 0;
    for (const issuer of issuers) {
      if (isIn(path, issuer)) continue;
      isDeadEnd = false;
      if (depth > maxIntermediates) {
        this.note(new ClientCertificateError('ERR_PATH_TOO_LONG', { maximum: maxIntermediates }));
        break;
      }
      if (!this.#admits(issuer, depth, below, 'intermediate')) continue;
      const found = yield* this.extend([...path, issuer], issuer.isSelfIssued ? below : below + 1);
      if (found !== undefined) return found;
    }
    if (isDeadEnd) this.note(issuerUnknown(path));
    return undefined;
  }

  /** Every rule an issuer can break that needs no key. */
  #admits(issuer: Certificate, depth: number, below: number, role: 'anchor' | 'intermediate'): boolean {
    if (++this.#candidates > maxCandidates) {
      throw new ClientCertificateError('ERR_PATH_BUDGET_EXCEEDED', { limit: 'candidates', maximum: maxCandidates });
    }
    const { time, rules } = this.#query;
    try {
      check.checkKey(issuer, depth, rules);
      if (role === 'intermediate' || rules.anchor !== 'ignore') this.#checkIssuer(issuer, depth, below, role);
      const validity = role === 'anchor' ? this.#checkAnchorConstraints(issuer, depth, below) : issuer;
      check.checkValidity(validity, depth, time);
      return true;
    } catch (error) {
      if (!(error instanceof ClientCertificateError)) throw error;
      this.note(error);
      return false;
    }
  }

  /** Every rule about what an issuer's certificate says, but for its validity. */
  #checkIssuer(issuer: Certificate, depth: number, below: number, role: 'anchor' | 'intermediate'): void {
    const { requiredUsage, rules } = this.#query;
    check.checkVersion(issuer, depth);
    check.checkIssuer(issuer, depth);
    check.checkPathLength(issuer, depth, below);
    // How an anchor is signed says nothing: it is trusted, not verified.
    if (role === 'intermediate') check.checkSignatureAlgorithm(issuer, depth, rules);
    check.checkCriticalExtensions(issuer, depth);
    check.checkExtKeyUsage(issuer, depth, requiredUsage);
    if (rules.profile === 'rfc5280') checkProfile(issuer, depth, role);
  }

  /** @returns when the anchor counts. */
  #checkAnchorConstraints(anchor: Certificate, depth: number, below: number): check.Validity {
    const { trust, requiredUsage, rules } = this.#query;
    const constraints = trust.constraintsOn(anchor);
    for (const each of constraints) check.checkAnchorConstraints(each, depth, below, requiredUsage);
    return check.validityOfAnchor(anchor, constraints, rules);
  }

  /** The rule about keys that takes arithmetic. */
  #admitsKeys(path: PathSoFar, anchor: Certificate): boolean {
    try {
      path.forEach(check.checkKeyOnCurve);
      check.checkKeyOnCurve(anchor, path.length);
      return true;
    } catch (error) {
      if (!(error instanceof ClientCertificateError)) throw error;
      this.note(error);
      return false;
    }
  }

  /** Verifies every signature of a path, from the anchor down. */
  *#verify(path: PathSoFar, anchor: Certificate): Search<boolean> {
    let issuer = anchor;
    for (let depth = path.length - 1; depth >= 0; depth--) {
      const certificate = path[depth] as Certificate;
      const known = this.#answerTo(certificate, issuer);
      if (!(known ?? this.#remember(certificate, issuer, (yield { certificate, issuer }) === true))) {
        const details = { depth, issuer: certificate.issuer.toString() };
        this.note(new ClientCertificateError('ERR_PATH_SIGNATURE_INVALID', details));
        return false;
      }
      issuer = certificate;
    }
    return true;
  }

  /** The rules over a path as a whole, once its signatures are known to be good: nobody else's constraints count. */
  #process(path: PathSoFar, anchor: Certificate): readonly string[] | undefined {
    try {
      const { trust, rules, policies } = this.#query;
      this.#names.check(path, anchor, rules, trust.constraintsOn(anchor));
      return processPolicies(path, policies);
    } catch (error) {
      if (!(error instanceof ClientCertificateError) || error.code === 'ERR_PATH_BUDGET_EXCEEDED') throw error;
      this.note(error);
      return undefined;
    }
  }

  /** The path, if whoever it is put before takes it. */
  *#accept(path: BuiltPath): Search<BuiltPath | undefined> {
    if (this.#query.acceptor === undefined) return path;
    if (++this.#paths > maxPaths) {
      throw new ClientCertificateError('ERR_PATH_BUDGET_EXCEEDED', { limit: 'paths', maximum: maxPaths });
    }
    const acceptance = (yield { path }) as Acceptance;
    if (acceptance.refusal === undefined) return { ...path, acceptance };
    this.note(acceptance.refusal);
    this.#holdsUntil = Math.min(this.#holdsUntil, acceptance.until);
    return undefined;
  }

  /** The answer, where the question was asked before in this search or need not be asked. */
  #answerTo(certificate: Certificate, issuer: Certificate): boolean | undefined {
    for (const asked of this.#answers) {
      if (asked.certificate === certificate && asked.issuer === issuer) return asked.answer;
    }
    if (this.#answers.length === maxSignatures) {
      throw new ClientCertificateError('ERR_PATH_BUDGET_EXCEEDED', { limit: 'signatures', maximum: maxSignatures });
    }
    const isKnown = this.#query.known?.isSignedBy(certificate, issuer) === true;
    return isKnown ? this.#remember(certificate, issuer, true) : undefined;
  }

  #remember(certificate: Certificate, issuer: Certificate, answer: boolean): boolean {
    this.#answers.push({ certificate, issuer, answer });
    return answer;
  }
}

/** A copy without the room that a list keeps for growing: verified paths are kept by the thousand. */
function fitting(path: PathSoFar): PathSoFar {
  return path.slice() as [Certificate, ...Certificate[]];
}

function issuerUnknown(path: PathSoFar): ClientCertificateError {
  const last = path.at(-1) as Certificate;
  return new ClientCertificateError('ERR_PATH_ISSUER_UNKNOWN', { depth: path.length, issuer: last.issuer.toString() });
}

/** RFC 4158 section 2.4.2: the same key under the same name twice makes a loop, whatever else differs. */
function isIn(path: PathSoFar, issuer: Certificate): boolean {
  return path.some((member) => member.hasSameKeyAs(issuer) && member.subjectKey === issuer.subjectKey);
}

/** RFC 4158 section 3.5.12: issuers whose key identifier matches, then those without one, then the others. */
function likeliestFirst(certificate: Certificate, issuers: readonly Certificate[]): readonly Certificate[] {
  if (issuers.length < 2) return issuers;
  const wanted = certificate.extensions.authorityKeyIdentifier;
  const rank = ({ extensions: { subjectKeyIdentifier } }: Certificate): number => {
    if (wanted === undefined || subjectKeyIdentifier === undefined) return 1;
    return subjectKeyIdentifier === wanted ? 0 : 2;
  };
  return issuers.toSorted((one, other) => rank(one) - rank(other));
}
