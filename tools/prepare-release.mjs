// Turns the changesets into a version of all packages, and their words into its section of CHANGELOG.md.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const run = (program, ...parameters) => execFileSync(program, parameters, { cwd: root, stdio: 'inherit' });

const changesets = readdirSync(join(root, '.changeset')).filter((name) => /^(?!README).*\.md$/.test(name));
if (changesets.length === 0) throw new Error('There is nothing to release: no changeset.');
const summaries = changesets.map((name) => {
  // Front matter first: which packages, and how much.
  const [, , summary = ''] = readFileSync(join(root, '.changeset', name), 'utf8').split(/^---$/m);
  return summary.trim();
});

run('npx', 'changeset', 'version');

const { version } = JSON.parse(readFileSync(join(root, 'packages/core/package.json'), 'utf8'));
const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
const at = changelog.search(/^## /m);
const [head, older] = at === -1 ? [changelog, ''] : [changelog.slice(0, at), changelog.slice(at)];
writeFileSync(
  join(root, 'CHANGELOG.md'),
  `${head.trimEnd()}\n\n## ${version}\n\n${summaries.join('\n\n')}\n\n${older}`,
);

run('npm', 'install', '--package-lock-only');
run('npx', 'prettier', '--write', 'CHANGELOG.md', 'packages/*/package.json');
