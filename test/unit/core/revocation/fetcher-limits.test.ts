import { FetchError } from '../../../../packages/core/src/revocation/fetch-error';
import { Fetcher, type FetcherSettings, type FetchRequest } from '../../../../packages/core/src/revocation/fetcher';
import type {
  FetchFunction,
  FetchResponse,
  NetworkOptions,
} from '../../../../packages/core/src/revocation/network-options';
import { type FaultyServer, startFaultyServer } from '../../../support/faulty-server';

const host = 'crl.test';
const url = 'http://crl.test/ca.crl';
const answer = Buffer.from('answer');

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(cleanUp.splice(0).map((close) => close()));
});

function createFetcher(options: NetworkOptions, settings: FetcherSettings = {}): Fetcher {
  const fetcher = new Fetcher(options, settings);
  cleanUp.push(() => fetcher.close());
  return fetcher;
}

const get = (more: Partial<FetchRequest> = {}): FetchRequest => ({ url, method: 'GET', maxOctets: 1_024, ...more });

async function* bodyOf(...chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}

const respond = (status = 200, body: FetchResponse['body'] = bodyOf(answer)): FetchResponse => {
  return { status, headers: { get: () => null }, body };
};

const failure = async (asking: Promise<unknown>): Promise<unknown> => {
  const error: unknown = await asking.catch((thrown: unknown) => thrown);
  return error instanceof FetchError ? { reason: error.reason, ...error.details } : error;
};

const reasons = async (asking: readonly Promise<unknown>[]): Promise<Record<string, number>> => {
  const counts: Record<string, number> = {};
  for (const error of (await Promise.all(asking.map(failure))) as FetchError[]) {
    counts[error.reason] = (counts[error.reason] ?? 0) + 1;
  }
  return counts;
};

const never: FetchFunction = () => new Promise(() => {});

describe('an injected fetch function', () => {
  it('is asked what the standard one would be', async () => {
    const fetch = jest.fn(async () => respond());
    const request = get({ method: 'POST', headers: { accept: 'a/b' }, body: Buffer.from('question') });
    await expect(createFetcher({ fetch }).fetch(request)).resolves.toEqual({ body: answer, notModified: false });
    expect(fetch.mock.calls).toEqual([
      [
        url,
        {
          method: 'POST',
          headers: { 'user-agent': 'peercert', accept: 'a/b', 'accept-encoding': 'identity' },
          body: Buffer.from('question'),
          redirect: 'error',
          signal: expect.any(AbortSignal),
        },
      ],
    ]);
  });

  it('is asked for no URL and no host that may not be asked', async () => {
    const fetch = jest.fn(never);
    const fetcher = createFetcher({ fetch, hosts: ['crl.test'] });
    const urls = ['file:///etc/passwd', 'http://other.test/', 'http://crl.test:81/', 'http://a@crl.test/'];
    const asking = urls.map((each) => fetcher.fetch(get({ url: each })));
    await expect(reasons(asking)).resolves.toEqual({ 'url-not-permitted': 2, 'host-not-permitted': 2 });
    expect(fetch).not.toHaveBeenCalled();
    expect(fetcher.health()).toEqual([]);
  });

  it.each<[string, FetchFunction, object]>([
    ['rejects', () => Promise.reject(new Error('http://crl.test/secret')), {}],
    [
      'rejects as the standard one does',
      () =>
        Promise.reject(
          new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }) }),
        ),
      { code: 'ECONNREFUSED' },
    ],
    [
      'throws',
      () => {
        throw new Error('x');
      },
      {},
    ],
    ['answers nothing', async () => undefined as never, {}],
    ['has a body of text', async () => respond(200, 'text' as never), { code: 'ERR_INVALID_ARG_TYPE' }],
    [
      'has a body that fails',
      async () =>
        respond(
          200,
          (async function* () {
            yield answer;
            throw Object.assign(new Error('x'), { code: 'not a code' });
          })(),
        ),
      {},
    ],
  ])('fails: one that %s', async (_, fetch, details) => {
    await expect(failure(createFetcher({ fetch }).fetch(get()))).resolves.toEqual({
      reason: 'failed',
      host,
      ...details,
    });
  });

  it.each<[string, FetchFunction]>([
    ['never answers', never],
    [
      'never ends its body',
      async () => respond(200, { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }),
    ],
  ])('F11: has its time, and is not waited for longer: one that %s', async (_, fetch) => {
    const fetcher = createFetcher({ fetch, timeoutMs: 100 });
    await expect(failure(fetcher.fetch(get()))).resolves.toEqual({ reason: 'timeout', host });
  });

  it('may be the standard one', async () => {
    const server = await startFaultyServer({ headers: { etag: '"1"' } });
    cleanUp.push(() => server.close());
    const options = { fetch: globalThis.fetch, hosts: [`127.0.0.1:${server.port}`], totalTimeoutMs: 20_000 };
    const ask = (kind: Parameters<FaultyServer['url']>[0], timeoutMs = 20_000): Promise<unknown> =>
      failure(createFetcher({ ...options, timeoutMs }).fetch(get({ url: server.url(kind) })));
    await expect(ask('good')).resolves.toEqual({ body: answer, notModified: false, etag: '"1"' });
    await expect(ask('redirect')).resolves.toMatchObject({ reason: 'failed' });
    await expect(ask('gzip')).resolves.toMatchObject({ reason: 'content-type' });
    await expect(ask('large')).resolves.toMatchObject({ reason: 'too-large' });
    await expect(ask('endless')).resolves.toMatchObject({ reason: 'too-large' });
    await expect(ask('drip', 200)).resolves.toMatchObject({ reason: 'timeout' });
    await expect(ask('server-error')).resolves.toMatchObject({ reason: 'status', status: 500 });
    await expect(ask('refused')).resolves.toMatchObject({ reason: 'host-not-permitted' });
    expect(server.requests).toBe(7);
  });
});

