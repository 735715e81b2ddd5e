import { execFileSync } from 'node:child_process';
import { verify, X509Certificate } from 'node:crypto';
import {
  algorithmIdentifier,
  createAuthority,
  type CrlFields,
  daysFromTestTime,
  der,
  generateKey,
  type RawCrlFields,
  TEST_TIME,
} from '@peercert/testkit';
import { AsnConvert } from '@peculiar/asn1-schema';
import { CertificateList } from '@peculiar/asn1-x509';

const root = createAuthority({ subject: 'CN=Root,O=Example' });
const none = Buffer.alloc(0);

const decode = (fields: CrlFields = {}): CertificateList => AsnConvert.parse(root.crl(fields), CertificateList);
const oids = (fields: CrlFields): string[] =>
  (decode(fields).tbsCertList.crlExtensions ?? []).map(({ extnID }) => extnID);

/** The first element: what the signature covers. */
function tbsOf(crl: Buffer): Buffer {
  const outer = crl.readUInt8(1) >= 0x80 ? 2 + (crl.readUInt8(1) & 0x7f) : 2;
  const { start, length } = sizeAt(crl, outer);
  return crl.subarray(outer, start + length);
}

function sizeAt(bytes: Buffer, at: number): { start: number; length: number } {
  const first = bytes.readUInt8(at + 1);
  if (first < 0x80) return { start: at + 2, length: first };
  const octets = first & 0x7f;
  return { start: at + 2 + octets, length: bytes.readUIntBE(at + 2, octets) };
}

function isSignedBy(crl: Buffer, key: { readonly publicKey: Parameters<typeof verify>[2] }): boolean {
  const { signature } = AsnConvert.parse(crl, CertificateList);
  return verify('sha256', tbsOf(crl), key.publicKey, Buffer.from(signature));
}

/** What OpenSSL prints of a CRL. */
function openssl(crl: Buffer): string {
  return execFileSync('openssl', ['crl', '-inform', 'DER', '-noout', '-text'], { input: crl, encoding: 'utf8' });
}

describe('a minted CRL', () => {
  it('is what OpenSSL reads', () => {
    const client = root.issue({ serialNumber: 0xabcd });
    const text = openssl(
      root.crl({
        revoked: [
          client,
          { serialNumber: 0x80, reason: 'keyCompromise', revocationDate: daysFromTestTime(-3) },
          { serialNumber: 7, reason: 'certificateHold' },
        ],
        crlNumber: 4660,
        issuingDistributionPoint: { uris: ['http://crl.example.com/1.crl'], onlyContainsUserCerts: true },
        freshestCrl: ['http://crl.example.com/delta.crl'],
      }),
    );
    expect(text).toContain('Version 2 (0x1)');
    expect(text).toContain('Issuer: CN = Root, O = Example');
    expect(text).toContain('Last Update: May 31 12:00:00 2026 GMT');
    expect(text).toContain('Next Update: Jun  8 12:00:00 2026 GMT');
    expect(text.match(/Serial Number: .*/g)).toEqual(['Serial Number: ABCD', 'Serial Number: 80', 'Serial Number: 07']);
    expect(text.match(/Revocation Date: .*/g)).toEqual([
      'Revocation Date: May 31 12:00:00 2026 GMT',
      'Revocation Date: May 29 12:00:00 2026 GMT',
      'Revocation Date: May 31 12:00:00 2026 GMT',
    ]);
    expect(text.match(/CRL Reason Code: \s+.*/g)?.map((reason) => reason.split(/\s{2,}/)[1])).toEqual([
      'Key Compromise',
      'Certificate Hold',
    ]);
    expect(text).toMatch(/X509v3 CRL Number: \s+4660\n/);
    expect(text).toMatch(
      /X509v3 Issuing Distribution Point: critical\s+Full Name:\s+URI:http:\/\/crl.example.com\/1.crl/,
    );
    expect(text).toContain('Only User Certificates');
    expect(text).toMatch(/X509v3 Freshest CRL: \s+Full Name:\s+URI:http:\/\/crl.example.com\/delta.crl/);
  });

  it('is verified by OpenSSL with the authority, and not with another one', () => {
    const crl = root.crl({ revoked: [{ serialNumber: 1 }] });
    expect(isSignedBy(crl, root.key)).toBe(true);
    expect(isSignedBy(crl, createAuthority().key)).toBe(false);
  });

  it('says what an ordinary CRL says when nothing is asked for', () => {
    const { tbsCertList } = decode();
    expect(tbsCertList.version).toBe(1);
    expect(tbsCertList.thisUpdate.getTime()).toEqual(daysFromTestTime(-1));
    expect(tbsCertList.nextUpdate?.getTime()).toEqual(daysFromTestTime(7));
    expect(tbsCertList.revokedCertificates).toBeUndefined();
    expect(oids({})).toEqual(['2.5.29.35', '2.5.29.20']);
  });

  it('identifies the key of its authority', () => {
    const identifier = root.subjectKeyIdentifier ?? none;
    expect(root.crl().includes(der.sequence(der.implicit(0, identifier)))).toBe(true);
    expect(oids({ authorityKeyIdentifier: 'absent', crlNumber: 'absent' })).toEqual([]);
    const other = root.crl({ authorityKeyIdentifier: Buffer.from('other') });
    expect(other.includes(der.sequence(der.implicit(0, Buffer.from('other'))))).toBe(true);
    const nameless = createAuthority({ subjectKeyIdentifier: 'absent' });
    expect(AsnConvert.parse(nameless.crl(), CertificateList).tbsCertList.crlExtensions).toHaveLength(1);
  });

  it('has no version and no extensions in version 1, but for what is asked for', () => {
    const { tbsCertList } = decode({ version: 1 });
    expect(tbsCertList.version).toBeUndefined();
    expect(tbsCertList.crlExtensions).toBeUndefined();
    expect(oids({ version: 1, crlNumber: 2 })).toEqual(['2.5.29.20']);
  });

  it('writes UTCTime through 2049 and GeneralizedTime from 2050', () => {
    const crl = root.crl({
      thisUpdate: new Date('2049-12-31T23:59:59Z'),
      nextUpdate: new Date('2050-01-01T00:00:00Z'),
    });
    expect(crl.includes(Buffer.concat([der.utcTime('491231235959Z'), der.generalizedTime('20500101000000Z')]))).toBe(
      true,
    );
    expect(decode({ nextUpdate: 'absent' }).tbsCertList.nextUpdate).toBeUndefined();
  });

  it('is signed by somebody else where that is asked for, in the name of the authority', () => {
    const other = createAuthority();
    const key = generateKey();
    expect(isSignedBy(root.crl({ signer: other }), other.key)).toBe(true);
    expect(isSignedBy(root.crl({ signer: key }), key)).toBe(true);
    expect(root.crl({ signer: other }).includes(root.subject)).toBe(true);
  });

  it('refuses a signature algorithm that does not suit the key', () => {
    expect(() => root.crl({ signatureAlgorithm: 'rsa-sha256' })).toThrow(TypeError);
    expect(root.crl({ signatureAlgorithm: 'ecdsa-sha384' }).includes(algorithmIdentifier('ecdsa-sha384'))).toBe(true);
  });
});

