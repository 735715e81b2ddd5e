import { der, generateKey, type KeyAlgorithm } from '@peercert/testkit';
import { DerReader } from '../../../../packages/core/src/x509/der';
import { isOffCurve, type PublicKeyInfo, readPublicKeyInfo } from '../../../../packages/core/src/x509/public-key';
import { hex, nested, rsaSpki, spki } from '../../../support/encodings';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

/** As a certificate is read and then checked: a point off its curve is no key. */
const read = (bytes: Buffer): PublicKeyInfo => {
  const info = readPublicKeyInfo(new DerReader(bytes));
  const isOff = info.type === 'ec' && isOffCurve(bytes, info.curve);
  return isOff ? { type: 'unsupported', description: `${info.curve} key off its curve` } : info;
};
const exported = (algorithm: KeyAlgorithm): Buffer =>
  generateKey(algorithm).publicKey.export({ type: 'spki', format: 'der' });

const ecPublicKey = '1.2.840.10045.2.1';
const curveOids = { 'P-256': '1.2.840.10045.3.1.7', 'P-384': '1.3.132.0.34', 'P-521': '1.3.132.0.35' } as const;
const octets = { 'P-256': 32, 'P-384': 48, 'P-521': 66 } as const;
type Curve = keyof typeof octets;

const ecSpki = (curve: Curve, key: Uint8Array): Buffer =>
  spki(der.sequence(der.oid(ecPublicKey), der.oid(curveOids[curve])), key);

/** The uncompressed point of a new key, changed. */
function point(curve: Curve, change: (whole: Buffer) => Buffer): Buffer {
  const whole = exported(curve.toLowerCase().replace('-', '') as KeyAlgorithm);
  return ecSpki(curve, change(Buffer.from(whole.subarray(-1 - 2 * octets[curve]))));
}

const p256 = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const toOctets = (value: bigint): Buffer => hex(value.toString(16).padStart(64, '0'));

