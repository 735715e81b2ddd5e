/** One case of a suite: what the suite expects and what peercert did. */
export interface CaseResult {
  readonly id: string;
  /** The suite's own grade: `core` must agree; others are choices, each divergence with its reason. */
  readonly tier: string;
  readonly expected: 'accept' | 'reject';
  readonly actual: 'accept' | 'reject';
  /** Where both accept: whether the result is the same. Default true. */
  readonly sameResult?: boolean;
  /** Code of the refusal, for people. */
  readonly code?: string | undefined;
  /** Milliseconds. */
  readonly duration: number;
  /** What the verdict hangs on that peercert does not do yet. Such a case does not count. */
  readonly notClaimed?: string | undefined;
}

/** Runs one check as a case. */
export async function judgeCase(
  about: Pick<CaseResult, 'id' | 'tier' | 'expected' | 'notClaimed'>,
  check: () => unknown,
): Promise<CaseResult> {
  const started = performance.now();
  try {
    const result = await check();
    const sameResult = result !== false;
    return { ...about, actual: 'accept', sameResult, duration: performance.now() - started };
  } catch (error) {
    const code = (error as { code?: string }).code ?? (error as Error).message;
    return { ...about, actual: 'reject', code, duration: performance.now() - started };
  }
}
