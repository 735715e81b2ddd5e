import { gzipSync } from 'node:zlib';
import {
  algorithmIdentifier,
  createAuthority,
  type CrlFields,
  der,
  encodeName,
  type RawCrlFields,
  type RevokedEntryFields,
  TEST_TIME,
} from '@peercert/testkit';
import { isSignedBy } from '../../../../packages/core/src/path/verify-signature';
import { Certificate } from '../../../../packages/core/src/x509/certificate';
import { Crl, maxCrlOctets } from '../../../../packages/core/src/x509/crl';
import { noCrlExtensions } from '../../../../packages/core/src/x509/crl-extensions';
import { DerError } from '../../../../packages/core/src/x509/der';
import { oid } from '../../../../packages/core/src/x509/oid';
import { hex, nested } from '../../../support/encodings';
import { seededRandom } from '../../../support/random';

const root = createAuthority({ subject: 'CN=Root,O=Example' });
const none = Buffer.alloc(0);
const time = der.utcTime(TEST_TIME);

const decode = (fields: CrlFields = {}): Crl => Crl.decode(root.crl(fields));
const decodeRaw = (raw: RawCrlFields, fields: CrlFields = {}): Crl => decode({ ...fields, raw });
/** How DerError with this reason is expected. */
const derError = (reason: string): Error => expect.objectContaining({ constructor: DerError, reason });

const entryExtension = (type: string, value: Uint8Array, critical: Buffer = none): Buffer =>
  der.sequence(der.oid(type), critical, der.octetString(value));
const isCritical = der.boolean(true);
/** A CRL with one entry for serial number 5 that has these extensions. */
const withEntryExtensions = (...extensions: readonly Buffer[]): Crl =>
  decodeRaw({ revokedCertificates: der.sequence(der.sequence(der.integer(5), time, der.sequence(...extensions))) });
/** A CRL with these entries for serial number 5. */
const withEntries = (...entries: readonly Omit<RevokedEntryFields, 'serialNumber'>[]): Crl =>
  decode({ revoked: entries.map((entry) => Object.assign({ serialNumber: 5 }, entry)) });
const five = Buffer.of(5);

const octets = (count: number, first = 0x7f): Buffer => Buffer.concat([Buffer.of(first), Buffer.alloc(count - 1, 1)]);

