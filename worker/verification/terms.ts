// An isolate and a hub accept each other's calls and answers only under the same terms: the version of the calls, and the database.
// While a deployment spreads, a hub may still run another release, or read the database from before a restore. Pure.

/** Raised with every change of the shape or the meaning of a call to a hub or of its answer (docs/operating/upgrade.md). */
const CALL_VERSION = 6;

/** Every call and every answer has them. The release before terms existed sends none. */
export type Terms = { version: number; epoch: number };

export const TERMS_RULES = {
  /** Whether two epochs mean the same database. */
  isSameEpoch(own: number, other: number | undefined): boolean {
    return own === other;
  },
};
export type TermsRules = typeof TERMS_RULES;

/** The terms of this deployment; `epoch` is its setting DATABASE_EPOCH. */
export function termsOf(epoch: number): Terms {
  return { version: CALL_VERSION, epoch };
}

/** Asks under these terms. Rejects an answer under other terms. */
export async function askUnder<Question extends object, Answer extends object>(
  terms: Terms,
  question: Question,
  ask: (question: Question & Terms) => Promise<(Answer & Partial<Terms>) | undefined>,
  rules: TermsRules = TERMS_RULES,
): Promise<Answer> {
  const answer = await ask({ ...question, ...terms });
  if (answer === undefined) throw new Error('hub: answers under no terms');
  requireSame(terms, answer, rules);
  return answer;
}

/** Answers a question under the same terms. Rejects any other question without calling `answer`. */
export async function answerUnder<Answer extends object>(
  terms: Terms,
  question: Partial<Terms>,
  answer: () => Promise<Answer>,
  rules: TermsRules = TERMS_RULES,
): Promise<Answer & Terms> {
  requireSame(terms, question, rules);
  return { ...(await answer()), ...terms };
}

function requireSame(own: Terms, { version, epoch }: Partial<Terms>, rules: TermsRules): void {
  if (version !== own.version) throw new Error('hub: calls of another version');
  if (!rules.isSameEpoch(own.epoch, epoch)) throw new Error('hub: another database');
}
