import { X509Certificate, verify } from 'node:crypto';
import { AsnConvert } from '@peculiar/asn1-schema';
import { Certificate } from '@peculiar/asn1-x509';
import { algorithmIdentifier, createAuthority, der, type RawFields } from '@peercert/testkit';

const root = createAuthority({ subject: 'CN=Root' });
const empty = Buffer.alloc(0);

const decode = (certificate: { readonly der: Uint8Array }): Certificate =>
  AsnConvert.parse(certificate.der, Certificate);

/** True when the issuer's key verifies the signature over the TBSCertificate as it stands. */
function isSigned(certificate: { readonly der: Buffer }): boolean {
  const { tbsCertificateRaw, signatureValue } = decode(certificate);
  if (!tbsCertificateRaw) throw new Error('no TBSCertificate');
  return verify('sha256', Buffer.from(tbsCertificateRaw), root.key.publicKey, Buffer.from(signatureValue));
}

describe('certificate fields', () => {
  it.each([
    [1, '01'],
    [0, '00'],
    [-1, 'ff'],
    [2n ** 200n, `01${'00'.repeat(25)}`],
    [Uint8Array.of(0, 0, 7), '000007'],
    [new Uint8Array(0), ''],
  ])('writes serial number %s as %s', (serialNumber, expected) => {
    const { tbsCertificate } = decode(root.issue({ serialNumber }));
    expect(Buffer.from(tbsCertificate.serialNumber).toString('hex')).toBe(expected);
  });

  it('writes UTCTime through 2049 and GeneralizedTime from 2050', () => {
    const { der: encoded } = root.issue({
      notBefore: new Date('2049-12-31T23:59:59Z'),
      notAfter: new Date('2050-01-01T00:00:00Z'),
    });
    const validity = der.sequence(der.utcTime('491231235959Z'), der.generalizedTime('20500101000000Z'));
    expect(encoded.includes(validity)).toBe(true);
  });

  it('refuses a signature algorithm that does not suit the issuer key', () => {
    expect(() => root.issue({ signatureAlgorithm: 'rsa-sha256' })).toThrow(TypeError);
  });
});

describe('raw fields', () => {
  const rawFields: [keyof RawFields, Buffer][] = [
    ['version', der.explicit(0, der.integer(3))],
    ['serialNumber', der.tlv(0x02, Uint8Array.of(5), { lengthOctets: 2 })],
    ['signature', der.sequence(der.oid('1.2.3.4'), der.octetString(Uint8Array.of(1)))],
    ['issuer', der.sequence(der.set(der.sequence(der.oid('2.5.4.3'), der.bmpString('elsewhere'))))],
    ['validity', der.sequence(der.utcTime('269999999999Z'), der.generalizedTime('never'))],
    ['subject', der.sequence(der.set())],
    ['subjectPublicKeyInfo', der.sequence(der.sequence(der.oid('1.2.3.5')), der.bitString(Uint8Array.of(9)))],
    ['issuerUniqueID', der.implicit(1, Uint8Array.of(0, 1))],
    ['subjectUniqueID', der.implicit(2, Uint8Array.of(0, 2))],
    ['extensions', der.explicit(3, der.sequence())],
  ];

  it.each(rawFields)('replaces %s before signing', (field, encoded) => {
    const certificate = root.issue({ raw: { [field]: encoded } });
    const signedPart = certificate.der.subarray(0, certificate.der.length - 64);
    expect(signedPart.includes(encoded)).toBe(true);
    const outer = algorithmIdentifier('ecdsa-sha256');
    const start = certificate.der.lastIndexOf(outer);
    const signature = certificate.der.subarray(start + outer.length + 3);
    expect(verify('sha256', certificate.der.subarray(4, start), root.key.publicKey, signature)).toBe(true);
  });

  it('omits version and extensions for empty encodings: a version 1 certificate, signed', () => {
    const certificate = root.issue({ raw: { version: empty, extensions: empty } });
    const { tbsCertificate } = decode(certificate);
    expect(tbsCertificate.version).toBe(0);
    expect(tbsCertificate.extensions).toBeUndefined();
    expect(isSigned(certificate)).toBe(true);
  });

  it('replaces the outer signature algorithm and leaves the inner one', () => {
    const certificate = decode(root.issue({ raw: { signatureAlgorithm: algorithmIdentifier('ecdsa-sha384') } }));
    expect(certificate.tbsCertificate.signature.algorithm).toBe('1.2.840.10045.4.3.2');
    expect(certificate.signatureAlgorithm.algorithm).toBe('1.2.840.10045.4.3.3');
  });

  it('replaces the signature value', () => {
    const certificate = root.issue({ raw: { signatureValue: der.bitString(Uint8Array.of(1, 2, 3)) } });
    expect(certificate.der.subarray(-6).toString('hex')).toBe('030400010203');
    expect(new X509Certificate(certificate.der).verify(root.key.publicKey)).toBe(false);
  });

  it('replaces the whole TBSCertificate, signed', () => {
    const tbsCertificate = der.sequence(der.integer(1));
    const { der: encoded } = root.issue({ raw: { tbsCertificate } });
    const signatureStart = encoded.indexOf(algorithmIdentifier('ecdsa-sha256')) + 12;
    expect(encoded.includes(tbsCertificate)).toBe(true);
    expect(verify('sha256', tbsCertificate, root.key.publicKey, encoded.subarray(signatureStart + 3))).toBe(true);
  });

  it('makes a version 1 root that issues certificates under its raw subject', () => {
    const subject = der.sequence(der.set(der.sequence(der.oid('2.5.4.3'), der.teletexString('Vieux'))));
    const old = createAuthority({ raw: { subject, version: empty, extensions: empty } });
    const issued = new X509Certificate(old.issue().der);

    expect(old.subject).toEqual(subject);
    expect(new X509Certificate(old.der).verify(old.key.publicKey)).toBe(true);
    expect(issued.issuer).toBe('CN=Vieux');
    expect(issued.verify(old.key.publicKey)).toBe(true);
  });
});
