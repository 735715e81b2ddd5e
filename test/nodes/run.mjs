// Runs the tests on every Node version peercert supports, one after another, and prints a line for each:
//
//   npm run test:nodes
//   npm run test:nodes -- --nodes 22,24.14.1 --tests test/unit,test/adapters
//
// Node comes from the npm registry, as the package of this platform that the package `node` would install, and stays in
// node_modules/.cache/nodes; remove a folder there to have the newest of its version. Exits 1 unless every test passes on
// every version asked for.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const isWindows = process.platform === 'win32';

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '20,22,24,26' },
    tests: { type: 'string', default: '' },
  },
});
const versions = values.nodes.split(',');
const tests = values.tests.split(',').filter((pattern) => pattern !== '');
const unusable = versions.find((version) => !/^\d+(\.\d+\.\d+)?$/.test(version));
if (unusable !== undefined)
  throw new TypeError(`--nodes takes versions such as 22 or 22.22.2; it received ${unusable}.`);

/** The path of a Node executable, installed if it is not there yet. */
function nodeExecutable(version) {
  const prefix = process.platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node';
  const name = `${prefix}-${isWindows ? 'win' : process.platform}-${process.arch}`;
  const folder = join(root, 'node_modules/.cache/nodes', version);
  const executable = join(folder, 'node_modules', name, 'bin', isWindows ? 'node.exe' : 'node');
  if (existsSync(executable)) return executable;
  mkdirSync(folder, { recursive: true });
  const flags = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund'];
  const npm = spawnSync('npm', ['install', `${name}@${version}`, '--prefix', folder, ...flags], {
    encoding: 'utf8',
    shell: isWindows,
  });
  if (existsSync(executable)) return executable;
  throw new Error(`npm installed no ${name}@${version}:\n${npm.error ?? npm.stderr}`);
}

/** What jest reports of a run on this executable. */
function runTests(executable) {
  const folder = mkdtempSync(join(tmpdir(), 'peercert-nodes-'));
  try {
    const report = join(folder, 'jest.json');
    const jest = join(root, 'node_modules/jest/bin/jest.js');
    const run = spawnSync(executable, [jest, '--maxWorkers=2', '--json', `--outputFile=${report}`, ...tests], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 2 ** 30,
      env: { ...process.env, PATH: [dirname(executable), process.env['PATH']].join(delimiter) },
    });
    if (!existsSync(report)) throw new Error(`jest reported nothing:\n${run.error ?? run.stderr}`);
    return JSON.parse(readFileSync(report, 'utf8'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** One entry for each test that did not pass, and for each file that could not be run. */
function faultsIn({ testResults }) {
  return testResults.flatMap(({ name, message, assertionResults }) => {
    const file = relative(root, name);
    if (assertionResults.length === 0) return [`${file}\n${message}`];
    return assertionResults
      .filter(({ status }) => status !== 'passed')
      .map(({ fullName, status, failureMessages }) => `${file}: ${status}: ${fullName}\n${failureMessages.join('\n')}`);
  });
}

let isGood = true;
for (const asked of versions) {
  try {
    const executable = nodeExecutable(asked);
    const version = spawnSync(executable, ['--version'], { encoding: 'utf8' }).stdout?.trim();
    if (!`${version}.`.startsWith(`v${asked}.`)) throw new Error(`${executable} says that it is ${version}.`);
    const started = performance.now();
    const report = runTests(executable);
    const seconds = Math.round((performance.now() - started) / 1000);
    const { numTotalTestSuites: suites, numTotalTests: total, numPassedTests: passed, numFailedTests: failed } = report;
    console.log(
      `${version.padEnd(9)} ${suites} suites, ${total} tests, ${passed} passed, ${failed} failed, ${seconds} seconds`,
    );
    for (const fault of faultsIn(report)) console.error(fault);
    isGood &&= report.success && total > 0 && passed === total;
  } catch (error) {
    console.log(`v${asked.padEnd(8)} not run`);
    console.error(error);
    isGood = false;
  }
}
process.exitCode = isGood ? 0 : 1;
