import { createHash } from 'node:crypto';
import { type TrustFinding, type TrustReport, TrustStore } from '@peercert/core';
import {
  algorithmIdentifier,
  type CertificateFields,
  createAuthority,
  daysFromTestTime,
  der,
  generateKey,
  type KeyUsageName,
  selfSigned,
  TEST_TIME,
} from '@peercert/testkit';
import { AnchorUse } from '../../../../packages/core/src/trust/anchor-use';
import {
  expiryThresholdOf,
  expiryThresholds,
  type InspectOptions,
  trustEndsAt,
} from '../../../../packages/core/src/trust/inspection';
import { toFinding, type TrustFlaw } from '../../../../packages/core/src/trust/trust-finding';
import { Certificate } from '../../../../packages/core/src/x509/certificate';
import { rsaSpki } from '../../../support/encodings';

type Role = 'anchors' | 'pinnedEndEntities' | 'intermediates';
interface Encoded {
  readonly der: Buffer;
}

const day = 86_400_000;
const none = Buffer.alloc(0);
const at = (time: number | Date): InspectOptions => ({ time: new Date(time) });
const now = at(TEST_TIME);
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const key = generateKey();
const root = createAuthority({ subject: 'CN=Root', key });
const other = createAuthority({ subject: 'CN=Other' });

/** A store that holds certificates in one role; an anchor of no interest, where they are intermediates. */
const storeOf = (role: Role, certificates: readonly Encoded[]): TrustStore => {
  const ders = certificates.map((certificate) => certificate.der);
  if (role === 'anchors') return TrustStore.fromDer(ders);
  return TrustStore.fromDer(role === 'intermediates' ? [other.der] : [], { [role]: ders });
};

/** What was found on one certificate, without what says which certificate that is. */
const found = (report: TrustReport, { der: bytes }: Encoded): readonly object[] => {
  return report.findings.flatMap(({ sha256: about, message, ...rest }) => {
    return about === sha256(bytes) && message.length > 0 ? [rest] : [];
  });
};
const foundIn = (role: Role, certificate: Encoded, options = now): readonly object[] =>
  found(storeOf(role, [certificate]).inspect(options), certificate);

const ca = (fields: CertificateFields = {}): Encoded => createAuthority({ subject: 'CN=CA', key, ...fields });
const client = (fields: CertificateFields = {}): Encoded => selfSigned({ subject: 'CN=client', key, ...fields });
const madeFor = (role: Role, fields: CertificateFields = {}): Encoded =>
  role === 'pinnedEndEntities' ? client(fields) : ca(fields);

const allRoles: readonly Role[] = ['anchors', 'pinnedEndEntities', 'intermediates'];
const authorities: readonly Role[] = ['anchors', 'intermediates'];

