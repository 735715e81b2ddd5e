import {
  algorithmIdentifier,
  type CertificateFields,
  daysFromTestTime,
  der,
  encodeName,
  type KeyUsageName,
  type RawExtension,
  type SignatureAlgorithm,
  TEST_TIME,
} from '@peercert/testkit';
import type { Entity, Hierarchy } from './hierarchy';
import type { Random } from './random';
import { noNames, policies, policyMappings, respelt, someName, someNames, someSubtrees } from './values';

type FieldMutation = (random: Random, entity: Entity, hierarchy: Hierarchy) => CertificateFields;

/** Says something else in one certificate; it is signed all the same. */
export function mutateFields(random: Random, entity: Entity, hierarchy: Hierarchy): { entity: Entity; log: string } {
  const [name, mutation] = random.pick(Object.entries(mutations));
  const changes = mutation(random, entity, hierarchy);
  const fields = { ...entity.fields, ...changes, raw: { ...entity.fields.raw, ...changes.raw } };
  return { entity: { ...entity, fields }, log: `field ${name}` };
}

const mutations: Readonly<Record<string, FieldMutation>> = {
  validity: (random) => ({ [random.pick(['notBefore', 'notAfter'])]: someTime(random) }),
  'odd validity': (random) => {
    return { raw: { validity: der.sequence(oddTime(random), oddTime(random, '401231235959Z')) } };
  },
  'basic constraints': (random) => ({
    basicConstraints: random.pick<NonNullable<CertificateFields['basicConstraints']>>([
      'absent',
      { ca: false },
      { ca: true },
      { ca: true, pathLenConstraint: random.pick([0, 0, 1, 2, 127, 128, 2 ** 31, 2 ** 40]) },
      { ca: false, pathLenConstraint: random.below(3) },
    ]),
  }),
  'key usage': (random) => ({
    keyUsage: random.chance(0.2) ? 'absent' : random.some<KeyUsageName>(usages, random.pick([0.1, 0.5, 0.9])),
  }),
  'extended key usage': (random) => ({
    extKeyUsage: random.chance(0.2)
      ? 'absent'
      : random.some(['clientAuth', 'serverAuth', 'anyExtendedKeyUsage', '1.2.3.4', 'OCSPSigning']),
  }),
  'subject respelt': (random, entity) => ({ subject: respelt(random, 'Example', commonNameOf(entity)) }),
  'issuer respelt': (random, entity, { entities }) => {
    const issuer = entities.find(({ name }) => name === entity.issuer) ?? entity;
    return { raw: { issuer: encodeName(respelt(random, 'Example', commonNameOf(issuer))) } };
  },
  'other subject': (random) => ({ subject: someName(random) }),
  'no subject': (random) => ({ subject: '', subjectAltNameCritical: random.chance(0.5) }),
  'subject of another': (random, _, { entities }) => subjectOf(random.pick(entities)),
  'serial number': (random) => ({ serialNumber: random.pick(serialNumbers) }),
  names: someNames,
  'names and subject': (random) => ({ ...someNames(random), subject: someName(random) }),
  'odd names': (random) => ({
    ...noNames,
    subjectAltName: der.sequence(...Array.from({ length: random.below(3) }, () => oddName(random))),
    subjectAltNameCritical: random.chance(0.5),
  }),
  'name constraints': (random) => ({
    nameConstraints: { permitted: someSubtrees(random), excluded: random.chance(0.5) ? {} : someSubtrees(random) },
  }),
  policies: (random) => ({ certificatePolicies: random.some(policies) }),
  'policy constraints': (random) => ({
    policyConstraints: {
      ...(random.chance(0.6) ? { requireExplicitPolicy: random.below(4) } : {}),
      ...(random.chance(0.5) ? { inhibitPolicyMapping: random.below(3) } : {}),
    },
  }),
  'policy mappings': (random, { fields }) => ({
    certificatePolicies: random.some(policies, 0.7),
    extensions: [...withoutOid(fields, '2.5.29.33'), somePolicyMappings(random)],
  }),
  'inhibit any policy': (random) => ({ inhibitAnyPolicy: random.below(3) }),
  'subject key identifier': (random) => ({
    subjectKeyIdentifier: random.pick(['absent', random.bytes(20), Buffer.alloc(0)] as const),
  }),
  'authority key identifier': (random) => ({
    authorityKeyIdentifier: random.pick(['absent', random.bytes(20), Buffer.alloc(0)] as const),
  }),
  'authority key identifier by name': (random, { fields }, { entities }) => ({
    authorityKeyIdentifier: 'absent',
    extensions: [...withoutOid(fields, '2.5.29.35'), authorityByName(random, entities)],
  }),
  'another extension': (random, { fields }) => {
    const extension = random.pick(otherExtensions);
    return {
      extensions: [...withoutOid(fields, extension.oid), { ...extension, critical: random.chance(0.2) }],
    };
  },
  'signature algorithm': (random, { fields, issuer }, { entities }) => {
    const signer = entities.find(({ name }) => name === issuer)?.fields.key ?? fields.key;
    return { signatureAlgorithm: random.pick(algorithmsFor(signer.privateKey.asymmetricKeyType)) };
  },
  'algorithm named inside': (random) => ({ raw: { signature: someAlgorithm(random) } }),
  'algorithm named outside': (random) => ({ raw: { signatureAlgorithm: someAlgorithm(random) } }),
  'algorithm named twice': (random) => {
    const identifier = someAlgorithm(random);
    return { raw: { signature: identifier, signatureAlgorithm: identifier } };
  },
  'key of another': (random, _, { entities }) => ({ key: random.pick(entities).fields.key }),
  version: (random) => ({
    raw: { version: random.pick([Buffer.alloc(0), ...[0, 1, 2, 3].map((n) => der.explicit(0, der.integer(n)))]) },
  }),
  'unique identifiers': (random) => ({
    raw: { [random.pick(['issuerUniqueID', 'subjectUniqueID'])]: der.implicit(1 + random.below(2), Buffer.of(0, 7)) },
  }),
  'no extensions': () => ({ raw: { extensions: Buffer.alloc(0) } }),
};

