import { contextTag, DerError, DerReader, type Range, Tag } from './der';
import { nameKey, readName } from './name';

/** DistributionPointName (RFC 5280 section 4.2.1.13): names of one place where a CRL is, or what such a place is called. */
export interface DistributionPointName {
  /** As they stand, ASCII. */
  readonly uris: readonly string[];
  /** Equal for equal names, see {@link nameKey}. */
  readonly directoryNames: readonly string[];
  /** How many names there are of forms that are not read. */
  readonly other: number;
  /** Whether it is nameRelativeToCRLIssuer, which is not read: then there are no names. */
  readonly relativeToIssuer: boolean;
}

/** One element of cRLDistributionPoints (RFC 5280 section 4.2.1.13). */
export interface DistributionPoint {
  readonly name: DistributionPointName | undefined;
  /** Set of ReasonFlags: bit 1 is keyCompromise, as in RFC 5280. Undefined: all reasons. */
  readonly reasons: number | undefined;
  /** Whether somebody else issues the CRL: an indirect CRL, or one of a key of its own. */
  readonly hasCrlIssuer: boolean;
}

/** issuingDistributionPoint (RFC 5280 section 5.2.5): the scope of a CRL. */
export interface IssuingDistributionPoint {
  readonly distributionPoint: DistributionPointName | undefined;
  readonly onlyContainsUserCerts: boolean;
  readonly onlyContainsCACerts: boolean;
  readonly onlyContainsAttributeCerts: boolean;
  readonly indirectCRL: boolean;
  /** Set of ReasonFlags: bit 1 is keyCompromise, as in RFC 5280. Undefined: all reasons. */
  readonly onlySomeReasons: number | undefined;
}

/** More distribution points than this in one certificate are refused. */
const maxDistributionPoints = 1_000;

/** More names than this in one distribution point are refused. */
const maxNames = 500;

/** otherName, rfc822Name, dNSName, x400Address, ediPartyName, iPAddress and registeredID. */
const otherForms = new Set([
  contextTag(0, 'constructed'),
  contextTag(1, 'primitive'),
  contextTag(2, 'primitive'),
  contextTag(3, 'constructed'),
  contextTag(5, 'constructed'),
  contextTag(7, 'primitive'),
  contextTag(8, 'primitive'),
]);

const uriTag = contextTag(6, 'primitive');
const directoryNameTag = contextTag(4, 'constructed');

/**
 * Decodes cRLDistributionPoints (RFC 5280 section 4.2.1.13), and freshestCRL, which is written the same: at least one.
 *
 * @param range - The contents of extnValue.
 * @throws {DerError}
 */
export function decodeCrlDistributionPoints(bytes: Buffer, range: Range): readonly DistributionPoint[] {
  const value = new DerReader(bytes, range.start, range.end);
  const list = value.enter(Tag.sequence, 'cRLDistributionPoints');
  value.finish('cRLDistributionPoints');
  if (list.atEnd) throw new DerError('cRLDistributionPoints are empty', list.end);
  const points: DistributionPoint[] = [];
  while (!list.atEnd) {
    if (points.length === maxDistributionPoints) throw new DerError('too many distribution points', list.end);
    points.push(decodeDistributionPoint(list.enter(Tag.sequence, 'distribution point')));
  }
  return points;
}

/** NOTE: one that has neither name nor cRLIssuer is read; section 4.2.1.13 forbids CAs to write it. It leads nowhere. */
function decodeDistributionPoint(point: DerReader): DistributionPoint {
  const name = decodePointName(point);
  const reasons = decodeReasonFlags(point, 1);
  const hasCrlIssuer = point.nextTag === contextTag(2, 'constructed');
  if (hasCrlIssuer) point.readOpaque();
  point.finish('distribution point');
  return { name, reasons, hasCrlIssuer };
}

/**
 * Decodes issuingDistributionPoint (RFC 5280 section 5.2.5).
 *
 * NOTE: an empty one, and one with several of the onlyContains fields, are read; section 5.2.5 forbids CRL issuers to write
 * them. The first says nothing, and nothing is in the scope of the second.
 */
