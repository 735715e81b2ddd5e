import type { CertificatePolicyOptions } from '@peercert/core';
import {
  type CertificateFields,
  createAuthority,
  der,
  type ExtensionFields,
  type TestAuthority,
} from '@peercert/testkit';
import { isRefusal } from '../../../../packages/core/src/errors';
import { processPolicies } from '../../../../packages/core/src/path/policies';
import type { Certificate } from '../../../../packages/core/src/x509/certificate';
import { noExtensions } from '../../../../packages/core/src/x509/extensions';
import type { PolicyMapping } from '../../../../packages/core/src/x509/policies';
import { seededRandom } from '../../../support/random';
import { validate } from '../../../support/validate';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const any = '2.5.29.32.0';
const [a, b, c, d] = ['1.2.1', '1.2.2', '1.2.3', '1.2.4'] as const;

/** What a certificate says of policies. */
interface Says {
  readonly policies?: readonly string[];
  readonly map?: readonly (readonly [issuerDomain: string, subjectDomain: string])[];
  readonly requireExplicitPolicy?: number;
  readonly inhibitPolicyMapping?: number;
  readonly inhibitAnyPolicy?: number;
  readonly isSelfIssued?: boolean;
}

const mappingsOf = ({ map }: Says): PolicyMapping[] | undefined =>
  map?.map(([issuerDomain, subjectDomain]) => ({ issuerDomain, subjectDomain }));

/** A decoded certificate, as far as policies go. */
function certificateOf(says: Says): Certificate {
  const { policies, requireExplicitPolicy, inhibitPolicyMapping, inhibitAnyPolicy, isSelfIssued = false } = says;
  const hasConstraints = requireExplicitPolicy !== undefined || inhibitPolicyMapping !== undefined;
  const extensions = {
    ...noExtensions(),
    certificatePolicies: policies,
    policyMappings: mappingsOf(says),
    policyConstraints: hasConstraints ? { requireExplicitPolicy, inhibitPolicyMapping } : undefined,
    inhibitAnyPolicy,
  };
  return { extensions, isSelfIssued } as Certificate;
}

/** Processes a path, written from the anchor down: the policies it is good for, or `'refused at'` a depth. */
function process(path: readonly Says[], options: CertificatePolicyOptions = {}): readonly string[] | string {
  try {
    return processPolicies(path.map(certificateOf).toReversed(), options);
  } catch (error) {
    if (!isRefusal(error, 'ERR_PATH_POLICY_NOT_SATISFIED')) throw error;
    return `refused at ${error.details.depth}`;
  }
}

const sorted = (verdict: readonly string[] | string): readonly string[] | string =>
  typeof verdict === 'string' ? verdict : verdict.toSorted();

const explicit = { requireExplicitPolicy: true };

describe('a path', () => {
  it.each<[string, readonly Says[], readonly string[]]>([
    ['without policies is good for none', [{}, {}], []],
    ['with one throughout is good for it', [{ policies: [a] }, { policies: [a] }], [a]],
    ['is good for what all certificates have', [{ policies: [a, b] }, { policies: [b, c] }], [b]],
    ['with nothing in common is good for none', [{ policies: [a] }, { policies: [b] }], []],
    ['with a certificate without policies is good for none', [{ policies: [a] }, {}, { policies: [a] }], []],
    ['with anyPolicy throughout is good for every one', [{ policies: [any] }, { policies: [any] }], [any]],
    ['with anyPolicy above is good for what is below', [{ policies: [any] }, { policies: [a, b] }], [a, b]],
    ['with anyPolicy below is good for what is above', [{ policies: [a, b] }, { policies: [any] }], [a, b]],
    [
      'with anyPolicy in the middle is good for what is at both ends',
      [{ policies: [a, b] }, { policies: [any] }, { policies: [b, c] }],
      [b],
    ],
    ['with anyPolicy beside another is good for every one', [{ policies: [any, a] }, { policies: [any] }], [any]],
    ['of one certificate is good for its policies', [{ policies: [a, b] }], [a, b]],
  ])('%s', (_, path, expected) => {
    expect(process(path)).toEqual(expected);
    // Where an explicit policy is asked for, exactly a path that is good for none is refused.
    expect(typeof process(path, explicit)).toBe(expected.length === 0 ? 'string' : 'object');
  });
});

