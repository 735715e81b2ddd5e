import { channel } from 'node:diagnostics_channel';
import { describe } from '../options';

/** Name of the `node:diagnostics_channel` that every event of a reloading trust store is published on. */
export const trustChannelName = 'peercert:trust';

/**
 * Something happened to a reloading trust store: flat attributes for logs, alerts and metrics. Holds digests, counts and
 * what was found; no distinguished name.
 */
export interface TrustEvent {
  /**
   * - `clientcert.trust.replaced`: another generation is in use.
   * - `clientcert.trust.refused`: what was found is not used; the last good generation stays. Told once for each reason.
   * - `clientcert.trust.recovered`: after a refusal, what is found is what is in use.
   * - `clientcert.trust.anchor_expiring`: an anchor has come to its last 30, 14, 7, 3 or 1 days. Told once for each.
   * - `clientcert.trust.anchor_expired`: an anchor's time has passed. Told once.
   */
  readonly 'event.name':
    | 'clientcert.trust.replaced'
    | 'clientcert.trust.refused'
    | 'clientcert.trust.recovered'
    | 'clientcert.trust.anchor_expiring'
    | 'clientcert.trust.anchor_expired';
  /** The name the store was given. */
  readonly 'clientcert.trust.store': string;
  /** The generation in use. */
  readonly 'clientcert.trust.generation': number;
  /** Number of anchors in use. */
  readonly 'clientcert.trust.anchors': number;
  /** SHA-256 of the anchors in use, see `TrustStore.sha256`: tells whether all processes have the same. */
  readonly 'clientcert.trust.sha256': string;
  /** SHA-256 of anchors the replaced store did not have. */
  readonly 'clientcert.trust.added'?: readonly string[];
  /** SHA-256 of anchors only the replaced store had. */
  readonly 'clientcert.trust.removed'?: readonly string[];
  /** The code of a refusal. */
  readonly 'error.type'?: string;
  /** What was found, for the operator. */
  readonly 'error.message'?: string;
  /** SHA-256 of the anchor the event is about. */
  readonly 'clientcert.anchor.sha256'?: string;
  /** When trust in the anchor ends, ISO 8601. */
  readonly 'clientcert.anchor.not_after'?: string;
  /** The threshold it has come to, in days. */
  readonly 'clientcert.anchor.days_left'?: number;
}

/** Called after each event. What it returns, throws or takes long over changes nothing. */
export type TrustListener = (event: TrustEvent) => unknown;

const trustChannel = channel(trustChannelName);

/** Tells whoever listens. A listener that fails is reported as a process warning. */
export function publishTrustEvent(event: TrustEvent, onEvent: TrustListener | undefined): void {
  Object.freeze(event);
  trustChannel.publish(event);
  if (onEvent !== undefined) callListener(onEvent, event);
}

/** @internal Calls a listener, whose failure now or later is a process warning and nothing else. */
export function callListener<Value>(listener: (value: Value) => unknown, value: Value): void {
  try {
    Promise.resolve(listener(value)).catch(warnOfListener);
  } catch (error) {
    warnOfListener(error);
  }
}

function warnOfListener(error: unknown): void {
  const detail = error instanceof Error ? error.message : describe(error);
  process.emitWarning(`A listener of trust events failed: ${detail}`, {
    type: 'PeercertWarning',
    code: 'PEERCERT_LISTENER',
  });
}
