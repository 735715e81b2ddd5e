import { constants, createHash, privateEncrypt } from 'node:crypto';
import {
  algorithmIdentifier,
  createAuthority,
  der,
  generateKey,
  type SignatureAlgorithm,
  signWith,
  type TestAuthority,
  type TestCertificate,
} from '@peercert/testkit';
import { isSignedBy, verifySignature } from '../../../../packages/core/src/path/verify-signature';
import { Certificate } from '../../../../packages/core/src/x509/certificate';
import { hex, rsaSpki } from '../../../support/encodings';

const decode = ({ der: bytes }: { readonly der: Buffer }): Certificate => new Certificate(bytes);

const rsa = generateKey('rsa2048');
const roots = {
  p256: createAuthority(),
  p384: createAuthority({ keyAlgorithm: 'p384' }),
  p521: createAuthority({ keyAlgorithm: 'p521' }),
  ed25519: createAuthority({ keyAlgorithm: 'ed25519' }),
  rsa: createAuthority({ key: rsa }),
} as const;
type RootName = keyof typeof roots;

const verify = (certificate: TestCertificate, issuer: TestCertificate): boolean | Promise<boolean> =>
  verifySignature(decode(certificate), decode(issuer));

/** The same certificate with another signature. */
const resigned = (root: TestAuthority, change: (signature: Buffer) => Buffer): [TestCertificate, TestCertificate] => {
  const genuine = root.issue();
  const { tbs, signature } = decode(genuine);
  const { keyType, digest } = decode(genuine).signatureAlgorithm.algorithm ?? {};
  const algorithm = algorithmIdentifier(
    keyType === 'ed25519' ? keyType : `${keyType === 'rsa' ? 'rsa' : 'ecdsa'}-${digest ?? 'sha256'}`,
  );
  const changed = der.sequence(tbs, algorithm, der.bitString(change(signature)));
  return [genuine, { ...genuine, der: changed }];
};

