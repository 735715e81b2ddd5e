import { admitRequest, type ClientCertificateError, type ErrorCode, type Source } from '@peercert/core';
import { createAuthority, type TestCertificate } from '@peercert/testkit';
import {
  admitted,
  behindEdge,
  callerOf,
  edgeChannel,
  fromEdge,
  requestOf,
  secretLine,
} from '../../../support/requests';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';
import { everySource, pemOf, type SourceCase } from './every-source';

/**
 * Rows of docs/hostile-inputs.md about channels and encodings that are not tested here for every source, and why. The rest
 * is, or has a table below that says for which sources.
 */
const elsewhere: Readonly<Record<string, string>> = {
  'CH-16': 'trailers are no header lines: Node keeps them apart from what a source is given',
  'CH-17': 'HTTP/2 gives the same header lines: test/hostile/wire.test.ts',
  'CH-20': 'Node answers 400 before there is a request',
  'CH-21': 'Early-Data is no business of a source',
  'CH-22': 'smuggling is a matter of the channel: test/hostile/requests.test.ts',
  'CH-26': 'needs the proxies themselves',
  'CH-27': 'the secret is a matter of the channel: test/unit/core/channel/shared-secret.test.ts',
  'CH-29': 'only X-Forwarded-Client-Cert has elements: envoy.test.ts',
  'CH-30': 'only X-Forwarded-Client-Cert has quotes: envoy.test.ts',
  'EN-01': 'only RFC 9440 has colons: rfc9440.test.ts, structured-field.test.ts',
  'EN-02': 'only RFC 9440 has parameters: rfc9440.test.ts, structured-field.test.ts',
  'EN-10': 'an empty list is no chain in RFC 9440: cloudfront.test.ts; other lists cannot be empty, see EN-07',
  'EN-11': 'only RFC 9440 has chains over several lines: rfc9440.test.ts; elsewhere a second line is CH-06',
};

const root = createAuthority({ subject: 'CN=Root' });
const intermediate = root.issueIntermediate();
const alice = withPadding(() => intermediate.issue({ uris: ['urn:alice'] }));
const bob = intermediate.issue({ uris: ['urn:bob'] });
const base64 = ({ der }: { readonly der: Buffer }): string => der.toString('base64');
const hex = (...all: readonly { readonly der: Uint8Array }[]): string[] =>
  all.map(({ der }) => Buffer.from(der).toString('hex'));

/** DER whose base64 ends in padding. */
function withPadding(issue: () => TestCertificate): TestCertificate {
  for (;;) {
    const certificate = issue();
    if (certificate.der.length % 3 !== 0) return certificate;
  }
}

function present(source: Source, lines: readonly (readonly [string, string])[]): string[] | undefined {
  const presented = source.collect(fromEdge(...lines.flat()));
  if (presented === undefined) return undefined;
  const endEntity = presented.decodeEndEntity();
  return hex({ der: endEntity }, ...presented.decodeChain().map((der) => ({ der })));
}

function refusalOf(act: () => unknown): { code: ErrorCode; details: ClientCertificateError['details'] } {
  try {
    act();
  } catch (error) {
    const { name, code, details } = error as ClientCertificateError;
    if (name === 'ClientCertificateError') return { code, details };
    throw error;
  }
  throw new Error('nothing was refused');
}

const codeOf = (act: () => unknown): ErrorCode => refusalOf(act).code;

