import crypto from 'node:crypto';
import {
  type CertificateRequest,
  type ErrorCode,
  TrustStore,
  validatePath,
  type ValidatePathInput,
  type VerifiedPath,
} from '@peercert/core';
import {
  algorithmIdentifier,
  type CertificateFields,
  cloudFrontHeaders,
  createAuthority,
  daysFromTestTime,
  der,
  generateKey,
  selfSigned,
  TEST_TIME,
  type TestCertificate,
} from '@peercert/testkit';
import { isSignedBy } from '../../../../packages/core/src/path/verify-signature';
import { Certificate } from '../../../../packages/core/src/x509/certificate';
import { rsaSpki } from '../../../support/encodings';
import { admitted, behindEdge, callerOf, fromEdge } from '../../../support/requests';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

interface Minted {
  readonly der: Buffer;
}

const root = createAuthority({ subject: 'CN=Root' });
const other = createAuthority({ subject: 'CN=Other' });
const pinned = selfSigned({ subject: 'CN=Pinned', uris: ['urn:pinned'] });

const ders = (certificates: readonly Minted[]): Buffer[] => certificates.map((each) => each.der);
const storeOf = (pins: readonly Minted[], anchors: readonly Minted[] = [other]): TrustStore => {
  return TrustStore.fromDer(ders(anchors), { pinnedEndEntities: ders(pins) });
};
const validated = (
  certificate: Minted & { readonly chain?: readonly Buffer[] },
  trust: TrustStore,
  options: Partial<ValidatePathInput> = {},
): Promise<VerifiedPath> => {
  return validatePath({
    endEntity: certificate.der,
    intermediates: certificate.chain ?? [],
    trust,
    time: TEST_TIME,
    ...options,
  });
};
const pathOf = async (path: Promise<VerifiedPath>): Promise<Buffer[]> => {
  return (await path).certificates.map((certificate) => Buffer.from(certificate));
};

let verifications: jest.SpyInstance;
beforeEach(() => {
  verifications = jest.spyOn(crypto, 'verify');
});
afterEach(() => verifications.mockRestore());

