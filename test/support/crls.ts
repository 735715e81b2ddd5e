import { der } from '@peercert/testkit';

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

/** A revokedCertificates of so many entries, for `raw` of a CRL: 23 octets each, serial numbers from 0x1000000 up. */
export function manyEntries(count: number): Buffer {
  const date = der.utcTime('260530120000Z');
  const entry = der.sequence(der.integer(0x1000000), date);
  const entries = Buffer.alloc(count * entry.length, entry);
  for (let index = 0; index < count; index++) entries.writeUInt32BE(0x1000000 + index, index * entry.length + 4);
  return der.tlv(0x30, entries);
}
