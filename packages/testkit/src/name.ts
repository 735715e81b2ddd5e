// oxlint-disable-next-line import/no-unassigned-import -- @peculiar/x509 needs it loaded first; this is the one place
import 'reflect-metadata';
import { Name } from '@peculiar/x509';
import { der } from './der';

/** ASN.1 string types an attribute value can have. */
export type StringType = 'utf8String' | 'printableString' | 'teletexString' | 'ia5String' | 'bmpString';

/** One attribute of a relative distinguished name. */
export interface NameAttribute {
  /** `CN`, `O`, `OU`, `C`, `ST`, `L`, `DC`, `UID`, `serialNumber`, `emailAddress`, or a dotted object identifier. */
  readonly type: string;
  /** Text, or a whole DER element written as it is. */
  readonly value: string | Uint8Array;
  /** Type of the text. Default `utf8String`; `printableString` for C and serialNumber, `ia5String` for DC and emailAddress. */
  readonly as?: StringType;
}

/**
 * A distinguished name, first relative distinguished name first:
 * text as `@peculiar/x509` parses it (`'CN=device-1,O=Example'`, in the order written; `''` is the empty name);
 * or one entry per relative distinguished name, an array where it has several attributes;
 * or the DER encoding of a Name, as it is.
 */
export type DistinguishedName = string | readonly (NameAttribute | readonly NameAttribute[])[] | Uint8Array;

const attributeTypes: Readonly<Record<string, readonly [oid: string, as: StringType]>> = {
  CN: ['2.5.4.3', 'utf8String'],
  serialNumber: ['2.5.4.5', 'printableString'],
  C: ['2.5.4.6', 'printableString'],
  L: ['2.5.4.7', 'utf8String'],
  ST: ['2.5.4.8', 'utf8String'],
  O: ['2.5.4.10', 'utf8String'],
  OU: ['2.5.4.11', 'utf8String'],
  UID: ['0.9.2342.19200300.100.1.1', 'utf8String'],
  DC: ['0.9.2342.19200300.100.1.25', 'ia5String'],
  emailAddress: ['1.2.840.113549.1.9.1', 'ia5String'],
};

function encodeAttribute({ type, value, as }: NameAttribute): Buffer {
  const [oid, defaultType] = attributeTypes[type] ?? [type, 'utf8String'];
  const encoded = typeof value === 'string' ? der[as ?? defaultType](value) : value;
  return der.sequence(der.oid(oid), encoded);
}

/**
 * Encodes a distinguished name. Attributes of one relative distinguished name are sorted as DER wants a SET OF.
 *
 * @throws Error if the text is not a name, TypeError if an attribute type is neither known nor an object identifier.
 */
export function encodeName(name: DistinguishedName): Buffer {
  if (name instanceof Uint8Array) return Buffer.from(name);
  if (name === '') return der.sequence();
  if (typeof name === 'string') return Buffer.from(new Name(name).toArrayBuffer());
  return der.sequence(
    ...name.map((rdn) => {
      const attributes = 'type' in rdn ? [rdn] : rdn;
      return der.set(...attributes.map(encodeAttribute).toSorted((a, b) => a.compare(b)));
    }),
  );
}
