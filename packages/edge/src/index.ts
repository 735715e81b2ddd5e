export { createEdge, type Edge, type EdgeAddress } from './edge';
export type { EdgeOptions, OriginTlsOptions } from './options';
export { clientCertFieldLines, type ClientCertFieldOptions, type FieldLine } from './client-cert-fields';
