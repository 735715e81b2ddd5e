import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createAuthenticator,
  createDenyList,
  createRevocation,
  type DenyList,
  nativeTls,
  type RevocationEvent,
  TrustStore,
} from '@peercert/core';
import { clientCertificate, clientIdentityOf } from '@peercert/express';
import { createAuthority, TEST_TIME, type TestCertificate } from '@peercert/testkit';
import express from 'express';
import { Certificate } from '../../packages/core/src/x509/certificate';
import { type Answer, closeServers, listen, originOptions, problem, send } from '../support/servers';
import { until } from '../support/until';

const root = createAuthority({ subject: 'CN=Root' });
const alice = root.issue({ uris: ['urn:alice'] });
const bob = root.issue({ uris: ['urn:bob'] });

let folder: string;
let file: string;
let list: DenyList | undefined;
const agents: https.Agent[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'peercert-'));
  file = join(folder, 'denied.txt');
});
afterEach(async () => {
  for (const agent of agents.splice(0)) agent.destroy();
  await closeServers();
  await list?.close();
  rmSync(folder, { recursive: true });
});

/** As an operator does: written elsewhere, and renamed into place. */
function write(...lines: readonly string[]): void {
  const unfinished = join(folder, '.unfinished');
  writeFileSync(unfinished, `${['# Denied by hand', ...lines].join('\n')}\n`);
  renameSync(unfinished, file);
}

const lineFor = ({ der }: TestCertificate): string => {
  const { serialNumber, issuer } = new Certificate(der);
  return `serial ${serialNumber} ${issuer.toString()}`;
};

/** An origin that goes by a deny list; it answers with the caller and the client's port. */
async function startOrigin(denyList: DenyList): Promise<number> {
  const authenticator = createAuthenticator({
    trust: TrustStore.fromDer([root.der]),
    source: nativeTls(),
    revocation: createRevocation({ denyList }),
    clock: () => TEST_TIME.getTime(),
  });
  const app = express();
  app.use(clientCertificate(authenticator));
  app.get('/', (request, response) => {
    response.send(`${String(clientIdentityOf(request)?.uris)} ${request.socket.remotePort}`);
  });
  return listen(https.createServer(originOptions, app));
}

/** One client on one connection. */
function clientOf(port: number, { privateKeyPem: key, chainPem: cert }: TestCertificate): () => Promise<Answer> {
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
  agents.push(agent);
  return async () => send(port, { protocol: 'https:', agent, key, cert });
}

describe('a deny list in a file', () => {
  it('NT-04: is obeyed on connections in use, from its change on and until it is taken back', async () => {
    write();
    const events: RevocationEvent[] = [];
    list = createDenyList({ files: file, onEvent: (event) => events.push(event) });
    const port = await startOrigin(list);
    const [asAlice, asBob] = [clientOf(port, alice), clientOf(port, bob)];
    const [ofAlice, ofBob] = [await asAlice(), await asBob()];
    expect([ofAlice.body, ofBob.body]).toEqual([
      expect.stringMatching(/^urn:alice \d+$/),
      expect.stringMatching(/^urn:bob \d+$/),
    ]);

    write(lineFor(alice));
    await until(() => events.length === 1);
    const refused = await asAlice();
    expect([refused.status, refused.body]).toEqual([403, problem(403, 'certificate_rejected')]);
    expect((await asBob()).body).toBe(ofBob.body);

    write(lineFor(alice), 'serial zero');
    await until(() => events.length === 2);
    expect((await asAlice()).status).toBe(403);
    expect(list.health).toMatchObject({ status: 'degraded', entries: 1 });

    write();
    await until(() => events.length === 3);
    // On the connection of the beginning.
    expect((await asAlice()).body).toBe(ofAlice.body);
    expect(events.map((event) => event['event.name'].split('.').at(-1))).toEqual(['replaced', 'refused', 'replaced']);
  }, 30_000);
});

describe('a deny list in a service', () => {
  it('is obeyed a second after the service says so', async () => {
    let denied: readonly TestCertificate[] = [];
    const load = async (): Promise<{ spkiSha256: string }[]> =>
      denied.map(({ der }) => ({ spkiSha256: new Certificate(der).spkiSha256 }));
    list = createDenyList({ load, refreshSeconds: 1 });
    await list.reload();
    const asAlice = clientOf(await startOrigin(list), alice);
    expect((await asAlice()).status).toBe(200);
    denied = [alice];
    await until(async () => (await asAlice()).status === 403);
    denied = [];
    await until(async () => (await asAlice()).status === 200);
  }, 30_000);
});
