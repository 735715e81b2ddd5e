import { hostsOf, urlsToAsk } from '../../../../packages/core/src/revocation/named-urls';

describe('the URLs that are asked', () => {
  it('are the first two that may be asked at all, once each', () => {
    const named = ['ldap://a.test/', 'http://a.test/', 'http://a.test/', 'http://u:p@b.test/', 'HTTPS://b.test/x'];
    expect(urlsToAsk([...named, 'http://c.test/'])).toEqual(['http://a.test/', 'HTTPS://b.test/x']);
  });

  it.each([
    ['file:///etc/passwd'],
    ['gopher://a.test/'],
    ['//a.test/'],
    ['http://a.test/#x'],
    ['http://a@b.test/'],
    ['http://a.test/ x'],
    [''],
    [`http://a.test/${'x'.repeat(10_240)}`],
  ])('are none of %.40s', (url) => {
    expect(urlsToAsk([url])).toEqual([]);
  });

  it('SS-03: are found among many in no time', () => {
    const named = Array.from({ length: 100_000 }, (_, index) => `http://a.test/${index}`);
    expect(urlsToAsk(named)).toEqual(['http://a.test/0', 'http://a.test/1']);
  });
});

describe('hosts that the operator names', () => {
  it('may be asked on the port that is named, wherever they are', () => {
    expect(hostsOf(['http://OCSP.internal:8080/a', 'https://[::1]/', 'http://2130706433/'])).toEqual({
      hosts: ['ocsp.internal:8080', '[::1]', '127.0.0.1'],
      dangerouslyAllowPrivateAddressesOf: ['ocsp.internal', '[::1]', '127.0.0.1'],
    });
  });

  it.each(['ldap://a.test/', 'http://u@a.test/', 'a.test', ''])('are URLs: not %p', (url) => {
    expect(() => hostsOf([url])).toThrow('URLs must be http or https, without user information and fragment.');
    expect(() => hostsOf([url])).toThrow(TypeError);
  });
});
