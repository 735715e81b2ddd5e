import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RevocationEvent } from '@peercert/core';
import { createAuthority, daysFromTestTime, TEST_TIME } from '@peercert/testkit';
import { FetchError } from '../../../../packages/core/src/revocation/fetch-error';
import {
  FetchedCrls,
  type FetchedCrlsOptions,
  type FetchedUrl,
} from '../../../../packages/core/src/revocation/fetched-crls';
import type { Fetcher, FetchRequest } from '../../../../packages/core/src/revocation/fetcher';
import type { FetchResult } from '../../../../packages/core/src/revocation/fetch-answer';

const url = 'http://crl.test/ca.crl';
const root = createAuthority({ subject: 'CN=Root' });
const hour = 3_600_000;
const at = (ms: number): Date => new Date(TEST_TIME.getTime() + ms);
/** Half of its time is over in an hour. */
const hourly = root.crl({ thisUpdate: TEST_TIME, nextUpdate: at(2 * hour), crlNumber: 1 });
const next = root.crl({ thisUpdate: at(hour), nextUpdate: at(3 * hour), crlNumber: 2, revoked: [root.issue()] });
const weekly = root.crl({ thisUpdate: TEST_TIME, nextUpdate: daysFromTestTime(7) });
const down = new FetchError('connect');
const notModified: FetchResult = { body: Buffer.alloc(0), notModified: true };

