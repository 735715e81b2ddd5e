import { createHook } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import fs, { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent, createServer as createHttpsServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as forExpress from '@peercert/express';
import {
  type Authenticator,
  cloudFront,
  createAuthenticator,
  createDenyList,
  createRevocation,
  crlFiles,
  type DenyList,
  nativeTls,
  ocsp,
  type Outcome,
  originMtls,
  type ReloadingTrustStore,
  type Revocation,
  revocationChannelName,
  type RevocationMethod,
  type RevocationOptions,
  TrustStore,
  trustChannelName,
  type TrustDomains,
  watchTrustStore,
} from '@peercert/core';
import { cloudFrontHeaders, createAuthority, selfSigned, type TestCertificate } from '@peercert/testkit';
import express from 'express';
import { expiryThresholds } from '../../packages/core/src/trust/expiry';
import { codeUnder } from '../support/pages';
import { admitted, callerOf, edgeChannel, fromEdge, requestOf, secretLine } from '../support/requests';
import { closeServers, httpOptions, listen, originOptions, send } from '../support/servers';
import { presenting } from '../support/tls-origin';
import { until } from '../support/until';

// Stores are reloaded in seconds: changes settle, and a store that lost anchors is read twice.
jest.setTimeout(30_000);

const page = 'docs/operations.md';
const root = resolve(__dirname, '../..');
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');
const text = textOf(page);

const DAY_MS = 86_400_000;
// The page sets no clock.
const now = Date.now();
const daysFromNow = (days: number): Date => new Date(now + days * DAY_MS);
const validity = { notBefore: daysFromNow(-400), notAfter: daysFromNow(400) };
const authority = (subject: string) => createAuthority({ ...validity, subject });
type Authority = ReturnType<typeof authority>;

const [own, partner, other] = ['Own', 'Partner', 'Other'].map((name) => authority(`CN=${name}`)) as [
  Authority,
  Authority,
  Authority,
];
const clientOf = (issuer: Authority, uri: string): TestCertificate => issuer.issue({ ...validity, uris: [uri] });
const [ownClient, partnerClient] = [clientOf(own, 'urn:own'), clientOf(partner, 'urn:partner')];

const pemOf = (...given: readonly { readonly pem: string }[]): string => given.map(({ pem }) => pem).join('');
const sha256 = (octets: Uint8Array): string => createHash('sha256').update(octets).digest('hex');
const spkiSha256Of = ({ key }: TestCertificate): string =>
  sha256(key.publicKey.export({ type: 'spki', format: 'der' }));
const crlPem = (der: Buffer): string => `-----BEGIN X509 CRL-----\n${der.toString('base64')}\n-----END X509 CRL-----\n`;

let folder = '';
const closing: (() => unknown)[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'peercert-operations-'));
  jest.spyOn(process, 'emitWarning').mockImplementation();
});