describe('an elliptic curve key', () => {
  it.each([
    ['p256', 'P-256'],
    ['p384', 'P-384'],
    ['p521', 'P-521'],
  ] as const)('accepts %s', (algorithm, curve) => {
    expect(read(exported(algorithm))).toEqual({ type: 'ec', curve });
  });

  it.each<Curve>(['P-256', 'P-384', 'P-521'])('accepts every one of 50 %s keys OpenSSL makes', (curve) => {
    for (let made = 0; made < 50; made++) {
      expect(read(point(curve, (same) => same))).toEqual({ type: 'ec', curve });
    }
  });

  it.each<Curve>(['P-256', 'P-384', 'P-521'])('DR-23: rejects a %s point off its curve', (curve) => {
    const bytes = point(curve, (whole) => {
      whole.writeUInt8(whole.readUInt8(whole.length - 1) ^ 1, whole.length - 1);
      return whole;
    });
    expect(read(bytes)).toEqual({ type: 'unsupported', description: `${curve} key off its curve` });
  });

  it('DR-23: rejects the point (0, 0)', () => {
    expect(read(ecSpki('P-256', Buffer.concat([Buffer.of(4), Buffer.alloc(64)])))).toEqual({
      type: 'unsupported',
      description: 'P-256 key off its curve',
    });
  });

  it('DR-23: rejects a coordinate that is not reduced', () => {
    // y² = x³ - 3x + b has the solution x = 0; x = p is the same point, spelled otherwise.
    const y = 0x66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4n;
    const bytes = (x: bigint): Buffer => ecSpki('P-256', Buffer.concat([Buffer.of(4), toOctets(x), toOctets(y)]));
    expect(read(bytes(0n))).toEqual({ type: 'ec', curve: 'P-256' });
    expect(read(bytes(p256))).toEqual({ type: 'unsupported', description: 'P-256 key off its curve' });
  });

  it.each<[string, (point: Buffer) => Buffer]>([
    [
      'the compressed form',
      (whole) => Buffer.concat([Buffer.of(2 + (whole.readUInt8(64) & 1)), whole.subarray(1, 33)]),
    ],
    ['the hybrid form', (whole) => Buffer.concat([Buffer.of(6 + (whole.readUInt8(64) & 1)), whole.subarray(1)])],
    ['the point at infinity', () => Buffer.of(0)],
    ['no octet', () => Buffer.alloc(0)],
    ['the form octet alone', () => Buffer.of(4)],
    ['one octet too few', (whole) => whole.subarray(0, -1)],
    ['one octet too many', (whole) => Buffer.concat([whole, Buffer.of(0)])],
    ['the uncompressed length in another form', (whole) => Buffer.concat([Buffer.of(5), whole.subarray(1)])],
  ])('DR-23: rejects a point in %s', (_, change) => {
    expect(read(point('P-256', change))).toEqual({
      type: 'unsupported',
      description: 'P-256 key in another point form',
    });
  });

  it('rejects the point of one curve under the name of another', () => {
    const whole = exported('p384').subarray(-97);
    expect(read(ecSpki('P-256', whole))).toEqual({
      type: 'unsupported',
      description: 'P-256 key in another point form',
    });
  });

  it('rejects a curve that is not permitted', () => {
    expect(read(exported('secp256k1'))).toEqual({ type: 'unsupported', description: 'curve 1.3.132.0.10' });
  });

  const b = hex('5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b');
  const explicit = (field: bigint): Buffer =>
    der.sequence(
      der.integer(1),
      der.sequence(der.oid('1.2.840.10045.1.1'), der.integer(field)),
      der.sequence(der.octetString(toOctets(p256 - 3n)), der.octetString(b)),
      der.octetString(Buffer.concat([Buffer.of(4), Buffer.alloc(64, 1)])),
      der.integer(2n ** 256n - 1n),
      der.integer(1),
    );
  it.each([
    ['that spell P-256 out', explicit(p256)],
    ['with a composite field', explicit(p256 - 1n)],
    ['that are NULL, inherited from the issuer', der.null()],
    ['that are absent', Buffer.alloc(0)],
  ])('DR-24: rejects parameters %s', (_, parameters) => {
    const algorithm = der.sequence(der.oid(ecPublicKey), parameters);
    expect(read(spki(algorithm, exported('p256').subarray(-65)))).toEqual({
      type: 'unsupported',
      description: 'EC key without a named curve',
    });
  });

  it('DR-10: does not mistake a curve 2^32 above P-256 for it', () => {
    const curve = '1.2.840.10045.3.1.4294967303';
    const algorithm = der.sequence(der.oid(ecPublicKey), der.oid(curve));
    expect(read(spki(algorithm, exported('p256').subarray(-65)))).toEqual({
      type: 'unsupported',
      description: `curve ${curve}`,
    });
  });

  it.each([
    ['of 10 KB', `${'81'.repeat(9_999)}01`, 'subjectPublicKeyInfo: curve is too long'],
    ['without contents', '', 'subjectPublicKeyInfo: curve is not an OID'],
    ['cut short', '2a86', 'subjectPublicKeyInfo: curve is not an OID'],
    ['that is not minimal', '2a8001', 'subjectPublicKeyInfo: curve is not minimal'],
  ])('DR-10: rejects a curve identifier %s', (_, contents, reason) => {
    const algorithm = der.sequence(der.oid(ecPublicKey), der.tlv(0x06, hex(contents)));
    expect(() => read(spki(algorithm, Buffer.alloc(65)))).toThrow(expect.objectContaining({ reason }));
  });
});

