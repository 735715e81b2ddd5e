import { EventEmitter } from 'node:events';
import fs, { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  createDenyList,
  type DenyList,
  type DenyListEntry,
  type DenyListOptions,
  type RevocationEvent,
} from '@peercert/core';
import { createAuthority, der, encodeName } from '@peercert/testkit';
import { Certificate } from '../../../../packages/core/src/x509/certificate';

const root = createAuthority({
  subject: [
    { type: 'O', value: 'Partner, Inc.' },
    { type: 'CN', value: 'Root' },
  ],
});
const serialNumber = Buffer.from('0a1b2c', 'hex');
const certificate = new Certificate(root.issue({ serialNumber, subjectKeyIdentifier: Buffer.of(0xab, 0xcd) }).der);
const other = new Certificate(root.issue({ serialNumber: 0x0a1b2d }).der);
const { spkiSha256, sha256: certificateSha256 } = certificate;
const subjectKeyIdentifier = 'abcd';
const issuer = 'CN=Root,O=Partner\\, Inc.';
const bySerial = { issuer, serialNumber: 'a1b2c' };

const withSerial = (octets: Uint8Array | bigint | number): Certificate =>
  new Certificate(root.issue({ serialNumber: octets }).der);
const digest = (digit: string): string => digit.repeat(64);

let folder = '';
let file = '';
let events: RevocationEvent[] = [];
const lists: DenyList[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'peercert-deny-'));
  file = join(folder, 'denied.txt');
  events = [];
  // Watches that tell nothing, so that nothing comes in between.
  const silent = Object.assign(new EventEmitter(), { close: () => {} });
  jest.spyOn(fs, 'watch').mockReturnValue(silent as unknown as fs.FSWatcher);
});
afterEach(async () => {
  jest.restoreAllMocks();
  jest.useRealTimers();
  await Promise.all(lists.splice(0).map((list) => list.close()));
  rmSync(folder, { recursive: true });
});

function listOf(options: DenyListOptions): DenyList {
  const list = createDenyList({ onEvent: (event) => events.push(event), pollSeconds: 86_400, ...options });
  lists.push(list);
  return list;
}
const listOfText = (text: string | Buffer): DenyList => {
  writeFileSync(file, text);
  return listOf({ files: file });
};

