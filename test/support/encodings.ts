import { der } from '@peercert/testkit';

/** Octets from hexadecimal; spaces are for people. */
export function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

/** `depth` SEQUENCEs, one in the other. */
export function nested(depth: number): Buffer {
  // From the inside out, without copying the inside again at every level.
  const headers: Buffer[] = [];
  let length = 0;
  for (let level = 0; level < depth; level++) {
    const header = der.tlv(0x30, Buffer.alloc(0), { declaredLength: length });
    headers.unshift(header);
    length += header.length;
  }
  return Buffer.concat(headers);
}

/** A SubjectPublicKeyInfo of any algorithm and key. */
export function spki(algorithm: Uint8Array, key: Uint8Array): Buffer {
  return der.sequence(algorithm, der.bitString(key));
}

const rsaEncryption = der.sequence(der.oid('1.2.840.113549.1.1.1'), der.null());

/** An RSA SubjectPublicKeyInfo with an odd modulus of so many bits. Nobody has its private key. */
export function rsaSpki(modulusBits: number, exponent: bigint | number | Uint8Array = 65_537): Buffer {
  const modulus = 2n ** BigInt(modulusBits - 1) + 1n;
  return spki(rsaEncryption, der.sequence(der.integer(modulus), der.integer(exponent)));
}