describe('the report on a trust store', () => {
  const intermediate = root.issueIntermediate({
    subject: 'O=Example,CN=Below',
    serialNumber: 0x1234,
    keyAlgorithm: 'p384',
  });
  const pinned = selfSigned({
    subject: 'CN=pump',
    keyAlgorithm: 'ed25519',
    serialNumber: 7,
    extKeyUsage: ['serverAuth'],
  });
  const serials = { root: new Certificate(root.der).serialNumber };
  const store = TrustStore.fromDer([root.der], { intermediates: [intermediate.der], pinnedEndEntities: [pinned.der] });
  const spki = (certificate: Encoded): string => new Certificate(certificate.der).spkiSha256;

  it('says what each certificate is, and what is wrong with it', () => {
    const finding = {
      code: 'excludes-client-auth',
      by: 'certificate',
      severity: 'error',
      sha256: sha256(pinned.der),
      message: 'The certificate, or a constraint on it, does not permit client authentication.',
    };
    expect(store.inspect(now)).toStrictEqual({
      generation: 0,
      sha256: store.sha256,
      time: TEST_TIME,
      anchors: [
        {
          subject: 'CN=Root',
          issuer: 'CN=Root',
          serialNumber: serials.root,
          sha256: sha256(root.der),
          spkiSha256: spki(root),
          key: 'P-256',
          signatureAlgorithm: 'ECDSA with sha256',
          notBefore: daysFromTestTime(-365),
          notAfter: daysFromTestTime(3650),
          findings: [],
        },
      ],
      pinnedEndEntities: [
        {
          subject: 'CN=pump',
          issuer: 'CN=pump',
          serialNumber: '7',
          sha256: sha256(pinned.der),
          spkiSha256: spki(pinned),
          key: 'Ed25519',
          signatureAlgorithm: 'Ed25519',
          notBefore: daysFromTestTime(-1),
          notAfter: daysFromTestTime(365),
          findings: [finding],
        },
      ],
      intermediates: [
        {
          subject: 'CN=Below,O=Example',
          issuer: 'CN=Root',
          serialNumber: '1234',
          sha256: sha256(intermediate.der),
          spkiSha256: spki(intermediate),
          key: 'P-384',
          signatureAlgorithm: 'ECDSA with sha256',
          notBefore: daysFromTestTime(-365),
          notAfter: daysFromTestTime(3650),
          findings: [],
        },
      ],
      findings: [finding],
    });
  });

  it('is about now, where no time is given', () => {
    const before = Date.now();
    const time = store.inspect().time.getTime();
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(Date.now());
  });

  it('names the generation of the store', () => {
    const parts = { anchors: [{ certificate: new Certificate(root.der) }], intermediates: [], pinnedEndEntities: [] };
    expect(TrustStore.assemble(parts, 12, new AnchorUse()).inspect(now).generation).toBe(12);
  });

  it('is plain data: it can be cloned, and written as JSON and read back', () => {
    const bad = ca({ notAfter: daysFromTestTime(2), keyUsage: ['cRLSign'] });
    const reported = TrustStore.fromDer([bad.der, root.der], {
      pinnedEndEntities: [pinned.der],
      constraints: { expiry: daysFromTestTime(1) },
    });
    reported.use.note(new Certificate(root.der), TEST_TIME.getTime() - 9 * day);
    const report = reported.inspect({ time: TEST_TIME, unusedDays: 5, expectedAnchors: [] });
    expect(structuredClone(report)).toStrictEqual(report);
    const revived: unknown = JSON.parse(JSON.stringify(report), (_, value: unknown) => {
      return typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? new Date(value) : value;
    });
    expect(revived).toStrictEqual(report);
  });

  it('is made anew each time: changing one changes no other', () => {
    const first = store.inspect(now);
    first.time.setTime(0);
    first.anchors[0]?.notAfter.setTime(0);
    (first.findings as TrustFinding[]).pop();
    const second = store.inspect(now);
    expect(second.time).toEqual(TEST_TIME);
    expect(second.anchors[0]?.notAfter).toEqual(daysFromTestTime(3650));
    expect(second.findings).toHaveLength(1);
  });

  it.each<[string, CertificateFields, string]>([
    ['RSA', { raw: { subjectPublicKeyInfo: rsaSpki(3072) } }, 'RSA 3072'],
    ['P-521', { key: generateKey('p521') }, 'P-521'],
    ['an unsupported key', { key: generateKey('ed448') }, 'algorithm 1.3.101.113'],
  ])('names %s', (_, fields, text) => {
    expect(storeOf('anchors', [ca(fields)]).inspect(now).anchors[0]?.key).toBe(text);
  });
});

describe('findings in order', () => {
  const expired = ca({ subject: 'CN=Expired', notAfter: daysFromTestTime(-1), key: generateKey() });
  const soon = ca({ subject: 'CN=Soon', notAfter: daysFromTestTime(20), key: generateKey() });
  const sooner = ca({
    subject: 'CN=Sooner',
    notAfter: daysFromTestTime(2),
    key: generateKey(),
    raw: { signatureAlgorithm: algorithmIdentifier('ecdsa-sha1'), signature: algorithmIdentifier('ecdsa-sha1') },
    extKeyUsage: ['serverAuth'],
  });

  it('of the store and of each certificate have errors first, then warnings, then information', () => {
    const report = TrustStore.fromDer([soon.der, sooner.der, expired.der]).inspect(now);
    expect(report.findings.map(({ severity, code, sha256: of }) => [severity, code, of])).toEqual([
      ['error', 'excludes-client-auth', sha256(sooner.der)],
      ['error', 'expired', sha256(expired.der)],
      ['warning', 'expires-soon', sha256(sooner.der)],
      ['info', 'expires-soon', sha256(soon.der)],
      ['info', 'weak-signature', sha256(sooner.der)],
    ]);
    expect(report.anchors.map(({ findings }) => findings.map(({ code }) => code))).toEqual([
      ['expires-soon'],
      ['excludes-client-auth', 'expires-soon', 'weak-signature'],
      ['expired'],
    ]);
  });

  const notAfter = daysFromTestTime(0);
  const others = { others: ['00'], otherCount: 1 };
  it.each<[TrustFlaw, string, string]>([
    [{ code: 'expired', notAfter }, 'error', 'Trust in the certificate has ended.'],
    [{ code: 'expires-soon', days: 30, notAfter }, 'info', 'Trust in the certificate ends soon.'],
    [{ code: 'expires-soon', days: 14, notAfter }, 'info', 'Trust in the certificate ends soon.'],
    [{ code: 'expires-soon', days: 7, notAfter }, 'warning', 'Trust in the certificate ends soon.'],
    [{ code: 'expires-soon', days: 1, notAfter }, 'warning', 'Trust in the certificate ends soon.'],
    [{ code: 'not-yet-valid', notBefore: notAfter }, 'error', 'The certificate is not valid yet.'],
    [{ code: 'not-a-ca' }, 'error', 'The certificate is not a CA, so it vouches for nobody.'],
    [{ code: 'no-key-cert-sign' }, 'error', 'The keyUsage of the certificate does not let it issue certificates.'],
    [{ code: 'is-a-ca' }, 'error', 'The certificate is pinned as an end-entity certificate but is a CA.'],
    [{ code: 'weak-key', key: 'RSA' }, 'error', 'The key of the certificate is not permitted.'],
    [
      { code: 'weak-signature', algorithm: '1' },
      'info',
      'The certificate is signed with SHA-1 or an unknown algorithm.',
    ],
    [{ code: 'duplicate-subject', ...others }, 'warning', 'Other certificates have the same subject and another key.'],
    [{ code: 'duplicate-key', ...others }, 'info', 'Other certificates have the same key.'],
    [
      { code: 'excludes-client-auth', by: 'constraints' },
      'error',
      'The certificate, or a constraint on it, does not permit client authentication.',
    ],
    [{ code: 'unused', days: 5 }, 'warning', 'The certificate has not been used for a long time.'],
    [
      { code: 'unsupported-critical-extension', oid: '1.2' },
      'error',
      'The certificate has a critical extension that is not processed.',
    ],
  ])('have one sentence for each code, and a severity: %o', (flaw, severity, message) => {
    expect(toFinding(flaw, 'ab', 'anchor')).toStrictEqual({ ...flaw, severity, sha256: 'ab', message });
  });
});