describe('the demand for an explicit policy', () => {
  const good: readonly Says[] = [{ policies: [a] }, { policies: [a] }, { policies: [a] }];
  const bad: readonly Says[] = [{ policies: [a] }, { policies: [a] }, { policies: [b] }];
  const at = (path: readonly Says[], index: number, more: Says): readonly Says[] =>
    path.map((says, each) => (each === index ? { ...says, ...more } : says));

  it('of the relying party is met by a good path, and refuses another where its policies end', () => {
    expect(process(good, explicit)).toEqual([a]);
    expect(process(bad, explicit)).toBe('refused at 0');
    expect(process([{ policies: [a] }, {}, { policies: [a] }], explicit)).toBe('refused at 1');
    expect(process([{}, { policies: [a] }, { policies: [a] }], explicit)).toBe('refused at 2');
  });

  it.each([
    ['at once', 0, 0, 'refused at 0'],
    ['from the next certificate on', 0, 1, 'refused at 0'],
    ['from the end-entity certificate on', 0, 2, 'refused at 0'],
    ['from beyond it on', 0, 3, []],
    ['far away', 0, 2 ** 32 - 1, []],
    ['in the lower intermediate, from the end-entity certificate on', 1, 1, 'refused at 0'],
    ['in the lower intermediate, from beyond it on', 1, 2, []],
    ['of the end-entity certificate for itself', 2, 0, 'refused at 0'],
    ['of the end-entity certificate for others', 2, 1, []],
  ])('of an issuer %s', (_, index, requireExplicitPolicy, expected) => {
    expect(process(at(bad, index, { requireExplicitPolicy }))).toEqual(expected);
    expect(process(at(good, index, { requireExplicitPolicy }))).toEqual([a]);
  });

  it('is not taken back by a certificate below', () => {
    const path = at(at(bad, 0, { requireExplicitPolicy: 0 }), 1, { requireExplicitPolicy: 5 });
    expect(process(path)).toBe('refused at 0');
  });

  it('does not count self-issued certificates', () => {
    const selfIssued: Says = { policies: [a], isSelfIssued: true };
    const path = (...between: readonly Says[]): readonly Says[] => [
      { policies: [a], requireExplicitPolicy: 2 },
      ...between,
      { policies: [b] },
    ];
    expect(process(path())).toEqual([]);
    expect(process(path(selfIssued, selfIssued))).toEqual([]);
    expect(process(path({ policies: [a] }))).toBe('refused at 0');
    // The last certificate counts, self-issued or not.
    expect(process([...path({ policies: [a] }).slice(0, -1), { policies: [b], isSelfIssued: true }])).toBe(
      'refused at 0',
    );
  });

  it('is met above where it begins, too: policies that ended there are gone', () => {
    expect(process([{}, { policies: [a], requireExplicitPolicy: 0 }, { policies: [a] }])).toBe('refused at 0');
  });
});

