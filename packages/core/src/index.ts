export {
  type Admission,
  admitRequest,
  authenticatorOf,
  clientIdentityOf,
  createChannelGuard,
  createGuard,
  type Guard,
} from './admission';
export { type Authenticator, type AuthenticatorOptions, createAuthenticator } from './authenticator';
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
export type { Outcome } from './outcome';
export { outcomeChannelName, type OutcomeEvent, type OutcomeListener } from './outcome-event';
export type { RequiredUsage } from './path/checks';
export type { CertificatePolicyOptions } from './path/policies';
export type { ValidationRules } from './path/rules';
export { validatePath, type ValidatePathInput, type VerifiedPath } from './path/validate-path';
export type { PublicCode, Refusal } from './refusal';
export type { CertificateRequest } from './request';
export type { IdentityPredicate, IdentityRule } from './rule';
export { originServerOptions, type OriginServerOptions } from './server-options';
export { cloudFront, type CloudFrontOptions } from './source/cloudfront';
export { nativeTls } from './source/native-tls';
export { encodeClientCert, encodeClientCertChain, parseClientCert, parseClientCertChain } from './source/rfc9440';
export type { Presented, Source } from './source/source';
export { type TrustProvider, TrustStore } from './trust/trust-store';
export { TrustStoreError, type TrustStoreErrorCode, type TrustStoreErrorDetails } from './trust/trust-store-error';
export type { VerdictCacheOptions } from './verdict-cache';
export type { GeneralName } from './x509/general-names';
export type { DistinguishedName, NameAttribute, RelativeDistinguishedName } from './x509/name';
