import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as core from '@peercert/core';
import {
  answersOf,
  freePort,
  listeningOn,
  type QuickStart,
  quickStartCode,
  quickStarts,
  runOrigin,
  writePki,
} from '../support/quick-start';
import { type PackageName, packageNames, packInto, root, run, type Tarball, temporaryFolder } from './tarballs';

/** Packages, as the devDependencies of this repository spell them, and what a project installs them as. */
type Companions = Readonly<Record<string, string>>;

const companions: Readonly<Record<QuickStart['name'], Companions>> = {
  express: { express: 'express', '@types/express': '@types/express' },
  koa: { koa: 'koa', '@types/koa': '@types/koa' },
  fastify: { fastify: 'fastify' },
  core: {},
};

/** The oldest major versions our peer dependencies allow. */
const olderCompanions: Companions = {
  express4: 'express',
  '@types/express4': '@types/express',
  koa2: 'koa',
  '@types/koa2': '@types/koa',
};

let folder: string;
let tarballs: Readonly<Record<PackageName, Tarball>>;

beforeAll(async () => {
  folder = await temporaryFolder();
  tarballs = await packInto(folder);
  await Promise.all([
    ...quickStarts.map(({ name }) => install(name, [name], companions[name])),
    install('older', ['express', 'koa'], olderCompanions),
    install('tests', ['testkit', 'edge'], {}),
  ]);
}, 180_000);

afterAll(() => rmSync(folder, { recursive: true }));

/** Makes an empty project and installs some of our packages there, each with what its own package.json asks for. */
async function install(project: string, ours: readonly PackageName[], theirs: Companions): Promise<void> {
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>;
  };
  // The one thing a user does not need: for them the rest of ours comes from the registry.
  const others = packageNames.filter((name) => !ours.includes(name));
  const overrides = Object.fromEntries(others.map((name) => [`@peercert/${name}`, `file:${tarballs[name].file}`]));
  write(project, 'package.json', JSON.stringify({ name: project, private: true, overrides }));
  const packages = [
    ...ours.map((name) => tarballs[name].file),
    ...Object.entries({ '@types/node': '@types/node', ...theirs }).map(([name, installedAs]) => {
      return `${installedAs}@${versionOf(devDependencies[name])}`;
    }),
  ];
  // Where there is no registry, say so soon.
  const patience = ['--prefer-offline', '--fetch-retries=1', '--fetch-retry-mintimeout=1000'];
  await run('npm', ['install', ...patience, '--no-audit', '--no-fund', ...packages], join(folder, project));
}

/** `^4.22.3` of `npm:express@^4.22.3`. */
function versionOf(specifier = ''): string {
  return specifier.replace(/^npm:.+@/, '');
}

function write(project: string, file: string, text: string): void {
  const path = join(folder, project, file);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
}

/** The same program, for Node's older module system. */
function asCommonJs(code: string): string {
  const body = code.replaceAll(/^import (.+) from ('.+');$/gm, 'const $1 = require($2);');
  // There is no `await` outside functions there.
  return `(async () => {\n${body}})();\n`;
}

const strict = { strict: true, exactOptionalPropertyTypes: true, target: 'es2022', types: ['node'] };

/** TypeScript as projects set it up, by the way it finds packages. */
const compilerOptions = {
  // Judges the declarations it reads as well: ours, and with them those of every framework.
  nodenext: { ...strict, module: 'nodenext', skipLibCheck: false, rootDir: '.', outDir: 'out' },
  bundler: { ...strict, module: 'esnext', moduleResolution: 'bundler', skipLibCheck: true, noEmit: true },
} as const;

/** Compiles `typescript/origin.ts` of a project. Prints nothing when there is nothing to say. */
async function compile(project: string, resolution: keyof typeof compilerOptions): Promise<string> {
  const config = { compilerOptions: compilerOptions[resolution], files: ['origin.ts'] };
  write(project, 'typescript/package.json', JSON.stringify({ type: 'module' }));
  write(project, `typescript/tsconfig.${resolution}.json`, JSON.stringify(config));
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  return run(process.execPath, [compiler, '-p', `typescript/tsconfig.${resolution}.json`], join(folder, project));
}

/** Starts a program of a project, asks it, and stops it. */
async function answersFrom(
  project: string,
  file: string,
  kind: QuickStart['kind'],
  port: number,
): ReturnType<typeof answersOf> {
  writePki(join(folder, project));
  const origin = await runOrigin(join(folder, project), file, port);
  try {
    return await answersOf(kind, port);
  } finally {
    await origin.stop();
  }
}

const expectedAnswers = {
  known: { status: 200, body: { device: 'urn:device:1' } },
  unproven: { status: 403, body: { code: 'certificate_required' } },
};

