import crypto from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CertificateRequest, cloudFront, sharedSecret, TrustStore } from '@peercert/core';
import { createAuthority, TEST_TIME } from '@peercert/testkit';
import { HiddenNames, hideHeaders } from '../../../../packages/core/src/request';
import { behindEdge, edgeSecret, requestOf } from '../../../support/requests';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const header = 'X-Edge-Secret';
const next = 'a-second-secret-that-comes-after-the-first';
const root = createAuthority();
const context = { time: TEST_TIME.getTime(), clientTrust: TrustStore.fromDer([root.der]) };

const channel = sharedSecret({ header, secrets: [edgeSecret] });
const rotating = sharedSecret({ header, secrets: [edgeSecret, next] });

const prove = (request: CertificateRequest, proof = channel): unknown => proof.prove(request, context);

const missing = 'secret-missing';
const wrong = 'secret-wrong';
const repeated = 'secret-repeated';

describe('a shared secret', () => {
  it('accepts the secret, and says which it was', () => {
    expect(prove(requestOf([header, edgeSecret]))).toEqual({
      proof: 'shared-secret',
      header: 'x-edge-secret',
      secret: 0,
    });
  });

  it('gives frozen evidence that does not hold the secret', () => {
    const evidence = prove(requestOf([header, edgeSecret]));
    expect(Object.isFrozen(evidence)).toBe(true);
    expect(JSON.stringify(evidence)).not.toContain(edgeSecret);
  });

  it.each(['x-edge-secret', 'X-EDGE-SECRET', 'x-Edge-Secret'])('accepts the header in any letter case: %s', (name) => {
    expect(prove(requestOf(['Host', 'x', name, edgeSecret, 'Accept', '*/*']))).toMatchObject({ secret: 0 });
  });

  it('accepts it at the longest and at the shortest', () => {
    for (const secret of ['s'.repeat(32), 's'.repeat(2_048)]) {
      const proof = sharedSecret({ header, secrets: [secret] });
      expect(prove(requestOf([header, secret]), proof)).toMatchObject({ secret: 0 });
    }
  });

  it.each<[string, readonly string[], 'secret-missing' | 'secret-wrong' | 'secret-repeated']>([
    ['missing', [], missing],
    ['missing beside others', ['Host', 'x', 'Authorization', edgeSecret], missing],
    ['another', [header, next], wrong],
    ['a prefix of it', [header, edgeSecret.slice(0, -1)], wrong],
    ['a suffix of it', [header, edgeSecret.slice(1)], wrong],
    ['it and one character more', [header, `${edgeSecret}0`], wrong],
    ['in another letter case', [header, edgeSecret.toUpperCase()], wrong],
    ['with a space behind it', [header, `${edgeSecret} `], wrong],
    ['with NUL behind it', [header, `${edgeSecret}\0`], wrong],
    ['empty', [header, ''], wrong],
    ['doubled in one line', [header, `${edgeSecret}${edgeSecret}`], wrong],
    ['doubled in one line, as Node joins two', [header, `${edgeSecret}, ${edgeSecret}`], wrong],
    ['a megabyte long', [header, 's'.repeat(1_048_576)], wrong],
    ['a megabyte long, beginning with it', [header, edgeSecret.padEnd(1_048_576, 's')], wrong],
    ['the digest of it', [header, crypto.hash('sha256', edgeSecret, 'hex')], wrong],
    ['doubled in two lines', [header, edgeSecret, header, edgeSecret], repeated],
    ['doubled in two lines of different letter case', [header, edgeSecret, 'x-edge-secret', edgeSecret], repeated],
    ['right and wrong', [header, edgeSecret, header, next], repeated],
    ['wrong and right', [header, next, header, edgeSecret], repeated],
    ['right and empty', [header, edgeSecret, header, ''], repeated],
    ['under a look-alike', ['X_Edge_Secret', edgeSecret], missing],
    ['under a longer name', ['X-Edge-Secret-', edgeSecret], missing],
    ['under another name of the same length', ['X-Edge-Secreu', edgeSecret], missing],
    ['as the name of a header', [edgeSecret, header], missing],
    ['as the value of a header with its name as value', ['A', header, 'B', edgeSecret], missing],
  ])('CH-27: refuses a secret that is %s', (_, lines, reason) => {
    expect(() => prove(requestOf(lines))).toThrowWithCode('ERR_CHANNEL_UNTRUSTED', { proof: 'shared-secret', reason });
  });

  it('CH-27: refuses text outside ASCII that looks the same in its first octets', () => {
    expect(() => prove(requestOf([header, `${edgeSecret.slice(0, -1)}\u0130`]))).toThrowWithCode(
      'ERR_CHANNEL_UNTRUSTED',
      { proof: 'shared-secret', reason: wrong },
    );
  });

  it('CH-27: accepts each of two secrets in a rotation, and tells which', () => {
    expect(prove(requestOf([header, edgeSecret]), rotating)).toMatchObject({ secret: 0 });
    expect(prove(requestOf([header, next]), rotating)).toMatchObject({ secret: 1 });
  });

  it.each([
    ['both in one line', [header, `${edgeSecret}, ${next}`], wrong],
    ['both in two lines', [header, edgeSecret, header, next], repeated],
    ['the old one after the rotation', [header, 'an-older-secret-that-is-not-good-any-more'], wrong],
  ] as const)('CH-27: refuses %s', (_, lines, reason) => {
    expect(() => prove(requestOf(lines), rotating)).toThrowWithCode('ERR_CHANNEL_UNTRUSTED', {
      proof: 'shared-secret',
      reason,
    });
  });

  it.each([
    ['the first', edgeSecret],
    ['the second', next],
    ['neither', 'x'],
  ])('CH-27, ID-12: compares digests with every secret in constant time when it is %s', (_, value) => {
    const compare = jest.spyOn(crypto, 'timingSafeEqual');
    try {
      prove(requestOf([header, value]), rotating);
    } catch {
      // The third.
    }
    expect(compare.mock.calls.map((pair) => pair.map(({ byteLength }) => byteLength))).toEqual([
      [32, 32],
      [32, 32],
    ]);
    compare.mockRestore();
  });

  it('reads the lines that arrived, after they were hidden', () => {
    const request = requestOf([header, edgeSecret]);
    hideHeaders(request, new HiddenNames((name) => name === 'x-edge-secret'));
    expect(request.rawHeaders).toEqual([]);
    expect(prove(request)).toMatchObject({ secret: 0 });
  });

  it('does not change when the array it was given does', () => {
    const secrets = [edgeSecret];
    const proof = sharedSecret({ header, secrets });
    secrets[0] = next;
    expect(prove(requestOf([header, edgeSecret]), proof)).toMatchObject({ secret: 0 });
    expect(() => prove(requestOf([header, next]), proof)).toThrowWithCode('ERR_CHANNEL_UNTRUSTED', {
      proof: 'shared-secret',
      reason: wrong,
    });
  });

  it('names the header it consumes, in lower case', () => {
    expect(channel.consumedHeaders).toEqual(['x-edge-secret']);
  });

  it('has nothing against any trust store', () => {
    expect(() => channel.checkTrust(context.clientTrust)).not.toThrow();
  });
});

