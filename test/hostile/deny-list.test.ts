import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createAuthenticator,
  createDenyList,
  createRevocation,
  type DenyListEntry,
  nativeTls,
  TrustStore,
} from '@peercert/core';
import { clientCertificate } from '@peercert/express';
import {
  cloudFrontHeaders,
  createAuthority,
  der,
  selfSigned,
  TEST_TIME,
  type TestCertificate,
} from '@peercert/testkit';
import express from 'express';
import { VerifiedPath } from '../../packages/core/src/path/validate-path';
import { Certificate } from '../../packages/core/src/x509/certificate';
import { behindEdge, callerOf, fromEdge } from '../support/requests';
import { revoking, sha256Of } from '../support/revocation-methods';
import { closeServers, listen, originOptions, problem, send } from '../support/servers';
import { validate } from '../support/validate';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../support/refusals';

const root = createAuthority({ subject: 'CN=Root' });
const intermediate = root.issueIntermediate({ subject: 'CN=Intermediate' });
const alice = intermediate.issue({ serialNumber: 0x51, uris: ['urn:alice'] });
const bob = intermediate.issue({ uris: ['urn:bob'] });
const linesOf = (certificate: TestCertificate): readonly string[] => cloudFrontHeaders(certificate).flat();

const read = (certificate: { readonly der: Buffer }): Certificate => new Certificate(Buffer.from(certificate.der));
const keyIdentifierOf = ({ subjectKeyIdentifier }: TestCertificate): string =>
  (subjectKeyIdentifier as Buffer).toString('hex');

/** Every way to deny a certificate, and what it is found by. */
const entriesFor = (certificate: TestCertificate): readonly (readonly [string, DenyListEntry])[] => {
  const { issuer, serialNumber, spkiSha256, sha256 } = read(certificate);
  return [
    ['serial', { issuer: issuer.toString().toUpperCase(), serialNumber: `00${serialNumber.toUpperCase()}` }],
    ['spki-sha256', { spkiSha256 }],
    ['subject-key-identifier', { subjectKeyIdentifier: keyIdentifierOf(certificate) }],
    ['certificate-sha256', { certificateSha256: sha256 }],
  ];
};

afterEach(closeServers);

describe('DR-31: the twin of a denied certificate, with the other ECDSA signature', () => {
  const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const integerAt = (bytes: Buffer, at: number): bigint =>
    BigInt(`0x${bytes.subarray(at + 2, at + 2 + (bytes[at + 1] as number)).toString('hex')}`);

  /** The same certificate with the signature (r, n - s), which anyone can make. */
  function twinOf(certificate: TestCertificate): TestCertificate {
    const { tbs, signature, der: bytes } = read(certificate);
    const r = integerAt(signature, 2);
    const s = integerAt(signature, 4 + (signature[3] as number));
    const other = der.sequence(der.integer(r), der.integer(n - s));
    const start = bytes.indexOf(tbs) + tbs.length;
    const algorithm = bytes.subarray(start, start + 2 + (bytes[start + 1] as number));
    return { ...certificate, der: der.sequence(tbs, algorithm, der.bitString(other)) };
  }
  const twin = twinOf(alice);

  it('is good, and another certificate', async () => {
    await expect(validate(twin, root)).resolves.toBeDefined();
    expect(sha256Of(twin)).not.toBe(sha256Of(alice));
  });

  it.each(entriesFor(alice))('is denied by %s, unless that is the digest of the certificate', async (by, entry) => {
    const revocation = createRevocation({ denyList: createDenyList({ entries: [entry] }) });
    await expect(validate(alice, root, { revocation })).toRejectWith('ERR_CERTIFICATE_DENIED', { depth: 0, by });
    const verdict = await validate(twin, root, { revocation }).catch(({ details }: { details: unknown }) => details);
    const isEvaded = verdict instanceof VerifiedPath;
    expect([isEvaded, isEvaded || verdict]).toEqual(
      by === 'certificate-sha256' ? [true, true] : [false, { depth: 0, by }],
    );
  });
});

