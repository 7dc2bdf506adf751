// The limits of a token while a person chooses them, as they stand in the fields; and which field a refusal is about.
import type { Failure, Limits } from './api.ts';

/** How the end of a token is chosen: `as-is` is the end that it has. */
export type Ending = 'as-is' | 'never' | '30' | '90' | 'year' | 'date';
export type Draft = {
  access: Limits['access'];
  ending: Ending;
  /** As a field for dates has it: 2027-03-14, or empty. */
  date: string;
  /** The instant that the choice means, fixed when it is made. Null: never, or no date yet. */
  expiresAt: string | null;
  /** Texts with one entry on each line. */
  paths: string;
  networks: string;
  origins: string;
};
export type List = 'paths' | 'networks' | 'origins';

export const NEW_DRAFT: Draft = {
  access: 'read',
  ending: 'never',
  date: '',
  expiresAt: null,
  paths: '',
  networks: '',
  origins: '',
};

/** The entries of a field: separated by spaces, lines or commas, each of them once. */
export const entriesOf = (text: string): string[] => [...new Set(text.split(/[\s,]+/).filter(Boolean))];

export const chosen = ({ access, expiresAt, paths, networks, origins }: Draft): Limits => ({
  access,
  expiresAt,
  paths: entriesOf(paths),
  networks: entriesOf(networks),
  origins: entriesOf(origins),
});

/** Whether more is chosen than the access. */
export const hasMore = ({ ending, paths, networks, origins }: Draft): boolean =>
  ending !== 'never' || paths + networks + origins !== '';

/** What is wrong with the value of a field, as a sentence. */
export type Refusal = { field: string; text: string };

/** The field that the Worker names in a refusal (`Field "networks": …`), or null. */
export function refusalOf({ slug, detail }: Failure): Refusal | null {
  const [, field, text] = (slug === 'invalid-body' && /^Field "(\w+)[^"]*": (.+)$/s.exec(detail ?? '')) || [];
  if (field === undefined || text === undefined) return null;
  // An address or a path at the beginning stays as it was typed. The clock of the server is for programs.
  const sentence = text
    .replace(/^[a-z](?=[a-z]* )/, (letter) => letter.toUpperCase())
    .replace(/ \(now it is .*\)$/, '');
  return { field, text: `${sentence}.` };
}
