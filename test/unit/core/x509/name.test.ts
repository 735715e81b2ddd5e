import { der, encodeName, type DistinguishedName, type StringType } from '@peercert/testkit';
import { DerReader, type Range } from '../../../../packages/core/src/x509/der';
import { decodeName, isEmptyName, nameKey, readName } from '../../../../packages/core/src/x509/name';
import { hex, nested } from '../../../support/encodings';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

type Decoded = ReturnType<typeof decodeName>;

const rangeOf = (bytes: Buffer): Range => readName(new DerReader(bytes), 'subject');
const decode = (name: DistinguishedName): Decoded => {
  const bytes = encodeName(name);
  return decodeName(bytes, rangeOf(bytes));
};
const keyOf = (name: DistinguishedName): string => {
  const bytes = encodeName(name);
  return nameKey(bytes, rangeOf(bytes));
};

const cn = (value: string | Uint8Array, as?: StringType): DistinguishedName => [
  as === undefined ? { type: 'CN', value } : { type: 'CN', value, as },
];
const latin1 = (tag: number, text: string): Buffer => der.tlv(tag, Buffer.from(text, 'latin1'));

describe('a distinguished name', () => {
  it('decodes every attribute, in the order of the certificate', () => {
    const name = decode([
      { type: 'C', value: 'DE' },
      { type: 'O', value: 'Example' },
      { type: 'CN', value: 'device-1' },
      { type: '1.2.3.4', value: 'x' },
    ]);
    expect(name.rdns).toEqual([
      [{ type: '2.5.4.6', name: 'C', value: 'DE' }],
      [{ type: '2.5.4.10', name: 'O', value: 'Example' }],
      [{ type: '2.5.4.3', name: 'CN', value: 'device-1' }],
      [{ type: '1.2.3.4', name: undefined, value: 'x' }],
    ]);
    expect(name.toString()).toBe('1.2.3.4=x,CN=device-1,O=Example,C=DE');
    expect(JSON.stringify({ name })).toBe('{"name":"1.2.3.4=x,CN=device-1,O=Example,C=DE"}');
  });

  it('is frozen through and through', () => {
    const name = decode('CN=a,O=b');
    expect([name, name.rdns, ...name.rdns, ...name.rdns.flat()].every(Object.isFrozen)).toBe(true);
  });

  it('gives the values of an attribute type by short name and by object identifier', () => {
    const name = decode([
      { type: 'OU', value: 'first' },
      { type: 'CN', value: 'x' },
      { type: 'OU', value: 'second' },
    ]);
    expect(name.values('OU')).toEqual(['first', 'second']);
    expect(name.values('2.5.4.11')).toEqual(['first', 'second']);
    expect(name.values('O')).toEqual([]);
    expect(name.values('ou')).toEqual([]);
    expect(name.values('undefined')).toEqual([]);
  });

  it('DR-19: gives both of two CNs', () => {
    const name = decode([
      { type: 'CN', value: 'user' },
      { type: 'CN', value: 'admin' },
    ]);
    expect(name.values('CN')).toEqual(['user', 'admin']);
    expect(name.toString()).toBe('CN=admin,CN=user');
  });

  it('DR-18: keeps a multi-valued RDN together', () => {
    const name = decode([
      { type: 'C', value: 'DE' },
      [
        { type: 'CN', value: 'a' },
        { type: 'O', value: 'b' },
      ],
    ]);
    expect(name.rdns).toEqual([
      [{ type: '2.5.4.6', name: 'C', value: 'DE' }],
      [
        { type: '2.5.4.3', name: 'CN', value: 'a' },
        { type: '2.5.4.10', name: 'O', value: 'b' },
      ],
    ]);
    expect(name.toString()).toBe('CN=a+O=b,C=DE');
  });

  it.each([
    ['evil,CN=admin', 'CN=evil\\,CN=admin'],
    ['user+CN=admin', 'CN=user\\+CN=admin'],
    ['evil\nCN=admin', 'CN=evil\\0aCN=admin'],
  ])('DR-20: gives the CN %j as one value', (value, text) => {
    const name = decode(cn(value));
    expect(name.values('CN')).toEqual([value]);
    expect(name.toString()).toBe(text);
  });

  it.each([
    ['each special character', '",+;<>\\', '\\"\\,\\+\\;\\<\\>\\\\'],
    ['a leading space', ' a', '\\ a'],
    ['a trailing space', 'a ', 'a\\ '],
    ['one space alone', ' ', '\\ '],
    ['two spaces alone', '  ', '\\ \\ '],
    ['spaces inside as they are', 'a  b', 'a  b'],
    ['a leading number sign', '#0500', '\\#0500'],
    ['a number sign inside as it is', 'a#b', 'a#b'],
    ['an equals sign as it is', 'a=b', 'a=b'],
    ['a backslash before a special character', '\\,', '\\\\\\,'],
    ['NUL', 'victim\0evil', 'CN'.slice(2) + 'victim\\00evil'],
    ['a carriage return and a newline', 'a\r\nb', 'a\\0d\\0ab'],
    ['a tab', 'a\tb', 'a\\09b'],
    ['an escape', '\u001b[31m', '\\1b[31m'],
    ['DEL', 'a\u007fb', 'a\\7fb'],
    ['a C1 control character', 'a\u0085b', 'a\\c2\\85b'],
    ['a right-to-left override', 'a\u202eb', 'a\\e2\\80\\aeb'],
    ['a zero-width space', 'a\u200bb', 'a\\e2\\80\\8bb'],
    ['a byte order mark', '\ufeffa', '\\ef\\bb\\bfa'],
    ['a line separator', 'a\u2028b', 'a\\e2\\80\\a8b'],
    ['a paragraph separator', 'a\u2029b', 'a\\e2\\80\\a9b'],
    ['a tag character outside the basic plane', 'a\u{e0061}b', 'a\\f3\\a0\\81\\a1b'],
    ['letters of any script as they are', 'Ärzte 東京 😀', 'Ärzte 東京 😀'],
  ])('escapes %s (RFC 4514 section 2.4)', (_, value, text) => {
    const name = decode(cn(value));
    expect(name.values('CN')).toEqual([value]);
    expect(name.toString()).toBe(`CN=${text}`);
  });

  it('writes the empty name as empty text', () => {
    const name = decode('');
    expect(name.rdns).toEqual([]);
    expect(name.toString()).toBe('');
  });

  it.each<[string, Buffer, string]>([
    ['decodes UTF8String', der.utf8String('Ä東'), 'Ä東'],
    ['decodes PrintableString', der.printableString('abc'), 'abc'],
    ['DR-16: decodes PrintableString with a character outside its set', der.printableString('a@b'), 'a@b'],
    ['decodes IA5String', der.ia5String('a@b'), 'a@b'],
    ['DR-16: decodes IA5String with the high bit, as Latin-1', latin1(0x16, '\xe4'), 'ä'],
    ['DR-16: decodes TeletexString, as Latin-1', der.teletexString('\xe4'), 'ä'],
    ['decodes NumericString', latin1(0x12, '0 123 9'), '0 123 9'],
    ['decodes VisibleString', latin1(0x1a, 'abc'), 'abc'],
    ['decodes BMPString', der.bmpString('Ä東'), 'Ä東'],
    ['decodes BMPString with NUL', der.bmpString('a\0b'), 'a\0b'],
    ['decodes an empty UTF8String', der.utf8String(''), ''],
  ])('%s', (_, value, text) => {
    expect(decode(cn(value)).values('CN')).toEqual([text]);
  });

  it.each<[string, Buffer, string]>([
    ['gives the DER of an INTEGER, which is not text', der.integer(5), '#020105'],
    ['gives the DER of NULL, which is not text', der.null(), '#0500'],
    ['DR-16: gives the DER of a UniversalString, which is not text', der.tlv(0x1c, hex('00000041')), '#1c0400000041'],
    ['gives the DER of a SEQUENCE, which is not text', der.sequence(der.integer(5)), '#3003020105'],
    ['gives the DER of a GeneralString, which is not text', latin1(0x1b, 'a'), '#1b0161'],
    ['gives the DER of an EXTERNAL, which is not text', der.tlv(0x28, der.null()), '#28020500'],
  ])('%s', (_, value, text) => {
    const name = decode(cn(value));
    expect(name.values('CN')).toEqual([text]);
    expect(name.toString()).toBe(`CN=${text}`);
  });
});

