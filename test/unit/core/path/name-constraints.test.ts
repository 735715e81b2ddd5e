import {
  createAuthority,
  der,
  type DistinguishedName,
  encodeName,
  type ExtensionFields,
  generateKey,
  type GeneralNameFields,
} from '@peercert/testkit';
import { isRefusal } from '../../../../packages/core/src/errors';
import { maxNameComparisons, NameConstraintChecker } from '../../../../packages/core/src/path/name-constraints';
import type { ValidationRules } from '../../../../packages/core/src/path/rules';
import { Certificate } from '../../../../packages/core/src/x509/certificate';
import { hex } from '../../../support/encodings';
import { seededRandom } from '../../../support/random';
import { search } from '../../../support/search';
import { validate } from '../../../support/validate';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const key = generateKey();
const root = createAuthority({ subject: 'CN=Root', key });

const text = (tagNumber: number, value: string): Buffer => der.implicit(tagNumber, Buffer.from(value, 'latin1'));
const email = (value: string): Buffer => text(1, value);
const dns = (value: string): Buffer => text(2, value);
const uri = (value: string): Buffer => text(6, value);
const ip = (octets: string): Buffer => der.implicit(7, hex(octets));
const directory = (name: DistinguishedName): Buffer => der.explicit(4, encodeName(name));
/** Text in four octets a character. */
const universal = (value: string): Buffer => {
  return der.tlv(0x1c, Buffer.concat(Array.from(value, (one) => Buffer.of(0, 0, 0, one.charCodeAt(0)))));
};
const generalString = (value: string): Buffer => der.tlv(0x1b, Buffer.from(value, 'latin1'));
const otherName = (oid: string, value: Uint8Array): Buffer => der.explicit(0, der.oid(oid), der.explicit(0, value));

/** nameConstraints of any subtrees. */
function constraints(
  permitted: readonly Uint8Array[],
  excluded: readonly Uint8Array[] = [],
  critical = true,
): Pick<ExtensionFields, 'extensions'> {
  const list = (number: number, bases: readonly Uint8Array[]): Buffer[] =>
    bases.length === 0 ? [] : [der.explicit(number, ...bases.map((base) => der.sequence(base)))];
  const value = der.sequence(...list(0, permitted), ...list(1, excluded));
  return { extensions: [{ oid: '2.5.29.30', critical, value }] };
}

interface Named {
  readonly subject?: DistinguishedName;
  readonly names?: readonly Uint8Array[];
}

/** What nobody looks at here is not made: the checker verifies no signature. */
const unsigned = {
  key,
  subjectKeyIdentifier: 'absent',
  authorityKeyIdentifier: 'absent',
  raw: { signatureValue: der.bitString(Buffer.alloc(70)) },
} as const;

/** An end-entity certificate of these names and no others. */
function named({ subject = '', names = [] }: Named): Certificate {
  const subjectAltName = names.length === 0 ? {} : { subjectAltName: der.sequence(...names) };
  return new Certificate(root.issue({ ...unsigned, subject, ...subjectAltName }).der);
}

/** Whether an anchor with these subtrees permits the names: `'accepted'`, or the form of name that is refused. */
function verdict(
  permitted: readonly Uint8Array[],
  excluded: readonly Uint8Array[],
  certificate: Certificate,
  rules?: ValidationRules,
): string {
  const anchor = new Certificate(createAuthority({ ...unsigned, ...constraints(permitted, excluded) }).der);
  try {
    new NameConstraintChecker().check([certificate], anchor, rules);
    return 'accepted';
  } catch (error) {
    if (!isRefusal(error, 'ERR_CERTIFICATE_NAME_NOT_PERMITTED')) throw error;
    return error.details.type;
  }
}

/** Where names stand to a subtree: `'neither'` is refused whether it is permitted or excluded. */
function standing(subtree: Uint8Array, names: Named, rules?: ValidationRules): string {
  const certificate = named(names);
  const isPermitted = verdict([subtree], [], certificate, rules) === 'accepted';
  const isExcluded = verdict([], [subtree], certificate, rules) !== 'accepted';
  if (isPermitted) return isExcluded ? 'inside' : 'unconstrained';
  return isExcluded ? 'neither' : 'outside';
}

type Row = readonly [name: string, subtree: string, expected: 'inside' | 'outside' | 'neither'];