beforeEach(() => {
  jest.useFakeTimers({ now: TEST_TIME, doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  jest.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

type Answer = Buffer | FetchResult | Error;

/** What answers the requests, one after the other, the last one for ever. */
function answering(...answers: readonly Answer[]): jest.Mock<Promise<FetchResult>, [FetchRequest]> {
  const left = [...answers];
  return jest.fn<Promise<FetchResult>, [FetchRequest]>(async () => {
    const answer = (left.length > 1 ? left.shift() : left[0]) ?? down;
    if (answer instanceof Error) throw answer;
    return Buffer.isBuffer(answer) ? { body: answer, notModified: false } : answer;
  });
}

interface Setting {
  readonly crls: FetchedCrls;
  readonly events: RevocationEvent[];
  readonly onChange: jest.Mock;
}

function create(
  fetch: (request: FetchRequest) => Promise<FetchResult>,
  more: Partial<FetchedCrlsOptions> = {},
): Setting {
  const events: RevocationEvent[] = [];
  const onChange = jest.fn();
  const crls = new FetchedCrls({
    fetcher: { fetch } as unknown as Fetcher,
    rules: { maxAgeSeconds: undefined, graceSeconds: 0 },
    refreshSeconds: 86_400,
    isAlwaysInUse: false,
    onEvent: (event) => events.push(event),
    clock: Date.now,
    onChange,
    ...more,
  });
  return { crls, events, onChange };
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await nextTurn();
};
const pass = async (ms: number): Promise<void> => {
  await jest.advanceTimersByTimeAsync(ms);
  await settle();
};
/** Asks as a request does, and waits. */
async function ask(crls: FetchedCrls, from = url): Promise<FetchedUrl> {
  const [known] = crls.use([from]) as [FetchedUrl];
  await Promise.all(crls.fetchMissing([known]));
  return known;
}
const thisUpdatesOf = ({ collection }: FetchedUrl): readonly number[] =>
  collection.crls.map(({ crl }) => crl.thisUpdate);
const about = { 'clientcert.revocation.method': 'crl', 'clientcert.revocation.source': url };
const refusal = (message: string): object => {
  return { ...about, 'event.name': 'clientcert.revocation.refused', 'error.message': message };
};

describe('F14: a CRL', () => {
  it('is fetched again when half of its time is over, and not before', async () => {
    const fetch = answering(hourly, next);
    const { crls, onChange } = create(fetch);
    const known = await ask(crls);
    expect(onChange).toHaveBeenCalledTimes(1);
    await pass(hour - 1);
    expect(fetch).toHaveBeenCalledTimes(1);
    await pass(1);
    expect(fetch).toHaveBeenCalledTimes(2);
    expect(thisUpdatesOf(known)).toEqual([TEST_TIME.getTime() + hour]);
    expect(onChange).toHaveBeenCalledTimes(2);
  });

  it.each([
    [0, 3_600],
    [0.5, 3_240],
    [0.999, 2_881],
  ])('up to a fifth earlier, by chance, and never later: %d', async (random, seconds) => {
    jest.spyOn(Math, 'random').mockReturnValue(random);
    const fetch = answering(hourly);
    await ask(create(fetch).crls);
    await pass((seconds - 2) * 1_000);
    expect(fetch).toHaveBeenCalledTimes(1);
    await pass(2_000);
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it.each([
    ['of a week after refreshSeconds at the latest', weekly, 1_800, 1_800],
    ['of two minutes after one minute', root.crl({ thisUpdate: TEST_TIME, nextUpdate: at(120_000) }), 1_800, 60],
    ['of a moment after one minute too', root.crl({ thisUpdate: TEST_TIME, nextUpdate: at(1_000) }), 1_800, 60],
    ['whose half is over after one minute', root.crl({ thisUpdate: at(-9 * hour), nextUpdate: at(hour) }), 1_800, 60],
    ['without nextUpdate after refreshSeconds', root.crl({ nextUpdate: 'absent' }), 600, 600],
  ])('%s', async (_, body, refreshSeconds, seconds) => {
    const fetch = answering(body);
    await ask(create(fetch, { refreshSeconds }).crls);
    await pass(seconds * 1_000 - 1);
    expect(fetch).toHaveBeenCalledTimes(1);
    await pass(1);
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it('that cannot be fetched again counts until its time is over, and then is fetched for a request', async () => {
    const fetch = answering(hourly, down);
    const { crls } = create(fetch, { isAlwaysInUse: true });
    const known = await ask(crls);
    await pass(2 * hour);
    expect(fetch.mock.calls.length).toBeGreaterThan(2);
    expect(crls.fetchMissing([known])).toEqual([]);
    expect(thisUpdatesOf(known)).toEqual([TEST_TIME.getTime()]);
    await pass(1);
    expect(crls.fetchMissing([known])).toHaveLength(1);
  });

  it('that cannot be fetched is tried again after one minute, two, four, and so on up to refreshSeconds', async () => {
    const fetch = answering(down);
    const { crls } = create(fetch, { refreshSeconds: 600, isAlwaysInUse: true });
    await ask(crls);
    const tries: number[] = [];
    for (let minute = 1; minute <= 40; minute += 1) {
      const before = fetch.mock.calls.length;
      await pass(60_000);
      if (fetch.mock.calls.length > before) tries.push(minute);
    }
    expect(tries).toEqual([1, 3, 7, 15, 25, 35]);
  });

  it('that can be fetched again after that is fetched at its usual times', async () => {
    const fetch = answering(hourly, down, next);
    const { crls, events } = create(fetch, { isAlwaysInUse: true });
    const known = await ask(crls);
    await pass(hour);
    expect(known.failures).toBe(1);
    await pass(60_000);
    expect(known).toMatchObject({ failures: 0, failure: undefined });
    await pass(hour - 60_000 - 1);
    expect(fetch).toHaveBeenCalledTimes(3);
    await pass(1);
    expect(fetch).toHaveBeenCalledTimes(4);
    expect(events.map((event) => event['event.name'].split('.').at(-1))).toEqual([
      'replaced',
      'refused',
      'replaced',
      'recovered',
    ]);
  });
});

describe('a URL that nobody asks about', () => {
  it('is fetched once more, then no longer, and in the background when it is asked about again', async () => {
    const fetch = answering(weekly);
    const { crls } = create(fetch, { refreshSeconds: 60 });
    await ask(crls);
    await pass(60_000);
    expect(fetch).toHaveBeenCalledTimes(2);
    await pass(hour);
    expect(fetch).toHaveBeenCalledTimes(2);
    expect(jest.getTimerCount()).toBe(0);
    const [known] = crls.use([url]) as [FetchedUrl];
    expect(crls.fetchMissing([known])).toEqual([]);
    crls.use([url]);
    await settle();
    expect(fetch).toHaveBeenCalledTimes(3);
    await pass(60_000);
    expect(fetch).toHaveBeenCalledTimes(4);
  });

  it('is fetched all the same where the operator named it', async () => {
    const fetch = answering(weekly);
    const { crls } = create(fetch, { refreshSeconds: 60, isAlwaysInUse: true });
    crls.fetchNew(crls.use([url]));
    await settle();
    for (let minute = 0; minute < 10; minute += 1) await pass(60_000);
    expect(fetch).toHaveBeenCalledTimes(11);
  });
});

describe('a request for a CRL', () => {
  it('names the version that is known, and 304 says that nothing is new', async () => {
    const fetch = answering({ body: hourly, notModified: false, etag: '"1"' }, notModified, {
      ...notModified,
      etag: '"2"',
    });
    const { crls, onChange, events } = create(fetch, { isAlwaysInUse: true });
    const known = await ask(crls);
    const [first] = known.collection.crls;
    await pass(hour);
    await pass(60_000);
    await pass(60_000);
    expect(fetch.mock.calls.map(([{ headers }]) => headers?.['if-none-match'])).toEqual([
      undefined,
      '"1"',
      '"1"',
      '"2"',
    ]);
    expect(known.collection.crls).toEqual([first]);
    expect(known.failure).toBeUndefined();
    expect(onChange).toHaveBeenCalledTimes(1);
    expect(events).toHaveLength(1);
  });

  it('names no version that is not in use: an old CRL does not become right by staying where it is', async () => {
    const old = { body: hourly, notModified: false, etag: '"old"' };
    const fetch = answering({ body: next, notModified: false, etag: '"new"' }, old);
    jest.setSystemTime(at(hour));
    const { crls, events, onChange } = create(fetch, { refreshSeconds: 60, isAlwaysInUse: true });
    const known = await ask(crls);
    await pass(60_000);
    await pass(60_000);
    expect(fetch.mock.calls.map(([{ headers }]) => headers?.['if-none-match'])).toEqual([
      undefined,
      '"new"',
      undefined,
    ]);
    expect(thisUpdatesOf(known)).toEqual([TEST_TIME.getTime() + hour]);
    expect(crls.health).toMatchObject([{ status: 'degraded', problem: 'a CRL older than the one in use' }]);
    expect(events.slice(1)).toEqual([refusal('a CRL older than the one in use')]);
    expect(onChange).toHaveBeenCalledTimes(1);
  });

  it.each<[string, Answer]>([
    ['the one that is over', hourly],
    ['the same by 304', notModified],
  ])('that brings %s is made every five seconds at most', async (_, again) => {
    const fetch = answering({ body: hourly, notModified: false, etag: '"1"' }, again);
    const { crls, events } = create(fetch);
    const known = await ask(crls);
    await pass(5_000);
    jest.setSystemTime(at(2 * hour + 1));
    await ask(crls);
    expect(fetch).toHaveBeenCalledTimes(2);
    expect(known.failure).toEqual({ status: 'unknown', cause: 'not-current', detail: 'no CRL that is current' });
    expect(events.at(-1)).toEqual(refusal('no CRL that is current'));
    await pass(4_999);
    await ask(crls);
    expect(fetch).toHaveBeenCalledTimes(2);
    await pass(1);
    await ask(crls);
    expect(fetch).toHaveBeenCalledTimes(3);
  });

  it('F12: that fails is made every five seconds at most', async () => {
    const fetch = answering(down);
    const { crls } = create(fetch);
    for (let times = 0; times < 100; times += 1) await ask(crls);
    expect(fetch).toHaveBeenCalledTimes(1);
    await pass(5_000);
    await ask(crls);
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it('counts the grace of a CRL', async () => {
    const fetch = answering(hourly);
    const { crls } = create(fetch, { rules: { maxAgeSeconds: undefined, graceSeconds: 60 } });
    const known = await ask(crls);
    await pass(5_000);
    jest.setSystemTime(at(2 * hour + 60_000));
    expect(crls.fetchMissing([known])).toEqual([]);
    jest.setSystemTime(at(2 * hour + 60_001));
    expect(crls.fetchMissing([known])).toHaveLength(1);
  });
});

describe('what is known', () => {
  it.each<[string, Answer, string]>([
    ['nothing', Buffer.alloc(0), 'found an empty file'],
    ['markup', Buffer.from('<h1>x</h1>'), 'found markup, such as an error page, where a CRL is expected'],
    ['half a CRL', next.subarray(0, -1), expect.stringMatching(/^found a CRL that is not strict DER: /) as string],
    ['too much', new FetchError('too-large'), 'The answer is too large.'],
    ['somebody who does not answer', down, 'The host could not be connected to.'],
    ['whatever fails', new Error('odd'), 'odd'],
  ])('is not ended by %s, which is told once', async (_, answer, problem) => {
    const { crls, events, onChange } = create(answering(hourly, answer), { isAlwaysInUse: true });
    const known = await ask(crls);
    await pass(hour);
    await pass(60_000);
    expect(thisUpdatesOf(known)).toEqual([TEST_TIME.getTime()]);
    expect(onChange).toHaveBeenCalledTimes(1);
    expect(events.slice(1)).toEqual([refusal(problem)]);
    expect(crls.health).toEqual([
      {
        source: url,
        status: 'degraded',
        problem,
        thisUpdate: TEST_TIME,
        nextUpdate: at(2 * hour),
        entries: 0,
      },
    ]);
  });

  it('is told with its numbers and dates', async () => {
    const { crls, events } = create(answering(next));
    await ask(crls);
    expect(events).toEqual([
      {
        ...about,
        'event.name': 'clientcert.revocation.replaced',
        'clientcert.revocation.entries': 1,
        'clientcert.crl.this_update': at(hour).toISOString(),
        'clientcert.crl.next_update': at(3 * hour).toISOString(),
      },
    ]);
  });

  it('is of a thousand URLs, those asked about last', async () => {
    const fetch = answering(weekly);
    const { crls } = create(fetch);
    for (let index = 0; index <= 1_000; index += 1) await ask(crls, `${url}${index}`);
    expect(crls.health).toHaveLength(1_000);
    expect(jest.getTimerCount()).toBe(1_000);
    await ask(crls, `${url}1000`);
    expect(fetch).toHaveBeenCalledTimes(1_001);
    await ask(crls, `${url}0`);
    expect(fetch).toHaveBeenCalledTimes(1_002);
  });

  it('is no longer fetched again when it was closed, also by what was under way then', async () => {
    let answer: (result: FetchResult) => void = () => {};
    const { crls, events } = create(() => new Promise((resolve) => (answer = resolve)));
    const asking = ask(crls);
    crls.close();
    answer({ body: hourly, notModified: false });
    await asking;
    expect(jest.getTimerCount()).toBe(0);
    expect(events).toEqual([]);
  });
});
