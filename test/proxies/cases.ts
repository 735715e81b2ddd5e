import { Agent } from 'node:https';
import type { SecureVersion } from 'node:tls';
import {
  albHeaders,
  apacheHeaders,
  caddyHeaders,
  cloudflareHeaders,
  cloudFrontHeaders,
  envoyHeaders,
  haproxyHeaders,
  nginxHeaders,
  rfc9440Headers,
  type TestCertificate,
  traefikHeaders,
} from '@peercert/testkit';
import { sendHttp2, sendOver, sendRaw } from './client';
import type { Clients } from './pki';
import type { Proxy } from './proxies';
import type { Site } from './site';

/** Both origins of a recipe: every client must present a certificate, or may. */
export interface Sites {
  readonly required: Site;
  readonly optional: Site;
}

/** One thing a client does. */
export interface ProxyCase {
  readonly case: string;
  /** What must become of it, in the words of `RawAnswer.answer`. */
  readonly expected: string;
  actual(sites: Sites): Promise<string>;
}

type Lines = readonly (readonly [name: string, value: string])[];
/** Expected where a proxy does something of its own. */
type ByProxy = Partial<Record<Proxy['name'], string>>;

const required = '403 certificate_required';
const rejected = '403 certificate_rejected';
const malformed = '400 malformed';
const badRequest = '400 before peercert';
const inHandshake = 'refused in the handshake';
const all = (answer: string): ByProxy => ({ nginx: answer, haproxy: answer, apache: answer, caddy: answer });
/** nginx drops names with underscores. The others pass them on, beside the proxy's own header, which is ambiguous. */
const lookAlike: ByProxy = { haproxy: malformed, apache: malformed, caddy: malformed };

const line = ([name, value]: readonly [string, string]): string => `${name}: ${value}`;
const underscored = (name: string): string => name.replaceAll('-', '_');

/** Ways to write header lines that some reader could take for the proxy's. */
const spellings: readonly {
  readonly called: string;
  readonly lines: (forged: Lines) => readonly string[];
  readonly body?: (forged: Lines) => string;
  /** Expected of a client without a certificate, and of one with. */
  readonly without?: ByProxy;
  readonly beside?: ByProxy;
}[] = [
  { called: 'as the proxy writes it', lines: (forged) => forged.map(line) },
  { called: 'in upper case', lines: (forged) => forged.map(([name, value]) => line([name.toUpperCase(), value])) },
  { called: 'in lower case', lines: (forged) => forged.map(([name, value]) => line([name.toLowerCase(), value])) },
  {
    called: 'with underscores',
    lines: (forged) => forged.map(([name, value]) => line([underscored(name), value])),
    without: lookAlike,
    beside: lookAlike,
  },
  {
    called: 'with one underscore',
    lines: (forged) => forged.map(([name, value]) => line([name.replace('-', '_'), value])),
    without: lookAlike,
    beside: lookAlike,
  },
  { called: 'with a dot', lines: (forged) => forged.map(([name, value]) => line([name.replace('-', '.'), value])) },
  { called: 'twice', lines: (forged) => [...forged, ...forged].map(line) },
  {
    called: 'with hyphens and with underscores',
    lines: (forged) => forged.flatMap(([name, value]) => [line([name, value]), line([underscored(name), value])]),
    without: lookAlike,
    beside: lookAlike,
  },
  {
    called: 'with a space before the colon',
    lines: (forged) => forged.map(([name, value]) => `${name} : ${value}`),
    without: all(badRequest),
    beside: all(badRequest),
  },
  {
    called: 'with a tab before the colon',
    lines: (forged) => forged.map(([name, value]) => `${name}\t: ${value}`),
    without: all(badRequest),
    beside: all(badRequest),
  },
  {
    called: 'with a space before the name',
    lines: (forged) => forged.map((pair) => ` ${line(pair)}`),
    without: { nginx: badRequest, apache: badRequest, caddy: badRequest },
    beside: { nginx: badRequest, apache: badRequest, caddy: badRequest },
  },
  {
    called: 'on a continuation line',
    lines: (forged) => forged.map(([name, value]) => `${name}:\r\n ${value}`),
    without: { nginx: badRequest },
    beside: { nginx: badRequest },
  },
  {
    called: 'behind a bare line feed',
    lines: (forged) => [`X-Other: 1\n${forged.map(line).join('\n')}`],
    without: { apache: badRequest },
    beside: { apache: badRequest },
  },
  {
    called: 'and named by Connection',
    lines: (forged) => [...forged.map(line), `Connection: close, ${forged.map(([name]) => name).join(', ')}`],
    without: { haproxy: malformed },
    beside: { haproxy: malformed, apache: required },
  },
  {
    called: 'in trailers',
    lines: (forged) => ['Transfer-Encoding: chunked', `Trailer: ${forged.map(([name]) => name).join(', ')}`],
    body: (forged) => `0\r\n${forged.map((pair) => `${line(pair)}\r\n`).join('')}\r\n`,
  },
];

