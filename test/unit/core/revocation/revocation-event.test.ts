import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { revocationChannelName, type RevocationEvent } from '@peercert/core';
import { publishRevocationEvent } from '../../../../packages/core/src/revocation/revocation-event';

const event = (): RevocationEvent => ({
  'event.name': 'clientcert.revocation.replaced',
  'clientcert.revocation.method': 'crl',
  'clientcert.revocation.source': 'http://crl.test/ca.crl',
});

let warnings: jest.SpyInstance;
beforeEach(() => {
  warnings = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
});
afterEach(() => jest.restoreAllMocks());

/** What is published on the channel meanwhile. */
function heard(act: () => void): readonly unknown[] {
  const messages: unknown[] = [];
  const listen = (message: unknown): number => messages.push(message);
  subscribe(revocationChannelName, listen);
  try {
    act();
  } finally {
    unsubscribe(revocationChannelName, listen);
  }
  return messages;
}

describe('an event of revocation', () => {
  it('is told to the listener and published on the channel, and nobody can change it', () => {
    const onEvent = jest.fn();
    const told = event();
    expect(revocationChannelName).toBe('peercert:revocation');
    expect(heard(() => publishRevocationEvent(told, onEvent))).toEqual([event()]);
    expect(onEvent.mock.calls).toEqual([[event()]]);
    expect(Object.isFrozen(told)).toBe(true);
  });

  it('needs no listener', () => {
    expect(heard(() => publishRevocationEvent(event(), undefined))).toEqual([event()]);
    expect(warnings).not.toHaveBeenCalled();
  });

  it.each<[string, () => unknown, string]>([
    [
      'throws',
      () => {
        throw new Error('disk full');
      },
      'disk full',
    ],
    ['rejects', () => Promise.reject(new Error('disk full')), 'disk full'],
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- listeners are anybody's
    ['rejects with nothing', () => Promise.reject(), 'undefined'],
  ])('changes nothing where its listener %s: that is a warning', async (_, onEvent, detail) => {
    expect(heard(() => publishRevocationEvent(event(), onEvent))).toEqual([event()]);
    await nextTurn();
    expect(warnings.mock.calls).toEqual([
      [`A listener of revocation events failed: ${detail}`, { type: 'PeercertWarning', code: 'PEERCERT_LISTENER' }],
    ]);
  });

  it('is not waited for', () => {
    const never = new Promise(() => {});
    expect(heard(() => publishRevocationEvent(event(), () => never))).toHaveLength(1);
  });
});
