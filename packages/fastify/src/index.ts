import {
  admitRequest,
  type Authenticator,
  type AuthenticatorOptions,
  authenticatorOf,
  type ClientIdentity,
  clientIdentityOf as clientIdentityOfRequest,
} from '@peercert/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
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
    app.addHook('onRequest', async function authenticateClient(request, reply) {
      const admission = await admitRequest(authenticator, request.raw);
      if (!admission.admitted) {
        return reply.code(admission.refusal.status).headers(admission.refusal.headers).send(admission.refusal.body);
      }
      request.clientIdentity = admission.identity;
      return undefined;
    });
  },
  { fastify: '5.x', name: '@peercert/fastify' },
);

/**
 * The identity of the client.
 *
 * @throws {ClientCertificateError} `ERR_CERTIFICATE_REQUIRED` for an anonymous client; Fastify answers it with 403.
 * @throws {TypeError} when {@link clientCertificate} does not cover the route.
 */
export function clientIdentityOf({ raw }: Pick<FastifyRequest, 'raw'>): ClientIdentity {
  return clientIdentityOfRequest(raw);
}
