import { alb, apache, caddy, cloudflare, haproxy, nginx, rfc9440, type Source, traefik } from '@peercert/core';
import {
  albHeaders,
  apacheHeaders,
  caddyHeaders,
  cloudflareHeaders,
  createAuthority,
  haproxyHeaders,
  nginxHeaders,
  rfc9440Headers,
  traefikHeaders,
} from '@peercert/testkit';
import { edgeChannel, fromEdge } from '../../../support/requests';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const channel = edgeChannel;
const root = createAuthority();
const intermediate = root.issueIntermediate();
const client = intermediate.issue();
const hex = (...all: readonly { readonly der: Uint8Array }[]): string[] =>
  all.map(({ der }) => Buffer.from(der).toString('hex'));

function present(source: Source, ...lines: readonly string[]): string[] | undefined {
  const presented = source.collect(fromEdge(...lines));
  if (presented === undefined) return undefined;
  return hex({ der: presented.decodeEndEntity() }, ...presented.decodeChain().map((der) => ({ der })));
}

describe('nginx', () => {
  const lines = nginxHeaders(client).flat();
  const [, escaped = ''] = lines;
  const source = nginx({ channel });

  it.each<[string, readonly string[], string[] | undefined]>([
    ['a certificate that verified', lines, hex(client)],
    ['a certificate alone', lines.slice(0, 2), hex(client)],
    ['nothing', [], undefined],
    ['NONE', ['ssl-client-verify', 'NONE'], undefined],
    ['NONE beside an empty value', ['ssl-client-cert', '', 'ssl-client-verify', 'NONE'], undefined],
    ['empty values', ['ssl-client-cert', '', 'ssl-client-verify', ''], undefined],
    ['names of the certificate beside it', [...lines, 'ssl-client-subject-dn', 'CN=admin'], hex(client)],
  ])('reads %s', (_, received, expected) => {
    expect(present(source, ...received)).toEqual(expected);
    expect(present(nginx({ channel, otherCertificateHeaders: 'reject' }), ...received)).toEqual(expected);
  });

  it.each(['success', 'SUCCESS ', 'OK', '0', 'FAILEDX', 'NONE,SUCCESS', 'GENEROUS'])(
    'CH-24: refuses a result that it does not know: %s',
    (status) => {
      expect(() => present(source, 'ssl-client-cert', escaped, 'ssl-client-verify', status)).toThrowWithCode(
        'ERR_HEADER_MALFORMED',
        { header: 'ssl-client-verify', reason: 'it is not SUCCESS, NONE or FAILED' },
      );
    },
  );

  it('CH-06: refuses the result twice', () => {
    expect(() => present(source, ...lines, 'SSL-Client-Verify', 'SUCCESS')).toThrowWithCode('ERR_HEADER_REPEATED', {
      header: 'ssl-client-verify',
      count: 2,
    });
  });

  it('CH-24: refuses a failure without its certificate, and quotes no more than a hundred characters', () => {
    expect(() => present(source, 'ssl-client-verify', 'FAILED:expired')).toThrowWithCode(
      'ERR_CERTIFICATE_NOT_FORWARDED',
      { header: 'ssl-client-cert' },
    );
    const status = `FAILED:${'x'.repeat(1_000)}`;
    expect(() => present(source, 'ssl-client-cert', escaped, 'ssl-client-verify', status)).toThrowWithCode(
      'ERR_CERTIFICATE_REFUSED_BY_PROXY',
      { header: 'ssl-client-verify', status: status.slice(0, 100) },
    );
  });

  it('reads headers of any other names, and leaves the usual ones alone', () => {
    const own = nginx({ channel, header: 'X-Cert', verifyHeader: 'X-Verify' });
    expect(own.fields).toEqual(['x-cert', 'x-verify']);
    const written = nginxHeaders(client, { header: 'X-Cert', verifyHeader: 'X-Verify' }).flat();
    expect(present(own, ...written, 'ssl-client-verify', 'NONE')).toEqual(hex(client));
  });
});