describe('the fields of a CRL', () => {
  it('are decoded', () => {
    const crl = decode({
      revoked: [{ serialNumber: 1 }, { serialNumber: 2 }],
      thisUpdate: new Date('2026-01-01T00:00:00Z'),
      nextUpdate: new Date('2050-01-01T00:00:00Z'),
      crlNumber: 258,
    });
    expect(crl).toMatchObject({
      version: 2,
      signatureAlgorithm: { algorithm: { name: 'ECDSA with sha256' } },
      thisUpdate: Date.parse('2026-01-01T00:00:00Z'),
      nextUpdate: Date.parse('2050-01-01T00:00:00Z'),
      entryCount: 2,
      hasUnsupportedCriticalEntryExtension: false,
      extensions: {
        ...noCrlExtensions(),
        authorityKeyIdentifier: root.subjectKeyIdentifier?.toString('latin1'),
        crlNumber: 258n,
      },
    });
    expect(String(crl.issuer)).toBe('O=Example,CN=Root');
  });

  it('name the issuer as its certificate does, whatever the case of the letters', () => {
    const crl = decodeRaw({ issuer: encodeName('CN=ROOT,O=example') });
    expect(crl.issuerKey).toBe(new Certificate(root.der).subjectKey);
    expect(decodeRaw({ issuer: encodeName('CN=Root') }).issuerKey).not.toBe(crl.issuerKey);
  });

  it('give what the signature covers, and the signature', () => {
    const issuer = new Certificate(root.der);
    expect(isSignedBy(decode(), issuer)).toBe(true);
    expect(isSignedBy(decode({ signer: createAuthority() }), issuer)).toBe(false);
  });

  it('stay in the bytes that were given', () => {
    const bytes = root.crl();
    expect(Crl.decode(bytes).der).toBe(bytes);
  });

  it.each<[string, Buffer, number]>([
    ['absent, which is 1', none, 1],
    ['2', der.integer(1), 2],
  ])('reads a version that is %s', (_, version, expected) => {
    expect(decodeRaw({ version, crlExtensions: none }).version).toBe(expected);
  });

  it.each<[string, Buffer, string]>([
    ['1, spelled out', der.integer(0), 'version is not 1 or 2'],
    ['3', der.integer(2), 'version is not 1 or 2'],
    ['negative', der.integer(-1), 'version is negative'],
    ['explicit, as in a certificate', der.explicit(0, der.integer(1)), 'signature expected'],
  ])('rejects a version that is %s', (_, version, reason) => {
    expect(() => decodeRaw({ version })).toThrow(derError(reason));
  });

  it('rejects extensions in version 1, of the CRL and of an entry', () => {
    expect(() => decode({ version: 1, crlNumber: 1 })).toThrow(derError('extensions in a CRL that is not version 2'));
    expect(() => decode({ version: 1, revoked: [{ serialNumber: 5, reason: 1 }] })).toThrow(
      derError('extensions in a CRL that is not version 2'),
    );
    expect(decode({ version: 1, revoked: [{ serialNumber: 5 }] }).find(five)).toBeDefined();
  });

  it('reads a CRL without nextUpdate', () => {
    expect(decode({ nextUpdate: 'absent' }).nextUpdate).toBeUndefined();
    expect(decode({ nextUpdate: 'absent', revoked: [{ serialNumber: 5 }] }).find(five)).toBeDefined();
  });

  it.each<[string, RawCrlFields, string]>([
    ['thisUpdate of 31 February', { thisUpdate: der.utcTime('260231000000Z') }, 'thisUpdate does not exist'],
    ['nextUpdate of 24:00', { nextUpdate: der.utcTime('260101240000Z') }, 'nextUpdate does not exist'],
    [
      'nextUpdate with a fraction',
      { nextUpdate: der.generalizedTime('20260101000000.5Z') },
      'nextUpdate is not a UTCTime or GeneralizedTime of full seconds in UTC',
    ],
    [
      'no thisUpdate',
      { thisUpdate: none, nextUpdate: none },
      'thisUpdate is not a UTCTime or GeneralizedTime of full seconds in UTC',
    ],
    ['three times', { nextUpdate: Buffer.concat([time, time]) }, 'unexpected data after tbsCertList'],
    ['an empty issuer', { issuer: der.sequence() }, 'issuer is empty'],
    [
      'an issuer in invalid UTF-8',
      { issuer: der.sequence(der.set(der.sequence(der.oid('2.5.4.3'), der.tlv(0x0c, Buffer.of(0xff))))) },
      'issuer holds invalid UTF-8',
    ],
    ['no issuer', { issuer: none }, 'issuer expected'],
    [
      'two signature algorithms',
      { signatureAlgorithm: algorithmIdentifier('ecdsa-sha384') },
      'signature and signatureAlgorithm differ',
    ],
    [
      'a signature with unused bits',
      { signatureValue: der.bitString(Buffer.of(8), 3) },
      'signatureValue has unused bits',
    ],
    ['a signature that is no BIT STRING', { signatureValue: der.octetString(five) }, 'signatureValue expected'],
    ['no signature', { signatureValue: none }, 'signatureValue expected'],
    ['more behind the signature', { signatureValue: der.sequence() }, 'signatureValue expected'],
    [
      'extensions that are not in a [0]',
      { revokedCertificates: der.sequence(), crlExtensions: der.sequence() },
      'unexpected data after tbsCertList',
    ],
    ['two times extensions', { crlExtensions: der.explicit(0, none, none) }, 'extensions expected'],
    ['no extension in extensions', { crlExtensions: der.explicit(0, der.sequence()) }, 'extensions are empty'],
  ])('rejects %s', (_, raw, reason) => {
    expect(() => decodeRaw(raw)).toThrow(derError(reason));
  });

  it('rejects octets behind the CRL', () => {
    expect(() => Crl.decode(Buffer.concat([root.crl(), Buffer.of(0)]))).toThrow(
      derError('unexpected data after CertificateList'),
    );
  });

  it('rejects a CRL that ends too soon, wherever it ends', () => {
    const whole = root.crl({ revoked: [{ serialNumber: 5, reason: 'superseded' }] });
    for (let length = 0; length < whole.length; length++) {
      expect(() => Crl.decode(whole.subarray(0, length))).toThrow(DerError);
    }
  });

  /** An issuer of so many octets in all. */
  const issuerOf = (size: number): Buffer => {
    const name = (text: number): Buffer => encodeName([{ type: 'CN', value: 'x'.repeat(text) }]);
    return name(size - name(size - 30).length + (size - 30));
  };

  it('reads an issuer of 16,384 octets and not one of 16,385', () => {
    expect(issuerOf(16_384)).toHaveLength(16_384);
    expect(decodeRaw({ issuer: issuerOf(16_384) }).version).toBe(2);
    expect(() => decodeRaw({ issuer: issuerOf(16_385) })).toThrow(derError('issuer is too large'));
  });

  it('rejects an AlgorithmIdentifier of more than 16,384 octets', () => {
    const signature = der.sequence(der.oid('1.2.3'), der.octetString(Buffer.alloc(16_384)));
    expect(() => decodeRaw({ signature })).toThrow(derError('signature is too large'));
    expect(() => decodeRaw({ signatureAlgorithm: signature })).toThrow(derError('signatureAlgorithm is too large'));
  });
});

