import { constants } from 'node:crypto';
import { checkOptions, describe } from './options';
import { TrustStore } from './trust/trust-store';

/** Options for `https.createServer`, `http2.createSecureServer` and a framework's own way to pass them on. */
export interface OriginServerOptions {
  /** Ask every client for a certificate. */
  readonly requestCert: true;
  /** Whether TLS itself refuses a certificate it cannot verify; true only with `rejectAtTls`. */
  readonly rejectUnauthorized: boolean;
  /** PEM of the anchors TLS verifies with: those of `rejectAtTls`, otherwise none. */
  readonly ca: string[];
  /** Flags of OpenSSL: no session tickets. */
  readonly secureOptions: number;
  /** Longest header section, in bytes. */
  readonly maxHeaderSize: number;
}

/**
 * TLS and HTTP options an origin needs for peercert to see what it judges:
 *
 * - `requestCert: true`, because nobody shows a certificate unasked: origin mTLS would silently be off.
 * - `rejectUnauthorized: false` and `ca: []`, so that Node's own verification stays out of the way. It would reset
 *   connections of private CAs and, on some versions, hide the presented chain. The empty list also keeps Node from falling
 *   back to the public web's roots.
 * - `secureOptions: SSL_OP_NO_TICKET`: a resumed session loses the presented chain.
 * - `maxHeaderSize: 65536`: CloudFront passes on 32,768 bytes, Node's default of 16,384 answers 431 to a long chain. Of an
 *   HTTP/2 server with `allowHTTP1`, Node 20 and 22 do not read the option: set the server's property `maxHeaderSize` too.
 *
 * @param options.rejectAtTls - A store to let TLS itself refuse every peer it does not vouch for, before HTTP. The store
 *   must then hold the issuing intermediate as an anchor, because some versions of Node show only the end-entity
 *   certificate in this mode.
 * @throws {TypeError} for anything but a TrustStore there.
 */
export function originServerOptions(options: { readonly rejectAtTls?: TrustStore } = {}): OriginServerOptions {
  checkOptions('originServerOptions', options, ['rejectAtTls']);
  const { rejectAtTls } = options;
  if (rejectAtTls !== undefined && !(rejectAtTls instanceof TrustStore)) {
    throw new TypeError(`rejectAtTls must be a TrustStore; it received ${describe(rejectAtTls)}.`);
  }
  return {
    requestCert: true,
    rejectUnauthorized: rejectAtTls !== undefined,
    ca: rejectAtTls === undefined ? [] : [...rejectAtTls.toPem()],
    secureOptions: constants.SSL_OP_NO_TICKET,
    maxHeaderSize: 65_536,
  };
}
