import { admitRequest, type ClientIdentity, createGuard, encodeClientCert, type OutcomeEvent } from '@peercert/core';
import { type CertificateFields, cloudFrontHeaders, createAuthority, der, encodeName } from '@peercert/testkit';
import { admitted, behindEdge, fromEdge } from '../support/requests';

// Whatever a CA was willing to sign: an identity has it as it is, text for people has it escaped, nobody else sees it.

const root = createAuthority({ subject: 'CN=Root' });

async function identityOf(fields: CertificateFields): Promise<ClientIdentity> {
  const lines = cloudFrontHeaders(root.issue(fields)).flat();
  const outcome = await admitted(behindEdge([root]), fromEdge(...lines));
  if (outcome.status !== 'authenticated') throw new TypeError('nobody was authenticated');
  return outcome.identity;
}

const cn = (value: string): CertificateFields => ({ subject: [{ type: 'CN', value }] });
const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

const hostile: readonly (readonly [string, string, string])[] = [
  [
    'ID-01: a forged log line',
    'x\r\n2026-01-01 INFO auth ok user=admin',
    'CN=x\\0d\\0a2026-01-01 INFO auth ok user=admin',
  ],
  ['ID-01: a terminal escape', 'x\u001b[2J\u001b]0;owned\u0007', 'CN=x\\1b[2J\\1b]0\\;owned\\07'],
  ['ID-01: a backspace over the truth', 'mallory\b\b\b', 'CN=mallory\\08\\08\\08'],
  ['ID-01: a C1 control', 'a\u009b2Jb', 'CN=a\\c2\\9b2Jb'],
  ['DR-14: NUL', 'alice\0.evil', 'CN=alice\\00.evil'],
  ['ID-02: right-to-left override', 'ecila\u202e\u2066', 'CN=ecila\\e2\\80\\ae\\e2\\81\\a6'],
  ['ID-02: zero-width space and joiner', 'al\u200bi\u200dce\ufeff', 'CN=al\\e2\\80\\8bi\\e2\\80\\8dce\\ef\\bb\\bf'],
  ['ID-02: a soft hyphen', 'al\u00adice', 'CN=al\\c2\\adice'],
  ['ID-02: letters of the tag block', 'alice\u{e0061}', 'CN=alice\\f3\\a0\\81\\a1'],
  ['ID-02: line and paragraph separators', 'a\u2028b\u2029', 'CN=a\\e2\\80\\a8b\\e2\\80\\a9'],
  ['ID-02: a look-alike of another alphabet', '\u0430lice', 'CN=\u0430lice'],
  ['ID-02: a composed letter', 'ren\u00e9', 'CN=ren\u00e9'],
  ['ID-02: the same letter decomposed', 'rene\u0301', 'CN=rene\u0301'],
  ['DR-20: another RDN', 'evil,CN=admin', 'CN=evil\\,CN=admin'],
  ['DR-20: another attribute', 'user+CN=admin', 'CN=user\\+CN=admin'],
  ['DR-20: another line', 'evil\nCN=admin', 'CN=evil\\0aCN=admin'],
  ['ID-04: every character RFC 4514 escapes', ' "+,;<>\\ ', 'CN=\\ \\"\\+\\,\\;\\<\\>\\\\\\ '],
  ['ID-04: an LDAP filter', '*)(uid=*))(|(uid=*', 'CN=*)(uid=*))(|(uid=*'],
  ['ID-04: a hexadecimal value', '#04024869', 'CN=\\#04024869'],
  ['ID-01: markup', '<script>alert(1)</script>', 'CN=\\<script\\>alert(1)\\</script\\>'],
  ['ID-03: a member of objects', '__proto__', 'CN=__proto__'],
];

