import { createAuthority, der, type RevokedEntryFields } from '@peercert/testkit';
import * as fc from 'fast-check';
import { Crl } from '../../packages/core/src/x509/crl';
import type { RevocationReason } from '../../packages/core/src/x509/crl-entries';
import { DerError, DerReader } from '../../packages/core/src/x509/der';
import {
  decodeCrlDistributionPoints,
  decodeIssuingDistributionPoint,
} from '../../packages/core/src/x509/distribution-points';
import { mutateBytes } from '../differential/mutate-bytes';
import { mutateTree } from '../differential/mutate-tree';
import { Random } from '../differential/random';
import { nearlyDer } from './elements';
import { counterexample, octets, outcomeOf } from './property';

const root = createAuthority({ subject: 'C=DE,O=Example,CN=Root' });
const full = root.crl({
  revoked: [
    { serialNumber: 5, reason: 'keyCompromise' },
    { serialNumber: 0x80, extensions: [{ oid: '2.5.29.24', value: der.generalizedTime('20260501000000Z') }] },
    { serialNumber: 2n ** 159n, reason: 'removeFromCRL' },
    { serialNumber: -3, extensions: [{ oid: '1.2.3.4', critical: true, value: der.sequence(der.null()) }] },
  ],
  issuingDistributionPoint: {
    uris: ['http://crl.example.com/1.crl'],
    directoryNames: ['O=Example,CN=CRL'],
    onlyContainsUserCerts: true,
    onlySomeReasons: Uint8Array.of(5, 0x60),
  },
  deltaCrlIndicator: 3,
  freshestCrl: ['http://crl.example.com/delta.crl'],
  extensions: [{ oid: '1.2.3.4', value: der.sequence(der.utf8String('x')) }],
});
const old = root.crl({ version: 1, nextUpdate: 'absent', revoked: [{ serialNumber: 5 }] });
const serials = [5n, 0x80n, 2n ** 159n, -3n, 0n].map((value) => contentsOf(value));

function contentsOf(serial: bigint): Buffer {
  return der.integer(serial).subarray(2);
}

/** CRLs with some changes of structure and of octets, and octets that were never one. */
const nearlyCrl: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 9, arbitrary: fc.tuple(fc.constantFrom(full, old), fc.nat(), fc.nat(4)).map(changed) },
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

/** Everything a CRL can be asked. */
function said(crl: Crl): object {
  const { version, signatureAlgorithm, thisUpdate, nextUpdate, extensions, tbs, signature, issuerKey } = crl;
  const { entryCount, hasUnsupportedCriticalEntryExtension } = crl;
  const fields = { version, signatureAlgorithm, thisUpdate, nextUpdate, extensions, tbs, signature, issuerKey };
  const found = serials.map((serial) => crl.find(serial));
  return { ...fields, entryCount, hasUnsupportedCriticalEntryExtension, found, issuer: String(crl.issuer) };
}

const decode = (bytes: Buffer): object => said(Crl.decode(bytes));

async function decodeInSlices(bytes: Buffer): Promise<object> {
  try {
    return { value: said(await Crl.decodeInSlices(bytes, { sliceMs: 0 })) };
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    return { reason: error.reason, offset: error.offset };
  }
}

describe('a CRL from anywhere', () => {
  it('is decoded, or refused with a DerError', () => {
    let decoded = 0;
    expect(
      counterexample(
        fc.property(nearlyCrl, (bytes) => {
          if ('value' in outcomeOf(() => decode(bytes))) decoded++;
        }),
        3_000,
      ),
    ).toBeUndefined();
    // Otherwise nothing was tested but the refusals.
    expect(decoded).toBeGreaterThan(200);
  });

  it('is the same CRL whatever lies around it in memory', () => {
    expect(
      counterexample(
        fc.property(nearlyCrl, octets(8), octets(8), (bytes, before, behind) => {
          const within = Buffer.concat([before, bytes, behind]).subarray(before.length, before.length + bytes.length);
          expect(outcomeOf(() => decode(within))).toEqual(outcomeOf(() => decode(bytes)));
        }),
      ),
    ).toBeUndefined();
  });

  it('is never changed by decoding it', () => {
    expect(
      counterexample(
        fc.property(nearlyCrl, (bytes) => {
          const before = Buffer.from(bytes);
          outcomeOf(() => decode(bytes));
          expect(bytes).toEqual(before);
        }),
      ),
    ).toBeUndefined();
  });

  it('is the same in slices and at once, refused or not', async () => {
    const report = await fc.check(
      fc.asyncProperty(nearlyCrl, async (bytes) => {
        expect(await decodeInSlices(bytes)).toEqual(outcomeOf(() => decode(bytes)));
      }),
      { numRuns: 500, seed: Number(process.env['PROPERTY_SEED'] ?? 1) },
    );
    expect(fc.defaultReportMessage(report)).toBeUndefined();
  });

  it('is decoded in one way only: no other octets give its signature input', () => {
    expect(
      counterexample(
        fc.property(nearlyCrl, (bytes) => {
          const outcome = outcomeOf(() => Crl.decode(bytes));
          if (!('value' in outcome)) return;
          const { tbs, signature } = outcome.value;
          const reader = new DerReader(bytes).enter(0x30, 'CRL');
          const algorithmStart = reader.read().end;
          const algorithm = bytes.subarray(algorithmStart, reader.read().end);
          expect(der.sequence(tbs, algorithm, der.bitString(signature))).toEqual(bytes);
        }),
      ),
    ).toBeUndefined();
  });
});