describe('expiry', () => {
  const notAfter = daysFromTestTime(100);
  const notBefore = daysFromTestTime(-100);

  it.each(allRoles)('reports a certificate that has expired, and not one in its last second: %s', (role) => {
    const certificate = madeFor(role, { notAfter });
    const expired = { code: 'expired', severity: 'error', notAfter };
    expect(foundIn(role, certificate, at(notAfter.getTime() + 1))).toEqual([expired]);
    expect(foundIn(role, certificate, at(notAfter))).toEqual([
      { code: 'expires-soon', severity: 'warning', days: 1, notAfter },
    ]);
  });

  it.each(allRoles)('reports a certificate that is not valid yet, and not one in its first second: %s', (role) => {
    const certificate = madeFor(role, { notBefore, notAfter });
    const early = { code: 'not-yet-valid', severity: 'error', notBefore };
    expect(foundIn(role, certificate, at(notBefore.getTime() - 1))).toEqual([early]);
    expect(foundIn(role, certificate, at(notBefore))).toEqual([]);
  });

  it.each<[number, number | undefined, string]>([
    [30, undefined, 'info'],
    [14, 30, 'info'],
    [7, 14, 'warning'],
    [3, 7, 'warning'],
    [1, 3, 'warning'],
  ])('reports %i days from exactly so many before the end; until then %p', (days, before, severity) => {
    const end = notAfter.getTime();
    const certificate = ca({ notAfter });
    const soon = { code: 'expires-soon', severity, days, notAfter };
    expect(foundIn('anchors', certificate, at(end - days * day))).toEqual([soon]);
    expect(foundIn('anchors', certificate, at(end - days * day + 1))).toEqual([soon]);
    expect(expiryThresholdOf(end, end - days * day)).toBe(days);
    expect(expiryThresholdOf(end, end - days * day - 1)).toBe(before);
  });

  it('has thresholds that get tighter, and none once the end is past or where there is no end', () => {
    expect(expiryThresholds).toEqual([30, 14, 7, 3, 1]);
    expect(expiryThresholdOf(1_000, 1_000)).toBe(1);
    expect(expiryThresholdOf(1_000, 1_001)).toBeUndefined();
    expect(expiryThresholdOf(Infinity, 1_000)).toBeUndefined();
  });

  it('goes by the operator: a date counts in place of notAfter, earlier or later', () => {
    const certificate = ca({ notAfter });
    for (const end of [daysFromTestTime(90), daysFromTestTime(110)]) {
      const store = TrustStore.fromDer([certificate.der], { constraints: { expiry: end } });
      const expired = { code: 'expired', severity: 'error', notAfter: end };
      expect(found(store.inspect(at(end.getTime() + 1)), certificate)).toEqual([expired]);
      expect(found(store.inspect(at(end)), certificate)).toMatchObject([{ code: 'expires-soon', notAfter: end }]);
      expect(store.inspect(now).anchors[0]).toMatchObject({ notAfter, trustedUntil: end });
      expect(trustEndsAt(store, store.anchors[0] as Certificate)).toBe(end.getTime());
    }
  });

  it("goes by the operator: trust without end is 'ignore'", () => {
    const certificate = ca({ notAfter });
    const store = TrustStore.fromDer([certificate.der], { constraints: { expiry: 'ignore' } });
    for (const time of [notAfter.getTime(), notAfter.getTime() + 1]) {
      const report = store.inspect(at(time));
      expect(report.findings).toEqual([]);
      expect(report.anchors[0]).not.toHaveProperty('trustedUntil');
    }
    expect(trustEndsAt(store, store.anchors[0] as Certificate)).toBe(Infinity);
  });

  it('goes by the certificate where there are no constraints, and where they say nothing of expiry', () => {
    for (const options of [
      {},
      { constraints: { maxPathLength: 1 } },
      { constraints: { expiry: 'enforce' } },
    ] as const) {
      const store = TrustStore.fromDer([ca({ notAfter }).der], options);
      expect(trustEndsAt(store, store.anchors[0] as Certificate)).toBe(notAfter.getTime());
      expect(store.inspect(now).anchors[0]).not.toHaveProperty('trustedUntil');
    }
  });

  it('of an anchor held to several things is the earliest', () => {
    const { der: bytes } = ca({ notAfter });
    const held = (expiry: 'enforce' | 'ignore' | Date): TrustStore =>
      TrustStore.fromDer([bytes], { constraints: { expiry } });
    const ends = (...stores: readonly TrustStore[]): Date | undefined =>
      TrustStore.union(stores).inspect(now).anchors[0]?.trustedUntil;
    expect(ends(held(daysFromTestTime(80)), held(daysFromTestTime(70)), held('ignore'))).toEqual(daysFromTestTime(70));
    expect(ends(held(daysFromTestTime(110)), held('enforce'))).toEqual(notAfter);
    expect(ends(held('ignore'), held('ignore'))).toBeUndefined();
  });
});

