import type { LookupAddress } from 'node:dns';
import { lookup as dnsLookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { FetchError, systemCode } from './fetch-error';
import { isPublicAddress } from './public-address';

/** Every address of a host name. */
export type Lookup = (name: string) => Promise<readonly LookupAddress[]>;

/** Most names that are being resolved at a time: each takes a thread, and none can be called off. */
const maxLookups = 20;

/** Resolves hosts, and refuses those that have an address which is not public. */
export class HostAddresses {
  readonly #lookup: Lookup;
  readonly #underWay = new Map<string, Promise<readonly LookupAddress[]>>();

  constructor(lookup: Lookup = (name) => dnsLookup(name, { all: true })) {
    this.#lookup = lookup;
  }

  /**
   * The addresses of a host, all of them judged: one that is not public condemns the name. Who connects must connect to one
   * of these and not resolve again, since the next answer may be another.
   *
   * @param host - A name or an address.
   * @throws {FetchError} `'dns'`, `'address-not-permitted'`, or `'busy'` when too many names are being resolved.
   */
  async resolve(host: string, allowsPrivate: boolean): Promise<readonly LookupAddress[]> {
    const family = isIP(host);
    const addresses = family === 0 ? await this.#join(host) : [{ address: host, family }];
    if (!allowsPrivate && !addresses.every(({ address }) => isPublicAddress(address))) {
      throw new FetchError('address-not-permitted', { host });
    }
    return addresses;
  }

  /** Resolves a name once for all who ask at the same time, so that a slow one takes one thread. */
  async #join(host: string): Promise<readonly LookupAddress[]> {
    let lookup = this.#underWay.get(host);
    if (lookup === undefined) {
      if (this.#underWay.size >= maxLookups) throw new FetchError('busy', { host });
      const end = (): boolean => this.#underWay.delete(host);
      lookup = this.#lookup(host);
      this.#underWay.set(host, lookup);
      lookup.then(end, end);
    }
    const addresses = await lookup.catch((error: unknown) => {
      throw new FetchError('dns', { host, ...systemCode(error) });
    });
    if (addresses.length === 0) throw new FetchError('dns', { host });
    return addresses;
  }
}
