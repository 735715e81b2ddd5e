import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { validatePath } from '@peercert/core';
import { clientCertFieldLines, type FieldLine } from './client-cert-fields';
import type { EdgeSettings } from './options';
import { viewerCertFieldLines } from './viewer-cert-fields';

/**
 * Most certificates one viewer may present, the end-entity certificate included: CloudFront's quota for the depth of a
 * client certificate chain.
 */
export const maxPresentedCertificates = 4;

/**
 * Judges what a viewer presented in its TLS handshake, as the mode asks, and writes it as the field lines that go to the
 * origin with each of its requests.
 *
 * At once in passthrough mode, where nothing is judged but the depth of the chain.
 *
 * @returns `undefined`, or a promise of it, for a viewer whose connection is refused.
 */
export function admitViewer(
  socket: TLSSocket,
  settings: EdgeSettings,
): readonly FieldLine[] | undefined | Promise<readonly FieldLine[] | undefined> {
  const presented = readPresentedCertificates(socket, maxPresentedCertificates + 1);
  if (presented.length > maxPresentedCertificates && settings.chainTooDeep === 'refuse-connection') return undefined;
  const [endEntity, ...chain] = presented.slice(0, maxPresentedCertificates);
  const { trust } = settings;
  if (endEntity === undefined) return settings.mode === 'required' ? undefined : fieldLines([], settings);
  if (trust === undefined) return fieldLines([endEntity, ...chain], settings);
  const intermediates = chain.map(({ raw }) => raw);
  return validatePath({ endEntity: endEntity.raw, intermediates, trust, extKeyUsage: 'clientAuth' }).then(
    () => fieldLines([endEntity], settings),
    () => undefined,
  );
}

function fieldLines(certificates: readonly X509Certificate[], settings: EdgeSettings): FieldLine[] {
  const { clientCertHeaders, viewerCertHeaders } = settings;
  const clientCert = clientCertFieldLines(
    certificates.map(({ raw }) => raw),
    settings,
  );
  return [
    ...viewerCertFieldLines(certificates[0], viewerCertHeaders),
    ...clientCert.filter(([name]) => clientCertHeaders.some((listed) => listed === name)),
  ];
}

/**
 * Reads the certificates a viewer presented in its TLS handshake, in the order presented. Empty when it presented none.
 *
 * @param maximum - Certificates to read before stopping. Positive; bounds the walk whatever the viewer sent.
 */
function readPresentedCertificates(socket: TLSSocket, maximum: number): X509Certificate[] {
  const certificates: X509Certificate[] = [];
  // With nothing in the server's `ca`, `issuerCertificate` is the certificate that was presented next, related or not.
  let certificate = socket.getPeerX509Certificate();
  while (certificate !== undefined && certificates.length < maximum) {
    certificates.push(certificate);
    certificate = certificate.issuerCertificate;
  }
  return certificates;
}
