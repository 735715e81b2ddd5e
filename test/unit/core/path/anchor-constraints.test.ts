import crypto from 'node:crypto';
import {
  type Authenticator,
  type CertificateRequest,
  type Outcome,
  TrustStore,
  validatePath,
  type ValidatePathInput,
  type ValidationRules,
  type VerifiedPath,
} from '@peercert/core';
import {
  type CertificateFields,
  cloudFrontHeaders,
  createAuthority,
  daysFromTestTime,
  der,
  TEST_TIME,
  type TestAuthority,
  type TestCertificate,
} from '@peercert/testkit';
import { maxNameComparisons } from '../../../../packages/core/src/path/name-constraints';
import type { AnchorConstraints } from '../../../../packages/core/src/trust/anchor-constraints';
import { behindEdge, fromEdge } from '../../../support/requests';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const root = createAuthority({ subject: 'CN=Root' });
const ignore: ValidationRules = { anchor: 'ignore' };
const bothRules: readonly [string, ValidationRules][] = [
  ["whose certificate's own word holds", {}],
  ["whose certificate's own word is ignored", ignore],
];

const storeOf = (anchor: { readonly der: Buffer }, constraints: AnchorConstraints): TrustStore => {
  return TrustStore.fromDer([anchor.der], { constraints });
};

/** Validates a certificate with its chain below an anchor held to something. */
function validateUnder(
  constraints: AnchorConstraints,
  certificate: TestCertificate,
  options: Partial<ValidatePathInput> = {},
  anchor: TestAuthority = root,
): Promise<VerifiedPath> {
  return validatePath({
    endEntity: certificate.der,
    intermediates: certificate.chain,
    trust: storeOf(anchor, constraints),
    time: TEST_TIME,
    ...options,
  });
}

const length = (path: Promise<VerifiedPath>): Promise<number> => path.then(({ certificates }) => certificates.length);

describe.each(bothRules)('the path length of an anchor %s', (_, rules) => {
  const one = root.issueIntermediate({ subject: 'CN=One' });
  const two = one.issueIntermediate({ subject: 'CN=Two' });

  it('permits as many intermediates, and no more', async () => {
    await expect(length(validateUnder({ maxPathLength: 0 }, root.issue(), { rules }))).resolves.toBe(2);
    await expect(length(validateUnder({ maxPathLength: 1 }, one.issue(), { rules }))).resolves.toBe(3);
    await expect(length(validateUnder({ maxPathLength: 2 }, two.issue(), { rules }))).resolves.toBe(4);
    await expect(validateUnder({ maxPathLength: 0 }, one.issue(), { rules })).toRejectWith('ERR_PATH_LENGTH_EXCEEDED', {
      depth: 2,
      pathLenConstraint: 0,
    });
    await expect(validateUnder({ maxPathLength: 1 }, two.issue(), { rules })).toRejectWith('ERR_PATH_LENGTH_EXCEEDED', {
      depth: 3,
      pathLenConstraint: 1,
    });
  });

  it('does not count self-issued intermediates', async () => {
    const renewed = root.issueIntermediate({ subject: root.subject });
    await expect(length(validateUnder({ maxPathLength: 0 }, renewed.issue(), { rules }))).resolves.toBe(3);
  });

  it('is not got around by presenting the anchor among the intermediates', async () => {
    const intermediates = [one.der, root.der];
    await expect(validateUnder({ maxPathLength: 0 }, one.issue(), { rules, intermediates })).toRejectWith(
      'ERR_PATH_LENGTH_EXCEEDED',
      { depth: 2, pathLenConstraint: 0 },
    );
  });
});

describe('the path length of an anchor', () => {
  it('holds besides that of its certificate, whichever is less', async () => {
    const short = createAuthority({ subject: 'CN=Short', basicConstraints: { ca: true, pathLenConstraint: 0 } });
    const below = short.issueIntermediate({ subject: 'CN=Below' });
    await expect(validateUnder({ maxPathLength: 5 }, below.issue(), {}, short)).toRejectWith(
      'ERR_PATH_LENGTH_EXCEEDED',
      {
        depth: 2,
        pathLenConstraint: 0,
      },
    );
    await expect(length(validateUnder({ maxPathLength: 5 }, below.issue(), { rules: ignore }, short))).resolves.toBe(3);
  });
});

