import {
  ClientCertificateError,
  type ErrorCode,
  type ErrorDetails,
  Revocation,
  TrustStore,
  validatePath,
  type ValidatePathInput,
  type VerifiedPath,
} from '@peercert/core';
import {
  algorithmIdentifier,
  type CertificateFields,
  createAuthority,
  daysFromTestTime,
  der,
  generateKey,
  type KeyAlgorithm,
  selfSigned,
  type SignatureAlgorithm,
  TEST_TIME,
  type TestCertificate,
} from '@peercert/testkit';
import { decodePresented, VerifiedPath as VerifiedPathClass } from '../../../../packages/core/src/path/validate-path';
import { nested, rsaSpki } from '../../../support/encodings';
import { seededRandom } from '../../../support/random';
import { validate } from '../../../support/validate';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const root = createAuthority({ subject: 'CN=Root' });
const intermediate = root.issueIntermediate({ subject: 'CN=Intermediate' });
const leaf = intermediate.issue();
const trust = TrustStore.fromDer([root.der]);

const hexOf = (octets: readonly Uint8Array[]): string[] => octets.map((each) => Buffer.from(each).toString('hex'));
const input: ValidatePathInput = { endEntity: leaf.der, intermediates: leaf.chain, trust, time: TEST_TIME };

describe('the input', () => {
  it('may be Uint8Arrays that are not Buffers, and pieces of larger ones', async () => {
    const around = (bytes: Uint8Array): Uint8Array => new Uint8Array([9, 9, ...bytes, 9]).subarray(2, 2 + bytes.length);
    const path = await validatePath({ ...input, endEntity: around(leaf.der), intermediates: leaf.chain.map(around) });
    expect(hexOf(path.certificates)).toEqual(hexOf([leaf.der, intermediate.der, root.der]));
  });

  it('needs no intermediates', async () => {
    const path = await validatePath({ endEntity: root.issue().der, trust, time: TEST_TIME });
    expect(path.certificates).toHaveLength(2);
  });

  it('may change afterwards', async () => {
    const endEntity = Buffer.from(leaf.der);
    const [presented] = leaf.chain.map((bytes) => Buffer.from(bytes)) as [Buffer];
    const path = await validatePath({ ...input, endEntity, intermediates: [presented] });
    endEntity.fill(0);
    presented.fill(0);
    expect(hexOf(path.certificates)).toEqual(hexOf([leaf.der, intermediate.der, root.der]));
  });

  it('may change while signatures are verified off the event loop', async () => {
    const slow = createAuthority({ keyAlgorithm: 'p384' });
    const certificate = slow.issue();
    const endEntity = Buffer.from(certificate.der);
    const pending = validatePath({ endEntity, trust: TrustStore.fromDer([slow.der]), time: TEST_TIME });
    endEntity.fill(0);
    expect(hexOf((await pending).certificates)).toEqual(hexOf([certificate.der, slow.der]));
  });

  describe('without a time', () => {
    beforeEach(() => {
      jest.useFakeTimers({ now: TEST_TIME });
    });
    afterEach(() => {
      jest.useRealTimers();
    });

    it('is validated now', async () => {
      const { time: _, ...now } = input;
      await expect(validatePath(now)).resolves.toBeInstanceOf(VerifiedPathClass);
      jest.setSystemTime(daysFromTestTime(366));
      await expect(validatePath(now)).toRejectWith('ERR_CERTIFICATE_EXPIRED', {
        depth: 0,
        time: daysFromTestTime(366),
        notAfter: daysFromTestTime(365),
      });
    });
  });

  it.each<[string, object, typeof TypeError | typeof RangeError, string]>([
    [
      'an unknown option',
      { maxIntermediate: 3 },
      TypeError,
      'validatePath received an unknown option, `maxIntermediate`.',
    ],
    ['an option in another case', { maxintermediates: 3 }, TypeError, 'Did you mean `maxIntermediates`?'],
    ['no trust', { trust: undefined }, TypeError, 'trust must be a TrustStore; it received undefined.'],
    ['trust in PEM', { trust: root.pem }, TypeError, 'trust must be a TrustStore; it received a string.'],
    [
      'trust that looks like a store',
      { trust: { anchorsNamed: () => [], intermediatesNamed: () => [] } },
      TypeError,
      'trust must be a TrustStore; it received an object.',
    ],
    ['an invalid time', { time: new Date(Number.NaN) }, TypeError, 'time must be a valid Date.'],
    ['a time in milliseconds', { time: TEST_TIME.getTime() }, TypeError, 'time must be a valid Date.'],
    ['a time of null', { time: null }, TypeError, 'time must be a valid Date.'],
    [
      'an unknown purpose',
      { extKeyUsage: 'codeSigning' },
      TypeError,
      'extKeyUsage must be one of clientAuth, serverAuth, not-checked.',
    ],
    ['a purpose of null', { extKeyUsage: null }, TypeError, 'extKeyUsage must be one of'],
    ['a purpose in an array', { extKeyUsage: ['clientAuth'] }, TypeError, 'extKeyUsage must be one of'],
    ['a purpose from a prototype', { extKeyUsage: 'constructor' }, TypeError, 'extKeyUsage must be one of'],
    [
      'maxIntermediates of -1',
      { maxIntermediates: -1 },
      RangeError,
      'maxIntermediates must be an integer from 0 to 20; it received -1.',
    ],
    ['maxIntermediates of 21', { maxIntermediates: 21 }, RangeError, 'it received 21.'],
    ['maxIntermediates of 1.5', { maxIntermediates: 1.5 }, RangeError, 'it received 1.5.'],
    ['maxIntermediates of NaN', { maxIntermediates: Number.NaN }, RangeError, 'it received NaN.'],
    ['maxIntermediates of Infinity', { maxIntermediates: Infinity }, RangeError, 'it received Infinity.'],
    ['maxIntermediates in text', { maxIntermediates: '8' }, RangeError, 'it received a string.'],
    ['no endEntity', { endEntity: undefined }, TypeError, 'endEntity must be a Uint8Array; it received undefined.'],
    ['endEntity of null', { endEntity: null }, TypeError, 'endEntity must be a Uint8Array; it received null.'],
    ['endEntity in PEM', { endEntity: leaf.pem }, TypeError, 'endEntity must be a Uint8Array; it received a string.'],
    [
      'endEntity in an array of numbers',
      { endEntity: [...leaf.der] },
      TypeError,
      'endEntity must be a Uint8Array; it received an array.',
    ],
    [
      'endEntity in an ArrayBuffer',
      { endEntity: new ArrayBuffer(8) },
      TypeError,
      'endEntity must be a Uint8Array; it received an object.',
    ],
    [
      'endEntity with a length of 1 TB',
      { endEntity: { length: 2 ** 40 } },
      TypeError,
      'endEntity must be a Uint8Array; it received an object.',
    ],
    [
      'intermediates in PEM',
      { intermediates: [intermediate.pem] },
      TypeError,
      'intermediates[0] must be a Uint8Array; it received a string.',
    ],
    [
      'intermediates with a gap',
      { intermediates: [intermediate.der, undefined] },
      TypeError,
      'intermediates[1] must be a Uint8Array; it received undefined.',
    ],
    [
      'one intermediate that is not in an array',
      { intermediates: intermediate.der },
      TypeError,
      'intermediates must be an array; it received an object.',
    ],
    [
      'intermediates in one text',
      { intermediates: intermediate.pem },
      TypeError,
      'intermediates must be an array; it received a string.',
    ],
  ])('rejects %s', async (_, changed, type, message) => {
    const promise = validatePath({ ...input, ...changed });
    await expect(promise).rejects.toThrow(type);
    await expect(promise).rejects.toThrow(message);
  });

  it.each([undefined, null, 'text', 5, [], leaf.der])('rejects %p in place of options', async (options) => {
    await expect(validatePath(options as never)).rejects.toThrow(TypeError);
  });

  it.each([0, 20])('accepts maxIntermediates of %i', async (maxIntermediates) => {
    await expect(validate(root.issue(), root, { maxIntermediates })).resolves.toBeInstanceOf(VerifiedPathClass);
  });
});

