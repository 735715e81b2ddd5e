import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type ChannelProof, ClientCertificateError, sharedSecret, trustedAddresses } from '@peercert/core';
import { TEST_TIME } from '@peercert/testkit';
import {
  AddressSet,
  isUnixSocket,
  loopbackAddresses,
  privateAddresses,
} from '../../../../packages/core/src/channel/address';
import { edgeSecret, requestOf } from '../../../support/requests';
import { closeServers, listen, originOptions, send } from '../../../support/servers';
import { trusting } from '../../../support/tls-origin';

afterEach(closeServers);

describe('a set of addresses', () => {
  it.each([
    ['10.0.0.0/8', '10.0.0.0'],
    ['10.0.0.0/8', '10.255.255.255'],
    ['10.0.0.4/31', '10.0.0.5'],
    ['10.0.0.5/32', '10.0.0.5'],
    ['10.0.0.5', '10.0.0.5'],
    ['0.0.0.0/0', '203.0.113.7'],
    ['2001:db8::/33', '2001:db8:7fff:ffff::1'],
    ['2001:DB8::1', '2001:db8:0:0:0:0:0:1'],
    ['::/0', '2001:db8::1'],
  ])('of %s has %s', (network, address) => {
    expect(new AddressSet([network]).has(address)).toBe(true);
  });

  it.each([
    ['10.0.0.0/8', '::ffff:10.0.0.5'],
    ['10.0.0.0/8', '::FFFF:a00:5'],
    ['10.0.0.0/8', '0:0:0:0:0:ffff:a00:5'],
    ['::ffff:10.0.0.0/104', '10.0.0.5'],
    ['::ffff:10.0.0.0/104', '::ffff:10.0.0.5'],
    ['fe80::/10', 'fe80::1%eth0'],
    ['fe80::/10', 'fe80::1%'],
    ['10.0.0.0/8', '::ffff:10.0.0.5%1'],
  ])('CH-04: of %s has %s, which is another spelling', (network, address) => {
    expect(new AddressSet([network]).has(address)).toBe(true);
  });

  it.each<[string, string | undefined]>([
    ['10.0.0.0/8', '9.255.255.255'],
    ['10.0.0.0/8', '11.0.0.0'],
    ['10.0.0.4/31', '10.0.0.6'],
    ['2001:db8::/33', '2001:db8:8000::'],
    ['0.0.0.0/0', '2001:db8::1'],
    ['10.0.0.0/8', undefined],
    ['0.0.0.0/0', ''],
    ['0.0.0.0/0', '%'],
    ['0.0.0.0/0', '1.2.3'],
    ['0.0.0.0/0', '01.2.3.4'],
    ['0.0.0.0/0', '1.2.3.4 '],
    ['0.0.0.0/0', '1.2.3.4, 10.0.0.5'],
    ['0.0.0.0/0', '1.2.3.4:80'],
    ['10.0.0.0/8', '::10.0.0.5'],
    ['10.0.0.0/8', '::ffff:0:10.0.0.5'],
    ['10.0.0.0/8', '64:ff9b::10.0.0.5'],
    ['10.0.0.0/8', '2002:a00:5::'],
    ['127.0.0.0/8', '::1'],
    ['::1', '127.0.0.1'],
  ])('CH-04, CH-05: of %s does not have %s', (network, address) => {
    expect(new AddressSet([network]).has(address)).toBe(false);
  });

  it('is empty without networks', () => {
    const none = new AddressSet([]);
    expect([none.has('127.0.0.1'), none.has('::1'), none.isWithin(privateAddresses)]).toEqual([false, false, true]);
  });

  it.each<[readonly string[], boolean]>([
    [['10.0.0.0/8'], true],
    [['10.1.0.0/16', '192.168.255.255', '::1', 'fdff:ffff::/32'], true],
    [['172.16.0.0/12'], true],
    [['172.31.255.255'], true],
    [['172.16.0.0/11'], false],
    [['172.32.0.0/16'], false],
    [['10.0.0.0/7'], false],
    [['10.0.0.0/8', '8.8.8.8'], false],
    [['0.0.0.0/0'], false],
    [['127.0.0.1/0'], false],
    [['::/0'], false],
    [['fe80::/9'], false],
    [['fe00::/9'], false],
    [['fd00::/6'], false],
    // Mapped networks are not taken apart: they count as IPv6, and none of those is private.
    [['::ffff:10.0.0.0/104'], false],
    [['::ffff:0:0/95'], false],
  ])('CH-02: of %j is within the private ones: %s', (networks, expected) => {
    expect(new AddressSet(networks).isWithin(privateAddresses)).toBe(expected);
  });

  it('is loopback for every address of loopback, and for no other', () => {
    const spellings = ['127.0.0.1', '127.255.255.254', '::1', '::ffff:127.0.0.1', '0:0:0:0:0:0:0:1'];
    expect(spellings.filter((address) => !loopbackAddresses.has(address))).toEqual([]);
    const others = ['128.0.0.1', '0.0.0.0', '::', '::2', '10.0.0.1', '::127.0.0.1', 'localhost', ''];
    expect(others.filter((address) => loopbackAddresses.has(address))).toEqual([]);
  });
});

