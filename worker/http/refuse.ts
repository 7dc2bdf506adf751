// The answer to a call that is refused, or that failed: a problem, and for a person whose browser went to the address a page.
import { storageFailureOf } from '../storage-failure.ts';
import type { Call } from './call.ts';
import { logOften, logUnexpected } from './log.ts';
import { addressProblem } from './origins.ts';
import { Problem, problemResponse, type Refusal } from './problem.ts';

/** Why nothing at all is answered to this call, or null: the deployment is set up wrongly, or the address is not ours. */
export function refusalOfDeployment(call: Call): Problem | null {
  const { fault } = call.deployment;
  return fault === null ? addressProblem(call) : misconfigured(call, fault);
}

/** A deployment that is set up wrongly answers a problem that names the setting, and says so once in the log. */
function misconfigured({ deployment }: Call, fault: string): Problem {
  deployment.reportFault(fault);
  return new Problem('misconfigured', fault);
}

/** The refusal for an error. A failure of the database has its own answer, so that a caller tries again. Any other error is a bug of ours. */
export function refusalOf(call: Call, thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown;
  // A hub may have said so meanwhile.
  const { fault } = call.deployment;
  if (fault !== null) return misconfigured(call, fault);
  const failure = storageFailureOf(thrown);
  if (failure !== null) {
    logOften('storage-failed', failure);
    return new Problem(
      'storage-unavailable',
      'Nothing was changed, or the change is seen when you look again',
      { 'retry-after': '2' },
    );
  }
  logUnexpected(thrown instanceof Error ? thrown : new Error('not an Error'), call.id);
  return new Problem('unexpected');
}

/** The answer to a refused call. `answer` is that for a program; a person gets it where the files of the page are away. */
export function refuse(
  call: Call,
  refusal: Refusal,
  answer: Response = problemResponse(refusal, call),
): Response | Promise<Response> {
  call.note({ slug: refusal.slug });
  return call.isNavigation ? asPage(call, refusal, answer) : answer;
}

async function asPage(call: Call, refusal: Refusal, answer: Response): Promise<Response> {
  const { problemPage } = await import('../pages/problem-page.ts');
  return (await problemPage(call, refusal, answer.headers)) ?? answer;
}
