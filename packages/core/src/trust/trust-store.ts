import { hash } from 'node:crypto';
import type { FilePaths } from '../files';
import { checkOptions, describe } from '../options';
import { Certificate } from '../x509/certificate';
import type * as AnchorConstraintsModule from './anchor-constraints';
import type { AnchorConstraints, ResolvedConstraints } from './anchor-constraints';
import { AnchorUse } from './anchor-use';
import { decodeDer, decodeFiles, decodePem } from './bundle';
import type * as Inspection from './inspection';
import type { InspectOptions, TrustReport } from './inspection';
import { TrustStoreError } from './trust-store-error';

/** What a store holds besides anchors, and what it holds them to. `Certificates` is what they are made of. */
export interface TrustStoreOptions<Certificates> {
  /** Intermediates of the operator. They complete paths and are verified like any other; they are not trusted. Default none. */
  readonly intermediates?: Certificates;
  /**
   * End-entity certificates that are trusted as they are, without a path: this very certificate, as long as it is valid and
   * may be used. Nothing else becomes good through them. Default none.
   */
  readonly pinnedEndEntities?: Certificates;
  /** What every anchor of this store is held to. See {@link TrustStore.union} for anchors held to different things. */
  readonly constraints?: AnchorConstraints;
}

const optionNames = ['intermediates', 'pinnedEndEntities', 'constraints'];

/** @internal What a store is made of. */
export interface TrustStoreParts {
  readonly anchors: readonly {
    readonly certificate: Certificate;
    readonly constraints?: ResolvedConstraints | undefined;
  }[];
  readonly intermediates: readonly Certificate[];
  readonly pinnedEndEntities: readonly Certificate[];
}

/** Anything that has a current trust store: a store itself, or a provider that replaces it while the origin serves. */
export type TrustProvider = TrustStore | { readonly current: TrustStore; close(): Promise<void> };

/** The store to judge by now. */
export function currentTrust(trust: TrustProvider): TrustStore {
  return trust instanceof TrustStore ? trust : trust.current;
}

/** Whether something is a store, or has a current one. */
export function isTrustProvider(trust: unknown): trust is TrustProvider {
  return (
    trust instanceof TrustStore || (trust as { current?: unknown } | null | undefined)?.current instanceof TrustStore
  );
}

const noConstraints: readonly ResolvedConstraints[] = Object.freeze([]);
const ownWord: ResolvedConstraints = Object.freeze({
  names: undefined,
  maxPathLength: undefined,
  extKeyUsage: undefined,
  notAfter: undefined,
});

/**
 * Whom to believe: trust anchors (RFC 5280 section 6.1.1 (d)) and, apart from them, intermediates the operator supplies
 * to complete paths. An immutable snapshot: another list of anchors is another store.
 *
 * Any CA certificate can be an anchor, a root or an intermediate; paths end at the first anchor that fits. An anchor is
 * judged when it is used: one that has expired, or is not a CA, makes no path good.
 */
export class TrustStore {
  readonly #anchors: ReadonlyMap<string, readonly Certificate[]>;
  readonly #intermediates: ReadonlyMap<string, readonly Certificate[]>;
  readonly #pinned: ReadonlyMap<string, readonly Certificate[]>;
  readonly #constraints = new Map<Certificate, readonly ResolvedConstraints[]>();
  #byDigest: ReadonlyMap<string, Certificate> | undefined;
  #sha256: string | undefined;
  /** Number of trust anchors, pinned end-entity certificates included, at least 1; a certificate given twice counts once. */
  readonly size: number;
  /** Which of a provider's stores this is, counting from 1; 0 for a store that no provider made. */
  readonly generation: number;
  /** @internal When anchors last stood in a verified path. Goes from one generation to the next. */
  readonly use: AnchorUse;

