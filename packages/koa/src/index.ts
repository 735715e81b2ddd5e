import {
  admitRequest,
  type Authenticator,
  type AuthenticatorOptions,
  authenticatorOf,
  type ClientIdentity,
  clientIdentityOf as clientIdentityOfRequest,
} from '@peercert/core';
import type { Context, DefaultState, Middleware } from 'koa';

export * from '@peercert/core';

/** What `ctx.state` holds behind {@link clientCertificate}. */
export interface ClientCertificateState extends DefaultState {
  /** Who is calling; undefined for an anonymous client. `clientIdentityOf(ctx)` throws instead. */
  clientIdentity?: ClientIdentity | undefined;
}

/**
 * Koa middleware that lets a request through with its identity in `ctx.state.clientIdentity`, or answers it with
 * `application/problem+json`.
 *
 * @param authenticatorOrOptions - An authenticator to share, or the options to make one of.
 * @throws {TypeError} or {@link RangeError} for options that cannot work, see `createAuthenticator`.
 */
export function clientCertificate(
  authenticatorOrOptions: Authenticator | AuthenticatorOptions,
): Middleware<ClientCertificateState> {
  const authenticator = authenticatorOf(authenticatorOrOptions);
  return async function clientCertificateMiddleware(ctx, next) {
    const admission = await admitRequest(authenticator, ctx.req);
    if (!admission.admitted) {
      ctx.status = admission.refusal.status;
      ctx.set(admission.refusal.headers);
      ctx.body = admission.refusal.body;
      return;
    }
    ctx.state.clientIdentity = admission.identity;
    await next();
  };
}

/**
 * The identity of the client.
 *
 * @throws {ClientCertificateError} `ERR_CERTIFICATE_REQUIRED` for an anonymous client; Koa answers it with 403.
 * @throws {TypeError} when {@link clientCertificate} did not run before.
 */
export function clientIdentityOf({ req }: Pick<Context, 'req'>): ClientIdentity {
  return clientIdentityOfRequest(req);
}