describe('a presented certificate that is malformed', () => {
  it('is not what an error of another kind says', () => {
    const failure = new RangeError('out of memory');
    const fail = (): never => {
      throw failure;
    };
    expect(() => decodePresented(leaf.der, 0, fail)).toThrow(failure);
  });

  const trailing = Buffer.concat([leaf.der, Buffer.of(0)]);
  it.each<[string, Buffer, string, number]>([
    [
      'DR-01: is rejected followed by one more octet, at its position',
      trailing,
      'unexpected data after Certificate',
      leaf.der.length,
    ],
    [
      'DR-01: is rejected followed by another, at its position',
      Buffer.concat([leaf.der, root.der]),
      'unexpected data after Certificate',
      leaf.der.length,
    ],
    [
      'DR-02: is rejected of indefinite length, at its position',
      der.tlv(0x30, leaf.der.subarray(4), { indefinite: true }),
      'indefinite length',
      1,
    ],
    [
      'DR-02: is rejected of a length that is not minimal, at its position',
      der.tlv(0x30, leaf.der.subarray(4), { lengthOctets: 3 }),
      'length is not minimal',
      1,
    ],
    [
      'DR-09: is rejected of a length of 2 GB, at its position',
      der.tlv(0x30, leaf.der.subarray(4), { declaredLength: 2 ** 31 }),
      'element is longer than what holds it',
      0,
    ],
    ['is rejected in PEM, at its position', Buffer.from(leaf.pem), 'Certificate expected', 0],
    ['is rejected and empty, at its position', Buffer.alloc(0), 'Certificate expected', 0],
    ['is rejected and cut short, at its position', leaf.der.subarray(0, -1), 'element is longer than what holds it', 0],
  ])('%s', async (_, bytes, reason, offset) => {
    await expect(validatePath({ ...input, endEntity: bytes })).toRejectWith('ERR_CERTIFICATE_MALFORMED', {
      position: 0,
      reason,
      offset,
    });
    // Also where it is not needed for the path.
    await expect(validatePath({ ...input, intermediates: [...leaf.chain, root.der, bytes] })).toRejectWith(
      'ERR_CERTIFICATE_MALFORMED',
      { position: 3, reason, offset },
    );
  });

  const extension = (oid: string, value: Uint8Array): CertificateFields => ({ extensions: [{ oid, value }] });
  it.each<[string, CertificateFields, string]>([
    [
      'DR-03: is rejected with cA written as 1',
      { basicConstraints: 'absent', ...extension('2.5.29.19', der.sequence(der.boolean(1))) },
      'cA is not a DER BOOLEAN',
    ],
    [
      'DR-04: is rejected with basicConstraints twice',
      { basicConstraints: { ca: false }, ...extension('2.5.29.19', der.sequence(der.boolean(true))) },
      'extension is repeated',
    ],
    [
      'DR-04: is rejected with subjectAltName twice',
      { dnsNames: ['a'], ...extension('2.5.29.17', der.sequence(der.implicit(2, Buffer.from('b')))) },
      'extension is repeated',
    ],
    [
      'DR-05: is rejected with no extension in their list',
      { raw: { extensions: der.explicit(3, der.sequence()) } },
      'extensions are empty',
    ],
    ['DR-05: is rejected with an empty subjectAltName', { subjectAltName: der.sequence() }, 'subjectAltName is empty'],
    [
      'DR-05: is rejected with an address of 3 octets',
      { subjectAltName: der.sequence(der.implicit(7, Buffer.alloc(3))) },
      'subjectAltName holds an address of neither 4 nor 16 octets',
    ],
    [
      'DR-06: is rejected with version 4',
      { raw: { version: der.explicit(0, der.integer(3)) } },
      'version is not 1, 2 or 3',
    ],
    [
      'DR-07: is rejected with a serial number of 21 octets',
      { serialNumber: Buffer.alloc(21, 1) },
      'serialNumber is too long',
    ],
    [
      'DR-07: is rejected with a serial number of 200 octets',
      { serialNumber: Buffer.alloc(200, 1) },
      'serialNumber is too long',
    ],
    [
      'DR-07: is rejected with a serial number that is not minimal',
      { serialNumber: Buffer.of(0, 1) },
      'serialNumber is not minimal',
    ],
    ['DR-08: is rejected with an extension nested 300 deep', extension('1.2.3.4', nested(300)), 'nested too deeply'],
    ['DR-08: is rejected with an extension nested 3500 deep', extension('1.2.3.4', nested(3_500)), 'nested too deeply'],
    [
      'DR-08: is rejected with an extension nested 5000 deep',
      extension('1.2.3.4', nested(5_000)),
      'certificate is too large',
    ],
    [
      'DR-13: is rejected with notAfter of 31 February',
      { raw: { validity: der.sequence(der.utcTime('260101000000Z'), der.utcTime('270231000000Z')) } },
      'notAfter does not exist',
    ],
    [
      'DR-13: is rejected with notAfter with a fraction',
      { raw: { validity: der.sequence(der.utcTime('260101000000Z'), der.generalizedTime('20270101000000.5Z')) } },
      'notAfter is not a UTCTime or GeneralizedTime of full seconds in UTC',
    ],
    [
      'DR-15: is rejected with a CN of invalid UTF-8',
      { subject: [{ type: 'CN', value: der.tlv(0x0c, Buffer.of(0xc0, 0x80)) }] },
      'subject holds invalid UTF-8',
    ],
    [
      'DR-29: is rejected with another outer algorithm',
      { raw: { signatureAlgorithm: algorithmIdentifier('ecdsa-sha384') } },
      'signature and signatureAlgorithm differ',
    ],
    [
      'DR-30: is rejected with unused bits in its signature',
      { raw: { signatureValue: der.bitString(Buffer.alloc(70, 2), 1) } },
      'signatureValue has unused bits',
    ],
    ['is rejected with an empty issuer', { raw: { issuer: der.sequence() } }, 'issuer is empty'],
  ])('%s', async (_, fields, reason) => {
    const details = { position: 0, reason, offset: expect.any(Number) as number };
    await expect(validate(root.issue(fields), root)).toRejectWith('ERR_CERTIFICATE_MALFORMED', details);
    await expect(
      validatePath({ ...input, intermediates: [...leaf.chain, root.issueIntermediate(fields).der] }),
    ).toRejectWith('ERR_CERTIFICATE_MALFORMED', { ...details, position: 2 });
  });
});

