import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  admitRequest,
  type Authenticator,
  type AuthenticatorOptions,
  authenticatorOf,
  type ClientIdentity,
} from '@peercert/core';

export * from '@peercert/core';

declare global {
  // oxlint-disable-next-line typescript/no-namespace -- the way Express's types are extended
  namespace Express {
    interface Request {
      /** Who is calling; undefined for an anonymous client. `clientIdentityOf(req)` throws instead. */
      clientIdentity?: ClientIdentity | undefined;
    }
  }
}

/** Express middleware, typed by what it uses. */
export type ClientCertificateMiddleware = (
  request: IncomingMessage & { clientIdentity?: ClientIdentity | undefined },
  response: ServerResponse,
  next: (error?: unknown) => void,
) => Promise<void>;

/**
 * Express middleware that lets a request through with its identity in `req.clientIdentity`, or answers it with
 * `application/problem+json`.
 *
 * @param authenticatorOrOptions - An authenticator to share, or the options to make one of.
 * @throws {TypeError} or {@link RangeError} for options that cannot work, see `createAuthenticator`.
 */
export function clientCertificate(
  authenticatorOrOptions: Authenticator | AuthenticatorOptions,
): ClientCertificateMiddleware {
  const authenticator = authenticatorOf(authenticatorOrOptions);
  return async function clientCertificateMiddleware(request, response, next) {
    const admission = await admitRequest(authenticator, request);
    if (!admission.admitted) {
      response.writeHead(admission.refusal.status, admission.refusal.headers).end(admission.refusal.body);
      return;
    }
    request.clientIdentity = admission.identity;
    next();
  };
}
