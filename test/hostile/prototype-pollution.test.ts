import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Admission,
  admitRequest,
  type Authenticator,
  type CertificateRequest,
  createChannelGuard,
  createGuard,
  encodeClientCert,
  nativeTls,
  originMtls,
  TrustStore,
} from '@peercert/core';
import { cloudFrontHeaders, createAuthority, TEST_TIME, type TestCertificate } from '@peercert/testkit';
import { behindEdge, edgeChannel, fromEdge, requestOf } from '../support/requests';

// What a body like {"__proto__": {"identity": {}}} does when an application merges it without care: from then on every
// object that lacks a property seems to have it. That may break an origin; it may not make a yes of a no.

const root = createAuthority();
const alice = root.issue({ uris: ['urn:alice'] });
const stranger = createAuthority().issue({ uris: ['urn:stranger'] });
/** Certificates that a word in the rules would make good. */
const unruly: readonly (readonly [string, TestCertificate])[] = [
  ['a CA', root.issueIntermediate({ extKeyUsage: ['clientAuth'], keyUsage: ['digitalSignature', 'keyCertSign'] })],
  ['a certificate for anything', root.issue({ extKeyUsage: ['anyExtendedKeyUsage'] })],
  ['a certificate signed with SHA-1', root.issue({ signatureAlgorithm: 'ecdsa-sha1' })],
];
const expiredRoot = createAuthority({ notBefore: new Date(0), notAfter: new Date(1_000) });
const ofExpiredRoot = expiredRoot.issue();
const proxies = createAuthority();
const proxyNames = { dnsNames: ['edge.example'] };
const unrulyProxy = proxies.issue({ ...proxyNames, extKeyUsage: ['anyExtendedKeyUsage'] });

const linesOf = (certificate: TestCertificate): readonly string[] => cloudFrontHeaders(certificate).flat();
let spellings = 0;
/** The same, in a spelling whose verdict nobody knows yet. */
const freshLinesOf = ({ der }: TestCertificate): readonly string[] => [
  'Client-Cert',
  `${encodeClientCert(der)};n=${spellings++}`,
];
const overTls = (certificate?: TestCertificate): CertificateRequest => {
  const first = certificate && { raw: certificate.der, issuerCertificate: undefined };
  return requestOf([], { encrypted: true, destroyed: false, getPeerX509Certificate: () => first });
};

const required = behindEdge([root, expiredRoot]);
const lenient = behindEdge([root], { presence: 'optional' });
const native = behindEdge([root], { source: nativeTls() });
const ruled = behindEdge([root], { authorize: ({ uris }) => uris.includes('urn:bob') });
const mtlsGuard = createChannelGuard(originMtls({ trust: TrustStore.fromDer([proxies.der]), ...proxyNames }), () =>
  TEST_TIME.getTime(),
);
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
  ['a stranger where presence is optional', admit(lenient, () => fromEdge(...linesOf(stranger)))],
  ['a stranger over TLS', admit(native, () => overTls(stranger))],
  ...unruly.map(
    ([what, certificate]) => [what, admit(required, () => fromEdge(...freshLinesOf(certificate)))] as const,
  ),
  ['a client of an expired anchor', admit(required, () => fromEdge(...freshLinesOf(ofExpiredRoot)))],
  ['a stranger nobody knows yet', admit(lenient, () => fromEdge(...freshLinesOf(stranger)))],
  ['a proxy with a certificate for anything', async () => admittedAs(await mtlsGuard(overTls(unrulyProxy), 0))],
  ['nobody', admit(required, () => fromEdge())],
  ['nobody over TLS', admit(native, () => overTls())],
  ['rubbish', admit(lenient, () => fromEdge('Client-Cert', ':AAEC:'))],
  ['no secret', admit(lenient, () => requestOf(linesOf(alice)))],
  ['a wrong secret', admit(lenient, () => requestOf(['X-Edge-Secret', 'wrong', ...linesOf(alice)]))],
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

const source = join(__dirname, '../../packages/core/src');
const code = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(join(source, name), 'utf8').replace(/\/\*\*[^]*?\*\/|\/\/.*/g, ''))
  .join('\n');
const wordsIn = (pattern: RegExp): readonly string[] => [...new Set([...code.matchAll(pattern)].map(([word]) => word))];

/** Every property core reads, and the indexes of its short lists. */
const names = [...wordsIn(/(?<=\.#?)[a-z]\w*|(?<=[{,] )[a-z]\w*(?=[,:]| [=}])/g), '-1', '0', '1', '2'];
/** Those that may be absent by their type. */
const optional = wordsIn(/\b[a-z]\w*(?=\?:)/g);

/** As telling an object as JSON can put there. */
function tellingObject(): object {
  const identity = { uris: ['urn:bob'], certificateSha256: '' };
  const verdict = { status: 'authenticated', identity, proof: 'shared-secret', admitted: true, session: {} };
  const words = { anchor: 'ignore', caAsEndEntity: 'accept', anyExtKeyUsage: 'accept', legacyAlgorithms: 'accept' };
  return { ...verdict, ...words, rules: words, verdict, evidence: verdict, trust: verdict, path: verdict };
}

const pollutions: readonly (readonly [string, unknown])[] = [
  ...names.map((name) => [name, tellingObject()] as const),
  ...optional.flatMap((name) =>
    [true, 'accept', 'ignore', 'optional', 'report-only'].map((word) => [name, word] as const),
  ),
];

it('ID-03: no property of Object.prototype lets anybody in who was refused, or in as somebody else', async () => {
  const warnings = jest.spyOn(process, 'emitWarning').mockImplementation();
  const expected = ['urn:alice in', 'urn:alice in', ...Array<string>(questions.length - 2).fill('refused')];
  expect(names).toEqual(expect.arrayContaining(['identity', 'stream', 'server', 'refusal', 'proof', 'rules', '-1']));
  expect(optional).toEqual(expect.arrayContaining(['presence', 'enforcement', 'anchor', 'caAsEndEntity']));
  await expect(answersWhile('nobody reads this', true)).resolves.toEqual(expected);
  const wrong: string[] = [];
  for (const [name, value] of pollutions) {
    const answers = await answersWhile(name, value);
    for (const [index, answer] of answers.entries()) {
      // A refusal too many is the lesser evil.
      if (answer === expected[index] || answer === 'refused') continue;
      wrong.push(`${name}: ${JSON.stringify(value).slice(0, 20)}: ${questions[index]?.[0]}: ${answer}`);
    }
  }
  warnings.mockRestore();
  expect(wrong).toEqual([]);
}, 60_000);
