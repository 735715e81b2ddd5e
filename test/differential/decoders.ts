import { X509Certificate } from 'node:crypto';
// oxlint-disable-next-line import/no-unassigned-import -- @peculiar/x509 needs it loaded first
import 'reflect-metadata';
import { type SubjectAlternativeNameExtension, X509Certificate as PeculiarCertificate } from '@peculiar/x509';
import type { Certificate } from '../../packages/core/src/x509/certificate';
import type { GeneralName } from '../../packages/core/src/x509/general-names';
import type { DistinguishedName } from '../../packages/core/src/x509/name';

export type Decoder = 'node' | '@peculiar/x509';

/** What one decoder reads otherwise than peercert does, in a certificate that peercert reads. */
export interface Difference {
  readonly decoder: Decoder;
  /** `throws`, or the field that differs. */
  readonly what: string;
  readonly ours: string;
  readonly theirs: string;
}

/** What decoders are compared in, in words that all of them have. */
interface View {
  readonly serialNumber: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly subject: string;
  readonly issuer: string;
  readonly subjectAltName: string;
}

const decoders: Readonly<Record<Decoder, readonly [ours: (ours: Certificate) => View, theirs: (der: Buffer) => View]>> =
  {
    node: [viewForNode, viewOfNode],
    '@peculiar/x509': [viewForPeculiar, viewOfPeculiar],
  };

/** Reads the same certificate with other decoders. */
export function compareDecoders(certificate: Certificate, der: Buffer = certificate.der): readonly Difference[] {
  return (Object.keys(decoders) as Decoder[]).flatMap((decoder) => {
    const [viewOurs, viewTheirs] = decoders[decoder];
    const ours = viewOurs(certificate);
    let theirs: View;
    try {
      theirs = viewTheirs(der);
    } catch (error) {
      return [{ decoder, what: 'throws', ours: '', theirs: error instanceof Error ? error.message : String(error) }];
    }
    return (Object.keys(ours) as (keyof View)[]).flatMap((what) => {
      return Object.is(ours[what], theirs[what])
        ? []
        : [{ decoder, what, ours: String(ours[what]), theirs: String(theirs[what]) }];
    });
  });
}

function viewForNode(certificate: Certificate): View {
  return {
    ...commonView(certificate),
    subject: valuesOf(certificate.subject),
    issuer: valuesOf(certificate.issuer),
    subjectAltName: (certificate.extensions.subjectAltName ?? []).map(nodeText).join(', '),
  };
}

function viewOfNode(der: Buffer): View {
  const certificate = new X509Certificate(der);
  // Throws for a key OpenSSL cannot read. Node 24 goes on without one below, and ends the process.
  void certificate.publicKey;
  const { subject, issuer } = certificate.toLegacyObject();
  return {
    serialNumber: plainHex(certificate.serialNumber),
    notBefore: Date.parse(certificate.validFrom),
    notAfter: Date.parse(certificate.validTo),
    subject: legacyValues(subject),
    issuer: legacyValues(issuer),
    subjectAltName: plainAltName(certificate.subjectAltName ?? ''),
  };
}

function viewForPeculiar(certificate: Certificate): View {
  return {
    ...commonView(certificate),
    subject: rdnsOf(certificate.subject),
    issuer: rdnsOf(certificate.issuer),
    subjectAltName: (certificate.extensions.subjectAltName ?? []).map(peculiarText).join(', '),
  };
}

function viewOfPeculiar(der: Buffer): View {
  const certificate = new PeculiarCertificate(der);
  const names = certificate.getExtension<SubjectAlternativeNameExtension>('2.5.29.17')?.names.items ?? [];
  return {
    serialNumber: plainHex(certificate.serialNumber),
    notBefore: certificate.notBefore.getTime(),
    notAfter: certificate.notAfter.getTime(),
    subject: JSON.stringify(certificate.subjectName.toJSON().map((rdn) => Object.values(rdn).flat().toSorted())),
    issuer: JSON.stringify(certificate.issuerName.toJSON().map((rdn) => Object.values(rdn).flat().toSorted())),
    subjectAltName: names.map(peculiarName).join(', '),
  };
}

function commonView({
  serialNumber,
  notBefore,
  notAfter,
}: Certificate): Omit<View, 'subject' | 'issuer' | 'subjectAltName'> {
  return { serialNumber, notBefore, notAfter };
}

/** Node groups attributes by type: the values, in order of their text. */
function valuesOf(name: DistinguishedName): string {
  return JSON.stringify(name.rdns.flatMap((rdn) => rdn.map(({ value }) => value)).toSorted());
}

function legacyValues(name: object): string {
  return JSON.stringify(
    Object.values(name as Record<string, string | string[]>)
      .flat()
      .toSorted(),
  );
}

function rdnsOf(name: DistinguishedName): string {
  return JSON.stringify(name.rdns.map((rdn) => rdn.map(({ value }) => value).toSorted()));
}

const quoted = /"(?:[^"\\]|\\.)*"/g;

/** Addresses in one spelling, and quotation marks as JSON has them. Other and directory names are not compared. */
function plainAltName(text: string): string {
  return text
    .replace(/(DirName|othername):(?:"(?:[^"\\]|\\.)*"|[^,"])*/g, '$1:...')
    .replace(/IP Address:([^,]*)/g, (_, ip: string) => `IP Address:${plainIp(ip)}`)
    .replace(quoted, (name) => JSON.stringify(JSON.parse(name)));
}

/** Leading zeros are a matter of taste. */
function plainHex(text: string): string {
  return text.toLowerCase().replace(/^(-?)0+(?=.)/, '$1');
}

/** An address in the one spelling that URLs have. */
function plainIp(text: string): string {
  return text.includes(':') ? new URL(`http://[${text}]`).hostname : text;
}

/** A name as Node writes it: text that could be taken for several names is quoted. */
function nodeText(name: GeneralName): string {
  switch (name.type) {
    case 'uri':
      return `URI:${nodeQuoted(name.value)}`;
    case 'dns':
      return `DNS:${nodeQuoted(name.value)}`;
    case 'email':
      return `email:${nodeQuoted(name.value)}`;
    case 'ip':
      return `IP Address:${plainIp(name.value)}`;
    case 'registeredId':
      return `Registered ID:${name.value}`;
    case 'directory':
      return 'DirName:...';
    case 'other':
      return 'othername:...';
    case 'x400':
      return 'X400Name:<unsupported>';
    default:
      return 'EdiPartyName:<unsupported>';
  }
}

function nodeQuoted(value: string): string {
  return /[",'\\]|[^ -~]/.test(value) ? JSON.stringify(value) : value;
}

function peculiarText(name: GeneralName): string {
  const types: Readonly<Record<string, string>> = { uri: 'url', directory: 'dn', registeredId: 'id', other: 'other' };
  const type = types[name.type] ?? name.type;
  return `${type}:${peculiarValue(type, String(name.value))}`;
}

/** UPN and GUID are other names that @peculiar/x509 has words for. */
function peculiarName({ type, value }: { readonly type: string; readonly value: string }): string {
  const shown = type === 'upn' || type === 'guid' ? 'other' : type;
  return `${shown}:${peculiarValue(shown, value)}`;
}

function peculiarValue(type: string, value: string): string {
  if (type === 'dn' || type === 'other') return '...';
  return type === 'ip' ? plainIp(value) : value;
}
