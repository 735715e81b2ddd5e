import { parseArgs } from 'node:util';

export interface SoakOptions {
  /** How long requests are sent. */
  readonly minutes: number;
  /** Print JSON in place of sentences. */
  readonly json: boolean;
  /** Let authenticators answer wrongly now and then, to see that it is noticed. */
  readonly lie: boolean;
}

/** A week. */
const maxMinutes = 10_080;

/**
 * Reads the arguments of `npm run soak`.
 *
 * @throws {TypeError} for an argument that is none.
 */
export function parseOptions(args: readonly string[]): SoakOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '5' },
      json: { type: 'boolean', default: false },
      lie: { type: 'boolean', default: false },
    },
  });
  const minutes = Number(values.minutes);
  if (!(minutes > 0 && minutes <= maxMinutes)) throw new TypeError(`--minutes takes a number up to ${maxMinutes}.`);
  return { minutes, json: values.json, lie: values.lie };
}
