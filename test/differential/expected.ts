import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificate } from '../../packages/core/src/x509/certificate';
import type { Case } from './case';
import { conditions } from './conditions';
import type { Difference } from './decoders';
import type { OpensslError, OpensslMode } from './openssl';

/** A disagreement that is meant to be, and why. */
export type Expected =
  | { readonly openssl: OpensslMode; readonly error: number; readonly when?: string; readonly reason: string }
  | { readonly decoder: Difference['decoder']; readonly what: string; readonly when?: string; readonly reason: string };

/** What a condition looks at. */
export interface Circumstances {
  /** The path peercert accepted, or the one certificate that was decoded. */
  readonly path: readonly Certificate[];
  readonly case: Case;
  readonly depth: number;
  readonly text: string;
}

export const expected = JSON.parse(readFileSync(join(__dirname, 'expected.json'), 'utf8')) as readonly Expected[];

for (const { when } of expected) {
  if (when !== undefined && !Object.hasOwn(conditions, when)) throw new TypeError(`no condition ${when}`);
}

/** Why OpenSSL may refuse what peercert accepts; strict mode may do so for the reasons of default mode as well. */
export function reasonForError(
  mode: OpensslMode,
  error: OpensslError,
  about: Omit<Circumstances, 'depth' | 'text'>,
): string | undefined {
  return expected.find((one) => {
    if (!('openssl' in one) || one.error !== error.code || (one.openssl !== mode && mode === 'default')) return false;
    return holds(one.when, { ...about, ...error });
  })?.reason;
}

/** Why a decoder may read something else. */
export function reasonForDifference(
  { decoder, what, theirs }: Difference,
  about: Omit<Circumstances, 'depth' | 'text'>,
): string | undefined {
  return expected.find((one) => {
    if (!('decoder' in one) || one.decoder !== decoder || one.what !== what) return false;
    return holds(one.when, { ...about, depth: 0, text: theirs });
  })?.reason;
}

function holds(when: string | undefined, circumstances: Circumstances): boolean {
  return when === undefined || conditions[when]?.(circumstances) === true;
}
