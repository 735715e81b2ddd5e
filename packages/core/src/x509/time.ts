import { DerError, type DerReader, Tag } from './der';

/**
 * Decodes a validity time (RFC 5280 section 4.1.2.5) to milliseconds since the Unix epoch.
 *
 * UTCTime is `YYMMDDHHMMSSZ`, 50 to 99 meaning 1950 to 1999; GeneralizedTime is `YYYYMMDDHHMMSSZ`. Seconds are
 * required, offsets and fractions refused, and the date must exist.
 *
 * NOTE: a GeneralizedTime before 2050 is accepted. Section 4.1.2.5 forbids CAs to write one and in the same paragraph
 * requires applications to process it.
 */
export function decodeTime(reader: DerReader, what: string): number {
  reader.read();
  const { bytes, start, end, tag } = reader;
  let year: number;
  let at = start;
  if (tag === Tag.utcTime && end - start === 13) {
    year = digits(bytes, at, 2, what);
    year += year < 50 ? 2000 : 1900;
    at += 2;
  } else if (tag === Tag.generalizedTime && end - start === 15) {
    year = digits(bytes, at, 4, what);
    at += 4;
  } else {
    throw new DerError(`${what} is not a UTCTime or GeneralizedTime of full seconds in UTC`, start);
  }
  const month = digits(bytes, at, 2, what);
  const day = digits(bytes, at + 2, 2, what);
  const hour = digits(bytes, at + 4, 2, what);
  const minute = digits(bytes, at + 6, 2, what);
  const second = digits(bytes, at + 8, 2, what);
  if (bytes[at + 10] !== 0x5a) throw new DerError(`${what} is not in UTC`, at + 10);
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month) || hour > 23 || minute > 59 || second > 59) {
    throw new DerError(`${what} does not exist`, start);
  }
  return (((dayNumber(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1000;
}

/**
 * Days since 1 January 1970 in the Gregorian calendar. By arithmetic: `Date.UTC` reads the years 0 to 99 as 1900 to 1999.
 *
 * Years are counted from March, so that the day a leap year has more is the last of its year.
 */
function dayNumber(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1;
  const monthsSinceMarch = (month + 9) % 12;
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  const dayOfYear = Math.floor((153 * monthsSinceMarch + 2) / 5) + day - 1;
  return marchYear * 365 + leapDays + dayOfYear - daysToEpoch;
}

/** From 1 March of the year 0 to 1 January 1970. */
const daysToEpoch = 719_468;

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function digits(bytes: Buffer, start: number, count: number, what: string): number {
  let value = 0;
  for (let at = start; at < start + count; at++) {
    const digit = (bytes[at] as number) - 0x30;
    if (digit < 0 || digit > 9) throw new DerError(`${what} holds something other than digits`, at);
    value = value * 10 + digit;
  }
  return value;
}
