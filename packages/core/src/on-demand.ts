// What many origins do without, and would pay for when they start. Each is loaded when it is first called.
import type { DenyList, DenyListOptions } from './revocation/deny-list';
import type * as CrlFiles from './revocation/crl-files';
import type { CrlFilesOptions } from './revocation/crl-files';
import type * as CrlUrls from './revocation/crl-urls';
import type { CrlDistributionPointsOptions, CrlUrlsOptions } from './revocation/crl-urls';
import type * as DenyListModule from './revocation/deny-list';
import type * as Ocsp from './revocation/ocsp';
import type { OcspOptions } from './revocation/ocsp';
import type * as OcspAnswerModule from './revocation/ocsp-answer';
import type { CheckOcspResponseInput, OcspAnswer } from './revocation/ocsp-answer';
import type { RevocationMethod } from './revocation/revocation-method';
import type * as LoadTrustStore from './trust/load-trust-store';
import type { LoadTrustStoreOptions } from './trust/load-trust-store';
import type { ReloadingTrustStore } from './trust/reloading-trust-store';
import type * as WatchTrustStore from './trust/watch-trust-store';
import type { WatchTrustStoreOptions } from './trust/watch-trust-store';

/**
 * Revocation by CRLs in files, which are watched and taken anew when they change. They are read now, synchronously, so that
 * an origin with a CRL that cannot be read does not start.
 *
 * A file that is empty, truncated, missing, garbage or older than before changes nothing: what it held before counts for as
 * long as it is current, an event tells, and `health` is degraded. So is `health` when the time of a CRL is over.
 *
 * @throws {TypeError} for options that are unknown or of the wrong kind, for files that hold no CRL, and for folders without
 *   files; {@link RangeError} for numbers out of bounds.
 */
export function crlFiles(options: CrlFilesOptions): RevocationMethod {
  return (require('./revocation/crl-files') as typeof CrlFiles).crlFiles(options);
}

/**
 * Revocation by CRLs at URLs that the operator names: for certificates that name none, and CRLs in private buckets, with a
 * `fetch` of one's own. Fetched now, in the background, and again from time to time.
 *
 * @throws {TypeError} for options that are unknown or of the wrong kind, and for what is no URL; {@link RangeError} for
 *   numbers out of bounds.
 */
export function crlUrls(options: CrlUrlsOptions): RevocationMethod {
  return (require('./revocation/crl-urls') as typeof CrlUrls).crlUrls(options);
}

/**
 * Revocation by CRLs at the places that certificates themselves name (RFC 5280 section 4.2.1.13), fetched once the path is
 * verified: http and https URLs of hosts with public addresses, two at most. Kept by URL, so that of a partitioned CRL each
 * part is what it is, and fetched again in the background while in use.
 *
 * @throws {TypeError} for options that are unknown or of the wrong kind; {@link RangeError} for numbers out of bounds.
 */
export function crlDistributionPoints(options: CrlDistributionPointsOptions = {}): RevocationMethod {
  return (require('./revocation/crl-urls') as typeof CrlUrls).crlDistributionPoints(options);
}

/**
 * Revocation by asking the issuer's responder (RFC 6960, RFC 5019) about each certificate, once its path is verified. By GET,
 * where the request fits. Answers are kept for as long as they hold, and asked for again in the background when half of
 * that time is over, or `refreshSeconds`, and somebody needs them; one question is asked once however many requests wait for it.
 *
 * @throws {TypeError} for options that are unknown or of the wrong kind; {@link RangeError} for numbers out of bounds.
 */
export function ocsp(options: OcspOptions = {}): RevocationMethod {
  return (require('./revocation/ocsp') as typeof Ocsp).ocsp(options);
}

/**
 * Judges an OCSP response (RFC 6960 section 3.2) that the caller has: stapled, fetched or kept. `'good'` only when the
 * response answers for this certificate, is current, and is signed by the issuer or by a delegate the issuer made for that;
 * whatever a responder sends, this does not reject.
 *
 * Rejects with {@link ClientCertificateError} `ERR_CERTIFICATE_MALFORMED` for certificates that are none (`position` 0 is
 * the certificate, 1 its issuer, then `certificates`), or TypeError and RangeError for input of the wrong kind.
 *
 * WARNING: `'unknown'` is not `'good'`, and `'good'` is not valid: it says that the certificate is not revoked, and nothing of
 * its path, for which there is `validatePath`.
 */
export async function checkOcspResponse(input: CheckOcspResponseInput): Promise<OcspAnswer> {
  return (require('./revocation/ocsp-answer') as typeof OcspAnswerModule).checkOcspResponse(input);
}

/**
 * Makes a list of certificates that are refused wherever they stand in a path, the trust anchor included: by hand at run
 * time, from files, from a function. Give it to `createRevocation`.
 *
 * Files are read now, synchronously; `load` is asked now and answers when it does. Where nobody may slip through, await
 * `reload()` before listening, and listen only when `health.status` is `'ok'`.
 *
 * @throws {TypeError} for options that are unknown or of the wrong kind, and for files that cannot be read; {@link
 *   RangeError} for numbers out of bounds.
 */
export function createDenyList(options: DenyListOptions = {}): DenyList {
  return (require('./revocation/deny-list') as typeof DenyListModule).createDenyList(options);
}

/**
 * A trust store from a function, for anchors in a bucket, behind a URL or in a database; asked again from time to time, more
 * often after a failure. What is new replaces the store, or is refused as {@link watchTrustStore} refuses it.
 *
 * Rejects with what made the first answer no good store, so that an origin without one does not start: {@link
 * TrustStoreError}, or TypeError and RangeError for options that are unknown or of the wrong kind.
 */
export async function loadTrustStore(options: LoadTrustStoreOptions): Promise<ReloadingTrustStore> {
  return (require('./trust/load-trust-store') as typeof LoadTrustStore).loadTrustStore(options);
}

/**
 * A trust store from files, replaced when they change: rewritten, renamed into place, or swapped with the whole volume as
 * Kubernetes does. The files are read now, synchronously, so that an origin without a good trust store does not start.
 *
 * A new store is refused, and the last good one stays, when a file is empty, truncated, unreadable or not what it should be,
 * when a required anchor is missing, or when more anchors than `maxShrink` are gone.
 *
 * @throws {TrustStoreError} when the files make no good store now.
 * @throws {TypeError} for options that are unknown or of the wrong kind; {@link RangeError} for numbers out of bounds.
 */
export function watchTrustStore(options: WatchTrustStoreOptions): ReloadingTrustStore {
  return (require('./trust/watch-trust-store') as typeof WatchTrustStore).watchTrustStore(options);
}