describe('an entry', () => {
  it.each<[string, DenyListEntry, string]>([
    ['issuer and serial number', bySerial, 'serial'],
    ['issuer as a name', { ...bySerial, issuer: certificate.issuer }, 'serial'],
    ['issuer in another case, with more space', { ...bySerial, issuer: 'cn=ROOT,o=partner\\,  inc.' }, 'serial'],
    ['issuer with types as OIDs', { ...bySerial, issuer: '2.5.4.3=Root,2.5.4.10=Partner\\, Inc.' }, 'serial'],
    [
      'issuer as a copy of a name',
      { ...bySerial, issuer: structuredClone({ rdns: certificate.issuer.rdns }) as never },
      'serial',
    ],
    ['a serial number with leading zeros', { issuer, serialNumber: '000a1b2c' }, 'serial'],
    ['a serial number in upper case', { issuer, serialNumber: '0A1B2C' }, 'serial'],
    ['the key', { spkiSha256 }, 'spki-sha256'],
    ['the key in upper case', { spkiSha256: spkiSha256.toUpperCase() }, 'spki-sha256'],
    ['the key identifier', { subjectKeyIdentifier }, 'subject-key-identifier'],
    ['the key identifier in upper case', { subjectKeyIdentifier: 'ABCD' }, 'subject-key-identifier'],
    ['the certificate', { certificateSha256 }, 'certificate-sha256'],
    ['the certificate in upper case', { certificateSha256: certificateSha256.toUpperCase() }, 'certificate-sha256'],
  ])('denies its certificate, and no other, by %s', (_, entry, by) => {
    const list = listOf({ entries: [entry] });
    expect([list.find(certificate), list.find(other)]).toEqual([by, undefined]);
  });

  it.each<[string, DenyListEntry]>([
    ['the same number by another issuer', { ...bySerial, issuer: 'CN=Root' }],
    ['the same issuer in another order', { ...bySerial, issuer: 'O=Partner\\, Inc.,CN=Root' }],
    ['the same issuer in one RDN', { ...bySerial, issuer: 'CN=Root+O=Partner\\, Inc.' }],
    ['another number that begins the same', { issuer, serialNumber: 'a1b2' }],
    ['another number that ends the same', { issuer, serialNumber: '1a1b2c' }],
    ['the number with a sign', { issuer, serialNumber: '-a1b2c' }],
    ['the key for the certificate', { certificateSha256: spkiSha256 }],
    ['the certificate for the key', { spkiSha256: certificateSha256 }],
    ['a key identifier that begins the same', { subjectKeyIdentifier: 'abcdef' }],
  ])('denies nobody else: %s', (_, entry) => {
    expect(listOf({ entries: [entry] }).find(certificate)).toBeUndefined();
  });

  it.each<[string, Uint8Array | bigint | number, string]>([
    ['zero', 0, '0'],
    ['zero, in full', 0, '00'],
    ['zero, with a sign', 0, '-0'],
    ['a negative number', Buffer.of(0xff, 0x01), '-ff'],
    ['a negative number with leading zeros', Buffer.of(0xff, 0x01), '-00FF'],
    ['20 octets', (1n << 160n) - 1n, 'f'.repeat(40)],
    ['20 octets, and leading zeros', (1n << 160n) - 1n, `00${'f'.repeat(40)}`],
    ['the most negative of 20 octets', -(1n << 159n), `-8${'0'.repeat(39)}`],
  ])('RV-09: may have any serial number that certificates have: %s', (_, octets, text) => {
    const entry = { issuer, serialNumber: text };
    expect(listOf({ entries: [entry] }).find(withSerial(octets))).toBe('serial');
  });

  it('RV-09: tells a negative number from the positive one of the same octets', () => {
    const list = listOf({ entries: [{ issuer, serialNumber: 'ff01' }] });
    expect(list.find(withSerial(0xff01n))).toBe('serial');
    expect(list.find(withSerial(Buffer.of(0xff, 0x01)))).toBeUndefined();
  });

  it('may name an issuer whose name is not text', () => {
    const attribute = der.sequence(der.oid('2.5.4.3'), der.tlv(0x1b, Buffer.from('x')));
    const odd = createAuthority({ raw: { subject: der.sequence(der.set(attribute)) } });
    const issued = new Certificate(
      root.issue({ serialNumber: 5, raw: { issuer: der.sequence(der.set(attribute)) } }).der,
    );
    expect(odd.der).toBeDefined();
    for (const name of [issued.issuer, issued.issuer.toString()]) {
      expect(listOf({ entries: [{ issuer: name, serialNumber: '5' }] }).find(issued)).toBe('serial');
    }
  });

  it('is found by its kind where a certificate has no such thing', () => {
    const bare = new Certificate(root.issue({ subjectKeyIdentifier: 'absent' }).der);
    expect(listOf({ entries: [{ subjectKeyIdentifier }] }).find(bare)).toBeUndefined();
  });
});

