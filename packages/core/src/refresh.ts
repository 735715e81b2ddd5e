/** Seconds until what failed is done again, at first; each failure doubles them. */
const firstRetrySeconds = 1;

/**
 * Does something again from time to time, and sooner after a failure: after 1 second, 2, 4 and so on, up to the ordinary
 * time. Give or take a tenth, so that processes started together do not ask together for ever. Keeps no process alive.
 */
export class Refresh {
  readonly #seconds: number;
  readonly #work: () => Promise<boolean>;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /**
   * @param seconds - Between the end of one time and the next.
   * @param work - Answers whether it went well. Must not reject.
   */
  constructor(seconds: number, work: () => Promise<boolean>) {
    this.#seconds = seconds;
    this.#work = work;
    this.#later();
  }

  /** Does it now, and again from then on. */
  now(): void {
    clearTimeout(this.#timer);
    void this.#refresh();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #later(): void {
    if (this.#closed) return;
    const backoff = firstRetrySeconds * 2 ** (this.#failures - 1);
    const seconds = this.#failures === 0 ? this.#seconds : Math.min(this.#seconds, backoff);
    this.#timer = setTimeout(() => void this.#refresh(), seconds * (0.9 + Math.random() * 0.2) * 1000).unref();
  }

  async #refresh(): Promise<void> {
    this.#failures = (await this.#work()) ? 0 : Math.min(this.#failures + 1, 30);
    this.#later();
  }
}
