import { hash } from 'node:crypto';
import {
  admitRequest,
  alb,
  albVerified,
  type AlbVerifiedOptions,
  allOf,
  type CertificateRequest,
  type ChannelEvidence,
  cloudFront,
  sharedSecret,
} from '@peercert/core';
import {
  albHeaders,
  cloudFrontHeaders,
  createAuthority,
  daysFromTestTime,
  TEST_TIME,
  type TestCertificate,
} from '@peercert/testkit';
import { behindEdge, edgeSecret, requestOf } from '../../../support/requests';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const edgeName = 'edge.origin.example.com';
const edgeRoot = createAuthority({ subject: 'CN=Edge Root' });
const edge = edgeRoot.issue({ dnsNames: ['other.example.com', edgeName] });
const viewerRoot = createAuthority({ subject: 'CN=Viewer Root' });
const viewer = viewerRoot.issue({ uris: ['urn:viewer:1'] });
const pinOf = ({ key }: TestCertificate): string =>
  hash('sha256', key.publicKey.export({ type: 'spki', format: 'der' }), 'hex');

const options: AlbVerifiedOptions = { addresses: ['10.0.0.0/16'], dnsNames: [edgeName] };
const inVpc = { encrypted: false, destroyed: false, remoteAddress: '10.0.3.4' };
const verified = (certificate: TestCertificate): string[] => albHeaders(certificate, { mode: 'verify' }).flat();
const leafOf = (certificate: TestCertificate): string => verified(certificate)[1] as string;
const header = 'x-amzn-mtls-clientcert-leaf';

const from = (lines: readonly string[], socket: object = inVpc): CertificateRequest => requestOf(lines, socket);
const prove = (
  request: CertificateRequest,
  changed: Partial<AlbVerifiedOptions> = {},
  time = TEST_TIME,
): ChannelEvidence | Promise<ChannelEvidence> =>
  albVerified({ ...options, ...changed }).prove(request, { time: time.getTime(), clientTrust: undefined });
const distrust = (reason: string) => ({ proof: 'alb-verified', reason }) as never;