describe('a signature', () => {
  it.each<[SignatureAlgorithm, RootName]>([
    ['ecdsa-sha256', 'p256'],
    ['ecdsa-sha384', 'p256'],
    ['ecdsa-sha512', 'p256'],
    ['ecdsa-sha256', 'p384'],
    ['ecdsa-sha384', 'p384'],
    ['ecdsa-sha512', 'p521'],
    ['ed25519', 'ed25519'],
    ['rsa-sha256', 'rsa'],
    ['rsa-sha384', 'rsa'],
    ['rsa-sha512', 'rsa'],
    ['rsa-pss-sha256', 'rsa'],
    ['rsa-pss-sha384', 'rsa'],
    ['rsa-pss-sha512', 'rsa'],
  ])('accepts %s by a key of %s, and rejects it by another', async (signatureAlgorithm, name) => {
    const root = roots[name];
    const certificate = root.issue({ signatureAlgorithm });
    const other = name === 'rsa' ? roots.p256 : createAuthority({ keyAlgorithm: name });
    expect(await verify(certificate, root)).toBe(true);
    expect(await verify(certificate, other)).toBe(false);
  });

  it.each<[RootName, boolean]>([
    ['p256', true],
    ['ed25519', true],
    ['rsa', true],
    ['p384', false],
    ['p521', false],
  ])('is verified by a key of %s inline: %s', async (name, isInline) => {
    const verdict = verify(roots[name].issue(), roots[name]);
    expect(typeof verdict === 'boolean').toBe(isInline);
    expect(await verdict).toBe(true);
  });

  it('is verified by RSA over 4096 bits off the event loop', async () => {
    const issuer = (bits: number): TestCertificate => createAuthority({ raw: { subjectPublicKeyInfo: rsaSpki(bits) } });
    expect(verify(roots.rsa.issue(), issuer(4_096))).toBe(false);
    const verdict = verify(roots.rsa.issue(), issuer(4_097));
    expect(verdict).toBeInstanceOf(Promise);
    expect(await verdict).toBe(false);
  });

  it.each<[string, SignatureAlgorithm, RootName]>([
    ['RSA by an EC key', 'rsa-sha256', 'p256'],
    ['RSA by an EC key verified off the event loop', 'rsa-sha256', 'p384'],
    ['ECDSA by an RSA key', 'ecdsa-sha256', 'rsa'],
    ['Ed25519 by an EC key', 'ed25519', 'p256'],
    ['ECDSA by an Ed25519 key', 'ecdsa-sha256', 'ed25519'],
    ['RSA-PSS by an Ed25519 key', 'rsa-pss-sha256', 'ed25519'],
  ])('rejects %s', async (_, name, root) => {
    const algorithm = algorithmIdentifier(name);
    const certificate = roots[root].issue({ raw: { signature: algorithm, signatureAlgorithm: algorithm } });
    expect(await verify(certificate, roots[root])).toBe(false);
  });

  it.each<[string, SignatureAlgorithm, SignatureAlgorithm, RootName]>([
    ['another digest', 'ecdsa-sha384', 'ecdsa-sha256', 'p256'],
    ['PKCS#1 v1.5 where PSS is said', 'rsa-pss-sha256', 'rsa-sha256', 'rsa'],
    ['PSS where PKCS#1 v1.5 is said', 'rsa-sha256', 'rsa-pss-sha256', 'rsa'],
    ['PSS of another digest', 'rsa-pss-sha384', 'rsa-pss-sha256', 'rsa'],
  ])('DR-29: rejects %s', async (_, said, signed, root) => {
    const algorithm = algorithmIdentifier(said);
    const certificate = roots[root].issue({
      signatureAlgorithm: signed,
      raw: { signature: algorithm, signatureAlgorithm: algorithm },
    });
    expect(await verify(certificate, roots[root])).toBe(false);
  });

  it('DR-28: rejects RSA with MD5, although the key made it', async () => {
    expect(await verify(roots.rsa.issue({ signatureAlgorithm: 'rsa-md5' }), roots.rsa)).toBe(false);
  });

  it('DR-28: leaves SHA-1 to checkSignatureAlgorithm, which stands before every signature', async () => {
    expect(await verify(roots.rsa.issue({ signatureAlgorithm: 'rsa-sha1' }), roots.rsa)).toBe(true);
  });

  it('rejects PSS with a salt of another length than is said', async () => {
    const { tbs } = decode(roots.rsa.issue({ signatureAlgorithm: 'rsa-pss-sha256' }));
    const { sign } = await import('node:crypto');
    const signature = sign('sha256', tbs, {
      key: rsa.privateKey,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: 20,
    });
    const changed = der.sequence(tbs, algorithmIdentifier('rsa-pss-sha256'), der.bitString(signature));
    expect(verifySignature(new Certificate(changed), decode(roots.rsa))).toBe(false);
  });

  it('rejects a key that OpenSSL does not take', async () => {
    const point = der.sequence(
      der.sequence(der.oid('1.2.840.10045.2.1'), der.oid('1.2.840.10045.3.1.7')),
      der.bitString(Buffer.alloc(65, 4)),
    );
    const issuer = createAuthority({ raw: { subjectPublicKeyInfo: point } });
    expect(await verify(roots.p256.issue(), issuer)).toBe(false);
  });

  it.each<[string, RootName]>([
    ['inline', 'p256'],
    ['inline, Ed25519', 'ed25519'],
    ['inline, RSA', 'rsa'],
    ['off the event loop', 'p384'],
  ])('rejects signatures of no octet, of few and of many, %s', async (_, name) => {
    for (const length of [0, 1, 32, 63, 64, 65, 96, 255, 256, 257, 1_000]) {
      for (const fill of [0, 1, 0xff]) {
        const [, changed] = resigned(roots[name], () => Buffer.alloc(length, fill));
        expect(await verify(changed, roots[name])).toBe(false);
      }
    }
  });
});

describe('a signature verified while nothing waits', () => {
  it.each(['p256', 'p384', 'p521', 'ed25519', 'rsa'] as const)('is verified by a key of %s inline', (name) => {
    expect(isSignedBy(decode(roots[name].issue()), decode(roots[name]))).toBe(true);
    expect(isSignedBy(decode(roots[name].issue()), decode(createAuthority()))).toBe(false);
  });
});

