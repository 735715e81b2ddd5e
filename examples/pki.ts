import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { createAuthority, type KeyPair, selfSigned, type TestAuthority, type TestCertificate } from '@peercert/testkit';

/** PEM of certificates exactly as they go out on a TLS connection, end-entity certificate first, and of the first one's key. */
export interface Credentials {
  readonly cert: string;
  readonly key: string;
}

const hourMs = 60 * 60 * 1000;

/** Hours from now, negative for the past. TLS reads the real clock, so the demo's certificates are made around it. */
function hoursFromNow(hours: number): Date {
  return new Date(Date.now() + hours * hourMs);
}

const generateKeyPairAsync = promisify(generateKeyPair);

/** Certificates of the whole demo, all new. Private keys stay in memory. */
export async function mintPki() {
  // Seconds each, beside everything else. Two for four certificates: no certificate has the key of its issuer.
  const long = Promise.all([0, 1].map(() => generateKeyPairAsync('rsa', { modulusLength: 4096 })));

  const lasting = { notBefore: hoursFromNow(-48), notAfter: hoursFromNow(48) };
  const valid = { notBefore: hoursFromNow(-1), notAfter: hoursFromNow(1) };

  const serverRoot = createAuthority({ subject: 'CN=Example Servers', ...lasting });
  const serverFields = { ...valid, dnsNames: ['localhost'], extKeyUsage: ['serverAuth'] };
  const edgeRoot = createAuthority({ subject: 'CN=Example Edge', ...lasting });
  const edgeFields = { ...valid, dnsNames: ['cf-e2example.origin.example.com'] };

  const root = createAuthority({ subject: 'CN=Example Viewers', ...lasting });
  const issuing = root.issueIntermediate({ subject: 'CN=Example Devices', ...lasting });
  const regional = issuing.issueIntermediate({ subject: 'CN=Example Devices North', ...lasting });

  const rsa = { keyAlgorithm: 'rsa2048' } as const;
  const rsaRoot = createAuthority({ subject: 'CN=Example RSA Viewers', ...rsa, ...lasting });
  const rsaPolicy = rsaRoot.issueIntermediate({ subject: 'CN=Example RSA Policy', ...rsa, ...lasting });
  const rsaIssuing = rsaPolicy.issueIntermediate({ subject: 'CN=Example RSA Devices', ...rsa, ...lasting });

  const [oneKey, otherKey] = (await long) as [KeyPair, KeyPair];
  const longRoot = createAuthority({ subject: 'CN=Example Long Viewers', key: oneKey, ...lasting });
  const longPolicy = longRoot.issueIntermediate({ subject: 'CN=Example Long Policy', key: otherKey, ...lasting });
  const longIssuing = longPolicy.issueIntermediate({ subject: 'CN=Example Long Devices', key: oneKey, ...lasting });

  const first = { subject: 'CN=device-1,O=Example', uris: ['urn:example:device:1'] };
  const device = issuing.issue({ ...first, ...valid });
  const rsaDevice = rsaIssuing.issue({ uris: ['urn:example:device:2'], ...rsa, ...valid });
  const regionalDevice = regional.issue({ uris: ['urn:example:device:3'], ...valid });
  const longDevice = longIssuing.issue({ uris: ['urn:example:device:5'], key: otherKey, ...valid });
  const otherDevice = issuing.issue({ uris: ['urn:example:device:4'], ...valid });

  return {
    /** Vouches for `server`, which the edges and the origins all show. */
    serverAnchor: serverRoot.pem,
    server: credentialsOf(serverRoot.issue(serverFields)),
    /** Vouches for what the edge shows the origins, and for nothing else. */
    edgeAnchor: edgeRoot.pem,
    /** Names of the edge, of which its certificate has one. */
    edgeDnsNames: edgeFields.dnsNames,
    edge: credentialsOf(edgeRoot.issue(edgeFields)),
    /** Edges that are somebody else's. */
    foreignEdge: credentialsOf(createAuthority({ subject: 'CN=Example Edge', ...lasting }).issue(edgeFields)),
    misnamedEdge: credentialsOf(edgeRoot.issue({ ...valid, dnsNames: ['cf-e3example.origin.example.com'] })),
    /** What the origins trust to issue client certificates. */
    viewerAnchors: root.pem + rsaRoot.pem + longRoot.pem,

    device,
    otherDevice,
    viewers: {
      valid: credentialsOf(device),
      rsaWithRoot: sending(rsaDevice, rsaIssuing, rsaPolicy, rsaRoot),
      rsa4096WithRoot: sending(longDevice, longIssuing, longPolicy, longRoot),
      wrongOrderWithSurplus: sending(regionalDevice, issuing, edgeRoot, regional),
      selfSigned: credentialsOf(selfSigned({ ...first, ...valid })),
      lookAlike: credentialsOf(lookAlikeOf(issuing, lookAlikeOf(root)).issue({ ...first, ...valid })),
      expired: credentialsOf(issuing.issue({ ...first, notBefore: hoursFromNow(-24), notAfter: hoursFromNow(-1) })),
      notYetValid: credentialsOf(issuing.issue({ ...first, notBefore: hoursFromNow(1), notAfter: hoursFromNow(24) })),
      serverAuthOnly: credentialsOf(issuing.issue({ ...first, ...valid, extKeyUsage: ['serverAuth'] })),
      withoutIntermediate: sending(device),
      authority: credentialsOf(issuing),
      other: credentialsOf(otherDevice),
      /** Valid, and with the edge's own name in it: nothing stops a CA of viewers from writing one. */
      namedLikeEdge: credentialsOf(issuing.issue({ ...first, ...valid, dnsNames: edgeFields.dnsNames })),
    },
  };

  /** An authority with the same name and the same key identifier, and a key of its own. */
  function lookAlikeOf(genuine: TestAuthority, issuer?: TestAuthority): TestAuthority {
    const { subject, subjectKeyIdentifier = 'absent' as const } = genuine;
    const fields = { subject, subjectKeyIdentifier, ...lasting };
    return issuer === undefined ? createAuthority(fields) : issuer.issueIntermediate(fields);
  }
}

export type DemoPki = Awaited<ReturnType<typeof mintPki>>;

/** A certificate with the intermediates up to its root, in order: what a well-configured client sends. */
function credentialsOf({ chainPem, privateKeyPem }: TestCertificate): Credentials {
  return { cert: chainPem, key: privateKeyPem };
}

/** A certificate with exactly these after it, in this order. */
function sending(certificate: TestCertificate, ...chain: readonly TestCertificate[]): Credentials {
  return { cert: [certificate, ...chain].map(({ pem }) => pem).join(''), key: certificate.privateKeyPem };
}