describe('what a certificate may be used for', () => {
  const error = (code: string, evidence: object = {}): object => ({ code, severity: 'error', ...evidence });
  const excludesClients = error('excludes-client-auth', { by: 'certificate' });

  it.each<[string, CertificateFields, readonly object[]]>([
    ['nothing on a CA', {}, []],
    ['nothing on a CA without keyUsage', { keyUsage: 'absent' }, []],
    ['nothing on a CA with keyCertSign alone', { keyUsage: ['keyCertSign'] }, []],
    ['a certificate without cA', { basicConstraints: { ca: false } }, [error('not-a-ca')]],
    ['a certificate without basicConstraints', { basicConstraints: 'absent' }, [error('not-a-ca')]],
    ['a version that has no extensions', { raw: { version: none, extensions: none } }, [error('not-a-ca')]],
    ['a CA without keyCertSign', { keyUsage: ['cRLSign', 'digitalSignature'] }, [error('no-key-cert-sign')]],
    [
      'both, where both are missing',
      { basicConstraints: 'absent', keyUsage: ['digitalSignature'] },
      [error('not-a-ca'), error('no-key-cert-sign')],
    ],
    ['nothing on a CA for clients', { extKeyUsage: ['serverAuth', 'clientAuth'] }, []],
    ['nothing on a CA for anything', { extKeyUsage: ['anyExtendedKeyUsage'] }, []],
    ['a CA for servers alone', { extKeyUsage: ['serverAuth'] }, [excludesClients]],
    ['a CA for nothing', { extKeyUsage: [] }, [excludesClients]],
  ])('reports %s', (_, fields, findings) => {
    for (const role of authorities) expect(foundIn(role, ca(fields))).toEqual(findings);
  });

  it.each<[string, CertificateFields, readonly object[]]>([
    ['nothing on a client certificate', {}, []],
    ['nothing on one without keyUsage and extKeyUsage', { keyUsage: 'absent', extKeyUsage: 'absent' }, []],
    ['nothing on one with basicConstraints without cA', { basicConstraints: { ca: false } }, []],
    ['one with cA', { basicConstraints: { ca: true } }, [error('is-a-ca')]],
    ['one with cA and no keyUsage', { basicConstraints: { ca: true }, keyUsage: 'absent' }, [error('is-a-ca')]],
    ['one with keyCertSign', { keyUsage: ['digitalSignature', 'keyCertSign'] }, [error('is-a-ca')]],
    ['one for servers alone', { extKeyUsage: ['serverAuth'] }, [excludesClients]],
    ['one for anything, which is not for clients', { extKeyUsage: ['anyExtendedKeyUsage'] }, [excludesClients]],
  ])('reports of pinned certificates %s', (_, fields, findings) => {
    expect(foundIn('pinnedEndEntities', client(fields))).toEqual(findings);
  });

  it.each<[readonly string[], boolean]>([
    [['clientAuth'], false],
    [['serverAuth', 'clientAuth'], false],
    [['2.5.29.37.0'], false],
    [['serverAuth'], true],
  ])("reports the operator's own extKeyUsage: %p, %p", (extKeyUsage, isFound) => {
    const report = TrustStore.fromDer([root.der], { constraints: { extKeyUsage } }).inspect(now);
    expect(found(report, root)).toEqual(isFound ? [error('excludes-client-auth', { by: 'constraints' })] : []);
  });

  it('reports extKeyUsage once for the certificate and once for the operator, who may have said it several times', () => {
    const server = ca({ extKeyUsage: ['serverAuth'] });
    const held = TrustStore.fromDer([server.der], { constraints: { extKeyUsage: ['serverAuth'] } });
    expect(found(TrustStore.union([held, held]).inspect(now), server)).toEqual([
      excludesClients,
      error('excludes-client-auth', { by: 'constraints' }),
    ]);
  });

  it.each(allRoles)('reports every critical extension that is not processed, and no other: %s', (role) => {
    const certificate = madeFor(role, {
      extensions: [
        { oid: '1.2.3.4', value: none },
        { oid: '1.2.3.5', value: none, critical: true },
        { oid: '1.2.3.6', value: none, critical: true },
      ],
    });
    expect(foundIn(role, certificate)).toEqual([
      error('unsupported-critical-extension', { oid: '1.2.3.5' }),
      error('unsupported-critical-extension', { oid: '1.2.3.6' }),
    ]);
  });

  it('reads each bit of keyUsage for what it is', () => {
    const others = [
      'digitalSignature',
      'nonRepudiation',
      'keyEncipherment',
      'dataEncipherment',
      'keyAgreement',
      'cRLSign',
    ];
    expect(foundIn('anchors', ca({ keyUsage: others as KeyUsageName[] }))).toEqual([error('no-key-cert-sign')]);
    expect(foundIn('pinnedEndEntities', client({ keyUsage: others as KeyUsageName[] }))).toEqual([]);
  });
});