describe('the extensions of a CRL', () => {
  const own = (extensions: CrlFields['extensions']): CrlFields => ({
    crlNumber: 'absent',
    authorityKeyIdentifier: 'absent',
    ...(extensions ? { extensions } : {}),
  });

  it('are all absent where there are none', () => {
    expect(decode(own([])).extensions).toEqual(noCrlExtensions());
  });

  it.each<[string, bigint | Uint8Array, bigint]>([
    ['zero', 0n, 0n],
    ['one octet with its top bit set', 0x80n, 0x80n],
    ['20 octets', 2n ** 159n - 1n, 2n ** 159n - 1n],
    ['20 octets with the top bit set', 2n ** 160n - 1n, 2n ** 160n - 1n],
  ])('read a cRLNumber of %s', (_, value, expected) => {
    const crl = decode(own([{ oid: '2.5.29.20', value: der.integer(value) }]));
    expect(crl.extensions).toEqual({ ...noCrlExtensions(), crlNumber: expected });
  });

  it.each<[string, bigint | Uint8Array, string]>([
    ['-1', -1n, 'is negative'],
    ['21 octets', 2n ** 160n, 'is too long'],
    ['no octet', none, 'is empty'],
    ['more octets than it takes', Buffer.of(0, 1), 'is not minimal'],
  ])('reject a cRLNumber and a deltaCRLIndicator of %s', (_, value, problem) => {
    const crl = (type: string): Crl => decode(own([{ oid: type, value: der.integer(value) }]));
    expect(() => crl('2.5.29.20')).toThrow(derError(`cRLNumber ${problem}`));
    expect(() => crl('2.5.29.27')).toThrow(derError(`deltaCRLIndicator ${problem}`));
  });

  it('RV-06: say that a CRL is a delta CRL, with and without its own number', () => {
    expect(decode({ deltaCrlIndicator: 7, crlNumber: 9 }).extensions).toMatchObject({
      deltaCrlIndicator: 7n,
      crlNumber: 9n,
      critical: [oid('2.5.29.27')],
      unsupportedCritical: [],
    });
    expect(decode({ deltaCrlIndicator: 0, crlNumber: 'absent' }).extensions).toMatchObject({
      deltaCrlIndicator: 0n,
      crlNumber: undefined,
    });
  });

  it('say what a CRL is about', () => {
    const { issuingDistributionPoint, critical } = decode({
      issuingDistributionPoint: { uris: ['http://crl.example.com/1.crl'], onlyContainsUserCerts: true },
    }).extensions;
    expect(critical).toEqual([oid('2.5.29.28')]);
    expect(issuingDistributionPoint).toEqual({
      distributionPoint: {
        uris: ['http://crl.example.com/1.crl'],
        directoryNames: [],
        other: 0,
        relativeToIssuer: false,
      },
      onlyContainsUserCerts: true,
      onlyContainsCACerts: false,
      onlyContainsAttributeCerts: false,
      indirectCRL: false,
      onlySomeReasons: undefined,
    });
  });

  it('RV-05: without any reason in onlySomeReasons are an empty set, and without its first octet rejected', () => {
    const scope = (onlySomeReasons: Buffer): unknown =>
      decode({ issuingDistributionPoint: { onlySomeReasons } }).extensions.issuingDistributionPoint?.onlySomeReasons;
    expect(scope(Buffer.of(0))).toBe(0);
    expect(() => scope(none)).toThrow(derError('reasons is not a set of named bits'));
    expect(() => scope(Buffer.of(1))).toThrow(derError('reasons is not a set of named bits'));
  });

  it('say that there are delta CRLs', () => {
    expect(decode({ freshestCrl: ['http://crl.example.com/delta.crl'] }).extensions.freshestCrl).toBe(true);
    expect(decode().extensions.freshestCrl).toBe(false);
  });

  it('that nobody knows pass, and are listed where they are critical', () => {
    const value = der.sequence();
    const { extensions } = decode(
      own([
        { oid: '1.2.3.4', value },
        { oid: '2.5.29.18', value, critical: true },
        { oid: '2.5.29.46', value, critical: true },
      ]),
    );
    expect(extensions).toEqual({
      ...noCrlExtensions(),
      freshestCrl: true,
      critical: [oid('2.5.29.18'), oid('2.5.29.46')],
      unsupportedCritical: ['2.5.29.18', '2.5.29.46'],
    });
  });

  it('that nobody knows may nest 32 deep and no deeper', () => {
    const deep = (depth: number): Crl => decode(own([{ oid: '1.2.3.4', value: nested(depth) }]));
    expect(deep(32).version).toBe(2);
    expect(() => deep(33)).toThrow(derError('nested too deeply'));
  });

  it('stand once each', () => {
    expect(() => decode({ extensions: [{ oid: '2.5.29.20', value: der.integer(2) }] })).toThrow(
      derError('extension is repeated'),
    );
  });

  it.each<[string, Buffer, string]>([
    [
      'a value with more behind it',
      Buffer.concat([der.integer(1), none, der.null()]),
      'unexpected data after extension value',
    ],
    ['a value of another type', der.utf8String('1'), 'cRLNumber expected'],
    ['an empty value', none, 'cRLNumber expected'],
  ])('reject %s', (_, value, reason) => {
    expect(() => decode(own([{ oid: '2.5.29.20', value }]))).toThrow(derError(reason));
  });

  it('reject critical that is false, and more behind the value', () => {
    const list = (...parts: readonly Buffer[]): Crl =>
      decodeRaw({ crlExtensions: der.explicit(0, der.sequence(der.sequence(der.oid('1.2.3'), ...parts))) });
    expect(() => list(der.boolean(false), der.octetString(none))).toThrow(derError('critical encodes its default'));
    expect(() => list(der.octetString(none), der.null())).toThrow(derError('unexpected data after extension'));
  });

  const many = (count: number): NonNullable<CrlFields['extensions']> =>
    Array.from({ length: count }, (_, index) => ({ oid: `1.2.3.${index}`, value: none }));

  it('are 64 at most', () => {
    expect(decode(own(many(64))).version).toBe(2);
    expect(() => decode(own(many(65)))).toThrow(derError('too many extensions'));
  });

  it('RV-10: are refused by their size when there are 100,000', () => {
    const extension = entryExtension('1.2.3', none);
    const list = Buffer.concat(Array.from({ length: 100_000 }, () => extension));
    const bytes = root.crl({ raw: { crlExtensions: der.explicit(0, der.sequence(list)) } });
    const started = performance.now();
    expect(() => Crl.decode(bytes)).toThrow(derError('crlExtensions is too large'));
    expect(performance.now() - started).toBeLessThan(100);
  });
});

