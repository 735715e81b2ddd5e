import type { ChannelProof } from '../channel/channel-proof';
import { ClientCertificateError } from '../errors';
import { checkOptions, describe } from '../options';
import type { CertificateRequest } from '../request';
import { createFieldCollector, type FieldLines, isCertificateHeader } from './field-lines';
import { parseClientCert, parseClientCertChain } from './rfc9440';
import { type Presented, type Source, verdictKey } from './source';

export interface CloudFrontOptions {
  /** What proves that the request came through your own distribution: `originMtls(...)` or `sharedSecret(...)`. */
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

/**
 * Certificates that CloudFront forwards from viewers in viewer mTLS passthrough mode: `Client-Cert` and
 * `Client-Cert-Chain` of RFC 9440, no more than ten certificates in the chain.
 *
 * CloudFront has checked possession of the private key and nothing else.
 *
 * @throws {TypeError} without a channel proof. A certificate is public: anyone who reaches the origin could send it.
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
  if (otherCertificateHeaders !== 'ignore' && otherCertificateHeaders !== 'reject') {
    throw new TypeError("otherCertificateHeaders must be 'ignore' or 'reject'.");
  }
  const ambiguous = channel.consumedHeaders.find(isCertificateHeader);
  if (ambiguous !== undefined) {
    throw new TypeError(`The channel proof cannot use ${ambiguous}: it is a certificate header. Choose another name.`);
  }
  const collectFieldLines = createFieldCollector({
    fields: [clientCert, clientCertChain],
    guarded: channel.consumedHeaders,
    otherCertificateHeaders,
  });
  return Object.freeze({
    name: 'cloudfront',
    channel,
    collect: (request: CertificateRequest) => presentedIn(collectFieldLines(request)),
  } satisfies Source);
}

function presentedIn(lines: FieldLines): Presented | undefined {
  const certificates = lines.get(clientCert) ?? [];
  const chain = lines.get(clientCertChain) ?? [];
  const [certificate] = certificates;
  if (certificate === undefined) {
    // An empty List is the same as no field (RFC 9651 section 3.1).
    if (chain.every((line) => line.trim() === '')) return undefined;
    throw new ClientCertificateError('ERR_HEADER_CHAIN_WITHOUT_CERTIFICATE', { header: clientCertChain });
  }
  if (certificates.length > 1) {
    throw new ClientCertificateError('ERR_HEADER_REPEATED', { header: clientCert, count: certificates.length });
  }
  return {
    key: verdictKey(['cloudfront', certificate, ...chain]),
    decode: () => {
      // First what may be too much: it is counted before anything is decoded.
      const intermediates = parseClientCertChain(chain);
      return [parseClientCert(certificates), ...intermediates];
    },
  };
}
