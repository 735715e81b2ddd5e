import {
  type Authenticator,
  ClientCertificateError,
  type ClientIdentity,
  createAuthenticator,
  nativeTls,
  type Outcome,
  TrustStore,
} from '@peercert/core';
import { createAuthority } from './authority';
import { TEST_TIME } from './time';

/**
 * An authenticator for testing an application without certificates: every request has the same outcome.
 *
 * @param outcome - Parts of an identity, e.g. `{ uris: ['spiffe://example.com/device/1'] }`: every request is
 *   authenticated, and what is not given comes from a certificate minted for the occasion. A `ClientCertificateError`:
 *   every request is rejected with it. Nothing: every request is anonymous.
 */
export function fakeAuthenticator(outcome?: Partial<ClientIdentity> | ClientCertificateError): Authenticator {
  const fixed = outcomeFor(outcome);
  return { authenticate: () => fixed };
}

function outcomeFor(outcome: Partial<ClientIdentity> | ClientCertificateError | undefined): Outcome {
  const channel = { proof: 'native-tls' } as const;
  if (outcome === undefined) return { status: 'anonymous', channel };
  if (outcome instanceof ClientCertificateError) return { status: 'rejected', error: outcome };
  return { status: 'authenticated', identity: completeIdentity(outcome), channel };
}

function completeIdentity(given: Partial<ClientIdentity>): ClientIdentity {
  const { uris = [], dnsNames = [], emails = [] } = given;
  const minted = mintIdentity({ uris, dnsNames, emails });
  const { subject, issuer, subjectAltName, serialNumber, notBefore, notAfter } = minted;
  const { certificateSha256, spkiSha256, trustAnchor, source, path } = minted;
  const names = { uris: minted.uris, dnsNames: minted.dnsNames, emails: minted.emails, subjectAltName };
  const validity = { serialNumber, notBefore, notAfter };
  const rest = { subject, issuer, certificateSha256, spkiSha256, trustAnchor, source, path };
  return Object.freeze({ ...names, ...validity, ...rest, ...given });
}

/** By the real authenticator, over a real certificate: the fake differs from the truth only where it was told to. */
function mintIdentity(names: Pick<ClientIdentity, 'uris' | 'dnsNames' | 'emails'>): ClientIdentity {
  const authority = createAuthority();
  const { der } = authority.issue(names);
  const presented = { key: 'minted', decodeChain: () => [], decodeEndEntity: () => der };
  const source = { ...nativeTls(), collect: () => presented };
  const outcome = createAuthenticator({
    trust: TrustStore.fromDer([authority.der]),
    source: {
      ...source,
      channel: { ...source.channel, prove: () => ({ proof: 'native-tls' }) as const },
    },
    clock: () => TEST_TIME.getTime(),
  }).authenticate({ rawHeaders: [], socket: {} as never });
  if (outcome instanceof Promise || outcome.status !== 'authenticated') {
    throw new TypeError('fakeAuthenticator: the given names do not fit into a certificate.');
  }
  return outcome.identity;
}
