import { type ValidatePathInput, validatePath, type ValidationRules, TrustStore } from '@peercert/core';
import {
  type CertificateFields,
  createAuthority,
  generateKey,
  TEST_TIME,
  type TestCertificate,
} from '@peercert/testkit';
// oxlint-disable-next-line import/no-unassigned-import -- adds matchers
import '../../../support/refusals';

const anyExtendedKeyUsage = '2.5.29.37.0';
const root = createAuthority();

async function validated(
  certificate: TestCertificate,
  rules: ValidationRules | undefined,
  trust = TrustStore.fromDer([root.der]),
  more: Partial<ValidatePathInput> = {},
): Promise<string> {
  const input = { endEntity: certificate.der, intermediates: certificate.chain, trust, time: TEST_TIME, ...more };
  try {
    await validatePath(rules === undefined ? input : { ...input, rules });
    return 'accepted';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** What the default says, and what each word of the rule does. */
async function verdicts<Rule extends keyof ValidationRules>(
  certificate: TestCertificate,
  rule: Rule,
  [strict, lax]: readonly [NonNullable<ValidationRules[Rule]>, NonNullable<ValidationRules[Rule]>],
  trust?: TrustStore,
): Promise<readonly string[]> {
  return Promise.all([
    validated(certificate, undefined, trust),
    validated(certificate, { [rule]: strict }, trust),
    validated(certificate, { [rule]: lax }, trust),
  ]);
}

describe('rules.anchor', () => {
  const day = 86_400_000;
  const flawed: readonly [string, CertificateFields, string][] = [
    [
      'that has expired',
      { notBefore: new Date(TEST_TIME.getTime() - 9 * day), notAfter: new Date(TEST_TIME.getTime() - day) },
      'ERR_CERTIFICATE_EXPIRED',
    ],
    ['that is not yet valid', { notBefore: new Date(TEST_TIME.getTime() + day) }, 'ERR_CERTIFICATE_NOT_YET_VALID'],
    ['that is not a CA', { basicConstraints: 'absent' }, 'ERR_PATH_ISSUER_NOT_CA'],
    ['that may not sign certificates', { keyUsage: ['cRLSign'] }, 'ERR_PATH_ISSUER_NOT_CERT_SIGNER'],
    ['for servers only', { extKeyUsage: ['serverAuth'] }, 'ERR_CERTIFICATE_USAGE_NOT_PERMITTED'],
    [
      'that excludes the name',
      { nameConstraints: { excluded: { uris: ['example.com'] } } },
      'ERR_CERTIFICATE_NAME_NOT_PERMITTED',
    ],
    [
      'with an unknown critical extension',
      { extensions: [{ oid: '1.3.6.1.4.1.99999.1', critical: true, value: Buffer.of(5, 0) }] },
      'ERR_CERTIFICATE_CRITICAL_EXTENSION_UNSUPPORTED',
    ],
  ];

  it.each(flawed)('rejects below an anchor %s, and accepts when it is ignored', async (_, fields, code) => {
    const anchor = createAuthority(fields);
    const client = anchor.issue({ uris: ['https://example.com/1'] });
    const trust = TrustStore.fromDer([anchor.der]);
    expect(await verdicts(client, 'anchor', ['enforce', 'ignore'], trust)).toEqual([code, code, 'accepted']);
  });

  it('rejects a path longer than an anchor allows, and accepts when it is ignored', async () => {
    const anchor = createAuthority({ basicConstraints: { ca: true, pathLenConstraint: 0 } });
    const client = anchor.issueIntermediate().issue();
    const code = 'ERR_PATH_LENGTH_EXCEEDED';
    const trust = TrustStore.fromDer([anchor.der]);
    expect(await verdicts(client, 'anchor', ['enforce', 'ignore'], trust)).toEqual([code, code, 'accepted']);
  });

  it('rejects a small key of an anchor even when its certificate is ignored', async () => {
    const anchor = createAuthority({ key: generateKey('rsa1024') });
    const trust = TrustStore.fromDer([anchor.der]);
    expect(await validated(anchor.issue(), { anchor: 'ignore' }, trust)).toBe('ERR_CERTIFICATE_KEY_NOT_PERMITTED');
  });
});

describe('rules.caAsEndEntity', () => {
  it.each<[string, CertificateFields]>([
    ['cA', { basicConstraints: { ca: true } }],
    ['keyCertSign', { keyUsage: ['digitalSignature', 'keyCertSign'] }],
  ])('rejects a client with %s by default, and accepts it by option', async (_, fields) => {
    const code = 'ERR_CERTIFICATE_IS_CA';
    const client = root.issue(fields);
    expect(await verdicts(client, 'caAsEndEntity', ['reject', 'accept'])).toEqual([code, code, 'accepted']);
  });
});

describe('rules for extKeyUsage', () => {
  const code = 'ERR_CERTIFICATE_USAGE_NOT_PERMITTED';

  it('DR-33: accepts an absent extKeyUsage by default, and rejects it by option', async () => {
    const client = root.issue({ extKeyUsage: 'absent' });
    const found = await verdicts(client, 'absentExtKeyUsage', ['reject', 'accept']);
    expect(found).toEqual(['accepted', code, 'accepted']);
  });

  it('accepts an issuer without extKeyUsage where the end-entity certificate must have one', async () => {
    const client = root.issueIntermediate().issue();
    expect(await validated(client, { absentExtKeyUsage: 'reject' })).toBe('accepted');
  });

  it('DR-33: rejects anyExtendedKeyUsage by default, and accepts it by option', async () => {
    const client = root.issue({ extKeyUsage: [anyExtendedKeyUsage] });
    expect(await verdicts(client, 'anyExtKeyUsage', ['reject', 'accept'])).toEqual([code, code, 'accepted']);
  });

  it('rejects serverAuth alone, whatever the rules', async () => {
    const client = root.issue({ extKeyUsage: ['serverAuth'] });
    expect(await validated(client, { anyExtKeyUsage: 'accept', absentExtKeyUsage: 'accept' })).toBe(code);
  });
});

describe('rules.legacyAlgorithms', () => {
  const rsa = createAuthority({ key: generateKey('rsa2048') });
  const trust = TrustStore.fromDer([rsa.der]);

  it.each<[string, TestCertificate, string, TrustStore]>([
    ['RSA with SHA-1', rsa.issue({ signatureAlgorithm: 'rsa-sha1' }), 'ERR_CERTIFICATE_ALGORITHM_NOT_PERMITTED', trust],
    [
      'ECDSA with SHA-1',
      root.issue({ signatureAlgorithm: 'ecdsa-sha1' }),
      'ERR_CERTIFICATE_ALGORITHM_NOT_PERMITTED',
      TrustStore.fromDer([root.der]),
    ],
    ['an RSA key of 1024 bits', rsa.issue({ key: generateKey('rsa1024') }), 'ERR_CERTIFICATE_KEY_NOT_PERMITTED', trust],
  ])('DR-28: rejects %s by default, and accepts it by option', async (_, client, code, store) => {
    expect(await verdicts(client, 'legacyAlgorithms', ['reject', 'accept'], store)).toEqual([code, code, 'accepted']);
  });

  it('DR-28: rejects MD5, whatever the rules', async () => {
    const client = rsa.issue({ signatureAlgorithm: 'rsa-md5' });
    expect(await validated(client, { legacyAlgorithms: 'accept' }, trust)).toBe(
      'ERR_CERTIFICATE_ALGORITHM_NOT_PERMITTED',
    );
  });

  it('DR-26: rejects an RSA key of 1016 bits, whatever the rules', async () => {
    const client = rsa.issue({ key: generateKey({ rsaBits: 1016 }) });
    expect(await validated(client, { legacyAlgorithms: 'accept' }, trust)).toBe('ERR_CERTIFICATE_KEY_NOT_PERMITTED');
  });
});

describe('rules.commonNameHosts', () => {
  it('PA-11: constrains a common name that looks like a host, unless told to ignore it', async () => {
    const issuing = root.issueIntermediate({ nameConstraints: { permitted: { dnsNames: ['example.com'] } } });
    const client = issuing.issue({ subject: 'CN=api.example.net' });
    const code = 'ERR_CERTIFICATE_NAME_NOT_PERMITTED';
    expect(await verdicts(client, 'commonNameHosts', ['constrain', 'ignore'])).toEqual([code, code, 'accepted']);
  });
});

describe('the rules', () => {
  it.each([
    [
      { anchors: 'ignore' },
      'rules received an unknown option, `anchors`. It knows anchor, caAsEndEntity, absentExtKeyUsage, anyExtKeyUsage, legacyAlgorithms, commonNameHosts, profile.',
    ],
    [{ anchor: 'ignored' }, "rules.anchor must be 'enforce' or 'ignore'."],
    [{ profile: true }, "rules.profile must be 'path-validation' or 'rfc5280'."],
    [{ caAsEndEntity: null }, "rules.caAsEndEntity must be 'reject' or 'accept'."],
  ])('refuse %o', async (rules, message) => {
    const input = { endEntity: root.issue().der, trust: TrustStore.fromDer([root.der]), rules: rules as never };
    await expect(validatePath(input)).rejects.toThrow(new TypeError(message));
  });
});
