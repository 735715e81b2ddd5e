import { algorithmIdentifier, der, type SignatureAlgorithm } from '@peercert/testkit';
import { DerReader } from '../../../../packages/core/src/x509/der';
import {
  isLegacy,
  type AlgorithmIdentifier,
  readAlgorithmIdentifier,
} from '../../../../packages/core/src/x509/signature-algorithm';
import { nested } from '../../../support/encodings';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const read = (bytes: Buffer): AlgorithmIdentifier => readAlgorithmIdentifier(new DerReader(bytes), 'signature');

const sha1 = '1.3.14.3.2.26';
const sha256 = '2.16.840.1.101.3.4.2.1';
const sha512 = '2.16.840.1.101.3.4.2.3';
const ecdsaWithSha256 = '1.2.840.10045.4.3.2';
const rsaWithSha256 = '1.2.840.113549.1.1.11';
const rsaPss = '1.2.840.113549.1.1.10';
const mgf1 = '1.2.840.113549.1.1.8';

const withNull = (dotted: string): Buffer => der.sequence(der.oid(dotted), der.null());
const without = (dotted: string): Buffer => der.sequence(der.oid(dotted));

/** RSASSA-PSS-params, by default the permitted ones for SHA-256. */
function pss(fields: { hash?: Buffer; mask?: Buffer; salt?: Buffer; rest?: Buffer } = {}): Buffer {
  const hash = fields.hash ?? der.explicit(0, withNull(sha256));
  const mask = fields.mask ?? der.explicit(1, der.sequence(der.oid(mgf1), withNull(sha256)));
  const salt = fields.salt ?? der.explicit(2, der.integer(32));
  return der.sequence(der.oid(rsaPss), der.sequence(hash, mask, salt, fields.rest ?? Buffer.alloc(0)));
}

const none = Buffer.alloc(0);
const mask = (identifier: Buffer): Buffer => der.explicit(1, der.sequence(der.oid(mgf1), identifier));

