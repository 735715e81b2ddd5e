export { encodeClientCert, encodeClientCertChain } from './source/rfc9440';
