import { AsnConvert, AsnIntegerBigIntConverter, AsnObjectIdentifierConverter } from '@peculiar/asn1-schema';
import { AlgorithmIdentifier, BasicConstraints, Time } from '@peculiar/asn1-x509';
import { der } from '@peercert/testkit';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('DER encoder', () => {
  it.each([0n, 1n, -1n, 127n, 128n, -127n, -129n, 255n, 256n, 65537n, 2n ** 64n, -(2n ** 64n), 2n ** 159n - 1n])(
    'writes INTEGER %s as @peculiar/asn1-schema writes it',
    (value) => {
      expect(hex(der.integer(value))).toBe(hex(new Uint8Array(AsnIntegerBigIntConverter.toASN(value).toBER())));
    },
  );

  it('writes octets given for an INTEGER as its content, minimal or not', () => {
    expect(hex(der.integer(Uint8Array.of(0, 0, 1)))).toBe('0203000001');
  });

  it('refuses a number that is not a safe integer', () => {
    expect(() => der.integer(2 ** 60)).toThrow(RangeError);
  });

  it.each(['2.5.4.3', '1.2.840.113549.1.1.11', '2.999.1', '1.3.6.1.4.1.4294967296', '0.9.2342.19200300.100.1.1'])(
    'writes object identifier %s as @peculiar/asn1-schema writes it',
    (oid) => {
      expect(hex(der.oid(oid))).toBe(hex(new Uint8Array(AsnObjectIdentifierConverter.toASN(oid).toBER())));
    },
  );

  it.each(['', '1', 'clientAuth', '3.1', '1..2'])('refuses %j as an object identifier', (oid) => {
    expect(() => der.oid(oid)).toThrow(TypeError);
  });

  it('writes elements that @peculiar/asn1-x509 decodes', () => {
    const algorithm = AsnConvert.parse(der.sequence(der.oid('1.2.840.113549.1.1.11'), der.null()), AlgorithmIdentifier);
    expect(algorithm.algorithm).toBe('1.2.840.113549.1.1.11');
    expect(algorithm.parameters).toBeNull();

    const constraints = AsnConvert.parse(der.sequence(der.boolean(true), der.integer(3)), BasicConstraints);
    expect(constraints).toMatchObject({ cA: true, pathLenConstraint: 3 });
  });

  it.each([
    ['UTCTime', der.utcTime],
    ['GeneralizedTime', der.generalizedTime],
  ])('writes a Date as a %s that reads back to the second', (_name, encode) => {
    const time = new Date('2026-06-01T12:34:56Z');
    expect(AsnConvert.parse(encode(time), Time).getTime()).toEqual(time);
  });

  it.each([
    ['INTEGER -128 in one octet', der.integer(-128), '020180'],
    ['a short length', der.octetString(Buffer.alloc(3)), '0403000000'],
    ['the first long length', der.octetString(Buffer.alloc(128)).subarray(0, 4), '04818000'],
    ['a two-octet length', der.octetString(Buffer.alloc(256)).subarray(0, 4), '04820100'],
    ['BOOLEAN TRUE', der.boolean(true), '0101ff'],
    ['BOOLEAN FALSE', der.boolean(false), '010100'],
    ['a BER TRUE', der.boolean(1), '010101'],
    ['BIT STRING with unused bits', der.bitString(Uint8Array.of(0x80), 7), '03020780'],
    ['a SET in the order given', der.set(der.integer(2), der.integer(1)), '3106020102020101'],
    ['UTF8String', der.utf8String('é'), '0c02c3a9'],
    ['PrintableString', der.printableString('A'), '130141'],
    ['TeletexString', der.teletexString('é'), '1401e9'],
    ['IA5String', der.ia5String('A'), '160141'],
    ['BMPString', der.bmpString('Aé'), '1e04004100e9'],
    ['an explicit tag', der.explicit(3, der.null()), 'a3020500'],
    ['an implicit tag', der.implicit(6, Buffer.from('a')), '860161'],
    ['a time that is no time', der.utcTime('269999999999Z'), '170d3236393939393939393939395a'],
    ['a tag of two octets', der.tlv(0x7f21, Uint8Array.of(1)), '7f210101'],
    ['tag 0', der.tlv(0, Buffer.alloc(0)), '0000'],
  ])('writes %s', (_name, encoded, expected) => {
    expect(hex(encoded)).toBe(expected);
  });

  it.each([
    ['a length longer than needed', { lengthOctets: 3 }, '0483000001aa'],
    ['a long form where the short would do', { lengthOctets: 1 }, '048101aa'],
    ['an indefinite length', { indefinite: true }, '0480aa0000'],
    ['a length greater than the content', { declaredLength: 5 }, '0405aa'],
  ])('writes %s when asked', (_name, form, expected) => {
    expect(hex(der.tlv(0x04, Uint8Array.of(0xaa), form))).toBe(expected);
  });

  it('refuses length octets too few for the length', () => {
    expect(() => der.tlv(0x04, Buffer.alloc(256), { lengthOctets: 1 })).toThrow(RangeError);
  });
});
