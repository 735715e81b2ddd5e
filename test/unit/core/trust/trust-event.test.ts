import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { trustChannelName, type TrustEvent } from '@peercert/core';
import { callListener, publishTrustEvent } from '../../../../packages/core/src/trust/trust-event';

const event: TrustEvent = {
  'event.name': 'clientcert.trust.recovered',
  'clientcert.trust.store': 'trust',
  'clientcert.trust.generation': 1,
  'clientcert.trust.anchors': 2,
  'clientcert.trust.sha256': '00'.repeat(32),
};
const warning = (detail: string): unknown[] => [
  `A listener of trust events failed: ${detail}`,
  { type: 'PeercertWarning', code: 'PEERCERT_LISTENER' },
];

let warnings: jest.SpyInstance;
beforeEach(() => {
  warnings = jest.spyOn(process, 'emitWarning').mockImplementation();
});
afterEach(() => warnings.mockRestore());

describe('an event of a trust store', () => {
  it('is published on the channel, and told to the listener after that, the same object', () => {
    const told: unknown[] = [];
    const subscriber = (message: unknown, name: unknown): void => void told.push([name, message]);
    subscribe(trustChannelName, subscriber);
    publishTrustEvent(event, (message) => told.push(['listener', message]));
    unsubscribe(trustChannelName, subscriber);
    expect(trustChannelName).toBe('peercert:trust');
    expect(told).toEqual([
      ['peercert:trust', event],
      ['listener', event],
    ]);
  });

  it('cannot be changed by whoever is told', () => {
    publishTrustEvent({ ...event }, (message) => {
      expect(Object.isFrozen(message)).toBe(true);
    });
  });

  it('needs no listener', () => {
    expect(() => publishTrustEvent(event, undefined)).not.toThrow();
  });
});

describe('a listener that fails', () => {
  // oxlint-disable-next-line unicorn/no-thenable -- what a listener of another promise library answers
  const rejecting = { then: (_: unknown, reject: (reason: unknown) => void) => reject(new Error('later')) };

  it.each<[string, () => unknown, string]>([
    [
      'throws an error',
      () => {
        throw new Error('at once');
      },
      'at once',
    ],
    [
      'throws something else',
      () => {
        throw 'a secret';
      },
      'a string',
    ],
    ['rejects', () => Promise.reject(new Error('later')), 'later'],
    ['answers with something like a promise, which rejects', () => rejecting, 'later'],
  ])('is a process warning and nothing else: %s', async (_, listener, detail) => {
    expect(() => callListener(listener, event)).not.toThrow();
    await new Promise(setImmediate);
    expect(warnings.mock.calls).toEqual([warning(detail)]);
  });

  it('is none when it only takes long', async () => {
    callListener(() => new Promise(() => {}), event);
    await new Promise(setImmediate);
    expect(warnings).not.toHaveBeenCalled();
  });
});
