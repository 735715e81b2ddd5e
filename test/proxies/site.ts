import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { codeUnder } from '../support/pages';
import { freePort } from '../support/quick-start';
import { type Clients, writeFiles } from './pki';
import { type Running, start } from './processes';
import type { Ports, Proxy } from './proxies';

const page = 'docs/proxies.md';
const root = resolve(__dirname, '../..');

/** A proxy and the origin behind it, both as docs/proxies.md has them. */
export interface Site extends Ports {
  readonly pki: Clients;
  /** Requests that reached the origin, in order: their connection and their path. */
  requests(): readonly { readonly connection: number; readonly path: string }[];
  stop(): Promise<void>;
}

/** Prints every request that reaches the origin, so that nothing is added to the recipe. */
const observer = `
const { subscribe } = require('node:diagnostics_channel');
subscribe('http.server.request.start', ({ request, socket }) => {
  console.log(JSON.stringify({ connection: socket.remotePort, path: request.url }));
});
`;

/** How a recipe is used. */
export interface Use {
  /** Default `'required'`. */
  readonly presence?: 'required' | 'optional';
  /** Whether the proxy shows a certificate or adds a secret. Default `'certificate'`. */
  readonly channel?: 'certificate' | 'secret';
  /** Breaks the configuration, for tests that must notice. */
  readonly breakIt?: (configuration: string) => string;
}

function replaceIn(text: string, found: string | RegExp, by: string): string {
  const replaced = text.replaceAll(found, () => by);
  if (replaced === text && !text.includes(by)) throw new Error(`${page} has no ${String(found)} in a recipe.`);
  return replaced;
}

/** The configuration of a recipe, in which nothing but ports and the folder of the files is replaced. */
function configurationOf(proxy: Proxy, folder: string, ports: Ports, { channel, breakIt }: Use): string {
  let text = codeUnder(page, proxy.heading, proxy.language).join('\n');
  for (const [found, by] of Object.entries(proxy.listening)) text = replaceIn(text, found, by(ports.proxy));
  text = replaceIn(text, 'localhost:8443', `localhost:${ports.origin}`);
  text = replaceIn(text, '/etc/proxy/', `${folder}/`);
  if (channel === 'secret') {
    const line = text.split('\n').find((one) => one.includes(proxy.setting)) ?? '';
    text = replaceIn(text, line, `${line}\n${secretLineOf(proxy)}`);
    text = replaceIn(text, proxy.certificate, '');
  }
  return breakIt?.(text) ?? text;
}

/** What the page says for a proxy that sends a secret. */
export function secretLineOf(proxy: Proxy): string {
  const row = new RegExp(`^\\| ${proxy.heading} +\\| \`(.*-Secret .*)\` +\\|$`, 'm');
  const line = row.exec(readFileSync(join(root, page), 'utf8'))?.[1];
  if (line === undefined) throw new Error(`${page} has no line with a secret for ${proxy.heading}.`);
  return line;
}

/** The origin of the page, with the source of a recipe. */
function originOf(proxy: Proxy, port: number, { presence, channel }: Use): string {
  let [text = ''] = codeUnder(page, 'The origin', 'js');
  const [source = ''] = codeUnder(page, proxy.heading, 'js');
  text = replaceIn(text, /^const source = .*\n/gm, source);
  text = replaceIn(text, ' nginx,', ` ${proxy.name},`);
  text = replaceIn(text, '8443', String(port));
  if (channel === 'secret') {
    const [secret = ''] = codeUnder(page, "A secret in place of the proxy's certificate", 'js');
    text = replaceIn(text, /^const channel = .*\n/gm, secret);
    text = replaceIn(text, ' originMtls,', ' sharedSecret,');
  }
  return presence === 'optional'
    ? replaceIn(text, '{ trust, source }', "{ trust, source, presence: 'optional' }")
    : text;
}

/** Starts a proxy and its origin on free ports of this machine, in a folder of their own. */
export async function startSite(proxy: Proxy, pki: Clients, use: Use = {}): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), 'peercert-proxies-'));
  const running: Running[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(running.map((process) => process.stop()));
    rmSync(folder, { recursive: true });
  };
  try {
    // Apache serves as another user, who looks for nothing there but may have to enter.
    chmodSync(folder, 0o711);
    writeFiles(folder, pki);
    // The origin imports what is built here.
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const ports = { proxy: await freePort(), origin: await freePort() };
    writeFileSync(join(folder, 'observer.cjs'), observer);
    writeFileSync(join(folder, 'origin.mjs'), originOf(proxy, ports.origin, use));
    writeFileSync(join(folder, 'recipe'), configurationOf(proxy, folder, ports, use));
    const args = ['--require', './observer.cjs', 'origin.mjs'];
    const origin = await start(process.execPath, args, folder, ports.origin);
    running.push(origin);
    running.push(await start(proxy.command, proxy.around(folder), folder, ports.proxy));
    const requests = (): ReturnType<Site['requests']> =>
      origin
        .output()
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as ReturnType<Site['requests']>[number]);
    return { ...ports, pki, requests, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
