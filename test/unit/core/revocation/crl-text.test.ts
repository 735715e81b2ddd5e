import { gzipSync } from 'node:zlib';
import { createAuthority } from '@peercert/testkit';
import { CrlTextError, decodeCrls } from '../../../../packages/core/src/revocation/crl-text';
import { runAtOnce } from '../../../../packages/core/src/slices';
import { pemOf } from '../../../support/crls';

const root = createAuthority({ subject: 'CN=Root' });
const first = root.crl({ crlNumber: 1 });
const second = root.crl({ crlNumber: 2, revoked: [{ serialNumber: 1 }] });

const decode = (given: Uint8Array | string): readonly Buffer[] =>
  runAtOnce(decodeCrls(Buffer.from(given as string))).map(({ der }) => der);
const refusal = (found: string): Error => new CrlTextError(found);

const begin = '-----BEGIN X509 CRL-----';
const end = '-----END X509 CRL-----';
const notBase64 = 'an X509 CRL block that is not base64';
const noEnd = 'an X509 CRL block without its END';
const noBlock = 'a line of five hyphens that begins no X509 CRL block';
const page = 'markup, such as an error page, where a CRL is expected';
const notStrict = (reason: string, at: number): string => `a CRL that is not strict DER: ${reason} at octet ${at}`;

/** Both in PEM, with lines of so many characters. */
const inLines = (width: number): string =>
  [first, second]
    .map((der) => `${begin}\n${der.toString('base64').replaceAll(new RegExp(`.{1,${width}}`, 'g'), '$&\n')}${end}`)
    .join('\n');

describe('the CRLs in a file', () => {
  it('are one in DER', () => {
    expect(decode(first)).toEqual([first]);
  });

  it('keep the bytes of DER, and copy nothing', () => {
    const bytes = Buffer.from(first);
    expect(runAtOnce(decodeCrls(bytes))[0]?.der).toBe(bytes);
  });

  it('are any number in PEM, in their order', () => {
    expect(decode(pemOf(first))).toEqual([first]);
    expect(decode(pemOf(first, second, first))).toEqual([first, second, first]);
  });

  it.each<[string, string]>([
    ['text between them', `Root\n${pemOf(first)}Revocation List (CRL):\n  - ---- \n${pemOf(second)}the end`],
    ['CRLF', pemOf(first, second).replaceAll('\n', '\r\n')],
    ['CR', pemOf(first, second).replaceAll('\n', '\r')],
    ['base64 in one line', inLines(10_000)],
    ['a character in a line', inLines(1)],
    ['blanks and tabs', pemOf(first, second).replaceAll('\n', ' \t\n')],
    ['a byte order mark', `\ufeff${pemOf(first, second)}`],
    ['no line end at the end', pemOf(first, second).trimEnd()],
    ['text that begins as DER might', `0 is the first character\n${pemOf(first, second)}`],
  ])('are read from PEM with %s', (_, text) => {
    expect(decode(text)).toEqual([first, second]);
  });

  it.each<[string, string | Uint8Array, string]>([
    ['nothing', '', 'an empty file'],
    ['white space', ' \n\n', 'no CRL'],
    ['garbage', Buffer.from('d8ff00ee', 'hex'), 'no CRL'],
    ['a page', '<!DOCTYPE html><p>Sign in</p>', page],
    ['a page behind blanks', '\n  <html>', page],
    ['gzip', gzipSync(first), 'gzip where a CRL is expected'],
    ['base64 without PEM', first.toString('base64'), 'no CRL'],
    ['half of the DER', first.subarray(0, 99), notStrict('element is longer than what holds it', 0)],
    [
      'DER and more',
      Buffer.concat([first, Buffer.of(0)]),
      notStrict('unexpected data after CertificateList', first.length),
    ],
    ['two in DER', Buffer.concat([first, second]), notStrict('unexpected data after CertificateList', first.length)],
    ['a PEM block without its END', pemOf(first).slice(0, -30), noEnd],
    ['a PEM block with half an END', pemOf(first).slice(0, -4), noEnd],
    ['a PEM block with another END', pemOf(first).replace('END X509 CRL', 'END X509 CRX'), noEnd],
    ['a PEM block in another', pemOf(first).replace('\n', `\n${begin}\n`), noEnd],
    ['an END by itself', end, 'END X509 CRL without its BEGIN'],
    ['a certificate', root.pem, 'a CERTIFICATE block'],
    ['a certificate behind a CRL', pemOf(first) + root.pem, 'a CERTIFICATE block'],
    ['a private key', root.privateKeyPem, 'a PRIVATE KEY block'],
    ['a label too long to be quoted', `-----BEGIN ${'X'.repeat(1_000)}-----`, noBlock],
    ['a label with an escape', '-----BEGIN \u001b[2J-----', noBlock],
    ['a ruler', `----------\n${pemOf(first)}`, noBlock],
    ['an empty block', begin + end, notStrict('CertificateList expected', 0)],
    ['a block of one character', `${begin}A${end}`, notBase64],
    ['base64url', pemOf(first).replace(/\n(.{10})./, '\n$1_'), notBase64],
    ['a header in the block', pemOf(first).replace('\n', '\nProc-Type: 4,ENCRYPTED\n'), notBase64],
    ['padding in the middle', pemOf(first).replace(/\n(.{8})/, '\n$1===='), notBase64],
  ])('RV-10: are not %s', (_, given, found) => {
    expect(() => decode(given)).toThrow(refusal(found));
  });

  it('RV-10: are none when one of several cannot be read', () => {
    expect(() => decode(pemOf(first, Buffer.of(0x30, 0), second))).toThrow(/not strict DER/);
  });

  it('RV-10: are a thousand at most', () => {
    const thousand = pemOf(first).repeat(1_000);
    expect(decode(thousand)).toHaveLength(1_000);
    expect(() => decode(thousand + pemOf(first))).toThrow(refusal('more than 1000 CRLs'));
  });

  it('RV-10: are of 64 MiB at most, each', () => {
    const large = Buffer.alloc(64 * 1024 * 1024 + 1);
    large.set([0x30, 0x84, 0x03, 0xff, 0xff, 0xfb]);
    expect(() => decode(large)).toThrow(refusal(notStrict('CRL is too large', 0)));
  });
});

