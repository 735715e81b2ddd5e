import { ClientCertificateError, isRefusal } from './errors';
import { createIdentity } from './identity';
import type { PathQuery } from './path/build-path';
import { KnownIntermediates } from './path/known-intermediates';
import type { CertificatePolicyOptions } from './path/policies';
import type { ResolvedRules } from './path/rules';
import type { Revocation } from './revocation/revocation';
import { decodePresented, findPath, type Validation, type VerifiedPath } from './path/validate-path';
import type { Presented, Source } from './source/source';
import type { TrustStore } from './trust/trust-store';
import { Certificate } from './x509/certificate';
import { type DatedVerdict, type Verdict, VerdictCache, type VerdictCacheOptions } from './verdict-cache';

export interface JudgeOptions {
  readonly source: Source['name'];
  readonly maxIntermediates: number;
  readonly policies: CertificatePolicyOptions;
  readonly rules: ResolvedRules;
  readonly verdictCache: VerdictCacheOptions;
  /** Whom verified paths are put before. Default: nobody. */
  readonly revocation?: Revocation | undefined;
  /** Intermediates known to others who judge by the same words. Default none. */
  readonly known?: KnownIntermediates;
}

/** A question that is being answered. */
interface Leader {
  readonly trust: TrustStore;
  /** Of `revocation`, when it was asked. */
  readonly revision: number | undefined;
  readonly verdict: Promise<Verdict>;
}

/** Reaches verdicts over presented certificates, and remembers them as long as they are true. */
export class Judge {
  readonly #source: Source['name'];
  readonly #settings: Pick<JudgeOptions, 'maxIntermediates' | 'policies' | 'rules'>;
  readonly #cache: VerdictCache;
  readonly #known: KnownIntermediates;
  readonly #revocation: Revocation | undefined;
  /** The revision of `revocation` that remembered verdicts were reached with. */
  #revision = 0;
  /** Counts how often everything was forgotten: what was begun before is not remembered after. */
  #era = 0;
  readonly #inFlight = new Map<string, Leader>();

  constructor({ source, verdictCache, known = new KnownIntermediates(), revocation, ...settings }: JudgeOptions) {
    this.#revocation = revocation;
    this.#revision = revocation?.revision ?? 0;
    this.#known = known;
    this.#source = source;
    this.#settings = settings;
    this.#cache = new VerdictCache(verdictCache);
  }

  /** The verdict that was reached before with this store and holds at this time. */
  recall({ key }: Presented, trust: TrustStore, time: number): Verdict | undefined {
    if (this.#revocation !== undefined && this.#revocation.revision !== this.#revision) {
      this.#revision = this.#revocation.revision;
      this.forget();
    }
    return this.#cache.find(key, trust, time);
  }

  /** Forgets every verdict, because what they rest on is something else now. */
  forget(): void {
    this.#era += 1;
    this.#cache.clear();
  }

  /**
   * The verdict, reached now; once for any number of requests that ask the same at the same time.
   *
   * @throws {ClientCertificateError} for what is malformed.
   */
  reach(presented: Presented, trust: TrustStore, time: number): Verdict | Promise<Verdict> {
    const leader = this.#inFlight.size === 0 ? undefined : this.#inFlight.get(presented.key);
    if (leader?.trust !== trust) return this.#validate(presented, trust, time);
    // The same question is being answered. Its answer counts only by way of the cache, where it is dated; where there is
    // none, each request finds its own. That nobody could say who is revoked is an answer to all who waited for it: asking
    // again would have each of them wait twice.
    const { revision } = leader;
    const follow = (led?: Verdict): Verdict | Promise<Verdict> => {
      const isStill = revision === this.#revocation?.revision;
      const unavailable = isStill && isRefusal(led?.refusal, 'ERR_REVOCATION_UNAVAILABLE') ? led : undefined;
      return this.recall(presented, trust, time) ?? unavailable ?? this.#validate(presented, trust, time);
    };
    return leader.verdict.then(follow, () => follow());
  }

  #validate(presented: Presented, trust: TrustStore, time: number): Verdict | Promise<Verdict> {
    const known = this.#known.chainOf(presented.chainText);
    const { endEntity, chain } = this.#decode(presented, known);
    const { maxIntermediates, policies, rules } = this.#settings;
    const query: PathQuery = {
      endEntity,
      presented: chain,
      trust,
      time,
      requiredUsage: 'clientAuth',
      maxIntermediates,
      policies,
      rules,
      known: this.#known,
      acceptor: this.#revocation,
    };
    const revision = this.#revocation?.revision;
    const era = this.#era;
    const conclude = (validation: Validation): Verdict => {
      const dated = dateVerdict(validation, trust, time, this.#source);
      // Trust may have changed, or somebody been revoked, while this one was judged.
      if (era === this.#era && revision === this.#revocation?.revision) this.#cache.keep(presented.key, dated);
      if ('path' in validation) trust.use.note(validation.path.anchor, time);
      const isNew = known === undefined && dated.verdict.refusal === undefined;
      if (isNew) this.#known.rememberChain(presented.chainText, chain);
      return dated.verdict;
    };
    const validation = findPath(query);
    if (!(validation instanceof Promise)) return conclude(validation);
    const entry = { trust, revision, verdict: validation.then(conclude) };
    this.#inFlight.set(presented.key, entry);
    const finish = (): void => {
      if (this.#inFlight.get(presented.key) === entry) this.#inFlight.delete(presented.key);
    };
    entry.verdict.then(finish, finish);
    return entry.verdict;
  }

  #decode(
    presented: Presented,
    known: readonly Certificate[] | undefined,
  ): { endEntity: Certificate; chain: readonly Certificate[] } {
    const endEntityDer = presented.decodeEndEntity();
    const chain = known === undefined ? presented.decodeChain() : [];
    const endEntity = decodePresented(endEntityDer, 0, Certificate.over);
    const decode = (der: Uint8Array): Certificate => this.#known.decode(der);
    return { endEntity, chain: known ?? chain.map((der, index) => decodePresented(der, index + 1, decode)) };
  }
}

function dateVerdict(validation: Validation, trust: TrustStore, time: number, source: Source['name']): DatedVerdict {
  if ('refusal' in validation) {
    const { refusal, holdsUntil } = validation;
    return { verdict: { refusal }, trust, validFrom: time, validUntil: holdsUntil - 1 };
  }
  const { path } = validation;
  const { from: validFrom, until: validUntil } = path.span;
  return { verdict: verdictOver(path, source), trust, validFrom, validUntil, left: validUntil - time };
}

function verdictOver(path: VerifiedPath, source: Source['name']): Verdict {
  try {
    const identity = createIdentity(path, source);
    return path.revocation === undefined ? { identity } : { identity, revocation: path.revocation };
  } catch (error) {
    if (!(error instanceof ClientCertificateError)) throw error;
    return { refusal: error };
  }
}
