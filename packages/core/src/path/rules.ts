import { checkOptions } from '../options';

/**
 * What RFC 5280 leaves to the relying party. Every default is the strict word but for `profile` and `absentExtKeyUsage`,
 * where strictness would refuse certificates of ordinary private CAs: see docs/decisions/0004.
 */
export interface ValidationRules {
  /** A trust anchor's own validity, cA, keyUsage, extKeyUsage, path length, name constraints and critical extensions. Default `'enforce'`. */
  readonly anchor?: 'enforce' | 'ignore';
  /** An end-entity certificate with cA, or with keyCertSign. Default `'reject'`. */
  readonly caAsEndEntity?: 'reject' | 'accept';
  /** An end-entity certificate without extKeyUsage. Default `'accept'`: RFC 5280 section 4.2.1.12 calls it unrestricted. */
  readonly absentExtKeyUsage?: 'accept' | 'reject';
  /** anyExtendedKeyUsage in place of the purpose, in an end-entity certificate. Default `'reject'`. */
  readonly anyExtKeyUsage?: 'reject' | 'accept';
  /** SHA-1 signatures, and RSA keys from 1024 bits. Default `'reject'`. Nothing makes MD5 or shorter keys acceptable. */
  readonly legacyAlgorithms?: 'reject' | 'accept';
  /** Whether name constraints for host names also bind a common name that looks like one, where there is no dNSName. Default `'constrain'`. */
  readonly commonNameHosts?: 'constrain' | 'ignore';
  /**
   * `'rfc5280'` refuses certificates that break what RFC 5280 section 4 tells CAs and path validation does not need: missing
   * key identifiers, criticality, serial numbers, names. Default `'path-validation'`.
   */
  readonly profile?: 'path-validation' | 'rfc5280';
}

/** Every rule with its word: what {@link resolveRules} makes. */
export type ResolvedRules = Readonly<Required<ValidationRules>>;

/** The words of each rule, the default first. */
const words: { readonly [Rule in keyof Required<ValidationRules>]: readonly Required<ValidationRules>[Rule][] } = {
  anchor: ['enforce', 'ignore'],
  caAsEndEntity: ['reject', 'accept'],
  absentExtKeyUsage: ['accept', 'reject'],
  anyExtKeyUsage: ['reject', 'accept'],
  legacyAlgorithms: ['reject', 'accept'],
  commonNameHosts: ['constrain', 'ignore'],
  profile: ['path-validation', 'rfc5280'],
};

/** @throws {TypeError} for rules and words that do not exist. */
export function checkRules(rules: ValidationRules): void {
  checkOptions('rules', rules, Object.keys(words));
  for (const [rule, value] of Object.entries(rules)) {
    const known: readonly unknown[] = words[rule as keyof ValidationRules];
    if (value !== undefined && !known.includes(value)) {
      throw new TypeError(`rules.${rule} must be ${known.map((word) => `'${String(word)}'`).join(' or ')}.`);
    }
  }
}

/**
 * Every rule with its word, the first of its words where none is given. Words of the object itself only: what it would
 * inherit from a polluted Object.prototype is nobody's decision.
 */
export function resolveRules(rules: ValidationRules): ResolvedRules {
  const resolved = Object.entries(words).map(([rule, [standard]]) => {
    const given = Object.hasOwn(rules, rule) ? rules[rule as keyof ValidationRules] : undefined;
    return [rule, given ?? standard];
  });
  return Object.freeze(Object.fromEntries(resolved)) as ResolvedRules;
}
