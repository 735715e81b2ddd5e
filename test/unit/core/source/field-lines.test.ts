import { constants } from 'node:buffer';
import { createFieldCollector, isCertificateHeader } from '../../../../packages/core/src/source/field-lines';
import { requestOf } from '../../../support/requests';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const certificate = ':AAEC:';

function collect(
  rawHeaders: readonly string[],
  otherCertificateHeaders: 'ignore' | 'reject' = 'ignore',
  server?: { maxHeadersCount?: number | null },
  companions: readonly string[] = [],
): Record<string, readonly string[]> {
  const collector = createFieldCollector({
    fields: ['client-cert', 'client-cert-chain'],
    guarded: ['x-edge-secret'],
    companions,
    otherCertificateHeaders,
  });
  const socket = { encrypted: true, destroyed: false, ...(server && { server }) };
  const [certificates = [], chain = []] = collector(requestOf(rawHeaders, socket));
  return { 'client-cert': certificates, 'client-cert-chain': chain };
}

const nothing = { 'client-cert': [], 'client-cert-chain': [] };

describe('collecting field lines', () => {
  it.each<[string, readonly string[], Record<string, readonly string[]>]>([
    ['no header at all', [], nothing],
    ['other headers', ['Host', 'example.com', 'Accept', '*/*'], nothing],
    ['a certificate', ['Client-Cert', certificate], { ...nothing, 'client-cert': [certificate] }],
    ['a certificate in upper case', ['CLIENT-CERT', certificate], { ...nothing, 'client-cert': [certificate] }],
    ['CH-06: two lines', ['Client-Cert', 'a', 'client-CERT', 'b'], { ...nothing, 'client-cert': ['a', 'b'] }],
    [
      'EN-11: chain lines in their order, whatever stands between them',
      [
        'Client-Cert-Chain',
        'a',
        'Client-Cert',
        certificate,
        'client-cert-chain',
        'b',
        'X',
        '1',
        'CLIENT-CERT-CHAIN',
        'c',
      ],
      { 'client-cert': [certificate], 'client-cert-chain': ['a', 'b', 'c'] },
    ],
    ['EN-07: an empty line', ['Client-Cert', ''], { ...nothing, 'client-cert': [''] }],
    [
      'CH-18: headers named like members of objects',
      ['__proto__', 'a', 'constructor', 'b', 'hasOwnProperty', 'c'],
      nothing,
    ],
    ['a name of another length', ['Client-Cert2', 'a', 'XClient-Cert', 'b'], nothing],
    ['a name of the same length', ['Client-Carl', 'a', 'Content-MD5', 'b'], nothing],
    ['a name with a letter whose lower case is longer', ['CL\u0130ENT-CERT', 'a'], nothing],
  ])('finds what there is: %s', (_, rawHeaders, expected) => {
    expect(collect(rawHeaders)).toEqual(expected);
  });

  it.each(['Client_Cert', 'client_cert', 'CLIENT_CERT', 'Client_Cert_Chain', 'Client-Cert_Chain', 'Client_Cert-Chain'])(
    'CH-08: passes over %s alone',
    (name) => {
      expect(collect([name, certificate])).toEqual(nothing);
    },
  );

  it.each([
    ['Client-Cert', 'Client_Cert', 'client-cert', 'client_cert'],
    ['client-cert', 'CLIENT_CERT', 'client-cert', 'client_cert'],
    ['Client-Cert', 'Client_Cert_Chain', 'client-cert', 'client_cert_chain'],
    ['Client-Cert', 'Client_Cert-Chain', 'client-cert', 'client_cert-chain'],
    ['Client-Cert-Chain', 'Client_Cert', 'client-cert-chain', 'client_cert'],
    ['Client-Cert-Chain', 'Client-Cert_Chain', 'client-cert-chain', 'client-cert_chain'],
  ])('CH-09: refuses %s beside %s, in either order', (real, alias, header, lookAlike) => {
    for (const lines of [
      [real, certificate, alias, certificate],
      [alias, certificate, real, certificate],
    ]) {
      expect(() => collect(lines)).toThrowWithCode('ERR_HEADER_AMBIGUOUS', { header, lookAlike });
    }
  });

  it('CH-09: refuses an empty look-alike beside an empty field', () => {
    expect(() => collect(['Client-Cert', '', 'Client_Cert', ''])).toThrowWithCode('ERR_HEADER_AMBIGUOUS', {
      header: 'client-cert',
      lookAlike: 'client_cert',
    });
  });

  it.each([
    ['close, Client-Cert', 'client-cert'],
    ['Client-Cert', 'client-cert'],
    ['close, client-cert', 'client-cert'],
    ['CLIENT-CERT', 'client-cert'],
    ['close,client-cert,keep-alive', 'client-cert'],
    ['close ,\tClient-Cert\t', 'client-cert'],
    [',,Client-Cert,,', 'client-cert'],
    ['Client_Cert', 'client-cert'],
    ['keep-alive, Client-Cert-Chain', 'client-cert-chain'],
    ['client_cert_chain', 'client-cert-chain'],
    ['X-Edge-Secret', 'x-edge-secret'],
    ['close, x-edge-secret', 'x-edge-secret'],
    ['x_edge_secret', 'x-edge-secret'],
  ])('CH-11: refuses Connection: %s', (value, header) => {
    expect(() => collect(['Client-Cert', certificate, 'Connection', value])).toThrowWithCode('ERR_HEADER_HOP_BY_HOP', {
      header,
    });
  });

  it('CH-11: refuses such a Connection without the field it names', () => {
    expect(() => collect(['Connection', 'client-cert'])).toThrowWithCode('ERR_HEADER_HOP_BY_HOP', {
      header: 'client-cert',
    });
  });

  it('CH-11: refuses it in the second of two lines, whatever their letter case', () => {
    expect(() => collect(['connection', 'close', 'CONNECTION', 'client-cert'])).toThrowWithCode(
      'ERR_HEADER_HOP_BY_HOP',
      { header: 'client-cert' },
    );
  });

  it.each(['close', 'keep-alive', 'upgrade, http2-settings', '', 'client-certs', 'x-client-cert', 'client cert'])(
    'accepts Connection: %s',
    (value) => {
      expect(collect(['Connection', value])).toEqual(nothing);
    },
  );

  it('CH-11: reads a Connection of a megabyte in one pass', () => {
    expect(() => collect(['Connection', `${'close,'.repeat(170_000)}client-cert`])).toThrowWithCode(
      'ERR_HEADER_HOP_BY_HOP',
      { header: 'client-cert' },
    );
  });
});

