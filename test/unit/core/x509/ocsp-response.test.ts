import { createHash } from 'node:crypto';
import {
  createAuthority,
  daysFromTestTime,
  der,
  type OcspResponseFields,
  type RevocationReasonName,
  TEST_TIME,
} from '@peercert/testkit';
import { Certificate } from '../../../../packages/core/src/x509/certificate';
import { DerError, DerReader, Tag } from '../../../../packages/core/src/x509/der';
import {
  type BasicOcspResponse,
  decodeOcspResponse,
  maxOcspResponseOctets,
} from '../../../../packages/core/src/x509/ocsp-response';
import { oid } from '../../../../packages/core/src/x509/oid';
import { nested } from '../../../support/encodings';

const root = createAuthority({ subject: 'CN=Root' });
const client = root.issue();
const issuer = new Certificate(root.der);
const sha1 = (octets: Uint8Array): Buffer => createHash('sha1').update(octets).digest();
const none = Buffer.alloc(0);

const encode = (fields: OcspResponseFields = {}): Buffer => root.ocspResponse({ certificate: client, ...fields });

function decode(fields: OcspResponseFields = {}): BasicOcspResponse {
  const response = decodeOcspResponse(encode(fields));
  if (response.status !== 'successful') throw new Error(response.status);
  return response.basic;
}

function reasonOf(fields: OcspResponseFields): string {
  try {
    decodeOcspResponse(encode(fields));
  } catch (error) {
    if (error instanceof DerError) return error.reason;
    throw error;
  }
  return 'decoded';
}

const extension = (type: string, critical = false, value: Uint8Array = der.null()) => ({ oid: type, critical, value });

