import { mintClients } from './pki';
import { proxies, versionOf } from './proxies';
import { type ProxyResult, runCases } from './run-cases';

// Runs the recipes of docs/proxies.md with the proxies that are installed here, real clients and real origins:
//
//   npm run test:proxies
//   npm run test:proxies -- --json --proxies nginx,caddy
//
// Prints what differs, or every case as an array with --json. Exits 1 for any difference; in CI for a proxy that is missing.
async function main(): Promise<void> {
  const given = process.argv.indexOf('--proxies');
  const asked = given === -1 ? undefined : process.argv[given + 1]?.split(',');
  const json = process.argv.includes('--json');
  const results: ProxyResult[] = [];
  const pki = await mintClients();
  for (const proxy of proxies.filter(({ name }) => asked?.includes(name) ?? true)) {
    const version = versionOf(proxy);
    if (version === undefined) {
      console.error(`NOT TESTED: ${proxy.name} is not installed (apt-get install ${proxy.package})`);
      if (process.env['CI'] !== undefined) process.exitCode = 1;
      continue;
    }
    const started = performance.now();
    const found = await runCases(proxy, pki);
    results.push(...found);
    const differing = found.filter(({ expected, actual }) => expected !== actual);
    if (differing.length > 0) process.exitCode = 1;
    if (json) continue;
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${proxy.name} ${version}: ${found.length} cases, ${differing.length} differ, ${seconds} seconds`);
    for (const { case: name, expected, actual } of differing) {
      console.log(`  ${name}\n    expected ${expected}\n    actual   ${actual}`);
    }
  }
  if (json) console.log(JSON.stringify(results, null, 2));
  if (results.length === 0) {
    console.error('NOT TESTED: no proxy was run');
    process.exitCode = 1;
  }
}

void main();
