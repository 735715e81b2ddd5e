import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { TrustStore } from '@peercert/core';
import type { ClientCertFieldOptions, FieldLine } from './client-cert-fields';
import { type ViewerCertHeaderName, viewerCertHeaderNames, viewerCertPrefix } from './viewer-cert-fields';

/** Options of {@link createEdge}. Those marked "AWS does not document" choose between behaviours CloudFront may have. */
export interface EdgeOptions extends ClientCertFieldOptions {
  /**
   * Origin to forward to: scheme `https:` or `http:`, host and port, e.g. `https://localhost:8443`. No path, query or
   * credentials.
   */
  readonly origin: string | URL;
  /** Server certificate shown to viewers, and its private key. PEM; `cert` may continue with intermediates. */
  readonly tls: { readonly key: string | Buffer; readonly cert: string | Buffer };
  /**
   * What is asked of viewers. `'passthrough'` lets everyone in, forwards whatever certificates they present and judges none.
   * `'required'` and `'optional'` validate certificates against `trust` and close the connection of a viewer with a bad one,
   * and for `'required'` of one without; they describe the end-entity certificate in `CloudFront-Viewer-Cert-*` and forward
   * no `Client-Cert`. Default `'passthrough'`.
   */
  readonly mode?: 'passthrough' | 'required' | 'optional';
  /**
   * Trust store of the modes `'required'` and `'optional'`, where it is mandatory: issuers of client certificates, as a
   * TrustStore of `@peercert/core` or in PEM. In passthrough mode a distribution must have zero trust store associations.
   */
  readonly trust?: TrustStore | string | Buffer;
  /**
   * Which of `Client-Cert` and `Client-Cert-Chain` the origin request policy lists. The others do not reach the origin: a
   * shorter list is the most common mistake in setting up passthrough mode. Passthrough mode only; default both.
   */
  readonly clientCertHeaders?: readonly string[];
  /**
   * Which `CloudFront-Viewer-Cert-*` fields the origin request policy lists, in any letter case. Passthrough mode knows no
   * `CloudFront-Viewer-Cert-Pem`. Default none in passthrough mode, otherwise all seven.
   */
  readonly viewerCertHeaders?: readonly string[];
  /**
   * What happens to certificate fields that a viewer made up and this edge does not write: `Client-Cert` and
   * `Client-Cert-Chain` outside passthrough mode, and all `CloudFront-Viewer-Cert-*` when `viewerCertHeaders` is empty.
   * `'forward'` treats them as any unknown field, `'drop'` takes them away. Default `'forward'`, the worse for an origin.
   *
   * AWS does not document this. It documents that passthrough mode drops the former, which the edge always does.
   */
  readonly forgedCertHeaders?: 'forward' | 'drop';
  /** The TLS connection to the origin. Only with an `https:` origin. */
  readonly originTls?: OriginTlsOptions;
  /**
   * Origin custom headers, e.g. a secret that tells the origin whose distribution is calling. Each replaces whatever
   * the viewer sent under that name. CloudFront's quotas hold: at most 30, names of at most 256 and values of at most
   * 1783 characters. Names that CloudFront refuses to add (such as `Host`, `Via` or `X-Amz-*`) are refused. Default none.
   */
  readonly originHeaders?: Readonly<Record<string, string>>;
  /**
   * `Host` field towards the origin: `'origin'` as with the managed policy AllViewerExceptHostHeader, `'viewer'` as with
   * AllViewer. `'viewer'` also sends the viewer's host as TLS server name, and the origin's certificate has to match it
   * or the host of `origin`. Default `'origin'`.
   */
  readonly host?: 'origin' | 'viewer';
  /** `User-Agent` field: the viewer's, or `Amazon CloudFront` in its place. Default `'forward'`. */
  readonly userAgent?: 'forward' | 'replace';
  /**
   * What happens to a viewer that presents more than four certificates: `'refuse-connection'` closes its connection after
   * the TLS handshake without an answer, `'truncate'` forwards the first four. Default `'refuse-connection'`.
   *
   * AWS does not document this. It documents that at most four are forwarded, and CloudFront's connection log has a code
   * ClientCertMaxChainDepthExceeded, which suggests a refusal.
   */
  readonly chainTooDeep?: 'refuse-connection' | 'truncate';
}

