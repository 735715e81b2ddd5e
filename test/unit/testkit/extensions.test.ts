import { X509Certificate } from 'node:crypto';
import { type CertificateFields, createAuthority, der } from '@peercert/testkit'; // loads what @peculiar/x509 needs first
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  CertificatePolicyExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate as PeculiarCertificate,
} from '@peculiar/x509';
import { AsnConvert } from '@peculiar/asn1-schema';
import { NameConstraints, PolicyConstraints } from '@peculiar/asn1-x509';

const root = createAuthority({ subject: 'CN=Root' });
const issue = (fields: CertificateFields): PeculiarCertificate => new PeculiarCertificate(root.issue(fields).der);
const oids = (fields: CertificateFields): string[] => issue(fields).extensions.map(({ type }) => type);

/** extnValue of the first extension with this identifier; empty when there is none. */
function valueOf(certificate: PeculiarCertificate, oid: string): Buffer {
  const extension = certificate.getExtension(oid);
  return extension ? Buffer.from(extension.value) : Buffer.alloc(0);
}

const none: CertificateFields = {
  keyUsage: 'absent',
  extKeyUsage: 'absent',
  subjectKeyIdentifier: 'absent',
  authorityKeyIdentifier: 'absent',
};

describe('subjectAltName', () => {
  it('lists every kind of name as node:crypto reads it', () => {
    const certificate = new X509Certificate(
      root.issue({
        uris: ['spiffe://example.org/a', 'urn:b'],
        dnsNames: ['a.example.org'],
        emails: ['a@example.org'],
        ipAddresses: ['192.0.2.1', '2001:db8::1'],
        directoryNames: ['CN=other'],
      }).der,
    );
    expect(certificate.subjectAltName?.replace('CN = ', 'CN=')).toBe(
      'URI:spiffe://example.org/a, URI:urn:b, DNS:a.example.org, email:a@example.org, IP Address:192.0.2.1, ' +
        'IP Address:2001:DB8:0:0:0:0:0:1, DirName:CN=other',
    );
  });

  it('is absent without names, and what is given when it is given raw', () => {
    expect(oids({})).not.toContain('2.5.29.17');
    const value = der.sequence(der.implicit(6, Buffer.from('a\0b')));
    expect(valueOf(issue({ subjectAltName: value, uris: ['urn:not-used'] }), '2.5.29.17')).toEqual(value);
  });

  it.each<[string, CertificateFields, boolean]>([
    ['critical when the subject is empty', { subject: '' }, true],
    ['not critical when there is a subject', { subject: 'CN=a' }, false],
    ['critical when asked', { subject: 'CN=a', subjectAltNameCritical: true }, true],
    ['not critical when asked, for an empty subject too', { subject: '', subjectAltNameCritical: false }, false],
  ])('is %s', (_name, fields, expected) => {
    expect(issue({ ...fields, uris: ['urn:a'] }).getExtension('2.5.29.17')?.critical).toBe(expected);
  });
});

