import { encodeClientCert, encodeClientCertChain, parseClientCert, parseClientCertChain } from '@peercert/core';
import { createAuthority } from '@peercert/testkit';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const root = createAuthority();
const intermediate = root.issueIntermediate();
const client = intermediate.issue();

const chain = [intermediate.der, root.der];
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** The largest certificate in base64, and 256 characters for delimiters and parameters. */
const longestCertificate = 22_102;
const longestChain = 65_536;

/** `:AAAA:` and a parameter that fills it to a length. */
const filled = (length: number): string => `:AAAA:;p=${'a'.repeat(length - 9)}`;

describe('Client-Cert', () => {
  it('round-trips a certificate', () => {
    expect(hex(parseClientCert([encodeClientCert(client.der)]))).toBe(hex(client.der));
  });

  it.each([1, 2, 3, 4, 16_384])('round-trips %d octets', (length) => {
    const bytes = Buffer.alloc(length, 0xa5);
    expect(hex(parseClientCert([encodeClientCert(bytes)]))).toBe(hex(bytes));
  });

  it('encodes a view of a larger buffer as the view alone', () => {
    expect(encodeClientCert(new Uint8Array([9, 0, 1, 2, 9]).subarray(1, 4))).toBe(':AAEC:');
  });

  it.each<[string, readonly string[], string]>([
    ['EN-01: no colons', ['AAAA'], 'a byte sequence does not begin with a colon'],
    ['EN-01: no colon behind', [':AAAA'], 'a byte sequence does not end with a colon'],
    ['EN-01: no colon before', ['AAAA:'], 'a byte sequence does not begin with a colon'],
    ['EN-02: a Boolean', ['?1'], 'a byte sequence does not begin with a colon'],
    ['EN-02: a String', ['"str"'], 'a byte sequence does not begin with a colon'],
    ['EN-02: a Token', ['token'], 'a byte sequence does not begin with a colon'],
    ['EN-04: the URL alphabet', [':-_AA:'], 'a byte sequence is not base64'],
    ['EN-06: too much padding', [':AAEC====:'], 'a byte sequence is not base64'],
    ['EN-07: an empty value', [''], 'a byte sequence does not begin with a colon'],
    ['EN-07: an empty Byte Sequence', ['::'], 'a byte sequence is empty'],
    ['EN-07: an empty Byte Sequence with a parameter', ['::;p=1'], 'a byte sequence is empty'],
    ['EN-07: only spaces', ['   '], 'a byte sequence does not begin with a colon'],
    ['CH-07: a list', [':AAEC:, :AAEC:'], 'something follows the byte sequence'],
    ['no line at all', [], 'there is none'],
  ])('rejects %s', (_, lines, reason) => {
    expect(() => parseClientCert(lines)).toThrowWithCode('ERR_HEADER_MALFORMED', { header: 'client-cert', reason });
  });

  it.each<[string, readonly string[]]>([
    ['the same line twice', [':AAEC:', ':AAEC:']],
    ['two different lines', [':AAEC:', ':AAED:']],
    ['an empty line beside a good one', [':AAEC:', '']],
    ['two empty lines', ['', '']],
  ])('CH-06: rejects %s', (_, lines) => {
    expect(() => parseClientCert(lines)).toThrowWithCode('ERR_HEADER_REPEATED', { header: 'client-cert', count: 2 });
  });

  it('CH-06: counts every line', () => {
    const lines = Array<string>(50).fill(':AAEC:');
    expect(() => parseClientCert(lines)).toThrowWithCode('ERR_HEADER_REPEATED', { header: 'client-cert', count: 50 });
  });

  it('EN-09: accepts the longest value', () => {
    expect(hex(parseClientCert([filled(longestCertificate)]))).toBe('000000');
  });

  it('EN-09: refuses a value one character longer before it is decoded', () => {
    const decoding = jest.spyOn(Buffer, 'allocUnsafeSlow');
    expect(() => parseClientCert([filled(longestCertificate + 1)])).toThrowWithCode('ERR_HEADER_TOO_LARGE', {
      header: 'client-cert',
      bytes: longestCertificate + 1,
      maximum: longestCertificate,
    });
    expect(decoding).not.toHaveBeenCalled();
    decoding.mockRestore();
  });

  it('EN-09: refuses ten megabytes', () => {
    expect(() => parseClientCert(['A'.repeat(10_000_000)])).toThrowWithCode('ERR_HEADER_TOO_LARGE', {
      header: 'client-cert',
      bytes: 10_000_000,
      maximum: longestCertificate,
    });
  });
});

