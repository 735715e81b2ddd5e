import { LRUCache } from 'lru-cache';
import { runInSlices } from '../slices';
import { type Crl, maxCrlOctets } from '../x509/crl';
import { CrlCollection } from './crl-collection';
import { CrlTextError, decodeCrls } from './crl-text';
import { type CrlRules, endOf } from './crl-verdict';
import { type Failure, failureMs, failureOf, isNews } from './failed-fetch';
import type { FetchResult } from './fetch-answer';
import type { Fetcher } from './fetcher';
import { KnownCrl } from './known-crl';
import { publishRevocationEvent, type RevocationEvent, type RevocationListener } from './revocation-event';
import { type RevocationSourceHealth, unknown } from './revocation-method';

export interface FetchedCrlsOptions {
  readonly fetcher: Fetcher;
  readonly rules: CrlRules;
  /** Longest time between two looks at a URL. */
  readonly refreshSeconds: number;
  /** Whether URLs that nobody asks about are looked at too. */
  readonly isAlwaysInUse: boolean;
  readonly onEvent: RevocationListener | undefined;
  readonly clock: () => number;
  /** Told when what is known is something else. */
  readonly onChange: () => void;
}

/** URLs remembered, and octets of CRLs kept for them; the one not asked about for longest goes first. */
const maxUrls = 1_000;
const maxOctets = 256 * 1024 * 1024;

/** CRLs at one URL: RFC 5280 section 4.2.1.13 has one; bundles have one for each CA of a family. */
const maxCrls = 100;

/** Seconds: the shortest time until a URL is looked at again, and the first pause after a failure. */
const shortestRefreshSeconds = 60;

/** A pause is shorter by up to this part, so that processes started together do not ask together for ever. */
const jitter = 0.2;

/** What is known from one URL. */
export interface FetchedUrl {
  readonly url: string;
  readonly collection: CrlCollection;
  /** Why the last fetch brought nothing to go by. */
  failure: Failure | undefined;
  /** What is wrong with the URL, as the operator was told. */
  problem: string | undefined;
  /** Fetches that failed, in a row. */
  failures: number;
  /** When the last fetch ended, on the monotonic clock, in milliseconds. */
  fetchedAt: number;
  /** Asked about since it was fetched in the background: what nobody asks about is not fetched again. */
  isInUse: boolean;
  /** Its time to be fetched again came while nobody asked. */
  isDue: boolean;
  etag: string | undefined;
  fetching: Promise<void> | undefined;
  /** Undefined until it has been fetched, or could not be. */
  timer: NodeJS.Timeout | undefined;
}

/**
 * CRLs by the URL they are fetched from, each kept for as long as it is current. Fetched when first asked for, and then again
 * in the background, halfway to the end of its time at the latest, while it is in use. What cannot be fetched again counts
 * until its time is over.
 */
export class FetchedCrls {
  readonly #options: FetchedCrlsOptions;
  readonly #urls: LRUCache<string, FetchedUrl>;
  #closed = false;

