import { createAuthority, der, encodeName } from '@peercert/testkit';
import { Certificate } from '../../../../packages/core/src/x509/certificate';
import { DerReader } from '../../../../packages/core/src/x509/der';
import {
  decodeCrlDistributionPoints,
  decodeIssuingDistributionPoint,
  type DistributionPoint,
  type DistributionPointName,
  type IssuingDistributionPoint,
} from '../../../../packages/core/src/x509/distribution-points';
import { nameKey } from '../../../../packages/core/src/x509/name';
import { oid } from '../../../../packages/core/src/x509/oid';
import { hex, nested } from '../../../support/encodings';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const none = Buffer.alloc(0);
const url = 'http://crl.example.com/1.crl';
const uri = (text: string): Buffer => der.implicit(6, Buffer.from(text));
/** The whole distributionPoint field with a fullName. */
const fullName = (...names: readonly Buffer[]): Buffer => der.explicit(0, der.explicit(0, ...names));

const decodePoints = (bytes: Buffer): readonly DistributionPoint[] =>
  decodeCrlDistributionPoints(bytes, { start: 0, end: bytes.length });
const points = (...contents: readonly Buffer[]): Buffer =>
  der.sequence(Buffer.concat(contents.map((content) => der.sequence(content))));
const scope = (...fields: readonly Buffer[]): IssuingDistributionPoint => {
  const reader = new DerReader(der.sequence(...fields));
  const decoded = decodeIssuingDistributionPoint(reader);
  reader.finish('value');
  return decoded;
};

const name = (fields: Partial<DistributionPointName>): DistributionPointName => ({
  uris: [],
  directoryNames: [],
  other: 0,
  relativeToIssuer: false,
  ...fields,
});
const everything: IssuingDistributionPoint = {
  distributionPoint: undefined,
  onlyContainsUserCerts: false,
  onlyContainsCACerts: false,
  onlyContainsAttributeCerts: false,
  indirectCRL: false,
  onlySomeReasons: undefined,
};

describe('cRLDistributionPoints', () => {
  it('are found in a certificate and decoded', () => {
    const certificate = new Certificate(
      createAuthority().issue({ crlDistributionPoints: [url, 'http://b.example/2.crl'] }).der,
    );
    const range = certificate.extensionValue(oid('2.5.29.31'));
    expect(range && decodeCrlDistributionPoints(certificate.der, range)).toEqual([
      { name: name({ uris: [url] }), reasons: undefined, hasCrlIssuer: false },
      { name: name({ uris: ['http://b.example/2.crl'] }), reasons: undefined, hasCrlIssuer: false },
    ]);
  });

  it.each<[string, Buffer, Partial<DistributionPoint>]>([
    ['several names', fullName(uri(url), uri('ldap://x')), { name: name({ uris: [url, 'ldap://x'] }) }],
    [
      'a name relative to the issuer',
      der.explicit(0, der.explicit(1, none)),
      { name: name({ relativeToIssuer: true }) },
    ],
    [
      'names of other forms',
      fullName(der.implicit(2, Buffer.from('a')), der.explicit(0), uri(url)),
      { name: name({ uris: [url], other: 2 }) },
    ],
    ['reasons', der.implicit(1, hex('06 40')), { reasons: 1 << 1 }],
    ['the last of the reasons', der.implicit(1, hex('07 0080')), { reasons: 1 << 8 }],
    ['no reasons', der.implicit(1, hex('00')), { reasons: 0 }],
    ['an issuer of its CRL', der.explicit(2, der.explicit(4, encodeName('CN=x'))), { hasCrlIssuer: true }],
    ['nothing at all', none, {}],
  ])('may have %s', (_, content, expected) => {
    expect(decodePoints(points(content))).toEqual([
      { name: undefined, reasons: undefined, hasCrlIssuer: false, ...expected },
    ]);
  });

  it('name directories so that equal names are equal', () => {
    const directory = (text: string): Buffer => fullName(der.explicit(4, encodeName(text)));
    const [one, other, third] = ['CN=Crl 1,O=Example', 'CN=CRL  1,O=EXAMPLE', 'CN=Crl 2,O=Example'].map(
      (text) => decodePoints(points(directory(text)))[0]?.name?.directoryNames,
    );
    const written = encodeName('CN=Crl 1,O=Example');
    expect(one).toEqual([nameKey(written, { start: 0, end: written.length })]);
    expect(other).toEqual(one);
    expect(third).not.toEqual(one);
  });

  it.each<[string, Buffer, string, number]>([
    ['no distribution point', der.sequence(), 'cRLDistributionPoints are empty', 2],
    ['a SET', der.set(), 'cRLDistributionPoints expected', 0],
    [
      'more behind them',
      Buffer.concat([points(none), none, der.null()]),
      'unexpected data after cRLDistributionPoints',
      4,
    ],
    ['a distribution point that is no SEQUENCE', der.sequence(der.null()), 'distribution point expected', 2],
    ['a field nobody knows', points(der.implicit(3, none)), 'unexpected data after distribution point', 4],
    [
      'fields in another order',
      points(Buffer.concat([der.implicit(1, hex('00')), fullName(uri(url))])),
      'unexpected data after distribution point',
      7,
    ],
    ['a name of neither kind', points(der.explicit(0, der.explicit(2))), 'distributionPoint: name expected', 6],
    [
      'a name of both kinds',
      points(der.explicit(0, der.explicit(0, uri('a')), der.explicit(1))),
      'unexpected data after distributionPoint',
      11,
    ],
    ['no names in a name', points(fullName()), 'distributionPoint has no names', 8],
    ['an empty URI', points(fullName(uri(''))), 'distributionPoint holds an empty name', 10],
    ['a URI with a NUL', points(fullName(uri('a\0'))), 'distributionPoint holds a name that is not ASCII text', 11],
    [
      'a URI that is not ASCII',
      points(fullName(uri('\u00e9'))),
      'distributionPoint holds a name that is not ASCII text',
      10,
    ],
    [
      'a form of name nobody knows',
      points(fullName(der.implicit(9, none))),
      'distributionPoint holds an unknown form of name',
      8,
    ],
    ['a URI in pieces', points(fullName(der.explicit(6))), 'distributionPoint holds an unknown form of name', 8],
    [
      'a directory of two names',
      points(fullName(der.explicit(4, der.sequence(), der.sequence()))),
      'unexpected data after distributionPoint',
      12,
    ],
    ['a name that is nested too deeply', points(fullName(der.explicit(0, nested(33)))), 'nested too deeply', 74],
  ])('reject %s', (_, bytes, reason, offset) => {
    expect(() => decodePoints(bytes)).toThrowDerError(reason, offset);
  });

  it('RV-05: reject reasons without an octet, and with bits that are not there', () => {
    expect(() => decodePoints(points(der.implicit(1, none)))).toThrowDerError('reasons is not a set of named bits', 6);
    expect(() => decodePoints(points(der.implicit(1, hex('07'))))).toThrowDerError(
      'reasons is not a set of named bits',
      6,
    );
    expect(() => decodePoints(points(der.implicit(1, hex('00 40'))))).toThrowDerError(
      'reasons is not a set of named bits',
      6,
    );
  });

  it('SS-03: are 1,000 at most', () => {
    const many = (count: number): Buffer => points(...Array.from({ length: count }, () => none));
    expect(decodePoints(many(1_000))).toHaveLength(1_000);
    expect(() => decodePoints(many(1_001))).toThrowDerError('too many distribution points', 2_004);
  });

  it('have 500 names each at most', () => {
    const many = (count: number): Buffer => points(fullName(...Array.from({ length: count }, () => uri('a'))));
    expect(decodePoints(many(500))[0]?.name?.uris).toHaveLength(500);
    expect(() => decodePoints(many(501))).toThrowDerError('distributionPoint has too many names', 1_516);
  });

  it('are read between start and end only', () => {
    const bytes = Buffer.concat([points(none), points(fullName(uri(url)))]);
    expect(decodeCrlDistributionPoints(bytes, { start: 4, end: bytes.length })).toHaveLength(1);
    expect(() => decodeCrlDistributionPoints(bytes, { start: 4, end: bytes.length - 1 })).toThrowDerError(
      'element is longer than what holds it',
      4,
    );
  });
});

