import { ClientCertificateError } from '../errors';
import { checkOptions } from '../options';
import type { AcceptablePath, Acceptance, PathAcceptor, RevocationEvidence, UnknownCause } from '../path/acceptance';
import type { ResolvedRules } from '../path/rules';
import type { TrustStore } from '../trust/trust-store';
import type { Certificate } from '../x509/certificate';
import type * as CrlsAtHand from './crls-at-hand';
import type { DenyList, DenyListHealth } from './deny-list';
import { type Finding, Inquiry, type InquiryRules } from './revocation-inquiry';
import type { RevocationAnswer, RevocationHealth, RevocationMethod, RevocationQuestion } from './revocation-method';
import { acceptedCauses, checkRevocationOptions, type RevocationOptions } from './revocation-options';

export type { RevocationOptions } from './revocation-options';

/** What {@link Revocation.fromCrls} takes. */
export interface CrlPolicyOptions extends Pick<RevocationOptions, 'depth' | 'unknownStatus'> {
  /** The oldest a CRL may be, by its thisUpdate; the only end of one without nextUpdate. Default: none. */
  readonly maxAgeSeconds?: number;
}

/** How a {@link Revocation} is doing. Plain data. */
export interface RevocationPolicyHealth {
  /** `'degraded'`: one of the following is. */
  readonly status: 'ok' | 'degraded';
  /** Each method, in the order in which they are asked. */
  readonly methods: readonly RevocationHealth[];
  /** Absent where there is no deny list. */
  readonly denyList?: DenyListHealth;
}

/** Milliseconds that a verdict holds in which somebody was accepted without being known good. */
const unknownHoldsMs = 60_000;

/**
 * Makes a policy of revocation (RFC 5280 section 6.3): whom to ask about which certificates, and what becomes of those of
 * which nobody knows.
 *
 * Methods are asked about a path that is good in every other way, and never about one that is not. A certificate that any
 * method asked says is revoked is refused. Missing issuers, answers that cannot be read, answers from the past: all of that
 * is unknown, and unknown is never good.
 *
 * @throws {TypeError} for options that are unknown or of the wrong kind; {@link RangeError} for numbers out of bounds.
 */
export function createRevocation(options: RevocationOptions): Revocation {
  return Revocation.of(options);
}

/** A policy of revocation, to be given to authenticators and `validatePath`. Made by {@link createRevocation}. */
export class Revocation implements PathAcceptor {
  readonly #rules: InquiryRules;
  readonly #denyList: DenyList | undefined;
  readonly #depth: 'path' | 'end-entity';
  readonly #acceptedCauses: ReadonlySet<UnknownCause>;
  /** Undefined where no certificate is exempt. */
  readonly #shortLivedMs: number | undefined;

  private constructor(options: RevocationOptions) {
    const { methods = [], denyList, depth = 'path', unknownStatus = 'reject', mustAnswer = [] } = options;
    const { timeoutMs = 3_000, shortLivedSeconds } = options;
    this.#rules = { methods: [...methods], mustAnswer: [...mustAnswer], timeoutMs };
    this.#denyList = denyList;
    this.#depth = depth;
    this.#acceptedCauses = acceptedCauses(unknownStatus);
    this.#shortLivedMs = shortLivedSeconds === undefined ? undefined : shortLivedSeconds * 1000;
  }

  /** @internal See {@link createRevocation}. */
  static of(options: RevocationOptions): Revocation {
    checkRevocationOptions(options);
    return new Revocation(options);
  }

  /**
   * A policy by CRLs that are at hand, and stay as they are.
   *
   * @param crls - DER or PEM.
   * @throws {TypeError} for options that are unknown or of the wrong kind, and for what is no CRL; {@link RangeError} for
   *   numbers out of bounds.
   */
  static fromCrls(crls: readonly Uint8Array[], options: CrlPolicyOptions = {}): Revocation {
    checkOptions('Revocation.fromCrls', options, ['depth', 'unknownStatus', 'maxAgeSeconds']);
    const { maxAgeSeconds, ...policy } = options;
    const rules = maxAgeSeconds === undefined ? {} : { maxAgeSeconds };
    // Loaded when it is first called.
    const { crlsAtHand } = require('./crls-at-hand') as typeof CrlsAtHand;
    return Revocation.of({ ...policy, methods: [crlsAtHand(crls, rules)] });
  }

