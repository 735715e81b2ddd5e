import { X509Certificate } from 'node:crypto';
import { encodeClientCert, encodeClientCertChain } from '@peercert/core';

/** One header field line, in the letter case in which it is sent. */
export type FieldLine = readonly [name: string, value: string];

/** How presented certificates are written. Each option stands for something that AWS does not document. */
export interface ClientCertFieldOptions {
  /**
   * Whether `Client-Cert-Chain` is one line holding a list, or one line for each certificate. Both mean the same to a
   * recipient that combines lines. Default `'one'`.
   *
   * AWS does not document which it sends; its guide says only that the field may appear several times.
   */
  readonly chainFieldLines?: 'one' | 'one-per-certificate';
  /**
   * What happens to a self-issued certificate behind the first one, which is how a viewer sends its root: `'forward'`
   * writes it where the viewer put it, `'omit'` leaves it out. A self-issued certificate in the first place is always
   * written, as `Client-Cert`. Default `'forward'`.
   *
   * AWS does not document whether a root that the viewer sent is forwarded.
   */
  readonly presentedRoot?: 'forward' | 'omit';
}

/**
 * Writes the certificates a viewer presented as RFC 9440 header field lines: the first as `Client-Cert`, the others, in
 * the order given, as `Client-Cert-Chain`.
 *
 * Neither decodes nor judges a certificate and does not count them: four or five are written alike. With
 * `presentedRoot: 'omit'` it does decode the certificates behind the first.
 *
 * @param certificates - DER encodings in the order of the TLS handshake. An empty list gives no line.
 * @returns `Client-Cert` first, then no, one or several lines `Client-Cert-Chain`.
 * @throws Whatever `node:crypto` throws for a certificate it cannot decode, with `presentedRoot: 'omit'` only.
 */
export function clientCertFieldLines(
  certificates: readonly Uint8Array[],
  options: ClientCertFieldOptions = {},
): FieldLine[] {
  const [endEntity, ...presentedChain] = certificates;
  if (endEntity === undefined) return [];
  const chain =
    options.presentedRoot === 'omit'
      ? presentedChain.filter((certificate) => !isSelfIssued(certificate))
      : presentedChain;
  const chainLines = options.chainFieldLines === 'one-per-certificate' ? chain.map((one) => [one]) : [chain];
  return [
    ['Client-Cert', encodeClientCert(endEntity)],
    ...chainLines
      .filter((line) => line.length > 0)
      .map((line): FieldLine => ['Client-Cert-Chain', encodeClientCertChain(line)]),
  ];
}

function isSelfIssued(certificate: Uint8Array): boolean {
  const { subject, issuer } = new X509Certificate(certificate);
  return subject === issuer;
}
