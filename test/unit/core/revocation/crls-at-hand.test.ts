import { Revocation } from '@peercert/core';
import { createAuthority, TEST_TIME } from '@peercert/testkit';
import { pemOf } from '../../../support/crls';
import { validate } from '../../../support/validate';

const root = createAuthority();
const other = createAuthority();
const client = root.issue();
const revoked = { code: 'ERR_CERTIFICATE_REVOKED' };

describe('CRLs at hand', () => {
  it('are DER, PEM, and PEM of several', async () => {
    const crl = root.crl({ revoked: [client] });
    for (const crls of [[crl], [Buffer.from(pemOf(crl))], [Buffer.from(pemOf(other.crl(), crl))], [other.crl(), crl]]) {
      await expect(validate(client, root, { revocation: Revocation.fromCrls(crls) })).rejects.toMatchObject(revoked);
    }
  });

  it('are named by their place', async () => {
    const revocation = Revocation.fromCrls([other.crl(), root.crl()]);
    const path = await validate(client, root, { revocation });
    expect(path.revocation).toMatchObject([{ status: 'good', source: 'crls[1]' }]);
  });

  it('stay as they are, whatever becomes of the bytes given', async () => {
    const crl = root.crl({ revoked: [client] });
    const revocation = Revocation.fromCrls([crl]);
    crl.fill(0);
    await expect(validate(client, root, { revocation })).rejects.toMatchObject(revoked);
  });

  it('are taken out of the middle of a larger buffer', async () => {
    const crl = root.crl({ revoked: [client] });
    const larger = Buffer.concat([Buffer.alloc(7), crl, Buffer.alloc(7)]);
    const revocation = Revocation.fromCrls([new Uint8Array(larger.buffer, larger.byteOffset + 7, crl.length)]);
    await expect(validate(client, root, { revocation })).rejects.toMatchObject(revoked);
  });

  it('are well, and close', async () => {
    const revocation = Revocation.fromCrls([root.crl()]);
    expect(revocation.health).toEqual({ status: 'ok', methods: [{ method: 'crl', status: 'ok', sources: [] }] });
    await revocation.close();
  });

  it('no older than maxAgeSeconds count', async () => {
    const crl = root.crl({ thisUpdate: new Date(TEST_TIME.getTime() - 60_000) });
    const judged = async (maxAgeSeconds: number): Promise<unknown> =>
      validate(client, root, { revocation: Revocation.fromCrls([crl], { maxAgeSeconds }) });
    await expect(judged(60)).resolves.toBeDefined();
    await expect(judged(59)).rejects.toMatchObject({ details: { cause: 'not-current' } });
  });

  it.each<[string, unknown, unknown, string | RegExp]>([
    ['no array', root.crl(), {}, 'crls must be an array; it received an object.'],
    ['nothing', undefined, {}, 'crls must be an array; it received undefined.'],
    ['a string', [pemOf(root.crl())], {}, 'crls[0] must be a Uint8Array; it received a string.'],
    ['what cannot be read', [root.crl(), Buffer.from('x')], {}, 'crls[1]: found no CRL.'],
    ['a certificate', [Buffer.from(root.pem)], {}, 'crls[0]: found a CERTIFICATE block.'],
    [
      'an unknown option',
      [],
      { expiredGraceSeconds: 1 },
      /^Revocation.fromCrls received an unknown option, `expiredGraceSeconds`/,
    ],
    [
      'an age of nothing',
      [],
      { maxAgeSeconds: 0 },
      'maxAgeSeconds must be an integer from 1 to 31536000; it received 0.',
    ],
    ['an age beyond a year', [], { maxAgeSeconds: 31_536_001 }, /^maxAgeSeconds must be an integer/],
  ])('RV-11: are not %s', (_, crls, options, message) => {
    expect(() => Revocation.fromCrls(crls as Uint8Array[], options as object)).toThrow(message);
  });
});
