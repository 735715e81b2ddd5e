import crypto from 'node:crypto';
import {
  createDenyList,
  createRevocation,
  type Revocation,
  TrustStore,
  validatePath,
  type VerifiedPath,
} from '@peercert/core';
import {
  createAuthority,
  daysFromTestTime,
  selfSigned,
  TEST_TIME,
  type TestAuthority,
  type TestCertificate,
} from '@peercert/testkit';
import type { PathAcceptor } from '../../../../packages/core/src/path/acceptance';
import { findPath, type Validation } from '../../../../packages/core/src/path/validate-path';
import { resolveRules } from '../../../../packages/core/src/path/rules';
import { unknown } from '../../../../packages/core/src/revocation/revocation-method';
import { Certificate } from '../../../../packages/core/src/x509/certificate';
import { good, methodThat, ofRevoked, revoked, revoking, sha256Of } from '../../../support/revocation-methods';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

// One intermediate by two authorities: two paths lead from the client.
const first = createAuthority({ subject: 'CN=First' });
const second = createAuthority({ subject: 'CN=Second' });
const byFirst = first.issueIntermediate({ subject: 'CN=Intermediate' });
const bySecond = second.crossSign(byFirst);
const client = byFirst.issue({ subject: 'CN=client' });

const revokedAt = TEST_TIME;
const isRevoked = (depth: number): object => ({ depth, ...ofRevoked, revokedAt });

interface Question {
  readonly anchors?: readonly TestAuthority[];
  readonly chain?: readonly { readonly der: Buffer }[];
}

function queryOf(revocation: PathAcceptor | undefined, question: Question = {}): Parameters<typeof findPath>[0] {
  const { anchors = [first, second], chain = [byFirst, bySecond] } = question;
  return {
    endEntity: new Certificate(client.der),
    presented: chain.map(({ der }) => new Certificate(der)),
    trust: TrustStore.fromDer(anchors.map(({ der }) => der)),
    time: TEST_TIME.getTime(),
    requiredUsage: 'clientAuth',
    maxIntermediates: 8,
    policies: {},
    rules: resolveRules({}),
    acceptor: revocation,
  };
}
const find = async (revocation: PathAcceptor | undefined, question: Question = {}): Promise<Validation> =>
  findPath(queryOf(revocation, question));
const anchorOf = (validation: Validation): unknown =>
  'path' in validation ? validation.path.anchor.subject.toString() : validation.refusal;
const holdsUntilOf = (validation: Validation): unknown =>
  'refusal' in validation ? validation.holdsUntil : 'no refusal';

const policies: readonly (readonly [string, (...certificates: readonly TestCertificate[]) => Revocation])[] = [
  ['by a method at once', (...certificates) => createRevocation({ methods: [revoking(...certificates)] })],
  [
    'by a method later',
    (...certificates) => {
      const known = revoking(...certificates);
      return createRevocation({ methods: [methodThat(async (question) => known.ask(question))] });
    },
  ],
];

describe('a path that is refused', () => {
  it.each(policies)('gives way to the next candidate, %s', async (_, policy) => {
    expect(anchorOf(await find(policy()))).toBe('CN=First');
    expect(anchorOf(await find(policy(byFirst)))).toBe('CN=Second');
    expect(anchorOf(await find(policy(bySecond)))).toBe('CN=First');
  });

  it.each(policies)('is refused with all others when each has its own reason, %s', async (_, policy) => {
    expect(await find(policy(byFirst, bySecond))).toBeRefusedWith('ERR_CERTIFICATE_REVOKED', isRevoked(1) as never);
    expect(await find(policy(client))).toBeRefusedWith('ERR_CERTIFICATE_REVOKED', isRevoked(0) as never);
  });

  it('gives way when an intermediate, or the anchor, is denied', async () => {
    for (const denied of [byFirst, first]) {
      const denyList = createDenyList({ entries: [{ certificateSha256: sha256Of(denied) }] });
      expect(anchorOf(await find(createRevocation({ denyList })))).toBe('CN=Second');
    }
  });

  it('leaves the evidence of the path that is taken, and nothing else', async () => {
    const validation = await find(createRevocation({ methods: [revoking(byFirst)] }));
    const { revocation } = (validation as { path: VerifiedPath }).path;
    expect(revocation?.map(({ certificateSha256 }) => certificateSha256)).toEqual([client, bySecond].map(sha256Of));
  });

  it('costs no signature again', async () => {
    const verify = jest.spyOn(crypto, 'verify');
    await find(createRevocation({ methods: [revoking(byFirst, bySecond)] }));
    // The two intermediates, and the client by the certificate of each.
    expect(verify).toHaveBeenCalledTimes(4);
    verify.mockRestore();
  });

  it('says the most telling of all candidates', async () => {
    const answers = new Map<string, unknown>([
      [sha256Of(byFirst), unknown('unreachable', 'no route')],
      [sha256Of(bySecond), revoked()],
    ]);
    const methods = [methodThat(({ certificate }) => answers.get(certificate.sha256) ?? good())];
    for (const chain of [
      [byFirst, bySecond],
      [bySecond, byFirst],
    ]) {
      const validation = await find(createRevocation({ methods }), { chain });
      expect(validation).toBeRefusedWith('ERR_CERTIFICATE_REVOKED', isRevoked(1) as never);
      // The other one may be good in a moment.
      expect(holdsUntilOf(validation)).toBe(-Infinity);
    }
  });

  it('is unavailable beside one that has expired, and never for long', async () => {
    const expired = second.crossSign(byFirst, { notAfter: daysFromTestTime(-1) });
    const methods = [methodThat(() => unknown('unreachable', 'no route'))];
    for (const chain of [
      [byFirst, expired],
      [expired, byFirst],
    ]) {
      const validation = await find(createRevocation({ methods }), { chain });
      expect(validation).toBeRefusedWith('ERR_REVOCATION_UNAVAILABLE', {
        depth: 0,
        cause: 'unreachable',
        detail: 'no route',
      });
      expect(holdsUntilOf(validation)).toBe(-Infinity);
    }
  });

  it('is refused for as long as the shortest of what refuses it', async () => {
    const ends = [daysFromTestTime(2), daysFromTestTime(3)].map((date) => date.getTime());
    const answers = new Map(
      [byFirst, bySecond].map((one, index) => [sha256Of(one), revoked({ until: ends[index] as number })]),
    );
    const methods = [methodThat(({ certificate }) => answers.get(certificate.sha256) ?? good())];
    expect(holdsUntilOf(await find(createRevocation({ methods })))).toBe(ends[0]);
  });

  it('is refused for good by a deny list', async () => {
    const denyList = createDenyList({ entries: [{ certificateSha256: sha256Of(client) }] });
    const validation = await find(createRevocation({ denyList }));
    expect(validation).toBeRefusedWith('ERR_CERTIFICATE_DENIED', { depth: 0, by: 'certificate-sha256' });
    expect(holdsUntilOf(validation)).toBe(Infinity);
  });

  it('leaves the certificate another way, where it is pinned', async () => {
    const pinned = selfSigned({ subject: 'CN=pinned' });
    const trust = TrustStore.fromDer([first.der], { pinnedEndEntities: [pinned.der] });
    const denyList = createDenyList({ entries: [{ certificateSha256: sha256Of(pinned) }] });
    const input = { endEntity: pinned.der, trust, time: TEST_TIME };
    await expect(validatePath({ ...input, revocation: createRevocation({ denyList }) })).toRejectWith(
      'ERR_CERTIFICATE_DENIED',
      { depth: 0, by: 'certificate-sha256' },
    );
  });
});

