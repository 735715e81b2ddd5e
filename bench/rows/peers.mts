// Each library is called as a server in service would call it: what it trusts is parsed once, the client's certificate comes
// as DER each time. Nothing beside their own validation is asked of them.
// oxlint-disable-next-line import/no-unassigned-import -- a polyfill that @peculiar/x509 does not load without
import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
import { TEST_TIME } from '@peercert/testkit';
import * as peculiar from '@peculiar/x509';
import forge from 'node-forge';
import * as pkijs from 'pkijs';
import { type Client, createHierarchy, type Hierarchy, p256 } from '../inputs.mjs';
import { alternate, type Task } from '../measure.mjs';
import type { Figures, Row } from '../row.mjs';
import { coldTask, rotate } from '../tasks.mjs';

function require(holds: boolean, library: string): void {
  if (!holds) throw new Error(`the benchmark expects ${library} to accept the client`);
}

function pkijsTask({ root, issuing, clients }: Hierarchy): Task<Client> {
  const trustedCerts = [pkijs.Certificate.fromBER(root.der)];
  const intermediate = pkijs.Certificate.fromBER(issuing.der);
  return {
    next: rotate(clients),
    async run({ der }) {
      const certs = [intermediate, pkijs.Certificate.fromBER(der)];
      const engine = new pkijs.CertificateChainValidationEngine({ trustedCerts, certs, checkDate: TEST_TIME });
      require((await engine.verify()).result, 'pkijs');
    },
  };
}

function peculiarTask({ root, issuing, clients }: Hierarchy): Task<Client> {
  const anchor = new peculiar.X509Certificate(root.der);
  const builder = new peculiar.X509ChainBuilder({
    certificates: [new peculiar.X509Certificate(issuing.der), anchor],
  });
  const isCurrent = ({ notBefore, notAfter }: peculiar.X509Certificate): boolean =>
    notBefore <= TEST_TIME && TEST_TIME <= notAfter;
  return {
    next: rotate(clients),
    async run({ der }) {
      const chain = await builder.build(new peculiar.X509Certificate(der));
      require(chain.at(-1) === anchor && chain.every(isCurrent), '@peculiar/x509');
    },
  };
}

function forgeTask({ root, issuing, clients }: Hierarchy): Task<Client> {
  const read = (der: Buffer): forge.pki.Certificate =>
    forge.pki.certificateFromAsn1(forge.asn1.fromDer(der.toString('latin1')));
  const store = forge.pki.createCaStore([read(root.der)]);
  const intermediate = read(issuing.der);
  return {
    next: rotate(clients),
    run({ der }) {
      const options = { validityCheckDate: TEST_TIME };
      require(forge.pki.verifyCertificateChain(store, [read(der), intermediate], options), 'node-forge');
    },
  };
}

/** What somebody writes who has only Node: no name constraints, no path lengths, no usages. */
function nativeTask({ root, clients }: Hierarchy): Task<Client> {
  const anchor = new X509Certificate(root.der);
  const isCurrent = ({ validFrom, validTo }: X509Certificate): boolean =>
    Date.parse(validFrom) <= TEST_TIME.getTime() && TEST_TIME.getTime() <= Date.parse(validTo);
  return {
    next: rotate(clients),
    run({ der, chain }) {
      const path = [der, ...chain].map((octets) => new X509Certificate(octets));
      const isGood = path.every((certificate, at) => {
        const issuer = path[at + 1] ?? anchor;
        return isCurrent(certificate) && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
      });
      require(isGood && isCurrent(anchor), 'node:crypto');
    },
  };
}

function against(task: (hierarchy: Hierarchy) => Task<Client>): () => Promise<Figures> {
  return () => alternate(coldTask(p256()), task(p256()));
}

const leaf = 'authenticate, unseen P-256 leaf, intermediate known';

export const peers: readonly Row[] = [
  {
    id: 'peer.pkijs',
    what: leaf,
    other: 'CertificateChainValidationEngine of pkijs, from DER',
    target: 0.04,
    better: 'lower',
    unit: 'µs',
    measure: against(pkijsTask),
  },
  {
    id: 'peer.peculiar-x509',
    what: leaf,
    other: 'X509ChainBuilder of @peculiar/x509 and dates, from DER',
    target: 0.04,
    better: 'lower',
    unit: 'µs',
    measure: against(peculiarTask),
  },
  {
    id: 'peer.node-forge',
    what: 'the same with RSA 2048',
    other: 'pki.verifyCertificateChain of node-forge, from DER',
    target: 0.06,
    better: 'lower',
    unit: 'µs',
    measure() {
      const hierarchy = createHierarchy('rsa2048', 2_000);
      return alternate(coldTask(hierarchy), forgeTask(hierarchy));
    },
  },
  {
    id: 'peer.native',
    what: leaf,
    other: 'crypto.X509Certificate: parse, checkIssued, verify, dates, by hand',
    target: 0.55,
    better: 'lower',
    unit: 'µs',
    measure: against(nativeTask),
  },
];