describe('a denied certificate', () => {
  const places = [
    ['the end-entity certificate', alice, 0],
    ['an intermediate', intermediate, 1],
    ['the trust anchor', root, 2],
  ] as const;

  it.each(
    places.flatMap(([where, certificate, depth]) => {
      return entriesFor(certificate).map(([by, entry]) => [where, by, depth, entry] as const);
    }),
  )('is refused where it is %s, by %s', async (_, by, depth, entry) => {
    const revocation = createRevocation({ denyList: createDenyList({ entries: [entry] }), methods: [revoking()] });
    await expect(validate(alice, root, { revocation })).toRejectWith('ERR_CERTIFICATE_DENIED', { depth, by });
  });

  it('is refused where it is pinned', async () => {
    const pinned = selfSigned({ uris: ['urn:pinned'] });
    const trust = TrustStore.fromDer([root.der], { pinnedEndEntities: [pinned.der] });
    for (const [by, entry] of entriesFor(pinned)) {
      const revocation = createRevocation({ denyList: createDenyList({ entries: [entry] }) });
      await expect(callerOf(behindEdge(trust, { revocation }), fromEdge(...linesOf(pinned)))).toRejectWith(
        'ERR_CERTIFICATE_DENIED',
        { depth: 0, by },
      );
    }
  });

  it('SS-01: is asked about nowhere', async () => {
    const method = revoking();
    const denyList = createDenyList({ entries: [{ spkiSha256: read(alice).spkiSha256 }] });
    const revocation = createRevocation({ denyList, methods: [method] });
    await expect(validate(alice, root, { revocation })).toRejectWith('ERR_CERTIFICATE_DENIED', {
      depth: 0,
      by: 'spki-sha256',
    });
    expect(method.asked).toEqual([]);
  });

  it('is refused from the next request on though its verdict is remembered, and accepted when it is taken back', async () => {
    const denyList = createDenyList();
    const results: unknown[] = [];
    const authenticator = behindEdge([root], {
      revocation: createRevocation({ denyList }),
      onOutcome: (event) => results.push([event['clientcert.cache.result'], event['clientcert.revocation.status']]),
    });
    const ask = async (certificate: TestCertificate): Promise<unknown> =>
      callerOf(authenticator, fromEdge(...linesOf(certificate))).catch(({ code }: { code: string }) => code);
    const entry = { issuer: 'CN=Intermediate', serialNumber: '51' };
    const answers = [await ask(alice), await ask(alice)];
    denyList.add(entry);
    answers.push(await ask(alice), await ask(alice), await ask(bob));
    denyList.remove(entry);
    answers.push(await ask(alice), await ask(alice));
    const denied = 'ERR_CERTIFICATE_DENIED';
    const [asAlice, asBob] = [['urn:alice'], ['urn:bob']];
    expect(answers).toEqual([asAlice, asAlice, denied, denied, asBob, asAlice, asAlice]);
    expect(results).toEqual([
      ['miss', undefined],
      ['hit', undefined],
      ['miss', 'denied'],
      ['hit', 'denied'],
      ['miss', undefined],
      ['miss', undefined],
      ['hit', undefined],
    ]);
  });

  it('CA-04: is denied to every authenticator that goes by the list', async () => {
    const denyList = createDenyList();
    const revocation = createRevocation({ denyList });
    const [one, two] = [behindEdge([root], { revocation }), behindEdge([root], { revocation })];
    for (const each of [one, two]) await callerOf(each, fromEdge(...linesOf(alice)));
    denyList.add({ spkiSha256: read(alice).spkiSha256 });
    for (const each of [one, two]) {
      await expect(callerOf(each, fromEdge(...linesOf(alice)))).toRejectWith('ERR_CERTIFICATE_DENIED', {
        depth: 0,
        by: 'spki-sha256',
      });
    }
  });

  it('ID-03: is refused whatever Object.prototype has', async () => {
    const prototype = Object.prototype as Record<string, unknown>;
    const denyList = createDenyList({ entries: [{ spkiSha256: read(alice).spkiSha256 }] });
    const authenticator = behindEdge([root], { revocation: createRevocation({ denyList }) });
    for (const name of [
      'refusal',
      'evidence',
      'acceptance',
      'acceptor',
      'revocation',
      'by',
      'identity',
      'revision',
      'status',
    ]) {
      prototype[name] = { status: 'good', identity: {}, evidence: [] };
      const outcome = await Promise.resolve(authenticator.authenticate(fromEdge(...linesOf(alice)))).catch(() => ({
        status: 'failed',
      }));
      delete prototype[name];
      expect(outcome.status).not.toBe('authenticated');
    }
  });
});

describe('NT-04: a connection that is kept', () => {
  it('is refused from the next request on when its certificate is denied', async () => {
    const denyList = createDenyList();
    const app = express();
    const authenticator = createAuthenticator({
      trust: TrustStore.fromDer([root.der]),
      source: nativeTls(),
      revocation: createRevocation({ denyList }),
      clock: () => TEST_TIME.getTime(),
    });
    app.use(clientCertificate(authenticator));
    app.get('/', (request, response) => void response.send(String(request.socket.remotePort)));
    const port = await listen(https.createServer(originOptions, app));
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    const client = { protocol: 'https:', agent, key: alice.privateKeyPem, cert: alice.chainPem } as const;
    const first = await send(port, client);
    const second = await send(port, client);
    expect([first.status, second.status, first.body === second.body]).toEqual([200, 200, true]);
    denyList.add({ spkiSha256: read(alice).spkiSha256 });
    const refused = await send(port, client);
    expect([refused.status, refused.body]).toEqual([403, problem(403, 'certificate_rejected')]);
    denyList.remove({ spkiSha256: read(alice).spkiSha256 });
    const third = await send(port, client);
    // The same port: no connection was made anew.
    expect([third.status, third.body]).toEqual([200, first.body]);
    agent.destroy();
  });
});

describe('F28: a deny list', () => {
  const run = (script: string): { status: number | null; stdout: string; stderr: string } => {
    const core = join(__dirname, '../../packages/core/src/index.ts');
    const tsx = require.resolve('tsx/cli');
    const folder = mkdtempSync(join(tmpdir(), 'peercert-'));
    const code = script.replace('CORE', JSON.stringify(core)).replace('FOLDER', JSON.stringify(folder));
    const result = spawnSync(process.execPath, [tsx, '-e', code], { encoding: 'utf8', timeout: 30_000 });
    rmSync(folder, { recursive: true });
    return result;
  };

  it('keeps no process, open or closed', () => {
    const { status, stdout, stderr } = run(`
      const { createDenyList } = require(CORE);
      const list = createDenyList({ files: FOLDER, load: async () => [], refreshSeconds: 1, pollSeconds: 1 });
      const closed = createDenyList({ load: () => new Promise(() => {}), refreshSeconds: 1 });
      list.reload().then(() => closed.close()).then(() => console.log(list.health.status));
      const started = performance.now();
      process.on('exit', () => console.log(performance.now() - started < 5_000));
    `);
    expect([status, stdout, stderr]).toEqual([0, 'ok\ntrue\n', '']);
  }, 40_000);
});
