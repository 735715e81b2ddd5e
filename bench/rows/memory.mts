import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cloudFrontHeaders } from '@peercert/testkit';
import { inFolder, octetsBy } from '../children.mjs';
import { type Client, createHierarchy, issueClients, p256 } from '../inputs.mjs';
import type { Row } from '../row.mjs';

const entries = 20_000;
const warmUps = 1_000;
const refusalsPerEntry = 10;

/** Header fields of each client, one line each: they must not be in the memory of the process that is measured. */
function writeFields(clients: readonly Client[], path: string): void {
  const lines = clients.map((client) =>
    cloudFrontHeaders(client)
      .map(([, value]) => value)
      .join('\t'),
  );
  writeFileSync(path, lines.join('\n'));
}

export const memory: readonly Row[] = [
  {
    id: 'memory.verdict',
    what: 'RSS for each cached verdict, 20,000 entries, after ten refusals for each entry',
    other: 'one byte',
    target: 2000,
    better: 'lower',
    unit: 'B',
    measure() {
      const { root, issuing, clients } = p256();
      const others = issueClients(issuing, entries + warmUps - clients.length);
      const foreign = createHierarchy('p256', 1);
      return inFolder(async (folder) => {
        const path = join(folder, 'fields');
        writeFields([...clients, ...others], path);
        const [client] = foreign.clients as [Client];
        const ours = await octetsBy('memory-child', {
          path,
          root: root.der.toString('base64'),
          entries,
          warmUps,
          refusalsPerEntry,
          stranger: { certificate: client.der.toString('base64'), issuer: foreign.issuing.der.toString('base64') },
        });
        return { ours, other: 1, ratio: ours };
      });
    },
  },
];
