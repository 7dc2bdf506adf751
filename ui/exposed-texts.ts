// The words about a token that was found in public. They are loaded with the page of a token.
import type { Token } from './api.ts';
import { asIs } from './text.tsx';

type By = NonNullable<Token['exposed']>['by'];

export const words = {
  title: { report: 'Found in public', github: 'Found in public', url: 'Sent in a URL' } satisfies Record<
    By,
    string
  >,
  /** `when`: "14 Mar 2027, 23:59 CET". */
  found: {
    report: (when: string) => `Somebody reported on ${when} that they found this token.`,
    github: (when: string) => `GitHub reported on ${when} that this token is in a public repository.`,
    url: (when: string) =>
      `A call on ${when} had this token in its URL. Logs, histories and other websites may have kept it.`,
  } satisfies Record<By, (when: string) => string>,
  where: 'Seen at',
  paused: 'It was paused at once: every call with the value is refused.',
  inactive: 'It was inactive already: every call with the value is refused.',
  ways: 'What to do about it',
  replace: 'Replace it…',
  resume: 'Resume anyway…',
  remove: 'Delete it…',
  resumeTitle: (label: string) => `Resume ${asIs(label)} anyway?`,
  resumeBody:
    'Everybody who has the value that was found can use it again, unless it has ended. It is safer to replace the value.',
  resumeConfirm: 'Resume anyway',
  resuming: 'Resuming…',
  notResumed: (label: string) => `Couldn’t resume ${asIs(label)}. It is still paused.`,
};
