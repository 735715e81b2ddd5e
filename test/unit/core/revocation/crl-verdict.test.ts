import { Revocation, TrustStore, validatePath, type ValidatePathInput, type VerifiedPath } from '@peercert/core';
import {
  createAuthority,
  type CrlFields,
  daysFromTestTime,
  der,
  encodeName,
  generateKey,
  type RevokedEntryFields,
  TEST_TIME,
  type TestAuthority,
  type TestCertificate,
} from '@peercert/testkit';
import { KnownCrl } from '../../../../packages/core/src/revocation/known-crl';
import { judgeCrls } from '../../../../packages/core/src/revocation/crl-verdict';
import { Certificate } from '../../../../packages/core/src/x509/certificate';
import { Crl } from '../../../../packages/core/src/x509/crl';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const root = createAuthority({ subject: 'CN=Root' });
const client = root.issue({ serialNumber: 5 });
const now = TEST_TIME.getTime();
const at = (milliseconds: number): Date => new Date(now + milliseconds);
const week = 7 * 86_400_000;

interface Asked extends Partial<ValidatePathInput> {
  readonly maxAgeSeconds?: number;
  readonly certificate?: TestCertificate;
  readonly anchors?: readonly TestCertificate[];
  readonly depth?: 'path' | 'end-entity';
  readonly unknownStatus?: 'reject' | 'accept';
}

/** Validates a certificate of the root with these CRLs. */
async function validate(crls: readonly Uint8Array[], asked: Asked = {}): Promise<VerifiedPath> {
  const { certificate = client, anchors = [root], maxAgeSeconds, depth, unknownStatus, ...input } = asked;
  const revocation = Revocation.fromCrls(crls, {
    ...(maxAgeSeconds !== undefined && { maxAgeSeconds }),
    ...(depth !== undefined && { depth }),
    ...(unknownStatus !== undefined && { unknownStatus }),
  });
  return validatePath({
    endEntity: certificate.der,
    intermediates: certificate.chain,
    trust: TrustStore.fromDer(anchors.map(({ der: bytes }) => bytes)),
    time: TEST_TIME,
    revocation,
    ...input,
  });
}

const sha256Of = ({ der: bytes }: TestCertificate): string => new Certificate(bytes).sha256;

interface GoodDates {
  readonly asOf?: Date;
  readonly until?: Date;
  readonly certificate?: TestCertificate;
  readonly source?: string;
}
const good = (dates: GoodDates = {}): object => {
  const { asOf = daysFromTestTime(-1), until = daysFromTestTime(7), certificate = client, source = 'crls[0]' } = dates;
  return { status: 'good', certificateSha256: sha256Of(certificate), method: 'crl', source, asOf, until };
};

async function expectGood(crls: readonly Uint8Array[], asked: Asked = {}, ...evidence: GoodDates[]): Promise<void> {
  const { revocation } = await validate(crls, asked);
  const each =
    evidence.length === 0 ? [asked.certificate === undefined ? {} : { certificate: asked.certificate }] : evidence;
  expect(revocation).toEqual(each.map(good));
}

/** Refused by default, and accepted with evidence where the policy says so. */
async function expectUnknown(
  crls: readonly Uint8Array[],
  cause: string,
  detail: string,
  asked: Asked = {},
): Promise<void> {
  const refused = validate(crls, asked);
  await expect(refused).toRejectWith('ERR_REVOCATION_UNAVAILABLE', { depth: 0, cause, detail });
  await expect(refused).rejects.toMatchObject({ status: 503 });
  const { revocation } = await validate(crls, { ...asked, unknownStatus: 'accept' });
  const certificateSha256 = sha256Of(asked.certificate ?? client);
  expect(revocation?.[0]).toEqual({ status: 'unknown', certificateSha256, cause, detail });
}

interface RevokedDetails {
  readonly revokedAt?: Date;
  readonly reason?: string;
  readonly source?: string;
  readonly depth?: number;
}

