import { checkInteger, checkOptions, describe } from '../options';
import { type CrlOptions, crlOptionNames, resolveCrlRules } from './crl-files';
import { type CrlRules, distributionPointsOf, judgeCrls } from './crl-verdict';
import { FetchedCrls, type FetchedUrl } from './fetched-crls';
import { Fetcher } from './fetcher';
import { hostsOf, urlsToAsk } from './named-urls';
import { type NetworkOptions, resolveNetworkOptions } from './network-options';
import {
  type RevocationAnswer,
  type RevocationHealth,
  type RevocationMethod,
  type RevocationQuestion,
  unknown,
} from './revocation-method';

/** What {@link crlUrls} takes. */
export interface CrlUrlsOptions extends CrlOptions {
  /**
   * Where CRLs are, http or https, from 1 to 100. Their hosts may have addresses that are not public: it is the operator who
   * names them.
   */
  readonly urls: readonly string[];
  /** Longest time between two looks at a URL, in seconds: from 60 to 86,400, default 1,800. */
  readonly refreshSeconds?: number;
  /** How URLs are fetched. Default: 30 seconds for a try, 60 for a question, which goes on when a request no longer waits. */
  readonly network?: Omit<NetworkOptions, 'hosts' | 'dangerouslyAllowPrivateAddressesOf'>;
}

/** What {@link crlDistributionPoints} takes. */
export interface CrlDistributionPointsOptions extends CrlOptions {
  /**
   * Longest time between two looks at a URL in use, in seconds: from 60 to 86,400, default 1,800. One that was not in use is
   * looked at when it is asked about again.
   */
  readonly refreshSeconds?: number;
  /** Which hosts may be asked, and how. Default: every host with a public address, 30 seconds for a try. */
  readonly network?: NetworkOptions;
}

/** Each request about an issuer that nobody knows goes through all of them. */
const maxUrls = 100;

/** A large CRL takes its time. A request waits for as long as `createRevocation` says, and no longer. */
const crlTimeouts = { timeoutMs: 30_000, totalTimeoutMs: 60_000 } as const;

/** See `crlUrls` in `on-demand`, which loads this. */
export function crlUrls(options: CrlUrlsOptions): RevocationMethod {
  checkOptions('crlUrls', options, ['urls', 'refreshSeconds', 'network', ...crlOptionNames]);
  const { network = {} } = options;
  checkUrls(options.urls);
  resolveNetworkOptions(network);
  if ('hosts' in network || 'dangerouslyAllowPrivateAddressesOf' in network) {
    throw new TypeError('crlUrls asks the hosts that urls name, wherever they are: network names no others.');
  }
  // A copy: what they say now is what holds.
  const urls = [...new Set(options.urls)];
  const method = new CrlUrls(options, { ...crlTimeouts, ...network, ...hostsOf(urls) }, { urls, isAlwaysInUse: true });
  method.fetchNow(urls);
  return method;
}

/** See `crlDistributionPoints` in `on-demand`, which loads this. */
export function crlDistributionPoints(options: CrlDistributionPointsOptions = {}): RevocationMethod {
  checkOptions('crlDistributionPoints', options, ['refreshSeconds', 'network', ...crlOptionNames]);
  const { network = {} } = options;
  resolveNetworkOptions(network);
  return new CrlUrls(options, { ...crlTimeouts, ...network }, { urls: undefined, isAlwaysInUse: false });
}

function checkUrls(urls: unknown): void {
  if (!Array.isArray(urls) || urls.length === 0 || !urls.every((url) => typeof url === 'string')) {
    throw new TypeError(`crlUrls needs urls, a list of http or https URLs; it received ${describe(urls)}.`);
  }
  if (urls.length > maxUrls)
    throw new RangeError(`crlUrls takes from 1 to ${maxUrls} urls; it received ${urls.length}.`);
  hostsOf(urls);
}

/** Which URLs, and whether they are looked at while nobody asks. */
interface UrlRules {
  /** Undefined: those that certificates name. */
  readonly urls: readonly string[] | undefined;
  readonly isAlwaysInUse: boolean;
}