describe('a common name', () => {
  it.each(hostile)('is exactly itself, and escaped in text: %s', async (_, value, text) => {
    const { subject } = await identityOf(cn(value));
    expect(subject.values('CN')).toEqual([value]);
    expect(String(subject)).toBe(text);
    expect(JSON.stringify({ subject })).toBe(JSON.stringify({ subject: text }));
    expect(text).not.toMatch(invisible);
  });

  it('ID-02: is compared by its characters, not by what they look like', async () => {
    const alike = ['alice', '\u0430lice', 'al\u200bice', 'ren\u00e9', 'rene\u0301', 'Alice'];
    const identities = await Promise.all(alike.map((value) => identityOf(cn(value))));
    const is = (value: string): readonly boolean[] =>
      identities.map(({ subject }) => subject.values('CN').includes(value));
    for (const [index, value] of alike.entries()) expect(is(value).indexOf(true)).toBe(index);
    expect(new Set(identities.map(({ subject }) => String(subject))).size).toBe(alike.length);
  });

  it('DR-18, DR-19: is one of all there are, and an RDN of two attributes stays one', async () => {
    const two = await identityOf({
      subject: [
        { type: 'CN', value: 'user' },
        { type: 'CN', value: 'admin' },
      ],
    });
    expect(two.subject.values('CN')).toEqual(['user', 'admin']);
    const both = await identityOf({
      subject: [
        [
          { type: 'CN', value: 'a' },
          { type: 'O', value: 'b' },
        ],
      ],
    });
    expect(both.subject.rdns.map((rdn) => rdn.map(({ name, value }) => [name, value]))).toEqual([
      [
        ['CN', 'a'],
        ['O', 'b'],
      ],
    ]);
  });

  it.each<[string, Buffer, string]>([
    ['T61String, as Latin-1', der.teletexString('m\u00fcller'), 'm\u00fcller'],
    ['UniversalString, as its DER', der.tlv(0x1c, Buffer.from('00000061', 'hex')), '#1c0400000061'],
    ['IA5String with the high bit', der.tlv(0x16, Buffer.from([0x61, 0xe9])), 'a\u00e9'],
    ['PrintableString with a character it does not have', der.tlv(0x13, Buffer.from('a@b')), 'a@b'],
  ])('DR-16: of an old string type is text nobody is let in by: %s', async (_, value, expected) => {
    const identity = await identityOf({ subject: [{ type: 'CN', value }] });
    expect(identity.subject.values('CN')).toEqual([expected]);
    expect([identity.uris, identity.dnsNames, identity.emails]).toEqual([[], [], []]);
  });

  it('DR-17: of one issuer in two string types and cases is one name for the path, and two texts', async () => {
    const key = root.key;
    const subject = [{ type: 'CN', value: 'rOOT', as: 'printableString' as const }];
    const renamed = createAuthority({ subject, key }).issue({ uris: ['urn:alice'] });
    const outcome = await admitted(behindEdge([root]), fromEdge(...cloudFrontHeaders(renamed).flat()));
    expect(outcome).toMatchObject({ status: 'authenticated', identity: { uris: ['urn:alice'] } });
    const { issuer, trustAnchor } = (outcome as { identity: ClientIdentity }).identity;
    expect([String(issuer), String(trustAnchor.subject)]).toEqual(['CN=rOOT', 'CN=Root']);
  });
});

describe('a subject alternative name', () => {
  it.each([
    ['ID-01: a line break', 'urn:a\r\nurn:admin'],
    ['ID-01: a terminal escape', 'urn:\u001b[2J'],
    ['DR-21: another kind of name', 'spiffe://a/b, DNS:admin.example'],
    ['DR-21: quotes around one', '"urn:a", URI:"urn:admin"'],
    ['ID-04: a filter', 'urn:*)(uid=*'],
  ])('is exactly itself, one value of one type: %s', async (_, value) => {
    const identity = await identityOf({ uris: [value], dnsNames: [value], emails: [value] });
    expect([identity.uris, identity.dnsNames, identity.emails]).toEqual([[value], [value], [value]]);
    expect(identity.subjectAltName).toEqual([
      { type: 'uri', value },
      { type: 'dns', value },
      { type: 'email', value },
    ]);
    expect(JSON.stringify(identity).split('\n')).toHaveLength(1);
    expect(JSON.stringify(identity)).not.toMatch(/\p{Cc}/u);
  });

  it('DR-14: with NUL in otherName is hexadecimal DER, and no name of another type', async () => {
    const value = der.bmpString('admin\0evil');
    const subjectAltName = der.sequence(der.explicit(0, der.oid('1.3.6.1.4.1.311.20.2.3'), der.explicit(0, value)));
    const identity = await identityOf({ subjectAltName });
    expect(identity.subjectAltName).toEqual([
      { type: 'other', oid: '1.3.6.1.4.1.311.20.2.3', value: value.toString('hex') },
    ]);
    expect([identity.uris, identity.dnsNames, identity.emails]).toEqual([[], [], []]);
  });

  it('DR-22: lets nobody in as a name of another type', async () => {
    const text = 'admin.example';
    const of = { uri: { uris: [text] }, dns: { dnsNames: [text] }, email: { emails: [text] } };
    for (const [type, fields] of Object.entries(of)) {
      const request = fromEdge(...cloudFrontHeaders(root.issue(fields)).flat());
      await admitRequest(behindEdge([root]), request);
      const admits = async (rule: string): Promise<boolean> =>
        (await createGuard({ [rule]: text })(request, request)).admitted;
      const matching: string[] = [];
      for (const rule of ['uri', 'dns', 'email', 'issuer', 'trustDomain']) if (await admits(rule)) matching.push(rule);
      expect(matching).toEqual([type]);
    }
  });

  it('ID-03: of a type and value that are members of objects pollutes nothing', async () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
    const identity = await identityOf({
      subject: names.map((value) => ({ type: '1.2.3.4', value })),
      uris: names,
      dnsNames: names,
    });
    expect(identity.uris).toEqual(names);
    expect(identity.subject.values('1.2.3.4')).toEqual(names);
    for (const name of names) expect(identity.subject.values(name)).toEqual([]);
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
  });
});

