/** Resident memory at one moment. */
export interface Sample {
  readonly minutes: number;
  readonly kilobytes: number;
}

/** Looks at resident memory from time to time, after everything that can be collected is. */
export class MemoryWatch {
  readonly #samples: Sample[] = [];
  readonly #started = performance.now();
  readonly #timer: NodeJS.Timeout;

  constructor(everyMs: number) {
    this.#timer = setInterval(() => this.#look(), everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#look();
  }

  /** Kilobytes per minute over the samples taken from a minute on; 0 where there are too few. */
  slopeFrom(minutes: number): number {
    return slopeOf(this.#samples.filter((sample) => sample.minutes >= minutes));
  }

  #look(): void {
    (globalThis as { gc?: () => void }).gc?.();
    const minutes = (performance.now() - this.#started) / 60_000;
    this.#samples.push({ minutes, kilobytes: process.memoryUsage.rss() / 1024 });
  }
}

/** The slope of the line through samples that has the least squares; 0 for fewer than two. */
export function slopeOf(samples: readonly Sample[]): number {
  if (samples.length < 2) return 0;
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanMinutes = mean(samples.map(({ minutes }) => minutes));
  const meanKilobytes = mean(samples.map(({ kilobytes }) => kilobytes));
  let [shared, own] = [0, 0];
  for (const { minutes, kilobytes } of samples) {
    shared += (minutes - meanMinutes) * (kilobytes - meanKilobytes);
    own += (minutes - meanMinutes) ** 2;
  }
  return shared / own;
}