describe('the encoding of a name', () => {
  const attribute = (value: Uint8Array): Buffer => der.sequence(der.set(der.sequence(der.oid('2.5.4.3'), value)));
  const attributeAt = 13;

  it.each<[string, Buffer, string]>([
    ['a BMPString of odd length', der.tlv(0x1e, hex('004100')), 'subject holds an odd BMPString'],
    ['a UniversalString of odd length', der.tlv(0x1c, hex('000041')), 'subject holds an odd UniversalString'],
    ...['a', '1a2', '1-2', '1\t2'].map((text): [string, Buffer, string] => [
      `a NumericString of ${JSON.stringify(text)}`,
      der.tlv(0x12, Buffer.from(text)),
      'subject holds a NumericString of other characters',
    ]),
    ['invalid UTF-8', der.tlv(0x0c, hex('ff')), 'subject holds invalid UTF-8'],
    ['UTF-8 cut short', der.tlv(0x0c, hex('61c3')), 'subject holds invalid UTF-8'],
    ['UTF-8 with an overlong NUL', der.tlv(0x0c, hex('61c080')), 'subject holds invalid UTF-8'],
    ['UTF-8 with an overlong slash', der.tlv(0x0c, hex('e080af')), 'subject holds invalid UTF-8'],
    ['UTF-8 with half a surrogate pair', der.tlv(0x0c, hex('eda080')), 'subject holds invalid UTF-8'],
    ['UTF-8 with a surrogate pair', der.tlv(0x0c, hex('eda080edb080')), 'subject holds invalid UTF-8'],
    ['UTF-8 above U+10FFFF', der.tlv(0x0c, hex('f4908080')), 'subject holds invalid UTF-8'],
    // RFC 5280 section 4.1 asks for DER, which has no strings in pieces (X.690 section 10.2).
    ['a constructed UTF8String', der.tlv(0x2c, der.utf8String('a')), 'subject holds a value in pieces'],
    ['a constructed UTF8String of nothing', der.tlv(0x2c, hex('')), 'subject holds a value in pieces'],
    ['a constructed PrintableString', der.tlv(0x33, der.printableString('a')), 'subject holds a value in pieces'],
    ['a constructed OCTET STRING', der.tlv(0x24, der.octetString(hex('61'))), 'subject holds a value in pieces'],
    ['a constructed INTEGER', der.tlv(0x22, der.integer(5)), 'subject holds a value in pieces'],
  ])('DR-15: rejects %s', (_, value, reason) => {
    expect(() => rangeOf(attribute(value))).toThrowDerError(reason, attributeAt);
  });

  it.each<[string, Buffer, string, number]>([
    ['something that is not a SEQUENCE', der.set(), 'subject expected', 0],
    ['an RDN that is not a SET', der.sequence(der.sequence()), 'subject: RelativeDistinguishedName expected', 2],
    ['an empty RDN', der.sequence(der.set()), 'subject has an empty RelativeDistinguishedName', 4],
    ['an attribute that is not a SEQUENCE', der.sequence(der.set(der.null())), 'subject: attribute expected', 4],
    ['an attribute without a type', der.sequence(der.set(der.sequence())), 'subject: attribute type expected', 6],
    [
      'an attribute without a value',
      der.sequence(der.set(der.sequence(der.oid('2.5.4.3')))),
      'element is truncated',
      11,
    ],
    [
      'an attribute with two values',
      der.sequence(der.set(der.sequence(der.oid('2.5.4.3'), der.null(), der.null()))),
      'unexpected data after subject: attribute',
      13,
    ],
  ])('rejects %s', (_, bytes, reason, offset) => {
    expect(() => rangeOf(bytes)).toThrowDerError(reason, offset);
  });

  it.each([300, 5_000])('DR-08: rejects a value nested %i deep', (depth) => {
    expect(() => rangeOf(attribute(nested(depth)))).toThrow(expect.objectContaining({ reason: 'nested too deeply' }));
  });

  const attributes = (count: number): DistinguishedName =>
    Array.from({ length: count }, (_, index) => ({ type: 'OU', value: String(index) }));
  it('DR-11: accepts 50 attributes', () => {
    expect(decode(attributes(50)).values('OU')).toHaveLength(50);
  });

  it.each([51, 1_000])('DR-11: rejects %i attributes', (count) => {
    expect(() => rangeOf(encodeName(attributes(count)))).toThrow(
      expect.objectContaining({ reason: 'subject has too many attributes' }),
    );
  });

  it('DR-11: rejects 51 attributes in one RDN', () => {
    const rdn = attributes(51) as readonly { type: string; value: string }[];
    expect(() => rangeOf(encodeName([rdn]))).toThrow(
      expect.objectContaining({ reason: 'subject has too many attributes' }),
    );
  });

  it('knows the empty name from others', () => {
    expect(isEmptyName(rangeOf(encodeName('')))).toBe(true);
    expect(isEmptyName(rangeOf(encodeName(cn(''))))).toBe(false);
  });

  it('finds a name that does not stand at the start', () => {
    const bytes = Buffer.concat([der.null(), encodeName('CN=a'), der.null()]);
    const reader = new DerReader(bytes);
    reader.read();
    expect(decodeName(bytes, readName(reader, 'subject')).toString()).toBe('CN=a');
  });
});

