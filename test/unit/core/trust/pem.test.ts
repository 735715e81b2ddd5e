import { createAuthority } from '@peercert/testkit';
import { parsePemCertificates } from '../../../../packages/core/src/trust/pem';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const one = createAuthority({ subject: 'CN=One' });
const two = createAuthority({ subject: 'CN=Two' });
const base64 = one.der.toString('base64');
const parse = (text: string): readonly (Buffer | undefined)[] => [...parsePemCertificates(text)];
const block = (label: string, text = base64): string => `-----BEGIN ${label}-----\n${text}\n-----END ${label}-----\n`;
const body = (one.pem.split('-----')[2] ?? '').trim();

describe('a PEM bundle', () => {
  it.each<[string, string, readonly Buffer[]]>([
    ['one certificate', one.pem, [one.der]],
    ['two certificates, in order', two.pem + one.pem, [two.der, one.der]],
    ['the same certificate twice', one.pem + one.pem, [one.der, one.der]],
    ['no newline at the end', one.pem.trimEnd(), [one.der]],
    ['CRLF', one.pem.replaceAll('\n', '\r\n'), [one.der]],
    ['CR alone', one.pem.replaceAll('\n', '\r'), [one.der]],
    ['a byte order mark', `\uFEFF${one.pem}`, [one.der]],
    ['text before, between and after', `# One\n${one.pem}\nTwo: s:/CN=Two\n${two.pem}the end`, [one.der, two.der]],
    ['blank lines inside a block', one.pem.replaceAll('\n', '\n\n'), [one.der]],
    ['white space around lines', one.pem.replaceAll('\n', ' \t\n  '), [one.der]],
    ['lines longer than 64 characters', block('CERTIFICATE'), [one.der]],
    ['base64 without padding', block('CERTIFICATE', base64.replaceAll('=', '')), [one.der]],
    ['nothing', '', []],
    ['text without a block', 'not a bundle', []],
    ['a byte order mark alone', '\uFEFF', []],
  ])('accepts %s', (_, text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  it.each([
    ['a TRUSTED CERTIFICATE', 'TRUSTED CERTIFICATE'],
    ['an X509 CERTIFICATE', 'X509 CERTIFICATE'],
    ['a CERTIFICATE REQUEST', 'CERTIFICATE REQUEST'],
    ['an X509 CRL', 'X509 CRL'],
    ['a PUBLIC KEY', 'PUBLIC KEY'],
    ['a PKCS7', 'PKCS7'],
    ['EC PARAMETERS', 'EC PARAMETERS'],
    ['a certificate in lower case', 'certificate'],
    ['a certificate with a space in its label', 'CERTIFICATE '],
    ['a block without a label', ''],
  ])('rejects %s', (_, label) => {
    expect(() => parse(one.pem + block(label))).toThrowWithCode('ERR_TRUST_STORE_MALFORMED', {
      found: `a ${label} block`,
      line: one.pem.split('\n').length,
    });
  });

  it.each(['PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY', 'ENCRYPTED PRIVATE KEY', 'OPENSSH PRIVATE KEY'])(
    'rejects a private key by name: %s',
    (label) => {
      const expected = { found: `a ${label} block`, line: 1 };
      expect(() => parse(block(label) + one.pem)).toThrowWithCode('ERR_TRUST_STORE_PRIVATE_KEY', expected);
    },
  );

  it('rejects a private key that PEM of node:crypto holds', () => {
    expect(() => parse(one.pem + one.privateKeyPem)).toThrowWithCode('ERR_TRUST_STORE_PRIVATE_KEY', {
      found: 'a PRIVATE KEY block',
      line: one.pem.split('\n').length,
    });
  });

  const notBase64 = 'a CERTIFICATE block that is not base64';
  const begin = '-----BEGIN CERTIFICATE-----';
  const end = '-----END CERTIFICATE-----';
  it.each<[string, string, string, number]>([
    ['a block without its END', `${begin}\n${body}\n`, 'a CERTIFICATE block without its END', 1],
    ['a BEGIN alone', `\n\n${begin}`, 'a CERTIFICATE block without its END', 3],
    ['a block whose END is the next BEGIN', `${begin}\n${body}\n${two.pem}`, 'a CERTIFICATE block without its END', 1],
    [
      'a last block cut short',
      one.pem + two.pem.slice(0, 200),
      'a CERTIFICATE block without its END',
      one.pem.split('\n').length,
    ],
    ['an END alone', `${body}\n${end}\n`, 'END CERTIFICATE without its BEGIN', body.split('\n').length + 1],
    [
      'an END of another label',
      `${begin}\n${body}\n-----END X509 CRL-----\n`,
      'END X509 CRL without its BEGIN',
      body.split('\n').length + 2,
    ],
    ['a block on one line', `${begin}${base64}${end}`, 'a BEGIN or END that is not alone in its line', 1],
    ['an END at the end of a line', `${begin}\n${base64}${end}\n`, 'a BEGIN or END that is not alone in its line', 2],
    [
      'a BEGIN with four hyphens behind it',
      `-----BEGIN CERTIFICATE----\n${body}\n${end}`,
      'a BEGIN or END that is not alone in its line',
      1,
    ],
    [
      'text before a BEGIN on its line',
      `> ${begin}\n${body}\n${end}`,
      'a BEGIN or END that is not alone in its line',
      1,
    ],
    ['an empty block', `${begin}\n${end}\n`, notBase64, 1],
    ['a block of blank lines', `${begin}\n\n \n${end}\n`, notBase64, 1],
    ['text in a block', `${begin}\nnot base64\n${end}\n`, notBase64, 1],
    ['a header in a block', `${begin}\nProc-Type: 4,ENCRYPTED\n\n${body}\n${end}\n`, notBase64, 1],
    ['base64url in a block', `${begin}\n-_-_\n${end}\n`, notBase64, 1],
    ['NUL in a block', `${begin}\n${body}\0\n${end}\n`, notBase64, 1],
    ['a space inside a line of a block', `${begin}\nAAAA AAAA\n${end}\n`, notBase64, 1],
    ['padding in the middle of a block', `${begin}\nAA==\nAAAA\n${end}\n`, notBase64, 1],
    ['two certificates in one block', `${begin}\nAA==\nAA==\n${end}\n`, notBase64, 1],
    [
      'a block far larger than any certificate',
      `\n${begin}\n${'A'.repeat(43_697)}\n${end}\n`,
      'a CERTIFICATE block that is too large',
      2,
    ],
    [
      'a large block that never ends',
      `${begin}\n${'AAAA\n'.repeat(20_000)}`,
      'a CERTIFICATE block that is too large',
      1,
    ],
    [
      'a label of 65 characters, which is not quoted',
      `-----BEGIN ${'A'.repeat(65)}-----\n`,
      'a BEGIN or END that is not alone in its line',
      1,
    ],
    [
      'a label with an escape character',
      '-----BEGIN \x1b[2J-----\n',
      'a BEGIN or END that is not alone in its line',
      1,
    ],
    [
      'a byte order mark in the middle, as octets show it',
      `${one.pem}\xef\xbb\xbf${two.pem}`,
      'a BEGIN or END that is not alone in its line',
      one.pem.split('\n').length,
    ],
  ])('rejects %s', (_, text, found, line) => {
    expect(() => parse(text)).toThrowWithCode('ERR_TRUST_STORE_MALFORMED', { found, line });
  });

  it('quotes a label of 64 characters', () => {
    const label = 'A'.repeat(64);
    expect(() => parse(`-----BEGIN ${label}-----`)).toThrowWithCode('ERR_TRUST_STORE_MALFORMED', {
      found: `a ${label} block`,
      line: 1,
    });
  });

  it('decodes a block of 43,696 characters before it says what is wrong with it', () => {
    expect(parse(`${begin}\n${'A'.repeat(43_696)}\n${end}\n`)).toEqual([Buffer.alloc(32_772)]);
  });

  it('pauses every 1,000 lines, and gives certificates one at a time', () => {
    expect(parse(`${'\n'.repeat(2_500)}${one.pem}`)).toEqual([undefined, undefined, one.der]);
    expect(parse('\n'.repeat(998))).toEqual([]);
    const bundle = parsePemCertificates(one.pem + one.privateKeyPem);
    expect(bundle.next().value).toEqual(one.der);
    expect(() => bundle.next()).toThrow('private key');
  });

  it('counts lines the same way whatever ends them', () => {
    for (const newline of ['\n', '\r\n', '\r']) {
      expect(() => parse(`a${newline}b${newline}${end}`)).toThrowWithCode('ERR_TRUST_STORE_MALFORMED', {
        found: 'END CERTIFICATE without its BEGIN',
        line: 3,
      });
    }
  });
});
