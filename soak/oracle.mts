import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Case, Issuer } from './cases.mjs';
import type { SwappingStore } from './stores.mjs';

interface InFlight {
  readonly asked: Case;
  /** What the stores that were in use since the request began let in. */
  readonly stores: ReadonlySet<Issuer>[];
}

/**
 * Holds every answer against the stores that were in use while the request was under way: one of them must give it. Knows
 * from the request which certificate it carries, and from nobody else who may be let in.
 */
export class Oracle {
  wrong = 0;
  swaps = 0;
  readonly #cases: readonly Case[];
  readonly #stores: Readonly<Record<string, SwappingStore>>;
  readonly #inFlight: ReadonlyMap<string, Set<InFlight>>;

  /** @param stores - By the path they judge. */
  constructor(cases: readonly Case[], stores: Readonly<Record<string, SwappingStore>>) {
    this.#cases = cases;
    this.#stores = stores;
    this.#inFlight = new Map(Object.keys(stores).map((path) => [path, new Set()]));
    for (const [path, store] of Object.entries(stores)) {
      store.onSwapped(() => {
        this.swaps++;
        for (const { stores: seen } of this.#inFlight.get(path) ?? []) seen.push(store.issuers());
      });
    }
  }

  /** To be called before anything else sees the request. */
  watch(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    const store = this.#stores[path];
    const asked = this.#cases[Number(request.headers['x-case'])];
    if (store === undefined || asked === undefined) throw new TypeError('The load asks for what is not there.');
    const entry = { asked, stores: [store.issuers()] };
    this.#inFlight.get(path)?.add(entry);
    response.once('close', () => {
      this.#inFlight.get(path)?.delete(entry);
      // Nobody got an answer otherwise.
      if (response.writableFinished && !isRight(entry, response.statusCode)) this.wrong++;
    });
  }
}

function isRight({ asked: { issuer, refusal }, stores }: InFlight, status: number): boolean {
  if (issuer === undefined) return status === refusal;
  return stores.some((issuers) => status === (issuers.has(issuer) ? 200 : refusal));
}
