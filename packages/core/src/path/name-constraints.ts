import { ClientCertificateError } from '../errors';
import type { ResolvedConstraints } from '../trust/anchor-constraints';
import { lowerCaseAscii } from '../x509/ascii';
import type { Certificate } from '../x509/certificate';
import { type GeneralName, octetsOfAddress } from '../x509/general-names';
import { foldTextFurther, rdnKeysOf, textForAnybody } from '../x509/name';
import { localPartPattern, type NameConstraints, type Subtree } from '../x509/name-constraints';
import type { ValidationRules } from './rules';

/** Names compared with subtrees in one search. The figure is rustls-webpki's; an honest path needs some dozens. */
export const maxNameComparisons = 250_000;

/**
 * A name of a certificate in the form subtrees are compared with: read once, so that a comparison costs no more than the
 * subtree is long. Undefined for what is no such name, and cannot be compared.
 */
type ConstrainedName =
  /** Lower case; of a URI, without a trailing period. */
  | { readonly type: 'dns' | 'uri'; readonly host: string | undefined }
  | { readonly type: 'email'; readonly mailbox: { readonly whole: string; readonly host: string } | undefined }
  | { readonly type: 'ip'; readonly octets: readonly number[] }
  /** `loosely`: folded as excluded subtrees are. */
  | { readonly type: 'directory'; readonly rdns: readonly string[]; readonly loosely: readonly string[] }
  | { readonly type: 'x400' | 'ediParty' | 'registeredId' | 'other' };

/**
 * Applies the name constraints of issuers to the certificates below them (RFC 5280 section 4.2.1.10, 6.1.3 (b) and (c)):
 * a name may lie in no excluded subtree, and where an issuer permits subtrees of its form it must lie in one of them.
 *
 * Counts its comparisons over a whole search.
 */
export class NameConstraintChecker {
  #comparisons = 0;

  /**
   * Checks one path, the trust anchor's own constraints included.
   *
   * NOTE: section 6 leaves an anchor's constraints to the relying party; we hold it to what its certificate says.
   *
   * @param certificates - End-entity certificate first.
   * @param operators - What the operator holds the anchor to, whatever the rules say of its certificate.
   * @throws {ClientCertificateError} `ERR_CERTIFICATE_NAME_NOT_PERMITTED`, or `ERR_PATH_BUDGET_EXCEEDED`.
   */
  check(
    certificates: readonly Certificate[],
    anchor: Certificate,
    rules: ValidationRules = {},
    operators: readonly ResolvedConstraints[] = [],
  ): void {
    const constraints: NameConstraints[] = [];
    const add = ({ extensions: { nameConstraints } }: Certificate): void => {
      if (nameConstraints !== undefined) constraints.push(nameConstraints);
    };
    if (rules.anchor !== 'ignore') add(anchor);
    for (const { names } of operators) if (names !== undefined) constraints.push(names);
    for (let depth = certificates.length - 1; depth >= 0; depth--) {
      const certificate = certificates[depth] as Certificate;
      // Self-issued intermediates are exempt, so that a CA can roll its key over; an end-entity certificate never is.
      if (constraints.length > 0 && (depth === 0 || !certificate.isSelfIssued)) {
        this.#checkNames(namesOf(certificate, rules), depth, constraints);
      }
      if (depth > 0) add(certificate);
    }
  }

  #checkNames(names: readonly ConstrainedName[], depth: number, constraints: readonly NameConstraints[]): void {
    for (const name of names) {
      const { type } = name;
      for (const { permitted, excluded } of constraints) {
        this.#count(permitted.length + excluded.length);
        const ofThisForm = permitted.filter((subtree) => subtree.type === type);
        const isPermitted = ofThisForm.length === 0 || ofThisForm.some((subtree) => isIn(name, subtree, 'permitted'));
        if (!isPermitted || excluded.some((subtree) => subtree.type === type && isIn(name, subtree, 'excluded'))) {
          throw new ClientCertificateError('ERR_CERTIFICATE_NAME_NOT_PERMITTED', { depth, type });
        }
      }
    }
  }

  #count(comparisons: number): void {
    this.#comparisons += comparisons;
    if (this.#comparisons > maxNameComparisons) {
      throw new ClientCertificateError('ERR_PATH_BUDGET_EXCEEDED', {
        limit: 'name-comparisons',
        maximum: maxNameComparisons,
      });
    }
  }
}

/** What cannot be compared is outside of what is permitted and inside of what is excluded. */
function isIn(name: ConstrainedName, subtree: Subtree, list: 'permitted' | 'excluded'): boolean {
  return matches(name, subtree, list) ?? list === 'excluded';
}

function matches(name: ConstrainedName, subtree: Subtree, list: 'permitted' | 'excluded'): boolean | undefined {
  if (name.type === 'dns' && subtree.type === 'dns') return dnsMatches(name.host, subtree.value, list);
  if (name.type === 'uri' && subtree.type === 'uri') return hostMatches(name.host, subtree.value);
  if (name.type === 'email' && subtree.type === 'email') return emailMatches(name.mailbox, subtree.value);
  if (name.type === 'ip' && subtree.type === 'ip') return ipMatches(name.octets, subtree);
  if (name.type === 'directory' && subtree.type === 'directory') {
    const rdns = list === 'permitted' ? name.rdns : name.loosely;
    return subtree.rdns.every((rdn, index) => rdn === rdns[index]);
  }
  return undefined;
}

/** SmtpUTF8Mailbox, to which the constraints for e-mail apply (RFC 9598 section 6). */
const smtpUtf8Mailbox = '1.3.6.1.5.5.7.8.9';

/**
 * Every name constraints apply to: the subjectAltName, a subject that is not empty, and mailboxes in it. Where there is no
 * dNSName, also common names that look like one: software exists that reads them so.
 */