describe('the entries of a CRL', () => {
  it('are found by serial number', () => {
    const client = root.issue();
    const other = root.issue();
    const crl = decode({
      revoked: [client, { serialNumber: 7, reason: 'superseded', revocationDate: new Date('2026-05-01T10:00:00Z') }],
    });
    const serial = (certificate: { readonly der: Buffer }): Buffer =>
      new Certificate(certificate.der).serialNumberOctets;
    expect(crl.find(serial(client))).toEqual({ revocationDate: crl.thisUpdate, reason: undefined });
    expect(crl.find(Buffer.of(7))).toEqual({
      revocationDate: Date.parse('2026-05-01T10:00:00Z'),
      reason: 'superseded',
    });
    expect(crl.find(serial(other))).toBeUndefined();
  });

  it('are none where the list is absent, and where it is empty', () => {
    for (const crl of [decode(), decodeRaw({ revokedCertificates: der.sequence() })]) {
      expect(crl.entryCount).toBe(0);
      expect(crl.find(five)).toBeUndefined();
    }
  });

  it.each([
    [0, 'unspecified'],
    [1, 'keyCompromise'],
    [2, 'cACompromise'],
    [3, 'affiliationChanged'],
    [4, 'superseded'],
    [5, 'cessationOfOperation'],
    [6, 'certificateHold'],
    [8, 'removeFromCRL'],
    [9, 'privilegeWithdrawn'],
    [10, 'aACompromise'],
  ])('have reason %i, which is %s', (reason, expected) => {
    expect(withEntries({ reason }).find(five)?.reason).toBe(expected);
  });

  it.each([7, 11, 127, 255, 256, -1])('do not have reason %i', (reason) => {
    expect(() => withEntries({ reason })).toThrow(derError('CRLReason is unknown'));
  });

  it.each<[string, Buffer, string]>([
    ['an INTEGER', der.integer(1), 'CRLReason expected'],
    ['of no octet', der.tlv(0x0a, none), 'CRLReason is unknown'],
    ['of a zero too many', der.tlv(0x0a, Buffer.of(0, 1)), 'CRLReason is unknown'],
    [
      'with more behind it',
      Buffer.concat([der.tlv(0x0a, Buffer.of(1)), der.null()]),
      'unexpected data after extension value',
    ],
  ])('do not have a reason that is %s', (_, value, reason) => {
    expect(() => withEntryExtensions(entryExtension('2.5.29.21', value))).toThrow(derError(reason));
  });

  it('RV-06: say removeFromCRL for what it is', () => {
    expect(withEntries({ reason: 'removeFromCRL' }).find(five)?.reason).toBe('removeFromCRL');
  });

  it('RV-08: are found on hold, and when they are revoked in the future', () => {
    const revocationDate = new Date('2099-01-01T00:00:00Z');
    expect(withEntries({ reason: 'certificateHold', revocationDate }).find(five)).toEqual({
      revocationDate: revocationDate.getTime(),
      reason: 'certificateHold',
    });
  });

  it('RV-08: are found with a critical extension that is not processed, and the CRL says that there is one', () => {
    const crl = withEntryExtensions(entryExtension('1.2.3.4', der.null(), isCritical));
    expect(crl.hasUnsupportedCriticalEntryExtension).toBe(true);
    expect(crl.find(five)).toEqual({ revocationDate: TEST_TIME.getTime(), reason: undefined });
  });

  const reasonCode = der.tlv(0x0a, Buffer.of(1));
  const someTime = der.generalizedTime(TEST_TIME);
  it.each<[string, boolean, Buffer]>([
    ['reasonCode', false, entryExtension('2.5.29.21', reasonCode, isCritical)],
    ['invalidityDate', false, entryExtension('2.5.29.24', someTime, isCritical)],
    ['an unknown extension that is not critical', false, entryExtension('1.2.3.4', reasonCode)],
    ['an unknown extension that is critical', true, entryExtension('1.2.3.4', reasonCode, isCritical)],
    ['certificateIssuer', true, entryExtension('2.5.29.29', der.sequence(), isCritical)],
    ['certificateIssuer that is not critical', true, entryExtension('2.5.29.29', der.sequence())],
  ])('with %s: whether that is more than is processed: %s', (_, expected, extension) => {
    expect(withEntryExtensions(extension).hasUnsupportedCriticalEntryExtension).toBe(expected);
  });

  it('are judged one and all for extensions that are not processed', () => {
    const extensions = [{ oid: '1.2.3.4', critical: true, value: none }];
    const revoked = [{ serialNumber: 1 }, { serialNumber: 2, extensions }, { serialNumber: 3 }];
    expect(decode({ revoked }).hasUnsupportedCriticalEntryExtension).toBe(true);
  });

  it.each<[string, readonly Buffer[], string]>([
    ['invalidityDate as UTCTime', [entryExtension('2.5.29.24', time)], 'invalidityDate expected'],
    [
      'invalidityDate that does not exist',
      [entryExtension('2.5.29.24', der.generalizedTime('20260231000000Z'))],
      'invalidityDate does not exist',
    ],
    ['the same extension twice', [1, 2].map(() => entryExtension('1.2.3', none)), 'extension is repeated'],
    ['an empty list of extensions', [], 'extensions are empty'],
    ['extensions nested too deeply', [entryExtension('1.2.3', nested(33))], 'nested too deeply'],
    [
      'more than 64 extensions',
      Array.from({ length: 65 }, (_, index) => entryExtension(`1.2.${index}`, none)),
      'too many extensions',
    ],
  ])('are rejected with %s', (_, extensions, reason) => {
    expect(() => withEntryExtensions(...extensions)).toThrow(derError(reason));
  });

  it.each<[string, Buffer, string]>([
    ['without a date', der.sequence(der.integer(5)), 'element is truncated'],
    ['without a serial number', der.sequence(time), 'userCertificate expected'],
    ['with an INTEGER for a date', der.sequence(der.integer(5), der.integer(5)), 'revocationDate is not a'],
    ['with a date that does not exist', der.sequence(der.integer(5), der.utcTime('261301000000Z')), 'does not exist'],
    [
      'with more behind its extensions',
      der.sequence(der.integer(5), time, der.sequence(entryExtension('1.2.3', none)), time),
      'unexpected data after CRL entry',
    ],
    ['with a time for extensions', der.sequence(der.integer(5), time, time), 'extensions expected'],
    ['that is a SET', der.set(der.integer(5), time), 'CRL entry expected'],
  ])('are rejected %s', (_, entry, reason) => {
    expect(() => decodeRaw({ revokedCertificates: der.sequence(entry) })).toThrow(
      derError(expect.stringContaining(reason) as string),
    );
  });

  it('are 16,384 octets long at most', () => {
    const entry = (size: number): Buffer =>
      der.sequence(der.integer(5), time, der.sequence(entryExtension('1.2.3', Buffer.alloc(size))));
    const overhead = entry(16_000).length - 16_000;
    const decodeEntry = (size: number): Crl => decodeRaw({ revokedCertificates: der.sequence(entry(size - overhead)) });
    expect(entry(16_384 - overhead)).toHaveLength(16_384);
    expect(decodeEntry(16_384).find(five)).toBeDefined();
    expect(() => decodeEntry(16_385)).toThrow(derError('CRL entry is too large'));
  });
});

