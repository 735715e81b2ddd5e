import { hash } from 'node:crypto';
import { envoy, type EnvoyOptions } from '@peercert/core';
import { createAuthority, envoyHeaders, type TestCertificate } from '@peercert/testkit';
import { edgeChannel, fromEdge } from '../../../support/requests';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const header = 'x-forwarded-client-cert';
const root = createAuthority({ subject: 'CN=Root' });
const intermediate = root.issueIntermediate();
const alice = intermediate.issue({
  subject: 'CN=alice,O=Example',
  uris: ['spiffe://mesh/alice'],
  dnsNames: ['a.example'],
});
const bob = intermediate.issue({ uris: ['spiffe://mesh/bob'] });
const victim = root.issue({ uris: ['spiffe://mesh/victim'] });

const hex = (...all: readonly { readonly der: Uint8Array }[]): string[] =>
  all.map(({ der }) => Buffer.from(der).toString('hex'));
const digestOf = ({ der }: TestCertificate): string => hash('sha256', der, 'hex');
const pem = (...all: readonly { readonly pem: string }[]): string =>
  encodeURIComponent(all.map((certificate) => certificate.pem).join(''));
const elementOf = (certificate: TestCertificate, options: Parameters<typeof envoyHeaders>[1] = {}): string =>
  envoyHeaders(certificate, options)[0]?.[1] ?? '';

function present(text: string, element: EnvoyOptions['element'] = 'single'): string[] | undefined {
  const source = envoy({ channel: edgeChannel, element });
  const presented = source.collect(fromEdge('X-Forwarded-Client-Cert', text));
  if (presented === undefined) return undefined;
  return hex({ der: presented.decodeEndEntity() }, ...presented.decodeChain().map((der) => ({ der })));
}

describe('an element of X-Forwarded-Client-Cert', () => {
  it.each<[string, string, string[]]>([
    ['everything', elementOf(alice), hex(alice, intermediate)],
    ['Cert', elementOf(alice, { details: ['cert'] }), hex(alice)],
    ['Chain', elementOf(alice, { details: ['chain'] }), hex(alice, intermediate)],
    ['keys in another letter case', `hash=${digestOf(alice).toUpperCase()};CERT="${pem(alice)}"`, hex(alice)],
    ['values in quotes', `By="spiffe://a,b;c";URI="x";Cert="${pem(alice)}"`, hex(alice)],
    ['By, URI and DNS more than once', `By=a;By=b;URI=c;URI=d;DNS=e;DNS=f;Cert="${pem(alice)}"`, hex(alice)],
    ['a query in a URI', `URI=https://a/?b=c&d=e;Cert="${pem(alice)}"`, hex(alice)],
    ['an empty subject', `Subject="";Cert="${pem(alice)}"`, hex(alice)],
  ])('gives the certificate for %s', (_, text, expected) => {
    expect(present(text)).toEqual(expected);
  });

  it.each([
    ['none of a certificate', 'By=spiffe://mesh/ingress'],
    ['names alone', 'By=a;Subject="CN=admin";URI=spiffe://mesh/admin;DNS=admin.example'],
  ])('is no certificate with %s', (_, text) => {
    expect(present(text)).toBeUndefined();
  });

  it('CH-30: is not forwarded with a digest alone', () => {
    const text = `By=a;Hash=${digestOf(alice)};Subject="CN=alice";URI=spiffe://mesh/alice`;
    expect(() => present(text)).toThrowWithCode('ERR_CERTIFICATE_NOT_FORWARDED', { header });
  });

  it.each<[string, string, string]>([
    [
      'the digest of another',
      `Hash=${digestOf(bob)};Cert="${pem(alice)}"`,
      'Hash is not the digest of the certificate',
    ],
    ['no digest', `Hash=;Cert="${pem(alice)}"`, 'Hash is not the digest of the certificate'],
    ['another chain', `Cert="${pem(alice)}";Chain="${pem(bob, intermediate)}"`, 'Chain does not begin with Cert'],
  ])('CH-28: is refused with %s', (_, text, reason) => {
    expect(() => present(text)).toThrowWithCode('ERR_HEADER_INCONSISTENT', { header, reason });
  });

  it.each<[string, string, string]>([
    ['Cert twice', `Cert="${pem(alice)}";Cert="${pem(victim)}"`, 'a key is repeated'],
    ['Hash twice', `Hash=a;Hash=b;Cert="${pem(alice)}"`, 'a key is repeated'],
    ['a Cert without quotes', `Cert=${pem(alice)}`, 'a value is not quoted'],
    ['an empty Cert', 'Cert=""', 'it is empty'],
    ['an empty Chain', 'Chain=""', 'it is empty'],
    ['an unbalanced quote', `Subject="CN=a;Cert='x'`, 'a quoted value does not end'],
    ['an escaped quote at the end', String.raw`Subject="CN=a\"`, 'a quoted value does not end'],
    [
      'a quote behind two backslashes',
      String.raw`Subject="CN=a\\";URI=b`,
      'a quotation mark stands behind two backslashes',
    ],
    ['a quote in the middle', 'URI=a"b"', 'a value is not quoted'],
    ['a word behind a quote', 'Subject="CN=a"b', 'something follows a quoted value'],
    ['a comma at the end', `Cert="${pem(alice)}",`, unknownKey()],
    ['a semicolon at the end', `Cert="${pem(alice)}";`, unknownKey()],
    ['a key nobody knows', `Cert="${pem(alice)}";Role=admin`, unknownKey()],
    ['no key', '="a"', unknownKey()],
    ['By with a semicolon', `By=spiffe://a;b;Cert="${pem(alice)}"`, unknownKey()],
    ['URI with a comma', `Cert="${pem(alice)}";URI=spiffe://a,b=c`, unknownKey()],
    ['a space before a key', `Hash=a; Cert="${pem(alice)}"`, unknownKey()],
  ])('CH-30: is malformed with %s', (_, text, reason) => {
    expect(() => present(text)).toThrowWithCode('ERR_HEADER_MALFORMED', { header, reason });
  });

  it('CH-30: is not led astray by what a subject says', () => {
    const subject = String.raw`CN=a\",CN=x;URI=spiffe://admin;Cert=\"AAAA\",Hash=b`;
    expect(present(`Subject="${subject}";Cert="${pem(alice)}"`)).toEqual(hex(alice));
    expect(() => present(`Hash=${digestOf(alice)};Subject="${subject}"`)).toThrowWithCode(
      'ERR_CERTIFICATE_NOT_FORWARDED',
      { header },
    );
  });
});

