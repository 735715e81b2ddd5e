import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { errorsBySpecificity } from '../../packages/core/src/errors';

const root = resolve(__dirname, '../..');
const page = (name: string): string => readFileSync(join(root, name), 'utf8');

describe('docs/errors.md', () => {
  it.each(errorsBySpecificity)('explains %s once', (code) => {
    expect(page('docs/errors.md').match(new RegExp(`^\\| \`${code}\` `, 'gm'))).toHaveLength(1);
  });

  it('explains no refusal that does not exist', () => {
    const explained = page('docs/errors.md').match(/^\| `ERR_(?!TRUST_STORE)\w+`/gm) ?? [];
    expect(explained.map((cell) => cell.slice(3, -1)).toSorted()).toEqual(errorsBySpecificity.toSorted());
  });
});

describe('links between pages', () => {
  const pages = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', ...pagesIn('docs')];

  it.each(pages)('%s links only to files that exist', (name) => {
    const links = [...page(name).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map((match) => match[1] as string);
    const missing = links.filter((link) => {
      const target = resolve(root, name, '..', link);
      return !readdirSync(resolve(target, '..')).includes(target.split('/').at(-1) as string);
    });
    expect(missing).toEqual([]);
  });
});

describe('docs/decisions', () => {
  it('lists every page', () => {
    const index = page('docs/decisions/README.md');
    const pages = readdirSync(join(root, 'docs/decisions')).filter((name) => /^\d{4}-/.test(name));
    expect(pages.filter((name) => !index.includes(`(${name})`))).toEqual([]);
  });
});

function pagesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));
}