describe('anyPolicy', () => {
  const path = (more: Says, ...below: readonly Says[]): readonly Says[] => [{ policies: [any], ...more }, ...below];

  it.each<[string, readonly Says[], CertificatePolicyOptions, readonly string[]]>([
    ['counts', path({}, { policies: [any] }), {}, [any]],
    ['counts for nothing at once', path({ inhibitAnyPolicy: 0 }, { policies: [any] }), {}, []],
    ['counts once more', path({ inhibitAnyPolicy: 1 }, { policies: [any] }), {}, [any]],
    [
      'counts once more, and not twice',
      path({ inhibitAnyPolicy: 1 }, { policies: [any] }, { policies: [any] }),
      {},
      [],
    ],
    [
      'counts in a self-issued intermediate',
      path({ inhibitAnyPolicy: 0 }, { policies: [any], isSelfIssued: true }, { policies: [a] }),
      {},
      [a],
    ],
    [
      'is not used up by a self-issued intermediate',
      path({ inhibitAnyPolicy: 1 }, { policies: [any], isSelfIssued: true }, { policies: [any] }),
      {},
      [any],
    ],
    [
      'does not count in a self-issued end-entity certificate',
      path({ inhibitAnyPolicy: 0 }, { policies: [any], isSelfIssued: true }),
      {},
      [],
    ],
    ['counts beside others no more than they', path({ inhibitAnyPolicy: 0 }, { policies: [any, a] }), {}, [a]],
    ['of an issuer counts for the certificate below', path({ inhibitAnyPolicy: 0 }, { policies: [a] }), {}, [a]],
    ['counts for nothing to the relying party', path({}, { policies: [a] }), { inhibitAnyPolicy: true }, []],
    [
      'counts for nothing to the relying party, who takes what is named',
      [{ policies: [any, a] }, { policies: [any, a] }],
      { inhibitAnyPolicy: true },
      [a],
    ],
    [
      'is not allowed again below',
      path({ inhibitAnyPolicy: 0 }, { policies: [a], inhibitAnyPolicy: 5 }, { policies: [any] }),
      {},
      [],
    ],
  ])('PA-16: %s', (_, says, options, expected) => {
    expect(process(says, options)).toEqual(expected);
    expect(typeof process(says, { ...options, ...explicit })).toBe(expected.length === 0 ? 'string' : 'object');
  });
});

describe('a mapping', () => {
  it.each<[string, readonly Says[], readonly string[]]>([
    ['leads to the policy below, by the name above', [{ policies: [a], map: [[a, b]] }, { policies: [b] }], [a]],
    ['does not leave the name above valid below', [{ policies: [a], map: [[a, b]] }, { policies: [a] }], []],
    [
      'to itself and another leads to both',
      [
        {
          policies: [a],
          map: [
            [a, a],
            [a, b],
          ],
        },
        { policies: [a] },
      ],
      [a],
    ],
    [
      'of one to many leads to any of them',
      [
        {
          policies: [a],
          map: [
            [a, b],
            [a, c],
          ],
        },
        { policies: [c] },
      ],
      [a],
    ],
    [
      'of many to one leads to all of them',
      [
        {
          policies: [a, b],
          map: [
            [a, c],
            [b, c],
          ],
        },
        { policies: [c] },
      ],
      [a, b],
    ],
    [
      'goes on from mapping to mapping',
      [{ policies: [a], map: [[a, b]] }, { policies: [b], map: [[b, c]] }, { policies: [c] }],
      [a],
    ],
    [
      'and its reverse below are a loop that ends',
      [{ policies: [a], map: [[a, b]] }, { policies: [b], map: [[b, a]] }, { policies: [a] }],
      [a],
    ],
    [
      'in a circle swaps the names',
      [
        {
          policies: [a, b],
          map: [
            [a, b],
            [b, a],
          ],
        },
        { policies: [a] },
      ],
      [b],
    ],
    ['of a policy the certificate has not is nothing', [{ policies: [a], map: [[c, b]] }, { policies: [b] }], []],
    [
      'of a policy the certificate has by anyPolicy counts',
      [{ policies: [any], map: [[a, b]] }, { policies: [b] }],
      [a],
    ],
    ['leaves other policies alone', [{ policies: [a, d], map: [[a, b]] }, { policies: [b, d] }], [a, d]],
    ['above anyPolicy leads on', [{ policies: [a], map: [[a, b]] }, { policies: [any] }], [a]],
    [
      'that is repeated is one',
      [
        {
          policies: [a],
          map: [
            [a, b],
            [a, b],
          ],
        },
        { policies: [b] },
      ],
      [a],
    ],
    ['in the end-entity certificate is not looked at', [{ policies: [a], map: [[a, any]] }], [a]],
  ])('PA-16: %s', (_, path, expected) => {
    expect(sorted(process(path))).toEqual(expected.toSorted());
    expect(typeof process(path, explicit)).toBe(expected.length === 0 ? 'string' : 'object');
  });

  it.each<[string, readonly [string, string][]]>([
    ['from anyPolicy', [[any, a]]],
    ['to anyPolicy', [[a, any]]],
    ['from anyPolicy to anyPolicy', [[any, any]]],
    [
      'to anyPolicy after another',
      [
        [a, b],
        [a, any],
      ],
    ],
  ])('PA-16: %s is refused, whether or not a policy is asked for', (_, map) => {
    expect(process([{ policies: [a], map }, { policies: [a] }])).toBe('refused at 1');
    expect(process([{ map }, {}])).toBe('refused at 1');
    expect(process([{}, { map }, {}], { inhibitPolicyMapping: true })).toBe('refused at 1');
  });

  const mapped: readonly Says[] = [{ policies: [a, b] }, { policies: [a, b], map: [[a, c]] }, { policies: [b, c, a] }];
  it.each<[string, readonly Says[], CertificatePolicyOptions, readonly string[]]>([
    ['is allowed', mapped, {}, [b, a]],
    ['is inhibited by the relying party', mapped, { inhibitPolicyMapping: true }, [b]],
    ['is inhibited by an issuer', [{ policies: [a, b], inhibitPolicyMapping: 0 }, ...mapped.slice(1)], {}, [b]],
    ['is allowed once more', [{ policies: [a, b], inhibitPolicyMapping: 1 }, ...mapped.slice(1)], {}, [b, a]],
    [
      'is inhibited after one more',
      [
        { policies: [a, b], inhibitPolicyMapping: 1 },
        { policies: [a, b] },
        { policies: [a, b], map: [[a, c]] },
        { policies: [b, c, a] },
      ],
      {},
      [b],
    ],
    [
      'is allowed after self-issued ones, which do not count',
      [
        { policies: [a, b], inhibitPolicyMapping: 1 },
        { policies: [a, b], isSelfIssued: true },
        { policies: [a, b], map: [[a, c]] },
        { policies: [b, c, a] },
      ],
      {},
      [b, a],
    ],
    [
      'is inhibited from its own certificate on only below it',
      [{ policies: [a], map: [[a, c]], inhibitPolicyMapping: 0 }, { policies: [c] }],
      {},
      [a],
    ],
    [
      'that is inhibited takes nothing from anyPolicy',
      [{ policies: [any], inhibitPolicyMapping: 0 }, { policies: [any], map: [[a, c]] }, { policies: [a] }],
      {},
      [a],
    ],
  ])('PA-16: %s', (_, path, options, expected) => {
    expect(process(path, options)).toEqual(expected);
  });
});

