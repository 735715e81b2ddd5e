import { checkNesting, DerError, DerReader, maxNestingOfOpaqueValues, Tag } from './der';
import { decodeIssuingDistributionPoint, type IssuingDistributionPoint } from './distribution-points';
import { decodeAuthorityKeyIdentifier } from './extensions';
import { dottedOid, oid } from './oid';

/** The extensions of one CRL (RFC 5280 section 5.2), decoded. What is absent is undefined. */
export interface CrlExtensions {
  /** keyIdentifier of authorityKeyIdentifier, as latin1. */
  authorityKeyIdentifier: string | undefined;
  /** Grows with every CRL of one scope. At most 20 octets. */
  crlNumber: bigint | undefined;
  /** crlNumber of the CRL that this one says the changes to. A CRL that has it is a delta CRL: by itself it says little. */
  deltaCrlIndicator: bigint | undefined;
  issuingDistributionPoint: IssuingDistributionPoint | undefined;
  /** Whether the CRL says where delta CRLs to it are. Nothing else is read of that. */
  freshestCrl: boolean;
  /** Types of critical extensions, as latin1 OID contents. */
  critical: readonly string[];
  /** Dotted OIDs of critical extensions that are not processed. */
  unsupportedCritical: readonly string[];
}

/** More extensions than this in one CRL, or in one entry, are refused. */
const maxExtensions = 64;

/** RFC 5280 section 5.2.3: CRL numbers are at most 20 octets. */
const maxNumberOctets = 20;

const authorityKeyIdentifierOid = oid('2.5.29.35');
const crlNumberOid = oid('2.5.29.20');
const deltaCrlIndicatorOid = oid('2.5.29.27');
const issuingDistributionPointOid = oid('2.5.29.28');
const freshestCrlOid = oid('2.5.29.46');

const none: readonly string[] = Object.freeze([]);

export function noCrlExtensions(): CrlExtensions {
  return {
    authorityKeyIdentifier: undefined,
    crlNumber: undefined,
    deltaCrlIndicator: undefined,
    issuingDistributionPoint: undefined,
    freshestCrl: false,
    critical: none,
    unsupportedCritical: none,
  };
}

/** Decodes crlExtensions: at least one, each type once, every known value strictly. */
export function decodeCrlExtensions(reader: DerReader): CrlExtensions {
  const extensions = noCrlExtensions();
  visitExtensions(reader, (type, critical, value) => {
    if (critical) extensions.critical = extensions.critical.concat(type);
    const isRead = decodeCrlExtension(extensions, type, value);
    if (critical && !isRead) extensions.unsupportedCritical = extensions.unsupportedCritical.concat(dottedOid(type));
    return isRead;
  });
  return extensions;
}

function decodeCrlExtension(extensions: CrlExtensions, type: string, value: DerReader): boolean {
  switch (type) {
    case authorityKeyIdentifierOid:
      extensions.authorityKeyIdentifier = decodeAuthorityKeyIdentifier(value);
      return true;
    case crlNumberOid:
      extensions.crlNumber = decodeNumber(value, 'cRLNumber');
      return true;
    case deltaCrlIndicatorOid:
      extensions.deltaCrlIndicator = decodeNumber(value, 'deltaCRLIndicator');
      return true;
    case issuingDistributionPointOid:
      extensions.issuingDistributionPoint = decodeIssuingDistributionPoint(value);
      return true;
    default:
      extensions.freshestCrl ||= type === freshestCrlOid;
      return false;
  }
}

function decodeNumber(value: DerReader, what: string): bigint {
  const { bytes, start, end } = value.integer(what);
  const first = bytes[start] as number;
  if (first >= 0x80) throw new DerError(`${what} is negative`, start);
  // One octet more: the zero before a set top bit.
  if (end - start > maxNumberOctets + (first === 0 ? 1 : 0)) throw new DerError(`${what} is too long`, start);
  return BigInt(`0x${bytes.toString('hex', start, end)}`);
}

/**
 * Reads one extension.
 *
 * @param value - Over the contents of extnValue. Used again for the next extension.
 * @returns whether it has read the value. What it has not read may be anything that does not nest too deeply.
 */
type ExtensionVisitor = (type: string, critical: boolean, value: DerReader) => boolean;

/** Reads Extensions (RFC 5280 section 4.1.2.9): at least one, each type once. */
export function visitExtensions(reader: DerReader, visit: ExtensionVisitor): void {
  const list = reader.enter(Tag.sequence, 'extensions');
  if (list.atEnd) throw new DerError('extensions are empty', list.end);
  const seen: string[] = [];
  const extension = new DerReader(list.bytes);
  const value = new DerReader(list.bytes);
  while (!list.atEnd) {
    if (seen.length === maxExtensions) throw new DerError('too many extensions', list.end);
    list.enterWith(extension, Tag.sequence, 'extension');
    const at = extension.end;
    const type = extension.oid('extension type');
    if (seen.includes(type)) throw new DerError('extension is repeated', at);
    seen.push(type);
    const critical = extension.nextTag === Tag.boolean && extension.boolean('critical');
    if (extension.tag === Tag.boolean && !critical) throw new DerError('critical encodes its default', extension.start);
    extension.enterWith(value, Tag.octetString, 'extension value');
    const { start, limit } = value;
    if (visit(type, critical, value)) value.finish('extension value');
    else checkNesting(list.bytes, { start, end: limit }, maxNestingOfOpaqueValues);
    extension.finish('extension');
  }
}
