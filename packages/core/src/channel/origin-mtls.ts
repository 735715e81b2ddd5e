import { ClientCertificateError } from '../errors';
import { checkOptions, describe } from '../options';
import { resolveRules } from '../path/rules';
import { decodePresented, defaultMaxIntermediates, findPath, type Validation } from '../path/validate-path';
import type { CertificateRequest } from '../request';
import { currentTrust, isTrustProvider, type TrustProvider, type TrustStore } from '../trust/trust-store';
import { type ChannelContext, type ChannelEvidence, type ChannelProof, untrusted } from './channel-proof';
import { ProxyNames } from './proxy-names';
import { findSharedAuthority } from './shared-authority';
import { type TlsPeer, tlsPeerOf } from './tls-peer';

/** What {@link originMtls} takes: whom to believe, and at least one kind of name or pin. */
export interface OriginMtlsOptions {
  /** Issuers of the proxy's own client certificate. Use a CA that issues nothing else. */
  readonly trust: TrustProvider;
  /**
   * dNSNames of which the proxy's certificate has one. Compared exactly but for ASCII case; a wildcard in a certificate is
   * a name like any other and matches nothing but itself.
   */
  readonly dnsNames?: readonly string[];
  /** URIs of which the proxy's certificate has one. Compared exactly. */
  readonly uris?: readonly string[];
  /** SHA-256 of the SubjectPublicKeyInfo, 64 hexadecimal digits, of which one is the proxy's. Two pins are live in a rotation. */
  readonly spkiSha256?: readonly string[];
}

const optionNames = ['trust', 'dnsNames', 'uris', 'spkiSha256'];
const standardRules = resolveRules({});

/**
 * Channel proof by origin mTLS: the TLS peer presents the proxy's own client certificate, which validates against
 * `trust` (RFC 5280 section 6.1, extKeyUsage clientAuth) and has one of the names or pins given. Where several kinds are
 * given, one of each kind must match.
 *
 * The server must ask for certificates: see `originServerOptions`.
 *
 * @throws {TypeError} without names and pins: a whole CA is not one proxy.
 */
export function originMtls(options: OriginMtlsOptions): ChannelProof {
  return new OriginMtls(options);
}

class OriginMtls implements ChannelProof {
  readonly proof = 'origin-mtls';
  readonly isSufficient = true;
  readonly readsTlsPeer = true;
  readonly consumedHeaders: readonly string[] = [];

  readonly #trust: TrustProvider;
  readonly #names: ProxyNames;
  readonly #proven = new WeakMap<
    TlsPeer,
    { trust: TrustStore; from: number; until: number; evidence: ChannelEvidence }
  >();
  /** Stores of clients found to be apart from a store of the proxy's issuers. */
  readonly #apart = new WeakMap<TrustStore, WeakSet<TrustStore>>();

  constructor(options: OriginMtlsOptions) {
    checkOptions('originMtls', options, optionNames);
    const { trust, dnsNames, uris, spkiSha256 } = options;
    if (!isTrustProvider(trust)) {
      throw new TypeError(
        `originMtls needs trust, a TrustStore of the proxy's issuers; it received ${describe(trust)}.`,
      );
    }
    if (dnsNames === undefined && uris === undefined && spkiSha256 === undefined) {
      throw new TypeError(
        'originMtls needs dnsNames, uris or spkiSha256: every certificate of the CA would pass for the proxy otherwise.',
      );
    }
    this.#trust = trust;
    this.#names = new ProxyNames({ dnsNames, uris, spkiSha256 });
  }

  checkTrust(clientTrust: TrustStore): void {
    const subject = this.#findSharedAuthority(currentTrust(this.#trust), clientTrust);
    if (subject !== undefined) {
      throw new TypeError(
        `originMtls trusts ${subject}, which also stands behind the client certificates: a client could pass for the ` +
          'proxy. Issue the certificate of the proxy from a CA of its own, or pin its key with spkiSha256.',
      );
    }
  }

  prove(
    request: CertificateRequest,
    { time, clientTrust }: ChannelContext,
  ): ChannelEvidence | Promise<ChannelEvidence> {
    const trust = currentTrust(this.#trust);
    // Again for each pair of stores: either may have been replaced since construction.
    if (clientTrust !== undefined && this.#findSharedAuthority(trust, clientTrust) !== undefined) {
      throw untrusted(this.proof, 'shared-authority');
    }
    const peer = tlsPeerOf(request);
    if (typeof peer === 'string') throw untrusted(this.proof, peer);
    const proven = this.#proven.get(peer);
    if (proven?.trust === trust && proven.from <= time && time <= proven.until) return proven.evidence;
    const validation = this.#validate(peer, trust, time);
    const conclude = (concluded: Validation): ChannelEvidence => this.#conclude(peer, trust, concluded);
    return validation instanceof Promise ? validation.then(conclude) : conclude(validation);
  }

  #validate({ certificates }: TlsPeer, trust: TrustStore, time: number): Validation | Promise<Validation> {
    const [endEntity, ...presented] = certificates;
    if (endEntity === undefined) throw untrusted(this.proof, 'certificate-missing');
    try {
      return findPath({
        endEntity: decodePresented(endEntity, 0),
        presented: presented.map((der, index) => decodePresented(der, index + 1)),
        trust,
        time,
        requiredUsage: 'clientAuth',
        maxIntermediates: defaultMaxIntermediates,
        policies: {},
        rules: standardRules,
      });
    } catch (error) {
      if (!(error instanceof ClientCertificateError)) throw error;
      throw untrusted(this.proof, 'certificate-rejected', error);
    }
  }

  #conclude(peer: TlsPeer, trust: TrustStore, validation: Validation): ChannelEvidence {
    if ('refusal' in validation) throw untrusted(this.proof, 'certificate-rejected', validation.refusal);
    const { endEntity, span } = validation.path;
    const mismatch = this.#names.mismatch(endEntity);
    if (mismatch !== undefined) throw untrusted(this.proof, mismatch);
    const evidence = Object.freeze({
      proof: this.proof,
      certificateSha256: endEntity.sha256,
      spkiSha256: endEntity.spkiSha256,
    });
    this.#proven.set(peer, { trust, ...span, evidence });
    return evidence;
  }

  /** Looked for once per pair of stores. A pinned key is safe from every certificate but its own. */
  #findSharedAuthority(edgeTrust: TrustStore, clientTrust: TrustStore): string | undefined {
    if (this.#names.hasPins || this.#apart.get(edgeTrust)?.has(clientTrust) === true) return undefined;
    const subject = findSharedAuthority(edgeTrust, clientTrust);
    if (subject === undefined) {
      const apart = this.#apart.get(edgeTrust) ?? new WeakSet();
      this.#apart.set(edgeTrust, apart.add(clientTrust));
    }
    return subject;
  }
}
