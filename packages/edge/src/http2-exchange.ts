import { constants, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { FieldLine } from './client-cert-fields';
import type { Content, Exchange } from './exchange';
import { pairFieldLines } from './request-fields';

/** A request over HTTP/2 (RFC 9113), as an exchange. Answers 100 (Continue) itself, as node:http does. */
export function http2Exchange(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  rawHeaders: readonly string[],
  viewerAddress: string,
): Exchange {
  if (headers.expect === '100-continue' && !stream.closed) stream.additionalHeaders({ ':status': 100 });
  const authority = headers[':authority'];
  const lines = joinCookies(pairFieldLines(rawHeaders).filter(([name]) => !name.startsWith(':')));
  return {
    method: headers[':method'] ?? '',
    target: headers[':path'] ?? '',
    host: authority ?? headers.host,
    fieldLines: authority === undefined ? lines : [['host', authority], ...lines.filter(([name]) => name !== 'host')],
    content: contentOf(stream, headers),
    viewerAddress,
    body: stream,
    response: stream,
    get isAnswered() {
      return stream.headersSent || stream.closed || stream.destroyed;
    },
    respond(status, _reason, fieldLines) {
      stream.respond({ ...grouped(fieldLines), ':status': status });
    },
    closeAfterResponse() {
      const { session } = stream;
      stream.once('close', () => session?.close());
    },
    onceAbandoned(listener) {
      const listenIfBroken = (): void => {
        if (stream.aborted || stream.rstCode !== constants.NGHTTP2_NO_ERROR) listener();
      };
      // Also at the end, which node:http2 reports of a body that was cut as well, and before it is taken for a whole one.
      for (const event of brokenEvents) stream.on(event, listenIfBroken);
      return () => {
        for (const event of brokenEvents) stream.off(event, listenIfBroken);
      };
    },
  };
}

/** When a stream may turn out to be broken. */
const brokenEvents = ['aborted', 'end', 'close'];

/** RFC 9113 section 8.2.3: a cookie may come in pieces, which HTTP/1.1 puts together. */
function joinCookies(lines: readonly FieldLine[]): FieldLine[] {
  const cookies = lines.filter(([name]) => name === 'cookie').map(([, value]) => value);
  const others = lines.filter(([name]) => name !== 'cookie');
  return cookies.length === 0 ? others : [...others, ['cookie', cookies.join('; ')]];
}

/** Without a length, only the end of the stream tells whether there is a body. */
function contentOf(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Content {
  const length = headers['content-length'];
  if (length !== undefined) return { length };
  return stream.endAfterHeaders ? 'none' : 'of unknown length';
}

/** All values of a name in one place, which is how node:http2 takes repeated fields. */
function grouped(lines: readonly FieldLine[]): OutgoingHttpHeaders {
  const values = new Map<string, string[]>();
  for (const [name, value] of lines) {
    const key = name.toLowerCase();
    values.set(key, [...(values.get(key) ?? []), value]);
  }
  // Alone and not in a list of one: some fields node:http2 takes once only.
  return Object.fromEntries([...values].map(([name, all]) => [name, all.length === 1 ? all[0] : all]));
}
