import { der, encodeName, type DistinguishedName, type NameAttribute, type StringType } from '@peercert/testkit';
import { DerReader } from '../../../../packages/core/src/x509/der';
import {
  decodeName,
  type DistinguishedName as DecodedName,
  foldTextFurther,
  rdnKeysOf,
  readName,
} from '../../../../packages/core/src/x509/name';
import { parseName, parseOid } from '../../../../packages/core/src/x509/name-text';
import { dottedOid } from '../../../../packages/core/src/x509/oid';
import { seededRandom } from '../../../support/random';

const decode = (name: DistinguishedName): DecodedName => {
  const bytes = encodeName(name);
  return decodeName(bytes, readName(new DerReader(bytes), 'subject'));
};
/** Attributes as `type=value`, those of one RDN together. */
const shapeOf = (text: string): readonly (readonly string[])[] => {
  return parseName(text, 'it').rdns.map((rdn) => rdn.map(({ type, value }) => `${type}=${value}`));
};
describe('the text of a name', () => {
  it('begins with the most specific part, which DER has last', () => {
    expect(shapeOf('CN=alice,O=Partner,C=NL')).toEqual([['2.5.4.6=NL'], ['2.5.4.10=Partner'], ['2.5.4.3=alice']]);
  });

  it('is empty for the empty name', () => {
    expect(parseName('', 'it').rdns).toEqual([]);
  });

  it('has several attributes in one part, joined by a plus sign', () => {
    expect(shapeOf('CN=alice+UID=a1,O=Partner')).toEqual([
      ['2.5.4.10=Partner'],
      ['2.5.4.3=alice', '0.9.2342.19200300.100.1.1=a1'],
    ]);
  });

  it.each([
    ['CN', '2.5.4.3'],
    ['SN', '2.5.4.4'],
    ['serialNumber', '2.5.4.5'],
    ['C', '2.5.4.6'],
    ['L', '2.5.4.7'],
    ['ST', '2.5.4.8'],
    ['STREET', '2.5.4.9'],
    ['O', '2.5.4.10'],
    ['OU', '2.5.4.11'],
    ['title', '2.5.4.12'],
    ['name', '2.5.4.41'],
    ['GN', '2.5.4.42'],
    ['initials', '2.5.4.43'],
    ['generationQualifier', '2.5.4.44'],
    ['dnQualifier', '2.5.4.46'],
    ['pseudonym', '2.5.4.65'],
    ['UID', '0.9.2342.19200300.100.1.1'],
    ['DC', '0.9.2342.19200300.100.1.25'],
    ['emailAddress', '1.2.840.113549.1.9.1'],
  ])('knows the attribute type %s in any letter case, by the name it is shown with', (name, dotted) => {
    for (const type of [name, name.toLowerCase(), name.toUpperCase(), dotted]) {
      const [attribute] = parseName(`${type}=x`, 'it').rdns.flat();
      expect(attribute).toEqual({ type: dotted, name, value: 'x' });
    }
  });

  it('takes other attribute types as dotted OIDs', () => {
    expect(shapeOf('1.2.3.4=x')).toEqual([['1.2.3.4=x']]);
    expect(shapeOf('2.25.340282366920938463463374607431768211455=x')).toEqual([
      ['2.25.340282366920938463463374607431768211455=x'],
    ]);
  });

  it.each(['E', 'S', 'FOO', 'constructor', '__proto__', '3.4', '1.40', '1.02', 'OID.2.5.4.3'])(
    'refuses the attribute type %s',
    (type) => {
      expect(() => parseName(`${type}=x`, 'it')).toThrow(TypeError);
    },
  );

  it('says how to write a type it does not know', () => {
    expect(() => parseName('E=a@example.com', 'it')).toThrow(
      new TypeError('it has an attribute of an unknown type, `E`. Write the type as a dotted OID.'),
    );
  });

  it.each([
    ['O=a\\,b', 'a,b'],
    ['O=a\\+b', 'a+b'],
    ['O=\\"a\\"', '"a"'],
    ['O=a\\\\b', 'a\\b'],
    ['O=\\<a\\>\\;', '<a>;'],
    ['O=\\ a\\ ', ' a '],
    ['O=\\  a \\ ', '  a  '],
    ['O=\\#a', '#a'],
    ['O=a#b', 'a#b'],
    ['O=a=b', 'a=b'],
    ['O=a\\=b', 'a=b'],
    ['O=a b', 'a b'],
    ['O=\\20', ' '],
    ['O=a\\0Ab', 'a\nb'],
    ['O=a\\00b', 'a\0b'],
    ['O=Stra\\c3\\9Fe', 'Straße'],
    ['O=Straße', 'Straße'],
    ['O=\\F0\\9F\\8C\\B3', '\u{1f333}'],
    ['O=\u{1f333}\\,', '\u{1f333},'],
    ['O=\\\\2C', '\\2C'],
    ['O=', ''],
    ['O=#0c026162', 'ab'],
    ['O=#1E0400610062', 'ab'],
    ['O=#020101', '#020101'],
  ])('reads %s', (text, value) => {
    expect(shapeOf(text)).toEqual([[`2.5.4.10=${value}`]]);
  });

  it.each([
    ['O=Partner, C=NL', 11],
    ['O=Partner ,C=NL', 1],
    ['O = Partner', 1],
    ['O= Partner', 1],
    ['O=Partner ', 1],
    [' O=Partner', 1],
    ['O=Partner;C=NL', 1],
    ['O=Partner,', 11],
    [',O=Partner', 1],
    ['O=Partner,,C=NL', 11],
    ['O=Partner+', 11],
    ['C=NL,Partner', 6],
    ['Partner', 1],
    ['=Partner', 1],
    ['/C=NL/O=Partner', 1],
    ['O="Partner"', 1],
    ['O=a<b', 1],
    ['O=a\0b', 1],
    ['O=a\\', 1],
    ['O=a\\q', 1],
    ['O=a\\4', 1],
    ['O=#', 1],
    ['O=#0', 1],
    ['O=#zz', 1],
    ['O=#0c0161 ', 1],
    ['2=x', 1],
    ['2.=x', 1],
  ])('refuses %j', (text, character) => {
    const where = `it is not the text of a name (RFC 4514) from character ${character} on. Write it like`;
    expect(() => parseName(text, 'it')).toThrow(TypeError);
    expect(() => parseName(text, 'it')).toThrow(where);
  });

  it.each([
    ['octets that are no UTF-8', 'O=\\C3', 'it holds invalid UTF-8'],
    ['octets that are an overlong form', 'O=\\C0\\80', 'it holds invalid UTF-8'],
    ['hexadecimal that is not one element', 'O=#0c01610c0161', 'it: attribute'],
    ['hexadecimal that ends within an element', 'O=#0c', 'is not a name a certificate can have'],
    ['hexadecimal of a string in pieces', 'O=#2c030c0161', 'it holds a value in pieces'],
    ['more attributes than a certificate may have', Array.from({ length: 51 }, () => 'O=a').join(), 'too many'],
    ['a type longer than a certificate may have', `2.5${'.1'.repeat(64)}=a`, 'unknown type'],
  ])('refuses %s', (_, text, reason) => {
    expect(() => parseName(text, 'it')).toThrow(TypeError);
    expect(() => parseName(text, 'it')).toThrow(reason);
  });

  it.each(['O=\ud800', 'O=\udc00a', 'O=\ud83d\\,\udf33'])('refuses an unpaired surrogate: %j', (text) => {
    expect(() => parseName(text, 'it')).toThrow(new TypeError('it is not Unicode text.'));
  });

  it('takes 50 attributes, and values of any length', () => {
    expect(parseName(Array.from({ length: 50 }, () => 'O=a').join(), 'it').rdns).toHaveLength(50);
    for (const length of [125, 126, 127, 128, 255, 256, 65_535, 70_000]) {
      expect(shapeOf(`O=${'a'.repeat(length)}`)).toEqual([[`2.5.4.10=${'a'.repeat(length)}`]]);
    }
  });

  it('is refused in time linear in its length', () => {
    const started = performance.now();
    for (const unit of ['a', ' ', '\\,', '\\41', 'O=a+']) {
      expect(() => parseName(`O=a${unit.repeat(30_000)}\0`, 'it')).toThrow(TypeError);
    }
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('gives the very name it was made of, whatever is in that name', () => {
    const random = seededRandom(14);
    const below = (limit: number): number => Math.floor(random() * limit);
    const characters = Array.from(' #,+="<>;\\\0\n\taZ09é\u00ad\u200bß\u{1f333}\u2028');
    const types = ['CN', 'O', 'C', 'DC', 'UID', 'emailAddress', '1.2.3.4'];
    const encodings: StringType[] = ['utf8String', 'bmpString', 'teletexString'];
    const attribute = (): NameAttribute => {
      const as = encodings[below(3)] as StringType;
      const letters = as === 'utf8String' ? characters : characters.filter((one) => (one.codePointAt(0) ?? 0) < 0x80);
      const value = Array.from({ length: below(6) }, () => letters[below(letters.length)]).join('');
      const type = types[below(types.length)] as string;
      return below(8) === 0 ? { type, value: der.integer(below(1000)) } : { type, value, as };
    };
    for (let run = 0; run < 500; run++) {
      const name = decode(Array.from({ length: below(5) }, () => Array.from({ length: 1 + below(3) }, attribute)));
      const parsed = parseName(name.toString(), 'it');
      expect(rdnKeysOf(parsed)).toEqual(rdnKeysOf(name));
      expect(rdnKeysOf(parsed, foldTextFurther)).toEqual(rdnKeysOf(name, foldTextFurther));
    }
  });
});

describe('the text of an object identifier', () => {
  it.each([
    '0.0',
    '0.39',
    '1.39',
    '2.0',
    '2.47',
    '2.48',
    '2.999',
    '1.3.6.1.5.5.7.3.2',
    '2.5.29.37.0',
    '2.5.29.16384',
    '1.2.9007199254740993',
    '2.25.340282366920938463463374607431768211455',
  ])('gives the contents of %s', (dotted) => {
    expect(parseOid(dotted)).toBe(der.oid(dotted).toString('latin1', 2));
    expect(dottedOid(parseOid(dotted) as string)).toBe(dotted);
  });

  it.each([
    '',
    '1',
    '1.',
    '.1',
    '1..2',
    '3.1',
    '0.40',
    '1.40',
    '01.2',
    '1.02',
    '1.-2',
    '1.2 ',
    ' 1.2',
    '1.2\n',
    '1.2e3',
    '1.0x2',
    '1.٣',
    'clientAuth',
    `2.5.${'9'.repeat(1_000_000)}`,
  ])('is not %j', (text) => {
    expect(parseOid(text)).toBeUndefined();
  });

  it('has at most the 64 octets a certificate may have', () => {
    expect(parseOid(`2.5${'.1'.repeat(63)}`)).toHaveLength(64);
    expect(parseOid(`2.5${'.1'.repeat(64)}`)).toBeUndefined();
    const long = `2.25.${(2n ** 441n - 1n).toString()}`;
    expect(parseOid(long)).toHaveLength(64);
    expect(parseOid(`2.25.${(2n ** 441n).toString()}`)).toBeUndefined();
  });
});
