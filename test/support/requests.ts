import {
  type Authenticator,
  type CertificateRequest,
  cloudFront,
  createAuthenticator,
  type AuthenticatorOptions,
  type Outcome,
  sharedSecret,
  type Source,
  TrustStore,
} from '@peercert/core';
import { TEST_TIME } from '@peercert/testkit';

interface SocketFields {
  readonly encrypted?: unknown;
  readonly destroyed?: boolean;
  readonly remoteAddress?: string | undefined;
  readonly server?: { readonly maxHeadersCount?: number | null };
  readonly getPeerX509Certificate?: () => unknown;
}

/** A request as `node:http` would hand it over TLS: header lines, and of the socket what is read. */
export function requestOf(
  rawHeaders: readonly string[],
  socket: SocketFields | undefined = { encrypted: true, destroyed: false },
): CertificateRequest {
  return { rawHeaders: [...rawHeaders], socket: socket as CertificateRequest['socket'] };
}

export const edgeSecret = 'correct-horse-battery-staple-0123456789';
export const secretLine: readonly [string, string] = ['X-Edge-Secret', edgeSecret];

/** A request that came through the proxy: with its secret, and these header lines. */
export function fromEdge(...lines: readonly string[]): CertificateRequest {
  return requestOf([...secretLine, ...lines]);
}

export const edgeChannel = sharedSecret({ header: 'X-Edge-Secret', secrets: [edgeSecret] });

/** `createAuthenticator` for requests of {@link fromEdge}, at `TEST_TIME`. */
export function behindEdge(
  anchors: TrustStore | readonly { readonly der: Uint8Array }[],
  options: Partial<AuthenticatorOptions> = {},
): Authenticator {
  return createAuthenticator({
    trust: anchors instanceof TrustStore ? anchors : TrustStore.fromDer(anchors.map(({ der }) => der)),
    source: cloudFront({ channel: edgeChannel }),
    clock: () => TEST_TIME.getTime(),
    ...options,
  });
}

/** The outcome of a request; throws the error of a rejected one, for `toRejectWith`. */
export async function admitted(
  authenticator: Authenticator,
  request: CertificateRequest,
): Promise<Exclude<Outcome, { status: 'rejected' }>> {
  const outcome = await authenticator.authenticate(request);
  if (outcome.status === 'rejected') throw outcome.error;
  return outcome;
}

/** Whom a request is authenticated as: the URIs of the certificate; throws the error of a rejected request. */
export async function callerOf(authenticator: Authenticator, request: CertificateRequest): Promise<readonly string[]> {
  const outcome = await admitted(authenticator, request);
  return outcome.status === 'authenticated' ? outcome.identity.uris : ['anonymous'];
}

/** A source that counts how often what it collected was decoded. */
export function countingDecodes(source: Source): Source & { readonly decoded: () => number } {
  let decoded = 0;
  return {
    ...source,
    decoded: () => decoded,
    collect: (request) => {
      const presented = source.collect(request);
      if (presented === undefined) return undefined;
      return {
        ...presented,
        decodeEndEntity: () => {
          decoded++;
          return presented.decodeEndEntity();
        },
      };
    },
  };
}
