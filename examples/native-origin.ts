import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { admitRequest, createAuthenticator, nativeTls, originServerOptions } from '@peercert/core';
import type { OriginOptions } from './origin-options';

/**
 * An origin on plain `node:https` to which clients present their certificates themselves, with no proxy between:
 * `/optional` is open to clients without a certificate, everything else is not.
 */
export function createNativeOrigin({ tls, viewers }: Omit<OriginOptions, 'edge'>): Server {
  const required = createAuthenticator({ trust: viewers, source: nativeTls(), presence: 'required' });
  const optional = createAuthenticator({ trust: viewers, source: nativeTls(), presence: 'optional' });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split('?')[0];
    const admission = await admitRequest(path === '/optional' ? optional : required, request);
    if (!admission.admitted) {
      const { status, headers, body } = admission.refusal;
      response.writeHead(status, headers).end(body);
    } else if (path === '/' || path === '/optional') {
      const { identity } = admission;
      const body = identity === undefined ? { anonymous: true } : { uri: identity.uris[0] };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    } else {
      response.writeHead(404).end();
    }
  }

  return createServer({ ...tls, ...originServerOptions() }, (request, response) => void handle(request, response));
}
