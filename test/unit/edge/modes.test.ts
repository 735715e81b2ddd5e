import { once } from 'node:events';
import { createHash, X509Certificate } from 'node:crypto';
import type { EdgeOptions } from '@peercert/edge';
import { der, type DistinguishedName, selfSigned } from '@peercert/testkit';
import {
  closeAll,
  connectRaw,
  createClientAuthority,
  failureOf,
  issueClient,
  lines,
  onlyRequest,
  presenting,
  protocols,
  send,
  startEdge,
  startOrigin,
  toPem,
} from './laptop';

afterEach(closeAll);

const root = createClientAuthority();
const issuing = root.issueIntermediate();
const client = issueClient(issuing);
const { pem: trust } = root;

const names = ['Serial-Number', 'Issuer', 'Subject', 'Present', 'Sha256', 'Validity', 'Pem'];
const headerOf = (name: string): string => `CloudFront-Viewer-Cert-${name}`;

/** What an origin received of a viewer's certificate, by header. */
function received(request: { readonly rawHeaders: readonly string[] }): Record<string, readonly string[]> {
  const all = [...names.map(headerOf), 'Client-Cert', 'Client-Cert-Chain'];
  return Object.fromEntries(all.map((name) => [name, lines(request, name)]).filter(([, values]) => values?.length));
}

describe.each(protocols)('in required mode, over $version', ({ send: request }) => {
  it.each([
    ['a certificate of the trust store', () => presenting(client)],
    ['a path in the wrong order, with the root', () => presenting(client, [toPem(root.der), toPem(issuing.der)])],
  ])('a viewer with %s is let in', async (_, credentials) => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url, { mode: 'required', trust });
    await expect(request(edge, credentials())).resolves.toMatchObject({ status: 200, body: 'ok' });
    expect(lines(onlyRequest(origin), headerOf('Present'))).toEqual(['1']);
  });

  it.each([
    ['no certificate', () => ({})],
    ['a certificate without its intermediate', () => presenting(client, [])],
    ['a certificate of another authority', () => presenting(issueClient(createClientAuthority()))],
    ['a self-signed certificate', () => presenting(selfSigned())],
    ['an expired certificate', () => presenting(root.issue({ notBefore: new Date(0), notAfter: new Date(1000) }))],
    ['a server certificate', () => presenting(root.issue({ extKeyUsage: ['serverAuth'] }))],
    ['the certificate of the authority', () => presenting(issuing)],
  ])('the connection of a viewer with %s is closed', async (_, credentials) => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url, { mode: 'required', trust });
    await expect(failureOf(request(edge, credentials()))).resolves.toHaveProperty('message');
    expect(origin.requests).toEqual([]);
    await expect(request(edge, presenting(client))).resolves.toMatchObject({ status: 200 });
  });
});

describe('in optional mode', () => {
  it('a viewer without a certificate is let in, and the origin is told so', async () => {
    const origin = await startOrigin();
    await send(await startEdge(origin.url, { mode: 'optional', trust }));
    expect(received(onlyRequest(origin))).toEqual({ [headerOf('Present')]: ['0'] });
  });

  it('a viewer with a certificate is let in', async () => {
    const origin = await startOrigin();
    await send(await startEdge(origin.url, { mode: 'optional', trust }), presenting(client));
    expect(lines(onlyRequest(origin), headerOf('Present'))).toEqual(['1']);
  });

  it('the connection of a viewer with a bad certificate is closed', async () => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url, { mode: 'optional', trust });
    await expect(failureOf(send(edge, presenting(selfSigned())))).resolves.toMatchObject({ code: 'ECONNRESET' });
    expect(origin.requests).toEqual([]);
  });
});

