import { hash, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import { checkOptions, describe } from '../options';
import { type CertificateRequest, isEncrypted, receivedHeaders } from '../request';
import { isUnixSocket, loopbackAddresses } from './address';
import { type ChannelEvidence, type ChannelProof, untrusted } from './channel-proof';

/** What {@link sharedSecret} takes. */
export interface SharedSecretOptions {
  /** Name of the header in which the proxy sends the secret, e.g. a CloudFront origin custom header. */
  readonly header: string;
  /**
   * Secrets that are good now, each at least 32 visible ASCII characters: one, or two while one replaces the other. Make
   * them random (`openssl rand -base64 32`); whoever reads one can speak for every client.
   *
   * A function answers with those that are good at the moment, and is asked for every request: whatever list it answers
   * with holds at once, and is judged as the first one was. While it throws, or answers with a list that is not good, every
   * request is refused with `ERR_INTERNAL`: the list before may hold a secret that was withdrawn.
   */
  readonly secrets: readonly string[] | (() => readonly string[]);
}

const minSecretLength = 32;
/** The longest value CloudFront sends in an origin custom header is 1,783 characters. */
const maxSecretLength = 2_048;

/**
 * Channel proof by a secret header that the proxy adds and overwrites.
 *
 * Compared in constant time, over SHA-256 digests. A value that occurs twice proves nothing. Refused on a plaintext
 * connection unless the peer is loopback or a unix socket: a secret that can be read on the wire is not one.
 *
 * @throws {TypeError} for a header name that is not one, or is a certificate header; for secrets that are missing, short,
 *   repeated or not visible ASCII. Whatever a function of secrets throws now.
 */
export function sharedSecret(options: SharedSecretOptions): ChannelProof {
  return new SharedSecret(options);
}

/** Secrets that were judged, what they are compared by, and what each of them proves. */
interface JudgedSecrets {
  readonly secrets: readonly string[];
  readonly digests: readonly Buffer[];
  readonly evidence: readonly ChannelEvidence[];
}

class SharedSecret implements ChannelProof {
  readonly proof = 'shared-secret';
  readonly isSufficient = true;
  readonly readsTlsPeer = false;
  readonly consumedHeaders: readonly string[];

  readonly #header: string;
  /** Undefined for a list, which stays what it was. */
  readonly #ask: (() => unknown) | undefined;
  #judged: JudgedSecrets;

  constructor(options: SharedSecretOptions) {
    checkOptions('sharedSecret', options, ['header', 'secrets']);
    const { header, secrets } = options;
    if (typeof header !== 'string' || !/^[!#$%&'*+\-.^`|~0-9A-Za-z]+$/.test(header)) {
      throw new TypeError('sharedSecret needs header, a header name without underscores.');
    }
    this.#header = header.toLowerCase();
    if (this.#header.startsWith('client-cert') || this.#header === 'connection') {
      throw new TypeError(`sharedSecret cannot use ${this.#header}: it has a meaning of its own.`);
    }
    this.#ask = typeof secrets === 'function' ? secrets : undefined;
    this.#judged = this.#judge(typeof secrets === 'function' ? secrets() : secrets);
    this.consumedHeaders = [this.#header];
  }

  checkTrust(): void {}

  prove(request: CertificateRequest): ChannelEvidence {
    const socket = request.socket as CertificateRequest['socket'] | undefined;
    if (socket === undefined) throw untrusted(this.proof, 'peer-gone');
    if (!isEncrypted(socket) && !isSameMachine(socket)) {
      throw untrusted(this.proof, socket.destroyed ? 'peer-gone' : 'not-tls');
    }
    const { digests, evidence } = this.#secrets();
    const matched = match(this.#presented(request), digests);
    if (matched === -1) throw untrusted(this.proof, 'secret-wrong');
    return evidence[matched] as ChannelEvidence;
  }

  /** Those that are good now. There is no falling back: a list that is not good may be there to withdraw the one before. */
  #secrets(): JudgedSecrets {
    if (this.#ask === undefined) return this.#judged;
    const secrets = this.#ask();
    if (!isSameList(secrets, this.#judged.secrets)) this.#judged = this.#judge(secrets);
    return this.#judged;
  }

  #judge(secrets: unknown): JudgedSecrets {
    checkSecrets(secrets);
    return {
      secrets: [...secrets],
      digests: secrets.map((secret) => hash('sha256', secret, 'buffer')),
      evidence: secrets.map((_, secret) => Object.freeze({ proof: this.proof, header: this.#header, secret })),
    };
  }

  #presented(request: CertificateRequest): string {
    const lines = receivedHeaders(request);
    let presented: string | undefined;
    for (let at = 0; at < lines.length; at += 2) {
      const name = lines[at] as string;
      if (name.length !== this.#header.length || name.toLowerCase() !== this.#header) continue;
      if (presented !== undefined) throw untrusted(this.proof, 'secret-repeated');
      presented = lines[at + 1];
    }
    if (presented === undefined) throw untrusted(this.proof, 'secret-missing');
    return presented;
  }
}

/** Compares with every secret, whichever matches, so that time tells nothing. */
function match(presented: string, digests: readonly Buffer[]): number {
  if (presented.length > maxSecretLength) return -1;
  const digest = hash('sha256', presented, 'buffer');
  let matched = -1;
  for (const [index, expected] of digests.entries()) {
    if (timingSafeEqual(digest, expected)) matched = index;
  }
  return matched;
}

function isSameList(given: unknown, known: readonly string[]): boolean {
  return (
    Array.isArray(given) && given.length === known.length && known.every((secret, index) => given[index] === secret)
  );
}

function checkSecrets(secrets: unknown): asserts secrets is readonly string[] {
  if (!Array.isArray(secrets) || secrets.length === 0) {
    throw new TypeError(`sharedSecret needs secrets, a non-empty array; it received ${describe(secrets)}.`);
  }
  for (const secret of secrets) {
    const isUsable = typeof secret === 'string' && /^[\x21-\x7e]+$/.test(secret) && secret.length <= maxSecretLength;
    if (!isUsable || secret.length < minSecretLength) {
      throw new TypeError(
        `sharedSecret needs secrets of ${minSecretLength} to ${maxSecretLength} visible ASCII characters without spaces.`,
      );
    }
  }
  if (new Set(secrets).size !== secrets.length) throw new TypeError('sharedSecret was given the same secret twice.');
}

function isSameMachine(socket: Socket): boolean {
  return loopbackAddresses.has(socket.remoteAddress) || isUnixSocket(socket);
}
