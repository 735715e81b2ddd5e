import type { ChannelDistrust } from '../errors';
import { describe } from '../options';
import { lowerCaseAscii } from '../x509/ascii';
import type { Certificate } from '../x509/certificate';

/** Names and keys of which the proxy's own certificate has one of each kind. */
export interface ProxyNameOptions {
  readonly dnsNames?: readonly string[] | undefined;
  readonly uris?: readonly string[] | undefined;
  readonly spkiSha256?: readonly string[] | undefined;
}

/** What the proxy's certificate is called, or which key it has. Where several kinds are given, one of each must match. */
export class ProxyNames {
  readonly #dnsNames: ReadonlySet<string> | undefined;
  readonly #uris: ReadonlySet<string> | undefined;
  readonly #pins: ReadonlySet<string> | undefined;

  /** @throws {TypeError} for anything but non-empty lists of non-empty strings, and digests that are none. */
  constructor({ dnsNames, uris, spkiSha256 }: ProxyNameOptions) {
    this.#dnsNames = foldedSet('dnsNames', dnsNames, lowerCaseAscii);
    this.#uris = foldedSet('uris', uris, unchanged);
    this.#pins = foldedSet('spkiSha256', spkiSha256, pinOf);
  }

  get hasPins(): boolean {
    return this.#pins !== undefined;
  }

  /** What is wrong with a certificate; undefined for one of the proxy's. */
  mismatch({ extensions: { subjectAltName = [] }, spkiSha256 }: Certificate): ChannelDistrust | undefined {
    const has = (type: 'dns' | 'uri', names: ReadonlySet<string>, fold: (name: string) => string): boolean => {
      return subjectAltName.some((name) => name.type === type && names.has(fold(name.value)));
    };
    if (this.#dnsNames !== undefined && !has('dns', this.#dnsNames, lowerCaseAscii)) return 'name-not-permitted';
    if (this.#uris !== undefined && !has('uri', this.#uris, unchanged)) return 'name-not-permitted';
    return this.#pins === undefined || this.#pins.has(spkiSha256) ? undefined : 'key-not-pinned';
  }
}

function pinOf(pin: string): string {
  if (!/^[0-9a-fA-F]{64}$/.test(pin)) throw new TypeError('spkiSha256 takes SHA-256 in 64 hexadecimal digits.');
  return pin.toLowerCase();
}

function unchanged(uri: string): string {
  return uri;
}

function foldedSet(
  option: string,
  values: readonly string[] | undefined,
  fold: (value: string) => string,
): ReadonlySet<string> | undefined {
  if (values === undefined) return undefined;
  const isUsable =
    Array.isArray(values) && values.length > 0 && values.every((value) => typeof value === 'string' && value !== '');
  if (!isUsable) {
    throw new TypeError(`${option} must be a non-empty array of non-empty strings; it received ${describe(values)}.`);
  }
  return new Set(values.map(fold));
}
