import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cloudFrontHeaders } from '@peercert/testkit';
import { type Client, createHierarchy, issueClients, p256 } from '../inputs.mjs';
import type { MemoryInput } from '../memory-child.mjs';
import type { Row } from '../row.mjs';

const entries = 20_000;
const warmUps = 1_000;
const refusalsPerEntry = 10;
/** The young generation has one size from start to end: it would grow with the traffic, and pass for verdicts. */
const execArgv = ['--expose-gc', '--min-semi-space-size=16', '--max-semi-space-size=16'];

/** Header fields of each client, one line each: they must not be in the memory of the process that is measured. */
function writeFields(clients: readonly Client[], path: string): void {
  const lines = clients.map((client) =>
    cloudFrontHeaders(client)
      .map(([, value]) => value)
      .join('\t'),
  );
  writeFileSync(path, lines.join('\n'));
}

async function bytesPerEntry(input: MemoryInput): Promise<number> {
  const path = fileURLToPath(new URL('../memory-child.mjs', import.meta.url));
  const child = fork(path, { execArgv, stdio: 'inherit' });
  child.send(input);
  const [[bytes]] = (await Promise.all([once(child, 'message'), once(child, 'exit')])) as [[number], unknown];
  return bytes;
}

export const memory: readonly Row[] = [
  {
    id: 'memory.verdict',
    what: 'RSS for each cached verdict, 20,000 entries, after ten refusals for each entry',
    other: 'one byte',
    target: 2000,
    better: 'lower',
    unit: 'B',
    async measure() {
      const { root, issuing, clients } = p256();
      const others = issueClients(issuing, entries + warmUps - clients.length);
      const foreign = createHierarchy('p256', 1);
      const folder = mkdtempSync(join(tmpdir(), 'peercert-bench-'));
      try {
        const path = join(folder, 'fields');
        writeFields([...clients, ...others], path);
        const [client] = foreign.clients as [Client];
        const ours = await bytesPerEntry({
          path,
          root: root.der.toString('base64'),
          entries,
          warmUps,
          refusalsPerEntry,
          stranger: { certificate: client.der.toString('base64'), issuer: foreign.issuing.der.toString('base64') },
        });
        return { ours, other: 1, ratio: ours };
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  },
];
