import { der } from '@peercert/testkit';
import {
  checkNesting,
  contextTag,
  DerReader,
  maxNestingOfOpaqueValues,
  Tag,
} from '../../../../packages/core/src/x509/der';
import { hex, nested } from '../../../support/encodings';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const reader = (text: string): DerReader => new DerReader(hex(text));

describe('an element', () => {
  it.each([
    ['without contents', '30 00', { tag: 0x30, start: 2, end: 2 }],
    ['of one octet', '04 01 ff', { tag: 0x04, start: 2, end: 3 }],
    ['of 127 octets, the longest short form', `04 7f ${'00'.repeat(127)}`, { tag: 0x04, start: 2, end: 129 }],
    ['of 128 octets, the shortest long form', `04 81 80 ${'00'.repeat(128)}`, { tag: 0x04, start: 3, end: 131 }],
    ['of 255 octets', `04 81 ff ${'00'.repeat(255)}`, { tag: 0x04, start: 3, end: 258 }],
    ['of 256 octets', `04 82 01 00 ${'00'.repeat(256)}`, { tag: 0x04, start: 4, end: 260 }],
    ['of 65535 octets', `04 82 ff ff ${'00'.repeat(65_535)}`, { tag: 0x04, start: 4, end: 65_539 }],
    ['of 65536 octets', `04 83 01 00 00 ${'00'.repeat(65_536)}`, { tag: 0x04, start: 5, end: 65_541 }],
    ['of 16777216 octets', `04 84 01 00 00 00 ${'00'.repeat(2 ** 24)}`, { tag: 0x04, start: 6, end: 16_777_222 }],
    ['followed by another', '05 00 05 00', { tag: 0x05, start: 2, end: 2 }],
    ['of a context-specific tag', 'be 00', { tag: 0xbe, start: 2, end: 2 }],
  ])('accepts an element %s', (_, text, expected) => {
    const { tag, start, end } = reader(text).read();
    expect({ tag, start, end }).toEqual(expected);
  });

  it.each([
    ['rejects nothing at all', '', 'element is truncated', 0],
    ['rejects a tag alone', '30', 'element is truncated', 0],
    ['rejects a length cut short', '30 82 01', 'element is truncated', 0],
    ['rejects a length that is missing', '30 81', 'element is truncated', 0],
    ['rejects contents one octet short', '04 02 00', 'element is longer than what holds it', 0],
    ['rejects a multi-octet tag', '1f 1f 00', 'multi-octet tag', 0],
    ['rejects a constructed multi-octet tag', 'bf 1f 00', 'multi-octet tag', 0],
    ['DR-02: rejects an indefinite length', '30 80 05 00 00 00', 'indefinite length', 1],
    ['DR-02: rejects one length octet too many for 0', '30 81 00', 'length is not minimal', 1],
    ['DR-02: rejects one length octet too many for 127', `04 81 7f ${'00'.repeat(127)}`, 'length is not minimal', 1],
    ['DR-02: rejects one length octet too many for 128', `04 82 00 80 ${'00'.repeat(128)}`, 'length is not minimal', 1],
    [
      'DR-02: rejects one length octet too many for 256',
      `04 83 00 01 00 ${'00'.repeat(256)}`,
      'length is not minimal',
      1,
    ],
    [
      'DR-02: rejects one length octet too many for 65536',
      `04 84 00 01 00 00 ${'00'.repeat(65_536)}`,
      'length is not minimal',
      1,
    ],
    ['DR-09: rejects a length of 2 GB', '30 84 80 00 00 00 05 00', 'element is longer than what holds it', 0],
    [
      'DR-09: rejects a length of 2 GB less one octet',
      '30 84 7f ff ff ff 05 00',
      'element is longer than what holds it',
      0,
    ],
    ['DR-09: rejects a length of 4 GB', '30 84 ff ff ff ff 05 00', 'element is longer than what holds it', 0],
    ['DR-09: rejects a length in five octets', '30 85 01 00 00 00 00', 'length is too large', 1],
    ['DR-09: rejects a length in eight octets', '30 88 ff ff ff ff ff ff ff ff', 'length is too large', 1],
    ['DR-09: rejects a length in 127 octets', `30 ff ${'ff'.repeat(127)}`, 'length is too large', 1],
  ])('%s', (_, text, reason, offset) => {
    expect(() => reader(text).read()).toThrowDerError(reason, offset);
  });

  it('rejects contents that reach past the enclosing element, even where the buffer goes on', () => {
    const outer = reader('30 03 04 02 aa 05 00').enter(Tag.sequence, 'outer');
    expect(() => outer.read()).toThrowDerError('element is longer than what holds it', 2);
  });

  it('rejects a header that reaches past the enclosing element, even where the buffer goes on', () => {
    const outer = reader('30 01 05 00').enter(Tag.sequence, 'outer');
    expect(() => outer.read()).toThrowDerError('element is truncated', 2);
  });

  it('rejects length octets that reach past the enclosing element, even where the buffer goes on', () => {
    const outer = reader('30 03 04 82 01 00').enter(Tag.sequence, 'outer');
    expect(() => outer.read()).toThrowDerError('element is truncated', 2);
  });

  it('rejects an element of another tag than expected, at its first octet', () => {
    const elements = reader('05 00 31 00');
    elements.expect(Tag.null, 'null');
    expect(() => elements.expect(Tag.sequence, 'list')).toThrowDerError('list expected', 2);
  });

  it('rejects the end where an element is expected', () => {
    expect(() => reader('').expect(Tag.sequence, 'list')).toThrowDerError('list expected', 0);
  });

  it('DR-01: rejects an octet after the last element', () => {
    const elements = reader('05 00 00');
    elements.read();
    expect(elements.atEnd).toBe(false);
    expect(() => elements.finish('null')).toThrowDerError('unexpected data after null', 2);
  });

  it('says which tag comes next, and that none does at the end', () => {
    const elements = reader('05 00 31 00');
    expect(elements.nextTag).toBe(0x05);
    expect(elements.read().nextTag).toBe(0x31);
    expect(elements.read().nextTag).toBe(-1);
    expect(elements.atEnd).toBe(true);
  });

  it.each([
    [0, 'constructed', 0xa0],
    [3, 'constructed', 0xa3],
    [0, 'primitive', 0x80],
    [8, 'primitive', 0x88],
  ] as const)('writes the tag [%i] %s', (number, form, tag) => {
    expect(contextTag(number, form)).toBe(tag);
  });
});