describe('the depth of a chain in required mode', () => {
  const intermediates = [issuing];
  for (let count = 1; count < 4; count += 1) intermediates.push(intermediates.at(-1)!.issueIntermediate());

  it('is accepted at four certificates, refused at five', async () => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url, { mode: 'required', trust });
    const [deepest, tooDeep] = [issueClient(intermediates[2]!), issueClient(intermediates[3]!)];
    await expect(send(edge, presenting(deepest))).resolves.toMatchObject({ status: 200 });
    await expect(failureOf(send(edge, presenting(tooDeep)))).resolves.toMatchObject({ code: 'ECONNRESET' });
  });
});

describe('a viewer whose certificate takes a while to validate', () => {
  const rsa = createClientAuthority().issueIntermediate({ keyAlgorithm: 'rsa2048' });

  it.each([
    ['HTTP/1.1', 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'],
    ['nothing at all', ''],
  ])('may send %s before the verdict and go', async (_, bytes) => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url, { mode: 'required', trust: rsa.pem });
    const socket = connectRaw(edge, presenting(issueClient(rsa)));
    await once(socket, 'secureConnect');
    if (bytes === '') socket.destroy();
    else socket.resume().write(bytes);
    await once(socket, 'close');
    expect(origin.requests).toHaveLength(bytes === '' ? 0 : 1);
  });
});

describe('the fields that describe a certificate', () => {
  const described = root.issue({
    // In the order of the encoding, which RFC 2253 reverses.
    subject: 'O=Example,CN=device-1',
    serialNumber: 0x4a3f5cn,
    notBefore: new Date('2023-09-21T01:50:17Z'),
    notAfter: new Date('2043-09-20T01:50:17Z'),
  });

  it.each(['required', 'optional'] as const)('are all written in %s mode, and no Client-Cert', async (mode) => {
    const origin = await startOrigin();
    await send(await startEdge(origin.url, { mode, trust }), presenting(described));
    const { 'CloudFront-Viewer-Cert-Pem': pem, ...others } = received(onlyRequest(origin));
    expect(others).toEqual({
      'CloudFront-Viewer-Cert-Serial-Number': ['4a:3f:5c'],
      'CloudFront-Viewer-Cert-Issuer': [new X509Certificate(root.pem).subject],
      'CloudFront-Viewer-Cert-Subject': ['CN=device-1,O=Example'],
      'CloudFront-Viewer-Cert-Present': ['1'],
      'CloudFront-Viewer-Cert-Sha256': [createHash('sha256').update(described.der).digest('hex')],
      'CloudFront-Viewer-Cert-Validity': ['NotBefore=2023-09-21T01:50:17Z;NotAfter=2043-09-20T01:50:17Z'],
    });
    expect(pem?.[0]).toMatch(/^-----BEGIN%20CERTIFICATE-----%0A[\w+/=%]+%0A-----END%20CERTIFICATE-----%0A$/);
    expect(decodeURIComponent(pem?.[0] ?? '')).toBe(described.pem);
  });

  it('are those that are listed, in required mode', async () => {
    const origin = await startOrigin();
    const viewerCertHeaders = ['cloudfront-viewer-cert-pem', 'CLOUDFRONT-VIEWER-CERT-PRESENT'];
    await send(await startEdge(origin.url, { mode: 'required', trust, viewerCertHeaders }), presenting(described));
    expect(Object.keys(received(onlyRequest(origin)))).toEqual([headerOf('Present'), headerOf('Pem')]);
  });

  it('are none in passthrough mode', async () => {
    const origin = await startOrigin();
    await send(await startEdge(origin.url), presenting(described, []));
    expect(Object.keys(received(onlyRequest(origin)))).toEqual(['Client-Cert']);
  });

  it('are those that are listed, in passthrough mode', async () => {
    const origin = await startOrigin();
    const viewerCertHeaders = [headerOf('Present'), headerOf('Sha256')];
    const edge = await startEdge(origin.url, { viewerCertHeaders });
    await send(edge, presenting(described, []));
    await send(edge);
    expect(origin.requests.map(received)).toEqual([
      {
        [headerOf('Present')]: ['1'],
        [headerOf('Sha256')]: [createHash('sha256').update(described.der).digest('hex')],
        'Client-Cert': [expect.any(String)],
      },
      { [headerOf('Present')]: ['0'] },
    ]);
  });

  it.each<[string, DistinguishedName]>([
    ['CN=a,O=b,C=US', 'C=US,O=b,CN=a'],
    ['', ''],
    ['CN=a\\, b \\+ c,O=\\"d\\"\\\\', [[{ type: 'O', value: '"d"\\' }], [{ type: 'CN', value: 'a, b + c' }]]],
    [
      'CN=1+UID=2,O=b',
      [
        { type: 'O', value: 'b' },
        [
          { type: 'CN', value: '1' },
          { type: 'UID', value: '2' },
        ],
      ],
    ],
    ['CN=Gr\\C3\\BCn', [{ type: 'CN', value: 'Gr\u00fcn' }]],
    ['CN=a\\0D\\0Ab', [{ type: 'CN', value: 'a\r\nb' }]],
  ])('have RFC 2253 names: %j', async (text, subject) => {
    const origin = await startOrigin();
    const viewer = root.issue({ subject });
    await send(await startEdge(origin.url, { viewerCertHeaders: [headerOf('Subject')] }), presenting(viewer, []));
    expect(lines(onlyRequest(origin), headerOf('Subject'))).toEqual([text]);
  });

  it('that cannot be written close the connection of their viewer, and the edge goes on', async () => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url, { viewerCertHeaders: [headerOf('Validity')] });
    const noDate = der.sequence(der.utcTime('261301000000Z'), der.utcTime('271301000000Z'));
    const viewer = root.issue({ raw: { validity: noDate } });
    await expect(failureOf(send(edge, presenting(viewer, [])))).resolves.toMatchObject({ code: 'ECONNRESET' });
    await expect(send(edge, presenting(described))).resolves.toMatchObject({ status: 200 });
  });
});