/** Refused, whatever the policy about what is unknown. */
async function expectRevoked(
  crls: readonly Uint8Array[],
  details: RevokedDetails = {},
  asked: Asked = {},
): Promise<void> {
  const { revokedAt = daysFromTestTime(-1), reason, source = 'crls[0]', depth = 0 } = details;
  for (const unknownStatus of ['reject', 'accept'] as const) {
    const refused = validate(crls, { ...asked, unknownStatus });
    await expect(refused).toRejectWith('ERR_CERTIFICATE_REVOKED', { depth, method: 'crl', source, revokedAt, reason });
    await expect(refused).rejects.toMatchObject({ status: 403 });
  }
}

const revoked: CrlFields = { revoked: [client] };
const isOver = 'the time of the CRL is over';
const notSigned = 'the CRL is not signed by the issuer, or the issuer may not sign CRLs';
const others = 'the CRL is about other certificates';

describe('a current CRL of the issuer', () => {
  it('proves a certificate good that it does not list, for as long as it is current', async () => {
    await expectGood([root.crl()]);
    const { validUntil } = await validate([root.crl()]);
    expect(validUntil).toEqual(daysFromTestTime(7));
  });

  it('revokes a certificate that it lists', async () => {
    await expectRevoked([root.crl(revoked)]);
    await expectRevoked([root.crl({ revoked: [{ serialNumber: 4 }, client, { serialNumber: 6 }] })]);
  });

  it('is asked about intermediates too, unless the policy is about end-entity certificates alone', async () => {
    const issuing = root.issueIntermediate();
    const certificate = issuing.issue();
    const both = [issuing.crl(), root.crl({ revoked: [issuing] })];
    await expectRevoked(both, { depth: 1, source: 'crls[1]' }, { certificate });
    await expectGood(both, { certificate, depth: 'end-entity' });
    await expectGood(
      [issuing.crl(), root.crl()],
      { certificate },
      { certificate },
      { certificate: issuing, source: 'crls[1]' },
    );
  });

  it('is missing: nobody knows', async () => {
    const detail = expect.any(String) as string;
    await expectUnknown([], 'no-source', detail);
    await expectUnknown([createAuthority().crl(revoked)], 'no-source', detail);
  });
});

describe('RV-01: the time of a CRL', () => {
  it('ends with nextUpdate, to the millisecond', async () => {
    const crl = root.crl({ nextUpdate: TEST_TIME });
    await expectGood([crl], {}, { until: TEST_TIME });
    await expectUnknown([crl], 'not-current', isOver, { time: at(1) });
  });

  it('never begins without nextUpdate, unless there is a maxAgeSeconds, which then ends it to the millisecond', async () => {
    const crl = root.crl({ nextUpdate: 'absent', thisUpdate: at(-60_000) });
    await expectUnknown([crl], 'not-current', 'the CRL has no nextUpdate');
    await expectGood([crl], { maxAgeSeconds: 60 }, { asOf: at(-60_000), until: TEST_TIME });
    await expectUnknown([crl], 'not-current', isOver, { maxAgeSeconds: 60, time: at(1) });
  });

  it('ends with maxAgeSeconds where nextUpdate is later, and with nextUpdate where that is sooner', async () => {
    const crl = root.crl({ thisUpdate: at(-60_000), nextUpdate: at(60_000) });
    await expectGood([crl], { maxAgeSeconds: 61 }, { asOf: at(-60_000), until: at(1_000) });
    await expectUnknown([crl], 'not-current', isOver, { maxAgeSeconds: 59 });
    await expectGood([crl], { maxAgeSeconds: 3_600 }, { asOf: at(-60_000), until: at(60_000) });
  });

  it('begins with thisUpdate, and up to 300 seconds sooner', async () => {
    const crl = root.crl({ thisUpdate: at(300_000) });
    await expectGood([crl], {}, { asOf: at(300_000) });
    await expectUnknown([crl], 'not-current', 'thisUpdate lies in the future', { time: at(-1) });
  });

  it('does not matter to a certificate that it lists', async () => {
    await expectRevoked([root.crl({ ...revoked, nextUpdate: at(-1_000) })]);
    await expectRevoked([root.crl({ ...revoked, nextUpdate: 'absent' })]);
    await expectRevoked([root.crl({ ...revoked, thisUpdate: at(week) })], { revokedAt: at(week) });
  });

  it('over, is told rather than that there is no CRL, and yields to one that is current', async () => {
    const over = root.crl({ nextUpdate: at(-1_000) });
    await expectUnknown([over], 'not-current', isOver);
    await expectGood([over, root.crl({ crlNumber: 2 })], {}, { source: 'crls[1]' });
    await expectGood([root.crl({ crlNumber: 2 }), over]);
  });
});

