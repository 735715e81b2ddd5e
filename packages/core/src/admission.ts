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
 * Fails closed: whatever an authenticator throws is a refusal.
 *
 * @param request - Node's own request object, not a framework's.
 */
export async function admitRequest(authenticator: Authenticator, request: CertificateRequest): Promise<Admission> {
  identities.delete(request);
  const outcome = await outcomeOf(authenticator, request);
  const { consumedHeaders = [] } = authenticator;
  hideHeaders(request, (name) => isCertificateHeader(name) || consumedHeaders.includes(name));
  switch (outcome.status) {
    case 'authenticated':
      identities.set(request, outcome.identity);
      return { admitted: true, identity: outcome.identity };
    case 'anonymous':
      identities.set(request, undefined);
      return { admitted: true, identity: undefined };
    case 'rejected':
      return refuse(outcome.error);
    default:
      return refuse(new ClientCertificateError('ERR_INTERNAL', {}));
  }
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

function refuse(error: ClientCertificateError): Admission {
  return { admitted: false, refusal: refusalOf(error), error };
}

async function outcomeOf(authenticator: Authenticator, request: CertificateRequest): Promise<Outcome> {
  try {
    return await authenticator.authenticate(request);
  } catch (error) {
    return { status: 'rejected', error: new ClientCertificateError('ERR_INTERNAL', {}, { cause: error }) };
  }
}
