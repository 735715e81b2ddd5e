import { der, encodeName } from '@peercert/testkit';
import { DerReader } from '../../../../packages/core/src/x509/der';
import { decodeName, foldTextFurther, rdnKeysOf, readName } from '../../../../packages/core/src/x509/name';
import {
  decodeNameConstraints,
  type NameConstraints,
  type Subtree,
} from '../../../../packages/core/src/x509/name-constraints';
import { hex, nested } from '../../../support/encodings';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const decode = (...fields: readonly Uint8Array[]): NameConstraints =>
  decodeNameConstraints(new DerReader(der.sequence(...fields)));
const permitted = (...bases: readonly Uint8Array[]): Buffer => {
  return der.explicit(0, ...bases.map((base) => der.sequence(base)));
};
const excluded = (...bases: readonly Uint8Array[]): Buffer => {
  return der.explicit(1, ...bases.map((base) => der.sequence(base)));
};

const text = (tagNumber: number, value: string): Buffer => der.implicit(tagNumber, Buffer.from(value, 'latin1'));
const email = (value: string): Buffer => text(1, value);
const dns = (value: string): Buffer => text(2, value);
const uri = (value: string): Buffer => text(6, value);
const ip = (octets: string): Buffer => der.implicit(7, hex(octets));
const directory = (name: Parameters<typeof encodeName>[0]): Buffer => der.explicit(4, encodeName(name));

const keysOf = (name: Parameters<typeof encodeName>[0], fold?: (text: string) => string): readonly string[] => {
  const bytes = encodeName(name);
  return rdnKeysOf(decodeName(bytes, readName(new DerReader(bytes), 'name')), fold);
};