describe('the fields that the origin request policy lists', () => {
  it.each([
    [[], {}],
    [['client-cert'], { 'Client-Cert': 1 }],
    [['Client-Cert-Chain'], { 'Client-Cert-Chain': 1 }],
    [['CLIENT-CERT-CHAIN', 'Client-Cert'], { 'Client-Cert': 1, 'Client-Cert-Chain': 1 }],
  ])('of clientCertHeaders %j are all that reach the origin', async (clientCertHeaders, expected) => {
    const origin = await startOrigin();
    const edge = await startEdge(origin.url, { clientCertHeaders });
    await send(edge, { ...presenting(client), headers: ['Client-Cert', ':Zm9yZ2Vk:'] });
    const counts = Object.entries(received(onlyRequest(origin))).map(([name, values]) => [name, values.length]);
    expect(Object.fromEntries(counts)).toEqual(expected);
  });
});

describe.each(protocols)('certificate fields that a viewer makes up, over $version', ({ send: request }) => {
  const forged = [...names.map(headerOf), 'Client-Cert', 'Client-Cert-Chain'].flatMap((name) => [name, 'forged']);
  const describing = names.map(headerOf);
  const both = ['Client-Cert', 'Client-Cert-Chain'];

  it.each<[Partial<EdgeOptions>, readonly string[]]>([
    [{}, describing],
    [{ clientCertHeaders: [] }, describing],
    [{ viewerCertHeaders: [headerOf('Sha256')] }, []],
    [{ forgedCertHeaders: 'drop' }, []],
    [{ mode: 'optional', trust }, both],
    [{ mode: 'optional', trust, viewerCertHeaders: [] }, [...describing, ...both]],
    [{ mode: 'optional', trust, forgedCertHeaders: 'drop' }, []],
    [{ mode: 'optional', trust, viewerCertHeaders: [], forgedCertHeaders: 'drop' }, []],
  ])('reach the origin with the options %j: %j', async (options, expected) => {
    const origin = await startOrigin();
    await request(await startEdge(origin.url, options), { headers: forged });
    const all = Object.entries(received(onlyRequest(origin)));
    expect(all.filter(([, values]) => values.includes('forged')).map(([name]) => name)).toEqual(expected);
  });
});
