import { hash } from 'node:crypto';
import type { ChannelProof } from '../channel/channel-proof';
import type { CertificateRequest } from '../request';

/** Names of the sources that are part of peercert. */
export const presetNames = [
  'alb',
  'apache',
  'caddy',
  'cloudflare',
  'cloudfront',
  'envoy',
  'haproxy',
  'native-tls',
  'nginx',
  'rfc9440',
  'traefik',
] as const;

/** Name of a source that is part of peercert. */
export type PresetName = (typeof presetNames)[number];

/** Where client certificates come from, and what proves that they may be believed. */
export interface Source {
  /** Stands in every identity it leads to: the name of a preset, or one of your own, see `headerSource`. */
  // oxlint-disable-next-line typescript/ban-types -- keeps the names of presets in completions
  readonly name: PresetName | (string & {});
  /** What proves that whoever sends the certificates may. */
  readonly channel: ChannelProof;
  /**
   * What whoever sends the certificates has proven before: nothing, possession of the private key, or the path to a trust
   * anchor as well. A declaration, for people: no check is left out because of it.
   */
  readonly proxyProves: 'nothing' | 'possession' | 'path';
  /** Most octets of header fields the proxy sends in one request; 0 where there is no proxy. */
  readonly maxHeaderBytes: number;
  /** Lower-case names of the fields the source reads. Handlers do not see them. */
  readonly fields: readonly string[];
  /**
   * Finds what the request carries, without decoding it. Done for every request.
   *
   * @returns undefined when no certificate was presented.
   * @throws {ClientCertificateError} for a request that carries it in a wrong or ambiguous way.
   */
  collect(request: CertificateRequest): Presented | undefined;
}

/** What a proxy wrote into header fields, not yet decoded. */
export interface Forwarded {
  /**
   * What the other certificates were written as: equal words, equal certificates. Undefined where nothing was written, or
   * where it stands in one text with the end-entity certificate.
   */
  readonly chainText?: string | undefined;
  /**
   * DER of the certificates behind the end-entity certificate. Not asked where the text is known.
   *
   * @throws {ClientCertificateError} when the text is malformed.
   */
  decodeChain(): readonly Uint8Array[];
  /**
   * DER of the end-entity certificate, in memory of its own: it is kept. Asked once per key.
   *
   * @throws {ClientCertificateError} when the text is malformed.
   */
  decodeEndEntity(): Uint8Array;
}

/** What a client presented, not yet decoded. */
export interface Presented extends Forwarded {
  /** Equal exactly when the same was presented in the same words: see {@link verdictKey}. */
  readonly key: string;
}

/**
 * SHA-256 over length-prefixed parts, so that no two lists of parts have the same key, as 32 latin1 characters.
 *
 * @param parts - The source's name, then everything that decides the verdict.
 */
export function verdictKey(parts: readonly string[]): string {
  let text = '';
  for (const part of parts) text += `${part.length}:${part}`;
  return hash('sha256', text, 'binary');
}
