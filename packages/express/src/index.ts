import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  admit,
  type Admission,
  type Authenticator,
  type AuthenticatorOptions,
  authenticatorOf,
  type ChannelProof,
  type ClientIdentity,
  createChannelGuard,
  createGuard,
  type IdentityPredicate,
  type IdentityRule,
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
) => void | Promise<void>;

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
  return function clientCertificateMiddleware(request, response, next) {
    const conclude = (admission: Admission): void => {
      if (admission.admitted) request.clientIdentity = admission.identity;
      goOn(admission, response, next);
    };
    const admission = admit(authenticator, request);
    return admission instanceof Promise ? admission.then(conclude, next) : conclude(admission);
  };
}

/**
 * Express middleware that lets only certain identities through; mount it behind {@link clientCertificate}.
 *
 * @param rule - Whom to let in: names in words, or a function that says `true`. None lets every identity in.
 * @throws {TypeError} for a rule that is empty, unknown or of the wrong kind.
 */
export function requireClientIdentity(
  rule?: IdentityRule | IdentityPredicate<IncomingMessage>,
): ClientCertificateMiddleware {
  const guard = createGuard(rule);
  return function requireClientIdentityMiddleware(request, response, next) {
    return guard(request, request).then((admission) => goOn(admission, response, next), next);
  };
}

/**
 * Express middleware that lets only requests over a proven channel through, with or without a client certificate.
 *
 * @throws {TypeError} for anything but a channel proof that is good by itself.
 */
export function requireChannel(channel: ChannelProof): ClientCertificateMiddleware {
  const guard = createChannelGuard(channel);
  return function requireChannelMiddleware(request, response, next) {
    return guard(request, request).then((admission) => goOn(admission, response, next), next);
  };
}

/** Express 4 does not look at promises: what goes wrong goes to `next`, or it would end the process. */
function goOn(admission: Admission, response: ServerResponse, next: (error?: unknown) => void): void {
  if (admission.admitted) return next();
  try {
    refuse(response, admission);
  } catch (error) {
    next(error);
  }
}

function refuse(response: ServerResponse, { refusal }: Admission & { admitted: false }): void {
  // Something else has answered already, a timeout for example.
  if (response.writableEnded) return;
  response.writeHead(refusal.status, refusal.headers).end(refusal.body);
}