describe('an entry that can never match', () => {
  const never: readonly (readonly [string, unknown, string])[] = [
    ['nothing', undefined, 'a deny list entry takes an options object; it received undefined.'],
    ['text', 'serial 5 CN=Root', 'it received a string.'],
    ['a list', [bySerial], 'it received an array.'],
    ['no kind', {}, 'A deny list entry has issuer and serialNumber, or one of'],
    ['two kinds', { spkiSha256, certificateSha256 }, 'A deny list entry has issuer and serialNumber, or one of'],
    ['two kinds, one undefined', { spkiSha256, certificateSha256: undefined }, 'A deny list entry has'],
    ['half a kind', { serialNumber: '5' }, 'A deny list entry has issuer and serialNumber, or one of'],
    ['the other half', { issuer }, 'A deny list entry has issuer and serialNumber, or one of'],
    ['a kind by inheritance', Object.create({ spkiSha256 }), 'A deny list entry has'],
    ['an unknown kind', { fingerprint: digest('0') }, 'a deny list entry received an unknown option, `fingerprint`.'],
    ['a misspelt kind', { spkisha256: digest('0') }, 'Did you mean `spkiSha256`?'],
    ['a prefix', { issuer, serialNumber: '0x1' }, 'serialNumber must be up to 40 hexadecimal digits.'],
    ['colons', { issuer, serialNumber: '0a:1b' }, 'serialNumber must be up to 40 hexadecimal digits.'],
    ['spaces', { issuer, serialNumber: ' 5' }, 'serialNumber must be up to 40 hexadecimal digits.'],
    ['a line break', { issuer, serialNumber: '5\n' }, 'serialNumber must be up to 40 hexadecimal digits.'],
    ['no digit', { issuer, serialNumber: '' }, 'serialNumber must be up to 40 hexadecimal digits.'],
    ['a sign alone', { issuer, serialNumber: '-' }, 'serialNumber must be up to 40 hexadecimal digits.'],
    ['41 digits', { issuer, serialNumber: `1${'0'.repeat(40)}` }, 'serialNumber must be up to 40 hexadecimal digits.'],
    ['a number', { issuer, serialNumber: 5 }, 'serialNumber must be up to 40 hexadecimal digits.'],
    ['a bigint', { issuer, serialNumber: 5n }, 'serialNumber must be up to 40 hexadecimal digits.'],
    ['an issuer without a name', { issuer: '', serialNumber: '5' }, 'issuer must be a distinguished name'],
    ['an issuer that is none', { issuer: 'Root', serialNumber: '5' }, 'issuer is not the text of a name (RFC 4514)'],
    ['an issuer of OpenSSL', { issuer: '/CN=Root', serialNumber: '5' }, 'issuer is not the text of a name (RFC 4514)'],
    ['an issuer with spaces', { issuer: 'CN=Root, O=X', serialNumber: '5' }, 'issuer is not the text of a name'],
    ['no issuer', { issuer: undefined, serialNumber: '5' }, 'issuer must be a distinguished name'],
    ['an issuer of null', { issuer: null, serialNumber: '5' }, 'issuer must be a distinguished name'],
    ['an issuer in DER', { issuer: encodeName('CN=Root'), serialNumber: '5' }, 'issuer must be a distinguished name'],
    ['an issuer of nothing', { issuer: { rdns: [] }, serialNumber: '5' }, 'issuer must be a distinguished name'],
    ['an issuer with an empty part', { issuer: { rdns: [[]] }, serialNumber: '5' }, 'issuer must be a distinguished'],
    ['an issuer of numbers', { issuer: { rdns: [[5]] }, serialNumber: '5' }, 'issuer must be a distinguished name'],
    [
      'an issuer with a short name for a type',
      { issuer: { rdns: [[{ type: 'CN', value: 'Root' }]] }, serialNumber: '5' },
      'issuer must be a distinguished name',
    ],
    ['63 digits', { spkiSha256: '0'.repeat(63) }, 'spkiSha256 must be 64 hexadecimal digits.'],
    ['65 digits', { certificateSha256: '0'.repeat(65) }, 'certificateSha256 must be 64 hexadecimal digits.'],
    ['a digest in base64', { spkiSha256: Buffer.alloc(32).toString('base64') }, 'spkiSha256 must be 64 hexadecimal'],
    ['a digest in octets', { spkiSha256: Buffer.alloc(64, '0') }, 'spkiSha256 must be 64 hexadecimal digits.'],
    ['a digest in a list', { spkiSha256: [digest('0')] }, 'spkiSha256 must be 64 hexadecimal digits.'],
    ['half an octet', { subjectKeyIdentifier: 'abc' }, 'subjectKeyIdentifier must be octets in up to 128 hexadecimal'],
    ['a signed key identifier', { subjectKeyIdentifier: '-ab' }, 'subjectKeyIdentifier must be octets'],
    ['an empty key identifier', { subjectKeyIdentifier: '' }, 'subjectKeyIdentifier must be octets'],
    ['130 digits', { subjectKeyIdentifier: 'a'.repeat(130) }, 'subjectKeyIdentifier must be octets'],
  ];

  it.each(never)('is refused wherever it comes from: %s', async (_, entry, message) => {
    const entries = [bySerial, entry] as readonly DenyListEntry[];
    const list = listOf({ load: async () => entries });
    for (const act of [
      (): unknown => listOf({ entries }),
      (): unknown => list.add(entry as DenyListEntry),
      (): unknown => list.remove(entry as DenyListEntry),
    ]) {
      expect(act).toThrow(TypeError);
      expect(act).toThrow(message);
    }
    await list.reload();
    expect(list.health).toMatchObject({ status: 'degraded', entries: 0 });
    expect(list.health.sources[0]?.error?.message).toContain(message);
  });

  it('is refused when it is missing in a list', () => {
    // oxlint-disable-next-line no-sparse-arrays -- the trick under test
    expect(() => listOf({ entries: [bySerial, ,] as never })).toThrow('it received undefined.');
  });
});

