import { type ErrorCode, type ErrorDetails, TrustStore } from '@peercert/core';
import {
  createAuthority,
  daysFromTestTime,
  der,
  generateKey,
  selfSigned,
  type CertificateFields,
  type TestAuthority,
  type TestCertificate,
  TEST_TIME,
} from '@peercert/testkit';
import { maxCandidates, maxSignatures } from '../../../../packages/core/src/path/build-path';
import { Certificate } from '../../../../packages/core/src/x509/certificate';
import { rsaSpki } from '../../../support/encodings';
import { search } from '../../../support/search';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const root = createAuthority({ subject: 'CN=Root' });
const intermediate = root.issueIntermediate({ subject: 'CN=Intermediate' });
const issuing = intermediate.issueIntermediate({ subject: 'CN=Issuing' });
const unrelated = createAuthority({ subject: 'CN=Unrelated' });

const expired: CertificateFields = { notBefore: daysFromTestTime(-30), notAfter: daysFromTestTime(-1) };

/** Authorities of one name and a key each, all issued by `issuer`. */
const namesakes = (count: number, subject: TestAuthority['subject'], issuer: TestAuthority = root): TestAuthority[] =>
  Array.from({ length: count }, () => issuer.issueIntermediate({ subject }));

const permutations = <T>(items: readonly T[]): T[][] =>
  items.length < 2
    ? [[...items]]
    : items.flatMap((item, at) => permutations(items.toSpliced(at, 1)).map((rest) => [item].concat(rest)));

describe('a path', () => {
  it('is found from an end-entity certificate straight to its anchor', () => {
    const leaf = root.issue();
    expect(search({ endEntity: leaf, anchors: [root] })).toEqual({
      path: [leaf.der, root.der],
      policies: [],
      questions: [[leaf.der, root.der]],
    });
  });

  it('is found through intermediates, and verified from the anchor down', () => {
    const leaf = issuing.issue();
    expect(search({ endEntity: leaf, presented: [issuing, intermediate], anchors: [root] })).toEqual({
      path: [leaf.der, issuing.der, intermediate.der, root.der],
      policies: [],
      questions: [
        [intermediate.der, root.der],
        [issuing.der, intermediate.der],
        [leaf.der, issuing.der],
      ],
    });
  });

  it('ends at an anchor that is an intermediate itself', () => {
    const leaf = issuing.issue();
    const { path } = search({ endEntity: leaf, presented: [issuing, intermediate, root], anchors: [intermediate] });
    expect(path).toEqual([leaf.der, issuing.der, intermediate.der]);
  });

  it('ends at the first anchor that fits, where several do', () => {
    const leaf = issuing.issue();
    const { path } = search({ endEntity: leaf, presented: [issuing, intermediate], anchors: [root, issuing] });
    expect(path).toEqual([leaf.der, issuing.der]);
  });

  it('PA-02: is found whatever the order of the presented certificates, at the same cost', () => {
    const low = issuing.issueIntermediate({ subject: 'CN=Low' });
    const leaf = low.issue();
    const surplus = unrelated.issueIntermediate({ subject: 'CN=Surplus' });
    for (const presented of permutations([low, issuing, intermediate, surplus])) {
      const { path, questions } = search({ endEntity: leaf, presented, anchors: [root] });
      expect(path).toEqual([leaf.der, low.der, issuing.der, intermediate.der, root.der]);
      expect(questions).toHaveLength(4);
    }
  });

  it('PA-02: is found among unrelated certificates, the end-entity certificate and the anchor', () => {
    const leaf = intermediate.issue();
    const presented = [unrelated, leaf, unrelated.issue(), root, intermediate, intermediate, selfSigned()];
    const { path, questions } = search({ endEntity: leaf, presented, anchors: [unrelated, root] });
    expect(path).toEqual([leaf.der, intermediate.der, root.der]);
    expect(questions).toHaveLength(2);
  });

  it('is found through intermediates of the operator', () => {
    const leaf = issuing.issue();
    const expected = [leaf.der, issuing.der, intermediate.der, root.der];
    const both = [intermediate, issuing];
    expect(search({ endEntity: leaf, anchors: [root], intermediates: both }).path).toEqual(expected);
    expect(
      search({ endEntity: leaf, presented: [issuing], anchors: [root], intermediates: [intermediate] }).path,
    ).toEqual(expected);
    expect(
      search({ endEntity: leaf, presented: [intermediate], anchors: [root], intermediates: [issuing] }).path,
    ).toEqual(expected);
  });

  it('is found for names that are equal and not the same (RFC 5280 section 7.1)', () => {
    const leaf = intermediate.issue({
      raw: { issuer: der.sequence(der.set(der.sequence(der.oid('2.5.4.3'), der.printableString(' INTERMEDIATE ')))) },
    });
    expect(search({ endEntity: leaf, presented: [intermediate], anchors: [root] }).path).toEqual([
      leaf.der,
      intermediate.der,
      root.der,
    ]);
  });

  it('is found through a cross-signed intermediate, to whichever anchor is trusted', () => {
    const otherRoot = createAuthority({ subject: 'CN=Other Root' });
    const crossSigned = otherRoot.crossSign(intermediate);
    const leaf = intermediate.issue();
    for (const presented of permutations([intermediate, crossSigned])) {
      expect(search({ endEntity: leaf, presented, anchors: [root] }).path).toEqual([
        leaf.der,
        intermediate.der,
        root.der,
      ]);
      expect(search({ endEntity: leaf, presented, anchors: [otherRoot] }).path).toEqual([
        leaf.der,
        crossSigned.der,
        otherRoot.der,
      ]);
    }
  });

  it('is found through a key rollover: a new key of the same name, certified by the old', () => {
    const newRoot = root.issueIntermediate({ subject: root.subject });
    const leaf = newRoot.issue();
    expect(search({ endEntity: leaf, presented: [newRoot], anchors: [root] }).path).toEqual([
      leaf.der,
      newRoot.der,
      root.der,
    ]);
  });

  it('is found where key identifiers mislead', () => {
    const decoy = createAuthority({ subject: intermediate.subject });
    const leaf = intermediate.issue({ authorityKeyIdentifier: decoy.subjectKeyIdentifier ?? Buffer.alloc(0) });
    const { path } = search({ endEntity: leaf, presented: [decoy, intermediate], anchors: [root] });
    expect(path).toEqual([leaf.der, intermediate.der, root.der]);
  });

  it.each<[string, CertificateFields, CertificateFields]>([
    ['absent from the end-entity certificate', {}, { authorityKeyIdentifier: 'absent' }],
    ['absent from the issuer', { subjectKeyIdentifier: 'absent' }, { authorityKeyIdentifier: Buffer.of(1) }],
    ['absent from both', { subjectKeyIdentifier: 'absent' }, {}],
    ['empty in both', { subjectKeyIdentifier: Buffer.alloc(0) }, { authorityKeyIdentifier: Buffer.alloc(0) }],
    ['of other values', { subjectKeyIdentifier: Buffer.of(1) }, { authorityKeyIdentifier: Buffer.of(2) }],
  ])('is found where the key identifier is %s', (_, issuerFields, leafFields) => {
    const issuer = root.issueIntermediate(issuerFields);
    const leaf = issuer.issue(leafFields);
    expect(search({ endEntity: leaf, presented: [issuer], anchors: [root] }).path).toEqual([
      leaf.der,
      issuer.der,
      root.der,
    ]);
  });
});