describe("the load balancer's view of CloudFront", () => {
  it('is accepted, and says whose certificate and which address it was', () => {
    const evidence = prove(from(verified(edge)));
    expect(evidence).toEqual({
      proof: 'alb-verified',
      address: '10.0.3.4',
      certificateSha256: hash('sha256', edge.der, 'hex'),
      spkiSha256: pinOf(edge),
    });
    expect(Object.isFrozen(evidence)).toBe(true);
  });

  it.each<[string, Partial<AlbVerifiedOptions>, Partial<typeof inVpc>]>([
    ['one of two names', { dnsNames: ['x.example.com', edgeName.toUpperCase()] }, {}],
    ['a pin', { spkiSha256: ['00'.repeat(32), pinOf(edge).toUpperCase()] }, {}],
    ['an IPv4-mapped address', {}, { remoteAddress: '::ffff:10.0.3.4' }],
  ])('is accepted with %s', (_, changed, socket) => {
    expect(prove(from(verified(edge), { ...inVpc, ...socket }), changed)).toMatchObject({ proof: 'alb-verified' });
  });

  it.each<[string, readonly string[], object, string, Partial<AlbVerifiedOptions>]>([
    ['CH-02: from another address', verified(edge), { ...inVpc, remoteAddress: '10.1.0.1' }, 'address-not-trusted', {}],
    ['CH-05: from a peer that is gone', verified(edge), { ...inVpc, remoteAddress: undefined }, 'peer-gone', {}],
    ['without the header', [], inVpc, 'certificate-missing', {}],
    ['CH-08: with an alias alone', ['X_Amzn_Mtls_Clientcert_Leaf', leafOf(edge)], inVpc, 'certificate-missing', {}],
    ['CH-06: with the header twice', [...verified(edge), ...verified(edge)], inVpc, 'certificate-repeated', {}],
    [
      'CH-06: with a forged one first',
      ['x-amzn-mtls-clientcert-LEAF', leafOf(edge), ...verified(viewer)],
      inVpc,
      'certificate-repeated',
      {},
    ],
    ['of somebody else', verified(viewer), inVpc, 'name-not-permitted', {}],
    ['of another key', verified(edge), inVpc, 'key-not-pinned', { spkiSha256: ['00'.repeat(32)] }],
    [
      'of the right key and another name',
      verified(edge),
      inVpc,
      'name-not-permitted',
      { dnsNames: ['x.example'], spkiSha256: [pinOf(edge)] },
    ],
  ])('CH-01: is refused %s', (_, lines, socket, reason, changed) => {
    expect(() => prove(from(lines, socket), changed)).toThrowWithCode('ERR_CHANNEL_UNTRUSTED', distrust(reason));
  });

  it.each<[string, string, object]>([
    ['nothing', '', { code: 'ERR_HEADER_MALFORMED', details: { header, reason: 'it is empty' } }],
    ['EN-19: RFC 9440', `:${edge.der.toString('base64')}:`, { code: 'ERR_HEADER_MALFORMED' }],
    [
      'EN-17: two certificates',
      leafOf(edge) + leafOf(edge),
      { code: 'ERR_HEADER_MALFORMED', details: { header, reason: 'it holds more than one certificate' } },
    ],
    [
      'EN-09: too long a value',
      'A'.repeat(33_382),
      { code: 'ERR_HEADER_TOO_LARGE', details: { header, bytes: 33_382, maximum: 33_381 } },
    ],
    [
      'what is no certificate',
      '-----BEGIN%20CERTIFICATE-----%0AAAEC%0A-----END%20CERTIFICATE-----',
      { code: 'ERR_CERTIFICATE_MALFORMED', details: { position: 0, reason: 'Certificate expected', offset: 0 } },
    ],
  ])('is refused with %s, for a reason that is told', (_, text, cause) => {
    const act = (): unknown => prove(from([header, text]));
    expect(act).toThrowWithCode('ERR_CHANNEL_UNTRUSTED', distrust('certificate-rejected'));
    expect(causeOf(act)).toMatchObject(cause);
  });

  it('CA-01: is judged at the time of the request, also when it is known', () => {
    const proof = albVerified(options);
    const at = (time: Date) => proof.prove(from(verified(short)), { time: time.getTime(), clientTrust: undefined });
    const short = edgeRoot.issue({
      dnsNames: [edgeName],
      notBefore: daysFromTestTime(-1),
      notAfter: daysFromTestTime(1),
    });
    expect(at(TEST_TIME)).toMatchObject({ proof: 'alb-verified' });
    for (const [days, code] of [
      [2, 'ERR_CERTIFICATE_EXPIRED'],
      [-2, 'ERR_CERTIFICATE_NOT_YET_VALID'],
    ] as const) {
      const act = (): unknown => at(daysFromTestTime(days));
      expect(act).toThrowWithCode('ERR_CHANNEL_UNTRUSTED', distrust('certificate-rejected'));
      expect(causeOf(act)).toMatchObject({ code, details: { depth: 0, time: daysFromTestTime(days) } });
    }
    expect(at(daysFromTestTime(1))).toMatchObject({ proof: 'alb-verified' });
  });

  it('decodes a certificate it knows once', () => {
    const proof = albVerified(options);
    const lines = verified(edge);
    const once = (): unknown => proof.prove(from(lines), { time: TEST_TIME.getTime(), clientTrust: undefined });
    once();
    const decoding = jest.spyOn(Buffer, 'allocUnsafeSlow');
    once();
    expect(decoding).not.toHaveBeenCalled();
    decoding.mockRestore();
  });
});

function causeOf(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return (error as Error).cause;
  }
}

