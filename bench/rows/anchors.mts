import { createAuthority, generateKey } from '@peercert/testkit';
import { once, p256 } from '../inputs.mjs';
import { alternate } from '../measure.mjs';
import type { Row } from '../row.mjs';
import { coldTask } from '../tasks.mjs';

/** The clients' root among others, which share a key that no one looks at. */
export function anchorsOf(count: number): readonly Uint8Array[] {
  const key = generateKey('p256');
  const others = Array.from(
    { length: count - 1 },
    (_, index) => createAuthority({ key, subject: `CN=Root ${index}` }).der,
  );
  return [...others, p256().root.der];
}

/** What rows share, because it takes seconds to mint. */
export const tenThousandAnchors = once(() => anchorsOf(10_000));

export const anchors: readonly Row[] = [
  {
    id: 'anchors.10000',
    what: 'authenticate, unseen P-256 leaf, with 10,000 anchors',
    other: 'with one anchor',
    target: 1.15,
    better: 'lower',
    unit: 'µs',
    measure: () => alternate(coldTask(p256(), tenThousandAnchors()), coldTask(p256())),
  },
];
