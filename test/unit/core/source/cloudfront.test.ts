import { hash } from 'node:crypto';
import {
  anyOf,
  cloudFront,
  type ChannelProof,
  encodeClientCert,
  encodeClientCertChain,
  originMtls,
  sharedSecret,
  trustedAddresses,
  TrustStore,
} from '@peercert/core';
import { cloudFrontHeaders, createAuthority } from '@peercert/testkit';
import { edgeChannel, edgeSecret, fromEdge, requestOf } from '../../../support/requests';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const root = createAuthority();
const intermediate = root.issueIntermediate();
const client = intermediate.issue();
const source = cloudFront({ channel: edgeChannel });

const present = (...lines: readonly string[]): string[] | undefined => {
  const presented = source.collect(fromEdge(...lines));
  if (presented === undefined) return undefined;
  const chain = presented.decodeChain();
  return [presented.decodeEndEntity(), ...chain].map((der) => Buffer.from(der).toString('hex'));
};
const keyOf = (...lines: readonly string[]): string | undefined => source.collect(fromEdge(...lines))?.key;

const hex = (...certificates: readonly { readonly der: Buffer }[]): string[] =>
  certificates.map(({ der }) => der.toString('hex'));
const cert = encodeClientCert(client.der);

describe('the CloudFront source', () => {
  it('is named, holds its channel, and is frozen', () => {
    expect(source.name).toBe('cloudfront');
    expect(source.channel).toBe(edgeChannel);
    expect(Object.isFrozen(source)).toBe(true);
  });

  it.each<[string, readonly string[], string[] | undefined]>([
    ['nothing', [], undefined],
    ['a certificate and its chain', cloudFrontHeaders(client).flat(), hex(client, intermediate)],
    ['a certificate alone', ['Client-Cert', cert], hex(client)],
    ['EN-10: an empty chain', ['Client-Cert', cert, 'Client-Cert-Chain', ''], hex(client)],
    ['EN-10: an empty chain without a certificate', ['Client-Cert-Chain', ''], undefined],
    [
      'EN-10: two empty chain lines without a certificate',
      ['Client-Cert-Chain', '', 'Client-Cert-Chain', ' '],
      undefined,
    ],
    [
      'EN-13: the end-entity certificate again in the chain',
      ['Client-Cert', cert, 'Client-Cert-Chain', encodeClientCertChain([client.der, intermediate.der])],
      hex(client, client, intermediate),
    ],
    [
      'EN-14: ten in the chain',
      ['Client-Cert', cert, 'Client-Cert-Chain', encodeClientCertChain(Array<Buffer>(10).fill(root.der))],
      hex(client, ...Array<typeof root>(10).fill(root)),
    ],
    ['EN-02: parameters', ['Client-Cert', `${cert};p=1`], hex(client)],
    ['CH-23: a status without a certificate', ['X-SSL-Client-Verify', 'SUCCESS'], undefined],
    ['CH-08: only an underscore alias', ['Client_Cert', cert], undefined],
  ])('finds %s', (_, lines, expected) => {
    expect(present(...lines)).toEqual(expected);
  });

  it.each<[string, readonly string[]]>([
    ['twice the same', ['Client-Cert', cert, 'Client-Cert', cert]],
    ['two that differ', ['Client-Cert', cert, 'Client-Cert', encodeClientCert(root.der)]],
    ['two in different letter case', ['Client-Cert', cert, 'client-cert', cert]],
    ['one of them empty', ['Client-Cert', '', 'CLIENT-CERT', cert]],
  ])('CH-06: refuses two Client-Cert lines, %s', (_, lines) => {
    expect(() => present(...lines)).toThrowWithCode('ERR_HEADER_REPEATED', { header: 'client-cert', count: 2 });
  });

  it('CH-07: refuses one line that holds a list', () => {
    expect(() => present('Client-Cert', `${cert}, ${cert}`)).toThrowWithCode('ERR_HEADER_MALFORMED', {
      header: 'client-cert',
      reason: 'something follows the byte sequence',
    });
  });

  it.each([':AAEC:', 'rubbish', ', ', '::'])('CH-13: refuses a chain without its certificate: %s', (chain) => {
    expect(() => present('Client-Cert-Chain', chain)).toThrowWithCode('ERR_HEADER_CHAIN_WITHOUT_CERTIFICATE', {
      header: 'client-cert-chain',
    });
  });

  it('CH-13: refuses a chain beside an alias of its certificate', () => {
    expect(() => present('Client-Cert-Chain', ':AAEC:', 'Client_Cert', cert)).toThrowWithCode('ERR_HEADER_AMBIGUOUS', {
      header: 'client-cert-chain',
      lookAlike: 'client_cert',
    });
  });

  it.each(['', '::', '   '])('EN-07: takes an empty value for malformed, not for absent: "%s"', (value) => {
    const reason = value === '::' ? 'a byte sequence is empty' : 'a byte sequence does not begin with a colon';
    expect(() => present('Client-Cert', value)).toThrowWithCode('ERR_HEADER_MALFORMED', {
      header: 'client-cert',
      reason,
    });
  });

  it('EN-12: refuses one bad chain member among good ones', () => {
    const chain = `${encodeClientCert(intermediate.der)}, token, ${encodeClientCert(root.der)}`;
    expect(() => present('Client-Cert', cert, 'Client-Cert-Chain', chain)).toThrowWithCode('ERR_HEADER_MALFORMED', {
      header: 'client-cert-chain',
      reason: 'a byte sequence does not begin with a colon',
    });
  });

  it.each([11, 100, 1_000])('EN-14: refuses a chain of %d before anything is decoded', (count) => {
    const decoding = jest.spyOn(Buffer, 'allocUnsafeSlow');
    const chain = Array(count).fill(':AAEC:').join(', ');
    expect(() => present('Client-Cert', cert, 'Client-Cert-Chain', chain)).toThrowWithCode('ERR_CHAIN_TOO_LONG', {
      count: 11,
      maximum: 10,
    });
    expect(decoding).not.toHaveBeenCalled();
    decoding.mockRestore();
  });

  it('decodes nothing when it collects', () => {
    const decoding = jest.spyOn(Buffer, 'allocUnsafeSlow');
    expect(source.collect(fromEdge('Client-Cert', 'rubbish', 'Client-Cert-Chain', 'rubbish'))).toBeDefined();
    expect(decoding).not.toHaveBeenCalled();
    decoding.mockRestore();
  });

  const present1 = ['CloudFront-Viewer-Cert-Present', '1'];
  const sha256 = 'CloudFront-Viewer-Cert-Sha256';
  const digest = hash('sha256', client.der, 'hex');

  it.each<[string, readonly string[], string[] | undefined]>([
    ['that a certificate is present, and its digest', [...present1, sha256, digest, 'Client-Cert', cert], hex(client)],
    ['its digest in upper case', [sha256, digest.toUpperCase(), 'Client-Cert', cert], hex(client)],
    ['that none is present', ['CloudFront-Viewer-Cert-Present', '0'], undefined],
    ['a digest without a certificate', [sha256, digest], undefined],
    ['other things', ['CloudFront-Viewer-Cert-Subject', 'CN=admin', 'Client-Cert', cert], hex(client)],
  ])('CH-28: agrees with a companion that says %s', (_, lines, expected) => {
    expect(present(...lines)).toEqual(expected);
  });

  it.each<[string, readonly string[], 'cloudfront-viewer-cert-sha256' | 'cloudfront-viewer-cert-present', string]>([
    [
      'another digest',
      [sha256, '0'.repeat(64)],
      'cloudfront-viewer-cert-sha256',
      'it is not the digest of the certificate',
    ],
    ['an empty digest', [sha256, ''], 'cloudfront-viewer-cert-sha256', 'it is not the digest of the certificate'],
    [
      'half a digest',
      [sha256, digest.slice(32)],
      'cloudfront-viewer-cert-sha256',
      'it is not the digest of the certificate',
    ],
    [
      'that none is present',
      ['CloudFront-Viewer-Cert-Present', '0'],
      'cloudfront-viewer-cert-present',
      'it says that no certificate was presented',
    ],
  ])('CH-28: refuses a certificate beside a companion that says %s', (_, lines, header, reason) => {
    expect(() => present('Client-Cert', cert, ...lines)).toThrowWithCode('ERR_HEADER_INCONSISTENT', { header, reason });
  });

  it('CH-14: refuses a request whose companion says that a certificate was presented, without it', () => {
    expect(() => present(...present1)).toThrowWithCode('ERR_CERTIFICATE_NOT_FORWARDED', { header: 'client-cert' });
  });

  it.each(['', 'true', '2', '01', '1, 0'])('CH-28: refuses a companion that is neither 0 nor 1: "%s"', (value) => {
    expect(() => present('CloudFront-Viewer-Cert-Present', value)).toThrowWithCode('ERR_HEADER_MALFORMED', {
      header: 'cloudfront-viewer-cert-present',
      reason: 'it is not 0 or 1',
    });
  });

  it.each([sha256, 'CloudFront-Viewer-Cert-Present'])('CH-28: refuses %s twice', (name) => {
    const lines = [name, '1', name.toUpperCase(), '1'];
    expect(() => present(...lines)).toThrowWithCode('ERR_HEADER_REPEATED', { header: name.toLowerCase(), count: 2 });
  });

  it('CH-11: guards the header of its channel proof', () => {
    expect(() => present('Connection', 'X-Edge-Secret')).toThrowWithCode('ERR_HEADER_HOP_BY_HOP', {
      header: 'x-edge-secret',
    });
  });

  it("CH-10: refuses another proxy's header only when told to", () => {
    const strict = cloudFront({ channel: edgeChannel, otherCertificateHeaders: 'reject' });
    const lines = ['Client-Cert', cert, 'X-Forwarded-Client-Cert', `Cert="${client.pem}"`];
    expect(present(...lines)).toEqual(hex(client));
    expect(() => strict.collect(fromEdge(...lines))).toThrowWithCode('ERR_HEADER_UNEXPECTED', {
      header: 'x-forwarded-client-cert',
    });
  });

  it('CH-18: is not confused by headers named like members of objects', () => {
    const lines = ['__proto__', 'x', 'constructor', 'x', 'Client-Cert', cert, 'toString', 'x'];
    expect(present(...lines)).toEqual(hex(client));
  });
});

