/**
 * What the compiler accepts as options, and what it refuses. Nothing here runs: `tsc --build` is the test, and a line under
 * `@ts-expect-error` that compiles is an error.
 */
import {
  alb,
  albVerified,
  allOf,
  anyOf,
  type AuthenticatorOptions,
  type ChannelProof,
  cloudFront,
  createAuthenticator,
  createGuard,
  envoy,
  headerSource,
  nativeTls,
  nginx,
  originMtls,
  originServerOptions,
  sharedSecret,
  type Source,
  trustedAddresses,
  TrustStore,
  validatePath,
} from '@peercert/core';

declare const trust: TrustStore;
declare const channel: ChannelProof;
declare const source: Source;
const dnsNames = ['edge.example.com'];

export function anAuthenticatorNeedsTrustAndSource(): void {
  createAuthenticator({ trust, source });
  createAuthenticator({ trust: { current: trust, close: async () => {} }, source });
  // @ts-expect-error -- no source
  createAuthenticator({ trust });
  // @ts-expect-error -- no trust
  createAuthenticator({ source });
  // @ts-expect-error -- a path is not a store: TrustStore.fromFile reads it
  createAuthenticator({ trust: 'pki/viewers-ca.pem', source });
  // @ts-expect-error -- a channel proof is not a source
  createAuthenticator({ trust, source: channel });
  // @ts-expect-error -- nobody is authenticated without options
  createAuthenticator();
}

export function presenceIsOneOfTwoWords(presence: string): void {
  createAuthenticator({ trust, source, presence: 'required' });
  createAuthenticator({ trust, source, presence: 'optional' });
  // @ts-expect-error -- no such presence
  createAuthenticator({ trust, source, presence: 'sometimes' });
  // @ts-expect-error -- nor just any text
  createAuthenticator({ trust, source, presence });
  // @ts-expect-error -- an option that is not wanted is left out
  createAuthenticator({ trust, source, presence: undefined });
}

export function aMisspeltOptionIsAnError(): void {
  // @ts-expect-error -- maxIntermediates
  createAuthenticator({ trust, source, maxIntermediate: 2 });
  // @ts-expect-error -- presence
  createAuthenticator({ trust, source, Presence: 'optional' });
  // @ts-expect-error -- ttlSeconds
  createAuthenticator({ trust, source, verdictCache: { ttl: 60 } });
  // @ts-expect-error -- dnsNames
  originMtls({ trust, dnsName: ['edge.example.com'] });
  // @ts-expect-error -- secrets
  sharedSecret({ header: 'X-Origin-Secret', secret: 'a'.repeat(32) });
  // @ts-expect-error -- rejectAtTls
  originServerOptions({ rejectAtTLS: trust });
}

export function optionsAreNotChangedByWhoeverReadsThem(options: AuthenticatorOptions): void {
  // @ts-expect-error -- readonly
  options.trust = trust;
  // @ts-expect-error -- readonly
  options.presence = 'optional';
}

export function aForwardedCertificateNeedsAChannelProof(): void {
  cloudFront({ channel: originMtls({ trust, dnsNames }) });
  cloudFront({ channel: sharedSecret({ header: 'X-Origin-Secret', secrets: ['a'.repeat(32)] }) });
  // @ts-expect-error -- no options
  cloudFront();
  // @ts-expect-error -- no channel
  cloudFront({});
  // @ts-expect-error -- no channel either
  cloudFront({ channel: undefined });
  // @ts-expect-error -- a source is not a channel proof
  cloudFront({ channel: source });
  // @ts-expect-error -- no such treatment
  cloudFront({ channel, otherCertificateHeaders: 'accept' });
}

export function theOriginsOwnSocketNeedsNone(): void {
  createAuthenticator({ trust, source: nativeTls() });
  nativeTls({});
  // @ts-expect-error -- it has no options
  nativeTls({ channel });
  // @ts-expect-error -- nor is it given a store
  nativeTls(trust);
}

