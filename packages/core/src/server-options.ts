import { constants } from 'node:crypto';
import type { SecureContextOptions, Server } from 'node:tls';
import { checkOptions, describe } from './options';
import type { ReloadingTrustStore } from './trust/reloading-trust-store';
import { currentTrust, isTrustProvider, type TrustProvider, type TrustStore } from './trust/trust-store';

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
 * @param options.rejectAtTls - A store, or a provider's current one, to let TLS itself refuse every peer it does not vouch
 *   for, before HTTP. The store must then hold the issuing intermediate as an anchor, because some versions of Node show
 *   only the end-entity certificate in this mode. See {@link keepTlsCurrent} for a store that is replaced.
 * @throws {TypeError} for anything but a TrustStore there.
 */
export function originServerOptions(options: { readonly rejectAtTls?: TrustProvider } = {}): OriginServerOptions {
  checkOptions('originServerOptions', options, ['rejectAtTls']);
  const { rejectAtTls } = options;
  if (rejectAtTls !== undefined && !isTrustProvider(rejectAtTls)) {
    throw new TypeError(`rejectAtTls must be a TrustStore; it received ${describe(rejectAtTls)}.`);
  }
  return {
    requestCert: true,
    rejectUnauthorized: rejectAtTls !== undefined,
    ca: rejectAtTls === undefined ? [] : [...currentTrust(rejectAtTls).toPem()],
    secureOptions: constants.SSL_OP_NO_TICKET,
    maxHeaderSize: 65_536,
  };
}

/** As much as TLS keeps. */
const maxSessionIdContextLength = 32;

/** What {@link keepTlsCurrent} takes. */
export interface KeepTlsCurrentOptions {
  /** The store that `rejectAtTls` was given. */
  readonly trust: ReloadingTrustStore;
  /**
   * Key, certificate and whatever else the server was created with, but for `ca`; or a function that answers with them as
   * they are now, since Node takes all of them anew.
   */
  readonly tls: SecureContextOptions | (() => SecureContextOptions);
}

/**
 * Gives a TLS server each new generation of the store its handshakes go by, so that a new CA is let in and an old one no
 * longer. Connections that are open stay open: the authenticator judges each of their requests by the store of the hour.
 *
 * The anchors are never empty, so the server never falls back to the roots of the public web. What cannot be given to the
 * server later, because `tls` fails or holds no good key, is a process warning, and TLS goes by what it had.
 *
 * OpenSSL takes all anchors at once, in a time that grows faster than their number: for a thousand more than half a second, in
 * which the process does nothing else. For as many let the authenticator refuse, and not TLS.
 *
 * @returns stops it.
 * @throws {TypeError} for options that are missing, unknown or of the wrong kind.
 */
export function keepTlsCurrent(server: Pick<Server, 'setSecureContext'>, options: KeepTlsCurrentOptions): () => void {
  checkOptions('keepTlsCurrent', options, ['trust', 'tls']);
  const { trust, tls } = options;
  if (typeof server?.setSecureContext !== 'function') {
    throw new TypeError(`keepTlsCurrent needs a TLS server; it received ${describe(server)}.`);
  }
  if (typeof trust?.subscribe !== 'function') {
    throw new TypeError(`keepTlsCurrent needs trust, a store that is reloaded; it received ${describe(trust)}.`);
  }
  const apply = (store: TrustStore): void => {
    const given = typeof tls === 'function' ? tls() : tls;
    if (typeof given !== 'object' || given === null || given.ca !== undefined || 'then' in given) {
      throw new TypeError('keepTlsCurrent needs tls, what the server was created with, without ca.');
    }
    const secureOptions = (given.secureOptions ?? 0) | constants.SSL_OP_NO_TICKET;
    // A session is resumed without asking for the certificate again: none of another store's time may be.
    const sessionIdContext = store.sha256.slice(0, maxSessionIdContextLength);
    server.setSecureContext({ ...given, secureOptions, sessionIdContext, ca: [...store.toPem()] });
  };
  apply(trust.current);
  return trust.subscribe(apply);
}
