import { channel } from 'node:diagnostics_channel';
import { hash } from 'node:crypto';
import type { ChannelEvidence } from './channel/channel-proof';
import { type ErrorCode, isRefusal } from './errors';
import { describe } from './options';
import type { Outcome } from './outcome';
import { type CertificateRequest, receivedHeaders } from './request';
import { isCertificateHeader } from './source/field-lines';
import type { Presented, Source } from './source/source';
import type { TrustStore } from './trust/trust-store';

/** Name of the `node:diagnostics_channel` that every outcome is published on. */
export const outcomeChannelName = 'peercert:outcome';

/**
 * One outcome, as flat attributes for logs, traces and metrics: names of OpenTelemetry and the Elastic Common Schema where
 * they have one, `clientcert.*` elsewhere. Holds no distinguished name unless `eventNames: 'include'` asks for it.
 */
export interface OutcomeEvent {
  /** Always the same: tells these events from others. */
  readonly 'event.name': 'clientcert.verify';
  /** `unknown` for an anonymous request. */
  readonly 'event.outcome': 'success' | 'failure' | 'unknown';
  /** What became of the request, in the words of {@link Outcome}. */
  readonly 'clientcert.status': Outcome['status'];
  /** With `report-only`, a rejected request went on all the same. */
  readonly 'clientcert.enforcement': 'enforce' | 'report-only';
  /** Where the certificate came from, or would have come from. */
  readonly 'clientcert.source': Source['name'];
  /** Absent when the channel was not proven. */
  readonly 'clientcert.channel.proof'?: string;
  /** Which of the secrets of `sharedSecret` it was, counting from 0: tells when an old one is no longer in use. */
  readonly 'clientcert.channel.secret'?: number;
  /** SHA-256 of the proxy's own certificate, in upper-case hexadecimal: tells when an old one is no longer in use. */
  readonly 'clientcert.channel.hash.sha256'?: string;
  /** Whether the verdict was remembered; `none` where no verdict was needed. */
  readonly 'clientcert.cache.result': 'hit' | 'miss' | 'none';
  /** Which generation of a reloading trust store was asked; 0 for a store that is not reloaded. */
  readonly 'clientcert.trust.generation'?: number;
  /** The trust domain, where there are several: see `createTrustDomains`. */
  readonly 'clientcert.trust.domain'?: string;
  /** Seconds. */
  readonly 'clientcert.verification.duration': number;
  /** The code of the refusal. */
  readonly 'error.type'?: string;
  /** Why the channel is not trusted, what is malformed, or why its issuer has revoked the certificate. */
  readonly 'clientcert.reason'?: string;
  /** What a malformed header looks like, where it looks like another proxy's: which source may be the right one. */
  readonly 'clientcert.hint'?: string;
  /**
   * What is known of revocation, the worst of the path: `revoked` and `denied` refuse, `unknown` refuses or is accepted as
   * the policy says. Absent where nobody was asked, and where something else refused.
   */
  readonly 'clientcert.revocation.status'?: 'good' | 'short-lived' | 'unknown' | 'revoked' | 'denied';
  /** SHA-256 of the presented certificate, in upper-case hexadecimal as OpenTelemetry has it. */
  readonly 'tls.client.hash.sha256'?: string;
  /** `X-Amz-Cf-Id`: leads through CloudFront's access log to its connection log. */
  readonly 'http.request.id'?: string;
  /** Certificate headers that arrived and that the source does not read. */
  readonly 'clientcert.ignored_headers'?: readonly string[];
  /** RFC 4514 text. Only of an authenticated request, and with `eventNames: 'include'`. */
  readonly 'tls.client.subject'?: string;
  /** RFC 4514 text, as `tls.client.subject`. */
  readonly 'tls.client.issuer'?: string;
}

/** Called after each outcome. What it returns, throws or takes long over changes no verdict. */
export type OutcomeListener = (event: OutcomeEvent) => unknown;

/** What happened on the way to an outcome. */
export interface Trace {
  presented: Presented | undefined;
  cache: 'hit' | 'miss' | 'none';
  trust: TrustStore | undefined;
}

export interface OutcomeReporterOptions {
  readonly source: Source;
  readonly enforcement: 'enforce' | 'report-only';
  readonly onOutcome: OutcomeListener | undefined;
  readonly eventNames: 'include' | 'omit';
  readonly trustDomain?: string | undefined;
}

const outcomeChannel = channel(outcomeChannelName);

/** Longest request id that is passed on; CloudFront's have 56 characters. */
const maxRequestIdLength = 128;

/** Tells whoever listens what became of each request. Where nobody does, it costs one comparison. */
export class OutcomeReporter {
  readonly #options: OutcomeReporterOptions;

  constructor(options: OutcomeReporterOptions) {
    this.#options = options;
  }

  get isHeard(): boolean {
    return this.#options.onOutcome !== undefined || outcomeChannel.hasSubscribers;
  }

  /** @param started - On the monotonic clock, in milliseconds. */
  report(request: CertificateRequest, outcome: Outcome, trace: Trace, started: number): void {
    try {
      const event = this.#describe(request, outcome, trace, (performance.now() - started) / 1000);
      outcomeChannel.publish(event);
      const answer = this.#options.onOutcome?.(event);
      if (answer instanceof Promise) answer.catch(warnOnce);
    } catch (error) {
      warnOnce(error);
    }
  }