describe.each(quickStarts)('a project that installs @peercert/$name', ({ heading, name, kind }) => {
  const script = (file: string): Promise<string> => run(process.execPath, [file], join(folder, name));

  it('gets one copy of @peercert/core, and it stands for itself', () => {
    const lock = JSON.parse(readFileSync(join(folder, name, 'package-lock.json'), 'utf8')) as { packages: object };
    const copies = Object.keys(lock.packages).filter((path) => path.endsWith('node_modules/@peercert/core'));
    expect(copies).toEqual(['node_modules/@peercert/core']);
    expect(existsSync(join(folder, name, 'node_modules/@peercert/testkit'))).toBe(false);
  });

  it('runs the quick start as an ES module', async () => {
    const port = await freePort();
    write(name, 'origin.mjs', listeningOn(port, quickStartCode(heading)));
    expect(await answersFrom(name, 'origin.mjs', kind, port)).toMatchObject(expectedAnswers);
  }, 30_000);

  it('runs the quick start with require', async () => {
    const port = await freePort();
    write(name, 'origin.cjs', listeningOn(port, asCommonJs(quickStartCode(heading))));
    expect(await answersFrom(name, 'origin.cjs', kind, port)).toMatchObject(expectedAnswers);
  }, 30_000);

  it('type-checks the quick start as a bundler would resolve it', async () => {
    write(name, 'typescript/origin.ts', quickStartCode(heading));
    expect(await compile(name, 'bundler')).toBe('');
  }, 60_000);

  it('type-checks the quick start as Node resolves it, and runs it', async () => {
    const port = await freePort();
    write(name, 'typescript/origin.ts', listeningOn(port, quickStartCode(heading)));
    expect(await compile(name, 'nodenext')).toBe('');
    expect(await answersFrom(name, 'typescript/out/origin.js', kind, port)).toMatchObject(expectedAnswers);
  }, 60_000);

  it('imports everything core exports by name', async () => {
    const names = Object.keys(core).join(', ');
    const program = `
      import { ${names} } from '@peercert/${name}';
      import * as core from '@peercert/core';
      const differing = Object.entries({ ${names} }).filter(([name, value]) => value !== core[name]);
      console.log(JSON.stringify(differing.map(([name]) => name)));`;
    write(name, 'names.mjs', program);
    // Theirs takes their own request.
    const own = name === 'koa' || name === 'fastify' ? ['clientIdentityOf'] : [];
    expect(JSON.parse(await script('names.mjs'))).toEqual(own);
  }, 30_000);

  it('knows by require what it was told by import', async () => {
    const program = `
      import { createRequire } from 'node:module';
      import { admitRequest } from '@peercert/${name}';
      const { clientIdentityOf } = createRequire(import.meta.url)('@peercert/${name}');
      const request = { rawHeaders: [], socket: {} };
      const identity = { uris: ['urn:device:1'] };
      await admitRequest({ authenticate: () => ({ status: 'authenticated', identity }) }, request);
      console.log(clientIdentityOf(Object.assign(request, { req: request, raw: request })) === identity);`;
    write(name, 'instances.mjs', program);
    expect(await script('instances.mjs')).toBe('true\n');
  }, 30_000);
});

describe('a project with Express 4 and Koa 2', () => {
  it.each(['Express', 'Koa'])(
    'type-checks the quick start for %s, and runs it',
    async (heading) => {
      const port = await freePort();
      write('older', 'typescript/origin.ts', listeningOn(port, quickStartCode(heading)));
      expect(await compile('older', 'nodenext')).toBe('');
      expect(await answersFrom('older', 'typescript/out/origin.js', 'forwarded', port)).toMatchObject(expectedAnswers);
    },
    60_000,
  );
});

describe('a project that installs @peercert/testkit and @peercert/edge', () => {
  it('mints a certificate, and sees it arrive behind the edge', async () => {
    const program = `
      const http = require('node:http');
      const https = require('node:https');
      const { once } = require('node:events');
      const { createEdge } = require('@peercert/edge');
      const { cloudFrontHeaders, createAuthority } = require('@peercert/testkit');
      (async () => {
        const validity = { notBefore: new Date(Date.now() - 3_600_000), notAfter: new Date(Date.now() + 3_600_000) };
        const authority = createAuthority(validity);
        const server = authority.issue({ ...validity, dnsNames: ['localhost'], extKeyUsage: ['serverAuth'] });
        const device = authority.issue({ ...validity, uris: ['urn:device:1'] });
        const origin = http.createServer((request, response) => response.end(request.headers['client-cert']));
        origin.listen(0, '127.0.0.1');
        await once(origin, 'listening');
        const edge = createEdge({
          origin: 'http://127.0.0.1:' + origin.address().port,
          tls: { key: server.privateKeyPem, cert: server.pem },
        });
        const { url } = await edge.listen();
        const shown = { key: device.privateKeyPem, cert: device.pem, ca: authority.pem, servername: 'localhost' };
        const [response] = await once(https.get(url, shown), 'response');
        const [body] = await once(response, 'data');
        console.log(body.toString() === new Map(cloudFrontHeaders(device)).get('Client-Cert'));
        await edge.close();
        origin.close();
      })();`;
    write('tests', 'edge.cjs', program);
    expect(await run(process.execPath, ['edge.cjs'], join(folder, 'tests'))).toBe('true\n');
  }, 30_000);

  it('has the command peercert-edge', async () => {
    const command = join(folder, 'tests/node_modules/.bin/peercert-edge');
    expect(await run(command, ['--help'], folder)).toContain('peercert-edge --origin');
  }, 30_000);
});
