import { TrustStore, validatePath } from '@peercert/core';
import {
  type CertificateFields,
  createAuthority,
  der,
  TEST_TIME,
  type TestAuthority,
  type TestCertificate,
} from '@peercert/testkit';

const subjectKeyIdentifier = '2.5.29.14';
const authorityKeyIdentifier = '2.5.29.35';
const nameConstraints = '2.5.29.30';
const policyConstraints = '2.5.29.36';
const inhibitAnyPolicy = '2.5.29.54';
const authorityInfoAccess = '1.3.6.1.5.5.7.1.1';

const root = createAuthority();

async function verdict(
  client: TestCertificate,
  anchor: TestAuthority,
  profile: 'rfc5280' | 'path-validation',
): Promise<unknown> {
  try {
    await validatePath({
      endEntity: client.der,
      intermediates: client.chain,
      trust: TrustStore.fromDer([anchor.der]),
      time: TEST_TIME,
      rules: { profile },
    });
    return 'accepted';
  } catch (error) {
    const { code, details } = error as { code: string; details: object };
    return { code, details };
  }
}

function violated(depth: number, rule: string): unknown {
  return { code: 'ERR_CERTIFICATE_PROFILE_VIOLATED', details: { depth, rule } };
}

const accessDescription = der.sequence(
  der.oid('1.3.6.1.5.5.7.48.1'),
  der.implicit(6, Buffer.from('http://ocsp.example')),
);
const constrained = der.sequence(der.explicit(0, der.sequence(der.implicit(2, Buffer.from('example.com')))));

describe("profile 'rfc5280'", () => {
  it.each<[string, CertificateFields]>([
    ['as the testkit makes it', {}],
    ['with a critical subjectAltName and an empty subject', { subject: '', uris: ['urn:x'] }],
    ['with host names, one of them a wildcard', { dnsNames: ['a.example.com', '*.example.com', 'localhost'] }],
    [
      'with access descriptions',
      { extensions: [{ oid: authorityInfoAccess, value: der.sequence(accessDescription) }] },
    ],
    ['with the serial number 1', { serialNumber: 1 }],
  ])('accepts a client %s', async (_, fields) => {
    expect(await verdict(root.issueIntermediate().issue(fields), root, 'rfc5280')).toBe('accepted');
  });

  it.each<[string, CertificateFields, string]>([
    ['the serial number 0', { serialNumber: 0 }, 'the serial number is positive (RFC 5280 section 4.1.2.2)'],
    ['a negative serial number', { serialNumber: -1 }, 'the serial number is positive (RFC 5280 section 4.1.2.2)'],
    [
      'no authorityKeyIdentifier',
      { authorityKeyIdentifier: 'absent' },
      'authorityKeyIdentifier is present, but for self-signed certificates (RFC 5280 section 4.2.1.1)',
    ],
    [
      'a critical authorityKeyIdentifier',
      {
        authorityKeyIdentifier: 'absent',
        extensions: [
          { oid: authorityKeyIdentifier, critical: true, value: der.sequence(der.implicit(0, Buffer.of(1))) },
        ],
      },
      'authorityKeyIdentifier is not critical (RFC 5280 section 4.2.1.1)',
    ],
    [
      'a critical subjectKeyIdentifier',
      {
        subjectKeyIdentifier: 'absent',
        extensions: [{ oid: subjectKeyIdentifier, critical: true, value: der.octetString(Buffer.of(1)) }],
      },
      'subjectKeyIdentifier is not critical (RFC 5280 section 4.2.1.2)',
    ],
    [
      'an empty subject and a subjectAltName that is not critical',
      { subject: '', uris: ['urn:x'], subjectAltNameCritical: false },
      'subjectAltName is critical where the subject is empty (RFC 5280 section 4.2.1.6)',
    ],
    [
      'an underscore in a dNSName',
      { dnsNames: ['a_b.example'] },
      'a dNSName is a host name (RFC 5280 section 4.2.1.6)',
    ],
    ['an address as dNSName', { dnsNames: ['192.0.2.1'] }, 'a dNSName is a host name (RFC 5280 section 4.2.1.6)'],
    [
      'a wildcard inside a dNSName',
      { dnsNames: ['a.*.example'] },
      'a dNSName is a host name (RFC 5280 section 4.2.1.6)',
    ],
    [
      'nameConstraints',
      { extensions: [{ oid: nameConstraints, critical: true, value: constrained }] },
      'nameConstraints stands in CA certificates only, critical, and is not empty (RFC 5280 section 4.2.1.10)',
    ],
    [
      'an authorityInfoAccess without descriptions',
      { extensions: [{ oid: authorityInfoAccess, value: der.sequence() }] },
      'authorityInfoAccess holds access descriptions (RFC 5280 section 4.2.2.1)',
    ],
    [
      'an authorityInfoAccess that is something else',
      { extensions: [{ oid: authorityInfoAccess, value: Buffer.from('http://ocsp.example') }] },
      'authorityInfoAccess holds access descriptions (RFC 5280 section 4.2.2.1)',
    ],
  ])('rejects a client with %s, which the default accepts', async (_, fields, rule) => {
    const client = root.issue(fields);
    expect(await verdict(client, root, 'rfc5280')).toEqual(violated(0, rule));
    expect(await verdict(client, root, 'path-validation')).toBe('accepted');
  });

  const critical = 'critical, and is not empty (RFC 5280 section 4.2.1.10)';
  it.each<[string, CertificateFields, string]>([
    [
      'no subjectKeyIdentifier',
      { subjectKeyIdentifier: 'absent' },
      'subjectKeyIdentifier is present in CA certificates (RFC 5280 section 4.2.1.2)',
    ],
    [
      'nameConstraints that are not critical',
      { extensions: [{ oid: nameConstraints, value: constrained }] },
      `nameConstraints stands in CA certificates only, ${critical}`,
    ],
    [
      'empty nameConstraints',
      { extensions: [{ oid: nameConstraints, critical: true, value: der.sequence() }] },
      `nameConstraints stands in CA certificates only, ${critical}`,
    ],
    [
      'a leading period in nameConstraints',
      { nameConstraints: { permitted: { dnsNames: ['.example.com'] } } },
      'a host name in nameConstraints does not begin with a period (RFC 5280 section 4.2.1.10)',
    ],
    [
      'policyConstraints that are not critical',
      { extensions: [{ oid: policyConstraints, value: der.sequence(der.implicit(1, Buffer.of(0))) }] },
      'policyConstraints is critical (RFC 5280 section 4.2.1.11)',
    ],
    [
      'inhibitAnyPolicy that is not critical',
      { extensions: [{ oid: inhibitAnyPolicy, value: der.integer(0) }] },
      'inhibitAnyPolicy is critical (RFC 5280 section 4.2.1.14)',
    ],
  ])('rejects below an intermediate with %s, which the default accepts', async (_, fields, rule) => {
    const client = root.issueIntermediate(fields).issue({ authorityKeyIdentifier: Buffer.of(1) });
    expect(await verdict(client, root, 'rfc5280')).toEqual(violated(1, rule));
    expect(await verdict(client, root, 'path-validation')).toBe('accepted');
  });

  it('holds for the anchor as well', async () => {
    const anchor = createAuthority({ subjectKeyIdentifier: 'absent' });
    const rule = 'subjectKeyIdentifier is present in CA certificates (RFC 5280 section 4.2.1.2)';
    expect(await verdict(anchor.issue({ authorityKeyIdentifier: Buffer.of(1) }), anchor, 'rfc5280')).toEqual(
      violated(1, rule),
    );
  });
});