describe('a subtree', () => {
  it.each<[string, Buffer, Subtree]>([
    ['a host', dns('example.com'), { type: 'dns', value: 'example.com' }],
    ['a host in any case', dns('EXAMPLE.Com'), { type: 'dns', value: 'example.com' }],
    ['a leading period', dns('.example.com'), { type: 'dns', value: '.example.com' }],
    ['one label', dns('com'), { type: 'dns', value: 'com' }],
    ['every host', dns(''), { type: 'dns', value: '' }],
    ['punycode', dns('XN--bcher-kva.example'), { type: 'dns', value: 'xn--bcher-kva.example' }],
    ['underscores and hyphens', dns('_sip.a-b.example'), { type: 'dns', value: '_sip.a-b.example' }],
    ['a mailbox', email('Ann.B+c@Example.COM'), { type: 'email', value: 'Ann.B+c@example.com' }],
    ['the host of mailboxes', email('Example.com'), { type: 'email', value: 'example.com' }],
    ['the hosts below one, of mailboxes', email('.example.com'), { type: 'email', value: '.example.com' }],
    ['every mailbox', email(''), { type: 'email', value: '' }],
    ['the host of URIs', uri('Example.com'), { type: 'uri', value: 'example.com' }],
    ['the hosts below one, of URIs', uri('.example.com'), { type: 'uri', value: '.example.com' }],
    ['every URI', uri(''), { type: 'uri', value: '' }],
    [
      'a network of version 4',
      ip('0a000000 ff000000'),
      { type: 'ip', address: hex('0a000000'), mask: hex('ff000000') },
    ],
    [
      'every address of version 4',
      ip('00000000 00000000'),
      { type: 'ip', address: hex('00000000'), mask: hex('00000000') },
    ],
    [
      'one address of version 4',
      ip('0a000001 ffffffff'),
      { type: 'ip', address: hex('0a000001'), mask: hex('ffffffff') },
    ],
    ['a network of 9 bits', ip('0a800000 ff800000'), { type: 'ip', address: hex('0a800000'), mask: hex('ff800000') }],
    [
      'a network whose address has more bits than its mask',
      ip('0a010203 ff000000'),
      { type: 'ip', address: hex('0a010203'), mask: hex('ff000000') },
    ],
    [
      'a network of version 6',
      ip(`20010db8${'00'.repeat(12)} ffffffff${'00'.repeat(12)}`),
      { type: 'ip', address: hex(`20010db8${'00'.repeat(12)}`), mask: hex(`ffffffff${'00'.repeat(12)}`) },
    ],
    ['a directory name', directory('C=DE,O=Example'), { type: 'directory', rdns: keysOf('C=DE,O=Example') }],
    ['every directory name', directory(''), { type: 'directory', rdns: [] }],
    ['PA-10: otherName', der.explicit(0, der.oid('1.2.3'), der.explicit(0, der.null())), { type: 'other' }],
    ['PA-10: x400Address', der.explicit(3, der.sequence()), { type: 'x400' }],
    ['PA-10: ediPartyName', der.explicit(5, der.explicit(1, der.utf8String('a'))), { type: 'ediParty' }],
    ['PA-10: registeredID', der.implicit(8, hex('2a03')), { type: 'registeredId' }],
  ])('may be %s, permitted and excluded', (_, base, subtree) => {
    expect(decode(permitted(base))).toEqual({ permitted: [subtree], excluded: [] });
    expect(decode(excluded(base))).toEqual({ permitted: [], excluded: [subtree] });
    expect(decode(permitted(base, base), excluded(base))).toEqual({
      permitted: [subtree, subtree],
      excluded: [subtree],
    });
  });

  it('folds an excluded directory name further than a permitted one', () => {
    const name = [{ type: 'O', value: 'Stra\u00dfe' }];
    expect(decode(permitted(directory(name)), excluded(directory(name)))).toEqual({
      permitted: [{ type: 'directory', rdns: keysOf(name) }],
      excluded: [{ type: 'directory', rdns: keysOf([{ type: 'O', value: 'STRASSE' }], foldTextFurther) }],
    });
  });

  const host = (what: string): string => `nameConstraints: ${what} is not a host name`;
  const mailbox = 'nameConstraints: rfc822Name is not a mailbox or a host name';
  const address = 'nameConstraints: iPAddress is not an address and a mask';
  const mask = 'nameConstraints: iPAddress mask is not contiguous';
  const form = 'nameConstraints hold an unknown form of name';
  it.each<[string, Buffer, string, number]>([
    ['PA-08: rejects a wildcard', dns('*.example.com'), host('dNSName'), 8],
    ['PA-08: rejects a wildcard in a label', dns('a*.example.com'), host('dNSName'), 8],
    ['rejects a trailing period', dns('example.com.'), host('dNSName'), 8],
    ['rejects two leading periods', dns('..example.com'), host('dNSName'), 8],
    ['rejects a period alone', dns('.'), host('dNSName'), 8],
    ['rejects an empty label', dns('a..b'), host('dNSName'), 8],
    ['rejects a label that ends in a hyphen', dns('a-.b'), host('dNSName'), 8],
    ['rejects a space', dns('example.com '), host('dNSName'), 8],
    ['DR-14: rejects NUL', dns('example.com\0'), host('dNSName'), 8],
    ['PA-11: rejects a letter outside ASCII', dns('b\xfccher.example'), host('dNSName'), 8],
    ['rejects a URI for its host', uri('https://example.com'), host('URI'), 8],
    ['rejects a host with its port', uri('example.com:443'), host('URI'), 8],
    ['rejects an address of version 6 for a host', uri('[2001:db8::1]'), host('URI'), 8],
    ['rejects a mailbox without a local part', email('@example.com'), mailbox, 8],
    ['rejects a mailbox without a host', email('a@'), mailbox, 8],
    ['rejects a mailbox below a host', email('a@.example.com'), mailbox, 8],
    ['PA-09: rejects a mailbox of two at signs', email('a@b@example.com'), mailbox, 8],
    ['PA-09: rejects a quoted local part', email('"a"@example.com'), mailbox, 8],
    ['rejects a mailbox at an address', email('a@[192.0.2.1]'), mailbox, 8],
    ['rejects a local part outside ASCII', email('\xfc@example.com'), mailbox, 8],
    ['DR-14: rejects a local part with NUL', email('a\0@example.com'), mailbox, 8],
    ['rejects a mailbox in angle brackets', email('<a@example.com>'), mailbox, 8],
    ['PA-10: rejects an address without a mask', ip('0a000000'), address, 8],
    ['PA-10: rejects an address of version 6 without a mask', ip('00'.repeat(16)), address, 8],
    ['rejects no address', ip(''), address, 8],
    ['rejects an address of 7 octets', ip('00'.repeat(7)), address, 8],
    ['rejects an address of 33 octets', ip('00'.repeat(33)), address, 8],
    ['rejects a mask with a hole', ip('0a000000 ff00ff00'), mask, 12],
    ['rejects a mask that begins with zero', ip('0a000000 7fffffff'), mask, 12],
    ['rejects a mask of version 6 with a hole', ip(`${'00'.repeat(16)} fffd${'00'.repeat(14)}`), mask, 24],
    ['rejects an unassigned form', der.implicit(9, Buffer.of(0)), form, 6],
    ['rejects a constructed dNSName', der.explicit(2, der.ia5String('a')), form, 6],
    ['rejects a primitive directoryName', der.implicit(4, encodeName('CN=a')), form, 6],
    ['rejects no form at all', Buffer.alloc(0), form, 6],
    ['rejects an IA5String', der.ia5String('a'), form, 6],
    [
      'rejects a directoryName that is not a name',
      der.explicit(4, der.null()),
      'nameConstraints: directoryName expected',
      8,
    ],
    [
      'rejects two names in a directoryName',
      der.explicit(4, encodeName(''), encodeName('')),
      'unexpected data after nameConstraints: directoryName',
      10,
    ],
    [
      'rejects an empty RDN',
      der.explicit(4, der.sequence(der.set())),
      'nameConstraints: directoryName has an empty RelativeDistinguishedName',
      12,
    ],
    [
      'rejects a minimum of 0, its default',
      Buffer.concat([dns('a'), der.implicit(0, Buffer.of(0))]),
      'unexpected data after nameConstraints: subtree',
      9,
    ],
    [
      'rejects a minimum of 1',
      Buffer.concat([dns('a'), der.implicit(0, Buffer.of(1))]),
      'unexpected data after nameConstraints: subtree',
      9,
    ],
    [
      'rejects a maximum',
      Buffer.concat([dns('a'), der.implicit(1, Buffer.of(5))]),
      'unexpected data after nameConstraints: subtree',
      9,
    ],
  ])('%s, permitted and excluded', (_, base, reason, offset) => {
    // The shift is that of longer headers.
    const shift = base.length > 127 - 4 ? 2 : 0;
    expect(() => decode(permitted(base))).toThrowDerError(reason, offset + shift);
    expect(() => decode(excluded(base))).toThrowDerError(reason, offset + shift);
  });

  it.each<[string, (contents: Buffer) => Buffer]>([
    ['an otherName', (contents) => der.explicit(0, contents)],
    ['an x400Address', (contents) => der.explicit(3, contents)],
    ['an ediPartyName', (contents) => der.explicit(5, contents)],
  ])('DR-08: rejects %s nested 300 and 5000 deep, and accepts 10', (_, encode) => {
    for (const depth of [300, 5_000]) {
      expect(() => decode(permitted(encode(nested(depth))))).toThrow(
        expect.objectContaining({ reason: 'nested too deeply' }),
      );
    }
    expect(decode(permitted(encode(nested(10)))).permitted).toHaveLength(1);
  });
});

