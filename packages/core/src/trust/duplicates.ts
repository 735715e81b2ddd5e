import type { Certificate } from '../x509/certificate';
import type { OtherCertificates } from './trust-finding';

/** Others that are named in one finding. Without a bound, a list of one name would have a report of its size squared. */
const maxOthers = 16;

/** A certificate and its SHA-256, which it would otherwise make anew each time. */
export interface DigestedCertificate {
  readonly certificate: Certificate;
  readonly sha256: string;
}

/** Certificates of a list that share a name or a key. No pairs are compared: the time is that of walking the list. */
export class Duplicates {
  /** SHA-256 of certificates by key, whatever their name. */
  readonly #byKey = new Map<string, string[]>();
  /** The same for each name. */
  readonly #byName = new Map<string, { count: number; readonly byKey: Map<string, string[]> }>();

  constructor(certificates: Iterable<DigestedCertificate>) {
    for (const { certificate, sha256 } of certificates) {
      append(this.#byKey, certificate.spkiSha256, sha256);
      // Certificates without a subject have no name in common.
      if (certificate.hasEmptySubject) continue;
      let named = this.#byName.get(certificate.subjectKey);
      if (named === undefined) this.#byName.set(certificate.subjectKey, (named = { count: 0, byKey: new Map() }));
      named.count += 1;
      append(named.byKey, certificate.spkiSha256, sha256);
    }
  }

  /** Those with the same key. */
  ofKey({ certificate, sha256 }: DigestedCertificate): OtherCertificates | undefined {
    const same = this.#byKey.get(certificate.spkiSha256) ?? [];
    if (same.length < 2) return undefined;
    const others = same.slice(0, maxOthers + 1).filter((other) => other !== sha256);
    return { others: others.slice(0, maxOthers), otherCount: same.length - 1 };
  }

  /** Those with the same subject (RFC 5280 section 7.1) and another key. */
  ofNameAlone({ certificate }: DigestedCertificate): OtherCertificates | undefined {
    const named = this.#byName.get(certificate.subjectKey);
    if (named === undefined || named.byKey.size < 2) return undefined;
    const others: string[] = [];
    for (const [key, digests] of named.byKey) {
      if (key !== certificate.spkiSha256) others.push(...digests.slice(0, maxOthers - others.length));
      if (others.length === maxOthers) break;
    }
    return { others, otherCount: named.count - (named.byKey.get(certificate.spkiSha256)?.length ?? 0) };
  }
}

function append(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