describe('a CRL and a newer one beside it', () => {
  const onHold = { revoked: [{ certificate: client, reason: 'certificateHold' }] } as const;

  it('RV-07: says nothing more: what the newer one takes back is taken back', async () => {
    const newer = root.crl({ crlNumber: 2 });
    await expectGood([root.crl({ ...onHold, crlNumber: 1, nextUpdate: at(-1_000) }), newer], {}, { source: 'crls[1]' });
    await expectGood([newer, root.crl({ ...onHold, crlNumber: 1 })]);
    await expectGood([newer, root.crl({ ...onHold, crlNumber: 1, deltaCrlIndicator: 1 })]);
  });

  it.each<[string, (hold: CrlFields) => Uint8Array[]]>([
    ['is not newer', (hold) => [root.crl({ ...hold, crlNumber: 2 }), root.crl({ crlNumber: 1 })]],
    ['is as old', (hold) => [root.crl(hold), root.crl()]],
    ['is over', (hold) => [root.crl(hold), root.crl({ crlNumber: 2, nextUpdate: at(-1_000) })]],
    ['is in the future', (hold) => [root.crl(hold), root.crl({ crlNumber: 2, thisUpdate: at(600_000) })]],
    ['is not signed', (hold) => [root.crl(hold), root.crl({ crlNumber: 2, signer: generateKey() })]],
    ['is a delta CRL', (hold) => [root.crl(hold), root.crl({ crlNumber: 2, deltaCrlIndicator: 1 })]],
    [
      'is of another scope',
      (hold) => {
        return [root.crl(hold), root.crl({ crlNumber: 2, issuingDistributionPoint: { onlyContainsUserCerts: true } })];
      },
    ],
    [
      'has an entry that cannot be read to its end',
      (hold) => {
        const extensions = [{ oid: '1.2.3', critical: true, value: der.null() }];
        return [root.crl(hold), root.crl({ crlNumber: 2, revoked: [{ serialNumber: 1, extensions }] })];
      },
    ],
  ])('RV-07: revokes when the other %s', async (_, crls) => {
    const [first, second] = crls(onHold) as [Uint8Array, Uint8Array];
    await expectRevoked([first, second], { reason: 'certificateHold' });
    await expectRevoked([second, first], { reason: 'certificateHold', source: 'crls[1]' });
  });
});

