import type { ChannelEvidence, ChannelProof } from './channel-proof';

const evidence: ChannelEvidence = Object.freeze({ proof: 'any-peer' });

/**
 * No proof at all: whoever reaches the server is believed to be the proxy. Anyone who can open a connection can then be
 * anyone, by sending a certificate that is not theirs; certificates are public.
 *
 * For tests, and for origins that something else makes unreachable but for the proxy. There is no safe use of this on a
 * network with anybody else on it.
 */
export function dangerouslyTrustAnyPeer(): ChannelProof {
  return Object.freeze({
    proof: 'any-peer',
    consumedHeaders: [],
    isSufficient: true,
    readsTlsPeer: false,
    checkTrust(): void {},
    prove: () => evidence,
  } satisfies ChannelProof);
}
