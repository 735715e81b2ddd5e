import {
  algorithmIdentifier,
  type CertificateFields,
  createAuthority,
  daysFromTestTime,
  der,
  generateKey,
  type OcspResponseFields,
  type RawExtension,
  selfSigned,
  TEST_TIME,
  type TestCertificate,
} from '@peercert/testkit';
import {
  judgeOcspResponse,
  type OcspFinding,
  type OcspQuestion,
} from '../../../../packages/core/src/revocation/ocsp-finding';
import { Certificate } from '../../../../packages/core/src/x509/certificate';
import { decodeOcspResponse } from '../../../../packages/core/src/x509/ocsp-response';
import { rsaSpki, spki } from '../../../support/encodings';

const root = createAuthority({ subject: 'CN=Root' });
const client = root.issue();
const other = createAuthority({ subject: 'CN=Other' });

const nocheckOid = '1.3.6.1.5.5.7.48.1.5';
const nocheck: RawExtension = { oid: nocheckOid, value: der.null() };
const delegateFields: CertificateFields = {
  subject: 'CN=Responder',
  extKeyUsage: ['OCSPSigning'],
  extensions: [nocheck],
};
const makeDelegate = (fields: CertificateFields = {}): TestCertificate => root.issue({ ...delegateFields, ...fields });

function judge(fields: OcspResponseFields = {}, question: Partial<OcspQuestion> = {}): Promise<OcspFinding> {
  const { response = root.ocspResponse({ certificate: client, ...fields }) } = question;
  return judgeOcspResponse({
    certificate: new Certificate(client.der),
    issuer: new Certificate(root.der),
    time: TEST_TIME.getTime(),
    maxAgeSeconds: 3_600,
    ...question,
    response,
  });
}

const judgeDelegate = (fields: CertificateFields, question: Partial<OcspQuestion> = {}): Promise<OcspFinding> =>
  judge({ delegate: makeDelegate(fields) }, question);

const unknown = (cause: string, detail: string): object => ({ status: 'unknown', cause, detail });
const unauthorized = (detail: string): object => unknown('responder-not-authorized', detail);
const goodBy = (responder: { readonly der: Buffer }): object =>
  expect.objectContaining({ status: 'good', responder: new Certificate(responder.der).sha256 });

describe('a response signed by the issuer itself', () => {
  it('counts, with the issuer named by key or by name, and without an enclosed certificate', async () => {
    expect(await judge({ responderId: 'key' })).toEqual(goodBy(root));
    expect(await judge({ responderId: 'name' })).toEqual(goodBy(root));
  });

  it('counts though its keyUsage has no digitalSignature, which nothing asks of it', async () => {
    const issuer = createAuthority({ keyUsage: ['keyCertSign'] });
    const certificate = issuer.issue();
    const question = { certificate: new Certificate(certificate.der), issuer: new Certificate(issuer.der) };
    expect(await judge({}, { ...question, response: issuer.ocspResponse({ certificate }) })).toEqual(goodBy(issuer));
  });

  it.each(['p384', 'ed25519', 'rsa2048'] as const)('counts with a key of %s', async (keyAlgorithm) => {
    const issuer = createAuthority({ keyAlgorithm });
    const certificate = issuer.issue();
    const question = { certificate: new Certificate(certificate.der), issuer: new Certificate(issuer.der) };
    expect(await judge({}, { ...question, response: issuer.ocspResponse({ certificate }) })).toEqual(goodBy(issuer));
  });

  it('OC-02: does not count with the signature of another key, or of none', async () => {
    const invalid = unknown('signature-invalid', 'not signed by the issuer');
    expect(await judge({ signer: other })).toEqual(invalid);
    expect(await judge({ raw: { signature: der.bitString(Buffer.alloc(0)) } })).toEqual(invalid);
    expect(await judge({ raw: { signature: der.bitString(Buffer.alloc(64)) } })).toEqual(invalid);
  });

  it('OC-02: does not count with the signature of another response', async () => {
    const response = decodeOcspResponse(root.ocspResponse({ certificate: client, status: { revokedAt: TEST_TIME } }));
    if (response.status !== 'successful') throw new Error(response.status);
    const signature = der.bitString(response.basic.signature);
    expect(await judge({ raw: { signature } })).toEqual(unknown('signature-invalid', 'not signed by the issuer'));
  });

  it('does not count with an algorithm that is not permitted', async () => {
    const sha1 = { signatureAlgorithm: 'ecdsa-sha1' } as const;
    expect(await judge(sha1)).toEqual(unknown('algorithm-not-permitted', 'signature algorithm 1.2.840.10045.4.1'));
    expect(await judge(sha1, { legacyAlgorithms: 'accept' })).toEqual(goodBy(root));
    const signatureAlgorithm = der.sequence(der.oid('1.2.3'));
    expect(await judge({ raw: { signatureAlgorithm } }, { legacyAlgorithms: 'accept' })).toEqual(
      unknown('algorithm-not-permitted', 'signature algorithm 1.2.3'),
    );
  });

  it('does not count with an algorithm that is not of its key', async () => {
    const raw = { signatureAlgorithm: algorithmIdentifier('rsa-sha256') };
    expect(await judge({ raw })).toEqual(unknown('signature-invalid', 'not signed by the issuer'));
  });

  it('does not count with a key that is not permitted', async () => {
    const weak = createAuthority({ subject: 'CN=Root', raw: { subjectPublicKeyInfo: rsaSpki(1024) } });
    expect(await judge({}, { issuer: new Certificate(weak.der) })).toEqual(
      unknown('algorithm-not-permitted', "the issuer's key"),
    );
  });

  it('does not count when it names somebody else', async () => {
    const nobody = unauthorized('no certificate fits the responderID');
    expect(await judge({ raw: { responderID: der.explicit(1, other.subject) } })).toEqual(nobody);
    expect(await judge({ raw: { responderID: der.explicit(2, der.octetString(Buffer.alloc(20))) } })).toEqual(nobody);
    expect(await judge({ raw: { responderID: der.explicit(2, der.octetString(Buffer.alloc(0))) } })).toEqual(nobody);
  });
});

