import type { ChannelEvidence } from './channel/channel-proof';
import { ClientCertificateError } from './errors';
import { type ClientIdentity, createIdentity } from './identity';
import { checkInteger, checkOptions, describe } from './options';
import { KnownIntermediates } from './path/known-intermediates';
import { decodePresented, defaultMaxIntermediates, findPath, type Validation } from './path/validate-path';
import type { CertificateRequest } from './request';
import type { Presented, Source } from './source/source';
import { currentTrust, type TrustProvider, TrustStore } from './trust/trust-store';
import { type DatedVerdict, type Verdict, VerdictCache, type VerdictCacheOptions } from './verdict-cache';

/** What became of one request. */
export type Outcome =
  | { readonly status: 'authenticated'; readonly identity: ClientIdentity; readonly channel: ChannelEvidence }
  /** The channel is trusted and no certificate was presented. Only with `presence: 'optional'`. */
  | { readonly status: 'anonymous'; readonly channel: ChannelEvidence }
  | { readonly status: 'rejected'; readonly error: ClientCertificateError };

export interface Authenticator {
  /**
   * A value when the verdict is known, a promise when work is needed: always `await` it. Never throws or rejects for bad
   * input: that is an outcome.
   */
  authenticate(request: CertificateRequest): Outcome | Promise<Outcome>;
  /** Lower-case names of headers, besides those that carry certificates, that handlers must not see. Default none. */
  readonly consumedHeaders?: readonly string[];
}

export interface AuthenticatorOptions {
  /** Issuers of client certificates: a store, or a provider that replaces it while the origin serves. */
  readonly trust: TrustProvider;
  /** Where certificates come from and what proves it: `cloudFront(...)` or `nativeTls()`. */
  readonly source: Source;
  /** Whether a request without a certificate is refused or anonymous. A bad certificate is always refused. Default `'required'`. */
  readonly presence?: 'required' | 'optional';
  /** Most intermediates between a certificate and its trust anchor: an integer from 0 to 20, default 8. */
  readonly maxIntermediates?: number;
  readonly verdictCache?: VerdictCacheOptions;
  /** The time to validate at, in milliseconds since the Unix epoch. Default `Date.now`. For tests. */
  readonly clock?: () => number;
}

const optionNames = ['trust', 'source', 'presence', 'maxIntermediates', 'verdictCache', 'clock'];