describe('acceptable policies', () => {
  it.each<[string, readonly Says[], readonly string[], readonly string[]]>([
    ['are those the path is good for', [{ policies: [a, b] }, { policies: [a, b] }], [b, c], [b]],
    ['are none the path is good for', [{ policies: [a] }, { policies: [a] }], [b], []],
    ['are all good where every policy is', [{ policies: [any] }, { policies: [any] }], [a, b], [a, b]],
    ['are meant by the names above a mapping', [{ policies: [a], map: [[a, b]] }, { policies: [b] }], [a], [a]],
    ['are not meant by the names below a mapping', [{ policies: [a], map: [[a, b]] }, { policies: [b] }], [b], []],
    ['may be anyPolicy', [{ policies: [a] }, { policies: [a] }], [any], [a]],
    ['may be anyPolicy beside others', [{ policies: [a] }, { policies: [a] }], [any, b], [a]],
    ['are found below anyPolicy', [{ policies: [any] }, { policies: [a, b] }], [a], [a]],
    [
      'are not found below anyPolicy where a mapping leads to their name',
      [{ policies: [any], map: [[a, b]] }, { policies: [b] }],
      [b],
      [],
    ],
  ])('%s', (_, path, acceptable, expected) => {
    // Without a need for an explicit policy, no policy is as good as any (RFC 5280 section 6.1.5 (g)).
    expect(process(path, { acceptable })).toEqual(expected);
    expect(process(path, { acceptable, ...explicit })).toEqual(expected.length === 0 ? 'refused at 0' : expected);
  });

  it('are given as a copy', () => {
    const acceptable = [a, b];
    expect(process([{ policies: [any] }], { acceptable })).not.toBe(acceptable);
  });
});

