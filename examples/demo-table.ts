import { type DemoResult, isAsExpected } from './demo-result';

/** Room for the longest cell, `✓ 403 certificate_required`; four of them fit into 110 columns. */
const cellWidth = 26;
const indent = '  ';
const gap = ' ';

/** The results as text: each row a line that says what the client did, and below it what each origin answered. */
export function formatTable(results: readonly DemoResult[]): string {
  const rows = [...new Set(results.map(({ row }) => row))];
  const columns = [...new Set(results.map(({ column }) => column))];
  const rule = '─'.repeat(indent.length + columns.length * (cellWidth + gap.length) - gap.length);
  const lines = rows.flatMap((row) => {
    const cells = columns.map((column) => {
      return formatCell(results.find((result) => result.row === row && result.column === column));
    });
    return [row, formatLine(cells)];
  });
  const deviations = results.filter((result) => !isAsExpected(result)).map(formatDeviation);
  const count = `${results.length - deviations.length} of ${results.length} as expected`;
  const header = formatLine(columns.map((column) => `  ${column}`));
  return [header, rule, ...lines, rule, ...deviations, count].join('\n');
}

function formatLine(cells: readonly string[]): string {
  return `${indent}${cells.map((cell) => cell.padEnd(cellWidth)).join(gap)}`.trimEnd();
}

function formatCell(result: DemoResult | undefined): string {
  if (result === undefined) return '–';
  const cell = `${isAsExpected(result) ? '✓' : '✗'} ${result.status} ${result.code}`;
  return cell.length > cellWidth ? `${cell.slice(0, cellWidth - 1)}…` : cell;
}

function formatDeviation({ row, column, status, code, expectedStatus, expectedCode }: DemoResult): string {
  return `✗ ${column}, ${row}: ${status} ${code} instead of ${expectedStatus} ${expectedCode}`;
}
