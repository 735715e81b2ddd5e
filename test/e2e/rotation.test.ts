import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ChannelProof,
  cloudFront,
  originMtls,
  type ReloadingTrustStore,
  sharedSecret,
  type TrustEvent,
  type TrustProvider,
  TrustStore,
  watchTrustStore,
} from '@peercert/core';
import { clientCertificate, clientIdentityOf } from '@peercert/express';
import {
  cloudFrontHeaders,
  createAuthority,
  TEST_TIME,
  type TestAuthority,
  type TestCertificate,
} from '@peercert/testkit';
import express from 'express';
import { edgeChannel, edgeSecret, secretLine } from '../support/requests';
import { closeServers, httpOptions, listen, originOptions } from '../support/servers';
import { presenting } from '../support/tls-origin';
import { type Expected, Load, type LoadClient, Timeline } from './rotation-load';

/** Answers for each client within a phase. */
const enough = 30;

let folder: string;
let store: ReloadingTrustStore | undefined;
let load: Load | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'peercert-'));
});

afterEach(async () => {
  await load?.stop();
  await closeServers();
  await store?.close();
  [store, load] = [undefined, undefined];
  rmSync(folder, { recursive: true });
});

/** A folder of anchors, and a store that is reloaded when it changes. */
class WatchedFolder {
  readonly store: ReloadingTrustStore;
  readonly #path = join(folder, 'anchors');
  readonly #listeners = new Set<(event: TrustEvent) => void>();

