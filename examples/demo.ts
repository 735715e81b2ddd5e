import { call } from './demo-client';
import { type Column, startColumns } from './demo-columns';
import { type DemoResult, isAsExpected } from './demo-result';
import { demoRows, type Row } from './demo-rows';
import { formatTable } from './demo-table';
import { type DemoPki, mintPki } from './pki';

/**
 * Runs every row against every origin it applies to: real servers and real TLS clients on 127.0.0.1, nothing mocked.
 *
 * @returns row by row, in the order of the table.
 */
export async function runDemo(): Promise<DemoResult[]> {
  const pki = mintPki();
  const columns = await startColumns(pki);
  try {
    const cells = demoRows(pki).flatMap((row) => columns.map((column) => runCell(row, column, pki)));
    const results = await Promise.all(cells);
    return results.filter((result) => result !== undefined);
  } finally {
    await Promise.all(columns.map((column) => column.close()));
  }
}

/** Undefined where the row does not apply: there is no way past an edge that is not there. */
async function runCell(row: Row, column: Column, pki: DemoPki): Promise<DemoResult | undefined> {
  const { path = '/', credentials, headers, expected } = row;
  const port = row.to === undefined ? column.viewerPort : column.originPort;
  if (port === undefined) return undefined;
  const { status, code } = await call({ port, path, serverAnchor: pki.serverAnchor, credentials, headers });
  return {
    row: row.row,
    column: column.column,
    status,
    code,
    expectedStatus: expected.status,
    expectedCode: expected.code,
  };
}

async function main(): Promise<void> {
  const results = await runDemo();
  console.log(process.argv.includes('--json') ? JSON.stringify(results, null, 2) : formatTable(results));
  if (!results.every(isAsExpected)) process.exitCode = 1;
}

if (require.main === module) void main();
