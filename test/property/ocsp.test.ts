import { createAuthority, daysFromTestTime, der, TEST_TIME } from '@peercert/testkit';
import * as fc from 'fast-check';
import { judgeOcspResponse, type OcspFinding } from '../../packages/core/src/revocation/ocsp-finding';
import { Certificate } from '../../packages/core/src/x509/certificate';
import { DerReader } from '../../packages/core/src/x509/der';
import { type BasicOcspResponse, decodeOcspResponse } from '../../packages/core/src/x509/ocsp-response';
import { mutateBytes } from '../differential/mutate-bytes';
import { mutateTree } from '../differential/mutate-tree';
import { Random } from '../differential/random';
import { counterexample, octets, outcomeOf } from './property';

const root = createAuthority({ subject: 'CN=Root' });
const client = root.issue();
const delegate = root.issue({
  subject: 'CN=Responder',
  extKeyUsage: ['OCSPSigning'],
  extensions: [{ oid: '1.3.6.1.5.5.7.48.1.5', value: der.null() }],
});
const certificate = new Certificate(client.der);
const issuer = new Certificate(root.der);

const good = [
  root.ocspResponse({ certificate: client }),
  root.ocspResponse({ certificate: client, delegate, certificates: [delegate, root], nonce: Buffer.alloc(16, 1) }),
  root.ocspResponse({ certificate: client, responderId: 'name', responses: [{ serialNumber: 1 }, {}] }),
];
const bad = [
  root.ocspResponse({ certificate: client, status: { revokedAt: daysFromTestTime(-1), reason: 'keyCompromise' } }),
  root.ocspResponse({ certificate: client, delegate, status: 'unknown' }),
  root.ocspResponse({ certificate: client, nextUpdate: daysFromTestTime(-1 / 48) }),
  root.ocspResponse({ responseStatus: 'tryLater' }),
];

const judge = (response: Buffer): Promise<OcspFinding> =>
  judgeOcspResponse({ certificate, issuer, response, time: TEST_TIME.getTime(), maxAgeSeconds: 3_600 });

function basicOf(response: Buffer): BasicOcspResponse {
  const decoded = decodeOcspResponse(response);
  if (decoded.status !== 'successful') throw new Error(decoded.status);
  return decoded.basic;
}

/** Responses with some changes of structure and of octets, and octets that were never one. */
const nearlyResponse = (originals: readonly Buffer[]): fc.Arbitrary<Buffer> =>
  fc.oneof(
    { weight: 9, arbitrary: fc.tuple(fc.constantFrom(...originals), fc.nat(), fc.nat(3)).map(changed) },
    { weight: 1, arbitrary: octets(64) },
  );

function changed([original, seed, changes]: readonly [Buffer, number, number]): Buffer {
  const random = new Random(seed);
  let bytes = inner(original, (basic) => {
    let mutated = basic;
    for (let count = 0; count < changes; count++) mutated = mutate(random, mutated);
    return mutated;
  });
  if (random.chance(0.3)) bytes = mutate(random, bytes);
  return bytes;
}

/** Changes what is inside of the OCTET STRING, which is opaque to a change of structure. */
function inner(response: Buffer, change: (basic: Buffer) => Buffer): Buffer {
  const reader = new DerReader(response).enter(0x30, 'response');
  const status = reader.read();
  const head = response.subarray(reader.end - 3, status.end);
  if (reader.atEnd) return response;
  const bytes = reader.enter(0xa0, 'bytes').enter(0x30, 'bytes');
  const type = response.subarray(bytes.end, bytes.read().end);
  bytes.read();
  const basic = change(response.subarray(bytes.start, bytes.end));
  return der.sequence(head, der.explicit(0, der.sequence(type, der.octetString(basic))));
}

function mutate(random: Random, bytes: Buffer): Buffer {
  const isTree = outcomeOf(() => new DerReader(bytes).read().end === bytes.length);
  const mutation = 'value' in isTree && isTree.value && random.chance(0.7) ? mutateTree : mutateBytes;
  return mutation(random, bytes).bytes;
}

describe('an OCSP response from anywhere', () => {
  it('is decoded, or refused with a DerError', () => {
    let decoded = 0;
    expect(
      counterexample(
        fc.property(nearlyResponse([...good, ...bad]), (bytes) => {
          const before = Buffer.from(bytes);
          if ('value' in outcomeOf(() => decodeOcspResponse(bytes))) decoded++;
          if (!bytes.equals(before)) throw new Error('it was changed');
        }),
        3_000,
      ),
    ).toBeUndefined();
    // Otherwise nothing was tested but the refusals.
    expect(decoded).toBeGreaterThan(200);
  });

  it('is the same response whatever lies around it in memory', () => {
    expect(
      counterexample(
        fc.property(nearlyResponse(good), octets(8), octets(8), (bytes, before, behind) => {
          const within = Buffer.concat([before, bytes, behind]).subarray(before.length, before.length + bytes.length);
          expect(outcomeOf(() => decodeOcspResponse(within))).toEqual(outcomeOf(() => decodeOcspResponse(bytes)));
        }),
      ),
    ).toBeUndefined();
  });

  it('OC-02: is good only when what is signed is, octet for octet, what the responder has signed', async () => {
    const signed = new Set(good.map((response) => basicOf(response).tbs.toString('latin1')));
    const found = { good: 0, unknown: 0 };
    const property = fc.asyncProperty(nearlyResponse(good), async (bytes) => {
      const finding = await judge(bytes);
      if (finding.status === 'revoked') throw new Error('nobody has revoked it');
      found[finding.status]++;
      const isSigned = finding.status !== 'good' || signed.has(basicOf(bytes).tbs.toString('latin1'));
      if (!isSigned) throw new Error('nobody has signed that');
    });
    const details = await fc.check(property, { numRuns: 1_500, seed: Number(process.env['PROPERTY_SEED'] ?? 1) });
    expect(fc.defaultReportMessage(details)).toBeUndefined();
    // Some are as they were, and some only lack an enclosed certificate nobody needs.
    expect(found.good).toBeGreaterThan(50);
    expect(found.unknown).toBeGreaterThan(500);
  });

  it('OC-02: is never good when it was not', async () => {
    const property = fc.asyncProperty(nearlyResponse(bad), async (bytes) => {
      expect((await judge(bytes)).status).not.toBe('good');
    });
    const details = await fc.check(property, { numRuns: 1_000, seed: Number(process.env['PROPERTY_SEED'] ?? 1) });
    expect(fc.defaultReportMessage(details)).toBeUndefined();
  });
});