/** The TLS connection from the edge to the origin. */
export interface OriginTlsOptions {
  /** PEM certificates that vouch for the origin's certificate. Default: the public roots that Node carries. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[];
  /**
   * Certificate of the edge (origin mTLS), PEM, with intermediates behind it. Presented when the origin asks for one; an
   * origin that does not ask is connected to all the same. Needs `key`. Default none.
   */
  readonly cert?: string | Buffer;
  /** Private key of `cert`, PEM. */
  readonly key?: string | Buffer;
  /** Name to ask for and to find in the origin's certificate. Default: the host of the `Host` field. */
  readonly servername?: string;
  /**
   * TLS sessions remembered for resumption towards the origin. A non-negative integer; default 0: every connection is a
   * full handshake.
   *
   * AWS does not document whether CloudFront resumes sessions with origins.
   */
  readonly maxCachedSessions?: number;
}

/** Options after judgement: complete, and nothing in them can fail later. */
export interface EdgeSettings extends Required<ClientCertFieldOptions> {
  readonly origin: URL;
  readonly tls: EdgeOptions['tls'];
  readonly mode: 'passthrough' | 'required' | 'optional';
  /** `undefined` in passthrough mode, and in no other. */
  readonly trust: TrustStore | undefined;
  readonly clientCertHeaders: readonly ClientCertHeaderName[];
  readonly viewerCertHeaders: readonly ViewerCertHeaderName[];
  /** Whether a field that the viewer sent under this name, in lower case, is kept from the origin as a forgery. */
  readonly isForged: (name: string) => boolean;
  /** `undefined` for an `http:` origin. */
  readonly originTls:
    | { readonly secureContext: SecureContext; readonly servername?: string; readonly maxCachedSessions: number }
    | undefined;
  readonly originHeaders: readonly FieldLine[];
  readonly host: 'origin' | 'viewer';
  readonly userAgent: 'forward' | 'replace';
  readonly chainTooDeep: 'refuse-connection' | 'truncate';
}

const clientCertHeaderNames = ['Client-Cert', 'Client-Cert-Chain'] as const;

type ClientCertHeaderName = (typeof clientCertHeaderNames)[number];

/** Quotas of CloudFront on origin custom headers. */
const originHeaderQuota = { count: 30, nameLength: 256, valueLength: 1783 };

/** Custom headers CloudFront's guide says it cannot add, besides the prefixes `X-Amz-` and `X-Edge-`. */
const refusedOriginHeaders = new Set(
  (
    'cache-control connection content-length cookie host if-match if-modified-since if-none-match if-range ' +
    'if-unmodified-since max-forwards pragma proxy-authenticate proxy-authorization proxy-connection range ' +
    'request-range te trailer transfer-encoding upgrade via x-real-ip'
  ).split(' '),
);

/**
 * Judges the options of an edge.
 *
 * @throws TypeError or RangeError that says what was received and what to pass instead.
 */
export function resolveOptions(options: EdgeOptions): EdgeSettings {
  checkMembers('The argument of createEdge', options, [
    'origin',
    'tls',
    'mode',
    'trust',
    'clientCertHeaders',
    'viewerCertHeaders',
    'forgedCertHeaders',
    'originTls',
    'originHeaders',
    'host',
    'userAgent',
    'chainTooDeep',
    'chainFieldLines',
    'presentedRoot',
  ]);
  const origin = resolveOrigin(options.origin);
  const certificates = resolveCertificates(options);
  return {
    origin,
    tls: resolveServerTls(options.tls),
    ...certificates,
    originTls: resolveOriginTls(origin, options.originTls),
    originHeaders: resolveOriginHeaders(options.originHeaders ?? {}, certificates.viewerCertHeaders.length > 0),
    host: oneOf('host', options.host, ['origin', 'viewer']),
    userAgent: oneOf('userAgent', options.userAgent, ['forward', 'replace']),
    chainTooDeep: oneOf('chainTooDeep', options.chainTooDeep, ['refuse-connection', 'truncate']),
    chainFieldLines: oneOf('chainFieldLines', options.chainFieldLines, ['one', 'one-per-certificate']),
    presentedRoot: oneOf('presentedRoot', options.presentedRoot, ['forward', 'omit']),
  };
}

function checkMembers(name: string, value: unknown, known: readonly string[]): void {
  checkObject(name, value);
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new TypeError(`${name} has no member "${unknown}", only ${known.join(', ')}`);
}

