import { TrustStore } from '@peercert/core';
import { createEdge, type EdgeOptions } from '@peercert/edge';
import { issueServer, presenting, serverAuthority } from './laptop';

const server = issueServer();
const valid: EdgeOptions = { origin: 'https://localhost:8443', tls: presenting(server) };
const required = { mode: 'required', trust: serverAuthority.pem };
const other = presenting(issueServer());

describe('createEdge', () => {
  it.each<[string, Partial<Record<keyof EdgeOptions, unknown>>]>([
    ['a URL object', { origin: new URL('http://localhost:8080/') }],
    ['one anchor for the origin', { originTls: { ca: serverAuthority.pem } }],
    ['several anchors for the origin', { originTls: { ca: [serverAuthority.pem, Buffer.from(server.pem)] } }],
    ['thirty origin headers', { originHeaders: numberedHeaders(30) }],
    ['an origin header of 1783 characters', { originHeaders: { 'X-Secret': 's'.repeat(1783) } }],
    ['an origin header name of 256 characters', { originHeaders: { [`X${'-'.repeat(255)}`]: 's' } }],
    ['a session cache', { originTls: { maxCachedSessions: 10 } }],
    ['a trust store', { mode: 'required', trust: TrustStore.fromPem(serverAuthority.pem) }],
    ['a trust store in PEM', { mode: 'optional', trust: Buffer.from(serverAuthority.pem) }],
    ['a header that the edge does not write', { originHeaders: { 'CloudFront-Viewer-Cert-Pem': '1' } }],
  ])('accepts %s', (_, options) => {
    expect(() => createEdge({ ...valid, ...options } as EdgeOptions)).not.toThrow();
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['an option that does not exist', { header: {} }, 'has no member "header", only origin, tls,'],
    ['no origin', { origin: undefined }, 'origin is a URL such as "https://localhost:8443", received undefined'],
    ['an origin that is no URL', { origin: 'localhost' }, 'origin is a URL'],
    ['an origin with another scheme', { origin: 'ftp://localhost' }, 'https: or http: URL, received ftp:'],
    ['an origin with a path', { origin: 'https://localhost:8443/base' }, 'pass "https://localhost:8443"'],
    ['an origin with credentials', { origin: 'https://user@localhost' }, 'pass "https://localhost"'],
    ['no tls', { tls: undefined }, 'tls is an object, received undefined'],
    ['tls without key', { tls: { cert: server.pem } }, 'tls needs both key and cert'],
    ['tls with an empty cert', { tls: { key: server.privateKeyPem, cert: '' } }, 'tls needs both key and cert'],
    ['tls with more than that', { tls: { ...valid.tls, ca: [] } }, 'tls has no member "ca"'],
    ['a key of another certificate', { tls: { ...valid.tls, key: other.key } }, 'tls: cert and key are not'],
    ['a cert that is no PEM', { tls: { ...valid.tls, cert: 'nonsense' } }, 'tls: cert and key are not'],
    ['originTls for http:', { origin: 'http://localhost', originTls: {} }, 'originTls has no meaning for an http:'],
    ['an unknown member', { originTls: { pfx: '' } }, 'originTls has no member "pfx"'],
    ['originTls.cert without key', { originTls: { cert: server.pem } }, 'both cert and key'],
    ['originTls.key without cert', { originTls: { key: other.key } }, 'both cert and key'],
    ['a pair that does not match', { originTls: { ...other, key: server.privateKeyPem } }, 'originTls: cert and key'],
    ['no anchor', { originTls: { ca: [] } }, 'originTls.ca is empty'],
    ['an empty anchor', { originTls: { ca: '' } }, 'not a PEM certificate'],
    ['an anchor in DER', { originTls: { ca: serverAuthority.der } }, 'not a PEM certificate'],
    ['an empty server name', { originTls: { servername: '' } }, 'servername is a host name, received ""'],
    ['originTls that is no object', { originTls: null }, 'originTls is an object'],
    ['headers that are no object', { originHeaders: 'X: 1' }, 'originHeaders is an object'],
    ['a header name with a space', { originHeaders: { 'X Y': '1' } }, '"X Y": not a header name'],
    ['a header value with a line feed', { originHeaders: { 'X-Y': '1\n2' } }, 'string without control characters'],
    ['a header value that is no string', { originHeaders: { 'X-Y': 1 } }, 'string without control characters'],
    ['Host as header', { originHeaders: { Host: 'x' } }, 'CloudFront does not add this header'],
    ['X-Amz-Cf-Id as header', { originHeaders: { 'x-amz-cf-id': 'x' } }, 'CloudFront does not add this header'],
    ['Client-Cert as header', { originHeaders: { 'client-CERT': 'x' } }, "from the viewer's TLS handshake"],
    ['Client-Cert-Chain as header', { originHeaders: { 'Client-Cert-Chain': 'x' } }, "from the viewer's TLS handshake"],
    ['a header twice', { originHeaders: { 'X-Y': '1', 'x-y': '2' } }, 'twice, in different letter case'],
    ['an unknown mode', { mode: 'off' }, 'mode is "passthrough" or "required" or "optional", received "off"'],
    ['a trust store in passthrough mode', { trust: serverAuthority.pem }, 'must have zero trust store associations'],
    ['required mode without a trust store', { mode: 'required' }, 'trust is needed in mode "required"'],
    ['optional mode with a path as trust store', { mode: 'optional', trust: 'viewers.pem' }, 'trust is no trust store'],
    ['chainFieldLines in required mode', { ...required, chainFieldLines: 'one' }, 'no meaning in mode "required"'],
    ['clientCertHeaders in required mode', { ...required, clientCertHeaders: [] }, 'clientCertHeaders has no meaning'],
    [
      'an unknown header',
      { viewerCertHeaders: ['X'] },
      'viewerCertHeaders knows CloudFront-Viewer-Cert-Serial-Number,',
    ],
    ['a header in place of a list', { clientCertHeaders: 'Client-Cert' }, 'clientCertHeaders is an array'],
    ['the PEM in passthrough mode', { viewerCertHeaders: ['CloudFront-Viewer-Cert-Pem'] }, 'viewerCertHeaders knows'],
    ['a header that the edge writes', { ...required, originHeaders: { 'cloudFront-viewer-cert-x': '' } }, 'the edge'],
    ['an unknown forgery word', { forgedCertHeaders: 'keep' }, 'forgedCertHeaders is'],
    ['an unknown word', { host: 'mine' }, 'host is "origin" or "viewer", received "mine"'],
    ['a boolean in place of a word', { userAgent: true }, 'userAgent is "forward" or "replace", received "true"'],
    ['an unknown depth word', { chainTooDeep: 'drop' }, 'chainTooDeep is'],
    ['an unknown line word', { chainFieldLines: 'two' }, 'chainFieldLines is'],
    ['an unknown root word', { presentedRoot: 'drop' }, 'presentedRoot is'],
  ])('throws a TypeError for %s', (_, options, message) => {
    const create = (): unknown => createEdge({ ...valid, ...options });
    expect(create).toThrow(TypeError);
    expect(create).toThrow(message);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['a negative session cache', { originTls: { maxCachedSessions: -1 } }, 'received -1'],
    ['half a session', { originTls: { maxCachedSessions: 0.5 } }, 'received 0.5'],
    ['thirty-one origin headers', { originHeaders: numberedHeaders(31) }, 'at most 30 headers, received 31'],
    ['an origin header of 1784 characters', { originHeaders: { 'X-Secret': 's'.repeat(1784) } }, '1783 in its value'],
    ['a name of 257 characters', { originHeaders: { [`X${'-'.repeat(256)}`]: 's' } }, 'at most 256 characters'],
  ])('throws a RangeError for %s', (_, options, message) => {
    const create = (): unknown => createEdge({ ...valid, ...options });
    expect(create).toThrow(RangeError);
    expect(create).toThrow(message);
  });

  it.each([undefined, null, 'https://localhost:8443'])('throws a TypeError when called with %j', (options) => {
    expect(() => createEdge(options as unknown as EdgeOptions)).toThrow(TypeError);
  });
});

function numberedHeaders(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`X-${index}`, '1']));
}