describe('RV-02: who signed a CRL', () => {
  const stranger = createAuthority({ subject: 'CN=Root' });

  it('is nobody known: another key under the same name', async () => {
    await expectUnknown([stranger.crl()], 'untrusted', notSigned);
    await expectUnknown([stranger.crl(revoked)], 'untrusted', notSigned);
    await expectGood([stranger.crl(revoked), root.crl()], {}, { source: 'crls[1]' });
  });

  it('must be allowed to sign CRLs: cRLSign, or no keyUsage at all', async () => {
    const mute = createAuthority({ keyUsage: ['keyCertSign'] });
    const certificate = mute.issue();
    await expectUnknown([mute.crl()], 'untrusted', notSigned, { certificate, anchors: [mute] });
    await expectUnknown([mute.crl({ revoked: [certificate] })], 'untrusted', notSigned, {
      certificate,
      anchors: [mute],
    });
    const plain = createAuthority({ keyUsage: 'absent' });
    const plainClient = plain.issue();
    await expectGood([plain.crl()], { certificate: plainClient, anchors: [plain] });
  });

  it('is not the leaf, not a CA beside, and not a CA below under the name of the one above', async () => {
    const issuing = root.issueIntermediate();
    const sibling = root.issueIntermediate();
    const certificate = issuing.issue();
    const asked = { certificate, depth: 'end-entity' } as const;
    for (const signer of [certificate, sibling, root]) {
      await expectUnknown([issuing.crl({ signer })], 'untrusted', notSigned, asked);
    }
    await expectGood([issuing.crl()], asked);
    const intermediate = { certificate, depth: 'path' } as const;
    const refused = validate([issuing.crl(), root.crl({ signer: issuing })], intermediate);
    await expect(refused).toRejectWith('ERR_REVOCATION_UNAVAILABLE', {
      depth: 1,
      cause: 'untrusted',
      detail: notSigned,
    });
  });

  it('may use legacy algorithms only where the rules say so', async () => {
    const sha1 = root.crl({ signatureAlgorithm: 'ecdsa-sha1' });
    await expectUnknown([sha1], 'untrusted', 'the CRL is signed with 1.2.840.10045.4.1');
    await expectGood([sha1], { rules: { legacyAlgorithms: 'accept' } });
    const md5 = createAuthority({ keyAlgorithm: 'rsa2048' });
    const asked: Asked = { certificate: md5.issue(), anchors: [md5], rules: { legacyAlgorithms: 'accept' } };
    const detail = 'the CRL is signed with 1.2.840.113549.1.1.4';
    await expectUnknown([md5.crl({ signatureAlgorithm: 'rsa-md5' })], 'untrusted', detail, asked);
  });

  it('may sign with RSASSA-PSS', async () => {
    const authority = createAuthority({ keyAlgorithm: 'rsa2048' });
    const asked: Asked = { certificate: authority.issue(), anchors: [authority] };
    await expectGood([authority.crl({ signatureAlgorithm: 'rsa-pss-sha256' })], asked);
  });

  it.each(['p256', 'p384', 'p521', 'ed25519', 'rsa2048'] as const)('may have a key of %s', async (keyAlgorithm) => {
    const authority = createAuthority({ keyAlgorithm });
    const certificate = authority.issue();
    const asked: Asked = { certificate, anchors: [authority] };
    await expectGood([authority.crl()], asked);
    await expectRevoked([authority.crl({ revoked: [certificate] })], {}, asked);
    const tampered = authority.crl();
    tampered[tampered.length - 1] = (tampered.at(-1) as number) ^ 1;
    await expectUnknown([tampered], 'untrusted', notSigned, asked);
  });

  it('did not sign what was changed after that', async () => {
    const crl = root.crl({ revoked: [{ serialNumber: 0x55 }] });
    const changed = Buffer.from(crl);
    const entry = changed.indexOf(der.integer(0x55));
    changed[entry + 2] = 5;
    await expectUnknown([changed], 'untrusted', notSigned);
    await expectUnknown(
      [root.crl({ raw: { signatureValue: der.bitString(Buffer.alloc(0)) } })],
      'untrusted',
      notSigned,
    );
  });

  it('may be the new key of a CA as well as the old, where the path shows both', async () => {
    const renewed = createAuthority({ subject: 'CN=Root' });
    // Old with new: RFC 4210 section 4.4.
    const oldWithNew = renewed.crossSign(root);
    const certificate = { ...oldWithNew.issue({ serialNumber: 5 }), chain: oldWithNew.issue().chain };
    const asked: Asked = { certificate, anchors: [renewed], depth: 'end-entity' };
    await expectGood([renewed.crl()], asked);
    await expectGood([root.crl()], asked);
    await expectRevoked([root.crl(), renewed.crl({ revoked: [certificate] })], { source: 'crls[1]' }, asked);
    // Without the new key in the path there is only the old.
    await expectUnknown([renewed.crl()], 'untrusted', notSigned);
  });
});

