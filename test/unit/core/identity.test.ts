import { hash } from 'node:crypto';
import { type ClientIdentity, TrustStore, validatePath } from '@peercert/core';
import { createAuthority, daysFromTestTime, der, type TestCertificate } from '@peercert/testkit';
import { createIdentity } from '../../../packages/core/src/identity';
import { validate } from '../../support/validate';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../support/refusals';

const root = createAuthority({ subject: 'CN=Root,O=Example' });
const intermediate = root.issueIntermediate({ subject: 'CN=Devices,O=Example' });
const client = intermediate.issue({
  subject: 'CN=device-1,O=Example',
  serialNumber: 0x00ab_cdefn,
  uris: ['spiffe://example.com/device/1', 'urn:second'],
  dnsNames: ['device-1.example.com'],
  emails: ['device@example.com'],
  ipAddresses: ['192.0.2.1', '2001:db8::1'],
  directoryNames: ['CN=alias,O=Example'],
});

const identify = async (certificate: TestCertificate, anchor = root): Promise<ClientIdentity> =>
  createIdentity(await validate(certificate, anchor), 'cloudfront');

const spkiSha256 = ({ key }: TestCertificate): string =>
  hash('sha256', key.publicKey.export({ type: 'spki', format: 'der' }), 'hex');

describe('an identity', () => {
  it('holds every name of the certificate, typed and in order', async () => {
    const { subjectAltName, uris, dnsNames, emails } = await identify(client);
    expect({ uris, dnsNames, emails }).toEqual({
      uris: ['spiffe://example.com/device/1', 'urn:second'],
      dnsNames: ['device-1.example.com'],
      emails: ['device@example.com'],
    });
    expect(subjectAltName.map((name) => ('oid' in name ? name.oid : [name.type, String(name.value)]))).toEqual([
      ['uri', 'spiffe://example.com/device/1'],
      ['uri', 'urn:second'],
      ['dns', 'device-1.example.com'],
      ['email', 'device@example.com'],
      ['ip', '192.0.2.1'],
      ['ip', '2001:db8::1'],
      ['directory', 'O=Example,CN=alias'],
    ]);
  });

  it('holds the rest of the certificate, its anchor, its source and its path', async () => {
    const identity = await identify(client);
    const { serialNumber, notBefore, notAfter, certificateSha256, source, trustAnchor, path } = identity;
    expect({ serialNumber, notBefore, notAfter, certificateSha256, spkiSha256: identity.spkiSha256, source }).toEqual({
      serialNumber: 'abcdef',
      notBefore: daysFromTestTime(-1),
      notAfter: daysFromTestTime(365),
      certificateSha256: hash('sha256', client.der, 'hex'),
      spkiSha256: spkiSha256(client),
      source: 'cloudfront',
    });
    expect([identity.subject.values('CN'), identity.issuer.values('CN'), trustAnchor.subject.values('CN')]).toEqual([
      ['device-1'],
      ['Devices'],
      ['Root'],
    ]);
    expect({ ...trustAnchor, subject: undefined }).toEqual({
      subject: undefined,
      certificateSha256: hash('sha256', root.der, 'hex'),
      spkiSha256: spkiSha256(root),
    });
    expect(path.map((bytes) => Buffer.from(bytes))).toEqual([client.der, intermediate.der, root.der]);
  });

  it('has empty lists for names the certificate does not have', async () => {
    const { subjectAltName, uris, dnsNames, emails } = await identify(root.issue({ subject: 'CN=bare' }));
    expect([subjectAltName, uris, dnsNames, emails]).toEqual([[], [], [], []]);
  });

  it('is of the end-entity certificate and of no other in the path', async () => {
    const named = root.issueIntermediate({ subject: 'CN=admin', uris: ['urn:admin'] });
    const { subject, uris } = await identify(named.issue({ subject: 'CN=user', uris: ['urn:user'] }));
    expect([subject.values('CN'), uris]).toEqual([['user'], ['urn:user']]);
  });

  it('PA-19: tells two anchors of one name apart by their keys', async () => {
    const lookAlike = createAuthority({ subject: root.subject });
    const identities = [await identify(root.issue()), await identify(lookAlike.issue(), lookAlike)];
    const anchors = identities.map(({ trustAnchor }) => trustAnchor);
    expect(new Set(anchors.map(({ subject }) => subject.toString()))).toEqual(new Set(['O=Example,CN=Root']));
    expect(anchors.map((anchor) => anchor.spkiSha256)).toEqual([spkiSha256(root), spkiSha256(lookAlike)]);
  });

  it('holds hostile text exactly as it is', async () => {
    const value = 'x\r\n2026-01-01 INFO auth ok user=admin\u001b[2J,CN=admin+O=\u202E';
    const { subject } = await identify(root.issue({ subject: [{ type: 'CN', value }] }));
    expect(subject.values('CN')).toEqual([value]);
  });
});