describe('the connection a shared secret comes over', () => {
  const over = (socket: Parameters<typeof requestOf>[1]): CertificateRequest => requestOf([header, edgeSecret], socket);

  it.each([
    ['TLS from anywhere', { encrypted: true, remoteAddress: '192.0.2.1' }],
    ['TLS from nowhere in particular', { encrypted: true, remoteAddress: undefined }],
    ['plaintext from 127.0.0.1', { remoteAddress: '127.0.0.1' }],
    ['plaintext from 127.255.255.254', { remoteAddress: '127.255.255.254' }],
    ['plaintext from ::1', { remoteAddress: '::1' }],
    ['plaintext from 127.0.0.1, mapped to IPv6', { remoteAddress: '::ffff:127.0.0.1' }],
  ])('CH-27: may be %s', (_, socket) => {
    expect(prove(over({ destroyed: false, ...socket }))).toMatchObject({ secret: 0 });
  });

  it.each<[string, string | undefined]>([
    ['a private address', '10.0.0.5'],
    ['a public address', '192.0.2.1'],
    ['a private address, mapped to IPv6', '::ffff:10.0.0.5'],
    ['an IPv6 address', '2001:db8::1'],
    ['a link-local address with a zone', 'fe80::1%eth0'],
    ['an address that begins like loopback', '127.0.0.1.example.com'],
    ['an address that ends like loopback', '10.127.0.0'],
    ['an IPv6 address that ends like loopback', '2001:db8::1'],
    ['an IPv6 address that holds a loopback address', '64:ff9b::127.0.0.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['the unspecified IPv6 address', '::'],
    ['an empty address', ''],
    ['no address', undefined],
  ])('CH-04, CH-05, CH-27: may not be plaintext from %s', (_, remoteAddress) => {
    expect(() => prove(over({ destroyed: false, remoteAddress }))).toThrowWithCode('ERR_CHANNEL_UNTRUSTED', {
      proof: 'shared-secret',
      reason: 'not-tls',
    });
  });

  it('CH-05, CH-27: may not be a TCP connection that has lost its address', () => {
    const server = { address: () => ({ address: '::', family: 'IPv6', port: 80 }) };
    expect(() => prove(over({ destroyed: false, remoteAddress: undefined, server } as never))).toThrowWithCode(
      'ERR_CHANNEL_UNTRUSTED',
      { proof: 'shared-secret', reason: 'not-tls' },
    );
  });

  it('CH-27: may be a unix socket', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'peercert-'));
    const server = http.createServer();
    const proven = new Promise((resolve, reject) => {
      server.on('request', (request, response) => {
        response.end();
        try {
          resolve(prove(request));
        } catch (error) {
          reject(error);
        }
      });
    });
    server.listen(join(directory, 'origin'));
    await once(server, 'listening');
    http.get({ socketPath: join(directory, 'origin'), agent: false, headers: { [header]: edgeSecret } });
    await expect(proven).resolves.toMatchObject({ secret: 0 });
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
    rmSync(directory, { recursive: true });
  });

  it.each(['true', 1, {}, false])('may not say that it is encrypted in other words: %j', (encrypted) => {
    expect(() => prove(over({ encrypted, destroyed: false, remoteAddress: '192.0.2.1' }))).toThrowWithCode(
      'ERR_CHANNEL_UNTRUSTED',
      { proof: 'shared-secret', reason: 'not-tls' },
    );
  });

  it('CH-05: is gone when the socket is closed, or not there', () => {
    const gone = { proof: 'shared-secret', reason: 'peer-gone' } as const;
    expect(() => prove(over({ destroyed: true }))).toThrowWithCode('ERR_CHANNEL_UNTRUSTED', gone);
    const request = { rawHeaders: [header, edgeSecret], socket: undefined as never };
    expect(() => prove(request)).toThrowWithCode('ERR_CHANNEL_UNTRUSTED', gone);
  });

  it('CH-03: is not that of an address in a header', () => {
    const request = requestOf(['X-Forwarded-For', '127.0.0.1', header, edgeSecret], {
      destroyed: false,
      remoteAddress: '192.0.2.1',
    });
    expect(() => prove(request)).toThrowWithCode('ERR_CHANNEL_UNTRUSTED', {
      proof: 'shared-secret',
      reason: 'not-tls',
    });
  });
});

