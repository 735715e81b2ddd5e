import {
  createAuthority,
  type CrlFields,
  daysFromTestTime,
  generateKey,
  TEST_TIME,
  type TestAuthority,
} from '@peercert/testkit';
import { CrlCollection } from '../../../../packages/core/src/revocation/crl-collection';
import { KnownCrl } from '../../../../packages/core/src/revocation/known-crl';
import { Certificate } from '../../../../packages/core/src/x509/certificate';
import { Crl } from '../../../../packages/core/src/x509/crl';

const root = createAuthority({ subject: 'CN=Root' });
const other = createAuthority({ subject: 'CN=Other' });
/** The same name with a new key. */
const renewed = createAuthority({ subject: 'CN=Root' });
const now = TEST_TIME.getTime();
const at = (milliseconds: number): Date => new Date(now + milliseconds);

const older = 'a CRL older than the one in use';
const notVouchedFor = 'a CRL that is not signed by who signed the one before';
const incomplete = 'no longer every CRL that was there';

/** A CRL of nobody knows whom. */
const known = (fields: CrlFields = {}, authority: TestAuthority = root): KnownCrl =>
  new KnownCrl(Crl.decode(authority.crl(fields)), 'file');

/** The same when somebody has asked. */
function verified(fields: CrlFields = {}, authority: TestAuthority = root): KnownCrl {
  const crl = known(fields, authority);
  crl.isSignedByAtOnce(new Certificate(authority.der));
  return crl;
}

/** The same bytes, read once more. */
const again = ({ crl }: KnownCrl): KnownCrl => new KnownCrl(Crl.decode(Buffer.from(crl.der)), 'file');

const forged = (fields: CrlFields = {}): KnownCrl => known({ ...fields, signer: generateKey() });

describe('a collection of CRLs', () => {
  it('has the newest first', async () => {
    const crls = [-3, -1, -2].map((days) => known({ thisUpdate: daysFromTestTime(days) }));
    const [a, b, c] = crls;
    const collection = new CrlCollection(crls);
    expect(collection.crls).toEqual([b, c, a]);
    await collection.replace(
      [a, c, b].map((one) => again(one as KnownCrl)),
      now,
    );
    expect(collection.crls).toEqual([b, c, a]);
  });

  it('keeps what it has when the same is found again', async () => {
    const crls = [verified(), known({}, other)];
    const collection = new CrlCollection(crls);
    expect(await collection.replace(crls.map(again), now)).toBeUndefined();
    expect(collection.crls).toEqual(crls);
    expect(collection.crls[0]).toBe(crls[0]);
  });

  it('replaces a CRL by the next, whether it was asked about or not', async () => {
    for (const before of [verified({ crlNumber: 1 }), known({ crlNumber: 1 })]) {
      const collection = new CrlCollection([before]);
      const next = known({ crlNumber: 2 });
      expect(await collection.replace([next], now)).toBeUndefined();
      expect(collection.crls).toEqual([next]);
    }
  });

  it('knows who signed the next as it did of the one before', async () => {
    const collection = new CrlCollection([verified({ crlNumber: 1 })]);
    await collection.replace([known({ crlNumber: 2 })], now);
    expect(collection.crls[0]?.signer?.sha256).toBe(new Certificate(root.der).sha256);
  });

  it('holds CRLs of several scopes and issuers, each for itself', async () => {
    const [one, two] = ['http://crl.example.com/1', 'http://crl.example.com/2'].map((uri) => ({
      issuingDistributionPoint: { uris: [uri] },
    })) as readonly CrlFields[] as [CrlFields, CrlFields];
    const before = [verified(one), verified(two), verified({}, other)];
    const collection = new CrlCollection(before);
    const next = [known({ ...one, crlNumber: 2 }), again(before[1] as KnownCrl), again(before[2] as KnownCrl)];
    expect(await collection.replace(next, now)).toBeUndefined();
    expect(new Set(collection.crls)).toEqual(new Set([next[0], before[1], before[2]]));
  });

  it('takes several that follow one another, in any order', async () => {
    const [first, second, third] = [1, 2, 3].map((crlNumber) => known({ crlNumber })) as [KnownCrl, KnownCrl, KnownCrl];
    const collection = new CrlCollection([verified({ crlNumber: 1 })]);
    expect(await collection.replace([first, third, second], now)).toBeUndefined();
    expect(collection.crls.map(({ crl }) => crl.extensions.crlNumber)).toEqual([1n, 3n, 2n]);
    expect(await collection.replace([second, first, third].map(again), now)).toBeUndefined();
  });
});

