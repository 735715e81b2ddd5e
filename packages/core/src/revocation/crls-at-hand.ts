import { describe } from '../options';
import { runAtOnce } from '../slices';
import { type CrlOptions, resolveCrlRules } from './crl-files';
import { CrlTextError, decodeCrls } from './crl-text';
import { judgeCrls } from './crl-verdict';
import { KnownCrl } from './known-crl';
import type { RevocationMethod } from './revocation-method';

/**
 * Revocation by CRLs in memory, which stay as they are.
 *
 * @param crls - DER or PEM. Copied.
 * @throws {TypeError} for what is no CRL.
 */
export function crlsAtHand(crls: readonly Uint8Array[], options: Pick<CrlOptions, 'maxAgeSeconds'>): RevocationMethod {
  if (!Array.isArray(crls)) throw new TypeError(`crls must be an array; it received ${describe(crls)}.`);
  const rules = resolveCrlRules(options);
  const known = (crls as readonly unknown[]).flatMap((bytes, index) => decode(bytes, index));
  return Object.freeze({
    name: 'crl',
    revision: 0,
    health: { method: 'crl', status: 'ok', sources: [] },
    checkTrust(): void {},
    ask: (question) => judgeCrls(question, known, rules),
    close: async (): Promise<void> => {},
  } satisfies RevocationMethod);
}

function decode(bytes: unknown, index: number): readonly KnownCrl[] {
  const source = `crls[${index}]`;
  if (!(bytes instanceof Uint8Array))
    throw new TypeError(`${source} must be a Uint8Array; it received ${describe(bytes)}.`);
  try {
    return runAtOnce(decodeCrls(Buffer.from(Uint8Array.from(bytes).buffer))).map((crl) => new KnownCrl(crl, source));
  } catch (error) {
    if (!(error instanceof CrlTextError)) throw error;
    throw new TypeError(`${source}: ${error.message}.`, { cause: error });
  }
}
