import { fork } from 'node:child_process';
import { once as event } from 'node:events';
import { fileURLToPath } from 'node:url';
import { cloudFrontHeaders } from '@peercert/testkit';
import autocannon, { type Client, type Result } from 'autocannon';
import type { HttpInput, Ports, Variant } from '../http-child.mjs';
import { commonFields, createHierarchy, edgeAnchors, edgeCertificate, once } from '../inputs.mjs';
import { figuresOf } from '../measure.mjs';
import type { Figures, Row } from '../row.mjs';

const clients = 500;
const connections = 10;
const rounds = 7;
const warmUpRounds = 2;
/** Requests in one round, to each server. */
const requestsPerRound = 3_000;

const hierarchy = once(() => createHierarchy('p256', clients));

/** Each connection carries requests of clients of its own, as connections of an edge do. */
const requestsOfConnections = once(() => {
  const requests = hierarchy().clients.map((client, index) => ({
    headers: Object.fromEntries([...commonFields(index), ...cloudFrontHeaders(client)]),
  }));
  const each = clients / connections;
  return Array.from({ length: connections }, (_, index) => requests.slice(index * each, (index + 1) * each));
});

/** Requests per second, from the first tenth of the answers, when every connection stands, to the last. */
async function rateOf(port: number): Promise<number> {
  const requests = requestsOfConnections();
  let connected = 0;
  const options = {
    url: `https://127.0.0.1:${port}/`,
    connections,
    amount: requestsPerRound,
    // How soon it notices that it is done, in milliseconds.
    sampleInt: 50,
    tlsOptions: { key: edgeCertificate.privateKeyPem, cert: edgeCertificate.chainPem },
    setupClient: (client: Client) => client.setRequests(requests[connected++ % connections] ?? []),
  };
  const times: number[] = [];
  const { '2xx': answered } = await new Promise<Result>((resolve, reject) => {
    const running = autocannon(options, (error: unknown, result) => (error === null ? resolve(result) : reject(error)));
    running.on('response', () => times.push(performance.now()));
  });
  if (answered !== requestsPerRound) throw new Error(`${requestsPerRound - answered} requests were not answered`);
  const counted = times.slice(requestsPerRound / 10);
  return ((counted.length - 1) * 1000) / ((counted.at(-1) as number) - (counted[0] as number));
}

async function measureFramework(framework: HttpInput['framework']): Promise<Record<'digest' | 'bare', Figures>> {
  const child = fork(fileURLToPath(new URL('../http-child.mjs', import.meta.url)), { execArgv: [], stdio: 'inherit' });
  const base64 = (der: Uint8Array): string => Buffer.from(der).toString('base64');
  child.send({ framework, root: base64(hierarchy().root.der), edgeRoot: base64(edgeAnchors[0] as Uint8Array) });
  const [ports] = (await event(child, 'message')) as [Ports];
  const measured: Record<Variant, number>[] = [];
  for (let round = -warmUpRounds; round < rounds; round++) {
    const rates = {
      digest: await rateOf(ports.digest),
      ours: await rateOf(ports.ours),
      bare: await rateOf(ports.bare),
    };
    if (round >= 0) measured.push(rates);
  }
  child.kill();
  const against = (variant: Variant): Figures =>
    figuresOf(measured.map((rates) => ({ ours: rates.ours, other: rates[variant] })));
  return { digest: against('digest'), bare: against('bare') };
}

function rowsOf(framework: HttpInput['framework']): readonly Row[] {
  const measured = once(() => measureFramework(framework));
  const common = {
    what: `requests per second of ${framework} with the middleware, warm, origin mTLS, ${clients} clients`,
    better: 'higher',
    unit: '/s',
  } as const;
  return [
    {
      ...common,
      id: `http.${framework}`,
      other: 'the same server with a reading of both fields, SHA-256 and a Map look-up',
      target: 0.93,
      measure: async () => (await measured()).digest,
    },
    {
      ...common,
      id: `http.${framework}.bare`,
      other: 'the bare server',
      target: null,
      measure: async () => (await measured()).bare,
    },
  ];
}

export const http: readonly Row[] = (['express', 'koa', 'fastify'] as const).flatMap(rowsOf);
