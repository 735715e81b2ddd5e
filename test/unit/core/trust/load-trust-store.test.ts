import {
  type LoadContext,
  loadTrustStore,
  type LoadTrustStoreOptions,
  type ReloadingTrustStore,
  type TrustEvent,
  TrustStore,
} from '@peercert/core';
import { createAuthority, TEST_TIME } from '@peercert/testkit';
import { until } from '../../../support/until';

// A store that lost anchors is asked for again after a second.
jest.setTimeout(20_000);

const later = { notAfter: new Date(TEST_TIME.getTime() + 3_000 * 86_400_000) };
const [one, two, three] = ['One', 'Two', 'Three'].map((name) =>
  createAuthority({ ...later, subject: `CN=${name}` }),
) as [ReturnType<typeof createAuthority>, ReturnType<typeof createAuthority>, ReturnType<typeof createAuthority>];

type Answer = string | Uint8Array | TrustStore | undefined | Error;

let answer: Answer;
let asked: LoadContext[] = [];
let events: TrustEvent[] = [];
const stores: ReloadingTrustStore[] = [];

beforeEach(() => {
  answer = one.pem + two.pem;
  asked = [];
  events = [];
});
afterEach(async () => {
  jest.restoreAllMocks();
  jest.useRealTimers();
  await Promise.all(stores.splice(0).map((store) => store.close()));
});

const eventNames = (): readonly string[] => events.map((event) => event['event.name'].replace('clientcert.trust.', ''));

/** Answers with whatever `answer` is. */
async function load(options: Partial<LoadTrustStoreOptions> = {}): Promise<ReloadingTrustStore> {
  const store = await loadTrustStore({
    load: async (context) => {
      asked.push(context);
      if (answer instanceof Error) throw answer;
      return answer;
    },
    clock: () => TEST_TIME.getTime(),
    onEvent: (event) => events.push(event),
    ...options,
  });
  stores.push(store);
  return store;
}

async function reloadWith(store: ReloadingTrustStore, next: Answer): Promise<boolean> {
  answer = next;
  return store.reload();
}

describe('a trust store from a function', () => {
  it.each<[string, Answer, number]>([
    ['PEM text', one.pem + two.pem, 2],
    ['PEM text behind a byte order mark', `\uFEFF${one.pem}`, 1],
    ['PEM octets', Buffer.from(one.pem + two.pem), 2],
    ['one certificate in DER', new Uint8Array(one.der), 1],
    ['a store', TrustStore.fromDer([one.der, two.der]), 2],
  ])('is made of %s', async (_, first, size) => {
    answer = first;
    const store = await load();
    expect(store.current).toMatchObject({ size, generation: 1 });
    expect(asked).toEqual([{ signal: expect.any(AbortSignal), current: undefined }]);
    expect(store.health).toEqual({
      status: 'ok',
      generation: 1,
      loadedAt: TEST_TIME,
      confirmedAt: TEST_TIME,
      refusals: 0,
      sha256: store.current.sha256,
      noticedBy: 'polling',
    });
  });

  it('holds anchors to what it is told, and those of a store to what that says', async () => {
    const constraints = { maxPathLength: 3 };
    const { current } = await load({ constraints });
    expect(current.anchors.flatMap((anchor) => current.constraintsOn(anchor))).toMatchObject([
      constraints,
      constraints,
    ]);
    answer = TrustStore.fromDer([one.der], {
      constraints: { maxPathLength: 1 },
      intermediates: [two.der],
      pinnedEndEntities: [three.der],
    });
    const { current: ofStore } = await load({ constraints });
    expect(ofStore.anchors.flatMap((anchor) => ofStore.constraintsOn(anchor))).toMatchObject([{ maxPathLength: 1 }]);
    expect([ofStore.intermediates.length, ofStore.pinnedEndEntities.length]).toEqual([1, 1]);
  });

  it('is replaced, and says which store was in use', async () => {
    const store = await load();
    const { current } = store;
    expect(await reloadWith(store, one.pem + two.pem + three.pem)).toBe(true);
    expect(asked[1]?.current).toBe(current);
    expect(store.current).toMatchObject({ size: 3, generation: 2 });
    // The same objects: their keys are imported.
    expect(store.current.anchors[0]).toBe(current.anchors[0]);
    expect(store.current.use).toBe(current.use);
    expect(current.size).toBe(2);
  });

  it('keeps certificates when stores are answered', async () => {
    answer = TrustStore.fromDer([one.der]);
    const store = await load();
    const [before] = store.current.anchors;
    expect(await reloadWith(store, TrustStore.fromDer([one.der, two.der]))).toBe(true);
    expect(store.current.anchors[0]).toBe(before);
  });

  it.each<[string, (store: ReloadingTrustStore) => Answer]>([
    ['undefined', () => undefined],
    ['the same text', () => one.pem + two.pem],
    ['the same text in octets', () => Buffer.from(one.pem + two.pem)],
    ['the same certificates with a comment', () => `# noon\n${one.pem}${two.pem}`],
    ['the store in use', (store) => store.current],
    ['an equal store', () => TrustStore.fromPem(one.pem + two.pem)],
  ])('is not replaced by %s', async (_, next) => {
    const store = await load();
    const { current } = store;
    expect(await reloadWith(store, next(store))).toBe(false);
    expect(store.current).toBe(current);
    expect(store.health).toMatchObject({ status: 'ok', generation: 1 });
    expect(events).toEqual([]);
  });

  it('is not replaced by the same store, whatever it is held to', async () => {
    const same = TrustStore.fromDer([one.der], { constraints: { maxPathLength: 1 } });
    answer = same;
    const store = await load();
    expect([await reloadWith(store, same), await reloadWith(store, undefined)]).toEqual([false, false]);
    expect(await reloadWith(store, TrustStore.fromDer([one.der], { constraints: { maxPathLength: 2 } }))).toBe(true);
    expect(await reloadWith(store, same)).toBe(true);
    expect(store.current.generation).toBe(3);
  });

  it('does not change with the octets that were answered', async () => {
    const octets = Buffer.from(one.pem);
    answer = octets;
    const store = await load();
    octets.fill(0);
    expect(await reloadWith(store, undefined)).toBe(false);
    expect(store.current.anchors[0]?.der).toEqual(one.der);
    expect(store.health.status).toBe('ok');
  });
});

