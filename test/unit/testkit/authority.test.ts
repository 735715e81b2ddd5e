import { X509Certificate, createPrivateKey } from 'node:crypto';
import { TEST_TIME, createAuthority, daysFromTestTime, generateKey, selfSigned } from '@peercert/testkit';

const read = (certificate: { readonly der: Uint8Array }): X509Certificate => new X509Certificate(certificate.der);

describe('test authority', () => {
  const root = createAuthority({ subject: 'CN=Root,O=Example' });
  const intermediate = root.issueIntermediate({ subject: 'CN=Intermediate' });
  const client = intermediate.issue();

  it('makes a root that is a self-signed CA', () => {
    const certificate = read(root);
    expect(certificate.subject).toBe('CN=Root\nO=Example');
    expect(certificate.ca).toBe(true);
    expect(certificate.checkIssued(certificate)).toBe(true);
    expect(certificate.verify(root.key.publicKey)).toBe(true);
  });

  it('issues a client certificate that verifies up to the root', () => {
    expect(read(client).ca).toBe(false);
    expect(read(client).subject).toBe('CN=client');
    expect(read(client).keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(read(client).checkIssued(read(intermediate))).toBe(true);
    expect(read(client).verify(intermediate.key.publicKey)).toBe(true);
    expect(read(intermediate).checkIssued(read(root))).toBe(true);
    expect(read(intermediate).verify(root.key.publicKey)).toBe(true);
  });

  it('lists the path from the issuer up, without and with the root', () => {
    expect(client.chain).toEqual([intermediate.der]);
    expect(client.chainWithRoot).toEqual([intermediate.der, root.der]);
    expect(root.issue().chain).toEqual([]);
    expect(root.issue().chainWithRoot).toEqual([root.der]);
    expect(root.chainWithRoot).toEqual([]);
    expect(intermediate.issueIntermediate().issue().chain).toHaveLength(2);
  });

  it('writes PEM that reads back to the same certificate and key', () => {
    expect(new X509Certificate(client.pem).raw).toEqual(client.der);
    expect(client.chainPem).toBe(client.pem + intermediate.pem);
    expect(read(client).checkPrivateKey(createPrivateKey(client.privateKeyPem))).toBe(true);
  });

  it('makes certificates valid around TEST_TIME, authorities for longer', () => {
    expect(TEST_TIME.toISOString()).toBe('2026-06-01T12:00:00.000Z');
    expect(new Date(read(client).validFrom)).toEqual(daysFromTestTime(-1));
    expect(new Date(read(client).validTo)).toEqual(daysFromTestTime(365));
    expect(new Date(read(intermediate).validFrom)).toEqual(daysFromTestTime(-365));
    expect(new Date(read(intermediate).validTo)).toEqual(daysFromTestTime(3650));
  });

  it('gives every authority a name of its own and every certificate a positive serial number of its own', () => {
    expect(createAuthority().subject).not.toEqual(createAuthority().subject);
    expect(root.issueIntermediate().subject).not.toEqual(root.subject);
    const serials = Array.from({ length: 20 }, () => read(root.issue({ key: client.key })).serialNumber);
    expect(new Set(serials).size).toBe(20);
    expect(serials.every((serial) => /^[4-7][0-9A-F]{31}$/.test(serial))).toBe(true);
  });

  it('cross-signs the name and key of another authority, so that both paths verify', () => {
    const other = createAuthority();
    const crossed = root.crossSign(other);
    const issued = crossed.issue();

    expect(crossed.subject).toEqual(other.subject);
    expect(crossed.subjectKeyIdentifier).toEqual(other.subjectKeyIdentifier);
    expect(read(crossed).verify(root.key.publicKey)).toBe(true);
    expect(issued.chainWithRoot).toEqual([crossed.der, root.der]);
    expect(read(issued).checkIssued(read(other))).toBe(true);
    expect(read(issued).verify(other.key.publicKey)).toBe(true);
  });

  it('makes a look-alike with the same name and key identifier, whose signatures do not verify', () => {
    const { subject, subjectKeyIdentifier = 'absent' } = root;
    const lookAlike = createAuthority({ subject, subjectKeyIdentifier });
    const issued = read(lookAlike.issue());

    expect(issued.checkIssued(read(root))).toBe(true);
    expect(issued.verify(root.key.publicKey)).toBe(false);
    expect(issued.verify(lookAlike.key.publicKey)).toBe(true);
  });

  it('makes a self-issued certificate with a new key of the same name', () => {
    const rollover = root.issueIntermediate({ subject: root.subject });
    expect(read(rollover).subject).toBe(read(rollover).issuer);
    expect(read(rollover).verify(root.key.publicKey)).toBe(true);
    expect(read(rollover).verify(rollover.key.publicKey)).toBe(false);
    expect(rollover.issue().chain).toEqual([rollover.der]);
  });

  it('makes a self-signed end-entity certificate with no path', () => {
    const certificate = selfSigned({ subject: 'CN=alone' });
    expect(read(certificate).ca).toBe(false);
    expect(read(certificate).issuer).toBe('CN=alone');
    expect(read(certificate).verify(certificate.key.publicKey)).toBe(true);
    expect(certificate.chainWithRoot).toEqual([]);
  });

  it('keeps the key that is given', () => {
    const key = generateKey('ed25519');
    expect(root.issue({ key }).key).toBe(key);
    expect(read(root.issue({ key })).publicKey.equals(key.publicKey)).toBe(true);
  });
});
