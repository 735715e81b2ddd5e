// docs/performance.md: what stands between its markers comes from here, and from nowhere else.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import type { Acceptance } from './accepted.mjs';
import type { Growth } from './growth.mjs';
import { drawGrowth } from './plot.mjs';
import { cellsOf, headings } from './report.mjs';
import type { Result } from './row.mjs';

// This file runs from bench/dist.
const root = new URL('../../', import.meta.url);
const page = fileURLToPath(new URL('docs/performance.md', root));
const plot = fileURLToPath(new URL('docs/performance/growth.svg', root));
const marker = /(?<=<!-- figures -->\n).*(?=<!-- end of figures -->)/s;

/** Libraries that figures depend on. */
const libraries = ['@peculiar/x509', 'pkijs', 'node-forge', 'express', 'koa', 'fastify', 'autocannon', 'mitata'];

/** Writes the figures into the page, and the plot beside it. */
export async function writeDocumentation(
  results: readonly Result[],
  accepted: Readonly<Record<string, Acceptance>>,
  growth: readonly Growth[],
): Promise<void> {
  const text = readFileSync(page, 'utf8').replace(marker, () => figures(results, accepted));
  writeFileSync(page, await format(text, { ...(await resolveConfig(page)), filepath: page }));
  mkdirSync(new URL('docs/performance/', root), { recursive: true });
  writeFileSync(plot, drawGrowth(growth));
}

function figures(results: readonly Result[], accepted: Readonly<Record<string, Acceptance>>): string {
  return [
    '',
    `${machine()}.`,
    '',
    ...table(
      headings,
      results.map((result) => cellsOf(result, accepted)),
    ),
    '',
    ...table(
      ['figure', 'ours', 'compared with'],
      results.map(({ row: { id, what, other } }) => [id, what, other]),
    ),
    '',
    '',
  ].join('\n');
}

function table(columns: readonly string[], lines: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(columns),
    line(columns.map(() => '---')),
    ...lines.map(([id, ...cells]) => line([`\`${id}\``, ...cells])),
  ];
}

/** What the figures hold for. */
function machine(): string {
  const [{ model } = { model: 'unknown processor' }, ...others] = cpus();
  const versions = libraries.map((name) => `${name} ${versionOf(name)}`);
  const { openssl, v8 } = process.versions;
  return [
    new Date().toISOString().slice(0, 10),
    `${others.length + 1} cores of ${model.trim()}`,
    `Node ${process.version} with OpenSSL ${openssl} and V8 ${v8}`,
    ...versions,
  ].join(', ');
}

function versionOf(name: string): string {
  const description = readFileSync(new URL(`node_modules/${name}/package.json`, root), 'utf8');
  return (JSON.parse(description) as { version: string }).version;
}
