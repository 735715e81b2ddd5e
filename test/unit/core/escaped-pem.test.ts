import { createAuthority } from '@peercert/testkit';
import { decodePercent, parseEscapedPem, parsePem, type PemRules } from '../../../packages/core/src/escaped-pem';

const { pem, der } = createAuthority().issue();
const malformed = (reason: string): Error => new Error(reason);
const rules: PemRules = { maximum: 2, tooMany: (count) => new RangeError(`${count}`), malformed };
const hex = (all: readonly Buffer[]): string[] => all.map((bytes) => bytes.toString('hex'));
const block = (body: string): string => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;

describe('percent-decoding', () => {
  it.each([
    ['', ''],
    ['a+b/c=', 'a+b/c='],
    ['%41%0a%0A%2B', 'A\n\n+'],
    ['%7F', '\x7f'],
  ])('EN-16: gives for %s its ASCII', (text, expected) => {
    expect(decodePercent(text, malformed)).toBe(expected);
  });

  it.each([
    ['%', 'a percent sign is not followed by two hexadecimal digits'],
    ['a%4', 'a percent sign is not followed by two hexadecimal digits'],
    ['%g0', 'a percent sign is not followed by two hexadecimal digits'],
    ['%%41', 'a percent sign is not followed by two hexadecimal digits'],
    ['%E0%A4%A', 'a percent sign is not followed by two hexadecimal digits'],
    ['%80', 'it escapes an octet above 127'],
    ['%C3%A9', 'it escapes an octet above 127'],
    ['%252B', 'it was escaped twice'],
    ['%25', 'it was escaped twice'],
  ])('EN-16: refuses %s', (text, reason) => {
    expect(() => decodePercent(text, malformed)).toThrow(new Error(reason));
  });
});

describe('PEM of a header', () => {
  it.each<[string, string, string[]]>([
    ['one', pem, [der.toString('hex')]],
    ['one without its last line break', pem.trimEnd(), [der.toString('hex')]],
    ['two', pem + pem, [der.toString('hex'), der.toString('hex')]],
    ['lines of any length', block('A\nAE\nC'), ['000102']],
    ['EN-05: no padding', block('AAE'), ['0001']],
  ])('accepts %s', (_, text, expected) => {
    expect(hex(parsePem(text, '\n', rules))).toEqual(expected);
    expect(hex(parseEscapedPem(encodeURIComponent(text), rules))).toEqual(expected);
  });

  it.each([
    ['nothing', '', 'it is empty'],
    ['base64 alone', 'AAEC', 'it does not begin with BEGIN CERTIFICATE'],
    [
      'EN-18: another block',
      block('AAEC').replaceAll('CERTIFICATE', 'X509 CERTIFICATE'),
      'a block is not a CERTIFICATE',
    ],
    [
      'EN-18: another block behind',
      pem + block('AAEC').replaceAll('CERTIFICATE', 'PKCS7'),
      'a block is not a CERTIFICATE',
    ],
    ['EN-18: a blank line between', `${pem}\n${pem}`, 'something stands between or behind the certificates'],
    ['EN-18: text behind', `${pem}x`, 'something stands between or behind the certificates'],
    ['no line break between', pem.trimEnd() + pem, 'an END is not alone in its line'],
    ['no END', pem.slice(0, 90), 'a certificate has no END'],
    [
      'BEGIN and base64 in one line',
      block('AAEC').replace('-----\n', '-----'),
      'a BEGIN or END is not alone in its line',
    ],
    [
      'END and base64 in one line',
      block('AAEC').replace('\n-----E', '-----E'),
      'a BEGIN or END is not alone in its line',
    ],
    ['an empty line', block('AA\n\nEC'), 'a certificate has an empty line'],
    ['an empty certificate', block(''), 'a certificate has an empty line'],
    ['CRLF', block('AAEC').replaceAll('\n', '\r\n'), 'an END is not alone in its line'],
    ['EN-03: a space', block('AA EC'), 'a certificate is not base64'],
    ['one character', block('A'), 'a certificate is not base64'],
  ])('refuses %s', (_, text, reason) => {
    expect(() => parsePem(text, '\n', rules)).toThrow(new Error(reason));
    expect(() => parseEscapedPem(encodeURIComponent(text), rules)).toThrow(new Error(reason));
  });

  it('EN-14: refuses more than it may hold before any is decoded', () => {
    const decoding = jest.spyOn(Buffer, 'allocUnsafeSlow');
    expect(() => parsePem(pem.repeat(3), '\n', rules)).toThrow(new RangeError('3'));
    expect(decoding).not.toHaveBeenCalled();
    decoding.mockRestore();
  });

  it.each([' ', '\t', '\n', '\u00e9', '"', ',', '(', '\0'])('EN-20: refuses %j that was not escaped', (character) => {
    expect(() => parseEscapedPem(encodeURIComponent(pem) + character, rules)).toThrow(
      new Error('it holds a character that URL encoding escapes'),
    );
  });

  it('gives bytes that share their memory with nothing', () => {
    expect(parsePem(pem, '\n', rules)[0]?.buffer.byteLength).toBe(der.length);
  });
});