describe('a BOOLEAN', () => {
  it.each([
    ['TRUE', '01 01 ff', true],
    ['FALSE', '01 01 00', false],
  ])('accepts %s', (_, text, expected) => {
    expect(reader(text).boolean('flag')).toBe(expected);
  });

  it.each([
    ['DR-03: rejects TRUE written as 1', '01 01 01'],
    ['DR-03: rejects TRUE written as 0xfe', '01 01 fe'],
    ['rejects no octet', '01 00'],
    ['rejects two octets', '01 02 ff ff'],
  ])('%s', (_, text) => {
    expect(() => reader(text).boolean('flag')).toThrowDerError('flag is not a DER BOOLEAN', 2);
  });
});

describe('an INTEGER', () => {
  it.each([
    ['zero', '02 01 00'],
    ['127', '02 01 7f'],
    ['128', '02 02 00 80'],
    ['-1', '02 01 ff'],
    ['-128', '02 01 80'],
    ['-129', '02 02 ff 7f'],
  ])('accepts %s', (_, text) => {
    const { start, end } = reader(text).integer('number').range;
    expect([start, end]).toEqual([2, text.replaceAll(' ', '').length / 2]);
  });

  it.each([
    ['rejects no octet', '02 00', 'number is empty'],
    ['DR-07: rejects zero in two octets', '02 02 00 00', 'number is not minimal'],
    ['DR-07: rejects 127 in two octets', '02 02 00 7f', 'number is not minimal'],
    ['DR-07: rejects -1 in two octets', '02 02 ff ff', 'number is not minimal'],
    ['DR-07: rejects -128 in two octets', '02 02 ff 80', 'number is not minimal'],
  ])('%s', (_, text, reason) => {
    expect(() => reader(text).integer('number')).toThrowDerError(reason, 2);
  });

  it.each([
    ['0', '02 01 00', 0],
    ['127', '02 01 7f', 127],
    ['128', '02 02 00 80', 128],
    ['2^31 - 1', '02 04 7f ff ff ff', 2 ** 31 - 1],
    ['2^32 - 1, the greatest', '02 05 00 ff ff ff ff', 2 ** 32 - 1],
  ])('accepts %s as a small integer', (_, text, expected) => {
    expect(reader(text).smallInteger('number')).toBe(expected);
  });

  it.each([
    ['-1', '02 01 ff', 'number is negative'],
    ['-128', '02 01 80', 'number is negative'],
    ['2^32', '02 05 01 00 00 00 00', 'number is too large'],
    ['2^39 - 1', '02 05 7f ff ff ff ff', 'number is too large'],
    ['2^40', '02 06 01 00 00 00 00 00', 'number is too large'],
    ['2^63', '02 09 00 80 00 00 00 00 00 00 00', 'number is too large'],
  ])('rejects %s as a small integer', (_, text, reason) => {
    expect(() => reader(text).smallInteger('number')).toThrowDerError(reason, 2);
  });

  it('accepts an INTEGER of one octet whatever follows it', () => {
    expect(reader('02 01 00 05 00').smallInteger('number')).toBe(0);
    expect(reader('02 01 ff 80 00').integer('number').end).toBe(3);
  });

  it('reads an INTEGER under an implicit tag', () => {
    expect(reader('82 01 05').smallInteger('number', contextTag(2, 'primitive'))).toBe(5);
  });
});

