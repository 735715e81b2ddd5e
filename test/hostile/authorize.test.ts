import { createHash } from 'node:crypto';
import {
  admitRequest,
  type AuthenticatorOptions,
  type CertificateRequest,
  clientIdentityOf,
  type ClientIdentity,
  type IdentityPredicate,
} from '@peercert/core';
import { cloudFrontHeaders, createAuthority } from '@peercert/testkit';
import { behindEdge, callerOf, fromEdge, requestOf } from '../support/requests';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../support/refusals';

const root = createAuthority();
const alice = root.issue({ uris: ['urn:alice'] });
const ofAlice = (...lines: readonly string[]): CertificateRequest =>
  fromEdge(...cloudFrontHeaders(alice).flat(), ...lines);
const asking = (authorize: unknown, options: Partial<AuthenticatorOptions> = {}) =>
  behindEdge([root], { authorize: authorize as IdentityPredicate, ...options });

afterEach(() => void jest.useRealTimers());

describe('authorize', () => {
  it('is asked for every authenticated request, also when the verdict is known, and given that request', async () => {
    const authorize = jest.fn((_: ClientIdentity, request: CertificateRequest) => request.rawHeaders.at(-1) === 'in');
    const authenticator = asking(authorize);
    const answers: unknown[] = [];
    for (const word of ['in', 'out', 'in', 'in', 'out']) {
      const admission = await admitRequest(authenticator, ofAlice('X-Word', word));
      answers.push(admission.admitted ? word : admission.error.code);
    }
    const out = 'ERR_POLICY_NOT_AUTHORIZED';
    expect(answers).toEqual(['in', out, 'in', 'in', out]);
    expect(authorize).toHaveBeenCalledTimes(5);
  });

  it('is not asked about anybody who has no identity', async () => {
    const authorize = jest.fn(() => true);
    const stranger = createAuthority().issue();
    for (const presence of ['optional', 'required'] as const) {
      const authenticator = asking(authorize, { presence });
      await authenticator.authenticate(fromEdge());
      await authenticator.authenticate(requestOf(cloudFrontHeaders(alice).flat()));
      for (let count = 0; count < 2; count++) {
        await authenticator.authenticate(fromEdge(...cloudFrontHeaders(stranger).flat()));
      }
    }
    expect(authorize).not.toHaveBeenCalled();
  });

  it.each([undefined, null, 1, 'true', {}, [true], Object(true), async () => true])(
    'ID-09: lets nobody in by answering %p',
    async (answer) => {
      const details = { certificateSha256: createHash('sha256').update(alice.der).digest('hex') };
      await expect(
        callerOf(
          asking(() => answer),
          ofAlice(),
        ),
      ).toRejectWith('ERR_POLICY_NOT_AUTHORIZED', details);
      await expect(
        callerOf(
          asking(async () => answer),
          ofAlice(),
        ),
      ).toRejectWith('ERR_POLICY_NOT_AUTHORIZED', details);
    },
  );

  it('ID-09: lets nobody in by throwing or rejecting, and answers 500 without saying why', async () => {
    const failing: readonly IdentityPredicate[] = [
      () => {
        throw new Error('select * from users');
      },
      async () => Promise.reject(new Error('select * from users')),
    ];
    for (const authorize of failing) {
      const { refusal, error } = await admitRequest(asking(authorize), ofAlice());
      expect([refusal?.status, refusal?.code, error?.code]).toEqual([500, 'unavailable', 'ERR_POLICY_FAILED']);
      expect(JSON.stringify(refusal)).not.toContain('select');
      expect(error?.cause).toEqual(new Error('select * from users'));
    }
  });

  it('F25, ID-09: lets nobody in by not answering, and answers 503 with Retry-After', async () => {
    const request = ofAlice();
    const authenticator = asking(() => new Promise(() => {}));
    jest.useFakeTimers();
    const answer = admitRequest(authenticator, request);
    await jest.advanceTimersByTimeAsync(4_999);
    expect(() => clientIdentityOf(request)).toThrow(TypeError);
    await jest.advanceTimersByTimeAsync(1);
    await expect(answer).resolves.toMatchObject({
      admitted: false,
      error: { code: 'ERR_POLICY_TIMEOUT', details: { timeoutMs: 5_000 } },
      refusal: { status: 503, code: 'unavailable', headers: { 'retry-after': '5', 'cache-control': 'no-store' } },
    });
    expect(jest.getTimerCount()).toBe(0);
  });

  it('ID-09: does not let one who answered late into the next request', async () => {
    let say: (answer: boolean) => void = () => {};
    const authenticator = asking(() => new Promise<boolean>((resolve) => (say = resolve)));
    const request = ofAlice();
    jest.useFakeTimers();
    const late = admitRequest(authenticator, request);
    await jest.advanceTimersByTimeAsync(5_000);
    say(true);
    await expect(late).resolves.toMatchObject({ admitted: false, error: { code: 'ERR_POLICY_TIMEOUT' } });
    const next = admitRequest(authenticator, request);
    await jest.advanceTimersByTimeAsync(5_000);
    await expect(next).resolves.toMatchObject({ admitted: false, error: { code: 'ERR_POLICY_TIMEOUT' } });
    expect(() => clientIdentityOf(request)).toThrow(TypeError);
  });

  it('cannot change whom it judges', async () => {
    const tampering: IdentityPredicate = (identity) => {
      const changes: readonly (() => unknown)[] = [
        () => Object.assign(identity, { uris: ['urn:admin'] }),
        () => (identity.uris as string[]).push('urn:admin'),
        () => Object.setPrototypeOf(identity, { uris: ['urn:admin'] }) as unknown,
        () => Object.defineProperty(Object.getPrototypeOf(identity), 'uris', { get: () => ['urn:admin'] }) as unknown,
        () => identity.path[0]?.fill(0),
        () => identity.notAfter.setFullYear(9999),
      ];
      for (const change of changes) {
        try {
          change();
        } catch {
          // Frozen.
        }
      }
      return true;
    };
    const authenticator = asking(tampering);
    for (let count = 0; count < 3; count++) {
      const request = ofAlice();
      await admitRequest(authenticator, request);
      const { uris, path, notAfter } = clientIdentityOf(request);
      expect([uris, Buffer.from(path[0] ?? []).equals(alice.der), notAfter.getUTCFullYear()]).toEqual([
        ['urn:alice'],
        true,
        2027,
      ]);
    }
  });

  it('has its answers kept apart when they come in another order', async () => {
    const waiting: ((answer: boolean) => void)[] = [];
    const authenticator = asking(() => new Promise<boolean>((resolve) => void waiting.push(resolve)));
    const requests = [ofAlice(), ofAlice(), ofAlice()];
    const admissions = requests.map((request) => admitRequest(authenticator, request));
    await new Promise(setImmediate);
    waiting[2]?.(true);
    waiting[0]?.(false);
    waiting[1]?.(true);
    expect((await Promise.all(admissions)).map(({ admitted }) => admitted)).toEqual([false, true, true]);
  });
});
