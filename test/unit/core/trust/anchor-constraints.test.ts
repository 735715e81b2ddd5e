import { createAuthority, der, TEST_TIME, type CertificateFields } from '@peercert/testkit';
import { type ConstrainedNames, resolveConstraints } from '../../../../packages/core/src/trust/anchor-constraints';
import { TrustStore } from '../../../../packages/core/src/trust/trust-store';
import { Certificate } from '../../../../packages/core/src/x509/certificate';
import type { NameConstraints } from '../../../../packages/core/src/x509/name-constraints';

const key = createAuthority().key;

/** The names as a certificate's own nameConstraints have them. */
function decoded(nameConstraints: NonNullable<CertificateFields['nameConstraints']>): NameConstraints | undefined {
  return new Certificate(createAuthority({ key, nameConstraints }).der).extensions.nameConstraints;
}

const resolve = (constraints: object): ReturnType<typeof resolveConstraints> => resolveConstraints(constraints);

describe('constraints on an anchor', () => {
  it('are none where none are given', () => {
    const nothing = { names: undefined, maxPathLength: undefined, extKeyUsage: undefined, notAfter: undefined };
    expect(resolveConstraints({})).toEqual(nothing);
    expect(resolve({ permittedNames: undefined, maxPathLength: undefined, expiry: undefined })).toEqual(nothing);
    expect(resolveConstraints({ expiry: 'enforce' })).toEqual(nothing);
  });

  it("have names in the form of a certificate's own", () => {
    const texts: ConstrainedNames = {
      uri: ['example.com', '.URI.example'],
      dns: ['Example.COM', '.example.net', '_sip.example', 'com', 'xn--strae-oqa.example'],
      email: ['Alice@Example.COM', 'example.com', '.Example.net'],
      ip: ['10.0.0.0/8', '0.0.0.0/0', '192.0.2.1/32', '192.0.2.128/25', '2001:DB8::/32', '::/0', '2001:db8::1/128'],
      directory: ['O=Partner,C=NL', 'CN=Straße'],
    };
    const fields = {
      uris: texts.uri ?? [],
      dnsNames: texts.dns ?? [],
      emails: texts.email ?? [],
      ipAddresses: (texts.ip ?? []).map((one) => one.toLowerCase()),
      directoryNames: ['C=NL,O=Partner', 'CN=Straße'],
    };
    const { names } = resolveConstraints({ permittedNames: texts, excludedNames: texts });
    const expected = decoded({ permitted: fields, excluded: fields });
    const sorted = (subtrees: NameConstraints['permitted'] = []): string[] => {
      return subtrees.map((subtree) => JSON.stringify(subtree)).toSorted();
    };
    expect(sorted(names?.permitted)).toEqual(sorted(expected?.permitted));
    expect(sorted(names?.excluded)).toEqual(sorted(expected?.excluded));
    // Excluded names are folded further than permitted ones.
    expect(JSON.stringify(names?.permitted)).toContain('straße');
    expect(JSON.stringify(names?.excluded)).toContain('strasse');
  });

  it('exclude every name of a kind by the empty text', () => {
    const { names } = resolveConstraints({ excludedNames: { dns: [''], email: [''], uri: [''], directory: [''] } });
    expect(names).toEqual({
      permitted: [],
      excluded: [
        { type: 'dns', value: '' },
        { type: 'email', value: '' },
        { type: 'uri', value: '' },
        { type: 'directory', rdns: [] },
      ],
    });
  });

  it.each<readonly [readonly string[], readonly string[]]>([
    [['clientAuth'], ['1.3.6.1.5.5.7.3.2']],
    [
      ['serverAuth', 'clientAuth'],
      ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'],
    ],
    [['1.3.6.1.5.5.7.3.2'], ['1.3.6.1.5.5.7.3.2']],
    [
      ['2.5.29.37.0', '2.25.340282366920938463463374607431768211455'],
      ['2.5.29.37.0', '2.25.340282366920938463463374607431768211455'],
    ],
  ])('have the purposes %j as certificates have them', (extKeyUsage, dotted) => {
    const contents = dotted.map((one) => der.oid(one).toString('latin1', 2));
    expect(resolveConstraints({ extKeyUsage }).extKeyUsage).toEqual(contents);
  });

  it.each([0, 1, 20])('take a path length of %i', (maxPathLength) => {
    expect(resolveConstraints({ maxPathLength }).maxPathLength).toBe(maxPathLength);
  });

  it('end at a date, or never', () => {
    expect(resolveConstraints({ expiry: TEST_TIME }).notAfter).toBe(TEST_TIME.getTime());
    expect(resolveConstraints({ expiry: 'ignore' }).notAfter).toBe(Infinity);
  });

  it('do not change when what they were made of does', () => {
    const expiry = new Date(TEST_TIME);
    const extKeyUsage = ['clientAuth'];
    const dns = ['example.com'];
    const permittedNames = { dns };
    const constraints = { permittedNames, extKeyUsage, expiry, maxPathLength: 1 };
    const resolved = resolveConstraints(constraints);
    const before = structuredClone(resolved);
    dns.push('example.net');
    dns[0] = 'example.org';
    Object.assign(permittedNames, { uri: ['example.com'] });
    extKeyUsage.push('serverAuth');
    expiry.setFullYear(2100);
    constraints.maxPathLength = 20;
    expect(resolved).toEqual(before);
    expect(Object.isFrozen(resolved)).toBe(true);
  });
});