describe('a signature algorithm', () => {
  it.each([
    ['ecdsa-sha256', { name: 'ECDSA with sha256', keyType: 'ec', digest: 'sha256', padding: undefined }],
    ['ecdsa-sha384', { name: 'ECDSA with sha384', keyType: 'ec', digest: 'sha384', padding: undefined }],
    ['ecdsa-sha512', { name: 'ECDSA with sha512', keyType: 'ec', digest: 'sha512', padding: undefined }],
    ['rsa-sha256', { name: 'RSA with sha256', keyType: 'rsa', digest: 'sha256', padding: 'pkcs1' }],
    ['rsa-sha384', { name: 'RSA with sha384', keyType: 'rsa', digest: 'sha384', padding: 'pkcs1' }],
    ['rsa-sha512', { name: 'RSA with sha512', keyType: 'rsa', digest: 'sha512', padding: 'pkcs1' }],
    ['rsa-pss-sha256', { name: 'RSA-PSS with sha256', keyType: 'rsa', digest: 'sha256', padding: 'pss' }],
    ['rsa-pss-sha384', { name: 'RSA-PSS with sha384', keyType: 'rsa', digest: 'sha384', padding: 'pss' }],
    ['rsa-pss-sha512', { name: 'RSA-PSS with sha512', keyType: 'rsa', digest: 'sha512', padding: 'pss' }],
    ['ed25519', { name: 'Ed25519', keyType: 'ed25519', digest: null, padding: undefined }],
  ] as const)('permits %s', (name, algorithm) => {
    expect(read(algorithmIdentifier(name))).toEqual({ algorithm, oid: expect.stringMatching(/^1\.[\d.]+$/) as string });
  });

  it.each([
    ['PKCS#1 v1.5 without NULL', without(rsaWithSha256), 'RSA with sha256'],
    ['PSS whose hash has no NULL', pss({ hash: der.explicit(0, without(sha256)) }), 'RSA-PSS with sha256'],
    ['PSS whose mask hash has no NULL', pss({ mask: mask(without(sha256)) }), 'RSA-PSS with sha256'],
    [
      'PSS none of whose hashes has NULL',
      pss({ hash: der.explicit(0, without(sha256)), mask: mask(without(sha256)) }),
      'RSA-PSS with sha256',
    ],
  ])('permits %s (RFC 4055)', (_, bytes, name) => {
    expect(read(bytes).algorithm?.name).toBe(name);
  });

  it('gives one frozen object for all spellings of one algorithm', () => {
    const { algorithm } = read(without(rsaWithSha256));
    expect(Object.isFrozen(algorithm)).toBe(true);
    expect(read(withNull(rsaWithSha256)).algorithm).toBe(algorithm);
  });

  it.each<[string, SignatureAlgorithm, string]>([
    ['DR-28: reads and does not permit RSA with MD5', 'rsa-md5', '1.2.840.113549.1.1.4'],
    ['reads and does not permit Ed448', 'ed448', '1.3.101.113'],
  ])('%s', (_, name, dotted) => {
    expect(read(algorithmIdentifier(name))).toEqual({ algorithm: undefined, oid: dotted });
  });

  it.each<[string, SignatureAlgorithm, string]>([
    ['DR-28: knows RSA with SHA-1 as legacy', 'rsa-sha1', '1.2.840.113549.1.1.5'],
    ['DR-28: knows ECDSA with SHA-1 as legacy', 'ecdsa-sha1', '1.2.840.10045.4.1'],
  ])('%s', (_, name, dotted) => {
    const { algorithm, oid } = read(algorithmIdentifier(name));
    expect([algorithm?.digest, oid, algorithm && isLegacy(algorithm)]).toEqual(['sha1', dotted, true]);
  });

  it.each([
    [
      'DR-29: reads and does not permit ECDSA with an OCTET STRING',
      der.sequence(der.oid(ecdsaWithSha256), der.octetString(Buffer.of(1))),
      ecdsaWithSha256,
    ],
    ['DR-29: reads and does not permit ECDSA with NULL', withNull(ecdsaWithSha256), ecdsaWithSha256],
    ['DR-29: reads and does not permit Ed25519 with NULL', withNull('1.3.101.112'), '1.3.101.112'],
    [
      'DR-29: reads and does not permit RSA with an OCTET STRING',
      der.sequence(der.oid(rsaWithSha256), der.octetString(none)),
      rsaWithSha256,
    ],
    [
      'DR-29: reads and does not permit RSA with NULL that has contents',
      der.sequence(der.oid(rsaWithSha256), der.tlv(0x05, Buffer.of(0))),
      rsaWithSha256,
    ],
    ['DR-29: reads and does not permit PSS without parameters', without(rsaPss), rsaPss],
    ['DR-29: reads and does not permit PSS with NULL', withNull(rsaPss), rsaPss],
    [
      'DR-29: reads and does not permit PSS with the defaults, which are SHA-1',
      der.sequence(der.oid(rsaPss), der.sequence()),
      rsaPss,
    ],
    [
      'DR-29: reads and does not permit PSS with SHA-1',
      pss({ hash: der.explicit(0, withNull(sha1)), mask: mask(withNull(sha1)) }),
      rsaPss,
    ],
    ['DR-29: reads and does not permit PSS with two digests', pss({ mask: mask(withNull(sha512)) }), rsaPss],
    ['DR-29: reads and does not permit PSS with SHA-1 in the mask', pss({ mask: none }), rsaPss],
    ['DR-29: reads and does not permit PSS with the default salt of 20 octets', pss({ salt: none }), rsaPss],
    [
      'DR-29: reads and does not permit PSS with a salt of no octets',
      pss({ salt: der.explicit(2, der.integer(0)) }),
      rsaPss,
    ],
    [
      'DR-29: reads and does not permit PSS with a salt one octet short',
      pss({ salt: der.explicit(2, der.integer(31)) }),
      rsaPss,
    ],
    [
      'DR-29: reads and does not permit PSS with a salt one octet long',
      pss({ salt: der.explicit(2, der.integer(33)) }),
      rsaPss,
    ],
    [
      'DR-29: reads and does not permit PSS with a negative salt',
      pss({ salt: der.explicit(2, der.integer(-32)) }),
      rsaPss,
    ],
    [
      'DR-29: reads and does not permit PSS with a salt of 2^32 octets',
      pss({ salt: der.explicit(2, der.integer(2 ** 32)) }),
      rsaPss,
    ],
    [
      'DR-29: reads and does not permit PSS with a trailer field',
      pss({ rest: der.explicit(3, der.integer(1)) }),
      rsaPss,
    ],
    [
      'DR-29: reads and does not permit PSS with a trailer field of 2',
      pss({ rest: der.explicit(3, der.integer(2)) }),
      rsaPss,
    ],
    [
      'DR-29: reads and does not permit PSS with another mask',
      pss({ mask: der.explicit(1, der.sequence(der.oid('1.2.3'), withNull(sha256))) }),
      rsaPss,
    ],
    ['DR-29: reads and does not permit an algorithm nobody knows', without('1.2.3.4'), '1.2.3.4'],
    [
      'DR-10, DR-29: reads and does not permit an alias of ECDSA 2^32 above it',
      without('1.2.840.10045.4.3.4294967298'),
      '1.2.840.10045.4.3.4294967298',
    ],
  ])('%s', (_, bytes, dotted) => {
    expect(read(bytes)).toEqual({ algorithm: undefined, oid: dotted });
  });

  it.each([
    ['no algorithm', der.sequence(), 'signature: algorithm expected', 2],
    ['something that is not a SEQUENCE', der.oid(ecdsaWithSha256), 'signature expected', 0],
    [
      'parameters twice',
      der.sequence(der.oid(rsaWithSha256), der.null(), der.null()),
      'unexpected data after signature',
      15,
    ],
    [
      'a length that is not minimal',
      der.tlv(0x30, der.oid(ecdsaWithSha256), { lengthOctets: 1 }),
      'length is not minimal',
      1,
    ],
  ])('DR-29: rejects %s', (_, bytes, reason, offset) => {
    expect(() => read(bytes)).toThrowDerError(reason, offset);
  });

  it.each([300, 5_000])('DR-08: rejects parameters nested %i deep', (depth) => {
    const bytes = der.sequence(der.oid('1.2.3.4'), nested(depth));
    expect(() => read(bytes)).toThrow(expect.objectContaining({ reason: 'nested too deeply' }));
  });
});
