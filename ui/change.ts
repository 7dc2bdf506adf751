// What the dialogs that change one token do alike: they make the call once, and say after a failure what is true.
import { useSignal } from '@preact/signals';
import type { Failure, Outcome, Token } from './api.ts';
import { dialog } from './state.ts';
import { texts } from './texts.ts';
import { labelOf, leadOf, mayHaveHappened } from './tokens.ts';

/** `token`: as the member saw it. */
export function useChange(token: Token) {
  const busy = useSignal(false);
  const failure = useSignal<Failure | null>(null);
  const lead = useSignal('');
  const close = (): void => {
    if (!busy.value) dialog.value = null;
  };
  /**
   * Makes the call, unless one is under way, and closes the dialog after a success. After a failure it loads the list again.
   * `unchanged`: said where the list shows that nothing was changed. `handle`: answers true if it shows the failure in another way.
   */
  const run = async <T>(
    call: () => Promise<Outcome<T>>,
    done: (value: T) => void,
    unchanged: string,
    handle: (refused: Failure) => boolean = () => false,
  ): Promise<void> => {
    if (busy.value) return;
    busy.value = true;
    failure.value = null;
    const outcome = await call();
    const found = outcome.ok ? '' : await leadOf(token, outcome.failure, unchanged);
    busy.value = false;
    if (outcome.ok) {
      dialog.value = null;
      done(outcome.value);
    } else if (found === null) dialog.value = null;
    else if (!handle(outcome.failure)) {
      // The list may be older than a change that is still on its way.
      lead.value = mayHaveHappened(outcome.failure) ? texts.unsure(labelOf(token)) : found;
      failure.value = outcome.failure;
    }
  };
  return { busy, failure, lead, close, run };
}
