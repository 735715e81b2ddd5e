import { der, encodeName } from '@peercert/testkit';
import { DerReader } from '../../../../packages/core/src/x509/der';
import { decodeGeneralNames, type GeneralName } from '../../../../packages/core/src/x509/general-names';
import { hex, nested } from '../../../support/encodings';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const decode = (...names: readonly Uint8Array[]): readonly GeneralName[] =>
  decodeGeneralNames(new DerReader(der.sequence(...names)), 'subjectAltName');

const text = (tagNumber: number, value: string): Buffer => der.implicit(tagNumber, Buffer.from(value, 'latin1'));
const email = (value: string): Buffer => text(1, value);
const dns = (value: string): Buffer => text(2, value);
const uri = (value: string): Buffer => text(6, value);
const otherName = (dotted: string, value: Uint8Array): Buffer =>
  der.explicit(0, der.oid(dotted), der.explicit(0, value));

describe('a general name', () => {
  it.each<[string, Buffer, object]>([
    ['accepts rfc822Name', email('a@example.com'), { type: 'email', value: 'a@example.com' }],
    ['accepts dNSName', dns('device-1.example.com'), { type: 'dns', value: 'device-1.example.com' }],
    ['accepts dNSName as it is spelled', dns('EVIL.Example'), { type: 'dns', value: 'EVIL.Example' }],
    ['accepts uniformResourceIdentifier', uri('spiffe://example/a'), { type: 'uri', value: 'spiffe://example/a' }],
    [
      'DR-21: accepts a URI that spells another name',
      uri('spiffe://a/b, DNS:admin.example'),
      { type: 'uri', value: 'spiffe://a/b, DNS:admin.example' },
    ],
    [
      'DR-22: accepts an rfc822Name that is a DNS name',
      email('admin.example'),
      { type: 'email', value: 'admin.example' },
    ],
    ['DR-22: accepts a URI that is a DNS name', uri('admin.example'), { type: 'uri', value: 'admin.example' }],
    ['accepts a URI with a newline', uri('urn:a\nurn:b'), { type: 'uri', value: 'urn:a\nurn:b' }],
    ['accepts registeredID', der.implicit(8, hex('2a0304')), { type: 'registeredId', value: '1.2.3.4' }],
    [
      'accepts otherName',
      otherName('1.3.6.1.4.1.311.20.2.3', der.utf8String('a@b')),
      { type: 'other', oid: '1.3.6.1.4.1.311.20.2.3', value: '0c03614062' },
    ],
    [
      'DR-14: accepts otherName with NUL in a BMPString',
      otherName('1.2.3', der.bmpString('a\0b')),
      { type: 'other', oid: '1.2.3', value: '1e06006100000062' },
    ],
    [
      'accepts otherName without a value',
      otherName('1.2.3', Buffer.alloc(0)),
      { type: 'other', oid: '1.2.3', value: '' },
    ],
    ['accepts x400Address', der.explicit(3, der.null()), { type: 'x400', value: '0500' }],
    ['accepts ediPartyName', der.explicit(5, der.null()), { type: 'ediParty', value: '0500' }],
  ])('%s', (_, encoded, expected) => {
    expect(decode(encoded)).toEqual([expected]);
  });

  it('accepts directoryName', () => {
    const [name, ...rest] = decode(der.explicit(4, encodeName('CN=a,O=b')));
    expect(name).toEqual({ type: 'directory', value: expect.anything() });
    expect(JSON.stringify(name)).toBe('{"type":"directory","value":"O=b,CN=a"}');
    expect(rest).toEqual([]);
  });

  it.each([
    ['c0000201', '192.0.2.1'],
    ['00000000', '0.0.0.0'],
    ['ffffffff', '255.255.255.255'],
    ['20010db8000000000000000000000001', '2001:db8::1'],
    ['00000000000000000000000000000000', '::'],
    ['00000000000000000000000000000001', '::1'],
    ['20010000000000000000000000000000', '2001::'],
    ['20010db8000000010000000000000001', '2001:db8:0:1::1'],
    ['20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
    ['20010db8000100010001000100000001', '2001:db8:1:1:1:1:0:1'],
    ['00000000000100000000000000010001', '0:0:1::1:1'],
    ['20010db8abcdef010203040506070809', '2001:db8:abcd:ef01:203:405:607:809'],
    ['00000000000000000000ffffc0000201', '::ffff:c000:201'],
  ])('accepts the address %s as %s', (octets, expected) => {
    expect(decode(der.implicit(7, hex(octets)))).toEqual([{ type: 'ip', value: expected }]);
  });

  it('keeps names in their order, and equal ones apart', () => {
    expect(decode(dns('b'), uri('urn:a'), dns('a'), dns('a'))).toEqual([
      { type: 'dns', value: 'b' },
      { type: 'uri', value: 'urn:a' },
      { type: 'dns', value: 'a' },
      { type: 'dns', value: 'a' },
    ]);
  });

  it('is frozen, and so is the list', () => {
    const names = decode(dns('a'), der.explicit(4, encodeName('CN=a')));
    expect([names, ...names].every(Object.isFrozen)).toBe(true);
  });

  const addressReason = 'subjectAltName holds an address of neither 4 nor 16 octets';
  const asciiReason = 'subjectAltName holds a name that is not ASCII text';
  const emptyReason = 'subjectAltName holds an empty name';
  const formReason = 'subjectAltName holds an unknown form of name';
  it.each<[string, Buffer, string, number]>([
    ['DR-05: rejects an address of 3 octets', der.implicit(7, Buffer.alloc(3)), addressReason, 4],
    ['DR-05: rejects an address of no octets', der.implicit(7, Buffer.alloc(0)), addressReason, 4],
    ['DR-05: rejects an address of 5 octets', der.implicit(7, Buffer.alloc(5)), addressReason, 4],
    ['DR-05: rejects an address and mask of 8 octets', der.implicit(7, Buffer.alloc(8)), addressReason, 4],
    ['DR-05: rejects an address of 15 octets', der.implicit(7, Buffer.alloc(15)), addressReason, 4],
    ['DR-05: rejects an address of 17 octets', der.implicit(7, Buffer.alloc(17)), addressReason, 4],
    ['DR-05: rejects an address and mask of 32 octets', der.implicit(7, Buffer.alloc(32)), addressReason, 4],
    ['DR-14: rejects a dNSName with NUL', dns('victim\0.evil'), asciiReason, 10],
    ['DR-14: rejects an rfc822Name with NUL', email('\0'), asciiReason, 4],
    ['DR-14: rejects a URI that ends in NUL', uri('urn:a\0'), asciiReason, 9],
    ['rejects a dNSName outside ASCII', dns('b\xfccher.example'), asciiReason, 5],
    ['rejects an rfc822Name outside ASCII', email('\xfc@example'), asciiReason, 4],
    ['rejects a URI outside ASCII', uri('urn:\x80'), asciiReason, 8],
    ['rejects an empty dNSName', dns(''), emptyReason, 4],
    ['rejects an empty rfc822Name', email(''), emptyReason, 4],
    ['rejects an empty URI', uri(''), emptyReason, 4],
    ['rejects a constructed dNSName', der.explicit(2, der.ia5String('a')), formReason, 2],
    ['rejects a constructed URI', der.explicit(6, der.ia5String('a')), formReason, 2],
    ['rejects a constructed address', der.explicit(7, der.octetString(Buffer.alloc(4))), formReason, 2],
    ['rejects a primitive directoryName', der.implicit(4, encodeName('CN=a')), formReason, 2],
    ['rejects a primitive otherName', der.implicit(0, Buffer.alloc(0)), formReason, 2],
    ['rejects the unassigned form [9]', der.implicit(9, Buffer.alloc(0)), formReason, 2],
    ['rejects an IA5String', der.ia5String('a'), formReason, 2],
    ['rejects a registeredID without contents', der.implicit(8, Buffer.alloc(0)), 'subjectAltName is not an OID', 4],
    ['rejects an otherName without a type', der.explicit(0), 'subjectAltName: otherName type expected', 4],
    [
      'rejects an otherName without its value',
      der.explicit(0, der.oid('1.2.3')),
      'subjectAltName: otherName value expected',
      8,
    ],
    [
      'rejects an otherName with an implicit value',
      der.explicit(0, der.oid('1.2.3'), der.utf8String('a')),
      'subjectAltName: otherName value expected',
      8,
    ],
    [
      'rejects an otherName with two values',
      der.explicit(0, der.oid('1.2.3'), der.explicit(0, der.null()), der.null()),
      'unexpected data after subjectAltName: otherName',
      12,
    ],
    [
      'rejects two names in a directoryName',
      der.explicit(4, encodeName(''), encodeName('')),
      'unexpected data after subjectAltName',
      6,
    ],
    [
      'DR-15: rejects a directoryName with invalid UTF-8',
      der.explicit(4, der.sequence(der.set(der.sequence(der.oid('2.5.4.3'), der.tlv(0x0c, hex('ff')))))),
      'subjectAltName holds invalid UTF-8',
      17,
    ],
  ])('%s', (_, encoded, reason, offset) => {
    expect(() => decode(encoded)).toThrowDerError(reason, offset);
  });

  it.each<[string, (contents: Buffer) => Buffer]>([
    ['an otherName', (contents) => otherName('1.2.3', contents)],
    ['an x400Address', (contents) => der.explicit(3, contents)],
    ['an ediPartyName', (contents) => der.explicit(5, contents)],
  ])('DR-08: rejects %s nested 300 and 5000 deep, and accepts 10', (_, encode) => {
    for (const depth of [300, 5_000]) {
      expect(() => decode(encode(nested(depth)))).toThrow(expect.objectContaining({ reason: 'nested too deeply' }));
    }
    expect(decode(encode(nested(10)))).toHaveLength(1);
  });
});

describe('general names', () => {
  it('DR-05: rejects an empty list', () => {
    expect(() => decode()).toThrowDerError('subjectAltName is empty', 2);
  });

  it('rejects something that is not a list', () => {
    expect(() => decodeGeneralNames(new DerReader(dns('a')), 'subjectAltName')).toThrowDerError(
      'subjectAltName expected',
      0,
    );
  });

  const names = (count: number): Buffer[] => Array.from({ length: count }, () => dns('a'));
  it('DR-11: accepts 500 names', () => {
    expect(decode(...names(500))).toHaveLength(500);
  });

  it.each([501, 1_000, 10_000])('DR-11: rejects %i names', (count) => {
    expect(() => decode(...names(count))).toThrow(
      expect.objectContaining({ reason: 'subjectAltName has too many names' }),
    );
  });
});