describe.each(bothRules)('the purposes of an anchor %s', (_, rules) => {
  const leaf = root.issue({ extKeyUsage: ['clientAuth', 'serverAuth'] });

  it.each(['clientAuth', 'serverAuth'] as const)('permit %s where they have it, and not otherwise', async (purpose) => {
    const other = purpose === 'clientAuth' ? 'serverAuth' : 'clientAuth';
    const options = { rules, extKeyUsage: purpose };
    for (const extKeyUsage of [[purpose], [other, purpose], ['2.5.29.37.0'], ['1.2.3', '2.5.29.37.0']]) {
      await expect(length(validateUnder({ extKeyUsage }, leaf, options))).resolves.toBe(2);
    }
    for (const extKeyUsage of [[other], ['1.3.6.1.5.5.7.3.3'], ['1.2.3', other]]) {
      await expect(validateUnder({ extKeyUsage }, leaf, options)).toRejectWith('ERR_CERTIFICATE_USAGE_NOT_PERMITTED', {
        depth: 1,
        extension: 'extKeyUsage',
        required: purpose,
      });
    }
  });

  it('are not looked at where no purpose is required', async () => {
    const options = { rules, extKeyUsage: 'not-checked' } as const;
    await expect(length(validateUnder({ extKeyUsage: ['1.2.3'] }, leaf, options))).resolves.toBe(2);
  });
});