describe('a verified path', () => {
  it('has the certificates in order, anchor included, and none that was not used', async () => {
    const path = await validatePath({ ...input, intermediates: [root.der, selfSigned().der, intermediate.der] });
    expect(hexOf(path.certificates)).toEqual(hexOf([leaf.der, intermediate.der, root.der]));
    expect(path.endEntity.der.equals(leaf.der)).toBe(true);
    expect(path.issuers.at(-1)?.der.equals(root.der)).toBe(true);
  });

  it('gives copies: what a caller does to them changes nothing', async () => {
    const path = await validatePath(input);
    for (const certificate of path.certificates) certificate.fill(0);
    (path.certificates as Uint8Array[]).pop();
    expect(hexOf(path.certificates)).toEqual(hexOf([leaf.der, intermediate.der, root.der]));
    expect(path.certificates.some((certificate) => Buffer.isBuffer(certificate))).toBe(false);
    path.validUntil.setTime(0);
    path.validFrom.setTime(0);
    expect(path.validUntil).toEqual(daysFromTestTime(365));
    expect(path.validFrom).toEqual(daysFromTestTime(-1));
    await expect(validatePath(input)).resolves.toBeInstanceOf(VerifiedPathClass);
  });

  it.each<[string, CertificateFields, CertificateFields, CertificateFields, number, number]>([
    ['the end-entity certificate', {}, {}, { notBefore: daysFromTestTime(-2), notAfter: daysFromTestTime(2) }, -2, 2],
    ['the intermediate', {}, { notBefore: daysFromTestTime(-0.5), notAfter: daysFromTestTime(3) }, {}, -0.5, 3],
    ['the anchor', { notBefore: daysFromTestTime(-0.25), notAfter: daysFromTestTime(4) }, {}, {}, -0.25, 4],
    [
      'the anchor and the intermediate',
      { notAfter: daysFromTestTime(4) },
      { notBefore: daysFromTestTime(-0.5) },
      {},
      -0.5,
      4,
    ],
  ])('is valid as long as %s', async (_, top, middle, low, from, until) => {
    const anchor = createAuthority(top);
    const path = await validate(anchor.issueIntermediate(middle).issue(low), anchor);
    expect(path.validFrom).toEqual(daysFromTestTime(from));
    expect(path.validUntil).toEqual(daysFromTestTime(until));
  });

  it('is valid as long as the constraints of its store say, and has an anchor that is held to them', async () => {
    const expiry = daysFromTestTime(2);
    const constraints = { expiry, maxPathLength: 1, permittedNames: { directory: ['CN=client'] } };
    const held = TrustStore.fromDer([root.der], { constraints });
    const direct = { ...input, endEntity: root.issue().der, trust: held };
    expect((await validatePath(direct)).validUntil).toEqual(expiry);
    await expect(validatePath({ ...input, trust: held })).toRejectWith('ERR_CERTIFICATE_NAME_NOT_PERMITTED', {
      depth: 1,
      type: 'directory',
    });
    const time = new Date(expiry.getTime() + 1);
    await expect(validatePath({ ...direct, time })).toRejectWith('ERR_CERTIFICATE_EXPIRED', {
      depth: 1,
      time,
      notAfter: expiry,
    });
  });

  it('PA-21: is one certificate where that is pinned', async () => {
    const pins = TrustStore.fromDer([], { pinnedEndEntities: [leaf.der] });
    const path = await validatePath({ ...input, trust: pins });
    expect(hexOf(path.certificates)).toEqual(hexOf([leaf.der]));
    expect(path.endEntity.der.equals(leaf.der)).toBe(true);
    expect(path.issuers).toEqual([]);
    expect([path.validFrom, path.validUntil]).toEqual([daysFromTestTime(-1), daysFromTestTime(365)]);
  });

  it('cannot be made by anybody else', () => {
    expect(Object.getOwnPropertyNames(VerifiedPathClass).toSorted()).toEqual(['length', 'name', 'prototype']);
    const forged = Object.create(VerifiedPathClass.prototype) as VerifiedPath;
    expect(() => forged.certificates).toThrow(TypeError);
  });
});

