import { FetchError } from './fetch-error';
import type { NetworkOptions } from './network-options';
import { checkRevocationUrl } from './revocation-url';

/** URLs of one certificate that are asked; those behind them are not. */
export const maxNamedUrls = 2;

/** The URLs to ask, of those that a certificate or the operator names: the first ones that may be asked at all, once each. */
export function urlsToAsk(named: readonly string[]): readonly string[] {
  const urls: string[] = [];
  for (const url of named) {
    if (!urls.includes(url) && mayBeAsked(url)) urls.push(url);
    if (urls.length === maxNamedUrls) break;
  }
  return urls;
}

/** Hosts the operator has named: they are asked, and wherever they are. @throws {TypeError} for what is no URL. */
export function hostsOf(urls: readonly string[]): Pick<NetworkOptions, 'hosts' | 'dangerouslyAllowPrivateAddressesOf'> {
  const parsed = urls.map((url) => {
    try {
      return checkRevocationUrl(url);
    } catch (error) {
      throw new TypeError('URLs must be http or https, without user information and fragment.', { cause: error });
    }
  });
  return {
    hosts: parsed.map(({ host }) => host),
    dangerouslyAllowPrivateAddressesOf: parsed.map(({ hostname }) => hostname),
  };
}

function mayBeAsked(url: string): boolean {
  try {
    checkRevocationUrl(url);
    return true;
  } catch (error) {
    if (error instanceof FetchError) return false;
    throw error;
  }
}
