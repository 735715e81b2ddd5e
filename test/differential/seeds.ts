import {
  type CertificateFields,
  daysFromTestTime,
  der,
  generateKey,
  type KeyAlgorithm,
  type KeyPair,
  TEST_TIME,
} from '@peercert/testkit';
import type { Entity, Hierarchy } from './hierarchy';
import { policies, policyMappings } from './values';

/** Fields of one certificate of a line, and which key it gets. */
type Link = CertificateFields & { readonly keyAlgorithm?: KeyAlgorithm };

const [one, two, three, any] = policies;

/** The hierarchies that cases are made from, minted anew for each run. */
export function seedHierarchies(): readonly Hierarchy[] {
  const seeds = new Seeds();
  return [
    ...plain(seeds),
    ...algorithms(seeds),
    ...names(seeds),
    ...constraints(seeds),
    ...usages(seeds),
    ...withPolicies(seeds),
    ...meshes(seeds),
  ];
}

class Seeds {
  #keys = 0;
  readonly #rsaKeys: KeyPair[] = [];

  /** A new key. RSA keys are slow to make: three for all. */
  key(algorithm: KeyAlgorithm = 'p256'): KeyPair {
    if (algorithm !== 'rsa2048') return generateKey(algorithm);
    const index = this.#keys++ % 3;
    return (this.#rsaKeys[index] ??= generateKey(algorithm));
  }

  /** An anchor, intermediates and an end-entity certificate, from the top down. */
  line(name: string, ...links: readonly Link[]): Hierarchy {
    const entities = links.map((link, index): Entity => {
      const place = index === 0 ? 'anchor' : index === links.length - 1 ? 'end-entity' : 'intermediate';
      return this.entity(`${place} ${index}`, index === 0 ? undefined : entityName(links, index - 1), place, {
        subject: place === 'end-entity' ? `O=Example,CN=client ${index}` : `O=Example,CN=${name} Kings CA ${index}`,
        ...link,
      });
    });
    return { name, entities };
  }

  entity(name: string, issuer: string | undefined, place: Entity['place'], fields: Link = {}): Entity {
    const { keyAlgorithm, ...rest } = fields;
    return { name, issuer, place, fields: { ...rest, key: rest.key ?? this.key(keyAlgorithm) } };
  }
}

function entityName(links: readonly Link[], index: number): string {
  return index === 0 ? 'anchor 0' : index === links.length - 1 ? `end-entity ${index}` : `intermediate ${index}`;
}

function pathLength(pathLenConstraint: number): Link {
  return { basicConstraints: { ca: true, pathLenConstraint } };
}

function plain(seeds: Seeds): readonly Hierarchy[] {
  return [
    seeds.line('direct', {}, {}),
    seeds.line('one below', {}, {}, { uris: ['urn:example:device:1'] }),
    seeds.line('two below', {}, {}, {}, { dnsNames: ['a.example.com'] }),
    seeds.line('path lengths', pathLength(3), pathLength(2), pathLength(1), pathLength(0), {}),
    seeds.line('no key identifiers', ...Array.from({ length: 3 }, () => ({ subjectKeyIdentifier: 'absent' }) as const)),
    seeds.line(
      'edges of validity',
      { notAfter: TEST_TIME, notBefore: new Date('1950-01-01T00:00:00Z') },
      { notBefore: TEST_TIME, notAfter: new Date('9999-12-31T23:59:59Z') },
      { notBefore: TEST_TIME, notAfter: daysFromTestTime(1 / 86_400) },
    ),
  ];
}

function algorithms(seeds: Seeds): readonly Hierarchy[] {
  return [
    seeds.line('P-384', { keyAlgorithm: 'p384' }, { keyAlgorithm: 'p384' }, { keyAlgorithm: 'p384' }),
    seeds.line('P-521 over P-256', { keyAlgorithm: 'p521' }, {}, {}),
    seeds.line('RSA', { keyAlgorithm: 'rsa2048' }, { keyAlgorithm: 'rsa2048' }, { keyAlgorithm: 'rsa2048' }),
    seeds.line(
      'PSS',
      { keyAlgorithm: 'rsa2048', signatureAlgorithm: 'rsa-pss-sha256' },
      { keyAlgorithm: 'rsa2048', signatureAlgorithm: 'rsa-pss-sha384' },
      { signatureAlgorithm: 'rsa-pss-sha512' },
    ),
    seeds.line('Ed25519', { keyAlgorithm: 'ed25519' }, { keyAlgorithm: 'ed25519' }, { keyAlgorithm: 'ed25519' }),
  ];
}

function names(seeds: Seeds): readonly Hierarchy[] {
  const san = {
    uris: ['urn:example:device:1', 'https://example.com/a,b'],
    dnsNames: ['a.example.com', '*.example.com'],
    emails: ['a@example.com'],
    ipAddresses: ['192.0.2.1', '2001:db8::1'],
    directoryNames: ['C=DE,O=Example'],
  };
  const subject = [
    { type: 'C', value: 'DE' },
    { type: 'O', value: 'Example', as: 'teletexString' },
    { type: 'OU', value: 'B\u00fccher', as: 'bmpString' },
    [
      { type: 'CN', value: 'client', as: 'printableString' },
      { type: 'serialNumber', value: '17' },
    ],
    { type: 'emailAddress', value: 'a@example.com' },
  ] as const;
  return [
    seeds.line('every form of name', {}, {}, san),
    seeds.line('no subject', {}, {}, { subject: '', dnsNames: ['a.example.com'] }),
    seeds.line('string types', { subject: [{ type: 'CN', value: 'Kings', as: 'bmpString' }] }, {}, { subject }),
    seeds.line(
      'other forms',
      {},
      {
        subjectAltName: der.sequence(
          der.explicit(0, der.oid('1.3.6.1.4.1.311.20.2.3'), der.explicit(0, der.utf8String('a@example.com'))),
          der.implicit(8, der.oid('1.2.3').subarray(2)),
          der.implicit(2, Buffer.from('a.example.com')),
        ),
      },
    ),
  ];
}

function constraints(seeds: Seeds): readonly Hierarchy[] {
  const permitted = {
    dnsNames: ['example.com'],
    uris: ['example.com', '.example.com'],
    emails: ['example.com', '.example.com'],
    ipAddresses: ['192.0.2.0/24', '2001:db8::/32'],
    directoryNames: ['O=Example'],
  };
  const excluded = {
    dnsNames: ['b.example.com'],
    uris: ['b.example.com'],
    emails: ['b@example.com'],
    ipAddresses: ['192.0.2.128/25'],
    directoryNames: ['O=Example,CN=b'],
  };
  const within = {
    dnsNames: ['a.example.com'],
    uris: ['https://a.example.com/'],
    emails: ['a@example.com'],
    ipAddresses: ['192.0.2.1'],
    directoryNames: ['O=Example'],
  };
  return [
    ...Object.entries(permitted).map(([form, subtrees]) => {
      return seeds.line(
        `constrained ${form}`,
        {},
        { nameConstraints: { permitted: { [form]: subtrees }, excluded } },
        { [form]: within[form as keyof typeof within] },
      );
    }),
    seeds.line('constrained by the anchor', { nameConstraints: { permitted, excluded } }, {}, {}),
    seeds.line(
      'constrained twice',
      { nameConstraints: { permitted } },
      { nameConstraints: { excluded } },
      { dnsNames: ['a.example.com'], uris: ['https://example.com/'], emails: ['a@example.com'] },
    ),
    seeds.line(
      'common name like a host',
      {},
      { nameConstraints: { permitted: { dnsNames: ['example.com'] } } },
      { subject: 'O=Example,CN=a.example.com' },
    ),
  ];
}

function usages(seeds: Seeds): readonly Hierarchy[] {
  const noUsage = { keyUsage: 'absent', extKeyUsage: 'absent' } as const;
  const clientAuth = { extKeyUsage: ['clientAuth', 'serverAuth'] } as const;
  return [
    seeds.line('no usages', noUsage, noUsage, noUsage),
    seeds.line('purposes everywhere', clientAuth, clientAuth, { ...clientAuth, keyUsage: ['digitalSignature'] }),
    seeds.line('any purpose above', {}, { extKeyUsage: ['anyExtendedKeyUsage'] }, {}),
    seeds.line('basic constraints of the client', {}, {}, { basicConstraints: { ca: false } }),
    seeds.line(
      'extensions nobody processes',
      {},
      { extensions: [{ oid: '1.3.6.1.4.1.99999.7', value: Buffer.from('plain text') }] },
      {
        extensions: [
          {
            oid: '1.3.6.1.5.5.7.1.1',
            value: der.sequence(
              der.sequence(der.oid('1.3.6.1.5.5.7.48.1'), der.implicit(6, Buffer.from('http://ocsp.example.com'))),
            ),
          },
        ],
      },
    ),
  ];
}

function withPolicies(seeds: Seeds): readonly Hierarchy[] {
  const questions = [
    {},
    { requireExplicitPolicy: true },
    { acceptable: [one] },
    { acceptable: [one], requireExplicitPolicy: true },
    { acceptable: [two, three], requireExplicitPolicy: true },
    { requireExplicitPolicy: true, inhibitPolicyMapping: true },
    { requireExplicitPolicy: true, inhibitAnyPolicy: true },
  ];
  const has = (...certificatePolicies: readonly string[]): Link => ({ certificatePolicies });
  const mapping = { oid: '2.5.29.33', critical: true, value: policyMappings([one, two]) };
  const lines = [
    seeds.line('policies', {}, has(one, two), has(one, two), has(one)),
    seeds.line('any policy', {}, has(any), has(any), has(any)),
    seeds.line('mapped policies', {}, { ...has(one), extensions: [mapping] }, has(two), has(two)),
    seeds.line('mapped from any', {}, { ...has(any), extensions: [mapping] }, has(two), has(two, three)),
    seeds.line('required policy', {}, { ...has(one), policyConstraints: { requireExplicitPolicy: 0 } }, has(one)),
    seeds.line(
      'inhibited policies',
      {},
      { ...has(one, any), policyConstraints: { inhibitPolicyMapping: 0 }, inhibitAnyPolicy: 1 },
      has(one, any),
      has(one),
    ),
  ];
  return lines.map(({ name, entities }) => ({ name, entities, policies: questions }));
}

/** Hierarchies that are not lines. */
function meshes(seeds: Seeds): readonly Hierarchy[] {
  const crossKey = seeds.key();
  const crossed = { subject: 'O=Example,CN=Crossed', key: crossKey };
  return [
    {
      name: 'roll-over',
      entities: [
        seeds.entity('old root', undefined, 'anchor', { subject: 'O=Example,CN=Root' }),
        seeds.entity('new with old', 'old root', 'intermediate', { subject: 'O=Example,CN=Root' }),
        seeds.entity('issuing', 'new with old', 'intermediate', pathLength(0)),
        seeds.entity('client', 'issuing', 'end-entity', { subject: 'O=Example,CN=client' }),
      ],
    },
    {
      name: 'cross-signed',
      entities: [
        seeds.entity('root A', undefined, 'anchor', { subject: 'O=Example,CN=Root A' }),
        seeds.entity('root B', undefined, 'absent', { subject: 'O=Example,CN=Root B' }),
        seeds.entity('crossed by B', 'root B', 'intermediate', crossed),
        seeds.entity('crossed by A', 'root A', 'intermediate', crossed),
        seeds.entity('client', 'crossed by A', 'end-entity', { subject: 'O=Example,CN=client' }),
      ],
    },
    {
      name: 'trusted intermediate',
      entities: [
        seeds.entity('root', undefined, 'absent', { subject: 'O=Example,CN=Root' }),
        seeds.entity('trusted', 'root', 'anchor', { subject: 'O=Example,CN=Trusted', ...pathLength(1) }),
        seeds.entity('issuing', 'trusted', 'intermediate', { subject: 'O=Example,CN=Issuing' }),
        seeds.entity('client', 'issuing', 'end-entity', { subject: 'O=Example,CN=client' }),
      ],
    },
    {
      name: 'two anchors of one name',
      entities: [
        seeds.entity('stranger', undefined, 'anchor', { subject: 'O=Example,CN=Root' }),
        seeds.entity('root', undefined, 'anchor', { subject: 'O=Example,CN=Root' }),
        seeds.entity('issuing', 'root', 'intermediate', { subject: 'O=Example,CN=Issuing' }),
        seeds.entity('client', 'issuing', 'end-entity', { subject: 'O=Example,CN=client' }),
      ],
    },
  ];
}
