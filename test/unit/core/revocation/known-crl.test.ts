import { createAuthority, type CrlFields, daysFromTestTime, generateKey } from '@peercert/testkit';
import { KnownCrl } from '../../../../packages/core/src/revocation/known-crl';
import { Certificate } from '../../../../packages/core/src/x509/certificate';
import { Crl } from '../../../../packages/core/src/x509/crl';

const root = createAuthority({ subject: 'CN=Root' });
const slow = createAuthority({ subject: 'CN=Slow', keyAlgorithm: 'p384' });
const known = (fields: CrlFields = {}, authority = root): KnownCrl => {
  return new KnownCrl(Crl.decode(authority.crl(fields)), 'file');
};
const rootCertificate = new Certificate(root.der);
const slowCertificate = new Certificate(slow.der);
const stranger = new Certificate(createAuthority({ subject: 'CN=Root' }).der);

describe('who signed a known CRL', () => {
  it('is not known before somebody asks', () => {
    const crl = known();
    expect([crl.signer, crl.isDoubtful]).toEqual([undefined, false]);
  });

  it('is remembered when it is found out', () => {
    const crl = known();
    expect(crl.isSignedBy(rootCertificate)).toBe(true);
    expect([crl.signer, crl.isDoubtful]).toEqual([rootCertificate, false]);
  });

  it('is doubtful when nobody who was asked has signed it, until somebody has', () => {
    const crl = known();
    expect(crl.isSignedBy(stranger)).toBe(false);
    expect([crl.signer, crl.isDoubtful]).toEqual([undefined, true]);
    expect(crl.isSignedByAtOnce(rootCertificate)).toBe(true);
    expect([crl.signer, crl.isDoubtful]).toEqual([rootCertificate, false]);
    expect(crl.isSignedBy(stranger)).toBe(false);
    expect([crl.signer, crl.isDoubtful]).toEqual([rootCertificate, false]);
  });

  it('is found out once, however many ask while it is', async () => {
    const crl = known({}, slow);
    const answer = crl.isSignedBy(slowCertificate);
    expect(answer).toBeInstanceOf(Promise);
    expect(crl.isSignedBy(slowCertificate)).toBe(answer);
    expect(crl.isDoubtful).toBe(false);
    await crl.settle();
    expect([crl.signer, crl.isSignedBy(slowCertificate)]).toEqual([slowCertificate, true]);
  });

  it('is found out at once where that is asked for, also while it is being found out', async () => {
    const crl = known({}, slow);
    void crl.isSignedBy(slowCertificate);
    expect(crl.isSignedByAtOnce(slowCertificate)).toBe(true);
    await crl.settle();
    expect(crl.signer).toBe(slowCertificate);
  });

  it('RV-02: is found out in slices where the CRL is large, with any key', async () => {
    const revoked = Array.from({ length: 35_000 }, (_, index) => ({ serialNumber: 0x100000 + index, reason: 1 }));
    for (const keyAlgorithm of ['p256', 'ed25519', 'rsa2048'] as const) {
      const authority = createAuthority({ keyAlgorithm, subject: 'CN=Large' });
      const signer = new Certificate(authority.der);
      const der = authority.crl({ revoked });
      const crl = new KnownCrl(Crl.decode(der), 'file');
      expect(crl.crl.tbs.length).toBeGreaterThan(1_048_576);
      expect(crl.isSignedBy(signer)).toBeInstanceOf(Promise);
      await expect(crl.isSignedBy(signer)).resolves.toBe(true);
      expect(await crl.isSignedBy(rootCertificate)).toBe(false);
      // The serial number of an entry near the end.
      const changed = Buffer.from(der);
      const at = changed.lastIndexOf(Buffer.from('020310', 'hex'));
      changed[at + 4] = (changed[at + 4] as number) ^ 1;
      expect(await new KnownCrl(Crl.decode(changed), 'file').isSignedBy(signer)).toBe(false);
    }
  });

  it('RV-02: is nobody where the signature is no signature', async () => {
    const revoked = Array.from({ length: 35_000 }, (_, index) => ({ serialNumber: 0x100000 + index, reason: 1 }));
    const crl = known({ revoked, raw: { signatureValue: Buffer.of(3, 1, 0) } });
    await expect(crl.isSignedBy(rootCertificate)).resolves.toBe(false);
    expect(crl.isDoubtful).toBe(true);
  });
});

