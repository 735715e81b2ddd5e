import type * as Http from 'node:http';
import { asksForCertificates, type CertificateRequest, isEncrypted, isHttp2 } from './request';
import type { Source } from './source/source';

/** Something about the server that keeps requests from being judged as they should, and what to change. */
export interface ServerHint {
  readonly code:
    'PEERCERT_HEADER_LIMIT' | 'PEERCERT_CERTIFICATES_NOT_REQUESTED' | 'PEERCERT_INSECURE_PARSER' | 'PEERCERT_PLAINTEXT';
  readonly message: string;
}

/** What an HTTP server of Node says about itself. */
interface HttpServer {
  readonly maxHeaderSize?: number;
  readonly insecureHTTPParser?: boolean;
}

/**
 * Looks at the server behind a request, for what no option of ours can show. Nothing here changes a verdict.
 *
 * @returns one hint for each thing to change, for the operator; none for a server that cannot be seen.
 */
export function inspectServer(request: CertificateRequest, { channel, maxHeaderBytes }: Source): readonly ServerHint[] {
  const { server } = request.socket as { server?: HttpServer };
  if (server === undefined) return [];
  const hints: ServerHint[] = [];
  const limit = server.maxHeaderSize ?? (require('node:http') as typeof Http).maxHeaderSize;
  // HTTP/2 has a limit of its own, which is wide enough.
  if (limit < maxHeaderBytes && !isHttp2(request)) {
    hints.push({
      code: 'PEERCERT_HEADER_LIMIT',
      message:
        `The server takes ${limit} bytes of headers, the proxy sends up to ${maxHeaderBytes}: Node answers 431 to long ` +
        'certificate chains. Create the server with originServerOptions(), or set maxHeaderSize.',
    });
  }
  if (channel.readsTlsPeer && !asksForCertificates(request)) {
    hints.push({
      code: 'PEERCERT_CERTIFICATES_NOT_REQUESTED',
      message:
        'The server does not ask TLS clients for certificates, so none will be shown. Create it with ' +
        'originServerOptions(), or set requestCert.',
    });
  }
  if (server.insecureHTTPParser === true) {
    hints.push({
      code: 'PEERCERT_INSECURE_PARSER',
      message:
        'The server runs with insecureHTTPParser: requests can be smuggled past what is checked here. Turn it off.',
    });
  }
  if (channel.proof === 'shared-secret' && !isEncrypted(request.socket)) {
    hints.push({
      code: 'PEERCERT_PLAINTEXT',
      message:
        'The secret of the channel arrives over plaintext. It is accepted from this machine only; let the proxy connect ' +
        'with TLS.',
    });
  }
  return hints;
}