class CrlUrls implements RevocationMethod {
  readonly name = 'crl';
  readonly #rules: CrlRules;
  readonly #urls: readonly string[] | undefined;
  readonly #fetcher: Fetcher;
  readonly #fetched: FetchedCrls;
  #revision = 0;

  constructor(
    options: CrlOptions & { readonly refreshSeconds?: number },
    network: NetworkOptions,
    { urls, isAlwaysInUse }: UrlRules,
  ) {
    const { refreshSeconds = 1_800, onEvent, clock = Date.now } = options;
    checkInteger('refreshSeconds', refreshSeconds, 60, 86_400);
    this.#rules = resolveCrlRules(options);
    this.#urls = urls;
    this.#fetcher = new Fetcher(network);
    this.#fetched = new FetchedCrls({
      fetcher: this.#fetcher,
      rules: this.#rules,
      refreshSeconds,
      isAlwaysInUse,
      onEvent,
      clock,
      onChange: () => (this.#revision += 1),
    });
  }

  get revision(): number {
    return this.#revision;
  }

  get health(): RevocationHealth {
    const sources = this.#fetched.health;
    const isOk = sources.every(({ status }) => status === 'ok');
    return { method: this.name, status: isOk ? 'ok' : 'degraded', sources };
  }

  checkTrust(): void {}

  fetchNow(urls: readonly string[]): void {
    this.#fetched.fetchNew(this.#fetched.use(urls));
  }

  ask(question: RevocationQuestion): RevocationAnswer | Promise<RevocationAnswer> {
    const urls = this.#urls ?? urlsNamedBy(question);
    if (urls.length === 0) return unknown('no-source', 'the certificate names no CRL that may be fetched');
    const known = this.#fetched.use(urls);
    const answer = this.#judge(question, known);
    if (answer instanceof Promise) return answer.then((one) => this.#orFetch(question, known, one));
    return this.#orFetch(question, known, answer);
  }

  async close(): Promise<void> {
    this.#fetched.close();
    await this.#fetcher.close();
  }

  #judge(question: RevocationQuestion, known: readonly FetchedUrl[]): RevocationAnswer | Promise<RevocationAnswer> {
    const crls = known.flatMap(({ collection }) => collection.crls);
    return judgeCrls(question, crls, this.#rules);
  }

  /** The answer, if there is one; otherwise what is missing is fetched first. */
  #orFetch(
    question: RevocationQuestion,
    known: readonly FetchedUrl[],
    answer: RevocationAnswer,
  ): RevocationAnswer | Promise<RevocationAnswer> {
    if (answer.status !== 'unknown') {
      this.#fetched.fetchNew(known);
      return answer;
    }
    const fetches = this.#fetched.fetchMissing(known);
    return fetches.length === 0 ? explain(answer, known) : this.#judgeAsTheyCome(question, known, fetches);
  }

  /** Nobody waits for a slow URL when another one has said enough. */
  async #judgeAsTheyCome(
    question: RevocationQuestion,
    known: readonly FetchedUrl[],
    fetches: readonly Promise<void>[],
  ): Promise<RevocationAnswer> {
    const pending = new Map(fetches.map((fetching, index) => [index, fetching.then(() => index)]));
    let answer: RevocationAnswer;
    do {
      pending.delete(await Promise.race(pending.values()));
      answer = await this.#judge(question, known);
    } while (answer.status === 'unknown' && pending.size > 0);
    return explain(answer, known);
  }
}

function urlsNamedBy({ certificate }: RevocationQuestion): readonly string[] {
  const points = distributionPointsOf(certificate).filter(({ hasCrlIssuer }) => !hasCrlIssuer);
  return urlsToAsk(points.flatMap(({ name }) => name?.uris ?? []));
}

/** Where nothing is known, what went wrong is why. */
function explain(answer: RevocationAnswer, known: readonly FetchedUrl[]): RevocationAnswer {
  if (answer.status !== 'unknown' || answer.cause !== 'no-source') return answer;
  return known.find(({ failure }) => failure !== undefined)?.failure ?? answer;
}