describe('certificate headers of other schemes', () => {
  const others = [
    'X-Forwarded-Tls-Client-Cert',
    'X-Forwarded-Tls-Client-Cert-Info',
    'X-Amzn-Mtls-Clientcert',
    'X-Amzn-Mtls-Clientcert-Leaf',
    'X-Forwarded-Client-Cert',
    'ssl-client-cert',
    'X-SSL-Client-Cert',
    'X-SSL-Client-Verify',
    'X-Client-Cert',
    'X-ARR-ClientCert',
    'CF-Client-Cert-Der-Base64',
    'x_forwarded_client_cert',
  ];

  it.each(others)('CH-10: passes over %s', (name) => {
    expect(collect(['Client-Cert', certificate, name, 'x'])).toEqual({ ...nothing, 'client-cert': [certificate] });
  });

  it.each(others)('CH-10: refuses %s when told to', (name) => {
    expect(() => collect(['Client-Cert', certificate, name, 'x'], 'reject')).toThrowWithCode('ERR_HEADER_UNEXPECTED', {
      header: name.toLowerCase(),
    });
  });

  it.each([
    'CloudFront-Viewer-Cert-Present',
    'CloudFront-Viewer-Cert-Sha256',
    'CloudFront-Viewer-Cert-Pem',
    'CloudFront-Viewer-Cert-Serial-Number',
  ])('CH-10: refuses %s when told to, except as a companion', (name) => {
    const lines = ['Client-Cert', certificate, name, 'x'];
    const header = name.toLowerCase();
    expect(() => collect(lines, 'reject')).toThrowWithCode('ERR_HEADER_UNEXPECTED', { header });
    expect(collect(lines, 'reject', undefined, [header])).toEqual({ ...nothing, 'client-cert': [certificate] });
  });

  it('CH-10: takes a header that the channel proof consumes for expected', () => {
    const collector = createFieldCollector({
      fields: ['client-cert'],
      guarded: ['x-amzn-mtls-clientcert-leaf'],
      companions: [],
      otherCertificateHeaders: 'reject',
    });
    expect(collector(requestOf(['X-Amzn-Mtls-Clientcert-Leaf', 'x']))).toEqual([undefined]);
  });

  it.each(['Client_Cert', 'client-cert_chain'])('CH-08: passes over %s alone even then', (name) => {
    expect(collect([name, certificate], 'reject')).toEqual(nothing);
  });

  it.each([
    ['client-cert', true],
    ['client-cert-chain', true],
    ['client_cert', true],
    ['client_cert-chain', true],
    ['x-ssl-client-verify', true],
    ['x_forwarded_tls_client_cert', true],
    ['cloudfront-viewer-cert-sha256', true],
    ['cloudfront_viewer_cert_sha256', true],
    ['client-certificate', false],
    ['cloudfront-viewer-address', false],
    ['authorization', false],
    ['__proto__', false],
    ['constructor', false],
    ['', false],
  ])('CH-10: takes %s for a certificate header: %s', (name, expected) => {
    expect(isCertificateHeader(name)).toBe(expected);
  });
});

