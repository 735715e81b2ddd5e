// Disagreements that a differential run has found, and that were peercert's fault.
import { createAuthority, der } from '@peercert/testkit';
import { validate } from '../support/validate';
import { Certificate } from '../../packages/core/src/x509/certificate';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../support/refusals';

const root = createAuthority({ subject: 'CN=Root' });
const decode = (bytes: Buffer) => (): Certificate => new Certificate(bytes);

describe('unique identifiers, which were passed over whatever they held', () => {
  it.each([
    ['the extensions under another tag', der.sequence(), 'has wrong unused bits'],
    ['no octet at all', Buffer.alloc(0), 'is empty'],
    ['eight unused bits', Buffer.of(8, 0), 'has wrong unused bits'],
    ['unused bits of nothing', Buffer.of(1), 'has wrong unused bits'],
    ['unused bits that are not zero', Buffer.of(1, 0x01), 'has wrong unused bits'],
  ])('are refused when they hold %s', (_, content, reason) => {
    const { der: bytes, key } = root.issue({ raw: { issuerUniqueID: der.implicit(1, content) } });
    const spki = key.publicKey.export({ type: 'spki', format: 'der' });
    const start = bytes.indexOf(spki) + spki.length + 2;
    expect(decode(bytes)).toThrowDerError(`unique identifier ${reason}`, start);
  });

  it.each([
    ['no bits', Buffer.of(0)],
    ['whole octets', Buffer.of(0, 0xff)],
    ['some bits', Buffer.of(3, 0xf8)],
  ])('are passed over when they hold %s', (_, content) => {
    const { der: bytes } = root.issue({ raw: { subjectUniqueID: der.implicit(2, content) } });
    expect(decode(bytes)().extensions.keyUsage).toBe(1);
  });
});

describe('values of a name that no value can be, which were shown as DER', () => {
  it.each([
    ['a SEQUENCE that is primitive', 0x10],
    ['a SET that is primitive', 0x11],
    ['the end of contents', 0x00],
    ['the end of contents, constructed', 0x20],
  ])('refuse the name when they are %s', (_, tag) => {
    const value = der.tlv(tag, Buffer.from('client'));
    const { der: bytes } = root.issue({ subject: [{ type: 'CN', value }] });
    expect(decode(bytes)).toThrowDerError('tag that no value has', bytes.indexOf(value));
  });

  it('are shown as DER when they are a SEQUENCE', () => {
    const { der: bytes } = root.issue({ subject: [{ type: 'CN', value: der.sequence(der.null()) }] });
    expect(decode(bytes)().subject.toString()).toBe('CN=#30020500');
  });
});

describe('a common name that other software may cut at a NUL, below constraints for host names', () => {
  const constrained = root.issueIntermediate({ nameConstraints: { permitted: { dnsNames: ['example.com'] } } });

  it.each(['api.example.net\0 x', '\0 api.example.net', 'client\0 1'])('is refused: %j', async (value) => {
    const client = constrained.issue({ subject: [{ type: 'CN', value }] });
    const details = { depth: 0, type: 'dns' };
    await expect(validate(client, root)).toRejectWith('ERR_CERTIFICATE_NAME_NOT_PERMITTED', details);
  });

  it('is nothing to constraints for other names', async () => {
    const mailOnly = root.issueIntermediate({ nameConstraints: { permitted: { emails: ['example.com'] } } });
    const client = mailOnly.issue({ subject: [{ type: 'CN', value: 'client\0 1' }] });
    expect((await validate(client, root)).certificates).toHaveLength(3);
  });
});

describe('a dNSName with a trailing period, which was compared as if it had none', () => {
  const only = root.issueIntermediate({ nameConstraints: { permitted: { dnsNames: ['example.com'] } } });
  const not = root.issueIntermediate({ nameConstraints: { excluded: { dnsNames: ['example.net'] } } });
  const details = { depth: 0, type: 'dns' };

  it.each(['a.example.com.', 'example.com.', '*.example.com.'])(
    'is refused where it is permitted: %s',
    async (name) => {
      const client = only.issue({ dnsNames: [name] });
      await expect(validate(client, root)).toRejectWith('ERR_CERTIFICATE_NAME_NOT_PERMITTED', details);
    },
  );

  it.each(['a.example.net.', 'a.example.com.'])('is refused where some names are excluded: %s', async (name) => {
    const client = not.issue({ dnsNames: [name] });
    await expect(validate(client, root)).toRejectWith('ERR_CERTIFICATE_NAME_NOT_PERMITTED', details);
  });

  it('is read where no constraint is about host names', async () => {
    const client = root.issue({ dnsNames: ['a.example.com.'] });
    expect((await validate(client, root)).certificates).toHaveLength(2);
  });
});

describe('text in a string type that is shown as DER, which name constraints passed over', () => {
  const evil = der.tlv(0x1c, Buffer.from('\0\0\0E\0\0\0v\0\0\0i\0\0\0l'));
  const refusal = 'ERR_CERTIFICATE_NAME_NOT_PERMITTED';

  it('is excluded where the same text in another type is', async () => {
    const excluding = root.issueIntermediate({ nameConstraints: { excluded: { directoryNames: ['O=Evil'] } } });
    const client = excluding.issue({ subject: [{ type: 'O', value: evil }] });
    await expect(validate(client, root)).toRejectWith(refusal, { depth: 0, type: 'directory' });
  });

  it('is excluded where the subtree has it', async () => {
    const excluded = { directoryNames: [[{ type: 'O', value: evil }]] };
    const client = root.issueIntermediate({ nameConstraints: { excluded } }).issue({ subject: 'O=Evil' });
    await expect(validate(client, root)).toRejectWith(refusal, { depth: 0, type: 'directory' });
  });

  it('is no value at all in pieces', () => {
    const value = der.tlv(0x2c, der.utf8String('Evil'));
    const { der: bytes } = root.issue({ subject: [{ type: 'O', value }] });
    expect(decode(bytes)).toThrowDerError('subject holds a value in pieces', bytes.indexOf(value) + 2);
  });
});
