import { describe } from '../options';
import type { CertificateRequest } from '../request';
import { AddressSet, isUnixSocket, privateAddresses } from './address';
import { type ChannelEvidence, type ChannelProof, untrusted } from './channel-proof';

/**
 * Channel proof by the peer's network address, as the socket has it. `X-Forwarded-For` and a framework's `req.ip` are
 * not looked at: anyone can write the one, and the other comes from it.
 *
 * By itself good for loopback, private ranges and unix sockets only. The address range of a CDN shows whose machines a
 * request came from, not whose distribution: combine it, `allOf(trustedAddresses(...), sharedSecret(...))`.
 *
 * @param cidrs - Addresses and networks such as `10.1.0.0/16`, and `'unix'` for peers on a unix socket. IPv4-mapped
 *   addresses count as IPv4.
 * @throws {TypeError} for an empty list, or anything that is neither.
 */
export function trustedAddresses(cidrs: readonly string[]): ChannelProof {
  if (!Array.isArray(cidrs) || cidrs.length === 0) {
    throw new TypeError(`trustedAddresses needs a non-empty array of networks; it received ${describe(cidrs)}.`);
  }
  const addresses = new AddressSet(cidrs.filter((cidr) => cidr !== 'unix'));
  const allowsUnix = cidrs.includes('unix');
  return Object.freeze({
    proof: 'trusted-addresses',
    consumedHeaders: [],
    isSufficient: addresses.isWithin(privateAddresses),
    readsTlsPeer: false,
    checkTrust(): void {},
    prove(request: CertificateRequest): ChannelEvidence {
      const socket = request.socket as CertificateRequest['socket'] | undefined;
      if (socket === undefined) throw untrusted('trusted-addresses', 'peer-gone');
      const { remoteAddress } = socket;
      if (addresses.has(remoteAddress)) {
        return Object.freeze({ proof: 'trusted-addresses', address: remoteAddress as string });
      }
      if (allowsUnix && isUnixSocket(socket)) return Object.freeze({ proof: 'trusted-addresses', address: 'unix' });
      throw untrusted('trusted-addresses', remoteAddress === undefined ? 'peer-gone' : 'address-not-trusted');
    },
  } satisfies ChannelProof);
}
