// Writes docs/api, one page for each package, from the declarations `tsc --build` has made. With `--check` writes nothing,
// and fails when a page is not as it would be written. Fails in any case when a public name has no docstring.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { readPackage } from './read-package.mjs';
import { renderPackage } from './render-package.mjs';

const root = resolve(import.meta.dirname, '../..');
const folders = ['core', 'express', 'koa', 'fastify', 'testkit', 'edge'].map((name) => join(root, 'packages', name));
const output = join(root, 'docs/api');

const packages = folders.map((folder) => {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return { manifest, contents: readPackage(folder), page: `${basename(folder)}.md` };
});

/** What stands on the pages of packages that a package exports as well. */
function reexportedBy({ contents }) {
  return packages.filter(({ manifest }) => contents.reexported.includes(manifest.name));
}

/** Where each name stands, seen from a page: what it shows itself goes first. */
function linksFrom(one) {
  const links = new Map();
  for (const { contents, page } of [...reexportedBy(one), { ...one, page: '' }]) {
    for (const { name } of contents.entries) links.set(name, `${page}#${name.toLowerCase()}`);
  }
  return links;
}

const index = [
  '# API reference',
  'Written by `npm run docs` from the docstrings of the sources.',
  packages.map(({ manifest, page }) => `- [${manifest.name}](${page}): ${manifest.description}`).join('\n'),
].join('\n\n');

const pages = new Map([
  ['README.md', index],
  ...packages.map((one) => [one.page, renderPackage(one, reexportedBy(one), linksFrom(one))]),
]);

const problems = packages.flatMap(({ manifest, contents }) => {
  return contents.undocumented.map((name) => `${manifest.name}: ${name} has no docstring`);
});
for (const [name, text] of pages) {
  const file = join(output, name);
  const config = await resolveConfig(file);
  const page = await format(text, { ...config, filepath: file, embeddedLanguageFormatting: 'auto' });
  if (!process.argv.includes('--check')) writeFileSync(file, page);
  else if (!readdirSync(output).includes(name) || readFileSync(file, 'utf8') !== page) {
    problems.push(`docs/api/${name} is out of date: run npm run docs`);
  }
}
for (const problem of problems) console.log(problem);
process.exitCode = problems.length === 0 ? 0 : 1;
