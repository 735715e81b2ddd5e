import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Admission,
  admitRequest,
  type Authenticator,
  type CertificateRequest,
  createChannelGuard,
  createGuard,
  nativeTls,
} from '@peercert/core';
import { cloudFrontHeaders, createAuthority, type TestCertificate } from '@peercert/testkit';
import { behindEdge, edgeChannel, fromEdge, requestOf } from '../support/requests';

// What a body like {"__proto__": {"identity": {}}} does when an application merges it without care: from then on every
// object that lacks a property seems to have it. That may break an origin; it may not make a yes of a no.

const root = createAuthority();
const alice = root.issue({ uris: ['urn:alice'] });
const stranger = createAuthority().issue({ uris: ['urn:stranger'] });

const linesOf = (certificate: TestCertificate): readonly string[] => cloudFrontHeaders(certificate).flat();
const overTls = (certificate?: TestCertificate): CertificateRequest => {
  const first = certificate && { raw: certificate.der, issuerCertificate: undefined };
  return requestOf([], { encrypted: true, destroyed: false, getPeerX509Certificate: () => first });
};

const required = behindEdge([root]);
const optional = behindEdge([root], { presence: 'optional' });
const native = behindEdge([root], { source: nativeTls() });
const ruled = behindEdge([root], { authorize: ({ uris }) => uris.includes('urn:bob') });
const ruleGuard = createGuard({ uri: 'urn:bob' });
const channelGuard = createChannelGuard(edgeChannel);

const admittedAs = ({ admitted, identity }: Admission): string =>
  admitted ? `${String(identity?.uris)} in` : 'refused';
const admit = (authenticator: Authenticator, make: () => CertificateRequest) => async () =>
  admittedAs(await admitRequest(authenticator, make()));

/** Asked in this order, each refused: the first two are good ones of whom nothing may be left for the others. */
const questions: readonly (readonly [string, () => Promise<string>])[] = [
  ['alice', admit(required, () => fromEdge(...linesOf(alice)))],
  ['alice over TLS', admit(native, () => overTls(alice))],
  ['a stranger', admit(required, () => fromEdge(...linesOf(stranger)))],
  ['a stranger where presence is optional', admit(optional, () => fromEdge(...linesOf(stranger)))],
  ['a stranger over TLS', admit(native, () => overTls(stranger))],
  ['nobody', admit(required, () => fromEdge())],
  ['nobody over TLS', admit(native, () => overTls())],
  ['rubbish', admit(optional, () => fromEdge('Client-Cert', ':AAEC:'))],
  ['no secret', admit(optional, () => requestOf(linesOf(alice)))],
  ['a wrong secret', admit(optional, () => requestOf(['X-Edge-Secret', 'wrong', ...linesOf(alice)]))],
  ['alice, whom the rule refuses', admit(ruled, () => fromEdge(...linesOf(alice)))],
  ['a wrong secret at a guard', async () => admittedAs(await channelGuard(requestOf(['X-Edge-Secret', 'wrong']), 0))],
  [
    'alice, whom a guard refuses',
    async () => {
      const request = fromEdge(...linesOf(alice));
      await admitRequest(required, request);
      return admittedAs(await ruleGuard(request, request));
    },
  ],
];

async function answersWhile(name: string, value: unknown): Promise<readonly string[]> {
  const prototype = Object.prototype as Record<string, unknown>;
  const before = Object.getOwnPropertyDescriptor(prototype, name);
  const answers: string[] = [];
  for (const [, ask] of questions) {
    prototype[name] = value;
    const answer = await ask().catch(() => 'refused');
    delete prototype[name];
    if (before !== undefined) Object.defineProperty(prototype, name, before);
    answers.push(answer);
  }
  return answers;
}

/** Every word core reads a property by, and the indexes of its short lists. */
function propertyNames(): readonly string[] {
  const source = join(__dirname, '../../packages/core/src');
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const code = files.map((name) => readFileSync(join(source, name), 'utf8').replace(/\/\*\*[^]*?\*\/|\/\/.*/g, ''));
  const words = code.join('\n').matchAll(/(?<=\.#?)[a-z]\w*|[a-z]\w*(?=\??:|,| }| in )/gi);
  return [...new Set([...words].map(([word]) => word)), '-1', '0', '1', '2', 'then', 'get', 'set', 'value'];
}

/** What JSON can put there: as telling an object as there can be, and a word. */
const valuesFor = (): readonly unknown[] => {
  const identity = { uris: ['urn:bob'], certificateSha256: '' };
  const verdict = { status: 'authenticated', identity, proof: 'shared-secret', admitted: true, session: {} };
  return [{ ...verdict, verdict, evidence: verdict, trust: verdict, path: verdict }, true];
};

it('ID-03: no property of Object.prototype lets anybody in who was refused, or in as somebody else', async () => {
  const warnings = jest.spyOn(process, 'emitWarning').mockImplementation();
  const expected = ['urn:alice in', 'urn:alice in', ...Array<string>(questions.length - 2).fill('refused')];
  const names = propertyNames();
  expect(names).toEqual(
    expect.arrayContaining(['identity', 'stream', 'server', 'refusal', 'proof', 'enforcement', '-1']),
  );
  await expect(answersWhile('nobody reads this', true)).resolves.toEqual(expected);
  const wrong: string[] = [];
  for (const name of names) {
    for (const value of valuesFor()) {
      const answers = await answersWhile(name, value);
      for (const [index, answer] of answers.entries()) {
        // A refusal too many is the lesser evil.
        if (answer === expected[index] || answer === 'refused') continue;
        wrong.push(`${name}: ${JSON.stringify(value).slice(0, 20)}: ${questions[index]?.[0]}: ${answer}`);
      }
    }
  }
  warnings.mockRestore();
  expect(wrong).toEqual([]);
}, 60_000);
