import { once } from 'node:events';
import http from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { admitRequest, type Authenticator, cloudFront, encodeClientCert } from '@peercert/core';
import { createAuthority } from '@peercert/testkit';
import { behindEdge, edgeChannel, edgeSecret } from '../support/requests';
import { closeServers, listen } from '../support/servers';

const root = createAuthority();
const certOf = (uri: string): string => `Client-Cert: ${encodeClientCert(root.issue({ uris: [uri] }).der)}`;
const alice = certOf('urn:alice');
const admin = certOf('urn:admin');
const secret = `X-Edge-Secret: ${edgeSecret}`;

const required = behindEdge([root]);
const optional = behindEdge([root], { presence: 'optional' });

let warnings: jest.SpyInstance;
beforeEach(() => {
  warnings = jest.spyOn(process, 'emitWarning').mockImplementation();
});
afterEach(async () => {
  warnings.mockRestore();
  await closeServers();
});

/** An origin that answers with the caller's URIs; its port. */
async function originOf(authenticator: Authenticator, options: http.ServerOptions = {}): Promise<number> {
  const server = http.createServer(options, (request, response) => {
    void admitRequest(authenticator, request).then((admission) => {
      response.statusCode = admission.refusal?.status ?? 200;
      return response.end(admission.refusal?.code ?? String(admission.identity?.uris ?? 'anonymous'));
    });
  });
  return listen(server);
}

/** Everything an origin answers to octets sent on one connection: status and body of each response. */
async function answersTo(port: number, octets: string): Promise<readonly string[]> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.end(octets, 'latin1');
  const received = await text(socket).catch(() => '');
  return received.split(/(?=HTTP\/1\.1 )/).map((answer) => {
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    return `${head.slice(9, 12)} ${body.replace(/^[0-9a-f]+\r\n|\r\n0$/g, '')}`.trim();
  });
}

const get = (...lines: readonly string[]): string => `GET / HTTP/1.1\r\nHost: x\r\n${lines.join('\r\n')}\r\n\r\n`;

describe('CH-22: a request smuggled on the connection of the proxy', () => {
  it.each<[string, string]>([
    [
      'behind a body whose length the proxy did not see',
      `POST / HTTP/1.1\r\nHost: x\r\n${secret}\r\n${alice}\r\nContent-Length: 0\r\n\r\n${get(admin)}`,
    ],
    ['behind another request', get(secret, alice) + get(admin)],
    ['with a guessed secret', get(secret, alice) + get('X-Edge-Secret: guess', admin)],
    ['with the secret of the first in its own body', `${get(secret, alice)}${get(admin, 'X-Other: X-Edge-Secret')}`],
  ])('is refused for want of the secret, which is asked for in every request: %s', async (_, octets) => {
    const port = await originOf(optional);
    await expect(answersTo(port, octets)).resolves.toEqual(['200 urn:alice', '403 certificate_required']);
  });

  it.each<[string, string]>([
    ['two lengths', 'Content-Length: 0\r\nContent-Length: 5'],
    ['a length and chunks', 'Content-Length: 0\r\nTransfer-Encoding: chunked'],
    ['a length that is no number', 'Content-Length: 0x5'],
    ['an unknown transfer coding', 'Transfer-Encoding: xchunked'],
    ['chunks that are not last', 'Transfer-Encoding: chunked, identity'],
  ])('gets no further than Node with a body of %s', async (_, lines) => {
    const octets = `POST / HTTP/1.1\r\nHost: x\r\n${secret}\r\n${alice}\r\n${lines}\r\n\r\n${get(secret, admin)}`;
    const answers = await answersTo(await originOf(required), octets);
    expect(answers).not.toContain('200 urn:admin');
    expect(answers.at(-1)).toBe('400');
  });
});

