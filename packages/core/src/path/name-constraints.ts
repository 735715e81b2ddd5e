import { ClientCertificateError } from '../errors';
import type { Certificate } from '../x509/certificate';
import type { GeneralName } from '../x509/general-names';
import { rdnKeysOf } from '../x509/name';
import type { NameConstraints, Subtree } from '../x509/name-constraints';
import type { ValidationRules } from './rules';

/** Names compared with subtrees in one search. The figure is rustls-webpki's; an honest path needs some dozens. */
export const maxNameComparisons = 250_000;

/** A name of a certificate in the form subtrees are compared with. */
type ConstrainedName = Exclude<GeneralName, { type: 'directory' }> | { type: 'directory'; rdns: readonly string[] };

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
   * @throws {ClientCertificateError} `ERR_CERTIFICATE_NAME_NOT_PERMITTED`, or `ERR_PATH_BUDGET_EXCEEDED`.
   */
  check(certificates: readonly Certificate[], anchor: Certificate, rules: ValidationRules = {}): void {
    const constraints: NameConstraints[] = [];
    const add = ({ extensions: { nameConstraints } }: Certificate): void => {
      if (nameConstraints !== undefined) constraints.push(nameConstraints);
    };
    if (rules.anchor !== 'ignore') add(anchor);
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
      for (const { permitted, excluded } of constraints) {
        if (excluded.some((subtree) => this.#matches(name, subtree, 'excluded'))) {
          throw new ClientCertificateError('ERR_CERTIFICATE_NAME_NOT_PERMITTED', { depth, type: name.type });
        }
        const ofThisForm = permitted.filter(({ type }) => type === name.type);
        if (ofThisForm.length > 0 && !ofThisForm.some((subtree) => this.#matches(name, subtree, 'permitted'))) {
          throw new ClientCertificateError('ERR_CERTIFICATE_NAME_NOT_PERMITTED', { depth, type: name.type });
        }
      }
    }
  }

  #matches(name: ConstrainedName, subtree: Subtree, list: 'permitted' | 'excluded'): boolean {
    if (++this.#comparisons > maxNameComparisons) {
      throw new ClientCertificateError('ERR_PATH_BUDGET_EXCEEDED', {
        limit: 'name-comparisons',
        maximum: maxNameComparisons,
      });
    }
    // What cannot be compared is outside of what is permitted and inside of what is excluded.
    const undecided = list === 'excluded';
    if (name.type !== subtree.type) return false;
    switch (subtree.type) {
      case 'dns':
        return dnsMatches(valueOf(name), subtree.value, list);
      case 'email':
        return emailMatches(valueOf(name), subtree.value) ?? undecided;
      case 'uri':
        return uriMatches(valueOf(name), subtree.value) ?? undecided;
      case 'ip':
        return ipMatches(valueOf(name), subtree);
      case 'directory':
        return name.type === 'directory' && subtree.rdns.every((rdn, index) => rdn === name.rdns[index]);
      default:
        return undecided;
    }
  }
}

/**
 * Every name constraints apply to: the subjectAltName, a subject that is not empty, and mailboxes in it. Where there is no
 * dNSName, also common names that look like one: software exists that reads them so.
 */
function namesOf(certificate: Certificate, { commonNameHosts }: ValidationRules): readonly ConstrainedName[] {
  const { subjectAltName = [] } = certificate.extensions;
  const names = subjectAltName.map((name): ConstrainedName => {
    return name.type === 'directory' ? { type: 'directory', rdns: rdnKeysOf(name.value) } : name;
  });
  if (certificate.hasEmptySubject) return names;
  const { subject } = certificate;
  names.push({ type: 'directory', rdns: rdnKeysOf(subject) });
  for (const value of subject.values('emailAddress')) names.push({ type: 'email', value });
  if (commonNameHosts !== 'ignore' && !subjectAltName.some(({ type }) => type === 'dns')) {
    for (const value of subject.values('CN')) if (looksLikeHost(value)) names.push({ type: 'dns', value });
  }
  return names;
}

function valueOf(name: ConstrainedName): string {
  return name.type === 'directory' ? '' : name.value;
}

/** Two labels or more and no space: `api.example.com`, `*.example.com`, also with letters no host name has. */
function looksLikeHost(commonName: string): boolean {
  return /^[^\s@/:]+(?:\.[^\s@/:.]+)+\.?$/.test(commonName);
}

/**
 * `host.example.com` and names with labels added on its left. With a leading period, only the latter.
 *
 * NOTE: a wildcard stands for many names, which RFC 5280 does not speak of: it is excluded when one of them is, and
 * permitted when all of them are.
 */
function dnsMatches(name: string, constraint: string, list: 'permitted' | 'excluded'): boolean {
  if (constraint === '') return true;
  const host = name.toLowerCase().replace(/\.$/, '');
  // A name no host has may mean anything to whoever reads it.
  if (!/^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(host)) return list === 'excluded';
  if (isWithin(host, constraint)) return true;
  if (list === 'permitted' || !host.startsWith('*.')) return false;
  const parent = host.slice(2);
  const excluded = constraint.replace(/^\./, '');
  return excluded === parent || excluded.endsWith(`.${parent}`);
}

function isWithin(host: string, constraint: string): boolean {
  if (constraint.startsWith('.')) return host.endsWith(constraint) && host.length > constraint.length;
  return host === constraint || host.endsWith(`.${constraint}`);
}

/** Undefined for what is not a mailbox. The part before `@` is compared exactly, the host without regard to case. */
function emailMatches(name: string, constraint: string): boolean | undefined {
  const at = name.lastIndexOf('@');
  const host = name.slice(at + 1).toLowerCase();
  if (at < 1 || !/^[\x21-\x3f\x41-\x7e]+$/.test(name.slice(0, at)) || !/^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(host)) {
    return undefined;
  }
  if (constraint === '') return true;
  if (constraint.includes('@')) return `${name.slice(0, at)}@${host}` === constraint;
  return constraint.startsWith('.') ? isWithin(host, constraint) : host === constraint;
}

/** Undefined for a URI without a host name: RFC 5280 tells to reject it. */
function uriMatches(name: string, constraint: string): boolean | undefined {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([^/?#:@[\]]+)(?::\d*)?(?:[/?#]|$)/i.exec(name)?.[1];
  const host = authority?.toLowerCase().replace(/\.$/, '');
  if (host === undefined || !/^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(host) || /^[\d.]+$/.test(host)) return undefined;
  if (constraint === '') return true;
  return constraint.startsWith('.') ? isWithin(host, constraint) : host === constraint;
}

function ipMatches(name: string, { address, mask }: Subtree & { type: 'ip' }): boolean {
  const octets = octetsOf(name);
  if (octets.length !== address.length) return false;
  return octets.every((octet, index) => {
    const bits = mask[index] as number;
    return (octet & bits) === ((address[index] as number) & bits);
  });
}

/** Octets of an address in the canonical text a certificate's name has. */
function octetsOf(text: string): readonly number[] {
  if (!text.includes(':')) return text.split('.').map(Number);
  const [head = '', tail] = text.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => '0');
  return [...front, ...zeros, ...back].flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
