import { encodeClientCert } from '@peercert/core';
import { clientCertFieldLines } from '@peercert/edge';
import { createAuthority, selfSigned } from '@peercert/testkit';

/** The example of RFC 9440 Appendix A, figures 1 and 2 joined into lines. */
const rfc9440 = {
  endEntity:
    'MIIBqDCCAU6gAwIBAgIBBzAKBggqhkjOPQQDAjA6MRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxGzAZBgNVBAMMEkxBIEludGVybWVkaWF0ZSBDQTAeFw0yMDAxMTQyMjU1MzNaFw0yMTAxMjMyMjU1MzNaMA0xCzAJBgNVBAMMAkJDMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8YnXXfaUgmnMtOXU/IncWalRhebrXmckC8vdgJ1p5Be5F/3YC8OthxM4+k1M6aEAEFcGzkJiNy6J84y7uzo9M6NyMHAwCQYDVR0TBAIwADAfBgNVHSMEGDAWgBRm3WjLa38lbEYCuiCPct0ZaSED2DAOBgNVHQ8BAf8EBAMCBsAwEwYDVR0lBAwwCgYIKwYBBQUHAwIwHQYDVR0RAQH/BBMwEYEPYmRjQGV4YW1wbGUuY29tMAoGCCqGSM49BAMCA0gAMEUCIBHda/r1vaL6G3VliL4/Di6YK0Q6bMjeSkC3dFCOOB8TAiEAx/kHSB4urmiZ0NX5r5XarmPk0wmuydBVoU4hBVZ1yhk=',
  intermediate:
    'MIIB5jCCAYugAwIBAgIBFjAKBggqhkjOPQQDAjBWMQswCQYDVQQGEwJVUzEbMBkGA1UECgwSTGV0J3MgQXV0aGVudGljYXRlMSowKAYDVQQDDCFMZXQncyBBdXRoZW50aWNhdGUgUm9vdCBBdXRob3JpdHkwHhcNMjAwMTE0MjEzMjMwWhcNMzAwMTExMjEzMjMwWjA6MRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxGzAZBgNVBAMMEkxBIEludGVybWVkaWF0ZSBDQTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJf+aA54RC5pyLAR5yfXVYmNpgd+CGUTDp2KOGhc0gK91zxhHesEYkdXkpS2UN8Kati+yHtWCV3kkhCngGyv7RqjZjBkMB0GA1UdDgQWBBRm3WjLa38lbEYCuiCPct0ZaSED2DAfBgNVHSMEGDAWgBTEA2Q6eecKu9g9yb5glbkhhVINGDASBgNVHRMBAf8ECDAGAQH/AgEAMA4GA1UdDwEB/wQEAwIBhjAKBggqhkjOPQQDAgNJADBGAiEA5pLvaFwRRkxomIAtDIwg9D7gC1xzxBl4r28EzmSO1pcCIQCJUShpSXO9HDIQMUgH69fNDEMHXD3RRX5gP7kuu2KGMg==',
  root: 'MIICBjCCAaygAwIBAgIJAKS0yiqKtlhoMAoGCCqGSM49BAMCMFYxCzAJBgNVBAYTAlVTMRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxKjAoBgNVBAMMIUxldCdzIEF1dGhlbnRpY2F0ZSBSb290IEF1dGhvcml0eTAeFw0yMDAxMTQyMTI1NDVaFw00MDAxMDkyMTI1NDVaMFYxCzAJBgNVBAYTAlVTMRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxKjAoBgNVBAMMIUxldCdzIEF1dGhlbnRpY2F0ZSBSb290IEF1dGhvcml0eTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFoaHU+Z5bPKmGzlYXtCf+E6HYj62fORaHDOrt+yyh3H/rTcs7ynFfGn+gyFsrSP3Ez88rajv+U2NfD0o0uZ4PmjYzBhMB0GA1UdDgQWBBTEA2Q6eecKu9g9yb5glbkhhVINGDAfBgNVHSMEGDAWgBTEA2Q6eecKu9g9yb5glbkhhVINGDAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIBhjAKBggqhkjOPQQDAgNIADBFAiEAmAeg1ycKHriqHnaD4M/UDBpQRpkmdcRFYGMg1Qyrkx4CIB4ivz3wQcQkGhcsUZ1SOImd/lq1Q0FLf09rGfLQPWDc',
};
const certificates = Object.values(rfc9440).map((base64) => Buffer.from(base64, 'base64'));

describe('clientCertFieldLines', () => {
  it('writes the example of RFC 9440 Appendix A as the RFC does', () => {
    expect(clientCertFieldLines(certificates)).toEqual([
      ['Client-Cert', `:${rfc9440.endEntity}:`],
      ['Client-Cert-Chain', `:${rfc9440.intermediate}:, :${rfc9440.root}:`],
    ]);
  });

  it('writes one Client-Cert-Chain line for each certificate when told to', () => {
    expect(clientCertFieldLines(certificates, { chainFieldLines: 'one-per-certificate' })).toEqual([
      ['Client-Cert', `:${rfc9440.endEntity}:`],
      ['Client-Cert-Chain', `:${rfc9440.intermediate}:`],
      ['Client-Cert-Chain', `:${rfc9440.root}:`],
    ]);
  });

  it('leaves out a presented root when told to, and keeps the intermediate', () => {
    expect(clientCertFieldLines(certificates, { presentedRoot: 'omit' })).toEqual([
      ['Client-Cert', `:${rfc9440.endEntity}:`],
      ['Client-Cert-Chain', `:${rfc9440.intermediate}:`],
    ]);
  });

  it.each(['one', 'one-per-certificate'] as const)(
    'writes no Client-Cert-Chain for a single certificate with chainFieldLines "%s"',
    (chainFieldLines) => {
      expect(clientCertFieldLines(certificates.slice(0, 1), { chainFieldLines })).toEqual([
        ['Client-Cert', `:${rfc9440.endEntity}:`],
      ]);
    },
  );

  it('writes no Client-Cert-Chain when a root was all that followed and is left out', () => {
    const root = createAuthority();
    const client = root.issue();
    expect(clientCertFieldLines([client.der, root.der], { presentedRoot: 'omit' })).toEqual([
      ['Client-Cert', encodeClientCert(client.der)],
    ]);
  });

  it('writes a self-signed certificate in the first place although roots are left out', () => {
    const client = selfSigned();
    expect(clientCertFieldLines([client.der], { presentedRoot: 'omit' })).toEqual([
      ['Client-Cert', encodeClientCert(client.der)],
    ]);
  });

  it('writes no line for no certificate', () => {
    expect(clientCertFieldLines([])).toEqual([]);
  });
});
