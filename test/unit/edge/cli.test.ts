import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { codeUnder, shownCommands } from '../../support/pages';
import {
  freePort,
  listeningOn,
  type QuickStart,
  quickStartCode,
  quickStarts,
  runOrigin,
  type RunningOrigin,
} from '../../support/quick-start';

const root = resolve(__dirname, '../../..');
const cli = join(root, 'packages/edge/dist/cli.js');
const hasCurl = spawnSync('curl', ['--version']).status === 0;
if (!hasCurl) console.warn('NOT TESTED: curl is not installed, so the printed curl line was not run');

let folder: string;
const running: ChildProcess[] = [];

beforeEach(() => {
  // Inside the repository, so that the imports of an origin resolve.
  folder = mkdtempSync(join(root, 'node_modules/.peercert-edge-'));
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((child) => stop(child)));
  rmSync(folder, { recursive: true });
});

async function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = once(child, 'exit') as Promise<[number | null]>;
  child.kill(signal);
  return (await ended)[0];
}

interface RunningEdge {
  readonly child: ChildProcess;
  readonly output: string;
  readonly port: number;
}

/** Starts the command on a free port, and waits until it says that it listens. */
async function start(...options: string[]): Promise<RunningEdge> {
  const child = spawn(process.execPath, [cli, '--port', '0', '--pki', 'pki', ...options], { cwd: folder });
  running.push(child);
  let output = '';
  const ended = text(child.stderr).then((errors) => Promise.reject(new Error(`the command ended: ${errors}`)));
  const listening = new Promise<void>((done) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('Ctrl-C ends it.')) done();
    });
  });
  await Promise.race([listening, ended]);
  ended.catch(() => {});
  return { child, output, port: Number(/https:\/\/localhost:(\d+)\/$/m.exec(output)?.[1]) };
}

/** Runs the command to its end. */
async function run(...options: string[]): Promise<{ code: number | null; output: string; errors: string }> {
  const child = spawn(process.execPath, [cli, ...options], { cwd: folder });
  running.push(child);
  const closed = once(child, 'close') as Promise<[number | null]>;
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  return { code, output, errors };
}

/** A quick start of README.md, with the files of the command. */
async function startQuickStart(heading: QuickStart['heading'] = 'Express'): Promise<RunningOrigin> {
  const port = await freePort();
  writeFileSync(join(folder, 'origin.mjs'), listeningOn(port, quickStartCode(heading)));
  return runOrigin(folder, 'origin.mjs', port);
}

/** What a `curl` line of a page prints. */
async function curl(line: string): Promise<string> {
  const [, ...options] = line.split(' ');
  return (await promisify(execFile)('curl', ['--silent', '--show-error', ...options], { cwd: folder })).stdout;
}

const pem = (name: string): string => readFileSync(join(folder, 'pki', name), 'utf8');

async function get(port: number, withCertificate: boolean): Promise<{ status: number | undefined; body: string }> {
  const client = withCertificate ? { cert: pem('client.pem'), key: pem('client.key') } : {};
  const address = { host: '127.0.0.1', port, servername: 'localhost', ca: pem('server-ca.pem'), agent: false };
  const outgoing = request({ ...address, ...client }).end();
  const [response] = (await once(outgoing, 'response')) as [Parameters<typeof text>[0] & { statusCode?: number }];
  return { status: response.statusCode, body: await text(response) };
}

describe('peercert-edge, with an empty folder', () => {
  it('makes a PKI, good for a year, with private keys for the owner only', async () => {
    const { output } = await start('--origin', 'https://localhost:1');
    const names = readdirSync(join(folder, 'pki'));
    expect(names.toSorted()).toEqual([
      'client.key',
      'client.pem',
      'edge-ca.pem',
      'edge-client.key',
      'edge-client.pem',
      'edge-server.key',
      'edge-server.pem',
      'origin.key',
      'origin.pem',
      'server-ca.pem',
      'viewers-ca.pem',
    ]);
    for (const name of names) expect(output).toContain(`\n  ${name} `);
    const modes = names.filter((name) => name.endsWith('.key')).map((name) => statSync(join(folder, 'pki', name)).mode);
    expect(modes.map((mode) => mode & 0o777)).toEqual([0o600, 0o600, 0o600, 0o600]);
    const days = names
      .filter((name) => !name.endsWith('.key'))
      .map((name) =>
        Math.floor((new Date(new X509Certificate(pem(name)).validTo).getTime() - Date.now()) / 86_400_000),
      );
    expect(new Set(days)).toEqual(new Set([364]));
  });

  it('says what the origin needs, and README documents every file', async () => {
    const { output } = await start('--origin', 'https://localhost:1');
    expect(output).toContain("TrustStore.fromFile('pki/viewers-ca.pem')");
    expect(output).toContain("TrustStore.fromFile('pki/edge-ca.pem'), dnsNames: ['cf-e2example.origin.example.com']");
    const readme = readFileSync(join(root, 'packages/edge/README.md'), 'utf8');
    for (const name of readdirSync(join(folder, 'pki'))) expect(readme).toContain(`\`${name}\``);
  });
});

describe('peercert-edge, before the quick start of README.md', () => {
  it('brings the client through, and nobody without a certificate', async () => {
    await stop((await start('--origin', 'https://localhost:1')).child);
    const origin = await startQuickStart();
    try {
      const { port, output } = await start('--origin', `https://localhost:${origin.port}`);
      expect(output).not.toContain('Made in');
      await expect(get(port, true)).resolves.toEqual({ status: 200, body: '{"device":"urn:example:device:1"}' });
      await expect(get(port, false)).resolves.toMatchObject({ status: 403 });
    } finally {
      await origin.stop();
    }
  }, 30_000);

  (hasCurl ? it : it.skip)(
    'prints a curl line that works',
    async () => {
      await stop((await start('--origin', 'https://localhost:1')).child);
      const origin = await startQuickStart();
      try {
        const { output } = await start('--origin', `https://localhost:${origin.port}`);
        await expect(curl(/^ {2}(curl .*)$/m.exec(output)?.[1] ?? '')).resolves.toBe(
          '{"device":"urn:example:device:1"}',
        );
      } finally {
        await origin.stop();
      }
    },
    30_000,
  );
});