describe('apache', () => {
  const lines = apacheHeaders(client).flat();
  const [, folded = ''] = lines;
  const source = apache({ channel });

  it.each<[string, readonly string[], string[] | undefined]>([
    ['a certificate that verified', lines, hex(client)],
    ['one that was not asked to', apacheHeaders(client, { verify: 'GENEROUS' }).flat(), hex(client)],
    ['a space at its end', ['X-SSL-Client-Cert', `${folded} `], hex(client)],
    ['(null)', ['X-SSL-Client-Cert', '(null)', 'X-SSL-Client-Verify', 'NONE'], undefined],
    ['(null) twice', ['X-SSL-Client-Cert', '(null)', 'X-SSL-Client-Verify', '(null)'], undefined],
  ])('reads %s', (_, received, expected) => {
    expect(present(source, ...received)).toEqual(expected);
  });

  it.each([
    ['two spaces', folded.replace('----- ', '-----  '), 'a certificate has an empty line'],
    ['no space', folded.replace('----- ', '-----'), 'a BEGIN or END is not alone in its line'],
    ['a space before', ` ${folded}`, 'it does not begin with BEGIN CERTIFICATE'],
    ['text behind', `${folded}x`, 'an END is not alone in its line'],
    ['null', 'null', 'it does not begin with BEGIN CERTIFICATE'],
    ['half of it', folded.slice(0, 200), 'a certificate has no END'],
  ])('EN-18: refuses %s', (_, value, reason) => {
    expect(() => present(source, 'X-SSL-Client-Cert', value)).toThrowWithCode('ERR_HEADER_MALFORMED', {
      header: 'x-ssl-client-cert',
      reason,
    });
  });

  it('CH-23: refuses SUCCESS beside (null)', () => {
    const act = (): unknown => present(source, 'X-SSL-Client-Cert', '(null)', 'X-SSL-Client-Verify', 'SUCCESS');
    expect(act).toThrowWithCode('ERR_CERTIFICATE_NOT_FORWARDED', { header: 'x-ssl-client-cert' });
  });
});

