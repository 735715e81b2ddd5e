import { AsnConvert } from '@peculiar/asn1-schema';
import { GeneralName } from '@peculiar/asn1-x509';
import { der } from './der';
import { encodeName, type DistinguishedName } from './name';

/** Bits of keyUsage, in RFC 5280's words and order (section 4.2.1.3). */
const keyUsageNames = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;

/** One bit of keyUsage, as RFC 5280 section 4.2.1.3 names it. */
export type KeyUsageName = (typeof keyUsageNames)[number];

const extKeyUsageOids = {
  anyExtendedKeyUsage: '2.5.29.37.0',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  emailProtection: '1.3.6.1.5.5.7.3.4',
  timeStamping: '1.3.6.1.5.5.7.3.8',
  OCSPSigning: '1.3.6.1.5.5.7.3.9',
} as const;

/** A purpose of extKeyUsage, as RFC 5280 section 4.2.1.12 names it. */
export type ExtKeyUsageName = keyof typeof extKeyUsageOids;

/** An extension given by its encoding. */
export interface RawExtension {
  /** extnID, dotted. */
  readonly oid: string;
  /** Default false, which DER leaves out. */
  readonly critical?: boolean;
  /** The DER value, without the OCTET STRING around it. */
  readonly value: Uint8Array;
}

/** Names of a subjectAltName, or the bases of name constraints. Written in this order: URIs, DNS names, e-mail, IP, directory. */
export interface GeneralNameFields {
  /** uniformResourceIdentifier. In name constraints, a host or `.domain`. */
  readonly uris?: readonly string[];
  /** dNSName. In name constraints, a host with everything below it. */
  readonly dnsNames?: readonly string[];
  /** rfc822Name. In name constraints also a host or `.domain`. */
  readonly emails?: readonly string[];
  /** iPAddress, as text, version 4 or 6. In name constraints with a prefix length: `192.0.2.0/24`. */
  readonly ipAddresses?: readonly string[];
  /** directoryName. In name constraints, a name with everything below it. */
  readonly directoryNames?: readonly DistinguishedName[];
}

/** Extensions of a certificate. Each default depends on who the certificate is for; `'absent'` leaves the extension out. */
export interface ExtensionFields extends GeneralNameFields {
  /** extnValue of subjectAltName as it is, in place of the names in `uris` and so on. */
  readonly subjectAltName?: Uint8Array;
  /** Default: true exactly when the subject is empty, as RFC 5280 section 4.2.1.6 wants. */
  readonly subjectAltNameCritical?: boolean;
  /** Critical. Default: `{ ca: true }` for an authority, absent for an end-entity certificate. */
  readonly basicConstraints?: { readonly ca: boolean; readonly pathLenConstraint?: number } | 'absent';
  /** Critical. Default: keyCertSign and cRLSign for an authority, digitalSignature for an end-entity certificate. */
  readonly keyUsage?: readonly KeyUsageName[] | 'absent';
  /** Names or dotted object identifiers; `[]` is an empty SEQUENCE. Default: clientAuth for an end-entity certificate only. */
  readonly extKeyUsage?: readonly (ExtKeyUsageName | (string & {}))[] | 'absent';
  /** Default: SHA-1 of the public key's bits (RFC 5280 section 4.2.1.2, method 1). */
  readonly subjectKeyIdentifier?: Uint8Array | 'absent';
  /** The keyIdentifier. Default: the issuer's subjectKeyIdentifier, and absent when it has none. */
  readonly authorityKeyIdentifier?: Uint8Array | 'absent';
  /** Critical. Default: absent. An empty list of names leaves its field out. */
  readonly nameConstraints?: { readonly permitted?: GeneralNameFields; readonly excluded?: GeneralNameFields };
  /** Dotted policy identifiers, without qualifiers. Default: absent. */
  readonly certificatePolicies?: readonly string[];
  /** Critical. Default: absent. */
  readonly policyConstraints?: { readonly requireExplicitPolicy?: number; readonly inhibitPolicyMapping?: number };
  /** Critical. SkipCerts, 0 or more. Default: absent. */
  readonly inhibitAnyPolicy?: number;
  /** URIs, a distribution point for each. Default: absent. */
  readonly crlDistributionPoints?: readonly string[];
  /** URIs of OCSP responders, in authorityInfoAccess. Default: absent. */
  readonly ocspUrls?: readonly string[];
  /** Written after all the others, as they are; duplicates are allowed. Default: none. */
  readonly extensions?: readonly RawExtension[];
}

/** Extensions with every default decided. */
export interface ResolvedExtensions extends ExtensionFields {
  readonly subjectAltNameCritical: boolean;
  readonly basicConstraints: NonNullable<ExtensionFields['basicConstraints']>;
  readonly keyUsage: NonNullable<ExtensionFields['keyUsage']>;
  readonly extKeyUsage: NonNullable<ExtensionFields['extKeyUsage']>;
  readonly subjectKeyIdentifier: Uint8Array | 'absent';
  readonly authorityKeyIdentifier: Uint8Array | 'absent';
}

/** Encodes one Extension. */
export function encodeExtension({ oid, critical = false, value }: RawExtension): Buffer {
  return der.sequence(der.oid(oid), ...(critical ? [der.boolean(true)] : []), der.octetString(value));
}

function ipAddress(text: string): Buffer {
  return Buffer.from(AsnConvert.serialize(new GeneralName({ iPAddress: text })));
}