describe.each(everySource.map((entry) => [entry.title, entry] as const))('%s', (_, entry) => {
  const source = entry.make();
  const strict = entry.make({ otherCertificateHeaders: 'reject' });
  const lines = entry.write(base64(alice), entry.chain === 'none' ? [] : [base64(intermediate)]);
  const alone = entry.write(base64(alice));
  const [[name, value]] = alone as [[string, string]];
  const malformedCode = (text: string): ErrorCode => codeOf(() => present(source, entry.write(text)));

  it('is a source as declared, and frozen', () => {
    expect(source).toMatchObject({ name: entry.name, channel: edgeChannel, proxyProves: entry.proves });
    expect(source.fields).toContain(entry.header);
    expect(Object.isFrozen(source)).toBe(true);
    expect(Object.isFrozen(source.fields)).toBe(true);
  });

  it('finds the certificate and what its proxy forwards of the chain', () => {
    expect(present(source, lines)).toEqual(entry.chain === 'none' ? hex(alice) : hex(alice, intermediate));
    expect(present(source, alone)).toEqual(hex(alice));
  });

  it('leads to an identity that names it, judged by the path alone', async () => {
    const authenticator = behindEdge([root], { source });
    const whole = entry.chain === 'none' ? behindEdge([intermediate], { source }) : authenticator;
    await expect(admitted(whole, fromEdge(...lines.flat()))).resolves.toMatchObject({
      status: 'authenticated',
      identity: { source: entry.name, uris: ['urn:alice'] },
    });
  });

  it.each<[string, (line: string) => string]>([
    ['in the same letter case', (line) => line],
    ['in upper case', (line) => line.toUpperCase()],
    ['in lower case', (line) => line.toLowerCase()],
  ])('CH-06: refuses the certificate twice, %s', (_, fold) => {
    for (const second of [value, '', entry.write(base64(bob))[0]?.[1] ?? '']) {
      const act = (): unknown => present(source, [...alone, [fold(name), second]]);
      expect(act).toThrowWithCode('ERR_HEADER_REPEATED', { header: entry.header, count: 2 });
    }
  });

  it('CH-07: refuses two certificates joined in one line', () => {
    const act = (): unknown => present(source, [[name, `${value}, ${value}`]]);
    // The format that a function combines certificates in is such a list.
    const answer = entry.header === 'x-full-chain' ? present(source, [[name, `${value}, ${value}`]]) : codeOf(act);
    expect(['ERR_HEADER_MALFORMED', 'ERR_HEADER_REPEATED', hex(alice, alice)]).toContainEqual(answer);
  });

  it('CH-08: passes over an alias with underscores, alone', () => {
    expect(present(source, [[name.replaceAll('-', '_'), value]])).toBeUndefined();
  });

  it('CH-09: refuses an alias with underscores beside the certificate', () => {
    const lookAlike = name.toLowerCase().replaceAll('-', '_');
    expect(() => present(source, [...alone, [lookAlike, value]])).toThrowWithCode('ERR_HEADER_AMBIGUOUS', {
      header: entry.header,
      lookAlike,
    });
  });

  it("CH-10: passes over another proxy's header, and refuses it when told to", () => {
    const header = entry.name === 'app-service' ? 'x-client-cert-leaf' : 'x-arr-clientcert';
    expect(present(source, [...alone, [header, value]])).toEqual(hex(alice));
    expect(present(strict, alone)).toEqual(hex(alice));
    expect(() => present(strict, [...alone, [header, value]])).toThrowWithCode('ERR_HEADER_UNEXPECTED', { header });
  });

  it('CH-11: refuses a Connection that names one of its fields or the secret', () => {
    for (const header of [...source.fields, 'x-edge-secret']) {
      expect(() => present(source, [...alone, ['Connection', `close, ${header}`]])).toThrowWithCode(
        'ERR_HEADER_HOP_BY_HOP',
        { header },
      );
    }
  });

  it('CH-12: finds nothing where nothing arrived, which is refused where a certificate is required', async () => {
    expect(present(source, [])).toBeUndefined();
    await expect(admitted(behindEdge([root], { source }), fromEdge())).toRejectWith('ERR_CERTIFICATE_REQUIRED', {});
  });

  it('CH-15: refuses as many fields as Node keeps', () => {
    const many = Array.from({ length: 998 }, (): [string, string] => ['X', '1']);
    expect(codeOf(() => present(source, [...many, ...alone]))).toBe('ERR_HEADER_COUNT_EXCEEDED');
  });

  it('CH-18: takes headers named like members of objects for any others', () => {
    const odd = [
      ['__proto__', 'x'],
      ['constructor', 'x'],
      ['toString', 'x'],
    ] as const;
    expect(present(source, [...odd, ...alone])).toEqual(hex(alice));
  });

  it('CH-19: carries nothing from one request to the next', async () => {
    const authenticator = behindEdge([intermediate], { source, presence: 'optional' });
    const socket = { encrypted: true, destroyed: false };
    const on = (...more: readonly string[]) => requestOf([...secretLine, ...more], socket);
    await expect(callerOf(authenticator, on(...alone.flat()))).resolves.toEqual(['urn:alice']);
    await expect(callerOf(authenticator, on(...entry.write(base64(bob)).flat()))).resolves.toEqual(['urn:bob']);
    await expect(callerOf(authenticator, on())).resolves.toEqual(['anonymous']);
  });

  it('CH-25: believes no verification but its own: refuses the certificate of a stranger', async () => {
    const stranger = createAuthority({ subject: 'CN=Stranger' }).issue();
    const request = fromEdge(...entry.write(base64(stranger)).flat());
    await expect(admitted(behindEdge([root], { source }), request)).toRejectWith('ERR_PATH_ISSUER_UNKNOWN', {
      depth: 1,
      issuer: 'CN=Stranger',
    });
  });

  it.each([' ', '  ', '\t', '\n\n', '*', '%', '!', '.', '\0', '=', ':', ',', ';', '"', '-----'])(
    'EN-03: refuses base64 with %j inside',
    (inserted) => {
      const text = base64(alice);
      // A space is Apache's line break, and lines may have any length.
      if (inserted === ' ' && entry.name === 'apache') return;
      expect(['ERR_HEADER_MALFORMED', 'ERR_HEADER_REPEATED']).toContain(
        malformedCode(`${text.slice(0, 70)}${inserted}${text.slice(70)}`),
      );
    },
  );

  it.each(['-', '_'])('EN-04: refuses the alphabet for URLs: %s', (letter) => {
    const text = base64(alice);
    expect(malformedCode(`${text.slice(0, 99)}${letter}${text.slice(100)}`)).toBe('ERR_HEADER_MALFORMED');
  });

  it('EN-05: accepts missing padding, for the same certificate', () => {
    expect(present(source, entry.write(base64(alice).replaceAll('=', '')))).toEqual(hex(alice));
  });

  it.each(['=', '==', '===='])('EN-06: refuses more padding than there should be: %s', (more) => {
    expect(malformedCode(`${base64(alice)}${more}`)).toBe('ERR_HEADER_MALFORMED');
  });

  it(`EN-07: takes an empty value for ${entry.empty}`, () => {
    const act = (): unknown => present(source, [[name, '']]);
    expect(entry.empty === 'absent' ? act() : codeOf(act)).toBe(
      entry.empty === 'absent' ? undefined : 'ERR_HEADER_MALFORMED',
    );
  });

  it('EN-07: refuses spaces in place of a certificate', () => {
    expect(codeOf(() => present(source, [[name, '   ']]))).toBe('ERR_HEADER_MALFORMED');
  });

  it('EN-08: refuses octets above 127, wherever they are', () => {
    expect(malformedCode(`\u00e9${base64(alice)}`)).toBe('ERR_HEADER_MALFORMED');
    expect(codeOf(() => present(source, [[name, `${value}\u0080`]]))).toBe('ERR_HEADER_MALFORMED');
    expect(codeOf(() => present(source, [[name, `\u00a0${value}`]]))).toBe('ERR_HEADER_MALFORMED');
  });

  it('EN-09: refuses a value that is too long before it is decoded', () => {
    const decoding = jest.spyOn(Buffer, 'allocUnsafeSlow');
    const bytes = entry.maxLength + 1;
    expect(() => present(source, [[name, 'A'.repeat(bytes)]])).toThrowWithCode('ERR_HEADER_TOO_LARGE', {
      header: entry.header,
      bytes,
      maximum: entry.maxLength,
    });
    expect(decoding).not.toHaveBeenCalled();
    decoding.mockRestore();
    // One character less is read, and may even be base64.
    const longest = [...alone.slice(1), [name, `${'A'.repeat(bytes - 2)}!`]] as [string, string][];
    expect(codeOf(() => present(source, longest))).toBe('ERR_HEADER_MALFORMED');
  });

  it('EN-15: refuses a megabyte of beginnings in time linear in its length', () => {
    const started = performance.now();
    for (const beginning of ['-----BEGIN ', '-----BEGIN CERTIFICATE-----\n', '%', '"\\', 'By=', 'MII', ':', ',']) {
      const code = codeOf(() => present(source, [[name, beginning.repeat(1_000_000 / beginning.length)]]));
      expect(code).toBe('ERR_HEADER_TOO_LARGE');
    }
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  const dialects: readonly (readonly [string, string])[] = [
    ['RFC 9440', `:${base64(alice)}:`],
    ['URL-encoded PEM', encodeURIComponent(alice.pem)],
    ['space-folded PEM', alice.pem.replaceAll('\n', ' ').trimEnd()],
    ['PEM', alice.pem],
    ['PEM', alice.pem.replaceAll('\n', '\n\t')],
    ['bare base64 DER', base64(alice)],
    ['URL-encoded base64 DER', encodeURIComponent(base64(alice))],
    ['X-Forwarded-Client-Cert', `By=spiffe://a;Cert="${encodeURIComponent(alice.pem)}"`],
    ['JSON', '[{"cert":"MIIB"}]'],
  ];

  it.each(dialects.filter(([dialect]) => dialect !== entry.dialect))(
    'EN-19: refuses a certificate written as %s, and says what it looks like',
    (dialect, text) => {
      // An own source has no word for its dialect, and reads the plainest one.
      if (entry.dialect === 'none' && dialect === 'bare base64 DER') return;
      const refusal = refusalOf(() => present(source, [[name, text]]));
      const hint = `looks like ${dialect}; the source reads ${entry.dialect}`;
      expect(refusal.code).toBe('ERR_HEADER_MALFORMED');
      expect(refusal.details).toEqual({
        header: entry.header,
        reason: expect.any(String),
        ...(entry.dialect === 'none' ? {} : { hint }),
      });
    },
  );

  it('EN-20: refuses PEM that is folded with tabs', () => {
    expect(codeOf(() => present(source, [[name, alice.pem.trimEnd().replaceAll('\n', '\t')]]))).toBe(
      'ERR_HEADER_MALFORMED',
    );
  });

  it('has a key for each way to say it, and decodes nothing to find it', () => {
    const decoding = jest.spyOn(Buffer, 'allocUnsafeSlow');
    const keyOf = (written: readonly (readonly [string, string])[]): string | undefined =>
      source.collect(fromEdge(...written.flat()))?.key;
    expect(keyOf(lines)).toBe(keyOf(lines));
    expect(new Set([keyOf(lines), keyOf(entry.write(base64(bob)))]).size).toBe(2);
    expect(decoding).not.toHaveBeenCalled();
    decoding.mockRestore();
  });

  it('shows handlers none of its fields, nor their aliases', async () => {
    for (const written of [alone, [[name.replaceAll('-', '_'), value]] as const]) {
      const request = fromEdge(...written.flat(), 'X-Own', '1');
      await admitRequest(behindEdge([intermediate], { source, presence: 'optional' }), request);
      expect(request.rawHeaders).toEqual(['X-Own', '1']);
    }
  });
});

const titled = (has: (entry: SourceCase) => unknown): readonly (readonly [string, SourceCase])[] =>
  everySource.filter((entry) => Boolean(has(entry))).map((entry) => [entry.title, entry] as const);

describe.each(titled(({ chain }) => chain !== 'none'))('the chain of %s', (_, entry) => {
  const source = entry.make();
  const chainHeader = entry.chainHeader ?? entry.header;
  /** DER of an empty SEQUENCE: a member that is short. */
  const short = 'MAA=';

  it('EN-12: is refused for one bad member among good ones', () => {
    const lines = entry.write(base64(alice), [base64(intermediate), '????', base64(root)]);
    // HAProxy's chain is one piece: a bad member is one that is not DER.
    const broken =
      entry.name === 'haproxy' ? entry.write(base64(alice), [base64(intermediate), 'AAEC', base64(root)]) : lines;
    expect(codeOf(() => present(source, broken))).toBe('ERR_HEADER_MALFORMED');
  });

  it('EN-13: may hold the end-entity certificate again', () => {
    const lines = entry.write(base64(alice), [base64(alice), base64(intermediate)]);
    expect(present(source, lines)).toEqual(hex(alice, alice, intermediate));
  });

  it.each([11, 50, 100])('EN-14: is refused when it has %d members, before a certificate is decoded', (count) => {
    const lines = entry.write(short, Array<string>(count).fill(short));
    expect(() => present(source, lines)).toThrowWithCode('ERR_CHAIN_TOO_LONG', { count: 11, maximum: 10 });
  });

  it('EN-09: is refused when it is too long', () => {
    const lines = [...entry.write(base64(alice)).filter(([name]) => name.toLowerCase() !== chainHeader)];
    const text = 'A'.repeat(70_000);
    expect(refusalOf(() => present(source, [...lines, [chainHeader, text]]))).toMatchObject({
      code: 'ERR_HEADER_TOO_LARGE',
      details: { header: chainHeader, bytes: 70_000 },
    });
  });
});

describe.each(titled(({ chainHeader }) => chainHeader))('the chain header of %s', (_, entry) => {
  it('CH-13: is refused without its certificate', () => {
    const [, [header, value]] = entry.write(base64(alice), [base64(intermediate)]) as [unknown, [string, string]];
    expect(() => present(entry.make(), [[header, value]])).toThrowWithCode('ERR_HEADER_CHAIN_WITHOUT_CERTIFICATE', {
      header: header.toLowerCase(),
    });
  });
});

describe.each(titled(({ presentedOnly }) => presentedOnly))('the word of %s', (_, entry) => {
  it('CH-14: CH-23: that a certificate was presented is refused without it, also where presence is optional', async () => {
    const source = entry.make();
    for (const [header, value] of entry.presentedOnly ?? []) {
      const details = { header: entry.header };
      expect(() => present(source, [[header, value]])).toThrowWithCode('ERR_CERTIFICATE_NOT_FORWARDED', details);
      const outcome = await behindEdge([root], { source, presence: 'optional' }).authenticate(fromEdge(header, value));
      expect(outcome.status).toBe('rejected');
    }
  });
});

describe.each(titled(({ refusing }) => refusing))('the verification of %s', (_, entry) => {
  it('CH-24: can refuse a certificate', () => {
    const source = entry.make();
    const alone = entry.write(base64(alice));
    for (const [kind, header, status] of entry.refusing ?? []) {
      const act = (): unknown => present(source, [...alone, [header, status]]);
      const field = header.toLowerCase();
      expect(refusalOf(act)).toEqual(
        kind === 'refused'
          ? { code: 'ERR_CERTIFICATE_REFUSED_BY_PROXY', details: { header: field, status } }
          : {
              code: 'ERR_HEADER_INCONSISTENT',
              details: { header: field, reason: 'it says that no certificate was presented' },
            },
      );
    }
  });
});

describe.each(titled(({ disagreeing }) => disagreeing))('what %s says about a certificate', (_, entry) => {
  it('CH-28: is refused when it is about another one', () => {
    const source = entry.make();
    for (const [header, value] of entry.disagreeing ?? []) {
      const act = (): unknown => present(source, [...entry.write(base64(alice)), [header, value]]);
      expect(refusalOf(act)).toMatchObject({
        code: 'ERR_HEADER_INCONSISTENT',
        details: { header: header.toLowerCase() },
      });
    }
  });
});

describe('sources that read PEM', () => {
  const fold = (entry: SourceCase, pem: string): readonly (readonly [string, string])[] => {
    const [[name]] = entry.write('') as [[string, string]];
    if (entry.name === 'apache') return [[name, pem.replaceAll('\n', ' ').trimEnd()]];
    const escaped = encodeURIComponent(pem);
    return [[name, entry.name === 'envoy' ? `Cert="${escaped}"` : escaped]];
  };
  const readPem = titled(({ dialect, name }) => dialect.includes('PEM') || name === 'envoy');
  const ofOne = readPem.filter(([title]) => title !== 'alb, passthrough mode');

  it('are these', () => {
    expect(readPem.map(([title]) => title)).toEqual([
      'cloudFront, required mode',
      'cloudFront, optional mode',
      'alb, passthrough mode',
      'alb, verify mode',
      'nginx',
      'apache',
      'envoy',
    ]);
  });

  it.each(ofOne)('EN-17: %s refuses two certificates where there is one', (_, entry) => {
    const lines = fold(entry, alice.pem + intermediate.pem);
    expect(() => present(entry.make(), lines)).toThrowWithCode('ERR_HEADER_MALFORMED', {
      header: entry.header,
      reason: 'it holds more than one certificate',
    });
  });

  it.each(readPem)('EN-18: %s refuses other blocks, and text beside them', (_, entry) => {
    const key = ['PRIVATE', 'KEY'].join(' ');
    const others = [
      ...['TRUSTED CERTIFICATE', 'X509 CERTIFICATE', 'PKCS7', 'CERTIFICATE REQUEST', key, `RSA ${key}`].flatMap(
        (label) => {
          const block = pemOf(base64(alice), label);
          return [block, block + alice.pem, alice.pem + block];
        },
      ),
      `subject=CN=alice\n${alice.pem}`,
      `${alice.pem}text`,
      `${alice.pem}\n`,
      `\n${alice.pem}`,
      alice.pem.replace('-----\n', '-----\nProc-Type: 4,ENCRYPTED\n'),
      alice.pem.replace('-----\n', '-----\n\n'),
      alice.pem.replaceAll('\n', '\r\n'),
      alice.pem.replace('-----END CERTIFICATE-----', '-----END CERTIFICATE---'),
      alice.pem.replace('-----BEGIN CERTIFICATE-----', '-----begin certificate-----'),
      alice.pem.slice(0, -40),
      `-----BEGIN CERTIFICATE-----\n${alice.pem}`,
    ];
    for (const pem of others) {
      // White space around a value is not part of it.
      if (entry.name === 'apache' && pem === `${alice.pem}\n`) continue;
      expect([pem, codeOf(() => present(entry.make(), fold(entry, pem)))]).toEqual([pem, 'ERR_HEADER_MALFORMED']);
    }
  });

  const escaping = readPem.filter(([title]) => title !== 'apache');

  it.each(escaping)('EN-16: %s refuses what is not percent-encoding, and takes + for +', (_, entry) => {
    const source = entry.make();
    const [[name, value]] = entry.write(base64(alice)) as [[string, string]];
    const plain = value.replaceAll('%2B', '+').replaceAll('%2F', '/').replaceAll('%3D', '=');
    expect(present(source, [[name, plain]])).toEqual(hex(alice));
    expect(present(source, [[name, value.replaceAll(/%../g, (code) => code.toLowerCase())]])).toEqual(hex(alice));
    const broken = ['%E0%A4%A', '%', '%2x', '%zz', '%C3%A9', '%00', '%252B', '%2525', '%0D%0A', '%20'];
    for (const text of broken) {
      const inside = value.replace(/(M..)/, `$1${text}`);
      expect([text, codeOf(() => present(source, [[name, inside]]))]).toEqual([text, 'ERR_HEADER_MALFORMED']);
    }
    expect(codeOf(() => present(source, [[name, value.replaceAll('%', '%25')]]))).toBe('ERR_HEADER_MALFORMED');
  });
});

describe('the matrix of rows', () => {
  it('says of every row from CH-06 to CH-30 and from EN-01 to EN-20 where it is tested', () => {
    const here = new Set(
      'CH-06 CH-07 CH-08 CH-09 CH-10 CH-11 CH-12 CH-13 CH-14 CH-15 CH-18 CH-19 CH-23 CH-24 CH-25 CH-28 '
        .concat('EN-03 EN-04 EN-05 EN-06 EN-07 EN-08 EN-09 EN-12 EN-13 EN-14 EN-15 EN-16 EN-17 EN-18 EN-19 EN-20')
        .split(' '),
    );
    const numbered = (prefix: string, first: number, last: number): string[] =>
      Array.from({ length: last - first + 1 }, (_, index) => `${prefix}-${String(first + index).padStart(2, '0')}`);
    const rows = [...numbered('CH', 6, 30), ...numbered('EN', 1, 20)];
    expect(rows.filter((row) => here.has(row) === row in elsewhere)).toEqual([]);
  });
});
