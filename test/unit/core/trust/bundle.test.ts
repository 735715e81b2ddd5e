import { createAuthority } from '@peercert/testkit';
import { UnreadableFileError } from '../../../../packages/core/src/files';
import { runAtOnce } from '../../../../packages/core/src/slices';
import { asUnreadable, certificatesOf, reuseCertificates } from '../../../../packages/core/src/trust/bundle';
import { TrustStore } from '../../../../packages/core/src/trust/trust-store';
import { Certificate } from '../../../../packages/core/src/x509/certificate';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const one = createAuthority({ subject: 'CN=One' });
const two = createAuthority({ subject: 'CN=Two' });
const path = '/etc/ca/anchors.pem';
const decode = (bytes: string | Buffer, file: string | undefined = path): readonly Buffer[] => {
  const given = { ...(file !== undefined && { path: file }), bytes: Buffer.from(bytes) };
  return runAtOnce(certificatesOf(given)).map(({ der }) => der);
};
const lines = one.pem.split('\n').length;
const ofSize = (octets: number) => createAuthority({ subject: `CN=${'x'.repeat(octets)}` }).der;

describe('a file of certificates', () => {
  it.each<[string, string | Buffer, readonly Buffer[]]>([
    ['PEM', one.pem + two.pem, [one.der, two.der]],
    ['PEM behind a byte order mark', `\uFEFF${one.pem}`, [one.der]],
    ['PEM with CRLF', one.pem.replaceAll('\n', '\r\n'), [one.der]],
    ['PEM with CR', one.pem.replaceAll('\n', '\r'), [one.der]],
    ['PEM with text in any encoding', Buffer.concat([Buffer.of(0xff, 0xe9, 0x0a), Buffer.from(one.pem)]), [one.der]],
    ['one certificate in DER', one.der, [one.der]],
    ['a large certificate in DER', ofSize(1_000), [expect.any(Buffer)] as never],
  ])('F3: may be %s', (_, bytes, expected) => {
    expect(decode(bytes)).toEqual(expected);
  });

  it.each<[string, string | Buffer, string]>([
    ['nothing', '', 'an empty file'],
    ['a byte order mark alone', '\uFEFF', 'an empty file'],
    ['white space', '\r\n \t', 'only white space'],
    ['garbage', Buffer.from([1, 2, 3, 0, 255]), 'text without a PEM certificate'],
    ['a README', '# Our CAs\n\nAsk the platform team.\n', 'text without a PEM certificate'],
    ['an error page', '\n<!doctype html><title>403</title>', 'markup, such as an error page, where PEM is expected'],
    ['XML', '<?xml version="1.0"?><Error/>', 'markup, such as an error page, where PEM is expected'],
    ['UTF-16', Buffer.from(`\uFEFF${one.pem}`, 'utf16le'), 'text in UTF-16 where PEM is expected'],
    [
      'UTF-16, the other way',
      Buffer.from(`\uFEFF${one.pem}`, 'utf16le').swap16(),
      'text in UTF-16 where PEM is expected',
    ],
    ['BER of indefinite length', Buffer.of(0x30, 0x80, 0, 0), 'text without a PEM certificate'],
  ])('F3: is not %s', (_, bytes, found) => {
    expect(() => decode(bytes)).toThrowWithCode('ERR_TRUST_STORE_EMPTY', { found, file: path });
    expect(() => decode(bytes)).toThrow(`The trust store holds no certificate: found ${found} (${path}).`);
  });

  it.each<[string, string, string, number]>([
    ['a TRUSTED CERTIFICATE', one.pem.replaceAll(' CERT', ' TRUSTED CERT'), 'a TRUSTED CERTIFICATE block', lines],
    ['PKCS #7', '-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n', 'a PKCS7 block', lines],
    ['an END without its BEGIN', '-----END CERTIFICATE-----\n', 'END CERTIFICATE without its BEGIN', lines],
    ['half a certificate', two.pem.slice(0, 200), 'a CERTIFICATE block without its END', lines],
  ])('F3: is not one with %s, and the file and line are named', (_, after, found, line) => {
    expect(() => decode(one.pem + after)).toThrowWithCode('ERR_TRUST_STORE_MALFORMED', { found, line, file: path });
    expect(() => decode(one.pem + after)).toThrow(
      `The trust store is malformed: found ${found} (line ${line} of ${path}).`,
    );
  });

  it('F3: is not one with a private key, of which nothing is quoted', () => {
    const make = (): unknown => decode(one.pem + one.privateKeyPem);
    expect(make).toThrowWithCode('ERR_TRUST_STORE_PRIVATE_KEY', {
      found: 'a PRIVATE KEY block',
      line: lines,
      file: path,
    });
    expect(make).toThrow(`The trust store holds a private key: found a PRIVATE KEY block (line ${lines} of ${path}).`);
  });

  it('F3: is not DER with something behind it, such as another certificate or a PKCS #7 bag', () => {
    const found = `a certificate that is not strict DER: unexpected data after Certificate at octet ${one.der.length}`;
    const make = (): unknown => decode(Buffer.concat([one.der, two.der]));
    expect(make).toThrowWithCode('ERR_TRUST_STORE_MALFORMED', { found, file: path });
    expect(make).toThrow(`The trust store is malformed: found ${found} (${path}).`);
  });

  it('F3: is not PEM of what is no certificate; the how-manieth it is, is named', () => {
    const broken = `-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n`;
    expect(() => decode(one.pem + broken)).toThrow(
      /found a certificate that is not strict DER: .* \(certificate 2 of \/etc/,
    );
  });

  it('without a name is described without one', () => {
    expect(() => runAtOnce(certificatesOf({ bytes: Buffer.alloc(0) }))).toThrowWithCode('ERR_TRUST_STORE_EMPTY', {
      found: 'an empty file',
    });
  });

  it('is read a certificate at a time', () => {
    const reading = certificatesOf({ bytes: Buffer.from(one.pem + two.pem) });
    expect([reading.next(), reading.next()].map(({ done }) => done)).toEqual([false, false]);
    expect(reading.next()).toMatchObject({ done: true, value: { length: 2 } });
  });

  it('F8: is given up now and then, be it a log of a thousand lines', () => {
    const reading = certificatesOf({ bytes: Buffer.from('a line of a log\n'.repeat(3_500)) });
    expect([reading.next(), reading.next(), reading.next()].map(({ done }) => done)).toEqual([false, false, false]);
    expect(() => reading.next()).toThrow('text without a PEM certificate');
  });

  it('is copied: its certificates do not change with the buffer', () => {
    const bytes = Buffer.from(one.der);
    const [certificate] = runAtOnce(certificatesOf({ bytes }));
    bytes.fill(0);
    expect(certificate?.der).toEqual(one.der);
  });
});

describe('certificates that are in use', () => {
  it('are the same objects again; others are what they are', () => {
    const store = TrustStore.fromDer([one.der]);
    const [again, another] = [one, two].map(({ der }) => new Certificate(Buffer.from(der))) as [
      Certificate,
      Certificate,
    ];
    const reused = runAtOnce(reuseCertificates([again, another], store));
    expect(reused[0]).toBe(store.anchors[0]);
    expect(reused[1]).toBe(another);
    expect(runAtOnce(reuseCertificates([again], undefined))[0]).toBe(again);
  });
});

describe('what a file that cannot be read is', () => {
  it('is unreadable, with its cause; anything else stays what it is', () => {
    const cause = new Error('EIO');
    const error = asUnreadable(new UnreadableFileError('no readable file at /x', { cause }));
    expect(error).toMatchObject({
      code: 'ERR_TRUST_STORE_UNREADABLE',
      details: { found: 'no readable file at /x' },
      message: 'The trust store cannot be read: found no readable file at /x.',
      cause,
    });
    expect(asUnreadable(cause)).toBe(cause);
  });
});
