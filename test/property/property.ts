import * as fc from 'fast-check';
import { DerError } from '../../packages/core/src/x509/der';

/** The same inputs every time, unless PROPERTY_SEED says otherwise. */
const seed = Number(process.env['PROPERTY_SEED'] ?? 1);

/** Looks for input for which a property does not hold. Says which, and undefined where there is none. */
export function counterexample<Values>(property: fc.IProperty<Values>, numRuns = 500): string | undefined {
  return fc.defaultReportMessage(fc.check(property, { numRuns, seed }));
}

/** What decoding comes to: a value, or the place and reason of a DerError. Anything else is thrown on. */
export function outcomeOf<Value>(decode: () => Value): { value: Value } | { reason: string; offset: number } {
  try {
    return { value: decode() };
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    return { reason: error.reason, offset: error.offset };
  }
}

/** Octets. */
export function octets(maxLength: number, minLength = 0): fc.Arbitrary<Buffer> {
  return fc.uint8Array({ minLength, maxLength }).map((bytes) => Buffer.from(bytes));
}
