import { isIP } from 'node:net';
import { checkInteger, checkOptions, describe } from '../options';
import { octetsOfAddress, textOfAddress } from '../x509/general-names';
import { foldTextFurther, rdnKeysOf } from '../x509/name';
import { foldHost, foldMailbox, maxSubtrees, type NameConstraints, type Subtree } from '../x509/name-constraints';
import { parseName, parseOid } from '../x509/name-text';
import { oid } from '../x509/oid';

/**
 * Names of one kind or another, as {@link AnchorConstraints} permits or excludes them. A kind that is given has at least one
 * name. In `excludedNames`, `''` is every name of its kind, but for addresses, of which `0.0.0.0/0` and `::/0` are all.
 */
export interface ConstrainedNames {
  /** `example.com` is that host and every host below it; `.example.com` only those below. Letter case does not count. */
  readonly dns?: readonly string[];
  /** `alice@example.com` is a mailbox, `example.com` every mailbox at that host, `.example.com` at the hosts below. */
  readonly email?: readonly string[];
  /**
   * Hosts of URIs: `example.com` is that host alone, `.example.com` every host below it. A URI without a host name, such as a
   * URN, is refused wherever URIs are constrained.
   */
  readonly uri?: readonly string[];
  /** Addresses with their prefix length: `10.0.0.0/8`, `2001:db8::/32`. Those of the other version are none of them. */
  readonly ip?: readonly string[];
  /**
   * Subjects, and directoryNames, that begin so: RFC 4514 text without spaces around commas, most general part last. Of
   * `O=Partner,C=NL` the C comes first, and the O right after it.
   */
  readonly directory?: readonly string[];
}

/**
 * What the operator holds a trust anchor to, besides what its own certificate says (RFC 5280 section 6.2, RFC 5937). All of
 * it holds whatever `rules.anchor` says.
 */
export interface AnchorConstraints {
  /**
   * Names certificates below the anchor may have. Default: any.
   *
   * NOTE: as in RFC 5280 section 4.2.1.10, each kind is constrained by itself. Names of a kind that is not listed may be any,
   * and a certificate without a name of a listed kind passes: `{ dns: ['example.com'] }` alone permits a certificate
   * that has the subject `CN=anybody` and no dNSName, or any URI. To bind subjects and host names list both `directory` and
   * `dns`, and put kinds that the anchor should not name at all into `excludedNames`, as `''`.
   */
  readonly permittedNames?: ConstrainedNames;
  /** Names certificates below the anchor may not have, also where `permittedNames` has them. Default: none. */
  readonly excludedNames?: ConstrainedNames;
  /** Most intermediates below the anchor that are not self-issued: an integer from 0 to 20. Default: no limit of its own. */
  readonly maxPathLength?: number;
  /**
   * What the anchor is trusted for: `'clientAuth'`, `'serverAuth'`, or dotted OIDs, of which `2.5.29.37.0`,
   * anyExtendedKeyUsage, is everything. Default: everything.
   */
  readonly extKeyUsage?: readonly string[];
  /**
   * When trust in the anchor ends. `'enforce'`: with its certificate's notAfter, as far as `rules.anchor` enforces it.
   * `'ignore'`: never. A date: then, whatever the certificate says, this instant included. Default `'enforce'`.
   */
  readonly expiry?: 'enforce' | 'ignore' | Date;
}

/** @internal {@link AnchorConstraints} in the form paths are checked with. */
export interface ResolvedConstraints {
  readonly names: NameConstraints | undefined;
  readonly maxPathLength: number | undefined;
  /** As latin1 OID contents. */
  readonly extKeyUsage: readonly string[] | undefined;
  /** Milliseconds since the Unix epoch, Infinity for never; undefined where the certificate's own notAfter holds. */
  readonly notAfter: number | undefined;
}

const optionNames = ['permittedNames', 'excludedNames', 'maxPathLength', 'extKeyUsage', 'expiry'];

/**
 * Judges constraints when a store is made. The result is a copy: what was given may change.
 *
 * @throws {TypeError} for names that are none, purposes that are unknown, and words that do not exist; {@link RangeError}
 *   for a length out of bounds, and for more than 4,096 names.
 */
export function resolveConstraints(constraints: AnchorConstraints): ResolvedConstraints {
  checkOptions('constraints', constraints, optionNames);
  const { permittedNames, excludedNames, maxPathLength, extKeyUsage, expiry } = constraints;
  if (maxPathLength !== undefined) checkInteger('constraints.maxPathLength', maxPathLength, 0, 20);
  return Object.freeze({
    names: resolveNames(permittedNames, excludedNames),
    maxPathLength,
    extKeyUsage: extKeyUsage === undefined ? undefined : resolvePurposes(extKeyUsage),
    notAfter: resolveExpiry(expiry),
  });
}

type List = 'permitted' | 'excluded';

function resolveNames(permitted?: ConstrainedNames, excluded?: ConstrainedNames): NameConstraints | undefined {
  if (permitted === undefined && excluded === undefined) return undefined;
  return { permitted: resolveSubtrees(permitted, 'permitted'), excluded: resolveSubtrees(excluded, 'excluded') };
}