describe('secrets that a function answers with', () => {
  const proofOf = (secrets: () => unknown) => sharedSecret({ header, secrets: secrets as () => readonly string[] });
  const refusedWith = (reason: typeof wrong) => ['ERR_CHANNEL_UNTRUSTED', { proof: 'shared-secret', reason }] as const;

  it('CH-27: are good for as long as it answers with them, from one request to the next', () => {
    let secrets: readonly string[] = [edgeSecret];
    const proof = proofOf(() => secrets);
    const [old, young] = [requestOf([header, edgeSecret]), requestOf([header, next])];
    expect(prove(old, proof)).toMatchObject({ secret: 0 });
    expect(() => prove(young, proof)).toThrowWithCode(...refusedWith(wrong));
    secrets = [edgeSecret, next];
    expect(prove(old, proof)).toMatchObject({ secret: 0 });
    expect(prove(young, proof)).toMatchObject({ secret: 1 });
    secrets = [next];
    expect(() => prove(old, proof)).toThrowWithCode(...refusedWith(wrong));
    expect(prove(young, proof)).toMatchObject({ secret: 0 });
  });

  it('are the ones in the list now when it changes the list it gave before', () => {
    const secrets = [edgeSecret];
    const proof = proofOf(() => secrets);
    secrets[0] = next;
    expect(() => prove(requestOf([header, edgeSecret]), proof)).toThrowWithCode(...refusedWith(wrong));
    expect(prove(requestOf([header, next]), proof)).toMatchObject({ secret: 0 });
    secrets.push(edgeSecret);
    expect(prove(requestOf([header, edgeSecret]), proof)).toMatchObject({ secret: 1 });
  });

  it('are digested once for each list', () => {
    const proof = proofOf(() => [edgeSecret, next]);
    const digest = jest.spyOn(crypto, 'hash');
    for (let count = 0; count < 3; count++) prove(requestOf([header, next]), proof);
    expect(digest.mock.calls.map(([, text]) => text)).toEqual([next, next, next]);
    digest.mockRestore();
  });

  const failure = new Error('the vault is sealed');
  it.each<[string, () => unknown, Error]>([
    [
      'no list',
      () => undefined,
      new TypeError('sharedSecret needs secrets, a non-empty array; it received undefined.'),
    ],
    [
      'an empty list',
      () => [],
      new TypeError('sharedSecret needs secrets, a non-empty array; it received an empty array.'),
    ],
    [
      'a short secret',
      () => [edgeSecret, 's'],
      new TypeError('sharedSecret needs secrets of 32 to 2048 visible ASCII characters without spaces.'),
    ],
    ['one secret twice', () => [next, next], new TypeError('sharedSecret was given the same secret twice.')],
    [
      'a promise',
      async () => [edgeSecret],
      new TypeError('sharedSecret needs secrets, a non-empty array; it received an object.'),
    ],
    [
      'nothing, because it throws',
      () => {
        throw failure;
      },
      failure,
    ],
  ])('CH-27: let nobody in, the secret before included, while the answer is %s', async (_, answer, cause) => {
    let secrets: () => unknown = () => [edgeSecret];
    const proof = proofOf(() => secrets());
    const authenticator = behindEdge([root], {
      source: cloudFront({ channel: proof }),
      presence: 'optional',
      untrustedPeer: 'anonymous',
    });
    const request = requestOf([header, edgeSecret]);
    expect(authenticator.authenticate(request)).toMatchObject({ status: 'anonymous', channel: { secret: 0 } });
    secrets = answer;
    const outcome = await authenticator.authenticate(request);
    expect(outcome).toMatchObject({ status: 'rejected', error: { code: 'ERR_INTERNAL', cause } });
    secrets = () => [edgeSecret];
    expect(authenticator.authenticate(request)).toMatchObject({ status: 'anonymous', channel: { secret: 0 } });
  });

  it('are judged when the proof is made', () => {
    expect(() => proofOf(() => [])).toThrow(
      new TypeError('sharedSecret needs secrets, a non-empty array; it received an empty array.'),
    );
    expect(() =>
      proofOf(() => {
        throw failure;
      }),
    ).toThrow(failure);
  });

  it('are asked for once when the proof is made and once by each request, and by none that is not over TLS', () => {
    const secrets = jest.fn(() => [edgeSecret]);
    const proof = proofOf(secrets);
    prove(requestOf([header, edgeSecret]), proof);
    const inPlaintext = requestOf([header, edgeSecret], { remoteAddress: '192.0.2.1', destroyed: false });
    expect(() => prove(inPlaintext, proof)).toThrow('The request did not come through a trusted proxy.');
    expect(secrets).toHaveBeenCalledTimes(2);
  });
});

