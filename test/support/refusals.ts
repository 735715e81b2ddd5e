import { ClientCertificateError, type ErrorCode, type ErrorDetails } from '@peercert/core';
import { TrustStoreError, type TrustStoreErrorDetails } from '@peercert/core';
import { DerError } from '../../packages/core/src/x509/der';

type AllDetails = ErrorDetails & TrustStoreErrorDetails;

declare global {
  // oxlint-disable-next-line typescript/no-namespace -- how jest's types are extended
  namespace jest {
    // oxlint-disable-next-line typescript/no-unused-vars -- the parameters must be those of the interface extended
    interface Matchers<R, T = {}> {
      /** The promise rejects with a refusal of this code, and with exactly these details. */
      toRejectWith<Code extends ErrorCode>(code: Code, details: ErrorDetails[Code]): Promise<R>;
      /** The verdict of a path search has no path, but a refusal of this code and with exactly these details. */
      toBeRefusedWith<Code extends ErrorCode>(code: Code, details: ErrorDetails[Code]): R;
      /** The function throws a refusal or a TrustStoreError of this code, and with exactly these details. */
      toThrowWithCode<Code extends keyof AllDetails>(code: Code, details: AllDetails[Code]): R;
      /** The function throws a DerError with this reason at this octet. */
      toThrowDerError(reason: string, offset: number): R;
    }
  }
}

type Outcome = { readonly threw: false } | { readonly threw: true; readonly error: unknown };

function compare(context: jest.MatcherContext, outcome: Outcome, expected: object): jest.CustomMatcherResult {
  const actual = outcome.threw ? evidenceOf(outcome.error) : 'no error';
  return {
    pass: context.equals(actual, expected, [], true),
    message: () =>
      context.utils.printDiffOrStringify(expected, actual, 'Expected', 'Received', context.expand === true),
  };
}

function evidenceOf(error: unknown): unknown {
  if (error instanceof ClientCertificateError || error instanceof TrustStoreError) {
    return { name: error.name, code: error.code, details: error.details };
  }
  return error instanceof DerError ? { reason: error.reason, offset: error.offset } : error;
}

function outcomeOf(act: unknown): Outcome {
  if (typeof act !== 'function') throw new TypeError('expect() takes a function here');
  try {
    act();
    return { threw: false };
  } catch (error) {
    return { threw: true, error };
  }
}

expect.extend({
  async toRejectWith(received: Promise<unknown>, code: string, details: object) {
    const outcome: Outcome = await received.then(
      () => ({ threw: false }) as const,
      (error: unknown) => ({ threw: true, error }) as const,
    );
    return compare(this, outcome, { name: 'ClientCertificateError', code, details });
  },
  toBeRefusedWith(received: { readonly path?: unknown; readonly refusal?: unknown }, code: string, details: object) {
    const { path, refusal: error } = received;
    const outcome: Outcome = path === undefined ? { threw: true, error } : { threw: false };
    return compare(this, outcome, { name: 'ClientCertificateError', code, details });
  },
  toThrowWithCode(received: unknown, code: string, details: object) {
    const name = code.startsWith('ERR_TRUST_STORE_') ? 'TrustStoreError' : 'ClientCertificateError';
    return compare(this, outcomeOf(received), { name, code, details });
  },
  toThrowDerError(received: unknown, reason: string, offset: number) {
    return compare(this, outcomeOf(received), { reason, offset });
  },
});