export function namesOfTheProxyAreLists(): void {
  originMtls({ trust, uris: ['spiffe://example.com/edge'], spkiSha256: ['00'.repeat(32)] });
  // @ts-expect-error -- one name is a list of one
  originMtls({ trust, dnsNames: 'edge.example.com' });
  // @ts-expect-error -- no trust
  originMtls({ dnsNames });
}

export function proofsAreCombinedFromProofs(): void {
  const both: ChannelProof = allOf(trustedAddresses(['10.0.0.0/8']), channel);
  anyOf(channel, both);
  // @ts-expect-error -- a list is spread
  anyOf([channel, both]);
  // @ts-expect-error -- one network is a list of one
  trustedAddresses('10.0.0.0/8');
}

export function aRuleNamesWhomItLetsIn(): void {
  createGuard({ uri: 'spiffe://example.com/ops/alice' });
  createGuard({ dns: ['a.example.com', 'b.example.com'] });
  createGuard(async ({ uris }) => uris.length === 1);
  // @ts-expect-error -- uri
  createGuard({ uris: ['spiffe://example.com/ops/alice'] });
  // @ts-expect-error -- only `true` lets somebody in, so a rule gives a boolean
  createGuard(({ uris }) => uris[0]);
}

export function aStoreIsMadeOfTextBytesOrAFile(der: Uint8Array): TrustStore {
  TrustStore.fromPem('pem', { intermediates: 'pem' });
  TrustStore.fromDer([der], { intermediates: [der] });
  TrustStore.fromFile(new URL('file:///pki/viewers-ca.pem'));
  // @ts-expect-error -- one certificate is a list of one
  TrustStore.fromDer(der);
  // @ts-expect-error -- by one of the three
  return new TrustStore([], []);
}

export async function aPathIsValidatedForAPurpose(endEntity: Uint8Array): Promise<void> {
  await validatePath({ endEntity, trust, extKeyUsage: 'serverAuth', time: new Date(0) });
  // @ts-expect-error -- no such purpose
  await validatePath({ endEntity, trust, extKeyUsage: 'codeSigning' });
  // @ts-expect-error -- no trust
  await validatePath({ endEntity });
  // @ts-expect-error -- DER, not PEM
  await validatePath({ endEntity: 'pem', trust });
}

export function aProxyHasItsOwnOptions(): void {
  alb({ channel, mode: 'verify' });
  // @ts-expect-error -- the mode is not guessed
  alb({ channel });
  envoy({ channel, element: { hop: 1 } });
  // @ts-expect-error -- single, last or a hop
  envoy({ channel, element: 'first' });
  // @ts-expect-error -- no channel
  nginx({ header: 'X-Cert' });
  // @ts-expect-error -- nginx forwards no chain
  nginx({ channel, chainHeader: 'X-Chain' });
  // @ts-expect-error -- no such mode
  cloudFront({ channel, mode: 'verify' });
}

export function aSourceOfOnesOwnReadsLines(): Source {
  // @ts-expect-error -- a certificate is decoded when it is asked for
  const incomplete: ReturnType<Parameters<typeof headerSource>[0]['read']> = { decodeChain: () => [] };
  console.log(incomplete);
  const own: Source = headerSource({
    name: 'own',
    channel,
    fields: ['X-Cert'],
    maxHeaderBytes: 16_384,
    read: ([lines]) =>
      lines === undefined ? undefined : { decodeChain: () => [], decodeEndEntity: () => Buffer.of() },
  });
  const { name }: { readonly name: string } = own;
  const { proxyProves }: { readonly proxyProves: 'nothing' | 'possession' | 'path' } = own;
  return { ...own, name: `${name}-${proxyProves}` };
}

export function theLoadBalancersWordNeedsItsAddresses(): void {
  cloudFront({ channel: albVerified({ addresses: ['10.0.0.0/16'], dnsNames }) });
  // @ts-expect-error -- no addresses
  albVerified({ dnsNames });
}