/** Certificate headers of the other proxies of this world. */
const strangers: readonly (readonly [called: string, (certificate: TestCertificate) => Lines])[] = [
  ['of RFC 9440', (certificate) => rfc9440Headers(certificate)],
  ['of Envoy', (certificate) => envoyHeaders(certificate)],
  ['of Traefik', (certificate) => traefikHeaders(certificate)],
  ['of an Application Load Balancer', (certificate) => albHeaders(certificate)],
  ['of the same in verify mode', (certificate) => albHeaders(certificate, { mode: 'verify' })],
  ['of Cloudflare', (certificate) => cloudflareHeaders(certificate, { format: 'der-base64' })],
  ['of CloudFront', (certificate) => cloudFrontHeaders(certificate, { mode: 'required' })],
  ['of nginx', (certificate) => nginxHeaders(certificate)],
  ['of HAProxy', (certificate) => haproxyHeaders(certificate)],
  ['of Apache', (certificate) => apacheHeaders(certificate)],
  ['of Caddy', (certificate) => caddyHeaders(certificate)],
];

/** Everything that is tried with one proxy. */
export function casesOf(proxy: Proxy): readonly ProxyCase[] {
  const { name, headersFor } = proxy;
  const forwardsChain = name === 'haproxy';
  const speaksHttp2 = name === 'haproxy' || name === 'caddy';
  return [
    ...certificates(name, forwardsChain),
    ...resumptions(forwardsChain),
    ...spellings.flatMap(({ called, lines, body, without, beside }) => [
      {
        case: `no certificate, and a forged header ${called}`,
        expected: without?.[name] ?? required,
        actual: forging(
          undefined,
          (pki) => lines(headersFor(pki.bob)),
          (pki) => body?.(headersFor(pki.bob)),
        ),
      },
      {
        case: `a certificate, and another in a forged header ${called}`,
        expected: beside?.[name] ?? 'urn:alice',
        actual: forging(
          'alice',
          (pki) => lines(headersFor(pki.bob)),
          (pki) => body?.(headersFor(pki.bob)),
        ),
      },
    ]),
    ...strangers.flatMap(([called, headersOf]) => [
      {
        case: `no certificate, and the headers ${called}`,
        expected: required,
        actual: forging(undefined, (pki) => headersOf(pki.bob).map(line)),
      },
      {
        case: `a certificate, and another in the headers ${called}`,
        expected: 'urn:alice',
        actual: forging('alice', (pki) => headersOf(pki.bob).map(line)),
      },
    ]),
    ...(speaksHttp2 ? http2(proxy) : []),
    {
      case: 'no certificate, and the forged header, where none is required',
      expected: 'anonymous',
      actual: async ({ optional }) => {
        const { answer } = await sendRaw(through(optional), headersFor(optional.pki.bob).map(line));
        return answer;
      },
    },
    {
      case: 'straight at the origin with a forged header',
      expected: required,
      actual: async ({ required: site }) => {
        const { answer } = await sendRaw(straightAt(site), headersFor(site.pki.alice).map(line));
        return answer;
      },
    },
    {
      case: 'straight at the origin with a forged header and a certificate, where none is required',
      expected: required,
      actual: async ({ optional: site }) => {
        const connecting = { ...straightAt(site), as: site.pki.alice };
        return (await sendRaw(connecting, headersFor(site.pki.alice).map(line))).answer;
      },
    },
    {
      case: 'two clients and nobody in turn, on connections they keep, over one connection to the origin',
      expected: 'urn:alice urn:bob anonymous, three times',
      actual: async ({ optional }) => inTurn(optional),
    },
  ];
}

function http2({ headersFor }: Proxy): readonly ProxyCase[] {
  const over = (
    called: string,
    expected: string,
    who: 'alice' | undefined,
    fields: (forged: Lines) => Lines,
  ): ProxyCase => ({
    case: `over HTTP/2, ${called}`,
    expected,
    actual: async ({ required: site }) => {
      const as = who && site.pki[who];
      return sendHttp2({ ...through(site), as }, fields(headersFor(site.pki.bob)));
    },
  });
  const withUnderscores = (forged: Lines): Lines => forged.map(([name, value]) => [underscored(name), value]);
  return [
    over('a good certificate', 'urn:alice', 'alice', () => []),
    over('no certificate, and a forged header', required, undefined, (forged) => forged),
    over('no certificate, and a forged header with underscores', malformed, undefined, withUnderscores),
    over('a certificate, and another in a forged header', 'urn:alice', 'alice', (forged) => forged),
  ];
}

