/** CRLs in PEM (RFC 7468 section 6), one after the other. */
export function pemOf(...crls: readonly Uint8Array[]): string {
  return crls
    .map((bytes) => {
      const lines =
        Buffer.from(bytes)
          .toString('base64')
          .match(/.{1,64}/g) ?? [];
      return ['-----BEGIN X509 CRL-----', ...lines, '-----END X509 CRL-----', ''].join('\n');
    })
    .join('');
}
