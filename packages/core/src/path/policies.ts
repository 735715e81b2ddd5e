import { ClientCertificateError } from '../errors';
import { checkOptions } from '../options';
import type { Certificate } from '../x509/certificate';

/** The relying party's policy inputs (RFC 5280 section 6.1.1 (c), (e), (f), (g)). */
export interface CertificatePolicyOptions {
  /** Policies of which the path must be good for one, as dotted OIDs. Default any. */
  readonly acceptable?: readonly string[];
  /** Whether the path must be good for a policy at all: initial-explicit-policy. Default false. */
  readonly requireExplicitPolicy?: boolean;
  /** Whether issuers may not map policies: initial-policy-mapping-inhibit. Default false. */
  readonly inhibitPolicyMapping?: boolean;
  /** Whether anyPolicy in a certificate counts for nothing: initial-any-policy-inhibit. Default false. */
  readonly inhibitAnyPolicy?: boolean;
}

export const anyPolicy = '2.5.29.32.0';

const optionNames = ['acceptable', 'requireExplicitPolicy', 'inhibitPolicyMapping', 'inhibitAnyPolicy'];

/** @throws {TypeError} for unknown options, values of the wrong kind, and an empty list: no path could satisfy it. */
export function checkPolicyOptions(options: CertificatePolicyOptions): void {
  checkOptions('policies', options, optionNames);
  const { acceptable, ...switches } = options;
  const isList = Array.isArray(acceptable) && acceptable.length > 0 && acceptable.every((oid) => isDottedOid(oid));
  if (acceptable !== undefined && !isList) {
    throw new TypeError('policies.acceptable must be a non-empty array of dotted OIDs.');
  }
  for (const [name, value] of Object.entries(switches)) {
    if (value !== undefined && typeof value !== 'boolean') throw new TypeError(`policies.${name} must be a boolean.`);
  }
}

function isDottedOid(value: unknown): boolean {
  return typeof value === 'string' && /^[0-2](?:\.(?:0|[1-9]\d*))+$/.test(value);
}

/** One policy at one depth, with the nodes one depth above that lead to it. */
interface PolicyNode {
  readonly policy: string;
  expected: ReadonlySet<string>;
  readonly parents: readonly PolicyNode[];
}

/**
 * Processes the policies of a path (RFC 5280 section 6.1), over the graph of RFC 9618: one node for each policy at each
 * depth, where the tree of RFC 5280 had one for each way to it. The work is linear in the size of the certificates.
 *
 * Only the deepest level is kept, with links upward: a branch that ends is not reached from there, which is what pruning
 * it would mean, and a level without nodes is a graph that is NULL.
 *
 * @param certificates - End-entity certificate first. The trust anchor's own policies do not count.
 * @returns the policies the path is good for, by the names the relying party knows them: `[anyPolicy]` for every one.
 * @throws {ClientCertificateError} `ERR_PATH_POLICY_NOT_SATISFIED`
 */
export function processPolicies(
  certificates: readonly Certificate[],
  options: CertificatePolicyOptions,
): readonly string[] {
  // Most paths have none to process.
  if (options.requireExplicitPolicy !== true && !certificates.some(speaksOfPolicies)) return none;
  const length = certificates.length;
  let explicitPolicy = options.requireExplicitPolicy === true ? 0 : length + 1;
  let policyMapping = options.inhibitPolicyMapping === true ? 0 : length + 1;
  let inhibitAnyPolicy = options.inhibitAnyPolicy === true ? 0 : length + 1;
  let level: PolicyNode[] = [{ policy: anyPolicy, expected: new Set([anyPolicy]), parents: [] }];

  for (let depth = length - 1; depth >= 0; depth--) {
    const certificate = certificates[depth] as Certificate;
    const { policyConstraints, policyMappings, inhibitAnyPolicy: skipCerts } = certificate.extensions;
    const isLast = depth === 0;
    level = nextLevel(level, certificate, inhibitAnyPolicy > 0 || (!isLast && certificate.isSelfIssued));
    if (explicitPolicy === 0 && level.length === 0) throw notSatisfied(depth);
    if (isLast) {
      if (explicitPolicy > 0) explicitPolicy--;
      if (policyConstraints?.requireExplicitPolicy === 0) explicitPolicy = 0;
      break;
    }
    if (policyMappings !== undefined) level = mapPolicies(level, certificate, policyMapping > 0, depth);
    if (!certificate.isSelfIssued) {
      explicitPolicy = Math.max(0, explicitPolicy - 1);
      policyMapping = Math.max(0, policyMapping - 1);
      inhibitAnyPolicy = Math.max(0, inhibitAnyPolicy - 1);
    }
    explicitPolicy = Math.min(explicitPolicy, policyConstraints?.requireExplicitPolicy ?? Infinity);
    policyMapping = Math.min(policyMapping, policyConstraints?.inhibitPolicyMapping ?? Infinity);
    inhibitAnyPolicy = Math.min(inhibitAnyPolicy, skipCerts ?? Infinity);
  }

  const policies = constrainToAcceptable(level, options.acceptable ?? [anyPolicy]);
  // Section 6.1.5 (g): without a need for an explicit policy, an empty set is as good as any.
  if (explicitPolicy === 0 && policies.length === 0) throw notSatisfied(0);
  return policies;
}