describe('the search for another path', () => {
  const crossSigned = (count: number): readonly TestAuthority[] =>
    Array.from({ length: count }, () => first.crossSign(byFirst));

  it('tries twenty', async () => {
    const chain = crossSigned(20);
    const method = revoking(...chain);
    const validation = await find(createRevocation({ methods: [method] }), { chain });
    expect(validation).toBeRefusedWith('ERR_CERTIFICATE_REVOKED', isRevoked(1) as never);
    expect(method.asked.filter((subject) => subject === 'CN=client')).toHaveLength(20);
  });

  it('takes the twentieth, and not the twenty-first', async () => {
    const [good20, ...others] = crossSigned(20);
    const policy = createRevocation({ methods: [revoking(...others)] });
    await expect(find(policy, { chain: [...others, good20 as TestAuthority] })).resolves.toHaveProperty('path');
    const [good21, ...twenty] = crossSigned(21);
    const method = revoking(...twenty);
    const validation = await find(createRevocation({ methods: [method] }), {
      chain: [...twenty, good21 as TestAuthority],
    });
    expect(validation).toBeRefusedWith('ERR_PATH_BUDGET_EXCEEDED', { limit: 'paths', maximum: 20 });
    expect(method.asked.filter((subject) => subject === 'CN=client')).toHaveLength(20);
  });

  it('is not remembered when it ends there and nobody could answer', async () => {
    const methods = [methodThat(() => unknown('unreachable', 'no route'))];
    const validation = await find(createRevocation({ methods }), { chain: crossSigned(21) });
    expect(validation).toBeRefusedWith('ERR_PATH_BUDGET_EXCEEDED', { limit: 'paths', maximum: 20 });
    expect(holdsUntilOf(validation)).toBe(-Infinity);
  });
});

describe('an acceptor', () => {
  const asked = jest.fn();
  const acceptor = (answer: () => unknown): PathAcceptor => ({
    accept: (path, ...rest) => {
      asked(
        path.certificates.map(({ subject }) => subject.toString()),
        path.anchor.subject.toString(),
        ...rest,
      );
      return answer() as never;
    },
  });
  beforeEach(() => asked.mockClear());

  it('is given certificates, anchor, time and rules', async () => {
    await find(acceptor(() => ({ evidence: [], until: Infinity })));
    expect(asked.mock.calls).toEqual([
      [['CN=client', 'CN=Intermediate'], 'CN=First', TEST_TIME.getTime(), resolveRules({})],
    ]);
  });

  it('ends the path when its answer does', async () => {
    const until = daysFromTestTime(1);
    const validation = await find(acceptor(() => ({ evidence: [], until: until.getTime() })));
    expect((validation as { path: VerifiedPath }).path.validUntil).toEqual(until);
  });

  it('prolongs nothing', async () => {
    const validation = await find(acceptor(() => ({ evidence: [], until: Infinity })));
    expect((validation as { path: VerifiedPath }).path.validUntil).toEqual(daysFromTestTime(365));
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', async () => Promise.reject(new Error('broken'))],
    ['answers with nothing', () => undefined],
    ['answers with nothing later', async () => {}],
    ['answers with null', () => null],
  ])('accepts nothing when it %s', async (_, answer) => {
    await expect(find(acceptor(answer))).rejects.toBeInstanceOf(Error);
  });

  it('is nobody by default: a path has no evidence and ends with its certificates', async () => {
    const validation = await find(undefined);
    const { path } = validation as { path: VerifiedPath };
    expect([path.revocation, path.validUntil]).toEqual([undefined, daysFromTestTime(365)]);
  });
});