describe('name constraints', () => {
  it.each<[string, readonly Buffer[]]>([
    ['neither list', []],
    ['an empty list of permitted subtrees', [permitted()]],
    ['an empty list of excluded subtrees', [excluded()]],
    ['two empty lists', [permitted(), excluded()]],
  ])('accept %s, and constrain nothing', (_, fields) => {
    expect(decode(...fields)).toEqual({ permitted: [], excluded: [] });
  });

  it.each<[string, Buffer, string, number]>([
    ['something that is not a SEQUENCE', der.set(permitted(dns('a'))), 'nameConstraints expected', 0],
    [
      'the lists in the other order',
      der.sequence(excluded(dns('a')), permitted(dns('a'))),
      'unexpected data after nameConstraints',
      9,
    ],
    ['one list twice', der.sequence(permitted(), permitted()), 'unexpected data after nameConstraints', 4],
    ['an unknown list', der.sequence(der.explicit(2)), 'unexpected data after nameConstraints', 2],
    ['a primitive list', der.sequence(der.implicit(0, Buffer.alloc(0))), 'unexpected data after nameConstraints', 2],
    [
      'a base that is not in a SEQUENCE',
      der.sequence(der.explicit(0, dns('a'))),
      'nameConstraints: subtree expected',
      4,
    ],
  ])('reject %s', (_, bytes, reason, offset) => {
    expect(() => decodeNameConstraints(new DerReader(bytes))).toThrowDerError(reason, offset);
  });

  const many = (count: number): Buffer[] => Array.from({ length: count }, () => dns('a'));
  it('PA-13: accept 4,096 subtrees in either list', () => {
    const decoded = decode(permitted(...many(4_096)), excluded(...many(4_096)));
    expect([decoded.permitted.length, decoded.excluded.length]).toEqual([4_096, 4_096]);
  });

  it.each([4_097, 10_000])('PA-13: reject %i subtrees', (count) => {
    const tooMany = expect.objectContaining({ reason: 'nameConstraints have too many subtrees' });
    expect(() => decode(permitted(...many(count)))).toThrow(tooMany);
    expect(() => decode(excluded(...many(count)))).toThrow(tooMany);
  });
});