describe('a host name', () => {
  it.each<Row>([
    ['example.com', 'example.com', 'inside'],
    ['a.example.com', 'example.com', 'inside'],
    ['a.b.c.example.com', 'example.com', 'inside'],
    ['example.com', 'com', 'inside'],
    ['EXAMPLE.Com', 'example.com', 'inside'],
    ['example.com', 'Example.COM', 'inside'],
    ['anything', '', 'inside'],
    ['notexample.com', 'example.com', 'outside'],
    ['not-example.com', 'example.com', 'outside'],
    ['example.com.evil', 'example.com', 'outside'],
    ['com', 'example.com', 'outside'],
    ['a.example.com', '.example.com', 'inside'],
    ['a.b.example.com', '.example.com', 'inside'],
    ['example.com', '.example.com', 'outside'],
    ['xexample.com', '.example.com', 'outside'],
    ['xn--bcher-kva.example', 'example', 'inside'],
    ['XN--BCHER-KVA.example', 'xn--bcher-kva.example', 'inside'],
    ['www.xn--bcher-kva.example', 'xn--bcher-kva.example', 'inside'],
    ['bcher.example', 'xn--bcher-kva.example', 'outside'],
    ['_sip._tcp.example.com', 'example.com', 'inside'],
    ['192.0.2.1', '2.1', 'inside'],
    // Names no host has: whoever reads them may take them for anything.
    // RFC 5280 section 4.2.1.6: preferred name syntax (RFC 1034 section 3.5), which ends in a letter or digit.
    ['example.com.', 'example.com', 'neither'],
    ['a.example.com.', 'example.com', 'neither'],
    ['example.org.', 'example.com', 'neither'],
    ['example.com.', '', 'neither'],
    ['example.com..', 'example.com', 'neither'],
    ['.example.com', 'example.com', 'neither'],
    ['a..example.com', 'example.com', 'neither'],
    ['.', 'example.com', 'neither'],
    [' example.com', 'example.com', 'neither'],
    ['example.com ', 'example.com', 'neither'],
    ['example.com:443', 'example.com', 'neither'],
    ['example.com/a', 'example.com', 'neither'],
    ['a@example.com', 'example.com', 'neither'],
    ['evil\\.example.com', 'example.com', 'neither'],
    ['evil\n.example.com', 'example.com', 'neither'],
    ['%65xample.com', 'com', 'neither'],
    ['evil\t', '', 'neither'],
  ])('PA-08: %j stands to the subtree %j: %s', (name, subtree, expected) => {
    expect(standing(dns(subtree), { names: [dns(name)] })).toBe(expected);
  });

  it('PA-08: is excluded in any case', () => {
    expect(verdict([], [dns('Evil.example')], named({ names: [dns('EVIL.EXAMPLE')] }))).toBe('dns');
    expect(verdict([], [dns('EVIL.example')], named({ names: [dns('a.evil.eXample')] }))).toBe('dns');
  });

  it.each<Row>([
    ['*.example.com', 'example.com', 'inside'],
    ['*.example.com', '.example.com', 'inside'],
    ['*.Example.com', 'example.com', 'inside'],
    ['*.a.example.com', 'example.com', 'inside'],
    ['*.example.com', '', 'inside'],
    ['*.example.org', 'example.com', 'outside'],
    ['*.notexample.com', 'example.com', 'outside'],
    // Some of the names it stands for, and not all of them.
    ['*.example.com', 'bad.example.com', 'neither'],
    ['*.example.com', '.bad.example.com', 'neither'],
    ['*.com', 'example.com', 'neither'],
    // Names that not everybody reads alike.
    ['*', 'example.com', 'neither'],
    ['*.', 'example.com', 'neither'],
    ['*.example.com.', 'example.com', 'neither'],
    ['*.*.example.com', 'example.com', 'neither'],
    ['a*.example.com', 'example.com', 'neither'],
    ['*a.example.com', 'example.com', 'neither'],
    ['a.*.example.com', 'example.com', 'neither'],
    ['**.example.com', 'example.com', 'neither'],
  ])('PA-08: with a wildcard, %j stands to the subtree %j: %s', (name, subtree, expected) => {
    expect(standing(dns(subtree), { names: [dns(name)] })).toBe(expected);
  });
});

describe('a common name', () => {
  it.each<Row>([
    ['example.com', 'example.com', 'inside'],
    ['A.Example.com', 'example.com', 'inside'],
    ['*.example.com', 'example.com', 'inside'],
    ['evil.example', 'example.com', 'outside'],
    ['*.evil.example', 'example.com', 'outside'],
    ['*.com', 'example.com', 'neither'],
    ['victim.ex\u00e4mple', 'example.com', 'neither'],
    // The Kelvin sign is not the letter k, whatever it becomes in lower case.
    ['\u212a.example', 'k.example', 'neither'],
    ['\uff45xample.com', 'example.com', 'neither'],
    ['evil\u3002example', 'example.com', 'neither'],
    ['evil\uff0eexample', 'example.com', 'neither'],
    ['evil\uff61example', 'example.com', 'neither'],
    ['evil.exam\u200bple', 'example.com', 'neither'],
    ['evil.example\0.example.com', 'example.com', 'neither'],
    ['evil.example\0', 'example.com', 'neither'],
    [' evil.example', 'example.com', 'neither'],
    ['evil.example ', 'example.com', 'neither'],
    ['\ufeffevil.example', 'example.com', 'neither'],
    ['a..example.com', 'example.com', 'neither'],
    ['.evil.example', 'example.com', 'neither'],
    ['a.example.com.', 'example.com', 'neither'],
  ])('PA-11: that looks like a host is one where there is no dNSName: %j in %j: %s', (name, subtree, expected) => {
    const subject = [{ type: 'CN', value: name }];
    expect(standing(dns(subtree), { subject })).toBe(expected);
    expect(standing(dns(subtree), { subject, names: [email('a@b')] })).toBe(expected);
  });

  it('PA-11: in a BMPString is the same text', () => {
    const subject = [{ type: 'CN', value: 'evil.example', as: 'bmpString' as const }];
    expect(standing(dns('example.com'), { subject })).toBe('outside');
  });

  it.each<readonly [string, Buffer, 'inside' | 'outside' | 'neither' | 'unconstrained']>([
    ['a UniversalString within', universal('a.example.com'), 'inside'],
    ['a UniversalString elsewhere', universal('evil.example'), 'outside'],
    ['a UniversalString with NUL', universal('evil\0'), 'neither'],
    ['a UniversalString that is no host', universal('Jane Doe'), 'unconstrained'],
    ['a GeneralString elsewhere', generalString('evil.example'), 'outside'],
    ['a BIT STRING, which is no text', der.bitString(Buffer.from('evil.example')), 'neither'],
    ['an INTEGER, which is no text', der.integer(5), 'neither'],
  ])('PA-11: is judged as %s (RFC 5280 section 4.2.1.10, docs/decisions/0014)', (_, value, expected) => {
    expect(standing(dns('example.com'), { subject: [{ type: 'CN', value }] })).toBe(expected);
  });

  it('PA-11: is looked for in every RDN', () => {
    const subject = [
      { type: 'CN', value: 'a.example.com' },
      [
        { type: 'O', value: 'x' },
        { type: 'CN', value: 'evil.example' },
      ],
    ];
    expect(standing(dns('example.com'), { subject })).toBe('neither');
  });

  it.each([
    'Jane Doe',
    'client',
    'Example Inc.',
    'a b.example.com',
    'jane@evil.example',
    'urn:evil.example',
    'a/b.c',
    '',
  ])('PA-11: that does not look like a host is none: %j', (name) => {
    expect(standing(dns('example.com'), { subject: [{ type: 'CN', value: name }] })).toBe('unconstrained');
  });

  it('PA-11: is no host where there is a dNSName', () => {
    const names = [dns('a.example.com')];
    expect(standing(dns('example.com'), { subject: 'CN=evil.example', names })).toBe('inside');
  });

  it('is no host with rules.commonNameHosts "ignore"', () => {
    const rules: ValidationRules = { commonNameHosts: 'ignore' };
    expect(standing(dns('example.com'), { subject: 'CN=evil.example' }, rules)).toBe('unconstrained');
  });

  it('PA-11: of 15,000 characters is judged like any other', () => {
    const subject = [{ type: 'CN', value: `${'a.'.repeat(7_500)} ` }];
    expect(standing(dns('example.com'), { subject })).toBe('neither');
  });
});