describe('a hierarchy made to grow', () => {
  const counted = (work: () => unknown): number => {
    const nodes = jest.spyOn(Map.prototype, 'set');
    work();
    const { length } = nodes.mock.calls;
    nodes.mockRestore();
    return length;
  };

  // In the tree of RFC 5280 each level has twice the nodes of the one above: CVE-2023-0464.
  const doubling = (levels: number): readonly Says[] => {
    const map = [a, b].flatMap((from) => [a, b].map((to) => [from, to] as const));
    return Array.from({ length: levels }, () => ({ policies: [a, b], map }));
  };

  it('PA-16: makes as many nodes as it has policies at each level', () => {
    expect(sorted(process(doubling(20)))).toEqual([a, b]);
    const ten = counted(() => process(doubling(10)));
    const twenty = counted(() => process(doubling(20)));
    expect(ten).toBeLessThan(10 * 12);
    expect(twenty).toBeLessThan(20 * 12);
  });

  it('PA-16: makes no more of anyPolicy beside named policies and mappings', () => {
    const policies = Array.from({ length: 50 }, (_, index) => `1.2.${index}`);
    const map = policies.flatMap((from) => policies.map((to) => [from, to] as const));
    const path = Array.from({ length: 10 }, () => ({ policies: [any, ...policies], map }));
    expect(process(path, explicit)).toEqual([any]);
    // 51 nodes, 51 expected policies, and 2,500 mappings at each level.
    expect(counted(() => process(path))).toBeLessThan(10 * (2_500 + 4 * 51));
  });

  it('PA-16: of 10,000 mappings in each of ten certificates is worked off in steps of their number', () => {
    const policies = Array.from({ length: 10_000 }, (_, index) => `1.2.${index}`);
    const inTurn = policies.map((policy, index) => [policy, policies[(index + 1) % 10_000] as string] as const);
    const path = Array.from({ length: 10 }, () => ({ policies, map: inTurn }));
    expect(process(path, { ...explicit, acceptable: ['1.2.7'] })).toEqual(['1.2.7']);
    expect(counted(() => process(path))).toBeLessThan(10 * 4 * 10_000);
  });

  it('PA-16: of 10,000 mappings in one certificate is too large a certificate', async () => {
    const root = createAuthority();
    const one = der.sequence(der.oid(a), der.oid(b));
    const value = der.sequence(Buffer.concat(Array.from({ length: 10_000 }, () => one)));
    const issuer = root.issueIntermediate({ extensions: [{ oid: '2.5.29.33', critical: true, value }] });
    await expect(validate(issuer.issue(), root)).toRejectWith('ERR_CERTIFICATE_MALFORMED', {
      position: 1,
      reason: 'certificate is too large',
      offset: 0,
    });
  });
});

/** A node of the valid_policy_tree (RFC 5280 section 6.1.2 (a)). */
interface TreeNode {
  readonly policy: string;
  expected: ReadonlySet<string>;
  readonly parent: TreeNode | undefined;
  children: TreeNode[];
}