describe('CA-09: the time', () => {
  const notBefore = new Date('2026-05-01T00:00:00Z');
  const notAfter = new Date('2026-07-01T00:00:00Z');
  const window = { notBefore, notAfter };
  const wide = { notBefore: daysFromTestTime(-1_000), notAfter: daysFromTestTime(1_000) };
  const paths: [string, number, CertificateFields, CertificateFields, CertificateFields][] = [
    ['an end-entity certificate', 0, wide, wide, window],
    ['an intermediate', 1, wide, window, wide],
    ['an anchor', 2, window, wide, wide],
  ];

  describe.each(paths)('of %s', (_, depth, top, middle, low) => {
    const anchor = createAuthority(top);
    const certificate = anchor.issueIntermediate(middle).issue(low);

    it.each([
      ['notBefore', notBefore],
      ['notAfter', notAfter],
    ])('is good at %s', async (_name, time) => {
      await expect(validate(certificate, anchor, { time })).resolves.toBeInstanceOf(VerifiedPathClass);
    });

    it.each([1, 1_000])('is not yet good %i ms before notBefore', async (early) => {
      const time = new Date(notBefore.getTime() - early);
      await expect(validate(certificate, anchor, { time })).toRejectWith('ERR_CERTIFICATE_NOT_YET_VALID', {
        depth,
        time,
        notBefore,
      });
    });

    it.each([1, 1_000])('is no longer good %i ms after notAfter', async (late) => {
      const time = new Date(notAfter.getTime() + late);
      await expect(validate(certificate, anchor, { time })).toRejectWith('ERR_CERTIFICATE_EXPIRED', {
        depth,
        time,
        notAfter,
      });
    });
  });

  it('DR-13: is good until the end of the year 9999', async () => {
    const forever = { notAfter: new Date('9999-12-31T23:59:59Z') };
    const anchor = createAuthority(forever);
    const path = await validate(anchor.issue(forever), anchor, { time: new Date('9999-12-31T23:59:59Z') });
    expect(path.validUntil).toEqual(new Date('9999-12-31T23:59:59Z'));
  });

  it('DR-13: is good in a GeneralizedTime before 2050', async () => {
    const validity = der.sequence(der.generalizedTime('20260101000000Z'), der.generalizedTime('20270101000000Z'));
    const path = await validate(root.issue({ raw: { validity } }), root);
    expect(path.validUntil).toEqual(new Date('2027-01-01T00:00:00Z'));
  });
});

