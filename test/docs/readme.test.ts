import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { cloudFrontHeaders } from '@peercert/testkit';
import {
  device,
  edge,
  freePort,
  get,
  listeningOn,
  quickStartCode,
  quickStarts,
  runOrigin,
  type RunningOrigin,
  writePki,
} from '../support/quick-start';

const root = resolve(__dirname, '../..');

describe.each(quickStarts)('the quick start for $heading', ({ heading, kind }) => {
  let server: RunningOrigin;
  let folder: string;
  let port: number;

  beforeAll(async () => {
    // Inside the repository, so that the imports of the quick start resolve.
    folder = mkdtempSync(join(root, 'node_modules/.quick-start-'));
    writePki(folder);
    port = await freePort();
    writeFileSync(join(folder, 'origin.mjs'), listeningOn(port, quickStartCode(heading)));
    server = await runOrigin(folder, 'origin.mjs', port);
  }, 30_000);

  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true });
  });

  it('is about ten lines', () => {
    expect(quickStartCode(heading).trim().split('\n').length).toBeLessThanOrEqual(14);
  });

  if (kind === 'forwarded') {
    it('names the client that came through CloudFront', async () => {
      expect(await get(port, edge, cloudFrontHeaders(device))).toEqual({
        status: 200,
        body: { device: 'urn:device:1' },
      });
    });

    it('refuses the same header without the certificate of CloudFront', async () => {
      expect(await get(port, undefined, cloudFrontHeaders(device))).toMatchObject({
        status: 403,
        body: { code: 'certificate_required' },
      });
    });

    it('refuses a viewer that shows its own certificate in place of CloudFront', async () => {
      expect(await get(port, device, cloudFrontHeaders(device))).toMatchObject({ status: 403 });
    });
  } else {
    it('names the client on its own TLS socket', async () => {
      expect(await get(port, device, [])).toEqual({ status: 200, body: { device: 'urn:device:1' } });
    });

    it('refuses a client of another authority', async () => {
      expect(await get(port, edge, [])).toMatchObject({ status: 403, body: { code: 'certificate_rejected' } });
    });
  }

  it('refuses a request without a certificate', async () => {
    expect(await get(port, kind === 'forwarded' ? edge : undefined, [])).toMatchObject({
      status: 403,
      body: { code: 'certificate_required' },
    });
  });
});

describe('README.md', () => {
  it('mentions every workspace package a user installs', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    for (const { name } of quickStarts) expect(readme).toContain(`'@peercert/${name}'`);
  });
});
