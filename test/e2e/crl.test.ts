import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  crlFiles,
  createRevocation,
  nativeTls,
  type OutcomeEvent,
  type Revocation,
  type RevocationEvent,
  TrustStore,
} from '@peercert/core';
import { clientCertificate, clientIdentityOf } from '@peercert/express';
import { createAuthority } from '@peercert/testkit';
import express from 'express';
import { manyEntries } from '../support/crls';
import { type Answer, closeServers, listen, originOptions, problem, send } from '../support/servers';
import { until } from '../support/until';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl) process.emitWarning('openssl is not installed: nothing is tested against CRLs of openssl ca.');

const configuration = `
[ca]
default_ca = own
[own]
database = index.txt
new_certs_dir = certs
serial = serial
crlnumber = crlnumber
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_days = 30
default_crl_days = 7
policy = any
x509_extensions = client
crl_extensions = crl
unique_subject = no
[any]
commonName = supplied
[client]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[crl]
authorityKeyIdentifier = keyid
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
`;

let folder = '';
let revocation: Revocation | undefined;
const agents: https.Agent[] = [];
let events: RevocationEvent[] = [];
/** Code and reason of each outcome; neither where a request was let in. */
let refusals: unknown[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'peercert-openssl-'));
  [events, refusals] = [[], []];
});
afterEach(async () => {
  for (const agent of agents.splice(0)) agent.destroy();
  await closeServers();
  await revocation?.close();
  rmSync(folder, { recursive: true });
});

/** A CA as `openssl ca` keeps it: a folder with an index. */
class OpensslCa {
  readonly #folder = join(folder, 'ca');

