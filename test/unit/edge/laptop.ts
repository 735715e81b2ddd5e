import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net, { type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import tls, { type TLSSocket } from 'node:tls';
import { createEdge, type Edge, type EdgeAddress, type EdgeOptions } from '@peercert/edge';
import { createAuthority, type CertificateFields, type TestCertificate } from '@peercert/testkit';

// The edge's own TLS and the origin's are checked against the real clock, unlike the client certificates under test.
const DAY_MS = 24 * 60 * 60 * 1000;
const validToday = { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + DAY_MS) };

/** Vouches for the server certificates of the edge and of the origin. */
export const serverAuthority = createAuthority(validToday);

/** A certificate for the servers of this laptop. */
export function issueServer(fields: CertificateFields = {}): TestCertificate {
  return serverAuthority.issue({
    ...validToday,
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
    extKeyUsage: ['serverAuth'],
    ...fields,
  });
}

/** An end-entity certificate that a server accepts today. */
export function issueClient(authority: ReturnType<typeof createAuthority>): TestCertificate {
  return authority.issue(validToday);
}

/** An authority that issues certificates valid today. */
export function createClientAuthority(): ReturnType<typeof createAuthority> {
  return createAuthority(validToday);
}

/** `key` and `cert` of a TLS endpoint that presents `certificate` and whatever `chain` follows. */
export function presenting(certificate: TestCertificate, chain = certificate.chain.map(toPem)) {
  return { key: certificate.privateKeyPem, cert: [certificate.pem, ...chain].join('') };
}

export function toPem(der: Uint8Array): string {
  return `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`;
}

const edgeServer = issueServer();
const originServer = issueServer();
const cleanUp: (() => Promise<unknown>)[] = [];

/** Closes what {@link startOrigin} and {@link startEdge} have started. For `afterEach`. */
export async function closeAll(): Promise<void> {
  await Promise.all(cleanUp.splice(0).map((close) => close()));
}

export interface Origin {
  readonly url: string;
  readonly port: number;
  /** Requests received, in order. */
  readonly requests: http.IncomingMessage[];
  /** Connections accepted, in order. */
  readonly connections: Socket[];
  close(): Promise<void>;
}

const answerOk: http.RequestListener = (request, response) => {
  request.resume();
  response.end('ok');
};

