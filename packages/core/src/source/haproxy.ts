import { ClientCertificateError } from '../errors';
import { checkOptions } from '../options';
import { parseBase64Der, parseConcatenatedDer } from './base64-der';
import { inconsistent, notForwarded } from './companions';
import { type FieldLines, onlyLine } from './field-lines';
import { createHeaderSource, type ForwardingOptions, forwardingOptionNames, headerName } from './header-source';
import { malformedField } from './limits';
import type { Forwarded, Source } from './source';
import { refusedByProxy } from './verify-status';

/** What {@link haproxy} takes. */
export interface HaproxyOptions extends ForwardingOptions {
  /** The header set to `%[ssl_c_der,base64]`. Default `'x-ssl-client-cert'`. */
  readonly header?: string;
  /** The header set to `%[ssl_c_chain_der,base64]`. Default `'x-ssl-client-chain'`. */
  readonly chainHeader?: string;
  /** The header set to `%[ssl_c_used]`. Default `'x-ssl-client-used'`. */
  readonly usedHeader?: string;
  /** The header set to `%[ssl_c_verify]`. Default `'x-ssl-client-verify'`. */
  readonly verifyHeader?: string;
}

/** HAProxy sends what fits its buffer, `tune.bufsize`, which is raised for chains: what `originServerOptions` lets through. */
const maxHeaderBytes = 65_536;

/**
 * Certificates that HAProxy forwards with `http-request set-header`: base64 of the end-entity certificate, and base64 of
 * the chain, certificates in DER one directly behind the other, no more than ten. Whether the chain repeats the end-entity
 * certificate makes no difference. On a resumed TLS session HAProxy has no chain: supply intermediates with the trust store.
 *
 * `ssl_c_used` and `ssl_c_verify` can only refuse: `0` used beside a certificate, `1` used without one, a result other than
 * `0` beside one. A result of `0` says little by itself: HAProxy gives it too where nothing was checked. A header that does
 * not arrive says nothing. `set-header` writes an empty value where HAProxy has none, which means that there is no
 * certificate where `ssl_c_used` says so too, and is malformed elsewhere; an empty chain is no chain.
 *
 * HAProxy has proven possession of the private key. What else it checked depends on `verify`, `crt-ignore-err` and
 * `ca-ignore-err`.
 *
 * @throws {TypeError} without a sufficient channel proof, and for names that are not header names or clash.
 */
export function haproxy(options: HaproxyOptions): Source {
  checkOptions('haproxy', options, [...forwardingOptionNames, 'header', 'chainHeader', 'usedHeader', 'verifyHeader']);
  const header = headerName('header', options.header, 'x-ssl-client-cert');
  const chainHeader = headerName('chainHeader', options.chainHeader, 'x-ssl-client-chain');
  const usedHeader = headerName('usedHeader', options.usedHeader, 'x-ssl-client-used');
  const verifyHeader = headerName('verifyHeader', options.verifyHeader, 'x-ssl-client-verify');
  return createHeaderSource({
    ...options,
    owner: 'haproxy',
    name: 'haproxy',
    fields: [header, chainHeader, usedHeader, verifyHeader],
    companions: ['x-ssl-client-dn'],
    maxHeaderBytes,
    proxyProves: 'possession',
    dialect: 'bare base64 DER',
    read([certificateLines, chainLines, usedLines, verifyLines]: FieldLines): Forwarded | undefined {
      const line = onlyLine(certificateLines, header);
      const chain = onlyLine(chainLines, chainHeader) || undefined;
      const used = onlyLine(usedLines, usedHeader);
      const result = onlyLine(verifyLines, verifyHeader);
      if (used !== undefined && used !== '0' && used !== '1') throw malformedField(usedHeader)('it is not 0 or 1');
      if (result !== undefined && !/^\d{1,6}$/.test(result)) throw malformedField(verifyHeader)('it is not a number');
      const certificate = line === '' && used !== undefined ? undefined : line;
      if (certificate === undefined) {
        if (used === '1') throw notForwarded(header);
        if (chain === undefined) return undefined;
        throw new ClientCertificateError('ERR_HEADER_CHAIN_WITHOUT_CERTIFICATE', { header: chainHeader });
      }
      if (used === '0') throw inconsistent(usedHeader, 'it says that no certificate was presented');
      if (result !== undefined && Number(result) !== 0) throw refusedByProxy(verifyHeader, result);
      return {
        chainText: chain,
        decodeChain: () => (chain === undefined ? [] : parseConcatenatedDer(chain, chainHeader)),
        decodeEndEntity: () => parseBase64Der(certificate, header),
      };
    },
  });
}
