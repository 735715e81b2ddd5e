import { DerError, DerReader, type Range, Tag } from './der';
import { dottedOid, oid } from './oid';

/** What a SubjectPublicKeyInfo says about its key (RFC 5280 section 4.1.2.7), without importing it. */
export type PublicKeyInfo =
  | { readonly type: 'rsa'; readonly modulusBits: number; readonly exponent: number }
  | { readonly type: 'ec'; readonly curve: CurveName }
  | { readonly type: 'ed25519' }
  /** Not a key this package knows how to use: `description` says what it is. */
  | { readonly type: 'unsupported'; readonly description: string };

export type CurveName = 'P-256' | 'P-384' | 'P-521';

interface Curve {
  readonly name: CurveName;
  /** What all keys on the curve share. */
  readonly info: PublicKeyInfo;
  readonly octets: number;
  readonly p: bigint;
  readonly b: bigint;
}

/** Field prime and coefficient b of the NIST curves; a is -3 on all of them (FIPS 186-4 appendix D.1.2). */
const curves = new Map<string, Curve>([
  [
    oid('1.2.840.10045.3.1.7'),
    {
      name: 'P-256',
      info: Object.freeze({ type: 'ec', curve: 'P-256' }),
      octets: 32,
      p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
      b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
    },
  ],
  [
    oid('1.3.132.0.34'),
    {
      name: 'P-384',
      info: Object.freeze({ type: 'ec', curve: 'P-384' }),
      octets: 48,
      p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
      b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
    },
  ],
  [
    oid('1.3.132.0.35'),
    {
      name: 'P-521',
      info: Object.freeze({ type: 'ec', curve: 'P-521' }),
      octets: 66,
      p: 2n ** 521n - 1n,
      b: 0x0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n,
    },
  ],
]);

const curvesByName = Object.fromEntries([...curves.values()].map((curve) => [curve.name, curve])) as Readonly<
  Record<CurveName, Curve>
>;

const minRsaBits = 2048;
const minLegacyRsaBits = 1024;
/** The largest modulus Go and the major TLS stacks take; beyond it one verification costs milliseconds. */
const maxRsaBits = 8192;
const minRsaExponent = 65_537;

const rsaEncryption = oid('1.2.840.113549.1.1.1');
const ecPublicKey = oid('1.2.840.10045.2.1');
const ed25519 = oid('1.3.101.112');

/** Reads a SubjectPublicKeyInfo; leaves the whole element in the reader's range. Whether a point is one: {@link isOffCurve}. */
export function readPublicKeyInfo(reader: DerReader): PublicKeyInfo {
  const what = 'subjectPublicKeyInfo';
  const info = reader.enter(Tag.sequence, what);
  const algorithm = info.enter(Tag.sequence, `${what}: algorithm`);
  const type = algorithm.oid(`${what}: algorithm`);
  const parametersAt = algorithm.end;
  let parameters: { tag: number } & Range = { tag: -1, start: 0, end: 0 };
  if (!algorithm.atEnd) {
    algorithm.readOpaque();
    parameters = { tag: algorithm.tag, start: algorithm.start, end: algorithm.end };
    algorithm.finish(`${what}: algorithm`);
  }
  const key = info.wholeBitString(`${what}: subjectPublicKey`);
  info.finish(what);
  switch (type) {
    case rsaEncryption:
      if (parameters.tag !== Tag.null || parameters.start !== parameters.end) return unsupported('RSA parameters');
      return decodeRsaKey(key);
    case ecPublicKey:
      if (parameters.tag !== Tag.oid) return unsupported('EC key without a named curve');
      return decodeEcPoint(key, new DerReader(reader.bytes, parametersAt, parameters.end).oid(`${what}: curve`));
    case ed25519:
      if (parameters.tag !== -1) return unsupported('Ed25519 parameters');
      return key.end - key.start === 32 ? { type: 'ed25519' } : unsupported('Ed25519 key of another length');
    default:
      return unsupported(`algorithm ${dottedOid(type)}`);
  }
}

