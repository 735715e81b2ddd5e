/** Seen by nobody who waits: what an attempt that is over is aborted with. An exception made for each would cost more. */
const over = 'over';

/** One request under way: what ends it, and how long it has. */
export class FetchAttempt {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #stopWithCaller = (): void => this.stop(this.#caller?.reason);
  #timer: NodeJS.Timeout | undefined;

  /** @param caller - Ends the attempt with its own reason. */
  constructor(caller: AbortSignal | undefined) {
    this.#caller = caller;
    caller?.addEventListener('abort', this.#stopWithCaller, { once: true });
    if (caller?.aborted === true) this.#stopWithCaller();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ends the attempt with this error after so many milliseconds, in place of what was said before. */
  expireIn(milliseconds: number, error: () => Error): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.stop(error()), milliseconds).unref();
  }

  stop(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** The work's result, or the reason why the attempt ended before: work that does not heed the signal is not waited for. */
  async race<Result>(work: Promise<Result>): Promise<Result> {
    let lose = (): void => {};
    const stopped = new Promise<never>((_, reject) => {
      lose = () => reject(this.signal.reason);
      this.signal.addEventListener('abort', lose, { once: true });
    });
    if (this.signal.aborted) lose();
    try {
      return await Promise.race([work, stopped]);
    } finally {
      this.signal.removeEventListener('abort', lose);
    }
  }

  /** Lets go of everything, the rest of an answer included. */
  end(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener('abort', this.#stopWithCaller);
    this.#controller.abort(over);
  }
}
