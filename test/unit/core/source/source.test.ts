import { verdictKey } from '../../../../packages/core/src/source/source';

describe('the key of a verdict', () => {
  it('is 32 characters of 8 bits, whatever it is made of', () => {
    for (const parts of [[], [''], ['cloudfront', 'a'.repeat(1_000_000)], ['\u00FF\u0100\u{1F600}']]) {
      // oxlint-disable-next-line no-control-regex -- octets
      expect(verdictKey(parts)).toMatch(/^[\x00-\xff]{32}$/s);
    }
  });

  it('is the same for the same parts', () => {
    expect(verdictKey(['cloudfront', 'a', 'b'])).toBe(verdictKey(['cloudfront', 'a', 'b']));
  });

  it.each<[string, readonly string[], readonly string[]]>([
    ['a part split in two', ['s', 'ab'], ['s', 'a', 'b']],
    ['a comma moved from one part to the next', ['s', 'a,b', 'c'], ['s', 'a', 'b,c']],
    ['a letter moved from one part to the next', ['s', 'ab', 'c'], ['s', 'a', 'bc']],
    ['parts in another order', ['s', 'a', 'b'], ['s', 'b', 'a']],
    ['an empty part at the end', ['s', 'a'], ['s', 'a', '']],
    ['an empty part in the middle', ['s', 'a', 'b'], ['s', 'a', '', 'b']],
    ['no part and an empty one', [], ['']],
    ['another source', ['cloudfront', 'a'], ['native-tls', 'a']],
    ['a part that spells the length of the next', ['s', '1:a1:b'], ['s', 'a', 'b']],
    ['a part that spells its own prefix', ['s', 'a1:b'], ['s', 'a', 'b']],
    ['a length of two digits', ['s', 'aaaaaaaaaa', 'b'], ['s', '0:aaaaaaaaaa', 'b']],
    ['a length that could be read shorter', ['1', '1:1'], ['11', ':1']],
    ['a NUL between parts', ['s', 'a\0b'], ['s', 'a', 'b']],
    ['octets above ASCII', ['s', '\u00C3\u00A9'], ['s', '\u00E9']],
  ])('CA-03: differs for %s', (_, one, other) => {
    expect(verdictKey(one)).not.toBe(verdictKey(other));
  });

  it('CA-03: differs for every way to cut a text that is full of delimiters', () => {
    const text = '1:1:12:1:,;:0:1:::2:11:';
    const keys = new Set<string>();
    let cuts = 0;
    for (let first = 0; first <= text.length; first++) {
      for (let second = first; second <= text.length; second++) {
        keys.add(verdictKey([text.slice(0, first), text.slice(first, second), text.slice(second)]));
        cuts++;
      }
    }
    expect(keys.size).toBe(cuts);
  });
});
