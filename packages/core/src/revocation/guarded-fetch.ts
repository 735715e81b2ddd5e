import type { LookupAddress } from 'node:dns';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { FetchError, type FetchFailure, systemCode } from './fetch-error';
import { HostAddresses, type Lookup } from './host-addresses';
import type { FetchFunction, FetchInit, FetchResponse } from './network-options';
import { hostOf, type HostRules } from './revocation-url';

/** Most octets of response headers. */
const maxHeaderOctets = 16_384;

/** What tests put in place of the system's own. */
export interface GuardedFetchSettings {
  /** Default: the system's resolver. */
  readonly lookup?: Lookup | undefined;
  /** Roots that https servers are verified against, in PEM. Default: Node's. */
  readonly rootsPem?: string | undefined;
}

/**
 * A `fetch` over Node's http and https that connects to judged addresses only, follows no redirect, uses no proxy, reuses
 * no connection and decompresses nothing.
 */
export class GuardedFetch {
  readonly #hosts: HostRules;
  readonly #addresses: HostAddresses;
  readonly #http = new http.Agent({ keepAlive: false });
  readonly #https: https.Agent;

  constructor(hosts: HostRules, { lookup, rootsPem }: GuardedFetchSettings = {}) {
    this.#hosts = hosts;
    this.#addresses = new HostAddresses(lookup);
    // The environment (NODE_TLS_REJECT_UNAUTHORIZED) has no say in whether the server is verified.
    const tls = { rejectUnauthorized: true, ...(rootsPem === undefined ? {} : { ca: rootsPem }) };
    this.#https = new https.Agent({ keepAlive: false, maxCachedSessions: 0, ...tls });
  }

  /** @throws {FetchError} for everything that can go wrong. */
  readonly fetch: FetchFunction = async (text, init) => {
    const url = new URL(text);
    const addresses = await this.#addresses.resolve(hostOf(url), this.#hosts.allowsPrivateAddresses(url));
    init.signal.throwIfAborted();
    return this.#send(url, addresses, init);
  };

  /** Ends every connection. */
  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  #send(url: URL, addresses: readonly LookupAddress[], init: FetchInit): Promise<FetchResponse> {
    const { method, headers, body, signal } = init;
    const isHttps = url.protocol === 'https:';
    const host = hostOf(url);
    const options: https.RequestOptions = {
      method,
      hostname: host,
      port: url.port,
      path: `${url.pathname}${url.search}`,
      headers: { ...headers, host: url.host, ...(body === undefined ? {} : { 'content-length': body.length }) },
      lookup: pinnedTo(addresses),
      // RFC 6066 section 3: a server name is never an address.
      servername: isIP(host) === 0 ? host : '',
      agent: isHttps ? this.#https : this.#http,
      maxHeaderSize: maxHeaderOctets,
      insecureHTTPParser: false,
    };
    return new Promise((resolve, reject) => {
      const outgoing = (isHttps ? https : http).request(options);
      let failure: FetchFailure = 'connect';
      const translate = (error: unknown): FetchError => translateError(error, failure, host);
      outgoing.once('socket', (socket) => {
        socket.once('connect', () => (failure = isHttps ? 'tls' : 'reset'));
        socket.once('secureConnect', () => (failure = 'reset'));
      });
      outgoing.once('response', (response) => resolve(responseOf(response, translate)));
      outgoing.on('error', (error) => reject(translate(error)));
      // Whatever ends without a word, as an upgrade nobody asked for does.
      outgoing.once('close', () => reject(new FetchError('reset', { host })));
      signal.addEventListener('abort', () => outgoing.destroy(), { once: true });
      outgoing.end(body);
    });
  }
}

/** Answers every question for an address with those that were judged. */
function pinnedTo(addresses: readonly LookupAddress[]): LookupFunction {
  return (_, options, callback) => {
    const [{ address, family } = { address: '', family: 0 }] = addresses;
    if (options.all === true) callback(null, [...addresses]);
    else callback(null, address, family);
  };
}

function responseOf(response: IncomingMessage, translate: (error: unknown) => FetchError): FetchResponse {
  return {
    status: response.statusCode ?? 0,
    headers: {
      get(name) {
        const value = response.headers[name];
        return Array.isArray(value) ? value.join(', ') : value;
      },
    },
    body: bodyOf(response, translate),
  };
}

async function* bodyOf(response: IncomingMessage, translate: (error: unknown) => FetchError): AsyncGenerator<Buffer> {
  try {
    yield* response;
  } catch (error) {
    throw translate(error);
  }
}

/** @param failure - What it is when nothing more particular is known. */
function translateError(error: unknown, failure: FetchFailure, host: string): FetchError {
  const { code } = systemCode(error);
  const details = code === undefined ? { host } : { host, code };
  if (code === 'ECONNRESET') return new FetchError('reset', details);
  if (code === 'HPE_HEADER_OVERFLOW') return new FetchError('too-large', details);
  return new FetchError(code?.startsWith('HPE_') === true ? 'not-http' : failure, details);
}
