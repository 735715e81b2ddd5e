import { resolveNetworkOptions, type NetworkOptions } from '../../../../packages/core/src/revocation/network-options';

it('has defaults', () => {
  expect(resolveNetworkOptions({})).toEqual({
    hosts: expect.anything(),
    timeoutMs: 2_000,
    totalTimeoutMs: 3_000,
    maxConcurrent: 20,
    maxConcurrentPerHost: 4,
    maxQueued: 1_000,
    fetch: undefined,
  });
});

it.each([
  ['timeoutMs', 100, 30_000],
  ['totalTimeoutMs', 100, 60_000],
  ['maxConcurrent', 1, 1_000],
  ['maxConcurrentPerHost', 1, 1_000],
  ['maxQueued', 0, 10_000],
] as const)('%s is an integer from %d to %d', (name, minimum, maximum) => {
  for (const value of [minimum, maximum]) expect(resolveNetworkOptions({ [name]: value })[name]).toBe(value);
  for (const value of [minimum - 1, maximum + 1, minimum + 0.5, '2000']) {
    expect(() => resolveNetworkOptions({ [name]: value })).toThrow(RangeError);
  }
});

it('takes the standard fetch', () => {
  const options: NetworkOptions = { fetch: globalThis.fetch };
  expect(resolveNetworkOptions(options).fetch).toBe(globalThis.fetch);
  const wrong = { fetch: 'fetch' } as unknown as NetworkOptions;
  expect(() => resolveNetworkOptions(wrong)).toThrow(
    new TypeError('fetch must be a function like the standard one; it received a string.'),
  );
});

it('refuses an option it does not know', () => {
  expect(() => resolveNetworkOptions({ timeoutMS: 1 } as never)).toThrow(
    new TypeError('network received an unknown option, `timeoutMS`. Did you mean `timeoutMs`?'),
  );
});