describe.each(quickStarts)('"Ask it" of README.md, with the quick start for $heading', ({ heading, kind }) => {
  const shown = shownCommands('README.md', 'Ask it');

  (hasCurl ? it : it.skip)(
    kind === 'forwarded' ? 'prints what the page shows' : 'gets its answer straight from the origin',
    async () => {
      const [, command = ''] = codeUnder('README.md', 'Quick start', 'sh')
        .join('')
        .split(/^npx peercert-edge /m);
      expect(command.trim()).toBe('--origin https://localhost:8443');
      expect(codeUnder('packages/edge/README.md', 'The command', 'sh')).toEqual([`npx peercert-edge ${command}`]);
      await stop((await start('--origin', 'https://localhost:1')).child);
      const origin = await startQuickStart(heading);
      try {
        const { port } = await start(...command.trim().replace('8443', String(origin.port)).split(' '));
        const here = (line: string): string => line.replace(':8444', `:${port}`).replace(':8443', `:${origin.port}`);
        expect(shown.map((entry) => entry.command.slice(-5, -1))).toEqual(['8444', '8444', '8443']);
        const printed = await Promise.all(shown.map(async (entry) => curl(here(entry.command))));
        if (kind === 'forwarded') expect(printed).toEqual(shown.map(({ output }) => output));
        else expect(printed.at(-1)).toBe(shown[0]?.output);
      } finally {
        await origin.stop();
      }
    },
    30_000,
  );
});

describe('peercert-edge', () => {
  it('leaves the files of an earlier run as they are', async () => {
    await stop((await start('--origin', 'https://localhost:1')).child);
    const before = readdirSync(join(folder, 'pki')).map(pem);
    await start('--origin', 'https://localhost:1');
    expect(readdirSync(join(folder, 'pki')).map(pem)).toEqual(before);
  });

  it('closes the connection of a client without a certificate in required mode', async () => {
    const { port } = await start('--origin', 'http://localhost:1', '--mode', 'required');
    await expect(get(port, true)).resolves.toMatchObject({ status: 502 });
    await expect(get(port, false)).rejects.toThrow('socket hang up');
  });

  it('ends with 0 on SIGINT, in the middle of a connection', async () => {
    const { child, port } = await start('--origin', 'http://localhost:1', '--origin-header', 'X-Secret: s: 1');
    await get(port, true);
    await expect(stop(child, 'SIGINT')).resolves.toBe(0);
  });

  it('explains itself with --help, and makes nothing', async () => {
    const { code, output } = await run('--help');
    expect({ code, made: readdirSync(folder) }).toEqual({ code: 0, made: [] });
    const readme = readFileSync(join(root, 'packages/edge/README.md'), 'utf8');
    expect(readme).toContain(`\`\`\`\n${output.slice(output.indexOf('  --origin'))}\`\`\``);
  });

  it.each([
    [[], '--origin is missing, e.g. --origin https://localhost:8443'],
    [['--origin', 'localhost'], 'origin is a URL such as "https://localhost:8443", received localhost'],
    [['--origin', 'http://localhost:1', '--port', '65536'], '--port is a number up to 65535, received 65536'],
    [['--origin', 'http://localhost:1', '--port', ''], '--port is a number up to 65535, received '],
    [['--origin', 'http://localhost:1', '--mode', 'off'], 'mode is "passthrough" or "required" or "optional"'],
    [['--origin', 'http://localhost:1', '--chain-field-lines', '2'], 'chainFieldLines is "one" or'],
    [['--origin', 'http://localhost:1', '--origin-header', 'X'], "--origin-header is 'NAME: VALUE', received X"],
    [
      ['--origin', 'http://localhost:1', '--origin-header', 'X: 1', '--origin-header', 'X: 2'],
      '--origin-header X is there twice',
    ],
    [['--origin', 'http://localhost:1', '--origin-header', 'Host: x'], 'CloudFront does not add this header'],
    [['--orgin', 'http://localhost:1'], "Unknown option '--orgin'"],
    [['http://localhost:1'], 'Unexpected argument'],
  ])('ends with 2 and one line for %j', async (options, message) => {
    const { code, errors } = await run(...options);
    expect({ code, lines: errors.split('\n').length }).toEqual({ code: 2, lines: 2 });
    expect(errors).toMatch(/^peercert-edge: /);
    expect(errors).toContain(message);
  });

  it('ends with 2 and one line for a port that is taken', async () => {
    const { port } = await start('--origin', 'http://localhost:1');
    const { code, errors } = await run('--origin', 'http://localhost:1', '--pki', 'pki', '--port', String(port));
    expect({ code, errors }).toEqual({ code: 2, errors: expect.stringMatching(/^peercert-edge: .*EADDRINUSE.*\n$/) });
  });

  it('refuses a folder that is half filled, and says what is missing', async () => {
    await stop((await start('--origin', 'https://localhost:1')).child);
    rmSync(join(folder, 'pki/client.key'));
    rmSync(join(folder, 'pki/edge-ca.pem'));
    const { code, errors } = await run('--origin', 'http://localhost:1', '--pki', 'pki');
    expect(code).toBe(2);
    expect(errors).toBe(
      'peercert-edge: pki is half filled, without client.key, edge-ca.pem: bring them back, or remove the others\n',
    );
  });
});
