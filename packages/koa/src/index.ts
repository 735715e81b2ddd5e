import {
  admit,
  type Admission,
  type Authenticator,
  type AuthenticatorOptions,
  authenticatorOf,
  type ChannelProof,
  type ClientIdentity,
  clientIdentityOf as clientIdentityOfRequest,
  createChannelGuard,
  createGuard,
  type IdentityPredicate,
  type IdentityRule,
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
  return function clientCertificateMiddleware(ctx, next) {
    const conclude = (admission: Admission): void | Promise<void> => {
      if (!admission.admitted) return refuse(ctx, admission);
      ctx.state.clientIdentity = admission.identity;
      return next();
    };
    const admission = admit(authenticator, ctx.req);
    return admission instanceof Promise ? admission.then(conclude) : conclude(admission);
  };
}

/**
 * Koa middleware that lets only certain identities through; mount it behind {@link clientCertificate}.
 *
 * @param rule - Whom to let in: names in words, or a function that says `true`. None lets every identity in.
 * @throws {TypeError} for a rule that is empty, unknown or of the wrong kind.
 */
export function requireClientIdentity(rule?: IdentityRule | IdentityPredicate<Context>): Middleware {
  const guard = createGuard(rule);
  return async function requireClientIdentityMiddleware(ctx, next) {
    const admission = await guard(ctx.req, ctx);
    if (!admission.admitted) return refuse(ctx, admission);
    await next();
  };
}

/**
 * Koa middleware that lets only requests over a proven channel through, with or without a client certificate.
 *
 * @throws {TypeError} for anything but a channel proof that is good by itself.
 */
export function requireChannel(channel: ChannelProof): Middleware {
  const guard = createChannelGuard(channel);
  return async function requireChannelMiddleware(ctx, next) {
    const admission = await guard(ctx.req, ctx);
    if (!admission.admitted) return refuse(ctx, admission);
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

function refuse(ctx: Pick<Context, 'status' | 'set' | 'body'>, { refusal }: Admission & { admitted: false }): void {
  ctx.status = refusal.status;
  ctx.set(refusal.headers);
  ctx.body = refusal.body;
}
