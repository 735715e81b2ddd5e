/**
 * OBJECT IDENTIFIERs are compared by their DER contents, held as latin1 strings: no arithmetic, so no arc can overflow
 * into another. Dotted text is made only for people.
 */

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
  return contents;
}

/** Dotted form of DER OID contents. Exact for arcs of any size. */
export function dottedOid(contents: string): string {
  const arcs: bigint[] = [];
  let arc = 0n;
  for (let at = 0; at < contents.length; at++) {
    const octet = contents.charCodeAt(at);
    arc = arc * 0x80n + BigInt(octet & 0x7f);
    if (octet < 0x80) {
      arcs.push(arc);
      arc = 0n;
    }
  }
  const [head = 0n, ...rest] = arcs;
  const root = head < 40n ? 0n : head < 80n ? 1n : 2n;
  return [root, head - root * 40n, ...rest].join('.');
}