function namesOf(certificate: Certificate, { commonNameHosts }: ValidationRules): readonly ConstrainedName[] {
  const { subjectAltName = [] } = certificate.extensions;
  const names = subjectAltName.map(constrainedName);
  // NOTE: its local part is not ASCII, and is not compared here: it is refused wherever mailboxes are constrained.
  if (subjectAltName.some((name) => name.type === 'other' && name.oid === smtpUtf8Mailbox)) {
    names.push({ type: 'email', mailbox: undefined });
  }
  if (certificate.hasEmptySubject) return names;
  const { subject } = certificate;
  names.push(constrainedName({ type: 'directory', value: subject }));
  for (const value of subject.values('emailAddress')) names.push(constrainedName({ type: 'email', value }));
  if (commonNameHosts !== 'ignore' && !subjectAltName.some(({ type }) => type === 'dns')) {
    for (const attribute of subject.rdns.flat().filter(({ name }) => name === 'CN')) {
      const value = textForAnybody(attribute);
      // NOTE: what is no text may mean any host to whoever reads it.
      if (value === undefined) names.push({ type: 'dns', host: undefined });
      else if (looksLikeHost(value)) names.push(constrainedName({ type: 'dns', value }));
    }
  }
  return names;
}

function constrainedName(name: GeneralName): ConstrainedName {
  switch (name.type) {
    case 'dns':
      return { type: 'dns', host: hostOf(name.value, /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/) };
    case 'email':
      return { type: 'email', mailbox: mailboxOf(name.value) };
    case 'uri':
      return { type: 'uri', host: uriHostOf(name.value) };
    case 'ip':
      return { type: 'ip', octets: octetsOfAddress(name.value) };
    case 'directory':
      return { type: 'directory', rdns: rdnKeysOf(name.value), loosely: rdnKeysOf(name.value, foldTextFurther) };
    default:
      return { type: name.type };
  }
}

/**
 * Two labels or more and no space: `api.example.com`, `*.example.com`, also with letters and periods no host name has. With
 * a NUL, where other software may cut it, anything does.
 */
function looksLikeHost(commonName: string): boolean {
  if (commonName.includes('\0')) return true;
  return !/[\s@/:]/.test(commonName.trim()) && /[^.][.\u3002\uff0e\uff61]+[^.]/.test(commonName);
}

/**
 * A name that no host has may mean anything to whoever reads it. So may one with a trailing period, which is not in the
 * preferred name syntax (RFC 5280 section 4.2.1.6, RFC 1034 section 3.5).
 */
function hostOf(name: string, pattern = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/): string | undefined {
  // Nothing but ASCII is folded: no other letter becomes one of a host name.
  const host = lowerCaseAscii(name);
  return pattern.test(host) ? host : undefined;
}

/**
 * NOTE: a local part in quotes is taken for one that cannot be compared: `"a"@example.com` is `a@example.com`, and
 * `"a@example.com"@example.net` means another host to whoever splits it at the first `@`.
 */
function mailboxOf(name: string): { whole: string; host: string } | undefined {
  const at = name.lastIndexOf('@');
  const local = name.slice(0, Math.max(0, at));
  const host = hostOf(name.slice(at + 1));
  return host !== undefined && localPartPattern.test(local) ? { whole: `${local}@${host}`, host } : undefined;
}

/**
 * Undefined for a URI without a host name: RFC 5280 tells to reject it. The characters before `@` are those of RFC 3986: a
 * backslash there begins the path for many. A trailing period is a URI's way to say that the name is complete (RFC 3986
 * section 3.2.2).
 */
function uriHostOf(name: string): string | undefined {
  const pattern = /^[a-z][a-z0-9+.-]*:\/\/(?:[\w.~!$&'()*+,;=:%-]*@)?([^/?#:@[\]]+)(?::\d*)?(?:[/?#]|$)/i;
  const host = hostOf((pattern.exec(name)?.[1] ?? '').replace(/\.$/, ''));
  return host === undefined || /^[\d.]+$/.test(host) ? undefined : host;
}

/**
 * `host.example.com` and names with labels added on its left. With a leading period, only the latter.
 *
 * NOTE: a wildcard stands for many names, which RFC 5280 does not speak of: it is excluded when one of them is, and
 * permitted when all of them are.
 */
function dnsMatches(host: string | undefined, constraint: string, list: 'permitted' | 'excluded'): boolean | undefined {
  if (host === undefined) return undefined;
  if (constraint === '' || isWithin(host, constraint)) return true;
  return list === 'excluded' && host.startsWith('*.') && constraint.endsWith(host.slice(1));
}

function isWithin(host: string, constraint: string): boolean {
  if (constraint.startsWith('.')) return host.endsWith(constraint) && host.length > constraint.length;
  return host === constraint || host.endsWith(`.${constraint}`);
}

/** A host is that host alone; with a leading period, every one below it. */
function hostMatches(host: string | undefined, constraint: string): boolean | undefined {
  if (host === undefined) return undefined;
  return constraint === '' || host === constraint || (constraint.startsWith('.') && isWithin(host, constraint));
}

/** The part before `@` is compared exactly, the host without regard to case. */
function emailMatches(mailbox: { whole: string; host: string } | undefined, constraint: string): boolean | undefined {
  return constraint.includes('@') && mailbox !== undefined
    ? mailbox.whole === constraint
    : hostMatches(mailbox?.host, constraint);
}

function ipMatches(octets: readonly number[], { address, mask }: Subtree & { type: 'ip' }): boolean {
  if (octets.length !== address.length) return false;
  return octets.every((octet, index) => {
    const bits = mask[index] as number;
    return (octet & bits) === ((address[index] as number) & bits);
  });
}
