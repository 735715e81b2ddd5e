import type { Readable, Writable } from 'node:stream';
import type { FieldLine } from './client-cert-fields';

/** One request of a viewer and the way to answer it, in whatever version of HTTP the viewer speaks. */
export interface Exchange {
  readonly method: string;
  /** The request target as the viewer sent it. Empty when it sent none. */
  readonly target: string;
  /** The host the viewer asked for, from `Host` or `:authority`. */
  readonly host: string | undefined;
  /** As received, in order, hop-by-hop fields included, pseudo-header fields not. */
  readonly fieldLines: readonly FieldLine[];
  /** Whether there is a body, and its length in octets where the viewer announced one. */
  readonly content: Content;
  /** Address of the viewer, without a port. */
  readonly viewerAddress: string;
  readonly body: Readable;
  /** Takes the body of the response, after {@link respond}. */
  readonly response: Writable;
  /** Whether {@link respond} comes too late: there is a response already, or nobody left to read it. */
  readonly isAnswered: boolean;
  /**
   * Sends the head of the response, at once.
   *
   * @param reason - Reason phrase; not every version of HTTP has one.
   * @throws What Node throws for a head it cannot write; another one can be tried.
   */
  respond(status: number, reason: string, fieldLines: readonly FieldLine[]): void;
  /** Has the connection closed when the response, whose head is not sent yet, is complete. */
  closeAfterResponse(): void;
  /** Calls `listener` when the viewer gives up before the exchange is complete, until the function returned is called. */
  onceAbandoned(listener: () => void): () => void;
}

/** How a request frames its body. `'unknown'` is a transfer coding the edge does not know. */
export type Content = 'none' | 'of unknown length' | { readonly length: string } | 'unknown';
