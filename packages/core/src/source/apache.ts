import { checkOptions } from '../options';
import { type FieldLines, onlyLine } from './field-lines';
import { parseFoldedPem } from './folded-pem';
import { createHeaderSource, type ForwardingOptions, forwardingOptionNames, headerName } from './header-source';
import type { Forwarded, Source } from './source';
import { checkVerifyStatus } from './verify-status';

/** What {@link apache} takes. */
export interface ApacheOptions extends ForwardingOptions {
  /** The header set to `%{SSL_CLIENT_CERT}s`. Default `'x-ssl-client-cert'`. */
  readonly header?: string;
  /** The header set to `%{SSL_CLIENT_VERIFY}s`. Default `'x-ssl-client-verify'`. */
  readonly verifyHeader?: string;
}

/** Apache limits single fields (`LimitRequestFieldSize`) and their number: what `originServerOptions` lets through. */
const maxHeaderBytes = 65_536;

/**
 * Certificates that Apache forwards with `RequestHeader set`: `%{SSL_CLIENT_CERT}s`, PEM of the end-entity certificate alone,
 * in which mod_headers has replaced each line break by a space. Intermediates are not read: supply them with the trust store.
 *
 * An empty value and the literal `(null)` mean that there is none. What `SSL_CLIENT_VERIFY` says can only refuse: `FAILED`
 * beside a certificate, `NONE` beside one, `SUCCESS` or `GENEROUS` without one; a header that does not arrive says nothing.
 *
 * Apache has proven possession of the private key. What else it checked depends on `SSLVerifyClient`: with `optional_no_ca`,
 * nothing.
 *
 * @throws {TypeError} without a sufficient channel proof, and for names that are not header names or clash.
 */
export function apache(options: ApacheOptions): Source {
  checkOptions('apache', options, [...forwardingOptionNames, 'header', 'verifyHeader']);
  const header = headerName('header', options.header, 'x-ssl-client-cert');
  const verifyHeader = headerName('verifyHeader', options.verifyHeader, 'x-ssl-client-verify');
  return createHeaderSource({
    ...options,
    owner: 'apache',
    name: 'apache',
    fields: [header, verifyHeader],
    companions: ['x-ssl-client-dn'],
    maxHeaderBytes,
    proxyProves: 'possession',
    dialect: 'space-folded PEM',
    read([certificateLines, verifyLines]: FieldLines): Forwarded | undefined {
      const certificate = presentIn(onlyLine(certificateLines, header));
      const status = presentIn(onlyLine(verifyLines, verifyHeader));
      checkVerifyStatus(status, verifyHeader, ['SUCCESS', 'GENEROUS'], certificate !== undefined, header);
      if (certificate === undefined) return undefined;
      return { decodeChain: () => [], decodeEndEntity: () => parseFoldedPem(certificate, header) };
    },
  });
}

/** mod_headers writes `(null)` for a variable that is not set. */
function presentIn(line: string | undefined): string | undefined {
  return line === '' || line === '(null)' ? undefined : line;
}
