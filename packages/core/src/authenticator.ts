import { type ChannelEvidence, checkEvidence } from './channel/channel-proof';
import { ClientCertificateError, isRefusal } from './errors';
import { Judge } from './judge';
import { checkInteger, checkOptions, describe } from './options';
import type { Outcome } from './outcome';
import { type OutcomeListener, OutcomeReporter, type Trace } from './outcome-event';
import type { KnownIntermediates } from './path/known-intermediates';
import { type CertificatePolicyOptions, checkPolicyOptions } from './path/policies';
import { checkRules, resolveRules, type ValidationRules } from './path/rules';
import { defaultMaxIntermediates } from './path/validate-path';
import type { CertificateRequest } from './request';
import { Revocation } from './revocation/revocation';
import { checkPredicate, type IdentityPredicate } from './rule';
import { inspectServer } from './server-checks';
import type { Source } from './source/source';
import { currentTrust, isTrustProvider, type TrustProvider, type TrustStore } from './trust/trust-store';
import type { Verdict, VerdictCacheOptions } from './verdict-cache';

/** Judges requests. Whatever has this shape can be mounted: {@link createAuthenticator} makes the real one. */
export interface Authenticator {
  /**
   * A value when the verdict is known, a promise when work is needed: always `await` it. Never throws or rejects for bad
   * input: that is an outcome.
   */
  authenticate(request: CertificateRequest): Outcome | Promise<Outcome>;
  /** Lower-case names of headers that handlers must not see, besides those known to carry certificates. Default none. */
  readonly consumedHeaders?: readonly string[];
  /** What to do with outcomes: see {@link AuthenticatorOptions.enforcement}. Default `'enforce'`. */
  readonly enforcement?: 'enforce' | 'report-only';
}

/** What {@link createAuthenticator} takes. */
export interface AuthenticatorOptions {
  /** Issuers of client certificates: a store, or a provider that replaces it while the origin serves. */
  readonly trust: TrustProvider;
  /** Where certificates come from and what proves it: `cloudFront(...)`, `nginx(...)` and so on, or `nativeTls()`. */
  readonly source: Source;
  /** Whether a request without a certificate is refused or anonymous. A bad certificate is always refused. Default `'required'`. */
  readonly presence?: 'required' | 'optional';
  /**
   * What a request over an untrusted channel is: refused, or a request without a certificate, whose headers are not looked
   * at. Default `'reject'`. Of use with `presence: 'optional'`, where health checks come past the proxy.
   */
  readonly untrustedPeer?: 'reject' | 'anonymous';
  /**
   * The application's own rule over identity and request, asked for every authenticated request and never cached. Only
   * `true`, or a promise of it, within five seconds, lets the request in. Default none.
   */
  readonly authorize?: IdentityPredicate;
  /**
   * `'report-only'` lets every request pass, with no identity attached and no header taken away, and tells `onOutcome` and
   * the diagnostics channel what would have become of it: a canary. Guards still refuse. Default `'enforce'`.
   */
  readonly enforcement?: 'enforce' | 'report-only';
  /** Told of every outcome, in the shape also published on the diagnostics channel `peercert:outcome`. Default none. */
  readonly onOutcome?: OutcomeListener;
  /** Whether events name subject and issuer: personal data, as a rule. Default `'omit'`. */
  readonly eventNames?: 'include' | 'omit';
  /** Most intermediates between a certificate and its trust anchor: an integer from 0 to 20, default 8. */
  readonly maxIntermediates?: number;
  /** What a path must be good for, in terms of certificate policies. Default: any policy, or none. */
  readonly policies?: CertificatePolicyOptions;
  /** What finds out whether certificates are revoked: see `createRevocation`. Default: nothing does. */
  readonly revocation?: Revocation;
  /** What RFC 5280 leaves to the relying party. Default: every rule its default word. */
  readonly rules?: ValidationRules;
  /** How many verdicts are remembered, and for how long. Default: 10,000 identities, 300 seconds. */
  readonly verdictCache?: VerdictCacheOptions;
  /** The time to validate at, in milliseconds since the Unix epoch. Default `Date.now`. For tests. */
  readonly clock?: () => number;
}

/** Names of {@link AuthenticatorOptions}. */
export const authenticatorOptionNames: readonly string[] = [
  'trust',
  'source',
  'presence',
  'untrustedPeer',
  'authorize',
  'enforcement',
  'onOutcome',
  'eventNames',
  'maxIntermediates',
  'policies',
  'revocation',
  'rules',
  'verdictCache',
  'clock',
];

