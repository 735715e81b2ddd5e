import { once } from 'node:events';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type CertificateRequest, originServerOptions } from '@peercert/core';
import { createAuthority } from '@peercert/testkit';
import { tlsPeerOf } from '../../../../packages/core/src/channel/tls-peer';
import { requestOf } from '../../../support/requests';
import { ask, closeTlsOrigins, presenting, startTlsOrigin, trusting } from '../../../support/tls-origin';

const root = createAuthority();
const intermediate = root.issueIntermediate();
const client = intermediate.issue();

/** What tlsPeerOf says, in base64 where it says certificates. */
function peerOf(request: CertificateRequest): string | readonly string[] {
  const peer = tlsPeerOf(request);
  return typeof peer === 'string' ? peer : peer.certificates.map((der) => der.toString('base64'));
}

const base64 = (...certificates: readonly { readonly der: Buffer }[]): string[] =>
  certificates.map(({ der }) => der.toString('base64'));

/** What `getPeerX509Certificate` returns, for certificates as presented. */
interface Node {
  readonly raw: Buffer;
  readonly issuerCertificate: Node | undefined;
}

function linked(...ders: readonly Buffer[]): Node | undefined {
  return ders.reduceRight<Node | undefined>((issuerCertificate, raw) => ({ raw, issuerCertificate }), undefined);
}

function requestOver(first: Node | undefined): { request: CertificateRequest; getter: jest.Mock } {
  const getter = jest.fn(() => first);
  return { request: requestOf([], { encrypted: true, destroyed: false, getPeerX509Certificate: getter }), getter };
}

afterEach(closeTlsOrigins);

describe('the TLS peer of a request', () => {
  it('has the certificates as presented, whatever order they are in', async () => {
    const origin = await startTlsOrigin(peerOf);
    const chain = [root, createAuthority(), intermediate];
    await expect(ask(origin, presenting(client, chain))).resolves.toEqual(base64(client, ...chain));
  });

  it('has no certificates when it presented none', async () => {
    await expect(ask(await startTlsOrigin(peerOf))).resolves.toEqual([]);
  });

  it('is read once for each connection', () => {
    const { request, getter } = requestOver(linked(client.der, intermediate.der));
    const first = tlsPeerOf(request);
    expect(tlsPeerOf({ rawHeaders: [], socket: request.socket })).toBe(first);
    expect(getter).toHaveBeenCalledTimes(1);
  });

  it('is never that of another connection', () => {
    const one = requestOver(linked(client.der));
    const other = requestOver(undefined);
    expect([peerOf(one.request), peerOf(other.request), peerOf(one.request)]).toEqual([
      base64(client),
      [],
      base64(client),
    ]);
  });

  it('does not ask a socket whether it is authorized', () => {
    const { request } = requestOver(undefined);
    const asked = jest.fn(() => true);
    Object.defineProperty(request.socket, 'authorized', { get: asked });
    expect(peerOf(request)).toEqual([]);
    expect(asked).not.toHaveBeenCalled();
  });

  it('NT-05: ends after twelve certificates of a list that leads back to itself', () => {
    const cycle = { raw: root.der, issuerCertificate: undefined as Node | undefined };
    cycle.issuerCertificate = cycle;
    const { request } = requestOver({ raw: client.der, issuerCertificate: cycle });
    expect(peerOf(request)).toEqual(base64(client, ...Array<typeof root>(11).fill(root)));
  });

  it('NT-05: ends after twelve certificates of a longer list', () => {
    const ders = Array.from({ length: 30 }, (_, index) => Buffer.of(index));
    const { request } = requestOver(linked(...ders));
    expect(peerOf(request)).toEqual(ders.slice(0, 12).map((der) => der.toString('base64')));
  });

  it('keeps what follows a certificate that is presented twice', () => {
    const { request } = requestOver(linked(client.der, client.der, intermediate.der));
    expect(peerOf(request)).toEqual(base64(client, client, intermediate));
  });

  it.each<[string, Parameters<typeof requestOf>[1], 'not-tls' | 'peer-gone']>([
    ['a plaintext socket', { destroyed: false }, 'not-tls'],
    ['a plaintext socket that is closed', { destroyed: true }, 'peer-gone'],
    ['a socket that says it is encrypted in a word', { encrypted: 'true', destroyed: false }, 'not-tls'],
    ['a socket that says it is not encrypted', { encrypted: false, destroyed: false }, 'not-tls'],
  ])('is not there on %s', (_, socket, expected) => {
    expect(peerOf(requestOf([], socket))).toBe(expected);
  });

  it('NT-06: is gone, and not asked for, on a TLS socket that is destroyed', () => {
    const getPeerX509Certificate = jest.fn();
    expect(peerOf(requestOf([], { encrypted: true, destroyed: true, getPeerX509Certificate }))).toBe('peer-gone');
    expect(getPeerX509Certificate).not.toHaveBeenCalled();
  });

  it('NT-06: is known of a destroyed socket that was read before', () => {
    const { request } = requestOver(linked(client.der));
    peerOf(request);
    Object.assign(request.socket, { destroyed: true });
    expect(peerOf(request)).toEqual(base64(client));
  });

  it('CH-05: is gone without a socket', () => {
    expect(peerOf({ rawHeaders: [], socket: undefined as never })).toBe('peer-gone');
  });

  it('throws what the socket throws, and asks again the next time', () => {
    const getter = jest
      .fn(() => linked(client.der))
      .mockImplementationOnce(() => {
        throw new Error('no handle');
      });
    const request = requestOf([], { encrypted: true, destroyed: false, getPeerX509Certificate: getter });
    expect(() => tlsPeerOf(request)).toThrow('no handle');
    expect(peerOf(request)).toEqual(base64(client));
  });
});

describe('the TLS peer of an HTTP/2 request', () => {
  it('is read once for all streams of a session', async () => {
    const server = http2.createSecureServer({
      ...presenting(root.issue({ extKeyUsage: ['serverAuth'] })),
      ...originServerOptions(),
    });
    const reads: number[] = [];
    const peers: unknown[] = [];
    server.on('secureConnection', (socket: TLSSocket) => {
      const getter = jest.spyOn(socket, 'getPeerX509Certificate');
      socket.once('close', () => reads.push(getter.mock.calls.length));
    });
    server.on('request', (request, response) => {
      peers.push(peerOf(request));
      response.end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (const certificate of [client, root.issue()]) {
      const session = http2.connect(url, { ...trusting, ...presenting(certificate, [intermediate]) });
      for (let count = 0; count < 3; count++) await once(session.request().resume(), 'end');
      session.close();
      await once(session, 'close');
      expect(peers.splice(0)).toEqual(Array(3).fill(base64(certificate, intermediate)));
    }
    server.close();
    await once(server, 'close');
    expect(reads).toEqual([1, 1]);
  });
});
