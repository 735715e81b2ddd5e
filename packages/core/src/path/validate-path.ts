import { ClientCertificateError } from '../errors';
import { checkInteger, checkOptions, describe } from '../options';
import { TrustStore } from '../trust/trust-store';
import { Certificate } from '../x509/certificate';
import { DerError } from '../x509/der';
import type { Acceptance, PathAcceptor, RevocationEvidence } from './acceptance';
import { type BuiltPath, buildPath, type PathQuery, type SearchQuestion } from './build-path';
import { type RequiredUsage, type Validity, validityOfAnchor } from './checks';
import { type CertificatePolicyOptions, checkPolicyOptions } from './policies';
import { checkRules, resolveRules, type ValidationRules } from './rules';
import { verifySignature } from './verify-signature';

/**
 * Most intermediates between end-entity certificate and trust anchor, unless an option says otherwise. With both ends
 * that makes ten certificates, more than any public or corporate PKI uses.
 */
export const defaultMaxIntermediates = 8;

let makeVerifiedPath: (path: BuiltPath, anchorValidity: Validity) => VerifiedPath;

/** A certification path that was validated. Nothing outside this module can make one: to hold it is the proof. */
export class VerifiedPath {
  static {
    makeVerifiedPath = (path, anchorValidity) => new VerifiedPath(path, anchorValidity);
  }

  readonly #path: BuiltPath;
  /** When the anchor counts: not always as its certificate says. */
  readonly #anchorValidity: Validity;

  private constructor(path: BuiltPath, anchorValidity: Validity) {
    this.#path = path;
    this.#anchorValidity = anchorValidity;
  }

  /**
   * DER, end-entity certificate first, trust anchor last; a pinned end-entity certificate stands alone. Copies, made anew each
   * time.
   */
  get certificates(): readonly Uint8Array[] {
    return [this.endEntity, ...this.issuers].map(({ der }) => Uint8Array.from(der));
  }

  /** The latest notBefore of the path; the anchor's too, unless `rules.anchor` is `'ignore'`. */
  get validFrom(): Date {
    return new Date(this.span.from);
  }

  /**
   * The earliest notAfter of the path; the anchor's too, unless `rules.anchor` is `'ignore'`. Where the trust store's
   * constraints say when trust in the anchor ends, that counts in place of the anchor's notAfter. No later than what is
   * known of revocation holds.
   */
  get validUntil(): Date {
    return new Date(this.span.until);
  }