describe('CloudFront, a load balancer and Node', () => {
  const source = cloudFront({ channel: albVerified(options), otherCertificateHeaders: 'reject' });
  const lines = [...cloudFrontHeaders(viewer).flat(), ...verified(edge)];

  it("gives the viewer's identity, and hides both certificates", async () => {
    const authenticator = behindEdge([viewerRoot], { source });
    const request = from([...lines, 'X-Own', '1']);
    await expect(admitRequest(authenticator, request)).resolves.toMatchObject({
      admitted: true,
      identity: { uris: ['urn:viewer:1'], source: 'cloudfront' },
    });
    expect(request.rawHeaders).toEqual(['X-Own', '1']);
  });

  it("says nothing of ignored headers where the load balancer's are read", async () => {
    const events: object[] = [];
    await behindEdge([viewerRoot], { source, onOutcome: (event) => events.push(event) }).authenticate(from(lines));
    expect(events).toEqual([expect.not.objectContaining({ 'clientcert.ignored_headers': expect.anything() })]);
    expect(events).toEqual([expect.objectContaining({ 'clientcert.channel.proof': 'alb-verified' })]);
  });

  it("CH-11: refuses a Connection that names the load balancer's header", async () => {
    const outcome = await behindEdge([viewerRoot], { source }).authenticate(from([...lines, 'Connection', header]));
    expect(outcome).toMatchObject({ status: 'rejected', error: { code: 'ERR_HEADER_HOP_BY_HOP' } });
  });

  it('CH-01: refuses the viewer who comes to the load balancer past CloudFront', async () => {
    const past = from([...cloudFrontHeaders(viewer).flat(), ...verified(viewer)]);
    const outcome = await behindEdge([viewerRoot], { source }).authenticate(past);
    expect(outcome).toMatchObject({ status: 'rejected', error: { code: 'ERR_CHANNEL_UNTRUSTED' } });
  });
});

describe('constructing it', () => {
  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'albVerified takes an options object; it received undefined.'],
    [
      'no addresses',
      { dnsNames: [edgeName] },
      'trustedAddresses needs a non-empty array of networks; it received undefined.',
    ],
    [
      'no names',
      { addresses: ['10.0.0.0/8'] },
      'albVerified needs dnsNames or spkiSha256: whoever the load balancer lets in would pass for CloudFront otherwise.',
    ],
    [
      'empty names',
      { ...options, dnsNames: [] },
      'dnsNames must be a non-empty array of non-empty strings; it received an empty array.',
    ],
    ['half a pin', { ...options, spkiSha256: ['00'] }, 'spkiSha256 takes SHA-256 in 64 hexadecimal digits.'],
    [
      'a misspelt option',
      { ...options, dnsnames: [] },
      'albVerified received an unknown option, `dnsnames`. Did you mean `dnsNames`?',
    ],
  ])('rejects %s', (_, given, message) => {
    expect(() => albVerified(given as never)).toThrow(new TypeError(message));
  });

  it('is good by itself for private addresses only', () => {
    expect(albVerified(options)).toMatchObject({ proof: 'alb-verified', isSufficient: true, readsTlsPeer: false });
    const anywhere = albVerified({ ...options, addresses: ['0.0.0.0/0'] });
    expect(anywhere.isSufficient).toBe(false);
    expect(() => cloudFront({ channel: anywhere })).toThrow(
      /^cloudFront needs a channel proof of your own distribution/,
    );
    const secret = sharedSecret({ header: 'X-Edge-Secret', secrets: [edgeSecret] });
    expect(cloudFront({ channel: allOf(anywhere, secret) }).channel.isSufficient).toBe(true);
  });

  it('cannot prove the channel of the very header it reads', () => {
    const message = `The channel proof cannot use ${header}: the source reads it. Choose another name.`;
    expect(() => alb({ mode: 'verify', channel: albVerified(options) })).toThrow(new TypeError(message));
  });

  it('has nothing against any store of client certificates', () => {
    expect(() => albVerified(options).checkTrust(undefined as never)).not.toThrow();
  });
});