describe('weak keys and signatures', () => {
  const withKey = (subjectPublicKeyInfo: Buffer): CertificateFields => ({ raw: { subjectPublicKeyInfo } });
  const weakKey = (text: string): object => ({ code: 'weak-key', severity: 'error', key: text });
  const offCurve = (): Buffer => {
    const spki = generateKey('p256').publicKey.export({ type: 'spki', format: 'der' });
    spki.writeUInt8(spki.readUInt8(spki.length - 1) ^ 1, spki.length - 1);
    return spki;
  };

  it.each<[string, CertificateFields, readonly object[]]>([
    ['nothing on RSA of 2048 bits', withKey(rsaSpki(2048)), []],
    ['RSA of 2047 bits', withKey(rsaSpki(2047)), [weakKey('RSA of 2047 bits, exponent 65537')]],
    ['nothing on RSA of 8192 bits', withKey(rsaSpki(8192)), []],
    ['RSA of 8193 bits', withKey(rsaSpki(8193)), [weakKey('RSA of 8193 bits, exponent 65537')]],
    ['a small exponent', withKey(rsaSpki(2048, 3)), [weakKey('RSA of 2048 bits, exponent 3')]],
    ['a point off its curve', withKey(offCurve()), [weakKey('P-256 key off its curve')]],
    ['a key of another kind', { key: generateKey('secp256k1') }, [weakKey('curve 1.3.132.0.10')]],
    ['nothing on Ed25519', { key: generateKey('ed25519') }, []],
  ])('reports %s', (_, fields, findings) => {
    for (const role of allRoles) {
      const encoded = role === 'pinnedEndEntities' ? root.issue(fields) : root.issueIntermediate(fields);
      expect(foundIn(role, encoded)).toEqual(findings);
    }
  });

  it.each<[string, Buffer, string | undefined]>([
    ['nothing on SHA-256', algorithmIdentifier('ecdsa-sha256'), undefined],
    ['SHA-1 with ECDSA', algorithmIdentifier('ecdsa-sha1'), 'ECDSA with sha1'],
    ['SHA-1 with RSA', algorithmIdentifier('rsa-sha1'), 'RSA with sha1'],
    ['MD5, which is not known', algorithmIdentifier('rsa-md5'), '1.2.840.113549.1.1.4'],
    ['an algorithm nobody knows', der.sequence(der.oid('1.2.3.4')), '1.2.3.4'],
  ])('reports %s: as information, but for intermediates, which are verified', (_, identifier, algorithm) => {
    const raw = { signature: identifier, signatureAlgorithm: identifier };
    const weak = (severity: string): readonly object[] =>
      algorithm === undefined ? [] : [{ code: 'weak-signature', severity, algorithm }];
    expect(foundIn('anchors', ca({ raw }))).toEqual(weak('info'));
    expect(foundIn('pinnedEndEntities', client({ raw }))).toEqual(weak('info'));
    expect(foundIn('intermediates', ca({ raw }))).toEqual(weak('error'));
  });

  it('gives an algorithm that is not known by its OID', () => {
    const identifier = der.sequence(der.oid('1.2.3.4'));
    const store = storeOf('anchors', [ca({ raw: { signature: identifier, signatureAlgorithm: identifier } })]);
    expect(store.inspect(now).anchors[0]?.signatureAlgorithm).toBe('1.2.3.4');
  });
});