describe('a response signed by a delegate', () => {
  const delegate = makeDelegate();

  it('counts, with the delegate named by key or by name', async () => {
    expect(await judge({ delegate })).toEqual(goodBy(delegate));
    expect(await judge({ delegate, responderId: 'name' })).toEqual(goodBy(delegate));
  });

  it('counts when it says that a certificate is revoked', async () => {
    const revokedAt = daysFromTestTime(-1);
    expect(await judge({ delegate, status: { revokedAt } })).toMatchObject({
      status: 'revoked',
      revokedAt: revokedAt.getTime(),
      reason: undefined,
      responder: new Certificate(delegate.der).sha256,
    });
  });

  it('counts with a certificate that came from elsewhere, and not without one', async () => {
    const fields = { delegate, certificates: [] };
    expect(await judge(fields)).toEqual(unauthorized('no certificate fits the responderID'));
    expect(await judge(fields, { certificates: [new Certificate(delegate.der)] })).toEqual(goodBy(delegate));
  });

  it('counts beside certificates that are others, or none', async () => {
    const certificates = [{ der: der.sequence() }, client, root, makeDelegate(), delegate];
    expect(await judge({ delegate, certificates })).toEqual(goodBy(delegate));
  });

  it('does not count when it names somebody else, though a delegate has signed it', async () => {
    const fields = { delegate, certificates: [delegate, makeDelegate({ subject: 'CN=Another responder' })] };
    const nobody = unauthorized('no certificate fits the responderID');
    expect(await judge({ ...fields, raw: { responderID: der.explicit(1, other.subject) } })).toEqual(nobody);
    expect(await judge({ ...fields, raw: { responderID: der.explicit(1, root.subject) } })).toEqual(
      unknown('signature-invalid', 'not signed by the issuer'),
    );
  });

  it('OC-02: does not count with the signature of another key', async () => {
    const invalid = unknown('signature-invalid', 'not signed by the delegate');
    expect(await judge({ delegate, signer: other })).toEqual(invalid);
    expect(await judge({ delegate, signer: root })).toEqual(invalid);
  });

  it("counts when it has the issuer's name and a key of its own", async () => {
    const sameName = makeDelegate({ raw: { subject: root.subject } });
    expect(await judge({ delegate: { ...sameName, subject: root.subject }, responderId: 'name' })).toEqual(
      goodBy(sameName),
    );
  });
});

