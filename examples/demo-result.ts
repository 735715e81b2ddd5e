import type { Answer } from './demo-client';
import type { Column } from './demo-columns';

/** What one origin answered to one row, and what it should have answered. */
export interface DemoResult extends Answer {
  readonly row: string;
  readonly column: Column['column'];
  readonly expectedStatus: number;
  readonly expectedCode: string;
}

export function isAsExpected({ status, code, expectedStatus, expectedCode }: DemoResult): boolean {
  return status === expectedStatus && code === expectedCode;
}