  constructor() {
    mkdirSync(join(this.#folder, 'certs'), { recursive: true });
    writeFileSync(this.#file('ca.cnf'), configuration);
    writeFileSync(this.#file('index.txt'), '');
    writeFileSync(this.#file('serial'), '1000\n');
    writeFileSync(this.#file('crlnumber'), '01\n');
    this.#key('ca.key');
    this.#run(
      'req',
      '-x509',
      '-config',
      'ca.cnf',
      '-extensions',
      'authority',
      '-subj',
      '/CN=OpenSSL CA',
      '-days',
      '60',
      '-key',
      'ca.key',
      '-out',
      'ca.pem',
    );
  }

  get pem(): string {
    return readFileSync(this.#file('ca.pem'), 'utf8');
  }

  issue(name: string): { readonly key: string; readonly cert: string } {
    this.#key(`${name}.key`);
    this.#run('req', '-new', '-config', 'ca.cnf', '-subj', `/CN=${name}`, '-key', `${name}.key`, '-out', `${name}.csr`);
    this.#run('ca', '-batch', '-notext', '-config', 'ca.cnf', '-in', `${name}.csr`, '-out', `${name}.pem`);
    return {
      key: readFileSync(this.#file(`${name}.key`), 'utf8'),
      cert: readFileSync(this.#file(`${name}.pem`), 'utf8'),
    };
  }

  revoke(name: string, reason: string): void {
    this.#run('ca', '-config', 'ca.cnf', '-revoke', `${name}.pem`, '-crl_reason', reason);
  }

  /** Issues a CRL, and puts it into its place by renaming it. */
  publish(place: string, form: 'PEM' | 'DER'): void {
    this.#run('ca', '-config', 'ca.cnf', '-gencrl', '-out', 'new.pem');
    this.#run('crl', '-in', 'new.pem', '-outform', form, '-out', 'new.crl');
    renameSync(this.#file('new.crl'), place);
  }

  #key(name: string): void {
    this.#run('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', name);
  }

  #run(...words: readonly string[]): void {
    execFileSync('openssl', words, { cwd: this.#folder, stdio: 'pipe' });
  }

  #file(name: string): string {
    return join(this.#folder, name);
  }
}

/** An Express origin that judges the certificates of its own TLS clients. */
async function startOrigin(
  ca: OpensslCa,
  paths: string,
): Promise<{ readonly port: number; readonly connections: () => number }> {
  const onEvent = (event: RevocationEvent): number => events.push(event);
  revocation = createRevocation({ methods: [crlFiles({ paths, onEvent })] });
  const app = express();
  const onOutcome = (event: OutcomeEvent): unknown => refusals.push([event['error.type'], event['clientcert.reason']]);
  app.use(clientCertificate({ trust: TrustStore.fromPem(ca.pem), source: nativeTls(), revocation, onOutcome }));
  app.get('/', (request, response) => void response.json(clientIdentityOf(request).subject));
  const server = https.createServer(originOptions, app);
  let connections = 0;
  server.on('secureConnection', () => (connections += 1));
  return { port: await listen(server), connections: () => connections };
}

/** Sends requests over one connection that is kept alive. */
function connect(port: number, identity: { readonly key: string; readonly cert: string }): () => Promise<Answer> {
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
  agents.push(agent);
  return async () => send(port, { protocol: 'https:', agent, ...identity });
}

(hasOpenssl ? describe : describe.skip)('F14: an origin with a CRL of openssl ca', () => {
  it.each(['PEM', 'DER'] as const)(
    'refuses the next requests on a connection in use, within 60 seconds of the change: %s',
    async (form) => {
      const ca = new OpensslCa();
      const [anna, bob] = [ca.issue('anna'), ca.issue('bob')];
      const place = join(folder, 'ca.crl');
      ca.publish(place, form);
      const origin = await startOrigin(ca, place);
      const [asAnna, asBob] = [connect(origin.port, anna), connect(origin.port, bob)];
      for (const ask of [asAnna, asBob, asAnna, asBob]) expect(await ask()).toMatchObject({ status: 200 });

      ca.revoke('anna', 'keyCompromise');
      ca.publish(place, form);
      const started = performance.now();
      await until(async () => (await asAnna()).status !== 200, 60_000);
      expect(performance.now() - started).toBeLessThan(60_000);
      expect(events).toMatchObject([
        { 'event.name': 'clientcert.revocation.replaced', 'clientcert.revocation.entries': 1 },
      ]);
      for (let count = 0; count < 3; count++) {
        expect(await asAnna()).toMatchObject({ status: 403, body: problem(403, 'certificate_rejected') });
        expect(refusals.at(-1)).toEqual(['ERR_CERTIFICATE_REVOKED', 'keyCompromise']);
      }
      expect(await asBob()).toMatchObject({ status: 200 });

      // And the next one, which lists both.
      ca.revoke('bob', 'superseded');
      ca.publish(place, form);
      await until(async () => (await asBob()).status === 403, 60_000);
      expect(await asAnna()).toMatchObject({ status: 403 });
      // One connection for each: openings of new ones would have been judged anew anyway.
      expect(origin.connections()).toBe(2);
    },
    120_000,
  );

  it('starts with a CRL that has text before it, and refuses who is revoked from the first request', async () => {
    const ca = new OpensslCa();
    const anna = ca.issue('anna');
    ca.revoke('anna', 'certificateHold');
    const place = join(folder, 'ca.crl');
    ca.publish(place, 'PEM');
    const text = execFileSync('openssl', ['crl', '-in', place, '-text'], { encoding: 'utf8' });
    expect(text).toMatch(/^Certificate Revocation List/);
    writeFileSync(place, text.replaceAll('\n', '\r\n'));
    const origin = await startOrigin(ca, place);
    expect(await connect(origin.port, anna)()).toMatchObject({
      status: 403,
      body: problem(403, 'certificate_rejected'),
    });
    expect(refusals).toEqual([['ERR_CERTIFICATE_REVOKED', 'certificateHold']]);
  });

  it('reads CRLs of many entries as OpenSSL does', () => {
    const place = join(folder, 'many.crl');
    writeFileSync(place, createAuthority().crl({ raw: { revokedCertificates: manyEntries(1_000) } }));
    const text = execFileSync('openssl', ['crl', '-in', place, '-inform', 'DER', '-noout', '-text'], {
      encoding: 'utf8',
    });
    expect(text.match(/Serial Number:/g)).toHaveLength(1_000);
    const method = crlFiles({ paths: place });
    expect(method.health.sources).toMatchObject([{ source: place, entries: 1_000 }]);
    return method.close();
  });
});