describe('entries', () => {
  it('take a certificate, by itself or with more to say, and a serial number in any form', () => {
    const certificate = root.issue({ serialNumber: 5 });
    const { revokedCertificates = [] } = decode({
      revoked: [
        certificate,
        { certificate, reason: 'superseded' },
        { serialNumber: 0x80n },
        { serialNumber: Uint8Array.of(0, 0, 7) },
      ],
    }).tbsCertList;
    const serials = revokedCertificates.map(({ userCertificate }) => Buffer.from(userCertificate).toString('hex'));
    expect(serials).toEqual(['05', '05', '0080', '000007']);
    expect(revokedCertificates.map(({ crlEntryExtensions }) => crlEntryExtensions?.length)).toEqual([
      undefined,
      1,
      undefined,
      undefined,
    ]);
    const { serialNumber } = new X509Certificate(certificate.der);
    expect(serialNumber).toBe('05');
  });

  it.each([
    ['keyCompromise', 1],
    ['removeFromCRL', 8],
    [7, 7],
    [256, 256],
  ] as const)('write reason %s as %i', (reason, expected) => {
    const value = der.tlv(0x0a, der.integer(expected).subarray(2));
    const extension = der.sequence(der.oid('2.5.29.21'), der.octetString(value));
    for (let times = 0; times < 2; times++) {
      expect(root.crl({ revoked: [{ serialNumber: 1, reason }] }).includes(der.sequence(extension))).toBe(true);
    }
  });

  it('write extensions behind the reason, as they are', () => {
    const extension = { oid: '1.2.3.4', critical: true, value: der.null() };
    const crl = decode({ revoked: [{ serialNumber: 1, reason: 1, extensions: [extension, extension] }] });
    const extensions = crl.tbsCertList.revokedCertificates?.[0]?.crlEntryExtensions ?? [];
    expect(extensions.map(({ extnID, critical }) => [extnID, critical])).toEqual([
      ['2.5.29.21', false],
      ['1.2.3.4', true],
      ['1.2.3.4', true],
    ]);
  });
});