describe('constraints that are none', () => {
  const list = 'must be a non-empty array of strings; it received';
  it.each<[string, unknown, string]>([
    ['no object', null, 'constraints takes an options object; it received null.'],
    ['an unknown option', { maxPathlength: 1 }, 'Did you mean `maxPathLength`?'],
    [
      'names that are no object',
      { permittedNames: ['example.com'] },
      'constraints.permittedNames takes an options object',
    ],
    ['names that are null', { excludedNames: null }, 'constraints.excludedNames takes an options object'],
    ['an unknown kind of name', { permittedNames: { DNS: ['a.example'] } }, 'Did you mean `dns`?'],
    ['a kind of name of another option', { permittedNames: { uris: ['a.example'] } }, 'unknown option, `uris`'],
    [
      'no names',
      { permittedNames: {} },
      'constraints.permittedNames lists no names. Leave it out, or give at least one of',
    ],
    ['no names of any kind', { excludedNames: { dns: undefined } }, 'constraints.excludedNames lists no names.'],
    [
      'an empty list',
      { permittedNames: { dns: [] } },
      `constraints.permittedNames.dns ${list} an empty array. Leave it out`,
    ],
    [
      'an empty list of exclusions',
      { excludedNames: { ip: [] } },
      `constraints.excludedNames.ip ${list} an empty array.`,
    ],
    ['a list of null', { permittedNames: { dns: null } }, `constraints.permittedNames.dns ${list} null.`],
    [
      'a text in place of a list',
      { permittedNames: { dns: 'a.example' } },
      `constraints.permittedNames.dns ${list} a string.`,
    ],
    [
      'a number among names',
      { permittedNames: { dns: ['a', 1] } },
      'constraints.permittedNames.dns[1] must be a string; it received 1.',
    ],
    [
      'nothing among names',
      { permittedNames: { dns: [undefined, 'a'] } },
      'constraints.permittedNames.dns[0] must be a string; it received undefined.',
    ],
    [
      'a permitted name that is every name',
      { permittedNames: { dns: ['a', ''] } },
      'constraints.permittedNames.dns[1] is empty and would permit every name.',
    ],
    [
      'a permitted subject that is every subject',
      { permittedNames: { directory: [''] } },
      'constraints.permittedNames.directory[0] is empty and would permit every name.',
    ],
    ['no purposes', { extKeyUsage: [] }, `constraints.extKeyUsage ${list} an empty array.`],
    ['a purpose that is no list', { extKeyUsage: 'clientAuth' }, `constraints.extKeyUsage ${list} a string.`],
    ['a purpose that is no text', { extKeyUsage: [1] }, 'constraints.extKeyUsage[0] must be a string; it received 1.'],
    [
      'an expiry in milliseconds',
      { expiry: TEST_TIME.getTime() },
      "constraints.expiry must be 'enforce', 'ignore' or a valid Date.",
    ],
    ['an expiry as text', { expiry: '2030-01-01' }, "constraints.expiry must be 'enforce', 'ignore' or a valid Date."],
    ['an expiry of null', { expiry: null }, "constraints.expiry must be 'enforce', 'ignore' or a valid Date."],
    [
      'a date that is none',
      { expiry: new Date(Number.NaN) },
      "constraints.expiry must be 'enforce', 'ignore' or a valid Date.",
    ],
  ])('are refused: %s', (_, constraints, message) => {
    expect(() => resolve(constraints as object)).toThrow(TypeError);
    expect(() => resolve(constraints as object)).toThrow(message);
  });

  it.each(['codeSigning', 'clientauth', 'constructor', '', '1.40', '1', '1.3.6.1.5.5.7.3.2 '])(
    'are refused: the purpose %j',
    (purpose) => {
      expect(() => resolveConstraints({ extKeyUsage: ['clientAuth', purpose] })).toThrow(
        new TypeError(
          `constraints.extKeyUsage[1], \`${purpose}\`, must be 'clientAuth', 'serverAuth' or a dotted OID.`,
        ),
      );
    },
  );

  it.each([-1, 21, 1.5, Number.NaN, Infinity, '1', null])('are refused: a path length of %p', (maxPathLength) => {
    expect(() => resolve({ maxPathLength })).toThrow(RangeError);
    expect(() => resolve({ maxPathLength })).toThrow('constraints.maxPathLength must be an integer from 0 to 20;');
  });

  it.each<[keyof ConstrainedNames, string, string]>([
    [
      'dns',
      '*.example.com',
      'a host name: `example.com` with every host below it, `.example.com` for those below only',
    ],
    ['uri', 'https://example.com', 'the host name of URIs: `example.com`, or `.example.com` for the hosts below'],
    ['ip', '10.0.0.1', 'an address with its prefix length: `10.0.0.0/8`, `2001:db8::/32`'],
    [
      'email',
      'Alice <alice@example.com>',
      'a mailbox, `alice@example.com`, or a host name: `example.com`, `.example.com` for the hosts below',
    ],
  ])('of the kind %s say what they must be', (kind, text, must) => {
    const message = `constraints.excludedNames.${kind}[0], \`${text}\`, must be ${must}.`;
    expect(() => resolveConstraints({ excludedNames: { [kind]: [text] } })).toThrow(new TypeError(message));
  });

  it.each<[keyof ConstrainedNames, readonly string[]]>([
    // With a Kelvin sign and a long s, which fold into ASCII for some.
    [
      'dns',
      [' example.com', 'example.com.', '..example.com', '-a.example', 'exa mple', 'straße.example', '\u212a.example'],
    ],
    [
      'dns',
      ['\u017f.example', 'example.com\n', '192.0.2.1', '10', '.', 'a@example.com', 'example.com:443', '2001:db8::1'],
    ],
    ['uri', ['spiffe://example.com/a', 'example.com/', '192.0.2.1', '[2001:db8::1]', '*.example.com', 'urn:a', '//a']],
    ['email', ['@example.com', 'a@', 'a@.example.com', '"a"@example.com', 'a b@example.com', 'a@b@example.com']],
    ['email', ['a@192.0.2.1', 'a@[192.0.2.1]', 'ä@example.com', '*@example.com', 'mailto:a@example.com']],
    ['ip', ['10.0.0.0', '10.0.0.0/', '10.0.0.0/33', '10.0.0.0/08', '10.0.0.0/-1', '10.0.0.0/255.0.0.0', '10.0.0/8']],
    [
      'ip',
      ['010.0.0.0/8', '0x0a.0.0.0/8', '10.0.0.0/8/8', ' 10.0.0.0/8', '10.0.0.0/8\n', '10.0.0.0 /8', 'a/8', '/8', ''],
    ],
    [
      'ip',
      [
        '2001:db8::/129',
        '2001:db8::',
        'fe80::%eth0/10',
        '::ffff:10.0.0.0/104',
        '::10.0.0.0/128',
        '::ffff:10.0.0.0/128',
        '::10.0.0.0/128',
        '::ffff:10.0.0.0/128',
        '[2001:db8::]/32',
        '::1::/8',
        ':/8',
      ],
    ],
    ['directory', ['O=Partner, C=NL', '/C=NL/O=Partner', 'Partner', 'FOO=a', 'O=\\C3']],
  ])('of the kind %s are refused: %j', (kind, texts) => {
    for (const text of texts) {
      for (const names of ['permittedNames', 'excludedNames'] as const) {
        expect(() => resolveConstraints({ [names]: { [kind]: [text] } })).toThrow(TypeError);
      }
    }
  });

  it.each([
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['192.0.2.129/25', '192.0.2.128/25'],
    ['0.0.0.1/0', '0.0.0.0/0'],
    ['2001:db8:0:1::1/64', '2001:db8:0:1::/64'],
    ['::1/127', '::/127'],
  ])('are refused with bits beyond the prefix: %s', (text, meant) => {
    const what = `constraints.permittedNames.ip[0], \`${text}\`,`;
    expect(() => resolveConstraints({ permittedNames: { ip: [text] } })).toThrow(
      new TypeError(`${what} has bits set beyond its prefix length. Write \`${meant}\`, if that is meant.`),
    );
  });

  it('are refused from 4,097 names on', () => {
    const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `host-${index}.example`);
    expect(resolveConstraints({ excludedNames: { dns: names(4_000), uri: names(96) } }).names?.excluded).toHaveLength(
      4_096,
    );
    expect(() => resolveConstraints({ excludedNames: { dns: names(4_000), uri: names(97) } })).toThrow(
      new RangeError('constraints.excludedNames lists 4097 names; it takes 4096 at most.'),
    );
  });

  it.each(['dns', 'directory', 'expiry', 'permittedNames'])(
    'are refused where Object.prototype has `%s`, which all would inherit',
    (name) => {
      // oxlint-disable-next-line no-extend-native -- pollution is what is meant
      Object.defineProperty(Object.prototype, name, { value: undefined, configurable: true });
      try {
        expect(() => resolveConstraints({ permittedNames: { uri: ['example.com'] } })).toThrow(
          `would inherit \`${name}\` from Object.prototype`,
        );
      } finally {
        delete (Object.prototype as Record<string, unknown>)[name];
      }
    },
  );

  it('make no store', () => {
    const anchor = createAuthority();
    expect(() => TrustStore.fromDer([anchor.der], { constraints: { maxPathLength: 21 } })).toThrow(RangeError);
    expect(() => TrustStore.fromPem(anchor.pem, { constraints: { permittedNames: { dns: [] } } })).toThrow(TypeError);
  });
});
