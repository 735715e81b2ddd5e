/**
 * OBJECT IDENTIFIERs are compared by their DER contents, held as latin1 strings: no arithmetic, so no arc can overflow
 * into another. Dotted text is made only for people.
 */

/** The OIDs this package has a constant for, by {@link mixOctet} of their octets. */
const constants = new Map<number, string>();

/** DER contents of an OID in dotted form, as a latin1 string. For constants: does not check its input. */
export function oid(dotted: string): string {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  let contents = '';
  for (const arc of [first * 40 + second, ...rest]) {
    let octets = String.fromCharCode(arc % 0x80);
    for (let high = Math.floor(arc / 0x80); high > 0; high = Math.floor(high / 0x80)) {
      octets = String.fromCharCode(0x80 | (high % 0x80)) + octets;
    }
    contents += octets;
  }
  let mixed = 0;
  for (let at = 0; at < contents.length; at++) mixed = mixOctet(mixed, contents.charCodeAt(at));
  constants.set(mixed, contents);
  return contents;
}

/** Adds one octet to a number that tells OIDs apart well enough to look them up. */
export function mixOctet(mixed: number, octet: number): number {
  return (Math.imul(mixed, 31) + octet) | 0;
}

/**
 * DER contents of an OID as a latin1 string: the constant where there is one, which costs nothing to make.
 *
 * @param mixed - {@link mixOctet} of the octets.
 */
export function oidContents(bytes: Buffer, start: number, end: number, mixed: number): string {
  const constant = constants.get(mixed);
  return constant !== undefined && isAt(bytes, start, end, constant) ? constant : bytes.toString('latin1', start, end);
}

function isAt(bytes: Buffer, start: number, end: number, contents: string): boolean {
  if (end - start !== contents.length) return false;
  for (let at = start; at < end; at++) if (bytes[at] !== contents.charCodeAt(at - start)) return false;
  return true;
}

/** Dotted form of DER OID contents. Exact for arcs of any size. */
export function dottedOid(contents: string): string {
  const arcs: (number | bigint)[] = [];
  let arc: number | bigint = 0;
  for (let at = 0; at < contents.length; at++) {
    const octet = contents.charCodeAt(at);
    arc = withDigit(arc, octet & 0x7f);
    if (octet < 0x80) {
      arcs.push(arc);
      arc = 0;
    }
  }
  const [head = 0, ...rest] = arcs;
  const root = head < 40 ? 0 : head < 80 ? 1 : 2;
  const second = typeof head === 'bigint' ? head - BigInt(root * 40) : head - root * 40;
  return [root, second, ...rest].join('.');
}

/** Larger numbers than this need a bigint for their next digit. */
const maxPlainArc = Number.MAX_SAFE_INTEGER / 0x80 - 1;

function withDigit(arc: number | bigint, digit: number): number | bigint {
  if (typeof arc === 'number' && arc < maxPlainArc) return arc * 0x80 + digit;
  return BigInt(arc) * 0x80n + BigInt(digit);
}
