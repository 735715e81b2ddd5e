import { X509Certificate } from 'node:crypto';
import { type NameAttribute, createAuthority, der, encodeName } from '@peercert/testkit';

const root = createAuthority();
const cn = (value: string): NameAttribute => ({ type: 'CN', value });

describe('distinguished name', () => {
  it('reads text in the order written', () => {
    const { der: encoded } = root.issue({ subject: 'CN=device-1,O=Example,C=FR' });
    expect(new X509Certificate(encoded).subject).toBe('CN=device-1\nO=Example\nC=FR');
  });

  it('reads empty text as the empty name', () => {
    expect(encodeName('').toString('hex')).toBe('3000');
    expect(new X509Certificate(root.issue({ subject: '', uris: ['urn:a'] }).der).subject).toBeFalsy();
  });

  it('keeps DER as it is', () => {
    const name = der.sequence(der.set(der.sequence(der.oid('2.5.4.3'), der.integer(1))));
    expect(encodeName(name)).toEqual(name);
    expect(root.issue({ subject: name }).subject).toEqual(name);
  });

  it('writes two CNs and a multi-valued relative distinguished name, sorted as DER wants', () => {
    const { der: encoded } = root.issue({ subject: [cn('a'), cn('b'), [{ type: 'OU', value: 'x' }, cn('c')]] });
    expect(new X509Certificate(encoded).subject).toBe('CN=a\nCN=b\nCN=c + OU=x');
  });

  it.each([
    ['utf8String', 0x0c],
    ['printableString', 0x13],
    ['teletexString', 0x14],
    ['ia5String', 0x16],
    ['bmpString', 0x1e],
  ] as const)('writes %s with tag %i', (as, tag) => {
    const encoded = encodeName([{ type: 'CN', value: 'a', as }]);
    expect(encoded.at(11)).toBe(tag);
  });

  it.each([
    ['CN', 0x0c],
    ['C', 0x13],
    ['serialNumber', 0x13],
    ['2.5.4.10', 0x0c],
  ])('writes %s with tag %i by default', (type, tag) => {
    expect(encodeName([{ type, value: 'FR' }]).at(11)).toBe(tag);
  });

  it('writes a value given as octets as it is', () => {
    const value = der.octetString(Uint8Array.of(1, 2));
    expect(encodeName([{ type: '1.2.3', value }])).toEqual(
      der.sequence(der.set(der.sequence(der.oid('1.2.3'), value))),
    );
  });

  it('refuses an attribute type that is neither known nor an object identifier', () => {
    expect(() => encodeName([{ type: 'NOPE', value: 'a' }])).toThrow(TypeError);
  });
});
