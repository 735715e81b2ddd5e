import { type Acceptance } from './accepted.mjs';
import { isMet, type Result } from './row.mjs';

/** Whether a row is good, is bad for a reason that was accepted, or is bad. */
export type Mark = 'met' | 'accepted' | 'MISSED' | 'reported';

export function markOf(result: Result, accepted: Readonly<Record<string, Acceptance>>): Mark {
  const { id, target, better } = result.row;
  if (target === null) return 'reported';
  if (isMet(result)) return 'met';
  const upTo = Object.hasOwn(accepted, id) ? accepted[id]?.upTo : undefined;
  if (upTo === undefined) return 'MISSED';
  return (better === 'lower' ? result.ratio <= upTo : result.ratio >= upTo) ? 'accepted' : 'MISSED';
}

/** A number with three digits that count, as it is read and not as it is computed. */
export function figure(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: value >= 1000 ? 4 : 3 });
}

/** The cells of one line: figure, ours, compared with, ratio, target, met or not. */
export function cellsOf(result: Result, accepted: Readonly<Record<string, Acceptance>>): readonly string[] {
  const { row, ours, other, ratio } = result;
  const sign = row.better === 'lower' ? '<=' : '>=';
  return [
    row.id,
    `${figure(ours)} ${row.unit}`,
    `${figure(other)} ${row.unit}`,
    ratio.toFixed(3),
    row.target === null ? '' : `${sign} ${row.target}`,
    markOf(result, accepted),
  ];
}

export const headings = ['figure', 'ours', 'compared with', 'ratio', 'target', 'met'] as const;
