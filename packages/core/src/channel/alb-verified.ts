import { LRUCache } from 'lru-cache';
import { ClientCertificateError, isRefusal } from '../errors';
import { maxEscapedPemLength, parseEscapedPem } from '../escaped-pem';
import { checkOptions } from '../options';
import { decodePresented } from '../path/validate-path';
import { type CertificateRequest, receivedHeaders } from '../request';
import { Certificate } from '../x509/certificate';
import { type ChannelContext, type ChannelEvidence, type ChannelProof, untrusted } from './channel-proof';
import { ProxyNames } from './proxy-names';
import { trustedAddresses } from './trusted-addresses';

/** What {@link albVerified} takes: where the load balancer is, and at least one kind of name or pin. */
export interface AlbVerifiedOptions {
  /** Networks the load balancer connects from, as `trustedAddresses` takes them: its subnets, and nobody else's. */
  readonly addresses: readonly string[];
  /** dNSNames of which CloudFront's certificate has one, compared as `originMtls` does. */
  readonly dnsNames?: readonly string[];
  /** SHA-256 of the SubjectPublicKeyInfo of CloudFront's certificate, as `originMtls` takes it. */
  readonly spkiSha256?: readonly string[];
}

const leaf = 'x-amzn-mtls-clientcert-leaf';
/** What the load balancer says of the certificate in verify mode. */
const albHeaders: readonly string[] = Object.freeze([
  leaf,
  'x-amzn-mtls-clientcert-issuer',
  'x-amzn-mtls-clientcert-serial-number',
  'x-amzn-mtls-clientcert-subject',
  'x-amzn-mtls-clientcert-validity',
]);

/** CloudFront has one certificate, and two in a rotation. */
const maxKnown = 16;

/** Whether a certificate header may be a channel proof's: the load balancer's words about the proxy before it. */
export function isAlbHeader(name: string): boolean {
  return albHeaders.includes(name);
}

/**
 * Channel proof for CloudFront, an Application Load Balancer and then Node, where TLS ends at the load balancer: its
 * listener is in verify mode, CloudFront presents its certificate to it (origin mTLS), and the load balancer says which one
 * it was in `X-Amzn-Mtls-Clientcert-Leaf`.
 *
 * Two things must hold for every request. The peer is the load balancer: its address, as the socket has it, is in
 * `addresses`. And the certificate the load balancer verified is CloudFront's: it is valid now and has one of the names or
 * pins given; where both kinds are given, one of each. A header that arrives twice proves nothing. Good by itself where
 * `addresses` are private: whoever can connect from anywhere else could write the header.
 *
 * What it cannot prove: the path from that certificate to its issuer. The load balancer validated it, against a trust store
 * that is not seen here. Let that store hold the CA of CloudFront's certificate and nothing else, least of all the CA of
 * your clients: a client whose certificate has the name could pass for CloudFront. A pinned key is safe from that. Nor does
 * AWS say whether the load balancer removes the header where a client sends it to a listener of another mode: let only
 * this listener reach the origin.
 *
 * @throws {TypeError} without addresses, and without names and pins.
 */
export function albVerified(options: AlbVerifiedOptions): ChannelProof {
  return new AlbVerified(options);
}

class AlbVerified implements ChannelProof {
  readonly proof = 'alb-verified';
  readonly isSufficient: boolean;
  readonly readsTlsPeer = false;
  readonly consumedHeaders = albHeaders;

  readonly #addresses: ChannelProof;
  readonly #names: ProxyNames;
  /** Certificates that have the names, by the text they were written in. */
  readonly #known = new LRUCache<string, Certificate>({ max: maxKnown });

  constructor(options: AlbVerifiedOptions) {
    checkOptions('albVerified', options, ['addresses', 'dnsNames', 'spkiSha256']);
    const { addresses, dnsNames, spkiSha256 } = options;
    if (dnsNames === undefined && spkiSha256 === undefined) {
      throw new TypeError(
        'albVerified needs dnsNames or spkiSha256: whoever the load balancer lets in would pass for CloudFront otherwise.',
      );
    }
    this.#addresses = trustedAddresses(addresses);
    this.#names = new ProxyNames({ dnsNames, spkiSha256 });
    this.isSufficient = this.#addresses.isSufficient;
  }

  checkTrust(): void {}

  prove(request: CertificateRequest, context: ChannelContext): ChannelEvidence {
    const address = this.#addressOf(request, context);
    const text = this.#leafOf(request);
    const certificate = this.#known.get(text) ?? this.#decode(text);
    this.#checkValidity(certificate, context.time);
    return Object.freeze({
      proof: this.proof,
      address,
      certificateSha256: certificate.sha256,
      spkiSha256: certificate.spkiSha256,
    });
  }

  #addressOf(request: CertificateRequest, context: ChannelContext): string {
    try {
      return (this.#addresses.prove(request, context) as { readonly address: string }).address;
    } catch (error) {
      if (!isRefusal(error, 'ERR_CHANNEL_UNTRUSTED')) throw error;
      throw untrusted(this.proof, error.details.reason);
    }
  }

  #leafOf(request: CertificateRequest): string {
    const lines = receivedHeaders(request);
    let found: string | undefined;
    for (let at = 0; at < lines.length; at += 2) {
      const name = lines[at] as string;
      if (name.length !== leaf.length || name.toLowerCase() !== leaf) continue;
      if (found !== undefined) throw untrusted(this.proof, 'certificate-repeated');
      found = lines[at + 1];
    }
    if (found === undefined) throw untrusted(this.proof, 'certificate-missing');
    return found;
  }

  #decode(text: string): Certificate {
    try {
      const certificate = decodeLeaf(text);
      const mismatch = this.#names.mismatch(certificate);
      if (mismatch !== undefined) throw untrusted(this.proof, mismatch);
      this.#known.set(text, certificate);
      return certificate;
    } catch (error) {
      if (!(error instanceof ClientCertificateError) || error.code === 'ERR_CHANNEL_UNTRUSTED') throw error;
      throw untrusted(this.proof, 'certificate-rejected', error);
    }
  }

  #checkValidity({ notBefore, notAfter }: Certificate, now: number): void {
    const time = new Date(now);
    const outside =
      now < notBefore
        ? new ClientCertificateError('ERR_CERTIFICATE_NOT_YET_VALID', {
            depth: 0,
            time,
            notBefore: new Date(notBefore),
          })
        : now > notAfter
          ? new ClientCertificateError('ERR_CERTIFICATE_EXPIRED', { depth: 0, time, notAfter: new Date(notAfter) })
          : undefined;
    if (outside !== undefined) throw untrusted(this.proof, 'certificate-rejected', outside);
  }
}

function decodeLeaf(text: string): Certificate {
  if (text.length > maxEscapedPemLength) {
    throw new ClientCertificateError('ERR_HEADER_TOO_LARGE', {
      header: leaf,
      bytes: text.length,
      maximum: maxEscapedPemLength,
    });
  }
  const malformed = (reason: string): Error => {
    return new ClientCertificateError('ERR_HEADER_MALFORMED', { header: leaf, reason });
  };
  const tooMany = (): Error => malformed('it holds more than one certificate');
  const [der] = parseEscapedPem(text, { maximum: 1, tooMany, malformed });
  return decodePresented(der as Buffer, 0, Certificate.over);
}
