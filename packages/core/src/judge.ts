import { ClientCertificateError } from './errors';
import { createIdentity } from './identity';
import type { PathQuery } from './path/build-path';
import { KnownIntermediates } from './path/known-intermediates';
import type { CertificatePolicyOptions } from './path/policies';
import type { ResolvedRules } from './path/rules';
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
}

/** Reaches verdicts over presented certificates, and remembers them as long as they are true. */
export class Judge {
  readonly #source: Source['name'];
  readonly #settings: Pick<JudgeOptions, 'maxIntermediates' | 'policies' | 'rules'>;
  readonly #cache: VerdictCache;
  readonly #known = new KnownIntermediates();
  readonly #inFlight = new Map<string, { readonly trust: TrustStore; readonly verdict: Promise<Verdict> }>();

  constructor({ source, verdictCache, ...settings }: JudgeOptions) {
    this.#source = source;
    this.#settings = settings;
    this.#cache = new VerdictCache(verdictCache);
  }

  /** The verdict that was reached before with this store and holds at this time. */
  recall({ key }: Presented, trust: TrustStore, time: number): Verdict | undefined {
    return this.#cache.find(key, trust, time);
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
    // none, each request finds its own.
    const follow = (): Verdict | Promise<Verdict> => {
      return this.recall(presented, trust, time) ?? this.#validate(presented, trust, time);
    };
    return leader.verdict.then(follow, follow);
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
    };
    const conclude = (validation: Validation): Verdict => {
      const dated = dateVerdict(validation, trust, time, this.#source);
      this.#cache.keep(presented.key, dated);
      const isNew = known === undefined && dated.verdict.refusal === undefined;
      if (isNew) this.#known.rememberChain(presented.chainText, chain);
      return dated.verdict;
    };
    const validation = findPath(query);
    if (!(validation instanceof Promise)) return conclude(validation);
    const entry = { trust, verdict: validation.then(conclude) };
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
  return { verdict: verdictOver(path, source), trust, validFrom, validUntil };
}

function verdictOver(path: VerifiedPath, source: Source['name']): Verdict {
  try {
    return { identity: createIdentity(path, source) };
  } catch (error) {
    if (!(error instanceof ClientCertificateError)) throw error;
    return { refusal: error };
  }
}
