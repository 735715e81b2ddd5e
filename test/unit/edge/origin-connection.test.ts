import type { TLSSocket } from 'node:tls';
import { encodeClientCert } from '@peercert/core';
import { createEdge } from '@peercert/edge';
import { createAuthority } from '@peercert/testkit';
import {
  closeAll,
  createClientAuthority,
  issueClient,
  issueServer,
  lines,
  onlyRequest,
  peerCertificate,
  presenting,
  send,
  startEdge,
  startOrigin,
} from './laptop';

afterEach(closeAll);

describe('the connection to the origin', () => {
  it('is shared by two viewers, each request with the certificate of its own viewer', async () => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url);
    const authority = createAuthority();
    const viewers = [authority.issue(), authority.issue(), undefined];
    for (const viewer of [...viewers, ...viewers]) await send(edge, viewer && presenting(viewer, []));
    expect(origin.connections).toHaveLength(1);
    const expected = viewers.map((viewer) => (viewer ? [encodeClientCert(viewer.der)] : []));
    expect(origin.requests.map((request) => lines(request, 'client-cert'))).toEqual([...expected, ...expected]);
  });

  it('may be without TLS', async () => {
    const origin = await startOrigin(undefined, 'http');
    const client = createAuthority().issue();
    await expect(send(await startEdge(origin.url), presenting(client, []))).resolves.toMatchObject({ status: 200 });
    expect(lines(onlyRequest(origin), 'client-cert')).toEqual([encodeClientCert(client.der)]);
  });

  it('is refused, 502, when the certificate of the origin comes from nobody in originTls.ca', async () => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url, { originTls: { ca: createClientAuthority().pem } });
    await expect(send(edge)).resolves.toMatchObject({ status: 502, body: expect.stringContaining('SIGNATURE') });
    expect(origin.requests).toEqual([]);
  });

  it('is refused, 502, when a private authority vouches and originTls is absent', async () => {
    const origin = await startOrigin();
    const edge = createEdge({ origin: origin.url, tls: presenting(issueServer()) });
    await expect(send(await edge.listen())).resolves.toMatchObject({ status: 502 });
    expect(origin.requests).toEqual([]);
    await edge.close();
  });

  it('is refused, 502, when the certificate is for another name', async () => {
    const origin = await startOrigin(undefined, presenting(issueServer({ dnsNames: ['other.example'] })));
    await expect(send(await startEdge(origin.url))).resolves.toMatchObject({
      status: 502,
      body: expect.stringContaining('ERR_TLS_CERT_ALTNAME_INVALID'),
    });
  });

  it('asks for originTls.servername and accepts it in the certificate', async () => {
    const origin = await startOrigin(undefined, presenting(issueServer({ dnsNames: ['other.example'] })));
    const edge = await startEdge(origin.url, { originTls: { servername: 'other.example' } });
    await expect(send(edge)).resolves.toMatchObject({ status: 200 });
    expect((origin.connections[0] as TLSSocket & { servername: string }).servername).toBe('other.example');
  });

  it('is refused, 502, when the certificate has the name of the origin and not originTls.servername', async () => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url, { originTls: { servername: 'other.example' } });
    await expect(send(edge)).resolves.toMatchObject({ status: 502 });
    expect(origin.requests).toEqual([]);
  });

  it('is verified by address, without a server name, for an origin given by its address', async () => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url.replace('localhost', '127.0.0.1'));
    await expect(send(edge)).resolves.toMatchObject({ status: 200 });
    expect((origin.connections[0] as TLSSocket & { servername: unknown }).servername).toBe(false);
  });

  it.each([
    ['of the viewer', 'viewer.example', 200],
    ['of the origin', 'localhost', 200],
    ['of somebody else', 'other.example', 502],
  ])(
    'with host "viewer" asks for the viewer\'s host; a certificate with the name %s (%s) gives %d',
    async (_, dnsName, status) => {
      const names: string[] = [];
      const certificate = presenting(issueServer({ dnsNames: [dnsName] }));
      const origin = await startOrigin(undefined, {
        ...certificate,
        SNICallback: (name, done) => {
          names.push(name);
          done(null);
        },
      });
      const edge = await startEdge(origin.url, { host: 'viewer' });
      await expect(send(edge, { hostLine: 'viewer.example' })).resolves.toMatchObject({ status });
      expect(names).toEqual(['viewer.example']);
    },
  );
});

describe('the certificate of the edge', () => {
  const authority = createClientAuthority();
  const intermediate = authority.issueIntermediate();
  const edgeClient = issueClient(intermediate);
  const originTls = presenting(edgeClient);

  it('is presented to an origin that requires one, never that of the viewer', async () => {
    const origin = await startOrigin(undefined, { requestCert: true, rejectUnauthorized: true, ca: authority.pem });
    const viewer = issueClient(authority);
    await expect(send(await startEdge(origin.url, { originTls }), presenting(viewer))).resolves.toMatchObject({
      status: 200,
    });
    expect(peerCertificate(origin.connections[0])).toEqual(edgeClient.der);
    expect(lines(onlyRequest(origin), 'client-cert')).toEqual([encodeClientCert(viewer.der)]);
  });

  it('does not disturb an origin that does not ask', async () => {
    const origin = await startOrigin();
    await expect(send(await startEdge(origin.url, { originTls }))).resolves.toMatchObject({ status: 200 });
    expect(peerCertificate(origin.connections[0])).toBeUndefined();
  });

  it('is needed by an origin that requires one: 502 without', async () => {
    const origin = await startOrigin(undefined, { requestCert: true, rejectUnauthorized: true, ca: authority.pem });
    await expect(send(await startEdge(origin.url))).resolves.toMatchObject({ status: 502 });
    expect(origin.requests).toEqual([]);
  });
});

describe('TLS sessions towards the origin', () => {
  async function resumptions(originTls: { readonly maxCachedSessions?: number }): Promise<boolean[]> {
    const resumed: boolean[] = [];
    const origin = await startOrigin((request, response) => {
      resumed.push((request.socket as TLSSocket).isSessionReused());
      response.writeHead(200, { Connection: 'close' }).end();
    });
    const edge = await startEdge(origin.url, { originTls });
    await send(edge);
    await send(edge);
    return resumed;
  }

  it('are not resumed by default', async () => {
    await expect(resumptions({})).resolves.toEqual([false, false]);
  });

  it('are resumed with originTls.maxCachedSessions 1', async () => {
    await expect(resumptions({ maxCachedSessions: 1 })).resolves.toEqual([false, true]);
  });
});
