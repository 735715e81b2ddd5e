import { type FileContents, type FilePaths, listPaths, readFilesAtOnce, UnreadableFileError } from '../files';
import { runAtOnce } from '../slices';
import { Certificate } from '../x509/certificate';
import { DerError } from '../x509/der';
import { parsePemCertificates } from './pem';
import { TrustStoreError } from './trust-store-error';

/** Certificates of PEM text. See {@link certificatesOf} for what is thrown. */
export function decodePem(pem: string | Uint8Array): readonly Certificate[] {
  return runAtOnce(certificatesInPem(textOf(pem), undefined));
}

/** Certificates of DER, one each. See {@link certificatesOf} for what is thrown. */
export function decodeDer(certificates: readonly Uint8Array[]): readonly Certificate[] {
  return certificates.map((der, index) => decodeOne(der, index + 1, undefined));
}

/** Certificates of files and folders, read now. See {@link certificatesOf} for what is thrown. */
export function decodeFiles(owner: string, paths: FilePaths): readonly Certificate[] {
  return readTrustFiles(listPaths(owner, paths)).flatMap((file) => runAtOnce(certificatesOf(file)));
}

/** @throws {TrustStoreError} `ERR_TRUST_STORE_UNREADABLE` */
export function readTrustFiles(paths: readonly string[]): readonly FileContents[] {
  try {
    return readFilesAtOnce(paths);
  } catch (error) {
    throw asUnreadable(error);
  }
}

/** What a file that cannot be read is to a trust store. */
export function asUnreadable(error: unknown): unknown {
  if (!(error instanceof UnreadableFileError)) return error;
  return new TrustStoreError('ERR_TRUST_STORE_UNREADABLE', { found: error.found }, { cause: error.cause });
}

/**
 * Certificates of one file, or of bytes that might be one: PEM, or a single certificate in DER. Yields after each, and now
 * and then in between.
 *
 * @throws {TrustStoreError} saying what was found, in which line, in which file.
 */
export function* certificatesOf(file: {
  readonly path?: string;
  readonly bytes: Uint8Array;
}): Generator<void, readonly Certificate[], void> {
  const { path, bytes } = file;
  // What a DER certificate begins with: a SEQUENCE whose length takes one octet or two.
  if (bytes[0] === 0x30 && (bytes[1] === 0x81 || bytes[1] === 0x82)) return [decodeOne(bytes, undefined, path)];
  return yield* certificatesInPem(textOf(bytes), path);
}

/**
 * Certificates that are in use already as the same objects again: their keys are imported, their signatures known. Of the
 * others, what the swap will ask for is made here, while nobody waits. Yields after each.
 */
export function* reuseCertificates(
  certificates: readonly Certificate[],
  inUse: { decoded(certificate: Certificate): Certificate } | undefined,
): Generator<void, readonly Certificate[], void> {
  const reused: Certificate[] = [];
  for (const certificate of certificates) {
    const known = inUse?.decoded(certificate) ?? certificate;
    known.sha256.charCodeAt(0);
    reused.push(known);
    yield;
  }
  return reused;
}

function* certificatesInPem(text: string, file: string | undefined): Generator<void, readonly Certificate[], void> {
  const certificates: Certificate[] = [];
  try {
    for (const der of parsePemCertificates(text)) {
      if (der !== undefined) certificates.push(decodeOne(der, certificates.length + 1, undefined));
      yield;
    }
    if (certificates.length === 0) throw new TrustStoreError('ERR_TRUST_STORE_EMPTY', { found: describeText(text) });
  } catch (error) {
    throw error instanceof TrustStoreError && file !== undefined ? error.in(file) : error;
  }
  return certificates;
}

function textOf(pem: string | Uint8Array): string {
  if (typeof pem === 'string') return pem.replace(/^\uFEFF/, '');
  // Latin1, so that nothing between the blocks has to be UTF-8.
  return Buffer.from(pem.buffer, pem.byteOffset, pem.byteLength)
    .toString('latin1')
    .replace(/^\xEF\xBB\xBF/, '');
}

function describeText(text: string): string {
  if (text.length === 0) return 'an empty file';
  if (text.startsWith('\x30\x82') || text.startsWith('\x30\x81')) return 'DER where PEM is expected; use fromDer';
  if (/^(?:\xFE\xFF|\xFF\xFE)/.test(text)) return 'text in UTF-16 where PEM is expected';
  if (/^\s*</.test(text)) return 'markup, such as an error page, where PEM is expected';
  return text.trim() === '' ? 'only white space' : 'text without a PEM certificate';
}

function decodeOne(der: Uint8Array, index: number | undefined, file: string | undefined): Certificate {
  try {
    // A copy: the store must not change when the caller's buffer does.
    return Certificate.copyOf(der);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    const found = `a certificate that is not strict DER: ${error.reason} at octet ${error.offset}`;
    const details = { found, ...(index !== undefined && { index }), ...(file !== undefined && { file }) };
    throw new TrustStoreError('ERR_TRUST_STORE_MALFORMED', details, { cause: error });
  }
}
