import { parseArgs } from 'node:util';

export interface LoadOptions {
  /** How long requests are sent under each policy. */
  readonly seconds: number;
  /** Print JSON in place of sentences. */
  readonly json: boolean;
}

/** Less, and a responder that hangs is not given up before its time is over. */
const minSeconds = 12;
/** The clients that are new all the time are made beforehand. */
const maxSeconds = 600;

/**
 * Reads the arguments of `npm run test:revocation-load`.
 *
 * @throws {TypeError} for an argument that is none.
 */
export function parseOptions(args: readonly string[]): LoadOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { seconds: { type: 'string', default: '60' }, json: { type: 'boolean', default: false } },
  });
  const seconds = Number(values.seconds);
  if (!(seconds >= minSeconds && seconds <= maxSeconds)) {
    throw new TypeError(`--seconds takes a number from ${minSeconds} to ${maxSeconds}.`);
  }
  return { seconds, json: values.json };
}
