import { type Authenticator, type AuthenticatorOptions, createAuthenticator } from './authenticator';
import { type ChannelProof, checkEvidence } from './channel/channel-proof';
import { ClientCertificateError } from './errors';
import type { ClientIdentity } from './identity';
import { describe } from './options';
import type { Outcome } from './outcome';
import { type Refusal, refusalOf } from './refusal';
import { type CertificateRequest, HiddenNames, hideHeaders } from './request';
import { checkPredicate, type IdentityPredicate, type IdentityRule, predicateOf } from './rule';
import { isCertificateHeader } from './source/field-lines';

/** Whether a request goes on to its handler, and as whom; if not, the response it gets instead. */
export type Admission =
  /** `identity` is undefined for an anonymous client. */
  | {
      readonly admitted: true;
      readonly identity: ClientIdentity | undefined;
      readonly refusal?: never;
      readonly error?: never;
    }
  | {
      readonly admitted: false;
      readonly refusal: Refusal;
      readonly error: ClientCertificateError;
      readonly identity?: never;
    };

/** The authenticator itself, or one made of its options: what every adapter takes. */
export function authenticatorOf(authenticatorOrOptions: Authenticator | AuthenticatorOptions): Authenticator {
  const isAuthenticator =
    typeof authenticatorOrOptions === 'object' &&
    authenticatorOrOptions !== null &&
    'authenticate' in authenticatorOrOptions;
  return isAuthenticator ? authenticatorOrOptions : createAuthenticator(authenticatorOrOptions);
}

/** Identities of admitted requests; undefined for anonymous ones. A property on the request could be written by anyone. */
const identities = new WeakMap<object, ClientIdentity | undefined>();

/**
 * Authenticates a request, remembers its identity for {@link clientIdentityOf} and guards, and hides from handlers every
 * header that carries, or looks as if it carried, a certificate or a channel secret. What adapters are made of; of use by
 * itself with plain `node:http`.
 *
 * Fails closed: whatever an authenticator throws is a refusal, and so is an answer that is none of the three outcomes.
 *
 * @param request - Node's own request object, not a framework's.
 */
export async function admitRequest(authenticator: Authenticator, request: CertificateRequest): Promise<Admission> {
  return admit(authenticator, request);
}

/**
 * The same as {@link admitRequest}, as a value when the verdict is known: an adapter goes on at once then, instead of after
 * the promises of everybody else.
 */
export function admit(authenticator: Authenticator, request: CertificateRequest): Admission | Promise<Admission> {
  const isCanary = authenticator.enforcement === 'report-only';
  if (!isCanary) identities.delete(request);
  const conclude = (outcome: unknown): Admission => {
    return isCanary ? admitAnyway(request) : admissionOf(outcome, authenticator, request);
  };
  const fail = (error: unknown): Admission => conclude({ status: 'rejected', error: asRefusal(error) });
  try {
    const outcome: unknown = authenticator.authenticate(request);
    return isPromise(outcome) ? Promise.resolve(outcome).then(conclude, fail) : conclude(outcome);
  } catch (error) {
    return fail(error);
  }
}

function admissionOf(outcome: unknown, { consumedHeaders }: Authenticator, request: CertificateRequest): Admission {
  hideConsumedHeaders(request, consumedHeaders);
  if (!isOutcome(outcome)) return refuse(asRefusal(new TypeError('The authenticator gave no outcome.')));
  if (outcome.status === 'rejected') return refuse(outcome.error);
  const identity = outcome.status === 'authenticated' ? outcome.identity : undefined;
  identities.set(request, identity);
  return { admitted: true, identity };
}

/** A canary behind an authenticator that enforces leaves that one's word alone. */
function admitAnyway(request: CertificateRequest): Admission {
  if (!identities.has(request)) identities.set(request, undefined);
  return { admitted: true, identity: identities.get(request) };
}

