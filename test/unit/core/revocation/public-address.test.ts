import { isPublicAddress } from '../../../../packages/core/src/revocation/public-address';

type Network = readonly [name: string, first: string, last: string, neighbours: readonly string[]];

/** First and last address of each network, and its neighbours where they are public. */
const ipv4: readonly Network[] = [
  ['this network', '0.0.0.0', '0.255.255.255', ['1.0.0.0']],
  ['private 10', '10.0.0.0', '10.255.255.255', ['9.255.255.255', '11.0.0.0']],
  ['shared by carriers', '100.64.0.0', '100.127.255.255', ['100.63.255.255', '100.128.0.0']],
  ['loopback', '127.0.0.0', '127.255.255.255', ['126.255.255.255', '128.0.0.0']],
  ["Azure's platform", '168.63.129.16', '168.63.129.16', ['168.63.129.15', '168.63.129.17']],
  ['link-local', '169.254.0.0', '169.254.255.255', ['169.253.255.255', '169.255.0.0']],
  ['private 172', '172.16.0.0', '172.31.255.255', ['172.15.255.255', '172.32.0.0']],
  ['protocol assignments', '192.0.0.0', '192.0.0.255', ['191.255.255.255', '192.0.1.0']],
  ['documentation 1', '192.0.2.0', '192.0.2.255', ['192.0.1.255', '192.0.3.0']],
  ['6to4 relays', '192.88.99.0', '192.88.99.255', ['192.88.98.255', '192.88.100.0']],
  ['private 192', '192.168.0.0', '192.168.255.255', ['192.167.255.255', '192.169.0.0']],
  ['benchmarking', '198.18.0.0', '198.19.255.255', ['198.17.255.255', '198.20.0.0']],
  ['documentation 2', '198.51.100.0', '198.51.100.255', ['198.51.99.255', '198.51.101.0']],
  ['documentation 3', '203.0.113.0', '203.0.113.255', ['203.0.112.255', '203.0.114.0']],
  ['multicast', '224.0.0.0', '239.255.255.255', ['223.255.255.255']],
  ['reserved and broadcast', '240.0.0.0', '255.255.255.255', []],
];

const ipv6: readonly Network[] = [
  ['protocol assignments', '2001::', '2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff', ['2000:ffff::1', '2001:200::']],
  ['documentation 1', '2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', ['2001:db7:ffff::1', '2001:db9::']],
  ['6to4', '2002::', '2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff', ['2001:ffff::1', '2003::']],
  ['documentation 2', '3fff::', '3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff', ['3ffe:ffff::1', '3fff:1000::']],
];

describe('an address that no host on the internet has', () => {
  it.each([...ipv4, ...ipv6])('lies in a special network, to its edges: %s', (_, first, last, neighbours) => {
    expect([first, last].map(isPublicAddress)).toEqual([false, false]);
    expect(neighbours.map(isPublicAddress)).toEqual(neighbours.map(() => true));
  });

  it.each(ipv4)('is special through NAT64 too: %s', (_, first, last, neighbours) => {
    expect([first, last].map((address) => isPublicAddress(`64:ff9b::${address}`))).toEqual([false, false]);
    expect(neighbours.map((address) => isPublicAddress(`64:ff9b::${address}`))).toEqual(neighbours.map(() => true));
  });

  it.each([
    ['the metadata service of most clouds', '169.254.169.254'],
    ['the same over IPv6', 'fd00:ec2::254'],
    ['the same through NAT64, in hexadecimal', '64:ff9b::a9fe:a9fe'],
    ['the same through 6to4', '2002:a9fe:a9fe::1'],
    ['the same mapped', '::ffff:169.254.169.254'],
    ["Alibaba Cloud's", '100.100.100.200'],
    ["Oracle Cloud's", '192.0.0.192'],
    ['unspecified', '::'],
    ['loopback', '::1'],
    ['loopback, mapped', '::ffff:127.0.0.1'],
    ['loopback, mapped, in hexadecimal', '::ffff:7f00:1'],
    ['loopback, written out', '0:0:0:0:0:0:0:1'],
    ['IPv4-compatible', '::127.0.0.1'],
    ['public, but mapped', '::ffff:8.8.8.8'],
    ['NAT64 of a network', '64:ff9b:1::8.8.8.8'],
    ['discard', '100::1'],
    ['Teredo', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
    ['unique local', 'fc00::1'],
    ['unique local, last', 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['link-local', 'fe80::1'],
    ['link-local with a zone', 'fe80::1%eth0'],
    ['site-local', 'fec0::1'],
    ['multicast', 'ff02::1'],
    ['below global unicast', '1fff::1'],
    ['above global unicast', '4000::1'],
  ])('F30: is %s', (_, address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each([
    ['empty', ''],
    ['a name', 'example.com'],
    ['decimal', '134744072'],
    ['octal', '010.8.8.8'],
    ['short', '8.8'],
    ['with brackets', '[2606:4700::1]'],
    ['with a port', '8.8.8.8:80'],
  ])('is one that is not written as an address: %s', (_, address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

it.each(['8.8.8.8', '1.1.1.1', '2606:4700:4700::1111', '2a00:1450:4001::1', '64:ff9b::8.8.8.8'])(
  'is public: %s',
  (address) => {
    expect(isPublicAddress(address)).toBe(true);
  },
);
