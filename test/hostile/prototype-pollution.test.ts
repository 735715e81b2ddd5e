import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  admitRequest,
  type Authenticator,
  type CertificateRequest,
  createChannelGuard,
  createGuard,
  dangerouslyTrustAnyPeer,
  nativeTls,
} from '@peercert/core';
import { cloudFrontHeaders, createAuthority } from '@peercert/testkit';
import { behindEdge, edgeChannel, fromEdge, requestOf } from '../support/requests';

// What a body like {"__proto__": {"identity": {…}}} does when an application merges it without care: from then on every
// object that lacks a property has it. No such property may make a yes of a no.

const source = join(__dirname, '../../packages/core/src');
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const text = files.map((name) => readFileSync(join(source, name), 'utf8')).join('\n');
/** Every word core uses, and the indexes of its lists. */
const names = [...new Set([...(text.match(/\b[a-z]\w*\b/gi) ?? []), '-1', '0', '1', '2', '13', '17', ''])].filter(
  (name) => name !== '__proto__',
);

/** What JSON can put there. */
const values: readonly unknown[] = [
  true,
  false,
  0,
  'optional',
  'anonymous',
  'report-only',
  {},
  [],
  { proof: 'shared-secret', uris: ['urn:admin'], session: {}, requestCert: true, identity: { uris: ['urn:admin'] } },
];

async function whilePolluted<Result>(name: string, value: unknown, act: () => Promise<Result>): Promise<Result> {
  const before = Object.getOwnPropertyDescriptor(Object.prototype, name);
  (Object.prototype as Record<string, unknown>)[name] = value;
  try {
    return await act();
  } finally {
    delete (Object.prototype as Record<string, unknown>)[name];
    if (before !== undefined) Object.defineProperty(Object.prototype, name, before);
  }
}

const root = createAuthority();
const alice = root.issue({ uris: ['urn:alice'] });
const stranger = createAuthority().issue({ uris: ['urn:stranger'] });
const tlsRequest = (certificate?: { readonly der: Buffer }): CertificateRequest =>
  requestOf([], {
    encrypted: true,
    destroyed: false,
    getPeerX509Certificate: () => certificate && { raw: certificate.der, issuerCertificate: undefined },
  });

/** What became of a request, in one word: the URIs of whoever was admitted, or nothing. */
async function answerOf(authenticator: Authenticator, request: CertificateRequest): Promise<string> {
  try {
    const admission = await admitRequest(authenticator, request);
    return admission.admitted ? `admitted ${String(admission.identity?.uris)}` : 'refused';
  } catch {
    return 'refused';
  }
}

const required = behindEdge([root]);
const optional = behindEdge([root], { presence: 'optional' });
const tls = behindEdge([root], { source: nativeTls() });
const withRule = behindEdge([root], { authorize: ({ uris }) => uris.includes('urn:nobody') });
const guard = createGuard({ uri: 'urn:nobody' });
const channelGuard = createChannelGuard(edgeChannel);

const refused: readonly (readonly [string, () => Promise<string>])[] = [
  ['a stranger', () => answerOf(required, fromEdge(...cloudFrontHeaders(stranger).flat()))],
  ['a stranger where presence is optional', () => answerOf(optional, fromEdge(...cloudFrontHeaders(stranger).flat()))],
  ['nobody', () => answerOf(required, fromEdge())],
  ['rubbish', () => answerOf(optional, fromEdge('Client-Cert', ':AAEC:'))],
  ['no secret', () => answerOf(optional, requestOf(cloudFrontHeaders(alice).flat()))],
  ['a wrong secret', () => answerOf(optional, requestOf(['X-Edge-Secret', 'wrong', ...cloudFrontHeaders(alice).flat()]))],
  ['a stranger over TLS', () => answerOf(tls, tlsRequest(stranger))],
  ['nobody over TLS', () => answerOf(tls, tlsRequest())],
  ['whom authorize refuses', () => answerOf(withRule, fromEdge(...cloudFrontHeaders(alice).flat()))],
  ['whom a guard refuses', async () => {
    const request = fromEdge(...cloudFrontHeaders(alice).flat());
    await admitRequest(required, request);
    const admission = await guard(request, request);
    return admission.admitted ? 'admitted' : 'refused';
  }],
  ['a wrong secret at a channel guard', async () => {
    const admission = await channelGuard(requestOf(['X-Edge-Secret', 'wrong']), undefined);
    return admission.admitted ? 'admitted' : 'refused';
  }],
];

void dangerouslyTrustAnyPeer;

describe('scan', () => {
  it('scan', async () => {
    const bad: string[] = [];
    for (const name of names) {
      for (const value of values) {
        for (const [what, ask] of refused) {
          const answer = await whilePolluted(name, value, ask).catch(() => 'refused');
          if (answer !== 'refused') bad.push(`${name}=${JSON.stringify(value)}: ${what}: ${answer}`);
        }
        const one = await whilePolluted(name, value, async () => {
          const first = await answerOf(tls, tlsRequest(alice));
          const second = await answerOf(tls, tlsRequest(stranger));
          return [first, second];
        }).catch(() => ['x', 'refused']);
        if (one[1] !== 'refused') bad.push(`${name}=${JSON.stringify(value)}: tls pair ${one}`);
      }
    }
    console.log(names.length, bad.length, bad.slice(0, 60).join('\n'));
  }, 600000);
});
