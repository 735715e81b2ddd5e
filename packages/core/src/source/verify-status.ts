import { ClientCertificateError } from '../errors';
import { inconsistent, notForwarded } from './companions';
import { malformedField } from './limits';

/** Characters of a proxy's words that go into details. */
const maxQuoted = 100;

/**
 * Reads what a proxy says of a verification of its own (nginx `$ssl_client_verify`, Apache `SSL_CLIENT_VERIFY`). It can only
 * make matters worse: `SUCCESS` is not believed.
 *
 * @param status - Undefined where it did not arrive.
 * @param good - The words for a certificate that the proxy let pass.
 * @param hasCertificate - Whether the proxy forwards one.
 * @throws {ClientCertificateError} `ERR_CERTIFICATE_REFUSED_BY_PROXY` for `FAILED` beside a certificate,
 *   `ERR_HEADER_INCONSISTENT` for `NONE` beside one, `ERR_CERTIFICATE_NOT_FORWARDED` for any other word without one,
 *   `ERR_HEADER_MALFORMED` for a word that is none of these.
 */
export function checkVerifyStatus(
  status: string | undefined,
  header: string,
  good: readonly string[],
  hasCertificate: boolean,
  certificateHeader: string,
): void {
  if (status === undefined) return;
  if (status === 'NONE') {
    if (hasCertificate) throw inconsistent(header, 'it says that no certificate was presented');
    return;
  }
  const failed = status === 'FAILED' || status.startsWith('FAILED:');
  if (!failed && !good.includes(status)) throw malformedField(header)(`it is not ${good.join(', ')}, NONE or FAILED`);
  if (!hasCertificate) throw notForwarded(certificateHeader);
  if (failed) throw refusedByProxy(header, status);
}

export function refusedByProxy(header: string, status: string): ClientCertificateError {
  return new ClientCertificateError('ERR_CERTIFICATE_REFUSED_BY_PROXY', { header, status: status.slice(0, maxQuoted) });
}