/**
 * Makes an authenticator: the whole judgement over a request, to be shared by any number of mounts and frameworks.
 *
 * Everything about the options is judged here, before the server listens. What only the server shows is looked at with the
 * first request, and reported once as a process warning with what to change.
 *
 * @throws {TypeError} for options that are missing, unknown or of the wrong kind, and for a channel proof a client could
 *   satisfy; {@link RangeError} for numbers out of bounds. The message says what to do.
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  checkOptions('createAuthenticator', options, authenticatorOptionNames);
  return new CertificateAuthenticator(options);
}

/** What authenticators of several trust domains have in common. */
export interface SharedJudgement {
  readonly trustDomain: string;
  readonly known: KnownIntermediates;
}

/** The same as one of several trust domains. */
export function createDomainAuthenticator(options: AuthenticatorOptions, shared: SharedJudgement): Authenticator {
  return new CertificateAuthenticator(options, shared);
}

class CertificateAuthenticator implements Authenticator {
  readonly consumedHeaders: readonly string[];
  readonly enforcement: 'enforce' | 'report-only';

  readonly #trust: TrustProvider;
  readonly #source: Source;
  readonly #presence: 'required' | 'optional';
  readonly #untrustedPeer: 'reject' | 'anonymous';
  readonly #authorize: IdentityPredicate | undefined;
  readonly #clock: () => number;
  readonly #judge: Judge;
  readonly #reporter: OutcomeReporter;
  readonly #inspected = new WeakSet<object>();
  #trustInUse: TrustStore;

