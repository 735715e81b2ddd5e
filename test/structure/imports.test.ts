import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

const packages = resolve(__dirname, '../../packages');

/** Core from left to right: a part imports only from parts to its left, and from itself. */
const coreParts = [
  'errors',
  'options',
  'slices',
  'files',
  'file-watcher',
  'refresh',
  'reloading',
  'x509',
  'trust',
  'path',
  'escaped-pem',
  'request',
  'channel',
  'source',
  'revocation',
  'identity',
  'outcome',
  'outcome-event',
  'verdict-cache',
  'judge',
  'rule',
  'server-checks',
  'authenticator',
  'trust-domains',
  'server-options',
  'refusal',
  'admission',
  'on-demand',
  'index',
];

/** What a package may import of ours, and from the registry. Each registry package is a decision: docs/decisions/. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  core: ['lru-cache'],
  express: ['@peercert/core'],
  koa: ['@peercert/core', 'koa'],
  fastify: ['@peercert/core', 'fastify', 'fastify-plugin'],
  testkit: ['@peercert/core', '@peculiar/asn1-schema', '@peculiar/asn1-x509', '@peculiar/x509', 'reflect-metadata'],
  edge: ['@peercert/core', '@peercert/testkit'],
};

interface Import {
  readonly from: string;
  readonly specifier: string;
}

function sourceFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(directory, name));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8');
  const statements = text.matchAll(/^(?:(?:import|export)\b[^;'"=()]*?\bfrom|import) '([^']+)';/gm);
  return [...statements].map((match) => ({ from: file, specifier: match[1] as string }));
}

function partOf(file: string): string {
  const [first = ''] = relative(join(packages, 'core/src'), file).split(sep);
  return first.replace(/\.ts$/, '');
}

describe('the direction of imports', () => {
  const names = readdirSync(packages);

  it('covers every package', () => {
    expect(names.toSorted()).toEqual(Object.keys(allowed).toSorted());
  });

  it('finds the imports at all', () => {
    expect(importsOf(join(packages, 'core/src/index.ts')).length).toBeGreaterThan(10);
  });

  it.each(Object.keys(allowed))('%s imports only Node, itself and what it is allowed to', (name) => {
    const strange = sourceFiles(join(packages, name, 'src'))
      .flatMap(importsOf)
      .filter(({ specifier }) => !specifier.startsWith('node:') && !specifier.startsWith('.'))
      .filter(({ specifier }) => !(allowed[name] ?? []).includes(specifier));
    expect(strange).toEqual([]);
  });

  it('edge imports testkit for its command only', () => {
    const imports = sourceFiles(join(packages, 'edge/src')).flatMap(importsOf);
    const minting = imports.filter(({ specifier }) => specifier === '@peercert/testkit').map(({ from }) => from);
    expect(minting).toEqual([join(packages, 'edge/src/pki.ts')]);
    const usingIt = imports.filter(({ specifier }) => specifier === './pki').map(({ from }) => from);
    expect(usingIt).toEqual([join(packages, 'edge/src/cli.ts')]);
  });

  it('core knows every part by its place', () => {
    const parts = new Set(sourceFiles(join(packages, 'core/src')).map(partOf));
    expect([...parts].toSorted()).toEqual(coreParts.toSorted());
  });

  it('core imports only from left to right', () => {
    const backwards = sourceFiles(join(packages, 'core/src'))
      .flatMap(importsOf)
      .filter(({ specifier }) => specifier.startsWith('.'))
      .map(({ from, specifier }) => [partOf(from), partOf(resolve(dirname(from), specifier))] as const)
      .filter(([from, to]) => coreParts.indexOf(to) > coreParts.indexOf(from));
    expect(backwards).toEqual([]);
  });
});
