import {
  parseByteSequenceItem,
  parseByteSequenceList,
  StructuredFieldError,
} from '../../../../packages/core/src/source/structured-field';

const tooMany = (count: number): Error => new RangeError(`${count} members`);
const item = (value: string): string => parseByteSequenceItem(value).toString('hex');
const list = (...lines: readonly string[]): readonly string[] =>
  parseByteSequenceList(lines, 10, tooMany).map((bytes) => bytes.toString('hex'));

const afterItem = 'something follows the byte sequence';
const noColon = 'a byte sequence does not begin with a colon';
const noEnd = 'a byte sequence does not end with a colon';
const notBase64 = 'a byte sequence is not base64';
const noKey = 'a parameter has no key';
const noValue = 'a parameter has no value';
const noComma = 'list members are not separated by a comma';
const trailingComma = 'the list ends in a comma';

describe('an Item that is a Byte Sequence', () => {
  it.each([
    ['octets', ':AAEC:', '000102'],
    ['no octets', '::', ''],
    ['every character of the alphabet', ':/+Ah:', 'ffe021'],
    ['spaces around it', '   :AAEC:  ', '000102'],
    ['EN-05: missing padding', ':aGVsbG8:', '68656c6c6f'],
    ['EN-05: trailing bits that are not zero', ':iZ==:', '89'],
    ['EN-05: trailing bits that are not zero, without padding', ':QR:', '41'],
  ])('accepts %s', (_, value, expected) => {
    expect(item(value)).toBe(expected);
  });

  it.each([
    ['a Boolean in short', ':AAEC:;p'],
    ['an Integer', ':AAEC:;p=1'],
    ['a negative Integer of 15 digits', ':AAEC:;p=-999999999999999'],
    ['a Decimal', ':AAEC:;p=123456789012.125'],
    ['a String with escapes', String.raw`:AAEC:;p="a \" \\ :b:, ; c"`],
    ['an empty String', ':AAEC:;p=""'],
    ['a Token', ':AAEC:;p=*a/b:c'],
    ['a Byte Sequence', ':AAEC:;p=:AAEC:'],
    ['a Boolean', ':AAEC:;p=?0'],
    ['a Date', ':AAEC:;p=@-1659578233'],
    ['a Display String', ':AAEC:;p=%"f%c3%bc r"'],
    ['several, with spaces before their keys', ':AAEC:;a=1;  b; c="x";*d_-.*=?1'],
  ])('EN-02: passes over a parameter with %s', (_, value) => {
    expect(item(value)).toBe('000102');
  });

  it.each([
    ['EN-01: base64 without colons', 'AAAA', noColon],
    ['EN-01: no colon behind', ':AAAA', noEnd],
    ['EN-01: no colon before', 'AAAA:', noColon],
    ['EN-01: one colon', ':', noEnd],
    ['EN-02: a Boolean', '?1', noColon],
    ['EN-02: a String', '"str"', noColon],
    ['EN-02: a Token', 'token', noColon],
    ['EN-02: an Integer', '1', noColon],
    ['EN-02: an Inner List', '(:AAAA:)', noColon],
    ['EN-02: a Date', '@1', noColon],
    ['EN-02: a Display String', '%"a"', noColon],
    ['EN-03: a space in the base64', ':aGVsb G8=:', notBase64],
    ['EN-03: only spaces', ':    :', notBase64],
    ['EN-03: a newline in the base64', ':AA\nEC:', notBase64],
    ['EN-03: a carriage return and newline at its end', ':AAEC\r\n:', notBase64],
    ['EN-03: a tab in the base64', ':AA\tEC:', notBase64],
    ['EN-03: an asterisk in the base64', ':AA*C:', notBase64],
    ['EN-03: a percent sign in the base64', ':AA%3D:', notBase64],
    ['EN-03: an exclamation mark in the base64', ':aGVsbG!8=:', notBase64],
    ['EN-03: a full stop in the base64', ':aGVsbG8.:', notBase64],
    ['EN-04: the URL alphabet', ':_-Ah:', notBase64],
    ['EN-06: a group of padding', ':AAEC====:', notBase64],
    ['EN-06: padding alone', ':====:', notBase64],
    ['EN-06: padding after a whole group', ':AAEC=:', notBase64],
    ['EN-06: two padding characters after three', ':AAE==:', notBase64],
    ['padding first', ':=aGVsbG8=:', notBase64],
    ['padding in the middle', ':a=GVsbG8=:', notBase64],
    ['a character after the padding', ':aGVsbG8=!:', notBase64],
    ['one character', ':A:', notBase64],
    ['EN-07: nothing', '', noColon],
    ['EN-07: only spaces', '   ', noColon],
    ['EN-08: an octet above ASCII in the base64', ':AA\u00E9C:', notBase64],
    ['EN-08: an octet above ASCII before it', '\u0080:AAEC:', noColon],
    ['EN-08: a no-break space around it', '\u00A0:AAEC:\u00A0', noColon],
    ['EN-08: an octet above ASCII behind it', ':AAEC:\u00FF', afterItem],
    ['NUL behind it', ':AAEC:\0', afterItem],
    ['a tab before it', '\t:AAEC:', noColon],
    ['a tab behind it', ':AAEC:\t', afterItem],
    ['CH-07: a second item', ':AAEC:, :AAEC:', afterItem],
    ['CH-07: a comma behind it', ':AAEC:,', afterItem],
    ['a second item without a comma', ':AAEC::AAEC:', afterItem],
    ['a space before a parameter', ':AAEC: ;p=1', afterItem],
    ['a parameter without a key', ':AAEC:;', noKey],
    ['a parameter with only a value', ':AAEC:;=1', noKey],
    ['a key in upper case', ':AAEC:;P=1', noKey],
    ['a key that begins with a digit', ':AAEC:;1=1', noKey],
    ['a tab before a key', ':AAEC:;\tp=1', noKey],
    ['a parameter that ends at its equals sign', ':AAEC:;p=', noValue],
    ['a space before a value', ':AAEC:;p= 1', noValue],
    ['an Inner List for a value', ':AAEC:;p=(1)', noValue],
    ['an Integer of 16 digits', ':AAEC:;p=1000000000000000', noValue],
    ['a Decimal with four digits behind the point', ':AAEC:;p=1.2345', noValue],
    ['a Decimal without digits behind the point', ':AAEC:;p=1.', noValue],
    ['a Decimal with 13 digits before the point', ':AAEC:;p=1234567890123.1', noValue],
    ['a String that does not end', ':AAEC:;p="a', noValue],
    ['a String with an unknown escape', String.raw`:AAEC:;p="\n"`, noValue],
    ['a String with an octet above ASCII', ':AAEC:;p="\u00E9"', noValue],
    ['a Boolean that is neither', ':AAEC:;p=?2', noValue],
    ['a Date with a fraction', ':AAEC:;p=@1.5', noValue],
    ['a Display String with upper-case hexadecimal', ':AAEC:;p=%"%C3"', noValue],
    ['rubbish behind a value', ':AAEC:;p=1!', afterItem],
  ])('rejects %s', (_, value, reason) => {
    expect(() => item(value)).toThrow(new StructuredFieldError(reason));
  });

  it('gives a reason that quotes nothing of the value, without a stack', () => {
    const parse = (): unknown => item(':secret value:');
    expect(parse).toThrow(new StructuredFieldError(notBase64));
    expect(new StructuredFieldError(notBase64).stack).toBe(`Error: ${notBase64}`);
    expect(Error.stackTraceLimit).toBeGreaterThan(0);
  });

  it('gives bytes that share their memory with nothing', () => {
    expect(parseByteSequenceItem(':AAEC:').buffer.byteLength).toBe(3);
  });
});