describe('who may be a delegate', () => {
  it.each<[string, CertificateFields]>([
    ['with OCSPSigning among other purposes', { extKeyUsage: ['clientAuth', 'OCSPSigning'] }],
    ['without keyUsage', { keyUsage: 'absent' }],
    ['with id-pkix-ocsp-nocheck that is critical', { extensions: [{ ...nocheck, critical: true }] }],
    ['with a key of P-384', { keyAlgorithm: 'p384' }],
  ])('is one %s', async (_, fields) => {
    expect((await judgeDelegate(fields)).status).toBe('good');
  });

  it.each<[string, CertificateFields, string]>([
    ['without extKeyUsage', { extKeyUsage: 'absent' }, 'extKeyUsage without OCSPSigning'],
    ['with an empty extKeyUsage', { extKeyUsage: [] }, 'extKeyUsage without OCSPSigning'],
    ['with other purposes', { extKeyUsage: ['clientAuth', 'serverAuth'] }, 'extKeyUsage without OCSPSigning'],
    ['with anyExtendedKeyUsage', { extKeyUsage: ['anyExtendedKeyUsage'] }, 'extKeyUsage without OCSPSigning'],
    ['without digitalSignature', { keyUsage: ['keyEncipherment'] }, 'keyUsage without digitalSignature'],
    [
      'with an unknown critical extension',
      { extensions: [nocheck, { oid: '1.2.3', critical: true, value: der.null() }] },
      'critical extension 1.2.3',
    ],
    ['of another issuer by name', { raw: { issuer: other.subject } }, 'not issued by the issuer'],
    [
      'whose own signature is wrong',
      { raw: { signatureValue: der.bitString(Buffer.alloc(70)) } },
      'not signed by the issuer',
    ],
  ])('OC-04: is not one %s', async (_, fields, detail) => {
    expect(await judgeDelegate(fields)).toEqual(unauthorized(detail));
  });

  it('OC-03: is not one that is self-signed, with the name of the issuer and OCSPSigning', async () => {
    const { subjectKeyIdentifier = 'absent' } = root;
    const impostor = selfSigned({ ...delegateFields, subject: 'CN=Root', subjectKeyIdentifier });
    const rejected = unauthorized('not signed by the issuer');
    expect(await judge({ delegate: impostor })).toEqual(rejected);
    // By name the issuer is meant as well, and has not signed.
    expect(await judge({ delegate: impostor, responderId: 'name' })).toEqual(
      unknown('signature-invalid', 'not signed by the issuer'),
    );
    expect(await judge({ delegate: impostor }, { certificates: [new Certificate(impostor.der)] })).toEqual(rejected);
  });

  it('OC-03: is not one of a look-alike of the issuer', async () => {
    const { subjectKeyIdentifier = 'absent' } = root;
    const lookAlike = createAuthority({ subject: 'CN=Root', subjectKeyIdentifier });
    expect(await judge({ delegate: lookAlike.issue(delegateFields) })).toEqual(
      unauthorized('not signed by the issuer'),
    );
  });

  it("OC-03: is not one of the issuer's issuer, nor one of an authority below it", async () => {
    const intermediate = root.issueIntermediate({ subject: 'CN=Intermediate' });
    const certificate = intermediate.issue();
    const question = { certificate: new Certificate(certificate.der), issuer: new Certificate(intermediate.der) };
    const answer = (delegate: TestCertificate): Promise<OcspFinding> =>
      judge({}, { ...question, response: intermediate.ocspResponse({ certificate, delegate }) });
    expect(await answer(root.issue(delegateFields))).toEqual(unauthorized('not issued by the issuer'));
    const below = intermediate.issueIntermediate({ subject: 'CN=Below' });
    expect(await answer(below.issue(delegateFields))).toEqual(unauthorized('not issued by the issuer'));
    expect(await answer(intermediate.issue(delegateFields))).toMatchObject({ status: 'good' });
  });

  it('is not a client of the issuer', async () => {
    expect(await judge({ delegate: client })).toEqual(unauthorized('extKeyUsage without OCSPSigning'));
  });

  it('is not one with an RSA key of 1024 bits, unless that is accepted', async () => {
    const fields = { keyAlgorithm: 'rsa1024' } as const;
    expect(await judgeDelegate(fields)).toEqual(unknown('algorithm-not-permitted', "the delegate's key"));
    expect((await judgeDelegate(fields, { legacyAlgorithms: 'accept' })).status).toBe('good');
  });

  it('DR-23: is not one with a point off its curve', async () => {
    const p256 = der.sequence(der.oid('1.2.840.10045.2.1'), der.oid('1.2.840.10045.3.1.7'));
    const subjectPublicKeyInfo = spki(p256, Buffer.concat([Buffer.of(4), Buffer.alloc(64, 1)]));
    const delegate = makeDelegate({ raw: { subjectPublicKeyInfo } });
    expect(await judge({ delegate, responderId: 'name' })).toEqual(
      unknown('algorithm-not-permitted', "the delegate's key"),
    );
  });

  it('is not one whose certificate is signed with SHA-1, unless that is accepted', async () => {
    const fields = { signatureAlgorithm: 'ecdsa-sha1' } as const;
    const detail = 'delegate signed with 1.2.840.10045.4.1';
    expect(await judgeDelegate(fields)).toEqual(unknown('algorithm-not-permitted', detail));
    expect((await judgeDelegate(fields, { legacyAlgorithms: 'accept' })).status).toBe('good');
  });

  describe('by its time', () => {
    const notBefore = daysFromTestTime(-1);
    const notAfter = daysFromTestTime(1);
    const response = root.ocspResponse({
      certificate: client,
      delegate: makeDelegate({ notBefore, notAfter }),
      thisUpdate: daysFromTestTime(-10),
      nextUpdate: daysFromTestTime(10),
    });

    it.each([
      ['notBefore', notBefore.getTime()],
      ['notAfter', notAfter.getTime()],
    ])('OC-04: is one at its %s', async (_, time) => {
      expect((await judge({}, { response, time })).status).toBe('good');
    });

    it.each([
      ['before its notBefore', notBefore.getTime() - 1],
      ['after its notAfter', notAfter.getTime() + 1],
    ])('OC-04: is not one a millisecond %s', async (_, time) => {
      expect(await judge({}, { response, time })).toEqual(
        unknown('responder-expired', 'the delegate is not valid at this time'),
      );
    });
  });
});

