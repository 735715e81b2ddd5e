/** The alphabet of RFC 4648 section 4, and padding. */
const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * Decodes base64 strictly: no white space, no other alphabet, no more padding than the last group takes. The bytes have
 * memory of their own, not a piece of Node's pool, so that keeping them keeps nothing else.
 *
 * Missing padding and non-zero trailing bits are accepted, as RFC 9651 section 4.2.7 asks.
 *
 * @returns undefined when the text is anything else.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const characters = text.length - padding;
  if (characters % 4 === 1 || (padding > 0 && text.length % 4 !== 0)) return undefined;
  const bytes = Buffer.allocUnsafeSlow(Math.floor((characters * 3) / 4));
  // Node passes over what is not base64, and then has fewer bytes than there should be.
  if (bytes.write(text, 'base64') !== bytes.length) return undefined;
  // What the bytes are written as is well formed. The slower question is for what Node reads and would not write.
  return bytes.toString('base64') === text || base64.test(text) ? bytes : undefined;
}