describe('a refusal', () => {
  const marker = 'MARKER';
  const names = { subject: [{ type: 'CN', value: `${marker}\r\nx` }], uris: [`urn:${marker}`] };
  const elsewhere = createAuthority({ subject: `CN=${marker}` });
  const refused: readonly (readonly [string, readonly string[]])[] = [
    ['of an unknown issuer', cloudFrontHeaders(elsewhere.issue(names)).flat()],
    [
      'of an expired certificate',
      cloudFrontHeaders(root.issue({ ...names, notBefore: new Date(0), notAfter: new Date(1_000) })).flat(),
    ],
    ['of a certificate for servers', cloudFrontHeaders(root.issue({ ...names, extKeyUsage: ['serverAuth'] })).flat()],
    ['of a malformed certificate', ['Client-Cert', encodeClientCert(Buffer.from(marker))]],
    ['of a malformed header', ['Client-Cert', marker]],
    ['of a malformed companion', ['CloudFront-Viewer-Cert-Present', marker]],
    [
      'DR-11, DR-12: of a certificate with too many names',
      cloudFrontHeaders(root.issue({ ...names, dnsNames: Array<string>(1_000).fill(marker) })).flat(),
    ],
    [
      'DR-11, DR-12: of a certificate with too many attributes',
      cloudFrontHeaders(
        root.issue({ raw: { subject: encodeName(Array.from({ length: 51 }, () => ({ type: 'OU', value: marker }))) } }),
      ).flat(),
    ],
    [
      'DR-10: of an extKeyUsage that is clientAuth 2^32 above',
      cloudFrontHeaders(root.issue({ ...names, extKeyUsage: ['1.3.6.1.5.5.7.3.4294967298'] })).flat(),
    ],
  ];

  it.each(refused)('ID-08, ID-12: tells one of four things and is not stored: %s', async (_, lines) => {
    const events: OutcomeEvent[] = [];
    const authenticator = behindEdge([root], { eventNames: 'include', onOutcome: (event) => events.push(event) });
    const { refusal, error } = await admitRequest(authenticator, fromEdge(...lines));
    expect(refusal?.headers).toMatchObject({ 'cache-control': 'no-store' });
    expect(JSON.parse(refusal?.body ?? '')).toEqual({
      status: refusal?.status,
      title: expect.any(String),
      code: expect.stringMatching(/^(malformed|certificate_rejected)$/),
    });
    expect(JSON.stringify(refusal)).not.toContain(marker);
    expect(error?.message).not.toContain(marker);
    expect(error?.message.length).toBeLessThan(256);
    expect(JSON.stringify(error?.details).length).toBeLessThan(256);
    expect(JSON.stringify(events)).not.toContain(marker);
    expect(JSON.stringify(events)).not.toMatch(invisible);
  });

  it('ID-12: of a stranger reads like one of an expired, a foreign-purpose and an unwanted client', async () => {
    const answers = new Set<string>();
    const good = cloudFrontHeaders(root.issue()).flat();
    for (const lines of [refused[0]?.[1], refused[1]?.[1], refused[2]?.[1], good]) {
      const authenticator = behindEdge([root], { authorize: () => false });
      const { refusal } = await admitRequest(authenticator, fromEdge(...(lines ?? [])));
      answers.add(JSON.stringify(refusal));
    }
    expect(answers.size).toBe(1);
  });
});