/** RFC 5280 section 6.1 to the letter, tree and all: what the graph must agree with. */
function processTree(path: readonly Says[], options: CertificatePolicyOptions): readonly string[] | 'refused' {
  const n = path.length;
  const userInitial = options.acceptable ?? [any];
  let explicitPolicy = options.requireExplicitPolicy === true ? 0 : n + 1;
  let inhibitAnyPolicy = options.inhibitAnyPolicy === true ? 0 : n + 1;
  let policyMapping = options.inhibitPolicyMapping === true ? 0 : n + 1;
  let tree: TreeNode | undefined = { policy: any, expected: new Set([any]), parent: undefined, children: [] };

  const atDepth = (depth: number): TreeNode[] => {
    let nodes = tree === undefined ? [] : [tree];
    for (let level = 0; level < depth; level++) nodes = nodes.flatMap(({ children }) => children);
    return nodes;
  };
  const addChild = (parent: TreeNode, policy: string, expected: readonly string[]): void => {
    parent.children.push({ policy, expected: new Set(expected), parent, children: [] });
  };
  /** Deletes nodes of a depth less than `depth` that have no child, again and again. */
  const prune = (depth: number): void => {
    for (let level = depth - 1; level >= 0; level--) {
      for (const node of atDepth(level)) {
        if (node.children.length > 0) continue;
        if (node.parent === undefined) tree = undefined;
        else node.parent.children = node.parent.children.filter((child) => child !== node);
      }
    }
  };

  for (const [index, says] of path.entries()) {
    const i = index + 1;
    const { policies, isSelfIssued = false } = says;
    // 6.1.3 (d)
    if (policies !== undefined && tree !== undefined) {
      const above = atDepth(i - 1);
      for (const policy of policies.filter((each) => each !== any)) {
        const expecting = above.filter(({ expected }) => expected.has(policy));
        for (const node of expecting) addChild(node, policy, [policy]);
        if (expecting.length > 0) continue;
        for (const node of above.filter((each) => each.policy === any)) addChild(node, policy, [policy]);
      }
      if (policies.includes(any) && (inhibitAnyPolicy > 0 || (i < n && isSelfIssued))) {
        for (const node of above) {
          for (const policy of node.expected) {
            if (!node.children.some((child) => child.policy === policy)) addChild(node, policy, [policy]);
          }
        }
      }
      prune(i);
    }
    // 6.1.3 (e), (f)
    if (policies === undefined) tree = undefined;
    if (explicitPolicy === 0 && tree === undefined) return 'refused';
    if (i === n) break;
    // 6.1.4 (a), (b)
    const { map = [] } = says;
    if (map.some((pair) => pair.includes(any))) return 'refused';
    for (const from of new Set(map.map(([issuerDomain]) => issuerDomain))) {
      const to = map.flatMap(([issuerDomain, subjectDomain]) => (issuerDomain === from ? [subjectDomain] : []));
      const nodes = atDepth(i).filter(({ policy }) => policy === from);
      if (policyMapping === 0) {
        for (const { parent, ...node } of nodes) {
          if (parent !== undefined) parent.children = parent.children.filter(({ policy }) => policy !== node.policy);
        }
        prune(i);
      } else if (nodes.length > 0) {
        for (const node of nodes) node.expected = new Set(to);
      } else {
        const anyNode = atDepth(i).find(({ policy }) => policy === any);
        if (anyNode?.parent !== undefined) addChild(anyNode.parent, from, to);
      }
    }
    // 6.1.4 (h) to (j)
    if (!isSelfIssued) {
      explicitPolicy = Math.max(0, explicitPolicy - 1);
      policyMapping = Math.max(0, policyMapping - 1);
      inhibitAnyPolicy = Math.max(0, inhibitAnyPolicy - 1);
    }
    explicitPolicy = Math.min(explicitPolicy, says.requireExplicitPolicy ?? Infinity);
    policyMapping = Math.min(policyMapping, says.inhibitPolicyMapping ?? Infinity);
    inhibitAnyPolicy = Math.min(inhibitAnyPolicy, says.inhibitAnyPolicy ?? Infinity);
  }

  // 6.1.5 (a), (b)
  explicitPolicy = Math.max(0, explicitPolicy - 1);
  if (path.at(-1)?.requireExplicitPolicy === 0) explicitPolicy = 0;
  // 6.1.5 (g)
  const nodeSet = (): TreeNode[] => {
    return path.flatMap((_, index) => atDepth(index + 1)).filter(({ parent }) => parent?.policy === any);
  };
  if (!userInitial.includes(any)) {
    for (const node of nodeSet()) {
      if (node.policy === any || userInitial.includes(node.policy) || node.parent === undefined) continue;
      node.parent.children = node.parent.children.filter((child) => child !== node);
    }
    const anyNode = atDepth(n).find(({ policy }) => policy === any);
    if (anyNode?.parent !== undefined) {
      const present = new Set(nodeSet().map(({ policy }) => policy));
      for (const policy of userInitial) if (!present.has(policy)) addChild(anyNode.parent, policy, [policy]);
      anyNode.parent.children = anyNode.parent.children.filter((child) => child !== anyNode);
    }
    prune(n);
  }
  if (explicitPolicy === 0 && tree === undefined) return 'refused';
  return [...new Set(nodeSet().map(({ policy }) => policy))].filter((policy, _, all) => {
    // An anyPolicy that ends before the end-entity certificate stands for what is below it, and nothing else.
    return policy !== any
      ? !(all.includes(any) && atDepth(n).some((node) => node.policy === any))
      : atDepth(n).some((node) => node.policy === any);
  });
}