function checkObject(name: string, value: unknown): asserts value is object {
  if (typeof value !== 'object' || value === null)
    throw new TypeError(`${name} is an object, received ${String(value)}`);
}

/** The first word is the default. */
function oneOf<Word extends string>(name: string, value: Word | undefined, words: readonly [Word, ...Word[]]): Word {
  if (value === undefined) return words[0];
  if (words.includes(value)) return value;
  throw new TypeError(`${name} is ${words.map((word) => `"${word}"`).join(' or ')}, received "${value}"`);
}

function resolveOrigin(value: unknown): URL {
  const text = String(value);
  if (!URL.canParse(text)) throw new TypeError(`origin is a URL such as "https://localhost:8443", received ${text}`);
  const origin = new URL(text);
  if (origin.protocol !== 'https:' && origin.protocol !== 'http:') {
    throw new TypeError(`origin is an https: or http: URL, received ${origin.protocol}`);
  }
  if (origin.href !== `${origin.origin}/`) {
    throw new TypeError(`origin is a scheme, a host and a port and nothing else: pass "${origin.origin}"`);
  }
  return origin;
}

/** What is asked of viewers, and what the origin hears of them. */
function resolveCertificates(
  options: EdgeOptions,
): Pick<EdgeSettings, 'mode' | 'trust' | 'clientCertHeaders' | 'viewerCertHeaders' | 'isForged'> {
  const mode = oneOf('mode', options.mode, ['passthrough', 'required', 'optional']);
  const isPassthrough = mode === 'passthrough';
  const pointless = (['clientCertHeaders', 'chainFieldLines', 'presentedRoot'] as const).find((name) => {
    return !isPassthrough && options[name] !== undefined;
  });
  if (pointless !== undefined) {
    throw new TypeError(`${pointless} has no meaning in mode "${mode}", which forwards no Client-Cert: leave it out`);
  }
  const describing = viewerCertHeaderNames.filter((name) => !isPassthrough || name !== 'CloudFront-Viewer-Cert-Pem');
  const viewerCertHeaders = namesOf('viewerCertHeaders', options.viewerCertHeaders, describing, !isPassthrough);
  const dropsForged = oneOf('forgedCertHeaders', options.forgedCertHeaders, ['forward', 'drop']) === 'drop';
  const isForged = (name: string): boolean => {
    if (name === 'client-cert' || name === 'client-cert-chain') return isPassthrough || dropsForged;
    return name.startsWith(viewerCertPrefix) && (viewerCertHeaders.length > 0 || dropsForged);
  };
  return {
    mode,
    trust: resolveTrust(mode, options.trust),
    clientCertHeaders: namesOf('clientCertHeaders', options.clientCertHeaders, clientCertHeaderNames, isPassthrough),
    viewerCertHeaders,
    isForged,
  };
}

function resolveTrust(mode: EdgeSettings['mode'], trust: EdgeOptions['trust']): TrustStore | undefined {
  if (mode === 'passthrough') {
    if (trust === undefined) return undefined;
    throw new TypeError('trust has no place in mode "passthrough", which must have zero trust store associations');
  }
  if (trust instanceof TrustStore) return trust;
  if (typeof trust !== 'string' && !Buffer.isBuffer(trust)) {
    throw new TypeError(`trust is needed in mode "${mode}": a TrustStore or PEM of the issuers of client certificates`);
  }
  try {
    return TrustStore.fromPem(trust);
  } catch (cause) {
    throw new TypeError(`trust is no trust store: ${messageOf(cause)}`, { cause });
  }
}

/** Header names in any letter case, as `known` spells them. Left out, they are all of `known` or none. */
function namesOf<Name extends string>(
  option: string,
  given: readonly string[] | undefined,
  known: readonly Name[],
  allByDefault: boolean,
): readonly Name[] {
  if (given === undefined) return allByDefault ? known : [];
  if (!Array.isArray(given)) throw new TypeError(`${option} is an array of header names, received ${String(given)}`);
  return given.map((name: unknown) => {
    const found = known.find((one) => one.toLowerCase() === String(name).toLowerCase());
    if (found !== undefined) return found;
    throw new TypeError(`${option} knows ${known.join(', ')}; received "${String(name)}"`);
  });
}

function resolveServerTls(tls: EdgeOptions['tls'] | undefined): EdgeOptions['tls'] {
  checkMembers('tls', tls, ['key', 'cert']);
  if (!tls?.key || !tls.cert) throw new TypeError('tls needs both key and cert, as PEM: what viewers see as server');
  checkedContext('tls', tls);
  return { key: tls.key, cert: tls.cert };
}

