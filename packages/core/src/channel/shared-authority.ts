import { isSignedBy } from '../path/verify-signature';
import type { TrustStore } from '../trust/trust-store';
import type { Certificate } from '../x509/certificate';

/**
 * Whether some client could be issued a certificate that passes for the proxy's: an anchor of the proxy's store has the
 * key of a certificate in the clients' store, or issued one, itself or by way of intermediates.
 *
 * Sees what the two stores hold. An intermediate in neither of them that both hierarchies share stays unseen.
 *
 * @returns the anchor's subject, for the operator; undefined when the stores are apart.
 */
export function findSharedAuthority(edgeTrust: TrustStore, clientTrust: TrustStore): string | undefined {
  const clientIssuers = [...clientTrust.anchors, ...clientTrust.intermediates];
  const below = [...edgeTrust.intermediates, ...clientIssuers];
  const shared = edgeTrust.anchors.find((anchor) => {
    return issuedUnder(anchor, below).some((issuer) => clientIssuers.some((client) => client.hasSameKeyAs(issuer)));
  });
  return shared?.subject.toString();
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