describe('a mailbox', () => {
  it.each<Row>([
    ['ann@example.com', 'ann@example.com', 'inside'],
    ['ann@EXAMPLE.com', 'ann@example.COM', 'inside'],
    ['Ann@example.com', 'ann@example.com', 'outside'],
    ['bob@example.com', 'ann@example.com', 'outside'],
    ['ann@a.example.com', 'ann@example.com', 'outside'],
    ['ann@example.com', 'example.com', 'inside'],
    ['ann@EXAMPLE.COM', 'example.com', 'inside'],
    ['ann@a.example.com', 'example.com', 'outside'],
    ['ann@notexample.com', 'example.com', 'outside'],
    ['ann@a.example.com', '.example.com', 'inside'],
    ['ann@a.b.example.com', '.example.com', 'inside'],
    ['ann@example.com', '.example.com', 'outside'],
    ['ann@notexample.com', '.example.com', 'outside'],
    ['ann@anywhere', '', 'inside'],
    ['a.b+c_d-e=f@example.com', 'example.com', 'inside'],
    ['example.com@evil.example', 'example.com', 'outside'],
    // What is no mailbox, or more than one to different readers.
    ['example.com', 'example.com', 'neither'],
    ['@example.com', 'example.com', 'neither'],
    ['ann@', 'example.com', 'neither'],
    ['ann@example.com.', 'example.com', 'neither'],
    ['ann@victim.example@example.com', 'example.com', 'neither'],
    ['"ann"@example.com', 'ann@example.com', 'neither'],
    ['"ann@victim.example"@example.com', 'example.com', 'neither'],
    ['ann@[192.0.2.1]', 'example.com', 'neither'],
    ['ann@example.com>', 'example.com', 'neither'],
    ['<ann@example.com>', 'example.com', 'neither'],
    ['Ann <ann@example.com>', 'example.com', 'neither'],
    ['ann bob@example.com', 'example.com', 'neither'],
    ['ann,bob@example.com', 'example.com', 'neither'],
    ['ann@example.com\nBcc: b@c', 'example.com', 'neither'],
    ['ann@*.example.com', '.example.com', 'neither'],
    ['ann@evil%2eexample', 'example.com', 'neither'],
    ['not a mailbox', '', 'neither'],
  ])('PA-09: %j stands to the subtree %j: %s', (name, subtree, expected) => {
    expect(standing(email(subtree), { names: [email(name)] })).toBe(expected);
  });

  it('PA-09: is held to both of two subtrees of one local part', () => {
    const both = [email('ann@a.example'), email('ann@b.example')];
    for (const [name, expected] of [
      ['ann@a.example', 'accepted'],
      ['ann@b.example', 'accepted'],
      ['ann@c.example', 'email'],
    ] as const) {
      expect(verdict(both, [], named({ names: [email(name)] }))).toBe(expected);
      expect(verdict([], both, named({ names: [email(name)] }))).toBe(expected === 'accepted' ? 'email' : 'accepted');
    }
  });

  it('PA-11: in the subject counts as one in the subjectAltName', () => {
    const mailbox = (value: string | Uint8Array): DistinguishedName => [{ type: 'emailAddress', value }];
    expect(standing(email('example.com'), { subject: mailbox('a@example.com') })).toBe('inside');
    expect(standing(email('example.com'), { subject: mailbox('a@evil.example') })).toBe('outside');
    expect(
      standing(email('example.com'), { subject: mailbox('a@evil.example'), names: [email('a@example.com')] }),
    ).toBe('neither');
    expect(standing(email('k.example'), { subject: mailbox(der.utf8String('a@\u212a.example')) })).toBe('neither');
    expect(standing(email('k.example'), { subject: mailbox(der.utf8String('\u00e4@k.example')) })).toBe('neither');
    expect(standing(email('k.example'), { subject: mailbox(der.integer(5)) })).toBe('neither');
    expect(standing(email('k.example'), { subject: mailbox('a@k.example\0') })).toBe('neither');
  });

  it('outside ASCII, SmtpUTF8Mailbox, is one and cannot be compared (RFC 9598 section 6)', () => {
    const names = [otherName('1.3.6.1.5.5.7.8.9', der.utf8String('\u00e4@example.com'))];
    expect(standing(email('example.com'), { names })).toBe('neither');
    expect(standing(dns('example.com'), { names })).toBe('unconstrained');
  });
});