describe('algorithms', () => {
  const rsa = generateKey('rsa2048');
  const authorityOf = (keyAlgorithm: KeyAlgorithm | 'rsa') =>
    createAuthority(keyAlgorithm === 'rsa' ? { key: rsa } : { keyAlgorithm });

  it.each<[KeyAlgorithm | 'rsa', SignatureAlgorithm]>([
    ['p256', 'ecdsa-sha256'],
    ['p384', 'ecdsa-sha384'],
    ['p521', 'ecdsa-sha512'],
    ['ed25519', 'ed25519'],
    ['rsa', 'rsa-sha256'],
    ['rsa', 'rsa-sha512'],
    ['rsa', 'rsa-pss-sha256'],
    ['rsa', 'rsa-pss-sha512'],
  ])('accepts a path of %s keys and %s signatures', async (keyAlgorithm, signatureAlgorithm) => {
    const anchor = authorityOf(keyAlgorithm);
    const key = keyAlgorithm === 'rsa' ? { key: rsa } : { keyAlgorithm };
    const middle = anchor.issueIntermediate({ signatureAlgorithm, ...key });
    const certificate = middle.issue({ signatureAlgorithm, ...key });
    const path = await validate(certificate, anchor);
    expect(hexOf(path.certificates)).toEqual(hexOf([certificate.der, middle.der, anchor.der]));
  });

  it('accepts a path of a different key at every step', async () => {
    const anchor = authorityOf('rsa');
    const certificate = anchor
      .issueIntermediate({ keyAlgorithm: 'p384', signatureAlgorithm: 'rsa-pss-sha384' })
      .issueIntermediate({ keyAlgorithm: 'ed25519', signatureAlgorithm: 'ecdsa-sha512' })
      .issueIntermediate({ keyAlgorithm: 'p521' })
      .issueIntermediate({ keyAlgorithm: 'p256' })
      .issue({ key: rsa });
    const path = await validate(certificate, anchor);
    expect(path.certificates).toHaveLength(6);
  });

  it('rejects a signature that is not good off the event loop as it does inline', async () => {
    for (const keyAlgorithm of ['p256', 'p384', 'p521', 'ed25519'] as const) {
      const anchor = createAuthority({ subject: 'CN=Anchor', keyAlgorithm });
      const forged = createAuthority({ subject: anchor.subject, keyAlgorithm }).issue();
      await expect(validate(forged, anchor)).toRejectWith('ERR_PATH_SIGNATURE_INVALID', {
        depth: 0,
        issuer: 'CN=Anchor',
      });
    }
  });

  it.each<[SignatureAlgorithm, string]>([
    ['rsa-md5', '1.2.840.113549.1.1.4'],
    ['rsa-sha1', '1.2.840.113549.1.1.5'],
  ])(
    'DR-28: rejects %s in an end-entity certificate and in an intermediate, and not in an anchor',
    async (signatureAlgorithm, algorithm) => {
      const anchor = createAuthority({ key: rsa, signatureAlgorithm });
      await expect(validate(anchor.issue({ signatureAlgorithm }), anchor)).toRejectWith(
        'ERR_CERTIFICATE_ALGORITHM_NOT_PERMITTED',
        { depth: 0, algorithm },
      );
      await expect(validate(anchor.issueIntermediate({ signatureAlgorithm }).issue(), anchor)).toRejectWith(
        'ERR_CERTIFICATE_ALGORITHM_NOT_PERMITTED',
        { depth: 1, algorithm },
      );
      await expect(validate(anchor.issue(), anchor)).resolves.toBeInstanceOf(VerifiedPathClass);
    },
  );

  const ecdsaWithOctetString = der.sequence(der.oid('1.2.840.10045.4.3.2'), der.octetString(Buffer.of(1)));
  const pssDefaults = der.sequence(der.oid('1.2.840.113549.1.1.10'), der.sequence());
  it.each<[string, Buffer, string]>([
    ['an OCTET STRING in ECDSA', ecdsaWithOctetString, '1.2.840.10045.4.3.2'],
    ['the defaults of RSA-PSS', pssDefaults, '1.2.840.113549.1.1.10'],
  ])('DR-29: rejects parameters that are %s', async (_, identifier, algorithm) => {
    const raw = { signature: identifier, signatureAlgorithm: identifier };
    await expect(validate(root.issue({ raw }), root)).toRejectWith('ERR_CERTIFICATE_ALGORITHM_NOT_PERMITTED', {
      depth: 0,
      algorithm,
    });
  });

  it.each<[string, Buffer, string]>([
    [
      'DR-23: rejects a key of an unknown algorithm, in an end-entity certificate and in an issuer',
      der.sequence(der.sequence(der.oid('1.2.3.4')), der.bitString(Buffer.of(1))),
      'algorithm 1.2.3.4',
    ],
    [
      'DR-23: rejects a key off its curve, in an end-entity certificate and in an issuer',
      der.sequence(
        der.sequence(der.oid('1.2.840.10045.2.1'), der.oid('1.2.840.10045.3.1.7')),
        der.bitString(Buffer.alloc(65, 4)),
      ),
      'P-256 key off its curve',
    ],
    [
      'DR-23: rejects a key that is empty, in an end-entity certificate and in an issuer',
      der.sequence(
        der.sequence(der.oid('1.2.840.10045.2.1'), der.oid('1.2.840.10045.3.1.7')),
        der.bitString(Buffer.alloc(0)),
      ),
      'P-256 key in another point form',
    ],
    [
      'DR-24: rejects a key with explicit parameters, in an end-entity certificate and in an issuer',
      der.sequence(
        der.sequence(der.oid('1.2.840.10045.2.1'), der.sequence(der.integer(1))),
        der.bitString(Buffer.alloc(65, 4)),
      ),
      'EC key without a named curve',
    ],
    [
      'DR-25: rejects a key of DSA, in an end-entity certificate and in an issuer',
      der.sequence(der.sequence(der.oid('1.2.840.10040.4.1')), der.bitString(der.integer(5))),
      'algorithm 1.2.840.10040.4.1',
    ],
    [
      'DR-25: rejects a key of GOST, in an end-entity certificate and in an issuer',
      der.sequence(der.sequence(der.oid('1.2.643.7.1.1.1.1'), der.sequence()), der.bitString(Buffer.alloc(66))),
      'algorithm 1.2.643.7.1.1.1.1',
    ],
    [
      'DR-25: rejects a key of ML-DSA-44, in an end-entity certificate and in an issuer',
      der.sequence(der.sequence(der.oid('2.16.840.1.101.3.4.3.17')), der.bitString(Buffer.alloc(1312))),
      'algorithm 2.16.840.1.101.3.4.3.17',
    ],
    [
      'DR-26: rejects a key of 512 bits, in an end-entity certificate and in an issuer',
      rsaSpki(512),
      'RSA of 512 bits, exponent 65537',
    ],
    [
      'DR-26: rejects a key of 1024 bits, in an end-entity certificate and in an issuer',
      rsaSpki(1024),
      'RSA of 1024 bits, exponent 65537',
    ],
    [
      'DR-26: rejects a key of 2047 bits, in an end-entity certificate and in an issuer',
      rsaSpki(2047),
      'RSA of 2047 bits, exponent 65537',
    ],
    [
      'DR-26: rejects a key of 8193 bits, in an end-entity certificate and in an issuer',
      rsaSpki(8193),
      'RSA of 8193 bits, exponent 65537',
    ],
    [
      'DR-26: rejects a key of 16384 bits, in an end-entity certificate and in an issuer',
      rsaSpki(16_384),
      'RSA of 16384 bits, exponent 65537',
    ],
    [
      'DR-26: rejects a key of 32768 bits, in an end-entity certificate and in an issuer',
      rsaSpki(32_768),
      'RSA of 32768 bits, exponent 65537',
    ],
    [
      'DR-27: rejects a key with the exponent 1, in an end-entity certificate and in an issuer',
      rsaSpki(2048, 1),
      'RSA of 2048 bits, exponent 1',
    ],
    [
      'DR-27: rejects a key with the exponent 3, in an end-entity certificate and in an issuer',
      rsaSpki(2048, 3),
      'RSA of 2048 bits, exponent 3',
    ],
    [
      'DR-27: rejects a key with an even exponent, in an end-entity certificate and in an issuer',
      rsaSpki(2048, 65_538),
      'RSA of 2048 bits, exponent 65538',
    ],
    [
      'DR-27: rejects a key with an exponent of 3072 bits, in an end-entity certificate and in an issuer',
      rsaSpki(3072, 2n ** 3071n + 1n),
      'RSA of 3072 bits, exponent over 32 bits',
    ],
  ])('%s', async (_, subjectPublicKeyInfo, key) => {
    const raw = { subjectPublicKeyInfo };
    await expect(validate(root.issue({ raw }), root)).toRejectWith('ERR_CERTIFICATE_KEY_NOT_PERMITTED', {
      depth: 0,
      key,
    });
    await expect(validate(root.issueIntermediate({ raw }).issue(), root)).toRejectWith(
      'ERR_CERTIFICATE_KEY_NOT_PERMITTED',
      { depth: 1, key },
    );
  });

  it.each([2048, 2049, 8192])('DR-26: accepts an end-entity certificate with an RSA key of %i bits', async (bits) => {
    const certificate = root.issue({ raw: { subjectPublicKeyInfo: rsaSpki(bits) } });
    await expect(validate(certificate, root)).resolves.toBeInstanceOf(VerifiedPathClass);
  });
});