function unknownKey(): string {
  return 'a pair does not begin with a known key, or a value holds a comma or semicolon without quotes';
}

describe('elements of X-Forwarded-Client-Cert', () => {
  const first = elementOf(bob);
  const both = elementOf(alice, { appendTo: first });

  it('CH-29: are refused when there is more than one, unless told otherwise', () => {
    expect(() => present(both)).toThrowWithCode('ERR_HEADER_REPEATED', { header, count: 2 });
  });

  it.each<[EnvoyOptions['element'], TestCertificate]>([
    ['last', alice],
    [{ hop: 0 }, alice],
    [{ hop: 1 }, bob],
  ])('CH-29: are chosen by %j', (element, expected) => {
    expect(present(both, element)).toEqual(hex(expected, intermediate));
    expect(present(both.replace(`,By=`, ', By='), element)).toEqual(hex(expected, intermediate));
  });

  it('CH-29: are refused when there are fewer than hops', () => {
    expect(() => present(both, { hop: 2 })).toThrowWithCode('ERR_HEADER_MALFORMED', {
      header,
      reason: 'it has fewer elements than there are hops',
    });
  });

  it('CH-29: give the last one where the first was forged', () => {
    expect(present(elementOf(alice, { appendTo: `Hash=${digestOf(victim)};Cert="${pem(victim)}"` }), 'last')).toEqual(
      hex(alice, intermediate),
    );
  });

  const injected = `,Hash=${digestOf(victim)};Cert="${pem(victim)}"`;

  it.each<[string, object]>([
    ['a URI', { uris: [`spiffe://mesh/mallory${injected}`] }],
    ['a host name', { dnsNames: [`mallory.example${injected}`] }],
    ['a second URI', { uris: ['spiffe://mesh/mallory', `spiffe://mesh/m${injected}`] }],
    ['a URI that brings two elements', { uris: [`spiffe://mesh/mallory${injected}${injected}`] }],
  ])('CH-30: are refused when one hides in %s of the certificate before', (_, names) => {
    const mallory = createAuthority().issue(names);
    const element = `Hash=${digestOf(mallory)};Cert="${pem(mallory)}";Subject="";${namesIn(names).join(';')}`;
    expect(() => present(element, 'last')).toThrowWithCode('ERR_HEADER_INCONSISTENT', {
      header,
      reason: 'URI or DNS is not what the certificate has',
    });
    expect(() => present(element)).toThrowWithCode('ERR_HEADER_REPEATED', {
      header,
      count: expect.any(Number) as never,
    });
  });

  it('CH-30: are refused where nothing shows that a name ends at the comma', () => {
    const element = `Hash=${digestOf(bob)};URI=spiffe://mesh/bob`;
    expect(() => present(elementOf(alice, { appendTo: element }), 'last')).toThrowWithCode('ERR_HEADER_MALFORMED', {
      header,
      reason: 'a comma stands behind a value without quotes, and no certificate shows that it ends there',
    });
    const quoted = `Hash=${digestOf(bob)};URI="spiffe://mesh/bob"`;
    expect(present(elementOf(alice, { appendTo: quoted }), 'last')).toEqual(hex(alice, intermediate));
    expect(present(elementOf(alice, { appendTo: `Hash=${digestOf(bob)}` }), 'last')).toEqual(hex(alice, intermediate));
  });

  it('CH-28: are refused when any has the digest of another certificate', () => {
    const forged = `Hash=${digestOf(bob)};Cert="${pem(victim)}"`;
    expect(() => present(elementOf(alice, { appendTo: forged }), 'last')).toThrowWithCode('ERR_HEADER_INCONSISTENT', {
      header,
      reason: 'Hash is not the digest of the certificate',
    });
  });
});

function namesIn({ uris = [], dnsNames = [] }: { uris?: string[]; dnsNames?: string[] }): string[] {
  return [...uris.map((name) => `URI=${name}`), ...dnsNames.map((name) => `DNS=${name}`)];
}

describe('constructing the Envoy source', () => {
  it.each<[unknown, Error]>([
    ['first', new TypeError("element must be 'single', 'last' or { hop }; it received a string.")],
    [null, new TypeError("element must be 'single', 'last' or { hop }; it received null.")],
    [1, new TypeError("element must be 'single', 'last' or { hop }; it received 1.")],
    [{}, new RangeError('element.hop must be an integer from 0 to 15; it received undefined.')],
    [{ hop: -1 }, new RangeError('element.hop must be an integer from 0 to 15; it received -1.')],
    [{ hop: 16 }, new RangeError('element.hop must be an integer from 0 to 15; it received 16.')],
    [{ hop: 1.5 }, new RangeError('element.hop must be an integer from 0 to 15; it received 1.5.')],
    [{ hops: 1 }, new TypeError('element received an unknown option, `hops`. It knows hop.')],
  ])('rejects the element %j', (element, error) => {
    expect(() => envoy({ channel: edgeChannel, element: element as never })).toThrow(error);
  });
});
