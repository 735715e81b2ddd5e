import type { Certificate } from './certificate';
import { contextTag, DerError, DerReader, type Range, Tag } from './der';
import { extensionTypes } from './extensions';
import { oid } from './oid';

/** More access descriptions than this in one certificate are refused. Real ones have two or three. */
const maxDescriptions = 100;

const ocspMethod = oid('1.3.6.1.5.5.7.48.1');

/**
 * Where a certificate's issuer answers OCSP requests (RFC 6960 section 3.1): the URIs of authorityInfoAccess with method
 * id-ad-ocsp, in their order. None where the extension is absent, and none where it is malformed.
 *
 * The text is as the certificate has it: not yet a URL anybody should ask.
 */
export function ocspUrlsOf(certificate: Certificate): readonly string[] {
  const range = certificate.extensionValue(extensionTypes.authorityInfoAccess);
  if (range === undefined) return [];
  try {
    return decodeOcspUrls(certificate.der, range);
  } catch (error) {
    if (error instanceof DerError) return [];
    throw error;
  }
}

/**
 * Decodes AuthorityInfoAccessSyntax (RFC 5280 section 4.2.2.1): `SEQUENCE SIZE (1..MAX) OF AccessDescription`. Other
 * methods, and locations that are no URI, are passed over.
 *
 * @throws {DerError}
 */
export function decodeOcspUrls(bytes: Buffer, { start, end }: Range): readonly string[] {
  const value = new DerReader(bytes, start, end);
  const list = value.enter(Tag.sequence, 'authorityInfoAccess');
  value.finish('authorityInfoAccess');
  if (list.atEnd) throw new DerError('authorityInfoAccess is empty', list.end);
  const urls: string[] = [];
  for (let count = 0; !list.atEnd; count++) {
    if (count === maxDescriptions) throw new DerError('authorityInfoAccess has too many descriptions', list.end);
    const description = list.enter(Tag.sequence, 'authorityInfoAccess: description');
    const method = description.oid('authorityInfoAccess: method');
    const location = description.readOpaque();
    description.finish('authorityInfoAccess: location');
    if (method === ocspMethod && location.tag === contextTag(6, 'primitive')) urls.push(ia5Text(location));
  }
  return urls;
}

function ia5Text({ bytes, start, end }: DerReader): string {
  for (let at = start; at < end; at++) {
    const octet = bytes[at] as number;
    if (octet === 0 || octet >= 0x80) throw new DerError('authorityInfoAccess holds a URI that is not ASCII text', at);
  }
  if (start === end) throw new DerError('authorityInfoAccess holds an empty URI', start);
  return bytes.toString('latin1', start, end);
}