describe('an OBJECT IDENTIFIER', () => {
  it('accepts an object identifier before an element whose tag is a continuation octet', () => {
    expect(reader('06 01 2a 80 00').oid('type')).toBe('\x2a');
  });

  it.each([
    ['accepts an object identifier of one octet', '06 01 2a'],
    ['accepts an object identifier of an arc in two octets', '06 02 81 00'],
    ['accepts an object identifier of 64 octets, the longest', `06 40 ${'01'.repeat(64)}`],
    ['DR-10: accepts an object identifier of an arc of 63 octets', `06 40 ${'81'.repeat(63)}01`],
  ])('%s', (_, text) => {
    const bytes = hex(text);
    expect(new DerReader(bytes).oid('type')).toBe(bytes.toString('latin1', 2));
  });

  it.each([
    ['rejects an object identifier without an octet', '06 00', 'type is not an OID', 2],
    ['rejects an object identifier that ends inside an arc', '06 02 2a 86', 'type is not an OID', 2],
    [
      'rejects an object identifier that ends inside an arc, at its leading zero',
      '06 03 2a 81 80',
      'type is not an OID',
      2,
    ],
    ['rejects an object identifier whose first arc has a leading zero', '06 02 80 01', 'type is not minimal', 2],
    ['rejects an object identifier whose last arc has a leading zero', '06 03 2a 80 01', 'type is not minimal', 3],
    ['DR-10: rejects an object identifier of 65 octets', `06 41 ${'01'.repeat(65)}`, 'type is too long', 2],
    ['DR-10: rejects an object identifier of 10 KB', `06 82 27 10 ${'81'.repeat(9_999)}01`, 'type is too long', 4],
  ])('%s', (_, text, reason, offset) => {
    expect(() => reader(text).oid('type')).toThrowDerError(reason, offset);
  });
});

