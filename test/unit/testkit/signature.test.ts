import { X509Certificate } from 'node:crypto';
import { AsnConvert } from '@peculiar/asn1-schema';
import { AlgorithmIdentifier, Certificate } from '@peculiar/asn1-x509';
import { type SignatureAlgorithm, algorithmIdentifier, createAuthority, generateKey } from '@peercert/testkit';

const keys = {
  p256: generateKey(),
  p384: generateKey('p384'),
  p521: generateKey('p521'),
  secp256k1: generateKey('secp256k1'),
  ed25519: generateKey('ed25519'),
  ed448: generateKey('ed448'),
  rsa2048: generateKey('rsa2048'),
  'rsa-pss2048': generateKey('rsa-pss2048'),
};

describe('signatures', () => {
  it.each<[keyof typeof keys, SignatureAlgorithm]>([
    ['p256', 'ecdsa-sha1'],
    ['p256', 'ecdsa-sha256'],
    ['p256', 'ecdsa-sha384'],
    ['p256', 'ecdsa-sha512'],
    ['rsa2048', 'rsa-md5'],
    ['rsa2048', 'rsa-sha1'],
    ['rsa2048', 'rsa-sha256'],
    ['rsa2048', 'rsa-sha384'],
    ['rsa2048', 'rsa-sha512'],
    ['rsa2048', 'rsa-pss-sha256'],
    ['rsa2048', 'rsa-pss-sha384'],
    ['rsa2048', 'rsa-pss-sha512'],
    ['rsa-pss2048', 'rsa-pss-sha256'],
    ['ed25519', 'ed25519'],
    ['ed448', 'ed448'],
  ])('%s signs with %s, and node:crypto verifies', (key, signatureAlgorithm) => {
    const authority = createAuthority({ key: keys[key], signatureAlgorithm });
    expect(new X509Certificate(authority.der).verify(keys[key].publicKey)).toBe(true);
    const { tbsCertificate, signatureAlgorithm: outer } = AsnConvert.parse(authority.der, Certificate);
    const expected = AsnConvert.parse(algorithmIdentifier(signatureAlgorithm), AlgorithmIdentifier);
    expect(outer).toEqual(expected);
    expect(tbsCertificate.signature).toEqual(expected);
  });

  it.each<[keyof typeof keys, SignatureAlgorithm]>([
    ['p256', 'ecdsa-sha256'],
    ['p384', 'ecdsa-sha384'],
    ['p521', 'ecdsa-sha512'],
    ['secp256k1', 'ecdsa-sha256'],
    ['rsa2048', 'rsa-sha256'],
    ['rsa-pss2048', 'rsa-pss-sha256'],
    ['ed25519', 'ed25519'],
    ['ed448', 'ed448'],
  ])('%s signs with %s by default', (key, expected) => {
    const issued = createAuthority({ key: keys[key] }).issue({ key: keys.p256 });
    expect(issued.der.includes(algorithmIdentifier(expected))).toBe(true);
    expect(new X509Certificate(issued.der).verify(keys[key].publicKey)).toBe(true);
  });
});

describe('keys', () => {
  it('are distinct at each call', () => {
    expect(generateKey().publicKey.equals(generateKey().publicKey)).toBe(false);
  });

  it('have the modulus and exponent asked for', () => {
    expect(generateKey({ rsaBits: 1024, publicExponent: 3 }).publicKey.asymmetricKeyDetails).toMatchObject({
      modulusLength: 1024,
      publicExponent: 3n,
    });
    expect(keys['rsa-pss2048'].publicKey.asymmetricKeyType).toBe('rsa-pss');
  });

  it('are refused by a name that is not one', () => {
    // @ts-expect-error -- no such name
    expect(() => generateKey('p257')).toThrow(TypeError);
  });
});
