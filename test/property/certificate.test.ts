import { createAuthority, der } from '@peercert/testkit';
import * as fc from 'fast-check';
import { Certificate, maxCertificateOctets } from '../../packages/core/src/x509/certificate';
import { DerReader } from '../../packages/core/src/x509/der';
import { mutateBytes } from '../differential/mutate-bytes';
import { mutateTree } from '../differential/mutate-tree';
import { Random } from '../differential/random';
import { nested } from '../support/encodings';
import { counterexample, octets, outcomeOf } from './property';

const root = createAuthority({
  subject: 'C=DE,O=Example,CN=Root',
  nameConstraints: { permitted: { dnsNames: ['example.com'], directoryNames: ['O=Example'] } },
  certificatePolicies: ['1.2.3.4'],
  policyConstraints: { requireExplicitPolicy: 2 },
  inhibitAnyPolicy: 1,
});
const client = root.issue({
  subject: [
    { type: 'O', value: 'Example', as: 'bmpString' },
    { type: 'CN', value: 'client', as: 'teletexString' },
  ],
  uris: ['urn:example:device:1'],
  emails: ['a@example.com'],
  ipAddresses: ['192.0.2.1', '2001:db8::1'],
  directoryNames: ['O=Example'],
  extensions: [{ oid: '1.2.3.4', value: der.sequence(der.utf8String('x')) }],
});

/** Certificates with some changes of structure and of octets, and octets that were never one. */
const nearlyCertificate: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 9, arbitrary: fc.tuple(fc.constantFrom(root.der, client.der), fc.nat(), fc.nat(4)).map(changed) },
  { weight: 1, arbitrary: octets(64) },
);

function changed([original, seed, changes]: readonly [Buffer, number, number]): Buffer {
  const random = new Random(seed);
  let bytes = original;
  for (let count = 0; count < changes; count++) {
    const isTree = outcomeOf(() => new DerReader(bytes).read().end === bytes.length);
    const mutation = 'value' in isTree && isTree.value && random.chance(0.8) ? mutateTree : mutateBytes;
    bytes = mutation(random, bytes).bytes;
  }
  return bytes;
}

/** Everything a certificate can be asked. */
function decode(bytes: Buffer): unknown {
  const certificate = new Certificate(bytes);
  const { subject, issuer, subjectKey, issuerKey, serialNumber, sha256, spkiSha256, tbs, signature } = certificate;
  const { version, notBefore, notAfter, signatureAlgorithm, publicKeyInfo, extensions } = certificate;
  const asked = { subjectKey, issuerKey, serialNumber, sha256, spkiSha256, tbs, signature };
  const said = { version, notBefore, notAfter, signatureAlgorithm, publicKeyInfo, extensions };
  return { asked, said, subject: subject.toString(), issuer: issuer.toString() };
}

describe('a certificate from anywhere', () => {
  it('is decoded, or refused with a DerError', () => {
    let decoded = 0;
    expect(
      counterexample(
        fc.property(nearlyCertificate, (bytes) => {
          if ('value' in outcomeOf(() => decode(bytes))) decoded++;
        }),
        3_000,
      ),
    ).toBeUndefined();
    // Otherwise nothing was tested but the refusals.
    expect(decoded).toBeGreaterThan(200);
  });

  it('is the same certificate whatever lies around it in memory', () => {
    expect(
      counterexample(
        fc.property(nearlyCertificate, octets(8), octets(8), (bytes, before, behind) => {
          const within = Buffer.concat([before, bytes, behind]).subarray(before.length, before.length + bytes.length);
          expect(outcomeOf(() => decode(within))).toEqual(outcomeOf(() => decode(bytes)));
        }),
      ),
    ).toBeUndefined();
  });

  it('is never changed by decoding it', () => {
    expect(
      counterexample(
        fc.property(nearlyCertificate, (bytes) => {
          const before = Buffer.from(bytes);
          outcomeOf(() => decode(bytes));
          expect(bytes).toEqual(before);
        }),
      ),
    ).toBeUndefined();
  });

  it('is decoded in one way only: no other octets give its signature input', () => {
    expect(
      counterexample(
        fc.property(nearlyCertificate, (bytes) => {
          const outcome = outcomeOf(() => new Certificate(bytes));
          if (!('value' in outcome)) return;
          const { tbs, signature } = outcome.value;
          const reader = new DerReader(bytes).enter(0x30, 'certificate');
          const algorithmStart = reader.read().end;
          const algorithm = bytes.subarray(algorithmStart, reader.read().end);
          expect(der.sequence(tbs, algorithm, der.bitString(signature))).toEqual(bytes);
        }),
      ),
    ).toBeUndefined();
  });
});

