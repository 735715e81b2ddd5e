import { FetchError } from './fetch-error';

/** Gives a slot back. */
export type Release = () => void;

interface Waiting {
  readonly host: string;
  readonly start: () => void;
}

/** How many requests may be under way: in all, and for each host. */
export interface SlotLimits {
  readonly maxConcurrent: number;
  readonly maxConcurrentPerHost: number;
  readonly maxQueued: number;
}

/** Hands out slots for requests, first come first served; a host that is full does not hold up those behind it. */
export class RequestSlots {
  readonly #limits: SlotLimits;
  readonly #taken = new Map<string, number>();
  /** In order of arrival. None of them could start. */
  readonly #queue = new Set<Waiting>();
  #active = 0;

  constructor(limits: SlotLimits) {
    this.#limits = limits;
  }

  /**
   * Waits for a slot.
   *
   * @param signal - Ends the wait: the promise rejects with its reason.
   * @throws {FetchError} `'busy'` when too many wait already.
   */
  async take(host: string, signal: AbortSignal): Promise<Release> {
    signal.throwIfAborted();
    if (!this.#isFree(host)) {
      if (this.#queue.size >= this.#limits.maxQueued) throw new FetchError('busy');
      await this.#wait(host, signal);
    } else {
      this.#occupy(host);
    }
    return () => this.#release(host);
  }

  /** The slot is the waiter's from the moment it is started. */
  #wait(host: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#queue.delete(waiting);
        reject(signal.reason);
      };
      const waiting: Waiting = {
        host,
        start: () => {
          signal.removeEventListener('abort', leave);
          this.#occupy(host);
          resolve();
        },
      };
      this.#queue.add(waiting);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  #release(host: string): void {
    this.#active -= 1;
    const left = (this.#taken.get(host) ?? 0) - 1;
    if (left > 0) this.#taken.set(host, left);
    else this.#taken.delete(host);
    this.#startNext();
  }

  /** One slot became free, so at most one can start. */
  #startNext(): void {
    for (const waiting of this.#queue) {
      if (!this.#isFree(waiting.host)) continue;
      this.#queue.delete(waiting);
      waiting.start();
      return;
    }
  }

  #isFree(host: string): boolean {
    const { maxConcurrent, maxConcurrentPerHost } = this.#limits;
    return this.#active < maxConcurrent && (this.#taken.get(host) ?? 0) < maxConcurrentPerHost;
  }

  #occupy(host: string): void {
    this.#active += 1;
    this.#taken.set(host, (this.#taken.get(host) ?? 0) + 1);
  }
}