describe('what a certificate is for', () => {
  const usage = { extension: 'extKeyUsage', required: 'clientAuth' } as const;

  it.each<[string, CertificateFields]>([
    ['DR-32: rejects an end-entity certificate for serverAuth only', { extKeyUsage: ['serverAuth'] }],
    ['DR-32: rejects an end-entity certificate for emailProtection only', { extKeyUsage: ['emailProtection'] }],
    ['DR-32: rejects an end-entity certificate for nothing', { extKeyUsage: [] }],
    ['DR-33: rejects an end-entity certificate for anything', { extKeyUsage: ['anyExtendedKeyUsage'] }],
  ])('%s', async (_, fields) => {
    await expect(validate(root.issue(fields), root)).toRejectWith('ERR_CERTIFICATE_USAGE_NOT_PERMITTED', {
      depth: 0,
      ...usage,
    });
    await expect(validate(root.issue(fields), root, { extKeyUsage: 'not-checked' })).resolves.toBeInstanceOf(
      VerifiedPathClass,
    );
  });

  it('DR-33: accepts a certificate without extKeyUsage', async () => {
    await expect(validate(root.issue({ extKeyUsage: 'absent' }), root)).resolves.toBeInstanceOf(VerifiedPathClass);
  });

  it.each<[string, CertificateFields]>([
    ['serverAuth only', { extKeyUsage: ['serverAuth'] }],
    ['nothing', { extKeyUsage: [] }],
  ])('DR-34: rejects an intermediate for %s', async (_, fields) => {
    await expect(validate(root.issueIntermediate(fields).issue(), root)).toRejectWith(
      'ERR_CERTIFICATE_USAGE_NOT_PERMITTED',
      { depth: 1, ...usage },
    );
  });

  it('DR-34: accepts an intermediate for clientAuth, and one for anything', async () => {
    for (const purpose of ['clientAuth', 'anyExtendedKeyUsage']) {
      const certificate = root.issueIntermediate({ extKeyUsage: [purpose] }).issue();
      await expect(validate(certificate, root)).resolves.toBeInstanceOf(VerifiedPathClass);
    }
  });

  it('accepts a server certificate where that is required, and a client certificate not', async () => {
    const server = root.issue({ extKeyUsage: ['serverAuth'] });
    await expect(validate(server, root, { extKeyUsage: 'serverAuth' })).resolves.toBeInstanceOf(VerifiedPathClass);
    await expect(validate(root.issue(), root, { extKeyUsage: 'serverAuth' })).toRejectWith(
      'ERR_CERTIFICATE_USAGE_NOT_PERMITTED',
      { depth: 0, extension: 'extKeyUsage', required: 'serverAuth' },
    );
  });

  it('DR-35: rejects a certificate without digitalSignature', async () => {
    await expect(validate(root.issue({ keyUsage: ['keyEncipherment'] }), root)).toRejectWith(
      'ERR_CERTIFICATE_USAGE_NOT_PERMITTED',
      { depth: 0, extension: 'keyUsage', required: 'digitalSignature' },
    );
  });

  it.each<[string, CertificateFields]>([
    ['cA', { basicConstraints: { ca: true } }],
    ['keyCertSign without cA', { keyUsage: ['digitalSignature', 'keyCertSign'] }],
  ])('DR-35: rejects an end-entity certificate with %s, whatever the purpose', async (_, fields) => {
    for (const extKeyUsage of ['clientAuth', 'not-checked'] as const) {
      await expect(validate(root.issue(fields), root, { extKeyUsage })).toRejectWith('ERR_CERTIFICATE_IS_CA', {
        depth: 0,
      });
    }
  });

  it('DR-35: rejects an anchor presented as a client certificate', async () => {
    await expect(validate(root, root)).toRejectWith('ERR_CERTIFICATE_IS_CA', { depth: 0 });
  });

  it.each<[string, CertificateFields, number]>([
    ['version 1', { raw: { version: Buffer.alloc(0), extensions: Buffer.alloc(0) } }, 1],
    ['version 2', { raw: { version: der.explicit(0, der.integer(1)), extensions: Buffer.alloc(0) } }, 2],
  ])('DR-06: rejects an end-entity certificate, an intermediate and an anchor of %s', async (_, fields, version) => {
    const code = 'ERR_CERTIFICATE_VERSION_UNSUPPORTED';
    await expect(validate(root.issue(fields), root)).toRejectWith(code, { depth: 0, version });
    await expect(validate(root.issueIntermediate(fields).issue(), root)).toRejectWith(code, { depth: 1, version });
    const anchor = createAuthority(fields);
    await expect(validate(anchor.issue(), anchor)).toRejectWith(code, { depth: 1, version });
  });

  it.each<[string, Uint8Array | number]>([
    ['zero', 0],
    ['negative', -5],
    ['of 20 octets', Buffer.alloc(20, 0x7f)],
  ])('DR-07: accepts a serial number that is %s', async (_, serialNumber) => {
    await expect(validate(root.issue({ serialNumber }), root)).resolves.toBeInstanceOf(VerifiedPathClass);
  });

  const elsewhere = { permitted: { directoryNames: ['O=Elsewhere'] } };
  it.each<[string, CertificateFields, ErrorCode, ErrorDetails[ErrorCode]]>([
    [
      'name constraints',
      { nameConstraints: elsewhere },
      'ERR_CERTIFICATE_NAME_NOT_PERMITTED',
      { depth: 0, type: 'directory' },
    ],
    [
      'policyConstraints',
      { policyConstraints: { requireExplicitPolicy: 0 } },
      'ERR_PATH_POLICY_NOT_SATISFIED',
      { depth: 0 },
    ],
  ])('enforces %s of an intermediate, and not those beside the path', async (_, fields, code, details) => {
    const constrained = root.issueIntermediate({ subject: 'CN=Constrained', ...fields });
    await expect(validate(constrained.issue(), root)).toRejectWith(code, details);
    const surplus = { intermediates: [constrained.der, ...leaf.chain] };
    await expect(validate(leaf, root, surplus)).resolves.toBeInstanceOf(VerifiedPathClass);
  });

  it('enforces the name constraints of an anchor, and not its policies', async () => {
    const anchor = createAuthority({ nameConstraints: elsewhere });
    await expect(validate(anchor.issueIntermediate().issue(), anchor)).toRejectWith(
      'ERR_CERTIFICATE_NAME_NOT_PERMITTED',
      { depth: 1, type: 'directory' },
    );
    const demanding = createAuthority({ policyConstraints: { requireExplicitPolicy: 0 } });
    await expect(validate(demanding.issue(), demanding)).resolves.toBeInstanceOf(VerifiedPathClass);
  });

  const critical: CertificateFields = { extensions: [{ oid: '1.2.3.4', critical: true, value: Buffer.alloc(0) }] };
  it('PA-07: rejects an unknown critical extension in an end-entity certificate, an intermediate and an anchor', async () => {
    const code = 'ERR_CERTIFICATE_CRITICAL_EXTENSION_UNSUPPORTED';
    await expect(validate(root.issue(critical), root)).toRejectWith(code, { depth: 0, oid: '1.2.3.4' });
    await expect(validate(root.issueIntermediate(critical).issue(), root)).toRejectWith(code, {
      depth: 1,
      oid: '1.2.3.4',
    });
    const anchor = createAuthority(critical);
    await expect(validate(anchor.issue(), anchor)).toRejectWith(code, { depth: 1, oid: '1.2.3.4' });
  });

  it('PA-07: accepts an unknown critical extension in a certificate that is not in the path', async () => {
    const surplus = root.issueIntermediate({ subject: 'CN=Surplus', ...critical });
    const intermediates = [surplus.der, ...leaf.chain];
    await expect(validate(leaf, root, { intermediates })).resolves.toBeInstanceOf(VerifiedPathClass);
  });

  it('PA-07: accepts an unknown extension that is not critical', async () => {
    const certificate = root.issue({ extensions: [{ oid: '1.2.3.4', value: Buffer.alloc(0) }] });
    await expect(validate(certificate, root)).resolves.toBeInstanceOf(VerifiedPathClass);
  });
});