describe('duplicates', () => {
  const sameName = (certificate: Encoded): object => {
    return { code: 'duplicate-subject', severity: 'warning', others: [sha256(certificate.der)], otherCount: 1 };
  };
  const sameKey = (certificate: Encoded): object => {
    return { code: 'duplicate-key', severity: 'info', others: [sha256(certificate.der)], otherCount: 1 };
  };
  const keys = [generateKey(), generateKey()] as const;

  it.each(allRoles)('reports two keys under one name, whatever its spelling, each with the other: %s', (role) => {
    const one = madeFor(role, { subject: 'CN=Twin', key: keys[0] });
    const two = madeFor(role, { subject: 'CN=TWIN ', key: keys[1] });
    const report = storeOf(role, [one, two]).inspect(now);
    expect(found(report, one)).toEqual([sameName(two)]);
    expect(found(report, two)).toEqual([sameName(one)]);
  });

  it.each(allRoles)('reports one key in a renewed certificate, and under another name: %s', (role) => {
    const old = madeFor(role, { subject: 'CN=Old', key: keys[0] });
    for (const subject of ['CN=Old', 'CN=New']) {
      const renewed = madeFor(role, { subject, key: keys[0] });
      const report = storeOf(role, [old, renewed]).inspect(now);
      expect(found(report, old)).toEqual([sameKey(renewed)]);
      expect(found(report, renewed)).toEqual([sameKey(old)]);
    }
  });

  it('reports a renewed certificate and an impostor apart', () => {
    const old = ca({ key: keys[0] });
    const renewed = ca({ key: keys[0] });
    const impostor = ca({ key: keys[1] });
    const report = storeOf('anchors', [old, renewed, impostor]).inspect(now);
    expect(found(report, old)).toEqual([sameName(impostor), sameKey(renewed)]);
    expect(found(report, renewed)).toEqual([sameName(impostor), sameKey(old)]);
    expect(found(report, impostor)).toEqual([
      {
        code: 'duplicate-subject',
        severity: 'warning',
        others: [sha256(old.der), sha256(renewed.der)],
        otherCount: 2,
      },
    ]);
  });

  it('reports nothing where names and keys differ, nor for a certificate given twice', () => {
    expect(TrustStore.fromDer([root.der, other.der, root.der]).inspect(now).findings).toEqual([]);
  });

  it('reports nothing between roles: an anchor may stand among the intermediates, and be cross-signed there', () => {
    const crossSigned = other.crossSign(root);
    const impostor = createAuthority({ subject: 'CN=Root' });
    const store = TrustStore.fromDer([root.der], { intermediates: [root.der], pinnedEndEntities: [client().der] });
    expect(store.inspect(now).findings).toEqual([]);
    for (const { der: bytes } of [crossSigned, impostor]) {
      expect(TrustStore.fromDer([root.der], { intermediates: [bytes] }).inspect(now).findings).toEqual([]);
    }
  });

  it('reports nothing for certificates without a subject: they share no name', () => {
    const raw = { issuer: root.subject };
    const nameless = keys.map((one) => client({ subject: der.sequence(), key: one, dnsNames: ['a.example'], raw }));
    expect(storeOf('pinnedEndEntities', nameless).inspect(now).findings).toEqual([]);
  });

  it('names the first sixteen others, and counts all of them', () => {
    const many = Array.from({ length: 18 }, (_, serialNumber) => ca({ key: keys[0], serialNumber }));
    const digests = many.map((one) => sha256(one.der));
    const single = ca({ key: keys[1] });
    const findings = (length: number): readonly (readonly object[])[] => {
      const report = storeOf('anchors', [...many.slice(0, length), single]).inspect(now);
      return [found(report, many[0] as Encoded), found(report, many[length - 1] as Encoded), found(report, single)];
    };
    const named = { code: 'duplicate-subject', severity: 'warning' };
    const keyed = { code: 'duplicate-key', severity: 'info' };
    const impostor = { ...named, others: [sha256(single.der)], otherCount: 1 };
    expect(findings(17)).toEqual([
      [impostor, { ...keyed, others: digests.slice(1, 17), otherCount: 16 }],
      [impostor, { ...keyed, others: digests.slice(0, 16), otherCount: 16 }],
      [{ ...named, others: digests.slice(0, 16), otherCount: 17 }],
    ]);
    expect(findings(18)).toEqual([
      [impostor, { ...keyed, others: digests.slice(1, 17), otherCount: 17 }],
      [impostor, { ...keyed, others: digests.slice(0, 16), otherCount: 17 }],
      [{ ...named, others: digests.slice(0, 16), otherCount: 18 }],
    ]);
  });
});

