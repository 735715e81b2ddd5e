import { ClientCertificateError } from './errors';
import type { ClientIdentity } from './identity';
import { checkOptions, describe } from './options';
import type { CertificateRequest } from './request';
import { lowerCaseAscii } from './x509/ascii';

/**
 * Whom a route lets in, in words. Every property given must match; of several values one must. Values are compared with
 * names of their own type only, exactly, except that ASCII case does not matter in host names.
 */
export interface IdentityRule {
  /** A URI of the subjectAltName, e.g. `spiffe://example.com/ops/alice`. */
  readonly uri?: string | readonly string[];
  /** A dNSName. A wildcard is a name like any other. */
  readonly dns?: string | readonly string[];
  /** An rfc822Name. The part before `@` is compared exactly. */
  readonly email?: string | readonly string[];
  /** SHA-256 of the public key, 64 hexadecimal digits. */
  readonly spkiSha256?: string | readonly string[];
  /** The issuer, as `identity.issuer.toString()` writes it. */
  readonly issuer?: string | readonly string[];
  /** A SPIFFE trust domain, e.g. `example.com`: the only URI of the certificate is a SPIFFE ID within it. */
  readonly trustDomain?: string | readonly string[];
}

/** The user's own rule. Only `true`, or a promise of it, lets a request in. */
export type IdentityPredicate<Request = CertificateRequest> = (
  identity: ClientIdentity,
  request: Request,
) => boolean | Promise<boolean>;

const ruleNames = ['uri', 'dns', 'email', 'spkiSha256', 'issuer', 'trustDomain'];

/** What a value of one kind looks like; one that does not could never match. */
interface Spelling {
  readonly pattern: RegExp;
  readonly described: string;
}

const digest: Spelling = { pattern: /^[0-9a-f]{64}$/i, described: 'SHA-256 in 64 hexadecimal digits' };
const host: Spelling = { pattern: /^[a-z0-9._-]+$/i, described: 'a name such as example.com, without spiffe://' };

/** Longest time a predicate may take, in milliseconds. */
const predicateTimeoutMs = 5_000;

/**
 * Makes a predicate of a rule.
 *
 * @throws {TypeError} for a rule without a property, with an unknown one, or with a value that is not a non-empty string
 *   or list of such. A rule that could never match, or always does, is a mistake.
 */
export function predicateOf<Request>(rule: IdentityRule | IdentityPredicate<Request>): IdentityPredicate<Request> {
  if (typeof rule === 'function') return rule;
  checkOptions('requireClientIdentity', rule, ruleNames);
  const checks = [
    matcher('uri', rule.uri, unchanged, ({ uris }) => uris),
    matcher('dns', rule.dns, lowerCaseAscii, ({ dnsNames }) => dnsNames),
    matcher('email', rule.email, lowerCaseHost, ({ emails }) => emails),
    matcher('spkiSha256', rule.spkiSha256, lowerCaseAscii, ({ spkiSha256 }) => [spkiSha256], digest),
    matcher('issuer', rule.issuer, unchanged, ({ issuer }) => [issuer.toString()]),
    matcher('trustDomain', rule.trustDomain, lowerCaseAscii, trustDomains, host),
  ].filter((check) => check !== undefined);
  if (checks.length === 0) {
    throw new TypeError(`requireClientIdentity received an empty rule; it knows ${ruleNames.join(', ')}.`);
  }
  return (identity) => checks.every((check) => check(identity));
}

/**
 * Asks a predicate, and trusts nothing but `true`.
 *
 * @throws {ClientCertificateError} `ERR_POLICY_NOT_AUTHORIZED` for any other answer, `ERR_POLICY_FAILED` when it throws or
 *   rejects, `ERR_POLICY_TIMEOUT` when it does not answer within five seconds.
 */
export async function checkPredicate<Request>(
  predicate: IdentityPredicate<Request>,
  identity: ClientIdentity,
  request: Request,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new ClientCertificateError('ERR_POLICY_TIMEOUT', { timeoutMs: predicateTimeoutMs }));
    }, predicateTimeoutMs);
  });
  let answer: unknown;
  try {
    answer = await Promise.race([predicate(identity, request), timeout]);
  } catch (error) {
    if (error instanceof ClientCertificateError && error.code === 'ERR_POLICY_TIMEOUT') throw error;
    throw new ClientCertificateError('ERR_POLICY_FAILED', {}, { cause: error });
  } finally {
    clearTimeout(timer);
  }
  if (answer !== true) {
    const { certificateSha256 } = identity;
    throw new ClientCertificateError('ERR_POLICY_NOT_AUTHORIZED', { certificateSha256 });
  }
}

function matcher(
  name: string,
  given: string | readonly string[] | undefined,
  fold: (value: string) => string,
  namesOf: (identity: ClientIdentity) => readonly string[],
  spelling?: Spelling,
): ((identity: ClientIdentity) => boolean) | undefined {
  if (given === undefined) return undefined;
  const values: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (values.length === 0 || !values.every((value) => typeof value === 'string' && value !== '')) {
    throw new TypeError(`${name} must be a non-empty string, or a list of them; it received ${describe(given)}.`);
  }
  if (spelling !== undefined && !values.every((value) => spelling.pattern.test(value as string))) {
    throw new TypeError(`${name} takes ${spelling.described}.`);
  }
  const wanted = new Set((values as readonly string[]).map(fold));
  return (identity) => namesOf(identity).some((value) => wanted.has(fold(value)));
}

/** SPIFFE X.509-SVID section 2: exactly one URI, `spiffe://trust-domain/path`. */
function trustDomains({ uris }: ClientIdentity): readonly string[] {
  const [uri = '', ...others] = uris;
  const trustDomain = /^spiffe:\/\/([a-z0-9._-]+)(?:\/|$)/i.exec(uri)?.[1];
  return trustDomain === undefined || others.length > 0 ? [] : [trustDomain];
}

function unchanged(value: string): string {
  return value;
}

function lowerCaseHost(email: string): string {
  const at = email.lastIndexOf('@');
  return email.slice(0, at + 1) + lowerCaseAscii(email.slice(at + 1));
}