describe('Client-Cert-Chain', () => {
  it('round-trips a chain in its order', () => {
    expect(parseClientCertChain([encodeClientCertChain(chain)]).map(hex)).toEqual(chain.map(hex));
  });

  it('EN-10: writes an empty chain as an empty string, which parses as an empty chain', () => {
    expect(encodeClientCertChain([])).toBe('');
    expect(parseClientCertChain([''])).toEqual([]);
    expect(parseClientCertChain([])).toEqual([]);
  });

  it('EN-11: parses three lines like one', () => {
    const certificates = [intermediate.der, root.der, client.der];
    const oneLine = parseClientCertChain([encodeClientCertChain(certificates)]);
    expect(parseClientCertChain(certificates.map(encodeClientCert)).map(hex)).toEqual(oneLine.map(hex));
  });

  it('accepts ten certificates', () => {
    const ten = Array<Buffer>(10).fill(root.der);
    expect(parseClientCertChain([encodeClientCertChain(ten)])).toHaveLength(10);
  });

  it.each([11, 100, 1_000])('EN-14: refuses %d certificates before anything is decoded', (count) => {
    const decoding = jest.spyOn(Buffer, 'allocUnsafeSlow');
    const line = Array(count).fill(':AAEC:').join(', ');
    expect(() => parseClientCertChain([line])).toThrowWithCode('ERR_CHAIN_TOO_LONG', { count: 11, maximum: 10 });
    expect(decoding).not.toHaveBeenCalled();
    decoding.mockRestore();
  });

  it('EN-14: refuses eleven certificates over eleven lines', () => {
    const lines = Array<string>(11).fill(':AAEC:');
    expect(() => parseClientCertChain(lines)).toThrowWithCode('ERR_CHAIN_TOO_LONG', { count: 11, maximum: 10 });
  });

  it('EN-13: refuses fifty copies of one certificate by their number', () => {
    const line = encodeClientCertChain(Array<Buffer>(50).fill(root.der));
    expect(() => parseClientCertChain([line])).toThrowWithCode('ERR_CHAIN_TOO_LONG', { count: 11, maximum: 10 });
  });

  it.each<[string, readonly string[], string]>([
    ['EN-12: a Token among good members', [':AAEC:, token'], 'a byte sequence does not begin with a colon'],
    ['EN-12: bad base64 among good members', [':AAEC:, :A*:, :AAEC:'], 'a byte sequence is not base64'],
    ['EN-12: an empty Byte Sequence among good members', [':AAEC:, ::, :AAEC:'], 'a byte sequence is empty'],
    ['EN-07: one empty Byte Sequence', ['::'], 'a byte sequence is empty'],
    ['a comma at the end', [':AAEC:,'], 'the list ends in a comma'],
  ])('rejects %s', (_, lines, reason) => {
    expect(() => parseClientCertChain(lines)).toThrowWithCode('ERR_HEADER_MALFORMED', {
      header: 'client-cert-chain',
      reason,
    });
  });

  it('EN-09: accepts the longest value, over all its lines', () => {
    expect(parseClientCertChain([filled(longestChain)]).map(hex)).toEqual(['000000']);
    expect(parseClientCertChain([':AAAA:', filled(longestChain - 6)])).toHaveLength(2);
  });

  it.each<[string, readonly string[]]>([
    ['in one line', [filled(longestChain + 1)]],
    ['in two lines', [':AAAA:', filled(longestChain - 5)]],
  ])('EN-09: refuses a value one character longer %s before it is decoded', (_, lines) => {
    const decoding = jest.spyOn(Buffer, 'allocUnsafeSlow');
    expect(() => parseClientCertChain(lines)).toThrowWithCode('ERR_HEADER_TOO_LARGE', {
      header: 'client-cert-chain',
      bytes: longestChain + 1,
      maximum: longestChain,
    });
    expect(decoding).not.toHaveBeenCalled();
    decoding.mockRestore();
  });
});

describe('the example of RFC 9440, appendix A', () => {
  const clientCert =
    ':MIIBqDCCAU6gAwIBAgIBBzAKBggqhkjOPQQDAjA6MRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxGzAZBgNVBAMMEkxBIEludGVybWVk' +
    'aWF0ZSBDQTAeFw0yMDAxMTQyMjU1MzNaFw0yMTAxMjMyMjU1MzNaMA0xCzAJBgNVBAMMAkJDMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8Y' +
    'nXXfaUgmnMtOXU/IncWalRhebrXmckC8vdgJ1p5Be5F/3YC8OthxM4+k1M6aEAEFcGzkJiNy6J84y7uzo9M6NyMHAwCQYDVR0TBAIwADAfBgNV' +
    'HSMEGDAWgBRm3WjLa38lbEYCuiCPct0ZaSED2DAOBgNVHQ8BAf8EBAMCBsAwEwYDVR0lBAwwCgYIKwYBBQUHAwIwHQYDVR0RAQH/BBMwEYEPYm' +
    'RjQGV4YW1wbGUuY29tMAoGCCqGSM49BAMCA0gAMEUCIBHda/r1vaL6G3VliL4/Di6YK0Q6bMjeSkC3dFCOOB8TAiEAx/kHSB4urmiZ0NX5r5Xa' +
    'rmPk0wmuydBVoU4hBVZ1yhk=:';

  it('round-trips', () => {
    expect(encodeClientCert(parseClientCert([clientCert]))).toBe(clientCert);
  });
});