  private constructor(parts: TrustStoreParts, generation = 0, use = new AnchorUse()) {
    const { anchors, intermediates, pinnedEndEntities } = parts;
    if (anchors.length + pinnedEndEntities.length === 0) {
      throw new TrustStoreError('ERR_TRUST_STORE_EMPTY', { found: 'no certificate' });
    }
    this.#anchors = bySubject(anchors.map(({ certificate }) => certificate));
    this.#intermediates = bySubject(intermediates);
    this.#pinned = bySubject(pinnedEndEntities);
    for (const { certificate, constraints } of anchors) {
      if (constraints !== undefined) this.#constrain(certificate, constraints);
    }
    // Given without constraints beside one with: its own word counts as well.
    for (const { certificate, constraints } of this.#constraints.size === 0 ? [] : anchors) {
      if (constraints === undefined && this.#constraints.has(this.decoded(certificate))) {
        this.#constrain(certificate, ownWord);
      }
    }
    this.size = this.anchors.length + this.pinnedEndEntities.length;
    this.generation = generation;
    this.use = use;
  }

  /**
   * Anchors from PEM text: every `CERTIFICATE` block. Text between blocks, a byte order mark and CRLF are allowed.
   *
   * @throws {TrustStoreError} for text without a certificate, a truncated or unreadable block, any other kind of block,
   *   a private key, or a certificate that is not strict DER; the message says what was found and where.
   * @throws {TypeError} for options that are unknown or of the wrong kind.
   */
  static fromPem(pem: string | Uint8Array, options: TrustStoreOptions<string | Uint8Array> = {}): TrustStore {
    checkOptions('TrustStore.fromPem', options, optionNames);
    return TrustStore.#of(pem, options, decodePem);
  }

  /**
   * Anchors from DER, one certificate each.
   *
   * @throws {TrustStoreError} for an empty list or a certificate that is not strict DER.
   * @throws {TypeError} for options that are unknown or of the wrong kind.
   */
  static fromDer(
    certificates: readonly Uint8Array[],
    options: TrustStoreOptions<readonly Uint8Array[]> = {},
  ): TrustStore {
    checkOptions('TrustStore.fromDer', options, optionNames);
    return TrustStore.#of(certificates, options, decodeDer);
  }

  /**
   * Anchors from files, read now, synchronously: a file of PEM or one certificate in DER, a folder, or several of both. Of a
   * folder every file counts but those whose names begin with a dot or end with `~`; folders in it do not.
   *
   * @throws {TrustStoreError} as {@link fromPem}, and when a file cannot be read.
   * @throws {TypeError} for options that are unknown or of the wrong kind.
   */
  static fromFile(paths: FilePaths, options: TrustStoreOptions<FilePaths> = {}): TrustStore {
    checkOptions('TrustStore.fromFile', options, optionNames);
    return TrustStore.#of(paths, options, (from) => decodeFiles('TrustStore.fromFile', from));
  }

  /**
   * One store of several: every anchor with what it is held to, every intermediate, every pinned end-entity certificate. An
   * anchor in more than one of them is held to what each says.
   *
   * @throws {TypeError} for anything but one or more stores.
   */
  static union(stores: readonly TrustStore[]): TrustStore {
    if (!Array.isArray(stores) || stores.length === 0 || !stores.every((store) => store instanceof TrustStore)) {
      throw new TypeError(`TrustStore.union takes a list of stores; it received ${describe(stores)}.`);
    }
    const parts = (stores as readonly TrustStore[]).map((store) => store.parts);
    return new TrustStore({
      anchors: parts.flatMap(({ anchors }) => anchors),
      intermediates: parts.flatMap(({ intermediates }) => intermediates),
      pinnedEndEntities: parts.flatMap(({ pinnedEndEntities }) => pinnedEndEntities),
    });
  }

