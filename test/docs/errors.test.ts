import { createServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import { originServerOptions } from '@peercert/core';
import Fastify from 'fastify';
import { codeUnder } from '../support/pages';
import { closeServers, listen, originOptions } from '../support/servers';

type Handler = (error: NodeJS.ErrnoException, socket: Duplex) => void;

const [recipe = ''] = codeUnder('docs/errors.md', "Before peercert: Node's own answers", 'js');
// oxlint-disable-next-line typescript/no-implied-eval -- the page is what is tested
const answerClientError = new Function(`${recipe}; return answerClientError;`)() as Handler;

const longHead = `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(originServerOptions().maxHeaderSize + 1_000)}\r\n\r\n`;

afterEach(closeServers);

/** The status of the answer to octets that are there when the handshake ends, or that the connection was closed. */
async function answerTo(port: number, octets: string): Promise<string> {
  return new Promise((answered) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    let received = '';
    socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
    socket.on('error', () => {});
    socket.on('close', () => answered(/^HTTP\/1\.1 (\d+)/.exec(received)?.[1] ?? 'closed'));
    socket.write(octets);
  });
}

async function answersTo(port: number, octets: string, times: number): Promise<readonly string[]> {
  const answers: string[] = [];
  for (let count = 0; count < times; count++) answers.push(await answerTo(port, octets));
  return [...new Set(answers)];
}

describe('the handler of docs/errors.md', () => {
  const servers: readonly (readonly [string, () => Promise<number>])[] = [
    [
      'a server of Node',
      async () => {
        const server = createServer(originOptions, (_, response) => response.end());
        return listen(server.on('clientError', answerClientError));
      },
    ],
    [
      'a server of Fastify',
      async () => {
        const app = Fastify({ https: originOptions, clientErrorHandler: answerClientError });
        app.get('/', () => '');
        await app.ready();
        return listen(app.server);
      },
    ],
  ];

  it.each(servers)('F26: gets a 431 to the client that sends too long a head at once, from %s', async (_, start) => {
    const port = await start();
    await expect(answersTo(port, longHead, 20)).resolves.toEqual(['431']);
    await expect(answersTo(port, longHead.replace('\r\n\r\n', 'a'.repeat(300_000)), 5)).resolves.toEqual(['431']);
    await expect(answerTo(port, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).resolves.toBe('200');
  });

  it.each(servers)('gets a 400 to the client that sends what is no request, from %s', async (_, start) => {
    await expect(answersTo(await start(), 'GET /\0 HTTP/1.1\r\n\r\n', 3)).resolves.toEqual(['400']);
  });

  it('closes the connection of a client that does not', async () => {
    const server = createServer(originOptions, (_, response) => response.end());
    const port = await listen(server.on('clientError', answerClientError));
    const keepingOpen = { port, host: '127.0.0.1', rejectUnauthorized: false, allowHalfOpen: true };
    const stubborn = connect(keepingOpen);
    const ended = new Promise((resolve) => void stubborn.resume().once('end', resolve));
    stubborn.on('error', () => {}).write(longHead);
    await ended;
    const openUntil = Date.now() + 5_000;
    const open = async (): Promise<number> =>
      new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
    while ((await open()) > 0 && Date.now() < openUntil) await new Promise((retry) => void setTimeout(retry, 50));
    await expect(open()).resolves.toBe(0);
    stubborn.destroy();
  });
});
