import { der } from '@peercert/testkit';
import * as fc from 'fast-check';
import { DerReader, Tag } from '../../packages/core/src/x509/der';
import { decodeExtensions } from '../../packages/core/src/x509/extensions';
import { decodeGeneralNames } from '../../packages/core/src/x509/general-names';
import { decodeName, nameKey, rdnKeysOf, readName } from '../../packages/core/src/x509/name';
import { decodeNameConstraints } from '../../packages/core/src/x509/name-constraints';
import { dottedOid } from '../../packages/core/src/x509/oid';
import {
  decodeCertificatePolicies,
  decodePolicyConstraints,
  decodePolicyMappings,
} from '../../packages/core/src/x509/policies';
import { readPublicKeyInfo } from '../../packages/core/src/x509/public-key';
import { readAlgorithmIdentifier } from '../../packages/core/src/x509/signature-algorithm';
import { decodeTime } from '../../packages/core/src/x509/time';
import { nearlyDer } from './elements';
import { counterexample, octets, outcomeOf } from './property';

/** Everything that reads DER, and what it makes of it. */
const decoders: Readonly<Record<string, (reader: DerReader) => unknown>> = {
  'any element': (reader) => ({ ...reader.read().range, tag: reader.tag }),
  'an opaque element': (reader) => reader.readOpaque().range,
  BOOLEAN: (reader) => reader.boolean('x'),
  INTEGER: (reader) => reader.integer('x').range,
  'a small INTEGER': (reader) => reader.smallInteger('x'),
  'OBJECT IDENTIFIER': (reader) => dottedOid(reader.oid('x')),
  'BIT STRING': (reader) => reader.bitString('x').range,
  'a BIT STRING of whole octets': (reader) => reader.wholeBitString('x').range,
  'named bits': (reader) => reader.namedBits('x'),
  SEQUENCE: (reader) => reader.enter(Tag.sequence, 'x').read().range,
  time: (reader) => decodeTime(reader, 'x'),
  Name: (reader) => {
    const range = readName(reader, 'x');
    const name = decodeName(reader.bytes, range);
    return [name.toString(), nameKey(reader.bytes, range), rdnKeysOf(name)];
  },
  GeneralNames: (reader) => JSON.stringify(decodeGeneralNames(reader, 'x')),
  Extensions: (reader) => decodeExtensions(reader),
  NameConstraints: (reader) => decodeNameConstraints(reader),
  certificatePolicies: (reader) => decodeCertificatePolicies(reader),
  policyMappings: (reader) => decodePolicyMappings(reader),
  policyConstraints: (reader) => decodePolicyConstraints(reader),
  SubjectPublicKeyInfo: (reader) => readPublicKeyInfo(reader),
  AlgorithmIdentifier: (reader) => readAlgorithmIdentifier(reader, 'x'),
};

describe.each(Object.entries(decoders))('reading %s', (_, decode) => {
  it('gives a value or a DerError', () => {
    expect(
      counterexample(
        fc.property(nearlyDer, (bytes) => {
          outcomeOf(() => decode(new DerReader(bytes)));
        }),
      ),
    ).toBeUndefined();
  });

  it('stays between start and limit, whatever lies around them', () => {
    expect(
      counterexample(
        fc.property(nearlyDer, octets(4), octets(8), (bytes, before, behind) => {
          const read = (...parts: readonly Buffer[]): unknown => {
            const start = parts.length > 1 ? before.length : 0;
            const reader = new DerReader(Buffer.concat(parts), start, start + bytes.length);
            const outcome = outcomeOf(() => decode(reader));
            return [relativeTo(start, outcome), reader.end - start];
          };
          expect(read(before, bytes, behind)).toEqual(read(bytes));
        }),
      ),
    ).toBeUndefined();
  });
});

/** Offsets and ranges as if the input began at 0. */
function relativeTo(start: number, outcome: object): unknown {
  return JSON.parse(
    JSON.stringify(outcome, (key, value: unknown) => {
      const isPlace = (key === 'offset' || key === 'start' || key === 'end') && typeof value === 'number';
      return isPlace ? value - start : value instanceof Set ? [...value] : value;
    }),
  );
}

/** Looks for input that is accepted, and is not what the testkit writes for the value. */
function secondEncoding<Value>(
  inputs: fc.Arbitrary<Buffer>,
  decode: (reader: DerReader) => Value,
  encode: (value: Value, reader: DerReader) => Buffer,
): string | undefined {
  return counterexample(
    fc.property(inputs, (bytes) => {
      const reader = new DerReader(bytes);
      const outcome = outcomeOf(() => decode(reader));
      if (!('value' in outcome)) return;
      expect(encode(outcome.value, reader)).toEqual(bytes.subarray(0, reader.end));
    }),
    2_000,
  );
}

function integerOf(reader: DerReader): bigint {
  const { start, end } = reader.integer('x');
  return BigInt.asIntN((end - start) * 8, BigInt(`0x${reader.bytes.toString('hex', start, end)}`));
}

/** Contents that are often good: short, with the octets that decide. */
const contents = fc
  .array(fc.oneof(fc.constantFrom(0x00, 0x01, 0x7f, 0x80, 0x81, 0xff), fc.nat(255)), { maxLength: 6 })
  .map((values) => Buffer.from(values));

const elementOf = (tag: number): fc.Arbitrary<Buffer> => contents.map((content) => der.tlv(tag, content));

