import { createPublicKey, X509Certificate } from 'node:crypto';
import {
  algorithmIdentifier,
  type CertificateFields,
  createAuthority,
  der,
  encodeName,
  generateKey,
  selfSigned,
  type TestCertificate,
} from '@peercert/testkit';
import { dottedOid } from '../../../../packages/core/src/x509/oid';
import { verifySignature } from '../../../../packages/core/src/path/verify-signature';
import { Certificate, maxCertificateOctets } from '../../../../packages/core/src/x509/certificate';
import { DerError } from '../../../../packages/core/src/x509/der';
import { nested, rsaSpki } from '../../../support/encodings';
import { seededRandom } from '../../../support/random';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const root = createAuthority({ subject: 'CN=Root' });
const leaf = root.issue({ uris: ['urn:example:device:1'] });
const none = Buffer.alloc(0);

const decode = ({ der: bytes }: { readonly der: Buffer }): Certificate => new Certificate(bytes);
/** How DerError with this reason is expected. */
const derError = (reason: string): Error => expect.objectContaining({ constructor: DerError, reason });

/** A certificate without extensions, of version 1 or another. */
const plain = (version: Buffer, rest: CertificateFields['raw'] = {}): TestCertificate =>
  root.issue({ raw: { version, extensions: none, ...rest } });

