import type { IncomingMessage } from 'node:http';
import {
  type Authenticator,
  type AuthenticatorOptions,
  authenticatorOptionNames,
  createDomainAuthenticator,
} from './authenticator';
import { ClientCertificateError } from './errors';
import { checkOptions, describe } from './options';
import type { Outcome } from './outcome';
import { OutcomeReporter } from './outcome-event';
import { KnownIntermediates } from './path/known-intermediates';
import type { CertificateRequest } from './request';
import type { Presented, Source } from './source/source';
import { isTrustProvider, type TrustProvider } from './trust/trust-store';

/**
 * What {@link createTrustDomains} takes: options of {@link AuthenticatorOptions} that hold for every domain, and the domains.
 * The bounds of `verdictCache` are those of each domain.
 */
export interface TrustDomainOptions<Name extends string> extends Omit<AuthenticatorOptions, 'trust'> {
  /** The store of each domain, by its name. At least one. */
  readonly trust: { readonly [Domain in Name]: TrustProvider };
}

/** Trust domains of one origin: made by {@link createTrustDomains}. */
export interface TrustDomains<Name extends string> {
  /**
   * The authenticator of one domain, the same each time: to be mounted where the domain's routes are.
   *
   * @throws {TypeError} for a name that is none of the domains'.
   */
  authenticator(name: Name): Authenticator;
  /**
   * An authenticator that asks, for each request, which domain it belongs to: by host, by path, by tenant. A request that
   * belongs to none is refused with `ERR_POLICY_NO_TRUST_DOMAIN`; every request for which `choose` throws, or answers with
   * anything but a name or `undefined`, a promise included, with `ERR_POLICY_FAILED`.
   *
   * @param choose - Given Node's own request, before anything about it is proven: what a client writes chooses only by whom
   *   the client is judged.
   * @throws {TypeError} for anything but a function.
   */
  choose(choose: (request: IncomingMessage) => Name | undefined): Authenticator;
}

/**
 * Makes an authenticator for each of several trust stores: a certificate that is good in one domain is a stranger's in
 * another. What the domains have in common is done once: a request is read once however many of them judge it, and
 * intermediates that one of them has verified are decoded in all. Verdicts are each domain's own.
 *
 * @throws {TypeError} as `createAuthenticator`, for each domain, and without domains; {@link RangeError} for numbers out of
 *   bounds.
 */
export function createTrustDomains<Name extends string>(options: TrustDomainOptions<Name>): TrustDomains<Name> {
  checkOptions('createTrustDomains', options, authenticatorOptionNames);
  checkDomains(options.trust);
  const { trust, source, ...common } = options;
  const shared = { ...common, source: typeof source?.collect === 'function' ? collectOnce(source) : source };
  const known = new KnownIntermediates();
  const authenticators = new Map(
    Object.entries<TrustProvider>(trust).map(([trustDomain, store]) => {
      return [trustDomain, createDomainAuthenticator({ ...shared, trust: store }, { trustDomain, known })];
    }),
  );
  return Object.freeze({
    authenticator(name: Name): Authenticator {
      const authenticator = authenticators.get(name);
      if (authenticator === undefined) {
        throw new TypeError(`There is no such trust domain; there are ${[...authenticators.keys()].join(', ')}.`);
      }
      return authenticator;
    },
    choose(choose: (request: IncomingMessage) => Name | undefined): Authenticator {
      if (typeof choose !== 'function') {
        throw new TypeError(`choose takes a function of the request; it received ${describe(choose)}.`);
      }
      return new ChoosingAuthenticator(authenticators, choose, shared);
    },
  });
}

function checkDomains(trust: unknown): void {
  // A store by itself has properties too, and they are no domains.
  const isTable = typeof trust === 'object' && trust !== null && !Array.isArray(trust) && !isTrustProvider(trust);
  if (!isTable || Object.keys(trust).length === 0) {
    const received = isTrustProvider(trust) ? 'a store without a name' : describe(trust);
    throw new TypeError(
      `createTrustDomains needs trust, a store for each domain by its name; it received ${received}.`,
    );
  }
  for (const [name, store] of Object.entries(trust)) {
    if (isTrustProvider(store)) continue;
    throw new TypeError(
      `createTrustDomains needs a TrustStore for each domain; for ${name} it received ${describe(store)}.`,
    );
  }
}

class ChoosingAuthenticator implements Authenticator {
  readonly consumedHeaders: readonly string[];
  readonly enforcement: 'enforce' | 'report-only';
  readonly #authenticators: ReadonlyMap<unknown, Authenticator>;
  readonly #choose: (request: IncomingMessage) => unknown;
  readonly #reporter: OutcomeReporter;

  constructor(
    authenticators: ReadonlyMap<string, Authenticator>,
    choose: (request: IncomingMessage) => unknown,
    { source, enforcement = 'enforce', onOutcome, eventNames = 'omit' }: Omit<AuthenticatorOptions, 'trust'>,
  ) {
    // The same of every domain.
    const [{ consumedHeaders = [] }] = [...authenticators.values()] as [Authenticator];
    this.consumedHeaders = consumedHeaders;
    this.enforcement = enforcement;
    this.#authenticators = authenticators;
    this.#choose = choose;
    this.#reporter = new OutcomeReporter({ source, enforcement, onOutcome, eventNames });
  }

  authenticate(request: CertificateRequest): Outcome | Promise<Outcome> {
    const started = performance.now();
    const chosen = this.#chosen(request);
    if (!(chosen instanceof ClientCertificateError)) return chosen.authenticate(request);
    const outcome = { status: 'rejected', error: chosen } as const;
    if (this.#reporter.isHeard) {
      this.#reporter.report(request, outcome, { presented: undefined, cache: 'none', trust: undefined }, started);
    }
    return outcome;
  }

  /** The authenticator of the request's domain, or why there is none. */
  #chosen(request: CertificateRequest): Authenticator | ClientCertificateError {
    try {
      // Whoever mounts an authenticator gives it Node's own request.
      const name = this.#choose(request as IncomingMessage);
      if (name !== undefined && typeof name !== 'string') {
        // It is refused already: what it comes to must not end the process.
        if (name instanceof Promise) name.catch(() => {});
        throw new TypeError(`choose must answer with the name of a domain; it answered with ${describe(name)}.`);
      }
      return this.#authenticators.get(name) ?? new ClientCertificateError('ERR_POLICY_NO_TRUST_DOMAIN', {});
    } catch (error) {
      return new ClientCertificateError('ERR_POLICY_FAILED', {}, { cause: error });
    }
  }
}

/** The same source, which reads each request once. What it refuses it reads again. */
function collectOnce(source: Source): Source {
  const { name, channel, proxyProves, maxHeaderBytes, fields } = source;
  const collected = new WeakMap<CertificateRequest, { readonly presented: Presented | undefined }>();
  return Object.freeze({
    name,
    channel,
    proxyProves,
    maxHeaderBytes,
    fields,
    collect(request: CertificateRequest): Presented | undefined {
      let once = collected.get(request);
      if (once === undefined) {
        once = { presented: source.collect(request) };
        collected.set(request, once);
      }
      return once.presented;
    },
  });
}
