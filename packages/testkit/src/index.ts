export { createAuthority, selfSigned, type TestAuthority, type TestCertificate } from './authority';
export type { CertificateFields, RawFields } from './certificate';
export { cloudFrontHeaders } from './cloudfront-headers';
export { der, type LengthForm } from './der';
export type { ExtKeyUsageName, ExtensionFields, GeneralNameFields, KeyUsageName, RawExtension } from './extensions';
export { generateKey, type KeyAlgorithm, type KeyPair, type RsaKeyShape } from './key';
export { encodeName, type DistinguishedName, type NameAttribute, type StringType } from './name';
export { algorithmIdentifier, signWith, type SignatureAlgorithm } from './signature';
export { TEST_TIME, daysFromTestTime } from './time';