describe('a failure of the key import', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it.each(['p256', 'p384'] as const)('is a signature that is not good: %s', async (name) => {
    const [certificate, issuer] = [decode(roots[name].issue()), decode(roots[name])];
    expect(await verifySignature(certificate, issuer)).toBe(true);
    jest.spyOn(Certificate.prototype, 'publicKey', 'get').mockImplementation(() => {
      throw new Error('unsupported');
    });
    expect(await verifySignature(certificate, issuer)).toBe(false);
  });
});

describe('DR-30: an ECDSA signature', () => {
  it.each<[string, (signature: Buffer) => Buffer]>([
    ['with an octet after it', (signature) => Buffer.concat([signature, Buffer.of(0)])],
    ['with another after it', (signature) => Buffer.concat([signature, signature])],
    ['in an indefinite length', (signature) => der.tlv(0x30, signature.subarray(2), { indefinite: true })],
    ['in a length that is not minimal', (signature) => der.tlv(0x30, signature.subarray(2), { lengthOctets: 1 })],
    ['as r and s without a structure', () => Buffer.alloc(64, 1)],
    ['of r = 0 and s = 0', () => der.sequence(der.integer(0), der.integer(0))],
    ['of r = 1 and s = 0', () => der.sequence(der.integer(1), der.integer(0))],
    [
      'of r and s with leading zeros',
      (signature) =>
        der.sequence(...integers(signature).map((value) => der.tlv(2, Buffer.concat([Buffer.of(0, 0), value])))),
    ],
    [
      'of r + n and s',
      (signature) =>
        der.sequence(...numbers(signature).map((value, index) => der.integer(index === 0 ? value + order : value))),
    ],
    [
      'of r and s + n',
      (signature) =>
        der.sequence(...numbers(signature).map((value, index) => der.integer(index === 1 ? value + order : value))),
    ],
    [
      'of r and s - n, which is negative',
      (signature) =>
        der.sequence(...numbers(signature).map((value, index) => der.integer(index === 1 ? value - order : value))),
    ],
    ['of three numbers', (signature) => der.sequence(signature.subarray(2), der.integer(1))],
  ])('rejects one %s', async (_, change) => {
    const [genuine, changed] = resigned(roots.p256, change);
    expect(await verify(genuine, roots.p256)).toBe(true);
    expect(await verify(changed, roots.p256)).toBe(false);
  });

  it('DR-31: accepts the twin (r, n - s), another certificate of the same TBSCertificate', async () => {
    const [genuine, twin] = resigned(roots.p256, (signature) =>
      der.sequence(...numbers(signature).map((value, index) => der.integer(index === 1 ? order - value : value))),
    );
    expect(await verify(twin, roots.p256)).toBe(true);
    expect(decode(twin).tbs.equals(decode(genuine).tbs)).toBe(true);
    expect(decode(twin).serialNumber).toBe(decode(genuine).serialNumber);
    expect(decode(twin).sha256).not.toBe(decode(genuine).sha256);
  });

  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

  /** Contents of r and s. */
  function integers(signature: Buffer): [Buffer, Buffer] {
    const middle = 4 + signature.readUInt8(3);
    return [signature.subarray(4, middle), signature.subarray(middle + 2)];
  }

  function numbers(signature: Buffer): bigint[] {
    return integers(signature).map((contents) => BigInt(`0x${contents.toString('hex')}`));
  }
});

describe('DR-30: an Ed25519 signature', () => {
  const reversed = (octets: Buffer): Buffer => Buffer.from([...octets].toReversed());
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;

  it.each([1n, 2n, 7n])('rejects one of S + %i L', async (times) => {
    const [genuine, changed] = resigned(roots.ed25519, (signature) => {
      const s = BigInt(`0x${reversed(signature.subarray(32)).toString('hex')}`) + times * order;
      const encoded = reversed(hex(s.toString(16).padStart(64, '0')));
      return Buffer.concat([signature.subarray(0, 32), encoded]);
    });
    expect(await verify(genuine, roots.ed25519)).toBe(true);
    expect(await verify(changed, roots.ed25519)).toBe(false);
  });

  it.each([63, 65])('rejects one of %i octets', async (length) => {
    const [, changed] = resigned(roots.ed25519, (signature) =>
      Buffer.concat([signature, Buffer.of(0)]).subarray(0, length),
    );
    expect(await verify(changed, roots.ed25519)).toBe(false);
  });
});

