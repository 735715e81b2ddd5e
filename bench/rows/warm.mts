import { hash } from 'node:crypto';
import { authenticate, createOrigin, manyClients, p256, requestsOf } from '../inputs.mjs';
import { alternate, type Task } from '../measure.mjs';
import type { Row } from '../row.mjs';
import { ask, type Question, rotate } from '../tasks.mjs';

/** Authenticates clients that were all seen before. */
export function warmTask(count: number): Task<Question> {
  const { root, clients } = p256();
  const authenticator = createOrigin([root.der], { verdictCache: { maxEntries: manyClients, ttlSeconds: 3600 } });
  const requests = requestsOf(clients.slice(0, count));
  for (const request of requests) authenticate(authenticator, request);
  return { next: rotate(requests.map((request) => ({ authenticator, request }))), run: ask };
}

/** What any cache must do: digest the fields and look the digest up. */
function digestTask(count: number): Task<readonly [string, string]> {
  const { clients } = p256();
  const fields = requestsOf(clients.slice(0, count)).map(
    ({ rawHeaders }) => [rawHeaders.at(-3), rawHeaders.at(-1)] as [string, string],
  );
  const known = new Map(fields.map(([leaf, chain]) => [hash('sha256', leaf + chain, 'binary'), leaf]));
  return {
    next: rotate(fields),
    run([leaf, chain]) {
      if (known.get(hash('sha256', leaf + chain, 'binary')) === undefined) throw new Error('an entry is missing');
    },
  };
}

export const warm: readonly Row[] = [
  {
    id: 'warm.cloudfront',
    what: 'authenticate, certificate and channel seen before, 10,000 clients in rotation',
    other: 'SHA-256 of the same header bytes and a Map look-up',
    target: 2,
    better: 'lower',
    unit: 'µs',
    measure: () => alternate(warmTask(manyClients), digestTask(manyClients)),
  },
];