describe('the equality of names', () => {
  it.each<[string, DistinguishedName, DistinguishedName]>([
    ['holds for the same bytes (RFC 5280 section 7.1)', cn('a'), cn('a')],
    [
      'DR-17: holds for UTF8String and PrintableString (RFC 5280 section 7.1)',
      cn('Example CA'),
      cn('Example CA', 'printableString'),
    ],
    ['DR-17: holds for UTF8String and BMPString (RFC 5280 section 7.1)', cn('Ä東'), cn('Ä東', 'bmpString')],
    ['DR-17: holds for UTF8String and TeletexString (RFC 5280 section 7.1)', cn('Ä'), cn('Ä', 'teletexString')],
    [
      'DR-17: holds for PrintableString and BMPString (RFC 5280 section 7.1)',
      cn('abc', 'printableString'),
      cn('abc', 'bmpString'),
    ],
    ['DR-17: holds for another case (RFC 5280 section 7.1)', cn('Example CA'), cn('eXAMPLE ca')],
    ['DR-17: holds for another case outside ASCII (RFC 5280 section 7.1)', cn('ÄRZTE'), cn('ärzte')],
    ['DR-17: holds for space before and after (RFC 5280 section 7.1)', cn('a'), cn('  a ')],
    ['DR-17: holds for more space inside (RFC 5280 section 7.1)', cn('a b'), cn('a   b')],
    ['DR-17: holds for a tab inside (RFC 5280 section 7.1)', cn('a b'), cn('a\tb')],
    ['holds for a composed and a decomposed letter (RFC 5280 section 7.1)', cn('\u00e4'), cn('a\u0308')],
    ['holds for a full-width letter (RFC 4518 section 2.3) (RFC 5280 section 7.1)', cn('\uff21'), cn('a')],
    [
      'holds for a multi-valued RDN in another order (RFC 5280 section 7.1)',
      der.sequence(
        der.set(
          der.sequence(der.oid('2.5.4.3'), der.utf8String('a')),
          der.sequence(der.oid('2.5.4.10'), der.utf8String('b')),
        ),
      ),
      der.sequence(
        der.set(
          der.sequence(der.oid('2.5.4.10'), der.utf8String('b')),
          der.sequence(der.oid('2.5.4.3'), der.utf8String('a')),
        ),
      ),
    ],
    [
      'holds for values that are not text and of the same bytes (RFC 5280 section 7.1)',
      cn(der.integer(5)),
      cn(der.integer(5)),
    ],
    ['holds for empty names (RFC 5280 section 7.1)', '', ''],
  ])('%s', (_, one, other) => {
    expect(keyOf(one)).toBe(keyOf(other));
  });

  it.each<[string, DistinguishedName, DistinguishedName]>([
    ['other text', cn('a'), cn('b')],
    ['another attribute type', 'CN=a', 'O=a'],
    ['another order of RDNs', 'CN=a,O=b', 'O=b,CN=a'],
    ['one RDN more', 'CN=a', 'CN=a,O=b'],
    ['one RDN twice', 'CN=a', 'CN=a,CN=a'],
    [
      'two RDNs and one RDN of two attributes',
      'CN=a,O=b',
      [
        [
          { type: 'CN', value: 'a' },
          { type: 'O', value: 'b' },
        ],
      ],
    ],
    ['space where there is none', cn('ab'), cn('a b')],
    ['no text and a space', cn(''), cn('a')],
    ['NUL and what follows it', cn('victim'), cn('victim\0evil')],
    ['NUL alone', cn('victim'), cn('victim\0')],
    ['a zero-width space', cn('admin'), cn('ad\u200bmin')],
    ['a look-alike of another script', cn('admin'), cn('\u0430dmin')],
    ['a letter with and without diacritic', cn('a'), cn('ä')],
    ['text and the DER that spells it', cn('#020105'), cn(der.integer(5))],
    ['numbers of different value', cn(der.integer(5)), cn(der.integer(6))],
    ['the empty name and one with empty text', '', cn('')],
    ['an attribute type 2^32 above', 'CN=a', [{ type: '2.5.4.4294967299', value: 'a' }]],
    ['text that spells the separator of the key', cn('a'), cn('a3:U\x04\x03=1:a')],
    [
      'a value that spells the next attribute',
      [
        { type: 'CN', value: 'a' },
        { type: 'CN', value: 'b' },
      ],
      cn('a1;3:U\x04\x03=1:b'),
    ],
  ])('does not hold for %s', (_, one, other) => {
    expect(keyOf(one)).not.toBe(keyOf(other));
  });
});

describe('names met before', () => {
  it('are the same names after a thousand others', () => {
    const name = (value: string): Buffer =>
      der.sequence(der.set(der.sequence(der.oid('2.5.4.3'), der.utf8String(value))));
    const first = keyOf(name('First'));
    const keys = new Set(Array.from({ length: 2_500 }, (_, index) => keyOf(name(`Other ${index}`))));
    expect(keys.size).toBe(2_500);
    expect(keyOf(name('FIRST'))).toBe(first);
    expect(keyOf(name('First'))).toBe(first);
    expect(keys.has(first)).toBe(false);
  });

  it.each([100, 600])('are told apart, and equal without regard to case, with %i characters', (length) => {
    const name = (value: string): Buffer =>
      der.sequence(der.set(der.sequence(der.oid('2.5.4.3'), der.utf8String(value))));
    const long = 'a'.repeat(length);
    expect(keyOf(name(long))).toBe(keyOf(name(long)));
    expect(keyOf(name(long))).toBe(keyOf(name(long.toUpperCase())));
    expect(keyOf(name(long))).not.toBe(keyOf(name(`${long}b`)));
  });
});