describe('the fields of a certificate', () => {
  it('are decoded', () => {
    const certificate = decode(
      root.issue({
        subject: 'CN=device-1,O=Example',
        serialNumber: 0x0123n,
        notBefore: new Date('2026-01-01T00:00:00Z'),
        notAfter: new Date('2050-01-01T00:00:00Z'),
      }),
    );
    expect(certificate).toMatchObject({
      version: 3,
      serialNumber: '123',
      notBefore: Date.parse('2026-01-01T00:00:00Z'),
      notAfter: Date.parse('2050-01-01T00:00:00Z'),
      publicKeyInfo: { type: 'ec', curve: 'P-256' },
      signatureAlgorithm: { algorithm: { name: 'ECDSA with sha256' } },
      hasEmptySubject: false,
      isSelfIssued: false,
    });
    expect(String(certificate.subject)).toBe('O=Example,CN=device-1');
    expect(String(certificate.issuer)).toBe('CN=Root');
    expect(certificate.issuerKey).toBe(decode(root).subjectKey);
  });

  it.each<[string, Buffer, number]>([
    ['absent, which is 1', none, 1],
    ['2', der.explicit(0, der.integer(1)), 2],
    ['3', der.explicit(0, der.integer(2)), 3],
  ])('DR-06: reads a version that is %s', (_, encoded, version) => {
    expect(decode(plain(encoded)).version).toBe(version);
  });

  it.each<[string, Buffer, string]>([
    ['version 1, spelled out', der.explicit(0, der.integer(0)), 'version is not 1, 2 or 3'],
    ['version 4', der.explicit(0, der.integer(3)), 'version is not 1, 2 or 3'],
    ['version 2^32', der.explicit(0, der.integer(2 ** 32 - 1)), 'version is not 1, 2 or 3'],
    ['a negative version', der.explicit(0, der.integer(-1)), 'version is negative'],
    ['two versions', der.explicit(0, der.integer(2), der.integer(2)), 'unexpected data after version'],
    ['a version without an INTEGER', der.explicit(0), 'version expected'],
    ['an implicit version', der.implicit(0, Buffer.of(2)), 'serialNumber expected'],
  ])('DR-06: rejects %s', (_, version, reason) => {
    expect(() => decode(root.issue({ raw: { version } }))).toThrow(derError(reason));
  });

  it.each<[string, Buffer]>([
    ['version 1', none],
    ['version 2', der.explicit(0, der.integer(1))],
  ])('DR-06: rejects extensions in a certificate of %s', (_, version) => {
    expect(() => decode(root.issue({ raw: { version } }))).toThrow(
      derError('extensions in a certificate that is not version 3'),
    );
  });

  const octets = (count: number, first = 0x7f): Buffer => Buffer.concat([Buffer.of(first), Buffer.alloc(count - 1, 1)]);
  it.each<[string, Uint8Array | number, string]>([
    ['one', 1, '1'],
    ['zero', 0, '0'],
    ['-1', -1, '-1'],
    ['-255', -255, '-ff'],
    ['a number with its top bit set', 0x80, '80'],
    ['20 octets', octets(20), `7f${'01'.repeat(19)}`],
    ['20 octets, negative', octets(20, 0x80), `-7f${'fe'.repeat(18)}ff`],
    ['20 octets of value behind a zero', Buffer.concat([Buffer.of(0), octets(20, 0x80)]), `80${'01'.repeat(19)}`],
  ])('DR-07: accepts a serial number of %s', (_, serialNumber, expected) => {
    expect(decode(root.issue({ serialNumber })).serialNumber).toBe(expected);
  });

  it.each<[string, Uint8Array, string]>([
    ['21 octets', octets(21), 'serialNumber is too long'],
    ['21 octets, negative', octets(21, 0x80), 'serialNumber is too long'],
    ['21 octets of value behind a zero', Buffer.concat([Buffer.of(0), octets(21, 0x80)]), 'serialNumber is too long'],
    ['200 octets', octets(200), 'serialNumber is too long'],
    ['one octet behind a zero', Buffer.of(0, 1), 'serialNumber is not minimal'],
    ['a negative octet behind 0xff', Buffer.of(0xff, 0x80), 'serialNumber is not minimal'],
    ['no octet', none, 'serialNumber is empty'],
  ])('DR-07: rejects a serial number of %s', (_, serialNumber, reason) => {
    expect(() => decode(root.issue({ serialNumber }))).toThrow(derError(reason));
  });

  it('rejects a serial number that is not an INTEGER', () => {
    expect(() => decode(root.issue({ raw: { serialNumber: der.octetString(Buffer.of(1)) } }))).toThrow(
      derError('serialNumber expected'),
    );
  });

  it('rejects an empty issuer, and accepts an empty subject', () => {
    expect(() => decode(root.issue({ raw: { issuer: der.sequence() } }))).toThrow(derError('issuer is empty'));
    const certificate = decode(root.issue({ subject: '' }));
    expect(certificate.hasEmptySubject).toBe(true);
    expect(String(certificate.subject)).toBe('');
  });

  it.each<[string, CertificateFields['raw'] & object, string]>([
    [
      'DR-13: rejects notAfter of 31 February',
      { validity: der.sequence(der.utcTime('260101000000Z'), der.utcTime('270231000000Z')) },
      'notAfter does not exist',
    ],
    [
      'DR-13: rejects notBefore of 24:00',
      { validity: der.sequence(der.utcTime('260101240000Z'), der.utcTime('270101000000Z')) },
      'notBefore does not exist',
    ],
    [
      'rejects a validity without notAfter',
      { validity: der.sequence(der.utcTime('260101000000Z')) },
      'element is truncated',
    ],
    [
      'rejects a validity of three times',
      { validity: der.sequence(...Array.from({ length: 3 }, () => der.utcTime('260101000000Z'))) },
      'unexpected data after validity',
    ],
    [
      'DR-15: rejects a subject in invalid UTF-8',
      { subject: der.sequence(der.set(der.sequence(der.oid('2.5.4.3'), der.tlv(0x0c, Buffer.of(0xff))))) },
      'subject holds invalid UTF-8',
    ],
    [
      'DR-15: rejects an issuer with an odd BMPString',
      { issuer: der.sequence(der.set(der.sequence(der.oid('2.5.4.3'), der.tlv(0x1e, Buffer.of(0x41))))) },
      'issuer holds an odd BMPString',
    ],
    [
      'DR-05: rejects an empty list of extensions',
      { extensions: der.explicit(3, der.sequence()) },
      'extensions are empty',
    ],
    ['rejects extensions without a list', { extensions: der.explicit(3) }, 'extensions expected'],
    [
      'rejects two lists of extensions',
      {
        extensions: der.explicit(
          3,
          der.sequence(der.sequence(der.oid('1.2.3'), der.octetString(none))),
          der.sequence(),
        ),
      },
      'unexpected data after extensions',
    ],
    [
      'rejects something after the extensions',
      {
        extensions: Buffer.concat([
          der.explicit(3, der.sequence(der.sequence(der.oid('1.2.3'), der.octetString(none)))),
          der.null(),
        ]),
      },
      'unexpected data after extensions',
    ],
    ['rejects something in place of the extensions', { extensions: der.null() }, 'extensions expected'],
    ['rejects a constructed unique identifier', { issuerUniqueID: der.explicit(1, der.null()) }, 'extensions expected'],
    [
      'rejects unique identifiers in the wrong order',
      { issuerUniqueID: Buffer.concat([der.implicit(2, Buffer.of(0, 1)), der.implicit(1, Buffer.of(0, 1))]) },
      'extensions expected',
    ],
    ['DR-08: rejects extra contents nested 300 deep', { extensions: nested(300) }, 'extensions expected'],
    ['DR-08: rejects extra contents nested 3500 deep', { extensions: nested(3_500) }, 'extensions expected'],
    [
      'DR-08: rejects an issuer nested 3500 deep',
      { issuer: nested(3_500) },
      'issuer: RelativeDistinguishedName expected',
    ],
    [
      'DR-08: rejects a key nested 3500 deep',
      { subjectPublicKeyInfo: nested(3_500) },
      'subjectPublicKeyInfo: algorithm expected',
    ],
    ['DR-08: rejects a TBSCertificate nested 3500 deep', { tbsCertificate: nested(3_500) }, 'serialNumber expected'],
    [
      'DR-09: rejects a TBSCertificate of 5000 empty items',
      { tbsCertificate: der.sequence(Buffer.alloc(10_000, '3000', 'hex')) },
      'serialNumber expected',
    ],
    [
      'DR-09: rejects extensions that claim 2 GB',
      { extensions: der.tlv(0xa3, none, { declaredLength: 2 ** 31 }) },
      'element is longer than what holds it',
    ],
    ['rejects an empty TBSCertificate', { tbsCertificate: der.sequence() }, 'serialNumber expected'],
    [
      'DR-30: rejects a signature with unused bits',
      { signatureValue: der.bitString(Buffer.alloc(64, 2), 1) },
      'signatureValue has unused bits',
    ],
    [
      'rejects a signature that is an OCTET STRING',
      { signatureValue: der.octetString(Buffer.alloc(64, 2)) },
      'signatureValue expected',
    ],
    ['rejects no signature', { signatureValue: none }, 'signatureValue expected'],
    [
      'rejects two signatures',
      { signatureValue: Buffer.concat([der.bitString(Buffer.of(1)), der.bitString(Buffer.of(1))]) },
      'unexpected data after signatureValue',
    ],
    [
      'DR-29: rejects another outer algorithm',
      { signatureAlgorithm: algorithmIdentifier('ecdsa-sha384') },
      'signature and signatureAlgorithm differ',
    ],
    [
      'DR-29: rejects another inner algorithm',
      { signature: algorithmIdentifier('ecdsa-sha384') },
      'signature and signatureAlgorithm differ',
    ],
    [
      'DR-29: rejects parameters in the outer algorithm alone',
      { signatureAlgorithm: der.sequence(der.oid('1.2.840.10045.4.3.2'), der.null()) },
      'signature and signatureAlgorithm differ',
    ],
    [
      'DR-29: rejects an outer algorithm that is a prefix of the inner',
      { signature: der.sequence(der.oid('1.2.840.10045.4.3.2'), der.null()) },
      'signature and signatureAlgorithm differ',
    ],
    ['rejects no outer algorithm', { signatureAlgorithm: none }, 'signatureAlgorithm expected'],
  ])('%s', (_, raw, reason) => {
    expect(() => decode(root.issue({ raw }))).toThrow(derError(reason));
  });

  it('DR-08: rejects algorithm parameters nested 300 deep', () => {
    const algorithm = der.sequence(der.oid('1.2.3.4'), nested(300));
    expect(() => decode(root.issue({ raw: { signature: algorithm, signatureAlgorithm: algorithm } }))).toThrow(
      derError('nested too deeply'),
    );
  });

  it('passes over unique identifiers in versions 2 and 3, and rejects them in version 1', () => {
    const identifiers = {
      issuerUniqueID: der.implicit(1, Buffer.of(0, 1)),
      subjectUniqueID: der.implicit(2, Buffer.of(0, 2)),
    };
    expect(decode(root.issue({ raw: identifiers })).version).toBe(3);
    expect(decode(plain(der.explicit(0, der.integer(1)), identifiers)).version).toBe(2);
    expect(() => decode(plain(none, identifiers))).toThrow(derError('unique identifier in a version 1 certificate'));
  });

  it.each([
    [
      'unknown',
      root.issue({
        raw: { subjectPublicKeyInfo: der.sequence(der.sequence(der.oid('1.2.3.4')), der.bitString(Buffer.of(1))) },
      }),
    ],
    [
      'empty',
      root.issue({
        raw: {
          subjectPublicKeyInfo: der.sequence(
            der.sequence(der.oid('1.2.840.10045.2.1'), der.oid('1.2.840.10045.3.1.7')),
            der.bitString(none),
          ),
        },
      }),
    ],
    [
      'off its curve',
      root.issue({
        raw: {
          subjectPublicKeyInfo: der.sequence(
            der.sequence(der.oid('1.2.840.10045.2.1'), der.oid('1.2.840.10045.3.1.7')),
            der.bitString(Buffer.alloc(65, 4)),
          ),
        },
      }),
    ],
  ])('DR-23: reads a key that is %s, and throws only where it is imported', (_, certificate) => {
    const decoded = decode(certificate);
    expect(decoded.publicKeyInfo.type === 'unsupported' || decoded.isKeyOffCurve).toBe(true);
    expect(decoded.spkiSha256).toMatch(/^[0-9a-f]{64}$/);
    expect(() => decoded.publicKey).toThrow(/./);
  });
});