describe('a question', () => {
  it('has one deadline for all its tries', async () => {
    let clock = 1_000;
    const fetcher = createFetcher({ fetch: never, timeoutMs: 30_000, totalTimeoutMs: 5_000 }, { clock: () => clock });
    const deadline = fetcher.deadline();
    expect(deadline).toBe(6_000);
    clock = 5_900;
    await expect(failure(fetcher.fetch(get({ deadline })))).resolves.toEqual({ reason: 'timeout', host });
    clock = 6_000;
    await expect(failure(fetcher.fetch(get({ deadline })))).resolves.toEqual({ reason: 'timeout', host });
  });

  it('is over when its time has passed in the queue', async () => {
    const fetch = jest.fn(never);
    const fetcher = createFetcher({ fetch, timeoutMs: 20_000, totalTimeoutMs: 20_000, maxConcurrent: 1 });
    const first = failure(fetcher.fetch(get()));
    const deadline = fetcher.deadline() - 19_900;
    await expect(failure(fetcher.fetch(get({ deadline })))).resolves.toEqual({ reason: 'timeout', host });
    expect(fetch).toHaveBeenCalledTimes(1);
    await fetcher.close();
    await expect(first).resolves.toEqual({ reason: 'closed' });
  });

  it('blames the host for a timeout only where it had half of the time for a try', async () => {
    const fetcher = createFetcher({ fetch: never, timeoutMs: 400 }, { clock: () => 0 });
    const failures = async (deadline: number): Promise<unknown> => {
      await expect(failure(fetcher.fetch(get({ deadline })))).resolves.toEqual({ reason: 'timeout', host });
      return fetcher.health()[0]?.failures;
    };
    await expect(failures(199)).resolves.toBe(0);
    await expect(failures(200)).resolves.toBe(1);
  });

  it('F15: ends with the signal of its caller, and with that of no other', async () => {
    const finish: ((response: FetchResponse) => void)[] = [];
    const fetch: FetchFunction = () => new Promise((resolve) => finish.push(resolve));
    const fetcher = createFetcher({ fetch });
    const controller = new AbortController();
    const given = failure(fetcher.fetch(get({ signal: controller.signal })));
    const kept = fetcher.fetch(get());
    await new Promise(setImmediate);
    controller.abort(new Error('gone'));
    await expect(given).resolves.toEqual(new Error('gone'));
    for (const each of finish) each(respond());
    await expect(kept).resolves.toEqual({ body: answer, notModified: false });
    await expect(failure(fetcher.fetch(get({ signal: controller.signal })))).resolves.toEqual(new Error('gone'));
    expect(fetcher.health()).toMatchObject([{ origin: 'http://crl.test', state: 'closed', failures: 0 }]);
  });

  it('keeps no process alive by its timers', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const fetcher = createFetcher({ fetch: never });
    const asking = failure(fetcher.fetch(get()));
    await new Promise(setImmediate);
    expect(timers()).toBe(before);
    await fetcher.close();
    await expect(asking).resolves.toEqual({ reason: 'closed' });
  });
});

describe('a slow host', () => {
  it('SS-05: costs few connections, however many ask', async () => {
    let most = 0;
    let active = 0;
    const fetch = jest.fn<ReturnType<FetchFunction>, Parameters<FetchFunction>>((_, { signal }) => {
      active += 1;
      most = Math.max(most, active);
      signal.addEventListener('abort', () => (active -= 1));
      return new Promise(() => {});
    });
    const fetcher = createFetcher({ fetch, timeoutMs: 100, totalTimeoutMs: 30_000 });
    const asking = Array.from({ length: 10_000 }, (_, index) =>
      fetcher.fetch(get({ url: `http://crl.test/${index}` })),
    );
    await expect(reasons(asking)).resolves.toEqual({ timeout: 8, 'breaker-open': 996, busy: 8_996 });
    expect(fetch).toHaveBeenCalledTimes(8);
    expect(most).toBe(4);
    expect(active).toBe(0);
  });

  it('SS-05: leaves room for others', async () => {
    const fetch: FetchFunction = (asked) => (asked === url ? new Promise(() => {}) : Promise.resolve(respond()));
    const fetcher = createFetcher({ fetch, timeoutMs: 1_000 });
    const slow = Array.from({ length: 1_100 }, () => failure(fetcher.fetch(get())));
    const other = fetcher.fetch(get({ url: 'http://other.test/' }));
    await expect(other).resolves.toEqual({ body: answer, notModified: false });
    await fetcher.close();
    await Promise.all(slow);
  });
});