describe('who issued', () => {
  it('PA-01: rejects a self-signed CN=admin before a genuine chain', async () => {
    const evil = selfSigned({ subject: 'CN=admin' });
    await expect(validate(evil, root, { intermediates: [leaf.der, ...leaf.chain] })).toRejectWith(
      'ERR_PATH_ISSUER_UNKNOWN',
      {
        depth: 1,
        issuer: 'CN=admin',
      },
    );
  });

  it('PA-01: rejects a self-signed certificate with the subject of the anchor', async () => {
    const evil = selfSigned({ subject: root.subject });
    await expect(validate(evil, root, { intermediates: [leaf.der, ...leaf.chain] })).toRejectWith(
      'ERR_PATH_SIGNATURE_INVALID',
      { depth: 0, issuer: 'CN=Root' },
    );
  });

  it('PA-02: rejects a certificate without its chain', async () => {
    await expect(validate(leaf, root, { intermediates: [] })).toRejectWith('ERR_PATH_ISSUER_UNKNOWN', {
      depth: 1,
      issuer: 'CN=Intermediate',
    });
  });

  it('PA-18: rejects a chain to a root of the name and key identifier of an anchor', async () => {
    const lookAlike = createAuthority({
      subject: root.subject,
      subjectKeyIdentifier: root.subjectKeyIdentifier ?? 'absent',
    });
    const forged = lookAlike.issueIntermediate({ subject: 'CN=Forged' }).issue();
    await expect(validate(forged, root, { intermediates: forged.chainWithRoot })).toRejectWith(
      'ERR_PATH_SIGNATURE_INVALID',
      { depth: 1, issuer: 'CN=Root' },
    );
  });

  it('PA-18: gives as anchor the bytes of the trust store, not presented ones', async () => {
    // The anchor's own name and key, certified anew: not the anchor.
    const renewed = createAuthority({ subject: root.subject, key: root.key });
    const path = await validate(root.issue(), root, { intermediates: [renewed.der] });
    expect(hexOf(path.certificates.slice(1))).toEqual(hexOf([root.der]));
  });

  it('PA-05: rejects a path longer than its anchor allows, and accepts the longest', async () => {
    const anchor = createAuthority({ basicConstraints: { ca: true, pathLenConstraint: 1 } });
    const first = anchor.issueIntermediate();
    await expect(validate(first.issue(), anchor)).resolves.toBeInstanceOf(VerifiedPathClass);
    await expect(validate(first.issueIntermediate().issue(), anchor)).toRejectWith('ERR_PATH_LENGTH_EXCEEDED', {
      depth: 3,
      pathLenConstraint: 1,
    });
  });

  const below = (count: number): TestCertificate =>
    Array.from({ length: count })
      .reduce<typeof root>((issuer) => issuer.issueIntermediate(), root)
      .issue();
  it('accepts 8 intermediates and rejects 9, unless told otherwise', async () => {
    await expect(validate(below(8), root)).resolves.toBeInstanceOf(VerifiedPathClass);
    await expect(validate(below(9), root)).toRejectWith('ERR_PATH_TOO_LONG', { maximum: 8 });
    await expect(validate(below(20), root, { maxIntermediates: 20 })).resolves.toBeInstanceOf(VerifiedPathClass);
    await expect(validate(below(1), root, { maxIntermediates: 0 })).toRejectWith('ERR_PATH_TOO_LONG', { maximum: 0 });
  });

  it('PA-14: stops at the signature budget', async () => {
    const layers = createAuthority({ subject: root.subject });
    const intermediates = Array.from({ length: 100 }, () => layers.issueIntermediate({ subject: root.subject }).der);
    await expect(validate(layers.issue(), root, { intermediates })).toRejectWith('ERR_PATH_BUDGET_EXCEEDED', {
      limit: 'signatures',
      maximum: 100,
    });
  });
});

