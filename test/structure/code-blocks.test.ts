import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { codeBlocks } from '../support/pages';

const root = resolve(__dirname, '../..');
const readmeOf = (name: string): string => `packages/${name}/README.md`;
const installation = ['sh', 'test/packaging/tarballs.test.ts'] as const;

/** The code of each page in its order: heading, language, and the test that runs it. */
const runBy: Readonly<Record<string, readonly (readonly [heading: string, language: string, test: string])[]>> = {
  'README.md': [
    ['peercert', 'console', 'test/e2e/demo.test.ts'],
    ['peercert', 'sh', 'test/structure/code-blocks.test.ts'],
    ['Quick start', 'sh', 'test/unit/edge/cli.test.ts'],
    ['Express', 'js', 'test/docs/readme.test.ts'],
    ['Koa', 'js', 'test/docs/readme.test.ts'],
    ['Fastify', 'js', 'test/docs/readme.test.ts'],
    ['No proxy, no framework', 'js', 'test/docs/readme.test.ts'],
    ['Ask it', 'console', 'test/unit/edge/cli.test.ts'],
    ['Who may do what', 'js', 'test/docs/readme.test.ts'],
    ['Log outcomes with pino', 'js', 'test/docs/readme.test.ts'],
    ['While it serves', 'js', 'test/docs/readme.test.ts'],
  ],
  'CONTRIBUTING.md': [['Run it', 'sh', 'test/structure/code-blocks.test.ts']],
  'docs/errors.md': [["Before peercert: Node's own answers", 'js', 'test/docs/errors.test.ts']],
  'docs/operations.md': [
    ['Trust stores that follow their files', 'js', 'test/docs/operations.test.ts'],
    ['Trust stores that follow their files', 'js', 'test/docs/operations.test.ts'],
    ['From a bucket, or any URL', 'js', 'test/docs/operations.test.ts'],
    ['From a bucket, or any URL', 'js', 'test/docs/operations.test.ts'],
    ['Where TLS itself refuses strangers', 'js', 'test/docs/operations.test.ts'],
    ['Several trust domains', 'js', 'test/docs/operations.test.ts'],
    ['What is in a store, and what is wrong with it', 'js', 'test/docs/operations.test.ts'],
    ['Revocation', 'js', 'test/docs/operations.test.ts'],
    ['Revocation', 'js', 'test/docs/operations.test.ts'],
    ['Revocation', 'text', 'test/docs/operations.test.ts'],
    ['Health and alerts', 'js', 'test/docs/operations.test.ts'],
    ['Health and alerts', 'js', 'test/docs/operations.test.ts'],
    ['The shared secret', 'js', 'test/docs/operations.test.ts'],
    ['Shutting down', 'js', 'test/docs/operations.test.ts'],
  ],
  'docs/proxies.md': [
    ['The origin', 'js', 'test/proxies/site.ts'],
    ['nginx', 'nginx', 'test/proxies/proxies.ts'],
    ['nginx', 'js', 'test/proxies/proxies.ts'],
    ['HAProxy', 'haproxy', 'test/proxies/proxies.ts'],
    ['HAProxy', 'js', 'test/proxies/proxies.ts'],
    ['Apache', 'apache', 'test/proxies/proxies.ts'],
    ['Apache', 'js', 'test/proxies/proxies.ts'],
    ['Caddy', 'caddy', 'test/proxies/proxies.ts'],
    ['Caddy', 'js', 'test/proxies/proxies.ts'],
    ["A secret in place of the proxy's certificate", 'js', 'test/proxies/site.ts'],
    ['Traefik', 'yaml', 'test/docs/proxies.test.ts'],
    ['Traefik', 'js', 'test/docs/proxies.test.ts'],
    ['Envoy', 'yaml', 'test/docs/proxies.test.ts'],
    ['Envoy', 'yaml', 'test/docs/proxies.test.ts'],
    ['Envoy', 'js', 'test/docs/proxies.test.ts'],
    ['Application Load Balancer', 'sh', 'test/docs/proxies.test.ts'],
    ['Application Load Balancer', 'js', 'test/docs/proxies.test.ts'],
    ['Cloudflare', 'json', 'test/docs/proxies.test.ts'],
    ['Cloudflare', 'js', 'test/docs/proxies.test.ts'],
    ['CloudFront in required and optional mode', 'js', 'test/docs/proxies.test.ts'],
    ['CloudFront with cf.mtls', 'js', 'test/docs/proxies.test.ts'],
    ['CloudFront with cf.mtls', 'js', 'test/docs/proxies.test.ts'],
    ['CloudFront, then a load balancer, then Node', 'js', 'test/docs/proxies.test.ts'],
    ['No proxy at all', 'js', 'test/docs/proxies.test.ts'],
    ['A source in ten lines', 'js', 'test/docs/proxies.test.ts'],
    ['WebSocket', 'js', 'test/e2e/websocket.test.ts'],
  ],
  [readmeOf('core')]: [['@peercert/core', ...installation]],
  [readmeOf('express')]: [['@peercert/express', ...installation]],
  [readmeOf('koa')]: [['@peercert/koa', ...installation]],
  [readmeOf('fastify')]: [['@peercert/fastify', ...installation]],
  [readmeOf('testkit')]: [
    ['@peercert/testkit', ...installation],
    ['Example', 'ts', 'test/docs/testkit-readme.test.ts'],
    ['Example', 'ts', 'test/docs/testkit-readme.test.ts'],
    ['Without certificates', 'ts', 'test/docs/testkit-readme.test.ts'],
  ],
  [readmeOf('edge')]: [
    ['Install', ...installation],
    ['The command', 'sh', 'test/unit/edge/cli.test.ts'],
    ['In a program', 'sh', 'test/docs/edge-readme.test.ts'],
    ['In a program', 'js', 'test/docs/edge-readme.test.ts'],
    ['In a program', 'console', 'test/docs/edge-readme.test.ts'],
  ],
  'docs/performance.md': [
    ['Run it', 'sh', 'test/docs/performance.test.ts'],
    ['Run it', 'sh', 'test/docs/performance.test.ts'],
    ['Run it', 'sh', 'test/docs/performance.test.ts'],
    ['Add a row', 'ts', 'test/docs/performance.test.ts'],
  ],
};

/** Whatever a reader may copy from; docs/api has a test of its own. */
const pages = ['.', 'docs', 'docs/decisions', ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}`)]
  .flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(folder, name)))
  .filter((name) => name.endsWith('.md'));

describe.each(pages)('the code of %s', (page) => {
  const claims = runBy[page] ?? [];

  it('is run by a test, block by block', () => {
    const found = codeBlocks(page).map(({ heading, language }) => [heading, language]);
    expect(found).toEqual(claims.map(([heading, language]) => [heading, language]));
  });

  it('is read by the tests that are said to run it', () => {
    const unread = claims.filter(([heading, , test]) => {
      const source = existsSync(join(root, test)) ? readFileSync(join(root, test), 'utf8') : '';
      // By its heading, by the list of quick starts, or the page as a whole.
      return ![heading, 'quickStarts', 'README.md'].some((word) => source.includes(word));
    });
    expect(unread).toEqual([]);
  });

  it('names only commands of this repository', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
    const text = readFileSync(join(root, page), 'utf8');
    const named = [...text.matchAll(/\bnpm run ([a-z][\w:-]*)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });
});

it('no page is said to have code that does not exist', () => {
  expect(Object.keys(runBy).filter((page) => !pages.includes(page))).toEqual([]);
});
