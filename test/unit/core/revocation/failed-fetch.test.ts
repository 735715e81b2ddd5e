import { CrlTextError } from '../../../../packages/core/src/revocation/crl-text';
import { failureOf, isNews } from '../../../../packages/core/src/revocation/failed-fetch';
import { FetchError, type FetchFailure } from '../../../../packages/core/src/revocation/fetch-error';

describe('a failed fetch', () => {
  it.each<[FetchFailure, string, boolean]>([
    ['url-not-permitted', 'no-source', false],
    ['host-not-permitted', 'no-source', false],
    // What a resolver says just now must not count as what the certificate says.
    ['address-not-permitted', 'unreachable', true],
    ['dns', 'unreachable', true],
    ['connect', 'unreachable', true],
    ['tls', 'unreachable', true],
    ['timeout', 'unreachable', true],
    ['reset', 'unreachable', true],
    ['not-http', 'unreachable', true],
    ['status', 'unreachable', true],
    ['redirect', 'unreachable', true],
    ['content-type', 'unusable', true],
    ['too-large', 'unusable', true],
    ['breaker-open', 'unreachable', false],
    ['busy', 'unreachable', false],
    ['closed', 'unreachable', false],
    ['failed', 'unreachable', true],
  ])('%s means %s, and is news: %s', (reason, cause, news) => {
    const error = new FetchError(reason);
    expect(failureOf(error)).toEqual({ status: 'unknown', cause, detail: error.message });
    expect(isNews(error)).toBe(news);
  });

  it('what is no CRL is unusable', () => {
    const error = new CrlTextError('an empty file');
    expect(failureOf(error)).toEqual({ status: 'unknown', cause: 'unusable', detail: 'found an empty file' });
  });

  it.each([
    [new Error('whatever'), 'whatever'],
    [null, 'null'],
  ])('whatever else fails is a failure all the same: %s', (error, detail) => {
    expect(failureOf(error)).toEqual({ status: 'unknown', cause: 'unreachable', detail });
    expect(isNews(error)).toBe(true);
  });
});
