import { type Authenticator, type AuthenticatorOptions, createAuthenticator, type Outcome } from './authenticator';
import { ClientCertificateError } from './errors';
import type { ClientIdentity } from './identity';
import { type Refusal, refusalOf } from './refusal';
import { type CertificateRequest, hideHeaders } from './request';
import { isCertificateHeader } from './source/field-lines';

/** Whether a request goes on to its handler, and as whom; if not, the response it gets instead. */
export type Admission =
  /** `identity` is undefined for an anonymous client. */
  | { readonly admitted: true; readonly identity: ClientIdentity | undefined }
  | { readonly admitted: false; readonly refusal: Refusal; readonly error: ClientCertificateError };

/** The authenticator itself, or one made of its options: what every adapter takes. */
export function authenticatorOf(authenticatorOrOptions: Authenticator | AuthenticatorOptions): Authenticator {
  return 'authenticate' in authenticatorOrOptions
    ? authenticatorOrOptions
    : createAuthenticator(authenticatorOrOptions);
}

/** Identities of admitted requests; undefined for anonymous ones. A property on the request could be written by anyone. */
const identities = new WeakMap<object, ClientIdentity | undefined>();

/**
 * Authenticates a request, remembers its identity for {@link clientIdentityOf}, and hides from handlers every header that
 * carries, or looks as if it carried, a certificate or a channel secret. What adapters are made of; of use by itself with
 * plain `node:http`.
 *
 * Fails closed: whatever an authenticator throws is a refusal, and so is an answer that is none of the three outcomes.
 *
 * @param request - Node's own request object, not a framework's.
 */
export async function admitRequest(authenticator: Authenticator, request: CertificateRequest): Promise<Admission> {
  identities.delete(request);
  const outcome = await outcomeOf(authenticator, request);
  const { consumedHeaders = [] } = authenticator;
  hideHeaders(request, (name) => isCertificateHeader(name) || consumedHeaders.includes(name));
  if (outcome.status === 'rejected')
    return { admitted: false, refusal: refusalOf(outcome.error), error: outcome.error };
  const identity = outcome.status === 'authenticated' ? outcome.identity : undefined;
  identities.set(request, identity);
  return { admitted: true, identity };
}

/**
 * The identity of a request that an adapter, or {@link admitRequest}, has admitted.
 *
 * @param request - Node's own request object.
 * @throws {ClientCertificateError} `ERR_CERTIFICATE_REQUIRED` for an anonymous request; frameworks answer it with 403.
 * @throws {TypeError} when the request was never authenticated: the middleware is not mounted, or mounted after the handler.
 */
export function clientIdentityOf(request: object): ClientIdentity {
  const identity = identities.get(request);
  if (identity !== undefined) return identity;
  if (identities.has(request)) throw new ClientCertificateError('ERR_CERTIFICATE_REQUIRED', {});
  throw new TypeError(
    'clientIdentityOf: this request was not authenticated. Mount clientCertificate before the handler.',
  );
}

async function outcomeOf(authenticator: Authenticator, request: CertificateRequest): Promise<Outcome> {
  try {
    const outcome: unknown = await authenticator.authenticate(request);
    if (!isOutcome(outcome)) throw new TypeError('The authenticator gave no outcome.');
    return outcome;
  } catch (error) {
    return { status: 'rejected', error: new ClientCertificateError('ERR_INTERNAL', {}, { cause: error }) };
  }
}

/** An authenticator may be anyone's: somebody who is authenticated, but as nobody, must not pass for anonymous. */
function isOutcome(outcome: unknown): outcome is Outcome {
  if (typeof outcome !== 'object' || outcome === null) return false;
  const { status, identity, error } = outcome as { status?: unknown; identity?: unknown; error?: unknown };
  if (status === 'authenticated') return typeof identity === 'object' && identity !== null;
  return status === 'anonymous' || (status === 'rejected' && error instanceof ClientCertificateError);
}