  /** @internal Another number when a verdict reached before might be another now. */
  get revision(): number {
    let revision = this.#denyList?.revision ?? 0;
    for (const method of this.#rules.methods) revision += method.revision;
    return revision;
  }

  /** How methods and deny list are doing. */
  get health(): RevocationPolicyHealth {
    const methods = this.#rules.methods.map(({ health }) => health);
    const denyList = this.#denyList?.health;
    const isOk = [...methods, denyList].every((one) => one === undefined || one.status === 'ok');
    return { status: isOk ? 'ok' : 'degraded', methods, ...(denyList !== undefined && { denyList }) };
  }

  /** Closes methods and deny list: leaves no timer and no handle. */
  async close(): Promise<void> {
    await Promise.all([...this.#rules.methods.map(async (method) => method.close()), this.#denyList?.close()]);
  }

  /** @internal @throws {TypeError} if a method cannot be of use with this store. */
  checkTrust(trust: TrustStore): void {
    for (const method of this.#rules.methods) method.checkTrust(trust);
  }

  /** @internal */
  accept(path: AcceptablePath, time: number, rules: ResolvedRules): Acceptance | Promise<Acceptance> {
    const denied = this.#findDenied(path);
    if (denied !== undefined) return { refusal: denied, until: Infinity };
    const questions = this.#rules.methods.length === 0 ? [] : questionsOver(path, this.#depth, time, rules);
    const inquiry = new Inquiry(this.#rules);
    const findings = questions.map((question) => (this.#isExempt(question) ? undefined : inquiry.ask(question)));
    if (!findings.some((finding) => finding instanceof Promise)) {
      return this.#conclude(questions, findings as readonly (Finding | undefined)[]);
    }
    return Promise.all(findings.map(async (finding) => finding))
      .then((found) => this.#conclude(questions, found))
      .finally(() => inquiry.close());
  }

  #findDenied({ certificates, anchor }: AcceptablePath): ClientCertificateError | undefined {
    if (this.#denyList === undefined) return undefined;
    for (const [depth, certificate] of [...certificates, anchor].entries()) {
      const by = this.#denyList.find(certificate);
      if (by !== undefined) return new ClientCertificateError('ERR_CERTIFICATE_DENIED', { depth, by });
    }
    return undefined;
  }

  #isExempt({ certificate: { notBefore, notAfter }, depth }: RevocationQuestion): boolean {
    return this.#shortLivedMs !== undefined && depth === 0 && notAfter - notBefore <= this.#shortLivedMs;
  }

  /** @param findings - Undefined where nobody was asked. */
  #conclude(questions: readonly RevocationQuestion[], findings: readonly (Finding | undefined)[]): Acceptance {
    const evidence: RevocationEvidence[] = [];
    let until = Infinity;
    let unavailable: ClientCertificateError | undefined;
    for (const [index, { certificate, depth, time }] of questions.entries()) {
      const finding = findings[index];
      const certificateSha256 = certificate.sha256;
      if (finding === undefined) {
        evidence.push({ status: 'short-lived', certificateSha256 });
        continue;
      }
      const { answer, method } = finding;
      if (answer.status === 'revoked') return { refusal: refusalOf(answer, depth, method), until: answer.until };
      if (answer.status === 'good') {
        const { source, asOf } = answer;
        const dates = { asOf: new Date(asOf), until: new Date(answer.until) };
        evidence.push({ status: 'good', certificateSha256, method, source, ...dates });
        until = Math.min(until, answer.until);
      } else {
        const { cause, detail } = answer;
        evidence.push({ status: 'unknown', certificateSha256, cause, detail });
        until = Math.min(until, time + unknownHoldsMs);
        if (answer.isFinal === true || !this.#acceptedCauses.has(cause)) {
          unavailable ??= new ClientCertificateError('ERR_REVOCATION_UNAVAILABLE', { depth, cause, detail });
        }
      }
    }
    if (unavailable !== undefined) return { refusal: unavailable, until: -Infinity };
    return { evidence: Object.freeze(evidence.map((one) => Object.freeze(one))), until };
  }
}

function refusalOf(
  { revokedAt, reason, source }: RevocationAnswer & { status: 'revoked' },
  depth: number,
  method: RevocationMethod['name'],
): ClientCertificateError {
  const details = { depth, method, source, revokedAt: new Date(revokedAt), reason };
  return new ClientCertificateError('ERR_CERTIFICATE_REVOKED', details);
}

/** One question for each certificate but the trust anchor, or for the end-entity certificate. */
function questionsOver(
  { certificates, anchor }: AcceptablePath,
  depth: 'path' | 'end-entity',
  time: number,
  rules: ResolvedRules,
): readonly RevocationQuestion[] {
  // A pinned end-entity certificate is its own anchor: nobody else has a word about it.
  const asked = certificates.filter(
    (certificate, index) => certificate !== anchor && (index === 0 || depth === 'path'),
  );
  const path = [...certificates, anchor];
  return asked.map((certificate, at) => {
    const authorities = path.slice(at + 1).filter(({ subjectKey }) => subjectKey === certificate.issuerKey);
    return { certificate, issuer: path[at + 1] as Certificate, authorities, depth: at, time, rules };
  });
}