describe('a certificate without a path', () => {
  it('PA-02: is rejected where its issuer is unknown, and nothing is verified', () => {
    const result = search({ endEntity: issuing.issue(), presented: [unrelated], anchors: [root] });
    expect(result).toBeRefusedWith('ERR_PATH_ISSUER_UNKNOWN', { depth: 1, issuer: 'CN=Issuing' });
    expect(result.questions).toEqual([]);
  });

  it('PA-02: is rejected where an intermediate is missing, and nothing is verified', () => {
    const result = search({ endEntity: issuing.issue(), presented: [issuing, root], anchors: [root] });
    expect(result).toBeRefusedWith('ERR_PATH_ISSUER_UNKNOWN', { depth: 2, issuer: 'CN=Intermediate' });
    expect(result.questions).toEqual([]);
  });

  it('is rejected where it leads to a self-signed root that is presented and not trusted, and nothing is verified', () => {
    const result = search({
      endEntity: issuing.issue(),
      presented: [issuing, intermediate, root],
      anchors: [unrelated],
    });
    expect(result).toBeRefusedWith('ERR_PATH_ISSUER_UNKNOWN', { depth: 4, issuer: 'CN=Root' });
    expect(result.questions).toEqual([]);
  });

  it('PA-01: is rejected where it is self-signed and claims to be somebody, before a genuine chain', () => {
    const evil = selfSigned({ subject: 'CN=admin' });
    const result = search({ endEntity: evil, presented: [intermediate.issue(), intermediate], anchors: [root] });
    expect(result).toBeRefusedWith('ERR_PATH_ISSUER_UNKNOWN', { depth: 1, issuer: 'CN=admin' });
    expect(result.questions).toEqual([]);
  });

  it('PA-01: is rejected where it names a genuine issuer that did not sign it', () => {
    const evil = createAuthority({ subject: intermediate.subject }).issue({ subject: 'CN=admin' });
    const result = search({ endEntity: evil, presented: [intermediate], anchors: [root] });
    expect(result).toBeRefusedWith('ERR_PATH_SIGNATURE_INVALID', { depth: 0, issuer: 'CN=Intermediate' });
    expect(result.questions).toHaveLength(2);
  });

  it.each(['absent', 'the same'])(
    'PA-18: is rejected where a look-alike of an anchor is presented, its key identifier %s',
    (identifier) => {
      const lookAlike = createAuthority({
        subject: root.subject,
        subjectKeyIdentifier: identifier === 'absent' ? 'absent' : (root.subjectKeyIdentifier ?? 'absent'),
      });
      const direct = lookAlike.issue();
      expect(search({ endEntity: direct, presented: [lookAlike], anchors: [root] })).toBeRefusedWith(
        'ERR_PATH_SIGNATURE_INVALID',
        {
          depth: 0,
          issuer: 'CN=Root',
        },
      );
      const below = lookAlike.issueIntermediate({ subject: 'CN=Below' });
      const indirect = search({ endEntity: below.issue(), presented: [below, lookAlike], anchors: [root] });
      expect(indirect).toBeRefusedWith('ERR_PATH_SIGNATURE_INVALID', { depth: 1, issuer: 'CN=Root' });
    },
  );

  it("PA-18: is rejected where a certificate of the anchor's name is presented that the anchor did not sign", () => {
    const leaf = createAuthority({ subject: root.subject, key: unrelated.key }).issue();
    // A new key of the anchor's name, certified by the anchor, is a key rollover.
    const rollover = root.crossSign(unrelated, { subject: root.subject });
    expect(search({ endEntity: leaf, presented: [rollover], anchors: [root] }).path).toEqual([
      leaf.der,
      rollover.der,
      root.der,
    ]);
    const forged = createAuthority({ subject: root.subject, key: unrelated.key });
    expect(search({ endEntity: leaf, presented: [forged], anchors: [root] }).path).toBeUndefined();
  });

  it('is rejected where no anchor vouches for an intermediate of the operator', () => {
    const result = search({ endEntity: unrelated.issue(), anchors: [root], intermediates: [unrelated] });
    expect(result).toBeRefusedWith('ERR_PATH_ISSUER_UNKNOWN', { depth: 2, issuer: 'CN=Unrelated' });
  });

  it('PA-04: is rejected where an end-entity certificate issued it', () => {
    const user = root.issueIntermediate({
      subject: 'CN=User',
      basicConstraints: 'absent',
      keyUsage: ['digitalSignature'],
      extKeyUsage: ['clientAuth'],
    });
    const result = search({ endEntity: user.issue({ subject: 'CN=admin' }), presented: [user], anchors: [root] });
    expect(result).toBeRefusedWith('ERR_PATH_ISSUER_NOT_CA', { depth: 1, subject: 'CN=User' });
    expect(result.questions).toEqual([]);
  });

  it.each<[string, CertificateFields, ErrorCode, ErrorDetails[ErrorCode]]>([
    [
      'PA-03: is rejected below an intermediate or an anchor without basicConstraints and keyUsage, and nothing is verified',
      { basicConstraints: 'absent', keyUsage: 'absent' },
      'ERR_PATH_ISSUER_NOT_CA',
      { depth: 1, subject: 'CN=Issuer' },
    ],
    [
      'PA-04: is rejected below an intermediate or an anchor whose cA is FALSE, and nothing is verified',
      { basicConstraints: { ca: false } },
      'ERR_PATH_ISSUER_NOT_CA',
      { depth: 1, subject: 'CN=Issuer' },
    ],
    [
      'PA-04: is rejected below an intermediate or an anchor of version 1, and nothing is verified',
      { raw: { version: Buffer.alloc(0), extensions: Buffer.alloc(0) } },
      'ERR_CERTIFICATE_VERSION_UNSUPPORTED',
      { depth: 1, version: 1 },
    ],
    [
      'DR-06: is rejected below an intermediate or an anchor of version 2, and nothing is verified',
      { raw: { version: der.explicit(0, der.integer(1)), extensions: Buffer.alloc(0) } },
      'ERR_CERTIFICATE_VERSION_UNSUPPORTED',
      { depth: 1, version: 2 },
    ],
    [
      'PA-06: is rejected below an intermediate or an anchor without keyCertSign, and nothing is verified',
      { keyUsage: ['cRLSign', 'digitalSignature'] },
      'ERR_PATH_ISSUER_NOT_CERT_SIGNER',
      { depth: 1, subject: 'CN=Issuer' },
    ],
    [
      'PA-07: is rejected below an intermediate or an anchor with an unknown critical extension, and nothing is verified',
      { extensions: [{ oid: '1.2.3.4', critical: true, value: Buffer.alloc(0) }] },
      'ERR_CERTIFICATE_CRITICAL_EXTENSION_UNSUPPORTED',
      { depth: 1, oid: '1.2.3.4' },
    ],
    [
      'DR-34: is rejected below an intermediate or an anchor for serverAuth only, and nothing is verified',
      { extKeyUsage: ['serverAuth'] },
      'ERR_CERTIFICATE_USAGE_NOT_PERMITTED',
      { depth: 1, extension: 'extKeyUsage', required: 'clientAuth' },
    ],
    [
      'is rejected below an intermediate or an anchor that has expired, and nothing is verified',
      expired,
      'ERR_CERTIFICATE_EXPIRED',
      { depth: 1, time: TEST_TIME, notAfter: daysFromTestTime(-1) },
    ],
    [
      'is rejected below an intermediate or an anchor that is not yet valid, and nothing is verified',
      { notBefore: daysFromTestTime(1) },
      'ERR_CERTIFICATE_NOT_YET_VALID',
      { depth: 1, time: TEST_TIME, notBefore: daysFromTestTime(1) },
    ],
    [
      'is rejected below an intermediate or an anchor with a key of secp256k1, and nothing is verified',
      { keyAlgorithm: 'secp256k1' },
      'ERR_CERTIFICATE_KEY_NOT_PERMITTED',
      { depth: 1, key: 'curve 1.3.132.0.10' },
    ],
  ])('%s', (_, fields, code, details) => {
    const issuer = root.issueIntermediate({ subject: 'CN=Issuer', ...fields });
    const leaf = issuer.issue();
    for (const query of [
      { presented: [issuer], anchors: [root] },
      { anchors: [root], intermediates: [issuer] },
      { anchors: [issuer] },
    ]) {
      const result = search({ endEntity: leaf, ...query });
      expect(result).toBeRefusedWith(code, details);
      expect(result.questions).toEqual([]);
    }
  });

  it('DR-28: is rejected below an intermediate signed with SHA-1, and accepted below an anchor that is', () => {
    const weak = root.issueIntermediate({ subject: 'CN=Weak', signatureAlgorithm: 'ecdsa-sha1' });
    const leaf = weak.issue();
    expect(search({ endEntity: leaf, presented: [weak], anchors: [root] })).toBeRefusedWith(
      'ERR_CERTIFICATE_ALGORITHM_NOT_PERMITTED',
      {
        depth: 1,
        algorithm: '1.2.840.10045.4.1',
      },
    );
    expect(search({ endEntity: leaf, anchors: [weak] }).path).toEqual([leaf.der, weak.der]);
  });

  it('PA-07: is accepted with unrelated certificates with critical extensions, constraints and other flaws presented', () => {
    const flawed = [
      { extensions: [{ oid: '1.2.3.4', critical: true, value: Buffer.alloc(0) }] },
      { nameConstraints: { permitted: { dnsNames: ['example.com'] } } },
      { certificatePolicies: ['1.2.3'] },
      { basicConstraints: 'absent' },
      expired,
    ] satisfies CertificateFields[];
    const presented = flawed.map((fields) => root.issueIntermediate({ subject: 'CN=Surplus', ...fields }));
    const leaf = intermediate.issue();
    const { path, questions } = search({ endEntity: leaf, presented: [...presented, intermediate], anchors: [root] });
    expect(path).toEqual([leaf.der, intermediate.der, root.der]);
    expect(questions).toHaveLength(2);
  });
});

