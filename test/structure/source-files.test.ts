import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const root = resolve(__dirname, '../..');
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((name) => existsSync(resolve(root, name)));

const sources = files.filter((name) => /^packages\/[^/]+\/src\/.*\.ts$/.test(name));
const written = files.filter((name) => /\.(ts|js|mjs|json|md|yml)$/.test(name) && name !== 'package-lock.json');

describe('the files of the repository', () => {
  it('are found', () => {
    expect(sources.length).toBeGreaterThan(30);
  });

  it.each(sources)('%s holds visible ASCII only', (name) => {
    // oxlint-disable-next-line no-control-regex -- exactly the visible range is meant
    expect(/[^\n\x20-\x7e]/.exec(readFileSync(resolve(root, name), 'utf8'))?.[0]).toBeUndefined();
  });

  it.each(written)('%s holds no invisible character and no private key', (name) => {
    const text = readFileSync(resolve(root, name), 'utf8');
    expect(/[\p{Cc}\p{Cf}\uFFFD]/u.exec(text.replaceAll('\n', ''))?.[0]).toBeUndefined();
    expect(/-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{20}/.test(text)).toBe(false);
  });
});