describe('a CRL that is decoded in several slices', () => {
  /** Some 550,000 octets, and so many more. */
  const large = [0, 1, 2].map((more) =>
    root.crl({
      revoked: Array.from({ length: 25_000 }, (_, index) => ({ serialNumber: 0x100000 + index })),
      extensions: [{ oid: '1.2.3', value: Buffer.concat([Buffer.of(4, more), Buffer.alloc(more)]) }],
    }),
  );

  it.each(large.map(({ length }, index) => [length, index]))('is read, whatever its length: %d', (length, index) => {
    const der = large[index] as Buffer;
    expect(length).toBeGreaterThan(2 * 262_144);
    const texts = [pemOf(der), pemOf(der).replaceAll('\n', '\r\n'), `${begin}${der.toString('base64')}${end}`];
    // Comparing octet by octet, as toEqual does, takes seconds.
    expect(texts.map((text) => decode(text).map((bytes) => bytes.equals(der)))).toEqual([[true], [true], [true]]);
  });

  it('is read when its padding ends with a slice, and only line ends come after that', () => {
    for (const more of [1, 2, 3]) {
      const der = root.crl({
        extensions: [{ oid: '1.2.3', value: Buffer.concat([Buffer.of(4, more), Buffer.alloc(more)]) }],
      });
      const text = der.toString('base64').padStart(524_288, ' ');
      for (const lineEnds of [1, 524_288, 524_289]) {
        expect(decode(`${begin}${text}${'\n'.repeat(lineEnds)}${end}`)).toEqual([der]);
      }
    }
  });

  it('is found wherever its BEGIN and END are', () => {
    for (const before of [524_287, 524_286, 524_284, 524_283, 524_264, 1_048_575]) {
      expect(decode(`${'-- \n'.repeat(before).slice(-before)}${pemOf(first)}`)).toEqual([first]);
      const blanks = ' '.repeat(before - first.toString('base64').length);
      expect(decode(`${begin}${first.toString('base64')}${blanks}${end}`)).toEqual([first]);
    }
  });

  it('RV-10: is not base64 with padding at the end of a slice', () => {
    const text = (large[0] as Buffer).toString('base64');
    const padded = `${text.slice(0, 524_284)}AA==${text.slice(524_288)}`;
    expect(() => decode(begin + padded + end)).toThrow(refusal(notBase64));
  });

  it('gives others a turn between slices', () => {
    const steps = decodeCrls(Buffer.from(pemOf(large[0] as Buffer)));
    let pauses = 0;
    while (steps.next().done !== true) pauses += 1;
    expect(pauses).toBeGreaterThan(30);
  });
});
