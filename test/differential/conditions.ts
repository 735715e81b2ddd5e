import type { Certificate } from '../../packages/core/src/x509/certificate';
import { contextTag, Tag } from '../../packages/core/src/x509/der';
import type { GeneralName } from '../../packages/core/src/x509/general-names';
import type { DistinguishedName } from '../../packages/core/src/x509/name';
import { oid } from '../../packages/core/src/x509/oid';
import type { Circumstances } from './expected';
import {
  alternativeAttributesOf,
  extensionOf,
  extensionTypesOf,
  hasStringType,
  purposesOf,
  subjectAttributesOf,
  valueOf,
} from './parts';

type Condition = (circumstances: Circumstances) => boolean;

const anyExtendedKeyUsage = oid('2.5.29.37.0');
const clientAuth = oid('1.3.6.1.5.5.7.3.2');
const emailAddress = oid('1.2.840.113549.1.9.1');
const year100 = Date.parse('0100-01-01T00:00:00Z');

/** Named circumstances under which a disagreement of expected.json is meant to be. */
export const conditions: Readonly<Record<string, Condition>> = {
  'an issuer for any purpose': at((certificate, { depth }) => {
    const purposes = purposesOf(certificate);
    return depth > 0 && purposes.includes(anyExtendedKeyUsage) && !purposes.includes(clientAuth);
  }),
  'the last second of validity': at(({ notAfter }, one) => notAfter === one.case.setting.time.getTime()),
  'a key identifier of another issuer': ({ path, depth }) => {
    const wanted = path[depth]?.extensions.authorityKeyIdentifier;
    const found = path[depth + 1]?.extensions.subjectKeyIdentifier;
    return wanted !== undefined && found !== undefined && wanted !== found;
  },
  'an issuer named by serial number': at((certificate) => {
    const parts = valueOf(certificate, '2.5.29.35')?.children?.[0]?.children ?? [];
    return parts.some(({ tag }) => tag === contextTag(1, 'constructed') || tag === contextTag(2, 'primitive'));
  }),
  'policy mappings in a client certificate': at(({ extensions }, { depth }) => {
    return depth === 0 && extensions.policyMappings !== undefined;
  }),
  'a critical key identifier': at((certificate) => {
    return ['2.5.29.14', '2.5.29.35'].some((type) => extensionOf(certificate, type)?.children?.length === 3);
  }),
  'a proxy certificate': hasExtension('1.3.6.1.5.5.7.1.14'),
  'CRL distribution points': hasExtension('2.5.29.31'),
  'a Netscape certificate type': hasExtension('2.16.840.1.113730.1.1'),
  'RFC 3779 resources': hasExtension('1.3.6.1.5.5.7.1.7', '1.3.6.1.5.5.7.1.8'),
  'a client with the name of its issuer': at(({ isSelfIssued }, { depth }) => depth === 0 && isSelfIssued),
  'a roll-over certificate without key identifiers': at((certificate, { depth, path }) => {
    const { isSelfIssued, extensions } = certificate;
    const isUndecided =
      extensions.authorityKeyIdentifier === undefined || path[depth + 1]?.extensions.subjectKeyIdentifier === undefined;
    return depth > 0 && depth < path.length - 1 && isSelfIssued && isUndecided;
  }),
  'an issuer named like one further up, and nothing that tells them apart': at((certificate, { depth, path }) => {
    const wanted = certificate.extensions.authorityKeyIdentifier;
    const issuer = path[depth + 1];
    return path.slice(depth + 2).some((other) => {
      const isLikely = wanted === undefined || other.extensions.subjectKeyIdentifier === undefined;
      return isLikely && other.subjectKey === certificate.issuerKey && issuer?.hasSameKeyAs(other) === false;
    });
  }),
  'a mailbox or URI below an empty permitted subtree': at(
    ({ extensions: { subjectAltName = [] } }, { path, depth }) => {
      return path.slice(depth + 1).some(({ extensions: { nameConstraints } }) => {
        const empty = (nameConstraints?.permitted ?? []).filter((subtree) => {
          return (subtree.type === 'email' || subtree.type === 'uri') && subtree.value === '';
        });
        return subjectAltName.some(({ type }) => empty.some((subtree) => subtree.type === type));
      });
    },
  ),
  'a URI whose host is not all between // and / or :': at(({ extensions: { subjectAltName = [] } }) => {
    const uris = subjectAltName.flatMap((name) => (name.type === 'uri' ? [name.value] : []));
    return uris.some((uri) => /^[^:]*:\/\/(?:[^/?#]*@|[^/:]*[?#]|[^/:?#]*\.(?:[/:?#]|$))/.test(uri));
  }),
  'a common name with NUL, and no constraint on host names': at(({ subject, extensions }, circumstances) => {
    const { subjectAltName = [] } = extensions;
    const isHost = !subjectAltName.some(({ type }) => type === 'dns');
    const hasNul = subject.values('CN').some((value) => value.includes('\0'));
    return isHost && hasNul && !isConstrained(circumstances, 'dns');
  }),
  'a name with something that is not text': somewhere(({ subject, issuer }) => {
    return [...subject.rdns.flat(), ...issuer.rdns.flat()].some(({ value }) => value.startsWith('#'));
  }),
  'a name in NumericString or VisibleString': somewhere((certificate) => {
    return hasStringType(certificate, Tag.numericString, Tag.visibleString);
  }),
  'a name in UniversalString': somewhere((certificate) => hasStringType(certificate, Tag.universalString)),
  'a name that is the same beyond ASCII': ({ path, depth }) => {
    const [child, issuer] = [path[depth], path[depth + 1]];
    return child !== undefined && issuer !== undefined && foldAscii(child.issuer) !== foldAscii(issuer.subject);
  },
  'an e-mail address that is not IA5String, and no constraint on mailboxes': at((certificate, circumstances) => {
    const isOdd = subjectAttributesOf(certificate).some(([type, { tag }]) => {
      return type === emailAddress && tag !== Tag.ia5String;
    });
    return isOdd && !isConstrained(circumstances, 'email');
  }),
  'a subjectAltName in forms that are passed over': somewhere(hasOtherNames),
  'a directory name with something that is not text': somewhere((certificate) => {
    return alternativeAttributesOf(certificate).some(([, { tag }]) => !textTags.has(tag));
  }),
  'a negative serial number': at(({ serialNumber }) => serialNumber.startsWith('-')),
  'a key that is not supported': at(
    ({ publicKeyInfo, isKeyOffCurve }) => publicKeyInfo.type === 'unsupported' || isKeyOffCurve,
  ),
  'a time before the year 100': at(({ notBefore, notAfter }) => Math.min(notBefore, notAfter) < year100),
  'something that is passed over': at((certificate) => passedOver.some((holds) => holds(certificate))),
};

const comparable = new Set(['dns', 'email', 'uri', 'ip', 'directory']);
const processed = new Set([14, 15, 17, 19, 30, 32, 33, 35, 36, 37, 54].map((arc) => oid(`2.5.29.${arc}`)));

/** Tags of a DirectoryString, and of the strings that OpenSSL takes beside them. */
const textTags: ReadonlySet<number> = new Set([
  ...[Tag.utf8String, Tag.printableString, Tag.teletexString, Tag.bmpString, Tag.universalString, Tag.ia5String],
  ...[Tag.numericString, Tag.visibleString],
]);

/** What peercert does not interpret. */
const passedOver: readonly ((certificate: Certificate) => boolean)[] = [
  (certificate) => extensionTypesOf(certificate).some((type) => !processed.has(type)),
  (certificate) => valueOf(certificate, '2.5.29.35')?.children?.[0]?.children?.some(({ tag }) => tag !== 0x80) === true,
  // Qualifiers of policies.
  (certificate) => {
    const policies = valueOf(certificate, '2.5.29.32')?.children?.[0]?.children ?? [];
    return policies.some(({ children = [] }) => children.length > 1);
  },
  hasOtherNames,
  ({ extensions: { nameConstraints } }) => {
    const subtrees = [...(nameConstraints?.permitted ?? []), ...(nameConstraints?.excluded ?? [])];
    return subtrees.some(({ type }) => !comparable.has(type));
  },
];

function hasOtherNames({ extensions: { subjectAltName = [] } }: Certificate): boolean {
  return subjectAltName.some(({ type }) => type === 'other' || type === 'x400' || type === 'ediParty');
}

/** Whether an issuer above speaks of names of a form. */
function isConstrained({ path, depth }: Circumstances, form: GeneralName['type']): boolean {
  return path.slice(depth + 1).some(({ extensions: { nameConstraints } }) => {
    const subtrees = [...(nameConstraints?.permitted ?? []), ...(nameConstraints?.excluded ?? [])];
    return subtrees.some(({ type }) => type === form);
  });
}

/** Names as OpenSSL compares them. */
function foldAscii(name: DistinguishedName): string {
  const fold = (text: string): string => {
    return text
      .replace(/[A-Z]/g, (letter) => letter.toLowerCase())
      .replace(/[ \t\n\v\f\r]+/g, ' ')
      .replace(/^ | $/g, '');
  };
  return JSON.stringify(name.rdns.map((rdn) => rdn.map(({ type, value }) => [type, fold(value)])));
}

/** A condition on the certificate the error is about. */
function at(condition: (certificate: Certificate, circumstances: Circumstances) => boolean): Condition {
  return (circumstances) => {
    const certificate = circumstances.path[circumstances.depth];
    return certificate !== undefined && condition(certificate, circumstances);
  };
}

/** A condition on any certificate: for errors that name the one below, or none. */
function somewhere(condition: (certificate: Certificate) => boolean): Condition {
  return ({ path }) => path.some((certificate) => condition(certificate));
}

function hasExtension(...types: readonly string[]): Condition {
  return somewhere((certificate) => types.some((type) => extensionOf(certificate, type) !== undefined));
}