describe('anchors nobody uses', () => {
  const certificate = (encoded: Encoded): Certificate => new Certificate(encoded.der);
  const ago = (milliseconds: number): number => TEST_TIME.getTime() - milliseconds;
  const thirtyDays: InspectOptions = { time: TEST_TIME, unusedDays: 30 };
  const pinned = client({ key: generateKey() });
  const unused = { code: 'unused', severity: 'warning', days: 30 };

  /** A store whose anchors were used so. */
  const usedAt = (...uses: readonly (readonly [Encoded, number])[]): TrustStore => {
    const store = TrustStore.fromDer([root.der], { pinnedEndEntities: [pinned.der], intermediates: [other.der] });
    for (const [encoded, time] of uses) store.use.note(certificate(encoded), time);
    return store;
  };

  it('are those whose last use is more than so many days ago', () => {
    const lastUsed = (time: number): readonly object[] =>
      found(usedAt([pinned, ago(90 * day)], [root, time], [pinned, ago(0)]).inspect(thirtyDays), root);
    expect(lastUsed(ago(30 * day))).toEqual([]);
    expect(lastUsed(ago(30 * day + 1))).toEqual([{ ...unused, lastUsed: new Date(ago(30 * day + 1)) }]);
  });

  it('are those never used, once uses have been counted for so many days', () => {
    const since = (time: number): readonly object[] =>
      found(usedAt([pinned, time], [pinned, ago(0)]).inspect(thirtyDays), root);
    expect(since(ago(30 * day - 1))).toEqual([]);
    expect(since(ago(30 * day))).toEqual([unused]);
  });

  it('are pinned certificates as well, and never intermediates', () => {
    const store = usedAt([root, ago(90 * day)], [root, ago(0)]);
    expect(store.inspect(thirtyDays).findings.map((finding) => finding.sha256)).toEqual([sha256(pinned.der)]);
  });

  it('are not reported unless they are asked for, nor where no use was ever counted', () => {
    expect(usedAt([root, ago(90 * day)]).inspect(now).findings).toEqual([]);
    expect(usedAt().inspect(thirtyDays).findings).toEqual([]);
  });

  it('are known by their last use, which the report has', () => {
    const report = usedAt([root, ago(9)], [root, ago(5)]).inspect(now);
    expect(report.anchors[0]?.lastUsed).toEqual(new Date(ago(5)));
    expect(report.pinnedEndEntities[0]).not.toHaveProperty('lastUsed');
  });

  it('are not intermediates with the key of an anchor: those are not what was used', () => {
    const crossSigned = other.crossSign(root);
    const store = TrustStore.fromDer([root.der], { intermediates: [crossSigned.der] });
    store.use.note(certificate(root), ago(5));
    expect(store.inspect(now).intermediates[0]).not.toHaveProperty('lastUsed');
  });
});

describe('drift', () => {
  const pinned = client({ key: generateKey() });
  const below = root.issueIntermediate();
  const store = TrustStore.fromDer([root.der, other.der], {
    pinnedEndEntities: [pinned.der],
    intermediates: [below.der],
  });
  const held = [root, other, pinned].map((one) => sha256(one.der)).toSorted();
  const strangers = ['ff'.repeat(32), '00'.repeat(32), '77'.repeat(32)];
  const drift = (expectedAnchors: readonly string[]): unknown => store.inspect({ ...now, expectedAnchors }).drift;

  it('is not looked for where nothing is expected', () => {
    expect(store.inspect(now)).not.toHaveProperty('drift');
  });

  it('is nothing where anchors and pinned certificates are as expected, in any order and case', () => {
    expect(drift(held.toReversed().map((digest) => digest.toUpperCase()))).toEqual({ added: [], missing: [] });
    expect(drift([...held, ...held])).toEqual({ added: [], missing: [] });
  });

  it('is what is there and not expected, and what is expected and not there, sorted', () => {
    expect(drift([])).toEqual({ added: held, missing: [] });
    expect(drift([...strangers, sha256(root.der)])).toEqual({
      added: held.filter((digest) => digest !== sha256(root.der)),
      missing: strangers.toSorted(),
    });
  });

  it('does not count an intermediate as an anchor', () => {
    expect(drift([...held, sha256(below.der)])).toEqual({ added: [], missing: [sha256(below.der)] });
  });
});

