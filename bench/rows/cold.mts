import { createPublicKey } from 'node:crypto';
import { createAuthority } from '@peercert/testkit';
import { type Client, createHierarchy, createOrigin, p256, requestsOf } from '../inputs.mjs';
import { alternate, type Task } from '../measure.mjs';
import type { Figures, Row } from '../row.mjs';
import {
  ask,
  coldTask,
  rotate,
  type Signed,
  signedParts,
  spkiOf,
  unseen,
  verifySigned,
  verifyTask,
} from '../tasks.mjs';

/** Chains that have nothing in common. */
const chains = 200;

interface FreshChain {
  readonly client: Client;
  readonly root: Buffer;
  /** Each signature with the key it needs, from the end-entity certificate up. */
  readonly links: readonly (Signed & { readonly spki: Buffer })[];
}

/** A client certificate, two intermediates and their root, all presented. */
function freshChain(_: unknown, index: number): FreshChain {
  const root = createAuthority({ subject: `CN=Root ${index}` });
  const upper = root.issueIntermediate();
  const lower = upper.issueIntermediate();
  const { der, chainWithRoot } = lower.issue({ uris: [`urn:device:${index}`] });
  const links = [
    { ...signedParts({ der }), spki: spkiOf(lower.key.publicKey) },
    { ...signedParts(lower), spki: spkiOf(upper.key.publicKey) },
    { ...signedParts(upper), spki: spkiOf(root.key.publicKey) },
  ];
  return { client: { der, chain: chainWithRoot }, root: root.der, links };
}

function measureFreshChains(): Promise<Figures> {
  const fresh = Array.from({ length: chains }, freshChain);
  const roots = fresh.map(({ root }) => root);
  const renew = () => createOrigin(roots);
  const floor: Task<FreshChain> = {
    next: rotate(fresh),
    run({ links }) {
      for (const { spki, ...signed } of links) {
        verifySigned(signed, createPublicKey({ key: spki, type: 'spki', format: 'der' }));
      }
    },
  };
  return alternate({ next: unseen(requestsOf(fresh.map(({ client }) => client)), renew), run: ask }, floor);
}

export const cold: readonly Row[] = [
  {
    id: 'cold.p256',
    what: 'authenticate, unseen P-256 leaf, known intermediate',
    other: 'one crypto.verify',
    target: 1.4,
    better: 'lower',
    unit: 'µs',
    measure: () => alternate(coldTask(p256()), verifyTask(p256())),
  },
  {
    id: 'cold.rsa2048',
    what: 'the same with RSA 2048',
    other: 'one crypto.verify',
    target: 2,
    better: 'lower',
    unit: 'µs',
    measure() {
      const hierarchy = createHierarchy('rsa2048', 2_000);
      return alternate(coldTask(hierarchy), verifyTask(hierarchy));
    },
  },
  {
    id: 'cold.chain4',
    what: 'authenticate, four-certificate chain, nothing seen before',
    other: 'its three verifies and its key imports',
    target: 1.4,
    better: 'lower',
    unit: 'µs',
    measure: measureFreshChains,
  },
];