describe('RV-03: a CRL of one partition', () => {
  const [one, two] = ['http://crl.example.com/1.crl', 'http://crl.example.com/2.crl'] as const;
  const of = (...uris: readonly string[]): CrlFields => ({ issuingDistributionPoint: { uris } });
  const inOne: Asked = { certificate: root.issue({ serialNumber: 5, crlDistributionPoints: [one] }) };
  const inBoth: Asked = { certificate: root.issue({ serialNumber: 5, crlDistributionPoints: [one, two] }) };

  it('counts for the certificates that name it', async () => {
    await expectGood([root.crl(of(one))], inOne);
    await expectRevoked([root.crl({ ...of(one), ...revoked })], {}, inOne);
  });

  it('says nothing of the certificates of another', async () => {
    await expectUnknown([root.crl(of(two))], 'unusable', others, inOne);
    await expectUnknown([root.crl({ ...of(two), ...revoked })], 'unusable', others, inOne);
    await expectGood([root.crl({ ...of(two), ...revoked }), root.crl(of(one))], inOne, {
      certificate: inOne.certificate as TestCertificate,
      source: 'crls[1]',
    });
  });

  it('revokes also as the second that a certificate names', async () => {
    await expectRevoked([root.crl(of(one)), root.crl({ ...of(two), ...revoked })], { source: 'crls[1]' }, inBoth);
    await expectRevoked([root.crl({ ...of(two), ...revoked }), root.crl(of(one))], {}, inBoth);
  });

  it('says nothing of a certificate that names none, or not in a way that can be read', async () => {
    await expectUnknown([root.crl(of(one))], 'unusable', others);
    const extensions = [{ oid: '2.5.29.31', value: der.sequence() }];
    await expectUnknown([root.crl(of(one))], 'unusable', others, { certificate: root.issue({ extensions }) });
  });

  it('may have several names, one of which is enough', async () => {
    await expectGood([root.crl(of(two, one))], inOne);
    await expectUnknown([root.crl(of(two, `${one}x`, one.toUpperCase()))], 'unusable', others, inOne);
  });

  it('may be named as a directory entry, in the sense of RFC 5280 section 7.1', async () => {
    const point = (name: string): Buffer => {
      return der.sequence(der.sequence(der.explicit(0, der.explicit(0, der.explicit(4, encodeName(name))))));
    };
    const certificate = root.issue({ extensions: [{ oid: '2.5.29.31', value: point('CN=crl one,O=Example') }] });
    const named = (name: string): Uint8Array => root.crl({ issuingDistributionPoint: { directoryNames: [name] } });
    await expectGood([named('CN=CRL  One,O=EXAMPLE')], { certificate });
    await expectUnknown([named('CN=CRL Two,O=Example')], 'unusable', others, { certificate });
  });

  it('says nothing where the certificate names it with reasons, or with a CRL issuer of its own', async () => {
    const uri = der.explicit(0, der.explicit(0, der.implicit(6, Buffer.from(one))));
    const pointing = (...more: readonly Buffer[]): Asked => ({
      certificate: root.issue({
        serialNumber: 5,
        extensions: [{ oid: '2.5.29.31', value: der.sequence(der.sequence(uri, ...more)) }],
      }),
    });
    await expectGood([root.crl(of(one))], pointing());
    const some = pointing(der.implicit(1, Buffer.of(6, 0x40)));
    await expectUnknown([root.crl(of(one))], 'unusable', 'the CRL is about some reasons only', some);
    await expectRevoked([root.crl({ ...of(one), ...revoked })], {}, some);
    const elsewhere = pointing(der.explicit(2, der.explicit(4, root.subject)));
    await expectUnknown([root.crl(of(one))], 'unusable', others, elsewhere);
  });

  it('says nothing when it is named relative to its issuer', async () => {
    const relative = der.sequence(
      der.explicit(0, der.explicit(1, der.sequence(der.oid('2.5.4.3'), der.utf8String('x')))),
    );
    const extensions = [{ oid: '2.5.29.28', critical: true, value: relative }];
    await expectUnknown([root.crl({ extensions })], 'unusable', others, inOne);
    await expectUnknown([root.crl({ extensions, ...revoked })], 'unusable', others);
  });
});