describe.each(bothRules)('names below an anchor %s', (_, rules) => {
  const refused = (depth: number, type: string) => ['ERR_CERTIFICATE_NAME_NOT_PERMITTED', { depth, type }] as const;
  const names: AnchorConstraints = {
    permittedNames: { dns: ['example.com'], directory: ['O=Partner,C=NL'], ip: ['10.0.0.0/8', '2001:db8::/32'] },
    excludedNames: { dns: ['secret.example.com'], uri: [''], email: [''] },
  };
  const under = (fields: CertificateFields): Promise<VerifiedPath> => {
    return validateUnder(names, root.issue({ subject: 'C=NL,O=Partner,CN=a', ...fields }), { rules });
  };

  it.each<[string, CertificateFields]>([
    ['a permitted subject', {}],
    ['a permitted subject in another spelling', { subject: 'C=nl,O= PARTNER ,CN=a' }],
    [
      'permitted names of every kind',
      { dnsNames: ['a.example.com', 'example.com'], ipAddresses: ['10.9.8.7', '2001:db8::1'] },
    ],
    ['no subject and a permitted host', { subject: '', dnsNames: ['example.com'] }],
    // As in RFC 5280: what is not there is not constrained.
    [
      'no subject, and no name of a permitted kind',
      { subject: '', subjectAltName: der.sequence(der.implicit(8, Buffer.of(0x2a, 3))) },
    ],
  ])('may be %s', async (__, fields) => {
    await expect(length(under(fields))).resolves.toBe(2);
  });

  it.each<[string, CertificateFields, string]>([
    ['another subject', { subject: 'C=NL,O=Other' }, 'directory'],
    ['a subject that begins otherwise', { subject: 'O=Partner,C=NL' }, 'directory'],
    ['a subject without the last part', { subject: 'C=NL' }, 'directory'],
    ['another host', { dnsNames: ['a.example.com', 'example.net'] }, 'dns'],
    ['an excluded host', { dnsNames: ['secret.example.com'] }, 'dns'],
    ['a wildcard over an excluded host', { dnsNames: ['*.example.com'] }, 'dns'],
    ['a common name that looks like another host', { subject: 'C=NL,O=Partner,CN=www.example.net' }, 'dns'],
    ['another address', { ipAddresses: ['11.0.0.1'] }, 'ip'],
    ['another address of version 6', { ipAddresses: ['2001:db9::1'] }, 'ip'],
    ['any URI, where all are excluded', { uris: ['https://example.com/'] }, 'uri'],
    ['any mailbox, where all are excluded', { emails: ['a@example.com'] }, 'email'],
    ['another directoryName beside the subject', { directoryNames: ['CN=root'] }, 'directory'],
  ])('may not be %s', async (__, fields, type) => {
    await expect(under(fields)).toRejectWith(...refused(0, type));
  });

  it('may not be what looks like an excluded subject', async () => {
    const constraints = { excludedNames: { directory: ['CN=Straße'] } };
    for (const subject of ['CN=STRASSE', 'CN=straße', 'CN=Stra\u00adsse,O=a']) {
      await expect(validateUnder(constraints, root.issue({ subject }), { rules })).toRejectWith(
        ...refused(0, 'directory'),
      );
    }
    await expect(length(validateUnder(constraints, root.issue({ subject: 'CN=Gasse' }), { rules }))).resolves.toBe(2);
  });

  it('hold for intermediates too, unless they are self-issued', async () => {
    const constraints: AnchorConstraints = { permittedNames: { directory: ['O=Partner'] } };
    const partner = root.issueIntermediate({ subject: 'O=Partner,CN=CA' });
    const other = root.issueIntermediate({ subject: 'CN=Other' });
    const renewed = root.issueIntermediate({ subject: root.subject });
    const fields = { subject: 'O=Partner,CN=a' };
    await expect(length(validateUnder(constraints, partner.issue(fields), { rules }))).resolves.toBe(3);
    await expect(length(validateUnder(constraints, renewed.issue(fields), { rules }))).resolves.toBe(3);
    await expect(validateUnder(constraints, other.issue(fields), { rules })).toRejectWith(...refused(1, 'directory'));
    await expect(validateUnder(constraints, renewed.issue({ subject: root.subject }), { rules })).toRejectWith(
      ...refused(0, 'directory'),
    );
  });

  it('of a kind that is not listed may be any', async () => {
    const constraints: AnchorConstraints = { permittedNames: { dns: ['example.com'] } };
    const stranger = root.issue({ subject: 'CN=anybody', uris: ['https://example.net/'] });
    await expect(length(validateUnder(constraints, stranger, { rules }))).resolves.toBe(2);
  });
});

describe('names below an anchor', () => {
  it("must be permitted by the operator and by the anchor's certificate", async () => {
    const constrained = createAuthority({
      subject: 'CN=Constrained',
      nameConstraints: { permitted: { dnsNames: ['a.example'] } },
    });
    const named = (...dnsNames: string[]): TestCertificate => constrained.issue({ dnsNames });
    const under = (dns: string, leaf: TestCertificate, rules: ValidationRules = {}): Promise<VerifiedPath> => {
      return validateUnder({ permittedNames: { dns: [dns] } }, leaf, { rules }, constrained);
    };
    const refusal = ['ERR_CERTIFICATE_NAME_NOT_PERMITTED', { depth: 0, type: 'dns' }] as const;
    await expect(length(under('b.a.example', named('b.a.example')))).resolves.toBe(2);
    await expect(under('b.a.example', named('c.a.example'))).toRejectWith(...refusal);
    await expect(under('example', named('b.example'))).toRejectWith(...refusal);
    await expect(length(under('example', named('b.example'), ignore))).resolves.toBe(2);
  });

  it('PA-13: count against the budget for comparisons', async () => {
    const dns = Array.from({ length: 4_096 }, (_, index) => `host-${index}.example`);
    const leaf = root.issue({ subject: '', dnsNames: Array.from({ length: 62 }, () => 'a.example') });
    await expect(validateUnder({ excludedNames: { dns } }, leaf)).toRejectWith('ERR_PATH_BUDGET_EXCEEDED', {
      limit: 'name-comparisons',
      maximum: maxNameComparisons,
    });
    const fewer = root.issue({ subject: '', dnsNames: Array.from({ length: 61 }, () => 'a.example') });
    await expect(length(validateUnder({ excludedNames: { dns } }, fewer))).resolves.toBe(2);
  });
});