describe('the graph', () => {
  it('PA-16: agrees with the tree of RFC 5280 in 4,000 random hierarchies', () => {
    const random = seededRandom(9);
    const upTo = (count: number): number => Math.floor(random() * count);
    const some = (chance: number): boolean => random() < chance;
    const pool = [a, b, c, d];
    const pick = (): string => pool[upTo(pool.length)] as string;
    const different: object[] = [];
    const verdicts = { refused: 0, none: 0, some: 0 };
    for (let run = 0; run < 4_000; run++) {
      const path = Array.from({ length: 1 + upTo(5) }, (): Says => {
        const policies = new Set(Array.from({ length: 1 + upTo(4) }, pick));
        if (some(0.4)) policies.add(any);
        if (some(0.2)) policies.delete(pick());
        return {
          ...(some(0.95) && policies.size > 0 ? { policies: [...policies] } : {}),
          ...(some(0.5)
            ? { map: Array.from({ length: 1 + upTo(4) }, () => [some(0.01) ? any : pick(), pick()] as const) }
            : {}),
          ...(some(0.2) ? { requireExplicitPolicy: upTo(4) } : {}),
          ...(some(0.15) ? { inhibitPolicyMapping: upTo(3) } : {}),
          ...(some(0.2) ? { inhibitAnyPolicy: upTo(3) } : {}),
          isSelfIssued: some(0.2),
        };
      });
      const options: CertificatePolicyOptions = {
        ...(some(0.5) ? { acceptable: [...new Set([pick(), pick()])] } : {}),
        requireExplicitPolicy: some(0.3),
        inhibitPolicyMapping: some(0.1),
        inhibitAnyPolicy: some(0.1),
      };
      const found = sorted(process(path, options));
      const actual = typeof found === 'string' ? 'refused' : found;
      const tree = processTree(path, options);
      const expected = tree === 'refused' ? tree : tree.toSorted();
      if (JSON.stringify(actual) !== JSON.stringify(expected)) different.push({ path, options, actual, expected });
      verdicts[actual === 'refused' ? 'refused' : actual.length === 0 ? 'none' : 'some']++;
    }
    expect(different).toEqual([]);
    // Enough of each that the agreement means something.
    expect(Math.min(...Object.values(verdicts))).toBeGreaterThan(400);
  });
});

