// Certificates are the testkit's, headers are CloudFront's; nothing is timed here.
import { X509Certificate } from 'node:crypto';
import {
  type Authenticator,
  type AuthenticatorOptions,
  cloudFront,
  createAuthenticator,
  originMtls,
  type Outcome,
  TrustStore,
} from '@peercert/core';
import {
  type CertificateFields,
  cloudFrontHeaders,
  createAuthority,
  generateKey,
  type KeyAlgorithm,
  TEST_TIME,
  type TestAuthority,
  type TestCertificate,
} from '@peercert/testkit';

export type Request = Parameters<Authenticator['authenticate']>[0];

/** A client certificate and what it is presented with. */
export interface Client {
  readonly der: Buffer;
  readonly chain: readonly Buffer[];
}

/** Issues certificates that differ in serial number and URI. They share a key, which no one looks at. */
export function issueClients(issuer: TestAuthority, count: number, fields: CertificateFields = {}): readonly Client[] {
  const key = generateKey(keyAlgorithmOf(issuer));
  return Array.from({ length: count }, (_, index) => {
    const { der, chain } = issuer.issue({ key, uris: [`urn:device:${index}`], ...fields });
    return { der, chain };
  });
}

function keyAlgorithmOf({ key: { publicKey } }: TestAuthority): KeyAlgorithm {
  if (publicKey.asymmetricKeyType === 'rsa') return 'rsa2048';
  return publicKey.asymmetricKeyDetails?.namedCurve === 'secp384r1' ? 'p384' : 'p256';
}

/** A root, the intermediate that issues, and clients of it. */
export interface Hierarchy {
  readonly root: TestAuthority;
  readonly issuing: TestAuthority;
  readonly clients: readonly Client[];
}

export function createHierarchy(keyAlgorithm: KeyAlgorithm, count: number): Hierarchy {
  const root = createAuthority({ keyAlgorithm });
  const issuing = root.issueIntermediate({ keyAlgorithm });
  return { root, issuing, clients: issueClients(issuing, count) };
}

/** The most clients that any row has: as many as the verdict cache holds by default. */
export const manyClients = 10_000;

/** P-256 clients that rows share, because they take seconds to mint. */
export const p256 = once(() => createHierarchy('p256', manyClients));

/** A function that makes its value when it is first asked. */
export function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => (made ??= { value: make() }).value;
}

const edgeRoot = createAuthority({ subject: 'CN=Edge CA' });
const edgeName = 'edge.example.com';

/** CloudFront's own certificate towards the origin. */
export const edgeCertificate: TestCertificate = edgeRoot.issue({ subject: 'CN=edge', dnsNames: [edgeName] });
export const edgeAnchors: readonly Uint8Array[] = [edgeRoot.der];

/** Connections from CloudFront, as Node shows them to a request. */
const sockets = Array.from({ length: 16 }, () => {
  const socket = {
    encrypted: true,
    server: { requestCert: true, maxHeaderSize: 65_536 },
    getPeerX509Certificate: () => new X509Certificate(edgeCertificate.der),
  };
  return socket as unknown as Request['socket'];
});

/** Requests as CloudFront sends them, one for each client. */
export function requestsOf(clients: readonly Client[]): readonly Request[] {
  return clients.map((client, index) => requestWith(cloudFrontHeaders(client), index));
}

/** A request of CloudFront with these certificate fields. */
export function requestWith(certificateFields: readonly (readonly [string, string])[], index = 0): Request {
  const lines = [...commonFields(index), ...certificateFields].flat();
  return { rawHeaders: lines.map(asReceived), socket: sockets[index % sockets.length] as Request['socket'] };
}

/** What stands beside the certificate in CloudFront's request for a small JSON document. */
export function commonFields(index: number): readonly (readonly [string, string])[] {
  const id = Buffer.from(String(index).padStart(41, 'cloudfront-request')).toString('base64');
  return [
    ['Host', 'origin.example.com'],
    ['Accept', 'application/json'],
    ['Accept-Encoding', 'gzip'],
    ['User-Agent', 'Amazon CloudFront'],
    ['X-Forwarded-For', '198.51.100.7'],
    ['Connection', 'Keep-Alive'],
    ['Via', '1.1 3f2c8f6f4d7e4ad0a0c7c1f1b1e09d4c.cloudfront.net (CloudFront)'],
    ['X-Amz-Cf-Id', id],
  ];
}

/** One flat string, as Node's parser makes them; a concatenation would be copied when it is first read. */
export function asReceived(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

/**
 * An authenticator as behind CloudFront with origin mTLS, whose connections are proven already: a connection outlives many
 * requests.
 *
 * @param options.edge - Anchors of CloudFront's own certificate, where another process has minted it.
 */
export function createOrigin(
  anchors: readonly Uint8Array[],
  { edge = edgeAnchors, ...options }: { readonly edge?: readonly Uint8Array[] } & Partial<AuthenticatorOptions> = {},
): Authenticator {
  const authenticator = createAuthenticator({
    trust: TrustStore.fromDer(anchors),
    source: cloudFront({ channel: originMtls({ trust: TrustStore.fromDer(edge), dnsNames: [edgeName] }) }),
    clock: () => TEST_TIME.getTime(),
    ...options,
  });
  for (const socket of sockets) void authenticator.authenticate({ rawHeaders: [], socket });
  return authenticator;
}

/** The outcome of a verdict that needs no thread but this one. */
function settled(outcome: Outcome | Promise<Outcome>): Outcome {
  if (outcome instanceof Promise) throw new Error('the benchmark expects an outcome, and got a promise');
  return outcome;
}

export function authenticate(authenticator: Authenticator, request: Request): void {
  const outcome = settled(authenticator.authenticate(request));
  if (outcome.status !== 'authenticated')
    throw new Error(`the benchmark expects an identity, and got: ${outcome.status}`);
}

export function refuse(authenticator: Authenticator, request: Request, code: string): void {
  const outcome = settled(authenticator.authenticate(request));
  if (outcome.status !== 'rejected' || outcome.error.code !== code) throw new Error(`the benchmark expects ${code}`);
}
