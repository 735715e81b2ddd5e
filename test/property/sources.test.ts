import {
  alb,
  apache,
  caddy,
  ClientCertificateError,
  cloudflare,
  cloudFront,
  envoy,
  haproxy,
  nginx,
  rfc9440,
  type Source,
  traefik,
} from '@peercert/core';
import {
  albHeaders,
  apacheHeaders,
  caddyHeaders,
  cloudflareHeaders,
  cloudFrontHeaders,
  createAuthority,
  envoyHeaders,
  haproxyHeaders,
  type HeaderLines,
  nginxHeaders,
  rfc9440Headers,
  traefikHeaders,
} from '@peercert/testkit';
import * as fc from 'fast-check';
import { edgeChannel, fromEdge } from '../support/requests';
import { counterexample } from './property';

const channel = edgeChannel;
const root = createAuthority();
const intermediates = [root.issueIntermediate(), root.issueIntermediate()];
const clients = intermediates.flatMap((issuer) => [
  issuer.issue({ uris: ['urn:client'] }),
  issuer.issue({ dnsNames: ['client.example'] }),
]);
const others = [...intermediates, root, ...clients].map(({ der }) => der);

type Presented = { readonly der: Buffer; readonly chain: readonly Buffer[] };
type Case = readonly [title: string, source: Source, write: (presented: Presented) => HeaderLines, hasChain: boolean];

const helpers = {
  combinePemHeaders: {
    newHeaderName: 'X-Full-Chain',
    pemCertFormatInfo: { certHeader: '-----B-----', certFooter: '-----E-----', keepNewlinesInCertData: true },
  },
};
const cases: readonly Case[] = [
  ['cloudFront', cloudFront({ channel }), (one) => cloudFrontHeaders(one), true],
  ['cloudFront with helpers', cloudFront({ channel, helpers }), (one) => cloudFrontHeaders(one, { helpers }), true],
  [
    'cloudFront in required mode',
    cloudFront({ channel, mode: 'required' }),
    (one) => cloudFrontHeaders(one, { mode: 'required' }),
    false,
  ],
  ['alb in passthrough mode', alb({ channel, mode: 'passthrough' }), (one) => albHeaders(one), true],
  ['alb in verify mode', alb({ channel, mode: 'verify' }), (one) => albHeaders(one, { mode: 'verify' }), false],
  ['nginx', nginx({ channel }), (one) => nginxHeaders(one), false],
  ['haproxy', haproxy({ channel }), (one) => haproxyHeaders(one), true],
  ['apache', apache({ channel }), (one) => apacheHeaders(one), false],
  ['caddy', caddy({ channel }), (one) => caddyHeaders(one), false],
  ['traefik', traefik({ channel }), (one) => traefikHeaders(one), true],
  [
    'traefik, escaped',
    traefik({ channel, encoding: 'escaped-pem' }),
    (one) => traefikHeaders(one, { encoding: 'escaped-pem' }),
    true,
  ],
  ['cloudflare', cloudflare({ channel }), (one) => cloudflareHeaders(one), true],
  [
    'cloudflare, DER',
    cloudflare({ channel, format: 'der-base64' }),
    (one) => cloudflareHeaders(one, { format: 'der-base64' }),
    false,
  ],
  ['envoy', envoy({ channel }), (one) => envoyHeaders(one), true],
  [
    'envoy, last',
    envoy({ channel, element: 'last' }),
    (one) => envoyHeaders(one, { appendTo: envoyHeaders(one)[0]?.[1] ?? '' }),
    true,
  ],
  ['rfc9440', rfc9440({ channel }), (one) => rfc9440Headers(one), true],
];

const presentedByClients: fc.Arbitrary<Presented> = fc
  .tuple(fc.constantFrom(...clients), fc.array(fc.constantFrom(...others), { maxLength: 3 }))
  .map(([{ der }, chain]) => ({ der, chain }));

/** What a source finds; undefined for what it refuses with our own error. Any other error is thrown on. */
function find(
  source: Source,
  lines: readonly (readonly [string, string])[],
): readonly Uint8Array[] | undefined | 'absent' {
  try {
    const presented = source.collect(fromEdge(...lines.flat()));
    return presented === undefined ? 'absent' : [presented.decodeEndEntity(), ...presented.decodeChain()];
  } catch (error) {
    if (!(error instanceof ClientCertificateError)) throw error;
    return undefined;
  }
}

/** The base64 in a value, whatever stands around it, and whatever is escaped in it. */
function base64In(text: string): string {
  const plain = text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  return plain.replaceAll(/[^A-Za-z0-9+/]/g, '');
}

/** Base64 without padding and without its last character, whose bits may be written in several ways. */
const stem = (der: Uint8Array): string => Buffer.from(der).toString('base64').replace(/=*$/, '').slice(0, -1);

const pieces = [
  '',
  ' ',
  '%',
  '%0A',
  '%20',
  '%2B',
  '+',
  '/',
  '=',
  ',',
  ';',
  ':',
  '"',
  '\\',
  '\n',
  '\u00e9',
  '-----',
  'A',
  'MII',
  'Cert="',
  ',By=a;',
  '-----END CERTIFICATE-----',
];
const mutation = fc.record({
  at: fc.nat(1_000_000),
  remove: fc.constantFrom(0, 0, 1, 2, 5, 64),
  insert: fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'binary', maxLength: 3 })),
});

describe.each(cases)('what the proxy of %s writes', (_, source, write, hasChain) => {
  it('is read as the very certificates that were written', () => {
    expect(
      counterexample(
        fc.property(presentedByClients, (presented) => {
          const found = find(source, write(presented));
          const expected = hasChain ? [presented.der, ...presented.chain] : [presented.der];
          expect((found as Uint8Array[]).map((der) => Buffer.from(der))).toEqual(expected);
        }),
        100,
      ),
    ).toBeUndefined();
  });

  it('is refused with our own error when it is changed, or says no more than what stands there', () => {
    let refused = 0;
    let accepted = 0;
    expect(
      counterexample(
        fc.property(
          presentedByClients,
          fc.nat(10),
          fc.array(mutation, { minLength: 1, maxLength: 3 }),
          (presented, line, all) => {
            const lines = write(presented);
            const changed = lines[line % lines.length] as [string, string];
            for (const { at, remove, insert } of all) {
              const place = at % (changed[1].length + 1);
              changed[1] = changed[1].slice(0, place) + insert + changed[1].slice(place + remove);
            }
            const found = find(source, lines);
            if (found === undefined) refused++;
            if (found === undefined || found === 'absent') return;
            accepted++;
            if (source.name === 'haproxy') return;
            const text = lines.map(([, value]) => base64In(value)).join(' ');
            for (const der of found) expect(text).toContain(stem(der));
          },
        ),
        600,
      ),
    ).toBeUndefined();
    expect(refused).toBeGreaterThan(100);
    expect(accepted).toBeGreaterThan(0);
  });

  it('is refused with our own error, or absent, when it is anything at all', () => {
    const value = fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'binary', maxLength: 4 })), {
      maxLength: 12,
    });
    expect(
      counterexample(
        fc.property(fc.array(fc.tuple(fc.constantFrom(...source.fields), value), { maxLength: 4 }), (all) => {
          const found = find(
            source,
            all.map(([name, parts]): [string, string] => [name, parts.join('')]),
          );
          expect(found === undefined || found === 'absent' || found.every((der) => der.length > 0)).toBe(true);
        }),
        1_000,
      ),
    ).toBeUndefined();
  });
});
