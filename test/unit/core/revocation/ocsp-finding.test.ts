import { createAuthority, daysFromTestTime, der, type OcspResponseFields, TEST_TIME } from '@peercert/testkit';
import {
  judgeOcspResponse,
  type OcspFinding,
  type OcspQuestion,
} from '../../../../packages/core/src/revocation/ocsp-finding';
import { Certificate } from '../../../../packages/core/src/x509/certificate';

const root = createAuthority({ subject: 'CN=Root' });
const client = root.issue();
const now = TEST_TIME.getTime();

const certificate = new Certificate(client.der);
const issuer = new Certificate(root.der);

function judge(fields: OcspResponseFields = {}, question: Partial<OcspQuestion> = {}): Promise<OcspFinding> {
  const { response = root.ocspResponse({ certificate: client, ...fields }) } = question;
  return judgeOcspResponse({ certificate, issuer, time: now, maxAgeSeconds: 3_600, ...question, response });
}

const evidence = {
  thisUpdate: now - 3_600_000,
  until: daysFromTestTime(1).getTime(),
  producedAt: now,
  responder: issuer.sha256,
};
const good = { status: 'good', ...evidence };
const revokedAt = daysFromTestTime(-3);
const revoked = { status: 'revoked', revokedAt: revokedAt.getTime(), reason: 'keyCompromise', ...evidence };
const unknown = (cause: string, detail?: string): object =>
  detail === undefined ? { status: 'unknown', cause } : { status: 'unknown', cause, detail };
const isRevoked = { status: { revokedAt, reason: 'keyCompromise' } } as const;
const critical = [{ oid: '1.2.3', critical: true, value: der.null() }];

const at = (milliseconds: number): Date => new Date(now + milliseconds);

describe('an OCSP response of the issuer', () => {
  it('finds the certificate good', async () => {
    expect(await judge()).toEqual(good);
    expect(await judge({ responderId: 'name' })).toEqual(good);
  });

  it('finds the certificate revoked, and why', async () => {
    expect(await judge(isRevoked)).toEqual(revoked);
    expect(await judge({ status: { revokedAt } })).toEqual({ ...revoked, reason: undefined });
  });

  it('OC-07: that does not know the certificate is unknown', async () => {
    expect(await judge({ status: 'unknown' })).toEqual(unknown('status-unknown'));
  });

  it.each(['malformedRequest', 'internalError', 'tryLater', 'sigRequired', 'unauthorized'] as const)(
    'OC-07: that is the error %s is unknown',
    async (responseStatus) => {
      expect(await judge({ responseStatus })).toEqual(unknown('responder-error', responseStatus));
    },
  );

  it('that is none is unknown', async () => {
    expect(await judge({}, { response: Buffer.from('<html>') })).toEqual(
      unknown('malformed', 'OCSPResponse expected (octet 0)'),
    );
  });

  it('counts wherever it was signed, before or after the present', async () => {
    for (const producedAt of [daysFromTestTime(-30), daysFromTestTime(30)]) {
      expect(await judge({ producedAt })).toEqual({ ...good, producedAt: producedAt.getTime() });
    }
  });
});

