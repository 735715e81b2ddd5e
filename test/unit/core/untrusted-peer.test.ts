import {
  type AuthenticatorOptions,
  type CertificateRequest,
  cloudFront,
  createAuthenticator,
  createGuard,
  admitRequest,
  dangerouslyTrustAnyPeer,
  nativeTls,
  originMtls,
  type OutcomeEvent,
  TrustStore,
} from '@peercert/core';
import { cloudFrontHeaders, createAuthority } from '@peercert/testkit';
import { behindEdge, callerOf, countingDecodes, edgeChannel, fromEdge, requestOf } from '../../support/requests';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../support/refusals';

const root = createAuthority();
const client = root.issue({ uris: ['urn:client'] });
const stranger = createAuthority({ subject: 'CN=Stranger' }).issue();
const ofClient = cloudFrontHeaders(client).flat();

const lenient = (options: Partial<AuthenticatorOptions> = {}) =>
  behindEdge([root], { presence: 'optional', untrustedPeer: 'anonymous', ...options });

describe("untrustedPeer: 'anonymous'", () => {
  it.each<[string, CertificateRequest]>([
    ['nothing', requestOf([])],
    ['CH-01: a genuine certificate', requestOf(ofClient)],
    ['CH-01: a genuine certificate and a wrong secret', requestOf(['X-Edge-Secret', 'wrong', ...ofClient])],
    ['a certificate that would be malformed', requestOf(['Client-Cert', 'rubbish', 'client_cert', 'x'])],
    ['a Connection that would be refused', requestOf([...ofClient, 'Connection', 'client-cert, x-edge-secret'])],
    ['CH-15: more headers than Node keeps', requestOf(Array<string>(4_000).fill('x'))],
    ['CH-05: no socket', { rawHeaders: ofClient, socket: undefined as never }],
  ])('takes a request past the proxy for anonymous, its headers not looked at: %s', async (_, request) => {
    const collect = jest.fn();
    const source = { ...cloudFront({ channel: edgeChannel }), collect };
    expect(await lenient({ source }).authenticate(request)).toEqual({
      status: 'anonymous',
      channel: { proof: 'none' },
    });
    expect(collect).not.toHaveBeenCalled();
  });

  it('hides the headers that were not looked at from handlers, and lets no guard be passed', async () => {
    const request = requestOf([...ofClient, 'X-Edge-Secret', 'wrong', 'X-Other', 'kept']);
    await expect(admitRequest(lenient(), request)).resolves.toEqual({ admitted: true, identity: undefined });
    expect(request.rawHeaders).toEqual(['X-Other', 'kept']);
    await expect(createGuard()(request, request)).resolves.toMatchObject({
      admitted: false,
      error: { code: 'ERR_CERTIFICATE_REQUIRED' },
    });
  });

  it('changes nothing for requests through the proxy', async () => {
    const authenticator = lenient();
    await expect(callerOf(authenticator, fromEdge(...ofClient))).resolves.toEqual(['urn:client']);
    await expect(callerOf(authenticator, fromEdge())).resolves.toEqual(['anonymous']);
    await expect(callerOf(authenticator, fromEdge(...cloudFrontHeaders(stranger).flat()))).toRejectWith(
      'ERR_PATH_ISSUER_UNKNOWN',
      { depth: 1, issuer: 'CN=Stranger' },
    );
    await expect(callerOf(authenticator, fromEdge('Client-Cert', ''))).rejects.toMatchObject({
      code: 'ERR_HEADER_MALFORMED',
    });
  });

  it('does not take a failure for an untrusted peer', async () => {
    const source = cloudFront({
      channel: {
        ...dangerouslyTrustAnyPeer(),
        prove: () => {
          throw new Error('broken');
        },
      },
    });
    await expect(callerOf(lenient({ source }), fromEdge())).toRejectWith('ERR_INTERNAL', {});
  });

  it('does not take a source that loses the peer for an untrusted peer', async () => {
    const source = {
      ...cloudFront({ channel: edgeChannel }),
      collect: (given: CertificateRequest) => nativeTls().collect(given),
    };
    const request = { rawHeaders: fromEdge().rawHeaders, socket: requestOf([], { remoteAddress: '::1' }).socket };
    await expect(callerOf(lenient({ source }), request)).toRejectWith('ERR_CHANNEL_UNTRUSTED', {
      proof: 'native-tls',
      reason: 'not-tls',
    });
  });

  it('holds for a channel that answers later', async () => {
    const trust = TrustStore.fromDer([createAuthority().der]);
    const channel = originMtls({ trust, dnsNames: ['edge.example'] });
    const late = {
      ...dangerouslyTrustAnyPeer(),
      prove: async (...given: Parameters<typeof channel.prove>) => channel.prove(...given),
    };
    const source = cloudFront({ channel: late });
    await expect(lenient({ source }).authenticate(requestOf(ofClient, { destroyed: false }))).resolves.toEqual({
      status: 'anonymous',
      channel: { proof: 'none' },
    });
  });

  it('takes a plaintext request past native TLS for anonymous, and a stranger over TLS for refused', async () => {
    const authenticator = lenient({ source: nativeTls() });
    await expect(callerOf(authenticator, requestOf(ofClient, { destroyed: false }))).resolves.toEqual(['anonymous']);
    const getPeerX509Certificate = () => ({ raw: stranger.der, issuerCertificate: undefined });
    const overTls = requestOf([], { encrypted: true, destroyed: false, getPeerX509Certificate });
    await expect(callerOf(authenticator, overTls)).rejects.toMatchObject({ code: 'ERR_PATH_ISSUER_UNKNOWN' });
  });

  it('costs no decoding, and is reported as anonymous without a proof', async () => {
    const events: OutcomeEvent[] = [];
    const source = countingDecodes(cloudFront({ channel: edgeChannel }));
    await lenient({ source, onOutcome: (event) => events.push(event) }).authenticate(requestOf(ofClient));
    expect(source.decoded()).toBe(0);
    expect(events).toEqual([
      {
        'event.name': 'clientcert.verify',
        'clientcert.trust.generation': 0,
        'event.outcome': 'unknown',
        'clientcert.status': 'anonymous',
        'clientcert.enforcement': 'enforce',
        'clientcert.source': 'cloudfront',
        'clientcert.channel.proof': 'none',
        'clientcert.cache.result': 'none',
        'clientcert.verification.duration': expect.any(Number),
      },
    ]);
  });

  it.each<Partial<AuthenticatorOptions>>([{}, { presence: 'required' }])(
    'is refused at construction where a certificate is required: %j',
    (options) => {
      const trust = TrustStore.fromDer([root.der]);
      const source = cloudFront({ channel: edgeChannel });
      expect(() => createAuthenticator({ trust, source, untrustedPeer: 'anonymous', ...options })).toThrow(
        new TypeError("untrustedPeer: 'anonymous' needs presence: 'optional'; nobody could be anonymous otherwise."),
      );
    },
  );
});

describe("untrustedPeer: 'reject', the default", () => {
  it.each(['reject', undefined] as const)('refuses a request past the proxy: %s', async (untrustedPeer) => {
    const options = untrustedPeer === undefined ? {} : { untrustedPeer };
    for (const presence of ['optional', 'required'] as const) {
      await expect(callerOf(behindEdge([root], { presence, ...options }), requestOf([]))).toRejectWith(
        'ERR_CHANNEL_UNTRUSTED',
        { proof: 'shared-secret', reason: 'secret-missing' },
      );
    }
  });
});