describe('every mutation of a presented certificate', () => {
  /** Validates, and says with what code it is refused; any other error is one. */
  async function codeOf(options: Partial<ValidatePathInput>): Promise<string> {
    try {
      await validatePath({ ...input, ...options });
      return 'accepted';
    } catch (error) {
      if (error instanceof ClientCertificateError) return error.code;
      throw error;
    }
  }

  const mutants = (bytes: Buffer, seed: number, count: number): Buffer[] => {
    const random = seededRandom(seed);
    return Array.from({ length: count }, () => {
      const mutant = Buffer.from(bytes);
      const at = Math.floor(random() * bytes.length);
      mutant.writeUInt8(mutant.readUInt8(at) ^ (1 + Math.floor(random() * 255)), at);
      return mutant;
    });
  };

  it('is refused: an octet of the end-entity certificate', async () => {
    const codes = await Promise.all(mutants(leaf.der, 11, 300).map((endEntity) => codeOf({ endEntity })));
    expect(codes).not.toContain('accepted');
  });

  it('is refused: an octet of the intermediate', async () => {
    const codes = await Promise.all(
      mutants(intermediate.der, 12, 300).map((mutant) => codeOf({ intermediates: [mutant] })),
    );
    expect(codes).not.toContain('accepted');
  });

  it('is refused: two octets of either', async () => {
    const codes = await Promise.all(
      mutants(leaf.der, 13, 200).map((mutant, index) => {
        return codeOf({ endEntity: mutants(mutant, index, 1)[0] as Buffer });
      }),
    );
    expect(codes.filter((code) => code === 'accepted')).toEqual([]);
  });
});

describe('a path with a policy of revocation', () => {
  const crl = root.crl();
  const evidence = (revocation: VerifiedPath['revocation']): unknown => revocation?.map(({ status }) => status);

  it('has evidence, and ends with it', async () => {
    const revocation = Revocation.fromCrls([crl, intermediate.crl({ nextUpdate: daysFromTestTime(2) })]);
    const path = await validate(leaf, root, { revocation });
    expect(evidence(path.revocation)).toEqual(['good', 'good']);
    expect(path.validUntil).toEqual(daysFromTestTime(2));
    expect(path.validFrom).toEqual(daysFromTestTime(-1));
  });

  it('is judged at the time that is asked about', async () => {
    const revocation = Revocation.fromCrls([crl, intermediate.crl({ nextUpdate: daysFromTestTime(2) })]);
    const time = new Date(daysFromTestTime(2).getTime() + 1);
    await expect(validate(leaf, root, { revocation, time })).toRejectWith('ERR_REVOCATION_UNAVAILABLE', {
      depth: 0,
      cause: 'not-current',
      detail: 'the time of the CRL is over',
    });
    await expect(validate(leaf, root, { revocation, time: daysFromTestTime(2) })).resolves.toBeDefined();
  });

  it('is refused for want of a CRL of any of its issuers', async () => {
    await expect(validate(leaf, root, { revocation: Revocation.fromCrls([crl]) })).toRejectWith(
      'ERR_REVOCATION_UNAVAILABLE',
      { depth: 0, cause: 'no-source', detail: 'no CRL of the issuer' },
    );
    await expect(validate(leaf, root, { revocation: Revocation.fromCrls([intermediate.crl()]) })).toRejectWith(
      'ERR_REVOCATION_UNAVAILABLE',
      { depth: 1, cause: 'no-source', detail: 'no CRL of the issuer' },
    );
  });
});
