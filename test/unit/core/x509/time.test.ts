import { der } from '@peercert/testkit';
import { DerReader } from '../../../../packages/core/src/x509/der';
import { decodeTime } from '../../../../packages/core/src/x509/time';
// oxlint-disable-next-line import/no-unassigned-import -- extends expect
import '../../../support/refusals';

const utc = (text: string): Buffer => der.utcTime(text);
const generalized = (text: string): Buffer => der.generalizedTime(text);
const decode = (bytes: Buffer): number => decodeTime(new DerReader(bytes), 'notAfter');

describe('a validity time', () => {
  it.each([
    ['accepts a UTCTime', utc('260601120000Z'), '2026-06-01T12:00:00.000Z'],
    ['accepts a UTCTime of the year 49, which is 2049', utc('491231235959Z'), '2049-12-31T23:59:59.000Z'],
    ['accepts a UTCTime of the year 50, which is 1950', utc('500101000000Z'), '1950-01-01T00:00:00.000Z'],
    ['accepts a UTCTime of the year 00, which is 2000', utc('000101000000Z'), '2000-01-01T00:00:00.000Z'],
    ['accepts a UTCTime of the year 99, which is 1999', utc('991231235959Z'), '1999-12-31T23:59:59.000Z'],
    ['accepts a GeneralizedTime from 2050', generalized('20500101000000Z'), '2050-01-01T00:00:00.000Z'],
    ['DR-13: accepts a GeneralizedTime before 2050', generalized('20260601120000Z'), '2026-06-01T12:00:00.000Z'],
    ['DR-13: accepts the end of the year 9999', generalized('99991231235959Z'), '9999-12-31T23:59:59.000Z'],
    ['accepts a GeneralizedTime of the year 0', generalized('00000101000000Z'), '0000-01-01T00:00:00.000Z'],
    [
      'accepts a GeneralizedTime of the year 99, which is not 1999',
      generalized('00991231235959Z'),
      '0099-12-31T23:59:59.000Z',
    ],
    ['accepts 29 February of a leap year', utc('240229000000Z'), '2024-02-29T00:00:00.000Z'],
    ['accepts 29 February 2000, a leap year', utc('000229000000Z'), '2000-02-29T00:00:00.000Z'],
    ['accepts 29 February of the year 0, a leap year', generalized('00000229000000Z'), '0000-02-29T00:00:00.000Z'],
    ['accepts 31 January', utc('260131000000Z'), '2026-01-31T00:00:00.000Z'],
    ['accepts 30 April', utc('260430000000Z'), '2026-04-30T00:00:00.000Z'],
    ['accepts the last second of a day', utc('260601235959Z'), '2026-06-01T23:59:59.000Z'],
  ])('%s', (_, bytes, expected) => {
    expect(new Date(decode(bytes)).toISOString()).toBe(expected);
  });

  it.each([
    ['DR-13: rejects 31 February', utc('260231000000Z')],
    ['DR-13: rejects 29 February of a common year', utc('260229000000Z')],
    ['DR-13: rejects 29 February 2100, a common year', generalized('21000229000000Z')],
    ['DR-13: rejects 31 April', utc('260431000000Z')],
    ['DR-13: rejects 31 June', utc('260631000000Z')],
    ['DR-13: rejects 31 September', utc('260931000000Z')],
    ['DR-13: rejects 31 November', utc('261131000000Z')],
    ['DR-13: rejects 32 January', utc('260132000000Z')],
    ['DR-13: rejects day 0', utc('260600000000Z')],
    ['DR-13: rejects month 0', utc('260001000000Z')],
    ['DR-13: rejects month 13', utc('261301000000Z')],
    ['DR-13: rejects 24:00', utc('260601240000Z')],
    ['DR-13: rejects minute 60', utc('260601126000Z')],
    ['DR-13: rejects second 60', utc('260601120060Z')],
  ])('%s', (_, bytes) => {
    expect(() => decode(bytes)).toThrowDerError('notAfter does not exist', 2);
  });

  it.each([
    ['DR-13: rejects a UTCTime without seconds', utc('2606011200Z')],
    ['DR-13: rejects a UTCTime with an offset', utc('260601120000+0100')],
    ['DR-13: rejects a UTCTime with an offset and without seconds', utc('2606011200+0100')],
    ['DR-13: rejects a GeneralizedTime with a fraction', generalized('20260601120000.5Z')],
    ['DR-13: rejects a GeneralizedTime without seconds', generalized('202606011200Z')],
    ['DR-13: rejects a GeneralizedTime with an offset', generalized('20260601120000+0100')],
    ['rejects a UTCTime with four digits of year', utc('20260601120000Z')],
    ['rejects a GeneralizedTime with two digits of year', generalized('260601120000Z')],
    ['rejects a UTCTime without contents', utc('')],
    ['rejects an INTEGER', der.integer(1_780_315_200)],
    ['rejects a UTF8String of the right length', der.utf8String('260601120000Z')],
  ])('%s', (_, bytes) => {
    expect(() => decode(bytes)).toThrowDerError(
      'notAfter is not a UTCTime or GeneralizedTime of full seconds in UTC',
      2,
    );
  });

  it.each([
    ['DR-13: rejects a UTCTime in local time', utc('2606011200000')],
    ['rejects a UTCTime with a lower-case z', utc('260601120000z')],
    ['rejects a UTCTime that ends in NUL', utc('260601120000\0')],
  ])('%s', (_, bytes) => {
    expect(() => decode(bytes)).toThrowDerError('notAfter is not in UTC', 14);
  });

  it.each([
    ['DR-13: rejects a sign before the year', generalized('-0260601120000Z'), 2],
    ['rejects a space before the month', utc('26 601120000Z'), 4],
    ['rejects a letter in the seconds', utc('2606011200O0Z'), 12],
    ['rejects a digit of another script', utc('2606\xB211200000Z'.slice(0, 13)), 6],
  ])('%s', (_, bytes, offset) => {
    expect(() => decode(bytes)).toThrowDerError('notAfter holds something other than digits', offset);
  });

  it('agrees with Date on a day of every month of four centuries, and on the years around them', () => {
    const disagreements: string[] = [];
    for (let month = 0; month < 12 * 404; month++) {
      const date = new Date(Date.UTC(1898, month, 1 + (month % 31), month % 24, month % 60, 59));
      const text = date.toISOString().replace(/[-:T]|\.\d+/g, '');
      if (decode(generalized(text)) !== date.getTime()) disagreements.push(text);
    }
    expect(disagreements).toEqual([]);
  });

  it('rejects a time cut short', () => {
    expect(() => decode(utc('260601120000Z').subarray(0, 10))).toThrowDerError(
      'element is longer than what holds it',
      0,
    );
  });
});
