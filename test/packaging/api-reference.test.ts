import { join } from 'node:path';
import { root, run } from './tarballs';

describe('docs/api', () => {
  it('says what the sources say, and every public name has a docstring', async () => {
    const tool = join(root, 'tools/api-reference/main.mjs');
    // Prints a line for each thing that is wrong, and then fails.
    expect(await run(process.execPath, [tool, '--check'], root)).toBe('');
  }, 60_000);
});