describe('adding and removing', () => {
  it('counts from then on', () => {
    const list = listOf({});
    expect(list.find(certificate)).toBeUndefined();
    list.add(bySerial);
    expect(list.find(certificate)).toBe('serial');
    expect(list.remove(bySerial)).toBe(true);
    expect(list.find(certificate)).toBeUndefined();
  });

  it('changes the revision when it changes the list, and only then', () => {
    const list = listOf({});
    const revisions = [
      (): unknown => list.add(bySerial),
      (): unknown => list.add({ issuer: certificate.issuer, serialNumber: '00A1B2C' }),
      (): unknown => list.remove({ spkiSha256 }),
      (): unknown => list.remove(bySerial),
      (): unknown => list.remove(bySerial),
    ].map((act) => {
      const before = list.revision;
      act();
      return list.revision !== before;
    });
    expect(revisions).toEqual([true, false, false, true, false]);
  });

  it('takes back no entry of files', () => {
    const list = listOfText(`spki-sha256 ${spkiSha256}`);
    list.add({ spkiSha256 });
    expect([list.remove({ spkiSha256 }), list.remove({ spkiSha256 })]).toEqual([true, false]);
    expect(list.find(certificate)).toBe('spki-sha256');
  });

  it('takes one of several kinds back by itself', () => {
    const list = listOf({ entries: [bySerial, { spkiSha256 }] });
    list.remove(bySerial);
    expect(list.find(certificate)).toBe('spki-sha256');
  });

  it('costs as much for the last of many entries as for the first', () => {
    const list = listOf({});
    const started = performance.now();
    for (let index = 0; index < 50_000; index++) list.add({ issuer: 'CN=x', serialNumber: index.toString(16) });
    // Looking at all of them each time would take a minute.
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(list.health.entries).toBe(50_000);
  });
});