describe('serial numbers', () => {
  const withSerial = (serialNumber: Uint8Array | bigint | number): Crl => decode({ revoked: [{ serialNumber }] });

  it.each<[string, string]>([
    ['zero', '00'],
    ['one', '01'],
    ['-1', 'ff'],
    ['128', '0080'],
    ['-128', '80'],
    ['of 128 bits with the top bit set', `00ff${'00'.repeat(15)}`],
    ['of 20 octets', `7f${'01'.repeat(19)}`],
    ['of 20 octets with the top bit set', `00ff${'01'.repeat(19)}`],
    ['of 20 octets, negative', `80${'01'.repeat(19)}`],
  ])('RV-09: %s are found as the certificate has them', (_, serial) => {
    const crl = withSerial(hex(serial));
    const certificate = new Certificate(root.issue({ serialNumber: hex(serial) }).der);
    expect(crl.find(certificate.serialNumberOctets)).toBeDefined();
    expect(decode({ revoked: [root.issue({ serialNumber: hex(serial) })] }).find(hex(serial))).toBeDefined();
  });

  it.each<[string, string]>([
    ['01', '0001'],
    ['01', '0000000001'],
    ['00', '0000'],
    ['0080', '000080'],
    ['ff', 'ffff'],
    ['80', 'ffff80'],
    [`00ff${'01'.repeat(19)}`, `${'00'.repeat(20)}ff${'01'.repeat(19)}`],
  ])('RV-09: %s is the same integer as %s', (serial, other) => {
    expect(withSerial(hex(serial)).find(hex(other))).toBeDefined();
  });

  it.each<[string, string]>([
    ['0080', '80'],
    ['80', '0080'],
    ['00ff', 'ff'],
    ['ff', '00ff'],
    [`00ff${'00'.repeat(15)}`, `ff${'00'.repeat(15)}`],
    ['01', '0100'],
    ['0100', '01'],
    ['00', ''],
    ['05', '06'],
    [`7f${'01'.repeat(19)}`, `7f${'01'.repeat(20)}`],
    [`7f${'01'.repeat(19)}`, `007f${'01'.repeat(20)}`],
  ])('RV-09: %s is not the same integer as %s', (serial, other) => {
    expect(withSerial(hex(serial)).find(hex(other))).toBeUndefined();
  });

  it('RV-09: that begin as others do are not found in their place', () => {
    const beginning = octets(14);
    const revoked = Array.from({ length: 500 }, (_, index) => {
      return { serialNumber: Buffer.concat([beginning, Buffer.of(index >> 8, index & 0xff)]) };
    });
    const crl = decode({ revoked });
    for (let length = 1; length <= 14; length++) expect(crl.find(beginning.subarray(0, length))).toBeUndefined();
  });

  it.each<[string, Uint8Array, string]>([
    ['21 octets', octets(21), 'userCertificate is too long'],
    ['21 octets, negative', octets(21, 0x80), 'userCertificate is too long'],
    [
      '21 octets of value behind a zero',
      Buffer.concat([Buffer.of(0), octets(21, 0x80)]),
      'userCertificate is too long',
    ],
    ['one octet behind a zero', Buffer.of(0, 1), 'userCertificate is not minimal'],
    ['a negative octet behind 0xff', Buffer.of(0xff, 0x80), 'userCertificate is not minimal'],
    ['no octet', none, 'userCertificate is empty'],
  ])('RV-09: of %s are rejected in an entry', (_, serialNumber, reason) => {
    expect(() => withSerial(serialNumber)).toThrow(derError(reason));
  });

  it('are found in entries with a long length as well', () => {
    for (const size of [1, 100, 300]) {
      const extensions = [{ oid: '1.2.3', value: Buffer.alloc(size) }];
      expect(withEntries({ extensions }).find(five)).toBeDefined();
    }
  });

  it('that stand twice count twice, and the first entry is the one', () => {
    const crl = withEntries({ reason: 'superseded' }, { reason: 'keyCompromise' });
    expect(crl.entryCount).toBe(2);
    expect(crl.find(five)?.reason).toBe('superseded');
  });

  it.each<[string, readonly NonNullable<RevokedEntryFields['reason']>[], string]>([
    ['before', ['removeFromCRL', 'superseded', 'keyCompromise'], 'superseded'],
    ['behind', ['superseded', 'removeFromCRL'], 'superseded'],
    ['before and behind', ['removeFromCRL', 'superseded', 'removeFromCRL'], 'superseded'],
  ])('RV-06: that are revoked are not taken back by a removal %s', (_, reasons, expected) => {
    expect(withEntries(...reasons.map((reason) => ({ reason }))).find(five)?.reason).toBe(expected);
  });

  it('RV-06: that are removed twice are removed', () => {
    const removal = { reason: 'removeFromCRL', revocationDate: TEST_TIME } as const;
    expect(withEntries(removal, { reason: 'removeFromCRL' }).find(five)).toEqual({
      revocationDate: TEST_TIME.getTime(),
      reason: 'removeFromCRL',
    });
  });
});

