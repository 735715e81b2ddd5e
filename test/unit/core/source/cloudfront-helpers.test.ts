import { cloudFront, type CloudFrontHelpers, type CloudFrontOptions } from '@peercert/core';
import { cloudFrontHeaders, createAuthority } from '@peercert/testkit';
import { edgeChannel, fromEdge } from '../../../support/requests';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const intermediate = createAuthority().issueIntermediate();
const client = intermediate.issue();
const hex = (...all: readonly { readonly der: Uint8Array }[]): string[] =>
  all.map(({ der }) => Buffer.from(der).toString('hex'));

function present(options: Partial<CloudFrontOptions>, lines: readonly string[]): string[] | undefined {
  const presented = cloudFront({ channel: edgeChannel, ...options }).collect(fromEdge(...lines));
  if (presented === undefined) return undefined;
  return hex({ der: presented.decodeEndEntity() }, ...presented.decodeChain().map((der) => ({ der })));
}

const pemFormat = {
  certHeader: '-----BEGIN CERTIFICATE-----',
  certFooter: '-----END CERTIFICATE-----',
  certEndMarker: '\n',
};
const combined = (pemCertFormatInfo: object): CloudFrontHelpers => ({
  combinePemHeaders: { newHeaderName: 'X-Full-Chain', pemCertFormatInfo },
});

describe('the helpers of a CloudFront Function', () => {
  it.each<[string, CloudFrontHelpers]>([
    ['new names', { renameClientCertHeaders: { 'Client-Cert': 'X-Leaf', 'client-cert-chain': 'X-Chain' } }],
    ['a new name of the certificate alone', { renameClientCertHeaders: { 'Client-Cert': 'X-Leaf' } }],
    ['new names of companions', { renameClientCertHeaders: { 'CloudFront-Viewer-Cert-Present': 'X-Present' } }],
    [
      'PEM without line breaks',
      {
        renamePemHeaders: {
          'Client-Cert': { newHeaderName: 'X-Leaf', pemCertFormatInfo: pemFormat },
          'Client-Cert-Chain': { newHeaderName: 'X-Chain', pemCertFormatInfo: pemFormat },
        },
      },
    ],
    [
      'a chain in PEM alone',
      { renamePemHeaders: { 'Client-Cert-Chain': { newHeaderName: 'X', pemCertFormatInfo: pemFormat } } },
    ],
    ['everything in one header', combined(pemFormat)],
    ['everything in one header, with line breaks', combined({ ...pemFormat, keepNewlinesInCertData: true })],
    ['everything in one header, by default', combined({})],
    ['a marker in place of a footer', combined({ certHeader: '', certFooter: '', certEndMarker: '|' })],
    ['marker and footer', combined({ certHeader: '<', certFooter: '>', certEndMarker: '--' })],
    ['a comma for a marker', combined({ certHeader: '<', certFooter: '>', certEndMarker: ',' })],
    ['several at once', { ...combined(pemFormat), renameClientCertHeaders: { 'Client-Cert': 'X-Leaf' } }],
  ])('say where certificates are and how they are written: %s', (_, helpers) => {
    expect(present({ helpers }, cloudFrontHeaders(client, { helpers }).flat())).toEqual(hex(client, intermediate));
    const alone = cloudFrontHeaders(client, { helpers, chain: [] }).flat();
    expect(present({ helpers }, alone)).toEqual(hex(client));
  });

  it.each(['required', 'optional'] as const)('say so in %s mode', (mode) => {
    for (const helpers of [
      { renameClientCertHeaders: { 'CloudFront-Viewer-Cert-PEM': 'X-Pem', 'CloudFront-Viewer-Cert-Sha256': 'X-Sha' } },
      { renamePemHeaders: { 'Cloudfront-Viewer-Cert-PEM': { newHeaderName: 'X-Pem', pemCertFormatInfo: {} } } },
      {
        renamePemHeaders: {
          'CloudFront-Viewer-Cert-Pem': {
            newHeaderName: 'X-Pem',
            pemCertFormatInfo: { certHeader: '', certFooter: '', keepNewlinesInCertData: false },
          },
        },
      },
    ]) {
      expect(present({ mode, helpers }, cloudFrontHeaders(client, { mode, helpers }).flat())).toEqual(hex(client));
    }
  });

  const base64 = client.der.toString('base64');
  const other = intermediate.der.toString('base64');
  const read = (value: string, format: object = { certHeader: '<', certFooter: '>' }): unknown =>
    present({ helpers: combined(format), presentHeader: 'when-sent' }, ['X-Full-Chain', value]);

  it.each([
    ['nothing between', `<${base64}><${other}>`],
    ['a comma', `<${base64}>,<${other}>`],
    ['a comma and a space', `<${base64}>, <${other}>`],
    ['white space', `<${base64}>\t <${other}> `],
    ['escaped line feeds', encodeURIComponent(`<${base64}>\n<${other}>\n`)],
  ])('may be followed by %s', (_, value) => {
    expect(read(value)).toEqual(hex(client, intermediate));
  });

  it.each<[string, string, string]>([
    ['nothing', '', 'it is empty'],
    ['white space', '%20', 'it is empty'],
    ['two commas', `<${base64}>,,<${other}>`, 'a certificate does not begin with certHeader'],
    ['a comma at the end', `<${base64}>,`, 'it ends in a comma'],
    ['text before', `x<${base64}>`, 'a certificate does not begin with certHeader'],
    ['text behind', `<${base64}>x`, 'a certificate does not begin with certHeader'],
    ['no footer', `<${base64}`, 'a certificate does not end with certFooter'],
    ['an empty certificate', '<>', 'a certificate is not base64'],
    [
      'a line break in the base64',
      encodeURIComponent(`<${base64.slice(0, 64)}\n${base64.slice(64)}>`),
      'a certificate is not base64',
    ],
    ['text escaped twice', `<${base64}%252B>`, 'it was escaped twice'],
    ['half an escape', `<${base64}%2>`, 'a percent sign is not followed by two hexadecimal digits'],
  ])('EN-12: refuse %s', (_, value, reason) => {
    expect(() => read(value)).toThrowWithCode('ERR_HEADER_MALFORMED', { header: 'x-full-chain', reason });
  });

  it('EN-14: refuse eleven certificates over two lines of a chain', () => {
    const helpers = {
      renamePemHeaders: {
        'Client-Cert-Chain': { newHeaderName: 'X-Chain', pemCertFormatInfo: { certHeader: '<', certFooter: '>' } },
      },
    };
    const lines = ['Client-Cert', `:${base64}:`, 'X-Chain', '<AAEC>'.repeat(6), 'X-Chain', '<AAEC>'.repeat(5)];
    expect(() => present({ helpers, presentHeader: 'when-sent' }, lines)).toThrowWithCode('ERR_CHAIN_TOO_LONG', {
      count: 11,
      maximum: 10,
    });
  });

  it('pass over the originals, also where other headers are refused', () => {
    const helpers = { renameClientCertHeaders: { 'Client-Cert': 'X-Leaf' } };
    const lines = [...cloudFrontHeaders(client, { helpers, chain: [] }).flat(), 'Client-Cert', `:${other}:`];
    expect(present({ helpers, otherCertificateHeaders: 'reject' }, lines)).toEqual(hex(client));
  });

  it('hide every header the function makes from handlers', () => {
    const helpers = { ...combined({}), renameClientCertHeaders: { 'CloudFront-Viewer-Cert-Subject': 'X-Subject' } };
    expect(cloudFront({ channel: edgeChannel, helpers }).fields).toEqual([
      'x-full-chain',
      'cloudfront-viewer-cert-present',
      'cloudfront-viewer-cert-sha256',
      'x-subject',
    ]);
  });
});