  #describe(request: CertificateRequest, outcome: Outcome, trace: Trace, seconds: number): OutcomeEvent {
    const { source, enforcement, eventNames, trustDomain } = this.#options;
    const error = outcome.status === 'rejected' ? outcome.error : undefined;
    const identity = outcome.status === 'authenticated' ? outcome.identity : undefined;
    const attributes: Record<keyof OutcomeEvent, unknown> = {
      'event.name': 'clientcert.verify',
      'event.outcome': eventOutcomes[outcome.status],
      'clientcert.status': outcome.status,
      'clientcert.enforcement': enforcement,
      'clientcert.source': source.name,
      'clientcert.channel.proof': outcome.channel?.proof,
      ...channelAttributes(outcome.channel),
      'clientcert.cache.result': trace.cache,
      'clientcert.trust.generation': trace.trust?.generation,
      'clientcert.trust.domain': trustDomain,
      'clientcert.verification.duration': seconds,
      'error.type': error?.code,
      'clientcert.reason': (error?.details as { reason?: string } | undefined)?.reason,
      'clientcert.hint': isRefusal(error, 'ERR_HEADER_MALFORMED') ? error.details.hint : undefined,
      'clientcert.revocation.status': revocationStatusOf(outcome),
      'tls.client.hash.sha256': identity?.certificateSha256.toUpperCase() ?? digestOf(trace.presented),
      'http.request.id': requestIdOf(request),
      'clientcert.ignored_headers': ignoredHeaders(request, [...source.fields, ...source.channel.consumedHeaders]),
      'tls.client.subject': eventNames === 'include' ? identity?.subject.toString() : undefined,
      'tls.client.issuer': eventNames === 'include' ? identity?.issuer.toString() : undefined,
    };
    return Object.freeze(present(attributes)) as unknown as OutcomeEvent;
  }
}

const eventOutcomes = { authenticated: 'success', anonymous: 'unknown', rejected: 'failure' } as const;

/** What tells one proxy, or one secret, from the next: of proofs in combination, of each that has some. */
function channelAttributes(
  proven: ChannelEvidence | undefined,
): Record<'clientcert.channel.secret' | 'clientcert.channel.hash.sha256', unknown> {
  const proofs = proven?.proof === 'all-of' ? proven.evidence.map(channelAttributes) : [];
  const all = Object.assign({}, ...proofs.map(present)) as Partial<OutcomeEvent>;
  return {
    'clientcert.channel.secret': proven?.proof === 'shared-secret' ? proven.secret : all['clientcert.channel.secret'],
    'clientcert.channel.hash.sha256':
      proven !== undefined && 'certificateSha256' in proven
        ? proven.certificateSha256.toUpperCase()
        : all['clientcert.channel.hash.sha256'],
  };
}

function present(attributes: object): object {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}

const refusedStatuses: { readonly [Code in ErrorCode]?: OutcomeEvent['clientcert.revocation.status'] } = {
  ERR_CERTIFICATE_REVOKED: 'revoked',
  ERR_CERTIFICATE_DENIED: 'denied',
  ERR_REVOCATION_UNAVAILABLE: 'unknown',
};

function revocationStatusOf(outcome: Outcome): OutcomeEvent['clientcert.revocation.status'] {
  if (outcome.status === 'rejected') return refusedStatuses[outcome.error.code];
  if (outcome.status === 'anonymous') return undefined;
  const statuses = outcome.revocation?.map(({ status }) => status) ?? [];
  return (['unknown', 'short-lived', 'good'] as const).find((status) => statuses.includes(status));
}

function digestOf(presented: Presented | undefined): string | undefined {
  try {
    return presented === undefined ? undefined : hash('sha256', presented.decodeEndEntity(), 'hex').toUpperCase();
  } catch {
    return undefined;
  }
}

function requestIdOf(request: CertificateRequest): string | undefined {
  const lines = receivedHeaders(request);
  const at = lines.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'x-amz-cf-id');
  // Only what can be an id: this goes into logs.
  const id = at === -1 ? undefined : /^[\w=+/.-]+$/.exec(lines[at + 1] ?? '')?.[0];
  return id?.slice(0, maxRequestIdLength);
}

function ignoredHeaders(request: CertificateRequest, read: readonly string[]): readonly string[] | undefined {
  const names = receivedHeaders(request).filter((_, index) => index % 2 === 0);
  const ignored = new Set(names.map((name) => name.toLowerCase()).filter((name) => isCertificateHeader(name)));
  for (const name of read) ignored.delete(name);
  return ignored.size === 0 ? undefined : Object.freeze([...ignored]);
}

let warned = false;

function warnOnce(error: unknown): void {
  if (warned) return;
  warned = true;
  const detail = error instanceof Error ? error.message : describe(error);
  process.emitWarning(`A listener of outcomes failed: ${detail}`, {
    type: 'PeercertWarning',
    code: 'PEERCERT_LISTENER',
  });
}
