import { randomBytes } from 'node:crypto';
import type { FieldLine } from './client-cert-fields';
import type { EdgeSettings } from './options';

/** What the edge knows about one request besides the fields the viewer sent. */
export interface RequestFacts {
  /** Value of the `Host` field towards the origin. */
  readonly host: string;
  /** Address of the viewer, without a port. */
  readonly viewerAddress: string;
  /** How the body is framed towards the origin, decided by the edge and not by the viewer's field lines. */
  readonly framing: readonly FieldLine[];
  /** What the origin is told of the viewer's certificate. */
  readonly certificate: readonly FieldLine[];
  /** Name of this edge in the `Via` field. */
  readonly edgeName: string;
}

/** Fields about one connection (RFC 9110 section 7.6.1), besides those that `Connection` names and `Proxy-*`. */
const hopByHop = new Set(['connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade']);

/** Viewer fields that never reach the origin: CloudFront removes or replaces them. Forged ones are judged apart. */
const removedFromViewer = new Set([
  'content-length', // framing is written anew, see RequestFacts
  'expect', // the edge has answered 100 (Continue) itself
  'host',
  'x-amz-cf-id',
  'x-forwarded-for', // returns with the viewer's address appended
  'x-forwarded-proto',
  'x-real-ip',
]);

/** Pairs up `rawHeaders`. Order, letter case and repetition stay. */
export function pairFieldLines(rawHeaders: readonly string[]): FieldLine[] {
  const lines: FieldLine[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    lines.push([rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '']);
  }
  return lines;
}

/** Leaves out what is about one connection only. Order, letter case and repetition stay. */
export function endToEndFieldLines(lines: readonly FieldLine[]): FieldLine[] {
  const named = new Set(
    lines
      .filter(([name]) => name.toLowerCase() === 'connection')
      .flatMap(([, value]) => value.split(',').map((option) => option.trim().toLowerCase())),
  );
  return lines.filter(([name]) => {
    const key = name.toLowerCase();
    return !hopByHop.has(key) && !key.startsWith('proxy-') && !named.has(key);
  });
}

/**
 * Writes the field lines of the request to the origin: the viewer's, less what CloudFront removes, then the edge's own.
 *
 * Everything the edge adds is added after the viewer's fields were reduced, so no field of the viewer, `Connection`
 * above all, can take away or overwrite one of the edge.
 */
export function originRequestFieldLines(
  received: readonly FieldLine[],
  settings: Pick<EdgeSettings, 'originHeaders' | 'userAgent' | 'isForged'>,
  facts: RequestFacts,
): FieldLine[] {
  const viewerLines = endToEndFieldLines(received);
  const forwardedFor = viewerLines
    .filter(([name]) => name.toLowerCase() === 'x-forwarded-for')
    .map(([, value]) => value);

  const kept = viewerLines.filter(([name]) => {
    const key = name.toLowerCase();
    if (key === 'user-agent') return settings.userAgent === 'forward';
    return !removedFromViewer.has(key) && !key.startsWith('x-edge-') && !settings.isForged(key);
  });
  if (settings.userAgent === 'replace') kept.push(['User-Agent', 'Amazon CloudFront']);
  kept.push(['X-Forwarded-For', [...forwardedFor, facts.viewerAddress].join(',')]);

  const overwritten = new Set(settings.originHeaders.map(([name]) => name.toLowerCase()));
  return [
    ['Host', facts.host],
    ...kept.filter(([name]) => !overwritten.has(name.toLowerCase())),
    ...facts.framing,
    ['Connection', 'Keep-Alive'],
    ['Via', `1.1 ${facts.edgeName} (CloudFront)`],
    ['X-Amz-Cf-Id', createRequestId()],
    ...settings.originHeaders,
    ...facts.certificate,
  ];
}

/** 40 random bytes look like CloudFront's ids: 56 characters, the last two `==`. */
function createRequestId(): string {
  return randomBytes(40).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}
