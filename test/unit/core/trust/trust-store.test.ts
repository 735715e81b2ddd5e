import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { TrustStore, TrustStoreError } from '@peercert/core';
import { createAuthority, der } from '@peercert/testkit';
import { currentTrust } from '../../../../packages/core/src/trust/trust-store';
import { Certificate } from '../../../../packages/core/src/x509/certificate';
import { DerError } from '../../../../packages/core/src/x509/der';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const one = createAuthority({ subject: 'CN=One' });
const two = createAuthority({ subject: 'CN=Two' });
const lookAlike = createAuthority({ subject: one.subject });
const intermediate = one.issueIntermediate({ subject: 'CN=Intermediate' });

const ders = (certificates: readonly Certificate[]): readonly Buffer[] =>
  certificates.map((certificate) => certificate.der);
const keyOf = (certificate: { readonly der: Buffer }): string => new Certificate(certificate.der).subjectKey;
const block = (contents: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(contents).toString('base64')}\n-----END CERTIFICATE-----\n`;

/** The error a function throws. */
function caught(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error;
  }
}

describe('a trust store', () => {
  it.each<[string, TrustStore]>([
    ['DER', TrustStore.fromDer([one.der, two.der])],
    ['PEM text', TrustStore.fromPem(one.pem + two.pem)],
    ['PEM octets', TrustStore.fromPem(Buffer.from(one.pem + two.pem))],
    ['PEM octets behind a byte order mark', TrustStore.fromPem(Buffer.from(`\uFEFF${one.pem}${two.pem}`))],
    ['PEM text behind a byte order mark', TrustStore.fromPem(`\uFEFF${one.pem}${two.pem}`)],
    ['PEM with CRLF', TrustStore.fromPem((one.pem + two.pem).replaceAll('\n', '\r\n'))],
    [
      'PEM with octets that are not UTF-8 between blocks',
      TrustStore.fromPem(Buffer.concat([Buffer.from(one.pem), Buffer.of(0xff, 0x0a), Buffer.from(two.pem)])),
    ],
  ])('accepts anchors in %s', (_, store) => {
    expect(store.size).toBe(2);
    expect(ders(store.anchors)).toEqual([one.der, two.der]);
    expect(ders(store.intermediates)).toEqual([]);
  });

  it('finds anchors by subject, whatever its spelling', () => {
    const store = TrustStore.fromDer([one.der, two.der, lookAlike.der]);
    expect(ders(store.anchorsNamed(keyOf(createAuthority({ subject: 'CN=ONE' }))))).toEqual([one.der, lookAlike.der]);
    expect(ders(store.anchorsNamed(keyOf(two)))).toEqual([two.der]);
    expect(store.anchorsNamed(keyOf(intermediate))).toEqual([]);
  });

  it('counts a certificate given twice once, and two of one name twice', () => {
    expect(TrustStore.fromPem(one.pem + one.pem + one.pem).size).toBe(1);
    expect(TrustStore.fromDer([one.der, lookAlike.der, one.der]).size).toBe(2);
  });

  it.each<[string, TrustStore]>([
    ['DER', TrustStore.fromDer([one.der], { intermediates: [intermediate.der, intermediate.der] })],
    ['PEM', TrustStore.fromPem(one.pem, { intermediates: intermediate.pem + intermediate.pem })],
    ['PEM octets', TrustStore.fromPem(one.pem, { intermediates: Buffer.from(intermediate.pem) })],
  ])('keeps operator intermediates in %s apart from anchors', (_, store) => {
    expect(store.size).toBe(1);
    expect(ders(store.anchors)).toEqual([one.der]);
    expect(ders(store.intermediates)).toEqual([intermediate.der]);
    expect(ders(store.intermediatesNamed(keyOf(intermediate)))).toEqual([intermediate.der]);
    expect(store.anchorsNamed(keyOf(intermediate))).toEqual([]);
    expect(store.intermediatesNamed(keyOf(one))).toEqual([]);
  });

  it('keeps copies: the buffers it was given may change', () => {
    const given = Buffer.from(one.der);
    const store = TrustStore.fromDer([given], { intermediates: [given] });
    given.fill(0);
    expect(ders([...store.anchors, ...store.intermediates])).toEqual([one.der, one.der]);
  });

  it('gives lists that may be changed without changing the store', () => {
    const store = TrustStore.fromDer([one.der]);
    (store.anchors as Certificate[]).pop();
    expect(ders(store.anchors)).toEqual([one.der]);
  });

  it('writes its anchors as PEM that reads back, and never its intermediates', () => {
    const pem = TrustStore.fromDer([one.der, two.der], { intermediates: [intermediate.der] }).toPem();
    expect(pem).toEqual([one.pem, two.pem]);
  });

  it('cannot be made but by its factories', () => {
    expect(new Set(Object.getOwnPropertyNames(TrustStore))).toEqual(
      new Set(['length', 'name', 'prototype', 'fromPem', 'fromDer', 'fromFile', 'union', 'assemble']),
    );
  });

  it('is what a provider has now', () => {
    const store = TrustStore.fromDer([one.der]);
    const next = TrustStore.fromDer([two.der]);
    const provider = { current: store, close: () => Promise.resolve() };
    expect(currentTrust(store)).toBe(store);
    expect(currentTrust(provider)).toBe(store);
    provider.current = next;
    expect(currentTrust(provider)).toBe(next);
  });
});

describe('a union of trust stores', () => {
  const pinned = one.issue();
  const first = TrustStore.fromDer([one.der], { intermediates: [intermediate.der], constraints: { maxPathLength: 1 } });
  const second = TrustStore.fromDer([two.der, one.der], {
    pinnedEndEntities: [pinned.der],
    constraints: { maxPathLength: 2 },
  });

  it('has what each of them has, once', () => {
    const store = TrustStore.union([first, second]);
    expect(ders(store.anchors)).toEqual([one.der, two.der]);
    expect(ders(store.intermediates)).toEqual([intermediate.der]);
    expect(ders(store.pinnedEndEntities)).toEqual([pinned.der]);
    expect(store.size).toBe(3);
    expect(store.generation).toBe(0);
  });

  it('holds an anchor to what each store says, and no other', () => {
    const store = TrustStore.union([first, second]);
    const lengths = store.anchors.map((anchor) =>
      store.constraintsOn(anchor).map(({ maxPathLength }) => maxPathLength),
    );
    expect(lengths).toEqual([[1, 2], [2]]);
  });

  it('of one store is that store again, by digest', () => {
    expect(TrustStore.union([first]).sha256).toBe(first.sha256);
    expect(TrustStore.union([first, second]).sha256).toBe(TrustStore.union([second, first]).sha256);
  });

  it.each([
    [[], 'an empty array'],
    [[first, undefined], 'an array'],
    [first, 'an object'],
    [undefined, 'undefined'],
  ])('rejects what is no list of stores: %#', (stores, received) => {
    expect(() => TrustStore.union(stores as never)).toThrow(
      new TypeError(`TrustStore.union takes a list of stores; it received ${received}.`),
    );
  });
});

describe('what is no trust store', () => {
  it.each<[string, () => TrustStore, string]>([
    ['an empty list', () => TrustStore.fromDer([]), 'no certificate'],
    ['empty text', () => TrustStore.fromPem(''), 'an empty file'],
    ['no octets', () => TrustStore.fromPem(Buffer.alloc(0)), 'an empty file'],
    ['a byte order mark alone', () => TrustStore.fromPem(Buffer.from('\uFEFF')), 'an empty file'],
    ['white space', () => TrustStore.fromPem(' \r\n\t\n'), 'only white space'],
    ['garbage', () => TrustStore.fromPem('garbage'), 'text without a PEM certificate'],
    ['a comment', () => TrustStore.fromPem('# no anchors yet\n'), 'text without a PEM certificate'],
    ['HTML', () => TrustStore.fromPem('<html>404</html>'), 'markup, such as an error page, where PEM is expected'],
    ['DER where PEM is expected', () => TrustStore.fromPem(one.der), 'DER where PEM is expected; use fromDer'],
    [
      'PEM in UTF-16',
      () => TrustStore.fromPem(Buffer.from(`\uFEFF${one.pem}`, 'utf16le')),
      'text in UTF-16 where PEM is expected',
    ],
    [
      'no operator intermediate where some are given',
      () => TrustStore.fromPem(one.pem, { intermediates: '' }),
      'an empty file',
    ],
  ])('rejects %s', (_, make, found) => {
    expect(make).toThrowWithCode('ERR_TRUST_STORE_EMPTY', { found });
    expect(make).toThrow(`The trust store holds no certificate: found ${found}.`);
  });

  it('accepts an empty list of operator intermediates in DER', () => {
    expect(TrustStore.fromDer([one.der], { intermediates: [] }).size).toBe(1);
  });

  it('rejects a private key, and quotes nothing of it', () => {
    const make = (): TrustStore => TrustStore.fromPem(one.pem + one.privateKeyPem);
    const line = one.pem.split('\n').length;
    expect(make).toThrowWithCode('ERR_TRUST_STORE_PRIVATE_KEY', { found: 'a PRIVATE KEY block', line });
    expect(make).toThrow(`The trust store holds a private key: found a PRIVATE KEY block (line ${line}).`);
  });

  it('rejects a truncated bundle', () => {
    const make = (): TrustStore => TrustStore.fromPem(one.pem + two.pem.slice(0, -30));
    const line = one.pem.split('\n').length;
    const found = 'a CERTIFICATE block without its END';
    expect(make).toThrowWithCode('ERR_TRUST_STORE_MALFORMED', { found, line });
    expect(make).toThrow(`The trust store is malformed: found ${found} (line ${line}).`);
  });

  it('rejects a TRUSTED CERTIFICATE', () => {
    const make = (): TrustStore => TrustStore.fromPem(one.pem.replaceAll(' CERTIFICATE', ' TRUSTED CERTIFICATE'));
    expect(make).toThrowWithCode('ERR_TRUST_STORE_MALFORMED', { found: 'a TRUSTED CERTIFICATE block', line: 1 });
  });

  const trailing = Buffer.concat([two.der, Buffer.of(0)]);
  it.each<[string, () => TrustStore, string, number]>([
    [
      'DR-01: rejects a certificate with a trailing octet',
      () => TrustStore.fromDer([one.der, trailing]),
      `unexpected data after Certificate at octet ${two.der.length}`,
      2,
    ],
    [
      'DR-01: rejects the same in PEM',
      () => TrustStore.fromPem(one.pem + block(trailing)),
      `unexpected data after Certificate at octet ${two.der.length}`,
      2,
    ],
    [
      'DR-01: rejects two certificates in one block',
      () => TrustStore.fromPem(block(Buffer.concat([one.der, two.der]))),
      `unexpected data after Certificate at octet ${one.der.length}`,
      1,
    ],
    [
      'rejects a certificate cut short',
      () => TrustStore.fromDer([one.der.subarray(0, -1)]),
      'element is longer than what holds it at octet 0',
      1,
    ],
    [
      'DR-02: rejects an indefinite length',
      () => TrustStore.fromDer([der.tlv(0x30, one.der.subarray(4), { indefinite: true })]),
      'indefinite length at octet 1',
      1,
    ],
    [
      'rejects PEM where DER is expected',
      () => TrustStore.fromDer([Buffer.from(one.pem)]),
      'Certificate expected at octet 0',
      1,
    ],
    [
      'rejects no octets where DER is expected',
      () => TrustStore.fromDer([Buffer.alloc(0)]),
      'Certificate expected at octet 0',
      1,
    ],
    [
      'rejects a broken operator intermediate',
      () => TrustStore.fromDer([one.der], { intermediates: [intermediate.der, trailing] }),
      `unexpected data after Certificate at octet ${two.der.length}`,
      2,
    ],
    [
      'rejects a broken operator intermediate in PEM',
      () => TrustStore.fromPem(one.pem, { intermediates: block(trailing) }),
      `unexpected data after Certificate at octet ${two.der.length}`,
      1,
    ],
  ])('%s', (_, make, reason, index) => {
    const found = `a certificate that is not strict DER: ${reason}`;
    expect(make).toThrowWithCode('ERR_TRUST_STORE_MALFORMED', { found, index });
    expect(make).toThrow(`The trust store is malformed: found ${found} (certificate ${index}).`);
    expect((caught(make) as Error).cause).toBeInstanceOf(DerError);
  });

  it('is not what an error of another kind says', () => {
    expect(() => TrustStore.fromDer([undefined as never])).toThrow(TypeError);
  });

  it('is described by a TrustStoreError with a name and a stack', () => {
    const error = caught(() => TrustStore.fromDer([])) as TrustStoreError;
    expect(error).toBeInstanceOf(TrustStoreError);
    expect(error.name).toBe('TrustStoreError');
    expect(error.stack).toContain('\n');
  });
});

describe('a trust store in files', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'peercert-trust-store-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const write = (name: string, contents: string | Uint8Array): string => {
    const path = join(folder, name);
    writeFileSync(path, contents);
    return path;
  };

  it('accepts paths and file URLs', () => {
    const anchors = write('anchors.pem', one.pem + two.pem);
    const intermediates = write('intermediates.pem', intermediate.pem);
    const store = TrustStore.fromFile(pathToFileURL(anchors), { intermediates: pathToFileURL(intermediates) });
    expect(ders(store.anchors)).toEqual([one.der, two.der]);
    expect(ders(store.intermediates)).toEqual([intermediate.der]);
    expect(ders(TrustStore.fromFile(anchors, { intermediates }).intermediates)).toEqual([intermediate.der]);
    expect(TrustStore.fromFile(anchors).size).toBe(2);
  });

  it('accepts a byte order mark and CRLF', () => {
    expect(TrustStore.fromFile(write('windows.pem', `\uFEFF${one.pem.replaceAll('\n', '\r\n')}`)).size).toBe(1);
  });

  it('rejects an empty file', () => {
    const file = write('empty.pem', '');
    const make = (): TrustStore => TrustStore.fromFile(file);
    expect(make).toThrowWithCode('ERR_TRUST_STORE_EMPTY', { found: 'an empty file', file });
    expect(make).toThrow(`The trust store holds no certificate: found an empty file (${file}).`);
  });

  it('accepts one certificate in DER, and PEM beside it', () => {
    const der = write('anchor.der', one.der);
    expect(ders(TrustStore.fromFile(der).anchors)).toEqual([one.der]);
    const pem = write('anchors.pem', two.pem);
    expect(ders(TrustStore.fromFile([der, pathToFileURL(pem)]).anchors)).toEqual([one.der, two.der]);
    expect(ders(TrustStore.fromFile(pem, { pinnedEndEntities: der }).pinnedEndEntities)).toEqual([one.der]);
  });

  it('accepts a folder: its files in the order of their names, without hidden ones, backups and folders', () => {
    const path = join(folder, 'folder');
    mkdirSync(join(path, 'inner'), { recursive: true });
    write('folder/b.pem', one.pem);
    write('folder/a.pem', two.pem);
    write('folder/.hidden.pem', 'garbage');
    write('folder/a.pem~', 'garbage');
    write('folder/inner/c.pem', 'garbage');
    expect(ders(TrustStore.fromFile(path).anchors)).toEqual([two.der, one.der]);
    const readme = write('folder/README', 'Our CAs');
    expect(() => TrustStore.fromFile(path)).toThrowWithCode('ERR_TRUST_STORE_EMPTY', {
      found: 'text without a PEM certificate',
      file: readme,
    });
  });

  it('rejects an empty folder, and no path at all', () => {
    const path = join(folder, 'empty');
    mkdirSync(path);
    expect(() => TrustStore.fromFile(path)).toThrowWithCode('ERR_TRUST_STORE_EMPTY', { found: 'no certificate' });
    expect(() => TrustStore.fromFile([])).toThrowWithCode('ERR_TRUST_STORE_EMPTY', { found: 'no certificate' });
  });

  it.each<[unknown, string]>([
    ['', 'an empty string'],
    [undefined, 'undefined'],
    [1, '1'],
    [['a.pem', null], 'null'],
    [[['a.pem']], 'an array'],
  ])('rejects %p for a path', (path, received) => {
    expect(() => TrustStore.fromFile(path as string)).toThrow(
      new TypeError(`TrustStore.fromFile takes paths of files and folders; it received ${received}.`),
    );
  });

  it.each(['missing.pem', 'missing/anchors.pem'])(
    'rejects a file that cannot be read, and keeps the reason: %s',
    (name) => {
      const path = join(folder, name);
      const make = (): TrustStore => TrustStore.fromFile(path);
      expect(make).toThrowWithCode('ERR_TRUST_STORE_UNREADABLE', { found: `no readable file at ${path}` });
      expect(make).toThrow(`The trust store cannot be read: found no readable file at ${path}.`);
      expect((caught(make) as Error).cause).toMatchObject({ code: 'ENOENT' });
    },
  );

  it('rejects operator intermediates that cannot be read', () => {
    const anchors = write('anchors.pem', one.pem);
    const missing = join(folder, 'missing.pem');
    expect(() => TrustStore.fromFile(anchors, { intermediates: missing })).toThrowWithCode(
      'ERR_TRUST_STORE_UNREADABLE',
      { found: `no readable file at ${missing}` },
    );
  });
});
