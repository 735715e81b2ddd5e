import { Reloading, type ReloadingOptions } from '../../../packages/core/src/reloading';

type Answer = number | undefined | Error;

interface Setting {
  readonly reloading: Reloading<number>;
  readonly told: string[];
  /** The loads under way, in order: each waits to be answered. */
  readonly loads: { readonly current: number; readonly generation: number; answer(answer: Answer): void }[];
  setTime(time: number): void;
}

function reloadingFrom(first: number, options: Partial<ReloadingOptions<number>> = {}): Setting {
  let time = 1_000;
  const told: string[] = [];
  const loads: Setting['loads'] = [];
  const reloading = new Reloading<number>({
    first,
    load: async (current, generation) =>
      new Promise((resolve, reject) => {
        const answer = (given: Answer): void => (given instanceof Error ? reject(given) : resolve(given));
        loads.push({ current, generation, answer });
      }),
    onReplaced: (next, previous) => void told.push(`replaced ${previous} by ${next}`),
    onRefused: ({ message }) => void told.push(`refused: ${message}`),
    onRecovered: () => void told.push('recovered'),
    clock: () => time,
    ...options,
  });
  return { reloading, told, loads, setTime: (now) => void (time = now) };
}

async function reloadWith({ reloading, loads }: Setting, answer: Answer): Promise<boolean> {
  const reloaded = reloading.reload();
  loads.at(-1)?.answer(answer);
  return reloaded;
}