describe('one encoding for each value', () => {
  it('INTEGER: reads back what was written', () => {
    expect(
      counterexample(
        fc.property(fc.bigInt(), (value) => {
          expect(integerOf(new DerReader(der.integer(value)))).toBe(value);
        }),
      ),
    ).toBeUndefined();
  });

  it('INTEGER: accepts nothing else for the same number', () => {
    expect(secondEncoding(elementOf(Tag.integer), integerOf, (value) => der.integer(value))).toBeUndefined();
  });

  it('small INTEGER: reads back what was written, up to 32 bits', () => {
    expect(
      counterexample(
        fc.property(fc.nat(2 ** 31 - 1), fc.boolean(), (half, odd) => {
          const value = half * 2 + (odd ? 1 : 0);
          expect(new DerReader(der.integer(value)).smallInteger('x')).toBe(value);
        }),
      ),
    ).toBeUndefined();
  });

  it('small INTEGER: accepts nothing else for the same number', () => {
    expect(
      secondEncoding(
        elementOf(Tag.integer),
        (reader) => reader.smallInteger('x'),
        (value) => der.integer(value),
      ),
    ).toBeUndefined();
  });

  it('BOOLEAN: accepts two encodings of all', () => {
    expect(
      secondEncoding(
        elementOf(Tag.boolean),
        (reader) => reader.boolean('x'),
        (value) => der.boolean(value),
      ),
    ).toBeUndefined();
  });

  it('OBJECT IDENTIFIER: reads back what was written', () => {
    const arcs = fc.tuple(fc.nat(2), fc.bigInt(0n, 39n), fc.array(fc.bigInt(0n, 2n ** 40n), { maxLength: 6 }));
    expect(
      counterexample(
        fc.property(arcs, ([first, second, others]) => {
          const dotted = [first, second, ...others].join('.');
          expect(dottedOid(new DerReader(der.oid(dotted)).oid('x'))).toBe(dotted);
        }),
      ),
    ).toBeUndefined();
  });

  it('OBJECT IDENTIFIER: accepts nothing else for the same arcs', () => {
    expect(
      secondEncoding(
        elementOf(Tag.oid),
        (reader) => dottedOid(reader.oid('x')),
        (value) => der.oid(value),
      ),
    ).toBeUndefined();
  });

  it('length: accepts the shortest form only', () => {
    const forms = fc.tuple(fc.constantFrom(0x04, 0x30, 0x80), octets(300), fc.constantFrom(undefined, 1, 2, 3, 4));
    const inputs = forms.map(([tag, content, lengthOctets]) => {
      const fits = lengthOctets !== undefined && content.length < 256 ** lengthOctets;
      return der.tlv(tag, content, fits ? { lengthOctets } : {});
    });
    const read = (reader: DerReader): Buffer => {
      const { start, end } = reader.read();
      return reader.bytes.subarray(start, end);
    };
    expect(secondEncoding(inputs, read, (content, { tag }) => der.tlv(tag, content))).toBeUndefined();
    expect(secondEncoding(nearlyDer, read, (content, { tag }) => der.tlv(tag, content))).toBeUndefined();
  });

  it('named bits: reads back what was written', () => {
    expect(
      counterexample(
        fc.property(fc.uniqueArray(fc.nat(31), { maxLength: 12 }), (numbers) => {
          const bits = numbers.reduce((all, number) => all | (1 << number), 0);
          expect(new DerReader(encodeNamedBits(bits)).namedBits('x')).toBe(bits);
        }),
      ),
    ).toBeUndefined();
  });

  it('named bits: accepts nothing else for the same set', () => {
    expect(
      secondEncoding(elementOf(Tag.bitString), (reader) => reader.namedBits('x'), encodeNamedBits),
    ).toBeUndefined();
  });

  it('time: reads back what was written', () => {
    const to = (year: number): Date => new Date(Date.UTC(year, 0, 1) - 1_000);
    const utc = fc.date({ min: to(1950), max: to(2050), noInvalidDate: true });
    const generalized = fc.date({ min: new Date('0000-01-01T00:00:00Z'), max: to(10_000), noInvalidDate: true });
    const check = (time: Date, element: Buffer): void => {
      expect(decodeTime(new DerReader(element), 'x')).toBe(Math.floor(time.getTime() / 1_000) * 1_000);
    };
    expect(
      counterexample(
        fc.property(
          utc.filter((time) => time.getTime() >= Date.UTC(1950, 0, 1)),
          generalized,
          (one, other) => {
            check(one, der.utcTime(one));
            check(other, der.generalizedTime(other));
          },
        ),
      ),
    ).toBeUndefined();
  });

  it('time: accepts nothing else for the same second', () => {
    const digit = fc.constantFrom(...'000112233456789'.split(''));
    const text = fc
      .tuple(fc.array(digit, { minLength: 10, maxLength: 15 }), fc.constantFrom('Z', 'Z', 'Z', '', '+0000', '.5Z'))
      .map(([digits, zone]) => digits.join('') + zone);
    const inputs = fc.tuple(text, fc.boolean()).map(([value, isUtc]) => {
      return isUtc ? der.utcTime(value) : der.generalizedTime(value);
    });
    expect(
      secondEncoding(
        inputs,
        (reader) => decodeTime(reader, 'x'),
        (value, { tag }) => {
          return tag === Tag.utcTime ? der.utcTime(new Date(value)) : der.generalizedTime(new Date(value));
        },
      ),
    ).toBeUndefined();
  });
});

/** X.690 section 11.2.2: without trailing zero bits. */
function encodeNamedBits(bits: number): Buffer {
  const text = Array.from({ length: 32 }, (_, number) => (bits >>> number) & 1)
    .join('')
    .replace(/0+$/, '');
  const parts = text.match(/.{1,8}/g) ?? [];
  const content = Buffer.from(parts.map((part) => Number.parseInt(part.padEnd(8, '0'), 2)));
  return der.bitString(content, (8 - (text.length % 8)) % 8);
}
