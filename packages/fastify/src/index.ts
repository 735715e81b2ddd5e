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
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';

export * from '@peercert/core';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is calling; undefined for an anonymous client. `clientIdentityOf(request)` throws instead. */
    clientIdentity?: ClientIdentity | undefined;
  }
}

/**
 * Fastify plugin that lets a request through with its identity in `request.clientIdentity`, or answers it with
 * `application/problem+json`: `app.register(clientCertificate, options)`. Covers the instance it is registered on, and
 * everything inside; register it inside another plugin to cover only that.
 *
 * Its options are an authenticator to share, or the options to make one of.
 */
export const clientCertificate = fastifyPlugin(
  async function clientCertificatePlugin(app: FastifyInstance, options: Authenticator | AuthenticatorOptions) {
    const authenticator = authenticatorOf(options);
    if (!app.hasRequestDecorator('clientIdentity')) app.decorateRequest('clientIdentity', undefined);
    app.addHook('onRequest', function authenticateClient(request, reply, done) {
      const conclude = (admission: Admission): void => {
        if (!admission.admitted) return void refuse(reply, admission);
        request.clientIdentity = admission.identity;
        done();
      };
      const admission = admit(authenticator, request.raw);
      if (admission instanceof Promise) admission.then(conclude, done);
      else conclude(admission);
    });
  },
  { fastify: '5.x', name: '@peercert/fastify' },
);

/** A Fastify `onRequest` hook, for one route or for an instance. */
export type ClientCertificateHook = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>;

/**
 * Fastify hook that lets only certain identities through, behind {@link clientCertificate}:
 * `app.get('/admin', { onRequest: requireClientIdentity({ uri }) }, handler)`.
 *
 * @param rule - Whom to let in: names in words, or a function that says `true`. None lets every identity in.
 * @throws {TypeError} for a rule that is empty, unknown or of the wrong kind.
 */
export function requireClientIdentity(rule?: IdentityRule | IdentityPredicate<FastifyRequest>): ClientCertificateHook {
  const guard = createGuard(rule);
  return async function requireClientIdentityHook(request, reply) {
    const admission = await guard(request.raw, request);
    return admission.admitted ? undefined : refuse(reply, admission);
  };
}

/**
 * Fastify hook that lets only requests over a proven channel through, with or without a client certificate.
 *
 * @throws {TypeError} for anything but a channel proof that is good by itself.
 */
export function requireChannel(channel: ChannelProof): ClientCertificateHook {
  const guard = createChannelGuard(channel);
  return async function requireChannelHook(request, reply) {
    const admission = await guard(request.raw, request);
    return admission.admitted ? undefined : refuse(reply, admission);
  };
}

/**
 * The identity of the client.
 *
 * @throws {ClientCertificateError} `ERR_CERTIFICATE_REQUIRED` for an anonymous client; Fastify answers it with 403.
 * @throws {TypeError} when {@link clientCertificate} does not cover the route.
 */
export function clientIdentityOf({ raw }: Pick<FastifyRequest, 'raw'>): ClientIdentity {
  return clientIdentityOfRequest(raw);
}

function refuse(reply: FastifyReply, { refusal }: Admission & { admitted: false }): FastifyReply {
  return reply.code(refusal.status).headers(refusal.headers).send(refusal.body);
}
