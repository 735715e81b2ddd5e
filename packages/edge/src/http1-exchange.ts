import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Content, Exchange } from './exchange';
import { pairFieldLines } from './request-fields';

/** A request over HTTP/1.1, or 1.0, as an exchange. */
export function http1Exchange(request: IncomingMessage, response: ServerResponse): Exchange {
  const { method = 'GET', url = '', headers, rawHeaders, socket } = request;
  return {
    method,
    target: url,
    host: headers.host,
    fieldLines: pairFieldLines(rawHeaders),
    content: contentOf(request),
    viewerAddress: socket.remoteAddress ?? '',
    body: request,
    response,
    get isAnswered() {
      return response.headersSent || response.destroyed;
    },
    respond(status, reason, fieldLines) {
      response.writeHead(status, reason, fieldLines.flat());
      // The viewer learns of the response now, not with the first byte of its body.
      response.flushHeaders();
    },
    closeAfterResponse() {
      response.shouldKeepAlive = false;
    },
    onceAbandoned(listener) {
      // Of the socket: once the response is complete, node:http reports a broken upload neither on request nor response.
      socket.once('close', listener);
      return () => void socket.off('close', listener);
    },
  };
}

function contentOf({ headers }: IncomingMessage): Content {
  const coding = headers['transfer-encoding'];
  if (coding !== undefined) return coding.toLowerCase() === 'chunked' ? 'of unknown length' : 'unknown';
  const length = headers['content-length'];
  return length === undefined ? 'none' : { length };
}