  constructor(options: AuthenticatorOptions, { trustDomain, known }: Partial<SharedJudgement> = {}) {
    checkAuthenticatorOptions(options);
    const { trust, source, authorize, onOutcome, verdictCache = {}, clock = Date.now } = options;
    const { policies = {}, rules = {}, revocation } = options;
    const { maxIntermediates = defaultMaxIntermediates, enforcement = 'enforce', eventNames = 'omit' } = options;
    this.#trustInUse = currentTrust(trust);
    source.channel.checkTrust(this.#trustInUse);
    revocation?.checkTrust(this.#trustInUse);
    this.#trust = trust;
    this.#source = source;
    this.#presence = options.presence ?? 'required';
    this.#untrustedPeer = options.untrustedPeer ?? 'reject';
    this.#authorize = authorize;
    this.#clock = clock;
    // Copies: what they say now is what holds.
    const settings = { maxIntermediates, policies: structuredClone(policies), rules: resolveRules(rules) };
    this.#judge = new Judge({ source: source.name, ...settings, verdictCache, revocation, ...(known && { known }) });
    this.#reporter = new OutcomeReporter({ source, enforcement, onOutcome, eventNames, trustDomain });
    this.consumedHeaders = [...new Set([...source.channel.consumedHeaders, ...source.fields])];
    this.enforcement = enforcement;
  }

  authenticate(request: CertificateRequest): Outcome | Promise<Outcome> {
    const trace: Trace = { presented: undefined, cache: 'none', trust: undefined };
    if (!this.#reporter.isHeard) return this.#outcome(request, trace);
    const started = performance.now();
    const outcome = this.#outcome(request, trace);
    const report = (reached: Outcome): Outcome => {
      this.#reporter.report(request, reached, trace, started);
      return reached;
    };
    return outcome instanceof Promise ? outcome.then(report) : report(outcome);
  }

  #outcome(request: CertificateRequest, trace: Trace): Outcome | Promise<Outcome> {
    try {
      this.#inspectServerOnce(request);
      // One snapshot for the whole request, whatever is replaced meanwhile.
      const trust = this.#snapshot();
      trace.trust = trust;
      const time = this.#clock();
      const channel = this.#source.channel.prove(request, { time, clientTrust: trust });
      // Whatever can be awaited is not yet an answer: a proof may come with promises of its own.
      if ('then' in channel) {
        return Promise.resolve(channel).then(
          (evidence) => this.#overChannel(request, evidence, trust, time, trace),
          (error: unknown) => this.#withoutChannel(error),
        );
      }
      return this.#overChannel(request, channel, trust, time, trace);
    } catch (error) {
      return this.#withoutChannel(error);
    }
  }

  #snapshot(): TrustStore {
    const trust = currentTrust(this.#trust);
    if (trust !== this.#trustInUse) {
      this.#trustInUse = trust;
      this.#judge.forget();
    }
    return trust;
  }

  #withoutChannel(error: unknown): Outcome {
    if (this.#untrustedPeer === 'anonymous' && isRefusal(error, 'ERR_CHANNEL_UNTRUSTED')) {
      const channel = Object.freeze({ proof: 'none' } as const);
      if (this.#presence === 'optional') return { status: 'anonymous', channel };
    }
    return rejected(error, undefined);
  }

  #overChannel(
    request: CertificateRequest,
    channel: ChannelEvidence,
    trust: TrustStore,
    time: number,
    trace: Trace,
  ): Outcome | Promise<Outcome> {
    try {
      checkEvidence(channel);
      const presented = this.#source.collect(request);
      if (presented === undefined) {
        if (this.#presence === 'optional') return { status: 'anonymous', channel };
        throw new ClientCertificateError('ERR_CERTIFICATE_REQUIRED', {});
      }
      trace.presented = presented;
      const known = this.#judge.recall(presented, trust, time);
      trace.cache = known === undefined ? 'miss' : 'hit';
      const verdict = known ?? this.#judge.reach(presented, trust, time);
      if (!(verdict instanceof Promise) && this.#authorize === undefined) return outcomeOf(verdict, channel);
      return this.#conclude(request, verdict, channel);
    } catch (error) {
      return rejected(error, channel);
    }
  }

  async #conclude(
    request: CertificateRequest,
    reaching: Verdict | Promise<Verdict>,
    channel: ChannelEvidence,
  ): Promise<Outcome> {
    try {
      const verdict = await reaching;
      if (verdict.refusal === undefined && this.#authorize !== undefined) {
        await checkPredicate(this.#authorize, verdict.identity, request);
      }
      return outcomeOf(verdict, channel);
    } catch (error) {
      return rejected(error, channel);
    }
  }

  #inspectServerOnce(request: CertificateRequest): void {
    const { server } = (request.socket ?? {}) as { server?: object };
    if (server === undefined || this.#inspected.has(server)) return;
    this.#inspected.add(server);
    for (const { code, message } of inspectServer(request, this.#source)) {
      process.emitWarning(message, { type: 'PeercertWarning', code });
    }
  }
}

function checkAuthenticatorOptions(options: AuthenticatorOptions): void {
  const { trust, source, maxIntermediates = 0, verdictCache = {} } = options;
  if (!isTrustProvider(trust)) {
    throw new TypeError(`createAuthenticator needs trust, a TrustStore; it received ${describe(trust)}.`);
  }
  if (typeof source?.collect !== 'function') {
    throw new TypeError(
      `createAuthenticator needs source, cloudFront({ channel }) or nativeTls(); it received ${describe(source)}.`,
    );
  }
  checkWord('presence', options.presence, ['required', 'optional']);
  checkWord('untrustedPeer', options.untrustedPeer, ['reject', 'anonymous']);
  checkWord('enforcement', options.enforcement, ['enforce', 'report-only']);
  checkWord('eventNames', options.eventNames, ['include', 'omit']);
  if (options.untrustedPeer === 'anonymous' && options.presence !== 'optional') {
    throw new TypeError("untrustedPeer: 'anonymous' needs presence: 'optional'; nobody could be anonymous otherwise.");
  }
  if (options.revocation !== undefined && !(options.revocation instanceof Revocation)) {
    throw new TypeError(`revocation takes what createRevocation makes; it received ${describe(options.revocation)}.`);
  }
  for (const name of ['authorize', 'onOutcome', 'clock'] as const) {
    const value: unknown = options[name];
    if (value !== undefined && typeof value !== 'function') {
      throw new TypeError(`${name} must be a function; it received ${describe(value)}.`);
    }
  }
  checkInteger('maxIntermediates', maxIntermediates, 0, 20);
  checkPolicyOptions(options.policies ?? {});
  checkRules(options.rules ?? {});
  checkOptions('verdictCache', verdictCache, ['maxEntries', 'ttlSeconds']);
  checkInteger('verdictCache.maxEntries', verdictCache.maxEntries ?? 1, 1, 1_000_000);
  checkInteger('verdictCache.ttlSeconds', verdictCache.ttlSeconds ?? 1, 1, 86_400);
}

function checkWord(name: string, value: unknown, words: readonly [string, string]): void {
  if (value !== undefined && value !== words[0] && value !== words[1]) {
    throw new TypeError(`${name} must be '${words[0]}' or '${words[1]}'.`);
  }
}

function outcomeOf(verdict: Verdict, channel: ChannelEvidence): Outcome {
  // The refusal first: an identity it does not have could come from a polluted Object.prototype.
  if (verdict.refusal !== undefined) return { status: 'rejected', error: verdict.refusal, channel };
  const { identity, revocation } = verdict;
  if (revocation === undefined) return { status: 'authenticated', identity, channel };
  return { status: 'authenticated', identity, channel, revocation };
}

function rejected(error: unknown, channel: ChannelEvidence | undefined): Outcome {
  if (error instanceof ClientCertificateError) return { status: 'rejected', error, channel };
  return { status: 'rejected', error: new ClientCertificateError('ERR_INTERNAL', {}, { cause: error }), channel };
}