describe('what a function answers that is refused', () => {
  it.each<[string, Answer, string, string]>([
    ['an error page', '<html>', 'ERR_TRUST_STORE_EMPTY', 'markup, such as an error page, where PEM is expected'],
    ['nothing', '', 'ERR_TRUST_STORE_EMPTY', 'an empty file'],
    [
      'half a bundle',
      (one.pem + two.pem).slice(0, -100),
      'ERR_TRUST_STORE_MALFORMED',
      'a CERTIFICATE block without its END',
    ],
    ['a key', one.privateKeyPem, 'ERR_TRUST_STORE_PRIVATE_KEY', 'a PRIVATE KEY block'],
    ['null', null as never, 'ERR_TRUST_STORE_NOT_LOADED', 'null where PEM, DER or a TrustStore is expected'],
    ['a response', {} as never, 'ERR_TRUST_STORE_NOT_LOADED', 'an object where PEM, DER or a TrustStore is expected'],
    ['an error', new Error('ECONNREFUSED'), 'ERR_TRUST_STORE_NOT_LOADED', 'an error'],
  ])('F10: %s: no store the first time, and the last good one later', async (_, bad, code, found) => {
    answer = bad;
    await expect(load()).rejects.toMatchObject({ name: 'TrustStoreError', code, details: { found } });
    answer = one.pem;
    const store = await load();
    expect(await reloadWith(store, bad)).toBe(false);
    expect(store.current.size).toBe(1);
    expect(store.health).toMatchObject({ status: 'degraded', generation: 1, error: { code, details: { found } } });
    expect(events).toEqual([
      {
        'event.name': 'clientcert.trust.refused',
        'clientcert.trust.store': 'trust',
        'clientcert.trust.generation': 1,
        'clientcert.trust.anchors': 1,
        'clientcert.trust.sha256': store.current.sha256,
        'error.type': code,
        'error.message': store.health.error?.message,
      },
    ]);
  });

  it('F10: undefined, the first time', async () => {
    answer = undefined;
    await expect(load()).rejects.toMatchObject({
      code: 'ERR_TRUST_STORE_NOT_LOADED',
      details: { found: 'no answer the first time' },
    });
  });

  it('F10: a store without a required anchor, the first time', async () => {
    await expect(load({ requiredAnchors: ['0'.repeat(64)] })).rejects.toMatchObject({
      code: 'ERR_TRUST_STORE_ANCHOR_MISSING',
    });
  });

  it('keeps the cause of an error, also of one that is thrown at once', async () => {
    const cause = new Error('ECONNREFUSED');
    answer = cause;
    await expect(load()).rejects.toMatchObject({ cause });
    const atOnce = (): never => {
      throw cause;
    };
    await expect(load({ load: atOnce })).rejects.toMatchObject({ code: 'ERR_TRUST_STORE_NOT_LOADED', cause });
  });

  it('says what was wrong where the function itself made no store of what it found', async () => {
    await expect(load({ load: async () => TrustStore.fromPem('<html>') })).rejects.toMatchObject({
      code: 'ERR_TRUST_STORE_EMPTY',
    });
  });

  it('stays refused when nothing has changed since, and recovers with the store in use', async () => {
    const store = await load();
    await reloadWith(store, '<html>');
    expect(await reloadWith(store, undefined)).toBe(false);
    expect(store.health).toMatchObject({ status: 'degraded', refusals: 2 });
    await reloadWith(store, store.current);
    expect(store.health).toMatchObject({ status: 'ok' });
    await reloadWith(store, undefined);
    expect(store.health).toMatchObject({ status: 'ok' });
    expect(eventNames()).toEqual(['refused', 'recovered']);
  });

  it('recovers when an error passes and nothing has changed', async () => {
    const store = await load();
    await reloadWith(store, new Error('ECONNREFUSED'));
    await reloadWith(store, undefined);
    expect(store.health).toMatchObject({ status: 'ok', generation: 1 });
    expect(eventNames()).toEqual(['refused', 'recovered']);
  });

  it('F4: a store that lost too much stays refused when it is offered again, until that is allowed', async () => {
    answer = one.pem + two.pem + three.pem;
    const store = await load();
    const small = TrustStore.fromDer([one.der]);
    expect(await reloadWith(store, small)).toBe(false);
    expect(await reloadWith(store, small)).toBe(false);
    expect(await reloadWith(store, undefined)).toBe(false);
    expect(store.health).toMatchObject({ status: 'degraded', refusals: 3, error: { code: 'ERR_TRUST_STORE_SHRUNK' } });
    expect(await store.reload({ allowShrink: true })).toBe(true);
    expect(store.current.size).toBe(1);
    expect(eventNames()).toEqual(['refused', 'replaced']);
  });

  it('F4: a store that lost some is taken, though the second question is answered with: nothing has changed', async () => {
    const store = await load();
    answer = one.pem;
    const reloading = store.reload();
    await until(() => asked.length === 2);
    answer = undefined;
    expect(await reloading).toBe(true);
    expect(asked).toHaveLength(3);
    expect(store.current.size).toBe(1);
  });
});

