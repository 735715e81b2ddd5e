// What several rows time: a request that is new, and the signature check that it cannot do without.
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { Authenticator } from '@peercert/core';
import { authenticate, type Client, createOrigin, type Hierarchy, type Request, requestsOf } from './inputs.mjs';
import type { Task } from './measure.mjs';

/** A request and the authenticator to ask. */
export interface Question {
  readonly authenticator: Authenticator;
  readonly request: Request;
}

/** Takes values in turn, for ever. */
export function rotate<Value>(values: readonly Value[]): () => Value {
  let at = 0;
  return () => values[at++ % values.length] as Value;
}

/**
 * Asks each request once, then all of them anew.
 *
 * @param renew - An authenticator that has seen none of the requests.
 */
export function unseen(requests: readonly Request[], renew: () => Authenticator): () => Question {
  let at = 0;
  let authenticator = renew();
  return () => {
    if (at === requests.length) [at, authenticator] = [0, renew()];
    return { authenticator, request: requests[at++] as Request };
  };
}

/** Authenticates clients that were not seen before; their intermediate was. */
export function coldTask({ root, clients }: Hierarchy, anchors: readonly Uint8Array[] = [root.der]): Task<Question> {
  const [first, ...requests] = requestsOf(clients) as [Request, ...Request[]];
  const renew = (): Authenticator => {
    const authenticator = createOrigin(anchors);
    authenticate(authenticator, first);
    return authenticator;
  };
  return { next: unseen(requests, renew), run: ask };
}

export function ask({ authenticator, request }: Question): void {
  authenticate(authenticator, request);
}

/** What is signed in a certificate, and the signature. */
export interface Signed {
  readonly tbs: Buffer;
  readonly signature: Buffer;
}

/** The least there is to do for one certificate: `verify` of node:crypto, with a key that is ready. */
export function verifyTask({ issuing, clients }: Hierarchy): Task<Signed> {
  // A key as a server has it: read from DER, not just generated.
  const key = createPublicKey({ key: spkiOf(issuing.key.publicKey), type: 'spki', format: 'der' });
  return { next: rotate(clients.map(signedParts)), run: (signed) => verifySigned(signed, key) };
}

export function verifySigned({ tbs, signature }: Signed, key: KeyObject, digest = 'sha256'): void {
  if (!verify(digest, tbs, key, signature)) throw new Error('the benchmark expects a good signature');
}

export function spkiOf(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

/** Cuts a certificate in its parts (RFC 5280 section 4.1). Copies, as a certificate that arrives alone would be. */
export function signedParts({ der }: Pick<Client, 'der'>): Signed {
  const tbs = elementAt(der, elementAt(der, 0).content);
  const algorithm = elementAt(der, tbs.end);
  const bitString = elementAt(der, algorithm.end);
  return {
    tbs: Buffer.from(der.subarray(tbs.start, tbs.end)),
    // Behind the octet that counts unused bits.
    signature: Buffer.from(der.subarray(bitString.content + 1, bitString.end)),
  };
}

function elementAt(der: Buffer, start: number): { start: number; content: number; end: number } {
  const first = der.readUInt8(start + 1);
  const octets = first < 0x80 ? 0 : first - 0x80;
  const content = start + 2 + octets;
  const length = octets === 0 ? first : der.readUIntBE(start + 2, octets);
  return { start, content, end: content + length };
}