describe('a file', () => {
  const everyKind = [
    `serial 0A1B2C ${issuer}`,
    `spki-sha256 ${spkiSha256}`,
    `subject-key-identifier ${subjectKeyIdentifier}`,
    `certificate-sha256 ${certificateSha256}`,
  ];

  it.each(everyKind)('denies by each kind of entry: %s', (line) => {
    const list = listOfText(`${line}\n`);
    expect([list.find(certificate), list.find(other)]).toEqual([line.split(' ')[0], undefined]);
  });

  it.each<[string, string]>([
    ['comments and empty lines', `# Why\n\n   \n  # more\n${everyKind.join('\n')}\n`],
    ['CRLF', `# Why\r\n${everyKind.join('\r\n')}\r\n`],
    ['CR alone', everyKind.join('\r')],
    ['a byte order mark', `\uFEFF${everyKind.join('\n')}`],
    ['byte order marks in between', everyKind.map((line) => `\uFEFF${line}`).join('\n')],
    ['no line break at its end', everyKind.join('\n')],
    ['tabs and spaces around', everyKind.map((line) => ` \t${line.replaceAll(/ (?=\S+$|CN)/g, ' \t ')} `).join('\n')],
    ['repetition', [...everyKind, ...everyKind].join('\n')],
  ])('may have %s', (_, text) => {
    expect(listOfText(text).health.entries).toBe(4);
  });

  it.each<[string, string, string]>([
    ['an unknown word', 'serialnumber 5 CN=x', 'it begins with no known word'],
    ['a word in another case', `SPKI-SHA256 ${digest('0')}`, 'it begins with no known word'],
    ['the name of a property', 'constructor x', 'it begins with no known word'],
    ['a digest alone', digest('0'), 'it begins with no known word'],
    ['a word alone', 'spki-sha256', 'spkiSha256 must be 64 hexadecimal digits.'],
    ['a digest that is too short', 'spki-sha256 00', 'spkiSha256 must be 64 hexadecimal digits.'],
    ['something behind', `spki-sha256 ${digest('0')} # alice`, 'spkiSha256 must be 64 hexadecimal digits.'],
    ['a serial number alone', 'serial 5', 'issuer must be a distinguished name'],
    ['an issuer alone', 'serial CN=Root', 'serialNumber must be up to 40 hexadecimal digits.'],
    ['both in the wrong order', 'serial CN=Root 5', 'serialNumber must be up to 40 hexadecimal digits.'],
    ['a comment behind a name', 'serial 5 CN=Root # alice', 'a comment needs a line of its own; write \\# in a name'],
    ['a page', '<!doctype html>', 'it begins with no known word'],
  ])('is refused for a line with %s, which the message names', (_, line, problem) => {
    expect(() => listOfText(`# Denied\n\n${line}\n`)).toThrow(
      new TypeError(`The deny list ${file} has no entry in line 3: ${problem}`).message,
    );
  });

  it('may have a number sign in a name, with a backslash', () => {
    const team = createAuthority({ subject: [{ type: 'CN', value: 'Team #1' }] });
    const member = new Certificate(team.issue({ serialNumber: 5 }).der);
    expect(listOfText('serial 5 CN=Team \\#1').find(member)).toBe('serial');
  });

  it.each([
    ['Latin-1', Buffer.from('serial 5 CN=caf\u00e9', 'latin1')],
    ['a certificate', root.der],
  ])('is refused when it is not UTF-8: %s', (_, bytes) => {
    expect(() => listOfText(bytes)).toThrow(`The deny list ${file} is not text in UTF-8.`);
  });

  it('is refused in UTF-16', () => {
    expect(() => listOfText(Buffer.from(`serial 5 CN=x`, 'utf16le'))).toThrow('has no entry in line 1');
  });

  it('may be empty to begin with, may be one of several, and may be given as a URL', () => {
    expect(listOfText('').health).toMatchObject({ status: 'ok', entries: 0 });
    const another = join(folder, 'another.txt');
    writeFileSync(another, everyKind[0] as string);
    expect(listOf({ files: [file, pathToFileURL(another)] }).health.entries).toBe(1);
    expect(listOf({ files: folder }).find(certificate)).toBe('serial');
  });

  it.each<[string, () => unknown, string]>([
    ['that is not there', () => join(folder, 'missing.txt'), 'createDenyList: found no readable file at '],
    ['with an empty path', () => '', 'createDenyList takes paths of files and folders; it received an empty string.'],
    ['in no list', () => [], 'createDenyList takes paths of files and folders; it received none.'],
    ['of null', () => null, 'createDenyList takes paths of files and folders; it received null.'],
  ])('is refused when it is one %s', (_, files, message) => {
    const make = (): unknown => listOf({ files: files() as string });
    expect(make).toThrow(TypeError);
    expect(make).toThrow(message);
  });
});

