import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatIn } from './format.ts';
import { dayOf, endOf, endOfDay } from './limit-ends.ts';

const before = process.env['TZ'];
/** Node reads the zone anew when it is set. */
const inZone = (zone: string): void => {
  process.env['TZ'] = zone;
};
beforeEach(() => inZone('UTC'));
afterEach(() => {
  if (before === undefined) delete process.env['TZ'];
  else process.env['TZ'] = before;
});

describe('the end of a token', () => {
  it('is the same time of the day in 30 and 90 days and in a year, by the calendar of the reader', () => {
    const now = new Date('2026-11-29T10:15:30.250Z');
    expect(endOf('30', '', null, now)).toBe('2026-12-29T10:15:30.250Z');
    expect(endOf('90', '', null, now)).toBe('2027-02-27T10:15:30.250Z');
    expect(endOf('year', '', null, now)).toBe('2027-11-29T10:15:30.250Z');
    // Summer time begins meanwhile: 11:15 stays 11:15, an hour earlier in UTC.
    inZone('Europe/Berlin');
    expect(endOf('30', '', null, new Date('2027-03-10T10:15:00Z'))).toBe('2027-04-09T09:15:00.000Z');
  });

  it('is 28 February a year after 29 February, and 1 March after 1 March', () => {
    expect(endOf('year', '', null, new Date('2028-02-29T12:00:00Z'))).toBe('2029-02-28T12:00:00.000Z');
    expect(endOf('year', '', null, new Date('2027-03-01T12:00:00Z'))).toBe('2028-03-01T12:00:00.000Z');
    expect(endOf('year', '', null, new Date('2028-12-31T12:00:00Z'))).toBe('2029-12-31T12:00:00.000Z');
  });

  it('stays as it is, or is none', () => {
    expect(endOf('as-is', '', '2027-01-01T00:00:00.000Z')).toBe('2027-01-01T00:00:00.000Z');
    expect(endOf('never', '2027-01-01', '2027-01-01T00:00:00.000Z')).toBe(null);
  });

  it('of a date is the last second of that day where the reader is', () => {
    expect(endOf('date', '2028-02-29', null)).toBe('2028-02-29T23:59:59.000Z');
    inZone('America/Los_Angeles');
    expect(endOfDay('2027-01-31')).toBe('2027-02-01T07:59:59.000Z');
    inZone('Pacific/Kiritimati');
    expect(endOfDay('2027-01-31')).toBe('2027-01-31T09:59:59.000Z');
  });

  it('of a date is right where the clocks change at midnight', () => {
    // The hour before midnight comes twice: it is the second one that ends the day.
    inZone('America/Santiago');
    expect(endOfDay('2027-04-03')).toBe('2027-04-04T03:59:59.000Z');
    // The next day begins at 01:00.
    expect(endOfDay('2027-09-04')).toBe('2027-09-05T03:59:59.000Z');
    // A day of 23 hours.
    inZone('Europe/Berlin');
    expect(endOfDay('2027-03-28')).toBe('2027-03-28T21:59:59.000Z');
  });

  it.each(['', '2027-02-29', '2027-13-01', '14.3.2027'])('is none for "%s"', (date) => {
    expect(endOfDay(date)).toBe(null);
  });

  it('is shown as a day of the reader', () => {
    inZone('Pacific/Kiritimati');
    expect(dayOf(new Date('2027-01-31T10:00:00Z'))).toBe('2027-02-01');
    expect(endOfDay(dayOf(new Date('0099-03-04T00:00:00Z')))).not.toBe(null);
  });
});

describe('how long it is until an end', () => {
  it.each([
    ['2026-11-29T12:00:20Z', 'in less than a minute'],
    ['2026-11-29T12:01:00Z', 'in 1 minute'],
    ['2026-11-29T13:10:00Z', 'in 1 hour'],
    ['2026-11-30T11:59:59Z', 'in 23 hours'],
    ['2026-11-30T12:00:00Z', 'tomorrow'],
    ['2026-11-30T23:59:59Z', 'tomorrow'],
    ['2026-12-01T13:00:00Z', 'in 2 days'],
    ['2026-12-05T00:00:00Z', 'in 6 days'],
  ])('%s is %s at noon of 29 November 2026', (at, said) => {
    expect(formatIn(at, Date.parse('2026-11-29T12:00:00Z'))).toBe(said);
  });

  it('counts days of 23 and 25 hours as days', () => {
    inZone('Europe/Berlin');
    // Clocks go back on 25 October 2026: that day has 25 hours.
    expect(formatIn('2026-10-26T22:59:59Z', Date.parse('2026-10-24T10:00:00Z'))).toBe('in 2 days');
    expect(formatIn('2026-10-25T22:59:59Z', Date.parse('2026-10-24T22:00:00Z'))).toBe('tomorrow');
    // They go forward on 28 March 2027.
    expect(formatIn('2027-03-29T21:59:59Z', Date.parse('2027-03-27T10:00:00Z'))).toBe('in 2 days');
  });
});