describe('RV-07: the newer of two CRLs', () => {
  const older = daysFromTestTime(-2);
  it.each<[string, CrlFields, CrlFields, boolean]>([
    ['has the higher number', { crlNumber: 2 }, { crlNumber: 1 }, true],
    ['has the higher number, whenever it was issued', { crlNumber: 2, thisUpdate: older }, { crlNumber: 1 }, true],
    ['does not have the lower number', { crlNumber: 1 }, { crlNumber: 2, thisUpdate: older }, false],
    ['has the higher number of 20 octets', { crlNumber: 2n ** 159n }, { crlNumber: 2n ** 159n - 1n }, true],
    ['was issued later, with equal numbers', {}, { thisUpdate: older }, true],
    ['was issued later, without a number', { crlNumber: 'absent' }, { thisUpdate: older, crlNumber: 'absent' }, true],
    ['was issued later, where one has no number', { crlNumber: 'absent' }, { thisUpdate: older, crlNumber: 9 }, true],
    ['is neither, when number and time are equal', { revoked: [{ serialNumber: 1 }] }, {}, false],
  ])('%s', (_, fields, others, isNewer) => {
    expect(known(fields).isNewerThan(known(others))).toBe(isNewer);
  });

  it('is never each of them', () => {
    const [first, second] = [known({ crlNumber: 1 }), known({ crlNumber: 2, thisUpdate: older })];
    expect([first.isNewerThan(second), second.isNewerThan(first)]).toEqual([false, true]);
    expect(first.isNewerThan(first)).toBe(false);
  });
});

describe('the scope of a CRL', () => {
  const plain = known().scope;

  it('is the same for CRLs that follow one another, whatever they list', () => {
    expect(known({ crlNumber: 9, revoked: [{ serialNumber: 1 }], nextUpdate: daysFromTestTime(9) }).scope).toBe(plain);
  });

  const [one, two] = ['http://crl.example.com/1', 'http://crl.example.com/2'];
  it.each<[string, CrlFields]>([
    ['another issuer', { raw: { issuer: slow.subject } }],
    ['another key identifier', { authorityKeyIdentifier: Buffer.of(1) }],
    ['no key identifier', { authorityKeyIdentifier: 'absent' }],
    ['a delta CRL', { deltaCrlIndicator: 1 }],
    ['a partition', { issuingDistributionPoint: { uris: [one] } }],
    ['another partition', { issuingDistributionPoint: { uris: [two] } }],
    ['a partition of two names', { issuingDistributionPoint: { uris: [one, two] } }],
    ['a directory entry', { issuingDistributionPoint: { directoryNames: ['CN=1'] } }],
    ['end-entity certificates', { issuingDistributionPoint: { onlyContainsUserCerts: true } }],
    ['CAs', { issuingDistributionPoint: { onlyContainsCACerts: true } }],
    ['attribute certificates', { issuingDistributionPoint: { onlyContainsAttributeCerts: true } }],
    ['somebody else', { issuingDistributionPoint: { indirectCRL: true } }],
    ['some reasons', { issuingDistributionPoint: { onlySomeReasons: Buffer.of(6, 0x40) } }],
    ['other reasons', { issuingDistributionPoint: { onlySomeReasons: Buffer.of(5, 0x20) } }],
  ])('is another one: %s', (_, fields) => {
    expect(known(fields).scope).not.toBe(plain);
    expect(known(fields).scope).toBe(known({ ...fields, crlNumber: 7 }).scope);
  });

  it('is of its own for each of them', () => {
    const scopes = [[one], [two], [one, two]].map((uris) => known({ issuingDistributionPoint: { uris } }).scope);
    expect(new Set(scopes).size).toBe(3);
  });
});

describe('a CRL supersedes another', () => {
  const signed = (fields: CrlFields, isAsked = true): KnownCrl => {
    const crl = known(fields);
    if (isAsked) crl.isSignedByAtOnce(rootCertificate);
    return crl;
  };
  it.each<[string, KnownCrl, KnownCrl, boolean]>([
    ['that it follows', signed({ crlNumber: 2 }), signed({ crlNumber: 1 }), true],
    ['not that follows it', signed({ crlNumber: 1 }), signed({ crlNumber: 2 }), false],
    ['not that is as old', signed({}), signed({}), false],
    ['not while nobody knows who signed it', signed({ crlNumber: 2 }, false), signed({ crlNumber: 1 }), false],
    ['not while nobody knows who signed that', signed({ crlNumber: 2 }), signed({ crlNumber: 1 }, false), false],
    [
      'not of two that nobody has signed',
      signed({ crlNumber: 2, signer: generateKey() }),
      signed({ crlNumber: 1, signer: generateKey() }),
      false,
    ],
    ['that is a delta CRL', signed({ crlNumber: 3 }), signed({ crlNumber: 2, deltaCrlIndicator: 1 }), true],
    ['not as a delta CRL', signed({ crlNumber: 3, deltaCrlIndicator: 1 }), signed({ crlNumber: 2 }), false],
    [
      'as a delta CRL, that is one',
      signed({ crlNumber: 3, deltaCrlIndicator: 1 }),
      signed({ crlNumber: 2, deltaCrlIndicator: 1 }),
      true,
    ],
    [
      'not of another scope',
      signed({ crlNumber: 3, issuingDistributionPoint: { onlyContainsUserCerts: true } }),
      signed({ crlNumber: 2 }),
      false,
    ],
  ])('%s', (_, one, other, expected) => {
    expect(one.supersedes(other)).toBe(expected);
  });
});