describe('name constraints and policies', () => {
  const nowhere: CertificateFields = { nameConstraints: { permitted: { directoryNames: ['O=Elsewhere'] } } };
  const demanding: CertificateFields = { policyConstraints: { requireExplicitPolicy: 0 } };

  it.each<[string, CertificateFields, ErrorCode, ErrorDetails[ErrorCode]]>([
    [
      'that permit no name of the end-entity certificate',
      nowhere,
      'ERR_CERTIFICATE_NAME_NOT_PERMITTED',
      { depth: 0, type: 'directory' },
    ],
    ['that ask for a policy it has not', demanding, 'ERR_PATH_POLICY_NOT_SATISFIED', { depth: 0 }],
  ])('%s count once every signature of the path is verified, and not before', (_, fields, code, details) => {
    const issuer = root.issueIntermediate({ subject: 'CN=Issuer', ...fields });
    const leaf = issuer.issue();
    const result = search({ endEntity: leaf, presented: [issuer], anchors: [root] });
    expect(result).toBeRefusedWith(code, details);
    expect(result.questions).toEqual([
      [issuer.der, root.der],
      [leaf.der, issuer.der],
    ]);
    const forged = createAuthority({ subject: root.subject }).crossSign(issuer, fields);
    expect(search({ endEntity: leaf, presented: [forged], anchors: [root] })).toBeRefusedWith(
      'ERR_PATH_SIGNATURE_INVALID',
      { depth: 1, issuer: 'CN=Root' },
    );
  });

  it.each([
    ['names before policies', { ...nowhere, ...demanding }, 'ERR_CERTIFICATE_NAME_NOT_PERMITTED'],
    ['an expired issuer before names', { ...nowhere, ...expired }, 'ERR_CERTIFICATE_EXPIRED'],
  ] as const)('are reported in order: %s', (_, fields, code) => {
    const issuer = root.issueIntermediate(fields);
    expect(search({ endEntity: issuer.issue(), presented: [issuer], anchors: [root] }).refusal?.code).toBe(code);
  });

  it('of an end-entity certificate constrain nobody', () => {
    const leaf = root.issue({
      nameConstraints: { permitted: { directoryNames: ['O=Elsewhere'] } },
      certificatePolicies: ['1.2.3'],
      inhibitAnyPolicy: 0,
    });
    expect(search({ endEntity: leaf, anchors: [root] })).toEqual({
      path: [leaf.der, root.der],
      policies: ['1.2.3'],
      questions: [[leaf.der, root.der]],
    });
  });

  it('PA-20: leave an alternative path, and each signature is verified once', () => {
    const leaf = intermediate.issue();
    const bad = [root.crossSign(intermediate, nowhere), root.crossSign(intermediate, demanding)];
    for (const presented of permutations([...bad, intermediate])) {
      const { path, questions } = search({ endEntity: leaf, presented, anchors: [root] });
      expect(path).toEqual([leaf.der, intermediate.der, root.der]);
      expect(new Set(questions.map((pair) => Buffer.concat(pair).toString('hex'))).size).toBe(questions.length);
    }
  });
});

