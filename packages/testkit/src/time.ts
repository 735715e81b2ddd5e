const DAY_MS = 24 * 60 * 60 * 1000;

/** The one clock of the tests: 2026-06-01T12:00:00Z. Certificates are valid around it unless told otherwise. */
export const TEST_TIME = new Date('2026-06-01T12:00:00Z');

/**
 * A time some days from {@link TEST_TIME}.
 *
 * @param days - Whole or fractional days; negative for the past.
 */
export function daysFromTestTime(days: number): Date {
  return new Date(TEST_TIME.getTime() + days * DAY_MS);
}