  constructor(options: FetchedCrlsOptions) {
    this.#options = options;
    this.#urls = new LRUCache({
      max: maxUrls,
      maxSize: maxOctets,
      sizeCalculation: ({ collection: { crls } }) => crls.reduce((sum, { crl }) => sum + crl.der.length, 1),
      dispose: (dropped) => clearTimeout(dropped.timer),
      noDisposeOnSet: true,
    });
  }

  /** What is known from some URLs, which from now on are in use. */
  use(urls: readonly string[]): readonly FetchedUrl[] {
    return urls.map((url) => {
      const one = this.#urls.get(url) ?? this.#add(url);
      one.isInUse = true;
      if (one.isDue) void this.#fetchOnce(one);
      return one;
    });
  }

  /** Fetches those that were never looked at. */
  fetchNew(known: readonly FetchedUrl[]): void {
    for (const one of known) if (one.timer === undefined) void this.#fetchOnce(one);
  }

  /** Fetches those of which nothing current is known, unless they have just been. */
  fetchMissing(known: readonly FetchedUrl[]): readonly Promise<void>[] {
    const now = performance.now();
    const missing = known.filter((one) => now - one.fetchedAt >= pauseMsAfter(one) && !this.#isCurrent(one));
    return missing.map(async (one) => this.#fetchOnce(one));
  }

  get health(): readonly RevocationSourceHealth[] {
    return [...this.#urls.values()].map(healthOf);
  }

  close(): void {
    this.#closed = true;
    for (const { timer } of this.#urls.values()) clearTimeout(timer);
  }

  #add(url: string): FetchedUrl {
    const added: FetchedUrl = {
      url,
      collection: new CrlCollection([]),
      failure: undefined,
      problem: undefined,
      failures: 0,
      fetchedAt: -Infinity,
      isInUse: true,
      isDue: false,
      etag: undefined,
      fetching: undefined,
      timer: undefined,
    };
    this.#urls.set(url, added);
    return added;
  }

  #isCurrent({ collection }: FetchedUrl): boolean {
    const time = this.#options.clock();
    return collection.crls.some((known) => !known.isDoubtful && endOf(known, this.#options.rules) >= time);
  }

  async #fetchOnce(one: FetchedUrl): Promise<void> {
    one.fetching ??= this.#fetch(one).finally(() => (one.fetching = undefined));
    return one.fetching;
  }

  /** Never rejects. */
  async #fetch(one: FetchedUrl): Promise<void> {
    one.isDue = false;
    try {
      const result = await this.#options.fetcher.fetch({
        url: one.url,
        method: 'GET',
        headers: { accept: 'application/pkix-crl', ...versionOf(one) },
        maxOctets: maxCrlOctets,
      });
      one.failure = await this.#take(one, result);
      one.failures = 0;
      this.#note(one);
    } catch (error) {
      one.failure = failureOf(error);
      one.failures += 1;
      if (isNews(error)) this.#note(one);
    }
    one.fetchedAt = performance.now();
    this.#fetchLater(one);
  }

  /** @returns what is wrong with what was fetched. */
  async #take(one: FetchedUrl, { body, notModified, etag }: FetchResult): Promise<Failure | undefined> {
    const { collection } = one;
    const before = collection.crls;
    if (notModified) {
      one.etag = etag ?? one.etag;
    } else {
      const found = await decode(body);
      const known = found.map((crl) => new KnownCrl(crl, one.url));
      const { clock, rules } = this.#options;
      const problem = await collection.replace(known, clock() - rules.graceSeconds * 1000);
      // What is not in use as it is must not be spared the next time.
      one.etag = problem === undefined ? etag : undefined;
      this.#tellOfChanges(one, before);
      if (problem !== undefined) return unknown('unusable', problem);
    }
    return this.#isCurrent(one) ? undefined : unknown('not-current', 'no CRL that is current');
  }

  #tellOfChanges(one: FetchedUrl, before: readonly KnownCrl[]): void {
    const { crls } = one.collection;
    const replaced = crls.filter((known) => !before.includes(known));
    // Its size is another one now.
    if (this.#urls.peek(one.url) === one) this.#urls.set(one.url, one);
    if (replaced.length > 0 || crls.length !== before.length) this.#options.onChange();
    for (const { crl } of replaced.filter(({ isDoubtful }) => !isDoubtful)) {
      this.#tell('replaced', one.url, {
        'clientcert.revocation.entries': crl.entryCount,
        'clientcert.crl.this_update': new Date(crl.thisUpdate).toISOString(),
        ...(crl.nextUpdate !== undefined && { 'clientcert.crl.next_update': new Date(crl.nextUpdate).toISOString() }),
      });
    }
  }

  #fetchLater(one: FetchedUrl): void {
    clearTimeout(one.timer);
    if (this.#closed || this.#urls.peek(one.url) !== one) return;
    const seconds = one.failures > 0 ? this.#pauseAfterFailure(one) : this.#secondsToRefresh(one);
    const jittered = seconds * (1 - jitter * Math.random());
    one.timer = setTimeout(() => this.#fetchIfInUse(one), jittered * 1000).unref();
  }

  #fetchIfInUse(one: FetchedUrl): void {
    one.isDue = !one.isInUse && !this.#options.isAlwaysInUse;
    if (!one.isDue) void this.#fetchOnce(one);
    one.isInUse = false;
  }

  #pauseAfterFailure({ failures }: FetchedUrl): number {
    return Math.min(this.#options.refreshSeconds, shortestRefreshSeconds * 2 ** Math.min(failures - 1, 20));
  }

  /** Halfway from thisUpdate to nextUpdate, when careful CAs issue the next one. */
  #secondsToRefresh({ collection }: FetchedUrl): number {
    const { refreshSeconds, clock } = this.#options;
    const time = clock();
    return collection.crls.reduce((seconds, { crl: { thisUpdate, nextUpdate = Infinity } }) => {
      const toHalf = ((thisUpdate + nextUpdate) / 2 - time) / 1000;
      return Math.min(seconds, Math.max(shortestRefreshSeconds, toHalf));
    }, refreshSeconds);
  }

  #note(one: FetchedUrl): void {
    const problem = one.failure?.detail;
    if (one.problem === problem) return;
    one.problem = problem;
    const about = problem === undefined ? {} : { 'error.message': problem };
    this.#tell(problem === undefined ? 'recovered' : 'refused', one.url, about);
  }

  #tell(what: 'replaced' | 'refused' | 'recovered', source: string, about: Partial<RevocationEvent>): void {
    if (this.#closed) return;
    const event: RevocationEvent = {
      'event.name': `clientcert.revocation.${what}`,
      'clientcert.revocation.method': 'crl',
      'clientcert.revocation.source': source,
      ...about,
    };
    publishRevocationEvent(event, this.#options.onEvent);
  }
}