describe('a BIT STRING', () => {
  it('accepts whole octets, and leaves the count of unused bits out', () => {
    expect(reader('03 03 00 aa bb').wholeBitString('bits').range).toEqual({ start: 3, end: 5 });
  });

  it('accepts whole octets of which there are none', () => {
    expect(reader('03 01 00').wholeBitString('bits').range).toEqual({ start: 3, end: 3 });
  });

  it.each([
    ['rejects whole octets without even the count of unused bits', '03 00', 'bits is empty'],
    ['DR-30: rejects whole octets with one unused bit', '03 02 01 aa', 'bits has unused bits'],
    ['rejects whole octets with eight unused bits', '03 02 08 00', 'bits has unused bits'],
  ])('%s', (_, text, reason) => {
    expect(() => reader(text).wholeBitString('bits')).toThrowDerError(reason, 2);
  });

  it('rejects a constructed BIT STRING', () => {
    expect(() => reader('23 04 03 02 00 aa').wholeBitString('bits')).toThrowDerError('bits expected', 0);
  });

  it.each([
    ['no bit', '03 01 00', 0],
    ['the first bit', '03 02 07 80', 0b1],
    ['the first and third bit', '03 02 05 a0', 0b101],
    ['all of eight bits', '03 02 00 ff', 0b1111_1111],
    ['the ninth bit', '03 03 07 00 80', 1 << 8],
    ['the 31st bit', '03 05 01 00 00 00 02', 1 << 30],
  ])('accepts %s of named bits', (_, text, expected) => {
    expect(reader(text).namedBits('flags')).toBe(expected);
  });

  it.each([
    ['nothing', '03 00'],
    ['no bit, of which one is unused', '03 01 01'],
    ['a trailing zero bit', '03 02 06 80'],
    ['a trailing zero octet', '03 03 00 80 00'],
    ['an unused bit that is set', '03 02 07 81'],
    ['eight unused bits', '03 02 08 80'],
    ['255 unused bits', '03 02 ff 80'],
    ['nothing but zero bits', '03 02 00 00'],
    ['five octets', '03 06 00 01 01 01 01 01'],
  ])('rejects named bits of %s', (_, text) => {
    expect(() => reader(text).namedBits('flags')).toThrowDerError('flags is not a set of named bits', 2);
  });
});

describe('the nesting of opaque contents', () => {
  const check = (bytes: Buffer): void => checkNesting(bytes, { start: 0, end: bytes.length }, maxNestingOfOpaqueValues);

  it('accepts 32 levels', () => {
    expect(() => check(nested(32))).not.toThrow();
  });

  it.each([33, 300, 5_000])('DR-08: rejects %i levels, at the first that is too deep', (depth) => {
    const bytes = nested(depth);
    expect(() => check(bytes)).toThrowDerError('nested too deeply', bytes.length - nested(depth - 32).length);
  });

  it('DR-08: accepts 5000 levels inside an OCTET STRING, whose contents are not looked into', () => {
    expect(() => check(der.octetString(nested(5_000)))).not.toThrow();
  });

  it('DR-08: rejects 33 levels behind a constructed element', () => {
    const before = der.sequence(der.sequence(der.null()), der.null());
    expect(() => check(Buffer.concat([before, nested(33)]))).toThrowDerError(
      'nested too deeply',
      before.length + nested(33).length - 2,
    );
  });

  it('accepts 32 levels a hundred times in a row', () => {
    expect(() => check(Buffer.concat(Array.from({ length: 100 }, () => nested(32))))).not.toThrow();
  });

  it('rejects 33 levels behind a shallow element', () => {
    expect(() => check(Buffer.concat([der.null(), nested(33)]))).toThrowDerError(
      'nested too deeply',
      2 + nested(33).length - 2,
    );
  });

  it('DR-09: accepts 100,000 empty items', () => {
    expect(() => check(der.sequence(Buffer.alloc(200_000, '3000', 'hex')))).not.toThrow();
  });

  it('DR-09: accepts a length of 2 GB, as contents that are not DER', () => {
    expect(() => check(hex('30 84 80 00 00 00 05 00'))).not.toThrow();
  });

  it.each([
    ['nothing', ''],
    ['plain text', Buffer.from('plain text').toString('hex')],
    ['an element cut short', '30 05 02 01'],
    ['a constructed element that holds half an element', '30 01 30 05 00'],
  ])('accepts %s', (_, text) => {
    expect(() => check(hex(text))).not.toThrow();
  });
});
