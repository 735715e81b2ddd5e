import { ClientCertificateError } from '../errors';
import { checkInteger, checkOptions, describe } from '../options';
import { TrustStore } from '../trust/trust-store';
import { Certificate } from '../x509/certificate';
import { DerError } from '../x509/der';
import { type BuiltPath, buildPath, type PathQuery } from './build-path';
import type { RequiredUsage } from './checks';
import { type CertificatePolicyOptions, checkPolicyOptions } from './policies';
import { checkRules, resolveRules, type ValidationRules } from './rules';
import { verifySignature } from './verify-signature';

/**
 * Most intermediates between end-entity certificate and trust anchor, unless an option says otherwise. With both ends
 * that makes ten certificates, more than any public or corporate PKI uses.
 */
export const defaultMaxIntermediates = 8;

let makeVerifiedPath: (path: BuiltPath) => VerifiedPath;

/** A certification path that was validated. Nothing outside this module can make one: to hold it is the proof. */
export class VerifiedPath {
  static {
    makeVerifiedPath = (path) => new VerifiedPath(path);
  }

  readonly #path: BuiltPath;

  private constructor(path: BuiltPath) {
    this.#path = path;
  }

  /** DER, end-entity certificate first, trust anchor last. Copies, made anew each time. */
  get certificates(): readonly Uint8Array[] {
    return [...this.#path.certificates, this.#path.anchor].map(({ der }) => Uint8Array.from(der));
  }

  /** The latest notBefore of the path, anchor included. */
  get validFrom(): Date {
    return new Date(this.span.from);
  }

  /** The earliest notAfter of the path, anchor included. */
  get validUntil(): Date {
    return new Date(this.span.until);
  }

  /** @internal The same, in milliseconds since the Unix epoch. */
  get span(): { readonly from: number; readonly until: number } {
    let { notBefore: from, notAfter: until } = this.#path.anchor;
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

  /** @internal */
  get endEntity(): Certificate {
    return this.#path.certificates[0];
  }

  /** @internal Intermediates, and the trust anchor last. */
  get issuers(): readonly Certificate[] {
    return this.#path.certificates.slice(1).concat(this.#path.anchor);
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
  const advance = (answer?: boolean): Validation | Promise<Validation> => {
    let step = answer === undefined ? search.next() : search.next(answer);
    while (step.done !== true) {
      const verified = verifySignature(step.value.certificate, step.value.issuer);
      if (typeof verified !== 'boolean') return verified.then(advance);
      step = search.next(verified);
    }
    if ('refusal' in step.value) return step.value;
    query.known?.remember(step.value.path);
    return { path: makeVerifiedPath(step.value.path) };
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
 * WARNING: does not check revocation, and says nothing of who is talking: a certificate is public.
 */
export async function validatePath(input: ValidatePathInput): Promise<VerifiedPath> {
  checkOptions('validatePath', input, inputNames);
  const { endEntity, intermediates = [], trust, time = new Date(), extKeyUsage = 'clientAuth' } = input;
  const { maxIntermediates = defaultMaxIntermediates, policies = {}, rules = {} } = input;
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
  const validation = await findPath({
    endEntity: decodePresented(endEntity, 0),
    presented: intermediates.map((der, index) => decodePresented(der, index + 1)),
    trust,
    time: time.getTime(),
    requiredUsage: extKeyUsage,
    maxIntermediates,
    policies,
    rules: resolveRules(rules),
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