describe('constructing a shared secret', () => {
  const badHeader = 'sharedSecret needs header, a header name without underscores.';
  const badSecret = 'sharedSecret needs secrets of 32 to 2048 visible ASCII characters without spaces.';
  const secrets = [edgeSecret];

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'sharedSecret takes an options object; it received undefined.'],
    [
      'a misspelt option',
      { header, secret: secrets },
      'sharedSecret received an unknown option, `secret`. It knows header, secrets.',
    ],
    ['no header', { secrets }, badHeader],
    ['an empty header', { header: '', secrets }, badHeader],
    ['a header with an underscore', { header: 'X_Edge_Secret', secrets }, badHeader],
    ['a header with a space', { header: 'X Edge', secrets }, badHeader],
    ['a header with a colon', { header: ':authority', secrets }, badHeader],
    ['a header with a newline', { header: 'X-Edge\n', secrets }, badHeader],
    ['a header outside ASCII', { header: 'X-\u00C9dge', secrets }, badHeader],
    ['a header that is no string', { header: [header], secrets }, badHeader],
    [
      'Client-Cert',
      { header: 'Client-Cert', secrets },
      'sharedSecret cannot use client-cert: it has a meaning of its own.',
    ],
    [
      'Client-Cert-Chain',
      { header: 'CLIENT-CERT-CHAIN', secrets },
      'sharedSecret cannot use client-cert-chain: it has a meaning of its own.',
    ],
    [
      'Connection',
      { header: 'Connection', secrets },
      'sharedSecret cannot use connection: it has a meaning of its own.',
    ],
    ['no secrets', { header }, 'sharedSecret needs secrets, a non-empty array; it received undefined.'],
    [
      'an empty list',
      { header, secrets: [] },
      'sharedSecret needs secrets, a non-empty array; it received an empty array.',
    ],
    [
      'a string for a list',
      { header, secrets: edgeSecret },
      'sharedSecret needs secrets, a non-empty array; it received a string.',
    ],
    [
      'a set for a list',
      { header, secrets: new Set(secrets) },
      'sharedSecret needs secrets, a non-empty array; it received an object.',
    ],
    ['an empty secret', { header, secrets: [''] }, badSecret],
    ['a secret of 31 characters', { header, secrets: ['s'.repeat(31)] }, badSecret],
    ['a secret of 2,049 characters', { header, secrets: ['s'.repeat(2_049)] }, badSecret],
    ['a secret with a space', { header, secrets: [`${edgeSecret} `] }, badSecret],
    ['a secret with a newline, as a file has', { header, secrets: [`${edgeSecret}\n`] }, badSecret],
    ['a secret outside ASCII', { header, secrets: ['\u00E9'.repeat(40)] }, badSecret],
    ['a secret that is undefined', { header, secrets: [undefined] }, badSecret],
    ['a buffer for a secret', { header, secrets: [Buffer.from(edgeSecret)] }, badSecret],
    ['a short second secret', { header, secrets: [edgeSecret, 'short'] }, badSecret],
    ['a list with a hole', { header, secrets: Array<string>(1) }, badSecret],
    [
      'the same secret twice',
      { header, secrets: [edgeSecret, edgeSecret] },
      'sharedSecret was given the same secret twice.',
    ],
  ])('rejects %s', (_, options, message) => {
    expect(() => sharedSecret(options as never)).toThrow(new TypeError(message));
  });

  it('quotes no secret', () => {
    const attempt = (): unknown => sharedSecret({ header, secrets: ['hunter2'] });
    expect(attempt).toThrow(TypeError);
    expect(attempt).not.toThrow(/hunter2/);
  });
});