describe('the work of decoding', () => {
  const reads = jest.spyOn(DerReader.prototype, 'read');

  beforeEach(() => {
    reads.mockClear();
  });

  // An element takes two octets at least. A name inside of a name is read to check it, and again to decode it.
  const readsPerOctet = 1.5;

  it('grows with the octets and not faster, for certificates from anywhere', () => {
    expect(
      counterexample(
        fc.property(nearlyCertificate, (bytes) => {
          reads.mockClear();
          outcomeOf(() => new Certificate(bytes));
          expect(reads.mock.calls.length).toBeLessThanOrEqual(bytes.length * readsPerOctet);
        }),
      ),
    ).toBeUndefined();
  });

  const many = (element: Buffer, count: number): Buffer => Buffer.concat(Array.from({ length: count }, () => element));
  const attribute = der.sequence(der.oid('2.5.4.3'), der.utf8String('x'));

  it.each<readonly [string, (size: number) => Buffer]>([
    ['names in a subjectAltName', (size) => sanOf(many(der.implicit(2, Buffer.from('a')), size))],
    ['directory names', (size) => sanOf(many(der.explicit(4, der.sequence(der.set(attribute))), size))],
    ['other names that nest', (size) => sanOf(der.explicit(0, der.oid('1.2.3'), der.explicit(0, nested(size))))],
    ['empty elements nobody interprets', (size) => withExtension('1.2.3', many(der.sequence(), size))],
    ['nested elements nobody interprets', (size) => withExtension('1.2.3', nested(size))],
    ['purposes', (size) => withExtension('2.5.29.37', der.sequence(many(der.oid('1.2'), size)))],
    ['policies', (size) => withExtension('2.5.29.32', der.sequence(many(der.sequence(der.oid('1.2')), size)))],
    ['subtrees', (size) => withExtension('2.5.29.30', der.sequence(der.explicit(0, many(subtree, size))))],
    ['attributes', (size) => root.issue({ raw: { subject: der.sequence(many(der.set(attribute), size)) } }).der],
  ])('grows with the octets and not faster: %s', (_, make) => {
    for (const size of [10, 100, 1_000]) {
      const bytes = make(size);
      if (bytes.length > maxCertificateOctets) continue;
      reads.mockClear();
      outcomeOf(() => new Certificate(bytes));
      expect(reads.mock.calls.length).toBeLessThanOrEqual(bytes.length * readsPerOctet);
    }
  });

  it('is next to nothing for a certificate that is too large', () => {
    outcomeOf(() => new Certificate(withExtension('1.2.3', Buffer.alloc(maxCertificateOctets))));
    expect(reads.mock.calls.length).toBeLessThanOrEqual(2);
  });
});

const subtree = der.sequence(der.implicit(2, Buffer.from('a')));

function sanOf(names: Buffer): Buffer {
  return root.issue({ subjectAltName: der.sequence(names) }).der;
}

function withExtension(oid: string, value: Buffer): Buffer {
  return root.issue({ extKeyUsage: 'absent', extensions: [{ oid, value }] }).der;
}
