import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageNames, root } from './tarballs';

const json = (name: string): unknown => JSON.parse(readFileSync(join(root, name), 'utf8'));

describe('a release', () => {
  it('gives all packages one version', () => {
    const { fixed } = json('.changeset/config.json') as { fixed: string[][] };
    expect(fixed).toEqual([packageNames.map((name) => `@peercert/${name}`)]);
  });
});

describe('package-lock.json', () => {
  const { packages } = json('package-lock.json') as {
    packages: Record<string, { resolved?: string; optionalDependencies?: Record<string, string> }>;
  };

  it('names no host to download from', () => {
    const hosts = Object.values(packages).filter(({ resolved }) => resolved?.includes('://'));
    expect(hosts).toEqual([]);
  });

  it('holds what other machines than the one it was written on install', () => {
    // npm leaves out what it could not find, without a word; `npm ci` then fails everywhere.
    const names = new Set(Object.keys(packages).map((path) => path.replace(/^.*node_modules\//, '')));
    const wanted = Object.values(packages).flatMap(({ optionalDependencies = {} }) =>
      Object.keys(optionalDependencies),
    );
    expect(wanted.filter((name) => !names.has(name))).toEqual([]);
  });
});
