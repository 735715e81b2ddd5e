import { der } from '@peercert/testkit';
import { DerReader } from '../../../../packages/core/src/x509/der';
import {
  decodeCertificatePolicies,
  decodePolicyConstraints,
  decodePolicyMappings,
} from '../../../../packages/core/src/x509/policies';
import { nested } from '../../../support/encodings';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const policies = (bytes: Buffer): readonly string[] => decodeCertificatePolicies(new DerReader(bytes));
const mappings = (bytes: Buffer): unknown => decodePolicyMappings(new DerReader(bytes));
const constraints = (bytes: Buffer): unknown => decodePolicyConstraints(new DerReader(bytes));

const oids = (...dotted: readonly string[]): Buffer => der.sequence(...dotted.map((each) => der.oid(each)));

describe('certificatePolicies', () => {
  const qualifiers = der.sequence(der.sequence(der.oid('1.3.6.1.5.5.7.2.1'), der.ia5String('https://example.com')));

  it.each<[string, Buffer, readonly string[]]>([
    ['one policy', der.sequence(oids('1.2.3')), ['1.2.3']],
    ['anyPolicy', der.sequence(oids('2.5.29.32.0')), ['2.5.29.32.0']],
    ['several, in their order', der.sequence(oids('1.2.4'), oids('1.2.3')), ['1.2.4', '1.2.3']],
    ['qualifiers, which say nothing here', der.sequence(der.sequence(der.oid('1.2.3'), qualifiers)), ['1.2.3']],
    ['qualifiers without any', der.sequence(der.sequence(der.oid('1.2.3'), der.sequence())), ['1.2.3']],
    [
      'policies 2^32 and 2^64 apart',
      der.sequence(oids('1.2.3'), oids('1.2.4294967299'), oids('1.2.18446744073709551619')),
      ['1.2.3', '1.2.4294967299', '1.2.18446744073709551619'],
    ],
  ])('accept %s', (_, bytes, expected) => {
    expect(policies(bytes)).toEqual(expected);
  });

  it.each<[string, Buffer, string, number]>([
    ['PA-16: reject an empty list', der.sequence(), 'certificatePolicies are empty', 2],
    ['reject something that is not a list', der.set(oids('1.2.3')), 'certificatePolicies expected', 0],
    ['reject a policy that is not a SEQUENCE', oids('1.2.3'), 'certificatePolicies expected', 2],
    ['reject a policy without its OID', der.sequence(der.sequence()), 'certificatePolicies: policy expected', 4],
    [
      'PA-16: reject a policy that is repeated',
      der.sequence(oids('1.2.3'), oids('1.2.4'), oids('1.2.3')),
      'certificatePolicies repeat a policy',
      14,
    ],
    [
      'PA-16: reject anyPolicy that is repeated, once with qualifiers',
      der.sequence(oids('2.5.29.32.0'), der.sequence(der.oid('2.5.29.32.0'), qualifiers)),
      'certificatePolicies repeat a policy',
      10,
    ],
    [
      'reject a policy that is not minimal',
      der.sequence(der.sequence(der.tlv(6, Buffer.of(0x80, 1)))),
      'certificatePolicies: policy is not minimal',
      6,
    ],
    [
      'reject qualifiers that are not a SEQUENCE',
      der.sequence(der.sequence(der.oid('1.2.3'), der.utf8String('a'))),
      'unexpected data after certificatePolicies: policy',
      8,
    ],
    [
      'reject qualifiers twice',
      der.sequence(der.sequence(der.oid('1.2.3'), der.sequence(), der.sequence())),
      'unexpected data after certificatePolicies: policy',
      10,
    ],
  ])('%s', (_, bytes, reason, offset) => {
    expect(() => policies(bytes)).toThrowDerError(reason, offset);
  });

  it('DR-08: reject qualifiers nested 300 and 5000 deep, and accept 30', () => {
    const withQualifiers = (depth: number): Buffer => der.sequence(der.sequence(der.oid('1.2.3'), nested(depth)));
    for (const depth of [300, 5_000]) {
      expect(() => policies(withQualifiers(depth))).toThrow(expect.objectContaining({ reason: 'nested too deeply' }));
    }
    expect(policies(withQualifiers(30))).toEqual(['1.2.3']);
  });
});

