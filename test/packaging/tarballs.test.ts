import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, posix } from 'node:path';
import { packageNames, packInto, type PackageName, root, run, type Tarball, temporaryFolder } from './tarballs';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly engines: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

let folder: string;
let tarballs: Readonly<Record<PackageName, Tarball>>;

beforeAll(async () => {
  folder = await temporaryFolder();
  tarballs = await packInto(folder);
  for (const name of packageNames) {
    mkdirSync(join(folder, name));
    await run('tar', ['-xzf', tarballs[name].file, '-C', name, '--strip-components=1'], folder);
  }
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true }));

const contentOf = (name: PackageName, path: string): string => readFileSync(join(folder, name, path), 'utf8');
const manifestOf = (name: PackageName): Manifest => JSON.parse(contentOf(name, 'package.json')) as Manifest;

describe.each(packageNames)('the tarball of %s', (name) => {
  it('holds compiled files, their sources, README, LICENSE, and nothing else', () => {
    const known = /^(?:LICENSE|README\.md|package\.json|dist\/[^.]+\.(?:js|d\.ts)(?:\.map)?|src\/[^.]+\.ts)$/;
    expect(tarballs[name].paths.filter((path) => !known.test(path))).toEqual([]);
    expect(tarballs[name].paths).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json']));
  });

  it('holds the licence of the repository', () => {
    expect(contentOf(name, 'LICENSE')).toBe(readFileSync(join(root, 'LICENSE'), 'utf8'));
  });

  it('says how to install it', () => {
    expect(contentOf(name, 'README.md')).toMatch(new RegExp(`^npm install (?:--save-dev )?@peercert/${name}\\b`, 'm'));
  });

  it('holds JavaScript and types of every source', () => {
    const sources = tarballs[name].paths.filter((path) => path.startsWith('src/'));
    const compiled = sources.map((path) => path.replace('src/', 'dist/').replace('.ts', ''));
    expect(compiled).toContain('dist/index');
    expect(tarballs[name].paths).toEqual(
      expect.arrayContaining(compiled.flatMap((path) => [`${path}.js`, `${path}.d.ts`])),
    );
  });

  it('maps every compiled file back to its source', () => {
    for (const source of tarballs[name].paths.filter((path) => path.startsWith('src/'))) {
      for (const kind of ['.js.map', '.d.ts.map']) {
        const path = source.replace('src/', 'dist/').replace('.ts', kind);
        const { sources } = JSON.parse(contentOf(name, path)) as { sources: string[] };
        expect(sources.map((one) => posix.join(posix.dirname(path), one))).toEqual([source]);
      }
    }
  });

  it('is published for everybody, with provenance, for the versions of Node we support', () => {
    const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
    expect(manifestOf(name)).toMatchObject({
      name: `@peercert/${name}`,
      license: 'MIT',
      engines,
      publishConfig: { access: 'public', provenance: true },
    });
  });

  it('takes our other packages in the version they are released with, or a later compatible one', () => {
    const version = `^${manifestOf('core').version}`;
    const ours = Object.entries(manifestOf(name).dependencies).filter(([other]) => other.startsWith('@peercert/'));
    expect(ours).toEqual(ours.map(([other]) => [other, version]));
    expect(manifestOf(name).version).toBe(manifestOf('core').version);
  });
});

describe('the linters of packages', () => {
  it('publint and "are the types wrong" find nothing', async () => {
    const files = packageNames.map((name) => tarballs[name].file);
    const printed = await run(process.execPath, [join(__dirname, 'lint-tarballs.mjs'), ...files], root);
    expect(JSON.parse(printed)).toEqual(packageNames.map(() => ({ publint: [], types: [] })));
  }, 60_000);
});