describe('the kind of a CRL', () => {
  const issuing = root.issueIntermediate({ serialNumber: 6 });
  const below = issuing.issue();
  const about = (fields: NonNullable<CrlFields['issuingDistributionPoint']>): CrlFields => ({
    issuingDistributionPoint: fields,
  });

  /** What is found of a CA by this CRL of the root. */
  const ofCa = async (fields: CrlFields): Promise<VerifiedPath> => {
    return validate([issuing.crl(), root.crl(fields)], { certificate: below });
  };
  const aboutOthers = { depth: 1, cause: 'unusable', detail: others } as const;

  it('RV-04: onlyContainsUserCerts: says nothing of a CA', async () => {
    const fields = about({ onlyContainsUserCerts: true });
    await expectGood([root.crl(fields)]);
    await expectRevoked([root.crl({ ...fields, ...revoked })]);
    await expect(ofCa(fields)).toRejectWith('ERR_REVOCATION_UNAVAILABLE', aboutOthers);
    await expect(ofCa({ ...fields, revoked: [issuing] })).toRejectWith('ERR_REVOCATION_UNAVAILABLE', aboutOthers);
  });

  it('RV-04: onlyContainsCACerts: says nothing of an end-entity certificate', async () => {
    const fields = about({ onlyContainsCACerts: true });
    await expectUnknown([root.crl(fields)], 'unusable', others);
    await expectUnknown([root.crl({ ...fields, ...revoked })], 'unusable', others);
    await expect(ofCa(fields)).resolves.toMatchObject({ revocation: [{ status: 'good' }, { status: 'good' }] });
    await expect(ofCa({ ...fields, revoked: [issuing] })).toRejectWith('ERR_CERTIFICATE_REVOKED', {
      depth: 1,
      method: 'crl',
      source: 'crls[1]',
      revokedAt: daysFromTestTime(-1),
      reason: undefined,
    });
  });

  it('RV-04: onlyContainsAttributeCerts, or everything at once: says nothing of anyone', async () => {
    const all = { onlyContainsUserCerts: true, onlyContainsCACerts: true };
    for (const fields of [about({ onlyContainsAttributeCerts: true }), about(all)]) {
      await expectUnknown([root.crl({ ...fields, ...revoked })], 'unusable', others);
      await expect(ofCa(fields)).toRejectWith('ERR_REVOCATION_UNAVAILABLE', aboutOthers);
    }
  });

  it('RV-04: counts all the same when its issuingDistributionPoint is not critical', async () => {
    await expectUnknown([root.crl(about({ onlyContainsCACerts: true, critical: false }))], 'unusable', others);
    await expectGood([root.crl(about({ onlyContainsUserCerts: true, critical: false }))]);
  });

  it('RV-04: indirect: counts for nothing', async () => {
    const detail = 'it is an indirect CRL';
    await expectUnknown([root.crl(about({ indirectCRL: true }))], 'unusable', detail);
    await expectUnknown([root.crl({ ...about({ indirectCRL: true }), ...revoked })], 'unusable', detail);
  });

  it('RV-04: with an issuingDistributionPoint of unknown content: is no CRL', () => {
    const value = der.sequence(der.implicit(6, Buffer.of(0xff)));
    const crl = root.crl({ extensions: [{ oid: '2.5.29.28', critical: true, value }] });
    expect(() => Revocation.fromCrls([crl])).toThrow(/^crls\[0\]: found a CRL that is not strict DER: /);
  });

  it('RV-04: with an unknown extension: counts for nothing when that is critical, and is a CRL when it is not', async () => {
    const extension = { oid: '1.2.3.4', value: der.null() };
    await expectGood([root.crl({ extensions: [extension] })]);
    const critical = { extensions: [{ ...extension, critical: true }] };
    const detail = 'the CRL has the critical extension 1.2.3.4';
    await expectUnknown([root.crl(critical)], 'unusable', detail);
    await expectUnknown([root.crl({ ...critical, ...revoked })], 'unusable', detail);
  });

  it('RV-05: of some reasons: never proves good, and revokes', async () => {
    const fields = about({ onlySomeReasons: Buffer.of(6, 0x40) });
    await expectUnknown([root.crl(fields)], 'unusable', 'the CRL is about some reasons only');
    await expectRevoked([root.crl({ ...fields, ...revoked })]);
    const rest = root.crl({ ...about({ onlySomeReasons: Buffer.of(7, 0x3f, 0x80) }), crlNumber: 2 });
    await expectUnknown([root.crl(fields), rest], 'unusable', 'the CRL is about some reasons only');
    await expectGood([root.crl(fields), root.crl()], {}, { source: 'crls[1]' });
    await expectRevoked([root.crl(), root.crl({ ...fields, ...revoked })], { source: 'crls[1]' });
  });

  it('RV-05: of no reason at all: never proves good', async () => {
    await expectUnknown(
      [root.crl(about({ onlySomeReasons: Buffer.of(0) }))],
      'unusable',
      'the CRL is about some reasons only',
    );
  });

  it('RV-06: a delta CRL: never proves good, and revokes, with its base and without', async () => {
    const delta: CrlFields = { deltaCrlIndicator: 1, crlNumber: 2 };
    await expectUnknown([root.crl(delta)], 'unusable', 'it is a delta CRL');
    await expectGood([root.crl(), root.crl(delta)]);
    await expectRevoked([root.crl({ ...delta, ...revoked })]);
    await expectRevoked([root.crl(), root.crl({ ...delta, ...revoked })], { source: 'crls[1]' });
  });

  it('RV-06: removeFromCRL: takes back nothing in a delta CRL, and is an entry like others in a complete one', async () => {
    const removed = { revoked: [{ certificate: client, reason: 'removeFromCRL' }] } as const;
    const delta: CrlFields = { deltaCrlIndicator: 1, crlNumber: 2, ...removed };
    await expectUnknown([root.crl(delta)], 'unusable', 'it is a delta CRL');
    await expectRevoked([root.crl(revoked), root.crl(delta)]);
    await expectGood([root.crl(), root.crl(delta)]);
    await expectRevoked([root.crl(removed)], { reason: 'removeFromCRL' });
  });

  it('where the profile of RFC 5280 is asked for: has authorityKeyIdentifier and a cRLNumber that is not critical', async () => {
    const strict: Asked = { rules: { profile: 'rfc5280' } };
    const number = { oid: '2.5.29.20', critical: true, value: der.integer(1) };
    const issuers = createAuthority();
    const certificate = issuers.issue({ serialNumber: 0x4444 });
    const asked = { certificate, anchors: [issuers], ...strict };
    await expectGood([issuers.crl()], asked);
    for (const [fields, detail] of [
      [{ authorityKeyIdentifier: 'absent' }, 'the CRL has no authorityKeyIdentifier'],
      [{ crlNumber: 'absent' }, 'the CRL has no cRLNumber'],
      [{ crlNumber: 'absent', extensions: [number] }, 'the cRLNumber of the CRL is critical'],
    ] as const) {
      await expectUnknown([issuers.crl(fields)], 'unusable', detail, asked);
      await expectGood([issuers.crl(fields)], { certificate, anchors: [issuers] });
    }
  });

  it('may be of version 1', async () => {
    await expectGood([root.crl({ version: 1 })]);
    await expectRevoked([root.crl({ version: 1, ...revoked })]);
  });
});

