import { FetchError } from '../../../../packages/core/src/revocation/fetch-error';
import { checkRevocationUrl, hostOf, HostRules } from '../../../../packages/core/src/revocation/revocation-url';

const check = (rules: HostRules, url: string): string => {
  try {
    rules.check(new URL(url));
    return 'permitted';
  } catch (error) {
    if (error instanceof FetchError) return `${error.reason} ${error.details.host}`;
    throw error;
  }
};

describe('the URL of revocation data', () => {
  it.each([
    ['http://crl.example.com/ca.crl', 'http://crl.example.com/ca.crl'],
    ['HTTP://CRL.Example.COM/CA.crl', 'http://crl.example.com/CA.crl'],
    ['https://crl.example.com', 'https://crl.example.com/'],
    ['http://ocsp.example.com:80/', 'http://ocsp.example.com/'],
    ['http://ocsp.example.com:8080/', 'http://ocsp.example.com:8080/'],
    ['http://ocsp.example.com/MFMwUTBPME0%2BA==', 'http://ocsp.example.com/MFMwUTBPME0%2BA=='],
    ['http://crl.example.com?id=1&x=@', 'http://crl.example.com/?id=1&x=@'],
    ['http://xn--bcher-kva.example/a.crl', 'http://xn--bcher-kva.example/a.crl'],
    ['http://crl_1.internal/a', 'http://crl_1.internal/a'],
    ['http://[2001:DB8::1]:80/a', 'http://[2001:db8::1]/a'],
  ])('may be %s', (text, href) => {
    expect(checkRevocationUrl(text).href).toBe(href);
  });

  it.each([
    ['decimal', 'http://2130706433/', '127.0.0.1'],
    ['octal', 'http://0177.0.0.1/', '127.0.0.1'],
    ['hexadecimal', 'http://0x7f000001/', '127.0.0.1'],
    ['short', 'http://127.1/', '127.0.0.1'],
    ['IPv4-mapped', 'http://[::ffff:127.0.0.1]/', '::ffff:7f00:1'],
    ['written out', 'http://[0:0:0:0:0:0:0:1]/', '::1'],
  ])('SS-02: has an address in its one form: %s', (_, text, host) => {
    expect(hostOf(checkRevocationUrl(text))).toBe(host);
  });

  it.each([
    ['file', 'file:///etc/passwd'],
    ['ldap', 'ldap://ldap.example.com/cn=ca?certificateRevocationList'],
    ['gopher', 'gopher://crl.example.com/_x'],
    ['ftp', 'ftp://crl.example.com/ca.crl'],
    ['data', 'data:application/pkix-crl;base64,MAA='],
    ['javascript', 'javascript:alert(1)'],
    ['httpx', 'httpx://crl.example.com/'],
    ['none', '//crl.example.com/'],
    ['no authority', 'http:crl.example.com'],
    ['an empty host', 'http:///ca.crl'],
    ['nothing', ''],
  ])('SS-01: is refused for its scheme: %s', (_, text) => {
    expect(() => checkRevocationUrl(text)).toThrow(new FetchError('url-not-permitted'));
  });

  it.each([
    ['user information', 'http://user:secret@crl.example.com/'],
    ['a user alone', 'http://crl.example.com@127.0.0.1/'],
    ['an empty user', 'http://@crl.example.com/'],
    ['a fragment', 'http://crl.example.com/#a'],
    ['CR LF', 'http://crl.example.com/\r\nHost: 127.0.0.1'],
    ['a line feed alone', 'http://crl.example.com/a\n'],
    ['a tab in the scheme', 'ht\ttp://crl.example.com/'],
    ['a space', 'http://crl.example.com/a b'],
    ['a leading space', ' http://crl.example.com/'],
    ['NUL', 'http://crl.example.com/\u0000'],
    ['a backslash', 'http://crl.example.com\\@127.0.0.1/'],
    ['a backslash for slashes', 'http:\\\\crl.example.com/'],
    ['a percent-encoded host', 'http://%31%32%37.0.0.1/'],
    ['a non-ASCII host', 'http://b\u00fccher.example/'],
    ['full-width digits', 'http://\uff11\uff12\uff17.0.0.1/'],
    ['an ideographic full stop', 'http://127\u30020.0.1/'],
    ['a non-ASCII path', 'http://crl.example.com/\u00e9'],
    ['a trailing dot', 'http://crl.example.com./'],
    ['an address with a trailing dot', 'http://127.0.0.1./'],
    ['an empty label', 'http://crl..example.com/'],
    ['an address of five parts', 'http://1.2.3.4.5/'],
    ['a zone', 'http://[fe80::1%25eth0]/'],
    ['an unclosed bracket', 'http://[::1/'],
    ['a port of letters', 'http://crl.example.com:http/'],
    ['a port too large', 'http://crl.example.com:65536/'],
    ['an empty port', 'http://crl.example.com:/'],
    ['a character outside RFC 3986', 'http://crl.example.com/<a>'],
  ])('SS-03: is refused for %s', (_, text) => {
    expect(() => checkRevocationUrl(text)).toThrow(new FetchError('url-not-permitted'));
  });

  it('SS-03: has at most 2,048 characters', () => {
    const longest = `http://crl.example.com/${'a'.repeat(2_048 - 23)}`;
    expect(checkRevocationUrl(longest).href).toHaveLength(2_048);
    for (const text of [
      `${longest}a`,
      `http://crl.example.com/${'a'.repeat(10_240)}`,
      `http://${'a.'.repeat(5_000)}a/`,
    ]) {
      expect(() => checkRevocationUrl(text)).toThrow(new FetchError('url-not-permitted'));
    }
  });
});

