import { decodeBase64 } from '../../../../packages/core/src/x509/base64';

describe('base64', () => {
  it.each([
    ['nothing', '', ''],
    ['whole groups', 'AAEC', '000102'],
    ['every character of the alphabet', 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', undefined],
    ['one padding character', 'AAE=', '0001'],
    ['two padding characters', 'AA==', '00'],
    ['two characters without padding', 'AA', '00'],
    ['three characters without padding', 'AAE', '0001'],
    ['trailing bits that are not zero, with padding', 'AB==', '00'],
    ['trailing bits that are not zero, without padding', 'AAF', '0001'],
  ])('accepts %s', (_, text, expected) => {
    const bytes = decodeBase64(text);
    expect(bytes?.toString('hex')).toBe(expected ?? Buffer.from(text, 'base64').toString('hex'));
  });

  it.each([
    ['one character', 'A'],
    ['a group of one character after whole groups', 'AAECA'],
    ['one padding character where two are needed', 'AA='],
    ['padding after a whole group', 'AAEC='],
    ['two padding characters after three', 'AAE=='],
    ['padding alone', '='],
    ['two padding characters alone', '=='],
    ['a whole group of padding', '===='],
    ['three padding characters', 'A==='],
    ['padding in the middle', 'AA==AAEC'],
    ['a space', 'AA EC'],
    ['a space at the end', 'AAEC '],
    ['a newline', 'AAEC\n'],
    ['a newline in the middle', 'AA\nEC'],
    ['a carriage return', 'AAEC\r'],
    ['NUL', 'AAE\0'],
    ['the URL alphabet, minus', 'AAE-'],
    ['the URL alphabet, underscore', 'AAE_'],
    ['a character outside the alphabet', 'AA*C'],
    ['a character outside ASCII', 'AA\u00E9C'],
    ['a full-width letter', 'AAE\uFF23'],
    ['letters whose low octet is one of the alphabet', '\u0141\u0141\u0141\u0141'],
    ['one such letter among others', 'AA\u0141C'],
  ])('rejects %s', (_, text) => {
    expect(decodeBase64(text)).toBeUndefined();
  });

  it('decodes into memory that nothing else shares', () => {
    const bytes = decodeBase64('AAEC');
    expect(bytes?.buffer.byteLength).toBe(3);
  });
});
