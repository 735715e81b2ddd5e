// What core does not export, out of the same build that @peercert/core is loaded from.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

type CertificateModule = typeof import('../packages/core/src/x509/certificate.js');
type CrlModule = typeof import('../packages/core/src/x509/crl.js');
type SignatureModule = typeof import('../packages/core/src/path/verify-signature.js');

const load = createRequire(import.meta.url);
const folder = dirname(load.resolve('@peercert/core'));

export type Crl = import('../packages/core/src/x509/crl.js').Crl;
export const { Crl } = load(join(folder, 'x509/crl')) as CrlModule;
export const { Certificate } = load(join(folder, 'x509/certificate')) as CertificateModule;
export const { verifyInSlices } = load(join(folder, 'path/verify-signature')) as SignatureModule;
