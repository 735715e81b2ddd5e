import { FetchError } from '../../../../packages/core/src/revocation/fetch-error';
import { type Release, RequestSlots } from '../../../../packages/core/src/revocation/request-slots';

const never = new AbortController().signal;

/** Takes slots and writes down who got one, in order. */
function taking(limits: ConstructorParameters<typeof RequestSlots>[0]) {
  const slots = new RequestSlots(limits);
  const started: string[] = [];
  const releases = new Map<string, Release>();
  const take = (name: string, signal: AbortSignal = never): Promise<void> =>
    slots.take(name.charAt(0), signal).then((release) => {
      started.push(name);
      releases.set(name, release);
    });
  const release = async (name: string): Promise<void> => {
    await new Promise(setImmediate);
    releases.get(name)?.();
    await new Promise(setImmediate);
  };
  return { started, take, release };
}

it('SS-05: so many requests start at once, to one host and in all', async () => {
  const { started, take, release } = taking({ maxConcurrent: 3, maxConcurrentPerHost: 2, maxQueued: 10 });
  for (const name of ['a1', 'a2', 'a3', 'b1', 'b2', 'c1']) void take(name);
  await release('none');
  expect(started).toEqual(['a1', 'a2', 'b1']);
});

it('those that wait start in the order they came in; a full host holds up none behind it', async () => {
  const { started, take, release } = taking({ maxConcurrent: 3, maxConcurrentPerHost: 2, maxQueued: 10 });
  for (const name of ['a1', 'a2', 'a3', 'b1', 'b2', 'c1', 'a4']) void take(name);
  await release('b1');
  expect(started.splice(0)).toEqual(['a1', 'a2', 'b1', 'b2']);
  await release('a1');
  expect(started.splice(0)).toEqual(['a3']);
  await release('a2');
  expect(started.splice(0)).toEqual(['c1']);
  await release('c1');
  expect(started.splice(0)).toEqual(['a4']);
  for (const name of ['a3', 'a4', 'b2']) await release(name);
  for (const name of ['a5', 'b3']) void take(name);
  await release('none');
  expect(started).toEqual(['a5', 'b3']);
});

it('SS-05: what comes when the queue is full fails at once', async () => {
  const { take, release } = taking({ maxConcurrent: 1, maxConcurrentPerHost: 1, maxQueued: 1 });
  await take('a1');
  const waiting = take('b1');
  await expect(take('c1')).rejects.toThrow(new FetchError('busy'));
  await release('a1');
  await expect(waiting).resolves.toBeUndefined();
});

it('a wait ends with its signal, and its place goes to the next', async () => {
  const { started, take, release } = taking({ maxConcurrent: 1, maxConcurrentPerHost: 1, maxQueued: 2 });
  await take('a1');
  const controller = new AbortController();
  const given = take('b1', controller.signal);
  void take('c1');
  controller.abort(new Error('gone'));
  await expect(given).rejects.toThrow(new Error('gone'));
  void take('d1');
  await release('a1');
  expect(started).toEqual(['a1', 'c1']);
  await expect(take('a2', controller.signal)).rejects.toThrow(new Error('gone'));
});

it('a signal that comes after the start changes nothing', async () => {
  const { started, take, release } = taking({ maxConcurrent: 1, maxConcurrentPerHost: 1, maxQueued: 2 });
  const controller = new AbortController();
  await take('a1');
  void take('b1', controller.signal);
  await release('a1');
  controller.abort();
  await release('b1');
  void take('c1');
  await release('none');
  expect(started).toEqual(['a1', 'b1', 'c1']);
});
