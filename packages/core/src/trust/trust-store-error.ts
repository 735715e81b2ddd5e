/** What can be wrong with a trust store, with what was found. */
export interface TrustStoreErrorDetails {
  /** Nothing that could be trusted: no certificate at all. */
  ERR_TRUST_STORE_EMPTY: { readonly found: string };
  /** Something that is not a certificate, or a certificate that is not strict DER. `line` and `index` count from 1. */
  ERR_TRUST_STORE_MALFORMED: { readonly found: string; readonly line?: number; readonly index?: number };
  /** A private key lies in the bundle. Take it out, and replace it: it was readable by whoever reads trust stores. */
  ERR_TRUST_STORE_PRIVATE_KEY: { readonly found: string; readonly line: number };
  /** The file cannot be read. See `cause`. */
  ERR_TRUST_STORE_UNREADABLE: { readonly found: string };
}

/** The code of a {@link TrustStoreError}. Stable: a code changes its meaning only in a major version. */
export type TrustStoreErrorCode = keyof TrustStoreErrorDetails;

const messages: { readonly [Code in TrustStoreErrorCode]: string } = {
  ERR_TRUST_STORE_EMPTY: 'The trust store holds no certificate',
  ERR_TRUST_STORE_MALFORMED: 'The trust store is malformed',
  ERR_TRUST_STORE_PRIVATE_KEY: 'The trust store holds a private key',
  ERR_TRUST_STORE_UNREADABLE: 'The trust store cannot be read',
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
    const { found, line, index } = details as TrustStoreErrorDetails['ERR_TRUST_STORE_MALFORMED'];
    const place = line === undefined ? (index === undefined ? '' : ` (certificate ${index})`) : ` (line ${line})`;
    super(`${messages[code]}: found ${found}${place}.`, options);
  }
}