describe('extensions', () => {
  it('are the usual ones of a client certificate by default', () => {
    expect(oids({})).toEqual(['2.5.29.15', '2.5.29.37', '2.5.29.14', '2.5.29.35']);
  });

  it('are left out altogether when every one is absent', () => {
    expect(root.issue(none).der.includes(der.oid('2.5.29.15'))).toBe(false);
    expect(oids(none)).toEqual([]);
  });

  it('carry the key identifiers of the certificate and its issuer', () => {
    const client = root.issue();
    const certificate = new PeculiarCertificate(client.der);
    expect(certificate.getExtension(SubjectKeyIdentifierExtension)?.keyId).toBe(
      client.subjectKeyIdentifier?.toString('hex'),
    );
    expect(certificate.getExtension(AuthorityKeyIdentifierExtension)?.keyId).toBe(
      root.subjectKeyIdentifier?.toString('hex'),
    );
  });

  it('compute the key identifier as @peculiar/x509 does', async () => {
    const expected = await SubjectKeyIdentifierExtension.create(new PeculiarCertificate(root.der).publicKey);
    expect(root.subjectKeyIdentifier?.toString('hex')).toBe(expected.keyId);
  });

  it('leave authorityKeyIdentifier out when the issuer has no subjectKeyIdentifier', () => {
    const anonymous = createAuthority({ subjectKeyIdentifier: 'absent' });
    const certificate = new PeculiarCertificate(anonymous.issue().der);
    expect(certificate.getExtension('2.5.29.35')).toBeNull();
  });

  it.each<[string, CertificateFields['keyUsage'] & object, number]>([
    ['digitalSignature', ['digitalSignature'], KeyUsageFlags.digitalSignature],
    ['the two of a CA', ['cRLSign', 'keyCertSign'], KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign],
    ['decipherOnly, in the second octet', ['decipherOnly'], KeyUsageFlags.decipherOnly],
  ])('write keyUsage with %s', (_name, keyUsage, expected) => {
    expect(issue({ keyUsage }).getExtension(KeyUsagesExtension)?.usages).toBe(expected);
  });

  it.each<[string, CertificateFields['keyUsage'] & object, string]>([
    ['digitalSignature', ['digitalSignature'], '03020780'],
    ['encipherOnly', ['encipherOnly'], '03020001'],
    ['decipherOnly', ['decipherOnly'], '0303070080'],
    ['none', [], '030100'],
  ])('write keyUsage with %s as DER, without zero bits at its end', (_name, keyUsage, expected) => {
    expect(valueOf(issue({ keyUsage }), '2.5.29.15').toString('hex')).toBe(expected);
  });

  it.each<[string, CertificateFields['basicConstraints'] & object, boolean, number | undefined]>([
    ['cA', { ca: true }, true, undefined],
    ['cA and pathLenConstraint 0', { ca: true, pathLenConstraint: 0 }, true, 0],
    ['cA FALSE', { ca: false }, false, undefined],
    ['pathLenConstraint without cA', { ca: false, pathLenConstraint: 1 }, false, 1],
  ])('write basicConstraints with %s', (_name, basicConstraints, ca, pathLength) => {
    const extension = issue({ basicConstraints }).getExtension(BasicConstraintsExtension);
    expect(extension?.critical).toBe(true);
    expect(extension?.ca).toBe(ca);
    expect(extension?.pathLength).toBe(pathLength);
  });

  it('write extKeyUsage from names and object identifiers, in order', () => {
    const { der: encoded } = root.issue({ extKeyUsage: ['serverAuth', '1.2.3', 'anyExtendedKeyUsage'] });
    expect(new X509Certificate(encoded).keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.2.3', '2.5.29.37.0']);
    expect(valueOf(issue({ extKeyUsage: [] }), '2.5.29.37').toString('hex')).toBe('3000');
  });

  it('write name constraints', () => {
    const certificate = issue({
      nameConstraints: {
        permitted: { dnsNames: ['example.org'], ipAddresses: ['192.0.2.0/24'] },
        excluded: { uris: ['.evil.example'], directoryNames: ['CN=no'] },
      },
    });
    const value = AsnConvert.parse(valueOf(certificate, '2.5.29.30'), NameConstraints);
    expect(certificate.getExtension('2.5.29.30')?.critical).toBe(true);
    expect(value.permittedSubtrees?.map(({ base }) => base.dNSName ?? base.iPAddress)).toEqual([
      'example.org',
      '192.0.2.0/24',
    ]);
    expect(value.excludedSubtrees?.[0]?.base.uniformResourceIdentifier).toBe('.evil.example');
    expect(value.excludedSubtrees?.[1]?.base.directoryName).toBeDefined();
  });

  it('write policies and their constraints', () => {
    const certificate = issue({
      certificatePolicies: ['1.2.3', '2.5.29.32.0'],
      policyConstraints: { requireExplicitPolicy: 0, inhibitPolicyMapping: 200 },
      inhibitAnyPolicy: 1,
    });
    const constraints = valueOf(certificate, '2.5.29.36');
    expect(certificate.getExtension(CertificatePolicyExtension)?.policies).toEqual(['1.2.3', '2.5.29.32.0']);
    expect(constraints.toString('hex')).toBe('3007800100810200c8');
    expect(AsnConvert.parse(constraints, PolicyConstraints).requireExplicitPolicy).toBeDefined();
    expect(valueOf(certificate, '2.5.29.54').toString('hex')).toBe('020101');
  });

  it('append raw extensions after the others, duplicates included', () => {
    const extra = { oid: '1.2.3', critical: true, value: der.null() };
    const certificate = issue({ extensions: [extra, extra] });
    expect(certificate.extensions.map(({ type }) => type).slice(-2)).toEqual(['1.2.3', '1.2.3']);
    const [last] = certificate.extensions.slice(-1);
    expect(last && Buffer.from(last.value)).toEqual(extra.value);
    expect(last?.critical).toBe(true);
  });
});