describe('the bytes of a certificate', () => {
  const { der: bytes } = leaf;

  it('DR-01: rejects a certificate followed by one more octet', () => {
    expect(() => new Certificate(Buffer.concat([bytes, Buffer.of(0)]))).toThrowDerError(
      'unexpected data after Certificate',
      bytes.length,
    );
  });

  it('DR-01: rejects a certificate followed by another', () => {
    expect(() => new Certificate(Buffer.concat([bytes, root.der]))).toThrowDerError(
      'unexpected data after Certificate',
      bytes.length,
    );
  });

  it.each([
    ['an indefinite length', der.tlv(0x30, bytes.subarray(4), { indefinite: true }), 'indefinite length'],
    [
      'a length in three octets where two do',
      der.tlv(0x30, bytes.subarray(4), { lengthOctets: 3 }),
      'length is not minimal',
    ],
    ['a length in five octets', der.tlv(0x30, bytes.subarray(4), { lengthOctets: 5 }), 'length is too large'],
  ])('DR-02: rejects %s', (_, hostile, reason) => {
    expect(() => new Certificate(hostile)).toThrowDerError(reason, 1);
  });

  it('DR-09: rejects a length of 2 GB', () => {
    expect(() => new Certificate(der.tlv(0x30, bytes.subarray(4), { declaredLength: 2 ** 31 }))).toThrowDerError(
      'element is longer than what holds it',
      0,
    );
  });

  it.each([
    ['rejects no octets', none, 'Certificate expected', 0],
    ['rejects an empty SEQUENCE', der.sequence(), 'tbsCertificate expected', 2],
    ['rejects PEM', Buffer.from(leaf.pem), 'Certificate expected', 0],
    ['rejects a SET of the same contents', der.tlv(0x31, bytes.subarray(4)), 'Certificate expected', 0],
    ['DR-09: rejects 5,000 empty items', der.sequence(Buffer.alloc(10_000, '3000', 'hex')), 'serialNumber expected', 6],
    ['DR-08: rejects SEQUENCEs nested 5,000 deep', nested(5_000), 'certificate is too large', 0],
    ['DR-08: rejects SEQUENCEs nested 3,500 deep', nested(3_500), 'serialNumber expected', 8],
  ])('%s', (_, hostile, reason, offset) => {
    expect(() => new Certificate(hostile)).toThrowDerError(reason, offset);
  });

  it('rejects every certificate cut short', () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(() => new Certificate(bytes.subarray(0, length))).toThrow(DerError);
    }
  });

  /** A certificate of exactly so many octets. */
  const sized = (octets: number): Buffer => {
    const padded = (padding: number): Buffer =>
      root.issue({
        raw: { signatureValue: der.bitString(Buffer.alloc(64, 1)) },
        extensions: [{ oid: '1.2.3.4', value: Buffer.alloc(padding) }],
      }).der;
    return padded(octets - padded(8_192).length + 8_192);
  };
  it('accepts 16384 octets', () => {
    const certificate = sized(maxCertificateOctets);
    expect(certificate).toHaveLength(16_384);
    expect(() => new Certificate(certificate)).not.toThrow();
  });

  it('DR-09: rejects 16385 octets', () => {
    expect(() => new Certificate(sized(maxCertificateOctets + 1))).toThrowDerError('certificate is too large', 0);
  });

  it('DR-09: rejects 10 MB, and a SEQUENCE of 100,000 empty items', () => {
    expect(() => new Certificate(der.sequence(Buffer.alloc(10_000_000)))).toThrowDerError(
      'certificate is too large',
      0,
    );
    expect(() => new Certificate(der.sequence(Buffer.alloc(200_000, '3000', 'hex')))).toThrowDerError(
      'certificate is too large',
      0,
    );
  });

  it.each([
    [
      'DR-10, DR-12: rejects an object identifier of 10 KB in at most 256 characters',
      root.issue({
        raw: {
          extensions: der.explicit(
            3,
            der.sequence(der.sequence(der.tlv(0x06, Buffer.alloc(10_000, 1)), der.octetString(none))),
          ),
        },
      }),
    ],
    [
      'DR-11, DR-12: rejects 1000 names in at most 256 characters',
      root.issue({ dnsNames: Array.from({ length: 1_000 }, (_, index) => `a${index}`) }),
    ],
    [
      'DR-11, DR-12: rejects 10000 names in at most 256 characters',
      root.issue({ dnsNames: Array.from({ length: 10_000 }, (_, index) => `a${index}`) }),
    ],
    [
      'DR-11, DR-12: rejects 1000 attributes in at most 256 characters',
      root.issue({ subject: Array.from({ length: 1_000 }, () => ({ type: 'CN', value: 'a' })) }),
    ],
  ])('%s', (_, certificate) => {
    let message = '';
    try {
      decode(certificate);
    } catch (error) {
      message = (error as DerError).message;
    }
    expect(message).not.toBe('');
    expect(message.length).toBeLessThanOrEqual(256);
  });

  it('keeps a copy that outlives the buffer it was given', () => {
    const given = Buffer.from(bytes);
    const certificate = Certificate.copyOf(given);
    given.fill(0);
    expect(certificate.der.equals(bytes)).toBe(true);
    expect(certificate.der.buffer.byteLength).toBe(bytes.length);
  });

  it('gives the same bytes to sign, sign with and hash as went in', () => {
    const certificate = decode(leaf);
    expect(bytes.includes(certificate.tbs)).toBe(true);
    expect(certificate.tbs.readUInt8(0)).toBe(0x30);
    expect(bytes.subarray(-certificate.signature.length).equals(certificate.signature)).toBe(true);
  });

  it('tells keys apart, whatever else is the same', () => {
    const same = root.issue({ key: leaf.key, subject: 'CN=other' });
    expect(decode(leaf).hasSameKeyAs(decode(same))).toBe(true);
    expect(decode(leaf).spkiSha256).toBe(decode(same).spkiSha256);
    expect(decode(leaf).hasSameKeyAs(decode(root.issue()))).toBe(false);
  });

  it('calls a certificate self-issued by its names, not by its key', () => {
    expect(decode(root).isSelfIssued).toBe(true);
    expect(
      decode(root.issueIntermediate({ subject: encodeName([{ type: 'CN', value: ' ROOT ', as: 'bmpString' }]) }))
        .isSelfIssued,
    ).toBe(true);
    expect(decode(root.issue({ key: root.key })).isSelfIssued).toBe(false);
  });
});