describe('a URI', () => {
  it.each<Row>([
    ['https://example.com', 'example.com', 'inside'],
    ['https://example.com/', 'example.com', 'inside'],
    ['https://EXAMPLE.com/a?b#c', 'Example.com', 'inside'],
    ['HTTPS://example.com.', 'example.com', 'inside'],
    ['https://example.com:443/a', 'example.com', 'inside'],
    ['https://example.com:', 'example.com', 'inside'],
    ['https://ann:secret@example.com:443/a', 'example.com', 'inside'],
    ['https://example.com?a@evil.example', 'example.com', 'inside'],
    ['https://example.com#@evil.example', 'example.com', 'inside'],
    ['https://example.com/@evil.example', 'example.com', 'inside'],
    ['spiffe://example.com/service', 'example.com', 'inside'],
    ['a+b-c.d://example.com', 'example.com', 'inside'],
    ['https://a.example.com', 'example.com', 'outside'],
    ['https://a.example.com', '.example.com', 'inside'],
    ['https://a.b.example.com', '.example.com', 'inside'],
    ['https://example.com', '.example.com', 'outside'],
    ['https://notexample.com', '.example.com', 'outside'],
    ['https://example.com@evil.example', 'example.com', 'outside'],
    ['https://example.com:443@evil.example', 'example.com', 'outside'],
    ['https://example.com%40evil.example@evil.example', 'example.com', 'outside'],
    ['https://anything', '', 'inside'],
    // No host name that everybody would read alike (RFC 5280 section 4.2.1.10 wants these rejected).
    ['urn:example:a', 'example', 'neither'],
    ['example.com', 'example.com', 'neither'],
    ['//example.com', 'example.com', 'neither'],
    ['https:example.com', 'example.com', 'neither'],
    ['https:/example.com', 'example.com', 'neither'],
    ['https:///example.com', 'example.com', 'neither'],
    ['https://', 'example.com', 'neither'],
    ['https://@', 'example.com', 'neither'],
    ['https://:443', 'example.com', 'neither'],
    ['https://192.0.2.1/', 'example.com', 'neither'],
    ['https://[2001:db8::1]/', 'example.com', 'neither'],
    ['https://[fe80::1%25eth0]/', 'example.com', 'neither'],
    ['https://[fe80::1%25.example.com]/', '.example.com', 'neither'],
    ['https://[::1].example.com/', '.example.com', 'neither'],
    ['https://evil.example\\@example.com', 'example.com', 'neither'],
    ['https://evil.example\\.example.com', '.example.com', 'neither'],
    ['https://evil.example\t@example.com', 'example.com', 'neither'],
    ['https://a@evil.example@example.com', 'example.com', 'neither'],
    ['https://exam\nple.com', 'example.com', 'neither'],
    ['https://ex%61mple.com', 'example.com', 'neither'],
    ['https://*.example.com', '.example.com', 'neither'],
    ['https://example.com:80:90', 'example.com', 'neither'],
    ['https://example.com:x', 'example.com', 'neither'],
    ['https://example.com..', 'example.com', 'neither'],
    [' https://example.com', 'example.com', 'neither'],
    ['https://example.com ', 'example.com', 'neither'],
    ['9https://example.com', 'example.com', 'neither'],
    ['urn:a', '', 'neither'],
  ])('PA-10: %j stands to the subtree %j: %s', (name, subtree, expected) => {
    expect(standing(uri(subtree), { names: [uri(name)] })).toBe(expected);
  });

  it('PA-10: is never held to have a host that Node reads otherwise', () => {
    const hosts = ['example.com', 'evil.example'];
    const pieces = [...hosts, '@', ':', '/', '\\', '?', '#', '.', '[', ']', '%', '%40', '443', '\t', ';', '&', '::1'];
    const random = seededRandom(6);
    const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
    for (let run = 0; run < 400; run++) {
      const name = `https://${Array.from({ length: 1 + Math.floor(random() * 5) }, () => pick(pieces)).join('')}`;
      const where = standing(uri('example.com'), { names: [uri(name)] });
      if (where === 'neither') continue;
      const host = new URL(name).hostname.replace(/\.$/, '');
      expect([name, where]).toEqual([name, host === 'example.com' ? 'inside' : 'outside']);
    }
  });
});

describe('an address', () => {
  const v6 = (text6: string): string => text6.padEnd(32, '0');

  it.each<readonly [string, string, string, string, 'inside' | 'outside']>([
    ['10.1.2.3', '0a010203', '10.0.0.0/8', '0a000000 ff000000', 'inside'],
    ['11.1.2.3', '0b010203', '10.0.0.0/8', '0a000000 ff000000', 'outside'],
    ['10.1.2.3', '0a010203', '10.9.9.9/8', '0a090909 ff000000', 'inside'],
    ['10.127.255.255', '0a7fffff', '10.0.0.0/9', '0a000000 ff800000', 'inside'],
    ['10.128.0.0', '0a800000', '10.0.0.0/9', '0a000000 ff800000', 'outside'],
    ['10.1.2.3', '0a010203', '10.1.2.3/32', '0a010203 ffffffff', 'inside'],
    ['10.1.2.2', '0a010202', '10.1.2.3/32', '0a010203 ffffffff', 'outside'],
    ['255.255.255.255', 'ffffffff', '0.0.0.0/0', '00000000 00000000', 'inside'],
    ['2001:db8::1', `20010db8${'0'.repeat(22)}01`, '2001:db8::/32', `${v6('20010db8')} ${v6('ffffffff')}`, 'inside'],
    ['2001:db9::1', `20010db9${'0'.repeat(22)}01`, '2001:db8::/32', `${v6('20010db8')} ${v6('ffffffff')}`, 'outside'],
    ['2001:db8::1', `20010db8${'0'.repeat(22)}01`, '::/0', `${v6('')} ${v6('')}`, 'inside'],
    // Another version is another kind of address, mapped or not.
    ['::ffff:10.1.2.3', `${'0'.repeat(20)}ffff0a010203`, '10.0.0.0/8', '0a000000 ff000000', 'outside'],
    ['10.1.2.3', '0a010203', '::/0', `${v6('')} ${v6('')}`, 'outside'],
    ['2001:db8::1', `20010db8${'0'.repeat(22)}01`, '0.0.0.0/0', '00000000 00000000', 'outside'],
  ])('PA-10: %s (%s) stands to %s (%s): %s', (_, address, __, subtree, expected) => {
    expect(standing(ip(subtree), { names: [ip(address)] })).toBe(expected);
  });

  it('PA-10: of any octets is inside exactly the networks its bits are in', () => {
    const random = seededRandom(7);
    for (let run = 0; run < 200; run++) {
      const octets = random() < 0.5 ? 4 : 16;
      // Mostly zeros, so that the text of version 6 is shortened here and there.
      const address = Buffer.from(
        Array.from({ length: octets }, () => (random() < 0.6 ? 0 : Math.floor(random() * 256))),
      );
      const length = Math.floor(random() * (octets * 8 + 1));
      const mask = Buffer.from(
        Array.from({ length: octets }, (_, index) => (0xff00 >> Math.min(8, Math.max(0, length - index * 8))) & 0xff),
      );
      const base = Buffer.from(address);
      if (random() < 0.5) {
        const bit = Math.floor(random() * octets * 8);
        base.writeUInt8(base.readUInt8(bit >> 3) ^ (0x80 >> (bit & 7)), bit >> 3);
      }
      const isInside = address.every((octet, at) => ((octet ^ base.readUInt8(at)) & mask.readUInt8(at)) === 0);
      const subtree = der.implicit(7, Buffer.concat([base, mask]));
      expect(standing(subtree, { names: [der.implicit(7, address)] })).toBe(isInside ? 'inside' : 'outside');
    }
  });
});