export function decodeIssuingDistributionPoint(value: DerReader): IssuingDistributionPoint {
  const fields = value.enter(Tag.sequence, 'issuingDistributionPoint');
  const distributionPoint = decodePointName(fields);
  const onlyContainsUserCerts = decodeFlag(fields, 1, 'onlyContainsUserCerts');
  const onlyContainsCACerts = decodeFlag(fields, 2, 'onlyContainsCACerts');
  const onlySomeReasons = decodeReasonFlags(fields, 3);
  const indirectCRL = decodeFlag(fields, 4, 'indirectCRL');
  const onlyContainsAttributeCerts = decodeFlag(fields, 5, 'onlyContainsAttributeCerts');
  fields.finish('issuingDistributionPoint');
  return {
    distributionPoint,
    onlyContainsUserCerts,
    onlyContainsCACerts,
    onlyContainsAttributeCerts,
    indirectCRL,
    onlySomeReasons,
  };
}

/** `[number] IMPLICIT BOOLEAN DEFAULT FALSE` */
function decodeFlag(reader: DerReader, number: number, what: string): boolean {
  if (reader.nextTag !== contextTag(number, 'primitive')) return false;
  const { bytes, start, end } = reader.read();
  const value = end - start === 1 ? bytes[start] : undefined;
  if (value === 0x00) throw new DerError(`${what} encodes its default`, start);
  if (value !== 0xff) throw new DerError(`${what} is not a DER BOOLEAN`, start);
  return true;
}

/** `[number] IMPLICIT ReasonFlags OPTIONAL`. No reasons at all are an empty set, which is 0. */
function decodeReasonFlags(reader: DerReader, number: number): number | undefined {
  const tag = contextTag(number, 'primitive');
  return reader.nextTag === tag ? reader.namedBits('reasons', tag) : undefined;
}

/** `[0] DistributionPointName OPTIONAL`, explicit because it is a CHOICE: fullName `[0]` or nameRelativeToCRLIssuer `[1]`. */
function decodePointName(reader: DerReader): DistributionPointName | undefined {
  if (reader.nextTag !== contextTag(0, 'constructed')) return undefined;
  const choice = reader.enter(reader.nextTag, 'distributionPoint');
  let name: DistributionPointName;
  if (choice.nextTag === contextTag(1, 'constructed')) {
    choice.readOpaque();
    name = { uris: [], directoryNames: [], other: 0, relativeToIssuer: true };
  } else {
    name = decodeFullName(choice.enter(contextTag(0, 'constructed'), 'distributionPoint: name'));
  }
  choice.finish('distributionPoint');
  return name;
}

function decodeFullName(names: DerReader): DistributionPointName {
  if (names.atEnd) throw new DerError('distributionPoint has no names', names.end);
  const uris: string[] = [];
  const directoryNames: string[] = [];
  let other = 0;
  while (!names.atEnd) {
    if (uris.length + directoryNames.length + other === maxNames) {
      throw new DerError('distributionPoint has too many names', names.end);
    }
    if (names.nextTag === uriTag) uris.push(decodeUri(names.read()));
    else if (names.nextTag === directoryNameTag) directoryNames.push(decodeDirectoryName(names));
    else if (otherForms.has(names.nextTag)) {
      names.readOpaque();
      other += 1;
    } else throw new DerError('distributionPoint holds an unknown form of name', names.end);
  }
  return { uris, directoryNames, other, relativeToIssuer: false };
}

function decodeUri({ bytes, start, end }: DerReader): string {
  if (start === end) throw new DerError('distributionPoint holds an empty name', start);
  for (let at = start; at < end; at++) {
    const octet = bytes[at] as number;
    if (octet === 0 || octet >= 0x80) throw new DerError('distributionPoint holds a name that is not ASCII text', at);
  }
  return bytes.toString('latin1', start, end);
}

/** directoryName is a CHOICE, so its tag is explicit. */
function decodeDirectoryName(names: DerReader): string {
  const directory = names.enter(directoryNameTag, 'distributionPoint');
  const range = readName(directory, 'distributionPoint');
  directory.finish('distributionPoint');
  return nameKey(directory.bytes, range);
}