describe('an end-entity certificate', () => {
  it.each<[string, CertificateFields, ErrorCode, ErrorDetails[ErrorCode]]>([
    [
      'DR-06: of version 1 is rejected before anything is looked for or verified',
      { raw: { version: Buffer.alloc(0), extensions: Buffer.alloc(0) } },
      'ERR_CERTIFICATE_VERSION_UNSUPPORTED',
      { depth: 0, version: 1 },
    ],
    [
      'DR-06: of version 2 is rejected before anything is looked for or verified',
      { raw: { version: der.explicit(0, der.integer(1)), extensions: Buffer.alloc(0) } },
      'ERR_CERTIFICATE_VERSION_UNSUPPORTED',
      { depth: 0, version: 2 },
    ],
    [
      'that has expired is rejected before anything is looked for or verified',
      expired,
      'ERR_CERTIFICATE_EXPIRED',
      { depth: 0, time: TEST_TIME, notAfter: daysFromTestTime(-1) },
    ],
    [
      'that is not yet valid is rejected before anything is looked for or verified',
      { notBefore: daysFromTestTime(1) },
      'ERR_CERTIFICATE_NOT_YET_VALID',
      { depth: 0, time: TEST_TIME, notBefore: daysFromTestTime(1) },
    ],
    [
      'DR-28: signed with SHA-1 is rejected before anything is looked for or verified',
      { signatureAlgorithm: 'ecdsa-sha1' },
      'ERR_CERTIFICATE_ALGORITHM_NOT_PERMITTED',
      { depth: 0, algorithm: '1.2.840.10045.4.1' },
    ],
    [
      'DR-26: with RSA of 1024 bits is rejected before anything is looked for or verified',
      { raw: { subjectPublicKeyInfo: rsaSpki(1024) } },
      'ERR_CERTIFICATE_KEY_NOT_PERMITTED',
      { depth: 0, key: 'RSA of 1024 bits, exponent 65537' },
    ],
    [
      'PA-07: with an unknown critical extension is rejected before anything is looked for or verified',
      { extensions: [{ oid: '1.2.3.4', critical: true, value: Buffer.alloc(0) }] },
      'ERR_CERTIFICATE_CRITICAL_EXTENSION_UNSUPPORTED',
      { depth: 0, oid: '1.2.3.4' },
    ],
    [
      'DR-35: that is a CA is rejected before anything is looked for or verified',
      { basicConstraints: { ca: true } },
      'ERR_CERTIFICATE_IS_CA',
      { depth: 0 },
    ],
    [
      'DR-35: with keyCertSign is rejected before anything is looked for or verified',
      { keyUsage: ['digitalSignature', 'keyCertSign'] },
      'ERR_CERTIFICATE_IS_CA',
      { depth: 0 },
    ],
    [
      'DR-35: without digitalSignature is rejected before anything is looked for or verified',
      { keyUsage: ['keyEncipherment'] },
      'ERR_CERTIFICATE_USAGE_NOT_PERMITTED',
      { depth: 0, extension: 'keyUsage', required: 'digitalSignature' },
    ],
    [
      'DR-32: for serverAuth is rejected before anything is looked for or verified',
      { extKeyUsage: ['serverAuth'] },
      'ERR_CERTIFICATE_USAGE_NOT_PERMITTED',
      { depth: 0, extension: 'extKeyUsage', required: 'clientAuth' },
    ],
    [
      'DR-32: for nothing is rejected before anything is looked for or verified',
      { extKeyUsage: [] },
      'ERR_CERTIFICATE_USAGE_NOT_PERMITTED',
      { depth: 0, extension: 'extKeyUsage', required: 'clientAuth' },
    ],
  ])('%s', (_, fields, code, details) => {
    const result = search({ endEntity: root.issue(fields), anchors: [root] });
    expect(result).toBeRefusedWith(code, details);
    expect(result.questions).toEqual([]);
    // Whether its issuer is known is not even looked at.
    expect(search({ endEntity: root.issue(fields), anchors: [unrelated] })).toBeRefusedWith(code, details);
  });

  it('PA-19: leads to the anchor whose key signed it, of two anchors of one name, and to no other', () => {
    const [one, other] = [createAuthority({ subject: 'CN=Tenants' }), createAuthority({ subject: 'CN=Tenants' })];
    for (const issuer of [one, other]) {
      const leaf = issuer.issue({ subject: 'CN=alice', authorityKeyIdentifier: 'absent' });
      for (const anchors of permutations([one, other])) {
        expect(search({ endEntity: leaf, anchors }).path).toEqual([leaf.der, issuer.der]);
      }
      const anchors = [issuer === one ? other : one];
      expect(search({ endEntity: leaf, presented: [issuer], anchors })).toBeRefusedWith('ERR_PATH_SIGNATURE_INVALID', {
        depth: 0,
        issuer: 'CN=Tenants',
      });
    }
  });

  it('PA-21: is not trusted for being in the trust store, where a CA issued it', () => {
    const pinned = root.issue({ subject: 'CN=Pinned' });
    expect(search({ endEntity: pinned, anchors: [pinned] })).toBeRefusedWith('ERR_PATH_ISSUER_UNKNOWN', {
      depth: 1,
      issuer: 'CN=Root',
    });
    expect(search({ endEntity: pinned, anchors: [pinned, root] }).path).toEqual([pinned.der, root.der]);
  });

  it('PA-21: is not its own issuer, even where it is an anchor', () => {
    const pinned = selfSigned({ subject: 'CN=Pinned' });
    expect(search({ endEntity: pinned, anchors: [pinned] })).toBeRefusedWith('ERR_PATH_ISSUER_NOT_CA', {
      depth: 1,
      subject: 'CN=Pinned',
    });
    const issued = root.issue();
    expect(search({ endEntity: issued, anchors: [issued] })).toBeRefusedWith('ERR_PATH_ISSUER_UNKNOWN', {
      depth: 1,
      issuer: 'CN=Root',
    });
  });
});

