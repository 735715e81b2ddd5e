import { describe } from '../options';
import { FetchError } from './fetch-error';

/** Longest URL that is asked, in characters. */
const maxUrlLength = 2_048;

/**
 * http or https, a host of ASCII labels or an IPv6 literal, a port, and then a path and query in the characters of RFC 3986
 * section 2. No user information, no fragment, and nothing that two parsers could read in two ways.
 */
const grammar =
  /^https?:\/\/(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:[/?][a-z0-9\-._~:/?[\]@!$&'()*+,;=%]*)?$/i;

/**
 * Parses the URL of a CRL or an OCSP responder, as a certificate or the operator names it. An IPv4 address comes out in its
 * one usual form, however it was written.
 *
 * @throws {FetchError} `'url-not-permitted'`
 */
export function checkRevocationUrl(text: string): URL {
  if (text.length > maxUrlLength || !grammar.test(text) || !URL.canParse(text)) {
    throw new FetchError('url-not-permitted');
  }
  return new URL(text);
}

/** The host of a URL as it is looked up and connected to: without the brackets of an IPv6 literal. */
export function hostOf(url: URL): string {
  return url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
}

interface HostPattern {
  /** `.suffix` for every host below it. */
  readonly name: string;
  /** `''` for the default port of the scheme. */
  readonly port: string;
}

/** The operator's word on which hosts may be asked, and which of them on a network that is not public. */
export class HostRules {
  readonly #permitted: readonly HostPattern[] | undefined;
  readonly #private: readonly HostPattern[];

  /** @throws {TypeError} for what could never match. */
  constructor(hosts: readonly string[] | undefined, privateHosts: readonly string[] | undefined) {
    this.#permitted = hosts === undefined ? undefined : parsePatterns('hosts', hosts);
    this.#private = privateHosts === undefined ? [] : parsePatterns('dangerouslyAllowPrivateAddressesOf', privateHosts);
    if (this.#permitted?.length === 0) throw new TypeError('hosts must name a host: an empty list permits none.');
    if (this.#private.some(({ port }) => port !== '')) {
      throw new TypeError('dangerouslyAllowPrivateAddressesOf takes hosts without a port; ports go into hosts.');
    }
  }

  /** @throws {FetchError} `'host-not-permitted'`, also for a port that is neither the scheme's own nor listed. */
  check(url: URL): void {
    const isPermitted =
      this.#permitted === undefined
        ? url.port === ''
        : this.#permitted.some((pattern) => hasName(url, pattern) && hasPort(url, pattern));
    if (!isPermitted) throw new FetchError('host-not-permitted', { host: hostOf(url) });
  }

  allowsPrivateAddresses(url: URL): boolean {
    return this.#private.some((pattern) => hasName(url, pattern));
  }
}

function hasName({ hostname }: URL, { name }: HostPattern): boolean {
  return name.startsWith('.') ? hostname.endsWith(name) : hostname === name;
}

function hasPort(url: URL, { port }: HostPattern): boolean {
  return url.port === port || (url.port === '' && port === (url.protocol === 'http:' ? '80' : '443'));
}

function parsePatterns(option: string, patterns: unknown): readonly HostPattern[] {
  if (!Array.isArray(patterns)) throw new TypeError(`${option} must be an array; it received ${describe(patterns)}.`);
  return patterns.map((pattern) => parsePattern(option, pattern));
}

/** `crl.example.com`, `*.example.com`, `192.0.2.1` or `[2001:db8::1]`, each with or without a port. */
function parsePattern(option: string, pattern: unknown): HostPattern {
  const text = typeof pattern === 'string' ? pattern : '';
  const [, isBelow, name = '', port = ''] = /^(\*\.)?([^:*]+|\[[^\]]+\])(?::(\d{1,5}))?$/.exec(text) ?? [];
  const authority = `${isBelow === undefined ? name : `a.${name}`}:${port}`;
  // A name that is written in another way than URLs come out could never match.
  const isUsable = grammar.test(`http://${name}/`) && hostnameOf(authority) === authority.replace(/:\d*$/, '');
  if (!isUsable) {
    const given = typeof pattern === 'string' ? `\`${pattern}\`` : describe(pattern);
    throw new TypeError(`${option} takes lower-case hosts such as crl.example.com or *.example.com, not ${given}.`);
  }
  return { name: isBelow === undefined ? name : `.${name}`, port };
}

function hostnameOf(authority: string): string | undefined {
  const url = `http://${authority}/`;
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}
