import { once } from 'node:events';
import http, { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import net, { type AddressInfo, type Server, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { TestCertificate } from '@peercert/testkit';

/** A request that arrived whole. */
export interface Question {
  readonly method: string;
  /** With the kind of answer in front: `/good`, or `/good/` and what a client appends. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface FaultyServerOptions {
  /** The body of good answers. Default `answer`. */
  readonly answer?: Buffer | ((question: Question) => Buffer);
  /** The type of good answers. Default `application/octet-stream`. */
  readonly contentType?: string;
  /** Further fields of good answers. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Makes it an https server with this certificate. */
  readonly certificate?: TestCertificate;
}

interface Scene {
  readonly socket: Socket;
  readonly response: ServerResponse;
  readonly good: Buffer;
  /** Ends the connection with a TCP reset. */
  readonly reset: () => void;
}

const hang = (): void => {};
const large = 5 * 1024 * 1024;
const dripMs = 20;

/** Writes, past Node's http, what Node's http would not write. */
function raw({ socket }: Scene, text: string): void {
  socket.end(text);
}

/** Writes something again and again until nobody listens. */
function repeat({ response, socket }: Scene, write: () => void): void {
  const timer = setInterval(write, dripMs);
  for (const end of [response, socket]) end.once('close', () => clearInterval(timer));
}

const answers = {
  'too-many-requests': ({ response }) => response.writeHead(429).end(),
  'not-found': ({ response }) => response.writeHead(404).end('not here'),
  'server-error': ({ response }) => response.writeHead(500).end('broken'),
  unavailable: ({ response }) => response.writeHead(503, { 'retry-after': '120' }).end(),
  'partial-content': ({ response, good }) => response.writeHead(206).end(good),
  'not-modified': ({ response }) => response.writeHead(304).end(),
  redirect: ({ response }) => response.writeHead(301, { location: '/good' }).end(),
  'redirect-temporarily': ({ response }) => response.writeHead(307, { location: 'http://127.0.0.1/' }).end(),
  'switching-protocols': (scene) =>
    raw(scene, 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),

  'hang-before-headers': hang,
  'hang-after-headers': ({ response }) => response.writeHead(200, { 'content-length': 10 }).flushHeaders(),
  /** An octet of the body every 20 ms: never idle, never done. */
  drip: (scene) => {
    scene.response.writeHead(200, { 'content-length': 1_000 }).flushHeaders();
    repeat(scene, () => scene.response.write('x'));
  },
  'drip-headers': (scene) => {
    scene.socket.write('HTTP/1.1 200 OK\r\n');
    repeat(scene, () => scene.socket.write('X: x\r\n'));
  },
  reset: ({ reset }) => reset(),
  'reset-midway': ({ response, reset }) => {
    response.writeHead(200, { 'content-length': 10 });
    response.write('half', () => setTimeout(reset, dripMs));
  },
  'close-at-once': ({ socket }) => socket.end(),

  large: ({ response }) => response.writeHead(200).end(Buffer.alloc(large)),
  'large-announced': ({ response }) => response.writeHead(200, { 'content-length': large }).flushHeaders(),
  /** Chunks without end, as fast as they are taken. */
  endless: ({ response }) => {
    const chunk = Buffer.alloc(65_536);
    const write = (): void => {
      while (!response.destroyed && response.write(chunk));
    };
    response.writeHead(200).on('drain', write);
    write();
  },
  'large-headers': (scene) => raw(scene, `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`),
  /** Says 10 octets and sends 4. */
  'length-too-large': (scene) => raw(scene, 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'),
  /** Says 4 octets and sends 8. */
  'length-too-small': (scene) => raw(scene, 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhalfhalf'),
  'two-lengths': (scene) => raw(scene, 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 8\r\n\r\nhalfhalf'),
  'length-and-chunks': (scene) =>
    raw(scene, 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n\r\n'),
  'bad-chunk': (scene) => raw(scene, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhalf\r\n0\r\n\r\n'),
  'not-http': (scene) => raw(scene, 'SSH-2.0-OpenSSH_9.6\r\n'),

  empty: ({ response }) => response.writeHead(200).end(),
  html: ({ response }) => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Sign in</h1>'),
  gzip: ({ response, good }) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(good),
  'no-type': ({ response, good }) => response.writeHead(200).end(good),
} satisfies Readonly<Record<string, (scene: Scene) => unknown>>;

/** Faults of the connection, which have ports of their own. */
type ConnectionFault = 'refused' | 'reset-on-connect' | 'other-protocol';

/** What a server does with a question. `other-protocol`: an https URL of an http server, or the reverse. */
export type FaultKind = 'good' | keyof typeof answers | ConnectionFault;

export interface FaultyServer {
  readonly port: number;
  /** The URL that is answered in this way. Default of `host`: `127.0.0.1`, where the server listens. */
  url(kind: FaultKind, host?: string): string;
  /** Connections accepted, whatever became of them. */
  readonly connections: number;
  /** Requests that arrived. */
  readonly requests: number;
  /** The same, with what was asked. */
  readonly questions: readonly Question[];
  /** Resolves when every connection that is open now has ended. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a server on a free port of this machine that misbehaves in whatever way its URL asks for. */
export async function startFaultyServer(options: FaultyServerOptions = {}): Promise<FaultyServer> {
  const { certificate } = options;
  /** By the client's port: below TLS too, where alone a connection can be reset. */
  const sockets = new Map<number | undefined, Socket>();
  const questions: Question[] = [];
  let connections = 0;

  const reply = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url: path = '', headers, socket } = request;
    const question = { method, path, headers, body: await buffer(request) };
    questions.push(question);
    const { answer = Buffer.from('answer') } = options;
    const good = typeof answer === 'function' ? answer(question) : answer;
    const kind = path.split('/')[1] as keyof typeof answers;
    const misbehave: ((scene: Scene) => unknown) | undefined = answers[kind];
    if (misbehave === undefined) replyWell(good, options, response);
    else misbehave({ socket, response, good, reset: () => sockets.get(socket.remotePort)?.resetAndDestroy() });
  };
  const handler = (request: IncomingMessage, response: ServerResponse): void => {
    reply(request, response).catch(() => response.destroy());
  };
  const server =
    certificate === undefined
      ? http.createServer(handler)
      : https.createServer({ key: certificate.privateKeyPem, cert: certificate.chainPem }, handler);
  const resetting = net.createServer((socket) => socket.resetAndDestroy());
  for (const each of [server, resetting]) {
    each.on('connection', (socket: Socket) => {
      connections += 1;
      const { remotePort } = socket;
      sockets.set(remotePort, socket);
      socket.on('error', hang).once('close', () => sockets.delete(remotePort));
    });
  }

  const [port, resettingPort, unusedPort] = [await listen(server), await listen(resetting), await freePort()];
  const ports = new Map<FaultKind, number>([
    ['refused', unusedPort],
    ['reset-on-connect', resettingPort],
  ]);
  const isHttps = certificate !== undefined;
  return {
    port,
    questions,
    get connections() {
      return connections;
    },
    get requests() {
      return questions.length;
    },
    url: (kind, host = '127.0.0.1') =>
      `http${isHttps === (kind !== 'other-protocol') ? 's' : ''}://${host}:${ports.get(kind) ?? port}/${kind}`,
    idle: async () => {
      await Promise.all([...sockets.values()].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
    },
    close: async () => {
      const closed = [server, resetting].map((each) => once(each, 'close'));
      for (const each of [server, resetting]) each.close();
      for (const socket of sockets.values()) socket.destroy();
      await Promise.all(closed);
    },
  };
}

function replyWell(good: Buffer, options: FaultyServerOptions, response: ServerResponse): void {
  const { contentType = 'application/octet-stream', headers = {} } = options;
  response.writeHead(200, { 'content-type': contentType, 'content-length': good.length, ...headers }).end(good);
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A port where nobody listens any more. */
async function freePort(): Promise<number> {
  const server = net.createServer();
  const port = await listen(server);
  server.close();
  await once(server, 'close');
  return port;
}