  static #of<Certificates>(
    anchors: Certificates,
    options: TrustStoreOptions<Certificates>,
    decode: (from: Certificates) => readonly Certificate[],
  ): TrustStore {
    const { intermediates, pinnedEndEntities } = options;
    const constraints = options.constraints === undefined ? undefined : resolve(options.constraints);
    return new TrustStore({
      anchors: decode(anchors).map((certificate) => ({ certificate, constraints })),
      intermediates: intermediates === undefined ? [] : decode(intermediates),
      pinnedEndEntities: pinnedEndEntities === undefined ? [] : decode(pinnedEndEntities),
    });
  }

  /** @internal A store of a provider: the next of its generations. */
  static assemble(parts: TrustStoreParts, generation: number, use: AnchorUse): TrustStore {
    return new TrustStore(parts, generation, use);
  }

  /**
   * What is in the store, as plain data, and what is wrong with it: see {@link TrustReport}.
   *
   * @throws {TypeError} for options that are unknown or of the wrong kind.
   */
  inspect(options: InspectOptions = {}): TrustReport {
    // Loaded when it is first asked for.
    return (require('./inspection') as typeof Inspection).inspectStore(this, options);
  }

  /** SHA-256 over the anchors' and pinned certificates' digests in order of their value, hexadecimal: equal for equal stores. */
  get sha256(): string {
    return (this.#sha256 ??= hash(
      'sha256',
      [...this.anchors, ...this.pinnedEndEntities]
        .map(({ sha256 }) => sha256)
        .toSorted()
        .join(),
      'hex',
    ));
  }

  /** @internal Anchors whose subject is the name with this key. */
  anchorsNamed(nameKey: string): readonly Certificate[] {
    return this.#anchors.get(nameKey) ?? [];
  }

  /** @internal Operator intermediates whose subject is the name with this key. */
  intermediatesNamed(nameKey: string): readonly Certificate[] {
    return this.#intermediates.get(nameKey) ?? [];
  }

  /** @internal What the operator holds an anchor to. */
  constraintsOn(anchor: Certificate): readonly ResolvedConstraints[] {
    return this.#constraints.get(anchor) ?? noConstraints;
  }

  /** @internal Whether these very bytes are a pinned end-entity certificate. */
  isPinned(endEntity: Certificate): boolean {
    if (this.#pinned.size === 0) return false;
    return this.#pinned.get(endEntity.subjectKey)?.some(({ der }) => der.equals(endEntity.der)) === true;
  }

  /** @internal The same certificate as it is decoded here already, or the one given. */
  decoded(certificate: Certificate): Certificate {
    this.#byDigest ??= new Map(
      [this.pinnedEndEntities, this.intermediates, this.anchors].flat().map((known) => [known.sha256, known]),
    );
    return this.#byDigest.get(certificate.sha256) ?? certificate;
  }

  /** @internal Every anchor. */
  get anchors(): readonly Certificate[] {
    return [...this.#anchors.values()].flat();
  }

  /** @internal Every operator intermediate. */
  get intermediates(): readonly Certificate[] {
    return [...this.#intermediates.values()].flat();
  }

  /** @internal Every pinned end-entity certificate. */
  get pinnedEndEntities(): readonly Certificate[] {
    return [...this.#pinned.values()].flat();
  }

  /** @internal What the store was made of, each certificate once for each of its constraints. */
  get parts(): TrustStoreParts {
    const anchors = this.anchors.flatMap((certificate) => {
      const constraints = this.constraintsOn(certificate);
      return constraints.length === 0
        ? [{ certificate }]
        : constraints.map((one) => ({ certificate, constraints: one }));
    });
    return { anchors, intermediates: this.intermediates, pinnedEndEntities: this.pinnedEndEntities };
  }

  /** PEM of the anchors, as `ca` of a TLS server takes it. Never empty. */
  toPem(): readonly string[] {
    return [...this.anchors, ...this.pinnedEndEntities].map(({ der }) => {
      const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
      return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
    });
  }

  /** Of an anchor that is given twice, the certificate that counts. */
  #constrain(certificate: Certificate, constraints: ResolvedConstraints): void {
    const kept = this.decoded(certificate);
    this.#constraints.set(kept, [...this.constraintsOn(kept), constraints]);
  }
}

/** Loaded when it is first needed. */
function resolve(constraints: AnchorConstraints): ResolvedConstraints {
  return (require('./anchor-constraints') as typeof AnchorConstraintsModule).resolveConstraints(constraints);
}

function bySubject(certificates: readonly Certificate[]): ReadonlyMap<string, readonly Certificate[]> {
  const bySubjectKey = new Map<string, Certificate[]>();
  const seen = new Set<string>();
  for (const certificate of certificates) {
    if (seen.has(certificate.sha256)) continue;
    seen.add(certificate.sha256);
    const same = bySubjectKey.get(certificate.subjectKey);
    if (same === undefined) bySubjectKey.set(certificate.subjectKey, [certificate]);
    else same.push(certificate);
  }
  return bySubjectKey;
}