describe('distribution points from anywhere', () => {
  it('are decoded, or refused with a DerError', () => {
    expect(
      counterexample(
        fc.property(nearlyDer, (bytes) => {
          outcomeOf(() => decodeCrlDistributionPoints(bytes, { start: 0, end: bytes.length }));
          outcomeOf(() => decodeIssuingDistributionPoint(new DerReader(bytes)));
        }),
        2_000,
      ),
    ).toBeUndefined();
  });
});

/** Serial numbers of which many meet: small ones, their negatives, and the same with octets before or behind. */
const serialNumber = fc.oneof(
  fc.bigInt(-300n, 300n),
  fc.bigInt(-(2n ** 159n), 2n ** 160n - 1n),
  fc.tuple(fc.bigInt(-3n, 3n), fc.nat(19)).map(([value, octetsBehind]) => value << BigInt(8 * octetsBehind)),
);
const reason = fc.constantFrom<RevocationReason | undefined>(undefined, 'superseded', 'keyCompromise', 'removeFromCRL');
const entry = fc.record({ serial: serialNumber, reason, day: fc.nat(300) });

interface Entry {
  readonly serial: bigint;
  readonly reason: RevocationReason | undefined;
  readonly day: number;
}

const dateOf = ({ day }: Entry): Date => new Date(Date.UTC(2026, 0, 1 + day));

/** What a CRL with these entries is to say of each serial number. */
function expectedOf(entries: readonly Entry[]): Map<bigint, Entry> {
  const expected = new Map<bigint, Entry>();
  for (const one of entries) {
    const known = expected.get(one.serial);
    const isWorse = known?.reason === 'removeFromCRL' && one.reason !== 'removeFromCRL';
    if (known === undefined || isWorse) expected.set(one.serial, one);
  }
  return expected;
}

describe('finding a serial number', () => {
  it('gives what a map of integers gives', () => {
    expect(
      counterexample(
        fc.property(
          fc.array(entry, { maxLength: 200 }),
          fc.array(serialNumber),
          octets(2),
          (entries, others, before) => {
            const revoked = entries.map<RevokedEntryFields>((one) => ({
              serialNumber: one.serial,
              revocationDate: dateOf(one),
              ...(one.reason === undefined ? {} : { reason: one.reason }),
            }));
            const bytes = root.crl({ revoked, raw: { signatureValue: der.bitString(before) } });
            const crl = Crl.decode(bytes);
            const expected = expectedOf(entries);
            expect(crl.entryCount).toBe(entries.length);
            for (const serial of [...expected.keys(), ...others]) {
              const one = expected.get(serial);
              const found = one && { revocationDate: dateOf(one).getTime(), reason: one.reason };
              expect(crl.find(contentsOf(serial))).toEqual(found);
            }
          },
        ),
        300,
      ),
    ).toBeUndefined();
  });

  it('never fails, whatever octets are asked for', () => {
    const crl = Crl.decode(full);
    expect(
      counterexample(
        fc.property(octets(40), (serial) => {
          const value =
            serial.length === 0 ? 0n : BigInt.asIntN(serial.length * 8, BigInt(`0x${serial.toString('hex')}`));
          const expected = serial.length > 0 && [5n, 0x80n, 2n ** 159n, -3n].includes(value);
          expect(crl.find(serial) !== undefined).toBe(expected);
        }),
      ),
    ).toBeUndefined();
  });
});
