/** How a snapshot that is reloaded is doing. Plain data. */
export interface ReloadHealth {
  /** `'degraded'`: the last reload was refused, and the last good snapshot is in use. */
  readonly status: 'ok' | 'degraded';
  /** Which snapshot is in use, counting from 1. */
  readonly generation: number;
  /** When the snapshot in use was loaded. */
  readonly loadedAt: Date;
  /** When it was last found to be the newest, or replaced. */
  readonly confirmedAt: Date;
  /** Reloads refused since the start. */
  readonly refusals: number;
  /** Why the last reload was refused. Undefined when all is well. */
  readonly error?: Error;
}

export interface ReloadingOptions<Snapshot> {
  readonly first: Snapshot;
  /** Makes the next snapshot, beside the one in use; undefined when there is nothing new. Throws to refuse. */
  readonly load: (current: Snapshot, generation: number) => Promise<Snapshot | undefined>;
  /** Told right after a swap. What this and the next two throw undoes nothing, and is a process warning. */
  readonly onReplaced: (snapshot: Snapshot, previous: Snapshot) => void;
  /** Told of each refusal that is not the same as the one before. */
  readonly onRefused: (error: Error) => void;
  /** Told when the source is well again and nothing had to be replaced. */
  readonly onRecovered: () => void;
  readonly clock: () => number;
}

/**
 * A snapshot and what it takes to replace it: one reload at a time, one more waiting at most, a swap in one assignment, and
 * the last good snapshot for as long as the next ones are refused.
 */
export class Reloading<Snapshot> {
  readonly #options: ReloadingOptions<Snapshot>;
  #current: Snapshot;
  #generation = 1;
  #loadedAt: number;
  #confirmedAt: number;
  #refusals = 0;
  #error: Error | undefined;
  #running: Promise<boolean> | undefined;
  #waiting: Promise<boolean> | undefined;
  #closed = false;

  constructor(options: ReloadingOptions<Snapshot>) {
    this.#options = options;
    this.#current = options.first;
    this.#loadedAt = options.clock();
    this.#confirmedAt = this.#loadedAt;
  }

  get current(): Snapshot {
    return this.#current;
  }

  get health(): ReloadHealth {
    return {
      status: this.#error === undefined ? 'ok' : 'degraded',
      generation: this.#generation,
      loadedAt: new Date(this.#loadedAt),
      confirmedAt: new Date(this.#confirmedAt),
      refusals: this.#refusals,
      ...(this.#error !== undefined && { error: this.#error }),
    };
  }

  /**
   * Loads now, or once more when what is loading now is done: what was changed before the call is seen. Never rejects.
   *
   * @returns whether the snapshot was replaced.
   */
  async reload(): Promise<boolean> {
    if (this.#running === undefined) {
      this.#running = this.#load().finally(() => (this.#running = undefined));
      return this.#running;
    }
    this.#waiting ??= this.#running.then(async () => {
      this.#waiting = undefined;
      return this.reload();
    });
    return this.#waiting;
  }

  /** Nothing is replaced after this. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #load(): Promise<boolean> {
    if (this.#closed) return false;
    const { load, clock } = this.#options;
    try {
      const next = await load(this.#current, this.#generation + 1);
      if (this.#closed) return false;
      this.#confirmedAt = clock();
      if (next === undefined) this.#recover();
      else this.#replace(next);
      return next !== undefined;
    } catch (error) {
      if (!this.#closed) this.#refuse(error instanceof Error ? error : new Error('Loading failed', { cause: error }));
      return false;
    }
  }

  #replace(next: Snapshot): void {
    const previous = this.#current;
    this.#current = next;
    this.#generation += 1;
    this.#loadedAt = this.#confirmedAt;
    this.#error = undefined;
    tell(() => this.#options.onReplaced(next, previous));
  }

  #recover(): void {
    if (this.#error === undefined) return;
    this.#error = undefined;
    tell(() => this.#options.onRecovered());
  }

  #refuse(error: Error): void {
    const isNew = this.#error?.message !== error.message;
    this.#error = error;
    this.#refusals += 1;
    if (isNew) tell(() => this.#options.onRefused(error));
  }
}

/** Whoever is told may fail. What it was told of has happened all the same. */
function tell(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : String(error));
  }
}