describe('a function that takes too long', () => {
  it('F10: makes no store the first time; its signal says so', async () => {
    let signal: AbortSignal | undefined;
    const hanging = load({
      timeoutMs: 50,
      load: async (context) => {
        ({ signal } = context);
        return new Promise(() => {});
      },
    });
    await expect(hanging).rejects.toMatchObject({
      code: 'ERR_TRUST_STORE_NOT_LOADED',
      details: { found: 'no answer in time' },
    });
    expect(signal?.aborted).toBe(true);
  });

  it('is said to have taken too long, also where it heeds its signal', async () => {
    const heeding = load({
      timeoutMs: 50,
      load: async ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
    });
    await expect(heeding).rejects.toMatchObject({ details: { found: 'no answer in time' } });
  });

  it('does not count any more', async () => {
    let late: ((pem: string) => void) | undefined;
    let mustHang = false;
    const store = await load({
      timeoutMs: 50,
      load: async () => (mustHang ? new Promise<string>((resolve) => (late = resolve)) : one.pem),
    });
    mustHang = true;
    expect(await store.reload()).toBe(false);
    late?.(one.pem + two.pem);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(store.current).toMatchObject({ size: 1, generation: 1 });
    expect(store.health).toMatchObject({ status: 'degraded', error: { details: { found: 'no answer in time' } } });
    mustHang = false;
    expect(await store.reload()).toBe(false);
    expect(store.health).toMatchObject({ status: 'ok', generation: 1 });
  });

  it('is told so when the store is closed, which does not wait for it', async () => {
    let signal: AbortSignal | undefined;
    let mustHang = false;
    const store = await load({
      load: async (context) => {
        ({ signal } = context);
        return mustHang ? new Promise<never>(() => {}) : one.pem;
      },
    });
    expect(signal?.aborted).toBe(false);
    mustHang = true;
    const reloading = store.reload();
    await until(() => signal?.aborted === false);
    const started = performance.now();
    await store.close();
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(await reloading).toBe(false);
    expect(signal?.aborted).toBe(true);
    expect(store.health).toMatchObject({ status: 'ok', refusals: 0 });
  });

  it('is not asked again after the store was closed between two readings', async () => {
    const store = await load();
    answer = one.pem;
    const reloading = store.reload();
    await until(() => asked.length === 2);
    await store.close();
    expect(await reloading).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(asked).toHaveLength(2);
  });
});

