import { der } from '@peercert/testkit';
import * as fc from 'fast-check';
import { octets } from './property';

const primitiveTags = [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x13, 0x17, 0x18, 0x1e, 0x80, 0x81, 0x82, 0x86, 0x87];
const constructedTags = [0x30, 0x30, 0x31, 0xa0, 0xa1, 0xa3, 0xa4];

const { element } = fc.letrec<{ element: Buffer }>((tie) => ({
  element: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    fc.tuple(fc.constantFrom(...primitiveTags), octets(12)).map(([tag, content]) => der.tlv(tag, content)),
    fc
      .tuple(fc.constantFrom(...constructedTags), fc.array(tie('element'), { maxLength: 4 }))
      .map(([tag, parts]) => der.tlv(tag, Buffer.concat(parts))),
  ),
}));

/** Octets that are DER, or nearly so, or anything. */
export const nearlyDer: fc.Arbitrary<Buffer> = fc.oneof(
  element,
  fc.tuple(element, octets(3)).map(([bytes, more]) => Buffer.concat([bytes, more])),
  fc.tuple(element, fc.nat(), fc.nat(255)).map(([bytes, at, octet]) => {
    bytes[at % bytes.length] = octet;
    return bytes;
  }),
  fc.tuple(element, fc.nat()).map(([bytes, at]) => bytes.subarray(0, at % bytes.length)),
  octets(32),
);
