// What verification is told of a call beside its secret. A class, since one is made for every call: an object with a getter
// of its own takes ten times as long to make.
import type { VerifyContext } from '../verification/verify.ts';

export class Call implements VerifyContext {
  readonly #request: Request;
  readonly #context: Pick<ExecutionContext, 'waitUntil'>;

  constructor(request: Request, context: Pick<ExecutionContext, 'waitUntil'>) {
    this.#request = request;
    this.#context = context;
  }

  /** What may outlive the answer. */
  waitUntil(promise: Promise<unknown>): void {
    this.#context.waitUntil(promise);
  }

  /** Where the call came in; workerd parses it when it is asked for. */
  get cf(): unknown {
    return this.#request.cf;
  }
}