describe('the end of trust in an anchor', () => {
  const leaf = root.issue();
  const old = createAuthority({ subject: 'CN=Old', notAfter: daysFromTestTime(-1) });
  const young = createAuthority({ subject: 'CN=Young', notBefore: daysFromTestTime(1) });
  const later = (date: Date, ms: number): Date => new Date(date.getTime() + ms);

  it.each(bothRules)('is a date, this instant included, for one %s', async (_, rules) => {
    const expiry = daysFromTestTime(10);
    await expect(length(validateUnder({ expiry }, leaf, { rules, time: expiry }))).resolves.toBe(2);
    const time = later(expiry, 1);
    await expect(validateUnder({ expiry }, leaf, { rules, time })).toRejectWith('ERR_CERTIFICATE_EXPIRED', {
      depth: 1,
      time,
      notAfter: expiry,
    });
  });

  it.each(bothRules)("may be later than its certificate's notAfter, for one %s", async (_, rules) => {
    const expiry = daysFromTestTime(10);
    const client = old.issue();
    await expect(length(validateUnder({ expiry }, client, { rules, time: expiry }, old))).resolves.toBe(2);
    const time = later(expiry, 1);
    await expect(validateUnder({ expiry }, client, { rules, time }, old)).toRejectWith('ERR_CERTIFICATE_EXPIRED', {
      depth: 1,
      time,
      notAfter: expiry,
    });
  });

  it("is its certificate's notAfter, or never where that is ignored", async () => {
    const refusal = { depth: 1, time: TEST_TIME, notAfter: daysFromTestTime(-1) };
    for (const constraints of [{}, { expiry: 'enforce' }, { maxPathLength: 3 }] as const) {
      await expect(validateUnder(constraints, old.issue(), {}, old)).toRejectWith('ERR_CERTIFICATE_EXPIRED', refusal);
      await expect(length(validateUnder(constraints, old.issue(), { rules: ignore }, old))).resolves.toBe(2);
    }
    await expect(length(validateUnder({ expiry: 'ignore' }, old.issue(), {}, old))).resolves.toBe(2);
  });

  it('says nothing of its beginning', async () => {
    const refusal = { depth: 1, time: TEST_TIME, notBefore: daysFromTestTime(1) };
    for (const expiry of ['ignore', daysFromTestTime(10)] as const) {
      await expect(validateUnder({ expiry }, young.issue(), {}, young)).toRejectWith(
        'ERR_CERTIFICATE_NOT_YET_VALID',
        refusal,
      );
      await expect(length(validateUnder({ expiry }, young.issue(), { rules: ignore }, young))).resolves.toBe(2);
    }
  });

  it('says nothing of the certificates below it', async () => {
    const expired = root.issue({ notAfter: daysFromTestTime(-1), notBefore: daysFromTestTime(-9) });
    await expect(validateUnder({ expiry: 'ignore' }, expired)).toRejectWith('ERR_CERTIFICATE_EXPIRED', {
      depth: 0,
      time: TEST_TIME,
      notAfter: daysFromTestTime(-1),
    });
    const below = root.issueIntermediate({ notAfter: daysFromTestTime(-1) });
    await expect(validateUnder({ expiry: 'ignore' }, below.issue())).toRejectWith('ERR_CERTIFICATE_EXPIRED', {
      depth: 1,
      time: TEST_TIME,
      notAfter: daysFromTestTime(-1),
    });
  });

  it('bounds the path', async () => {
    const span = async (
      constraints: AnchorConstraints,
      rules: ValidationRules,
      anchor = root,
    ): Promise<readonly Date[]> => {
      const { validFrom, validUntil } = await validateUnder(constraints, anchor.issue(), { rules }, anchor);
      return [validFrom, validUntil];
    };
    const [from, until] = [daysFromTestTime(-1), daysFromTestTime(365)];
    const short = createAuthority({ notBefore: daysFromTestTime(-0.5), notAfter: daysFromTestTime(7) });
    for (const rules of [{}, ignore]) {
      expect(await span({ expiry: daysFromTestTime(3) }, rules)).toEqual([from, daysFromTestTime(3)]);
      expect(await span({ expiry: daysFromTestTime(400) }, rules)).toEqual([from, until]);
      expect(await span({ expiry: 'ignore' }, rules)).toEqual([from, until]);
    }
    expect(await span({}, {}, short)).toEqual([daysFromTestTime(-0.5), daysFromTestTime(7)]);
    expect(await span({ expiry: 'ignore' }, {}, short)).toEqual([daysFromTestTime(-0.5), until]);
    expect(await span({ expiry: daysFromTestTime(30) }, {}, short)).toEqual([
      daysFromTestTime(-0.5),
      daysFromTestTime(30),
    ]);
    expect(await span({}, ignore, short)).toEqual([from, until]);
    expect(await span({}, ignore, old)).toEqual([from, until]);
    expect(await span({ expiry: 'ignore' }, {}, old)).toEqual([from, until]);
  });
});

