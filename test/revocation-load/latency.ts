/** One answer: when it was asked for, on the monotonic clock, and how long it took. */
export interface Sample {
  readonly at: number;
  readonly ms: number;
}

export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The p99 that a quarter of the windows keep: those in which the machine did least besides. */
  readonly quietP99Ms: number;
}

/** A span of time, on the monotonic clock. */
export interface Span {
  readonly from: number;
  readonly until: number;
}

/**
 * How long answers took: medians over windows of the span. A machine that does something else for a moment spoils one
 * window; an origin that is slower now spoils all of them.
 */
export function latencyIn({ from, until }: Span, samples: readonly Sample[], windows: number): Latency {
  const width = (until - from) / windows;
  const taken = Array.from({ length: windows }, (_, index) => {
    const start = from + index * width;
    return samples.filter(({ at }) => start <= at && at < start + width).map(({ ms }) => ms);
  }).filter((window) => window.length > 0);
  const p99s = taken.map((window) => quantile(window, 0.99));
  return {
    p50Ms: quantile(
      taken.map((window) => quantile(window, 0.5)),
      0.5,
    ),
    p99Ms: quantile(p99s, 0.5),
    quietP99Ms: quantile(p99s, 0.25),
  };
}

/** The value that such a share of values does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}