describe('the length of a path', () => {
  /** A number is a pathLenConstraint; `'self'` is self-issued. */
  type Level = number | 'plain' | 'self';

  /** Authorities below one another, the root first. */
  const line = (...levels: readonly Level[]): TestAuthority[] => {
    const authorities: TestAuthority[] = [];
    for (const level of levels) {
      const above = authorities.at(-1);
      const fields: CertificateFields = {
        basicConstraints: typeof level === 'number' ? { ca: true, pathLenConstraint: level } : { ca: true },
        ...(level === 'self' && above !== undefined
          ? { subject: above.subject }
          : { subject: `CN=Level ${authorities.length}` }),
      };
      authorities.push(above === undefined ? createAuthority(fields) : above.issueIntermediate(fields));
    }
    return authorities;
  };
  const plainLine = (count: number): [TestAuthority, ...TestAuthority[]] =>
    line(...Array.from({ length: count }, () => 'plain' as const)) as [TestAuthority, ...TestAuthority[]];

  const searchBelow = (authorities: readonly TestAuthority[]): ReturnType<typeof search> => {
    const [anchor, ...presented] = authorities as [TestAuthority, ...TestAuthority[]];
    return search({ endEntity: (presented.at(-1) ?? anchor).issue(), presented, anchors: [anchor] });
  };

  it.each<[string, readonly Level[]]>([
    ['an anchor of 0 that issues', [0]],
    ['an intermediate of 0 that issues', ['plain', 0]],
    ['an anchor of 1 above one intermediate', [1, 'plain']],
    ['an anchor of 2 above two intermediates', [2, 'plain', 'plain']],
    ['a chain that counts down to 0', [3, 2, 1, 0]],
    ['a greater limit below a smaller one that still holds', [2, 9, 'plain']],
    ['an anchor of 0 above a self-issued intermediate', [0, 'self']],
    ['an anchor of 0 above three self-issued intermediates', [0, 'self', 'self', 'self']],
    ['an intermediate of 0 above a self-issued one', ['plain', 0, 'self']],
    ['an anchor of 1 above a self-issued intermediate and another', [1, 'self', 'plain']],
    ['an anchor of 1 above an intermediate and its self-issued one', [1, 'plain', 'self']],
  ])('PA-05: accepts %s', (_, levels) => {
    const authorities = line(...levels);
    expect(searchBelow(authorities).path).toHaveLength(authorities.length + 1);
  });

  it.each<[string, readonly Level[], number, number]>([
    ['an anchor of 0 above one intermediate', [0, 'plain'], 2, 0],
    ['an intermediate of 0 above another', ['plain', 0, 'plain'], 2, 0],
    ['an anchor of 1 above two intermediates', [1, 'plain', 'plain'], 3, 1],
    ['a greater limit below a smaller one that no longer holds', [1, 9, 'plain'], 3, 1],
    ['an anchor of 0 above a self-issued intermediate and another', [0, 'self', 'plain'], 2, 0],
    ['an anchor of 0 above an intermediate and its self-issued one', [0, 'plain', 'self'], 3, 0],
    ['an anchor of 1 above a self-issued intermediate and two more', [1, 'self', 'plain', 'plain'], 3, 1],
  ])('PA-05: rejects %s', (_, levels, depth, pathLenConstraint) => {
    const result = searchBelow(line(...levels));
    expect(result).toBeRefusedWith('ERR_PATH_LENGTH_EXCEEDED', { depth, pathLenConstraint });
    expect(result.questions).toEqual([]);
  });

  it('PA-05: does not mind a pathLenConstraint in the end-entity certificate', () => {
    const leaf = root.issue({ basicConstraints: { ca: false, pathLenConstraint: 0 } });
    expect(search({ endEntity: leaf, anchors: [root] }).path).toEqual([leaf.der, root.der]);
  });

  it.each([0, 1, 3])('accepts exactly maxIntermediates: %i', (maxIntermediates) => {
    const [anchor, ...presented] = plainLine(maxIntermediates + 1);
    const leaf = (presented.at(-1) ?? anchor).issue();
    const { path } = search({ endEntity: leaf, presented, anchors: [anchor], maxIntermediates });
    expect(path).toHaveLength(maxIntermediates + 2);
  });

  it.each([0, 1, 3])('rejects one more than maxIntermediates: %i', (maxIntermediates) => {
    const [anchor, ...presented] = plainLine(maxIntermediates + 2);
    const leaf = (presented.at(-1) as TestAuthority).issue();
    const result = search({ endEntity: leaf, presented, anchors: [anchor], maxIntermediates });
    expect(result).toBeRefusedWith('ERR_PATH_TOO_LONG', { maximum: maxIntermediates });
    expect(result.questions).toEqual([]);
  });

  it('counts self-issued intermediates against maxIntermediates', () => {
    const [anchor, ...presented] = line('plain', 'self', 'self') as [TestAuthority, ...TestAuthority[]];
    const leaf = (presented.at(-1) as TestAuthority).issue();
    expect(search({ endEntity: leaf, presented, anchors: [anchor], maxIntermediates: 2 }).path).toHaveLength(4);
    // With one fewer the anchor is still reached by name, past the intermediate that would have to sign.
    expect(search({ endEntity: leaf, presented, anchors: [anchor], maxIntermediates: 1 }).path).toBeUndefined();
  });
});

describe('PA-20: an alternative', () => {
  const alternatives: [string, CertificateFields][] = [
    ['that has expired', expired],
    ['that is not yet valid', { notBefore: daysFromTestTime(1) }],
    ['that is not a CA', { basicConstraints: 'absent' }],
    ['for serverAuth only', { extKeyUsage: ['serverAuth'] }],
    ['with name constraints', { nameConstraints: { permitted: { directoryNames: ['O=Elsewhere'] } } }],
    ['with a critical extension', { extensions: [{ oid: '1.2.3.4', critical: true, value: Buffer.alloc(0) }] }],
    ['signed with SHA-1', { signatureAlgorithm: 'ecdsa-sha1' }],
    ['with a signature that is not good', { raw: { signatureValue: der.bitString(Buffer.alloc(64, 1)) } }],
  ];

  it.each(alternatives)('is found to an intermediate %s, in either order', (_, fields) => {
    const bad = root.crossSign(intermediate, fields);
    const leaf = intermediate.issue();
    for (const presented of permutations([bad, intermediate])) {
      expect(search({ endEntity: leaf, presented, anchors: [root] }).path).toEqual([
        leaf.der,
        intermediate.der,
        root.der,
      ]);
    }
    expect(search({ endEntity: leaf, presented: [bad], anchors: [root], intermediates: [intermediate] }).path).toEqual([
      leaf.der,
      intermediate.der,
      root.der,
    ]);
  });

  it.each(alternatives.slice(0, 6))('is found to an anchor %s: another of the same name and key', (_, fields) => {
    const bad = root.crossSign(root, fields);
    const leaf = root.issue();
    for (const anchors of permutations([bad, root])) {
      expect(search({ endEntity: leaf, anchors }).path).toEqual([leaf.der, root.der]);
    }
  });

  it('is found to an expired anchor: a cross-signed certificate to another anchor', () => {
    const old = createAuthority({ subject: 'CN=Old', ...expired });
    const crossSigned = root.crossSign(old);
    const leaf = old.issue();
    const { path } = search({ endEntity: leaf, presented: [crossSigned], anchors: [old, root] });
    expect(path).toEqual([leaf.der, crossSigned.der, root.der]);
  });

  it('is not made of an expired anchor alone', () => {
    const old = createAuthority({ subject: 'CN=Old', ...expired });
    expect(search({ endEntity: old.issue(), anchors: [old] })).toBeRefusedWith('ERR_CERTIFICATE_EXPIRED', {
      depth: 1,
      time: TEST_TIME,
      notAfter: daysFromTestTime(-1),
    });
  });

  it('is found past a pathLenConstraint that another certificate of the same CA does not have', () => {
    const narrow = root.crossSign(intermediate, { basicConstraints: { ca: true, pathLenConstraint: 0 } });
    const leaf = issuing.issue();
    for (const presented of permutations([issuing, narrow, intermediate])) {
      expect(search({ endEntity: leaf, presented, anchors: [root] }).path).toEqual([
        leaf.der,
        issuing.der,
        intermediate.der,
        root.der,
      ]);
    }
  });
});