/**
 * Makes an authenticator: the whole judgement over a request, to be shared by any number of mounts and frameworks.
 *
 * Everything about the options is judged here, before the server listens.
 *
 * @throws {TypeError} for options that are missing, unknown or of the wrong kind, and for a channel proof a client could
 *   satisfy; {@link RangeError} for numbers out of bounds. The message says what to do.
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  return new CertificateAuthenticator(options);
}

class CertificateAuthenticator implements Authenticator {
  readonly consumedHeaders: readonly string[];

  readonly #trust: TrustProvider;
  readonly #source: Source;
  readonly #presence: 'required' | 'optional';
  readonly #maxIntermediates: number;
  readonly #clock: () => number;
  readonly #cache: VerdictCache;
  readonly #known = new KnownIntermediates();
  readonly #inFlight = new Map<string, { readonly trust: TrustStore; readonly verdict: Promise<Verdict> }>();

  constructor(options: AuthenticatorOptions) {
    checkOptions('createAuthenticator', options, optionNames);
    const { trust, source, presence = 'required', maxIntermediates = defaultMaxIntermediates } = options;
    const { verdictCache = {}, clock = Date.now } = options;
    if (!(trust instanceof TrustStore) && !(trust?.current instanceof TrustStore)) {
      throw new TypeError(`createAuthenticator needs trust, a TrustStore; it received ${describe(trust)}.`);
    }
    if (typeof source?.collect !== 'function') {
      throw new TypeError(
        `createAuthenticator needs source, cloudFront({ channel }) or nativeTls(); it received ${describe(source)}.`,
      );
    }
    if (presence !== 'required' && presence !== 'optional') {
      throw new TypeError("presence must be 'required' or 'optional'.");
    }
    checkInteger('maxIntermediates', maxIntermediates, 0, 20);
    checkOptions('verdictCache', verdictCache, ['maxEntries', 'ttlSeconds']);
    checkInteger('verdictCache.maxEntries', verdictCache.maxEntries ?? 1, 1, 1_000_000);
    checkInteger('verdictCache.ttlSeconds', verdictCache.ttlSeconds ?? 1, 1, 86_400);
    if (typeof clock !== 'function') throw new TypeError(`clock must be a function; it received ${describe(clock)}.`);
    source.channel.checkTrust(currentTrust(trust));
    this.#trust = trust;
    this.#source = source;
    this.#presence = presence;
    this.#maxIntermediates = maxIntermediates;
    this.#clock = clock;
    this.#cache = new VerdictCache(verdictCache);
    this.consumedHeaders = source.channel.consumedHeaders;
  }

  authenticate(request: CertificateRequest): Outcome | Promise<Outcome> {
    try {
      // One snapshot for the whole request, whatever is replaced meanwhile.
      const trust = currentTrust(this.#trust);
      const time = this.#clock();
      const channel = this.#source.channel.prove(request, { time, clientTrust: trust });
      // Whatever can be awaited is not yet an answer: a proof may come with promises of its own.
      if ('then' in channel) {
        return Promise.resolve(channel)
          .then((evidence) => this.#judge(request, evidence, trust, time))
          .catch(rejected);
      }
      const outcome = this.#judge(request, channel, trust, time);
      return outcome instanceof Promise ? outcome.catch(rejected) : outcome;
    } catch (error) {
      return rejected(error);
    }
  }

  #judge(
    request: CertificateRequest,
    channel: ChannelEvidence,
    trust: TrustStore,
    time: number,
  ): Outcome | Promise<Outcome> {
    const presented = this.#source.collect(request);
    if (presented === undefined) {
      if (this.#presence === 'optional') return { status: 'anonymous', channel };
      throw new ClientCertificateError('ERR_CERTIFICATE_REQUIRED', {});
    }
    const verdict = this.#verdict(presented, trust, time);
    if (verdict instanceof Promise) return verdict.then((reached) => outcomeOf(reached, channel));
    return outcomeOf(verdict, channel);
  }

  #verdict(presented: Presented, trust: TrustStore, time: number): Verdict | Promise<Verdict> {
    const known = this.#cache.find(presented.key, trust, time);
    if (known !== undefined) return known;
    const leader = this.#inFlight.get(presented.key);
    if (leader?.trust !== trust) return this.#reach(presented, trust, time);
    // The same question is being answered. Its answer counts only by way of the cache, where it is dated; where there is
    // none, each request finds its own.
    const follow = (): Verdict | Promise<Verdict> => {
      return this.#cache.find(presented.key, trust, time) ?? this.#reach(presented, trust, time);
    };
    return leader.verdict.then(follow, follow);
  }

  #reach(presented: Presented, trust: TrustStore, time: number): Verdict | Promise<Verdict> {
    const [endEntity, ...chain] = presented.decode();
    const decode = (der: Uint8Array): ReturnType<KnownIntermediates['decode']> => this.#known.decode(der);
    const query = {
      endEntity: decodePresented(endEntity, 0, decode),
      presented: chain.map((der, index) => decodePresented(der, index + 1, decode)),
      trust,
      time,
      requiredUsage: 'clientAuth',
      maxIntermediates: this.#maxIntermediates,
    } as const;
    const conclude = (validation: Validation): Verdict => {
      const dated = dateVerdict(validation, trust, time, this.#source.name);
      this.#cache.keep(presented.key, dated);
      return dated.verdict;
    };
    const validation = findPath(query, this.#known);
    if (!(validation instanceof Promise)) return conclude(validation);
    const entry = { trust, verdict: validation.then(conclude) };
    this.#inFlight.set(presented.key, entry);
    const finish = (): void => {
      if (this.#inFlight.get(presented.key) === entry) this.#inFlight.delete(presented.key);
    };
    entry.verdict.then(finish, finish);
    return entry.verdict;
  }
}

function dateVerdict(validation: Validation, trust: TrustStore, time: number, source: Source['name']): DatedVerdict {
  if ('refusal' in validation) {
    const { refusal, holdsUntil } = validation;
    return { verdict: { refusal }, trust, validFrom: time, validUntil: holdsUntil - 1 };
  }
  const { path } = validation;
  const span = { trust, validFrom: path.validFrom.getTime(), validUntil: path.validUntil.getTime() };
  try {
    return { verdict: { identity: createIdentity(path, source) }, ...span };
  } catch (error) {
    if (!(error instanceof ClientCertificateError)) throw error;
    return { verdict: { refusal: error }, ...span };
  }
}

function outcomeOf(verdict: Verdict, channel: ChannelEvidence): Outcome {
  if (verdict.identity !== undefined) return { status: 'authenticated', identity: verdict.identity, channel };
  return { status: 'rejected', error: verdict.refusal };
}

function rejected(error: unknown): Outcome {
  if (error instanceof ClientCertificateError) return { status: 'rejected', error };
  return { status: 'rejected', error: new ClientCertificateError('ERR_INTERNAL', {}, { cause: error }) };
}