describe('whom a response is about', () => {
  const other = createAuthority({ subject: 'CN=Other' });

  it.each<[string, OcspResponseFields]>([
    ['another serial number', { serialNumber: 1 }],
    ['another issuer', { issuer: other }],
    ["another issuer's key", { issuer: { subject: root.subject, key: other.key } }],
    ["another issuer's name", { issuer: { subject: other.subject, key: root.key } }],
    ['nobody', { responses: [] }],
    ['OC-09: a CertID by MD5', { hashAlgorithm: 'md5' }],
  ])('OC-01: is unknown when it is about %s', async (_, fields) => {
    expect(await judge(fields)).toEqual(unknown('not-answered'));
    expect(await judge({ ...fields, ...isRevoked })).toEqual(unknown('not-answered'));
  });

  it.each(['sha1', 'sha256', 'sha384', 'sha512'] as const)('OC-09: is known by %s', async (hashAlgorithm) => {
    expect(await judge({ hashAlgorithm })).toEqual(good);
  });

  it('OC-01: is unknown when the issuer did not issue the certificate, though number and key are its', async () => {
    const stranger = other.issue({ serialNumber: 5 });
    const finding = await judge({ serialNumber: 5 }, { certificate: new Certificate(stranger.der) });
    expect(finding).toEqual(unknown('not-answered', 'the issuer did not issue the certificate'));
  });

  it('OC-01: takes its own answer out of several', async () => {
    const responses = [{ serialNumber: 1, ...isRevoked }, {}, { serialNumber: 2, status: 'unknown' } as const];
    expect(await judge({ responses })).toEqual(good);
  });

  it('RV-09: does not take a negative serial number for a positive one of the same octets', async () => {
    const certificate = root.issue({ serialNumber: 0x80n });
    const question = { certificate: new Certificate(certificate.der) };
    expect(await judge({ certificate }, question)).toEqual(good);
    expect(await judge({ serialNumber: Buffer.of(0x80) }, question)).toEqual(unknown('not-answered'));
  });

  it.each<[string, readonly object[], object]>([
    ['revoked before good', [{}, isRevoked], revoked],
    ['revoked before good, in the other order', [isRevoked, {}], revoked],
    ['revoked before unknown', [{ status: 'unknown' }, isRevoked], revoked],
    ['unknown before good', [{}, { status: 'unknown' }], unknown('status-unknown')],
    ['unknown before good, when one of two is stale', [{}, { nextUpdate: at(-1_000) }], unknown('stale')],
    ['the one that ends first, when both are good', [{}, { nextUpdate: at(60_000) }], { ...good, until: now + 60_000 }],
    [
      'the one that ends first, when both are good, in the other order',
      [{ nextUpdate: at(60_000) }, {}],
      { ...good, until: now + 60_000 },
    ],
  ])('OC-01: of several answers, takes %s', async (_, responses, expected) => {
    expect(await judge({ responses })).toEqual(expected);
  });
});

describe('the time of an answer', () => {
  it.each([
    ['thisUpdate now', { thisUpdate: at(0) }],
    ['thisUpdate 300 s ahead', { thisUpdate: at(300_000) }],
    ['nextUpdate now', { nextUpdate: at(0) }],
    ['nextUpdate at thisUpdate, now', { thisUpdate: at(0), nextUpdate: at(0) }],
  ])('OC-05: is right with %s', async (_, fields) => {
    expect((await judge(fields)).status).toBe('good');
  });

  it.each([
    ['thisUpdate 301 s ahead', { thisUpdate: at(301_000) }, 'not-yet-valid'],
    ['nextUpdate a second ago', { nextUpdate: at(-1_000) }, 'stale'],
    ['nextUpdate before thisUpdate', { thisUpdate: at(60_000), nextUpdate: at(30_000) }, 'stale'],
  ])('OC-05: is wrong with %s', async (_, fields, cause) => {
    expect(await judge(fields)).toEqual(unknown(cause));
    expect(await judge({ ...fields, ...isRevoked })).toEqual(unknown(cause));
  });

  it('OC-05: is judged to the millisecond', async () => {
    expect((await judge({ nextUpdate: at(0) }, { time: now + 1 })).status).toBe('unknown');
    expect((await judge({ thisUpdate: at(301_000) }, { time: now + 999 })).status).toBe('unknown');
    expect((await judge({ thisUpdate: at(301_000) }, { time: now + 1_000 })).status).toBe('good');
  });

  it('OC-05: without nextUpdate ends so many seconds after thisUpdate', async () => {
    const fields = { thisUpdate: at(-100_000), nextUpdate: 'absent' } as const;
    const until = { ...good, thisUpdate: now - 100_000, until: now };
    expect(await judge(fields, { maxAgeSeconds: 100 })).toEqual(until);
    expect(await judge(fields, { maxAgeSeconds: 99 })).toEqual(unknown('stale'));
  });

  it('OC-06: ends a replay of what was good once', async () => {
    const response = root.ocspResponse({ certificate: client, thisUpdate: at(0), nextUpdate: at(60_000) });
    expect((await judge({}, { response, time: now + 60_000 })).status).toBe('good');
    expect(await judge({}, { response, time: now + 61_000 })).toEqual(unknown('stale'));
  });

  it('takes another tolerance for the clock', async () => {
    expect((await judge({ thisUpdate: at(1_000) }, { clockSkewSeconds: 1 })).status).toBe('good');
    expect(await judge({ thisUpdate: at(1_000) }, { clockSkewSeconds: 0 })).toEqual(unknown('not-yet-valid'));
  });
});