describe('issuingDistributionPoint', () => {
  const flag = (number: number): Buffer => der.implicit(number, hex('ff'));

  it.each<[string, readonly Buffer[], Partial<IssuingDistributionPoint>]>([
    ['nothing', [], {}],
    ['a name', [fullName(uri(url))], { distributionPoint: name({ uris: [url] }) }],
    ['onlyContainsUserCerts', [flag(1)], { onlyContainsUserCerts: true }],
    ['onlyContainsCACerts', [flag(2)], { onlyContainsCACerts: true }],
    ['onlySomeReasons', [der.implicit(3, hex('05 60'))], { onlySomeReasons: (1 << 1) | (1 << 2) }],
    ['indirectCRL', [flag(4)], { indirectCRL: true }],
    ['onlyContainsAttributeCerts', [flag(5)], { onlyContainsAttributeCerts: true }],
    [
      'all that contradicts itself',
      [flag(1), flag(2), flag(5)],
      { onlyContainsUserCerts: true, onlyContainsCACerts: true, onlyContainsAttributeCerts: true },
    ],
  ])('may say %s', (_, fields, expected) => {
    expect(scope(...fields)).toEqual({ ...everything, ...expected });
  });

  it('RV-05: may have no reasons in onlySomeReasons, but not no octet', () => {
    expect(scope(der.implicit(3, hex('00')))).toEqual({ ...everything, onlySomeReasons: 0 });
    expect(() => scope(der.implicit(3, none))).toThrowDerError('reasons is not a set of named bits', 4);
  });

  it.each<[string, readonly Buffer[], string, number]>([
    ['a flag that is false', [der.implicit(1, hex('00'))], 'onlyContainsUserCerts encodes its default', 4],
    ['a flag that is BER', [der.implicit(2, hex('01'))], 'onlyContainsCACerts is not a DER BOOLEAN', 4],
    ['a flag of no octet', [der.implicit(4, none)], 'indirectCRL is not a DER BOOLEAN', 4],
    ['a flag of two octets', [der.implicit(5, hex('ff ff'))], 'onlyContainsAttributeCerts is not a DER BOOLEAN', 4],
    ['a flag twice', [flag(1), flag(1)], 'unexpected data after issuingDistributionPoint', 5],
    ['flags in another order', [flag(2), flag(1)], 'unexpected data after issuingDistributionPoint', 5],
    ['a field nobody knows', [flag(6)], 'unexpected data after issuingDistributionPoint', 2],
    ['no names in a name', [fullName()], 'distributionPoint has no names', 6],
    ['an implicit name', [der.explicit(0, uri(url))], 'distributionPoint: name expected', 4],
  ])('rejects %s', (_, fields, reason, offset) => {
    expect(() => scope(...fields)).toThrowDerError(reason, offset);
  });
});
