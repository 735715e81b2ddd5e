import { der } from '@peercert/testkit';
import { DerReader } from '../../../../packages/core/src/x509/der';
import {
  decodeExtensions,
  type Extensions,
  KeyUsage,
  noExtensions,
} from '../../../../packages/core/src/x509/extensions';
import { mixOctet, oid } from '../../../../packages/core/src/x509/oid';
import { nested } from '../../../support/encodings';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const basicConstraints = '2.5.29.19';
const keyUsage = '2.5.29.15';
const extKeyUsage = '2.5.29.37';
const subjectAltName = '2.5.29.17';
const authorityKeyIdentifier = '2.5.29.35';
const subjectKeyIdentifier = '2.5.29.14';

const none = Buffer.alloc(0);
const extension = (type: string, value: Uint8Array, critical: Uint8Array = none): Buffer =>
  der.sequence(der.oid(type), critical, der.octetString(value));
const critical = der.boolean(true);

const decode = (...extensions: readonly Uint8Array[]): Extensions =>
  decodeExtensions(new DerReader(der.sequence(Buffer.concat(extensions))));
const expected = (fields: Partial<Extensions>): Extensions => ({ ...noExtensions(), ...fields });
const criticalTypes = (...types: readonly string[]): Pick<Extensions, 'critical'> => ({
  critical: types.map(oid),
});

/** Where the value of the first extension starts, for a type of three octets that is not critical. */
const valueAt = 11;

