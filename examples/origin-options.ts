import type { ChannelProof, TrustStore } from '@peercert/core';

/** What an origin behind CloudFront is made of. A real one reads it from files, e.g. with `TrustStore.fromFile`. */
export interface OriginOptions {
  /** The origin's own certificate and private key, PEM. */
  readonly tls: { readonly cert: string; readonly key: string };
  /** Issuers of client certificates. */
  readonly viewers: TrustStore;
  /** What proves that a request came through CloudFront: `originMtls(...)` or `sharedSecret(...)`. */
  readonly channel: ChannelProof;
  /** Whether to refuse requests or only to report them. Default `'enforce'`. */
  readonly enforcement?: 'enforce' | 'report-only';
}
