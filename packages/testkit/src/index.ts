export { fakeAuthenticator } from './fake-authenticator';
export { createAuthority, selfSigned, type TestAuthority, type TestCertificate } from './authority';
export type { CertificateFields, RawFields } from './certificate';
export { albHeaders, type AlbHeaderOptions } from './alb-headers';
export { apacheHeaders } from './apache-headers';
export { caddyHeaders } from './caddy-headers';
export { cloudflareHeaders, type CloudflareHeaderOptions } from './cloudflare-headers';
export { cloudFrontHeaders, type CloudFrontHeaderOptions } from './cloudfront-headers';
export type {
  CrlFields,
  IssuingDistributionPointFields,
  RawCrlFields,
  RevocationReasonName,
  RevokedEntryFields,
} from './crl';
export { der, type LengthForm } from './der';
export type { ExtKeyUsageName, ExtensionFields, GeneralNameFields, KeyUsageName, RawExtension } from './extensions';
export { envoyHeaders, type EnvoyHeaderOptions } from './envoy-headers';
export { haproxyHeaders } from './haproxy-headers';
export { generateKey, type KeyAlgorithm, type KeyPair, type RsaKeyShape } from './key';
export { encodeName, type DistinguishedName, type NameAttribute, type StringType } from './name';
export { algorithmIdentifier, signWith, type SignatureAlgorithm } from './signature';
export { TEST_TIME, daysFromTestTime } from './time';
export type { OcspResponseFields, OcspSingleFields, OcspStatus, RawOcspFields, RawOcspSingleFields } from './ocsp';
export { nginxHeaders, type NginxHeaderOptions } from './nginx-headers';
export type { HeaderLines, HeaderOptions, PresentedCertificate } from './presented';
export { rfc9440Headers } from './rfc9440-headers';
export { traefikHeaders, type TraefikHeaderOptions } from './traefik-headers';