describe('haproxy', () => {
  const lines = haproxyHeaders(client).flat();
  const source = haproxy({ channel });
  const cert = ['X-SSL-Client-Cert', client.der.toString('base64')];
  const chainOf = (...ders: readonly Buffer[]): string[] => [
    'X-SSL-Client-Chain',
    Buffer.concat(ders).toString('base64'),
  ];

  it.each<[string, readonly string[], string[] | undefined]>([
    ['everything', lines, hex(client, intermediate)],
    ['a resumed session, without its chain', haproxyHeaders(client, { chain: [] }).flat(), hex(client)],
    ['an empty chain', [...cert, 'X-SSL-Client-Chain', ''], hex(client)],
    [
      'a chain that begins with the certificate',
      [...cert, ...chainOf(client.der, intermediate.der)],
      hex(client, client, intermediate),
    ],
    [
      'nobody',
      ['X-SSL-Client-Cert', '', 'X-SSL-Client-Chain', '', 'X-SSL-Client-Used', '0', 'X-SSL-Client-Verify', '0'],
      undefined,
    ],
    ['no error where nothing was checked', ['X-SSL-Client-Verify', '0'], undefined],
  ])('reads %s', (_, received, expected) => {
    expect(present(source, ...received)).toEqual(expected);
  });

  it.each(['', '2', 'true', '01'])('CH-24: refuses a use that is neither 0 nor 1: "%s"', (used) => {
    expect(() => present(source, ...cert, 'X-SSL-Client-Used', used)).toThrowWithCode('ERR_HEADER_MALFORMED', {
      header: 'x-ssl-client-used',
      reason: 'it is not 0 or 1',
    });
  });

  it.each(['', 'SUCCESS', '-1', '1e9', '0x0', '1234567'])(
    'CH-24: refuses a result that is no number: "%s"',
    (result) => {
      expect(() => present(source, ...cert, 'X-SSL-Client-Verify', result)).toThrowWithCode('ERR_HEADER_MALFORMED', {
        header: 'x-ssl-client-verify',
        reason: 'it is not a number',
      });
    },
  );

  it.each(['1', '10', '000010'])('CH-24: refuses the error %s beside a certificate', (status) => {
    expect(() => present(source, ...cert, 'X-SSL-Client-Verify', status)).toThrowWithCode(
      'ERR_CERTIFICATE_REFUSED_BY_PROXY',
      { header: 'x-ssl-client-verify', status },
    );
  });

  it('CH-13: refuses a chain beside the word that nobody presented one', () => {
    expect(() =>
      present(source, 'X-SSL-Client-Cert', '', 'X-SSL-Client-Used', '0', ...chainOf(intermediate.der)),
    ).toThrowWithCode('ERR_HEADER_CHAIN_WITHOUT_CERTIFICATE', { header: 'x-ssl-client-chain' });
  });

  it.each<[string, Buffer]>([
    ['half a certificate', intermediate.der.subarray(0, 200)],
    ['a certificate and a half', Buffer.concat([intermediate.der, intermediate.der.subarray(0, 9)])],
    ['one octet more', Buffer.concat([intermediate.der, Buffer.of(0)])],
    ['an INTEGER', Buffer.of(2, 1, 0)],
    ['an indefinite length', Buffer.of(0x30, 0x80, 0, 0)],
  ])('EN-12: refuses a chain with %s', (_, der) => {
    expect(() => present(source, ...cert, ...chainOf(der))).toThrowWithCode('ERR_HEADER_MALFORMED', {
      header: 'x-ssl-client-chain',
      reason: 'it is not DER of certificates',
    });
  });

  it('gives certificates that share their memory with no other', () => {
    const [der] = source.collect(fromEdge(...cert, ...chainOf(intermediate.der, root.der)))?.decodeChain() ?? [];
    expect(der?.buffer.byteLength).toBe(intermediate.der.length);
  });
});

describe('alb', () => {
  const verify = albHeaders(client, { mode: 'verify' }).flat();
  const header = 'x-amzn-mtls-clientcert-leaf';
  const source = alb({ channel, mode: 'verify' });

  it('reads both modes', () => {
    expect(present(alb({ channel, mode: 'passthrough' }), ...albHeaders(client).flat())).toEqual(
      hex(client, intermediate),
    );
    expect(present(source, ...verify)).toEqual(hex(client));
    const strict = alb({ channel, mode: 'verify', otherCertificateHeaders: 'reject' });
    expect(present(strict, ...verify, 'X-Amzn-Mtls-Clientcert-Subject', 'CN=admin')).toEqual(hex(client));
  });

  it('reads a header that the listener renames', () => {
    const renamed = alb({ channel, mode: 'passthrough', header: 'X-Mtls' });
    expect(present(renamed, 'X-Mtls', albHeaders(client)[0]?.[1] ?? '')).toEqual(hex(client, intermediate));
  });

  it.each(['02', '00:02', '0002', '2'])('CH-28: agrees with its serial number however it is written: %s', (serial) => {
    const second = root.issue({ serialNumber: 2n });
    const [leaf] = albHeaders(second, { mode: 'verify' });
    expect(present(source, ...(leaf ?? []), 'X-Amzn-Mtls-Clientcert-Serial-Number', serial)).toEqual(hex(second));
  });

  it('CH-28: does not compare a negative serial number', () => {
    const negative = root.issue({ serialNumber: -2n });
    const [leaf] = albHeaders(negative, { mode: 'verify' });
    expect(present(source, ...(leaf ?? []), 'X-Amzn-Mtls-Clientcert-Serial-Number', 'FE')).toEqual(hex(negative));
  });

  it.each<[string, string, string]>([
    ['Serial-Number', '', 'it is not hexadecimal'],
    ['Serial-Number', '0x02', 'it is not hexadecimal'],
    ['Serial-Number', '02:', 'it is not hexadecimal'],
    ['Serial-Number', '1'.repeat(129), 'it is not hexadecimal'],
    ['Validity', '', 'it is not a validity'],
    ['Validity', 'NotAfter=2024-09-20T01:50:17Z', 'it is not a validity'],
    ['Validity', 'NotBefore=May 28 12:30:02 2019 GMT;NotAfter=2024-09-20T01:50:17Z', 'it is not a validity'],
  ])('CH-28: refuses a %s of "%s"', (name, value, reason) => {
    expect(() => present(source, ...verify.slice(0, 2), `X-Amzn-Mtls-Clientcert-${name}`, value)).toThrowWithCode(
      'ERR_HEADER_MALFORMED',
      { header: `x-amzn-mtls-clientcert-${name.toLowerCase()}`, reason },
    );
  });

  it('leaves what is no certificate to the reader of certificates', () => {
    const text = encodeURIComponent('-----BEGIN CERTIFICATE-----\nAAEC\n-----END CERTIFICATE-----\n');
    expect(() => present(source, header, text, ...verify.slice(2))).toThrowWithCode('ERR_CERTIFICATE_MALFORMED', {
      position: 0,
      reason: 'Certificate expected',
      offset: 0,
    });
  });
});

