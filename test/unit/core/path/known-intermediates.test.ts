import { TrustStore } from '@peercert/core';
import { createAuthority, daysFromTestTime, der, TEST_TIME, type TestCertificate } from '@peercert/testkit';
import { KnownIntermediates } from '../../../../packages/core/src/path/known-intermediates';
import { findPath, type Validation } from '../../../../packages/core/src/path/validate-path';
import { resolveRules } from '../../../../packages/core/src/path/rules';
import { Certificate } from '../../../../packages/core/src/x509/certificate';

interface Minted {
  readonly der: Buffer;
}

const root = createAuthority({ subject: 'CN=Root' });
const intermediate = root.issueIntermediate({ subject: 'CN=Intermediate', notAfter: daysFromTestTime(10) });
const issuing = intermediate.issueIntermediate({ subject: 'CN=Issuing' });
const leaf = issuing.issue();
const trust = TrustStore.fromDer([root.der]);

/** Validates with what is known, and decodes what is presented by way of it, as an authenticator does. */
function find(
  known: KnownIntermediates,
  endEntity: Minted,
  presented: readonly Minted[],
  options: { readonly time?: Date; readonly trust?: TrustStore } = {},
): Validation {
  const validation = findPath({
    endEntity: Certificate.copyOf(endEntity.der),
    presented: presented.map((certificate) => known.decode(Buffer.from(certificate.der))),
    trust: options.trust ?? trust,
    time: (options.time ?? TEST_TIME).getTime(),
    requiredUsage: 'clientAuth',
    maxIntermediates: 8,
    policies: {},
    rules: resolveRules({}),
    known,
  });
  if (validation instanceof Promise) throw new TypeError('this path is verified off the event loop');
  return validation;
}

/** `'accepted'`, or the code and details of the refusal. */
function verdictOf(validation: Validation): object | string {
  if ('path' in validation) return 'accepted';
  const { code, details } = validation.refusal;
  return { code, details };
}

/** Knows the whole path of `leaf`. */
function afterSuccess(): KnownIntermediates {
  const known = new KnownIntermediates();
  expect(verdictOf(find(known, leaf, [issuing, intermediate]))).toBe('accepted');
  return known;
}

describe('an intermediate of a verified path', () => {
  it('is decoded once, and its signature is known', () => {
    const known = afterSuccess();
    const one = known.decode(Buffer.from(issuing.der));
    const other = known.decode(Buffer.from(intermediate.der));
    expect(known.decode(Buffer.from(issuing.der))).toBe(one);
    expect(known.isSignedBy(one, other)).toBe(true);
    expect(known.isSignedBy(other, trust.anchors[0] as Certificate)).toBe(true);
    expect(known.isSignedBy(other, one)).toBe(false);
    expect(known.isSignedBy(one, trust.anchors[0] as Certificate)).toBe(false);
  });

  it('gives the same path as a fresh one', () => {
    const validation = find(afterSuccess(), leaf, [issuing, intermediate]);
    const fresh = find(new KnownIntermediates(), leaf, [issuing, intermediate]);
    if (!('path' in validation && 'path' in fresh)) throw new TypeError('no path');
    expect(validation.path.certificates).toEqual(fresh.path.certificates);
  });

  it('is not a candidate: a certificate without its chain is refused after as before', () => {
    const known = afterSuccess();
    expect(verdictOf(find(known, leaf, []))).toEqual({
      code: 'ERR_PATH_ISSUER_UNKNOWN',
      details: { depth: 1, issuer: 'CN=Issuing' },
    });
    expect(verdictOf(find(known, leaf, [issuing]))).toEqual({
      code: 'ERR_PATH_ISSUER_UNKNOWN',
      details: { depth: 2, issuer: 'CN=Intermediate' },
    });
  });

  it.each<[string, Minted, readonly Minted[], Parameters<typeof find>[3]]>([
    ['when it has expired', leaf, [issuing, intermediate], { time: daysFromTestTime(11) }],
    [
      'when its anchor is no longer trusted',
      leaf,
      [issuing, intermediate],
      { trust: TrustStore.fromDer([createAuthority().der]) },
    ],
    [
      'when its anchor is a look-alike',
      leaf,
      [issuing, intermediate],
      { trust: TrustStore.fromDer([createAuthority({ subject: root.subject }).der]) },
    ],
    [
      'for a forged end-entity certificate',
      createAuthority({ subject: issuing.subject }).issue(),
      [issuing, intermediate],
      {},
    ],
    ['below a look-alike of its issuer', leaf, [issuing, createAuthority({ subject: intermediate.subject })], {}],
  ])('does not make a path good that a fresh one would not: %s', (_, endEntity, presented, options) => {
    const fresh = verdictOf(find(new KnownIntermediates(), endEntity, presented, options));
    expect(fresh).toEqual({ code: expect.stringMatching(/^ERR_/) as string, details: expect.anything() as object });
    expect(verdictOf(find(afterSuccess(), endEntity, presented, options))).toEqual(fresh);
  });

  it('is known to be signed with a key, whichever certificate has it, and with no other', () => {
    const known = afterSuccess();
    const decoded = known.decode(Buffer.from(intermediate.der));
    const isSignedBy = (issuer: { readonly der: Buffer }): boolean =>
      known.isSignedBy(decoded, new Certificate(issuer.der));
    expect(isSignedBy(createAuthority({ subject: root.subject, key: root.key }))).toBe(true);
    expect(isSignedBy(createAuthority({ subject: root.subject }))).toBe(false);
  });

  it('is not mistaken for a certificate of the same last 32 octets and other bytes', () => {
    const known = afterSuccess();
    const ending = issuing.der.subarray(-32);
    // Another CA, for another key, that ends in the signature of the known one.
    const evil = createAuthority({ subject: intermediate.subject }).issueIntermediate({ subject: issuing.subject });
    const { tbs, signature } = new Certificate(issuing.der);
    const algorithm = issuing.der.subarray(4 + tbs.length, issuing.der.length - der.bitString(signature).length);
    const twin = der.sequence(new Certificate(evil.der).tbs, algorithm, der.bitString(signature));
    expect(twin.subarray(-32).equals(ending)).toBe(true);

    const decoded = known.decode(Buffer.from(twin));
    expect(decoded.der.equals(twin)).toBe(true);
    expect(decoded).not.toBe(known.decode(Buffer.from(issuing.der)));
    expect(known.isSignedBy(decoded, known.decode(Buffer.from(intermediate.der)))).toBe(false);
    expect(verdictOf(find(known, evil.issue(), [{ der: twin }, intermediate]))).toEqual({
      code: 'ERR_PATH_SIGNATURE_INVALID',
      details: { depth: 1, issuer: 'CN=Intermediate' },
    });
    // Nor has it pushed out the honest one.
    expect(verdictOf(find(known, leaf, [issuing, intermediate]))).toBe('accepted');
    expect(known.decode(Buffer.from(issuing.der))).toBe(known.decode(Buffer.from(issuing.der)));
  });

  it('makes room for another of the same last 32 octets once that is verified', () => {
    const known = new KnownIntermediates();
    const signatureValue = der.bitString(Buffer.alloc(70, 5));
    const withEnding = (serialNumber: number): Certificate =>
      new Certificate(root.issueIntermediate({ serialNumber, raw: { signatureValue } }).der);
    const [one, other] = [withEnding(1), withEnding(2)];
    const anchor = trust.anchors[0] as Certificate;
    const end = new Certificate(leaf.der);

    known.remember({ certificates: [end, one], anchor, policies: [] });
    expect(known.decode(Buffer.from(one.der))).toBe(one);
    expect(known.isSignedBy(one, anchor)).toBe(true);
    known.remember({ certificates: [end, other], anchor, policies: [] });
    expect(known.decode(Buffer.from(other.der))).toBe(other);
    expect(known.isSignedBy(other, anchor)).toBe(true);
    expect(known.decode(Buffer.from(one.der))).not.toBe(one);
  });
});