describe('options', () => {
  const store = TrustStore.fromDer([root.der]);
  const inspect = (options: unknown) => () => store.inspect(options as InspectOptions);

  it.each<[string, unknown, string]>([
    ['no object', 5, 'TrustStore.inspect takes an options object; it received 5.'],
    [
      'an unknown option',
      { unusedFor: 5 },
      'TrustStore.inspect received an unknown option, `unusedFor`. It knows time, expectedAnchors, unusedDays.',
    ],
    ['a time that is no Date', { time: TEST_TIME.getTime() }, 'time must be a valid Date.'],
    ['an invalid Date', { time: new Date(Number.NaN) }, 'time must be a valid Date.'],
    ['digests that are no list', { expectedAnchors: 'ab' }, 'expectedAnchors must be an array; it received a string.'],
  ])('rejects %s', (_, options, message) => {
    expect(inspect(options)).toThrow(expect.objectContaining({ name: 'TypeError', message }));
  });

  const digest = 'ab'.repeat(32);
  it.each<[string, unknown]>([
    ['a number', 5],
    ['63 digits', digest.slice(1)],
    ['65 digits', `${digest}a`],
    ['a letter that is no digit', `g${digest.slice(1)}`],
    ['colons', digest.replace(/..(?!$)/g, '$&:')],
    ['a line feed after it', `${digest}\n`],
    ['undefined', undefined],
  ])('rejects an expected anchor: %s', (_, wrong) => {
    const message = 'expectedAnchors must hold SHA-256 digests, each of 64 hexadecimal digits.';
    expect(inspect({ expectedAnchors: [digest, wrong] })).toThrow(
      expect.objectContaining({ name: 'TypeError', message }),
    );
  });

  it.each([1, 3650])('accepts %p days without use', (unusedDays) => {
    expect(inspect({ unusedDays })).not.toThrow();
  });

  it.each([0, 3651, 1.5, Number.NaN])('rejects %p days without use', (unusedDays) => {
    const message = `unusedDays must be an integer from 1 to 3650; it received ${unusedDays}.`;
    expect(inspect({ unusedDays })).toThrow(expect.objectContaining({ name: 'RangeError', message }));
  });

  it('accepts options that are undefined', () => {
    expect(inspect({ time: undefined, expectedAnchors: undefined, unusedDays: undefined })).not.toThrow();
  });
});

describe('a large store', () => {
  const template = createAuthority({ subject: 'CN=CA 00000', keyAlgorithm: 'ed25519' }).der;
  const ed25519 = Buffer.from('302a300506032b6570032100', 'hex');
  const keyAt = template.indexOf(ed25519) + ed25519.length;
  const nameAt = template.indexOf('CA 00000', template.indexOf('CA 00000') + 1) + 3;

  /** Certificates with a name and a key each, which nobody has signed. */
  const variants = (count: number, nameOf: (index: number) => number): readonly Buffer[] => {
    return Array.from({ length: count }, (_, index) => {
      const variant = Buffer.from(template);
      variant.write(String(nameOf(index)).padStart(5, '0'), nameAt);
      variant.writeUInt32BE(index, keyAt);
      return variant;
    });
  };

  it('of 10,000 anchors is inspected in time', () => {
    const store = TrustStore.fromDer(variants(10_000, (index) => index));
    const started = performance.now();
    const report = store.inspect({ ...now, unusedDays: 1, expectedAnchors: [] });
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(report.anchors).toHaveLength(10_000);
    expect(report.findings).toEqual([]);
    expect(report.drift?.added).toHaveLength(10_000);
  });

  it('of one name has a report that grows with it, and not with its square', () => {
    const report = TrustStore.fromDer(variants(1_000, () => 0)).inspect(now);
    expect(report.findings).toHaveLength(1_000);
    for (const finding of report.findings) {
      if (finding.code !== 'duplicate-subject') throw new Error(finding.code);
      expect(finding.others).toHaveLength(16);
      expect(finding.others).not.toContain(finding.sha256);
      expect(finding.otherCount).toBe(999);
    }
  });
});