describe('hosts that may be asked', () => {
  it('SS-03: are all, on the port of the scheme, when none are named', () => {
    const rules = new HostRules(undefined, undefined);
    const urls = [
      'http://a.example/',
      'https://a.example/',
      'http://a.example:25/',
      'http://a.example:443/',
      'https://a.example:80/',
    ];
    const refused = 'host-not-permitted a.example';
    expect(urls.map((url) => check(rules, url))).toEqual(['permitted', 'permitted', refused, refused, refused]);
  });

  it.each([
    ['a.example', 'http://a.example/', true],
    ['a.example', 'https://a.example/', true],
    ['a.example', 'http://A.EXAMPLE/', true],
    ['a.example', 'http://a.example:8080/', false],
    ['a.example', 'http://b.a.example/', false],
    ['a.example', 'http://a.example.com/', false],
    ['a.example', 'http://xa.example/', false],
    ['*.a.example', 'http://b.a.example/', true],
    ['*.a.example', 'http://c.b.a.example/', true],
    ['*.a.example', 'http://a.example/', false],
    ['*.a.example', 'http://xa.example/', false],
    ['*.a.example', 'http://b.a.example:8080/', false],
    ['*.a.example:8080', 'http://b.a.example:8080/', true],
    ['crl.internal:8080', 'http://crl.internal:8080/', true],
    ['crl.internal:8080', 'http://crl.internal/', false],
    ['crl.internal:80', 'http://crl.internal/', true],
    ['crl.internal:80', 'https://crl.internal/', false],
    ['crl.internal:443', 'https://crl.internal/', true],
    ['10.0.0.1', 'http://167772161/', true],
    ['[::1]:8080', 'http://[::1]:8080/', true],
    ['[::1]', 'http://[::1]:8080/', false],
  ])('are named by %s: %s %s', (pattern, url, expected) => {
    const rules = new HostRules([pattern], undefined);
    const refused = `host-not-permitted ${hostOf(new URL(url))}`;
    expect(check(rules, url)).toBe(expected ? 'permitted' : refused);
  });

  it('may have private addresses only where that is said, whatever the port', () => {
    const rules = new HostRules(undefined, ['crl.internal', '*.corp.example', '[::1]']);
    const urls = [
      'http://crl.internal:81/',
      'http://a.corp.example/',
      'http://[::1]/',
      'http://corp.example/',
      'http://a/',
    ];
    expect(urls.map((url) => rules.allowsPrivateAddresses(new URL(url)))).toEqual([true, true, true, false, false]);
    expect(new HostRules(undefined, []).allowsPrivateAddresses(new URL('http://127.0.0.1/'))).toBe(false);
  });

  it.each([
    ['a capital letter', 'A.example'],
    ['a URL', 'http://a.example'],
    ['a path', 'a.example/x'],
    ['everything', '*'],
    ['a wildcard within', 'a.*.example'],
    ['a wildcard without a dot', '*a.example'],
    ['a wildcard of addresses', '*.0.0.1'],
    ['a trailing dot', 'a.example.'],
    ['an address in decimal', '2130706433'],
    ['an address without brackets', '::1'],
    ['an address that is not in its one form', '[0:0::1]'],
    ['a port too large', 'a.example:65536'],
    ['nothing', ''],
    ['a non-ASCII letter', 'b\u00fccher.example'],
  ])('are not named by %s, which could never match', (_, pattern) => {
    expect(() => new HostRules([pattern], undefined)).toThrow(
      new TypeError(`hosts takes lower-case hosts such as crl.example.com or *.example.com, not \`${pattern}\`.`),
    );
  });

  it.each<[string, unknown, unknown, string]>([
    ['no array', 'a.example', undefined, 'hosts must be an array; it received a string.'],
    ['no string', [1], undefined, 'hosts takes lower-case hosts such as crl.example.com or *.example.com, not 1.'],
    ['no host', [], undefined, 'hosts must name a host: an empty list permits none.'],
    [
      'a port for private addresses',
      undefined,
      ['a.example:81'],
      'dangerouslyAllowPrivateAddressesOf takes hosts without a port; ports go into hosts.',
    ],
  ])('are given well: %s', (_, hosts, privateHosts, message) => {
    expect(() => new HostRules(hosts as string[], privateHosts as string[])).toThrow(new TypeError(message));
  });
});
