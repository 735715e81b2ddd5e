import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import dns from 'node:dns/promises';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type Authenticator,
  type AuthenticatorOptions,
  cloudFront,
  createAuthenticator,
  createRevocation,
  crlDistributionPoints,
  type FetchFunction,
  type NetworkOptions,
  ocsp,
  type RevocationMethod,
  type RevocationOptions,
  TrustStore,
} from '@peercert/core';
import { clientCertificate } from '@peercert/express';
import {
  type CertificateFields,
  cloudFrontHeaders,
  createAuthority,
  daysFromTestTime,
  der,
  type OcspResponseFields,
  TEST_TIME,
  type TestCertificate,
} from '@peercert/testkit';
import express from 'express';
import { type FaultyServer, startFaultyServer } from '../support/faulty-server';
import { respond } from '../support/online-revocation';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../support/refusals';
import { admitted, behindEdge, edgeChannel, fromEdge, secretLine } from '../support/requests';
import { until } from '../support/until';

const root = createAuthority({ subject: 'CN=Root' });
const start = TEST_TIME.getTime();
const revoked = { status: { revokedAt: daysFromTestTime(-1) } } as const;
const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all(cleanUp.splice(0).map((close) => close()));
});

async function startServer(answer?: () => Buffer): Promise<FaultyServer> {
  const server = await startFaultyServer(answer === undefined ? {} : { answer });
  cleanUp.push(() => server.close());
  return server;
}

/** What lets a method ask a server of this machine. */
const allowing = ({ port }: { readonly port: number }, more: NetworkOptions = {}): NetworkOptions => {
  return { hosts: [`127.0.0.1:${port}`], dangerouslyAllowPrivateAddressesOf: ['127.0.0.1'], ...more };
};

function online(network: NetworkOptions, clock = (): number => start): readonly RevocationMethod[] {
  const methods = [ocsp({ network, clock }), crlDistributionPoints({ network, clock })];
  cleanUp.push(...methods.map((method) => () => method.close()));
  return methods;
}

function judge(
  methods: readonly RevocationMethod[],
  policy: Partial<RevocationOptions> = {},
  options: Partial<AuthenticatorOptions> = {},
): Authenticator {
  return behindEdge([root], { revocation: createRevocation({ methods, timeoutMs: 30_000, ...policy }), ...options });
}

const authenticate = (authenticator: Authenticator, client: TestCertificate): ReturnType<typeof admitted> =>
  admitted(authenticator, fromEdge(...cloudFrontHeaders(client).flat()));
const named = (url: string): CertificateFields => ({ ocspUrls: [url], crlDistributionPoints: [url] });

/** Watches everything that could leave this process. */
function outbound(): { readonly made: () => number } {
  const spies = [
    jest.spyOn(dns, 'lookup'),
    jest.spyOn(http, 'request'),
    jest.spyOn(https, 'request'),
    jest.spyOn(globalThis, 'fetch'),
  ];
  return { made: () => spies.reduce((sum, spy) => sum + spy.mock.calls.length, 0) };
}

describe('SS-01: a certificate without a verified path', () => {
  const lookAlike = createAuthority({ subject: 'CN=Root' });
  const limited = root.issueIntermediate({ nameConstraints: { permitted: { dnsNames: ['a.test'] } } });
  const kinds: readonly (readonly [string, (fields: CertificateFields) => TestCertificate])[] = [
    ['of a stranger', (fields) => createAuthority().issue(fields)],
    ['of a look-alike of the issuer', (fields) => lookAlike.issue(fields)],
    ['that signs itself', (fields) => createAuthority(fields)],
    ['that has expired', (fields) => root.issue({ ...fields, notAfter: daysFromTestTime(-0.1) })],
    ['that is not valid yet', (fields) => root.issue({ ...fields, notBefore: daysFromTestTime(0.1) })],
    ['for servers', (fields) => root.issue({ ...fields, extKeyUsage: ['serverAuth'] })],
    ['outside of name constraints', (fields) => limited.issue({ ...fields, dnsNames: ['b.test'] })],
    [
      'with a damaged signature',
      (fields) => root.issue({ ...fields, raw: { signatureValue: der.bitString(Buffer.alloc(70)) } }),
    ],
    [
      'with an unknown critical extension',
      (fields) => root.issue({ ...fields, extensions: [{ oid: '1.2.3.4', critical: true, value: Buffer.of(5, 0) }] }),
    ],
    ['below a stranger who names URLs too', (fields) => createAuthority().issueIntermediate(fields).issue(fields)],
  ];

  it.each(kinds)('sends nobody anywhere: one %s', async (_, issue) => {
    const server = await startServer();
    const methods = online({
      hosts: [`127.0.0.1:${server.port}`, '169.254.169.254'],
      dangerouslyAllowPrivateAddressesOf: ['127.0.0.1', '169.254.169.254'],
    });
    const asked = methods.map((method) => jest.spyOn(method, 'ask'));
    const { made } = outbound();
    const urls = [
      server.url('good'),
      'http://169.254.169.254/',
      'file:///etc/passwd',
      'ldap://127.0.0.1/',
      'gopher://a/',
    ];
    const authenticator = judge(methods, { unknownStatus: 'accept' });
    for (const url of urls) {
      await expect(authenticate(authenticator, issue(named(url)))).rejects.toMatchObject({ status: 403 });
    }
    expect(asked.flatMap(({ mock }) => mock.calls)).toEqual([]);
    expect(made()).toBe(0);
    expect(server.connections).toBe(0);
  });
});