const serialNumbers: readonly (number | Buffer)[] = [
  0,
  1,
  -1,
  127,
  128,
  -129,
  Buffer.alloc(0),
  Buffer.of(0),
  Buffer.of(0, 1),
  Buffer.of(0xff, 0xff),
  Buffer.alloc(20, 0x7f),
  Buffer.alloc(20, 0xfe),
  Buffer.alloc(21, 0x01),
  Buffer.concat([Buffer.of(0), Buffer.alloc(20, 0xff)]),
  Buffer.alloc(40, 1),
];

const usages = [
  ...(['digitalSignature', 'nonRepudiation', 'keyEncipherment', 'dataEncipherment', 'keyAgreement'] as const),
  ...(['keyCertSign', 'cRLSign', 'encipherOnly', 'decipherOnly'] as const),
];

function subjectOf({ fields: { subject } }: Entity): CertificateFields {
  return subject === undefined ? {} : { subject };
}

function commonNameOf({ fields: { subject } }: Entity): string {
  return typeof subject === 'string' ? (/CN=(.*)/.exec(subject)?.[1] ?? 'x') : 'x';
}

function someTime(random: Random): Date {
  const days = random.pick([-20_000, -400, -2, -1, 0, 1, 2, 400, 9_000, 2_000_000]);
  return new Date(daysFromTestTime(days).getTime() + random.pick([-1000, 0, 0, 1000]));
}

/** A time in a form that not everybody reads: TEST_TIME lies after the first and before the second default. */
function oddTime(random: Random, good = '200101000000Z'): Buffer {
  const { utcTime, generalizedTime } = der;
  return random.pick([
    utcTime(good),
    utcTime(good),
    generalizedTime(`20${good}`),
    generalizedTime(`20${good.slice(0, -1)}.5Z`),
    utcTime(`${good.slice(0, 10)}Z`),
    utcTime(`${good.slice(0, -1)}+0100`),
    utcTime(good.slice(0, -1)),
    utcTime(good.replace('12', '13')),
    utcTime(good.replace(/....Z/, '2460Z')),
    utcTime('260229000000Z'),
    utcTime('500101000000Z'),
    generalizedTime('00000101000000Z'),
    generalizedTime('99991231235959Z'),
    utcTime(TEST_TIME),
    utcTime(' 60101000000Z'),
  ]);
}

