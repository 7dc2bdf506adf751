// The names that people give: to a token, to an organisation. The dashboard and the operator's routes read names by this one rule.
import { maxLength, minLength, pipe, regex, string } from 'valibot';

// Characters that are invisible but not spaces: fillers of Hangul, and the empty pattern of Braille.
const BLANK = '\\u115f\\u1160\\u2800\\u3164\\uffa0';
const HIDDEN = '\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}';
const VISIBLE = `[^\\s${HIDDEN}${BLANK}]`;
// Persian needs ZWNJ, and many emoji need ZWJ. Elsewhere both would be invisible in a name.
const JOINER = `(?<=${VISIBLE})[\\u200c\\u200d](?=${VISIBLE})`;

const SOMETHING = new RegExp(VISIBLE, 'u');
// Control and formatting characters would let a name look like something else.
const NOTHING_HIDDEN = new RegExp(`^(?:[^${HIDDEN}]|${JOINER})+$`, 'u');
const WHOLE_CHARACTERS = /^\P{Cs}+$/u;

/** Of a token. */
export const TOKEN_NAME_LENGTH = 50;

/** A name of at most `longest` UTF-16 units, as it was typed: nothing is trimmed or folded. */
export const nameOf = (longest: number) =>
  pipe(
    string('not a string'),
    minLength(1, 'empty'),
    maxLength(longest, `longer than ${longest} characters`),
    regex(SOMETHING, 'empty'),
    // Half a surrogate pair would be stored as another character than the answer says.
    regex(WHOLE_CHARACTERS, 'has half a character'),
    regex(NOTHING_HIDDEN, 'has a control character'),
  );
