import { cloudFrontHeaders, createAuthority, generateKey, type TestAuthority } from '@peercert/testkit';
import { secretLine } from '../support/requests';

/**
 * What is known of a client when the responder dies: its verdict is remembered; its verdict ends every second, and is
 * reached again from the OCSP answer that was kept; the same, of a certificate that is revoked; nothing.
 */
export type Group = 'warm' | 'lapsing' | 'revoked' | 'cold';

export interface Client {
  readonly group: Group;
  /** What the origin must answer with when it lets the client in. */
  readonly uri: string;
  readonly path: '/lasting' | '/lapsing';
  /** Names and values in turn, as Node takes them. */
  readonly headers: readonly string[];
}

/** A certificate that the responder is asked about. */
export interface Subject {
  readonly group: Group | 'issuing';
  readonly serialNumber: Buffer;
  readonly issuer: TestAuthority;
}

export interface Population {
  readonly root: TestAuthority;
  readonly clients: Readonly<Record<Group, readonly Client[]>>;
  /** By serial number, hexadecimal. */
  readonly subjects: ReadonlyMap<string, Subject>;
}

/** Every serial number has as many octets. */
export const serialOctets = 16;

/** So many clients of each group; they share a key, which nobody looks at. */
export function mintPopulation(counts: Readonly<Record<Group, number>>): Population {
  const subjects = new Map<string, Subject>();
  const enter = (group: Subject['group'], issuer: TestAuthority): Buffer => {
    const serialNumber = Buffer.alloc(serialOctets, 0x40);
    serialNumber.writeUInt32BE(subjects.size, serialOctets - 4);
    subjects.set(serialNumber.toString('hex'), { group, serialNumber, issuer });
    return serialNumber;
  };
  const key = generateKey('p256');
  const root = createAuthority();
  const issuing = root.issueIntermediate({ serialNumber: enter('issuing', root) });
  const mint = (group: Group): readonly Client[] =>
    Array.from({ length: counts[group] }, (_, index) => {
      const uri = `urn:${group}:${index}`;
      const certificate = issuing.issue({ key, uris: [uri], serialNumber: enter(group, issuing) });
      const lines = [['Host', 'origin.example.com'], secretLine, ...cloudFrontHeaders(certificate)];
      const path = group === 'lapsing' || group === 'revoked' ? '/lapsing' : '/lasting';
      return { group, uri, path, headers: lines.flat() };
    });
  const clients = { warm: mint('warm'), lapsing: mint('lapsing'), revoked: mint('revoked'), cold: mint('cold') };
  return { root, clients, subjects };
}