describe('a delegate without id-pkix-ocsp-nocheck', () => {
  const unchecked = unauthorized('revocation of the delegate is not checked');
  const accept = { delegateWithoutNocheck: 'accept' } as const;
  const caIssuers = der.sequence(
    der.sequence(der.oid('1.3.6.1.5.5.7.48.2'), der.implicit(6, Buffer.from('http://ca.example/ca.crt'))),
  );

  it('OC-04: may be revoked, and does not count', async () => {
    expect(await judgeDelegate({ extensions: [] })).toEqual(unchecked);
    expect(await judgeDelegate({ extensions: [] }, { delegateWithoutNocheck: 'reject' })).toEqual(unchecked);
  });

  it.each<[string, CertificateFields]>([
    ['says nothing of how to check it', { extensions: [] }],
    ['says only where its issuer is', { extensions: [{ oid: '1.3.6.1.5.5.7.1.1', value: caIssuers }] }],
  ])('counts when it %s, and it is accepted', async (_, fields) => {
    expect((await judgeDelegate(fields, accept)).status).toBe('good');
    expect(await judgeDelegate(fields)).toEqual(unchecked);
  });

  it.each<[string, CertificateFields]>([
    ['a CRL', { extensions: [], crlDistributionPoints: ['http://crl.example/ca.crl'] }],
    ['a responder', { extensions: [], ocspUrls: ['http://ocsp.example'] }],
    ['what nobody can read', { extensions: [{ oid: '1.3.6.1.5.5.7.1.1', value: der.null() }] }],
  ])('OC-04: does not count when it names %s to check it with, even though it is accepted', async (_, fields) => {
    expect(await judgeDelegate(fields, accept)).toEqual(unchecked);
  });

  it('counts for nothing more than one that has it', async () => {
    expect(await judgeDelegate({ extensions: [], extKeyUsage: ['clientAuth'] }, accept)).toEqual(
      unauthorized('extKeyUsage without OCSPSigning'),
    );
  });

  it('may name ways to check it when it has nocheck', async () => {
    const fields = { crlDistributionPoints: ['http://crl.example/ca.crl'], ocspUrls: ['http://ocsp.example'] };
    expect((await judgeDelegate(fields)).status).toBe('good');
  });
});

describe('several candidates', () => {
  const key = generateKey();
  const named = { subject: 'CN=Responder', key } as const;

  it('are tried until one fits', async () => {
    const bad = makeDelegate({ ...named, extKeyUsage: ['clientAuth'] });
    const expired = makeDelegate({ ...named, notBefore: daysFromTestTime(-3), notAfter: daysFromTestTime(-2) });
    const delegate = makeDelegate(named);
    expect(await judge({ delegate, certificates: [bad, expired, delegate] })).toEqual(goodBy(delegate));
    expect(await judge({ delegate, certificates: [expired, bad] })).toEqual(
      unknown('responder-expired', 'the delegate is not valid at this time'),
    );
  });
});