describe('PA-21: an end-entity certificate that is pinned', () => {
  it.each<[string, TestCertificate]>([
    ['self-signed', pinned],
    ['issued by a CA nobody trusts', root.issue()],
    ['issued by an intermediate that is not there', root.issueIntermediate().issue()],
    ['with an RSA key', selfSigned({ keyAlgorithm: 'rsa2048' })],
    ['with a key that verifies off the event loop', selfSigned({ keyAlgorithm: 'p521' })],
    ['without extKeyUsage', selfSigned({ extKeyUsage: 'absent' })],
  ])('is good by itself, and nothing is verified: one %s', async (_, certificate) => {
    const path = await validated(certificate, storeOf([certificate]));
    expect(path.certificates.map((each) => Buffer.from(each))).toEqual([certificate.der]);
    expect(path.policies).toEqual([]);
    expect([path.validFrom, path.validUntil]).toEqual([daysFromTestTime(-1), daysFromTestTime(365)]);
    expect(verifications).not.toHaveBeenCalled();
  });

  it('is good whatever is presented beside it, and whatever is not', async () => {
    const trust = storeOf([pinned]);
    const beside = { ...pinned, chain: [root.der, pinned.der, other.issueIntermediate().der] };
    await expect(pathOf(validated(beside, trust))).resolves.toEqual([pinned.der]);
    await expect(pathOf(validated(pinned, trust, { maxIntermediates: 0 }))).resolves.toEqual([pinned.der]);
  });

  it('is good in a store without any anchor', async () => {
    await expect(pathOf(validated(pinned, storeOf([pinned], [])))).resolves.toEqual([pinned.der]);
  });

  it('is good among others, one of the same subject too', async () => {
    const namesake = selfSigned({ subject: 'CN=Pinned' });
    const trust = storeOf([root.issue(), namesake, pinned]);
    for (const each of [namesake, pinned]) await expect(pathOf(validated(each, trust))).resolves.toEqual([each.der]);
  });

  it('is good however it is signed: with SHA-1, with an algorithm nobody knows, or badly', async () => {
    const sha1 = algorithmIdentifier('ecdsa-sha1');
    const unknown = der.sequence(der.oid('1.2.3.4'));
    for (const raw of [
      { signature: sha1, signatureAlgorithm: sha1 },
      { signature: unknown, signatureAlgorithm: unknown },
      { signatureValue: der.bitString(Buffer.alloc(70)) },
    ]) {
      const certificate = root.issue({ raw });
      await expect(pathOf(validated(certificate, storeOf([certificate])))).resolves.toEqual([certificate.der]);
    }
  });

  const expired = { notBefore: daysFromTestTime(-9), notAfter: daysFromTestTime(-1) };
  const young = { notBefore: daysFromTestTime(1) };
  it.each<[string, CertificateFields, ErrorCode, object]>([
    ['expired', expired, 'ERR_CERTIFICATE_EXPIRED', { depth: 0, time: TEST_TIME, notAfter: expired.notAfter }],
    [
      'not yet valid',
      young,
      'ERR_CERTIFICATE_NOT_YET_VALID',
      { depth: 0, time: TEST_TIME, notBefore: young.notBefore },
    ],
    [
      'for serverAuth',
      { extKeyUsage: ['serverAuth'] },
      'ERR_CERTIFICATE_USAGE_NOT_PERMITTED',
      { depth: 0, extension: 'extKeyUsage', required: 'clientAuth' },
    ],
    [
      'for any purpose',
      { extKeyUsage: ['anyExtendedKeyUsage'] },
      'ERR_CERTIFICATE_USAGE_NOT_PERMITTED',
      { depth: 0, extension: 'extKeyUsage', required: 'clientAuth' },
    ],
    [
      'that may not make signatures',
      { keyUsage: ['keyEncipherment'] },
      'ERR_CERTIFICATE_USAGE_NOT_PERMITTED',
      { depth: 0, extension: 'keyUsage', required: 'digitalSignature' },
    ],
    ['of a CA', { basicConstraints: { ca: true } }, 'ERR_CERTIFICATE_IS_CA', { depth: 0 }],
    [
      'that signs certificates',
      { keyUsage: ['digitalSignature', 'keyCertSign'] },
      'ERR_CERTIFICATE_IS_CA',
      { depth: 0 },
    ],
    [
      'of version 1',
      { raw: { version: Buffer.alloc(0), extensions: Buffer.alloc(0) } },
      'ERR_CERTIFICATE_VERSION_UNSUPPORTED',
      { depth: 0, version: 1 },
    ],
    [
      'with a critical extension nobody knows',
      { extensions: [{ oid: '1.2.3.4', critical: true, value: der.null() }] },
      'ERR_CERTIFICATE_CRITICAL_EXTENSION_UNSUPPORTED',
      { depth: 0, oid: '1.2.3.4' },
    ],
    [
      'with a key of 1,024 bits',
      { raw: { subjectPublicKeyInfo: rsaSpki(1024) } },
      'ERR_CERTIFICATE_KEY_NOT_PERMITTED',
      { depth: 0, key: 'RSA of 1024 bits, exponent 65537' },
    ],
  ])('is refused as any other: one %s', async (_, fields, code, details) => {
    const certificate = root.issue(fields);
    await expect(validated(certificate, storeOf([certificate]))).toRejectWith(code, details);
  });

  it('is refused with a key off its curve', async () => {
    const spki = Buffer.from(generateKey().publicKey.export({ type: 'spki', format: 'der' }));
    spki[spki.length - 1] = (spki.at(-1) as number) ^ 1;
    const certificate = root.issue({ raw: { subjectPublicKeyInfo: spki } });
    await expect(validated(certificate, storeOf([certificate]))).rejects.toMatchObject({
      code: 'ERR_CERTIFICATE_KEY_NOT_PERMITTED',
      details: { depth: 0, key: 'P-256 key off its curve' },
    });
  });

  it('is held to the rules', async () => {
    const ca = selfSigned({ basicConstraints: { ca: true } });
    await expect(pathOf(validated(ca, storeOf([ca]), { rules: { caAsEndEntity: 'accept' } }))).resolves.toEqual([
      ca.der,
    ]);
    const absent = selfSigned({ extKeyUsage: 'absent' });
    await expect(
      validated(absent, storeOf([absent]), { rules: { absentExtKeyUsage: 'reject' } }),
    ).rejects.toMatchObject({ code: 'ERR_CERTIFICATE_USAGE_NOT_PERMITTED' });
    const serial = selfSigned({ serialNumber: 0 });
    await expect(pathOf(validated(serial, storeOf([serial])))).resolves.toEqual([serial.der]);
    await expect(validated(serial, storeOf([serial]), { rules: { profile: 'rfc5280' } })).rejects.toMatchObject({
      code: 'ERR_CERTIFICATE_PROFILE_VIOLATED',
      details: { depth: 0 },
    });
    const server = selfSigned({ extKeyUsage: ['serverAuth'] });
    await expect(pathOf(validated(server, storeOf([server]), { extKeyUsage: 'serverAuth' }))).resolves.toEqual([
      server.der,
    ]);
  });

  it('is good for the policies it has', async () => {
    const [one, two] = ['1.2.3.1', '1.2.3.2'];
    const certificate = selfSigned({ certificatePolicies: [one] });
    const trust = storeOf([certificate, pinned]);
    expect((await validated(certificate, trust)).policies).toEqual([one]);
    const policies = { acceptable: [one], requireExplicitPolicy: true };
    expect((await validated(certificate, trust, { policies })).policies).toEqual([one]);
    for (const [each, acceptable] of [
      [certificate, two],
      [pinned, one],
    ] as const) {
      await expect(
        validated(each, trust, { policies: { acceptable: [acceptable], requireExplicitPolicy: true } }),
      ).rejects.toMatchObject({ code: 'ERR_PATH_POLICY_NOT_SATISFIED' });
    }
  });

  it('is not constrained by its own nameConstraints, nor by what the anchors are held to', async () => {
    const certificate = selfSigned({ subject: 'CN=a', nameConstraints: { permitted: { directoryNames: ['CN=b'] } } });
    const trust = TrustStore.fromDer([other.der], {
      pinnedEndEntities: [certificate.der],
      constraints: {
        permittedNames: { directory: ['CN=c'] },
        extKeyUsage: ['serverAuth'],
        expiry: daysFromTestTime(-1),
      },
    });
    await expect(pathOf(validated(certificate, trust))).resolves.toEqual([certificate.der]);
  });

  it('still has the paths anchors give it', async () => {
    const policy = '1.2.3.1';
    const intermediate = root.issueIntermediate({
      certificatePolicies: [policy],
      extensions: [
        {
          oid: '2.5.29.33',
          critical: true,
          value: der.sequence(der.sequence(der.oid(policy), der.oid('1.2.3.9'))),
        },
      ],
    });
    const leaf = intermediate.issue({ certificatePolicies: ['1.2.3.9'] });
    const policies = { acceptable: [policy], requireExplicitPolicy: true };
    const trust = storeOf([leaf], [root]);
    await expect(pathOf(validated(leaf, trust))).resolves.toEqual([leaf.der]);
    // By itself it is good for another policy.
    await expect(pathOf(validated(leaf, trust, { policies }))).resolves.toEqual([leaf.der, intermediate.der, root.der]);
  });

  it('has to be signed as any other for those', async () => {
    const sha1 = algorithmIdentifier('ecdsa-sha1');
    const leaf = root.issue({ raw: { signature: sha1, signatureAlgorithm: sha1 } });
    const policies = { acceptable: ['1.2.3.1'], requireExplicitPolicy: true };
    await expect(validated(leaf, storeOf([leaf], [root]), { policies })).rejects.toMatchObject({
      code: 'ERR_PATH_POLICY_NOT_SATISFIED',
    });
    expect(verifications).not.toHaveBeenCalled();
  });
});

