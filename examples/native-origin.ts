import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { admitRequest, createAuthenticator, createGuard, nativeTls, originServerOptions } from '@peercert/core';
import type { OriginOptions } from './origin-options';

/**
 * An origin on plain `node:https` to which clients present their certificates themselves, with no proxy between:
 * `/optional` is open to clients without a certificate, everything else is not, and `/admin` only to one of them.
 */
export function createNativeOrigin(options: Omit<OriginOptions, 'channel'>): Server {
  const { tls, viewers: trust, enforcement = 'enforce' } = options;
  const required = createAuthenticator({ trust, source: nativeTls(), presence: 'required', enforcement });
  const optional = createAuthenticator({ trust, source: nativeTls(), presence: 'optional', enforcement });
  const administrators = createGuard({ uri: 'urn:example:device:4' });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split('?')[0] ?? '';
    let admission = await admitRequest(path === '/optional' ? optional : required, request);
    if (admission.admitted && path === '/admin') admission = await administrators(request, request);
    if (!admission.admitted) {
      const { status, headers, body } = admission.refusal;
      response.writeHead(status, headers).end(body);
    } else if (['/', '/admin', '/optional'].includes(path)) {
      const { identity } = admission;
      const body = identity === undefined ? { anonymous: true } : { uri: identity.uris[0] };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    } else {
      response.writeHead(404).end();
    }
  }

  return createServer({ ...tls, ...originServerOptions() }, (request, response) => void handle(request, response));
}