function certificates(name: Proxy['name'], forwardsChain: boolean): readonly ProxyCase[] {
  const presenting = (who: keyof Clients, expected: string, called: string): ProxyCase => ({
    case: called,
    expected,
    actual: forging(who, () => []),
  });
  // The others forward it, and leave the judgement to the origin.
  const expired: ByProxy = { nginx: badRequest, apache: inHandshake };
  return [
    presenting('alice', 'urn:alice', 'a good certificate'),
    {
      case: 'no certificate',
      expected: required,
      actual: forging(undefined, () => []),
    },
    {
      case: 'no certificate, where none is required',
      expected: 'anonymous',
      actual: async ({ optional }) => (await sendRaw(through(optional), [])).answer,
    },
    presenting('selfSigned', rejected, 'a self-signed certificate'),
    presenting('stranger', rejected, 'a certificate of another CA with the same names'),
    presenting('expired', expired[name] ?? rejected, 'an expired certificate'),
    presenting(
      'carol',
      forwardsChain ? 'urn:carol' : rejected,
      'a certificate of an intermediate that only the client has',
    ),
    presenting('long', 'urn:long', 'a certificate of RSA 4096 of twelve kilobytes'),
    {
      case: 'an expired certificate, where none is required',
      expected: expired[name] ?? rejected,
      actual: async ({ optional }) => (await sendRaw({ ...through(optional), as: optional.pki.expired }, [])).answer,
    },
  ];
}

function resumptions(forwardsChain: boolean): readonly ProxyCase[] {
  const versions: readonly (readonly [string, SecureVersion])[] = [
    ['TLS 1.2', 'TLSv1.2'],
    ['TLS 1.3', 'TLSv1.3'],
  ];
  const clients: readonly (readonly [string, 'alice' | 'carol' | undefined, string])[] = [
    ['a resumed session with a certificate', 'alice', 'urn:alice'],
    ['a resumed session without a certificate', undefined, required],
    ...(forwardsChain
      ? [
          [
            'a resumed session with a certificate of an intermediate that only the client has',
            'carol',
            rejected,
          ] as const,
        ]
      : []),
  ];
  return versions.flatMap(([called, version]) =>
    clients.map(([what, who, expected]) => ({
      case: `${what}, ${called}`,
      expected: `${expected}, resumed`,
      async actual({ required: site }) {
        const connecting = { ...through(site), as: who && site.pki[who], version };
        const { session } = await sendRaw(connecting, []);
        const { answer, isResumed } = await sendRaw({ ...connecting, session }, []);
        return `${answer}, ${isResumed ? 'resumed' : 'not resumed'}`;
      },
    })),
  );
}

const through = ({ proxy, pki }: Site): { port: number; pki: Clients } => ({ port: proxy, pki });
const straightAt = ({ origin, pki }: Site): { port: number; pki: Clients; servername: string } => ({
  port: origin,
  pki,
  servername: 'localhost',
});

/** One request through the proxy. */
function forging(
  who: keyof Clients | undefined,
  lines: (pki: Clients) => readonly string[],
  body: (pki: Clients) => string | undefined = () => undefined,
): ProxyCase['actual'] {
  return async ({ required: site }) => {
    const as = who === undefined ? undefined : site.pki[who];
    return (await sendRaw({ ...through(site), as }, lines(site.pki), body(site.pki))).answer;
  };
}

/** Whom the origin saw, and whether different clients ever shared one of its connections. */
async function inTurn(site: Site): Promise<string> {
  const { alice, bob } = site.pki;
  const clients = [alice, bob, undefined].map((as) => ({ as, agent: new Agent({ keepAlive: true, maxSockets: 1 }) }));
  const rounds: string[] = [];
  try {
    for (let round = 0; round < 3; round++) {
      const answers: string[] = [];
      for (const [index, { as, agent }] of clients.entries()) {
        answers.push(await sendOver(agent, { ...through(site), as }, `/?turn=${index}`));
      }
      rounds.push(answers.join(' '));
    }
  } finally {
    for (const { agent } of clients) agent.destroy();
  }
  const turns = site.requests().filter(({ path }) => path.startsWith('/?turn='));
  const sharing = new Map<number, Set<string>>();
  for (const { connection, path } of turns) sharing.set(connection, (sharing.get(connection) ?? new Set()).add(path));
  const isShared = [...sharing.values()].some((paths) => paths.size > 1);
  const seen = new Set(rounds).size === 1 ? `${rounds[0]}, three times` : rounds.join('; ');
  return isShared ? seen : `${seen}, over separate connections`;
}
