import { type ChannelDistrust, ClientCertificateError } from '../errors';
import type { CertificateRequest } from '../request';
import type { TrustStore } from '../trust/trust-store';

/** What showed that the peer may speak for clients. Stands beside every identity. Frozen plain data. */
export type ChannelEvidence =
  | {
      readonly proof: 'origin-mtls';
      /** SHA-256 of the proxy's certificate and of its public key, hexadecimal, lower case. */
      readonly certificateSha256: string;
      readonly spkiSha256: string;
    }
  | {
      readonly proof: 'shared-secret';
      readonly header: string;
      /** Which of the configured secrets it was, counting from 0: tells when an old one is no longer in use. */
      readonly secret: number;
    }
  | {
      readonly proof: 'trusted-addresses';
      /** The peer's address, or `'unix'`. */
      readonly address: string;
    }
  | {
      readonly proof: 'alb-verified';
      /** The load balancer's address, or `'unix'`. */
      readonly address: string;
      /** SHA-256 of the certificate of whoever stands before the load balancer, and of its public key, as above. */
      readonly certificateSha256: string;
      readonly spkiSha256: string;
    }
  | { readonly proof: 'all-of'; readonly evidence: readonly ChannelEvidence[] }
  /** Nothing was asked for: see `dangerouslyTrustAnyPeer`. */
  | { readonly proof: 'any-peer' }
  /** Nothing was shown, and `untrustedPeer: 'anonymous'` lets that pass without a certificate. */
  | { readonly proof: 'none' }
  /** The client is itself the TLS peer: nobody speaks for it. */
  | { readonly proof: 'native-tls' };

/** What a proof is judged with besides the request. */
export interface ChannelContext {
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  /** The store client certificates are validated against; undefined where there are none, see `requireChannel`. */
  readonly clientTrust: TrustStore | undefined;
}

/** Proves, for each request, that the peer is the proxy that may speak for clients (RFC 9440 section 4). */
export interface ChannelProof {
  /** What kind of proof it is. */
  readonly proof: ChannelEvidence['proof'] | 'any-of';
  /** Whether the proof is good by itself. One that is not can only stand beside another, in `allOf`. */
  readonly isSufficient: boolean;
  /** Whether the proof reads the peer's TLS certificate, which the server has to ask for. */
  readonly readsTlsPeer: boolean;
  /** Lower-case names of headers the proof consumes: they are hidden from handlers, and `Connection` may not name them. */
  readonly consumedHeaders: readonly string[];
  /**
   * Judges the proof against the store client certificates are validated against, when both are put together.
   *
   * @throws {TypeError} if a client could pass for the proxy.
   */
  checkTrust(clientTrust: TrustStore): void;
  /** Throws, or rejects with, {@link ClientCertificateError} `ERR_CHANNEL_UNTRUSTED`. */
  prove(request: CertificateRequest, context: ChannelContext): ChannelEvidence | Promise<ChannelEvidence>;
}

/**
 * Requires evidence of a proof. Anyone can write one, and one that answers `false` has not refused: refusing is throwing.
 *
 * @throws {TypeError} for any other answer.
 */
export function checkEvidence(answer: unknown): asserts answer is ChannelEvidence {
  if (typeof (answer as ChannelEvidence | null | undefined)?.proof !== 'string') {
    throw new TypeError('The channel proof gave no evidence.');
  }
}

export function untrusted(
  proof: ChannelProof['proof'],
  reason: ChannelDistrust,
  cause?: unknown,
): ClientCertificateError<'ERR_CHANNEL_UNTRUSTED'> {
  return new ClientCertificateError('ERR_CHANNEL_UNTRUSTED', { proof, reason }, cause === undefined ? {} : { cause });
}