describe('a file that changes', () => {
  const line = `spki-sha256 ${spkiSha256}`;
  const event = { 'clientcert.revocation.method': 'deny-list', 'clientcert.revocation.source': 'files' } as const;

  it('counts from its reload on', async () => {
    const list = listOfText('# Nobody\n');
    const { revision } = list;
    writeFileSync(file, line);
    await list.reload();
    expect(list.find(certificate)).toBe('spki-sha256');
    expect(list.revision).toBe(revision + 1);
    writeFileSync(file, '# Nobody\n');
    await list.reload();
    expect(list.find(certificate)).toBeUndefined();
    expect(events).toEqual([
      { 'event.name': 'clientcert.revocation.replaced', ...event, 'clientcert.revocation.entries': 1 },
      { 'event.name': 'clientcert.revocation.replaced', ...event, 'clientcert.revocation.entries': 0 },
    ]);
    expect(events.every((one) => Object.isFrozen(one))).toBe(true);
  });

  it('is no other for its comments', async () => {
    const list = listOfText(line);
    const { revision } = list;
    writeFileSync(file, `# Why\n${line.toUpperCase().replace('SPKI-SHA256', 'spki-sha256')}\n`);
    await list.reload();
    expect([list.revision, events]).toEqual([revision, []]);
  });

  it.each<[string, () => void, string]>([
    ['is damaged', () => writeFileSync(file, `${line}\nserial`), ' has no entry in line 2: serialNumber must be'],
    ['is emptied', () => writeFileSync(file, ''), ' is empty. To deny nobody, leave a comment.'],
    ['is gone', () => rmSync(file), 'found no readable file at '],
    [
      'is a folder with a damaged file now',
      () => {
        rmSync(file);
        mkdirSync(file);
        writeFileSync(join(file, 'x'), 'x');
      },
      ' has no entry in line 1: it begins with no known word',
    ],
    ['is another kind of file', () => writeFileSync(file, root.der), ' is not text in UTF-8.'],
  ])('goes on as it was when it %s, which is told once, and until it is well again', async (_, damage, problem) => {
    const list = listOfText(line);
    const { revision } = list;
    damage();
    await list.reload();
    await list.reload();
    expect(list.find(certificate)).toBe('spki-sha256');
    expect(list.revision).toBe(revision);
    expect(list.health).toMatchObject({ status: 'degraded', entries: 1, sources: [{ source: 'files', refusals: 2 }] });
    rmSync(file, { recursive: true, force: true });
    writeFileSync(file, line);
    await list.reload();
    expect(list.health).toMatchObject({ status: 'ok', entries: 1, sources: [{ source: 'files', status: 'ok' }] });
    expect(events).toEqual([
      {
        'event.name': 'clientcert.revocation.refused',
        ...event,
        'clientcert.revocation.entries': 1,
        'error.message': expect.stringContaining(problem),
      },
      { 'event.name': 'clientcert.revocation.recovered', ...event, 'clientcert.revocation.entries': 1 },
    ]);
  });

  it('may be emptied where it denied nobody', async () => {
    const list = listOfText('# Nobody\n');
    writeFileSync(file, '');
    await list.reload();
    expect(list.health.status).toBe('ok');
  });

  it('goes on as it was when one of a folder is damaged, and without one that was taken away', async () => {
    const [one, two] = ['one.txt', 'two.txt'].map((name) => join(folder, name)) as [string, string];
    writeFileSync(one, line);
    writeFileSync(two, `serial 0a1b2d ${issuer}`);
    const list = listOf({ files: folder });
    writeFileSync(two, 'x');
    await list.reload();
    expect([list.find(certificate), list.find(other)]).toEqual(['spki-sha256', 'serial']);
    rmSync(two);
    await list.reload();
    expect([list.find(certificate), list.find(other)]).toEqual(['spki-sha256', undefined]);
  });
});