describe('an anchor held to several things', () => {
  const union = (...constraints: readonly AnchorConstraints[]): TrustStore => {
    return TrustStore.union(constraints.map((each) => storeOf(root, each)));
  };
  const validated = (trust: TrustStore, certificate: TestCertificate, time = TEST_TIME): Promise<VerifiedPath> => {
    return validatePath({ endEntity: certificate.der, intermediates: certificate.chain, trust, time });
  };

  it('is held to each', async () => {
    const trust = union(
      { permittedNames: { dns: ['example.com'] } },
      { permittedNames: { dns: ['a.example.com', 'b.example'] } },
    );
    await expect(length(validated(trust, root.issue({ dnsNames: ['a.example.com'] })))).resolves.toBe(2);
    for (const dnsNames of [['b.example'], ['c.example.com']]) {
      await expect(validated(trust, root.issue({ dnsNames }))).toRejectWith('ERR_CERTIFICATE_NAME_NOT_PERMITTED', {
        depth: 0,
        type: 'dns',
      });
    }
    const lengths = union({ maxPathLength: 3 }, { maxPathLength: 0 });
    await expect(validated(lengths, root.issueIntermediate().issue())).toRejectWith('ERR_PATH_LENGTH_EXCEEDED', {
      depth: 2,
      pathLenConstraint: 0,
    });
    const purposes = union({ extKeyUsage: ['clientAuth'] }, { extKeyUsage: ['serverAuth'] });
    await expect(validated(purposes, root.issue())).toRejectWith('ERR_CERTIFICATE_USAGE_NOT_PERMITTED', {
      depth: 1,
      extension: 'extKeyUsage',
      required: 'clientAuth',
    });
  });

  it('ends with the first of them', async () => {
    const [first, second] = [daysFromTestTime(3), daysFromTestTime(5)];
    for (const trust of [
      union({ expiry: first }, { expiry: second }),
      union({ expiry: 'ignore' }, { expiry: first }),
    ]) {
      expect((await validated(trust, root.issue())).validUntil).toEqual(first);
      await expect(validated(trust, root.issue(), new Date(first.getTime() + 1))).toRejectWith(
        'ERR_CERTIFICATE_EXPIRED',
        {
          depth: 1,
          time: new Date(first.getTime() + 1),
          notAfter: first,
        },
      );
    }
  });

  it('leaves another anchor as it is', async () => {
    const free = createAuthority({ subject: 'CN=Free' });
    const trust = TrustStore.union([storeOf(root, { extKeyUsage: ['serverAuth'] }), TrustStore.fromDer([free.der])]);
    await expect(length(validated(trust, free.issue()))).resolves.toBe(2);
    await expect(validated(trust, root.issue())).rejects.toMatchObject({ code: 'ERR_CERTIFICATE_USAGE_NOT_PERMITTED' });
  });

  it('PA-20: leaves another path, to an anchor that is held to less', async () => {
    const free = createAuthority({ subject: 'CN=Free' });
    const intermediate = root.issueIntermediate({ subject: 'CN=Intermediate' });
    const crossSigned = free.crossSign(intermediate);
    const trust = TrustStore.union([storeOf(root, { maxPathLength: 0 }), TrustStore.fromDer([free.der])]);
    const leaf = intermediate.issue();
    for (const intermediates of [
      [intermediate.der, crossSigned.der],
      [crossSigned.der, intermediate.der],
    ]) {
      const path = await validatePath({ endEntity: leaf.der, intermediates, trust, time: TEST_TIME });
      expect(Buffer.from(path.certificates.at(-1) as Uint8Array)).toEqual(free.der);
    }
  });
});

