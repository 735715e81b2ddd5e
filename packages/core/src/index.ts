export {
  type AnyClientCertificateError,
  type ChannelDistrust,
  ClientCertificateError,
  type ErrorCode,
  type ErrorDetails,
} from './errors';
export { defaultMaxIntermediates, validatePath, type ValidatePathInput, type VerifiedPath } from './path/validate-path';
export { encodeClientCert, encodeClientCertChain } from './source/rfc9440';
export { type TrustProvider, TrustStore } from './trust/trust-store';
export { TrustStoreError, type TrustStoreErrorCode, type TrustStoreErrorDetails } from './trust/trust-store-error';