describe('what is not an intermediate of a verified path', () => {
  it('is not remembered: the end-entity certificate and the anchor', () => {
    const known = afterSuccess();
    expect(known.decode(Buffer.from(leaf.der))).not.toBe(known.decode(Buffer.from(leaf.der)));
    expect(known.decode(Buffer.from(root.der))).not.toBe(known.decode(Buffer.from(root.der)));
  });

  it.each<[string, TestCertificate, readonly Minted[]]>([
    ['of no path', createAuthority().issueIntermediate().issue(), [issuing, intermediate]],
    [
      'of a path that is forged at its end',
      createAuthority({ subject: issuing.subject }).issue(),
      [issuing, intermediate],
    ],
    ['of a path without an anchor', leaf, [issuing]],
  ])('is not remembered: a certificate %s', (_, endEntity, presented) => {
    const known = new KnownIntermediates();
    expect(verdictOf(find(known, endEntity, presented))).not.toBe('accepted');
    expect(known.decode(Buffer.from(issuing.der))).not.toBe(known.decode(Buffer.from(issuing.der)));
  });

  it('is not remembered: a certificate presented beside a good path', () => {
    const known = new KnownIntermediates();
    const surplus = root.issueIntermediate({ subject: 'CN=Surplus' });
    expect(verdictOf(find(known, leaf, [surplus, issuing, intermediate]))).toBe('accepted');
    expect(known.decode(Buffer.from(surplus.der))).not.toBe(known.decode(Buffer.from(surplus.der)));
    expect(known.decode(Buffer.from(issuing.der))).toBe(known.decode(Buffer.from(issuing.der)));
  });

  it('is rejected as ever: bytes that are no certificate', () => {
    expect(() => afterSuccess().decode(Buffer.alloc(40))).toThrow('Certificate expected');
    expect(() => afterSuccess().decode(Buffer.alloc(0))).toThrow('Certificate expected');
  });

  it('is decoded from a piece of a larger buffer', () => {
    const larger = Buffer.concat([Buffer.alloc(7), issuing.der, Buffer.alloc(9)]);
    const decoded = new KnownIntermediates().decode(larger.subarray(7, 7 + issuing.der.length));
    expect(decoded.der.equals(issuing.der)).toBe(true);
  });
});