describe('a snapshot that is reloaded', () => {
  it('is the first one at first, and well', () => {
    const { reloading } = reloadingFrom(1);
    expect(reloading.current).toBe(1);
    expect(reloading.health).toEqual({
      status: 'ok',
      generation: 1,
      loadedAt: new Date(1_000),
      confirmedAt: new Date(1_000),
      refusals: 0,
    });
  });

  it('is replaced by the next one', async () => {
    const setting = reloadingFrom(1);
    setting.setTime(2_000);
    expect(await reloadWith(setting, 2)).toBe(true);
    expect(setting.loads[0]).toMatchObject({ current: 1, generation: 2 });
    expect(setting.reloading.current).toBe(2);
    expect(setting.reloading.health).toEqual({
      status: 'ok',
      generation: 2,
      loadedAt: new Date(2_000),
      confirmedAt: new Date(2_000),
      refusals: 0,
    });
    expect(setting.told).toEqual(['replaced 1 by 2']);
  });

  it('stays when there is nothing new, and is confirmed', async () => {
    const setting = reloadingFrom(1);
    setting.setTime(2_000);
    expect(await reloadWith(setting, undefined)).toBe(false);
    expect(setting.reloading.health).toMatchObject({
      generation: 1,
      loadedAt: new Date(1_000),
      confirmedAt: new Date(2_000),
    });
    expect(setting.told).toEqual([]);
  });

  it('stays when the next one is refused, and says so once for each reason', async () => {
    const setting = reloadingFrom(1);
    const error = new Error('broken');
    setting.setTime(2_000);
    for (const answer of [error, new Error('broken'), new Error('gone'), error]) {
      expect(await reloadWith(setting, answer)).toBe(false);
    }
    expect(setting.reloading.current).toBe(1);
    expect(setting.reloading.health).toEqual({
      status: 'degraded',
      generation: 1,
      loadedAt: new Date(1_000),
      confirmedAt: new Date(1_000),
      refusals: 4,
      error,
    });
    expect(setting.told).toEqual(['refused: broken', 'refused: gone', 'refused: broken']);
  });

  it('recovers, by the same one or the next', async () => {
    const setting = reloadingFrom(1);
    await reloadWith(setting, new Error('broken'));
    await reloadWith(setting, undefined);
    expect(setting.reloading.health).toMatchObject({ status: 'ok', generation: 1, refusals: 1 });
    expect(setting.reloading.health).not.toHaveProperty('error');
    await reloadWith(setting, new Error('broken'));
    await reloadWith(setting, 2);
    expect(setting.reloading.health).toMatchObject({ status: 'ok', generation: 2, refusals: 2 });
    expect(setting.told).toEqual(['refused: broken', 'recovered', 'refused: broken', 'replaced 1 by 2']);
  });

  it('is degraded by whatever is thrown', async () => {
    const { reloading } = reloadingFrom(1, { load: () => Promise.reject('a string') });
    expect(await reloading.reload()).toBe(false);
    expect(reloading.health.error).toEqual(new Error('Loading failed', { cause: 'a string' }));
  });

  it('is degraded by what is thrown at once', async () => {
    const load = (): never => {
      throw new Error('at once');
    };
    const { reloading } = reloadingFrom(1, { load });
    expect(await reloading.reload()).toBe(false);
    expect(reloading.health.error).toEqual(new Error('at once'));
  });

  it('F8: is loaded once at a time, and once more for all who asked meanwhile', async () => {
    const setting = reloadingFrom(1);
    const first = setting.reloading.reload();
    const others = Array.from({ length: 100 }, async () => setting.reloading.reload());
    expect(setting.loads).toHaveLength(1);
    setting.loads[0]?.answer(2);
    expect(await first).toBe(true);
    await new Promise(setImmediate);
    expect(setting.loads).toHaveLength(2);
    expect(setting.loads[1]).toMatchObject({ current: 2, generation: 3 });
    setting.loads[1]?.answer(undefined);
    expect(await Promise.all(others)).toEqual(Array(100).fill(false));
    expect(setting.loads).toHaveLength(2);
  });

  it('does not start a second load with the first one failing', async () => {
    const setting = reloadingFrom(1);
    const both = [setting.reloading.reload(), setting.reloading.reload()];
    setting.loads[0]?.answer(new Error('broken'));
    await new Promise(setImmediate);
    setting.loads[1]?.answer(2);
    expect(await Promise.all(both)).toEqual([false, true]);
    expect(setting.reloading.current).toBe(2);
  });

  it('is not replaced once closed; closing waits for the load under way', async () => {
    const setting = reloadingFrom(1);
    const reloads = [setting.reloading.reload(), setting.reloading.reload()];
    let isClosed = false;
    const closing = setting.reloading.close().then(() => (isClosed = true));
    await new Promise(setImmediate);
    expect(isClosed).toBe(false);
    setting.loads[0]?.answer(2);
    await closing;
    expect(await Promise.all(reloads)).toEqual([false, false]);
    expect(await setting.reloading.reload()).toBe(false);
    expect(setting.loads).toHaveLength(1);
    expect(setting.reloading.current).toBe(1);
    expect(setting.told).toEqual([]);
  });

  it('is not degraded by a load that fails because of the closing', async () => {
    const setting = reloadingFrom(1);
    const reloaded = setting.reloading.reload();
    const closing = setting.reloading.close();
    setting.loads[0]?.answer(new Error('aborted'));
    await closing;
    expect(await reloaded).toBe(false);
    expect(setting.reloading.health).toMatchObject({ status: 'ok', refusals: 0 });
  });

  it.each([
    ['onReplaced', 2, { generation: 2, status: 'ok' }],
    ['onRefused', new Error('broken'), { generation: 1, status: 'degraded' }],
  ])('is what it is, whatever %s throws', async (name, answer, health) => {
    const warnings = jest.spyOn(process, 'emitWarning').mockImplementation();
    const thrown = new Error('a listener failed');
    const setting = reloadingFrom(1, {
      [name]: () => {
        throw thrown;
      },
    });
    expect(await reloadWith(setting, answer)).toBe(answer === 2);
    expect(setting.reloading.health).toMatchObject(health);
    expect(warnings.mock.calls).toEqual([[thrown]]);
    warnings.mockRestore();
  });
});
