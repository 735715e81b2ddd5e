import type { TLSSocket } from 'node:tls';
import { type CertificateRequest, isEncrypted, isHttp2 } from '../request';

/** What the peer of a TLS connection presented in its handshake. One object per TLS session. */
export interface TlsPeer {
  /** DER as presented, end-entity certificate first; empty when the peer presented none. */
  readonly certificates: readonly Buffer[];
}

/** Certificates read of one peer: one more than anything allows, so that too many can be told from just enough. */
const maxRead = 12;

const peers = new WeakMap<object, TlsPeer>();

/**
 * The TLS peer of a request, read once per TLS session.
 *
 * Never looks at `socket.authorized`: on a resumed TLS 1.3 session it can be true without any certificate, and it does
 * not turn false when a certificate expires.
 *
 * @returns `'not-tls'` on a plaintext connection, `'peer-gone'` when the socket is closed and was not read before.
 */
export function tlsPeerOf(request: CertificateRequest): TlsPeer | 'not-tls' | 'peer-gone' {
  const socket = request.socket as TLSSocket | undefined;
  const session = http2SessionOf(request) ?? socket;
  if (socket === undefined || session === undefined) return 'peer-gone';
  const known = peers.get(session);
  if (known !== undefined) return known;
  if (!isEncrypted(socket)) return socket.destroyed ? 'peer-gone' : 'not-tls';
  // Asking a destroyed socket for its certificate is not safe on every version of Node.
  if (socket.destroyed) return 'peer-gone';
  const peer = { certificates: readCertificates(socket) };
  peers.set(session, peer);
  return peer;
}

/**
 * Under HTTP/2 `request.socket` is a new proxy object each time; the session is what lasts. Asked only of an HTTP/2
 * request: what another had under this name, it would have from a polluted Object.prototype, as all of them would.
 */
function http2SessionOf(request: object): object | undefined {
  return isHttp2(request) ? (request as { stream?: { session?: object } }).stream?.session : undefined;
}

/**
 * `issuerCertificate` of an X509Certificate on a server is the next certificate as presented, whatever issued it, even
 * when it is the same one again. Bounded, because nothing else says that the list ends.
 */
function readCertificates(socket: TLSSocket): readonly Buffer[] {
  const certificates: Buffer[] = [];
  let next = socket.getPeerX509Certificate();
  while (next !== undefined && certificates.length < maxRead) {
    certificates.push(next.raw);
    next = next.issuerCertificate;
  }
  return certificates;
}