function unsupported(description: string): PublicKeyInfo {
  return { type: 'unsupported', description };
}

/** RSAPublicKey (RFC 8017 appendix A.1.1). An exponent of more than four octets is reported as infinite. */
function decodeRsaKey(bits: DerReader): PublicKeyInfo {
  try {
    const outer = new DerReader(bits.bytes, bits.start, bits.end);
    const key = outer.enter(Tag.sequence, 'RSA key');
    outer.finish('RSA key');
    const modulus = key.integer('RSA modulus').range;
    const exponent = key.integer('RSA exponent').range;
    key.finish('RSA key');
    const exponentBits = bitLength(bits.bytes, exponent);
    return {
      type: 'rsa',
      modulusBits: bitLength(bits.bytes, modulus),
      exponent: exponentBits === 0 ? 0 : exponentBits > 32 ? Infinity : Number(positive(bits.bytes, exponent)),
    };
  } catch (error) {
    if (error instanceof DerError) return unsupported('malformed RSA key');
    throw error;
  }
}

/** An uncompressed point (SEC 1 section 2.3.4). */
function decodeEcPoint({ bytes, start, end }: DerReader, curveOid: string): PublicKeyInfo {
  const curve = curves.get(curveOid);
  if (curve === undefined) return unsupported(`curve ${dottedOid(curveOid)}`);
  const { name, octets } = curve;
  // NOTE: compressed points are refused. RFC 5480 section 2.2 makes only the uncompressed form mandatory.
  if (bytes[start] !== 0x04 || end - start !== 1 + 2 * octets) return unsupported(`${name} key in another point form`);
  return curve.info;
}

/**
 * What a key is that this package does not permit, for people; undefined for one it does. Permitted are RSA of 2048 to 8192
 * bits with an odd exponent of 65537 to 2^32 - 1; P-256, P-384, P-521; Ed25519. Whether a point is one: {@link isOffCurve}.
 *
 * @param acceptsLegacy - Whether RSA is permitted from 1024 bits.
 */
export function describeForbiddenKey(key: PublicKeyInfo, acceptsLegacy: boolean): string | undefined {
  if (key.type === 'unsupported') return key.description;
  if (key.type !== 'rsa') return undefined;
  const { modulusBits, exponent } = key;
  const minimum = acceptsLegacy ? minLegacyRsaBits : minRsaBits;
  const sizeIsGood = modulusBits >= minimum && modulusBits <= maxRsaBits;
  const exponentIsGood = exponent >= minRsaExponent && exponent < 2 ** 32 && exponent % 2 === 1;
  if (sizeIsGood && exponentIsGood) return undefined;
  return `RSA of ${modulusBits} bits, exponent ${exponent === Infinity ? 'over 32 bits' : exponent}`;
}

/**
 * Whether the key of a SubjectPublicKeyInfo that was read as an EC key is no point of its curve. Arithmetic that costs as
 * much as reading a third of a certificate: left until it matters.
 */
export function isOffCurve(spki: Buffer, curve: CurveName): boolean {
  const { octets, p, b } = curvesByName[curve];
  const x = positive(spki, { start: spki.length - 2 * octets, end: spki.length - octets });
  const y = positive(spki, { start: spki.length - octets, end: spki.length });
  return x >= p || y >= p || (y * y - (x * x - 3n) * x - b) % p !== 0n;
}

function positive(bytes: Buffer, { start, end }: Range): bigint {
  return BigInt(`0x${bytes.toString('hex', start, end)}`);
}

/** Bits of a positive INTEGER; 0 for a negative one or zero. */
function bitLength(bytes: Buffer, { start, end }: Range): number {
  const first = bytes[start] as number;
  if (first >= 0x80) return 0;
  const from = first === 0 ? start + 1 : start;
  return from === end ? 0 : (end - from - 1) * 8 + (32 - Math.clz32(bytes[from] as number));
}