afterEach(async () => {
  await closeServers();
  await Promise.all(closing.splice(0).map((close) => close()));
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

/** Writes a file of `pki/`, by renaming it into place as the runbook says. */
function write(name: string, contents: string | Buffer): string {
  const path = join(folder, 'pki', name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(join(folder, 'unfinished'), contents);
  renameSync(join(folder, 'unfinished'), path);
  return path;
}

/** Closes something after the test. */
function closeLater<Closable extends { close(): Promise<void> }>(closable: Closable): Closable {
  closing.push(() => closable.close());
  return closable;
}

type Known = Readonly<Record<string, unknown>>;

/**
 * Runs code of the page, with what it takes for granted, and answers with names that it declares. Its files are those of the
 * test: the folder of `pki/` is all that is changed in it.
 */
async function run<Declared = unknown>(code: string, declared = '', known: Known = {}): Promise<Declared> {
  const names = { ...forExpress, source: cloudFront({ channel: edgeChannel }), ...known };
  const located = code.replaceAll("'pki/", `'${folder}/pki/`);
  const body = `return (async () => { ${located}\nreturn { ${declared} }; })();`;
  // oxlint-disable-next-line typescript/no-implied-eval -- the page is what is tested
  return new Function(...Object.keys(names), body)(...Object.values(names)) as Promise<Declared>;
}

/** The value of an expression on the page. */
async function valueOf(expression: string, known: Known = {}): Promise<unknown> {
  return (await run<{ value: unknown }>(`const value = ${expression};`, 'value', known)).value;
}

/** The blocks under a heading: as many as are asked for, and no more. */
function blocks(heading: string, count: number, language = 'js'): readonly string[] {
  const found = codeUnder(page, heading, language);
  expect(found).toHaveLength(count);
  return found;
}

/** What stands under a heading, up to the next one. */
function sectionOf(heading: string): string {
  const [, after = ''] = text.split(new RegExp(`^#+ ${heading}$`, 'm'));
  return after.split(/^#/m)[0] as string;
}

/** The first two cells of each row of the table under a heading. */
function rowsUnder(heading: string): readonly (readonly [string, string])[] {
  const rows = sectionOf(heading).match(/^\|.+\|$/gm) ?? [];
  return rows.slice(2).map((row) => {
    const [, first = '', second = ''] = row.split('|').map((cell) => cell.trim());
    return [first, second];
  });
}

const linesOf = (certificate: TestCertificate, chain = certificate.chain): readonly string[] =>
  cloudFrontHeaders(certificate, { chain }).flat();

/** Who a client is to an authenticator; rejects with the refusal. */
async function caller(
  authenticator: Authenticator,
  certificate: TestCertificate,
  chain = certificate.chain,
): Promise<readonly string[]> {
  return callerOf(authenticator, fromEdge(...linesOf(certificate, chain)));
}

/** The code of the refusal, or whose request it is. */
async function verdictOn(authenticator: Authenticator, certificate: TestCertificate): Promise<unknown> {
  return caller(authenticator, certificate).catch(({ code }: { code: string }) => code);
}

const behind = (trust: TrustStore | ReloadingTrustStore, revocation?: Revocation): Authenticator =>
  createAuthenticator({ trust, source: cloudFront({ channel: edgeChannel }), ...(revocation && { revocation }) });

const stranger = 'ERR_PATH_ISSUER_UNKNOWN';
const malformed = 'ERR_TRUST_STORE_MALFORMED';

interface Watched {
  readonly trust: ReloadingTrustStore;
  readonly authenticator: Authenticator;
}

describe('"Trust stores that follow their files"', () => {
  const heading = 'Trust stores that follow their files';
  const [first = '', second = ''] = blocks(heading, 2);

  async function watch(): Promise<Watched> {
    const made = await run<Watched>(first, 'trust, authenticator');
    closeLater(made.trust);
    return made;
  }

  describe('the first block', () => {
    it('lets in clients of the folder, and no others', async () => {
      write('viewers/own.pem', own.pem);
      const { authenticator } = await watch();
      await expect(verdictOn(authenticator, ownClient)).resolves.toEqual(['urn:own']);
      await expect(verdictOn(authenticator, partnerClient)).resolves.toBe(stranger);
    });

    it.each<[string, () => unknown, string]>([
      ['without the folder', () => {}, 'ERR_TRUST_STORE_UNREADABLE'],
      ['with an empty folder', () => rmSync(write('viewers/own.pem', own.pem)), 'ERR_TRUST_STORE_EMPTY'],
      ['with a bundle that is truncated', () => write('viewers/own.pem', own.pem.slice(0, -9)), malformed],
    ])('throws when it is run %s', async (_, prepare, code) => {
      prepare();
      await expect(run(first)).rejects.toMatchObject({ name: 'TrustStoreError', code });
    });

    it.each<[string, (path: string) => void]>([
      ['rewritten', (path) => writeFileSync(path, pemOf(own, partner))],
      ['renamed into place', () => write('viewers/own.pem', pemOf(own, partner))],
      ['joined by another', () => write('viewers/partner.pem', partner.pem)],
    ])('follows files that are %s', async (_, change) => {
      const path = write('viewers/own.pem', own.pem);
      const { trust, authenticator } = await watch();
      expect(trust.health).toMatchObject({ generation: 1, noticedBy: 'events' });
      const before = trust.current;
      await expect(verdictOn(authenticator, partnerClient)).resolves.toBe(stranger);
      change(path);
      await until(() => trust.health.generation === 2);
      await expect(verdictOn(authenticator, partnerClient)).resolves.toEqual(['urn:partner']);
      expect([before.generation, before.size, trust.current.generation]).toEqual([1, 1, 2]);
    });

    it('follows a whole volume that Kubernetes swaps', async () => {
      write('1/own.pem', own.pem);
      write('2/own.pem', pemOf(own, partner));
      mkdirSync(join(folder, 'pki/viewers'));
      symlinkSync('../1', join(folder, 'pki/viewers/..data'));
      symlinkSync('..data/own.pem', join(folder, 'pki/viewers/own.pem'));
      const { trust } = await watch();
      symlinkSync('../2', join(folder, 'pki/viewers/..data_tmp'));
      renameSync(join(folder, 'pki/viewers/..data_tmp'), join(folder, 'pki/viewers/..data'));
      await until(() => trust.health.generation === 2);
      expect(trust.current.size).toBe(2);
    });

    it('looks every two seconds, and says so, where no watches are left', async () => {
      jest.spyOn(fs, 'watch').mockImplementation(() => {
        throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
      });
      write('viewers/own.pem', own.pem);
      const { trust } = await watch();
      expect(trust.health.noticedBy).toBe('polling');
      write('viewers/own.pem', pemOf(own, partner));
      await until(() => trust.health.generation === 2, 4_000);
    });

    it('uses no verdict of the store before', async () => {
      write('viewers/own.pem', pemOf(own, partner));
      const { trust, authenticator } = await watch();
      await expect(verdictOn(authenticator, partnerClient)).resolves.toEqual(['urn:partner']);
      await expect(verdictOn(authenticator, partnerClient)).resolves.toEqual(['urn:partner']);
      write('viewers/own.pem', own.pem);
      await until(() => trust.health.generation === 2);
      await expect(verdictOn(authenticator, partnerClient)).resolves.toBe(stranger);
    });
  });

  describe('what may be in a file', () => {
    it('is PEM with text between the blocks, or one certificate in DER', async () => {
      write('viewers/both.pem', `Our own:\n${own.pem}\nand our partner's:\n${partner.pem}`);
      write('viewers/other.der', other.der);
      expect((await watch()).trust.current.size).toBe(3);
    });

    it('counts in every file of a folder but hidden ones and those that end with ~', async () => {
      write('viewers/own.pem', own.pem);
      write('viewers/README', partner.pem);
      write('viewers/.hidden.pem', 'no certificate');
      write('viewers/own.pem~', 'no certificate');
      expect((await watch()).trust.current.size).toBe(2);
    });

    const notThat: readonly (readonly [string, string, string, number | undefined])[] = [
      ['A private key', own.privateKeyPem, 'a PRIVATE KEY block', 20],
      ['a `TRUSTED CERTIFICATE` block', own.pem.replaceAll('CERT', 'TRUSTED CERT'), 'a TRUSTED CERTIFICATE block', 20],
      ['half a block', own.pem.slice(0, 200), 'a CERTIFICATE block without its END', 20],
      ['an error page', '<html>', 'markup, such as an error page, where PEM is expected', undefined],
    ];

    it.each(notThat)('is not this, which is refused by name: %s', async (what, contents, found, line) => {
      expect(sectionOf(heading).replaceAll('\n', ' ')).toContain(what);
      const before = line === undefined ? '' : '\n'.repeat(line - 1);
      const file = write('viewers/viewers.pem', before + contents);
      await expect(run(first)).rejects.toMatchObject({ details: { found, file, ...(line && { line }) } });
    });
  });

  describe('the table of what is refused', () => {
    const rows = rowsUnder(heading);

    /** A store of three, of which the first is required. */
    async function watchThree(): Promise<ReloadingTrustStore> {
      write('viewers/ca.pem', pemOf(own, partner, other));
      const options = `{ anchors: 'pki/viewers', requiredAnchors: ['${sha256(own.der)}'] }`;
      return closeLater((await valueOf(`watchTrustStore(${options})`)) as ReloadingTrustStore);
    }

    const refused: readonly (readonly [word: string, () => unknown, code: string])[] = [
      ['empty', () => write('viewers/ca.pem', ''), 'ERR_TRUST_STORE_EMPTY'],
      ['truncated', () => write('viewers/ca.pem', pemOf(own, partner, other).slice(0, -9)), malformed],
      ['garbage', () => write('viewers/ca.pem', 'garbage'), 'ERR_TRUST_STORE_EMPTY'],
      ['unreadable', () => symlinkSync('nowhere', join(folder, 'pki/viewers/b.pem')), 'ERR_TRUST_STORE_UNREADABLE'],
      ['missing', () => rmSync(join(folder, 'pki/viewers'), { recursive: true }), 'ERR_TRUST_STORE_UNREADABLE'],
      ['`requiredAnchors`', () => write('viewers/ca.pem', pemOf(partner, other)), 'ERR_TRUST_STORE_ANCHOR_MISSING'],
      ['`maxShrink`', () => write('viewers/ca.pem', own.pem), 'ERR_TRUST_STORE_SHRUNK'],
    ];

    it('has every reason, and one that is none', () => {
      const found = rows.filter(([, happens]) => happens.startsWith('refused')).map(([found]) => found);
      expect(rows).toHaveLength(found.length + 1);
      expect(found[0]?.split(', ')).toEqual(refused.slice(0, 5).map(([word]) => word));
      expect(found.slice(1).map((cell) => /`\w+`/.exec(cell)?.[0])).toEqual(refused.slice(5).map(([word]) => word));
    });

    it.each(refused)('is right about %s: refused, and the last good store stays', async (_, change, code) => {
      const trust = await watchThree();
      const { current } = trust;
      change();
      await until(() => trust.health.status === 'degraded');
      expect(trust.current).toBe(current);
      expect(trust.health).toMatchObject({ generation: 1, error: { code } });
    });

    it('is right about what takes a store that has shrunk', async () => {
      const [, happens = ''] = rows.find(([found]) => found.includes('`maxShrink`')) ?? [];
      const [, call = ''] = /`(.+)` takes it/.exec(happens) ?? [];
      const trust = await watchThree();
      write('viewers/ca.pem', own.pem);
      await until(() => trust.health.status === 'degraded');
      await expect(valueOf(`await ${call}`, { trust })).resolves.toBe(true);
      expect(trust.health).toMatchObject({ status: 'ok', generation: 2 });
      expect(trust.current.size).toBe(1);
    });

    it('is right about a missing certificate: taken a second later, and not before', async () => {
      expect(rows.at(-1)?.[1]).toBe('taken when a second look, a second later, finds the same');
      const trust = await watchThree();
      write('viewers/ca.pem', pemOf(own, partner));
      const started = performance.now();
      await until(() => trust.health.generation === 2);
      expect(performance.now() - started).toBeGreaterThan(1_000);
      expect(trust.health.status).toBe('ok');
    });
  });

  describe('the second block', () => {
    const issuing = own.issueIntermediate({ ...validity, subject: 'CN=Own Issuing' });
    const pinned = selfSigned({ ...validity, subject: 'CN=Pinned', uris: ['urn:pinned'] });
    const named = (dnsName: string, issuer: Authority = partner): TestCertificate =>
      issuer.issue({ ...validity, uris: ['urn:named'], dnsNames: [dnsName] });

    async function watchAll(): Promise<Watched> {
      write('own-ca.pem', own.pem);
      write('partner-a.pem', partner.pem);
      write('intermediates/issuing.pem', issuing.pem);
      write('pinned/pinned.pem', pinned.pem);
      const { trust } = await run<Watched>(second, 'trust', { sha256OfOwnCa: sha256(own.der) });
      return { trust: closeLater(trust), authenticator: behind(trust) };
    }

    it('holds the certificates of partner-a.pem to its names and to its length, and nobody else', async () => {
      const { authenticator } = await watchAll();
      const below = partner.issueIntermediate({ ...validity, subject: 'CN=Below Partner' });
      await expect(verdictOn(authenticator, named('a.partner-a.example'))).resolves.toEqual(['urn:named']);
      await expect(verdictOn(authenticator, named('partner-b.example'))).resolves.toBe(
        'ERR_CERTIFICATE_NAME_NOT_PERMITTED',
      );
      await expect(verdictOn(authenticator, named('a.partner-a.example', below))).resolves.toBe(
        'ERR_PATH_LENGTH_EXCEEDED',
      );
      await expect(verdictOn(authenticator, named('partner-b.example', own))).resolves.toEqual(['urn:named']);
    });

    it('holds a renewed CA in the same file to the same', async () => {
      const { trust, authenticator } = await watchAll();
      const renewed = authority('CN=Partner');
      write('partner-a.pem', pemOf(partner, renewed));
      await until(() => trust.health.generation === 2);
      await expect(verdictOn(authenticator, named('a.partner-a.example', renewed))).resolves.toEqual(['urn:named']);
      await expect(verdictOn(authenticator, named('partner-b.example', renewed))).resolves.toBe(
        'ERR_CERTIFICATE_NAME_NOT_PERMITTED',
      );
    });

    it('completes paths with intermediates, which it does not trust', async () => {
      const { trust, authenticator } = await watchAll();
      const client = issuing.issue({ ...validity, uris: ['urn:issued'] });
      await expect(caller(authenticator, client, [])).resolves.toEqual(['urn:issued']);
      expect(trust.current.anchors.map(({ sha256: digest }) => digest)).not.toContain(sha256(issuing.der));
    });

    it('trusts the very certificates that are pinned', async () => {
      const { authenticator } = await watchAll();
      const alike = selfSigned({ ...validity, subject: 'CN=Pinned', uris: ['urn:pinned'] });
      await expect(verdictOn(authenticator, pinned)).resolves.toEqual(['urn:pinned']);
      await expect(verdictOn(authenticator, alike)).resolves.toBe(stranger);
    });

    it('does not go without the CA that it requires', async () => {
      const { trust } = await watchAll();
      write('own-ca.pem', other.pem);
      await until(() => trust.health.status === 'degraded');
      expect(trust.health.error).toMatchObject({ code: 'ERR_TRUST_STORE_ANCHOR_MISSING' });
    });

    it('goes with a third less, and with half of it no longer', async () => {
      const { trust } = await watchAll();
      write('own-ca.pem', pemOf(own, other));
      await until(() => trust.current.size === 4);
      write('partner-a.pem', own.pem);
      write('own-ca.pem', own.pem);
      await until(() => trust.health.status === 'degraded');
      expect(trust.health.error).toMatchObject({ details: { before: 4, after: 2 } });
      write('partner-a.pem', partner.pem);
      await until(() => trust.health.status === 'ok');
      expect(trust.current.size).toBe(3);
      write('partner-a.pem', own.pem);
      await until(() => trust.current.size === 2);
    });

    it('is followed by every constraint there is', async () => {
      const [, list = ''] = /They are ([^]+?)\.\n/.exec(sectionOf(heading)) ?? [];
      const listed = [...list.matchAll(/`([a-z]\w+)`/gi)].map(([, name]) => name);
      const known = (await valueOf(`watchTrustStore({ anchors: { paths: 'pki/x', constraints: { x: 1 } } })`).catch(
        ({ message }: Error) => /It knows (.+)\.$/.exec(message)?.[1],
      )) as string;
      expect(listed).toEqual(known.split(', '));
      expect(list).toContain("(`'enforce'`, `'ignore'`, or a date on which trust ends)");
    });
  });
});

describe('"From a bucket, or any URL"', () => {
  const [byFetch = '', byS3 = ''] = blocks('From a bucket, or any URL', 2);
  type Loaded = Pick<Watched, 'trust'>;

  /** A server with one file, which it does not send to those who have it. */
  class Bucket {
    contents = own.pem;
    status: 200 | 302 | 500 | 'none' = 200;
    /** What each question says that it has. */
    readonly asked: (string | undefined)[] = [];
    most = 0;
    aborted = 0;
    #now = 0;

    get etag(): string {
      return `"${sha256(Buffer.from(this.contents))}"`;
    }

    answer(request: IncomingMessage, response: ServerResponse): void {
      this.asked.push(request.headers['if-none-match']);
      this.most = Math.max(this.most, ++this.#now);
      response.on('close', () => {
        this.#now--;
        if (!response.writableEnded) this.aborted++;
      });
      const isElsewhere = request.url === '/elsewhere';
      if (this.status === 'none') return;
      if (this.status !== 200 && !isElsewhere) response.writeHead(this.status, { location: '/elsewhere' }).end();
      else if (request.headers['if-none-match'] === this.etag) response.writeHead(304).end();
      else response.writeHead(200, { etag: this.etag }).end(this.contents);
    }
  }

  let bucket: Bucket;
  let url: string;
  beforeEach(async () => {
    bucket = new Bucket();
    url = `http://127.0.0.1:${await listen(createHttpServer((...exchange) => bucket.answer(...exchange)))}`;
  });

  async function load(change: (code: string) => string = (code) => code): Promise<ReloadingTrustStore> {
    const { trust } = await run<Loaded>(change(byFetch.replace('https://pki.example.com', url)), 'trust');
    return closeLater(trust);
  }

  it('loads from a URL, says what it has, and takes what is new', async () => {
    const trust = await load();
    const { etag } = bucket;
    await expect(trust.reload()).resolves.toBe(false);
    expect(trust.health).toMatchObject({ status: 'ok', generation: 1, noticedBy: 'polling' });
    bucket.contents = pemOf(own, partner);
    await expect(trust.reload()).resolves.toBe(true);
    expect(trust.current.size).toBe(2);
    await expect(trust.reload()).resolves.toBe(false);
    expect(bucket.asked).toEqual([undefined, etag, etag, bucket.etag]);
  });

  it.each<[string, 302 | 500, RegExp]>([
    ['a failure', 500, /^status 500$/],
    ['a redirect', 302, /fetch failed/],
  ])('takes %s for no answer: the last good store stays', async (_, status, message) => {
    const trust = await load();
    const { current } = trust;
    Object.assign(bucket, { status, contents: pemOf(own, partner) });
    await expect(trust.reload()).resolves.toBe(false);
    expect(trust.current).toBe(current);
    const error = { code: 'ERR_TRUST_STORE_NOT_LOADED', cause: { message: expect.stringMatching(message) } };
    expect(trust.health).toMatchObject({ status: 'degraded', error });
    bucket.status = 200;
    await expect(trust.reload()).resolves.toBe(true);
    expect(trust.health.status).toBe('ok');
  });

  it('does not take 304 to what was refused for good news', async () => {
    const trust = await load();
    bucket.contents = '<html>';
    await expect(trust.reload()).resolves.toBe(false);
    await expect(trust.reload()).resolves.toBe(false);
    expect(bucket.asked.at(-1)).toBe(bucket.etag);
    expect(trust.health).toMatchObject({ status: 'degraded', error: { code: 'ERR_TRUST_STORE_EMPTY' } });
  });

  it('does not start without a first answer', async () => {
    bucket.status = 500;
    await expect(load()).rejects.toMatchObject({ code: 'ERR_TRUST_STORE_NOT_LOADED' });
  });

  it('is asked again from time to time, sooner after a failure, and never twice at once', async () => {
    const trust = await load((code) => code.replace('refreshSeconds: 300', 'refreshSeconds: 2'));
    await Promise.all([trust.reload(), trust.reload(), trust.reload()]);
    const before = bucket.asked.length;
    bucket.status = 500;
    await until(() => bucket.asked.length > before);
    const failed = performance.now();
    await until(() => bucket.asked.length > before + 1);
    expect(performance.now() - failed).toBeLessThan(1_500);
    expect(bucket.most).toBe(1);
  });

  it('ends the question with the time for an answer', async () => {
    const trust = await load((code) => code.replace('refreshSeconds: 300', '$&, timeoutMs: 200'));
    bucket.status = 'none';
    await expect(trust.reload()).resolves.toBe(false);
    expect(trust.health.error).toMatchObject({ details: { found: 'no answer in time' } });
    await until(() => bucket.aborted === 1);
  });

  describe('with the client of the AWS SDK', () => {
    class GetObjectCommand {
      constructor(readonly input: { readonly Bucket: string; readonly Key: string; readonly IfNoneMatch?: string }) {}
    }

    /** As the SDK has it: 304 is thrown, under whatever name. */
    function s3With(contents: () => string, status: () => number) {
      const send = async ({ input }: GetObjectCommand, { abortSignal }: { abortSignal: AbortSignal }) => {
        sent.push({ input, isSignal: abortSignal instanceof AbortSignal });
        const ETag = `"${sha256(Buffer.from(contents()))}"`;
        const httpStatusCode = status() === 200 && input.IfNoneMatch === ETag ? 304 : status();
        if (httpStatusCode === 200) return { ETag, Body: { transformToString: async () => contents() } };
        throw Object.assign(new Error('UnknownError'), { name: '304', $metadata: { httpStatusCode } });
      };
      return { send };
    }

    const sent: { input: GetObjectCommand['input']; isSignal: boolean }[] = [];

    it('loads an object, says what it has, and takes what is new and nothing else', async () => {
      let [contents, status] = [own.pem, 200];
      const s3 = s3With(
        () => contents,
        () => status,
      );
      const { trust } = await run<Loaded>(byS3, 'trust', { s3, GetObjectCommand });
      closeLater(trust);
      await expect(trust.reload()).resolves.toBe(false);
      expect(trust.health.status).toBe('ok');
      contents = pemOf(own, partner);
      await expect(trust.reload()).resolves.toBe(true);
      status = 403;
      await expect(trust.reload()).resolves.toBe(false);
      expect(trust.health).toMatchObject({ status: 'degraded', generation: 2 });
      const place = { Bucket: 'pki', Key: 'viewers.pem' };
      const etag = expect.stringMatching(/^"\w{64}"$/);
      expect(sent).toEqual([
        { input: { ...place, IfNoneMatch: undefined }, isSignal: true },
        { input: { ...place, IfNoneMatch: etag }, isSignal: true },
        { input: { ...place, IfNoneMatch: etag }, isSignal: true },
        { input: { ...place, IfNoneMatch: etag }, isSignal: true },
      ]);
    });
  });
});

describe('"Where TLS itself refuses strangers"', () => {
  const [code = ''] = blocks('Where TLS itself refuses strangers', 1);
  const disconnected = /ECONNRESET|socket hang up|alert|disconnected before secure/;

  it('gives the server each new generation, and leaves open connections open', async () => {
    write('edge-ca.pem', own.pem);
    const app = express();
    const known = { tls: { key: originOptions.key, cert: originOptions.cert }, createServer: createHttpsServer, app };
    const { edgeTrust, server } = await run<{ edgeTrust: ReloadingTrustStore; server: Server }>(
      code,
      'edgeTrust, server',
      known,
    );
    closeLater(edgeTrust);
    const authenticator = createAuthenticator({ trust: edgeTrust, source: nativeTls() });
    app.get('/', async (request, response) => void response.send(await callerOfTls(authenticator, request)));
    const port = await listen(server);
    const ask = async (certificate: TestCertificate, agent: Agent | false = false) =>
      (await send(port, { protocol: 'https:', ...presenting(certificate), agent })).body;

    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    closing.push(() => agent.destroy());
    await expect(ask(ownClient, agent)).resolves.toBe('urn:own');
    await expect(ask(partnerClient)).rejects.toThrow(disconnected);
    write('edge-ca.pem', pemOf(own, partner));
    await until(() => edgeTrust.health.generation === 2);
    await expect(ask(partnerClient)).resolves.toBe('urn:partner');
    write('edge-ca.pem', partner.pem);
    await until(() => edgeTrust.health.generation === 3);
    await expect(ask(ownClient)).rejects.toThrow(disconnected);
    // The same connection as before, and the store of the hour.
    await expect(ask(ownClient, agent)).resolves.toBe(stranger);
  });

  async function callerOfTls(authenticator: Authenticator, request: IncomingMessage): Promise<string> {
    return callerOf(authenticator, request).then(String, ({ code }: { code: string }) => code);
  }
});

describe('"Several trust domains"', () => {
  const [code = ''] = blocks('Several trust domains', 1);
  const [partners, corporate] = [TrustStore.fromDer([partner.der]), TrustStore.fromDer([own.der])];

  async function start(): Promise<{ readonly port: number; readonly domains: TrustDomains<string> }> {
    const app = express();
    const known = { app, partners, corporate, channel: edgeChannel };
    const { domains } = await run<{ domains: TrustDomains<string> }>(code, 'domains', known);
    app.use((_, response) => void response.end('in'));
    return { port: await listen(createHttpServer(httpOptions, app)), domains };
  }

  it('lets clients of a domain in there, strangers nowhere, and nobody past the proxy', async () => {
    const { port } = await start();
    const statusesOf = async (lines: readonly (readonly [string, string])[]): Promise<readonly number[]> => {
      const ask = async (path: string) => (await send(port, { path, headers: Object.fromEntries(lines) })).status;
      return Promise.all(['/partners', '/internal', '/public'].map(ask));
    };
    await expect(statusesOf([secretLine, ...cloudFrontHeaders(partnerClient)])).resolves.toEqual([200, 403, 200]);
    await expect(statusesOf([secretLine, ...cloudFrontHeaders(ownClient)])).resolves.toEqual([403, 200, 200]);
    await expect(statusesOf([secretLine])).resolves.toEqual([403, 403, 200]);
    await expect(statusesOf(cloudFrontHeaders(ownClient))).resolves.toEqual([403, 403, 403]);
  });

  it('chooses for each request, and refuses one that belongs to none', async () => {
    expect(sectionOf('Several trust domains')).toContain('`domains.choose((request) => ...)`');
    const { domains } = await start();
    let name: string | undefined;
    const chosen = domains.choose(() => name);
    await expect(verdictOn(chosen, partnerClient)).resolves.toBe('ERR_POLICY_NO_TRUST_DOMAIN');
    name = 'partners';
    await expect(verdictOn(chosen, partnerClient)).resolves.toEqual(['urn:partner']);
  });
});

describe('"What is in a store, and what is wrong with it"', () => {
  const [code = ''] = blocks('What is in a store, and what is wrong with it', 1);

  it('logs what is wrong, the worst first, and who has been added', async () => {
    const soon = createAuthority({ ...validity, notAfter: daysFromNow(20), subject: 'CN=Soon' });
    const past = createAuthority({ ...validity, notAfter: daysFromNow(-1), subject: 'CN=Past' });
    write('viewers/ca.pem', pemOf(own, soon, past));
    const trust = closeLater(watchTrustStore({ anchors: join(folder, 'pki/viewers') }));
    const log = { warn: jest.fn(), error: jest.fn() };
    const expectedAnchors = [own, soon].map(({ der }) => sha256(der));
    await run(code, '', { trust, log, expectedAnchors });
    expect(log.warn.mock.calls).toEqual([
      [{ severity: 'error', code: 'expired', sha256: sha256(past.der) }, 'Trust in the certificate has ended.'],
      [{ severity: 'info', code: 'expires-soon', sha256: sha256(soon.der) }, 'Trust in the certificate ends soon.'],
    ]);
    const drift = { added: [sha256(past.der)], missing: [] };
    expect(log.error.mock.calls).toEqual([[drift, 'somebody has added a trust anchor']]);
    const report = trust.inspect({ expectedAnchors });
    expect(structuredClone(report)).toEqual(report);
    log.error.mockClear();
    await run(code, '', { trust, log, expectedAnchors: [...expectedAnchors, sha256(past.der)] });
    expect(log.error).not.toHaveBeenCalled();
  });
});

describe('"Revocation"', () => {
  const heading = 'Revocation';
  const [block = '', adding = ''] = blocks(heading, 2);
  const [denied = ''] = blocks(heading, 1, 'text');
  const hourAgo = new Date(now - DAY_MS / 24);
  const device = createAuthority({ ...validity, subject: 'O=Example,CN=Device CA' });
  const deviceClient = (serialNumber: bigint): TestCertificate =>
    device.issue({ ...validity, uris: ['urn:device'], serialNumber });

  interface Revoking {
    readonly denyList: DenyList;
    readonly revocation: Revocation;
    readonly authenticator: Authenticator;
  }

  const crlOf = (issuer: Authority, revoked: readonly TestCertificate[], crlNumber = 1): string =>
    crlPem(issuer.crl({ thisUpdate: hourAgo, nextUpdate: daysFromNow(1), revoked, crlNumber }));

  /** The first block, with CRLs of two CAs and none of the third. */
  async function start(denyListText = ''): Promise<Revoking> {
    write('deny-list', denyListText);
    write('crls/own.pem', crlOf(own, []));
    write('crls/device.pem', crlOf(device, []));
    const trust = TrustStore.fromDer([own.der, partner.der, device.der]);
    const made = await run<Revoking>(block, 'denyList, revocation, authenticator', { trust });
    closeLater(made.revocation);
    return made;
  }

  const identityOf = async (authenticator: Authenticator, client: TestCertificate) => {
    const outcome = await admitted(authenticator, fromEdge(...linesOf(client)));
    return (outcome as Outcome & { status: 'authenticated' }).identity;
  };

  it('tells in the outcome what is known of a client, from which file, as of when, until when', async () => {
    const { authenticator } = await start();
    const outcome = await admitted(authenticator, fromEdge(...linesOf(ownClient)));
    const seconds = (time: Date): Date => new Date(Math.floor(time.getTime() / 1000) * 1000);
    expect(outcome).toMatchObject({
      revocation: [
        {
          status: 'good',
          certificateSha256: sha256(ownClient.der),
          method: 'crl',
          source: join(folder, 'pki/crls/own.pem'),
          asOf: seconds(hourAgo),
          until: seconds(daysFromNow(1)),
        },
      ],
    });
  });

  it('refuses whom a CRL names, as soon as there is one', async () => {
    const { authenticator, revocation } = await start();
    await expect(verdictOn(authenticator, ownClient)).resolves.toEqual(['urn:own']);
    write('crls/own.pem', crlOf(own, [ownClient], 2));
    const before = revocation.revision;
    await until(() => revocation.revision > before);
    await expect(verdictOn(authenticator, ownClient)).resolves.toBe('ERR_CERTIFICATE_REVOKED');
  });

  it('answers 503 with Retry-After when nobody knows', async () => {
    const { authenticator } = await start();
    const app = express().use(forExpress.clientCertificate(authenticator));
    const port = await listen(createHttpServer(httpOptions, app));
    const headers = Object.fromEntries([secretLine, ...cloudFrontHeaders(partnerClient)]);
    const { status, headers: answered } = await send(port, { headers });
    expect({ status, retryAfter: answered['retry-after'] }).toEqual({ status: 503, retryAfter: '5' });
  });

  describe('the deny list', () => {
    const [byNumber = '', byKey = ''] = adding.trim().split('\n');

    it('counts from the next request on, remembered verdicts included: this certificate', async () => {
      const { authenticator, denyList } = await start();
      const again = own.issue({ ...validity, uris: ['urn:again'], key: ownClient.key });
      await expect(verdictOn(authenticator, again)).resolves.toEqual(['urn:again']);
      const identity = await identityOf(authenticator, ownClient);
      await run(byNumber, '', { denyList, identity });
      await expect(verdictOn(authenticator, ownClient)).resolves.toBe('ERR_CERTIFICATE_DENIED');
      await expect(verdictOn(authenticator, again)).resolves.toEqual(['urn:again']);
    });

    it('counts from the next request on, remembered verdicts included: everything with its key', async () => {
      const { authenticator, denyList } = await start();
      const again = own.issue({ ...validity, uris: ['urn:again'], key: ownClient.key });
      await expect(verdictOn(authenticator, again)).resolves.toEqual(['urn:again']);
      await run(byKey, '', { denyList, identity: await identityOf(authenticator, ownClient) });
      await expect(verdictOn(authenticator, ownClient)).resolves.toBe('ERR_CERTIFICATE_DENIED');
      await expect(verdictOn(authenticator, again)).resolves.toBe('ERR_CERTIFICATE_DENIED');
      await expect(verdictOn(authenticator, clientOf(own, 'urn:another'))).resolves.toEqual(['urn:another']);
    });

    it('is the same in a file, which is watched', async () => {
      const [, serialNumber = ''] = /^serial (\w+) CN=Device CA,O=Example$/m.exec(denied) ?? [];
      const [lost, kept] = [deviceClient(BigInt(`0x${serialNumber}`)), deviceClient(5n)];
      // Nobody has the page's key.
      const file = denied.replace(/(?<=^spki-sha256 )\w{64}$/m, spkiSha256Of(ownClient));
      expect(file).not.toBe(denied);
      const { authenticator, denyList } = await start();
      const verdicts = async () =>
        Promise.all([lost, kept, ownClient].map((client) => verdictOn(authenticator, client)));
      await expect(verdicts()).resolves.toEqual([['urn:device'], ['urn:device'], ['urn:own']]);
      write('deny-list', file);
      await until(() => denyList.health.entries === 2);
      await expect(verdicts()).resolves.toEqual(['ERR_CERTIFICATE_DENIED', ['urn:device'], 'ERR_CERTIFICATE_DENIED']);
    });

    it('is the page as it stands, and nothing that is not a list', async () => {
      expect((await start(denied)).denyList.health).toMatchObject({ status: 'ok', entries: 2 });
      await expect(start(`${denied}serial\n`)).rejects.toThrow('has no entry in line 4');
    });
  });

  describe('the methods', () => {
    it.each(rowsUnder(heading))('are made as the table says: %s', async (method) => {
      const call = method.slice(1, -1);
      write('crls/own.pem', crlOf(own, []));
      const known = { paths: join(folder, 'pki/crls'), urls: ['http://127.0.0.1:9/crl'] };
      const made = (await valueOf(call, known)) as RevocationMethod;
      closeLater(createRevocation({ methods: [made] }));
    });

    it('are all there are', () => {
      const named = rowsUnder(heading).map(([method]) => /\w+/.exec(method)?.[0] ?? '');
      const names = Object.keys(forExpress).filter((name) => /^(?:crl|ocsp)(?=[A-Z]|$)/.test(name));
      expect(named.toSorted()).toEqual(names.toSorted());
    });

    it('take the hosts they may ask', async () => {
      const [, option = ''] = /`(network: \{.+?\})` narrows/.exec(sectionOf(heading)) ?? [];
      for (const method of ['ocsp', 'crlDistributionPoints']) {
        const made = (await valueOf(`${method}({ ${option} })`)) as RevocationMethod;
        closeLater(createRevocation({ methods: [made] }));
      }
    });
  });

  describe('the words about those of whom nobody knows', () => {
    const paragraphs = sectionOf(heading).split('\n\n');
    const words = paragraphs.find((paragraph) => paragraph.startsWith('**When nobody knows**')) ?? '';
    const options = [...words.matchAll(/`(\w+: [^`]+)`/g)].map(([, option = '']) => option);
    const issuing = own.issueIntermediate({ ...validity, subject: 'CN=Own Issuing' });
    const client = issuing.issue({ ...validity, uris: ['urn:client'] });
    const week = { notBefore: new Date(now - 3_600_000), notAfter: new Date(now - 3_600_000 + 7 * DAY_MS) };
    const current = { thisUpdate: hourAgo, producedAt: hourAgo, nextUpdate: daysFromNow(1) };

    type Responder = (about: TestCertificate) => Buffer | 'down';
    const down: Responder = () => 'down';
    const good: Responder = (about) =>
      (about === issuing ? own : issuing).ocspResponse({ ...current, certificate: about });
    const forged: Responder = (about) =>
      (about === issuing ? own : issuing).ocspResponse({ ...current, certificate: about, signer: other });

    /** What becomes of a client when a responder answers so, with CRLs or without. */
    async function verdict(
      option: string,
      responder: Responder,
      about: readonly TestCertificate[] = [client],
      withCrls = false,
    ): Promise<unknown> {
      const server = createHttpServer((request, response) => {
        const question = Buffer.from(decodeURIComponent(request.url ?? '').slice(1), 'base64').toString('latin1');
        const asked = [issuing, ...about].find((one) => question.includes(serialOf(one))) ?? client;
        const answer = responder(asked);
        if (answer === 'down') response.writeHead(500).end();
        else response.writeHead(200, { 'content-type': 'application/ocsp-response' }).end(answer);
      });
      const responders = [`http://127.0.0.1:${await listen(server)}/`];
      const methods = [ocsp({ responders })];
      if (withCrls) {
        write('crls/own.pem', crlOf(own, []));
        write('crls/issuing.pem', crlOf(issuing, []));
        methods.unshift(crlFiles({ paths: join(folder, 'pki/crls'), unknownIssuers: 'accept' }));
      }
      const given = (await valueOf(`{ ${option} }`)) as RevocationOptions;
      const revocation = closeLater(createRevocation({ methods, ...given }));
      return verdictOn(behind(TrustStore.fromDer([own.der]), revocation), about[0] ?? client);
    }

    const serialOf = ({ der }: TestCertificate): string => {
      // Version, and then the number: its octets as the request has them.
      const at = der.indexOf(Buffer.from('a003020102', 'hex')) + 5;
      return der.subarray(at, at + 2 + der.readUInt8(at + 1)).toString('latin1');
    };
    const unavailable = 'ERR_REVOCATION_UNAVAILABLE';

    it('are these', () => {
      expect(options).toEqual([
        "unknownStatus: 'accept'",
        "unknownStatus: { unreachable: 'accept' }",
        "mustAnswer: ['ocsp']",
        'shortLivedSeconds: 604800',
        "depth: 'end-entity'",
      ]);
    });

    it('are right without any of them', async () => {
      await expect(verdict('', good)).resolves.toEqual(['urn:client']);
      await expect(verdict('', down)).resolves.toBe(unavailable);
    });

    it('are right about letting everybody in, and every event says so', async () => {
      const [option = ''] = options;
      const heard: unknown[] = [];
      const listener = (event: unknown): unknown => heard.push(event);
      subscribe('peercert:outcome', listener);
      closing.push(() => unsubscribe('peercert:outcome', listener));
      await expect(verdict(option, down)).resolves.toEqual(['urn:client']);
      await expect(verdict(option, forged)).resolves.toEqual(['urn:client']);
      const event = { 'event.outcome': 'success', 'clientcert.revocation.status': 'unknown' };
      expect(heard).toMatchObject([event, event]);
    });

    it('are right about a responder that is down, and an answer that is forged', async () => {
      await expect(verdict(options[1] ?? '', down)).resolves.toEqual(['urn:client']);
      await expect(verdict(options[1] ?? '', forged)).resolves.toBe(unavailable);
    });

    it("are right about wanting one method's word whatever others say", async () => {
      await expect(verdict('', down, [client], true)).resolves.toEqual(['urn:client']);
      await expect(verdict(options[2] ?? '', down, [client], true)).resolves.toBe(unavailable);
      await expect(verdict(options[2] ?? '', good, [client], true)).resolves.toEqual(['urn:client']);
    });

    it('are right about client certificates that live a week, and a second longer', async () => {
      const shortLived = own.issue({ ...week, uris: ['urn:week'] });
      const longer = own.issue({ ...week, notAfter: new Date(week.notAfter.getTime() + 1_000), uris: ['urn:longer'] });
      await expect(verdict(options[3] ?? '', down, [shortLived])).resolves.toEqual(['urn:week']);
      await expect(verdict(options[3] ?? '', down, [longer])).resolves.toBe(unavailable);
    });

    it('are right about not asking about intermediates', async () => {
      const ofClient: Responder = (about) => (about === issuing ? 'down' : good(about));
      await expect(verdict('', ofClient)).resolves.toBe(unavailable);
      await expect(verdict(options[4] ?? '', ofClient)).resolves.toEqual(['urn:client']);
    });
  });
});

describe('"Health and alerts"', () => {
  const heading = 'Health and alerts';
  const [health = '', events = ''] = blocks(heading, 2);

  it('answers 200 while all is well, and 503 while something is not', async () => {
    write('viewers/ca.pem', own.pem);
    write('edge-ca.pem', partner.pem);
    write('deny-list', '');
    const watch = (name: string) => closeLater(watchTrustStore({ anchors: join(folder, 'pki', name) }));
    const [trust, edgeTrust] = [watch('viewers'), watch('edge-ca.pem')];
    const denyList = createDenyList({ files: join(folder, 'pki/deny-list') });
    const revocation = closeLater(createRevocation({ denyList }));
    const app = express();
    await run(health, '', { app, trust, edgeTrust, revocation });
    const port = await listen(createHttpServer(app));
    const ask = async () => {
      const { status, body } = await send(port, { path: '/health' });
      return { status, body };
    };
    const ok = { status: 200, body: { status: 'ok', generation: 1 } };
    await expect(ask()).resolves.toEqual(ok);
    const files: readonly (readonly [string, string, () => { readonly status: string }])[] = [
      ['viewers/ca.pem', own.pem, () => trust.health],
      ['edge-ca.pem', partner.pem, () => edgeTrust.health],
      ['deny-list', '', () => revocation.health],
    ];
    for (const [name, contents, healthNow] of files) {
      write(name, 'garbage');
      await until(() => healthNow().status === 'degraded');
      await expect(ask()).resolves.toEqual({ status: 503, body: { status: 'degraded', generation: 1 } });
      // It goes by what it knew.
      await expect(verdictOn(behind(trust), ownClient)).resolves.toEqual(['urn:own']);
      write(name, contents);
      await until(() => healthNow().status === 'ok');
      await expect(ask()).resolves.toEqual(ok);
    }
  });

  it('logs what is wrong as an error, and the rest as information', async () => {
    const log = { error: jest.fn(), info: jest.fn() };
    const subscribing = (name: string, listener: (event: unknown) => void): void => {
      subscribe(name, listener);
      closing.push(() => unsubscribe(name, listener));
    };
    await run(events, '', { subscribe: subscribing, log });
    const [, channelName = ''] = /subscribe\('(.+?)'/.exec(events) ?? [];
    expect(channelName).toBe(trustChannelName);
    const file = write('viewers/ca.pem', pemOf(own, createAuthority({ ...validity, notAfter: daysFromNow(14) })));
    const trust = closeLater(watchTrustStore({ anchors: file, name: 'viewers' }));
    await until(() => log.error.mock.calls.length === 1);
    writeFileSync(file, own.privateKeyPem);
    await until(() => trust.health.status === 'degraded');
    write('viewers/ca.pem', own.pem);
    await until(() => trust.health.status === 'ok');
    writeFileSync(file, 'garbage');
    await until(() => trust.health.status === 'degraded');
    write('viewers/ca.pem', own.pem);
    await until(() => trust.health.status === 'ok');
    const told = (level: jest.Mock) => level.mock.calls.map(([event]) => event as object);
    expect(told(log.error)).toMatchObject([
      { 'event.name': 'clientcert.trust.anchor_expiring', 'clientcert.anchor.days_left': 14 },
      {
        'event.name': 'clientcert.trust.refused',
        'error.message': `The trust store holds a private key: found a PRIVATE KEY block (line 1 of ${file}).`,
      },
      { 'event.name': 'clientcert.trust.refused' },
    ]);
    expect(told(log.info)).toMatchObject([
      {
        'event.name': 'clientcert.trust.replaced',
        'clientcert.trust.store': 'viewers',
        'clientcert.trust.added': [],
        'clientcert.trust.removed': [expect.stringMatching(/^\w{64}$/)],
      },
      { 'event.name': 'clientcert.trust.recovered' },
    ]);
  });

  it('has every event there is, and no other', () => {
    const unions = ['trust/trust-event.ts', 'revocation/revocation-event.ts'].flatMap((file) => {
      const [, union = ''] = /readonly 'event\.name':([^;]+);/.exec(textOf(`packages/core/src/${file}`)) ?? [];
      return union.match(/clientcert\.[\w.]+/g) ?? [];
    });
    expect(unions.length).toBeGreaterThan(5);
    const listed = rowsUnder(heading).map(([event]) => event.slice(1, -1));
    expect(listed.toSorted()).toEqual(unions.toSorted());
    const elsewhere = text.match(/clientcert\.(?:trust|revocation)\.[a-z]\w+/g) ?? [];
    expect(elsewhere.filter((name) => !unions.includes(name))).toEqual(['clientcert.revocation.status']);
  });

  it('names the channels', () => {
    for (const name of [trustChannelName, revocationChannelName]) expect(sectionOf(heading)).toContain(`\`${name}\``);
  });

  it('names the days at which an anchor is told of', () => {
    const [, meaning = ''] = rowsUnder(heading).find(([event]) => event.includes('anchor_expiring')) ?? [];
    expect(meaning).toContain(`last ${expiryThresholds.join(', ').replace(/, (\d+)$/, ' or $1')} days`);
  });
});

describe('"Runbooks"', () => {
  it('are run by the test that the page names', () => {
    const [, test = ''] = /run under constant load[^`]+`(.+?)`/.exec(sectionOf('Runbooks')) ?? [];
    const run = textOf(test).match(/F34: of (?:the|the viewers'|the edge's) .+? refuses/g) ?? [];
    expect(run).toHaveLength(3);
    expect(sectionOf('Runbooks')).toContain('The first three are run');
    const titles = text.split('## Runbooks')[1]?.match(/(?<=^### ).+$/gm);
    expect(titles?.slice(0, 3)).toEqual(['A new CA for clients', "The proxy's own certificate", 'The shared secret']);
  });

  it('"The proxy\'s own certificate": nothing to do for a new one from the same CA', async () => {
    const path = write('edge-ca.pem', partner.pem);
    const dnsNames = ['cf-1.origin.example.com'];
    const edge = (): TestCertificate => partner.issue({ ...validity, dnsNames });
    const trust = closeLater(watchTrustStore({ anchors: path }));
    const channel = originMtls({ trust, dnsNames });
    const seen: unknown[] = [];
    const authenticator = createAuthenticator({
      trust: TrustStore.fromDer([own.der]),
      source: cloudFront({ channel }),
    });
    const server = createHttpsServer(originOptions, (request, response) => {
      void Promise.resolve(authenticator.authenticate(request)).then((outcome) => {
        seen.push(outcome.channel);
        response.end(outcome.status);
      });
    });
    const port = await listen(server);
    const edges = [edge(), edge()];
    const headers = Object.fromEntries(cloudFrontHeaders(ownClient));
    for (const one of edges) {
      const { body } = await send(port, { protocol: 'https:', ...presenting(one), headers });
      expect(body).toBe('authenticated');
    }
    expect(seen).toMatchObject(edges.map(({ der }) => ({ certificateSha256: sha256(der) })));
  });

  it('"The shared secret": two are good, and the old one is not from the next request on', async () => {
    const [code = ''] = blocks('The shared secret', 1);
    const lines = code.trim().split('\n');
    const drop = lines.pop() as string;
    const [newSecret, oldSecret] = ['n'.repeat(40), 'o'.repeat(40)];
    const made = await run<{ channel: ReturnType<typeof originMtls>; dropOld: () => void }>(
      lines.join('\n'),
      `channel, dropOld: () => {\n${drop}\n}`,
      { newSecret, oldSecret },
    );
    const trust = TrustStore.fromDer([own.der]);
    const authenticator = createAuthenticator({ trust, source: cloudFront({ channel: made.channel }) });
    const askWith = async (secret: string): Promise<unknown> => {
      const request = requestOf(['X-Origin-Secret', secret, ...linesOf(ownClient)]);
      const outcome = await authenticator.authenticate(request);
      return outcome.status === 'rejected' ? outcome.error.code : outcome.channel;
    };
    const evidence = { proof: 'shared-secret', header: 'x-origin-secret' };
    await expect(askWith(newSecret)).resolves.toEqual({ ...evidence, secret: 0 });
    await expect(askWith(oldSecret)).resolves.toEqual({ ...evidence, secret: 1 });
    made.dropOld();
    await expect(askWith(newSecret)).resolves.toEqual({ ...evidence, secret: 0 });
    await expect(askWith(oldSecret)).resolves.toBe('ERR_CHANNEL_UNTRUSTED');
  });

  describe('"A CA is compromised"', () => {
    it('refuses everything below its key from the next request on', async () => {
      const denyList = createDenyList();
      const revocation = createRevocation({ denyList });
      const authenticator = behind(TrustStore.fromDer([own.der, partner.der]), revocation);
      const below = clientOf(partner.issueIntermediate({ ...validity, subject: 'CN=Below' }), 'urn:below');
      const verdicts = async () =>
        Promise.all([ownClient, partnerClient, below].map((client) => verdictOn(authenticator, client)));
      await expect(verdicts()).resolves.toEqual([['urn:own'], ['urn:partner'], ['urn:below']]);
      const [, call = ''] = /`(denyList\.add\(.+?\))`/.exec(sectionOf('A CA is compromised')) ?? [];
      await run(call, '', { denyList, spkiSha256: spkiSha256Of(partner) });
      const refused = 'ERR_CERTIFICATE_DENIED';
      await expect(verdicts()).resolves.toEqual([['urn:own'], refused, refused]);
    });

    it('removes its certificate, also where that is much of the store, and never the last one', async () => {
      const path = write('viewers/own.pem', own.pem);
      write('viewers/partner.pem', pemOf(partner, other));
      const trust = closeLater(watchTrustStore({ anchors: join(folder, 'pki/viewers') }));
      rmSync(join(folder, 'pki/viewers/partner.pem'));
      await until(() => trust.health.status === 'degraded');
      const [, call = ''] = /`(trust\.reload\(.+?\))`/.exec(sectionOf('A CA is compromised')) ?? [];
      await run(`await ${call}`, '', { trust });
      expect(trust.health).toMatchObject({ status: 'ok', generation: 2 });
      rmSync(path);
      await run(`await ${call}`, '', { trust });
      expect(trust.health.error).toMatchObject({ code: 'ERR_TRUST_STORE_EMPTY' });
      write('viewers/other.pem', other.pem);
      await until(() => trust.health.status === 'ok');
      await expect(verdictOn(behind(trust), ownClient)).resolves.toBe(stranger);
    });
  });
});

describe('"Shutting down"', () => {
  const [code = ''] = blocks('Shutting down', 1);
  const [watching = ''] = codeUnder(page, 'Revocation', 'js');

  it('leaves no timer and no handle', async () => {
    const open = new Map<number, string>();
    const hook = createHook({
      init: (id, type) => /^(?:Timeout|FSEVENTWRAP|TCPSERVERWRAP)$/.test(type) && open.set(id, type),
      destroy: (id) => open.delete(id),
    }).enable();
    closing.push(() => hook.disable());
    const trust = watchTrustStore({ anchors: write('viewers/ca.pem', own.pem) });
    const edgeTrust = watchTrustStore({ anchors: write('edge-ca.pem', partner.pem) });
    write('deny-list', '');
    write('crls/own.pem', crlPem(own.crl({ thisUpdate: daysFromNow(-1), nextUpdate: daysFromNow(1) })));
    const { revocation } = await run<{ revocation: Revocation }>(watching, 'revocation', { trust });
    const server = createHttpServer();
    await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
    const kinds = new Set(open.values());
    expect([...kinds].toSorted()).toEqual(['FSEVENTWRAP', 'TCPSERVERWRAP', 'Timeout']);
    await run(code, '', { server, trust, edgeTrust, revocation });
    for (let turn = 0; open.size > 0 && turn < 1_000; turn++) await nextTurn();
    expect([...open.values()]).toEqual([]);
  });
});
