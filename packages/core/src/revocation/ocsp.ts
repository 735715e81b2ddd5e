import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { checkInteger, checkOptions, describe } from '../options';
import type { UnknownCause } from '../path/acceptance';
import { ocspUrlsOf } from '../x509/access-descriptions';
import { failureOf, isNews } from './failed-fetch';
import { Fetcher } from './fetcher';
import { KnownStatus } from './known-status';
import { hostsOf, maxNamedUrls, urlsToAsk } from './named-urls';
import { type NetworkOptions, resolveNetworkOptions } from './network-options';
import { judgeOcspResponse, type OcspFinding, type OcspUnknownCause } from './ocsp-finding';
import { ocspGetUrl, ocspRequest } from './ocsp-request';
import type { ResponderRules } from './ocsp-signer';
import { publishRevocationEvent, type RevocationListener } from './revocation-event';
import {
  moreTelling,
  type RevocationAnswer,
  type RevocationHealth,
  type RevocationMethod,
  type RevocationQuestion,
  unknown,
} from './revocation-method';

/** What {@link ocsp} takes. */
export interface OcspOptions extends Pick<ResponderRules, 'delegateWithoutNocheck'> {
  /**
   * URLs of responders to ask, two at most, in place of those that certificates name. Their hosts may have addresses that
   * are not public: it is the operator who names them. Default: those in authorityInfoAccess.
   */
  readonly responders?: readonly string[];
  /** How responders are asked. Default: 2 seconds for a try, 3 for a question. */
  readonly network?: NetworkOptions;
  /** How long an answer without nextUpdate holds after its thisUpdate, in seconds: from 1 to 604,800, default 3,600. */
  readonly maxAgeSeconds?: number;
  /**
   * Longest time until an answer in use is asked for again, in the background, in seconds: from 60 to 86,400, default 3,600.
   * Sooner when half of its own time is over.
   */
  readonly refreshSeconds?: number;
  /** `'request'` sends a nonce with each request, by POST; an answer that comes with another one is no answer. Default `'omit'`. */
  readonly nonce?: 'omit' | 'request';
  /** Answers kept: from 1 to 1,000,000, default 10,000. */
  readonly maxEntries?: number;
  /** Told of every event, in the shape also published on the diagnostics channel `peercert:revocation`. Default none. */
  readonly onEvent?: RevocationListener;
  /** The time, in milliseconds since the Unix epoch. Default `Date.now`. For tests. */
  readonly clock?: () => number;
}

const optionNames = [
  'responders',
  'network',
  'maxAgeSeconds',
  'nonce',
  'maxEntries',
  'refreshSeconds',
  'delegateWithoutNocheck',
  'onEvent',
  'clock',
];

/** A response for one certificate is far smaller, its delegate's certificate included. */
const maxResponseOctets = 65_536;

/** Responders with something wrong that are remembered. */
const maxProblems = 1_000;

/** See `ocsp` in `on-demand`, which loads this. */
export function ocsp(options: OcspOptions = {}): RevocationMethod {
  checkOcspOptions(options);
  return new Ocsp(options);
}

class Ocsp implements RevocationMethod {
  readonly name = 'ocsp';
  readonly #options: OcspOptions;
  readonly #responders: readonly string[] | undefined;
  readonly #maxAgeSeconds: number;
  readonly #clock: () => number;
  readonly #fetcher: Fetcher;
  readonly #known: LRUCache<string, KnownStatus>;
  readonly #refreshMs: number;
  /** What is wrong with a responder, by its URL. */
  readonly #problems = new LRUCache<string, string>({ max: maxProblems });
  #revision = 0;
  #closed = false;

  constructor(options: OcspOptions) {
    const { responders, network, maxAgeSeconds = 3_600, maxEntries = 10_000, clock = Date.now } = options;
    // Copies: what they say now is what holds.
    this.#options = { ...options };
    this.#responders = responders && urlsToAsk(responders);
    this.#maxAgeSeconds = maxAgeSeconds;
    this.#clock = clock;
    this.#fetcher = new Fetcher({ ...network, ...(responders && hostsOf(responders)) });
    this.#known = new LRUCache({ max: maxEntries });
    this.#refreshMs = (options.refreshSeconds ?? 3_600) * 1000;
  }

