export {
  admit,
  type Admission,
  admitRequest,
  authenticatorOf,
  clientIdentityOf,
  createChannelGuard,
  createGuard,
  type Guard,
} from './admission';
export { type Authenticator, type AuthenticatorOptions, createAuthenticator } from './authenticator';
export { albVerified, type AlbVerifiedOptions } from './channel/alb-verified';
export { dangerouslyTrustAnyPeer } from './channel/any-peer';
export type { ChannelContext, ChannelEvidence, ChannelProof } from './channel/channel-proof';
export { allOf, anyOf } from './channel/combined';
export { originMtls, type OriginMtlsOptions } from './channel/origin-mtls';
export { sharedSecret, type SharedSecretOptions } from './channel/shared-secret';
export { trustedAddresses } from './channel/trusted-addresses';
export {
  type AnyClientCertificateError,
  type ChannelDistrust,
  ClientCertificateError,
  type ErrorCode,
  type ErrorDetails,
} from './errors';
export type { ClientIdentity, TrustAnchorIdentity } from './identity';
export {
  checkOcspResponse,
  createDenyList,
  crlDistributionPoints,
  crlFiles,
  crlUrls,
  loadTrustStore,
  ocsp,
  watchTrustStore,
} from './on-demand';
export type { Outcome } from './outcome';
export type { RevocationEvidence, UnknownCause } from './path/acceptance';
export { outcomeChannelName, type OutcomeEvent, type OutcomeListener } from './outcome-event';
export type { RequiredUsage } from './path/checks';
export type { CertificatePolicyOptions } from './path/policies';
export type { ValidationRules } from './path/rules';
export { validatePath, type ValidatePathInput, type VerifiedPath } from './path/validate-path';
export type { PublicCode, Refusal } from './refusal';
export type { CertificateRequest } from './request';
export type { IdentityPredicate, IdentityRule } from './rule';
export {
  keepTlsCurrent,
  type KeepTlsCurrentOptions,
  originServerOptions,
  type OriginServerOptions,
} from './server-options';
export { alb, type AlbOptions } from './source/alb';
export { apache, type ApacheOptions } from './source/apache';
export { parseBase64Der } from './source/base64-der';
export { caddy, type CaddyOptions } from './source/caddy';
export { cloudflare, type CloudflareOptions } from './source/cloudflare';
export { cloudFront, type CloudFrontOptions } from './source/cloudfront';
export type { PemCertFormatInfo } from './source/cloudfront-format';
export type { CloudFrontHelpers, PemHeader } from './source/cloudfront-helpers';
export { envoy, type EnvoyOptions } from './source/envoy';
export { type FieldLines, onlyLine } from './source/field-lines';
export { haproxy, type HaproxyOptions } from './source/haproxy';
export { type ForwardingOptions, headerSource, type HeaderSourceOptions } from './source/header-source';
export { nativeTls } from './source/native-tls';
export { nginx, type NginxOptions } from './source/nginx';
export { encodeClientCert, encodeClientCertChain, parseClientCert, parseClientCertChain } from './source/rfc9440';
export { rfc9440, type Rfc9440Options } from './source/rfc9440-source';
export type { Forwarded, PresetName, Presented, Source } from './source/source';
export { traefik, type TraefikOptions } from './source/traefik';
export type { CheckOcspResponseInput, OcspAnswer, OcspEvidence } from './revocation/ocsp-answer';
export type { CrlFilesOptions, CrlOptions } from './revocation/crl-files';
export type { CrlDistributionPointsOptions, CrlUrlsOptions } from './revocation/crl-urls';
export type { DenyList, DenyListEntry, DenyListOptions } from './revocation/deny-list';
export type { FetchFunction, FetchInit, FetchResponse, NetworkOptions } from './revocation/network-options';
export type { OcspOptions } from './revocation/ocsp';
export {
  createRevocation,
  type CrlPolicyOptions,
  Revocation,
  type RevocationOptions,
  type RevocationPolicyHealth,
} from './revocation/revocation';
export { revocationChannelName, type RevocationEvent, type RevocationListener } from './revocation/revocation-event';
export type { RevocationReason } from './x509/crl-entries';
export type { RevocationHealth, RevocationMethod, RevocationSourceHealth } from './revocation/revocation-method';
export type { AnchorConstraints, ConstrainedNames } from './trust/anchor-constraints';
export type { ExpiryThreshold } from './trust/expiry';
export type { AnchorReport, InspectOptions, TrustDrift, TrustReport } from './trust/inspection';
export type {
  OtherCertificates,
  TrustFinding,
  TrustFindingCode,
  TrustFindingEvidence,
  TrustFindingSeverity,
} from './trust/trust-finding';
export type { LoadContext, LoadTrustStoreOptions, TrustLoader } from './trust/load-trust-store';
export type { ReloadingOptions } from './trust/reloading-options';
export type { ReloadingTrustStore, TrustHealth } from './trust/reloading-trust-store';
export { trustChannelName, type TrustEvent, type TrustListener } from './trust/trust-event';
export { type TrustProvider, TrustStore, type TrustStoreOptions } from './trust/trust-store';
export { createTrustDomains, type TrustDomainOptions, type TrustDomains } from './trust-domains';
export { TrustStoreError, type TrustStoreErrorCode, type TrustStoreErrorDetails } from './trust/trust-store-error';
export type { AnchorFiles, WatchTrustStoreOptions } from './trust/watch-trust-store';
export type { VerdictCacheOptions } from './verdict-cache';
export type { GeneralName } from './x509/general-names';
export type { DistinguishedName, NameAttribute, RelativeDistinguishedName } from './x509/name';
