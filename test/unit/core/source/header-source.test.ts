import {
  headerSource,
  type HeaderSourceOptions,
  type OutcomeEvent,
  sharedSecret,
  trustedAddresses,
  nginx,
} from '@peercert/core';
import { createAuthority } from '@peercert/testkit';
import { dialectOf } from '../../../../packages/core/src/source/dialect';
import { admitted, behindEdge, edgeChannel, edgeSecret, fromEdge } from '../../../support/requests';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const client = createAuthority().issue();
const nothing = { decodeChain: () => [], decodeEndEntity: () => client.der };
const own: HeaderSourceOptions = {
  name: 'my-proxy',
  channel: edgeChannel,
  fields: ['X-Cert', 'X-Other'],
  maxHeaderBytes: 16_384,
  read: ([lines]) => (lines === undefined ? undefined : nothing),
};

describe('a source of your own', () => {
  it('is what its options say', () => {
    expect(headerSource(own)).toMatchObject({
      name: 'my-proxy',
      channel: edgeChannel,
      fields: ['x-cert', 'x-other'],
      maxHeaderBytes: 16_384,
      proxyProves: 'nothing',
    });
    expect(headerSource({ ...own, proxyProves: 'path' }).proxyProves).toBe('path');
  });

  it('is given the lines of its fields, in their order', () => {
    const read = jest.fn(() => undefined);
    const source = headerSource({ ...own, read });
    expect(source.collect(fromEdge('X-Other', 'a', 'x-cert', 'b', 'X-OTHER', 'c', 'Accept', 'd'))).toBeUndefined();
    expect(source.collect(fromEdge())).toBeUndefined();
    expect(read.mock.calls).toEqual([[[['b'], ['a', 'c']]], [[undefined, undefined]]]);
  });

  it('CA-03: has a key over everything it was given', () => {
    const source = headerSource(own);
    const keyOf = (...lines: readonly string[]): string | undefined => source.collect(fromEdge(...lines))?.key;
    const keys = [
      keyOf('X-Cert', 'a'),
      keyOf('X-Cert', ''),
      keyOf('X-Cert', 'a', 'X-Other', ''),
      keyOf('X-Cert', 'a', 'X-Other', 'b'),
      keyOf('X-Cert', 'a', 'X-Cert', 'b'),
      keyOf('X-Cert', 'a', 'X-Cert', 'b', 'X-Other', 'b'),
      keyOf('X-Cert', 'a1b'),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(keyOf('X-Cert', 'a', 'X-Other', 'b')).toBe(keyOf('X-Other', 'b', 'Accept', 'c', 'X-Cert', 'a'));
    const other = headerSource({ ...own, name: 'other' });
    expect(other.collect(fromEdge('X-Cert', 'a'))?.key).not.toBe(keys[0]);
  });

  it('never reads its companions, nor refuses them', () => {
    const strict = headerSource({ ...own, otherCertificateHeaders: 'reject', companions: ['X-ARR-ClientCert'] });
    expect(strict.collect(fromEdge('X-ARR-ClientCert', 'x'))).toBeUndefined();
  });

  it('fails closed for a mistake of its author', async () => {
    const mistakes: unknown[] = [null, {}, 'certificate', Promise.resolve(nothing)];
    for (const answer of mistakes) {
      const source = headerSource({ ...own, read: () => answer as never });
      await expect(admitted(behindEdge([client], { source }), fromEdge('X-Cert', 'a'))).toRejectWith(
        'ERR_INTERNAL',
        {},
      );
    }
  });

  it.each<[string, object, string]>([
    ['no name', { name: undefined }, 'headerSource needs name'],
    ['a name in upper case', { name: 'My-Proxy' }, 'headerSource needs name'],
    ['a name too long', { name: 'a'.repeat(64) }, 'headerSource needs name'],
    ['the name of a preset', { name: 'nginx' }, 'and not the name of a preset.'],
    [
      'no fields',
      { fields: [] },
      'headerSource needs fields, a non-empty array of header names; it received an empty array.',
    ],
    ['one field', { fields: 'X-Cert' }, 'it received a string.'],
    [
      'an underscore',
      { fields: ['X_Cert'] },
      'fields must be a header name without underscores; it received `X_Cert`.',
    ],
    ['a number', { fields: [1] }, 'it received 1.'],
    ['Host', { fields: ['Host'] }, 'fields cannot be host: it has a meaning of its own.'],
    ['one field twice', { fields: ['X-Cert', 'x-cert'] }, 'headerSource was given x-cert for two of its headers.'],
    [
      'the field of the channel',
      { fields: ['X-Edge-Secret'] },
      'The channel proof cannot use x-edge-secret: the source reads it.',
    ],
    ['no function', { read: undefined }, 'headerSource needs read, a function; it received undefined.'],
    ['an unknown proof', { proxyProves: 'everything' }, "proxyProves must be 'nothing', 'possession' or 'path'."],
    [
      'no channel',
      { channel: undefined },
      'headerSource needs channel, a proof that requests come through your proxy:',
    ],
    [
      'a channel that proves too little',
      { channel: trustedAddresses(['1.1.1.0/24']) },
      'headerSource needs a channel proof of your own proxy.',
    ],
    [
      'a secret in a certificate header',
      { channel: sharedSecret({ header: 'X-Client-Cert', secrets: [edgeSecret] }) },
      'it is a certificate header.',
    ],
    ['a misspelt option', { Fields: [] }, 'Did you mean `fields`?'],
    ['an option of presets', { owner: 'me' }, 'headerSource received an unknown option, `owner`.'],
  ])('is refused with %s', (_, options, message) => {
    expect(() => headerSource({ ...own, ...options })).toThrow(TypeError);
    expect(() => headerSource({ ...own, ...options })).toThrow(message);
  });

  it.each([0, 1_048_577, 1.5, '1'])('is refused with maxHeaderBytes of %p', (maxHeaderBytes) => {
    expect(() => headerSource({ ...own, maxHeaderBytes } as never)).toThrow(RangeError);
  });
});

describe('what a value looks like', () => {
  it.each<[string, string | undefined]>([
    [':MIIB:', 'RFC 9440'],
    ['-----BEGIN%20CERTIFICATE-----%0AMIIB', 'URL-encoded PEM'],
    ['-----BEGIN+CERTIFICATE-----', 'URL-encoded PEM'],
    ['-----BEGIN CERTIFICATE----- MIIB', 'space-folded PEM'],
    ['-----BEGIN CERTIFICATE-----\tMIIB', 'PEM'],
    ['MIIBqDCCAU6gAwIBAgIBBzAK', 'bare base64 DER'],
    ['MIIBqDCCAU6gAwIBAgIBBzAK,MIIB', 'bare base64 DER'],
    ['MIIBqDCCAU6gAwIB%2BAgIBBzAK', 'URL-encoded base64 DER'],
    ['by=spiffe://a', 'X-Forwarded-Client-Cert'],
    ['{"cert":1}', 'JSON'],
    ['SUCCESS', undefined],
    ['AAEC', undefined],
    ['', undefined],
  ])('%s: %s', (text, expected) => {
    expect(dialectOf(text)).toBe(expected);
  });

  it('EN-19: stands in the event and not in the response', async () => {
    const events: OutcomeEvent[] = [];
    const source = nginx({ channel: edgeChannel });
    const authenticator = behindEdge([client], { source, onOutcome: (event) => events.push(event) });
    const outcome = await authenticator.authenticate(fromEdge('ssl-client-cert', `:${client.der.toString('base64')}:`));
    const hint = 'looks like RFC 9440; the source reads URL-encoded PEM';
    expect(events).toEqual([
      expect.objectContaining({ 'clientcert.hint': hint, 'error.type': 'ERR_HEADER_MALFORMED' }),
    ]);
    expect(outcome.status === 'rejected' && outcome.error.message).toBe('A certificate header is malformed.');
  });
});
