import { parseArgs } from 'node:util';

export interface BenchOptions {
  /** Print JSON in place of a table. */
  readonly json: boolean;
  /** Write the figures and the plots into the documentation. */
  readonly write: boolean;
  /** Ids of the rows to measure; undefined for all. */
  readonly only: readonly string[] | undefined;
}

/**
 * Reads the arguments of `npm run bench`.
 *
 * @param known - Ids of every row.
 * @throws {TypeError} for an argument that is none, and for a row that is none.
 */
export function parseOptions(args: readonly string[], known: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { json: { type: 'boolean' }, write: { type: 'boolean' }, only: { type: 'string' } },
  });
  const only = values.only?.split(',');
  const strange = only?.find((id) => !known.includes(id));
  if (strange !== undefined)
    throw new TypeError(`--only takes ids of rows; ${strange} is none of ${known.join(', ')}.`);
  if (values.write === true && only !== undefined) throw new TypeError('--write needs every row: leave --only out.');
  return { json: values.json === true, write: values.write === true, only };
}