describe('traefik', () => {
  const header = 'X-Forwarded-Tls-Client-Cert';

  it('reads both encodings, and never the other one', () => {
    const [base64, escaped] = (['base64', 'escaped-pem'] as const).map((encoding) => ({
      source: traefik({ channel, encoding }),
      lines: traefikHeaders(client, { encoding }).flat(),
    })) as [{ source: Source; lines: string[] }, { source: Source; lines: string[] }];
    expect(present(base64.source, ...base64.lines)).toEqual(hex(client, intermediate));
    expect(present(escaped.source, ...escaped.lines)).toEqual(hex(client, intermediate));
    expect(() => present(base64.source, ...escaped.lines)).toThrow(
      expect.objectContaining({ code: 'ERR_HEADER_MALFORMED' }),
    );
    expect(() => present(escaped.source, ...base64.lines)).toThrow(
      expect.objectContaining({ code: 'ERR_HEADER_MALFORMED' }),
    );
  });

  it('never reads X-Forwarded-Tls-Client-Cert-Info', () => {
    const strict = traefik({ channel, otherCertificateHeaders: 'reject' });
    expect(present(strict, 'X-Forwarded-Tls-Client-Cert-Info', 'Subject%3D%22CN%3Dadmin%22')).toBeUndefined();
  });

  it.each(['AAEC%2CAAEC', 'AAEC%2cAAEC', 'AAEC,', ',AAEC', 'AAEC, AAEC'])(
    'EN-12: refuses an escaped list %s',
    (text) => {
      expect(() => present(traefik({ channel, encoding: 'escaped-pem' }), header, text)).toThrow(
        expect.objectContaining({ code: 'ERR_HEADER_MALFORMED' }),
      );
    },
  );
});

describe('cloudflare', () => {
  it('reads both formats', () => {
    expect(present(cloudflare({ channel }), ...cloudflareHeaders(client).flat())).toEqual(hex(client, intermediate));
    const format = 'der-base64';
    expect(present(cloudflare({ channel, format }), ...cloudflareHeaders(client, { format }).flat())).toEqual(
      hex(client),
    );
  });

  it('EN-07: takes empty fields for a client without a certificate', () => {
    expect(present(cloudflare({ channel }), 'Client-Cert', '', 'Client-Cert-Chain', '')).toBeUndefined();
    expect(
      present(
        cloudflare({ channel, format: 'der-base64' }),
        'Cf-Client-Cert-Der-Base64',
        '',
        'Cf-Client-Cert-Sha256',
        '',
      ),
    ).toBeUndefined();
  });

  it('CH-13: refuses the chain of a certificate that was too large to forward', () => {
    const [, chain = []] = cloudflareHeaders(client);
    expect(() => present(cloudflare({ channel }), 'Client-Cert', '', ...chain)).toThrowWithCode(
      'ERR_HEADER_CHAIN_WITHOUT_CERTIFICATE',
      { header: 'client-cert-chain' },
    );
  });
});

