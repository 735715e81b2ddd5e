import { FetchError } from './fetch-error';
import type { FetchResponse } from './network-options';

/** What is wanted of an answer. */
export interface WantedAnswer {
  /** Most octets of the body. */
  readonly maxOctets: number;
  /** Media types that will do, in lower case. An answer without a type passes. Default: every type. */
  readonly contentTypes?: readonly string[] | undefined;
  /** Whether the question named a version (`if-none-match`, `if-modified-since`), so that 304 is an answer. */
  readonly isConditional: boolean;
}

/** Revocation data as it arrived. Nothing in it is to be believed before its signature is. */
export interface FetchResult {
  /** Empty when not modified. */
  readonly body: Buffer;
  /** The version that was asked about is still the current one. */
  readonly notModified: boolean;
  /** To be sent back in `if-none-match`. */
  readonly etag?: string;
  /** To be sent back in `if-modified-since`. */
  readonly lastModified?: string;
  /** How long HTTP lets the answer be used, from now (RFC 9111 section 4.2.1): `max-age` less `Age`. */
  readonly maxAgeSeconds?: number;
}

/**
 * Checks an answer and reads its body, which is let go as soon as it is too large.
 *
 * @throws {FetchError} `'status'`, `'redirect'`, `'content-type'`, `'too-large'`, and whatever the body fails with.
 */
export async function readAnswer(response: FetchResponse, wanted: WantedAnswer, host: string): Promise<FetchResult> {
  const notModified = wanted.isConditional && response.status === 304;
  if (!notModified) checkAnswer(response, wanted, host);
  const body = notModified ? Buffer.alloc(0) : await readBody(response, wanted.maxOctets, host);
  return { body, notModified, ...validators(response), ...freshness(response) };
}

function checkAnswer({ status, headers }: FetchResponse, wanted: WantedAnswer, host: string): void {
  if (status !== 200) throw new FetchError(isRedirect(status) ? 'redirect' : 'status', { host, status });
  // A coding was not asked for, and nothing is ever decompressed: a bomb is no more than its octets.
  const coding = headers.get('content-encoding') ?? 'identity';
  if (coding.toLowerCase() !== 'identity') throw new FetchError('content-type', { host });
  const [type = ''] = (headers.get('content-type') ?? '').toLowerCase().split(';');
  if (type !== '' && wanted.contentTypes?.includes(type.trim()) === false)
    throw new FetchError('content-type', { host });
  if (Number(headers.get('content-length') ?? 0) > wanted.maxOctets) throw new FetchError('too-large', { host });
}

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400 && status !== 304;
}

async function readBody({ body }: FetchResponse, maxOctets: number, host: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let octets = 0;
  for await (const chunk of body ?? []) {
    octets += chunk.length;
    // Said so that chunks without a length end here too.
    if (!(octets <= maxOctets)) throw new FetchError('too-large', { host });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, octets);
}

/** Those that can be sent back as they are. */
function validators({ headers }: FetchResponse): Pick<FetchResult, 'etag' | 'lastModified'> {
  const etag = headers.get('etag') ?? '';
  const lastModified = headers.get('last-modified') ?? '';
  return {
    ...(/^(?:W\/)?"[\x21\x23-\x7e]{0,256}"$/.test(etag) ? { etag } : {}),
    ...(/^[A-Za-z0-9 :,+-]{1,40}$/.test(lastModified) ? { lastModified } : {}),
  };
}

/** The shortest of several lives. A directive that cannot be read says nothing. */
function freshness({ headers }: FetchResponse): Pick<FetchResult, 'maxAgeSeconds'> {
  const directives = (headers.get('cache-control') ?? '').toLowerCase().split(',');
  const lives = directives.flatMap((directive) => {
    if (/^\s*no-(?:cache|store)\b/.test(directive)) return [0];
    const seconds = /^\s*max-age="?(\d{1,10})"?\s*$/.exec(directive)?.[1];
    return seconds === undefined ? [] : [Number(seconds)];
  });
  if (lives.length === 0) return {};
  const age = /^\d{1,10}$/.exec(headers.get('age') ?? '')?.[0] ?? 0;
  return { maxAgeSeconds: Math.max(0, Math.min(...lives) - Number(age)) };
}
