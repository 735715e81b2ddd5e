import { type Answer, call, type Caller, callHttp2, callInTurn, callSecond } from './demo-client';
import { type Column, type Door, startColumns } from './demo-columns';
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
  const pki = await mintPki();
  const columns = await startColumns(pki);
  try {
    const cells = demoRows(pki).flatMap((row) => columns.map((column) => runCell(row, column, pki)));
    const results = await Promise.all(cells);
    return results.filter((result) => result !== undefined);
  } finally {
    await Promise.all(columns.map((column) => column.close()));
  }
}

/** Undefined where the row does not apply: there is no way past an edge that is not there, and no edge to speak HTTP/2. */
async function runCell(row: Row, column: Column, pki: DemoPki): Promise<DemoResult | undefined> {
  const door = column.doors[row.to ?? 'the edge'];
  const hasEdge = column.doors['straight at the origin'] !== undefined;
  if (door === undefined || (row.protocol === 'HTTP/2' && !hasEdge)) return undefined;
  const { status, code } = await answerTo(row, door, pki);
  const { expected } = row;
  return {
    row: row.row,
    column: column.column,
    status,
    code,
    expectedStatus: expected.status,
    expectedCode: expected.code,
  };
}

async function answerTo(row: Row, { port, originConnections }: Door, { serverAnchor }: DemoPki): Promise<Answer> {
  const { path = '/', credentials, inTurn, headers } = row;
  const options = { port, path, serverAnchor, headers };
  if (inTurn === undefined) return callerOf(row)({ ...options, credentials });
  const answer = await callInTurn(inTurn, options);
  const connections = originConnections();
  return connections === 1 ? answer : { ...answer, code: `${answer.code}, over ${connections} connections` };
}

function callerOf({ isSecond, protocol }: Row): Caller {
  if (isSecond) return callSecond;
  return protocol === 'HTTP/2' ? callHttp2 : call;
}

async function main(): Promise<void> {
  const results = await runDemo();
  console.log(process.argv.includes('--json') ? JSON.stringify(results, null, 2) : formatTable(results));
  if (!results.every(isAsExpected)) process.exitCode = 1;
}

if (require.main === module) void main();
