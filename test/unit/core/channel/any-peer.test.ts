import { createChannelGuard, cloudFront, dangerouslyTrustAnyPeer, TrustStore } from '@peercert/core';
import { cloudFrontHeaders, createAuthority } from '@peercert/testkit';
import { admitted, behindEdge, callerOf, requestOf } from '../../../support/requests';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const root = createAuthority();
const client = root.issue({ uris: ['urn:client'] });
const stranger = createAuthority({ subject: 'CN=Stranger' }).issue();
const source = cloudFront({ channel: dangerouslyTrustAnyPeer() });

describe('a proof that anybody passes', () => {
  it('says so beside every identity', async () => {
    const request = requestOf(cloudFrontHeaders(client).flat(), { remoteAddress: '203.0.113.7' });
    const outcome = await admitted(behindEdge([root], { source }), request);
    expect(outcome).toMatchObject({ status: 'authenticated', channel: { proof: 'any-peer' } });
    expect(Object.isFrozen(outcome.channel)).toBe(true);
  });

  it('needs no word of the peer, reads no TLS and hides no header', () => {
    const proof = dangerouslyTrustAnyPeer();
    expect(proof).toMatchObject({ proof: 'any-peer', isSufficient: true, readsTlsPeer: false, consumedHeaders: [] });
    expect(Object.isFrozen(proof)).toBe(true);
    expect(() => proof.checkTrust(TrustStore.fromDer([root.der]))).not.toThrow();
  });

  it('is enough to require a channel', async () => {
    await expect(createChannelGuard(dangerouslyTrustAnyPeer())(requestOf([]), undefined)).resolves.toEqual({
      admitted: true,
      identity: undefined,
    });
  });

  it('makes no certificate good that is not', async () => {
    const request = requestOf(cloudFrontHeaders(stranger).flat());
    await expect(callerOf(behindEdge([root], { source }), request)).toRejectWith('ERR_PATH_ISSUER_UNKNOWN', {
      depth: 1,
      issuer: 'CN=Stranger',
    });
  });
});