describe('an entry', () => {
  const listing = (entry: Omit<RevokedEntryFields, 'certificate' | 'serialNumber'>): Uint8Array =>
    root.crl({ revoked: [{ certificate: client, ...entry }] });

  it.each([
    'unspecified',
    'keyCompromise',
    'cACompromise',
    'affiliationChanged',
    'superseded',
    'cessationOfOperation',
    'certificateHold',
    'privilegeWithdrawn',
    'aACompromise',
  ] as const)('RV-08: revokes for the reason %s', async (reason) => {
    await expectRevoked([listing({ reason })], { reason });
  });

  it('RV-08: revokes whenever its revocationDate is', async () => {
    for (const revocationDate of [daysFromTestTime(-10_000), at(1_000), daysFromTestTime(1_000)]) {
      await expectRevoked([listing({ revocationDate })], { revokedAt: revocationDate });
    }
  });

  it('RV-08: with an unknown critical extension revokes, and makes everyone else unknown', async () => {
    const extensions = [{ oid: '1.2.3.4', critical: true, value: der.null() }];
    await expectRevoked([listing({ extensions })]);
    const detail = 'an entry of the CRL has a critical extension that is not supported';
    await expectUnknown([root.crl({ revoked: [{ serialNumber: 1, extensions }] })], 'unusable', detail);
    await expectRevoked([root.crl({ revoked: [{ serialNumber: 1, extensions }, client] })]);
  });

  it('RV-08: with a certificateIssuer makes everyone else unknown, critical or not', async () => {
    const value = der.sequence(der.explicit(4, root.subject));
    const detail = 'an entry of the CRL has a critical extension that is not supported';
    for (const critical of [true, false]) {
      const extensions = [{ oid: '2.5.29.29', critical, value }];
      await expectUnknown([root.crl({ revoked: [{ serialNumber: 1, extensions }] })], 'unusable', detail);
    }
  });

  it('RV-08: with an unknown extension that is not critical is an entry like others', async () => {
    const extensions = [{ oid: '1.2.3.4', value: der.null() }];
    await expectRevoked([listing({ extensions })]);
    await expectGood([root.crl({ revoked: [{ serialNumber: 1, extensions }] })]);
  });

  const long = Buffer.alloc(20, 0x7f);
  it.each<[string, Uint8Array, readonly Uint8Array[]]>([
    ['one octet', Buffer.of(5), [Buffer.of(4), Buffer.of(5, 5), Buffer.of(0x85)]],
    ['a set top bit', Buffer.of(0, 0x80), [Buffer.of(0x80), Buffer.of(1, 0x80), Buffer.of(0x40)]],
    ['20 octets', long, [long.subarray(1), Buffer.alloc(19, 0x7f), Buffer.concat([long.subarray(1), Buffer.of(0x7e)])]],
    ['20 octets behind a zero', Buffer.concat([Buffer.of(0), Buffer.alloc(20, 0xff)]), [Buffer.of(0xff), long]],
  ])('RV-09: revokes the very serial number: %s', async (_, serialNumber, unlike) => {
    const asked: Asked = { certificate: root.issue({ serialNumber }) };
    await expectRevoked([root.crl({ revoked: [{ serialNumber }] })], {}, asked);
    const entries = unlike.map((other) => ({ serialNumber: other }));
    await expectGood([root.crl({ revoked: entries })], asked);
    await expectRevoked([root.crl({ revoked: [...entries, { serialNumber }, ...entries] })], {}, asked);
  });

  it('RV-09: is of the issuer of the CRL: the same number of another CA is another certificate', async () => {
    const other = createAuthority();
    const certificate = other.issue({ serialNumber: 5 });
    const asked: Asked = { certificate, anchors: [root, other] };
    await expectGood([root.crl(revoked), other.crl()], asked, { certificate, source: 'crls[1]' });
    await expectRevoked([root.crl(revoked), other.crl()], {}, { anchors: [root, other] });
  });

  it('RV-09: counts the first time that it revokes', async () => {
    const entries = [
      { serialNumber: 5, reason: 'superseded' },
      { serialNumber: 5, reason: 'keyCompromise' },
    ] as const;
    await expectRevoked([root.crl({ revoked: entries })], { reason: 'superseded' });
  });
});

