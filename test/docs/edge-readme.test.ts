import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { codeUnder, shownCommands } from '../support/pages';
import { freePort } from '../support/quick-start';

const page = 'packages/edge/README.md';
const hasTools = ['openssl', 'curl'].every((tool) => spawnSync(tool, ['--version']).error === undefined);
if (!hasTools) console.warn(`NOT TESTED: openssl or curl is not installed, so the program in ${page} was not run`);

let folder: string;

beforeEach(() => {
  // Inside the repository, so that the imports of the program resolve.
  folder = mkdtempSync(join(resolve(__dirname, '../..'), 'node_modules/.edge-readme-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

async function shell(line: string): Promise<string> {
  return (await promisify(execFile)('sh', ['-ec', line], { cwd: folder })).stdout;
}

(hasTools ? it : it.skip)(
  '"In a program" prints what the page shows',
  async () => {
    const [originPort, edgePort] = [await freePort(), await freePort()];
    const here = (text: string): string =>
      text.replaceAll('8080', String(originPort)).replaceAll('8443', String(edgePort));
    await shell(codeUnder(page, 'In a program', 'sh').join(''));
    writeFileSync(join(folder, 'program.cjs'), here(codeUnder(page, 'In a program', 'js').join('')));
    const program = spawn(process.execPath, ['program.cjs'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const [printed] = (await once(program.stdout, 'data')) as [Buffer];
      expect(printed.toString()).toBe(`https://localhost:${edgePort}\n`);
      const commands = shownCommands(page, 'In a program');
      expect(commands).toHaveLength(3);
      for (const { command, output } of commands) {
        const printed = await shell(here(command).replace('curl', 'curl --silent --show-error'));
        // Of a certificate the page shows the beginning, as far as all of them share it.
        if (output.endsWith('…:')) expect(printed).toMatch(/^:MII[\w+/]+=*:\n$/);
        else expect(printed).toBe(`${output}\n`);
      }
    } finally {
      program.kill('SIGKILL');
    }
  },
  30_000,
);