describe('the key of what was collected', () => {
  const chain = [intermediate.der, root.der].map(encodeClientCert);
  const chainLine = 'Client-Cert-Chain';

  it('is the same for the same words', () => {
    const lines = cloudFrontHeaders(client).flat();
    expect(keyOf(...lines)).toBe(keyOf(...lines));
    expect(keyOf('client-cert', cert)).toBe(keyOf('Client-Cert', cert, 'Accept', '*/*'));
  });

  it.each<[string, readonly string[], readonly string[]]>([
    ['no chain and an empty one', ['Client-Cert', cert], ['Client-Cert', cert, chainLine, '']],
    [
      'a chain in one line and in two',
      ['Client-Cert', cert, chainLine, chain.join(', ')],
      ['Client-Cert', cert, chainLine, chain[0] as string, chainLine, chain[1] as string],
    ],
    [
      'the certificate and its chain the other way round',
      ['Client-Cert', chain[0] as string, chainLine, chain[1] as string],
      ['Client-Cert', chain[1] as string, chainLine, chain[0] as string],
    ],
    [
      'a chain that was glued to the certificate',
      ['Client-Cert', `${cert}${chain[0]}`],
      ['Client-Cert', cert, chainLine, chain[0] as string],
    ],
  ])('CA-03: differs between %s', (_, one, other) => {
    expect(keyOf(...one)).not.toBe(keyOf(...other));
  });
});

