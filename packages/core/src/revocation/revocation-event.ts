import { channel } from 'node:diagnostics_channel';
import { describe } from '../options';

/** Name of the `node:diagnostics_channel` that every event of revocation data is published on. */
export const revocationChannelName = 'peercert:revocation';

/** Something happened to what is known about revocation: flat attributes for logs, alerts and metrics. */
export interface RevocationEvent {
  /**
   * - `clientcert.revocation.replaced`: a newer CRL, or deny list, is in use.
   * - `clientcert.revocation.refused`: what was found is not used; what was known is. Told once for each reason.
   * - `clientcert.revocation.recovered`: after that, what is found is in use again.
   */
  readonly 'event.name':
    'clientcert.revocation.replaced' | 'clientcert.revocation.refused' | 'clientcert.revocation.recovered';
  /** What kind of statement it is about. */
  readonly 'clientcert.revocation.method': 'crl' | 'ocsp' | 'deny-list';
  /** The file, URL or host. */
  readonly 'clientcert.revocation.source': string;
  /** What was found, for the operator. */
  readonly 'error.message'?: string;
  /** Entries of the CRL or deny list in use. */
  readonly 'clientcert.revocation.entries'?: number;
  /** When the CRL in use was issued, ISO 8601. */
  readonly 'clientcert.crl.this_update'?: string;
  /** When the CRL in use ends to be current, ISO 8601. */
  readonly 'clientcert.crl.next_update'?: string;
}

/** Called after each event. What it returns, throws or takes long over changes nothing. */
export type RevocationListener = (event: RevocationEvent) => unknown;

const revocationChannel = channel(revocationChannelName);

/** Tells whoever listens. A listener that fails is reported as a process warning. */
export function publishRevocationEvent(event: RevocationEvent, onEvent: RevocationListener | undefined): void {
  Object.freeze(event);
  try {
    revocationChannel.publish(event);
    const answer = onEvent?.(event);
    if (answer instanceof Promise) answer.catch(warnOfListener);
  } catch (error) {
    warnOfListener(error);
  }
}

function warnOfListener(error: unknown): void {
  const detail = error instanceof Error ? error.message : describe(error);
  process.emitWarning(`A listener of revocation events failed: ${detail}`, {
    type: 'PeercertWarning',
    code: 'PEERCERT_LISTENER',
  });
}
