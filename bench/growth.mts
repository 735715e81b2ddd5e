// How the cost of a request grows with what an origin has to do with, and that of a CRL with its entries.
import type { Authenticator } from '@peercert/core';
import { createAuthority, type TestAuthority } from '@peercert/testkit';
import { authenticate, type Client, createOrigin, p256, type Request, requestsOf } from './inputs.mjs';
import { crlWith } from './crls.mjs';
import { elapsed, median, type Task, timerOf } from './measure.mjs';
import { anchorsOf } from './rows/anchors.mjs';
import { decode, findTask } from './rows/crl.mjs';
import { ask, type Question, rotate, unseen } from './tasks.mjs';

/** Cost in microseconds at each place of an axis. */
export interface Growth {
  readonly title: string;
  readonly places: readonly number[];
  readonly cold: readonly number[];
  readonly warm: readonly number[];
  /** What `cold` and `warm` are. Default: a request that is new, and one seen before. */
  readonly names?: readonly [cold: string, warm: string];
}

const rounds = 5;
const freshChains = 100;
const clientsAtHand = 1_000;

async function costOf<Input>(task: Task<Input>): Promise<number> {
  const time = await timerOf(task);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) times.push(await time());
  return median(times);
}

/** Authenticates what is seen for the first time by an authenticator that has seen `before`. */
function coldCost(
  requests: readonly Request[],
  before: readonly Request[],
  anchors: readonly Uint8Array[],
): Promise<number> {
  const renew = (): Authenticator => {
    const authenticator = createOrigin(anchors);
    for (const request of before) authenticate(authenticator, request);
    return authenticator;
  };
  return costOf({ next: unseen(requests, renew), run: ask });
}

function warmCost(requests: readonly Request[], anchors: readonly Uint8Array[]): Promise<number> {
  const authenticator = createOrigin(anchors, { verdictCache: { ttlSeconds: 3600 } });
  for (const request of requests) authenticate(authenticator, request);
  const task: Task<Question> = { next: rotate(requests.map((request) => ({ authenticator, request }))), run: ask };
  return costOf(task);
}

/** A client with a chain of its own up to a root of its own: with it, `length` certificates. */
function freshClient(length: number): Client & { readonly root: Buffer } {
  const root = createAuthority();
  let issuer: TestAuthority = root;
  for (let above = 2; above < length; above++) issuer = issuer.issueIntermediate();
  const { der, chain, chainWithRoot } = issuer.issue();
  return { der, chain: length === 1 ? chain : chainWithRoot, root: root.der };
}

async function growthOf(
  title: string,
  places: readonly number[],
  measure: (place: number) => Promise<readonly [cold: number, warm: number]>,
  names?: Growth['names'],
): Promise<Growth> {
  const costs: (readonly [number, number])[] = [];
  for (const place of places) costs.push(await measure(place));
  return {
    title,
    places,
    cold: costs.map(([cold]) => cold),
    warm: costs.map(([, warm]) => warm),
    ...(names && { names }),
  };
}

/** A CRL takes too long to be decoded often; a short one, so little that one time says nothing. */
async function decodeCost(der: Buffer, entries: number): Promise<number> {
  const times: number[] = [];
  for (let round = entries > 10_000 ? 3 : 25; round > 0; round--) {
    times.push((await elapsed(() => decode(der, entries))) * 1000);
  }
  return median(times);
}

/** Measures everything that is plotted. Takes about three quarters of a minute. */
export async function measureGrowth(): Promise<readonly Growth[]> {
  const { root, clients } = p256();
  const [first, ...others] = requestsOf(clients) as [Request, ...Request[]];
  const atHand = others.slice(0, clientsAtHand);
  return [
    await growthOf('certificates presented', [1, 2, 3, 4], async (length) => {
      const fresh = Array.from({ length: freshChains }, () => freshClient(length));
      const requests = requestsOf(fresh);
      const roots = fresh.map((client) => client.root);
      return [await coldCost(requests, [], roots), await warmCost(requests, roots)];
    }),
    await growthOf('trust anchors', [1, 10, 100, 1_000, 10_000], async (count) => {
      const anchors = anchorsOf(count);
      return [await coldCost(atHand, [first], anchors), await warmCost(atHand, anchors)];
    }),
    await growthOf('clients in the cache', [1, 10, 100, 1_000, 9_000], async (count) => {
      const [seen, unknown] = [others.slice(0, count), others.slice(-(others.length - 9_000))];
      return [await coldCost(unknown, seen, [root.der]), await warmCost(seen, [root.der])];
    }),
    await growthOf(
      'entries of a CRL',
      [100, 1_000, 10_000, 100_000, 1_000_000],
      async (entries) => {
        const { der, questions } = crlWith(entries);
        return [await decodeCost(der, entries), await costOf(findTask(await decode(der, entries), questions))];
      },
      ['decoded', 'looked into'],
    ),
  ];
}
