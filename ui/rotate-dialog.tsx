// The dialog that gives a token a new value. The member chooses when the old value ends. It makes one new value, however often the
// button is pressed.
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { rotateToken } from './api.ts';
import type { Failure, Retire, Token } from './api.ts';
import { Dialog } from './dialog.tsx';
import { DialogFoot } from './dialog-foot.tsx';
import { ForesightNote, ofValue } from './foresight-note.tsx';
import { formatClock } from './format.ts';
import { CHOICES, words } from './rotation-texts.ts';
import { dialog, explain, report } from './state.ts';
import { Text } from './text.tsx';
import { isExpired, leadOf, maskOf, mayHaveHappened, patchToken, quoted, stateOf } from './tokens.ts';

/** The fields that replacing or ending a value changes. */
export const valuesOf = ({ preview, lastUsedAt, retiring, retired }: Omit<Token, 'organisation'>) => ({
  preview,
  lastUsedAt,
  retiring,
  retired,
});

/** `token`: as the member saw it. Only the value that the member saw is replaced. `retire`: the choice that is preselected. */
export function RotateDialog({ token, retire: first = 'when-silent' }: { token: Token; retire?: Retire }) {
  const retire = useSignal(first);
  const busy = useSignal(false);
  const failure = useSignal<Failure | null>(null);
  const lost = useSignal<Token | null>(null);
  // One key for the life of the dialog, so that a repeat after a lost answer makes no second value.
  const key = useRef(crypto.randomUUID());
  // Once an answer was lost, a refusal of the repeat does not tell what the first call did.
  const unsure = useSignal(false);
  const close = (): void => {
    if (!busy.value) dialog.value = null;
  };
  const rotate = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (busy.value) return;
    busy.value = true;
    const outcome = await rotateToken(token, retire.value, key.current);
    if (outcome.ok) {
      busy.value = false;
      const { token: now, secret, effectiveAt } = outcome.value;
      patchToken(token, { ...valuesOf(now), ...stateOf(now) });
      const at = formatClock(effectiveAt);
      const told = retire.value === 'now' ? words.ended(at) : words.replaced(at);
      if (secret === null) lost.value = now;
      else dialog.value = { kind: 'secret', token: now, secret, told };
      return;
    }
    const lead = await leadOf(token, outcome.failure, words.failed);
    busy.value = false;
    if (lead === null) dialog.value = null;
    else if (outcome.failure.slug === 'secret-changed') {
      // The page shows the present value now. The member can begin again.
      dialog.value = null;
      report(token, 'error', `${words.failed} ${explain(outcome.failure)}`);
    } else {
      unsure.value ||= mayHaveHappened(outcome.failure);
      failure.value = outcome.failure;
    }
  };
  if (lost.value !== null) return <Lost token={lost.value} />;
  const { retiring } = token;
  return (
    <Dialog labelledBy="rotate-title" describedBy="rotate-body" guarded={busy.value} onClose={close}>
      <form onSubmit={rotate}>
        <h2 id="rotate-title">
          <Text of={words.title(quoted(token))} />
        </h2>
        <div id="rotate-body" class="dialog-body">
          {retiring !== null && (
            <p class="warning">
              <Text of={words.endsNow(`${retiring.preview}***`)} />
            </p>
          )}
          <ForesightNote
            token={token}
            more={retiring === null ? undefined : (calls) => ofValue(calls, retiring.preview)}
          />
          <p class="quiet">
            {words.body}{' '}
            {token.exposed?.paused === true
              ? words.exposed
              : !token.active
                ? words.inactive
                : isExpired(token)
                  ? words.expired
                  : words.active}
          </p>
        </div>
        {/* After a lost answer the choice cannot be changed, because the repeat must be the same call. */}
        <fieldset class="choices" disabled={busy.value || unsure.value}>
          <legend>
            <Text of={words.legend(maskOf(token))} />
          </legend>
          {(Object.keys(CHOICES) as Retire[]).map((choice) => (
            <label key={choice}>
              <input
                type="radio"
                name="retire"
                value={choice}
                checked={retire.value === choice}
                autofocus={choice === first}
                // The hint is in the label, so that a click on it chooses. The accessible name leaves it out.
                aria-labelledby={`choice-${choice}`}
                aria-describedby={CHOICES[choice].hint === undefined ? undefined : `hint-${choice}`}
                onChange={() => (retire.value = choice)}
              />
              <span>
                <span id={`choice-${choice}`}>{CHOICES[choice].label}</span>
                {CHOICES[choice].hint !== undefined && (
                  <span id={`hint-${choice}`} class="hint">
                    {CHOICES[choice].hint}
                  </span>
                )}
              </span>
            </label>
          ))}
        </fieldset>
        <DialogFoot
          busy={busy.value}
          failure={failure.value}
          lead={unsure.value ? words.unsure : words.failed}
          confirm={words.confirm}
          waiting={words.busy}
          onCancel={close}
        />
      </form>
    </Dialog>
  );
}

/** Shown when the new value exists but its answer was lost. */
function Lost({ token }: { token: Token }) {
  const { retiring } = token;
  const old = retiring === null ? words.lostOldEnded : words.lostOldWorks(`${retiring.preview}***`);
  return (
    <Dialog
      key="lost"
      labelledBy="rotate-title"
      describedBy="rotate-body"
      onClose={() => (dialog.value = null)}
    >
      <h2 id="rotate-title">{words.lostTitle}</h2>
      <div id="rotate-body" class="dialog-body">
        <p>
          <Text of={words.lost(maskOf(token))} />
        </p>
        <p>
          <Text of={old} />
        </p>
      </div>
      <footer>
        <button type="button" class="button" autofocus onClick={() => (dialog.value = null)}>
          {words.close}
        </button>
        <button
          type="button"
          class="button primary"
          onClick={() => (dialog.value = { kind: 'rotate', token })}
        >
          {words.again}
        </button>
      </footer>
    </Dialog>
  );
}