describe('extensions', () => {
  it.each<[string, Buffer, Partial<Extensions>]>([
    [
      'accepts basicConstraints of a CA',
      extension(basicConstraints, der.sequence(der.boolean(true)), critical),
      { ...criticalTypes(basicConstraints), basicConstraints: { cA: true, pathLenConstraint: undefined } },
    ],
    [
      'accepts basicConstraints of a CA with pathLenConstraint',
      extension(basicConstraints, der.sequence(der.boolean(true), der.integer(0))),
      { basicConstraints: { cA: true, pathLenConstraint: 0 } },
    ],
    [
      'accepts basicConstraints with the greatest pathLenConstraint',
      extension(basicConstraints, der.sequence(der.boolean(true), der.integer(2 ** 32 - 1))),
      { basicConstraints: { cA: true, pathLenConstraint: 2 ** 32 - 1 } },
    ],
    [
      'accepts basicConstraints without cA',
      extension(basicConstraints, der.sequence()),
      {
        basicConstraints: { cA: false, pathLenConstraint: undefined },
      },
    ],
    [
      'PA-05: accepts pathLenConstraint without cA',
      extension(basicConstraints, der.sequence(der.integer(1))),
      {
        basicConstraints: { cA: false, pathLenConstraint: 1 },
      },
    ],
    [
      'accepts keyUsage',
      extension(keyUsage, der.bitString(Buffer.of(0b1000_0110), 1), critical),
      {
        ...criticalTypes(keyUsage),
        keyUsage: KeyUsage.digitalSignature | KeyUsage.keyCertSign | KeyUsage.cRLSign,
      },
    ],
    ['accepts keyUsage without a bit', extension(keyUsage, der.bitString(none)), { keyUsage: 0 }],
    [
      'accepts extKeyUsage',
      extension(extKeyUsage, der.sequence(der.oid('1.3.6.1.5.5.7.3.2'), der.oid('2.5.29.37.0'))),
      {
        extKeyUsage: ['1.3.6.1.5.5.7.3.2', '2.5.29.37.0'].map(oid),
      },
    ],
    ['DR-32: accepts extKeyUsage without a purpose', extension(extKeyUsage, der.sequence()), { extKeyUsage: [] }],
    [
      'accepts subjectAltName',
      extension(subjectAltName, der.sequence(der.implicit(2, Buffer.from('a')))),
      {
        subjectAltName: [{ type: 'dns', value: 'a' }],
      },
    ],
    [
      'accepts subjectKeyIdentifier',
      extension(subjectKeyIdentifier, der.octetString(Buffer.of(1, 0xff))),
      {
        subjectKeyIdentifier: '\x01\xff',
      },
    ],
    [
      'accepts authorityKeyIdentifier',
      extension(authorityKeyIdentifier, der.sequence(der.implicit(0, Buffer.of(1, 0xff)))),
      {
        authorityKeyIdentifier: '\x01\xff',
      },
    ],
    [
      'accepts authorityKeyIdentifier by issuer and serial number',
      extension(
        authorityKeyIdentifier,
        der.sequence(der.explicit(1, der.explicit(4, der.sequence())), der.implicit(2, Buffer.of(5))),
      ),
      {},
    ],
    [
      'accepts authorityKeyIdentifier with all three',
      extension(
        authorityKeyIdentifier,
        der.sequence(
          der.implicit(0, Buffer.of(7)),
          der.explicit(1, der.explicit(4, der.sequence())),
          der.implicit(2, Buffer.of(5)),
        ),
      ),
      { authorityKeyIdentifier: '\x07' },
    ],
    ['accepts authorityKeyIdentifier that is empty', extension(authorityKeyIdentifier, der.sequence()), {}],
    ['accepts an unknown extension', extension('1.2.3.4', der.utf8String('x')), {}],
    ['accepts an unknown extension of plain text', extension('1.2.3.4', Buffer.from('plain text')), {}],
    ['accepts an unknown extension without a value', extension('1.2.3.4', none), {}],
    [
      'PA-07: accepts an unknown critical extension',
      extension('1.2.3.4', none, critical),
      { ...criticalTypes('1.2.3.4'), unsupportedCritical: ['1.2.3.4'] },
    ],
    [
      'accepts a critical CRL distribution point, which is not processed',
      extension('2.5.29.31', der.sequence(), critical),
      { ...criticalTypes('2.5.29.31'), unsupportedCritical: ['2.5.29.31'] },
    ],
    [
      'DR-10: accepts an alias of basicConstraints 2^32 above it',
      extension('2.5.29.4294967315', der.sequence(der.boolean(true)), critical),
      { ...criticalTypes('2.5.29.4294967315'), unsupportedCritical: ['2.5.29.4294967315'] },
    ],
    [
      'DR-10: accepts an alias of extKeyUsage 2^64 above it',
      extension('2.5.29.18446744073709551653', der.sequence(der.oid('1.3.6.1.5.5.7.3.2'))),
      {},
    ],
  ])('%s', (_, encoded, fields) => {
    expect(decode(encoded)).toEqual(expected(fields));
  });

  const policy = der.oid('1.2.3');
  it.each<[string, string, Buffer, Partial<Extensions>]>([
    [
      'nameConstraints',
      '2.5.29.30',
      der.sequence(der.explicit(0, der.sequence(der.implicit(2, Buffer.from('a'))))),
      { nameConstraints: { permitted: [{ type: 'dns', value: 'a' }], excluded: [] } },
    ],
    ['certificatePolicies', '2.5.29.32', der.sequence(der.sequence(policy)), { certificatePolicies: ['1.2.3'] }],
    [
      'policyMappings',
      '2.5.29.33',
      der.sequence(der.sequence(policy, der.oid('1.2.4'))),
      { policyMappings: [{ issuerDomain: '1.2.3', subjectDomain: '1.2.4' }] },
    ],
    [
      'policyConstraints',
      '2.5.29.36',
      der.sequence(der.implicit(0, Buffer.of(1))),
      { policyConstraints: { requireExplicitPolicy: 1, inhibitPolicyMapping: undefined } },
    ],
    ['inhibitAnyPolicy', '2.5.29.54', der.integer(0), { inhibitAnyPolicy: 0 }],
  ])('processes %s, critical or not, and nothing after it', (_, type, value, fields) => {
    expect(decode(extension(type, value))).toEqual(expected(fields));
    expect(decode(extension(type, value, critical))).toEqual(expected({ ...criticalTypes(type), ...fields }));
    const bytes = der.sequence(extension(type, Buffer.concat([value, der.null()])));
    expect(() => decodeExtensions(new DerReader(bytes))).toThrowDerError(
      'unexpected data after extension value',
      bytes.length - 2,
    );
  });

  it.each<[string, Buffer, string]>([
    ['negative', der.integer(-1), 'inhibitAnyPolicy is negative'],
    ['of 2^32', der.integer(2 ** 32), 'inhibitAnyPolicy is too large'],
    ['that is not minimal', der.integer(Buffer.of(0, 1)), 'inhibitAnyPolicy is not minimal'],
    ['that is no number', der.sequence(), 'inhibitAnyPolicy expected'],
  ])('PA-16: rejects inhibitAnyPolicy %s', (_, value, reason) => {
    const at = reason.endsWith('expected') ? 0 : 2;
    expect(() => decode(extension('2.5.29.54', value))).toThrowDerError(reason, valueAt + at);
  });

  it('DR-10: does not take a type for another that its octets are summed up alike with', () => {
    // 31 less in the last octet for one more in the octet before it.
    const [known, alias] = ['2.5.29.19', '2.5.28.50'];
    const sum = (type: string): number => Buffer.from(oid(type), 'latin1').reduce(mixOctet, 0);
    expect(sum(alias)).toBe(sum(known));
    const isCa = der.sequence(der.boolean(true));
    expect(decode(extension(alias, isCa, critical))).toEqual(
      expected({ ...criticalTypes(alias), unsupportedCritical: [alias] }),
    );
    expect(decode(extension(alias, isCa), extension(known, isCa)).basicConstraints).toEqual({
      cA: true,
      pathLenConstraint: undefined,
    });
  });

  it('notes every unsupported critical extension', () => {
    const decoded = decode(extension('1.2.3.5', none, critical), extension('1.2.3.4', none, critical));
    expect(decoded).toEqual(
      expected({ ...criticalTypes('1.2.3.5', '1.2.3.4'), unsupportedCritical: ['1.2.3.5', '1.2.3.4'] }),
    );
  });

  const repeated: [string, Buffer, Buffer][] = [
    [
      'basicConstraints, without cA and with it',
      extension(basicConstraints, der.sequence()),
      extension(basicConstraints, der.sequence(der.boolean(true))),
    ],
    [
      'basicConstraints, with cA and without it',
      extension(basicConstraints, der.sequence(der.boolean(true))),
      extension(basicConstraints, der.sequence()),
    ],
    [
      'subjectAltName',
      extension(subjectAltName, der.sequence(der.implicit(2, Buffer.from('a')))),
      extension(subjectAltName, der.sequence(der.implicit(2, Buffer.from('b')))),
    ],
    ['an unknown extension of the same value', extension('1.2.3.4', none), extension('1.2.3.4', none)],
    ['an unknown extension, once critical', extension('1.2.3.4', none), extension('1.2.3.4', none, critical)],
  ];
  it.each(repeated)('DR-04: rejects a repetition of %s', (_, first, second) => {
    const between = extension('1.2.3.5', none);
    expect(() => decode(first, second)).toThrowDerError('extension is repeated', 2 + first.length + 2);
    expect(() => decode(first, between, second)).toThrowDerError(
      'extension is repeated',
      2 + first.length + between.length + 2,
    );
  });

  it.each<[string, Buffer, string, number]>([
    ['DR-05: rejects an empty list', der.sequence(), 'extensions are empty', 2],
    ['rejects something that is not a list', der.set(), 'extensions expected', 0],
    ['rejects an extension that is not a SEQUENCE', der.sequence(der.null()), 'extension expected', 2],
    ['rejects an extension without a type', der.sequence(der.sequence()), 'extension type expected', 4],
    [
      'rejects an extension without a value',
      der.sequence(der.sequence(der.oid(keyUsage))),
      'extension value expected',
      9,
    ],
    [
      'rejects a value that is not an OCTET STRING',
      der.sequence(der.sequence(der.oid(keyUsage), der.bitString(none))),
      'extension value expected',
      9,
    ],
    [
      'rejects something after the value',
      der.sequence(der.sequence(der.oid('1.2.3.4'), der.octetString(none), der.null())),
      'unexpected data after extension',
      11,
    ],
    [
      'rejects critical written as 1',
      der.sequence(extension('1.2.3.4', none, der.boolean(1))),
      'critical is not a DER BOOLEAN',
      11,
    ],
    [
      'rejects critical written as FALSE, its default',
      der.sequence(extension('1.2.3.4', none, der.boolean(false))),
      'critical encodes its default',
      11,
    ],
    [
      'rejects critical twice',
      der.sequence(extension('1.2.3.4', none, Buffer.concat([critical, critical]))),
      'extension value expected',
      12,
    ],
  ])('%s', (_, bytes, reason, offset) => {
    expect(() => decodeExtensions(new DerReader(bytes))).toThrowDerError(reason, offset);
  });

  const tag = (text: string): string => text;
  it.each<[string, string, Buffer, string, number]>([
    ['DR-03: rejects cA written as 1', basicConstraints, der.sequence(der.boolean(1)), 'cA is not a DER BOOLEAN', 4],
    [
      'rejects cA written as FALSE, its default',
      basicConstraints,
      der.sequence(der.boolean(false)),
      'cA encodes its default',
      4,
    ],
    [
      'PA-05: rejects a negative pathLenConstraint',
      basicConstraints,
      der.sequence(critical, der.integer(-1)),
      'pathLenConstraint is negative',
      7,
    ],
    [
      'PA-05: rejects a pathLenConstraint of 2^32',
      basicConstraints,
      der.sequence(critical, der.integer(2 ** 32)),
      'pathLenConstraint is too large',
      7,
    ],
    [
      'rejects a pathLenConstraint before cA',
      basicConstraints,
      der.sequence(der.integer(0), critical),
      'unexpected data after basicConstraints',
      5,
    ],
    ['rejects basicConstraints that are a BOOLEAN', basicConstraints, critical, 'basicConstraints expected', 0],
    ['rejects basicConstraints without contents', basicConstraints, none, 'basicConstraints expected', 0],
    [
      'rejects basicConstraints and an octet',
      basicConstraints,
      Buffer.concat([der.sequence(), Buffer.of(0)]),
      'unexpected data after extension value',
      2,
    ],
    [
      'rejects keyUsage with a trailing zero bit',
      keyUsage,
      der.bitString(Buffer.of(0x80), 6),
      'keyUsage is not a set of named bits',
      2,
    ],
    ['rejects keyUsage that is an OCTET STRING', keyUsage, der.octetString(Buffer.of(0x80)), 'keyUsage expected', 0],
    [
      'rejects keyUsage and another',
      keyUsage,
      Buffer.concat([der.bitString(none), der.bitString(none)]),
      'unexpected data after extension value',
      3,
    ],
    [
      'rejects extKeyUsage that holds text',
      extKeyUsage,
      der.sequence(der.utf8String('clientAuth')),
      'extKeyUsage purpose expected',
      2,
    ],
    [
      'DR-10: rejects extKeyUsage with a purpose of 10 KB',
      extKeyUsage,
      der.sequence(der.tlv(0x06, Buffer.alloc(10_000, 1))),
      'extKeyUsage purpose is too long',
      8,
    ],
    ['rejects extKeyUsage that is one purpose', extKeyUsage, der.oid('1.3.6.1.5.5.7.3.2'), 'extKeyUsage expected', 0],
    ['DR-05: rejects an empty subjectAltName', subjectAltName, der.sequence(), 'subjectAltName is empty', 2],
    [
      'rejects subjectAltName and an octet',
      subjectAltName,
      Buffer.concat([der.sequence(der.implicit(2, Buffer.of(65))), Buffer.of(0)]),
      'unexpected data after extension value',
      5,
    ],
    [
      'rejects subjectKeyIdentifier without an OCTET STRING of its own',
      subjectKeyIdentifier,
      Buffer.of(1, 1, 0xff),
      'subjectKeyIdentifier expected',
      0,
    ],
    [
      'rejects subjectKeyIdentifier and an octet',
      subjectKeyIdentifier,
      Buffer.concat([der.octetString(none), Buffer.of(0)]),
      'unexpected data after extension value',
      2,
    ],
    [
      'rejects authorityKeyIdentifier that is an OCTET STRING',
      authorityKeyIdentifier,
      der.octetString(Buffer.of(1)),
      'authorityKeyIdentifier expected',
      0,
    ],
    [
      'rejects authorityKeyIdentifier with a constructed key identifier',
      authorityKeyIdentifier,
      der.sequence(der.explicit(0, der.octetString(none))),
      'unexpected data after authorityKeyIdentifier',
      2,
    ],
    [
      'rejects authorityKeyIdentifier with a serial number that is not minimal',
      authorityKeyIdentifier,
      der.sequence(der.implicit(2, Buffer.of(0, 5))),
      'authorityCertSerialNumber is not minimal',
      4,
    ],
    [
      'rejects authorityKeyIdentifier with its fields out of order',
      authorityKeyIdentifier,
      der.sequence(der.implicit(2, Buffer.of(5)), der.implicit(0, Buffer.of(5))),
      'unexpected data after authorityKeyIdentifier',
      5,
    ],
  ])('%s', (_, type, value, reason, offset) => {
    // The header of a long value is longer.
    const bytes = der.sequence(extension(type, value));
    expect(() => decodeExtensions(new DerReader(bytes))).toThrowDerError(
      tag(reason),
      bytes.length - value.length + offset,
    );
  });

  it('reads a value as strictly when the extension is critical', () => {
    expect(() => decode(extension(basicConstraints, der.sequence(der.boolean(1)), critical))).toThrowDerError(
      'cA is not a DER BOOLEAN',
      valueAt + 3 + 4,
    );
  });

  const deep: [string, (contents: Buffer) => Buffer][] = [
    ['an unknown extension', (contents) => extension('1.2.3.4', contents)],
    ['an unknown critical extension', (contents) => extension('1.2.3.4', contents, critical)],
    [
      'an otherName in nameConstraints',
      (contents) => extension('2.5.29.30', der.sequence(der.explicit(0, der.sequence(der.explicit(0, contents))))),
    ],
    [
      'a qualifier in certificatePolicies',
      (contents) => extension('2.5.29.32', der.sequence(der.sequence(der.oid('1.2.3'), contents))),
    ],
    [
      'the issuer in authorityKeyIdentifier',
      (contents) => extension(authorityKeyIdentifier, der.sequence(der.explicit(1, contents))),
    ],
    ['a name in subjectAltName', (contents) => extension(subjectAltName, der.sequence(der.explicit(3, contents)))],
  ];
  it.each(deep)('DR-08: rejects %s nested 300 and 5000 deep, and accepts 30', (_, encode) => {
    for (const depth of [300, 5_000]) {
      expect(() => decode(encode(nested(depth)))).toThrow(expect.objectContaining({ reason: 'nested too deeply' }));
    }
    expect(() => decode(encode(nested(30)))).not.toThrow();
  });

  it('DR-09: accepts an unknown extension of 5,000 empty items', () => {
    expect(decode(extension('1.2.3.4', der.sequence(Buffer.alloc(10_000, '3000', 'hex'))))).toEqual(noExtensions());
  });

  const many = (count: number): Buffer[] =>
    Array.from({ length: count }, (_, index) => extension(`1.2.3.${index}`, none, critical));
  it('accepts 64 extensions', () => {
    expect(decode(...many(64)).unsupportedCritical).toHaveLength(64);
  });

  it.each([65, 10_000])('DR-09: rejects %i extensions', (count) => {
    expect(() => decode(...many(count))).toThrow(expect.objectContaining({ reason: 'too many extensions' }));
  });
});