/** Encodes each GeneralName. */
export function encodeGeneralNames(fields: GeneralNameFields): Buffer[] {
  const { uris = [], dnsNames = [], emails = [], ipAddresses = [], directoryNames = [] } = fields;
  return [
    ...uris.map((uri) => der.implicit(6, Buffer.from(uri))),
    ...dnsNames.map((name) => der.implicit(2, Buffer.from(name))),
    ...emails.map((email) => der.implicit(1, Buffer.from(email))),
    ...ipAddresses.map(ipAddress),
    ...directoryNames.map((name) => der.explicit(4, encodeName(name))),
  ];
}

function basicConstraints(fields: { readonly ca: boolean; readonly pathLenConstraint?: number }): Buffer {
  const { ca, pathLenConstraint } = fields;
  return der.sequence(
    ...(ca ? [der.boolean(true)] : []),
    ...(pathLenConstraint === undefined ? [] : [der.integer(pathLenConstraint)]),
  );
}

/** A named bit list: DER drops the zero bits at its end. */
function keyUsage(names: readonly KeyUsageName[]): Buffer {
  const bits = keyUsageNames
    .map((name) => (names.includes(name) ? '1' : '0'))
    .join('')
    .replace(/0+$/, '');
  const octets = bits.match(/.{1,8}/g) ?? [];
  return der.bitString(
    Buffer.from(octets.map((octet) => Number.parseInt(octet.padEnd(8, '0'), 2))),
    (8 - (bits.length % 8)) % 8,
  );
}

function extKeyUsage(purposes: readonly string[]): Buffer {
  const oids: Readonly<Record<string, string>> = extKeyUsageOids;
  return der.sequence(...purposes.map((purpose) => der.oid(oids[purpose] ?? purpose)));
}

function optionalImplicit(tagNumber: number, value: number | undefined): Buffer[] {
  return value === undefined ? [] : [der.implicit(tagNumber, der.integer(value).subarray(2))];
}

/** Encodes cRLDistributionPoints, or freshestCRL (RFC 5280 section 4.2.1.13): a distribution point for each URI. */
export function encodeDistributionPoints(uris: readonly string[]): Buffer {
  return der.sequence(
    ...uris.map((uri) => der.sequence(der.explicit(0, der.explicit(0, ...encodeGeneralNames({ uris: [uri] }))))),
  );
}

/** authorityInfoAccess (RFC 5280 section 4.2.2.1) with the access method of OCSP. */
function ocspAccess(urls: readonly string[]): Buffer {
  return der.sequence(
    ...urls.map((url) => der.sequence(der.oid('1.3.6.1.5.5.7.48.1'), ...encodeGeneralNames({ uris: [url] }))),
  );
}

function subtrees(tagNumber: number, fields: GeneralNameFields = {}): Buffer[] {
  const bases = encodeGeneralNames(fields).map((base) => der.sequence(base));
  return bases.length === 0 ? [] : [der.explicit(tagNumber, ...bases)];
}

function listExtensions(fields: ResolvedExtensions): RawExtension[] {
  const list: RawExtension[] = [];
  const add = (oid: string, critical: boolean, value: Uint8Array): unknown => list.push({ oid, critical, value });
  const names = encodeGeneralNames(fields);
  const { nameConstraints, certificatePolicies, policyConstraints, inhibitAnyPolicy } = fields;
  const { crlDistributionPoints, ocspUrls } = fields;

  if (fields.basicConstraints !== 'absent') add('2.5.29.19', true, basicConstraints(fields.basicConstraints));
  if (fields.keyUsage !== 'absent') add('2.5.29.15', true, keyUsage(fields.keyUsage));
  if (fields.extKeyUsage !== 'absent') add('2.5.29.37', false, extKeyUsage(fields.extKeyUsage));
  if (fields.subjectKeyIdentifier !== 'absent') add('2.5.29.14', false, der.octetString(fields.subjectKeyIdentifier));
  if (fields.authorityKeyIdentifier !== 'absent')
    add('2.5.29.35', false, der.sequence(der.implicit(0, fields.authorityKeyIdentifier)));
  if (fields.subjectAltName) add('2.5.29.17', fields.subjectAltNameCritical, fields.subjectAltName);
  else if (names.length > 0) add('2.5.29.17', fields.subjectAltNameCritical, der.sequence(...names));
  if (nameConstraints)
    add(
      '2.5.29.30',
      true,
      der.sequence(...subtrees(0, nameConstraints.permitted), ...subtrees(1, nameConstraints.excluded)),
    );
  if (certificatePolicies)
    add('2.5.29.32', false, der.sequence(...certificatePolicies.map((policy) => der.sequence(der.oid(policy)))));
  if (policyConstraints)
    add(
      '2.5.29.36',
      true,
      der.sequence(
        ...optionalImplicit(0, policyConstraints.requireExplicitPolicy),
        ...optionalImplicit(1, policyConstraints.inhibitPolicyMapping),
      ),
    );
  if (inhibitAnyPolicy !== undefined) add('2.5.29.54', true, der.integer(inhibitAnyPolicy));
  if (crlDistributionPoints) add('2.5.29.31', false, encodeDistributionPoints(crlDistributionPoints));
  if (ocspUrls) add('1.3.6.1.5.5.7.1.1', false, ocspAccess(ocspUrls));
  return [...list, ...(fields.extensions ?? [])];
}

/** Encodes the `[3]` field of a TBSCertificate; empty when there is no extension at all. */
export function encodeExtensions(fields: ResolvedExtensions): Buffer {
  const list = listExtensions(fields);
  return list.length === 0 ? Buffer.alloc(0) : der.explicit(3, der.sequence(...list.map(encodeExtension)));
}