describe('CH-20: what a viewer writes into a header of their own', () => {
  const octets = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code));

  // The proxy adds its secret and, for this viewer, no certificate.
  it.each<[string, (octet: string) => string]>([
    ['behind one octet', (octet) => `X-Viewer: a${octet}${admin}`],
    ['behind one octet twice', (octet) => `X-Viewer: a${octet}${octet}${admin}`],
    ['behind one octet and a carriage return', (octet) => `X-Viewer: a${octet}\r${admin}`],
    ['in front of one octet', (octet) => `X-Viewer: a${octet}b:${admin.slice(12)}`],
    ['as a name that ends in one octet', (octet) => admin.replace(':', `${octet}:`)],
    ['as a name that begins with one octet', (octet) => octet + admin],
    ['as a name with one octet for its hyphen', (octet) => admin.replace('-', octet)],
  ])('becomes no certificate, whatever the octet: %s', async (_, lineOf) => {
    const port = await originOf(optional);
    const got = new Set<string>();
    for (const octet of octets) {
      const line = lineOf(octet);
      // These spell the header itself: a proxy that lets them through has forged it, or they are harmless.
      if (line === admin || (octet === '\n' && line.includes(`\n${admin}`))) continue;
      if (/^\s*client-cert:/i.test(line)) continue;
      for (const answer of await answersTo(port, get(secret, line))) got.add(answer);
    }
    const harmless = new Set(['200 anonymous', '400', '400 malformed']);
    expect([...got].filter((answer) => !harmless.has(answer))).toEqual([]);
  });

  it('stays in the value where the parser is told to be lenient, of which there is a warning', async () => {
    const port = await originOf(optional, { insecureHTTPParser: true });
    for (const line of [`X-Viewer: a\0${admin}`, `X-Viewer: a\u007f${admin}`, `X-Viewer: a\u0001${admin}`]) {
      await expect(answersTo(port, get(secret, line))).resolves.toEqual(['200 anonymous']);
    }
    expect(warnings.mock.calls.map(([, { code }]: [string, { code: string }]) => code)).toContain(
      'PEERCERT_INSECURE_PARSER',
    );
  });
});

describe('what an origin does not implement', () => {
  it('CH-21: Early-Data is not looked at: such a request is judged as any other', async () => {
    const port = await originOf(required);
    const answers = await answersTo(port, get(secret, alice, 'Early-Data: 1') + get(secret, 'Early-Data: 1'));
    expect(answers).toEqual(['200 urn:alice', '403 certificate_required']);
  });
});

describe('F27: a connection on which a request was refused', () => {
  it('carries good requests before, between and behind bad ones', async () => {
    const port = await originOf(required, { maxHeaderSize: 65_536 });
    const bad = [
      get(secret, 'Client-Cert: rubbish'),
      get(secret, alice, admin),
      get(admin),
      get(secret, `Client-Cert: :${'A'.repeat(40_000)}:`),
      get(secret, alice, 'Connection: keep-alive, client-cert'),
    ];
    const answers = await answersTo(
      port,
      bad.map((octets) => get(secret, alice) + octets).join('') + get(secret, admin),
    );
    expect(answers).toEqual([
      '200 urn:alice',
      '400 malformed',
      '200 urn:alice',
      '400 malformed',
      '200 urn:alice',
      '403 certificate_required',
      '200 urn:alice',
      '400 malformed',
      '200 urn:alice',
      '400 malformed',
      '200 urn:admin',
    ]);
  });
});

describe('companions of CloudFront', () => {
  const digest = encodeClientCert(root.der).length.toString(16).padStart(64, '0');

  it.each<[string, readonly string[], string]>([
    [
      'CH-14: a certificate that was presented and not forwarded',
      ['CloudFront-Viewer-Cert-Present: 1'],
      '403 certificate_required',
    ],
    ['CH-28: a certificate beside "none was presented"', [alice, 'CloudFront-Viewer-Cert-Present: 0'], '400 malformed'],
    ['CH-28: the digest of another certificate', [alice, `CloudFront-Viewer-Cert-Sha256: ${digest}`], '400 malformed'],
    ['CH-28: an empty digest', [alice, 'CloudFront-Viewer-Cert-Sha256:'], '400 malformed'],
    [
      'CH-28: a digest twice',
      [alice, ...Array<string>(2).fill(`CloudFront-Viewer-Cert-Sha256: ${digest}`)],
      '400 malformed',
    ],
    [
      'CH-28: a companion under an alias beside the certificate',
      [alice, 'CloudFront_Viewer_Cert_Present: 0'],
      '400 malformed',
    ],
    [
      'CH-28: another subject and serial number, which are nobody’s identity',
      [alice, 'CloudFront-Viewer-Cert-Subject: CN=admin', 'CloudFront-Viewer-Cert-Serial-Number: 1'],
      '200 urn:alice',
    ],
    [
      'CH-28: companions alone',
      ['CloudFront-Viewer-Cert-Subject: CN=admin', `CloudFront-Viewer-Cert-Sha256: ${digest}`],
      '403 certificate_required',
    ],
    ['the word that none was presented, and none', ['CloudFront-Viewer-Cert-Present: 0'], '403 certificate_required'],
  ])('are judged with it: %s', async (_, lines, expected) => {
    await expect(answersTo(await originOf(required), get(secret, ...lines))).resolves.toEqual([expected]);
  });

  it('do not help a certificate whose verdict is known, though they came without it before', async () => {
    const port = await originOf(behindEdge([root], { source: cloudFront({ channel: edgeChannel }) }));
    const wrong = `CloudFront-Viewer-Cert-Sha256: ${digest}`;
    const answers = await answersTo(port, get(secret, alice) + get(secret, alice, wrong) + get(secret, alice));
    expect(answers).toEqual(['200 urn:alice', '400 malformed', '200 urn:alice']);
  });
});
