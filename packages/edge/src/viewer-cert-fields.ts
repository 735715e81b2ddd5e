import { createHash, type X509Certificate } from 'node:crypto';
import type { FieldLine } from './client-cert-fields';

/** Start of the names of the fields in which CloudFront describes a viewer's certificate, lower case. */
export const viewerCertPrefix = 'cloudfront-viewer-cert-';

/** The fields in which CloudFront describes a viewer's certificate, as its guide spells and orders them. */
export const viewerCertHeaderNames = [
  'CloudFront-Viewer-Cert-Serial-Number',
  'CloudFront-Viewer-Cert-Issuer',
  'CloudFront-Viewer-Cert-Subject',
  'CloudFront-Viewer-Cert-Present',
  'CloudFront-Viewer-Cert-Sha256',
  'CloudFront-Viewer-Cert-Validity',
  'CloudFront-Viewer-Cert-Pem',
] as const;

/** Name of a field in which CloudFront describes a viewer's certificate. */
export type ViewerCertHeaderName = (typeof viewerCertHeaderNames)[number];

const valueOf: { readonly [Name in ViewerCertHeaderName]: (certificate: X509Certificate) => string } = {
  'CloudFront-Viewer-Cert-Serial-Number': ({ serialNumber }) =>
    serialNumber.toLowerCase().match(/\w\w/g)?.join(':') ?? '',
  'CloudFront-Viewer-Cert-Issuer': ({ issuer }) => rfc2253(issuer),
  'CloudFront-Viewer-Cert-Subject': ({ subject }) => rfc2253(subject),
  'CloudFront-Viewer-Cert-Present': () => '1',
  'CloudFront-Viewer-Cert-Sha256': ({ raw }) => createHash('sha256').update(raw).digest('hex'),
  'CloudFront-Viewer-Cert-Validity': ({ validFrom, validTo }) => {
    return `NotBefore=${toSecond(validFrom)};NotAfter=${toSecond(validTo)}`;
  },
  // The guide shows encoded spaces and line feeds and leaves the rest open.
  'CloudFront-Viewer-Cert-Pem': (certificate) => {
    return certificate.toString().replaceAll(' ', '%20').replaceAll('\n', '%0A');
  },
};

/**
 * Writes what CloudFront says of a viewer's certificate: the named fields, in the order of its guide. Of a viewer without a
 * certificate it says `CloudFront-Viewer-Cert-Present: 0`, where that is named, and nothing else.
 *
 * @throws RangeError for a certificate whose validity is no date.
 */
export function viewerCertFieldLines(
  certificate: X509Certificate | undefined,
  names: readonly ViewerCertHeaderName[],
): FieldLine[] {
  const written = viewerCertHeaderNames.filter((name) => names.includes(name));
  if (certificate !== undefined) return written.map((name) => [name, valueOf[name](certificate)]);
  return written.filter((name) => name === 'CloudFront-Viewer-Cert-Present').map((name) => [name, '0']);
}

/**
 * RFC 2253 text of a name: last RDN first, no spaces between them. Node has a line for each RDN, in the certificate's
 * order and with all of RFC 2253's escapes but that of characters beyond ASCII.
 */
function rfc2253(lines: string | undefined): string {
  return (lines ?? '')
    .split('\n')
    .toReversed()
    .map((rdn) => rdn.replaceAll(' + ', '+'))
    .join(',')
    .replaceAll(/[^\x20-\x7e]/gu, (character) => {
      return Buffer.from(character).toString('hex').toUpperCase().replaceAll(/../g, '\\$&');
    });
}

function toSecond(time: string): string {
  return new Date(time).toISOString().replace('.000Z', 'Z');
}
