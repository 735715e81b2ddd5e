import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { runDemo } from '../../examples/demo';
import type { DemoResult } from '../../examples/demo-result';
import { formatTable } from '../../examples/demo-table';

const forwarded = ['express', 'koa', 'fastify'] as const;
const all = [...forwarded, 'native'] as const;

const rejected = [403, 'certificate_rejected'] as const;
const required = [403, 'certificate_required'] as const;

/** Written out a second time, apart from the demo's own rows, so that a row changed or lost there is noticed here. */
const rows = [
  ['valid P-256 client, intermediate sent', all, 200, 'urn:example:device:1'],
  ['valid RSA client, four certificates', all, 200, 'urn:example:device:2'],
  ['chain in the wrong order with a surplus certificate', all, 200, 'urn:example:device:3'],
  ['no certificate, required route', all, ...required],
  ['no certificate, optional route', all, 200, 'anonymous'],
  ['self-signed', all, ...rejected],
  ['unknown CA with the same names as ours', all, ...rejected],
  ['expired', all, ...rejected],
  ['not yet valid', all, ...rejected],
  ['serverAuth only', all, ...rejected],
  ['issuing intermediate not sent, not configured', all, ...rejected],
  ['viewer sends its own `Client-Cert` header through the edge, without a certificate', all, ...required],
  [
    'the same, with a valid certificate of somebody else in the header and its own on the connection',
    all,
    200,
    'urn:example:device:1',
  ],
  [
    'straight at the origin with a genuine valid certificate in the header, no edge certificate',
    forwarded,
    ...required,
  ],
  ["straight at the origin, with a viewer certificate used as if it were the edge's", forwarded, ...required],
  ["two `Client-Cert` lines, sent with the edge's certificate", forwarded, 400, 'malformed'],
] as const;

const cells = rows.flatMap(([row, columns, status, code]) => {
  return columns.map((column) => ({ row, column, status, code }));
});

describe('the demo', () => {
  let results: DemoResult[];

  beforeAll(async () => {
    results = await runDemo();
  }, 30_000);

  it('has every row for every origin it applies to, and no other', () => {
    const inOrder = results.map(({ row, column }) => ({ row, column }));
    expect(inOrder).toEqual(cells.map(({ row, column }) => ({ row, column })));
  });

  it('prints the table that README.md shows', () => {
    const readme = readFileSync(resolve(__dirname, '../../README.md'), 'utf8');
    expect(readme).toContain(`\`\`\`console\n$ npm run demo\n${formatTable(results)}\n\`\`\`\n`);
  });

  it.each(cells)('$column answers $status $code: $row', ({ row, column, status, code }) => {
    const result = results.find((one) => one.row === row && one.column === column);
    expect(result).toEqual({ row, column, status, code, expectedStatus: status, expectedCode: code });
  });
});
