import { checkInteger, describe } from '../options';
import type { TrustListener } from './trust-event';

/** What every trust store that is reloaded takes. */
export interface ReloadingOptions {
  /** Stands in events, to tell stores apart. Default `'trust'`. */
  readonly name?: string;
  /** SHA-256 of certificates, 64 hexadecimal digits each: a store that lacks one of them is refused. Default none. */
  readonly requiredAnchors?: readonly string[];
  /**
   * The greatest part by which the number of anchors may fall from one store to the next, from 0 to 1: a smaller store is
   * refused until the process is started anew, or until `reload({ allowShrink: true })`. Default 0.5.
   */
  readonly maxShrink?: number;
  /** Told of every event, in the shape also published on the diagnostics channel `peercert:trust`. Default none. */
  readonly onEvent?: TrustListener;
  /** The time, in milliseconds since the Unix epoch. Default `Date.now`. For tests. */
  readonly clock?: () => number;
}

/** @internal */
export const reloadingOptionNames = ['name', 'requiredAnchors', 'maxShrink', 'onEvent', 'clock'];

/** @internal @throws {TypeError} or {@link RangeError} for options of the wrong kind. */
export function checkReloadingOptions(options: ReloadingOptions): void {
  const { name, requiredAnchors = [], maxShrink = 0.5 } = options;
  if (name !== undefined && typeof name !== 'string') throw new TypeError('name must be a string.');
  const areDigests =
    Array.isArray(requiredAnchors) &&
    requiredAnchors.every((sha256) => typeof sha256 === 'string' && /^[0-9a-f]{64}$/i.test(sha256));
  if (!areDigests) throw new TypeError('requiredAnchors takes SHA-256 digests of 64 hexadecimal digits.');
  if (typeof maxShrink !== 'number' || !(maxShrink >= 0 && maxShrink <= 1)) {
    throw new RangeError(`maxShrink must be from 0 to 1; it received ${describe(maxShrink)}.`);
  }
  for (const option of ['onEvent', 'clock'] as const) {
    const value: unknown = options[option];
    if (value !== undefined && typeof value !== 'function') {
      throw new TypeError(`${option} must be a function; it received ${describe(value)}.`);
    }
  }
}

/** @internal */
export function checkSeconds(name: string, value: unknown): void {
  checkInteger(name, value, 1, 86_400);
}
