import { describe } from '../options';
import type { UnknownCause } from '../path/acceptance';
import { CrlTextError } from './crl-text';
import { FetchError, type FetchFailure } from './fetch-error';
import { type RevocationAnswer, unknown } from './revocation-method';

/** How long a failure is remembered, in milliseconds: a burst of requests asks once. */
export const failureMs = 5_000;

/** What is known where nothing could be fetched, or nothing that can be read. */
export type Failure = RevocationAnswer & { readonly status: 'unknown' };

/**
 * Failures with another cause than `'unreachable'`.
 *
 * An address that may not be asked is none of them: it is what a resolver said just now, and not what the certificate says.
 */
const causes: { readonly [Reason in FetchFailure]?: UnknownCause } = {
  'url-not-permitted': 'no-source',
  'host-not-permitted': 'no-source',
  'content-type': 'unusable',
  'too-large': 'unusable',
};

/** Failures that say nothing of whoever was to be asked. */
const ownReasons: ReadonlySet<FetchFailure> = new Set([
  'url-not-permitted',
  'host-not-permitted',
  'breaker-open',
  'busy',
  'closed',
]);

/** What an error means for the certificate that was asked about. */
export function failureOf(error: unknown): Failure {
  if (error instanceof FetchError) return unknown(causes[error.reason] ?? 'unreachable', error.message);
  const detail = error instanceof Error ? error.message : describe(error);
  return unknown(error instanceof CrlTextError ? 'unusable' : 'unreachable', detail);
}

/** Whether an error is worth telling the operator of, as one of a responder or a URL. */
export function isNews(error: unknown): boolean {
  return !(error instanceof FetchError && ownReasons.has(error.reason));
}