describe('ID-06: an identity that is given away', () => {
  /** Everything that can be reached from a value by properties and getters of its own and of its class. */
  function* reachable(value: unknown, seen = new Set<object>()): Generator<object> {
    if (typeof value !== 'object' || value === null || seen.has(value)) return;
    seen.add(value);
    if (ArrayBuffer.isView(value) || Object.prototype.toString.call(value) === '[object Date]') return;
    yield value;
    const properties = [value, Object.getPrototypeOf(value) as object].flatMap((owner) =>
      owner === null || owner.constructor === Object || Array.isArray(owner) ? [] : Object.getOwnPropertyNames(owner),
    );
    for (const name of [...Object.keys(value), ...properties]) {
      yield* reachable((value as Record<string, unknown>)[name], seen);
    }
  }

  it('is frozen all through', async () => {
    const identity = await identify(client);
    const parts = [...reachable(identity)];
    expect(parts.length).toBeGreaterThan(20);
    expect(parts.filter((part) => !Object.isFrozen(part))).toEqual([]);
  });

  it.each<[string, (identity: ClientIdentity) => unknown]>([
    ['sets a member', (identity) => Object.assign(identity, { uris: ['urn:admin'] })],
    ['adds a member', (identity) => Object.assign(identity, { role: 'admin' })],
    ['defines a member', (identity) => Object.defineProperty(identity, 'uris', { value: ['urn:admin'] })],
    ['changes its prototype', (identity) => Object.setPrototypeOf(identity, { uris: ['urn:admin'] })],
    [
      'changes what every identity says',
      (identity) => {
        Object.defineProperty(Object.getPrototypeOf(identity), 'uris', { get: () => ['urn:admin'] });
      },
    ],
    ['adds a URI', ({ uris }) => (uris as string[]).push('urn:admin')],
    ['replaces a URI', ({ uris }) => ((uris as string[])[0] = 'urn:admin')],
    ['empties the names', ({ subjectAltName }) => ((subjectAltName as unknown[]).length = 0)],
    ['replaces a name', ({ subjectAltName }) => Object.assign(subjectAltName[0] as object, { value: 'urn:admin' })],
    ['replaces an attribute', ({ subject }) => Object.assign(subject.rdns[0]?.[0] as object, { value: 'admin' })],
    ['adds an attribute', ({ subject }) => (subject.rdns as unknown[]).push([])],
    ['replaces its anchor', ({ trustAnchor }) => Object.assign(trustAnchor, { spkiSha256: '00' })],
    ['shortens its path', ({ path }) => (path as unknown[]).pop()],
  ])('throws when somebody %s', async (_, change) => {
    const identity = await identify(client);
    const before = JSON.stringify(identity);
    expect(() => change(identity)).toThrow(TypeError);
    expect(JSON.stringify(identity)).toBe(before);
    expect(identity.uris).toEqual(['spiffe://example.com/device/1', 'urn:second']);
  });

  it('gives fresh dates each time', async () => {
    const identity = await identify(client);
    identity.notBefore.setFullYear(1970);
    identity.notAfter.setFullYear(9999);
    expect([identity.notBefore, identity.notAfter]).toEqual([daysFromTestTime(-1), daysFromTestTime(365)]);
  });

  it('gives fresh bytes each time', async () => {
    const identity = await identify(client);
    for (const bytes of identity.path) bytes.fill(0);
    expect(identity.path.map((bytes) => Buffer.from(bytes))).toEqual([client.der, intermediate.der, root.der]);
    expect(identity.certificateSha256).toBe(hash('sha256', client.der, 'hex'));
  });

  it('does not hang on the buffers it was validated from', async () => {
    const endEntity = Buffer.from(client.der);
    const presented = Buffer.from(intermediate.der);
    const anchor = Buffer.from(root.der);
    const path = await validatePath({
      endEntity,
      intermediates: [presented],
      trust: TrustStore.fromDer([anchor]),
      time: daysFromTestTime(0),
    });
    for (const buffer of [endEntity, presented, anchor]) buffer.fill(0);
    const identity = createIdentity(path, 'native-tls');
    expect(identity.uris[0]).toBe('spiffe://example.com/device/1');
    expect(identity.path.map((bytes) => Buffer.from(bytes))).toEqual([client.der, intermediate.der, root.der]);
  });

  it('gives the same value each time it is asked', async () => {
    const identity = await identify(client);
    expect(identity.subject).toBe(identity.subject);
    expect(identity.uris).toBe(identity.uris);
    expect(identity.trustAnchor).toBe(identity.trustAnchor);
  });
});

