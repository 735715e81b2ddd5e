import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { codeUnder } from '../support/pages';

const root = resolve(__dirname, '../..');
const onSources = ['--import', 'tsx', '--conditions=@peercert/source'];

interface Row {
  readonly id: string;
  readonly target: number | null;
  readonly better: 'lower' | 'higher';
}

/** What an expression comes to in the benchmark's own modules, which jest does not load. */
function evaluate(imports: string, expression: string): unknown {
  const script = `${imports}; console.log(JSON.stringify(${expression}));`;
  const output = execFileSync(process.execPath, [...onSources, '--input-type=module', '--eval', script], {
    cwd: root,
    encoding: 'utf8',
  });
  return JSON.parse(output);
}

const rows = evaluate("import { rows } from './bench/rows/index.mts'", 'rows') as readonly Row[];
const ids = rows.map(({ id }) => id);

describe('the rows of the benchmark', () => {
  it('have an id each', () => {
    expect(ids.length).toBeGreaterThan(15);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('are missed with a reason, or not at all', () => {
    const accepted = JSON.parse(readFileSync(join(root, 'bench/accepted.json'), 'utf8')) as Record<string, unknown>;
    expect(ids).toEqual(expect.arrayContaining(Object.keys(accepted)));
    for (const reason of Object.values(accepted)) {
      expect(reason).toEqual({ upTo: expect.any(Number), profile: expect.stringMatching(/.{40}/) });
    }
  });
});

describe('docs/performance.md', () => {
  const page = readFileSync(join(root, 'docs/performance.md'), 'utf8');
  const [, generated = ''] = /<!-- figures -->(.*)<!-- end of figures -->/s.exec(page) ?? [];
  const cells = generated.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  const lineOf = (id: string, columns: number): readonly string[] | undefined =>
    cells.find(({ length, 1: first }) => length === columns + 2 && first === `\`${id}\``);

  it.each(rows)('has the figures of $id, with its target', ({ id, target, better }) => {
    const bound = target === null ? '' : `${better === 'lower' ? '<=' : '>='} ${target}`;
    expect(lineOf(id, 6)?.[5]).toBe(bound);
    expect(lineOf(id, 3)).toBeDefined();
  });

  it('has figures of no row that does not exist', () => {
    const named = cells.map(([, first = '']) => first).filter((first) => first.startsWith('`'));
    expect(named.filter((name) => !ids.includes(name.slice(1, -1)))).toEqual([]);
  });

  it('names the machine and the versions', () => {
    expect(generated).toMatch(/^\d{4}-\d\d-\d\d, \d+ cores of .+,\s+Node v\d+\.\d+\.\d+ with OpenSSL/m);
  });
});

describe('the commands of docs/performance.md', () => {
  const [run = '', elsewhere = '', profile = ''] = codeUnder('docs/performance.md', 'Run it', 'sh');
  const argumentsOf = (line: string): readonly string[] =>
    line
      .split(/ -- |run\.mjs ?/)[1]
      ?.split(' ')
      .filter(Boolean) ?? [];

  it.each([...run.trim().split('\n'), ...elsewhere.trim().split('\n').slice(1), profile.trim()])('take: %s', (line) => {
    const script = `parseOptions(${JSON.stringify(argumentsOf(line))}, ${JSON.stringify(ids)})`;
    expect(evaluate("import { parseOptions } from './bench/options.mts'", script)).toMatchObject({
      json: line.includes('--json'),
      write: line.includes('--write'),
    });
  });

  it('name the file that the build makes and npm run bench calls', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: { bench: string } };
    expect(scripts.bench).toContain('node bench/dist/run.mjs');
  });
});

describe('the row of "Add a row"', () => {
  it('is one, and can be measured', () => {
    const [code = ''] = codeUnder('docs/performance.md', 'Add a row', 'ts');
    const plain = code.replace(': readonly Row[]', '').replace('export ', '');
    const imports = [
      "import core from '@peercert/core'",
      'const { parseClientCert } = core',
      "import { alternate } from './bench/measure.mts'",
      "import { p256, requestsOf } from './bench/inputs.mts'",
      'const [{ rawHeaders }] = requestsOf(p256().clients.slice(0, 1))',
      'const next = () => rawHeaders.at(-3)',
      plain,
      'const { measure, ...row } = parse[0]',
    ].join(';\n');
    expect(evaluate(imports, '{ row, figures: await measure() }')).toEqual({
      row: {
        id: 'parse.client-cert',
        what: expect.any(String),
        other: expect.any(String),
        target: 2,
        better: 'lower',
        unit: 'µs',
      },
      figures: { ours: expect.any(Number), other: expect.any(Number), ratio: expect.any(Number) },
    });
  }, 60_000);
});

describe('the arguments of the benchmark', () => {
  const parse = (...args: readonly string[]): unknown =>
    evaluate("import { parseOptions } from './bench/options.mts'", `parseOptions(${JSON.stringify(args)}, ['a', 'b'])`);

  it('are all optional', () => {
    expect(parse()).toEqual({ json: false, write: false });
    expect(parse('--json', '--only', 'a,b')).toEqual({ json: true, write: false, only: ['a', 'b'] });
  });

  it.each([[['--quick']], [['cold.p256']], [['--only', 'cold']], [['--write', '--only', 'cold.p256']]])(
    'are refused: %j',
    (args) => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [...onSources, 'bench/run.mts', ...args], {
        cwd: root,
        encoding: 'utf8',
      });
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
      expect(stderr).toContain('npm run bench -- ');
    },
  );
});
