import {
  ClientCertificateError,
  encodeClientCert,
  encodeClientCertChain,
  parseClientCert,
  parseClientCertChain,
} from '@peercert/core';
import * as fc from 'fast-check';
import { decodeBase64 } from '../../packages/core/src/x509/base64';
import { counterexample, octets } from './property';

/** What field values are made of, in any order, and text of any kind. */
const pieces = [':', 'AAEC', 'AA==', 'AAE=', 'A', '=', ',', ', ', ';', ';a', ';a=1', ';a="x"', ';a=%"%c3"', ' ', '\t'];
const fieldValue = fc
  .array(fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...pieces) }, fc.string({ unit: 'binary', maxLength: 3 })), {
    maxLength: 12,
  })
  .map((parts) => parts.join(''));
const fieldLines = fc.array(fc.oneof(fieldValue, octets(40, 1).map(encodeClientCert)), { maxLength: 4 });

function refusalOf(parse: () => unknown): ClientCertificateError | undefined {
  try {
    parse();
    return undefined;
  } catch (error) {
    if (!(error instanceof ClientCertificateError)) throw error;
    return error;
  }
}

describe('field lines from anywhere', () => {
  it('are octets of a Client-Cert, or refused with a ClientCertificateError', () => {
    expect(
      counterexample(
        fc.property(fieldLines, (lines) => {
          refusalOf(() => parseClientCert(lines));
        }),
        3_000,
      ),
    ).toBeUndefined();
  });

  it('are octets of a Client-Cert-Chain, or refused with a ClientCertificateError', () => {
    expect(
      counterexample(
        fc.property(fieldLines, (lines) => {
          refusalOf(() => parseClientCertChain(lines));
        }),
        3_000,
      ),
    ).toBeUndefined();
  });

  it('are never empty certificates', () => {
    expect(
      counterexample(
        fc.property(fieldLines, (lines) => {
          if (refusalOf(() => parseClientCertChain(lines)) !== undefined) return;
          expect(parseClientCertChain(lines).every(({ length }) => length > 0)).toBe(true);
        }),
      ),
    ).toBeUndefined();
  });
});

describe('what is encoded', () => {
  it('is parsed again to the same octets', () => {
    expect(
      counterexample(
        fc.property(octets(2_000, 1), (certificate) => {
          expect(parseClientCert([encodeClientCert(certificate)])).toEqual(certificate);
        }),
      ),
    ).toBeUndefined();
  });

  it('is parsed again to the same chain, over however many lines', () => {
    const chains = fc.array(octets(200, 1), { maxLength: 10 });
    expect(
      counterexample(
        fc.property(chains, fc.array(fc.boolean(), { minLength: 10, maxLength: 10 }), (chain, breaks) => {
          const lines = chain.reduce<Buffer[][]>((all, certificate, index) => {
            const current = all.at(-1);
            if (current === undefined || breaks[index] === true) return [...all, [certificate]];
            return [...all.slice(0, -1), [...current, certificate]];
          }, []);
          expect(parseClientCertChain(lines.map(encodeClientCertChain))).toEqual(chain);
        }),
      ),
    ).toBeUndefined();
  });
});

describe('base64', () => {
  /** RFC 4648 section 4, with or without padding: whole groups, and a last one of two or three characters. */
  const reference = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;
  const text = fc.string({
    unit: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...'ABYZabyz0189+/'.split('')) },
      { weight: 2, arbitrary: fc.constant('=') },
      { weight: 1, arbitrary: fc.constantFrom(' ', '\n', '-', '_', '\0', '\u00e9', '\uff21', ':', ',') },
    ),
    maxLength: 12,
  });

  it('is decoded exactly where the grammar allows it, to what Node reads in it', () => {
    let accepted = 0;
    expect(
      counterexample(
        fc.property(
          fc.oneof(
            text,
            octets(9).map((bytes) => bytes.toString('base64')),
          ),
          (value) => {
            const expected = reference.test(value) ? Buffer.from(value, 'base64') : undefined;
            if (expected !== undefined) accepted++;
            expect(decodeBase64(value)).toEqual(expected);
          },
        ),
        5_000,
      ),
    ).toBeUndefined();
    expect(accepted).toBeGreaterThan(1_000);
  });
});