describe('rfc9440', () => {
  it('allows as many certificates in the chain as it is told', () => {
    const lines = rfc9440Headers(client).flat();
    expect(present(rfc9440({ channel }), ...lines)).toEqual(hex(client, intermediate));
    expect(present(rfc9440({ channel, maxChainCertificates: 1 }), ...lines)).toEqual(hex(client, intermediate));
    expect(() => present(rfc9440({ channel, maxChainCertificates: 0 }), ...lines)).toThrowWithCode(
      'ERR_CHAIN_TOO_LONG',
      {
        count: 1,
        maximum: 0,
      },
    );
  });
});

describe('caddy', () => {
  it('reads a header of any other name', () => {
    const source = caddy({ channel, header: 'X-Der' });
    expect(present(source, 'X-Der', caddyHeaders(client)[0]?.[1] ?? '')).toEqual(hex(client));
  });

  it('takes the name of its placeholder, in braces, for no certificate, and nothing like it', () => {
    const source = caddy({ channel });
    const placeholder = '{http.request.tls.client.certificate_der_base64}';
    expect(present(source, 'X-Client-Cert', placeholder)).toBeUndefined();
    for (const value of [
      `${placeholder} `,
      placeholder.toUpperCase(),
      '{http.request.tls.client.certificate_pem}',
      '{}',
    ]) {
      expect(() => present(source, 'X-Client-Cert', value)).toThrowWithCode('ERR_HEADER_MALFORMED', expect.anything());
    }
  });
});

describe('options of presets', () => {
  it.each<[string, (options: object) => unknown, object, string]>([
    ['a mode that is missing', alb as never, {}, "alb needs mode, 'passthrough' or 'verify'."],
    ['an encoding', traefik as never, { encoding: 'pem' }, "encoding must be 'base64' or 'escaped-pem'."],
    ['a format', cloudflare as never, { format: 'pem' }, "format must be 'rfc9440' or 'der-base64'."],
    [
      'a name with an underscore',
      nginx as never,
      { header: 'ssl_client_cert' },
      'header must be a header name without underscores; it received `ssl_client_cert`.',
    ],
    [
      'a name that is null',
      caddy as never,
      { header: null },
      'header must be a header name without underscores; it received null.',
    ],
    [
      'a name with a space',
      haproxy as never,
      { chainHeader: 'X Chain' },
      'chainHeader must be a header name without underscores; it received `X Chain`.',
    ],
    [
      'Connection',
      apache as never,
      { header: 'Connection' },
      'header cannot be connection: it has a meaning of its own.',
    ],
    [
      'two names that are one',
      nginx as never,
      { header: 'X-A', verifyHeader: 'x-a' },
      'nginx was given x-a for two of its headers.',
    ],
    [
      'the header of the secret',
      nginx as never,
      { header: 'X-Edge-Secret' },
      'The channel proof cannot use x-edge-secret: the source reads it. Choose another name.',
    ],
    [
      'a misspelt option',
      caddy as never,
      { Header: 'X' },
      'caddy received an unknown option, `Header`. Did you mean `header`?',
    ],
    [
      'what to do with others',
      caddy as never,
      { otherCertificateHeaders: 'strip' },
      "otherCertificateHeaders must be 'ignore' or 'reject'.",
    ],
  ])('are refused: %s', (_, make, options, message) => {
    expect(() => make({ channel, ...options })).toThrow(new TypeError(message));
  });

  it.each([11, -1, 1.5, '1'])('are refused: maxChainCertificates of %p', (maxChainCertificates) => {
    expect(() => rfc9440({ channel, maxChainCertificates } as never)).toThrow(RangeError);
  });
});
