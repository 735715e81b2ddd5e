import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';

const root = resolve(__dirname, '../..');
const onSources = ['--import', 'tsx', '--conditions=@peercert/source', '--expose-gc'];

interface Run {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** `npm run soak`, without building first. */
async function soak(...args: readonly string[]): Promise<Run> {
  const child = spawn(process.execPath, [...onSources, 'soak/run.mts', ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: code as number | null, output, errors };
}

const someSeconds = ['--minutes', '0.08'] as const;

describe('npm run soak', () => {
  it('finds nothing wrong while every store is swapped, and leaves nothing open', async () => {
    const { code, output, errors } = await soak(...someSeconds, '--json');
    expect({ code, errors }).toEqual({ code: 0, errors: 'Too short a run to judge memory by.\n' });
    const result = JSON.parse(output) as Record<string, number>;
    expect(result).toEqual({
      requests: expect.any(Number),
      swaps: expect.any(Number),
      wrong: 0,
      unhandled: 0,
      rssSlopeKbPerMinute: expect.any(Number),
      handles: 0,
    });
    expect(result['requests']).toBeGreaterThan(20);
    expect(result['swaps']).toBeGreaterThan(5);
  }, 120_000);

  it('exits with 1 when authenticators let somebody in whom no store vouches for, and keep somebody out', async () => {
    const { code, output } = await soak(...someSeconds, '--lie', '--json');
    expect(code).toBe(1);
    const { wrong = 0, ...rest } = JSON.parse(output) as Record<string, number>;
    expect(rest).toMatchObject({ unhandled: 0, handles: 0 });
    expect(wrong).toBeGreaterThan(0);
  }, 120_000);

  it('says what came of it in two sentences', async () => {
    const { output } = await soak('--minutes', '0.02');
    expect(output).toMatch(
      /^\d+ requests while stores were swapped \d+ times: 0 wrong, 0 unhandled errors\nresident memory grew by -?\d+ KB per minute; 0 handles were left open\n$/,
    );
  }, 120_000);

  it.each([
    [['--minutes', '0'], '--minutes takes a number up to 10080.'],
    [['--minutes', 'ten'], '--minutes takes a number up to 10080.'],
    [['--minutes', '10081'], '--minutes takes a number up to 10080.'],
    [['--hours', '1'], "Unknown option '--hours'"],
  ])(
    'exits with 2 for %j',
    async (args, message) => {
      const { code, output, errors } = await soak(...args);
      expect({ code, output }).toEqual({ code: 2, output: '' });
      expect(errors).toContain(message);
      expect(errors).toContain('npm run soak -- [--minutes 5] [--json] [--lie]');
    },
    30_000,
  );
});

describe('the slope of resident memory', () => {
  /** By the module itself, which jest does not load. */
  function slopeOf(samples: readonly (readonly [minutes: number, kilobytes: number])[]): number {
    const list = samples.map(([minutes, kilobytes]) => ({ minutes, kilobytes }));
    const script = `import { slopeOf } from './soak/memory.mts'; console.log(slopeOf(${JSON.stringify(list)}))`;
    const args = [...onSources, '--input-type=module', '--eval', script];
    return Number(execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' }));
  }

  it.each<[string, readonly (readonly [number, number])[], number]>([
    ['nothing', [], 0],
    ['one sample', [[1, 5]], 0],
    [
      'what grows',
      [
        [1, 100],
        [2, 350],
        [3, 600],
      ],
      250,
    ],
    [
      'what shrinks',
      [
        [1, 600],
        [3, 100],
      ],
      -250,
    ],
    [
      'what grows with exceptions, by least squares',
      [
        [0, 0],
        [1, 300],
        [2, 0],
        [3, 300],
      ],
      60,
    ],
  ])('of %s is that of the line through it', (_, samples, slope) => {
    expect(slopeOf(samples)).toBeCloseTo(slope);
  });
});