  /** @internal The same, in milliseconds since the Unix epoch. */
  get span(): { readonly from: number; readonly until: number } {
    let { notBefore: from, notAfter: until } = this.#anchorValidity;
    until = Math.min(until, this.#path.acceptance?.until ?? Infinity);
    for (const { notBefore, notAfter } of this.#path.certificates) {
      from = Math.max(from, notBefore);
      until = Math.min(until, notAfter);
    }
    return { from, until };
  }

  /**
   * Policies the path is good for, as dotted OIDs: those of `policies.acceptable` where that was given. `2.5.29.32.0`,
   * anyPolicy, stands for every policy; an empty list for none, where none was asked for.
   */
  get policies(): readonly string[] {
    return this.#path.policies;
  }

  /**
   * What proved each certificate asked about not revoked, in the order of the path; undefined where there was nobody to ask,
   * or nobody to ask about.
   */
  get revocation(): readonly RevocationEvidence[] | undefined {
    const evidence = this.#path.acceptance?.evidence;
    return evidence?.length === 0 ? undefined : evidence;
  }

  /** @internal */
  get endEntity(): Certificate {
    return this.#path.certificates[0];
  }

  /** @internal */
  get anchor(): Certificate {
    return this.#path.anchor;
  }

  /** @internal Intermediates, and the trust anchor last. None of a pinned end-entity certificate, which is its own anchor. */
  get issuers(): readonly Certificate[] {
    const { certificates, anchor } = this.#path;
    return anchor === this.endEntity ? [] : certificates.slice(1).concat(anchor);
  }
}

/** How the validation of one path ended. */
export type Validation =
  | { readonly path: VerifiedPath }
  /** `holdsUntil`: milliseconds since the Unix epoch; later the same question may have another answer. */
  | { readonly refusal: ClientCertificateError; readonly holdsUntil: number };

/** Builds and validates a path: inline as long as its signatures verify fast, otherwise as a promise. */
export function findPath(query: PathQuery): Validation | Promise<Validation> {
  const search = buildPath(query);
  const answerTo = (question: SearchQuestion): boolean | Acceptance | Promise<boolean | Acceptance> => {
    if ('issuer' in question) return verifySignature(question.certificate, question.issuer);
    // Without an acceptor nobody asks.
    return (query.acceptor as PathAcceptor).accept(question.path, query.time, query.rules);
  };
  const advance = (answered?: boolean | Acceptance): Validation | Promise<Validation> => {
    let step = answered === undefined ? search.next() : search.next(answered);
    while (step.done !== true) {
      const answer = answerTo(step.value);
      if (answer instanceof Promise) return answer.then(advance);
      step = search.next(answer);
    }
    if ('refusal' in step.value) return step.value;
    const { path } = step.value;
    query.known?.remember(path);
    const constraints = query.trust.constraintsOn(path.anchor);
    return { path: makeVerifiedPath(path, validityOfAnchor(path.anchor, constraints, query.rules)) };
  };
  return advance();
}

/** What {@link validatePath} takes. */
export interface ValidatePathInput {
  /** DER of the certificate to validate. */
  readonly endEntity: Uint8Array;
  /** DER of candidate issuers, in any order, trusted or not, used or not. Default none. */
  readonly intermediates?: readonly Uint8Array[];
  /** Whom to believe. */
  readonly trust: TrustStore;
  /** The instant to validate at. Default now. */
  readonly time?: Date;
  /** Purpose that extKeyUsage, where present, must name through the whole path. Default `'clientAuth'`. */
  readonly extKeyUsage?: RequiredUsage;
  /** Most intermediates between end-entity certificate and trust anchor: an integer from 0 to 20, default 8. */
  readonly maxIntermediates?: number;
  /** What the path must be good for, in terms of certificate policies. Default: any policy, or none. */
  readonly policies?: CertificatePolicyOptions;
  /** What finds out whether certificates are revoked: see `createRevocation`. Default: nothing does. */
  readonly revocation?: PathAcceptor;
  /** What RFC 5280 leaves to the relying party. Default: every rule its default word. */
  readonly rules?: ValidationRules;
}

const inputNames = [
  'endEntity',
  'intermediates',
  'trust',
  'time',
  'extKeyUsage',
  'maxIntermediates',
  'policies',
  'revocation',
  'rules',
];
const requiredUsages: readonly unknown[] = ['clientAuth', 'serverAuth', 'not-checked'];

/**
 * Validates a certification path (RFC 5280 section 6.1), building it first from whatever is at hand (RFC 4158).
 *
 * Checks signatures, validity, basicConstraints, pathLenConstraint, keyUsage, extKeyUsage, name constraints, certificate
 * policies (RFC 9618), critical extensions and permitted algorithms.
 *
 * Rejects with {@link ClientCertificateError}, or TypeError and RangeError for input of the wrong kind.
 *
 * WARNING: says nothing of who is talking: a certificate is public. And nothing of revocation without `revocation`.
 */
export async function validatePath(input: ValidatePathInput): Promise<VerifiedPath> {
  checkOptions('validatePath', input, inputNames);
  const { endEntity, intermediates = [], trust, time = new Date(), extKeyUsage = 'clientAuth' } = input;
  const { maxIntermediates = defaultMaxIntermediates, policies = {}, rules = {}, revocation } = input;
  checkDer('endEntity', endEntity);
  if (!Array.isArray(intermediates)) {
    throw new TypeError(`intermediates must be an array; it received ${describe(intermediates)}.`);
  }
  for (const [index, der] of intermediates.entries()) checkDer(`intermediates[${index}]`, der);
  if (!(trust instanceof TrustStore))
    throw new TypeError(`trust must be a TrustStore; it received ${describe(trust)}.`);
  if (!(time instanceof Date) || Number.isNaN(time.getTime())) throw new TypeError('time must be a valid Date.');
  if (!requiredUsages.includes(extKeyUsage)) {
    throw new TypeError(`extKeyUsage must be one of ${requiredUsages.join(', ')}.`);
  }
  checkInteger('maxIntermediates', maxIntermediates, 0, 20);
  checkPolicyOptions(policies);
  checkRules(rules);
  if (revocation !== undefined && typeof revocation?.accept !== 'function') {
    throw new TypeError(`revocation takes what createRevocation makes; it received ${describe(revocation)}.`);
  }
  const validation = await findPath({
    endEntity: decodePresented(endEntity, 0),
    presented: intermediates.map((der, index) => decodePresented(der, index + 1)),
    trust,
    time: time.getTime(),
    requiredUsage: extKeyUsage,
    maxIntermediates,
    policies,
    rules: resolveRules(rules),
    acceptor: revocation,
  });
  if ('refusal' in validation) throw validation.refusal;
  return validation.path;
}

function checkDer(name: string, der: unknown): void {
  if (!(der instanceof Uint8Array)) throw new TypeError(`${name} must be a Uint8Array; it received ${describe(der)}.`);
}

/**
 * Decodes a presented certificate.
 *
 * @param position - Its place among the presented certificates, 0 for the end-entity certificate.
 * @throws {ClientCertificateError} `ERR_CERTIFICATE_MALFORMED`
 */
export function decodePresented(
  der: Uint8Array,
  position: number,
  decode = (bytes: Uint8Array): Certificate => Certificate.copyOf(bytes),
): Certificate {
  try {
    return decode(der);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    const { reason, offset } = error;
    throw new ClientCertificateError('ERR_CERTIFICATE_MALFORMED', { position, reason, offset });
  }
}
