import { ClientCertificateError } from '../errors';
import type { Certificate } from '../x509/certificate';
import { extensionTypes } from '../x509/extensions';

type Role = 'end-entity' | 'intermediate' | 'anchor';

/** One rule of RFC 5280 section 4, and whether a certificate keeps it. */
interface ProfileRule {
  readonly section: string;
  readonly rule: string;
  readonly isKept: (certificate: Certificate, role: Role) => boolean;
}

const isCritical = (certificate: Certificate, type: keyof typeof extensionTypes): boolean => {
  return certificate.extensions.critical.includes(extensionTypes[type]);
};
const isCa = (role: Role): boolean => role !== 'end-entity';

/** What section 4 tells CAs, beyond what section 6 checks. One row a rule. */
const profile: readonly ProfileRule[] = [
  {
    section: '4.1.2.2',
    rule: 'the serial number is positive',
    isKept: ({ serialNumber }) => serialNumber !== '0' && !serialNumber.startsWith('-'),
  },
  {
    section: '4.2.1.1',
    rule: 'authorityKeyIdentifier is present, but for self-signed certificates',
    isKept: (certificate) => certificate.isSelfIssued || certificate.extensions.authorityKeyIdentifier !== undefined,
  },
  {
    section: '4.2.1.1',
    rule: 'authorityKeyIdentifier is not critical',
    isKept: (certificate) => !isCritical(certificate, 'authorityKeyIdentifier'),
  },
  {
    section: '4.2.1.2',
    rule: 'subjectKeyIdentifier is present in CA certificates',
    isKept: ({ extensions }, role) => !isCa(role) || extensions.subjectKeyIdentifier !== undefined,
  },
  {
    section: '4.2.1.2',
    rule: 'subjectKeyIdentifier is not critical',
    isKept: (certificate) => !isCritical(certificate, 'subjectKeyIdentifier'),
  },
  {
    section: '4.2.1.6',
    rule: 'subjectAltName is critical where the subject is empty',
    isKept: (certificate) => !certificate.hasEmptySubject || isCritical(certificate, 'subjectAltName'),
  },
  {
    section: '4.2.1.6',
    rule: 'a dNSName is a host name',
    isKept: ({ extensions: { subjectAltName = [] } }) => {
      return subjectAltName.every((name) => name.type !== 'dns' || isHostName(name.value));
    },
  },
  {
    section: '4.2.1.9',
    rule: 'basicConstraints is critical in CA certificates',
    isKept: (certificate, role) => !isCa(role) || isCritical(certificate, 'basicConstraints'),
  },
  {
    section: '4.2.1.10',
    rule: 'nameConstraints stands in CA certificates only, critical, and is not empty',
    isKept: (certificate, role) => {
      const { nameConstraints } = certificate.extensions;
      if (nameConstraints === undefined) return true;
      const subtrees = [...nameConstraints.permitted, ...nameConstraints.excluded];
      return isCa(role) && isCritical(certificate, 'nameConstraints') && subtrees.length > 0;
    },
  },
  {
    section: '4.2.1.10',
    rule: 'a host name in nameConstraints does not begin with a period',
    isKept: ({ extensions: { nameConstraints } }) => {
      const subtrees = [...(nameConstraints?.permitted ?? []), ...(nameConstraints?.excluded ?? [])];
      return subtrees.every((subtree) => subtree.type !== 'dns' || !subtree.value.startsWith('.'));
    },
  },
  {
    section: '4.2.1.11',
    rule: 'policyConstraints is critical',
    isKept: (certificate) => {
      return certificate.extensions.policyConstraints === undefined || isCritical(certificate, 'policyConstraints');
    },
  },
  {
    section: '4.2.1.14',
    rule: 'inhibitAnyPolicy is critical',
    isKept: (certificate) => {
      return certificate.extensions.inhibitAnyPolicy === undefined || isCritical(certificate, 'inhibitAnyPolicy');
    },
  },
  {
    section: '4.2.2.1',
    rule: 'authorityInfoAccess holds access descriptions',
    isKept: ({ extensions }) => !extensions.authorityInfoAccessIsMalformed,
  },
];

/**
 * Checks what RFC 5280 section 4 tells CAs and section 6 does not need.
 *
 * @throws {ClientCertificateError} `ERR_CERTIFICATE_PROFILE_VIOLATED` for the first rule that is broken.
 */
export function checkProfile(certificate: Certificate, depth: number, role: Role): void {
  const broken = profile.find(({ isKept }) => !isKept(certificate, role));
  if (broken !== undefined) {
    const rule = `${broken.rule} (RFC 5280 section ${broken.section})`;
    throw new ClientCertificateError('ERR_CERTIFICATE_PROFILE_VIOLATED', { depth, rule });
  }
}

/** RFC 1034 section 3.5, with a wildcard for the first label; four numbers are an address. */
function isHostName(name: string): boolean {
  const label = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?';
  return new RegExp(`^(?:\\*\\.)?${label}(?:\\.${label})*$`, 'i').test(name) && !/^[\d.]+$/.test(name);
}