describe('a host that fails', () => {
  it('F12: is asked five times, and then once in each pause', async () => {
    let clock = 0;
    const fetch = jest.fn(() => Promise.reject(new Error('down')));
    const fetcher = createFetcher({ fetch }, { clock: () => clock, random: () => 0.5 });
    const ask = (times: number): Promise<object> => reasons(Array.from({ length: times }, () => fetcher.fetch(get())));
    for (let time = 0; time < 5; time += 1) await ask(1);
    await expect(ask(100)).resolves.toEqual({ 'breaker-open': 100 });
    clock = 30_000;
    await expect(ask(100)).resolves.toEqual({ failed: 1, 'breaker-open': 99 });
    clock = 89_999;
    await expect(ask(100)).resolves.toEqual({ 'breaker-open': 100 });
    clock = 90_000;
    fetch.mockResolvedValueOnce(respond() as never);
    await expect(fetcher.fetch(get())).resolves.toMatchObject({ body: answer });
    expect(fetch).toHaveBeenCalledTimes(7);
    expect(fetcher.health()).toEqual([{ origin: 'http://crl.test', state: 'closed', failures: 0, forMs: 0 }]);
  });

  it('takes no place in the queue while it is not asked', async () => {
    const fetch: FetchFunction = (asked) => (asked === url ? Promise.reject(new Error('down')) : new Promise(() => {}));
    const fetcher = createFetcher({ fetch, maxConcurrent: 1, timeoutMs: 20_000, totalTimeoutMs: 20_000 });
    for (let time = 0; time < 5; time += 1) await failure(fetcher.fetch(get()));
    const other = failure(fetcher.fetch(get({ url: 'http://other.test/' })));
    await expect(failure(fetcher.fetch(get()))).resolves.toEqual({ reason: 'breaker-open', host });
    await fetcher.close();
    await expect(other).resolves.toEqual({ reason: 'closed' });
  });

  it('is one by scheme, host and port', async () => {
    const fetch = jest.fn(() => Promise.reject(new Error('down')));
    const fetcher = createFetcher({ fetch, hosts: ['crl.test', 'crl.test:81'] });
    for (let time = 0; time < 6; time += 1) await failure(fetcher.fetch(get({ url: `http://crl.test/${time}` })));
    for (const each of ['https://crl.test/', 'http://crl.test:81/']) {
      await expect(failure(fetcher.fetch(get({ url: each })))).resolves.toMatchObject({ reason: 'failed' });
    }
    expect(fetcher.health().map(({ origin, state }) => [origin, state])).toEqual([
      ['http://crl.test:81', 'closed'],
      ['https://crl.test', 'closed'],
      ['http://crl.test', 'open'],
    ]);
  });

  it.each([
    [500, 'status'],
    [503, 'status'],
    [429, 'status'],
    [404, undefined],
    [401, undefined],
    [301, undefined],
    [200, undefined],
  ])('is told by its status: %d', async (status, lastFailure) => {
    const statuses = [500, status];
    const fetcher = createFetcher({ fetch: async () => respond(statuses.shift()) });
    for (const _ of [...statuses]) await failure(fetcher.fetch(get({ maxOctets: 1 })));
    const health = { origin: 'http://crl.test', state: 'closed', forMs: expect.any(Number) };
    const isWell = lastFailure === undefined;
    expect(fetcher.health()).toEqual([{ ...health, ...(isWell ? { failures: 0 } : { failures: 2, lastFailure }) }]);
  });

  it('is not one whose address is refused', async () => {
    const fetcher = createFetcher({}, { lookup: async () => [{ address: '10.0.0.1', family: 4 }] });
    for (let time = 0; time < 10; time += 1) {
      await expect(failure(fetcher.fetch(get()))).resolves.toMatchObject({ reason: 'address-not-permitted' });
    }
  });

  it('is remembered among a thousand', async () => {
    const fetcher = createFetcher({ fetch: async () => respond() });
    for (let index = 0; index < 1_001; index += 1) await fetcher.fetch(get({ url: `http://crl${index}.test/` }));
    const origins = fetcher.health().map(({ origin }) => origin);
    expect(origins).toHaveLength(1_000);
    expect([origins.at(0), origins.at(-1)]).toEqual(['http://crl1000.test', 'http://crl1.test']);
  });
});

it('an error holds one constant sentence, and neither URL, cause nor stack', async () => {
  const fetch = (): Promise<never> => Promise.reject(new Error('http://crl.test/ca.crl says CN=secret'));
  const error = await createFetcher({ fetch })
    .fetch(get())
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(FetchError);
  const { name, message, reason, details, cause, stack } = error as FetchError;
  expect({ name, message, reason, details, cause, stack }).toEqual({
    name: 'FetchError',
    message: 'The fetch function failed.',
    reason: 'failed',
    details: { host },
    cause: undefined,
    stack: 'FetchError: The fetch function failed.',
  });
});