describe('an RSA key', () => {
  it('accepts one OpenSSL makes', () => {
    expect(read(exported('rsa1024'))).toEqual({ type: 'rsa', modulusBits: 1024, exponent: 65_537 });
  });

  it.each([512, 1024, 2047, 2048, 2049, 8192, 8193, 16_384, 32_768])('DR-26: measures a modulus of %i bits', (bits) => {
    expect(read(rsaSpki(bits))).toEqual({ type: 'rsa', modulusBits: bits, exponent: 65_537 });
  });

  it.each([
    ['1', 1, 1],
    ['3', 3, 3],
    ['an even number', 65_538, 65_538],
    ['65537', 65_537, 65_537],
    ['2^31', 2 ** 31, 2 ** 31],
    ['2^32 - 1', 2 ** 32 - 1, 2 ** 32 - 1],
    ['2^32', 2 ** 32, Infinity],
    ['2^32 + 1', 2 ** 32 + 1, Infinity],
    ['a number of 3072 bits', 2n ** 3071n + 1n, Infinity],
    ['0', 0, 0],
    ['-1', -1, 0],
    ['-65537', -65_537, 0],
    ['a negative number of 3072 bits', -(2n ** 3071n), 0],
  ])('DR-27: reads the exponent %s', (_, exponent, expected) => {
    expect(read(rsaSpki(2048, exponent))).toEqual({ type: 'rsa', modulusBits: 2048, exponent: expected });
  });

  const rsa = (parameters: Uint8Array, key: Uint8Array): Buffer =>
    spki(der.sequence(der.oid('1.2.840.113549.1.1.1'), parameters), key);
  const key = der.sequence(der.integer(2n ** 2047n + 1n), der.integer(65_537));

  it.each([
    ['a modulus of 0', der.integer(0)],
    ['a negative modulus', der.integer(-(2n ** 2047n))],
    ['a modulus without the zero before its top bit', der.integer(Buffer.alloc(256, 0xff - 1))],
  ])('counts no bits in %s', (_, modulus) => {
    expect(read(rsa(der.null(), der.sequence(modulus, der.integer(65_537))))).toEqual({
      type: 'rsa',
      modulusBits: 0,
      exponent: 65_537,
    });
  });

  it.each([
    ['that are absent', Buffer.alloc(0)],
    ['that are a SEQUENCE', der.sequence()],
    ['that are NULL with contents', der.tlv(0x05, Buffer.of(0))],
  ])('rejects parameters %s', (_, parameters) => {
    expect(read(rsa(parameters, key))).toEqual({ type: 'unsupported', description: 'RSA parameters' });
  });

  it.each([
    ['no octet', Buffer.alloc(0)],
    ['a trailing octet', Buffer.concat([key, Buffer.of(0)])],
    ['no exponent', der.sequence(der.integer(2n ** 2047n + 1n))],
    ['a third number', der.sequence(der.integer(2n ** 2047n + 1n), der.integer(65_537), der.integer(1))],
    ['a modulus that is not minimal', der.sequence(der.tlv(0x02, Buffer.of(0, 0, 5)), der.integer(65_537))],
    ['an exponent that is not minimal', der.sequence(der.integer(5), der.tlv(0x02, Buffer.of(0, 1, 0, 1)))],
    ['an exponent without octets', der.sequence(der.integer(5), der.tlv(0x02, Buffer.alloc(0)))],
    ['an indefinite length', der.tlv(0x30, key.subarray(4), { indefinite: true })],
    ['octets that are no structure', Buffer.alloc(256, 0xff)],
  ])('DR-23: rejects a key of %s', (_, contents) => {
    expect(read(rsa(der.null(), contents))).toEqual({ type: 'unsupported', description: 'malformed RSA key' });
  });
});

describe('an Ed25519 key', () => {
  it('accepts one OpenSSL makes', () => {
    expect(read(exported('ed25519'))).toEqual({ type: 'ed25519' });
  });

  const ed25519 = (parameters: Uint8Array, key: Uint8Array): Buffer =>
    spki(der.sequence(der.oid('1.3.101.112'), parameters), key);
  it.each([
    ['NULL parameters', ed25519(der.null(), Buffer.alloc(32, 1)), 'Ed25519 parameters'],
    ['31 octets', ed25519(Buffer.alloc(0), Buffer.alloc(31, 1)), 'Ed25519 key of another length'],
    ['33 octets', ed25519(Buffer.alloc(0), Buffer.alloc(33, 1)), 'Ed25519 key of another length'],
    ['no octet', ed25519(Buffer.alloc(0), Buffer.alloc(0)), 'Ed25519 key of another length'],
  ])('DR-23: rejects one with %s', (_, bytes, description) => {
    expect(read(bytes)).toEqual({ type: 'unsupported', description });
  });
});