describe('a directory name', () => {
  const o = (value: string | Uint8Array, as?: 'printableString' | 'bmpString' | 'teletexString'): DistinguishedName => [
    { type: 'C', value: 'DE' },
    { type: 'O', value, ...(as === undefined ? {} : { as }) },
  ];
  const rdn = (...attributes: readonly (readonly [string, string])[]) =>
    attributes.map(([type, value]) => ({ type, value }));

  it.each<readonly [string, DistinguishedName, DistinguishedName, string]>([
    ['the same', 'C=DE,O=Example', 'C=DE,O=Example', 'inside'],
    ['longer', 'C=DE,O=Example,CN=a', 'C=DE,O=Example', 'inside'],
    ['shorter', 'C=DE', 'C=DE,O=Example', 'outside'],
    ['another at its end', 'C=DE,O=Other', 'C=DE,O=Example', 'outside'],
    ['another at its start', 'C=FR,O=Example', 'C=DE,O=Example', 'outside'],
    ['the same RDNs in another order', 'O=Example,C=DE', 'C=DE,O=Example', 'outside'],
    ['the RDN further down only', 'C=DE,O=Example', 'O=Example', 'outside'],
    ['any, of the empty subtree', 'CN=a', '', 'inside'],
    ['a value that begins alike', 'C=DE,O=Example Evil', 'C=DE,O=Example', 'outside'],
    ['of another case', o('eXAMPLE'), o('Example'), 'inside'],
    ['of more space', o('  Example   Inc '), o('Example Inc'), 'inside'],
    ['of another string type', o('Example', 'printableString'), o('Example'), 'inside'],
    ['in a BMPString', o('Example', 'bmpString'), o('Example'), 'inside'],
    ['in a TeletexString', o('\u00c4', 'teletexString'), o('\u00e4'), 'inside'],
    ['of another attribute type', 'C=DE,OU=Example', 'C=DE,O=Example', 'outside'],
    ['of a value that is no text', o(der.integer(5)), o('Example'), 'outside'],
    ['of a value that spells the DER of another', o('#020105'), o(der.integer(5)), 'outside'],
    [
      'a multi-valued RDN of the same attributes',
      [rdn(['O', 'a'], ['OU', 'b']), rdn(['CN', 'c'])],
      [rdn(['OU', 'B'], ['O', 'A'])],
      'inside',
    ],
    ['a multi-valued RDN of one attribute more', [rdn(['O', 'a'], ['OU', 'b'])], [rdn(['O', 'a'])], 'outside'],
    ['a multi-valued RDN of one attribute less', [rdn(['O', 'a'])], [rdn(['O', 'a'], ['OU', 'b'])], 'outside'],
    ['two RDNs in place of one', 'O=a,OU=b', [rdn(['O', 'a'], ['OU', 'b'])], 'outside'],
    // Whatever anybody could take for an excluded name is excluded, and is no permitted one for all that.
    ['with a zero-width space', o('Exam\u200bple'), o('Example'), 'neither'],
    ['with a soft hyphen', o('Exam\u00adple'), o('Example'), 'neither'],
    ['with NUL', o('Example\0'), o('Example'), 'neither'],
    ['that folds to more letters', o('STRASSE'), o('Stra\u00dfe'), 'neither'],
    ['in full-width letters', o('\uff25xample'), o('Example'), 'inside'],
    // RFC 5280 section 7.1, 4.1.2.4: UniversalString is a DirectoryString as well. It is shown as DER, and never permitted.
    ['in a UniversalString', o(universal('Example')), o('Example'), 'neither'],
    ['of a subtree in a UniversalString', o('eXAMPLE'), o(universal('Example')), 'neither'],
    ['in a UniversalString of the subtree', o(universal('Example')), o(universal('Example')), 'inside'],
    ['in another UniversalString', o(universal('Evil')), o('Example'), 'outside'],
    ['in a UniversalString beyond Unicode', o(der.tlv(0x1c, hex('00110000'))), o('\ufffd'), 'neither'],
    ['in a GeneralString', o(generalString('Example')), o('Example'), 'neither'],
    ['in look-alikes of another script', o('\u0415xample'), o('Example'), 'outside'],
  ])('PA-11: %s: %s to %s is %s', (_, name, subtree, expected) => {
    expect(standing(directory(subtree), { subject: name })).toBe(expected);
    expect(standing(directory(subtree), { names: [directory(name)] })).toBe(expected);
  });

  it('PA-11: of the subject counts beside those of the subjectAltName', () => {
    const subject = 'C=DE,O=Example';
    expect(standing(directory('C=DE'), { subject, names: [directory('C=DE')] })).toBe('inside');
    expect(standing(directory('C=DE'), { subject, names: [directory('C=FR')] })).toBe('neither');
    expect(standing(directory('C=FR'), { subject, names: [directory('C=FR')] })).toBe('neither');
  });

  it('of an empty subject is none, and an empty one in the subjectAltName is in no subtree', () => {
    expect(standing(directory('C=DE'), { names: [dns('a.example')] })).toBe('unconstrained');
    expect(standing(directory(''), { names: [dns('a.example')] })).toBe('unconstrained');
    expect(standing(directory('C=DE'), { names: [directory('')] })).toBe('outside');
  });
});

