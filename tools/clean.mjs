// Removes what `tsc --build` has made, so that nothing stays of sources that are no longer there.
import { readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const projects = [
  'examples',
  'bench',
  'soak',
  'test',
  ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}`),
];
for (const project of projects) {
  rmSync(join(root, project, 'dist'), { recursive: true, force: true });
  rmSync(join(root, project, 'tsconfig.tsbuildinfo'), { force: true });
}
