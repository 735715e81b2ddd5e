import { readFileSync } from 'node:fs';

/** A miss that is known: how far it may go, and the profile that explains it. */
export interface Acceptance {
  readonly upTo: number;
  readonly profile: string;
}

/** Rows that miss their target for a reason, by id. */
export function readAccepted(): Readonly<Record<string, Acceptance>> {
  // This file runs from bench/dist.
  return JSON.parse(readFileSync(new URL('../accepted.json', import.meta.url), 'utf8')) as Record<string, Acceptance>;
}
