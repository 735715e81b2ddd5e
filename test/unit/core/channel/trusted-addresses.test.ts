import { type CertificateRequest, trustedAddresses, TrustStore } from '@peercert/core';
import { createAuthority, TEST_TIME } from '@peercert/testkit';
import { requestOf } from '../../../support/requests';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const context = { time: TEST_TIME.getTime(), clientTrust: TrustStore.fromDer([createAuthority().der]) };
const from = (remoteAddress: string | undefined, ...headers: readonly string[]): CertificateRequest =>
  requestOf(headers, { destroyed: false, remoteAddress });
const prove = (cidrs: readonly string[], request: CertificateRequest): unknown =>
  trustedAddresses(cidrs).prove(request, context);

describe('trusted addresses', () => {
  it.each([
    ['10.0.0.0/8', '10.0.0.5'],
    ['10.0.0.0/8', '10.255.255.255'],
    ['10.1.2.3/8', '10.9.9.9'],
    ['10.0.0.5', '10.0.0.5'],
    ['fd00::/8', 'fd12::1'],
    ['::1', '::1'],
  ])('accept from %s the peer %s', (cidr, address) => {
    expect(prove([cidr], from(address))).toEqual({ proof: 'trusted-addresses', address });
  });

  it.each([
    ['10.0.0.0/8', '::ffff:10.0.0.5'],
    ['10.0.0.0/8', '0:0:0:0:0:ffff:a00:5'],
    ['10.0.0.0/8', '::ffff:a00:5'],
    ['fe80::/10', 'fe80::1%eth0'],
  ])('CH-04: accept from %s the peer spelled %s', (cidr, address) => {
    expect(prove([cidr], from(address))).toEqual({ proof: 'trusted-addresses', address });
  });

  it.each([
    ['10.0.0.0/8', '11.0.0.1'],
    ['10.0.0.0/8', '9.255.255.255'],
    ['10.0.0.5', '10.0.0.6'],
    ['10.0.0.5', '10.0.0.50'],
    ['10.0.0.0/8', '::ffff:11.0.0.1'],
    ['10.0.0.0/8', '::10.0.0.5'],
    ['10.0.0.0/8', '64:ff9b::10.0.0.5'],
    ['10.0.0.0/8', '2001:db8::10'],
    ['10.0.0.0/8', '10.0.0.5.example.com'],
    ['10.0.0.0/8', '10.0.0'],
    ['10.0.0.0/8', ''],
    ['::1', '127.0.0.1'],
    ['fe80::/10', 'fec0::1%eth0'],
    ['unix', '127.0.0.1'],
  ])('CH-04: refuse from %s the peer %s', (cidr, address) => {
    expect(() => prove([cidr], from(address))).toThrowWithCode('ERR_CHANNEL_UNTRUSTED', {
      proof: 'trusted-addresses',
      reason: 'address-not-trusted',
    });
  });

  it('CH-03: do not look at any header', () => {
    const lines = ['X-Forwarded-For', '10.0.0.5', 'Forwarded', 'for=10.0.0.5', 'X-Real-IP', '10.0.0.5'];
    const request = Object.assign(from('192.0.2.1', ...lines), { ip: '10.0.0.5', ips: ['10.0.0.5'] });
    expect(() => prove(['10.0.0.0/8'], request)).toThrowWithCode('ERR_CHANNEL_UNTRUSTED', {
      proof: 'trusted-addresses',
      reason: 'address-not-trusted',
    });
  });

  it.each<[string, CertificateRequest]>([
    ['whose address is gone', from(undefined)],
    ['whose socket is gone', { rawHeaders: [], socket: undefined as never }],
    ['over TCP that lost its address', requestOf([], { destroyed: false, server: { address: () => ({}) } } as never)],
    [
      'over a unix socket that is closed',
      requestOf([], { destroyed: true, server: { address: () => '/run/x' } } as never),
    ],
    ['whose server has no address', requestOf([], { destroyed: false, server: { address: () => null } } as never)],
  ])('CH-05: refuse a peer %s, unix sockets being trusted', (_, request) => {
    expect(() => prove(['10.0.0.0/8', 'unix'], request)).toThrowWithCode('ERR_CHANNEL_UNTRUSTED', {
      proof: 'trusted-addresses',
      reason: 'peer-gone',
    });
  });

  it('accept a unix socket only where it is named', () => {
    const request = requestOf([], { destroyed: false, server: { address: () => '/run/origin' } } as never);
    expect(prove(['unix'], request)).toEqual({ proof: 'trusted-addresses', address: 'unix' });
    expect(() => prove(['10.0.0.0/8'], request)).toThrowWithCode('ERR_CHANNEL_UNTRUSTED', {
      proof: 'trusted-addresses',
      reason: 'peer-gone',
    });
  });

  it.each<[readonly string[], boolean]>([
    [['127.0.0.1'], true],
    [['10.0.0.0/8', '172.16.0.0/12', '192.168.1.0/24', '169.254.0.0/16'], true],
    [['::1', 'fd00::/8', 'fe80::/10'], true],
    [['unix'], true],
    [['130.176.0.0/16'], false],
    [['10.0.0.0/8', '130.176.0.0/16'], false],
    [['0.0.0.0/0'], false],
    [['10.0.0.0/7'], false],
    [['127.0.0.1/0'], false],
    [['172.16.0.0/11'], false],
    [['::/0'], false],
    [['fc00::/6'], false],
    [['2600:9000::/28'], false],
    [['::ffff:0.0.0.0/96'], false],
    [['::ffff:8.8.8.8'], false],
  ])('CH-02: by themselves prove, of %j: %s', (cidrs, expected) => {
    expect(trustedAddresses(cidrs).isSufficient).toBe(expected);
  });

  it.each<[string, unknown, string]>([
    ['an empty list', [], 'trustedAddresses needs a non-empty array of networks; it received an empty array.'],
    ['a string', '10.0.0.0/8', 'trustedAddresses needs a non-empty array of networks; it received a string.'],
    ['nothing', undefined, 'trustedAddresses needs a non-empty array of networks; it received undefined.'],
    ['a host name', ['localhost'], '`localhost` is not an address or a network like 10.0.0.0/8.'],
    ['a prefix that is too long', ['10.0.0.0/33'], '`10.0.0.0/33` is not an address or a network like 10.0.0.0/8.'],
    ['an empty prefix', ['10.0.0.0/'], '`10.0.0.0/` is not an address or a network like 10.0.0.0/8.'],
    ['a negative prefix', ['10.0.0.0/-1'], '`10.0.0.0/-1` is not an address or a network like 10.0.0.0/8.'],
    ['two prefixes', ['10.0.0.0/8/8'], '`10.0.0.0/8/8` is not an address or a network like 10.0.0.0/8.'],
    ['a mask', ['10.0.0.0/255.0.0.0'], '`10.0.0.0/255.0.0.0` is not an address or a network like 10.0.0.0/8.'],
    ['an empty string', [''], '`` is not an address or a network like 10.0.0.0/8.'],
    ['a number', [10], 'this is not an address or a network like 10.0.0.0/8.'],
  ])('are not %s', (_, cidrs, message) => {
    expect(() => trustedAddresses(cidrs as never)).toThrow(new TypeError(message));
  });
});