/** Judges one request for one route: see {@link createGuard} and {@link createChannelGuard}. */
export type Guard<Request = CertificateRequest> = (
  request: CertificateRequest,
  frameworkRequest: Request,
) => Promise<Admission>;

/**
 * Makes a guard that admits requests whose identity, established by {@link admitRequest} before, follows a rule. Refuses
 * an anonymous request, one that was never authenticated (500: a mistake of the application), and one whose rule throws,
 * does not answer in time, or says anything but `true`.
 *
 * @param rule - Whom to admit; none admits every identity.
 * @throws {TypeError} for a rule that is empty, unknown or of the wrong kind.
 */
export function createGuard<Request = CertificateRequest>(
  rule?: IdentityRule | IdentityPredicate<Request>,
): Guard<Request> {
  const predicate = rule === undefined ? undefined : predicateOf(rule);
  return async function guardRequest(request, frameworkRequest) {
    try {
      if (!identities.has(request)) throw new ClientCertificateError('ERR_POLICY_UNAUTHENTICATED', {});
      const identity = clientIdentityOf(request);
      if (predicate !== undefined) await checkPredicate(predicate, identity, frameworkRequest);
      return { admitted: true, identity };
    } catch (error) {
      return refuse(asRefusal(error));
    }
  };
}

/**
 * Makes a guard that admits requests over a proven channel, with or without a client certificate: for routes that only the
 * proxy may call.
 *
 * @throws {TypeError} for anything but a channel proof that is good by itself.
 */
export function createChannelGuard(channel: ChannelProof, clock: () => number = Date.now): Guard<unknown> {
  if (typeof channel?.prove !== 'function' || !channel.isSufficient) {
    const received = typeof channel?.prove === 'function' ? 'one that proves too little by itself' : describe(channel);
    throw new TypeError(`requireChannel needs a channel proof such as originMtls(...); it received ${received}.`);
  }
  return async function guardChannel(request) {
    try {
      checkEvidence(await channel.prove(request, { time: clock(), clientTrust: undefined }));
      hideConsumedHeaders(request, channel.consumedHeaders);
      return { admitted: true, identity: undefined };
    } catch (error) {
      return refuse(asRefusal(error));
    }
  };
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

/** Which header names are hidden, for each list of consumed headers: asked of every header of every request. */
const hiddenNames = new WeakMap<readonly string[], HiddenNames>();

const noHeaders: readonly string[] = Object.freeze([]);

function hideConsumedHeaders(request: CertificateRequest, consumedHeaders = noHeaders): void {
  let hidden = hiddenNames.get(consumedHeaders);
  if (hidden === undefined) {
    const consumed = new Set(consumedHeaders);
    hidden = new HiddenNames((name) => isCertificateHeader(name) || consumed.has(name.replaceAll('_', '-')));
    hiddenNames.set(consumedHeaders, hidden);
  }
  hideHeaders(request, hidden);
}

function refuse(error: ClientCertificateError): Admission {
  return { admitted: false, refusal: refusalOf(error), error };
}

function asRefusal(error: unknown): ClientCertificateError {
  if (error instanceof ClientCertificateError) return error;
  return new ClientCertificateError('ERR_INTERNAL', {}, { cause: error });
}

function isPromise(outcome: unknown): outcome is PromiseLike<unknown> {
  return typeof (outcome as PromiseLike<unknown> | null | undefined)?.then === 'function';
}

/** An authenticator may be anyone's: somebody who is authenticated, but as nobody, must not pass for anonymous. */
function isOutcome(outcome: unknown): outcome is Outcome {
  if (typeof outcome !== 'object' || outcome === null) return false;
  const { status, identity, error } = outcome as { status?: unknown; identity?: unknown; error?: unknown };
  if (status === 'authenticated') return typeof identity === 'object' && identity !== null;
  return status === 'anonymous' || (status === 'rejected' && error instanceof ClientCertificateError);
}