describe('an OCSP response', () => {
  it('says everything a good answer has', () => {
    const bytes = encode();
    const basic = decode();
    expect(basic).toEqual({
      tbs: basic.tbs,
      signatureAlgorithm: {
        algorithm: expect.objectContaining({ name: 'ECDSA with sha256' }),
        oid: '1.2.840.10045.4.3.2',
      },
      signature: basic.signature,
      responderId: { keyHash: sha1(issuer.publicKeyBits).toString('latin1') },
      producedAt: TEST_TIME.getTime(),
      responses: [
        {
          certId: {
            hashAlgorithm: oid('1.3.14.3.2.26'),
            issuerNameHash: sha1(root.subject),
            issuerKeyHash: sha1(issuer.publicKeyBits),
            serialNumber: new Certificate(client.der).serialNumberOctets,
          },
          status: { type: 'good' },
          thisUpdate: TEST_TIME.getTime() - 3_600_000,
          nextUpdate: daysFromTestTime(1).getTime(),
          unsupportedCritical: [],
        },
      ],
      nonce: undefined,
      unsupportedCritical: [],
      certificates: [],
    });
    expect(bytes.includes(basic.tbs.subarray(0, 40))).toBe(true);
  });

  it('has the octets that were signed, and the signature', () => {
    const tbs = der.sequence(der.explicit(1, root.subject), der.generalizedTime(TEST_TIME), der.sequence());
    const basic = decode({ raw: { tbsResponseData: tbs, signature: der.bitString(Buffer.of(1, 2, 3)) } });
    expect(basic.tbs).toEqual(tbs);
    expect(basic.signature).toEqual(Buffer.of(1, 2, 3));
    expect(basic.responses).toEqual([]);
  });

  it.each(['malformedRequest', 'internalError', 'tryLater', 'sigRequired', 'unauthorized'] as const)(
    'OC-07: may be the error %s, without an answer',
    (responseStatus) => {
      expect(decodeOcspResponse(encode({ responseStatus }))).toEqual({ status: responseStatus });
    },
  );

  it.each([
    ['4, which no status has', der.tlv(0x0a, Buffer.of(4)), 'responseStatus is not known'],
    ['7', der.tlv(0x0a, Buffer.of(7)), 'responseStatus is not known'],
    ['negative', der.tlv(0x0a, Buffer.of(0xff)), 'responseStatus is negative'],
    ['not minimal', der.tlv(0x0a, Buffer.of(0, 0)), 'responseStatus is not minimal'],
    ['an INTEGER', der.integer(0), 'responseStatus expected'],
    ['absent', none, 'responseStatus expected'],
  ])('is malformed with a status that is %s', (_, responseStatus, reason) => {
    expect(reasonOf({ raw: { responseStatus } })).toBe(reason);
  });

  it('is malformed when it is an error with an answer, or successful without one', () => {
    const tryLater = der.tlv(0x0a, Buffer.of(3));
    expect(reasonOf({ raw: { responseStatus: tryLater } })).toBe('unexpected data after responseStatus of an error');
    expect(reasonOf({ raw: { responseBytes: none } })).toBe('responseBytes expected');
  });

  it.each<[string, OcspResponseFields, string]>([
    ['another response type', { raw: { responseType: der.oid('1.2.3') } }, 'responseType is not id-pkix-ocsp-basic'],
    ['version 1 written out', { raw: { version: der.explicit(0, der.integer(0)) } }, 'version is not 1'],
    ['version 2', { raw: { version: der.explicit(0, der.integer(1)) } }, 'version is not 1'],
    ['no responderID', { raw: { responderID: none } }, 'responderID expected'],
    ['a responderID [3]', { raw: { responderID: der.explicit(3, der.null()) } }, 'responderID expected'],
    [
      'something behind the name of the responderID',
      { raw: { responderID: der.explicit(1, root.subject, der.null()) } },
      'unexpected data after responderID',
    ],
    [
      'something behind the key hash of the responderID',
      { raw: { responderID: der.explicit(2, der.octetString(none), der.null()) } },
      'unexpected data after responderID',
    ],
    ['producedAt as UTCTime', { raw: { producedAt: der.utcTime(TEST_TIME) } }, 'producedAt is not a GeneralizedTime'],
    [
      'DR-13: a thisUpdate with fractions',
      { rawSingle: { thisUpdate: der.generalizedTime('20260601120000.5Z') } },
      'thisUpdate is not a UTCTime or GeneralizedTime of full seconds in UTC',
    ],
    [
      'a nextUpdate as UTCTime',
      { rawSingle: { nextUpdate: der.explicit(0, der.utcTime(TEST_TIME)) } },
      'nextUpdate is not a GeneralizedTime',
    ],
    [
      'two times in nextUpdate',
      { rawSingle: { nextUpdate: der.explicit(0, der.generalizedTime(TEST_TIME), der.null()) } },
      'unexpected data after nextUpdate',
    ],
    ['a good that is not NULL', { rawSingle: { certStatus: der.implicit(0, Buffer.of(0)) } }, 'certStatus is not NULL'],
    [
      'an unknown that is not NULL',
      { rawSingle: { certStatus: der.implicit(2, Buffer.of(0)) } },
      'certStatus is not NULL',
    ],
    ['a status [3]', { rawSingle: { certStatus: der.implicit(3, none) } }, 'certStatus expected'],
    [
      'a revoked without a time',
      { rawSingle: { certStatus: der.explicit(1) } },
      'revocationTime is not a GeneralizedTime',
    ],
    [
      'a reason 7, which is no reason',
      { status: { revokedAt: TEST_TIME, reason: 7 } },
      'revocationReason is not known',
    ],
    ['a reason 11', { status: { revokedAt: TEST_TIME, reason: 11 } }, 'revocationReason is not known'],
    [
      'something behind a SingleResponse',
      { rawSingle: { singleExtensions: der.null() } },
      'unexpected data after singleExtensions',
    ],
    [
      'something behind the ResponseData',
      { raw: { responseExtensions: der.null() } },
      'unexpected data after responseExtensions',
    ],
    [
      'DR-05: empty extensions',
      { raw: { responseExtensions: der.explicit(1, der.sequence()) } },
      'extensions are empty',
    ],
    [
      'DR-04: an extension twice',
      { responseExtensions: [extension('1.2.3'), extension('1.2.3')] },
      'extension is repeated',
    ],
    [
      'DR-08: an extension that nests too deeply',
      { responseExtensions: [extension('1.2.3', false, nested(40))] },
      'nested too deeply',
    ],
    ['an empty nonce', { nonce: none }, 'nonce has not 1 to 128 octets'],
    ['a nonce of 129 octets', { nonce: Buffer.alloc(129) }, 'nonce has not 1 to 128 octets'],
    ['a nonce that is no OCTET STRING', { responseExtensions: [extension('1.3.6.1.5.5.7.48.1.2')] }, 'nonce expected'],
    [
      'a signature with unused bits',
      { raw: { signature: der.bitString(Buffer.of(0x80), 7) } },
      'signature has unused bits',
    ],
    ['OC-02: no signature', { raw: { signature: none } }, 'signature expected'],
    ['certs that are no list', { raw: { certs: der.explicit(0, der.null()) } }, 'certs expected'],
    [
      'certs that are no certificates',
      { raw: { certs: der.explicit(0, der.sequence(der.null())) } },
      'certs: certificate expected',
    ],
    ['something behind certs', { raw: { certs: der.null() } }, 'certs expected'],
    [
      'a CertID without a key hash',
      {
        rawSingle: {
          certID: der.sequence(der.sequence(der.oid('1.3.14.3.2.26')), der.octetString(none), der.integer(1)),
        },
      },
      'issuerKeyHash expected',
    ],
    ['a serial number that is not minimal', { serialNumber: Buffer.of(0, 1) }, 'serialNumber is not minimal'],
  ])('is malformed with %s', (_, fields, reason) => {
    expect(reasonOf(fields)).toBe(reason);
  });

  it('names its responder by a name, equal for equal names', () => {
    const { responderId } = decode({ responderId: 'name' });
    expect(responderId).toEqual({ nameKey: issuer.subjectKey });
  });

  it.each<RevocationReasonName>([
    'unspecified',
    'keyCompromise',
    'cACompromise',
    'affiliationChanged',
    'superseded',
    'cessationOfOperation',
    'certificateHold',
    'removeFromCRL',
    'privilegeWithdrawn',
    'aACompromise',
  ])('says that a certificate is revoked for the reason %s', (reason) => {
    const revokedAt = daysFromTestTime(-3);
    const [single] = decode({ status: { revokedAt, reason } }).responses;
    expect(single?.status).toEqual({ type: 'revoked', revokedAt: revokedAt.getTime(), reason });
  });

  it('may revoke without a reason, and may not know', () => {
    const revokedAt = daysFromTestTime(-3);
    const { responses } = decode({ responses: [{ status: { revokedAt } }, { status: 'unknown' }] });
    expect(responses.map(({ status }) => status)).toEqual([
      { type: 'revoked', revokedAt: revokedAt.getTime(), reason: undefined },
      { type: 'unknown' },
    ]);
  });

  it('may leave out nextUpdate', () => {
    expect(decode({ nextUpdate: 'absent' }).responses[0]?.nextUpdate).toBeUndefined();
  });

  it.each([1, 32, 128])('has a nonce of %i octets', (length) => {
    const nonce = Buffer.alloc(length, 7);
    expect(decode({ nonce })).toMatchObject({ nonce, unsupportedCritical: [] });
  });

  it('OC-09: lists critical extensions that are not processed, of the response and of each answer', () => {
    const basic = decode({
      responseExtensions: [extension('1.2.3', true), extension('1.2.4')],
      responses: [{ singleExtensions: [extension('1.2.5', true)] }, { singleExtensions: [extension('1.2.6')] }],
    });
    expect(basic.unsupportedCritical).toEqual(['1.2.3']);
    expect(basic.responses.map(({ unsupportedCritical }) => unsupportedCritical)).toEqual([['1.2.5'], []]);
  });

  it('reads a CertID of any digest, with and without parameters', () => {
    const certID = der.sequence(
      der.sequence(der.oid('1.2.3')),
      der.octetString(Buffer.of(1)),
      der.octetString(none),
      der.integer(-5),
    );
    expect(decode({ rawSingle: { certID } }).responses[0]?.certId).toEqual({
      hashAlgorithm: oid('1.2.3'),
      issuerNameHash: Buffer.of(1),
      issuerKeyHash: none,
      serialNumber: Buffer.of(0xfb),
    });
  });

  it('encloses up to 10 certificates, whatever they are', () => {
    const certificates = [root, client, { der: der.sequence() }];
    expect(decode({ certificates }).certificates).toEqual(certificates.map((certificate) => certificate.der));
    const many = Array.from({ length: 10 }, () => ({ der: der.sequence() }));
    expect(decode({ certificates: many }).certificates).toHaveLength(10);
    expect(reasonOf({ certificates: [...many, root] })).toBe('too many certs');
  });

  it('holds up to 100 answers', () => {
    const responses = Array.from({ length: 100 }, () => ({}));
    expect(decode({ responses }).responses).toHaveLength(100);
    expect(reasonOf({ responses: [...responses, {}] })).toBe('too many responses');
  });

  it('has at most 65,536 octets', () => {
    const signature = der.bitString(Buffer.alloc(70));
    const ofLength = (octets: number): Buffer =>
      encode({ raw: { signature }, certificates: [{ der: der.tlv(0x30, Buffer.alloc(octets)) }] });
    const overhead = ofLength(65_000).length - 65_000;
    const largest = ofLength(maxOcspResponseOctets - overhead);
    expect(largest).toHaveLength(maxOcspResponseOctets);
    expect(decodeOcspResponse(largest).status).toBe('successful');
    const larger = ofLength(maxOcspResponseOctets - overhead + 1);
    expect(() => decodeOcspResponse(larger)).toThrow(new DerError('OCSP response is too large', 0));
  });

  describe('DR-01: has nothing behind', () => {
    const nothing = der.null();
    const basicDerOf = (bytes: Buffer): Buffer => {
      const response = new DerReader(bytes).enter(Tag.sequence, '');
      const octets = response.read().enter(0xa0, '').enter(Tag.sequence, '').read().read();
      return bytes.subarray(octets.start, octets.end);
    };
    const responseType = der.oid('1.3.6.1.5.5.7.48.1.1');
    const responseBytes = der.sequence(responseType, der.octetString(basicDerOf(encode())));
    const time = der.generalizedTime(TEST_TIME);
    const reason = der.tlv(0x0a, Buffer.of(1));
    const digests = [der.octetString(none), der.octetString(none), der.integer(1)];
    const sha1Algorithm = der.oid('1.3.14.3.2.26');

    it('the whole', () => {
      expect(() => decodeOcspResponse(Buffer.concat([encode(), Buffer.of(0)]))).toThrow(
        'unexpected data after OCSPResponse',
      );
    });

    it.each<[string, OcspResponseFields, string]>([
      [
        'responseBytes',
        { raw: { responseBytes: Buffer.concat([der.explicit(0, responseBytes), nothing]) } },
        'responseBytes',
      ],
      [
        'what is in responseBytes',
        { raw: { responseBytes: der.explicit(0, responseBytes, nothing) } },
        'responseBytes',
      ],
      [
        'response',
        {
          raw: {
            responseBytes: der.explicit(0, der.sequence(responseType, der.octetString(basicDerOf(encode())), nothing)),
          },
        },
        'response',
      ],
      [
        'BasicOCSPResponse',
        {
          raw: {
            responseBytes: der.explicit(
              0,
              der.sequence(responseType, der.octetString(Buffer.concat([basicDerOf(encode()), nothing]))),
            ),
          },
        },
        'BasicOCSPResponse',
      ],
      ['certs', { raw: { certs: Buffer.concat([der.explicit(0, der.sequence()), nothing]) } }, 'certs'],
      ['the list in certs', { raw: { certs: der.explicit(0, der.sequence(), nothing) } }, 'certs'],
      [
        'the list in responseExtensions',
        {
          raw: {
            responseExtensions: der.explicit(
              1,
              der.sequence(der.sequence(sha1Algorithm, digests[0] as Buffer)),
              nothing,
            ),
          },
        },
        'responseExtensions',
      ],
      [
        'a nonce',
        {
          responseExtensions: [
            extension('1.3.6.1.5.5.7.48.1.2', false, Buffer.concat([der.octetString(Buffer.of(1)), nothing])),
          ],
        },
        'extension value',
      ],
      ['a CertID', { rawSingle: { certID: der.sequence(der.sequence(sha1Algorithm), ...digests, nothing) } }, 'CertID'],
      [
        'parameters of hashAlgorithm',
        { rawSingle: { certID: der.sequence(der.sequence(sha1Algorithm, nothing, nothing), ...digests) } },
        'hashAlgorithm',
      ],
      ['revocationTime', { rawSingle: { certStatus: der.explicit(1, time, nothing) } }, 'RevokedInfo'],
      [
        'revocationReason',
        { rawSingle: { certStatus: der.explicit(1, time, der.explicit(0, reason, nothing)) } },
        'revocationReason',
      ],
    ])('%s', (_, fields, what) => {
      expect(reasonOf(fields)).toBe(`unexpected data after ${what}`);
    });
  });

  it('is malformed when it is cut anywhere', () => {
    const bytes = encode({ certificates: [root], nonce: Buffer.alloc(32) });
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeOcspResponse(bytes.subarray(0, length))).toThrow(DerError);
    }
  });

  it('RV-10: is malformed when it is a page or compressed', () => {
    for (const bytes of [Buffer.from('<!doctype html><title>503</title>'), Buffer.from('1f8b0800', 'hex'), none]) {
      expect(() => decodeOcspResponse(bytes)).toThrow(DerError);
    }
  });
});