describe('a form of name that cannot be compared', () => {
  const forms: [string, Buffer, Buffer, string][] = [
    [
      'otherName',
      der.explicit(0, der.oid('1.2.3'), der.explicit(0, der.null())),
      otherName('1.2.3', der.null()),
      'other',
    ],
    ['otherName of another type', otherName('1.2.4', der.null()), otherName('1.2.3', der.null()), 'other'],
    ['x400Address', der.explicit(3, der.sequence()), der.explicit(3, der.null()), 'x400'],
    ['ediPartyName', der.explicit(5, der.sequence()), der.explicit(5, der.null()), 'ediParty'],
    ['registeredID', der.implicit(8, hex('2a03')), der.implicit(8, hex('2a03')), 'registeredId'],
  ];

  it.each(forms)('PA-10: %s is refused where it is permitted and where it is excluded', (_, subtree, name, type) => {
    expect(verdict([subtree], [], named({ names: [name] }))).toBe(type);
    expect(verdict([], [subtree], named({ names: [name] }))).toBe(type);
    expect(verdict([subtree], [], named({ names: [dns('a.example'), name] }))).toBe(type);
  });

  it.each(forms)('PA-10: %s is refused by an extension that is not critical as well', (_, subtree, name, type) => {
    const issuer = createAuthority({ key, ...constraints([subtree], [], false) });
    const leaf = issuer.issue({ key, subjectAltName: der.sequence(name) });
    expect(search({ endEntity: leaf, anchors: [issuer] })).toBeRefusedWith('ERR_CERTIFICATE_NAME_NOT_PERMITTED', {
      depth: 0,
      type,
    });
  });

  it.each(forms)('%s leaves other names alone, and names of its form are free elsewhere', (_, subtree, name) => {
    const others = { subject: 'CN=a.example', names: [dns('a.example'), email('a@b'), uri('urn:a'), ip('0a000001')] };
    expect(standing(subtree, others)).toBe('unconstrained');
    expect(standing(dns('example.com'), { names: [name] })).toBe('unconstrained');
  });
});

describe('names of one form', () => {
  const one: Record<string, readonly [Buffer, Buffer]> = {
    dns: [dns('example.com'), dns('evil.example')],
    email: [email('example.com'), email('a@evil.example')],
    uri: [uri('example.com'), uri('https://evil.example')],
    ip: [ip('0a000000 ff000000'), ip('0b000000')],
    directory: [directory('O=Example'), directory('O=Evil')],
  };
  it.each(Object.keys(one))('PA-10: are not held to subtrees of another: %s', (form) => {
    const [subtree] = one[form] as readonly [Buffer, Buffer];
    const names = Object.entries(one).flatMap(([other, [, name]]) => (other === form ? [] : [name]));
    expect(standing(subtree, { names })).toBe('unconstrained');
  });

  it.each(Object.keys(one))('must all be permitted: %s', (form) => {
    const [subtree, bad] = one[form] as readonly [Buffer, Buffer];
    const good: Record<string, Buffer> = {
      dns: dns('a.example.com'),
      email: email('a@example.com'),
      uri: uri('https://example.com'),
      ip: ip('0a000001'),
      directory: directory('O=Example,CN=a'),
    };
    const names = [good[form] as Buffer, bad];
    expect(standing(subtree, { names })).toBe('neither');
    expect(standing(subtree, { names: names.toReversed() })).toBe('neither');
  });

  it('may lie in any of the permitted subtrees, and in none of the excluded', () => {
    const permitted = [dns('a.example'), dns('b.example')];
    const excluded = [dns('c.a.example'), dns('d.a.example')];
    for (const [name, expected] of [
      ['a.example', 'accepted'],
      ['x.b.example', 'accepted'],
      ['c.example', 'dns'],
      ['c.a.example', 'dns'],
      ['x.d.a.example', 'dns'],
      ['c.b.example', 'accepted'],
    ] as const) {
      expect([name, verdict(permitted, excluded, named({ names: [dns(name)] }))]).toEqual([name, expected]);
    }
  });

  it('are not constrained by an extension without subtrees', () => {
    expect(verdict([], [], named({ subject: 'CN=a.example', names: [dns('evil'), email('x')] }))).toBe('accepted');
  });
});