describe('a unix socket', () => {
  const socketOf = (fields: object): Parameters<typeof isUnixSocket>[0] => requestOf([], fields).socket;

  it.each<[string, object, boolean]>([
    ['one of a server on a path', { destroyed: false, server: { address: () => '/run/origin.sock' } }, true],
    ['one that is closed', { destroyed: true, server: { address: () => '/run/origin.sock' } }, false],
    [
      'one that has an address',
      { destroyed: false, remoteAddress: '192.0.2.1', server: { address: () => '/run/origin.sock' } },
      false,
    ],
    ['a TCP socket that lost its address', { destroyed: false, server: { address: () => ({ port: 80 }) } }, false],
    ['one of a server that does not listen', { destroyed: false, server: { address: () => null } }, false],
    ['one of a server that cannot say', { destroyed: false, server: {} }, false],
    ['one without a server', { destroyed: false }, false],
  ])('is, or is not, %s', (_, fields, expected) => {
    expect(isUnixSocket(socketOf(fields))).toBe(expected);
  });
});

describe('an origin on a unix socket', () => {
  const folder = mkdtempSync(join(tmpdir(), 'peercert-unix-'));
  let paths = 0;
  afterAll(() => rmSync(folder, { recursive: true }));

  const context = { time: TEST_TIME.getTime(), clientTrust: undefined };
  const answering = (proof: ChannelProof) => (request: IncomingMessage, response: http.ServerResponse) => {
    try {
      response.end(JSON.stringify(proof.prove(request, context)));
    } catch (error) {
      response.end(JSON.stringify((error as ClientCertificateError).details));
    }
  };

  async function onPath(server: Server, work: (socketPath: string) => Promise<void>): Promise<void> {
    const socketPath = join(folder, String(paths++));
    server.listen(socketPath);
    await once(server, 'listening');
    try {
      await work(socketPath);
    } finally {
      const closed = once(server, 'close');
      server.close();
      await closed;
    }
  }

  async function ask(options: https.RequestOptions, client: typeof http | typeof https = http): Promise<unknown> {
    const outgoing = client.request({ agent: false, ...trusting, ...options });
    outgoing.end();
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    return JSON.parse(await text(response));
  }

  const secret = sharedSecret({ header: 'X-Edge-Secret', secrets: [edgeSecret] });
  const headers = { 'X-Edge-Secret': edgeSecret };

  it('is reached by a trusted peer where unix is named, over HTTP and HTTPS', async () => {
    const proof = trustedAddresses(['unix']);
    await onPath(http.createServer(answering(proof)), async (socketPath) => {
      await expect(ask({ socketPath })).resolves.toEqual({ proof: 'trusted-addresses', address: 'unix' });
    });
    await onPath(https.createServer(originOptions, answering(proof)), async (socketPath) => {
      await expect(ask({ socketPath }, https)).resolves.toEqual({ proof: 'trusted-addresses', address: 'unix' });
    });
  });

  it('is not reached by a trusted peer where only addresses are named', async () => {
    await onPath(http.createServer(answering(trustedAddresses(['0.0.0.0/0', '::/0']))), async (socketPath) => {
      await expect(ask({ socketPath })).resolves.toEqual({ proof: 'trusted-addresses', reason: 'peer-gone' });
    });
  });

  it('takes a secret in plaintext: nobody else can read it there', async () => {
    await onPath(http.createServer(answering(secret)), async (socketPath) => {
      const evidence = { proof: 'shared-secret', header: 'x-edge-secret', secret: 0 };
      await expect(ask({ socketPath, headers })).resolves.toEqual(evidence);
      const wrong = { proof: 'shared-secret', reason: 'secret-wrong' };
      await expect(ask({ socketPath, headers: { 'X-Edge-Secret': 'x' } })).resolves.toEqual(wrong);
    });
  });

  it('does not make a unix socket of a TCP connection to a server of its kind', async () => {
    const port = await listen(http.createServer(answering(trustedAddresses(['unix']))));
    const { body } = await send(port);
    expect(JSON.parse(body as string)).toEqual({ proof: 'trusted-addresses', reason: 'address-not-trusted' });
  });
});