  constructor(anchors: Readonly<Record<string, TestAuthority>>) {
    mkdirSync(this.#path);
    for (const [name, anchor] of Object.entries(anchors)) this.#write(name, anchor);
    const onEvent = (event: TrustEvent): void => {
      for (const listener of this.#listeners) listener(event);
    };
    store = watchTrustStore({ anchors: this.#path, clock: () => TEST_TIME.getTime(), pollSeconds: 1, onEvent });
    this.store = store;
  }

  /** Adds a file by renaming it into place. */
  async add(name: string, anchor: TestAuthority): Promise<TrustEvent> {
    return this.#replacedBy(() => this.#write(name, anchor));
  }

  async remove(name: string): Promise<TrustEvent> {
    return this.#replacedBy(() => rmSync(join(this.#path, name)));
  }

  #write(name: string, anchor: TestAuthority): void {
    const unfinished = join(folder, `${name}.new`);
    writeFileSync(unfinished, anchor.pem);
    renameSync(unfinished, join(this.#path, name));
  }

  /** The next event, which says that another store is in use. */
  async #replacedBy(change: () => void): Promise<TrustEvent> {
    const told = new Promise<TrustEvent>((resolve) => {
      const listener = (event: TrustEvent): void => {
        this.#listeners.delete(listener);
        resolve(event);
      };
      this.#listeners.add(listener);
    });
    change();
    return told;
  }
}

/** An Express origin behind CloudFront. */
function originFor(trust: TrustProvider, channel: ChannelProof): express.Express {
  const app = express();
  app.use(clientCertificate({ trust, source: cloudFront({ channel }), clock: () => TEST_TIME.getTime() }));
  app.get('/', (request, response) => void response.json({ uri: clientIdentityOf(request).uris[0] }));
  return app;
}

const headersOf = (client: TestCertificate, lines: readonly (readonly [string, string])[] = [secretLine]) =>
  Object.fromEntries([...lines, ...cloudFrontHeaders(client)]);

async function start(
  server: http.Server | https.Server,
  clients: Readonly<Record<string, LoadClient>>,
  timeline: Timeline,
): Promise<Load> {
  const scheme = server instanceof https.Server ? 'https' : 'http';
  load = new Load(`${scheme}://127.0.0.1:${await listen(server)}/`, clients, timeline);
  await load.answered(enough);
  return load;
}

/** What every rotation comes to: under load all the time, and not one wrong answer. */
function expectNothingWrong({ wrong, errors }: Load): void {
  expect({ wrong, errors }).toEqual({ wrong: [], errors: 0 });
}

describe('a rotation under load', () => {
  it("F34: of the viewers' CA refuses nobody while both are trusted, and the old one's clients afterwards", async () => {
    const [oldRoot, newRoot] = [createAuthority(), createAuthority()];
    const clients = {
      old: { headers: headersOf(oldRoot.issueIntermediate().issue()) },
      new: { headers: headersOf(newRoot.issueIntermediate().issue()) },
      stranger: { headers: headersOf(createAuthority().issue()) },
      nobody: { headers: Object.fromEntries([secretLine]) },
    };
    const never = { stranger: 403, nobody: 403 };
    const anchors = new WatchedFolder({ 'old.pem': oldRoot });
    const timeline = new Timeline({ old: 200, new: 403, ...never });
    const server = http.createServer(httpOptions, originFor(anchors.store, edgeChannel));
    const running = await start(server, clients, timeline);

    const next = async (expected: Expected, change: () => Promise<TrustEvent>): Promise<void> => {
      await timeline.change(expected, async () => {
        expect(await change()).toMatchObject({ 'event.name': 'clientcert.trust.replaced' });
      });
      await running.answered(enough);
    };
    // 1. Add the new CA beside the old one.
    await next({ old: 200, new: 200, ...never }, () => anchors.add('new.pem', newRoot));
    // 2. Issue from the new one until nobody has a certificate of the old one. 3. Remove the old one.
    await next({ old: 403, new: 200, ...never }, () => anchors.remove('old.pem'));

    await running.stop();
    expectNothingWrong(running);
  }, 60_000);

  it("F34: of the edge's certificate refuses no request while both are trusted, and the old edge's afterwards", async () => {
    const viewers = createAuthority();
    const [oldEdgeRoot, newEdgeRoot] = [createAuthority(), createAuthority()];
    const [oldName, newName] = ['edge-1.origin.example.com', 'edge-2.origin.example.com'];
    const headers = headersOf(viewers.issueIntermediate().issue(), []);
    const through = (root: TestAuthority, dnsName: string): LoadClient => {
      return { headers, tls: presenting(root.issue({ dnsNames: [dnsName] })) };
    };
    const clients = {
      'old edge': through(oldEdgeRoot, oldName),
      'new edge': through(newEdgeRoot, newName),
      'foreign edge': through(createAuthority(), newName),
      'misnamed edge': through(newEdgeRoot, 'edge-3.origin.example.com'),
      viewer: through(viewers, newName),
    };
    const never = { 'foreign edge': 403, 'misnamed edge': 403, viewer: 403 };
    const anchors = new WatchedFolder({ 'old.pem': oldEdgeRoot });
    const timeline = new Timeline({ 'old edge': 200, 'new edge': 403, ...never });
    // 1. The name of the new certificate beside the old one's, in the options.
    const channel = originMtls({ trust: anchors.store, dnsNames: [oldName, newName] });
    const app = originFor(TrustStore.fromDer([viewers.der]), channel);
    const running = await start(https.createServer(originOptions, app), clients, timeline);

    const next = async (expected: Expected, change: () => Promise<TrustEvent>): Promise<void> => {
      await timeline.change(expected, change);
      await running.answered(enough);
    };
    // 2. Its CA beside the old one's.
    await next({ 'old edge': 200, 'new edge': 200, ...never }, () => anchors.add('new.pem', newEdgeRoot));
    // 3. Switch the edge. 4. Remove the old CA: connections that are open are refused from their next request on.
    await next({ 'old edge': 403, 'new edge': 200, ...never }, () => anchors.remove('old.pem'));

    await running.stop();
    expectNothingWrong(running);
  }, 60_000);

  it('F34: of the shared secret refuses no request while both are good, and the old one afterwards', async () => {
    const header = 'X-Edge-Secret';
    const next = 'a-second-secret-that-comes-after-the-first';
    const viewers = createAuthority();
    const client = viewers.issueIntermediate().issue();
    const clients = {
      old: { headers: headersOf(client, [[header, edgeSecret]]) },
      new: { headers: headersOf(client, [[header, next]]) },
      wrong: { headers: headersOf(client, [[header, 'a-third-secret-that-has-never-been-good']]) },
      none: { headers: headersOf(client, []) },
    };
    const never = { wrong: 403, none: 403 };
    let secrets: readonly string[] = [edgeSecret];
    const channel = sharedSecret({ header, secrets: () => secrets });
    const timeline = new Timeline({ old: 200, new: 403, ...never });
    const server = http.createServer(httpOptions, originFor(TrustStore.fromDer([viewers.der]), channel));
    const running = await start(server, clients, timeline);

    // 1. The new secret beside the old one. 2. Switch the edge. 3. The new one alone.
    await timeline.change({ old: 200, new: 200, ...never }, () => (secrets = [next, edgeSecret]));
    await running.answered(enough);
    await timeline.change({ old: 403, new: 200, ...never }, () => (secrets = [next]));
    await running.answered(enough);

    await running.stop();
    expectNothingWrong(running);
  }, 60_000);
});

describe('what a rotation is held to', () => {
  const timeline = new Timeline({ old: 200 });
  const during: { start: number; end: number } = { start: 0, end: 0 };

  beforeAll(async () => {
    await timeline.change({ old: 403 }, () => {
      during.start = performance.now();
      while (performance.now() < during.start + 2);
      during.end = performance.now();
    });
  });

  it.each<[string, number, () => [start: number, end: number], boolean]>([
    ['the answer before a change, before it', 200, () => [during.start - 20, during.start - 10], true],
    ['the answer after a change, before it', 403, () => [during.start - 20, during.start - 10], false],
    ['the answer before a change, while it is made', 200, () => [during.start + 0.5, during.end - 0.5], true],
    ['the answer after a change, while it is made', 403, () => [during.start + 0.5, during.end - 0.5], true],
    ['the answer before a change, to a request from before it', 200, () => [during.start - 1, during.end + 20], true],
    ['the answer before a change, after it', 200, () => [during.end + 10, during.end + 20], false],
    ['the answer after a change, after it', 403, () => [during.end + 10, during.end + 20], true],
    ['an answer that is right at no time', 500, () => [during.start - 20, during.end + 20], false],
  ])('is, for %s: %s', (_, status, span, isRight) => {
    expect(timeline.isRight('old', status, ...span())).toBe(isRight);
  });
});