describe('an identity as JSON', () => {
  it('is plain data for logs: names as text, dates as ISO 8601, without the path', async () => {
    expect(JSON.parse(JSON.stringify(await identify(client)))).toEqual({
      subject: 'O=Example,CN=device-1',
      issuer: 'O=Example,CN=Devices',
      subjectAltName: [
        { type: 'uri', value: 'spiffe://example.com/device/1' },
        { type: 'uri', value: 'urn:second' },
        { type: 'dns', value: 'device-1.example.com' },
        { type: 'email', value: 'device@example.com' },
        { type: 'ip', value: '192.0.2.1' },
        { type: 'ip', value: '2001:db8::1' },
        { type: 'directory', value: 'O=Example,CN=alias' },
      ],
      serialNumber: 'abcdef',
      notBefore: daysFromTestTime(-1).toISOString(),
      notAfter: daysFromTestTime(365).toISOString(),
      certificateSha256: hash('sha256', client.der, 'hex'),
      spkiSha256: spkiSha256(client),
      trustAnchor: {
        subject: 'O=Example,CN=Root',
        certificateSha256: hash('sha256', root.der, 'hex'),
        spkiSha256: spkiSha256(root),
      },
      source: 'cloudfront',
    });
  });

  it('ID-01: holds no raw control character of the certificate', async () => {
    const subject = [{ type: 'CN', value: 'x\r\nuser=admin\u001b[2J\0' }];
    // oxlint-disable-next-line no-control-regex -- exactly those
    expect(JSON.stringify(await identify(root.issue({ subject })))).not.toMatch(/[\x00-\x1f]/);
  });
});

describe('hostile names', () => {
  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'ID-03: keeps the value %s a value',
    async (name) => {
      const { subject, uris, dnsNames } = await identify(
        root.issue({ subject: [{ type: 'CN', value: name }], uris: [name], dnsNames: [name] }),
      );
      expect([subject.values('CN'), uris, dnsNames]).toEqual([[name], [name], [name]]);
      expect(subject.values(name)).toEqual([]);
      expect(({} as Record<string, unknown>)['x']).toBeUndefined();
    },
  );

  it('ID-03: has no values for an attribute type that is a member of objects', async () => {
    const { subject } = await identify(client);
    for (const type of ['__proto__', 'constructor', 'length', 'valueOf', '']) expect(subject.values(type)).toEqual([]);
  });
});

describe('ID-05: a certificate that names nobody', () => {
  const otherNames = der.sequence(der.implicit(2, Buffer.from('a.example')));

  it.each<[string, Parameters<typeof root.issue>[0]]>([
    ['an empty subject and no subjectAltName', { subject: '' }],
    [
      'an empty subject and a subjectAltName that is not critical',
      { subject: '', uris: ['urn:a'], subjectAltNameCritical: false },
    ],
  ])('is refused for %s', async (_, fields) => {
    const nobody = root.issue(fields);
    await expect(identify(nobody)).toRejectWith('ERR_IDENTITY_MISSING', {
      certificateSha256: hash('sha256', nobody.der, 'hex'),
    });
  });

  it.each<[string, Parameters<typeof root.issue>[0]]>([
    ['an empty subject and a critical subjectAltName', { subject: '', subjectAltName: otherNames }],
    ['a subject and no subjectAltName', { subject: 'CN=a' }],
    ['a subject and a subjectAltName that is not critical', { subject: 'CN=a', subjectAltName: otherNames }],
  ])('is not one with %s', async (_, fields) => {
    await expect(identify(root.issue(fields))).resolves.toMatchObject({ source: 'cloudfront' });
  });
});