describe('a certificate under a name that a viewer could send too', () => {
  const helpers = { renameClientCertHeaders: { 'Client-Cert': 'X-Leaf' } };
  const [leaf] = cloudFrontHeaders(client, { helpers, chain: [] }) as [[string, string]];

  it('CH-28: counts only where CloudFront says that one was presented', () => {
    expect(present({ helpers }, [...leaf, 'CloudFront-Viewer-Cert-Present', '1'])).toEqual(hex(client));
    expect(() => present({ helpers }, [...leaf])).toThrowWithCode('ERR_HEADER_INCONSISTENT', {
      header: 'cloudfront-viewer-cert-present',
      reason: 'it does not say that a certificate was presented',
    });
    expect(() => present({ helpers }, [...leaf, 'CloudFront-Viewer-Cert-Present', '0'])).toThrowWithCode(
      'ERR_HEADER_INCONSISTENT',
      { header: 'cloudfront-viewer-cert-present', reason: 'it says that no certificate was presented' },
    );
  });

  it('counts without that word when told to', () => {
    expect(present({ helpers, presentHeader: 'when-sent' }, [...leaf])).toEqual(hex(client));
  });
});

describe('CloudFront in required mode', () => {
  it('CH-28: is contradicted by a viewer without a certificate', () => {
    const lines = ['CloudFront-Viewer-Cert-Present', '0'];
    expect(present({ mode: 'optional' }, lines)).toBeUndefined();
    expect(() => present({ mode: 'required' }, lines)).toThrowWithCode('ERR_HEADER_INCONSISTENT', {
      header: 'cloudfront-viewer-cert-present',
      reason: 'it is 0 in required mode',
    });
  });

  it.each(['required', 'optional'] as const)('reads what CloudFront writes in %s mode, and no Client-Cert', (mode) => {
    const lines = cloudFrontHeaders(client, { mode }).flat();
    expect(present({ mode }, lines)).toEqual(hex(client));
    expect(present({ mode }, cloudFrontHeaders(client).flat())).toBeUndefined();
  });
});

