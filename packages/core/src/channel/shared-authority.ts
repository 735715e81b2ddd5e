import { isSignedBy } from '../path/verify-signature';
import type { TrustStore } from '../trust/trust-store';

/**
 * Whether some client could be issued a certificate that passes for the proxy's: an anchor of the proxy's store has the
 * key of a certificate in the clients' store, or issued one.
 *
 * Sees what the two stores hold. An intermediate in neither of them that both hierarchies share stays unseen.
 *
 * @returns the anchor's subject, for the operator; undefined when the stores are apart.
 */
export function findSharedAuthority(edgeTrust: TrustStore, clientTrust: TrustStore): string | undefined {
  const issuers = [...clientTrust.anchors, ...clientTrust.intermediates];
  const shared = edgeTrust.anchors.find((anchor) => {
    return issuers.some((issuer) => {
      return anchor.hasSameKeyAs(issuer) || (issuer.issuerKey === anchor.subjectKey && isSignedBy(issuer, anchor));
    });
  });
  return shared?.subject.toString();
}