describe('a path', () => {
  const refusal = 'ERR_CERTIFICATE_NAME_NOT_PERMITTED';
  const fields = (permitted: GeneralNameFields, excluded: GeneralNameFields = {}): ExtensionFields => ({
    nameConstraints: { permitted, excluded },
  });
  const intermediate = (
    issuer: typeof root,
    subject: string | Buffer,
    more: ExtensionFields = {},
  ): ReturnType<typeof root.issueIntermediate> => issuer.issueIntermediate({ key: generateKey(), subject, ...more });

  it('is held to what every issuer permits, not to the nearest only', () => {
    const top = intermediate(root, 'CN=Top', fields({ dnsNames: ['example.com'] }));
    const wider = intermediate(top, 'CN=Wider', fields({ dnsNames: ['example.com', 'example.org'] }));
    const narrower = intermediate(wider, 'CN=Narrower', fields({ dnsNames: ['a.example.com', 'example.org'] }));
    const presented = [top, wider, narrower];
    for (const [name, expected] of [
      ['a.example.com', true],
      ['b.example.com', false],
      ['example.org', false],
    ] as const) {
      const { path } = search({ endEntity: narrower.issue({ dnsNames: [name] }), presented, anchors: [root] });
      expect([name, path !== undefined]).toEqual([name, expected]);
    }
  });

  it('is held to what any issuer excludes', () => {
    const top = intermediate(root, 'CN=Top', fields({}, { dnsNames: ['evil.example'] }));
    const low = intermediate(top, 'CN=Low', fields({ dnsNames: ['example'] }, { dnsNames: ['bad.example'] }));
    const presented = [top, low];
    for (const [name, expected] of [
      ['good.example', true],
      ['evil.example', false],
      ['a.bad.example', false],
    ] as const) {
      const { path } = search({ endEntity: low.issue({ dnsNames: [name] }), presented, anchors: [root] });
      expect([name, path !== undefined]).toEqual([name, expected]);
    }
  });

  it('is held to constraints of one form in one issuer and of another in the next', () => {
    const top = intermediate(root, 'CN=Top', fields({ dnsNames: ['example.com'] }));
    const low = intermediate(top, 'CN=Low', fields({ emails: ['example.com'] }));
    const query = { presented: [top, low], anchors: [root] };
    const good = low.issue({ dnsNames: ['a.example.com'], emails: ['a@example.com'] });
    expect(search({ endEntity: good, ...query }).path).toHaveLength(4);
    const badHost = low.issue({ dnsNames: ['evil.example'], emails: ['a@example.com'] });
    expect(search({ endEntity: badHost, ...query })).toBeRefusedWith(refusal, { depth: 0, type: 'dns' });
    const badMailbox = low.issue({ dnsNames: ['a.example.com'], emails: ['a@evil.example'] });
    expect(search({ endEntity: badMailbox, ...query })).toBeRefusedWith(refusal, { depth: 0, type: 'email' });
  });

  it('is refused for the names of an intermediate, and does not hold an issuer to its own constraints', () => {
    const top = intermediate(root, 'O=Top', fields({ directoryNames: ['O=Example'] }));
    const good = intermediate(top, 'O=Example,CN=Low');
    const bad = intermediate(top, 'O=Evil');
    const subject = 'O=Example,CN=client';
    expect(search({ endEntity: good.issue({ subject }), presented: [top, good], anchors: [root] }).path).toHaveLength(
      4,
    );
    expect(search({ endEntity: bad.issue({ subject }), presented: [top, bad], anchors: [root] })).toBeRefusedWith(
      refusal,
      { depth: 1, type: 'directory' },
    );
  });

  it('is held to the subjectAltName of an intermediate', () => {
    const top = intermediate(root, 'CN=Top', fields({ dnsNames: ['example.com'] }));
    const low = intermediate(top, 'CN=Low', { dnsNames: ['evil.example'] });
    expect(search({ endEntity: low.issue(), presented: [top, low], anchors: [root] })).toBeRefusedWith(refusal, {
      depth: 1,
      type: 'dns',
    });
  });

  it('is held to the constraints of its anchor, root or not', () => {
    const anchor = createAuthority({ key, ...fields({ dnsNames: ['example.com'] }) });
    const low = intermediate(anchor, 'CN=Low');
    const bad = low.issue({ dnsNames: ['evil.example'] });
    const query = { endEntity: bad, presented: [low], anchors: [anchor] };
    expect(search(query)).toBeRefusedWith(refusal, { depth: 0, type: 'dns' });
    expect(search({ ...query, rules: { anchor: 'ignore' } }).path).toHaveLength(3);
    const constrained = intermediate(root, 'CN=Low', fields({}, { dnsNames: ['evil.example'] }));
    const below = constrained.issue({ dnsNames: ['evil.example'] });
    expect(search({ endEntity: below, anchors: [constrained] })).toBeRefusedWith(refusal, { depth: 0, type: 'dns' });
  });

  it('exempts a self-issued intermediate, enforces its constraints, and does not exempt a self-issued end entity', () => {
    const top = intermediate(root, 'O=Top', fields({ directoryNames: ['O=Example'], dnsNames: ['example.com'] }));
    const rollover = intermediate(top, top.subject, fields({ dnsNames: ['a.example.com'] }));
    const query = { presented: [top, rollover], anchors: [root] };
    const issue = (subject: string | Buffer, dnsName: string) => rollover.issue({ subject, dnsNames: [dnsName] });
    expect(search({ endEntity: issue('O=Example', 'a.example.com'), ...query }).path).toHaveLength(4);
    expect(search({ endEntity: issue('O=Example', 'b.example.com'), ...query })).toBeRefusedWith(refusal, {
      depth: 0,
      type: 'dns',
    });
    expect(search({ endEntity: issue(top.subject, 'a.example.com'), ...query })).toBeRefusedWith(refusal, {
      depth: 0,
      type: 'directory',
    });
  });

  it('exempts no intermediate whose name only looks like that of its issuer', () => {
    const top = intermediate(root, 'O=Top', fields({ directoryNames: ['O=Example'] }));
    const lookAlike = top.issueIntermediate({ subject: [{ type: 'O', value: 'To\u200bp' }] });
    const leaf = lookAlike.issue({ subject: 'O=Example' });
    expect(search({ endEntity: leaf, presented: [top, lookAlike], anchors: [root] })).toBeRefusedWith(refusal, {
      depth: 1,
      type: 'directory',
    });
  });

  it('PA-12: with an empty dNSName is malformed, wherever it stands', async () => {
    const anchor = createAuthority({ key, ...fields({}, { dnsNames: ['evil.example'] }) });
    const subjectAltName = der.sequence(dns(''));
    const reason = 'subjectAltName holds an empty name';
    await expect(validate(anchor.issue({ subjectAltName }), anchor)).rejects.toMatchObject({
      code: 'ERR_CERTIFICATE_MALFORMED',
      details: { position: 0, reason },
    });
    const low = intermediate(anchor, 'CN=Low', { subjectAltName });
    await expect(validate(low.issue(), anchor)).rejects.toMatchObject({
      code: 'ERR_CERTIFICATE_MALFORMED',
      details: { position: 1, reason },
    });
  });

  it('PA-12: with an empty subtree excludes every name of its form', () => {
    for (const subtree of [dns(''), email(''), uri(''), directory(''), ip('00000000 00000000')]) {
      const all = [dns('a'), email('a@b'), uri('urn:a'), directory('CN=a'), ip('0a000001')];
      expect(verdict([], [subtree], named({ names: all }))).not.toBe('accepted');
    }
  });

  it('is judged, whatever the octets of its names are', () => {
    const random = seededRandom(8);
    const octets = (length: number): Buffer =>
      Buffer.from(Array.from({ length }, () => 1 + Math.floor(random() * 127)));
    for (let run = 0; run < 40; run++) {
      const names = Array.from({ length: 8 }, () => der.implicit([1, 2, 6][run % 3] ?? 1, octets(1 + (run % 12))));
      const certificate = named({ subject: [{ type: 'CN', value: octets(6).toString() }], names });
      for (const subtree of [dns('a'), dns('.a'), email('a'), email('.a'), email('a@a'), uri('a'), uri('.a')]) {
        expect(['accepted', 'dns', 'email', 'uri']).toContain(verdict([subtree], [subtree], certificate));
      }
    }
  });
});