describe('SS-02: a certificate with a verified path that names', () => {
  it.each([
    ['the metadata service', 'http://169.254.169.254/latest/meta-data/'],
    ['the metadata service in decimal', 'http://2852039166/'],
    ['the metadata service, mapped into IPv6', 'http://[::ffff:a9fe:a9fe]/'],
    ['this machine', 'http://127.0.0.1/'],
    ['this machine, in short', 'http://127.1/'],
    ['this machine, in IPv6', 'https://[::1]/'],
    ['a private network', 'http://10.0.0.1/'],
    ['a port', 'http://8.8.8.8:6379/'],
    ['a file', 'file:///etc/passwd'],
    ['a directory', 'ldap://127.0.0.1/cn=ca'],
    ['a gopher', 'gopher://127.0.0.1:6379/_INFO'],
    ['user information', 'http://admin:admin@8.8.8.8/'],
    ['a line break', 'http://8.8.8.8/\r\nX: y'],
  ])('%s sends nobody there', async (_, url) => {
    const { made } = outbound();
    const authenticator = judge(online({}));
    await expect(authenticate(authenticator, root.issue(named(url)))).rejects.toMatchObject({
      code: 'ERR_REVOCATION_UNAVAILABLE',
    });
    expect(made()).toBe(0);
  });

  it.each([
    ['127.0.0.1', 4],
    ['169.254.169.254', 4],
    ['10.1.2.3', 4],
    ['::1', 6],
    ['::ffff:127.0.0.1', 6],
    ['fd00:ec2::254', 6],
  ])('a name that resolves to %s makes no connection', async (address, family) => {
    jest.spyOn(dns, 'lookup').mockResolvedValue([{ address, family }] as never);
    const request = jest.spyOn(http, 'request');
    const authenticator = judge(online({}));
    const client = root.issue(named('http://revocation.test/'));
    await expect(authenticate(authenticator, client)).toRejectWith('ERR_REVOCATION_UNAVAILABLE', {
      depth: 0,
      cause: 'unreachable',
      detail: 'The host has an address that may not be asked for revocation data.',
    });
    expect(request).not.toHaveBeenCalled();
  });

  it('a name that resolves to something private is no certificate without a source', async () => {
    jest.spyOn(dns, 'lookup').mockResolvedValue([{ address: '127.0.0.1', family: 4 }] as never);
    const authenticator = judge(online({}), { unknownStatus: { 'no-source': 'accept' } });
    await expect(authenticate(authenticator, root.issue(named('http://revocation.test/')))).rejects.toMatchObject({
      code: 'ERR_REVOCATION_UNAVAILABLE',
    });
  });

  it.each(['redirect', 'redirect-temporarily'] as const)(
    'a URL that redirects makes one connection: %s',
    async (kind) => {
      const server = await startServer();
      const [method] = online(allowing(server)) as [RevocationMethod];
      await expect(authenticate(judge([method]), root.issue(named(server.url(kind))))).rejects.toMatchObject({
        details: { detail: 'The answer is a redirect, which is not followed.' },
      });
      expect(server.requests).toBe(1);
    },
  );
});

