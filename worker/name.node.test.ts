import { safeParse } from 'valibot';
import { describe, expect, it } from 'vitest';
import { nameOf } from './name.ts';

const said = (text: string, longest = 50): string | null => {
  const read = safeParse(nameOf(longest), text);
  return read.success ? null : read.issues[0].message;
};

describe('a name', () => {
  it.each([
    ['in Persian, with ZWNJ', 'کتاب\u200cخانه'],
    ['with an emoji that ZWJ joins', 'Team \u{1f469}\u200d\u{1f4bb}'],
    ['with ZWJ after a variation selector', '\u2764\ufe0f\u200d\u{1f525}'],
    ['with spaces around it', ' Website '],
    ['in Hangul', '한국어'],
    ['in Braille', '\u2801\u2803'],
  ])('is allowed %s', (_, text) => {
    expect(said(text)).toBe(null);
  });

  it.each([
    ['nothing', '', 'empty'],
    ['spaces', ' \u00a0\u3000', 'empty'],
    ['the Hangul filler', '\u3164', 'empty'],
    ['the other Hangul fillers', '\u115f\u1160 \uffa0', 'empty'],
    ['an empty Braille pattern', '\u2800\u2800', 'empty'],
    ['a joiner alone', '\u200d', 'empty'],
    ['a joiner at the start', '\u200dA', 'has a control character'],
    ['a joiner at the end', 'A\u200c', 'has a control character'],
    ['a joiner beside a space', 'A \u200dB', 'has a control character'],
    ['a joiner beside a filler', 'A\u200c\u3164B', 'has a control character'],
    ['two joiners in a row', 'A\u200c\u200dB', 'has a control character'],
    ['a zero-width space', 'A\u200bB', 'has a control character'],
    ['an override of direction', 'A\u202eB', 'has a control character'],
    ['a line separator', 'A\u2028B', 'has a control character'],
    ['a control character', 'A\u0007B', 'has a control character'],
    ['half a character', 'A\ud800', 'has half a character'],
  ])('is refused when it is or has %s', (_, text, why) => {
    expect(said(text)).toBe(why);
  });

  it.each([undefined, null, 1, {}, ['a']])('is a string, not %j', (value) => {
    expect(safeParse(nameOf(50), value).issues?.[0].message).toBe('not a string');
  });

  it('is refused when half a character stands before whole ones', () => {
    expect(said('\ud800A')).toBe('has half a character');
  });

  it('is as long as the caller allows, and no longer', () => {
    expect(said('x'.repeat(100), 100)).toBe(null);
    expect(said('x'.repeat(101), 100)).toBe('longer than 100 characters');
  });
});