describe('the search for a path', () => {
  it('asks one question per certificate where the key identifier tells namesakes apart', () => {
    const all = namesakes(40, intermediate.subject);
    for (const issuer of [all[0], all[20], all[39]] as TestAuthority[]) {
      const leaf = issuer.issue();
      const { path, questions } = search({ endEntity: leaf, presented: all, anchors: [root] });
      expect(path).toEqual([leaf.der, issuer.der, root.der]);
      expect(questions).toHaveLength(2);
    }
  });

  it('asks one question where the key identifier tells anchors of one name apart', () => {
    const anchors = Array.from({ length: 40 }, () => createAuthority({ subject: 'CN=Anchor' }));
    const leaf = (anchors[39] as TestAuthority).issue();
    const { path, questions } = search({ endEntity: leaf, anchors });
    expect(path).toEqual([leaf.der, anchors[39]?.der]);
    expect(questions).toHaveLength(1);
  });

  it('puts issuers without a key identifier before those with another', () => {
    const [first, second, third] = namesakes(3, intermediate.subject) as [TestAuthority, TestAuthority, TestAuthority];
    const bare = root.crossSign(third, { subjectKeyIdentifier: 'absent' });
    const leaf = third.issue();
    const { path, questions } = search({ endEntity: leaf, presented: [first, second, bare], anchors: [root] });
    expect(path).toEqual([leaf.der, bare.der, root.der]);
    expect(questions).toHaveLength(2);
  });

  it('puts issuers with the right key identifier before those without one', () => {
    const [first, second] = namesakes(2, intermediate.subject) as [TestAuthority, TestAuthority];
    const bare = root.crossSign(first, { subjectKeyIdentifier: 'absent' });
    const leaf = second.issue();
    const { path, questions } = search({ endEntity: leaf, presented: [bare, second], anchors: [root] });
    expect(path).toEqual([leaf.der, second.der, root.der]);
    expect(questions).toHaveLength(2);
  });

  it('keeps the order of presentation where no key identifier decides', () => {
    const all = namesakes(3, intermediate.subject);
    const leaf = (all[2] as TestAuthority).issue({ authorityKeyIdentifier: 'absent' });
    const { questions } = search({ endEntity: leaf, presented: all, anchors: [root] });
    expect(questions.map(([certificate]) => all.findIndex(({ der: bytes }) => bytes.equals(certificate)))).toEqual([
      0, -1, 1, -1, 2, -1,
    ]);
  });

  it('tries anchors before intermediates', () => {
    const namesake = unrelated.issueIntermediate({ subject: root.subject });
    const leaf = root.issue();
    const { path, questions } = search({
      endEntity: leaf,
      presented: [namesake, unrelated],
      anchors: [unrelated, root],
    });
    expect(path).toEqual([leaf.der, root.der]);
    expect(questions).toHaveLength(1);
  });

  it('asks no question below a signature that is not good', () => {
    const forged = createAuthority({ subject: 'CN=Forged' });
    const lookAlike = createAuthority({ subject: root.subject }).crossSign(forged);
    const { questions } = search({ endEntity: forged.issue(), presented: [lookAlike], anchors: [root] });
    expect(questions).toEqual([[lookAlike.der, root.der]]);
  });

  it('asks no question twice', () => {
    const others = namesakes(4, root.subject);
    const { questions } = search({
      endEntity: createAuthority({ subject: root.subject }).issue(),
      presented: others,
      anchors: [root],
    });
    const asked = questions.map((pair) => Buffer.concat(pair).toString('hex'));
    expect(new Set(asked).size).toBe(asked.length);
  });

  it.each<[string, Buffer, string]>([
    ['RSA of 16384 bits', rsaSpki(16_384), 'RSA of 16384 bits, exponent 65537'],
    ['RSA of 8193 bits', rsaSpki(8_193), 'RSA of 8193 bits, exponent 65537'],
    ['RSA with an exponent of 3072 bits', rsaSpki(3_072, 2n ** 3071n + 1n), 'RSA of 3072 bits, exponent over 32 bits'],
    ['RSA with an exponent of 1', rsaSpki(2_048, 1), 'RSA of 2048 bits, exponent 1'],
  ])(
    'PA-17: never uses a key of %s, of an anchor, an intermediate or one not anchored',
    (_, subjectPublicKeyInfo, key) => {
      const issuer = root.issueIntermediate({ subject: 'CN=Huge', raw: { subjectPublicKeyInfo } });
      const leaf = issuer.issue();
      for (const query of [
        { anchors: [issuer] },
        { presented: [issuer], anchors: [root] },
        { presented: [issuer], anchors: [unrelated] },
      ]) {
        const result = search({ endEntity: leaf, ...query });
        expect(result).toBeRefusedWith('ERR_CERTIFICATE_KEY_NOT_PERMITTED', { depth: 1, key });
        expect(result.questions).toEqual([]);
      }
    },
  );

  it('PA-17: uses no key that no trusted one has vouched for, however permitted', () => {
    const huge = createAuthority({ subject: root.subject, raw: { subjectPublicKeyInfo: rsaSpki(8_192) } });
    const result = search({ endEntity: huge.issue(), presented: [huge], anchors: [root] });
    expect(result.path).toBeUndefined();
    expect(result.questions.every(([, issuer]) => issuer.equals(root.der))).toBe(true);
  });

  it('DR-30: never uses an RSA exponent of 3, whose signatures can be forged', () => {
    const weak = createAuthority({ subject: 'CN=Weak', raw: { subjectPublicKeyInfo: rsaSpki(3_072, 3) } });
    const result = search({ endEntity: weak.issue(), anchors: [weak] });
    expect(result).toBeRefusedWith('ERR_CERTIFICATE_KEY_NOT_PERMITTED', {
      depth: 1,
      key: 'RSA of 3072 bits, exponent 3',
    });
    expect(result.questions).toEqual([]);
  });
});

