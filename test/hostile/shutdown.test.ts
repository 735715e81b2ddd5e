import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { cloudFrontHeaders } from '@peercert/testkit';
import { device, edge, freePort, get, listeningOn, quickStartCode, writePki } from '../support/quick-start';

let folder: string;

beforeEach(() => {
  // Inside the repository, so that the imports of an origin resolve.
  folder = mkdtempSync(join(resolve(__dirname, '../..'), 'node_modules/.shutdown-'));
  writePki(folder);
});

afterEach(() => rmSync(folder, { recursive: true }));

/** The quick start for Express, which tells of every outcome and closes its server when it is told to. */
function origin(port: number): string {
  const code = listeningOn(port, quickStartCode('Express'))
    .replace('source: cloudFront({ channel })', '$&, onOutcome: () => {}, authorize: async () => true')
    .replace(/^createServer/m, 'const server = createServer');
  return `${code}
server.once('listening', () => process.send('listening'));
process.once('message', () => {
  process.disconnect();
  server.close();
});`;
}

it('F28: an origin whose server is closed ends by itself: nothing of ours holds the process', async () => {
  const port = await freePort();
  writeFileSync(join(folder, 'origin.mjs'), origin(port));
  const child = spawn(process.execPath, ['origin.mjs'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  try {
    await once(child, 'message');
    const fields = cloudFrontHeaders(device);
    // A verdict, the same from memory, refusals, and an answer that was waited for.
    const answers = [await get(port, edge, fields), await get(port, edge, fields), await get(port, edge, [])];
    answers.push(await get(port, undefined, fields));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 403, 403]);
    const closed = Date.now();
    const ended = once(child, 'exit');
    child.send('close');
    expect(await ended).toEqual([0, null]);
    // Less than any time we wait or remember for.
    expect(Date.now() - closed).toBeLessThan(3_000);
  } finally {
    child.kill('SIGKILL');
  }
}, 30_000);