/** How each kind of name is parsed: undefined where the text is none. `what` is what to call it in messages. */
const parsers: {
  readonly [Kind in keyof Required<ConstrainedNames>]: (text: string, list: List, what: string) => Subtree | undefined;
} = {
  dns: (text) => ofType('dns', foldHost(text)),
  // A mailbox by the letter, and meant as every mailbox by whoever writes it.
  email: (text) => (text.startsWith('*@') ? undefined : ofType('email', foldMailbox(text))),
  uri: (text) => ofType('uri', foldHost(text)),
  ip: (text, _, what) => parseNetwork(text, what),
  directory: (text, list, what) => {
    const name = parseName(text, what);
    return { type: 'directory', rdns: list === 'permitted' ? rdnKeysOf(name) : rdnKeysOf(name, foldTextFurther) };
  },
};

const kinds = Object.keys(parsers) as readonly (keyof typeof parsers)[];

/** What each kind of name looks like, for messages. */
const looks: { readonly [Kind in keyof typeof parsers]: string } = {
  dns: 'a host name: `example.com` with every host below it, `.example.com` for those below only',
  email: 'a mailbox, `alice@example.com`, or a host name: `example.com`, `.example.com` for the hosts below',
  uri: 'the host name of URIs: `example.com`, or `.example.com` for the hosts below',
  ip: 'an address with its prefix length: `10.0.0.0/8`, `2001:db8::/32`',
  directory: 'the text of a name: `O=Partner,C=NL`',
};

function resolveSubtrees(names: ConstrainedNames | undefined, list: List): readonly Subtree[] {
  if (names === undefined) return [];
  const owner = `constraints.${list}Names`;
  checkOptions(owner, names, kinds);
  const subtrees = kinds.flatMap((kind) => {
    const texts = names[kind];
    return texts === undefined ? [] : resolveKind(kind, checkList(`${owner}.${kind}`, texts), list);
  });
  if (subtrees.length === 0) {
    throw new TypeError(`${owner} lists no names. Leave it out, or give at least one of ${kinds.join(', ')}.`);
  }
  if (subtrees.length > maxSubtrees) {
    throw new RangeError(`${owner} lists ${subtrees.length} names; it takes ${maxSubtrees} at most.`);
  }
  return subtrees;
}

function resolveKind(kind: keyof typeof parsers, texts: readonly string[], list: List): readonly Subtree[] {
  return texts.map((text, index) => {
    const what = `constraints.${list}Names.${kind}[${index}]`;
    if (text === '' && list === 'permitted') {
      throw new TypeError(`${what} is empty and would permit every name. Leave ${kind} out to permit every name.`);
    }
    const subtree = parsers[kind](text, list, what);
    if (subtree === undefined) throw new TypeError(`${what}, \`${text}\`, must be ${looks[kind]}.`);
    return subtree;
  });
}

/** @returns a copy. */
function checkList(what: string, value: unknown): readonly string[] {
  if (!Array.isArray(value) || value.length === 0) {
    const received = describe(value);
    throw new TypeError(`${what} must be a non-empty array of strings; it received ${received}. Leave it out for any.`);
  }
  return Array.from<unknown, string>(value, (each, index) => {
    if (typeof each !== 'string')
      throw new TypeError(`${what}[${index}] must be a string; it received ${describe(each)}.`);
    return each;
  });
}

/** An address passes for a host name by its letters, and is the name of no host. */
function ofType(type: 'dns' | 'email' | 'uri', value: string | undefined): Subtree | undefined {
  const isHost = value !== undefined && !/(?:^|[@.])\d+$/.test(value);
  return isHost ? { type, value } : undefined;
}

function parseNetwork(text: string, what: string): Subtree | undefined {
  const [, address = '', digits] = /^([\da-f.:]+)\/(0|[1-9]\d{0,2})$/i.exec(text) ?? [];
  const prefix = Number(digits);
  // The last groups of a version 6 address in decimal would be a version 4 address to some.
  if (isIP(address) === 0 || (address.includes(':') && address.includes('.'))) return undefined;
  const octets = octetsOfAddress(address);
  if (prefix > octets.length * 8) return undefined;
  const mask = octets.map((_, index) => (0xff00 >> Math.min(8, Math.max(0, prefix - index * 8))) & 0xff);
  const network = octets.map((octet, index) => octet & (mask[index] as number));
  if (octets.some((octet, index) => octet !== network[index])) {
    const meant = `${textOfAddress(network)}/${prefix}`;
    throw new TypeError(
      `${what}, \`${text}\`, has bits set beyond its prefix length. Write \`${meant}\`, if that is meant.`,
    );
  }
  return { type: 'ip', address: Buffer.from(network), mask: Buffer.from(mask) };
}

const purposes: ReadonlyMap<string, string> = new Map([
  ['clientAuth', oid('1.3.6.1.5.5.7.3.2')],
  ['serverAuth', oid('1.3.6.1.5.5.7.3.1')],
]);

function resolvePurposes(extKeyUsage: unknown): readonly string[] {
  return checkList('constraints.extKeyUsage', extKeyUsage).map((purpose, index) => {
    const contents = purposes.get(purpose) ?? parseOid(purpose);
    if (contents === undefined) {
      throw new TypeError(
        `constraints.extKeyUsage[${index}], \`${purpose}\`, must be 'clientAuth', 'serverAuth' or a dotted OID.`,
      );
    }
    return contents;
  });
}

function resolveExpiry(expiry: unknown): number | undefined {
  if (expiry === undefined || expiry === 'enforce') return undefined;
  if (expiry === 'ignore') return Infinity;
  if (expiry instanceof Date && !Number.isNaN(expiry.getTime())) return expiry.getTime();
  throw new TypeError("constraints.expiry must be 'enforce', 'ignore' or a valid Date.");
}
