import { execFile } from 'node:child_process';
import { mkdtemp, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

export const root = resolve(__dirname, '../..');

/** Every package we publish, by the folder it lives in. */
export const packageNames = ['core', 'express', 'koa', 'fastify', 'testkit', 'edge'] as const;

export type PackageName = (typeof packageNames)[number];

/** A package as npm would publish it. */
export interface Tarball {
  readonly file: string;
  /** What is in it, as paths inside the package. */
  readonly paths: readonly string[];
}

/** Runs a program to its end. Whatever it printed is in the error when it fails. */
export async function run(program: string, parameters: readonly string[], cwd: string): Promise<string> {
  try {
    return (await promisify(execFile)(program, parameters, { cwd, maxBuffer: 2 ** 24 })).stdout;
  } catch (error) {
    const { message, stdout } = error as Error & { stdout?: string };
    throw new Error(`${message}\n${stdout ?? ''}`, { cause: error });
  }
}

/** A new folder outside the repository, so that nothing in it is found by accident. */
export async function temporaryFolder(): Promise<string> {
  return realpath(await mkdtemp(join(tmpdir(), 'peercert-')));
}

/** Packs every package into a folder, from what `tsc --build` made. */
export async function packInto(folder: string): Promise<Readonly<Record<PackageName, Tarball>>> {
  const workspaces = packageNames.flatMap((name) => ['--workspace', `packages/${name}`]);
  const printed = await run('npm', ['pack', ...workspaces, '--json', '--pack-destination', folder], root);
  const packed = JSON.parse(printed) as { name: string; filename: string; files: { path: string }[] }[];
  const entries = packed.map(({ name, filename, files }) => {
    return [name.replace('@peercert/', ''), { file: join(folder, filename), paths: files.map(({ path }) => path) }];
  });
  return Object.fromEntries(entries) as Record<PackageName, Tarball>;
}
