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
  ['four certificates of RSA 4096', all, 200, 'urn:example:device:5'],
  [
    "a header of 64 KiB, sent with the edge's certificate: more than the origin's server reads",
    forwarded,
    431,
    'not by peercert',
  ],
  ['the certificate of the CA itself', all, ...rejected],
  ['valid client through an edge with a certificate of another CA', forwarded, ...required],
  ['valid client through an edge with a certificate of the right CA and another name', forwarded, ...required],
  ['valid client through an edge with a wrong secret', forwarded, ...required],
  [
    'valid client through an edge with the old secret, while the origin accepts two',
    forwarded,
    200,
    'urn:example:device:1',
  ],
  ['the same, after the origin has dropped the old one', forwarded, ...required],
  ['valid client through an edge in required mode, which forwards no certificate', forwarded, ...required],
  ['the same, and the edge says that there was a certificate, optional route', forwarded, ...required],
  ['no certificate through an edge in optional mode, optional route', forwarded, 200, 'anonymous'],
  ['expired, at an origin that only reports, optional route', all, 200, 'anonymous'],
  ['valid client that the rule of the route does not name', all, ...rejected],
  ['valid client over HTTP/2', forwarded, 200, 'urn:example:device:1'],
  [
    'devices 1 and 4 and nobody, in turn and twice, over one connection to the origin',
    forwarded,
    200,
    '1, 4, anonymous',
  ],
] as const;

const cells = rows.flatMap(([row, columns, status, code]) => {
  return columns.map((column) => ({ row, column, status, code }));
});

describe('the demo', () => {
  let results: DemoResult[];

  beforeAll(async () => {
    results = await runDemo();
  }, 60_000);

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
