import { ClientCertificateError } from '../errors';
import type { Malformed, PemRules } from '../escaped-pem';

/** Most certificates in one chain, or in one header that holds certificate and chain, unless a source says less. */
export const maxChainCertificates = 10;

/** Longest chain in characters, over all its lines: what `originServerOptions` lets through at most. */
export const maxChainLength = 65_536;

/** @throws {ClientCertificateError} `ERR_HEADER_TOO_LARGE`: before anything is decoded. */
export function checkLength(header: string, bytes: number, maximum: number): void {
  if (bytes > maximum) throw new ClientCertificateError('ERR_HEADER_TOO_LARGE', { header, bytes, maximum });
}

/** Makes `ERR_HEADER_MALFORMED` for one header. */
export function malformedField(header: string): Malformed {
  return (reason) => new ClientCertificateError('ERR_HEADER_MALFORMED', { header, reason });
}

/** Makes `ERR_CHAIN_TOO_LONG`. */
export function tooManyCertificates(maximum: number): (count: number) => Error {
  return (count) => new ClientCertificateError('ERR_CHAIN_TOO_LONG', { count, maximum });
}

/** For a header that holds exactly one certificate. */
export function oneCertificate(header: string): PemRules {
  const malformed = malformedField(header);
  return { maximum: 1, tooMany: () => malformed('it holds more than one certificate'), malformed };
}

/** For a header that holds a certificate and its chain. */
export function certificatesOf(header: string): PemRules {
  return {
    maximum: maxChainCertificates,
    tooMany: tooManyCertificates(maxChainCertificates),
    malformed: malformedField(header),
  };
}
