import { isSignedBy } from '../path/verify-signature';
import type { TrustStore } from '../trust/trust-store';
import type { Certificate } from '../x509/certificate';

/**
 * Whether some client could have, or be issued, a certificate that passes for the proxy's: the proxy's store trusts the key of
 * a certificate in the clients' store, or an anchor of it issued one, itself or by way of intermediates.
 *
 * A certificate pinned for the proxy passes by its bytes: no CA can issue it to a client, whoever issued it. Only whoever has
 * its key can present it.
 *
 * Sees what the two stores hold. An intermediate in neither of them that both hierarchies share stays unseen.
 *
 * @returns whom the proxy's store trusts with it, for the operator; undefined when the stores are apart.
 */
export function findSharedAuthority(edgeTrust: TrustStore, clientTrust: TrustStore): string | undefined {
  const clients = [...clientTrust.anchors, ...clientTrust.intermediates, ...clientTrust.pinnedEndEntities];
  const below = [...edgeTrust.intermediates, ...clients];
  const isClients = (certificate: Certificate): boolean => clients.some((client) => client.hasSameKeyAs(certificate));
  const shared =
    edgeTrust.anchors.find((anchor) => issuedUnder(anchor, below).some(isClients)) ??
    edgeTrust.pinnedEndEntities.find(isClients);
  return shared === undefined ? undefined : nameOf(shared);
}

/** The anchor, and every certificate that has a path to it among the given ones. */
function issuedUnder(anchor: Certificate, certificates: readonly Certificate[]): readonly Certificate[] {
  const found = new Set([anchor]);
  // Grows while it is walked.
  for (const issuer of found) {
    for (const certificate of certificates) {
      if (found.has(certificate) || certificate.issuerKey !== issuer.subjectKey) continue;
      if (isSignedBy(certificate, issuer)) found.add(certificate);
    }
  }
  return [...found];
}

/** A pinned certificate may have its names in the subjectAltName alone. */
function nameOf({ hasEmptySubject, sha256, subject }: Certificate): string {
  return hasEmptySubject ? `the certificate with the SHA-256 ${sha256}` : subject.toString();
}
