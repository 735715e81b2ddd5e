import autocannon from 'autocannon';

/** The status each client must get. */
export type Expected = Readonly<Record<string, number>>;

interface Phase {
  /** On the monotonic clock, in milliseconds. */
  readonly from: number;
  readonly expected: readonly Expected[];
}

/** Whom a load sends requests as: the headers, and the certificate of its connections where they are TLS. */
export interface LoadClient {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls?: { readonly key: string; readonly cert: string };
}

/**
 * What has to be answered when: one phase after another, and between two of them, while a change is under way, the answers of
 * either.
 */
export class Timeline {
  readonly #phases: Phase[];

  constructor(first: Expected) {
    this.#phases = [{ from: -Infinity, expected: [first] }];
  }

  /** Makes a change, after which another answer is the right one. */
  async change(next: Expected, make: () => unknown): Promise<void> {
    const { expected } = this.#phases.at(-1) as Phase;
    this.#phases.push({ from: performance.now(), expected: [...expected, next] });
    await make();
    this.#phases.push({ from: performance.now(), expected: [next] });
  }

  /** Whether a status was right at some time between the start of a request and the end of its response. */
  isRight(client: string, status: number, start: number, end: number): boolean {
    return this.#phases.some(({ from, expected }, index) => {
      const until = this.#phases[index + 1]?.from ?? Infinity;
      return from <= end && start < until && expected.some((statuses) => statuses[client] === status);
    });
  }
}

/** Constant load on an origin, as several clients at once, each over connections of its own that are kept. */
export class Load {
  /** Every answer that was not right at any time of its request. */
  readonly wrong: string[] = [];
  /** Requests without an answer. */
  errors = 0;
  readonly #counts = new Map<string, number>();
  readonly #running: { readonly instance: autocannon.Instance; readonly done: Promise<unknown> }[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(url: string, clients: Readonly<Record<string, LoadClient>>, timeline: Timeline) {
    for (const [name, { headers, tls }] of Object.entries(clients)) {
      this.#counts.set(name, 0);
      const options = {
        url,
        headers,
        connections: 2,
        duration: 120,
        overallRate: 300,
        ...(tls && { tlsOptions: tls }),
      };
      let finish: (result: unknown) => void;
      const done = new Promise((resolve) => (finish = resolve));
      const instance = autocannon(options, (_, result) => finish(result));
      instance.on('response', (_, status, __, duration) => {
        const end = performance.now();
        if (!timeline.isRight(name, status, end - duration, end)) this.wrong.push(`${status} for ${name}`);
        this.#counts.set(name, (this.#counts.get(name) as number) + 1);
        for (const look of this.#waiting) look();
      });
      instance.on('reqError', () => this.errors++);
      this.#running.push({ instance, done });
    }
  }

  /** Waits until every client has had so many more answers. */
  async answered(more: number): Promise<void> {
    const before = new Map(this.#counts);
    return new Promise((resolve) => {
      const look = (): void => {
        if ([...this.#counts].some(([name, count]) => count < (before.get(name) as number) + more)) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
  }

  async stop(): Promise<void> {
    for (const { instance } of this.#running) instance.stop();
    await Promise.all(this.#running.map(({ done }) => done));
  }
}