describe('RV-07: a collection', () => {
  it.each<[string, CrlFields, CrlFields, string | undefined]>([
    ['a lower number', { crlNumber: 5 }, { crlNumber: 4 }, older],
    [
      'a lower number issued later',
      { crlNumber: 5, thisUpdate: at(-60_000) },
      { crlNumber: 4, thisUpdate: at(0) },
      older,
    ],
    ['the same number issued before', { thisUpdate: at(-60_000) }, { thisUpdate: at(-61_000) }, older],
    ['the same number issued later', { thisUpdate: at(-60_000) }, { thisUpdate: at(-59_000) }, undefined],
    [
      'no numbers, issued before',
      { crlNumber: 'absent', thisUpdate: at(-60_000) },
      { crlNumber: 'absent', thisUpdate: at(-61_000) },
      older,
    ],
    [
      'a number left out, issued before',
      { thisUpdate: at(-60_000) },
      { crlNumber: 'absent', thisUpdate: at(-61_000) },
      older,
    ],
    ['everything as old', {}, { revoked: [{ serialNumber: 1 }] }, undefined],
  ])('is not taken back: %s', async (_, before, found, problem) => {
    for (const make of [verified, known]) {
      const inUse = make(before);
      const collection = new CrlCollection([inUse]);
      const next = known(found);
      expect(await collection.replace([next], now)).toBe(problem);
      expect(collection.crls).toEqual([problem === undefined ? next : inUse]);
    }
  });

  it('is not taken back when the time of what it has is over', async () => {
    const inUse = verified({ crlNumber: 5, nextUpdate: at(-1_000), revoked: [{ serialNumber: 1 }] });
    const collection = new CrlCollection([inUse]);
    const previous = known({ crlNumber: 4, thisUpdate: daysFromTestTime(-2) });
    expect(await collection.replace([previous], now)).toBe(older);
    expect(collection.crls).toEqual([inUse]);
  });

  it('takes what was issued later with a lower number once the time of what it has is over', async () => {
    const inUse = verified({ crlNumber: 5, nextUpdate: TEST_TIME });
    const collection = new CrlCollection([inUse]);
    const anew = known({ crlNumber: 1, thisUpdate: at(-1_000) });
    expect(await collection.replace([anew], now)).toBe(older);
    expect(await collection.replace([anew], now + 1)).toBeUndefined();
    expect(collection.crls).toEqual([anew]);
  });

  it('says so when only the older one of two is found again', async () => {
    const [first, second] = [verified({ crlNumber: 1 }), verified({ crlNumber: 2 })];
    const collection = new CrlCollection([first, second]);
    expect(await collection.replace([again(first)], now)).toBe(older);
    expect(new Set(collection.crls)).toEqual(new Set([first, second]));
  });

  it('is taken back by nobody with a delta CRL, or a CRL of another scope', async () => {
    const inUse = verified({ crlNumber: 5 });
    const collection = new CrlCollection([inUse]);
    for (const crlNumber of [6, 7]) {
      const found = known({ crlNumber, deltaCrlIndicator: 5 });
      expect(await collection.replace([found], now)).toBe(incomplete);
      expect(new Set(collection.crls)).toEqual(new Set([inUse, found]));
    }
  });
});