describe('a List of Byte Sequences', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['EN-10: no line', [], []],
    ['EN-10: an empty line', [''], []],
    ['EN-10: a line of spaces', ['   '], []],
    ['one member', [':AA==:'], ['00']],
    ['members without space', [':AA==:,:AQ==:'], ['00', '01']],
    ['members with spaces and tabs around the comma', [':AA==: \t,\t :AQ==:'], ['00', '01']],
    ['spaces around the list', ['  :AA==:, :AQ==:  '], ['00', '01']],
    ['EN-11: members over three lines', [':AA==:', ':AQ==:', ':Ag==:'], ['00', '01', '02']],
    ['EN-11: members over lines of several', [':AA==:, :AQ==:', ':Ag==:'], ['00', '01', '02']],
    ['parameters', [':AA==:;a="x, y";b, :AQ==:;c'], ['00', '01']],
    ['an empty member sequence', ['::, :AQ==:'], ['', '01']],
    ['ten members', [Array(10).fill(':AA==:').join(',')], Array(10).fill('00')],
  ])('accepts %s', (_, lines, expected) => {
    expect(list(...lines)).toEqual(expected);
  });

  it.each<[string, readonly string[], string]>([
    ['EN-12: a Token among good members', [':AA==:, token, :AQ==:'], noColon],
    ['EN-12: a String among good members', [':AA==:, "a", :AQ==:'], noColon],
    ['EN-12: an Inner List among good members', [':AA==:, (:AQ==:), :AQ==:'], noColon],
    ['EN-12: bad base64 among good members', [':AA==:, :A*==:, :AQ==:'], notBase64],
    ['EN-12: a bad last line', [':AA==:', 'AQ=='], noColon],
    ['an empty member', [':AA==:, , :AQ==:'], noColon],
    ['an empty line between members', [':AA==:', '', ':AQ==:'], noColon],
    ['only a comma', [','], noColon],
    ['two empty lines', ['', ''], noColon],
    ['a comma first', [', :AA==:'], noColon],
    ['a comma at the end', [':AA==:,'], trailingComma],
    ['a comma and space at the end', [':AA==: , '], trailingComma],
    ['an empty line at the end', [':AA==:', ''], trailingComma],
    ['a semicolon between members', [':AA==: ; :AQ==:'], noComma],
    ['no comma', [':AA==: :AQ==:'], noComma],
    ['no comma and no space', [':AA==::AQ==:'], noComma],
    ['a newline between members', [':AA==:,\n:AQ==:'], noColon],
    ['one item split over two lines', [':AA', '==:'], notBase64],
    ['a comma at the end after ten members', [`${Array(10).fill(':AA==:').join(',')},`], trailingComma],
  ])('rejects %s', (_, lines, reason) => {
    expect(() => list(...lines)).toThrow(new StructuredFieldError(reason));
  });

  it.each([11, 100, 1_000])('EN-14: refuses %d members before any is decoded', (count) => {
    const decoding = jest.spyOn(Buffer, 'allocUnsafeSlow');
    expect(() => list(Array(count).fill(':AA==:').join(', '))).toThrow(new RangeError('11 members'));
    expect(decoding).not.toHaveBeenCalled();
    decoding.mockRestore();
  });

  it('EN-14: refuses an eleventh member even when it is no byte sequence', () => {
    expect(() => list(`${Array(10).fill(':AA==:').join(', ')}, rubbish`)).toThrow(new RangeError('11 members'));
  });

  it('decodes no member when the grammar breaks behind it', () => {
    const decoding = jest.spyOn(Buffer, 'allocUnsafeSlow');
    expect(() => list(':AA==:, :AQ==:, rubbish')).toThrow(new StructuredFieldError(noColon));
    expect(decoding).not.toHaveBeenCalled();
    decoding.mockRestore();
  });
});