describe('policies of validatePath', () => {
  const root = createAuthority({ subject: 'CN=Root' });
  const mapping = (...pairs: readonly (readonly [string, string])[]): ExtensionFields => ({
    extensions: [
      {
        oid: '2.5.29.33',
        critical: true,
        value: der.sequence(...pairs.map(([from, to]) => der.sequence(der.oid(from), der.oid(to)))),
      },
    ],
  });
  const below = (issuer: TestAuthority, fields: CertificateFields): TestAuthority => issuer.issueIntermediate(fields);

  it('are those of the path, in the names of the relying party', async () => {
    const issuer = below(root, { certificatePolicies: [a, b], ...mapping([a, c]) });
    const leaf = issuer.issue({ certificatePolicies: [c] });
    expect((await validate(leaf, root)).policies).toEqual([a]);
    expect(
      (await validate(leaf, root, { policies: { acceptable: [a], requireExplicitPolicy: true } })).policies,
    ).toEqual([a]);
    await expect(validate(leaf, root, { policies: { acceptable: [c], requireExplicitPolicy: true } })).toRejectWith(
      'ERR_PATH_POLICY_NOT_SATISFIED',
      { depth: 0 },
    );
    await expect(
      validate(leaf, root, { policies: { inhibitPolicyMapping: true, requireExplicitPolicy: true } }),
    ).toRejectWith('ERR_PATH_POLICY_NOT_SATISFIED', { depth: 0 });
  });

  it('are none, or every one', async () => {
    expect((await validate(root.issue(), root)).policies).toEqual([]);
    const any1 = below(root, { certificatePolicies: [any] }).issue({ certificatePolicies: [any] });
    expect((await validate(any1, root)).policies).toEqual([any]);
    expect((await validate(any1, root, { policies: { acceptable: [a, b] } })).policies).toEqual([a, b]);
    expect((await validate(any1, root, { policies: { inhibitAnyPolicy: true } })).policies).toEqual([]);
  });

  it('are not those of the anchor', async () => {
    const anchor = createAuthority({
      certificatePolicies: [b],
      policyConstraints: { requireExplicitPolicy: 0, inhibitPolicyMapping: 0 },
      inhibitAnyPolicy: 0,
    });
    const leaf = below(anchor, { certificatePolicies: [any] }).issue({ certificatePolicies: [a] });
    expect((await validate(leaf, anchor)).policies).toEqual([a]);
    expect((await validate(anchor.issue(), anchor)).policies).toEqual([]);
  });

  it('count self-issued certificates by their names', async () => {
    const top = below(root, { subject: 'CN=Top', certificatePolicies: [any], inhibitAnyPolicy: 0 });
    const rollover = below(top, { subject: top.subject, certificatePolicies: [any] });
    const other = below(top, { subject: 'CN=Other', certificatePolicies: [any] });
    expect((await validate(rollover.issue({ certificatePolicies: [a] }), root)).policies).toEqual([a]);
    expect((await validate(other.issue({ certificatePolicies: [a] }), root)).policies).toEqual([]);
  });

  it('are found on whichever path is good for them', async () => {
    const one = below(root, {
      subject: 'CN=Issuer',
      certificatePolicies: [a],
      policyConstraints: { requireExplicitPolicy: 0 },
    });
    const other = root.crossSign(one, { certificatePolicies: [b] });
    const leaf = one.issue({ certificatePolicies: [b] });
    for (const intermediates of [
      [one.der, other.der],
      [other.der, one.der],
    ]) {
      const { policies } = await validate(leaf, root, { intermediates });
      expect(policies).toEqual([b]);
    }
  });

  const leaf = root.issue();
  const optionError = 'policies.acceptable must be a non-empty array of dotted OIDs.';
  it.each<[string, unknown, string]>([
    ['null', null, 'policies takes an options object; it received null.'],
    ['an array', [a], 'policies takes an options object; it received an array.'],
    ['a string', a, 'policies takes an options object; it received a string.'],
    ['an unknown option', { accept: [a] }, 'policies received an unknown option, `accept`.'],
    ['an option in another case', { Acceptable: [a] }, 'Did you mean `acceptable`?'],
    ['no acceptable policy', { acceptable: [] }, optionError],
    ['one acceptable policy that is not in an array', { acceptable: a }, optionError],
    ['null for acceptable policies', { acceptable: null }, optionError],
    ['a number', { acceptable: [1.2] }, optionError],
    ['an OID with a name', { acceptable: ['anyPolicy'] }, optionError],
    ['an OID of one arc', { acceptable: ['1'] }, optionError],
    ['an OID with an empty arc', { acceptable: ['1..2'] }, optionError],
    ['an OID with a leading zero', { acceptable: ['1.02'] }, optionError],
    ['an OID under 3', { acceptable: ['3.1'] }, optionError],
    ['an OID and a newline', { acceptable: ['1.2\n'] }, optionError],
    ['one bad OID among good ones', { acceptable: [a, '1.2.'] }, optionError],
    ['text for a switch', { requireExplicitPolicy: 'true' }, 'policies.requireExplicitPolicy must be a boolean.'],
    ['1 for a switch', { inhibitPolicyMapping: 1 }, 'policies.inhibitPolicyMapping must be a boolean.'],
    ['null for a switch', { inhibitAnyPolicy: null }, 'policies.inhibitAnyPolicy must be a boolean.'],
  ])('may not be %s', async (_, policies, message) => {
    const attempt = validate(leaf, root, { policies: policies as CertificatePolicyOptions });
    await expect(attempt).rejects.toThrow(TypeError);
    await expect(attempt).rejects.toThrow(message);
  });

  it('may be left undefined, one and all', async () => {
    const policies = {
      acceptable: undefined,
      requireExplicitPolicy: undefined,
      inhibitPolicyMapping: false,
      inhibitAnyPolicy: undefined,
    };
    expect((await validate(leaf, root, { policies: policies as object })).policies).toEqual([]);
  });
});