describe('a key of another algorithm', () => {
  const opaque = Buffer.alloc(64, 7);
  it.each([
    ['DR-23: rejects an unknown one', spki(der.sequence(der.oid('1.2.3.4')), opaque), '1.2.3.4'],
    [
      'DR-25, DR-23: rejects DSA',
      spki(der.sequence(der.oid('1.2.840.10040.4.1'), der.sequence()), opaque),
      '1.2.840.10040.4.1',
    ],
    [
      'DR-25, DR-23: rejects GOST R 34.10-2012',
      spki(der.sequence(der.oid('1.2.643.7.1.1.1.1'), der.sequence()), opaque),
      '1.2.643.7.1.1.1.1',
    ],
    [
      'DR-25, DR-23: rejects ML-DSA-44',
      spki(der.sequence(der.oid('2.16.840.1.101.3.4.3.17')), Buffer.alloc(1312, 7)),
      '2.16.840.1.101.3.4.3.17',
    ],
    ['DR-23: rejects Ed448', exported('ed448'), '1.3.101.113'],
    ['DR-23: rejects X25519', spki(der.sequence(der.oid('1.3.101.110')), Buffer.alloc(32, 7)), '1.3.101.110'],
    ['DR-23: rejects RSA restricted to PSS', exported('rsa-pss2048'), '1.2.840.113549.1.1.10'],
    [
      'DR-10, DR-23: rejects an alias of RSA 2^32 above it',
      spki(der.sequence(der.oid('1.2.840.113549.1.1.4294967297'), der.null()), opaque),
      '1.2.840.113549.1.1.4294967297',
    ],
  ])('%s', (_, bytes, dotted) => {
    expect(read(bytes)).toEqual({ type: 'unsupported', description: `algorithm ${dotted}` });
  });
});

describe('a SubjectPublicKeyInfo', () => {
  const algorithm = der.sequence(der.oid('1.3.101.112'));
  const key = der.bitString(Buffer.alloc(32, 1));
  it.each([
    ['that is empty', der.sequence(), 'subjectPublicKeyInfo: algorithm expected'],
    ['without a key', der.sequence(algorithm), 'subjectPublicKeyInfo: subjectPublicKey expected'],
    [
      'with something after the key',
      der.sequence(algorithm, key, der.null()),
      'unexpected data after subjectPublicKeyInfo',
    ],
    ['without an algorithm', der.sequence(der.sequence(), key), 'subjectPublicKeyInfo: algorithm expected'],
    [
      'with two parameters',
      der.sequence(der.sequence(der.oid('1.2.3'), der.null(), der.null()), key),
      'unexpected data after subjectPublicKeyInfo: algorithm',
    ],
    [
      'whose key is an OCTET STRING',
      der.sequence(algorithm, der.octetString(Buffer.alloc(32))),
      'subjectPublicKeyInfo: subjectPublicKey expected',
    ],
    [
      'whose key is a BIT STRING without octets',
      der.sequence(algorithm, der.tlv(0x03, Buffer.alloc(0))),
      'subjectPublicKeyInfo: subjectPublicKey is empty',
    ],
    [
      'whose key has unused bits',
      der.sequence(algorithm, der.bitString(Buffer.alloc(32), 1)),
      'subjectPublicKeyInfo: subjectPublicKey has unused bits',
    ],
  ])('DR-23: rejects one %s', (_, bytes, reason) => {
    expect(() => read(bytes)).toThrow(expect.objectContaining({ reason }));
  });

  it.each([300, 5_000])('DR-08: rejects parameters nested %i deep', (depth) => {
    const bytes = spki(der.sequence(der.oid('1.2.3'), nested(depth)), Buffer.of(1));
    expect(() => read(bytes)).toThrow(expect.objectContaining({ reason: 'nested too deeply' }));
  });
});