describe('policyMappings', () => {
  it.each<[string, Buffer, readonly (readonly [string, string])[]]>([
    ['one', der.sequence(oids('1.2.3', '1.2.4')), [['1.2.3', '1.2.4']]],
    [
      'one to many and many to one, in their order',
      der.sequence(oids('1.2.3', '1.2.5'), oids('1.2.3', '1.2.4'), oids('1.2.6', '1.2.4')),
      [
        ['1.2.3', '1.2.5'],
        ['1.2.3', '1.2.4'],
        ['1.2.6', '1.2.4'],
      ],
    ],
    [
      'anyPolicy, which the path is refused for',
      der.sequence(oids('2.5.29.32.0', '1.2.4')),
      [['2.5.29.32.0', '1.2.4']],
    ],
  ])('accept %s', (_, bytes, expected) => {
    expect(mappings(bytes)).toEqual(expected.map(([issuerDomain, subjectDomain]) => ({ issuerDomain, subjectDomain })));
  });

  it.each<[string, Buffer, string, number]>([
    ['PA-16: reject an empty list', der.sequence(), 'policyMappings are empty', 2],
    ['reject something that is not a list', der.null(), 'policyMappings expected', 0],
    ['reject a mapping that is not a SEQUENCE', der.sequence(der.null()), 'policyMappings expected', 2],
    [
      'reject a mapping without policies',
      der.sequence(der.sequence()),
      'policyMappings: issuerDomainPolicy expected',
      4,
    ],
    ['reject a mapping of one policy', der.sequence(oids('1.2.3')), 'policyMappings: subjectDomainPolicy expected', 8],
    [
      'reject a mapping of three policies',
      der.sequence(oids('1.2.3', '1.2.4', '1.2.5')),
      'unexpected data after policyMappings',
      12,
    ],
  ])('%s', (_, bytes, reason, offset) => {
    expect(() => mappings(bytes)).toThrowDerError(reason, offset);
  });
});

describe('policyConstraints', () => {
  const field = (number: number, ...octets: readonly number[]): Buffer => der.implicit(number, Buffer.from(octets));

  it.each<[string, Buffer, number | undefined, number | undefined]>([
    ['requireExplicitPolicy', der.sequence(field(0, 0)), 0, undefined],
    ['inhibitPolicyMapping', der.sequence(field(1, 3)), undefined, 3],
    ['both', der.sequence(field(0, 1), field(1, 2)), 1, 2],
    ['the greatest', der.sequence(field(0, 0, 0xff, 0xff, 0xff, 0xff)), 2 ** 32 - 1, undefined],
  ])('accept %s', (_, bytes, requireExplicitPolicy, inhibitPolicyMapping) => {
    expect(constraints(bytes)).toEqual({ requireExplicitPolicy, inhibitPolicyMapping });
  });

  it.each<[string, Buffer, string, number]>([
    ['PA-16: reject neither of the two', der.sequence(), 'policyConstraints are empty', 2],
    ['reject something that is not a SEQUENCE', der.integer(0), 'policyConstraints expected', 0],
    ['reject a negative number', der.sequence(field(0, 0x80)), 'policyConstraints is negative', 4],
    ['reject a number that is not minimal', der.sequence(field(1, 0, 1)), 'policyConstraints is not minimal', 4],
    ['reject no number', der.sequence(field(0)), 'policyConstraints is empty', 4],
    ['PA-16: reject 2^32', der.sequence(field(0, 1, 0, 0, 0, 0)), 'policyConstraints is too large', 4],
    [
      'reject the two in the other order',
      der.sequence(field(1, 0), field(0, 0)),
      'unexpected data after policyConstraints',
      5,
    ],
    ['reject one of them twice', der.sequence(field(0, 0), field(0, 0)), 'unexpected data after policyConstraints', 5],
    ['reject an unknown field', der.sequence(field(2, 0)), 'unexpected data after policyConstraints', 2],
    [
      'reject an explicitly tagged number',
      der.sequence(der.explicit(0, der.integer(0))),
      'unexpected data after policyConstraints',
      2,
    ],
  ])('%s', (_, bytes, reason, offset) => {
    expect(() => constraints(bytes)).toThrowDerError(reason, offset);
  });
});
