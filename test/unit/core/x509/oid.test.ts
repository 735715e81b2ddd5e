import { der } from '@peercert/testkit';
import { dottedOid, oid } from '../../../../packages/core/src/x509/oid';

const contents = (dotted: string): string => der.oid(dotted).toString('latin1', 2);

const identifiers = [
  '0.0',
  '0.39',
  '1.0',
  '1.39',
  '2.0',
  '2.39',
  '2.40',
  '2.47',
  '2.48',
  '2.999',
  '1.2.840.113549.1.1.11',
  '2.5.29.37.0',
  '2.5.29.127',
  '2.5.29.128',
  '2.5.29.16383',
  '2.5.29.16384',
  '1.2.4294967295',
  '1.2.4294967296',
  '1.2.9007199254740991',
];

describe('an object identifier', () => {
  it.each(identifiers)('encodes %s', (dotted) => {
    expect(oid(dotted)).toBe(contents(dotted));
  });

  it.each([
    ...identifiers,
    '2.5.29.4294967315',
    '1.2.18446744073709551616',
    '2.340282366920938463463374607431768211456',
    `1.2.${'9'.repeat(100)}.3`,
  ])('decodes %s', (dotted) => {
    expect(dottedOid(contents(dotted))).toBe(dotted);
  });

  it.each([
    [32, 2n ** 32n],
    [53, 2n ** 53n],
    [64, 2n ** 64n],
  ])('DR-10: does not mistake an arc for the one 2^%i below it', (_, power) => {
    const alias = `2.5.29.${19n + power}`;
    expect(contents(alias)).not.toBe(oid('2.5.29.19'));
    expect(dottedOid(contents(alias))).toBe(alias);
  });
});
