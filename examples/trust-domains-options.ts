import type { ChannelProof, TrustProvider } from '@peercert/core';

/** What an origin with several trust domains is made of. */
export interface TrustDomainsOptions {
  /** The origin's own certificate and private key, PEM. */
  readonly tls: { readonly cert: string; readonly key: string };
  /** Issuers of partners' certificates: a store, or one that is reloaded, e.g. by `watchTrustStore`. */
  readonly partners: TrustProvider;
  /** Issuers of the company's own certificates. */
  readonly internal: TrustProvider;
  /** What proves that a request came through CloudFront: `originMtls(...)` or `sharedSecret(...)`. */
  readonly channel: ChannelProof;
}

/** The domain of each host the origin answers for. A map, so that a host named `constructor` is no host of ours. */
export const domainOfHost: ReadonlyMap<string | undefined, 'partners' | 'internal'> = new Map([
  ['partners.example.com', 'partners'],
  ['intranet.example.com', 'internal'],
]);
