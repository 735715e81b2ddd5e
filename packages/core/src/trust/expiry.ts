import type { Certificate } from '../x509/certificate';
import type { TrustStore } from './trust-store';

export const millisecondsPerDay = 86_400_000;

/** Days before the end of trust in a certificate at which it is worth another word. */
export const expiryThresholds = Object.freeze([30, 14, 7, 3, 1] as const);

/** One of {@link expiryThresholds}. */
export type ExpiryThreshold = (typeof expiryThresholds)[number];

/**
 * When trust in a certificate of the store ends: with its notAfter, unless the operator's `expiry` constraint says otherwise.
 * Of several constraints the earliest counts. This instant is included; milliseconds since the Unix epoch, Infinity for never.
 *
 * @param certificate - One of those the store itself holds.
 */
export function trustEndsAt(store: TrustStore, certificate: Certificate): number {
  const ends = store.constraintsOn(certificate).map(({ notAfter = certificate.notAfter }) => notAfter);
  return ends.length === 0 ? certificate.notAfter : Math.min(...ends);
}

/**
 * The tightest of {@link expiryThresholds} that is reached, exactly so many days before the end included; undefined when none
 * is, and once the end is past.
 *
 * @param notAfter - When trust ends, see {@link trustEndsAt}. Milliseconds since the Unix epoch, like `time`.
 */
export function expiryThresholdOf(notAfter: number, time: number): ExpiryThreshold | undefined {
  if (time > notAfter) return undefined;
  return expiryThresholds.findLast((days) => notAfter - time <= days * millisecondsPerDay);
}