describe('a function', () => {
  const event = { 'clientcert.revocation.method': 'deny-list', 'clientcert.revocation.source': 'load' } as const;
  const entries: readonly DenyListEntry[] = [{ spkiSha256 }];

  it('is asked at once, and what it answers counts', async () => {
    const load = jest.fn(async () => entries);
    const list = listOf({ load });
    expect(load).toHaveBeenCalledTimes(1);
    expect(list.find(certificate)).toBeUndefined();
    await list.reload();
    expect(list.find(certificate)).toBe('spki-sha256');
    expect(events).toEqual([
      { 'event.name': 'clientcert.revocation.replaced', ...event, 'clientcert.revocation.entries': 1 },
    ]);
  });

  it('says by undefined that nothing has changed, and by an empty list that nobody is denied', async () => {
    const load = jest.fn<Promise<readonly DenyListEntry[] | undefined>, []>();
    load.mockResolvedValueOnce(entries).mockResolvedValueOnce(undefined).mockResolvedValueOnce([]);
    const list = listOf({ load });
    await list.reload();
    expect([list.find(certificate), list.health.sources[0]?.generation]).toEqual(['spki-sha256', 2]);
    await list.reload();
    expect([list.find(certificate), list.health.sources[0]?.generation]).toEqual([undefined, 3]);
  });

  it.each<[string, () => unknown, string]>([
    [
      'throws',
      () => {
        throw new Error('no database');
      },
      'no database',
    ],
    ['rejects', async () => Promise.reject(new Error('no database')), 'no database'],
    ['rejects with no error', async () => Promise.reject(Object.create(null)), 'Loading failed'],
    ['answers with null', async () => null, 'load must answer with entries; it answered null.'],
    ['answers with text', async () => 'serial 5 CN=x', 'load must answer with entries; it answered a string.'],
    ['answers with a set', async () => new Set(entries), 'load must answer with entries; it answered an object.'],
    ['answers with false', async () => false, 'load must answer with entries; it answered false.'],
    // oxlint-disable-next-line no-sparse-arrays -- the trick under test
    ['answers with a gap', async () => [...entries, , ...entries], 'a deny list entry takes an options object'],
    ['answers with one bad entry', async () => [{ certificateSha256 }, {}], 'A deny list entry has'],
  ])('leaves the list as it was when it %s', async (_, answer, problem) => {
    const load = jest
      .fn<Promise<never>, []>()
      .mockResolvedValueOnce(entries as never)
      .mockImplementation(answer as never);
    const list = listOf({ load });
    await list.reload();
    await list.reload();
    expect([list.find(certificate), list.health.status, list.health.entries]).toEqual(['spki-sha256', 'degraded', 1]);
    expect(events.slice(1)).toEqual([
      {
        'event.name': 'clientcert.revocation.refused',
        ...event,
        'clientcert.revocation.entries': 1,
        'error.message': expect.stringContaining(problem),
      },
    ]);
  });

  it('degrades the list from the beginning when it fails the first time', async () => {
    const list = listOf({ load: async () => Promise.reject(new Error('no database')) });
    await list.reload();
    expect(list.health).toMatchObject({ status: 'degraded', entries: 0, sources: [{ source: 'load', generation: 1 }] });
  });

  it('is asked again and again, and sooner after a failure', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'performance'] });
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    const load = jest.fn(async () => entries);
    listOf({ load, refreshSeconds: 10 });
    const calls = [];
    for (const [index, seconds] of [0, 9.9, 0.1, 10, 1, 2].entries()) {
      if (index === 3) load.mockRejectedValue(new Error('no database'));
      await jest.advanceTimersByTimeAsync(seconds * 1000);
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
      calls.push(load.mock.calls.length);
    }
    expect(calls).toEqual([1, 1, 2, 3, 4, 5]);
  });

  it('that fails at first is asked again a second later', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'performance'] });
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    const load = jest.fn(async () => entries).mockRejectedValueOnce(new Error('no database'));
    const list = listOf({ load, refreshSeconds: 86_400 });
    for (const seconds of [0, 1]) {
      await jest.advanceTimersByTimeAsync(seconds * 1000);
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
    }
    expect(list.health.status).toBe('ok');
    expect(list.find(certificate)).toBe('spki-sha256');
  });

  it('is given up after ten seconds, is told so, and may come too late', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'performance'] });
    let answer: (entries: readonly DenyListEntry[]) => void = () => {};
    const signals: AbortSignal[] = [];
    const list = listOf({
      load: async ({ signal }) => {
        signals.push(signal);
        return new Promise((resolve) => (answer = resolve));
      },
    });
    await jest.advanceTimersByTimeAsync(9_999);
    expect([list.health.status, signals[0]?.aborted]).toEqual(['ok', false]);
    await jest.advanceTimersByTimeAsync(1);
    expect([list.health.status, signals[0]?.aborted]).toEqual(['degraded', true]);
    expect(list.health.sources[0]?.error?.message).toBe('load did not answer in time');
    answer(entries);
    await new Promise(setImmediate);
    expect(list.find(certificate)).toBeUndefined();
  });

  it('is not waited for when the list is closed, and has not failed', async () => {
    let signal: AbortSignal | undefined;
    const list = listOf({
      load: async (context) => {
        ({ signal } = context);
        return new Promise(() => {});
      },
    });
    await list.close();
    expect([signal?.aborted, list.health.status, events]).toEqual([true, 'ok', []]);
  });
});

