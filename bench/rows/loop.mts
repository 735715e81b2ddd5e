import { createPublicKey } from 'node:crypto';
import { type Authenticator } from '@peercert/core';
import { createHierarchy, createOrigin, type Request, requestsOf } from '../inputs.mjs';
import { alternateRounds, elapsed, longestStall } from '../measure.mjs';
import type { Row } from '../row.mjs';
import { signedParts, spkiOf, verifySigned } from '../tasks.mjs';

const burst = 200;
const rounds = 9;

async function authenticateSlowly(authenticator: Authenticator, request: Request): Promise<void> {
  const { status } = await authenticator.authenticate(request);
  if (status !== 'authenticated') throw new Error(`the benchmark expects an identity, and got: ${status}`);
}

export const loop: readonly Row[] = [
  {
    id: 'loop.cold-burst',
    what: 'longest event-loop stall for 200 unseen P-384 leaves at once',
    other: 'the same verifies run synchronously',
    target: 0.2,
    better: 'lower',
    unit: 'ms',
    measure() {
      const { root, issuing, clients } = createHierarchy('p384', burst + 1);
      const [first, ...requests] = requestsOf(clients) as [Request, ...Request[]];
      const signed = clients.slice(1).map(signedParts);
      const key = createPublicKey({ key: spkiOf(issuing.key.publicKey), type: 'spki', format: 'der' });
      const ours = async (): Promise<number> => {
        const authenticator = createOrigin([root.der]);
        await authenticateSlowly(authenticator, first);
        return longestStall(() => Promise.all(requests.map((request) => authenticateSlowly(authenticator, request))));
      };
      const other = (): Promise<number> => elapsed(() => signed.forEach((parts) => verifySigned(parts, key, 'sha384')));
      return alternateRounds(rounds, ours, other);
    },
  },
];