describe('F30: a name', () => {
  it.each<[string, () => Promise<never>, string]>([
    ['that does not exist', () => Promise.reject(new Error('ENOTFOUND')), 'The host name did not resolve.'],
    ['that resolves too slowly', () => new Promise(() => {}), 'The host did not answer in time.'],
  ])('%s is unreachable', async (_, lookup, detail) => {
    jest.spyOn(dns, 'lookup').mockImplementation(lookup);
    const authenticator = judge(online({ timeoutMs: 100 }));
    await expect(authenticate(authenticator, root.issue(named('http://revocation.test/')))).toRejectWith(
      'ERR_REVOCATION_UNAVAILABLE',
      { depth: 0, cause: 'unreachable', detail },
    );
  });
});

describe('SS-03: a certificate that names', () => {
  const issue = (urls: readonly string[]): TestCertificate => {
    // Responders beyond a hundred spoil the extension, and then nobody is asked.
    return root.issue({ crlDistributionPoints: urls, ocspUrls: urls.slice(0, 100) });
  };
  const many = (count: number, { port }: FaultyServer): string[] => {
    return Array.from({ length: count }, (_, index) => `http://127.0.0.1:${port}/not-found/${index}`);
  };

  it('two hundred URLs costs four requests', async () => {
    const server = await startServer();
    const authenticator = judge(online(allowing(server)), { unknownStatus: 'accept' });
    await authenticate(authenticator, issue(many(200, server)));
    expect(server.requests).toBe(4);
    expect(server.connections).toBe(4);
  });

  it('a thousand URLs is too large', async () => {
    const server = await startServer();
    const authenticator = judge(online(allowing(server)), { unknownStatus: 'accept' });
    const client = issue(many(1_000, server));
    await expect(authenticate(authenticator, client)).rejects.toMatchObject({ status: 400 });
    expect(server.connections).toBe(0);
  });

  it.each([
    ['user information', ({ port }: FaultyServer) => `http://u:p@127.0.0.1:${port}/good`],
    ['a URL of ten kilobytes', ({ port }: FaultyServer) => `http://127.0.0.1:${port}/good/${'x'.repeat(10_240)}`],
  ])('%s costs none', async (_, urlOf) => {
    const server = await startServer();
    const url = urlOf(server);
    for (const fields of [{ ocspUrls: [url] }, { crlDistributionPoints: [url] }]) {
      const authenticator = judge(online(allowing(server)));
      await expect(authenticate(authenticator, root.issue(fields))).rejects.toMatchObject({
        details: { cause: 'no-source' },
      });
    }
    expect(server.connections).toBe(0);
  });
});

it('SS-04: where issuers are to be had is never asked', async () => {
  const server = await startServer();
  const caIssuers = der.sequence(
    der.sequence(der.oid('1.3.6.1.5.5.7.48.2'), der.implicit(6, Buffer.from(server.url('good')))),
  );
  const freshest = der.sequence(
    der.sequence(der.explicit(0, der.explicit(0, der.implicit(6, Buffer.from(server.url('good')))))),
  );
  const extensions = [
    { oid: '1.3.6.1.5.5.7.1.1', value: caIssuers },
    { oid: '2.5.29.46', value: freshest },
  ];
  const { made } = outbound();
  const authenticator = judge(online(allowing(server)), { unknownStatus: 'accept' });
  await authenticate(authenticator, root.issue({ extensions }));
  // Nor for want of an issuer.
  const orphan = root.issueIntermediate().issue({ extensions });
  await expect(authenticate(authenticator, { ...orphan, chain: [] })).rejects.toMatchObject({
    code: 'ERR_PATH_ISSUER_UNKNOWN',
  });
  expect(made()).toBe(0);
  expect(server.connections).toBe(0);
});

