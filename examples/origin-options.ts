import type { TrustStore } from '@peercert/core';

/** What an origin behind CloudFront is made of. A real one reads it from files, e.g. with `TrustStore.fromFile`. */
export interface OriginOptions {
  /** The origin's own certificate and private key, PEM. */
  readonly tls: { readonly cert: string; readonly key: string };
  /** Issuers of client certificates. */
  readonly viewers: TrustStore;
  /** Issuer of the certificate with which CloudFront identifies itself to the origin (origin mTLS). It issues nothing else. */
  readonly edge: TrustStore;
}