describe('a remembered verdict', () => {
  let verifications: jest.SpyInstance;
  beforeEach(() => {
    verifications = jest.spyOn(crypto, 'verify');
  });
  afterEach(() => verifications.mockRestore());

  const client = root.issue({ uris: ['urn:client'] });
  const request = (certificate = client): CertificateRequest => {
    return fromEdge(...cloudFrontHeaders(certificate, { chain: certificate.chain }).flat());
  };
  const verdictOf = async (authenticator: Authenticator, of = request()): Promise<unknown> => {
    const outcome: Outcome = await authenticator.authenticate(of);
    if (outcome.status === 'rejected') return [outcome.error.code, outcome.error.details];
    return outcome.status === 'authenticated' ? outcome.identity.uris : outcome.status;
  };

  it.each(bothRules)('CA-04: ends when trust in the anchor does, of one %s', async (_, rules) => {
    const expiry = new Date(TEST_TIME.getTime() + 10_000);
    let now = TEST_TIME.getTime();
    const authenticator = behindEdge(storeOf(root, { expiry }), { rules, clock: () => now });
    await expect(verdictOf(authenticator)).resolves.toEqual(['urn:client']);
    now = expiry.getTime();
    await expect(verdictOf(authenticator)).resolves.toEqual(['urn:client']);
    // Remembered: nothing was verified again.
    expect(verifications).toHaveBeenCalledTimes(1);
    now += 1;
    await expect(verdictOf(authenticator)).resolves.toEqual([
      'ERR_CERTIFICATE_EXPIRED',
      { depth: 1, time: new Date(now), notAfter: expiry },
    ]);
  });

  it.each<[string, AnchorConstraints, ValidationRules]>([
    ['trusted for ever', { expiry: 'ignore' }, {}],
    ['trusted until a later date', { expiry: daysFromTestTime(1) }, {}],
    ["whose certificate's own word is ignored", {}, ignore],
  ])('is remembered below an expired anchor %s', async (_, constraints, rules) => {
    const old = createAuthority({ subject: 'CN=Old', notAfter: daysFromTestTime(-1) });
    const authenticator = behindEdge(storeOf(old, constraints), { rules });
    const of = request(old.issue({ uris: ['urn:old'] }));
    for (let count = 0; count < 3; count++) await expect(verdictOf(authenticator, of)).resolves.toEqual(['urn:old']);
    expect(verifications).toHaveBeenCalledTimes(1);
  });

  it("is remembered below an anchor that is not yet valid, where its certificate's own word is ignored", async () => {
    const young = createAuthority({ subject: 'CN=Young', notBefore: daysFromTestTime(1) });
    const authenticator = behindEdge([young], { rules: ignore });
    const of = request(young.issue({ uris: ['urn:young'] }));
    for (let count = 0; count < 2; count++) await expect(verdictOf(authenticator, of)).resolves.toEqual(['urn:young']);
    expect(verifications).toHaveBeenCalledTimes(1);
  });
});