describe('a CRL of any size', () => {
  const serialOf = (index: number, length = 16): Buffer => {
    const serial = Buffer.alloc(length, 0x11);
    serial.writeUInt32BE(index, length - 4);
    return serial;
  };
  const largeCrl = (count: number): Buffer =>
    root.crl({ revoked: Array.from({ length: count }, (_, index) => ({ serialNumber: serialOf(index), reason: 1 })) });

  it('of 100,000 entries has them all, and nothing else', () => {
    const crl = Crl.decode(largeCrl(100_000));
    expect(crl.entryCount).toBe(100_000);
    let found = 0;
    for (let index = 0; index < 200_000; index++) if (crl.find(serialOf(index)) !== undefined) found += 1;
    expect(found).toBe(100_000);
    expect(crl.find(serialOf(99_999))?.reason).toBe('keyCompromise');
    expect(crl.find(serialOf(100_000))).toBeUndefined();
  });

  it('gives the event loop back while it is decoded', async () => {
    const bytes = largeCrl(5_000);
    let turns = 0;
    let isDone = false;
    const count = (): void => {
      turns += 1;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    const crl = await Crl.decodeInSlices(bytes, { sliceMs: 0 });
    isDone = true;
    expect(crl.entryCount).toBe(5_000);
    // Once for every 16 KiB: when the entries are counted, and again when they are decoded.
    expect(turns).toBeGreaterThan((2 * bytes.length) / 16_384 - 5);
  });

  it('is decoded in slices to the same CRL', async () => {
    const bytes = largeCrl(1_000);
    const crl = await Crl.decodeInSlices(bytes);
    expect(crl.der).toBe(bytes);
    expect(crl.entryCount).toBe(1_000);
    expect(crl.find(serialOf(0))).toEqual(Crl.decode(bytes).find(serialOf(0)));
  });

  it('rejects in slices with the same DerError', async () => {
    await expect(Crl.decodeInSlices(Buffer.from('<html>'))).rejects.toEqual(derError('CertificateList expected'));
    const bytes = root.crl({ revoked: [{ serialNumber: 5, reason: 7 }] });
    await expect(Crl.decodeInSlices(bytes)).rejects.toEqual(derError('CRLReason is unknown'));
  });

  it('takes up no more memory than its DER takes, even where the entries are as small as they can be', () => {
    const smallest = der.sequence(der.integer(5), time);
    const list = Buffer.concat(Array.from({ length: 100_000 }, () => smallest));
    const bytes = root.crl({ raw: { revokedCertificates: der.sequence(list) } });
    const before = process.memoryUsage().arrayBuffers;
    const crl = Crl.decode(bytes);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(bytes.length);
    expect(crl.find(five)).toBeDefined();
  });

  it.each<[string, (index: number) => Buffer]>([
    ['one after the other', (index) => serialOf(index)],
    ['65,536 apart', (index) => serialOf(index * 65_536)],
    [
      'that differ in their first octets',
      (index) => Buffer.concat([serialOf(index | 0x01_00_00_00).subarray(12), Buffer.alloc(12)]),
    ],
    ['that are as short as they can be', (index) => serialOf(index | 0x01_00_00_00, 4)],
    ['that are all the same', () => five],
  ])('is decoded in time for serial numbers %s', (_, serial) => {
    const entries = Array.from({ length: 20_000 }, (_, index) => der.sequence(der.integer(serial(index)), time));
    const bytes = root.crl({ raw: { revokedCertificates: der.sequence(Buffer.concat(entries)) } });
    const started = performance.now();
    expect(Crl.decode(bytes).entryCount).toBe(20_000);
    // Some twenty milliseconds; a table in which they all met would take a minute.
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  it('RV-10: is 64 MiB at most', () => {
    expect(maxCrlOctets).toBe(67_108_864);
    const bytes = Buffer.alloc(maxCrlOctets + 1);
    expect(() => Crl.decode(bytes)).toThrow(derError('CRL is too large'));
    expect(() => Crl.decode(bytes.subarray(1))).toThrow(derError('CertificateList expected'));
  });

  it.each<[string, Buffer]>([
    ['HTML', Buffer.from('<!DOCTYPE html><title>Not found</title>')],
    ['a gzip stream', gzipSync(root.crl())],
    ['PEM', Buffer.from('-----BEGIN X509 CRL-----\n')],
    ['nothing', none],
    ['zeros', Buffer.alloc(1_000_000)],
  ])('RV-10: is not read from %s', (_, bytes) => {
    expect(() => Crl.decode(bytes)).toThrow(derError('CertificateList expected'));
  });

  it('RV-10: is not a certificate, nor is a certificate a CRL', () => {
    expect(() => Crl.decode(root.der)).toThrow(DerError);
    expect(() => new Certificate(root.crl())).toThrow(DerError);
  });

  it('RV-10: nests as deep as somebody likes and is refused', () => {
    expect(() => Crl.decode(nested(3_000))).toThrow(DerError);
    expect(() => decodeRaw({ revokedCertificates: nested(3_000) })).toThrow(DerError);
    expect(() => decodeRaw({ issuer: nested(3_000) })).toThrow(DerError);
  });
});

describe('octets that are not a CRL', () => {
  it('are a DerError wherever one octet is wrong, or make another CRL', () => {
    const random = seededRandom(1);
    const original = root.crl({
      revoked: [{ serialNumber: 5, reason: 1 }, { serialNumber: 0xabcd }],
      freshestCrl: ['a'],
    });
    const strange: unknown[] = [];
    for (let at = 0; at < original.length; at++) {
      const bytes = Buffer.from(original);
      bytes[at] = (original.readUInt8(at) + 1 + Math.floor(random() * 255)) % 256;
      try {
        Crl.decode(bytes).find(five);
      } catch (error) {
        if (!(error instanceof DerError)) strange.push(error);
      }
    }
    expect(strange).toEqual([]);
  });
});