describe('PA-21: an end-entity certificate that is not pinned', () => {
  it.each<[string, TestCertificate]>([
    ['the key of the pinned one', selfSigned({ subject: 'CN=Pinned', key: pinned.key })],
    ['the name of the pinned one', selfSigned({ subject: 'CN=Pinned' })],
    [
      'the serial number and key of the pinned one',
      selfSigned({ key: pinned.key, subject: 'CN=Pinned', serialNumber: 7 }),
    ],
  ])('is refused with %s', async (_, certificate) => {
    await expect(validated(certificate, storeOf([pinned]))).toRejectWith('ERR_PATH_ISSUER_UNKNOWN', {
      depth: 1,
      issuer: 'CN=Pinned',
    });
  });

  it('is refused where a pinned one issued it', async () => {
    const issuer = createAuthority({ subject: 'CN=Issuer' });
    const leaf = issuer.issue();
    for (const trust of [storeOf([issuer]), storeOf([issuer, pinned])]) {
      await expect(
        validated({ ...leaf, chain: [issuer.der] }, trust, { rules: { caAsEndEntity: 'accept' } }),
      ).toRejectWith('ERR_PATH_ISSUER_UNKNOWN', { depth: 2, issuer: 'CN=Issuer' });
    }
    expect(verifications).not.toHaveBeenCalled();
  });

  it('is refused where it is among the anchors, or the intermediates', async () => {
    const issued = root.issue();
    await expect(validated(pinned, storeOf([], [pinned]))).toRejectWith('ERR_PATH_ISSUER_NOT_CA', {
      depth: 1,
      subject: 'CN=Pinned',
    });
    await expect(validated(issued, storeOf([], [issued]))).toRejectWith('ERR_PATH_ISSUER_UNKNOWN', {
      depth: 1,
      issuer: 'CN=Root',
    });
    const trust = TrustStore.fromDer([other.der], { intermediates: [pinned.der] });
    await expect(validated(pinned, trust)).toRejectWith('ERR_PATH_ISSUER_UNKNOWN', { depth: 1, issuer: 'CN=Pinned' });
  });

  it('DR-31: is refused where it is the twin (r, n - s) of a pinned one, which is other bytes', async () => {
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const { tbs, signature } = new Certificate(pinned.der);
    const middle = 4 + signature.readUInt8(3);
    const r = signature.subarray(4, middle);
    const s = BigInt(`0x${signature.toString('hex', middle + 2)}`);
    const signatureValue = der.bitString(der.sequence(der.integer(r), der.integer(order - s)));
    const twin = { der: der.sequence(tbs, algorithmIdentifier('ecdsa-sha256'), signatureValue) };
    expect(new Certificate(twin.der).tbs.equals(tbs)).toBe(true);
    expect(isSignedBy(new Certificate(twin.der), new Certificate(pinned.der))).toBe(true);
    const trust = storeOf([pinned]);
    await expect(pathOf(validated(pinned, trust))).resolves.toEqual([pinned.der]);
    await expect(validated(twin, trust)).toRejectWith('ERR_PATH_ISSUER_UNKNOWN', { depth: 1, issuer: 'CN=Pinned' });
  });

  it.each([0, 100, -1])('is refused where octet %i differs', async (at) => {
    const changed = Buffer.from(pinned.der);
    const index = at < 0 ? changed.length + at : at;
    changed[index] = (changed[index] as number) ^ 1;
    await expect(validated({ der: changed }, storeOf([pinned]))).rejects.toHaveProperty('code');
  });
});