describe('every mutation of a certificate', () => {
  const { der: bytes } = leaf;
  const issuer = new Certificate(root.der);

  /** Decodes, or says that it is not DER; any other error is one. */
  function decodeMutant(mutant: Buffer): Certificate | undefined {
    try {
      return new Certificate(mutant);
    } catch (error) {
      if (error instanceof DerError) return undefined;
      throw error;
    }
  }

  /** Uses everything that is decoded late. */
  function touch(certificate: Certificate): void {
    expect(typeof `${certificate.subject.toString()}${certificate.issuer.toString()}`).toBe('string');
    expect(typeof `${certificate.subjectKey}${certificate.issuerKey}${certificate.serialNumber}`).toBe('string');
    expect(Number.isFinite(certificate.notBefore) && Number.isFinite(certificate.notAfter)).toBe(true);
  }

  it('decodes or is rejected with DerError, and is signed by nobody', () => {
    const random = seededRandom(1);
    for (let at = 0; at < bytes.length; at++) {
      for (const mask of [1 << Math.floor(random() * 8), 0x80, 1 + Math.floor(random() * 255)]) {
        const mutant = Buffer.from(bytes);
        mutant.writeUInt8(mutant.readUInt8(at) ^ mask, at);
        const certificate = decodeMutant(mutant);
        if (certificate === undefined) continue;
        touch(certificate);
        expect(verifySignature(certificate, issuer)).toBe(false);
      }
    }
  });

  it('is no certificate, or signed by nobody, with an octet more or less', () => {
    const random = seededRandom(2);
    for (let at = 0; at <= bytes.length; at++) {
      const longer = Buffer.concat([bytes.subarray(0, at), Buffer.of(Math.floor(random() * 256)), bytes.subarray(at)]);
      const shorter = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
      for (const mutant of at === bytes.length ? [longer] : [longer, shorter]) {
        const certificate = decodeMutant(mutant);
        expect(certificate === undefined || verifySignature(certificate, issuer)).toBe(certificate === undefined);
      }
    }
  });

  it('reads every octet of random garbage or rejects it', () => {
    const random = seededRandom(3);
    for (let round = 0; round < 2_000; round++) {
      const garbage = Buffer.from(Array.from({ length: Math.floor(random() * 64) }, () => Math.floor(random() * 256)));
      expect(decodeMutant(der.sequence(der.sequence(garbage)))).toBeUndefined();
      expect(decodeMutant(garbage)).toBeUndefined();
    }
  });
});