describe('a loop', () => {
  const a = createAuthority({ subject: 'CN=A' });
  const b = createAuthority({ subject: 'CN=B' });
  const aByB = b.crossSign(a);
  const bByA = a.crossSign(b);

  it('PA-15: of two CAs that certify each other ends, and nothing is verified', () => {
    const result = search({ endEntity: a.issue(), presented: [aByB, bByA], anchors: [root] });
    expect(result).toBeRefusedWith('ERR_PATH_ISSUER_UNKNOWN', { depth: 3, issuer: 'CN=A' });
    expect(result.questions).toEqual([]);
  });

  it('PA-15: of two CAs does not hide the way out', () => {
    const aByRoot = root.crossSign(a);
    const leaf = b.issue();
    for (const presented of permutations([aByB, bByA, aByRoot])) {
      expect(search({ endEntity: leaf, presented, anchors: [root] }).path).toEqual([
        leaf.der,
        bByA.der,
        aByRoot.der,
        root.der,
      ]);
    }
  });

  it('PA-15: of three CAs ends', () => {
    const c = createAuthority({ subject: 'CN=C' });
    const presented = [aByB, bByA, a.crossSign(c), c.crossSign(a), b.crossSign(c), c.crossSign(b), a, b, c];
    const result = search({ endEntity: a.issue(), presented, anchors: [root] });
    expect(result.refusal?.code).toBe('ERR_PATH_ISSUER_UNKNOWN');
    expect(result.questions).toEqual([]);
  });

  it('PA-15: of certificates with one name and key, differing in nothing else that matters, ends', () => {
    const presented = Array.from({ length: 20 }, (_, serialNumber) => a.crossSign(a, { serialNumber }));
    const result = search({ endEntity: a.issue(), presented, anchors: [root] });
    expect(result).toBeRefusedWith('ERR_PATH_ISSUER_UNKNOWN', { depth: 2, issuer: 'CN=A' });
  });

  it('PA-15: of certificates with one name and a key each ends at the candidate budget', () => {
    const result = search({ endEntity: a.issue(), presented: namesakes(12, a.subject, a), anchors: [root] });
    expect(result).toBeRefusedWith('ERR_PATH_BUDGET_EXCEEDED', { limit: 'candidates', maximum: maxCandidates });
    expect(result.questions).toEqual([]);
  });

  it('PA-15: of an end-entity certificate with the name and key of its issuer does not use it as one', () => {
    const leaf = a.issue({ subject: a.subject, key: a.key });
    const result = search({ endEntity: leaf, presented: [a, aByB, leaf], anchors: [root] });
    expect(result.path).toBeUndefined();
    expect(result.questions).toEqual([]);
  });
});

describe('the budgets', () => {
  const subject = createAuthority({ subject: 'CN=Namesake' });
  const forged = createAuthority({ subject: subject.subject }).issue();
  const others = namesakes(maxSignatures, subject.subject, createAuthority({ subject: subject.subject }));

  it('are 100 signatures and 1,000 candidates', () => {
    expect([maxSignatures, maxCandidates]).toEqual([100, 1_000]);
  });

  it('PA-14: stop at the 101st signature', () => {
    const result = search({ endEntity: forged, presented: others, anchors: [subject] });
    expect(result).toBeRefusedWith('ERR_PATH_BUDGET_EXCEEDED', { limit: 'signatures', maximum: maxSignatures });
    expect(result.questions).toHaveLength(100);
  });

  it('PA-14: allow the 100th signature, and find the path it completes', () => {
    // The anchor is asked about 98 namesakes and the forgery, then about the issuer, then about its certificate.
    const decoys = others.slice(0, 97);
    const good = subject.issueIntermediate({ subject: subject.subject });
    const leaf = good.issue({ authorityKeyIdentifier: 'absent' });
    const query = { endEntity: leaf, anchors: [subject], maxIntermediates: 1 };
    const found = search({ ...query, presented: [...decoys, good] });
    expect(found.path).toEqual([leaf.der, good.der, subject.der]);
    expect(found.questions).toHaveLength(100);
    const lost = search({ ...query, presented: [...others.slice(0, 98), good] });
    expect(lost).toBeRefusedWith('ERR_PATH_BUDGET_EXCEEDED', { limit: 'signatures', maximum: maxSignatures });
    expect(lost.questions).toHaveLength(100);
  });

  it('PA-14: allow the 1,000th candidate, and find the path it completes', () => {
    const old = root.crossSign(intermediate, expired);
    const leaf = intermediate.issue();
    // The last two are the intermediate and its anchor.
    const decoys = Array.from({ length: maxCandidates - 2 }, () => old);
    const found = search({ endEntity: leaf, presented: [...decoys, intermediate], anchors: [root] });
    expect(found.path).toEqual([leaf.der, intermediate.der, root.der]);
    const lost = search({ endEntity: leaf, presented: [...decoys, old, intermediate], anchors: [root] });
    expect(lost).toBeRefusedWith('ERR_PATH_BUDGET_EXCEEDED', { limit: 'candidates', maximum: maxCandidates });
    expect(lost.questions).toEqual([]);
  });

  it('PA-14: stop six layers of ten namesakes, where an anchor is never reached by name', () => {
    const presented: TestAuthority[] = [];
    for (let layer = 0; layer < 6; layer++) {
      const above = createAuthority({ subject: `CN=Layer ${layer}` });
      presented.push(...namesakes(10, createAuthority({ subject: `CN=Layer ${layer + 1}` }).subject, above));
    }
    const leaf = createAuthority({ subject: 'CN=Layer 6' }).issue();
    const unreachable = search({ endEntity: leaf, presented, anchors: [root] });
    expect(unreachable).toBeRefusedWith('ERR_PATH_BUDGET_EXCEEDED', { limit: 'candidates', maximum: maxCandidates });
    expect(unreachable.questions).toEqual([]);
  });

  it('PA-14: stop six layers of ten namesakes below an anchor, with few signatures', () => {
    const presented: TestAuthority[] = [];
    for (let layer = 0; layer < 6; layer++) {
      const above = createAuthority({ subject: layer === 0 ? root.subject : `CN=Layer ${layer}` });
      presented.push(...namesakes(10, createAuthority({ subject: `CN=Layer ${layer + 1}` }).subject, above));
    }
    const result = search({
      endEntity: createAuthority({ subject: 'CN=Layer 6' }).issue(),
      presented,
      anchors: [root],
    });
    expect(result).toBeRefusedWith('ERR_PATH_BUDGET_EXCEEDED', { limit: 'candidates', maximum: maxCandidates });
    expect(result.questions).toHaveLength(10);
  });

  it('PA-14: stop layers of namesakes all of which the anchor vouches for', () => {
    const first = namesakes(10, createAuthority({ subject: 'CN=Layer 1' }).subject);
    const second = first.flatMap((issuer) => namesakes(2, createAuthority({ subject: 'CN=Layer 2' }).subject, issuer));
    const leaf = createAuthority({ subject: 'CN=Layer 2' }).issue();
    const result = search({ endEntity: leaf, presented: [...first, ...second], anchors: [root] });
    expect(result).toBeRefusedWith('ERR_PATH_BUDGET_EXCEEDED', { limit: 'signatures', maximum: maxSignatures });
    expect(result.questions).toHaveLength(100);
  });

  it('PA-14: are not touched by presented certificates no name leads to', () => {
    const leaf = intermediate.issue();
    const { path, questions } = search({
      endEntity: leaf,
      presented: [...others, intermediate],
      anchors: [root, subject],
    });
    expect(path).toEqual([leaf.der, intermediate.der, root.der]);
    expect(questions).toHaveLength(2);
  });
});

