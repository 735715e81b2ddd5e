/** What the compiler knows of outcomes, admissions and identities. Nothing here runs: see options.ts. */
import {
  admitRequest,
  type Authenticator,
  type CertificateRequest,
  type ChannelEvidence,
  type ClientCertificateError,
  type ClientIdentity,
  type GeneralName,
  type Outcome,
  type Refusal,
  type VerifiedPath,
} from '@peercert/core';

export function statusTellsWhatElseThereIs(outcome: Outcome): string {
  // @ts-expect-error -- nobody knows yet
  console.log(outcome.identity);
  switch (outcome.status) {
    case 'authenticated': {
      const channel: ChannelEvidence = outcome.channel;
      return `${outcome.identity.subject.toString()} by ${channel.proof}`;
    }
    case 'anonymous':
      // @ts-expect-error -- an anonymous client has no identity
      return `${outcome.channel.proof} ${outcome.identity}`;
    case 'rejected':
      // @ts-expect-error -- nor has a refused one
      return `${outcome.error.code} ${outcome.identity}`;
    default: {
      const nothingElse: never = outcome;
      return nothingElse;
    }
  }
}

export async function anAuthenticatorMayAnswerAtOnce(
  authenticator: Authenticator,
  request: CertificateRequest,
): Promise<void> {
  const answer = authenticator.authenticate(request);
  // @ts-expect-error -- it may be a promise: await it
  console.log(answer.status);
  console.log((await answer).status);
}

export async function anAdmissionComesApart(
  authenticator: Authenticator,
  request: CertificateRequest,
): Promise<ClientIdentity | undefined> {
  const { admitted, identity, refusal, error } = await admitRequest(authenticator, request);
  // @ts-expect-error -- perhaps it was admitted
  console.log(refusal.status);
  if (!admitted) {
    const answer: Refusal = refusal;
    const because: ClientCertificateError = error;
    console.log(answer.body, because.code);
    return undefined;
  }
  // @ts-expect-error -- perhaps the client is anonymous
  console.log(identity.uris);
  return identity;
}

export function evidenceIsToldApartByItsProof(evidence: ChannelEvidence): string | number {
  if (evidence.proof === 'origin-mtls') return evidence.spkiSha256;
  if (evidence.proof === 'shared-secret') return evidence.secret;
  // @ts-expect-error -- a header belongs to a secret
  return evidence.header;
}

export function nobodyChangesAnIdentity(identity: ClientIdentity): void {
  // @ts-expect-error -- readonly
  identity.source = 'native-tls';
  // @ts-expect-error -- readonly
  identity.uris = ['urn:somebody:else'];
  // @ts-expect-error -- a list nobody adds to
  identity.uris.push('urn:somebody:else');
  // @ts-expect-error -- a list nobody adds to
  identity.subjectAltName.push({ type: 'uri', value: 'urn:somebody:else' });
  // @ts-expect-error -- readonly
  identity.trustAnchor.spkiSha256 = '';
  // @ts-expect-error -- readonly all the way down
  identity.subject.rdns[0] = [];
}

export function aNameIsOnlyWhatItsTypeSays(name: GeneralName): string {
  if (name.type === 'directory') return name.value.values('CN').join();
  if (name.type === 'other') return name.oid + name.value;
  // @ts-expect-error -- only another name has an OID
  console.log(name.oid);
  // @ts-expect-error -- no such type
  if (name.type === 'spiffe') return '';
  return name.value;
}

export function onlyTheValidatorMakesVerifiedPaths(certificates: readonly Uint8Array[]): VerifiedPath {
  // @ts-expect-error -- a look-alike is not one
  return { certificates, validFrom: new Date(0), validUntil: new Date(0) };
}