describe('F14: a CRL that is not signed by who signed the one before', () => {
  it('stands beside it', async () => {
    const inUse = verified();
    const collection = new CrlCollection([inUse]);
    const found = forged({ crlNumber: 2 });
    expect(await collection.replace([found], now)).toBe(notVouchedFor);
    expect(new Set(collection.crls)).toEqual(new Set([inUse, found]));
    expect(await collection.replace([again(found)], now)).toBe(notVouchedFor);
    expect(new Set(collection.crls)).toEqual(new Set([inUse, found]));
  });

  it('does not keep out what comes after it, whatever its number, and is gone then', async () => {
    const collection = new CrlCollection([verified({ crlNumber: 1 })]);
    await collection.replace([forged({ crlNumber: 2n ** 150n, nextUpdate: new Date('9999-01-01') })], now);
    const next = known({ crlNumber: 2 });
    expect(await collection.replace([next], now)).toBeUndefined();
    expect(collection.crls).toEqual([next]);
  });

  it('does not keep it out either when nobody had asked before, once somebody has', async () => {
    const collection = new CrlCollection([]);
    const found = forged({ crlNumber: 2n ** 150n });
    await collection.replace([found], now);
    expect(found.isSignedByAtOnce(new Certificate(root.der))).toBe(false);
    const next = known({ crlNumber: 2 });
    expect(await collection.replace([next], now)).toBeUndefined();
    expect(collection.crls).toEqual([next]);
  });

  it('does not gather', async () => {
    const inUse = verified();
    const collection = new CrlCollection([inUse]);
    for (let number = 2; number < 10; number++) {
      const found = forged({ crlNumber: number, nextUpdate: 'absent' });
      expect(await collection.replace([found], now)).toBe(notVouchedFor);
      expect(new Set(collection.crls)).toEqual(new Set([inUse, found]));
    }
  });

  it('waits for who is being asked about the one before', async () => {
    const slow = createAuthority({ subject: 'CN=Slow', keyAlgorithm: 'p384' });
    const inUse = known({}, slow);
    const asked = inUse.isSignedBy(new Certificate(slow.der));
    const collection = new CrlCollection([inUse]);
    const found = known({ crlNumber: 2, signer: generateKey('p384') }, slow);
    expect(await collection.replace([found], now)).toBe(notVouchedFor);
    await expect(asked).resolves.toBe(true);
    expect(collection.crls).toContain(inUse);
  });

  it.each<[string, CrlFields]>([
    ['that the CRLs name', {}],
    ['that the CRLs do not name', { authorityKeyIdentifier: 'absent' }],
  ])('may be of a new key of the CA %s: both count, each with numbers of its own', async (_, fields) => {
    const [first, second] = [verified({ ...fields, crlNumber: 500 }), verified({ ...fields, crlNumber: 3 }, renewed)];
    const collection = new CrlCollection([first]);
    await collection.replace([again(first), again(second)], now);
    expect(collection.crls).toHaveLength(2);
    for (const one of collection.crls) for (const ca of [root, renewed]) one.isSignedByAtOnce(new Certificate(ca.der));
    const next = known({ ...fields, crlNumber: 4 }, renewed);
    expect(await collection.replace([again(first), next], now)).toBeUndefined();
    expect(new Set(collection.crls)).toEqual(new Set([first, next]));
    expect(
      await collection.replace(
        [known({ ...fields, crlNumber: 3, thisUpdate: at(-99_999_000) }, renewed), again(first)],
        now,
      ),
    ).toBe(older);
    expect(new Set(collection.crls)).toEqual(new Set([first, next]));
  });
});

describe('a CRL that is no longer there', () => {
  it('counts as long as it is current', async () => {
    const [kept, gone] = [verified(), verified({ nextUpdate: TEST_TIME }, other)];
    const collection = new CrlCollection([kept, gone]);
    expect(await collection.replace([again(kept)], now)).toBe(incomplete);
    expect(new Set(collection.crls)).toEqual(new Set([kept, gone]));
    expect(await collection.replace([again(kept)], now + 1)).toBeUndefined();
    expect(collection.crls).toEqual([kept]);
  });

  it('counts on without nextUpdate', async () => {
    const gone = verified({ nextUpdate: 'absent' }, other);
    const collection = new CrlCollection([gone]);
    expect(await collection.replace([known()], daysFromTestTime(9_999).getTime())).toBe(incomplete);
    expect(collection.crls).toContain(gone);
  });
});