describe('the budget of comparisons', () => {
  const many = (count: number, name: string): Buffer[] => Array.from({ length: count }, () => dns(name));
  const overBudget = { limit: 'name-comparisons', maximum: maxNameComparisons } as const;
  const authority = (permitted: readonly Buffer[], excluded: readonly Buffer[]) =>
    createAuthority({ subject: 'CN=Constrained', key, ...constraints(permitted, excluded) });
  const leafOf = (count: number) =>
    root.issue({
      key,
      subject: '',
      raw: { issuer: encodeName('CN=Constrained') },
      subjectAltName: der.sequence(...many(count, 'a')),
    });

  it('is 250,000 in one search', () => {
    expect(maxNameComparisons).toBe(250_000);
  });

  it.each<[string, Buffer[], Buffer[]]>([
    ['permitted', many(500, 'a'), []],
    ['excluded', [], many(500, 'b')],
    ['permitted and excluded', many(250, 'a'), many(250, 'b')],
    ['of another form', Array.from({ length: 500 }, () => email('b')), []],
  ])('PA-13: allows 500 names and 500 subtrees, %s, and not one more', (_, permitted, excluded) => {
    expect(search({ endEntity: leafOf(500), anchors: [authority(permitted, excluded)] }).path).toHaveLength(2);
    const result = search({ endEntity: leafOf(500), anchors: [authority(permitted, [...excluded, dns('b')])] });
    expect(result).toBeRefusedWith('ERR_PATH_BUDGET_EXCEEDED', overBudget);
  });

  it('PA-13: counts over all candidate paths of a search', () => {
    const anchors = Array.from({ length: 3 }, () => authority(many(200, 'b'), []));
    const two = search({ endEntity: leafOf(500), anchors: anchors.slice(0, 2) });
    expect(two).toBeRefusedWith('ERR_CERTIFICATE_NAME_NOT_PERMITTED', { depth: 0, type: 'dns' });
    // The first name is refused already, so a path costs 200 here.
    expect(search({ endEntity: leafOf(500), anchors })).toBeRefusedWith('ERR_CERTIFICATE_NAME_NOT_PERMITTED', {
      depth: 0,
      type: 'dns',
    });
    const late = Array.from({ length: 3 }, () => authority(many(200, 'a'), [dns('b')]));
    const names = der.sequence(...many(499, 'a'), dns('b'));
    const leaf = root.issue({ key, subject: '', raw: { issuer: encodeName('CN=Constrained') }, subjectAltName: names });
    expect(search({ endEntity: leaf, anchors: late.slice(0, 2) })).toBeRefusedWith(
      'ERR_CERTIFICATE_NAME_NOT_PERMITTED',
      {
        depth: 0,
        type: 'dns',
      },
    );
    expect(search({ endEntity: leaf, anchors: late })).toBeRefusedWith('ERR_PATH_BUDGET_EXCEEDED', overBudget);
  });

  it('PA-13: stops 500 names before 3,000 subtrees, permitted and excluded', () => {
    const result = search({ endEntity: leafOf(500), anchors: [authority(many(1_500, 'a'), many(1_500, 'b'))] });
    expect(result).toBeRefusedWith('ERR_PATH_BUDGET_EXCEEDED', overBudget);
  });

  it('PA-13: reads a long name once, not once for each subtree', () => {
    const anchor = authority(
      Array.from({ length: 2_000 }, () => email('b')),
      [],
    );
    const names = der.sequence(email(`${'a'.repeat(12_000)}@example.com`));
    const leaf = root.issue({ key, subject: '', raw: { issuer: encodeName('CN=Constrained') }, subjectAltName: names });
    const read = jest.spyOn(String.prototype, 'lastIndexOf');
    expect(search({ endEntity: leaf, anchors: [anchor] })).toBeRefusedWith('ERR_CERTIFICATE_NAME_NOT_PERMITTED', {
      depth: 0,
      type: 'email',
    });
    expect(read.mock.contexts.filter((name) => String(name).length > 12_000)).toHaveLength(1);
    jest.restoreAllMocks();
  });
});
