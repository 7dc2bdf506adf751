// Confirms a creation and makes it: one token however often the button is pressed, and nothing half-made on failure.
import { useSignal } from './signal.ts';
import { useRef } from 'preact/hooks';
import { createToken, deleteToken } from './api.ts';
import type { Failure, Token } from './api.ts';
import { Dialog } from './dialog.tsx';
import { DialogFailure } from './failure.tsx';
import { NO_LOGIN } from './no-login.ts';
import { dialog, isTold, leaveEnterprise, refreshSession, toast, typed } from './state.ts';
import type { Organisation } from './state.ts';
import { Text } from './text.tsx';
import { texts } from './texts.ts';
import { addToken, judge, labelOf, loadTokens, mayHaveHappened } from './tokens.ts';

/** `organisation` is the one that the dialog was opened for: the token is made there, wherever the page is by then. */
export function CreateDialog({ organisation }: { organisation: Organisation }) {
  const { id } = organisation;
  const draft = `create ${id}`;
  const filled = useSignal((typed.get(draft) ?? '') !== '');
  const busy = useSignal(false);
  const failure = useSignal<Failure | null>(null);
  const lost = useSignal<Token | null>(null);
  // One key for the life of this dialog: a repeat after a lost answer makes no second token.
  const key = useRef(crypto.randomUUID());
  const close = (): void => {
    if (!busy.value) dialog.value = null;
  };
  const create = async (event: SubmitEvent & { currentTarget: HTMLFormElement }): Promise<void> => {
    event.preventDefault();
    if (busy.value) return;
    const name = String(new FormData(event.currentTarget).get('name') ?? '').trim();
    busy.value = true;
    failure.value = null;
    const outcome = await createToken(id, name, key.current);
    busy.value = false;
    if (!outcome.ok) {
      const { slug } = outcome.failure;
      if (isTold(outcome.failure)) dialog.value = null;
      else if (slug === 'enterprise-plan-required' || slug === 'organisation-not-found') {
        dialog.value = null;
        await (slug === 'organisation-not-found' ? refreshSession() : leaveEnterprise(id));
      } else failure.value = outcome.failure;
      return;
    }
    typed.delete(draft);
    const { token, secret } = outcome.value;
    addToken(token);
    if (secret === null) lost.value = token;
    else dialog.value = { kind: 'secret', token, secret };
  };
  const discard = async (token: Token): Promise<void> => {
    if (busy.value) return;
    busy.value = true;
    failure.value = null;
    const outcome = await deleteToken(token);
    const verdict = outcome.ok ? 'gone' : await judge(token, outcome.failure);
    busy.value = false;
    if (!outcome.ok && verdict !== 'gone') {
      if (verdict === 'shown') dialog.value = null;
      else failure.value = outcome.failure;
      return;
    }
    await loadTokens();
    dialog.value = null;
    toast('ok', texts.remove.gone(labelOf(token)));
  };
  if (lost.value !== null) {
    const token = lost.value;
    return (
      <Dialog
        key="lost"
        labelledBy="create-title"
        describedBy="create-body"
        guarded={busy.value}
        onClose={close}
      >
        <h2 id="create-title">{texts.create.lostTitle}</h2>
        <p id="create-body">
          <Text of={texts.create.lost(labelOf(token))} />
        </p>
        <DialogFailure failure={failure.value} lead={texts.unsure(labelOf(token))} />
        <footer>
          <button type="button" class="button" autofocus onClick={close}>
            {texts.create.keep}
          </button>
          <button
            type="button"
            class="button destructive"
            aria-disabled={busy.value}
            onClick={() => void discard(token)}
          >
            <Text of={texts.create.deleteLost(labelOf(token))} />
          </button>
        </footer>
      </Dialog>
    );
  }
  return (
    <Dialog
      labelledBy="create-title"
      describedBy="create-body"
      guarded={busy.value}
      filled={filled.value}
      onClose={close}
    >
      <form onSubmit={create}>
        <h2 id="create-title">{texts.create.title}</h2>
        <p id="create-body">
          <Text of={`${texts.create.body} ${texts.create.where(organisation.name)}`} />
        </p>
        <label for="create-name">{texts.create.name}</label>
        <input
          id="create-name"
          name="name"
          maxLength={50}
          autocomplete="off"
          {...NO_LOGIN}
          aria-describedby="create-hint"
          defaultValue={typed.get(draft) ?? ''}
          onInput={({ currentTarget: { value } }) => {
            typed.set(draft, value);
            filled.value = value !== '';
          }}
        />
        <p id="create-hint" class="hint">
          {texts.create.nameHint}
        </p>
        <DialogFailure
          failure={failure.value}
          lead={
            failure.value !== null && mayHaveHappened(failure.value)
              ? texts.create.unsure
              : texts.create.failed
          }
        />
        <footer>
          <button type="button" class="button" autofocus onClick={close}>
            {texts.cancel}
          </button>
          <button type="submit" class="button primary steady" aria-disabled={busy.value}>
            <Text of={busy.value ? texts.create.busy : texts.create.confirm} />
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
