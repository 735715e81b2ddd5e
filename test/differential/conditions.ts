import type { Circumstances } from './expected';

/** Named circumstances under which a disagreement of expected.json is meant to be. */
export const conditions: Readonly<Record<string, (circumstances: Circumstances) => boolean>> = {};