function oddName(random: Random): Buffer {
  const content = random.pick([Buffer.alloc(0), Buffer.from('a.example.com'), Buffer.from('a\0b'), random.bytes(3)]);
  return random.pick([
    () => der.implicit(random.below(10), content),
    () => der.explicit(random.below(10), der.utf8String('x')),
    () => der.explicit(0, der.oid('1.2.3'), der.explicit(0, der.utf8String('x'))),
    () => der.explicit(4, encodeName(someName(random))),
    () => der.implicit(7, random.bytes(random.pick([4, 16, 5, 0, 8]))),
    () => der.implicit(8, Buffer.of(0x2a, 0x03)),
    () => der.implicit(2, Buffer.from('b\u00fccher.example.com', random.pick(['utf8', 'latin1'] as const))),
  ])();
}

function somePolicyMappings(random: Random): RawExtension {
  const mappings = Array.from({ length: 1 + random.below(2) }, () => {
    return [random.pick(policies), random.pick(policies)] as const;
  });
  return { oid: '2.5.29.33', critical: random.chance(0.5), value: policyMappings(...mappings) };
}

function authorityByName(random: Random, entities: readonly Entity[]): RawExtension {
  const name = encodeName(random.pick(entities).fields.subject ?? 'CN=x');
  return {
    oid: '2.5.29.35',
    value: der.sequence(
      der.explicit(1, der.explicit(4, name)),
      ...(random.chance(0.8) ? [der.implicit(2, Buffer.of(1))] : []),
    ),
  };
}

function withoutOid(fields: CertificateFields, oid: string): readonly RawExtension[] {
  return (fields.extensions ?? []).filter((extension) => extension.oid !== oid);
}

/** Extensions that one of the two programs processes, or neither. */
const otherExtensions: readonly RawExtension[] = [
  { oid: '1.2.3.4', value: Buffer.from('plain text') },
  { oid: '1.2.3.4', value: Buffer.alloc(0) },
  { oid: '2.5.29.18', value: der.sequence(der.implicit(2, Buffer.from('a.example.com'))) },
  { oid: '2.5.29.31', value: der.sequence() },
  { oid: '2.5.29.31', value: Buffer.of(1, 2, 3) },
  { oid: '2.16.840.1.113730.1.1', value: der.bitString(Buffer.of(0x80), 7) },
  { oid: '2.16.840.1.113730.1.1', value: der.bitString(Buffer.of(0x40), 6) },
  { oid: '2.16.840.1.113730.1.1', value: der.bitString(Buffer.of(0x04), 2) },
  { oid: '1.3.6.1.5.5.7.1.14', value: der.sequence(der.sequence(der.oid('1.3.6.1.5.5.7.21.1'))) },
  { oid: '1.3.6.1.5.5.7.1.7', value: der.sequence(der.sequence(der.octetString(Buffer.of(0, 1)), der.null())) },
  { oid: '1.3.6.1.5.5.7.1.8', value: der.sequence(der.explicit(0, der.null())) },
  { oid: '1.3.6.1.5.5.7.48.1.5', value: der.null() },
  { oid: '1.3.6.1.5.5.7.1.24', value: der.sequence(der.integer(5)) },
  { oid: '2.5.29.9', value: der.sequence() },
];

const algorithms: Readonly<Record<string, readonly SignatureAlgorithm[]>> = {
  ec: ['ecdsa-sha1', 'ecdsa-sha256', 'ecdsa-sha384', 'ecdsa-sha512'],
  ed25519: ['ed25519'],
  rsa: [
    ...(['rsa-md5', 'rsa-sha1', 'rsa-sha256', 'rsa-sha384', 'rsa-sha512'] as const),
    ...(['rsa-pss-sha256', 'rsa-pss-sha384', 'rsa-pss-sha512'] as const),
  ],
};

function algorithmsFor(keyType: string | undefined): readonly SignatureAlgorithm[] {
  return algorithms[keyType ?? ''] ?? [];
}

const oids = ['1.2.840.10045.4.3.2', '1.2.840.113549.1.1.11', '1.3.101.112', '1.2.840.113549.1.1.10', '1.2.3.4'];

function someAlgorithm(random: Random): Buffer {
  if (random.chance(0.4)) return algorithmIdentifier(random.pick(Object.values(algorithms).flat()));
  const parameters = random.pick([[], [], [der.null()], [der.null()], [der.sequence()], [der.integer(1)]]);
  return der.sequence(der.oid(random.pick(oids)), ...parameters);
}