  get revision(): number {
    return this.#revision;
  }

  get health(): RevocationHealth {
    const sources = [...this.#problems.entries()].map(([source, problem]) => {
      return { source, status: 'degraded', problem } as const;
    });
    return { method: this.name, status: sources.length === 0 ? 'ok' : 'degraded', sources };
  }

  checkTrust(): void {}

  ask(question: RevocationQuestion): RevocationAnswer | Promise<RevocationAnswer> {
    const { certificate, time } = question;
    const urls = this.#responders ?? urlsToAsk(ocspUrlsOf(certificate));
    if (urls.length === 0) return unknown('no-source', 'the certificate names no responder that may be asked');
    const known = this.#knownOf(keyOf(question));
    const answer = known.at(time);
    if (answer === undefined) return this.#askOnce(known, question, urls).then((one) => heldAgainst(time, one));
    if (known.isDueAt(time)) void this.#askOnce(known, question, urls);
    return answer;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#fetcher.close();
  }

  #knownOf(key: string): KnownStatus {
    let known = this.#known.get(key);
    if (known === undefined) {
      known = new KnownStatus(this.#refreshMs);
      this.#known.set(key, known);
    }
    return known;
  }

  async #askOnce(known: KnownStatus, question: RevocationQuestion, urls: readonly string[]): Promise<RevocationAnswer> {
    known.asking ??= this.#askResponders(question, urls)
      .then((found) => {
        const time = this.#clock();
        if (known.keep(found, time)) this.#revision += 1;
        return known.after(found, time);
      })
      .finally(() => (known.asking = undefined));
    return known.asking;
  }

  async #askResponders(question: RevocationQuestion, urls: readonly string[]): Promise<RevocationAnswer> {
    let answer: RevocationAnswer | undefined;
    const deadline = this.#fetcher.deadline();
    for (const url of urls) {
      const found = await this.#askResponder(url, question, deadline);
      answer = answer === undefined ? found : moreTelling(answer, found);
      if (answer.status !== 'unknown') break;
    }
    return answer ?? unknown('no-source', 'nobody was asked');
  }

  async #askResponder(url: string, question: RevocationQuestion, deadline: number): Promise<RevocationAnswer> {
    const { certificate, issuer, rules } = question;
    const { delegateWithoutNocheck } = this.#options;
    const nonce = this.#options.nonce === 'request' ? randomBytes(32) : undefined;
    try {
      const finding = await judgeOcspResponse({
        certificate,
        issuer,
        response: await this.#fetch(url, question, nonce, deadline),
        time: this.#clock(),
        maxAgeSeconds: this.#maxAgeSeconds,
        ...(nonce !== undefined && { nonce }),
        ...(delegateWithoutNocheck !== undefined && { delegateWithoutNocheck }),
        ...(rules.legacyAlgorithms !== undefined && { legacyAlgorithms: rules.legacyAlgorithms }),
      });
      this.#note(url, problemOf(finding));
      return answerOf(finding, url);
    } catch (error) {
      const failure = failureOf(error);
      if (isNews(error)) this.#note(url, failure.detail);
      return failure;
    }
  }

  async #fetch(
    url: string,
    { certificate, issuer }: RevocationQuestion,
    nonce: Buffer | undefined,
    deadline: number,
  ): Promise<Buffer> {
    const request = ocspRequest({ certificate, issuer, ...(nonce !== undefined && { nonce }) });
    const getUrl = nonce === undefined ? ocspGetUrl(url, request) : undefined;
    const accept = 'application/ocsp-response';
    const limits = { maxOctets: maxResponseOctets, deadline };
    const { body } = await this.#fetcher.fetch(
      getUrl === undefined
        ? {
            url,
            method: 'POST',
            headers: { accept, 'content-type': 'application/ocsp-request' },
            body: Uint8Array.from(request),
            ...limits,
          }
        : { url: getUrl, method: 'GET', headers: { accept }, ...limits },
    );
    return body;
  }

  #note(url: string, problem: string | undefined): void {
    if (this.#closed || this.#problems.get(url) === problem) return;
    if (problem === undefined) this.#problems.delete(url);
    else this.#problems.set(url, problem);
    publishRevocationEvent(
      {
        'event.name': `clientcert.revocation.${problem === undefined ? 'recovered' : 'refused'}`,
        'clientcert.revocation.method': 'ocsp',
        'clientcert.revocation.source': url,
        ...(problem !== undefined && { 'error.message': problem }),
      },
      this.#options.onEvent,
    );
  }
}

