import { readFileSync } from 'node:fs';
import { checkOptions } from '../options';
import { Certificate } from '../x509/certificate';
import { DerError } from '../x509/der';
import { parsePemCertificates } from './pem';
import { TrustStoreError } from './trust-store-error';

/** Anything that has a current trust store: a store itself, or a provider that replaces it while the origin serves. */
export type TrustProvider = TrustStore | { readonly current: TrustStore; close(): Promise<void> };

/** The store to judge by now. */
export function currentTrust(trust: TrustProvider): TrustStore {
  return trust instanceof TrustStore ? trust : trust.current;
}

/**
 * Whom to believe: trust anchors (RFC 5280 section 6.1.1 (d)) and, apart from them, intermediates the operator supplies
 * to complete paths. An immutable snapshot.
 *
 * Any CA certificate can be an anchor, a root or an intermediate; paths end at the first anchor that fits. An anchor is
 * judged when it is used: one that has expired, or is not a CA, makes no path good.
 */
export class TrustStore {
  readonly #anchors: ReadonlyMap<string, readonly Certificate[]>;
  readonly #intermediates: ReadonlyMap<string, readonly Certificate[]>;
  /** Number of trust anchors, at least 1; a certificate given twice counts once. */
  readonly size: number;

  private constructor(anchors: readonly Certificate[], intermediates: readonly Certificate[]) {
    if (anchors.length === 0) throw new TrustStoreError('ERR_TRUST_STORE_EMPTY', { found: 'no certificate' });
    this.#anchors = bySubject(anchors);
    this.#intermediates = bySubject(intermediates);
    this.size = [...this.#anchors.values()].flat().length;
  }

  /**
   * Anchors from PEM text: every `CERTIFICATE` block. Text between blocks, a byte order mark and CRLF are allowed.
   *
   * @param options.intermediates - PEM text with intermediates of the operator. They complete paths and are verified like
   *   any other; they are not trusted. Default none.
   * @throws {TrustStoreError} for text without a certificate, a truncated or unreadable block, any other kind of block,
   *   a private key, or a certificate that is not strict DER; the message says what was found and where.
   */
  static fromPem(pem: string | Uint8Array, options: { readonly intermediates?: string | Uint8Array } = {}): TrustStore {
    checkOptions('TrustStore.fromPem', options, ['intermediates']);
    const { intermediates } = options;
    return new TrustStore(decodePem(pem), intermediates === undefined ? [] : decodePem(intermediates));
  }

  /**
   * Anchors from DER, one certificate each.
   *
   * @param options.intermediates - Intermediates of the operator in DER, see {@link fromPem}. Default none.
   * @throws {TrustStoreError} for an empty list or a certificate that is not strict DER.
   */
  static fromDer(
    certificates: readonly Uint8Array[],
    options: { readonly intermediates?: readonly Uint8Array[] } = {},
  ): TrustStore {
    checkOptions('TrustStore.fromDer', options, ['intermediates']);
    return new TrustStore(decodeAll(certificates), decodeAll(options.intermediates ?? []));
  }

  /**
   * Anchors from a PEM file, read now, synchronously.
   *
   * @param options.intermediates - Path of a PEM file with intermediates of the operator, see {@link fromPem}.
   * @throws {TrustStoreError} as {@link fromPem}, and when a file cannot be read.
   */
  static fromFile(path: string | URL, options: { readonly intermediates?: string | URL } = {}): TrustStore {
    checkOptions('TrustStore.fromFile', options, ['intermediates']);
    const { intermediates } = options;
    return new TrustStore(
      decodePem(readBundle(path)),
      intermediates === undefined ? [] : decodePem(readBundle(intermediates)),
    );
  }

  /** @internal Anchors whose subject is the name with this key. */
  anchorsNamed(nameKey: string): readonly Certificate[] {
    return this.#anchors.get(nameKey) ?? [];
  }

  /** @internal Operator intermediates whose subject is the name with this key. */
  intermediatesNamed(nameKey: string): readonly Certificate[] {
    return this.#intermediates.get(nameKey) ?? [];
  }

  /** @internal Every anchor. */
  get anchors(): readonly Certificate[] {
    return [...this.#anchors.values()].flat();
  }

  /** @internal Every operator intermediate. */
  get intermediates(): readonly Certificate[] {
    return [...this.#intermediates.values()].flat();
  }

  /** PEM of the anchors, as `ca` of a TLS server takes it. Never empty. */
  toPem(): readonly string[] {
    return this.anchors.map(({ der }) => {
      const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
      return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
    });
  }
}

function decodePem(pem: string | Uint8Array): readonly Certificate[] {
  const text =
    typeof pem === 'string'
      ? pem
      : Buffer.from(pem)
          .toString('latin1')
          .replace(/^\xEF\xBB\xBF/, '');
  const certificates = parsePemCertificates(text);
  if (certificates.length === 0) throw new TrustStoreError('ERR_TRUST_STORE_EMPTY', { found: describe(text) });
  return decodeAll(certificates);
}

function describe(text: string): string {
  if (text.length === 0) return 'an empty file';
  if (text.startsWith('\x30\x82') || text.startsWith('\x30\x81')) return 'DER where PEM is expected; use fromDer';
  return text.trim() === '' ? 'only white space' : 'text without a PEM certificate';
}

function decodeAll(certificates: readonly Uint8Array[]): readonly Certificate[] {
  return certificates.map((der, index) => {
    try {
      // A copy: the store must not change when the caller's buffer does.
      return Certificate.copyOf(der);
    } catch (error) {
      if (!(error instanceof DerError)) throw error;
      const found = `a certificate that is not strict DER: ${error.reason} at octet ${error.offset}`;
      throw new TrustStoreError('ERR_TRUST_STORE_MALFORMED', { found, index: index + 1 }, { cause: error });
    }
  });
}

function readBundle(path: string | URL): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const found = `no readable file at ${String(path)}`;
    throw new TrustStoreError('ERR_TRUST_STORE_UNREADABLE', { found }, { cause: error });
  }
}

function bySubject(certificates: readonly Certificate[]): ReadonlyMap<string, readonly Certificate[]> {
  const bySubjectKey = new Map<string, Certificate[]>();
  for (const certificate of certificates) {
    const same = bySubjectKey.get(certificate.subjectKey);
    if (same === undefined) bySubjectKey.set(certificate.subjectKey, [certificate]);
    else if (!same.some(({ der }) => der.equals(certificate.der))) same.push(certificate);
  }
  return bySubjectKey;
}