function resolveOriginTls(origin: URL, given: OriginTlsOptions | undefined): EdgeSettings['originTls'] {
  if (origin.protocol === 'http:') {
    if (given !== undefined) throw new TypeError('originTls has no meaning for an http: origin: leave it out');
    return undefined;
  }
  const originTls = given === undefined ? {} : given;
  checkMembers('originTls', originTls, ['ca', 'cert', 'key', 'servername', 'maxCachedSessions']);
  const { ca, cert, key, servername, maxCachedSessions = 0 } = originTls;
  if ((cert === undefined) !== (key === undefined)) {
    throw new TypeError('originTls needs both cert and key, to present a certificate to the origin, or neither');
  }
  if (servername !== undefined && (typeof servername !== 'string' || servername === '')) {
    throw new TypeError(`originTls.servername is a host name, received ${JSON.stringify(servername)}`);
  }
  if (!Number.isSafeInteger(maxCachedSessions) || maxCachedSessions < 0) {
    throw new RangeError(`originTls.maxCachedSessions is a non-negative integer, received ${maxCachedSessions}`);
  }
  const secureContext = checkedContext('originTls', {
    ...(ca !== undefined && { ca: resolveAnchors(ca) }),
    ...(cert !== undefined && key !== undefined && { cert, key }),
  });
  return { secureContext, maxCachedSessions, ...(servername !== undefined && { servername }) };
}

/** Node ignores what it cannot read in `ca` and takes an empty one for the public roots: both would surprise. */
function resolveAnchors(ca: NonNullable<OriginTlsOptions['ca']>): (string | Buffer)[] {
  const anchors = typeof ca === 'string' || Buffer.isBuffer(ca) ? [ca] : [...ca];
  if (anchors.length === 0) throw new TypeError('originTls.ca is empty: leave it out to use the public roots');
  for (const anchor of anchors) {
    try {
      if (!anchor.includes('-----BEGIN ')) throw new TypeError('not PEM');
      void new X509Certificate(anchor);
    } catch (cause) {
      throw new TypeError('originTls.ca holds something that is not a PEM certificate', { cause });
    }
  }
  return anchors;
}

function checkedContext(name: string, material: Parameters<typeof createSecureContext>[0]): SecureContext {
  try {
    return createSecureContext(material);
  } catch (cause) {
    throw new TypeError(`${name}: cert and key are not a PEM certificate and its private key (${messageOf(cause)})`, {
      cause,
    });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function resolveOriginHeaders(headers: Readonly<Record<string, string>>, writesViewerCert: boolean): FieldLine[] {
  checkObject('originHeaders', headers);
  const lines = Object.entries(headers);
  if (lines.length > originHeaderQuota.count) {
    throw new RangeError(`originHeaders holds at most ${originHeaderQuota.count} headers, received ${lines.length}`);
  }
  const seen = new Set<string>();
  for (const [name, value] of lines) {
    const key = name.toLowerCase();
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) {
      throw new TypeError(`originHeaders ${JSON.stringify(name)}: not a header name, use letters, digits and hyphens`);
    }
    if (typeof value !== 'string' || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      throw new TypeError(`originHeaders "${name}": the value is a string without control characters`);
    }
    if (name.length > originHeaderQuota.nameLength || value.length > originHeaderQuota.valueLength) {
      const { nameLength, valueLength } = originHeaderQuota;
      throw new RangeError(
        `originHeaders "${name}": at most ${nameLength} characters, and ${valueLength} in its value`,
      );
    }
    if (refusedOriginHeaders.has(key) || key.startsWith('x-amz-') || key.startsWith('x-edge-')) {
      throw new TypeError(`originHeaders "${name}": CloudFront does not add this header, choose another name`);
    }
    // AWS does not document who wins; an edge that let this through would show one viewer's certificate for all.
    const isWritten = writesViewerCert && key.startsWith(viewerCertPrefix);
    if (key === 'client-cert' || key === 'client-cert-chain' || isWritten) {
      throw new TypeError(`originHeaders "${name}": the edge writes this field from the viewer's TLS handshake`);
    }
    if (seen.has(key)) throw new TypeError(`originHeaders "${name}" is there twice, in different letter case`);
    seen.add(key);
  }
  return lines;
}
