/**
 * Requires options to be an object with no property but the known ones: a misspelt option that is silently ignored would
 * be a check that silently does not happen. Nor may Object.prototype have one of them, which all options would inherit.
 *
 * @throws {TypeError} that names the property, and the one it was probably meant to be.
 */
export function checkOptions(owner: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`${owner} takes an options object; it received ${describe(options)}.`);
  }
  const inherited = known.find((name) => Object.hasOwn(Object.prototype, name));
  if (inherited !== undefined) {
    throw new TypeError(`${owner} would inherit \`${inherited}\` from Object.prototype: something has polluted it.`);
  }
  for (const property of Object.keys(options)) {
    if (known.includes(property)) continue;
    const meant = known.find((name) => name.toLowerCase() === property.toLowerCase());
    const all = known.length === 0 ? 'It takes none.' : `It knows ${known.join(', ')}.`;
    const hint = meant === undefined ? all : `Did you mean \`${meant}\`?`;
    throw new TypeError(`${owner} received an unknown option, \`${property}\`. ${hint}`);
  }
}

/** @throws {RangeError} unless the value is an integer from `minimum` to `maximum`. */
export function checkInteger(name: string, value: unknown, minimum: number, maximum: number): void {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < minimum || value > maximum) {
    throw new RangeError(`${name} must be an integer from ${minimum} to ${maximum}; it received ${describe(value)}.`);
  }
}

/** What a value is, in a few words that quote no secret. */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value === undefined) return 'undefined';
  return `${/^[aeiou]/.test(typeof value) ? 'an' : 'a'} ${typeof value}`;
}
