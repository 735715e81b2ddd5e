import { checkInteger, checkOptions, describe } from '../options';
import type { Certificate } from '../x509/certificate';
import { Duplicates } from './duplicates';
import { trustEndsAt } from './expiry';
import { algorithmText, flawsOf, type InspectedCertificate, type Inspection, keyText, lastUse } from './flaws';
import { toFinding, type TrustFinding, type TrustRole, worstFirst } from './trust-finding';
import type { TrustStore } from './trust-store';

export { expiryThresholdOf, expiryThresholds, trustEndsAt } from './expiry';
export type { TrustFinding } from './trust-finding';

/** What {@link TrustStore.inspect} takes. */
export interface InspectOptions {
  /** The instant to judge by. Default now. */
  readonly time?: Date;
  /** SHA-256 of every certificate that should be an anchor or pinned, 64 hexadecimal digits each. Default: not compared. */
  readonly expectedAnchors?: readonly string[];
  /**
   * Days without use after which an anchor or pinned certificate is reported: an integer from 1 to 3650. Default: not
   * reported. None is, until its uses have been counted for as long: by a provider since it has had the anchor, by a store
   * of its own since the first use of any anchor.
   *
   * Uses are those of new verdicts, so the last one may be younger than is known by as long as a verdict is remembered.
   * They are counted by key: a renewed certificate goes on where the old one was.
   */
  readonly unusedDays?: number;
}

/**
 * What is in a trust store, and what is wrong with it. Plain data that may be cloned and written as JSON, made anew each
 * time. Says nothing of intermediates that clients send.
 */
export interface TrustReport {
  /** See {@link TrustStore.generation}. */
  readonly generation: number;
  /** See {@link TrustStore.sha256}. */
  readonly sha256: string;
  /** The instant the report is about. */
  readonly time: Date;
  /** The trust anchors. */
  readonly anchors: readonly AnchorReport[];
  /** The pinned end-entity certificates. */
  readonly pinnedEndEntities: readonly AnchorReport[];
  /** The operator's intermediates. */
  readonly intermediates: readonly AnchorReport[];
  /** Everything that was found, on whichever certificate: errors first, then warnings, then information. */
  readonly findings: readonly TrustFinding[];
  /** How the store differs from `expectedAnchors`, where that was given. */
  readonly drift?: TrustDrift;
}

/** Anchors and pinned certificates compared with those that were expected: SHA-256, hexadecimal, lower case, sorted. */
export interface TrustDrift {
  /** In the store, and not expected. */
  readonly added: readonly string[];
  /** Expected, and not in the store. */
  readonly missing: readonly string[];
}

/** One certificate of a trust store. */
export interface AnchorReport {
  /** RFC 4514 text; may be empty. */
  readonly subject: string;
  /** RFC 4514 text. */
  readonly issuer: string;
  /** Hexadecimal, lower case, without leading zeros. */
  readonly serialNumber: string;
  /** SHA-256 of the certificate, hexadecimal, lower case. */
  readonly sha256: string;
  /** SHA-256 of the SubjectPublicKeyInfo, hexadecimal, lower case. */
  readonly spkiSha256: string;
  /** `RSA 2048`, `P-256`, `Ed25519`; for any other key what it is, in words. */
  readonly key: string;
  /** What the certificate is signed with: `ECDSA with sha256`, or the dotted OID of an algorithm that is not known. */
  readonly signatureAlgorithm: string;
  /** The first second of the certificate's validity. */
  readonly notBefore: Date;
  /** The last second of the certificate's validity. */
  readonly notAfter: Date;
  /** When trust ends by the operator's `expiry` constraint. Absent where there is none, and where trust never ends. */
  readonly trustedUntil?: Date;
  /** The last use that is known, see {@link InspectOptions.unusedDays}. Never there for an intermediate. */
  readonly lastUsed?: Date;
  /** What was found on this certificate, worst first. */
  readonly findings: readonly TrustFinding[];
}