describe('helpers that cannot be', () => {
  const footer =
    'pemCertFormatInfo.certFooter must hold a character that base64 has not: nothing else ends a certificate.';
  const rewrite = (original: string, pemCertFormatInfo: unknown): object => ({
    renamePemHeaders: { [original]: { newHeaderName: 'X-A', pemCertFormatInfo } },
  });

  it.each<[string, unknown, string]>([
    ['null', null, 'helpers takes an options object; it received null.'],
    ['an unknown helper', { rename: {} }, 'helpers received an unknown option, `rename`.'],
    ['a list of names', { renameClientCertHeaders: [] }, 'helpers.renameClientCertHeaders takes an options object'],
    [
      'an original nobody knows',
      { renameClientCertHeaders: { 'X-Cert': 'X-A' } },
      'there is no X-Cert in passthrough mode.',
    ],
    [
      'an original of another mode',
      { renameClientCertHeaders: { 'CloudFront-Viewer-Cert-Pem': 'X-A' } },
      'there is no CloudFront-Viewer-Cert-Pem in passthrough mode.',
    ],
    ['a companion in PEM', rewrite('CloudFront-Viewer-Cert-Sha256', {}), 'there is no CloudFront-Viewer-Cert-Sha256'],
    [
      'two new names',
      { ...rewrite('Client-Cert', {}), renameClientCertHeaders: { 'client-cert': 'X-B' } },
      'helpers.renamePemHeaders: Client-Cert has two new names.',
    ],
    [
      'one new name for two',
      { renameClientCertHeaders: { 'Client-Cert': 'X-A', 'Client-Cert-Chain': 'x-a' } },
      'cloudFront was given x-a for two of its headers.',
    ],
    [
      'an underscore',
      { renameClientCertHeaders: { 'Client-Cert': 'X_A' } },
      'must be a header name without underscores',
    ],
    ['a name that is taken', { renameClientCertHeaders: { 'Client-Cert': 'Host' } }, 'cannot be host'],
    [
      'the header of the channel',
      { renameClientCertHeaders: { 'Client-Cert': 'X-Edge-Secret' } },
      'the source reads it',
    ],
    ['no name', { combinePemHeaders: {} }, 'helpers.combinePemHeaders.newHeaderName must be a header name'],
    ['a footer that could be base64', rewrite('Client-Cert', { certFooter: 'END' }), footer],
    ['a marker that could be base64', combined({ certFooter: '', certEndMarker: 'END' }), footer],
    ['no end for several', combined({ certFooter: '' }), footer],
    ['no end but white space', combined({ certFooter: '', certEndMarker: '\n' }), footer],
    ['a percent sign', rewrite('Client-Cert', { certHeader: '%3C' }), 'must be ASCII text without percent signs'],
    ['an accent', rewrite('Client-Cert', { certHeader: '\u00e9' }), 'must be ASCII text without percent signs'],
    ['a number', rewrite('Client-Cert', { certEndMarker: 1 }), 'it received 1.'],
    ['a word for a switch', rewrite('Client-Cert', { keepNewlinesInCertData: 'no' }), 'must be true or false.'],
    ['a misspelt format', rewrite('Client-Cert', { certheader: '' }), 'Did you mean `certHeader`?'],
  ])('are refused: %s', (_, helpers, message) => {
    expect(() => cloudFront({ channel: edgeChannel, helpers: helpers as never })).toThrow(TypeError);
    expect(() => cloudFront({ channel: edgeChannel, helpers: helpers as never })).toThrow(message);
  });

  it.each([
    [{ mode: 'strict' }, "mode must be 'passthrough', 'required' or 'optional'."],
    [{ presentHeader: true }, "presentHeader must be 'required' or 'when-sent'."],
    [{ mode: 'required', helpers: combined({}) }, 'helpers.combinePemHeaders has an effect in passthrough mode only.'],
  ])('are refused: %j', (options, message) => {
    expect(() => cloudFront({ channel: edgeChannel, ...options } as never)).toThrow(new TypeError(message));
  });
});