describe('several sources', () => {
  it('count together, and each entry once', async () => {
    writeFileSync(file, `spki-sha256 ${spkiSha256}\nserial 0a1b2d ${issuer}`);
    const list = listOf({
      entries: [{ spkiSha256 }],
      files: file,
      load: async () => [{ spkiSha256 }, { certificateSha256: other.sha256 }],
    });
    await list.reload();
    expect([list.find(certificate), list.find(other)]).toEqual(['spki-sha256', 'serial']);
    expect(list.health).toMatchObject({
      status: 'ok',
      entries: 3,
      sources: [
        { source: 'files', status: 'ok', generation: 1 },
        { source: 'load', status: 'ok', generation: 2 },
      ],
    });
  });

  it('leave what was denied when the list is closed', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'performance'] });
    const load = jest.fn(async () => [{ certificateSha256: other.sha256 }]);
    writeFileSync(file, `spki-sha256 ${spkiSha256}`);
    const list = listOf({ files: file, load });
    await list.reload();
    await list.close();
    expect(jest.getTimerCount()).toBe(0);
    const calls = load.mock.calls.length;
    writeFileSync(file, '# Nobody');
    await list.reload();
    expect([list.find(certificate), list.find(other)]).toEqual(['spki-sha256', 'certificate-sha256']);
    expect(load).toHaveBeenCalledTimes(calls);
  });
});

describe('options of a deny list', () => {
  it.each<[string, unknown, string]>([
    ['null', null, 'createDenyList takes an options object; it received null.'],
    ['a list of entries', [bySerial], 'createDenyList takes an options object; it received an array.'],
    ['a misspelt name', { Entries: [] }, 'Did you mean `entries`?'],
    ['entries in a set', { entries: new Set() }, 'entries must be an array; it received an object.'],
    ['one entry', { entries: bySerial }, 'entries must be an array; it received an object.'],
    ['load that is no function', { load: [] }, 'load must be a function; it received an empty array.'],
    ['onEvent that is no function', { onEvent: true }, 'onEvent must be a function; it received true.'],
  ])('are refused: %s', (_, options, message) => {
    const make = (): unknown => createDenyList(options as DenyListOptions);
    expect(make).toThrow(TypeError);
    expect(make).toThrow(message);
  });

  it.each<[string, unknown]>([
    ['refreshSeconds', 0],
    ['refreshSeconds', 86_401],
    ['pollSeconds', 0],
    ['pollSeconds', 86_401],
    ['pollSeconds', '30'],
  ])('are refused: %s of %p', (name, value) => {
    expect(() => createDenyList({ [name]: value })).toThrow(RangeError);
  });

  it('ID-03: are refused while Object.prototype has one of their names', () => {
    const prototype = Object.prototype as Record<string, unknown>;
    prototype['entries'] = [];
    try {
      expect(() => createDenyList()).toThrow('would inherit `entries` from Object.prototype');
    } finally {
      delete prototype['entries'];
    }
  });
});

describe('a listener that fails', () => {
  it('changes nothing', async () => {
    const warnings = jest.spyOn(process, 'emitWarning').mockImplementation();
    const list = listOf({
      load: async () => [{ spkiSha256 }],
      onEvent: () => {
        throw new Error('broken');
      },
    });
    await list.reload();
    expect([list.find(certificate), list.health.status]).toEqual(['spki-sha256', 'ok']);
    expect(warnings).toHaveBeenCalledTimes(1);
  });
});