describe('the refusal', () => {
  const leaf = intermediate.issue();
  const anchors = [root];

  it('is of the expired issuer, not of the unknown one, in either order', () => {
    const old = root.crossSign(intermediate, expired);
    const lost = unrelated.crossSign(intermediate);
    for (const presented of permutations([old, lost])) {
      expect(search({ endEntity: leaf, presented, anchors })).toBeRefusedWith('ERR_CERTIFICATE_EXPIRED', {
        depth: 1,
        time: TEST_TIME,
        notAfter: daysFromTestTime(-1),
      });
    }
  });

  it('is of the issuer that is not a CA, not of the signature that is not good, in either order', () => {
    const notCa = root.crossSign(intermediate, { basicConstraints: 'absent' });
    const forged = createAuthority({ subject: root.subject }).crossSign(intermediate);
    for (const presented of permutations([notCa, forged])) {
      expect(search({ endEntity: leaf, presented, anchors })).toBeRefusedWith('ERR_PATH_ISSUER_NOT_CA', {
        depth: 1,
        subject: 'CN=Intermediate',
      });
    }
  });

  it('is of the signature that is not good, not of the unknown issuer, in either order', () => {
    const lost = unrelated.crossSign(intermediate);
    const forged = createAuthority({ subject: root.subject }).crossSign(intermediate);
    for (const presented of permutations([lost, forged])) {
      expect(search({ endEntity: leaf, presented, anchors })).toBeRefusedWith('ERR_PATH_SIGNATURE_INVALID', {
        depth: 1,
        issuer: 'CN=Root',
      });
    }
  });

  it('is of the first of two that tell as much', () => {
    const older = root.crossSign(intermediate, { ...expired, notAfter: daysFromTestTime(-2) });
    const old = root.crossSign(intermediate, expired);
    expect(search({ endEntity: leaf, presented: [older, old], anchors })).toBeRefusedWith('ERR_CERTIFICATE_EXPIRED', {
      depth: 1,
      time: TEST_TIME,
      notAfter: daysFromTestTime(-2),
    });
  });

  const holdsUntil = (fields: Omit<Parameters<typeof search>[0], 'anchors'>): number | undefined =>
    search({ anchors, ...fields }).holdsUntil;

  it('holds for ever where no certificate will become valid', () => {
    expect(holdsUntil({ endEntity: unrelated.issue() })).toBe(Infinity);
    expect(holdsUntil({ endEntity: root.issue(expired) })).toBe(Infinity);
    expect(holdsUntil({ endEntity: leaf, presented: [root.crossSign(intermediate, expired)] })).toBe(Infinity);
    expect(holdsUntil({ endEntity: createAuthority({ subject: root.subject }).issue() })).toBe(Infinity);
  });

  it('holds until the end-entity certificate becomes valid, and not a moment longer', () => {
    const notBefore = daysFromTestTime(3);
    const endEntity = root.issue({ notBefore });
    expect(holdsUntil({ endEntity })).toBe(notBefore.getTime());
    expect(search({ endEntity, anchors, time: new Date(notBefore.getTime() - 1) }).path).toBeUndefined();
    expect(search({ endEntity, anchors, time: notBefore }).path).toEqual([endEntity.der, root.der]);
  });

  it('holds until the first of several issuers becomes valid, whatever the refusal is', () => {
    const later = root.crossSign(intermediate, { notBefore: daysFromTestTime(5) });
    const sooner = root.crossSign(intermediate, { notBefore: daysFromTestTime(2) });
    const old = root.crossSign(intermediate, expired);
    const presented = [later, old, sooner];
    const result = search({ endEntity: leaf, presented, anchors });
    expect(result.refusal?.code).toBe('ERR_CERTIFICATE_EXPIRED');
    expect(result.holdsUntil).toBe(daysFromTestTime(2).getTime());
    expect(search({ endEntity: leaf, presented, anchors, time: daysFromTestTime(2) }).path).toEqual([
      leaf.der,
      sooner.der,
      root.der,
    ]);
  });

  it('holds until an anchor becomes valid', () => {
    const future = createAuthority({ subject: 'CN=Future', notBefore: daysFromTestTime(7) });
    expect(holdsUntil({ endEntity: future.issue(), anchors: [future] } as never)).toBe(daysFromTestTime(7).getTime());
  });
});

describe('one search', () => {
  it('does not turn an error of another kind into a refusal', () => {
    const failure = new RangeError('out of memory');
    const fail = (): never => {
      throw failure;
    };
    jest.spyOn(TrustStore.prototype, 'anchorsNamed').mockImplementationOnce(fail);
    expect(() => search({ endEntity: root.issue(), anchors: [root] })).toThrow(failure);
    jest.spyOn(Certificate.prototype, 'isSelfIssued', 'get').mockImplementationOnce(fail);
    expect(() => search({ endEntity: intermediate.issue(), presented: [intermediate], anchors: [root] })).toThrow(
      failure,
    );
    jest.restoreAllMocks();
  });

  it('accepts RSA and Ed25519 keys in one path', () => {
    const key = generateKey('rsa2048');
    const top = createAuthority({ subject: 'CN=RSA', key });
    const middle = top.issueIntermediate({ subject: 'CN=Ed25519', keyAlgorithm: 'ed25519' });
    const leaf: TestCertificate = middle.issue({ key });
    expect(search({ endEntity: leaf, presented: [middle], anchors: [top] }).path).toEqual([
      leaf.der,
      middle.der,
      top.der,
    ]);
  });

  it('requires the usage it is asked for', () => {
    const server = root.issue({ extKeyUsage: ['serverAuth'] });
    expect(search({ endEntity: server, anchors: [root], requiredUsage: 'serverAuth' }).path).toHaveLength(2);
    expect(search({ endEntity: server, anchors: [root], requiredUsage: 'not-checked' }).path).toHaveLength(2);
    expect(search({ endEntity: server, anchors: [root] }).path).toBeUndefined();
  });
});
