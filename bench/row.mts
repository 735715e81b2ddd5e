/** What one row has measured: medians over its rounds, in the row's unit. `ratio` is the median of the rounds' own. */
export interface Figures {
  readonly ours: number;
  readonly other: number;
  readonly ratio: number;
}

/** One line of the table. */
export interface Row {
  readonly id: string;
  /** What of ours is measured, in words. */
  readonly what: string;
  /** What it is compared with. */
  readonly other: string;
  /** Bound of `ours / other`; null for a figure that is only reported. */
  readonly target: number | null;
  /** Which side of the target is good. */
  readonly better: 'lower' | 'higher';
  readonly unit: string;
  measure(): Promise<Figures>;
}

/** A row with what was measured. */
export interface Result extends Figures {
  readonly row: Row;
}

export function isMet({ row: { target, better }, ratio }: Result): boolean {
  if (target === null) return true;
  return better === 'lower' ? ratio <= target : ratio >= target;
}
