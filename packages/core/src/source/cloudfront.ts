import { hash } from 'node:crypto';
import type { ChannelProof } from '../channel/channel-proof';
import { ClientCertificateError } from '../errors';
import { checkOptions, describe } from '../options';
import type { CertificateRequest } from '../request';
import { createFieldCollector, type FieldLines, isCertificateHeader } from './field-lines';
import { parseClientCert, parseClientCertChain } from './rfc9440';
import { type Presented, type Source, verdictKey } from './source';

/** What {@link cloudFront} takes. */
export interface CloudFrontOptions {
  /** What proves that the request came through your own distribution: `originMtls(...)`, `sharedSecret(...)`, or both. */
  readonly channel: ChannelProof;
  /**
   * What to do with a request that also carries a certificate header of another proxy's scheme, such as
   * `X-Forwarded-Client-Cert`. They are never read. Default `'ignore'`, because CloudFront passes on whatever headers its
   * viewers send.
   */
  readonly otherCertificateHeaders?: 'ignore' | 'reject';
}

const clientCert = 'client-cert';
const clientCertChain = 'client-cert-chain';
/** `1` or `0`: whether the viewer presented a certificate. Sent when the origin request policy lists it. */
const viewerCertPresent = 'cloudfront-viewer-cert-present';
/** SHA-256 of the viewer's certificate, hexadecimal. Sent when the origin request policy lists it. */
const viewerCertSha256 = 'cloudfront-viewer-cert-sha256';
const fields: readonly string[] = Object.freeze([clientCert, clientCertChain, viewerCertPresent, viewerCertSha256]);

/** What CloudFront passes on at most, in one request. */
const maxHeaderBytes = 32_768;

/**
 * Certificates that CloudFront forwards from viewers in viewer mTLS passthrough mode: `Client-Cert` and
 * `Client-Cert-Chain` of RFC 9440, no more than ten certificates in the chain.
 *
 * CloudFront has checked possession of the private key and nothing else. Where `CloudFront-Viewer-Cert-Present` and
 * `CloudFront-Viewer-Cert-Sha256` arrive, they must agree with the certificate; they are never identity.
 *
 * @throws {TypeError} without a channel proof, or with one that proves too little by itself. A certificate is public:
 *   anyone who reaches the origin could send it.
 */
export function cloudFront(options: CloudFrontOptions): Source {
  checkOptions('cloudFront', options, ['channel', 'otherCertificateHeaders']);
  const { channel, otherCertificateHeaders = 'ignore' } = options;
  if (typeof channel?.prove !== 'function') {
    throw new TypeError(
      'cloudFront needs channel, a proof that requests come through your distribution: originMtls({ trust, dnsNames }) ' +
        `or sharedSecret({ header, secrets }); it received ${describe(channel)}.`,
    );
  }
  const clash = channel.consumedHeaders.find(isCertificateHeader);
  if (clash !== undefined) {
    throw new TypeError(`The channel proof cannot use ${clash}: it is a certificate header. Choose another name.`);
  }
  if (!channel.isSufficient) {
    throw new TypeError(
      'cloudFront needs a channel proof of your own distribution. Public addresses prove only that a request came from ' +
        "somebody's: combine them, allOf(trustedAddresses(...), sharedSecret(...)).",
    );
  }
  if (otherCertificateHeaders !== 'ignore' && otherCertificateHeaders !== 'reject') {
    throw new TypeError("otherCertificateHeaders must be 'ignore' or 'reject'.");
  }
  const collectFieldLines = createFieldCollector({
    fields,
    guarded: channel.consumedHeaders,
    otherCertificateHeaders,
  });
  return Object.freeze({
    name: 'cloudfront',
    channel,
    maxHeaderBytes,
    fields,
    collect: (request: CertificateRequest) => presentedIn(collectFieldLines(request)),
  } satisfies Source);
}

function presentedIn(lines: FieldLines): Presented | undefined {
  const [certificateLines = [], chain = [], presentLines = [], sha256Lines = []] = lines;
  const certificate = only(certificateLines, clientCert);
  const present = only(presentLines, viewerCertPresent);
  const sha256 = only(sha256Lines, viewerCertSha256)?.toLowerCase();
  if (present !== undefined && present !== '0' && present !== '1') {
    throw new ClientCertificateError('ERR_HEADER_MALFORMED', { header: viewerCertPresent, reason: 'it is not 0 or 1' });
  }
  if (certificate === undefined) {
    // An empty List is the same as no field (RFC 9651 section 3.1).
    if (!chain.every((line) => line.trim() === '')) {
      throw new ClientCertificateError('ERR_HEADER_CHAIN_WITHOUT_CERTIFICATE', { header: clientCertChain });
    }
    if (present === '1') throw new ClientCertificateError('ERR_CERTIFICATE_NOT_FORWARDED', { header: clientCert });
    return undefined;
  }
  if (present === '0') {
    throw inconsistent(viewerCertPresent, 'it says that no certificate was presented');
  }
  return {
    // A digest that is empty is not one that is absent.
    key: verdictKey(['cloudfront', sha256 === undefined ? '' : `=${sha256}`, certificate, ...chain]),
    // Several lines of a List mean the same as one (RFC 9651 section 4.2).
    chainText: chain.length === 1 ? chain[0] : chain.join(', '),
    decodeChain: () => parseClientCertChain(chain),
    decodeEndEntity() {
      const endEntity = parseClientCert([certificate]);
      if (sha256 !== undefined && sha256 !== hash('sha256', endEntity, 'hex')) {
        throw inconsistent(viewerCertSha256, 'it is not the digest of the certificate');
      }
      return endEntity;
    },
  };
}

/** The value of a field that may occur once. */
function only(values: readonly string[], header: string): string | undefined {
  if (values.length > 1) throw new ClientCertificateError('ERR_HEADER_REPEATED', { header, count: values.length });
  return values[0];
}

function inconsistent(header: string, reason: string): ClientCertificateError {
  return new ClientCertificateError('ERR_HEADER_INCONSISTENT', { header, reason });
}