describe('the signatures of CRLs', () => {
  const decode = (bytes: Buffer): KnownCrl => new KnownCrl(Crl.decode(bytes), 'x');
  const question = (authority: TestAuthority, certificate: TestCertificate) => {
    const issuer = new Certificate(authority.der);
    return {
      certificate: new Certificate(certificate.der),
      issuer,
      authorities: [issuer],
      depth: 0,
      time: now,
      rules: { legacyAlgorithms: 'reject', profile: 'path-validation' },
    } as const;
  };
  const rules = { maxAgeSeconds: undefined, graceSeconds: 0 };

  it('are verified only of CRLs that may count', () => {
    const wanted = decode(root.crl());
    const unwanted = [
      decode(root.crl({ issuingDistributionPoint: { uris: ['http://crl.example.com/9.crl'] } })),
      decode(root.crl({ issuingDistributionPoint: { indirectCRL: true } })),
      decode(createAuthority().crl()),
    ];
    expect(judgeCrls(question(root, client), [wanted, ...unwanted], rules)).toMatchObject({ status: 'good' });
    expect([wanted, ...unwanted].map(({ signer }) => signer === undefined)).toEqual([false, true, true, true]);
  });

  it('are verified once, also where that takes a while', async () => {
    const slow = createAuthority({ keyAlgorithm: 'p384' });
    const asked = question(slow, slow.issue());
    const known = decode(slow.crl());
    const answers = [judgeCrls(asked, [known], rules), judgeCrls(asked, [known], rules)];
    expect(answers.every((answer) => answer instanceof Promise)).toBe(true);
    for (const answer of answers) expect(await answer).toMatchObject({ status: 'good' });
    expect(judgeCrls(asked, [known], rules)).toMatchObject({ status: 'good' });
  });

  it('make no answer when there are two: the one that holds longest is given', () => {
    const crls = [7, 9, 8].map((days) => decode(root.crl({ nextUpdate: daysFromTestTime(days) })));
    expect(judgeCrls(question(root, client), crls, rules)).toMatchObject({ until: daysFromTestTime(9).getTime() });
  });
});