/**
 * Issuer, by key and name, and serial number: what a CertID is made of. Twins have all of that in common. And by which rules
 * the answer was judged: what one authenticator takes need not do for the next.
 */
function keyOf({ certificate, issuer, rules }: RevocationQuestion): string {
  const serial = certificate.serialNumberOctets.toString('latin1');
  const judgedBy = rules.legacyAlgorithms === 'accept' ? 'legacy' : '';
  return `${judgedBy}${issuer.spkiSha256}${serial.length}:${serial}${certificate.issuerKey}`;
}

/** The clock of who asks may be ahead of the one the answer was judged by. */
function heldAgainst(time: number, answer: RevocationAnswer): RevocationAnswer {
  if (answer.status !== 'good' || time <= answer.until) return answer;
  return unknown('not-current', 'the time of the answer is over');
}

const causes: { readonly [Cause in OcspUnknownCause]: UnknownCause } = {
  malformed: 'unusable',
  'responder-error': 'unreachable',
  'responder-not-authorized': 'untrusted',
  'responder-expired': 'untrusted',
  'algorithm-not-permitted': 'untrusted',
  'signature-invalid': 'untrusted',
  'nonce-mismatch': 'untrusted',
  'not-answered': 'not-known',
  'critical-extension': 'unusable',
  'not-yet-valid': 'not-current',
  stale: 'not-current',
  'status-unknown': 'not-known',
};

function answerOf(finding: OcspFinding, source: string): RevocationAnswer {
  if (finding.status === 'unknown') return unknown(causes[finding.cause], describeFinding(finding));
  const { thisUpdate: asOf, until } = finding;
  if (finding.status === 'good') return { status: 'good', source, asOf, until };
  const { revokedAt, reason } = finding;
  return { status: 'revoked', source, asOf, until, revokedAt, reason };
}

/** A responder that does not know a certificate, and signs that it does not, is well. */
function problemOf(finding: OcspFinding): string | undefined {
  return finding.status === 'unknown' && finding.cause !== 'status-unknown' ? describeFinding(finding) : undefined;
}

function describeFinding({ cause, detail }: OcspFinding & { readonly status: 'unknown' }): string {
  return detail === undefined ? cause : `${cause}: ${detail}`;
}

function checkOcspOptions(options: OcspOptions): void {
  checkOptions('ocsp', options, optionNames);
  const { responders, network = {}, nonce = 'omit', delegateWithoutNocheck = 'reject' } = options;
  const { maxAgeSeconds = 3_600, maxEntries = 10_000, refreshSeconds = 3_600, clock, onEvent } = options;
  checkInteger('maxAgeSeconds', maxAgeSeconds, 1, 604_800);
  checkInteger('maxEntries', maxEntries, 1, 1_000_000);
  checkInteger('refreshSeconds', refreshSeconds, 60, 86_400);
  if (nonce !== 'omit' && nonce !== 'request') throw new TypeError("nonce must be 'omit' or 'request'.");
  if (delegateWithoutNocheck !== 'reject' && delegateWithoutNocheck !== 'accept') {
    throw new TypeError("delegateWithoutNocheck must be 'reject' or 'accept'.");
  }
  for (const [name, value] of Object.entries({ onEvent, clock })) {
    if (value !== undefined && typeof value !== 'function') {
      throw new TypeError(`${name} must be a function; it received ${describe(value)}.`);
    }
  }
  resolveNetworkOptions(network);
  if (responders === undefined) return;
  const areUrls = Array.isArray(responders) && responders.every((one) => typeof one === 'string');
  if (!areUrls || responders.length === 0 || responders.length > maxNamedUrls) {
    throw new TypeError(`responders takes one or two URLs; it received ${describe(responders)}.`);
  }
  hostsOf(responders);
}