/** Starts an origin on a free port, over TLS unless `options` is `'http'`. */
export async function startOrigin(
  handler: http.RequestListener = answerOk,
  options: https.ServerOptions | 'http' = {},
): Promise<Origin> {
  const requests: http.IncomingMessage[] = [];
  const connections: Socket[] = [];
  const listener: http.RequestListener = (request, response) => {
    requests.push(request);
    handler(request, response);
  };
  const server =
    options === 'http'
      ? http.createServer(listener)
      : https.createServer({ ...presenting(originServer), maxHeaderSize: 65_536, ...options }, listener);
  server.maxHeadersCount = 0;
  server.on(options === 'http' ? 'connection' : 'secureConnection', (socket: Socket) => connections.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  cleanUp.push(close);
  const url = `${options === 'http' ? 'http' : 'https'}://localhost:${port}`;
  return { url, port, requests, connections, close };
}

/** Starts an origin that speaks raw TCP, and gives its URL. */
export async function startTcpOrigin(onConnection: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onConnection(socket);
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  cleanUp.push(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return `http://localhost:${portOf(server)}`;
}

function portOf(server: net.Server): number {
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('a server listens on a port');
  return address.port;
}

export interface StartedEdge extends EdgeAddress {
  readonly edge: Edge;
}

/** Starts an edge in front of an origin that presents a certificate of {@link serverAuthority}. */
export async function startEdge(origin: string, options: Partial<EdgeOptions> = {}): Promise<StartedEdge> {
  const edge = createEdge({
    origin,
    tls: presenting(edgeServer),
    ...(origin.startsWith('https:') && { originTls: { ca: serverAuthority.pem, ...options.originTls } }),
    ...Object.fromEntries(Object.entries(options).filter(([name]) => name !== 'originTls')),
  });
  cleanUp.push(() => edge.close());
  return { edge, ...(await edge.listen()) };
}

export interface ViewerRequest extends Omit<https.RequestOptions, 'headers'> {
  /** Name, value, name, value: sent as they are, behind a Host line. */
  readonly headers?: readonly string[];
  /** Value of the Host line. Default: the edge, as localhost. */
  readonly hostLine?: string;
  readonly body?: string | Buffer;
}

export interface ViewerAnswer {
  readonly status: number;
  readonly rawHeaders: readonly string[];
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** Begins a request of a viewer, on a connection of its own unless `agent` says otherwise. */
export function openRequest(edge: EdgeAddress, request: ViewerRequest = {}): http.ClientRequest {
  const { headers = [], hostLine = `localhost:${edge.port}`, body: _, ...options } = request;
  return https.request({
    host: edge.host,
    port: edge.port,
    servername: 'localhost',
    ca: serverAuthority.pem,
    agent: false,
    ...options,
    headers: ['Host', hostLine, ...headers],
  });
}

/** Sends a whole request of a viewer and reads the whole answer. */
export async function send(edge: EdgeAddress, request: ViewerRequest = {}): Promise<ViewerAnswer> {
  const clientRequest = openRequest(edge, request);
  clientRequest.end(request.body);
  return readAnswer(clientRequest);
}

export async function readAnswer(clientRequest: http.ClientRequest): Promise<ViewerAnswer> {
  const response = await responseTo(clientRequest);
  const { statusCode = 0, rawHeaders, headers } = response;
  return { status: statusCode, rawHeaders, headers, body: await text(response) };
}

/** A viewer's HTTP/2 session over a TLS connection of its own. It is closed with everything else. */
export function openHttp2(edge: EdgeAddress, credentials: tls.ConnectionOptions = {}): http2.ClientHttp2Session {
  const { host, port } = edge;
  const session = http2.connect(`https://localhost:${port}`, {
    maxHeaderListPairs: 10_000,
    maxSendHeaderBlockLength: 1_000_000,
    createConnection: () => {
      return tls.connect({
        host,
        port,
        servername: 'localhost',
        ca: serverAuthority.pem,
        ...credentials,
        ALPNProtocols: ['h2'],
      });
    },
  });
  session.on('error', () => {});
  cleanUp.push(async () => session.destroy());
  return session;
}

/** {@link send} over HTTP/2. Knows `method`, `path`, `headers`, `hostLine`, `body` and what belongs to TLS. */
export async function sendHttp2(edge: EdgeAddress, request: ViewerRequest = {}): Promise<ViewerAnswer> {
  const { headers = [], hostLine = `localhost:${edge.port}`, body, method = 'GET', path = '/', ...options } = request;
  const fields: Record<string, string[]> = {};
  for (const [at, name] of headers.entries()) {
    if (at % 2 === 0) (fields[name.toLowerCase()] ??= []).push(headers[at + 1] ?? '');
  }
  const session = openHttp2(edge, options as tls.ConnectionOptions);
  const single = Object.entries(fields).map(([name, values]) => [name, values.length === 1 ? values[0] : values]);
  const stream = session.request(
    { ':method': method, ':path': path ?? '/', ':authority': hostLine, ...Object.fromEntries(single) },
    { endStream: body === undefined },
  );
  if (body !== undefined) stream.end(body);
  return readHttp2Answer(stream);
}

export async function readHttp2Answer(stream: http2.ClientHttp2Stream): Promise<ViewerAnswer> {
  const [headers, rawHeaders] = await new Promise<[http2.IncomingHttpHeaders, string[]]>((resolve, reject) => {
    const answered = (received: http2.IncomingHttpHeaders, _flags: number, raw: string[]): void =>
      resolve([received, raw]);
    stream.once('response', answered as (received: http2.IncomingHttpHeaders, flags: number) => void);
    stream.once('error', reject);
    stream.once('close', () => reject(new Error('closed without a response')));
  });
  return { status: Number(headers[':status']), rawHeaders, headers, body: await text(stream) };
}

/** What every version of HTTP must do alike, for `describe.each`. */
export const protocols = [
  { version: 'HTTP/1.1', send },
  { version: 'HTTP/2', send: sendHttp2 },
] as const;

export async function responseTo(clientRequest: http.ClientRequest): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    clientRequest.once('response', resolve);
    clientRequest.once('error', reject);
  });
}

/** The error a promise rejects with. To be taken at once and looked at later. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('nothing failed');
}

/** Connects as a viewer that will send bytes of its own. */
export function connectRaw(edge: EdgeAddress, options: tls.ConnectionOptions = {}): TLSSocket {
  const { host, port } = edge;
  const socket = tls.connect({ host, port, servername: 'localhost', ca: serverAuthority.pem, ...options });
  return socket.on('error', () => {});
}

/** Sends bytes as a viewer and reads what comes until the edge closes the connection. */
export async function sendRaw(edge: EdgeAddress, bytes: string): Promise<string> {
  const socket = connectRaw(edge);
  socket.write(bytes);
  return text(socket);
}

/** Values of all lines of a field, in order, whatever their letter case. */
export function lines(message: { readonly rawHeaders: readonly string[] } | undefined, name: string): string[] {
  const { rawHeaders } = message ?? { rawHeaders: [] };
  return rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name.toLowerCase(),
  );
}

/** The only request an origin has received. */
export function onlyRequest(origin: Origin): http.IncomingMessage {
  const [request, ...others] = origin.requests;
  if (request === undefined || others.length > 0)
    throw new Error(`received ${origin.requests.length} requests, not one`);
  return request;
}

/** DER of the certificate that the other side of a connection presented. */
export function peerCertificate(socket: Socket | undefined): Buffer | undefined {
  return (socket as TLSSocket | undefined)?.getPeerX509Certificate()?.raw;
}
