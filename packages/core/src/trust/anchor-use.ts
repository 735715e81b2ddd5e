import type { Certificate } from '../x509/certificate';

/**
 * When trust anchors last stood at the end of a verified path, by key, which a renewed certificate keeps. Told of new
 * verdicts only, so it lags behind by as long as a verdict is remembered. Times in milliseconds since the Unix epoch.
 */
export class AnchorUse {
  readonly #lastUsed = new Map<string, number>();
  readonly #watchedSince = new Map<string, number>();
  #firstUse: number | undefined;

  /** Begins to count for anchors that were not there before, and ends for those that are gone. */
  watch(anchors: readonly Certificate[], time: number): void {
    const keys = new Set(anchors.map(({ spkiSha256 }) => spkiSha256));
    for (const counted of [this.#lastUsed, this.#watchedSince]) {
      for (const key of counted.keys()) if (!keys.has(key)) counted.delete(key);
    }
    for (const key of keys) if (!this.#watchedSince.has(key)) this.#watchedSince.set(key, time);
  }

  note(anchor: Certificate, time: number): void {
    this.#firstUse ??= time;
    this.#lastUsed.set(anchor.spkiSha256, time);
  }

  /** Since when uses of an anchor have been counted; undefined where they are not yet. */
  since(anchor: Certificate): number | undefined {
    return this.#watchedSince.get(anchor.spkiSha256) ?? this.#firstUse;
  }

  lastUsed(anchor: Certificate): number | undefined {
    return this.#lastUsed.get(anchor.spkiSha256);
  }
}