/**
 * Who sends what is no longer current is asked no more often than who sends nothing. Who sends what the issuer has not
 * signed, once or for ever, may send much of it.
 */
function pauseMsAfter(one: FetchedUrl): number {
  return hasDoubtful(one) ? shortestRefreshSeconds * 1_000 : failureMs;
}

function hasDoubtful({ collection: { crls } }: FetchedUrl): boolean {
  return crls.some(({ isDoubtful }) => isDoubtful);
}

/** Not of what may be forged: its version would be, too, and keep the genuine one away. */
function versionOf(one: FetchedUrl): Readonly<Record<string, string>> {
  return one.etag === undefined || hasDoubtful(one) ? {} : { 'if-none-match': one.etag };
}

function healthOf({ url, problem, collection: { crls } }: FetchedUrl): RevocationSourceHealth {
  const [newest] = crls;
  const nextUpdate = newest?.crl.nextUpdate;
  return {
    source: url,
    status: problem === undefined ? 'ok' : 'degraded',
    ...(problem !== undefined && { problem }),
    ...(newest !== undefined && { thisUpdate: new Date(newest.crl.thisUpdate), entries: newest.crl.entryCount }),
    ...(nextUpdate !== undefined && { nextUpdate: new Date(nextUpdate) }),
  };
}

/** @throws {CrlTextError} */
async function decode(body: Buffer): Promise<readonly Crl[]> {
  let blocks = 0;
  for (let at = body.indexOf('-----BEGIN'); at !== -1; at = body.indexOf('-----BEGIN', at + 1)) {
    // Each takes far more memory than it has octets.
    if (++blocks > maxCrls) throw new CrlTextError(`more than ${maxCrls} CRLs`);
  }
  return runInSlices(decodeCrls(body));
}
