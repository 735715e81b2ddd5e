import { checkInteger, checkOptions, describe } from '../options';
import { HostRules } from './revocation-url';

/** How revocation data is asked for over the network. */
export interface NetworkOptions {
  /**
   * Hosts that may be asked: `crl.example.com` exactly, or `*.example.com` for every host below; in lower case. Each on the
   * default port of http or https, or on the port it is given with (`crl.internal:8080`) and no other. Default: every host
   * with a public address, on default ports.
   */
  readonly hosts?: readonly string[];
  /**
   * Hosts that may have an address which is not public: loopback, private, link-local and the like. Spelled as in `hosts`,
   * without ports. Certificates name the URLs that are asked, so whoever gets a certificate with a URL below such a name
   * lets this server send requests into the network it stands in. Default none.
   */
  readonly dangerouslyAllowPrivateAddressesOf?: readonly string[];
  /**
   * Time for one try, in milliseconds: name resolution, connection, TLS, headers and body together. From 100 to 30,000,
   * default 2,000.
   */
  readonly timeoutMs?: number;
  /**
   * Time for all tries of one question, in milliseconds, waiting for a free slot included. From 100 to 60,000, default
   * 3,000.
   */
  readonly totalTimeoutMs?: number;
  /** Most requests at a time. From 1 to 1,000, default 20. */
  readonly maxConcurrent?: number;
  /** Most requests at a time to one host and port. From 1 to 1,000, default 4. */
  readonly maxConcurrentPerHost?: number;
  /** Most requests that wait for others to end; what comes then fails at once. From 0 to 10,000, default 1,000. */
  readonly maxQueued?: number;
  /**
   * Does the requests in place of Node's http and https: for tests, for buckets that need credentials. Which addresses are
   * connected to, and that no proxy is used, is then the function's business. URLs, hosts, times, sizes and concurrency are
   * still judged here. Default: this package's own.
   */
  readonly fetch?: FetchFunction;
}

/**
 * The standard `fetch`, reduced to what is used of it: `globalThis.fetch` and undici's fit, and so does a stub. Must heed
 * `redirect` and `signal`.
 */
export type FetchFunction = (url: string, init: FetchInit) => Promise<FetchResponse>;

/** What a {@link FetchFunction} is asked. */
export interface FetchInit {
  /** `GET` or `POST`. */
  readonly method: 'GET' | 'POST';
  /** Names in lower case. */
  readonly headers: Record<string, string>;
  /** With `POST` only. */
  readonly body?: Uint8Array<ArrayBuffer>;
  /** A redirect is an error, not a way to go. */
  readonly redirect: 'error';
  /** Aborted when time is up, and when nothing more of the response is wanted. */
  readonly signal: AbortSignal;
}

/** What a {@link FetchFunction} answers. */
export interface FetchResponse {
  /** The HTTP status. */
  readonly status: number;
  /** The header fields. */
  readonly headers: {
    /** The value of a header field by its name in lower case; `null` or `undefined` when there is none. */
    get(name: string): string | null | undefined;
  };
  /** The body as it arrives; `null` when there is none. */
  readonly body: AsyncIterable<Uint8Array> | null;
}

/** {@link NetworkOptions} with their defaults. */
export interface ResolvedNetworkOptions {
  readonly hosts: HostRules;
  readonly timeoutMs: number;
  readonly totalTimeoutMs: number;
  readonly maxConcurrent: number;
  readonly maxConcurrentPerHost: number;
  readonly maxQueued: number;
  readonly fetch: FetchFunction | undefined;
}

const integers = {
  timeoutMs: { minimum: 100, maximum: 30_000, standard: 2_000 },
  totalTimeoutMs: { minimum: 100, maximum: 60_000, standard: 3_000 },
  maxConcurrent: { minimum: 1, maximum: 1_000, standard: 20 },
  maxConcurrentPerHost: { minimum: 1, maximum: 1_000, standard: 4 },
  maxQueued: { minimum: 0, maximum: 10_000, standard: 1_000 },
} as const;

const optionNames = ['hosts', 'dangerouslyAllowPrivateAddressesOf', ...Object.keys(integers), 'fetch'];

/** @throws {TypeError} for options that are unknown or of the wrong kind; {@link RangeError} for numbers out of bounds. */
export function resolveNetworkOptions(options: NetworkOptions): ResolvedNetworkOptions {
  checkOptions('network', options, optionNames);
  const { hosts, dangerouslyAllowPrivateAddressesOf, fetch } = options;
  if (fetch !== undefined && typeof fetch !== 'function') {
    throw new TypeError(`fetch must be a function like the standard one; it received ${describe(fetch)}.`);
  }
  return {
    hosts: new HostRules(hosts, dangerouslyAllowPrivateAddressesOf),
    timeoutMs: integer(options, 'timeoutMs'),
    totalTimeoutMs: integer(options, 'totalTimeoutMs'),
    maxConcurrent: integer(options, 'maxConcurrent'),
    maxConcurrentPerHost: integer(options, 'maxConcurrentPerHost'),
    maxQueued: integer(options, 'maxQueued'),
    fetch,
  };
}

function integer(options: NetworkOptions, name: keyof typeof integers): number {
  const { minimum, maximum, standard } = integers[name];
  const value = options[name] ?? standard;
  checkInteger(name, value, minimum, maximum);
  return value;
}