describe('extensions', () => {
  /** extnValue of the first extension with this identifier. */
  const valueOf = (fields: CrlFields, oid: string): [critical: boolean, value: Buffer] | undefined => {
    const extension = decode(fields).tbsCertList.crlExtensions?.find(({ extnID }) => extnID === oid);
    return extension && [extension.critical, Buffer.from(extension.extnValue.buffer)];
  };

  it('mark a delta CRL, critically', () => {
    expect(valueOf({ deltaCrlIndicator: 258 }, '2.5.29.27')).toEqual([true, der.integer(258)]);
  });

  it('say the whole scope of a CRL, in the order of RFC 5280', () => {
    const issuingDistributionPoint = {
      uris: ['urn:a'],
      onlyContainsUserCerts: true,
      onlyContainsCACerts: true,
      onlySomeReasons: Uint8Array.of(6, 0x40),
      indirectCRL: true,
      onlyContainsAttributeCerts: true,
    };
    const flag = (number: number): Buffer => der.implicit(number, Buffer.of(0xff));
    const value = der.sequence(
      der.explicit(0, der.explicit(0, der.implicit(6, Buffer.from('urn:a')))),
      flag(1),
      flag(2),
      der.implicit(3, Buffer.of(6, 0x40)),
      flag(4),
      flag(5),
    );
    expect(valueOf({ issuingDistributionPoint }, '2.5.29.28')).toEqual([true, value]);
    expect(valueOf({ issuingDistributionPoint: { critical: false } }, '2.5.29.28')).toEqual([false, der.sequence()]);
  });

  it('are written last as they are, also twice', () => {
    const extension = { oid: '2.5.29.20', value: der.integer(9) };
    expect(oids({ extensions: [extension] })).toEqual(['2.5.29.35', '2.5.29.20', '2.5.29.20']);
  });
});

describe('raw fields', () => {
  const rawFields: [keyof RawCrlFields, Buffer][] = [
    ['version', der.integer(7)],
    ['signature', der.sequence(der.oid('1.2.3.4'), der.octetString(Uint8Array.of(1)))],
    ['issuer', der.sequence(der.set(der.sequence(der.oid('2.5.4.3'), der.bmpString('elsewhere'))))],
    ['thisUpdate', der.generalizedTime('never')],
    ['nextUpdate', der.utcTime('269999999999Z')],
    ['revokedCertificates', der.set(der.null())],
    ['crlExtensions', der.explicit(0, der.sequence())],
    ['tbsCertList', der.sequence(der.utf8String('nothing else'))],
  ];

  it.each(rawFields)('replace %s before signing', (field, encoded) => {
    const crl = root.crl({ raw: { [field]: encoded } });
    expect(tbsOf(crl).includes(encoded)).toBe(true);
    const outer = algorithmIdentifier('ecdsa-sha256');
    const signature = crl.subarray(crl.lastIndexOf(outer) + outer.length + 3);
    expect(verify('sha256', tbsOf(crl), root.key.publicKey, signature)).toBe(true);
  });

  it('replace what is outside of the signature', () => {
    const signatureAlgorithm = algorithmIdentifier('ecdsa-sha384');
    const signatureValue = der.bitString(Buffer.of(1), 7);
    expect(root.crl({ raw: { signatureAlgorithm, signatureValue } }).subarray(-16)).toEqual(
      Buffer.concat([signatureAlgorithm, signatureValue]),
    );
  });

  it('omit a field by an empty encoding', () => {
    expect(decode({ raw: { version: none, crlExtensions: none } }).tbsCertList.version).toBeUndefined();
  });
});

describe('a certificate that says where its status is', () => {
  const client = root.issue({
    crlDistributionPoints: ['http://crl.example.com/1.crl', 'http://crl.example.net/1.crl'],
    ocspUrls: ['http://ocsp.example.com', 'http://ocsp.example.net'],
  });

  it('is what OpenSSL reads', () => {
    const text = execFileSync('openssl', ['x509', '-inform', 'DER', '-noout', '-text'], {
      input: client.der,
      encoding: 'utf8',
    });
    expect(text.match(/URI:.*/g)).toEqual([
      'URI:http://crl.example.com/1.crl',
      'URI:http://crl.example.net/1.crl',
      'URI:http://ocsp.example.com',
      'URI:http://ocsp.example.net',
    ]);
    expect(text).toContain('X509v3 CRL Distribution Points: \n');
    expect(text.match(/OCSP - /g)).toHaveLength(2);
  });

  it('says nothing of the kind unless asked to', () => {
    const plain = root.issue();
    for (const oid of ['2.5.29.31', '1.3.6.1.5.5.7.1.1']) {
      expect(client.der.includes(der.oid(oid))).toBe(true);
      expect(plain.der.includes(der.oid(oid))).toBe(false);
    }
  });
});

it('mints many entries in little time', () => {
  const revoked = Array.from({ length: 20_000 }, (_, index) => ({
    serialNumber: Buffer.of(1, index >> 8, index & 255),
  }));
  const started = performance.now();
  expect(root.crl({ revoked, thisUpdate: TEST_TIME }).length).toBeGreaterThan(400_000);
  expect(performance.now() - started).toBeLessThan(2_000);
});