describe('constructing the CloudFront source', () => {
  const needsChannel =
    'cloudFront needs channel, a proof that requests come through your distribution: originMtls({ trust, dnsNames }) ' +
    'or sharedSecret({ header, secrets }); it received ';

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'cloudFront takes an options object; it received undefined.'],
    ['no channel', {}, `${needsChannel}undefined.`],
    ['a channel that is null', { channel: null }, `${needsChannel}null.`],
    ['the options of a channel', { channel: { header: 'X', secrets: [] } }, `${needsChannel}an object.`],
    ['a string for a channel', { channel: edgeSecret }, `${needsChannel}a string.`],
    [
      'a misspelt option',
      { channel: edgeChannel, othercertificateheaders: 'reject' },
      'cloudFront received an unknown option, `othercertificateheaders`. Did you mean `otherCertificateHeaders`?',
    ],
    [
      'an unknown word',
      { channel: edgeChannel, otherCertificateHeaders: 'strip' },
      "otherCertificateHeaders must be 'ignore' or 'reject'.",
    ],
    [
      'null for a word',
      { channel: edgeChannel, otherCertificateHeaders: null },
      "otherCertificateHeaders must be 'ignore' or 'reject'.",
    ],
  ])('rejects %s', (_, options, message) => {
    expect(() => cloudFront(options as never)).toThrow(new TypeError(message));
  });

  it.each(['X-SSL-Client-Verify', 'X-Forwarded-Client-Cert', 'CloudFront-Viewer-Cert-Present'])(
    'rejects a channel whose secret stands in a certificate header, %s',
    (header) => {
      const channel = sharedSecret({ header, secrets: [edgeSecret] });
      const message = `The channel proof cannot use ${header.toLowerCase()}: it is a certificate header. Choose another name.`;
      expect(() => cloudFront({ channel })).toThrow(new TypeError(message));
    },
  );

  it.each<[string, ChannelProof]>([
    ['addresses of a CDN', trustedAddresses(['130.176.0.0/16'])],
    ['a secret or addresses of a CDN', anyOf(edgeChannel, trustedAddresses(['130.176.0.0/16']))],
  ])('rejects %s for a channel', (_, channel) => {
    expect(() => cloudFront({ channel })).toThrow(/^cloudFront needs a channel proof of your own distribution/);
  });

  it.each<[string, ChannelProof]>([
    ['a shared secret', edgeChannel],
    ['origin mTLS', originMtls({ trust: TrustStore.fromDer([root.der]), dnsNames: ['edge.example'] })],
  ])('accepts %s', (_, channel) => {
    expect(cloudFront({ channel }).channel).toBe(channel);
  });

  it('does not read a request whose socket is gone as one without a server limit', () => {
    expect(() => source.collect({ ...requestOf([]), socket: undefined as never })).toThrow(TypeError);
  });
});
