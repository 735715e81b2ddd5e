import { constants } from 'node:crypto';
import https from 'node:https';
import { createAuthenticator, nativeTls, originServerOptions, TrustStore } from '@peercert/core';
import { createAuthority } from '@peercert/testkit';
import { callerOf } from '../../support/requests';
import { ask, closeTlsOrigins, presenting, startTlsOrigin } from '../../support/tls-origin';

const DAY_MS = 24 * 60 * 60 * 1000;
// Node itself judges in these tests, by the real clock.
const today = { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + DAY_MS) };
const root = createAuthority(today);
const client = root.issue({ ...today, uris: ['urn:device:1'] });
const store = TrustStore.fromDer([root.der]);

afterEach(closeTlsOrigins);

describe('the options of an origin server', () => {
  it('ask for a certificate, leave the judging to us, and give no tickets', () => {
    expect(originServerOptions()).toEqual({
      requestCert: true,
      rejectUnauthorized: false,
      ca: [],
      secureOptions: constants.SSL_OP_NO_TICKET,
      maxHeaderSize: 65_536,
    });
    expect(originServerOptions({})).toEqual(originServerOptions());
  });

  it('let TLS refuse when they are given a store for it', () => {
    expect(originServerOptions({ rejectAtTls: store })).toEqual({
      requestCert: true,
      rejectUnauthorized: true,
      ca: [root.pem],
      secureOptions: constants.SSL_OP_NO_TICKET,
      maxHeaderSize: 65_536,
    });
  });

  it('are new each time, to be changed by whoever asked', () => {
    originServerOptions().ca.push(root.pem);
    expect(originServerOptions().ca).toEqual([]);
    const { ca } = originServerOptions({ rejectAtTls: store });
    ca.length = 0;
    expect(originServerOptions({ rejectAtTls: store }).ca).toHaveLength(1);
  });

  it.each<[string, unknown, string]>([
    ['a string for the store', { rejectAtTls: root.pem }, 'rejectAtTls must be a TrustStore; it received a string.'],
    ['an empty string for the store', { rejectAtTls: '' }, 'rejectAtTls must be a TrustStore; it received a string.'],
    ['null for the store', { rejectAtTls: null }, 'rejectAtTls must be a TrustStore; it received null.'],
    [
      'a provider for the store',
      { rejectAtTls: { current: store } },
      'rejectAtTls must be a TrustStore; it received an object.',
    ],
    ['the store itself', store, 'originServerOptions received an unknown option, `size`. It knows rejectAtTls.'],
    ['null', null, 'originServerOptions takes an options object; it received null.'],
  ])('are refused for %s', (_, options, message) => {
    expect(() => originServerOptions(options as never)).toThrow(new TypeError(message));
  });
});

describe('a server with these options', () => {
  it('keeps no root store of its own: Node takes no certificate for authorized', async () => {
    const origin = await startTlsOrigin(({ socket }) => (socket as { authorized?: boolean }).authorized);
    await expect(ask(origin, presenting(client))).resolves.toBe(false);
  });

  it('passes a header of 60,000 characters', async () => {
    const origin = await startTlsOrigin(({ headers }) => headers['x-long']?.length);
    await expect(ask(origin, { headers: { 'X-Long': 'a'.repeat(60_000) } })).resolves.toBe(60_000);
  });

  describe('that reject at TLS', () => {
    const authenticator = createAuthenticator({ trust: store, source: nativeTls() });
    const startOrigin = async () =>
      startTlsOrigin(async (request) => callerOf(authenticator, request), originServerOptions({ rejectAtTls: store }));

    it('accept a client of the store', async () => {
      await expect(ask(await startOrigin(), presenting(client))).resolves.toEqual(['urn:device:1']);
    });

    it.each<[string, https.RequestOptions]>([
      ['nobody', {}],
      ['a stranger', presenting(createAuthority(today).issue(today))],
    ])('refuse %s before HTTP', async (_, options) => {
      await expect(ask(await startOrigin(), options)).rejects.toThrow(/ECONNRESET|socket hang up|alert/);
    });
  });
});
