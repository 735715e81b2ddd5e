/** What can be wrong with a trust store, with what was found. `file` is where, if it came from a file. */
export interface TrustStoreErrorDetails {
  /** Nothing that could be trusted: no certificate at all. */
  ERR_TRUST_STORE_EMPTY: { readonly found: string; readonly file?: string };
  /** Something that is not a certificate, or a certificate that is not strict DER. `line` and `index` count from 1. */
  ERR_TRUST_STORE_MALFORMED: {
    readonly found: string;
    readonly line?: number;
    readonly index?: number;
    readonly file?: string;
  };
  /** A private key lies in the bundle. Take it out, and replace it: it was readable by whoever reads trust stores. */
  ERR_TRUST_STORE_PRIVATE_KEY: { readonly found: string; readonly line: number; readonly file?: string };
  /** The file cannot be read. See `cause`. */
  ERR_TRUST_STORE_UNREADABLE: { readonly found: string };
  /** A new bundle lacks an anchor it must have. `sha256` is the first that is missing. */
  ERR_TRUST_STORE_ANCHOR_MISSING: { readonly found: string; readonly sha256: string };
  /** A new bundle has lost more anchors than may go at once. */
  ERR_TRUST_STORE_SHRUNK: { readonly found: string; readonly before: number; readonly after: number };
  /** The function that loads the store failed, or took too long. See `cause`. */
  ERR_TRUST_STORE_NOT_LOADED: { readonly found: string };
}

/** The code of a {@link TrustStoreError}. Stable: a code changes its meaning only in a major version. */
export type TrustStoreErrorCode = keyof TrustStoreErrorDetails;

const messages: { readonly [Code in TrustStoreErrorCode]: string } = {
  ERR_TRUST_STORE_EMPTY: 'The trust store holds no certificate',
  ERR_TRUST_STORE_MALFORMED: 'The trust store is malformed',
  ERR_TRUST_STORE_PRIVATE_KEY: 'The trust store holds a private key',
  ERR_TRUST_STORE_UNREADABLE: 'The trust store cannot be read',
  ERR_TRUST_STORE_ANCHOR_MISSING: 'The trust store lacks a required anchor',
  ERR_TRUST_STORE_SHRUNK: 'The trust store has lost too many anchors',
  ERR_TRUST_STORE_NOT_LOADED: 'The trust store could not be loaded',
};

/**
 * A trust store that cannot be used, thrown where it is made, before anything is served. Unlike a refusal of a request
 * its message says what was found: it speaks to the operator, and quotes no certificate or key.
 */
export class TrustStoreError<Code extends TrustStoreErrorCode = TrustStoreErrorCode> extends Error {
  static {
    this.prototype.name = 'TrustStoreError';
  }

  constructor(
    /** What is wrong, for programs. */
    readonly code: Code,
    /** What was found, and where. */
    readonly details: TrustStoreErrorDetails[Code],
    options?: ErrorOptions,
  ) {
    const { found, line, index, file } = details as TrustStoreErrorDetails['ERR_TRUST_STORE_MALFORMED'];
    const place = line === undefined ? (index === undefined ? '' : `certificate ${index}`) : `line ${line}`;
    const where = [place, file].filter((part) => part !== undefined && part !== '').join(' of ');
    super(`${messages[code]}: found ${found}${where === '' ? '' : ` (${where})`}.`, options);
  }

  /** @internal The same, found in a file. */
  in(file: string): TrustStoreError<Code> {
    return new TrustStoreError(this.code, { ...this.details, file }, { cause: this.cause });
  }
}
