import { type AuthenticatorOptions, cloudFront, encodeClientCert, type OutcomeEvent } from '@peercert/core';
import { createAuthority, daysFromTestTime, der, TEST_TIME } from '@peercert/testkit';
import { behindEdge, callerOf, countingDecodes, edgeChannel, fromEdge } from '../support/requests';

const root = createAuthority();
const alice = root.issue({ uris: ['urn:alice'] });
const ofAlice = (): ReturnType<typeof fromEdge> => fromEdge('Client-Cert', encodeClientCert(alice.der));

/** An authenticator, and how often it knew the verdict already. */
function counting(options: Partial<AuthenticatorOptions> = {}) {
  const results: unknown[] = [];
  const onOutcome = (event: OutcomeEvent): unknown => results.push(event['clientcert.cache.result']);
  const authenticator = behindEdge([root], { onOutcome, ...options });
  return { authenticator, hits: () => results.splice(0).filter((result) => result === 'hit').length };
}

/** Distinct certificates of an unknown issuer, for the price of one: nobody looks at their signature. */
function strangers(count: number): readonly string[] {
  const serialNumber = Buffer.alloc(16, 0x55);
  const stranger = createAuthority().issue({ serialNumber }).der;
  const at = stranger.indexOf(serialNumber);
  return Array.from({ length: count }, (_, index) => {
    const copy = Buffer.from(stranger);
    copy.writeUInt32BE(index, at + 12);
    return encodeClientCert(copy);
  });
}

describe('F17: a stream of distinct certificates', () => {
  it('CA-05: of strangers leaves a thousand refusals and every good verdict', async () => {
    const { authenticator, hits } = counting();
    await authenticator.authenticate(ofAlice());
    const values = strangers(1_500);
    for (const value of values) await authenticator.authenticate(fromEdge('Client-Cert', value));
    expect(hits()).toBe(0);
    // The latest first, so that asking does not push out what is asked for next.
    for (const value of values.toReversed()) await authenticator.authenticate(fromEdge('Client-Cert', value));
    expect(hits()).toBe(1_000);
    await authenticator.authenticate(ofAlice());
    expect(hits()).toBe(1);
  });

  it('CA-05: that are none leaves nothing', async () => {
    const { authenticator, hits } = counting();
    for (let round = 0; round < 2; round++) {
      for (let count = 0; count < 500; count++) {
        const rubbish = encodeClientCert(der.sequence(der.integer(count)));
        await authenticator.authenticate(fromEdge('Client-Cert', rubbish));
      }
    }
    expect(hits()).toBe(0);
  });

  it('of many clients leaves as many as maxEntries', async () => {
    const { authenticator, hits } = counting({ verdictCache: { maxEntries: 10 } });
    const clients = Array.from({ length: 25 }, () => fromEdge('Client-Cert', encodeClientCert(root.issue().der)));
    for (const request of clients) await authenticator.authenticate(request);
    for (const request of clients.toReversed()) await authenticator.authenticate(request);
    expect(hits()).toBe(10);
  });

  it('of one client in many spellings leaves no more than maxEntries', async () => {
    const { authenticator, hits } = counting({ verdictCache: { maxEntries: 10 } });
    const spellings = Array.from({ length: 50 }, (_, index) => `${encodeClientCert(alice.der)};n=${index}`);
    for (const value of spellings) await callerOf(authenticator, fromEdge('Client-Cert', value));
    hits();
    for (const value of spellings.toReversed()) await callerOf(authenticator, fromEdge('Client-Cert', value));
    expect(hits()).toBe(10);
  });
});

describe('F16: a clock that is wrong', () => {
  const day = 86_400_000;

  it.each<[string, unknown, string]>([
    ['an hour slow', TEST_TIME.getTime() - 3_600_000, 'urn:alice'],
    ['a year fast', TEST_TIME.getTime() + 366 * day, 'ERR_CERTIFICATE_EXPIRED'],
    ['at the beginning of time', 0, 'ERR_CERTIFICATE_NOT_YET_VALID'],
    ['before it', -1e15, 'ERR_CERTIFICATE_NOT_YET_VALID'],
    ['at the end of time', 8.64e15, 'ERR_CERTIFICATE_EXPIRED'],
    ['not a number', Number.NaN, 'ERR_CERTIFICATE_EXPIRED'],
    ['infinite', Infinity, 'ERR_CERTIFICATE_EXPIRED'],
    ['minus infinite', -Infinity, 'ERR_CERTIFICATE_NOT_YET_VALID'],
    ['undefined', undefined, 'ERR_CERTIFICATE_EXPIRED'],
    ['null', null, 'ERR_CERTIFICATE_NOT_YET_VALID'],
    ['a text', 'now', 'ERR_CERTIFICATE_EXPIRED'],
    ['an object', {}, 'ERR_CERTIFICATE_EXPIRED'],
  ])('is never a reason to let in: %s', async (_, time, expected) => {
    const authenticator = behindEdge([root], { clock: () => time as number });
    for (let count = 0; count < 2; count++) {
      const answer = await callerOf(authenticator, ofAlice()).catch(({ code }: { code: string }) => [code]);
      expect(answer).toEqual([expected]);
    }
  });

  it('keeps nothing of its errors when it is set right', async () => {
    let time = TEST_TIME.getTime();
    const authenticator = behindEdge([root], { clock: () => time });
    const answers: unknown[] = [];
    for (const days of [0, 400, 0, -400, 0, Number.NaN, 0]) {
      time = daysFromTestTime(days).getTime();
      const answer = await callerOf(authenticator, ofAlice()).catch(({ code }: { code: string }) => [code]);
      answers.push(answer[0]);
    }
    expect(answers).toEqual([
      'urn:alice',
      'ERR_CERTIFICATE_EXPIRED',
      'urn:alice',
      'ERR_CERTIFICATE_NOT_YET_VALID',
      'urn:alice',
      'ERR_CERTIFICATE_EXPIRED',
      'urn:alice',
    ]);
  });

  it('that stands still ends no certificate, and yet every verdict', async () => {
    const now = jest.spyOn(performance, 'now').mockReturnValue(0);
    const source = countingDecodes(cloudFront({ channel: edgeChannel }));
    const authenticator = behindEdge([root], { source });
    for (const seconds of [0, 300, 301, 601, 602]) {
      now.mockReturnValue(seconds * 1_000);
      await expect(callerOf(authenticator, ofAlice())).resolves.toEqual(['urn:alice']);
    }
    now.mockRestore();
    expect(source.decoded()).toBe(3);
  });
});
