import { isIP } from 'node:net';
import { AddressSet } from '../channel/address';

/**
 * IPv4 networks that are no place on the internet: the entries of the IANA special-purpose registry (RFC 6890) that are
 * not globally reachable, and multicast.
 */
const specialIpv4: readonly string[] = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // shared by carriers; metadata of some clouds
  '127.0.0.0/8', // loopback
  '168.63.129.16/32', // Azure's platform, the same in every virtual network
  '169.254.0.0/16', // link-local; metadata of most clouds
  '172.16.0.0/12', // private
  '192.0.0.0/24', // IETF protocol assignments
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // 6to4 relays, RFC 7526
  '192.168.0.0/16', // private
  '198.18.0.0/15', // benchmarking
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
];

/** The same within {@link globalIpv6}. */
const specialIpv6: readonly string[] = [
  '2001::/23', // IETF protocol assignments: Teredo, benchmarking, ORCHID
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4, RFC 7526
  '3fff::/20', // documentation
];

/** The prefix under which NAT64 (RFC 6052) shows IPv4 to hosts that have only IPv6. */
const nat64 = '64:ff9b::';

/**
 * Where IPv6 hosts are. The rest is loopback, link-local, unique local, site-local, multicast, discard, IPv4-mapped,
 * IPv4-compatible and translated addresses, or not assigned.
 */
const globalIpv6 = new AddressSet(['2000::/3', `${nat64}/96`]);

const special = new AddressSet([...specialIpv4, ...specialIpv4.map(throughNat64), ...specialIpv6]);

/**
 * Whether an address is one that a host on the internet can have.
 *
 * NOTE: a network that translates IPv4 under a prefix of its own (RFC 6052 section 2.2) has addresses that lead to private
 * IPv4 and look like any other. Only the operator knows the prefix; `hosts` is the way to be safe there.
 */
export function isPublicAddress(address: string): boolean {
  const version = isIP(address);
  return version !== 0 && (version === 4 || globalIpv6.has(address)) && !special.has(address);
}

function throughNat64(network: string): string {
  const [address, prefix] = network.split('/');
  return `${nat64}${address}/${96 + Number(prefix)}`;
}
