import http, { type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import type { Timeline } from '../e2e/rotation-load';
import type { Client, Group, Population } from './clients';
import type { Sample } from './latency';

/** Of twenty requests in a row, those that are not of a warm client. */
const others: Readonly<Record<number, Group>> = { 0: 'cold', 5: 'lapsing', 10: 'revoked', 15: 'lapsing' };
const turn = 20;
/** After so many requests one goes to a server that has nothing to do with the responder. */
const bareEvery = 5;

/** Clients that are asked for again and again. */
export const standing = { warm: 200, lapsing: 20, revoked: 10 } as const;

/** How many new clients so many seconds take. */
export function coldClientsIn(seconds: number, requestsPerSecond: number): number {
  return Math.ceil((seconds * requestsPerSecond) / turn);
}

/** What a load is made of. */
export interface LoadSettings {
  readonly requestsPerSecond: number;
  readonly originPort: number;
  /** Of a server in a process of its own that judges nobody: what becomes slower there, the machine has made slower. */
  readonly barePort: number;
  readonly clients: Population['clients'];
  /** What has to be answered when. */
  readonly timeline: Timeline;
}

/** Requests at a constant rate, whatever becomes of those before, over connections that are kept. */
export class Load {
  /** Every answer that was not right at any time of its request. */
  readonly wrong: string[] = [];
  /** Requests without an answer. */
  unanswered = 0;
  sent = 0;
  /** Answers to clients that are warm. */
  readonly warm: Sample[] = [];
  /** Answers of the other server. */
  readonly bare: Sample[] = [];
  readonly #settings: LoadSettings;
  readonly #agent = new http.Agent({ keepAlive: true });
  readonly #next: Record<Group, number> = { warm: 0, lapsing: 0, revoked: 0, cold: 0 };
  readonly #underWay = new Set<Promise<void>>();
  #startedAt = 0;
  #ratePerSecond = 0;
  #stopped = false;
  #running = Promise.resolve();

  constructor(settings: LoadSettings) {
    this.#settings = settings;
  }

  /** Asks for every client but the cold ones once, so that they are known. */
  async introduce(): Promise<void> {
    const { warm, lapsing, revoked } = this.#settings.clients;
    for (const client of [...warm, ...lapsing, ...revoked]) await this.#send(client);
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Resolves when every answer is there. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    await this.#running;
    this.#ratePerSecond = (this.sent * 1000) / (performance.now() - this.#startedAt);
    await Promise.all(this.#underWay);
    this.#agent.destroy();
  }

  /** Requests that were in fact sent in a second, once it has stopped. */
  get ratePerSecond(): number {
    return this.#ratePerSecond;
  }

  async #run(): Promise<void> {
    const { requestsPerSecond } = this.#settings;
    this.#startedAt = performance.now();
    while (!this.#stopped) {
      const due = ((performance.now() - this.#startedAt) * requestsPerSecond) / 1000;
      for (; this.sent < due; this.sent++) {
        this.#follow(this.#send(this.#nextOf(others[this.sent % turn] ?? 'warm')));
        if (this.sent % bareEvery === 0) this.#follow(this.#sendBare());
      }
      await setTimeout(1);
    }
  }

  #follow(sending: Promise<void>): void {
    this.#underWay.add(sending);
    void sending.then(() => this.#underWay.delete(sending));
  }

  #nextOf(group: Group): Client {
    const at = this.#next[group]++;
    const clients = this.#settings.clients[group];
    // Whoever is asked for again is not cold.
    if (group === 'cold' && at >= clients.length) throw new Error('there are no cold clients left');
    return clients[at % clients.length] as Client;
  }

  async #send({ group, uri, path, headers }: Client): Promise<void> {
    const { originPort, timeline } = this.#settings;
    const start = performance.now();
    try {
      const { status, body } = await this.#ask(originPort, path, headers);
      const end = performance.now();
      const isRight =
        timeline.isRight(group, status, start, end) && (status !== 200 || body === JSON.stringify({ uri }));
      if (!isRight) this.wrong.push(`${status} for ${uri}`);
      if (group === 'warm') this.warm.push({ at: start, ms: end - start });
    } catch {
      this.unanswered++;
    }
  }

  async #sendBare(): Promise<void> {
    const start = performance.now();
    try {
      await this.#ask(this.#settings.barePort, '/bare', ['Host', 'origin.example.com']);
      this.bare.push({ at: start, ms: performance.now() - start });
    } catch {
      this.unanswered++;
    }
  }

  async #ask(port: number, path: string, headers: readonly string[]): Promise<{ status: number; body: string }> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const options = { host: '127.0.0.1', port, path, agent: this.#agent, headers };
      http.request(options).once('response', resolve).once('error', reject).end();
    });
    return { status: response.statusCode ?? 0, body: await text(response) };
  }
}