const none: readonly string[] = Object.freeze([]);

function speaksOfPolicies({ extensions }: Certificate): boolean {
  const { certificatePolicies, policyConstraints, policyMappings } = extensions;
  return certificatePolicies !== undefined || policyConstraints !== undefined || policyMappings !== undefined;
}

/** Section 6.1.3 (d) and (e). */
function nextLevel(above: readonly PolicyNode[], certificate: Certificate, anyCounts: boolean): PolicyNode[] {
  const { certificatePolicies } = certificate.extensions;
  if (certificatePolicies === undefined || above.length === 0) return [];
  const expecting = new Map<string, PolicyNode[]>();
  for (const node of above) {
    for (const policy of node.expected) {
      const nodes = expecting.get(policy);
      if (nodes === undefined) expecting.set(policy, [node]);
      else nodes.push(node);
    }
  }
  const anyNode = above.find(({ policy }) => policy === anyPolicy);
  const level = new Map<string, PolicyNode>();
  const add = (policy: string, parents: readonly PolicyNode[]): void => {
    level.set(policy, { policy, expected: new Set([policy]), parents });
  };
  for (const policy of certificatePolicies) {
    if (policy === anyPolicy) continue;
    const parents = expecting.get(policy) ?? (anyNode === undefined ? undefined : [anyNode]);
    if (parents !== undefined) add(policy, parents);
  }
  if (certificatePolicies.includes(anyPolicy) && anyCounts) {
    for (const [policy, parents] of expecting) if (!level.has(policy)) add(policy, parents);
  }
  return [...level.values()];
}

/** Section 6.1.4 (a) and (b). */
function mapPolicies(
  level: readonly PolicyNode[],
  certificate: Certificate,
  allowed: boolean,
  depth: number,
): PolicyNode[] {
  const mapped = new Map<string, Set<string>>();
  for (const { issuerDomain, subjectDomain } of certificate.extensions.policyMappings ?? []) {
    if (issuerDomain === anyPolicy || subjectDomain === anyPolicy) throw notSatisfied(depth);
    const subjects = mapped.get(issuerDomain) ?? new Set();
    mapped.set(issuerDomain, subjects.add(subjectDomain));
  }
  if (!allowed) return level.filter(({ policy }) => !mapped.has(policy));
  const nodes = new Map(level.map((node) => [node.policy, node]));
  const anyNode = nodes.get(anyPolicy);
  for (const [policy, expected] of mapped) {
    const node = nodes.get(policy);
    if (node !== undefined) node.expected = expected;
    // Only an anyPolicy node leads to an anyPolicy node, so its parents are those of the new node.
    else if (anyNode !== undefined) nodes.set(policy, { policy, expected, parents: anyNode.parents });
  }
  return [...nodes.values()];
}

/** Section 6.1.5 (g): policies directly below anyPolicy are in the relying party's own terms. */
function constrainToAcceptable(level: readonly PolicyNode[], acceptable: readonly string[]): readonly string[] {
  if (level.some(({ policy }) => policy === anyPolicy)) return [...acceptable];
  const found = new Set<string>();
  const reached = new Set(level);
  // Grows while it is walked: every node with a way down to the deepest level.
  for (const node of reached) {
    // An anyPolicy that ended further up stands for what is below it, and for nothing else.
    if (node.policy !== anyPolicy && node.parents.some(({ policy }) => policy === anyPolicy)) found.add(node.policy);
    for (const parent of node.parents) reached.add(parent);
  }
  return acceptable.includes(anyPolicy) ? [...found] : [...found].filter((policy) => acceptable.includes(policy));
}

function notSatisfied(depth: number): ClientCertificateError {
  return new ClientCertificateError('ERR_PATH_POLICY_NOT_SATISFIED', { depth });
}