describe('a value made to be slow', () => {
  const length = 1_000_000;

  it.each([
    ['spaces before rubbish', `${' '.repeat(length)}x`],
    ['spaces between rubbish', `x${' '.repeat(length)}x`],
    ['spaces behind an item', `:AA==:${' '.repeat(length)}x`],
    ['colons', ':'.repeat(length)],
    ['commas', ','.repeat(length)],
    ['semicolons', `:AA==:${';'.repeat(length)}`],
    ['spaces before a parameter key', `:AA==:;${' '.repeat(length)}`],
    ['parameters', `:AA==:${';a=1'.repeat(length / 4)}!`],
    ['a String that does not end', `:AA==:;a="${'a'.repeat(length)}`],
    ['escapes in a String that does not end', `:AA==:;a="${String.raw`\\`.repeat(length / 2)}`],
    ['a Display String that does not end', `:AA==:;a=%"${'%20'.repeat(length / 3)}`],
    ['a Token', `:AA==:;a=${'a'.repeat(length)}(`],
    ['digits', `:AA==:;a=${'1'.repeat(length)}`],
    ['a parameter of base64 that does not end', `:AA==:;a=:${'A'.repeat(length)}`],
    ['base64 with a bad end', `:${'A'.repeat(length)}!:`],
  ])('is refused in time linear in its length: %s', (_, value) => {
    const started = performance.now();
    expect(() => item(value)).toThrow(StructuredFieldError);
    expect(() => list(value)).toThrow(Error);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
