import { type DerReader, Tag } from './der';
import { dottedOid, oid } from './oid';

/** How a signature is checked: everything `node:crypto` needs besides the key. Frozen; one object per algorithm. */
export interface SignatureAlgorithm {
  readonly name: string;
  readonly keyType: 'rsa' | 'ec' | 'ed25519';
  /** Digest name for `node:crypto`; null for Ed25519, which digests for itself. */
  readonly digest: 'sha1' | 'sha256' | 'sha384' | 'sha512' | null;
  readonly padding: 'pkcs1' | 'pss' | undefined;
}

/** An AlgorithmIdentifier (RFC 5280 section 4.1.1.2) as a certificate has it. */
export interface AlgorithmIdentifier {
  /** Undefined when the algorithm, or its parameters, are not known. */
  readonly algorithm: SignatureAlgorithm | undefined;
  /** Dotted OID, for people. */
  readonly oid: string;
}

const digests = [
  { digest: 'sha256', rsa: '1.2.840.113549.1.1.11', ecdsa: '1.2.840.10045.4.3.2', oid: '2.16.840.1.101.3.4.2.1' },
  { digest: 'sha384', rsa: '1.2.840.113549.1.1.12', ecdsa: '1.2.840.10045.4.3.3', oid: '2.16.840.1.101.3.4.2.2' },
  { digest: 'sha512', rsa: '1.2.840.113549.1.1.13', ecdsa: '1.2.840.10045.4.3.4', oid: '2.16.840.1.101.3.4.2.3' },
] as const;

const saltLengths = { sha256: 32, sha384: 48, sha512: 64 } as const;

/**
 * The known algorithms, keyed by the whole DER of their AlgorithmIdentifier, as latin1: parameters are part of the
 * key, so an algorithm with parameters that are not its own is simply not found (PKCS#1 v1.5 RSA and PSS as in RFC 4055,
 * ECDSA as in RFC 5758, Ed25519 as in RFC 8410).
 *
 * NOTE: RFC 4055 section 5 asks relying parties to accept PKCS#1 v1.5 identifiers with and without NULL, and section 2.1
 * the same of hash identifiers inside PSS parameters. PSS is accepted with one digest for message and mask and a salt of
 * that digest's length, which is what TLS 1.3 and every public profile require.
 */
const known = new Map<string, AlgorithmIdentifier>();

function element(tag: number, ...contents: readonly string[]): string {
  const body = contents.join('');
  return String.fromCharCode(tag, body.length) + body;
}

function know(algorithm: SignatureAlgorithm, dotted: string, parameters: string): void {
  const identifier = Object.freeze({ algorithm: Object.freeze(algorithm), oid: dotted });
  known.set(element(Tag.sequence, element(Tag.oid, oid(dotted)), parameters), identifier);
}

const derNull = element(Tag.null);
know({ name: 'Ed25519', keyType: 'ed25519', digest: null, padding: undefined }, '1.3.101.112', '');
const sha1Rsa: SignatureAlgorithm = { name: 'RSA with sha1', keyType: 'rsa', digest: 'sha1', padding: 'pkcs1' };
for (const parameters of [derNull, '']) know(sha1Rsa, '1.2.840.113549.1.1.5', parameters);
know({ name: 'ECDSA with sha1', keyType: 'ec', digest: 'sha1', padding: undefined }, '1.2.840.10045.4.1', '');
for (const { digest, rsa, ecdsa, oid: digestOid } of digests) {
  know({ name: `ECDSA with ${digest}`, keyType: 'ec', digest, padding: undefined }, ecdsa, '');
  const pkcs1: SignatureAlgorithm = { name: `RSA with ${digest}`, keyType: 'rsa', digest, padding: 'pkcs1' };
  const pss: SignatureAlgorithm = { name: `RSA-PSS with ${digest}`, keyType: 'rsa', digest, padding: 'pss' };
  for (const parameters of [derNull, '']) know(pkcs1, rsa, parameters);
  for (const hashParameters of [derNull, '']) {
    for (const maskParameters of [derNull, '']) {
      const hash = element(Tag.sequence, element(Tag.oid, oid(digestOid)), hashParameters);
      const maskHash = element(Tag.sequence, element(Tag.oid, oid(digestOid)), maskParameters);
      const mask = element(Tag.sequence, element(Tag.oid, oid('1.2.840.113549.1.1.8')), maskHash);
      const salt = element(Tag.integer, String.fromCharCode(saltLengths[digest]));
      const parameters = element(Tag.sequence, element(0xa0, hash), element(0xa1, mask), element(0xa2, salt));
      know(pss, '1.2.840.113549.1.1.10', parameters);
    }
  }
}

/** SHA-1: known, and permitted only where a relying party asks for it. */
export function isLegacy({ digest }: SignatureAlgorithm): boolean {
  return digest === 'sha1';
}

/** Reads an AlgorithmIdentifier; leaves the whole element in the reader's range. Any well-formed one is read. */
export function readAlgorithmIdentifier(reader: DerReader, what: string): AlgorithmIdentifier {
  const start = reader.end;
  const contents = reader.enter(Tag.sequence, what);
  const found = known.get(reader.bytes.toString('latin1', start, reader.end));
  const type = contents.oid(`${what}: algorithm`);
  if (!contents.atEnd) {
    contents.readOpaque();
    contents.finish(what);
  }
  return found ?? { algorithm: undefined, oid: dottedOid(type) };
}
