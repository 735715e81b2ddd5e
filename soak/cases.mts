import { encodeClientCert, encodeClientCertChain } from '@peercert/core';
import {
  cloudFrontHeaders,
  createAuthority,
  daysFromTestTime,
  selfSigned,
  type TestAuthority,
  type TestCertificate,
} from '@peercert/testkit';

/** The authorities of honest clients: `A` is in every store, `B` and `C` come and go. */
export type Issuer = 'A' | 'B' | 'C';

/** One kind of request. Plain data: goes to another process. */
export interface Case {
  /** Header lines: name, value, name, value. */
  readonly lines: readonly string[];
  /** The URI of the client's certificate. */
  readonly uri?: string;
  /** Who vouches for the client: it is let in exactly by a store that has this one. Undefined for one that never is. */
  readonly issuer?: Issuer;
  /** The answer when it is not let in. */
  readonly refusal: number;
  /** Whether the connection is that of somebody else's edge. */
  readonly foreignEdge?: boolean;
  /** Whether the client goes away before the answer. */
  readonly abort?: boolean;
}

/** PEM, as TLS takes it. */
export interface Credentials {
  readonly key: string;
  readonly cert: string;
}

const clientsOfEach = 20;
const edgeName = 'edge.origin.example.com';

/** Certificates of one soak, all new, valid at the `TEST_TIME` of the testkit. */
export function createCases() {
  const roots = { A: createAuthority(), B: createAuthority(), C: createAuthority(), unused: createAuthority() };
  const honest = (['A', 'B', 'C'] as const).flatMap((issuer) => honestOf(issuer, roots[issuer]));
  const edgeRoots = [createAuthority(), createAuthority(), createAuthority()] as const;
  const server = createAuthority().issue({ extKeyUsage: ['serverAuth'], dnsNames: ['localhost'] });
  return {
    roots,
    edgeRoots,
    edgeName,
    cases: { honest, hostile: hostileAt(roots.A) },
    server: credentialsOf(server),
    edge: credentialsOf(edgeRoots[0].issue({ dnsNames: [edgeName] })),
    foreignEdge: credentialsOf(createAuthority().issue({ dnsNames: [edgeName] })),
  };
}

function honestOf(issuer: Issuer, root: TestAuthority): readonly Case[] {
  const issuing = root.issueIntermediate();
  // Its signatures are verified off the event loop.
  const slow = root.issueIntermediate({ keyAlgorithm: 'p384' });
  return Array.from({ length: clientsOfEach }, (_, index) => {
    const uri = `urn:soak:${issuer}:${index}`;
    const client = (index % 10 === 0 ? slow : issuing).issue({ uris: [uri] });
    return { lines: cloudFrontHeaders(client).flat(), uri, issuer, refusal: 403 };
  });
}

/** What nobody may be let in with, whatever the store, and a client that does not wait for its answer. */
function hostileAt(root: TestAuthority): readonly Case[] {
  const issuing = root.issueIntermediate();
  const good = issuing.issue({ uris: ['urn:soak:good'] });
  const cert = encodeClientCert(good.der);
  const chain = encodeClientCertChain(good.chain);
  const lookAlike = createAuthority({
    subject: root.subject,
    subjectKeyIdentifier: root.subjectKeyIdentifier ?? 'absent',
  });
  const forged = Buffer.from(good.der);
  forged.writeUInt8(forged.readUInt8(forged.length - 1) ^ 1, forged.length - 1);
  const showing = (certificate: TestCertificate): readonly string[] => cloudFrontHeaders(certificate).flat();
  return [
    { lines: [], refusal: 403 },
    { lines: showing(createAuthority().issue()), refusal: 403 },
    { lines: showing(lookAlike.issue({ uris: ['urn:soak:good'] })), refusal: 403 },
    { lines: showing(selfSigned({ uris: ['urn:soak:good'] })), refusal: 403 },
    {
      lines: showing(issuing.issue({ notAfter: daysFromTestTime(-1), notBefore: daysFromTestTime(-2) })),
      refusal: 403,
    },
    { lines: showing(issuing.issue({ extKeyUsage: ['serverAuth'] })), refusal: 403 },
    { lines: showing(issuing), refusal: 403 },
    { lines: ['Client-Cert', encodeClientCert(forged), 'Client-Cert-Chain', chain], refusal: 403 },
    { lines: ['Client-Cert', cert], refusal: 403 },
    { lines: ['Client-Cert', cert, 'Client-Cert-Chain', chain], refusal: 403, foreignEdge: true },
    { lines: ['Client-Cert', cert, 'Client-Cert', cert], refusal: 400 },
    { lines: ['Client-Cert', cert, 'Client_Cert', cert], refusal: 400 },
    { lines: ['Client-Cert', ':AAAA:'], refusal: 400 },
    { lines: ['Client-Cert', cert.slice(0, -9)], refusal: 400 },
    { lines: ['Client-Cert-Chain', chain], refusal: 400 },
    {
      lines: ['Client-Cert', cert, 'Client-Cert-Chain', encodeClientCertChain(Array(20).fill(root.der))],
      refusal: 400,
    },
    { lines: ['Client-Cert', cert, 'Client-Cert-Chain', chain], issuer: 'A', refusal: 403, abort: true },
  ];
}

function credentialsOf({ chainPem, privateKeyPem }: TestCertificate): Credentials {
  return { cert: chainPem, key: privateKeyPem };
}
