import { parseOptions } from './options';
import { describeReport, faultsOf, judgedRatioOf, type PolicyReport, ratioOf } from './report';
import { runPolicies, runsOf } from './revocation-load';

// 500 requests a second to an origin whose OCSP responder dies: first with unknownStatus 'reject', then with 'accept', each
// for so many seconds and a sixth of them to warm up.
//
//   npm run test:revocation-load
//   npm run test:revocation-load -- --seconds 30 --json
//
// Exits 1 for a wrong verdict, a breaker that is not open, a responder that is asked too often, and cached verdicts that
// take longer while it is dead.
const usage = 'npm run test:revocation-load -- [--seconds 60] [--json]';

function readOptions(): ReturnType<typeof parseOptions> {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error(`${error.message}\n${usage}`);
    return process.exit(2);
  }
}

async function main(): Promise<void> {
  const { seconds, json } = readOptions();
  const reports: PolicyReport[] = [];
  for await (const report of runPolicies(runsOf(seconds))) {
    reports.push(report);
    if (!json) console.log(describeReport(report));
  }
  if (json) {
    const list = reports.map((report) => ({
      ...report,
      ratio: judgedRatioOf(report),
      medianRatio: ratioOf(report),
      faults: faultsOf(report),
    }));
    console.log(JSON.stringify(list, null, 2));
  }
  if (reports.some((report) => faultsOf(report).length > 0)) process.exitCode = 1;
}

void main();
