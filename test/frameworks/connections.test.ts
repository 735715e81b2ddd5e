import http from 'node:http';
import https from 'node:https';
import {
  type AuthenticatorOptions,
  type ChannelProof,
  cloudFront,
  nativeTls,
  originMtls,
  TrustStore,
  trustedAddresses,
} from '@peercert/core';
import { cloudFrontHeaders, createAuthority, TEST_TIME } from '@peercert/testkit';
import { closeServers, httpOptions, listen, originOptions, problem, send } from '../support/servers';
import { presenting } from '../support/tls-origin';
import { frameworks } from './frameworks';

const root = createAuthority();
const [first, second] = [root.issue({ uris: ['urn:device:1'] }), root.issue({ uris: ['urn:device:2'] })];
const edgeAuthority = createAuthority();
const edge = edgeAuthority.issue({ dnsNames: ['edge.example.com'] });
const throughMtls = originMtls({ trust: TrustStore.fromDer([edgeAuthority.der]), dnsNames: ['edge.example.com'] });

const behind = (channel: ChannelProof, options: Partial<AuthenticatorOptions> = {}): AuthenticatorOptions => ({
  trust: TrustStore.fromDer([root.der]),
  source: cloudFront({ channel }),
  clock: () => TEST_TIME.getTime(),
  ...options,
});
const certificateOf = (certificate: Parameters<typeof cloudFrontHeaders>[0]): Record<string, string> => {
  return Object.fromEntries(cloudFrontHeaders(certificate));
};

afterEach(closeServers);

describe.each(frameworks)('the connection under $name', (framework) => {
  it('CH-03: is that of the socket where the framework believes a forged X-Forwarded-For', async () => {
    const channel = trustedAddresses(['10.0.0.0/8']);
    const port = await listen(http.createServer(httpOptions, await framework.application(behind(channel))));
    const headers = { 'X-Forwarded-For': '10.0.0.1', Forwarded: 'for=10.0.0.1', ...certificateOf(first) };
    expect(await send(port, { headers })).toMatchObject({ status: 403, body: problem(403, 'certificate_required') });
  });

  it('CH-03: is trusted by its own address, wherever X-Forwarded-For says the request is from', async () => {
    const channel = trustedAddresses(['127.0.0.1']);
    const port = await listen(http.createServer(httpOptions, await framework.application(behind(channel))));
    const headers = { 'X-Forwarded-For': '203.0.113.7', ...certificateOf(first) };
    expect(await send(port, { headers })).toMatchObject({
      status: 200,
      body: { uris: ['urn:device:1'], address: '203.0.113.7' },
    });
  });

  it('CH-19: carries callers A, B and nobody over origin mTLS without mixing them', async () => {
    const server = https.createServer(
      originOptions,
      await framework.application(behind(throughMtls, { presence: 'optional' })),
    );
    const port = await listen(server);
    let connections = 0;
    server.on('secureConnection', () => connections++);
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ...presenting(edge) });
    const bodies: unknown[] = [];
    for (const headers of [certificateOf(first), certificateOf(second), {}, certificateOf(first)]) {
      const answer = await send(port, { protocol: 'https:', agent, headers });
      bodies.push((answer.body as { uris: unknown }).uris);
    }
    agent.destroy();
    expect(bodies).toEqual([['urn:device:1'], ['urn:device:2'], null, ['urn:device:1']]);
    expect(connections).toBe(1);
  });

  it('CH-19: refuses the request without a certificate between two with one, and keeps the connection', async () => {
    const server = https.createServer(originOptions, await framework.application(behind(throughMtls)));
    const port = await listen(server);
    let connections = 0;
    server.on('secureConnection', () => connections++);
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ...presenting(edge) });
    const statuses: number[] = [];
    for (const headers of [certificateOf(first), {}, certificateOf(second)]) {
      statuses.push((await send(port, { protocol: 'https:', agent, headers })).status);
    }
    agent.destroy();
    expect(statuses).toEqual([200, 403, 200]);
    expect(connections).toBe(1);
  });

  it("NT-09: takes the header's certificate for the caller's, and the handshake's for the proxy's", async () => {
    const port = await listen(https.createServer(originOptions, await framework.application(behind(throughMtls))));
    const request = { protocol: 'https:', headers: certificateOf(second) };
    const throughEdge = await send(port, { ...request, ...presenting(edge) });
    expect(throughEdge).toMatchObject({ status: 200, body: { uris: ['urn:device:2'] } });
    const pastIt = await send(port, { ...request, ...presenting(first) });
    expect(pastIt).toMatchObject({ status: 403, body: problem(403, 'certificate_required') });
  });

  it('NT-09: takes the certificate of the handshake, not the one in a header, with native TLS', async () => {
    const native = { ...behind(throughMtls), source: nativeTls() };
    const port = await listen(https.createServer(originOptions, await framework.application(native)));
    const answer = await send(port, { protocol: 'https:', headers: certificateOf(second), ...presenting(first) });
    expect(answer).toMatchObject({ status: 200, body: { uris: ['urn:device:1'] } });
  });

  it('NT-07: answers 500 when the server does not ask TLS clients for certificates', async () => {
    const warned = jest.spyOn(process, 'emitWarning').mockImplementation();
    const native = { ...behind(throughMtls), source: nativeTls(), presence: 'optional' as const };
    const server = https.createServer({ ...originOptions, requestCert: false }, await framework.application(native));
    const answer = await send(await listen(server), { protocol: 'https:', ...presenting(first) });
    expect(answer).toMatchObject({ status: 500, body: problem(500, 'unavailable') });
    expect(warned.mock.calls.map(([, options]) => options)).toEqual([
      { type: 'PeercertWarning', code: 'PEERCERT_CERTIFICATES_NOT_REQUESTED' },
    ]);
    warned.mockRestore();
  });
});
