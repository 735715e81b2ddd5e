import {
  allOf,
  anyOf,
  type ChannelProof,
  ClientCertificateError,
  dangerouslyTrustAnyPeer,
  originMtls,
  sharedSecret,
  trustedAddresses,
  TrustStore,
} from '@peercert/core';
import { createAuthority, TEST_TIME } from '@peercert/testkit';
import { edgeChannel, edgeSecret, requestOf, secretLine } from '../../../support/requests';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const root = createAuthority();
const trust = TrustStore.fromDer([root.der]);
const context = { time: TEST_TIME.getTime(), clientTrust: TrustStore.fromDer([createAuthority().der]) };
const cdn = trustedAddresses(['130.176.0.0/16']);
const next = sharedSecret({ header: 'X-Next-Secret', secrets: ['another-secret-of-enough-characters'] });

const prove = async (proof: ChannelProof, lines: readonly string[], remoteAddress = '130.176.1.1'): Promise<unknown> =>
  proof.prove(requestOf(lines, { encrypted: true, destroyed: false, remoteAddress }), context);

const secretEvidence = { proof: 'shared-secret', header: 'x-edge-secret', secret: 0 };
const addressEvidence = { proof: 'trusted-addresses', address: '130.176.1.1' };

describe('all of several proofs', () => {
  const both = allOf(cdn, edgeChannel);

  it('hold when every one does, and show the evidence of each', async () => {
    const evidence = await prove(both, secretLine);
    expect(evidence).toEqual({ proof: 'all-of', evidence: [addressEvidence, secretEvidence] });
    expect(Object.isFrozen(evidence) && Object.isFrozen((evidence as { evidence: unknown }).evidence)).toBe(true);
  });

  it('CH-02: do not hold for the address of the CDN without the secret', async () => {
    await expect(prove(both, [])).toRejectWith('ERR_CHANNEL_UNTRUSTED', {
      proof: 'shared-secret',
      reason: 'secret-missing',
    });
  });

  it('do not hold for the secret from another address', async () => {
    await expect(prove(both, secretLine, '192.0.2.1')).toRejectWith('ERR_CHANNEL_UNTRUSTED', {
      proof: 'trusted-addresses',
      reason: 'address-not-trusted',
    });
  });

  it.each([undefined, null, false, true, 'yes', {}, { proof: true }, Promise.resolve(false)])(
    'do not hold when one of them answers %p, which is no evidence',
    async (answer) => {
      const odd = { ...dangerouslyTrustAnyPeer(), prove: () => answer } as never as ChannelProof;
      for (const proof of [allOf(edgeChannel, odd), allOf(odd, edgeChannel), anyOf(odd, edgeChannel)]) {
        await expect(prove(proof, secretLine)).rejects.toThrow(new TypeError('The channel proof gave no evidence.'));
      }
    },
  );

  it('do not hold when one of them rejects later', async () => {
    const late: ChannelProof = { ...dangerouslyTrustAnyPeer(), prove: () => Promise.reject(new Error('broken')) };
    await expect(prove(allOf(edgeChannel, late), secretLine)).rejects.toThrow('broken');
  });
});

describe('any of several proofs', () => {
  const either = anyOf(edgeChannel, next);

  it('hold when one does, and show its evidence', async () => {
    await expect(prove(either, secretLine)).resolves.toEqual(secretEvidence);
    await expect(prove(either, ['X-Next-Secret', 'another-secret-of-enough-characters'])).resolves.toEqual({
      proof: 'shared-secret',
      header: 'x-next-secret',
      secret: 0,
    });
  });

  it.each<[string, readonly string[]]>([
    ['nothing', []],
    ['the secret of one in the header of the other', ['X-Next-Secret', edgeSecret]],
    ['both wrong', ['X-Edge-Secret', 'x', 'X-Next-Secret', 'y']],
  ])('do not hold for %s, and keep why in the cause', async (_, lines) => {
    const proof = prove(either, lines);
    await expect(proof).toRejectWith('ERR_CHANNEL_UNTRUSTED', { proof: 'any-of', reason: 'none-holds' });
    const error: unknown = await proof.catch((thrown: unknown) => thrown);
    const { errors } = (error as { cause: AggregateError }).cause;
    expect(errors.map((refusal: ClientCertificateError) => refusal.code)).toEqual(
      Array(2).fill('ERR_CHANNEL_UNTRUSTED'),
    );
  });

  it('do not pass over a failure that is no refusal', async () => {
    const broken: ChannelProof = {
      ...edgeChannel,
      ...dangerouslyTrustAnyPeer(),
      prove: () => {
        throw new Error('broken');
      },
    };
    await expect(prove(anyOf(broken, edgeChannel), secretLine)).rejects.toThrow('broken');
  });
});

describe('proofs put together', () => {
  const mtls = originMtls({ trust, dnsNames: ['edge.example'] });

  it.each<[string, ChannelProof, boolean]>([
    ['all of addresses and a secret', allOf(cdn, edgeChannel), true],
    ['all of two ranges', allOf(cdn, trustedAddresses(['8.8.8.8'])), false],
    ['any of addresses and a secret', anyOf(cdn, edgeChannel), false],
    ['any of two secrets', anyOf(edgeChannel, next), true],
    ['all of a secret and any of two ranges', allOf(edgeChannel, anyOf(cdn, cdn)), true],
    ['any of a secret and all of two ranges', anyOf(edgeChannel, allOf(cdn, cdn)), false],
  ])('CH-02: are as good as they are together: %s', (_, proof, expected) => {
    expect(proof.isSufficient).toBe(expected);
  });

  it.each([allOf, anyOf])('consume the headers of each, and read TLS if one does', (combine) => {
    const proof = combine(mtls, edgeChannel, next, edgeChannel);
    expect(proof.consumedHeaders).toEqual(['x-edge-secret', 'x-next-secret']);
    expect([proof.readsTlsPeer, combine(edgeChannel, next).readsTlsPeer]).toEqual([true, false]);
  });

  it.each([allOf, anyOf])('are each judged against the store of the clients', (combine) => {
    expect(() => combine(edgeChannel, mtls).checkTrust(trust)).toThrow(
      /^originMtls trusts .*, which also stands behind/,
    );
  });

  it.each<[string, unknown[]]>([
    ['none', []],
    ['one', [edgeChannel]],
    ['one and nothing', [edgeChannel, undefined]],
    ['one and null', [edgeChannel, null]],
    ['one and the options of another', [edgeChannel, { header: 'X', secrets: [] }]],
    ['a list', [[edgeChannel, next]]],
  ])('are not %s', (_, proofs) => {
    expect(() => allOf(...(proofs as ChannelProof[]))).toThrow(
      new TypeError('allOf needs two or more channel proofs.'),
    );
    expect(() => anyOf(...(proofs as ChannelProof[]))).toThrow(
      new TypeError('anyOf needs two or more channel proofs.'),
    );
  });
});