describe('a slow responder', () => {
  it('SS-05: costs few connections, and every request has its answer in time', async () => {
    const server = await startServer();
    const [method] = online(allowing(server, { timeoutMs: 100, totalTimeoutMs: 20_000 })) as [RevocationMethod];
    const authenticator = judge([method], { timeoutMs: 2_000 });
    const clients = Array.from({ length: 500 }, () => root.issue(named(server.url('hang-before-headers'))));
    const started = performance.now();
    const outcomes = await Promise.allSettled(clients.map((client) => authenticate(authenticator, client)));
    expect(performance.now() - started).toBeLessThan(8_000);
    expect(outcomes.every((one) => one.status === 'rejected' && one.reason.status === 503)).toBe(true);
    // Four at a time, until five have failed.
    expect(server.connections).toBeLessThanOrEqual(8);
    const before = server.connections;
    const late = root.issue(named(server.url('hang-before-headers')));
    await expect(authenticate(authenticator, late)).rejects.toMatchObject({
      details: { cause: 'unreachable', detail: 'The host failed repeatedly and is not asked for a while.' },
    });
    expect(server.connections).toBe(before);
    await server.idle();
  });

  it.each<[string, NetworkOptions, Partial<RevocationOptions>, string]>([
    ['of the method', { timeoutMs: 100 }, {}, 'The host did not answer in time.'],
    ['of all its tries', { timeoutMs: 30_000, totalTimeoutMs: 100 }, {}, 'The host did not answer in time.'],
    ['of the policy', { timeoutMs: 30_000, totalTimeoutMs: 60_000 }, { timeoutMs: 100 }, 'no answer in time'],
  ])('F11: is waited for no longer than the time %s', async (_, network, policy, detail) => {
    const server = await startServer();
    const url = server.url('drip');
    const client = root.issue({ ocspUrls: [url, `${url}/2`], crlDistributionPoints: [url, `${url}/2`] });
    for (const method of online(allowing(server, network))) {
      const started = performance.now();
      await expect(authenticate(judge([method], policy), client)).toRejectWith('ERR_REVOCATION_UNAVAILABLE', {
        depth: 0,
        cause: 'unreachable',
        detail,
      });
      expect(performance.now() - started).toBeLessThan(2_000);
    }
  });

  it('F11: and those behind it, over a whole path, no longer either', async () => {
    const server = await startServer();
    const fields = named(server.url('hang-after-headers'));
    const client = root.issueIntermediate(fields).issueIntermediate(fields).issue(fields);
    const authenticator = judge(online(allowing(server, { timeoutMs: 30_000, totalTimeoutMs: 60_000 })), {
      timeoutMs: 300,
    });
    const started = performance.now();
    await expect(authenticate(authenticator, client)).rejects.toMatchObject({ status: 503 });
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

describe('F12: while a responder is down', () => {
  it('verdicts and answers reached before count, everybody else gets 503, and it is asked five times', async () => {
    const server = await startServer(() => answers);
    const url = server.url('good');
    const known = root.issue(named(url));
    const kept = root.issue(named(url));
    const answers = root.ocspResponse({ responses: [{ certificate: known }, { certificate: kept }] });
    const [method] = online(allowing(server)) as [RevocationMethod];
    const authenticator = judge([method]);
    const fresh = judge([method]);
    await authenticate(authenticator, known);
    await authenticate(authenticator, kept);
    const before = server.requests;
    for (let index = 0; index < 50; index += 1) {
      const client = root.issue(named(server.url('server-error')));
      await expect(authenticate(authenticator, client)).rejects.toMatchObject({ status: 503 });
    }
    expect(server.requests - before).toBe(5);
    const asked = jest.spyOn(method, 'ask');
    await expect(authenticate(authenticator, known)).resolves.toMatchObject({ status: 'authenticated' });
    expect(asked).not.toHaveBeenCalled();
    await expect(authenticate(fresh, kept)).resolves.toMatchObject({ status: 'authenticated' });
    expect(asked).toHaveBeenCalledTimes(1);
    expect(server.requests - before).toBe(5);
  });
});

describe('F13: a thousand requests at once for a certificate nobody has seen', () => {
  it.each([
    ['OCSP', 0],
    ['CRLs', 1],
  ])('cost one question for each certificate, and each signature is verified once: %s', async (_, index) => {
    const server = await startServer();
    const intermediate = root.issueIntermediate({
      ocspUrls: ['http://a.test/'],
      crlDistributionPoints: ['http://a.test/'],
    });
    const client = intermediate.issue({ ocspUrls: ['http://b.test/'], crlDistributionPoints: ['http://b.test/'] });
    const answers: Record<string, Buffer> =
      index === 0
        ? {
            'a.test': root.ocspResponse({ certificate: intermediate }),
            'b.test': intermediate.ocspResponse({ certificate: client }),
          }
        : { 'a.test': root.crl(), 'b.test': intermediate.crl() };
    const fetch = jest.fn<ReturnType<FetchFunction>, Parameters<FetchFunction>>(async (url) => {
      await nextTurn();
      return respond(answers[new URL(url).host] as Buffer);
    });
    const method = online({ fetch })[index] as RevocationMethod;
    const authenticator = judge([method]);
    const verify = jest.spyOn(crypto, 'verify');
    const outcomes = await Promise.all(Array.from({ length: 1_000 }, () => authenticate(authenticator, client)));
    expect(outcomes.every(({ status }) => status === 'authenticated')).toBe(true);
    expect(fetch).toHaveBeenCalledTimes(2);
    // Two certificates, two answers; and the client's once more, where a CRL came that nobody had before.
    expect(verify.mock.calls.length).toBeLessThanOrEqual(5);
    expect(server.connections).toBe(0);
  });
});

describe('OC-06: an answer', () => {
  const url = 'http://ocsp.test/';
  const client = root.issue({ ocspUrls: [url] });
  const hour = 3_600_000;

  it('that revokes in the background ends verdicts, and is not undone by an older one or by silence', async () => {
    let time = start;
    let body: Buffer | undefined;
    const fetch: FetchFunction = async () => {
      if (body === undefined) throw new Error('down');
      return respond(body);
    };
    const answer = (hours: number, fields: Partial<OcspResponseFields> = {}): Buffer => {
      const thisUpdate = new Date(start + hours * hour);
      const nextUpdate = new Date(start + (hours + 4) * hour);
      return root.ocspResponse({ certificate: client, thisUpdate, nextUpdate, ...fields });
    };
    const [method] = online({ fetch }, () => time) as [RevocationMethod];
    const clock = (): number => time;
    const authenticator = judge([method], {}, { clock, verdictCache: { ttlSeconds: 86_400 } });
    const other = judge([method], {}, { clock });
    const settle = async (): Promise<void> => {
      for (let turn = 0; turn < 10; turn += 1) await nextTurn();
    };
    body = answer(0);
    await expect(authenticate(authenticator, client)).resolves.toMatchObject({ status: 'authenticated' });
    time = start + 2 * hour;
    body = answer(2, revoked);
    // Somebody else's request finds it out.
    await expect(authenticate(other, client)).resolves.toMatchObject({ status: 'authenticated' });
    await settle();
    for (const each of [authenticator, other]) {
      await expect(authenticate(each, client)).rejects.toMatchObject({ code: 'ERR_CERTIFICATE_REVOKED', status: 403 });
    }
    time = start + 4 * hour;
    for (body of [answer(0), answer(1), undefined]) {
      await expect(authenticate(authenticator, client)).rejects.toMatchObject({ code: 'ERR_CERTIFICATE_REVOKED' });
      await settle();
      time += 10 * hour;
    }
    await expect(authenticate(authenticator, client)).rejects.toMatchObject({ code: 'ERR_CERTIFICATE_REVOKED' });
  });

  it('with the nonce of another request is refused', async () => {
    const fetch: FetchFunction = async () =>
      respond(root.ocspResponse({ certificate: client, nonce: Buffer.alloc(32) }));
    const method = ocsp({ network: { fetch }, clock: () => start, nonce: 'request' });
    cleanUp.push(() => method.close());
    await expect(authenticate(judge([method]), client)).toRejectWith('ERR_REVOCATION_UNAVAILABLE', {
      depth: 0,
      cause: 'untrusted',
      detail: 'nonce-mismatch',
    });
  });
});

describe('OC-10: a good certificate of a revoked intermediate', () => {
  const above = 'http://above.test/';
  const below = 'http://below.test/';
  const intermediate = root.issueIntermediate(named(above));
  const client = intermediate.issue(named(below));
  const { revokedAt } = revoked.status;
  const kinds: readonly (readonly ['ocsp' | 'crl', Readonly<Record<string, Buffer>>])[] = [
    [
      'ocsp',
      {
        'above.test': root.ocspResponse({ certificate: intermediate, ...revoked }),
        'below.test': intermediate.ocspResponse({ certificate: client }),
      },
    ],
    [
      'crl',
      {
        'above.test': root.crl({ revoked: [{ certificate: intermediate, revocationDate: revokedAt }] }),
        'below.test': intermediate.crl(),
      },
    ],
  ];

  it.each(kinds)('is refused by %s, unless intermediates are not asked about', async (name, answers) => {
    const fetch: FetchFunction = async (url) => respond(answers[new URL(url).host] as Buffer);
    const methods = online({ fetch }).filter((method) => method.name === name);
    await expect(authenticate(judge(methods), client)).toRejectWith('ERR_CERTIFICATE_REVOKED', {
      depth: 1,
      method: name,
      source: above,
      revokedAt,
      reason: undefined,
    });
    await expect(authenticate(judge(methods, { depth: 'end-entity' }), client)).resolves.toMatchObject({
      status: 'authenticated',
      revocation: [{ status: 'good', method: name, source: below }],
    });
  });
});

describe('F15: a client that goes away while its certificate is asked about', () => {
  it('harms nobody, and its answer is kept for the next one', async () => {
    const unhandled = jest.fn();
    process.on('unhandledRejection', unhandled);
    const errors = jest.fn();
    const client = root.issue({ ocspUrls: ['http://ocsp.test/'] });
    let answer: () => void = () => {};
    const fetch = jest.fn<ReturnType<FetchFunction>, Parameters<FetchFunction>>(
      () => new Promise((resolve) => (answer = () => resolve(respond(root.ocspResponse({ certificate: client }))))),
    );
    const [method] = online({ fetch }) as [RevocationMethod];
    const authenticator = createAuthenticator({
      trust: TrustStore.fromDer([root.der]),
      source: cloudFront({ channel: edgeChannel }),
      revocation: createRevocation({ methods: [method] }),
      clock: () => start,
    });
    const app = express();
    const handled = jest.fn();
    app.use(clientCertificate(authenticator), (request, response) => {
      handled(request.clientIdentity?.certificateSha256);
      response.end('in');
    });
    app.use(errors);
    const server = http.createServer({ maxHeaderSize: 65_536 }, app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanUp.push(async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    });
    const { port } = server.address() as AddressInfo;
    const headers = Object.fromEntries([secretLine, ...cloudFrontHeaders(client)]);
    const send = (): http.ClientRequest => http.get({ host: '127.0.0.1', port, headers, agent: false });
    try {
      const gone = [send(), send(), send()];
      for (const each of gone) each.on('error', () => {});
      await until(() => fetch.mock.calls.length === 1);
      await until(async () => (await connectionsOf(server)) === 3);
      for (const each of gone) each.destroy();
      await until(async () => (await connectionsOf(server)) === 0);
      answer();
      const [response] = (await once(send(), 'response')) as [http.IncomingMessage];
      response.resume();
      expect(response.statusCode).toBe(200);
      await once(response, 'end');
      await nextTurn();
      expect(fetch).toHaveBeenCalledTimes(1);
      expect(errors).not.toHaveBeenCalled();
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      process.off('unhandledRejection', unhandled);
    }
  });
});

describe('close()', () => {
  it('ends every connection, and who waits is told that it is not known', async () => {
    const server = await startServer();
    const methods = online(allowing(server, { timeoutMs: 30_000, totalTimeoutMs: 60_000 }));
    const revocation = createRevocation({ methods, timeoutMs: 30_000 });
    const authenticator = behindEdge([root], { revocation });
    const outcomes = Promise.allSettled(
      (['drip', 'hang-before-headers', 'hang-after-headers'] as const).map((kind) =>
        authenticate(authenticator, root.issue(named(server.url(kind)))),
      ),
    );
    await until(() => server.requests === 3);
    await revocation.close();
    await server.idle();
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'ERR_REVOCATION_UNAVAILABLE' } });
    }
    expect(server.requests).toBe(3);
    const late = root.issue(named(server.url('good')));
    await expect(authenticate(authenticator, late)).rejects.toMatchObject({ details: { cause: 'unreachable' } });
    expect(server.requests).toBe(3);
  });
});

