import type { ChannelProof } from '../channel/channel-proof';
import { isAlbHeader } from '../channel/alb-verified';
import { ClientCertificateError, isRefusal } from '../errors';
import { checkInteger, checkOptions, describe } from '../options';
import type { CertificateRequest } from '../request';
import { type Dialect, dialectOf } from './dialect';
import { createFieldCollector, type FieldLines, isCertificateHeader } from './field-lines';
import { type Forwarded, type PresetName, presetNames, type Presented, type Source, verdictKey } from './source';

/** What every source of forwarded certificates takes. */
export interface ForwardingOptions {
  /** What proves that the request came through your own proxy: `originMtls(...)`, `sharedSecret(...)`, or both. */
  readonly channel: ChannelProof;
  /**
   * What to do with a request that also carries a certificate header of another proxy's scheme, such as
   * `X-Forwarded-Client-Cert`. They are never read. Default `'ignore'`, because proxies pass on whatever headers their
   * clients send.
   */
  readonly otherCertificateHeaders?: 'ignore' | 'reject';
}

/** What {@link headerSource} takes. */
export interface HeaderSourceOptions extends ForwardingOptions {
  /** Stands in every identity and event: lower-case letters, digits and hyphens; not the name of a preset. */
  readonly name: string;
  /** Names of the fields that are read, in any letter case, without underscores. At least one. */
  readonly fields: readonly string[];
  /** Most octets of header fields the proxy sends in one request: an integer from 1 to 1,048,576. */
  readonly maxHeaderBytes: number;
  /** Certificate headers the proxy writes too, which are not read: never unexpected. Default none. */
  readonly companions?: readonly string[];
  /** What the proxy has proven: a declaration, see {@link Source}. Default `'nothing'`. */
  readonly proxyProves?: Source['proxyProves'];
  /**
   * Reads the field lines of one request, for each of `fields` those that arrived, or undefined. Called for every request,
   * so it should look at the lines and leave decoding to what it returns. The verdict depends on nothing but the lines.
   *
   * @returns undefined when no certificate was presented.
   * @throws {ClientCertificateError} for lines that are wrong.
   */
  readonly read: (lines: FieldLines) => Forwarded | undefined;
}

/** A source that is part of peercert. */
export interface PresetOptions extends HeaderSourceOptions {
  readonly name: PresetName | (string & {});
  /** The function that the user calls. */
  readonly owner: string;
  /** What stands in front of the origin. */
  readonly proxy?: string;
  /** How the proxy writes certificates, for hints. */
  readonly dialect?: Dialect | 'the format of your CloudFront Function';
}

const ownOptions = [
  'channel',
  'companions',
  'fields',
  'maxHeaderBytes',
  'name',
  'otherCertificateHeaders',
  'proxyProves',
  'read',
];
const proofs: ReadonlySet<unknown> = new Set(['nothing', 'possession', 'path']);

/** Names of the options every source of forwarded certificates has. */
export const forwardingOptionNames: readonly string[] = ['channel', 'otherCertificateHeaders'];

/** Names that HTTP itself, or a server, gives a meaning: none can carry a certificate. */
const reservedNames: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * A source of your own, for a proxy that none of the others is for. Everything that is the same for all of them is done
 * here: the channel is asked first, fields are collected from the lines as they arrived, look-alikes and a `Connection` that
 * names a field are refused, verdicts are remembered by everything that was read, and handlers see none of the fields.
 *
 * What is left is to read: which line is the certificate, and how it is written.
 *
 * @throws {TypeError} without a channel proof, or with one that proves too little by itself, for names that are not header
 *   names, that occur twice, or that the channel proof consumes; {@link RangeError} for `maxHeaderBytes`.
 */
export function headerSource(options: HeaderSourceOptions): Source {
  checkOptions('headerSource', options, ownOptions);
  const { name, fields, read, proxyProves } = options;
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9-]{0,62}$/.test(name) || isPresetName(name)) {
    throw new TypeError(
      'headerSource needs name, lower-case letters, digits and hyphens, and not the name of a preset.',
    );
  }
  if (!Array.isArray(fields) || fields.length === 0) {
    throw new TypeError(
      `headerSource needs fields, a non-empty array of header names; it received ${describe(fields)}.`,
    );
  }
  if (typeof read !== 'function') {
    throw new TypeError(`headerSource needs read, a function; it received ${describe(read)}.`);
  }
  if (proxyProves !== undefined && !proofs.has(proxyProves)) {
    throw new TypeError("proxyProves must be 'nothing', 'possession' or 'path'.");
  }
  return createHeaderSource({ ...options, owner: 'headerSource' });
}

