import { checkInteger, checkOptions, describe } from '../options';
import type { UnknownCause } from '../path/acceptance';
import type * as DenyListModule from './deny-list';
import type { DenyList } from './deny-list';
import { type RevocationMethod, unknownCauses } from './revocation-method';

/** What `createRevocation` takes. */
export interface RevocationOptions {
  /**
   * Ways to find out, in the order in which they are asked about each certificate: the first that knows is believed.
   * Default none, which leaves the deny list.
   */
  readonly methods?: readonly RevocationMethod[];
  /** Certificates that are refused whatever the methods say. Default none. */
  readonly denyList?: DenyList;
  /** Which certificates are asked about: all but the trust anchor, or the end-entity certificate alone. Default `'path'`. */
  readonly depth?: 'path' | 'end-entity';
  /**
   * What becomes of a certificate of which no method knows: refused with 503, or accepted, and asked about again a minute
   * later at most. Or a word for each cause, `'reject'` where there is none. Default `'reject'`.
   */
  readonly unknownStatus?: 'reject' | 'accept' | { readonly [Cause in UnknownCause]?: 'reject' | 'accept' };
  /** Methods that must have said that a certificate is good, by name; `unknownStatus` does not help. Default none. */
  readonly mustAnswer?: readonly ('crl' | 'ocsp')[];
  /**
   * End-entity certificates that live no longer than this, from notBefore to notAfter, are not asked about, in seconds: from
   * 1 to 7,776,000. AWS Private CA calls seven days (604,800) short-lived. Default: none is exempt.
   */
  readonly shortLivedSeconds?: number;
  /**
   * Longest time a path waits for methods, in milliseconds: from 1 to 60,000, default 3,000. After it, whoever has not
   * answered does not know, and those behind it are asked for what they have at hand. They go on without the request.
   */
  readonly timeoutMs?: number;
}

const optionNames = ['methods', 'denyList', 'depth', 'unknownStatus', 'mustAnswer', 'shortLivedSeconds', 'timeoutMs'];

/** @throws {TypeError} or {@link RangeError} */
export function checkRevocationOptions(options: RevocationOptions): void {
  checkOptions('createRevocation', options, optionNames);
  const { methods = [], denyList, depth, unknownStatus = 'reject', mustAnswer = [] } = options;
  const { timeoutMs, shortLivedSeconds } = options;
  if (!Array.isArray(methods) || !withoutGaps(methods).every(isMethod)) {
    throw new TypeError(`methods takes a list of crlFiles(...), ocsp() and so on; it received ${describe(methods)}.`);
  }
  if (denyList !== undefined && !isDenyList(denyList)) {
    throw new TypeError(`denyList takes what createDenyList makes; it received ${describe(denyList)}.`);
  }
  if (methods.length === 0 && denyList === undefined) {
    throw new TypeError('createRevocation needs methods or a denyList: nothing would ever be revoked otherwise.');
  }
  if (depth !== undefined && depth !== 'path' && depth !== 'end-entity') {
    throw new TypeError("depth must be 'path' or 'end-entity'.");
  }
  checkUnknownStatus(unknownStatus);
  if (!Array.isArray(mustAnswer)) {
    throw new TypeError(`mustAnswer must be an array; it received ${describe(mustAnswer)}.`);
  }
  const names = new Set<unknown>(methods.map(({ name }) => name));
  if (!withoutGaps(mustAnswer).every((name) => names.has(name))) {
    throw new TypeError('mustAnswer names a method that is not among the methods.');
  }
  if (shortLivedSeconds !== undefined) checkInteger('shortLivedSeconds', shortLivedSeconds, 1, 7_776_000);
  if (timeoutMs !== undefined) checkInteger('timeoutMs', timeoutMs, 1, 60_000);
}

/** What is missing in a list would be passed over. */
function withoutGaps(list: readonly unknown[]): readonly unknown[] {
  return Array.from(list);
}

function isMethod(value: unknown): value is RevocationMethod {
  const { name, revision, ask, checkTrust, close } = (value ?? {}) as Partial<Record<string, unknown>>;
  const isNamed = name === 'crl' || name === 'ocsp';
  return isNamed && typeof revision === 'number' && [ask, checkTrust, close].every((one) => typeof one === 'function');
}

function checkUnknownStatus(unknownStatus: unknown): void {
  if (isWord(unknownStatus)) return;
  if (typeof unknownStatus !== 'object') {
    throw new TypeError("unknownStatus must be 'reject', 'accept', or one of them for each cause.");
  }
  checkOptions('unknownStatus', unknownStatus, unknownCauses);
  for (const [cause, word] of Object.entries(unknownStatus as object)) {
    if (word === undefined || isWord(word)) continue;
    throw new TypeError(`unknownStatus.${cause} must be 'reject' or 'accept'.`);
  }
}

function isWord(value: unknown): boolean {
  return value === 'reject' || value === 'accept';
}

/** The causes with which a certificate is accepted. Only those that the options name themselves. */
export function acceptedCauses(
  unknownStatus: NonNullable<RevocationOptions['unknownStatus']>,
): ReadonlySet<UnknownCause> {
  if (unknownStatus === 'reject') return new Set();
  if (unknownStatus === 'accept') return new Set(unknownCauses);
  return new Set(
    unknownCauses.filter((cause) => Object.hasOwn(unknownStatus, cause) && unknownStatus[cause] === 'accept'),
  );
}

/** Whoever has a deny list has loaded what makes one; nobody else need. */
function isDenyList(value: unknown): value is DenyList {
  return (require('./deny-list') as typeof DenyListModule).isDenyList(value);
}