describe('PA-21: the identity of a pinned end-entity certificate', () => {
  const request = (certificate: TestCertificate): CertificateRequest => {
    return fromEdge(...cloudFrontHeaders(certificate, { chain: [] }).flat());
  };

  it('is its own trust anchor, and stands in its path once', async () => {
    const outcome = await admitted(behindEdge(storeOf([pinned])), request(pinned));
    if (outcome.status !== 'authenticated') throw new TypeError('not authenticated');
    const { identity } = outcome;
    expect(identity.uris).toEqual(['urn:pinned']);
    expect(identity.path.map((each) => Buffer.from(each))).toEqual([pinned.der]);
    expect(String(identity.trustAnchor.subject)).toBe('CN=Pinned');
    expect(identity.trustAnchor.certificateSha256).toBe(identity.certificateSha256);
    expect(identity.trustAnchor.spkiSha256).toBe(identity.spkiSha256);
    expect(Object.isFrozen(identity.trustAnchor)).toBe(true);
  });

  it('is remembered until the certificate expires', async () => {
    const brief = selfSigned({ uris: ['urn:brief'], notAfter: new Date(TEST_TIME.getTime() + 10_000) });
    let now = TEST_TIME.getTime();
    const authenticator = behindEdge(storeOf([brief]), { clock: () => now });
    for (now of [now, now + 10_000])
      await expect(callerOf(authenticator, request(brief))).resolves.toEqual(['urn:brief']);
    now += 1;
    await expect(callerOf(authenticator, request(brief))).toRejectWith('ERR_CERTIFICATE_EXPIRED', {
      depth: 0,
      time: new Date(now),
      notAfter: new Date(TEST_TIME.getTime() + 10_000),
    });
  });

  it('ends with the store that pins it', async () => {
    const provider = { current: storeOf([pinned]), close: async () => {} };
    const authenticator = behindEdge(storeOf([pinned]), { trust: provider });
    await expect(callerOf(authenticator, request(pinned))).resolves.toEqual(['urn:pinned']);
    provider.current = TrustStore.fromDer([other.der]);
    await expect(callerOf(authenticator, request(pinned))).toRejectWith('ERR_PATH_ISSUER_UNKNOWN', {
      depth: 1,
      issuer: 'CN=Pinned',
    });
  });
});