describe('DR-30: an RSA signature', () => {
  const digestInfo = hex('3031300d060960864801650304020105000420');

  /** Signs a block of the key's length as it is. */
  const raw = (block: (info: Buffer) => Buffer): [TestCertificate, TestCertificate] => {
    const genuine = roots.rsa.issue();
    const { tbs } = decode(genuine);
    const info = Buffer.concat([digestInfo, createHash('sha256').update(tbs).digest()]);
    const signature = privateEncrypt({ key: rsa.privateKey, padding: constants.RSA_NO_PADDING }, block(info));
    return [
      genuine,
      { ...genuine, der: der.sequence(tbs, algorithmIdentifier('rsa-sha256'), der.bitString(signature)) },
    ];
  };
  const pad = (info: Buffer, fill = 0xff): Buffer =>
    Buffer.concat([Buffer.of(0, 1), Buffer.alloc(256 - 3 - info.length, fill), Buffer.of(0), info]);

  it('accepts PKCS#1 v1.5 padding made by hand', async () => {
    const [, same] = raw((info) => pad(info));
    expect(await verify(same, roots.rsa)).toBe(true);
  });

  it.each<[string, (info: Buffer) => Buffer]>([
    [
      'garbage after the digest',
      (info) =>
        Buffer.concat([
          Buffer.of(0, 1),
          Buffer.alloc(8, 0xff),
          Buffer.of(0),
          info,
          Buffer.alloc(256 - 11 - info.length, 7),
        ]),
    ],
    [
      'zeros after the digest',
      (info) =>
        Buffer.concat([
          Buffer.of(0, 1),
          Buffer.alloc(8, 0xff),
          Buffer.of(0),
          info,
          Buffer.alloc(256 - 11 - info.length),
        ]),
    ],
    ['padding of zeros', (info) => pad(info, 0)],
    ['padding of block type 2', (info) => Buffer.concat([Buffer.of(0, 2), pad(info).subarray(2)])],
    [
      'garbage in the algorithm parameters',
      (info) => pad(Buffer.concat([hex('3035301106096086480165030402010404deadbeef0420'), info.subarray(-32)])),
    ],
    [
      'no NULL in the digest algorithm',
      (info) => pad(Buffer.concat([hex('302f300b06096086480165030402010420'), info.subarray(-32)])),
    ],
    ['the digest without its algorithm', (info) => pad(info.subarray(-32))],
  ])('rejects one with %s', async (_, block) => {
    const [genuine, changed] = raw(block);
    expect(await verify(genuine, roots.rsa)).toBe(true);
    expect(await verify(changed, roots.rsa)).toBe(false);
  });

  it('rejects one that is a multiple of the modulus too large', async () => {
    const modulus = BigInt(
      `0x${Buffer.from(rsa.publicKey.export({ format: 'jwk' }).n as string, 'base64url').toString('hex')}`,
    );
    const [genuine, changed] = resigned(roots.rsa, (signature) =>
      hex((BigInt(`0x${signature.toString('hex')}`) + modulus).toString(16).padStart(514, '0')),
    );
    expect(await verify(genuine, roots.rsa)).toBe(true);
    expect(await verify(changed, roots.rsa)).toBe(false);
  });

  it.each<[string, (signature: Buffer) => Buffer]>([
    ['a leading zero', (signature) => Buffer.concat([Buffer.of(0), signature])],
    ['a trailing zero', (signature) => Buffer.concat([signature, Buffer.of(0)])],
    ['its first octet missing', (signature) => signature.subarray(1)],
  ])('rejects one with %s', async (_, change) => {
    const [, changed] = resigned(roots.rsa, change);
    expect(await verify(changed, roots.rsa)).toBe(false);
  });

  it('rejects one of the digest of other octets', async () => {
    const { tbs } = decode(roots.rsa.issue());
    const signature = signWith('rsa-sha256', Buffer.concat([tbs, Buffer.of(0)]), rsa.privateKey);
    const changed = der.sequence(tbs, algorithmIdentifier('rsa-sha256'), der.bitString(signature));
    expect(verifySignature(new Certificate(changed), decode(roots.rsa))).toBe(false);
  });
});