describe('F28: a process', () => {
  /** Exit code of a process that fetches a CRL, and does something when the request has arrived. */
  async function exitCodeOf(url: string, then: string): Promise<unknown> {
    const code = `
      const { createRevocation, crlUrls, ocsp } = require('@peercert/core');
      const method = crlUrls({ urls: [${JSON.stringify(url)}], onEvent: () => { ${then} } });
      const revocation = createRevocation({ methods: [method, ocsp()] });
      process.once('message', () => { process.disconnect(); ${then} });`;
    const child = spawn(process.execPath, ['-e', code], {
      cwd: resolve(__dirname, '../..'),
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    cleanUp.push(async () => child.kill('SIGKILL'));
    const ended = once(child, 'exit');
    child.send('go on');
    return (await ended)[0];
  }

  it.each(['hang-before-headers', 'drip'] as const)(
    'ends when revocation is closed, whatever is under way: %s',
    async (kind) => {
      const server = await startServer();
      await expect(exitCodeOf(server.url(kind), 'setTimeout(() => revocation.close(), 500);')).resolves.toBe(0);
      expect(server.connections).toBe(1);
    },
    20_000,
  );

  it('is not kept alive by CRLs that are to be fetched again', async () => {
    const server = await startServer(() => root.crl());
    await expect(exitCodeOf(server.url('good'), '')).resolves.toBe(0);
    expect(server.requests).toBe(1);
  }, 20_000);
});

function connectionsOf(server: http.Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}