describe('the nonce', () => {
  const nonce = Buffer.alloc(32, 1);

  it.each<[string, Buffer | undefined, Buffer | undefined]>([
    ['neither asked nor answered', undefined, undefined],
    ['asked and answered', nonce, nonce],
    ['asked and not answered, as by a responder that signs in advance', nonce, undefined],
    ['not asked and answered', undefined, nonce],
  ])('OC-06: is right when it is %s', async (_, asked, answered) => {
    const fields = answered === undefined ? {} : { nonce: answered };
    expect(await judge(fields, asked === undefined ? {} : { nonce: asked })).toEqual(good);
  });

  it.each([Buffer.alloc(32, 2), Buffer.alloc(31, 1), Buffer.alloc(33, 1)])(
    'OC-06: is wrong when it is another',
    async (answered) => {
      expect(await judge({ nonce: answered }, { nonce })).toEqual(unknown('nonce-mismatch'));
    },
  );
});

describe('a critical extension', () => {
  it('OC-09: makes a response unknown', async () => {
    expect(await judge({ responseExtensions: critical })).toEqual(unknown('critical-extension', '1.2.3'));
  });

  it('OC-09: makes an answer unknown', async () => {
    expect(await judge({ singleExtensions: critical })).toEqual(unknown('critical-extension', '1.2.3'));
    const responses = [{ serialNumber: 1, singleExtensions: critical }, {}];
    expect(await judge({ responses })).toEqual(good);
  });

  it('is nothing to a nonce, nor are extensions that are not critical', async () => {
    const value = der.octetString(Buffer.of(1));
    expect(await judge({ responseExtensions: [{ oid: '1.3.6.1.5.5.7.48.1.2', critical: true, value }] })).toEqual(good);
    expect(await judge({ responseExtensions: [{ oid: '1.2.3', value: der.null() }] })).toEqual(good);
  });
});

describe('a response nobody can have meant', () => {
  const response = root.ocspResponse({ certificate: client, certificates: [root], nonce: Buffer.alloc(8) });

  it('is malformed when it is cut anywhere', async () => {
    for (let length = 0; length < response.length; length++) {
      expect(await judge({}, { response: response.subarray(0, length) })).toMatchObject({ cause: 'malformed' });
    }
  });

  it('OC-02: is not good when any bit of its signed part or of its signature is another', async () => {
    const signed = response.length - root.der.length;
    const causes = new Set<string>();
    for (let at = 0; at < signed; at++) {
      const changed = Buffer.from(response);
      changed[at] = changed.readUInt8(at) ^ (1 << (at % 8));
      const finding = await judge({}, { response: changed });
      if (finding.status !== 'unknown') throw new Error(`octet ${at} makes it ${finding.status}`);
      causes.add(finding.cause);
    }
    expect([...causes].toSorted()).toEqual(
      ['algorithm-not-permitted', 'malformed', 'responder-not-authorized', 'signature-invalid'].toSorted(),
    );
  });

  it('is good whatever is enclosed that nobody asked for', async () => {
    const certificates = [{ der: der.sequence() }, { der: der.sequence(der.null()) }, client];
    expect(await judge({ certificates })).toEqual(good);
  });

  it('asks the same of a revoked one', async () => {
    const changed = root.ocspResponse({
      certificate: client,
      ...isRevoked,
      raw: { signature: der.bitString(Buffer.alloc(70)) },
    });
    expect(await judge({}, { response: changed })).toEqual(unknown('signature-invalid', 'not signed by the issuer'));
  });
});