describe('the keys of RDNs', () => {
  const cn = (value: string | Uint8Array, as?: 'printableString' | 'bmpString' | 'teletexString'): readonly string[] =>
    keysOf([{ type: 'CN', value, ...(as === undefined ? {} : { as }) }]);

  it.each([
    ['another case', cn('Example'), cn('EXAMPLE')],
    ['another string type', cn('\u00c4 b', 'bmpString'), cn('\u00e4 b', 'teletexString')],
    ['more space', cn('  a   b '), cn('a b')],
    [
      'another order in one RDN',
      keysOf([
        [
          { type: 'CN', value: 'a' },
          { type: 'O', value: 'b' },
        ],
      ]),
      keysOf(
        der.sequence(
          der.set(
            der.sequence(der.oid('2.5.4.10'), der.utf8String('b')),
            der.sequence(der.oid('2.5.4.3'), der.utf8String('a')),
          ),
        ),
      ),
    ],
  ])('are equal for %s', (_, one, other) => {
    expect(one).toEqual(other);
  });

  it.each([
    ['other text', cn('a'), cn('b')],
    ['another type', cn('a'), keysOf('O=a')],
    ['text and the DER that spells it', cn('#020105'), cn(der.integer(5))],
    ['a zero-width space', cn('admin'), cn('ad\u200bmin')],
    [
      'one RDN of two and two RDNs',
      keysOf([
        [
          { type: 'CN', value: 'a' },
          { type: 'O', value: 'b' },
        ],
      ]),
      keysOf('CN=a,O=b'),
    ],
    // Without a mark between type and length, 2.5.4.3 of 15 characters is 2.5.4.31 of 5.
    [
      'a value that spells another attribute',
      keysOf([{ type: '2.5.4.3', value: 'abcd2.9=4:abcd' }]),
      keysOf([
        [
          { type: '2.5.4.31', value: 'abcd' },
          { type: '2.9', value: 'abcd' },
        ],
      ]),
    ],
    [
      'a value that spells another attribute, its mark included',
      keysOf([{ type: '2.5.4.3', value: 'abcd2.95:=abcd' }]),
      keysOf([
        [
          { type: '2.5.4.31', value: 'abcd' },
          { type: '2.9', value: 'abcd' },
        ],
      ]),
    ],
  ])('differ for %s', (_, one, other) => {
    expect(one).not.toEqual(other);
  });

  it.each([
    ['a zero-width space', 'ad\u200bmin', 'admin'],
    ['a soft hyphen', 'ad\u00admin', 'admin'],
    ['NUL', 'admin\0', 'admin'],
    ['a joiner and a mark of direction', '\u200dad\u202emin', 'admin'],
    ['a variation selector', 'ad\ufe0fmin', 'admin'],
    ['a sharp s', 'Stra\u00dfe', 'STRASSE'],
    ['a ligature', 'o\ufb03ce', 'OFFICE'],
    ['a final sigma', '\u03bf\u03b4\u03bf\u03c2', '\u039f\u0394\u039f\u03a3'],
    ['a sign that is a letter', '\u212aevin', 'kevin'],
    ['a full-width letter', '\uff41dmin', 'admin'],
    ['a tab and a no-break space', 'a\t\u00a0b', 'a b'],
  ])('are equal for %s, folded further (RFC 4518)', (_, one, other) => {
    expect(keysOf([{ type: 'O', value: one }], foldTextFurther)).toEqual(
      keysOf([{ type: 'O', value: other }], foldTextFurther),
    );
  });

  it.each([
    ['a look-alike of another script', '\u0430dmin', 'admin'],
    ['a diacritic', '\u00e4', 'a'],
    ['space and none', 'a b', 'ab'],
  ])('differ for %s, folded further', (_, one, other) => {
    expect(keysOf([{ type: 'O', value: one }], foldTextFurther)).not.toEqual(
      keysOf([{ type: 'O', value: other }], foldTextFurther),
    );
  });
});