describe('what node:crypto reads in the same bytes', () => {
  const rsa = generateKey('rsa2048');
  const rsaRoot = createAuthority({ subject: 'CN=RSA Root', key: rsa });
  const ed25519Root = createAuthority({ subject: 'CN=Ed25519 Root', keyAlgorithm: 'ed25519' });

  const spread: [string, TestCertificate][] = [
    ['a root', root],
    ['an ordinary certificate', leaf],
    [
      'an intermediate',
      root.issueIntermediate({ subject: 'CN=Intermediate', basicConstraints: { ca: true, pathLenConstraint: 0 } }),
    ],
    ['a self-signed certificate', selfSigned()],
    ['an RSA certificate', rsaRoot.issue({ key: rsa })],
    ['an RSA certificate signed with PSS', rsaRoot.issue({ signatureAlgorithm: 'rsa-pss-sha384' })],
    ['an Ed25519 certificate', ed25519Root.issue({ keyAlgorithm: 'ed25519' })],
    ['a P-384 certificate', root.issue({ keyAlgorithm: 'p384' })],
    ['a P-521 certificate', root.issue({ keyAlgorithm: 'p521' })],
    ['a certificate of version 1', plain(none)],
    ['an empty subject', root.issue({ subject: '', dnsNames: ['a.example'] })],
    ['a long name', root.issue({ subject: 'CN=a,OU=b,O=c,L=d,ST=e,C=DE' })],
    [
      'every purpose',
      root.issue({ extKeyUsage: ['serverAuth', 'clientAuth', 'emailProtection', 'anyExtendedKeyUsage'] }),
    ],
    [
      'every kind of name',
      root.issue({
        uris: ['urn:a'],
        dnsNames: ['a.example'],
        emails: ['a@example.com'],
        ipAddresses: ['192.0.2.1', '2001:db8::1'],
      }),
    ],
    [
      'times before and after 2050',
      root.issue({ notBefore: new Date('1950-01-01T00:00:00Z'), notAfter: new Date('2050-01-01T00:00:00Z') }),
    ],
    ['the end of the year 9999', root.issue({ notAfter: new Date('9999-12-31T23:59:59Z') })],
    ['serial number 0', root.issue({ serialNumber: 0 })],
    ['a negative serial number', root.issue({ serialNumber: -255 })],
    ['a serial number of 20 octets', root.issue({ serialNumber: Buffer.alloc(20, 0x7f) })],
    ['an RSA key of 8192 bits', root.issue({ raw: { subjectPublicKeyInfo: rsaSpki(8_192) } })],
  ];

  it.each(spread)('agrees on %s', (_, minted) => {
    const ours = decode(minted);
    const theirs = new X509Certificate(minted.der);
    const purposes = theirs.keyUsage as readonly string[] | undefined;
    expect({
      subject: ours.subject.rdns.flat().map(({ name, value }) => `${name}=${value}`),
      issuer: ours.issuer.rdns.flat().map(({ name, value }) => `${name}=${value}`),
      serialNumber: BigInt(`0x${ours.serialNumber.replace('-', '')}`),
      isNegative: ours.serialNumber.startsWith('-'),
      notBefore: ours.notBefore,
      notAfter: ours.notAfter,
      ca: ours.extensions.basicConstraints?.cA ?? false,
      extKeyUsage: ours.extensions.extKeyUsage?.map(dottedOid),
      sha256: ours.sha256,
      spki: ours.publicKey.export({ type: 'spki', format: 'der' }).toString('hex'),
      raw: ours.der.toString('hex'),
      isIssuedByRoot: ours.issuerKey === decode(root).subjectKey && verifySignature(ours, decode(root)),
    }).toEqual({
      subject: (theirs.subject ?? '').split('\n').filter(Boolean),
      issuer: theirs.issuer.split('\n'),
      serialNumber: BigInt(`0x${theirs.serialNumber.replace('-', '')}`),
      isNegative: theirs.serialNumber.startsWith('-'),
      notBefore: Date.parse(theirs.validFrom),
      notAfter: Date.parse(theirs.validTo),
      ca: theirs.ca,
      extKeyUsage: purposes,
      sha256: theirs.fingerprint256.replaceAll(':', '').toLowerCase(),
      spki: theirs.publicKey.export({ type: 'spki', format: 'der' }).toString('hex'),
      raw: theirs.raw.toString('hex'),
      isIssuedByRoot: theirs.issuer === 'CN=Root' && theirs.verify(createPublicKey(root.pem)),
    });
  });

  it('agrees on every name of a subjectAltName', () => {
    const minted = spread.find(([name]) => name === 'every kind of name')?.[1] ?? leaf;
    expect(decode(minted).extensions.subjectAltName).toEqual([
      { type: 'uri', value: 'urn:a' },
      { type: 'dns', value: 'a.example' },
      { type: 'email', value: 'a@example.com' },
      { type: 'ip', value: '192.0.2.1' },
      { type: 'ip', value: '2001:db8::1' },
    ]);
    expect(new X509Certificate(minted.der).subjectAltName).toBe(
      'URI:urn:a, DNS:a.example, email:a@example.com, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1',
    );
  });
});
