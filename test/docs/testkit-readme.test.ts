import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import * as testkit from '@peercert/testkit';
import { codeUnder } from '../support/pages';
import { freePort, listeningOn } from '../support/quick-start';

const root = resolve(__dirname, '../..');
const page = 'packages/testkit/README.md';

/** Runs the code under a heading, and then these lines. */
async function run(heading: string, more: string): Promise<unknown> {
  // Inside the repository, so that the imports resolve.
  const folder = mkdtempSync(join(root, 'node_modules/.testkit-readme-'));
  try {
    const port = await freePort();
    const code = codeUnder(page, heading, 'ts').join('').replace('connect({ port: 8443', 'var shown = $&');
    writeFileSync(join(folder, 'example.mjs'), listeningOn(port, listeningOn(port, code)) + more);
    const { stdout } = await promisify(execFile)(process.execPath, ['example.mjs'], { cwd: folder });
    return JSON.parse(stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it('"Example" makes the headers, and is shown the certificate over TLS', async () => {
  const more = `
    shown.once('data', (subjectAltName) => {
      const names = Object.entries(headers).map(([name, value]) => name + ' ' + value.slice(0, 4));
      console.log(JSON.stringify([names, TEST_TIME, String(subjectAltName)]));
      process.exit();
    });`;
  await expect(run('Example', more)).resolves.toEqual([
    ['Client-Cert :MII', 'Client-Cert-Chain :MII'],
    '2026-06-01T12:00:00.000Z',
    'URI:urn:example:device:1',
  ]);
}, 30_000);

it('"Without certificates" answers as the page says', async () => {
  const more = `
    const server = app.listen(0, '127.0.0.1', async () => {
      const answer = await fetch('http://127.0.0.1:' + server.address().port);
      console.log(JSON.stringify([answer.status, await answer.text()]));
      process.exit();
    });`;
  const [shown] = /(?<=\/\/ )\[.*\]$/m.exec(codeUnder(page, 'Without certificates', 'ts').join('')) ?? [];
  await expect(run('Without certificates', more)).resolves.toEqual([200, shown]);
}, 30_000);

describe('"Certificates as they should not be"', () => {
  const readme = readFileSync(join(root, page), 'utf8');
  const section = readme.slice(readme.indexOf('## Certificates as they should not be'), readme.indexOf('## Exports'));
  const rows = [...section.matchAll(/^\| (?!To get|---)(.+?) +\| `([^`]+)`/gm)].map(([, what, code]) => [what, code]);
  const known = { ...testkit, root: testkit.createAuthority(), content: Buffer.alloc(0) };

  it('is read', () => {
    expect(rows.length).toBeGreaterThan(10);
  });

  it.each(rows)('is had by what the page says: %s', (_, code) => {
    // oxlint-disable-next-line typescript/no-implied-eval -- the page is what is tested
    const make = new Function(...Object.keys(known), `return ${code};`);
    expect(make(...Object.values(known))).toBeDefined();
  });
});