/** @throws {TypeError} for options of the wrong kind, {@link RangeError} for days out of bounds. */
export function inspectStore(store: TrustStore, options: InspectOptions): TrustReport {
  checkOptions('TrustStore.inspect', options, ['time', 'expectedAnchors', 'unusedDays']);
  const { time = new Date(), expectedAnchors, unusedDays } = options;
  if (!(time instanceof Date) || Number.isNaN(time.getTime())) throw new TypeError('time must be a valid Date.');
  if (unusedDays !== undefined) checkInteger('unusedDays', unusedDays, 1, 3650);
  const expected = expectedAnchors === undefined ? undefined : readDigests(expectedAnchors);

  const inspection = { store, time: time.getTime(), unusedDays };
  const anchors = reportList(inspection, store.anchors, 'anchor');
  const pinnedEndEntities = reportList(inspection, store.pinnedEndEntities, 'pinned end entity');
  const intermediates = reportList(inspection, store.intermediates, 'intermediate');
  return {
    generation: store.generation,
    sha256: store.sha256,
    time: new Date(inspection.time),
    anchors,
    pinnedEndEntities,
    intermediates,
    findings: worstFirst([anchors, pinnedEndEntities, intermediates].flat().flatMap(({ findings }) => findings)),
    ...(expected !== undefined && { drift: compareDigests([...anchors, ...pinnedEndEntities], expected) }),
  };
}

function reportList(
  inspection: Inspection,
  certificates: readonly Certificate[],
  role: TrustRole,
): readonly AnchorReport[] {
  const digested = certificates.map((certificate) => ({ certificate, sha256: certificate.sha256 }));
  const duplicates = new Duplicates(digested);
  return digested.map((one) => reportOne(inspection, { ...one, role, duplicates }));
}

function reportOne(inspection: Inspection, inspected: InspectedCertificate): AnchorReport {
  const { certificate, sha256, role } = inspected;
  const trustedUntil = constrainedEnd(inspection.store, certificate);
  const lastUsed = lastUse(inspection, inspected);
  return {
    subject: certificate.subject.toString(),
    issuer: certificate.issuer.toString(),
    serialNumber: certificate.serialNumber,
    sha256,
    spkiSha256: certificate.spkiSha256,
    key: keyText(certificate.publicKeyInfo),
    signatureAlgorithm: algorithmText(certificate.signatureAlgorithm),
    notBefore: new Date(certificate.notBefore),
    notAfter: new Date(certificate.notAfter),
    ...(trustedUntil !== undefined && { trustedUntil }),
    ...(lastUsed !== undefined && { lastUsed: new Date(lastUsed) }),
    findings: worstFirst(Array.from(flawsOf(inspection, inspected), (flaw) => toFinding(flaw, sha256, role))),
  };
}

/** When trust ends, where the operator says so. */
function constrainedEnd(store: TrustStore, certificate: Certificate): Date | undefined {
  if (!store.constraintsOn(certificate).some(({ notAfter }) => notAfter !== undefined)) return undefined;
  const end = trustEndsAt(store, certificate);
  return end === Infinity ? undefined : new Date(end);
}

/** @throws {TypeError} unless it is a list of SHA-256 digests in hexadecimal. */
function readDigests(given: readonly unknown[]): ReadonlySet<string> {
  if (!Array.isArray(given)) throw new TypeError(`expectedAnchors must be an array; it received ${describe(given)}.`);
  const digests = new Set<string>();
  for (const digest of given as readonly unknown[]) {
    if (typeof digest !== 'string' || !/^[0-9a-f]{64}$/i.test(digest)) {
      throw new TypeError('expectedAnchors must hold SHA-256 digests, each of 64 hexadecimal digits.');
    }
    digests.add(digest.toLowerCase());
  }
  return digests;
}

function compareDigests(found: readonly { readonly sha256: string }[], expected: ReadonlySet<string>): TrustDrift {
  const present = new Set(found.map(({ sha256 }) => sha256));
  return {
    added: [...present].filter((sha256) => !expected.has(sha256)).toSorted(),
    missing: [...expected].filter((sha256) => !present.has(sha256)).toSorted(),
  };
}