describe('the number of header fields', () => {
  const fields = (count: number): string[] =>
    Array.from({ length: count }, (_, index) =>
      index === count - 1 ? ['Client-Cert', certificate] : ['X', '1'],
    ).flat();

  it.each<[string, { maxHeadersCount?: number | null } | undefined, number]>([
    ['the server says nothing', undefined, 1_000],
    ['maxHeadersCount is not set', {}, 1_000],
    ['maxHeadersCount is null', { maxHeadersCount: null }, 1_000],
    ['maxHeadersCount is 20', { maxHeadersCount: 20 }, 20],
    ['maxHeadersCount is 5,000', { maxHeadersCount: 5_000 }, 5_000],
  ])('CH-15: is refused from the limit on where %s', (_, server, maximum) => {
    expect(collect(fields(maximum - 1), 'ignore', server)).toEqual({ ...nothing, 'client-cert': [certificate] });
    for (const count of [maximum, maximum + 1]) {
      expect(() => collect(fields(count), 'ignore', server)).toThrowWithCode('ERR_HEADER_COUNT_EXCEEDED', {
        count,
        maximum,
      });
    }
  });

  it('CH-15: has no limit where maxHeadersCount is 0, as in Node', () => {
    expect(collect(fields(5_000), 'ignore', { maxHeadersCount: 0 })).toEqual({
      ...nothing,
      'client-cert': [certificate],
    });
  });
});

it.each(['Keep-Alive', 'keep-alive', 'close'])(
  'CH-11: refuses Connection: %s where a secret header is called so',
  (value) => {
    const guarded = [value.toLowerCase()];
    const collector = createFieldCollector({
      fields: ['client-cert'],
      guarded,
      companions: [],
      otherCertificateHeaders: 'ignore',
    });
    const request = requestOf(['Connection', value], { encrypted: true, destroyed: false });
    expect(() => collector(request)).toThrowWithCode('ERR_HEADER_HOP_BY_HOP', { header: value.toLowerCase() });
  },
);

it('passes over a value as long as Node can hold without looking into it', () => {
  const long = 'a'.repeat(Math.min(constants.MAX_STRING_LENGTH, 2 ** 26));
  expect(collect(['X-Other', long])).toEqual(nothing);
});