/** What {@link headerSource} does, for presets, which have checked their own options. */
export function createHeaderSource(options: PresetOptions): Source {
  const { owner, name, channel, maxHeaderBytes, read, proxy = 'proxy', dialect } = options;
  const { otherCertificateHeaders = 'ignore', proxyProves = 'nothing', companions = [] } = options;
  const fields: readonly string[] = Object.freeze(options.fields.map((field) => headerName('fields', field)));
  checkChannel(owner, channel, proxy);
  const clash = channel.consumedHeaders.find((header) => fields.includes(header));
  if (clash !== undefined) {
    throw new TypeError(`The channel proof cannot use ${clash}: the source reads it. Choose another name.`);
  }
  const repeated = fields.find((field, index) => fields.indexOf(field) !== index);
  if (repeated !== undefined) throw new TypeError(`${owner} was given ${repeated} for two of its headers.`);
  if (otherCertificateHeaders !== 'ignore' && otherCertificateHeaders !== 'reject') {
    throw new TypeError("otherCertificateHeaders must be 'ignore' or 'reject'.");
  }
  checkInteger('maxHeaderBytes', maxHeaderBytes, 1, 1_048_576);
  const collectFieldLines = createFieldCollector({
    fields,
    guarded: channel.consumedHeaders,
    companions: companions.map((companion) => headerName('companions', companion)),
    otherCertificateHeaders,
  });

  function explained(error: unknown, lines: FieldLines): unknown {
    if (dialect === undefined || !isRefusal(error, 'ERR_HEADER_MALFORMED')) return error;
    const { header } = error.details;
    const found = dialectOf(lines[fields.indexOf(header)]?.[0] ?? '');
    if (found === undefined || found === dialect) return error;
    const hint = `looks like ${found}; the source reads ${dialect}`;
    return new ClientCertificateError('ERR_HEADER_MALFORMED', { ...error.details, hint });
  }

  function forwardedIn(lines: FieldLines): Forwarded | undefined {
    try {
      return read(lines);
    } catch (error) {
      throw explained(error, lines);
    }
  }

  return Object.freeze({
    name,
    channel,
    proxyProves,
    maxHeaderBytes,
    fields,
    collect(request: CertificateRequest): Presented | undefined {
      const lines = collectFieldLines(request);
      const forwarded = forwardedIn(lines);
      if (forwarded === undefined) return undefined;
      return {
        key: keyOf(name, lines),
        chainText: forwarded.chainText,
        decodeChain() {
          try {
            return forwarded.decodeChain();
          } catch (error) {
            throw explained(error, lines);
          }
        },
        decodeEndEntity() {
          try {
            return forwarded.decodeEndEntity();
          } catch (error) {
            throw explained(error, lines);
          }
        },
      };
    },
  } satisfies Source);
}

/** How many lines each field has, and what they say: whatever can decide a verdict. */
function keyOf(name: string, lines: FieldLines): string {
  const parts = [name];
  for (const values of lines) {
    if (values === undefined) parts.push('0');
    else if (values.length === 1) parts.push('1', values[0] as string);
    else parts.push(String(values.length), ...values);
  }
  return verdictKey(parts);
}

/**
 * A header name given as an option, in lower case.
 *
 * @param fallback - The name where the option is left out.
 * @throws {TypeError} for anything else. Underscores are refused because some software takes them for hyphens.
 */
export function headerName(option: string, given: unknown, fallback?: string): string {
  const value = given === undefined ? fallback : given;
  if (typeof value !== 'string' || !/^[!#$%&'*+\-.^`|~0-9A-Za-z]+$/.test(value)) {
    throw new TypeError(`${option} must be a header name without underscores; it received ${quoted(value)}.`);
  }
  const name = value.toLowerCase();
  if (reservedNames.has(name)) throw new TypeError(`${option} cannot be ${name}: it has a meaning of its own.`);
  return name;
}

function isPresetName(name: string): boolean {
  return (presetNames as readonly string[]).includes(name);
}

function quoted(value: unknown): string {
  return typeof value === 'string' ? `\`${value}\`` : describe(value);
}

function checkChannel(owner: string, channel: ChannelProof, proxy: string): void {
  if (typeof channel?.prove !== 'function') {
    throw new TypeError(
      `${owner} needs channel, a proof that requests come through your ${proxy}: originMtls({ trust, dnsNames }) ` +
        `or sharedSecret({ header, secrets }); it received ${describe(channel)}.`,
    );
  }
  const clash = channel.consumedHeaders.find((header) => isCertificateHeader(header) && !isAlbHeader(header));
  if (clash !== undefined) {
    throw new TypeError(`The channel proof cannot use ${clash}: it is a certificate header. Choose another name.`);
  }
  if (!channel.isSufficient) {
    throw new TypeError(
      `${owner} needs a channel proof of your own ${proxy}. Public addresses prove only that a request came from ` +
        "somebody's: combine them, allOf(trustedAddresses(...), sharedSecret(...)).",
    );
  }
}
