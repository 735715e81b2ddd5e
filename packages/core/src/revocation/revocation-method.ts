import type { UnknownCause } from '../path/acceptance';
import type { ValidationRules } from '../path/rules';
import type { TrustStore } from '../trust/trust-store';
import type { Certificate } from '../x509/certificate';
import type { RevocationReason } from '../x509/crl-entries';

/** Every cause, the most telling last. */
export const unknownCauses: readonly UnknownCause[] = [
  'no-source',
  'unreachable',
  'unusable',
  'untrusted',
  'not-current',
  'not-known',
];

/** One certificate of a verified path, to be asked about. */
export interface RevocationQuestion {
  readonly certificate: Certificate;
  /** The certificate whose key signed it. */
  readonly issuer: Certificate;
  /** Certificates above it in the path that bear its issuer's name, the issuer among them: whose keys may sign a CRL. */
  readonly authorities: readonly Certificate[];
  /** Its place in the path, 0 for the end-entity certificate. */
  readonly depth: number;
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  readonly rules: Pick<ValidationRules, 'legacyAlgorithms' | 'profile'>;
}

/** What a method knows. Times in milliseconds since the Unix epoch. */
export type RevocationAnswer =
  | {
      readonly status: 'good';
      /** The file or URL it is known from. */
      readonly source: string;
      readonly asOf: number;
      /** Holds until then, unless something newer is found. */
      readonly until: number;
    }
  | {
      readonly status: 'revoked';
      readonly source: string;
      readonly asOf: number;
      readonly until: number;
      readonly revokedAt: number;
      readonly reason: RevocationReason | undefined;
    }
  | {
      readonly status: 'unknown';
      readonly cause: UnknownCause;
      /** What exactly, for the operator. */
      readonly detail: string;
      /** Whether no policy for what is unknown applies. */
      readonly isFinal?: boolean;
    };

/** A way to find out whether a certificate is revoked: `crlFiles`, `crlUrls`, `crlDistributionPoints`, `ocsp`. */
export interface RevocationMethod {
  /** What kind of statement it goes by. */
  readonly name: 'crl' | 'ocsp';
  /** @internal Another number when an answer given before might be another now, other than by the passing of its time. */
  readonly revision: number;
  /** How it is doing. Plain data. */
  readonly health: RevocationHealth;
  /**
   * @internal Judges what it was configured with against the issuers of certificates.
   * @throws {TypeError} if it could not be of use.
   */
  checkTrust(trust: TrustStore): void;
  /** @internal An answer at once where it is known, otherwise a promise. Never throws and never rejects. */
  ask(question: RevocationQuestion): RevocationAnswer | Promise<RevocationAnswer>;
  /** Stops everything it does by itself; leaves no timer and no handle. */
  close(): Promise<void>;
}

/** How a {@link RevocationMethod} is doing. */
export interface RevocationHealth {
  /** What kind of statement it goes by. */
  readonly method: 'crl' | 'ocsp';
  /** `'degraded'`: something it should know from could not be read or reached, and it goes by what it knew. */
  readonly status: 'ok' | 'degraded';
  /** Each file, URL or host it knows from. */
  readonly sources: readonly RevocationSourceHealth[];
}

/** How one file, URL or host is doing. Plain data. */
export interface RevocationSourceHealth {
  /** The file, URL or host. */
  readonly source: string;
  /** `'degraded'`: what it says now cannot be used, and what it said before counts. */
  readonly status: 'ok' | 'degraded';
  /** What is wrong. */
  readonly problem?: string;
  /** When what is known was issued. */
  readonly thisUpdate?: Date;
  /** Until when it is current. */
  readonly nextUpdate?: Date;
  /** Entries of the CRL. */
  readonly entries?: number;
}

/** The worse of two answers: revoked, then good; of two that do not know, the more telling. */
export function moreTelling(one: RevocationAnswer, other: RevocationAnswer): RevocationAnswer {
  if (one.status === 'unknown' && other.status === 'unknown') {
    return unknownCauses.indexOf(other.cause) > unknownCauses.indexOf(one.cause) ? other : one;
  }
  if (one.status === 'revoked' || other.status === 'unknown') return one;
  return other.status === 'revoked' || one.status === 'unknown' ? other : one.until >= other.until ? one : other;
}

export function unknown(cause: UnknownCause, detail: string): RevocationAnswer & { status: 'unknown' } {
  return { status: 'unknown', cause, detail };
}

/**
 * Asks a method, which may be anyone's: whatever it does, and whatever it answers that is no answer or not from now, it has
 * not said that a certificate is good.
 */
export function askSafely(
  method: RevocationMethod,
  question: RevocationQuestion,
): RevocationAnswer | Promise<RevocationAnswer> {
  const fail = (): RevocationAnswer => unknown('unusable', 'the method failed');
  try {
    const answer: unknown = method.ask(question);
    const isPromised = typeof (answer as { then?: unknown } | null | undefined)?.then === 'function';
    if (!isPromised) return checkAnswer(answer, question.time);
    return Promise.resolve(answer)
      .then((one) => checkAnswer(one, question.time))
      .catch(fail);
  } catch {
    return fail();
  }
}

function checkAnswer(answer: unknown, time: number): RevocationAnswer {
  // A copy: each field is read once.
  const one = { ...(answer as Partial<RevocationAnswer> | null | undefined) } as RevocationAnswer;
  if (one.status === 'revoked' || (one.status === 'unknown' && unknownCauses.includes(one.cause))) return one;
  const isGood =
    one.status === 'good' &&
    typeof one.source === 'string' &&
    [one.asOf, one.until].every((date) => Number.isFinite(date));
  if (!isGood) return unknown('unusable', 'the method gave no answer');
  return time <= one.until ? one : unknown('not-current', 'the time of the answer is over');
}
