// npm run bench: what a request costs beside the one thing it cannot do without, a signature check. Both are measured in
// this process, in turn; the ratio is the result, the times are only this machine's.
import { sign, verify } from 'node:crypto';
import { type Authenticator, cloudFront, createAuthenticator, sharedSecret, TrustStore } from '@peercert/core';
import { cloudFrontHeaders, createAuthority, generateKey, TEST_TIME, type TestAuthority } from '@peercert/testkit';
import { measure } from 'mitata';

type Request = Parameters<Authenticator['authenticate']>[0];

const secret = 'a-secret-of-more-than-thirty-two-characters';
const clients = 2_000;
const rounds = 5;

function newAuthenticator(root: TestAuthority): Authenticator {
  return createAuthenticator({
    trust: TrustStore.fromDer([root.der]),
    source: cloudFront({ channel: sharedSecret({ header: 'X-Origin-Secret', secrets: [secret] }) }),
    clock: () => TEST_TIME.getTime(),
  });
}

/** Requests as CloudFront sends them, each from another client. */
function requestsOf(issuer: TestAuthority): readonly Request[] {
  const key = generateKey('p256');
  const socket = { encrypted: true } as unknown as Request['socket'];
  const common = ['Host', 'origin.example.com', 'User-Agent', 'Amazon CloudFront', 'Via', '1.1 edge (CloudFront)'];
  const ids = ['X-Amz-Cf-Id', 'x'.repeat(56), 'Connection', 'Keep-Alive', 'X-Forwarded-For', '198.51.100.7'];
  return Array.from({ length: clients }, (_, index) => {
    const client = issuer.issue({ key, uris: [`urn:device:${index}`] });
    const fields = cloudFrontHeaders(client).flat();
    return { rawHeaders: [...common, ...ids, 'X-Origin-Secret', secret, ...fields], socket };
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] as number;
}

/** Nanoseconds per call of both, measured alternately. */
async function alternate(ours: () => Promise<number>, other: () => Promise<number>): Promise<[number, number]> {
  const [mine, theirs]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    mine.push(await ours());
    theirs.push(await other());
  }
  return [median(mine), median(theirs)];
}

async function authenticated(authenticator: Authenticator, request: Request): Promise<void> {
  const { status } = await authenticator.authenticate(request);
  if (status !== 'authenticated') throw new Error(`the benchmark expects an identity, and got: ${status}`);
}

const root = createAuthority();
const issuing = root.issueIntermediate();
const requests = requestsOf(issuing);
const message = Buffer.alloc(500);
const signature = sign('sha256', message, issuing.key.privateKey);

const oneVerify = async (): Promise<number> => {
  return (await measure(() => verify('sha256', message, issuing.key.publicKey, signature))).p50;
};

async function warm(): Promise<number> {
  const authenticator = newAuthenticator(root);
  for (const request of requests) await authenticated(authenticator, request);
  let next = 0;
  return (await measure(() => authenticator.authenticate(requests[next++ % clients] as Request))).p50;
}

/** Every client once, on an authenticator that knows their intermediate and none of them. */
async function cold(): Promise<number> {
  const authenticator = newAuthenticator(root);
  const [first, ...unseen] = requests as [Request, ...Request[]];
  await authenticated(authenticator, first);
  const times: number[] = [];
  for (const request of unseen) {
    const start = process.hrtime.bigint();
    const outcome = authenticator.authenticate(request);
    times.push(Number(process.hrtime.bigint() - start));
    if ((await outcome).status !== 'authenticated') throw new Error('the benchmark expects an identity');
  }
  return median(times);
}

const rows: { id: string; ours: number; other: number; ratio: number; unit: string }[] = [];
for (const [id, ours] of [
  ['authenticate, seen before', warm],
  ['authenticate, P-256, not seen before, intermediate known', cold],
] as const) {
  const [mine, theirs] = await alternate(ours, oneVerify);
  rows.push({ id, ours: mine / 1000, other: theirs / 1000, ratio: mine / theirs, unit: 'µs' });
}
if (process.argv.includes('--json')) console.log(JSON.stringify(rows, null, 2));
else {
  console.log(`Node ${process.version}; other: one crypto.verify, P-256\n`);
  for (const { id, ours, other, ratio, unit } of rows) {
    const figures = `${ours.toFixed(1)} ${unit}  other ${other.toFixed(1)} ${unit}  ratio ${ratio.toFixed(2)}`;
    console.log(`${id.padEnd(58)}${figures}`);
  }
}
