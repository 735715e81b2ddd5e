// A process of its own, started by load.mts: clients of the edge that send one request after another.
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import type { Case, Credentials } from './cases.mjs';

/** What the process is told. */
export interface LoadInput {
  readonly ports: readonly number[];
  readonly paths: readonly string[];
  /** Cases go by their place in the one list after the other. */
  readonly honest: readonly Case[];
  readonly hostile: readonly Case[];
  readonly edge: Credentials;
  readonly foreignEdge: Credentials;
}

/** What it tells when it is told to stop. */
export interface LoadResult {
  /** Requests that were answered, or that the client itself gave up. */
  readonly requests: number;
  /** Answers about somebody else, and requests without an answer. */
  readonly wrong: number;
  readonly unhandled: number;
}

const hostileShare = 0.05;
const connectionsPerOrigin = 4;

let [requests, wrong, unhandled] = [0, 0, 0];
const stopping = new AbortController();

for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
  process.on(event, (error: unknown) => {
    unhandled++;
    console.error('load:', event, error);
  });
}

function pick<Item>(items: readonly Item[]): Item {
  return items[Math.floor(Math.random() * items.length)] as Item;
}

async function send(port: number, path: string, agent: Agent, lines: readonly string[], asked: Case): Promise<void> {
  const outgoing = request({
    host: '127.0.0.1',
    port,
    path,
    agent,
    headers: ['Host', 'localhost', ...lines, ...asked.lines],
  });
  outgoing.end();
  if (asked.abort === true) {
    outgoing.on('error', () => {});
    await once(outgoing, 'finish');
    outgoing.destroy();
    return;
  }
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  const body = await text(response);
  // Whether it is let in is the oracle's question; as whom, ours.
  if (response.statusCode === 200 && (JSON.parse(body) as { uri?: string }).uri !== asked.uri) wrong++;
}

async function work(input: LoadInput, port: number, agent: Agent, foreignAgent: Agent): Promise<void> {
  const { honest, hostile, paths } = input;
  while (!stopping.signal.aborted) {
    const isHostile = Math.random() < hostileShare;
    const at = Math.floor(Math.random() * (isHostile ? hostile : honest).length);
    const asked = (isHostile ? hostile[at] : honest[at]) as Case;
    const lines = ['X-Case', String(isHostile ? honest.length + at : at)];
    try {
      await send(port, pick(paths), asked.foreignEdge === true ? foreignAgent : agent, lines, asked);
    } catch (error) {
      wrong++;
      console.error('load: no answer', error);
    }
    requests++;
  }
}

// Loaded: whoever measures time begins now.
process.send?.('ready');
const [input] = (await once(process, 'message')) as [LoadInput];
const agents = [input.edge, input.foreignEdge].map((credentials) => {
  return new Agent({ ...credentials, keepAlive: true, rejectUnauthorized: false });
}) as [Agent, Agent];
const working = input.ports.flatMap((port) => {
  return Array.from({ length: connectionsPerOrigin }, async () => work(input, port, ...agents));
});
await once(process, 'message');
stopping.abort();
await Promise.all(working);
for (const agent of agents) agent.destroy();
process.send?.({ requests, wrong, unhandled } satisfies LoadResult);
process.disconnect();