describe('how often a function is asked', () => {
  /** Lets time pass, second by second, with what is to be done in it. */
  async function pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds * 10; second++) {
      await jest.advanceTimersByTimeAsync(100);
      // Slices of work take turns of the real event loop.
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
    }
  }
  const fake = (): void => void jest.useFakeTimers({ doNotFake: ['setImmediate', 'performance'] });

  it.each([
    [0, 270],
    [0.999_999, 330],
  ])('every 300 seconds, give or take a tenth: with a chance of %d after %d', async (chance, seconds) => {
    jest.spyOn(Math, 'random').mockReturnValue(chance);
    fake();
    await load();
    await pass(seconds - 1);
    expect(asked).toHaveLength(1);
    await pass(2);
    expect(asked).toHaveLength(2);
  });

  it('after 1, 2, 4, 8 seconds while it fails, up to the ordinary time; and the ordinary time when it is well', async () => {
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    fake();
    const store = await load({ refreshSeconds: 10 });
    const times: number[] = [];
    answer = new Error('ECONNREFUSED');
    let seen = asked.length;
    for (let tenth = 1; tenth <= 520; tenth++) {
      await pass(0.1);
      if (asked.length > seen) times.push(Math.round(tenth / 10));
      seen = asked.length;
      if (times.length === 6) answer = one.pem + two.pem;
    }
    expect(times).toEqual([10, 11, 13, 17, 25, 35, 45]);
    expect(store.health).toMatchObject({ status: 'ok', refusals: 6 });
  });

  it('never twice at once, and once for all who ask meanwhile', async () => {
    let underWay = 0;
    let most = 0;
    let count = 0;
    const store = await load({
      load: async () => {
        count += 1;
        most = Math.max(most, ++underWay);
        await new Promise((resolve) => setTimeout(resolve, 20));
        underWay -= 1;
        return one.pem;
      },
    });
    await Promise.all(Array.from({ length: 50 }, async () => store.reload()));
    expect([most, count]).toEqual([1, 3]);
  });

  it('no more once the store is closed', async () => {
    fake();
    const store = await load({ refreshSeconds: 1 });
    await store.close();
    await pass(3);
    expect(asked).toHaveLength(1);
    expect(store.health.noticedBy).toBe('nobody');
  });
});

describe('options of a store from a function', () => {
  const pem = async (): Promise<string> => one.pem;

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'loadTrustStore takes an options object; it received undefined.'],
    ['a function', pem, 'loadTrustStore takes an options object; it received a function.'],
    ['no function', {}, 'loadTrustStore needs load, a function; it received undefined.'],
    ['a URL', { load: 'https://ca.example' }, 'loadTrustStore needs load, a function; it received a string.'],
    [
      'a misspelt option',
      { load: pem, timeoutMS: 1 },
      'loadTrustStore received an unknown option, `timeoutMS`. Did you mean `timeoutMs`?',
    ],
    ['a name of no kind', { load: pem, name: 1 }, 'name must be a string.'],
    ['a listener of no kind', { load: pem, onEvent: 'log' }, 'onEvent must be a function; it received a string.'],
    ['constraints of no kind', { load: pem, constraints: 1 }, 'constraints takes an options object; it received 1.'],
  ])('are refused: %s', async (_, options, message) => {
    await expect(loadTrustStore(options as never)).rejects.toThrow(new TypeError(message));
  });

  it.each<[string, unknown, string]>([
    ['refreshSeconds', 0, 'refreshSeconds must be an integer from 1 to 86400; it received 0.'],
    ['refreshSeconds', 86_401, 'refreshSeconds must be an integer from 1 to 86400; it received 86401.'],
    ['timeoutMs', 0, 'timeoutMs must be an integer from 1 to 600000; it received 0.'],
    ['timeoutMs', 600_001, 'timeoutMs must be an integer from 1 to 600000; it received 600001.'],
    ['timeoutMs', '1000', 'timeoutMs must be an integer from 1 to 600000; it received a string.'],
    ['maxShrink', 2, 'maxShrink must be from 0 to 1; it received 2.'],
  ])('are refused: %s of %p', async (name, value, message) => {
    await expect(loadTrustStore({ load: pem, [name]: value })).rejects.toThrow(new RangeError(message));
  });

  it('are judged before the function is asked', async () => {
    await expect(load({ timeoutMs: -1 })).rejects.toThrow(RangeError);
    expect(asked).toEqual([]);
  });

  it.each(['timeoutMs', 'refreshSeconds', 'constraints', 'maxShrink'])(
    'ID-03: are refused while Object.prototype has a property like one of them: %s',
    async (name) => {
      const prototype = Object.prototype as Record<string, unknown>;
      prototype[name] = 1;
      const loading = loadTrustStore({ load: pem });
      delete prototype[name];
      await expect(loading).rejects.toThrow(
        `would inherit \`${name}\` from Object.prototype: something has polluted it.`,
      );
    },
  );
});
