import { TrustStore, TrustStoreError } from '@peercert/core';
import { createAuthority } from '@peercert/testkit';
import * as fc from 'fast-check';
import { counterexample, octets } from './property';

const { pem } = createAuthority();
const [begin = '', ...lines] = pem.trim().split('\n');
const end = lines.pop() ?? '';

/** What bundles are made of, in any order, and text of any kind. */
const piece = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(pem, begin, end, lines.join('\n'), '\n', '\r\n', '\r') },
  { weight: 1, arbitrary: fc.constantFrom('-----BEGIN EC PRIVATE KEY-----', '-----', '\uFEFF', ' ', 'MIIB', '=', '') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }) },
  { weight: 1, arbitrary: octets(40).map((bytes) => `${begin}\n${bytes.toString('base64')}\n${end}\n`) },
);
const bundle = fc.array(piece, { maxLength: 8 }).map((parts) => parts.join(''));

function sizeOf(make: () => TrustStore): number | undefined {
  try {
    return make().size;
  } catch (error) {
    if (!(error instanceof TrustStoreError)) throw error;
    return undefined;
  }
}

describe('a PEM bundle from anywhere', () => {
  it('is a trust store, or refused with a TrustStoreError', () => {
    let accepted = 0;
    expect(
      counterexample(
        fc.property(bundle, (text) => {
          if (sizeOf(() => TrustStore.fromPem(text)) !== undefined) accepted++;
        }),
        2_000,
      ),
    ).toBeUndefined();
    expect(accepted).toBeGreaterThan(50);
  });

  it('says the same as text and as octets, where it is ASCII', () => {
    // oxlint-disable-next-line no-control-regex -- exactly the ASCII range is meant
    const ascii = bundle.filter((text) => /^[\x00-\x7f]*$/.test(text));
    expect(
      counterexample(
        fc.property(ascii, (text) => {
          expect(sizeOf(() => TrustStore.fromPem(Buffer.from(text)))).toBe(sizeOf(() => TrustStore.fromPem(text)));
        }),
      ),
    ).toBeUndefined();
  });

  it('is refused with a TrustStoreError where it is intermediates, too', () => {
    expect(
      counterexample(
        fc.property(bundle, (intermediates) => {
          sizeOf(() => TrustStore.fromPem(pem, { intermediates }));
        }),
      ),
    ).toBeUndefined();
  });

  it('is a trust store of DER, or refused with a TrustStoreError', () => {
    expect(
      counterexample(
        fc.property(fc.array(octets(64), { maxLength: 3 }), (certificates) => {
          sizeOf(() => TrustStore.fromDer(certificates));
        }),
      ),
    ).toBeUndefined();
  });
});
